"""The guide's point-in-time join, counters and batch joiner as SQL for two engines.

Each function returns text in what the SQL of DuckDB and that of Spark have in common:
windows, groups and joins on equal keys, and no ASOF join, which Spark does not have.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

MICROSECONDS = 1_000_000  # in a second: neither engine counts in less
FAR = "4E18"  # the largest number that a time may be: differences fit 64 bits
# As DuckDB and Spark name types
TEXTS, FLOATS = "'VARCHAR', 'string'", "'DOUBLE', 'FLOAT', 'double', 'float'"


def point_in_time_sql(
    labels: str,
    features: str,
    on: str,
    by: str,
    columns: Sequence[str],
    tolerance: Any = None,
    allow_exact: bool = False,
    arrival: str | None = None,
) -> str:
    """Return the query that joins labels with what was known before each.

    It is ``point_in_time_join`` of features/, for tables that an engine knows by name.

    Parameters
    ----------
    labels, features : str
        Names of the tables. The very same feature row may be there twice.
    on, by : str
        Names of the columns of time and of the key, in both tables. A missing key joins
        with nothing. Keys are text in both tables or in neither.
    columns : sequence of str
        The columns of features to add, of types that have an order. No column of labels
        has such a name.
    tolerance : duration, number or None
        Feature rows older than this count as missing: a number if times are numbers,
        else a duration such as "2h" or a Timedelta, of whole microseconds. None takes
        any age.
    allow_exact : bool
        Whether a feature row of the very time of the label may be used.
    arrival : str or None
        Column of features with the time from which each row could be read. None: rows
        can be read at the time that they describe.

    Returns
    -------
    str
        A query for the rows of labels, in no order, with ``<on>_feature`` added, the
        time that the row taken describes, and ``columns``.

    Raises
    ------
    ValueError
        If a name is empty or no text, a column would be there twice, or tolerance is
        negative, beyond 4e18 or no duration. The query itself fails, with what is wrong
        and where, if a time is missing, NaN, a text or, beside a tolerance in numbers,
        beyond 4e18; if two different feature rows have one key and time; or if keys
        are text in one table alone. Spark does so under ``spark.sql.ansi.enabled``.

    Examples
    --------
    >>> sql = point_in_time_sql("labels", "visits", "time", "user", ["visits"])
    >>> "ASOF" in sql
    False
    """
    time, key = _name("on", on), _name("by", by)
    late = arrival not in (None, on)
    read = _name("arrival", arrival) if late else time
    added = _names("columns", columns)
    _once([on, by, f"{on}_feature", *columns])
    left, right = _table("labels", labels), _table("features", features)
    length = _length("tolerance", tolerance, "[0, inf)")
    rules = [*_times(time, on, features, key, by, length), _two_kinds(key, by, left)]
    if late:
        rules += _times(read, arrival, features, key, by, length)
    there = _kept(rules, drop=_gone(f"_row.{key}"))
    asked = _kept(_times(time, on, labels, key, by, length), _gone(f"_row.{key}"))
    who, at, known = (f"_row.{column}" for column in (key, time, read))
    each = ", ".join(dict.fromkeys([who, at, known]))
    single = _kept([(_differ(added), f"two different rows for {by} ", who, at)])
    values = "".join(f", max(_row.{c}) AS c{i}" for i, c in enumerate(added))
    taken = "".join(f", _known.c{i}" for i in range(len(added)))
    named = "".join(f", _found.c{i} AS {c}" for i, c in enumerate(added))
    # At equal times, what stands first is not seen by what stands after it.
    label, feature = (1, 0) if allow_exact else (0, 1)
    young = _within("_newest.moment", "_known.seen", length)
    # --8<-- [start:join]
    once = f"""
  SELECT {who} AS k, {at} AS seen, {known} AS known{values}
  FROM {right} AS _row WHERE {there} GROUP BY {each} HAVING {single}"""
    # A row that arrives after a newer one was never the newest known.
    records = f"""
  SELECT * FROM (
    SELECT o.*, max(seen) OVER (PARTITION BY k ORDER BY known) AS newest
    FROM ({once}) AS o
  ) AS r WHERE seen = newest"""
    return f"""
