"""How far a long command is and how long it still takes, told from what each part took the last time.

As a pytest plugin it tells this of a test run, also under xdist. One line every ten seconds, on a terminal or not.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

EVERY = 10  # seconds


class Durations:
    """The seconds that each named part took when it was last done, kept in ``.cache/``."""

    def __init__(self, root: Path):
        self.path = root / ".cache" / "durations.json"
        try:
            self.seconds: dict[str, float] = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # the first run, or a file cut short: an estimate is not worth an error
            self.seconds = {}

    def save(self, seconds: dict[str, float]) -> None:
        """Add what was measured; a full disk or a second process may lose it, but never fails the run."""
        merged = {**Durations(self.path.parents[1]).seconds, **{name: round(s, 2) for name, s in seconds.items()}}
        whole = self.path.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            whole.write_text(json.dumps(merged, indent=0, sort_keys=True), encoding="utf-8")
            whole.replace(self.path)


def spoken(seconds: float) -> str:
    """Return a duration in words: ``40 s``, ``3 min 20 s``."""
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


class Progress:
    """Parts of a command, done one by one, some at once.

    Parameters
    ----------
    parts : iterable of str
        A name for each part.
    root : Path
        The repository, below which the durations of the last run lie.
    workers : int
        How many parts are done at once.
    say : callable
        Prints one line.
    """

    def __init__(self, parts: Iterable[str], root: Path, workers: int = 1, say: Callable[[str], None] = print):
        self.durations = Durations(root)
        self.left = dict.fromkeys(parts)
        self.total, self.workers, self.say = len(self.left), workers, say
        self.done: dict[str, float] = {}
        self.said = self.moved = time.monotonic()
        self.lock = threading.Lock()

    def finish(self, part: str, seconds: float) -> None:
        """Note that a part is done and how long it took; tell how far we are if it is time."""
        with self.lock:
            self.left.pop(part, None)
            self.done[part] = seconds
            self.moved = time.monotonic()
        self.tell()

    def tell(self) -> None:
        """Print one line, unless one was printed in the last ten seconds or nothing is left."""
        with self.lock:
            if not self.left or time.monotonic() - self.said < EVERY:
                return
            self.said = time.monotonic()
            line = self.line()
        self.say(line)

    def line(self) -> str:
        """Return how far we are, in words."""
        share = f"{self.total - len(self.left)} of {self.total} done"
        known = [s for name in self.left if (s := self.durations.seconds.get(name)) is not None]
        measured = list(self.done.values()) or known
        if not measured:
            return f"  {share}"
        unknown = (len(self.left) - len(known)) * sum(measured) / len(measured)
        left = (sum(known) + unknown) / self.workers - (time.monotonic() - self.moved)
        return f"  {share}, {f'about {spoken(left)} left' if left > 0 else 'longer than the last time'}"

    def close(self) -> None:
        """Keep what was measured, for the next run."""
        self.durations.save(self.done)


class Reporter:
    """Tells the progress of a pytest session, in the process that sees all reports."""

    def __init__(self, config: pytest.Config):
        self.config = config
        self.progress: Progress | None = None
        self.seconds: dict[str, float] = {}
        self.ended = threading.Event()

    def _start(self, nodeids: list[str], workers: int = 1) -> None:
        if self.progress is None:
            self.progress = Progress(nodeids, self.config.rootpath, workers, self._say)

    def _say(self, line: str) -> None:
        terminal = self.config.pluginmanager.getplugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(line)
        terminal.flush()

    def pytest_collection_finish(self, session):
        """Learn which tests there are, when this process runs them itself."""
        if session.items:
            self._start([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node, ids):
        """Learn which tests there are, when workers run them; tell also while one test takes long."""
        if self.progress is None:
            self._start(list(ids), len(self.config.option.tx))
            threading.Thread(target=self._keep_telling, daemon=True).start()

    def _keep_telling(self) -> None:
        while not self.ended.wait(1):
            self.progress.tell()

    def pytest_runtest_logreport(self, report):
        """Add up what the phases of a test take."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.when == "teardown" and self.progress:
            self.progress.finish(report.nodeid, self.seconds[report.nodeid])

    def pytest_sessionfinish(self):
        """Stop telling before the summary is printed."""
        self.ended.set()
        if self.progress:
            self.progress.close()


def pytest_configure(config):
    """Tell from one process only, not from the workers of xdist."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        config.pluginmanager.register(Reporter(config))
