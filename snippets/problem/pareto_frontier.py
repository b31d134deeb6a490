"""The choices that no other beats: the Pareto frontier of conflicting objectives."""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def pareto_frontier(points: ArrayLike) -> np.ndarray:
    """Say which points are dominated by no other, more being better in each coordinate.

    A point dominates another if it is at least as good in all coordinates and better in
    one. Equal points do not dominate each other. Negate a coordinate of which less is
    better.

    Parameters
    ----------
    points : array or frame of shape (n, k)
        n choices, k objectives.

    Returns
    -------
    bool array of shape (n,), or a Series with the index of a pandas frame
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
    x = _numbers("points", points, ndim=2)
    if 0 in x.shape:
        raise ValueError(f"points must be of shape (n, k) and not empty, got {x.shape}")
    # --8<-- [start:frontier]
    # From the best in the first coordinate down, ties by the next: a point is beaten
    # only by one that came before.
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
    best = best[place.ravel()]
    return pd.Series(best, points.index) if isinstance(points, pd.DataFrame) else best


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


# --- End of the door. ---
