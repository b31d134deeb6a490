import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from tests.estimators import failed_checks


def reached(trees, X):
    """Walk each row down each tree, by scikit-learn's own nodes."""
    out = []
    for (predictor,) in trees._predictors:
        nodes = predictor.nodes
        for x in X:
            i = 0
            while not nodes[i]["is_leaf"]:
                value, node = x[nodes[i]["feature_idx"]], nodes[i]
                left = node["missing_go_to_left"] if np.isnan(value) else value <= node["num_threshold"]
                i = node["left"] if left else node["right"]
            out.append(i)
    return np.array(out).reshape(len(trees._predictors), len(X)).T


def features(log):
    rates = [np.log((log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33)) for who in ("ad", "user")]
    codes = [log[column].cat.codes for column in ("category", "device", "age_group")]
    return np.column_stack([*rates, *codes, log["position"], log["hour"]]).astype(float)


@pytest.fixture(scope="module")
def log():
    log = simulate_ad_log(150_000, drift=0.15)
    return features(log), log["click"].to_numpy(), log["day"].to_numpy()


@pytest.fixture(scope="module")
def fitted(log):
    X, y, day = log
    past = day < 10
    return GBDTLogisticRegression(30, random_state=0).fit(X[past], y[past], tree_rows=day[past] < 6)


def test_the_leaves_are_those_that_the_rows_reach(log, fitted):
    X = log[0][-400:].copy()
    X[::7, 0] = np.nan
    ours, theirs = fitted.leaves(X), reached(fitted.trees_, X)
    assert (ours.sum(axis=1) == 30).all()
    assert set(ours.data) == {1.0}
    columns = ours.indices.reshape(theirs.shape)
    for tree in range(30):  # one column for one leaf, and back
        pairs = set(zip(columns[:, tree].tolist(), theirs[:, tree].tolist(), strict=True))
        assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    assert columns.max() < ours.shape[1] == len(fitted.variance_)


def test_the_linear_layer_is_scikit_learns_logistic_regression_on_the_leaves(log, fitted):
    X, y, day = log
    rows = (day >= 6) & (day < 10)
    theirs = LogisticRegression(C=1 / 30, tol=1e-8, max_iter=5_000).fit(fitted.leaves(X[rows]), y[rows])
    assert fitted.coef_.shape == theirs.coef_.shape
    assert fitted.intercept_ == pytest.approx(theirs.intercept_, abs=0.01)
    assert fitted.predict_proba(X[rows]) == pytest.approx(theirs.predict_proba(fitted.leaves(X[rows])), rel=1e-3)
    assert 0 < fitted.n_iter_ < 25


def test_the_score_is_that_of_the_weights_of_the_leaves(log, fitted):
    X = log[0][-2_000:].copy()
    X[::9, 1] = np.nan
    np.testing.assert_allclose(fitted.decision_function(X), fitted.leaves(X) @ fitted.coef_[0] + fitted.intercept_)


def test_many_leaves_are_learned_in_blocks_and_many_rows_in_parts(log, fitted, monkeypatch):
    X, y, day = log
    past = day < 10
    monkeypatch.setattr("snippets.modeling.gbdt_lr.BLOCK", 100)
    monkeypatch.setattr("snippets.modeling.gbdt_lr.JOINT", 1)
    other = clone(fitted).fit(X[past], y[past], tree_rows=day[past] < 6)
    np.testing.assert_allclose(other.predict_proba(X), fitted.predict_proba(X), rtol=1e-3)
    np.testing.assert_array_equal(other.leaves(X[:500]).indices, fitted.leaves(X[:500]).indices)


def test_a_weak_penalty_on_a_thousand_leaves_takes_few_steps(log):
    X, y, day = log
    rows = day < 3
    model = GBDTLogisticRegression(C=1.0, random_state=0).fit(X[rows], y[rows])
    assert model.coef_.size > 1_000
    assert model.n_iter_ < 100  # 500 were not enough with the leaves in two blocks


def test_what_has_not_converged_says_so(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 2))
    y = (rng.random(500) < expit(X[:, 0])).astype(int)
    monkeypatch.setattr("snippets.modeling.gbdt_lr.STEPS", 1)
    with pytest.warns(ConvergenceWarning, match="has not converged"):
        assert GBDTLogisticRegression(5, min_samples_leaf=5).fit(X, y).n_iter_ == 1


def test_the_more_probable_class_is_predicted(log, fitted):
    often = clone(fitted).set_params(n_estimators=3).fit(log[0][:20_000], log[2][:20_000] < 1)
    probable = often.predict_proba(log[0])[:, 1] > 0.5
    assert 0 < probable.mean() < 1
    assert often.predict(log[0]).tolist() == probable.tolist()


def test_the_variance_is_that_of_the_laplace_approximation(log, fitted):
    X, _, day = log
    rows = X[(day >= 6) & (day < 10)]
    click = fitted.predict_proba(rows)[:, 1]
    precision = 30 + fitted.leaves(rows).T @ (click * (1 - click))  # one for each tree, and the curvature of the loss
    np.testing.assert_allclose(fitted.variance_, 1 / precision)


def test_trees_have_seen_their_rows_alone(log, fitted):
    X, y, day = log
    alone = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=12, early_stopping=False, random_state=0).fit(
        X[day < 6], y[day < 6]
    )
    np.testing.assert_allclose(alone.decision_function(X), fitted.trees_.decision_function(X))


