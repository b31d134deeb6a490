"""The entrance holds every point of the interview, with minutes that add up, and no dead link."""

import re

import pytest
from bs4 import BeautifulSoup
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import yaml_load

from tools.builders.hooks import phase_bar, phases
from tools.guards.fences import ROOT
from tools.guards.settings import navigation

ENTRANCE = (ROOT / "docs/index.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## ([^*\n]+?) \*(\d+) min\* \{[^}\n]+\}\n(.*?)(?=^</div>)", ENTRANCE, re.MULTILINE | re.DOTALL)
ORDER = ["Problem Navigation", "Training Data", "Feature Engineering", "Modeling", "Evaluation & Deployment"]


def points(body):
    """Return each point of a section with its minutes."""
    lines = [line for line in body.split("\n") if line.startswith("- ")]
    return [(line, int(re.search(r"\*(\d+) min\*$", line)[1])) for line in lines]


def test_the_sections_stand_in_the_order_of_the_interview():
    assert [name for name, _, _ in SECTIONS] == ORDER


def test_the_bar_of_phases_names_them_leads_to_them_and_is_as_long_as_their_minutes():
    known = phases(ENTRANCE)
    bar = BeautifulSoup(phase_bar(known), "html.parser").select(".phases--full a")
    assert [link.span.text for link in bar] == ORDER
    assert [f"./{link['href']}" for link in bar] == [phase["url"] for phase in known]
    tokens = (ROOT / "docs/assets/css/tokens.css").read_text(encoding="utf-8")
    proportions = re.findall(r"(\d+)fr", re.search(r"--phases: (.+);", tokens)[1])
    assert [phase["minutes"] for phase in known] == [int(part) for part in proportions]
    assert [phase["end"] for phase in known][-1] == 45
    styles = (ROOT / "docs/assets/css/site.css").read_text(encoding="utf-8")
    starts = re.findall(r'\.phases--full > \.p\d::after \{ content: "(\d+)"', styles)
    assert [phase["start"] for phase in known] == [int(start) for start in starts]


def test_the_minutes_add_up():
    for name, minutes, body in SECTIONS:
        assert sum(m for _, m in points(body)) == int(minutes), name
    assert sum(int(minutes) for _, minutes, _ in SECTIONS) == 45


def test_each_point_has_a_page_with_its_minutes():
    for _, _, body in SECTIONS:
        for line, minutes in points(body):
            pages = re.findall(r"\]\(([\w/-]+\.md)\)", line)
            assert pages, line
            for page in pages:
                _, meta = get_data((ROOT / "docs" / page).read_text(encoding="utf-8"))
                assert meta["minutes"] == minutes, line


def test_a_page_behind_a_point_takes_no_minutes_of_its_own():
    for _, _, body in SECTIONS:
        for page in re.findall(r"\]\(([\w/-]+\.md)\)", "\n".join(re.findall(r"^ +- .*$", body, re.MULTILINE))):
            _, meta = get_data((ROOT / "docs" / page).read_text(encoding="utf-8"))
            assert meta["minutes"] == 0, page


def test_each_page_of_a_section_is_a_point_of_it():
    linked = set(re.findall(r"\]\(([\w/-]+\.md)\)", ENTRANCE))
    wanted = {name for name in read() if name.endswith(".md")} - {"index.md"}
    assert sorted(wanted - linked) == [], "docs/index.md links to each page"
    assert sorted(linked - wanted) == [], "docs/index.md links to what is no page"


def test_what_shows_on_hover_stands_in_the_glossary():
    terms = re.findall(r"^\*\[(.+?)\]:", (ROOT / "includes/abbreviations.md").read_text(encoding="utf-8"), re.MULTILINE)
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    defined = " ".join(re.findall(r"^(.+)\n: ", glossary, re.MULTILINE))
    assert [term for term in terms if not re.search(rf"\b{term}\b", defined)] == []


def test_each_term_of_the_glossary_leads_to_a_page_and_stands_in_order():
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    for section in glossary.split("\n## ")[1:]:
        entries = re.findall(r"^(\S.*)\n: +(.*(?:\n    .*)*)", section, re.MULTILINE)
        assert [term for term, text in entries if ".md)" not in text] == []
        names = [term.lower() for term, _ in entries]
        assert names == sorted(names)


def pages():
    """Return every page and every lab, by its path below docs/."""
    return {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*") if p.suffix in (".md", ".py")}


def read():
    """Return those that one reads: the runs of the claims are looked up from the page of all claims."""
    return {name for name in pages() if not name.startswith("claims/")}


def assert_each_once(file, named, wanted):
    """Say which pages a file should name and does not, and which it names twice or should not."""
    assert sorted(wanted - set(named)) == [], f"{file} lacks these pages"
    assert sorted(name for name in set(named) if named.count(name) > (name in wanted)) == [], f"too many in {file}"


def test_the_study_plans_name_each_page_once_but_for_the_evening_and_the_plan_of_its_own():
    study = (ROOT / "docs/study.md").read_text(encoding="utf-8")
    evening, day, week, two_weeks, rest = (
        re.findall(r"^- \[.+?\]\(([\w/-]+\.(?:md|py))(?:#[\w-]+)?\)", part, re.MULTILINE)
        for part in re.split(r"^## (?:One day|One week|Two weeks|Three weeks)$", study, flags=re.MULTILINE)
    )
    named = day + week + rest
    assert evening
    assert set(evening) <= set(day)
    assert set(two_weeks) < set(named)
    assert {page for page in two_weeks if two_weeks.count(page) > 1} == {"practice/mock-interview.md"}
    assert_each_once("docs/study.md", named, read() - {"index.md", "study.md"})


def test_the_navigation_names_each_page_once():
    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as file:
        _, named = navigation(yaml_load(file)["nav"])
    assert_each_once("nav in mkdocs.yml", named, pages())


@pytest.mark.parametrize("named", [[], ["a.md", "a.md"], ["a.md", "b.md"]])
def test_a_page_too_few_or_too_many_is_named(named):
    with pytest.raises(AssertionError, match=r"^(x lacks these pages|too many in x)"):
        assert_each_once("x", named, {"a.md"})


@pytest.mark.parametrize("name", ["glossary", "references", "study"])
def test_a_page_is_called_by_a_name_that_it_bears(name):
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    strangers = []
    for words, page in re.findall(r"\[([^\]]+)\]\(([\w/-]+\.md)[^)]*\)", text):
        heads = re.findall(r"^(?:title:|##?) (.+)$", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE)
        titles = [t.lower() for t in (*heads, *re.findall(rf"- (.+): {re.escape(page)}$", nav, re.MULTILINE))]
        called = " ".join(words.lower().split())
        names = {called, re.sub(r"^(?:.*: |a |the )", "", called)} - {""}
        bears = any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", title) for name in names for title in titles)
        if called != "its page" and not bears:
            strangers.append((words, page))
    assert strangers == []
