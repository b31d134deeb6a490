"""Claims of docs/evaluation/calibration.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_noise_floor, expected_calibration_error
from snippets.evaluation.normalized_entropy import normalized_entropy

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}}


def platt(q, y):
    """Return the map that Platt scaling finds: a logistic regression on the logit."""
    model = LogisticRegression(C=np.inf).fit(logit(q)[:, None], y)
    return lambda r: model.predict_proba(logit(r)[:, None])[:, 1]


@experiment(seeds=10, worlds=WORLDS)
def repairs(seed, *, drift=0.08, base_ctr=0.03, kept=0.1, formula=None, position_bias=True):
    """Return entropies after each repair of a model trained on sampled negatives, and the ratio by position."""
    log = simulate_ad_log(
        100_000,
        seed=seed,
        n_users=5_000,
        n_ads=500,
        drift=drift,
        base_ctr=base_ctr,
        position_bias=position_bias,
        randomize_positions=not position_bias,
    )
    rng, day, y = np.random.default_rng(seed), log["day"], log["click"].to_numpy()
    X = OneHotEncoder().fit_transform(log[["category", "age_group", "device", "hour", "ad_id"]])
    train = np.flatnonzero((day < 9) & ((y == 1) | (rng.random(len(log)) < kept)))
    tune, test = np.flatnonzero(day.isin([9, 10])), np.flatnonzero(day > 10)
    model = LogisticRegression(C=0.3, max_iter=300).fit(X[train], y[train])
    q, r = (model.predict_proba(X[rows])[:, 1] for rows in (tune, test))
    steps = IsotonicRegression(out_of_bounds="clip").fit(q, y[tune])
    repaired = {
        "as trained": r,
        "formula": r / (r + (1 - r) / (formula or kept)),
        "Platt": platt(q, y[tune])(r),
        "isotonic": np.clip(steps.predict(r), 0.001, 0.999),
    }
    found = {f"entropy, {name}": normalized_entropy(y[test], p) for name, p in repaired.items()}
    position, true = log["position"].to_numpy()[test], log["p_click"].to_numpy()[test]
    for name in ("formula", "isotonic"):
        for k in (1, 5):
            found[f"{name}, position {k}"] = repaired[name][position == k].sum() / true[position == k].sum()
    return found


@claim(
    "Whether the formula alone comes within 0.005 of normalized entropy of Platt scaling and isotonic regression "
    "depends on the drift.",
    repairs,
    holds=below(0.005),
    says="varies",
    twin={"formula": 0.02},
    unit="of normalized entropy, against the better one",
)
def the_formula_may_do_nearly_all(found):
    return found["entropy, formula"] - min(found["entropy, Platt"], found["entropy, isotonic"])


@experiment(
    seeds=20, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.02}, "half of the negatives": {"kept": 0.5}}
)
def drifting(seed, *, base_ctr=0.03, kept=0.1, fast=0.25):
    """Return by how much Platt scaling beats the formula where ads drift slowly, and where they drift fast."""
    found = {}
    for name, drift in [("slow", 0.08), ("fast", fast)]:
        log = simulate_ad_log(60_000, seed=seed, n_users=5_000, n_ads=300, drift=drift, base_ctr=base_ctr)
        rng, day, y = np.random.default_rng(seed), log["day"], log["click"].to_numpy()
        X = OneHotEncoder().fit_transform(log[["category", "age_group", "device", "hour", "ad_id"]])
        train = np.flatnonzero((day < 9) & ((y == 1) | (rng.random(len(log)) < kept)))
        tune, test = np.flatnonzero(day.isin([9, 10])), np.flatnonzero(day > 10)
        model = LogisticRegression(C=0.3, max_iter=300).fit(X[train], y[train])
        q, r = (model.predict_proba(X[rows])[:, 1] for rows in (tune, test))
        formula, scaled = r / (r + (1 - r) / kept), platt(q, y[tune])(r)
        found[f"gain, {name}"] = normalized_entropy(y[test], formula) - normalized_entropy(y[test], scaled)
        found[f"promised, {name}"] = formula.sum() / log["p_click"].to_numpy()[test].sum()
    return found


@claim(
    "Platt scaling, fitted on later days than the model, adds more to the formula where ads drift faster.",
    drifting,
    holds=above(0),
    twin={"fast": 0.0},
    unit="of normalized entropy, beyond what it adds where they drift slowly",
)
def platt_adds_more_where_ads_drift(found):
    return found["gain, fast"] - found["gain, slow"]


@claim(
    "On later days the formula promises too few of the clicks that are expected, and fewer where ads drift faster.",
    drifting,
    holds=above(0),
    twin={"fast": 0.0},
    percent=True,
    unit="of the clicks, the lesser of two margins",
)
def the_formula_does_not_see_drift(found):
    return min(1 - found["promised, slow"], found["promised, slow"] - found["promised, fast"])


@claim(
    "A model without the position promises less than six tenths of the clicks at the top and more than twice too many "
    "at the bottom, and isotonic regression on the score leaves it so.",
    repairs,
    holds=above(0),
    twin={"position_bias": False},
    unit="in logarithms, the least of four margins",
)
def every_position_is_wrong(found):
    tops = [np.log(0.6 / found[f"{name}, position 1"]) for name in ("formula", "isotonic")]
    return min(*tops, *(np.log(found[f"{name}, position 5"] / 2) for name in ("formula", "isotonic")))


SAMPLES = {"default": {}, "rarer clicks": {"base_ctr": 0.01}, "half of the rows": {"rows": 500}}


def samples(seed, base_ctr, rows, off):
    """Return how far probabilities seem off in the parts of a log: true ones, or such with odds that are off."""
    log = simulate_ad_log(100_000, seed=seed, base_ctr=base_ctr)
    y, p = log["click"].to_numpy(), log["p_click"].to_numpy()
    q = expit(logit(p) + np.log(off))
    parts = [slice(start, start + rows) for start in range(0, len(log), rows)]
    times = [expected_calibration_error(y[k], q[k]) / calibration_noise_floor(q[k]) for k in parts]
    ratio = [abs(y[k].sum() - q[k].sum()) / np.sqrt((q[k] * (1 - q[k])).sum()) for k in parts]
    return {
        "mean": np.mean(times),
        "above twice the floor": np.mean(np.array(times) > 2),
        "ratio beyond two standard errors": np.mean(np.array(ratio) > 2),
    }


@experiment(seeds=20, worlds=SAMPLES)
def truth(seed, *, base_ctr=0.03, rows=1_000, off=1.0):
    """Return the error of the true probabilities in multiples of its noise floor, over parts of a log."""
    return samples(seed, base_ctr, rows, off)


@experiment(seeds=20, worlds=SAMPLES)
def doubled(seed, *, base_ctr=0.03, rows=1_000, off=2.0):
    """Return the same of probabilities whose odds are doubled."""
    return samples(seed, base_ctr, rows, off)


@claim(
    "Where all odds are doubled, the ratio is off by two standard errors in most samples in which the error stays "
    "below twice its noise floor.",
    doubled,
    holds=above(0.5),
    twin={"off": 1.0},
    percent=True,
    unit="of the samples that the floor lets pass, at least",
)
def the_ratio_sees_it_first(found):
    passed = 1 - found["above twice the floor"]
    return (found["ratio beyond two standard errors"] - found["above twice the floor"]) / passed


@claim(
    "The error of a perfect model is its noise floor, on average: between nine tenths and eleven tenths of it.",
    truth,
    holds=between(0.9, 1.1),
    twin={"off": 2.0},
    unit="times the noise floor",
)
def the_truth_is_at_its_noise_floor(found):
    return found["mean"]


@claim(
    "A perfect model has more than twice its noise floor in fewer than one in ten samples.",
    truth,
    holds=below(0.1),
    twin={"off": 2.0},
    percent=True,
    unit="of the samples",
)
def twice_the_floor_is_rare(found):
    return found["above twice the floor"]


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "rarer clicks": {"base_ctr": 0.01},
        "bids alike": {"spread": 0.2},
        "larger errors": {"noise": 1.0},
    },
)
def auctions(seed, *, base_ctr=0.03, spread=0.5, noise=0.5, power=0.8, part=True, confirmed=False, sloped=False):
    """Return what errors of the predictions cost an auction where only clicks compete, as shares of the truth's."""
    log = simulate_ad_log(60_000, seed=seed, n_users=5_000, n_ads=500, base_ctr=base_ctr)
    truth = log["relevance"].to_numpy().reshape(-1, 5)
    rng = np.random.default_rng([seed, 5])
    value, row = rng.lognormal(0, spread, truth.shape), np.arange(len(truth))

    def auction(p):
        score = value * p
        second, first = np.argsort(score, axis=1)[:, -2:].T
        price = score[row, second] / p[row, first]
        return np.array([(value * truth)[row, first].mean(), (price * truth[row, first]).mean()])

    half = log["advertiser_id"].to_numpy().reshape(-1, 5) % 2 == 0
    rate = log.groupby("ad_id")["relevance"].transform("mean").to_numpy()
    weaker = (rate < np.median(rate)).reshape(-1, 5)
    half, weaker = (some if part else np.ones(some.shape, bool) for some in (half, weaker))
    noisy = np.minimum(truth * rng.lognormal(-(noise**2) / 2, noise, truth.shape), 0.99)
    noisy = expit(1.6 * logit(truth) + 1) if sloped else noisy
    past = row < len(row) // 2
    seen = rng.random(truth.shape) < (noisy if confirmed else truth)
    repaired = platt(noisy[past].ravel(), seen[past].ravel())(noisy.ravel()).reshape(truth.shape)
    right, found = auction(truth), {}
    for name, p in [
        ("half doubled", truth * np.where(half, 2.0, 1.0)),
        ("half + 20 %", truth * np.where(half, 1.2, 1.0)),
        ("weaker doubled", truth * np.where(weaker, 2.0, 1.0)),
        ("squashed", truth**power),
        ("random", noisy),
        ("random, Platt", repaired),
    ]:
        welfare, revenue = 1 - auction(p) / right
        found |= {f"{name}: welfare lost": welfare, f"{name}: revenue lost": revenue}
    return found


