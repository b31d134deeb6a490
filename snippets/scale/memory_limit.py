"""What fits into memory: say so before loading, and try code within a limit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from glob import glob
from pathlib import Path

import duckdb

PART = 100_000  # rows to look at
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
    resource.setrlimit(resource.RLIMIT_AS, (now + job["address"],) * 2)
ready.write("ready\\n")
ready.flush()
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
with open(job["file"], "w") as file:
    file.write(text)
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

    Raises
    ------
    ValueError
        If the limit or ``how`` is none.
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
    enforced = how == "address" and sys.platform == "linux"
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+") as log:
        file = Path(folder, "answer.json")
        job = {"code": code, "setup": setup, "given": given or {}, "file": str(file)}
        job["address"] = size if enforced else 0
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
        with child:
            child.stdin.write(json.dumps(job) + "\n")
            child.stdin.flush()
            ready = child.stdout.readline()
            peak, late = _watch(child, None if enforced else size, seconds)
        log.seek(0)
        lines = [line for line in log.read().split("\n") if line.strip()]
        said = json.loads(file.read_text()) if file.is_file() else {}
    if not ready:
        raise RuntimeError(f"the set-up fails: {lines[-1] if lines else 'no word'}")
    peak = max(peak, said.get("peak", 0))
    if not enforced and peak > size:  # seen in time or not
        return Run(None, "", 9, peak)
    if late:
        return Run(None, f"it runs for more than {seconds} seconds", 9, peak)
    died = child.returncode
    error = said.get("error") or (lines[-1] if died and lines else "")
    return Run(said.get("answer"), error, -min(died, 0), peak)


# --8<-- [end:run]


# --8<-- [start:estimate]
def frame_bytes(files, columns=None):
    """Estimate what Parquet files take as a pandas frame, from a part of one.

    Parameters
    ----------
    files : str or Path
        A file, or a pattern with wildcards.
    columns : list of str, optional
        Those to load; all without.

    Returns
    -------
    Series of float
        Bytes of each column: what one of the first rows takes, times the rows of all
        files. To join or to sort takes several times that.

    Raises
    ------
    ValueError
        If there is no file, no row, or no such column.

    Examples
    --------
    >>> frame_bytes("nowhere/*.parquet")
    Traceback (most recent call last):
    ValueError: files: no file at nowhere/*.parquet
    """
    paths = sorted(glob(str(files)))
    if not paths:
        raise ValueError(f"files: no file at {files}")
    with duckdb.connect(config={"threads": 1}) as con:
        log = con.read_parquet(paths)
        if unknown := [name for name in columns or [] if name not in log.columns]:
            raise ValueError(f"columns: {paths[0]} has no {unknown[0]!r}")
        wanted = map(duckdb.ColumnExpression, columns or log.columns)
        first = log.select(*wanted).limit(PART).to_arrow_table().to_pandas()
        [(rows,)] = log.aggregate("count(*)").fetchall()
    if not rows:
        raise ValueError(f"files: no row in {files}")
    return first.memory_usage(index=False, deep=True) * (rows / len(first))


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


def _bytes(limit):
    """Return a limit in bytes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(MB|GB)", str(limit))
    size = float(found[1]) * UNITS[found[2]] if found else limit
    if (
        isinstance(size, bool | str)
        or not isinstance(size, int | float)
        or not size >= 1
    ):
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
