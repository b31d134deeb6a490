import numpy as np
import pytest
from scipy.special import expit
from sklearn.base import clone

from snippets.modeling.multi_task import MultiTaskClassifier
from tests.modeling.gradients import hold_against_adagrad, hold_against_finite_differences, hold_spread, untrained


def rows(n=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 5, (n, 3))
    click = (rng.random(n) < 0.5).astype(float)
    return X, np.column_stack([click, click * (rng.random(n) < 0.4)])


@pytest.mark.parametrize("n_experts", [1, 3])
@pytest.mark.parametrize("entire_space", [False, True])
def test_gradients_are_finite_differences(n_experts, entire_space):
    X, Y = rows(14)
    model = MultiTaskClassifier(2, n_experts, 4, entire_space, init_scale=0.7, random_state=0).fit(X, Y)
    if not entire_space:
        Y[::3, 1] = np.nan
    hold_against_finite_differences(model, model._rows(X), Y)


def test_it_learns_by_adagrad():
    hold_against_adagrad(MultiTaskClassifier(2, 2, 4, random_state=0), *rows())


def test_what_goes_in_keeps_its_size_at_the_start():
    net = MultiTaskClassifier(64, 8, 400, init_scale=0.3, random_state=0)
    p = untrained(net, np.tile(np.arange(300)[:, None], (1, 2)), np.tile(np.arange(300)[:, None] % 2, (1, 2))).params_
    hold_spread(p["embedding"][1:], 0.3)
    hold_spread(p["expert"], (2 / 128) ** 0.5)
    hold_spread(p["gate"], 128**-0.5)
    hold_spread(p["tower"], 400**-0.5)


def test_the_loss_is_the_log_loss_of_each_known_label():
    X, Y = rows(50)
    Y[::4, 1] = np.nan
    model = MultiTaskClassifier(2, 2, 4, random_state=0).fit(X, Y)
    p = model.predict_proba(X)
    expected = -(Y * np.log(p) + (1 - Y) * np.log(1 - p))
    assert model._gradients(model._rows(X), Y)[1] == pytest.approx(np.nansum(expected) / 50)


def test_the_loss_over_the_entire_space_is_that_of_click_and_of_click_with_conversion():
    X, Y = rows(50)
    model = MultiTaskClassifier(2, 2, 4, entire_space=True, random_state=0).fit(X, Y)
    p = model.predict_proba(X)
    p[:, 1] *= p[:, 0]
    expected = -(Y * np.log(p) + (1 - Y) * np.log(1 - p)).sum() / 50
    assert model._gradients(model._rows(X), Y)[1] == pytest.approx(expected)


def test_one_expert_has_a_gate_that_is_one_and_a_gate_is_a_softmax_of_the_input():
    X, Y = rows(20)
    alone = MultiTaskClassifier(2, 1, 4, random_state=0).fit(X, Y)
    assert (alone._forward(alone._rows(X))[3] == 1).all()
    model = MultiTaskClassifier(2, 3, 4, random_state=0).fit(X, Y)
    p, table = model.params_, model._rows(X)
    x = p["embedding"][table[7]].ravel()
    logits = []
    for task in range(2):  # one row, written out
        weight = np.exp(x @ p["gate"][task])
        weight /= weight.sum()
        mixed = sum(w * np.maximum(x @ p["expert"][e] + p["expert_bias"][e, 0], 0) for e, w in enumerate(weight))
        logits.append(mixed @ p["tower"][task] + p["wide"][table[7], task].sum() + p["bias"][task])
    np.testing.assert_allclose(model.predict_proba(X)[7], expit(logits))


def test_labels_that_are_not_known_teach_nothing():
    X, Y = rows(400)
    only = Y.copy()
    only[:, 1] = np.nan
    model = MultiTaskClassifier(2, random_state=0).fit(X, only)
    assert model.params_["bias"][1] == 0
    np.testing.assert_array_equal(model.params_["wide"][:, 1], 0)


