"""Claims of docs/problem/framing.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import smoothed_rate


def rates(log):
    """Return the smoothed click rates of ad and user so far, and the position, as logs."""
    ad = smoothed_rate(log["ad_clicks"], log["ad_impressions"], 0.03, 50)
    user = smoothed_rate(log["user_clicks"], log["user_impressions"], 0.03, 50)
    return pd.DataFrame({"ad": np.log(ad), "user": np.log(user), "position": np.log(log["position"])})


@experiment(worlds={"default": {}, "no drift": {"drift": 0.0}, "more clicks": {"base_ctr": 0.1}})
def choices(seed, *, drift=0.08, base_ctr=0.03, oracle=False, drawn=False):
    """Pick one of five ads by the rate of the ad and by models; return the clicks of each over those of the rate."""
    log = simulate_ad_log(100_000, seed=seed, n_users=5_000, n_ads=500, drift=drift, base_ctr=base_ctr)
    X, train = rates(log).assign(hour=log["hour"]), (log["day"] < 10).to_numpy()
    cross = log["category"].astype(str) + " x " + log["age_group"].astype(str)
    if drawn:  # a cross that says nothing
        cross = pd.Series(np.random.default_rng([seed, 1]).permutation(cross))
    crossed = X.join(pd.get_dummies(cross, dtype=float))
    if oracle:  # a column knows the truth
        X["truth"] = log["relevance"]
    test = ~train & (log.groupby("request_id")["position"].transform("size") == 5).to_numpy()
    slates = np.flatnonzero(test).reshape(-1, 5)
    relevance = log["relevance"].to_numpy()

    def clicks(score):
        return relevance[slates[range(len(slates)), score[slates].argmax(axis=1)]].mean()

    found = {}
    trees = HistGradientBoostingClassifier(max_leaf_nodes=8, early_stopping=False, random_state=seed)
    for name, model, columns in [("trees", trees, X), ("crosses", LogisticRegression(max_iter=500), crossed)]:
        model.fit(columns[train], log.loc[train, "click"])
        score = model.predict_proba(columns.assign(position=0.0))[:, 1]
        found[name] = clicks(score) / clicks(X["ad"].to_numpy()) - 1
    return found


@claim(
    "Within a request, trees on the rates of ad and user gain less than a twentieth in clicks over the rate of the ad.",
    choices,
    holds=below(0.05),
    twin={"oracle": True},
    percent=True,
    unit="of the clicks",
)
def trees_sort_little_better(found):
    return found["trees"]


@claim(
    "Within a request, a linear model with crosses of category and age gains more clicks than trees on the rates.",
    choices,
    holds=above(0),
    twin={"drawn": True},
    percent=True,
    unit="of the clicks of the rate",
)
def crosses_sort_better_than_trees(found):
    return found["crosses"] - found["trees"]


def entropy_lost(seed, n, base_ctr, *, drawn=False):
    """Return how much more normalized entropy one model for each category has than one for all, on later days."""
    log = simulate_ad_log(n, seed=seed, n_users=n // 20, n_ads=max(n // 200, 100), base_ctr=base_ctr)
    X = rates(log).join(pd.get_dummies(log[["category", "age_group"]], dtype=float))
    y, train, p = log["click"].to_numpy(), (log["day"] < 10).to_numpy(), np.empty((2, n))
    key = np.random.default_rng(seed).integers(0, 8, n) if drawn else log["category"].cat.codes.to_numpy()
    for i, part in enumerate([np.zeros(n), key]):
        for value in np.unique(part):
            rows = part == value
            model = LogisticRegression(max_iter=500).fit(X[train & rows], y[train & rows])
            p[i, rows] = model.predict_proba(X[rows])[:, 1]
    one, separate = (normalized_entropy(y[~train], q[~train]) for q in p)
    return separate - one


@claim(
    "With 20,000 rows, one model for all has a lower entropy than one for each category.",
    worlds={"default": {}, "more clicks": {"base_ctr": 0.06}, "fewer rows": {"n": 15_000}},
    holds=above(0),
    twin={"n": 200_000},
    says="varies",
    unit="normalized entropy lost by separate models",
)
def few_rows_share_a_model(seed, *, n=20_000, base_ctr=0.03):
    return entropy_lost(seed, n, base_ctr)


@claim(
    "With 200,000 rows, one model for each category has a lower entropy than one for all.",
    worlds={"default": {}, "more clicks": {"base_ctr": 0.06}},
    holds=below(0),
    twin={"drawn": True},
    unit="normalized entropy lost by separate models",
)
def many_rows_carry_separate_models(seed, *, n=200_000, base_ctr=0.03, drawn=False):
    return entropy_lost(seed, n, base_ctr, drawn=drawn)  # drawn: a key that says nothing
