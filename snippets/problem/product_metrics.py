"""Business metrics from a raw stream of events.

Sessions, click rate, active users, revenue, retention. A stream is a frame (pandas,
Polars, PyArrow) with one row an event and the columns ``user_id`` and ``timestamp``
(datetimes; without a time zone they are taken as UTC), in any order. Some metrics also
need ``event``, which says "impression" or "click", or ``value``, an amount of money.
Each definition here is a choice that moves the number: the docstrings say which.

Users are what is counted, so a missing ``user_id`` raises: leave such events out, or
give each an id of its own.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

# 28 days hold each weekday four times; calendar months do not
PERIODS = {"day": 1, "week": 7, "month": 28}


class Revenue(NamedTuple):
    """Money in three units."""

    total: float
    per_thousand_impressions: float
    per_user: float


def sessionize(
    events: pd.DataFrame, gap: str | pd.Timedelta | float = "30min"
) -> pd.Series:
    """Give each event the number of its session.

    A session ends when more than ``gap`` passes without an event. Midnight does not end
    a session, and neither does the end of the log. Half an hour is a habit of web
    analytics, not a law: look how the count changes with it.

    Parameters
    ----------
    events : frame with user_id and timestamp
        Here the timestamps may also be numbers.
    gap : timedelta, or text such as "30min"
        The longest pause within a session, at least 0. A number where the timestamps
        are numbers, and only there.

    Returns
    -------
    Series of int64, aligned with events
        0, 1, 2, … by user, and within a user by time.

    Raises
    ------
    ValueError
        If events is empty, lacks a column or a value, or gap is negative or a bare
        number beside datetimes.

    Examples
    --------
    >>> times = pd.to_datetime(
    ...     ["2026-01-05 23:50", "2026-01-06 00:10", "2026-01-06 00:41"]
    ... )
    >>> sessionize(pd.DataFrame({"user_id": 7, "timestamp": times})).tolist()
    [0, 0, 1]
    """
    events = _stream(events)
    if gap is None:
        raise ValueError("gap must be a duration, such as '30min', got None")
    (time,), (pause,) = _moments({"timestamp": events["timestamp"]}, {"gap": gap})
    user, _ = _users(events)
    # --8<-- [start:sessionize]
    order = _by_user_and_time(user, time)
    user, time = user[order], time[order]
    starts = np.ones(len(user), bool)
    starts[1:] = (user[1:] != user[:-1]) | (np.diff(time) > pause)
    session = np.empty(len(user), np.int64)
    session[order] = np.cumsum(starts) - 1
    # --8<-- [end:sessionize]
    return pd.Series(session, events.index, name="session_id")


def session_length(
    events: pd.DataFrame, gap: str | pd.Timedelta | float = "30min"
) -> pd.Series:
    """Return the seconds from the first to the last event of each session.

    If timestamps are numbers, their unit takes the place of seconds. A session of one
    event has length 0: what the user did after the last event is not in the log.

    Parameters, errors: see sessionize.

    Returns
    -------
    Series of float, indexed by session_id
    """
    events = _stream(events)
    session = sessionize(events, gap).to_numpy()
    kind, time = _clock("timestamp", events["timestamp"])
    span = pd.Series(time).groupby(session).agg(["min", "max"])
    length = span["max"] - span["min"]
    seconds = length if kind == "numbers" else length.dt.total_seconds()
    return seconds.astype(float).rename("seconds").rename_axis("session_id")


def sessions_per_week(
    events: pd.DataFrame,
    gap: str | pd.Timedelta = "30min",
    time_zone: str = "UTC",
    n_users: int | None = None,
) -> pd.DataFrame:
    """Count sessions a user and week, for the weeks that the log covers end to end.

    They are from Monday to Sunday. A session counts once, in the week in which it
    starts.

    Parameters
    ----------
    events, gap : see sessionize
    time_zone : str
        Where midnight is, as "Europe/Paris".
    n_users : int or None
        Divide by this many, with those who did nothing. None divides by the users with
        a session in that week, and then *rises* when light users leave.

    Returns
    -------
    frame indexed by the Monday, with sessions, users and sessions_per_user

    Raises
    ------
    ValueError
        If no week is complete, or an argument is bad.
    """
    events = _stream(events)
    user, time = (
        _codes("user_id", events["user_id"]),
        _datetimes("timestamp", events["timestamp"]),
    )
    session = sessionize(events, gap).to_numpy()
    _check_population(n_users, user)
    starts = pd.DataFrame({"user_id": user, "timestamp": time}).groupby(session)
    starts = starts.agg({"user_id": "first", "timestamp": "min"})
    start, stop = _local_day(time.agg(["min", "max"]), time_zone)
    # Day 4 of 1970 was a Monday.
    first, end = -(-(start - 4) // 7), (stop + 1 - 4) // 7
    if first >= end:
        raise ValueError("events cover no week from Monday to Sunday")
    starts["week"] = (_local_day(starts["timestamp"], time_zone) - 4) // 7
    weeks = starts.groupby("week")["user_id"].agg(sessions="size", users="nunique")
    weeks = weeks.reindex(range(first, end), fill_value=0)
    if n_users is not None:
        weeks["users"] = n_users
    weeks["sessions_per_user"] = weeks["sessions"] / weeks["users"]
    return weeks.set_axis(_dates(weeks.index.to_numpy() * 7 + 4), axis=0).rename_axis(
        "week"
    )


def click_through_rate(events: pd.DataFrame, per: str = "impression") -> float:
    """Return clicks over impressions, of all together or averaged over users.

    Parameters
    ----------
    events : frame with event, and for the average over users also user_id
        Rows with other events are ignored.
    per : {"impression", "user"}
        "impression" weighs users by what they see; "user" gives each user with an
        impression the same weight.

    Returns
    -------
    float
        At least 0; more than 1 if clicks are logged twice or impressions are lost.

    Raises
    ------
    ValueError
        If there is no impression, or an argument is bad.
    """
    if per not in ("impression", "user"):
        raise ValueError(f"per must be 'impression' or 'user', got {per!r}")
    events = _stream(events, ["event"] if per == "impression" else ["user_id", "event"])
    shown, clicked = _happened(events, "impression"), _happened(events, "click")
    if per == "impression":
        return float(clicked.sum() / shown.sum())
    user = _codes("user_id", events["user_id"])
    impressions = np.bincount(user[shown], minlength=user.max() + 1)
    clicks = np.bincount(user[clicked], minlength=user.max() + 1)
    seen = impressions > 0
    return float((clicks[seen] / impressions[seen]).mean())


def active_users(
    events: pd.DataFrame, period: str | int = "day", time_zone: str = "UTC"
) -> pd.Series:
    """Count, for each day, the users with an event in the period that ends with it.

    Parameters
    ----------
    events : frame with user_id and timestamp
        Only events that mean activity: a push notification that was received is none.
    period : {"day", "week", "month"} or int
        1, 7 or 28 days, or so many. Rolling, so that each day has a value.
    time_zone : str
        Where midnight is.

    Returns
    -------
    Series of int64, indexed by the last day of each period wholly within the log

    Raises
    ------
    ValueError
        If the log is shorter than the period, or an argument is bad.

    Examples
    --------
    >>> times = pd.to_datetime(
    ...     ["2026-01-05 09:00", "2026-01-07 09:00", "2026-01-07 21:00"]
    ... )
    >>> events = pd.DataFrame({"user_id": ["a", "a", "b"], "timestamp": times})
    >>> active_users(events).tolist(), active_users(events, period=2).tolist()
    ([1, 0, 2], [1, 2])
    """
    events = _stream(events)
    if isinstance(period, str) and period not in PERIODS:
        raise ValueError(
            f"period must be one of {sorted(PERIODS)} or a whole number of days, got "
            f"{period!r}"
        )
    length = PERIODS[period] if isinstance(period, str) else _count("period", period)
    user, day = (
        _codes("user_id", events["user_id"]),
        _local_day(_datetimes("timestamp", events["timestamp"]), time_zone),
    )
    first, n_days = int(day.min()), int(np.ptp(day)) + 1
    if n_days < length:
        raise ValueError(
            f"events cover {n_days} days, fewer than the {length} of period {period!r}"
        )
    # --8<-- [start:active]
    # Each user and day once. A user counts from an active day until the period is over
    # or the next active day.
    pair = np.sort(user * n_days + (day - first))
    # Np.unique hashes whole numbers: ten times as slow here
    pair = pair[np.append(True, pair[1:] != pair[:-1])]
    user, active = pair // n_days, pair % n_days
    until = np.minimum(active + length, n_days)
    again = user[:-1] == user[1:]
    until[:-1][again] = np.minimum(until[:-1], active[1:])[again]
    change = np.bincount(active, minlength=n_days + 1) - np.bincount(
        until, minlength=n_days + 1
    )
    count = np.cumsum(change)[length - 1 : n_days]
    # --8<-- [end:active]
    return pd.Series(
        count,
        _dates(np.arange(first + length - 1, first + n_days)).rename("day"),
        name="active_users",
    )


def stickiness(
    events: pd.DataFrame, time_zone: str = "UTC", period: str | int = "month"
) -> pd.Series:
    """Return the mean daily actives as a share of the actives of a period: DAU / MAU.

    Times 28, the mean number of days a month on which a user of that month comes. The
    actives of one single day over those of a month, which also go by that name, swing
    with the weekday instead.

    Parameters, errors: see active_users.

    Returns
    -------
    Series of float in (0, 1], indexed by the last day of each period
        NaN where nobody came in the whole period.
    """
    longer = active_users(events, period, time_zone)
    daily = active_users(events, "day", time_zone)
    length = len(daily) - len(longer) + 1
    return (
        daily.rolling(length).sum().loc[longer.index]
        / (length * longer.where(longer > 0))
    ).rename("stickiness")


def revenue(events: pd.DataFrame, n_users: int | None = None) -> Revenue:
    """Return revenue: in all, per thousand impressions, and per user.

    Parameters
    ----------
    events : frame with user_id, event and value
        value is money in one currency: what an impression, a click or a purchase paid,
        0 or missing if nothing. Refunds are negative.
    n_users : int or None
        Divide by this many, with those who did nothing; None divides by the users with
        an event.

    Raises
    ------
    ValueError
        If there is no impression, a value is infinite, or an argument is bad.
    """
    events = _stream(events, ["user_id", "event", "value"])
    user, shown = _codes("user_id", events["user_id"]), _happened(events, "impression")
    _check_population(n_users, user)
    value = _column("value", events["value"])
    value = (
        value.astype(object) if isinstance(value.dtype, pd.CategoricalDtype) else value
    )
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(_numbers("value", value.where(value.notna(), 0)).sum())
    if not np.isfinite(total):
        raise ValueError("value adds up to more than floats hold")
    return Revenue(
        total, 1000 * total / int(shown.sum()), total / int(n_users or user.max() + 1)
    )


def retention(
    events: pd.DataFrame,
    days: ArrayLike = (1, 7, 28),
    sign_up: pd.Series | None = None,
    time_zone: str = "UTC",
) -> pd.DataFrame:
    """Return, for those who joined on each day, the share active so many days later.

    Parameters
    ----------
    events : frame with user_id and timestamp
    days : whole numbers of days, at least 1
        "Active on day 7" is activity on that one day; by day 7 or later would be
        higher.
    sign_up : Series of datetimes indexed by user_id, or None
        When each user joined, with a time zone if the timestamps have one; those
        without events count as lost. None takes the first event, so that whoever never
        came is left out, and at the start of a log old users look new.
    time_zone : str
        Where midnight is.

    Returns
    -------
    frame indexed by the day of joining, with ``users`` and a column for each of days
        NaN where the log does not hold that day, before its first event or after its
        last: not observed is not lost. The days of the first and the last event are
        taken as whole.

    Raises
    ------
    ValueError
        If a user of events has no sign_up, a user has two, their ids are of two kinds,
        or an argument is bad.

    Examples
    --------
    >>> times = pd.to_datetime(
    ...     ["2026-01-05 09:00", "2026-01-06 09:00", "2026-01-06 21:00"]
    ... )
    >>> events = pd.DataFrame({"user_id": ["a", "a", "b"], "timestamp": times})
    >>> retention(events, days=[1])[1].tolist()
    [1.0, nan]
    """
    events, days = _stream(events), _whole("days", days, 1)
    _same_rows(days=days)
    user, time = (
        _codes("user_id", events["user_id"]),
        _datetimes("timestamp", events["timestamp"]),
    )
    day = _local_day(time, time_zone)
    if sign_up is None:
        joined = pd.Series(day).groupby(user).min().to_numpy()
    else:
        if not isinstance(sign_up, pd.Series):
            raise ValueError(
                "sign_up must be a Series indexed by user_id, got "
                f"{type(sign_up).__name__}"
            )
        if sign_up.index.nlevels > 1:
            raise ValueError(
                f"sign_up must be indexed by user_id alone, got {sign_up.index.names}"
            )
        _same_rows(sign_up=sign_up)
        _codes("sign_up", sign_up.index)  # refuses a missing user
        member, user = _matched(
            {"sign_up": sign_up.index, "user_id": events["user_id"]}
        )
        if len(again := np.flatnonzero(pd.Index(member).duplicated())):
            raise ValueError(f"sign_up holds user {sign_up.index[again[0]]!r} twice")
        if len(strangers := np.flatnonzero(user >= len(member))):
            raise ValueError(
                f"sign_up lacks user {events['user_id'].iloc[strangers[0]]!r}"
            )
        _moments({"sign_up": sign_up, "timestamp": time})  # refuses times of two kinds
        joined = np.empty(len(member), np.int64)
        joined[member] = _local_day(_datetimes("sign_up", sign_up), time_zone)
    age = day - joined[user]
    cohorts, users = np.unique(joined, return_counts=True)
    out = pd.DataFrame({"users": users}, _dates(cohorts).rename("joined"))
    for k in days.tolist():
        back = joined[np.unique(user[age == k])]
        share = (
            np.bincount(np.searchsorted(cohorts, back), minlength=len(cohorts)) / users
        )
        out[k] = np.where(
            (cohorts + k >= day.min()) & (cohorts + k <= day.max()), share, np.nan
        )
    return out


def bot_suspects(events: pd.DataFrame, per_hour: int = 500) -> pd.Index:
    """Return the users with more events in some hour than a person makes.

    Hours are those of UTC, which has no night on which one is left out or comes twice.

    Parameters
    ----------
    events : frame with user_id and timestamp
    per_hour : int
        The most that a person makes, at least 1. Look at the busiest users before you
        choose it.

    Raises
    ------
    ValueError
        If an argument is bad.
    """
    events, per_hour = _stream(events), _count("per_hour", per_hour)
    user, ids = _users(events)
    hour = (
        _utc(_datetimes("timestamp", events["timestamp"]))
        .astype("datetime64[h]")
        .astype(np.int64)
    )
    count = pd.Series(hour).groupby([user, hour]).size()
    return ids[count[count > per_hour].index.unique(0)]


def _stream(
    events: Any, columns: tuple[str, ...] | list[str] = ("user_id", "timestamp")
) -> pd.DataFrame:
    """Return a stream with rows as a data frame."""
    events = _frame("events", events, columns)
    _same_rows(events=events)
    return events


def _users(events: pd.DataFrame) -> tuple[np.ndarray, pd.Index]:
    """Return the number of each event's user in the order of ids, and the ids."""
    code = _codes("user_id", events["user_id"])
    row = np.empty(code.max() + 1, np.int64)
    row[code] = np.arange(len(code))
    ids = pd.Index(_column("user_id", events["user_id"]).iloc[row], name="user_id")
    try:
        order = ids.argsort()
    except TypeError as error:
        raise ValueError(f"user_id holds what has no order: {error}") from error
    rank = np.empty(len(ids), np.int64)
    rank[order] = np.arange(len(ids))
    return rank[code], ids[order]


