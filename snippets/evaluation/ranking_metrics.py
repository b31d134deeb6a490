"""Ranking metrics over millions of short lists at once: NDCG, precision, recall, reciprocal rank, AUC by group.

All take flat arrays, one row an item, and the list (a request or a user) that the row belongs to. Items with equal
scores stand in no order: each metric is its expectation over all orders of the tied items, so that a model cannot win
by luck of the sort. For NDCG: McSherry & Najork 2008, "Computing Information Retrieval Performance Measures
Efficiently in the Presence of Tied Scores", ECIR.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln


class _Lists(NamedTuple):
    """The rows sorted by list, and in each list by falling score."""

    gain: np.ndarray  # label of each row
    list_: np.ndarray  # number of its list, 0 to n_lists - 1
    rank: np.ndarray  # its place in the list, from 0, ties in any order
    size: np.ndarray  # rows of each list
    tie: np.ndarray  # number of the row's block of equal scores
    tie_start: np.ndarray  # first row of each block
    tie_size: np.ndarray  # rows of each block


def ndcg_at_k(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int) -> float:
    """Return the normalized discounted cumulative gain of the first k places, averaged over lists.

    Parameters
    ----------
    y_true : array of shape (n,)
        Gain of each item, at least 0: a click, a grade. For exponential gains pass ``2**grade - 1``.
    y_score : array of shape (n,)
        Scores, higher is shown earlier.
    groups : array of shape (n,)
        The list of each item, as integers or strings, in any order; fewer than 2**32 lists.
    k : int
        Places that count, at least 1. Item at place r counts with 1 / log2(r + 1).

    Returns
    -------
    float
        In [0, 1]. Lists without any gain are left out: no order of them is better than another.

    Raises
    ------
    ValueError
        If the arrays are empty, unequal in length, not one-dimensional or hold NaN; if a gain is negative or infinite,
        k is no whole number of at least 1, or no list has a gain.

    Notes
    -----
    Järvelin & Kekäläinen 2002, "Cumulated Gain-Based Evaluation of IR Techniques", TOIS 20.

    Examples
    --------
    >>> round(ndcg_at_k([0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9], groups=[7, 7, 7, 8, 8, 8], k=2), 3)
    0.815
    """
    lists = _sort(y_true, y_score, groups, k, binary=False)
    # --8<-- [start:ndcg]
    discount = np.zeros(int(lists.size.max()))
    discount[:k] = 1 / np.log2(np.arange(2, 2 + len(discount[:k])))
    dcg = np.bincount(lists.list_, weights=_mean_over_ties(lists) * discount[lists.rank])
    # --8<-- [end:ndcg]
    best = lists.gain[_order(lists.gain, lists.list_)]  # the same lists by falling gain
    ideal = np.bincount(lists.list_, weights=best * discount[lists.rank])
    return _mean_ratio(dcg, ideal, "y_true holds no gain: NDCG is undefined")


def precision_at_k(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int) -> float:
    """Return the share of relevant items among the first k places, averaged over all lists.

    Parameters, errors and ties as for ``ndcg_at_k``, with labels that are 0 or 1. A list shorter than k still counts k
    places: what is not shown cannot be clicked.

    Examples
    --------
    >>> precision_at_k([0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9], groups=[7, 7, 7, 8, 8, 8], k=2)
    0.5
    """
    lists = _sort(y_true, y_score, groups, k, binary=True)
    return float(_hits_at_k(lists, k).mean() / k)


def recall_at_k(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int) -> float:
    """Return the share of the relevant items that the first k places hold, averaged over lists with a relevant item.

    Parameters, errors and ties as for ``ndcg_at_k``, with labels that are 0 or 1.

    Examples
    --------
    >>> recall_at_k([0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9], groups=[7, 7, 7, 8, 8, 8], k=1)
    0.5
    """
    lists = _sort(y_true, y_score, groups, k, binary=True)
    relevant = np.bincount(lists.list_, weights=lists.gain)
    return _mean_ratio(_hits_at_k(lists, k), relevant, "y_true holds no 1: recall is undefined")


def mean_reciprocal_rank(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike) -> float:
    """Return one over the place of the first relevant item, averaged over lists with a relevant item.

    Parameters, errors and ties as for ``ndcg_at_k``, with labels that are 0 or 1. Among m tied items of which r are
    relevant, the first relevant one stands at place j with probability C(m - j, r - 1) / C(m, r).

    Examples
    --------
    >>> mean_reciprocal_rank([0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9], groups=[7, 7, 7, 8, 8, 8])
    0.75
    """
    lists = _sort(y_true, y_score, groups, binary=True)
    relevant = np.bincount(lists.tie, weights=lists.gain)  # in each block of equal scores
    blocks = np.flatnonzero(relevant)
    if len(blocks) == 0:
        raise ValueError("y_true holds no 1: the reciprocal rank is undefined")
    list_of_block = lists.list_[lists.tie_start[blocks]]
    first = blocks[np.flatnonzero(np.diff(list_of_block, prepend=-1))]  # the first such block of each list
    m, r = lists.tie_size[first], relevant[first]
    row = np.arange(m.sum()) - np.repeat(np.cumsum(m) - m, m)  # 0 to m - 1 within each block
    m, r, ahead = np.repeat(m, m), np.repeat(r, m), np.repeat(lists.rank[lists.tie_start[first]], m)
    possible = row <= m - r  # later than that, and a relevant one stood before
    m, r, j, ahead = m[possible], r[possible], row[possible] + 1, ahead[possible]
    probability = np.exp(_log_choose(m - j, r - 1) - _log_choose(m, r))
    return float((probability / (ahead + j)).sum() / len(first))


def group_auc(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike) -> float:
    """Return the mean over groups of the AUC within each, weighted by impressions.

    Parameters, errors and ties as for ``ndcg_at_k``, with labels that are 0 or 1. A tie counts half. Groups with one
    class only are left out, since AUC is undefined there.

    Notes
    -----
    Zhu et al. 2017, "Optimized Cost per Click in Taobao Display Advertising", KDD; Zhou et al. 2018, "Deep Interest
    Network for Click-Through Rate Prediction", KDD, section 6.

    Examples
    --------
    >>> group_auc([0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9], groups=[7, 7, 7, 8, 8, 8])
    0.75
    """
    lists = _sort(y_true, y_score, groups, binary=True)
    # --8<-- [start:auc]
    clicks = np.bincount(lists.list_, weights=lists.gain)
    others = lists.size - clicks
    # Each click beats the other impressions below it, and half of those with an equal score.
    tied_clicks = np.bincount(lists.tie, weights=lists.gain)
    tied_others = lists.tie_size - tied_clicks
    below = np.cumsum(tied_others[::-1])[::-1] - tied_others  # in the block's list, and in all later lists
    list_of_tie = lists.list_[lists.tie_start]
    below -= (np.cumsum(others[::-1])[::-1] - others)[list_of_tie]
    wins = np.bincount(list_of_tie, weights=tied_clicks * (below + tied_others / 2))
    # --8<-- [end:auc]
    both = (clicks > 0) & (others > 0)
    if not both.any():
        raise ValueError("y_true: no group holds both a 0 and a 1, so AUC is undefined in each")
    return float(np.average(wins[both] / (clicks[both] * others[both]), weights=lists.size[both]))


def _hits_at_k(lists: _Lists, k: int) -> np.ndarray:
    """Return the expected number of relevant items among the first k places of each list."""
    return np.bincount(lists.list_, weights=_mean_over_ties(lists) * (lists.rank < k))


def _mean_over_ties(lists: _Lists) -> np.ndarray:
    """Replace each gain by the mean of its tied block: its expectation over all orders of the block."""
    return (np.bincount(lists.tie, weights=lists.gain) / lists.tie_size)[lists.tie]


def _mean_ratio(numerator: np.ndarray, denominator: np.ndarray, undefined: str) -> float:
    """Return the mean over the lists where the ratio is defined."""
    defined = denominator > 0
    if not defined.any():
        raise ValueError(undefined)
    return float((numerator[defined] / denominator[defined]).mean())


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)


def _order(score: np.ndarray, list_: np.ndarray) -> np.ndarray:
    """Return the order of rows by list, and in each list by falling score.

    Sort by score, then by list without changing the order within one: NumPy's stable sort of 16-bit integers takes
    linear time, and two of them make 32 bits.
    """
    order = np.argsort(-score)
    for shift in (0, 16):
        digit = (list_ >> shift).astype(np.uint16)
        if shift == 0 or digit.any():
            order = order[np.argsort(digit[order], kind="stable")]
    return order


def _sort(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int = 1, *, binary: bool) -> _Lists:
    """Check all input, and sort it into lists."""
    y, score, group = np.asarray(y_true), np.asarray(y_score), np.asarray(groups)
    for name, array in [("y_true", y), ("y_score", score), ("groups", group)]:
        if array.ndim != 1:
            raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
        if len(array) != len(y):
            raise ValueError(f"{name} has {len(array)} rows, y_true has {len(y)}")
    if len(y) == 0:
        raise ValueError("y_true is empty")
    for name, array in [("y_true", y), ("y_score", score)]:
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    if not isinstance(k, int | np.integer) or isinstance(k, bool) or k < 1:
        raise ValueError(f"k must be a whole number of at least 1, got {k!r}")
    rule = "0 or 1" if binary else "finite and at least 0"
    right = (y == 0) | (y == 1) if binary else (y >= 0) & (y < np.inf)
    for name, array, good, wanted in [("y_true", y, right, rule), ("y_score", score, ~np.isnan(score), "numbers")]:
        if not good.all():
            wrong = int(np.argmin(good))
            raise ValueError(f"{name} must be {wanted}, got {array[wrong]} at row {wrong}")
    y, score = y.astype(np.float64), score.astype(np.float64)
    list_ = _number(group)
    order = _order(score, list_)
    gain, list_, score = y[order], list_[order], score[order]
    new_list = np.concatenate([[True], list_[1:] != list_[:-1]])
    list_ = np.cumsum(new_list) - 1
    start = np.flatnonzero(new_list)
    size = np.diff(start, append=len(y))
    new_tie = new_list | np.concatenate([[True], score[1:] != score[:-1]])
    tie_start = np.flatnonzero(new_tie)
    return _Lists(
        gain,
        list_,
        np.arange(len(y)) - np.repeat(start, size),
        size,
        np.cumsum(new_tie) - 1,
        tie_start,
        np.diff(tie_start, append=len(y)),
    )


def _number(group: np.ndarray) -> np.ndarray:
    """Return whole numbers, equal where the groups are equal and below the number of rows."""
    if group.dtype.kind == "f" and np.isnan(group).any():
        raise ValueError(f"groups must not be NaN, got NaN at row {int(np.isnan(group).argmax())}")
    if group.dtype.kind in "iu" and group.min() >= 0 and group.max() < len(group):
        return group.astype(np.int64)
    return np.unique(group, return_inverse=True)[1].astype(np.int64)
