"""Figures of Problem Navigation."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.figure import Figure

from figures.diagram import Arrow, Box, diagram
from figures.svg import FIRST, INK, SECOND, THIRD, style, to_html
from snippets.problem.feed import simulate_feed


def metric_tree() -> str:
    """Draw how a goal splits into factors that a team can move."""
    boxes = {
        "goal": Box(0, 0, 12, "Goal: a feed worth coming back to", "measured over a year, too slow to steer by"),
        "sessions": Box(1, 1, 11, "Sessions per user and week", "the metric of the experiment", "../metrics/"),
        "active": Box(2, 2, 10, "Days active, out of seven", "did they come at all?"),
        "perday": Box(2, 3, 10, "Sessions on an active day", "how often on such a day?"),
        "session": Box(1, 4, 11, "What a session is worth", "the score that ranks", "../negative-feedback/"),
        "long": Box(2, 5, 10, "Clicks that are then read", "what the model predicts, + 1"),
        "hide": Box(2, 6, 10, "Hides: “not relevant”", "what the model predicts, - 20"),
        "guard": Box(1, 7, 11, "Guardrails", "latency, revenue, complaints, new authors", kind="store"),
    }
    arrows = [
        Arrow("goal", "sessions", "branch"),
        Arrow("sessions", "active", "branch"),
        Arrow("sessions", "perday", "branch"),
        Arrow("goal", "session", "branch"),
        Arrow("session", "long", "branch"),
        Arrow("session", "hide", "branch"),
        Arrow("goal", "guard", "branch"),
    ]
    return diagram(
        "metric-tree",
        boxes,
        arrows,
        "A tree. The goal, that people find the feed worth coming back to, has three branches: sessions per user and "
        "week, which split into days active and sessions on an active day; what a session is worth, which splits into "
        "clicks that are read and hides; and guardrails such as latency and revenue.",
        "Slow and true on top, fast and noisy below. A model predicts the leaves, an experiment reads the middle.",
    )


def system() -> str:
    """Draw the whole system, online on the left and offline on the right, each box a link to its page."""
    boxes = {
        "user": Box(0, 0, 12, "User opens the feed", link="../goal/", kind="person"),
        "retrieve": Box(0, 1, 5.2, "Candidates", "10,000,000 to 1,000", "../../modeling/two-towers/"),
        "filter": Box(0, 2, 5.2, "Filters", "seen, hidden, not allowed", "../negative-feedback/"),
        "features": Box(0, 3, 5.2, "Feature store", "as of now", "../../features/catalogue/", "store"),
        "rank": Box(0, 4, 5.2, "Ranking", "P(click), P(hide), …", "../../modeling/choosing/"),
        "value": Box(0, 5, 5.2, "Calibrate, value", "one score", "../../evaluation/calibration/"),
        "rerank": Box(0, 6, 5.2, "Re-ranking", "diversity, exploration", "../../modeling/diversity/"),
        "shown": Box(
            0, 7, 12, "Shown, and logged as shown", "item, position, features", "../../training-data/what-data/"
        ),
        "log": Box(6.8, 6, 5.2, "Events", "impressions, clicks, hides", "../metrics/", "store"),
        "join": Box(6.8, 5, 5.2, "Event joiner", "waits for late clicks", "../../training-data/joining-events/"),
        "set": Box(6.8, 4, 5.2, "Training set", "as of then, sampled", "../../features/point-in-time-joins/", "store"),
        "train": Box(6.8, 3, 5.2, "Training", "every day", "../../modeling/training-process/"),
        "gate": Box(6.8, 2, 5.2, "Offline test, gate", "on later days", "../../evaluation/continuous-evaluation/"),
        "test": Box(6.8, 1, 5.2, "A/B test, monitors", "users, drift", "../../evaluation/ab-tests/"),
    }
    down = ["retrieve", "filter", "features", "rank", "value", "rerank"]
    up = ["log", "join", "set", "train", "gate", "test"]
    arrows = [Arrow("user", "retrieve"), Arrow("rerank", "shown"), Arrow("shown", "log"), Arrow("test", "user")]
    arrows += [Arrow(a, b) for path in (down, up) for a, b in pairwise(path)]
    arrows += [
        Arrow("gate", "rank", "around", "new model", at=6.35),
        Arrow("join", "features", "around", "counts", at=5.75, along=0.75),
    ]
    return diagram(
        "system",
        boxes,
        arrows,
        "The system as a loop. Online, from top to bottom: the user opens the feed, candidates, filters, feature "
        "store, ranking, calibration and value, re-ranking, the feed as shown and logged. Offline, from the bottom up: "
        "events, event joiner, training set, training, offline test and gate, A/B test and monitors. The gate sends a "
        "new model to the ranking, the joiner sends counts to the feature store.",
        "Left, milliseconds, downwards; right, hours and days, upwards. Each box leads to its page.",
    )


def clicks_or_sessions() -> str:
    """Draw sessions a week under three objectives, while the click rate tells another story."""
    arms = {
        "clicks": ({"click": 1}, SECOND),
        "clicks - 20 hides": ({"click": 1, "hide": -20}, FIRST),
        "no ranking": ({"click": 0}, THIRD),
    }
    with style():
        figure = Figure(figsize=(6.2, 2.9), layout="constrained")
        rate, sessions = figure.subplots(1, 2)
        ends = {}
        for name, (values, colour) in arms.items():
            weeks = simulate_feed(values, n_users=4_000, honesty=-0.5).groupby("week").sum()
            ctr, visits = 100 * weeks["click"] / weeks["impressions"], weeks["sessions"] / 4_000
            rate.plot(ctr.index + 1, ctr, color=colour)
            sessions.plot(visits.index + 1, visits, color=colour)
            sessions.text(12.3, visits.iloc[-1], name, color=colour, va="center")
            ends[name] = (ctr.iloc[-1], visits.iloc[-1])
        rate.set(xlabel="week", ylim=(0, 32))
        rate.set_title("click rate in %", fontsize=10, loc="left")
        sessions.set(xlabel="week", ylim=(0, 6), xlim=(1, 12))
        sessions.set_title("sessions per user and week", fontsize=10, loc="left")
        for axes in (rate, sessions):
            axes.set_xticks([1, 4, 8, 12])
            axes.axhline(0, color=INK, linewidth=0.8)
    return to_html(
        figure,
        "clicks-or-sessions",
        "Click rate and sessions a week over twelve weeks. At the end: "
        + "; ".join(f"{name}, {ctr:.0f} % and {visits:.1f} sessions" for name, (ctr, visits) in ends.items())
        + ".",
        "The objective that wins on the left in every week loses on the right in every week after the first.",
    )
