"""A/B tests of click rates: how many users, whether traffic was split as planned, what the difference is worth.

Kohavi, Tang & Xu 2020, "Trustworthy Online Controlled Experiments", Cambridge University Press.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, optimize, stats


class Comparison(NamedTuple):
    """The result of a test of two rates, b against a."""

    difference: float  # rate of b minus rate of a
    low: float  # interval of the difference, holds 0 where the p-value is above 1 - confidence_level
    high: float
    relative_lift: float  # difference over the rate of a, NaN if that is 0
    p_value: float  # two-sided, of equal rates


class Estimate(NamedTuple):
    """A number and its standard error."""

    estimate: float
    standard_error: float


class Adjusted(NamedTuple):
    """Outcomes with what the covariate explains taken off."""

    values: np.ndarray  # shape (n,), with the same mean as the outcomes
    theta: float  # slope of the outcome in the covariate
    variance_share: float  # variance that is left, about 1 - correlation squared


def sample_size_per_arm(base_rate: float, relative_lift: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return the independent units that each arm needs to detect a lift of a rate.

    Parameters
    ----------
    base_rate : float
        Rate of the control, in (0, 1).
    relative_lift : float
        Smallest lift worth detecting, 0.05 for 5 %; may be negative, not 0. The lifted rate must be in (0, 1).
    alpha : float
        Two-sided error of the first kind, in (0, 1).
    power : float
        Probability of detecting that lift, in (alpha, 1).

    Returns
    -------
    int
        Rounded up. If users come back, the units are users, not impressions.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Fleiss, Levin & Paik 2003, "Statistical Methods for Rates and Proportions", section 4.3, without continuity
    correction.

    Examples
    --------
    >>> sample_size_per_arm(0.0035, 0.5 / 0.35 - 1)
    29525
    """
    for name, value, low in [("base_rate", base_rate, 0), ("alpha", alpha, 0), ("power", power, alpha)]:
        if not low < value < 1:
            raise ValueError(f"{name} must be in ({low}, 1), got {value}")
    lifted = base_rate * (1 + relative_lift)
    if lifted == base_rate or not 0 < lifted < 1:
        raise ValueError(f"relative_lift must change the rate to one in (0, 1), got {relative_lift}: {lifted}")
    # --8<-- [start:size]
    mean = (base_rate + lifted) / 2
    by_chance = stats.norm.isf(alpha / 2) * np.sqrt(2 * mean * (1 - mean))
    to_detect = stats.norm.ppf(power) * np.sqrt(base_rate * (1 - base_rate) + lifted * (1 - lifted))
    return math.ceil(Fraction((by_chance + to_detect) / (lifted - base_rate)) ** 2)  # a fraction never overflows
    # --8<-- [end:size]


def two_proportion_test(
    clicks_a: int, n_a: int, clicks_b: int, n_b: int, confidence_level: float = 0.95
) -> Comparison:
    """Compare two click rates of independent units.

    Parameters
    ----------
    clicks_a, clicks_b : int
        Units with a click, 0 to n.
    n_a, n_b : int
        Units, at least 1. A unit counts once: users with any click, or impressions if nobody comes back.
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Comparison
        p-value and interval of one test, the score test: the interval holds every difference that it does not reject.
        For a difference of 0 it is the pooled z-test. The interval stays inside [-1, 1] and serves rare clicks.

    Raises
    ------
    ValueError
        If a count is not whole or out of range, or nobody or everybody clicked in both arms.

    Notes
    -----
    Mee 1984, "Confidence Bounds for the Difference between Two Probabilities", Biometrics 40.

    Examples
    --------
    >>> result = two_proportion_test(46, 10_000, 69, 10_000)
    >>> round(result.relative_lift, 2), round(result.p_value, 3), round(result.low, 4), round(result.high, 4)
    (0.5, 0.031, 0.0002, 0.0045)
    """
    for name, clicks, n in [("a", clicks_a, n_a), ("b", clicks_b, n_b)]:
        if not isinstance(n, int | np.integer) or n < 1:
            raise ValueError(f"n_{name} must be a whole number of at least 1, got {n!r}")
        if not isinstance(clicks, int | np.integer) or not 0 <= clicks <= n:
            raise ValueError(f"clicks_{name} must be a whole number in [0, {n}], got {clicks!r}")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must be in (0, 1), got {confidence_level}")
    clicks_a, n_a, clicks_b, n_b = int(clicks_a), int(n_a), int(clicks_b), int(n_b)
    a, b, pooled = clicks_a / n_a, clicks_b / n_b, (clicks_a + clicks_b) / (n_a + n_b)
    if pooled in (0, 1):
        raise ValueError(f"clicks are {'none' if pooled == 0 else 'all'} in both arms: there is nothing to compare")
    z = (b - a) / np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    limit = float(stats.norm.isf((1 - confidence_level) / 2))
    low = _score_end(clicks_a, n_a, clicks_b, n_b, limit)
    high = -_score_end(clicks_b, n_b, clicks_a, n_a, limit)
    return Comparison(b - a, low, high, b / a - 1 if a else np.nan, float(2 * stats.norm.sf(abs(z))))


