"""Calibration: whether a hundred predictions of 3 % bring three clicks.

The ratio of expected to observed clicks is what He et al. 2014, "Practical Lessons from
Predicting Clicks on Ads at Facebook", ADKDD, call calibration. The reliability curve
goes back to Murphy & Winkler 1977, "Reliability of Subjective Probability Forecasts of
Precipitation and Temperature"; the expected calibration error with bins is that of
Naeini et al. 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning",
AAAI.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

# Rows per step: temporaries stay in the processor's cache, and memory does not grow
# with the log
_CHUNK = 1 << 16


class ReliabilityCurve(NamedTuple):
    """One entry per bin that is not empty, in order of the predictions."""

    mean_predicted: np.ndarray  # mean probability in the bin
    observed_rate: np.ndarray  # share of clicks in the bin
    count: np.ndarray  # rows in the bin

    @property
    def standard_error(self) -> np.ndarray:
        """Standard error of each observed rate, were the bin's prediction true."""
        return np.sqrt(self.mean_predicted * (1 - self.mean_predicted) / self.count)


def calibration_ratio(y_true: ArrayLike, y_prob: ArrayLike) -> float:
    """Return the expected clicks, the sum of y_prob, over the observed number.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1 (or False or True).
    y_prob : array of shape (n,)
        Predicted probabilities of a click, each in [0, 1].

    Returns
    -------
    float
        1 is right on average, 1.2 promises 20 % more clicks than came, 0.8 promises 20
        % fewer.

    Raises
    ------
    ValueError
        If the arrays are empty, unequal in length, not one-dimensional or hold other
        values than those above; or if no label is 1, where the ratio is undefined.

    Examples
    --------
    >>> calibration_ratio([0, 0, 1, 1], [0.25, 0.5, 0.75, 1.0])
    1.25
    """
    y, p = _array("y_true", y_true), _array("y_prob", y_prob)
    expected = clicks = 0.0
    for start in range(0, _same_rows(y_true=y, y_prob=p), _CHUNK):
        rows = slice(start, start + _CHUNK)
        clicks += _labels("y_true", y[rows], start).sum()
        expected += _inside("y_prob", p[rows], "[0, 1]", start).sum()
    if clicks == 0:
        raise ValueError(
            "y_true holds no click: the ratio of expected to observed clicks is "
            "undefined"
        )
    return float(expected / clicks)


def reliability_curve(
    y_true: ArrayLike, y_prob: ArrayLike, n_bins: int = 10, strategy: str = "quantile"
) -> ReliabilityCurve:
    """Return mean prediction, observed rate and size of each bin of predictions.

    Parameters
    ----------
    y_true, y_prob
        As for calibration_ratio.
    n_bins : int
        Number of bins, at least 1. Bins without rows are left out.
    strategy : {"quantile", "uniform"}
        Bins of about equal size, or of equal width on [0, 1]. Clicks are rare: with
        equal widths, nearly all rows of a click model fall into the first bin. Equal
        predictions share a bin, so there are fewer where they repeat; a prediction much
        more common than a bin has one of its own, and so has each if there are no more
        than bins.

    Returns
    -------
    ReliabilityCurve
        Arrays of shape (bins that are not empty,).

    Raises
    ------
    ValueError
        On bad arrays as for calibration_ratio, except that labels may all be 0; on an
        unknown strategy or n_bins < 1.

    Examples
    --------
    >>> curve = reliability_curve(
    ...     [0, 0, 0, 1], [0.1, 0.1, 0.3, 0.7], n_bins=2, strategy="uniform"
    ... )
    >>> curve.observed_rate.round(3).tolist(), curve.count.tolist()
    ([0.0, 1.0], [3, 1])
    """
    # --8<-- [start:curve]
    y, p = _array("y_true", y_true), _numbers("y_prob", y_prob, "[0, 1]")
    # Only checked: y keeps its bytes a row
    _same_rows(y_true=_labels("y_true", y), y_prob=p)
    count, sum_p, clicks = _bin_sums(p, n_bins, strategy, p, y)
    return ReliabilityCurve(sum_p / count, clicks / count, count.astype(np.int64))
    # --8<-- [end:curve]


def expected_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, n_bins: int = 10, strategy: str = "quantile"
) -> float:
    """Return the distance between prediction and observed rate, averaged over rows.

    The rows are those of a reliability curve.

    Parameters
    ----------
    y_true, y_prob, n_bins, strategy
        As for reliability_curve.

    Returns
    -------
    float
        In [0, 1], in units of probability. It is above 0 even for a perfect model,
        since each bin's observed rate is a noisy one: compare it with
        ``calibration_noise_floor``.

    Raises
    ------
    ValueError
        As reliability_curve.

    Examples
    --------
    >>> y, p = [0, 0, 0, 1], [0.1, 0.1, 0.3, 0.7]
    >>> round(expected_calibration_error(y, p, n_bins=2, strategy="uniform"), 3)
    0.2
    """
    curve = reliability_curve(y_true, y_prob, n_bins, strategy)
    gap = np.abs(curve.mean_predicted - curve.observed_rate)
    return float(gap @ curve.count / curve.count.sum())


