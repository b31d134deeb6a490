"""The comparison protocol: what every claim that compares models hands to ``compare_models``.

The same rows for all; the same fields, each as the model takes it; labels of known rows alone behind every rate; the
same number of settings for each kind of model, chosen on the same two days; the same later days to be judged on.
Position is not among the fields: nobody knows it when a request is scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import count_before
from snippets.modeling.cross_network import CrossNetworkClassifier
from snippets.modeling.factorization_machine import FactorizationMachineClassifier
from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from snippets.modeling.model_comparison import Comparison, compare_models

BUDGET = 4
VALIDATION, TEST = 8, 10  # the first days of the two parts


def small_fields(log: pd.DataFrame) -> np.ndarray:
    """Return the codes of category, device and age group, one column each."""
    return np.column_stack([log[c].cat.codes.astype(int) for c in ("category", "device", "age_group")])


def all_fields(log: pd.DataFrame) -> np.ndarray:
    """Return the fields that are known when a request is scored, as whole numbers: the small ones, hour, ad, user."""
    return np.column_stack([small_fields(log), log["hour"], log["ad_id"], log["user_id"]])


def dense(log: pd.DataFrame, known: np.ndarray) -> np.ndarray:
    """Return small fields, hour, and the log-odds of ad and user so far, from impressions and clicks of known rows."""
    seen = log[known]
    clicked = seen[seen["click"] == 1]
    arrived = clicked["timestamp"] + pd.to_timedelta(clicked["click_delay"], unit="s")
    base = seen["click"].mean()
    rates = []
    for key in ("ad_id", "user_id"):
        shown = count_before(seen[key], seen["timestamp"], log[key], log["timestamp"])
        clicks = count_before(clicked[key], arrived, log[key], log["timestamp"])
        rates.append(np.log((clicks + 50 * base) / (shown + 50)))
    return np.column_stack([small_fields(log), log["hour"], *rates])


def settings(seed: int) -> dict[str, list[Any]]:
    """Return the settings that each kind of model may try: ``BUDGET`` of them."""
    trees = [(30, 0.1, 12), (60, 0.1, 6), (100, 0.1, 6), (100, 0.1, 12)]  # trees, rate, leaves
    return {
        "linear": [LogisticRegression(C=C, max_iter=500) for C in (0.03, 0.1, 0.3, 1.0)],
        "trees": [
            HistGradientBoostingClassifier(
                max_iter=n, learning_rate=rate, max_leaf_nodes=leaves, early_stopping=False, random_state=seed
            )
            for n, rate, leaves in trees
        ],
        "trees + linear": [GBDTLogisticRegression(n, leaves, rate, random_state=seed) for n, rate, leaves in trees],
        "factorization machine": [
            FactorizationMachineClassifier(k, learning_rate=rate, n_epochs=n, random_state=seed)
            for k, rate, n in [(4, 0.03, 1), (8, 0.03, 1), (8, 0.03, 2), (8, 0.1, 1)]
        ],
        "network": [
            CrossNetworkClassifier(k, n_cross, n_hidden, learning_rate=rate, random_state=seed)
            for k, n_cross, n_hidden, rate in [(4, 0, 32, 0.01), (4, 2, 0, 0.01), (8, 0, 32, 0.03), (8, 2, 0, 0.03)]
        ],
    }


def compare(log: pd.DataFrame, candidates: Mapping[str, tuple[Any, list[Any]]]) -> Comparison:
    """Compare models on a log of at least twelve days by normalized entropy, tuned on days 8 and 9."""
    day = log["day"].to_numpy()
    parts = day < VALIDATION, (day >= VALIDATION) & (day < TEST), day >= TEST
    return compare_models(candidates, log["click"], *parts, budget=BUDGET, loss=normalized_entropy)
