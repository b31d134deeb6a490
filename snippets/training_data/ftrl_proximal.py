"""Learn a sparse logistic regression online, one pass, with a learning rate for each coordinate.

McMahan et al. 2013, "Ad Click Prediction: a View from the Trenches", KDD, algorithm 1. The other
learning-rate schedules: He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD, section
3.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

SCHEDULES = ("per_coordinate", "per_weight_sqrt", "per_weight", "global", "constant")


class FTRLProximal(ClassifierMixin, BaseEstimator):
    """Logistic regression by follow-the-regularized-leader, for streams of sparse or hashed rows.

    Rows are learned in batches whose gradients are taken at the weights before the batch, and then applied one after
    the other, which has a closed form. With ``batch_size=1`` it is the paper's algorithm, row by row.

    Parameters
    ----------
    alpha, beta : float
        The rate of coordinate i is alpha / (beta + sqrt(sum of its squared gradients)).
    l1, l2 : float
        Penalties, at least 0. Weights whose evidence stays within l1 are exactly zero. The intercept has none.
    learning_rate : str
        "per_coordinate", as above; or "per_weight_sqrt", alpha / sqrt(n) with n the rows so far in which the
        coordinate is not zero; "per_weight", alpha / n; "global", alpha / sqrt(rows so far); "constant", alpha.
    fit_intercept : bool
        Whether to learn a constant.
    batch_size : int
        Rows learned at once. Larger is faster, up to a few thousand, and learns from older weights.

    Attributes
    ----------
    coef_ : array of shape (1, n_features)
    intercept_ : array of shape (1,)
    classes_ : array of shape (2,)
    n_rows_ : int
        Rows learned so far.

    Raises
    ------
    ValueError
        If a parameter is out of range; if the rows hold NaN or infinity, or labels of other than two classes.

    Examples
    --------
    >>> X, y = csr_matrix([[1, 0], [0, 1], [1, 0], [0, 1]] * 50), [1, 0, 1, 0] * 50
    >>> FTRLProximal().fit(X, y).predict_proba(csr_matrix([[1, 0], [0, 1]]))[:, 1].round(1)
    array([0.7, 0.3])
    """

    def __init__(
        self,
        alpha: float = 0.1,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        learning_rate: str = "per_coordinate",
        fit_intercept: bool = True,
        batch_size: int = 512,
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.l1 = l1
        self.l2 = l2
        self.learning_rate = learning_rate
        self.fit_intercept = fit_intercept
        self.batch_size = batch_size

    def fit(self, X: ArrayLike | csr_matrix, y: ArrayLike, sample_weight: ArrayLike | None = None) -> FTRLProximal:
        """Forget everything, then learn the rows in their order, once."""
        return self._learn(X, y, sample_weight, classes=None, fresh=True)

    def partial_fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> FTRLProximal:
        """Learn more rows. The first call needs ``classes`` if its rows may lack one of the two."""
        return self._learn(X, y, sample_weight, classes, fresh=not hasattr(self, "classes_"))

    def decision_function(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return X @ self._weights[:-1] + self._weights[-1]

    def predict_proba(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    @property
    def coef_(self) -> np.ndarray:
        """Weights of the features, shape (1, n_features)."""
        return self._weights[None, :-1]

    @property
    def intercept_(self) -> np.ndarray:
        """Weight of the constant, shape (1,)."""
        return self._weights[-1:]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags

    def _learn(self, X, y, sample_weight, classes, fresh) -> FTRLProximal:
        for name, ok, rule in [
            ("alpha", 0 < self.alpha < np.inf, "positive and finite"),
            ("beta", 0 <= self.beta < np.inf, "at least 0 and finite"),
            ("l1", 0 <= self.l1 < np.inf, "at least 0 and finite"),
            ("l2", 0 <= self.l2 < np.inf, "at least 0 and finite"),
            ("learning_rate", self.learning_rate in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
        ]:
            if not ok:
                raise ValueError(f"{name} must be {rule}, got {getattr(self, name)!r}")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, reset=fresh)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        found = np.unique(y)
        expected = np.unique(classes) if classes is not None else (found if fresh else self.classes_)
        if len(expected) != 2:
            raise ValueError(
                f"Only binary classification is supported: got {len(expected)} class(es), {expected.tolist()[:3]}; "
                "give partial_fit both in `classes` if the first rows may hold one only"
            )
        if not np.isin(found, expected).all():
            raise ValueError(f"y holds {np.setdiff1d(found, expected)[0]}, which is none of {expected.tolist()}")
        if fresh:
            self.classes_, self.n_rows_ = expected, 0
            # One coordinate more than features, for the intercept.
            self._z, self._n, self._weights = np.zeros((3, X.shape[1] + 1))
            self._place = np.empty(X.shape[1], np.int64)
        X, positive = csr_matrix(X), (y == self.classes_[1]).astype(float)
        start = 0
        while start < X.shape[0]:
            # Begin row by row: steps that many rows take at once from the same weights overshoot.
            size = min(self.batch_size, 1 + self.n_rows_ // 32)
            rows, ends = slice(start, start + size), X.indptr[start : start + size + 1]
            row = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
            entries = slice(ends[0], ends[-1])
            column = X.indices[entries].astype(np.intp)  # NumPy gathers by other integers at a tenth of the speed
            self._batch(row, column, X.data[entries], positive[rows], weight[rows])
            start += size
        return self

    def _batch(self, row, column, value, y, weight) -> None:
        """Learn one batch, given by its entries that are not zero."""
        # --8<-- [start:gradient]
        margin = np.bincount(row, self._weights[column] * value, minlength=len(y)) + self._weights[-1]
        error = (expit(margin) - y) * weight
        gradient = error[row] * value
        # --8<-- [end:gradient]

        # Sum by coordinate. The last entry of each coordinate, by its place, stands for all of them.
        place = np.arange(len(column))
        self._place[column] = place
        last = self._place[column]
        is_last = last == place
        group, i = (np.cumsum(is_last) - 1)[last], column[is_last]
        count = np.bincount(group, minlength=len(i))
        total = np.bincount(group, gradient, minlength=len(i))
        squares = np.bincount(group, gradient * gradient, minlength=len(i))
        self.n_rows_ += len(y)
        self._update(i, count, total, squares, self.l1, self.l2)
        if self.fit_intercept:
            self._update(np.array([-1]), len(y), error.sum(), error @ error, 0.0, 0.0)

    def _update(self, i, count, gradient, squares, l1, l2) -> None:
        """Move the coordinates i, given the sums of their gradients and of the squares of these."""
        # --8<-- [start:update]
        before = self._inverse_rate(self._n[i])
        match self.learning_rate:
            case "per_coordinate":
                n = self._n[i] + squares
            case "global":
                n = self.n_rows_
            case "constant":
                n = 1
            case _:
                n = self._n[i] + count
        after = self._inverse_rate(n)
        z = self._z[i] + gradient - (after - before) * self._weights[i]
        self._n[i], self._z[i] = n, z
        shrunk = np.sign(z) * np.maximum(np.abs(z) - l1, 0)
        self._weights[i] = -shrunk / (after + l2)
        # --8<-- [end:update]

    def _inverse_rate(self, n: np.ndarray) -> np.ndarray:
        if self.learning_rate == "per_coordinate":
            return (self.beta + np.sqrt(n)) / self.alpha
        return (n if self.learning_rate in ("per_weight", "constant") else np.sqrt(n)) / self.alpha
