"""Claims of docs/training-data/online-offline-consistency.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log

EDGES = np.geomspace(0.005, 0.5, 30)
COLUMNS = ["position", "category", "device", "rate"]


def loss(p, q):
    """Return the log loss that predictions are expected to have, over that of the mean, where the truth is known."""
    mean = p.mean()
    return -(p * np.log(q) + (1 - p) * np.log(1 - q)).mean() / -(mean * np.log(mean) + (1 - mean) * np.log(1 - mean))


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "more drift": {"drift": 0.15},
        "no drift": {"drift": 0.0},
        "rarer clicks": {"base_ctr": 0.015},
        "without the first four days": {"first": 4},
    },
)
def skew(seed, *, drift=0.08, base_ctr=0.03, first=0, short=2, long=72, prior=2.0, blur=0.0):
    log = simulate_ad_log(100_000, seed=seed, n_ads=300, n_users=5_000, drift=drift, base_ctr=base_ctr)
    fresh = (log["ad_clicks"] + 1) / (log["ad_impressions"] + 1 / base_ctr)
    known = log[["timestamp", "ad_id"]].assign(rate=fresh)

    def as_of(hours):
        late = log[["timestamp", "ad_id"]].assign(row=np.arange(len(log)))
        late["timestamp"] = (late["timestamp"] - pd.Timedelta(hours=hours)).dt.as_unit("ms")
        old = pd.merge_asof(late, known, on="timestamp", by="ad_id").sort_values("row")["rate"]
        return old.fillna(base_ctr).to_numpy()

    versions = {"fresh": fresh, "short": as_of(short), "long": as_of(long)}
    versions["formula"] = (log["ad_clicks"] + 1) / (log["ad_impressions"] + prior)
    versions["unit"] = 2 * fresh * np.exp(blur * np.random.default_rng(seed).normal(size=len(log)))
    frames = {name: log[COLUMNS[:3]].assign(rate=np.searchsorted(EDGES, rate)) for name, rate in versions.items()}
    past, later = ((log["day"] >= first) & (log["day"] < 10)).to_numpy(), (log["day"] >= 10).to_numpy()
    truth, found = log["p_click"].to_numpy()[later], {}
    encode = OneHotEncoder(handle_unknown="ignore").fit(pd.concat(frames.values()))
    for trained in versions:
        frame = frames[trained][past].assign(click=log["click"][past], rows=1)
        cells = frame.groupby(COLUMNS, observed=True)[["click", "rows"]].sum().reset_index()
        weight = np.r_[cells["click"], cells["rows"] - cells["click"]]
        model = LogisticRegression(C=0.3, max_iter=500)
        model.fit(encode.transform(pd.concat([cells[COLUMNS]] * 2)), np.repeat([1, 0], len(cells)), weight)
        for served in {trained, *(versions if trained == "fresh" else ())}:
            q = model.predict_proba(encode.transform(frames[served][later]))[:, 1]
            found[f"{trained}, {served}"] = loss(truth, q)
            found[f"{trained}, {served}, promised"] = q.sum() / truth.sum()
    return found


@claim(
    "A rate of clicks that is two hours late costs less than 0.001 of normalized entropy.",
    skew,
    holds=below(0.001),
    twin={"short": 168},
    unit="of normalized entropy",
)
def two_hours_cost_nothing(found):
    return found["fresh, short"] - found["fresh, fresh"]


@claim(
    "A rate that is three days late costs entropy.",
    skew,
    holds=above(0),
    twin={"long": 0},
    unit="of normalized entropy",
)
def three_days_cost_freshness(found):
    return found["fresh, long"] - found["fresh, fresh"]


@claim(
    "Where the rate is served three days late, a model trained on such late rates is worse than one trained on fresh "
    "ones.",
    skew,
    holds=above(0),
    twin={"long": 1},
    unit="of normalized entropy",
)
def training_on_late_rates_wins_nothing_back(found):
    return found["long, long"] - found["fresh, long"]


@claim(
    "A rate that is smoothed by another formula when served makes the model promise a twentieth more, or above that.",
    skew,
    holds=above(0.05),
    twin={"prior": 30.0},
    percent=True,
    unit="of the true clicks",
)
def another_formula_breaks_calibration(found):
    return found["fresh, formula, promised"] - found["fresh, fresh, promised"]


@claim(
    "Training on the served log repairs more than half of the entropy that a formula costs which smooths less.",
    skew,
    holds=above(0),
    says="fails",
    twin={"prior": 10_000.0},
    unit="of normalized entropy beyond half of the cost",
)
def the_served_log_repairs_a_formula(found):
    right, broken = found["fresh, fresh"], found["fresh, formula"]
    return (broken - right) / 2 - (found["formula, formula"] - right)


@claim(
    "Where the served rate is twice the other, and no worse, training on the served log repairs more than half of what "
    "the difference costs.",
    skew,
    holds=above(0),
    twin={"blur": 2.0},
    unit="of normalized entropy beyond half of the cost",
)
def the_served_log_repairs_a_unit(found):
    right, broken = found["fresh, fresh"], found["fresh, unit"]
    return (broken - right) / 2 - (found["unit, unit"] - right)
