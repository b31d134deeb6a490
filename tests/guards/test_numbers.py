import random
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tools.guards import numbers as guard
from tools.guards.fences import ROOT, prose
from tools.guards.numbers import Number, numbers

FRONT = "---\ntitle: A\ndescription: {}\ngiven: [{}]\n---\n\n# A\n\n"
BLOCK = "## Run it\n\n```python\nn = 40_000\nprint(0.6180, 2.5)\n```\n\n"
BLOCK += "```text\nshare 61.8% of 1,234,567, 2.5 times\n```\n\n"


@pytest.fixture
def faults(tmp_path, monkeypatch):
    """Return a function that checks a page, written as a file, beside another that prints 42.5 %."""
    guard.printed.cache_clear()
    (tmp_path / "other.md").write_text("# B\n\n```text\nrose by 42.5%\n```\n", encoding="utf-8")

    def check(text, description="Plain words.", given="", name="page.md"):
        path = tmp_path / name
        path.write_text(FRONT.format(description, given) + text, encoding="utf-8")
        guard.printed.cache_clear()
        return [(line, what.partition(":")[0]) for line, what in guard.check(path, path.read_text(encoding="utf-8"))]

    return check


@pytest.mark.parametrize(
    ("text", "value", "error", "kind"),
    [
        ("86 %", 0.86, 0.005, "share"),
        ("86%", 0.86, 0.005, "share"),
        ("12.50 per cent", 0.125, 0.00005, "share"),
        ("0.0433", 0.0433, 0.00005, ""),
        (".05", 0.05, 0.005, ""),
        ("-3", 3, 0.5, ""),
        ("7", 7, 0.5, ""),
        ("350,000", 350_000, 5_000, ""),
        ("347,222", 347_222, 0.5, ""),
        ("2,000", 2_000, 100, ""),
        ("1.2 million", 1.2e6, 0.05e6, ""),
        ("500M", 5e8, 0.25e8, ""),
        ("2e-5", 2e-5, 0.5e-5, ""),
        ("110 x", 110, 5, "multiple"),
        ("2.1 times", 2.1, 0.05, "multiple"),
        ("half of", 0.5, 0.025, "share"),
        ("about half of", 0.5, 0.05, "share"),
        ("two thirds.", 2 / 3, 1 / 30, "share"),
        ("an hour and a half | and more", 0.5, 0.025, "share"),
        ("a half (of them)", 0.5, 0.025, "share"),
        ("a tenth of", 0.1, 0.005, "share"),
        ("twice as many", 2, 0.2, "multiple"),
        ("doubles", 2, 0.2, "multiple"),
        ("ten times", 10, 1, "multiple"),
        ("sixty per cent", 0.6, 0.03, "share"),
        ("forty-two", 42, 2.1, ""),
        ("a hundred", 100, 5, ""),
        ("forty thousand", 40_000, 2_000, ""),
        ("a hundred million", 1e8, 5e6, ""),
    ],
)
def test_a_number_is_found_with_its_precision(text, value, error, kind):
    (found,) = numbers(f"we saw {text}")
    assert (found.value, found.error) == pytest.approx((value, error))
    assert found.kind == kind


@pytest.mark.parametrize(
    "text",
    ["L2 and F1", "int8", "top-10", "two towers", "score it twice", "thousands of rows", "2.5a", "the second half-day"],
)
def test_a_name_or_a_count_that_one_sees_is_no_number(text):
    assert numbers(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "day 5",
        "days 8 and 9",
        "positions 1 to 3",
        "the 95 % interval",
        "the 99th percentile",
        "in 2024",
        "at 11:30",
        "24 November",
        "2026-11-25",
        "*8 min*",
        "step 3 of the table",
    ],
)
def test_an_ordinal_or_a_date_needs_no_ground(faults, text):
    assert faults(f"It happens {text}.\n") == []