WITH _known AS ({records if late else once}),
_moments AS (
  SELECT DISTINCT {who} AS k, {at} AS moment, {label} AS place
  FROM {left} AS _row WHERE {asked}
  UNION ALL SELECT k, known, {feature} FROM _known
),
_newest AS (
  SELECT k, moment, place, max(CASE WHEN place = {feature} THEN moment END) OVER (
    PARTITION BY k ORDER BY moment, place ROWS UNBOUNDED PRECEDING
  ) AS known
  FROM _moments
),
_found AS (
  SELECT _newest.k, _newest.moment, _known.seen{taken}
  FROM _newest JOIN _known ON _known.k = _newest.k AND _known.known = _newest.known
  WHERE _newest.place = {label} AND {young}
)
SELECT _labels.*, _found.seen AS {_quoted(f"{on}_feature")}{named}
FROM {left} AS _labels
LEFT JOIN _found ON _found.k = _labels.{key} AND _found.moment = _labels.{time}
"""
    # --8<-- [end:join]


def count_before_sql(
    events: str,
    rows: str,
    key: str,
    time: str,
    window: Any = None,
    value: str | None = None,
    event_time: str | None = None,
    name: str = "count_before",
) -> str:
    """Return the query that counts each row's earlier events of its key.

    It is ``count_before`` of features/: events in [time - window, time), never those of
    the row's own moment.

    Parameters
    ----------
    events, rows : str
        Names of the tables; they may be the same one.
    key, time : str
        Names of the columns of the key and of the time. A missing key is nobody's
        event, and counts nothing. Keys are text in both tables or in neither.
    window : duration, number or None
        How far to look back, more than 0: a number if times are numbers, else a
        duration such as "7D" or a Timedelta, of whole microseconds. None looks back for
        ever.
    value : str or None
        Sum this column of events instead of counting them. A sum is the difference of
        two running totals of its key: exact for whole numbers below 2^53, else to the
        last digits of the largest total.
    event_time : str or None
        The column with the time from which an event was known. None: named as time.
    name : str, default "count_before"
        Of the column to add.

    Returns
    -------
    str
        A query for the rows, in no order, with the count added: 0 where nothing was
        known.

    Raises
    ------
    ValueError
        If a name is empty or no text, a column would be there twice, or window is no
        positive duration, or beyond 4e18. The query itself fails, with what is wrong
        and where, if a time is missing, NaN, a text or, beside a window in numbers,
        beyond 4e18; if a value is missing or not between -1e290 and 1e290; or if keys
        are text in one table alone. Spark does so under ``spark.sql.ansi.enabled``.

    Examples
    --------
    >>> sql = count_before_sql("clicks", "log", "user", "time", window="7D")
    >>> "INTERVAL '604800.000000' SECOND" in sql
    True
    """
    who, now, result = _name("key", key), _name("time", time), _name("name", name)
    when = now if event_time is None else _name("event_time", event_time)
    happened, asking = _table("events", events), _table("rows", rows)
    _once([key, time, name])
    amount = "1" if value is None else f"CAST(_row.{_name('value', value)} AS DOUBLE)"
    length = _length("window", window, "(0, inf)")
    rules = [
        *_times(when, event_time or time, events, who, key, length),
        _two_kinds(who, key, asking),
    ]
    if value is not None:
        wrong = f"({amount} > -1E290 AND {amount} < 1E290) IS NOT TRUE"
        words = f"{value} of {events} is no number for {key} "
        rules.append((wrong, words, f"_row.{who}"))
    asked = _kept(_times(now, time, rows, who, key, length), _gone(f"_row.{who}"))
    counted = _kept(rules, drop=_gone(f"_row.{who}"))
    starts = (
        ""
        if length is None
        else f"UNION ALL SELECT k, moment - {length}, moment, -1, 0 FROM _asked"
    )
    kind = "BIGINT" if value is None else "DOUBLE"
    # --8<-- [start:count]
    return f"""
