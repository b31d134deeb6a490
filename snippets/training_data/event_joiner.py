"""Join impressions with the clicks that follow them, in batch and as a stream.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD, section 4: a queue with a hash map
holds each impression for a full window; no click by then means a negative; a click stream that stops must not turn
every impression into one.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


def join_impressions_clicks(impressions: pd.DataFrame, clicks: pd.DataFrame, window: Any) -> pd.DataFrame:
    """Label each impression with its first click inside the window.

    Parameters
    ----------
    impressions : pandas.DataFrame
        With the columns ``request_id`` and ``timestamp``, and any others. The same impression may be sent again.
    clicks : pandas.DataFrame
        With the columns ``request_id`` and ``timestamp``, in any order, duplicates allowed. Clicks before their
        impression, after its window or without any impression count for nothing.
    window : timedelta or number
        A click counts up to this long after its impression, the end included; in the unit of the timestamps.

    Returns
    -------
    pandas.DataFrame
        Each impression once, in the order given, with the columns added ``click`` (0 or 1) and ``click_timestamp``
        (missing without a click).

    Raises
    ------
    ValueError
        If a column is missing, a timestamp is missing, timestamps are of two kinds, one request has impressions at two
        times, or the window is negative.

    Examples
    --------
    >>> impressions = pd.DataFrame({"request_id": ["a", "b"], "timestamp": [0, 5]})
    >>> clicks = pd.DataFrame({"request_id": ["b", "a", "b"], "timestamp": [9, 70, 7]})
    >>> join_impressions_clicks(impressions, clicks, window=60)["click"].tolist()
    [0, 1]
    """
    for name, frame in [("impressions", impressions), ("clicks", clicks)]:
        for column in ["request_id", "timestamp"]:
            if column not in frame:
                raise ValueError(f"{name} has no column {column!r}")
            if frame[column].isna().any():
                raise ValueError(f"{name} has no {column} at row {int(frame[column].isna().to_numpy().argmax())}")
    kinds = [str(frame["timestamp"].dtype) for frame in (impressions, clicks) if len(frame)]
    if len(set(kinds)) > 1:
        raise ValueError(f"timestamps are of two kinds: {kinds[0]} in impressions, {kinds[1]} in clicks")
    if window < type(window)(0):
        raise ValueError(f"window must not be negative, got {window}")
    if not (requests := pd.Index(impressions["request_id"])).is_unique:
        impressions = impressions.drop_duplicates(["request_id", "timestamp"])
        requests = pd.Index(impressions["request_id"])
        if not requests.is_unique:
            raise ValueError(f"request {requests[requests.duplicated()][0]} has impressions at two times")
    # --8<-- [start:batch]
    row = requests.get_indexer(clicks["request_id"])  # of each click's impression, -1 without
    clicked = clicks["timestamp"][row >= 0].reset_index(drop=True)
    row = row[row >= 0]
    shown = impressions["timestamp"].take(row).reset_index(drop=True)
    inside = clicked.between(shown, shown + window)
    first = clicked[inside].groupby(row[inside]).min()
    joined = impressions.reset_index(drop=True)
    joined["click_timestamp"] = first
    joined["click"] = joined["click_timestamp"].notna().astype(np.int8)
    # --8<-- [end:batch]
    return joined


def dirty_stream(
    impressions: pd.DataFrame,
    clicks: pd.DataFrame,
    rng: np.random.Generator,
    *,
    lateness: float = 30.0,
    duplicates: float = 0.1,
    gap: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Make of two clean tables what a message queue delivers: the input on which to test a joiner.

    Parameters
    ----------
    impressions, clicks : pandas.DataFrame
        With the columns ``request_id`` and ``timestamp``, in seconds.
    rng : numpy.random.Generator
    lateness : float
        Each event arrives up to this many seconds after it happened, at random: they overtake each other.
    duplicates : float
        Share of events that are sent once more, in [0, 1].
    gap : (start, end) or None
        Clicks that happen in this time, start included, are lost.

    Returns
    -------
    pandas.DataFrame
        ``kind`` ("impression" or "click"), ``request_id`` and ``timestamp`` in order of arrival.

    Raises
    ------
    ValueError
        If lateness is negative or not finite, duplicates is not a share, or the gap ends before it starts.

    Examples
    --------
    >>> shown, clicked = (pd.DataFrame({"request_id": [1], "timestamp": [time]}) for time in (0.0, 9.0))
    >>> dirty_stream(shown, clicked, np.random.default_rng(0), lateness=0, duplicates=0)["kind"].tolist()
    ['impression', 'click']
    """
    if not 0 <= lateness < np.inf:
        raise ValueError(f"lateness must be at least 0 and finite, got {lateness}")
    if not 0 <= duplicates <= 1:
        raise ValueError(f"duplicates must be a share in [0, 1], got {duplicates}")
    start, end = gap or (0.0, 0.0)
    if end < start:
        raise ValueError(f"gap must end after its start, got {gap}")
    kept = clicks[~((clicks["timestamp"] >= start) & (clicks["timestamp"] < end))]
    events = pd.concat([impressions.assign(kind="impression"), kept.assign(kind="click")], ignore_index=True)
    events = pd.concat([events, events[rng.random(len(events)) < duplicates]], ignore_index=True)
    arrival = events["timestamp"].to_numpy() + rng.uniform(0, lateness, len(events))
    return events.iloc[np.argsort(arrival, kind="stable")][["kind", "request_id", "timestamp"]].reset_index(drop=True)


class Example(NamedTuple):
    """An impression whose window has closed."""

    request_id: Hashable
    time: float
    click_time: float | None
    trusted: bool  # False if the click stream stood still within its window: a missing click means nothing


