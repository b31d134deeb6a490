"""Claims of docs/features/leaky-features.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import count_before

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}}


@experiment(seeds=10, worlds=WORLDS)
def leaks(seed, *, drift=0.08, base_ctr=0.03, n_users=3_000, planted=True):
    """Return normalized entropies on later days with each leak and with its honest version beside the ad's rate."""
    log = simulate_ad_log(30_000, seed=seed, n_users=n_users, n_ads=300, drift=drift, base_ctr=base_ctr)
    rng, past, y = np.random.default_rng(seed), (log["day"] < 10).to_numpy(), log["click"].to_numpy()
    clicks = log[y == 1]
    by_day, by_hour = log.groupby(["ad_id", "day"])["click"], log.groupby(["user_id", "day", "hour"])["click"]
    day_before = by_day.agg(["sum", "size"]).reset_index().assign(day=lambda rows: rows["day"] + 1)
    before = log[["ad_id", "day"]].merge(day_before, "left", ["ad_id", "day"]).fillna(0)
    age = log["age_group"].cat.codes.astype(float)
    columns = {
        "charged": np.where((y == 1) & (rng.random(len(y)) < 0.95), rng.gamma(4, 0.1, len(y)), 0.0),
        "rate of the day": (by_day.transform("sum") + 1) / (by_day.transform("size") + 33),
        "rate of the day before": (before["sum"] + 1) / (before["size"] + 33),
        "clicks of the hour": by_hour.transform("sum"),
        "clicks of the hour before": count_before(
            clicks["user_id"], clicks["timestamp"], log["user_id"], log["timestamp"], np.timedelta64(1, "h")
        ),
        "age, today": age.where(log["user_id"].isin(clicks["user_id"])),
        "age, then": age.where(log["user_clicks"] > 0),
        "nothing": np.zeros(len(y)),
    }
    if not planted:
        honest = ["nothing", "rate of the day before", "clicks of the hour before", "age, then"]
        for leak, twin in zip(["charged", "rate of the day", "clicks of the hour", "age, today"], honest, strict=True):
            columns[leak] = columns[twin]
    rate = np.asarray((log["ad_clicks"] + 1) / (log["ad_impressions"] + 33))
    found = {"truth": normalized_entropy(y[~past], log["p_click"][~past])}
    for name, column in columns.items():
        X = np.column_stack([rate, column])
        model = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=0)
        p = model.fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        found[name] = normalized_entropy(y[~past], np.clip(p, 1e-6, 1 - 1e-6))
        if name == "charged":
            X[:, 1] = 0  # as it stands when the request is served
            p = model.predict_proba(X[~past])[:, 1]
            found["charged, served"] = normalized_entropy(y[~past], np.clip(p, 1e-6, 1 - 1e-6))
            found["charged, promised"] = calibration_ratio(y[~past], p)
    return found


@experiment(seeds=10, worlds=WORLDS)
def late(seed, *, drift=0.08, base_ctr=0.03, late_share=1.0, other_formula=False):
    """Return normalized entropies, and promised clicks for each click, of counters complete and as they were served."""
    log = simulate_ad_log(
        60_000, seed=seed, late_share=late_share, n_users=6_000, n_ads=600, drift=drift, base_ctr=base_ctr
    )
    clicks, past, y = log[log["click"] == 1], log["day"] < 10, log["click"]
    today, served = pd.DataFrame(), pd.DataFrame()
    for who in ("ad", "user"):
        shown = log[f"{who}_impressions"] + 33
        counted = count_before(clicks[f"{who}_id"], clicks["timestamp"], log[f"{who}_id"], log["timestamp"])
        today[who], served[who] = (counted + 1) / shown, (log[f"{who}_clicks"] + 1) / shown
        if other_formula:  # smoothed in another way when serving, so that a rate means another one
            served[who] = (log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 2)
    found = {}
    for trained, tested, X, X_later in [
        ("today", "today", today, today),
        ("today", "served", today, served),
        ("served", "served", served, served),
    ]:
        model = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=0)
        p = model.fit(X[past], y[past]).predict_proba(X_later[~past])[:, 1]
        found[f"{trained}, {tested}"] = normalized_entropy(y[~past], p)
        found[f"{trained}, {tested}, promised"] = calibration_ratio(y[~past], p)
    return found


@claim(
    "The bill, the rate of the whole day and the clicks of the whole hour each score below the truth.",
    leaks,
    holds=below(0),
    twin={"planted": False},
    unit="of normalized entropy, against the truth",
)
def three_leaks_beat_the_truth(found):
    return max(found[name] for name in ("charged", "rate of the day", "clicks of the hour")) - found["truth"]


@claim(
    "Served with no bill yet, the model that learned from bills is worse than one guess for all.",
    leaks,
    holds=above(1),
    twin={"planted": False},
    unit="of normalized entropy",
)
def the_bill_ruins_serving(found):
    return found["charged, served"]


@claim(
    "Who has a profile today is worth at least 0.1, who had one then less than 0.01.",
    leaks,
    holds=above(0),
    twin={"planted": False},
    unit="of normalized entropy",
)
def presence_leaks(found):
    today, then = (found["nothing"] - found[f"age, {when}"] for when in ("today", "then"))
    return min(today - 0.1, 0.01 - then)


@claim(
    "A leak in what is missing beats the truth on one log and not on another.",
    leaks,
    holds=below(0),
    twin={"n_users": 300},
    says="varies",
    unit="of normalized entropy, against the truth",
)
def presence_need_not_beat_the_truth(found):
    return found["age, today"] - found["truth"]


@claim(
    "Trained on complete counters and served late ones, the model promises less than its report says.",
    late,
    holds=below(-0.01),
    twin={"late_share": 0.0},
    percent=True,
    unit="of the clicks",
)
def late_counters_lower_the_promise(found):
    return found["today, served, promised"] - found["today, today, promised"]


@claim(
    "The report on complete counters is too good.",
    late,
    holds=above(0.001),
    twin={"late_share": 0.0},
    unit="of normalized entropy",
)
def the_report_is_too_good(found):
    return found["today, served"] - found["today, today"]


@claim(
    "Training on the served counters wins some of the entropy back on one log and none on another.",
    late,
    holds=below(0),
    twin={"other_formula": True},
    says="varies",
    unit="of normalized entropy",
)
def training_may_not_bring_it_back(found):
    return found["served, served"] - found["today, served"]
