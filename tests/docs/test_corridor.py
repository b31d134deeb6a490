"""One corridor: a page names the snippets that it shows, and each of them has a test at the mirrored path."""

import ast
import io
import re
import sys
import tokenize
import unicodedata
from calendar import month_name
from functools import cache

import pytest
from bs4 import BeautifulSoup
from mkdocs.utils.meta import get_data

from tools.guards.fences import ROOT, SHOWN, fences, prose
from tools.guards.numbers import NAMES, numbers, sentences
from tools.guards.pages import INCLUDE

SNIPPETS = [p for p in sorted((ROOT / "snippets").rglob("*.py")) if p.name != "__init__.py"]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
ALLOWED = {"numpy", "pandas", "scipy", "sklearn", "duckdb"}
# Imported where an engine is started, so that the rest of such a snippet works without.
ENGINES = {"pyarrow", "pyspark", "pysail", "nats"}
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
    if page.name != "get-the-code.md":  # which shows how any is copied
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
    assert imported - set(sys.stdlib_module_names) <= ALLOWED | (ENGINES if snippet.parent.name == "scale" else set())


def test_tests_and_snippets_mirror_each_other():
    tests = {p.relative_to(ROOT / "tests") for p in (ROOT / "tests").glob("*/test_*.py")}
    mirrored = {t.parent / t.name.removeprefix("test_") for t in tests if t.parts[0] not in OURS}
    assert mirrored == {p.relative_to(ROOT / "snippets") for p in SNIPPETS}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_citation_is_in_the_references(page):
    anchors = set(re.findall(r"\{ ?#([\w-]+) ?\}", (ROOT / "docs/references.md").read_text(encoding="utf-8")))
    cited = set(re.findall(r"references\.md#([\w-]+)", page.read_text(encoding="utf-8")))
    assert sorted(cited - anchors) == [], "docs/references.md has no entry with this anchor"


HEADING = re.compile(r"^## (.+) \{#([\w-]+)\}$", re.MULTILINE)


@cache
def references():
    """Return the text of each entry by its anchor."""
    parts = HEADING.split((ROOT / "docs/references.md").read_text(encoding="utf-8"))
    return dict(zip(parts[2::3], parts[3::3], strict=True))


def pages_of(entry):
    """Return the pages that an entry names."""
    return set(re.findall(r"\]\(([\w/-]+\.(?:md|py))\)", entry))


def test_each_paper_names_the_pages_that_cite_it():
    named = {anchor: pages_of(text) for anchor, text in references().items()}
    pages = [p for p in (ROOT / "docs").rglob("*") if p.suffix in (".md", ".py") and p.stem != "references"]
    cited = {anchor: set() for anchor in named}
    for page in pages:
        for anchor in re.findall(r"references\.md#([\w-]+)", page.read_text(encoding="utf-8")):
            cited.setdefault(anchor, set()).add(page.relative_to(ROOT / "docs").as_posix())
    missing = {anchor: cited[anchor] - names for anchor, names in named.items() if cited[anchor] - names}
    assert missing == {}, "docs/references.md: 'Used in' of each entry names the pages that cite it"


# An author or several, and a year: "Sun & Xu 2014", "Deng et al. 2018".
CITATION = re.compile(r"((?:[A-Z][\w'-]+(?:,? (?:& |and )?| et al\. ))+)((?:18|19|20)\d\d)\b(?!-)")


def said(code):
    """Return what a file says in docstrings and comments, each on one line."""
    tree = ast.parse(code)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    yield from (ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented))
    yield from (t.string for t in tokenize.generate_tokens(io.StringIO(code).readline) if t.type == tokenize.COMMENT)


