"""Confidence intervals for the difference between two models that scored the same rows.

Both models meet the same clicks, so their errors move together: an interval for the
difference is far narrower than the intervals of the two scores suggest. Rows of one
user move together too, which makes it wider than the number of rows suggests.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
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
    """Return normalized entropy of model b minus that of a, with its interval.

    It is below 0 where b is better. The variance is that of the linearised ratio (the
    delta method), summed by user, so nothing is resampled.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1.
    prob_a, prob_b : arrays of shape (n,)
        Predicted probabilities in [0, 1] of two models for the same rows.
    users : array of shape (n,), optional
        Who saw each row. Rows of one user may depend on each other, users may not. None
        takes all rows for independent, which is too narrow as soon as users come back.
        A missing user raises: leave such rows out, or give each an id of its own.
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Interval
        By Student's t with as many degrees of freedom as users, less one.

    Raises
    ------
    ValueError
        If arrays are empty, unequal in length, not one-dimensional or hold other values
        than those above; if there is one class or one user only; if a model gives
        probability 0 to what happened.

    Notes
    -----
    Deng et al. 2018, "Applying the Delta Method in Metric Analytics: A Practical Guide
    with Novel Ideas", KDD.

    Examples
    --------
    >>> y = [0, 0, 1, 0, 0, 1, 0, 0]
    >>> a, b = (
    ...     [0.2, 0.3, 0.4, 0.2, 0.3, 0.3, 0.2, 0.2],
    ...     [0.1, 0.2, 0.6, 0.1, 0.2, 0.5, 0.1, 0.1],
    ... )
    >>> [round(x, 2) for x in ne_difference_interval(y, a, b)]
    [-0.37, -0.43, -0.3]
    """
    y = _labels("y_true", y_true)
    a, b = _numbers("prob_a", prob_a, "[0, 1]"), _numbers("prob_b", prob_b, "[0, 1]")
    user = None if users is None else _codes("users", users)
    n = _same_rows(y_true=y, prob_a=a, prob_b=b, users=user)
    _both_classes(y)
    level = _number("confidence_level", confidence_level, "(0, 1)")
    user = np.arange(n) if user is None else user
    if not user.any():
        raise ValueError(
            "users holds one user only: the spread between users is undefined"
        )
    with np.errstate(divide="ignore"):
        log_a, log_b = (np.log(np.abs(1 - y - p)) for p in (a, b))
    for name, log in [("prob_a", log_a), ("prob_b", log_b)]:
        if log.min() == -np.inf:
            raise ValueError(
                f"{name} gives probability 0 to what happened at row "
                f"{int(np.argmin(log))}"
            )
    # --8<-- [start:delta]
    rows = np.bincount(user)
    clicks = np.bincount(user, weights=y)
    # What b loses more than a, by user
    extra_loss = np.bincount(user, weights=log_a - log_b)
    rate = clicks.sum() / n
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    slope = np.log((1 - rate) / rate)  # of the entropy in the rate
    difference = extra_loss.sum() / n / entropy
    influence = extra_loss / entropy - difference * (
        rows + slope / entropy * (clicks - rate * rows)
    )
    # --8<-- [end:delta]
    n_users = len(rows)
    error = np.sqrt(n_users / (n_users - 1) * (influence**2).sum()) / n
    half = float(error * stats.t.isf((1 - level) / 2, n_users - 1))
    return Interval(
        float(difference), float(difference) - half, float(difference) + half
    )


def delong_interval(
    y_true: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    confidence_level: float = 0.95,
) -> Interval:
    """Return the AUC of model b minus that of model a, with DeLong's interval.

    It is above 0 where b is better. Rows are taken for independent. Where users come
    back, use ``paired_bootstrap`` with ``roc_auc_score``.

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
        On bad arrays as ``ne_difference_interval``, where scores may be any numbers,
        also infinite, but not NaN; with fewer than two rows of a class.

    Notes
    -----
    DeLong, DeLong & Clarke-Pearson 1988, "Comparing the Areas under Two or More
    Correlated Receiver Operating Characteristic Curves: A Nonparametric Approach",
    Biometrics 44; by sorting, as in Sun & Xu 2014, "Fast Implementation of DeLong's
    Algorithm ...", IEEE Signal Processing Letters 21.

    Examples
    --------
    >>> y, a, b = [0, 0, 1, 0, 1, 1], [1, 4, 3, 2, 5, 2], [1, 2, 4, 3, 6, 5]
    >>> [round(x, 2) for x in delong_interval(y, a, b)]
    [0.28, -0.21, 0.76]
    """
    y = _labels("y_true", y_true)
    a, b = _scores("score_a", score_a), _scores("score_b", score_b)
    _same_rows(y_true=y, score_a=a, score_b=b)
    _both_classes(y)
    level = _number("confidence_level", confidence_level, "(0, 1)")
    click = y == 1
    n_clicks, n_others = int(click.sum()), int((~click).sum())
    if min(n_clicks, n_others) < 2:
        raise ValueError(
            f"y_true needs two rows of each class, got {n_clicks} clicks and "
            f"{n_others} others"
        )
    # --8<-- [start:delong]
    wins_a, wins_b = _share_beaten(click, a), _share_beaten(click, b)
    gain = wins_b - wins_a
    difference = gain[click].mean()
    variance = gain[click].var(ddof=1) / n_clicks + gain[~click].var(ddof=1) / n_others
    # --8<-- [end:delong]
    half = float(np.sqrt(variance) * stats.norm.isf((1 - level) / 2))
    return Interval(
        float(difference), float(difference) - half, float(difference) + half
    )


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
    """Return metric of b minus metric of a, with its interval, resampling users.

    It is the percentile interval. A resample that holds one class only, as happens
    where few users click, is drawn again: there such a metric is not defined. The
    interval is that of the other resamples.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_prob, sample_weight=weights)``, as most of scikit-learn's. A
        user drawn twice has rows of weight 2.
    y_true, prob_a, prob_b, confidence_level
        As for ``delong_interval``, but finite.
    users : array of shape (n,)
        Who saw each row, at least two users with a click and two with a row without. A
        missing user raises: leave such rows out, or give each an id of its own.
    n_resamples : int
        At least 1. The ends of a 95 % interval rest on 2.5 % of them.
    seed : int
        Fixes the resamples, at least 0.

    Raises
    ------
    ValueError
        On bad arrays as ``delong_interval``; with fewer users of a class than two; if
        n_resamples or seed is no such whole number; if the metric of a sample with both
        classes is not finite; what the metric raises.

    Notes
    -----
    Efron & Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13; users are
    its independent units.

    Examples
    --------
    >>> from sklearn.metrics import log_loss
    >>> y, a, b = [0, 1, 0, 1], [0.2, 0.3, 0.4, 0.2], [0.1, 0.6, 0.3, 0.5]
    >>> result = paired_bootstrap(log_loss, y, a, b, users=["u", "u", "v", "v"])
    >>> [round(x, 2) for x in result]
    [-0.47, -0.54, -0.41]
    """
    y, a, b = (
        _labels("y_true", y_true),
        _numbers("prob_a", prob_a),
        _numbers("prob_b", prob_b),
    )
    user = _codes("users", users)
    _same_rows(y_true=y, prob_a=a, prob_b=b, users=user)
    _both_classes(y)
    level = _number("confidence_level", confidence_level, "(0, 1)")
    n_resamples = _count("n_resamples", n_resamples)
    seed = _count("seed", seed, 0)
    # Users are numbered by what they hold, so that neither their ids nor the order of
    # the rows decide who is drawn: by their sums, which the last digit of a score
    # hardly moves, and where these are equal by which rows they have.
    order = np.lexsort([a, b, y])
    rows = np.stack([a, b, y], axis=1)[order]
    # Equal rows are of one kind
    kind = np.cumsum(np.concatenate([[0], (rows[1:] != rows[:-1]).any(axis=1)]))
    held = np.zeros(user.max() + 1, np.uint64)
    # Whole numbers that wrap: the same in any order
    np.add.at(held, user[order], pd.util.hash_array(kind))
    sums = [np.bincount(user[order], column) for column in rows.T]
    user = np.argsort(np.lexsort([held, *sums]))[user]
    rows, clicks = np.bincount(user), np.bincount(user, y)
    for name, has in [
        ("a click", clicks > 0),
        ("a row without a click", clicks < rows),
    ]:
        if np.count_nonzero(has) < 2:
            raise ValueError(
                f"users needs two users with {name}, got one: resamples would not "
                "vary, or not have any"
            )

    def difference(kept: np.ndarray, weight: np.ndarray) -> float:
        return metric(y[kept], b[kept], sample_weight=weight) - metric(
            y[kept], a[kept], sample_weight=weight
        )

    estimate = difference(rows[user] > 0, np.ones(len(y)))
    # --8<-- [start:bootstrap]
    rng = np.random.default_rng(seed)
    n_users, differences = len(rows), []
    while len(differences) < n_resamples:
        drawn = np.bincount(rng.integers(0, n_users, n_users), minlength=n_users)
        if 0 < drawn @ clicks < drawn @ rows:  # both classes
            weight = drawn[user]
            seen = weight > 0
            differences.append(difference(seen, weight[seen]))
    # --8<-- [end:bootstrap]
    if not np.isfinite([estimate, *differences]).all():
        raise ValueError(
            "metric must be finite in samples that hold both classes: it is not in one "
            "of them"
        )
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high))


def _scores(name: str, values: ArrayLike) -> np.ndarray:
    """Return what is only compared: whole numbers stay as they are.

    As floats, those above 2^53 would tie.
    """
    score = _array(name, values)
    return score if score.dtype.kind in "iu" else _inside(name, score, "[-inf, inf]")


def _share_beaten(click: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return, for each click, the share of other rows below it, and the reverse.

    The reverse is, for each other row, the share of clicks above it.
    """
    order = np.argsort(score)
    sorted_score, sorted_click = score[order], click[order]
    start = np.flatnonzero(
        np.concatenate([[True], sorted_score[1:] != sorted_score[:-1]])
    )
    size = np.diff(start, append=len(score))
    tied_clicks = np.add.reduceat(sorted_click, start, dtype=np.int64)
    tied_others = size - tied_clicks
    others_below = np.cumsum(tied_others) - tied_others / 2
    clicks_above = tied_clicks.sum() - np.cumsum(tied_clicks) + tied_clicks / 2
    sorted_share = np.repeat(clicks_above / tied_clicks.sum(), size)
    sorted_share[sorted_click] = np.repeat(
        others_below / tied_others.sum(), tied_clicks
    )
    share = np.empty(len(score))
    share[order] = sorted_share
    return share


