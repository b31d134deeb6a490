import json
import re
from itertools import permutations

import numpy as np
import pytest
from bs4 import BeautifulSoup
from statsmodels.stats.proportion import power_proportions_2indep

from claims import record
from claims.evaluation.off_policy import clipped, estimates
from figures import explorable
from figures.explore import Axis, Curve, Grid, Quantity
from figures.explore import explorable as draw
from snippets.datasets.ad_log import EXAMINATION
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
        grid = json.loads(found["data-grid"])
        for q, table in zip(grid["quantities"].values(), found.select(".numbers table"), strict=True):
            q["cells"] = cells(table)
        DRAWN[name] = found, grid
    return DRAWN[name]


def values(grid, name, part=0):
    """Return the values of a quantity, or their spread, from its table."""
    q = grid["quantities"][name]
    return np.reshape([cell[part] for cell in q["cells"]], [len(grid["axes"][axis]["values"]) for axis in q["axes"]])


def cells(table):
    """Return the numbers of a table: a value each, and its spread if it has one."""
    plain = [re.sub(r"[,\s]", "", td.text).replace("\N{MINUS SIGN}", "-") for td in table.select("td")]
    return [tuple(map(float, text.split("±"))) for text in plain]


def test_there_are_at_least_eight():
    assert len(NAMES) >= 8


def test_what_it_draws_stays_inside_the_plane_at_every_setting(figure):
    _, grid = figure
    for curve in grid["curves"]:
        x = values(grid, curve["x"]) if curve["x"] else np.array(grid["axes"][curve["along"]]["values"])
        x = np.array([x.min() - 0.5, x.max() + 0.5]) if curve["steps"] else x
        y = values(grid, curve["y"])
        if len(grid["quantities"][curve["y"]]["cells"][0]) == 2 and grid["plane"][1][0]:
            assert (y > values(grid, curve["y"], 1)).all()  # a band that a logarithm can show
        for line, (_, low, high, *_) in zip([x, y], grid["plane"], strict=True):
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
        at = grid["axes"][curve["along"]]["start"]
        for line, (logarithmic, low, high, start, end), ends in zip(
            lines, grid["plane"], ([-0.5, 0.5], 0), strict=True
        ):
            scale = np.log if logarithmic else np.asarray
            all_of_it = np.repeat(line, 2) + np.tile(ends, len(line) * (1 if ends else 2)) if curve["steps"] else line
            ways = [np.append(all_of_it, line[at])]
            placed += [start + (scale(way) - scale(low)) / (scale(high) - scale(low)) * (end - start) for way in ways]
        shown = np.array(re.findall(r"-?[\d.]+", path), float).reshape(-1, 2)
        # Matplotlib leaves out points on a straight line: the ends are there, and none that is no point of ours.
        ours, there = np.split(np.column_stack(placed), [-1])
        assert np.abs(shown[[0, -1]] - ours[[0, -1]]).max() < 0.1
        assert all(np.abs(ours - point).max(axis=1).min() < 0.1 for point in shown)
        dot = html.select_one(f'[id$="-dot-{i}"] use')
        assert np.allclose([float(dot["x"]), float(dot["y"])], there, atol=0.1)


def test_its_numbers_stand_in_its_tables_alone(figure):
    html, grid = figure
    assert all(q.keys() == {"axes", "unit"} for q in json.loads(html["data-grid"])["quantities"].values())
    for name, q in grid["quantities"].items():
        assert len(q["cells"]) == values(grid, name).size


def test_what_was_run_is_told_with_its_spread(figure):
    html, grid = figure
    spread = [cell for q in grid["quantities"].values() for cell in q["cells"] if len(cell) == 2]
    assert bool(spread) == ("standard deviation between" in html.figcaption.text)
    assert len(html.select('[id*="-band-"]')) == sum(
        len(grid["quantities"][curve["y"]]["cells"][0]) == 2 for curve in grid["curves"]
    )


