"""Give each label the newest feature row that was known before it.

An as-of join in SQL, or in memory.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import duckdb
import numpy as np
import pandas as pd

# --8<-- [start:sql]
SQL = """
select labels.row, features.place
from labels asof join features
on labels.key = features.key and labels.time > features.known
"""
# --8<-- [end:sql]


def point_in_time_join(
    labels: pd.DataFrame,
    features: pd.DataFrame,
    on: str,
    by: str,
    tolerance: Any = None,
    allow_exact: bool = False,
    arrival: str | None = None,
    engine: str = "pandas",
) -> pd.DataFrame:
    """Join labels with the feature values that were known at the time of each.

    Parameters
    ----------
    labels : table of pandas, Polars or PyArrow
        With the columns ``on``, the time of the label, and ``by``, the key; and any
        others.
    features : table of pandas, Polars or PyArrow
        With the columns ``on``, the time that a row describes, and ``by``; the others
        are the features. The very same row may be there twice, unless it holds lists,
        which are not compared.
    on, by : str
        Names of the columns of time and of the key. A missing key joins with nothing.
    tolerance : duration, number or None
        Feature rows older than this count as missing: a number if times are numbers,
        else a duration such as "2h" or a Timedelta. None takes any age.
    allow_exact : bool
        Whether a feature row of the very time of the label may be used. It may hold the
        label, so by default not.
    arrival : str or None
        Column of features with the time from which each row could be read. Of the rows
        that have arrived, the one that describes the newest time is taken. None: rows
        can be read at the time that they describe.
    engine : str
        "pandas", which joins in memory, or "duckdb", which runs `SQL`, with the same
        result.

    Returns
    -------
    pandas.DataFrame
        The rows of labels in their order and with their index. Added are the features,
        missing where none was known, and ``<on>_feature``, the time that the row taken
        describes. Whole numbers stay whole beside missing ones: int64 becomes Int64,
        and bool becomes boolean.

    Raises
    ------
    ValueError
        If a column is missing, or in both tables; if a time is missing; if times or
        keys are of two kinds, such as two time zones, or 7 and "7"; if two different
        rows have the same key and time; if tolerance is negative, or no duration of the
        kind of the times; if engine is unknown.

    Examples
    --------
    >>> labels = pd.DataFrame(
    ...     {"user": ["a", "a", "b"], "time": [5, 9, 5], "click": [0, 1, 1]}
    ... )
    >>> features = pd.DataFrame(
    ...     {"user": ["a", "a"], "time": [1, 5], "visits": [10, 11]}
    ... )
    >>> point_in_time_join(labels, features, on="time", by="user")["visits"].tolist()
    [10, 11, <NA>]
    """
    if engine not in ("pandas", "duckdb"):
        raise ValueError(f"engine must be 'pandas' or 'duckdb', got {engine!r}")
    labels = _frame("labels", labels, [on, by])
    features = _frame(
        "features", features, [on, by] + [arrival] * (arrival is not None)
    ).reset_index(drop=True)
    both = (set(labels) & set(features) - {on, by}) | (
        {f"{on}_feature"} & (set(labels) | set(features))
    )
    if both:
        raise ValueError(
            f"column {min(both, key=str)!r} would be there twice: rename one"
        )
    of_label, of_feature = _matched(
        {f"{by} of labels": labels[by], f"{by} of features": features[by]}
    )
    times = {f"{on} of labels": labels[on], f"{on} of features": features[on]}
    times |= {} if arrival is None else {f"{arrival} of features": features[arrival]}
    (now, seen, *known), (limit,) = _moments(times, {"tolerance": tolerance})
    left = {"row": np.arange(len(now)), "key": of_label, "time": now}
    right = {
        "place": np.arange(len(seen)),
        "key": of_feature,
        "seen": seen,
        "known": known[0] if known else seen,
    }
    left, right = pd.DataFrame(left, copy=False), pd.DataFrame(right, copy=False)
    left, right = left[left["key"] >= 0], right[right["key"] >= 0]
    right = _each_once(right, features, on, by)
    # --8<-- [start:late]
    if arrival:  # a row that arrives after a newer one was never the newest known
        right = right.sort_values(["known", "seen"])
        right = right[right["seen"] == right.groupby("key")["seen"].cummax()]
        right = right.drop_duplicates(["key", "known"], keep="last")
    # --8<-- [end:late]
    place = np.full(len(labels), -1)
    row, found = (_duckdb if engine == "duckdb" else _pandas)(left, right, allow_exact)
    place[row] = found
    if limit is not None:
        row = np.flatnonzero(place >= 0)
        place[row[now[row] - seen[place[row]] > limit]] = -1
    added = features.drop(columns=[*({by, arrival} - {on, None})]).rename(
        columns={on: f"{on}_feature"}
    )
    if (place < 0).any():
        whole = [
            c
            for c, dtype in added.dtypes.items()
            if isinstance(dtype, np.dtype) and dtype.kind in "biu"
        ]
        added[whole] = added[whole].convert_dtypes()
    taken = {
        c: pd.api.extensions.take(column.array, place, allow_fill=True)
        for c, column in added.items()
    }
    return pd.concat(
        [labels, pd.DataFrame(taken, index=labels.index, copy=False)], axis=1
    )


def _each_once(
    right: pd.DataFrame, features: pd.DataFrame, on: str, by: str
) -> pd.DataFrame:
    """Return the feature rows, those that are there twice once.

    If two of one key and time differ, say which.
    """
    moment, hashed = ["key", "seen", "known"], np.zeros(len(right), np.int64)
    for column, odd in zip(
        moment,
        (0x1E3779B97F4A7C15, 0x42B2AE3D27D4EB4F, 0x165667B19E3779F9),
        strict=True,
    ):
        number = right[column].to_numpy()
        # 0 and -0.0 are equal
        hashed += (
            number if number.dtype == np.int64 else (number + 0.0).view(np.int64)
        ) * odd
    # Rows of one key and time have one hash, and sorting finds them many times as fast
    # as `duplicated`
    hashed.sort()
    if not (hashed[1:] == hashed[:-1]).any():
        return right
    twice = right[right.duplicated(moment, keep=False)]
    try:
        copies = features.iloc[twice["place"]].duplicated().to_numpy()
    except TypeError:  # lists cannot be compared, so they count as different
        copies = np.zeros(len(twice), bool)
    right = right.drop(index=twice.index[copies])
    different = right.duplicated(moment)
    if different.any():
        key, time = (
            features[[by, on]]
            .astype(object)
            .to_numpy()[right["place"][different].iloc[0]]
        )
        raise ValueError(f"two different rows for {by} {key} at {on} {time}")
    return right


def _pandas(
    left: pd.DataFrame, right: pd.DataFrame, allow_exact: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of labels, and the places of their feature rows, -1 for none."""
    right = right[["place", "key", "known"]].rename(columns={"known": "time"})
    left, right = (
        f if f["time"].is_monotonic_increasing else f.sort_values("time")
        for f in (left, right)
    )
    found = pd.merge_asof(
        left, right, on="time", by="key", allow_exact_matches=allow_exact
    )
    return found["row"].to_numpy(), found["place"].fillna(-1).to_numpy(np.int64)


