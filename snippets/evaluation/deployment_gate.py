"""A gate between training and serving: whether the new model may replace the one that serves.

Totals must be shown to be good, since they have many rows. Slices must not be shown to be bad, since some have few.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


class Gate(NamedTuple):
    """The decision, and one row for each check that led to it."""

    passed: bool
    checks: pd.DataFrame


def deployment_gate(
    y_true: ArrayLike,
    prob_current: ArrayLike,
    prob_candidate: ArrayLike,
    users: ArrayLike,
    slices: pd.DataFrame,
    *,
    max_ne_loss: float = 0.002,
    calibration_limit: float = 1.1,
    slice_limit: float = 1.5,
    shift_limit: float = 2.0,
    confidence_level: float = 0.95,
) -> Gate:
    """Decide on a day that neither model was trained on.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1, with both classes.
    prob_current, prob_candidate : arrays of shape (n,)
        Predictions of the model that serves and of the new one, in (0, 1).
    users : array of shape (n,)
        Who saw each row: users are the independent units.
    slices : pandas.DataFrame of n rows
        Columns to cut by, such as device or country. Missing values are a slice of their own.
    max_ne_loss : float
        Normalized entropy that the candidate may lose, at least 0. Passed if the interval's upper end is below.
    calibration_limit : float
        Above 1. Passed if the whole interval of expected over observed clicks lies within [1 / limit, limit].
    slice_limit : float
        Above 1. A slice fails if its whole interval lies outside, with a Bonferroni correction for their number.
    shift_limit : float
        Above 1. A slice fails if the candidate promises that many times more or fewer clicks than the current model.
        Needs no labels: it catches a model trained on broken ones, which broken labels would confirm.
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Gate
        ``checks`` has the columns ``check``, ``estimate``, ``low``, ``high``, ``allowed_low``, ``allowed_high`` and
        ``passed``.

    Raises
    ------
    ValueError
        If arrays are empty, unequal in length or hold other values than those above; if a limit is out of range.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.02, 0.2, 20_000)
    >>> y, device = rng.random(20_000) < p, pd.DataFrame({"device": rng.choice(["phone", "tablet"], 20_000)})
    >>> gate = deployment_gate(y, p, np.where(device["device"] == "phone", p, p / 3), range(20_000), device)
    >>> gate.passed, gate.checks.loc[~gate.checks["passed"], "check"].tolist()[-1]
    (False, 'shift, device=tablet')
    """
    y, current, candidate, user = _check(y_true, prob_current, prob_candidate, users, slices, confidence_level)
    if not max_ne_loss >= 0:
        raise ValueError(f"max_ne_loss must be at least 0, got {max_ne_loss}")
    limits = {"calibration_limit": calibration_limit, "slice_limit": slice_limit, "shift_limit": shift_limit}
    for name, limit in limits.items():
        if not limit > 1:
            raise ValueError(f"{name} must be above 1, got {limit}")
    checks = []
    # --8<-- [start:totals]
    change = _ne_change(y, current, candidate, user, confidence_level)
    checks.append(("normalized entropy, change", *change, -np.inf, max_ne_loss, change[2] <= max_ne_loss))
    ratio = _calibration(y, candidate, user, confidence_level)
    low, high = 1 / calibration_limit, calibration_limit
    checks.append(("calibration", *ratio, low, high, low <= ratio[1] and ratio[2] <= high))
    # --8<-- [end:totals]
    cuts = [_sums(slices.iloc[:, i], y, current, candidate) for i in range(slices.shape[1])]
    cuts = pd.concat(cuts, ignore_index=True) if cuts else pd.DataFrame(columns=["slice"])
    tail = (1 - confidence_level) / 2 / max(len(cuts), 1)
    # --8<-- [start:slices]
    for name, clicks, by_current, by_candidate in cuts.itertuples(index=False):
        few, many = stats.gamma.ppf(tail, clicks) if clicks else 0.0, stats.gamma.isf(tail, clicks + 1)
        estimate, low, high = (by_candidate / n if n else np.inf for n in (clicks, many, few))
        passed = low <= slice_limit and high >= 1 / slice_limit
        checks.append((f"calibration, {name}", estimate, low, high, 1 / slice_limit, slice_limit, passed))
        shift = by_candidate / by_current
        passed = 1 / shift_limit <= shift <= shift_limit
        checks.append((f"shift, {name}", shift, shift, shift, 1 / shift_limit, shift_limit, passed))
    # --8<-- [end:slices]
    columns = ["check", "estimate", "low", "high", "allowed_low", "allowed_high", "passed"]
    report = pd.DataFrame(checks, columns=columns).astype({"passed": bool})
    return Gate(bool(report["passed"].all()), report)


def _ne_change(
    y: np.ndarray, current: np.ndarray, candidate: np.ndarray, user: np.ndarray, level: float
) -> tuple[float, float, float]:
    """Return the candidate's normalized entropy minus the current one's, with its interval by the delta method."""
    n, rate = len(y), y.mean()
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    extra = np.log(np.abs(1 - y - current)) - np.log(np.abs(1 - y - candidate))
    change = extra.mean() / entropy
    slope = np.log((1 - rate) / rate) / entropy
    influence = np.bincount(user, extra / entropy - change * (1 + slope * (y - rate)))
    half = _quantile(level) * np.sqrt((influence**2).sum()) / n
    return float(change), float(change - half), float(change + half)


def _calibration(y: np.ndarray, p: np.ndarray, user: np.ndarray, level: float) -> tuple[float, float, float]:
    """Return expected over observed clicks, with an interval that is symmetric on the logarithmic scale."""
    influence = np.bincount(user, p) / p.sum() - np.bincount(user, y) / y.sum()
    factor = np.exp(_quantile(level) * np.sqrt((influence**2).sum()))
    ratio = p.sum() / y.sum()
    return float(ratio), float(ratio / factor), float(ratio * factor)


def _quantile(level: float) -> float:
    return float(stats.norm.ppf(0.5 + level / 2))


def _sums(column: pd.Series, y: np.ndarray, current: np.ndarray, candidate: np.ndarray) -> pd.DataFrame:
    """Return clicks and both models' promised clicks for each value of a column."""
    code, values = pd.factorize(column, sort=True)
    code = np.where(code < 0, len(values), code)
    names = [f"{column.name}={value}" for value in [*values, "missing"]]
    sums = {name: np.bincount(code, w, len(names)) for name, w in [("y", y), ("a", current), ("b", candidate)]}
    table = pd.DataFrame({"slice": names, **sums})
    return table[np.bincount(code, minlength=len(names)) > 0]


