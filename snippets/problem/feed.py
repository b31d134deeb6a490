"""A simulated feed whose users come back more often if what they read was worth it.

The ranker knows every probability. So whatever goes wrong is the fault of the objective, not of a model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

ACTIONS = ("click", "long_click", "hide")
N_SLOTS = 5  # items shown in a session
N_CANDIDATES = 20  # items the ranker chooses from


def simulate_feed(
    values: Mapping[str, float],
    n_users: int = 2_000,
    n_weeks: int = 12,
    seed: int = 0,
    *,
    honesty: float = 0.0,
    memory: float = 0.8,
    effect: float = 1.0,
) -> pd.DataFrame:
    """Let users live with a ranker that sorts by the sum of P(action) x value.

    Each item has an *appeal*, seen before the click, and a *substance*, found after it. Appeal draws clicks. Substance
    makes a click long, and a lack of it makes people hide. What a session gave, long clicks less short ones and hides,
    moves the user's satisfaction, and satisfaction moves the number of sessions in the weeks to come.

    Parameters
    ----------
    values : {action: number}
        Of some of "click", "long_click" (a click on what is then read) and "hide".
    n_users, n_weeks, seed
        Size of the world, and the seed that determines it.
    honesty : float in [-1, 1]
        Correlation of appeal and substance: at 1 headlines tell the truth, at 0 nothing, below they lie.
    memory : float in [0, 1)
        Share of last week's satisfaction that is left this week.
    effect : float
        Log sessions a week per unit of satisfaction. 0: users come out of habit.

    Returns
    -------
    frame with one row a user and week, in that order
        ``user``, ``week`` (from 0), ``sessions``, ``impressions``, ``click``, ``long_click``, ``hide`` (counts) and
        ``satisfaction`` at the start of the week, which no log has.

    Raises
    ------
    ValueError
        If an argument is out of range; the message names it.

    Examples
    --------
    >>> feed = simulate_feed({"click": 1, "hide": -10}, n_users=500, n_weeks=4)
    >>> len(feed), bool((feed["long_click"] <= feed["click"]).all())
    (2000, True)
    """
    _check(values, n_users, n_weeks, honesty, memory, effect)
    rng = np.random.default_rng(seed)
    habit = rng.normal(1.2, 0.6, n_users)  # log sessions a week
    clicky = rng.normal(0.0, 0.5, n_users)  # some click more, whatever is shown
    satisfaction = np.zeros(n_users)
    weeks = []
    for week in range(n_weeks):
        sessions = rng.poisson(np.exp(np.minimum(habit + effect * satisfaction, 4.0)))
        user = np.repeat(np.arange(n_users), sessions)
        # --8<-- [start:session]
        appeal = rng.normal(size=(len(user), N_CANDIDATES))
        substance = honesty * appeal + np.sqrt(1 - honesty**2) * rng.normal(size=appeal.shape)
        click = _sigmoid(-2.0 + 0.9 * appeal + 0.3 * substance + clicky[user, None])
        p = {
            "click": click,
            "long_click": click * _sigmoid(1.2 * substance - 0.3 * appeal),
            "hide": _sigmoid(-5.0 + 0.5 * appeal - 0.9 * substance),
        }
        score = sum(value * p[action] for action, value in values.items())
        shown = np.argsort(-score, axis=1, kind="stable")[:, :N_SLOTS]
        # --8<-- [end:session]
        p = {action: np.take_along_axis(array, shown, axis=1) for action, array in p.items()}
        clicked = rng.random(shown.shape) < p["click"]
        read = clicked & (rng.random(shown.shape) < p["long_click"] / p["click"])
        hidden = rng.random(shown.shape) < p["hide"]
        counts = {
            action: np.bincount(user, weights=happened.sum(axis=1), minlength=n_users).astype(np.int64)
            for action, happened in zip(ACTIONS, (clicked, read, hidden), strict=True)
        }
        weeks.append(
            pd.DataFrame(
                {
                    "user": np.arange(n_users),
                    "week": week,
                    "sessions": sessions,
                    "impressions": sessions * N_SLOTS,
                    **counts,
                    "satisfaction": satisfaction,
                }
            )
        )
        # --8<-- [start:satisfaction]
        good, bad = counts["long_click"], counts["click"] - counts["long_click"] + 2 * counts["hide"]
        lived = (good - bad) / np.maximum(sessions, 1)
        satisfaction = np.where(sessions > 0, memory * satisfaction + (1 - memory) * lived, memory * satisfaction)
        # --8<-- [end:satisfaction]
    return pd.concat(weeks, ignore_index=True).sort_values(["user", "week"], ignore_index=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-x))


def _check(values, n_users, n_weeks, honesty, memory, effect) -> None:
    if not values or not set(values) <= set(ACTIONS) or not all(np.isfinite(v) for v in values.values()):
        raise ValueError(f"values must give finite numbers to some of {ACTIONS}, got {dict(values)}")
    for name, number in [("n_users", n_users), ("n_weeks", n_weeks)]:
        if not isinstance(number, int | np.integer) or number < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {number!r}")
    if not -1 <= honesty <= 1:
        raise ValueError(f"honesty must be a correlation in [-1, 1], got {honesty}")
    if not 0 <= memory < 1:
        raise ValueError(f"memory must be in [0, 1), got {memory}")
    if not np.isfinite(effect):
        raise ValueError(f"effect must be finite, got {effect}")
