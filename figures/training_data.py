"""Figures of Training Data."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit

from figures.svg import FIRST, INK, SECOND, THIRD, style, to_html
from snippets.datasets.ad_log import simulate_ad_log
from snippets.training_data.feedback_loop import simulate_feedback_loop


def window_coverage() -> str:
    """Draw the share of clicks inside a window against how long an example waits for it."""
    log = simulate_ad_log(300_000)
    delay = np.sort(log.loc[log["click"] == 1, "click_delay"])
    windows = np.geomspace(5, 4 * 86_400, 120)
    share = np.searchsorted(delay, windows) / len(delay)
    marks = {"1 min": 60, "10 min": 600, "1 h": 3_600, "6 h": 21_600, "1 day": 86_400}
    with style():
        figure = Figure(figsize=(6.2, 2.9), layout="constrained")
        axes = figure.subplots()
        axes.plot(windows, share, color=FIRST)
        for seconds in marks.values():
            axes.plot(seconds, np.interp(seconds, windows, share), color=FIRST, marker="o", markersize=4)
        axes.axvspan(600, 21_600, color=SECOND, alpha=0.15, linewidth=0)
        gained = np.diff(np.interp([600, 21_600], windows, share)).item()
        axes.text(3_600, 0.62, f"hours of age\nfor {gained:.0%} of the clicks", color=SECOND, ha="center")
        axes.set(
            xscale="log",
            xlabel="window, the age of an example when it is learned",
            ylabel="clicks seen",
            ylim=(0, 1.03),
        )
        axes.set_xticks(list(marks.values()), list(marks))
        axes.set_xticks([], minor=True)
        axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
    at = {name: np.interp(seconds, windows, share) for name, seconds in marks.items()}
    return to_html(
        figure,
        "window-coverage",
        "Share of clicks that a window sees. It rises to "
        + ", ".join(f"{value:.0%} at {name}" for name, value in at.items())
        + ". Between ten minutes and six hours it is nearly flat.",
        "Coverage against freshness. On the flat part a longer window only makes examples older.",
    )


def feedback_loop() -> str:
    """Draw the click rate of a loop by round, closed and with exploration."""
    rng = np.random.default_rng(0)
    rates = expit(-3.7 + rng.normal(0, 0.5, 300) + rng.normal(0, 0.6, (20, 300)))
    with style():
        figure = Figure(figsize=(6.2, 2.9), layout="constrained")
        axes = figure.subplots()
        ends = {}
        for share, colour in [(0.0, SECOND), (0.1, FIRST), (0.5, THIRD)]:
            loops = [simulate_feedback_loop(rates, [share] * 60, np.random.default_rng(s)) for s in range(5)]
            click_rate = np.mean([loop["click_rate"] for loop in loops], axis=0)
            ends[share] = click_rate[-1]
            axes.plot(range(1, 61), click_rate, color=colour)
            axes.text(61, click_rate[-1], f"{share:.0%} explored", color=colour, va="center")
        best = loops[0]["best_rate"].iloc[0]
        axes.axhline(best, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.text(61, best, "best possible", va="center")
        axes.set(xlabel="round", ylabel="click rate", xlim=(1, 60), ylim=(0, 0.16))
        axes.set_yticks([0, 0.05, 0.1, 0.15], ["0 %", "5 %", "10 %", "15 %"])
    return to_html(
        figure,
        "feedback-loop",
        f"Click rate over sixty rounds. Without exploration it ends at {ends[0.0]:.1%}, with 10 % at {ends[0.1]:.1%}, "
        f"with 50 % at {ends[0.5]:.1%}. The best possible is {best:.1%}.",
        "Means of five loops. The closed loop learns only about what it chose by luck in the first round.",
    )
