"""Claims of docs/features/target-encoding.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, between, claim, experiment
from claims.protocol import compare
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import count_before, smoothed_rate
from snippets.features.target_encoding import encode_from, encode_ordered, encode_out_of_fold

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}}
WHO = ("ad", "user")
STRENGTHS = [0.1, 1, 10, 30, 100, 1_000, 10_000]


@experiment(seeds=10, worlds=WORLDS)
def encodings(seed, *, n_users=3_000, n_ads=300, drift=0.08, base_ctr=0.03, no_taste=False, fold_by_row=False):
    """Return normalized entropies on later days of one encoded column, by key, encoding and model."""
    log = simulate_ad_log(30_000, seed=seed, n_users=n_users, n_ads=n_ads, drift=drift, base_ctr=base_ctr)
    click = log["click"].to_numpy()
    fold = np.random.default_rng(seed).integers(0, 5, len(log))
    if fold_by_row:  # the rows come in pages of five, so that each fold is a position
        fold = np.arange(len(log)) % 5
    trees = _trees()
    linear = [LogisticRegression(C=C, max_iter=500) for C in (0.1, 0.3, 1.0, 3.0)]
    candidates = {}
    for who in WHO:
        key = log[f"{who}_id"].to_numpy()
        if no_taste:  # categories say nothing
            key = np.random.default_rng(seed).permutation(key)
        for name, encode in _encodings(key, click, log["timestamp"], fold).items():
            for kind, settings in [("trees", trees), ("linear", linear)]:
                candidates[f"{who}, {name}, {kind}"] = encode, settings
        candidates[f"{who}, one-hot, linear"] = (
            OneHotEncoder(handle_unknown="ignore").fit_transform(key[:, None]),
            linear,
        )
    return compare(log, candidates).table["test"].to_dict()


def _trees():
    """Return the settings of trees of one column: few and many, small and large."""
    return [
        HistGradientBoostingClassifier(max_iter=n, max_leaf_nodes=leaves, early_stopping=False, random_state=0)
        for n, leaves in [(10, 8), (30, 8), (100, 8), (30, 4)]
    ]


def _encodings(key, click, time, fold):
    """Return each encoding as a function of the rows that are known, which says how the others are served."""
    prior = click[: len(click) // 14].mean()  # of about the first day
    running = encode_ordered(key, click, time, prior=prior)

    def all_other_rows(k, y):
        rows, clicks = np.bincount(k)[k], np.bincount(k, y)[k]
        return (clicks - y + 20 * y.mean()) / (rows - 1 + 20)

    own = {
        "in place": lambda k, y, known: encode_from(k, y, k),
        "all other rows": lambda k, y, known: all_other_rows(k, y),
        "other folds": lambda k, y, known: encode_out_of_fold(k, y, fold[known]),
        "rows before": lambda k, y, known: running[known],
    }

    def served(of_known, known):
        column = encode_from(key[known], click[known], key)
        column[known] = of_known(key[known], click[known], known)
        return np.log(column)[:, None]

    encoders = {name: lambda known, of_known=of_known: served(of_known, known) for name, of_known in own.items()}
    return {**encoders, "rows before, counted on": np.log(running)[:, None]}


@experiment(seeds=10, worlds=WORLDS)
def strengths(seed, *, n_users=3_000, n_ads=300, drift=0.08, base_ctr=0.03, no_taste=False):
    """Return normalized entropies on later days of a linear model of one encoded column, by key and strength."""
    log = simulate_ad_log(30_000, seed=seed, n_users=n_users, n_ads=n_ads, drift=drift, base_ctr=base_ctr)
    past, click = (log["day"] < 10).to_numpy(), log["click"].to_numpy()
    y, prior = click[past], click[log["day"] < 1].mean()
    found = {}
    for who in WHO:
        key = log[f"{who}_id"].to_numpy()
        if no_taste:
            key = np.random.default_rng(seed).permutation(key)
        for strength in STRENGTHS:
            before = encode_ordered(key[past], y, log["timestamp"][past], strength, prior)
            later = encode_from(key[past], y, key[~past], strength, prior)
            X, X_later = (np.log(column)[:, None] for column in (before, later))
            p = LogisticRegression().fit(X, y).predict_proba(X_later)[:, 1]
            found[f"{who}, {strength:g} rows"] = normalized_entropy(click[~past], p)
    return found


@claim(
    "With ten rows a user, its click rate with the row's own label makes trees and a linear model worse than a guess.",
    encodings,
    holds=above(0),
    twin={"n_users": 20},
    unit="of normalized entropy above 1",
)
def own_label_is_worse_than_a_guess(found):
    return min(found["user, in place, trees"], found["user, in place, linear"]) - 1


@claim(
    "With twenty ads, the mean of all other rows shows trees the row's label, and costs 0.02 and more against folds.",
    holds=above(0.02),
    twin={"n_ads": 30_000},
    worlds=WORLDS,
    unit="of normalized entropy",
)
def leaving_one_out_leaks_to_trees(seed, *, n_ads=20, drift=0.08, base_ctr=0.03):
    log = simulate_ad_log(30_000, seed=seed, n_users=3_000, n_ads=n_ads, drift=drift, base_ctr=base_ctr)
    fold = np.random.default_rng(seed).integers(0, 5, len(log))
    encode = _encodings(log["ad_id"].to_numpy(), log["click"].to_numpy(), log["timestamp"], fold)
    found = compare(log, {name: (encode[name], _trees()) for name in ("all other rows", "other folds")}).table["test"]
    return found["all other rows"] - found["other folds"]


@claim(
    "To a linear model, the mean of all other rows and that of other folds differ by less than 0.003 on average.",
    encodings,
    holds=between(-0.003, 0.003),
    twin={"fold_by_row": True},
    unit="of normalized entropy",
)
def leaving_one_out_spares_the_linear_model(found):
    return max((found[f"{who}, all other rows, linear"] - found[f"{who}, other folds, linear"] for who in WHO), key=abs)


@claim(
    "To a linear model, random folds and the rows before differ by less than 0.003 on average.",
    encodings,
    holds=between(-0.003, 0.003),
    twin={"fold_by_row": True},
    unit="of normalized entropy",
)
def folds_and_rows_before_are_level(found):
    return max((found[f"{who}, other folds, linear"] - found[f"{who}, rows before, linear"] for who in WHO), key=abs)


@claim(
    "Averaged over ads, users and logs, linear models of one-hot columns and of the code differ by less than 0.005.",
    encodings,
    holds=between(-0.005, 0.005),
    twin={"fold_by_row": True},
    unit="of normalized entropy",
)
def one_hot_is_as_good(found):
    return np.mean([found[f"{who}, one-hot, linear"] - found[f"{who}, other folds, linear"] for who in WHO])


@claim(
    "Counts of an ad that go on while serving predict better than an encoder that stands still, even without drift.",
    holds=below(0),
    twin={"no_taste": True},
    seeds=20,
    worlds=WORLDS | {"no drift": {"drift": 0.0}},
    unit="of normalized entropy",
)
def counting_on_is_better(seed, *, drift=0.08, base_ctr=0.03, no_taste=False):
    log = simulate_ad_log(60_000, seed=seed, n_users=6_000, n_ads=600, drift=drift, base_ctr=base_ctr)
    past, y, key = (log["day"] < 10).to_numpy(), log["click"].to_numpy(), log["ad_id"].to_numpy()
    if no_taste:
        key = np.random.default_rng(seed).permutation(key)
    time, is_click = log["timestamp"], y == 1
    arrived = (time + pd.to_timedelta(log["click_delay"], unit="s"))[is_click]  # when a server can count it
    shown, clicks = count_before(key, time, key, time), count_before(key[is_click], arrived, key, time)
    running = smoothed_rate(clicks, shown, y[log["day"] < 1].mean(), 20)
    still = encode_from(key[past], y[past], key[~past])
    model = LogisticRegression().fit(np.log(running[past])[:, None], y[past])
    on, off = (model.predict_proba(np.log(column)[:, None])[:, 1] for column in (running[~past], still))
    return normalized_entropy(y[~past], on) - normalized_entropy(y[~past], off)


@claim(
    "For the rate of an ad, too little smoothing costs, and so does too much.",
    strengths,
    holds=above(0),
    twin={"no_taste": True},
    unit="of normalized entropy",
)
def both_ends_cost(found):
    return min(found["ad, 0.1 rows"], found["ad, 10000 rows"]) - found["ad, 30 rows"]


@claim(
    "A prior worth 30 to 100 rows loses less than 0.005 on average against the best; with rare clicks it may be more.",
    strengths,
    holds=below(0.005),
    twin={"no_taste": True},
    says="varies",
    unit="of normalized entropy",
)
def thirty_to_a_hundred_will_do(found):
    return max(
        found[f"{who}, {s} rows"] - min(found[f"{who}, {t:g} rows"] for t in STRENGTHS)
        for who in WHO
        for s in (30, 100)
    )
