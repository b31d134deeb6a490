"""Compare features as they were served with the same features recomputed afterwards.

The measures follow Chronon, "Online Offline Consistency", whose documentation and code
define SMAPE differently: both are reported here.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def consistency_report(
    online: pd.DataFrame,
    offline: pd.DataFrame,
    keys: Sequence[str],
    numeric_tolerance: float = 0.0,
) -> pd.DataFrame:
    """Return how far the served values of each feature are from the recomputed ones.

    Parameters
    ----------
    online : table
        Features as logged when serving, one row for each request.
    offline : table
        The same features recomputed for the same requests.
    keys : sequence of str
        Columns that name a request in both, for instance ["request_id", "ad_id"];
        unique and never missing.
    numeric_tolerance : float
        Numbers that differ by at most this much count as equal; at least 0. Whole
        numbers are compared exactly, also beyond 2^53, where floats no longer tell
        neighbours apart.

    Returns
    -------
    pandas.DataFrame
        One row a feature (a column of both frames), the worst first: ``rows`` (requests
        in either frame); as shares of them ``mismatch`` (both have a value, they
        differ), ``missing`` (offline has a value, online has none) and ``extra``
        (online has a value, offline has none). For numbers also ``smape`` = sum|a - b|
        / sum(|a| + |b|) and ``smape_mean`` = mean of 2|a - b| / (|a| + |b|), 0 where
        both are 0, over requests with both values, and quantiles of online minus
        offline, ``delta_05``, ``delta_50``, ``delta_95``. NaN where undefined.

    Raises
    ------
    ValueError
        If a key column is not there, holds missing values, the same request twice, or
        keys of another kind than in the other table, such as 7 and "7"; if no feature
        is in both tables, or one is a number, or a time with a zone, in one of them
        only; if the tolerance is negative.

    Examples
    --------
    >>> online = pd.DataFrame({"id": [1, 2, 3], "rate": [0.1, 0.2, None]})
    >>> offline = pd.DataFrame({"id": [1, 2, 3], "rate": [0.1, 0.3, 0.4]})
    >>> report = consistency_report(online, offline, ["id"])
    >>> report[["mismatch", "missing", "extra", "smape"]].round(3).values.tolist()
    [[0.333, 0.333, 0.0, 0.143]]
    """
    keys = list(keys) if np.iterable(keys) and not isinstance(keys, str) else [keys]
    if not keys:
        raise ValueError("keys is empty")
    tolerance = _number("numeric_tolerance", numeric_tolerance, "[0, inf)")
    online, offline = _frame("online", online, keys), _frame("offline", offline, keys)
    row_a, row_b = _requests(online, offline, keys)
    features = [column for column in online if column in offline and column not in keys]
    if not features:
        raise ValueError("online and offline have no feature in common")
    rows = [
        _compare(name, online[name], offline[name], row_a, row_b, tolerance)
        for name in features
    ]
    shares = ["mismatch", "missing", "extra"]
    distances = ["smape", "smape_mean", "delta_05", "delta_50", "delta_95"]
    report = pd.DataFrame(rows, columns=["feature", "rows", *shares, *distances])
    worst = report[shares].sum(axis=1).sort_values(ascending=False, kind="stable")
    return report.loc[worst.index].reset_index(drop=True)


def _requests(
    online: pd.DataFrame, offline: pd.DataFrame, keys: Sequence[str]
) -> list[np.ndarray]:
    """Return the row of each request in both tables, -1 where it is not there."""
    codes = []
    for key in keys:
        sides = {f"{key} of online": online[key], f"{key} of offline": offline[key]}
        codes.append(_matched(sides))
        for name, code in zip(["online", "offline"], codes[-1], strict=True):
            if (code < 0).any():
                raise ValueError(f"{name} has no {key!r} at row {np.argmax(code < 0)}")
    both = pd.DataFrame(dict(enumerate(map(np.concatenate, codes))))
    _same_rows(**{"online and offline": both})
    request = both.groupby(list(both), sort=False).ngroup().to_numpy()
    rows = []
    for name, frame, own in [
        ("online", online, request[: len(online)]),
        ("offline", offline, request[len(online) :]),
    ]:
        twice = pd.Series(own).duplicated().to_numpy()
        if twice.any():
            raise ValueError(
                f"{name} holds the request {tuple(frame[keys].iloc[twice.argmax()])} "
                "twice"
            )
        rows.append(np.full(request.max() + 1, -1))
        rows[-1][own] = np.arange(len(own))
    return rows


def _compare(
    name: str,
    a: pd.Series,
    b: pd.Series,
    row_a: np.ndarray,
    row_b: np.ndarray,
    tolerance: float,
) -> dict:
    """Compare the served values a of one feature with the recomputed values b.

    The rows of each request say where they stand.
    """
    a, b = _column(f"{name} of online", a), _column(f"{name} of offline", b)
    kinds = [_kind(column) for column in (a, b) if column.notna().any()]
    words = {kind.split()[0] for kind in kinds}
    if len(set(kinds)) > 1 and {"numbers", "times"} & words:
        raise ValueError(
            f"feature {name!r} holds {kinds[0]} online and {kinds[1]} offline"
        )
    # --8<-- [start:compare]
    has_a, has_b = (
        np.append(x.notna(), False)[row] for x, row in [(a, row_a), (b, row_b)]
    )
    paired = has_a & has_b
    at_a, at_b = row_a[paired], row_b[paired]
    row = {
        "feature": name,
        "rows": len(paired),
        "missing": (has_b & ~has_a).mean(),
        "extra": (has_a & ~has_b).mean(),
    }
    if kinds and kinds[0] == "numbers":
        x = _exact(f"{name} of online", a)[at_a]
        y = _exact(f"{name} of offline", b)[at_b]
        delta = _difference(x, y)  # never by way of floats: ids and hashes have 64 bits
        gap = np.abs(delta)
        size = np.abs(x.astype(np.float64)) + np.abs(y.astype(np.float64))
        row["mismatch"] = (gap > tolerance).sum() / len(paired)
        if len(x):
            largest = size.max() or 1.0  # divided by first, so that no sum overflows
            row["smape"] = (
                (gap / largest).sum() / (size / largest).sum() if size.any() else 0.0
            )
            row["smape_mean"] = (
                2 * np.divide(gap, size, out=np.zeros_like(gap), where=size > 0).mean()
            )
            row["delta_05"], row["delta_95"] = np.quantile(delta, [0.05, 0.95])
            # Adds the two in the middle: their difference may need a 54th digit
            row["delta_50"] = np.median(delta)
    else:
        x, y = a.iloc[at_a].reset_index(drop=True), b.iloc[at_b].reset_index(drop=True)
        if not (kinds and kinds[0].startswith("times")):
            x, y = (
                v.astype(object).map(
                    lambda e: e.tolist() if isinstance(e, np.ndarray) else e
                )
                for v in (x, y)
            )
        row["mismatch"] = (x != y).sum() / len(paired)
    # --8<-- [end:compare]
    return row


def _kind(column: pd.Series) -> str:
    """Return what a column holds, in words."""
    values = (
        column.cat.categories.to_series()
        if isinstance(column.dtype, pd.CategoricalDtype)
        else column
    )
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("boolean", "integer", "floating", "mixed-integer-float", "decimal"):
        return "numbers"
    if kind == "datetime64":
        zone = getattr(values.dtype, "tz", None)
        return f"times {'without' if zone is None else 'with'} a zone"
    return kind


def _exact(name: str, column: pd.Series) -> np.ndarray:
    """Return numbers as int64, uint64 or float64, 0 where missing."""
    there = column.notna().to_numpy(bool)
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    # Nullable booleans take no 0
    zero = False if pd.api.types.is_bool_dtype(column.dtype) else 0
    values = _array(name, column if there.all() else column.where(there, zero))
    _refuse(name, "be finite", values, np.isfinite(values))
    if (
        column.dtype == object
        and values.dtype.kind == "f"
        and (values == np.floor(values)).all()
    ):
        values = np.array(
            [int(v) if known else 0 for v, known in zip(column, there, strict=True)],
            dtype=object,
        )
        return (
            values.astype(np.int64)
            if all(-(2**63) <= v < 2**63 for v in values)
            else values
        )
    # Or sums overflow
    _refuse(
        name,
        "be at most 8e307 in size",
        values,
        np.abs(values.astype(np.float64)) <= 8e307,
    )
    return values.astype(
        {"f": np.float64, "u": np.uint64}.get(values.dtype.kind, np.int64)
    )


def _difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return x - y as float64, 0 only where they are equal."""
    delta, whole = x.astype(np.float64) - y.astype(np.float64), np.ones(len(x), bool)
    for v in (x, y):
        if v.dtype.kind == "f":
            whole &= (v == np.floor(v)) & (np.abs(v) < 2**63)
    x, y = (
        v[whole].astype(np.int64) if v.dtype.kind == "f" else v[whole] for v in (x, y)
    )
    if "O" in (x.dtype.kind, y.dtype.kind):  # beyond 64 bits
        delta[whole] = x.astype(object) - y.astype(object)
        return delta
    more, (u, v) = x > y, (w.astype(np.uint64) for w in (x, y))  # modulo 2^64
    exact = np.where(more, u - v, v - u) * np.where(more, 1.0, -1.0)
    # Of two signs they may be 2^64 apart
    delta[whole] = np.where((x < 0) == (y < 0), exact, delta[whole])
    return delta