def test_each_number_of_its_answer_is_in_the_grid(figure):
    html, grid = figure
    shown = [
        td.text + q["unit"]
        for q, table in zip(grid["quantities"].values(), html.select(".numbers table"), strict=True)
        for td in table.select("td")
    ]
    known = numbers(" \n ".join([*shown, *(text for axis in grid["axes"].values() for text in axis["texts"])]))
    said = numbers(html.select_one(".answer > p").text.replace("p < 0.05", ""))
    left = [n for n in said if not any(n.stands_for(other) for other in known)]
    assert said
    for n in left:  # "half", "2.0 times": of two numbers that are said as well
        assert n.kind == "multiple" or n.words == "half"
        assert any(
            abs(a.value / b.value - n.value) <= 0.05 for a, b in permutations(said, 2) if b.value and n not in (a, b)
        )


def test_its_answer_rests_on_claims_or_says_that_it_follows(figure):
    html, _ = figure
    anchors = {c.anchor for c in record.claims().values()}
    links = [a["href"].split("#")[1] for a in html.select(".answer a")]
    assert set(links) <= anchors
    assert bool(links) != ("follow from the formula" in html.select_one(".answer > p").text)


def test_its_task_says_what_to_turn(figure):
    html, grid = figure
    task = html.figcaption.find(string=True)
    assert html.figure is None
    assert html.find(True).name == "figcaption"  # first, for whoever listens
    assert re.search(r"\b[Tt]urn|\bOpen", task)
    assert any(axis["label"].split(",")[0].split()[0].lower() in task.lower() for axis in grid["axes"].values())


def test_logarithmic_axes_say_so(figure):
    html, grid = figure
    said = " ".join(text.text for text in html.svg.find_all("text"))
    assert said.count("log scale") == sum(plane[0] for plane in grid["plane"])


def test_its_words_say_where_it_starts(figure):
    html, grid = figure
    said = html.select_one(".explore-says").text
    assert html.svg["aria-label"].endswith(" " + " ".join(said.split()))
    assert all(axis["texts"][axis["start"]] in said for axis in grid["axes"].values() if axis["knob"])
    assert "{" not in said


def test_the_power_is_that_of_statsmodels():
    _, grid = drawn("power")
    axes = {name: axis["values"] for name, axis in grid["axes"].items()}
    power, needed = values(grid, "power"), values(grid, "needed")
    for i, rate in enumerate(axes["rate"]):
        for j, lift in enumerate(axes["lift"]):
            exact = power_proportions_2indep(rate * lift, rate, np.array(axes["users"]), return_results=False)
            assert np.abs(power[i, j] - 100 * exact).max() <= 0.51
            assert power_proportions_2indep(rate * lift, rate, needed[i, j], return_results=False) >= 0.8
            assert power_proportions_2indep(rate * lift, rate, needed[i, j] - 1, return_results=False) < 0.8001
    assert needed[3, 3] == sample_size_per_arm(0.03, 0.05)


@pytest.mark.parametrize(
    ("row", "share"),
    [("all doubled", 1.0), ("every other advertiser doubled", 0.5), ("every other advertiser + 20 %", 0.5)],
)
def test_the_auction_changes_by_what_the_page_prints(row, share):
    _, grid = drawn("miscalibration")
    i, k = (
        grid["axes"][name]["values"].index(value)
        for name, value in [("share", share), ("factor", 1.2 if "20" in row else 2.0)]
    )
    changes = [(values(grid, name)[i, j, k], values(grid, name, 1)[i, j, k]) for j in (0, 2) for name in COUNTED]
    page = (ROOT / "docs/evaluation/calibration.md").read_text(encoding="utf-8")
    printed = re.search(rf"^{re.escape(row)} +(.*%)$", page, re.MULTILINE)[1]
    for (mean, spread), change in zip(changes, re.findall(r"[-+]\d+\.\d", printed), strict=True):
        assert abs(mean - float(change)) <= 3 * spread + 0.1


COUNTED = ("welfare", "revenue")