def _duckdb(
    left: pd.DataFrame, right: pd.DataFrame, allow_exact: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of labels that find a feature row, and the places of those."""
    with duckdb.connect() as connection:
        connection.register("labels", left)
        connection.register("features", right)
        found = connection.execute(
            SQL.replace(">", ">=") if allow_exact else SQL
        ).fetchnumpy()
    return found["row"], found["place"]


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


def _moments(
    times: dict[str, Any],
    durations: dict[str, Any] | None = None,
    interval: str = "[0, inf)",
) -> tuple[list[np.ndarray], list[Any]]:
    """Return times of one kind on one scale, from the earliest, and durations on it.

    Whole numbers and datetimes become int64, so that a duration between two ticks is
    rounded down, which no comparison with a whole difference notices. Numbers with
    fractions become float64 and stay where they are: a shift would round.
    """
    clocks = {name: _clock(name, values) for name, values in times.items()}
    kinds = {kind: name for name, (kind, column) in clocks.items() if len(column)}
    if len(kinds) > 1:
        (a, of_a), (b, of_b) = list(kinds.items())[:2]
        raise ValueError(f"times are of two kinds: {of_a} holds {a}, {of_b} holds {b}")
    kind = next(iter(kinds), None)
    columns = [
        column if len(column) else np.empty(0, np.int64)
        for _, column in clocks.values()
    ]
    unit = None
    if kind not in (None, "numbers"):
        unit = max(
            (c.dt.unit for c in columns if len(c)), key=["s", "ms", "us", "ns"].index
        )
        try:
            columns = [
                c.dt.as_unit(unit).astype(np.int64).to_numpy() if len(c) else c
                for c in columns
            ]
        except ValueError as error:
            raise ValueError(
                f"{', '.join(times)} do not fit one scale: {error}"
            ) from error
    whole = all(c.dtype == np.int64 for c in columns)
    ends = [end.item() for c in columns if len(c) for end in (c.min(), c.max())] or [0]
    if whole and (span := max(ends) - min(ends)) >= 2**63:
        raise ValueError(f"{', '.join(times)} span {span}, more than 64 bits hold")
    lengths = [
        _duration(name, value, kind, unit, interval)
        for name, value in (durations or {}).items()
    ]
    if not whole:
        for name, c in zip(times, columns, strict=True):
            if c.dtype == np.int64:
                _refuse(
                    name,
                    "be below 2^53 beside times with fractions",
                    c,
                    (c > -(2**53)) & (c < 2**53),
                )
        return [column.astype(np.float64) for column in columns], lengths
    lengths = [None if d is None else min(int(d // 1), span + 1) for d in lengths]
    return [column - min(ends) for column in columns], lengths


def _duration(
    name: str, value: Any, kind: str | None, unit: str | None, interval: str
) -> Any:
    """Return a duration in the unit of the times; beside datetimes, no bare number."""
    if value is None:
        return None
    is_number = isinstance(value, numbers.Real) and not isinstance(
        value, np.timedelta64
    )
    if kind == "numbers" or (kind is None and is_number):
        if not is_number:
            raise ValueError(
                f"{name} must be a number, as the times are, got {value!r}"
            )
        _number(name, value, interval)
        return (
            value
            if isinstance(value, int)
            else float(value)
            if value % 1
            else int(value)
        )
    try:
        if is_number or (
            isinstance(value, str)
            and value.strip().lstrip("+-").replace(".", "").isdigit()
        ):
            raise ValueError("a number says no unit")
        if (
            isinstance(value, np.timedelta64)
            and np.datetime_data(value)[0] == "generic"
        ):
            raise ValueError("it has no unit")
        length = pd.Timedelta(value)
        if length is pd.NaT:
            raise ValueError("it is missing")
        ticks = length // pd.Timedelta(1, unit or "ns")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name} must be a duration, such as '30min' or a Timedelta, got "
            f"{value!r}: {error}"
        ) from error
    _number(name, length.total_seconds(), interval)
    return ticks


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
