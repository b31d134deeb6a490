"""Join impressions with clicks out of two logs, through crashes, once each.

A log delivers at least once: after a crash, messages come again. So all that the joiner
knows is rows of one SQLite file: how far each log is read, what waits, what came out.
Each batch changes them in one transaction, and is acknowledged after it. Flink's
guide names the two conditions, https://nightlies.apache.org/flink/flink-docs-stable/
docs/learn-flink/fault_tolerance/: sources that replay, sinks that are transactional or
idempotent.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
import operator
import shutil
import sqlite3
import tempfile
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

STREAMS = ("impressions", "clicks")
OURS = 0x6A6F696E  # what a file of these tables says that it is; change it with them
TABLES = """
CREATE TABLE IF NOT EXISTS settings ("window" REAL, lateness REAL);
CREATE TABLE IF NOT EXISTS streams (
    name TEXT PRIMARY KEY, sequence INTEGER, newest REAL,
    redelivered INTEGER, duplicates INTEGER, late INTEGER, heartbeats INTEGER,
    gone INTEGER, last TEXT
);
CREATE TABLE IF NOT EXISTS waiting (request_id TEXT PRIMARY KEY, time REAL);
CREATE INDEX IF NOT EXISTS waiting_time ON waiting (time);
CREATE TABLE IF NOT EXISTS clicks (
    request_id TEXT, time REAL, PRIMARY KEY (request_id, time)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clicks_time ON clicks (time);
CREATE TABLE IF NOT EXISTS examples (
    request_id TEXT PRIMARY KEY, time REAL, click_time REAL
);
CREATE TABLE IF NOT EXISTS dead (
    stream TEXT, sequence INTEGER, payload BLOB, reason TEXT,
    PRIMARY KEY (stream, sequence)
);
"""
# --8<-- [start:close]
# A difference of times, as in the batch join: a sum would round otherwise.
CLOSED = """
SELECT waiting.request_id, waiting.time, min(clicks.time)
FROM waiting LEFT JOIN clicks
  ON clicks.request_id = waiting.request_id
  AND clicks.time - waiting.time BETWEEN 0 AND :window
WHERE waiting.time <= :watermark - :window
  AND :watermark - waiting.time > :window
GROUP BY waiting.request_id
ORDER BY waiting.time, waiting.request_id
"""
# --8<-- [end:close]
# By the same difference: a click at the time of its impression must not go before it.
PASSED = """
DELETE FROM clicks
WHERE time <= :watermark - :window AND :watermark - time > :window
"""


class Message(NamedTuple):
    """What a log delivers: the log's name, its number there from 1 on, and its text."""

    stream: str
    sequence: int
    payload: bytes | str
    # When the log took it, in seconds as the events' times. No event may be newer than
    # that by more than the lateness: its clock is wrong.
    stored: float = math.inf


def as_logs(
    events: Iterable[tuple[str, str | None, float]],
) -> dict[str, list[Message]]:
    """Return what two logs hold, of one list of events, to try a joiner with.

    Parameters
    ----------
    events : iterable of (kind, request_id, time)
        In order of arrival. The kind is "impression" or "click".

    Returns
    -------
    dict of list of Message
        ``impressions`` and ``clicks``.

    Raises
    ------
    ValueError
        If an event is of another kind.

    Examples
    --------
    >>> as_logs([("click", "a", 7.0)])["clicks"][0].payload
    '{"request_id": "a", "time": 7.0}'
    """
    logs = {name: [] for name in STREAMS}
    for kind, request_id, time in events:
        log = logs[_known(f"{kind}s")]
        payload = json.dumps({"request_id": request_id, "time": time})
        log.append(Message(f"{kind}s", len(log) + 1, payload))
    return logs


class Example(NamedTuple):
    """An impression whose window has closed."""

    request_id: str
    time: float
    click_time: float | None


class Dead(NamedTuple):
    """A message that was put aside, and why."""

    stream: str
    sequence: int
    payload: bytes
    reason: str


class MissingMessagesError(LookupError):
    """A log skipped messages: they come later, or are gone."""

    def __init__(self, stream: str, wanted: int, got: int) -> None:
        super().__init__(
            f"{stream}: message {wanted} is next, got {got}. Read from {wanted} on; if "
            f"the log no longer has it, give_up({stream!r}, {got})"
        )


@dataclass
class _Progress:
    """How far a log is read, and what was counted: a row of the table streams."""

    sequence: int = 0
    newest: float = -math.inf
    redelivered: int = 0
    duplicates: int = 0
    late: int = 0
    heartbeats: int = 0
    gone: int = 0
    last: str | None = None  # digest of the message with this number


class StreamJoiner:
    """Join two logs into examples, each once, with all state in one SQLite file.

    An object keeps nothing but its connection. So a killed process, an error or a full
    disk leaves the file as the last batch committed it. What comes out depends on the
    two logs and the settings alone: not on the size of batches, on which log is ahead,
    or on how often it all stopped. A message is a JSON object with ``request_id``, a
    text, and ``time`` in seconds; what is not is put aside. A click whose
    ``request_id`` is null matches nothing and moves the time on: a heartbeat.

    Parameters
    ----------
    path : path of a file, or None
        Which is made, or goes on. None is a file in the temporary folder that is
        deleted with the object.
    window : float
        A click counts up to this many seconds after its impression, the end included.
    lateness : float
        An event is late, counted and dropped, if a message before it in its own log has
        a time newer by more than this many seconds.
    max_bytes : int or None
        Most that the file may hold, rounded up to pages of 4096 bytes. None is as much
        as the disk has.

    Raises
    ------
    ValueError
        If an argument is out of range, or the file was made with another window or
        lateness.
    sqlite3.Error
        By every method, if the disk is full or another process keeps the file locked:
        then the batch changed nothing.

    Examples
    --------
    >>> shown, clicked = ('{"request_id": "a", "time": %d}' % t for t in (0, 7))
    >>> joiner = StreamJoiner(None, window=60)
    >>> joiner.take([("impressions", 1, shown), ("clicks", 1, clicked)])
    []
    >>> joiner.flush()
    [Example(request_id='a', time=0.0, click_time=7.0)]
    >>> joiner.close()
    """

    def __init__(
        self,
        path: str | Path | None,
        window: float,
        lateness: float = 0.0,
        max_bytes: int | None = None,
    ) -> None:
        self.window = _number("window", window, "[0, inf)")
        self.lateness = _number("lateness", lateness, "[0, inf)")
        if max_bytes is not None:
            max_bytes = _count("max_bytes", max_bytes)
        self._delete = None
        if path is None:
            folder = tempfile.mkdtemp()  # SQLite puts more files beside its own
            self._delete = weakref.finalize(self, shutil.rmtree, folder, True)
            path = Path(folder, "joiner.db")
        self.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        run = self.connection.execute
        tables = run("SELECT name FROM sqlite_master").fetchone()
        if tables and run("PRAGMA application_id").fetchone() != (OURS,):
            self.close()
            raise ValueError(
                f"path must be of a new file or of this joiner's, got {path}, which "
                f"holds {tables[0]!r} of another program or version"
            )
        run("PRAGMA journal_mode = WAL")
        # On the disk before it is acknowledged, unless it is deleted anyway
        run(f"PRAGMA synchronous = {'OFF' if self._delete else 'FULL'}")
        if max_bytes is not None:
            run(f"PRAGMA max_page_count = {-(-max_bytes // 4096)}")
        asked = (self.window, self.lateness)
        with self._transaction():
            for statement in filter(str.strip, TABLES.split(";")):
                run(statement)
            made = run("SELECT * FROM settings").fetchone()
            if made is None:
                run(f"PRAGMA application_id = {OURS}")
                run("INSERT INTO settings VALUES (?, ?)", asked)
                for name in STREAMS:
                    start = (name, *astuple(_Progress()))
                    run("INSERT INTO streams VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", start)
        if made not in (None, asked):
            self.close()
            raise ValueError(
                f"window and lateness of {path} are {made}, got {asked}: two windows "
                "must not mix, take another file and read the logs again"
            )

    def take(
        self,
        messages: Iterable[Message | tuple],
        sink: Callable[[list[Example]], Any] | None = None,
    ) -> list[Example]:
        """Take a batch, all or nothing; acknowledge it when this has returned.

        Parameters
        ----------
        messages : iterable of Message, or of tuples alike
            Of one log or of both, each in order of its numbers. Those that were taken
            before are skipped.
        sink : callable or None
            Gets the examples that closed, before the commit. If it raises, nothing has
            changed. After a crash it gets them again: let it be idempotent.

        Returns
        -------
        list of Example
            Those that closed by this batch, in order of time.

        Raises
        ------
        MissingMessagesError
            If a number was left out.
        ValueError
            If a message is of no known log, or has the number of the last one that was
            taken and is another.
        """
        # --8<-- [start:take]
        with self._transaction():
            progress = self._progress()
            for message in messages:
                self._one(progress, Message(*message))
            for name, at in progress.items():
                self.connection.execute(UPDATE, (*astuple(at), name))
            newest = min(at.newest for at in progress.values())
            return self._close(newest - self.lateness, sink)
        # --8<-- [end:take]

    def _one(self, progress: dict[str, _Progress], message: Message) -> None:
        stream, sequence, payload, stored = message
        at, run = progress[_known(stream)], self.connection.execute
        sequence = _count("sequence", sequence)
        if isinstance(payload, str):
            payload = payload.encode(errors="surrogatepass")
        if not isinstance(payload, bytes):
            raise ValueError(
                f"payload must be bytes or a text, got {_what(payload)} in message "
                f"{sequence} of {stream}"
            )
        digest = hashlib.sha256(payload + repr(stored).encode()).hexdigest()
        # --8<-- [start:one]
        if sequence <= at.sequence:
            if sequence == at.sequence and at.last not in (None, digest):
                raise ValueError(
                    f"{stream}: message {sequence} is not the one that was taken: the "
                    "log was made anew or lost its end, take another file"
                )
            at.redelivered += 1
            return
        if sequence > at.sequence + 1:
            raise MissingMessagesError(stream, at.sequence + 1, sequence)
        at.sequence, at.last = sequence, digest
        try:
            request_id, time = _event(stream, payload, stored + self.lateness)
            if time < at.newest - self.lateness:
                at.late += 1
                return
            if stream == "clicks":
                if request_id is None:
                    at.heartbeats += 1
                else:
                    added = run(ADD_CLICK, (request_id, time)).rowcount
                    at.duplicates += 1 - added
            elif (shown := run(SHOWN, (request_id,) * 2).fetchone()) is None:
                run("INSERT INTO waiting VALUES (?, ?)", (request_id, time))
            elif shown[0] == time:
                at.duplicates += 1
            else:
                raise ValueError(f"request_id was shown at {shown[0]}, now at {time}")
            at.newest = max(at.newest, time)
        except ValueError as error:
            dead = (stream, sequence, payload, str(error))
            run("INSERT INTO dead VALUES (?, ?, ?, ?)", dead)
        # --8<-- [end:one]

    def flush(
        self, sink: Callable[[list[Example]], Any] | None = None
    ) -> list[Example]:
        """Close all that waits, as ``take`` does: both logs have ended for good."""
        with self._transaction():
            return self._close(math.inf, sink)

    def _close(self, watermark, sink):
        """Move the examples whose window ended before the watermark to the others."""
        run = self.connection.execute
        bounds = {"watermark": watermark, "window": self.window}
        closed = [Example(*row) for row in run(CLOSED, bounds)]
        self.connection.executemany("INSERT INTO examples VALUES (?, ?, ?)", closed)
        gone = [(example.request_id,) for example in closed]
        self.connection.executemany("DELETE FROM waiting WHERE request_id = ?", gone)
        run(PASSED, bounds)
        if closed and sink is not None:
            sink(closed)
        return closed

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Do all of a block or nothing, alone: another process waits, then sees it."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.rollback()  # which a full disk may have done already
            raise

    def _progress(self) -> dict[str, _Progress]:
        rows = self.connection.execute("SELECT * FROM streams")
        return {name: _Progress(*row) for name, *row in rows}

    def next(self, stream: str) -> int:
        """Return the number of the message of a log that comes next."""
        return self._progress()[_known(stream)].sequence + 1

    def give_up(self, stream: str, sequence: int) -> None:
        """Go on at a message, although those before it are gone, and count them.

        An impression whose click was among them comes out as a negative: let no example
        count whose window overlaps the gap.
        """
        _count("sequence", sequence)
        with self._transaction():
            at = self._progress()[_known(stream)]
            if sequence <= at.sequence:
                raise ValueError(
                    f"sequence must be {at.sequence + 1} or more: those before were "
                    f"taken, got {sequence}"
                )
            at.gone += sequence - 1 - at.sequence
            at.sequence, at.last = sequence - 1, None
            self.connection.execute(UPDATE, (*astuple(at), stream))

    def turns(self, ahead: float = math.inf) -> list[str]:
        """Return the logs to read from, that with the older time first.

        The other is left out if it is more than ``ahead`` seconds past the first: what
        it holds waits in the log, not here.
        """
        ahead = _number("ahead", ahead, "[0, inf]")
        newest = {name: at.newest for name, at in self._progress().items()}
        behind, other = sorted(newest, key=newest.__getitem__)
        far = newest[other] - newest[behind] > ahead
        return [behind] if far else [behind, other]

    def examples(self) -> list[Example]:
        """Return all that came out, in order of time."""
        rows = self.connection.execute(
            "SELECT * FROM examples ORDER BY time, request_id"
        )
        return [Example(*row) for row in rows]

    def dead(self) -> list[Dead]:
        """Return what was put aside."""
        rows = self.connection.execute("SELECT * FROM dead ORDER BY stream, sequence")
        return [Dead(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """Return how many messages and examples there were, by what became of them."""
        one, other = self._progress().values()
        examples, waiting, dead = self.connection.execute(COUNT).fetchone()
        return {
            "examples": examples,
            "waiting": waiting,
            "dead": dead,
            "redelivered": one.redelivered + other.redelivered,
            "duplicates": one.duplicates + other.duplicates,
            "late": one.late + other.late,
            "heartbeats": one.heartbeats + other.heartbeats,
            "gone": one.gone + other.gone,
        }

    def close(self) -> None:
        """Close the file."""
        self.connection.close()
        if self._delete is not None:
            self._delete()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


SHOWN = """
SELECT time FROM waiting WHERE request_id = ?
UNION ALL SELECT time FROM examples WHERE request_id = ?
"""
COUNT = """
SELECT (SELECT count(*) FROM examples), (SELECT count(*) FROM waiting),
    (SELECT count(*) FROM dead)
"""
ADD_CLICK = "INSERT OR IGNORE INTO clicks VALUES (?, ?)"
UPDATE = """
UPDATE streams SET sequence = ?, newest = ?, redelivered = ?, duplicates = ?, late = ?,
    heartbeats = ?, gone = ?, last = ? WHERE name = ?
"""


def _known(stream: str) -> str:
    if stream not in STREAMS:
        raise ValueError(f"stream must be one of {STREAMS}, got {stream!r}")
    return stream


def _event(stream, payload, latest):
    """Return the id and the time of a message, or say why it is none."""
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"payload is no JSON: {error}") from error
    if not isinstance(event, dict):
        raise ValueError(f"payload must be a JSON object, got {_what(event)}")
    if "request_id" not in event:  # a field renamed would make heartbeats of clicks
        raise ValueError("request_id is missing")
    request_id, time = event["request_id"], event.get("time")
    if not (request_id is None and stream == "clicks"):
        if not (isinstance(request_id, str) and request_id):
            raise ValueError(f"request_id must be a text, got {_what(request_id)}")
        request_id.encode()  # refuses halves of characters, which no file holds
    if type(time) not in (int, float) or not -(2**53) < time < 2**53:
        raise ValueError(f"time must be a number of seconds, got {_what(time)}")
    if not time <= latest:
        raise ValueError(f"time must not be later than its arrival, got {time}")
    return request_id, float(time)


def _what(value):
    """Say what was got, in a few words, however deep or long it is."""
    simple = value is None or type(value) in (str, int, float, bool)
    return ascii(value)[:40] if simple else f"a {type(value).__name__}"


async def read_logs(
    joiner: StreamJoiner,
    open_log: Callable[[str, int], Awaitable[Any]],
    *,
    batch: int = 500,
    ahead: float = math.inf,
    timeout: float = 1.0,
    forever: bool = False,
    sink: Callable[[list[Example]], Any] | None = None,
) -> None:
    """Read both logs into a joiner; acknowledge each batch once it is committed.

    Parameters
    ----------
    joiner : StreamJoiner
    open_log : coroutine function of (stream, sequence)
        Returns what has ``fetch(batch, timeout=...)`` and ``unsubscribe()``, such as a
        pull subscription of JetStream, from this message on: see ``open_jetstream``.
    batch : int
        Most messages in memory at once.
    ahead : float
        Most seconds by which one log is read ahead of the other.
    timeout : float
        Seconds to wait for a message.
    forever : bool
        Go on when there is none; else return.
    sink : callable or None
        As of ``StreamJoiner.take``.

    Raises
    ------
    MissingMessagesError
        If a log no longer has the message that comes next.
    """
    # --8<-- [start:read]
    logs, fresh = {}, set()
    while True:
        # Look at both before waiting for either
        for wait, name in product((POLL, timeout), joiner.turns(ahead)):
            if name not in logs:
                logs[name] = await open_log(name, joiner.next(name))
                fresh.add(name)
            try:
                found = await logs[name].fetch(batch, timeout=wait)
            except TimeoutError:
                continue
            try:
                joiner.take([_message(name, one) for one in found], sink)
            except MissingMessagesError:
                if name in fresh:
                    raise
                # The log's own order is lost, by what it sends again: ask anew
                await logs.pop(name).unsubscribe()
                break
            fresh.discard(name)
            for one in found:
                await one.ack()
            break
        else:
            if not forever:
                return
    # --8<-- [end:read]


POLL = 0.05


def _message(stream, one):
    about = one.metadata
    stored = about.timestamp.timestamp()
    return Message(stream, about.sequence.stream, one.data, stored)


def open_jetstream(
    js: Any,
    subjects: dict[str, str],
    max_ack_pending: int = 1000,
    idle: float = 3600.0,
) -> Callable[[str, int], Awaitable[Any]]:
    """Return what opens logs of NATS JetStream for ``read_logs``.

    Parameters
    ----------
    js : nats.js.JetStreamContext
    subjects : dict of str
        The subject of ``impressions`` and of ``clicks``, each in a stream of its own:
        the numbers of a stream that holds others have gaps.
    max_ack_pending : int
        Most messages that are on their way without an acknowledgement.
    idle : float
        Seconds for which the server keeps a subscription that is not read from: the log
        that is ahead, or a slow sink. By itself it does for 5, then it ends the loop
        with an error.

    Returns
    -------
    coroutine function of (stream, sequence)
        Which raises ValueError if the log ends before what was read of it: it was made
        anew. Else the last message that was taken comes first, for ``take`` to compare.
    """

    async def open_log(name, sequence):
        from nats.js.api import ConsumerConfig, DeliverPolicy

        stream = await js.find_stream_name_by_subject(subjects[name])
        last = (await js.stream_info(stream)).state.last_seq
        if last < sequence - 1:
            raise ValueError(
                f"{name}: the log {stream} ends at {last}, but {sequence - 1} messages "
                "were read: it was made anew, take another file"
            )
        # Where to start is what the file says: what the server has sent and not heard
        # of would come late, behind newer messages.
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=max(sequence - 1, 1),  # the last again, to compare
            max_ack_pending=max_ack_pending,
            inactive_threshold=idle,
        )
        return await js.pull_subscribe(subjects[name], stream=stream, config=config)

    return open_log


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


# --- End of the door. ---
