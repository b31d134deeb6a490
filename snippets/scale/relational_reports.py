"""Reports on a log as SQL text that DuckDB and Spark both run.

Coverage of features, features as served against features recomputed, sessions and
active users. Each function returns a query; `run_checked` of ``relational_metrics``
runs it and raises where the query has counted bad rows.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

PERIODS = {"day": 1, "week": 7, "month": 28}
MEASURES = ["feature", "rows", "covered", "coverage", "distinct", "most_common_share"]
SHARES = ["mismatch", "missing", "extra"]
DELTAS = {"delta_05": 0.05, "delta_50": 0.5, "delta_95": 0.95}


def coverage_sql(
    table: str,
    features: str | Sequence[str],
    by: str | Sequence[str] = (),
    floats: str | Sequence[str] = (),
) -> str:
    """Return the query for ``coverage_report``.

    Each feature is grouped by its values, so it is read once and shuffled by them: an
    id moves nearly all of its rows.

    Parameters
    ----------
    table : str
        Name of the table.
    features : str or sequence of str
        Columns to report on.
    by : str or sequence of str
        Columns to cut by; rows without a group are a group of their own.
    floats : str or sequence of str
        Those of them that may hold NaN, which is missing for pandas, and a value like
        another for an engine that reads it from a file.

    Returns
    -------
    str
        Columns of ``by``, ``feature``, ``rows``, ``covered``, ``coverage``,
        ``distinct``, ``most_common_share`` (NULL where nothing is covered). A table
        without a row gives none.

    Raises
    ------
    ValueError
        If a name is empty, no text or twice in a list, there is no feature, a column of
        by is a feature or named as one of the report, or one of floats is neither.

    Examples
    --------
    >>> print(coverage_sql("log", "age", by="day")[:31])
    SELECT "k0" AS "day", "feature"
    """
    features, groups = _sql_names("features", features), _sql_names("by", by)
    table, nan = _sql_name("table", table), _sql_names("floats", floats)
    if not features:
        raise ValueError("features is empty")
    if taken := [c for c in groups if c in [*MEASURES, *features]]:
        raise ValueError(f"by has {taken[0]!r}, which is a feature or a measure")
    if others := [c for c in nan if c not in [*features, *groups]]:
        raise ValueError(f"floats has {others[0]!r}, which is not read")

    keys = "".join(f'"k{i}", ' for i in range(len(groups)))
    read = "".join(f'{_value(c, nan)} AS "k{i}", ' for i, c in enumerate(groups))
    last = "".join(f'"k{i}" AS {_sql_name("by", c)}, ' for i, c in enumerate(groups))
    order = "".join(f'"k{i}" NULLS LAST, ' for i in range(len(groups)))
    # --8<-- [start:coverage]
    parts = [
        f"""SELECT {keys}"number", {_sql_text(feature)} AS "feature",
    SUM("n") AS "rows",
    SUM(CASE WHEN "value" IS NULL THEN 0 ELSE "n" END) AS "covered",
    MAX(CASE WHEN "value" IS NULL THEN 0 ELSE "n" END) AS "most",
    COUNT("value") AS "distinct"
FROM (
    SELECT {keys}"number", "value", COUNT(*) AS "n"
    FROM (SELECT {read}{i} AS "number", {_value(feature, nan)} AS "value" FROM {table})
    GROUP BY {keys}"number", "value"
) GROUP BY {keys}"number"
"""
        for i, feature in enumerate(features)
    ]
    return f"""SELECT {last}"feature", CAST("rows" AS BIGINT) AS "rows",
    CAST("covered" AS BIGINT) AS "covered",
    CAST("covered" AS DOUBLE) / "rows" AS "coverage", "distinct",
    CAST("most" AS DOUBLE) / NULLIF("covered", 0) AS "most_common_share"
FROM (
{"UNION ALL ".join(parts)}) ORDER BY {order}"number\""""
    # --8<-- [end:coverage]