def _datetimes(name: str, values: Any) -> pd.Series:
    """Return times, which must be of the calendar."""
    kind, time = _clock(name, values)
    if not kind.startswith("datetimes"):
        raise ValueError(f"{name} must hold datetimes, got {kind}")
    return time.reset_index(drop=True)


def _happened(events: pd.DataFrame, what: str) -> np.ndarray:
    """Say which events are of a kind; without any there is nothing to divide by."""
    event = events["event"]
    if event.isna().any():
        raise ValueError(f"event is missing at row {int(np.argmax(event.isna()))}")
    happened = event.to_numpy(object) == what
    if what == "impression" and not happened.any():
        raise ValueError("events hold no 'impression': there is nothing to divide by")
    return happened


def _check_population(n_users: int | None, user: np.ndarray) -> None:
    if n_users is not None and _count("n_users", n_users) < user.max() + 1:
        raise ValueError(
            f"n_users is {n_users}, but events hold {user.max() + 1} users"
        )


def _by_user_and_time(user: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return the order by user and time.

    One number for both sorts faster, if it fits into 64 bits.
    """
    span = time.max() + 1
    if time.dtype == np.int64 and int(span) * (int(user.max()) + 1) < 2**63:
        return np.argsort(user * span + time)
    return np.lexsort((time, user))


def _local_day(timestamp: pd.Series, time_zone: str) -> np.ndarray:
    """Return the days since 1970 on the calendar of a time zone.

    Days of 23 and 25 hours count as one.
    """
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
        raise ValueError(
            f"time_zone must be a name as 'Europe/Paris', got {time_zone!r}"
        ) from error
    # As an array, times with a zone are in UTC, and those without are taken as such
    local = timestamp
    if time_zone != "UTC":
        utc = (
            timestamp
            if timestamp.dt.tz is not None
            else timestamp.dt.tz_localize("UTC")
        )
        local = utc.dt.tz_convert(zone).dt.tz_localize(None)
    return _utc(local).astype("datetime64[D]").astype(np.int64)


def _utc(timestamp: pd.Series) -> np.ndarray:
    """Return times as an array in their own unit: a finer one may not reach as far."""
    return timestamp.to_numpy(f"datetime64[{timestamp.dt.unit}]")


def _dates(days: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[s]"))


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
