import asyncio
import json
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from types import SimpleNamespace

import nats
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats.js.api import ConsumerConfig, DiscardPolicy, StreamConfig
from nats.js.errors import APIError

from snippets.scale.stream_joiner import (
    STREAMS,
    Example,
    Message,
    MissingMessagesError,
    StreamJoiner,
    as_logs,
    open_jetstream,
    read_logs,
)
from snippets.training_data.event_joiner import OnlineJoiner, dirty_stream, join_impressions_clicks
from tests.scale.stream_process import LATENESS, SUBJECTS, WINDOW, read_all, read_alternately

ROOT = Path(__file__).parents[2]


def frame(rows):
    return pd.DataFrame(list(rows), columns=["request_id", "timestamp"]).astype({"timestamp": float})


def message(stream, sequence, request_id, time, **more):
    return Message(stream, sequence, json.dumps({"request_id": request_id, "time": time}), **more)


def batch_join(impressions, clicks, window):
    """Return what the guide's batch join makes of two tables."""
    joined = join_impressions_clicks(impressions, clicks, window)
    times = joined["click_timestamp"].astype(object).where(joined["click"] == 1, None)
    rows = zip(joined["request_id"], joined["timestamp"], times, strict=True)
    return sorted((Example(*row) for row in rows), key=lambda example: (example.time, example.request_id))


def on_time(log, lateness):
    """Return the events of one log that are not late, by the rule as it is written down."""
    kept, newest = [], -np.inf
    for event in log:
        if event["time"] >= newest - lateness:
            kept.append(event)
        newest = max(newest, event["time"])
    return kept


class CrashError(Exception):
    pass


def crash(_):
    raise CrashError


