"""One model for several labels: a shared bottom, a mixture of experts, or clicks and conversions over all impressions.

Ma et al. 2018, "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD (MMoE). Ma
et al. 2018, "Entire Space Multi-Task Model: An Effective Approach for Estimating Post-Click Conversion Rate", SIGIR
(ESMM): p(click and conversion) = p(click) p(conversion | click), and both factors are learned from all impressions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import expit, softmax
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted


class MultiTaskClassifier(BaseEstimator):
    """Embeddings of categories, experts that all tasks share, and a gate, a tower and single weights for each task.

    Parameters
    ----------
    n_factors : int
        Length of the embedding of each value.
    n_experts : int
        Hidden layers side by side. 1 is the shared bottom; with more, each task's gate mixes them row by row.
    n_hidden : int
        Width of each expert.
    entire_space : bool
        If true there are two tasks, click and conversion, and a conversion needs a click: its label is compared with
        the product of both probabilities, on all rows.
    learning_rate, n_epochs, batch_size
        AdaGrad's step, passes over the rows, rows of a step.
    init_scale : float
        Standard deviation of the embeddings at the start.
    random_state : int, RandomState or None

    Attributes
    ----------
    params_ : dict of arrays

    Raises
    ------
    ValueError
        If a parameter is out of range, X holds anything but whole numbers, or Y anything but 0, 1 and NaN.

    Examples
    --------
    >>> X, Y = np.tile([[0], [1]], (300, 1)), np.tile([[0, 1], [1, 0]], (300, 1))
    >>> MultiTaskClassifier(n_epochs=5, random_state=0).fit(X, Y).predict_proba([[0], [1]]).round()
    array([[0., 1.],
           [1., 0.]])
    """

    def __init__(
        self,
        n_factors: int = 8,
        n_experts: int = 1,
        n_hidden: int = 16,
        entire_space: bool = False,
        *,
        learning_rate: float = 0.05,
        n_epochs: int = 1,
        batch_size: int = 256,
        init_scale: float = 0.05,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.n_experts = n_experts
        self.n_hidden = n_hidden
        self.entire_space = entire_space
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.init_scale = init_scale
        self.random_state = random_state

    def fit(self, X: ArrayLike, Y: ArrayLike) -> MultiTaskClassifier:
        """Learn from codes X of shape (n, n_fields) and labels Y of shape (n, n_tasks); NaN is a label not known."""
        for name in ("n_factors", "n_experts", "n_hidden", "n_epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "init_scale"):
            if not 0 < getattr(self, name) < np.inf:
                raise ValueError(f"{name} must be positive and finite, got {getattr(self, name)}")
        X, Y = _codes(X), np.asarray(Y, dtype=float)
        if Y.ndim != 2 or len(Y) != len(X):
            raise ValueError(f"Y must hold a row of labels for each of {len(X)} rows, got shape {Y.shape}")
        if not (np.isin(Y, (0, 1)) | np.isnan(Y)).all():
            raise ValueError(f"labels must be 0, 1 or NaN, got {Y[~np.isin(Y, (0, 1)) & ~np.isnan(Y)][0]}")
        if self.entire_space and (Y.shape[1] != 2 or (Y[:, 1] > Y[:, 0]).any() or np.isnan(Y).any()):
            raise ValueError("entire_space needs two labels, all known, and a click wherever there is a conversion")
        # Row 0 of the tables stands for all values that are missing or that no row of fit has.
        self._sizes = np.maximum(X.max(axis=0) + 1, 0)
        self._offsets = 1 + np.cumsum([0, *self._sizes[:-1]])
        n_values, width, n_tasks = 1 + self._sizes.sum(), X.shape[1] * self.n_factors, Y.shape[1]
        random = check_random_state(self.random_state)
        self.params_ = {
            "embedding": random.normal(0, self.init_scale, (n_values, self.n_factors)),
            "wide": np.zeros((n_values, n_tasks)),
            "expert": random.normal(0, (2 / width) ** 0.5, (self.n_experts, width, self.n_hidden)),
            "expert_bias": np.zeros((self.n_experts, 1, self.n_hidden)),
            "gate": random.normal(0, width**-0.5, (n_tasks, width, self.n_experts)),
            "tower": random.normal(0, self.n_hidden**-0.5, (n_tasks, self.n_hidden)),
            "bias": np.zeros(n_tasks),
        }
        self.params_["embedding"][0] = 0
        squares = {name: np.full_like(value, 1e-8) for name, value in self.params_.items()}
        rows = self._rows(X)
        for _ in range(self.n_epochs):
            order = random.permutation(len(Y))
            for start in range(0, len(Y), self.batch_size):
                batch = order[start : start + self.batch_size]
                values, _, gradients = self._gradients(rows[batch], Y[batch])
                for name, gradient in gradients.items():
                    i = values if name in ("embedding", "wide") else ...
                    squares[name][i] += gradient**2
                    self.params_[name][i] -= self.learning_rate * gradient / np.sqrt(squares[name][i])
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return each task's probability, shape (n, n_tasks); with entire_space that of a conversion after a click."""
        check_is_fitted(self)
        X = _codes(X)
        if X.shape[1] != len(self._sizes):
            raise ValueError(f"X must have the {len(self._sizes)} fields of fit, got {X.shape[1]}")
        parts = np.array_split(self._rows(X), max(len(X) // 10_000, 1))
        return expit(np.concatenate([self._forward(part)[0] for part in parts]))

    def _rows(self, X: np.ndarray) -> np.ndarray:
        """Return the rows of the tables that the codes stand for."""
        return np.where((X >= 0) & (self._sizes > X), X + self._offsets, 0)

    def _forward(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return log odds (n, tasks), input (n, width), experts (experts, n, hidden) and gates (tasks, n, experts)."""
        p = self.params_
        # --8<-- [start:forward]
        x = p["embedding"][rows].reshape(len(rows), -1)
        experts = np.maximum(x @ p["expert"] + p["expert_bias"], 0)
        gates = softmax(x @ p["gate"], axis=2)
        mixed = np.einsum("tie,eih->tih", gates, experts)
        logit = np.einsum("tih,th->it", mixed, p["tower"]) + p["wide"][rows].sum(axis=1) + p["bias"]
        # --8<-- [end:forward]
        return logit, x, experts, gates, mixed

    def _loss(self, logit: np.ndarray, Y: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss, summed over tasks and averaged over rows, and its gradient by the log odds."""
        if not self.entire_space:
            known, label = ~np.isnan(Y), np.nan_to_num(Y)
            loss = (np.logaddexp(0, logit) - label * logit)[known].sum()
            return loss / len(Y), np.where(known, expit(logit) - label, 0) / len(Y)
        # --8<-- [start:entire_space]
        click, conversion = Y.T
        p = expit(logit)
        both = p[:, 0] * p[:, 1]
        log_miss = np.log1p(-both)
        log_both = -np.logaddexp(0, -logit).sum(axis=1)
        loss = np.logaddexp(0, logit[:, 0]) - click * logit[:, 0]
        loss -= conversion * log_both + (1 - conversion) * log_miss
        gradient = ((both - conversion) / (1 - both))[:, None] * (1 - p)
        gradient[:, 0] += p[:, 0] - click
        # --8<-- [end:entire_space]
        return loss.mean(), gradient / len(Y)

    def _gradients(self, rows: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
        """Return the values present, the loss, and its gradients; of the tables for these values alone."""
        p, (logit, x, experts, gates, mixed) = self.params_, self._forward(rows)
        loss, error = self._loss(logit, Y)
        d_mixed = np.einsum("it,th->tih", error, p["tower"])
        d_gates = np.einsum("tih,eih->tie", d_mixed, experts)
        d_gates = gates * (d_gates - (gates * d_gates).sum(axis=2, keepdims=True))
        d_experts = np.einsum("tih,tie->eih", d_mixed, gates) * (experts > 0)
        d_input = np.einsum("eih,edh->id", d_experts, p["expert"], optimize=True)
        d_input += np.einsum("tie,tde->id", d_gates, p["gate"], optimize=True)
        values, place = np.unique(rows, return_inverse=True)
        entries = csr_matrix((np.ones(rows.size), place.ravel(), np.arange(rows.size + 1)), (rows.size, len(values)))
        d_embedding = entries.T @ d_input.reshape(rows.size, -1)
        d_wide = entries.T @ np.repeat(error, rows.shape[1], axis=0)
        for table in (d_embedding, d_wide):
            table[values == 0] = 0  # what nobody has seen stays at zero
        gradients = {
            "embedding": d_embedding,
            "wide": d_wide,
            "expert": x.T @ d_experts,
            "expert_bias": d_experts.sum(axis=1, keepdims=True),
            "gate": x.T @ d_gates,
            "tower": np.einsum("it,tih->th", error, mixed),
            "bias": error.sum(axis=0),
        }
        return values, float(loss), gradients


def _codes(X: ArrayLike) -> np.ndarray:
    """Return whole numbers, or say that there are others."""
    X = check_array(X, dtype=None)
    if X.dtype.kind not in "iu" and not (X.dtype.kind == "f" and (X % 1 == 0).all()):
        raise ValueError(f"X must hold codes, whole numbers, got {X.dtype}")
    return X.astype(np.intp)
