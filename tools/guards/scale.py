"""Which Python runs what: the pages of docs/scale, their tests and their lab have an environment of their own.

It holds the lock and, beside it, engines that no other page needs: a Spark server, a stream, sketches.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.guards.fences import ROOT
from tools.guards.runner import Result, Runner

FOLDER = "scale"  # below docs/, snippets/, tests/, claims/ and benchmarks/
LABS = {"outgrown"}
PYTHON = ROOT / ".venv-scale/bin/python"  # which the Makefile makes
# What a block of docs/scale may import besides: sketches are called as a reader would call them, by their library.
NAMED = {
    "datasketches": {"cpc_sketch", "cpc_union", "hll_sketch", "hll_union", "kll_doubles_sketch", "tdigest_double"},
}


def is_scale(name: str) -> bool:
    """Say whether a page, a lab, a snippet or a test, by its path in the repository, belongs to that environment."""
    path = Path(name)
    return FOLDER in path.parts[1:2] or (path.parts[:2] == ("docs", "labs") and path.stem in LABS)


def python(name: str) -> str:
    """Return the interpreter that runs a file of the repository, named by its path in it.

    Raises
    ------
    RuntimeError
        If it needs the other environment, and that was not made yet.
    """
    if not is_scale(name):
        return sys.executable
    if not PYTHON.is_file():
        raise RuntimeError(f"{name} runs in an environment of its own: make .venv-scale/.ready")
    return str(PYTHON)


class Runners:
    """A runner for each interpreter, started when the first block that needs it comes.

    Parameters
    ----------
    root : Path
        As for ``Runner``.
    preload : bool
        As for ``Runner``.
    """

    def __init__(self, root: Path, *, preload: bool = True) -> None:
        self.root, self.preload = root, preload
        self._started: dict[str, Runner] = {}

    def run(self, code: str, page: str) -> Result:
        """Run a block of a page, named by its path in the repository, and return what became of it."""
        wanted = python(page)
        if wanted not in self._started:
            self._started[wanted] = Runner(self.root, preload=self.preload, python=wanted)
        return self._started[wanted].run(code)

    def close(self) -> None:
        """End all that were started."""
        for runner in self._started.values():
            runner.close()
