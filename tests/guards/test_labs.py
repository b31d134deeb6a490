"""Every way in which a notebook could show what no cell computed, planted, and refused."""

import pytest

from tools.guards.labs import HEADER, check_lab

SOUND = (
    HEADER
    + '''

# %% [markdown]
# # A lab
#
# Words, *more* words, `code`, [a link](../index.md), and a table:
#
# | a | b |
# |---|---|
# | 1 | 2 |

# %%
import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure

from figures.svg import FIRST, style, to_html

x = np.arange(3)


# %%
def picture(name):
    """Draw one line."""
    with style():
        figure = Figure()
        figure.subplots().plot(x, color=FIRST)
    return HTML(to_html(figure, name, "A line.", "It rises."))


picture("line")

# %%
HTML(to_html(Figure(), "other", "Nothing.", "Nothing."))
'''
)


def check(tmp_path, text):
    path = tmp_path / "lab.py"
    path.write_text(text, encoding="utf-8")
    return check_lab(path)


def test_a_sound_lab_passes(tmp_path):
    assert check(tmp_path, SOUND) == []


PLANTS = {
    "tag that excuses": '# %% tags=["raises-exception"]\n1 / 0',
    "tag that hides": '# %% tags=["hide-input"]\nx',
    "raw cell": "# %% [raw]\nimport os",
    "title": "# %% skip\nx",
    "marker without a blank": "#%%\nx",
    "marker without a blank, with tags": '#%% tags=["remove-cell"]\nx',
    "notebook's marker": "# In[1]:\nx",
    "magic": "# %%\n%time x",
    "magic behind a comment": "# %%\n# %time x",
    "magic in a function": "# %%\ndef f():\n    # %time x\n    return x",
    "magic that assigns": "# %%\ny = %time x",
    "cell magic": "# %%\n# %%javascript\n# alert(1)",
    "cell magic, bare": "# %%\n%%html\n<b>x</b>",
    "shell": "# %%\n!ls",
    "shell behind a comment": "# %%\n# !pip list",
    "shell that assigns": "# %%\ny = !ls",
    "shell command without a mark": "# %%\nls",
    "shell command behind a comment": "# %%\n# ls",
    "help": "# %%\nx?",
    "what does not parse": "# %%\nx =",
    "get_ipython": '# %%\nget_ipython().run_line_magic("time", "x")',
    "get_ipython in an expression": "# %%\ny = [get_ipython() for _ in x]",
    "get_ipython by another name": "# %%\nf = get_ipython",
    "import of get_ipython": "# %%\nfrom IPython import get_ipython",
    "import of IPython": "# %%\nimport IPython",
    "clear_output": "# %%\nfrom IPython.display import clear_output",
    "display": "# %%\ndisplay(x)",
    "import of display": "# %%\nfrom IPython.display import display",
    "import of HTML and display": "# %%\nfrom IPython.display import HTML, display",
    "display of JavaScript": "# %%\nfrom IPython.display import Javascript",
    "display of Markdown": "# %%\nfrom IPython.display import Markdown",
    "module of displays": "# %%\nimport IPython.display",
    "display by another name": "# %%\nfor display in x:\n    pass\ndisplay(x)",
    "HTML of a string": '# %%\nHTML("<b>x</b>")',
    "HTML of a sum": '# %%\nHTML(to_html(x, "a", "b", "c") + "<b>x</b>")',
    "HTML with a file": '# %%\nHTML(filename="x.html")',
    "HTML with a second argument": '# %%\nHTML(to_html(x, "a", "b", "c"), "x")',
    "HTML by another name": "# %%\nf = HTML",
    "HTML in a map": "# %%\nlist(map(HTML, x))",
    "import of HTML by another name": "# %%\nfrom IPython.display import HTML as H",
    "import of another as HTML": "# %%\nfrom math import sqrt as HTML",
    "import of another as to_html": "# %%\nfrom math import sqrt as to_html",
    "to_html from elsewhere": "# %%\nfrom snippets.evaluation.calibration import to_html",
    "another to_html": "# %%\ndef to_html(*x):\n    return x",
    "another to_html as an argument": '# %%\ndef f(to_html):\n    return HTML(to_html(x, "a", "b", "c"))',
    "another to_html by assignment": "# %%\nto_html = str",
    "other drawings": "# %%\nfrom figures.svg import framed",
    "other figures": "# %%\nfrom figures.evaluation import peeking",
    "pyplot": "# %%\nimport matplotlib.pyplot as plt",
    "styled table": "# %%\nframe = x\nframe.style",
    "styled table by getattr": '# %%\nframe = x\ngetattr(frame, "style")',
    "method that a notebook calls": "# %%\nclass A:\n    def _repr_html_(self):\n        return x",
    "output of another cell": "# %%\nOut[1]",
    "last output": "# %%\n_",
    "semicolon that hides": "# %%\nx;",
    "semicolon that hides, with a comment": "# %%\nx;  # x",
    "reaching the machine": "# %%\nimport os",
    "writing over a line": "# %%\nprint('a', end='\\r')",
    "dunder": "# %%\nx.__class__",
    "HTML in words": "# %% [markdown]\n# <div>x</div>",
    "script in words": "# %% [markdown]\n# <script>alert(1)</script>",
    "HTML in code in words": "# %% [markdown]\n# `<script>`",
    "comment in words": "# %% [markdown]\n# <!-- x -->",
    "fence in words": "# %% [markdown]\n# ```python\n# x\n# ```",
    "tildes in words": "# %% [markdown]\n# ~~~\n# x\n# ~~~",
    "indented in words": "# %% [markdown]\n# Text.\n#\n#     import os",
    "javascript in words": "# %% [markdown]\n# [x](javascript:alert(1))",
    "image in words": "# %% [markdown]\n# ![x](x.png)",
    "include in words": '# %% [markdown]\n# --8<-- "mkdocs.yml"',
    "words without marks": '# %% [markdown]\n"""\n<script>alert(1)</script>\n"""',
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_every_plant_is_refused(tmp_path, plant):
    assert check(tmp_path, f"{SOUND}\n{plant}\n")


@pytest.mark.parametrize(
    "header",
    [
        "",
        HEADER.replace("python3", "python2"),
        HEADER.replace("#   kernelspec:", "#   execution:\n#     allow_errors: true\n#   kernelspec:"),
        HEADER.replace("percent", "light"),
        HEADER + "\nimport os",
    ],
)
def test_the_header_sets_nothing(tmp_path, header):
    assert check(tmp_path, SOUND.replace(HEADER, header))


@pytest.mark.parametrize("plant", ["# %%\nimport os", "# %%\nHTML(x)", "# %% [markdown]\n# <b>", "# %%\neval('1')"])
def test_the_fault_names_the_line(tmp_path, plant):
    line = SOUND.count("\n") + 3
    assert {fault.split(":")[1] for fault in check(tmp_path, f"{SOUND}\n{plant}\n")} == {str(line)}
