"""Run each block in a process of its own, forked from one that has the imports, so that it costs milliseconds.

``Runner`` starts a server, ``python -m tools.guards.runner``, which forks a child for each block. Nothing that a block
does reaches the next one, and what it printed comes back as bytes, and is compared by whoever asked. A block is stopped
when it takes too long, and takes along what it started. The channels are sockets: unlike pipes, nobody can open them
anew by a name in ``/proc``, and answer in place of whoever should.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import gc
import importlib
import json
import marshal
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import types
import warnings
from dataclasses import dataclass
from pathlib import Path

from tools.guards.probes import REACHED, Probes

# What blocks import most, beside the snippets and what these import.
LIBRARIES = (
    *("numpy", "pandas", "duckdb", "scipy.sparse", "scipy.special", "scipy.stats"),
    *("sklearn.decomposition", "sklearn.ensemble", "sklearn.feature_extraction.text", "sklearn.linear_model"),
    *("sklearn.metrics", "sklearn.model_selection", "sklearn.pipeline", "sklearn.preprocessing"),
)

SECONDS = 600  # the slowest block takes 23 on a quiet machine
BYTES = 10_000_000  # the longest page has 100,000


@dataclass(frozen=True)
class Result:
    """What became of one block."""

    stdout: str
    stderr: str
    left: list[tuple[int, str]]  # line within the block and text of what was never reached
    error: tuple[int, str] | None  # line within the block, and what was raised

    def faults(self) -> list[tuple[int, str]]:
        """Return what is wrong with the block, whatever it should print, by the line within it."""
        if self.error:
            return [self.error]
        written = [(0, f"it writes to standard error: {self.stderr}")] if self.stderr else []
        return written + [(line, f"never executed: {text}") for line, text in self.left]


class Runner:
    """A server that runs blocks, one after the other.

    Parameters
    ----------
    root : Path
        The folder that blocks run in and import from.
    preload : bool
        Whether to import the libraries and all snippets first.
    seconds : float
        After how long a block is stopped.
    python : str
        The interpreter.
    """

    def __init__(
        self, root: Path, *, preload: bool = True, seconds: float = SECONDS, python: str = sys.executable
    ) -> None:
        self.root = root
        path = os.pathsep.join([str(root), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        # -P, so that nothing but what is on this path can be imported; a warning is an error, as it is for a reader.
        # Threads that spin while they wait would keep the other workers from their cores.
        environment = os.environ | {"PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE"}
        command = [python, "-P", "-W", "error", "-m", "tools.guards.runner", str(seconds)]
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self._server = subprocess.Popen(
                [*command, *["--preload"] * preload],
                stdin=theirs,
                stdout=theirs,
                cwd=root,
                env=environment,
            )
            self._stream = ours.makefile("rwb")

    def run(self, code: str) -> Result:
        """Run one block and return what became of it.

        Raises
        ------
        RuntimeError
            If the server itself has died.
        """
        try:
            self._stream.write(json.dumps(code).encode() + b"\n")
            self._stream.flush()
            answer = self._stream.readline()
        except ConnectionError:
            answer = b""
        if not answer:
            raise RuntimeError(f"the server of the blocks ended with code {self._server.wait()}")
        found = json.loads(answer)
        error = tuple(found["error"]) if found["error"] else None
        return Result(found["stdout"], found["stderr"], [tuple(place) for place in found["left"]], error)

    def close(self) -> None:
        """End the server."""
        with contextlib.suppress(ConnectionError):  # what a server that died never read
            self._stream.close()
        self._server.wait()


def serve(root: Path, seconds: float) -> None:
    """Read blocks from standard input, a line of JSON each, and answer each with a line."""
    for line in sys.stdin.buffer:
        answer = json.dumps(_fork(json.loads(line), str(root), seconds))
        sys.stdout.buffer.write(answer.encode() + b"\n")
        sys.stdout.buffer.flush()


def _fork(code: str, root: str, seconds: float) -> dict:
    """Run a block in a child; return what it printed, and what the child says of it."""
    channels = [socket.socketpair() for _ in range(3)]
    child = os.fork()
    if not child:
        os.setsid()
        for reader, _ in channels:
            reader.close()
        _run(code, root, *(writer.detach() for _, writer in channels))
    for _, writer in channels:
        writer.close()
    (stdout, stderr, report), ended = _watch(child, [reader for reader, _ in channels], seconds)
    try:
        left, error = marshal.loads(report) if report else ([], (0, ended))
        printed = {"stdout": stdout.decode(), "stderr": stderr.decode()}
    except UnicodeDecodeError as wrong:
        printed, left, error = {"stdout": "", "stderr": ""}, [], (0, f"it prints what is not UTF-8: {wrong}")
    except (EOFError, TypeError, ValueError) as wrong:
        printed, left, error = {"stdout": "", "stderr": ""}, [], (0, f"it writes over the report: {wrong}")
    return {**printed, "left": left, "error": error}


def _watch(child: int, readers: list[socket.socket], seconds: float) -> tuple[list[bytes], str]:
    """Read several channels at once until the child ends or is stopped; return their bytes, and how it ended.

    What it started ends with it: nobody waits for a process that a block left behind.
    """
    found = {reader: bytearray() for reader in readers}
    deadline, ended = time.monotonic() + seconds, ""
    try:
        with selectors.DefaultSelector() as selector:
            for reader in readers:
                selector.register(reader, selectors.EVENT_READ)
            while True:
                # Once it has ended, all that it wrote is here to be read.
                ready = selector.select(0 if ended else 0.05) if selector.get_map() else []
                for key, _ in ready:
                    if piece := key.fileobj.recv(65_536):
                        found[key.fileobj] += piece
                    else:
                        selector.unregister(key.fileobj)
                if ended and not ready:
                    break
                if not ended and not selector.get_map():
                    time.sleep(0.001)
                if not ended:
                    ended = _ended(child, sum(map(len, found.values())), time.monotonic() > deadline, seconds)
    finally:
        _stop(child)
        for reader in readers:
            reader.close()
    return list(map(bytes, found.values())), ended


def _ended(child: int, size: int, late: bool, seconds: float) -> str:
    """Say how a child ended, by itself or since it must, or nothing while it runs."""
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        _stop(child)
        return f"the process ended with {os.waitstatus_to_exitcode(status)}"
    if late or size > BYTES:
        _stop(child)
        os.waitpid(child, 0)
        return f"it runs for more than {seconds:g} seconds" if late else f"it prints more than {BYTES:,} bytes"
    return ""


def _stop(child: int) -> None:
    """Kill a child with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left; macOS says it of the dead
        os.killpg(child, signal.SIGKILL)


