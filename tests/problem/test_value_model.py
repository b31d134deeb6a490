import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from snippets.problem.value_model import expected_value, values_from_experiments


def test_a_score_by_hand():
    p = {"click": [0.1, 0.2], "hide": [0.0, 0.01], "minutes": [3.0, 0.5]}
    score = expected_value(p, {"click": 1.0, "hide": -20.0, "minutes": 0.1})
    assert score == pytest.approx([0.1 + 0.3, 0.2 - 0.2 + 0.05])


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1), st.floats(-50, 50), st.floats(0.01, 9))
def test_the_order_depends_on_the_ratio_of_the_values_alone(p, value, factor):
    click, hide = np.array(p).T
    score = expected_value({"click": click, "hide": hide}, {"click": 1, "hide": value})
    scaled = expected_value({"click": click, "hide": hide}, {"click": factor, "hide": factor * value})
    assert scaled == pytest.approx(factor * score)


def test_values_without_noise_are_least_squares_with_the_jackknife_of_refits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(12, 2))
    y = X @ [0.5, -3] + rng.normal(0, 0.3, 12)
    fitted = values_from_experiments(X, y)

    def refit(rows):
        return LinearRegression(fit_intercept=False).fit(X[rows], y[rows]).coef_

    assert fitted.values == pytest.approx(refit(np.arange(12)))
    parts = np.array([refit(np.delete(np.arange(12), i)) for i in range(12)])
    assert fitted.standard_errors == pytest.approx(np.sqrt(11 / 12 * ((parts - parts.mean(0)) ** 2).sum(0)))


def experiments(seed, m=400):
    """Draw lifts with a true price of 2 whose noise is correlated the other way, and the covariance of the noise."""
    rng = np.random.default_rng(seed)
    true = rng.normal(size=m)
    noise = np.array([[1.0, -0.8], [-0.8, 1.0]])
    error = rng.multivariate_normal([0, 0], noise, m)
    return (true + error[:, 0])[:, None], 2 * true + error[:, 1], np.broadcast_to(noise, (m, 2, 2))


def test_the_standard_error_is_the_jackknife_of_whole_experiments():
    actions, goal, noise = experiments(0)
    actions, goal, noise = actions[:9], goal[:9], noise[:9] / 10
    others = [np.delete(np.arange(9), i) for i in range(9)]
    left_out = [values_from_experiments(actions[o], goal[o], noise[o]).values[0] for o in others]
    spread = values_from_experiments(actions, goal, noise).standard_errors[0]
    assert spread == pytest.approx(np.sqrt(8 / 9 * np.var(left_out) * 9))


def test_taking_off_the_noise_finds_the_price_that_the_plain_regression_misses():
    plain, mended, claimed = [], [], []
    for seed in range(60):
        actions, goal, noise = experiments(seed)
        plain.append(values_from_experiments(actions, goal).values[0])
        fitted = values_from_experiments(actions, goal, noise)
        mended.append(fitted.values[0])
        claimed.append(fitted.standard_errors[0])
    error = np.std(mended) / np.sqrt(60)
    assert abs(np.mean(mended) - 2) < 4 * error
    assert np.mean(plain) == pytest.approx((2 - 0.8) / 2, rel=0.05)  # (cov + noise cov) / (var + noise var)
    assert np.mean(claimed) == pytest.approx(np.std(mended), rel=0.3)


@pytest.mark.parametrize(
    ("p", "values", "message"),
    [
        ({"click": [0.1]}, {"hide": 1}, r"probabilities are of \['click'\], values of \['hide'\]"),
        ({}, {}, "probabilities are of"),
        ({"click": [0.1], "hide": [0.1, 0.2]}, {"click": 1, "hide": 1}, "differ in shape"),
        ({"click": [0.1, -0.1]}, {"click": 1}, "'click' must be at least 0 and finite, got -0.1"),
        ({"click": [np.inf]}, {"click": 1}, "'click' must be at least 0 and finite, got inf"),
        ({"click": [-0.1]}, {"click": 1}, "'click' must be at least 0 and finite, got -0.1"),
        ({"click": [np.nan]}, {"click": 1}, "'click' must be at least 0 and finite, got nan"),
        ({"click": [0.1]}, {"click": np.inf}, "the value of 'click' must be finite, got inf"),
    ],
)
def test_bad_scores_are_named(p, values, message):
    with pytest.raises(ValueError, match=message):
        expected_value(p, values)


@pytest.mark.parametrize(
    ("actions", "goal", "noise", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0], None, r"action_effects must be \(m, k\)"),
        ([[1.0], [2.0]], [1.0], None, r"goal_effects \(m,\)"),
        ([[1.0]], [1.0], None, "1 experiments cannot price 1 actions"),
        ([[1.0], [2.0]], [1.0, np.nan], None, "goal_effects must be finite, got nan"),
        ([[1.0], [2.0]], [1.0, 2.0], np.zeros((2, 1, 1)), r"noise must be of shape \(2, 2, 2\)"),
        ([[1.0], [2.0]], [1.0, 2.0], np.tile(9 * np.eye(2), (2, 1, 1)), "no larger than their noise"),
    ],
)
def test_bad_experiments_are_named(actions, goal, noise, message):
    with pytest.raises(ValueError, match=message):
        values_from_experiments(actions, goal, noise)
