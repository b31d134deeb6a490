"""What fits into memory: say so before loading, and try code within a limit."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow.parquet import ParquetFile

LOOKS, PART = 20, 5_000  # how often to look into the files, at how many rows
UNITS = {"MB": 10**6, "GB": 10**9}
# One thread each, and an allocator that reserves nothing: the same code takes the
# same memory on every machine.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
CHILD = """
import json, os, resource, sys
job = json.loads(sys.stdin.readline())
ready = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what the code prints is no answer
names = dict(job["given"])
exec(job["setup"], names)
def highest():
    with open("/proc/self/status") as file:
        return 1024 * int(file.read().partition("VmHWM:")[2].split()[0])
start = None
try:
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the highest is what is held now
    start = highest()
except OSError:  # no Linux: the parent alone watches
    pass
if job["address"]:
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    most = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = min(now + job["address"], most if most >= 0 else sys.maxsize)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
ready.write("ready\\n")
ready.flush()
sys.stdin.readline()  # the parent has seen what the set-up holds
try:
    exec(job["code"], names)
    said = {"answer": names.get("answer")}
except BaseException as error:
    lines = str(error).strip().split("\\n")
    said = {"error": f"{type(error).__name__}: {lines[0]}".rstrip(": ")}
    error = None
said["peak"] = 0 if start is None else highest() - start
try:
    text = json.dumps(said)
except (TypeError, ValueError):
    said = {"error": "TypeError: answer must be plain values", "peak": said["peak"]}
    text = json.dumps(said)
with open(job["file"] + ".part", "w") as file:
    file.write(text)
