"""Time the as-of join of ten million labels with as many feature rows of a hundred thousand keys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.table import ROWS, Comparison, Table
from snippets.features.point_in_time_join import point_in_time_join


def measure() -> Table:
    """Time the as-of join of ten million labels with as many feature rows of a hundred thousand keys."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"key": rng.integers(0, 100_000, ROWS), "time": np.sort(rng.integers(0, 10**9, ROWS))})
    features = pd.DataFrame(
        {
            "key": rng.integers(0, 100_000, ROWS),
            "time": np.sort(rng.integers(0, 10**9, ROWS)),
            "value": rng.random(ROWS),
        }
    ).drop_duplicates(["key", "time"], ignore_index=True)
    labels_polars, features_polars = pl.from_pandas(labels), pl.from_pandas(features)

    def ours(engine="pandas"):
        return point_in_time_join(labels, features, on="time", by="key", engine=engine)

    def with_pandas(rows=features):
        return pd.merge_asof(labels, rows, on="time", by="key", allow_exact_matches=False)

    def with_polars(rows=features_polars):
        return labels_polars.join_asof(rows, on="time", by="key", allow_exact_matches=False, check_sortedness=False)

    def checked(join, rows, twice):
        if twice(rows):
            raise ValueError("two rows of one key and time")
        return join(rows)

    expected = ours()["value"].notna().sum()
    if not expected == with_pandas()["value"].notna().sum() == with_polars()["value"].is_not_null().sum():
        raise RuntimeError("the joins differ")
    table = Comparison()
    for name, other, goal in [
        ("pandas `merge_asof`, no check", with_pandas, 0),
        (
            "the same, duplicates checked",
            lambda: checked(with_pandas, features, lambda f: f.duplicated(["key", "time"]).any()),
            1,
        ),
        ("Polars `join_asof`, no check", with_polars, 0),
        (
            "the same, duplicates checked",
            lambda: checked(with_polars, features_polars, lambda f: f.select("key", "time").is_duplicated().any()),
            1,
        ),
        ('DuckDB `asof join`, `engine="duckdb"`', lambda: ours("duckdb"), 1),
    ]:
        table.compare("point_in_time_join", name, ours, other, goal=goal, repeats=3)
    table.note = (
        "Tables in order of time. Ours checks for two rows of one key and time, which the others join to either."
    )
    return table
