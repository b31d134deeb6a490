import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
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


@given(ROWS)
def test_error_against_brute_force(data):
    y, p, n_bins, strategy = data
    cuts = np.arange(1, n_bins) / n_bins
    edges = np.unique(np.quantile(p, cuts)) if strategy == "quantile" else cuts
    bins = [sum(value > edge for edge in edges) for value in p]
    error = 0.0
    for b in set(bins):
        rows = [i for i in range(len(y)) if bins[i] == b]
        error += abs(sum(p[i] - y[i] for i in rows)) / len(y)
    assert expected_calibration_error(y, p, n_bins, strategy) == pytest.approx(error, rel=1e-9, abs=1e-12)


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
        ([[0, 1]], [0.5, 0.5], r"y_true must have one dimension, got shape \(1, 2\)"),
        ([0, 1], ["a", "b"], "y_prob must hold numbers"),
        ([0, 2, 1], [0.5] * 3, "y_true must be 0 or 1, got 2 at row 1"),
        ([0, -1, 1], [0.5] * 3, "y_true must be 0 or 1, got -1 at row 1"),
        ([0, 1, 0.5], [0.5] * 3, "y_true must be 0 or 1, got 0.5 at row 2"),
        ([0, np.nan, 1], [0.5] * 3, "y_true must be 0 or 1, got nan at row 1"),
        ([0, 1], [0.5, 1.01], r"y_prob must be in \[0, 1\], got 1.01 at row 1"),
        ([0, 1], [np.nan, 0.5], r"y_prob must be in \[0, 1\], got nan at row 0"),
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