def consistency_sql(
    online: str,
    offline: str,
    keys: str | Sequence[str],
    *,
    whole: str | Sequence[str] = (),
    fractions: str | Sequence[str] = (),
    others: str | Sequence[str] = (),
    numeric_tolerance: float = 0.0,
    quantiles: bool = True,
) -> str:
    """Return the query for ``consistency_report``: one join, one sum for all features.

    Parameters
    ----------
    online, offline : str
        Names of the tables: features as served, and recomputed for the same requests.
    keys : str or sequence of str
        Columns that name a request in both, each of one type: an engine that casts
        takes "07" for 7.
    whole, fractions, others : str or sequence of str
        Features in both, by what they hold, since a query does not see it: whole
        numbers in columns of integers, compared exactly; other numbers and booleans, as
        floats; and what can only be equal, such as text and times.
    numeric_tolerance : float
        Numbers that differ by at most this much count as equal; at least 0.
    quantiles : bool
        Whether to return the deltas. An engine holds all differences for them: draw a
        sample of the requests first, or leave them out. Between two differences, Sail
        interpolates to a millionth of their gap.

    Returns
    -------
    str
        Columns ``feature``, ``rows``, ``mismatch``, ``missing``, ``extra``, ``smape``,
        ``smape_mean``, the deltas and ``bad_rows``, the worst feature first, as in the
        snippet. Bad rows have a missing key, a request that is there twice in a table,
        or a number above 1e290 in size, or no whole number under whole; with any, the
        shares and distances are NULL.

    Raises
    ------
    ValueError
        If a name is empty, no text or there twice, there is no key or no feature, or
        the tolerance is negative.

    Examples
    --------
    >>> text = consistency_sql("served", "computed", "id", fractions=["rate"])
    >>> text.count("PERCENTILE_CONT")
    3
    """
    keys = _sql_names("keys", keys)
    kinds = {"whole": whole, "fractions": fractions, "others": others}
    kind_of = {n: kind for kind, some in kinds.items() for n in _sql_names(kind, some)}
    if not keys or not kind_of:
        raise ValueError(
            "whole, fractions and others are empty" if keys else "keys is empty"
        )
    _sql_names(
        "keys and features",
        [*keys, *(n for k in kinds for n in _sql_names(k, kinds[k]))],
    )
    tolerance = _number("numeric_tolerance", numeric_tolerance, "[0, inf)")
    sides = [
        _side(_sql_name(argument, table), keys, kind_of)
        for argument, table in [("online", online), ("offline", offline)]
    ]
    k, values = range(len(keys)), range(len(kind_of))
    on = " AND ".join(f'"a"."k{i}" = "b"."k{i}"' for i in k)
    no_key = " OR ".join(f'COALESCE("a"."k{i}", "b"."k{i}") IS NULL' for i in k)
    pairs = "".join(f', "a"."v{i}" AS "a{i}", "b"."v{i}" AS "b{i}"' for i in values)
    cells = [
        _cell(f'"a{i}"', f'"b{i}"', kind) for i, kind in enumerate(kind_of.values())
    ]

    def of_feature(column: str) -> str:
        cases = " ".join(
            f"WHEN {i} THEN {cell[column]}" for i, cell in enumerate(cells)
        )
        return f'CASE "f" {cases} END AS "{column}"'

    names = " ".join(
        f"WHEN {i} THEN {_sql_text(name)}" for i, name in enumerate(kind_of)
    )
    deltas = "".join(
        f"""PERCENTILE_CONT({share}) WITHIN GROUP (
        ORDER BY CASE WHEN "size" >= 0 THEN "delta" END) AS "{name}", """
        for name, share in (DELTAS if quantiles else {}).items()
    )
    shares = "".join(
        f'CASE WHEN "bad_rows" = 0 THEN "{name}" / "rows" END AS "{name}", '
        for name in SHARES
    )
    distances = "".join(
        f'CASE WHEN "bad_rows" = 0 THEN "{name}" END AS "{name}", '
        for name in ["smape", "smape_mean", *(DELTAS if quantiles else {})]
    )
    # --8<-- [start:consistency]
    return f"""WITH "pairs" AS (
    SELECT CASE WHEN "a"."copies" > 1 OR "b"."copies" > 1 OR {no_key}
        THEN 1 ELSE 0 END AS "no_request"{pairs}
    FROM ({sides[0]}) AS "a"
    FULL OUTER JOIN ({sides[1]}) AS "b" ON {on}
), "cells" AS (
    SELECT "f", "no_request", {", ".join(map(of_feature, cells[0]))}
    FROM "pairs" CROSS JOIN (VALUES {", ".join(f"({i})" for i in values)}) AS "of" ("f")
), "sums" AS (
    SELECT "f", COUNT(*) AS "rows",
        SUM(CASE WHEN "no_request" = 1 OR "strange" THEN 1 ELSE 0 END) AS "bad_rows",
        SUM(CASE WHEN ABS("delta") > CAST('{tolerance!r}' AS DOUBLE)
            THEN 1e0 ELSE 0e0 END) AS "mismatch",
        SUM(CASE WHEN "has_b" AND NOT "has_a" THEN 1e0 ELSE 0e0 END) AS "missing",
        SUM(CASE WHEN "has_a" AND NOT "has_b" THEN 1e0 ELSE 0e0 END) AS "extra",
        SUM(CASE WHEN "size" >= 0 THEN ABS("delta") END) AS "gap",
        SUM("size") AS "size", {deltas}
        AVG(CASE WHEN "size" > 0 THEN 2 * ABS("delta") / NULLIF("size", 0)
            WHEN "size" = 0 THEN 0e0 END) AS "smape_mean"
    FROM "cells" GROUP BY "f"
), "ratios" AS (
    SELECT *, CASE WHEN "size" = 0 THEN 0e0 ELSE "gap" / NULLIF("size", 0) END
            AS "smape",
        "mismatch" + "missing" + "extra" AS "wrong" FROM "sums"
)
SELECT CASE "f" {names} END AS "feature", "rows", {shares}{distances}
    CAST("bad_rows" AS BIGINT) AS "bad_rows"
FROM "ratios" ORDER BY "wrong" DESC, "f\""""
    # --8<-- [end:consistency]


