"""Short-term metrics that stand for a long-term goal.

Which one follows it, and what an experiment will do to it. Athey, Chetty, Imbens, Kang
2019, "The Surrogate Index: Combining Short-Term Proxies to Estimate Long-Term Treatment
Effects More Rapidly and Precisely". Tripuraneni et al. 2024, "Choosing a Proxy Metric
from Past Experiments".
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

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
    """Estimate an experiment's effect on a goal that lies months ahead.

    It takes what it did to short-term metrics. Old users, whose future is known, teach
    a regression of the goal on the short-term metrics. Its forecast for the treated
    less its forecast for the control is the effect, if the treatment moves the goal
    through these metrics alone and if the metrics cause the goal as they forecast it.
    The interval knows nothing of these two ifs.

    Parameters
    ----------
    short_history : array of shape (n, k)
        Short-term metrics of old users.
    long_history : array of shape (n,)
        What the goal became for them.
    short_treatment, short_control : arrays of shape (n_t, k) and (n_c, k)
        The same metrics of the users of the experiment; in frames, under the same names
        in the same order.
    level : float in (0, 1)

    Returns
    -------
    SurrogateEffect
        In units of the goal. The error counts the users of the experiment and those of
        the history, the latter robust to unequal variances.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are too few users, or
        metrics repeat each other.

    Examples
    --------
    >>> metrics, goal = [[0], [1], [2], [3]], [1, 3, 5, 7]
    >>> round(surrogate_index(metrics, goal, [[2], [3]], [[1], [2]]).effect, 6)
    2.0
    """
    S, y = (
        _numbers("short_history", short_history, ndim=2),
        _numbers("long_history", long_history),
    )
    _same_rows(short_history=S, long_history=y)
    treated = _numbers("short_treatment", short_treatment, ndim=2)
    control = _numbers("short_control", short_control, ndim=2)
    for name, array in [("short_treatment", treated), ("short_control", control)]:
        if array.shape[1] != S.shape[1] or len(array) < 2:
            raise ValueError(
                f"{name} must be of shape (at least 2, {S.shape[1]}), got {array.shape}"
            )
    names = _names(short_history)
    for name, frame in [
        ("short_treatment", short_treatment),
        ("short_control", short_control),
    ]:
        if None not in (names, own := _names(frame)) and own != names:
            raise ValueError(
                f"{name} must have the columns of short_history, {names}, got {own}"
            )
    level = _number("level", level, "(0, 1)")
    # From here on the largest number of each metric and of the goal is 1: nothing
    # overflows.
    largest = np.abs(np.concatenate([S, treated, control])).max(axis=0)
    largest[largest == 0] = 1
    S, treated, control = S / largest, treated / largest, control / largest
    unit = np.abs(y).max() or 1.0
    y = y / unit
    size = np.linalg.norm(S - S.mean(axis=0), axis=0)
    constant = size <= 8 * np.sqrt(len(S)) * np.finfo(float).eps * np.linalg.norm(
        S, axis=0
    )
    # Seconds beside shares: each metric counts in units of its own spread
    size[constant] = 1
    S, treated, control = S / size, treated / size, control / size
    if (
        not S.size
        or constant.any()
        or np.linalg.matrix_rank(S - S.mean(axis=0)) < S.shape[1]
    ):
        raise ValueError(
            "short_history has too few users, or a metric that the others determine"
        )
    # --8<-- [start:index]
    centred, gap = S - S.mean(axis=0), treated.mean(axis=0) - control.mean(axis=0)
    inverse = np.linalg.pinv(centred)
    weights = inverse @ (y - y.mean())
    effect = gap @ weights
    residual = y - y.mean() - centred @ weights
    # What the gap multiplies is uncertain, and so is the gap.
    of_weights = ((gap @ inverse) * residual) ** 2
    of_gap = sum((arm @ weights).var(ddof=1) / len(arm) for arm in (treated, control))
    error = np.sqrt(of_weights.sum() + of_gap)
    # --8<-- [end:index]
    effect, error = effect * unit, error * unit
    half = norm.ppf((1 + level) / 2) * error
    return SurrogateEffect(
        float(effect), float(error), float(effect - half), float(effect + half)
    )


def proxy_correlation(
    proxy_effects: ArrayLike, goal_effects: ArrayLike, noise: ArrayLike | None = None
) -> Correlation:
    """Correlate, over experiments, true effects on a proxy with those on the goal.

    The plain correlation of the estimated lifts mixes in that of their errors: heavy
    users have more of everything.

    Parameters
    ----------
    proxy_effects, goal_effects : arrays of shape (m,)
        Lifts of m experiments, each with the sign that it had.
    noise : array of shape (m, 2, 2) or None
        Covariance of the errors of each experiment's two lifts, the goal's last. None
        takes the lifts for exact.

    Returns
    -------
    Correlation
        About zero effect, not about their mean: experiments that all do the same to
        both agree. Cut to [-1, 1].

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, there are fewer than three
        experiments, or the lifts, with all experiments or without one of them, are no
        larger than their noise.

    Examples
    --------
    >>> round(proxy_correlation([1, -2, 3], [2, -3, 7]).correlation, 3)
    0.984
    """
    x, y = (
        _numbers("proxy_effects", proxy_effects),
        _numbers("goal_effects", goal_effects),
    )
    m = _same_rows(proxy_effects=x, goal_effects=y)
    if m < 3:
        raise ValueError(f"at least three experiments are needed, got {m}")
    errors = (
        np.zeros((m, 2, 2)) if noise is None else _numbers("noise", noise, ndim=None)
    )
    if errors.shape != (m, 2, 2):
        raise ValueError(f"noise must be of shape {(m, 2, 2)}, got {errors.shape}")
    _covariances("noise", errors)
    lifts = np.column_stack([x, y])
    # From here on the largest lift is 1: nothing overflows, and 0 can be told
    scale = np.abs(lifts).max(axis=0)
    scale[scale == 0] = 1
    lifts, errors = lifts / scale, errors / scale / scale[:, None]
    # --8<-- [start:correlation]
    # of the true effects, experiment by experiment
    moments = np.einsum("ij,ik->ijk", lifts, lifts) - errors
    total = moments.sum(axis=0)
    without = total - moments  # the jackknife: leave out one experiment at a time
    if (
        min(without[:, 0, 0].min(), without[:, 1, 1].min())
        <= 4 * m * np.finfo(float).eps
    ):
        raise ValueError(
            "the lifts are no larger than their noise: more experiments, or larger "
            "ones, are needed"
        )
    parts = without[:, 0, 1] / np.sqrt(without[:, 0, 0] * without[:, 1, 1])
    spread = np.sqrt((m - 1) / m * ((parts - parts.mean()) ** 2).sum())
    correlation = np.clip(total[0, 1] / np.sqrt(total[0, 0] * total[1, 1]), -1, 1)
    # --8<-- [end:correlation]
    return Correlation(float(correlation), float(spread))


def _names(frame: Any) -> list | None:
    """Return the names of a frame's columns."""
    # The former of PyArrow
    names = getattr(frame, "column_names", getattr(frame, "columns", None))
    return None if names is None else list(names)


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
