import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from scipy.stats import t

from snippets.scale.learning_curve import next_doubling

SIZES = 1_000 * 2.0 ** np.arange(6)


def rows(curves, sizes=SIZES):
    """Return the arguments for a matrix of losses, one run a row."""
    curves = np.asarray(curves)
    return np.tile(sizes, len(curves)), curves.ravel(), np.repeat(np.arange(len(curves)), len(sizes))


def law(n, a, b, c):
    return a + b * (n / SIZES[-1]) ** -c


def noisy(seed, n_runs=5, noise=0.002, exponent=0.4):
    rng = np.random.default_rng(seed)
    return law(SIZES, 0.7, 0.1, exponent) + rng.normal(0, noise / np.sqrt(SIZES / 1_000), (n_runs, len(SIZES)))


@given(st.floats(-1, 1), st.floats(0.001, 1), st.floats(0.05, 2.5))
@settings(max_examples=50, deadline=None)
def test_of_a_curve_that_is_a_power_law_it_finds_the_next_doubling(a, b, c):
    found = next_doubling(*rows([law(SIZES, a, b, c)] * 3))
    assert found.power_law == pytest.approx(b * (1 - 2**-c), rel=1e-4, abs=1e-9)
    assert found.exponent == pytest.approx(c, rel=1e-3)
    assert found.last == pytest.approx(b * (2**c - 1), rel=1e-9)
    assert found.high - found.low == pytest.approx(0, abs=1e-9)


def scipy_gain(curve, sizes=SIZES):
    """Return the gain by scipy's curve_fit."""
    start = curve[-1], curve[0] - curve[-1], 0.4
    (_, b, c), _ = curve_fit(law, sizes, curve, start, sigma=sizes**-0.5, maxfev=20_000, ftol=1e-15, xtol=1e-15)
    return b * (1 - 2**-c)


@pytest.mark.parametrize("seed", range(8))
def test_fit_and_interval_are_those_of_scipys_curve_fit_and_the_jackknife_by_hand(seed):
    curves = noisy(seed)
    found = next_doubling(*rows(curves), level=0.9)
    gain = scipy_gain(curves.mean(axis=0))
    without = np.array([scipy_gain(np.delete(curves, i, axis=0).mean(axis=0)) for i in range(5)])
    half = t.ppf(0.95, 4) * np.sqrt(4 / 5 * ((without - without.mean()) ** 2).sum())
    wanted = gain, gain - half, gain + half
    assert (found.power_law, found.low, found.high) == pytest.approx(wanted, rel=1e-3, abs=1e-7)
    steps = curves[:, -2] - curves[:, -1]
    half = t.ppf(0.95, 4) * steps.std(ddof=1) / np.sqrt(5)
    wanted = steps.mean(), steps.mean() - half, steps.mean() + half
    assert (found.last, found.last_low, found.last_high) == pytest.approx(wanted)


def test_where_the_law_holds_the_interval_covers_the_truth_about_as_often_as_it_says():
    truth = 0.1 * (1 - 2**-0.4)
    found = [next_doubling(*rows(noisy(seed))) for seed in range(200)]
    covered = np.mean([f.low < truth < f.high for f in found])
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 200) < covered <= 1


def test_a_step_that_is_no_doubling_counts_as_the_part_of_one_that_it_is():
    sizes = np.array([1_000, 2_000, 4_000, 5_000])
    curve = 1 - 0.01 * np.log2(sizes)
    assert next_doubling(*rows([curve] * 3, sizes)).last == pytest.approx(0.01)


def test_the_gain_of_a_curve_that_gets_worse_is_below_zero():
    found = next_doubling(*rows([law(SIZES, 0.7, -0.1, 0.5)] * 3))
    assert found.power_law < 0 > found.last


@pytest.mark.parametrize("curve", [SIZES * 0 + 0.5, np.log2(SIZES), SIZES**0.9])
def test_a_curve_that_is_no_power_law_gets_the_nearest_exponent(curve):
    found = next_doubling(*rows([curve] * 3))
    assert np.isfinite(found).all()
    assert 0.01 <= found.exponent <= 3


def test_the_order_of_rows_and_the_names_of_runs_do_not_matter():
    n, loss, run = rows(noisy(0))
    order = np.random.default_rng(1).permutation(len(n))
    assert next_doubling(n, loss, run) == next_doubling(n[order], loss[order], [f"run {-r}" for r in run[order]])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"n_rows": [1] * 30}, "n_rows and run must have at least 4 sizes and 3 runs, got 1 and 5"),
        ({"run": [0, 1] * 15}, "n_rows and run must have at least 4 sizes and 3 runs, got 6 and 2"),
        ({"run": [0, 1, 2] * 10}, "run must have each size once, got a run with 1000 rows 5 times"),
        ({"run": [*[0] * 6, *[1] * 6, *[2] * 18]}, "run must have each size once, got a run with 1000 rows 3 times"),
        ({"run": [None, *[1] * 29]}, "run is missing at row 0"),
        ({"n_rows": [0.5] * 30}, r"n_rows must be in \[1, 1e14\], got 0.5 at row 0"),
        ({"loss": [np.nan] * 30}, "loss must be in .*, got nan at row 0"),
        ({"loss": [1, 2]}, "loss has 2 rows, n_rows has 30"),
        ({"level": 1}, r"level must be in \(0, 1\), got 1"),
    ],
)
def test_what_is_wrong_is_said(change, complaint):
    arguments = dict(zip(("n_rows", "loss", "run"), rows(noisy(0)), strict=True)) | change
    with pytest.raises(ValueError, match=complaint):
        next_doubling(**arguments)
