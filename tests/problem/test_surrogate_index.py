import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from snippets.problem.surrogate_index import proxy_correlation, surrogate_index


def world(seed, n=400):
    """Draw old users and an experiment in which the metrics carry the whole effect: 0.3 x 1 - 0.2 x 2 = -0.1."""
    rng = np.random.default_rng(seed)

    def users(shift):
        S = rng.normal(size=(n, 2)) + shift
        return S, S @ [1.0, -2.0] + rng.normal(0, 0.5 + np.abs(S[:, 0]), n)

    history, treatment, control = users(0), users([0.3, 0.2]), users(0)
    return history[0], history[1], treatment[0], control[0]


def test_the_effect_is_that_of_the_forecasts_by_statsmodels_with_its_robust_error():
    S, y, treated, control = world(0)
    fit = sm.OLS(y, sm.add_constant(S)).fit(cov_type="HC0")
    result = surrogate_index(S, y, treated, control)
    assert result.effect == pytest.approx(
        fit.predict(sm.add_constant(treated)).mean() - fit.predict(sm.add_constant(control)).mean()
    )
    gap = np.append(0, treated.mean(0) - control.mean(0))
    of_gap = sum((arm @ fit.params[1:]).var(ddof=1) / len(arm) for arm in (treated, control))
    assert result.standard_error == pytest.approx(np.sqrt(gap @ fit.cov_params() @ gap + of_gap))


def test_the_interval_covers_the_truth_as_often_as_it_says():
    results = [surrogate_index(*world(seed), level=0.8) for seed in range(400)]
    covered = np.mean([r.low <= -0.1 <= r.high for r in results])
    assert abs(covered - 0.8) < 4 * np.sqrt(0.8 * 0.2 / 400)
    assert np.mean([r.standard_error for r in results]) == pytest.approx(np.std([r.effect for r in results]), rel=0.15)


