"""Claims of docs/training-data/joining-events.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims.claim import above, claim, experiment
from snippets.datasets.ad_log import START, simulate_ad_log
from snippets.training_data.event_joiner import OnlineJoiner, dirty_stream

HOUR = 3600.0


@experiment(worlds={"default": {}, "half the traffic": {"n": 10_000}, "a window of two hours": {"window": 2.0}})
def outage(seed, *, n=20_000, base_ctr=0.03, window=1.0, stall_after=0.5):
    log = simulate_ad_log(n, n_days=2, seed=seed, n_users=2_000, n_ads=200, base_ctr=base_ctr, late_share=0.0)
    shown = (log["timestamp"].dt.tz_localize(None) - START).dt.total_seconds()
    impressions = pd.DataFrame({"request_id": log.index, "timestamp": shown})
    clicks = impressions.assign(timestamp=shown + log["click_delay"]).dropna()
    events = dirty_stream(impressions, clicks, np.random.default_rng([seed, 1]), gap=(36 * HOUR, 40 * HOUR))
    joiner, examples = OnlineJoiner(window=window * HOUR, lateness=30, stall_after=stall_after * HOUR), []
    take = {"impression": joiner.impression, "click": joiner.click}
    for kind, request_id, time in events.itertuples(index=False):
        examples += take[kind](request_id, time)
    frame = pd.DataFrame(examples + joiner.flush())
    before = frame[frame["time"] < 34 * HOUR]
    clicked, trusted = before["click_time"].notna(), before["trusted"]
    return {
        "skipped without need": 1 - trusted.mean(),
        "rate of all": clicked.mean(),
        "rate of the trusted": clicked[trusted].mean(),
    }


@claim(
    "Where half an hour without a click is not rare, the joiner skips one good example in fifty or more.",
    outage,
    holds=above(0.02),
    twin={"base_ctr": 0.3},
    percent=True,
    unit="of the good examples",
)
def quiet_hours_look_like_an_outage(found):
    return found["skipped without need"]


@claim(
    "What it keeps has a higher click rate than all: a rule that looks at clicks drops mostly rows without one.",
    outage,
    holds=above(0),
    twin={"base_ctr": 0.3},
    percent=True,
    unit="of the click rate",
)
def skipping_by_clicks_selects_clicks(found):
    return found["rate of the trusted"] / found["rate of all"] - 1
