"""Claims of docs/problem/negative-feedback.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from claims.claim import above, below, claim, experiment
from claims.problem.proxies import past_experiments
from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.historical_counters import count_before, smoothed_rate


def simulate(n, seed, taste, **world):
    """Return a log whose users differ in their taste for hiding, by that many logits."""
    log = simulate_ad_log(n, seed=seed, n_users=n // 20, n_ads=n // 200, **world)
    rng = np.random.default_rng([seed, 4])
    of_user = rng.normal(0, taste, n // 20)[log["user_id"]]
    log["p_hide"] = expit(logit(log["p_hide"]) + of_user)
    log["hide"] = (rng.random(n) < log["p_hide"]).astype(int)
    return log


@experiment(worlds={"default": {}, "a stronger taste": {"taste": 2.0}, "a longer log": {"n": 120_000}})
def hiders(seed, *, n=60_000, taste=1.0, anybody=False):
    log = simulate(n, seed, taste)
    hidden, rng = log[log["hide"] == 1], np.random.default_rng([seed, 5])
    random_rows = log["user_id"].to_numpy()[rng.choice(n, len(hidden), replace=False)]
    train = log["day"] < 10
    of_hiders = log["user_id"].isin(log.loc[train & (log["hide"] == 1), "user_id"])
    if anybody:  # as many users, drawn without a look at what they hid
        users = log.loc[train, "user_id"].unique()
        count = log.loc[train & of_hiders, "user_id"].nunique()
        of_hiders = log["user_id"].isin(rng.choice(users, count, replace=False))
    return {
        "users, against those of random rows": hidden["user_id"].nunique() / len(np.unique(random_rows)),
        "rate of those who hid, against the later rate": log.loc[train & of_hiders, "hide"].mean()
        / log.loc[~train, "hide"].mean(),
    }


@claim(
    "Where users differ in their taste for hiding, hides come from fewer users than as many random impressions.",
    hiders,
    holds=below(0.97),
    twin={"taste": 0.0},
    percent=True,
    unit="of the users that random rows come from",
)
def taste_shows_against_random_rows(found):
    return found["users, against those of random rows"]


@claim(
    "The hide rate of the users who hid is more than twice the rate of all users later.",
    hiders,
    holds=above(2),
    twin={"anybody": True},
    unit="times the rate",
)
def hiders_promise_too_much(found):
    return found["rate of those who hid, against the later rate"]


@experiment(worlds={"default": {}, "a taste for hiding": {"taste": 1.0}, "more clicks": {"base_ctr": 0.1}})
def uses(seed, *, taste=0.0, base_ctr=0.03, as_label=False, scattered=False, weighted=True):
    """Pick one of five ads by hides as feature and as label; return clicks and hides per 1,000 requests."""
    log = simulate(80_000, seed, taste, base_ctr=base_ctr)
    if scattered:  # as many hides, of anything
        log["hide"] = np.random.default_rng([seed, 6]).permutation(log["hide"])
    now, looked = log["timestamp"], log["p_click"] / log["relevance"]
    clicks, hides = log[log["click"] == 1], log[log["hide"] == 1]
    arrival = clicks["timestamp"] + pd.to_timedelta(clicks["click_delay"], unit="s").dt.ceil("ms")
    X = pd.DataFrame({"position": np.log(log["position"])})
    for key in ["ad_id", "user_id"]:
        seen = count_before(log[key], now, log[key], now)
        for name, events, times, prior, strength in [
            ("clicks", clicks, arrival, base_ctr, 50),
            ("hides", hides, hides["timestamp"], 0.003, 300),
        ]:
            X[f"{key} {name}"] = np.log(
                smoothed_rate(count_before(events[key], times, log[key], now), seen, prior, strength)
            )
    plain = [c for c in X if "hides" not in c]
    train = (log["day"] < 10).to_numpy()
    top = X.assign(position=0.0)
    full = ~train & (log.groupby("request_id")["position"].transform("size") == 5).to_numpy()
    slates = np.flatnonzero(full).reshape(-1, 5)

    def predict(columns, label, weight=None):
        model = LogisticRegression(class_weight=weight, max_iter=500).fit(X.loc[train, columns], log.loc[train, label])
        return model.predict_proba(top[columns])[:, 1]

    click, hide = predict(plain, "click"), predict(list(X), "hide")
    scores = {
        "at random": np.random.default_rng([seed, 7]).random(len(log)),
        "clicks": click,
        "feature": -hide if as_label else predict(list(X), "click"),
        "price of 5": click - 5 * hide,
        "price of 10": click - 10 * hide,
        "price of 10, balanced": click - 10 * predict(list(X), "hide", "balanced" if weighted else None),
    }
    found = {}
    for name, score in scores.items():
        chosen = slates[range(len(slates)), score[slates].argmax(axis=1)]
        found[f"{name}, clicks"] = 1_000 * log["relevance"].to_numpy()[chosen].mean()
        found[f"{name}, hides"] = 1_000 * (log["p_hide"] / looked).to_numpy()[chosen].mean()
    return found


@claim(
    "As a feature of the click model, hide rates spare less than a fifth of the hides.",
    uses,
    holds=below(0.2),
    twin={"as_label": True},
    percent=True,
    unit="of the hides",
)
def a_feature_spares_little(found):
    return 1 - found["feature, hides"] / found["clicks, hides"]


@claim(
    "As a label, at a price of 5 clicks, hides fall by more than a fifth.",
    uses,
    holds=above(0.2),
    twin={"scattered": True},
    percent=True,
    unit="of the hides",
)
def a_label_spares_hides(found):
    return 1 - found["price of 5, hides"] / found["clicks, hides"]


@claim(
    "Class weights on the hide model break the price: they cost more than a fifth of the clicks.",
    uses,
    holds=below(-0.2),
    twin={"weighted": False},
    percent=True,
    unit="of the clicks",
)
def balanced_hides_break_the_price(found):
    return found["price of 10, balanced, clicks"] / found["price of 10, clicks"] - 1


@claim(
    "Past experiments say that a hide costs sessions.",
    past_experiments,
    holds=below(0),
    twin={"shuffled": True},
    unit="sessions a week for one more hide a week",
)
def experiments_price_hides(found):
    return found["price of a hide, experiments"]


@claim(
    "The users of one arm say that a hide brings sessions.",
    past_experiments,
    holds=above(0),
    twin={"shuffled": True},
    unit="sessions a week for one more hide a week",
)
def users_price_hides_the_wrong_way(found):
    return found["price of a hide, users"]


@claim(
    "With reads in the list of actions, past experiments price a hide at less than half of what they do without.",
    past_experiments,
    holds=below(0.5),
    twin={"unread": True},
    percent=True,
    unit="of the price without",
)
def a_price_belongs_to_its_list(found):
    return found["price of a hide, experiments, reads listed"] / found["price of a hide, experiments"]


@claim(
    "Also among users with as many visits, a hide seems to cost at least one session less than in experiments.",
    past_experiments,
    holds=above(1),
    twin={"shuffled": True},
    unit="sessions a week",
)
def visits_do_not_mend_the_price(found):
    return found["price of a hide, users, visits listed"] - found["price of a hide, experiments"]
