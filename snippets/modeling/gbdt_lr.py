"""Boosted trees whose leaves are the features of a logistic regression.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD, section 3.1. The linear layer is
kept as a Gaussian over its weights, so that it learns on from where it was: Chapelle and Li 2011, "An Empirical
Evaluation of Thompson Sampling", NIPS, algorithm 3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data


class GBDTLogisticRegression(ClassifierMixin, BaseEstimator):
    """Turn each row into the leaves that it reaches, one for each tree, and weigh these by logistic regression.

    Fit trees and linear layer on different rows: in the leaves of rows that grew the trees, the labels are known.

    Parameters
    ----------
    n_estimators, max_leaf_nodes, learning_rate, min_samples_leaf
        Of the trees, see `HistGradientBoostingClassifier`.
    C : float or None
        Inverse strength of the linear layer's penalty, more than 0: its weights start with a variance of C. None takes
        1 / n_estimators, so that the log odds of a row start with a variance of one.
    random_state : int, RandomState or None
        Of the trees, which draw rows to find their bins.

    Attributes
    ----------
    trees_ : HistGradientBoostingClassifier
    coef_ : array of shape (1, n_leaves), one weight for each leaf of each tree
    intercept_ : array of shape (1,)
    variance_ : array of shape (n_leaves,)
        How uncertain each weight still is, ignoring what they have in common.
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If C is out of range; if rows hold infinity, or labels of other than two classes; NaN is a missing value.

    Examples
    --------
    >>> X, y = np.tile([[0.0], [1.0]], (200, 1)), np.tile([0, 1, 0, 0], 100)
    >>> GBDTLogisticRegression(5, random_state=0).fit(X, y).predict_proba([[0.0], [1.0]])[:, 1].round(1)
    array([0. , 0.5])
    """

    def __init__(
        self,
        n_estimators: int = 100,
        max_leaf_nodes: int = 12,
        learning_rate: float = 0.1,
        *,
        min_samples_leaf: int = 20,
        C: float | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.C = C
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        tree_rows: ArrayLike | None = None,
    ) -> GBDTLogisticRegression:
        """Forget everything and learn.

        ``tree_rows``, booleans of shape (n,), says which rows grow the trees; the others fit the linear layer, in which
        trees and rows then meet for the first time. None uses all rows for both.
        """
        if self.C is not None and not 0 < self.C < np.inf:
            raise ValueError(f"C must be positive and finite, or None, got {self.C!r}")
        X, y, weight = self._check(X, y, sample_weight, fresh=True)
        first = np.ones(len(y), bool) if tree_rows is None else np.asarray(tree_rows)
        if first.shape != y.shape or first.dtype != bool:
            raise ValueError(f"tree_rows must be {len(y)} booleans, got {first.dtype} of shape {first.shape}")
        kept = weight > 0  # rows without weight do not exist, nor do their labels
        X, y, weight, first = X[kept], y[kept], weight[kept], first[kept]
        second = first if tree_rows is None else ~first
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(f"Only binary classification is supported: y holds {len(self.classes_)} class(es)")
        for name, rows in [("that grow the trees", first), ("that fit the linear layer", second)]:
            if len(np.unique(y[rows])) < 2:
                raise ValueError(f"the rows {name} must hold both classes")
        self.trees_ = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.n_estimators,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            early_stopping=False,
            random_state=self.random_state,
        ).fit(X[first], y[first], weight[first])
        # --8<-- [start:values]
        # What each tree adds to the score tells its leaves apart. Thresholds lie between the values of its leaves.
        self._thresholds = []
        for step in self._steps(X[first]):
            values = np.unique(step)
            values = values[np.r_[True, np.diff(values) > 1e-9]]  # closer ones are one value, rounded
            self._thresholds.append((values[:-1] + values[1:]) / 2)
        # --8<-- [end:values]
        sizes = [len(threshold) + 1 for threshold in self._thresholds]
        self._offsets = np.cumsum([0, *sizes])
        precision = len(sizes) if self.C is None else 1 / self.C
        self._mean, self._precision = np.zeros(self._offsets[-1] + 1), np.full(self._offsets[-1] + 1, float(precision))
        self._precision[-1] = 0.0  # the intercept is free
        return self._learn(X[second], y[second], weight[second])

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> GBDTLogisticRegression:
        """Learn more rows with the linear layer; the trees stay. The first call is `fit`, and needs both classes."""
        if not hasattr(self, "trees_"):
            return self.fit(X, y, sample_weight)
        X, y, weight = self._check(X, y, sample_weight, fresh=False)
        if not np.isin(y, self.classes_).all():
            raise ValueError(f"y holds {np.setdiff1d(y, self.classes_)[0]}, none of {self.classes_.tolist()}")
        return self._learn(X, y, weight)

    def leaves(self, X: ArrayLike) -> csr_matrix:
        """Return which leaves each row reaches, shape (n, n_leaves), one entry of 1 for each tree."""
        check_is_fitted(self, "trees_")
        X = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        # --8<-- [start:leaves]
        leaf = np.empty((len(X), len(self._thresholds)), np.int32)
        for tree, step in enumerate(self._steps(X)):
            leaf[:, tree] = np.searchsorted(self._thresholds[tree], step) + self._offsets[tree]
        # --8<-- [end:leaves]
        ends = np.arange(0, leaf.size + 1, leaf.shape[1])
        return csr_matrix((np.ones(leaf.size), leaf.ravel(), ends), (len(X), self._offsets[-1]))

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        return self.leaves(X) @ self._mean[:-1] + self._mean[-1]

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    @property
    def coef_(self) -> np.ndarray:
        """Weights of the leaves, shape (1, n_leaves)."""
        return self._mean[None, :-1]

    @property
    def intercept_(self) -> np.ndarray:
        """Weight of the constant, shape (1,)."""
        return self._mean[-1:]

    @property
    def variance_(self) -> np.ndarray:
        """Variance of each weight, shape (n_leaves,)."""
        return 1 / self._precision[:-1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _check(self, X, y, sample_weight, fresh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", reset=fresh)
        check_classification_targets(y)
        return X, y, _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)

    def _steps(self, X):
        """Yield what each tree adds to the log odds of each row."""
        before = None
        for score in self.trees_.staged_decision_function(X):
            yield score if before is None else score - before
            before = score

    def _learn(self, X, y, weight) -> GBDTLogisticRegression:
        """Move the Gaussian over the weights to what it is after these rows."""
        leaves, label = self.leaves(X), (y == self.classes_[1]).astype(float)
        prior, precision = self._mean, self._precision

        # --8<-- [start:learn]
        def loss(w):
            margin = leaves @ w[:-1] + w[-1]
            error = weight * (expit(margin) - label)
            gradient = precision * (w - prior) + np.append(leaves.T @ error, error.sum())
            return 0.5 * precision @ (w - prior) ** 2 + weight @ (np.logaddexp(0, margin) - label * margin), gradient

        self._mean = minimize(loss, prior, jac=True, method="L-BFGS-B", options={"maxiter": 500}).x
        p = expit(leaves @ self._mean[:-1] + self._mean[-1])
        certainty = weight * p * (1 - p)
        self._precision = precision + np.append(leaves.T @ certainty, certainty.sum())
        # --8<-- [end:learn]
        return self
