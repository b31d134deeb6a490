"""Claims of docs/evaluation/continuous-evaluation.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.normalized_entropy import normalized_entropy

COLUMNS = ["position", "category", "device", "ad_id"]


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}, "phones": {"device": "mobile"}})
def broken_labels(seed, *, drift=0.08, device="tablet", lost=True, mended=False):
    """Return how a model of the newest days compares with the current one, where a device's clicks were lost."""
    log = simulate_ad_log(70_000, seed=seed, n_users=4_000, n_ads=200, drift=drift)
    day, hit = log["day"].to_numpy(), (log["device"] == device).to_numpy()
    logged = (log["click"] * ~(hit & (day >= 9) & lost)).to_numpy()
    X, judge = OneHotEncoder().fit_transform(log[COLUMNS]), np.flatnonzero(day == 12)
    models = []
    for days in ((6, 7, 8), (9, 10, 11)):
        rows = np.isin(day, days)
        models.append(LogisticRegression(C=0.3, max_iter=300).fit(X[rows], logged[rows]).predict_proba(X[judge])[:, 1])
    logs, users = (
        [normalized_entropy(labels[judge], p) for p in models] for labels in (logged, log["click"].to_numpy())
    )
    at = log.iloc[judge]
    seen = log["click"].to_numpy() if mended else logged  # mended: training learned the fault, the judging day is whole
    checks = deployment_gate(seen[judge], *models, at["user_id"], at[["device"]]).checks.set_index("check")
    return {
        "gain by the log": logs[0] - logs[1],
        "gain by what users did": users[0] - users[1],
        "shift passes": float(checks.loc[f"shift, device={device}", "passed"]),
        "shift": checks.loc[f"shift, device={device}", "estimate"],
        "calibration passes": float(checks.loc[f"calibration, device={device}", "passed"]),
        "calibration, low": checks.loc[f"calibration, device={device}", "low"],
        "calibration, high": min(checks.loc[f"calibration, device={device}", "high"], 1e6),
    }


@claim(
    "Judged by labels that are broken as in training, the model that learned the fault beats the current one; by what "
    "users did, it is worse.",
    broken_labels,
    holds=above(0),
    twin={"lost": False},
    unit="of normalized entropy, the lesser of gain and loss",
)
def broken_labels_confirm_the_fault(found):
    return min(found["gain by the log"], -found["gain by what users did"])


@claim(
    "The candidate then promises less than half of the current model's clicks on that device, and no label is needed "
    "to see it.",
    broken_labels,
    holds=below(0.5),
    twin={"lost": False},
    unit="of the current model's clicks",
)
def the_shift_shows_it(found):
    return found["shift"]


@claim(
    "On the broken labels the device's calibration passes: its interval reaches into what is allowed.",
    broken_labels,
    holds=above(0),
    twin={"mended": True},
    unit="in logarithms, how far it reaches in",
)
def calibration_believes_broken_labels(found):
    return min(np.log(1.5 / found["calibration, low"]), np.log(found["calibration, high"] * 1.5))


@experiment(seeds=20)
def margins(seed, *, spread=1.0, worse=0.0):
    """Return how often a model as good as the current one passes the test for better, and that for not worse."""
    rng = np.random.default_rng([seed, 4])
    found = {}
    for n in (10_000, 40_000):
        passed = np.zeros(2)
        for _ in range(4):
            logit = rng.normal(-4, spread, n)
            y = rng.random(n) < 1 / (1 + np.exp(-logit))
            models = [1 / (1 + np.exp(-logit - rng.normal(0, 0.2 + extra, n))) for extra in (0.0, worse)]
            change = deployment_gate(y, *models, np.arange(n), pd.DataFrame(index=range(n))).checks.iloc[0]
            passed += [change["high"] < 0, change["high"] <= 0.005]
        found |= dict(zip([f"{n}, better", f"{n}, not worse"], passed / 4, strict=True))
    return found


@claim(
    "A model as good as the current one passes the test for better hardly ever, and that for not worse by 0.005, on "
    "40,000 rows, in more than half of the nights.",
    margins,
    holds=above(0.5),
    twin={"worse": 0.2},
    percent=True,
    unit="of the nights, between the two",
)
def not_worse_can_be_shown(found):
    return found["40000, not worse"] - found["40000, better"]


@claim(
    "On a quarter of the rows, such a model is stopped more often.",
    margins,
    holds=above(0),
    twin={"worse": 0.4},
    percent=True,
    unit="of the nights",
)
def rows_buy_certainty(found):
    return found["40000, not worse"] - found["10000, not worse"]
