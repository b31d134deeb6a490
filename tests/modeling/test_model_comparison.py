import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.stats import ttest_rel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.tree import DecisionTreeClassifier

from snippets.modeling.model_comparison import compare_models, paired_difference


def world(n=600):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    y = (rng.random(n) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    day = np.arange(n) * 6 // n
    return X, y, (day < 3, day == 3, day == 4)  # the last day has no part


SETTINGS = [LogisticRegression(C=C) for C in (1e-4, 0.1, 10)]


def test_it_does_what_a_loop_by_hand_does():
    X, y, (train, validate, test) = world()
    table, predictions = compare_models({"linear": (X, SETTINGS)}, y, train, validate, test)
    losses = [log_loss(y[validate], m.fit(X[train], y[train]).predict_proba(X[validate])[:, 1]) for m in SETTINGS]
    best = SETTINGS[int(np.argmin(losses))]
    both = train | validate
    p = best.fit(X[both], y[both]).predict_proba(X[test])[:, 1]
    assert table.loc["linear", "setting"] is best
    assert table.loc["linear", "validation"] == pytest.approx(min(losses), rel=1e-12)
    assert table.loc["linear", "test"] == pytest.approx(log_loss(y[test], p), rel=1e-12)
    np.testing.assert_allclose(predictions["linear"], p, rtol=1e-12)


def test_rows_of_no_part_and_labels_of_the_test_decide_nothing_that_is_fitted():
    X, y, parts = world()
    before = compare_models({"linear": (X, SETTINGS)}, y, *parts)
    out = ~np.any(parts, axis=0)
    other = np.where(out[:, None], 1e6, X), np.where(out | parts[2], 1 - y, y)
    after = compare_models({"linear": (other[0], SETTINGS)}, other[1], *parts)
    np.testing.assert_array_equal(before.predictions["linear"], after.predictions["linear"])


def test_each_kind_of_columns_gives_the_same():
    X, y, parts = world()
    forms = {"array": X, "frame": pd.DataFrame(X).add_prefix("x"), "sparse": csr_matrix(X), "list": X.tolist()}
    table = compare_models({name: (form, SETTINGS[1:2]) for name, form in forms.items()}, y, *parts).table
    np.testing.assert_allclose(table["test"].astype(float), table.loc["array", "test"], rtol=1e-6)


def test_columns_made_of_labels_see_the_known_rows_alone():
    _, y, (train, validate, test) = world()
    asked = []

    def rates(known):
        asked.append(known.copy())
        known[:] = True  # a careless function must not change whom the models are fitted on
        return np.full((len(y), 1), y[asked[-1]].mean())

    compare_models({"rate": (rates, [LogisticRegression()])}, y, train, validate, test)
    np.testing.assert_array_equal(asked, [train, train | validate])


def test_the_loss_chooses_the_setting():
    X, y, parts = world()
    trees = [DecisionTreeClassifier(max_depth=depth, random_state=0) for depth in (1, 9)]
    worst = compare_models({"tree": (X, trees)}, y, *parts, loss=lambda y, p: -brier_score_loss(y, p)).table
    best = compare_models({"tree": (X, trees)}, y, *parts, loss=brier_score_loss).table
    assert {worst.loc["tree", "setting"], best.loc["tree", "setting"]} == set(trees)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"budget": 2}, "candidates must try 1 to 2 settings, the budget, got 3: 'linear'"),
        (
            {"candidates": {"none": (np.zeros((600, 1)), [])}},
            "candidates must try 1 to 4 settings, the budget, got 0: 'none'",
        ),
        ({"candidates": {"short": ([[1.0]], SETTINGS)}}, "candidates must have the 600 rows of y, got 1: 'short'"),
        ({"validate": world()[2][0]}, "train and validate must not share rows, got both at row 0"),
        ({"test": np.zeros(600)}, "test must have rows of both classes, got 0 rows"),
        ({"train": np.ones(599)}, "train has 599"),
        ({"loss": lambda y, p: np.nan}, "loss of 'linear' must be finite, got nan at row 0"),
    ],
)
def test_an_unequal_or_empty_comparison_is_refused(change, message):
    X, y, (train, validate, test) = world()
    call = {"candidates": {"linear": (X, SETTINGS)}, "y": y, "train": train, "validate": validate, "test": test}
    with pytest.raises(ValueError, match=re.escape(message)):
        compare_models(**(call | change))


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=3, max_size=30).map(np.array))
def test_the_interval_is_that_of_scipys_paired_test(pairs):
    if np.ptp(pairs[:, 0] - pairs[:, 1]) < 1e-6:  # SciPy gives NaN where nothing varies
        pairs[0, 0] += 1
    found = paired_difference(pairs[:, 0], pairs[:, 1])
    expected = ttest_rel(pairs[:, 0], pairs[:, 1])
    low, high = expected.confidence_interval(0.95)
    np.testing.assert_allclose([found.low, found.high], [low, high], rtol=1e-6, atol=1e-9)
    assert found.is_tie == (low <= 0 <= high)
    assert found.mean == pytest.approx((pairs[:, 0] - pairs[:, 1]).mean(), abs=1e-12)


def test_one_log_has_no_interval():
    with pytest.raises(ValueError, match="losses must hold two logs or more: one log has no spread, got 1"):
        paired_difference([0.9], [0.8])
