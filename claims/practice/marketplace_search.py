"""Claims of docs/practice/marketplace-search.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, between, claim, experiment


@experiment(
    seeds=20,
    worlds={"default": {}, "40 of 41 shards": {"shards": 41, "wait": 40}, "two in a hundred stall": {"stall": 0.02}},
)
def shards(seed, *, stall=0.01, shards=40, wait=38, pause=80.0):
    """Return the p99 of searches that wait for some of the shards, over that of those that wait for all."""
    rng = np.random.default_rng([seed, 7])
    times = rng.lognormal(2.7, 0.3, (10_000, shards)) + pause * (rng.random((10_000, shards)) < stall)
    times.sort(axis=1)
    return float(np.quantile(times[:, wait - 1], 0.99) / np.quantile(times[:, -1], 0.99))


@claim(
    "Whether answering without the slowest one or two of 40 shards halves the p99 depends on how often shards stall.",
    shards,
    holds=below(0.5),
    twin={"stall": 0.005},
    says="varies",
    unit="of the p99 of waiting for all",
)
def going_on_without_the_last(found):
    return found


@experiment(seeds=20, worlds={"default": {}, "much is hidden": {"hidden": 1.5}, "things sell faster": {"base": -3.0}})
def leftovers(seed, *, hidden=1.0, base=-4.0, once=False, n=3_000, days=60):
    """Train the chance of a sale on rows of listings that leave when they sell; look at the last ten days."""
    rng = np.random.default_rng([seed, 8])
    x, quality, age = rng.normal(0, 1, n), rng.normal(0, hidden, n), np.zeros(n)
    name, listings, rows = np.arange(n), n, []
    for day in range(days):
        sold = rng.random(n) < 1 / (1 + np.exp(-base - x - quality))
        if day >= days // 3:
            rows.append(np.column_stack([np.full(n, day), name, x, np.log1p(age), sold]))
        gone = sold | (rng.random(n) < 0.01) | once  # sold, taken down
        x, quality = (np.where(gone, rng.normal(0, s, n), old) for s, old in ((1, x), (hidden, quality)))
        age = np.where(gone, 0, age + 1)
        name = np.where(gone, listings + np.arange(n), name)
        listings += n
    day, name, x, age, sold = np.concatenate(rows).T
    past, now = day < days - 10, day >= days - 10
    _, which, count = np.unique(name[past], return_inverse=True, return_counts=True)
    found = {}
    for model, X, weight in (
        ("rows alike", x[:, None], None),
        ("listings alike", x[:, None], 1 / count[which]),
        ("rows alike, with age", np.column_stack([x, age]), None),
    ):
        p = LogisticRegression(C=100).fit(X[past], sold[past], weight).predict_proba(X[now])[:, 1]
        found[f"{model}: predicted over sold"] = p.mean() / sold[now].mean()
        first = age[now] < np.log1p(3)
        found[f"{model}: on the first three looks"] = p[first].mean() / sold[now][first].mean()
    return found


@claim(
    "Weighing every listing alike makes the predicted chance of a sale more than twice too high.",
    leftovers,
    holds=above(2),
    twin={"once": True},
    unit="predicted over sold",
)
def listings_alike_is_too_high(found):
    return found["listings alike: predicted over sold"]


@claim(
    "A model that does not know how long a listing has been up predicts less than nine tenths of what new ones sell.",
    leftovers,
    holds=below(0.9),
    twin={"hidden": 0.0},
    unit="predicted over sold",
)
def without_age_new_ones_are_too_low(found):
    return found["rows alike: on the first three looks"]


@experiment(seeds=20, worlds={"default": {}, "fewer searches": {"searches": 3}, "people differ less": {"alike": 4.0}})
def same_rankers(seed, *, searches=12, alike=1.0, tests=100, searchers=1_000, few=False):
    """Return how often two equal arms differ at 5 %, if searches count as independent, and if searchers do."""
    rng = np.random.default_rng([seed, 9])
    shape = (tests, 2, 10 if few else searchers)
    rate = rng.beta(0.3 * alike, 0.7 * alike, shape)
    made = 1 + rng.poisson(searches - 1, shape)
    clicks = rng.binomial(made, rate)
    total, n = clicks.sum(axis=2), made.sum(axis=2)
    p = total / n
    error = np.sqrt((p * (1 - p) / n).sum(axis=1))
    # The delta method: what a searcher adds to the ratio of the totals.
    residual = (clicks - p[:, :, None] * made) / made.mean(axis=2, keepdims=True)
    by_person = np.sqrt((residual.var(axis=2) / shape[2]).sum(axis=1))
    gap = np.abs(p[:, 0] - p[:, 1])
    return {"searches": (gap > 1.96 * error).mean(), "searchers": (gap > 1.96 * by_person).mean()}


@claim(
    "If the searches of one person count as independent, equal rankers differ at 5 % in a tenth of the tests or more.",
    same_rankers,
    holds=above(0.1),
    twin={"alike": 10_000.0},
    percent=True,
    unit="of the tests",
)
def searches_are_not_independent(found):
    return found["searches"]


@claim(
    "With searchers as units, by the delta method, equal rankers differ at 5 % in about that share of the tests.",
    same_rankers,
    holds=between(0.03, 0.07),
    twin={"few": True},
    percent=True,
    unit="of the tests",
)
def searchers_as_units_are_right(found):
    return found["searchers"]


def sell(things, arms, seed, restock=0.0, picky=1.5, wrong=0.3):
    """Return what each arm buys a buyer, in markets with so many things.

    In each market buyers come in turn, each in an arm (a row of ``arms``, with a column a market), to the best of 20
    things that are left. ``wrong`` is the noise in what the new ranker makes of a thing; that of the old one is 1.5.
    """
    rng = np.random.default_rng([seed, 10])
    markets = arms.shape[1]
    quality, noise = rng.normal(0, 1, (2, markets, things))
    off = 1.5 * noise, wrong * noise  # what the old and the new ranker get wrong
    place, left = np.tile(np.arange(things), (markets, 1)), np.full(markets, things)
    every, bought = np.arange(markets), np.zeros(2)
    for arm in arms:
        at = (rng.random((markets, 20)) * left[:, None]).astype(int)
        seen = np.take_along_axis(place, at, axis=1)
        score = np.take_along_axis(quality, seen, axis=1)
        score = score + np.where(arm[:, None], *(np.take_along_axis(o, seen, axis=1) for o in off[::-1]))
        best = score.argmax(axis=1)
        thing, at = seen[every, best], at[every, best]
        sold = rng.random(markets) < 1 / (1 + np.exp(picky - quality[every, thing]))
        bought += np.bincount(arm[sold], minlength=2)
        new = rng.random(markets) < restock
        fresh = sold & new  # somebody offers another thing
        quality[every[fresh], thing[fresh]] = rng.normal(0, 1, fresh.sum())
        gone = sold & ~new & (left > 20)
        place[every[gone], at[gone]] = place[every[gone], left[gone] - 1]
        left[gone] -= 1
    return bought / np.maximum(np.bincount(arms.ravel(), minlength=2), 1)


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "a fourth of a thing a buyer": {"things": 0.25},
        "picky buyers": {"things": 0.25, "picky": 2.5},
        "each is replaced": {"restock": 1.0, "things": 0.25},
        "a ranker little better": {"wrong": 1.2},
    },
)
def stock(seed, *, things=0.5, picky=1.5, restock=0.0, wrong=0.3, elsewhere=0.0, buyers=200, markets=100):
    """Return the lift of a better ranker for all, and what three designs of a test see."""
    rng = np.random.default_rng([seed, 11])
    shape = (buyers, markets)
    region = rng.permutation(markets) % 2  # the arm of each market
    home = np.where(rng.random(shape) < elsewhere, rng.integers(0, markets, shape), np.arange(markets))

    def rates(arms):
        return sell(int(things * buyers), np.broadcast_to(arms, shape), seed, restock, picky, wrong)

    def lift(arms):
        old, new = rates(arms)
        return new / old - 1

    return {
        "launch": rates(np.ones(shape, dtype=int))[1] / rates(np.zeros(shape, dtype=int))[0] - 1,
        "buyers by lot": lift(rng.integers(0, 2, shape)),
        "weeks in turn": lift(np.arange(buyers)[:, None] // (buyers // 20) % 2),
        "regions by lot": lift(region[home]),
    }


@claim(
    "Where there are fewer things than buyers, a test by buyer shows more than one and a half times the lift of the "
    "launch.",
    stock,
    holds=above(0),
    twin={"things": 10.0},
    percent=True,
    unit="above one and a half times the launch",
)
def shared_stock_flatters(found):
    return found["buyers by lot"] - 1.5 * found["launch"]


@claim(
    "There, weeks in turn on one stock show more than one and a half times the lift of the launch, as well.",
    stock,
    holds=above(0),
    twin={"things": 10.0},
    percent=True,
    unit="above one and a half times the launch",
)
def weeks_share_the_stock(found):
    return found["weeks in turn"] - 1.5 * found["launch"]


@claim(
    "Regions between which nobody buys show the lift of the launch, to within five points.",
    stock,
    holds=between(-0.05, 0.05),
    twin={"elsewhere": 0.5},
    percent=True,
    unit="above the launch",
)
def regions_are_close(found):
    return found["regions by lot"] - found["launch"]


@claim(
    "Where three buyers in ten buy in another region, regions show ten points too much or more.",
    holds=above(0.1),
    twin={"elsewhere": 0.0},
    seeds=20,
    worlds={"default": {}, "a fourth of a thing a buyer": {"things": 0.25}},
    percent=True,
    unit="above the launch",
)
def borders_leak(seed, *, elsewhere=0.3, things=0.5):
    found = stock(seed, elsewhere=elsewhere, things=things)
    return found["regions by lot"] - found["launch"]
