"""Claims of docs/practice/push-notifications.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, between, claim, experiment


def _policies(seed, moved, n, size=1.0):
    """Return the visits that a thousand pushes add, if a fifth of the users gets one by each of several scores."""
    rng = np.random.default_rng([seed, 1])
    habit, taste, push = rng.beta(1.2, 2.5, n), rng.normal(0, 1, n), rng.random(n) < 0.5
    likes = 1 / (1 + np.exp(-taste))
    gain = (
        size
        * {
            "undecided": 0.15 * (1 - habit) / (1 + np.exp(-taste + 2 * np.abs(habit - 0.4))),
            "alike": 0.15 * (1 - habit) * likes,
            "keen": 0.3 * (1 - habit) * habit * likes,
            "as they open": np.minimum(0.15 * habit * likes, 1 - habit),
        }[moved]
    )
    chance = rng.random(n)
    usual = chance < habit
    added = push & ~usual & (chance < habit + gain)
    opened = added | (push & usual & (rng.random(n) < 0.5 * likes))
    X = np.column_stack([habit, habit**2, taste, taste**2, habit * taste])
    past, now = np.arange(n) < n // 2, np.arange(n) >= n // 2

    def fit(rows, y):
        return LogisticRegression(max_iter=500).fit(X[rows], y[rows]).predict_proba(X[now])[:, 1]

    came = fit(past & push, usual | added)
    scores = {
        "P(open)": fit(past & push, opened),
        "P(visit if sent)": came,
        "uplift": came - fit(past & ~push, usual | added),
        "chance": rng.random(now.sum()),
        "the truth": gain[now],
    }
    top = {name: np.argsort(-score, kind="stable")[: len(score) // 5] for name, score in scores.items()}
    return {name: 1_000 * gain[now][rows].mean() for name, rows in top.items()}


@experiment(worlds={"default": {}, "habit plays no part": {"moved": "alike"}, "a fourth of the rows": {"n": 10_000}})
def policies(seed, *, moved="undecided", n=40_000):
    """Push moves most those who come now and then, or those whom the message fits."""
    return _policies(seed, moved, n)


@claim(
    "Where a push moves those without a habit, pushes sent by uplift add more visits than as many sent to those most "
    "likely to open.",
    policies,
    holds=above(0),
    twin={"moved": "as they open"},
    unit="visits a thousand pushes",
)
def uplift_adds_more(found):
    return found["uplift"] - found["P(open)"]


@claim(
    "There, sending to those most likely to visit adds fewer visits than a lottery.",
    policies,
    holds=below(0),
    twin={"moved": "keen"},
    unit="visits a thousand pushes",
)
def likely_visitors_come_anyway(found):
    return found["P(visit if sent)"] - found["chance"]


@claim(
    "Where a push moves those who come often, sending to those most likely to open adds at least half as much again "
    "as a lottery.",
    holds=above(0.5),
    twin={"moved": "undecided"},
    worlds={"default": {}, "as they open": {"moved": "as they open"}},
    percent=True,
    unit="more than a lottery",
)
def opens_find_the_keen(seed, *, moved="keen", n=40_000):
    found = _policies(seed, moved, n)
    return found["P(open)"] / found["chance"] - 1


@claim(
    "Where a push adds a tenth as much, uplift learned from twenty or fifty thousand users finds less than half of "
    "what can be gained over a lottery.",
    holds=below(0.5),
    twin={"size": 1.0},
    seeds=40,
    worlds={"default": {}, "habit plays no part": {"moved": "alike"}, "fifty thousand users": {"n": 100_000}},
    percent=True,
    unit="of what can be gained",
)
def small_uplift_is_not_found(seed, *, moved="undecided", size=0.1, n=40_000):
    found = _policies(seed, moved, n, size)
    return (found["uplift"] - found["chance"]) / (found["the truth"] - found["chance"])


@experiment(
    worlds={"default": {}, "patient users": {"annoyed": -7.0}, "impatient users": {"annoyed": -5.5}},
)
def half_a_year(seed, *, annoyed=-6.2, unlike=0.8, keen_are_patient=False, n=20_000, weeks=26):
    """Return the visits of half a year that pushes add, by how many are sent a week."""
    rng = np.random.default_rng([seed, 2])
    fit = rng.beta(2, 6, n)
    each = rng.normal(0, 1, n)
    if keen_are_patient:
        each = -3 * (fit - fit.mean()) / fit.std()
    last = np.exp(annoyed + unlike * each).clip(0, 1)

    def visits(k):
        alive = (1 - last) ** (k * np.arange(weeks)[:, None])
        return (alive * fit * (1 - 0.7**k) / 0.3).sum(axis=0)

    by_fit = np.ceil(14 * fit / fit.max()).clip(1, 7)
    low = int(by_fit.mean())
    as_many = low + (rng.random(n) < by_fit.mean() - low)
    plans = {"seven": 7, "fourteen": 14, "by fit": by_fit, "as many for all": as_many}
    same = np.array([visits(k)[:2_000] for k in range(1, 25)])
    each_best = same.max(axis=0).mean() / same.mean(axis=1).max() - 1
    return {name: visits(k).mean() for name, k in plans.items()} | {"the best number for each": each_best}


@claim(
    "Where a push is the last one for one user in a thousand, or more, fourteen pushes a week bring fewer visits over "
    "half a year than seven.",
    half_a_year,
    holds=below(0),
    twin={"annoyed": -8.0},
    percent=True,
    unit="of the visits of seven a week",
)
def more_is_less_in_half_a_year(found):
    return found["fourteen"] / found["seven"] - 1


@claim(
    "More pushes for those who like them bring within a twentieth of what as many bring that are spread evenly.",
    half_a_year,
    holds=between(-0.05, 0.05),
    twin={"keen_are_patient": True},
    percent=True,
    unit="of the visits",
)
def by_fit_brings_little(found):
    return found["by fit"] / found["as many for all"] - 1


@claim(
    "Who knows each user's best number of pushes gains less than a twentieth over the best number that is the same "
    "for all.",
    half_a_year,
    holds=below(0.05),
    twin={"unlike": 3.0},
    percent=True,
    unit="of the visits",
)
def best_for_each_brings_little(found):
    return found["the best number for each"]


@claim(
    "Where fifty pushes about double the chance that the next is the last, turn-offs and visits of four weeks, "
    "multiplied out, promise a twentieth more of half a year than seven pushes a week bring, or more.",
    holds=above(0.05),
    twin={"wear": 0.0},
    seeds=20,
    worlds={"default": {}, "it wears out less": {"wear": 0.015}, "impatient users": {"annoyed": -5.5}},
    percent=True,
    unit="of the visits that come",
)
def four_weeks_miss_what_wears_out(seed, *, wear=0.02, annoyed=-6.2, n=50_000, weeks=26, seen=4):
    rng = np.random.default_rng([seed, 3])
    fit, last = rng.beta(2, 6, n), np.exp(annoyed + 0.8 * rng.normal(0, 1, n)).clip(0, 1)

    def live(plan):  # expected, given the plan: who can be reached, who turns pushes off, visits
        alive, sent, rows = np.ones(n), np.zeros(n), []
        for k in plan:
            stay = (1 - (last * (1 + wear * sent)).clip(0, 1)) ** k
            rows.append((alive, alive * (1 - stay), alive * fit * (1 - 0.7**k) / 0.3))
            alive, sent = alive * stay, sent + k
        return np.array(rows).transpose(1, 0, 2)

    coin = rng.choice([1, 3, 7, 14], (seen, n))
    alive, off, visits = live(coin)
    rate, agree = off.sum() / (alive * coin).sum(), coin == 7
    promised = visits[agree].sum() / alive[agree].sum() * ((1 - rate) ** (7 * np.arange(weeks))).sum()
    return promised / live(np.full((weeks, n), 7))[2].sum(axis=0).mean() - 1
