"""Estimate how often users look at each position, and take it out of the clicks.

Joachims, Swaminathan & Schnabel 2017, "Unbiased Learning-to-Rank with Biased Feedback", WSDM: under the position-based
model P(click) = P(look at the position) x P(click | look), so that clicks divided by the first factor are unbiased.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def examination_from_random_positions(click: ArrayLike, position: ArrayLike) -> pd.DataFrame:
    """Estimate examination from rows whose items were put into random order.

    Every position then shows the same mix of items, so that their click rates differ by the looking alone.

    Parameters
    ----------
    click : array of shape (n,)
        0 or 1.
    position : array of shape (n,)
        Whole numbers, 1 at the top.

    Returns
    -------
    pandas.DataFrame
        Indexed by position: ``impressions``, ``clicks``, ``examination`` (relative to position 1) and its
        ``standard_error`` (delta method, clicks independent).

    Raises
    ------
    ValueError
        If the arrays are empty or of unequal length, a click is not 0 or 1, a position is not a whole number from 1 on,
        or position 1 has no click.

    Examples
    --------
    >>> examination_from_random_positions([1, 1, 1, 0], [1, 1, 2, 2])["examination"].tolist()
    [1.0, 0.5]
    """
    clicked, place = _check(click, position)
    # --8<-- [start:random]
    impressions, clicks = np.bincount(place), np.bincount(place, clicked)
    return _relative(impressions, clicks, impressions[1], clicks[1])
    # --8<-- [end:random]


def examination_from_swaps(click: ArrayLike, position: ArrayLike, swap: ArrayLike) -> pd.DataFrame:
    """Estimate examination from requests in which a fair coin exchanged position 1 with one other, or not.

    Both items of the pair are then equally often on top. This disturbs two items of a page instead of all.

    Parameters
    ----------
    click : array of shape (n,)
        0 or 1.
    position : array of shape (n,)
        Where the item was shown, 1 at the top.
    swap : array of shape (n,)
        The position that the coin could exchange with the first in the request of this row, whatever the coin said;
        0 if there was none.

    Returns
    -------
    pandas.DataFrame
        As from `examination_from_random_positions`, without position 1, which is 1 by definition.

    Raises
    ------
    ValueError
        As there; also if a swap is neither 0 nor 2 or more, or its pair has no click on top.

    Examples
    --------
    >>> click, position, swap = [1, 0, 1, 1, 1, 0], [1, 2, 1, 2, 2, 1], [2, 2, 2, 2, 0, 0]
    >>> examination_from_swaps(click, position, swap)["examination"].tolist()
    [0.5]
    """
    clicked, place = _check(click, position)
    partner = np.asarray(swap)
    if partner.shape != place.shape:
        raise ValueError(f"swap must have one entry for each of the {len(place)} rows, got shape {partner.shape}")
    wrong = (partner != 0) & ~((partner >= 2) & (partner % 1 == 0))
    if wrong.any():
        raise ValueError(f"swap must be 0, or a position from 2 on, got {partner[wrong][0]} at row {wrong.argmax()}")
    partner = partner.astype(np.int64)
    # --8<-- [start:swaps]
    counts = []
    for rows in [place == partner, (partner > 0) & (place == 1)]:  # the lower of each pair, and the top
        counts += [np.bincount(partner[rows], w, partner.max() + 1) for w in (None, clicked[rows])]
    return _relative(*counts)
    # --8<-- [end:swaps]


def labels_as_if_seen(click: ArrayLike, propensity: ArrayLike, clip: float = 0.0) -> np.ndarray:
    """Return clicks divided by the chance that the user looked: on average, the relevance of the item.

    A learner takes them as two weights for each row: y as a click, 1 - y, which may be negative, as none.

    Parameters
    ----------
    click : array of shape (n,)
        0 or 1.
    propensity : array of shape (n,)
        Chance to be looked at, in (0, 1]; for a position, its examination.
    clip : float
        Smaller propensities count as this one, in [0, 1]: less variance, and a bias downwards.

    Returns
    -------
    array of shape (n,)
        0, or at least 1.

    Raises
    ------
    ValueError
        If the arrays are empty or of unequal length, a click is not 0 or 1, a propensity is not in (0, 1], or clip is
        not in [0, 1].

    Examples
    --------
    >>> labels_as_if_seen([1, 0, 1], [0.5, 0.5, 1.0]).tolist()
    [2.0, 0.0, 1.0]
    """
    look = np.asarray(propensity, dtype=float)
    clicked, _ = _check(click, np.ones(look.shape))
    good = (look > 0) & (look <= 1)
    if not good.all():
        raise ValueError(f"propensity must be in (0, 1], got {look[~good][0]:g} at row {good.argmin()}")
    if not 0 <= clip <= 1:
        raise ValueError(f"clip must be in [0, 1], got {clip}")
    # --8<-- [start:labels]
    return clicked / np.maximum(look, clip)
    # --8<-- [end:labels]


def _relative(impressions, clicks, impressions_top, clicks_top) -> pd.DataFrame:
    """Return the ratio of click rates to those on top, with its standard error, where there are impressions."""
    n, c, n_top, c_top = np.broadcast_arrays(impressions, clicks, impressions_top, clicks_top)
    at = np.flatnonzero(n)
    n, c, n_top, c_top = n[at], c[at], n_top[at], c_top[at]
    if not (c_top.size and c_top.all()):
        raise ValueError(f"no click on top to compare with position {at[c_top == 0][0] if at.size else 'any'}")
    rate, top = c / n, c_top / n_top
    variance = rate * (1 - rate) / n / top**2 + rate**2 * top * (1 - top) / n_top / top**4
    return pd.DataFrame(
        {
            "impressions": n,
            "clicks": c.astype(np.int64),
            "examination": rate / top,
            "standard_error": np.where(at == 1, 0.0, np.sqrt(variance)),
        },
        index=pd.Index(at, name="position"),
    )


def _check(click: ArrayLike, position: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return clicks and positions as arrays, or say which is wrong."""
    clicked, place = np.asarray(click), np.asarray(position)
    if clicked.ndim != 1 or clicked.shape != place.shape or clicked.size == 0:
        raise ValueError(f"one click for each row, at least one: got shapes {clicked.shape} and {place.shape}")
    binary = (clicked == 0) | (clicked == 1)
    if not binary.all():
        raise ValueError(f"click must be 0 or 1, got {clicked[~binary][0]} at row {binary.argmin()}")
    whole = (place >= 1) & (place % 1 == 0)
    if not whole.all():
        raise ValueError(f"position must be a whole number from 1 on, got {place[~whole][0]} at row {whole.argmin()}")
    return clicked.astype(float), place.astype(np.int64)
