"""Claims of docs/problem/metrics.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.problem.product_metrics import retention, sessionize, sessions_per_week

N_USERS = 600


@experiment(worlds={"default": {}, "a tenth leaves": {"share": 0.1}, "a busier product": {"n": 120_000}})
def leavers(seed, *, n=60_000, share=0.5, who="light"):
    """Part of the users stays away from the third week on; return how sessions per user change with that."""
    log = simulate_ad_log(n, 28, seed, n_users=N_USERS)[["user_id", "timestamp"]]
    week = (log["timestamp"] - log["timestamp"].min()).dt.days // 7
    count = log.groupby("user_id").size().reindex(range(N_USERS), fill_value=0)
    count = count.sort_values(kind="stable", ascending=who == "light").index
    left = log[~(log["user_id"].isin(count[: int(share * N_USERS)]) & (week >= 2))]
    found = {}
    for name, n_users in [("per active user", None), ("per user of all", N_USERS)]:
        each = sessions_per_week(left, n_users=n_users)["sessions_per_user"]
        found[f"change of sessions {name}"] = each.iloc[2:4].mean() / each.iloc[:2].mean() - 1
    return found


@claim(
    "When light users leave, sessions per active user rise.",
    leavers,
    holds=above(0),
    twin={"who": "heavy"},
    percent=True,
)
def active_users_hide_leavers(found):
    return found["change of sessions per active user"]


@claim(
    "When light users leave, sessions per user of all fall.",
    leavers,
    holds=below(0),
    twin={"who": "heavy"},
    says="varies",
    percent=True,
)
def all_users_show_leavers(found):
    return found["change of sessions per user of all"]


@claim(
    "Clicks that carry the time of their arrival, and not of the click, invent visits.",
    worlds={"default": {}, "fewer late clicks": {"late_share": 0.05}, "more clicks": {"base_ctr": 0.1}},
    holds=above(0.001),
    twin={"late_share": 0.0},
    percent=True,
    unit="more sessions",
)
def arrival_invents_visits(seed, *, late_share=0.15, base_ctr=0.03):
    log = simulate_ad_log(60_000, 28, seed, n_users=N_USERS, late_share=late_share, base_ctr=base_ctr)
    events, clicks = log[["user_id", "timestamp"]], log[log["click"] == 1]
    late = clicks["timestamp"] + pd.to_timedelta(clicks["click_delay"], unit="s").dt.ceil("ms")
    arrived = pd.concat([events, pd.DataFrame({"user_id": clicks["user_id"], "timestamp": late})])
    return sessionize(arrived).nunique() / sessionize(events).nunique() - 1


@claim(
    "Users first seen on the first day of a log come back a week later more often than those first seen a week on.",
    worlds={"default": {}, "a busier product": {"n": 120_000}, "more users": {"n_users": 3_000}},
    holds=above(0),
    twin={"alike": True},
    percent=True,
    unit="of the users",
)
def first_seen_are_the_heavy_users(seed, *, n=60_000, n_users=1_500, alike=False):
    log = simulate_ad_log(n, 28, seed, n_users=n_users)
    if alike:  # each request is of anybody
        log["user_id"] = np.random.default_rng(seed).integers(0, n_users, n)[log["request_id"]]
    back = retention(log[["user_id", "timestamp"]], days=(7,))[7]
    return back.iloc[0] - back.iloc[6]
