"""Claims of docs/practice/harmful-posts.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, claim, experiment

WORLDS = {"default": {}, "a weaker score": {"shift": 2.0}, "more harm": {"rate": 0.01}, "equal views": {"more": 1.0}}


@experiment(seeds=20, worlds=WORLDS)
def plans(seed, *, rate=0.001, shift=3.0, more=2.0):
    """Return the standard error of prevalence by views from 5,000 labels, as a share of it, and the harm they hold.

    The score knows the chance of harm. Harmful posts have ``more`` views than others.
    """
    rng = np.random.default_rng([seed, 5])
    n, labels = 500_000, 5_000
    harmful = rng.random(n) < rate
    score = rng.normal(0, 1, n) + shift * harmful
    p = 1 / (1 + np.exp(shift**2 / 2 - shift * score) * (1 - rate) / rate)
    views = rng.lognormal(3, 1.5, n) * np.where(harmful, more, 1)
    part = harmful * views / views.sum()
    found = {}
    for name, weight in [("posts", np.ones(n)), ("views", views), ("root", views * p**0.5), ("score", views * p)]:
        share = weight / weight.sum()
        spread = (part[harmful] ** 2 / share[harmful]).sum() - part.sum() ** 2  # of one label, exact for these posts
        found[f"{name}, error"] = (spread / labels) ** 0.5 / part.sum()
        found[f"{name}, harmful labels"] = labels * share[harmful].sum()
    return found


@claim(
    "Drawn by views, 5,000 labels measure prevalence with less than half the error of posts drawn at random.",
    plans,
    holds=below(0.5),
    twin={"shift": 0.0, "more": 0.1},
    unit="of the error of posts drawn at random",
)
def views_beat_posts(found):
    return found["views, error"] / found["posts, error"]


@claim(
    "Drawn by views times the root of the score, they measure it with less than three quarters of the error of views.",
    plans,
    holds=below(0.75),
    twin={"shift": 0.01},
    unit="of the error of drawing by views",
)
def root_beats_views(found):
    return found["root, error"] / found["views, error"]


@claim(
    "Drawn by views times the score they hold more harm, and measure it with a quarter more error or worse.",
    plans,
    holds=above(1.25),
    twin={"shift": 0.01},
    unit="times the error of the root",
)
def score_measures_worse(found):
    return found["score, error"] / found["root, error"]


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
