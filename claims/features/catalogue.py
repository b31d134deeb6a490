"""Claims of docs/features/catalogue.md."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import count_before, smoothed_rate


def counted(log: pd.DataFrame, key: str, window: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return impressions and clicks of a key that were known before each row, in a window."""
    clicks = log[log["click"] == 1]
    arrived = clicks["timestamp"] + pd.to_timedelta(clicks["click_delay"], unit="s").dt.ceil("ms")
    shown = count_before(log[key], log["timestamp"], log[key], log["timestamp"], window)
    return shown.to_numpy(), count_before(clicks[key], arrived, log[key], log["timestamp"], window).to_numpy()


@experiment(
    worlds={
        "default": {},
        "more drift": {"drift": 0.25},
        "rarer clicks": {"base_ctr": 0.015},
        "a hundred impressions a pair": {"n_users": 75},
    }
)
def steps(seed, *, n_users=6_000, drift=0.08, base_ctr=0.03, shuffled=False, by_category=False, moods=False):
    log = simulate_ad_log(60_000, seed=seed, n_users=n_users, n_ads=600, drift=drift, base_ctr=base_ctr)
    if shuffled:  # histories of other rows
        rows = np.random.default_rng(seed).permutation(len(log))
        log[["ad_id", "user_id"]] = log[["ad_id", "user_id"]].to_numpy()[rows]
    if by_category or moods:  # users who like whole categories, or anything on some days
        by = log["category"].cat.codes if by_category else log["day"]
        taste = np.random.default_rng(seed).normal(0.0, 1.5, (n_users, 14))[log["user_id"], by]
        log["p_click"] = expit(logit(log["p_click"]) + taste)
        log["click"] = (np.random.default_rng(seed + 1).random(len(log)) < log["p_click"]).astype(int)
        log["click_delay"] = np.where(log["click"] == 1, 30.0, np.nan)
    log["pair"] = log["user_id"] * 8 + log["category"].cat.codes
    past, y = (log["day"] < 10).to_numpy(), log["click"].to_numpy()
    base = y[past].mean()
    rates = {}
    for key in ("ad_id", "user_id", "pair"):
        for window in (None, "1D"):
            shown, clicked = counted(log, key, window)
            rates[key, window] = np.log(smoothed_rate(clicked, shown, base, 50) / base)[:, None]
    device, category, age = (log[c].cat.codes.to_numpy() for c in ("device", "category", "age_group"))
    angle = log["hour"].to_numpy() / 24 * 2 * np.pi
    encode = OneHotEncoder().fit_transform
    context = [encode(device[:, None]), np.column_stack([np.sin(angle), np.cos(angle)])]
    described = [encode(np.column_stack([category, category * 10 + device, category * 10 + age]))]
    ad, user, pair = (rates[key, None] for key in ("ad_id", "user_id", "pair"))
    floor = normalized_entropy(y[~past], log["p_click"][~past])
    found = {}
    for name, columns in {
        "context": context,
        "context, ad's history": [*context, ad],
        "context, description": [*context, *described],
        "+ ad's history": [*context, *described, ad],
        "+ ad's history, one day of it": [*context, *described, ad, rates["ad_id", "1D"]],
        "+ user's history": [*context, *described, ad, user],
        "+ user's history, one day of it": [*context, *described, ad, user, rates["user_id", "1D"]],
        "+ pair's history": [*context, *described, ad, user, pair],
        "history alone": [*rates.values()],
    }.items():
        X = hstack([csr_matrix(c) for c in columns], format="csr")
        p = LogisticRegression(max_iter=500).fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        found[name] = (1 - normalized_entropy(y[~past], p)) / (1 - floor)
    return found


@claim(
    "On top of context and description, the ad's history adds to what is known.",
    steps,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of what can be known",
)
def ad_history_adds(found):
    return found["+ ad's history"] - found["context, description"]


@claim(
    "Where an ad has some hundred impressions, its history alone tells more than all that describes user and ad: "
    "history beats description.",
    steps,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of what can be known",
)
def history_beats_description(found):
    return found["context, ad's history"] - found["context, description"]


@claim(
    "Where an ad has some ten impressions a day and drifts slowly, a window of one day beside its whole history is "
    "worth less than a hundredth of what can be known.",
    steps,
    holds=between(-0.01, 0.01),
    twin={"drift": 1.0},
    percent=True,
    unit="of what can be known",
)
def one_day_adds_nothing(found):
    return found["+ ad's history, one day of it"] - found["+ ad's history"]


@claim(
    "The user's history adds to that of the ad.",
    steps,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
    unit="of what can be known",
)
def user_history_adds(found):
    return found["+ user's history"] - found["+ ad's history"]


@claim(
    "Where users have no moods, a window of one day beside a user's whole history is worth less than a hundredth of "
    "what can be known, too.",
    steps,
    holds=between(-0.01, 0.01),
    twin={"moods": True, "n_users": 75},
    percent=True,
    unit="of what can be known",
)
def users_day_adds_nothing(found):
    return found["+ user's history, one day of it"] - found["+ user's history"]


