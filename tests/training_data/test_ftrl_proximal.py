from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, SGDClassifier

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.training_data.ftrl_proximal import SCHEDULES, FTRLProximal
from tests.estimators import failed_checks

# One pass depends on the order of the rows, so that two copies of a row are not one of weight 2. scikit-learn expects
# the same of its own SGDClassifier.
NOT_FOR_ONE_PASS = {
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}


def literal_rows(X, y, weight, alpha, beta, l1, l2):
    """Algorithm 1 of McMahan et al. 2013, row by row and coordinate by coordinate, plus a constant without penalty."""
    z, n = {}, {}
    for x, label, importance in zip(X.tolist(), y.tolist(), weight.tolist(), strict=True):
        present = {i: value for i, value in enumerate(x) if value} | {"constant": 1.0}
        w = {}
        for i in present:
            z.setdefault(i, 0.0)
            n.setdefault(i, 0.0)
            first, second = (0.0, 0.0) if i == "constant" else (l1, l2)
            if abs(z[i]) <= first:
                w[i] = 0.0
            else:
                sign = 1 if z[i] > 0 else -1
                w[i] = -(((beta + n[i] ** 0.5) / alpha + second) ** -1) * (z[i] - sign * first)
        p = 1 / (1 + np.exp(-sum(w[i] * value for i, value in present.items())))
        for i, value in present.items():
            g = importance * (p - label) * value
            sigma = ((n[i] + g * g) ** 0.5 - n[i] ** 0.5) / alpha
            z[i] += g - sigma * w[i]
            n[i] += g * g
    return z, n


def literal_descent(X, y, rate):
    """Plain online gradient descent, the last column of X the constant; rate(i, t, count, squares) gives the step."""
    w, count, squares = np.zeros(X.shape[1]), np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for t, (x, label) in enumerate(zip(X, y, strict=True), start=1):
        g = (expit(x @ w) - label) * x
        count += x != 0
        squares += g * g
        for i in np.flatnonzero(x):
            w[i] -= rate(t, count[i], squares[i]) * g[i]
    return w


def rows(seed, n=300, width=6):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, width)) * (rng.random((n, width)) < 0.4)
    y = (rng.random(n) < expit(X @ rng.normal(size=width) - 1)).astype(int)
    return X, y, rng.uniform(0.2, 3, n)


@settings(max_examples=40)
@given(
    st.integers(0, 10**6),
    st.floats(0.01, 2),
    st.floats(0.1, 3),
    st.sampled_from([0.0, 0.3, 2.0]),
    st.sampled_from([0.0, 0.5]),
    st.integers(1, 40),
)
def test_against_the_algorithm_of_the_paper_row_by_row(seed, alpha, beta, l1, l2, chunk):
    X, y, weight = rows(seed, n=60)
    model = FTRLProximal(alpha, beta, l1, l2, batch_size=1)
    for start in range(0, len(y), chunk):
        part = slice(start, start + chunk)
        model.partial_fit(csr_matrix(X[part]), y[part], classes=[0, 1], sample_weight=weight[part])
    z, n = literal_rows(X, y, weight, alpha, beta, l1, l2)
    keys = [*range(X.shape[1]), "constant"]
    np.testing.assert_allclose(model._z, [z.get(i, 0) for i in keys], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model._n, [n.get(i, 0) for i in keys], rtol=1e-9, atol=1e-12)
    for i, key in enumerate(keys):
        first, second = (l1, l2) if key != "constant" else (0, 0)
        expected = -np.sign(z.get(key, 0)) * max(abs(z.get(key, 0)) - first, 0)
        expected /= (beta + n.get(key, 0) ** 0.5) / alpha + second
        assert np.append(model.coef_, model.intercept_)[i] == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_batch_applies_its_gradients_one_after_the_other():
    X, y, weight = rows(5)
    model = FTRLProximal(0.3, l1=0.5, l2=0.1, batch_size=512).fit(csr_matrix(X), y, weight)
    padded = np.column_stack([X, np.ones(len(y))])
    l1, l2 = np.append(np.full(X.shape[1], 0.5), 0), np.append(np.full(X.shape[1], 0.1), 0)
    z, n, w = np.zeros((3, padded.shape[1]))
    start, sizes = 0, []
    while start < len(y):
        size = 1 + start // 32
        p = expit(padded[start : start + size] @ w)
        for x, label, importance, probability in zip(
            padded[start : start + size], y[start:], weight[start:], p, strict=False
        ):
            g = importance * (probability - label) * x
            z += g - (np.sqrt(n + g * g) - np.sqrt(n)) / 0.3 * w
            n += g * g
        w = np.where(np.abs(z) <= l1, 0, -(z - np.sign(z) * l1) / ((1 + np.sqrt(n)) / 0.3 + l2))
        start += size
        sizes.append(size)
    assert sizes[:33] == [1] * 32 + [2]
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), w, rtol=1e-10, atol=1e-14)
    assert model.n_rows_ == len(y)


