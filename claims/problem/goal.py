"""Claims of docs/problem/goal.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, claim, experiment
from snippets.problem.feed import simulate_feed

METRICS = {"weeks with a visit": "active", "sessions": "sessions", "clicks": "click", "hides": "hide"}


@experiment(worlds={"default": {}, "hides cost nothing": {"price": 0}, "honest headlines": {"honesty": 0.5}})
def sizes(seed, *, price=20, honesty=0.0, sated=False, common=False, mixed=False):
    """Return the users that each metric needs, up to a factor that all have in common: (spread / mean) squared."""
    feed = simulate_feed({"click": 1, "hide": -price}, 3_000, 4, seed, honesty=honesty)
    feed["active"] = (feed["sessions"] > 0).astype(int)
    rng = np.random.default_rng([seed, 9])
    if sated:  # who comes more often clicks no more often in a week
        feed["click"] = rng.binomial(feed["click"], 1 / feed["sessions"].clip(lower=1))
    if common:  # the button is pressed as often as items are clicked
        feed["hide"] += feed["click"]
    if mixed:  # each week is that of somebody else
        feed["user"] = feed.groupby("week")["user"].transform(rng.permutation)
    found = {}
    for name, column in METRICS.items():
        for weeks in (1, 4):
            user = feed[feed["week"] < weeks].groupby("user")[column].sum()
            found[f"{name}, weeks: {weeks}"] = (user.std() / user.mean()) ** 2
    return found


@claim(
    "Where frequent visitors click as often a visit as others do, clicks need more users than sessions.",
    sizes,
    holds=above(1),
    twin={"sated": True},
    unit="times as many users",
)
def clicks_need_more_users(found):
    return found["clicks, weeks: 4"] / found["sessions, weeks: 4"]


@claim(
    "Where hides are rare, they need more than three times as many users in a week as sessions do.",
    sizes,
    holds=above(3),
    twin={"common": True},
    unit="times as many users",
)
def hides_need_most_users(found):
    return found["hides, weeks: 1"] / found["sessions, weeks: 1"]


@claim(
    "Four weeks in place of one save less than half of the users where the metric is sessions.",
    sizes,
    holds=above(0.5),
    twin={"mixed": True},
    unit="of the users of one week",
)
def more_weeks_save_little(found):
    return found["sessions, weeks: 4"] / found["sessions, weeks: 1"]
