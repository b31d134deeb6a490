"""Claims of docs/practice/ads-click-prediction.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from claims.claim import above, between, claim, experiment


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "five ads": {"n_ads": 5},
        "half the noise": {"noise": 0.3},
        "rarer clicks": {"mean": -4.6},
        "noisier for some": {"uneven": 0.5},
    },
)
def auctions(seed, *, n_ads=20, noise=0.6, uneven=0.0, mean=-3.6, bids=0.0, user=0.0):
    """Return promised over true clicks on the ads that win, and what two numbers more change in revenue.

    Maps from the score to a chance are fitted to one half of the auctions and judged on the other half: ``two numbers``
    to the clicks; ``each value``, any rising map, to the true chances; ``with the others`` to the clicks, and it reads
    the bid, and the mean of scores and of log bids in the request, too. ``bids`` is the correlation of log bids and
    true logits, and ``user`` the share of the variance of logits that all ads of a request have in common, which the
    score knows. The noise is ``uneven``: less for one half of the ads, more for the other.
    """
    rng = np.random.default_rng([seed, 3])
    n = 100_000 // n_ads
    taste = rng.normal(0, 1, (2 * n, n_ads))
    taste = np.sqrt(user) * rng.normal(0, 1, (2 * n, 1)) + np.sqrt(1 - user) * taste
    logit = mean + 0.8 * taste
    size = noise * np.where(rng.random(logit.shape) < 0.5, 1 - uneven, 1 + uneven)
    score = logit + size * rng.normal(0, 1, logit.shape)
    log_bid = 0.5 * (bids * taste + np.sqrt(1 - bids**2) * rng.normal(0, 1, taste.shape))
    truth, bid = expit(logit), np.exp(log_bid)
    click = (rng.random((n, n_ads)) < truth[:n]).ravel()
    known = [score, log_bid, *(np.broadcast_to(x.mean(axis=1, keepdims=True), x.shape) for x in (score, log_bid))]

    def fitted(columns):
        past, now = (np.stack([x[rows].ravel() for x in columns], axis=1) for rows in (slice(n), slice(n, None)))
        return LogisticRegression(C=np.inf).fit(past, click).predict_proba(now)[:, 1]

    rising = IsotonicRegression(out_of_bounds="clip").fit(score[:n].ravel(), truth[:n].ravel())
    found = {}
    for name, chances in [
        ("raw", expit(score[n:]) * truth[:n].mean() / expit(score[:n]).mean()),  # right in total
        ("two numbers", fitted([score])),
        ("each value", rising.predict(score[n:].ravel())),
        ("with the others", fitted(known)),
    ]:
        p, row = chances.reshape(n, n_ads), np.arange(n)
        second, win = np.argsort(bid[n:] * p, axis=1)[:, -2:].T
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
    "tenth, if neither bids nor the other ads of the request say more about the click.",
    auctions,
    holds=between(0.9, 1.1),
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
    "the winners, by a fiftieth or more.",
    holds=above(1.02),
    twin={"bids": 0.0},
    seeds=20,
    worlds={"default": {}, "five ads": {"n_ads": 5}, "a weaker bond": {"bids": -0.2}},
    unit="promised clicks for each that comes",
)
def bids_that_know_bring_it_back(seed, *, n_ads=20, bids=-0.4):
    return auctions(seed, n_ads=n_ads, bids=bids)["each value, on winners"]


@claim(
    "Where the score knows the user better than the ad, even one that is right at each of its values promises too much "
    "on the winners, by a fiftieth or more.",
    holds=above(1.02),
    twin={"user": 0.0},
    seeds=20,
    worlds={"default": {}, "five ads": {"n_ads": 5}, "users differ less": {"user": 0.25}},
    unit="promised clicks for each that comes",
)
def rivals_that_know_bring_it_back(seed, *, n_ads=20, user=0.5):
    return auctions(seed, n_ads=n_ads, user=user)["each value, on winners"]


@claim(
    "A recalibration that reads the bid too, and the means of the request, is right on the winners again, to within a "
    "twentieth.",
    holds=between(0.95, 1.05),
    twin={"inputs": "two numbers"},
    seeds=20,
    worlds={
        "default": {},
        "five ads": {"n_ads": 5},
        "only bids know": {"user": 0.0},
        "only the others know": {"bids": 0.0},
    },
    unit="promised clicks for each that comes",
)
def bids_and_rivals_as_inputs(seed, *, n_ads=20, bids=-0.4, user=0.5, inputs="with the others"):
    return auctions(seed, n_ads=n_ads, bids=bids, user=user)[f"{inputs}, on winners"]


@experiment(
    seeds=20,
    worlds={"default": {}, "five ads": {"n_ads": 5}, "half the noise": {"noise": 0.3}, "rarer clicks": {"mean": -4.6}},
)
def paced(seed, *, n_ads=20, noise=0.6, mean=-3.6, later=1.0):
    """Return promised over true clicks on what an ad wins, unpaced and at half of its bid.

    Each ad is paced in turn while the others are not. Platt scaling is fitted to one half of the auctions, and all is
    judged on the other, in which ``later`` multiplies the noise of the score.
    """
    rng = np.random.default_rng([seed, 5])
    n = 400_000 // n_ads
    logit = rng.normal(mean, 0.8, (2 * n, n_ads))
    size = noise * np.where(np.arange(2 * n) < n, 1, later)[:, None]
    score = logit + size * rng.normal(0, 1, logit.shape)
    bid, truth = rng.lognormal(0, 0.5, (n, n_ads)), expit(logit)
    click, now = rng.random((n, n_ads)) < truth[:n], truth[n:]
    platt = LogisticRegression(C=np.inf).fit(score[:n].reshape(-1, 1), click.ravel())
    found = {}
    for name, p in [
        ("raw", expit(score[n:]) * truth[:n].mean() / expit(score[:n]).mean()),  # right in total
        ("platt", platt.predict_proba(score[n:].reshape(-1, 1))[:, 1].reshape(n, n_ads)),
    ]:
        value = bid * p
        second, first = np.partition(value, -2, axis=1)[:, -2:].T[:, :, None]
        rival = np.where(value == first, second, first)
        for times in (1, 0.5):
            wins = times * value > rival
            found[f"{name}, x {times}"] = p[wins].sum() / now[wins].sum()
    return found


@claim(
    "An ad that pacing lets bid half wins only where its score is high: there a noisy score promises too much by a "
    "larger factor than on all that the ad would win, by a fiftieth or more.",
    paced,
    holds=above(1.02),
    twin={"noise": 0.01},
    unit="times the factor",
)
def a_paced_bid_sharpens_the_curse(found):
    return found["raw, x 0.5"] / found["raw, x 1"]


@claim(
    "With Platt scaling the ad that bids half is promised right, to within a tenth.",
    paced,
    holds=between(0.9, 1.1),
    twin={"later": 2.0},
    unit="promised clicks for each that comes",
)
def platt_is_right_when_paced(found):
    return found["platt, x 0.5"]


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "five ads": {"n_ads": 5},
        "half of the noise in common": {"shared": 0.5},
        "a noisier model before": {"old_noise": 0.9},
    },
)
def launched(seed, *, n_ads=20, shared=0.0, old_noise=0.6, later=1.0):
    """Return promised over true clicks of a new model: in shadow, when it first decides, and fitted to its own rows.

    An old model lets ads win in a first span of auctions, and the new one gets Platt scaling on those winners. In the
    second both decide, and the new one is judged on the winners of each. In the third its scaling is fitted to what it
    let win in the second. ``shared`` is the part of the noise that both models have in common, and ``later`` multiplies
    the noise of the third.
    """
    rng = np.random.default_rng([seed, 6])
    n = 400_000 // n_ads
    logit, common = rng.normal(-3.6, 0.8, (3, n, n_ads)), rng.normal(0, 1, (3, n, n_ads))
    old, new = (
        logit + size * (np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(0, 1, logit.shape))
        for size in (old_noise, 0.6 * np.array([1, 1, later])[:, None, None])
    )
    bid, truth = rng.lognormal(0, 0.5, logit.shape), expit(logit)
    click = rng.random(logit.shape) < truth

    def winners(span, p):
        return span, np.arange(n), (bid[span] * p).argmax(axis=1)

    def scaled(rows, span):
        platt = LogisticRegression(C=np.inf).fit(new[rows][:, None], click[rows])
        return platt.predict_proba(new[span].reshape(-1, 1))[:, 1].reshape(n, n_ads)

    p = scaled(winners(0, expit(old[0])), 1)
    before, own = winners(1, expit(old[1])), winners(1, p)
    again = scaled(own, 2)
    own_again = winners(2, again)
    return {
        "in shadow": p[before[1:]].sum() / truth[before].sum(),
        "live": p[own[1:]].sum() / truth[own].sum(),
        "on its own rows": again[own_again[1:]].sum() / truth[own_again].sum(),
    }


@claim(
    "A new model, with Platt scaling fitted to what the old one let win, promises more clicks for each that comes when "
    "it decides itself than it did in shadow, by a twentieth or more.",
    launched,
    holds=above(1.05),
    twin={"shared": 1.0},
    unit="times what it promised in shadow",
)
def shadow_sees_the_old_winners(found):
    return found["live"] / found["in shadow"]


@claim(
    "Fitted to rows that it let win itself, the new model is right on its winners, to within a tenth.",
    launched,
    holds=between(0.9, 1.1),
    twin={"later": 2.0},
    unit="promised clicks for each that comes",
)
def own_rows_mend_it(found):
    return found["on its own rows"]