def _both_classes(y: np.ndarray) -> None:
    if y.min() == y.max():
        raise ValueError(f"y_true holds one class only, {y[0]:g}")


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


def _column(name: str, values: Any) -> pd.Series:
    """Return a column of any container as a Series of exact values."""
    if (
        isinstance(values, str | bytes | dict | set | frozenset)
        or not hasattr(values, "__len__")
        or getattr(values, "ndim", 1) != 1
        # Tables of Polars and PyArrow do not say how many dimensions they have
        or hasattr(values, "columns")
    ):
        shape = getattr(values, "shape", type(values).__name__)
        raise ValueError(f"{name} must have one dimension, got {shape}")
    index = values.index if isinstance(values, pd.Series) else range(len(values))
    if isinstance(getattr(values, "dtype", None), pd.ArrowDtype):
        values = getattr(values, "array", values).__arrow_array__()
    elif hasattr(values, "to_arrow"):  # Polars
        values = values.to_arrow()
    if hasattr(values, "to_pandas"):  # PyArrow
        return values.to_pandas(types_mapper=_nullable).set_axis(index)
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    # Of which each entry is a tuple
    if isinstance(values, list | tuple | pd.MultiIndex):
        values = pd.Series([*values], dtype=object)
        # pandas would make floats of them
        if not (pd.api.types.infer_dtype(values) == "integer" and values.hasnans):
            values = values.infer_objects()
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        column = column.astype(
            np.float64 if column.dtype.kind == "f" else column.dtype.newbyteorder("=")
        )
    return column


