"""Normalized entropy: the log loss of a click model, as a share of the log loss of knowing only the average rate.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD, equation 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

_CHUNK = 1 << 16  # rows per step: temporaries stay in the processor's cache, and memory does not grow with the log


def normalized_entropy(
    y_true: ArrayLike,
    y_prob: ArrayLike,
    sample_weight: ArrayLike | None = None,
    background_rate: float | None = None,
) -> float:
    """Return the mean log loss divided by the entropy of the background click-through rate.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1 (or False or True).
    y_prob : array of shape (n,)
        Predicted probabilities of a click, each in [0, 1].
    sample_weight : array of shape (n,), optional
        Weight of each row: finite, at least 0, not all 0. The default weighs all rows alike.
    background_rate : float, optional
        The rate in (0, 1) whose entropy is the unit. The default is the (weighted) mean of y_true, so that predicting
        that mean scores exactly 1. He et al. take the rate of the training data.

    Returns
    -------
    float
        0 is perfect, 1 is no better than the background rate, and above 1 is worse. Infinite if a probability of
        exactly 0 or 1 is contradicted by its label.

    Raises
    ------
    ValueError
        If the arrays are empty, unequal in length or not one-dimensional; if a label is not 0 or 1, a probability is
        outside [0, 1] or a weight is negative, NaN or infinite; or if the background rate is 0 or 1, where the
        measure is undefined: with labels of one class only and no background_rate.

    Examples
    --------
    >>> normalized_entropy([0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25])
    1.0
    >>> round(normalized_entropy([0, 0, 0, 1], [0.1, 0.2, 0.1, 0.7]), 4)
    0.3515
    """
    y, p = _column(y_true, "y_true"), _column(y_prob, "y_prob")
    w = None if sample_weight is None else _column(sample_weight, "sample_weight")
    if len(y) == 0:
        raise ValueError("y_true is empty")
    for name, other in [("y_prob", p), ("sample_weight", w)]:
        if other is not None and len(other) != len(y):
            raise ValueError(f"{name} has {len(other)} rows, y_true has {len(y)}")

    # --8<-- [start:heart]
    loss = clicks = total = 0.0
    for start in range(0, len(y), _CHUNK):
        rows = slice(start, start + _CHUNK)
        y_part, p_part = y[rows], p[rows]
        _check((y_part == 0) | (y_part == 1), "y_true", y_part, start, "must be 0 or 1")
        _check((p_part >= 0) & (p_part <= 1), "y_prob", p_part, start, "must be in [0, 1]")
        # The probability given to what happened is p where y is 1 and 1 - p where y is 0: one logarithm a row.
        with np.errstate(divide="ignore"):
            log_likelihood = np.log(np.abs(np.subtract(1 - y_part, p_part, dtype=np.float64)))
        if w is None:
            loss -= log_likelihood.sum()
            clicks += np.count_nonzero(y_part)
            total += len(y_part)
        else:
            w_part = w[rows]
            _check((w_part >= 0) & (w_part < np.inf), "sample_weight", w_part, start, "must be finite and at least 0")
            used = w_part > 0  # 0 x infinity would be NaN
            loss -= log_likelihood[used] @ w_part[used].astype(np.float64)
            clicks += float(w_part[y_part == 1].sum(dtype=np.float64))
            total += float(w_part.sum(dtype=np.float64))
    if total == 0:
        raise ValueError("sample_weight is 0 in every row")
    rate = clicks / total if background_rate is None else background_rate
    if not 0 < rate < 1:
        source = "the mean of y_true" if background_rate is None else "background_rate"
        raise ValueError(f"{source} is {rate}: normalized entropy needs a background rate between 0 and 1, exclusive")
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    return float(loss / total / entropy)
    # --8<-- [end:heart]


def _column(values: ArrayLike, name: str) -> np.ndarray:
    """Return values as a numeric array of one dimension, without a copy where there is one already."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
    if array.dtype == bool:
        return array.view(np.uint8)
    if array.size and not (np.issubdtype(array.dtype, np.integer) or np.issubdtype(array.dtype, np.floating)):
        raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    return array


def _check(holds: np.ndarray, name: str, values: np.ndarray, start: int, rule: str) -> None:
    """Raise a ValueError that names the first value for which the rule does not hold; NaN never holds."""
    if not holds.all():
        first = int(np.argmin(holds))
        raise ValueError(f"{name} {rule}, got {values[first]} at row {start + first}")
