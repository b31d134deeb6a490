"""The simulated log in each form that a model takes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

from snippets.datasets.ad_log import simulate_ad_log


def rates(log: pd.DataFrame) -> list[pd.Series]:
    """Return the logarithms of the smoothed click rates of ad and user so far."""
    return [np.log((log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33)) for who in ("ad", "user")]


def click_log(n: int, *, n_users: int = 5_000, n_ads: int = 500) -> dict[str, object]:
    """Return the columns of a log in each form that a model takes."""
    log = simulate_ad_log(n, n_users=n_users, n_ads=n_ads)
    codes = [log[c].cat.codes for c in ("category", "device", "age_group")]
    ids = np.column_stack([*codes, log["position"], log["hour"], log["ad_id"], log["user_id"]])
    return {
        "ids": ids,
        "dense": np.column_stack([*codes, log["position"], log["hour"], *rates(log)]),
        "sparse": OneHotEncoder(handle_unknown="ignore").fit_transform(ids).astype(np.float64),
        "ad": ids[:, 5:6],
        "y": log["click"].to_numpy(),
        "hide": log["hide"].to_numpy(),
        "past": (log["day"] < 10).to_numpy(),
    }
