"""Business metrics from a raw stream of events: sessions, click rate, active users, revenue, retention.

A stream is a frame with one row an event and the columns ``user_id`` and ``timestamp`` (datetimes; without a time zone
they are taken as UTC), in any order. Some metrics also need ``event``, which says "impression" or "click", or
``value``, an amount of money. Each definition here is a choice that moves the number: the docstrings say which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

PERIODS = {"day": 1, "week": 7, "month": 28}  # 28 days hold each weekday four times; calendar months do not


class Revenue(NamedTuple):
    """Money in three units."""

    total: float
    per_thousand_impressions: float
    per_user: float


def sessionize(events: pd.DataFrame, gap: str | pd.Timedelta = "30min") -> pd.Series:
    """Give each event the number of its session, which ends when more than ``gap`` passes without an event.

    Midnight does not end a session, and neither does the end of the log. Half an hour is a habit of web analytics, not
    a law: look how the count changes with it.

    Parameters
    ----------
    events : frame with user_id and timestamp
    gap : timedelta
        The longest pause within a session, at least 0.

    Returns
    -------
    Series of int64, aligned with events
        0, 1, 2, … by user, and within a user by time.

    Raises
    ------
    ValueError
        If events is empty, lacks a column or a value, or gap is negative.

    Examples
    --------
    >>> times = pd.to_datetime(["2026-01-05 23:50", "2026-01-06 00:10", "2026-01-06 00:41"])
    >>> sessionize(pd.DataFrame({"user_id": 7, "timestamp": times})).tolist()
    [0, 0, 1]
    """
    _check(events)
    pause = pd.Timedelta(gap)
    if not pause >= pd.Timedelta(0):
        raise ValueError(f"gap must be a timedelta of at least 0, got {gap!r}")
    # --8<-- [start:sessionize]
    user = pd.factorize(events["user_id"], sort=True)[0]
    time = events["timestamp"].to_numpy("datetime64[us]").view(np.int64)
    order = _by_user_and_time(user, time)
    user, time = user[order], time[order]
    starts = np.ones(len(events), bool)
    starts[1:] = (user[1:] != user[:-1]) | (np.diff(time) > pause // pd.Timedelta("1us"))
    session = np.empty(len(events), np.int64)
    session[order] = np.cumsum(starts) - 1
    # --8<-- [end:sessionize]
    return pd.Series(session, events.index, name="session_id")


def session_length(events: pd.DataFrame, gap: str | pd.Timedelta = "30min") -> pd.Series:
    """Return the seconds from the first to the last event of each session.

    A session of one event has length 0: what the user did after the last event is not in the log.

    Parameters, errors: see sessionize.

    Returns
    -------
    Series of float, indexed by session_id
    """
    session = sessionize(events, gap).to_numpy()
    span = events["timestamp"].groupby(session).agg(["min", "max"])
    return (span["max"] - span["min"]).dt.total_seconds().rename("seconds").rename_axis("session_id")


def sessions_per_week(
    events: pd.DataFrame,
    gap: str | pd.Timedelta = "30min",
    time_zone: str = "UTC",
    n_users: int | None = None,
) -> pd.DataFrame:
    """Count sessions a user and week, for the weeks (Monday to Sunday) that the log covers from end to end.

    A session counts once, in the week in which it starts.

    Parameters
    ----------
    events, gap : see sessionize
    time_zone : str
        Where midnight is, as "Europe/Paris".
    n_users : int or None
        Divide by this many, with those who did nothing. None divides by the users with a session in that week, and
        then *rises* when light users leave.

    Returns
    -------
    frame indexed by the Monday, with sessions, users and sessions_per_user

    Raises
    ------
    ValueError
        If no week is complete, or an argument is bad.
    """
    session = sessionize(events, gap).to_numpy()
    _check_population(n_users, events)
    starts = events[["user_id", "timestamp"]].groupby(session).agg({"user_id": "first", "timestamp": "min"})
    start, stop = _local_day(events["timestamp"].agg(["min", "max"]), time_zone)
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
    return weeks.set_axis(_dates(weeks.index.to_numpy() * 7 + 4), axis=0).rename_axis("week")


def click_through_rate(events: pd.DataFrame, per: str = "impression") -> float:
    """Return clicks over impressions, of all together or averaged over users.

    Parameters
    ----------
    events : frame with event, and for the average over users also user_id
        Rows with other events are ignored.
    per : {"impression", "user"}
        "impression" weighs users by what they see; "user" gives each user with an impression the same weight.

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
    _check(events, ["event"] if per == "impression" else ["user_id", "event"])
    shown, clicked = events["event"].to_numpy() == "impression", events["event"].to_numpy() == "click"
    if not shown.any():
        raise ValueError("events hold no 'impression': a rate has nothing to divide by")
    if per == "impression":
        return float(clicked.sum() / shown.sum())
    user, ids = pd.factorize(events["user_id"])
    impressions = np.bincount(user[shown], minlength=len(ids))
    clicks = np.bincount(user[clicked], minlength=len(ids))
    seen = impressions > 0
    return float((clicks[seen] / impressions[seen]).mean())


