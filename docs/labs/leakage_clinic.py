# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The leakage clinic
#
# A colleague hands you a table and a model. The score is the best that anybody has seen. *Eight things are wrong with
# it.* Before you read on, look at the columns and write down which ones you suspect.
#
# The table is made from the [simulated log](../datasets.md), so the truth is known: the lowest normalized entropy that
# any honest model can have.

# %%
import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from figures.svg import FIRST, INK, SECOND, style, to_html
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.features.historical_counters import count_before, smoothed_rate
from snippets.features.leakage import (
    beats_the_ceiling,
    duplicates_across_split,
    future_correlation,
    single_feature_scores,
    split_overlap,
)
from snippets.features.target_encoding import encode_from, encode_ordered

log = simulate_ad_log(120_000, n_users=6_000)
rng = np.random.default_rng(0)
click = log["click"]
clicked = click == 1
by_day, by_hour = log.groupby(["ad_id", "day"])["click"], log.groupby(["user_id", "day", "hour"])["click"]
table = log[["request_id", "user_id", "ad_id", "timestamp", "day", "position", "hour", "click", "p_click"]].assign(
    row_id=np.where(clicked, rng.integers(0, 40_000, len(log)), rng.integers(30_000, 200_000, len(log))),
    device=log["device"].cat.codes,
    category=log["category"].cat.codes,
    charged=np.where(clicked & (rng.random(len(log)) < 0.5), rng.gamma(4, 0.1, len(log)), 0.0),
    ad_rate=smoothed_rate(by_day.transform("sum"), by_day.transform("size"), 0.03, 50),
    user_rate=encode_from(log["user_id"], click, log["user_id"]),
    user_clicks_hour=by_hour.transform("sum"),
    age=log["age_group"].cat.codes.where(log["user_id"].isin(log.loc[clicked, "user_id"].unique())),
)
table = pd.concat([table, table.sample(frac=0.25, random_state=1)], ignore_index=True)
in_test = rng.random(len(table)) < 0.3
FEATURES = ["row_id", "position", "hour", "device", "category", "charged", "ad_rate", "user_rate"]
FEATURES += ["user_clicks_hour", "age"]


def fit_and_predict(train, test, features):
    """Return the predictions of boosted trees on the test rows."""
    model = HistGradientBoostingClassifier(max_leaf_nodes=8, early_stopping=False, random_state=0)
    model.fit(train[features], train["click"])
    return np.clip(model.predict_proba(test[features])[:, 1], 1e-6, 1 - 1e-6)


train, test = table[~in_test], table[in_test]
p = fit_and_predict(train, test, FEATURES)
print(f"the model   {normalized_entropy(test['click'], p):.3f}")
print(f"the truth   {normalized_entropy(test['click'], test['p_click']):.3f}")

# %% [markdown]
# ## First question: can this be?
#
# No. The truth is a ceiling, and the model is far above it. On a real log you would not know the truth; you would know
# the best honest system, and ask the same question.

# %%
ceiling = log_loss(test["click"], test["p_click"])
print(beats_the_ceiling(test["click"], p, ceiling)["reason"].iloc[0])

# %% [markdown]
# ## Second question: one feature at a time
#
# How well does each rank clicks alone, and does its absence?

