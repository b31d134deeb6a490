"""Time training on a log whose classes were balanced in four ways, the making of the rows included."""

from __future__ import annotations

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.click_log import rates
from benchmarks.table import Table, plain, times
from snippets.datasets.ad_log import simulate_ad_log
from snippets.training_data.negative_downsampling import downsample_negatives


def measure() -> Table:
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
    table = Table("Remedy", "Logistic regression", "Boosted trees")
    seconds = {}
    for name, rows in remedies.items():
        seconds[name] = times(*(lambda m=m, rows=rows: m.fit(*rows()) for m in (linear, trees)), repeats=3)
        table.row(name, *(f"{plain(s, 2)} s" for s in seconds[name]))
    table.note = f"Seconds to make {len(y):,} rows into a training set and to train on it, medians of three runs."
    for model, less, whole in zip(table.head[1:], seconds["A tenth of the negatives"], seconds["Nothing"], strict=True):
        if less > whole:
            table.missed.append(f"sampling does not speed up {model}")
    return table
