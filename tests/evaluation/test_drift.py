import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from snippets.evaluation.drift import (
    classifier_two_sample_test,
    population_stability_index,
    psi_bins,
    psi_threshold,
)

RNG = np.random.default_rng(8)


def test_by_hand():
    # The median cuts [1, 2] | [3, 4]: shares 1/2, 1/2 against 1/5, 4/5.
    expected = (1 / 5 - 1 / 2) * np.log(2 / 5) + (4 / 5 - 1 / 2) * np.log(8 / 5)
    assert population_stability_index([1, 2, 3, 4], [1, 3, 3, 4, 9], n_bins=2) == pytest.approx(expected, rel=1e-12)


def test_an_empty_bin_counts_as_half_a_row():
    # 2 and 2 rows against 0 and 4.
    e, a = np.array([0.5, 0.5]), np.array([0.5, 4]) / 4.5
    assert population_stability_index([1, 2, 3, 4], [3, 4, 4, 4], n_bins=2) == pytest.approx((a - e) @ np.log(a / e))


SAMPLE = st.lists(st.integers(-5, 5) | st.floats(-5, 5), min_size=1, max_size=60)


def bins_by_hand(expected, actual, n_bins):
    """Return the rows of both samples in each bin, by the words of the docstring."""
    ordered = sorted(map(float, expected))
    if len(set(ordered)) <= n_bins:
        edges = alone = sorted(set(ordered))
    else:
        edges = []
        for k in range(1, n_bins):
            rank = Fraction(len(ordered) * k, n_bins)  # a quantile between two rows lies half-way
            low, high = ordered[math.ceil(rank) - 1], ordered[math.floor(rank)]
            edges.append(low if low == high else low / 2 + high / 2)
        edges = sorted(set(edges))
        alone = [edge for edge in edges if Fraction(ordered.count(edge), len(ordered)) >= Fraction(1, n_bins)]
    counts = []
    for rows in (expected, actual):
        count = Counter()
        for x in rows:
            below, upto = (sum(edge < x for edge in edges), sum(edge <= x for edge in edges))
            places = [upto - 0.5] if x in alone else [below, upto]
            for place in places:
                count[place] += 1 / len(places)
        counts.append(count)
    return np.array([[count[place] for place in sorted({*counts[0], *counts[1]})] for count in counts])


@given(SAMPLE, SAMPLE, st.integers(2, 12))
def test_against_brute_force(expected, actual, n_bins):
    counts = bins_by_hand(expected, actual, n_bins)
    np.testing.assert_array_equal(psi_bins(expected, actual, n_bins), counts)
    total = 0.0
    for e, a in np.maximum(counts, 0.5).T:
        e, a = e / np.maximum(counts[0], 0.5).sum(), a / np.maximum(counts[1], 0.5).sum()
        total += (a - e) * np.log(a / e)
    assert population_stability_index(expected, actual, n_bins) == pytest.approx(total, rel=1e-9, abs=1e-12)


@given(SAMPLE, SAMPLE, st.integers(2, 12))
def test_the_negative_of_a_feature_has_its_index(expected, actual, n_bins):
    mirrored = psi_bins(-np.array(expected), -np.array(actual), n_bins)
    np.testing.assert_array_equal(mirrored, psi_bins(expected, actual, n_bins)[:, ::-1])


def categories(e, a):
    """Return the index of two samples of categories from their shares."""
    e, a = np.array(e), np.array(a)
    return pytest.approx((a - e) @ np.log(a / e), rel=1e-12)


@pytest.mark.parametrize("n_bins", [2, 3, 10, 50])
@pytest.mark.parametrize("sign", [1, -1])
def test_two_values_are_two_categories(n_bins, sign):
    one_in_twenty, half = sign * np.repeat([0, 1], [50, 950]), sign * np.repeat([0, 1], [500, 500])
    assert population_stability_index(one_in_twenty, half, n_bins) == categories([0.05, 0.95], [0.5, 0.5])
    assert population_stability_index(half, one_in_twenty, n_bins) == categories([0.5, 0.5], [0.05, 0.95])


