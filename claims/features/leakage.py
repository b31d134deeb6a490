"""Claims of docs/features/leakage.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.historical_counters import count_before, smoothed_rate
from snippets.features.leakage import (
    beats_the_ceiling,
    duplicates_across_split,
    future_correlation,
    known_at_serving,
    single_feature_scores,
    split_overlap,
)
from snippets.features.target_encoding import encode_from, encode_ordered

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "twice the clicks": {"base_ctr": 0.06}}
RARE = {"rarer clicks": {"base_ctr": 0.01}}


@experiment(seeds=20, worlds=WORLDS | RARE)
def planted(seed, *, drift=0.08, base_ctr=0.03, swapped=False):
    """Return the weakest alarm of ten leaks, and the strongest of their honest twins, in multiples of the limit."""
    log = simulate_ad_log(15_000, seed=seed, n_users=750, n_ads=300, drift=drift, base_ctr=base_ctr)
    rng, y, user, time = np.random.default_rng(seed), log["click"], log["user_id"], log["timestamp"]
    by_day, by_hour = log.groupby(["ad_id", "day"])["click"], log.groupby(["user_id", "day", "hour"])["click"]
    clicks, age, rows = log[y == 1], log["age_group"].cat.codes, ["request_id", "ad_id"]
    twice, at_random = pd.concat([log, log.sample(frac=0.1, random_state=0)]), rng.random(len(log)) < 0.3
    sent = log[[*rows, "ad_clicks"]].assign(position=1)

    def single(x):
        return single_feature_scores(pd.DataFrame({"x": np.asarray(x)}), y)

    def history(x, key="user_id"):
        return future_correlation(pd.DataFrame({"x": np.asarray(x)}), y, log[key], time)

    def absence(x):
        return history(x.isna().astype(int))

    def copies(part):
        frame, test = part
        return duplicates_across_split(frame[~test], frame[test], rows)

    def users(test):
        return split_overlap(log[~test], log[test], "user_id")

    def days(test):
        return split_overlap(log[~test], log[test], "day")

    def served(name):
        return known_at_serving(log[[*rows, name]], sent, rows)

    cases = [  # the checks, the leak, its honest twin
        ([single], y * rng.gamma(4, 1, len(y)), log["ad_clicks"]),
        (
            [single, lambda x: history(x, "ad_id")],
            smoothed_rate(by_day.transform("sum"), by_day.transform("size"), 0.03, 50),
            (log["ad_clicks"] + 1) / (log["ad_impressions"] + 33),
        ),
        (
            [single, history],
            by_hour.transform("sum"),
            count_before(clicks["user_id"], clicks["timestamp"], user, time, pd.Timedelta("1h")),
        ),
        ([single, absence], age.where(user.isin(clicks["user_id"])), age.where(log["user_clicks"] > 0)),
        (
            [single],
            np.where(y == 1, 0, 15_000) + rng.integers(0, 20_000, len(y)),
            rng.integers(0, 20_000, len(y)),
        ),
        ([single, history], encode_from(user, y, user), encode_ordered(user, y, time, prior=0.03)),
        ([copies], (twice, rng.random(len(twice)) < 0.3), (log, at_random)),
        ([users], at_random, (user % 10 < 3).to_numpy()),
        ([days], at_random, (log["day"] >= 10).to_numpy()),
        ([served], "position", "ad_clicks"),
    ]
    if swapped:
        cases = [(checks, honest, leak) for checks, leak, honest in cases]
    alarms = np.array([[max(map(_alarm, (c(x) for c in checks))) for x in pair] for checks, *pair in cases])
    return {"leaks": alarms[:, 0].min(), "twins": alarms[:, 1].max()}


def _alarm(report):
    """Return the strongest finding of a report in multiples of its limit: what is above 1 is suspicious."""
    return float((report["value"] / report["limit"]).max())


@experiment(seeds=20, worlds=WORLDS | RARE)
def weak(seed, *, drift=0.08, base_ctr=0.03, share=0.03):
    """Return the alarm of each check, in multiples of its limit, for a rate that knows its own row in some rows."""
    log = simulate_ad_log(20_000, seed=seed, n_users=1_000, n_ads=300, drift=drift, base_ctr=base_ctr)
    y, past = log["click"], log["day"] < 7
    sees = np.random.default_rng(seed).random(len(log)) < share
    X = ((log["user_clicks"] + y * sees + 1) / (log["user_impressions"] + 33)).rename("rate").to_frame()
    p = LogisticRegression(C=1e3).fit(np.log(X[past]), y[past]).predict_proba(np.log(X[~past]))[:, 1]
    ceiling = log_loss(y[~past], log["p_click"][~past])
    loss = beats_the_ceiling(y[~past], p, ceiling)
    return {
        "one feature": _alarm(single_feature_scores(X, y)),
        "history": _alarm(future_correlation(X, y, log["user_id"], log["timestamp"])),
        "ceiling": float((loss["limit"] / loss["value"]).iloc[0]),
    }


@claim(
    "Each of the ten leaks is found.",
    planted,
    holds=above(1),
    twin={"swapped": True},
    unit="times the limit, the weakest alarm",
)
def planted_leaks_are_found(found):
    return found["leaks"]


@claim(
    "No honest twin is accused.",
    planted,
    holds=below(1),
    twin={"swapped": True},
    unit="times the limit, the strongest alarm",
)
def honest_twins_are_not_accused(found):
    return found["twins"]


@claim(
    "Where three rows in a hundred leak, the check of histories finds it and no score; with rare clicks neither may.",
    weak,
    holds=above(0),
    twin={"share": 0.001},
    says="varies",
    unit="limits, by which one is above and the others below",
)
def the_mechanism_finds_what_scores_do_not(found):
    return min(found["history"] - 1, 1 - max(found["one feature"], found["ceiling"]))


@experiment(seeds=20, worlds=WORLDS)
def ceilings(seed, *, drift=0.08, base_ctr=0.03, right=False):
    """Return by how much the truth is below the limit of a ceiling of an older system, and of one of other rows."""
    log = simulate_ad_log(30_000, seed=seed, n_users=3_000, n_ads=300, drift=drift, base_ctr=base_ctr)
    y, past, p = log["click"], log["day"] < 10, log["p_click"]
    rate = np.log((log[["ad_clicks"]] + 1) / (log[["ad_impressions"]].to_numpy() + 33))
    older = LogisticRegression().fit(rate[past], y[past]).predict_proba(rate[~past])[:, 1]
    lower = ~past & (log["position"] > 2)
    best = log_loss(y[~past], p[~past])
    accused = {}
    for name, rows, ceiling, right_one in [
        ("an older system", ~past, log_loss(y[~past], older), best),
        ("other rows", lower, best, log_loss(y[lower], p[lower])),
    ]:
        found = beats_the_ceiling(y[rows], p[rows], right_one if right else ceiling)
        accused[name] = float((found["limit"] - found["value"]).iloc[0])
    return accused


@claim(
    "Held against the best system so far, or against a ceiling of other rows, the truth itself is accused of a leak.",
    ceilings,
    holds=above(0),
    twin={"right": True},
    unit="nats below the limit",
)
def a_wrong_ceiling_accuses_the_truth(found):
    return min(found.values())


@experiment(seeds=20, worlds={"tired": {"memory": -3.0}, "in the habit": {"memory": 2.0}})
def memory(seed, *, memory=-3.0, begins=0):
    """Return alarms for an honest counter of clicks and for one that counts its own row, in multiples of the limit."""
    users, rows = 1_000, 20
    rng = np.random.default_rng(seed)
    taste, mood, y = rng.normal(-1, 0.5, users), np.zeros(users), np.zeros((users, rows), int)
    for k in range(rows):
        y[:, k] = rng.random(users) < 1 / (1 + np.exp(-taste - memory * mood))
        mood = 0.3 * mood + y[:, k]
    before, (user, time) = y.cumsum(axis=1) - y, np.divmod(np.arange(y.size), rows)
    step, ahead = np.diff(before)[:, :-1], y[:, 1:-1] - y[:, 2:]
    X = pd.DataFrame({"honest": before.ravel(), "leak": (before + y * (np.arange(rows) >= begins)).ravel()})
    report = future_correlation(X, y.ravel(), user, time)
    alarm = {name: _alarm(report[report["what"] == name]) for name in X}
    r = np.corrcoef(step.ravel(), ahead.ravel())[0, 1]
    return {"steps alone": abs(r) * np.sqrt(step.size) / 3.5, **alarm}


@claim(
    "Where a click changes the next, its steps alone accuse an honest counter, and the check does not.",
    memory,
    holds=above(0),
    twin={"memory": 0.0},
    unit="limits above, the other staying below",
)
def memory_looks_like_a_leak(found):
    return found["steps alone"] - 1 if found["honest"] < 1 else 1 - found["honest"]


@claim(
    "The check finds the click that was counted too early whatever users remember.",
    memory,
    holds=above(1),
    twin={"begins": 19},
    unit="times the limit",
)
def the_check_still_finds_it(found):
    return found["leak"]
