"""Gradients of a network with tables of embeddings, held against finite differences."""

import numpy as np
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


def hold_spread(values, expected):
    """Hold the standard deviation of normal draws against the one they were to have, within four standard errors."""
    assert abs(values.std() / expected - 1) < 4 / np.sqrt(2 * values.size)
