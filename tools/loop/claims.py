"""Run the claims that changed since they were last run, on all cores, and write ``claims.json``: ``make claims``.

Each run is kept in ``.cache/`` as soon as it is done, so that an interrupted command goes on where it stopped. Names as
arguments, ``modeling/choosing``, ``modeling`` or one claim, run those alone. ``--all`` believes neither the record nor
the cache. Exits with 1 if a claim is not what its sentence says. One command at a time: a second one says so and ends.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import math
import os
import pickle
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from datetime import date
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from statistics import fmean
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
from sklearn.utils import check_random_state

from claims import record
from claims.claim import Found, World
from tools.loop.progress import Progress

CACHE = record.ROOT / ".cache" / "claims.jsonl"
# Fill a state from the machine and overwrite it at once: by a seed in scikit-learn, SciPy and pandas, or in a copy
SEEDING = ("check_random_state", "random_state", "__bit_generator_ctor")


class Task(NamedTuple):
    """One run of an experiment."""

    name: str
    digest: str
    world: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name} {self.world} seed {self.seed}"


class Cache:
    """The runs that are done: each is a line of a file, so that none is lost when the command is stopped."""

    def __init__(self, path: Path, digests: Iterable[str], without: Iterable[Task] = ()):
        self.path, self.done, wanted, without = path, {}, set(digests), set(without)
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                task, found, seconds = json.loads(line)
                task = Task(*task)
            except (ValueError, TypeError):  # cut short
                continue
            if task.digest in wanted and task not in without:
                self.done[task] = found, seconds
        path.parent.mkdir(exist_ok=True)
        record.replace(path, "".join(map(self._line, self.done)))

    def _line(self, task: Task) -> str:
        return json.dumps([task, *self.done[task]]) + "\n"

    def add(self, task: Task, found: Found, seconds: float) -> None:
        """Keep a run."""
        self.done[task] = found, seconds
        with self.path.open("a", encoding="utf-8") as file:
            file.write(self._line(task))


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Refuse a second command in the same folder: of two records that are written, one would lose its runs."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # let go of when the process ends, however it does
        except OSError:
            raise ValueError("another make claims is at work in this folder: wait until it is done") from None
        yield


def run(task: Task) -> tuple[Found, float]:
    """Run an experiment once; a warning is an error, as in the blocks."""
    start = time.process_time()  # of a core, also on a busy machine
    world: World = json.loads(task.world)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        experiment = record.experiments()[task.name]
        with seeded():
            found = experiment(task.seed, **world)
    return checked(found), round(time.process_time() - start, 2)


@contextlib.contextmanager
def seeded() -> Iterator[None]:
    """Refuse what is drawn without the seed of the run: from a state that all share, or from the machine."""
    bits_of_machine = np.random.bit_generator.randbits

    def refuse(bits: int) -> int:
        frames = traceback.extract_stack()[:-1]
        if any(frame.filename.startswith("<frozen importlib") for frame in frames):
            return bits_of_machine(bits)  # SciPy makes generators when it is imported, which nobody draws from
        if frames[-1].name in SEEDING:
            return bits_of_machine(bits)
        raise ValueError("a generator without a seed: no run of it could be repeated")

    def shared() -> tuple:
        return random.getstate(), pickle.dumps(check_random_state(None).get_state())

    before = shared()
    with patch.object(np.random.bit_generator, "randbits", refuse):
        yield
    if shared() != before:
        raise ValueError("numbers drawn from the state that all share: use np.random.default_rng(seed)")


def follow_parent() -> None:
    """End this process when the command ends, also if it was killed: it would wait for work for ever."""
    parent = parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()


def checked(found: Found) -> Found:
    """Return a result with six significant digits, or say what about it cannot be written down."""
    if isinstance(found, dict):
        if not found or not all(isinstance(name, str) for name in found):
            raise ValueError(f"an experiment finds numbers by name, got {found!r}")
        return {name: checked(value) for name, value in found.items()}
    value = float(found)
    if not math.isfinite(value):
        raise ValueError(f"an experiment found {value}: a contrast is a finite number")
    return float(f"{value:.6g}")


def chosen(names: list[str]) -> list[str]:
    """Return the claims of these names, pages or sections, or all of them."""
    known = list(record.claims())
    for name in names:
        if not any(c == name or c.startswith(f"{name}/") for c in known):
            pages = ", ".join(dict.fromkeys(c.rsplit("/", 1)[0] for c in known))
            raise ValueError(f"no claim is called {name!r}: name one of the pages {pages}")
    return [c for c in known if not names or any(c == name or c.startswith(f"{name}/") for name in names)]


def tasks(names: Iterable[str], known: dict[str, dict]) -> list[Task]:
    """Return the runs that these claims still need."""
    wanted = {record.claims()[name].experiment.id for name in names}
    return [
        Task(name, record.digest(e), record.key(world), seed)
        for name, e in record.experiments().items()
        if name in wanted and not record.is_complete(e, known)
        for world, seeds in record.worlds(e)
        for seed in range(seeds)
    ]


def recall(known: dict[str, dict], cache: Cache, wanted: Iterable[Task]) -> None:
    """Take over from the record what it has of these runs: a new twin, or more seeds, runs nothing a second time."""
    for task in wanted:
        entry = known.get(task.name, {})
        runs = entry.get("runs", {}).get(task.world, ())
        if entry.get("digest") == task.digest and record.is_signed(entry) and task.seed < len(runs):
            cache.done.setdefault(task, (runs[task.seed], entry["seconds"]))


def merge(known: dict[str, dict], cache: Cache, wanted: Iterable[Task]) -> None:
    """Take over into the record each experiment of which every run is done."""
    by_name: dict[str, list[Task]] = {}
    for task in wanted:
        by_name.setdefault(task.name, []).append(task)
    for name, needed in by_name.items():
        if any(task not in cache.done for task in needed):
            continue
        runs: dict[str, list[Found]] = {}
        for task in sorted(needed, key=lambda task: (task.world, task.seed)):
            runs.setdefault(task.world, []).append(cache.done[task][0])
        seconds = fmean(cache.done[task][1] for task in needed)
        known[name] = {
            "digest": needed[0].digest,
            "measured": date.today().isoformat(),
            "seconds": round(seconds, 2),
            "runs": runs,
        }
        known[name]["sum"] = record.signature(known[name])


def perform(todo: list[Task], cache: Cache, known: dict[str, dict]) -> list[str]:
    """Run what is to do, on all cores, and say how far it is; return what went wrong."""
    progress = Progress(map(str, todo), record.ROOT, os.cpu_count(), lambda line: print(line, flush=True))
    for task in todo:
        progress.durations.seconds.setdefault(str(task), known.get(task.name, {}).get("seconds", 2))
    print(f"{len(todo)} runs, {progress.line().partition(', ')[2] or 'for the first time'}", flush=True)
    faults = []
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=follow_parent) as pool:
        running = {pool.submit(run, task): task for task in todo}
        try:
            while running:
                for future in wait(running, timeout=1, return_when=FIRST_COMPLETED).done:
                    task = running.pop(future)
                    if error := future.exception():
                        faults.append(f"{task}: {type(error).__name__}: {error}")
                    else:
                        cache.add(task, *future.result())
                    progress.finish(str(task), cache.done[task][1] if task in cache.done else 0)
                progress.tell()
        except BaseException:  # stopped, or the disk is full: what waits would run for nobody
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in active_children():
                worker.terminate()
            raise
    progress.close()
    return faults


def main() -> int:
    """Run what was asked for, write the record, print each verdict, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="sections, pages or claims")
    parser.add_argument("--all", action="store_true", help="run every seed anew")
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # a run a core
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of what tidies up
    try:
        with alone(CACHE.with_suffix(".lock")):
            return work(chosen(options.names), options.all)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        signal.signal(signal.SIGTERM, before)