def sessions_sql(
    table: str, user: str, time: str, gap: str | timedelta | pd.Timedelta = "30min"
) -> str:
    """Return the query for the sessions of ``sessionize``, one row each.

    Parameters
    ----------
    table, user, time : str
        Names of a table and of its columns.
    gap : timedelta, or text such as "30min"
        The longest pause within a session, at least 0, in whole microseconds.

    Returns
    -------
    str
        Columns ``user``, under its own name, ``session`` (0, 1, … of each user, since
        to number them through would gather all users on one machine), ``start`` and
        ``end`` (their difference is the length), ``events``, ``bad_rows``, in no order.
        Events without a user or a time are bad rows, in sessions of their own.

    Raises
    ------
    ValueError
        If a name is empty or no text, user is named as another column of the result, or
        gap is no duration or negative.

    Examples
    --------
    >>> "INTERVAL '1800' SECOND" in sessions_sql("log", "user_id", "at")
    True
    """
    if user in ("session", "start", "end", "events", "bad_rows"):
        raise ValueError(f"user is {user!r}, a column of the result: rename it")
    pause = f"INTERVAL '{_seconds('gap', gap)}' SECOND"
    table, user, at = map(_sql_name, ("table", "user", "time"), (table, user, time))
    # --8<-- [start:sessions]
    return f"""WITH "log" AS (
    SELECT {user} AS "u", {at} AS "t",
        CASE WHEN {user} IS NULL OR {at} IS NULL THEN 1 ELSE 0 END AS "bad" FROM {table}
), "pauses" AS (
    SELECT *, LAG("t") OVER (PARTITION BY "u", "bad" ORDER BY "t") AS "before"
    FROM "log"
), "starts" AS (
    SELECT *, CASE WHEN "t" <= "before" + {pause} THEN 0 ELSE 1 END AS "starts"
    FROM "pauses"
), "numbered" AS (
    SELECT *, SUM("starts") OVER (PARTITION BY "u", "bad" ORDER BY "t"
        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - 1 AS "number"
    FROM "starts"
)
SELECT "u" AS {user}, CAST("number" AS BIGINT) AS "session", MIN("t") AS "start",
    MAX("t") AS "end", COUNT(*) AS "events", CAST(SUM("bad") AS BIGINT) AS "bad_rows"
FROM "numbered" GROUP BY "u", "bad", "number\""""
    # --8<-- [end:sessions]