def test_without_noise_the_correlation_is_the_cosine():
    x, y = np.array([1.0, -2.0, 3.0, 0.5]), np.array([2.0, -3.0, 7.0, 1.0])
    assert proxy_correlation(x, y).correlation == pytest.approx(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
    assert proxy_correlation(x, -2 * x).correlation == pytest.approx(-1)


def test_an_interval_holds_95_percent_unless_asked_for_another():
    result = surrogate_index(*world(0))
    assert (result.high - result.effect) / result.standard_error == pytest.approx(1.959964, rel=1e-6)
    assert result.effect - result.low == pytest.approx(result.high - result.effect)


def test_the_standard_error_is_the_jackknife_of_whole_experiments():
    rng = np.random.default_rng(4)
    x, y = rng.normal(0.7, 1, (2, 7))
    noise = np.tile([[0.1, 0.02], [0.02, 0.05]], (7, 1, 1))
    others = [np.delete(np.arange(7), i) for i in range(7)]
    left_out = [proxy_correlation(x[o], y[o], noise[o]).correlation for o in others]
    result = proxy_correlation(x, y, noise)
    assert result.standard_error == pytest.approx(np.sqrt(6 / 7 * np.var(left_out) * 7))


def test_taking_off_the_noise_finds_the_correlation_that_the_plain_one_misses():
    noise = np.array([[1.0, 0.9], [0.9, 1.0]])
    plain, mended, claimed = [], [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        true = rng.multivariate_normal([0, 0], [[1.0, -0.5], [-0.5, 1.0]], 300)
        seen = true + rng.multivariate_normal([0, 0], noise, 300)
        plain.append(proxy_correlation(*seen.T).correlation)
        result = proxy_correlation(*seen.T, np.broadcast_to(noise, (300, 2, 2)))
        mended.append(result.correlation)
        claimed.append(result.standard_error)
    assert np.mean(plain) == pytest.approx((-0.5 + 0.9) / 2, abs=0.03)  # of the wrong sign
    assert abs(np.mean(mended) + 0.5) < 4 * np.std(mended) / np.sqrt(60) + 0.02
    assert np.mean(claimed) == pytest.approx(np.std(mended), rel=0.3)


@pytest.mark.parametrize("unit", [1e-150, 1e-9, 1e9, 1e150])
def test_a_correlation_has_no_unit(unit):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 9))
    noise, units = np.tile(np.eye(2) / 10, (9, 1, 1)), np.array([unit, 1])
    expected = proxy_correlation(x, y, noise)
    assert proxy_correlation(unit * x, y, noise * units * units[:, None]) == pytest.approx(expected)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_an_index_does_not_depend_on_the_units_of_its_metrics(unit):
    S, y, treated, control = world(0)
    expected, units = surrogate_index(S, y, treated, control), np.array([unit, 1])
    assert surrogate_index(S * units, y, treated * units, control * units) == pytest.approx(expected)
    shifted = [array + np.array([0, 1e6]) for array in (S, treated, control)]
    assert surrogate_index(shifted[0], y, *shifted[1:]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("more", [[1, 0], [0.1, 0.7], [1e9 / 3, 0]])
def test_a_metric_that_others_determine_is_refused(more):
    arms = [np.column_stack([array, array @ np.array(more) + 3]) for array in world(0)[::2]]
    with pytest.raises(ValueError, match="a metric that the others determine"):
        surrogate_index(arms[0], world(0)[1], arms[1], arms[1])


ONES, ARM = np.ones(3), np.array([[1.0], [2.0]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ONES, ONES, ARM, ARM), "short_history must have two dimensions"),
        ((ARM, ONES, ARM, ARM), "long_history has 3 rows, short_history has 2"),
        ((ARM, [1, 2], ARM[:1], ARM), r"short_treatment must be of shape \(at least 2, 1\), got \(1, 1\)"),
        ((ARM, [1, 2], ARM, np.ones((2, 2))), "short_control must be of shape"),
        ((ARM, [1, np.nan], ARM, ARM), "long_history must be finite, got nan at row 1"),
        ((ARM, [1, 2], ARM, ARM, 0), "level must be in"),
        ((ARM, [1, 2], ARM, ARM, 1), "level must be in"),
        ((np.full((7, 1), 0.1), np.ones(7), ARM, ARM), "a metric that the others determine"),
        ((np.full((5, 1), 1e9 / 3), np.ones(5), ARM, ARM), "a metric that the others determine"),
        ((np.zeros((5, 1)), np.ones(5), ARM, ARM), "a metric that the others determine"),
        ((np.eye(2), np.ones(2), np.eye(2), np.eye(2)), "too few users"),
        ((np.ones((3, 0)), np.ones(3), np.ones((2, 0)), np.ones((2, 0))), "has too few users, or a metric"),
    ],
)
def test_bad_experiments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        surrogate_index(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((ONES, ONES[:2]), "goal_effects has 2 rows, proxy_effects has 3"),
        ((ONES, ONES, np.zeros((3, 3, 3))), r"noise must be of shape \(3, 2, 2\), got \(3, 3, 3\)"),
        ((ONES, ONES, -np.ones((3, 2, 2))), "noise must hold variances of at least 0, got -1 at row 0, column 0"),
        ((1.0, 2.0), "proxy_effects must have one dimension, got 1.0"),
        (([1, 0, 0], ONES), "no larger than their noise"),
        (([3, 1e-9, 1e-9], ONES), "no larger than their noise"),
        ((0 * ONES, ONES), "no larger than their noise"),
        ((ONES[:2], ONES[:2]), "at least three experiments are needed, got 2"),
        ((ONES, [1, 2, np.inf]), "goal_effects must be finite, got inf at row 2"),
        ((ONES, ONES, np.tile(np.eye(2), (3, 1, 1))), "no larger than their noise"),
    ],
)
def test_bad_lifts_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        proxy_correlation(*arguments)


@pytest.mark.parametrize(("metric", "goal"), [(1e-300, 1.0), (1e300, 1.0), (1.0, 1e-300), (1.0, 1e300)])
def test_the_index_scales_with_its_units(metric, goal):
    rng = np.random.default_rng(0)
    history, treated, control = rng.random((50, 2)), rng.random((30, 2)) + 0.2, rng.random((30, 2))
    y = history @ [1, 2] + rng.normal(0, 0.1, 50)
    plain = surrogate_index(history, y, treated, control)
    scaled = surrogate_index(history * metric, y * goal, treated * metric, control * metric)
    np.testing.assert_allclose(scaled, np.array(plain) * goal, rtol=1e-9)


def test_metrics_in_another_order_are_refused():
    frame = pd.DataFrame({"a": [0.0, 1, 2, 5], "b": [1.0, 0, 3, 1]})
    with pytest.raises(ValueError, match=r"short_control must have the columns of short_history, \['a', 'b'\]"):
        surrogate_index(frame, [1, 2, 3, 4], frame, frame[["b", "a"]])


@pytest.mark.parametrize("noise", [[[0.1, -5], [-5, 0.1]], [[1, 0.5], [-0.5, 1]]])
def test_noise_that_is_no_covariance_is_refused(noise):
    with pytest.raises(ValueError, match="noise must hold covariances"):
        proxy_correlation([1, -2, 3], [2, -3, 7], [noise] * 3)
