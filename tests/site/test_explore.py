"""Figures with knobs as a reader turns them, by keyboard."""

import json
import re

import pytest

from tests.site.conftest import SITE, barriers, new_view, soup, urls

FIGURES = [(url, figure["id"]) for url in urls() for figure in soup(url).select("figure.explore")]


@pytest.fixture(params=FIGURES, ids=[name for _, name in FIGURES])
def figure(request, view, base):
    url, name = request.param
    view.goto(f"{base}{url}#{name}")
    return view.locator(f"#{name}")


def grid_of(figure):
    """Return what a figure carries, with the words of each cell of its tables."""
    grid = json.loads(figure.get_attribute("data-grid"))
    for i, q in enumerate(grid["quantities"].values()):
        q["cells"] = figure.locator(".numbers table").nth(i).locator("td").all_text_contents()
    return grid


def expected(grid, stands):
    """Return what a figure must say where its axes stand, by the page's own grid."""

    def word(match):
        if match[1] in grid["axes"]:
            return grid["axes"][match[1]]["texts"][stands[match[1]]]
        q, at = grid["quantities"][match[1]], 0
        for axis in q["axes"]:
            at = at * len(grid["axes"][axis]["values"]) + stands[axis]
        return q["cells"][at] + q["unit"]

    return re.sub(r"\{(\w+)\}", word, grid["says"])


def drawn(figure):
    """Return the points of each curve, and where the dots are."""
    lines = figure.locator('[id*="-curve-"] path').evaluate_all("paths => paths.map(p => p.getAttribute('d'))")
    dots = figure.locator('[id*="-dot-"] use').evaluate_all(
        "dots => dots.map(d => [d.getAttribute('x'), d.getAttribute('y')])"
    )
    return [re.findall(r"[\d.]+", line) for line in lines], dots


def bands(figure):
    """Return how far each band reaches: left, right, top, bottom."""
    found = []
    for path in figure.locator('[id*="-band-"] path').all():
        x, y = (list(map(float, re.findall(r"[\d.]+", path.get_attribute("d"))[k::2])) for k in (0, 1))
        found.append([min(x), max(x), min(y), max(y)])
    return found


def test_there_are_at_least_eight():
    assert len(FIGURES) >= 8


def test_each_knob_changes_the_words_and_the_picture(figure):
    grid = grid_of(figure)
    stands = {name: axis["start"] for name, axis in grid["axes"].items()}
    words, picture = figure.locator(".explore-says"), figure.locator("svg")
    knobs = [name for name, axis in grid["axes"].items() if axis["knob"]]
    assert figure.get_by_role("slider").count() == len(knobs)
    for name in knobs:
        axis = grid["axes"][name]
        knob = figure.get_by_role("slider", name=axis["label"], exact=True)
        before = drawn(figure)
        knob.focus()
        for key, at in [("Home", 0), ("ArrowRight", 1), ("End", len(axis["values"]) - 1)]:
            knob.press(key)
            stands[name] = at
            assert words.text_content() == expected(grid, stands)
            assert " ".join(words.inner_text().split()) in " ".join(picture.get_attribute("aria-label").split())
            assert knob.get_attribute("aria-valuetext") == axis["texts"][at]
            assert figure.locator("output").all_inner_texts()[knobs.index(name)] == axis["texts"][at]
        assert drawn(figure) != before


def test_pages_of_a_knob_stay_within_it(figure):
    knob = figure.get_by_role("slider").first
    knob.press("Home")
    knob.press("PageUp")
    assert int(knob.input_value()) >= 1
    knob.press("PageDown")
    assert knob.input_value() == "0"


def test_reset_goes_back_to_the_setting_of_the_page(figure):
    before, words = drawn(figure), figure.locator(".explore-says").text_content()
    for knob in figure.get_by_role("slider").all():
        knob.press("Home")
        knob.press("ArrowRight")
    moved = drawn(figure)[1]
    assert figure.locator(".explore-says").text_content() != words
    figure.get_by_role("button", name="Reset").press("Enter")
    assert figure.locator(".explore-says").text_content() == words
    assert [[float(x) for x in dot] for dot in drawn(figure)[1]] == [
        pytest.approx([float(x) for x in dot], abs=0.1) for dot in before[1]
    ]
    assert drawn(figure)[1] != moved
    starts = [axis["start"] for axis in grid_of(figure)["axes"].values() if axis["knob"]]
    assert [int(knob.input_value()) for knob in figure.get_by_role("slider").all()] == starts