def sample_by_key(
    key: ArrayLike, rate: float, salt: str = "ml-design-key-16"
) -> np.ndarray:
    """Return which rows to log, all rows of a key or none.

    They are the same on every machine and on every day.

    Parameters
    ----------
    key : array of shape (n,)
        Whole numbers, texts, UUIDs, for instance user ids; 7, 7.0 and "7" are one. A
        row whose key is missing is never drawn, at a rate of 1 neither: nobody would
        find the rest of its history.
    rate : float
        Share of the keys, in [0, 1].
    salt : str
        16 ASCII characters. Another salt draws other keys: give each experiment its
        own.

    Returns
    -------
    array of shape (n,), bool
        True for the rows to log; a Series with the index of key if that is one.

    Raises
    ------
    ValueError
        If rate is not in [0, 1], the salt has not 16 characters, or a key is a fraction
        or a list.

    Examples
    --------
    >>> sample_by_key(["u1", "u2", "u1", "u3"], 0.5).tolist()
    [False, True, False, False]
    """
    rate = _number("rate", rate, "[0, 1]")
    if not (isinstance(salt, str) and len(salt.encode()) == 16):
        raise ValueError(f"salt must have 16 ASCII characters, got {salt!r}")
    # --8<-- [start:sample]
    # each key once, and its number in each row, -1 where missing
    kind, code, distinct = _keys("key", key)
    if kind == "fractions" or (kind == "decimal" and any(v % 1 for v in distinct)):
        raise ValueError("key must hold whole numbers or texts, got fractions")
    distinct = map(int, distinct) if kind == "decimal" else distinct  # 7.00 is 7
    hashed = pd.util.hash_array(
        np.array([str(v) for v in distinct], dtype=object),
        hash_key=salt,
        categorize=False,
    )
    drawn = np.append(hashed < rate * 2.0**64, False)[code]
    # --8<-- [end:sample]
    return _like(drawn, key)


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


