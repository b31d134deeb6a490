"""Time, count memory, and keep the rows of a table."""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable

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
    """The rows of one table, the note below them, and the goals that they miss."""

    def __init__(self, *head: str) -> None:
        self.head = head
        self.rows: list[tuple[str, ...]] = []
        self.note = ""
        self.missed: list[str] = []

    def row(self, *cells: str) -> None:
        """Add a row, and print it: that is how one sees a long table grow."""
        if len(cells) != len(self.head):
            raise ValueError(f"the row {cells} has {len(cells)} cells, the head {self.head} has {len(self.head)}")
        self.rows.append(cells)
        print(_line(cells), flush=True)

    def markdown(self) -> str:
        """Return the table and its note."""
        return "\n".join([_line(self.head), "|---" * len(self.head) + "|", *map(_line, self.rows), "", self.note])


class Comparison(Table):
    """A table of our snippets against what a reader would use instead."""

    def __init__(self, *more: str) -> None:
        super().__init__("Snippet", "Time", "Instead", "Time", "As fast", *more)

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
        self.row(*cells)

    def markdown(self) -> str:
        """Return the table, its note, and how its times were taken."""
        scaled = any(cell.endswith(" *") for cells in self.rows for cell in cells)
        star = " Times with a star are measured on a part of the rows and scaled up." * scaled
        return f"{super().markdown()}{star} Medians of up to three runs, in turns."


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