def _nullable(arrow_type: Any) -> Any:
    """Return the pandas type that keeps whole numbers and booleans beside missing."""
    name = str(arrow_type)
    if name == "bool":
        return pd.BooleanDtype()
    return (
        pd.api.types.pandas_dtype(name.replace("int", "Int").replace("u", "U"))
        if "int" in name[:4]
        else None
    )


def _keys(name: str, values: Any) -> tuple[str | None, np.ndarray, np.ndarray]:
    """Return the kind of keys, each row's number or -1, and the keys so numbered."""
    column = _column(name, values)
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind, _, distinct = _keys(name, column.cat.categories.to_series())
        codes = column.cat.codes.to_numpy()
        present = np.bincount(codes[codes >= 0], minlength=len(distinct)) > 0
        return (
            kind if present.any() else None,
            np.append(np.cumsum(present) - 1, -1)[codes],
            distinct[present],
        )
    there = column.notna().to_numpy(bool)
    if not there.any():
        return None, np.full(len(column), -1), np.empty(0, object)
    kind = _kind_of_keys(name, column, there)
    if kind != "whole numbers":
        try:
            codes, distinct = pd.factorize(column)
        except TypeError as error:
            raise ValueError(f"{name} holds what is no key: {error}") from error
        return kind, codes.astype(np.int64), np.asarray(distinct, dtype=object)
    exact = (
        object
        if column.dtype == object
        else np.uint64
        if str(column.dtype).lower() == "uint64"
        else np.int64
    )
    number = (column if there.all() else column[there]).to_numpy(exact)
    if exact is not np.int64 and number.min() >= -(2**63) and number.max() < 2**63:
        number = number.astype(np.int64)
    low, high = int(number.min()), int(number.max())
    if number.dtype == np.int64 and high - low < len(number):  # no need to hash
        number = number - low
        present = np.bincount(number) > 0
        found, distinct = (
            (np.cumsum(present) - 1)[number],
            np.flatnonzero(present) + low,
        )
    else:
        found, distinct = pd.factorize(number)
    if there.all():
        return kind, found, distinct
    codes = np.full(len(column), -1)
    codes[there] = found
    return kind, codes, distinct


