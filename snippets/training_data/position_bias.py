"""Estimate how often users look at each position, and take it out of the clicks.

Joachims, Swaminathan & Schnabel 2017, "Unbiased Learning-to-Rank with Biased Feedback",
WSDM: under the position-based model P(click) = P(look at the position) x P(click |
look), so that clicks divided by the first factor are unbiased.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def examination_from_random_positions(
    click: ArrayLike, position: ArrayLike
) -> pd.DataFrame:
    """Estimate examination from rows whose items were put into random order.

    Every position then shows the same mix of items, so that their click rates differ by
    the looking alone.

    Parameters
    ----------
    click : array of shape (n,)
        0 or 1.
    position : array of shape (n,)
        Whole numbers, 1 at the top.

    Returns
    -------
    pandas.DataFrame
        Indexed by position: ``impressions``, ``clicks``, ``examination`` (relative to
        position 1) and its ``standard_error`` (delta method, clicks independent; 0
        where there is no click, which says nothing).

    Raises
    ------
    ValueError
        If the arrays are empty or of unequal length, a click is not 0 or 1, a position
        is not a whole number from 1 on, or position 1 has no click.

    Examples
    --------
    >>> curve = examination_from_random_positions([1, 1, 1, 0], [1, 1, 2, 2])
    >>> curve["examination"].tolist()
    [1.0, 0.5]
    """
    clicked, place = _labels("click", click), _whole("position", position, least=1)
    _same_rows(click=clicked, position=place)
    # --8<-- [start:random]
    at, row = np.unique(place, return_inverse=True)
    impressions, clicks, top = np.bincount(row), np.bincount(row, clicked), place == 1
    return _relative(at, impressions, clicks, top.sum(), clicked[top].sum())
    # --8<-- [end:random]


def examination_from_swaps(
    click: ArrayLike, position: ArrayLike, swap: ArrayLike
) -> pd.DataFrame:
    """Estimate examination from requests in which a coin exchanged two positions.

    A fair coin exchanged position 1 with one other, or not. Both items of the pair are
    then equally often on top. This disturbs two items of a page instead of all.

    Parameters
    ----------
    click : array of shape (n,)
        0 or 1.
    position : array of shape (n,)
        Where the item was shown, 1 at the top.
    swap : array of shape (n,)
        The position that the coin could exchange with the first in the request of this
        row, whatever the coin said; 0 if there was none.

    Returns
    -------
    pandas.DataFrame
        As from `examination_from_random_positions`, without position 1, which is 1 by
        definition.

    Raises
    ------
    ValueError
        As there; also if a swap is neither 0 nor 2 or more, or its pair has no click on
        top.

    Examples
    --------
    >>> click, position, swap = (
    ...     [1, 0, 1, 1, 1, 0],
    ...     [1, 2, 1, 2, 2, 1],
    ...     [2, 2, 2, 2, 0, 0],
    ... )
    >>> examination_from_swaps(click, position, swap)["examination"].tolist()
    [0.5]
    """
    clicked, place, partner = (
        _labels("click", click),
        _whole("position", position, least=1),
        _whole("swap", swap),
    )
    _same_rows(click=clicked, position=place, swap=partner)
    _refuse(
        "swap",
        "be 0, or a position from 2 on",
        partner,
        (partner == 0) | (partner >= 2),
    )
    # --8<-- [start:swaps]
    at, pair = np.unique(partner, return_inverse=True)
    counts = []
    # The lower of each pair, and the top
    for rows in [place == partner, (partner > 0) & (place == 1)]:
        counts += [np.bincount(pair[rows], w, len(at)) for w in (None, clicked[rows])]
    return _relative(at, *counts)
    # --8<-- [end:swaps]


def labels_as_if_seen(
    click: ArrayLike, propensity: ArrayLike, clip: float = 0.0
) -> np.ndarray:
    """Return clicks divided by the chance that the user looked.

    On average, that is the relevance of the item. A learner takes them as two weights
    for each row: y as a click, 1 - y, which may be negative, as none.

    Parameters
    ----------
    click : array of shape (n,)
        0 or 1.
    propensity : array of shape (n,)
        Chance to be looked at, in (0, 1]; for a position, its examination.
    clip : float
        Smaller propensities count as this one, in [0, 1]: less variance, and a bias
        downwards.

    Returns
    -------
    array of shape (n,)
        0, or at least 1; a Series with the index of click if that is one.

    Raises
    ------
    ValueError
        If the arrays are empty or of unequal length, a click is not 0 or 1, a
        propensity is not in (0, 1], or so small that its inverse overflows, or clip is
        not in [0, 1].

    Examples
    --------
    >>> labels_as_if_seen([1, 0, 1], [0.5, 0.5, 1.0]).tolist()
    [2.0, 0.0, 1.0]
    """
    clicked, look = (
        _labels("click", click),
        _numbers("propensity", propensity, "(0, 1]"),
    )
    _same_rows(click=clicked, propensity=look)
    clip = _number("clip", clip, "[0, 1]")
    _refuse(
        "propensity",
        "be at least 1e-300, or clipped",
        look,
        np.maximum(look, clip) >= 1e-300,
    )
    # --8<-- [start:labels]
    labels = clicked / np.maximum(look, clip)
    # --8<-- [end:labels]
    return _like(labels, click)


def _relative(at, impressions, clicks, impressions_top, clicks_top) -> pd.DataFrame:
    """Return the ratio of click rates to those on top, with its standard error.

    Only places with impressions have one.
    """
    n, c, n_top, c_top = np.broadcast_arrays(
        impressions, clicks, impressions_top, clicks_top
    )
    at, n, c, n_top, c_top = (counts[n > 0] for counts in (at, n, c, n_top, c_top))
    if not (c_top.size and c_top.all()):
        raise ValueError(
            "no click on top to compare with position "
            f"{at[c_top == 0][0] if at.size else 'any'}"
        )
    rate, top = c / n, c_top / n_top
    variance = (
        rate * (1 - rate) / n / top**2 + rate**2 * top * (1 - top) / n_top / top**4
    )
    return pd.DataFrame(
        {
            "impressions": n,
            "clicks": c.astype(np.int64),
            "examination": rate / top,
            "standard_error": np.where(at == 1, 0.0, np.sqrt(variance)),
        },
        index=pd.Index(at, name="position"),
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


def _labels(name: str, values: Any, start: int = 0, ndim: int | None = 1) -> np.ndarray:
    """Return labels, each 0 or 1, as float64."""
    array = _array(name, values, ndim)
    if array.dtype != bool:
        _refuse(name, "be 0 or 1", array, (array == 0) | (array == 1), start)
    return array.astype(np.float64, copy=False)


def _whole(
    name: str,
    values: Any,
    least: int | None = None,
    most: int | None = None,
    ndim: int | None = 1,
) -> np.ndarray:
    """Return whole numbers of any container as int64; floats must be below 2^53."""
    array = _array(name, values, ndim)
    if array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
        _refuse(
            name,
            "be whole numbers",
            array,
            np.isfinite(array) & (array == np.floor(array)),
        )
        _refuse(
            name, "be below 2^53, for they are floats", array, np.abs(array) < 2**53
        )
    elif array.dtype == np.uint64:
        _refuse(name, "be below 2^63", array, array < 2**63)
    array = array.astype(np.int64, copy=False)
    if least is not None:
        _refuse(name, f"be at least {least}", array, array >= least)
    if most is not None:
        _refuse(name, f"be at most {most}", array, array <= most)
    return array


def _number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """Return a parameter as a float inside of an interval."""
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be a number, got {value}")
    return float(_numbers(name, value, interval, ndim=0))


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


def _like(result: np.ndarray, values: Any) -> Any:
    """Return one number for each row, as a Series if the rows were one."""
    is_series = hasattr(values, "iloc") and getattr(values, "ndim", 0) == 1
    return type(values)(result, index=values.index) if is_series else result


# --- End of the door. ---
