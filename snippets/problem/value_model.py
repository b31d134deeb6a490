"""One score from several predictions: the expected value of showing an item.

A ranker that predicts click, hide and purchase needs a price for each to sort by. The prices are a decision about the
product; past experiments can say what they should be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Values(NamedTuple):
    """What one more of each action is worth, in units of the goal, with standard errors."""

    values: np.ndarray
    standard_errors: np.ndarray


def expected_value(probabilities: Mapping[str, ArrayLike], values: Mapping[str, float]) -> np.ndarray:
    """Return the sum over actions of P(action) x value of the action, for each item.

    The values are only right for *calibrated* probabilities: if hides are predicted twice too often, each hide costs
    twice what you decided.

    Parameters
    ----------
    probabilities : {action: array of any shape}
        All of one shape. Expected amounts, as watch time in minutes, may stand there too: at least 0.
    values : {action: number}
        In one currency, negative for what users dislike. Of the same actions, so that none is forgotten.

    Returns
    -------
    array of that shape
        In the currency of values.

    Raises
    ------
    ValueError
        If the actions or the shapes differ, a prediction is negative or not finite, or a value is not finite.

    Examples
    --------
    >>> expected_value({"click": [0.05, 0.08], "hide": [0.001, 0.02]}, {"click": 1, "hide": -10}).round(3).tolist()
    [0.04, -0.12]
    """
    if probabilities.keys() != values.keys() or not values:
        raise ValueError(f"probabilities are of {sorted(probabilities)}, values of {sorted(values)}")
    arrays = {action: np.asarray(p, dtype=float) for action, p in probabilities.items()}
    if len({a.shape for a in arrays.values()}) > 1:
        raise ValueError(f"probabilities differ in shape: { {action: a.shape for action, a in arrays.items()} }")
    for action, array in arrays.items():
        valid = (array >= 0) & (array < np.inf)
        if not valid.all():
            raise ValueError(f"probabilities of {action!r} must be at least 0 and finite, got {array[~valid].flat[0]}")
        if not np.isfinite(values[action]):
            raise ValueError(f"the value of {action!r} must be finite, got {values[action]}")
    # --8<-- [start:value]
    return sum(values[action] * arrays[action] for action in values)
    # --8<-- [end:value]


def values_from_experiments(
    action_effects: ArrayLike, goal_effects: ArrayLike, noise: ArrayLike | None = None
) -> Values:
    """Fit what each action is worth: the regression, over past experiments, of the goal's lift on the actions' lifts.

    Lifts are estimates. The same users make the noise of an action's lift and of the goal's, so that the plain
    regression mixes in the correlation between users, which is not what an action *does*. ``noise`` takes it off.

    Parameters
    ----------
    action_effects : array of shape (m, k)
        The effect of each of m experiments on k actions a user.
    goal_effects : array of shape (m,)
        Its effect on the goal, as sessions a user and week. No intercept: who changes no action, changes no goal.
    noise : array of shape (m, k + 1, k + 1) or None
        The covariance of the errors of each experiment's lifts, the goal's last: of an arm's users, divided by their
        number, summed over the two arms. None takes the lifts for exact.

    Returns
    -------
    Values
        Standard errors by the jackknife over experiments: they are few.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are not more experiments than actions, or what is left after
        the noise is taken off says nothing about an action.

    References
    ----------
    Bibaut, Chou, Ejdemyr, Kallus 2024, "Learning the Covariance of Treatment Effects Across Many Weak Experiments".

    Examples
    --------
    >>> values_from_experiments([[1, 0], [0, 1], [2, 1]], [0.5, -3, -2]).values.round(6).tolist()
    [0.5, -3.0]
    """
    X, y = np.asarray(action_effects, dtype=float), np.asarray(goal_effects, dtype=float)
    if X.ndim != 2 or y.shape != X.shape[:1]:
        raise ValueError(f"action_effects must be (m, k), goal_effects (m,), got {X.shape} and {y.shape}")
    m, k = X.shape
    if m <= k:
        raise ValueError(f"{m} experiments cannot price {k} actions: more experiments than actions are needed")
    errors = np.zeros((m, k + 1, k + 1)) if noise is None else np.asarray(noise, dtype=float)
    if errors.shape != (m, k + 1, k + 1):
        raise ValueError(f"noise must be of shape {(m, k + 1, k + 1)}, got {errors.shape}")
    for name, array in [("action_effects", X), ("goal_effects", y), ("noise", errors)]:
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, got {array[~np.isfinite(array)][0]}")
    # --8<-- [start:fit]
    lifts = np.column_stack([X, y])
    moments = np.einsum("ij,ik->ijk", lifts, lifts) - errors  # of the true effects, experiment by experiment
    total = moments.sum(axis=0)
    if np.linalg.eigvalsh(total[:k, :k])[0] <= 0:
        raise ValueError("the lifts are no larger than their noise: more experiments, or larger ones, are needed")
    values = np.linalg.solve(total[:k, :k], total[:k, k])
    without = total - moments  # the jackknife: leave out one experiment at a time
    parts = np.linalg.solve(without[:, :k, :k], without[:, :k, k:])[:, :, 0]
    spread = np.sqrt((m - 1) / m * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))
    # --8<-- [end:fit]
    return Values(values, spread)
