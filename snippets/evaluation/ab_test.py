"""A/B tests of click rates: how many users, which split, what a difference is worth.

Kohavi, Tang & Xu 2020, "Trustworthy Online Controlled Experiments", Cambridge
University Press.
"""

from __future__ import annotations

import math
import numbers
import operator
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, optimize, stats


class Comparison(NamedTuple):
    """The result of a test of two rates, b against a."""

    difference: float  # rate of b minus rate of a
    # Interval of the difference, holds 0 where the p-value is above 1 -
    # confidence_level
    low: float
    high: float
    relative_lift: float  # difference over the rate of a, NaN if that is 0
    p_value: float  # two-sided, of equal rates


class Estimate(NamedTuple):
    """A number and its standard error."""

    estimate: float
    standard_error: float


class Adjusted(NamedTuple):
    """Outcomes with what the covariate explains taken off."""

    values: np.ndarray  # shape (n,), with the mean and the index of the outcomes
    theta: float  # slope of the outcome in the covariate
    variance_share: float  # variance that is left, about 1 - correlation squared


def sample_size_per_arm(
    base_rate: float, relative_lift: float, alpha: float = 0.05, power: float = 0.8
) -> int:
    """Return the independent units that each arm needs to detect a lift of a rate.

    Parameters
    ----------
    base_rate : float
        Rate of the control, in (0, 1).
    relative_lift : float
        Smallest lift worth detecting, 0.05 for 5 %; may be negative, not 0. The lifted
        rate must be in (0, 1).
    alpha : float
        Two-sided error of the first kind, in [1e-300, 1).
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
    Fleiss, Levin & Paik 2003, "Statistical Methods for Rates and Proportions", chapter
    4, without continuity correction.

    Examples
    --------
    >>> sample_size_per_arm(0.0035, 0.5 / 0.35 - 1)
    29525
    """
    base_rate, alpha = (
        _number("base_rate", base_rate, "(0, 1)"),
        _number("alpha", alpha, "[1e-300, 1)"),
    )
    power, relative_lift = (
        _number("power", power, f"({alpha}, 1)"),
        _number("relative_lift", relative_lift),
    )
    lifted = base_rate * (1 + relative_lift)
    if lifted == base_rate or not 0 < lifted < 1:
        raise ValueError(
            "relative_lift must change the rate to one in (0, 1), got "
            f"{relative_lift}: {lifted}"
        )
    # --8<-- [start:size]
    mean = (base_rate + lifted) / 2
    by_chance = stats.norm.isf(alpha / 2) * np.sqrt(2 * mean * (1 - mean))
    to_detect = stats.norm.ppf(power) * np.sqrt(
        base_rate * (1 - base_rate) + lifted * (1 - lifted)
    )
    # A fraction never overflows
    return math.ceil(Fraction((by_chance + to_detect) / (lifted - base_rate)) ** 2)
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
        Units, at least 1 and below 2^63. A unit counts once: users with any click, or
        impressions if nobody comes back.
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Comparison
        p-value and interval of one test, the score test: the interval holds every
        difference that it does not reject. For a difference of 0 it is the pooled
        z-test. The interval stays inside [-1, 1] and serves rare clicks.

    Raises
    ------
    ValueError
        If a count is not whole or out of range, or nobody or everybody clicked in both
        arms.

    Notes
    -----
    Mee 1984, "Confidence Bounds for the Difference between Two Probabilities",
    Biometrics 40; one of those that perform well in Newcombe 1998, "Interval Estimation
    for the Difference between Independent Proportions", Statistics in Medicine 17.

    Examples
    --------
    >>> result = two_proportion_test(46, 10_000, 69, 10_000)
    >>> round(result.relative_lift, 2), round(result.p_value, 3)
    (0.5, 0.031)
    >>> round(result.low, 4), round(result.high, 4)
    (0.0002, 0.0045)
    """
    n_a, n_b = _count("n_a", n_a), _count("n_b", n_b)
    if max(n_a, n_b) >= 2**63:
        raise ValueError(f"n_a and n_b must be below 2^63, got {n_a} and {n_b}")
    clicks_a, clicks_b = (
        _count("clicks_a", clicks_a, 0, n_a),
        _count("clicks_b", clicks_b, 0, n_b),
    )
    level = _number("confidence_level", confidence_level, "(0, 1)")
    a, b, pooled = clicks_a / n_a, clicks_b / n_b, (clicks_a + clicks_b) / (n_a + n_b)
    if pooled in (0, 1):
        raise ValueError(
            f"clicks are {'none' if pooled == 0 else 'all'} in both arms: there is "
            "nothing to compare"
        )
    z = (b - a) / np.sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))
    limit = float(stats.norm.isf((1 - level) / 2))
    low = _score_end(clicks_a, n_a, clicks_b, n_b, limit)
    high = -_score_end(clicks_b, n_b, clicks_a, n_a, limit)
    return Comparison(
        b - a, low, high, b / a - 1 if a else np.nan, float(2 * stats.norm.sf(abs(z)))
    )


def _score_end(clicks_a: int, n_a: int, clicks_b: int, n_b: int, limit: float) -> float:
    """Return the smallest difference of b from a that the score test does not reject.

    It rejects above the limit of its z-value.
    """

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
    """Return the rate at which the slope of the likelihood is the pull.

    At p, the slope is (clicks - n p) / (p (1 - p)). Among all pairs of rates with one
    difference, the likeliest has slopes that cancel: the pull is their Lagrange
    multiplier. The root is taken without cancellation.
    """
    b = n + pull
    root = math.sqrt(max(b**2 - 4 * pull * clicks, 0.0))
    return min(2 * clicks / (b + root) if b > 0 else (b - root) / (2 * pull), 1.0)


def sample_ratio_mismatch(counts: ArrayLike, expected_shares: ArrayLike) -> float:
    """Return the p-value that the arms hold the planned shares of users.

    Below 0.001, mend the test, read no result.

    Parameters
    ----------
    counts : array of shape (arms,)
        Units that each arm got, at least 0.
    expected_shares : array of shape (arms,)
        Planned shares, above 0 and adding up to 1.

    Raises
    ------
    ValueError
        If the arrays are unequal in length, hold fewer than two arms, no unit at all or
        values other than those above.

    Notes
    -----
    Fabijan et al. 2019, "Diagnosing Sample Ratio Mismatch in Online Controlled
    Experiments", KDD. Pearson's chi-squared test.

    Examples
    --------
    >>> round(sample_ratio_mismatch([50_000, 50_700], [0.5, 0.5]), 3)
    0.027
    """
    observed = _whole("counts", counts, least=0)
    shares = _numbers("expected_shares", expected_shares, "(0, 1)")
    if _same_rows(counts=observed, expected_shares=shares) < 2 or not observed.any():
        raise ValueError(
            f"counts must have two arms or more, not all 0, got {observed.tolist()}"
        )
    if not np.isclose(shares.sum(), 1):
        raise ValueError(f"expected_shares must add up to 1, got {shares.tolist()}")
    total = observed.sum(dtype=np.float64)  # whole numbers would wrap
    return float(
        stats.chisquare(
            observed.astype(np.float64),
            total * (shares / shares.sum()),
            sum_check=False,
        ).pvalue
    )


def delta_method_ratio(numerator: ArrayLike, denominator: ArrayLike) -> Estimate:
    """Return a ratio of totals, with users as the independent units.

    Such a ratio is clicks over impressions.

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
        If the arrays are unequal in length, have fewer than two users or hold values
        other than those above.

    Notes
    -----
    Deng et al. 2018, "Applying the Delta Method in Metric Analytics: A Practical Guide
    with Novel Ideas", KDD.

    Examples
    --------
    >>> estimate = delta_method_ratio([1, 0, 3], [10, 5, 15])
    >>> round(estimate.estimate, 3), round(estimate.standard_error, 3)
    (0.133, 0.051)
    """
    top, bottom = (
        _numbers("numerator", numerator),
        _numbers("denominator", denominator, "[0, inf)"),
    )
    if _same_rows(numerator=top, denominator=bottom) < 2 or not bottom.any():
        raise ValueError("denominator must have two rows or more, not all 0")
    up, down = (int(np.frexp(np.abs(column).max())[1]) for column in (top, bottom))
    # About 1: neither sums nor squares leave the floats
    top, bottom = np.ldexp(top, -up), np.ldexp(bottom, -down)
    # --8<-- [start:ratio]
    ratio = top.sum() / bottom.sum()
    residual = (top - ratio * bottom) / bottom.mean()  # with mean 0
    error = residual.std(ddof=1) / np.sqrt(len(top))
    # --8<-- [end:ratio]
    with np.errstate(over="ignore"):
        estimate, error = np.ldexp([ratio, error], up - down).tolist()
    if not (np.isfinite(estimate) and np.isfinite(error)):
        raise ValueError("numerator over denominator is more than floats hold")
    return Estimate(estimate, error)


def cuped(y: ArrayLike, covariate: ArrayLike) -> Adjusted:
    """Take off an outcome what was known before the experiment began.

    Parameters
    ----------
    y : array of shape (n,)
        Outcome of each user, both arms together: one slope for both, else the
        difference is biased.
    covariate : array of shape (n,)
        Something of the same users from before the assignment, best the same outcome.

    Returns
    -------
    Adjusted
        Compare the arms' mean ``values`` as you would compare outcomes.

    Raises
    ------
    ValueError
        If the arrays are unequal in length, have fewer than two users, are not finite,
        or one of them is constant; if the slope or a value is beyond floats.

    Notes
    -----
    Deng et al. 2013, "Improving the Sensitivity of Online Controlled Experiments by
    Utilizing Pre-Experiment Data", WSDM: theta is the covariance over the variance of
    the covariate.

    Examples
    --------
    >>> adjusted = cuped([3.0, 5.0, 9.0, 7.0], [1.0, 2.0, 4.0, 3.5])
    >>> adjusted.values.round(2).tolist(), round(adjusted.variance_share, 3)
    ([6.0, 6.15, 6.46, 5.38], 0.031)
    """
    outcome, before = _numbers("y", y), _numbers("covariate", covariate)
    _same_rows(y=outcome, covariate=before)
    for name, column in [("y", outcome), ("covariate", before)]:
        if column.min() == column.max():
            raise ValueError(
                f"{name} is constant: there is nothing to explain, or nothing to "
                "explain it with"
            )
    up, down = (int(np.frexp(np.abs(column).max())[1]) for column in (outcome, before))
    # About 1: neither sums nor squares overflow
    outcome, before = np.ldexp(outcome, -up), np.ldexp(before, -down)
    # --8<-- [start:cuped]
    known, moved = before - before.mean(), outcome - outcome.mean()
    scale, spread = linalg.norm(known), linalg.norm(moved)
    correlation = (known / scale) @ (moved / spread)
    theta = correlation * spread / scale
    adjusted = outcome - theta * known
    # --8<-- [end:cuped]
    with np.errstate(over="ignore"):
        adjusted, theta = np.ldexp(adjusted, up), float(np.ldexp(theta, up - down))
    if not (np.isfinite(adjusted).all() and np.isfinite(theta)):
        raise ValueError("y over covariate is more than floats hold")
    return Adjusted(_like(adjusted, y), theta, float(1 - correlation**2))


def always_valid_interval(
    difference: float, standard_error: float, effect_scale: float, alpha: float = 0.05
) -> tuple[float, float]:
    """Return an interval that holds at every look.

    The chance that it *ever* misses the truth is at most alpha.

    Parameters
    ----------
    difference : float
        Estimated difference at this look.
    standard_error : float
        Its standard error now, above 0; from data so far, approximately normal.
    effect_scale : float
        Size of a plausible true difference, above 0, in the same units; fixed before
        the first look. It sets at which sample size the interval is tightest, never its
        validity.
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
    The mixture sequential probability ratio test with a normal mixture of standard
    deviation effect_scale: Robbins 1970, Annals of Mathematical Statistics 41; Johari
    et al. 2017, "Peeking at A/B Tests", KDD.

    Examples
    --------
    >>> low, high = always_valid_interval(0.004, 0.001, effect_scale=0.002)
    >>> round(low, 4), round(high, 4)
    (0.0009, 0.0071)
    """
    difference = _number("difference", difference)
    alpha = _number("alpha", alpha, "(0, 1)")
    standard_error = _number("standard_error", standard_error, "(0, inf)")
    effect_scale = _number("effect_scale", effect_scale, "(0, inf)")
    # --8<-- [start:always]
    ratio = np.log(effect_scale) - np.log(standard_error)
    # Log of 1 + (effect_scale / standard_error)**2, which may be beyond floats
    spread = np.logaddexp(0, 2 * ratio)
    log_half = (
        np.log(standard_error)
        + spread / 2
        - ratio
        + np.log(spread - 2 * np.log(alpha)) / 2
    )
    with np.errstate(over="ignore"):
        half = np.exp(log_half)
    return float(difference - half), float(difference + half)
    # --8<-- [end:always]


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


def _whole(
    name: str,
    values: Any,
    least: int | None = None,
    most: int | None = None,
    ndim: int | None = 1,
) -> np.ndarray:
    """Return whole numbers of any container as int64; floats must be below 2^53."""
    array = _array(name, values, ndim)
    if array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
        _refuse(
            name,
            "be whole numbers",
            array,
            np.isfinite(array) & (array == np.floor(array)),
        )
        _refuse(
            name, "be below 2^53, for they are floats", array, np.abs(array) < 2**53
        )
    elif array.dtype == np.uint64:
        _refuse(name, "be below 2^63", array, array < 2**63)
    array = array.astype(np.int64, copy=False)
    if least is not None:
        _refuse(name, f"be at least {least}", array, array >= least)
    if most is not None:
        _refuse(name, f"be at most {most}", array, array <= most)
    return array


def _number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """Return a parameter as a float inside of an interval."""
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be a number, got {value}")
    return float(_numbers(name, value, interval, ndim=0))


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


def _like(result: np.ndarray, values: Any) -> Any:
    """Return one number for each row, as a Series if the rows were one."""
    is_series = hasattr(values, "iloc") and getattr(values, "ndim", 0) == 1
    return type(values)(result, index=values.index) if is_series else result


# --- End of the door. ---
