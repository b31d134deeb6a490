"""Claims of docs/evaluation/normalized-entropy.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy


@experiment(seeds=10, worlds={"default": {}, "no position bias": {"position_bias": False}})
def truths(seed, *, position_bias=True, rare=0.003, usual=0.03, common=0.2, kept=0.1, odds=1.2, much=10.0):
    """Return log loss and normalized entropy of the truth at several click rates, and what is done to it there."""
    found = {}
    for name, rate in {"rare": rare, "usual": usual, "common": common}.items():
        log = simulate_ad_log(50_000, seed=seed, base_ctr=rate, position_bias=position_bias)
        y, p, rng = log["click"].to_numpy(), log["p_click"].to_numpy(), np.random.default_rng(seed)
        entropy, ctr = normalized_entropy(y, p), y.mean()
        found[f"{name}: entropy"] = entropy
        found[f"{name}: log loss"] = entropy * -(ctr * np.log(ctr) + (1 - ctr) * np.log1p(-ctr))
        keep = (y == 1) | (rng.random(len(y)) < kept)
        found[f"{name}: entropy, sampled"] = normalized_entropy(y[keep], (p / (p + kept * (1 - p)))[keep])
        for what, times in (("wrong", odds), ("very wrong", much)):
            found[f"{name}: cost of {what} odds"] = normalized_entropy(y, p * times / (1 - p + p * times)) - entropy
    return found


@claim(
    "From a click rate of 0.3 % to one of 20 %, the log loss of the truth grows more than fifteenfold, and its "
    "normalized entropy moves by less than a tenth.",
    truths,
    holds=above(0),
    twin={"rare": 0.02},
    unit="in logarithms, the lesser of two margins",
)
def the_rate_divides_out(found):
    entropies = [np.log(found[f"{name}: entropy"]) for name in ("rare", "usual", "common")]
    grown = np.log(found["common: log loss"] / found["rare: log loss"])
    return min(grown - np.log(15), np.log(1.1) - (max(entropies) - min(entropies)))


@claim(
    "On the rows that sampling of negatives keeps, the truth, properly adjusted, scores lower by 0.02 and more: the "
    "rows changed, and nothing else.",
    truths,
    holds=below(-0.02),
    twin={"kept": 1.0},
    unit="of normalized entropy",
)
def sampled_rows_score_lower(found):
    return found["usual: entropy, sampled"] - found["usual: entropy"]


@claim(
    "Odds a fifth too high cost less than 0.01 of normalized entropy: it sees miscalibration dimly.",
    truths,
    holds=below(0.01),
    twin={"odds": 2.0},
    unit="of normalized entropy",
)
def a_fifth_too_high_costs_little(found):
    return found["usual: cost of wrong odds"]


@claim(
    "Odds ten times too high make the truth worse than the constant, at click rates of 0.3 % and of 3 %.",
    truths,
    holds=above(1),
    twin={"much": 1.5},
    unit="of normalized entropy, the lesser of both",
)
def ten_times_is_worse_than_the_constant(found):
    return min(found[f"{name}: entropy"] + found[f"{name}: cost of very wrong odds"] for name in ("rare", "usual"))


@experiment(seeds=10, worlds={"default": {}, "twice the clicks": {"base_ctr": 0.06}})
def gains(seed, *, base_ctr=0.03, shuffled=False):
    """Return entropies, and the click rate of the ad chosen, of models with and without the ad and the user."""
    log = simulate_ad_log(50_000, seed=seed, n_users=500, n_ads=250, base_ctr=base_ctr)
    rng, day, y = np.random.default_rng(seed), log["day"], log["click"].to_numpy()
    if shuffled:
        log["ad_id"] = rng.permutation(log["ad_id"].to_numpy())
    train, test = np.flatnonzero(day < 10), np.flatnonzero(day >= 10)
    known = ["category", "device", "age_group", "hour"]
    found = {}
    for name, columns in [
        ("context", ["position", *known]),
        ("+ ad", ["position", *known, "ad_id"]),
        ("+ ad and user", ["position", *known, "ad_id", "user_id"]),
    ]:
        encoder = OneHotEncoder(handle_unknown="ignore").fit(log[columns])
        model = LogisticRegression(C=0.3, max_iter=500).fit(encoder.transform(log[columns])[train], y[train])
        rows = log.iloc[test]
        p = model.predict_proba(encoder.transform(rows[columns]))[:, 1]
        found[f"entropy, {name}"] = normalized_entropy(y[test], p)
        score = model.decision_function(encoder.transform(rows[columns].assign(position=1)[columns]))
        score += 1e-9 * rng.random(len(score))
        best = rows.assign(score=score).groupby("request_id")["score"].idxmax()
        found[f"choice, {name}"] = rows.loc[best, "relevance"].mean()
    return found


@claim(
    "For a linear model, the ad's identity raises the click rate of the ad it chooses by a tenth or more, the user's "
    "on top of it by less than a twentieth, and yet it lowers normalized entropy by more than a third as much.",
    gains,
    holds=above(0),
    twin={"shuffled": True},
    unit="the least of three margins",
)
def what_a_gain_tells_apart_counts(found):
    ad = np.log(found["choice, + ad"] / found["choice, context"])
    user = np.log(found["choice, + ad and user"] / found["choice, + ad"])
    entropy = [found[f"entropy, {name}"] for name in ("context", "+ ad", "+ ad and user")]
    return min(ad - np.log(1.1), np.log(1.05) - user, (entropy[1] - entropy[2]) - (entropy[0] - entropy[1]) / 3)


@claim(
    "Whether the position alone scores lower than a linear model of all the other features depends on how often users "
    "come back.",
    holds=below(0),
    worlds={"default": {}, "ten times the rows of each user": {"n_users": 250}},
    says="varies",
    twin={"position_bias": False},
    unit="of normalized entropy",
)
def position_may_be_the_strongest(seed, *, n_users=2_500, position_bias=True):
    log = simulate_ad_log(
        50_000,
        seed=seed,
        n_users=n_users,
        n_ads=250,
        position_bias=position_bias,
        randomize_positions=not position_bias,
    )
    train, test, scores = np.flatnonzero(log["day"] < 10), np.flatnonzero(log["day"] >= 10), []
    for columns in (["position"], ["category", "device", "age_group", "hour", "ad_id", "user_id"]):
        X = OneHotEncoder().fit_transform(log[columns])
        model = LogisticRegression(C=0.3, max_iter=500).fit(X[train], log["click"].iloc[train])
        scores.append(normalized_entropy(log["click"].iloc[test], model.predict_proba(X[test])[:, 1]))
    return scores[0] - scores[1]
