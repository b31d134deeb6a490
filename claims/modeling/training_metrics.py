"""What docs/modeling/training-metrics.md says."""

import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score, r2_score, roc_auc_score

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.ranking_metrics import group_auc
from snippets.modeling.smoothed_ctr import SmoothedCTR
from snippets.training_data.negative_downsampling import downsample_negatives

SIZE = {"n_impressions": 80_000, "n_users": 5_000, "n_ads": 500}
WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "more clicks": {"base_ctr": 0.06}}


@experiment(seeds=10, worlds=WORLDS)
def auc(seed, *, drift=0.08, base_ctr=0.03, position_bias=True, logged_at_random=False, nobody=False):
    """Return three kinds of AUC of models that know one thing each, and AUC in random order, scored as served."""
    world = {**SIZE, "seed": seed, "drift": drift, "base_ctr": base_ctr, "position_bias": position_bias}
    log = simulate_ad_log(randomize_positions=logged_at_random, **world)
    shuffled = simulate_ad_log(randomize_positions=True, **world)
    if nobody:  # the column of users holds anybody
        log["user_id"] = np.random.default_rng(seed).permutation(log["user_id"])
    past, later, shuffled = log[log["day"] < 10], log[log["day"] >= 10], shuffled[shuffled["day"] >= 10]
    score, found = {}, {}
    for name, column in [("position", "position"), ("user", "user_id"), ("ad", "ad_id")]:
        model = SmoothedCTR().fit(past[[column]], past["click"])
        score[name] = model.predict_proba(later[[column]])[:, 1]
        served = model.predict_proba(shuffled.assign(position=1)[[column]])[:, 1]
        found[f"{name}, random order"] = group_auc(shuffled["click"], served, shuffled["request_id"])
    score["ad and user"] = expit(logit(score["ad"]) + logit(score["user"]) - logit(past["click"].mean()))
    for name, p in score.items():
        found[f"{name}, all rows"] = roc_auc_score(later["click"], p)
        found[f"{name}, within a position"] = group_auc(later["click"], p, later["position"])
        found[f"{name}, within a request"] = group_auc(later["click"], p, later["request_id"])
    return found


@claim(
    "Within a request, a model of the position alone has a higher AUC than the ads' own rates.",
    auc,
    holds=above(0),
    twin={"position_bias": False, "logged_at_random": True},
)
def position_beats_ads_within_a_request(found):
    return found["position, within a request"] - found["ad, within a request"]


@claim(
    "Within a position, a model of users alone has an AUC above 0.5, and it cannot order a single request.",
    auc,
    holds=above(0.5),
    twin={"nobody": True},
)
def users_look_good_within_a_position(found):
    return found["user, within a position"]


@claim(
    "The ads' rates have a higher AUC within requests in logged order than within requests in random order.",
    auc,
    holds=above(0),
    twin={"logged_at_random": True},
)
def logged_order_flatters_ads(found):
    return found["ad, within a request"] - found["ad, random order"]


@claim(
    "A model of ads and users has a higher AUC over all rows than one of ads, and the same within a request.",
    auc,
    holds=above(0),
    twin={"nobody": True},
)
def auc_rises_between_requests(found):
    gain = {where: found[f"ad and user, {where}"] - found[f"ad, {where}"] for where in ("all rows", "within a request")}
    return gain["all rows"] - abs(gain["within a request"])


@claim(
    "The squared truth has a normalized entropy above 1.",
    holds=above(1),
    twin={"exponent": 1.0},
    seeds=20,
)
def squared_truth_is_worse_than_the_average(seed, *, exponent=2.0):
    log = simulate_ad_log(40_000, seed=seed)
    return normalized_entropy(log["click"], log["p_click"] ** exponent)


@experiment(seeds=10)
def truth(seed, *, low=0.003, high=0.3):
    """Return R squared and share of entropy of the true probabilities at two click rates."""
    found = {}
    for name, rate in [("low", low), ("high", high)]:
        log = simulate_ad_log(60_000, seed=seed, base_ctr=rate)
        found[f"R squared, {name}"] = r2_score(log["click"], log["p_click"])
        found[f"entropy, {name}"] = 1 - normalized_entropy(log["click"], log["p_click"])
    return found


@claim(
    "At a click rate of 0.3 %, the true probabilities have an R squared below 0.1.",
    truth,
    holds=below(0.1),
    twin={"low": 0.3},
)
def r_squared_of_the_truth_is_low(found):
    return found["R squared, low"]


@claim(
    "From a click rate of 0.3 % to 30 %, R squared of the truth moves more than twice as much as its share of entropy.",
    truth,
    holds=above(2),
    twin={"low": 0.3},
)
def entropy_moves_less_with_the_rate(found):
    ratio = {metric: found[f"{metric}, high"] / found[f"{metric}, low"] for metric in ("R squared", "entropy")}
    return ratio["R squared"] / ratio["entropy"]


