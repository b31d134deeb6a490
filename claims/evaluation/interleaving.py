"""Claims of docs/evaluation/interleaving.md."""

from __future__ import annotations

import numpy as np
from scipy import stats

from claims.claim import above, claim
from snippets.datasets.ad_log import EXAMINATION
from snippets.evaluation.ab_test import sample_size_per_arm
from snippets.evaluation.interleaving import interleaving_test, team_draft


def times_fewer(rng, spread, mean, noise, lost):
    """Return how many times the users of interleaving an A/B test on users with a click needs."""
    n = 40_000
    appeal = rng.normal(mean, 1, (n, 20)) + rng.normal(0, spread, (n, 1))
    a, b = (np.argsort(-(appeal + rng.normal(0, s, appeal.shape)), axis=1)[:, :5] for s in (1.0, noise))

    def clicks_on(items):
        return rng.random(items.shape) < EXAMINATION / (1 + np.exp(-np.take_along_axis(appeal, items, axis=1)))

    rate_a, rate_b = (clicks_on(ranking).any(axis=1).mean() for ranking in (a, b))
    users_ab = 2 * sample_size_per_arm(rate_a, rate_b / rate_a - 1)
    shown = team_draft(a, b, 5, seed=int(rng.integers(2**31)))
    team = np.where(rng.random(shown.team.shape) < lost, rng.integers(0, 2, shown.team.shape), shown.team)
    result = interleaving_test(clicks_on(shown.items), team)
    decided = result.wins_a + result.wins_b
    win = result.wins_b / decided
    z = stats.norm.ppf([0.975, 0.8]) * [0.5, np.sqrt(win * (1 - win))]
    return users_ab / ((z.sum() / (win - 0.5)) ** 2 * n / decided)


@claim(
    "Interleaving needs less than half the users of an A/B test on users with a click.",
    holds=above(2),
    twin={"lost": 0.7},
    worlds={
        "default": {},
        "users all alike": {"spread": 0.0},
        "more clicks": {"mean": -2.0},
        "rarer clicks": {"mean": -5.0},
    },
    unit="times fewer users",
)
def fewer_users(seed, *, spread=1.0, mean=-3.5, noise=0.4, lost=0.0):
    return times_fewer(np.random.default_rng([seed, 1]), spread, mean, noise, lost)


@claim(
    "Where users differ a lot in how readily they click, interleaving saves more users than where all are alike and as "
    "many of them click.",
    holds=above(0),
    twin={"spread": 0.0, "mean": -3.3},
    worlds={"default": {}, "more clicks": {"mean": -1.9, "alike": -2.1}, "rarer clicks": {"mean": -5.9, "alike": -4.6}},
    unit="times fewer users",
)
def saves_more_where_users_differ(seed, *, spread=2.0, mean=-3.9, alike=-3.3):
    one, two = (np.random.default_rng([seed, i]) for i in (1, 2))
    return times_fewer(one, spread, mean, 0.4, 0.0) - times_fewer(two, 0.0, alike, 0.4, 0.0)


@claim(
    "Where one ranker always picks first, it is preferred to an equal one.",
    holds=above(0.05),
    twin={"length": 4, "all_seen": True},
    seeds=20,
    worlds={"default": {}, "four places": {"length": 4}, "rarer clicks": {"rate": 0.02}},
    percent=True,
    unit="of the preferences, above one half",
)
def first_pick_wins(seed, *, length=5, rate=0.1, all_seen=False):
    rng = np.random.default_rng([seed, 3])
    look = np.ones(length) if all_seen else EXAMINATION[:length]
    clicks = rng.random((20_000, length)) < rate * look
    result = interleaving_test(clicks, np.tile(np.arange(length) % 2, (len(clicks), 1)))
    return result.wins_a / (result.wins_a + result.wins_b) - 0.5


@claim(
    "Where users tire of more of the same, interleaving can prefer the ranker that loses the A/B test.",
    holds=above(0),
    twin={"fade": 1.0},
    seeds=20,
    worlds={"default": {}, "users tire sooner": {"fade": 0.5}, "rarer clicks": {"appeal": -4.0}},
    percent=True,
    unit="the smaller of the two leads",
)
def variety_is_not_seen(seed, *, fade=0.6, appeal=-3.0, better=0.4):
    rng = np.random.default_rng([seed, 4])
    n = 30_000
    alike, varied = np.tile(np.arange(5), (n, 1)), np.tile(np.arange(5, 10), (n, 1))  # items 0 to 4 are of one kind

    def clicks_on(items):
        same = items < 5
        earlier = np.cumsum(same, axis=1) - same
        chance = 1 / (1 + np.exp(-(appeal + better * same))) * fade ** np.where(same, earlier, 0)
        return rng.random(items.shape) < EXAMINATION * chance

    rate_a, rate_b = (clicks_on(items).any(axis=1).mean() for items in (varied, alike))
    shown = team_draft(varied, alike, 5, seed=seed)
    result = interleaving_test(clicks_on(shown.items), shown.team)
    return min(rate_a / rate_b - 1, result.wins_b / (result.wins_a + result.wins_b) - 0.5)
