"""The choices that no other choice beats: the Pareto frontier of conflicting objectives."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def pareto_frontier(points: ArrayLike) -> np.ndarray:
    """Say which points are dominated by no other, more being better in each coordinate.

    A point dominates another if it is at least as good in all coordinates and better in one. Equal points do not
    dominate each other. Negate a coordinate of which less is better.

    Parameters
    ----------
    points : array of shape (n, k)
        n choices, k objectives.

    Returns
    -------
    bool array of shape (n,)
        For two objectives in O(n log n); for more in O(n x size of the frontier).

    Raises
    ------
    ValueError
        If points is empty, not of two dimensions, or not finite.

    Examples
    --------
    >>> pareto_frontier([[1, 5], [2, 4], [2, 3], [3, 1]]).tolist()
    [True, True, False, True]
    """
    x = np.asarray(points, dtype=float)
    if x.ndim != 2 or 0 in x.shape:
        raise ValueError(f"points must be of shape (n, k) and not empty, got {x.shape}")
    if not np.isfinite(x).all():
        raise ValueError(f"points must be finite, got {x[~np.isfinite(x)][0]}")
    # --8<-- [start:frontier]
    # From the best in the first coordinate down, ties by the next: a point is beaten only by one that came before.
    unique, place = np.unique(-x, axis=0, return_inverse=True)
    best = np.zeros(len(unique), bool)
    if x.shape[1] <= 2:
        last = unique[:, -1]
        best[0] = True
        best[1:] = last[1:] < np.minimum.accumulate(last)[:-1]
    else:
        left = np.arange(len(unique))
        while len(left):
            best[left[0]] = True
            left = left[(unique[left] < unique[left[0]]).any(axis=1)]
    # --8<-- [end:frontier]
    return best[place.ravel()]
