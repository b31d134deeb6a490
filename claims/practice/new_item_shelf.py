"""Claims of docs/practice/new-item-shelf.md."""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from claims.claim import above, below, claim, experiment
from snippets.evaluation.ab_test import always_valid_interval

N, HOURS, BLOCKS, KEEP = 1_000, 50, 100, 50  # items of a cohort, hours, blocks of views an hour, items kept at the end
ONE_EACH = ("chance", "greedy", "a tenth by chance", "Thompson", "halving")
WORLDS = {
    "default": {},
    "half the views": {"block": 10},
    "twice the views": {"block": 40},
    "rarer clicks": {"mean": 0.02},
}


def shelf(policy, seed, block, mean, spread, content, strength, stage=10):
    """Return the click rate of the shelf, the share of the best items that is kept, and the share that is never seen.

    A policy has a hundred blocks of views in an hour and learns at its end. All but one give an item one block at most.
    """
    rng = np.random.default_rng([seed, 4])
    true = rng.beta(mean * spread, (1 - mean) * spread, N)
    log = np.log(true)
    promise = np.exp(0.4 * log + 0.6 * log.std() * rng.normal(0, 1, N))  # correlated with the truth at about 0.55
    prior = strength * (promise * true.mean() / promise.mean() if content else np.full(N, true.mean()))
    clicks, views, left = np.zeros(N), np.zeros(N), np.arange(N)
    for hour in range(HOURS):
        a, b = prior + clicks, strength - prior + views - clicks
        order = np.argsort(-a / (a + b), kind="stable")
        if policy == "Thompson, no limit":
            items = rng.beta(a, b, (BLOCKS, N)).argmax(axis=1)
        elif policy == "Thompson":
            items = np.argsort(-rng.beta(a, b))[:BLOCKS]
        elif policy == "halving":
            if hour and hour % stage == 0 and hour <= 4 * stage:  # four times, the better half stays
                left = order[np.isin(order, left)][: max(len(left) // 2, BLOCKS)]
            items = left[np.argsort(views[left] + rng.random(len(left)))[:BLOCKS]]
        else:
            n_random = {"chance": BLOCKS, "a tenth by chance": BLOCKS // 10, "greedy": 0}[policy]
            best, rest = np.split(order, [BLOCKS - n_random])
            items = np.append(best, rng.permutation(rest)[:n_random])
        drawn = rng.binomial(block, true[items])
        np.add.at(views, items, block)
        np.add.at(clicks, items, drawn)
    best = np.argsort(-true)[:KEEP]
    kept = np.argsort(-(prior + clicks) / (strength + views), kind="stable")[:KEEP]
    return clicks.sum() / views.sum(), np.isin(kept, best).mean(), (views == 0).mean()


@experiment(seeds=20, worlds=WORLDS)
def policies(seed, *, block=20, mean=0.04, spread=50, strength=50, stage=10):
    found = {}
    for policy in ONE_EACH:
        rate, best, unseen = shelf(policy, seed, block, mean, spread, True, strength, stage)
        found |= {f"{policy}, click rate": rate, f"{policy}, best found": best, f"{policy}, unseen": unseen}
    found["Thompson without content, best found"] = shelf("Thompson", seed, block, mean, spread, False, strength)[1]
    found["sure of content, best found"] = shelf("Thompson", seed, block, mean, spread, True, 4 * strength)[1]
    return found


@claim(
    "With one block an hour at most for each item, Thompson sampling finds more of the best items than greedy choice "
    "with a tenth by chance.",
    policies,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def thompson_finds_more_than_greedy(found):
    return found["Thompson, best found"] - found["a tenth by chance, best found"]


@claim(
    "With one block an hour at most for each item, Thompson sampling finds more of the best items than chance.",
    policies,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def thompson_finds_more_than_chance(found):
    return found["Thompson, best found"] - found["chance, best found"]


@claim(
    "Halving finds no fewer of the best fifty than Thompson sampling, give or take three.",
    policies,
    holds=above(-0.06),
    twin={"stage": 1},
    percent=True,
    unit="of the best fifty",
)
def halving_finds_as_many(found):
    return found["halving, best found"] - found["Thompson, best found"]


@claim(
    "Thompson sampling earns more clicks on the shelf than halving.",
    policies,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the views",
)
def thompson_earns_more(found):
    return found["Thompson, click rate"] - found["halving, click rate"]


@claim(
    "Whether Thompson sampling finds more with a content prior worth 50 views than without differs from cohort to "
    "cohort.",
    policies,
    holds=above(0),
    twin={"strength": 400},
    says="varies",
    percent=True,
    unit="of the best fifty",
)
def content_finds_more(found):
    return found["Thompson, best found"] - found["Thompson without content, best found"]


@claim(
    "A content prior that counts for four times as many views finds fewer.",
    policies,
    holds=below(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def sure_prior_finds_fewer(found):
    return found["sure of content, best found"] - found["Thompson, best found"]


@experiment(seeds=20, worlds={"default": {}, "half the views": {"block": 10}, "rarer clicks": {"mean": 0.02}})
def limits(seed, *, block=20, mean=0.04, spread=50):
    limited, free = (shelf(p, seed, block, mean, spread, True, 50) for p in ("Thompson", "Thompson, no limit"))
    return {"found": limited[1] - free[1], "earned": free[0] / limited[0]}


@claim(
    "Without that limit, Thompson sampling finds fewer of the best items.",
    limits,
    holds=above(0),
    twin={"spread": 1e6},
    percent=True,
    unit="of the best fifty",
)
def limit_finds_more(found):
    return found["found"]


@claim(
    "Without that limit, Thompson sampling earns more clicks on the shelf.",
    limits,
    holds=above(1),
    twin={"spread": 1e6},
    unit="times the clicks",
)
def no_limit_earns_more(found):
    return found["earned"]


@experiment(seeds=20, worlds={"default": {}, "a lower bar": {"bar": 0.03}, "more views": {"looks": 200}})
def leaving(seed, *, bar=0.06, looks=46, better=0.0):
    """Return the shares of items, all as good as the bar, whose interval is clear of it at some look."""
    rng = np.random.default_rng([seed, 9])
    views = 100 + 20 * np.arange(looks)  # a look at 100 views, and after each 20 more
    rate = bar * (1 + better)
    clicks = rng.binomial(100, rate, (2_000, 1)) + np.cumsum(
        np.append(np.zeros((2_000, 1), int), rng.binomial(20, rate, (2_000, looks - 1)), axis=1), axis=1
    )
    error = np.sqrt(bar * (1 - bar) / views)
    half = np.array([always_valid_interval(0.0, e, effect_scale=bar / 2)[1] for e in error])
    off = np.abs(clicks / views - bar)
    fixed = off > norm.isf(0.025) * error
    return {
        "at any look": fixed.any(axis=1).mean(),
        "at the last look": fixed[:, -1].mean(),
        "always valid": (off > half).any(axis=1).mean(),
    }


@claim(
    "Looked at every twenty views, more than a fifth of the items that are just as good as the bar leave wrongly.",
    leaving,
    holds=above(0.2),
    twin={"looks": 1},
    percent=True,
    unit="of the items",
)
def looking_sends_items_away(found):
    return found["at any look"]


@claim(
    "With intervals made for looking at any time, at most one in twenty does.",
    leaving,
    holds=below(0.05),
    twin={"better": 0.5},
    percent=True,
    unit="of the items",
)
def always_valid_keeps_them(found):
    return found["always valid"]
