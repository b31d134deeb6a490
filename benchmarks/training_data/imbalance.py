"""Time training on a log whose classes were balanced in four ways, the making of the rows included."""

from __future__ import annotations

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.click_log import rates
from benchmarks.table import HERE, plain, times
from snippets.datasets.ad_log import simulate_ad_log
from snippets.training_data.negative_downsampling import downsample_negatives


def measure() -> list[str]:
    """Time training on a log whose classes were balanced in four ways, the making of the rows included."""
    log = simulate_ad_log(200_000)
    groups = [log["category"] == category for category in log["category"].cat.categories]
    X = np.column_stack([*rates(log), log["position"], log["hour"], *groups]).astype(float)
    y = log["click"].to_numpy()
    ratio = y.sum() / (len(y) - y.sum())

    def sampled():
        keep = downsample_negatives(y, 0.1, np.random.default_rng(0))
        return X[keep], y[keep]

    remedies = {
        "Nothing": lambda: (X, y),
        "Class weights": lambda: (X, y, np.where(y == 1, 1 / ratio, 1.0)),
        "A tenth of the negatives": sampled,
        "SMOTE, from imbalanced-learn": lambda: SMOTE(random_state=0).fit_resample(X, y),
    }
    linear = LogisticRegression(max_iter=500)
    trees = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
    lines = ["| Remedy | Logistic regression | Boosted trees |", "|---|---|---|"]
    seconds = {
        name: times(lambda rows=rows: linear.fit(*rows()), lambda rows=rows: trees.fit(*rows()), repeats=3)
        for name, rows in remedies.items()
    }
    lines += [f"| {name} | {plain(a, 2)} s | {plain(b, 2)} s |" for name, (a, b) in seconds.items()]
    print("\n".join(lines), flush=True)
    lines += ["", f"Seconds to make {len(y):,} rows into a training set and to train on it, medians of three runs."]
    (HERE / "training_data/imbalance.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    slow = [
        m
        for m, a, b in zip(["linear", "trees"], seconds["A tenth of the negatives"], seconds["Nothing"], strict=True)
        if a > b
    ]
    return [f"imbalance: sampling does not speed up {name}" for name in slow]
