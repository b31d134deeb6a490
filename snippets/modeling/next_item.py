"""Recommend what came next after the items that somebody touched last.

Counts of what follows what, within a few steps, shrunk towards popularity. Ludewig and Jannach 2018, "Evaluation of
Session-based Recommendation Algorithms", UMUAI, found baselines of this kind hard to beat with neural networks.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix


class NextItem:
    """Score each item by how often it followed the last few items of a history.

    Parameters
    ----------
    n_lags : int
        How many steps back count.
    decay : float
        Weight of each step back relative to the one after it, in (0, 1].
    shrink : float
        How many steps the popularity of all items is worth, more than 0.

    Attributes
    ----------
    popularity_ : array of shape (n_items,)
        Share of each item among all events.
    follows_ : sparse matrix of shape (n_items, n_items)
        Weighted counts: row, then column.

    Raises
    ------
    ValueError
        If a parameter is out of range, lengths differ, or items are not whole numbers from 0 to n_items - 1.

    Examples
    --------
    >>> model = NextItem(n_lags=1, shrink=0.1).fit([1, 1, 2, 2, 3], [0, 2, 0, 2, 1], [1, 2, 1, 2, 1], n_items=3)
    >>> model.scores([[0]]).argmax(axis=1)
    array([2])
    """

    def __init__(self, n_lags: int = 5, decay: float = 0.8, shrink: float = 5.0) -> None:
        self.n_lags = n_lags
        self.decay = decay
        self.shrink = shrink

    def fit(self, user: ArrayLike, item: ArrayLike, time: ArrayLike, n_items: int) -> NextItem:
        """Count. Events in any order; those of one user and time keep the order given."""
        for name, ok, rule in [
            ("n_lags", self.n_lags >= 1, "at least 1"),
            ("decay", 0 < self.decay <= 1, "in (0, 1]"),
            ("shrink", 0 < self.shrink < np.inf, "positive and finite"),
        ]:
            if not ok:
                raise ValueError(f"{name} must be {rule}, got {getattr(self, name)!r}")
        events = pd.DataFrame({"user": np.asarray(user), "item": _items(item, n_items, 0), "time": np.asarray(time)})
        if not len(events):
            raise ValueError("there must be at least one event")
        events = events.sort_values(["user", "time"], kind="stable")
        who, what = events["user"].to_numpy(), events["item"].to_numpy()
        # --8<-- [start:count]
        self.popularity_ = np.bincount(what, minlength=n_items) / len(what)
        self.follows_ = csr_matrix((n_items, n_items))
        for lag in range(1, self.n_lags + 1):
            same = who[lag:] == who[:-lag]
            before, after = what[:-lag][same], what[lag:][same]
            weight = np.full(len(before), self.decay ** (lag - 1))
            self.follows_ += csr_matrix((weight, (before, after)), (n_items, n_items))
        # --8<-- [end:count]
        return self

    def scores(self, histories: ArrayLike) -> np.ndarray:
        """Return a score of each item, shape (n, n_items).

        ``histories`` has shape (n, at most n_lags): the last items of each user, the latest last, -1 where there is
        none. An empty history gets the popularity.
        """
        n_items = len(self.popularity_)
        histories = _items(histories, n_items, -1)
        if histories.ndim != 2 or histories.shape[1] > self.n_lags:
            raise ValueError(f"histories must have shape (n, at most {self.n_lags}), got {histories.shape}")
        # --8<-- [start:score]
        total = np.asarray(self.follows_.sum(axis=1)).ravel() + self.shrink
        out = np.tile(self.popularity_ * 1e-6, (len(histories), 1))  # decides where nothing is known
        for lag, last in enumerate(histories.T[::-1], start=1):
            known = last >= 0
            follows = self.follows_[last[known]].toarray() + self.shrink * self.popularity_
            out[known] += self.decay ** (lag - 1) * follows / total[last[known], None]
        # --8<-- [end:score]
        return out


def _items(items: ArrayLike, n_items: int, least: int) -> np.ndarray:
    items = np.asarray(items)
    if items.size and items.dtype.kind not in "iu":
        raise ValueError(f"items must be whole numbers, got {items.dtype}")
    bad = (items < least) | (items >= n_items)
    if bad.any():
        raise ValueError(f"items must be from {least} to {n_items - 1}, got {items[bad][0]}")
    return items.astype(np.intp)
