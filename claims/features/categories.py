"""Claims of docs/features/categories.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.hashing import collision_share, hash_features
from snippets.modeling.model_comparison import compare_models

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}}


def tuned(log: pd.DataFrame, columns: dict) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Return the normalized entropy and the predictions of a linear model on each, one of three penalties chosen."""
    day, settings = log["day"].to_numpy(), [LogisticRegression(C=C, max_iter=300) for C in (0.03, 0.1, 0.3)]
    parts = day < 8, (day >= 8) & (day < 10), day >= 10
    kinds = {name: (X[:, X.getnnz(axis=0) > 0], settings) for name, X in columns.items()}
    found = compare_models(kinds, log["click"], *parts, budget=3, loss=normalized_entropy)
    return found.table["test"].to_dict(), found.predictions


@claim(
    "The share of ids that collide is the predicted one, to a hundredth.",
    holds=between(-0.01, 0.01),
    twin={"bits_forgotten": 1},
    seeds=20,
    worlds={"as many columns as ids": {}, "four times as many": {"n_bits": 15}, "a quarter": {"n_bits": 11}},
)
def collisions_as_predicted(seed, *, n_bits=13, bits_forgotten=0):
    ids = np.random.default_rng(seed).choice(10**9, 2**13, replace=False)
    columns = hash_features(pd.DataFrame({"ad": ids}), n_bits).indices
    return (np.bincount(columns)[columns] > 1).mean() - collision_share(len(ids), n_bits + bits_forgotten)


@experiment(worlds=WORLDS)
def widths(seed, *, drift=0.08, base_ctr=0.03, narrower=0, signed=True):
    log = simulate_ad_log(40_000, seed=seed, n_users=4_000, n_ads=1_000, drift=drift, base_ctr=base_ctr)
    frame = log[["category", "device", "ad_id", "user_id"]]
    columns = {f"{bits} bits": hash_features(frame, bits - narrower) for bits in (10, 12, 14)}
    columns["18 bits"] = hash_features(frame, 18)
    columns["10 bits, signs"] = hash_features(frame, 10, signed)
    return tuned(log, columns)[0]


@claim(
    "Where an id has some ten rows and the table is four times as wide as there are ids, collisions cost less than "
    "0.003 of normalized entropy on average.",
    widths,
    holds=between(-0.003, 0.003),
    twin={"narrower": 5},
)
def four_times_as_wide_is_enough(found):
    return found["14 bits"] - found["18 bits"]


@claim(
    "Where an id has some ten rows and the table is as wide as there are ids, collisions cost something, and less than "
    "0.01 of normalized entropy on average.",
    widths,
    holds=between(0, 0.01),
    twin={"narrower": 5},
)
def collisions_cost_little(found):
    return found["12 bits"] - found["18 bits"]


@claim(
    "Whether signs help where a table is a quarter as wide as there are ids depends on the log.",
    widths,
    holds=below(0),
    says="varies",
    twin={"signed": False},
)
def signs_depend_on_the_log(found):
    return found["10 bits, signs"] - found["10 bits"]


@experiment(worlds=WORLDS)
def rare(seed, *, drift=0.08, base_ctr=0.03, few=10, many=40, renamed=False):
    log = simulate_ad_log(40_000, seed=seed, n_users=4_000, n_ads=1_000, drift=drift, base_ctr=base_ctr)
    past = (log["day"] < 10).to_numpy()
    if renamed:  # later rows get the ids of other ads, so that an id tells nothing of any
        log.loc[~past, "ad_id"] = np.random.default_rng(seed).permutation(log.loc[~past, "ad_id"])
    columns, seen = {}, {c: log.loc[past, c].value_counts() for c in ("ad_id", "user_id")}
    for name, least in [("all", 1), ("few", few), ("many", many)]:
        frame = log[["category", "device"]].copy()
        for c, counts in seen.items():
            frame[c] = log[c].where(log[c].map(counts).fillna(0) >= least, -1)
        columns[name] = hash_features(frame, 18)
    columns["none"] = hash_features(log[["category", "device"]], 18)
    found, predicted = tuned(log, columns)
    later = log[~past]
    new, y = ~later["ad_id"].isin(seen["ad_id"].index).to_numpy(), later["click"].to_numpy()
    for which, rows in [("new ads", new), ("known ads", ~new)]:
        found |= {f"{name}, {which}": normalized_entropy(y[rows], p[rows]) for name, p in predicted.items()}
    return found


@claim(
    "To pool the ids with fewer than ten rows costs less than to pool those with fewer than forty.",
    rare,
    holds=below(0),
    twin={"few": 100},
)
def a_low_threshold_costs_less(found):
    return found["few"] - found["many"]


@claim(
    "To pool the ids with fewer than forty rows costs something.",
    rare,
    holds=above(0),
    twin={"many": 1},
)
def a_high_threshold_costs(found):
    return found["many"] - found["all"]


@claim(
    "For ads that training never saw, the ids of ad and user bring less than for the others.",
    rare,
    holds=below(0),
    twin={"renamed": True},
)
def ids_tell_less_of_new_ads(found):
    new, known = (found[f"none, {which}"] - found[f"all, {which}"] for which in ("new ads", "known ads"))
    return new - known
