"""Join impressions with the clicks that follow them, in batch and as a stream.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD,
section 4: a queue with a hash map holds each impression for a full window; no click by
then means a negative; a click stream that stops must not turn every impression into
one.
"""

from __future__ import annotations

import heapq
import numbers
import operator
from collections.abc import Hashable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


def join_impressions_clicks(
    impressions: pd.DataFrame, clicks: pd.DataFrame, window: Any
) -> pd.DataFrame:
    """Label each impression with its first click inside the window.

    Parameters
    ----------
    impressions : table of pandas, Polars or PyArrow
        With the columns ``request_id`` and ``timestamp``, and any others. The same
        impression may be sent again.
    clicks : table
        With the columns ``request_id`` and ``timestamp``, in any order, duplicates
        allowed. Clicks before their impression, after its window, without any
        impression or without an id count for nothing.
    window : duration or number
        A click counts up to this long after its impression, the end included; a number,
        in the unit of the timestamps, if those are numbers, else a Timedelta or the
        like of "30min".

    Returns
    -------
    pandas.DataFrame
        Each impression once, in the order given and with its index, with the columns
        added ``click`` (0 or 1) and ``click_timestamp`` (missing without a click; whole
        numbers stay whole, as Int64).

    Raises
    ------
    ValueError
        If a column, a timestamp, or the id of an impression is missing; if ids or
        timestamps are of two kinds, such as 7 and "7"; if one request has impressions
        at two times; if the window is negative, or not in the unit of the timestamps.

    Examples
    --------
    >>> impressions = pd.DataFrame({"request_id": ["a", "b"], "timestamp": [0, 5]})
    >>> clicks = pd.DataFrame({"request_id": ["b", "a", "b"], "timestamp": [9, 70, 7]})
    >>> join_impressions_clicks(impressions, clicks, window=60)["click"].tolist()
    [0, 1]
    """
    impressions = _frame("impressions", impressions, ["request_id", "timestamp"])
    clicks = _frame("clicks", clicks, ["request_id", "timestamp"])
    frames = {"impressions": impressions, "clicks": clicks}
    request, clicked = _matched(
        {f"request_id of {name}": frame["request_id"] for name, frame in frames.items()}
    )
    times = {
        f"timestamp of {name}": frame["timestamp"] for name, frame in frames.items()
    }
    (shown, came), (window,) = _moments(times, {"window": window})
    if window is None:
        raise ValueError(
            "window must be a duration, or a number as the timestamps are, got None"
        )
    if (request < 0).any():
        row = int(np.argmin(request))
        raise ValueError(
            f"request_id of impressions is missing at row {row}: no click can be "
            "joined, leave it out"
        )
    rows = np.arange(len(request))
    # The last stands for no id
    shown_at = np.full(max(request.max(initial=-1), clicked.max(initial=-1)) + 2, -1)
    shown_at[request] = rows
    if (again := shown_at[request] != rows).any():  # sent more than once
        first_row = np.full(len(shown_at), len(rows))
        np.minimum.at(first_row, request, rows)
        if (moved := shown[first_row[request]] != shown).any():
            wrong = impressions["request_id"].iloc[int(np.argmax(moved))]
            raise ValueError(f"request {wrong} has impressions at two times")
        again = first_row[request] < rows
        impressions, shown, request = (
            impressions[~again],
            shown[~again],
            request[~again],
        )
        shown_at[request] = np.arange(len(request))
    # --8<-- [start:batch]
    row = shown_at[clicked]  # of each click's impression, -1 without
    click = np.flatnonzero(row >= 0)
    delay = came[click] - shown[row[click]]
    click = click[(delay >= 0) & (delay <= window)]
    click = click[np.argsort(came[click], kind="stable")]
    joined, earliest = np.unique(row[click], return_index=True)
    first = np.full(len(shown), -1)  # click of each impression
    first[joined] = click[earliest]
    # --8<-- [end:batch]
    times = (clicks if len(clicks) else impressions.iloc[:0])["timestamp"]
    times = times.astype("Int64") if pd.api.types.is_integer_dtype(times) else times
    clicked_at = pd.Series(
        times.array.take(first, allow_fill=True), index=impressions.index
    )
    return impressions.assign(
        click_timestamp=clicked_at, click=(first >= 0).astype(np.int8)
    )


