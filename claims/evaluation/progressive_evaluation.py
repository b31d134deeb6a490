"""Claims of docs/evaluation/progressive-evaluation.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, between, claim, experiment
from snippets.datasets.ad_log import START, simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.progressive_split import ProgressiveSplit

COLUMNS = ["position", "category", "device", "age_group", "ad_id"]


def predict(X, y, train, test):
    """Return predictions of a model trained on some rows for others."""
    return LogisticRegression(C=0.3, max_iter=300).fit(X[train], y[train]).predict_proba(X[test])[:, 1]


@experiment(seeds=10)
def split(seed, *, much=0.3, some=0.08, wild=0.5):
    """Return by how much a random split flatters, and what it says of remembering each ad's day, by drift."""
    found = {}
    for name, drift in [("some", some), ("much", much), ("wild", wild)]:
        log = simulate_ad_log(40_000, seed=seed, n_users=4_000, n_ads=200, drift=drift)
        log["ad_day"] = log["ad_id"] * 100 + log["day"]
        y, day = log["click"].to_numpy(), log["day"].to_numpy()
        before, test = np.flatnonzero(day < 10), np.flatnonzero(day >= 10)
        rng = np.random.default_rng(seed)
        part = rng.integers(0, 2, len(test))
        for extra in ([], ["ad_day"]):
            X = OneHotEncoder().fit_transform(log[[*COLUMNS, *extra]])
            p = np.empty(len(test))
            for k in range(2):
                others = np.setdiff1d(np.arange(len(log)), test[part == k])
                p[part == k] = predict(X, y, rng.choice(others, len(before), False), test[part == k])
            kind = "ad and day" if extra else "ad"
            found[f"{name} drift, {kind}, progressive"] = normalized_entropy(y[test], predict(X, y, before, test))
            found[f"{name} drift, {kind}, random"] = normalized_entropy(y[test], p)
    return found


@claim(
    "At a drift of 0.08 logits a day a random split flatters this model by less than 0.005 of normalized entropy.",
    split,
    holds=between(-0.005, 0.005),
    twin={"some": 0.5},
    unit="of normalized entropy",
)
def some_drift_flatters_little(found):
    return found["some drift, ad, progressive"] - found["some drift, ad, random"]


@claim(
    "At 0.3 logits a day it flatters by more than 0.005.",
    split,
    holds=above(0.005),
    twin={"much": 0.0},
    unit="of normalized entropy",
)
def much_drift_flatters(found):
    return found["much drift, ad, progressive"] - found["much drift, ad, random"]


@claim(
    "Where ads drift by 0.5 logits a day, the random split recommends to remember each ad's day, and the progressive "
    "split does not.",
    split,
    holds=above(0),
    twin={"wild": 0.0},
    unit="of normalized entropy, the lesser of gain and loss",
)
def a_random_split_likes_memory(found):
    gain = {k: found[f"wild drift, ad, {k}"] - found[f"wild drift, ad and day, {k}"] for k in ("random", "progressive")}
    return min(gain["random"], -gain["progressive"])


@experiment(seeds=10, worlds={"default": {}, "three late clicks in ten": {"late_share": 0.3}})
def late(seed, *, late_share=0.5):
    """Return what a backtest on final labels promises and production delivers, without a gap and with one."""
    log = simulate_ad_log(50_000, seed=seed, n_users=5_000, n_ads=200, late_share=late_share)
    X, y, day = OneHotEncoder().fit_transform(log[COLUMNS]), log["click"].to_numpy(), log["day"].to_numpy()
    seconds = (log["timestamp"].dt.tz_localize(None) - START).dt.total_seconds()
    arrival = ((seconds + log["click_delay"]) / 86_400).to_numpy()
    found = {}
    for gap in (0, 1):
        rows = []
        for train, test in ProgressiveSplit(1, 7 - gap, gap, max_train_days=4).split(log, groups=day):
            final = predict(X, y, train, test)
            seen = predict(X, arrival < day[test].min(), train, test)
            rows.append([f(y[test], p) for p in (final, seen) for f in (normalized_entropy, calibration_ratio)])
        names = [f"{what}, {labels}, gap {gap}" for labels in ("final", "seen") for what in ("entropy", "ratio")]
        found |= dict(zip(names, np.mean(rows, axis=0), strict=True))
    return found


@claim(
    "Where many clicks are late, a model trained up to midnight promises at least 4 % fewer clicks than the same model "
    "on final labels: the backtest on final labels shows nothing of it.",
    late,
    holds=above(0.04),
    twin={"late_share": 0.0},
    percent=True,
    unit="of the clicks promised",
)
def final_labels_hide_the_loss(found):
    return 1 - found["ratio, seen, gap 0"] / found["ratio, final, gap 0"]


@claim(
    "Whether a gap of a day lowers the entropy that production delivers depends on how many labels are late.",
    late,
    holds=above(0),
    says="varies",
    twin={"late_share": 0.9},
    unit="of normalized entropy",
)
def a_gap_may_help_when_labels_are_late(found):
    return found["entropy, seen, gap 0"] - found["entropy, seen, gap 1"]


@experiment(seeds=10, worlds={"default": {}, "twice the clicks": {"base_ctr": 0.06}})
def windows(seed, *, base_ctr=0.03, still=0.0, moving=0.3):
    """Return the entropy on the last days of models trained on one day, on seven and on all days before."""
    found = {}
    for name, drift in [("still", still), ("moving", moving)]:
        log = simulate_ad_log(50_000, seed=seed, n_users=5_000, n_ads=400, drift=drift, base_ctr=base_ctr, n_days=21)
        X, y, day = OneHotEncoder().fit_transform(log[COLUMNS]), log["click"].to_numpy(), log["day"].to_numpy()
        for window in (1, 7, None):
            p = np.full(len(log), np.nan)
            splitter = ProgressiveSplit(2, 15, max_train_days=window)
            for train, test in splitter.split(log, groups=day):
                p[test] = predict(X, y, train, test)
            tested = ~np.isnan(p)
            found[f"{name}, {window or 'all'}"] = normalized_entropy(y[tested], p[tested])
    return found


@claim(
    "Without drift, all days beat the last seven.",
    windows,
    holds=above(0),
    twin={"still": 0.5},
    unit="of normalized entropy",
)
def without_drift_more_days_help(found):
    return found["still, 7"] - found["still, all"]


@claim(
    "At a drift of 0.3 logits a day, the last seven days beat all that came before, in a log of three weeks with rows "
    "enough for each ad.",
    windows,
    holds=above(0),
    twin={"moving": 0.0},
    unit="of normalized entropy",
)
def with_drift_old_days_hurt(found):
    return found["moving, all"] - found["moving, 7"]