@pytest.mark.parametrize(
    ("schedule", "rate"),
    [
        ("per_coordinate", lambda t, count, squares: 0.05 / (0.7 + np.sqrt(squares))),
        ("per_weight_sqrt", lambda t, count, squares: 0.05 / np.sqrt(count)),
        ("per_weight", lambda t, count, squares: 0.05 / count),
        ("global", lambda t, count, squares: 0.05 / np.sqrt(t)),
        ("constant", lambda t, count, squares: 0.05),
    ],
)
def test_without_penalties_each_schedule_is_gradient_descent(schedule, rate):
    X, y, _ = rows(1)
    model = FTRLProximal(0.05, 0.7, learning_rate=schedule, batch_size=1).fit(X, y)
    expected = literal_descent(np.column_stack([X, np.ones(len(y))]), y, rate)
    np.testing.assert_allclose(np.append(model.coef_, model.intercept_), expected, rtol=1e-9)


def test_all_schedules_are_tested():
    assert SCHEDULES == ("per_coordinate", "per_weight_sqrt", "per_weight", "global", "constant")


def test_scikit_learn_accepts_it():
    failed = failed_checks(FTRLProximal(), at_least=40)
    assert {name: why for name, why in failed.items() if name not in NOT_FOR_ONE_PASS} == {}
    assert set(failed) == NOT_FOR_ONE_PASS


def test_without_an_intercept_it_stays_zero():
    X, y, _ = rows(2)
    assert FTRLProximal(fit_intercept=False).fit(X, y).intercept_ == 0


def hashed_log(n):
    log = simulate_ad_log(n)
    columns = ["position", "category", "device", "ad_id", "user_id"]
    hashed = [pd.util.hash_array((c + log[c].astype(str)).to_numpy(object)) % 2**16 for c in columns]
    X = csr_matrix((np.ones(n * 5), np.column_stack(hashed).ravel(), np.arange(0, n * 5 + 1, 5)), shape=(n, 2**16))
    return X, log["click"].to_numpy()


def test_one_pass_comes_close_to_many_and_beats_one_of_plain_gradient_descent():
    X, y = hashed_log(150_000)
    train, test = slice(0, 100_000), slice(100_000, None)

    def entropy(model):
        return normalized_entropy(y[test], model.fit(X[train], y[train]).predict_proba(X[test])[:, 1])

    ours = entropy(FTRLProximal(0.2))
    batch = min(entropy(LogisticRegression(C=c, max_iter=200)) for c in (0.1, 0.3, 1.0))
    plain = SGDClassifier(loss="log_loss", penalty=None, learning_rate="constant", shuffle=False, max_iter=1, tol=None)
    descents = [entropy(clone(plain).set_params(eta0=eta)) for eta in (0.003, 0.01, 0.03, 0.1, 0.3)]
    assert batch < ours < min(descents)
    assert ours < batch + 0.015


def test_large_batches_cost_next_to_nothing():
    X, y = hashed_log(60_000)

    def entropy(size):
        model = FTRLProximal(0.2, batch_size=size).fit(X[:50_000], y[:50_000])
        return normalized_entropy(y[50_000:], model.predict_proba(X[50_000:])[:, 1])

    assert abs(entropy(512) - entropy(1)) < 0.001


def test_a_penalty_leaves_weights_exactly_zero():
    X, y = hashed_log(50_000)
    nonzero = [np.count_nonzero(FTRLProximal(0.2, l1=l1).fit(X, y).coef_) for l1 in (0, 1, 3)]
    assert nonzero[0] > 2 * nonzero[1] > 4 * nonzero[2] > 0


def test_it_goes_on_where_it_stopped_and_begins_anew_with_fit():
    X, y, _ = rows(3)
    once = FTRLProximal(batch_size=1).fit(X, y)
    twice = FTRLProximal(batch_size=1).fit(X[::-1], y[::-1])
    assert twice.n_rows_ == 300
    twice.partial_fit(X, y)
    assert twice.n_rows_ == 600
    twice.fit(X, y)
    np.testing.assert_array_equal(once.coef_, twice.coef_)