def dirty_stream(
    impressions: pd.DataFrame,
    clicks: pd.DataFrame,
    rng: np.random.Generator,
    *,
    lateness: float = 30.0,
    duplicates: float = 0.1,
    gap: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Make of two clean tables what a message queue delivers.

    It is the input on which to test a joiner.

    Parameters
    ----------
    impressions, clicks : tables of pandas, Polars or PyArrow
        With the columns ``request_id`` and ``timestamp``, numbers in seconds.
    rng : numpy.random.Generator
    lateness : float
        Each event arrives up to this many seconds after it happened, at random: they
        overtake each other.
    duplicates : float
        Share of events that are sent once more, in [0, 1].
    gap : (start, end) or None
        Clicks that happen in this time, start included, are lost.

    Returns
    -------
    pandas.DataFrame
        ``kind`` ("impression" or "click"), ``request_id`` and ``timestamp`` in order of
        arrival.

    Raises
    ------
    ValueError
        If a column or a timestamp is missing, ids are of two kinds, such as 7 and "7",
        lateness is negative or not finite, duplicates is not a share, or the gap is not
        two times, the start first.

    Examples
    --------
    >>> shown, clicked = (
    ...     pd.DataFrame({"request_id": [1], "timestamp": [time]})
    ...     for time in (0.0, 9.0)
    ... )
    >>> rng = np.random.default_rng(0)
    >>> dirty_stream(shown, clicked, rng, lateness=0, duplicates=0)["kind"].tolist()
    ['impression', 'click']
    """
    _number("lateness", lateness, "[0, inf)")
    _number("duplicates", duplicates, "[0, 1]")
    if not (gap is None or (np.iterable(gap) and len(gap) == 2)):
        raise ValueError(f"gap must be two times, a start and an end, got {gap!r}")
    start, end = (
        _number("gap", time, "[-inf, inf]")
        for time in ((0.0, 0.0) if gap is None else gap)
    )
    if end < start:
        raise ValueError(f"gap must end after its start, got {gap}")
    impressions = _frame("impressions", impressions, ["request_id", "timestamp"])
    clicks = _frame("clicks", clicks, ["request_id", "timestamp"])
    frames = {"impressions": impressions, "clicks": clicks}
    # Or raise
    _matched(
        {f"request_id of {name}": frame["request_id"] for name, frame in frames.items()}
    )
    # Together, whole numbers would become floats
    if impressions["request_id"].dtype != clicks["request_id"].dtype:
        impressions, clicks = (
            frame.assign(request_id=frame["request_id"].astype(object))
            for frame in frames.values()
        )
    shown = _numbers("timestamp of impressions", impressions["timestamp"])
    clicked = _numbers("timestamp of clicks", clicks["timestamp"])
    kept = ~((clicked >= start) & (clicked < end))
    events = pd.concat(
        [impressions.assign(kind="impression"), clicks[kept].assign(kind="click")],
        ignore_index=True,
    )
    sent = np.append(
        np.arange(len(events)), np.flatnonzero(rng.random(len(events)) < duplicates)
    )
    arrival = np.append(shown, clicked[kept])[sent] + rng.uniform(
        0, lateness, len(sent)
    )
    sent = sent[np.argsort(arrival, kind="stable")]
    return events[["kind", "request_id", "timestamp"]].iloc[sent].reset_index(drop=True)


class Example(NamedTuple):
    """An impression whose window has closed."""

    request_id: Hashable
    time: float
    click_time: float | None
    # False if the click stream stood still within its window: a missing click means
    # nothing
    trusted: bool


class OnlineJoiner:
    """Join the two streams as events arrive, in memory bounded by the window.

    An example is emitted only once its window has closed for good: at a time when no
    event of it can still arrive. Times are numbers of seconds. Any order of events
    within the lateness gives the same labels. A click without an id (None or NaN)
    matches nothing; an impression without one is refused.

    Parameters
    ----------
    window : float
        A click counts up to this many seconds after its impression, the end included.
    lateness : float
        Events may arrive in any order as long as none is older, by more than this many
        seconds, than the newest event so far. Older ones are dropped and counted in
        ``late``.
    max_pending : int
        Most impressions held at once. One more, if none of them is due by then, raises
        OverflowError, and nothing is changed.
    stall_after : float or None
        If no click arrives for more than this many seconds of event time, at most the
        window, then examples whose window overlaps that gap are not ``trusted``, except
        those that closed before the gap was that long. Where clicks overtake each
        other, time counts as a gap until the newest of them. None trusts all.

    Raises
    ------
    ValueError
        If an argument is out of range; by the methods, if a time is not finite, the id
        of an impression is missing, ids are of two kinds, such as 7 and "7", or one
        request has impressions at two times.

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
        self,
        window: float,
        lateness: float = 0.0,
        max_pending: int = 1_000_000,
        stall_after: float | None = None,
    ) -> None:
        self.window = _number("window", window, "[0, inf)")
        self.lateness = _number("lateness", lateness, "[0, inf)")
        self.max_pending = _count("max_pending", max_pending)
        if (
            stall_after is not None
            and not 0 < _number("stall_after", stall_after) <= self.window
        ):
            raise ValueError(f"stall_after must be in (0, window], got {stall_after}")
        self.stall_after = stall_after
        self.late = 0  # events dropped since they were too old
        self._newest = self._newest_click = -np.inf
        self._started = np.inf  # time of the first event
        # Impression time, click time
        self._pending: dict[Hashable, tuple[float, float | None]] = {}
        self._queue: list[tuple[float, int, Hashable]] = []  # by time of the impression
        # Clicks that came before their impression
        self._early: dict[Hashable, list[float]] = {}
        self._early_queue: list[tuple[float, int, Hashable]] = []
        # Without any click, longer than stall_after
        self._gaps: list[tuple[float, float]] = []
        self._count = 0
        self._kind: str | None = None  # of the ids

    def impression(self, request_id: Hashable, time: float) -> list[Example]:
        """Take an impression; return the examples that close by it."""
        time = self._checked(request_id, time)
        if _is_missing(request_id):
            raise ValueError(
                "request_id of an impression is missing: no click can be joined to it, "
                "leave it out"
            )
        if self._is_late(time):
            return []
        if (shown := self._pending.get(request_id)) is not None and shown[0] != time:
            raise ValueError(
                f"request {request_id} has impressions at two times, {shown[0]} and "
                f"{time}"
            )
        watermark = max(self._newest, time) - self.lateness
        if (
            shown is None
            and len(self._pending) >= self.max_pending
            and not self._is_due(watermark)
        ):
            raise OverflowError(
                f"{self.max_pending} impressions are waiting: shorten the window, or "
                "allow more"
            )
        self._advance(time)
        out = self._close(watermark)
        if shown is None:
            clicks = [
                c
                for c in self._early.get(request_id, [])
                if 0 <= c - time <= self.window
            ]
            self._pending[request_id] = (time, min(clicks, default=None))
            self._count += 1
            heapq.heappush(self._queue, (time, self._count, request_id))
        return out

    def click(self, request_id: Hashable, time: float) -> list[Example]:
        """Take a click; return the examples that close by it."""
        time = self._checked(request_id, time)
        if self._is_late(time):
            return []
        self._advance(time)
        since = self._quiet_since()
        if self.stall_after is not None and time - since > self.stall_after:
            self._gaps.append((since, time))
        self._newest_click = max(self._newest_click, time)
        # --8<-- [start:click]
        if request_id in self._pending:
            shown, clicked = self._pending[request_id]
            if 0 <= time - shown <= self.window:
                self._pending[request_id] = (
                    shown,
                    time if clicked is None else min(clicked, time),
                )
        elif not _is_missing(request_id):
            self._early.setdefault(request_id, []).append(time)
            self._count += 1
            heapq.heappush(self._early_queue, (time, self._count, request_id))
        # --8<-- [end:click]
        return self._close(self._newest - self.lateness)

    def flush(self) -> list[Example]:
        """Return all that still waits: the streams have ended."""
        return self._close(np.inf)

    def _checked(self, request_id: Hashable, time: float) -> float:
        """Return the time as a float, if it is one and the id is like those before."""
        if not (type(time) is float and -np.inf < time < np.inf):
            time = _number("time", time)
        if not isinstance(request_id, Hashable):
            raise ValueError(
                "request_id must be one id, such as a number or a text, got "
                f"{request_id!r}"
            )
        if (kind := _kind_of(request_id)) != self._kind and not _is_missing(request_id):
            if self._kind is not None:
                raise ValueError(
                    f"request_id holds {self._kind} and {kind}: ids of two kinds never "
                    "match"
                )
            self._kind = kind
        return time

    def _is_late(self, time: float) -> bool:
        """Say whether an event is too old to count, and count it."""
        late = time < self._newest - self.lateness
        self.late += late
        return late

    def _advance(self, time: float) -> None:
        """Move the clock."""
        self._newest = max(self._newest, time)
        self._started = min(self._started, time)

    def _is_due(self, watermark: float) -> bool:
        """Say whether the oldest impression closes by the watermark.

        No event of its own can still come.
        """
        return bool(self._queue) and watermark - self._queue[0][0] > self.window

    def _close(self, watermark: float) -> list[Example]:
        """Emit the examples whose window ended before the watermark."""
        out = []
        # --8<-- [start:close]
        while self._is_due(watermark):
            time, _, request_id = heapq.heappop(self._queue)
            _, click_time = self._pending.pop(request_id)
            out.append(Example(request_id, time, click_time, self._trusted(time)))
        while self._early_queue and self._early_queue[0][0] < watermark:
            time, _, request_id = heapq.heappop(self._early_queue)
            self._early[request_id].remove(time)
            if not self._early[request_id]:
                del self._early[request_id]
        # --8<-- [end:close]
        oldest = min(
            [self._newest - self.lateness, *[time for time, _, _ in self._queue[:1]]]
        )
        self._gaps = [gap for gap in self._gaps if gap[1] >= oldest]
        return out

    def _trusted(self, time: float) -> bool:
        """Say whether clicks kept coming within the window that starts at this time."""
        if self.stall_after is None:
            return True
        since = self._quiet_since()
        open_gap = [(since, np.inf)] if self._newest - since > self.stall_after else []
        return not any(
            start < time + self.window and time < end
            for start, end in self._gaps + open_gap
        )

    def _quiet_since(self) -> float:
        """Return the newest click's time, or before any click, the first event's."""
        return self._started if self._newest_click == -np.inf else self._newest_click


def _is_missing(request_id: Hashable) -> bool:
    return request_id is None or request_id is pd.NA or request_id != request_id


def _kind_of(request_id: Hashable) -> str:
    """Return what an id is: those of two kinds never match."""
    if isinstance(request_id, str):
        return "text"
    if isinstance(request_id, float | np.floating) and not np.isnan(request_id):
        if not abs(request_id) < 2**53:
            raise ValueError(
                f"request_id must be below 2^53, for it is a float, got {request_id}"
            )
        return "whole numbers" if float(request_id).is_integer() else "fractions"
    return (
        "whole numbers"
        if isinstance(request_id, numbers.Integral | np.bool_)
        else type(request_id).__name__
    )


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
