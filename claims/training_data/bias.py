"""Claims of docs/training-data/bias.md."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from claims.claim import above, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}})
def favourites(seed, *, drift=0.08, base_ctr=0.03, randomize_positions=False, position_bias=True):
    log = simulate_ad_log(
        60_000,
        seed=seed,
        n_users=1_500,
        n_ads=150,
        drift=drift,
        base_ctr=base_ctr,
        randomize_positions=randomize_positions,
        position_bias=position_bias,
    )
    log["taste"] = log["age_group"].astype(str) + log["category"].astype(str)
    known = ["ad_id", "user_id", "taste"]
    past, later = log[log["day"] < 10], log[log["day"] >= 10]
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=500))
    model.fit(past[[*known, "position"]], past["click"])
    found = {}
    for name, sent in [("logged", later["position"]), ("one", 1)]:
        p = model.predict_proba(later[known].assign(position=sent))[:, 1]
        best = later.loc[later.assign(p=p).groupby("request_id")["p"].idxmax()]
        found[f"{name}, on top"] = (best["position"] == 1).mean()
        found[f"{name}, rate if seen"] = best["relevance"].mean()
    return found


@claim(
    "Scored with the logged positions, a model mostly picks what the old policy had put on top; with one position for "
    "all it does so far less often.",
    favourites,
    holds=above(0.2),
    twin={"randomize_positions": True, "position_bias": False},
    percent=True,
    unit="more of its favourites were on top",
)
def logged_positions_repeat_the_old_order(found):
    return found["logged, on top"] - found["one, on top"]


@claim(
    "Whether that makes the model look better than it is depends on how good the old order still is.",
    favourites,
    holds=above(0),
    says="varies",
    twin={"base_ctr": 0.02, "drift": 0.0},
    percent=True,
    unit="in the click rate, if seen, of its favourites",
)
def logged_positions_flatter_the_ranking(found):
    return found["logged, rate if seen"] / found["one, rate if seen"] - 1
