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
# # A first look at real clicks
#
# You are given six logs of a real shop and asked: *which policy is better, and where do people click?* It takes a few
# lines to answer. It takes a few more to see that these clicks cannot answer it.
#
# The logs are the [Open Bandit sample](../datasets.md): ZOZOTOWN, 24 to 30 November 2019, two policies (uniformly
# random, and Bernoulli Thompson sampling, `bts`) in three campaigns, 10,000 impressions each
# ([Saito et al. 2021](../references.md#saito-2021)).

# %%
import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.figure import Figure
from scipy import stats

from figures.svg import FIRST, INK, SECOND, style, to_html
from snippets.datasets.open_bandit import CAMPAIGNS, POLICIES, load_open_bandit
from snippets.evaluation.ab_test import sample_size_per_arm, two_proportion_test

log = pd.concat(
    load_open_bandit(policy, campaign).iloc[:, :5].assign(policy=policy, campaign=campaign)
    for policy in POLICIES
    for campaign in CAMPAIGNS
)
print(f"{len(log)} impressions, {log['click'].sum()} clicks")

# %% [markdown]
# ## Click rates with intervals
#
# A rate without an interval is a rumour. With few clicks, use an interval made for rare events, such as Wilson's, which
# does not fall below zero. How often does it hold a rate of 0.35 %, and how often the textbook's `p ± 2 s.e.`? The
# binomial distribution says it exactly:

# %%
for n in [1_000, 3_000, 10_000]:
    clicks = np.arange(200)
    chance = stats.binom.pmf(clicks, n, 0.0035)
    share = clicks / n
    textbook = np.abs(share - 0.0035) <= 1.96 * np.sqrt(share * (1 - share) / n)
    wilson = np.abs(share - 0.0035) <= 1.96 * np.sqrt(0.0035 * (1 - 0.0035) / n)
    print(f"{n:>6,} impressions: textbook {chance[textbook].sum():.1%}, Wilson {chance[wilson].sum():.1%}")

# %% [markdown]
# In a log of 1,000 impressions the textbook's interval is wrong far too often. In one of 10,000, as here, the two are
# close. Here is each rate with its Wilson interval:


# %%
def rates(by):
    """Return clicks, impressions, rate and its 95 % Wilson interval in percent, for each group."""
    table = log.groupby(by)["click"].agg(["sum", "count"]).set_axis(["clicks", "impressions"], axis=1)
    intervals = [
        stats.binomtest(int(k), int(n)).proportion_ci(method="wilson")
        for k, n in zip(table["clicks"], table["impressions"], strict=True)
    ]
    table["CTR %"] = 100 * table["clicks"] / table["impressions"]
    table["low %"] = [100 * i.low for i in intervals]
    table["high %"] = [100 * i.high for i in intervals]
    return table.round(2)


by_policy = rates(["campaign", "policy"])
print(by_policy.to_string())


