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


@experiment(seeds=10)
def three_times(seed, *, rivals="others"):
    """Return what each schedule loses, at worst, with a rate three times below or above the best of its own grid."""
    log = simulate_ad_log(30_000, seed=seed, drift=0.15, n_users=3_000, n_ads=300)
    X, y, later = hashed(log), log["click"].to_numpy(), (log["day"] >= 4).to_numpy()
    others = {"per_weight_sqrt": 0.9, "global": 2.7, "constant": 0.045} if rivals == "others" else {rivals: 1.0}
    found = {}
    for schedule, middle in {"per_coordinate": 0.3, **others}.items():
        tried = []
        for alpha in middle * 3.0 ** np.arange(-2, 3):
            model, p = FTRLProximal(alpha, learning_rate=schedule, batch_size=100), np.full(len(y), 0.03)
            for start in range(0, len(y), 2_000):
                rows = slice(start, start + 2_000)
                if start:
                    p[rows] = model.predict_proba(X[rows])[:, 1]
                model.partial_fit(X[rows], y[rows], classes=[0, 1])
            tried.append(normalized_entropy(y[later], p[later]))
        best = 1 + int(np.argmin(tried[1:-1]))
        found[schedule] = max(tried[best - 1], tried[best + 1]) - tried[best]
    return found


@claim(
    "Whether a rate three times too high or too low costs the schedule per coordinate less than a constant rate, a "
    "global one or the root for each weight depends on the log.",
    three_times,
    holds=above(0),
    twin={"rivals": "per_weight"},
    says="varies",
    unit="more, for the best of the others",
)
def per_coordinate_forgives_a_factor(found):
    return min(lost for name, lost in found.items() if name != "per_coordinate") - found["per_coordinate"]


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


def how_often(seed, drift, hours=0, spread=0.0, chance=False):
    """Return entropies of updates every 125 rows, each night, never, and of a model from nothing each night."""
    log = simulate_ad_log(30_000, 12, seed, drift=drift, n_users=1_500, n_ads=150)
    if hours:  # each ad is replaced by another after so many hours
        log["ad_id"] += 1_000 * ((24 * log["day"].astype(int) + log["hour"]) // hours)
    if spread:  # and ads differ more
        quality = np.random.default_rng(seed).normal(0, spread, log["ad_id"].max() + 1)
        odds = log["p_click"] / (1 - log["p_click"]) * np.exp(quality[log["ad_id"]] - spread**2 / 2)
        log["click"] = (np.random.default_rng([seed, 1]).random(len(log)) < odds / (1 + odds)).astype(int)
    if chance:
        log["click"] = np.random.default_rng(seed).permutation(log["click"])
    X, y = hashed(log), log["click"].to_numpy()
    X = X[:, X.getnnz(axis=0) > 0]
    nights = np.searchsorted(log["day"], np.arange(4, 13))
    found = {
        "every 125 rows": progressive(FTRLProximal(0.3), X, y, [*range(nights[0], len(y), 125), len(y)]),
        "nightly": progressive(FTRLProximal(0.3), X, y, nights),
        "never": progressive(FTRLProximal(0.3), X, y, nights[[0, -1]]),
    }
    return found | {"from nothing": progressive(LogisticRegression(C=0.3, max_iter=200), X, y, nights)}


@experiment(seeds=10, worlds={"default": {}, "less drift": {"drift": 0.05}, "twice the drift": {"drift": 0.6}})
def updates(seed, *, drift=0.3, hours=0):
    """Return what the page compares."""
    return how_often(seed, drift, hours, 1.5 if hours else 0.0)


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
def nothing_drifts(seed, *, chance=False):
    """Return the same where the world stands still, and clicks by chance alone if so wanted."""
    return how_often(seed, 0.0, chance=chance)


@claim(
    "Even where nothing drifts, updating all the time beats never updating: more rows help, not only younger ones.",
    nothing_drifts,
    holds=above(0),
    twin={"chance": True},
)
def rows_help_without_drift(found):
    return found["never"] - found["every 125 rows"]


@experiment(seeds=10, worlds={"default": {}, "ads that differ less": {"spread": 0.6}})
def short_lives(seed, *, hours=6, spread=1.5):
    """Return the same where each ad lives for some hours, and ads differ by more than those of the page."""
    return how_often(seed, 0.3, hours, spread)


@claim(
    "Where each ad lives for six hours, updating all the time beats learning from nothing each night.",
    short_lives,
    holds=below(0),
    twin={"hours": 0},
)
def online_pays_where_ads_live_for_hours(found):
    return found["every 125 rows"] - found["from nothing"]


@experiment(
    seeds=10, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "ten times the rows": {"rows": 600_000}}
)
def sparse(seed, *, base_ctr=0.03, l1=1.0, rows=60_000):
    """Return what an L1 penalty removes and costs."""
    log = simulate_ad_log(rows, seed=seed, base_ctr=base_ctr)
    X, y, past = hashed(log, 18), log["click"].to_numpy(), (log["day"] < 11).to_numpy()
    weights, entropy = [], []
    for penalty in (0.0, l1):
        model = FTRLProximal(0.3, l1=penalty).fit(X[past], y[past])
        weights.append(np.count_nonzero(model.coef_))
        entropy.append(normalized_entropy(y[~past], model.predict_proba(X[~past])[:, 1]))
    return {"removed": 1 - weights[1] / weights[0], "cost": entropy[1] - entropy[0]}


