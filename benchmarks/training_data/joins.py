"""Time the batch join of ten million events, each impression labelled once."""

from __future__ import annotations

from functools import partial

import duckdb
import numpy as np
import pandas as pd

from benchmarks.table import ROWS, Comparison, Table
from snippets.training_data.event_joiner import join_impressions_clicks


def measure() -> Table:
    """Time the batch join of ten million events, each impression labelled once."""
    rng = np.random.default_rng(0)
    n = ROWS * 19 // 20
    requests = rng.permutation(n)
    impressions = pd.DataFrame({"request_id": requests, "timestamp": np.sort(rng.integers(0, 86_400_000, n))})
    clicked = rng.choice(n, ROWS - n, replace=False)
    times_of_clicks = impressions["timestamp"].to_numpy()[clicked] + rng.exponential(6e5, ROWS - n).astype(np.int64)
    clicks = pd.DataFrame({"request_id": requests[clicked], "timestamp": times_of_clicks})
    window = 3_600_000

    def merge_asof(impressions, clicks):
        shown = impressions.drop_duplicates("request_id").sort_values("timestamp", kind="stable")
        came = clicks.sort_values("timestamp").assign(click_timestamp=lambda frame: frame["timestamp"])
        joined = pd.merge_asof(shown, came, on="timestamp", by="request_id", direction="forward", tolerance=window)
        return joined.assign(click=joined["click_timestamp"].notna().astype(np.int8))

    def sql(impressions, clicks):
        connection = duckdb.connect()
        connection.register("impressions", impressions)
        connection.register("clicks", clicks)
        return connection.execute(f"""
            with shown as (select distinct request_id, timestamp from impressions),
            first as (
                select shown.request_id, min(clicks.timestamp) as click_timestamp from shown join clicks
                on clicks.request_id = shown.request_id
                and clicks.timestamp between shown.timestamp and shown.timestamp + {window} group by 1
            )
            select shown.*, click_timestamp, (click_timestamp is not null)::tinyint as click
            from shown left join first using (request_id)
        """).df()

    table = Comparison()
    shuffled = [frame.sample(frac=1, random_state=0, ignore_index=True) for frame in (impressions, clicks)]
    for order, frames in [("in order of time", (impressions, clicks)), ("in any order", shuffled)]:
        for name, other in [("pandas `merge_asof`", merge_asof), ("DuckDB", sql)]:
            ours, theirs = partial(join_impressions_clicks, *frames, window), partial(other, *frames)
            if ours()["click"].sum() != theirs()["click"].sum():
                raise RuntimeError(f"{name} finds other clicks")
            table.compare("join_impressions_clicks", f"{name}, events {order}", ours, theirs)
    table.note = "Nine and a half million impressions, half a million clicks, duplicates looked for by all."
    return table