# %%
def picture(table, labels, name, alternative, caption):
    """Draw rates with their intervals, one line each."""
    with style():
        figure = Figure(figsize=(6.2, 0.5 + 0.34 * len(table)), layout="constrained")
        axes = figure.subplots()
        for row, (low, rate, high) in enumerate(table[["low %", "CTR %", "high %"]].to_numpy()):
            colour = SECOND if labels[row].startswith("bts") else FIRST
            axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
            axes.plot(rate, row, "o", color=colour)
        axes.axvline(100 * log["click"].mean(), color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_yticks(range(len(table)), labels)
        axes.invert_yaxis()
        axes.set_xlabel("click-through rate, %, with its 95 % interval")
        axes.set_xlim(0, 1.2)
    return HTML(to_html(figure, name, alternative, caption))


picture(
    by_policy,
    [f"{policy}, {campaign}" for campaign, policy in by_policy.index],
    "by-policy",
    "Six click rates with their intervals, by policy and campaign. All intervals but one hold the common rate. That of "
    "the policy bts in the campaign men lies higher.",
    "Dashed: the rate of all six logs together. Five of the six logs are compatible with it.",
)

# %% [markdown]
# One log stands out: `bts` in the campaign *men*. Before you announce it, count how often you looked. There were three
# campaigns in which the policies could have differed, so there were three chances to be fooled. Test each, and correct
# for having had three (Bonferroni: multiply the p-value by three). The first p-value is that of the score test, which
# [A/B tests](../evaluation/ab-tests.md) uses, too; Fisher's exact test is more cautious:

# %%
for campaign in CAMPAIGNS:
    clicks = [by_policy.loc[(campaign, policy), "clicks"] for policy in POLICIES]
    score = two_proportion_test(int(clicks[0]), 10_000, int(clicks[1]), 10_000).p_value
    exact = stats.fisher_exact([[k, 10_000 - k] for k in clicks]).pvalue
    print(
        f"{campaign:<6} random {clicks[0]}, bts {clicks[1]}: p = {score:.3f}, corrected {min(1, 3 * score):.3f};"
        f" by Fisher's test {exact:.3f}, corrected {min(1, 3 * exact):.3f}"
    )

# %% [markdown]
# Alone, *men* is significant, by either test. Among three, it does not. In the full data `bts` is better
# in every campaign ([Saito et al. 2021](../references.md#saito-2021)): here the sample was right, and a careful reader
# still could not have known.

# %% [markdown]
# ## By position and by day
#
# The three positions are left, centre and right. Everybody knows that position matters, so surely it shows here?

# %%
by_position = rates("position")
print(by_position.to_string())


def equal_rates(table):
    """Return the p-value of the chi-squared test that all groups have the same rate."""
    return stats.chi2_contingency([table["clicks"], table["impressions"] - table["clicks"]]).pvalue


print(f"chi-squared test of equal rates: p = {equal_rates(by_position):.2f}")

# %% [markdown]
# It does not show. That is *no evidence of an effect*, not evidence of no effect: look at how wide the intervals are.
# The three positions stand side by side, too; there is no scrolling down between them.

# %%
log["day"] = log["timestamp"].dt.day
by_day = rates("day")
picture(
    by_day,
    [f"{day} November" for day in by_day.index],
    "by-day",
    "Seven click rates with their intervals, one for each day. All the intervals overlap.",
    "By day (UTC), all policies together. A dashboard without intervals would see a story in these ups and downs.",
)

# %%
print(f"chi-squared test of equal rates: p = {equal_rates(by_day):.2f}")

# %% [markdown]
# ## How many rows would you need?
#
# On the full data, the click rates in the campaign *all* are 0.35 % for the random policy and 0.50 % for `bts`
# ([Saito et al. 2021](../references.md#saito-2021)), a lift of 43 %. How many impressions an arm would show it in four
# of five experiments, at the usual level?

# %%
for lift in [0.43, 0.10, 0.02]:
    needed = sample_size_per_arm(0.0035, lift)
    print(f"lift {lift:4.0%}: {needed:>12,} impressions an arm, {needed / 10_000:,.0f} times a log of this sample")

rng = np.random.default_rng(0)
for n in [10_000, sample_size_per_arm(0.0035, 0.0050 / 0.0035 - 1)]:
    a, b = rng.binomial(n, 0.0035, 20_000), rng.binomial(n, 0.0050, 20_000)
    pooled = (a + b) / (2 * n)
    z = (b - a) / n / np.sqrt(2 * pooled * (1 - pooled) / n)
    print(f"with {n:,} an arm, {np.mean(z > stats.norm.isf(0.025)):.0%} of 20,000 simulated experiments find it")

# %% [markdown]
# The lift of 43 % needs about three times the rows that each log has. A lift of 2 %, the kind that real teams fight
# over, needs 1,128 times as many.
#
# ## What to say in the interview
#
# - Give the interval with the rate, unasked.
# - Say how many comparisons you made before you found the interesting one.
# - "No significant difference" is not the whole sentence. It goes on: *and we could have seen one of such a size*.
# - Work out the sample size before the experiment. It is one line.
