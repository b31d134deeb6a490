"""The page of the proof says what the proof says."""

import pytest
from bs4 import BeautifulSoup

from tools.guards.proof_page import KINDS, SECTIONS, TRIED, fill

PROOF = {
    "commit": "0123456789abcdef",
    "clean": True,
    "date": "2026-01-02",
    "totals": {"run": 1200, "shown": 3},
    "claims": {
        "evaluation/drift/a": {"verdict": "holds", "held": 9, "runs": 10},
        "evaluation/drift/b": {"verdict": "fails", "held": 0, "runs": 10},
        "training_data/labels/c": {"verdict": "holds", "held": 9, "runs": 10},
    },
    "pages": {
        "evaluation/drift/": [{"kind": "run"}, {"kind": "run"}, {"kind": "shown"}],
        "labs/a/": [{"kind": "cell"}],
    },
}
NAMED = {"evaluation/drift/": ("Drift &amp; more", 2), "labs/a/": ("A", 0)}
PLACES = '<div class="proof-summary"></div><div class="proof-pages"></div>'


def tables(proof=PROOF):
    found = BeautifulSoup(fill(PLACES, proof, NAMED), "html.parser").find_all("table")
    return [[[cell.text for cell in row.find_all(["th", "td"])] for row in table.find_all("tr")] for table in found]


def test_it_names_the_commit_and_the_totals():
    facts = dict(tables()[0])

    def rows_of(number):
        return [words for name, words in tables()[0] if name == number]

    assert facts["Commit"] == "0123456789ab of 2026-01-02"
    assert facts["1,200"] == KINDS["run"]
    assert rows_of("3") == [KINDS["shown"], TRIED]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"clean": False}, "0123456789ab of 2026-01-02 with changes that are not committed"),
        ({"commit": None, "clean": None, "date": None}, "not known"),
    ],
)
def test_it_says_what_is_not_certain(said, words):
    assert tables(PROOF | said)[0][0] == ["Commit", words]


def test_it_counts_the_verdicts_by_section():
    head, *rows = tables()[1]
    assert head == ["Claims on fresh logs", "Held", "Failed"]
    counted = {row[0]: row[1:] for row in rows}
    assert counted["Evaluation & Deployment"] == ["1", "1"]
    assert counted["Training Data"] == ["1", "0"]
    assert counted["All of them"] == ["2", "1"]
    assert set(SECTIONS.values()) < set(counted)


@pytest.mark.parametrize("claim", [{"elsewhere/a": {"verdict": "holds"}}, {"labs/a": {"verdict": "new"}}])
def test_no_claim_is_left_out(claim):
    with pytest.raises(ValueError, match="belongs to no section"):
        fill(PLACES, PROOF | {"claims": claim}, NAMED)


def test_it_counts_what_each_page_shows():
    assert tables()[2][1:] == [["Drift & more", "2", "1", "0", "2"], ["A", "1", "0", "0", "0"]]


def test_without_its_places_a_page_stays():
    assert fill("<p>x</p>", PROOF, NAMED) == "<p>x</p>"
