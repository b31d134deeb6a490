"""Claims of docs/features/point-in-time-joins.md."""

from __future__ import annotations

from sklearn.metrics import roc_auc_score

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.point_in_time_join import point_in_time_join


def less_the_truth(seed: int, n_users: int, drift: float, base_ctr: float, exact: bool) -> float:
    """Return how far the AUC of a user's click rate, as joined, is above that of the true probability."""
    log = simulate_ad_log(30_000, seed=seed, n_users=n_users, drift=drift, base_ctr=base_ctr)
    log = log[~log.duplicated(["user_id", "timestamp"])]
    by_user = log.groupby("user_id")["click"]
    counter = log[["user_id", "timestamp"]].assign(clicks=by_user.cumsum(), rows=by_user.cumcount() + 1)
    labels = log[["user_id", "timestamp", "click"]]
    joined = point_in_time_join(labels, counter, "timestamp", "user_id", allow_exact=exact)
    rate = (joined["clicks"].fillna(0) + 1) / (joined["rows"].fillna(0) + 33)
    return roc_auc_score(joined["click"], rate) - roc_auc_score(log["click"], log["p_click"])


@experiment(seeds=20, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "more drift": {"drift": 0.2}})
def some_rows(seed, *, n_users=900, drift=0.08, base_ctr=0.03, exact=True):
    return {"above the truth": less_the_truth(seed, n_users, drift, base_ctr, exact)}


@experiment(seeds=20, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}, "more drift": {"drift": 0.2}})
def many_rows(seed, *, n_users=12, drift=0.08, base_ctr=0.03, exact=True):
    return {"above the truth": less_the_truth(seed, n_users, drift, base_ctr, exact)}


@claim(
    "Where a user has some seven requests, a click rate joined with the row of the same instant has a larger AUC than "
    "the truth.",
    some_rows,
    holds=above(0),
    twin={"exact": False},
)
def same_instant_beats_the_truth(found):
    return found["above the truth"]


@claim(
    "Where a user has some hundreds of requests, the same mistake stays below the truth, which thus does not show it.",
    many_rows,
    holds=below(0),
    twin={"n_users": 900},
)
def same_instant_hides_among_many_rows(found):
    return found["above the truth"]
