import numpy as np
import pandas as pd
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


RNG = np.random.default_rng(0)
LIFTS, GOAL = RNG.normal(size=(12, 2)), RNG.normal(size=12)
COLLINEAR = {
    "one twice": LIFTS[:, [0, 0]],
    "one in other units": np.column_stack([LIFTS[:, 0], 1e9 * LIFTS[:, 0] / 3]),
    "a sum": np.column_stack([LIFTS, 0.1 * LIFTS[:, 0] + 0.7 * LIFTS[:, 1]]),
    "a rate that is rounded": np.column_stack([LIFTS[:, 0], LIFTS[:, 0].astype("float32")])[:, [0, 1]].round(3),
    "one that never moves": LIFTS * [1, 0],
    "none moves": 0 * LIFTS,
}


@pytest.mark.parametrize("lifts", COLLINEAR.values(), ids=COLLINEAR)
def test_actions_that_always_move_together_have_no_prices_of_their_own(lifts):
    with pytest.raises(ValueError, match="the lifts are no larger than their noise, or some actions always move toget"):
        values_from_experiments(lifts, GOAL)


@pytest.mark.parametrize("lone", [1.0, 1e-3, 1e3])
def test_an_action_that_one_experiment_moves_has_no_error(lone):
    lifts = np.column_stack([LIFTS[:, 0], lone * (np.arange(12) == 4)])
    with pytest.raises(
        ValueError, match="the lifts without experiment 4 are no larger than their noise, or some actio"
    ):
        values_from_experiments(lifts, GOAL)


@pytest.mark.parametrize("unit", [1e-150, 1e-9, 1e9, 1e150])
def test_prices_follow_the_units_however_large_or_small(unit):
    noise = np.tile(np.eye(3) / 100, (12, 1, 1))
    fitted = values_from_experiments(LIFTS, GOAL, noise)
    units = np.array([unit, 1, 1])
    moved = values_from_experiments(LIFTS * units[:2], GOAL, noise * units * units[:, None])
    assert moved.values * units[:2] == pytest.approx(fitted.values)
    assert moved.standard_errors * units[:2] == pytest.approx(fitted.standard_errors)


def test_nearly_the_same_moves_are_told_apart_as_least_squares_does():
    lifts = np.column_stack([LIFTS[:, 0], LIFTS[:, 0] + 1e-4 * LIFTS[:, 1]])
    expected = np.linalg.lstsq(lifts, GOAL)[0]
    assert values_from_experiments(lifts, GOAL).values == pytest.approx(expected, rel=1e-6)


def test_scores_of_narrow_types_do_not_overflow():
    narrow = {"views": np.array([200, 250], "uint8"), "hide": np.array([1, 0], "float16")}
    assert expected_value(narrow, {"views": 300, "hide": -1}).tolist() == [59_999, 75_000]


@pytest.mark.parametrize(
    ("p", "values", "message"),
    [
        ({"click": [0.1]}, {"hide": 1}, r"probabilities are of \['click'\], values of \['hide'\]"),
        ({}, {}, "probabilities are of"),
        ([0.1], {"click": 1}, "must be given by action, got .0.1. and"),
        ({"click": [0.1]}, [1], "must be given by action"),
        ({"click": [0.1], "hide": []}, {"click": 1, "hide": 1}, "hide is empty"),
        ({"click": [0.1], "hide": [0.1, 0.2]}, {"click": 1, "hide": 1}, "differ in shape"),
        ({"click": [0.1, -0.1]}, {"click": 1}, "click must be at least 0 and finite, got -0.1 at row 1"),
        ({"click": [np.inf]}, {"click": 1}, "click must be at least 0 and finite, got inf"),
        ({"click": [-0.1]}, {"click": 1}, "click must be at least 0 and finite, got -0.1"),
        ({"click": [np.nan]}, {"click": 1}, "click must be at least 0 and finite, got nan"),
        ({"click": [0.1]}, {"click": np.inf}, "the value of 'click' must be finite, got inf"),
        ({"click": ["0.1"]}, {"click": 1}, "click must hold numbers, got '0.1' at row 0"),
        ({"click": [0.1]}, {"click": True}, "the value of 'click' must be a number, got True"),
    ],
)
def test_bad_scores_are_named(p, values, message):
    with pytest.raises(ValueError, match=message):
        expected_value(p, values)


@pytest.mark.parametrize(
    ("actions", "goal", "noise", "message"),
    [
        ([1.0, 2.0], [1.0, 2.0], None, "action_effects must have two dimensions"),
        ([[1.0], [2.0]], [1.0], None, "goal_effects has 1 rows, action_effects has 2"),
        ([[1.0]], [1.0], None, "1 experiments cannot price 1 actions"),
        ([[1.0], [2.0]], [1.0, np.nan], None, "goal_effects must be finite, got nan at row 1"),
        ([[1.0], [2.0]], [1.0, 2.0], np.zeros((2, 1, 1)), r"noise must be of shape \(2, 2, 2\)"),
        ([[1.0], [2.0]], [1.0, 2.0], np.tile(9 * np.eye(2), (2, 1, 1)), "no larger than their noise"),
        ([[1.0], [2.0]], [1.0, 2.0], np.tile(-np.eye(2), (2, 1, 1)), "noise must hold variances of at least 0, got -1"),
        (np.ones((3, 0)), np.ones(3), None, "3 experiments cannot price 0 actions"),
    ],
)
def test_bad_experiments_are_named(actions, goal, noise, message):
    with pytest.raises(ValueError, match=message):
        values_from_experiments(actions, goal, noise)


def test_frames_are_scored_and_what_floats_do_not_hold_is_refused():
    frame = pd.DataFrame({"click": [0.5], "hide": [0.25]}, index=["x"])
    assert expected_value(frame, {"hide": -1, "click": 1}).to_dict() == {"x": 0.25}
    with pytest.raises(ValueError, match="more than floats hold"):
        expected_value({"a": [1e308], "b": [1e308]}, {"a": 10, "b": -10})
    with pytest.raises(ValueError, match="more than floats hold"):
        values_from_experiments([[1e-300], [2e-300], [3e-300]], [1e300, 2e300, 4e300])
    with pytest.raises(ValueError, match="noise must hold covariances"):
        values_from_experiments([[1], [2], [3]], [1, 2, 4], [[[0.1, 5], [5, 0.1]]] * 3)
