"""Time, count memory, and write a table of what was measured."""

from __future__ import annotations

import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROWS = 10_000_000


def times(*functions: Callable[[], object], repeats: int) -> list[float]:
    """Return the median seconds of each function, run in turns so that all meet the same machine."""
    taken = [[] for _ in functions]
    for _ in range(repeats):
        for function, list_ in zip(functions, taken, strict=True):
            start = time.perf_counter()
            function()
            list_.append(time.perf_counter() - start)
    return [statistics.median(list_) for list_ in taken]


def peak(function: Callable[[], object]) -> int:
    """Return the most bytes that a function holds beyond its input."""
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def plain(number: float, digits: int) -> str:
    """Return a number with so many significant digits, and without an exponent."""
    rounded = float(f"{number:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


class Table:
    """Rows of one table, and the goals that they miss."""

    def __init__(self, name: str) -> None:
        self.path = HERE / f"{name}.md"
        self.rows: list[str] = []
        self.missed: list[str] = []

    def compare(self, name, other_name, ours, other, *, goal=1.0, share=1, input_bytes=None, repeats=3) -> None:
        """Time both. ``share``: the other was given one part in so many of the data, its time counts so many times."""
        mine, theirs = times(ours, other, repeats=repeats)
        ratio = share * theirs / mine
        cells = [
            f"`{name}`",
            f"{plain(mine, 3)} s",
            other_name,
            f"{plain(share * theirs, 3)} s{' *' * (share > 1)}",
            f"{plain(ratio, 2)} x",
        ]
        if ratio < goal:
            self.missed.append(f"{name}: {ratio:.2g} times as fast (goal {goal})")
        if input_bytes:
            memory = 1 + peak(ours) / input_bytes
            cells.append(f"{memory:.2f} x")
            if memory > 2:
                self.missed.append(f"{name}: memory {memory:.2f} times the input (goal 2)")
        self.rows.append(f"| {' | '.join(cells)} |")
        print(self.rows[-1], flush=True)

    def write(self, note: str) -> list[str]:
        """Write the table; return what it misses."""
        head = ["Snippet", "Time", "Instead", "Time", "As fast", "Memory, with its input"][
            : self.rows[0].count("|") - 1
        ]
        scaled = " Times with a star are measured on a part of the rows and scaled up." * any(
            "*" in r for r in self.rows
        )
        versions = f"Medians of several runs on {os.cpu_count()} cores with NumPy {np.__version__}."
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *self.rows, "", f"{note}{scaled} {versions}"]
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.missed
