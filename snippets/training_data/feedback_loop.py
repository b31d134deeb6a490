"""Simulate a recommender that learns from the clicks on what it chose to show.

Chaney, Stewart & Engelhardt 2018, "How Algorithmic Confounding in Recommendation Systems Increases Homogeneity and
Decreases Utility", RecSys.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def effective_items(impressions: ArrayLike) -> float:
    """Return how many items are shown in effect: the exponential of the entropy of their shares.

    Parameters
    ----------
    impressions : array of shape (n_items,)
        How often each item was shown, at least 0, not all 0.

    Returns
    -------
    float
        From 1, always the same item, to n_items, all equally often.

    Raises
    ------
    ValueError
        If a count is negative or not finite, or their sum is 0.

    Examples
    --------
    >>> effective_items([5, 5, 5, 5]), effective_items([9, 0, 0, 0])
    (4.0, 1.0)
    """
    shown = np.asarray(impressions, dtype=float)
    if not ((shown >= 0) & (shown < np.inf)).all() or shown.sum() == 0:
        raise ValueError("impressions must be finite, at least 0 and not all 0")
    # --8<-- [start:effective]
    share = shown[shown > 0] / shown.sum()
    return float(np.exp(-(share * np.log(share)).sum()))
    # --8<-- [end:effective]


def simulate_feedback_loop(
    rates: ArrayLike,
    exploration: Sequence[float],
    rng: np.random.Generator,
    *,
    users: int = 200,
    slots: int = 5,
    prior: tuple[float, float] = (1.0, 30.0),
) -> pd.DataFrame:
    """Show, count the clicks, learn, show again; one round for each entry of exploration.

    In each round every segment of users is shown its ``slots`` items with the highest estimated click rate. A share of
    the impressions shows a random item instead. The estimates are smoothed rates of all clicks so far.

    Parameters
    ----------
    rates : array of shape (n_segments, n_items)
        The true click probability of each item in each segment, in [0, 1].
    exploration : sequence of float
        Share of random impressions in each round, in [0, 1].
    rng : numpy.random.Generator
    users : int
        Users of each segment in a round, each of which sees all slots.
    slots : int
        Items on a page, at most n_items.
    prior : (clicks, no clicks)
        Added to the counts of every item: what the system believes of an item before it has shown it.

    Returns
    -------
    pandas.DataFrame
        One row a round: ``click_rate`` (expected, of what was shown), ``best_rate`` (of the truly best items),
        ``effective_items`` (`effective_items` of all impressions of the round) and ``never_shown`` (share of the pairs
        of segment and item without any impression so far).

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.

    Examples
    --------
    >>> rates = np.random.default_rng(0).beta(1, 30, (10, 100))
    >>> loop = simulate_feedback_loop(rates, [0.0] * 20, np.random.default_rng(1))
    >>> bool(loop["click_rate"].iloc[-1] < loop["best_rate"].iloc[-1])
    True
    """
    p, shares = np.asarray(rates, dtype=float), np.asarray(exploration, dtype=float)
    if p.ndim != 2 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError("rates must be a table of probabilities, one row for each segment")
    if shares.ndim != 1 or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError("exploration must be a sequence of shares in [0, 1]")
    if users < 1:
        raise ValueError(f"users must be at least 1, got {users}")
    if not 1 <= slots <= p.shape[1]:
        raise ValueError(f"slots must be from 1 to the number of items, {p.shape[1]}, got {slots}")
    if min(prior) <= 0:
        raise ValueError(f"prior must be two positive numbers, got {prior}")
    n_segments, n_items = p.shape
    best_rate = np.sort(p, axis=1)[:, -slots:].mean()
    seen, clicks, rounds = np.zeros(p.shape, np.int64), np.zeros(p.shape, np.int64), []
    for share in shares:
        # --8<-- [start:round]
        estimate = (clicks + prior[0]) / (seen + sum(prior))
        order = np.lexsort((rng.random(p.shape), -estimate), axis=1)  # equals in random order
        shown = np.zeros(p.shape, np.int64)
        explored = rng.binomial(users, share, (n_segments, slots))
        np.put_along_axis(shown, order[:, :slots], users - explored, axis=1)
        shown += rng.multinomial(explored.sum(axis=1), np.full(n_items, 1 / n_items))
        seen += shown
        clicks += rng.binomial(shown, p)
        # --8<-- [end:round]
        rounds.append(
            ((shown * p).sum() / shown.sum(), best_rate, effective_items(shown.sum(axis=0)), (seen == 0).mean())
        )
    return pd.DataFrame(rounds, columns=["click_rate", "best_rate", "effective_items", "never_shown"])
