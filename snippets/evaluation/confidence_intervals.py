"""Confidence intervals for the difference between two models that scored the same rows.

Both models meet the same clicks, so their errors move together: an interval for the difference is far narrower than
the intervals of the two scores suggest. Rows of one user move together too, which makes it wider than the number of
rows suggests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


class Interval(NamedTuple):
    """An estimate and its confidence interval."""

    estimate: float
    low: float
    high: float


def ne_difference_interval(
    y_true: ArrayLike,
    prob_a: ArrayLike,
    prob_b: ArrayLike,
    users: ArrayLike | None = None,
    confidence_level: float = 0.95,
) -> Interval:
    """Return normalized entropy of model b minus that of model a, below 0 where b is better, with its interval.

    The variance is that of the linearised ratio (the delta method), summed by user, so nothing is resampled.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1.
    prob_a, prob_b : arrays of shape (n,)
        Predicted probabilities in [0, 1] of two models for the same rows.
    users : array of shape (n,), optional
        Who saw each row: integers or strings. Rows of one user may depend on each other, users may not. None takes
        all rows for independent, which is too narrow as soon as users come back.
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Interval
        By Student's t with as many degrees of freedom as users, less one.

    Raises
    ------
    ValueError
        If arrays are empty, unequal in length, not one-dimensional or hold other values than those above; if there is
        one class or one user only; if a model gives probability 0 to what happened.

    Notes
    -----
    Deng et al. 2018, "Applying the Delta Method in Metric Analytics: A Practical Guide with Novel Ideas", KDD.

    Examples
    --------
    >>> y = [0, 0, 1, 0, 0, 1, 0, 0]
    >>> a, b = [0.2, 0.3, 0.4, 0.2, 0.3, 0.3, 0.2, 0.2], [0.1, 0.2, 0.6, 0.1, 0.2, 0.5, 0.1, 0.1]
    >>> [round(x, 2) for x in ne_difference_interval(y, a, b)]
    [-0.37, -0.43, -0.3]
    """
    y, a, b = _check(y_true, confidence_level, prob_a=prob_a, prob_b=prob_b, probabilities=True)
    with np.errstate(divide="ignore"):
        log_a, log_b = (np.log(np.abs(1 - y - p)) for p in (a, b))
    for name, log in [("prob_a", log_a), ("prob_b", log_b)]:
        if log.min() == -np.inf:
            raise ValueError(f"{name} gives probability 0 to what happened at row {int(np.argmin(log))}")
    # --8<-- [start:delta]
    user = np.arange(len(y)) if users is None else _number(users, len(y))
    rows = np.bincount(user)
    clicks = np.bincount(user, weights=y)
    extra_loss = np.bincount(user, weights=log_a - log_b)  # what b loses more than a, by user
    n, rate = len(y), clicks.sum() / len(y)
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    slope = np.log((1 - rate) / rate)  # of the entropy in the rate
    difference = extra_loss.sum() / n / entropy
    influence = extra_loss / entropy - difference * (rows + slope / entropy * (clicks - rate * rows))
    # --8<-- [end:delta]
    n_users = np.count_nonzero(rows)
    if n_users == 1:
        raise ValueError("users holds one user only: the spread between users is undefined")
    error = np.sqrt(n_users / (n_users - 1) * (influence**2).sum()) / n
    half = float(error * stats.t.ppf(0.5 + confidence_level / 2, n_users - 1))
    return Interval(float(difference), float(difference) - half, float(difference) + half)


def delong_interval(
    y_true: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, confidence_level: float = 0.95
) -> Interval:
    """Return the AUC of model b minus that of model a, above 0 where b is better, with DeLong's interval.

    Rows are taken for independent. Where users come back, use ``paired_bootstrap`` with ``roc_auc_score``.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1, at least two of each.
    score_a, score_b : arrays of shape (n,)
        Scores of two models for the same rows, higher for a click. A tie counts half.
    confidence_level : float
        In (0, 1).

    Raises
    ------
    ValueError
        On bad arrays as ``ne_difference_interval``, where scores may be any numbers but NaN; with fewer than two
        rows of a class.

    Notes
    -----
    DeLong, DeLong & Clarke-Pearson 1988, "Comparing the Areas under Two or More Correlated Receiver Operating
    Characteristic Curves: A Nonparametric Approach", Biometrics 44; by sorting, as in Sun & Xu 2014, "Fast
    Implementation of DeLong's Algorithm ...", IEEE Signal Processing Letters 21.

    Examples
    --------
    >>> [round(x, 2) for x in delong_interval([0, 0, 1, 0, 1, 1], [1, 4, 3, 2, 5, 2], [1, 2, 4, 3, 6, 5])]
    [0.28, -0.21, 0.76]
    """
    y, a, b = _check(y_true, confidence_level, score_a=score_a, score_b=score_b, probabilities=False)
    click = y == 1
    n_clicks, n_others = int(click.sum()), int((~click).sum())
    if min(n_clicks, n_others) < 2:
        raise ValueError(f"y_true needs two rows of each class, got {n_clicks} clicks and {n_others} others")
    # --8<-- [start:delong]
    wins_a, wins_b = _share_beaten(click, a), _share_beaten(click, b)
    gain = wins_b - wins_a
    difference = gain[click].mean()
    variance = gain[click].var(ddof=1) / n_clicks + gain[~click].var(ddof=1) / n_others
    # --8<-- [end:delong]
    half = float(np.sqrt(variance) * stats.norm.ppf(0.5 + confidence_level / 2))
    return Interval(float(difference), float(difference) - half, float(difference) + half)


def paired_bootstrap(
    metric: Callable[..., float],
    y_true: ArrayLike,
    prob_a: ArrayLike,
    prob_b: ArrayLike,
    users: ArrayLike,
    n_resamples: int = 1000,
    confidence_level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return metric of model b minus metric of model a with its percentile interval, resampling users.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_prob, sample_weight=weights)``, as most of scikit-learn's. A user drawn twice has rows of
        weight 2.
    y_true, prob_a, prob_b, confidence_level
        As for ``delong_interval``.
    users : array of shape (n,)
        Who saw each row.
    n_resamples : int
        At least 1. The ends of a 95 % interval rest on 2.5 % of them.
    seed : int
        Fixes the resamples.

    Raises
    ------
    ValueError
        On bad arrays as ``delong_interval``; if n_resamples is no whole number of at least 1; what the metric raises.

    Notes
    -----
    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; users are its independent units.

    Examples
    --------
    >>> from sklearn.metrics import log_loss
    >>> y, a, b = [0, 1, 0, 1], [0.2, 0.3, 0.4, 0.2], [0.1, 0.6, 0.3, 0.5]
    >>> [round(x, 2) for x in paired_bootstrap(log_loss, y, a, b, users=["u", "u", "v", "v"])]
    [-0.47, -0.54, -0.41]
    """
    y, a, b = _check(y_true, confidence_level, prob_a=prob_a, prob_b=prob_b, probabilities=False)
    if not isinstance(n_resamples, int | np.integer) or isinstance(n_resamples, bool) or n_resamples < 1:
        raise ValueError(f"n_resamples must be a whole number of at least 1, got {n_resamples!r}")
    user = _number(users, len(y))
    # --8<-- [start:bootstrap]
    rng = np.random.default_rng(seed)
    n_users = int(user.max()) + 1
    differences = np.empty(n_resamples)
    for i in range(n_resamples):
        drawn = np.bincount(rng.integers(0, n_users, n_users), minlength=n_users)
        weight = drawn[user]
        seen = weight > 0
        weighted = {"sample_weight": weight[seen]}
        differences[i] = metric(y[seen], b[seen], **weighted) - metric(y[seen], a[seen], **weighted)
    # --8<-- [end:bootstrap]
    outside = (1 - confidence_level) / 2
    low, high = np.quantile(differences, [outside, 1 - outside])
    ones = np.ones(len(y))
    estimate = metric(y, b, sample_weight=ones) - metric(y, a, sample_weight=ones)
    return Interval(float(estimate), float(low), float(high))


