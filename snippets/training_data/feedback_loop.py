"""Simulate a recommender that learns from the clicks on what it chose to show.

Chaney, Stewart & Engelhardt 2018, "How Algorithmic Confounding in Recommendation
Systems Increases Homogeneity and Decreases Utility", RecSys.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def effective_items(impressions: ArrayLike) -> float:
    """Return how many items are shown in effect.

    It is the exponential of the entropy of their shares.

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
    shown = _numbers("impressions", impressions, "[0, inf)")
    _same_rows(impressions=shown)
    if not shown.any():
        raise ValueError("impressions must not be all 0")
    # --8<-- [start:effective]
    share = shown / shown.max()  # first, so that no sum overflows
    share = share[share > 0] / share.sum()
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
    """Show, count the clicks, learn, show again; a round for each exploration.

    In each round every segment of users is shown its ``slots`` items with the highest
    estimated click rate. A share of the impressions shows a random item instead. The
    estimates are smoothed rates of all clicks so far.

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
        Added to the counts of every item: what the system believes of an item before it
        has shown it.

    Returns
    -------
    pandas.DataFrame
        One row a round: ``click_rate`` (expected, of what was shown), ``best_rate`` (of
        the truly best items), ``effective_items`` (`effective_items` of all impressions
        of the round) and ``never_shown`` (share of the pairs of segment and item
        without any impression so far).

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
    p, shares = (
        _numbers("rates", rates, "[0, 1]", ndim=2),
        _numbers("exploration", exploration, "[0, 1]"),
    )
    _same_rows(rates=p)
    slots = _count("slots", slots, 1, p.shape[1])
    users = _count("users", users)
    if users * slots * len(p) * len(shares) >= 2**63:
        raise ValueError(
            f"users must be so few that 64 bits hold all impressions, got {users}"
        )
    prior = _numbers("prior", prior, "(0, inf)")
    if len(prior) != 2:
        raise ValueError(f"prior must be two numbers, got {len(prior)}")
    n_segments, n_items = p.shape
    best_rate = np.sort(p, axis=1)[:, -slots:].mean()
    seen, clicks, rounds = np.zeros(p.shape, np.int64), np.zeros(p.shape, np.int64), []
    for share in shares:
        # --8<-- [start:round]
        estimate = (clicks + prior[0]) / (seen + prior.sum())
        # Equals in random order
        order = np.lexsort((rng.random(p.shape), -estimate), axis=1)
        shown = np.zeros(p.shape, np.int64)
        explored = rng.binomial(users, share, (n_segments, slots))
        np.put_along_axis(shown, order[:, :slots], users - explored, axis=1)
        shown += rng.multinomial(explored.sum(axis=1), np.full(n_items, 1 / n_items))
        seen += shown
        clicks += rng.binomial(shown, p)
        # --8<-- [end:round]
        rounds.append(
            (
                (shown * p).sum() / shown.sum(),
                best_rate,
                effective_items(shown.sum(axis=0)),
                (seen == 0).mean(),
            )
        )
    return pd.DataFrame(
        rounds, columns=["click_rate", "best_rate", "effective_items", "never_shown"]
    )


# --- The door: copies of tools/door/checks.py, by `make door`. ---


def _array(name: str, values: Any, ndim: int | None = 1) -> np.ndarray:
    """Return numbers of any container as an array; missing ones are NaN, or refused."""
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = values.astype(
            np.float64 if values.dtype.kind in "biuf" else object
        ).filled(np.nan)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US":  # one text makes texts of all
            array = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length, of numbers") from error
    if ndim is not None and array.ndim != ndim:
        wanted = {
            0: "be one number",
            1: "have one dimension",
            2: "have two dimensions",
        }[ndim]
        raise ValueError(
            f"{name} must {wanted}, got "
            f"{f'shape {array.shape}' if array.ndim else repr(values)}"
        )
    if array.dtype == object:
        flat = array.ravel()
        good = np.array(
            [
                isinstance(v, numbers.Real | np.bool_) or hasattr(v, "as_integer_ratio")
                for v in flat
            ],
            bool,
        )
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            good.reshape(array.shape),
        )
        whole = all(
            isinstance(v, numbers.Integral | np.bool_) and -(2**63) <= v < 2**63
            for v in flat
        )
        try:
            array = array.astype(np.int64 if whole and flat.size else np.float64)
        except OverflowError:
            # NumPy does so for whole numbers and fractions of more than 308 digits only
            large = [
                isinstance(v, numbers.Rational) and abs(v) >= 2**1023 for v in flat
            ].index(True)
            where = (
                f", got more than 308 digits at row {large}"
                if array.ndim == 1
                else ", got more than 308 digits"
            )
            raise ValueError(f"{name} must be finite as floats{where}") from None
    if array.dtype.kind not in "biuf":
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            np.zeros(array.shape, bool),
        )
        array = array.astype(np.float64)  # no row, so nothing to refuse
    return array


def _refuse(
    name: str, rule: str, array: np.ndarray, good: np.ndarray, start: int = 0
) -> None:
    """Raise an error that names the first value that is not good, if there is one."""
    if good.all():
        return
    at = tuple(map(int, np.unravel_index(int(np.argmin(good)), good.shape)))
    value = array[at]
    text = f"{value:.15g}" if isinstance(value, float | np.floating) else f"{value}"
    text = f"'{text}'" if isinstance(value, str) else text
    where = f" at row {at[0] + start}" if at else ""
    where += f", column {at[1]}" if len(at) > 1 else ""
    raise ValueError(f"{name} must {rule}, got {text}{where}")


def _inside(name: str, array: np.ndarray, interval: str, start: int = 0) -> np.ndarray:
    """Return an array as float64, or say which value is not in an interval, as NaN."""
    array = array.astype(np.float64, copy=False)
    low, high = map(float, interval[1:-1].split(","))
    above, below = (
        operator.gt if interval[0] == "(" else operator.ge,
        operator.lt if interval[-1] == ")" else operator.le,
    )
    # The minimum and the maximum are as fast as memory, and NaN passes through both of
    # them.
    if array.size and not (above(array.min(), low) and below(array.max(), high)):
        least = (
            f"{'above' if interval[0] == '(' else 'at least'} {low:g}"
            if np.isfinite(low)
            else ""
        )
        finite = "finite" if interval[-1] == ")" and not np.isfinite(high) else ""
        rule = (
            f"in {interval}"
            if np.isfinite(high)
            else " and ".join(filter(None, [least, finite])) or "a number"
        )
        _refuse(
            name, f"be {rule}", array, above(array, low) & below(array, high), start
        )
    return array


def _numbers(
    name: str, values: Any, interval: str = "(-inf, inf)", ndim: int | None = 1
) -> np.ndarray:
    """Return numbers of any container as float64, all in an interval, as "(0, 1]"."""
    return _inside(name, _array(name, values, ndim), interval)


def _count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return a parameter that is a whole number."""
    rule = f"of at least {least}" if most is None else f"in [{least}, {most}]"
    try:
        if isinstance(value, bool | np.bool_) or not least <= operator.index(value) <= (
            np.inf if most is None else most
        ):
            raise TypeError
    except TypeError:
        raise ValueError(
            f"{name} must be a whole number {rule}, got {value!r}"
        ) from None
    return operator.index(value)


def _same_rows(**arrays: np.ndarray | None) -> int:
    """Return the number of rows that all arrays have, at least one; None has none."""
    (first, rows), *others = [
        (name, len(array)) for name, array in arrays.items() if array is not None
    ]
    for name, other in others:
        if other != rows:
            raise ValueError(f"{name} has {other} rows, {first} has {rows}")
    if rows == 0:
        raise ValueError(f"{first} is empty")
    return rows


# --- End of the door. ---
