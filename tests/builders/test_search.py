"""What there is to find: clean text by section, and the names of each term."""

import json
from types import SimpleNamespace

import pytest

from tools.builders import maths, search
from tools.builders.search import Section, sections, synonyms, terms, weight

PAGE = """<h1 id="lift">Lift<a class="headerlink" href="#lift">&para;</a></h1>
<p>Uplift of <abbr title="Click-through rate">CTR</abbr>s, <code>a &lt; b</code>, is
\t<span class="arithmatex"><math><msup><mi>x</mi><mn>2</mn></msup></math></span>.</p>
<figure class="plot"><svg role="img"><text>One label</text><text>another</text></svg><figcaption>A caption</figcaption>
</figure><div class="sheet" data-search-exclude><p>Gathered</p></div>
<h2 id="run">Run <em>it</em><a class="headerlink" href="#run">&para;</a></h2>
<table><thead><tr><th>Weak</th><th>Strong</th></tr></thead></table>
<pre><span></span><code><span class="kn">from</span> <span class="nn">snippets.a.b</span> import c
def <span class="nf">mean_of</span>(x): return 1 &lt; 2
mean_of(3)
</code></pre>
<div class="claim holds"><p>It holds.</p><p>Held in 9 runs.</p><table><tr><td>12.5</td></tr></table></div>
<h3 id="more">More <span class="reading">12 min</span></h3><details><summary>Why?</summary><p>So.</p></details>"""


def test_a_page_is_cut_at_its_headings_and_holds_words_alone():
    assert sections(PAGE) == [
        Section("", "Lift", "Uplift of CTRs, a < b, is x^2. A caption", ""),
        Section("run", "Run it", "Weak · Strong · It holds.", "a.b mean_of"),
        Section("more", "More", "Why? So.", ""),
    ]


def test_the_runs_of_claims_are_left_out_since_their_sentences_are_found_where_all_stand():
    runs = '<figure class="plot evidence runs"><h3>A page</h3><div class="claim holds"><p>It holds.</p></div></figure>'
    assert sections(f"<h1>Runs</h1><p>See.</p>{runs}") == [Section("", "Runs", "See.", "")]


def text_of(html):
    return sections(html)[0].text


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("w", "w"),
        (r"q = p / (p + (1 - p) / w)", "q = p/(p + (1 - p)/w)"),
        (r"\frac{a + b}{c}", "(a + b) / c"),
        (r"-\frac{1}{n}\sum_i y_i \log p_i", "-1 / n∑_i y_i log p_i"),
        (r"\hat{r}_{\text{target}}", "r_target"),
        (r"\sqrt{n}", "√n"),
        (r"\sqrt{2 n}", "√(2 n)"),
    ],
)
def test_a_formula_is_found_as_one_types_it(latex, expected):
    html = maths.typeset(f'<p>So <span class="arithmatex">\\({latex}\\)</span>, see.</p>')
    assert text_of(html) == f"So {expected}, see."


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>A log loss of .44603, or <code>.5</code>.</p>", "A log loss of .44603, or .5."),
        ("<p>So <em>that</em> : yes .</p>", "So that: yes."),
        (
            "<table><tr><td>SMOTE</td><td>Made-up rows.</td></tr><tr><td>Time</td></tr></table>",
            "SMOTE · Made-up rows. Time",
        ),
        ("<ul><li>One</li><li>Two?</li><li>Three (and)</li></ul><p>Rest</p>", "One · Two? Three (and) · Rest"),
        ('<p>"Said."</p><p>Then</p>', '"Said." Then'),
    ],
)
def test_what_stands_in_blocks_is_told_apart(html, expected):
    assert text_of(html) == expected


GLOSSARY = """# Glossary

## Data

CPM and CPC
:   Prices. See [metrics](problem/metrics.md).

DAU, WAU, MAU
:   Users. See [the
    metrics](problem/metrics.md).

NE, normalized entropy
:   A loss. See [its page](evaluation/ne.md) and [another](evaluation/x.md).

Where
:   See [where you stand](practice/index.md#here).
"""
SHORT = """*[NE]: Normalized entropy: log loss
*[DAU]: Daily active users
*[DeLong]: An interval for AUC, or for a difference
"""


def test_a_term_belongs_to_the_page_that_its_entry_links_to_first():
    assert terms(GLOSSARY) == [
        (["CPM and CPC"], "problem/metrics/"),
        (["DAU"], "problem/metrics/"),
        (["WAU"], "problem/metrics/"),
        (["MAU"], "problem/metrics/"),
        (["NE", "normalized entropy"], "evaluation/ne/"),
        (["Where"], "practice/"),
    ]


def test_a_term_has_an_anchor_and_is_found_there():
    html = '<h2 id="data">Data</h2><dl><dt>NE, <code>x</code></dt><dd>A loss.</dd><dt>A/B test &amp; co</dt></dl>'
    anchored = search.anchored(html)
    assert anchored == html.replace("<dt>NE", '<dt id="ne">NE').replace("<dt>A", '<dt id="ab-test-co">A')
    assert sections(anchored)[2:] == [
        Section("ne", "NE, x", "A loss.", ""),
        Section("ab-test-co", "A/B test & co", "", ""),
    ]


@pytest.mark.parametrize("html", ["<dt>A</dt><dt>A, b</dt>", '<h2 id="a">A</h2><dt>A</dt>'])
def test_no_two_anchors_of_the_glossary_are_one(html):
    with pytest.raises(ValueError, match="two anchors 'a'"):
        search.anchored(html)


def test_the_names_of_a_term_are_those_of_the_glossary_and_of_the_abbreviations():
    assert synonyms(GLOSSARY, SHORT) == [["ne", "normalized entropy"], ["dau", "daily active users"]]


def test_an_abbreviation_adds_a_third_name():
    assert synonyms(GLOSSARY, "*[NE]: Normed entropy") == [["ne", "normalized entropy", "normed entropy"]]


@pytest.mark.parametrize(
    ("url", "expected"),
    [("modeling/retrieval/", 1), ("modeling/quiz/", search.QUIZ), ("references/", search.WEIGHTS["references/"])],
)
def test_what_explains_stands_before_what_gathers_and_asks(url, expected):
    assert weight(url) == expected


def test_two_scripts_hold_what_there_is_to_find(tmp_path):
    meta = {"tags": ["lift & co"], "description": "A &amp; B", "section": "Modeling", "phase": {"number": 4}}
    pages = {
        "modeling/lift/": SimpleNamespace(content=PAGE, title="Lift &amp; co", meta=meta),
        "./": SimpleNamespace(content="<h1>Home</h1>", title="Home", meta={"phase": None}),
    }
    search.write(tmp_path, pages)
    found = {}
    for name, variable in search.NAMES.items():
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.startswith(f"var {variable} = ")
        found[name] = json.loads(text.removeprefix(f"var {variable} = ").removesuffix(";\n"))
    lift, home = found[search.TITLES]["pages"]
    assert lift == {
        "url": "modeling/lift/",
        "title": "Lift",
        "terms": [],
        "about": "Lift & co. lift & co",
        "description": "A & B",
        "section": "Modeling",
        "phase": 4,
        "weight": 1,
        "headings": [["run", "Run it"], ["more", "More"]],
    }
    assert (home["url"], home["section"], home["phase"], home["headings"]) == ("", "", 0, [])
    assert ["ne", "normalized entropy"] in found[search.TITLES]["synonyms"]
    assert [len(parts) for parts in found[search.TEXTS]] == [3, 1]
    assert found[search.TEXTS][0][1] == ["Weak · Strong · It holds.", "a.b mean_of"]