def test_conversion_over_the_entire_space_comes_out_right_where_clicks_are_random():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 4, (60_000, 1))
    click = rng.random(60_000) < np.array([0.1, 0.3, 0.5, 0.7])[X[:, 0]]
    conversion = click & (rng.random(60_000) < np.array([0.6, 0.2, 0.4, 0.1])[X[:, 0]])
    model = MultiTaskClassifier(2, 1, 4, True, n_epochs=15, random_state=0).fit(X, np.column_stack([click, conversion]))
    p = model.predict_proba(np.arange(4)[:, None])
    np.testing.assert_allclose(p[:, 0], [0.1, 0.3, 0.5, 0.7], atol=0.03)
    np.testing.assert_allclose(p[:, 1], [0.6, 0.2, 0.4, 0.1], atol=0.05)


def test_what_nobody_has_seen_adds_nothing_and_the_seed_determines_the_rest():
    X, Y = rows()
    X[::3, 0] = -1
    a, b = (MultiTaskClassifier(2, 2, random_state=3).fit(X, Y) for _ in range(2))
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X.astype(float)))
    np.testing.assert_array_equal(a.predict_proba([[-1, 5, 9]]), a.predict_proba([[5, -1, -1]]))
    np.testing.assert_array_equal(a.params_["embedding"][0], 0)
    assert not np.allclose(a.predict_proba(X), clone(a).set_params(random_state=4).fit(X, Y).predict_proba(X))


@pytest.mark.parametrize(
    ("arguments", "X", "Y", "message"),
    [
        ({"n_factors": 0}, [[0]], [[0]], "n_factors must be at least 1"),
        ({"n_experts": 0}, [[0]], [[0]], "n_experts must be at least 1"),
        ({"n_hidden": 0}, [[0]], [[0]], "n_hidden must be at least 1"),
        ({"n_epochs": 0}, [[0]], [[0]], "n_epochs must be at least 1"),
        ({"batch_size": 0}, [[0]], [[0]], "batch_size must be at least 1"),
        ({"learning_rate": 0}, [[0]], [[0]], "learning_rate must be positive"),
        ({"learning_rate": np.inf}, [[0]], [[0]], "learning_rate must be positive and finite"),
        ({"init_scale": 0}, [[0]], [[0]], "init_scale must be positive"),
        ({"init_scale": np.inf}, [[0]], [[0]], "init_scale must be positive"),
        ({}, [[0.5]], [[0]], "whole numbers, got float64"),
        ({}, [[0]], [0], r"row of labels for each of 1 rows, got shape \(1,\)"),
        ({}, [[0]], [[0], [1]], r"got shape \(2, 1\)"),
        ({}, [[0]], [[0.5]], "labels must be 0, 1 or NaN, got 0.5"),
        ({}, [[0], [1]], [[0], [0.5]], "labels must be 0, 1 or NaN, got 0.5"),
        ({"entire_space": True}, [[0], [1]], [[1, 0], [0, 1]], "a click wherever there is a conversion"),
        ({"entire_space": True}, [[0]], [[0]], "entire_space needs two labels"),
        ({"entire_space": True}, [[0]], [[0, 1]], "a click wherever there is a conversion"),
        ({"entire_space": True}, [[0]], [[1, np.nan]], "all known"),
    ],
)
def test_what_cannot_be_learned_is_named(arguments, X, Y, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskClassifier(**arguments).fit(X, Y)


def test_other_fields_than_those_of_fit_are_refused():
    X, Y = rows()
    with pytest.raises(ValueError, match="the 3 fields of fit, got 1"):
        MultiTaskClassifier().fit(X, Y).predict_proba([[0]])


def test_what_is_not_asked_for():
    assert MultiTaskClassifier().get_params() == {
        "batch_size": 256,
        "entire_space": False,
        "init_scale": 0.05,
        "learning_rate": 0.05,
        "n_epochs": 1,
        "n_experts": 1,
        "n_factors": 8,
        "n_hidden": 16,
        "random_state": None,
    }