def test_the_words_are_said_once_the_knob_rests(figure):
    page, heard = figure.page, figure.get_by_role("status").and_(figure.locator(".md-visually-hidden"))
    page.clock.install(time=0)
    page.clock.pause_at(10_000)
    knob = figure.get_by_role("slider").first
    knob.press("Home")
    for _ in range(2):
        knob.press("ArrowRight")
        page.clock.run_for(300)
        assert heard.text_content() == ""
    page.clock.run_for(600)
    assert heard.text_content() == figure.locator(".explore-says").text_content()


def test_a_finger_finds_the_knobs(browser, base):
    context = browser.new_context(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page = context.new_page()
    for url, name in FIGURES:
        page.goto(f"{base}{url}#{name}")
        figure = page.locator(f"#{name}")
        for part in [*figure.get_by_role("slider").all(), figure.get_by_role("button", name="Reset")]:
            assert part.bounding_box()["height"] >= 44
        knob, words = figure.get_by_role("slider").first, figure.locator(".explore-says").text_content()
        box = knob.bounding_box()
        at = 0.95 if int(knob.input_value()) == 0 else 0.25
        knob.tap(position={"x": at * box["width"], "y": box["height"] / 2})
        assert figure.locator(".explore-says").text_content() != words
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_a_knob_turned_back_draws_what_was_there(figure):
    before, words, reach = drawn(figure), figure.locator(".explore-says").inner_text(), bands(figure)
    knob = figure.get_by_role("slider").last
    way, back = ("ArrowLeft", "ArrowRight") if int(knob.input_value()) else ("ArrowRight", "ArrowLeft")
    knob.press(way)
    assert figure.locator(".explore-says").inner_text() != words
    knob.press(back)
    lines, dots = drawn(figure)
    assert figure.locator(".explore-says").inner_text() == words
    assert bands(figure) == [pytest.approx(ends, abs=0.1) for ends in reach]
    for line, was in zip(lines, before[0], strict=True):
        assert [float(x) for x in (*line[:2], *line[-2:])] == pytest.approx(
            [float(x) for x in (*was[:2], *was[-2:])], abs=0.1
        )
    assert [[float(x) for x in dot] for dot in dots] == [
        pytest.approx([float(x) for x in dot], abs=0.1) for dot in before[1]
    ]


def test_a_turned_figure_with_its_numbers_open_keeps_nobody_out(figure):
    page = figure.page
    figure.get_by_role("slider").first.press("End")
    figure.get_by_text("All numbers of this figure").click()
    assert figure.get_by_role("region").locator("table").first.is_visible()
    assert barriers(page, f"#{figure.get_attribute('id')}") == []


@pytest.mark.parametrize("name", ["desktop-light", "phone-dark"])
def test_without_scripts_it_stands_as_it_starts_and_its_numbers_can_be_read(browser, base, name):
    scheme, width = ("light", 1280) if name == "desktop-light" else ("dark", 390)
    context = browser.new_context(
        java_script_enabled=False, color_scheme=scheme, viewport={"width": width, "height": 844}
    )
    page = context.new_page()
    for url, figure_id in FIGURES:
        page.goto(f"{base}{url}")
        figure = page.locator(f"#{figure_id}")
        grid = grid_of(figure)
        assert figure.locator("svg").is_visible()
        assert figure.get_by_role("slider").count() == 0
        assert figure.locator(".explore-says").text_content() == expected(
            grid, {axis: of["start"] for axis, of in grid["axes"].items()}
        )
        figure.get_by_text("Answer", exact=True).click()
        assert figure.locator(".answer > p").is_visible()
        figure.get_by_text("All numbers of this figure").click()
        assert figure.locator("td").first.is_visible()
    context.close()


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", "0s"), ("no-preference", "0.12s")])
def test_nothing_glides_for_whoever_wants_no_motion(browser, base, motion, seconds):
    context = browser.new_context(reduced_motion=motion)
    page = context.new_page()
    page.goto(base + FIGURES[0][0])
    line = page.locator('.explore [id*="-curve-"] path').first
    assert set(line.evaluate("path => getComputedStyle(path).transitionDuration").split(", ")) == {seconds}
    context.close()


def test_it_works_from_a_folder(browser):
    page = new_view(browser, "phone-dark")
    url, name = FIGURES[0]
    page.goto((SITE / url / "index.html").resolve().as_uri())
    figure = page.locator(f"#{name}")
    before = figure.locator(".explore-says").inner_text()
    figure.get_by_role("slider").first.press("End")
    assert figure.locator(".explore-says").inner_text() != before
    page.context.close()
