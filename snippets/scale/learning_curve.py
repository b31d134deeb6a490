"""What the next doubling of the rows would bring, from runs on parts of them.

Figueroa et al. 2012, "Predicting sample size required for classification performance",
BMC Medical Informatics and Decision Making 12, fit an inverse power law by least
squares in which larger samples weigh more.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.stats import t

EXPONENTS = np.geomspace(0.01, 3.0, 120)


class Doubling(NamedTuple):
    """What twice the rows would take off the loss, by two rules."""

    last: float
    last_low: float
    last_high: float
    power_law: float
    low: float
    high: float
    exponent: float


def next_doubling(
    n_rows: ArrayLike, loss: ArrayLike, run: ArrayLike, level: float = 0.95
) -> Doubling:
    """Return what the next doubling would gain, by a power law and by the last one.

    The power law is loss = a + b n^-c, fitted to all runs together with weights n. Its
    interval is what leaving out one run after the other says: it knows how runs differ,
    and not whether the curve is a power law.

    Parameters
    ----------
    n_rows : array of shape (m,)
        Rows that each model was trained on, in [1, 1e14].
    loss : array of shape (m,)
        Its loss on rows that are the same for all.
    run : array of shape (m,)
        Id of the run, such as the salt by which it drew its parts. Each run has the
        same sizes, each once; three runs or more, four sizes or more.
    level : float in (0, 1)
        Of the intervals.

    Returns
    -------
    Doubling
        ``last``: what the step to the largest size took off the loss, for a doubling,
        with its interval over runs. ``power_law``, ``low``, ``high``: what the law
        promises beyond the largest size. ``exponent``: c, in [0.01, 3].

    Raises
    ------
    ValueError
        If arrays differ in length or hold other values; if a run lacks a size or has
        one twice; if there are too few.

    Examples
    --------
    >>> n = [1000, 2000, 4000, 8000] * 3
    >>> loss = [0.5 + 3 / size**0.5 for size in n]
    >>> found = next_doubling(n, loss, [0] * 4 + [1] * 4 + [2] * 4)
    >>> round(found.power_law, 5), round(3 / 8000**0.5 - 3 / 16000**0.5, 5)
    (0.00982, 0.00982)
    """
    n = _numbers("n_rows", n_rows, "[1, 1e14]")
    y, run = _numbers("loss", loss, "[-1e100, 1e100]"), _codes("run", run)
    level = _number("level", level, "(0, 1)")
    _same_rows(n_rows=n, loss=y, run=run)
    sizes, at = np.unique(n, return_inverse=True)
    n_runs = run.max() + 1
    if len(sizes) < 4 or n_runs < 3:
        raise ValueError(
            "n_rows and run must have at least 4 sizes and 3 runs, got "
            f"{len(sizes)} and {n_runs}"
        )
    times = np.bincount(run * len(sizes) + at, minlength=n_runs * len(sizes))
    if (times != 1).any():
        odd = int((times != 1).argmax())
        raise ValueError(
            "run must have each size once, got a run with "
            f"{sizes[odd % len(sizes)]:g} rows {times[odd]} times"
        )
    curves = np.empty((n_runs, len(sizes)))
    curves[run, at] = y
    # The same whatever the order of the rows and the names of the runs
    curves = curves[np.lexsort(curves.T)]
    steps = (curves[:, -2] - curves[:, -1]) / np.log2(sizes[-1] / sizes[-2])
    half = t.ppf((1 + level) / 2, n_runs - 1)
    # --8<-- [start:gain]
    gain, exponent = _power_law_gain(sizes, curves.mean(axis=0))
    without = np.array(
        [
            _power_law_gain(sizes, np.delete(curves, i, axis=0).mean(axis=0))[0]
            for i in range(n_runs)
        ]
    )
    error = np.sqrt((n_runs - 1) * without.var())  # the jackknife
    # --8<-- [end:gain]
    last, spread = steps.mean(), half * steps.std(ddof=1) / np.sqrt(n_runs)
    return Doubling(
        *map(float, (last, last - spread, last + spread)),
        *map(float, (gain, gain - half * error, gain + half * error, exponent)),
    )


def _power_law_gain(sizes, loss):
    """Return what doubling the largest size takes off the loss, and the exponent."""
    x = sizes / sizes[-1]
    weight = x / x.sum()
    centered = loss - weight @ loss

    def fit(log_exponent):
        # --8<-- [start:fit]
        power = np.expm1(-np.exp(log_exponent) * np.log(x))  # x^-c - 1
        power -= weight @ power
        slope = (weight * power) @ centered / ((weight * power) @ power)
        # --8<-- [end:fit]
        return weight @ (centered - slope * power) ** 2, slope

    grid = np.log(EXPONENTS)
    best = int(np.argmin([fit(c)[0] for c in grid]))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    c = minimize_scalar(
        lambda c: fit(c)[0], bounds=around, method="bounded", options={"xatol": 1e-10}
    ).x
    return -fit(c)[1] * np.expm1(-np.exp(c) * np.log(2)), np.exp(c)


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


def _column(name: str, values: Any) -> pd.Series:
    """Return a column of any container as a Series of exact values."""
    if (
        isinstance(values, str | bytes | dict | set | frozenset)
        or not hasattr(values, "__len__")
        or getattr(values, "ndim", 1) != 1
        # Tables of Polars and PyArrow do not say how many dimensions they have
        or hasattr(values, "columns")
    ):
        shape = getattr(values, "shape", type(values).__name__)
        raise ValueError(f"{name} must have one dimension, got {shape}")
    index = values.index if isinstance(values, pd.Series) else range(len(values))
    if isinstance(getattr(values, "dtype", None), pd.ArrowDtype):
        values = getattr(values, "array", values).__arrow_array__()
    elif hasattr(values, "to_arrow"):  # Polars
        values = values.to_arrow()
    if hasattr(values, "to_pandas"):  # PyArrow
        return values.to_pandas(types_mapper=_nullable).set_axis(index)
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    # Of which each entry is a tuple
    if isinstance(values, list | tuple | pd.MultiIndex):
        values = pd.Series([*values], dtype=object)
        # pandas would make floats of them
        if not (pd.api.types.infer_dtype(values) == "integer" and values.hasnans):
            values = values.infer_objects()
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        column = column.astype(
            np.float64 if column.dtype.kind == "f" else column.dtype.newbyteorder("=")
        )
    return column


def _nullable(arrow_type: Any) -> Any:
    """Return the pandas type that keeps whole numbers and booleans beside missing."""
    name = str(arrow_type)
    if name == "bool":
        return pd.BooleanDtype()
    return (
        pd.api.types.pandas_dtype(name.replace("int", "Int").replace("u", "U"))
        if "int" in name[:4]
        else None
    )


def _keys(name: str, values: Any) -> tuple[str | None, np.ndarray, np.ndarray]:
    """Return the kind of keys, each row's number or -1, and the keys so numbered."""
    column = _column(name, values)
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind, _, distinct = _keys(name, column.cat.categories.to_series())
        codes = column.cat.codes.to_numpy()
        present = np.bincount(codes[codes >= 0], minlength=len(distinct)) > 0
        return (
            kind if present.any() else None,
            np.append(np.cumsum(present) - 1, -1)[codes],
            distinct[present],
        )
    there = column.notna().to_numpy(bool)
    if not there.any():
        return None, np.full(len(column), -1), np.empty(0, object)
    kind = _kind_of_keys(name, column, there)
    if kind != "whole numbers":
        try:
            codes, distinct = pd.factorize(column)
        except TypeError as error:
            raise ValueError(f"{name} holds what is no key: {error}") from error
        return kind, codes.astype(np.int64), np.asarray(distinct, dtype=object)
    exact = (
        object
        if column.dtype == object
        else np.uint64
        if str(column.dtype).lower() == "uint64"
        else np.int64
    )
    number = (column if there.all() else column[there]).to_numpy(exact)
    if exact is not np.int64 and number.min() >= -(2**63) and number.max() < 2**63:
        number = number.astype(np.int64)
    low, high = int(number.min()), int(number.max())
    if number.dtype == np.int64 and high - low < len(number):  # no need to hash
        number = number - low
        present = np.bincount(number) > 0
        found, distinct = (
            (np.cumsum(present) - 1)[number],
            np.flatnonzero(present) + low,
        )
    else:
        found, distinct = pd.factorize(number)
    if there.all():
        return kind, found, distinct
    codes = np.full(len(column), -1)
    codes[there] = found
    return kind, codes, distinct