@pytest.mark.parametrize("text", ["day 5 %", "days 1,200", "2024 rows", "95 % of the users", "rows 10,000"])
def test_what_looks_like_an_ordinal_needs_one(faults, text):
    assert len(faults(f"It happens {text}.\n")) == 1


@pytest.mark.parametrize(
    ("written", "printed", "good"),
    [
        ("62 %", "61.8%", True),
        ("62 %", "0.6180", True),
        ("63 %", "61.8%", False),
        ("61.80 %", "61.8%", True),
        ("61.83 %", "61.8%", False),
        ("62 %", "62", False),
        ("62", "62%", False),
        ("1.2 million", "1,234,567", True),
        ("1.3 million", "1,234,567", False),
        ("2.5", "2.5 times", False),
        ("2.5 times", "2.5", False),
        ("about half of", "54%", True),
        ("half of", "54%", False),
        ("1 %", "1", False),
        ("two and a half of", "0.5", True),
    ],
)
def test_a_number_stands_for_what_it_is_rounded_from(written, printed, good):
    (first,), (second,) = numbers(written), numbers(printed)
    assert first.stands_for(second) == good


@pytest.mark.parametrize(
    "text",
    [
        BLOCK + "So 62 % of 1.2 million, which is 2.5 times as many as with 40,000 rows, or 0.618.\n",
        BLOCK + "## Trade-offs\n\nStill 62 %.\n",
        "A share of 43 %, as [there](other.md#b).\n",
        "A share of 43 % ([He et al. 2014](../references.md#he-2014)).\n",
        "A share of 43 %, as [its page](https://example.org) says.\n",
        "As [He et al.](../references.md#he-2014) found.\n\nThe paper gains 3.4 %.\n",
        "As [He et al.](../references.md#he-2014) found.\n\n## Ours\n\nThe paper gains 3.4 %.\n",
        '<div class="prompt" markdown>\n\n"We have 300 million users."\n\n</div>\n\nSo 300 million ask.\n',
        '??? question "What if 30 % leave?"\n\n    Then 30 % are gone, and you say so.\n',
        '??? right "A share of 43 %."\n\n    See [there](other.md).\n',
        '??? wrong "A share of 77 %."\n\n    See [there](other.md).\n',
        "| Weak | Strong |\n|---|---|\n| Alarms at 0.25. | Asks what for. |\n",
        "Where `n = 77` and $x^2 > 13$.\n",
    ],
)
def test_a_grounded_number_passes(faults, text):
    assert faults(text) == []


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        (BLOCK + "So 63 % of them.\n", "63 %", 20),
        (BLOCK + "So three times\nas many.\n", "three times", 20),
        (BLOCK + "## Another\n\n```text\n9\n```\n\nSo 62 % of them.\n", "62 %", 26),
        ("A share of 43 %. It stands [there](other.md).\n", "43 %", 9),
        ("The paper gains 3.4 %.\n", "3.4 %", 9),
        (
            "## Theirs\n\n[He et al.](../references.md#he-2014)\n\n## Ours\n\nThe paper gains 3.4 %.\n",
            "3.4 %",
            15,
        ),
        ('??? right "A share of 77 %."\n\n    See [there](other.md).\n', "77 %", 9),
        ('??? question "What then?"\n\n    Then 30 % are gone.\n', "30 %", 11),
        ("| Weak | Strong |\n|---|---|\n| Alarms. | Knows 0.25. |\n", "0.25", 11),
        ("A\n\n- list\n    - with *7.5* inside\n", "7.5", 12),
        ("Term\n\n:   It is 7.5 long.\n", "7.5", 11),
        ("| A |\n|---|\n| 7.5 |\n", "7.5", 11),
        ("## A heading of 7.5\n", "7.5", 9),
    ],
)
def test_a_number_from_nowhere_is_named_with_its_line(faults, text, words, line):
    assert faults(text) == [(line, f"'{words}' comes from nowhere")]


