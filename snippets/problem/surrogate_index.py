"""Short-term metrics that stand for a long-term goal: which one follows it, and what an experiment will do to it.

Athey, Chetty, Imbens, Kang 2019, "The Surrogate Index: Combining Short-Term Proxies to Estimate Long-Term Treatment
Effects More Rapidly and Precisely". Tripuraneni et al. 2024, "Choosing a Proxy Metric from Past Experiments".
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm


class SurrogateEffect(NamedTuple):
    """The effect that is expected on the goal, with its error."""

    effect: float
    standard_error: float
    low: float
    high: float


class Correlation(NamedTuple):
    """A correlation over experiments, with its jackknife error."""

    correlation: float
    standard_error: float


def surrogate_index(
    short_history: ArrayLike,
    long_history: ArrayLike,
    short_treatment: ArrayLike,
    short_control: ArrayLike,
    level: float = 0.95,
) -> SurrogateEffect:
    """Estimate an experiment's effect on a goal that lies months ahead from what it did to short-term metrics.

    Old users, whose future is known, teach a regression of the goal on the short-term metrics. Its forecast for the
    treated less its forecast for the control is the effect, if the treatment moves the goal through these metrics alone
    and if the metrics cause the goal as they forecast it. The interval knows nothing of these two ifs.

    Parameters
    ----------
    short_history : array of shape (n, k)
        Short-term metrics of old users.
    long_history : array of shape (n,)
        What the goal became for them.
    short_treatment, short_control : arrays of shape (n_t, k) and (n_c, k)
        The same metrics of the users of the experiment.
    level : float in (0, 1)

    Returns
    -------
    SurrogateEffect
        In units of the goal. The error counts the users of the experiment and those of the history, the latter robust
        to unequal variances.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are too few users, or metrics repeat each other.

    Examples
    --------
    >>> surrogate_index([[0], [1], [2], [3]], [1, 3, 5, 7], [[2], [3]], [[1], [2]]).effect
    2.0
    """
    S, y = np.asarray(short_history, dtype=float), np.asarray(long_history, dtype=float)
    treated, control = np.asarray(short_treatment, dtype=float), np.asarray(short_control, dtype=float)
    if S.ndim != 2 or y.shape != S.shape[:1]:
        raise ValueError(f"short_history must be (n, k), long_history (n,), got {S.shape} and {y.shape}")
    for name, array in [("short_treatment", treated), ("short_control", control)]:
        if array.ndim != 2 or array.shape[1] != S.shape[1] or len(array) < 2:
            raise ValueError(f"{name} must be (at least 2, {S.shape[1]}), got {array.shape}")
    named = {"short_history": S, "long_history": y, "short_treatment": treated, "short_control": control}
    for name, array in named.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    if not 0 < level < 1:
        raise ValueError(f"level must be in (0, 1), got {level}")
    if np.linalg.matrix_rank(np.column_stack([np.ones(len(S)), S])) <= S.shape[1]:
        raise ValueError("short_history has too few users, or a metric that the others determine")
    # --8<-- [start:index]
    centred, gap = S - S.mean(axis=0), treated.mean(axis=0) - control.mean(axis=0)
    weights = np.linalg.lstsq(centred, y - y.mean())[0]
    effect = gap @ weights
    residual = y - y.mean() - centred @ weights
    # What the gap multiplies is uncertain, and so is the gap.
    of_weights = ((centred @ np.linalg.solve(centred.T @ centred, gap)) * residual) ** 2
    of_gap = sum((arm @ weights).var(ddof=1) / len(arm) for arm in (treated, control))
    error = np.sqrt(of_weights.sum() + of_gap)
    # --8<-- [end:index]
    half = norm.ppf((1 + level) / 2) * error
    return SurrogateEffect(float(effect), float(error), float(effect - half), float(effect + half))


def proxy_correlation(proxy_effects: ArrayLike, goal_effects: ArrayLike, noise: ArrayLike | None = None) -> Correlation:
    """Correlate, over past experiments, what they truly did to a proxy with what they truly did to the goal.

    The plain correlation of the estimated lifts mixes in that of their errors: heavy users have more of everything.

    Parameters
    ----------
    proxy_effects, goal_effects : arrays of shape (m,)
        Lifts of m experiments, each with the sign that it had.
    noise : array of shape (m, 2, 2) or None
        Covariance of the errors of each experiment's two lifts, the goal's last. None takes the lifts for exact.

    Returns
    -------
    Correlation
        About zero effect, not about their mean: experiments that all do the same to both agree. Cut to [-1, 1].

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are fewer than three experiments, or the lifts are no larger
        than their noise.

    Examples
    --------
    >>> round(proxy_correlation([1, -2, 3], [2, -3, 7]).correlation, 3)
    0.984
    """
    x, y = np.asarray(proxy_effects, dtype=float), np.asarray(goal_effects, dtype=float)
    m = len(x)
    errors = np.zeros((m, 2, 2)) if noise is None else np.asarray(noise, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or errors.shape != (m, 2, 2):
        raise ValueError(f"shapes must be (m,), (m,) and (m, 2, 2), got {x.shape}, {y.shape} and {errors.shape}")
    if m < 3:
        raise ValueError(f"at least three experiments are needed, got {m}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(errors).all()):
        raise ValueError("effects and noise must be finite")
    # --8<-- [start:correlation]
    lifts = np.column_stack([x, y])
    moments = np.einsum("ij,ik->ijk", lifts, lifts) - errors  # of the true effects, experiment by experiment
    total = moments.sum(axis=0)
    without = total - moments  # the jackknife: leave out one experiment at a time
    if min(without[:, 0, 0].min(), without[:, 1, 1].min()) <= 0:
        raise ValueError("the lifts are no larger than their noise: more experiments, or larger ones, are needed")
    parts = without[:, 0, 1] / np.sqrt(without[:, 0, 0] * without[:, 1, 1])
    spread = np.sqrt((m - 1) / m * ((parts - parts.mean()) ** 2).sum())
    correlation = np.clip(total[0, 1] / np.sqrt(total[0, 0] * total[1, 1]), -1, 1)
    # --8<-- [end:correlation]
    return Correlation(float(correlation), float(spread))
