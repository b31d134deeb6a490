"""Claims of docs/problem/proxies.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims.claim import above, below, claim, experiment
from snippets.problem.feed import simulate_feed
from snippets.problem.surrogate_index import proxy_correlation, surrogate_index
from snippets.problem.value_model import values_from_experiments

LYING, TRUE = "headlines lie", "headlines tell the truth"


@experiment(worlds={"default": {}, "shorter memory": {"memory": 0.5}, "weaker effect": {"effect": 0.5}})
def arms(seed, *, memory=0.8, effect=1.0, click=1):
    found = {}
    for i, (name, honesty) in enumerate([(LYING, -0.5), (TRUE, 0.5)]):
        for j, (arm, price) in enumerate([("at random", 0), ("by clicks", click)]):
            world = {"honesty": honesty, "memory": memory, "effect": effect}
            weeks = simulate_feed({"click": price}, 1_500, 10, 10 * seed + 2 * i + j, **world).groupby("week").sum()
            found[f"sessions at the end, {name}, {arm}"] = weeks["sessions"].iloc[-3:].mean() / 1_500
            for action in ("click", "hide"):
                rate = weeks[action] / weeks["impressions"]
                found[f"{action} rate in week 1, {name}, {arm}"] = rate.iloc[0]
                found[f"{action} rate at the end, {name}, {arm}"] = rate.iloc[-3:].mean()
    return found


def by_clicks(found, what):
    """Return what ranking by clicks does to a number."""
    return found[f"{what}, by clicks"] - found[f"{what}, at random"]


@claim(
    "Where headlines lie, ranking by clicks ends with fewer sessions than no ranking at all.",
    arms,
    holds=below(0),
    twin={"effect": 0},
    unit="sessions a week",
)
def lying_headlines_cost_sessions(found):
    return by_clicks(found, f"sessions at the end, {LYING}")


@claim(
    "Where headlines tell the truth, ranking by clicks ends with more sessions than no ranking.",
    arms,
    holds=above(0),
    twin={"effect": 0},
    unit="sessions a week",
)
def true_headlines_bring_sessions(found):
    return by_clicks(found, f"sessions at the end, {TRUE}")


@claim(
    "Where headlines lie, the click rate is still higher at the end than with no ranking.",
    arms,
    holds=above(0),
    twin={"click": 0},
    percent=True,
)
def click_rate_does_not_warn(found):
    return by_clicks(found, f"click rate at the end, {LYING}")


@experiment(worlds={"default": {}, "further apart": {"honesty": 0.8}})
def first_week(seed, *, honesty=0.5, click=1):
    found = {}
    for i, name in enumerate([LYING, TRUE]):
        for j, (arm, price) in enumerate([("at random", 0), ("by clicks", click)]):
            feed = simulate_feed({"click": price}, 4_000, 1, 10 * seed + 2 * i + j, honesty=honesty if i else -honesty)
            found[f"hides, {name}, {arm}"] = feed["hide"].sum() / feed["impressions"].sum()
    return found


@claim(
    "In week 1, ranking by clicks raises hides where headlines lie.",
    first_week,
    holds=above(0),
    twin={"click": 0},
    percent=True,
    unit="of impressions",
)
def hides_rise_in_week_1(found):
    return by_clicks(found, f"hides, {LYING}")


@claim(
    "In week 1, ranking by clicks lowers hides where headlines tell the truth.",
    first_week,
    holds=below(0),
    twin={"click": 0},
    percent=True,
    unit="of impressions",
)
def hides_fall_in_week_1(found):
    return by_clicks(found, f"hides, {TRUE}")


METRICS = ["click", "long_click", "hide"]
LISTED = [*METRICS, "sessions"]  # of the first two weeks
N_USERS, N_WEEKS, N_EXPERIMENTS = 1_200, 8, 24


def lived(values, seed, honesty):
    """Return for each user the metrics of two weeks, and the sessions a week at the end."""
    feed = simulate_feed(values, N_USERS, N_WEEKS, seed, honesty=honesty)
    early = feed[feed["week"] < 2].groupby("user")[LISTED].sum() / 2
    return early.assign(goal=feed[feed["week"] >= N_WEEKS - 3].groupby("user")["sessions"].sum() / 3)


@experiment(
    worlds={"default": {}, "unrelated headlines": {"honesty": 0.0}, "headlines that tell the truth": {"honesty": 0.5}}
)
def past_experiments(seed, *, honesty=-0.5, shuffled=False, same=False, unread=False, swapped=False):
    rng = np.random.default_rng([seed, 3])
    lifts, noise = [], []
    for i in range(N_EXPERIMENTS):
        values = {"click": 1, "long_click": rng.normal(), "hide": rng.normal(0, 10)}
        a = lived(values, 1_000 * seed + 2 * i, honesty)
        b = lived({"click": 1}, 1_000 * seed + 2 * i + 1, honesty)
        lifts.append(a.mean() - b.mean())
        noise.append((a.cov() + b.cov()) / N_USERS)
    lifts, noise = pd.DataFrame(lifts), np.array(noise)
    place = {name: i for i, name in enumerate(lifts)}
    if shuffled:
        b["goal"] = rng.permutation(b["goal"])
    for name in ["goal"] * shuffled + ["long_click"] * unread:  # it goes with nothing
        i, order = place[name], rng.permutation(N_EXPERIMENTS)
        variance = noise[order, i, i]
        lifts[name] = lifts[name].to_numpy()[order]
        noise[:, i] = noise[:, :, i] = 0
        noise[:, i, i] = variance
    if swapped:  # what is read and what is hidden change places
        place["hide"], place["long_click"] = place["long_click"], place["hide"]
        lifts = lifts.rename(columns={"hide": "long_click", "long_click": "hide"})

    def of(names):
        at = [place[name] for name in names]
        return noise[:, at][:, :, at]

    def prices(actions):
        return values_from_experiments(lifts[actions], lifts["goal"], of([*actions, "goal"]))[0]

    def of_users(actions):
        centred = b - b.mean()
        return np.linalg.lstsq(centred[actions], centred["goal"])[0]

    found = {"correlation over users, hide": b["hide"].corr(b["goal"])}
    for name in ("hide", "long_click"):
        over = proxy_correlation(lifts[name], lifts["goal"], of([name, "goal"])).correlation
        found[f"correlation over experiments, {name}"] = over
    actions = ["click", "hide"]
    priced = prices(METRICS)
    found["price of a hide, experiments"] = prices(actions)[1]
    found["price of a hide, experiments, reads listed"] = priced[2]
    found["price of a hide, users"] = of_users(actions)[1]
    found["price of a hide, users, visits listed"] = of_users([*actions, "sessions"])[1]
    new = lived({"click": 1} if same else {"long_click": 1}, 1_000 * seed + 100, honesty)
    control = lived({"click": 1}, 1_000 * seed + 101, honesty)
    found["effect, true"] = new["goal"].mean() - control["goal"].mean()
    for name, metrics in [("index from users", METRICS), ("index from users, visits in it", LISTED)]:
        found[f"effect, {name}"] = surrogate_index(b[metrics], b["goal"], new[metrics], control[metrics]).effect
    found["effect, prices from experiments"] = (new[METRICS].mean() - control[METRICS].mean()) @ priced
    return found


@claim(
    "Over users, who hides more comes more often.",
    past_experiments,
    holds=above(0),
    twin={"shuffled": True},
    unit="correlation",
)
def users_who_hide_come_more(found):
    return found["correlation over users, hide"]


@claim(
    "Over experiments, what raises hides lowers sessions.",
    past_experiments,
    holds=below(0),
    twin={"shuffled": True},
    unit="correlation",
)
def hides_point_down(found):
    return found["correlation over experiments, hide"]


@claim(
    "Over experiments, hides go more closely with sessions than clicks that are read do.",
    past_experiments,
    holds=above(0),
    twin={"swapped": True},
    says="varies",
    unit="more, without the sign",
)
def hides_follow_most_closely(found):
    hide, read = (found[f"correlation over experiments, {name}"] for name in ("hide", "long_click"))
    return abs(hide) - abs(read)


@claim(
    "The index from users, with visits in it or without, misses more than half a session a week that ranking by "
    "what is read brings.",
    past_experiments,
    holds=above(0.5),
    twin={"same": True},
    unit="sessions a week missed by the nearer of the two",
)
def index_from_users_misses(found):
    return missed(found)


@claim(
    "Prices from past experiments come closer to the effect than the index from users does, with visits in it or "
    "without.",
    past_experiments,
    holds=above(0),
    twin={"same": True},
    unit="sessions a week closer",
)
def experiments_come_closer(found):
    return missed(found) - abs(found["effect, prices from experiments"] - found["effect, true"])


def missed(found):
    """Return by how much the nearer of the two indexes from users misses the effect."""
    indexes = ("index from users", "index from users, visits in it")
    return min(abs(found[f"effect, {name}"] - found["effect, true"]) for name in indexes)


@claim(
    "Without visits in it, the index from users says that ranking by what is read loses sessions.",
    past_experiments,
    holds=below(0),
    twin={"honesty": -0.9},
    says="varies",
    unit="sessions a week",
)
def index_without_visits_is_negative(found):
    return found["effect, index from users"]
