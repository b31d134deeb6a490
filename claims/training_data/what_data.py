"""Claims of docs/training-data/what-data.md."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy

KINDS = {
    "user": ["age_group"],
    "item": ["category"],
    "request": ["hour", "device"],
    "position": ["position"],
    "history of the ad": ["ad_rate", "ad_impressions"],
    "history of the user": ["user_rate", "user_impressions"],
}
BEFORE = [name for name in KINDS if name != "position"]


@experiment(
    seeds=10,
    worlds={"default": {}, "more drift": {"drift": 0.25}},
)
def worth(
    seed,
    *,
    drift=0.08,
    position_bias=True,
    randomize_positions=False,
    by_age=False,
    shuffled=False,
    n_users=2_000,
    n_ads=200,
):
    """Return the share of what can be known that each kind of data brings alone, and all but one of them."""
    biases = {"position_bias": position_bias, "randomize_positions": randomize_positions}
    log = simulate_ad_log(40_000, seed=seed, drift=drift, n_users=n_users, n_ads=n_ads, **biases)
    if by_age:  # the young click a fifth as often
        kept = np.where(log["age_group"].cat.codes < 2, 0.2, 1.0)
        log["p_click"] *= kept
        log["click"] *= (np.random.default_rng(seed).random(len(log)) < kept).astype(np.int8)
    for who in ("ad", "user"):
        log[f"{who}_rate"] = (log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33)
    if shuffled:  # the histories of other rows
        rng = np.random.default_rng(seed)
        for who in ("ad", "user"):
            own = [f"{who}_rate", f"{who}_impressions"]
            log[own] = log[own].to_numpy()[rng.permutation(len(log))]
    past, y = log["day"] < 10, log["click"]
    floor = normalized_entropy(y[~past], log["p_click"][~past])
    sets = dict(KINDS)
    sets["all before"] = [column for name in BEFORE for column in KINDS[name]]
    sets["all but age"] = [column for column in sets["all before"] if column != "age_group"]
    found = {}
    for name, columns in sets.items():
        model = HistGradientBoostingClassifier(
            learning_rate=0.2,
            max_iter=25,
            max_leaf_nodes=6,
            categorical_features="from_dtype",
            early_stopping=False,
            random_state=0,
        ).fit(log.loc[past, columns], y[past])
        entropy = normalized_entropy(y[~past], model.predict_proba(log.loc[~past, columns])[:, 1])
        found[name] = (1 - entropy) / (1 - floor)
    return found


@claim(
    "Of what is known when a request is scored, the ad's own history brings more than each of the other kinds, where "
    "an ad has ten times the rows of a user.",
    worth,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of what can be known",
)
def history_of_the_ad_is_worth_most(found):
    return found["history of the ad"] - max(found[name] for name in BEFORE if name != "history of the ad")


@claim(
    "The user's own history brings less than the ad's, where an ad has ten times the rows of a user.",
    worth,
    holds=below(0),
    twin={"n_users": 200, "n_ads": 2_000},
    percent=True,
    unit="of what can be known",
)
def the_longer_history_is_worth_more(found):
    return found["history of the user"] - found["history of the ad"]


@claim(
    "Position explains more clicks than the hour and the device do.",
    worth,
    holds=above(0),
    twin={"position_bias": False, "randomize_positions": True},
    percent=True,
    unit="of what can be known",
)
def position_explains_much(found):
    return found["position"] - found["request"]


@claim(
    "Leaving out the age group costs less than a tenth of what can be known.",
    worth,
    holds=below(0.1),
    twin={"by_age": True},
    percent=True,
    unit="of what can be known",
)
def age_is_worth_little(found):
    return found["all before"] - found["all but age"]


@experiment(worlds={"default": {}, "no drift": {"drift": 0.0}, "rarer clicks": {"base_ctr": 0.01}})
def fifty(seed, *, drift=0.08, base_ctr=0.03, n=60_000, wrong=3.0, even=False):
    """Return, of the fifty ads with most clicks, rate and smoothed rate, how many are true ones, and how liked."""
    log = simulate_ad_log(n, seed=seed, n_users=3_000, n_ads=300, drift=drift, base_ctr=base_ctr)
    if even:  # all ads were shown about equally often
        log = log[log.groupby("ad_id").cumcount() < 60]
        log = log[log.groupby("ad_id")["click"].transform("size") > 55]
    ads = log.groupby("ad_id").agg(clicks=("click", "sum"), shown=("click", "size"), relevance=("relevance", "mean"))
    ads["rate"] = ads["clicks"] / ads["shown"]
    mean = ads["clicks"].sum() / ads["shown"].sum()
    ads["smoothed"] = (ads["clicks"] + 100 * mean) / (ads["shown"] + 100)
    ads["wrongly smoothed"] = (ads["clicks"] + 100 * wrong * mean) / (ads["shown"] + 100)
    best, found = ads.nlargest(50, "relevance").index, {}
    for name in ("clicks", "rate", "smoothed", "wrongly smoothed"):
        top = ads.nlargest(50, name)
        found |= {name: top.index.isin(best).sum(), f"{name}, liked": top["relevance"].mean()}
    return found


@claim(
    "Of the fifty best ads, the fifty with the highest click rate hold more than the fifty with most clicks.",
    fifty,
    holds=above(0),
    twin={"even": True},
    unit="ads of fifty",
)
def rates_find_more_than_clicks(found):
    return found["rate"] - found["clicks"]


@claim(
    "The fifty ads with the highest rate, smoothed towards the mean of all ads, are liked more than the fifty with the "
    "highest rate.",
    fifty,
    holds=above(0),
    says="varies",
    twin={"even": True},
    percent=True,
    unit="more clicks, if seen",
)
def smoothing_keeps_luck_out(found):
    return found["smoothed, liked"] / found["rate, liked"] - 1


@claim(
    "Smoothed towards three times the mean, the fifty best are liked less than without smoothing.",
    fifty,
    holds=below(0),
    twin={"wrong": 1.0},
    percent=True,
    unit="more clicks, if seen",
)
def a_wrong_prior_lets_luck_in(found):
    return found["wrongly smoothed, liked"] / found["rate, liked"] - 1