def calibration_noise_floor(
    y_prob: ArrayLike, n_bins: int = 10, strategy: str = "quantile"
) -> float:
    """Return the error that these predictions would show were they exactly right.

    It is the expected calibration error, on average. The clicks of a bin then err by
    chance alone, about as those of a binomial distribution with the same mean and
    variance, exactly so if all predictions in the bin are equal. De Moivre found the
    mean of its absolute error in 1730: Diaconis & Zabell 1991, "Closed Form Summation
    for Classical Distributions", Statistical Science 6.

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
    0.0398
    """
    p = _numbers("y_prob", y_prob, "[0, 1]")
    _same_rows(y_prob=p)
    count, clicks, variance = _bin_sums(p, n_bins, strategy, p, p * (1 - p))
    uncertain = variance > 1e-100  # less is nothing, and squares of it are 0
    variance = variance[uncertain]
    # Of the rarer outcome
    mean = np.maximum(np.minimum(clicks, count - clicks)[uncertain], variance)
    rate = np.maximum(1 - variance / mean, 1e-12)
    trials, whole = mean / rate, np.floor(mean)
    # Of one click more than whole
    mass = stats.beta.pdf(rate, whole + 2, trials - whole) / (trials + 1)
    return float((2 * (whole + 1) * (1 - rate) * mass).sum() / len(p))


def _quantile_ends(p: np.ndarray, n_bins: int) -> np.ndarray:
    """Return the largest value of each bin.

    A bin ends between two values, as near to its quantile as that can be.
    """
    ordered = np.sort(p)
    values = after = 0
    # Without an array as long as the rows
    while after < len(ordered) and values <= n_bins:
        after = np.searchsorted(ordered, ordered[after], side="right")
        values = values + 1
    if values <= n_bins:
        return np.unique(ordered)
    # Twice the place of each quantile, times n_bins, so that all numbers are whole.
    place = 2 * (len(p) - 1) * np.arange(1, n_bins)
    value = ordered[(place + n_bins) // (2 * n_bins)]
    first = np.searchsorted(ordered, value)
    after = np.searchsorted(ordered, value, side="right")
    # Above 0: in the upper half of its value's rows
    late = place - n_bins * (first + after - 1)
    before = (late < 0) | ((late == 0) & (after - first > 1))
    cuts = np.concatenate([first[before], after[late >= 0]])
    return np.unique(ordered[cuts[cuts > 0] - 1])


def _bin_sums(
    p: np.ndarray, n_bins: int, strategy: str, *columns: np.ndarray
) -> np.ndarray:
    """Return the rows and the columns' sums in each bin that is not empty.

    The array has the shape (1 + columns, bins).
    """
    n_bins = _count("n_bins", n_bins)
    # --8<-- [start:bins]
    if strategy == "quantile":
        inner = _quantile_ends(p, n_bins)
    elif strategy == "uniform":
        inner = np.arange(1, n_bins) / n_bins
    else:
        raise ValueError(f"strategy must be 'quantile' or 'uniform', got {strategy!r}")
    sums = np.zeros((1 + len(columns), len(inner) + 1))
    for start in range(0, len(p), _CHUNK):
        rows = slice(start, start + _CHUNK)
        # On an edge means in the bin below it
        bins = np.searchsorted(inner, p[rows], side="left")
        sums[0] += np.bincount(bins, minlength=len(inner) + 1)
        for total, column in zip(sums[1:], columns, strict=True):
            total += np.bincount(bins, column[rows].astype(np.float64), len(inner) + 1)
    return sums[:, sums[0] > 0]
    # --8<-- [end:bins]


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


def _labels(name: str, values: Any, start: int = 0, ndim: int | None = 1) -> np.ndarray:
    """Return labels, each 0 or 1, as float64."""
    array = _array(name, values, ndim)
    if array.dtype != bool:
        _refuse(name, "be 0 or 1", array, (array == 0) | (array == 1), start)
    return array.astype(np.float64, copy=False)


def _count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return a parameter that is a whole number."""
    rule = f"of at least {least}" if most is None else f"in [{least}, {most}]"
    try:
        if isinstance(value, bool | np.bool_) or not least <= operator.index(value) <= (
            np.inf if most is None else most
        ):
            raise TypeError
    except TypeError:
        raise ValueError(
            f"{name} must be a whole number {rule}, got {value!r}"
        ) from None
    return operator.index(value)


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
