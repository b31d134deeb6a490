"""Claims of docs/practice/feed-ranking.md."""

from __future__ import annotations

from claims.claim import above, below, claim, experiment
from snippets.evaluation.ab_test import cuped
from snippets.problem.feed import simulate_feed


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "honest headlines": {"honesty": 0.0},
        "a price of 10": {"price": 10.0},
        "weaker effect": {"effect": 0.5},
    },
)
def heads(seed, *, honesty=-0.5, price=20.0, effect=1.0, off=0.5):
    """Return sessions, clicks and hides of week 12, if the hide head is right and if it is off by a factor."""
    found = {}
    for name, factor in [("right", 1.0), ("off", off)]:
        values = {"click": 1, "hide": -price * factor}
        feed = simulate_feed(values, n_users=1_500, seed=seed, honesty=honesty, effect=effect)
        end = feed[feed["week"] == 11]
        found[f"{name}, sessions"] = end["sessions"].mean()
        found[f"{name}, clicks"] = end["click"].sum() / end["impressions"].sum()
        found[f"{name}, hides"] = end["hide"].sum() / end["impressions"].sum()
        found[f"{name}, clicks a user"] = end["click"].mean()
    return found


@claim(
    "Where the price of a hide is not too high already, a head that promises half of the hides costs sessions.",
    heads,
    holds=above(0),
    twin={"price": 200.0},
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
    "It raises the hides of an impression by a quarter or more, so a chart of hides shows it.",
    heads,
    holds=above(1.25),
    twin={"price": 200.0},
    unit="times the hides",
)
def half_the_hides_show_as_hides(found):
    return found["off, hides"] / found["right, hides"]


@claim(
    "Whether people click more in total, sessions counted in, depends on how visits react.",
    heads,
    holds=above(0),
    twin={"price": 80.0},
    says="varies",
    unit="clicks a user and week",
)
def clicks_of_a_user(found):
    return found["off, clicks a user"] - found["right, clicks a user"]


@claim(
    "Where the price of a hide is too low, a head that promises two times the hides adds sessions.",
    holds=above(0),
    twin={"price": 80.0},
    seeds=20,
    worlds={"default": {}, "honest headlines": {"honesty": 0.0}, "a price of 10": {"price": 10.0}},
    unit="sessions a week",
)
def twice_the_hides_add_sessions(seed, *, honesty=-0.5, price=20.0):
    found = heads(seed, honesty=honesty, price=price, off=2.0)
    return found["off, sessions"] - found["right, sessions"]


@claim(
    "Where people differ much in how often they come, taking off the sessions of the two weeks before leaves less than "
    "half of the users that a test on sessions needs.",
    holds=below(0.5),
    twin={"alike": True},
    seeds=20,
    worlds={"default": {}, "honest headlines": {"honesty": 0.0}, "weaker effect": {"effect": 0.5}},
    percent=True,
    unit="of the users",
)
def the_past_halves_the_test(seed, *, honesty=-0.5, effect=1.0, alike=False):
    feed = simulate_feed({"click": 1, "hide": -20}, 3_000, 6, seed, honesty=honesty, effect=effect)
    sessions = feed.pivot(index="user", columns="week", values="sessions").to_numpy()
    first = sessions[:, :2].sum(axis=1)
    if alike:  # only those who came about as often in the two weeks before these
        sessions = sessions[(first >= 5) & (first <= 8)]
    before, after = sessions[:, 2:4].sum(axis=1), sessions[:, 4:6].sum(axis=1)
    return cuped(after, before).variance_share
