"""Off-policy evaluation: what another policy would have earned, by logged propensities.

``ips`` weighs each logged reward by how much more often the target would have chosen
that action: Horvitz & Thompson 1952, JASA 47. ``snips`` divides by the sum of the
weights: Swaminathan & Joachims 2015, "The Self-Normalized Estimator for Counterfactual
Learning", NIPS. ``doubly_robust`` corrects a model of the reward: Dudík et al. 2011,
"Doubly Robust Policy Evaluation and Learning", ICML.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg

LIMITS = "[-1e100, 1e100]"  # of rewards: sums of larger ones, weighted, overflow


class Value(NamedTuple):
    """An estimate of a policy's mean reward, with its standard error."""

    estimate: float
    standard_error: float


def ips(
    reward: ArrayLike,
    logging_propensity: ArrayLike,
    target_probability: ArrayLike,
    clip: float | None = None,
) -> Value:
    """Return the value of the target policy by inverse propensity scoring.

    Parameters
    ----------
    reward : array of shape (n,)
        Reward of each logged action, for instance a click.
    logging_propensity : array of shape (n,)
        Probability, in (0, 1], with which the logging policy chose that action then.
    target_probability : array of shape (n,)
        Probability, in [0, 1], with which the target policy would have chosen the same
        action in the same context.
    clip : float, optional
        Largest weight allowed, above 0. Less variance; biased low for rewards that are
        not negative.

    Returns
    -------
    Value
        Unbiased without clip if the logging policy can choose all that the target can:
        check the mean weight.

    Raises
    ------
    ValueError
        If arrays are unequal in length, not one-dimensional or hold values other than
        those above; with fewer than two rows, where there is no standard error; or if a
        weight is 1e100 or more, or a reward more than that in size.

    Examples
    --------
    >>> value = ips([1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5])
    >>> round(value.estimate, 3), round(value.standard_error, 3)
    (0.625, 0.473)
    """
    weight, r = _weights(logging_propensity, target_probability, clip, reward=reward)
    # --8<-- [start:ips]
    return _mean_with_error(weight * r)
    # --8<-- [end:ips]


def snips(
    reward: ArrayLike,
    logging_propensity: ArrayLike,
    target_probability: ArrayLike,
    clip: float | None = None,
) -> Value:
    """Return the value of the target policy as a weighted mean of rewards.

    It is self-normalized. Parameters and errors as for ``ips``; the weights must not
    all be 0. It never leaves the range of the rewards, and its small bias vanishes as
    rows come in. The standard error is that of the linearised ratio.

    Examples
    --------
    >>> value = snips([1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5])
    >>> round(value.estimate, 3), round(value.standard_error, 3)
    (0.5, 0.337)
    """
    weight, r = _weights(logging_propensity, target_probability, clip, reward=reward)
    if not weight.any():
        raise ValueError(
            "target_probability is 0 in every row: the log holds nothing the target "
            "would do"
        )
    # Only ratios count, and a sum of tiny ones would have few digits
    weight /= weight.max()
    # --8<-- [start:snips]
    estimate = weight @ r / weight.sum()
    error = r - estimate
    error *= weight / weight.mean()  # its mean is 0
    return Value(float(estimate), _error_of_mean(error))
    # --8<-- [end:snips]


def doubly_robust(
    reward: ArrayLike,
    logging_propensity: ArrayLike,
    target_probability: ArrayLike,
    predicted_logged: ArrayLike,
    predicted_target: ArrayLike,
    clip: float | None = None,
) -> Value:
    """Return the value of the target policy by a reward model and its weighted errors.

    The errors are those on the logged actions.

    Parameters
    ----------
    reward, logging_propensity, target_probability, clip
        As for ``ips``.
    predicted_logged : array of shape (n,)
        Predicted reward of the logged action. Fit the model on other rows, else its
        errors here are too small.
    predicted_target : array of shape (n,)
        Predicted reward under the target policy: its probabilities times the
        predictions, summed over all actions.

    Returns
    -------
    Value
        Unbiased if the propensities are right or the model is.

    Raises
    ------
    ValueError
        As ``ips``.

    Examples
    --------
    >>> value = doubly_robust(
    ...     [1, 0, 0, 1],
    ...     [0.5, 0.5, 0.25, 0.25],
    ...     [0.25, 0.25, 0.5, 0.5],
    ...     [0.5] * 4,
    ...     [0.5] * 4,
    ... )
    >>> round(value.estimate, 3), round(value.standard_error, 3)
    (0.5, 0.421)
    """
    columns = {
        "reward": reward,
        "predicted_logged": predicted_logged,
        "predicted_target": predicted_target,
    }
    weight, r, logged, target = _weights(
        logging_propensity, target_probability, clip, **columns
    )
    # --8<-- [start:dr]
    term = r - logged
    term *= weight
    term += target
    return _mean_with_error(term)
    # --8<-- [end:dr]


class WeightReport(NamedTuple):
    """What to look at before any estimate."""

    # 1 up to its error, if propensities are right and the log covers the target
    mean_weight: float
    standard_error: float  # of the mean weight
    # Rows of the target's own log that would tell as much (Kish 1965)
    effective_sample_size: float
    largest_weight: float


def weight_report(
    logging_propensity: ArrayLike, target_probability: ArrayLike
) -> WeightReport:
    """Return what the weights say about how far the log can be trusted.

    A mean weight below 1 by several standard errors means that the target does things
    the log never shows: then no reweighting can tell their value. Parameters and errors
    as for ``ips``.

    Examples
    --------
    >>> report = weight_report([0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5])
    >>> report.mean_weight, round(report.effective_sample_size, 2)
    (1.25, 2.94)
    """
    (weight,) = _weights(logging_propensity, target_probability, None)
    mean, largest = weight.mean(), weight.max()
    share = weight / (largest or 1.0)
    return WeightReport(
        float(mean),
        _error_of_mean(weight - mean),
        float(share.sum() ** 2 / (share @ share)) if largest else 0.0,
        float(largest),
    )


def _mean_with_error(term: np.ndarray) -> Value:
    # --8<-- [start:mean]
    mean = term.mean()
    term -= mean
    return Value(float(mean), _error_of_mean(term))
    # --8<-- [end:mean]


def _error_of_mean(away: np.ndarray) -> float:
    """Return the standard error of a mean from the distances to it.

    They may be as large or small as they like.
    """
    # --8<-- [start:error]
    return float(linalg.norm(away) / np.sqrt(len(away) * (len(away) - 1)))
    # --8<-- [end:error]


def _weights(
    logging_propensity: ArrayLike,
    target_probability: ArrayLike,
    clip: float | None,
    **columns: ArrayLike,
) -> list[np.ndarray]:
    """Check all input; return the weights, and the columns."""
    checked = {name: _numbers(name, values, LIMITS) for name, values in columns.items()}
    logging = _numbers("logging_propensity", logging_propensity, "(0, 1]")
    target = _numbers("target_probability", target_probability, "[0, 1]")
    rows = _same_rows(**checked, logging_propensity=logging, target_probability=target)
    if rows < 2:
        raise ValueError(
            f"{next(iter(columns), 'logging_propensity')} needs two rows or more, got "
            f"{rows}"
        )
    with np.errstate(over="ignore"):
        weight = target / logging
    if clip is not None:
        weight = np.minimum(weight, _number("clip", clip, "(0, inf)"))
    # Beyond, squares overflow, and a sum becomes NaN.
    _refuse(
        "logging_propensity",
        "give a weight below 1e100, or be clipped",
        logging,
        weight < 1e100,
    )
    return [weight, *checked.values()]


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


# --- End of the door. ---
