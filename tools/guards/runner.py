"""Run each block in a process of its own, forked from one that has the imports, so that it costs milliseconds.

``Runner`` starts a server, ``python -m tools.guards.runner``, which forks a child for each block. Nothing that a block
does reaches the next one, and nothing that judges it lives where it runs: what it printed comes back as bytes, and is
compared by whoever asked.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import json
import marshal
import os
import selectors
import subprocess
import sys
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
        The folder that blocks run in and import from, and may not write into.
    preload : bool
        Whether to import the libraries and all snippets first.
    """

    def __init__(self, root: Path, *, preload: bool = True) -> None:
        self.root = root
        path = os.pathsep.join([str(root), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        # -P, so that nothing but what is on this path can be imported; a warning is an error, as it is for a reader.
        command = [sys.executable, "-P", "-W", "error", "-m", "tools.guards.runner", *["--preload"] * preload]
        # Threads that spin while they wait would keep the other workers from their cores.
        environment = os.environ | {"PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE"}
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root, env=environment
        )

    def run(self, code: str) -> Result:
        """Run one block and return what became of it.

        Raises
        ------
        RuntimeError
            If the server itself has died.
        """
        try:
            self._server.stdin.write(json.dumps(code).encode() + b"\n")
            self._server.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self._server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the server of the blocks ended with code {self._server.wait()}")
        found = json.loads(answer)
        error = tuple(found["error"]) if found["error"] else None
        return Result(found["stdout"], found["stderr"], [tuple(place) for place in found["left"]], error)

    def close(self) -> None:
        """End the server."""
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()


def serve(root: Path) -> None:
    """Read blocks from standard input, a line of JSON each, and answer each with a line."""
    for line in sys.stdin.buffer:
        answer = json.dumps(_fork(json.loads(line), str(root)))
        sys.stdout.buffer.write(answer.encode() + b"\n")
        sys.stdout.buffer.flush()


def _fork(code: str, root: str) -> dict:
    """Run a block in a child; return what it printed, and what the child says of it."""
    pipes = [os.pipe() for _ in range(3)]
    child = os.fork()
    if not child:
        for reader, _ in pipes:
            os.close(reader)
        _run(code, root, *(writer for _, writer in pipes))
    for _, writer in pipes:
        os.close(writer)
    stdout, stderr, report = _read([reader for reader, _ in pipes])
    _, status = os.waitpid(child, 0)
    ended = f"the process ended with {os.waitstatus_to_exitcode(status)}"
    left, error = marshal.loads(report) if report else ([], (0, ended))
    return {"stdout": stdout.decode(), "stderr": stderr.decode(), "left": left, "error": error}


def _read(readers: list[int]) -> list[bytes]:
    """Read several pipes to their ends at once, so that none fills up while another is waited for."""
    found = dict.fromkeys(readers, b"")
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if piece := os.read(key.fd, 65_536):
                    found[key.fd] += piece
                else:
                    selector.unregister(key.fd)
                    os.close(key.fd)
    return list(found.values())


def _run(code: str, root: str, stdout: int, stderr: int, report: int) -> None:
    """Be the child: run the block as ``__main__``, write the report, and end."""
    # Bound now, so that a block that patches these modules changes nothing here.
    write, leave, dumps = os.write, os._exit, marshal.dumps
    os.dup2(stdout, 1)
    os.dup2(stderr, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
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
        sys.addaudithook(_forbid(root))
        exec(compiled, module.__dict__)
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
}


def _forbid(root: str):
    """Return an audit hook, which nothing can take off again, that keeps a block from changing the guide."""
    fspath, realpath, inside = os.fspath, os.path.realpath, root + os.sep
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

    def forbid(event, arguments):
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int):
                if path > 2:
                    raise PermissionError("a block opens files by their names")
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
            if (realpath(name) + os.sep).startswith(inside):
                raise PermissionError(f"a block must not write into the guide: {name}")

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
    serve(root)


if __name__ == "__main__":
    main()
