"""Claims of docs/modeling/choosing.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from claims.protocol import all_fields, compare, dense, settings
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.cross_network import CrossNetworkClassifier
from snippets.modeling.multi_task import MultiTaskClassifier
from snippets.modeling.smoothed_ctr import SmoothedCTR
from snippets.training_data.ftrl_proximal import FTRLProximal

STEPS = [(rate, passes) for rate in (0.02, 0.05) for passes in (1, 2)]  # what each model with embeddings tries
WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "five times the rows a user": {"n_users": 240}}


class Rates(ClassifierMixin, BaseEstimator):
    """Smoothed rates of each column, added as log odds around the rate of all."""

    def fit(self, X, y):
        """Count."""
        self.classes_, self.base_ = np.unique(y), logit(np.mean(y))
        self.counters_ = [SmoothedCTR().fit(column[:, None], y) for column in X.T]
        return self

    def predict_proba(self, X):
        """Return the probabilities of both classes."""
        each = [c.predict_proba(column[:, None])[:, 1] for c, column in zip(self.counters_, X.T, strict=True)]
        p = expit(self.base_ + (logit(each) - self.base_).sum(axis=0))
        return np.column_stack([1 - p, p])


class ClickAndHide(MultiTaskClassifier):
    """Learn two labels, of which the last column of X is the second; predict the first."""

    def fit(self, X, y):
        """Learn both."""
        self.classes_ = np.unique(y)
        return super().fit(X[:, :-1], np.column_stack([y, X[:, -1]]))

    def predict_proba(self, X):
        """Return the probabilities of both classes of the first label."""
        p = super().predict_proba(X[:, :-1])[:, 0]
        return np.column_stack([1 - p, p])


def once(build):
    """Return the same function of the known rows, which does its work once for the same rows."""
    kept = {}

    def built(known):
        key = known.tobytes()
        if key not in kept:
            kept[key] = build(known)
        return kept[key]

    return built


def in_buckets(log, known):
    """Return the rates of ad and user so far, as protocol.dense makes them, each in twenty buckets."""
    rates = dense(log, known)[:, -2:]
    edges = [np.unique(np.quantile(r[known], np.arange(1, 20) / 20)) for r in rates.T]
    return np.column_stack([np.searchsorted(e, r) for e, r in zip(edges, rates.T, strict=True)])


def fields(log, crossed=True):
    """Return a function of the known rows: all fields as codes, with two crosses by hand and the rates in buckets."""
    codes = all_fields(log)
    category, device, age = codes[:, :3].T
    if crossed:
        codes = np.column_stack([codes, category * 10 + device, category * 10 + age])
    return lambda known: np.column_stack([codes, in_buckets(log, known)])


def one_hot(codes):
    """Return a function of the known rows: each value that they have as a column."""

    def build(known):
        X = codes(known)
        return OneHotEncoder(handle_unknown="ignore").fit(X[known]).transform(X)

    return build


def best_model(names, key):
    """Return the model with the least loss: the truth is none."""
    return min((name for name in names if name != "the truth"), key=key)


@experiment(worlds=WORLDS, best=best_model)
def models(seed, *, drift=0.08, n_users=1_200, shuffled=False):
    """Return the entropy of each model, tuned on days 8 and 9, on the same later days."""
    log = simulate_ad_log(56_000, n_users=n_users, n_ads=120, drift=drift, position_bias=False, seed=seed)
    if shuffled:
        log["click"] = np.random.default_rng(seed).permutation(log["click"])
        log["click_delay"] = np.where(log["click"] == 1, 30.0, np.nan)
    later = (log["day"] >= 10).to_numpy()
    y, who = log["click"].to_numpy(), log[["ad_id", "user_id"]].to_numpy()
    codes, rates = once(fields(log)), once(lambda known: dense(log, known))
    sparse, plain = once(one_hot(codes)), once(one_hot(fields(log, crossed=False)))
    tries = settings(seed)
    found = compare(
        log,
        {
            "smoothed rate of the ad": (who[:, :1], [Rates()]),
            "rates of ad and user": (who, [Rates()]),
            "linear": (plain, tries["linear"]),
            "linear, two crosses": (sparse, tries["linear"]),
            "FTRL, one pass": (sparse, [FTRLProximal(a, l2=l2) for a in (0.05, 0.2) for l2 in (0.0, 1.0)]),
            "boosted trees": (rates, tries["trees"]),
            "trees + linear": (rates, tries["trees + linear"]),
            "factorization machine": (sparse, tries["factorization machine"]),
            "wide & deep": (
                codes,
                [CrossNetworkClassifier(4, 0, 32, learning_rate=r, n_epochs=n, random_state=seed) for r, n in STEPS],
            ),
            "cross network": (
                codes,
                [CrossNetworkClassifier(4, 1, 0, learning_rate=r, n_epochs=n, random_state=seed) for r, n in STEPS],
            ),
            "click and hide, shared": (
                lambda known: np.column_stack([codes(known), log["hide"]]),
                [ClickAndHide(4, learning_rate=r, n_epochs=n, random_state=seed) for r, n in STEPS],
            ),
        },
    )
    constant = np.full(later.sum(), y[~later].mean())
    return {
        "constant": normalized_entropy(y[later], constant),
        **found.table["test"],
        "the truth": normalized_entropy(y[later], log["p_click"][later]),
    }


@claim(
    "Where a user has thirty rows or more, the step from one rate for all to counters of ad and user is worth more "
    "than all that comes after it.",
    models,
    holds=above(0),
    twin={"shuffled": True},
    unit="of the entropy",
)
def counters_are_the_largest_step(found):
    """Say how much more the counters bring over the constant than the best model over the counters."""
    best = min(loss for name, loss in found.items() if name != "the truth")
    return (found["constant"] - found["rates of ad and user"]) - (found["rates of ad and user"] - best)


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}})
def rare_identities(seed, *, drift=0.08, n_users=20_000, n_ads=5_000):
    """Return the entropy of one rate for all, of counters, and of a linear model, where identities are rare."""
    log = simulate_ad_log(56_000, n_users=n_users, n_ads=n_ads, drift=drift, position_bias=False, seed=seed)
    later, y = (log["day"] >= 10).to_numpy(), log["click"].to_numpy()
    candidates = {
        "rates of ad and user": (log[["ad_id", "user_id"]].to_numpy(), [Rates()]),
        "linear, two crosses": (once(one_hot(once(fields(log)))), settings(seed)["linear"]),
    }
    constant = np.full(later.sum(), y[~later].mean())
    return {"constant": normalized_entropy(y[later], constant), **compare(log, candidates).table["test"]}


@claim(
    "Where a user has two rows and an ad eight, whether counters are still the largest step depends on the log.",
    rare_identities,
    holds=above(0),
    says="varies",
    twin={"n_users": 1_200, "n_ads": 120},
    unit="of the entropy",
)
def counters_of_rare_identities(found):
    """Say how much more the counters bring over the constant than a linear model with two crosses over the counters."""
    rates = found["rates of ad and user"]
    return (found["constant"] - rates) - (rates - found["linear, two crosses"])


@claim(
    "Two crosses by hand bring a linear model closer to the truth.",
    models,
    holds=below(0),
    twin={"shuffled": True},
    unit="of the entropy",
)
def two_crosses_pay(found):
    """Say what the crosses change."""
    return found["linear, two crosses"] - found["linear"]


@claim(
    "Trees on rates stay behind a linear model that has the identities, the same rates and two crosses.",
    models,
    holds=above(0),
    twin={"shuffled": True},
    unit="of the entropy",
)
def trees_stay_behind_linear_with_crosses(found):
    """Say how far the trees are behind."""
    return found["boosted trees"] - found["linear, two crosses"]


@claim(
    "A linear layer on as many trees, with as many settings, changes their entropy by less than 0.005.",
    models,
    holds=between(-0.005, 0.005),
    twin={"shuffled": True},
    unit="of the entropy",
)
def trees_plus_linear_ties_with_trees(found):
    """Say what the layer changes."""
    return found["trees + linear"] - found["boosted trees"]


@claim(
    "Wide & deep falls behind a linear model with the same columns and crosses.",
    holds=above(0),
    seeds=20,
    worlds=WORLDS,
    twin={"no_identities_for_linear": True},
    unit="of the entropy",
)
def wide_and_deep_against_linear(seed, *, drift=0.08, n_users=1_200, no_identities_for_linear=False):
    """Say how far the network is behind, on the logs of ``models``.

    Twin: the mistake of an unequal comparison, in which the linear model alone knows neither ad nor user.
    """
    log = simulate_ad_log(56_000, n_users=n_users, n_ads=120, drift=drift, position_bias=False, seed=seed)
    codes = once(fields(log))
    linear = (lambda known: codes(known)[:, [0, 1, 2, 3, 6, 7]]) if no_identities_for_linear else codes
    candidates = {
        "linear, two crosses": (once(one_hot(linear)), settings(seed)["linear"]),
        "wide & deep": (
            codes,
            [CrossNetworkClassifier(4, 0, 32, learning_rate=r, n_epochs=n, random_state=seed) for r, n in STEPS],
        ),
    }
    found = compare(log, candidates).table["test"]
    return found["wide & deep"] - found["linear, two crosses"]


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}})
def sixteen_seeds(seed, *, drift=0.08, hindsight=False):
    """Return what the best of sixteen models on one day promises there, and keeps later, against the mean of all.

    In the twin it is picked in ``hindsight``: the mistake of choosing on the days that should judge.
    """
    log = simulate_ad_log(42_000, n_users=2_000, n_ads=200, drift=drift, position_bias=False, seed=seed)
    X, y, day = fields(log, crossed=False)((log["day"] < 10).to_numpy()), log["click"].to_numpy(), log["day"].to_numpy()
    past, choice, after = np.flatnonzero(day < 10), day == 10, day > 10
    promised, kept = [], []
    for i in range(16):
        model = CrossNetworkClassifier(4, 0, 16, random_state=100 * seed + i).fit(X[past], y[past])
        for found, part in [(promised, choice), (kept, after)]:
            found.append(normalized_entropy(y[part], model.predict_proba(X[part])[:, 1]))
    best = int(np.argmin(kept if hindsight else promised))
    return {"promised": np.mean(promised) - promised[best], "kept": np.mean(kept) - kept[best]}


@claim(
    "The best of sixteen equal models on one day is less far ahead on the days after.",
    sixteen_seeds,
    holds=below(0),
    twin={"hindsight": True},
    unit="of the entropy",
)
def the_best_of_sixteen_gives_its_lead_back(found):
    """Say what becomes of its lead."""
    return found["kept"] - found["promised"]
