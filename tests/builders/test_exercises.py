"""Exercises in a notebook, which runs them, and on their page."""

import builtins
import dis
import shutil
import textwrap

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbclient import NotebookClient

from tools.builders import notebooks
from tools.builders.exercises import cells, mark, without
from tools.guards.exercises import cut, of_guide, of_page
from tools.guards.fences import ROOT

SNIPPET = '''import math
import os.path as path
from collections import Counter, deque

UNIT = 3


def scaled(x):
    """Return x in units."""
    # --8<-- [start:heart]
    return math.floor(x) * UNIT * len(path.sep) * sum(Counter("a").values())
    # --8<-- [end:heart]


class Scale:
    """A scale."""

    def by(self, x):
        """Return x by it."""
        # --8<-- [start:by]
        return x * UNIT
        # --8<-- [end:by]
'''
TEST = """from snippets.part.s import Scale, scaled


def test_it():
    assert scaled(2) == 6
    assert Scale().by(3) == 9
"""
HINTS = "".join(f'??? hint "{name}"\n\n    [So](x.md).\n\n' for name in ("a < b", "b", "c"))
PAGE = f"""# A page

```py
--8<-- "snippets/part/s.py:heart"
```

```python
print(1)
```

<!--pytest-codeblocks:expected-output-->

```text
1
```

## Write it yourself

??? exercise scaled "Scale it, 8 min"

    Return `x` times `UNIT`.

{HINTS}??? exercise Scale-by "Scale by it, 2 min"

    Multiply.

{HINTS}## Follow-ups

Text.
"""
URL = "https://example.org/part/page/"
ANSWERS = {"scaled": "return math.floor(x) * UNIT", "by": "return x * UNIT"}


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    shutil.copytree(ROOT / "docs/assets/css", root / "docs/assets/css")  # with the colours of figures
    packages = ("snippets", "snippets/part", "tests", "tests/part")
    files = dict.fromkeys([f"{package}/__init__.py" for package in packages] + ["tests/conftest.py"], "")
    for name, text in (files | {"snippets/part/s.py": SNIPPET, "tests/part/test_s.py": TEST}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def notebook(root):
    text = notebooks.of_page(PAGE, "", URL, lambda link: f"https://example.org/{link}", root)
    return nbformat.reads(text, as_version=4)


def exercised(notebook):
    return [cell for cell in notebook.cells if "exercise" in cell.metadata.get("tags", ())]


def test_exercises_come_last_and_have_not_run(notebook):
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells[-6:]] == ["markdown", "code", "code"] * 2
    assert exercised(notebook) == [cell for cell in notebook.cells[-6:] if cell.cell_type == "code"]
    assert {(cell.execution_count, len(cell.outputs)) for cell in exercised(notebook)} == {(None, 0)}
    assert [cell.source for cell in notebook.cells[5:-6]] == ["## Follow-ups\n\nText."]
    words = notebook.cells[-6].source
    assert words.startswith("## Scale it, 8 min\n\nReturn `x` times `UNIT`. The cells below have not run.")
    assert "<details><summary>Hint: a &lt; b</summary>\n\n[So](https://example.org/x.md).\n\n</details>" in words


def test_a_blank_cell_imports_what_its_heart_used(notebook):
    assert exercised(notebook)[0].source == (
        "import math\nimport os.path as path\nfrom collections import Counter\nfrom snippets.part.s import UNIT\n\n\n"
        'def scaled(x):\n    """Return x in units."""\n    # Return `x` times `UNIT`.\n    # At hand: UNIT.\n'
        '    raise NotImplementedError("scaled is yours to write")'
    )
    assert exercised(notebook)[2].source.startswith(
        'from snippets.part.s import UNIT\n\n\ndef by(self, x):\n    """Return x by it."""\n    # Multiply.\n'
    )


def run(notebook, folder):
    """Run a notebook in a folder; return what the last cell of each exercise prints."""
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, kernel_name="python3", resources=resources).execute()
    return ["".join(output.text for output in cell.outputs) for cell in exercised(notebook)[1::2]]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)  # only what the notebook wrote is there
    (tmp_path / "elsewhere").mkdir()
    return tmp_path / "elsewhere"


def test_the_cell_that_checks_says_what_is_blank_and_runs_the_test_of_what_is_written(notebook, elsewhere):
    blank = "Still blank: write {}, run its cell, then run this one.\n"
    assert run(notebook, elsewhere) == [blank.format("scaled"), blank.format("by")]
    for cell in exercised(notebook)[::2]:
        head, _, error = cell.source.rpartition("raise ")
        cell.source = head + ANSWERS[error.split('"')[1].split()[0].split(".")[-1]]
    assert ["1 passed" in said for said in run(notebook, elsewhere)] == [True, True]
    assert (elsewhere / "snippets/part/s.py").read_text() == SNIPPET
    exercised(notebook)[0].source += " + 1"
    assert ["1 failed" in said for said in run(notebook, elsewhere)] == [True, False]


def test_a_page_without_its_exercises_has_the_rest(root):
    assert without(PAGE).endswith("```\n\n## Follow-ups\n\nText.\n")
    assert without(PAGE.replace("yourself\n", "yourself\n\nWords.\n")).count("## Write it yourself\n\nWords.\n") == 1
    assert len(of_page(PAGE, "part/page", root)) == 2


@pytest.mark.parametrize("exercise", of_guide(), ids=lambda exercise: exercise.name)
def test_a_blank_cell_imports_all_that_the_heart_of_an_exercise_uses(exercise):
    parts, names = cut(exercise), {}
    stub, heart = (textwrap.indent(textwrap.dedent(text), "    ") for text in (parts.stub, parts.heart))
    blank = cells(exercise)[1].source + "\n"
    assert stub in blank
    exec(blank.replace(stub, heart), names)
    used = dis.get_instructions(names[exercise.name.rpartition("-")[2]])
    assert {step.argval for step in used if step.opname == "LOAD_GLOBAL"} <= names.keys() | set(dir(builtins))


def test_an_exercise_on_its_page_has_an_address_and_says_how_to_begin():
    html = (
        '<details class="exercise Scale-by">\n<summary>S, 2 min</summary>\n<p>T</p>\n</details>\n'
        '<details class="hint">\n<summary>the idea</summary>\n<p>H</p>\n</details>'
    )
    soup = BeautifulSoup(mark(html, "part/page/"), "html.parser")
    exercise, hint = soup.find_all("details")
    assert (exercise["class"], exercise["id"]) == (["exercise"], "write-Scale-by")
    assert exercise.find_all("p")[-1].code.string == "make exercise P=Scale-by"
    assert exercise.a["href"] == "../../get-the-code/#exercises"
    assert hint.summary.string == "Hint: the idea"
