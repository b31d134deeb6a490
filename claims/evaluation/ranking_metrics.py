"""Claims of docs/evaluation/ranking-metrics.md."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.ranking_metrics import group_auc, ndcg_at_k


@experiment(worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "no drift": {"drift": 0.0}})
def knowing_users(seed, *, base_ctr=0.03, drift=0.08, shuffled=False, swap=False):
    log = simulate_ad_log(80_000, seed=seed, n_users=1_000, n_ads=200, base_ctr=base_ctr, drift=drift)
    if shuffled:
        log["user_id"] = np.random.default_rng(seed).permutation(log["user_id"])
    train, test = log[log["day"] < 10], log[log["day"] >= 10]
    found = {}
    for name, extra in [("one", "user_id" if swap else "ad_id"), ("both", ["user_id", "ad_id"])]:
        columns = ["position", *np.atleast_1d(extra)]
        model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=300))
        score = model.fit(train[columns], train["click"]).decision_function(test[columns].assign(position=1))
        found[f"AUC, {name}"] = roc_auc_score(test["click"], score)
        found[f"AUC by request, {name}"] = group_auc(test["click"], score, test["request_id"])
    return found


@claim(
    "A term for the user, added to a linear model that knows the ad, raises AUC over all rows by more than 0.01.",
    knowing_users,
    holds=above(0.01),
    twin={"shuffled": True},
    unit="AUC",
)
def users_raise_auc(found):
    return found["AUC, both"] - found["AUC, one"]


@claim(
    "Inside the requests the same term changes AUC by less than 0.01.",
    knowing_users,
    holds=between(-0.01, 0.01),
    twin={"swap": True},
    unit="AUC by request",
)
def users_leave_lists_alone(found):
    return found["AUC by request, both"] - found["AUC by request, one"]


@claim(
    "Among 100 sampled items the model that never has the right item in its top ten of all items has the higher NDCG.",
    holds=above(0),
    twin={"n_sampled": 1_000},
    seeds=20,
    worlds={"default": {}, "A finds fewer": {"found": 0.1}, "B is worse": {"worst": 600}},
    unit="NDCG at 10",
)
def samples_reverse(seed, *, n_sampled=100, found=0.2, worst=400):
    rng = np.random.default_rng([seed, 1])
    n_users, n_items = 1_000, 10_000
    hit = rng.random(n_users) < found
    finds = np.where(hit, rng.integers(1, 11, n_users), rng.integers(1, n_items + 1, n_users))
    place = np.arange(1, n_sampled + 2)
    ndcg = []
    for rank in (finds, rng.integers(50, worst + 1, n_users)):
        above_it = rng.hypergeometric(rank - 1, n_items - rank, n_sampled)
        y = (place == above_it[:, None] + 1).ravel()
        ndcg.append(ndcg_at_k(y, np.tile(-place, n_users), np.repeat(np.arange(n_users), n_sampled + 1), 10))
    return ndcg[1] - ndcg[0]


def of_position(log):
    """Return what the position shown gains over a constant, in NDCG at 3."""
    lists = log["request_id"]
    return ndcg_at_k(log["click"], -log["position"], lists, 3) - ndcg_at_k(log["click"], np.zeros(len(log)), lists, 3)


@claim(
    "Even where ads are shown in random order, the position shown beats a constant by more than 0.1 of NDCG at 3.",
    holds=above(0.1),
    twin={"position_bias": False},
    worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}},
    unit="NDCG at 3",
)
def position_scores_without_taste(seed, *, base_ctr=0.03, position_bias=True):
    return of_position(
        simulate_ad_log(
            50_000, seed=seed, base_ctr=base_ctr, position_bias=position_bias, randomize_positions=True, n_ads=500
        )
    )


@claim(
    "Where users look at every place alike, the order of the old policy still beats a constant in NDCG at 3.",
    holds=above(0.02),
    twin={"randomize_positions": True},
    worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}},
    unit="NDCG at 3",
)
def the_old_order_knows_something(seed, *, base_ctr=0.03, randomize_positions=False):
    return of_position(
        simulate_ad_log(
            50_000,
            seed=seed,
            base_ctr=base_ctr,
            position_bias=False,
            randomize_positions=randomize_positions,
            n_ads=500,
        )
    )