@experiment(seeds=20)
def sampled(seed, *, rate=0.1):
    """Return three metrics with a tenth of the negatives over the same with all of them; the model is the truth."""
    log = simulate_ad_log(40_000, seed=seed)
    y, p = log["click"].to_numpy(), log["p_click"].to_numpy()
    flag, keep = p >= np.quantile(p, 0.95), downsample_negatives(y, rate, np.random.default_rng(seed))
    return {
        "precision": y[keep & flag].mean() / y[flag].mean(),
        "average precision": average_precision_score(y[keep], p[keep]) / average_precision_score(y, p),
        "AUC": roc_auc_score(y[keep], p[keep]) / roc_auc_score(y, p),
    }


@claim(
    "Without nine tenths of the negatives, precision is more than twice as high.",
    sampled,
    holds=above(2),
    twin={"rate": 1.0},
)
def sampling_buys_precision(found):
    return found["precision"]


@claim(
    "Dropping negatives at random moves average precision by more than half, and AUC by less than a hundredth.",
    sampled,
    holds=above(0.5),
    twin={"rate": 1.0},
)
def sampling_keeps_auc(found):
    # -1 where AUC moved as well
    return found["average precision"] - 1 if abs(found["AUC"] - 1) < 0.01 else -1.0


@claim(
    "The tenth of the rows with the highest true probability of a hide has between 70 % and 90 % of all hides.",
    holds=between(0.7, 0.9),
    twin={"blind": True},
    percent=True,
    seeds=20,
)
def a_tenth_has_most_hides(seed, *, blind=False):
    log = simulate_ad_log(60_000, seed=seed)
    hide, p = log["hide"].to_numpy(), log["p_hide"].to_numpy()
    p = np.random.default_rng(seed).permutation(p) if blind else p
    return hide[np.argsort(-p, kind="stable")[: len(p) // 10]].sum() / hide.sum()


@claim(
    "Acting above cost / (cost + gain) is worth more than acting above half or above twice that threshold.",
    holds=above(0),
    twin={"calibrated": False},
    seeds=20,
    unit="gains in a thousand rows",
)
def the_formula_finds_the_threshold(seed, *, calibrated=True, cost=1.0, gain=9.0):
    log = simulate_ad_log(40_000, seed=seed)
    y, p = log["click"].to_numpy(), log["p_click"].to_numpy()
    score = p if calibrated else 4 * p / (1 + 3 * p)  # odds four times too high

    def worth(threshold):
        act = score > threshold
        return 1_000 * np.mean(act * (y * gain - (1 - y) * cost)) / gain

    best = cost / (cost + gain)
    return worth(best) - max(worth(best / 2), worth(2 * best))


@experiment(seeds=20, worlds=WORLDS | {"much more drift": {"drift": 0.4}})
def surfaces(seed, *, drift=0.08, base_ctr=0.03, alike=False):
    """Return the normalized entropy over all rows, and its mean over five surfaces, which differ in how people look."""
    log = simulate_ad_log(
        **SIZE, seed=seed, drift=drift, base_ctr=base_ctr, position_bias=not alike, randomize_positions=alike
    )
    past = log["day"] < 10
    y, surface = log["click"][~past].to_numpy(), log["position"][~past].to_numpy()
    p, found = {}, {}
    for name, column in [("surface", "position"), ("ad", "ad_id")]:
        model = SmoothedCTR().fit(log.loc[past, [column]], log.loc[past, "click"])
        p[name] = model.predict_proba(log.loc[~past, [column]])[:, 1]
    p["both"] = expit(logit(p["surface"]) + logit(p["ad"]) - logit(log["click"][past].mean()))
    for name, score in p.items():
        inside = [normalized_entropy(y[surface == s], score[surface == s]) for s in range(1, 6)]
        found |= {f"{name}, all rows": normalized_entropy(y, score), f"{name}, inside": np.mean(inside)}
    return found


@claim(
    "Whether the surface or the ads' rates have the lower entropy over all rows depends on how fast the ads drift.",
    surfaces,
    holds=above(0),
    twin={"alike": True},
    says="varies",
)
def surface_against_ads(found):
    return found["ad, all rows"] - found["surface, all rows"]


@claim(
    "Whether ads' rates that ignore the surface are worse within it than its mean depends on how fast the ads drift.",
    surfaces,
    holds=above(1),
    twin={"alike": True},
    says="varies",
)
def ads_alone_are_wrong_inside(found):
    return found["ad, inside"]


@claim(
    "Of what a model of surface and ads gains over all rows, less than half is left within the surfaces.",
    surfaces,
    holds=below(0.5),
    twin={"alike": True},
    percent=True,
)
def most_of_the_gain_is_between_surfaces(found):
    return (1 - found["both, inside"]) / (1 - found["both, all rows"])