@claim(
    "Double the predictions of every other advertiser, and both welfare and revenue fall, though only clicks compete.",
    auctions,
    holds=above(0.01),
    twin={"part": False},
    percent=True,
    unit="lost, the lesser of both",
)
def a_factor_for_some_costs(found):
    return min(found["half doubled: welfare lost"], found["half doubled: revenue lost"])


@claim(
    "Double the predictions of the ads that are clicked less, and welfare falls, but revenue rises.",
    auctions,
    holds=above(0.005),
    twin={"part": False},
    percent=True,
    unit="lost of welfare or gained of revenue, the lesser of both",
)
def a_factor_for_the_weaker_pays(found):
    return min(found["weaker doubled: welfare lost"], -found["weaker doubled: revenue lost"])


@claim(
    "The power 0.8 of the true probabilities raises revenue by a twentieth or more, and costs less than a hundredth of "
    "the welfare.",
    auctions,
    holds=above(0),
    twin={"power": 1.0},
    percent=True,
    unit="of revenue or of welfare, the lesser of two margins",
)
def squashing_raises_revenue(found):
    return min(-found["squashed: revenue lost"] - 0.05, 0.01 - found["squashed: welfare lost"])


@claim(
    "The loss of welfare grows faster than the factor: doubling costs more than five times what a fifth too much does.",
    auctions,
    holds=above(0),
    twin={"part": False},
    percent=True,
    unit="of the welfare, beyond five times the loss at a fifth",
)
def the_loss_grows_faster(found):
    return found["half doubled: welfare lost"] - 5 * found["half + 20 %: welfare lost"]


