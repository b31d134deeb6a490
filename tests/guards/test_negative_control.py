"""Break every block of a copy of the guide: all of it must turn red."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tools.builders.site import build
from tools.guards.fences import ROOT, RUN, fences
from tools.guards.pages import pages

RAISE = 'raise SystemError("planted")'


def test_a_raise_in_every_block_fails_every_block(tmp_path):
    planted = 0
    for page in pages():
        text = page.read_text(encoding="utf-8")
        lines = text.split("\n")
        for block in reversed([b for b in fences(text) if b.info == RUN]):
            opening = lines[block.line - 1]
            lines.insert(block.line, opening[: len(opening) - len(opening.lstrip())] + RAISE)
            planted += 1
        target = tmp_path / page.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\n".join(lines), encoding="utf-8")
    plugin = ["-p", "tools.guards.ledger", "--codeblocks"]
    command = [sys.executable, "-m", "pytest", *plugin, "-q", f"--rootdir={tmp_path}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, "."], cwd=tmp_path, env=environment, capture_output=True, text=True)
    summary = done.stdout.strip().split("\n")[-1]
    assert re.match(rf"{planted} failed in", summary), summary
    assert planted > 10


def small_project(tmp_path, name, text):
    """Return the configuration of a site that is ours in all but its pages."""
    docs = tmp_path / "docs"
    (docs / "labs").mkdir(parents=True)
    shutil.copytree(ROOT / "docs/assets", docs / "assets")
    (docs / "index.md").write_text("# Home\n", encoding="utf-8")
    (docs / name).write_text(text, encoding="utf-8")
    config = tmp_path / "mkdocs.yml"
    config.write_text(
        f"INHERIT: {ROOT / 'mkdocs.yml'}\nsite_url: ''\ndocs_dir: {docs}\nnav: [index.md, {name}]\n"
        f"theme: {{name: material, custom_dir: {ROOT / 'theme'}}}\nhooks: [{ROOT / 'tools/builders/hooks.py'}]\n"
        "watch: []\nextra: {labs: {}}\n",
        encoding="utf-8",
    )
    return config


NOTEBOOK = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A lab
#
# [Home](../index.md)

# %%
print(1)
"""
BARE = "get_ipython().ast_transformers.clear()\n\n# %%\nprint(2)"
FIGURE = '# Page\n\n```python exec="on" html="on"\n{}\n```\n'


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("page.md", FIGURE.format(RAISE), "planted"),
        ("page.md", '# Page\n\n```py\n--8<-- "snippets/nothing.py"\n```\n', "snippets/nothing.py"),
        ("page.md", '# Page\n\n```py\n--8<-- "snippets/evaluation/calibration.py:nothing"\n```\n', "nothing"),
        ("page.md", "# Page\n\n[broken](nothing.md)\n", "nothing.md"),
        ("labs/lab.py", NOTEBOOK + RAISE, "planted"),
        ("labs/lab.py", NOTEBOOK + "def f(x):\n    return x\n", "cell 1 shows code that is never executed: return x"),
        ("labs/lab.py", NOTEBOOK + "2 if True else print(3)", "cell 1 shows code that is never executed: print(3)"),
        ("labs/lab.py", NOTEBOOK + BARE, "1 of 2 cells ran under probes"),
        ("labs/lab.py", NOTEBOOK + 'import sys\nprint("x", file=sys.stderr)', "application/vnd.jupyter.stderr"),
        ("labs/lab.py", NOTEBOOK.replace("index.md", "nothing.md"), "nothing.md, which does not exist"),
    ],
)
def test_the_strict_build_fails_on_what_fails(tmp_path, capfd, name, text, said):
    config = small_project(tmp_path, name, text)
    with pytest.raises(subprocess.CalledProcessError):
        build(tmp_path / "site", config)
    assert said in "".join(capfd.readouterr())


def test_a_sound_figure_is_built(tmp_path):
    build(tmp_path / "site", small_project(tmp_path, "page.md", FIGURE.format('print("<figure></figure>")')))
    assert "<figure></figure>" in (tmp_path / "site/page/index.html").read_text(encoding="utf-8")


def test_a_sound_lab_is_run_once_and_says_so(tmp_path, capfd):
    config, pages = small_project(tmp_path, "labs/lab.py", NOTEBOOK), []
    for said in (True, False):
        build(tmp_path / "site", config)
        assert ("lab 1 of 1: lab, first run" in "".join(capfd.readouterr())) == said
        pages.append((tmp_path / "site/labs/lab/index.html").read_bytes())
    assert pages[0] == pages[1]
