"""Time training on ten days and prediction of four for each model of the section."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from benchmarks.click_log import click_log
from benchmarks.click_models import click_models, train
from benchmarks.table import Table, plain, times
from snippets.evaluation.normalized_entropy import normalized_entropy


def measure() -> Table:
    """Time training on ten days and prediction of four for each model of the section."""
    torch.set_num_threads(1)
    data = click_log(210_000)
    past, y = data["past"], data["y"]
    table = Table("Model", "Trained", "Rows a second", "A prediction", "500 candidates")
    entropies = {}
    for name, (make, form) in click_models(data["sparse"].shape[1]).items():
        X = data[form]
        X, later = X[past], X[~past]
        labels = np.column_stack([y, data["hide"]])[past] if "Multi" in name else y[past]
        trained = []
        (seconds,) = times(partial(train, make, X, labels, trained), repeats=3)
        model = trained[-1]
        batch, few = times(
            lambda model=model, later=later: model.predict_proba(later),
            lambda model=model, later=later: model.predict_proba(later[:500]),
            repeats=5,
        )
        p = model.predict_proba(later)
        entropies[name] = normalized_entropy(y[~past], p[:, 0] if "Multi" in name else p[:, 1])
        table.row(
            name,
            f"{plain(seconds, 2)} s",
            plain(past.sum() / seconds, 2),
            f"{plain(1e6 * batch / later.shape[0], 2)} us",
            f"{plain(1e3 * few, 2)} ms",
        )
    table.note = (
        f"{past.sum():,} rows to train on, 5,000 users, 500 ads, one thread each. A prediction is the mean of one call "
        f"for {(~past).sum():,} rows; 500 candidates are one call. Medians of three trainings and five predictions. "
        "Trees are 100 of 12 leaves."
    )

    def found(part):
        return next(entropy for name, entropy in entropies.items() if part in name)

    goals = [
        ("GBDTLogisticRegression", found("GBDT"), found("LightGBM") + 0.01),
        ("FactorizationMachineClassifier", found("Factorization"), found("PyTorch") + 0.005),
    ]
    table.missed = [f"{name} has {mine:.4f}, goal {goal:.4f}" for name, mine, goal in goals if mine > goal]
    return table