@claim(
    "Where errors are random, Platt scaling gives back half of the lost revenue or more.",
    auctions,
    holds=above(0),
    twin={"confirmed": True},
    percent=True,
    unit="of the revenue, beyond one half of the loss",
)
def platt_returns_the_revenue(found):
    return found["random: revenue lost"] / 2 - found["random, Platt: revenue lost"]


@claim(
    "It gives back less than half of the lost welfare: for the rest you need a better model.",
    auctions,
    holds=above(0),
    twin={"sloped": True},
    percent=True,
    unit="of the welfare, beyond one half of the loss",
)
def platt_returns_less_of_the_welfare(found):
    return found["random, Platt: welfare lost"] - found["random: welfare lost"] / 2


SHARES, FACTORS, PRICES = (0.25, 0.5, 1.0), (0.5, 0.7, 1.0, 1.2, 1.5, 2.0, 3.0), (0.0, 0.25, 0.5)


@experiment(seeds=20)
def factors(seed, *, base_ctr=0.03, scaled=False):
    """Return by how much welfare and revenue change where some advertisers' probabilities are multiplied by a factor.

    Besides the clicks one fixed price competes, which true probabilities would let win a share of the slots. In the
    twin it is ``scaled`` by the factor as well.
    """
    log = simulate_ad_log(100_000, seed=seed, base_ctr=base_ctr)
    truth, advertiser = (log[column].to_numpy().reshape(-1, 5) for column in ("relevance", "advertiser_id"))
    value, row = np.random.default_rng([seed, 6]).lognormal(0, 0.5, truth.shape), np.arange(len(truth))
    prices = [0.0, *np.quantile((value * truth).max(axis=1), PRICES[1:])]

    def outcome(p, factor):
        """Return welfare and revenue of all slots, for each fixed price."""
        second, first = np.argsort(value * p, axis=1)[:, -2:].T
        top, next_best, clicks = (value * p)[row, first], (value * p)[row, second], truth[row, first]
        found = []
        for fixed in prices:
            sent = fixed * (factor if scaled else 1)
            paid = np.maximum(next_best, sent) / p[row, first] * clicks
            found.append([np.where(top >= sent, a, fixed).sum() for a in (value[row, first] * clicks, paid)])
        return np.array(found)

    right, found = outcome(truth, 1.0), {}
    for share in SHARES:  # advertisers have no order: the remainder by four picks quarters of them
        for factor in FACTORS:
            change = outcome(truth * np.where(advertiser % 4 < 4 * share, factor, 1.0), factor) / right - 1
            for fixed, (welfare, revenue) in zip(PRICES, change.tolist(), strict=True):
                found[f"welfare {share:g} {fixed:g} {factor:g}"] = round(welfare, 5)
                found[f"revenue {share:g} {fixed:g} {factor:g}"] = round(revenue, 5)
    return found


@claim(
    "Double all predictions where a fixed price competes for half of the slots, and both welfare and revenue fall.",
    factors,
    holds=above(0.01),
    twin={"scaled": True},
    percent=True,
    unit="lost, the lesser of both",
)
def a_fixed_price_makes_one_factor_costly(found):
    return -max(found["welfare 1 0.5 2"], found["revenue 1 0.5 2"])
