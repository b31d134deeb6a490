"""Claims of docs/labs/fourteen_days_in_production.py."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.normalized_entropy import normalized_entropy

COLUMNS = ["position", "category", "device", "ad_id"]


@experiment(seeds=10, worlds={"default": {}, "twice the drift": {"drift": 0.5}})
def fortnight(seed, *, drift=0.25, base_ctr=0.06, lost=True):
    """Return the mean entropy, by what users did, of a model never updated and of three that are updated nightly."""
    log = simulate_ad_log(70_000, seed=seed, n_users=4_000, n_ads=250, drift=drift, base_ctr=base_ctr)
    day, click = log["day"].to_numpy(), log["click"].to_numpy()
    mobile = (log["device"] == "mobile").to_numpy()
    logged = click * ~(mobile & np.isin(day, (6, 7, 8)) & lost)
    X, users, device = OneHotEncoder().fit_transform(log[COLUMNS]), log["user_id"].to_numpy(), log[["device"]]
    rows = [np.flatnonzero(day == d) for d in range(14)]
    models = {}

    def predict(days, on):
        if days not in models:
            train = np.concatenate([rows[d] for d in days])
            models[days] = LogisticRegression(C=0.3, max_iter=300).fit(X[train], logged[train])
        return models[days].predict_proba(X[rows[on]])[:, 1]

    def weak(d, old, new):
        return normalized_entropy(logged[rows[d]], new) <= normalized_entropy(logged[rows[d]], old) + 0.005

    def good(d, old, new):
        limits = {"max_ne_loss": 0.005, "calibration_limit": 1.25}
        return deployment_gate(logged[rows[d]], old, new, users[rows[d]], device.iloc[rows[d]], **limits).passed

    def live(gate, known=()):
        model, scores = (0, 1, 2), []
        for d in range(3, 14):
            if gate and d > 3:
                bad = known if d > 9 else ()
                candidate = tuple([e for e in range(d - 1) if e not in bad][-3:])
                model = candidate if gate(d - 1, predict(model, d - 1), predict(candidate, d - 1)) else model
            scores.append(normalized_entropy(click[rows[d]], predict(model, d)))
        return np.array(scores)

    runs = {"never": live(None), "weak": live(weak), "good": live(good), "known": live(good, (6, 7, 8))}
    found = {name: scores.mean() for name, scores in runs.items()}
    return found | {f"{name}, from day 10": scores[7:].mean() for name, scores in runs.items()}


@claim(
    "Whether a daily update behind the weak gate is then worse over all days than none depends on how fast ads drift.",
    fortnight,
    holds=above(0),
    says="varies",
    twin={"lost": False},
    unit="of normalized entropy",
)
def a_weak_gate_may_be_worse_than_none(found):
    return found["weak"] - found["never"]


@claim(
    "Whether the good gate is then better over all days than the weak one depends on how fast the ads drift.",
    fortnight,
    holds=above(0),
    says="varies",
    twin={"lost": False},
    unit="of normalized entropy",
)
def the_good_gate_may_pay(found):
    return found["weak"] - found["good"]


@claim(
    "Leaving the bad days out of training lowers the entropy from day 10 on.",
    fortnight,
    holds=above(0),
    twin={"lost": False, "drift": 0.0},
    unit="of normalized entropy",
)
def a_list_of_bad_days_pays(found):
    return found["good, from day 10"] - found["known, from day 10"]
