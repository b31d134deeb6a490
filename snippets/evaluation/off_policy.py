"""Off-policy evaluation: what another policy would have earned, from a log with propensities.

``ips`` weighs each logged reward by how much more often the target would have chosen that action: Horvitz & Thompson
1952, JASA 47. ``snips`` divides by the sum of the weights: Swaminathan & Joachims 2015, "The Self-Normalized Estimator
for Counterfactual Learning", NIPS. ``doubly_robust`` corrects a model of the reward: Dudík et al. 2011, "Doubly Robust
Policy Evaluation and Learning", ICML.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Value(NamedTuple):
    """An estimate of a policy's mean reward, and its standard error if rows are independent."""

    estimate: float
    standard_error: float


def ips(
    reward: ArrayLike, logging_propensity: ArrayLike, target_probability: ArrayLike, clip: float | None = None
) -> Value:
    """Return the value of the target policy by inverse propensity scoring.

    Parameters
    ----------
    reward : array of shape (n,)
        Reward of each logged action, for instance a click.
    logging_propensity : array of shape (n,)
        Probability, in (0, 1], with which the logging policy chose that action then.
    target_probability : array of shape (n,)
        Probability, in [0, 1], with which the target policy would have chosen the same action in the same context.
    clip : float, optional
        Largest weight allowed, above 0. Less variance; biased low for rewards that are not negative.

    Returns
    -------
    Value
        Unbiased without clip if the logging policy can choose all that the target can: check the mean weight.

    Raises
    ------
    ValueError
        If arrays are empty, unequal in length, not one-dimensional or hold values other than those above; with fewer
        than two rows, where there is no standard error.

    Examples
    --------
    >>> value = ips([1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5])
    >>> round(value.estimate, 3), round(value.standard_error, 3)
    (0.625, 0.473)
    """
    r, weight = _weights(reward, logging_propensity, target_probability, clip)
    # --8<-- [start:ips]
    return _mean_with_error(weight * r)
    # --8<-- [end:ips]


def snips(
    reward: ArrayLike, logging_propensity: ArrayLike, target_probability: ArrayLike, clip: float | None = None
) -> Value:
    """Return the value of the target policy as a weighted mean of rewards: self-normalized.

    Parameters and errors as for ``ips``; the weights must not all be 0. It never leaves the range of the rewards, and
    its small bias vanishes as rows come in. The standard error is that of the linearised ratio.

    Examples
    --------
    >>> value = snips([1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5])
    >>> round(value.estimate, 3), round(value.standard_error, 3)
    (0.5, 0.337)
    """
    r, weight = _weights(reward, logging_propensity, target_probability, clip)
    if not weight.any():
        raise ValueError("target_probability is 0 in every row: the log holds nothing the target would do")
    # --8<-- [start:snips]
    estimate = weight @ r / weight.sum()
    error = r - estimate
    error *= weight  # its mean is 0
    variance = error @ error / (len(r) - 1) / weight.mean() ** 2
    return Value(float(estimate), float(np.sqrt(variance / len(r))))
    # --8<-- [end:snips]


def doubly_robust(
    reward: ArrayLike,
    logging_propensity: ArrayLike,
    target_probability: ArrayLike,
    predicted_logged: ArrayLike,
    predicted_target: ArrayLike,
    clip: float | None = None,
) -> Value:
    """Return the value of the target policy by a reward model, plus its weighted errors on the logged actions.

    Parameters
    ----------
    reward, logging_propensity, target_probability, clip
        As for ``ips``.
    predicted_logged : array of shape (n,)
        Predicted reward of the logged action. Fit the model on other rows, else its errors here are too small.
    predicted_target : array of shape (n,)
        Predicted reward under the target policy: its probabilities times the predictions, summed over all actions.

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
    >>> value = doubly_robust([1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5], [0.5] * 4, [0.5] * 4)
    >>> round(value.estimate, 3), round(value.standard_error, 3)
    (0.5, 0.421)
    """
    r, weight = _weights(reward, logging_propensity, target_probability, clip)
    logged, target = (
        _numbers(name, values, len(r), -np.inf, np.inf)
        for name, values in [("predicted_logged", predicted_logged), ("predicted_target", predicted_target)]
    )
    # --8<-- [start:dr]
    term = r - logged
    term *= weight
    term += target
    return _mean_with_error(term)
    # --8<-- [end:dr]


class WeightReport(NamedTuple):
    """What to look at before any estimate."""

    mean_weight: float  # 1 up to its error, if propensities are right and the log covers the target
    standard_error: float  # of the mean weight
    effective_sample_size: float  # rows of the target's own log that would tell as much (Kish 1965)
    largest_weight: float


def weight_report(logging_propensity: ArrayLike, target_probability: ArrayLike) -> WeightReport:
    """Return what the weights say about how far the log can be trusted.

    A mean weight below 1 by several standard errors means that the target does things the log never shows: then no
    reweighting can tell their value. Parameters and errors as for ``ips``.

    Examples
    --------
    >>> report = weight_report([0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5])
    >>> report.mean_weight, round(report.effective_sample_size, 2), report.largest_weight
    (1.25, 2.94, 2.0)
    """
    _, weight = _weights(np.zeros(np.shape(logging_propensity)), logging_propensity, target_probability, None)
    square = float(weight @ weight)
    return WeightReport(
        float(weight.mean()),
        float(weight.std(ddof=1) / np.sqrt(len(weight))),
        float(weight.sum() ** 2 / square) if square else 0.0,
        float(weight.max()),
    )


def _mean_with_error(term: np.ndarray) -> Value:
    # --8<-- [start:mean]
    mean = term.mean()
    term -= mean
    return Value(float(mean), float(np.sqrt(term @ term / (len(term) - 1) / len(term))))
    # --8<-- [end:mean]


def _weights(
    reward: ArrayLike, logging_propensity: ArrayLike, target_probability: ArrayLike, clip: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """Check all input; return rewards and weights."""
    r = _numbers("reward", reward, None, -np.inf, np.inf)
    if len(r) < 2:
        raise ValueError(f"reward needs two rows or more, got {len(r)}")
    logging = _numbers("logging_propensity", logging_propensity, len(r), 0, 1, above=True)
    target = _numbers("target_probability", target_probability, len(r), 0, 1)
    weight = target / logging
    if clip is not None:
        if not 0 < clip < np.inf:
            raise ValueError(f"clip must be above 0 and finite, got {clip}")
        weight = np.minimum(weight, clip)
    return r, weight


def _numbers(
    name: str, values: ArrayLike, n_rows: int | None, low: float, high: float, *, above: bool = False
) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    if n_rows is not None and len(array) != n_rows:
        raise ValueError(f"{name} has {len(array)} rows, reward has {n_rows}")
    # Minimum and maximum are as fast as memory, and NaN passes through both of them.
    least, most = (array.min(), array.max()) if len(array) else (1, 1)
    if not (-np.inf < least and most < np.inf and (least > low if above else least >= low) and most <= high):
        good = np.isfinite(array) & (array > low if above else array >= low) & (array <= high)
        wrong = int(np.argmin(good))
        rule = "finite" if high == np.inf else f"in {'(' if above else '['}{low}, {high}]"
        raise ValueError(f"{name} must be {rule}, got {array[wrong]:g} at row {wrong}")
    return array