@claim(
    "The history of the pair of user and category adds less than a hundredth of what can be known, even with a hundred "
    "impressions a pair: here tastes do not go by category.",
    steps,
    holds=between(-0.01, 0.01),
    twin={"by_category": True, "n_users": 75},
    percent=True,
    unit="of what can be known",
)
def pair_history_adds_nothing(found):
    return found["+ pair's history"] - found["+ user's history"]


@claim(
    "Where ads have some hundred impressions, histories alone tell more than half of what all features together tell.",
    steps,
    holds=above(0.5),
    twin={"shuffled": True},
    percent=True,
)
def history_alone_keeps_most(found):
    return found["history alone"] / found["+ pair's history"]


@experiment(worlds={"default": {}, "more drift": {"drift": 0.25}, "rarer clicks": {"base_ctr": 0.015}})
def own_row(seed, *, drift=0.08, base_ctr=0.03, n_users=4_000, own=1):
    log = simulate_ad_log(40_000, seed=seed, n_users=n_users, n_ads=400, drift=drift, base_ctr=base_ctr)
    past, y = (log["day"] < 10).to_numpy(), log["click"].to_numpy()
    shown, clicked, base = log["user_impressions"].to_numpy(), log["user_clicks"].to_numpy(), y[past].mean()

    def entropy(rate):
        X = StandardScaler().fit(rate[past, None]).transform(rate[:, None])
        p = LogisticRegression().fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        return normalized_entropy(y[~past], p)

    return {
        "the truth": normalized_entropy(y[~past], log["p_click"][~past]),
        "before the row, smoothed": entropy(smoothed_rate(clicked, shown, base, 50)),
        "before the row, its logarithm": entropy(np.log(smoothed_rate(clicked, shown, base, 50))),
        "before the row, as it is": entropy(np.where(shown > 0, clicked / np.maximum(shown, 1), base)),
        "with the row, its logarithm": entropy(np.log(smoothed_rate(clicked + own * y, shown + own, base, 50))),
    }


@claim(
    "Where a user has some ten impressions, a click rate that counts its own row seems to tell, beyond what the rate "
    "before it tells, at least another 30 % of what can be known.",
    own_row,
    holds=above(0.3),
    twin={"own": 0},
    percent=True,
    unit="of what can be known",
)
def own_row_leaks(found):
    gain = found["before the row, its logarithm"] - found["with the row, its logarithm"]
    return gain / (1 - found["the truth"])


@claim(
    "Where a user has some ten impressions, a linear model is better with a smoothed click rate than with the bare "
    "one.",
    own_row,
    holds=below(0),
    twin={"n_users": 4},
)
def smoothing_helps_a_linear_model(found):
    return found["before the row, smoothed"] - found["before the row, as it is"]


@claim(
    "With some hundreds of impressions a user, the same mistake seems to tell less than another 15 %.",
    holds=below(0.15),
    twin={"n_users": 4_000},
    worlds={"default": {}, "more drift": {"drift": 0.25}},
    percent=True,
    unit="of what can be known",
)
def own_row_hides_among_many(seed, *, n_users=80, drift=0.08):
    return own_row_leaks.contrast(own_row.run(seed, n_users=n_users, drift=drift))


@claim(
    "Where an ad has some ten impressions, it depends on the log whether description tells more than its history.",
    holds=below(0),
    says="varies",
    twin={"n_ads": 600},
    worlds={"default": {}, "more drift": {"drift": 0.25}},
    percent=True,
    unit="of what can be known",
)
def ten_impressions_may_not_do(seed, *, n_ads=6_000, drift=0.08):
    log = simulate_ad_log(60_000, seed=seed, n_users=6_000, n_ads=n_ads, drift=drift)
    past, y = (log["day"] < 10).to_numpy(), log["click"].to_numpy()
    shown, clicked = counted(log, "ad_id")
    history = np.log(smoothed_rate(clicked, shown, y[past].mean(), 50))[:, None]
    device, category, age = (log[c].cat.codes.to_numpy() for c in ("device", "category", "age_group"))
    angle = log["hour"].to_numpy() / 24 * 2 * np.pi
    context = np.column_stack([np.sin(angle), np.cos(angle), device == 0, device == 1])
    described = OneHotEncoder().fit_transform(np.column_stack([category, category * 10 + device, category * 10 + age]))
    entropies = []
    for columns in (history, described):
        X = hstack([csr_matrix(context), csr_matrix(columns)], format="csr")
        p = LogisticRegression(max_iter=500).fit(X[past], y[past]).predict_proba(X[~past])[:, 1]
        entropies.append(normalized_entropy(y[~past], p))
    return (entropies[1] - entropies[0]) / (1 - normalized_entropy(y[~past], log["p_click"][~past]))