WITH _asked AS (
  SELECT DISTINCT _row.{who} AS k, _row.{now} AS moment
  FROM {asking} AS _row WHERE {asked}
),
_entries AS (
  SELECT _row.{who} AS k, _row.{when} AS moment, _row.{when} AS as_of,
    0 AS sign, {amount} AS amount
  FROM {happened} AS _row WHERE {counted}
  UNION ALL SELECT k, moment, moment, 1, 0 FROM _asked
  {starts}
),
_running AS (
  SELECT k, as_of, sign, sum(amount) OVER (
    PARTITION BY k ORDER BY moment, abs(sign) DESC ROWS UNBOUNDED PRECEDING
  ) AS total
  FROM _entries
),
_counts AS (
  SELECT k, as_of, sum(sign * total) AS n FROM _running WHERE sign <> 0
  GROUP BY k, as_of
)
SELECT _rows.*, CAST(coalesce(_counts.n, 0) AS {kind}) AS {result}
FROM {asking} AS _rows
LEFT JOIN _counts ON _counts.k = _rows.{who} AND _counts.as_of = _rows.{now}
"""
    # --8<-- [end:count]


def join_impressions_clicks_sql(
    impressions: str,
    clicks: str,
    window: Any,
    columns: Sequence[str] = (),
    request_id: str = "request_id",
    timestamp: str = "timestamp",
) -> str:
    """Return the query that labels each impression with its first click in time.

    It is ``join_impressions_clicks`` of training_data/.

    Parameters
    ----------
    impressions, clicks : str
        Names of the tables. The same impression may be sent again, and a click, too.
        Clicks before their impression, after its window, without any impression or
        without an id count for nothing.
    window : duration or number
        A click counts up to this long after its impression, the end included; a number
        if times are numbers, else a duration such as "30min" or a Timedelta, of whole
        microseconds.
    columns : sequence of str
        The other columns of impressions to keep, of types that have an order.
    request_id, timestamp : str
        Names of the columns of the id and of the time, in both tables. Ids are text in
        both or in neither.

    Returns
    -------
    str
        A query for each impression once, in no order: the id, the time, ``columns``,
        ``click_timestamp``, missing without a click, and ``click``, 0 or 1.

    Raises
    ------
    ValueError
        If a name is empty or no text, a column would be there twice, or window is
        negative, beyond 4e18 or no duration. The query itself fails, with what is wrong
        and where, if a time or the id of an impression is missing or NaN, if a time is
        a text or, beside a window in numbers, beyond 4e18; if one request has two times
        or two values of a column; or if ids are text in one table alone. Spark does so
        under ``spark.sql.ansi.enabled``.

    Examples
    --------
    >>> sql = join_impressions_clicks_sql("impressions", "clicks", "1h")
    >>> sql.count("JOIN")
    2
    """
    key, time = _name("request_id", request_id), _name("timestamp", timestamp)
    shown, clicked = _table("impressions", impressions), _table("clicks", clicks)
    kept = _names("columns", columns)
    _once([request_id, timestamp, "click_timestamp", "click", *columns])
    if (limit := _length("window", window, "[0, inf)")) is None:
        raise ValueError("window must be a duration or a number, got None")
    who, at = f"_row.{key}", f"_row.{time}"
    whole = _kept(
        [
            (_gone(who), f"{request_id} of {impressions} is missing at ", at),
            *_times(time, timestamp, impressions, key, request_id, limit),
        ]
    )
    single = _kept(
        [
            (f"min({at}) < max({at})", f"two times for {request_id} ", who),
            (_differ(kept), f"two different rows for {request_id} ", who),
        ]
    )
    known = _kept(
        [
            *_times(time, timestamp, clicks, key, request_id, limit),
            _two_kinds(key, request_id, shown),
        ],
        drop=_gone(who),
    )
    values = "".join(f", max(_row.{c}) AS c{i}" for i, c in enumerate(kept))
    named = "".join(f", _shown.c{i} AS {c}" for i, c in enumerate(kept))
    in_time = _within("_clicked.moment", "_shown.moment", limit)
    # Without the coalesce, Spark infers that a click has a time, and drops those that
    # have none before they are refused.
    # --8<-- [start:batch]
    return f"""
WITH _shown AS (
  SELECT {who} AS k, min({at}) AS moment{values}
  FROM {shown} AS _row WHERE {whole} GROUP BY {who} HAVING {single}
),
_clicked AS (
  SELECT {who} AS k, {at} AS moment FROM {clicked} AS _row WHERE {known}
),
_first_click AS (
  SELECT _shown.k, min(_clicked.moment) AS moment
  FROM _shown JOIN _clicked ON _clicked.k = _shown.k
  WHERE coalesce(_clicked.moment >= _shown.moment AND {in_time}, TRUE)
  GROUP BY _shown.k
)
SELECT _shown.k AS {key}, _shown.moment AS {time}{named},
  _first_click.moment AS click_timestamp,
  CASE WHEN _first_click.k IS NULL THEN 0 ELSE 1 END AS click
FROM _shown LEFT JOIN _first_click ON _first_click.k = _shown.k
"""
    # --8<-- [end:batch]


def _name(argument: str, name: Any) -> str:
    """Return the name of a table or a column as SQL quotes it."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{argument} must be a name, got {name!r}")
    return _quoted(name)


