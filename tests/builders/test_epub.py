"""The book: small pages as chapters, and a check that sees what is wrong with one."""

import io
import zipfile
from types import SimpleNamespace

import pytest

from tests.epub import faults
from tools.builders.epub import book, chapter
from tools.builders.practice import packed

ABOUT = {
    "title": "ML Design",
    "description": "A guide & more.",
    "rights": "CC BY",
    "site": "https://example.org/guide/",
    "modified": "2026-01-01T00:00:00Z",
}
FIGURE = (
    '<figure class="plot"><svg viewBox="0 0 9 9" role="img" aria-label="x"><defs><clipPath id="c"><rect width="1" '
    'height="1"/></clipPath></defs><path d="M0 0" stroke="var(--plot-1)" clip-path="url(#c)"/><a href="../drift/">'
    '<text x="1">A</text></a><use xlink:href="#c"/></svg><figcaption>B</figcaption></figure>'
)
LIFT = (
    '<h1 id="lift">Lift &amp; more<a class="headerlink" href="#lift">¶</a></h1><p id="fn:1">A<br>B &nbsp;<a '
    'href="../drift/#1st">x</a> <a href="../../practice/flashcards/">cards</a> <a href="../../proof.json">p</a> '
    f'<a href="#fn:1">up</a> <a href="https://a.example/b#c">far</a></p>{FIGURE}'
    '<div class="language-python highlight"><pre><span></span><code><span class="n">x</span> &lt; 1\n'
    "</code></pre></div>"
    '<details class="question"><summary>Why?</summary><p>So.</p></details>'
)
DRIFT = '<h1 id="1st">Drift</h1><p><span class="arithmatex">\\(p &lt; 1\\)</span></p>'
QUIZ = (
    '<h1>Quiz</h1><h2 id="a">1. One?</h2><details class="wrong"><summary>No</summary><p>Since not.</p></details>'
    '<details class="right"><summary>Yes</summary><p>Since so.</p></details>'
)


def page(url, title, content):
    return SimpleNamespace(url=url, title=title, content=content)


PAGES = [page("", "Home", "<h1>Home</h1>"), page("evaluation/lift/", "Lift &amp; more", LIFT)]
PAGES += [page("evaluation/drift/", "Drift", DRIFT), page("quiz/", "Quiz", QUIZ)]
LEFT = SimpleNamespace(url="practice/flashcards/", title="Flashcards", children=None)


@pytest.fixture(scope="module")
def members():
    navigation = [PAGES[0], SimpleNamespace(title="Learn & do", children=[*PAGES[1:], LEFT])]
    content = book(ABOUT, {each.url: each for each in PAGES}, navigation, b"png")
    assert faults(content) == []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_links_lead_to_chapters_and_from_others_to_the_site(members):
    text = members["book/page-evaluation-lift.xhtml"].decode()
    assert '<a href="page-evaluation-drift.xhtml#a-1st">x</a>' in text
    assert '<a href="https://example.org/guide/practice/flashcards/">cards</a>' in text
    assert '<a href="https://example.org/guide/proof.json">p</a>' in text
    assert '<p id="a-fn-1">' in text
    assert '<a href="page-evaluation-lift.xhtml#a-fn-1">up</a>' in text
    assert '<a href="https://a.example/b#c">far</a>' in text
    assert 'xlink:href="page-evaluation-drift.xhtml"' in text


def test_a_chapter_is_plain_open_and_drawn(members):
    text = members["book/page-evaluation-lift.xhtml"].decode()
    assert "<title>Lift &amp; more</title>" in text
    assert "¶" not in text
    assert "<pre>x &lt; 1</pre>" in text
    assert '<p class="asked">Why?</p><p>So.</p>' in text
    assert '<clipPath id="c">' in text
    assert 'stroke="#1f6f8b"' in text
    assert 'viewBox="0 0 9 9"' in text


def test_the_contents_name_sections_and_chapters_in_order(members):
    text = members["book/nav.xhtml"].decode()
    assert "<li><span>Learn &amp; do</span><ol><li>" in text
    assert text.index("page-evaluation-lift") < text.index("page-quiz")
    assert "Flashcards" not in text