def citations(code):
    """Return the authors, one of whom an entry is called by, and the year of each paper that a file cites."""
    for text in said(code):
        for authors, year in CITATION.findall(" ".join(text.split())):
            if authors.split()[-1] not in month_name:
                parts = re.split(r",| & | and |et al\. ", f"{authors} ")
                yield [part.strip() for part in parts if part.strip()], year


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('"""As Sun & Xu\n2014, KDD, and Deng et al. 2018"""', [(["As Sun", "Xu"], "2014"), (["KDD", "Deng"], "2018")]),
        ('def f():\n    """Fleiss, Levin and Paik 2003: x."""', [(["Fleiss", "Levin", "Paik"], "2003")]),
        ("size: int  # rows that tell as much (Kish 1965)", [(["Kish"], "1965")]),
        ('"""Ferrari Dacrema et al. 2019."""', [(["Ferrari Dacrema"], "2019")]),
        ('"""Of 24 to 30 November 2019, on Kaggle in 2018, from 2019-11-24."""', []),
        ('url = "Robbins 1970"', []),
    ],
)
def test_a_citation_is_found_in_docstrings_and_comments(code, found):
    assert list(citations(code)) == found


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda p: str(p.relative_to(ROOT)))
def test_each_paper_in_a_docstring_has_an_entry_that_names_its_page(snippet):
    text = (ROOT / "docs/references.md").read_text(encoding="utf-8")
    entries = {heading: pages_of(references()[anchor]) for heading, anchor in HEADING.findall(text)}
    name = snippet.relative_to(ROOT).as_posix()
    showing = {page.relative_to(ROOT / "docs").as_posix() for page in PAGES if name in shown_by(page)}
    for authors, year in citations(snippet.read_text(encoding="utf-8")):
        wanted = re.compile(rf"(?:{'|'.join(authors)})\b.*\b{year}\b")
        used = [pages for heading, pages in entries.items() if wanted.match(heading)]
        assert used, f"docs/references.md has no entry of {authors}, {year}"
        assert set().union(*used) & showing, f"docs/references.md: {authors}, {year}, are used in {sorted(showing)}"


def test_the_entries_stand_in_order():
    text = (ROOT / "docs/references.md").read_text(encoding="utf-8")
    headings = [unicodedata.normalize("NFKD", heading).casefold() for heading, _ in HEADING.findall(text)]
    assert headings == sorted(headings)


CHECKED = re.compile(r"\*\*Checked:\*\* (read|abstract|second hand|title)[,;:.]")


def test_each_entry_says_what_to_take_from_it_how_it_was_checked_and_where_it_is_used():
    texts = {anchor: " ".join(text.split()) for anchor, text in references().items()}
    wanted = rf": .+ \*\*Take:\*\* .+ {CHECKED.pattern}.* Used in \["
    assert [a for a, text in texts.items() if not re.search(wanted, text)] == []


def figures(text):
    """Return the numbers of a sentence but for those of a definition, 0 and 1, and for the place in a source."""
    found = numbers(re.sub(r"\balgorithms? \d+", " ", NAMES.sub(" ", text)))
    return [number.words for number in found if number.words not in ("0", "1")]


def test_a_figure_is_no_definition_and_no_place():
    text = "He et al. (2014), equation 1 and algorithm 3: 1 for a click, 0 for none, half of 5.2 % twice as often"
    assert figures(text) == ["half", "5.2 %", "twice"]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_figure_is_cited_from_what_was_read(page):
    if page.stem == "references":
        return
    checked = {anchor: CHECKED.search(" ".join(text.split())) for anchor, text in references().items()}
    unread = {anchor for anchor, how in checked.items() if not how or how[1] in ("second hand", "title")}
    faults = []
    for sentence in sentences(BeautifulSoup(prose(page.read_text(encoding="utf-8")), "html.parser")):
        cited = {link.partition("#")[2] for link in sentence.links if "references.md#" in link}
        if cited and cited <= unread and not sentence.given and figures(sentence.text):
            faults.append(sentence.text)
    assert faults == [], "what was not read, or not beyond its title, is cited for no number"
