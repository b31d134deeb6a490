"""Find the slices of a log in which a model promises too much or too little.

It is not fooled by their number.
"""

from __future__ import annotations

import numbers
import operator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse, special

_BLOCK = 1 << 20  # rows a step: temporaries stay small beside the log


def slice_report(
    slices: pd.DataFrame,
    y_true: ArrayLike,
    y_prob: ArrayLike,
    depth: int = 1,
    confidence_level: float = 0.95,
    users: ArrayLike | None = None,
) -> pd.DataFrame:
    """Return the calibration of every slice, the least likely to be chance first.

    Parameters
    ----------
    slices : table of n rows
        Columns to cut by: categories, strings, booleans, whole numbers. Missing values
        are a slice of their own.
    y_true : array of shape (n,)
        Labels, each 0 or 1.
    y_prob : array of shape (n,)
        Predicted probabilities, each in [0, 1].
    depth : int
        1 cuts by each column, 2 also by each pair of columns, and so on.
    confidence_level : float
        In (0, 1), of each interval alone.
    users : array of shape (n,), optional
        Who saw each row. Rows of one user may depend on each other, users may not. None
        takes all rows for independent, which accuses innocent slices as soon as users
        come back. A missing user raises: leave such rows out, or give each an id of its
        own.

    Returns
    -------
    pandas.DataFrame
        One row a slice that has rows: ``slice``, ``rows``, ``clicks``, ``expected``
        (the sum of y_prob), ``ratio`` (expected over clicks, infinite without a click)
        with its interval ``low`` and ``high``, the two-sided ``p_value`` that the slice
        is calibrated, and ``p_adjusted`` for having looked at all of these slices
        (Holm).

    Raises
    ------
    ValueError
        If slices has no column, a column of fractions or nested values, or a name
        twice; if arrays are empty, unequal in length or hold other values than those
        above; if depth is not in [1, columns]; if there is one user only.

    Notes
    -----
    Clicks are rare, so their number is nearly Poisson: exact tails, and the interval of
    Garwood 1936, Biometrika 28. With users, observed and expected clicks are first
    divided by the slice's dispersion, as in quasi-likelihood: McCullagh & Nelder 1989,
    "Generalized Linear Models", section 6.2. Holm 1979, "A Simple Sequentially
    Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> frame = pd.DataFrame({"device": ["phone"] * 60 + ["tablet"] * 40})
    >>> report = slice_report(frame, [0] * 60 + [0, 1] * 20, [0.2] * 100)
    >>> report[["slice", "clicks", "expected"]].round(1).values.tolist()
    [['device=phone', 0, 12.0], ['device=tablet', 20, 8.0]]
    """
    frame = _frame("slices", slices)
    if frame.shape[1] == 0:
        raise ValueError("slices must have a column or more")
    y, p = _array("y_true", y_true), _numbers("y_prob", y_prob, "[0, 1]")
    user = (
        None
        if users is None
        else _codes("users", users).astype(np.int32 if len(p) < 2**31 else np.int64)
    )
    n = _same_rows(slices=frame, y_true=y, y_prob=p, users=user)
    if user is not None and not user.any():
        raise ValueError(
            "users holds one user only: the spread between users is undefined"
        )
    depth = _count("depth", depth, 1, frame.shape[1])
    tail = (1 - _number("confidence_level", confidence_level, "(0, 1)")) / 2
    columns = {name: _values(name, frame[name]) for name in frame}
    blocks = [slice(start, start + _BLOCK) for start in range(0, n, _BLOCK)]
    clicked = np.concatenate(
        [b.start + np.flatnonzero(_labels("y_true", y[b], b.start)) for b in blocks]
    )
    excess = None if user is None else _excess(user, clicked, p)
    found = []
    for names in (c for d in range(1, depth + 1) for c in combinations(columns, d)):
        labels, code = columns[names[0]]
        for name in names[1:]:
            labels, code = _cross(labels, code, *columns[name], blocks)
        size = len(labels)
        sums = {
            "slice": labels,
            "rows": sum(np.bincount(code[b], minlength=size) for b in blocks),
            "clicks": np.bincount(code[clicked], minlength=size),
            "expected": sum(np.bincount(code[b], p[b], size) for b in blocks),
            "dispersion": 1.0
            if user is None
            else _dispersion(code, user, clicked, p, excess),
        }
        found.append(pd.DataFrame(sums))
    report = pd.concat(found, ignore_index=True)
    # --8<-- [start:tails]
    dispersion = report.pop("dispersion").to_numpy()
    clicks = report["clicks"].to_numpy() / dispersion
    expected = report["expected"].to_numpy() / dispersion
    some = clicks > 0
    report["ratio"] = np.divide(
        expected, clicks, out=np.where(expected > 0, np.inf, 1.0), where=some
    )
    report["low"] = expected / special.gammainccinv(clicks + 1, tail)
    fewest = special.gammaincinv(np.where(some, clicks, 1), tail)
    report["high"] = np.divide(
        expected, fewest, out=np.full(len(report), np.inf), where=some
    )
    # The chance of so few clicks or fewer: Poisson's
    so_few = special.gammaincc(clicks + 1, expected)
    so_many = np.where(some, special.gammainc(np.where(some, clicks, 1), expected), 1)
    report["p_value"] = np.minimum(2 * np.minimum(so_few, so_many), 1)
    # --8<-- [end:tails]
    report = report.sort_values(["p_value", "slice"], ignore_index=True)
    # --8<-- [start:holm]
    # the smallest p-value had to beat all, the next all but one
    still_open = np.arange(len(report), 0, -1)
    report["p_adjusted"] = np.minimum(
        np.maximum.accumulate(still_open * report["p_value"].to_numpy()), 1
    )
    # --8<-- [end:holm]
    return report


