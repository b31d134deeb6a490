"""Claims of docs/modeling/baselines.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from claims.protocol import BUDGET, TEST, VALIDATION
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.model_comparison import compare_models
from snippets.modeling.smoothed_ctr import SmoothedCTR


@claim(
    "A smoothed rate of the ad predicts the later days better than one rate for all.",
    holds=below(0),
    twin={"shuffled": True},
    worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}},
    percent=True,
    unit="of the entropy",
)
def smoothed_rate_beats_constant(seed, *, drift=0.08, base_ctr=0.03, shuffled=False):
    log = simulate_ad_log(30_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=2_000, n_ads=200)
    y, past = log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    ad = log[["ad_id"]].to_numpy()
    if shuffled:
        ad = np.random.default_rng(seed).permutation(ad)
    p = SmoothedCTR().fit(ad[past], y[past]).predict_proba(ad[~past])[:, 1]
    return log_loss(y[~past], p) / log_loss(y[~past], np.full(p.size, y[past].mean())) - 1


class AddedRates(ClassifierMixin, BaseEstimator):
    """A smoothed rate for each column, their log odds added."""

    def __init__(self, strength=None):
        self.strength = strength

    def fit(self, X, y):
        """Count each column by itself."""
        self.base_ = logit(y.mean())
        self.rates_ = [SmoothedCTR(self.strength).fit(X[:, [i]], y) for i in range(X.shape[1])]
        return self

    def predict_proba(self, X):
        """Return the probabilities of both classes; each column brings the average along, so it is taken off again."""
        log_odds = sum(logit(rate.predict_proba(X[:, [i]])[:, 1]) for i, rate in enumerate(self.rates_))
        p = expit(log_odds - (len(self.rates_) - 1) * self.base_)
        return np.column_stack([1 - p, p])


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}})
def counters(seed, *, drift=0.08, base_ctr=0.03, swapped=False, twice=False):
    log = simulate_ad_log(100_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=5_000, n_ads=500)
    small = [log[c].cat.codes for c in ("category", "device")]
    all_columns = np.column_stack([log["position"], log["ad_id"], log["user_id"], *small, log["hour"]])
    if swapped:  # what is counted belongs to other rows
        all_columns[:, :3] = np.random.default_rng(seed).permutation(all_columns[:, :3])
    if twice:  # two columns say the same
        all_columns[:, 2] = all_columns[:, 1]
    y, day = log["click"].to_numpy(), log["day"].to_numpy()
    linear = [
        make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=C, max_iter=300))
        for C in (0.03, 0.1, 0.3, 1.0)
    ]
    added = [AddedRates(strength) for strength in (None, 30, 100, 300)]
    parts = day < VALIDATION, (day >= VALIDATION) & (day < TEST), day >= TEST
    candidates = {
        "position alone, counted": (all_columns[:, :1], added),
        "ad alone, counted": (all_columns[:, 1:2], added),
        "user alone, counted": (all_columns[:, 2:3], added),
        "position, ad and user, counted": (all_columns[:, :3], added),
        "position, ad and user, logistic regression": (all_columns[:, :3], linear),
        "all six columns, logistic regression": (all_columns, linear),
    }
    found = compare_models(candidates, y, *parts, budget=BUDGET, loss=normalized_entropy).table["test"]
    floor = normalized_entropy(y[day >= TEST], log["p_click"].to_numpy()[day >= TEST])
    return ((1 - found) / (1 - floor)).to_dict()


@claim(
    "Position, ad and user, counted and their log odds added, close as much of the gap as a logistic regression on the "
    "same three columns.",
    counters,
    holds=between(-0.02, 0.02),
    twin={"twice": True},
    percent=True,
    unit="of the gap",
)
def counters_match_regression(found):
    return found["position, ad and user, counted"] - found["position, ad and user, logistic regression"]


@claim(
    "Category, device and hour let a logistic regression close less than three points more of the gap.",
    counters,
    holds=below(0.03),
    twin={"swapped": True},
    percent=True,
    unit="of the gap",
)
def more_columns_bring_little(found):
    return found["all six columns, logistic regression"] - found["position, ad and user, logistic regression"]


@claim(
    "The position alone, which says nothing about the ad, closes more than a fifth of the gap.",
    counters,
    holds=above(0.2),
    twin={"swapped": True},
    percent=True,
    unit="of the gap",
)
def position_alone_closes_a_fifth(found):
    return found["position alone, counted"]


@claim(
    "The fitted strength predicts later days as well as the best of six that were tried on them.",
    holds=below(0.004),
    twin={"drift": 1.5},
    seeds=20,
    worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}},
    unit="of normalized entropy",
)
def fitted_strength_is_right(seed, *, drift=0.08, base_ctr=0.03):
    log = simulate_ad_log(60_000, seed=seed, drift=drift, base_ctr=base_ctr, n_ads=1_000)
    past = (log["day"] < 7).to_numpy()
    ads, y = log[["ad_id"]].to_numpy(), log["click"].to_numpy()

    def entropy(strength):
        model = SmoothedCTR(strength).fit(ads[past], y[past])
        return normalized_entropy(y[~past], model.predict_proba(ads[~past])[:, 1])

    return entropy(None) - min(entropy(strength) for strength in (1, 10, 30, 100, 300, 1_000))


@experiment(seeds=20, worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}})
def rare_ads(seed, *, drift=0.08, base_ctr=0.03, least=1, most=20):
    """Return the normalized entropy of ads that were seen so often, with next to no prior and with the fitted one."""
    log = simulate_ad_log(60_000, seed=seed, drift=drift, base_ctr=base_ctr, n_ads=1_000)
    past = (log["day"] < 7).to_numpy()
    ads, y = log[["ad_id"]].to_numpy(), log["click"].to_numpy()
    shown = np.bincount(ads[past, 0], minlength=1_000)[ads[~past, 0]]
    rows = (shown >= least) & (shown <= most)
    found = {}
    for name, strength in [("weak", 1.0), ("fitted", None)]:
        p = SmoothedCTR(strength).fit(ads[past], y[past]).predict_proba(ads[~past])[:, 1]
        found[name] = normalized_entropy(y[~past][rows], p[rows])
    return found


@claim(
    "With a prior worth one impression, ads seen up to twenty times are predicted worse than by their later mean rate.",
    rare_ads,
    holds=above(1),
    twin={"least": 200, "most": 100_000},
    unit="of normalized entropy",
)
def a_weak_prior_is_worse_than_a_constant(found):
    return found["weak"]


@claim(
    "For ads seen up to twenty times, the fitted prior has an entropy lower by over a twentieth than a prior worth one "
    "impression.",
    rare_ads,
    holds=below(-0.05),
    twin={"least": 200, "most": 100_000},
    percent=True,
    unit="of the entropy",
)
def the_fitted_prior_helps_rare_ads(found):
    return found["fitted"] / found["weak"] - 1


@claim(
    "An advertiser's rate needs more than twice as many impressions as an ad's to outweigh the prior, and a pair of "
    "device and hour more than twice as many again.",
    holds=above(2),
    twin={"shuffled": True},
    seeds=20,
    worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}},
    unit="times, the smaller of the two",
)
def strength_says_how_keys_differ(seed, *, drift=0.08, base_ctr=0.03, shuffled=False):
    log = simulate_ad_log(100_000, seed=seed, drift=drift, base_ctr=base_ctr)
    log["device"] = log["device"].cat.codes
    if shuffled:  # no key says anything
        log["click"] = np.random.default_rng(seed).permutation(log["click"])
    worth = []
    for key in (["ad_id"], ["advertiser_id"], ["device", "hour"]):
        model = SmoothedCTR().fit(log[key], log["click"])
        worth.append(model.alpha_ + model.beta_)
    return min(worth[1] / worth[0], worth[2] / worth[1])


@experiment(seeds=20, worlds={"default": {}, "more drift": {"drift": 0.1}, "rarer clicks": {"base_ctr": 0.01}})
def shelves(seed, *, drift=0.0, base_ctr=0.03, n_ads=1_000, shuffled=False):
    log = simulate_ad_log(50_000, seed=seed, drift=drift, base_ctr=base_ctr, n_ads=n_ads, randomize_positions=True)
    past = (log["day"] < 7).to_numpy()
    if shuffled:  # whether an ad was clicked says nothing about it
        log["click"] = np.random.default_rng(seed).permutation(log["click"])
    model = SmoothedCTR().fit(log.loc[past, ["ad_id"]].to_numpy(), log.loc[past, "click"])
    earned = log[~past].groupby("ad_id")["p_click"].mean().reindex(model.keys_[:, 0]).to_numpy()
    raw, smoothed = model.clicks_ / model.impressions_, model.predict_proba(model.keys_)[:, 1]
    found = {}
    for name, score, rate in [("raw", raw, raw), ("smoothed", smoothed, smoothed), ("clicks", model.clicks_, raw)]:
        best = np.argsort(-score, kind="stable")[:20]
        found[f"{name}, promised"], found[f"{name}, earned"] = rate[best].mean(), np.nanmean(earned[best])
    return found


@claim(
    "The twenty ads of the highest raw rate promise more than three times what they earn in the week after.",
    shelves,
    holds=above(3),
    twin={"n_ads": 40},
    unit="times",
)
def raw_rates_promise_too_much(found):
    return found["raw, promised"] / found["raw, earned"]


@claim(
    "The twenty ads of the highest smoothed rate earn what they promise, to within a fifth.",
    shelves,
    holds=between(0.8, 1.2),
    twin={"drift": 1.0},
    unit="times",
)
def smoothed_rates_keep_their_promise(found):
    return found["smoothed, promised"] / found["smoothed, earned"]


@claim(
    "The twenty ads of the highest smoothed rate earn more than the twenty with most clicks.",
    shelves,
    holds=above(1),
    twin={"shuffled": True},
    unit="times",
)
def smoothed_rates_beat_popularity(found):
    return found["smoothed, earned"] / found["clicks, earned"]