def test_classes_of_any_kind():
    X, y, _ = rows(4)
    names = np.array(["no", "yes"])[y]
    model = FTRLProximal().fit(X, names)
    assert set(model.predict(X)) == {"no", "yes"}
    np.testing.assert_array_equal(model.coef_, FTRLProximal().fit(X, y).coef_)
    assert (model.predict(X) == "yes").tolist() == (model.predict_proba(X)[:, 1] > 0.5).tolist()


def scattered(seed):
    """Sparse rows whose entries stand there in parts: some of them zero, some of which cancel."""
    rng = np.random.default_rng(seed)
    row, column, value = rng.integers(0, 40, 200), rng.integers(0, 5, 200), rng.integers(-2, 3, 200) / 2
    order = np.argsort(row, kind="stable")
    ends = np.searchsorted(row[order], np.arange(41))
    return csr_matrix((value[order], column[order], ends), (40, 5)), (rng.random(40) < 0.4).astype(int)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(SCHEDULES), st.sampled_from([0.0, 1.0]), st.sampled_from([1, 512]))
def test_sparse_rows_are_what_they_are_as_an_array(seed, schedule, beta, batch_size):
    X, y = scattered(seed)
    given_data, given_indices = X.data.copy(), X.indices.copy()
    model = FTRLProximal(0.1, beta, learning_rate=schedule, batch_size=batch_size)
    expected = clone(model).fit(X.toarray(), y)
    for rows in (X, X.tocsc(), X.tocoo(), X.astype(np.float32)):
        np.testing.assert_allclose(model.fit(rows, y).coef_, expected.coef_, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(model.predict_proba(rows), expected.predict_proba(X.toarray()), rtol=1e-9)
    assert np.isfinite(expected.coef_).all()
    np.testing.assert_array_equal(X.data, given_data)
    np.testing.assert_array_equal(X.indices, given_indices)


def test_a_coordinate_without_any_gradient_stays_zero():
    X = np.array([[9.0, 0.0], [9, 1]])  # the second row is known for sure
    model = FTRLProximal(1e9, beta=0, batch_size=1, fit_intercept=False).partial_fit(X, [1, 1], classes=[0, 1])
    assert model.coef_[0, 1] == 0


@pytest.mark.parametrize("batch_size", [1, 512])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_rows_of_weight_0_are_none(schedule, batch_size):
    X, y, weight = rows(6)
    among = np.arange(2 * len(y)) % 2 == 1
    more, labels, weights = np.ones((len(among), X.shape[1])), np.zeros(len(among)), np.zeros(len(among))
    more[among], labels[among], weights[among] = X, y, weight
    model = FTRLProximal(learning_rate=schedule, batch_size=batch_size)
    expected = clone(model).partial_fit(X, y, sample_weight=weight).partial_fit(X, y)
    model.partial_fit(csr_matrix(more), labels, sample_weight=weights).partial_fit(X, y)
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=1e-12)
    assert model.n_rows_ == expected.n_rows_ == 2 * len(y)


def test_values_far_from_1_are_told_at_the_start_and_right_ones_are_not():
    rng = np.random.default_rng(0)
    price = rng.lognormal(10, 1, 2_000)
    y = (rng.random(2_000) < expit(np.log(price) - 13)).astype(int)
    scaled = FTRLProximal().fit(np.log(price)[:, None] - 10, y)
    assert normalized_entropy(y, scaled.predict_proba(np.log(price)[:, None] - 10)[:, 1]) < 1
    message = rf"since X reaches {price.max():g} in column 1: scale it to about 1, or lower alpha"
    X = np.column_stack([np.ones_like(price), price])
    for rows_ in (X, csr_matrix(X)):
        with pytest.warns(ConvergenceWarning, match=message.replace("+", r"\+")):
            FTRLProximal().fit(rows_, y)
        with pytest.warns(ConvergenceWarning, match="scale it"):
            FTRLProximal().partial_fit(rows_, y, classes=[0, 1])
    scaled.partial_fit(price[:, None], y)  # what breaks later is for a guard to see
    FTRLProximal(1_000, learning_rate="constant").fit(np.ones((50, 1)), np.arange(50) % 2)  # the rate is to blame
    FTRLProximal(1_000, learning_rate="constant").fit(np.zeros((50, 1)), np.arange(50) % 2)