def active_users(events: pd.DataFrame, period: str | int = "day", time_zone: str = "UTC") -> pd.Series:
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
    Series of int64, indexed by the last day of each period that lies wholly within the log

    Raises
    ------
    ValueError
        If the log is shorter than the period, or an argument is bad.

    Examples
    --------
    >>> times = pd.to_datetime(["2026-01-05 09:00", "2026-01-07 09:00", "2026-01-07 21:00"])
    >>> events = pd.DataFrame({"user_id": ["a", "a", "b"], "timestamp": times})
    >>> active_users(events).tolist(), active_users(events, period=2).tolist()
    ([1, 0, 2], [1, 2])
    """
    _check(events)
    length = PERIODS.get(period, period)
    if not isinstance(length, int | np.integer) or isinstance(length, bool) or length < 1:
        raise ValueError(f"period must be one of {sorted(PERIODS)} or a whole number of days, got {period!r}")
    day = _local_day(events["timestamp"], time_zone)
    first, n_days = int(day.min()), int(np.ptp(day)) + 1
    if n_days < length:
        raise ValueError(f"events cover {n_days} days, fewer than the {length} of period {period!r}")
    # --8<-- [start:active]
    # Each user and day once. A user counts from an active day until the period is over or the next active day.
    pair = np.sort(pd.factorize(events["user_id"])[0] * np.int64(n_days) + (day - first))
    pair = pair[np.append(True, pair[1:] != pair[:-1])]  # np.unique hashes whole numbers: ten times as slow here
    user, active = pair // n_days, pair % n_days
    until = np.minimum(active + length, n_days)
    again = user[:-1] == user[1:]
    until[:-1][again] = np.minimum(until[:-1], active[1:])[again]
    change = np.bincount(active, minlength=n_days + 1) - np.bincount(until, minlength=n_days + 1)
    count = np.cumsum(change)[length - 1 : n_days]
    # --8<-- [end:active]
    return pd.Series(count, _dates(np.arange(first + length - 1, first + n_days)).rename("day"), name="active_users")


def stickiness(events: pd.DataFrame, time_zone: str = "UTC", period: str | int = "month") -> pd.Series:
    """Return the users of each day as a share of the users of the period that ends with it: DAU / MAU.

    Times 28, the mean number of days a month on which a user of that month comes.

    Parameters, errors: see active_users.

    Returns
    -------
    Series of float in [0, 1], indexed by day
    """
    longer = active_users(events, period, time_zone)
    shorter = active_users(events, "day", time_zone).loc[longer.index]
    return (shorter / longer.where(longer > 0)).rename("stickiness")


def revenue(events: pd.DataFrame, n_users: int | None = None) -> Revenue:
    """Return revenue: in all, per thousand impressions, and per user.

    Parameters
    ----------
    events : frame with user_id, event and value
        value is money in one currency: what an impression, a click or a purchase paid, 0 or missing if nothing.
        Refunds are negative.
    n_users : int or None
        Divide by this many, with those who did nothing; None divides by the users with an event.

    Raises
    ------
    ValueError
        If there is no impression, a value is infinite, or an argument is bad.
    """
    _check(events, ["user_id", "event", "value"])
    _check_population(n_users, events)
    value = events["value"].fillna(0).to_numpy(float)
    if not np.isfinite(value).all():
        raise ValueError(f"value must be finite, got {value[~np.isfinite(value)][0]}")
    impressions = int((events["event"] == "impression").sum())
    if not impressions:
        raise ValueError("events hold no 'impression': there is nothing to divide by")
    total = float(value.sum())
    return Revenue(total, 1000 * total / impressions, total / (n_users or events["user_id"].nunique()))


def retention(
    events: pd.DataFrame,
    days: Sequence[int] = (1, 7, 28),
    sign_up: pd.Series | None = None,
    time_zone: str = "UTC",
) -> pd.DataFrame:
    """Return, for the users who joined on each day, the share that is active so many days later.

    Parameters
    ----------
    events : frame with user_id and timestamp
    days : whole numbers of days, at least 1
        "Active on day 7" is activity on that one day; by day 7 or later would be higher.
    sign_up : Series of datetimes indexed by user_id, or None
        When each user joined; those without events count as lost. None takes the first event, so that whoever never
        came is left out, and at the start of a log old users look new.
    time_zone : str
        Where midnight is.

    Returns
    -------
    frame indexed by the day of joining, with ``users`` and a column for each of days
        NaN where that day lies beyond the end of the log: not observed is not lost.

    Raises
    ------
    ValueError
        If a user of events has no sign_up, a user has two, or an argument is bad.
    """
    _check(events)
    for k in days:
        if not isinstance(k, int | np.integer) or k < 1:
            raise ValueError(f"days must be whole numbers of at least 1, got {k!r}")
    day = pd.Series(_local_day(events["timestamp"], time_zone), name="day")
    user = events["user_id"].reset_index(drop=True)
    if sign_up is None:
        joined = day.groupby(user).min()
    else:
        _check(sign_up.rename("timestamp").rename_axis("user_id").reset_index())
        if not sign_up.index.is_unique:
            raise ValueError(f"sign_up holds user {sign_up.index[sign_up.index.duplicated()][0]!r} twice")
        strangers = ~user.isin(sign_up.index)
        if strangers.any():
            raise ValueError(f"sign_up lacks user {user[strangers].iloc[0]!r}")
        joined = pd.Series(_local_day(sign_up, time_zone), sign_up.index)
    age = (day - user.map(joined)).rename("age")
    came = pd.DataFrame({"user_id": user, "age": age, "joined": day - age}).drop_duplicates()
    out = joined.value_counts().sort_index().rename("users").to_frame()
    for k in days:
        back = came.loc[came["age"] == k, "joined"].value_counts()
        share = back.reindex(out.index, fill_value=0) / out["users"]
        out[k] = share.where(out.index + k <= day.max())
    return out.set_axis(_dates(out.index.to_numpy()), axis=0).rename_axis("joined")


def bot_suspects(events: pd.DataFrame, per_hour: int = 500) -> pd.Index:
    """Return the users with more events in some hour of the clock than a person makes.

    Parameters
    ----------
    events : frame with user_id and timestamp
    per_hour : int
        The most that a person makes, at least 1. Look at the busiest users before you choose it.

    Raises
    ------
    ValueError
        If an argument is bad.
    """
    _check(events)
    if per_hour < 1:
        raise ValueError(f"per_hour must be at least 1, got {per_hour}")
    count = events.groupby(["user_id", events["timestamp"].dt.floor("h")], observed=True).size()
    return count[count > per_hour].index.get_level_values(0).unique()


def _check(events: pd.DataFrame, columns: Sequence[str] = ("user_id", "timestamp")) -> None:
    """Refuse a stream that lacks rows, columns or values; only an amount of money may be missing."""
    if len(events) == 0:
        raise ValueError("events is empty")
    for column in columns:
        if column not in events:
            raise ValueError(f"events needs a column {column!r}")
        if column != "value" and events[column].isna().any():
            raise ValueError(f"{column} is missing at row {int(events[column].isna().to_numpy().argmax())}")
    if "timestamp" in columns and not pd.api.types.is_datetime64_any_dtype(events["timestamp"]):
        raise ValueError(f"timestamp must hold datetimes of one time zone, got {events['timestamp'].dtype}")


def _check_population(n_users: int | None, events: pd.DataFrame) -> None:
    if n_users is not None and n_users < events["user_id"].nunique():
        raise ValueError(f"n_users is {n_users}, but events hold {events['user_id'].nunique()} users")


def _by_user_and_time(user: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Return the order by user and time; one number for both sorts faster, if it fits into 64 bits."""
    span = int(np.ptp(time)) + 1
    if span * (int(user.max()) + 1) < 2**63:
        return np.argsort(user * span + (time - time.min()))
    return np.lexsort((time, user))


def _local_day(timestamp: pd.Series, time_zone: str) -> np.ndarray:
    """Return the days since 1970 on the calendar of a time zone: days of 23 and 25 hours count as one."""
    try:
        zone = ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"time_zone must be a name as 'Europe/Paris', got {time_zone!r}") from error
    local = timestamp  # as an array, times with a zone are in UTC, and those without are taken as such
    if time_zone != "UTC":
        utc = timestamp if timestamp.dt.tz is not None else timestamp.dt.tz_localize("UTC")
        local = utc.dt.tz_convert(zone).dt.tz_localize(None)
    return local.to_numpy("datetime64[us]").astype("datetime64[D]").astype(np.int64)


def _dates(days: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[s]"))