def test_a_factor_of_one_changes_nothing():
    _, grid = drawn("miscalibration")
    at = grid["axes"]["factor"]["values"].index(1)
    for name in COUNTED:
        assert (values(grid, name)[..., at] == 0).all()
        assert (values(grid, name)[grid["axes"]["share"]["values"].index(1), 0] == 0).all()  # clicks alone compete
    assert values(grid, "welfare").max() == 0  # the truth is best


def test_what_was_kept_divides_back():
    _, grid = drawn("negatives")
    ratio = values(grid, "ratio")
    assert np.abs(ratio.diagonal() - 1).max() < 0.05
    assert (np.diff(ratio, axis=1) < 0).all()
    tenths = values(grid, "promised").mean(axis=-1) / values(grid, "came").mean(axis=-1)[:, None]
    assert tenths == pytest.approx(ratio, rel=0.05)


def test_the_log_of_a_policy_that_knows_nothing_and_random_pages_tell_the_looking():
    _, grid = drawn("looking")
    truth, own, trial = (values(grid, name) for name in ("truth", "own", "trial"))
    assert truth[grid["axes"]["looks"]["values"].index(1)].tolist() == (100 * EXAMINATION).round(1).tolist()
    assert (np.abs(own[0] - truth) <= values(grid, "own", 1)[0] + 1).all()
    assert (np.abs(trial - truth[:, None]) <= values(grid, "trial", 1) + 1).all()
    assert (own[-1, :, -1] < truth[:, -1] / 2).all()
    spread = values(grid, "trial", 1)[:, :, -1]
    assert (spread[:, -1] < spread[:, 0] / 4).all()  # 64 times the pages: an eighth, but for chance


# Armitage, McPherson & Rowe 1969, as repeated by many: 1, 2, 3, 4, 5, 10, 20 and 50 looks at 5 %.
LOOKS = {1: 5.0, 2: 8.3, 3: 10.7, 4: 12.6, 5: 14.2, 10: 19.3, 20: 24.8, 50: 32.0}


def test_repeated_looks_err_as_often_as_the_textbook_says():
    _, grid = drawn("peeking")
    peeked = values(grid, "peeked")[0]
    for n, share in LOOKS.items():
        assert 100 * explorable._stopped([1.959964] * n, [0])[0] == pytest.approx(share, abs=0.051)
        if n <= len(peeked):
            assert peeked[n - 1] == share
    assert values(grid, "peeked")[4, 0] == 80  # one look at the planned effect


@pytest.mark.parametrize(("limit", "looks"), [(2.413, 5), (2.555, 10)])
def test_pococks_limits_keep_their_promise(limit, looks):
    assert explorable._stopped([limit] * looks, [0])[0] == pytest.approx(0.05, abs=1e-4)


def test_looks_are_those_of_a_simulation():
    limits, drift = [3.0, 2.5, 2.2, 2.0], 1.7
    rng = np.random.default_rng(0)
    z = (rng.normal(drift / 2, size=(200_000, 4)).cumsum(axis=1)) / np.sqrt([1, 2, 3, 4])
    share = (np.abs(z) > limits).any(axis=1).mean()
    assert explorable._stopped(limits, [0, drift])[1] == pytest.approx(share, abs=0.005)


def test_the_always_valid_interval_keeps_its_promise_at_any_number_of_looks():
    _, grid = drawn("peeking")
    for name in ("peeked", "valid"):
        assert (np.diff(values(grid, name), axis=1) >= 0).all()
    assert values(grid, "valid")[0].max() < 5
    assert (values(grid, "valid") <= values(grid, "peeked")).all()


def test_an_index_finds_all_in_all_of_its_cells_and_costs_its_centers():
    _, grid = drawn("index_recall")
    found, cost = values(grid, "found"), values(grid, "cost")
    assert (found[:, 0, -1] == 100).all()
    assert 100 < cost[0, -1] < 100 + 100 * 16 / 3_900
    assert (np.diff(found, axis=2) >= 0).all()
    page = (ROOT / "docs/modeling/two-towers.md").read_text(encoding="utf-8")
    for opened, share in re.findall(r"^(1|2|4|8|16) +[\d.]+% +([\d.]+)%$", page, re.MULTILINE):
        at = 1, 2, grid["axes"]["opened"]["values"].index(int(opened))
        assert abs(found[at] - float(share)) <= 3 * values(grid, "found", 1)[at]