def test_a_default_value_is_a_bin_of_its_own():
    # -1 stands for missing: 5 % of the reference, half of the sample; and a common value between many rare ones.
    reference, sample = np.repeat([-1, 0, 3], [50, 900, 50]), np.repeat([-1, 0, 3], [500, 450, 50])
    assert population_stability_index(reference, sample) == categories([0.05, 0.9, 0.05], [0.5, 0.45, 0.05])
    around = np.linspace(-1, 1, 400)
    reference, sample = np.r_[around, np.zeros(600)], np.r_[around, np.full(600, -0.001)]
    assert [600, 0] in psi_bins(reference, sample).T.tolist()
    assert population_stability_index(reference, sample) > 3
    assert population_stability_index(np.r_[around, np.zeros(600)], np.r_[around, np.full(600, -9)]) > 3


def test_it_is_two_relative_entropies():
    expected, actual = RNG.normal(size=5000), RNG.normal(0.5, 1.2, 7000)
    edges = np.quantile(expected, np.arange(1, 10) / 10, method="averaged_inverted_cdf")
    e, a = (np.bincount(np.searchsorted(edges, x)) / len(x) for x in (expected, actual))
    jeffreys = stats.entropy(e, a) + stats.entropy(a, e)
    assert population_stability_index(expected, actual) == pytest.approx(jeffreys, rel=1e-9)


def test_a_sample_does_not_drift_from_itself():
    for x in (RNG.normal(size=100), np.ones(50), np.array([True, False, True])):
        assert population_stability_index(x, x) == 0


@pytest.mark.parametrize("size", [1, 5e-324, np.finfo(float).max])
def test_a_constant_that_moves_is_seen_wherever_it_goes(size):
    there = size * np.ones(100)
    # 100 and no row against no row and 100, an empty bin as half a row.
    e, a = np.array([100, 0.5]) / 100.5, np.array([0.5, 100]) / 100.5
    for now in (np.zeros(100), -there):
        for pair in ((there, now), (now, there)):
            assert population_stability_index(*pair) == categories(e, a)


def test_edges_between_huge_values_are_finite():
    huge = np.array([-1.7e308, 1.6e308, 1.7e308])
    assert psi_bins(huge, huge, 2).tolist() == [[1.5, 1.5], [1.5, 1.5]]


@pytest.mark.parametrize(("n", "m", "bins"), [(500, 500, 10), (2_000, 300, 5), (20_000, 20_000, 20)])
def test_threshold_has_its_false_alarm_rate(n, m, bins):
    limit = psi_threshold(n, m, bins, 0.05)
    alarms = sum(population_stability_index(RNG.normal(size=n), RNG.normal(size=m), bins) > limit for _ in range(1000))
    # Monte Carlo error 0.7 %; the chi-squared approximation runs a little high in small samples.
    assert 0.03 < alarms / 1000 < 0.085


@pytest.mark.parametrize("draw", [lambda n: RNG.poisson(1, n), lambda n: RNG.normal(size=n).clip(0)])
def test_threshold_of_the_bins_that_there_are_has_it_too(draw):
    n, alarms, wrong = 2_000, 0, 0
    for _ in range(1000):
        reference, sample = draw(n), draw(n)
        index, bins = population_stability_index(reference, sample), psi_bins(reference, sample).shape[1]
        alarms += index > psi_threshold(n, n, bins, 0.05)
        wrong += index > psi_threshold(n, n, 10, 0.05)
    assert 0.03 < alarms / 1000 < 0.085
    assert wrong / 1000 < 0.02  # ten bins, as asked for, are not what was compared


def test_classifier_on_equal_samples_has_uniform_p_values():
    p = [classifier_two_sample_test(*RNG.normal(size=(2, 120, 3)), seed=i).p_value for i in range(100)]
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_classifier_sees_what_no_single_column_shows():
    x = RNG.normal(size=(2000, 2))
    together = RNG.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 2000)
    assert all(population_stability_index(x[:, i], together[:, i]) < psi_threshold(2000, 2000) for i in (0, 1))
    result = classifier_two_sample_test(x, together)
    assert result.p_value < 1e-6
    assert result.auc > 0.6


