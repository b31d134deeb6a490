import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup

from figures import explorable
from figures.explore import Axis, Curve, Grid, Quantity
from figures.explore import explorable as draw
from snippets.evaluation.ab_test import sample_size_per_arm
from tests.test_figures import FIGURES
from tools.guards.fences import ROOT
from tools.guards.numbers import numbers

NAMES = [name for name, function in FIGURES.items() if function.__module__ == explorable.__name__]
DRAWN = {}


@pytest.fixture(params=NAMES)
def figure(request):
    return drawn(request.param)


def drawn(name):
    """Return a figure and its grid, drawn once for all tests."""
    if name not in DRAWN:
        found = BeautifulSoup(FIGURES[name](), "html.parser").figure
        DRAWN[name] = found, json.loads(found["data-grid"])
    return DRAWN[name]


def values(grid, name):
    q = grid["quantities"][name]
    return np.reshape(q["values"], [len(grid["axes"][axis]["values"]) for axis in q["axes"]])


def test_there_are_at_least_six():
    assert len(NAMES) >= 6


def test_what_it_draws_stays_inside_the_plane_at_every_setting(figure):
    _, grid = figure
    for curve in grid["curves"]:
        x = values(grid, curve["x"]) if curve["x"] else np.array(grid["axes"][curve["along"]]["values"])
        for line, (_, low, high, *_) in zip([x, values(grid, curve["y"])], grid["plane"], strict=True):
            assert low <= line.min()
            assert line.max() <= high


def test_it_starts_where_its_grid_does(figure):
    html, grid = figure
    for i, curve in enumerate(grid["curves"]):
        path = html.select_one(f'[id$="-curve-{i}"] path')["d"]
        q = grid["quantities"]
        where = {name: axis["start"] for name, axis in grid["axes"].items()} | {curve["along"]: slice(None)}
        xs = grid["axes"][curve["along"]]["values"]
        lines = [
            values(grid, name)[tuple(where[axis] for axis in q[name]["axes"])] if name else np.array(xs)
            for name in (curve["x"], curve["y"])
        ]
        placed = []
        for line, (logarithmic, low, high, start, end) in zip(lines, grid["plane"], strict=True):
            scale = np.log if logarithmic else np.asarray
            placed.append(start + (scale(line) - scale(low)) / (scale(high) - scale(low)) * (end - start))
        shown = np.array(re.findall(r"-?[\d.]+", path), float).reshape(-1, 2)
        # Matplotlib leaves out points on a straight line: the ends are there, and none that is no point of ours.
        ours = np.column_stack(placed)
        assert np.abs(shown[[0, -1]] - ours[[0, -1]]).max() < 0.1
        assert all(np.abs(ours - point).max(axis=1).min() < 0.1 for point in shown)
        dot = html.select_one(f'[id$="-dot-{i}"] use')
        at = grid["axes"][curve["along"]]["start"]
        assert np.allclose([float(dot["x"]), float(dot["y"])], ours[at], atol=0.1)


def test_all_its_numbers_stand_in_its_tables(figure):
    html, grid = figure
    cells = [
        float(td.text.replace("\N{MINUS SIGN}", "-").replace(",", "").split("\N{NO-BREAK SPACE}")[0])
        for td in html.select(".numbers td")
    ]
    assert cells == [value for q in grid["quantities"].values() for value in q["values"]]


def test_each_number_of_its_caption_is_in_the_grid(figure):
    html, _ = figure
    known = numbers(html.select_one(".numbers").get_text(" \n "))
    said = numbers(html.figcaption.text)
    assert said
    assert [n.words for n in said if not any(n.stands_for(other) for other in known)] == []


def test_its_words_say_where_it_starts(figure):
    html, grid = figure
    said = html.select_one(".explore-says").text
    assert html.svg["aria-label"].endswith(" " + " ".join(said.split()))
    assert all(axis["texts"][axis["start"]] in said for axis in grid["axes"].values() if axis["knob"])
    assert "{" not in said


def test_the_power_is_that_of_the_formula():
    _, grid = drawn("power")
    axes = {name: axis["values"] for name, axis in grid["axes"].items()}
    power, needed = values(grid, "power"), values(grid, "needed")
    assert needed[3, 2] == sample_size_per_arm(axes["rate"][3], axes["lift"][2])
    for n, share in zip(axes["users"], power[3, 2], strict=True):
        if 5 < share < 99.5:
            exact = sample_size_per_arm(axes["rate"][3], axes["lift"][2], power=share / 100)
            assert exact == pytest.approx(n, rel=0.02)
    assert (np.diff(power, axis=1) >= 0).all()
    assert (np.diff(power, axis=2) >= 0).all()