def _share_beaten(click: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return, for each click, the share of other rows below it, and for each other row that of clicks above it."""
    order = np.argsort(score)
    sorted_score, sorted_click = score[order], click[order]
    start = np.flatnonzero(np.concatenate([[True], sorted_score[1:] != sorted_score[:-1]]))
    size = np.diff(start, append=len(score))
    tied_clicks = np.add.reduceat(sorted_click, start, dtype=np.int64)
    tied_others = size - tied_clicks
    others_below = np.cumsum(tied_others) - tied_others / 2
    clicks_above = tied_clicks.sum() - np.cumsum(tied_clicks) + tied_clicks / 2
    sorted_share = np.repeat(clicks_above / tied_clicks.sum(), size)
    sorted_share[sorted_click] = np.repeat(others_below / tied_others.sum(), tied_clicks)
    share = np.empty(len(score))
    share[order] = sorted_share
    return share


def _number(users: ArrayLike, n_rows: int) -> np.ndarray:
    """Return the users as whole numbers from 0 without holes."""
    user = np.asarray(users)
    if user.shape != (n_rows,):
        raise ValueError(f"users has shape {user.shape}, y_true has {n_rows} rows")
    if user.dtype.kind == "f" and np.isnan(user).any():
        raise ValueError(f"users must not be NaN, got NaN at row {int(np.isnan(user).argmax())}")
    return np.unique(user, return_inverse=True)[1]


def _check(
    y_true: ArrayLike, confidence_level: float, *, probabilities: bool, **predictions: ArrayLike
) -> list[np.ndarray]:
    """Return labels and predictions as floats, or raise a ValueError that names what is wrong."""
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must be in (0, 1), got {confidence_level}")
    out = []
    for name, values in {"y_true": y_true, **predictions}.items():
        array = np.asarray(values)
        if array.ndim != 1:
            raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
        if array.size and array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {array.dtype}")
        if out and len(array) != len(out[0]):
            raise ValueError(f"{name} has {len(array)} rows, y_true has {len(out[0])}")
        array = array.astype(np.float64, copy=False)
        if name == "y_true":
            good, rule = (array == 0) | (array == 1), "0 or 1"
        elif probabilities:
            good, rule = (array >= 0) & (array <= 1), "in [0, 1]"
        else:
            good, rule = ~np.isnan(array), "numbers"
        if not good.all():
            wrong = int(np.argmin(good))
            raise ValueError(f"{name} must be {rule}, got {array[wrong]:g} at row {wrong}")
        out.append(array)
    if len(out[0]) == 0:
        raise ValueError("y_true is empty")
    if out[0].min() == out[0].max():
        raise ValueError(f"y_true holds one class only, {out[0][0]:g}")
    return out
