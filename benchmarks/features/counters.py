"""Time counts in a window of a week against a rolling group-by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.table import ROWS, Comparison, Table
from snippets.features.historical_counters import count_before


def measure() -> Table:
    """Time counts in a window of a week against a rolling group-by."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"key": rng.integers(0, 100_000, ROWS), "value": rng.random(ROWS)})
    frame["time"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.sort(rng.integers(0, 28 * 86_400, ROWS)), unit="s")
    indexed, key, time = frame.set_index("time"), frame["key"], frame["time"]
    week = pd.Timedelta("7D")

    def rolling(what):
        return getattr(indexed.groupby("key")["value"].rolling("7D", closed="left"), what)()

    table = Comparison()
    table.compare(
        "count_before",
        "`groupby.rolling.count`",
        lambda: count_before(key, time, key, time, week),
        lambda: rolling("count"),
    )
    table.compare(
        "count_before",
        "`groupby.rolling.sum`",
        lambda: count_before(key, time, key, time, week, frame["value"]),
        lambda: rolling("sum"),
    )
    table.note = (
        "Ten million events of a hundred thousand keys, a window of seven days that ends before the row. pandas is "
        "given its index, sorted; ours takes rows in any order."
    )
    return table
