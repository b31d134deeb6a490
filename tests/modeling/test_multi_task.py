from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy.special import expit
from sklearn.base import clone

from snippets.modeling.multi_task import MultiTaskClassifier
from tests.estimators import failed_checks
from tests.modeling.gradients import (
    hold_against_adagrad,
    hold_against_finite_differences,
    hold_codes_are_names,
    hold_spread,
    hold_weights_count_rows,
    untrained,
)


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
    X[:, 0] += 5 * (np.arange(400) % 2)  # no row of the one half has a code of the other
    Y[::2, 1] = np.nan
    model = MultiTaskClassifier(2, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(model.params_["wide"][1:6, 1], 0)
    assert (model.params_["wide"][6:11, 1] != 0).all()
    none = np.full((100, 2), np.nan)
    more = MultiTaskClassifier(2, random_state=0).fit(np.r_[X, X[:100] + 20], np.r_[Y, none])
    np.testing.assert_array_equal(more.predict_proba(X), model.predict_proba(X))
    assert len(more.values_[0]) == len(model.values_[0])


def test_a_label_that_is_not_known_may_be_missing_in_any_container():
    X, Y = rows(60)
    Y[::3, 1] = np.nan
    expected = MultiTaskClassifier(2, random_state=0).fit(X, Y).predict_proba(X)
    frame = pd.DataFrame(Y, columns=["click", "buy"]).convert_dtypes()
    for labels in [
        frame,
        frame.astype("boolean"),
        frame.convert_dtypes(dtype_backend="pyarrow"),
        pl.from_pandas(frame),
        pa.Table.from_pandas(frame),
        frame.astype(object).where(frame.notna(), None).to_numpy().tolist(),
        np.ma.array(np.nan_to_num(Y).astype(int), mask=np.isnan(Y)),
    ]:
        got = MultiTaskClassifier(2, random_state=0).fit(X, labels).predict_proba(X)
        np.testing.assert_array_equal(got, expected)


def probability(logit):
    """Return it with as many digits as the context has."""
    return 1 / (1 + Decimal(-logit).exp())


def test_the_loss_over_the_entire_space_has_its_digits_where_probabilities_are_zero_or_one():
    logits = [-750.0, 0.5, 40.0, 750.0]  # e^-750 is less than the least float
    logit = np.array([(a, b) for a in logits for b in logits])
    with localcontext(prec=680):
        exact = [(p, q) for p in map(probability, logits) for q in map(probability, logits)]
        for click, bought in [(0, 0), (1, 0), (1, 1)]:
            Y = np.tile([click, bought], (len(logit), 1))
            loss, gradient = MultiTaskClassifier(entire_space=True)._loss(logit, Y)
            for i, (p, q) in enumerate(exact):
                of_click = -(p if click else 1 - p).ln()
                assert loss[i] == pytest.approx(float(of_click - (p * q if bought else 1 - p * q).ln()), rel=1e-12)
                ratio = (p * q - bought) / (1 - p * q)
                by_logit = float(ratio * (1 - p) + p - click), float(ratio * (1 - q))
                np.testing.assert_allclose(gradient[i], by_logit, rtol=1e-12, atol=1e-15)


def test_what_is_certain_over_the_entire_space_is_predicted_as_certain():
    X, Y = np.tile([[0], [1]], (100, 1)), np.tile([[1, 1], [0, 0]], (100, 1))
    for rate in (2, 50):
        model = MultiTaskClassifier(entire_space=True, learning_rate=rate, n_epochs=5, random_state=0).fit(X, Y)
        np.testing.assert_allclose(model.predict_proba([[0], [1]])[:, 0], [1, 0], atol=1e-3)
        assert model.predict_proba([[0]])[0, 1] > 0.999


def test_weights_count_rows():
    hold_weights_count_rows(MultiTaskClassifier(2, 2, 3, random_state=0), *rows(60))


def test_codes_may_be_of_any_size():
    hold_codes_are_names(MultiTaskClassifier(2, 2, 3, random_state=0), *rows())


def test_scikit_learns_own_checks_but_those_with_other_labels_than_0_and_1_or_fractions_for_codes():
    assert failed_checks(MultiTaskClassifier(2, random_state=0), at_least=35).keys() == {
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_sample_weight_equivalence_on_dense_data",
        "check_sample_weights_not_an_array",
        "check_sample_weights_not_overwritten",
        "check_sample_weights_pandas_series",
        "check_sample_weights_shape",
    }


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
        ({"n_factors": 0}, [[0]], [[0]], "n_factors must be a whole number of at least 1"),
        ({"n_experts": 0}, [[0]], [[0]], "n_experts must be a whole number of at least 1"),
        ({"n_hidden": 0}, [[0]], [[0]], "n_hidden must be a whole number of at least 1"),
        ({"n_epochs": 0}, [[0]], [[0]], "n_epochs must be a whole number of at least 1"),
        ({"batch_size": 0}, [[0]], [[0]], "batch_size must be a whole number of at least 1"),
        ({"learning_rate": 0}, [[0]], [[0]], "learning_rate must be above 0"),
        ({"learning_rate": np.inf}, [[0]], [[0]], "learning_rate must be above 0 and finite"),
        ({"init_scale": 0}, [[0]], [[0]], "init_scale must be above 0"),
        ({"init_scale": np.inf}, [[0]], [[0]], "init_scale must be above 0"),
        ({}, [[0.5]], [[0]], "X must be whole numbers, got 0.5 at row 0, column 0"),
        ({}, [[0]], [0], r"Y must have two dimensions, got shape \(1,\)"),
        ({}, [[0]], [[0], [1]], "Y has 2 rows, X has 1"),
        ({}, [[0]], [[0.5]], "Y must be 0 or 1, got 0.5 at row 0, column 0"),
        ({}, [[0], [1]], [[0], [0.5]], "Y must be 0 or 1, got 0.5 at row 1, column 0"),
        ({"entire_space": True}, [[0], [1]], [[1, 0], [0, 1]], "a click wherever there is a conversion"),
        ({"entire_space": True}, [[0]], [[0]], "entire_space needs two labels"),
        ({"entire_space": True}, [[0]], [[0, 1]], "a click wherever there is a conversion"),
        ({"entire_space": True}, [[0], [1]], [[1, 1], [1, np.nan]], r"all known.* Y has \[1.0, nan\] at row 1"),
        ({}, [[0], [1]], [[1, np.nan], [0, np.nan]], "Y has no label that is known in column 1"),
        (
            {"learning_rate": 1e300, "n_epochs": 3},
            [[0], [1]] * 9,
            [[0], [1]] * 9,
            r"learning_rate 1e\+300 or init_scale .* is too large",
        ),
    ],
)
def test_what_cannot_be_learned_is_named(arguments, X, Y, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskClassifier(**arguments).fit(X, Y)


def test_other_fields_than_those_of_fit_are_refused():
    X, Y = rows()
    with pytest.raises(ValueError, match="expecting 3 features"):
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


def test_log_odds_that_overflow_are_no_prediction():
    model = MultiTaskClassifier(2, 2, learning_rate=1e150, random_state=0).fit([[0], [1]] * 9, [[0, 1], [1, 0]] * 9)
    with pytest.raises(ValueError, match=r"learning_rate 1e\+150 or init_scale 0.05 is too large: overflow"):
        model.predict_proba([[0], [1]])


@pytest.mark.parametrize(
    ("Y", "message"),
    [
        ([[1, 0], [0]], "Y must have rows of one length"),
        ([["1", "0"], ["0", "1"]], "Y must hold numbers, got '1' at row 0, column 0"),
        (np.zeros((2, 2), "M8[s]"), "Y must hold numbers, got 1970-01-01T00:00:00 at row 0, column 0"),
        (np.zeros((2, 0)), r"Y must have a column for each task, got shape \(2, 0\)"),
    ],
)
def test_labels_that_are_none_are_named(Y, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskClassifier().fit([[0], [1]], Y)


def rates_at_the_start(X, Y, weight=None, **arguments):
    """Return what is predicted for a value that nobody has seen, before anything is learned."""
    model = MultiTaskClassifier(2, learning_rate=1e-300, random_state=0, **arguments)
    return model.fit(X, Y, weight).predict_proba([[-1] * np.shape(X)[1]])[0]


def test_biases_start_at_the_rates_of_known_labels():
    X, Y = rows()
    np.testing.assert_allclose(rates_at_the_start(X, Y), Y.mean(axis=0))
    Y[::3, 1] = np.nan
    weight = np.random.default_rng(1).integers(0, 4, len(X))
    known = ~np.isnan(Y[:, 1])
    expected = np.average(Y[:, 0], weights=weight), np.average(Y[known, 1], weights=weight[known])
    np.testing.assert_allclose(rates_at_the_start(X, Y, weight), expected)


def test_over_the_entire_space_a_conversion_starts_at_its_rate_among_clicks():
    X, Y = rows()
    expected = Y[:, 0].mean(), Y[Y[:, 0] == 1, 1].mean()
    np.testing.assert_allclose(rates_at_the_start(X, Y, entire_space=True), expected)
    np.testing.assert_allclose(rates_at_the_start(X, 0 * Y, entire_space=True), [1e-6, 0.5])  # no click, nothing known
