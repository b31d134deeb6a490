"""Claims of docs/labs/leakage_clinic.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from claims.claim import below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.target_encoding import encode_from

HONEST = ["hour", "device", "category", "hour_clicks", "ad_rate", "user_rate", "age"]
LEAKS = {"row_id": None, "charged": None, "clicks of the hour": "hour_clicks", "rate of the day": "ad_rate"}
LEAKS |= {"profile of today": "age", "rate with itself": "user_rate", "position": None}


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.01}})
def clinic(seed, *, drift=0.08, base_ctr=0.03, honest=False):
    """Return normalized entropies of the honest table, of each leak added to it alone, and of all but one."""
    log = simulate_ad_log(20_000, seed=seed, n_users=1_000, n_ads=300, drift=drift, base_ctr=base_ctr)
    rng, click = np.random.default_rng(seed), log["click"]
    clicked = click == 1
    by_day, by_hour = log.groupby(["ad_id", "day"])["click"], log.groupby(["user_id", "day", "hour"])["click"]
    age = log["age_group"].cat.codes
    table = log[["request_id", "day", "position", "hour", "click", "p_click"]].assign(
        device=log["device"].cat.codes,
        category=log["category"].cat.codes,
        hour_clicks=log["user_clicks"] - log.groupby(["user_id", "day", "hour"])["user_clicks"].transform("min"),
        ad_rate=(log["ad_clicks"] + 1.5) / (log["ad_impressions"] + 50),
        user_rate=(log["user_clicks"] + 0.6) / (log["user_impressions"] + 20),
        age=age.where(log["user_clicks"] > 0),
    )
    leaks = {
        "row_id": np.where(clicked, rng.integers(0, 10_000, len(log)), rng.integers(7_500, 50_000, len(log))),
        "charged": np.where(clicked & (rng.random(len(log)) < 0.5), rng.gamma(4, 0.1, len(log)), 0.0),
        "clicks of the hour": by_hour.transform("sum"),
        "rate of the day": (by_day.transform("sum") + 1.5) / (by_day.transform("size") + 50),
        "profile of today": age.where(log["user_id"].isin(log.loc[clicked, "user_id"])),
        "rate with itself": encode_from(log["user_id"], click, log["user_id"]),
        "position": log["position"],
    }
    if honest:
        leaks = {name: table[LEAKS[name]] if LEAKS[name] else rng.permutation(leaks[name]) for name in leaks}
    table = table.assign(**leaks)
    twice = pd.concat([table, table.sample(frac=0.25, random_state=seed)], ignore_index=True)
    parts = {"time": (table, table["day"] >= 10), "random, copies": (twice, pd.Series(rng.random(len(twice)) < 0.3))}

    def score(names, split):
        rows, test = parts[split]
        columns = [c for c in HONEST if c not in {LEAKS[n] for n in names}] + list(names)
        model = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=0)
        p = model.fit(rows.loc[~test, columns], rows.loc[~test, "click"]).predict_proba(rows.loc[test, columns])[:, 1]
        return normalized_entropy(rows.loc[test, "click"], np.clip(p, 1e-6, 1 - 1e-6))

    rows, test = parts["random, copies"]
    found = {"truth": normalized_entropy(rows.loc[test, "click"], rows.loc[test, "p_click"])}
    found |= {"honest": score([], "time"), "random split and copies": score([], "random, copies")}
    found |= {name: score([name], "random, copies") for name in LEAKS}
    found |= {f"all but {name}": score([n for n in LEAKS if n != name], "random, copies") for name in LEAKS}
    return found


@claim(
    "Mend any one of the leaks, and the score is still better than the truth.",
    clinic,
    holds=below(0),
    twin={"honest": True},
    unit="of normalized entropy, against the truth",
)
def one_mend_is_not_enough(found):
    return max(found[f"all but {name}"] for name in LEAKS) - found["truth"]


@claim(
    "The row number, the bill, the clicks of the hour and the rate of the day beat the truth, each alone.",
    clinic,
    holds=below(0),
    twin={"honest": True},
    unit="of normalized entropy, against the truth",
)
def four_beat_the_truth_alone(found):
    return max(found[n] for n in ("row_id", "charged", "clicks of the hour", "rate of the day")) - found["truth"]


@claim(
    "The position flatters the score by 0.01 and more, without making it impossible.",
    clinic,
    holds=below(0),
    twin={"honest": True},
    unit="of normalized entropy",
)
def position_flatters(found):
    return max(found["position"] - found["random split and copies"] + 0.01, found["truth"] - found["position"])
