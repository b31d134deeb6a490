"""Claims of docs/practice/feed-ranking.md."""

from __future__ import annotations

from claims.claim import above, below, claim, experiment
from snippets.evaluation.ab_test import cuped
from snippets.problem.feed import simulate_feed


@experiment(
    worlds={
        "default": {},
        "honest headlines": {"honesty": 0.0},
        "a price of 10": {"price": 10.0},
        "weaker effect": {"effect": 0.5},
    }
)
def heads(seed, *, honesty=-0.5, price=20.0, effect=1.0, off=0.5):
    """Return sessions a week and click rate in week 12, with a right hide head and with one that is off by a factor."""
    found = {}
    for name, factor in [("right", 1.0), ("off", off)]:
        values = {"click": 1, "hide": -price * factor}
        feed = simulate_feed(values, n_users=1_500, seed=seed, honesty=honesty, effect=effect)
        end = feed[feed["week"] == 11]
        found[f"{name}, sessions"] = end["sessions"].mean()
        found[f"{name}, clicks"] = end["click"].sum() / end["impressions"].sum()
    return found


@claim(
    "A hide head that promises half of the hides costs sessions.",
    heads,
    holds=above(0),
    twin={"effect": 0.0},
    unit="sessions a week",
)
def half_the_hides_cost_sessions(found):
    return found["right, sessions"] - found["off, sessions"]


@claim(
    "It raises the click rate meanwhile.",
    heads,
    holds=above(0),
    twin={"off": 2.0},
    percent=True,
    unit="of the impressions",
)
def half_the_hides_raise_clicks(found):
    return found["off, clicks"] - found["right, clicks"]


@claim(
    "Taking off the sessions of the two weeks before leaves less than half of the users that a test on sessions needs.",
    holds=below(0.5),
    twin={"shuffled": True},
    worlds={"default": {}, "honest headlines": {"honesty": 0.0}, "weaker effect": {"effect": 0.5}},
    percent=True,
    unit="of the users",
)
def the_past_halves_the_test(seed, *, honesty=-0.5, effect=1.0, shuffled=False):
    feed = simulate_feed({"click": 1, "hide": -20}, 3_000, 6, seed, honesty=honesty, effect=effect)
    sessions = feed.pivot(index="user", columns="week", values="sessions").to_numpy()
    before, after = sessions[:, 2:4].sum(axis=1), sessions[:, 4:6].sum(axis=1)
    return cuped(after, before[::-1] if shuffled else before).variance_share
