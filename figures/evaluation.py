"""Figures of Evaluation & Deployment."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from figures.svg import FIRST, INK, SECOND, style, to_html
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import reliability_curve
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.progressive_split import ProgressiveSplit


def unit_of_log_loss() -> str:
    """Draw log loss and normalized entropy of one perfect model in worlds that differ in their base rate only."""
    rng = np.random.default_rng(0)
    taste = rng.normal(0, 1.3, 400_000)
    rates, losses, entropies = [], [], []
    for intercept in np.linspace(-7.5, 0, 12):
        p = expit(intercept + taste)
        y = rng.random(len(p)) < p
        rate = y.mean()
        entropy = normalized_entropy(y, p)
        rates.append(rate)
        entropies.append(entropy)
        losses.append(entropy * -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate)))
    with style():
        figure = Figure(figsize=(6.2, 3.0), layout="constrained")
        axes = figure.subplots()
        axes.plot(rates, entropies, color=FIRST, marker="o", markersize=4)
        axes.plot(rates, losses, color=SECOND, marker="s", markersize=4)
        axes.set(xscale="log", xlabel="click-through rate", ylim=(0, 1))
        axes.set_xticks([0.001, 0.01, 0.1, 0.5], ["0.1 %", "1 %", "10 %", "50 %"])
        axes.text(rates[3], entropies[3] - 0.09, "normalized entropy", color=FIRST)
        axes.text(rates[5], losses[5] + 0.09, "log loss", color=SECOND, ha="right")
    return to_html(
        figure,
        "unit-of-log-loss",
        f"Two curves over click-through rates from {rates[0]:.1%} to {rates[-1]:.0%}. Log loss rises from "
        f"{losses[0]:.3f} to {losses[-1]:.2f}. Normalized entropy stays between {min(entropies):.2f} and "
        f"{max(entropies):.2f}.",
        "The same perfect knowledge of users, at twelve base rates. Log loss mostly reports the base rate; "
        "normalized entropy mostly reports the knowledge.",
    )


def reliability_after_downsampling() -> str:
    """Draw the reliability of a model trained on a tenth of the negatives, before and after the correction."""
    log = simulate_ad_log(400_000)
    train, test = log[log["day"] < 9], log[log["day"] > 10]
    rate = 0.1
    kept = train[(train["click"] == 1) | (np.random.default_rng(0).random(len(train)) < rate)]
    columns = ["category", "age_group", "device", "hour", "ad_id"]
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression(C=0.3, max_iter=300))
    raw = model.fit(kept[columns], kept["click"]).predict_proba(test[columns])[:, 1]
    corrected = raw / (raw + (1 - raw) / rate)
    with style():
        figure = Figure(figsize=(6.2, 3.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0.002, 0.6], [0.002, 0.6], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        ratios = {}
        for name, p, colour in [("as trained", raw, SECOND), ("corrected", corrected, FIRST)]:
            curve = reliability_curve(test["click"], p, n_bins=12)
            ratios[name] = p.sum() / test["click"].sum()
            error = 2 * np.sqrt(curve.observed_rate * (1 - curve.observed_rate) / curve.count)
            axes.errorbar(curve.mean_predicted, curve.observed_rate, error, color=colour, marker="o", markersize=4)
            at = len(curve.count) - 2
            axes.annotate(
                name,
                (curve.mean_predicted[at], curve.observed_rate[at]),
                xytext=(8, -14),
                textcoords="offset points",
                color=colour,
            )
        axes.set(
            xscale="log", yscale="log", xlabel="predicted", ylabel="observed", xlim=(0.004, 0.7), ylim=(0.003, 0.3)
        )
        ticks = [0.01, 0.03, 0.1, 0.3]
        axes.set_xticks(ticks, [f"{t:.0%}" for t in ticks])
        axes.set_yticks(ticks, [f"{t:.0%}" for t in ticks])
        axes.minorticks_off()
    return to_html(
        figure,
        "reliability",
        "Observed click rate against predicted rate, both on logarithmic axes. The model as trained lies far right of "
        f"the diagonal and promises {ratios['as trained']:.1f} times the clicks that come. Corrected, it follows the "
        "diagonal.",
        "Dashed: predicted equals observed. Bars: two standard errors. Keeping a tenth of the negatives multiplies the "
        "odds by ten; one formula takes it back.",
    )


def progressive_windows() -> str:
    """Draw training and test days of an expanding window, a sliding one and one with a gap."""
    kinds = [
        ("expanding", ProgressiveSplit(min_train_days=4)),
        ("sliding", ProgressiveSplit(min_train_days=4, max_train_days=4)),
        ("sliding, with a gap", ProgressiveSplit(min_train_days=4, max_train_days=4, gap_days=1)),
    ]
    days = np.arange(1, 9)
    with style():
        figure = Figure(figsize=(6.2, 2.1), layout="constrained")
        for axes, (name, splitter) in zip(figure.subplots(1, 3, sharey=True), kinds, strict=True):
            for fold, (train, test) in enumerate(splitter.split(days, groups=days)):
                axes.barh(fold, len(train), left=days[train[0]] - 0.5, height=0.62, color=FIRST, linewidth=0)
                axes.barh(fold, len(test), left=days[test[0]] - 0.5, height=0.62, color=SECOND, linewidth=0)
            axes.set(title=name, xlabel="day", xticks=days, xlim=(0.3, 8.7), yticks=[])
            axes.title.set_fontsize(10)
            axes.spines["left"].set_visible(False)
        axes = figure.axes[0]
        axes.text(0.6, 4.0, "train", color=FIRST)
        axes.text(8.4, 4.0, "test", color=SECOND, ha="right")
        axes.set_ylim(4.4, -0.6)
    return to_html(
        figure,
        "progressive-windows",
        "Three panels with one row for each fold. The test day moves from day 5 to day 8. Expanding: training always "
        "starts on day 1. Sliding: training is the four days before. With a gap: one day between training and test is "
        "left out.",
        "Each row is one fold: train, then test. The gap leaves out a day whose labels are not complete.",
    )
