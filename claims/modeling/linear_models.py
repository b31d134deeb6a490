"""Claims of docs/modeling/linear-models.md."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from claims.claim import above, below, between, claim, experiment
from claims.protocol import compare, dense
from snippets.datasets.ad_log import EXAMINATION, simulate_ad_log

WORLDS = {"default": {}, "more clicks": {"base_ctr": 0.1}}


def _logistic(*strengths):
    return [LogisticRegression(C=C, max_iter=3_000) for C in strengths]


def _codes(log):
    return {name: log[name].cat.codes.to_numpy().astype(int) for name in ("category", "device", "age_group")}


@experiment(worlds=WORLDS)
def crosses(seed, *, drift=0.08, base_ctr=0.03, n_users=5_000, n_ads=500, no_taste=False):
    log = simulate_ad_log(50_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=n_users, n_ads=n_ads)
    codes = _codes(log)
    if no_taste:  # ages and devices of other requests: they say nothing about a category
        order = np.random.default_rng(seed).permutation(len(log))
        codes["age_group"], codes["device"] = codes["age_group"][order], codes["device"][order]
    codes |= {name: log[name].to_numpy().astype(int) for name in ("hour", "ad_id", "user_id")}
    age, candidates = ("category", "age_group"), {}
    for name, pairs in {
        "none": [],
        "category x age": [age],
        "category x age, category x device": [age, ("category", "device")],
        "ad x age": [("ad_id", "age_group")],
        "user x ad": [("user_id", "ad_id")],
    }.items():
        X = np.column_stack([*codes.values(), *(codes[a] * 100_000 + codes[b] for a, b in pairs)])
        past = X[log["day"] < 10]
        candidates[name] = OneHotEncoder(handle_unknown="ignore").fit(past).transform(X), _logistic(0.1, 0.3, 1.0)
    return compare(log, candidates).table["test"].to_dict()


@claim(
    "A cross of two small columns that share a taste, category and age, lowers the entropy of later days.",
    crosses,
    holds=below(0),
    twin={"no_taste": True},
    percent=True,
)
def small_cross_pays(found):
    return found["category x age"] / found["none"] - 1


@claim(
    "The second cross, category and device, whose taste is weaker, brings less than the first.",
    crosses,
    holds=above(0),
    twin={"no_taste": True},
    percent=True,
)
def second_cross_brings_less(found):
    first, second = found["category x age"], found["category x age, category x device"]
    return (second - first) - (first - found["none"])


@claim(
    "The same taste, written as ad and age, brings less: each ad has too few rows of each age.",
    crosses,
    holds=above(0),
    twin={"n_users": 300, "n_ads": 30},
    percent=True,
)
def cross_of_ids_brings_less(found):
    return found["ad x age"] / found["category x age"] - 1


@claim(
    "A cross of ad and age, against no cross, gains on one log and loses on the next.",
    crosses,
    holds=below(0),
    says="varies",
    twin={"n_users": 300, "n_ads": 30},
    percent=True,
)
def ad_and_age_varies(found):
    return found["ad x age"] / found["none"] - 1


@claim(
    "A cross of user and ad changes the entropy by less than 0.3 % where few pairs repeat.",
    crosses,
    holds=between(-0.003, 0.003),
    twin={"n_users": 300, "n_ads": 30},
    percent=True,
)
def rare_pairs_bring_nothing(found):
    return found["user x ad"] / found["none"] - 1


@claim(
    "The weights of category and age agree with the truth: their correlation over the 40 pairs is above 0.9.",
    holds=above(0.9),
    worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.02}},
    twin={"no_taste": True},
)
def weights_can_be_read(seed, *, drift=0.08, base_ctr=0.03, no_taste=False):
    log = simulate_ad_log(200_000, seed=seed, drift=drift, base_ctr=base_ctr)
    codes = _codes(log)
    if no_taste:
        codes["age_group"] = np.random.default_rng(seed).permutation(codes["age_group"])
    pair = codes["category"] * 5 + codes["age_group"]
    X = OneHotEncoder().fit_transform(np.column_stack([*codes.values(), pair]))
    weights = LogisticRegression(max_iter=1_000).fit(X, log["click"]).coef_[0, -40:]
    truth = np.bincount(pair, logit(log["relevance"])) / np.bincount(pair)
    ours, true = (w.reshape(8, 5) - w.reshape(8, 5).mean(axis=1, keepdims=True) for w in (weights, truth))
    return np.corrcoef((ours - ours.mean(axis=0)).ravel(), (true - true.mean(axis=0)).ravel())[0, 1]


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}, "fewer clicks": {"base_ctr": 0.07}})
def sizes(seed, *, drift=0.08, base_ctr=0.1, few=500, no_taste=False, additive=False):
    log = simulate_ad_log(60_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=5_000, n_ads=500)
    rng, past = np.random.default_rng(seed), (log["day"] < 10).to_numpy()
    if no_taste:
        order = rng.permutation(len(log))
        for name in ("age_group", "device"):
            log[name] = log[name].array.take(order)
    if additive:
        log["click"], log["click_delay"] = _additive(log, rng), 0.0
    order, found = rng.permutation(np.flatnonzero(past)), {}
    for name, size in [("500", few), ("5,000", 5_000), ("all", len(order))]:
        part = log.iloc[np.sort(np.concatenate([order[:size], np.flatnonzero(~past)]))]
        plain, crossed = _columns(part)
        candidates = {
            "linear": (plain, [_linear(C, [0, 1, 2, 3]) for C in (0.003, 0.03, 0.3, 3.0)]),
            "linear, two crosses": (crossed, [_linear(C, [0, 1, 2, 3, 6, 7]) for C in (0.003, 0.03, 0.3, 3.0)]),
            "trees, leaves chosen": (plain, [_trees(leaves, 50) for leaves in (2, 4, 12, 31)]),
            "50 trees of 31 leaves": (plain, [_trees(31, 50)]),
        }
        losses = compare(part, candidates).table["test"]
        found |= {f"{name} rows, {candidate}": loss for candidate, loss in losses.items()}
    return found


@claim(
    "With 500 rows, fifty trees of 31 leaves are worse than the mean click rate.",
    sizes,
    holds=above(1),
    twin={"additive": True},
)
def large_trees_fail_on_few_rows(found):
    return found["500 rows, 50 trees of 31 leaves"]


@claim(
    "With 500 rows, trees whose leaves are chosen on later days beat as many trees of 31 leaves.",
    sizes,
    holds=below(0),
    twin={"additive": True},
    percent=True,
)
def fewer_leaves_win_on_few_rows(found):
    return found["500 rows, trees, leaves chosen"] / found["500 rows, 50 trees of 31 leaves"] - 1


@experiment(seeds=20, worlds={"default": {}, "more drift": {"drift": 0.25}, "fewer clicks": {"base_ctr": 0.07}})
def stumps(seed, *, drift=0.08, base_ctr=0.1, additive=False):
    log = simulate_ad_log(60_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=5_000, n_ads=500)
    rng, past = np.random.default_rng(seed), (log["day"] < 10).to_numpy()
    if additive:
        log["click"], log["click_delay"] = _additive(log, rng), 0.0
    order = rng.permutation(np.flatnonzero(past))
    part = log.iloc[np.sort(np.concatenate([order[:500], np.flatnonzero(~past)]))]
    plain, _ = _columns(part)
    candidates = {
        "linear": (plain, [_linear(C, [0, 1, 2, 3]) for C in (0.003, 0.03, 0.3, 3.0)]),
        "stumps, number chosen": (plain, [_trees(2, n) for n in (5, 10, 20, 50)]),
    }
    return compare(part, candidates).table["test"].to_dict()


@claim(
    "With 500 rows, trees of two leaves whose number is chosen lose less than two percent to the linear model.",
    stumps,
    holds=below(0.02),
    twin={"additive": True},
    percent=True,
)
def few_stumps_keep_up_on_few_rows(found):
    return found["stumps, number chosen"] / found["linear"] - 1


@claim(
    "With 5,000 rows, trees whose leaves are chosen are within one percent of the linear model.",
    sizes,
    holds=between(-0.01, 0.01),
    twin={"additive": True},
    percent=True,
)
def trees_with_little_room_are_level(found):
    return found["5,000 rows, trees, leaves chosen"] / found["5,000 rows, linear"] - 1


@claim(
    "With all rows, two crosses by hand beat trees that have to find them.",
    sizes,
    holds=below(0),
    twin={"no_taste": True},
    percent=True,
)
def crosses_beat_trees(found):
    return found["all rows, linear, two crosses"] / found["all rows, trees, leaves chosen"] - 1


@claim(
    "With all rows, trees with chosen leaves and the linear model without crosses are level, to within half a percent.",
    sizes,
    holds=between(-0.005, 0.005),
    twin={"additive": True},
    percent=True,
)
def without_crosses_a_tie(found):
    return found["all rows, trees, leaves chosen"] / found["all rows, linear"] - 1


def _columns(log):
    """Return the columns of the protocol, and the same with two crosses, as functions of the rows that are known."""
    category, device, age = _codes(log).values()
    pairs, made = [category * 10 + age, category * 10 + device], {}

    def plain(known):
        key = known.tobytes()
        if key not in made:
            made[key] = dense(log, known)
        return made[key]

    return plain, lambda known: np.column_stack([plain(known), *pairs])


def _additive(log, rng):
    """Draw clicks in a world in which category, device, age and hour add up, and nothing else counts."""
    margin = sum(rng.normal(0, 1, 24)[code] for code in [*_codes(log).values(), log["hour"]])
    return (rng.random(len(log)) < expit(margin - 3)).astype(int)


def _linear(C, kinds):
    """Return a logistic regression; columns 4 and 5 are the rates, the others codes."""
    rows = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), kinds), (StandardScaler(), [4, 5]))
    return make_pipeline(rows, LogisticRegression(C=C, max_iter=3_000))


def _trees(leaves, n):
    return HistGradientBoostingClassifier(max_leaf_nodes=leaves, max_iter=n, early_stopping=False, random_state=0)


@experiment(worlds=WORLDS)
def position_weight(seed, *, drift=0.08, base_ctr=0.03, shuffled=False):
    return _odds(seed, drift, base_ctr, shuffled)


@experiment(seeds=20, worlds=WORLDS)
def position_weight_at_random(seed, *, drift=0.08, base_ctr=0.03, shuffled=True):
    return _odds(seed, drift, base_ctr, shuffled)


def _odds(seed, drift, base_ctr, shuffled):
    """Return how many times the odds of position 5 a model gives to position 1, over what position does."""
    log = simulate_ad_log(
        60_000, seed=seed, drift=drift, base_ctr=base_ctr, n_users=5_000, n_ads=500, randomize_positions=shuffled
    )
    relevance, found = log["relevance"].mean(), {}
    truth = logit(relevance * EXAMINATION[0]) - logit(relevance * EXAMINATION[4])
    for others in [[], ["ad_id"], ["ad_id", "user_id"]]:
        X = OneHotEncoder().fit_transform(log[["position", *others]])
        weights = LogisticRegression(C=3.0, max_iter=2_000).fit(X, log["click"]).coef_[0]
        found["beside " + (" and ".join(others) or "nothing")] = float(np.exp(weights[0] - weights[4] - truth))
    return found


@claim(
    "With the ad and the user beside it, the weight of position 1 against 5 is still more than 1.5 times its effect.",
    position_weight,
    holds=above(1.5),
    twin={"shuffled": True},
    unit="times the effect",
)
def weight_is_not_an_effect(found):
    return found["beside ad_id and user_id"]


@claim(
    "Where positions were shuffled, the weight of position 1 against 5 is its effect, to within 20 %.",
    position_weight_at_random,
    holds=between(1 / 1.2, 1.2),
    twin={"shuffled": False},
    unit="times the effect",
)
def weight_is_the_effect_at_random(found):
    return found["beside ad_id and user_id"]


@experiment(worlds=WORLDS)
def calibration_of_users(seed, *, base_ctr=0.03, C=0.3):
    log = simulate_ad_log(30_000, seed=seed, base_ctr=base_ctr, n_users=1_000, n_ads=100)
    X = OneHotEncoder().fit_transform(log[["category", "device", "ad_id", "user_id"]])
    y = log["click"].to_numpy()
    p = LogisticRegression(C=C, max_iter=5_000, tol=1e-6).fit(X, y).predict_proba(X)[:, 1]
    clicks, promised = (np.bincount(log["user_id"], values) for values in (y, p))
    top = np.argsort(-clicks, kind="stable")[:50]
    return {
        "in total": promised.sum() / clicks.sum(),
        "the 50 users who click most": promised[top].sum() / clicks[top].sum(),
    }


@claim(
    "Under a penalty, the 50 users who click most are promised fewer clicks than they gave, on the rows trained on.",
    calibration_of_users,
    holds=below(0.95),
    twin={"C": 100_000.0},
    unit="promised for each click",
)
def penalty_shrinks_columns(found):
    return found["the 50 users who click most"]