def _score_end(clicks_a: int, n_a: int, clicks_b: int, n_b: int, limit: float) -> float:
    """Return the smallest difference of b from a that the score test, of a z-value up to the limit, does not reject."""

    def rates(pull: float) -> tuple[float, float]:
        return _likeliest(clicks_a, n_a, -pull), _likeliest(clicks_b, n_b, pull)

    def excess(pull: float) -> float:
        a, b = rates(pull)
        return pull * math.sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b) - limit

    if clicks_a == n_a and clicks_b == 0:
        return -1.0
    pull = limit / math.sqrt(1 / n_a + 1 / n_b)  # variances are at most 1 / 4
    while excess(2 * pull) < 0:
        pull *= 2
    a, b = rates(optimize.brentq(excess, pull, 2 * pull))
    return b - a


def _likeliest(clicks: int, n: int, pull: float) -> float:
    """Return the rate p at which the likelihood's slope, (clicks - n p) / (p (1 - p)), is the pull.

    Among all pairs of rates with one difference, the likeliest has slopes that cancel: the pull is their Lagrange
    multiplier. The root is taken without cancellation.
    """
    b = n + pull
    root = math.sqrt(max(b**2 - 4 * pull * clicks, 0.0))
    return min(2 * clicks / (b + root) if b > 0 else (b - root) / (2 * pull), 1.0)


def sample_ratio_mismatch(counts: ArrayLike, expected_shares: ArrayLike) -> float:
    """Return the p-value that the arms hold the planned shares of users. Below 0.001, mend the test, read no result.

    Parameters
    ----------
    counts : array of shape (arms,)
        Units that each arm got, at least 0.
    expected_shares : array of shape (arms,)
        Planned shares, above 0 and adding up to 1.

    Raises
    ------
    ValueError
        If the arrays are unequal in length, hold fewer than two arms or values other than those above.

    Notes
    -----
    Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled Experiments", KDD. Pearson's
    chi-squared test.

    Examples
    --------
    >>> round(sample_ratio_mismatch([50_000, 50_700], [0.5, 0.5]), 3)
    0.027
    """
    observed, shares = _column("counts", counts), _column("expected_shares", expected_shares)
    if len(observed) < 2 or len(shares) != len(observed):
        raise ValueError(f"counts and expected_shares need two arms or more each, got {len(observed)}, {len(shares)}")
    if (observed < 0).any() or not observed.any():
        raise ValueError(f"counts must be at least 0 and not all 0, got {observed.tolist()}")
    if (shares <= 0).any() or not np.isclose(shares.sum(), 1):
        raise ValueError(f"expected_shares must be above 0 and add up to 1, got {shares.tolist()}")
    return float(stats.chisquare(observed, observed.sum() * (shares / shares.sum())).pvalue)


def delta_method_ratio(numerator: ArrayLike, denominator: ArrayLike) -> Estimate:
    """Return a ratio of totals, such as clicks over impressions, with users as the independent units.

    Parameters
    ----------
    numerator : array of shape (users,)
        For instance each user's clicks.
    denominator : array of shape (users,)
        For instance each user's impressions, at least 0, not all 0.

    Returns
    -------
    Estimate
        The standard error is that of the linearised ratio.

    Raises
    ------
    ValueError
        If the arrays are unequal in length, have fewer than two users or hold values other than those above.

    Notes
    -----
    Deng et al. 2018, "Applying the Delta Method in Metric Analytics: A Practical Guide with Novel Ideas", KDD.

    Examples
    --------
    >>> estimate = delta_method_ratio([1, 0, 3], [10, 5, 15])
    >>> round(estimate.estimate, 3), round(estimate.standard_error, 3)
    (0.133, 0.051)
    """
    top, bottom = _pair("numerator", numerator, "denominator", denominator)
    if bottom.min() < 0 or bottom.max() == 0:
        raise ValueError("denominator must be at least 0 and not all 0")
    # --8<-- [start:ratio]
    ratio = top.sum() / bottom.sum()
    residual = (top - ratio * bottom) / bottom.mean()  # with mean 0
    return Estimate(float(ratio), float(residual.std(ddof=1) / np.sqrt(len(top))))
    # --8<-- [end:ratio]