def _check(
    y_true: ArrayLike, current: ArrayLike, candidate: ArrayLike, users: ArrayLike, slices: pd.DataFrame, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    if not isinstance(slices, pd.DataFrame):
        raise ValueError(f"slices must be a data frame, got {type(slices).__name__}")
    if not 0 < level < 1:
        raise ValueError(f"confidence_level must be in (0, 1), got {level}")
    out = []
    for name, values in [("y_true", y_true), ("prob_current", current), ("prob_candidate", candidate)]:
        array = np.asarray(values)
        if array.shape != (len(slices),):
            raise ValueError(f"{name} has shape {array.shape}, slices has {len(slices)} rows")
        if array.size and array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {array.dtype}")
        array = array.astype(np.float64)
        is_label = name == "y_true"
        good = (array == 0) | (array == 1) if is_label else (array > 0) & (array < 1)
        if not good.all():
            wrong = int(np.argmin(good))
            raise ValueError(
                f"{name} must be {'0 or 1' if is_label else 'in (0, 1)'}, got {array[wrong]:g} at row {wrong}"
            )
        out.append(array)
    if len(out[0]) == 0 or out[0].min() == out[0].max():
        raise ValueError("y_true needs rows of both classes")
    user = np.asarray(users)
    if user.shape != (len(slices),):
        raise ValueError(f"users has shape {user.shape}, slices has {len(slices)} rows")
    return *out, np.unique(user, return_inverse=True)[1]
