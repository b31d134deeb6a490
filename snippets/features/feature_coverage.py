"""Watch the share of rows in which each feature has a value."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

MEASURES = ["feature", "rows", "covered", "coverage", "distinct", "most_common_share"]


def coverage_report(
    frame: pd.DataFrame, by: str | Sequence[str] | None = None
) -> pd.DataFrame:
    """Return how many rows have a value of each feature.

    Parameters
    ----------
    frame : table
        Features, one row an impression. Missing is what pandas takes for missing: NaN,
        None, NaT.
    by : str, sequence of str or None
        Columns to cut by, such as the day or the device. Rows without a group are a
        group of their own.

    Returns
    -------
    pandas.DataFrame
        One row for each feature, or group and feature: the columns of ``by``,
        ``feature``, ``rows``, ``covered``, ``coverage`` (a share), ``distinct``
        (different values) and ``most_common_share`` of the covered rows: a default that
        stands for "missing" shows there.

    Raises
    ------
    ValueError
        If frame has no row or no feature, a column of by is not there or has the name
        of one of the report, a name is there twice, groups are of two kinds, such as 7
        and "7", or values cannot be compared, such as lists.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": [0, 0, 1, 1], "age": [30, 30, None, 41]})
    >>> coverage_report(frame, by="day")[["day", "feature", "coverage"]].values.tolist()
    [[0, 'age', 1.0], [1, 'age', 0.5]]
    """
    if by is None:
        groups = []
    elif isinstance(by, str) or not np.iterable(by):
        groups = [by]
    else:
        groups = list(dict.fromkeys(by))
    if taken := [c for c in groups if c in MEASURES]:
        raise ValueError(
            f"by has {taken[0]!r}, which is a column of the report: rename it"
        )
    frame = _frame("frame", frame, groups)
    features = [c for c in frame if c not in groups]
    if not features:
        raise ValueError("frame has no feature")
    n = _same_rows(frame=frame)
    cuts = pd.DataFrame(
        {c: _group(c, frame[c]) for c in groups} or {"all": np.zeros(n)}
    )
    of_group = cuts.groupby(list(cuts), dropna=False, observed=True)
    group, rows = of_group.ngroup().to_numpy(), of_group.size()
    first = np.unique(group, return_index=True)[1]
    keys, parts = cuts.iloc[first].reset_index(drop=True)[groups], []
    # --8<-- [start:report]
    for name in features:
        value = _values(name, frame[name])  # a number for each value, -1 where missing
        pairs, count = np.unique((group * n + value)[value >= 0], return_counts=True)
        found = (
            pd.Series(count)
            .groupby(pairs // n)
            .agg(["sum", "size", "max"])
            .reindex(range(len(rows)), fill_value=0)
        )
        part = keys.assign(
            feature=[name] * len(keys), rows=rows.to_numpy(), covered=found["sum"]
        )
        part["coverage"] = part["covered"] / part["rows"]
        part["distinct"] = found["size"]
        part["most_common_share"] = found["max"] / found["sum"]
        parts.append(part)
    # --8<-- [end:report]
    return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def coverage_alarms(
    report: pd.DataFrame, day: str, reference_days: int = 7, false_alarms: float = 0.001
) -> pd.DataFrame:
    """Compare each day's coverage of each feature with the days before it.

    The spread between days counts, not that between rows: with a million rows every day
    differs from every other "significantly". A group that was there on all the days
    before, and has no row at all today, gets a row of its own: its number of rows is
    compared with that of the days before.

    Parameters
    ----------
    report : table
        From `coverage_report` by day, possibly by other columns too.
    day : str
        The column of the day: numbers or dates, none missing. A day on which no group
        has a row is not known here.
    reference_days : int
        How many days before it a day is compared with, at least 3.
    false_alarms : float
        Share of features and days in which nothing happened that may raise an alarm, in
        (0, 1).

    Returns
    -------
    pandas.DataFrame
        The rows of report that have enough days before them, in order of the day, with
        ``expected`` coverage, ``z`` (in standard deviations of the days before, at
        least that of chance) and ``alarm``, by the tails of Student's t. Where a group
        has gone, ``rows`` is 0 and ``coverage`` NaN, on the first day without it.

    Raises
    ------
    ValueError
        If a column is missing, a group has two rows of one day, or an argument is out
        of range.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": np.repeat(range(9), 1000), "age": 30.0})
    >>> frame.loc[(frame["day"] == 8) & (frame.index % 2 == 0), "age"] = None
    >>> alarms = coverage_alarms(coverage_report(frame, by="day"), day="day")
    >>> alarms.loc[alarms["alarm"], ["day", "feature"]].values.tolist()
    [[8, 'age']]
    """
    report = _frame("report", report, [day, "feature", "rows", "covered", "coverage"])
    reference_days = _count("reference_days", reference_days, 3)
    false_alarms = _number("false_alarms", false_alarms, "(0, 1)")
    numbers_of = {
        c: _numbers(c, report[c], "[0, 1]" if c == "coverage" else "[0, inf)")
        for c in ["rows", "coverage"]
    }
    [when], _ = _moments({day: report[day]})
    _same_rows(report=report)
    others = ["feature", *[c for c in report if c not in [*MEASURES, day]]]
    order = np.argsort(when, kind="stable")
    table = report.assign(**numbers_of).iloc[order].reset_index(drop=True)
    # 0 is the first day of the report
    date = pd.Series(np.unique(when[order], return_inverse=True)[1])
    # --8<-- [start:alarm]
    group = table.groupby(others, dropna=False, observed=True).ngroup()
    days = table.groupby(group)[["coverage", "rows"]].rolling(reference_days)
    mean, spread = (s.droplevel(0).sort_index() for s in (days.mean(), days.std()))
    expected, between = (s["coverage"].groupby(group).shift() for s in (mean, spread))
    smoothed = (expected * table["rows"] + 0.5) / (table["rows"] + 1)
    chance = np.sqrt(smoothed * (1 - smoothed) / table["rows"])
    error = np.maximum(between, chance) * np.sqrt(1 + 1 / reference_days)
    table["expected"], table["z"] = expected, (table["coverage"] - expected) / error
    # A group that was there on each of those days, and is not on the next:
    of_group = date.groupby(group)
    was = (date - of_group.shift(reference_days - 1) == reference_days - 1) & (
        date < date.max()
    )
    last = was & (of_group.shift(-1) != date + 1)
    gone, usual = table[last], mean[last].to_numpy().T
    error = np.maximum(spread["rows"][last], np.sqrt(usual[1])) * np.sqrt(
        1 + 1 / reference_days
    )
    gone = gone.assign(
        expected=usual[0],
        z=-usual[1] / error.to_numpy(),
        rows=0.0,
        covered=0,
        coverage=np.nan,
    )
    # --8<-- [end:alarm]
    again = pd.DataFrame({"group": group, "date": date}).duplicated()
    if again.any():
        raise ValueError(
            f"report has two rows of one group on {day} {table[day][again].iloc[0]}"
        )
    gone[day] = table[day].iloc[np.searchsorted(date, date[last] + 1)].array
    nothing = {"distinct": 0, "most_common_share": np.nan}
    gone = gone.assign(
        **{column: nothing[column] for column in nothing.keys() & set(report)}
    )
    order = np.argsort(np.append(date, date[last] + 1), kind="stable")
    table = pd.concat([table, gone]).iloc[order].astype({"rows": np.int64})
    table["alarm"] = 2 * stats.t.sf(table["z"].abs(), reference_days - 1) < false_alarms
    return table[table["expected"].notna()].reset_index(drop=True)


def _group(name: Any, values: pd.Series) -> Any:
    """Return groups of one kind, without their index."""
    column = _column(name, values)
    _matched({name: column})  # refuses groups of two kinds
    return column.array


def _values(name: str, values: pd.Series) -> np.ndarray:
    """Return each value as a whole number, the same for the same; -1 where missing."""
    try:
        return pd.factorize(_column(name, values))[0]
    except TypeError as error:
        raise ValueError(f"{name} holds what cannot be compared: {error}") from error


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
