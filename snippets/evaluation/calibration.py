"""Calibration: whether a hundred predictions of 3 % bring three clicks.

The ratio of expected to observed clicks is what He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at
Facebook", ADKDD, call calibration. The reliability curve goes back to Murphy & Winkler 1977, "Reliability of
Subjective Probability Forecasts of Precipitation and Temperature"; the expected calibration error with bins is that
of Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

_CHUNK = 1 << 16  # rows per step: temporaries stay in the processor's cache, and memory does not grow with the log


class ReliabilityCurve(NamedTuple):
    """One entry per bin that is not empty, in order of the predictions."""

    mean_predicted: np.ndarray  # mean probability in the bin
    observed_rate: np.ndarray  # share of clicks in the bin
    count: np.ndarray  # rows in the bin

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of each observed rate, were the bin's mean prediction the true rate."""
        return np.sqrt(self.mean_predicted * (1 - self.mean_predicted) / self.count)


def calibration_ratio(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Return the expected number of clicks, the sum of y_prob, over the observed number.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1 (or False or True).
    y_prob : array of shape (n,)
        Predicted probabilities of a click, each in [0, 1].

    Returns
    -------
    float
        1 is right on average, 1.2 promises 20 % more clicks than came, 0.8 promises 20 % fewer.

    Raises
    ------
    ValueError
        If the arrays are empty, unequal in length, not one-dimensional or hold other values than those above; or if
        no label is 1, where the ratio is undefined.

    Examples
    --------
    >>> calibration_ratio([0, 0, 1, 1], [0.25, 0.5, 0.75, 1.0])
    1.25
    """
    y, p = _validate(y_true, y_prob)
    clicks = int(np.count_nonzero(y))
    if clicks == 0:
        raise ValueError("y_true holds no click: the ratio of expected to observed clicks is undefined")
    return float(p.sum(dtype=np.float64) / clicks)


def reliability_curve(
    y_true: ArrayLike, y_prob: ArrayLike, n_bins: int = 10, strategy: str = "quantile"
) -> ReliabilityCurve:
    """Return mean prediction, observed rate and size of each bin of predictions.

    Parameters
    ----------
    y_true, y_prob
        As for calibration_ratio.
    n_bins : int
        Number of bins, at least 1. Bins without rows are left out, as between equal quantiles.
    strategy : {"quantile", "uniform"}
        Bins of about equal size, or of equal width on [0, 1]. Clicks are rare: with equal widths, nearly all rows of
        a click model fall into the first bin.

    Returns
    -------
    ReliabilityCurve
        Arrays of shape (bins that are not empty,).

    Raises
    ------
    ValueError
        On bad arrays as for calibration_ratio, except that labels may all be 0; on an unknown strategy or n_bins < 1.

    Examples
    --------
    >>> curve = reliability_curve([0, 0, 0, 1], [0.1, 0.1, 0.3, 0.7], n_bins=2, strategy="uniform")
    >>> curve.observed_rate.round(3).tolist(), curve.count.tolist()
    ([0.0, 1.0], [3, 1])
    """
    # --8<-- [start:curve]
    y, p = _validate(y_true, y_prob)
    count, sum_p, clicks = _bin_sums(p, n_bins, strategy, p, y)
    return ReliabilityCurve(sum_p / count, clicks / count, count.astype(np.int64))
    # --8<-- [end:curve]


def expected_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, n_bins: int = 10, strategy: str = "quantile"
) -> float:
    """Return the distance between prediction and observed rate, averaged over the rows of a reliability curve.

    Parameters
    ----------
    y_true, y_prob, n_bins, strategy
        As for reliability_curve.

    Returns
    -------
    float
        In [0, 1], in units of probability. It is above 0 even for a perfect model, since each bin's observed rate is
        a noisy one: compare it with ``calibration_noise_floor``.

    Raises
    ------
    ValueError
        As reliability_curve.

    Examples
    --------
    >>> round(expected_calibration_error([0, 0, 0, 1], [0.1, 0.1, 0.3, 0.7], n_bins=2, strategy="uniform"), 3)
    0.2
    """
    curve = reliability_curve(y_true, y_prob, n_bins, strategy)
    gap = np.abs(curve.mean_predicted - curve.observed_rate)
    return float(gap @ curve.count / curve.count.sum())


def calibration_noise_floor(y_prob: ArrayLike, n_bins: int = 10, strategy: str = "quantile") -> float:
    """Return the expected calibration error that these predictions would show on average were they exactly right.

    The observed rate of a bin then errs by chance alone, about normally, and the mean absolute value of a normal error
    is sqrt(2 / pi) times its standard deviation.

    Parameters
    ----------
    y_prob, n_bins, strategy
        As for reliability_curve.

    Returns
    -------
    float
        In units of probability. An error of this size is no sign of miscalibration.

    Raises
    ------
    ValueError
        As reliability_curve.

    Examples
    --------
    >>> round(calibration_noise_floor([0.5] * 100, n_bins=1), 4)
    0.0399
    """
    _, p = _validate(np.zeros(len(y_prob), np.int8), y_prob)
    _, variance = _bin_sums(p, n_bins, strategy, p * (1 - p))
    return float(np.sqrt(2 / np.pi) * np.sqrt(variance).sum() / len(p))


def _bin_sums(p: np.ndarray, n_bins: int, strategy: str, *columns: np.ndarray) -> np.ndarray:
    """Return an array of shape (1 + columns, bins that are not empty): the rows and the columns' sums in each bin."""
    if not isinstance(n_bins, int | np.integer) or n_bins < 1:
        raise ValueError(f"n_bins must be a whole number of at least 1, got {n_bins!r}")
    # --8<-- [start:bins]
    if strategy == "quantile":
        inner = np.quantile(p, np.arange(1, n_bins) / n_bins)
    elif strategy == "uniform":
        inner = np.arange(1, n_bins) / n_bins
    else:
        raise ValueError(f"strategy must be 'quantile' or 'uniform', got {strategy!r}")
    sums = np.zeros((1 + len(columns), len(inner) + 1))
    for start in range(0, len(p), _CHUNK):
        rows = slice(start, start + _CHUNK)
        bins = np.searchsorted(inner, p[rows], side="left")  # on an edge means in the bin below it
        sums[0] += np.bincount(bins, minlength=len(inner) + 1)
        for total, column in zip(sums[1:], columns, strict=True):
            total += np.bincount(bins, weights=column[rows], minlength=len(inner) + 1)
    return sums[:, sums[0] > 0]
    # --8<-- [end:bins]


def _validate(y_true: ArrayLike, y_prob: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays, or raise a ValueError that names the argument, the rule and the first value against it."""
    y, p = np.asarray(y_true), np.asarray(y_prob)
    for name, array in [("y_true", y), ("y_prob", p)]:
        if array.ndim != 1:
            raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
        if array.size and array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    if len(y) == 0:
        raise ValueError("y_true is empty")
    if len(p) != len(y):
        raise ValueError(f"y_prob has {len(p)} rows, y_true has {len(y)}")
    # Minimum and maximum are as fast as memory, and NaN passes through both of them.
    if y.dtype != bool and not (y.min() >= 0 and y.max() <= 1 and (y.dtype.kind != "f" or _all_whole(y))):
        wrong = int(np.argmin((y == 0) | (y == 1)))
        raise ValueError(f"y_true must be 0 or 1, got {y[wrong]} at row {wrong}")
    if not (p.min() >= 0 and p.max() <= 1):
        wrong = int(np.argmin((p >= 0) & (p <= 1)))
        raise ValueError(f"y_prob must be in [0, 1], got {p[wrong]} at row {wrong}")
    return y, p


def _all_whole(y: np.ndarray) -> bool:
    return bool(((y == 0) | (y == 1)).all())