class OnlineJoiner:
    """Join the two streams as events arrive, in memory bounded by the window.

    An example is emitted only once its window has closed for good: at a time when no event of it can still arrive.

    Parameters
    ----------
    window : float
        A click counts up to this many seconds after its impression, the end included.
    lateness : float
        Events may arrive in any order as long as none is older, by more than this many seconds, than the newest event
        so far. Older ones are dropped and counted in ``late``.
    max_pending : int
        Most impressions held at once. One more raises OverflowError before anything is changed.
    stall_after : float or None
        If no click arrives for more than this many seconds of event time, at most the window, then examples whose
        window overlaps that gap are not ``trusted``, except those that closed before the gap was that long. None
        trusts all.

    Raises
    ------
    ValueError
        If an argument is out of range; by the methods, if a time is not finite, or one request has impressions at two
        times.

    Examples
    --------
    >>> joiner = OnlineJoiner(window=60)
    >>> joiner.impression("a", 0.0), joiner.impression("b", 5.0), joiner.click("b", 7.0)
    ([], [], [])
    >>> joiner.impression("c", 61.0)
    [Example(request_id='a', time=0.0, click_time=None, trusted=True)]
    >>> [example.click_time for example in joiner.flush()]
    [7.0, None]
    """

    def __init__(
        self, window: float, lateness: float = 0.0, max_pending: int = 1_000_000, stall_after: float | None = None
    ) -> None:
        for name, value, least in [("window", window, 0), ("lateness", lateness, 0), ("max_pending", max_pending, 1)]:
            if not least <= value < np.inf:
                raise ValueError(f"{name} must be at least {least} and finite, got {value}")
        if stall_after is not None and not 0 < stall_after <= window:
            raise ValueError(f"stall_after must be in (0, window], got {stall_after}")
        self.window, self.lateness, self.max_pending, self.stall_after = window, lateness, max_pending, stall_after
        self.late = 0  # events dropped since they were too old
        self._newest = self._newest_click = -np.inf
        self._started = np.inf  # time of the first event
        self._pending: dict[Hashable, tuple[float, float | None]] = {}  # impression time, click time
        self._queue: list[tuple[float, int, Hashable]] = []  # by time of the impression
        self._early: dict[Hashable, list[float]] = {}  # clicks that came before their impression
        self._early_queue: list[tuple[float, int, Hashable]] = []
        self._gaps: list[tuple[float, float]] = []  # without any click, longer than stall_after
        self._count = 0

    def impression(self, request_id: Hashable, time: float) -> list[Example]:
        """Take an impression; return the examples that close by it."""
        shown = self._pending.get(request_id)
        if shown is not None and shown[0] != time:
            raise ValueError(f"request {request_id} has impressions at two times, {shown[0]} and {time}")
        if shown is None and len(self._pending) >= self.max_pending:
            raise OverflowError(f"{self.max_pending} impressions are waiting: shorten the window, or allow more")
        if self._advance(time) and shown is None:
            clicks = [c for c in self._early.get(request_id, []) if time <= c <= time + self.window]
            self._pending[request_id] = (time, min(clicks, default=None))
            self._count += 1
            heapq.heappush(self._queue, (time, self._count, request_id))
        return self._close(self._newest - self.lateness)

    def click(self, request_id: Hashable, time: float) -> list[Example]:
        """Take a click; return the examples that close by it."""
        if self._advance(time):
            since = self._quiet_since()
            if self.stall_after is not None and time - since > self.stall_after:
                self._gaps.append((since, time))
            self._newest_click = max(self._newest_click, time)
            # --8<-- [start:click]
            if request_id in self._pending:
                shown, clicked = self._pending[request_id]
                if shown <= time <= shown + self.window:
                    self._pending[request_id] = (shown, time if clicked is None else min(clicked, time))
            else:
                self._early.setdefault(request_id, []).append(time)
                self._count += 1
                heapq.heappush(self._early_queue, (time, self._count, request_id))
            # --8<-- [end:click]
        return self._close(self._newest - self.lateness)

    def flush(self) -> list[Example]:
        """Return all that still waits: the streams have ended."""
        return self._close(np.inf)

    def _advance(self, time: float) -> bool:
        """Move the clock; say whether the event is recent enough to count."""
        if not np.isfinite(time):
            raise ValueError(f"time must be finite, got {time}")
        if time < self._newest - self.lateness:
            self.late += 1
            return False
        self._newest = max(self._newest, time)
        self._started = min(self._started, time)
        return True

    def _close(self, watermark: float) -> list[Example]:
        """Emit the examples whose window ended before the watermark: no event of theirs can still come."""
        out = []
        # --8<-- [start:close]
        while self._queue and self._queue[0][0] + self.window < watermark:
            time, _, request_id = heapq.heappop(self._queue)
            _, click_time = self._pending.pop(request_id)
            out.append(Example(request_id, time, click_time, self._trusted(time)))
        while self._early_queue and self._early_queue[0][0] < watermark:
            time, _, request_id = heapq.heappop(self._early_queue)
            self._early[request_id].remove(time)
            if not self._early[request_id]:
                del self._early[request_id]
        # --8<-- [end:close]
        oldest = min([self._newest - self.lateness, *[time for time, _, _ in self._queue[:1]]])
        self._gaps = [gap for gap in self._gaps if gap[1] >= oldest]
        return out

    def _trusted(self, time: float) -> bool:
        """Say whether clicks kept coming within the window that starts at this time."""
        if self.stall_after is None:
            return True
        since = self._quiet_since()
        open_gap = [(since, np.inf)] if self._newest - since > self.stall_after else []
        return not any(start < time + self.window and time < end for start, end in self._gaps + open_gap)

    def _quiet_since(self) -> float:
        """Return the time of the newest click, or before any click, that of the first event."""
        return self._started if self._newest_click == -np.inf else self._newest_click
