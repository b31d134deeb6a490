"""Claims of docs/scale/streams.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims.claim import above, claim, experiment
from snippets.datasets.ad_log import START, simulate_ad_log
from snippets.scale.stream_joiner import MissingMessagesError, StreamJoiner, as_logs
from snippets.training_data.event_joiner import OnlineJoiner, dirty_stream, join_impressions_clicks

WINDOW, DISORDER = 3600.0, 30.0


def events_of(seed, n, base_ctr):
    """Return a log's events in order of arrival, with duplicates, and the labels of the batch join."""
    log = simulate_ad_log(n, n_days=2, seed=seed, n_users=2_000, n_ads=200, base_ctr=base_ctr)
    shown = (log["timestamp"].dt.tz_localize(None) - START).dt.total_seconds()
    impressions = pd.DataFrame({"request_id": log.index.astype(str), "timestamp": shown})
    clicks = impressions.assign(timestamp=shown + log["click_delay"]).dropna()
    events = dirty_stream(impressions, clicks, np.random.default_rng([seed, 1]), lateness=DISORDER, duplicates=0.1)
    batch = join_impressions_clicks(impressions, clicks, window=WINDOW)
    return events, batch.set_index("request_id")["click_timestamp"]


def missed(examples, batch):
    """Return the share of examples that did not come out, and the share of clicks that came out as negatives."""
    found = pd.DataFrame([tuple(e)[:3] for e in examples], columns=["request_id", "time", "click_time"])
    found = found.set_index("request_id")["click_time"]
    clicked = batch.dropna()
    return {
        "missing": 1 - len(found) / len(batch),
        "negative": found.reindex(clicked.index[clicked.index.isin(found.index)]).isna().sum() / len(clicked),
        "differ": (found.fillna(-1) != batch.reindex(found.index).fillna(-1)).mean(),
    }


def read_with_crashes(logs, rng, *, crash, batch, first):
    """Read two logs into a joiner that crashes before it commits; acknowledge each batch first, or afterwards."""

    def die(_):
        raise ConnectionError

    acknowledged = dict.fromkeys(logs, 0)
    with StreamJoiner(None, WINDOW, DISORDER) as joiner:
        while left := [name for name in joiner.turns() if acknowledged[name] < len(logs[name])]:
            name = left[0]
            part = logs[name][acknowledged[name] :][:batch]
            done = acknowledged[name] + len(part)
            acknowledged[name] = done if first else acknowledged[name]
            try:
                joiner.take(part, die if rng.random() < crash else None)
            except ConnectionError:
                continue
            except MissingMessagesError:
                joiner.give_up(name, part[0].sequence)
                joiner.take(part)
            # Now and then this is not heard: the last messages come again
            acknowledged[name] = done if first else max(done - int(rng.integers(0, batch // 2)), 0)
            if not first and joiner.next(name) > len(logs[name]):
                acknowledged[name] = len(logs[name])
        joiner.flush()
        return joiner.examples()


@experiment(worlds={"default": {}, "batches of twenty": {"batch": 20}, "many more clicks": {"base_ctr": 0.2}})
def crashes(seed, *, n=4_000, base_ctr=0.03, crash=0.2, batch=100):
    events, labels = events_of(seed, n, base_ctr)
    logs = as_logs(events.itertuples(index=False))
    wrong = {}
    for name, first in [("before", True), ("after", False)]:
        rng = np.random.default_rng([seed, 2])
        found = missed(read_with_crashes(logs, rng, crash=crash, batch=batch, first=first), labels)
        wrong[name] = found["missing"] + found["differ"]
    return wrong


@claim(
    "Acknowledged before the commit, a crash loses examples that come out where it is acknowledged after.",
    crashes,
    holds=above(0.02),
    twin={"crash": 0.0},
    percent=True,
    unit="of the examples",
)
def acknowledging_first_loses_examples(found):
    return found["before"] - found["after"]


@experiment(worlds={"default": {}, "ten minutes": {"lag": 600.0}, "many more clicks": {"base_ctr": 0.2}})
def one_watermark(seed, *, n=12_000, base_ctr=0.03, lag=60.0):
    events, labels = events_of(seed, n, base_ctr)
    arrival = np.maximum.accumulate(events["timestamp"].to_numpy()) + lag * (events["kind"] == "click")
    joiner, examples = OnlineJoiner(WINDOW, DISORDER), []
    for kind, request_id, time in events.iloc[np.argsort(arrival, kind="stable")].itertuples(index=False):
        examples += getattr(joiner, kind)(request_id, time)
    return missed(examples + joiner.flush(), labels)


@claim(
    "With one watermark for two logs, a third of the clicks or more become negatives where one is read a minute late.",
    one_watermark,
    holds=above(1 / 3),
    twin={"lag": 0.0},
    percent=True,
    unit="of the clicks",
)
def one_watermark_makes_negatives(found):
    return found["negative"]


@experiment(worlds={"default": {}, "no lateness at all": {"lateness": 0.0}, "many more clicks": {"base_ctr": 0.2}})
def short_lateness(seed, *, n=6_000, base_ctr=0.03, lateness=10.0):
    events, labels = events_of(seed, n, base_ctr)
    logs = as_logs(events.itertuples(index=False))
    with StreamJoiner(None, WINDOW, lateness) as joiner:
        for log in logs.values():
            joiner.take(log)
        joiner.flush()
        return missed(joiner.examples(), labels)


@claim(
    "A lateness of a third of the disorder, or less, drops one impression in fifty or more, and counts them.",
    short_lateness,
    holds=above(0.02),
    twin={"lateness": DISORDER},
    percent=True,
    unit="of the examples",
)
def a_short_lateness_drops_impressions(found):
    return found["missing"]
