import re
from itertools import accumulate

import pytest
from bs4 import BeautifulSoup

from claims import record
from claims.claim import above, between, claim, experiment
from figures import claims as figures


def made(holds, says="holds", **options):
    @claim("A sentence with < in it.", holds=holds, says=says, twin={"effect": 0.0}, **options)
    def effect_is_there(seed, *, effect=1.0):
        return effect

    return effect_is_there


RUNS = {"{}": [0.1, 0.3] * 5, '{"effect": 0.0}': [-0.1, 0.1] * 3, '{"effect": 2.0}': [0.3, -0.1] * 5}


@pytest.fixture
def drawn(monkeypatch):
    def draw(c, function, *names):
        monkeypatch.setattr(record, "claims", lambda: {c.id: c})
        monkeypatch.setattr(record, "experiments", lambda: {c.experiment.id: c.experiment})
        monkeypatch.setattr(figures, "_known", lambda: {c.id: {"runs": RUNS, "seconds": 30.0}})
        return BeautifulSoup(function(*names or (c.id,)), "html.parser")

    return draw


@pytest.mark.parametrize(
    ("c", "verdict", "size"),
    [
        (made(above(0)), "Held in 10 of 10 runs.", "+0.20 ± 0.11"),
        (
            made(above(0.11), percent=True, unit="of the gap"),
            "Held by the mean, and in 5 of 10 runs.",
            "20 ± 11 % of the gap",
        ),
        (made(between(0.3, 0.5), says="fails"), "Failed: between 0.3 and 0.5 in 0 of 10 runs.", "0.20 ± 0.11"),
        (
            made(above(0), worlds={"default": {}, "large": {"effect": 2.0}}, says="varies"),
            "It depends: above 0 in 15 of 20 runs in 2 worlds.",
            "+0.20 ± 0.11",
        ),
        (made(above(0.2), says="varies"), "Undecided: above 0.2 in 5 of 10 runs.", "0.20 ± 0.11"),
    ],
)
def test_a_strip_says_sentence_verdict_and_size(drawn, c, verdict, size):
    soup = drawn(c, figures.evidence)
    box = soup.select_one("figure.plot.evidence > div.claim")
    assert box["class"] == ["claim", c.says]
    assert box.p.text == "A sentence with < in it."
    assert box.strong.text == verdict
    assert size in box.text
    section = c.page.split("/")[0].replace("_", "-")
    assert box.a["href"] == f"{'../' * (c.page.count('/') + 1)}claims/{section}/#{c.anchor}"
    drawn(c, figures.evidence)
    at_home = BeautifulSoup(figures.evidence(c.id, at_home=True), "html.parser")
    assert at_home.a["href"] == f"claims/{section}/#{c.anchor}"


@pytest.mark.parametrize(
    ("limit", "says", "verdict"), [(0, "holds", ""), (0.5, "fails", "Failed"), (0.2, "varies", "Undecided")]
)
def test_what_did_not_hold_is_listed_with_a_link_to_its_runs(drawn, limit, says, verdict):
    c = made(above(limit), says=says)
    soup = drawn(c, lambda *_: figures.exceptions())
    told = [(item.text.partition(":")[0], item.a["href"]) for item in soup.select("li")]
    assert told == [(verdict, f"#{c.anchor}")] * bool(verdict)


def test_each_run_is_a_tick_and_the_region_is_shaded(drawn):
    svg = drawn(made(between(0, 0.2)), figures.evidence).svg
    ticks = list(accumulate(int(x) for x in re.findall(r"[Mm](\d+)[ -]", svg.path["d"])))
    left, width = float(svg.rect["x"]), float(svg.rect["width"])
    assert svg["aria-label"].startswith("10 runs from 0.1 to 0.3")
    assert len(ticks) == 2  # those at one place are one
    assert left < min(ticks) < left + width < max(ticks)  # 0.1 lies inside, 0.3 outside
    assert (min(ticks) - left) / width == pytest.approx(0.5, abs=0.01)
    assert svg["aria-label"] == "10 runs from 0.1 to 0.3; the sentence needs a mean between 0 and 0.2"


