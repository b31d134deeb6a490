"""Count what was known before each row, in windows, and smooth the rates.

It is known of a user, an item or a pair.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def count_before(
    event_key: ArrayLike,
    event_time: ArrayLike,
    key: ArrayLike,
    time: ArrayLike,
    window: Any = None,
    value: ArrayLike | None = None,
) -> np.ndarray | pd.Series:
    """Count, for each row, the events of its key in [time - window, time).

    Those of its own moment never count.

    Parameters
    ----------
    event_key, event_time : arrays of shape (m,)
        Who, and when it became *known*: for a late click the arrival, not the
        impression. In any order; there may be none. A missing key is nobody's event.
    key, time : arrays of shape (n,)
        For whom, and as of when. Keys are of one kind in both, and times too: numbers,
        or datetimes of one time zone. A missing key counts nothing.
    window : duration, number or None
        How far to look back, more than 0: a number if times are numbers, else a
        duration such as "7D" or a Timedelta. None looks back for ever.
    value : array of shape (m,) or None
        Sum these instead of counting. Sums are taken with twice the digits of a
        float64, so that what is small is not lost beside what is large.

    Returns
    -------
    array of shape (n,), or a Series with the index of key if that is one
        Whole numbers without value, else floats. 0 where nothing was known, and for a
        missing key.

    Raises
    ------
    ValueError
        If arrays differ in length, a time is missing, times or keys are of two kinds, a
        value is not a number between -1e290 and 1e290, or the window is not a positive
        duration of the kind of the times.

    Examples
    --------
    >>> events = ["a", "a", "b"], [1, 5, 2]
    >>> rows = ["a", "a", "b", "c"], [5, 6, 9, 9]
    >>> count_before(*events, *rows).tolist()
    [1, 2, 1, 0]
    >>> count_before(*events, *rows, window=2).tolist()
    [0, 1, 0, 0]
    """
    who, code = _matched({"event_key": event_key, "key": key})
    (when, now), (back,) = _moments(
        {"event_time": event_time, "time": time}, {"window": window}, "(0, inf)"
    )
    # So that no sum overflows
    weight = None if value is None else _numbers("value", value, "(-1e290, 1e290)")
    for of, keys, name, array in [
        ("event_key", who, "event_time", when),
        ("event_key", who, "value", weight),
        ("key", code, "time", now),
    ]:
        if array is not None and len(array) != len(keys):
            raise ValueError(f"{name} has {len(array)} rows, {of} has {len(keys)}")
    if who.min(initial=0) < 0:
        who, when, weight = (
            array if array is None else array[who >= 0] for array in (who, when, weight)
        )
    n_keys = int(max(who.max(initial=0), code.max(initial=0))) + 1
    # What is small gets lost behind what is large: so keys with small values come first
    if weight is not None:
        size = np.bincount(who, np.abs(weight), minlength=n_keys)
        who, code = (
            np.append(np.argsort(np.argsort(size)), -1)[array] for array in (who, code)
        )
    moment, until, since, stride = _on_one_scale(when, now, back, n_keys)
    # --8<-- [start:count]
    # One number says key and moment, so that a binary search finds a row's place among
    # the events of its key.
    events, ends, starts = (
        who * stride + moment,
        code * stride + until,
        code * stride + since,
    )
    order = np.argsort(events)
    rows = order if np.array_equal(events, ends) else np.argsort(ends)
    events, sums = (
        events[order],
        None if value is None else _running_sums(weight[order]),
    )
    counts = np.empty(len(rows), np.int64 if value is None else np.float64)
    # In order, and in parts: many times as fast
    for some in np.array_split(rows, len(rows) // 2**18 + 1):
        first, last = (
            np.searchsorted(events, starts[some]),
            np.searchsorted(events, ends[some]),
        )
        counts[some] = (
            last - first if value is None else sum(s[last] - s[first] for s in sums)
        )
    # --8<-- [end:count]
    return _like(counts, key)


def smoothed_rate(
    successes: ArrayLike, trials: ArrayLike, prior_rate: float, strength: float
) -> np.ndarray | pd.Series:
    """Return (successes + strength x prior_rate) / (trials + strength).

    Parameters
    ----------
    successes, trials : numbers, or arrays of one shape
        Counts, at least 0 and below 1e290. Clicks that arrive late can exceed the
        impressions of a short window.
    prior_rate : float
        The rate of something never seen, in [0, 1].
    strength : float
        How many trials the prior is worth, more than 0.

    Returns
    -------
    array of that shape, or a Series with the index of successes, else of trials

    Raises
    ------
    ValueError
        If a count is negative or 1e290 or more, shapes differ, there is none, or a
        parameter is out of range.

    Examples
    --------
    >>> rate = smoothed_rate([0, 1, 30], [0, 1, 1000], prior_rate=0.03, strength=100)
    >>> rate.round(3).tolist()
    [0.03, 0.04, 0.03]
    """
    good, seen = (
        _numbers(name, counts, "[0, 1e290)", ndim=None)  # so that no sum overflows
        for name, counts in [("successes", successes), ("trials", trials)]
    )
    if good.shape != seen.shape or not good.size:
        raise ValueError(
            f"successes and trials must have one shape and a row, got {good.shape} and "
            f"{seen.shape}"
        )
    prior_rate, strength = (
        _number("prior_rate", prior_rate, "[0, 1]"),
        _number("strength", strength, "(0, inf)"),
    )
    # --8<-- [start:smooth]
    rate = (good + strength * prior_rate) / (seen + strength)
    # --8<-- [end:smooth]
    return _like(rate, successes if isinstance(successes, pd.Series) else trials)


def _on_one_scale(
    when: np.ndarray, now: np.ndarray, back: Any, n_keys: int
) -> tuple[np.ndarray, ...]:
    """Return events, ends and starts of the rows' windows as whole numbers.

    With them comes one more than their largest.
    """
    if when.dtype == np.int64:
        since = (
            np.zeros_like(now)
            if back is None
            else now - np.minimum(now, min(back, 2**63 - 1))
        )
        low, high = int(when.min(initial=2**63 - 1)), int(when.max(initial=0))
        until, since = (
            np.clip(moment, low, min(high + 1, 2**63 - 1)) for moment in (now, since)
        )
        if (high - low + 2) * n_keys < 2**63:
            return when - low, until - low, since - low, high - low + 2
        # Such as whole seconds, given in nanoseconds
        step = int(np.gcd.reduce(when - low))
        if ((high - low) // step + 2) * n_keys < 2**63:
            until, since = (-((low - moment) // step) for moment in (until, since))
            return (when - low) // step, until, since, (high - low) // step + 2
    else:
        since = np.full(len(now), -np.inf) if back is None else now - back
    moments = np.unique(when)
    return *(np.searchsorted(moments, moment) for moment in (when, now, since)), len(
        moments
    ) + 1


def _running_sums(value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the sum of the values before each place, and what rounding took from it.

    This is Sum2 of Ogita et al. 2005.
    """
    total, rest = np.zeros((2, len(value) + 1))
    np.cumsum(value, out=total[1:])
    parts = (
        np.array_split(array, len(value) // 2**18 + 1)
        for array in (value, total[:-1], total[1:], rest[1:])
    )
    # In parts, since new memory takes longer than sums
    for one, before, after, lost in zip(*parts, strict=True):
        added = after - before
        lost[:] = (before - (after - added)) + (one - added)
    np.cumsum(rest, out=rest)
    return total, rest


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


# --- End of the door. ---
