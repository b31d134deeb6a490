import itertools
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.factorization_machine import FactorizationMachineClassifier, pairwise
from tests.estimators import failed_checks

NOT_FOR_BATCHES = {  # copies of a row fall into other batches than one row of twice the weight
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 5), st.integers(1, 7))
def test_linear_time_identity_against_all_pairs(seed, n, k, width):
    rng = np.random.default_rng(seed)
    X, v = rng.normal(size=(n, width)) * (rng.random((n, width)) < 0.6), rng.normal(size=(width, k))
    expected = [sum(x[i] * x[j] * (v[i] @ v[j]) for i, j in itertools.combinations(range(width), 2)) for x in X]
    np.testing.assert_allclose(pairwise(csr_matrix(X), v), expected, atol=1e-9)


def loss(parameters, X, y, weight, k, l2_linear, l2_factors):
    """Mean loss of dense rows, all pairs written out."""
    n, width = X.shape
    w0, w, v = parameters[0], parameters[1 : 1 + width], parameters[1 + width :].reshape(width, k)
    gram = v @ v.T
    margin = w0 + X @ w + np.array([(np.triu(np.outer(x, x) * gram, 1)).sum() for x in X])
    p = expit(margin)
    penalty = ((X != 0).sum(axis=0) * (l2_linear * w**2 + l2_factors * (v**2).sum(axis=1))).sum() / 2
    return (-(weight * (y * np.log(p) + (1 - y) * np.log(1 - p))).sum() + penalty) / n


def test_gradients_are_finite_differences():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(9, 5)) * (rng.random((9, 5)) < 0.6)
    y, weight = rng.integers(0, 2, 9).astype(float), rng.uniform(0.5, 2, 9)
    model = FactorizationMachineClassifier(3, l2_linear=0.3, l2_factors=0.2, init_scale=0.5, random_state=0)
    model.partial_fit(X, y)
    columns = np.arange(5)
    _, *got = model._gradients(csr_matrix(X), y, weight, columns, (X != 0).sum(axis=0))
    at = np.concatenate([model.intercept_, model.coef_[0], model.factors_.ravel()])
    expected = approx_fprime(at, loss, 1e-6, X, y, weight, 3, 0.3, 0.2)
    np.testing.assert_allclose(np.concatenate([got[0], got[1], got[2].ravel()]), expected, atol=1e-5)


def literal(X, y, weight, model, start):
    """AdaGrad on dense batches, all pairs written out; gradients by finite differences of the loss above."""
    at = start.copy()
    squares = np.full(len(at), 1e-8)
    for i in range(0, len(y), model.batch_size):
        rows = slice(i, i + model.batch_size)
        g = approx_fprime(at, loss, 1e-7, X[rows], y[rows], weight[rows], model.n_factors, model.l2_linear, 0.0)
        squares += g**2
        at -= model.learning_rate * g / np.sqrt(squares)
    return at


def test_one_pass_against_a_literal_one():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(24, 4))
    y, weight = np.tile([0.0, 1.0, 1.0], 8), rng.uniform(0.5, 2, 24)
    model = FactorizationMachineClassifier(2, l2_linear=0.1, batch_size=5, init_scale=0.3, random_state=3)
    factors = np.random.RandomState(3).normal(0, 0.3, (4, 2))
    start = np.log((weight[:5] @ y[:5] + 1) / (weight[:5] @ (1 - y[:5]) + 1))
    expected = literal(X, y, weight, model, np.concatenate([[start], np.zeros(4), factors.ravel()]))
    model.partial_fit(X, y, sample_weight=weight)
    got = np.concatenate([model.intercept_, model.coef_[0], model.factors_.ravel()])
    np.testing.assert_allclose(got, expected, atol=2e-4)


def crossed(n, seed, width=30):
    """Two categories whose click rate is a product of hidden factors."""
    rng = np.random.default_rng(seed)
    u, v = np.random.default_rng(9).normal(size=(2, width, 2)) * 1.2
    a, b = rng.integers(0, width, (2, n))
    p = expit(-1 + (u[a] * v[b]).sum(axis=1))
    return np.column_stack([a, b]), (rng.random(n) < p).astype(int), p


def test_it_finds_what_a_linear_model_cannot_and_is_near_crosses_by_hand_where_they_are_dense():
    codes, y, _ = crossed(40_000, 0)
    new, y_new, p_new = crossed(20_000, 1)
    encoder = OneHotEncoder(handle_unknown="ignore").fit(codes)
    X, X_new = encoder.transform(codes), encoder.transform(new)
    pair, pair_new = codes[:, :1] * 30 + codes[:, 1:], new[:, :1] * 30 + new[:, 1:]
    by_hand = OneHotEncoder(handle_unknown="ignore").fit(pair)
    entropy = {
        "truth": normalized_entropy(y_new, p_new),
        "linear": normalized_entropy(y_new, LogisticRegression().fit(X, y).predict_proba(X_new)[:, 1]),
        "crosses": normalized_entropy(
            y_new, LogisticRegression().fit(by_hand.transform(pair), y).predict_proba(by_hand.transform(pair_new))[:, 1]
        ),
        "fm": normalized_entropy(
            y_new,
            FactorizationMachineClassifier(2, n_epochs=10, random_state=0).fit(X, y).predict_proba(X_new)[:, 1],
        ),
    }
    assert entropy["fm"] < entropy["linear"] - 0.05
    assert entropy["fm"] < entropy["crosses"]
    assert entropy["fm"] < entropy["truth"] + 0.01