def _run(code: str, root: str, stdout: int, stderr: int, report: int) -> None:
    """Be the child: run the block as ``__main__``, write the report, and end."""
    # Bound now, so that a block that patches these modules changes nothing here.
    write, leave, dumps = os.write, os._exit, marshal.dumps
    for fd, standard in ((os.open(os.devnull, os.O_RDONLY), 0), (stdout, 1), (stderr, 2)):
        os.dup2(fd, standard)
        os.close(fd)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(fd, mode, encoding="utf-8") for fd, mode in enumerate("rww"))
    out, err, describe, probes, error = sys.stdout, sys.stderr, _describe, Probes(), None
    for name in [n for n in sys.modules if n.split(".")[0] == "tools"]:
        del sys.modules[name]
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    setattr(builtins, REACHED, probes.reached)
    try:
        # Without the future imports of this file, under which nobody would evaluate the block's annotations.
        compiled = compile(probes.visit(ast.parse(code)), "<block>", "exec", dont_inherit=True)
        sys.addaudithook(_forbid(root, report))
        exec(compiled, module.__dict__)
        # As Python does at its end: what a suspended generator still has to print, a reader would see.
        for name in module.__dict__.keys() - {"__builtins__"}:
            module.__dict__[name] = None
        gc.collect()
    except BaseException as raised:
        error = describe(raised)
    try:
        out.flush()
        err.flush()
        write(report, dumps((probes.left(), error)))
    finally:
        leave(0)


def _describe(raised: BaseException) -> tuple[int, str]:
    """Return the last line of the block in a traceback, and the error as Python prints it."""
    lines = [entry.lineno for entry in traceback.extract_tb(raised.__traceback__) if entry.filename == "<block>"]
    if isinstance(raised, SyntaxError) and raised.filename in ("<block>", "<unknown>"):
        lines.append(raised.lineno)
    return (lines[-1] if lines else 0), traceback.format_exception_only(raised)[-1].strip()


# What changes files, and at which place each names them; of `open`, only where it writes.
CHANGES = {
    **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.chmod", "os.chown", "os.utime"), (0,)),
    **dict.fromkeys(("os.rename", "os.link", "os.symlink", "shutil.move", "shutil.copyfile"), (0, 1)),
    "sqlite3.connect": (0,),
}


def _forbid(root: str, report: int):
    """Return an audit hook, which nothing can take off again, that keeps a block from writing what it should not.

    It may write below the temporary folder, where the loaders of data sets unpack, and to pipes of its own: a library
    may ask another program how many cores there are. Not into the guide, not into a process by its name in ``/proc``.
    """
    fspath, realpath, inside = os.fspath, os.path.realpath, root + os.sep
    temporary = realpath(tempfile.gettempdir()) + os.sep
    writing, nowhere = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, os.devnull

    def forbid(event, arguments):
        if event == "open":
            path, mode, flags = arguments
            if path == report:
                raise PermissionError("a block must not write its own report")
            if isinstance(path, int) or path == nowhere:
                return
            if not (any(letter in (mode or "") for letter in "wax+") or (flags or 0) & writing):
                return
            paths = [path]
        elif event in CHANGES:
            paths = [arguments[i] for i in CHANGES[event]]
        else:
            return
        for path in paths:
            name = fspath(path)
            name = name.decode() if isinstance(name, bytes) else name
            real = realpath(name) + os.sep
            if real.startswith(inside) or not real.startswith(temporary):
                raise PermissionError(f"a block must not write there: {name}")

    return forbid


def main() -> None:
    """Import what blocks need, then serve until standard input ends."""
    if count := os.environ.get("PYTHON_CPU_COUNT"):  # which Python itself heeds from 3.13 on
        os.cpu_count = lambda: int(count)
    root = Path.cwd()
    if "--preload" in sys.argv:
        for name in LIBRARIES:
            importlib.import_module(name)
        for path in sorted((root / "snippets").rglob("*.py")):
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"))
    warnings.resetwarnings()
    warnings.simplefilter("error")
    gc.freeze()  # no block has to look through all of that once more
    serve(root, float(sys.argv[1]))


if __name__ == "__main__":
    main()