def _like(result: np.ndarray, values: Any) -> Any:
    """Return one number for each row, as a Series if the rows were one."""
    is_series = hasattr(values, "iloc") and getattr(values, "ndim", 0) == 1
    return type(values)(result, index=values.index) if is_series else result


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


def _matched(keys: dict[str, Any]) -> list[np.ndarray]:
    """Return keys that are looked up in one another as whole numbers, -1 if missing."""
    plain = [np.asarray(v) for v in keys.values() if type(v) in (np.ndarray, pd.Series)]
    if len(plain) == len(keys) and all(
        array.dtype.kind == "i" and array.ndim == 1 for array in plain
    ):
        every = np.concatenate([*plain, np.empty(0, np.int64)])
        if len(every):
            # No need to hash
            is_dense = int(every.max()) - int(every.min()) < len(every)
            number = every - every.min() if is_dense else pd.factorize(every)[0]
            return np.split(number, np.cumsum([len(array) for array in plain[:-1]]))
    sides = {name: _keys(name, values) for name, values in keys.items()}
    kinds = {kind: name for name, (kind, _, _) in sides.items() if kind}
    if len(kinds) > 1:
        (a, of_a), (b, of_b) = list(kinds.items())[:2]
        raise ValueError(
            f"{of_a} holds {a} and {of_b} {b}: keys of two kinds never match"
        )
    distinct = [side[2] for side in sides.values()]
    if len({array.dtype for array in distinct if array.size}) > 1:
        distinct = [array.astype(object) for array in distinct]
    number, _ = pd.factorize(
        np.concatenate(
            [array for array in distinct if array.size] or [np.empty(0, object)]
        )
    )
    starts = np.cumsum([0, *map(len, distinct)])
    return [
        np.append(number[start:], -1)[codes]
        for start, (_, codes, _) in zip(starts, sides.values(), strict=False)
    ]


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
