"""A process that reads two logs into a file, and kills itself at the point that it is told.

Run by test_stream_joiner.py: python -m tests.scale.stream_process URL FILE [POINT NUMBER], or limited FILE LOGS BYTES.
"""

import asyncio
import os
import pickle
import resource
import signal
import sqlite3
import sys
import threading
from pathlib import Path

from snippets.scale.stream_joiner import STREAMS, StreamJoiner, open_jetstream, read_logs

SUBJECTS = {"impressions": "ads.impressions", "clicks": "ads.clicks"}
WINDOW, LATENESS, BATCH = 60.0, 10.0, 10


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def once(number):
    """Return a function that dies when it is called for the given time, from 1 on."""
    calls = iter(range(1, number + 1))

    def call(*_):
        if next(calls) == number:
            die()

    return call


def before(function, call):
    def both(*arguments):
        call()
        return function(*arguments)

    return both


def after(function, call):
    def both(*arguments):
        result = function(*arguments)
        call()
        return result

    return both


def watch(path, changes):
    """Die while a file is written: after so many changes of it that could be seen."""
    seen = path.stat().st_mtime_ns

    def look():
        nonlocal seen
        count = 0
        while count < changes:
            try:
                now = path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
            count += now != seen
            seen = now
        die()

    threading.Thread(target=look, daemon=True).start()


class Log:
    """A subscription that dies after so many messages were fetched, or acknowledged."""

    def __init__(self, log, fetched, acknowledged):
        self.log, self.fetched, self.acknowledged = log, fetched, acknowledged

    async def fetch(self, batch, timeout):
        found = await self.log.fetch(batch, timeout=timeout)
        for one in found:
            self.fetched()
            one.ack = self.sender(one.ack)
        return found

    def sender(self, ack):
        async def send():
            await ack()
            await self.log._nc.flush()  # so that the server has heard of this one
            self.acknowledged()

        return send

    async def unsubscribe(self):
        await self.log.unsubscribe()


def read_alternately(joiner, logs, size=20):
    """Read both logs from where the joiner is, the one behind first, until an error or the end."""
    while left := [name for name in joiner.turns() if joiner.next(name) <= len(logs[name])]:
        start = joiner.next(left[0]) - 1
        joiner.take(logs[left[0]][start : start + size])


def limited(path, logs, limit):
    """Read pickled logs into a file that may not grow beyond so many bytes, twice; print what that said."""
    with StreamJoiner(path, WINDOW, LATENESS) as joiner:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        for _ in range(2):
            try:
                read_alternately(joiner, pickle.loads(Path(logs).read_bytes()))
            except sqlite3.OperationalError as error:
                print(error)


async def read_all(js, joiner, open_log, **more):
    """Read both logs to their ends: on a busy machine a log may be silent for a while."""
    last = [(await js.stream_info(name)).state.last_seq for name in STREAMS]
    while any(joiner.next(name) <= end for name, end in zip(STREAMS, last, strict=True)):
        await read_logs(joiner, open_log, timeout=0.3, **more)


async def main(url, path, point=None, number="0"):
    joiner = StreamJoiner(path, WINDOW, LATENESS)
    run, die_then = joiner.connection, once(int(number))
    run.execute("PRAGMA wal_autocheckpoint = 4")
    fetched = acknowledged = lambda: None
    if point == "fetched":
        fetched = die_then
    elif point == "acknowledged":
        acknowledged = die_then
    elif point == "message":  # in the middle of the batch
        joiner._one = after(joiner._one, die_then)
    elif point == "written":  # all is written, nothing is committed
        joiner._close = after(joiner._close, die_then)
    elif point == "committed":  # nothing is acknowledged
        joiner.take = after(joiner.take, die_then)
    elif point == "commit":  # as soon as the statement starts
        run.set_trace_callback(lambda text: die_then() if text == "COMMIT" else None)
    elif point == "step":  # of SQLite's own machine, wherever that is
        run.set_progress_handler(die_then, 5)
    elif point == "log of the file":
        watch(Path(path + "-wal"), int(number))
    elif point == "file":
        watch(Path(path), int(number))
    import nats

    client = await nats.connect(url)
    js = client.jetstream()
    opened = open_jetstream(js, SUBJECTS)

    async def open_log(name, sequence):
        return Log(await opened(name, sequence), fetched, acknowledged)

    await read_all(js, joiner, open_log, batch=BATCH, ahead=30.0)
    joiner.close()
    await client.close()


if __name__ == "__main__":
    if sys.argv[1] == "limited":
        limited(*sys.argv[2:])
    else:
        asyncio.run(main(*sys.argv[1:]))
