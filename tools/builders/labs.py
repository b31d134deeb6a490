"""Labs run once: what a lab showed is kept until the lab, what it imports, the lock or the interpreter changes.

mkdocs-jupyter keeps the HTML of a notebook whose text stays the same, but knows nothing of what it imports. So each
run of a lab has a folder in ``.cache/labs`` that bears the digest of all that the run depends on. Beside the HTML lies
the record of the kernel, which loads this module as an IPython extension: it puts probes into each cell
(tools.guards.probes) and notes the code that was never reached.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext

from tools.guards.fences import ROOT
from tools.guards.ledger import sources_digest
from tools.guards.probes import REACHED, Probes

RECORD = "LAB_RECORD"  # the environment variable that tells the kernel where to write
PROFILE = {
    "InteractiveShellApp": {"extensions": [__name__]},
    "HistoryManager": {"enabled": False},
    "IPKernelApp": {"log_level": 40},
}


@dataclass
class Run:
    """A run of a lab, done or to be done, in a folder of its own below ``cache``."""

    lab: Path
    cache: Path

    @cached_property
    def folder(self) -> Path:
        """The folder of the run, named by the digest of all that its outputs depend on."""
        found = hashlib.sha256(f"{sys.version}\0{sources_digest(ROOT)}\0".encode())
        for path in [self.lab, *sorted(ROOT.glob("figures/**/*.py")), Path(__file__), ROOT / "tools/guards/probes.py"]:
            found.update(f"{path.name}\0{path.read_text(encoding='utf-8')}\0".encode())
        return self.cache / self.lab.stem / found.hexdigest()

    @property
    def html(self) -> Path:
        """The folder in which mkdocs-jupyter keeps the HTML."""
        return self.folder / "html"

    @property
    def done(self) -> bool:
        """Whether the lab was run to its end, with its record."""
        return any(self.html.glob("*.json")) and _read(self.folder)["cells"] == self.cells

    @cached_property
    def cells(self) -> int:
        """The number of code cells of the lab."""
        return sum(c.cell_type == "code" and bool(c.source.strip()) for c in jupytext.read(self.lab).cells)

    def begin(self) -> None:
        """Let kernels started from now on record this run; forget a run that did not get to its end."""
        if not self.done:
            shutil.rmtree(self.folder, ignore_errors=True)
        profile = self.folder / "ipython/profile_default"
        profile.mkdir(parents=True, exist_ok=True)
        (profile / "ipython_kernel_config.json").write_text(json.dumps(PROFILE), encoding="utf-8")
        os.environ |= {"IPYTHONDIR": str(self.folder / "ipython"), RECORD: str(_record(self.folder))}

    def seconds_last_time(self) -> float | None:
        """Return how long the lab took when it was last run, if that is known."""
        runs = [_read(folder)["seconds"] for folder in self.folder.parent.glob("*") if _record(folder).is_file()]
        return max(runs, default=None)

    def end(self) -> list[str]:
        """Drop the runs of older sources; return the faults of this one."""
        for folder in self.folder.parent.iterdir():
            if folder != self.folder:
                shutil.rmtree(folder, ignore_errors=True)
        record = _read(self.folder)
        if record["cells"] != self.cells:
            return [f"{record['cells']} of {self.cells} cells ran under probes: a cell must leave IPython alone"]
        return [f"cell {cell} shows code that is never executed: {text}" for cell, text in record["left"]]


def _record(folder: Path) -> Path:
    return folder / "record.json"


def _read(folder: Path) -> dict:
    path = _record(folder)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"cells": 0, "left": [], "seconds": 0.0}


class Cells:
    """Puts probes into the cells of a notebook as they come, and writes down what was not reached."""

    def __init__(self, record: Path) -> None:
        self.record, self.probes, self.count, self.start = record, Probes(), 0, time.monotonic()
        setattr(builtins, REACHED, self.probes.reached)

    def visit(self, tree):
        """Return the syntax tree of the next cell with probes, each of which knows its cell."""
        self.count += 1
        known = len(self.probes.places)
        tree = self.probes.visit(tree)
        self.probes.places[known:] = [(self.count, text) for _, text in self.probes.places[known:]]
        return tree

    def write(self, result=None) -> None:
        """Write the record: a later cell may still reach what this one did not."""
        record = {"cells": self.count, "left": self.probes.left(), "seconds": time.monotonic() - self.start}
        whole = self.record.with_suffix(".part")  # a kernel that is killed meanwhile leaves no half of a record
        whole.write_text(json.dumps(record), encoding="utf-8")
        whole.replace(self.record)


def load_ipython_extension(shell) -> None:
    """Watch the cells of a kernel."""
    cells = Cells(Path(os.environ[RECORD]))
    shell.ast_transformers.append(cells)
    shell.events.register("post_run_cell", cells.write)
