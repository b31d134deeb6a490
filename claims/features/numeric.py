"""Claims of docs/features/numeric.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.model_comparison import compare_models

WORLDS = {"default": {}, "more drift": {"drift": 0.25}, "more clicks": {"base_ctr": 0.06}}


def trees() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False, random_state=0)


def numbers(log: pd.DataFrame) -> np.ndarray:
    """Return the smoothed rates of ad and user, and how many impressions each has had."""
    rates = [(log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33) for who in ("ad", "user")]
    return np.column_stack([*rates, log["ad_impressions"], log["user_impressions"]])


@experiment(worlds=WORLDS)
def writings(seed, *, drift=0.08, base_ctr=0.03, shuffled=False):
    log = simulate_ad_log(50_000, seed=seed, n_users=5_000, n_ads=500, drift=drift, base_ctr=base_ctr)
    day, y, raw = log["day"].to_numpy(), log["click"].to_numpy(), numbers(log)
    if shuffled:
        y = np.random.default_rng(seed).permutation(y)
    past = day < 10
    steps = {
        "as it is": StandardScaler(with_mean=False, with_std=False),
        "scaled": StandardScaler(),
        "quantile": QuantileTransformer(random_state=0, subsample=None),
    }
    columns = {name: step.fit(raw[past]).transform(raw) for name, step in steps.items()}
    columns["logarithm"] = StandardScaler().fit(np.log(raw + 0.001)[past]).transform(np.log(raw + 0.001))
    edges = [np.unique(np.quantile(column, np.arange(1, 20) / 20)) for column in raw[past].T]
    buckets = [np.searchsorted(edge, column) for edge, column in zip(edges, raw.T, strict=True)]
    columns["20 buckets"] = OneHotEncoder().fit_transform(np.column_stack(buckets))
    settings = [LogisticRegression(C=C, max_iter=500) for C in (0.1, 1.0, 10.0)]
    parts = day < 8, (day >= 8) & past, ~past
    candidates = {name: (X, settings) for name, X in columns.items()}
    return compare_models(candidates, y, *parts, budget=3, loss=normalized_entropy).table["test"].to_dict()


@claim(
    "For a linear model the logarithm is on average the best of the five ways to write rates and counts.",
    writings,
    holds=below(0),
    twin={"shuffled": True},
)
def logarithm_is_best(found):
    return found["logarithm"] - min(v for name, v in found.items() if name != "logarithm")


@experiment(seeds=20, worlds=WORLDS)
def trees_writings(seed, *, drift=0.08, base_ctr=0.03, bent=False, n_buckets=20):
    log = simulate_ad_log(30_000, seed=seed, n_users=3_000, n_ads=300, drift=drift, base_ctr=base_ctr)
    past, y, raw = (log["day"] < 10).to_numpy(), log["click"].to_numpy(), numbers(log)
    quantiles = QuantileTransformer(random_state=0, subsample=None).fit(raw[past]).transform(raw)
    buckets = np.floor(n_buckets * quantiles)
    if bent:  # another order: how far from the middle
        quantiles = abs(quantiles - 0.5)
    written = {"as it is": raw, "logarithm": np.log(raw + 0.001), "quantiles": quantiles, "buckets": buckets}
    found = {}
    for name, X in written.items():
        p = trees().fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        found[name] = normalized_entropy(y[~past], p)
    return found


@claim(
    "Trees hardly notice how a number is written: as a logarithm or as quantiles, normalized entropy stays the same, "
    "to 0.001 on average.",
    trees_writings,
    holds=between(-0.001, 0.001),
    twin={"bent": True},
)
def trees_ignore_the_scale(found):
    return max((found[name] - found["as it is"] for name in ("logarithm", "quantiles")), key=abs)


@claim(
    "Whether twenty buckets cost trees anything depends on the log.",
    trees_writings,
    holds=above(0),
    says="varies",
    twin={"n_buckets": 1},
)
def buckets_depend_on_the_log(found):
    return found["buckets"] - found["as it is"]


@experiment(worlds={"default": {}, "more drift": {"drift": 0.2}, "a month": {"n_days": 28}})
def outside(seed, *, drift=0.08, n_days=14, running=False, same_days=False):
    log = simulate_ad_log(60_000, n_days, seed, n_users=6_000, n_ads=300, drift=drift, base_ctr=0.06)
    start, end = (n_days * 5 // 7, n_days) if not running else (4, 6)
    past, later = (log["day"] < 4).to_numpy(), log["day"].between(start, end - 1).to_numpy()
    if same_days:
        later, past = past & (np.arange(len(log)) % 2 == 1), past & (np.arange(len(log)) % 2 == 0)
    y, rate = log["click"].to_numpy(), np.log((log["ad_clicks"] + 1) / (log["ad_impressions"] + 33)).to_numpy()
    total = log["ad_impressions"].to_numpy().astype(float)
    found = {}
    for name, column in {
        "left out": None,
        "total": total,
        "clipped": np.minimum(total, np.quantile(total[past], 0.99)),
        "a day": np.log1p(total / (log["day"] + 1)),
    }.items():
        X = np.column_stack([rate, *([] if column is None else [column])])
        for kind, model in [("linear", make_pipeline(StandardScaler(), LogisticRegression())), ("trees", trees())]:
            p = model.fit(X[past], y[past]).predict_proba(X[later])[:, 1]
            found[f"{name}, {kind}"] = calibration_ratio(y[later], p) - 1
    return found


@claim(
    "Which way the total pushes the promise of a linear model trained on four days depends on the log: over two weeks "
    "mostly down, over a month either way.",
    outside,
    holds=above(0),
    says="varies",
    twin={"running": True},
    percent=True,
)
def total_promises_too_much(found):
    return found["total, linear"] - found["left out, linear"]


def moved(found: dict[str, float], name: str, *kinds: str) -> float:
    """Return by how much a column moves the promise, on average over kinds of models."""
    return float(np.mean([abs(found[f"{name}, {kind}"] - found[f"left out, {kind}"]) for kind in kinds]))


@claim(
    "A total of all time moves the promise on later days by more than impressions a day do.",
    outside,
    holds=above(0),
    twin={"same_days": True},
    percent=True,
    unit="of the clicks",
)
def total_moves_the_promise(found):
    return moved(found, "total", "linear", "trees") - moved(found, "a day", "linear", "trees")


@claim(
    "Clipped to the range of training, the total moves the promise of a linear model less.",
    outside,
    holds=below(0),
    twin={"same_days": True},
    percent=True,
    unit="of the clicks",
)
def clipping_helps_a_linear_model(found):
    return moved(found, "clipped", "linear") - moved(found, "total", "linear")
