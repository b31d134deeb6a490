import inspect
import re
from itertools import combinations, pairwise

import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure

from figures import evaluation, explorable, modeling, practice, problem, training_data
from figures.diagram import Arrow, Box, diagram
from figures.svg import style, to_html
from tools.guards.fences import ROOT

FIGURES = {
    name: function
    for module in (evaluation, explorable, modeling, practice, problem, training_data)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}


@pytest.fixture(scope="module", params=FIGURES.values(), ids=FIGURES)
def drawn(request):
    return request.param, request.param()


def test_a_figure_is_the_same_every_time(drawn):
    function, html = drawn
    assert function() == html


def test_a_figure_says_in_words_what_it_shows(drawn):
    _, html = drawn
    svg = BeautifulSoup(html, "html.parser").svg
    assert svg["role"] == ("group" if svg.a else "img")  # links must stay reachable, each under its own name
    assert len(svg["aria-label"]) > 80
    assert len(BeautifulSoup(html, "html.parser").figcaption.text) > 40


def test_a_figure_takes_its_colours_and_its_font_from_the_page(drawn):
    _, html = drawn
    assert re.findall(r"#[0-9a-f]{6}\b", html) == []
    assert "font-family" not in html
    assert "style" not in html  # the policy of the site forbids it: attributes say the same
    assert "currentColor" in html


def test_a_figure_is_safe_inside_markdown(drawn):
    _, html = drawn
    assert "\n\n" not in html
    assert not any(line.startswith(("    ", "\t")) for line in html.split("\n"))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_a_figure_is_shown_by_a_page(drawn):
    function, _ = drawn
    texts = [p.read_text(encoding="utf-8") for p in (ROOT / "docs").rglob("*.md")]
    assert any(f"print({function.__name__}())" in text for text in texts)


def test_a_figure_without_words_is_refused():
    with style():
        figure = Figure()
    with pytest.raises(ValueError, match="alternative text and a caption"):
        to_html(figure, "x", " ", "caption")


def test_the_words_are_escaped():
    with style():
        figure = Figure()
    assert 'aria-label="a &quot;b&quot; &lt;c&gt;"' in to_html(figure, "x", 'a "b" <c>', "caption")


BOXES = {"a": Box(0, 0, 5, "A"), "b": Box(7, 1, 5, "B", "<b>", "../b/"), "c": Box(0, 2, 5, "C")}


def test_a_drawing_stays_within_its_frame_and_escapes_its_words():
    arrows = [Arrow("a", "c", label="1 < 2"), Arrow("a", "b", "around"), Arrow("a", "b", "branch"), Arrow("c", "a")]
    svg = BeautifulSoup(diagram("d", BOXES, arrows, "three boxes", "caption"), "html.parser").svg
    _, _, width, height = map(float, svg["viewbox"].split())
    for rect in svg.find_all("rect"):
        x, y, w, h = (float(rect[k]) for k in ("x", "y", "width", "height"))
        assert min(x, y) >= 0
        assert x + w <= width
        assert y + h <= height
    assert svg.a["href"] == "../b/"
    assert "<b>" in svg.a.text
    assert "1 < 2" in svg.text


@pytest.mark.parametrize(
    ("arrow", "words", "message"),
    [
        (Arrow("a", "z"), ("what it shows", "caption"), "an arrow names 'z', which is no box"),
        (Arrow("a", "b", "diagonal"), ("what it shows", "caption"), "route must be 'straight', 'branch' or 'around'"),
        (Arrow("a", "c"), ("what it shows", ""), "alternative text and a caption"),
    ],
)
def test_a_bad_drawing_is_refused(arrow, words, message):
    with pytest.raises(ValueError, match=message):
        diagram("d", BOXES, [arrow], *words)


def spans(svg):
    """Return the boxes of the words of a drawing, and its lines; a letter takes 0.56 em."""
    words, lines = [], []
    for text in svg.find_all("text"):
        x, y, size = (float(text[key]) for key in ("x", "y", "font-size"))
        x, y, wide = x + float(text.get("dx", 0)), y + float(text.get("dy", 0)), 0.56 * size * len(text.text)
        left = x - wide / 2 if text.get("text-anchor") == "middle" else x
        box = (left, y - 0.75 * size, left + wide, y + 0.2 * size)
        if turned := text.get("transform"):  # by a quarter to the left, about a point
            _, cx, cy = (float(part) for part in re.findall(r"-?[\d.]+", turned))
            box = (cx + box[1] - cy, cy - box[2] + cx, cx + box[3] - cy, cy - box[0] + cx)
        words.append((text.text, box))
    for path in svg.select("path[marker-end]"):
        points = [tuple(map(float, point.split())) for point in re.split("[ML]", path["d"])[1:]]
        lines += [(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1])) for a, b in pairwise(points)]
    for rect in svg.find_all("rect"):
        x, y, w, h = (float(rect[key]) for key in ("x", "y", "width", "height"))
        lines += [(x, y, x + w, y), (x, y + h, x + w, y + h), (x, y, x, y + h), (x + w, y, x + w, y + h)]
    return words, lines


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def struck(html):
    """Return the words of a drawing that lie on a line or on other words."""
    words, lines = spans(BeautifulSoup(html, "html.parser").svg)
    found = [word for word, box in words if any(meet(box, line) for line in lines)]
    return found + [a for (a, one), (b, two) in combinations(words, 2) if meet(one, two)]


def test_no_word_of_a_drawing_lies_on_a_line_or_on_another(drawn):
    _, html = drawn
    if 'class="diagram"' in html:
        assert struck(html) == []


def test_a_word_that_is_struck_through_is_found():
    boxes = {"a": Box(0, 0, 4, "A"), "b": Box(8, 2, 4, "B"), "c": Box(0, 2, 4, "C"), "d": Box(8, 0, 4, "D")}
    crossing = [Arrow("a", "b", "around", "word", at=5.5), Arrow("d", "c", "around", at=5.2)]
    assert struck(diagram("d", boxes, [crossing[0]], "four boxes", "caption")) == []
    assert struck(diagram("d", boxes, crossing, "four boxes", "caption")) == ["word"]
    assert struck(diagram("d", {"a": Box(0, 0, 1, "too long for it")}, [], "a box", "caption")) == ["too long for it"]
