"""A click model that learns embeddings of categories, crosses them explicitly, and adds a small deep part.

Wang et al. 2021, "DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank Systems",
WWW, equation 1, in its parallel form. With a hidden layer and no cross layers it is the model of Cheng et al. 2016,
"Wide & Deep Learning for Recommender Systems", DLRS, with one weight for each value as its wide part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted


def cross_layers(x: np.ndarray, weights: np.ndarray, biases: np.ndarray) -> list[np.ndarray]:
    """Apply x_{l+1} = x_0 * (W_l x_l + b_l) + x_l, and return the outputs of all layers, the input first.

    Parameters
    ----------
    x : array of shape (n, width)
    weights : array of shape (n_layers, width, width)
        W_l, applied to a row vector from the right.
    biases : array of shape (n_layers, width)

    Returns
    -------
    list of n_layers + 1 arrays of shape (n, width)

    Examples
    --------
    >>> cross_layers(np.array([[2.0, 3.0]]), np.array([[[0.0, 1.0], [0.0, 0.0]]]), np.zeros((1, 2)))[-1]
    array([[2., 9.]])
    """
    # --8<-- [start:cross]
    out = [x]
    for w, b in zip(weights, biases, strict=True):
        out.append(x * (out[-1] @ w + b) + out[-1])
    # --8<-- [end:cross]
    return out


class CrossNetworkClassifier(ClassifierMixin, BaseEstimator):
    """Embeddings, cross layers beside a hidden layer, and one weight for each value, trained by AdaGrad.

    Parameters
    ----------
    n_factors : int
        Length of the embedding of each value, at least 1.
    n_cross : int
        Cross layers, 0 for none. l layers cross up to l + 1 fields.
    n_hidden : int
        Width of the hidden layer, 0 for none.
    learning_rate, n_epochs, batch_size
        AdaGrad's step, passes over the rows, rows of a step. A second pass over rare values often harms (Zhang et al.
        2022, "Towards Understanding the Overfitting Phenomenon of Deep Click-Through Rate Prediction Models", CIKM).
    init_scale : float
        Standard deviation of the embeddings at the start.
    random_state : int, RandomState or None

    Attributes
    ----------
    params_ : dict of arrays
        "embedding" (n_values, n_factors), "wide" (n_values,), "cross" and "cross_bias", "hidden" and "hidden_bias",
        "out", "bias".
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If a parameter is out of range, X holds anything but whole numbers, or y other than two classes.

    Examples
    --------
    >>> X, y = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (200, 1)), np.tile([1, 0, 0, 1], 200)
    >>> CrossNetworkClassifier(2, random_state=0, n_epochs=20).fit(X, y).predict(X[:4])
    array([1, 0, 0, 1])
    """

    def __init__(
        self,
        n_factors: int = 8,
        n_cross: int = 2,
        n_hidden: int = 0,
        *,
        learning_rate: float = 0.05,
        n_epochs: int = 1,
        batch_size: int = 256,
        init_scale: float = 0.05,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.n_cross = n_cross
        self.n_hidden = n_hidden
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.init_scale = init_scale
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> CrossNetworkClassifier:
        """Learn from codes X of shape (n, n_fields), whole numbers from 0; a negative one is a missing value."""
        for name, least in [("n_factors", 1), ("n_cross", 0), ("n_hidden", 0), ("n_epochs", 1), ("batch_size", 1)]:
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        for name in ("learning_rate", "init_scale"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be positive and finite, got {getattr(self, name)}")
        X, y = _codes(X), np.asarray(y)
        if y.shape != (len(X),):
            raise ValueError(f"y must hold one label for each of {len(X)} rows, got shape {y.shape}")
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(f"only two classes can be told apart, y holds {len(self.classes_)}")
        # Row 0 of the tables stands for all values that are missing or that no row of fit has.
        self._sizes = np.maximum(X.max(axis=0) + 1, 0)
        self._offsets = 1 + np.cumsum([0, *self._sizes[:-1]])
        n_values, width = 1 + self._sizes.sum(), X.shape[1] * self.n_factors
        random = check_random_state(self.random_state)
        out = width * (self.n_cross > 0) + self.n_hidden
        self.params_ = {
            "embedding": random.normal(0, self.init_scale, (n_values, self.n_factors)),
            "wide": np.zeros(n_values),
            "cross": random.normal(0, width**-0.5, (self.n_cross, width, width)),
            "cross_bias": np.zeros((self.n_cross, width)),
            "hidden": random.normal(0, (2 / width) ** 0.5, (width, self.n_hidden)),
            "hidden_bias": np.zeros(self.n_hidden),
            "out": random.normal(0, max(out, 1) ** -0.5, out),
            "bias": np.zeros(1),
        }
        self.params_["embedding"][0] = 0
        squares = {name: np.full_like(value, 1e-8) for name, value in self.params_.items()}
        rows, label = self._rows(X), (y == self.classes_[1]).astype(float)
        for _ in range(self.n_epochs):
            order = random.permutation(len(y))
            for start in range(0, len(y), self.batch_size):
                batch = order[start : start + self.batch_size]
                values, _, gradients = self._gradients(rows[batch], label[batch])
                for name, gradient in gradients.items():
                    i = values if name in ("embedding", "wide") else ...
                    squares[name][i] += gradient**2
                    self.params_[name][i] -= self.learning_rate * gradient / np.sqrt(squares[name][i])
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        check_is_fitted(self)
        X = _codes(X)
        if X.shape[1] != len(self._sizes):
            raise ValueError(f"X must have the {len(self._sizes)} fields of fit, got {X.shape[1]}")
        parts = np.array_split(self._rows(X), max(len(X) // 10_000, 1))
        return np.concatenate([self._forward(part)[0] for part in parts])

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def _rows(self, X: np.ndarray) -> np.ndarray:
        """Return the rows of the tables that the codes stand for."""
        return np.where((X >= 0) & (self._sizes > X), X + self._offsets, 0)

    def _forward(self, rows: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, np.ndarray]:
        """Return the log odds, the outputs of the cross layers, those of the hidden layer, and what was weighed."""
        p = self.params_
        # --8<-- [start:forward]
        x = p["embedding"][rows].reshape(len(rows), -1)
        crossed = cross_layers(x, p["cross"], p["cross_bias"])
        hidden = np.maximum(x @ p["hidden"] + p["hidden_bias"], 0)
        last = np.hstack([crossed[-1], hidden] if self.n_cross else [hidden])
        logit = last @ p["out"] + p["wide"][rows].sum(axis=1) + p["bias"]
        # --8<-- [end:forward]
        return logit, crossed, hidden, last

    def _gradients(self, rows: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
        """Return the values present, the mean loss, and its gradients; of the tables for these values alone."""
        p, (logit, crossed, hidden, last) = self.params_, self._forward(rows)
        loss = np.mean(np.logaddexp(0, logit) - y * logit)
        error = (expit(logit) - y) / len(y)
        cut = crossed[0].shape[1] if self.n_cross else 0
        d_hidden = error[:, None] * p["out"][cut:] * (hidden > 0)
        d_input = d_hidden @ p["hidden"].T
        d_cross, d_cross_bias = np.empty_like(p["cross"]), np.empty_like(p["cross_bias"])
        # --8<-- [start:backward]
        if self.n_cross:
            x, d_out = crossed[0], error[:, None] * p["out"][:cut]
            for layer in reversed(range(self.n_cross)):
                inside = d_out * x
                d_cross[layer], d_cross_bias[layer] = crossed[layer].T @ inside, inside.sum(axis=0)
                d_input += d_out * (crossed[layer] @ p["cross"][layer] + p["cross_bias"][layer])
                d_out = d_out + inside @ p["cross"][layer].T
            d_input += d_out
        # --8<-- [end:backward]
        values, place = np.unique(rows, return_inverse=True)
        entries = csr_matrix((np.ones(rows.size), place.ravel(), np.arange(rows.size + 1)), (rows.size, len(values)))
        d_embedding = entries.T @ d_input.reshape(rows.size, -1)
        d_embedding[values == 0] = 0  # what nobody has seen stays at zero
        gradients = {
            "embedding": d_embedding,
            "wide": entries.T @ np.repeat(error, rows.shape[1]) * (values > 0),
            "cross": d_cross,
            "cross_bias": d_cross_bias,
            "hidden": crossed[0].T @ d_hidden,
            "hidden_bias": d_hidden.sum(axis=0),
            "out": last.T @ error,
            "bias": error.sum(keepdims=True),
        }
        return values, loss, gradients


def _codes(X: ArrayLike) -> np.ndarray:
    """Return whole numbers, or say that there are others."""
    X = check_array(X, dtype=None)
    if X.dtype.kind not in "iu" and not (X.dtype.kind == "f" and (X % 1 == 0).all()):
        raise ValueError(f"X must hold codes, whole numbers, got {X.dtype}")
    return X.astype(np.intp)
