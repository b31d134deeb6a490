"""Each claim stands on the page of all claims, and each of its runs on that of its section."""

import json
import re
from itertools import accumulate
from urllib.parse import urljoin

import pytest

from claims import record
from tests.site.conftest import SITE, new_view, soup, wait_for
from tools.builders.search import TEXTS, TITLES

CLAIMS, KNOWN = "claims/", record.load()
SECTIONS = sorted({claim.page.split("/")[0].replace("_", "-") for claim in record.claims().values()})


def section(claim):
    return claim.page.split("/")[0].replace("_", "-")


def boxes(url):
    """Return what a page says of each claim, by its anchor."""
    return {box["id"]: box for box in soup(url).select("div.claim[id]")}


def text(tag):
    return " ".join(tag.get_text().split())


def test_each_claim_has_its_sentence_its_verdict_and_a_link_to_its_runs_where_links_lead():
    shown = boxes(CLAIMS)
    assert list(shown) == [c.anchor for name in ordered() for c in record.claims().values() if section(c) == name]
    for c in record.claims().values():
        box = shown[c.anchor]
        assert text(box.p) == " ".join(c.sentence.split())
        assert box["class"] == ["claim", c.says]
        link = box.select_one("p + p > a")
        assert link["href"] == f"{section(c)}/#{c.anchor}"
        assert link.text == f"{len(c.experiment.worlds) + 1} worlds, run by run"


def ordered():
    """Return the sections in the order of the page of all claims."""
    links = (link["href"] for link in soup(CLAIMS).select("#run-by-run + p a"))
    return [href.removesuffix("/") for href in links]


def test_the_page_of_all_claims_leads_to_each_page_of_runs():
    assert sorted(ordered()) == SECTIONS
    assert sorted(p.parent.name for p in (SITE / CLAIMS).glob("*/index.html")) == SECTIONS


@pytest.mark.parametrize("name", SECTIONS)
def test_no_claim_lost_a_run(name):
    mine = [c for c in record.claims().values() if section(c) == name]
    shown = boxes(f"{CLAIMS}{name}/")
    assert list(shown) == [c.anchor for c in mine]
    for c in mine:
        box = shown[c.anchor]
        assert text(box.p) == text(boxes(CLAIMS)[c.anchor].p)
        assert text(box.strong) == text(boxes(CLAIMS)[c.anchor].strong)
        wanted = [*record.contrasts(c, KNOWN).values(), record.twin(c, KNOWN)]
        rows = box.select("tbody tr")
        assert len(rows) == len(wanted) > 1, c.id
        for row, values in zip(rows, wanted, strict=True):
            held = sum(v in c.holds for v in values)
            assert text(row.select("td")[-1]) == f"{held} of {len(values)}", c.id
            drawing = row.svg
            low, high = min(values), max(values)
            assert drawing["aria-label"] == f"{len(values)} runs from {low:.3g} to {high:.3g}"
            places = list(accumulate(int(x) for x in re.findall(r"[Mm](\d+)[ -]", drawing.path["d"])))
            assert 1 <= len(places) == len(set(places)) <= len(set(values))
            assert 0 <= places[0] <= places[-1] <= 160


def test_what_machines_and_books_read_has_the_runs():
    for name in SECTIONS:
        twin = (SITE / CLAIMS / name / "index.md").read_text(encoding="utf-8")
        rows = soup(f"{CLAIMS}{name}/").select(".claim tbody tr")
        assert len(re.findall(r"\| \d+ runs from \S+ to \S+ \|", twin)) == len(rows) > 10
        assert f"{CLAIMS}{name}/index.md" in (SITE / "llms.txt").read_text(encoding="utf-8")
    everything = (SITE / CLAIMS / "index.md").read_text(encoding="utf-8")
    assert [c.id for c in record.claims().values() if " ".join(c.sentence.split()) not in everything] == []


def test_the_search_finds_each_claim_on_the_page_of_all_and_not_once_more_beside_its_runs():
    titles, texts = (_data(name) for name in (TITLES, TEXTS))
    said = {
        page["url"]: " ".join(part for part, _ in parts)
        for page, parts in zip(titles["pages"], texts, strict=True)
        if page["url"].startswith(CLAIMS)
    }
    assert sorted(said) == sorted([CLAIMS, *(f"{CLAIMS}{name}/" for name in SECTIONS)])
    for c in record.claims().values():
        assert " ".join(c.sentence.split()) in said[CLAIMS], c.id
        assert " ".join(c.sentence.split()) not in said[f"{CLAIMS}{section(c)}/"], c.id


def _data(name):
    return json.loads((SITE / name).read_text(encoding="utf-8").partition(" = ")[2].rstrip(";\n"))


@pytest.mark.parametrize("view", ["desktop-light", "phone-light"])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_link_lands_on_its_claim_and_from_there_on_its_runs(browser, base, view, place):
    links = soup(CLAIMS).select(".claim p + p > a")
    href = links[{"first": 0, "middle": len(links) // 2, "last": -1}[place]]["href"]
    anchor = href.partition("#")[2]
    page = new_view(browser, view)
    top = f"document.getElementById('{anchor}').getBoundingClientRect().top"
    for url in (f"{CLAIMS}#{anchor}", urljoin(CLAIMS, href)):
        page.goto(base + url, wait_until="networkidle")
        wait_for(page, f"{top} >= 40 && {top} <= 760")  # below the header, and in view
        assert page.locator(f"#{anchor}").is_visible()
    assert page.locator(f"#{anchor} tbody tr").last.is_visible()
    page.context.close()
