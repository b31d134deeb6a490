import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.cross_network import CrossNetworkClassifier, cross_layers
from tests.estimators import failed_checks
from tests.modeling.gradients import (
    hold_against_adagrad,
    hold_against_finite_differences,
    hold_codes_are_names,
    hold_spread,
    hold_weights_count_rows,
    untrained,
)


def test_cross_layers_against_the_papers_equation_row_by_row():
    rng = np.random.default_rng(0)
    x, weights, biases = rng.normal(size=(6, 4)), rng.normal(size=(3, 4, 4)), rng.normal(size=(3, 4))
    outputs = cross_layers(x, weights, biases)
    assert len(outputs) == 4
    for row in range(6):
        x0 = xl = x[row]
        for layer in range(3):  # column vectors, as in the paper: its matrix is ours transposed
            xl = x0 * (weights[layer].T @ xl + biases[layer]) + xl
            np.testing.assert_allclose(outputs[layer + 1][row], xl)


def test_layers_raise_the_degree_by_one_each():
    rng = np.random.default_rng(1)
    weights, x = rng.normal(size=(3, 2, 2)), rng.normal(size=(1, 2))
    scale = np.linspace(-1, 1, 9)
    for layer, output in enumerate(cross_layers(scale[:, None] * x, weights, np.zeros((3, 2)))):
        fits = [np.polynomial.Polynomial.fit(scale, output[:, 0], degree) for degree in (layer + 1, max(layer, 0))]
        assert np.abs(fits[0](scale) - output[:, 0]).max() < 1e-9
        assert np.abs(fits[1](scale) - output[:, 0]).max() > 1e-3


def rows(n=4_000, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 6, (n, 3))
    cross = np.random.default_rng(5).normal(0, 1.5, (6, 6))
    p = expit(-1 + cross[X[:, 0], X[:, 1]] + 0.3 * X[:, 2] - 0.75)
    return X, (rng.random(n) < p).astype(int), p