@settings(max_examples=80, deadline=None)
@given(
    st.integers(0, 60),
    st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    st.sampled_from([0.0, 0.2, 1.0, 9.0, 9.0]),
    st.randoms(use_true_random=False),
)
def test_any_order_of_reading_with_any_crashes_gives_the_batch_join_of_what_is_on_time(size, window, lateness, rng):
    times = [tenths / 10 for tenths in range(25)]  # of which many are no binary numbers, and many tie
    shown = {r: rng.choice(times) for r in "abcdefgh"}
    seen = [("impression", r, shown[r]) for r in rng.choices("abcdefgh", k=size // 2)]
    clicked = [("click", rng.choice(["a", "b", "c", "d", "x", None]), rng.choice(times)) for _ in range(size // 2)]
    events = sorted(seen + clicked, key=lambda event: event[2] + rng.choice([0.0, 0.2, 1.0]))
    logs = as_logs(events)
    joiner = StreamJoiner(None, window, lateness)
    given_out, closed = [], []
    while remaining := [name for name in STREAMS if joiner.next(name) <= len(logs[name])]:
        name = rng.choice(remaining)
        start = max(joiner.next(name) - 1 - rng.choice([0, 0, 1, 5]), 0)  # some come again
        part = logs[name][start : start + rng.choice([1, 2, 7, 100])]
        before = list(joiner.connection.iterdump())
        if rng.random() < 0.3:
            try:
                joiner.take(part, crash)
            except CrashError:
                assert list(joiner.connection.iterdump()) == before
        else:
            given_out += joiner.take(part, closed.extend)
    given_out += joiner.flush(closed.extend)
    kept = {name: on_time([json.loads(m.payload) for m in logs[name]], lateness) for name in STREAMS}
    impressions, clicks = (frame((e["request_id"], e["time"]) for e in kept[name]) for name in STREAMS)
    expected = batch_join(impressions, clicks, window)
    assert joiner.examples() == expected
    assert given_out == closed  # what a crash rolled back was given out by the next batch, or not at all
    assert sorted(given_out) == sorted(expected, key=lambda e: e.request_id)
    counts = joiner.counts()
    assert counts["late"] == sum(map(len, logs.values())) - sum(map(len, kept.values()))
    named = [(n, e["request_id"], e["time"]) for n in STREAMS for e in kept[n] if e["request_id"] is not None]
    assert counts["duplicates"] == len(named) - len(set(named))
    assert counts["examples"] == len(expected)
    assert counts["heartbeats"] == sum(e["request_id"] is None for e in kept["clicks"])
    assert counts["waiting"] == counts["dead"] == counts["gone"] == 0
    assert joiner.connection.execute("SELECT count(*) FROM clicks").fetchone() == (0,)
    assert joiner.flush() == []
    joiner.close()


@pytest.mark.parametrize("batch", [1, 40, 10_000])
def test_it_gives_what_the_joiner_in_memory_gives(batch):
    rng = np.random.default_rng(5)
    shown = frame((f"r{i}", t) for i, t in enumerate(np.sort(rng.uniform(0, 900, 500))))
    clicks = frame((r, t + rng.exponential(20)) for r, t in shown.to_numpy() if rng.random() < 0.3)
    events = dirty_stream(shown, clicks, rng, lateness=10, duplicates=0.2)
    memory, closed = OnlineJoiner(window=30, lateness=10), []
    for kind, request_id, time in events.itertuples(index=False):
        closed += getattr(memory, kind)(request_id, time)
    closed += memory.flush()
    logs = as_logs(events.itertuples(index=False))
    with StreamJoiner(None, window=30, lateness=10) as joiner:
        for name in reversed(STREAMS):  # one log to its end, then the other
            for i in range(0, len(logs[name]), batch):
                joiner.take(logs[name][i : i + batch])
        joiner.flush()
        assert joiner.counts()["late"] == memory.late == 0
        assert [tuple(e) for e in joiner.examples()] == [tuple(e[:3]) for e in closed]


def test_what_closes_is_bounded_by_the_log_that_is_behind():
    joiner = StreamJoiner(None, window=10, lateness=5)
    shown = [message("impressions", i + 1, f"r{i}", float(i)) for i in range(100)]
    assert joiner.take(shown) == []  # not one click was read: nothing is known to be a negative
    assert joiner.turns() == ["clicks", "impressions"]
    assert joiner.turns(ahead=50) == ["clicks"]
    heartbeat = message("clicks", 1, None, 40.0)
    assert [e.time for e in joiner.take([heartbeat])] == list(range(25))  # 25 + 10 is not before 40 - 5
    assert joiner.turns(ahead=59) == ["clicks", "impressions"]  # 99 - 40 is not more than that
    assert joiner.turns(ahead=58.9) == ["clicks"]
    click = message("clicks", 2, "r30", 40.0)
    assert joiner.take([click]) == []
    assert joiner.take([message("clicks", 3, "r31", 35.0)]) == []  # just not late
    joiner.take([message("clicks", 4, "r31", 34.9)])
    assert joiner.counts()["late"] == 1
    clicked = {e.request_id: e.click_time for e in joiner.flush()}
    assert (clicked["r30"], clicked["r31"], clicked["r32"]) == (40.0, 35.0, None)
    joiner.close()


def test_memory_holds_what_may_still_be_joined():
    joiner = StreamJoiner(None, window=10, lateness=2)
    count = joiner.connection.execute
    for i in range(300):
        joiner.take([message("impressions", i + 1, f"r{i}", i / 10), message("clicks", i + 1, f"x{i}", i / 10)])
        assert joiner.counts()["waiting"] <= 10 * (10 + 2) + 1
        assert count("SELECT count(*) FROM clicks").fetchone()[0] <= 10 * (10 + 2) + 1
    joiner.close()


POISON = [
    (b"\xff", "payload is no JSON: 'utf-8' codec can't decode"),
    (b"{", "payload is no JSON: Expecting property name"),
    (b"", "payload is no JSON: Expecting value"),
    (b"[" * 100_000, "payload is no JSON: maximum recursion depth"),
    (b"1" * 5_000, "payload is no JSON: Exceeds the limit"),
    (b"[" * 500 + b"]" * 500, "payload must be a JSON object, got a list"),
    (b'"\\ud800"', r"payload must be a JSON object, got '\\ud800'"),
    (b"null", "payload must be a JSON object, got None"),
    (b'{"time": 1}', "request_id is missing"),
    (b'{"request_id": null, "time": 1}', "request_id must be a text, got None"),
    (b'{"request_id": "", "time": 1}', "request_id must be a text, got ''"),
    (b'{"request_id": 7, "time": 1}', "request_id must be a text, got 7"),
    (b'{"request_id": {"a": 1}, "time": 1}', "request_id must be a text, got a dict"),
    (b'{"request_id": "\\ud800", "time": 1}', "'utf-8' codec can't encode character"),
    (b'{"request_id": "a"}', "time must be a number of seconds, got None"),
    (b'{"request_id": "a", "time": "2026-01-01"}', "time must be a number of seconds, got '2026-01-01'"),
    (b'{"request_id": "a", "time": true}', "time must be a number of seconds, got True"),
    (b'{"request_id": "a", "time": NaN}', "time must be a number of seconds, got nan"),
    (b'{"request_id": "a", "time": -Infinity}', "time must be a number of seconds, got -inf"),
    (b'{"request_id": "a", "time": 1e999}', "time must be a number of seconds, got inf"),
    (b'{"request_id": "a", "time": 9007199254740992}', "time must be a number of seconds, got 9007199254740992"),
    (b'{"request_id": "a", "time": 1' + b"0" * 4_000 + b"}", "time must be a number of seconds, got 1000"),
    (b'{"request_id": "a", "time": 9e9}', "time must not be later than its arrival, got 9000000000.0"),
]


def test_poison_is_put_aside_with_its_reason_and_nothing_waits_for_it():
    joiner = StreamJoiner(None, window=60, lateness=5)
    joiner.take([message("impressions", 1, "a", 0.0), message("clicks", 1, "a", 9.0)])
    bad = [Message("impressions", 2 + i, payload, stored=95.0) for i, (payload, _) in enumerate(POISON)]
    last = message("impressions", 2 + len(bad), "b", 100.0, stored=95.0)  # its clock is ahead by the lateness
    joiner.take([*bad, last, message("clicks", 2, None, 100.0)])
    found = joiner.dead()
    assert [(d.stream, d.sequence, d.payload) for d in found] == [(m.stream, m.sequence, m.payload) for m in bad]
    for one, (_, reason) in zip(found, POISON, strict=True):
        assert one.reason.startswith(reason.replace(r"\\", "\\")), one.reason
        assert len(one.reason) < 200
    assert joiner.counts()["dead"] == len(POISON)
    joiner.take([*bad, last])  # which come again
    assert joiner.dead() == found
    assert joiner.examples() == [Example("a", 0.0, 9.0)]
    joiner.close()


def test_an_impression_at_a_second_time_is_put_aside_and_the_first_one_counts():
    joiner = StreamJoiner(None, window=10, lateness=50)
    joiner.take([message("impressions", 1, "a", 0.0), message("impressions", 2, "a", 1.0)])
    joiner.take([message("clicks", 1, "a", 10.5), message("clicks", 2, "a", 10.0)])
    joiner.flush()
    joiner.take([message("impressions", 3, "a", 0.0), message("impressions", 4, "a", 2.0)])  # it came out long ago
    assert joiner.examples() == [Example("a", 0.0, 10.0)]
    assert [(d.sequence, d.reason) for d in joiner.dead()] == [
        (2, "request_id was shown at 0.0, now at 1.0"),
        (4, "request_id was shown at 0.0, now at 2.0"),
    ]
    assert joiner.counts()["duplicates"] == 1
    joiner.close()


def test_what_waits_at_a_gap_comes_out_as_a_negative_as_the_docstring_says():
    with StreamJoiner(None, window=10) as joiner:
        joiner.take([message("impressions", 1, "a", 0.0), message("clicks", 1, None, 0.0)])
        joiner.give_up("clicks", 3)  # of which 2 was the click
        assert joiner.take([message(name, {"impressions": 2, "clicks": 3}[name], "b", 99.0) for name in STREAMS]) == [
            Example("a", 0.0, None)
        ]
        assert joiner.counts()["gone"] == 1


def test_a_text_that_is_no_unicode_or_came_at_no_time_is_put_aside():
    joiner = StreamJoiner(None, window=10)
    joiner.take([Message("clicks", 1, '"\ud800')])
    assert joiner.dead()[0].payload == b'"\xed\xa0\x80'
    joiner.take([message("clicks", 2, "a", 9e9, stored=np.nan)])  # and what came at no time, as if it came too early
    assert joiner.dead()[1].reason == "time must not be later than its arrival, got 9000000000.0"
    joiner.close()


def test_messages_left_out_are_refused_and_may_be_given_up():
    joiner = StreamJoiner(None, window=10)
    some = [message("clicks", i, "a", float(i)) for i in range(1, 9)]
    joiner.take(some[:2])
    wanted = r"clicks: message 3 is next, got 6\. Read from 3 on; if the log no longer has it, give_up\('clicks', 6\)"
    with pytest.raises(MissingMessagesError, match=wanted):
        joiner.take([some[2 - 1], *some[5:]])
    with pytest.raises(MissingMessagesError, match="clicks: message 4 is next, got 5"):
        joiner.take([some[2], some[4]])  # all or nothing: 3 was not taken either
    assert joiner.next("clicks") == 3
    joiner.give_up("clicks", 6)
    assert joiner.take(some[5:]) == []
    assert joiner.counts()["gone"] == 3
    assert (joiner.next("clicks"), joiner.next("impressions")) == (9, 1)
    with pytest.raises(ValueError, match="sequence must be 9 or more: those before were taken, got 8"):
        joiner.give_up("clicks", 8)
    joiner.give_up("clicks", 9)
    assert joiner.counts()["gone"] == 3
    joiner.close()


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda _: StreamJoiner(None, -1), "window must be at least 0 and finite, got -1"),
        (lambda _: StreamJoiner(None, np.nan), "window must be at least 0 and finite, got nan"),
        (lambda _: StreamJoiner(None, "1h"), "window must be a number, got '1h'"),
        (lambda _: StreamJoiner(None, 1, np.inf), "lateness must be at least 0 and finite, got inf"),
        (lambda _: StreamJoiner(None, 1, max_bytes=0), "max_bytes must be a whole number of at least 1, got 0"),
        (lambda _: as_logs([("view", "a", 1.0)]), "stream must be one of .* got 'views'"),
        (lambda j: j.next("click"), r"stream must be one of \('impressions', 'clicks'\), got 'click'"),
        (lambda j: j.give_up("click", 1), "stream must be one of .* got 'click'"),
        (lambda j: j.give_up("clicks", 0), "sequence must be a whole number of at least 1, got 0"),
        (lambda j: j.take([message("click", 1, "a", 1.0)]), "stream must be one of .* got 'click'"),
        (
            lambda j: j.take([message("clicks", 1.5, "a", 1.0)]),
            "sequence must be a whole number of at least 1, got 1.5",
        ),
        (lambda j: j.turns(-1), "ahead must be at least 0, got -1"),
        (lambda j: j.turns(np.nan), "ahead must be at least 0, got nan"),
        (lambda j: j.take([Message("clicks", 1, None)]), "payload must be bytes or a text, got None in message 1 of"),
        (lambda j: j.take([Message("clicks", 1, {})]), "payload must be bytes or a text, got a dict in message 1 of"),
        (lambda j: j.take([message("clicks", 0, "a", 1.0)]), "sequence must be a whole number of at least 1, got 0"),
    ],
)
def test_what_is_out_of_range_is_named(call, complaint):
    with StreamJoiner(None, window=10) as joiner:
        with pytest.raises(ValueError, match=complaint):
            call(joiner)
        assert joiner.take([message("clicks", np.int64(1), "a", 1.0)]) == []


def test_a_file_goes_on_with_its_own_window_alone(tmp_path):
    path = tmp_path / "it's.db"
    with StreamJoiner(path, window=60, lateness=5) as joiner:
        joiner.take([message("impressions", 1, "a", 0.0)])
    with StreamJoiner(str(path), window=60, lateness=5) as joiner:
        assert joiner.next("impressions") == 2
        assert joiner.take([message("clicks", 1, "a", 3.0)]) == []
        assert joiner.flush() == [Example("a", 0.0, 3.0)]
    for other in [(61, 5), (60, 4)]:
        with pytest.raises(ValueError, match=r"window and lateness of .*it's.db are \(60\.0, 5\.0\), got"):
            StreamJoiner(path, *other)
    with pytest.raises(sqlite3.OperationalError, match="unable to open database file"):
        StreamJoiner(tmp_path / "nowhere" / "x.db", 1)
    (tmp_path / "text").write_text("no database" * 100)
    with pytest.raises(sqlite3.DatabaseError, match="file is not a database"):
        StreamJoiner(tmp_path / "text", 1)


def test_a_commit_is_on_the_disk_and_a_file_of_nobody_is_deleted(tmp_path):
    """No test here cuts the power. SQLite says what it does against it: 2 is FULL, which in WAL syncs each commit."""
    with StreamJoiner(tmp_path / "kept.db", window=1) as joiner:
        assert joiner.connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert joiner.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (tmp_path / "kept.db").exists()
    for ending in [lambda joiner: (joiner.close(), joiner.close()), lambda joiner: None]:  # or it is forgotten
        joiner = StreamJoiner(None, window=1)
        joiner.take([message("clicks", 1, "a", 1.0)])
        path = Path(joiner.connection.execute("PRAGMA database_list").fetchone()[2])
        assert path.exists()
        ending(joiner)
        del joiner
        assert not list(path.parent.glob(path.name + "*"))


def test_a_file_of_another_program_or_version_is_left_as_it_is(tmp_path):
    with StreamJoiner(tmp_path / "older.db", window=10) as joiner:
        joiner.connection.execute("PRAGMA application_id = 1")
    path = tmp_path / "shop.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE clicks (customer)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"path must be of a new file or of this joiner's, got .*shop.db, .*'clicks'"):
        StreamJoiner(path, window=10)
    assert path.read_bytes() == before
    with pytest.raises(ValueError, match="which holds 'settings' of another program or version"):
        StreamJoiner(tmp_path / "older.db", window=10)


def test_a_click_is_kept_as_long_as_its_impression_however_the_times_round():
    """The first click at the impression's own time, and the watermark a window later, to the last bit."""
    for window in (0.1, 0.3, 0.7, 60.0, 3600.0):
        for time in (0.1, 0.2, 0.3, 0.7, 1.1, 59.9, -0.1):
            end = time + window
            for steps in range(-2, 3):
                watermark = end + steps * np.spacing(end)
                joiner = StreamJoiner(None, window)
                joiner.take([message(name, 1, "a", time) for name in STREAMS])
                joiner.take([message(name, 2, "b", watermark) for name in STREAMS])
                joiner.take([message(name, 3, "c", end + 9_000.0) for name in STREAMS])
                assert joiner.examples()[0] == Example("a", time, time), (window, watermark)
                joiner.close()


def test_a_click_without_the_field_is_no_heartbeat():
    """A field renamed at the source would else make each example a negative, and nothing would count it."""
    joiner = StreamJoiner(None, window=10)
    joiner.take([message("impressions", 1, "a", 0.0), Message("clicks", 1, '{"requestId": "a", "time": 99.0}')])
    assert joiner.counts()["dead"] == 1
    assert joiner.take([message("clicks", 2, None, 1.0)]) == []  # its time did not count either
    assert joiner.counts()["heartbeats"] == 1
    joiner.close()


def test_an_older_process_that_still_lives_changes_nothing_twice(tmp_path):
    """Two read the same logs, each as if it were alone, in turns: what one took, the other finds taken."""
    shown, clicks, logs = story(seed=3, impressions=200)
    both = [StreamJoiner(tmp_path / "one.db", WINDOW, LATENESS) for _ in range(2)]
    rng, given_out = random.Random(4), []
    at = [dict.fromkeys(STREAMS, 0), dict.fromkeys(STREAMS, 0)]  # where each believes to be
    refused = 0
    while any(at[i][name] < len(logs[name]) for i in range(2) for name in STREAMS):
        i, name = rng.randrange(2), rng.choice(STREAMS)
        part = logs[name][at[i][name] :][: rng.choice([1, 9, 40])]
        try:
            given_out += both[i].take(part)
        except MissingMessagesError:
            refused += 1
        at[i][name] += len(part)
    given_out += both[0].flush()
    assert refused == 0  # none of them left anything out
    assert both[1].examples() == both[0].examples() == batch_join(shown, clicks, WINDOW)
    assert max(Counter(e.request_id for e in given_out).values()) == 1
    assert both[1].counts()["redelivered"] == sum(map(len, logs.values()))
    for one in both:
        one.close()


def test_two_processes_at_one_time_take_turns(tmp_path):
    """The second waits for the first one's commit, and reads where it stands only then."""
    part = [message("impressions", i, f"r{i}", 10.0 * i) for i in range(1, 9)]
    found = []

    opened, both = threading.Event(), threading.Event()

    def second():
        with StreamJoiner(tmp_path / "one.db", window=10) as joiner:
            opened.set()
            both.wait(timeout=60)
            found.append(joiner.take(part))

    thread = threading.Thread(target=second)

    def meanwhile(_):
        both.set()
        thread.join(timeout=0.5)  # it cannot end before the commit
        assert found == []

    with StreamJoiner(tmp_path / "one.db", window=10) as joiner:
        joiner.take([message("clicks", 1, None, 1_000.0)])
        thread.start()
        opened.wait(timeout=60)
        assert len(joiner.take(part, meanwhile)) == 6
        thread.join()
        assert found == [[]]
        assert joiner.counts()["redelivered"] == len(part)


def story(seed, impressions=600):
    """Return two tables, and the logs that dirty streams make of them, with poison and a last heartbeat."""
    rng = np.random.default_rng(seed)
    shown = frame((f"r{i}", t) for i, t in enumerate(np.sort(rng.uniform(0, 600, impressions)).round(2)))
    clicks = frame((r, round(t + rng.exponential(25), 2)) for r, t in shown.to_numpy() if rng.random() < 0.3)
    events = dirty_stream(shown, clicks, rng, lateness=LATENESS, duplicates=0.15)
    logs = as_logs(events.itertuples(index=False))
    for name, payload in [("impressions", b"\x00"), ("clicks", b"{}")]:
        logs[name].insert(len(logs[name]) // 2, Message(name, 0, payload))
        logs[name] = [m._replace(sequence=i + 1) for i, m in enumerate(logs[name])]
    logs["clicks"].append(message("clicks", len(logs["clicks"]) + 1, None, 700.0))
    return shown, clicks, logs


def process(*arguments, **more):
    """Start the process of stream_process.py."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.scale.stream_process", *map(str, arguments)], cwd=ROOT, **more
    )


# --- A full disk. ---


def test_a_full_disk_raises_and_what_was_taken_stays(tmp_path):
    shown, clicks, logs = story(seed=1)

    def whole(joiner):
        read_alternately(joiner, logs)
        return joiner.flush()

    path, fills, room = tmp_path / "full.db", 0, 50_000
    while True:
        with StreamJoiner(path, WINDOW, LATENESS, max_bytes=room) as joiner:
            try:
                whole(joiner)
                break
            except sqlite3.OperationalError as error:
                assert str(error) == "database or disk is full"  # noqa: PT017
                before = list(joiner.connection.iterdump())
                with pytest.raises(sqlite3.OperationalError, match="disk is full"):
                    whole(joiner)  # it stays full, and stays as it was
                assert list(joiner.connection.iterdump()) == before
        fills += 1
        room += 4_096
    assert fills > 2
    with StreamJoiner(path, WINDOW, LATENESS) as joiner:
        assert joiner.examples() == batch_join(shown, clicks, WINDOW)


def test_a_file_that_the_system_lets_grow_no_more_raises_and_what_was_taken_stays(tmp_path):
    shown, clicks, logs = story(seed=2)
    (tmp_path / "logs").write_bytes(pickle.dumps(logs))
    path = tmp_path / "limited.db"
    for limit in (90_000, 150_000):
        ran = process("limited", path, tmp_path / "logs", limit, stdout=subprocess.PIPE, text=True)
        said, _ = ran.communicate(timeout=60)
        assert ran.returncode == 0
        assert said.splitlines() == ["disk I/O error"] * 2
    with StreamJoiner(path, WINDOW, LATENESS) as joiner:
        assert 1 < joiner.next("impressions") <= len(logs["impressions"])
        read_alternately(joiner, logs)
        joiner.flush()
        assert joiner.examples() == batch_join(shown, clicks, WINDOW)


# --- A crash of the machine: what a file holds is cut off anywhere. ---


def test_a_commit_that_was_written_in_part_has_not_happened(tmp_path):
    shown, clicks, logs = story(seed=6, impressions=150)
    path = tmp_path / "whole.db"
    joiner = StreamJoiner(path, WINDOW, LATENESS)
    joiner.connection.execute("PRAGMA wal_autocheckpoint = 0")  # all commits stay in the log of the file
    states = [(1, 1)]
    while left := [name for name in joiner.turns() if joiner.next(name) <= len(logs[name])]:
        start = joiner.next(left[0]) - 1
        joiner.take(logs[left[0]][start : start + 25])
        states.append(tuple(map(joiner.next, STREAMS)))
    written = Path(f"{path}-wal").read_bytes()
    rng, seen = random.Random(7), set()
    made = len(written) // 3  # the tables are made in the first part
    for cut in [*sorted(rng.sample(range(made, len(written)), 12)), len(written)]:
        torn = tmp_path / f"torn{cut}.db"
        shutil.copy(path, torn)
        Path(f"{torn}-wal").write_bytes(written[:cut])
        with StreamJoiner(torn, WINDOW, LATENESS) as after:
            seen.add(tuple(map(after.next, STREAMS)))
            read_alternately(after, logs)
            after.flush()
            assert after.examples() == batch_join(shown, clicks, WINDOW)
    assert len(seen) > 5
    assert seen <= set(states)
    joiner.close()


# --- Real logs. ---


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Start a server with its store in a temporary folder; it ends with whoever runs the tests, however they end.

    Between the two stands a shell that waits for its input to close.
    """
    folder = tmp_path_factory.mktemp("nats")
    binary = Path(sys.executable).with_name("nats-server")
    command = [binary, "-js", "-a", "127.0.0.1", "-p", "-1", "-sd", folder / "store", "--ports_file_dir", folder]
    shell = ["sh", "-c", '"$@" & read _; kill -9 $!; wait', "sh", *command]
    with (folder / "log").open("wb") as log, subprocess.Popen(shell, stdin=subprocess.PIPE, stderr=log) as running:
        last = monotonic() + 60
        while not (ports := [p for p in folder.glob("*.ports") if p.read_text().endswith("}")]):
            assert monotonic() < last, (folder / "log").read_text()
        yield json.loads(ports[0].read_text())["nats"][0]
        running.stdin.close()


def session(server, work):
    """Run a coroutine function of a JetStream context."""

    async def run():
        client = await nats.connect(server)
        try:
            return await work(client.jetstream())
        finally:
            await client.close()

    return asyncio.run(run())


async def publish(js, logs, **limits):
    """Make the two streams anew, and publish what they hold."""
    for name, subject in SUBJECTS.items():
        if any(info.config.name == name for info in await js.streams_info()):
            await js.delete_stream(name)
        await js.add_stream(StreamConfig(name=name, subjects=[subject], **limits))
        for one in logs[name]:
            await js.publish(subject, one.payload if isinstance(one.payload, bytes) else one.payload.encode())


def read(server, joiner, **more):
    session(server, lambda js: read_all(js, joiner, open_jetstream(js, SUBJECTS), **more))


DRAWN = random.Random(23)
POINTS = [  # at which the process kills itself, one after the other
    ("fetched", 1),  # nothing is taken
    ("fetched", 15),
    ("message", 1),  # in the middle of a transaction
    ("message", 17),
    ("written", 1),  # all is written, nothing committed
    ("written", 3),
    ("commit", 2),  # of which the first makes the tables
    ("commit", 4),
    ("committed", 1),  # nothing is acknowledged
    ("committed", 2),
    ("acknowledged", 1),  # some are
    ("acknowledged", 13),
    ("log of the file", 1),  # while a commit is written
    ("log of the file", 2),
    ("file", 1),  # while what was committed moves on into the database
    *(("step", DRAWN.randrange(1, 900)) for _ in range(7)),  # anywhere in between
]


def test_a_process_killed_at_twenty_points_loses_nothing_and_gives_nothing_twice(server, tmp_path):
    shown, clicks, logs = story(seed=8)
    session(server, lambda js: publish(js, logs))
    expected, path = set(batch_join(shown, clicks, WINDOW)), tmp_path / "killed.db"
    assert len(POINTS) >= 20
    places, kept = [], set()
    for i, (point, number) in enumerate(POINTS):
        died = process(server, path, point, number).wait(timeout=60)
        assert died == -signal.SIGKILL, (point, number)
        for suffix in ("", "-wal"):  # a copy, so that the next process finds what this one left
            if Path(f"{path}{suffix}").exists():
                shutil.copy(f"{path}{suffix}", tmp_path / f"copy{i}{suffix}")
        with StreamJoiner(tmp_path / f"copy{i}", WINDOW, LATENESS) as left:
            examples = left.examples()
            places.append(tuple(map(left.next, STREAMS)))
        assert len(set(examples)) == len(examples)
        assert kept <= set(examples) <= expected  # nothing wrong, nothing taken back
        kept = set(examples)
    assert places == sorted(places)
    assert places[-1][0] < len(logs["impressions"])  # each had something left to do
    assert process(server, path).wait(timeout=60) == 0
    with StreamJoiner(path, WINDOW, LATENESS) as joiner:
        assert [joiner.next(name) - 1 for name in STREAMS] == [len(logs[name]) for name in STREAMS]
        joiner.flush()
        assert joiner.examples() == batch_join(shown, clicks, WINDOW)
        assert [d.reason.split()[0] for d in joiner.dead()] == ["request_id", "payload"]
        assert joiner.counts()["late"] == 0


def test_a_replay_from_the_start_gives_the_same(server, tmp_path):
    shown, clicks, logs = story(seed=9, impressions=300)
    session(server, lambda js: publish(js, logs))
    found = []
    for batch, ahead in [(7, 20.0), (500, np.inf)]:
        with StreamJoiner(tmp_path / f"{batch}.db", WINDOW, LATENESS) as joiner:
            read(server, joiner, batch=batch, ahead=ahead)
            joiner.flush()
            counts = joiner.counts()
            assert counts.pop("redelivered") == 0
            found.append((joiner.examples(), joiner.dead(), counts))
    assert found[0] == found[1]
    assert found[0][0] == batch_join(shown, clicks, WINDOW)


def test_a_log_that_is_full_refuses_and_its_publisher_hears_of_it(server, tmp_path):
    """Back-pressure to the end: the log refuses what is new, what it took is not lost, and room lets it go on."""
    shown, clicks, logs = story(seed=10, impressions=200)
    joiner = StreamJoiner(tmp_path / "it.db", WINDOW, LATENESS)

    async def work(js):
        limits = {"max_bytes": 4_000, "discard": DiscardPolicy.NEW}
        await publish(js, {name: [] for name in STREAMS}, **limits)
        refused, at = 0, dict.fromkeys(STREAMS, 0)
        while any(at[name] < len(logs[name]) for name in STREAMS):
            for name in STREAMS:
                try:
                    while at[name] < len(logs[name]):
                        payload = logs[name][at[name]].payload
                        await js.publish(SUBJECTS[name], payload if isinstance(payload, bytes) else payload.encode())
                        at[name] += 1
                except APIError as error:
                    assert error.description == "maximum bytes exceeded"  # noqa: PT017
                    refused += 1
            await read_logs(joiner, open_jetstream(js, SUBJECTS), timeout=0.2)
            for name in STREAMS:
                await js.purge_stream(name, seq=joiner.next(name))  # what is committed may go
        return refused

    assert session(server, work) > 3
    joiner.flush()
    assert joiner.examples() == batch_join(shown, clicks, WINDOW)
    joiner.close()


def test_what_the_log_no_longer_has_is_missed_by_name(server, tmp_path):
    _, _, logs = story(seed=11, impressions=60)
    joiner = StreamJoiner(tmp_path / "it.db", WINDOW, LATENESS)
    session(server, lambda js: publish(js, logs))
    session(server, lambda js: js.purge_stream("clicks", seq=4))
    with pytest.raises(MissingMessagesError, match="clicks: message 1 is next, got 4"):
        read(server, joiner)
    joiner.give_up("clicks", 4)
    read(server, joiner)
    assert joiner.next("clicks") == len(logs["clicks"]) + 1
    assert joiner.counts()["gone"] == 3
    assert joiner.counts()["redelivered"] <= 2  # it asked for the last message again, and no more
    session(server, lambda js: publish(js, {name: logs[name][:5] for name in STREAMS}))
    with pytest.raises(ValueError, match=r"the log \w+ ends at 5, but \d+ messages were read: it was made anew"):
        session(server, lambda js: read_logs(joiner, open_jetstream(js, SUBJECTS)))
    joiner.close()


def test_a_log_that_gave_numbers_anew_is_noticed(server, tmp_path):
    """As a server may, that lost its last messages in a power cut: the numbers go on, and the messages are others."""
    _, _, logs = story(seed=14, impressions=60)
    with StreamJoiner(tmp_path / "it.db", WINDOW, LATENESS) as joiner:
        session(server, lambda js: publish(js, {name: logs[name][:20] for name in STREAMS}))
        read(server, joiner)
        session(server, lambda js: publish(js, logs))  # even if they read the same: they came at another time
        before = list(joiner.connection.iterdump())
        with pytest.raises(ValueError, match="message 20 is not the one that was taken: the log was made anew or lost"):
            read(server, joiner)
        assert list(joiner.connection.iterdump()) == before
        joiner.give_up("clicks", 22)  # after which there is nothing to compare
        assert joiner.take([logs["clicks"][20]]) == []


def test_a_position_that_the_server_keeps_is_refused_where_it_skips_what_was_on_its_way(server):
    """A consumer dies with ten messages: the next one is sent newer ones first, and the ten again only later."""
    _, _, logs = story(seed=12, impressions=60)
    joiner = StreamJoiner(None, WINDOW, LATENESS)

    async def work(js):
        await publish(js, logs)
        config = ConsumerConfig(ack_wait=60)
        first = await js.pull_subscribe(SUBJECTS["impressions"], "kept", config=config)
        assert len(await first.fetch(10)) == 10  # and it dies

        async def open_log(name, sequence):
            durable = "kept" if name == "impressions" else None
            return await js.pull_subscribe(SUBJECTS[name], durable)

        with pytest.raises(MissingMessagesError, match="impressions: message 1 is next, got 11"):
            await read_all(js, joiner, open_log)

    session(server, work)
    joiner.close()


def test_the_server_keeps_a_log_that_waits_for_the_other(server):
    """By itself it forgets a reader after five seconds, and back-pressure may hold one for longer."""

    async def work(js):
        await publish(js, {name: [] for name in STREAMS})
        kept = []
        for more in ({}, {"idle": 99.0}):
            log = await open_jetstream(js, SUBJECTS, **more)("clicks", 1)
            kept.append((await log.consumer_info()).config.inactive_threshold)
        return kept

    assert session(server, work) == [3600, 99]


def test_no_more_is_on_its_way_than_was_asked_for(server):
    _, _, logs = story(seed=13, impressions=100)
    most = []

    async def work(js):
        await publish(js, logs)
        opened = open_jetstream(js, SUBJECTS, max_ack_pending=30)
        with StreamJoiner(None, WINDOW, LATENESS) as joiner:
            take = joiner.take

            def counted(messages, sink):
                most.append(len(messages))
                return take(messages, sink)

            joiner.take = counted
            await read_all(js, joiner, opened, batch=500)

    session(server, work)
    assert max(most) == 30


# --- A log that misbehaves, without a server. ---


class Fake:
    """A log that sends what it is told, each list for one fetch; None is a time in which nothing comes."""

    def __init__(self, parts):
        self.parts, self.acknowledged, self.closed, self.waits = list(parts), [], False, []

    async def fetch(self, batch, timeout):
        part = self.parts.pop(0) if self.parts else None
        self.waits.append(timeout)
        if part is None:
            raise TimeoutError
        assert len(part) <= batch
        return [self.sent(one) for one in part]

    def sent(self, one):
        async def ack():
            self.acknowledged.append(one.sequence)

        about = SimpleNamespace(
            sequence=SimpleNamespace(stream=one.sequence), timestamp=datetime.fromtimestamp(1_000, tz=UTC)
        )
        return SimpleNamespace(data=one.payload, metadata=about, ack=ack)

    async def unsubscribe(self):
        self.closed = True


def test_a_log_that_loses_its_order_is_asked_anew_and_one_that_lost_messages_is_given_up():
    some = [message("impressions", i, f"r{i}", float(i)) for i in range(1, 10)]
    opened = {name: [] for name in STREAMS}
    parts = iter([[some[:3], some[5:7], some[3:5]], [some[3:5], some[5:]]])

    async def open_log(name, sequence):
        log = Fake(next(parts) if name == "impressions" else [])
        opened[name].append((sequence, log))
        return log

    joiner = StreamJoiner(None, window=10)
    asyncio.run(read_logs(joiner, open_log, batch=5))
    (one, first), (other, second) = opened["impressions"]
    assert (one, other) == (1, 4)
    assert (first.acknowledged, second.acknowledged) == ([1, 2, 3], [4, 5, 6, 7, 8, 9])
    assert (first.closed, second.closed) == (True, False)
    parts = iter([[some[4:5]]])
    gone = StreamJoiner(None, window=10)
    with pytest.raises(MissingMessagesError, match="message 1 is next, got 5"):
        asyncio.run(read_logs(gone, open_log))
    assert opened["impressions"][-1][1].acknowledged == []
    joiner.close()
    gone.close()


def test_it_waits_for_ever_if_asked_and_acknowledges_nothing_that_was_not_committed():
    some = [message("impressions", i, f"r{i}", 50.0 * i) for i in range(1, 7)]
    logs = {"impressions": Fake([some[:1], None, None, some[1:]]), "clicks": Fake([])}
    clicked = message("clicks", 1, None, 250.0)

    async def open_log(name, sequence):
        return logs[name]

    joiner = StreamJoiner(None, window=10)
    logs["clicks"].parts = [None] * 6 + [[clicked]]
    with pytest.raises(CrashError):  # the sink ends it, else it would not end
        asyncio.run(read_logs(joiner, open_log, forever=True, sink=crash))
    assert logs["impressions"].acknowledged == [1, 2, 3, 4, 5, 6]
    assert logs["clicks"].acknowledged == []
    assert (joiner.next("clicks"), joiner.counts()["examples"]) == (1, 0)
    joiner.close()


def test_a_silent_log_does_not_hold_back_the_other():
    """The log that is behind comes first; if nothing is in it, each batch of the other would wait out the timeout."""
    some = [[message("impressions", i, f"r{i}", float(i))] for i in range(1, 7)]
    logs = {"impressions": Fake(some), "clicks": Fake([])}

    async def open_log(name, sequence):
        return logs[name]

    with StreamJoiner(None, window=10) as joiner:
        asyncio.run(read_logs(joiner, open_log, timeout=9.0))
    assert logs["clicks"].waits == [0.05] * 6 + [9.0]  # first it has no time at all, as the other
    assert logs["impressions"].waits == [0.05] * 7 + [9.0]


def test_a_time_later_than_its_arrival_is_put_aside_and_does_not_move_the_time():
    """A single clock that is wrong would else make all that follows late."""
    logs = {
        "impressions": Fake([[message("impressions", 1, "a", 1.0), message("impressions", 2, "b", 9e9)]]),
        "clicks": Fake([[message("clicks", 1, "a", 2.0)]]),
    }

    async def open_log(name, sequence):
        return logs[name]

    joiner = StreamJoiner(None, window=10)
    asyncio.run(read_logs(joiner, open_log))
    assert [d.reason for d in joiner.dead()] == ["time must not be later than its arrival, got 9000000000.0"]
    joiner.take([message("impressions", 3, "c", 3.0)])
    assert joiner.flush() == [Example("a", 1.0, 2.0), Example("c", 3.0, None)]
    joiner.close()