def work(names: list[str], anew: bool) -> int:
    """Run what these claims still need, or all of it ``anew``, and return the exit code."""
    known = record.load()
    wanted = tasks(names, {} if anew else known)
    cache = Cache(CACHE, map(record.digest, record.experiments().values()), without=wanted if anew else ())
    if not anew:
        recall(known, cache, wanted)
    start = time.monotonic()
    todo = [task for task in wanted if task not in cache.done]
    try:
        faults = perform(todo, cache, known) if todo else []
    finally:
        known = record.load()  # as it is now, not as it was hours ago
        merge(known, cache, wanted)
        record.save(known)
    for name in names:
        if record.is_complete(record.claims()[name].experiment, known):
            with contextlib.suppress(ArithmeticError, LookupError, ValueError):  # named among the faults
                print(told(record.summary(record.claims()[name], known), name))
    spent = record.core_seconds(known) / 60
    took = f"{time.monotonic() - start:.0f} s now; all runs of the record: {spent:.1f} core-minutes"
    print(f"{len(names)} claims, {took}", flush=True)
    faults += record.faults(known, names)
    for fault in faults:
        print(f"FAULT {fault}", file=sys.stderr)
    return bool(faults)


def told(said: dict, name: str) -> str:
    """Return a verdict and what it rests on, in a line for each world."""
    lines = [f"{said['verdict']:<7} {name}: {said['sentence']}"]
    for world, s in [*said["worlds"].items(), ("twin", said["twin"])]:
        lines.append(f"    {world:<16} {s['mean']:>9.4g} ± {s['sd']:.2g} between runs, in {s['held']} of {s['runs']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
