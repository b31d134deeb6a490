"""Claims of docs/scale/out-of-core.md."""

from __future__ import annotations

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
        self.frame = log.astype(dict.fromkeys(("category", "device", "age_group"), "str"))
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


def _last_doubling(seed, log, n_runs, predict):
    """Return what the last doubling of the rows brought, and what was promised from the sizes before it."""
    sizes = 2.0 ** np.arange(-6, 1)
    losses = np.empty((n_runs, len(sizes)))
    for r in range(n_runs):
        share = np.random.default_rng([seed, r]).random(len(log.past))
        for i, size in enumerate(sizes):
            losses[r, i] = log.entropy(predict(log.past[share < size]))
    known = np.tile(len(log.past) * sizes[:-1], n_runs), losses[:, :-1].ravel(), np.repeat(np.arange(n_runs), 6)
    return float((losses[:, -2] - losses[:, -1]).mean()), next_doubling(*known)


@experiment(seeds=10, worlds={"default": {}, "fewer users": {"n_users": 5_000}})
def curves(seed, *, n=160_000, n_users=20_000, n_ads=2_000, n_runs=3):
    """Return the last doubling of a learner of one pass, and whether the interval of the law covers it."""
    log = Log(seed, n, n_users, n_ads)
    came, found = _last_doubling(seed, log, n_runs, log.linear)
    return {"came": came, "covered": float(found.low < came < found.high)} | found._asdict()


# Each user and each ad has hundreds of rows in the smallest size already
TWIN = {"n_users": 50, "n_ads": 20}


@claim(
    "A power law through six sizes promises less than half of what the next doubling brings.",
    curves,
    holds=below(0.5),
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
    "What the next doubling brings lies above the upper end of the law's 95 % interval.",
    curves,
    holds=above(0),
    twin=TWIN,
)
def interval_misses(found):
    return found["came"] - found["high"]


@experiment(seeds=10, worlds={"four times the rate": {}, "two passes": {"alpha": 0.05, "passes": 2}})
def settings(seed, *, n=160_000, n_users=20_000, n_ads=2_000, n_runs=3, alpha=0.2, passes=1):
    """Return the last doubling of a learner of other settings."""
    log = Log(seed, n, n_users, n_ads)

    def predict(rows):
        model = FTRLProximal(alpha=alpha)
        for _ in range(passes):
            model.partial_fit(log.X[rows], log.y[rows], classes=[0, 1])
        return model.predict_proba(log.X[log.later])[:, 1]

    came, found = _last_doubling(seed, log, n_runs, predict)
    return {"came": came, "power_law": found.power_law}


@claim(
    "With a learning rate four times as high, or with two passes, it still promises too little.",
    settings,
    holds=above(0),
    twin=TWIN,
)
def other_settings_promise_too_little(found):
    return found["came"] - found["power_law"]


@experiment(seeds=10, worlds={"default": {}, "fewer users": {"n_users": 2_000}})
def samples(seed, *, n=100_000, n_users=10_000, n_ads=1_000, rate=0.1):
    """Return entropies by the way in which a part of the rows was drawn."""
    log = Log(seed, n, n_users, n_ads)
    drawn = np.random.default_rng([seed, 9]).random(len(log.past))
    negatives = (log.y[log.past] == 1) | (drawn < rate)
    rows, uniform = log.past[negatives], log.past[drawn < negatives.mean()]
    return {
        "linear, negatives": log.entropy(log.linear(rows, rate)),
        "linear, rows": log.entropy(log.linear(uniform)),
        "trees, all": log.entropy(log.trees(log.past)),
        "trees, negatives": log.entropy(log.trees(rows, rate)),
        "trees, rows": log.entropy(log.trees(uniform)),
    }


@claim(
    "Of two samples of one size, trees lose less with all clicks and a tenth of the negatives than with any rows.",
    samples,
    holds=above(0),
    twin={"rate": 0.999},
)
def drop_negatives_not_rows(found):
    return found["trees, rows"] - found["trees, negatives"]


@claim(
    "Of the same two samples, a hashed linear model, too, loses less with all clicks.",
    samples,
    holds=above(0),
    twin={"rate": 0.999},
)
def drop_negatives_not_rows_linear(found):
    return found["linear, rows"] - found["linear, negatives"]


@claim(
    "Boosted trees that see as few of all rows are worse by over 0.01 of entropy than those that see all.",
    samples,
    holds=above(0.01),
    twin={"rate": 0.9},
)
def trees_need_rows(found):
    return found["trees, rows"] - found["trees, all"]


@experiment(seeds=20, worlds={"160 rows a user": {}, "320 rows a user": {"n_users": 250}})
def keys(seed, *, n=100_000, n_users=500, n_ads=1_000, rate=0.1):
    """Return entropies by what was hashed to draw a tenth of the negatives."""
    log = Log(seed, n, n_users, n_ads)
    rng, y = np.random.default_rng([seed, 9]), log.y[log.past] == 1
    by_row = log.past[y | (rng.random(len(log.past)) < rate)]
    by_user = log.past[y | (rng.random(n_users)[log.user[log.past]] < rate)]
    return {
        "by impression": log.entropy(log.linear(by_row, rate)),
        "by user": log.entropy(log.linear(by_user, rate)),
    }


@claim(
    "Where a user has over a hundred rows, negatives drawn by user cost 0.05 of entropy more than by impression.",
    keys,
    holds=above(0.05),
    twin={"n_users": 20_000},
)
def users_are_no_key_to_sample_by(found):
    return found["by user"] - found["by impression"]
