"""Time sessions and weekly actives of the simulated log against the usual pandas, and DuckDB."""

from __future__ import annotations

from functools import partial

import duckdb
import numpy as np
import pandas as pd

from benchmarks.table import ROWS, Comparison, Table
from snippets.datasets.ad_log import simulate_ad_log
from snippets.problem.product_metrics import active_users, sessionize


def measure() -> Table:
    """Time sessions and weekly actives of the simulated log against the usual pandas, and DuckDB."""
    events = simulate_ad_log(ROWS, n_days=28, n_users=200_000)[["user_id", "timestamp"]]
    events["timestamp"] = events["timestamp"].dt.tz_localize(None)
    shuffled = events.sample(frac=1, random_state=0, ignore_index=True)  # streams of many machines come in any order

    def pandas_sessions(stream):
        ordered = stream.sort_values(["user_id", "timestamp"])
        other_user = ordered["user_id"] != ordered["user_id"].shift()
        pause = ordered["timestamp"].diff() > pd.Timedelta("30min")
        return ((other_user | pause).cumsum() - 1).sort_index()

    def duckdb_sessions(stream):
        with duckdb.connect() as connection:
            connection.register("stream", stream.assign(row=np.arange(len(stream))))
            return connection.sql("""
                with pauses as (
                    select *, coalesce(timestamp - lag(timestamp) over w > interval 30 minute, true) as start
                    from stream window w as (partition by user_id order by timestamp)
                )
                select sum(start::int) over (order by user_id, timestamp rows unbounded preceding) - 1 as session
                from pauses order by row
            """).fetchnumpy()["session"]

    def pandas_weekly(stream):
        day = stream["timestamp"].dt.floor("D")
        days = pd.date_range(day.min() + pd.Timedelta("6D"), day.max())
        within = [stream.loc[(day > d - pd.Timedelta("7D")) & (day <= d), "user_id"].nunique() for d in days]
        return pd.Series(within, days)

    def duckdb_weekly(stream):
        with duckdb.connect() as connection:
            connection.register("stream", stream)
            return connection.sql("""
                with active as (select distinct user_id, timestamp::date as day from stream),
                     days as (select distinct day from active)
                select days.day, count(distinct user_id) as users
                from days join active on active.day between days.day - 6 and days.day
                group by all order by all offset 6
            """).fetchnumpy()["users"]

    some = shuffled[shuffled["user_id"] % 50 == 0].reset_index(drop=True)
    for other in (pandas_sessions, duckdb_sessions):
        assert sessionize(some).nunique() == len(np.unique(other(some)))
    for other in (pandas_weekly, duckdb_weekly):
        assert active_users(some, "week").tolist() == list(other(some))
    table = Comparison()
    for name, other, ours, theirs in [
        ("sessionize", "pandas: sort, `diff`, `cumsum`", sessionize, pandas_sessions),
        ("sessionize", "DuckDB: `lag`, `sum` over", sessionize, duckdb_sessions),
        ("active_users", "pandas: `nunique` of each week", partial(active_users, period="week"), pandas_weekly),
        ("active_users", "DuckDB: `count(distinct)`", partial(active_users, period="week"), duckdb_weekly),
    ]:
        table.compare(name, other, partial(ours, shuffled), partial(theirs, shuffled))
    table.note = "Ten million impressions of the simulated log in random order, 28 days, a gap of 30 minutes."
    return table
