"""Claims of docs/practice/harmful-posts.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, claim, experiment

WORLDS = {
    "default": {},
    "a weaker score": {"shift": 2.0},
    "more harm": {"rate": 0.01},
    "equal views": {"more": 1.0},
    "views less skewed": {"spread": 1.25},
}


@experiment(seeds=20, worlds=WORLDS)
def plans(seed, *, rate=0.001, shift=3.0, more=2.0, spread=1.5, new=0.0):
    """Return the standard error of prevalence by views from 5,000 labels, as a share of it, and the harm they hold.

    The score knows the chance of harm, save for a share of ``new`` harm that it takes for harmless. Harmful posts have
    ``more`` views than others; the logarithm of views has a standard deviation of ``spread``.
    """
    rng = np.random.default_rng([seed, 5])
    n, labels = 500_000, 5_000
    harmful = rng.random(n) < rate
    score = rng.normal(0, 1, n) + shift * (harmful & (rng.random(n) >= new))
    p = 1 / (1 + np.exp(shift**2 / 2 - shift * score) * (1 - rate) / rate)
    views = rng.lognormal(3, spread, n) * np.where(harmful, more, 1)
    part = harmful * views / views.sum()
    found = {}
    weights = {"posts": np.ones(n), "views": views, "root": views * p**0.5, "score": views * p}
    shares = {name: weight / weight.sum() for name, weight in weights.items()}
    shares["half by views"] = (shares["views"] + shares["root"]) / 2
    for name, share in shares.items():
        variance = (part[harmful] ** 2 / share[harmful]).sum() - part.sum() ** 2  # of one label, exact for these posts
        found[f"{name}, error"] = (variance / labels) ** 0.5 / part.sum()
        found[f"{name}, harmful labels"] = labels * share[harmful].sum()
    return found


@claim(
    "Where few posts get most views, 5,000 labels drawn by views measure prevalence with less than half the error of "
    "posts drawn at random.",
    plans,
    holds=below(0.5),
    twin={"spread": 0.5, "more": 1.0},
    unit="of the error of posts drawn at random",
)
def views_beat_posts(found):
    return found["views, error"] / found["posts, error"]


@claim(
    "Drawn by views times the root of a score that tells harm well, they measure it with less than three quarters of "
    "the error of views.",
    plans,
    holds=below(0.75),
    twin={"shift": 1.0},
    unit="of the error of drawing by views",
)
def root_beats_views(found):
    return found["root, error"] / found["views, error"]


@claim(
    "Drawn by views times such a score, they measure it with a quarter more error than by its root, or worse.",
    plans,
    holds=above(1.25),
    twin={"shift": 1.0},
    unit="times the error of the root",
)
def score_measures_worse(found):
    return found["score, error"] / found["root, error"]


@claim(
    "Drawn by views times such a score, they hold twice as much harm as by its root, or more.",
    plans,
    holds=above(2),
    twin={"shift": 1.0},
    unit="times the harmful labels of the root",
)
def score_finds_more_harm(found):
    return found["score, harmful labels"] / found["root, harmful labels"]


@claim(
    "Whether drawing by views times the score measures worse than by views alone depends on posts and base rate.",
    plans,
    holds=above(1),
    twin={"rate": 0.05},
    says="varies",
    unit="times the error of drawing by views",
)
def score_against_views(found):
    return found["score, error"] / found["views, error"]


NEW = {"default": {}, "equal views": {"more": 1.0}, "more harm": {"rate": 0.01}}


@claim(
    "Where the score takes three tenths of the harm for harmless, drawing by its root measures worse than by views.",
    holds=above(1),
    twin={"new": 0.0},
    seeds=20,
    worlds=NEW,
    unit="times the error of drawing by views",
)
def new_harm_spoils_the_root(seed, *, new=0.3, more=2.0, rate=0.001):
    found = plans(seed, new=new, more=more, rate=rate)
    return found["root, error"] / found["views, error"]


@claim(
    "Half of the labels by views and half by the root measure with less than nine tenths of the error of views, with "
    "or without such harm.",
    holds=below(0.9),
    twin={"new": 1.0},
    seeds=20,
    worlds={"none is new": {"new": 0.0}, "a tenth": {"new": 0.1}, "three tenths": {}},
    unit="times the error of drawing by views",
)
def half_by_views_is_safe(seed, *, new=0.3):
    found = plans(seed, new=new)
    return found["half by views, error"] / found["views, error"]
