"""Give each item a short sequence of codes, the first of which says roughly what it is: residual k-means.

The discrete identities of Rajput et al. 2023, "Recommender Systems with Generative Retrieval", NeurIPS (TIGER), which
learns them with a residual-quantised autoencoder. Singh et al. 2024, "Better Generalization with Semantic IDs: A Case
Study in Ranking for Recommendations", RecSys, use them in place of random hashes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted, validate_data


class SemanticIDs(TransformerMixin, BaseEstimator):
    """Cluster the vectors, then what the clusters leave over, and so on; the clusters' numbers are the codes.

    Parameters
    ----------
    n_levels : int
        Length of the code.
    n_codes : int
        Clusters on each level; fewer where there are not as many different vectors.
    random_state : int, RandomState or None

    Attributes
    ----------
    centers_ : list of n_levels arrays of shape (at most n_codes, n_features)

    Raises
    ------
    ValueError
        If a parameter is out of range, or vectors are not finite.

    Examples
    --------
    >>> vectors = [[0, 0], [0, 1], [9, 0], [9, 1]]
    >>> codes = SemanticIDs(2, 2, random_state=0).fit_transform(vectors)
    >>> bool(codes[0, 0] == codes[1, 0] != codes[2, 0]), bool(codes[0, 1] == codes[2, 1])
    (True, True)
    """

    def __init__(
        self, n_levels: int = 3, n_codes: int = 16, random_state: int | np.random.RandomState | None = None
    ) -> None:
        self.n_levels = n_levels
        self.n_codes = n_codes
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> SemanticIDs:
        """Find the centers from vectors of shape (n_items, n_features)."""
        for name in ("n_levels", "n_codes"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        left = validate_data(self, X, dtype=np.float64)
        self.centers_ = []
        # --8<-- [start:fit]
        for _ in range(self.n_levels):
            n_codes = min(self.n_codes, len(np.unique(left, axis=0)))
            level = KMeans(n_codes, n_init=3, random_state=self.random_state).fit(left)
            self.centers_.append(level.cluster_centers_)
            left = left - level.cluster_centers_[level.labels_]
        # --8<-- [end:fit]
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the codes, whole numbers of shape (n, n_levels), also of items that came later."""
        check_is_fitted(self)
        left = validate_data(self, X, dtype=np.float64, reset=False)
        codes = np.empty((len(left), len(self.centers_)), np.int64)
        # --8<-- [start:transform]
        for level, centers in enumerate(self.centers_):
            # |x - c|^2 without the term of x that all centers share
            distance = (centers**2).sum(axis=1) - 2 * left @ centers.T
            codes[:, level] = distance.argmin(axis=1)
            left = left - centers[codes[:, level]]
        # --8<-- [end:transform]
        return codes

    def inverse_transform(self, codes: ArrayLike) -> np.ndarray:
        """Return the vectors that the codes stand for: sums of one center of each level, from the first on."""
        check_is_fitted(self)
        codes = np.asarray(codes)
        if codes.ndim != 2 or not 1 <= codes.shape[1] <= len(self.centers_):
            raise ValueError(f"codes must have shape (n, at most {len(self.centers_)}), got {codes.shape}")
        return sum(centers[column] for centers, column in zip(self.centers_, codes.T, strict=False))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # codes are whole numbers, whatever the vectors are
        return tags
