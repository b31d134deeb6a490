"""Claims of docs/problem/framing.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from claims.claim import above, between, claim
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import smoothed_rate


def rates(log):
    """Return the smoothed click rates of ad and user so far, and the position, as logs."""
    ad = smoothed_rate(log["ad_clicks"], log["ad_impressions"], 0.03, 50)
    user = smoothed_rate(log["user_clicks"], log["user_impressions"], 0.03, 50)
    return pd.DataFrame({"ad": np.log(ad), "user": np.log(user), "position": np.log(log["position"])})


@claim(
    "Within a request, the click rate of the ad so far sorts as well as a linear model of the rates of ad and user.",
    worlds={"default": {}, "no drift": {"drift": 0.0}, "more clicks": {"base_ctr": 0.1}},
    holds=between(-0.02, 0.02),
    twin={"mixed_up": True},
    percent=True,
    unit="of the clicks of the linear model",
)
def a_division_sorts_as_well(seed, *, drift=0.08, base_ctr=0.03, mixed_up=False):
    log = simulate_ad_log(100_000, seed=seed, n_users=5_000, n_ads=500, drift=drift, base_ctr=base_ctr)
    X, train = rates(log), (log["day"] < 10).to_numpy()
    model = LogisticRegression().fit(X[train], log.loc[train, "click"])
    rule = X["ad"].to_numpy()
    if mixed_up:  # the rates of other ads
        rule = np.random.default_rng(seed).permutation(rule)
    test = ~train & (log.groupby("request_id")["position"].transform("size") == 5).to_numpy()
    slates = np.flatnonzero(test).reshape(-1, 5)
    relevance = log["relevance"].to_numpy()
    linear, division = (
        relevance[slates[range(len(slates)), score[slates].argmax(axis=1)]].mean()
        for score in (model.predict_proba(X.assign(position=0.0))[:, 1], rule)
    )
    return division / linear - 1


@claim(
    "With 20,000 rows, one model for all has a lower entropy than one for each category.",
    worlds={"default": {}, "more clicks": {"base_ctr": 0.06}, "fewer rows": {"n": 15_000}},
    holds=above(0),
    twin={"n": 200_000},
    unit="normalized entropy lost by separate models",
)
def few_rows_share_a_model(seed, *, n=20_000, base_ctr=0.03):
    log = simulate_ad_log(n, seed=seed, n_users=n // 20, n_ads=max(n // 200, 100), base_ctr=base_ctr)
    X = rates(log).join(pd.get_dummies(log[["category", "age_group"]], dtype=float))
    y, train, p = log["click"].to_numpy(), (log["day"] < 10).to_numpy(), np.empty((2, n))
    every = [np.ones(n, bool)]
    for i, parts in enumerate([every, [(log["category"] == c).to_numpy() for c in log["category"].unique()]]):
        for rows in parts:
            model = LogisticRegression(max_iter=500).fit(X[train & rows], y[train & rows])
            p[i, rows] = model.predict_proba(X[rows])[:, 1]
    one, separate = (normalized_entropy(y[~train], q[~train]) for q in p)
    return separate - one
