"""Claims of docs/evaluation/confidence-intervals.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.confidence_intervals import ne_difference_interval


def predict(train, test, *columns):
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=300))
    return model.fit(train[[*columns]], train["click"]).predict_proba(test[[*columns]])[:, 1]


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}, "more ads": {"n_ads": 1_000}})
def widths(seed, *, base_ctr=0.03, n_ads=200, noise=0.0):
    log = simulate_ad_log(40_000, seed=seed, n_users=4_000, n_ads=n_ads, base_ctr=base_ctr)
    train, test = log[log["day"] < 8], log[log["day"] >= 8]
    constant, base = np.full(len(test), train["click"].mean()), predict(train, test, "category", "device")

    def half(a, b):
        found = ne_difference_interval(test["click"], a, b, test["user_id"])
        return found.high - found.estimate

    found = {}
    for feature in ("ad_id", "age_group"):
        better = predict(train, test, "category", "device", feature)
        odds = np.random.default_rng(seed).lognormal(0, noise, len(test)) * better / (1 - better)
        better = odds / (1 + odds)
        found[feature] = np.hypot(half(constant, base), half(constant, better)) / half(base, better)
    return found


@claim(
    "For two models on the same rows, the paired interval of the difference in normalized entropy is narrower than the "
    "unpaired one.",
    widths,
    holds=above(1.1),
    twin={"noise": 3.0},
    unit="times as wide without pairs",
)
def pairs_narrow(found):
    return found["ad_id"]


@claim(
    "Pairs help more where the two models are alike: more for a weak feature than for a strong one.",
    widths,
    holds=above(0.5),
    twin={"noise": 3.0},
    unit="times as wide without pairs",
)
def alike_models_gain_most(found):
    return found["age_group"] - found["ad_id"]


@experiment(
    worlds={
        "default": {},
        "forty rows each": {"n_users": 1_000},
        "ten rows each": {"n_users": 4_000},
        "rarer clicks": {"base_ctr": 0.015},
    },
)
def coverage(seed, *, n_users=400, base_ctr=0.03, n_drawn=100, swap=False):
    log = simulate_ad_log(60_000, seed=seed, n_users=n_users, n_ads=200, base_ctr=base_ctr)
    train, world = log[log["day"] < 5], log[log["day"] >= 5].sort_values("user_id", kind="stable")
    y, user = world["click"].to_numpy(), world["user_id"].to_numpy()
    first = np.flatnonzero(np.diff(user, prepend=-1))
    size = np.diff(first, append=len(user))
    base, rng = predict(train, world, "position", "category"), np.random.default_rng([seed, 1])
    found = {}
    for name in ("ad_id", "user_id"):
        better = predict(train, world, "position", "category", name)
        truth, covered = ne_difference_interval(y, base, better).estimate, np.zeros(2)
        for _ in range(100):
            drawn = rng.integers(0, len(size), n_drawn)
            rows = np.concatenate([np.arange(first[u], first[u] + size[u]) for u in drawn])
            owner = np.repeat(np.arange(n_drawn), size[drawn])
            for i, unit in enumerate([None, owner]):
                interval = ne_difference_interval(y[rows], base[rows], better[rows], unit)
                covered[i] += interval.low <= truth <= interval.high
        feature = ("user" if name == "ad_id" else "ad") if swap else name.removesuffix("_id")
        found |= {f"{feature}, by row": covered[0] / 100, f"{feature}, by user": covered[1] / 100}
    return found


ONE_ROW = {"n_users": 300_000, "n_drawn": 3_000}


@claim(
    "If the feature belongs to the user, the 95 % interval by row holds the truth in fewer than 90 % of the samples.",
    coverage,
    holds=below(0.9),
    twin=ONE_ROW,
    percent=True,
    unit="of the samples",
)
def rows_miss_the_truth(found):
    return found["user, by row"]


@claim(
    "If the feature belongs to the user, the interval by user holds the truth more often.",
    coverage,
    holds=above(0.0),
    twin=ONE_ROW,
    percent=True,
    unit="of the samples",
)
def users_hold_more(found):
    return found["user, by user"] - found["user, by row"]


@claim(
    "The interval by row is right at least five points more often for a feature of the ad than for one of the user.",
    coverage,
    holds=above(0.05),
    twin={"swap": True},
    percent=True,
    unit="of the samples",
)
def ads_are_no_matter_of_users(found):
    return found["ad, by row"] - found["user, by row"]


@claim(
    "If the feature belongs to the user, with a hundred users even the 95 % interval by user holds the truth in fewer "
    "than 94 % of the samples.",
    coverage,
    holds=below(0.94),
    twin={"swap": True},
    percent=True,
    unit="of the samples",
)
def few_users_fall_short(found):
    return found["user, by user"]
