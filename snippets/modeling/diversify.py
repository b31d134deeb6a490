"""Pick a list whose items are good and not all alike: maximal marginal relevance.

Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
Summaries", SIGIR.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def maximal_marginal_relevance(relevance: ArrayLike, vectors: ArrayLike, k: int, trade_off: float = 0.7) -> np.ndarray:
    """Pick k of n candidates in turn: each time the one with the most relevance, less its likeness to those picked.

    Parameters
    ----------
    relevance : array of shape (n_lists, n) or (n,)
        Scores of the candidates; comparable with cosines, so scale them to about 1.
    vectors : array of shape (n_lists, n, d) or (n, d)
        What two items are compared by, with the cosine; a vector of zeros is like nothing.
    k : int
        How many to pick, 1 to n.
    trade_off : float
        Weight of the relevance, in [0, 1]; the rest is the weight of the largest cosine with an item picked before.

    Returns
    -------
    array of shape (n_lists, k) or (k,)
        Places of the picked candidates, in order.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or k or trade_off is out of range.

    Examples
    --------
    >>> maximal_marginal_relevance([0.9, 0.8, 0.7], [[1, 0], [1, 0], [0, 1]], k=2, trade_off=0.5)
    array([0, 2])
    """
    score, direction = np.asarray(relevance, dtype=float), np.asarray(vectors, dtype=float)
    one = score.ndim == 1
    if one:
        score, direction = score[None], direction[None]
    if score.ndim != 2 or direction.ndim != 3 or direction.shape[:2] != score.shape:
        raise ValueError(f"a vector for each candidate: got relevance {score.shape} and vectors {direction.shape}")
    for name, values in [("relevance", score), ("vectors", direction)]:
        if not np.isfinite(values).all():
            raise ValueError(f"{name} must be finite, got {values[~np.isfinite(values)][0]}")
    if not 1 <= k <= score.shape[1]:
        raise ValueError(f"k must be from 1 to the number of candidates, {score.shape[1]}, got {k}")
    if not 0 <= trade_off <= 1:
        raise ValueError(f"trade_off must be in [0, 1], got {trade_off}")
    length = np.linalg.norm(direction, axis=2, keepdims=True)
    direction = np.divide(direction, length, out=np.zeros_like(direction), where=length > 0)
    # --8<-- [start:mmr]
    lists, picked = np.arange(len(score)), np.empty((len(score), k), np.intp)
    nearest = np.zeros(score.shape)  # largest cosine with what was picked; nothing yet
    for place in range(k):
        marginal = trade_off * score - (1 - trade_off) * nearest
        marginal[lists[:, None], picked[:, :place]] = -np.inf
        picked[:, place] = marginal.argmax(axis=1)
        cosine = np.einsum("lnd,ld->ln", direction, direction[lists, picked[:, place]])
        nearest = cosine if place == 0 else np.maximum(nearest, cosine)
    # --8<-- [end:mmr]
    return picked[0] if one else picked
