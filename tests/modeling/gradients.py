"""Gradients of a network with tables of embeddings, held against finite differences."""

import numpy as np
from scipy.optimize import approx_fprime


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