def test_an_exercise_and_its_hints_are_given(faults):
    assert faults('??? exercise f "Take 30 %, 8 min"\n\n    Of 400 rows.\n\n??? hint "the 20 %"\n\n    Half.\n') == []


def test_a_description_is_prose(faults):
    assert faults("Words.\n", description="A gain of 12 %.") == [(3, "'12 %' comes from nowhere")]


def test_what_is_given_passes_and_needs_to_be_needed(faults):
    assert faults("Say 300 ads match.\n\nSo 300.\n", given='"300 ads match"') == []
    assert faults(BLOCK + "So 62 % of 1.2 million.\n", given='"62 % of"') == [(1, "'62 % of' need not be given")]
    assert faults("Say 300 ads.\n", given='"300 users"')[-1] == (1, "'300 users' need not be given")


def test_each_entry_of_the_references_is_about_its_source(faults):
    text = "Ten of 300 sources.\n\n## A 2014 {#a}\n\nVolume 12, and 3.4 % better.\n"
    assert faults(text, name="references.md") == [(9, "'300' comes from nowhere")]


def test_all_that_stands_outside_of_the_options_of_a_quiz_is_asked(faults):
    assert faults('## 1. Of 24 tests, 8 %?\n\nIt has 77.\n\n??? wrong "6"\n\n    No: 8 %.\n', name="quiz.md") == []


def test_a_claim_that_a_sentence_links_to_prints_its_evidence():
    found = guard._of_claim("modeling-choosing-two-crosses-pay")
    assert any(Number("", 0, 0).stands_for(number) or number.value < 1 for number in found)
    assert guard._of_claim("nothing-of-this-name") == []


def test_a_lab_is_read_as_it_is_built():
    page = BeautifulSoup(
        "<article><h1>A<a class='headerlink' href='#'>7</a></h1><h2>Run</h2><pre>n = 40_000</pre><pre>share 61.8%</pre>"
        "<table><tr><td>12.5</td></tr></table><p>So 62 % of 40,000, at 12.5.</p><p>And 77 %.</p></article>",
        "html.parser",
    )
    (fault,) = guard.check_lab(Path("lab.py"), page)
    assert fault.startswith("'77 %' comes from nowhere")
    assert "And 77 %." in fault


def test_numbers_of_one_page_are_refused_on_another():
    """The negative control: of numbers with two digits or more that belong elsewhere, few pass by chance."""
    pages = [p for p in sorted((ROOT / "docs").rglob("*.md")) if any(guard.printed(p))]
    draw = random.Random(0)
    passed = []
    for page, other in zip(pages, [*pages[1:], pages[0]], strict=True):
        known = draw.choice([section for section in guard.printed(other) if section])
        for sentence in guard.sentences(BeautifulSoup(prose(page.read_text(encoding="utf-8")), "html.parser")):
            for number in numbers(sentence.text):
                if sum(c.isdigit() for c in number.words.strip("0")) > 1:
                    passed.append(any(number.stands_for(printed) for printed in known))
    assert len(passed) > 300
    assert sum(passed) < 0.15 * len(passed)


def test_a_grid_of_knobs_vouches_for_what_it_says_and_not_for_all_that_it_could():
    figure = '<figure><p>In 5 %.</p><details class="numbers"><table><td>7 %</td></table></details></figure>'
    assert [number.words for number in numbers(guard._drawn(f"print({figure!r})"))] == ["5 %"]


def test_a_claim_that_has_not_run_prints_nothing(faults, monkeypatch):
    monkeypatch.setattr("figures.claims._known", dict)
    shown = 'from figures.claims import evidence\n\nprint(evidence("modeling/choosing/two_crosses_pay"))'
    guard._drawn.cache_clear()
    assert faults(f'```python exec="on" html="on"\n{shown}\n```\n\nIn 7 % of them.\n') == [
        (15, "'7 %' comes from nowhere")
    ]
    guard._drawn.cache_clear()