def test_without_factors_it_is_logistic_regression():
    codes, y, _ = crossed(20_000, 0)
    X = OneHotEncoder().fit_transform(codes)
    ours = FactorizationMachineClassifier(0, n_epochs=30, random_state=0).fit(X, y).predict_proba(X)[:, 1]
    theirs = LogisticRegression(C=100).fit(X, y).predict_proba(X)[:, 1]
    assert np.abs(ours - theirs).mean() < 0.01


def test_partial_fit_learns_on_and_fit_forgets():
    codes, y, _ = crossed(5_000, 0)
    X = OneHotEncoder().fit_transform(codes)
    parts = FactorizationMachineClassifier(2, random_state=0, batch_size=100)
    whole = FactorizationMachineClassifier(2, random_state=0, batch_size=100).partial_fit(X, y)
    for start in range(0, 5_000, 1_000):
        parts.partial_fit(X[start : start + 1_000], y[start : start + 1_000])
    np.testing.assert_allclose(parts.predict_proba(X), whole.predict_proba(X))
    again = parts.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(
        again, FactorizationMachineClassifier(2, random_state=0, batch_size=100).fit(X, y).predict_proba(X)
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_factors", -1),
        ("learning_rate", 0),
        ("learning_rate", np.inf),
        ("l2_linear", np.inf),
        ("l2_factors", np.inf),
        ("init_scale", np.inf),
        ("n_epochs", 0),
        ("l2_linear", -1),
        ("l2_factors", np.nan),
        ("init_scale", 0),
        ("batch_size", 0),
    ],
)
def test_parameters_out_of_range_are_named(name, value):
    with pytest.raises(ValueError, match=f"{name} must be"):
        FactorizationMachineClassifier(**{name: value}).fit([[1.0], [2.0]], [0, 1])


def test_the_more_probable_class_is_predicted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    model = FactorizationMachineClassifier(random_state=0).fit(
        X, np.where(X[:, 0] + rng.normal(size=300) > 0, "a", "b")
    )
    assert model.predict(X).tolist() == np.array(["a", "b"])[(model.predict_proba(X)[:, 1] > 0.5).astype(int)].tolist()


def test_labels_are_checked():
    X = [[1.0], [2.0]]
    with pytest.raises(ValueError, match="give partial_fit both in `classes`"):
        FactorizationMachineClassifier().partial_fit(X, [1, 1])
    model = FactorizationMachineClassifier().partial_fit(X, [1, 1], classes=[0, 1])
    with pytest.raises(ValueError, match=r"y must be one of the classes \[0, 1\], got 2 at row 1"):
        model.partial_fit(X, [1, 2])
    with pytest.raises(ValueError, match=r"classes must be those of the first call, \[0, 1\], got \[1, 2\]"):
        model.partial_fit(X, [1, 1], classes=[2, 1])
    with pytest.raises(ValueError, match="sample_weight is zero in every row"):
        model.partial_fit(X, [1, 1], sample_weight=[0, 0])
    with pytest.raises(ValueError, match="X must hold no NaN, and nothing above 3e38 in size, got 1e"):
        model.predict_proba([[0.0], [1e39]])


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from([0, 2]), st.sampled_from([0.0, 0.1]))
def test_sparse_rows_are_what_they_are_as_an_array(seed, k, penalty):
    rng = np.random.default_rng(seed)
    value, column = rng.integers(-2, 3, 200) / 2, rng.integers(0, 5, 200)  # some entries twice, zero, or cancelling
    X = csr_matrix((value, column, np.arange(0, 201, 5)), (40, 5))
    given_data, given_indices, y = X.data.copy(), X.indices.copy(), rng.integers(0, 2, 40) | (np.arange(40) == 0)
    settings_ = {"l2_linear": penalty, "l2_factors": penalty, "batch_size": 8, "random_state": 0}
    model = FactorizationMachineClassifier(k, **settings_)
    expected = FactorizationMachineClassifier(k, **settings_).fit(X.toarray(), y)
    for rows in (X, X.tocsc(), X.astype(np.float32)):
        np.testing.assert_allclose(model.fit(rows, y).coef_, expected.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(model.predict_proba(rows), expected.predict_proba(X.toarray()), rtol=1e-9)
        np.testing.assert_allclose(pairwise(rows, model.factors_), pairwise(X.toarray(), model.factors_), atol=1e-12)
    np.testing.assert_array_equal(X.data, given_data)
    np.testing.assert_array_equal(X.indices, given_indices)


@pytest.mark.parametrize("learn", ["fit", "partial_fit"])
def test_rows_of_weight_0_are_none(learn):
    rng = np.random.default_rng(0)
    X, y, weight = rng.normal(size=(50, 3)), np.arange(50) % 2, rng.uniform(0.5, 2, 50)
    among = np.arange(100) % 2 == 1
    more, labels, weights = np.ones((100, 3)), np.zeros(100), np.zeros(100)
    more[among], labels[among], weights[among] = X, y, weight
    models = [
        FactorizationMachineClassifier(2, l2_linear=0.1, l2_factors=0.1, batch_size=8, random_state=0) for _ in range(2)
    ]
    expected = getattr(models[0], learn)(X, y, sample_weight=weight)
    model = getattr(models[1], learn)(more, labels, sample_weight=weights)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-12)
    np.testing.assert_allclose(model.factors_, expected.factors_, rtol=1e-12)