@pytest.mark.parametrize(("n_cross", "n_hidden"), [(2, 3), (0, 4), (1, 0), (0, 0)])
def test_gradients_are_finite_differences(n_cross, n_hidden):
    X, y, _ = rows(12)
    model = CrossNetworkClassifier(2, n_cross, n_hidden, init_scale=0.5, random_state=0).fit(X, y)
    table = model._rows(X)
    _, at_loss, _ = model._gradients(table, y.astype(float))
    p = model.predict_proba(X)[:, 1]
    assert at_loss == pytest.approx(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
    hold_against_finite_differences(model, table, y.astype(float))


def test_it_learns_by_adagrad():
    X, y, _ = rows(200)
    hold_against_adagrad(CrossNetworkClassifier(2, 2, 3, random_state=0), X, y)


def test_what_goes_in_keeps_its_size_at_the_start():
    net = CrossNetworkClassifier(64, 2, 400, init_scale=0.3, random_state=0)
    p = untrained(net, np.tile(np.arange(300)[:, None], (1, 2)), np.arange(300) % 2).params_
    hold_spread(p["embedding"][1:], 0.3)
    hold_spread(p["cross"], 128**-0.5)
    hold_spread(p["hidden"], (2 / 128) ** 0.5)
    hold_spread(p["out"], (128 + 400) ** -0.5)


@pytest.mark.parametrize(("weight", "rate"), [(None, 1 / 4), ([1.0, 3.0, 2.0, 2.0], 3 / 8)])
def test_it_starts_at_the_base_rate(weight, rate):
    net = CrossNetworkClassifier(2, 0, 0, learning_rate=1e-300).fit(np.zeros((4, 1)), [0, 1, 0, 0], weight)
    np.testing.assert_allclose(net.predict_proba([[0]])[0, 1], rate)


def test_one_pass_over_rare_clicks_is_enough_for_their_rate():
    y = (np.random.default_rng(0).random(20_000) < 0.005).astype(int)
    net = CrossNetworkClassifier(4, 1, learning_rate=0.01, random_state=0).fit(np.zeros((20_000, 3)), y)
    assert net.predict_proba([[0, 0, 0]])[0, 1] == pytest.approx(y.mean(), rel=0.1)


@pytest.mark.parametrize(("n_cross", "n_hidden"), [(1, 0), (0, 32), (2, 16)])
def test_it_finds_a_cross_that_weights_alone_cannot(n_cross, n_hidden):
    X, y, _ = rows(20_000)
    new, y_new, p_new = rows(10_000, 1)
    net = CrossNetworkClassifier(4, n_cross, n_hidden, n_epochs=6, random_state=0).fit(X, y)
    linear = CrossNetworkClassifier(4, 0, 0, n_epochs=6, random_state=0).fit(X, y)
    got, alone = (normalized_entropy(y_new, m.predict_proba(new)[:, 1]) for m in (net, linear))
    truth = normalized_entropy(y_new, p_new)
    assert alone > truth + 0.1
    assert got < truth + 0.25 * (alone - truth)


@pytest.mark.parametrize(
    ("weights", "biases"), [(np.zeros((1, 3, 2)), np.zeros((1, 2))), (np.zeros((1, 2, 2)), np.zeros((1, 3)))]
)
def test_layers_of_another_width_are_refused(weights, biases):
    with pytest.raises(ValueError, match=r"weights must have shape \(1, 2, 2\) and biases \(1, 2\), got"):
        cross_layers([[1, 2]], weights, biases)


def test_layers_that_overflow_are_refused():
    with pytest.raises(ValueError, match="so large that a layer overflows"):
        cross_layers([[1e200]], [[[1e200]]], [[0]])


def test_weights_count_rows():
    X, y, _ = rows(60)
    hold_weights_count_rows(CrossNetworkClassifier(2, 1, 3, random_state=0), X, y)


def test_codes_may_be_of_any_size():
    X, y, _ = rows(200)
    hold_codes_are_names(CrossNetworkClassifier(2, 1, 3, random_state=0), X, y)


def test_scikit_learns_own_checks_but_those_with_fractions_for_codes():
    assert failed_checks(CrossNetworkClassifier(4, random_state=0), at_least=50).keys() == {
        "check_decision_proba_consistency",
        "check_dtype_object",
        "check_sample_weight_equivalence_on_dense_data",
    }


def test_what_nobody_has_seen_adds_nothing():
    X, y, _ = rows()
    X[X == 2] = 3
    model = CrossNetworkClassifier(3, 2, 4, random_state=0).fit(X, y)
    unknown = model.predict_proba([[-1, 6, 99]])
    np.testing.assert_array_equal(unknown, model.predict_proba([[6, -1, -7]]))
    np.testing.assert_array_equal(unknown, model.predict_proba([[2, 2, 2]]))  # less than the largest code, but new
    np.testing.assert_array_equal(model.params_["embedding"][0], 0)
    assert model.params_["wide"][0] == 0
    assert not np.allclose(unknown, model.predict_proba(X[:1]))


def test_missing_values_in_training_share_the_unknown_row():
    X, y, _ = rows()
    X[::3, 0] = -1
    model = CrossNetworkClassifier(3, 1, random_state=0).fit(X, y)
    np.testing.assert_array_equal(model.params_["embedding"][0], 0)


def test_the_seed_determines_everything_and_labels_may_be_words():
    X, y, _ = rows()
    words = np.array(["no", "yes"])[y]
    a, b = (CrossNetworkClassifier(3, random_state=4).fit(X, labels) for labels in (y, words))
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    assert b.predict(X).tolist() == np.array(["no", "yes"])[a.predict(X)].tolist()
    assert a.predict(X).tolist() == (a.predict_proba(X)[:, 1] > 0.5).tolist()
    assert not np.array_equal(clone(a).set_params(random_state=5).fit(X, y).predict_proba(X), a.predict_proba(X))
    np.testing.assert_array_equal(a.predict_proba(X.astype(float)), a.predict_proba(X))


@pytest.mark.parametrize(
    ("arguments", "X", "y", "message"),
    [
        ({"n_factors": 0}, [[0], [1]], [0, 1], "n_factors must be a whole number of at least 1"),
        ({"n_cross": -1}, [[0], [1]], [0, 1], "n_cross must be a whole number of at least 0"),
        ({"n_hidden": -1}, [[0], [1]], [0, 1], "n_hidden must be a whole number of at least 0"),
        ({"n_epochs": 0}, [[0], [1]], [0, 1], "n_epochs must be a whole number of at least 1"),
        ({"batch_size": 0}, [[0], [1]], [0, 1], "batch_size must be a whole number of at least 1"),
        ({"learning_rate": 0}, [[0], [1]], [0, 1], "learning_rate must be above 0"),
        ({"learning_rate": np.inf}, [[0], [1]], [0, 1], "learning_rate must be above 0 and finite"),
        ({"init_scale": np.inf}, [[0], [1]], [0, 1], "init_scale must be above 0 and finite"),
        ({"init_scale": np.nan}, [[0], [1]], [0, 1], "init_scale must be above 0"),
        ({"n_factors": np.nan}, [[0], [1]], [0, 1], "n_factors must be a whole number"),
        ({}, [[0.5], [1]], [0, 1], "X must be whole numbers, got 0.5 at row 0, column 0"),
        ({}, [["a"], ["b"]], [0, 1], "X must hold numbers, got 'a' at row 0, column 0"),
        ({}, [[np.nan], [1]], [0, 1], "X must be whole numbers, got nan at row 0, column 0"),
        ({}, [[0], [1]], [0, 1, 1], "y has 3 rows, X has 2"),
        ({}, [[0], [1]], [1, 1], "y holds 1"),
        ({}, [[0], [1], [1]], [0.0, 1.0, np.nan], "y is missing at row 2"),
        ({}, [[0], [1], [1]], np.ma.array([0, 1, 1], mask=[0, 0, 1]), "y is missing at row 2"),
        ({}, [[0], [1], [1]], ["no", None, "yes"], "y is missing at row 1"),
        (
            {"learning_rate": 1e200, "n_epochs": 3},
            [[0], [1]] * 9,
            [0, 1] * 9,
            r"learning_rate 1e\+200 or init_scale .* is too large",
        ),
    ],
)
def test_what_cannot_be_learned_is_named(arguments, X, y, message):
    with pytest.raises(ValueError, match=message):
        CrossNetworkClassifier(**arguments).fit(X, y)


def test_the_least_of_everything_is_a_model():
    least = {"n_factors": 1, "n_cross": 0, "n_hidden": 0, "n_epochs": 1, "batch_size": 1}
    model = CrossNetworkClassifier(**least, random_state=0).fit([[0], [1]] * 50, [0, 1] * 50)
    assert model.predict([[0], [1]]).tolist() == [0, 1]


def test_other_fields_than_those_of_fit_are_refused():
    model = CrossNetworkClassifier().fit([[0, 1], [1, 0]], [0, 1])
    with pytest.raises(ValueError, match="expecting 2 features"):
        model.predict([[0]])


def test_what_is_not_asked_for():
    assert CrossNetworkClassifier().get_params() == {
        "batch_size": 256,
        "init_scale": 0.05,
        "learning_rate": 0.05,
        "n_cross": 2,
        "n_epochs": 1,
        "n_factors": 8,
        "n_hidden": 0,
        "random_state": None,
    }


def test_log_odds_that_overflow_are_no_prediction():
    model = CrossNetworkClassifier(2, learning_rate=1e80, random_state=0).fit([[0], [1]] * 9, [0, 1] * 9)
    with pytest.raises(ValueError, match=r"learning_rate 1e\+80 or init_scale 0.05 is too large: overflow"):
        model.predict_proba([[0], [1]])