def test_the_answers_of_a_quiz_stand_at_its_end():
    text = str(chapter(QUIZ))
    assert "<p>A. No</p><p>B. Yes</p><section" in text
    assert "<h3>1. One?</h3><p><strong>A is wrong.</strong> Since not.</p><p><strong>B is right.</strong>" in text


@pytest.mark.parametrize(
    ("formula", "wanted"),
    [
        ("\\(p &lt; 1\\)", '<span class="formula">p &lt; 1</span>'),
        ("\\[\\frac{1}{2}\\]", '<span class="formula">\\frac{1}{2}</span>'),
        (
            '<span class="katex"><span><math><mi>p</mi></math></span><span aria-hidden="true">p</span></span>',
            '<span class="arithmatex"><math xmlns="http://www.w3.org/1998/Math/MathML"><mi>p</mi></math></span>',
        ),
    ],
)
def test_a_formula_is_set_or_as_it_was_written(formula, wanted):
    assert str(chapter(f'<span class="arithmatex">{formula}</span>')) == wanted


LIFTED = "book/page-evaluation-lift.xhtml"
PLANTS = {
    "mimetype last": (lambda m: {**{k: m[k] for k in [*m][1:]}, "mimetype": m["mimetype"]}, "first and stored"),
    "another type": (lambda m: m | {"mimetype": b"application/zip"}, "something else"),
    "a page too many": (lambda m: m | {"book/x.xhtml": m["book/nav.xhtml"]}, "the manifest lacks book/x.xhtml"),
    "a page too few": (lambda m: {k: v for k, v in m.items() if "quiz" not in k}, "page-quiz.xhtml is not there"),
    "not closed": (lambda m: changed(m, LIFTED, "<p", "<br><p"), "mismatched tag"),
    "an id twice": (lambda m: changed(m, LIFTED, 'id="lift"', 'id="c"'), "'c' stands twice"),
    "an id with a colon": (lambda m: changed(m, LIFTED, 'id="lift"', 'id="a:b"'), "no XML name"),
    "a script": (lambda m: changed(m, LIFTED, "<h1", "<script>x</script><h1"), "holds a script"),
    "a handler": (lambda m: changed(m, LIFTED, "<h1", '<h1 onclick="x"'), "handler"),
    "no chapter": (lambda m: changed(m, LIFTED, "drift.xhtml#a-1st", "gone.xhtml"), "leads nowhere"),
    "no anchor": (lambda m: changed(m, LIFTED, "#a-1st", "#gone"), "leads nowhere"),
    "no title": (lambda m: changed(m, LIFTED, "Lift &amp; more</title>", "</title>"), "no title"),
    "a drawing unsaid": (lambda m: changed(m, "book/package.opf", ' properties="svg"', ""), "property svg"),
    "a drawing of nothing": (lambda m: changed(m, LIFTED, "http://www.w3.org/2000/svg", "x"), "no known language"),
    "no date": (lambda m: changed(m, "book/package.opf", "dcterms:modified", "x"), "when it was modified"),
    "no language": (lambda m: changed(m, "book/package.opf", "<dc:language>en", "<dc:language>"), "no dc:language"),
    "not in the spine": (lambda m: changed(m, "book/package.opf", '<itemref idref="nav"/>', ""), "the spine"),
    "no cover": (lambda m: changed(m, "book/package.opf", "cover-image", "x"), "not one cover-image"),
    "no contents": (lambda m: changed(m, "book/nav.xhtml", '"toc"', '"x"'), "no table of contents"),
}


def changed(members, name, old, new):
    assert old.encode() in members[name]
    return members | {name: members[name].replace(old.encode(), new.encode(), 1)}


@pytest.mark.parametrize(("plant", "fault"), PLANTS.values(), ids=PLANTS)
def test_the_check_sees_what_is_wrong_with_a_book(members, plant, fault):
    found = faults(packed(plant(members), stored=("mimetype",)))
    assert any(fault in said for said in found), found
