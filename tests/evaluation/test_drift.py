import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from snippets.evaluation.drift import classifier_two_sample_test, population_stability_index, psi_threshold

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


@given(SAMPLE, SAMPLE, st.integers(2, 12))
def test_against_brute_force(expected, actual, n_bins):
    ordered = sorted(expected)
    ranks = [
        -(-k * len(ordered) // n_bins) for k in range(1, n_bins)
    ]  # the smallest value with k / n_bins below or at it
    edges = sorted({ordered[max(rank, 1) - 1] for rank in ranks})
    total, pairs = 0.0, []
    for i in range(len(edges) + 1):
        inside = [
            sum((i == 0 or x > edges[i - 1]) and (i == len(edges) or x <= edges[i]) for x in xs)
            for xs in (expected, actual)
        ]
        if any(inside):
            pairs.append([max(n, 0.5) for n in inside])
    for e, a in pairs:
        e, a = e / sum(p[0] for p in pairs), a / sum(p[1] for p in pairs)
        total += (a - e) * np.log(a / e)
    assert population_stability_index(expected, actual, n_bins) == pytest.approx(total, rel=1e-9, abs=1e-12)


def test_it_is_two_relative_entropies():
    expected, actual = RNG.normal(size=5000), RNG.normal(0.5, 1.2, 7000)
    edges = np.quantile(expected, np.arange(1, 10) / 10, method="inverted_cdf")
    e, a = (np.bincount(np.searchsorted(edges, x)) / len(x) for x in (expected, actual))
    jeffreys = stats.entropy(e, a) + stats.entropy(a, e)
    assert population_stability_index(expected, actual) == pytest.approx(jeffreys, rel=1e-9)


def test_a_sample_does_not_drift_from_itself():
    for x in (RNG.normal(size=100), np.ones(50), np.array([True, False, True])):
        assert population_stability_index(x, x) == 0


def test_a_constant_that_moves_is_seen():
    assert population_stability_index(np.zeros(100), np.ones(100)) > 1
    assert population_stability_index(np.zeros(100), -np.ones(100)) == 0  # below the only edge: the same bin


@pytest.mark.parametrize(("n", "m", "bins"), [(500, 500, 10), (2_000, 300, 5), (20_000, 20_000, 20)])
def test_threshold_has_its_false_alarm_rate(n, m, bins):
    limit = psi_threshold(n, m, bins, 0.05)
    alarms = sum(population_stability_index(RNG.normal(size=n), RNG.normal(size=m), bins) > limit for _ in range(1000))
    # Monte Carlo error 0.7 %; the chi-squared approximation runs a little high in small samples.
    assert 0.03 < alarms / 1000 < 0.085


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


def test_missing_values_are_a_difference():
    x = RNG.normal(size=(400, 1))
    gaps = np.where(RNG.random((400, 1)) < 0.3, np.nan, RNG.normal(size=(400, 1)))
    assert classifier_two_sample_test(x, gaps).p_value < 0.001


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: population_stability_index([], [1]), r"expected must have one dimension and a row, got shape \(0,\)"),
        (
            lambda: population_stability_index([1], [[1]]),
            r"actual must have one dimension and a row, got shape \(1, 1\)",
        ),
        (lambda: population_stability_index(["a"], [1]), "expected must hold numbers"),
        (lambda: population_stability_index([1.0, 2.0], [1.0, np.nan]), "actual must not hold NaN, got one at row 1"),
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
        (lambda: classifier_two_sample_test(np.ones(30), np.ones((20, 1))), r"expected must have the shape"),
        (lambda: classifier_two_sample_test(np.ones((30, 1)), np.ones((19, 1))), r"actual must .*, got \(19, 1\)"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
