"""Claims of docs/training-data/feedback-loops.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from claims.claim import above, below, between, claim, experiment
from snippets.training_data.feedback_loop import simulate_feedback_loop

ROUNDS = 60


def true_rates(seed, common, own, n_segments=20, n_items=300):
    """Return the click rate of each item in each segment: what all like about an item, and what this segment does."""
    rng = np.random.default_rng([seed, 1])
    return expit(-3.7 + rng.normal(0, common, n_items) + rng.normal(0, own, (n_segments, n_items)))


@experiment(
    worlds={
        "default": {},
        "fewer users": {"users": 40},
        "no common taste": {"common": 0.0, "own": 0.8},
        "ten kinds of users": {"kinds": 10},
        "timid prior": {"misses": 100},
        "a thousand items": {"items": 1_000},
    },
)
def loops(seed, *, users=200, common=0.5, own=0.6, kinds=20, items=300, misses=30, explored=1.0):
    rates, found = true_rates(seed, common, own, kinds, items), {}
    schedules = {f"{share:.0%}": [explored * share] * ROUNDS for share in (0, 0.05, 0.1, 0.2)}
    schedules |= {"launch": [1.0] + [0.0] * (ROUNDS - 1), "spread": [1 / ROUNDS] * ROUNDS}
    for i, (name, shares) in enumerate(schedules.items()):
        rng = np.random.default_rng([seed, 2, i])
        loop = simulate_feedback_loop(rates, shares, rng, users=users, prior=(1, misses))
        best = loop["best_rate"].iloc[0]
        found[f"{name}, all rounds"] = loop["click_rate"].mean() / best
        found[f"{name}, last 10"] = loop["click_rate"].iloc[-10:].mean() / best
        found[f"{name}, items"] = loop["effective_items"].iloc[-10:].mean()
        found[f"{name}, never shown"] = loop["never_shown"].iloc[-1]
    return found


@claim(
    "Where a page holds few of hundreds of items, and a new item is believed to be average or worse, a loop without "
    "exploration earns less than six tenths of what is possible, still in its last rounds.",
    loops,
    holds=below(0.6),
    twin={"items": 30},
    percent=True,
    unit="of the best possible click rate",
)
def closed_loop_stays_low(found):
    return found["0%, last 10"]


@claim(
    "From a cold start, a tenth of random impressions pays for itself: over sixty rounds, what they cost included, the "
    "loop earns more.",
    loops,
    holds=above(0),
    twin={"explored": 0.0},
    percent=True,
    unit="of the best possible click rate",
)
def exploring_pays(found):
    return found["10%, all rounds"] - found["0%, all rounds"]


@claim(
    "Between 5 and 20 percent the curve is flat: both earn over all rounds what 10 percent earns, within a tenth.",
    loops,
    holds=below(0.1),
    says="varies",
    twin={"users": 100_000},
    percent=True,
    unit="of what a tenth earns, the farther of the two",
)
def the_top_is_flat(found):
    return max(abs(found[f"{share}, all rounds"] / found["10%, all rounds"] - 1) for share in ("5%", "20%"))


@claim(
    "A loop that explores 5 percent ends with fewer items in effect than one that explores nothing.",
    loops,
    holds=below(0),
    says="varies",
    twin={"kinds": 5},
    unit="items in effect",
)
def knowledge_shows_fewer_items(found):
    return found["5%, items"] - found["0%, items"]


@claim(
    "A loop that explores 20 percent ends with more items in effect than one that explores nothing.",
    loops,
    holds=above(0),
    twin={"explored": 0.0},
    unit="items in effect",
)
def exploring_much_shows_more_items(found):
    return found["20%, items"] - found["0%, items"]


@claim(
    "The same number of random impressions earns more as one round at the start than spread over all rounds.",
    loops,
    holds=above(0),
    says="varies",
    twin={"common": 0.0, "own": 0.0},
    percent=True,
    unit="of the best possible click rate, over all rounds",
)
def knowledge_is_worth_more_early(found):
    return found["launch, all rounds"] - found["spread, all rounds"]


@experiment(
    seeds=20,
    worlds={"default": {}, "no common taste": {"common": 0.0, "own": 0.8}, "ten kinds of users": {"kinds": 10}},
)
def opened(seed, *, common=0.5, own=0.6, kinds=20, rounds=30, costs=1.0):
    """Return what a loop gains that is opened after thirty rounds, against one that stays closed."""
    rates, found = true_rates(seed, common, own, kinds), {}
    for i, share in enumerate((0.0, 0.1, 0.3)):
        shares = [1.0] + [0.0] * 30 + [costs * share] * rounds
        loop = simulate_feedback_loop(rates, shares, np.random.default_rng([seed, 4, i]))
        found[f"{share:.0%}"] = loop["click_rate"].iloc[31:].mean() / loop["best_rate"].iloc[0]
    return {share: found[share] - found["0%"] for share in ("10%", "30%")}


@claim(
    "Opened after thirty rounds, a loop that knows something already gains by a tenth of random impressions within "
    "thirty more.",
    opened,
    holds=above(0),
    says="varies",
    twin={"rounds": 5},
    percent=True,
    unit="of the best possible click rate",
)
def opening_late_pays_a_little(found):
    return found["10%"]


@claim(
    "Opened with three tenths of random impressions, it loses in that time.",
    opened,
    holds=below(0),
    twin={"costs": 1 / 3},
    percent=True,
    unit="of the best possible click rate",
)
def opening_wide_loses(found):
    return found["30%"]


@experiment(
    seeds=20, worlds={"default": {}, "fewer users": {"users": 100}, "no common taste": {"common": 0.0, "own": 0.8}}
)
def blind(seed, *, users=200, common=0.5, own=0.6, rounds=30, share=0.0):
    rates, rng = true_rates(seed, common, own), np.random.default_rng([seed, 3])
    seen, clicks = np.zeros(rates.shape), np.zeros(rates.shape)
    for _ in range(rounds):
        estimate = (clicks + 1) / (seen + 31)  # what it promises before it shows
        order = np.lexsort((rng.random(rates.shape), -estimate), axis=1)[:, :5]
        shown = rng.multinomial(5 * rng.binomial(users, share, len(rates)), np.full(rates.shape[1], 1 / rates.shape[1]))
        np.put_along_axis(shown, order, np.take_along_axis(shown, order, axis=1) + round(users * (1 - share)), axis=1)
        seen += shown
        clicks += rng.binomial(shown, rates)
    best = np.argsort(-rates, axis=1)[:, :5]
    pairs = [np.take_along_axis(values, best, axis=1).mean() for values in (estimate, rates)]
    return {
        "on what it shows": (shown * estimate).sum() / (shown * rates).sum(),
        "on the best five": pairs[0] / pairs[1],
    }


@claim(
    "After thirty rounds, a closed loop is calibrated on what it shows next, within a twentieth.",
    blind,
    holds=between(0.95, 1.05),
    twin={"rounds": 4, "users": 20},
    unit="promised for each true click",
)
def calibrated_on_what_it_shows(found):
    return found["on what it shows"]


@claim(
    "On the five items that each kind of user would like best it promises less than half.",
    blind,
    holds=below(0.5),
    twin={"share": 1.0},
    unit="promised for each true click",
)
def blind_to_the_best(found):
    return found["on the best five"]
