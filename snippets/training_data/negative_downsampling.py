"""Train on a part of the rows without a click, and take the effect on the probabilities back.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD, section 6.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def downsample_negatives(y: ArrayLike, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Return which rows to train on: all with a click, and each of the others with the same probability.

    Parameters
    ----------
    y : array of shape (n,)
        Labels, each 0 or 1.
    rate : float
        Share of rows without a click to keep, in (0, 1].
    rng : numpy.random.Generator
        Decides which.

    Returns
    -------
    array of shape (n,), bool
        True for the rows to keep.

    Raises
    ------
    ValueError
        If y is empty, not one-dimensional or holds other values than 0 and 1; if rate is not in (0, 1].

    Examples
    --------
    >>> downsample_negatives([0, 0, 0, 1, 0, 1], 0.5, np.random.default_rng(0)).tolist()
    [False, True, True, True, False, True]
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(f"y must have one dimension and a row, got shape {labels.shape}")
    click = labels == 1
    if not (click | (labels == 0)).all():
        wrong = int(np.argmin(click | (labels == 0)))
        raise ValueError(f"y must be 0 or 1, got {labels[wrong]} at row {wrong}")
    _check_rate(rate)
    # --8<-- [start:downsample]
    return click | (rng.random(len(click)) < rate)
    # --8<-- [end:downsample]


def recalibrate(y_prob: ArrayLike, rate: float) -> np.ndarray:
    """Return the probabilities as they would be had nothing been sampled: p / (p + (1 - p) / rate).

    Sampling multiplies every odds by 1 / rate; this divides them by it. Works as well for class weights: give
    the weight of a negative over that of a positive as the rate.

    Parameters
    ----------
    y_prob : array of any shape
        Predictions of a model trained on sampled rows, in [0, 1].
    rate : float
        Share of the negatives that it saw, in (0, 1].

    Returns
    -------
    array of the same shape

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or NaN; if rate is not in (0, 1].

    Examples
    --------
    >>> recalibrate([0.1, 0.5], 0.01).round(5).tolist()
    [0.00111, 0.0099]
    """
    p = np.asarray(y_prob)
    if p.size and p.dtype.kind not in "biuf":
        raise ValueError(f"y_prob must hold numbers, got {p.dtype}")
    if p.size and not (p.min() >= 0 and p.max() <= 1):
        wrong = int(np.argmin((p >= 0) & (p <= 1)))
        raise ValueError(f"y_prob must be in [0, 1], got {p.flat[wrong]:g} at row {wrong}")
    _check_rate(rate)
    # --8<-- [start:recalibrate]
    return p / (p + (1 - p) / rate)
    # --8<-- [end:recalibrate]


def _check_rate(rate: float) -> None:
    if not 0 < rate <= 1:
        raise ValueError(f"rate must be in (0, 1], got {rate}")