def test_values_share_columns_as_often_as_drawn():
    _, grid = drawn("collisions")
    axes = {name: axis["values"] for name, axis in grid["axes"].items()}
    share, rng = values(grid, "share"), np.random.default_rng(0)
    for n, width in [(10_000, 4_096), (10_000, 65_536), (100_000, 1_048_576)]:
        column = rng.integers(0, width, n)
        counted = 100 * (np.bincount(column)[column] > 1).mean()
        assert share[axes["values"].index(n), axes["columns"].index(width)] == pytest.approx(counted, abs=1)


def test_a_limit_trades_bias_for_noise_as_logs_of_that_size_do():
    _, grid = drawn("clipping")
    bias, noise, error = (values(grid, name) for name in ("bias", "noise", "error"))
    assert bias[-1] == 0  # no weight reaches the largest limit
    assert (np.diff(bias) <= 0).all()
    assert (np.diff(noise, axis=1) >= 0).all()
    assert (np.diff(noise, axis=0) <= 0).all()
    assert (error >= np.maximum(bias, noise) - 1).all()
    truth, found = estimates(np.random.default_rng([0, 10]), 5_000, n_logs=1_000)
    for limit, name in [(31, "IPS"), (10, "clipped")]:
        exact = clipped(0)[f"error 5000 {limit}"]
        assert np.sqrt(np.mean((found[name] / truth - 1) ** 2)) == pytest.approx(exact, rel=0.08)


AXES = [Axis("a", "A", [1, 2], ["one", "two"], 0), Axis("b", "B", [1, 10], ["1", "10"], 1, knob=False)]


@pytest.mark.parametrize("held", [np.zeros(2), np.full((2, 2), np.nan)])
@pytest.mark.parametrize("part", ["values", "spread"])
def test_a_grid_with_a_hole_is_refused(held, part):
    given = {"values": np.zeros((2, 2)), part: held}
    with pytest.raises(ValueError, match="q must hold a finite number for each setting of a, b"):
        Grid(AXES, {"q": Quantity("Q", ("a", "b"), **given)}, "{q}")


def test_values_are_kept_and_said_as_they_are_shown():
    held = np.array([[-0.04, 1234.56], [2, 3]])
    grid = Grid(AXES, {"q": Quantity("Q <", ("a", "b"), held, 1, " s", True, np.full((2, 2), 0.26))}, "{a}: {q}")
    assert grid.words() == "one: +1,234.6\xa0±\xa00.3 s"
    assert grid.text("q", a=2, b=1) == "+2.0\xa0±\xa00.3 s"
    assert grid.text("q", b=1) == "+0.0\xa0±\xa00.3 s"
    assert grid.value("q") == 1234.6
    html = draw(
        "n",
        grid,
        [Curve("q", "b", "#010204")],
        lambda axes: axes.set_xscale("log"),
        'A "picture".',
        "Turn a.",
        "It is 2.",
    )
    found = BeautifulSoup(html, "html.parser").figure
    assert [plane[0] for plane in json.loads(found["data-grid"])["plane"]] == [True, False]
    assert found.select_one(".numbers p").text == "Q < (s). Across: B."
    assert [th.text for th in found.select(".numbers th")] == ["A", "1", "10", "one", "two"]
    assert cells(found) == [(0, 0.3), (1234.6, 0.3), (2, 0.3), (3, 0.3)]
    assert found.figcaption.text == "Turn a."
    assert found.select_one(".answer > p").text == "It is 2."


def test_steps_that_are_not_one_apart_are_refused():
    grid = Grid(AXES, {"q": Quantity("Q", ("a", "b"), np.zeros((2, 2)))}, "{q}")
    with pytest.raises(ValueError, match="the steps of q must be 1 apart"):
        draw(
            "n", grid, [Curve("q", "b", "#010204", steps=True)], lambda axes: None, "A picture.", "Turn a.", "Nothing."
        )
