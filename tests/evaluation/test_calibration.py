from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.calibration import calibration_curve

from snippets.evaluation.calibration import (
    calibration_noise_floor,
    calibration_ratio,
    expected_calibration_error,
    reliability_curve,
)

RNG = np.random.default_rng(11)
P = RNG.beta(1, 20, 50_000)
Y = (RNG.random(50_000) < P).astype(np.int8)


def test_ratio_by_hand():
    # 0.1 + 0.3 + 0.5 + 0.6 = 1.5 clicks expected, 2 observed.
    assert calibration_ratio([0, 1, 0, 1], [0.1, 0.3, 0.5, 0.6]) == pytest.approx(0.75, rel=1e-12)


@pytest.mark.parametrize("y", [Y.astype(bool), Y.astype(np.float64), Y.astype(np.uint8), list(Y)])
def test_ratio_takes_every_kind_of_label(y):
    assert calibration_ratio(y, P) == pytest.approx(P.sum() / Y.sum(), rel=1e-12)


def test_single_precision_is_not_summed_in_single_precision():
    single = P.astype(np.float32)
    assert calibration_ratio(Y, single) == pytest.approx(single.astype(np.float64).sum() / Y.sum(), rel=1e-12)


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
@pytest.mark.parametrize("n_bins", [1, 2, 10, 37])
def test_curve_against_scikit_learn(strategy, n_bins):
    observed, predicted = calibration_curve(Y, P, n_bins=n_bins, strategy=strategy)
    curve = reliability_curve(Y, P, n_bins, strategy)
    np.testing.assert_allclose(curve.mean_predicted, predicted, rtol=1e-12)
    np.testing.assert_allclose(curve.observed_rate, observed, rtol=1e-12)


def test_curve_by_hand():
    # Width 1/2: {0.1, 0.2, 0.5} and {0.9}; an edge belongs to the bin below it.
    curve = reliability_curve([0, 1, 0, 1], [0.1, 0.2, 0.5, 0.9], n_bins=2, strategy="uniform")
    np.testing.assert_allclose(curve.mean_predicted, [0.8 / 3, 0.9])
    np.testing.assert_allclose(curve.observed_rate, [1 / 3, 1])
    assert curve.count.tolist() == [3, 1]
    np.testing.assert_allclose(curve.standard_error, [np.sqrt(0.8 / 3 * 2.2 / 3 / 3), np.sqrt(0.09)])


def test_empty_bins_are_left_out_and_equal_quantiles_merged():
    assert reliability_curve([0, 1, 0], [0.05, 0.95, 0.05], n_bins=10, strategy="uniform").count.tolist() == [
        2,
        1,
    ]
    assert reliability_curve([0, 1, 0, 1], [0.2, 0.2, 0.2, 0.2]).count.tolist() == [4]


ROWS = st.integers(1, 60).flatmap(
    lambda n: st.tuples(
        arrays(np.int8, n, elements=st.integers(0, 1)),
        arrays(np.float64, n, elements=st.floats(0, 1)),
        st.integers(1, 12),
        st.sampled_from(["quantile", "uniform"]),
    )
)


@given(ROWS)
def test_bins_partition_the_rows(data):
    y, p, n_bins, strategy = data
    curve = reliability_curve(y, p, n_bins, strategy)
    assert curve.count.sum() == len(y)
    assert (curve.count > 0).all()
    assert curve.observed_rate @ curve.count == pytest.approx(y.sum(), rel=1e-9)
    assert curve.mean_predicted @ curve.count == pytest.approx(p.sum(), rel=1e-9)
    assert (np.diff(curve.mean_predicted) > -1e-12).all()


def bins_by_hand(p, n_bins, strategy):
    """Return the rows of each bin, by the words of the docstring."""
    ordered, n = sorted(p), len(p)
    if strategy == "uniform":
        ends = [k / n_bins for k in range(1, n_bins)]
    elif len(set(p)) <= n_bins:
        ends = sorted(set(p))
    else:
        gaps = [i for i in range(n + 1) if i in (0, n) or ordered[i - 1] < ordered[i]]
        cuts = set()
        for k in range(1, n_bins):
            place = Fraction((n - 1) * k, n_bins) + Fraction(1, 2)
            nearest = min(abs(gap - place) for gap in gaps)
            near = [gap for gap in gaps if abs(gap - place) == nearest]
            cuts |= {near[-1]} if len(near) == 1 or near[1] - near[0] == 1 else set(near)
        ends = [ordered[cut - 1] for cut in cuts if cut]
    bins = {}
    for row in range(n):
        bins.setdefault(sum(end < p[row] for end in ends), []).append(row)
    return [bins[place] for place in sorted(bins)]


@given(ROWS)
def test_curve_against_brute_force(data):
    y, p, n_bins, strategy = data
    bins = bins_by_hand(p, n_bins, strategy)
    curve = reliability_curve(y, p, n_bins, strategy)
    assert curve.count.tolist() == [len(rows) for rows in bins]
    assert curve.observed_rate == pytest.approx([y[rows].mean() for rows in bins], rel=1e-9)
    error = sum(abs(sum(p[rows] - y[rows])) for rows in bins) / len(y)
    assert expected_calibration_error(y, p, n_bins, strategy) == pytest.approx(error, rel=1e-9, abs=1e-12)


