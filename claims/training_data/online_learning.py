"""Claims of docs/training-data/online-learning.md."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.training_data.ftrl_proximal import FTRLProximal

COLUMNS = ("position", "category", "device", "ad_id", "user_id")


def hashed(log, bits=16):
    """Return the columns of the page as sparse rows."""
    codes = [pd.util.hash_array((c + "=" + log[c].astype(str)).to_numpy(object)) % 2**bits for c in COLUMNS]
    ends = np.arange(0, len(log) * len(COLUMNS) + 1, len(COLUMNS))
    return csr_matrix((np.ones(ends[-1]), np.column_stack(codes).ravel(), ends), (len(log), 2**bits))


@experiment(seeds=10, worlds={"default": {}, "less drift": {"drift": 0.05}})
def copied_rates(seed, *, drift=0.15, copies=1):
    """Return the entropy of each schedule with the rate that the paper uses."""
    log = simulate_ad_log(30_000, seed=seed, drift=drift, n_users=3_000, n_ads=300)
    X, y, later = hashed(log), log["click"].to_numpy(), (log["day"] >= 4).to_numpy()
    X = hstack([X] * copies, format="csr")  # the same columns several times: as many active ones a row
    paper = {"per_coordinate": 0.1, "per_weight_sqrt": 0.01, "per_weight": 0.01, "global": 0.01, "constant": 0.0005}
    found = {}
    for schedule, alpha in paper.items():
        model, p = FTRLProximal(alpha, learning_rate=schedule, batch_size=100), np.full(len(y), 0.03)
        for start in range(0, len(y), 2_000):
            rows = slice(start, start + 2_000)
            if start:
                p[rows] = model.predict_proba(X[rows])[:, 1]
            model.partial_fit(X[rows], y[rows], classes=[0, 1])
        found[schedule] = normalized_entropy(y[later], p[later])
    return found


@claim(
    "With the rates copied from the paper, the schedule per coordinate is ahead of the four others.",
    copied_rates,
    holds=above(0),
    twin={"copies": 24},
    unit="behind, of the best of the others",
)
def per_coordinate_forgives_a_copied_rate(found):
    return min(entropy for name, entropy in found.items() if name != "per_coordinate") - found["per_coordinate"]


def progressive(model, X, y, moments):
    """Return the entropy from the first moment on, each stretch predicted and then learned."""
    p = np.full(len(y), np.nan)
    model.fit(X[: moments[0]], y[: moments[0]])
    for start, end in pairwise(moments):
        p[start:end] = model.predict_proba(X[start:end])[:, 1]
        if isinstance(model, FTRLProximal):
            model.partial_fit(X[start:end], y[start:end])
        else:
            model.fit(X[:end], y[:end])
    return normalized_entropy(y[moments[0] :], p[moments[0] :])


def how_often(seed, drift, hours):
    """Return entropies of updates every 125 rows, each night, never, and of a model from nothing each night."""
    log = simulate_ad_log(30_000, 12, seed, drift=drift, n_users=1_500, n_ads=150)
    if hours:  # each ad is replaced by another after so many hours, and ads differ more
        log["ad_id"] += 1_000 * ((24 * log["day"].astype(int) + log["hour"]) // hours)
        quality = np.random.default_rng(seed).normal(0, 1.5, log["ad_id"].max() + 1)
        odds = log["p_click"] / (1 - log["p_click"]) * np.exp(quality[log["ad_id"]] - 1.0)
        log["click"] = (np.random.default_rng([seed, 1]).random(len(log)) < odds / (1 + odds)).astype(int)
    X, y = hashed(log), log["click"].to_numpy()
    X = X[:, X.getnnz(axis=0) > 0]
    nights = np.searchsorted(log["day"], np.arange(4, 13))
    found = {
        "every 125 rows": progressive(FTRLProximal(0.3), X, y, [*range(nights[0], len(y), 125), len(y)]),
        "nightly": progressive(FTRLProximal(0.3), X, y, nights),
        "never": progressive(FTRLProximal(0.3), X, y, nights[[0, -1]]),
    }
    return found | {"from nothing": progressive(LogisticRegression(C=0.3, max_iter=200), X, y, nights)}


@experiment(seeds=10, worlds={"default": {}, "less drift": {"drift": 0.05}})
def updates(seed, *, drift=0.3, hours=0):
    """Return what the page compares."""
    return how_often(seed, drift, hours)


@claim(
    "Whether learning from nothing each night, on all days so far, beats updating all the time depends on the drift.",
    updates,
    holds=above(0),
    twin={"hours": 6},
    says="varies",
)
def nightly_from_nothing(found):
    return found["every 125 rows"] - found["from nothing"]


@claim(
    "Nightly updates keep more than half of what updating all the time gains over never updating.",
    updates,
    holds=above(0.5),
    twin={"hours": 6},
    percent=True,
    unit="kept",
)
def nights_keep_most(found):
    return (found["never"] - found["nightly"]) / (found["never"] - found["every 125 rows"])


@experiment(seeds=10)
def short_lives(seed, *, hours=6):
    """Return the same where each ad lives for some hours."""
    return how_often(seed, 0.3, hours)


@claim(
    "Where each ad lives for six hours, updating all the time beats learning from nothing each night.",
    short_lives,
    holds=below(0),
    twin={"hours": 0},
)
def online_pays_where_ads_live_for_hours(found):
    return found["every 125 rows"] - found["from nothing"]


@experiment(seeds=10, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}})
def sparse(seed, *, base_ctr=0.03, l1=1.0):
    """Return what an L1 penalty removes and costs."""
    log = simulate_ad_log(60_000, seed=seed, base_ctr=base_ctr)
    X, y, past = hashed(log, 18), log["click"].to_numpy(), (log["day"] < 11).to_numpy()
    weights, entropy = [], []
    for penalty in (0.0, l1):
        model = FTRLProximal(0.3, l1=penalty).fit(X[past], y[past])
        weights.append(np.count_nonzero(model.coef_))
        entropy.append(normalized_entropy(y[~past], model.predict_proba(X[~past])[:, 1]))
    return {"removed": 1 - weights[1] / weights[0], "cost": entropy[1] - entropy[0]}


@claim(
    "An L1 penalty of 1 makes more than four fifths of the weights exactly zero.",
    sparse,
    holds=above(0.8),
    twin={"l1": 0.01},
    percent=True,
)
def penalty_makes_zeros(found):
    return found["removed"]


def incident(seed, kind, hold, clip=False):
    """Return entropies before, in, right after and days after six bad hours, of a learner that holds rows back."""
    log = simulate_ad_log(60_000, 8, seed, drift=0.15, base_ctr=0.1, n_users=3_000, n_ads=300)
    rate = ((log["ad_clicks"] + 1) / (log["ad_impressions"] + 10)).to_numpy()
    y, hour = log["click"].to_numpy(), (24 * log["day"] + log["hour"]).to_numpy()
    down = (hour >= 84) & (hour < 90)
    feature, labels = np.log(rate / 0.1), y
    if kind == "feature":
        feature = np.where(down, 10_000 * rate, feature)
    if kind == "clicks":
        labels = np.where(down, 0, y)
    X = hstack([hashed(log, 18), csr_matrix((np.clip(feature, -3, 3) if clip else feature)[:, None])], format="csr")
    start, waiting, p = np.searchsorted(hour, 48), [], np.zeros(len(y))
    model = FTRLProximal(0.3).fit(X[:start], labels[:start])
    for now in range(48, 192):
        rows = slice(*np.searchsorted(hour, [now, now + 1]))
        p[rows] = np.clip(model.predict_proba(X[rows])[:, 1], 1e-6, 1 - 1e-6)
        waiting.append(rows)
        promised = np.concatenate([p[w] for w in waiting])
        surprise = abs(sum(labels[w].sum() for w in waiting) - promised.sum())
        if hold and surprise > 5 * np.sqrt((promised * (1 - promised)).sum()):
            waiting = []
        elif len(waiting) >= hold:
            oldest = waiting.pop(0)
            model.partial_fit(X[oldest], labels[oldest])
    spans = {"quiet": (48, 84), "in": (84, 90), "right after": (90, 96), "later": (120, 192)}
    return {
        name: normalized_entropy(y[(hour >= a) & (hour < b)], p[(hour >= a) & (hour < b)])
        for name, (a, b) in spans.items()
    }


@experiment(seeds=10)
def lost_clicks(seed, *, hold=1):
    """Return what a guard adds to the entropy right after, and days after, clicks were lost, and in quiet times."""
    guarded, free = incident(seed, "clicks", hold), incident(seed, "clicks", 0)
    return {name: guarded[name] - free[name] for name in free}


@claim(
    "Whether a guard that checks each hour by the model's own promise makes the hours after lost clicks worse depends "
    "on the log.",
    lost_clicks,
    holds=above(0),
    twin={"hold": 3},
    says="varies",
)
def the_obvious_guard(found):
    return found["right after"]


@experiment(seeds=10)
def wrong_feature(seed, *, hold=0, clip=False):
    """Return what six hours of a wrong feature add to the entropy."""
    wrong, right = incident(seed, "feature", hold, clip), incident(seed, "none", hold, clip)
    return {name: wrong[name] - right[name] for name in right}


@claim(
    "How much worse a model still is, a day and more after it learned six hours of huge values, depends on the log.",
    wrong_feature,
    holds=above(0.005),
    twin={"clip": True},
    says="varies",
)
def what_a_wrong_feature_leaves(found):
    return found["later"]