@pytest.mark.parametrize(
    ("row", "share", "factor"),
    [
        ("all doubled", 1.0, 2.0),
        ("every other advertiser doubled", 0.5, 2.0),
        ("every other advertiser + 20 %", 0.5, 1.2),
    ],
)
def test_the_auction_changes_by_what_the_page_prints(row, share, factor):
    _, grid = drawn("miscalibration")
    welfare, revenue = values(grid, "welfare"), values(grid, "revenue")  # share, slots, factor
    i, k = (grid["axes"][name]["values"].index(value) for name, value in [("share", share), ("factor", factor)])
    ours = [change[i, j, k] for j in (0, 2) for change in (welfare, revenue)]  # no fixed price, and one for half
    page = (ROOT / "docs/evaluation/calibration.md").read_text(encoding="utf-8")
    printed = re.search(rf"^{re.escape(row)} +(.*%)$", page, re.MULTILINE)[1]
    assert ours == [float(change) for change in re.findall(r"[-+]\d+\.\d", printed)]
    assert (welfare[..., grid["axes"]["factor"]["values"].index(1)] == 0).all()


def test_what_was_kept_divides_back():
    _, grid = drawn("negatives")
    ratio = values(grid, "ratio")
    assert np.abs(ratio.diagonal() - 1).max() < 0.05
    assert (np.diff(ratio, axis=1) < 0).all()


def test_a_policy_that_knows_nothing_logs_the_truth():
    _, grid = drawn("looking")
    truth, own = values(grid, "truth"), values(grid, "own")
    assert np.abs(own[0] - truth).max() < 8  # three standard errors
    assert (own[-1, :, -1] < truth[:, -1] / 2).all()


def test_one_look_keeps_the_promise_and_each_more_breaks_it():
    _, grid = drawn("peeking")
    peeked, valid = values(grid, "peeked")[:, 0, -1], values(grid, "valid")[:, 0, -1]
    assert peeked[-1] == pytest.approx(5, abs=0.5)
    assert (np.diff(peeked) < 0).all()
    assert valid.max() < 5


def test_all_cells_opened_find_all():
    _, grid = drawn("index_recall")
    found, cost = values(grid, "found"), values(grid, "cost")
    assert (found[:, 0, -1] == 100).all()
    assert cost[0, -1] == pytest.approx(100 * (1 + 16 / 4300), abs=0.1)
    assert (np.diff(found, axis=2) >= 0).all()


AXES = [Axis("a", "A", [1, 2], ["one", "two"], 0), Axis("b", "B", [1, 10], ["1", "10"], 1, knob=False)]


@pytest.mark.parametrize("held", [np.zeros(2), np.full((2, 2), np.nan)])
def test_a_grid_with_a_hole_is_refused(held):
    with pytest.raises(ValueError, match="q must hold a finite number for each setting of a, b"):
        Grid(AXES, {"q": Quantity("Q", ("a", "b"), held)}, "{q}")


def test_values_are_kept_and_said_as_they_are_shown():
    grid = Grid(
        AXES, {"q": Quantity("Q <", ("a", "b"), np.array([[-0.04, 1234.56], [2, 3]]), 1, " s", True)}, "{a}: {q}"
    )
    assert grid.words() == "one: +1,234.6 s"
    assert grid.text("q", a=2, b=1) == "+2.0 s"
    assert grid.text("q", b=1) == "+0.0 s"
    html = draw(
        "n", grid, [Curve("q", "b", "#010204")], lambda axes: axes.set_xscale("log"), 'A "picture".', "What to try."
    )
    found = BeautifulSoup(html, "html.parser").figure
    kept = json.loads(found["data-grid"])
    assert kept["quantities"]["q"]["values"] == [0, 1234.6, 2, 3]
    assert [plane[0] for plane in kept["plane"]] == [True, False]
    assert found.select_one(".numbers p").text == "Q <. Across: B."
    assert [th.text for th in found.select(".numbers th")] == ["A", "1", "10", "one", "two"]
