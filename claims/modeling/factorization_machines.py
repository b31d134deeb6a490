"""Claims of docs/modeling/factorization-machines.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from claims.protocol import all_fields, compare
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.factorization_machine import FactorizationMachineClassifier

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.06}}


def _log(n, seed, drift, base_ctr, n_users, n_ads, no_taste):
    """Return a log, and its columns; without taste, the users of other requests are beside each ad."""
    log = simulate_ad_log(n, seed=seed, drift=drift, base_ctr=base_ctr, n_users=n_users, n_ads=n_ads)
    X = all_fields(log)
    if no_taste:
        order, of_user = np.random.default_rng(seed).permutation(len(log)), [1, 2, 5]
        X[:, of_user] = X[order][:, of_user]
    return log, X


def _factors(*settings):
    return [
        FactorizationMachineClassifier(k, learning_rate=rate, n_epochs=n, random_state=0) for k, rate, n in settings
    ]


LINEAR = [LogisticRegression(C=C, max_iter=3_000) for C in (0.03, 0.1, 0.3, 1.0)]
FACTORS = _factors((4, 0.03, 2), (8, 0.03, 2), (8, 0.03, 4), (8, 0.1, 1))


@experiment(seeds=20, worlds=WORLDS)
def models(seed, *, drift=0.08, base_ctr=0.1, n_users=400, no_taste=False, few=1):
    log, codes = _log(40_000, seed, drift, base_ctr, n_users, 40, no_taste)
    crosses = [codes[:, 0] * 10 + codes[:, 2], codes[:, 0] * 10 + codes[:, 1]]
    pair = codes[:, 5] * 100 + codes[:, 4]
    wide = {"": codes, " + crosses": np.column_stack([codes, *crosses])}
    turn, found = log["request_id"].to_numpy() % 8, {}
    for name, share in [("few", few), ("many", 8)]:
        rows = (turn < share) | (log["day"] >= 10).to_numpy()
        past = (log["day"][rows] < 10).to_numpy()
        candidates = {}
        for more, columns in {**wide, " + crosses and pairs": np.column_stack([*wide.values(), pair])}.items():
            X = OneHotEncoder(handle_unknown="ignore").fit(columns[rows][past]).transform(columns[rows])
            candidates[f"linear{more}"] = X, LINEAR
            if more in wide and not (more and name == "few"):
                candidates[f"factors{more}"] = X, FACTORS
        losses = compare(log[rows], candidates).table["test"]
        found |= {f"{name} rows, {model}": loss for model, loss in losses.items()}
    return found


@claim(
    "With about nine rows for each user, a factorization machine is level with the linear model on the same columns, "
    "to within one percent.",
    models,
    holds=between(-0.01, 0.01),
    twin={"few": 8},
    percent=True,
)
def few_rows_bring_nothing(found):
    return found["few rows, factors"] / found["few rows, linear"] - 1


@experiment(seeds=20, worlds=WORLDS)
def few_rows(seed, *, drift=0.08, base_ctr=0.1, n_users=400, n_ads=40, longer=1):
    log, codes = _log(40_000, seed, drift, base_ctr, n_users, n_ads, False)
    rows = (log["request_id"].to_numpy() % 8 < 1) | (log["day"] >= 10).to_numpy()
    past = (log["day"][rows] < 10).to_numpy()
    X = OneHotEncoder(handle_unknown="ignore").fit(codes[rows][past]).transform(codes[rows])
    plain = [(8, 0.03, 2), (8, 0.03, 4), (8, 0.1, 1), (8, 0.1, 2)]
    penalized = [(0.1, 3, 0.03, 0.03), (0.1, 5, 0.03, 0.1), (0.1, 5, 0.1, 0.3), (0.03, 4, 0.0, 0.0)]
    candidates = {
        "linear": LINEAR,
        "factors": _factors(*((k, rate, longer * n) for k, rate, n in plain)),
        "no factors": _factors(*((0, rate, longer * n) for _, rate, n in plain)),
        "factors, penalties": [
            FactorizationMachineClassifier(
                8, learning_rate=rate, n_epochs=n, l2_linear=weights, l2_factors=vectors, random_state=0
            )
            for rate, n, weights, vectors in penalized
        ],
    }
    return compare(log[rows], {name: (X, tried) for name, tried in candidates.items()}).table["test"].to_dict()


@claim(
    "With about nine rows for each user, its factors cost less than half a percent: without them it does no better.",
    few_rows,
    holds=below(0.005),
    twin={"longer": 5},
    percent=True,
)
def factors_are_not_to_blame(found):
    return found["factors"] / found["no factors"] - 1


@claim(
    "With about nine rows for each user and five times as many passes, it loses to itself without factors.",
    holds=above(0),
    worlds={"default": {}, "more drift": {"drift": 0.25}},
    twin={"longer": 1},
    percent=True,
)
def longer_the_factors_learn_noise(seed, *, drift=0.08, longer=5):
    found = few_rows(seed, drift=drift, longer=longer)
    return found["factors"] / found["no factors"] - 1


@claim(
    "With about seventy rows and seven clicks for each user, it beats the linear model on the same columns.",
    models,
    holds=below(0),
    twin={"no_taste": True},
    percent=True,
)
def factors_win_on_many_rows(found):
    return found["many rows, factors"] / found["many rows, linear"] - 1


@claim(
    "With about seventy rows for each user, two crosses by hand and factors are level, to within one percent.",
    models,
    holds=between(-0.01, 0.01),
    twin={"n_users": 8_000},
    percent=True,
)
def crosses_are_level_with_factors(found):
    return found["many rows, linear + crosses"] / found["many rows, factors"] - 1


@claim(
    "Where pairs repeat, the pair as a column beats factors beside the same two crosses by more than one percent.",
    models,
    holds=below(-0.01),
    twin={"no_taste": True},
    percent=True,
)
def repeated_pairs_beat_factors(found):
    return found["many rows, linear + crosses and pairs"] / found["many rows, factors + crosses"] - 1


@claim(
    "With about seventy rows and two clicks for each user, it beats the linear model on the same columns.",
    holds=below(0),
    twin={"no_taste": True},
    percent=True,
)
def two_clicks_may_do(seed, *, base_ctr=0.03, no_taste=False):
    log, codes = _log(40_000, seed, 0.08, base_ctr, 400, 40, no_taste)
    X = OneHotEncoder(handle_unknown="ignore").fit(codes[log["day"] < 10]).transform(codes)
    losses = compare(log, {"linear": (X, LINEAR), "factors": (X, FACTORS)}).table["test"]
    return losses["factors"] / losses["linear"] - 1


@experiment(worlds=WORLDS)
def pairs_that_never_met(seed, *, drift=0.08, base_ctr=0.1, no_taste=False):
    log, codes = _log(80_000, seed, drift, base_ctr, 600, 300, no_taste)
    y, past = log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    pair = codes[:, 5] * 1_000 + codes[:, 4]
    met = np.isin(pair[~past], pair[past])
    X = OneHotEncoder(handle_unknown="ignore").fit(codes[past]).transform(codes)
    candidates = {
        "single columns": (X, _factors((0, 0.1, 2), (0, 0.1, 5))),
        "factors": (X, _factors((8, 0.03, 2), (8, 0.03, 4))),
    }
    auc = {}
    for name, p in compare(log, candidates).predictions.items():
        for rows, part in [("met", met), ("never met", ~met)]:
            auc[name, rows] = roc_auc_score(y[~past][part], p[part])
    gains = {rows: auc["factors", rows] - auc["single columns", rows] for rows in ("met", "never met")}
    return {f"AUC gained, {rows}": gain for rows, gain in gains.items()} | {"share that met": met.mean()}


@claim(
    "With about ninety rows for each user, factors raise the AUC of pairs of user and ad that never met before.",
    pairs_that_never_met,
    holds=above(0),
    twin={"no_taste": True},
    unit="of AUC",
)
def factors_speak_for_new_pairs(found):
    return found["AUC gained, never met"]


@experiment(worlds=WORLDS)
def passes(seed, *, drift=0.08, base_ctr=0.1, n_users=1_500, n_ads=150, copies=1):
    log, codes = _log(30_000, seed, drift, base_ctr, n_users, n_ads, False)
    y, past = log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    X = OneHotEncoder(handle_unknown="ignore").fit(codes[past]).transform(codes)
    rows, found = np.repeat(np.flatnonzero(past), copies), {}
    for name, rate, penalty in [("0.02", 0.02, 0.0), ("0.1", 0.1, 0.0), ("0.1, penalty", 0.1, 0.03)]:
        model = FactorizationMachineClassifier(8, learning_rate=rate, l2_factors=penalty, random_state=0)
        rng = np.random.default_rng(seed)
        for n in range(1, 6):
            order = rng.permutation(rows)
            model.partial_fit(X[order], y[order])
            p = model.predict_proba(X[~past])[:, 1]
            found[f"rate {name}, pass {n}"] = normalized_entropy(y[~past], p)
    return found


def _path(found, rate):
    return np.array([found[f"rate {rate}, pass {n}"] for n in range(1, 6)])


@claim(
    "At a rate of 0.1, the second pass over the same rows makes a factorization machine worse on later days.",
    passes,
    holds=above(0),
    twin={"n_users": 20, "n_ads": 20},
    percent=True,
)
def second_pass_harms_at_a_large_rate(found):
    first, second = _path(found, "0.1")[:2]
    return second / first - 1


@claim(
    "At a rate of 0.02, the second pass makes it better.",
    passes,
    holds=below(0),
    twin={"copies": 10},
    percent=True,
)
def second_pass_helps_at_a_small_rate(found):
    first, second = _path(found, "0.02")[:2]
    return second / first - 1


@claim(
    "At a rate of 0.1, five passes with a penalty end better than five without.",
    passes,
    holds=below(0),
    twin={"n_users": 20, "n_ads": 20},
    percent=True,
)
def penalty_forgives_passes(found):
    return _path(found, "0.1, penalty")[-1] / _path(found, "0.1")[-1] - 1
