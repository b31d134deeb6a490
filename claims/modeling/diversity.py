"""Claims of docs/modeling/diversity.md."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.hashing import hash_features
from snippets.modeling.diversify import maximal_marginal_relevance
from snippets.modeling.factorization_machine import FactorizationMachineClassifier
from snippets.modeling.matrix_factorization import ImplicitALS


def page(score, kind, weight):
    """Return the picks of each list, the sum of their scores, and how many categories they are of."""
    picked = maximal_marginal_relevance(score, np.eye(8)[kind], 10, weight)
    counts = np.eye(8)[np.take_along_axis(kind, picked, axis=1)].sum(axis=1)
    return picked, np.take_along_axis(score, picked, axis=1).sum(axis=1).mean(), (counts > 0).sum(axis=1).mean()


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.03}, "more candidates": {"n_candidates": 300}})
def exchange(seed, *, base_ctr=0.1, n_candidates=100, alone=False):
    log = simulate_ad_log(60_000, seed=seed, n_users=600, n_ads=600, base_ctr=base_ctr)
    clicked = log[log["click"] == 1]
    table = csr_matrix((np.ones(len(clicked)), (clicked["user_id"], clicked["ad_id"])), (600, 600))
    factorization = ImplicitALS(8, alpha=10, l2=50, random_state=seed).fit(table)
    columns = ["category", "ad_id", "user_id"]
    ranker = FactorizationMachineClassifier(8, learning_rate=0.03, n_epochs=2, random_state=seed)
    ranker.fit(hash_features(log[columns], n_bits=16), log["click"])
    category = log.drop_duplicates("ad_id").set_index("ad_id")["category"]
    users = np.flatnonzero(table.getnnz(axis=1) >= 3)[:200]
    candidates = factorization.recommend(users, n_candidates)
    pairs = category.reindex(candidates.ravel()).reset_index()
    pairs = pairs.assign(user_id=np.repeat(users, n_candidates))
    score = ranker.predict_proba(hash_features(pairs[columns], n_bits=16))[:, 1].reshape(candidates.shape)
    kind = (
        np.zeros(candidates.shape, int) if alone else pairs["category"].cat.codes.to_numpy().reshape(candidates.shape)
    )
    _, clicks, kinds = page(score, kind, 1.0)
    found = {"expected clicks in ten": clicks, "categories in ten": kinds}
    for weight in (0.9, 0.8, 0.5):
        _, now, more = page(score, kind, weight)
        found[f"clicks lost at {weight}"] = 1 - now / clicks
        found[f"categories added at {weight}"] = more - kinds
    return found


@claim(
    "A weight of 0.9 costs less than a twentieth of the expected clicks.",
    exchange,
    holds=below(0.05),
    twin={"alone": True},
    says="varies",
    percent=True,
    unit="of the expected clicks",
)
def first_tenth_is_cheap(found):
    return found["clicks lost at 0.9"]


@claim(
    "From 1 to 0.9, a click given up buys more categories than from 0.9 to 0.5.",
    exchange,
    holds=above(0),
    twin={"alone": True},
    unit="categories for one percent of the clicks",
)
def first_tenth_buys_most(found):
    first = found["categories added at 0.9"] / (100 * found["clicks lost at 0.9"] + 1e-9)
    rest = found["categories added at 0.5"] - found["categories added at 0.9"]
    return first - rest / (100 * (found["clicks lost at 0.5"] - found["clicks lost at 0.9"]) + 1e-9)


def any_click(taste, kind, click, picked):
    """Return the chance that a page has a click, where each user wants one category and clicks nothing else."""
    own, miss = (np.take_along_axis(values, picked, axis=1) for values in (kind, 1 - click))
    none = np.where(own[:, :, None] == np.arange(8), miss[:, :, None], 1).prod(axis=1)
    return 1 - (taste * none).sum(axis=1).mean()


WEIGHTS = (1.0, 0.98, 0.95, 0.9, 0.8)


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "intent better known": {"spread": 0.3},
        "intent unknown": {"spread": 3.0},
        "rarer clicks": {"misses": 18},
    },
)
def intents(seed, *, spread=0.7, misses=6, n_candidates=100, all_wanted=False):
    rng = np.random.default_rng([seed, 6])
    kind = rng.integers(0, 8, (300, n_candidates))
    taste = rng.dirichlet(np.full(8, spread), 300)
    click = rng.beta(2, misses, kind.shape)
    score = np.take_along_axis(taste, kind, axis=1) * click
    found = {}
    for weight in WEIGHTS:
        picked, clicks, _ = page(score, kind, weight)
        found[f"expected clicks, {weight}"] = clicks
        found[f"at least one click, {weight}"] = any_click(taste, kind, click, picked)
        if all_wanted:  # no intent: each item is clicked by itself
            none = (1 - np.take_along_axis(score, picked, axis=1)).prod(axis=1).mean()
            found[f"at least one click, {weight}"] = 1 - none
    return found


@claim(
    "Where a user wants one category and you do not know which, a weight of 0.98 raises the chance of a click, if a "
    "third of all pages or more have one.",
    intents,
    holds=above(0),
    twin={"all_wanted": True},
    percent=True,
    unit="of the lists",
)
def variety_hedges(found):
    return found["at least one click, 0.98"] - found["at least one click, 1.0"]


@claim(
    "A weight of 0.8 raises the chance of a click, too.",
    intents,
    holds=above(0),
    twin={"all_wanted": True},
    says="varies",
    percent=True,
    unit="of the lists",
)
def much_variety_hedges(found):
    return found["at least one click, 0.8"] - found["at least one click, 1.0"]


@claim(
    "Where one page in twenty or so has a click, a weight of 0.9, with scores divided by the best of the list, lowers "
    "the chance of one.",
    holds=below(0),
    twin={"misses": 6},
    seeds=20,
    worlds={"default": {}, "intent better known": {"spread": 0.3}, "intent unknown": {"spread": 3.0}},
    percent=True,
    unit="of the pages with a click",
)
def rare_clicks_are_not_hedged(seed, *, spread=0.7, misses=200):
    rng = np.random.default_rng([seed, 8])
    kind, taste = rng.integers(0, 8, (300, 100)), rng.dirichlet(np.full(8, spread), 300)
    click = rng.beta(2, misses, kind.shape)
    score = np.take_along_axis(taste, kind, axis=1) * click
    score /= score.max(axis=1, keepdims=True)
    varied, plain = (any_click(taste, kind, click, page(score, kind, weight)[0]) for weight in (0.9, 1.0))
    return varied / plain - 1


@claim(
    "With the same order of the items and the same weight, scores ten times as large in odds lose categories.",
    holds=above(0.5),
    twin={"factor": 1.0},
    seeds=20,
    worlds={"default": {}, "rarer clicks": {"misses": 120}, "more alike": {"between": 0.2}},
    unit="categories in ten",
)
def scale_changes_the_page(seed, *, factor=10.0, misses=60, between=0.5):
    rng = np.random.default_rng([seed, 7])
    kind = rng.integers(0, 8, (300, 100))
    score = rng.beta(2, misses, kind.shape) * rng.lognormal(0, between, (300, 8))[np.arange(300)[:, None], kind]
    odds = factor * score / (1 - score)
    return page(score, kind, 0.9)[2] - page(odds / (1 + odds), kind, 0.9)[2]
