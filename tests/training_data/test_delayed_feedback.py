import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from snippets.training_data.delayed_feedback import DelayedFeedbackClassifier, share_seen, undo_fake_negatives
from tests.estimators import failed_checks


def world(n=60_000, seed=0):
    """Clicks with an exponential delay, both depending on two features; half of the delays are longer than the wait."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    click = rng.random(n) < expit(-1 + X @ [0.8, -0.5])
    delay = rng.exponential(1 / np.exp(0.3 + X @ [-0.6, 0.2]))
    elapsed = rng.uniform(0, 2, n)
    seen = click & (delay <= elapsed)
    return X, click, seen.astype(int), np.where(seen, delay, elapsed)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_share_seen_against_counting(elapsed, delays):
    expected = [sum(d <= e for d in delays) / len(delays) for e in elapsed]
    assert share_seen(elapsed, delays).tolist() == expected


def test_divided_labels_have_the_right_mean_at_every_age():
    rng = np.random.default_rng(0)
    n = 400_000
    click = rng.random(n) < 0.2
    delay = rng.exponential(1.0, n)
    elapsed = rng.uniform(0.2, 4, n)
    seen = click & (delay <= elapsed)
    corrected = seen / share_seen(elapsed, rng.exponential(1.0, 100_000))
    for low in (0.2, 0.5, 1, 2):
        part = corrected[(elapsed >= low) & (elapsed < 2 * low)]
        assert part.mean() == pytest.approx(0.2, abs=4 * part.std() / np.sqrt(len(part)))
        assert seen[(elapsed >= low) & (elapsed < 2 * low)].mean() < 0.2 * (1 - np.exp(-2 * low))


@given(st.floats(0, 1))
def test_fake_negatives_are_undone(p):
    assert undo_fake_negatives([p / (1 + p)]) == pytest.approx(p, rel=1e-12)


def test_impossible_predictions_are_cut_at_one():
    assert undo_fake_negatives([0.5, 0.9, 1.0]).tolist() == [1, 1, 1]


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([0.1, 1.0, 100.0]))
def test_gradient_against_finite_differences(seed, C):
    rng = np.random.default_rng(seed)
    X, _, seen, time = world(50, seed)
    model = DelayedFeedbackClassifier(C)
    weights, rest = rng.normal(size=6), (X, seen == 1, np.log(time), np.full(50, 1 / 50), 50 * C)
    error = check_grad(
        lambda w: model._objective(w, *rest)[0],
        lambda w: model._objective(w, *rest)[1],
        weights,
    )
    assert error < 1e-5 * (1 + np.abs(model._objective(weights, *rest)[1]).max())


def test_likelihood_against_the_formulas_of_the_paper():
    X, _, seen, time = world(200, 3)
    weights = np.array([[0.4, -0.2, -1.0], [-0.3, 0.1, 0.5]])
    p = 1 / (1 + np.exp(-(X @ weights[0, :2] + weights[0, 2])))
    rate = np.exp(X @ weights[1, :2] + weights[1, 2])
    likelihood = np.where(seen, p * rate * np.exp(-rate * time), 1 - p + p * np.exp(-rate * time))
    penalty = (weights[:, :2] ** 2).sum() / 2 / 5.0
    rest = (X, seen == 1, np.log(time), np.full(200, 1 / 200), 200 * 5.0)
    value = DelayedFeedbackClassifier(C=5.0)._objective(weights.ravel(), *rest)[0]
    assert value == pytest.approx((penalty - np.log(likelihood).sum()) / 200, rel=1e-10)


def test_recovers_the_truth_and_plain_logistic_regression_does_not():
    X, click, seen, time = world()
    model = DelayedFeedbackClassifier(C=1e6).fit(csr_matrix(X), seen, time)
    plain = LogisticRegression(C=1e6).fit(X, seen)
    # Standard errors are about 0.02 for the click, 0.03 for the delay.
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), [0.8, -0.5, -1], atol=0.08)
    np.testing.assert_allclose(np.append(model.delay_coef_, model.delay_intercept_), [-0.6, 0.2, 0.3], atol=0.1)
    assert model.predict_proba(X)[:, 1].mean() == pytest.approx(click.mean(), rel=0.02)
    assert plain.predict_proba(X)[:, 1].mean() < 0.75 * click.mean()
    np.testing.assert_allclose(model.predict_delay(X), np.exp(-0.3 + X @ [0.6, -0.2]), rtol=0.3)


def test_against_expectation_maximization():
    X, _, seen, time = world(4_000, 1)
    ones = np.ones(len(X))
    click, rate = LogisticRegression(C=np.inf), 1.0
    z = np.full(len(X), -1.0)
    for _ in range(400):  # the delay without features: its rate has a closed form
        owed = np.where(seen, 1, expit(z - rate * time))
        both = np.vstack([X, X])
        click.fit(both, np.r_[ones, 0 * ones], np.r_[owed, 1 - owed])
        z = click.decision_function(X)
        rate = seen.sum() / (owed * time).sum()
    model = DelayedFeedbackClassifier(C=1e9)
    objective = model._objective
    model._objective = lambda w, *a: (  # hold the coefficients of the delay at zero
        objective(w * [1, 1, 1, 0, 0, 1], *a)[0],
        objective(w * [1, 1, 1, 0, 0, 1], *a)[1] * [1, 1, 1, 0, 0, 1],
    )
    model.fit(X, seen, time)
    np.testing.assert_allclose(model.coef_[0], click.coef_[0], rtol=2e-3)
    assert np.exp(model.delay_intercept_[0]) == pytest.approx(rate, rel=2e-3)


@pytest.mark.parametrize("C", [0.1, 10.0])
def test_with_all_clicks_known_it_is_logistic_regression(C):
    X, click, _, _ = world(3_000, 2)
    time = np.where(click, np.random.default_rng(0).exponential(1.0, len(click)), 1e6)
    model = DelayedFeedbackClassifier(C).fit(X, click.astype(int), time)
    plain = LogisticRegression(C=C, tol=1e-8).fit(X, click)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-3)
    np.testing.assert_allclose(model.intercept_, plain.intercept_, rtol=1e-3)
    assert (model.predict(X) == plain.predict(X)).mean() > 0.999


def test_steps_can_be_limited():
    X, _, seen, time = world(1_000)
    with pytest.warns(ConvergenceWarning, match="L-BFGS stopped after 1 steps: raise max_iter"):
        model = DelayedFeedbackClassifier(max_iter=1).fit(X, seen, time)
    assert np.abs(model.coef_).max() < 0.5
    assert model.n_iter_ == 1
    assert 1 < DelayedFeedbackClassifier().fit(X, seen, time).n_iter_ < 100


def test_clicks_that_come_at_once_on_one_device_are_told_and_spoil_nothing():
    X, _, seen, time = world(5_000)
    desktop = X[:, 0] > 0
    time = np.where(desktop & (seen == 1), 0.0, time)
    with pytest.warns(ConvergenceWarning, match="mean delays went to 0"):
        model = DelayedFeedbackClassifier().fit(np.column_stack([desktop, ~desktop]), seen, time)
    at_once, late = model.predict_proba([[1, 0], [0, 1]])[:, 1]
    assert at_once == pytest.approx(seen[desktop].mean(), rel=1e-2)  # the penalty shrinks it
    assert late > 1.05 * seen[~desktop].mean()
    assert np.isfinite(model.predict_delay([[1, 0], [0, 1]])).all()


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_the_unit_of_time_does_not_matter(unit):
    X, _, seen, time = world(2_000)
    model, other = DelayedFeedbackClassifier().fit(X, seen, time), DelayedFeedbackClassifier().fit(X, seen, time * unit)
    np.testing.assert_allclose(other.predict_proba(X), model.predict_proba(X), rtol=1e-4)
    np.testing.assert_allclose(other.predict_delay(X) / unit, model.predict_delay(X), rtol=1e-3)


def test_timedeltas_are_seconds():
    X, _, seen, time = world(500)
    time = time.round(3)
    deltas = pd.Series(pd.to_timedelta(time, unit="s"))
    expected = DelayedFeedbackClassifier().fit(X, seen, time)
    for given_ in (deltas, deltas.to_numpy(), deltas.to_list(), deltas.astype("timedelta64[ms]"), pl.Series(deltas)):
        model = DelayedFeedbackClassifier().fit(X, seen, given_)
        np.testing.assert_allclose(model.predict_delay(X), expected.predict_delay(X), rtol=1e-9)
    elapsed = pd.Series(pd.to_timedelta([30, 60], unit="s"), index=["a", "b"])
    shares = share_seen(elapsed, [datetime.timedelta(minutes=m) for m in (0.5, 1, 2, 3)])
    pd.testing.assert_series_equal(shares, pd.Series([0.25, 0.5], index=["a", "b"]))


def test_weights_count_rows():
    X, _, seen, time = world(600)
    weight = np.random.default_rng(0).integers(0, 3, 600)
    rows = np.repeat(np.arange(600), weight)
    repeated = DelayedFeedbackClassifier().fit(X[rows], seen[rows], time[rows])
    model = DelayedFeedbackClassifier().fit(X, seen, time, sample_weight=weight)
    np.testing.assert_allclose(model.coef_, repeated.coef_, rtol=1e-3)
    np.testing.assert_allclose(model.predict_delay(X), repeated.predict_delay(X), rtol=1e-3)


def test_searches_and_calibration_hand_on_the_times():
    X, _, seen, time = world(600)
    search = GridSearchCV(DelayedFeedbackClassifier(), {"C": [0.01, 1.0]}, scoring="roc_auc", error_score="raise")
    assert search.fit(X, seen, time=time).best_params_["C"] in (0.01, 1.0)
    calibrated = CalibratedClassifierCV(DelayedFeedbackClassifier(), cv=3).fit(X, seen, time=time)
    assert calibrated.predict_proba(X).shape == (600, 2)


class Timed(DelayedFeedbackClassifier):
    """With times made up and classes numbered, for scikit-learn's checks know of neither."""

    def fit(self, X, y, sample_weight=None):
        names, numbers = np.unique(np.ravel(np.asarray(y)), return_inverse=True)
        if len(names) == 2:
            y = numbers if names.dtype.kind != "f" else numbers.astype(float)
        return super().fit(X, y, np.where(numbers, 1.0, 9.0), sample_weight)