def actives_sql(
    table: str,
    user: str,
    time: str,
    first_day: str | date,
    last_day: str | date,
    period: str | int = "day",
    time_zone: str = "UTC",
) -> str:
    """Return the query for ``active_users`` from one day to another.

    Parameters
    ----------
    table, user, time : str
        Names of a table and of its columns. A time without a zone is taken as UTC. The
        session must be in UTC, as those of ``engines.connect`` are: in another one
        DuckDB shifts times that have a zone, and does not say so.
    first_day, last_day : str or date
        The days that the log holds, as "2026-01-31". Events of other days are left out,
        and a day without an event has its row.
    period : {"day", "week", "month"} or int
        1, 7 or 28 days, or so many.
    time_zone : str
        Where midnight is, as "Europe/Paris". Each midnight is looked up here and goes
        into the query as a time in UTC: engines differ in what they know of zones.

    Returns
    -------
    str
        Columns ``day`` (the last of each period that lies within the days),
        ``active_users``, ``bad_rows``, of the whole table: those without a user or a
        time; with any, active_users is NULL.

    Raises
    ------
    ValueError
        If a name is empty or no text, a day is none or not in the years 2 to 9998,
        last_day is before first_day or too near to it for the period, or the zone is
        not known.

    Notes
    -----
    The day of the snippet is what a clock on the wall shows; here a day goes from its
    first midnight to that of the next. They differ in zones that turned the clock back
    across midnight, as St. John's in Canada did until 2011.

    Examples
    --------
    >>> text = actives_sql("log", "user_id", "at", "2026-03-28", "2026-03-30")
    >>> "< TIMESTAMP '2026-03-29 00:00:00+00:00' THEN 0" in text
    True
    """
    if isinstance(period, str) and period not in PERIODS:
        raise ValueError(
            f"period must be one of {sorted(PERIODS)} or a whole number of days, got "
            f"{period!r}"
        )
    length = PERIODS[period] if isinstance(period, str) else _count("period", period)
    first, last = _day("first_day", first_day), _day("last_day", last_day)
    days = [first + timedelta(d) for d in range((last - first).days + 1)]
    n = len(days)
    if first.year < 2 or last.year > 9998:  # midnights of them are in other years
        raise ValueError(f"days must be in the years 2 to 9998, got {first} to {last}")
    if n < length:
        raise ValueError(f"{first} to {last} are {n} days, fewer than {length}")
    table, user, at = map(_sql_name, ("table", "user", "time"), (table, user, time))
    midnight = [
        f"TIMESTAMP '{at.isoformat(' ')}'"
        for at in _midnights([*days, last + timedelta(1)], time_zone)
    ]
    numbers_ = " ".join(
        f'WHEN "t" < {end} THEN {i}' for i, end in enumerate(midnight[1:])
    )
    calendar = ", ".join(f"({i}, DATE '{day}')" for i, day in enumerate(days))
    # --8<-- [start:actives]
    return f"""WITH "log" AS (
    SELECT {user} AS "u", {at} AS "t",
        CASE WHEN {user} IS NULL OR {at} IS NULL THEN 1 ELSE 0 END AS "bad" FROM {table}
), "dated" AS (
    SELECT "u", "bad", CASE WHEN "bad" = 1 THEN 0 WHEN "t" < {midnight[0]} THEN -1
        {numbers_} ELSE -1 END AS "d" FROM "log"
), "active" AS (
    SELECT "u", "bad", "d", COUNT(*) AS "n" FROM "dated" WHERE "d" >= 0
    GROUP BY "u", "bad", "d"
), "spans" AS (
    SELECT *, LEAD("d") OVER (PARTITION BY "u", "bad" ORDER BY "d") AS "again"
    FROM "active"
), "changes" AS (
    SELECT CASE WHEN "step" = 1 THEN "d"
            ELSE LEAST("d" + {length}, COALESCE("again", {n})) END AS "d",
        SUM("step" * (1 - "bad")) AS "change",
        SUM(CASE WHEN "step" = 1 THEN "bad" * "n" ELSE 0 END) AS "bad"
    FROM "spans" CROSS JOIN (VALUES (1), (-1)) AS "steps" ("step") GROUP BY 1
), "totals" AS (
    SELECT "number", "day", SUM(COALESCE("change", 0)) OVER (ORDER BY "number")
        AS "users", SUM(COALESCE("bad", 0)) OVER () AS "bad_rows"
    FROM (VALUES {calendar}) AS "calendar" ("number", "day")
    LEFT JOIN "changes" ON "number" = "d"
)
SELECT "day", CASE WHEN "bad_rows" = 0 THEN CAST("users" AS BIGINT) END
    AS "active_users", CAST("bad_rows" AS BIGINT) AS "bad_rows"
FROM "totals" WHERE "number" >= {length - 1} ORDER BY "day\""""
    # --8<-- [end:actives]


def _value(column: str, nan: Sequence[str]) -> str:
    """Return a column as SQL in which what is missing is NULL."""
    name = _sql_name("features", column)
    return f"CASE WHEN NOT ISNAN({name}) THEN {name} END" if column in nan else name


