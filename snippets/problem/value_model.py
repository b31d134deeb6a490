"""One score from several predictions: the expected value of showing an item.

A ranker that predicts click, hide and purchase needs a price for each to sort by. The
prices are a decision about the product; past experiments can say what they should be.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Values(NamedTuple):
    """What one more of each action is worth to the goal, with standard errors."""

    values: np.ndarray
    standard_errors: np.ndarray


def expected_value(
    probabilities: Mapping[str, ArrayLike], values: Mapping[str, float]
) -> np.ndarray:
    """Return the sum over actions of P(action) x value of the action, for each item.

    The values are only right for *calibrated* probabilities: if hides are predicted
    twice too often, each hide costs twice what you decided.

    Parameters
    ----------
    probabilities : {action: array of any shape, or column}
        All of one shape. Expected amounts, as watch time in minutes, may stand there
        too: at least 0.
    values : {action: number}
        In one currency, negative for what users dislike. Of the same actions, so that
        none is forgotten.

    Returns
    -------
    array of that shape, or a Series if the probabilities of the first action are one
        In the currency of values.

    Raises
    ------
    ValueError
        If there is nothing to score, the actions or the shapes differ, a prediction is
        negative or not finite, or a value is not finite; the message names the action.

    Examples
    --------
    >>> p = {"click": [0.05, 0.08], "hide": [0.001, 0.02]}
    >>> expected_value(p, {"click": 1, "hide": -10}).round(3).tolist()
    [0.04, -0.12]
    """
    if not (isinstance(values, Mapping) and hasattr(probabilities, "keys")):
        raise ValueError(
            f"probabilities and values must be given by action, got {probabilities!r} "
            f"and {values!r}"
        )
    if set(probabilities.keys()) != set(values) or not values:
        raise ValueError(
            f"probabilities are of {[*probabilities]}, values of {[*values]}"
        )
    arrays = {
        action: _numbers(action, p, "[0, inf)", ndim=None)
        for action, p in probabilities.items()
    }
    if not all(array.size for array in arrays.values()):
        raise ValueError(
            f"{next(action for action, array in arrays.items() if not array.size)} is "
            "empty"
        )
    if len({a.shape for a in arrays.values()}) > 1:
        raise ValueError(
            "probabilities differ in shape: "
            f"{ {action: a.shape for action, a in arrays.items()} }"
        )
    values = {
        action: _number(f"the value of {action!r}", value)
        for action, value in values.items()
    }
    with np.errstate(over="ignore", invalid="ignore"):
        # --8<-- [start:value]
        score = sum(values[action] * arrays[action] for action in values)
        # --8<-- [end:value]
    if not np.isfinite(score).all():
        raise ValueError("probabilities times values are more than floats hold")
    return _like(score, probabilities[next(iter(arrays))])


def values_from_experiments(
    action_effects: ArrayLike, goal_effects: ArrayLike, noise: ArrayLike | None = None
) -> Values:
    """Fit what each action is worth, by regression over past experiments.

    It regresses the goal's lift on the actions' lifts. Lifts are estimates. The same
    users make the noise of an action's lift and of the goal's, so that the plain
    regression mixes in the correlation between users, which is not what an action
    *does*. ``noise`` takes it off.

    Parameters
    ----------
    action_effects : array of shape (m, k)
        The effect of each of m experiments on k actions a user.
    goal_effects : array of shape (m,)
        Its effect on the goal, as sessions a user and week. No intercept: who changes
        no action, changes no goal.
    noise : array of shape (m, k + 1, k + 1) or None
        The covariance of the errors of each experiment's lifts, the goal's last: of an
        arm's users, divided by their number, summed over the two arms. None takes the
        lifts for exact.

    Returns
    -------
    Values
        Standard errors by the jackknife over experiments: they are few.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are not more experiments
        than actions, or what is left after the noise is taken off says nothing about an
        action, with all experiments or without one of them: if actions always move
        together, say, or if only one experiment moves one of them.

    References
    ----------
    Bibaut, Chou, Ejdemyr, Kallus 2024, "Learning the Covariance of Treatment Effects
    Across Many Weak Experiments".

    Examples
    --------
    >>> lifts = [[1, 0], [0, 1], [2, 1]]
    >>> values_from_experiments(lifts, [0.5, -3, -2]).values.round(6).tolist()
    [0.5, -3.0]
    """
    X, y = (
        _numbers("action_effects", action_effects, ndim=2),
        _numbers("goal_effects", goal_effects),
    )
    _same_rows(action_effects=X, goal_effects=y)
    m, k = X.shape
    if not 0 < k < m:
        raise ValueError(
            f"{m} experiments cannot price {k} actions: more experiments than actions "
            "are needed"
        )
    errors = (
        np.zeros((m, k + 1, k + 1))
        if noise is None
        else _numbers("noise", noise, ndim=None)
    )
    if errors.shape != (m, k + 1, k + 1):
        raise ValueError(
            f"noise must be of shape {(m, k + 1, k + 1)}, got {errors.shape}"
        )
    _covariances("noise", errors)
    lifts = np.column_stack([X, y])
    # From here on the largest lift of all is 1: nothing overflows, digits compare
    scale = np.abs(lifts).max(axis=0)
    scale[scale == 0] = 1
    lifts, errors = lifts / scale, errors / scale / scale[:, None]
    # --8<-- [start:fit]
    # of the true effects, experiment by experiment
    moments = np.einsum("ij,ik->ijk", lifts, lifts) - errors
    total = moments.sum(axis=0)
    without = total - moments  # the jackknife: leave out one experiment at a time
    _check_moments(total[:k, :k], without[:, :k, :k])
    values = np.linalg.solve(total[:k, :k], total[:k, k])
    parts = np.linalg.solve(without[:, :k, :k], without[:, :k, k:])[:, :, 0]
    spread = np.sqrt((m - 1) / m * ((parts - parts.mean(axis=0)) ** 2).sum(axis=0))
    # --8<-- [end:fit]
    with np.errstate(over="ignore"):
        values, spread = values * scale[k] / scale[:k], spread * scale[k] / scale[:k]
    if not (np.isfinite(values).all() and np.isfinite(spread).all()):
        raise ValueError("goal_effects over action_effects are more than floats hold")
    return Values(values, spread)


def _check_moments(total: np.ndarray, without: np.ndarray) -> None:
    """Refuse lifts that do not tell the actions apart.

    Their moments are singular, with all experiments or without one.
    """
    m, k, _ = without.shape
    size = np.sqrt(np.maximum(np.diagonal(total), 0))
    size[size == 0] = 1
    least = np.linalg.eigvalsh(
        np.concatenate([total[None], without]) / size / size[:, None]
    )[:, 0]
    singular = np.flatnonzero(least <= 4 * m * k * np.finfo(float).eps)
    if len(singular):
        which = f" without experiment {singular[0] - 1}" if singular[0] else ""
        raise ValueError(
            f"the lifts{which} are no larger than their noise, or some actions always "
            "move together: more experiments, "
            "larger ones or fewer actions are needed"
        )


# --- The door: copies of tools/door/checks.py, by `make door`. ---


def _array(name: str, values: Any, ndim: int | None = 1) -> np.ndarray:
    """Return numbers of any container as an array; missing ones are NaN, or refused."""
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = values.astype(
            np.float64 if values.dtype.kind in "biuf" else object
        ).filled(np.nan)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US":  # one text makes texts of all
            array = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length, of numbers") from error
    if ndim is not None and array.ndim != ndim:
        wanted = {
            0: "be one number",
            1: "have one dimension",
            2: "have two dimensions",
        }[ndim]
        raise ValueError(
            f"{name} must {wanted}, got "
            f"{f'shape {array.shape}' if array.ndim else repr(values)}"
        )
    if array.dtype == object:
        flat = array.ravel()
        good = np.array(
            [
                isinstance(v, numbers.Real | np.bool_) or hasattr(v, "as_integer_ratio")
                for v in flat
            ],
            bool,
        )
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            good.reshape(array.shape),
        )
        whole = all(
            isinstance(v, numbers.Integral | np.bool_) and -(2**63) <= v < 2**63
            for v in flat
        )
        try:
            array = array.astype(np.int64 if whole and flat.size else np.float64)
        except OverflowError:
            # NumPy does so for whole numbers and fractions of more than 308 digits only
            large = [
                isinstance(v, numbers.Rational) and abs(v) >= 2**1023 for v in flat
            ].index(True)
            where = (
                f", got more than 308 digits at row {large}"
                if array.ndim == 1
                else ", got more than 308 digits"
            )
            raise ValueError(f"{name} must be finite as floats{where}") from None
    if array.dtype.kind not in "biuf":
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            np.zeros(array.shape, bool),
        )
        array = array.astype(np.float64)  # no row, so nothing to refuse
    return array


def _refuse(
    name: str, rule: str, array: np.ndarray, good: np.ndarray, start: int = 0
) -> None:
    """Raise an error that names the first value that is not good, if there is one."""
    if good.all():
        return
    at = tuple(map(int, np.unravel_index(int(np.argmin(good)), good.shape)))
    value = array[at]
    text = f"{value:.15g}" if isinstance(value, float | np.floating) else f"{value}"
    text = f"'{text}'" if isinstance(value, str) else text
    where = f" at row {at[0] + start}" if at else ""
    where += f", column {at[1]}" if len(at) > 1 else ""
    raise ValueError(f"{name} must {rule}, got {text}{where}")


def _inside(name: str, array: np.ndarray, interval: str, start: int = 0) -> np.ndarray:
    """Return an array as float64, or say which value is not in an interval, as NaN."""
    array = array.astype(np.float64, copy=False)
    low, high = map(float, interval[1:-1].split(","))
    above, below = (
        operator.gt if interval[0] == "(" else operator.ge,
        operator.lt if interval[-1] == ")" else operator.le,
    )
    # The minimum and the maximum are as fast as memory, and NaN passes through both of
    # them.
    if array.size and not (above(array.min(), low) and below(array.max(), high)):
        least = (
            f"{'above' if interval[0] == '(' else 'at least'} {low:g}"
            if np.isfinite(low)
            else ""
        )
        finite = "finite" if interval[-1] == ")" and not np.isfinite(high) else ""
        rule = (
            f"in {interval}"
            if np.isfinite(high)
            else " and ".join(filter(None, [least, finite])) or "a number"
        )
        _refuse(
            name, f"be {rule}", array, above(array, low) & below(array, high), start
        )
    return array


def _numbers(
    name: str, values: Any, interval: str = "(-inf, inf)", ndim: int | None = 1
) -> np.ndarray:
    """Return numbers of any container as float64, all in an interval, as "(0, 1]"."""
    return _inside(name, _array(name, values, ndim), interval)


def _number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """Return a parameter as a float inside of an interval."""
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be a number, got {value}")
    return float(_numbers(name, value, interval, ndim=0))


def _same_rows(**arrays: np.ndarray | None) -> int:
    """Return the number of rows that all arrays have, at least one; None has none."""
    (first, rows), *others = [
        (name, len(array)) for name, array in arrays.items() if array is not None
    ]
    for name, other in others:
        if other != rows:
            raise ValueError(f"{name} has {other} rows, {first} has {rows}")
    if rows == 0:
        raise ValueError(f"{first} is empty")
    return rows


def _like(result: np.ndarray, values: Any) -> Any:
    """Return one number for each row, as a Series if the rows were one."""
    is_series = hasattr(values, "iloc") and getattr(values, "ndim", 0) == 1
    return type(values)(result, index=values.index) if is_series else result


def _covariances(name: str, errors: np.ndarray) -> None:
    """Refuse a negative variance, or a covariance asymmetric or above the variances."""
    variances = np.einsum("mii->mi", errors)
    _refuse(name, "hold variances of at least 0", variances, variances >= 0)
    spread = np.sqrt(variances)
    most = spread[:, :, None] * spread[:, None, :] * (1 + 1e-6)
    good = (np.abs(errors) <= most) & (
        np.abs(errors - errors.transpose(0, 2, 1)) <= 1e-6 * most
    )
    _refuse(
        name,
        "hold covariances, symmetric and no larger than the variances",
        errors,
        good,
    )


# --- End of the door. ---
