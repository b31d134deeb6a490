"""Count what was known of a user, an item or a pair before each row, in windows, and smooth the rates."""

from __future__ import annotations

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
) -> np.ndarray:
    """Count, for each row, the events of its key in [time - window, time): never those of its own moment.

    Parameters
    ----------
    event_key, event_time : arrays of shape (m,)
        Who, and when it became *known*: for a late click the arrival, not the impression. In any order.
    key, time : arrays of shape (n,)
        For whom, and as of when. Times are numbers, or datetimes of one time zone, in both.
    window : timedelta, number or None
        How far to look back, in the unit of the times, more than 0. None looks back for ever.
    value : array of shape (m,) or None
        Sum these instead of counting.

    Returns
    -------
    array of shape (n,)
        Whole numbers without value, else floats. 0 where nothing was known, and for a missing key.

    Raises
    ------
    ValueError
        If arrays differ in length, a time is missing, times are of two kinds, a value is not finite, or the window is
        not positive.

    Examples
    --------
    >>> count_before(["a", "a", "b"], [1, 5, 2], ["a", "a", "b", "c"], [5, 6, 9, 9]).tolist()
    [1, 2, 1, 0]
    >>> count_before(["a", "a", "b"], [1, 5, 2], ["a", "a", "b", "c"], [5, 6, 9, 9], window=2).tolist()
    [0, 1, 0, 0]
    """
    who, code = _codes(event_key, key)
    when, now = _times("event_time", event_time), _times("time", time)
    if len(who) != len(when) or len(code) != len(now):
        raise ValueError(
            f"one time for each key: got {len(who)} and {len(when)} events, {len(code)} and {len(now)} rows"
        )
    if when.dtype.kind != now.dtype.kind and when.size and now.size:
        raise ValueError(f"times are of two kinds: {np.asarray(event_time).dtype} and {np.asarray(time).dtype}")
    if window is not None and not window > type(window)(0):
        raise ValueError(f"window must be more than 0, got {window}")
    if value is not None:
        weight = np.asarray(value, dtype=float)
        if weight.shape != who.shape or not np.isfinite(weight).all():
            raise ValueError("value must hold a finite number for each event")
    moment, until, since, stride = _on_one_scale(
        when, now, window, int(max(who.max(initial=0), code.max(initial=0))) + 2
    )
    # --8<-- [start:count]
    # One number says key and moment, so that a binary search finds a row's place among the events of its key.
    events = who * stride + moment
    if value is None:
        events.sort()
    else:
        order = np.argsort(events)
        events, total = events[order], np.concatenate([[0.0], np.cumsum(weight[order])])
    rows = np.argsort(code * stride + until)  # searching in order is many times as fast

    def place(at):
        found = np.empty(len(code), np.int64)
        found[rows] = np.searchsorted(events, (code * stride + at)[rows])
        return found

    first = np.searchsorted(events, np.arange(-1, code.max(initial=0) + 1) * stride)[code + 1]
    start, end = first if window is None else place(since), place(until)
    counts = end - start if value is None else total[end] - total[start]
    # --8<-- [end:count]
    return np.where(code >= 0, counts, 0)


def smoothed_rate(successes: ArrayLike, trials: ArrayLike, prior_rate: float, strength: float) -> np.ndarray:
    """Return (successes + strength x prior_rate) / (trials + strength).

    Parameters
    ----------
    successes, trials : arrays of one shape
        Counts, at least 0. Clicks that arrive late can exceed the impressions of a short window.
    prior_rate : float
        The rate of something never seen, in [0, 1].
    strength : float
        How many trials the prior is worth, more than 0.

    Returns
    -------
    array of that shape

    Raises
    ------
    ValueError
        If a count is negative or not finite, or a parameter is out of range.

    Examples
    --------
    >>> smoothed_rate([0, 1, 30], [0, 1, 1000], prior_rate=0.03, strength=100).round(3).tolist()
    [0.03, 0.04, 0.03]
    """
    good, seen = np.asarray(successes, dtype=float), np.asarray(trials, dtype=float)
    for name, counts in [("successes", good), ("trials", seen)]:
        valid = (counts >= 0) & (counts < np.inf)
        if not valid.all():
            raise ValueError(f"{name} must be at least 0 and finite, got {counts[~valid].flat[0]:g}")
    if not 0 <= prior_rate <= 1:
        raise ValueError(f"prior_rate must be in [0, 1], got {prior_rate}")
    if not 0 < strength < np.inf:
        raise ValueError(f"strength must be positive and finite, got {strength}")
    # --8<-- [start:smooth]
    return (good + strength * prior_rate) / (seen + strength)
    # --8<-- [end:smooth]


def _codes(event_key: ArrayLike, key: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return whole numbers for the keys of both, -1 where one is missing."""
    first, second = pd.Series(event_key), pd.Series(key)
    codes, _ = pd.factorize(pd.concat([first, second], ignore_index=True))
    return codes[: len(first)], codes[len(first) :]


def _on_one_scale(when: np.ndarray, now: np.ndarray, window: Any, n_keys: int) -> tuple[np.ndarray, ...]:
    """Return events, ends and starts of the rows' windows as whole numbers, and one more than their largest."""
    if when.dtype.kind == "M":
        unit = np.result_type(when, now)
        when, now = when.astype(unit).view(np.int64), now.astype(unit).view(np.int64)
        if window is not None:
            step = pd.Timedelta(1, np.datetime_data(unit)[0])
            window = pd.Timedelta(window) // step
    if when.dtype.kind in "iu" and when.size:
        low, high = int(when.min()), int(when.max()) + 1
        if (high - low + 1) * n_keys < 2**62:
            since = now - int(np.floor(window)) if window is not None else np.full(len(now), low)
            return when - low, np.clip(now, low, high) - low, np.clip(since, low, high) - low, high - low + 1
    moments = np.unique(when)
    starts = np.zeros(len(now), np.int64) if window is None else np.searchsorted(moments, now - window)
    return np.searchsorted(moments, when), np.searchsorted(moments, now), starts, len(moments) + 1


def _times(name: str, times: ArrayLike) -> np.ndarray:
    """Return times without their zone, or say which is missing."""
    series = pd.Series(times)
    if series.isna().any():
        raise ValueError(f"{name} is missing at row {int(series.isna().to_numpy().argmax())}")
    return series.dt.tz_convert(None).to_numpy() if isinstance(series.dtype, pd.DatetimeTZDtype) else series.to_numpy()
