"""Claims of docs/scale/out-of-core.md."""

from __future__ import annotations

import hashlib

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.hashing import hash_features
from snippets.scale.learning_curve import next_doubling
from snippets.training_data.ftrl_proximal import FTRLProximal
from snippets.training_data.negative_downsampling import recalibrate

COLUMNS = ["category", "device", "age_group", "hour", "ad_id", "user_id"]


class Log:
    """A log of ten days: the first eight to learn from, the last two to judge by."""

    def __init__(self, seed, n, n_users, n_ads):
        log = simulate_ad_log(n, 10, seed, n_users=n_users, n_ads=n_ads)
        self.frame = log.astype({name: "str" for name in ("category", "device", "age_group")})
        self.X = hash_features(self.frame[COLUMNS], 20)
        self.y, self.user = log["click"].to_numpy(), log["user_id"].to_numpy()
        self.past, self.later = (np.flatnonzero(days) for days in (log["day"] < 8, log["day"] >= 8))
        rates = [(log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33) for who in ("ad", "user")]
        counts = [np.log1p(log[f"{who}_impressions"]) for who in ("ad", "user")]
        codes = [log[name].cat.codes for name in ("category", "device", "age_group")]
        self.counters = np.column_stack([*codes, log["hour"], *rates, *counts])

    def entropy(self, p):
        """Return the normalized entropy on the later days."""
        return normalized_entropy(self.y[self.later], p)

    def linear(self, rows, rate=1.0):
        """Return what FTRL says of the later days, once it has learned these rows in order."""
        model = FTRLProximal(alpha=0.05).fit(self.X[rows], self.y[rows])
        return recalibrate(model.predict_proba(self.X[self.later])[:, 1], rate)

    def trees(self, rows, rate=1.0):
        """Return what boosted trees say of them."""
        model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, min_samples_leaf=60, random_state=0)
        model.fit(self.counters[rows], self.y[rows])
        return recalibrate(model.predict_proba(self.counters[self.later])[:, 1], rate)


# The world of the twin: few users and ads, each with thousands of rows at the smallest size already.
CURVES = {"default": {}, "fewer users": {"n_users": 5_000}, "half the rows": {"n": 120_000}}


@experiment(seeds=10, worlds=CURVES)
def curves(seed, *, n=240_000, n_users=20_000, n_ads=2_000, n_runs=4):
    """Return what the last doubling of the rows brought, and what was promised from the sizes before it."""
    log, sizes = Log(seed, n, n_users, n_ads), 2.0 ** np.arange(-6, 1)
    losses = np.empty((n_runs, len(sizes)))
    for r in range(n_runs):
        share = np.random.default_rng([seed, r]).random(len(log.past))
        for i, size in enumerate(sizes):
            losses[r, i] = log.entropy(log.linear(log.past[share < size]))
    known = np.tile(len(log.past) * sizes[:-1], n_runs), losses[:, :-1].ravel(), np.repeat(np.arange(n_runs), 6)
    found = next_doubling(*known)
    came = float((losses[:, -2] - losses[:, -1]).mean())
    return {"came": came, "covered": float(found.low < came < found.high)} | found._asdict()


TWIN = {"n_users": 100, "n_ads": 40}


@claim(
    "A power law through six sizes promises less from the next doubling than half as much again brings.",
    curves,
    holds=below(0.67),
    twin=TWIN,
    percent=True,
    unit="of what came",
)
def power_law_promises_too_little(found):
    return found["power_law"] / found["came"]


@claim(
    "The gain of the last doubling is a nearer guess at that of the next one than the power law.",
    curves,
    holds=above(0),
    twin=TWIN,
)
def last_doubling_is_nearer(found):
    return abs(found["power_law"] - found["came"]) - abs(found["last"] - found["came"])


@claim(
    "Of the intervals at 95 % around that promise, fewer than half hold what came.",
    curves,
    holds=below(0.5),
    twin=TWIN,
    percent=True,
    unit="of the intervals",
)
def interval_misses(found):
    return found["covered"]


@experiment(seeds=10, worlds={"default": {}, "fewer users": {"n_users": 5_000}, "half the rows": {"n": 100_000}})
def samples(seed, *, n=200_000, n_users=20_000, n_ads=2_000, rate=0.1):
    """Return entropies by the way in which a part of the rows was drawn."""
    log = Log(seed, n, n_users, n_ads)
    rng = np.random.default_rng([seed, 9])
    drawn, of_user = rng.random(len(log.y)), rng.random(n_users)[log.user]
    y = log.y[log.past] == 1
    negatives = log.past[y | (drawn[log.past] < rate)]
    by_user = log.past[y | (of_user[log.past] < rate)]
    uniform = log.past[drawn[log.past] < len(negatives) / len(log.past)]
    return {
        "linear, all": log.entropy(log.linear(log.past)),
        "linear, negatives": log.entropy(log.linear(negatives, rate)),
        "linear, negatives by user": log.entropy(log.linear(by_user, rate)),
        "linear, rows": log.entropy(log.linear(uniform)),
        "trees, all": log.entropy(log.trees(log.past)),
        "trees, negatives": log.entropy(log.trees(negatives, rate)),
        "trees, rows": log.entropy(log.trees(uniform)),
    }


@claim(
    "A tenth of the negatives, drawn by user, costs over 0.05 of entropy more than drawn by impression.",
    samples,
    holds=above(0.05),
    twin={"rate": 0.9},
)
def users_are_no_key_to_sample_by(found):
    return found["linear, negatives by user"] - found["linear, negatives"]


@claim(
    "Of two samples of one size, boosted trees lose less with all clicks and a tenth of the negatives than with a "
    "sample of all rows.",
    samples,
    holds=above(0),
    twin={"rate": 0.999},
)
def drop_negatives_not_rows(found):
    return found["trees, rows"] - found["trees, negatives"]


@claim(
    "Of the same two samples, the hashed linear model loses less with all clicks, too.",
    samples,
    holds=above(0),
    twin={"rate": 0.999},
)
def drop_negatives_not_rows_linear(found):
    return found["linear, rows"] - found["linear, negatives"]
