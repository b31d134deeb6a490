import pytest

from tools.guards import claims, pages
from tools.guards.fences import ROOT, fences

OWN = "modeling/choosing"


@pytest.fixture(autouse=True)
def declared(monkeypatch):
    found = {
        OWN: {"models": "experiment", "trees_win": "claim", "ties_tie": "claim", "alone": "claim"},
        "labs/lessons": {"freshness": "claim"},
    }
    monkeypatch.setattr(claims, "declared", lambda: found)


def faults(text, page="modeling/choosing.md"):
    return list(claims.check(ROOT / "docs" / page, text, fences(text)))


def drawn(function, *names):
    named = ", ".join(f'"{name}"' for name in names)
    return f'```python exec="on" html="on"\nfrom figures.claims import {function}\n\nprint({function}({named}))\n```\n'


SHOWN = drawn("evidence", f"{OWN}/trees_win", f"{OWN}/ties_tie") + "[so](../claims.md#modeling-choosing-alone)\n"


def test_a_page_that_shows_or_links_all_of_its_claims_passes():
    assert faults(SHOWN + drawn("table", f"{OWN}/models")) == []
    assert faults("See [it](../claims.md#labs-lessons-freshness).", "modeling/other.md") == []


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        (SHOWN.replace("alone", "other"), 1, "the claim modeling/choosing/alone is not on its page"),
        (SHOWN.replace("alone", "other"), 6, "there is no claim #modeling-choosing-other"),
        (SHOWN + drawn("evidence", "labs/lessons/freshness"), 7, "is about another page: evidence stands on its own"),
        (SHOWN + drawn("evidence", f"{OWN}/trees_lose"), 7, "declares no claim 'trees_lose'"),
        (SHOWN + drawn("evidence", f"{OWN}/models"), 7, "declares no claim 'models'"),
        (SHOWN + drawn("table", f"{OWN}/tables"), 7, "declares no experiment 'tables'"),
    ],
)
def test_evidence_that_leads_nowhere_or_is_left_out_is_refused(text, line, fault):
    assert [what for number, what in faults(text) if number == line and fault in what]


@pytest.mark.parametrize(
    ("call", "good"),
    [
        ('print(evidence("modeling/choosing/a"))', True),
        ('print(evidence("modeling/choosing/a", "modeling/choosing/b"))', True),
        ('print(\n    evidence(\n        "modeling/choosing/a",\n        "modeling/choosing/b",\n    )\n)', True),
        ("print(evidence())", True),
        ('print(evidence("a", 1))', False),
        ('print(evidence("a" + "b"))', False),
        ("print(evidence(open('x')))", False),
        ('print(evidence("a")); print(1)', False),
        ('print(other("a"))', False),
    ],
)
def test_a_figure_takes_names_and_nothing_else(tmp_path, call, good):
    path = tmp_path / "page.md"
    path.write_text(f'# A page\n\n```python exec="on" html="on"\nfrom figures.claims import evidence\n\n{call}\n```\n')
    assert any("a figure is" in fault for fault in pages.check_page(path)) is not good


CARD = '??? card late-clicks "Which?"\n\n    The trees are closer to the truth here.{}\n'


@pytest.mark.parametrize(
    "ground",
    [
        " ([replicated](../claims.md#modeling-choosing-trees-win))",
        " [He et al. (2014)](../references.md#he-2014)",
        " [Defined](../glossary.md#calibration) so.",
        " *Advice.*",
    ],
)
def test_a_card_says_what_it_rests_on(ground):
    page = ROOT / "docs/modeling/choosing.md"
    assert claims.check_grounds(page, "card", CARD.format(ground)) is None
    assert "this right rests on nothing" in claims.check_grounds(page, "right", CARD.format(""))
    assert claims.check_grounds(page, "wrong", CARD.format("")) is None
    assert claims.check_grounds(page, "question", CARD.format("")) is None
    assert "this card rests on nothing" in claims.check_grounds(page, "card", CARD.format(" [x](../references.md)"))
    assert "this card rests on nothing" in claims.check_grounds(page, "card", CARD.format(" `*Advice.*`"))


@pytest.mark.parametrize("before", ["    ", "> ", "1. ", "- ", "  "])
@pytest.mark.parametrize("kind", ["???", "???+", "!!!"])
def test_a_card_that_no_check_would_find_is_refused(before, kind):
    page = ROOT / "docs/modeling/choosing.md"
    text = f'{before}{kind} card "Which?"\n'
    assert [what for _, what in pages._check_answers(page, text, []) if "stands in no list or quotation" in what]


def test_a_card_is_a_folded_block_and_written_small():
    page = ROOT / "docs/modeling/choosing.md"
    for text, said in [('!!! card "Which?"', "begins its line with ???"), ('??? Card "Which?"', "is written small")]:
        assert said in " ".join(what for _, what in pages._check_answers(page, text + "\n\n    The trees are.\n", []))
    assert list(pages._check_answers(page, '!!! note "Licence"\n', [])) == []


def test_a_page_that_fits_on_the_position_says_what_it_sends_at_serving():
    page = ROOT / "docs/modeling/choosing.md"
    block = '```python\nX = log[["position"]]\nmodel.fit(X, y)\n```\n'
    link = "[one value](../training-data/bias.md#position-at-serving)\n"
    for text, expected in [(block, 1), (block + link, 0), (block.replace("position", "hour"), 0)]:
        assert len(list(claims.check_position(page, text, fences(text)))) == expected
    for other in ("model.partial_fit(X, y)", "model.fit_predict(X)", "model.fit_transform(X, y)"):
        text = block.replace("model.fit(X, y)", other).replace('[["position"]]', ".position")
        assert len(list(claims.check_position(page, text, fences(text)))) == 1
    counted = block.replace("model.fit(X, y)", "X.mean()")
    assert list(claims.check_position(page, counted, fences(counted))) == []
