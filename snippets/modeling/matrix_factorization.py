"""Find what to recommend from who clicked on what: implicit matrix factorization by alternating least squares.

Hu, Koren and Volinsky 2008, "Collaborative Filtering for Implicit Feedback Datasets", ICDM, equations 3 to 5.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix, issparse


class ImplicitALS:
    """Vectors of users and items whose product is near 1 where they met and near 0 elsewhere.

    A pair that met r times counts with confidence 1 + alpha r, all others with 1.

    Parameters
    ----------
    n_factors : int
        Length of the vectors.
    alpha : float
        How much more a meeting counts than none, more than 0.
    l2 : float
        Penalty of the vectors' squared lengths, more than 0.
    n_iterations : int
        How often both sides are solved for.
    random_state : int or None
        Draws the items' vectors at the start.

    Attributes
    ----------
    user_factors_ : array of shape (n_users, n_factors)
    item_factors_ : array of shape (n_items, n_factors)

    Raises
    ------
    ValueError
        If a parameter is out of range, or a count is negative or not finite.

    Examples
    --------
    >>> clicks = csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]])
    >>> model = ImplicitALS(2, random_state=0).fit(clicks)
    >>> model.recommend(np.array([3]), 1, exclude=clicks)
    array([[1]])
    """

    def __init__(
        self,
        n_factors: int = 16,
        alpha: float = 10.0,
        l2: float = 1.0,
        n_iterations: int = 10,
        random_state: int | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.alpha = alpha
        self.l2 = l2
        self.n_iterations = n_iterations
        self.random_state = random_state

    def fit(self, interactions: csr_matrix) -> ImplicitALS:
        """Learn from counts of meetings, sparse, shape (n_users, n_items)."""
        for name, ok, rule in [
            ("n_factors", self.n_factors >= 1, "at least 1"),
            ("alpha", 0 < self.alpha < np.inf, "positive and finite"),
            ("l2", 0 < self.l2 < np.inf, "positive and finite"),
            ("n_iterations", self.n_iterations >= 1, "at least 1"),
        ]:
            if not ok:
                raise ValueError(f"{name} must be {rule}, got {getattr(self, name)!r}")
        by_user = _counts(interactions)
        by_item = by_user.T.tocsr()
        random = np.random.default_rng(self.random_state)
        self.item_factors_ = random.normal(0, 0.1, (by_user.shape[1], self.n_factors))
        for _ in range(self.n_iterations):
            self.user_factors_ = self._solve(by_user, self.item_factors_)
            self.item_factors_ = self._solve(by_item, self.user_factors_)
        return self

    def fold_in(self, interactions: csr_matrix) -> np.ndarray:
        """Return vectors of users who came later, shape (n, n_factors), from counts of shape (n, n_items)."""
        counts = _counts(interactions)
        if counts.shape[1] != len(self.item_factors_):
            raise ValueError(f"interactions must have {len(self.item_factors_)} columns, got {counts.shape[1]}")
        return self._solve(counts, self.item_factors_)

    def recommend(self, users: ArrayLike, k: int, exclude: csr_matrix | None = None) -> np.ndarray:
        """Return the k items of the largest product for each user, best first, shape (len(users), k).

        ``exclude``, sparse of shape (n_users, n_items): items with an entry in the user's row are left out.
        """
        users, n_items = np.asarray(users), len(self.item_factors_)
        if not 1 <= k <= n_items:
            raise ValueError(f"k must be from 1 to the number of items, {n_items}, got {k}")
        scores = self.user_factors_[users] @ self.item_factors_.T
        if exclude is not None:
            row, column = csr_matrix(exclude)[users].nonzero()
            scores[row, column] = -np.inf
        return np.argsort(-scores, axis=1, kind="stable")[:, :k]

    def _solve(self, counts: csr_matrix, other: np.ndarray) -> np.ndarray:
        """Return the vectors of the rows of counts that are best for the vectors of its columns."""
        k = self.n_factors
        # --8<-- [start:solve]
        extra = self.alpha * counts  # confidence beyond the 1 that every pair has
        products = (other[:, :, None] * other[:, None, :]).reshape(len(other), k * k)
        left = (extra @ products).reshape(-1, k, k) + other.T @ other + self.l2 * np.eye(k)
        met = (counts > 0).astype(float)
        right = (met + extra) @ other
        return np.linalg.solve(left, right[:, :, None])[:, :, 0]
        # --8<-- [end:solve]


def _counts(interactions: csr_matrix) -> csr_matrix:
    if not issparse(interactions):
        raise ValueError(f"interactions must be a sparse matrix, got {type(interactions).__name__}")
    counts = csr_matrix(interactions, dtype=float)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    bad = ~(np.isfinite(counts.data) & (counts.data > 0))
    if bad.any():
        raise ValueError(f"interactions must be positive and finite where there are any, got {counts.data[bad][0]}")
    return counts
