"""Time the metrics of lists against a call for each list."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import ndcg_score, roc_auc_score

from benchmarks.table import ROWS, Comparison, Table
from snippets.evaluation.ranking_metrics import group_auc, mean_reciprocal_rank, ndcg_at_k, precision_at_k, recall_at_k

LIST_LENGTH = 10


def measure() -> Table:
    """Time the metrics of lists against a call for each list."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(ROWS // LIST_LENGTH), LIST_LENGTH))
    score = rng.random(ROWS)
    y = (rng.random(ROWS) < 0.2).astype(np.int8)
    table, part = Comparison(), 100
    few = pd.DataFrame({"y": y, "s": score, "g": groups})[groups < ROWS // LIST_LENGTH // part]

    def apply(function):
        return lambda: few.groupby("g")[["y", "s"]].apply(function).mean()

    def auc(g):
        return roc_auc_score(g["y"], g["s"]) if 0 < g["y"].sum() < len(g) else np.nan

    def reciprocal(g):
        clicked = g.sort_values("s", ascending=False)["y"].to_numpy()
        return 1 / (1 + clicked.argmax()) if clicked.any() else np.nan

    order = np.argsort(groups, kind="stable")
    y_matrix, s_matrix = y[order].reshape(-1, LIST_LENGTH), score[order].reshape(-1, LIST_LENGTH)
    lists = slice(0, len(y_matrix) // 10)
    table.compare(
        "ndcg_at_k",
        "`sklearn.metrics.ndcg_score`, lists of equal length only",
        lambda: ndcg_at_k(y, score, groups, 5),
        lambda: ndcg_score(y_matrix[lists], s_matrix[lists], k=5),
        share=10,
        repeats=2,
    )
    for name, ours, other, how, goal in [
        (
            "precision_at_k",
            lambda: precision_at_k(y, score, groups, 5),
            lambda g: g["y"].to_numpy()[np.argsort(-g["s"].to_numpy())[:5]].sum() / 5,
            "NumPy",
            1,
        ),
        (
            "precision_at_k",
            lambda: precision_at_k(y, score, groups, 5),
            lambda g: g.nlargest(5, "s")["y"].sum() / 5,
            "`nlargest`",
            20,
        ),
        (
            "recall_at_k",
            lambda: recall_at_k(y, score, groups, 5),
            lambda g: g.nlargest(5, "s")["y"].sum() / max(g["y"].sum(), 1),
            "`nlargest`",
            20,
        ),
        (
            "mean_reciprocal_rank",
            lambda: mean_reciprocal_rank(y, score, groups),
            reciprocal,
            "`sort_values`",
            20,
        ),
        ("group_auc", lambda: group_auc(y, score, groups), auc, "`roc_auc_score`", 20),
    ]:
        table.compare(name, f"`groupby.apply` with {how}", ours, apply(other), goal=goal, share=part, repeats=2)
    table.note = "Ten million rows in a million lists."
    return table
