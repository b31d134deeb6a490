"""Claims of docs/training-data/recency.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy


def uncertainty(p):
    """Return the entropy of a click that comes with probability p: the log loss to expect of p itself."""
    return -(p * np.log(p) + (1 - p) * np.log(1 - p))


WORLDS = {"default": {}, "less drift": {"drift": 0.08}, "rarer clicks": {"base_ctr": 0.02}}


class Models:
    """Models of a log of sixteen days, each trained on some days, by the ad's identity or its recent rate."""

    def __init__(self, seed, n=120_000, *, drift=0.15, base_ctr=0.03, frozen=False, lives=None):
        log = simulate_ad_log(n, 16, seed, n_users=4_000, n_ads=500, drift=drift, base_ctr=base_ctr)
        if frozen:  # no new ads: rows of those that ran on day 0 alone
            log = log[log["ad_id"].isin(log.loc[log["day"] == 0, "ad_id"])].copy()
        if lives:  # each ad is replaced by another one after so many days
            log["ad_id"] += 1_000 * (log["day"] // lives)
        rate = (log["ad_clicks"] + 1) / (log["ad_impressions"] + 33)
        edges = np.quantile(rate[log["day"] < 4], np.arange(1, 20) / 20)
        log["ad_rate_bin"] = np.searchsorted(edges, rate)
        self.log, self.y, self.day = log, log["click"].to_numpy(), log["day"].to_numpy()
        encoded = {name: log[["category", "device", name]] for name in ("ad_id", "ad_rate_bin")}
        self.X = {name: OneHotEncoder().fit_transform(columns) for name, columns in encoded.items()}
        self.fitted = {}

    def predict(self, end, window, served, feature="ad_id", share=1.0):
        """Return what a model of the days before ``end`` says of the rows ``served``."""
        key = end, window, feature, share
        if key not in self.fitted:
            rows = np.flatnonzero((self.day >= end - window) & (self.day < end))
            rows = rows[:: round(1 / share)]
            self.fitted[key] = LogisticRegression(C=0.3, max_iter=300).fit(self.X[feature][rows], self.y[rows])
        return self.fitted[key].predict_proba(self.X[feature][served])[:, 1]

    def entropy(self, days, window, ages, feature="ad_id", share=1.0):
        """Return the entropy on some days of models of each age, together."""
        served = [np.flatnonzero(self.day == d) for d in days for _ in ages]
        ends = [d - age for d in days for age in ages]
        p = [self.predict(end, window, rows, feature, share) for end, rows in zip(ends, served, strict=True)]
        return normalized_entropy(self.y[np.concatenate(served)], np.concatenate(p))


@experiment(seeds=10, worlds=WORLDS)
def ages(seed, *, drift=0.15, base_ctr=0.03, frozen=False):
    """Return what six days of age cost, and how far the best possible entropy of seven days ranges."""
    models = Models(seed, drift=drift, base_ctr=base_ctr, frozen=frozen)
    found = {}
    for name, feature in [("identity", "ad_id"), ("rate", "ad_rate_bin")]:
        fresh, old = (models.entropy((10, 12, 14), 4, (age,), feature) for age in (0, 6))
        found |= {name: old / fresh - 1, f"{name}, cost": old - fresh}
    truth = [models.log.loc[models.day == d, "p_click"].to_numpy() for d in range(4, 11)]
    floors = [normalized_entropy(models.y[models.day == d], p) for d, p in zip(range(4, 11), truth, strict=True)]
    expected = [uncertainty(p).mean() / uncertainty(p.mean()) for p in truth]
    return found | {"range of the floor": np.ptp(floors), "range without chance": np.ptp(expected)}


@claim(
    "A model that knows ads by identity loses more with age than one that reads the ad's recent rate.",
    ages,
    holds=above(0),
    twin={"drift": 0.0, "frozen": True},
    percent=True,
    unit="of the entropy in six days",
)
def identity_ages_more(found):
    return found["identity"] - found["rate"]


@claim(
    "With a few hundred clicks a day, the best possible entropy ranges in a week by more than six days of age cost.",
    ages,
    holds=above(0),
    twin={"drift": 0.8},
)
def days_differ_more_than_age_costs(found):
    return found["range of the floor"] - found["identity, cost"]


@claim(
    "A part of that range is chance: of the entropies to expect from the probabilities of each day it is smaller.",
    ages,
    holds=below(0.9),
    twin={"base_ctr": 0.4, "drift": 0.4},
    percent=True,
    unit="of the range left",
)
def a_part_of_the_range_is_chance(found):
    return found["range without chance"] / found["range of the floor"]


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}})
def seven_days(seed, *, drift=0.15, base_ctr=0.03, share=1.0, lives=None, frozen=False):
    """Return entropies by days of the window, of the wait, of serving, which sum to seven."""
    models, days = Models(seed, drift=drift, base_ctr=base_ctr, lives=lives, frozen=frozen), (11, 14)
    return {
        "4 + 0 + 3": models.entropy(days, 4, (0, 1, 2), share=share),
        "4 + 0 + 3, as many rows": models.entropy(days, 4, (0, 1, 2), share=0.25),
        "1 + 3 + 3": models.entropy(days, 1, (3, 4, 5)),
    }


@claim(
    "Of the same seven days, a window of four and no wait is better than a window of one and a wait of three.",
    seven_days,
    holds=above(0),
    twin={"drift": 0.0, "share": 0.25, "frozen": True},
)
def waiting_is_worse_than_collecting(found):
    return found["1 + 3 + 3"] - found["4 + 0 + 3"]


@claim(
    "Most of that is the rows: with as many in both windows, less than half of the difference is left.",
    seven_days,
    holds=below(0.5),
    twin={"base_ctr": 0.3, "lives": 3},
    percent=True,
    unit="left",
)
def the_window_brings_rows(found):
    left = found["1 + 3 + 3"] - found["4 + 0 + 3, as many rows"]
    return left / (found["1 + 3 + 3"] - found["4 + 0 + 3"])


@experiment(seeds=10, worlds={"default": {}, "less drift": {"drift": 0.08}})
def intervals(seed, *, drift=0.15, lives=None):
    """Return what is lost against daily training, on twelve days, by the days between two runs."""
    models, lost = Models(seed, drift=drift, lives=lives), {}
    for every in (1, 2, 6, 12):
        served = [np.flatnonzero(models.day == d) for d in range(4, 16)]
        p = [models.predict(4 + i // every * every, 4, rows) for i, rows in enumerate(served)]
        lost[every] = normalized_entropy(models.y[np.concatenate(served)], np.concatenate(p))
    return {f"every {every}": entropy - lost[1] for every, entropy in lost.items()}


@claim(
    "Training every second day keeps over four fifths of what daily training gains over one run in twelve days.",
    intervals,
    holds=above(0.8),
    twin={"lives": 2},
    percent=True,
    unit="kept",
)
def every_second_day_keeps_most(found):
    return 1 - found["every 2"] / found["every 12"]


@claim(
    "The run saved by going from six days to twelve costs more than each of those saved by going from one day to two.",
    intervals,
    holds=above(0),
    twin={"lives": 2},
)
def the_last_run_saved_is_dearest(found):
    return found["every 12"] - found["every 6"] - found["every 2"] / 6