def test_auc_against_scikit_learn():
    x, y = RNG.normal(size=(301, 4)), RNG.normal(0.3, 1, (202, 4))
    half, other, label, truth = train_test_split(
        np.vstack([x, y]), [0] * 301 + [1] * 202, test_size=0.5, stratify=[0] * 301 + [1] * 202, random_state=3
    )
    trees = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=3)
    expected = roc_auc_score(truth, trees.fit(half, label).predict_proba(other)[:, 1])
    assert classifier_two_sample_test(x, y, seed=3).auc == pytest.approx(expected, rel=1e-12)


def test_samples_that_one_column_separates_have_an_auc_of_one():
    assert classifier_two_sample_test(np.zeros((40, 1)), np.ones((60, 1))).auc == 1


def test_the_smallest_samples_count():
    assert classifier_two_sample_test(np.zeros((20, 1)), np.zeros((20, 1))).auc == 0.5
    assert psi_threshold(1, 1, 2) == pytest.approx(2 * stats.norm.isf(0.005) ** 2)  # one degree of freedom


def test_a_column_without_values_tells_nothing():
    x, y = RNG.normal(size=(2, 60, 2))
    alone = classifier_two_sample_test(x[:, :1], y[:, :1])
    x[:, 1] = y[:, 1] = np.nan
    assert classifier_two_sample_test(x, y) == alone


def test_missing_values_are_a_difference():
    x = RNG.normal(size=(400, 1))
    gaps = np.where(RNG.random((400, 1)) < 0.3, np.nan, RNG.normal(size=(400, 1)))
    assert classifier_two_sample_test(x, gaps).p_value < 0.001
    tables = [pd.DataFrame(array, columns=["x"]).convert_dtypes() for array in (x, gaps)]
    assert tables[1]["x"].isna().any()
    assert classifier_two_sample_test(*tables) == classifier_two_sample_test(x, gaps)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: population_stability_index([], [1]), "expected is empty"),
        (lambda: population_stability_index([1], []), "actual is empty"),
        (lambda: population_stability_index([1], [1], 1), "n_bins must be a whole number of at least 2, got 1"),
        (lambda: population_stability_index([1], [1], 2.0), "n_bins must be a whole number of at least 2, got 2.0"),
        (lambda: psi_threshold(0, 1), "n_expected must be a whole number of at least 1, got 0"),
        (lambda: psi_threshold(1, 1, 1), "n_bins must be a whole number of at least 2, got 1"),
        (lambda: psi_threshold(1, True), "n_actual must be a whole number of at least 1, got True"),
        (lambda: psi_threshold(1, 1, 2, 1), r"false_alarm_rate must be in \(0, 1\), got 1"),
        (lambda: psi_threshold(1, 1, 2, 0), r"false_alarm_rate must be in \(0, 1\), got 0"),
        (
            lambda: classifier_two_sample_test(np.ones((20, 2)), np.ones((20, 3))),
            "actual has 3 columns, expected has 2",
        ),
        (
            lambda: classifier_two_sample_test(np.ones((30, 1)), np.ones((19, 1))),
            r"actual must have 20 rows or more and a column, got shape \(19, 1\)",
        ),
        (
            lambda: classifier_two_sample_test(np.ones((30, 0)), np.ones((30, 0))),
            r"expected must have 20 rows or more and a column, got shape \(30, 0\)",
        ),
        (
            lambda: classifier_two_sample_test(pd.DataFrame({"a": ["x"] * 30}), np.ones((30, 1))),
            r"expected\['a'\] must hold numbers, got 'x' at row 0",
        ),
        (
            lambda: classifier_two_sample_test(pd.DataFrame({"a": [1j] * 30}), np.ones((30, 1))),
            r"expected\['a'\] must hold numbers, got 1j at row 0",
        ),
        (
            lambda: classifier_two_sample_test(np.ones((30, 1)), np.ones((30, 1)), seed=2**32),
            r"seed must be a whole number in \[0, 4294967295\]",
        ),
        (
            lambda: classifier_two_sample_test(np.ones((30, 1)), np.full((30, 1), np.inf)),
            "actual must be finite or NaN, got inf at row 0, column 0",
        ),
        (
            lambda: classifier_two_sample_test(pd.DataFrame(np.ones((30, 2))), pd.DataFrame(np.ones((30, 2)))[[1, 0]]),
            r"actual has the columns \[1, 0\], expected has \[0, 1\]",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