# These want other classes than 0 and 1 back, or other words about what is neither, and take a column for labels.
NOT_FOR_CLICKS = {
    "check_classifier_not_supporting_multiclass",
    "check_classifiers_classes",
    "check_classifiers_regression_target",
    "check_supervised_y_2d",
}


def test_scikit_learns_own_checks():
    assert set(failed_checks(Timed(), at_least=40)) == NOT_FOR_CLICKS


X, Y, TIME = np.eye(3), np.array([1, 0, 0]), np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: share_seen([-1], [1]), "elapsed must be at least 0 and finite, got -1 at row 0"),
        (lambda: share_seen([1], [1, np.nan]), "delays is missing at row 1"),
        (lambda: share_seen([1], []), "delays is empty"),
        (lambda: undo_fake_negatives([0.1, 1.2]), r"y_prob must be in \[0, 1\], got 1.2 at row 1"),
        (lambda: share_seen([np.inf], [1]), "elapsed must be finite, got inf at row 0"),
        (lambda: undo_fake_negatives([-0.1]), r"y_prob must be in \[0, 1\], got -0.1 at row 0"),
        (lambda: DelayedFeedbackClassifier(C=np.inf).fit(X, Y, TIME), "C must be above 0 and finite, got inf"),
        (lambda: undo_fake_negatives([np.nan]), r"y_prob must be in \[0, 1\], got nan at row 0"),
        (lambda: DelayedFeedbackClassifier(C=0).fit(X, Y, TIME), "C must be above 0 and finite, got 0"),
        (
            lambda: DelayedFeedbackClassifier().fit(X, Y, TIME[:2]),
            "time has 2 rows, X has 3",
        ),
        (lambda: DelayedFeedbackClassifier().fit(X, Y + 1, TIME), "y must be 0 or 1, got 2 at row 0"),
        (lambda: DelayedFeedbackClassifier().fit(X, Y * 0, TIME), "y has no click"),
        (
            lambda: DelayedFeedbackClassifier().fit(X, Y, [0.0, 1, 2]),
            "time is 0 for every click, so that the likelihood has no maximum: give delays in a finer unit",
        ),
        (lambda: DelayedFeedbackClassifier().fit(X, Y, [1.0, 0, 0]), "time is 0 for every row without a click"),
        (lambda: DelayedFeedbackClassifier().fit(X, [1, 1, 1], TIME), "y has clicks only, one class"),
        (lambda: DelayedFeedbackClassifier().fit(X, Y, TIME, [0, 0, 0]), "sample_weight is zero in every row"),
        (lambda: DelayedFeedbackClassifier().fit(X, Y, TIME, [0, 1, 1]), "y has no click"),
        (
            lambda: DelayedFeedbackClassifier(max_iter=0).fit(X, Y, TIME),
            "max_iter must be a whole number of at least 1",
        ),
        (
            lambda: DelayedFeedbackClassifier().fit(X, Y, np.array([1, 2, 3], "M8[s]")),
            "time must hold durations or numbers, got datetimes without a zone",
        ),
        (lambda: share_seen([1.0], pd.to_timedelta(["1s"])), "elapsed holds numbers and delays durations"),
        (lambda: share_seen([], [1]), "elapsed is empty"),
        (lambda: DelayedFeedbackClassifier().fit(X, Y, -TIME), "time must be at least 0 and finite, got -1 at row 0"),
        (
            lambda: DelayedFeedbackClassifier().fit(X * np.nan, Y, TIME),
            "X must be finite, got nan at row 0, column 0",
        ),
        (lambda: DelayedFeedbackClassifier().fit(X, Y, TIME).predict_proba(X[:, :2]), "expecting 3 features"),
        (lambda: DelayedFeedbackClassifier().fit(X, Y, TIME).predict_delay(X[:, :2]), "expecting 3 features"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_not_asked_for():
    assert DelayedFeedbackClassifier().get_params() == {"C": 1.0, "max_iter": 500}


@pytest.mark.parametrize(("C", "weight"), [(1e-14, 1.0), (1.0, 1e-15), (1.0, 1e-320)])
def test_where_the_penalty_is_all_only_the_constants_are_fitted(C, weight):
    X, _, seen, time = world(500, 1)
    model = DelayedFeedbackClassifier(C).fit(X, seen, time, np.full(500, weight))
    constant = DelayedFeedbackClassifier().fit(np.zeros_like(X), seen, time)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], constant.predict_proba(X)[:, 1], rtol=1e-4)
    assert constant.predict_proba(X)[0, 1] > 1.1 * seen.mean()  # some clicks are still to come