def test_equal_predictions_in_the_very_middle_have_a_bin_of_their_own():
    # Either of the two other ways to keep the pair together would favour one side.
    assert reliability_curve([0, 1, 0, 1, 0, 1], [0.1, 0.2, 0.5, 0.5, 0.8, 0.9], n_bins=2).count.tolist() == [2, 2, 2]
    assert reliability_curve([0, 1, 0], [0.1, 0.2, 0.5], n_bins=2).count.tolist() == [2, 1]  # one row goes below


@pytest.mark.parametrize("n_bins", [2, 3, 10])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_common_prediction_has_a_bin_of_its_own(n_bins, mirrored):
    # A twentieth of the rows is promised far too few clicks. 1/64 and 3/64 have exact differences from 1.
    p = np.repeat([1, 3], [500, 9_500]) / 64
    y = np.r_[np.arange(500) % 4 == 0, np.arange(9_500) % 64 < 3]
    if mirrored:
        p, y = 1 - p, ~y
    curve = reliability_curve(y, p, n_bins)
    assert sorted(curve.count) == [500, 9_500]
    expected = (500 * (1 / 4 - 1 / 64) + abs(9_500 * 3 / 64 - np.sum(y[500:] != mirrored))) / 10_000
    assert expected_calibration_error(y, p, n_bins) == pytest.approx(expected, rel=1e-12)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 16), st.integers(2, 9)), min_size=1, max_size=20),
    st.integers(1, 12),
)
def test_no_clicks_and_clicks_may_be_swapped_where_predictions_repeat(rows, n_bins):
    y, p, repeats = np.array(rows).T
    y, p = y.repeat(repeats), p.repeat(repeats) / 16
    error, mirrored = expected_calibration_error(y, p, n_bins), expected_calibration_error(1 - y, 1 - p, n_bins)
    assert error == pytest.approx(mirrored, rel=1e-9, abs=1e-12)
    assert calibration_noise_floor(p, n_bins) == pytest.approx(
        calibration_noise_floor(1 - p, n_bins), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (100, 1e-4), (1_000, 0.0123), (10, 0.5), (7, 0.99), (50, 1 - 1e-6)])
def test_noise_floor_of_equal_predictions_against_scipy(n, p):
    expected = stats.binom(n, p).expect(lambda clicks: abs(clicks - n * p)) / n
    assert calibration_noise_floor(np.full(n, p)) == pytest.approx(expected, rel=1e-9)


def test_noise_floor_of_few_expected_clicks_in_a_bin():
    # A hundredth of a click in each of ten bins: almost surely none comes, then the error is that hundredth.
    p = np.linspace(0.5e-4, 1.5e-4, 1_000)
    inside = p.reshape(10, 100)
    none = np.exp(np.log1p(-inside).sum(axis=1))
    expected = 2 * (inside.sum(axis=1) * none).sum() / 1_000  # as far below the mean as above it
    assert calibration_noise_floor(p) == pytest.approx(expected, rel=2e-3)


def test_certain_predictions_have_no_noise():
    assert calibration_noise_floor([0.0, 1.0, 1.0]) == 0
    assert calibration_noise_floor([0.0, 1.0, 0.5]) == pytest.approx(0.5 / 3)
    assert calibration_noise_floor([1e-50] * 4) == pytest.approx(2e-50, rel=1e-9, abs=0)
    assert calibration_noise_floor([1e-200] * 4) < 1e-100


def test_noise_floor_is_the_error_of_the_truth():
    errors = [expected_calibration_error(RNG.random(len(P)) < P, P) for _ in range(200)]
    standard_error = np.std(errors) / np.sqrt(len(errors))
    assert abs(np.mean(errors) - calibration_noise_floor(P)) < 4 * standard_error


@pytest.mark.parametrize("function", [calibration_ratio, reliability_curve, expected_calibration_error])
@pytest.mark.parametrize(
    ("y", "p", "message"),
    [
        ([], [], "y_true is empty"),
        ([0, 1], [0.5], "y_prob has 1 rows, y_true has 2"),
        ([*Y, 2], [*P, 0.5], "y_true must be 0 or 1, got 2 at row 50000"),
        ([*Y, np.nan], [*P, 0.5], "y_true must be 0 or 1, got nan at row 50000"),
        ([*Y, 1], [*P, 1.5], r"y_prob must be in \[0, 1\], got 1.5 at row 50000"),
    ],
)
def test_bad_input_is_named(function, y, p, message):
    with pytest.raises(ValueError, match=message):
        function(y, p)


def test_ten_bins_of_equal_size_unless_asked_for_others():
    assert expected_calibration_error(Y, P) == expected_calibration_error(Y, P, 10, "quantile")
    assert calibration_noise_floor(P) == calibration_noise_floor(P, 10, "quantile")
    np.testing.assert_array_equal(reliability_curve(Y, P), reliability_curve(Y, P, 10, "quantile"))


def test_noise_floor_checks_its_input():
    with pytest.raises(ValueError, match="y_prob must be in"):
        calibration_noise_floor([0.5, 2.0])


def test_ratio_without_clicks_is_undefined():
    with pytest.raises(ValueError, match="y_true holds no click"):
        calibration_ratio([0, 0], [0.1, 0.2])


@pytest.mark.parametrize(
    ("n_bins", "strategy", "name"),
    [(0, "uniform", "n_bins"), (2.5, "uniform", "n_bins"), (3, "width", "strategy")],
)
def test_bad_bins_are_named(n_bins, strategy, name):
    with pytest.raises(ValueError, match=f"{name} must be"):
        reliability_curve(Y, P, n_bins, strategy)
