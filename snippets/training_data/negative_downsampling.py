"""Train on a part of the rows without a click, and correct the probabilities.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD,
section 6.3.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def downsample_negatives(
    y: ArrayLike, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Return which rows to train on: all with a click, and some of the others.

    Each of the others has the same probability.

    Parameters
    ----------
    y : array of shape (n,)
        Labels, each 0 or 1.
    rate : float
        Share of rows without a click to keep, in (0, 1].
    rng : numpy.random.Generator
        Decides which.

    Returns
    -------
    array of shape (n,), bool
        True for the rows to keep; a Series with the index of y if that is one. Rows in
        another order get other draws.

    Raises
    ------
    ValueError
        If y is empty, not one-dimensional or holds other values than 0 and 1; if rate
        is not in (0, 1].

    Examples
    --------
    >>> downsample_negatives([0, 0, 0, 1, 0, 1], 0.5, np.random.default_rng(0)).tolist()
    [False, True, True, True, False, True]
    """
    labels, rate = _labels("y", y), _number("rate", rate, "(0, 1]")
    _same_rows(y=labels)
    # --8<-- [start:downsample]
    keep = (labels == 1) | (rng.random(len(labels)) < rate)
    # --8<-- [end:downsample]
    return _like(keep, y)


def recalibrate(y_prob: ArrayLike, rate: float) -> np.ndarray:
    """Return the probabilities as they would be had nothing been sampled.

    Each is p / (p + (1 - p) / rate). Sampling multiplies every odds by 1 / rate; this
    divides them by it. Works as well for class weights: give the weight of a negative
    over that of a positive as the rate.

    Parameters
    ----------
    y_prob : array of any shape
        Predictions of a model trained on sampled rows, in [0, 1].
    rate : float
        Share of the negatives that it saw, in (0, 1].

    Returns
    -------
    array of the same shape
        In float64; a Series with the index of y_prob if that is one.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or NaN; if rate is not in (0, 1].

    Examples
    --------
    >>> recalibrate([0.1, 0.5], 0.01).round(5).tolist()
    [0.00111, 0.0099]
    """
    p, rate = (
        _numbers("y_prob", y_prob, "[0, 1]", ndim=None),
        _number("rate", rate, "(0, 1]"),
    )
    # --8<-- [start:recalibrate]
    p = p / (p + (1 - p) / rate)
    # --8<-- [end:recalibrate]
    return _like(p, y_prob)


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