@claim(
    "An L1 penalty of 1 makes more than half of the weights exactly zero.",
    sparse,
    holds=above(0.5),
    twin={"l1": 0.01},
    percent=True,
)
def penalty_makes_zeros(found):
    return found["removed"]


@claim(
    "These zeros cost entropy.",
    sparse,
    holds=above(0),
    twin={"l1": 0.0},
    unit="of normalized entropy",
)
def zeros_cost_entropy(found):
    return found["cost"]


def incident(seed, kind, hold, *, bound=None, base_ctr=0.1, hours=6, slack=5.0):
    """Return entropies before, in, right after and days after some bad hours, of a learner that holds rows back."""
    log = simulate_ad_log(60_000, 8, seed, drift=0.15, base_ctr=base_ctr, n_users=3_000, n_ads=300)
    rate = ((log["ad_clicks"] + 1) / (log["ad_impressions"] + 1 / base_ctr)).to_numpy()
    y, hour = log["click"].to_numpy(), (24 * log["day"] + log["hour"]).to_numpy()
    down = (hour >= 84) & (hour < 84 + hours)
    feature, labels = np.log(rate / base_ctr), y
    if kind == "feature":
        feature = np.where(down, 10_000 * rate, feature)
    if kind == "no feature":
        feature = np.zeros(len(log))
    if kind == "clicks":
        labels = np.where(down, 0, y)
    if bound is not None:
        feature = np.clip(feature, -bound, bound)
    X = hstack([hashed(log, 18), csr_matrix(feature[:, None])], format="csr")
    start, waiting, p = np.searchsorted(hour, 48), [], np.zeros(len(y))
    model = FTRLProximal(0.3).fit(X[:start], labels[:start])
    for now in range(48, 192):
        rows = slice(*np.searchsorted(hour, [now, now + 1]))
        p[rows] = np.clip(model.predict_proba(X[rows])[:, 1], 1e-6, 1 - 1e-6)
        waiting.append(rows)
        promised = np.concatenate([p[w] for w in waiting])
        surprise = abs(sum(labels[w].sum() for w in waiting) - promised.sum())
        if hold and surprise > slack * np.sqrt((promised * (1 - promised)).sum()):
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
def lost_clicks(seed, *, hold=1, waits=3, hours=6, slack=5.0):
    """Return what lost clicks cost a model that learns all, and what two guards add to that, and in quiet times."""
    free, quiet = incident(seed, "clicks", 0, hours=hours), incident(seed, "none", 0)
    guards = {
        name: incident(seed, "clicks", h, hours=hours, slack=slack) for name, h in [("one", hold), ("all", waits)]
    }
    return {
        "right after": free["right after"] - quiet["right after"],
        "later": free["later"] - quiet["later"],
        "right after, checked each hour": guards["one"]["right after"] - free["right after"],
        "right after, held back": guards["all"]["right after"] - free["right after"],
        "quiet, held back": incident(seed, "none", waits, slack=slack)["later"] - quiet["later"],
    }


@claim(
    "A day and more after six hours of lost clicks, a model that learned all of them has won back more than nine "
    "tenths of what they cost it right after.",
    lost_clicks,
    holds=above(0.9),
    twin={"hours": 150},
    percent=True,
    unit="won back",
)
def lost_clicks_heal(found):
    return 1 - found["later"] / found["right after"]


@claim(
    "Whether a guard that checks each hour by the model's own promise makes the hours after lost clicks worse depends "
    "on the log.",
    lost_clicks,
    holds=above(0),
    twin={"hold": 3},
    says="varies",
)
def the_obvious_guard(found):
    return found["right after, checked each hour"]


@claim(
    "Holding rows back until they and the next two hours have passed the check together makes the hours after lost "
    "clicks better than learning all.",
    lost_clicks,
    holds=below(0),
    twin={"slack": 50.0},
    unit="of normalized entropy",
)
def holding_back_helps(found):
    return found["right after, held back"]


@claim(
    "Where nothing happens, holding rows back costs entropy.",
    lost_clicks,
    holds=above(0),
    twin={"waits": 0},
    unit="of normalized entropy",
)
def holding_back_costs(found):
    return found["quiet, held back"]


@experiment(seeds=10, worlds={"default": {}, "more clicks": {"base_ctr": 0.1}})
def wrong_feature(seed, *, base_ctr=0.03, learned=10_000.0, bound=3.0):
    """Return entropies with six hours of a wrong feature, clipped and not, with a right one, and without it."""
    return {
        f"{name}, {when}": entropy
        for name, kind, clip in [
            ("wrong", "feature", learned),
            ("clipped", "feature", bound),
            ("right", "none", None),
            ("without", "no feature", None),
        ]
        for when, entropy in incident(seed, kind, 0, bound=clip, base_ctr=base_ctr).items()
    }


@claim(
    "A day and more after it learned six hours of huge values, a model is worse than one that never had the feature.",
    wrong_feature,
    holds=above(0),
    twin={"learned": 3.0},
    unit="of normalized entropy",
)
def what_a_wrong_feature_leaves(found):
    return found["wrong, later"] - found["without, later"]


@claim(
    "While the feature is wrong, a clip removes more than nine tenths of what it costs.",
    wrong_feature,
    holds=above(0.9),
    twin={"bound": 1_000.0},
    percent=True,
    unit="of the cost",
)
def a_clip_helps_at_once(found):
    return (found["wrong, in"] - found["clipped, in"]) / (found["wrong, in"] - found["right, in"])