def test_values_far_from_1_are_told_at_the_start_and_right_ones_are_not():
    rng = np.random.default_rng(0)
    price = rng.lognormal(10, 1, 2_000)
    y = (rng.random(2_000) < expit(np.log(price) - 13)).astype(int)
    model = FactorizationMachineClassifier(2, random_state=0).fit(np.log(price)[:, None] - 10, y)
    X = np.column_stack([np.ones_like(price), price])
    message = rf"since X reaches {price.max():g} in column 1: scale it to about 1, or lower learning_rate"
    with pytest.warns(ConvergenceWarning, match=message.replace("+", r"\+")):
        FactorizationMachineClassifier(2, random_state=0).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="scale it"):
        FactorizationMachineClassifier(2, random_state=0).partial_fit(X, y)
    model.partial_fit(price[:, None], y)  # what breaks later is for a guard to see
    FactorizationMachineClassifier(2, learning_rate=1_000, random_state=0).fit(np.ones((50, 1)), np.arange(50) % 2)
    FactorizationMachineClassifier(2, learning_rate=1_000, random_state=0).fit(np.zeros((50, 1)), np.arange(50) % 2)


def test_vectors_of_other_features_are_refused():
    with pytest.raises(ValueError, match="factors must hold one vector for each of 2 features, got 3"):
        pairwise(np.ones((1, 2)), np.ones((3, 1)))


def test_scikit_learns_own_checks():
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # some of its values are about 100
        failed = failed_checks(FactorizationMachineClassifier(random_state=0), at_least=40)
    assert {name: why for name, why in failed.items() if name not in NOT_FOR_BATCHES} == {}


def test_the_smallest_settings_work():
    X, y = csr_matrix([[1.0, 0], [0, 1], [1, 1]]), [0, 1, 1]
    model = FactorizationMachineClassifier(0, n_epochs=1, batch_size=1, random_state=0).fit(X, y)
    assert model.factors_.shape == (2, 0)
    assert np.isfinite(model.predict_proba(X)).all()


def test_what_is_not_asked_for():
    assert FactorizationMachineClassifier().get_params() == {
        "batch_size": 256,
        "init_scale": 0.05,
        "l2_factors": 0.0,
        "l2_linear": 0.0,
        "learning_rate": 0.1,
        "n_epochs": 5,
        "n_factors": 8,
        "random_state": None,
    }


@pytest.mark.parametrize("name", ["learning_rate", "l2_linear", "l2_factors"])
def test_a_parameter_may_be_a_fraction_and_is_not_so_large_that_sums_overflow(name):
    X, y = np.eye(2)[[0, 1] * 20], [0, 1] * 20
    a, b = (
        FactorizationMachineClassifier(random_state=0, **{name: half}).fit(X, y).coef_ for half in (Fraction(1, 2), 0.5)
    )
    np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=name):
        FactorizationMachineClassifier(**{name: 1e300}).fit(X, y)


def test_sparse_factors_are_as_good_as_dense_ones():
    assert pairwise([[1.0, 2.0]], csr_matrix([[1.0, 0.0], [3.0, 1.0]])).tolist() == [6]


def test_it_starts_at_the_rate_of_its_first_rows():
    X, y, weight = csr_matrix(np.eye(4)), [0, 1, 0, 0], [1.0, 3.0, 2.0, 2.0]
    model = FactorizationMachineClassifier(0, learning_rate=1e-300, batch_size=2)
    np.testing.assert_allclose(model.partial_fit(X, y).predict_proba(X)[:, 1], 2 / 4)  # of the first batch
    for learn in (model.fit, FactorizationMachineClassifier(0, learning_rate=1e-300).partial_fit):
        np.testing.assert_allclose(learn(X, y).predict_proba(X)[:, 1], 2 / 6)
    np.testing.assert_allclose(model.fit(X, y, sample_weight=weight).predict_proba(X)[:, 1], 4 / 10)
    np.testing.assert_allclose(model.partial_fit(X, [1, 1, 1, 1]).predict_proba(X)[:, 1], 4 / 10)
