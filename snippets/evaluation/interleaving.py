"""Team-draft interleaving: one list from two rankers, so that each user compares them at once.

Radlinski, Kurup & Joachims 2008, "How Does Clickthrough Data Reflect Retrieval Quality?", CIKM; Chapelle et al. 2012,
"Large-Scale Validation and Analysis of Interleaved Search Evaluation", TOIS 30.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Interleaved(NamedTuple):
    """What to show for each request, and who put it there."""

    items: np.ndarray  # shape (requests, length)
    team: np.ndarray  # shape (requests, length), 0 for ranker a, 1 for ranker b


class Preference(NamedTuple):
    """How many units preferred which ranker."""

    wins_a: int
    wins_b: int
    ties: int  # units with equal credit, mostly without a click: they say nothing
    p_value: float  # two-sided sign test of no preference


def team_draft(ranking_a: ArrayLike, ranking_b: ArrayLike, length: int, seed: int = 0) -> Interleaved:
    """Merge two rankings of each request into one list.

    The rankers pick in turns, as captains pick players: each takes its best item that is not shown yet. A coin decides
    who goes first, anew for every pair of places, so that neither gets the better places on average.

    Parameters
    ----------
    ranking_a, ranking_b : arrays of shape (requests, k)
        Item ids, best first, no item twice in a row. The two may hold different items.
    length : int
        Places to fill, 1 to k.
    seed : int
        Fixes the coins.

    Raises
    ------
    ValueError
        If the arrays are not two-dimensional, empty or unequal in shape, hold an item twice in a row, or length is out
        of range.

    Examples
    --------
    >>> shown = team_draft([[1, 2, 3]], [[2, 4, 1]], length=3, seed=1)
    >>> shown.items.tolist(), shown.team.tolist()
    ([[2, 1, 4]], [[1, 0, 1]])
    """
    a, b = np.asarray(ranking_a), np.asarray(ranking_b)
    for name, ranking in [("ranking_a", a), ("ranking_b", b)]:
        if ranking.ndim != 2 or ranking.size == 0:
            raise ValueError(f"{name} must have the shape (requests, k), got {ranking.shape}")
        in_order = np.sort(ranking, axis=1)
        twice = (in_order[:, 1:] == in_order[:, :-1]).any(axis=1)
        if twice.any():
            raise ValueError(f"{name} holds an item twice in row {int(twice.argmax())}")
    if a.shape != b.shape:
        raise ValueError(f"ranking_b has shape {b.shape}, ranking_a has {a.shape}")
    if not isinstance(length, int | np.integer) or not 1 <= length <= a.shape[1]:
        raise ValueError(f"length must be a whole number in [1, {a.shape[1]}], got {length!r}")
    n = len(a)
    rng = np.random.default_rng(seed)
    items, team = np.empty((n, length), np.result_type(a, b)), np.empty((n, length), np.int8)
    # --8<-- [start:draft]
    for place in range(length):
        if place % 2 == 0:
            b_first = rng.integers(0, 2, n, dtype=np.int8)
        team[:, place] = b_first if place % 2 == 0 else 1 - b_first
        ranking = np.where(team[:, place, None] == 0, a, b)
        shown = np.zeros(ranking.shape, bool)
        for earlier in range(place):
            shown |= ranking == items[:, earlier, None]
        items[:, place] = ranking[np.arange(n), np.argmin(shown, axis=1)]  # the first that is not shown yet
    # --8<-- [end:draft]
    return Interleaved(items, team)


def interleaving_test(clicks: ArrayLike, team: ArrayLike, users: ArrayLike | None = None) -> Preference:
    """Count who preferred which ranker, and test whether one is preferred.

    Parameters
    ----------
    clicks : array of shape (requests, length)
        0 or 1 for each item shown.
    team : array of shape (requests, length)
        From ``team_draft``.
    users : array of shape (requests,), optional
        Who asked. A user is then one unit, with the credit of all requests. None takes requests for independent.

    Raises
    ------
    ValueError
        If the arrays are unequal in shape, empty, or hold other values than 0 and 1.

    Examples
    --------
    >>> interleaving_test([[1, 0], [1, 1], [1, 0]], [[1, 0], [0, 1], [1, 0]])
    Preference(wins_a=0, wins_b=2, ties=1, p_value=0.5)
    """
    y, t = np.asarray(clicks), np.asarray(team)
    for name, array in [("clicks", y), ("team", t)]:
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"{name} must have the shape (requests, length), got {array.shape}")
        if not ((array == 0) | (array == 1)).all():
            raise ValueError(f"{name} must be 0 or 1, got {array[(array != 0) & (array != 1)][0]}")
    if y.shape != t.shape:
        raise ValueError(f"team has shape {t.shape}, clicks has {y.shape}")
    # --8<-- [start:credit]
    credit = np.where(y == 1, 2 * t.astype(np.int64) - 1, 0).sum(axis=1)  # clicks on b's items minus those on a's
    if users is not None:
        user = np.unique(np.asarray(users), return_inverse=True)[1]
        if user.shape != credit.shape:
            raise ValueError(f"users has {user.size} rows, clicks has {len(y)}")
        credit = np.bincount(user, weights=credit)
    wins_a, wins_b = int((credit < 0).sum()), int((credit > 0).sum())
    p_value = stats.binomtest(wins_b, wins_a + wins_b).pvalue if wins_a + wins_b else 1.0
    # --8<-- [end:credit]
    return Preference(wins_a, wins_b, len(credit) - wins_a - wins_b, float(p_value))
