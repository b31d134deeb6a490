"""One corridor: a page names the snippets that it shows, and each of them has a test at the mirrored path."""

import ast
import re
import sys
from functools import cache

import pytest
from mkdocs.utils.meta import get_data

from tools.guards.fences import ROOT, fences
from tools.guards.pages import INCLUDE, SHOWN

SNIPPETS = [p for p in sorted((ROOT / "snippets").rglob("*.py")) if p.name != "__init__.py"]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
ALLOWED = {"numpy", "pandas", "scipy", "sklearn", "duckdb"}
# Tests of the guide itself, not of a snippet.
OURS = ("claims", "docs", "site", "guards", "builders", "loop", "door", "contract")


@cache
def shown_by(page):
    """Return the snippets that a page shows, in order."""
    blocks = fences(page.read_text(encoding="utf-8"))
    return list(dict.fromkeys(INCLUDE.fullmatch(b.code.strip())[1] for b in blocks if b.info == SHOWN))


def home(page):
    """Return the folder below snippets/ that belongs to a page's section."""
    relative = page.relative_to(ROOT / "docs")
    section = relative.parts[0] if len(relative.parts) > 1 else relative.stem
    return f"snippets/{section.replace('-', '_')}/"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_page_names_the_snippets_that_it_shows_all_of_its_own_section(page):
    _, meta = get_data(page.read_text(encoding="utf-8"))
    assert meta.get("snippets", []) == shown_by(page)
    assert [s for s in shown_by(page) if not s.startswith(home(page))] == []


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_snippet_has_its_page_and_its_test(snippet):
    name = snippet.relative_to(ROOT).as_posix()
    assert any(name in shown_by(page) for page in PAGES), f"no page shows {name}"
    relative = snippet.relative_to(ROOT / "snippets")
    assert (ROOT / "tests" / relative.parent / f"test_{relative.name}").is_file()


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_snippet_stands_alone(snippet):
    tree = ast.parse(snippet.read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(node.module.split(".")[0])
    assert imported - set(sys.stdlib_module_names) <= ALLOWED


def test_tests_and_snippets_mirror_each_other():
    tests = {p.relative_to(ROOT / "tests") for p in (ROOT / "tests").glob("*/test_*.py")}
    mirrored = {t.parent / t.name.removeprefix("test_") for t in tests if t.parts[0] not in OURS}
    assert mirrored == {p.relative_to(ROOT / "snippets") for p in SNIPPETS}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_citation_is_in_the_references(page):
    anchors = set(re.findall(r"\{ ?#([\w-]+) ?\}", (ROOT / "docs/references.md").read_text(encoding="utf-8")))
    cited = set(re.findall(r"references\.md#([\w-]+)", page.read_text(encoding="utf-8")))
    assert sorted(cited - anchors) == [], "docs/references.md has no entry with this anchor"


def references():
    """Return the text of each entry by its anchor."""
    parts = re.split(r"^## .*\{#([\w-]+)\}$", (ROOT / "docs/references.md").read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_each_paper_names_the_pages_that_cite_it():
    named = {anchor: set(re.findall(r"\]\(([\w/-]+\.(?:md|py))\)", text)) for anchor, text in references().items()}
    pages = [p for p in (ROOT / "docs").rglob("*") if p.suffix in (".md", ".py") and p.stem != "references"]
    cited = {anchor: set() for anchor in named}
    for page in pages:
        for anchor in re.findall(r"references\.md#([\w-]+)", page.read_text(encoding="utf-8")):
            cited.setdefault(anchor, set()).add(page.relative_to(ROOT / "docs").as_posix())
    missing = {anchor: cited[anchor] - names for anchor, names in named.items() if cited[anchor] - names}
    assert missing == {}, "docs/references.md: 'Used in' of each entry names the pages that cite it"


def test_each_entry_says_what_to_take_from_it_and_where_it_is_used():
    texts = {anchor: " ".join(text.split()) for anchor, text in references().items()}
    assert [a for a, text in texts.items() if not re.search(r": .+ \*\*Take:\*\* .+ Used in \[", text)] == []
