"""Time the snippets against what a reader would use instead, as ratios within one run: ``make bench``.

Prints a table and writes it to benchmarks/results.md, where pages include it. Exits with 1 if a goal is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio, reliability_curve
from snippets.evaluation.normalized_entropy import normalized_entropy

RESULTS = Path(__file__).parent / "results.md"
ROWS = 10_000_000
REPEATS = 5


def times(*functions: Callable[[], object]) -> list[float]:
    """Return the median seconds of each function, run in turns so that all meet the same machine."""
    taken = [[] for _ in functions]
    for _ in range(REPEATS):
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


def main() -> int:
    """Run all, print and write the table, and return the exit code."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 30, ROWS)
    y = (rng.random(ROWS) < p).astype(np.int8)
    size = y.nbytes + p.nbytes
    rows, missed = [], []

    def compare(name, other_name, ours, other, goal):
        mine, theirs = times(ours, other)
        ratio = theirs / mine
        memory = 1 + peak(ours) / size
        rows.append((name, f"{mine:.3f} s", other_name, f"{theirs:.3f} s", f"{ratio:.2g} x", f"{memory:.2f} x"))
        if ratio < goal or memory > 2:
            missed.append(
                f"{name}: {ratio:.2g} times as fast (goal {goal}), memory {memory:.2f} times the input (goal 2)"
            )

    compare(
        "`normalized_entropy`",
        "`sklearn.metrics.log_loss`",
        lambda: normalized_entropy(y, p),
        lambda: log_loss(y, p),
        goal=10,
    )
    # Near memory speed: it reads the labels three times and the predictions three times, one copy moves them twice.
    compare(
        "`calibration_ratio`",
        "one copy of the input",
        lambda: calibration_ratio(y, p),
        lambda: (y.copy(), p.copy()),
        goal=0.5,
    )
    compare(
        "`reliability_curve`",
        "`sklearn.calibration.calibration_curve`",
        lambda: reliability_curve(y, p),
        lambda: calibration_curve(y, p, n_bins=10, strategy="quantile"),
        goal=1,
    )
    (seconds,) = times(lambda: simulate_ad_log(1_000_000))

    lines = [
        "| Snippet | Time | Instead | Time | As fast | Memory, with its input |",
        "|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"Ten million rows, labels as 8-bit integers, median of {REPEATS} runs on {os.cpu_count()} cores with NumPy "
        f"{np.__version__}. `simulate_ad_log` makes a million impressions in {seconds:.1f} s.",
    ]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    for miss in missed:
        print(f"MISSED {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