@pytest.fixture
def many(tmp_path, monkeypatch):
    """A claim about two worlds, whose page has a heading, and the name of its section."""
    monkeypatch.setattr(figures, "DOCS", tmp_path)
    c = made(above(0), worlds={"default": {}, "large": {"effect": 2.0}}, says="varies")
    page = tmp_path / f"{c.page.replace('_', '-')}.md"
    page.parent.mkdir()
    page.write_text("---\ntitle: Short\n---\n\n# Its <title>, A/B\n\n# Not this\n", encoding="utf-8")
    return c, c.page.split("/")[0].replace("_", "-")


def test_the_list_of_all_says_each_verdict_and_leads_to_the_runs(drawn, many):
    c, section = many
    soup = drawn(c, figures.listed, section)
    box = soup.select_one("figure.evidence:not(.runs) > div.claim")
    assert (box["id"], box["class"]) == (c.anchor, ["claim", "varies"])
    assert [p.get_text() for p in box.select("p")] == [
        "A sentence with < in it.",
        "It depends: above 0 in 15 of 20 runs in 2 worlds. It needs a mean above 0. 3 worlds, run by run",
    ]
    assert box.a["href"] == f"{section}/#{c.anchor}"
    assert soup.select("table, svg") == []  # they are two thirds of what the page would weigh
    heading = soup.select_one("h3 > a")
    assert (heading.text, heading["href"].startswith("../")) == ("Its <title>, A/B", True)
    assert drawn(c, figures.listed, "elsewhere").select("div.claim") == []


def test_the_runs_are_shown_in_each_world_and_the_planted_one(drawn, many):
    c, section = many
    soup = drawn(c, figures.run_by_run, section)
    box = soup.select_one("figure.evidence.runs > div.claim")
    assert box["id"] == c.anchor
    assert box.p.text == "A sentence with < in it."
    assert box.strong.text == "It depends: above 0 in 15 of 20 runs in 2 worlds."
    heading = soup.select_one("h2 > a")
    assert (heading.text, heading["href"].startswith("../../")) == ("Its <title>, A/B", True)
    rows = [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in soup.select("tbody tr")]
    assert [(row[0], row[3]) for row in rows] == [
        ("default", "10 of 10"),
        ("large: effect = 2.0", "5 of 10"),
        ("planted, where it is false: effect = 0.0", "3 of 6"),
    ]
    assert [svg["aria-label"].split(" from ")[0] for svg in soup.select("td > svg.ticks")] == [
        "10 runs",
        "10 runs",
        "6 runs",
    ]
    assert drawn(c, figures.run_by_run, "elsewhere").select("div.claim") == []


def test_the_total_counts_claims_runs_and_minutes(drawn):
    c = made(above(0))
    drawn(c, figures.evidence)
    said = BeautifulSoup(figures.total(), "html.parser").get_text()
    assert "1 claims: 1 held, 0 depend on the log or are undecided, 0 failed. 26 runs, 13 minutes of one core." in said


def test_a_lab_is_listed_by_its_heading_and_not_by_its_front_matter():
    assert "The leakage clinic</a>" in figures.listed("labs")


def test_a_table_shows_means_with_their_errors_and_calls_a_tie_a_tie(monkeypatch):
    @experiment(best=min)
    def models(seed):
        return {}

    results = [
        {"constant": 1.0 + noise, "linear": 0.91 + noise, "trees": 0.9 + noise + twist}
        for noise, twist in [(0.0, 0.0), (0.2, 0.03), (-0.2, 0.01), (0.1, -0.02)]
    ]
    monkeypatch.setattr(record, "experiments", lambda: {models.id: models})
    monkeypatch.setattr(record, "results", lambda *given: results)
    monkeypatch.setattr(figures, "_known", dict)
    soup = BeautifulSoup(figures.table(models.id), "html.parser")
    assert [head.text for head in soup.select("th")] == ["4 runs", "Mean ± standard error", "Difference from the best"]
    assert [[cell.text for cell in row.select("td")] for row in soup.select("tbody tr")] == [
        ["constant", "1.025 ± 0.085", "0.095 ± 0.010"],
        ["linear", "0.935 ± 0.085", "0.005 ± 0.010, a tie"],
        ["trees", "0.930 ± 0.087", "the best"],
    ]


def test_what_is_drawn_is_safe_inside_markdown():
    for c in record.claims().values():
        section = c.page.split("/")[0].replace("_", "-")
        for html in (figures.evidence(c.id), figures.listed(section), figures.run_by_run(section), figures.total()):
            assert "\n\n" not in html
            assert not re.search(r"^(    |\t)", html, re.MULTILINE)
            assert "style=" not in html
