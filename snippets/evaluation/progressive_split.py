"""Progressive evaluation: train on days 1 to n, test on those after, move on, repeat.

The name for it is also prequential, rolling-origin or walk-forward evaluation: Dawid
1984, "Present Position and Potential Developments: Some Personal Views: Statistical
Theory: The Prequential Approach", JRSS A 147.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator


class ProgressiveSplit(BaseCrossValidator):
    """Split a log by day so that every test row lies after every training row.

    The first fold tests the days after the first ``min_train_days``. Each further fold
    moves on by ``n_test_days``, so that no day is tested twice. Days without a full
    test window at the end of the log are not tested.

    Parameters
    ----------
    n_test_days : int
        Days in each test window, at least 1.
    min_train_days : int
        Days of the log before the first test window and its gap; at least 1.
    gap_days : int
        Days left out between training and test, because their labels are not complete
        yet; at least 0.
    max_train_days : int or None
        Most days of training (a sliding window); at least 1. None keeps all of the past
        (an expanding window).

    Raises
    ------
    ValueError
        If a number is not whole or too small; by ``split``, if days are missing, are
        neither whole numbers nor datetimes, not as many as the rows, have a hole, or
        are too few.

    Examples
    --------
    >>> days = [1, 2, 2, 3, 4]
    >>> for train, test in ProgressiveSplit(min_train_days=2).split(days, groups=days):
    ...     print(train.tolist(), test.tolist())
    [0, 1, 2] [3]
    [0, 1, 2, 3] [4]
    """

    # Under scikit-learn's metadata routing, the days reach ``split`` without being
    # asked for.
    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(
        self,
        n_test_days: int = 1,
        min_train_days: int = 1,
        gap_days: int = 0,
        max_train_days: int | None = None,
    ) -> None:
        self.n_test_days = _count("n_test_days", n_test_days)
        self.min_train_days = _count("min_train_days", min_train_days)
        self.gap_days = _count("gap_days", gap_days, 0)
        self.max_train_days = (
            max_train_days
            if max_train_days is None
            else _count("max_train_days", max_train_days)
        )

    def split(
        self, X: ArrayLike, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of training and test of each fold, in order of time.

        Parameters
        ----------
        X : array, sparse matrix or table of n rows
            Only its length is used.
        y
            Ignored; scikit-learn passes it.
        groups : array of shape (n,)
            The day of each row: whole numbers, or dates or datetimes, cut to days; with
            a time zone, to the days of its clocks. Rows may stand in any order.
        """
        day = _days(groups, X)
        # --8<-- [start:heart]
        for test_start in self._test_starts(day):
            train_end = test_start - self.gap_days
            train = day < train_end
            if self.max_train_days is not None:
                train &= day >= train_end - self.max_train_days
            test = (day >= test_start) & (day < test_start + self.n_test_days)
            yield np.flatnonzero(train), np.flatnonzero(test)
        # --8<-- [end:heart]

    def get_n_splits(
        self,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of folds of these days. Needs ``groups``, as `split`."""
        return len(self._test_starts(_days(groups, X)))

    def _test_starts(self, day: np.ndarray) -> range:
        first, last = int(day.min()), int(day.max())
        starts = range(
            first + self.min_train_days + self.gap_days,
            last + 2 - self.n_test_days,
            self.n_test_days,
        )
        if not starts:
            needed = self.min_train_days + self.gap_days + self.n_test_days
            raise ValueError(
                f"groups spans {last - first + 1} days, one fold needs {needed}"
            )
        return starts


def _days(groups: ArrayLike | None, X: Any) -> np.ndarray:
    """Return the day of each row as a whole number, with no day without a row between.

    There are as many as X has rows.
    """
    if groups is None:
        raise ValueError(
            "groups is missing: pass the day of each row, as in cross_validate(..., "
            "groups=days)"
        )
    kind, time = _clock("groups", groups)
    dates = kind.startswith("datetimes")
    if dates:
        day = (
            time.dt.tz_localize(None)
            .to_numpy()
            .astype("datetime64[D]")
            .astype(np.int64)
        )
    else:
        day = _whole("groups", time)
    if _same_rows(groups=day) != (
        rows := X.shape[0] if hasattr(X, "shape") else len(day if X is None else X)
    ):
        raise ValueError(f"groups has {len(day)} rows, X has {rows}")
    present = np.unique(day)
    hole = np.flatnonzero(present[1:] > present[:-1] + 1)
    if len(hole):
        missing = present[hole[0]] + 1
        missing = missing.astype("datetime64[D]") if dates else missing
        raise ValueError(
            f"groups holds no row of day {missing}, but of days before and after it"
        )
    return day


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


def _clock(name: str, values: Any) -> tuple[str, pd.Series | np.ndarray]:
    """Return the kind of times, and them, as a Series unless they are numbers."""
    column = values
    if not (
        isinstance(values, np.ndarray)
        and values.dtype.kind in "iuf"
        and not np.ma.is_masked(values)
    ):
        column = _column(name, values)
        if column.isna().any():
            raise ValueError(
                f"{name} is missing at row {int(np.argmax(column.isna()))}"
            )
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(column.cat.categories.dtype)
        kind = pd.api.types.infer_dtype(column)
        if kind == "string":
            raise ValueError(
                f"{name} must hold numbers or datetimes, got {column.iloc[0]!r} at row "
                "0, a text"
            )
        if column.dtype == object and kind in ("date", "datetime", "timedelta"):
            try:
                column = (
                    pd.to_timedelta(column)
                    if kind == "timedelta"
                    else pd.to_datetime(column)
                )
            except ValueError as error:
                raise ValueError(f"{name} holds times of two kinds: {error}") from error
        if column.dtype.kind == "m":
            return "durations", column
        if column.dtype.kind == "M":
            zone = getattr(column.dtype, "tz", None)
            return f"datetimes {f'in {zone}' if zone else 'without a zone'}", column
    array = _array(name, column)
    if array.dtype.kind == "f":
        array = _inside(name, array, "(-inf, inf)")
        if not ((np.abs(array) < 2**53) & (array == np.floor(array))).all():
            return "numbers", array
    return "numbers", _whole(name, array)


# --- End of the door. ---
