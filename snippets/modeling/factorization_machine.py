"""A logistic model with a weight for each feature and a learned one for each pair of features.

Rendle 2010, "Factorization Machines", ICDM. The pairs' weights are dot products of short vectors, so that pairs that
never occurred together have one too. Rates: Duchi et al. 2011, "Adaptive Subgradient Methods", JMLR (AdaGrad).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data


def pairwise(X: csr_matrix, factors: np.ndarray) -> np.ndarray:
    """Sum x_i x_j <v_i, v_j> over all pairs i < j of each row, in time linear in the row's entries.

    Parameters
    ----------
    X : sparse matrix of shape (n, n_features)
    factors : array of shape (n_features, n_factors)
        The vectors v_i.

    Returns
    -------
    array of shape (n,)

    Examples
    --------
    >>> pairwise(csr_matrix([[1.0, 2.0, 0.0]]), np.array([[1.0, 0.0], [3.0, 1.0], [9.0, 9.0]]))
    array([6.])
    """
    # --8<-- [start:pairwise]
    return 0.5 * ((X @ factors) ** 2 - X.multiply(X) @ factors**2).sum(axis=1)
    # --8<-- [end:pairwise]


class FactorizationMachineClassifier(ClassifierMixin, BaseEstimator):
    """Factorization machine of degree 2 with logistic loss, by AdaGrad on small batches of sparse rows.

    Parameters
    ----------
    n_factors : int
        Length of each feature's vector; 0 leaves logistic regression.
    learning_rate : float
        Step of a coordinate divided by the root of the squared gradients that it has seen.
    n_epochs : int
        Passes of `fit` over the rows. More is not better: watch it on later days.
    l2_linear, l2_factors : float
        Penalties, at least 0, applied to a coordinate in each batch in which it occurs, per row of it.
    init_scale : float
        Standard deviation of the vectors at the start. At 0 they would never move.
    batch_size : int
    random_state : int, RandomState or None
        Draws the vectors and the order of the rows in `fit`.

    Attributes
    ----------
    coef_ : array of shape (1, n_features)
    factors_ : array of shape (n_features, n_factors)
    intercept_ : array of shape (1,)
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If a parameter is out of range; if the rows hold NaN or infinity, or labels of other than two classes.

    Examples
    --------
    >>> X, y = csr_matrix([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]] * 100), [1, 0, 0, 1] * 100
    >>> model = FactorizationMachineClassifier(2, n_epochs=20, random_state=0).fit(X, y)
    >>> model.predict(X[:4])  # no weights of single features could
    array([1, 0, 0, 1])
    """

    def __init__(
        self,
        n_factors: int = 8,
        *,
        learning_rate: float = 0.1,
        n_epochs: int = 5,
        l2_linear: float = 0.0,
        l2_factors: float = 0.0,
        init_scale: float = 0.05,
        batch_size: int = 256,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.l2_linear = l2_linear
        self.l2_factors = l2_factors
        self.init_scale = init_scale
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(
        self, X: ArrayLike | csr_matrix, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> FactorizationMachineClassifier:
        """Forget everything, then pass over the rows ``n_epochs`` times, each time in another order."""
        X, label, weight = self._start(X, y, sample_weight, classes=None, fresh=True)
        for _ in range(self.n_epochs):
            order = self._random.permutation(X.shape[0])
            self._pass(X[order], label[order], weight[order])
        return self

    def partial_fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> FactorizationMachineClassifier:
        """Learn the rows once, in their order. The first call needs ``classes`` if its rows may lack one of the two."""
        self._pass(*self._start(X, y, sample_weight, classes, fresh=not hasattr(self, "classes_")))
        return self

    def decision_function(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        check_is_fitted(self)
        X = csr_matrix(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))
        return X @ self.coef_[0] + self.intercept_[0] + pairwise(X, self.factors_)

    def predict_proba(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags

    def _start(self, X, y, sample_weight, classes, fresh) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
        """Check everything, and make the weights if there are none."""
        for name, ok, rule in [
            ("n_factors", self.n_factors >= 0, "at least 0"),
            ("learning_rate", 0 < self.learning_rate < np.inf, "positive and finite"),
            ("n_epochs", self.n_epochs >= 1, "at least 1"),
            ("l2_linear", 0 <= self.l2_linear < np.inf, "at least 0 and finite"),
            ("l2_factors", 0 <= self.l2_factors < np.inf, "at least 0 and finite"),
            ("init_scale", 0 < self.init_scale < np.inf, "positive and finite"),
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
            self.classes_, n = expected, X.shape[1]
            self._random = check_random_state(self.random_state)
            self.coef_, self.intercept_ = np.zeros((1, n)), np.zeros(1)
            self.factors_ = self._random.normal(0, self.init_scale, (n, self.n_factors))
            self._squares = [np.full_like(w, 1e-8) for w in (self.intercept_, self.coef_[0], self.factors_)]
        return csr_matrix(X), (y == self.classes_[1]).astype(float), weight

    def _pass(self, X: csr_matrix, y: np.ndarray, weight: np.ndarray) -> None:
        for start in range(0, X.shape[0], self.batch_size):
            rows = slice(start, start + self.batch_size)
            batch = X[rows]
            columns, local = np.unique(batch.indices, return_inverse=True)  # touch only what occurs
            batch = csr_matrix((batch.data, local, batch.indptr), (batch.shape[0], len(columns)))
            counts = np.bincount(local, minlength=len(columns))
            gradients = self._gradients(batch, y[rows], weight[rows], columns, counts)
            for kept, squares, i, gradient in zip(
                (self.intercept_, self.coef_[0], self.factors_),
                self._squares,
                (slice(None), columns, columns),
                gradients,
                strict=True,
            ):
                squares[i] += gradient**2
                kept[i] -= self.learning_rate * gradient / np.sqrt(squares[i])

    def _gradients(self, X, y, weight, columns, counts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the gradients of the batch's mean loss by intercept, weights and vectors of the columns present."""
        w, v, n = self.coef_[0][columns], self.factors_[columns], len(y)
        # --8<-- [start:gradient]
        squared = X.multiply(X).tocsr()
        sums = X @ v
        pairs = 0.5 * (sums**2 - squared @ v**2).sum(axis=1)
        error = weight * (expit(self.intercept_[0] + X @ w + pairs) - y) / n
        linear = X.T @ error + self.l2_linear * counts / n * w
        factors = X.T @ (error[:, None] * sums) - (squared.T @ error)[:, None] * v
        factors += self.l2_factors * counts[:, None] / n * v
        # --8<-- [end:gradient]
        return error.sum(keepdims=True), linear, factors
