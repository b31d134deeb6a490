"""Claims of docs/practice/ads-click-prediction.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from claims.claim import above, between, claim, experiment


@experiment(
    seeds=20,
    worlds={"default": {}, "five ads": {"n_ads": 5}, "half the noise": {"noise": 0.3}, "rarer clicks": {"mean": -4.6}},
)
def auctions(seed, *, n_ads=20, noise=0.6, mean=-3.6, bids=0.0):
    """Return promised over true clicks on the ads that win, and what two numbers more change in revenue.

    The two numbers are fitted to the clicks of one half of the auctions and judged on the other half. ``bids`` is the
    correlation of log bids and true logits.
    """
    rng = np.random.default_rng([seed, 3])
    n = 100_000 // n_ads
    taste = rng.normal(0, 1, (2 * n, n_ads))
    logit = mean + 0.8 * taste
    score = logit + rng.normal(0, noise, logit.shape)
    bid = np.exp(0.5 * (bids * taste + np.sqrt(1 - bids**2) * rng.normal(0, 1, taste.shape)))
    truth = expit(logit)
    click = (rng.random((n, n_ads)) < truth[:n]).ravel()
    raw = expit(score[n:]) * truth[:n].mean() / expit(score[:n]).mean()  # right in total
    platt = LogisticRegression(C=np.inf).fit(score[:n].reshape(-1, 1), click)
    mended = platt.predict_proba(score[n:].reshape(-1, 1))[:, 1].reshape(n, n_ads)
    found = {}
    for name, p in [("raw", raw), ("two numbers", mended)]:
        second, win = np.argsort(bid[n:] * p, axis=1)[:, -2:].T
        row = np.arange(n)
        price = (bid[n:] * p)[row, second] / p[row, win]
        found[f"{name}, on winners"] = p[row, win].sum() / truth[n:][row, win].sum()
        found[f"{name}, revenue"] = (price * truth[n:][row, win]).mean()
    return found


@claim(
    "On the ads that win, a noisy score that is right in total promises more clicks than come, by a twentieth or more.",
    auctions,
    holds=above(1.05),
    twin={"noise": 0.01},
    unit="promised clicks for each that comes",
)
def winners_are_promised_too_much(found):
    return found["raw, on winners"]


@claim(
    "With Platt scaling, two numbers fitted to the clicks of other auctions, it is right on the winners to within a "
    "twentieth, if bids say nothing about clicks.",
    auctions,
    holds=between(0.95, 1.05),
    twin={"bids": -0.4},
    unit="promised clicks for each that comes",
)
def platt_is_right_on_winners(found):
    return found["two numbers, on winners"]


@claim(
    "Platt scaling brings more revenue, too.",
    auctions,
    holds=above(0),
    twin={"noise": 0.01},
    percent=True,
    unit="of the revenue",
)
def platt_earns_more(found):
    return found["two numbers, revenue"] / found["raw, revenue"] - 1


@claim(
    "Where ads with high bids are clicked less, even a score that is right at each of its values promises too much on "
    "the winners.",
    holds=above(1.02),
    twin={"bids": 0.0},
    seeds=20,
    worlds={"default": {}, "five ads": {"n_ads": 5}, "a weaker bond": {"bids": -0.2}},
    unit="promised clicks for each that comes",
)
def bids_that_know_bring_it_back(seed, *, n_ads=20, bids=-0.4):
    return auctions(seed, n_ads=n_ads, bids=bids)["two numbers, on winners"]