os.replace(job["file"] + ".part", job["file"])  # whole, or not at all
os._exit(0)  # an engine that hangs at its end is none of ours
"""


@dataclass(frozen=True)
class Run:
    """What came of code within a limit.

    Parameters
    ----------
    answer : object
        What the code left under the name ``answer``, or None.
    error : str
        What it raised, in a line, or what it wrote last before it died.
    signal : int
        The signal that ended it, or 0; 9 is the kernel's own way, without a word.
    peak : int
        Bytes of memory that it held at once, beyond those of the set-up.
    """

    answer: object
    error: str
    signal: int
    peak: int

    @property
    def fits(self):
        """Whether the code came to its end."""
        return not (self.error or self.signal)

    def __str__(self):
        if self.signal:
            return f"killed by signal {self.signal}: {self.error or 'not a word'}"
        return self.error or "fits"


# --8<-- [start:run]
def run_within(code, limit, how="address", setup="", given=None, seconds=300):
    """Run code in a process of its own, within a limit of memory.

    Parameters
    ----------
    code : str
        Python, which leaves its result under the name ``answer``: plain values.
    limit : int or str
        Bytes beyond those of the set-up, or text such as ``"300MB"``.
    how : {"address", "resident"}, default "address"
        ``address`` limits what the process may ask for (``RLIMIT_AS``): asking for
        more fails, and the code can say so. Linux alone enforces it; elsewhere
        this is as ``resident``, which watches what the process holds, and kills it
        beyond the limit, as a container's kernel does.
    setup : str, default ""
        Python that runs before the limit holds, such as imports.
    given : dict, optional
        Names that the code finds, with plain values.
    seconds : float, default 300
        After how long to stop it.

    Returns
    -------
    Run

    Notes
    -----
    Processes that the code starts have memory of their own, which is not counted.

    Raises
    ------
    ValueError
        If the limit, ``how`` or the seconds are none, or what is given is not plain.
    RuntimeError
        If the set-up fails.

    Examples
    --------
    >>> run_within("answer = sum(range(n))", "50MB", given={"n": 4}).answer
    6
    """
    size = _bytes(limit)
    if how not in ("address", "resident"):
        raise ValueError(f"how must be address or resident, got {how!r}")
    if isinstance(seconds, bool) or not _above_zero(seconds):
        raise ValueError(f"seconds must be a number above 0, got {seconds!r}")
    enforced = how == "address" and sys.platform == "linux"
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+b") as log:
        file = Path(folder, "answer.json")
        job = {"code": code, "setup": setup, "given": given or {}, "file": str(file)}
        job["address"] = size if enforced else 0
        try:
            line = json.dumps(job) + "\n"
        except (TypeError, ValueError) as error:
            raise ValueError(f"given must have plain values: {error}") from None
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
        with child:
            try:
                child.stdin.write(line)
                child.stdin.flush()
                ready = child.stdout.readline()
                peak, late = _watch(child, None if enforced else size, seconds)
            finally:
                child.kill()  # if we were interrupted; else it has ended
        log.seek(0)
        text = log.read().decode(errors="replace")
        lines = [line for line in text.split("\n") if line.strip()]
        said = json.loads(file.read_text()) if file.is_file() else {}
    if not ready:
        raise RuntimeError(f"the set-up fails: {lines[-1] if lines else 'no word'}")
    peak = max(peak, said.get("peak", 0))
    if not enforced and peak > size:  # seen in time or not
        return Run(None, "", 9, peak)
    if late:
        return Run(None, f"it runs for more than {seconds} seconds", 9, peak)
    died = child.returncode
    error = said.get("error", "")
    if not said:
        word = f"it leaves with exit code {died}" if died >= 0 else ""
        error = lines[-1] if died and lines else word
    return Run(said.get("answer"), error, -min(died, 0), peak)


# --8<-- [end:run]


# --8<-- [start:estimate]
def frame_bytes(files, columns=None):
    """Estimate what Parquet files take as a pandas frame, from parts of them.

    Parameters
    ----------
    files : str or Path
        A file, a folder, or a pattern with wildcards, where ``**`` is any folders.
    columns : list of str, optional
        Those to load; all without.

    Returns
    -------
    Series of float
        Bytes of each column: what one row takes in parts from all over the files,
        times all rows. To join or to sort takes several times that.

    Raises
    ------
    ValueError
        If there is no file, no row, or no such column, or a file is none of Parquet
        or has other columns than the first.

    Examples
    --------
    >>> frame_bytes("nowhere/*.parquet")
    Traceback (most recent call last):
    ValueError: files: no file at nowhere/*.parquet
    """
    logs = [(path, *_footer(path)) for path in _paths(files)]
    if not logs:
        raise ValueError(f"files: no file at {files}")
    names = logs[0][1]
    for path, found, _ in logs:
        if set(found) != set(names):
            raise ValueError(f"files: {path} has other columns than {logs[0][0]}")
    wanted = names if columns is None else list(columns)
    if isinstance(columns, str) or not wanted:
        raise ValueError(f"columns must be a list of names, got {columns!r}")
    if unknown := [name for name in wanted if name not in names]:
        raise ValueError(f"columns: {logs[0][0]} has no {unknown[0]!r}")
    rows = sum(sum(groups) for _, _, groups in logs)
    if not rows:
        raise ValueError(f"files: no row in {files}")
    marks, start, parts = np.linspace(0, rows - 1, LOOKS).astype(np.int64), 0, []
    for path, _, groups in logs:
        for group, count in enumerate(groups):
            looks = {
                *(marks[(start <= marks) & (marks < start + count)] - start) // PART
            }
            parts += _parts(path, group, looks, wanted) if looks else []
            start += count
    some = pa.concat_tables(parts, promote_options="permissive").to_pandas()
    if not isinstance(some.index, pd.RangeIndex):
        some = some.reset_index()  # it is among the columns that were asked for
    return some.memory_usage(index=False, deep=True) * (rows / len(some))


# --8<-- [end:estimate]


def scratch():
    """Return a folder for files that nobody needs behind its ``with`` statement.

    Examples
    --------
    >>> with scratch() as folder:
    ...     Path(folder).is_dir()
    True
    """
    return tempfile.TemporaryDirectory()


def _paths(files):
    """Return the files of a name, of a folder, or of a pattern."""
    if Path(files).is_file():
        return [str(files)]  # also one with a wildcard in its name
    if Path(files).is_dir():
        return sorted(map(str, Path(files).rglob("*.parquet")))
    found = sorted(glob(str(files), recursive=True))
    return [path for path in found if Path(path).is_file()]


def _footer(path):
    """Return the names of a file's columns, and the rows of each of its groups."""
    try:
        with ParquetFile(path) as file:
            groups = map(file.metadata.row_group, range(file.num_row_groups))
            return file.schema_arrow.names, [group.num_rows for group in groups]
    except pa.ArrowInvalid as error:
        raise ValueError(f"files: {path} is no Parquet file: {error}") from None


def _parts(path, group, looks, columns):
    """Return some of the parts of a group of rows, by their numbers."""
    with ParquetFile(path) as file:
        parts = file.iter_batches(PART, row_groups=[group], columns=columns)
        read = zip(range(max(looks) + 1), parts, strict=False)
        return [pa.Table.from_batches([part]) for k, part in read if k in looks]


def _above_zero(value):
    """Say whether a value is a finite number above zero."""
    number = isinstance(value, int | float | np.integer | np.floating)
    return number and math.isfinite(value) and value > 0


def _bytes(limit):
    """Return a limit in bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(MB|GB)", str(limit))
    size = float(found[1]) * UNITS[found[2]] if found else limit
    if isinstance(size, bool) or not _above_zero(size) or not 1 <= size < 2**62:
        raise ValueError(
            f"limit must be bytes or text such as '300MB', above 0, got {limit!r}"
        )
    return int(size)


def _watch(child, limit, seconds):
    """Wait for a process, kill it beyond the limit; return its peak, and whether late.

    Memory counts from here on.
    """
    start, deadline, peak, late = (
        _resident(child.pid),
        time.monotonic() + seconds,
        0,
        False,
    )
    with suppress(BrokenPipeError):  # the set-up has failed
        child.stdin.write("go\n")
        child.stdin.close()  # what the code asks for by input() is not there
    while child.poll() is None:
        peak = max(peak, _resident(child.pid) - start)
        late = time.monotonic() > deadline
        if late or (limit is not None and peak > limit):
            child.kill()
            child.wait()
        time.sleep(0.002)
    return peak, late


def _resident(process):
    """Return the bytes of memory that a process holds; 0 once it has ended."""
    if sys.platform == "linux":
        try:
            pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")
    asked = ["/bin/ps", "-o", "rss=", "-p", str(process)]
    said = subprocess.run(asked, capture_output=True, text=True).stdout
    return int(said or 0) * 1024
