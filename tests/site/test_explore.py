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
    return json.loads(figure.get_attribute("data-grid"))


def expected(grid, stands):
    """Return what a figure must say where its axes stand, by the page's own grid."""

    def word(match):
        if match[1] in grid["axes"]:
            return grid["axes"][match[1]]["texts"][stands[match[1]]]
        q, at = grid["quantities"][match[1]], 0
        for axis in q["axes"]:
            at = at * len(grid["axes"][axis]["values"]) + stands[axis]
        value = f"{q['values'][at]:{'+' if q['signed'] else ''},.{q['digits']}f}{q['unit']}"
        return value.replace("-", "\N{MINUS SIGN}")

    return re.sub(r"\{(\w+)\}", word, grid["says"])


def drawn(figure):
    """Return the points of each curve, and where the dots are."""
    lines = figure.locator('[id*="-curve-"] path').evaluate_all("paths => paths.map(p => p.getAttribute('d'))")
    dots = figure.locator('[id*="-dot-"] use').evaluate_all(
        "dots => dots.map(d => [d.getAttribute('x'), d.getAttribute('y')])"
    )
    return [re.findall(r"[\d.]+", line) for line in lines], dots


def test_there_are_at_least_six():
    assert len(FIGURES) >= 6


def test_each_knob_changes_the_words_and_the_picture(figure):
    grid = grid_of(figure)
    stands = {name: axis["start"] for name, axis in grid["axes"].items()}
    words, picture = figure.locator(".explore-says[role=status]"), figure.locator("svg")
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
            assert words.inner_text() == expected(grid, stands)
            assert " ".join(words.inner_text().split()) in " ".join(picture.get_attribute("aria-label").split())
            assert knob.get_attribute("aria-valuetext") == axis["texts"][at]
            assert figure.locator("output").all_inner_texts()[knobs.index(name)] == axis["texts"][at]
        assert drawn(figure) != before


def test_a_knob_turned_back_draws_what_was_there(figure):
    before, words = drawn(figure), figure.locator(".explore-says").inner_text()
    knob = figure.get_by_role("slider").last
    way, back = ("ArrowLeft", "ArrowRight") if int(knob.input_value()) else ("ArrowRight", "ArrowLeft")
    knob.press(way)
    assert figure.locator(".explore-says").inner_text() != words
    knob.press(back)
    lines, dots = drawn(figure)
    assert figure.locator(".explore-says").inner_text() == words
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
    assert barriers(page) == []


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
        assert figure.locator(".explore-says").inner_text() == expected(
            grid, {axis: of["start"] for axis, of in grid["axes"].items()}
        )
        figure.locator("summary").click()
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
    before = figure.locator(".explore-says[role=status]").inner_text()
    figure.get_by_role("slider").first.press("End")
    assert figure.locator(".explore-says[role=status]").inner_text() != before
    page.context.close()
