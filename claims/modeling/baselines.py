"""Claims of docs/modeling/baselines.md."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import log_loss

from claims.claim import below, claim
from snippets.datasets.ad_log import simulate_ad_log
from snippets.modeling.smoothed_ctr import SmoothedCTR


@claim(
    "A smoothed rate of the ad predicts the later days better than one rate for all.",
    holds=below(0),
    twin={"shuffled": True},
    worlds={"default": {}, "more drift": {"drift": 0.25}},
    unit="of the entropy",
)
def smoothed_rate_beats_constant(seed, *, drift=0.08, shuffled=False):
    log = simulate_ad_log(30_000, seed=seed, drift=drift, n_users=2_000, n_ads=200)
    y, past = log["click"].to_numpy(), (log["day"] < 10).to_numpy()
    ad = log[["ad_id"]].to_numpy()
    if shuffled:
        ad = np.random.default_rng(seed).permutation(ad)
    p = SmoothedCTR().fit(ad[past], y[past]).predict_proba(ad[~past])[:, 1]
    return log_loss(y[~past], p) / log_loss(y[~past], np.full(p.size, y[past].mean())) - 1