def _excess(user: np.ndarray, clicked: np.ndarray, p: np.ndarray) -> float:
    """Return by how much users differ.

    Over the log, clicks of a user who is promised e vary by e + excess e^2.
    """
    promised = np.bincount(user, p)
    clicks = np.bincount(user[clicked], minlength=len(promised))
    # Nothing clicked or nothing promised
    with np.errstate(divide="ignore", invalid="ignore"):
        # --8<-- [start:excess]
        fair = promised * clicks.sum() / promised.sum()
        excess = ((clicks - fair) ** 2 - fair).sum() / (fair**2).sum()
        # --8<-- [end:excess]
    return float(np.fmax(excess, 0))


def _dispersion(
    code: np.ndarray,
    user: np.ndarray,
    clicked: np.ndarray,
    p: np.ndarray,
    excess: float,
) -> np.ndarray:
    """Return how many times more each slice's clicks vary than independent rows' would.

    It is at least once. It is the larger of two, since either may be small by chance:
    the spread between the slice's own users, and the one that the excess of the whole
    log lets expect.
    """
    by_user = sparse.csr_array((p, (user, code)))  # no more cells than rows
    clicks = sparse.csr_array(
        (np.ones(len(clicked)), (user[clicked], code[clicked])), shape=by_user.shape
    )
    expected, found = by_user.sum(axis=0), clicks.sum(axis=0)
    # The sums of squared differences, term by term: few cells have a click.
    spread = clicks.power(2).sum(axis=0) - 2 * clicks.multiply(by_user).sum(axis=0)
    by_user.data **= 2
    squares = by_user.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        own = (spread + squares) / np.maximum(found, expected)
        return np.fmax(np.fmax(own, 1 + excess * squares / expected), 1)


def _values(name: str, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a label for each value of a column, missing last, and rows' numbers."""
    _, _, labels, code = _slices(name, column)
    return np.array(labels, object), code.astype(np.min_scalar_type(len(labels)))


def _cross(
    labels: np.ndarray,
    code: np.ndarray,
    more_labels: np.ndarray,
    more: np.ndarray,
    blocks: list[slice],
) -> tuple[np.ndarray, np.ndarray]:
    """Return a label for each pair of two columns' values, and each row's number.

    Only pairs that occur have a label.
    """

    def pairs(rows: slice) -> np.ndarray:
        return code[rows].astype(np.int64) * len(more_labels) + more[rows]

    size = len(labels) * len(more_labels)
    if size > len(code):  # most pairs are nowhere: no table of all
        seen, number = np.unique(pairs(slice(None)), return_inverse=True)
    else:
        there = np.zeros(size, bool)
        for rows in blocks:
            there[pairs(rows)] = True
        seen = np.flatnonzero(there)
        table = (np.cumsum(there) - 1).astype(np.min_scalar_type(size))
        number = np.concatenate([table[pairs(rows)] for rows in blocks])
    one, other = np.divmod(seen, len(more_labels))
    return labels[one] + " & " + more_labels[other], number


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


def _slices(
    name: Any, column: pd.Series
) -> tuple[str | None, np.ndarray, list[str], np.ndarray]:
    """Return the kind of a column's values, these, their labels, each row's number."""
    kind, code, values = _keys(f"column {name!r} of slices", column)
    if kind == "fractions":
        raise ValueError(
            f"column {name!r} of slices holds fractions: cut it into bins first, as by "
            "pandas.qcut"
        )
    source = (
        column.cat.categories
        if isinstance(column.dtype, pd.CategoricalDtype)
        else column
    )
    if pd.api.types.infer_dtype(source, skipna=True) == "boolean":
        values = values.astype(bool)
    labels = [f"{name}={value}" for value in values]
    if (code < 0).any():
        code = np.where(code < 0, len(labels), code)
        labels.append(f"{name}=missing")
    return kind, values, labels, code


def _frame(name: str, frame: Any, columns: Any = ()) -> pd.DataFrame:
    """Return a table of any library as a data frame of exact values, each name once."""
    if hasattr(frame, "to_arrow"):  # Polars
        frame = frame.to_arrow()
    if not isinstance(frame, pd.DataFrame):
        if not (hasattr(frame, "to_pandas") and hasattr(frame, "column_names")):
            raise ValueError(
                f"{name} must be a table of pandas, Polars or PyArrow, got "
                f"{type(frame).__name__}"
            )
        frame = frame.to_pandas(types_mapper=_nullable)
    if not frame.columns.is_unique:
        raise ValueError(
            f"{name} has the column {frame.columns[frame.columns.duplicated()][0]!r} "
            "twice"
        )
    for column in columns:
        # Which takes names that cannot be hashed, such as lists
        if column not in list(frame):
            raise ValueError(f"{name} has no column {column!r}")
    # dtypes of pandas, such as categories and times with a zone, have an isnative of 0
    strange = [
        c
        for c, d in frame.dtypes.items()
        if isinstance(d, pd.ArrowDtype) or (isinstance(d, np.dtype) and not d.isnative)
    ]
    if strange:
        frame = frame.copy(deep=False)
        for column in strange:
            frame[column] = _column(column, frame[column])
    return frame


# --- End of the door. ---