def _kind_of_keys(name: str, column: pd.Series, there: np.ndarray) -> str:
    """Return what keys are, in words: keys of two kinds never match."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind.startswith("mixed"):  # NaT is skipped beside times alone
        kind = pd.api.types.infer_dtype(column[there])
    if kind in ("floating", "mixed-integer-float"):
        number = column.to_numpy(np.float64, na_value=np.nan)
        if not (number[there] == np.floor(number[there])).all():
            return "fractions"
        exact = ~there | (np.abs(number) < 2**53)
        _refuse(
            name,
            "be whole numbers, for as floats from 2^53 on their last digits are lost",
            number,
            exact,
        )
        return "whole numbers"
    types = set(map(type, column[there])) if kind == "mixed" else set()
    if kind == "mixed-integer" or len(types) > 1:
        raise ValueError(
            f"{name} holds keys of two kinds, such as 7 and '7', which never match"
        )
    zone = f" in {column.dtype.tz}" if getattr(column.dtype, "tz", None) else ""
    words = {"string": "text", "integer": "whole numbers", "boolean": "whole numbers"}
    return words.get(kind, "".join(t.__name__ for t in types) or kind + zone)


def _codes(name: str, values: Any) -> np.ndarray:
    """Return the unit of each row, such as its user, as a number from 0 on, no gaps."""
    _, codes, _ = _keys(name, values)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"{name} is missing at row {row}: leave such rows out, or give each an id "
            "of its own"
        )
    return codes


# --- End of the door. ---