def _names(argument: str, names: Any) -> list[str]:
    """Return the names of columns, quoted."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise ValueError(f"{argument} must be a list of names, got {names!r}")
    return [_name(argument, name) for name in names]


def _table(argument: str, name: Any) -> str:
    """Return the name of a table, each part of schema.table quoted."""
    parts = str(name).split(".")
    if not isinstance(name, str) or any(part.strip(" _") == "" for part in parts):
        raise ValueError(f"{argument} must be the name of a table, got {name!r}")
    if parts[-1].startswith("_"):
        raise ValueError(
            f"{argument} must not begin with _, as parts of the query do, got {name!r}"
        )
    return ".".join(map(_quoted, parts))


def _once(names: list[str]) -> None:
    """Refuse a column that the result would have twice; engines ignore case."""
    folded = [name.lower() for name in names]
    for place, name in enumerate(folded):
        if name in folded[:place]:
            raise ValueError(f"column {name!r} would be there twice: rename one")


# --8<-- [start:kept]
def _kept(rules: list[tuple[str, ...]], drop: str = "1 = 0") -> str:
    """Return the condition of rows to keep, on which the query fails at a bad row.

    SQL has no word for "raise" that both engines know. What both refuse is to make a
    number of a text, Spark under ``spark.sql.ansi.enabled``: so the text is what is
    wrong. Each rule is the condition of a bad row, the words, and the columns whose
    values name the row.
    """
    cases = "".join(
        f"WHEN {bad} THEN {_words(words, *where)} " for bad, words, *where in rules
    )
    return f"CAST(CASE {cases}WHEN {drop} THEN '0' ELSE '1' END AS INT) = 1"


# --8<-- [end:kept]


def _words(words: str, *where: str) -> str:
    """Return a text of SQL that ends with the values of columns."""
    text = words.replace("'", "''")
    values = " || ' at ' || ".join(
        f"coalesce(CAST({column} AS STRING), 'NULL')" for column in where
    )
    return f"'{text}' || {values}"


def _gone(column: str) -> str:
    """Return the condition that a value is missing, NaN being so, too."""
    nan = f"lower(CAST({column} AS STRING)) IN ('nan', '-nan')"  # of any type
    return f"({column} IS NULL OR {_typed(column, FLOATS)} AND {nan})"


def _typed(column: str, types: str) -> str:
    return f"typeof({column}) IN ({types})"


def _times(
    column: str, name: str, table: str, key: str, key_name: str, length: str | None
) -> list[tuple[str, ...]]:
    """Return the rules that a column holds times: no gap, no text, and none so far.

    A difference of two whole numbers beyond would wrap around in silence.
    """
    column, key = f"_row.{column}", f"_row.{key}"
    rules = [
        (_gone(column), "missing"),
        (_typed(column, TEXTS), "a text, which has no order in time,"),
    ]
    if length and not length.startswith("INTERVAL"):
        rules.append((f"NOT {column} BETWEEN -{FAR} AND {FAR}", f"beyond {FAR}"))
    return [
        (bad, f"{name} of {table} is {what} for {key_name} ", key)
        for bad, what in rules
    ]


def _two_kinds(key: str, name: str, other: str) -> tuple[str, ...]:
    """Return the rule that keys are text in both tables or in neither."""
    ours, theirs = (_typed(f"{row}.{key}", TEXTS) for row in ("_row", "_other"))
    bad = f"({ours}) <> (SELECT {theirs} FROM {other} AS _other LIMIT 1)"
    return bad, f"{name} is text in one table alone: ", f"_row.{key}"


def _differ(columns: list[str]) -> str:
    """Return the condition that rows of a group have two values, missing being one."""
    each = [
        f"min({c}) <> max({c}) OR (count({c}) > 0 AND count({c}) < count(*))"
        for c in (f"_row.{column}" for column in columns)
    ]
    return " OR ".join(each) or "1 = 0"


def _length(argument: str, length: Any, interval: str) -> str | None:
    """Return a number, or an interval in microseconds, as SQL writes it."""
    ticks = _duration(argument, length, None, "us", interval)
    if ticks is None:
        return None
    if isinstance(length, numbers.Real) and not isinstance(length, np.timedelta64):
        if ticks > float(FAR):
            raise ValueError(f"{argument} must be at most {FAR}, got {length}")
        return f"CAST('{ticks}' AS {'BIGINT' if isinstance(ticks, int) else 'DOUBLE'})"
    return f"INTERVAL '{ticks // MICROSECONDS}.{ticks % MICROSECONDS:06d}' SECOND"


def _within(later: str, earlier: str, length: str | None) -> str:
    """Return the condition that a moment is at most so long after another."""
    if length is None:
        return "1 = 1"
    if length.startswith("INTERVAL"):
        return f"{later} <= {earlier} + {length}"
    # A difference of two INTs would be one: it may be larger.
    return f"{later} + CAST(0 AS BIGINT) - {earlier} <= {length}"


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


def _quoted(name: str) -> str:
    """Return a name as SQL quotes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


# --- End of the door. ---
