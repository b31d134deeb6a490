"""The notebooks: each says what its page says, in order, and a sample runs far from the guide with the same outputs."""

import functools
import re

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient

from tests.site.conftest import SITE, soup, urls
from tools.builders.exercises import cells
from tools.builders.notebooks import colab
from tools.guards.exercises import of_page
from tools.guards.fences import OUTPUT, ROOT, RUN, fences

NOTEBOOKS = sorted(path.relative_to(SITE / "notebooks").as_posix() for path in SITE.glob("notebooks/**/*.ipynb"))
# Light pages, among them one that reads a data set from its cache.
SAMPLE = ["evaluation/ab-tests.ipynb", "get-the-code.ipynb", "practice/harmful-posts.ipynb"]
WHERE = "import snippets\n\nprint(snippets.__file__)"


@functools.cache
def notebook(name):
    return nbformat.read(SITE / "notebooks" / name, as_version=4)


def code(name):
    """Return the code cells behind the two that set up, and before the exercises."""
    return [cell for cell in notebook(name).cells if cell.cell_type == "code" and "tags" not in cell.metadata][2:]


def exercised(cells):
    return [cell for cell in cells if "tags" in cell.metadata]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def source(name):
    return next(path for suffix in (".md", ".py") if (path := (ROOT / "docs" / name).with_suffix(suffix)).is_file())


def test_each_page_that_runs_code_links_its_notebook():
    linked = [link["href"] for url in urls() for link in soup(url).select('.facts a[download][href$=".ipynb"]')]
    assert sorted(href.partition("notebooks/")[2] for href in linked) == NOTEBOOKS
    pages = [path for path in (ROOT / "docs").rglob("*.md") if path != ROOT / "docs/index.md"]
    labs = [*(ROOT / "docs/labs").glob("*.py")]
    wanted = labs + [path for path in pages if any(b.info == RUN for b in fences(path.read_text(encoding="utf-8")))]
    assert sorted(path.relative_to(ROOT / "docs").with_suffix(".ipynb").as_posix() for path in wanted) == NOTEBOOKS


def test_colab_opens_each_notebook_where_the_repository_is_known_to_be_on_github():
    home = soup("").select_one("a.repository")
    repository = home["href"] if home else ""
    linked = [link["href"] for url in urls() for link in soup(url).select('.facts a[href*="colab"]')]
    wanted = [colab(repository, source(name).relative_to(ROOT / "docs").as_posix()) for name in NOTEBOOKS]
    assert sorted(linked) == sorted(filter(None, wanted))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_well_formed_and_has_the_code_of_its_page_in_order(name):
    nbformat.validate(notebook(name))
    path = source(name)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        wanted = [cell.source for cell in jupytext.reads(text, fmt="py:percent").cells if cell.cell_type == "code"]
        assert [cell.source for cell in code(name)] == wanted
        page = soup(f"{name.removesuffix('.ipynb')}/").article
        shown = len(page.select("div.language-text, figure.plot"))
        assert sum(len(cell.outputs) for cell in code(name)) == shown > 2
        return
    blocks = fences(text)
    assert [cell.source for cell in code(name)] == [b.code.strip("\n") for b in blocks if b.info == RUN]
    outputs = [b.code.strip("\n") for b in blocks if b.info == OUTPUT]
    assert [printed(cell).strip("\n") for cell in code(name) if cell.outputs] == outputs
    assert notebook(name).cells[0].source.startswith("# ")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_ends_with_the_exercises_of_its_page_which_have_not_run(name):
    page = source(name)
    waiting = of_page(page.read_text(encoding="utf-8"), "") if page.suffix == ".md" else []
    ends = exercised(notebook(name).cells)
    assert [cell.source for cell in ends] == [cell.source for each in waiting for cell in cells(each)[1:]]
    assert [cell for cell in ends if cell.outputs or cell.execution_count] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_prose_of_a_notebook_leads_out_and_holds_no_markup_of_the_guide(name):
    prose = "\n".join(cell.source for cell in notebook(name).cells if cell.cell_type == "markdown")
    prose = re.sub(r"\(https://github\.com/[^)]+\)", "", prose)  # a file of another project may be Markdown
    assert not any(
        mark in prose for mark in ("](.", "](/", "](#", ".md)", ".md#", "--8<--", "??? ", "!!! ", "<div", "{ #")
    )
    assert prose.count("<details>") == prose.count("</details>")


def test_the_links_of_the_notebooks_lead_to_pages_and_anchors_of_this_site():
    home = soup("").find("link", rel="canonical")["href"]
    prose = "".join(cell.source for name in NOTEBOOKS for cell in notebook(name).cells if cell.cell_type == "markdown")
    links = {link.partition("#")[::2] for link in re.findall(rf"\]\({re.escape(home)}([^)]*)\)", prose)}
    assert len(links) > 500
    missing = [url for url, _ in links if not (SITE / url).exists()]
    assert missing == []
    assert [(url, anchor) for url, anchor in links if anchor and not soup(url).find(id=anchor)] == []


@pytest.mark.parametrize("name", SAMPLE)
def test_a_notebook_runs_far_from_the_guide_and_prints_what_its_page_shows(name, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.chdir(tmp_path)
    copy = nbformat.read(SITE / "notebooks" / name, as_version=4)
    copy.cells.append(nbformat.v4.new_code_cell(WHERE))
    NotebookClient(copy, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    *ran, where = [cell for cell in copy.cells if cell.cell_type == "code"]
    blank = [printed(cell) for cell in exercised(ran)]
    assert [text.startswith("Still blank") for text in blank] == [False, True] * (len(blank) // 2)
    ran = [cell for cell in ran if "tags" not in cell.metadata]
    assert printed(where).strip() == str(tmp_path / "snippets/__init__.py")
    assert [printed(cell) for cell in ran[:2]] == ["", ""]  # nothing was missing, or another version
    assert [printed(cell) for cell in ran[2:]] == [printed(cell) for cell in code(name)]
    assert [output for cell in ran for output in cell.outputs if output.output_type != "stream"] == []
