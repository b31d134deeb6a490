"""Normalized entropy: log loss as a share of that of knowing only the average rate.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD,
equation 1.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

# Rows per step: temporaries stay in the processor's cache, and memory does not grow
# with the log
_CHUNK = 1 << 16


def normalized_entropy(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    sample_weight: ArrayLike | None = None,
    background_rate: float | None = None,
) -> float:
    """Return the mean log loss divided by the entropy of the background click rate.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1 (or False or True).
    y_prob : array of shape (n,)
        Predicted probabilities of a click, each in [0, 1].
    sample_weight : array of shape (n,), optional
        Weight of each row: finite, at least 0, not all 0. The default weighs all rows
        alike.
    background_rate : float, optional
        The rate in (0, 1) whose entropy is the unit. The default is the (weighted) mean
        of y_true, so that predicting that mean scores exactly 1. He et al. take the
        rate of the training data.

    Returns
    -------
    float
        0 is perfect, 1 is no better than the background rate, and above 1 is worse.
        Infinite if a probability of exactly 0 or 1 is contradicted by its label.

    Raises
    ------
    ValueError
        If the arrays are empty, unequal in length or not one-dimensional; if a label is
        not 0 or 1, a probability is outside [0, 1] or a weight is negative, NaN or
        infinite; or if the background rate is 0 or 1, where the measure is undefined:
        with labels of one class only and no background_rate.

    Examples
    --------
    >>> normalized_entropy([0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25])
    1.0
    >>> round(normalized_entropy([0, 0, 0, 1], [0.1, 0.2, 0.1, 0.7]), 4)
    0.3515
    """
    y, p = _array("y_true", y_true), _array("y_prob", y_prob)
    w = None if sample_weight is None else _array("sample_weight", sample_weight)
    n = _same_rows(y_true=y, y_prob=p, sample_weight=w)
    # Sums of huge weights, and of tiny ones, do not fit
    unit = 1.0 if w is None else float(w.max()) or 1.0

    # --8<-- [start:heart]
    loss = clicks = total = 0.0
    for start in range(0, n, _CHUNK):
        rows = slice(start, start + _CHUNK)
        y_part = _labels("y_true", y[rows], start)
        p_part = _inside("y_prob", p[rows], "[0, 1]", start)
        # The probability given to what happened is p where y is 1 and 1 - p where y is
        # 0: one logarithm a row.
        with np.errstate(divide="ignore"):
            log_likelihood = np.log(np.abs(1 - y_part - p_part))
        if w is None:
            loss -= log_likelihood.sum()
            clicks += y_part.sum()
            total += len(y_part)
        else:
            w_part = _inside("sample_weight", w[rows], "[0, inf)", start) / unit
            used = w_part > 0  # 0 x infinity would be NaN
            loss -= log_likelihood[used] @ w_part[used]
            clicks += w_part @ y_part
            total += w_part.sum()
    if total == 0:
        raise ValueError("sample_weight is 0 in every row")
    rate = (
        clicks / total
        if background_rate is None
        else _number("background_rate", background_rate, "(0, 1)")
    )
    if not 0 < rate < 1:
        raise ValueError(
            f"the mean of y_true is {rate:g}: normalized entropy needs both classes, "
            "or a background_rate"
        )
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    return float(loss / total / entropy)
    # --8<-- [end:heart]


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


# --- End of the door. ---