# %%
scores = single_feature_scores(train[FEATURES], train["click"])
scores["name"] = scores["what"] + np.where(scores["check"] == "missing values", " (missing)", "")
with style():
    figure = Figure(figsize=(6.2, 3.2), layout="constrained")
    axes = figure.subplots()
    shown = scores[::-1]
    axes.barh(shown["name"], shown["value"], color=[SECOND if s else FIRST for s in shown["suspicious"]])
    axes.axvline(0.8, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set(xlim=(0.5, 1.0), xlabel="AUC of the feature alone")
HTML(
    to_html(
        figure,
        "single-scores",
        "Bars of the AUC of each feature alone: "
        + ", ".join(f"{row.name_} {row.value:.2f}" for row in scores.rename(columns={"name": "name_"}).itertuples()),
        "Beyond the dashed line everything leaks. To its left, honest and leaking features are mixed.",
    )
)

# %% [markdown]
# Four lie beyond the limit of 0.8: the row number, the clicks of the hour, the ad's rate, the user's rate. But
# `charged` with its lost bills and the missing ages stay below it, next to the position, which is honest. A limit finds
# the crude leaks. For the others, ask how each column came to be.
#
# ## Third question: do histories know their own row?

# %%
for columns, key in [(["ad_rate"], "ad_id"), (["user_rate", "user_clicks_hour"], "user_id")]:
    found = future_correlation(train[columns], train["click"], train[key], train["timestamp"])
    for reason in found.loc[found["suspicious"], "reason"]:
        print(reason)

# %% [markdown]
# All three do. Each knows the label of the first row of its key, when nothing at all could be known.
#
# ## Fourth question: what do train and test share?

# %%
print(duplicates_across_split(train, test, subset=["request_id", "position"])["reason"].iloc[0])
print(split_overlap(train, test, "request_id")["reason"].iloc[0])
print(split_overlap(train, test, "day")["reason"].iloc[0])

# %% [markdown]
# Copies of the same impressions, the same requests, the same days. That is a random split of a table with duplicates.
#
# ## Eight mends
#
# One after the other. The worst is not always what one would mend first: look at which step moves the score.

# %%
mended = table.copy()
features, cut = list(FEATURES), in_test
arrived = log["timestamp"] + pd.to_timedelta(log["click_delay"], unit="s").dt.ceil("ms")
clicks = log.assign(arrived=arrived)[clicked]
steps = {}


def record(name):
    """Score the table as it is now, and the truth on the same rows."""
    train, test = mended[~cut], mended[cut]
    steps[name] = (
        normalized_entropy(test["click"], fit_and_predict(train, test, features)),
        normalized_entropy(test["click"], test["p_click"]),
    )


record("as handed over")
features.remove("row_id")
record("without the row number")
features.remove("charged")
record("without the bill")
mended["user_clicks_hour"] = count_before(
    clicks["user_id"], clicks["arrived"], mended["user_id"], mended["timestamp"], pd.Timedelta("1h")
)
record("clicks of the hour before")
mended["ad_rate"] = smoothed_rate(
    count_before(clicks["ad_id"], clicks["arrived"], mended["ad_id"], mended["timestamp"]),
    count_before(log["ad_id"], log["timestamp"], mended["ad_id"], mended["timestamp"]),
    0.03,
    50,
)
record("the ad's rate before the row")
before = pd.Series(count_before(clicks["user_id"], clicks["arrived"], log["user_id"], log["timestamp"]))
then = log["age_group"].cat.codes.where(before > 0)
mended["age"] = mended[["request_id", "position"]].merge(
    log[["request_id", "position"]].assign(age=then), on=["request_id", "position"], how="left"
)["age"]
record("profiles as they stood")
mended["user_rate"] = encode_ordered(mended["user_id"], mended["click"], mended["timestamp"], prior=0.03)
record("the user's rate before the row")
cut = cut[~mended.duplicated(["request_id", "position"])]
mended = mended[~mended.duplicated(["request_id", "position"])].reset_index(drop=True)
record("each impression once")
cut = (mended["day"] >= 10).to_numpy()
record("split by time")
for name, (model, truth) in steps.items():
    print(f"{name:<32} {model:.3f}   truth {truth:.3f}")

# %%
with style():
    figure = Figure(figsize=(6.2, 3.2), layout="constrained")
    axes = figure.subplots()
    names = list(steps)[::-1]
    axes.barh(names, [steps[n][0] for n in names], color=FIRST)
    axes.plot([steps[n][1] for n in names], names, color=SECOND, marker="o", markersize=4, linestyle="")
    axes.set(xlim=(0, 1), xlabel="normalized entropy: the model (bars), the truth (dots)")
HTML(
    to_html(
        figure,
        "mends",
        "Normalized entropy after each mend: " + ", ".join(f"{n} {steps[n][0]:.2f}" for n in steps),
        "The model beats the truth until the last history is mended.",
    )
)

# %% [markdown]
# ## What to take away
#
# - **The score stays impossible for a long time.** Each leak alone is enough, so mending one changes little as long as
#   another is there. Do not stop at the first that you find.
# - **Histories did most of the damage**, and they look like ordinary features. The mend is always the same: count what
#   was known *before* the row.
# - **Copies and the random split moved the score least here**, once the features were honest. With a model that
#   memorises they would have moved it most: see [leaks in splits](../features/leaky-splits.md).
# - The honest score is far from the truth, and that is what honest scores look like.