def test_partial_fit_is_the_posterior_of_all_rows_when_weights_have_nothing_in_common():
    # With one tree each row has one leaf: without an intercept to share, the diagonal would be exact. It is close.
    rng = np.random.default_rng(0)
    X = rng.integers(0, 6, (4_000, 1)).astype(float)
    y = (rng.random(4_000) < 0.1 + 0.1 * X[:, 0]).astype(int)
    whole = GBDTLogisticRegression(1, learning_rate=1.0, random_state=0).fit(X, y)
    parts = clone(whole).fit(X[:2_000], y[:2_000])
    before, variance = parts.predict_proba(X)[:, 1], parts.variance_
    for start in range(2_000, 4_000, 500):
        parts.partial_fit(X[start : start + 500], y[start : start + 500])
    after, all_at_once = parts.predict_proba(X)[:, 1], whole.predict_proba(X)[:, 1]
    assert np.abs(after - all_at_once).max() < 0.25 * np.abs(before - all_at_once).max()
    assert (parts.variance_ < variance).all()


def test_weights_count_as_copies_in_the_linear_layer(log):
    X, y, day = log
    rows = np.flatnonzero(day < 2)
    first = day[rows] < 1
    model = GBDTLogisticRegression(5, random_state=0).fit(X[rows], y[rows], tree_rows=first)
    twice = clone(model).fit(X[rows], y[rows], tree_rows=first)
    more = np.flatnonzero(day == 2)[:2_000]
    weight = np.random.default_rng(0).integers(0, 3, len(more))
    copies = np.repeat(more, weight)
    model.partial_fit(X[more], y[more], sample_weight=weight)
    twice.partial_fit(X[copies], y[copies])
    assert model.predict_proba(X) == pytest.approx(twice.predict_proba(X), rel=1e-3)
    np.testing.assert_allclose(model.variance_, twice.variance_, rtol=1e-3)


def test_on_a_drifting_log_it_is_no_worse_than_its_trees_and_learning_on_helps(log, fitted):
    X, y, day = log
    test = day >= 12
    trees = normalized_entropy(y[test], fitted.trees_.predict_proba(X[test])[:, 1])
    stale = normalized_entropy(y[test], fitted.predict_proba(X[test])[:, 1])
    fresh = clone(fitted).fit(X[day < 10], y[day < 10], tree_rows=day[day < 10] < 6)
    for later in (10, 11):
        fresh.partial_fit(X[day == later], y[day == later])
    assert stale < trees + 0.002
    assert normalized_entropy(y[test], fresh.predict_proba(X[test])[:, 1]) < stale + 0.001


@pytest.mark.parametrize(
    ("arguments", "rows", "message"),
    [
        ({"C": 0}, None, "C must be above 0"),
        ({"C": np.inf}, None, "C must be above 0"),
        ({}, np.ones(3, bool), "tree_rows has 3 rows, y has 4"),
        ({}, [0, 1, 0, 2], "tree_rows must be 0 or 1, got 2 at row 3"),
        ({}, [True, False, True, False], "that grow the trees must hold both"),
        ({}, [True, True, True, True], "that fit the linear layer must hold both"),
    ],
)
def test_what_cannot_be_fitted_is_named(arguments, rows, message):
    with pytest.raises(ValueError, match=message):
        GBDTLogisticRegression(2, **arguments).fit([[1.0], [2], [3], [4]], [0, 1, 0, 1], tree_rows=rows)


def test_labels_of_one_class_are_no_classification():
    with pytest.raises(ValueError, match=r"y holds 1 class\(es\)"):
        GBDTLogisticRegression(2).fit([[1.0], [2]], [1, 1])


def test_predict_gives_the_more_probable_label():
    X, y = np.repeat([[0.0], [1.0]], 100, axis=0), np.repeat(["no", "yes"], 100)
    assert GBDTLogisticRegression(2).fit(X, y).predict([[0.0], [1.0]]).tolist() == ["no", "yes"]


def test_labels_that_fit_did_not_see_are_named():
    model = GBDTLogisticRegression(2).fit([[1.0], [2], [3], [4]], [0, 1, 0, 1])
    with pytest.raises(ValueError, match=r"y must be one of the classes \[0, 1\], got 2 at row 0"):
        model.partial_fit([[1.0]], [2])


def test_infinity_is_refused_and_a_missing_value_is_not():
    X, y = [[np.nan], [2], [np.inf], [4]], [0, 1, 0, 1]
    with pytest.raises(ValueError, match="contains infinity"):
        GBDTLogisticRegression(2).fit(X, y)
    X[2] = [3]
    assert np.isfinite(GBDTLogisticRegression(2).fit(X, y).predict_proba(X)).all()


def test_scikit_learns_own_checks():
    assert failed_checks(GBDTLogisticRegression(10, random_state=0), at_least=40) == {}


def test_rows_without_weight_do_not_exist():
    X, y = np.repeat([[0.0], [1.0], [2.0]], 50, axis=0), np.repeat([0, 1, 2], 50)
    weight = np.repeat([1.0, 1.0, 0.0], 50)
    model = GBDTLogisticRegression(3, random_state=0).fit(X, y, sample_weight=weight)
    assert model.classes_.tolist() == [0, 1]
    without = GBDTLogisticRegression(3, random_state=0).fit(X[:100], y[:100])
    np.testing.assert_allclose(model.predict_proba(X[:100]), without.predict_proba(X[:100]), rtol=1e-3)


def test_what_is_not_asked_for():
    assert GBDTLogisticRegression().get_params() == {
        "C": None,
        "learning_rate": 0.1,
        "max_leaf_nodes": 12,
        "min_samples_leaf": 20,
        "n_estimators": 100,
        "random_state": None,
    }