def cuped(y: ArrayLike, covariate: ArrayLike) -> Adjusted:
    """Take off an outcome what was known before the experiment began.

    Parameters
    ----------
    y : array of shape (n,)
        Outcome of each user, both arms together: one slope for both, else the difference is biased.
    covariate : array of shape (n,)
        Something of the same users from before the assignment, best the same outcome.

    Returns
    -------
    Adjusted
        Compare the arms' mean ``values`` as you would compare outcomes.

    Raises
    ------
    ValueError
        If the arrays are unequal in length, have fewer than two users, are not finite, or one of them is constant.

    Notes
    -----
    Deng et al. 2013, "Improving the Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data",
    WSDM: theta is the covariance over the variance of the covariate.

    Examples
    --------
    >>> adjusted = cuped([3.0, 5.0, 9.0, 7.0], [1.0, 2.0, 4.0, 3.5])
    >>> adjusted.values.round(2).tolist(), round(adjusted.variance_share, 3)
    ([6.0, 6.15, 6.46, 5.38], 0.031)
    """
    outcome, before = _pair("y", y, "covariate", covariate)
    for name, column in [("y", outcome), ("covariate", before)]:
        if column.min() == column.max():
            raise ValueError(f"{name} is constant: there is nothing to explain, or nothing to explain it with")
    # --8<-- [start:cuped]
    known, moved = before - before.mean(), outcome - outcome.mean()
    scale, spread = linalg.norm(known), linalg.norm(moved)
    correlation = (known / scale) @ (moved / spread)
    theta = correlation * spread / scale
    known *= theta
    return Adjusted(outcome - known, float(theta), float(1 - correlation**2))
    # --8<-- [end:cuped]


def always_valid_interval(
    difference: float, standard_error: float, effect_scale: float, alpha: float = 0.05
) -> tuple[float, float]:
    """Return an interval that holds at every look: the chance that it *ever* misses the truth is at most alpha.

    Parameters
    ----------
    difference : float
        Estimated difference at this look.
    standard_error : float
        Its standard error now, above 0; from data so far, approximately normal.
    effect_scale : float
        Size of a plausible true difference, above 0, in the same units; fixed before the first look. It sets at which
        sample size the interval is tightest, never its validity.
    alpha : float
        In (0, 1).

    Returns
    -------
    tuple of float
        Infinite ends where floats do not reach.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    The mixture sequential probability ratio test with a normal mixture of standard deviation effect_scale: Robbins
    1970, Annals of Mathematical Statistics 41; Johari et al. 2017, "Peeking at A/B Tests", KDD.

    Examples
    --------
    >>> [round(end, 4) for end in always_valid_interval(0.004, 0.001, effect_scale=0.002)]
    [0.0009, 0.0071]
    """
    for name, value in [("standard_error", standard_error), ("effect_scale", effect_scale)]:
        if not 0 < value < np.inf:
            raise ValueError(f"{name} must be above 0 and finite, got {value}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be in (0, 1), got {alpha}")
    if not np.isfinite(difference):
        raise ValueError(f"difference must be finite, got {difference}")
    # --8<-- [start:always]
    ratio = np.log(effect_scale) - np.log(standard_error)
    spread = np.logaddexp(0, 2 * ratio)  # log of 1 + (effect_scale / standard_error)**2, which may be beyond floats
    log_half = np.log(standard_error) + spread / 2 - ratio + np.log(spread - 2 * np.log(alpha)) / 2
    with np.errstate(over="ignore"):
        half = np.exp(log_half)
    return float(difference - half), float(difference + half)
    # --8<-- [end:always]


def _column(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {array.shape}")
    if array.size and array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    # Minimum and maximum are as fast as memory, and NaN passes through both of them.
    if len(array) and not -np.inf < array.min() <= array.max() < np.inf:
        wrong = int(np.argmin(np.isfinite(array)))
        raise ValueError(f"{name} must be finite, got {array[wrong]:g} at row {wrong}")
    return array.astype(np.float64, copy=False)


def _pair(name_a: str, a: ArrayLike, name_b: str, b: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = _column(name_a, a), _column(name_b, b)
    if len(first) < 2 or len(first) != len(second):
        raise ValueError(f"{name_a} and {name_b} need two rows or more each, got {len(first)} and {len(second)}")
    return first, second
