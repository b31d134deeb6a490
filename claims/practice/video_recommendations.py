"""Claims of docs/practice/video-recommendations.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, between, claim, experiment


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "length costs nothing": {"by_minutes": 0.0},
        "length costs twice as much": {"by_minutes": 0.8},
        "bait is forgiven": {"regret": 0.2},
        "lengths differ less": {"unlike": 0.6},
        "short ones are clicked": {"shy": 0.3},
        "long ones are clicked": {"shy": -0.3},
    },
)
def objectives(seed, *, by_minutes=0.4, regret=0.7, lure=1.0, unlike=1.2, shy=0.0, same_time=False, by_length=True):
    """Return what the first five of 200 videos are like, by what they are ranked by."""
    rng = np.random.default_rng([seed, 3])
    seconds = rng.lognormal(4.5, unlike, (1_000, 200)).clip(5, 3_600)
    fit, bait = rng.normal(0, 1, (2, 1_000, 200))
    click = 1 / (1 + np.exp(2.5 - fit - lure * bait + shy * np.log(seconds / 90)))
    share = 1 / (1 + np.exp(0.5 - fit + regret * bait + by_minutes * np.log(seconds / 90)))
    if same_time:  # a visitor has so much time, whatever the video
        share = np.minimum(1, 20 * np.exp(0.5 * fit - 0.5 * regret * bait) / seconds)
    half, watch = click * (share > 0.5), click * share * seconds
    length = np.searchsorted([10, 20, 40, 80, 160, 320, 640, 1_280] if by_length else [], seconds)
    clicked = np.bincount(length.ravel(), click.ravel())
    usual = np.bincount(length.ravel(), watch.ravel()) / np.where(clicked > 0, clicked, 1)
    scores = {
        "clicks": click,
        "seconds": watch,
        "share": click * share,
        "usual": click * (share * seconds > usual[length]),
    }
    found = {}
    for name, score in scores.items():
        top = np.argsort(-score, axis=1, kind="stable")[:, :5]
        found[f"{name}: length over that of all"] = np.median(np.take_along_axis(seconds, top, 1)) / np.median(seconds)
        found[f"{name}: watched more than half"] = np.take_along_axis(half, top, 1).mean()
        found[f"{name}: bait"] = np.take_along_axis(bait, top, 1).mean()
    return found


@claim(
    "Ranked by expected seconds, the median video is more than one and a half times as long as the candidates'.",
    objectives,
    holds=above(1.5),
    twin={"same_time": True},
    unit="times as long",
)
def seconds_bring_length(found):
    return found["seconds: length over that of all"]


@claim(
    "Ranked by clicks, five places in a hundred fewer, or more, end in a video watched beyond half than ranked by the "
    "share watched.",
    objectives,
    holds=below(-0.05),
    twin={"lure": 0.0},
    percent=True,
    unit="of the places",
)
def clicks_bring_bait(found):
    return found["clicks: watched more than half"] - found["share: watched more than half"]


@claim(
    "Ranked by seconds against the usual for a length, the median video is as long as if ranked by clicks, within "
    "a quarter.",
    objectives,
    holds=between(4 / 5, 5 / 4),
    twin={"by_length": False},
    unit="times as long",
)
def usual_keeps_the_lengths(found):
    return found["usual: length over that of all"] / found["clicks: length over that of all"]


@experiment(
    seeds=20,
    worlds={"default": {}, "length costs twice as much": {"by_minutes": 0.8}, "bait is forgiven": {"regret": 0.2}},
)
def shares(seed, *, by_minutes=0.4, regret=0.7):
    """Return how long a video is that is ranked by the share watched, over the length of all."""
    return objectives(seed, by_minutes=by_minutes, regret=regret)["share: length over that of all"]


@claim(
    "Where less of a long video is watched, ranking by the share watched brings shorter ones.",
    shares,
    holds=below(0.9),
    twin={"by_minutes": 0.0},
    unit="times as long",
)
def shares_bring_clips(found):
    return found


@experiment(seeds=20, worlds={"default": {}, "one in two is watched": {"base": 0.0}})
def odds(seed, *, base=-1.5, zeros=1.0, n=20_000):
    """Return how far the odds of weighted logistic regressions are from the expected seconds, on average."""
    rng = np.random.default_rng([seed, 4])
    x = rng.normal(0, 1, n)
    click = rng.random(n) < 1 / (1 + np.exp(-base - x))
    expected = 60 * np.exp(0.3 * x) / (1 + np.exp(-base - x))
    seconds = np.where(click, 60 * np.exp(0.3 * x) * rng.exponential(1, n), 0)
    X = np.column_stack([x, x**2])

    def fit(rows, y, weight):
        p = LogisticRegression(C=100, max_iter=500).fit(rows, y, weight).predict_proba(X)[:, 1]
        return (p / (1 - p)).mean() / expected.mean() - 1

    rows = np.r_[X, X[click]]
    label = np.r_[click, np.zeros(click.sum())]
    weight = np.r_[np.where(click, seconds, 1), np.full(click.sum(), zeros)]
    return {"as published": fit(X, click, np.where(click, seconds, 1)), "a zero for each": fit(rows, label, weight)}


@claim(
    "Where one impression in five or more is clicked, the odds of a model with clicks weighted by seconds are more "
    "than a quarter above the expected seconds.",
    odds,
    holds=above(0.25),
    twin={"base": -4.0},
    percent=True,
    unit="too high",
)
def odds_are_too_high(found):
    return found["as published"]


@claim(
    "With a second row for each click, as a negative of weight 1, they are right to within a twentieth.",
    odds,
    holds=between(-0.05, 0.05),
    twin={"zeros": 0.0},
    percent=True,
    unit="too high",
)
def a_zero_for_each_mends_it(found):
    return found["a zero for each"]
