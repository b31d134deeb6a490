"""Gradients of a network with tables of embeddings, held against finite differences."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from sklearn.base import clone


def hold_against_finite_differences(model, table, labels):
    """Hold every parameter's gradient against that of the loss, one coordinate at a time."""
    values, _, gradients = model._gradients(table, labels)
    for name, gradient in gradients.items():
        shape = model.params_[name].shape

        def loss(flat, name=name, shape=shape):
            kept, model.params_[name] = model.params_[name], flat.reshape(shape)
            out = model._gradients(table, labels)[1]
            model.params_[name] = kept
            return out

        if model.params_[name].size:
            full = np.zeros(shape)
            full[values if name in ("embedding", "wide") else ...] = gradient
            expected = approx_fprime(model.params_[name].ravel(), loss, 1e-6)
            np.testing.assert_allclose(full.ravel(), expected, atol=1e-5, err_msg=name)


def untrained(model, X, labels):
    """Return a copy of the model with the parameters that it starts from: its steps are too small to count."""
    return clone(model).set_params(learning_rate=1e-300).fit(X, labels)


def hold_against_adagrad(model, X, labels):
    """Hold two passes, of all rows at once, against AdaGrad (Duchi et al. 2011) from the same start."""
    model.set_params(n_epochs=2, batch_size=len(X))
    net = untrained(model, X, labels)
    squares = {name: np.full(value.shape, 1e-8) for name, value in net.params_.items()}
    for _ in range(2):
        values, _, gradients = net._gradients(net._rows(X), labels)
        for name, gradient in gradients.items():
            full = np.zeros(net.params_[name].shape)
            full[values if name in ("embedding", "wide") else ...] = gradient
            squares[name] += full**2
            net.params_[name] = net.params_[name] - model.learning_rate * full / np.sqrt(squares[name])
    model.fit(X, labels)
    for name, expected in net.params_.items():
        np.testing.assert_allclose(model.params_[name], expected, rtol=1e-6, atol=1e-9, err_msg=name)


def hold_weights_count_rows(model, X, labels):
    """Hold weights, in one batch of all rows, against rows that are there so many times."""
    model = clone(model).set_params(batch_size=10_000, n_epochs=3)
    weight = np.random.default_rng(9).integers(0, 4, len(X))
    often = clone(model).fit(np.repeat(X, weight, axis=0), np.repeat(labels, weight, axis=0)).predict_proba(X)
    for scale in (1, 0.125, 1e-300, 1e300):
        np.testing.assert_allclose(model.fit(X, labels, weight * scale).predict_proba(X), often, rtol=1e-7)
    with pytest.raises(ValueError, match="sample_weight is zero in every row"):
        model.fit(X, labels, np.zeros(len(X)))


def hold_codes_are_names(model, X, labels):
    """Hold that only which codes are equal counts, as long as their order is the same, and that few need few rows."""
    p = clone(model).fit(X, labels).predict_proba(X)
    far = X * 10**15 + 2**60
    named = clone(model).fit(far, labels)
    np.testing.assert_array_equal(named.predict_proba(far), p)
    assert len(named.params_["embedding"]) == 1 + sum(len(np.unique(column)) for column in X.T)
    np.testing.assert_array_equal(named.predict_proba(X), named.predict_proba(np.full(X.shape, -1)))


def hold_spread(values, expected):
    """Hold the standard deviation of normal draws against the one they were to have, within four standard errors."""
    assert abs(values.std() / expected - 1) < 4 / np.sqrt(2 * values.size)