def _kind_of_keys(name: str, column: pd.Series, there: np.ndarray) -> str:
    """Return what keys are, in words: keys of two kinds never match."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind.startswith("mixed"):  # NaT is skipped beside times alone
        kind = pd.api.types.infer_dtype(column[there])
    if kind in ("floating", "mixed-integer-float"):
        number = column.to_numpy(np.float64, na_value=np.nan)
        if not (number[there] == np.floor(number[there])).all():
            return "fractions"
        exact = ~there | (np.abs(number) < 2**53)
        _refuse(
            name,
            "be whole numbers, for as floats from 2^53 on their last digits are lost",
            number,
            exact,
        )
        return "whole numbers"
    types = set(map(type, column[there])) if kind == "mixed" else set()
    if kind == "mixed-integer" or len(types) > 1:
        raise ValueError(
            f"{name} holds keys of two kinds, such as 7 and '7', which never match"
        )
    zone = f" in {column.dtype.tz}" if getattr(column.dtype, "tz", None) else ""
    words = {"string": "text", "integer": "whole numbers", "boolean": "whole numbers"}
    return words.get(kind, "".join(t.__name__ for t in types) or kind + zone)


def _codes(name: str, values: Any) -> np.ndarray:
    """Return the unit of each row, such as its user, as a number from 0 on, no gaps."""
    _, codes, _ = _keys(name, values)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"{name} is missing at row {row}: leave such rows out, or give each an id "
            "of its own"
        )
    return codes


# --- End of the door. ---
