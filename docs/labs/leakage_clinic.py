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
# A colleague hands you a table and a model. The score is the best that anybody has seen. *Nine things are wrong with
# it.* Before you read on, look at the columns and write down which ones you suspect.
#
# The table is made from the [simulated log](../datasets.md), so the truth is known: the lowest normalized entropy that
# any honest model can have, up to chance.

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
    known_at_serving,
    single_feature_scores,
    split_overlap,
)
from snippets.features.target_encoding import encode_from

log = simulate_ad_log(120_000, n_users=6_000)
ROW = ["request_id", "ad_id"]  # an ad is shown once in a request
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
# No. The truth is a ceiling for these rows, and the model is far above it, more than chance allows. On a real log you
# would not know the truth. You would know the best honest system so far: a leap above it is a reason to ask on, and no
# proof.

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
# A limit finds the crude leaks. `charged` with its lost bills and the missing ages stay below it, among columns that
# know nothing of the click. For the others, ask how each column came to be.
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
print(duplicates_across_split(train, test, subset=ROW)["reason"].iloc[0])
print(split_overlap(train, test, "request_id")["reason"].iloc[0])
print(split_overlap(train, test, "day")["reason"].iloc[0])

# %% [markdown]
# Copies of the same impressions, the same requests, the same days. That is a random split of a table with duplicates.
#
# ## Fifth question: what did the server have?
#
# It scored each row once, and logged what it had: the request, the ad, and the counters as they stood. It sent position
# 1 for every candidate, since [nobody knows the position](../training-data/bias.md#position-at-serving) before the
# score.

# %%
before = {"user_rate": (log["user_clicks"] + 20 * 0.03) / (log["user_impressions"] + 20)}
before["ad_rate"] = (log["ad_clicks"] + 50 * 0.03) / (log["ad_impressions"] + 50)
before["age"] = log["age_group"].cat.codes.where(log["user_clicks"] > 0)
served = table.drop_duplicates(ROW)[[*ROW, "hour", "device", "category"]].assign(position=1)
served = served.merge(log[ROW].assign(**before), on=ROW)
for reason in known_at_serving(table[ROW + FEATURES], served, ROW)["reason"]:
    print(reason)

# %% [markdown]
# Seven of ten columns were not there, or were other numbers. Position is among them. It is no label in disguise, and to
# *train* on it is fine. But this test hands the model the position of every row, which no request will.
#
# ## Nine mends
#
# One after the other. Each history is counted from events as they had arrived, each impression once.

# %%
mended = table.copy()
features, cut = list(FEATURES), in_test
once = log[[*ROW, "user_id", "timestamp", "click", "click_delay"]]
clicks = once[once["click"] == 1]
arrived = clicks["timestamp"] + pd.to_timedelta(clicks["click_delay"], unit="s").dt.ceil("ms")


def rate_before(key, prior, strength):
    """Return each row's click rate of its key, from the clicks and impressions that had arrived before it."""
    seen = count_before(once[key], once["timestamp"], mended[key], mended["timestamp"])
    return smoothed_rate(clicks_before(key), seen, prior, strength)


def clicks_before(key, window=None):
    """Return how many clicks of its key had arrived before each row."""
    return count_before(clicks[key], arrived, mended[key], mended["timestamp"], window)


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
mended["user_clicks_hour"] = clicks_before("user_id", pd.Timedelta("1h"))
record("clicks of the hour before")
mended["ad_rate"] = rate_before("ad_id", 0.03, 50)
record("the ad's rate before the row")
mended["age"] = mended[ROW].merge(log[ROW].assign(age=before["age"]), on=ROW, how="left")["age"]
record("profiles as they stood")
mended["user_rate"] = rate_before("user_id", 0.03, 20)
record("the user's rate before the row")
features.remove("position")
record("without the position")
cut = cut[~mended.duplicated(ROW)]
mended = mended[~mended.duplicated(ROW)].reset_index(drop=True)
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
    axes.set(xlim=(0, 1.02), xlabel="normalized entropy: the model (bars), the truth (dots)")
HTML(
    to_html(
        figure,
        "mends",
        "Normalized entropy after each mend: " + ", ".join(f"{n} {steps[n][0]:.2f}" for n in steps),
        "The model beats the truth until the histories are mended.",
    )
)

# %% [markdown]
# Is the mended table what the server had? The column that is in no log of the server was counted in the same way. All
# others are held against it, row by row:

# %%
logged = [name for name in features if name in served]
print(known_at_serving(mended[ROW + logged], served, ROW)[["what", "value", "suspicious"]].to_string(index=False))

# %% [markdown]
# ## What to take away
#
# - **The score stays impossible for a long time.** Mend any one leak, and the others still beat the truth. Do not stop
#   at the first that you find ([replicated](../claims.md#labs-leakage-clinic-one-mend-is-not-enough)).
# - **The order of the mends decides what each seems to be worth.** Put into an honest table alone, the row number is
#   worst, then the bill and the clicks of the hour, then the day's rate. Each of these beats the truth
#   ([replicated](../claims.md#labs-leakage-clinic-four-beat-the-truth-alone)).
# - **The quiet ones need not.** The position, the copies and the random split flatter the score without making it
#   impossible, and the missing ages and the user's rate with its own row do so on many logs. No ceiling finds them
#   (for the position, [replicated](../claims.md#labs-leakage-clinic-position-flatters)).
# - **Histories look like ordinary features.** The mend is always the same: count what had *arrived* before the row.
# - **Close with what was served.** If the server logged its features, one comparison covers them all.
# - The honest score is far from the truth, and that is what honest scores look like.