def test_narrow_parameters_are_those_numbers():
    X, y, _ = rows(7)
    for schedule in SCHEDULES:
        wide, narrow = (FTRLProximal(*p, learning_rate=schedule) for p in [(3.0, 1.0), (np.int8(3), np.int8(1))])
        np.testing.assert_array_equal(narrow.fit(X, y).coef_, wide.fit(X, y).coef_)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda X, y: FTRLProximal(alpha=0).fit(X, y), "alpha must be above 0 and finite, got 0"),
        (lambda X, y: FTRLProximal(alpha=np.inf).fit(X, y), "alpha must be above 0 and finite, got inf"),
        (lambda X, y: FTRLProximal(beta=np.inf).fit(X, y), "beta must be at least 0 and finite, got inf"),
        (lambda X, y: FTRLProximal(l1=np.inf).fit(X, y), "l1 must be at least 0 and finite, got inf"),
        (lambda X, y: FTRLProximal(l2=-1).fit(X, y), "l2 must be at least 0 and finite, got -1"),
        (lambda X, y: FTRLProximal(beta=-1).fit(X, y), "beta must be at least 0 and finite, got -1"),
        (lambda X, y: FTRLProximal(l1=-1).fit(X, y), "l1 must be at least 0 and finite, got -1"),
        (lambda X, y: FTRLProximal(l2=np.inf).fit(X, y), "l2 must be at least 0 and finite, got inf"),
        (lambda X, y: FTRLProximal(batch_size=0).fit(X, y), "batch_size must be a whole number of at least 1, got 0"),
        (lambda X, y: FTRLProximal(learning_rate="x").fit(X, y), "learning_rate must be one of per_coordinate, .*'x'"),
        (lambda X, y: FTRLProximal().partial_fit(X, y * 0), r"got 1 class\(es\), \[0\]; give partial_fit both"),
        (
            lambda X, y: FTRLProximal().fit(X, y).partial_fit(X, y + 1),
            r"y must be one of the classes \[0, 1\], got 2 at row 1",
        ),
        (
            lambda X, y: FTRLProximal().fit(X, y, -np.ones(len(y))),
            r"sample_weight must be in \[0, 3e38\], got -1 at row 0",
        ),
        (lambda X, y: FTRLProximal().fit(X * np.nan, y), "X must be finite, got nan at row 0, column 0"),
        (lambda X, y: FTRLProximal().fit(X * 1e39, y), "X must hold no NaN, and nothing above 3e38 in size, got"),
        (
            lambda X, y: FTRLProximal().fit(csr_matrix(([1.0, np.inf], [2, 4], [0, 0, 2, 2])), [0, 1, 1]),
            "X must hold no NaN, .* got inf at row 1, column 4",
        ),
        (lambda X, y: FTRLProximal().fit(X, y).predict_proba(X * 1e39), "nothing above 3e38"),
        (lambda X, y: FTRLProximal().fit(X, y, np.where(y == 1, 1e300, 1)), r"sample_weight must be in \[0, 3e38\]"),
        (lambda X, y: FTRLProximal().fit(X, y, 0 * y), "sample_weight is zero in every row"),
        (lambda X, y: FTRLProximal().fit(X, y, y), "Only binary classification"),
        (
            lambda X, y: FTRLProximal().fit(X, y).partial_fit(X, y, classes=[1, 2]),
            r"classes must be those of the first call, \[0, 1\], got \[1, 2\]",
        ),
        (
            lambda X, y: FTRLProximal().fit(X, y).partial_fit(X, y.astype(str)),
            r"y must be one of the classes \[0, 1\], got . at row 0",
        ),
        (lambda X, y: FTRLProximal().fit(X, y).predict_proba(X[:, :3]), "X has 3 features, but .* expecting 6"),
    ],
)
def test_bad_input_is_named(call, message):
    X, y, _ = rows(0)
    with pytest.raises(ValueError, match=message):
        call(X, y)


def test_what_is_not_asked_for():
    assert FTRLProximal().get_params() == {
        "alpha": 0.1,
        "batch_size": 512,
        "beta": 1.0,
        "fit_intercept": True,
        "l1": 0.0,
        "l2": 0.0,
        "learning_rate": "per_coordinate",
    }


@pytest.mark.parametrize("name", ["alpha", "beta", "l1", "l2"])
def test_a_parameter_may_be_a_decimal(name):
    X, y = np.eye(2)[[0, 1] * 20], [0, 1] * 20
    a, b = (FTRLProximal(**{name: one}).fit(X, y).coef_ for one in (Decimal(1), 1.0))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("parameter", [{"alpha": 1e-300}, {"alpha": 1e300}, {"beta": 1e300}])
def test_rates_that_overflow_are_refused(parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        FTRLProximal(**parameter).fit([[3e38], [-3e38]], [0, 1])