def _side(table: str, keys: Sequence[str], kind_of: dict[str, str]) -> str:
    """Return the query for one of two tables, under names of its own."""
    names = [_sql_name("keys", key) for key in keys]
    read = "".join(f', {name} AS "k{i}"' for i, name in enumerate(names))
    for i, (feature, kind) in enumerate(kind_of.items()):
        name = _sql_name(kind, feature)
        if kind == "fractions":
            name = f"CAST({name} AS DOUBLE)"
            name = f"CASE WHEN NOT ISNAN({name}) THEN {name} END"
        read += f', {name} AS "v{i}"'
    request = ", ".join(names)
    return (
        f'SELECT COUNT(*) OVER (PARTITION BY {request}) AS "copies"{read} FROM {table}'
    )


def _cell(a: str, b: str, kind: str) -> dict[str, str]:
    """Return what is compared of one feature, by its kind."""
    floats = [f"CAST({v} AS DOUBLE)" for v in (a, b)]
    size = f"ABS({floats[0]}) + ABS({floats[1]})"
    cell = {"has_a": f"{a} IS NOT NULL", "has_b": f"{b} IS NOT NULL"}
    if kind == "others":  # infinitely far apart, or not at all
        apart = f"CASE WHEN {a} <> {b} THEN CAST('Infinity' AS DOUBLE) END"
        return cell | {
            "delta": apart,
            "size": "CAST(NULL AS DOUBLE)",
            "strange": "FALSE",
        }
    if kind == "fractions":
        strange = " OR ".join(f"ABS({v}) > 1e290" for v in (a, b))
        return cell | {"delta": f"{a} - {b}", "size": size, "strange": strange}
    exact = [f"CAST({v} AS DECIMAL(20, 0))" for v in (a, b)]
    strange = " OR ".join(
        f"{v} <> CAST({x} AS DOUBLE)" for v, x in zip(floats, exact, strict=True)
    )
    delta = f"CAST({exact[0]} - {exact[1]} AS DOUBLE)"
    return cell | {"delta": delta, "size": size, "strange": strange}


def _seconds(argument: str, duration: Any) -> str:
    """Return a duration as a number of seconds, exactly."""
    rule = f"{argument} must be a duration of at least 0, such as '30min'"
    is_one = isinstance(duration, str | timedelta | np.timedelta64)
    try:
        pause = pd.Timedelta(duration) if is_one else pd.NaT
    except ValueError as error:
        raise ValueError(f"{rule}, got {duration!r}") from error
    if pause is pd.NaT or pause < pd.Timedelta(0) or pause.nanoseconds:
        raise ValueError(f"{rule}, in whole microseconds, got {duration!r}")
    micros = pause // pd.Timedelta(1, "us")
    return f"{micros // 10**6}.{micros % 10**6:06}".rstrip("0").rstrip(".")


def _day(argument: str, day: Any) -> date:
    """Return a date."""
    try:
        return date.fromisoformat(str(day))
    except ValueError as error:
        raise ValueError(
            f"{argument} must be a day as '2026-01-31', got {day!r}"
        ) from error


def _midnights(days: Sequence[date], time_zone: str) -> list[datetime]:
    """Return the first moment of each day of a zone, in UTC."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise ValueError(
            f"time_zone must be a name as 'Europe/Paris', got {time_zone!r}"
        ) from error
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]


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


def _quoted(name: str) -> str:
    """Return a name as SQL quotes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _sql_name(argument: str, name: Any) -> str:
    """Return the name of a table or a column, quoted."""
    if not (isinstance(name, str) and name):
        raise ValueError(f"{argument} must be a name, got {name!r}")
    return _quoted(name)


def _sql_names(argument: str, names: Any) -> list[str]:
    """Return one name or several as a list, each once; not quoted yet."""
    if isinstance(names, str) or not np.iterable(names):
        names = [names]
    names = list(names)
    for i, name in enumerate(names):
        _sql_name(argument, name)
        if name in names[:i]:
            raise ValueError(f"{argument} has {name!r} twice")
    return names


def _sql_text(text: str) -> str:
    """Return text as SQL that means the same everywhere.

    In Spark a backslash escapes, and of two quotes in a row none is left.
    """
    parts = text.replace("\\", "\0\\\0").replace("'", "\0'\0").split("\0")
    return " || ".join(
        f"CHR({ord(part)})" if part in ("'", "\\") else f"'{part}'" for part in parts
    )


# --- End of the door. ---
