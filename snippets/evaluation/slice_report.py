"""Find the slices of a log in which a model promises too much or too little, without being fooled by their number."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


def slice_report(
    slices: pd.DataFrame, y_true: ArrayLike, y_prob: ArrayLike, depth: int = 1, confidence_level: float = 0.95
) -> pd.DataFrame:
    """Return the calibration of every slice, the least likely to be chance first.

    Parameters
    ----------
    slices : pandas.DataFrame of n rows
        Columns to cut by: categories, strings, booleans, whole numbers. Missing values are a slice of their own.
    y_true : array of shape (n,)
        Labels, each 0 or 1.
    y_prob : array of shape (n,)
        Predicted probabilities, each in [0, 1].
    depth : int
        1 cuts by each column, 2 also by each pair of columns, and so on.
    confidence_level : float
        In (0, 1), of each interval alone.

    Returns
    -------
    pandas.DataFrame
        One row a slice: ``slice``, ``rows``, ``clicks``, ``expected`` (the sum of y_prob), ``ratio`` (expected over
        clicks, infinite without a click) with its interval ``low`` and ``high``, the two-sided ``p_value`` that the
        slice is calibrated, and ``p_adjusted`` for having looked at all of these slices (Holm).

    Raises
    ------
    ValueError
        If slices has no column, a column of fractions or nested values, or a name twice; if arrays are empty, unequal
        in length or hold other values than those above; if depth is not in [1, columns].

    Notes
    -----
    Clicks are rare and nearly independent, so their number is nearly Poisson: exact tails, and the interval of Garwood
    1936, Biometrika 28. Where users have many rows in a slice, its true spread is larger. Holm 1979, "A Simple
    Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> frame = pd.DataFrame({"device": ["phone"] * 60 + ["tablet"] * 40})
    >>> report = slice_report(frame, [0] * 60 + [0, 1] * 20, [0.2] * 100)
    >>> report[["slice", "clicks", "expected"]].round(1).values.tolist()
    [['device=phone', 0, 12.0], ['device=tablet', 20, 8.0]]
    """
    y, p = _check(slices, y_true, y_prob, depth, confidence_level)
    columns = {name: _codes(name, slices.iloc[:, i]) for i, name in enumerate(slices.columns)}
    found = []
    # --8<-- [start:sums]
    for names in (c for d in range(1, depth + 1) for c in combinations(columns, d)):
        values, code = columns[names[0]]
        labels = [f"{names[0]}={v}" for v in values]
        for name in names[1:]:
            values, own = columns[name]
            code = code * len(values) + own
            labels = [f"{label} & {name}={v}" for label in labels for v in values]
        rows, clicks, expected = (np.bincount(code, w, len(labels)) for w in (None, y, p))
        seen = np.flatnonzero(rows)
        found.append(
            pd.DataFrame(
                {
                    "slice": np.array(labels, object)[seen],
                    "rows": rows[seen],
                    "clicks": clicks[seen].astype(np.int64),
                    "expected": expected[seen],
                }
            )
        )
    # --8<-- [end:sums]
    report = pd.concat(found, ignore_index=True)
    clicks, expected = report["clicks"].to_numpy(), report["expected"].to_numpy()
    tail = (1 - confidence_level) / 2
    some = clicks > 0
    report["ratio"] = np.divide(expected, clicks, out=np.where(expected > 0, np.inf, 1.0), where=some)
    report["low"] = expected / stats.gamma.isf(tail, clicks + 1)
    fewest = stats.gamma.ppf(tail, np.maximum(clicks, 1))
    report["high"] = np.divide(expected, fewest, out=np.full(len(report), np.inf), where=some)
    one_sided = np.minimum(stats.poisson.cdf(clicks, expected), stats.poisson.sf(clicks - 1, expected))
    report["p_value"] = np.minimum(2 * one_sided, 1)
    report = report.sort_values("p_value", kind="stable", ignore_index=True)
    # --8<-- [start:holm]
    still_open = np.arange(len(report), 0, -1)  # the smallest p-value had to beat all, the next all but one
    report["p_adjusted"] = np.minimum(np.maximum.accumulate(still_open * report["p_value"].to_numpy()), 1)
    # --8<-- [end:holm]
    return report


def _codes(name: str, column: pd.Series) -> tuple[list[str], np.ndarray]:
    """Return the values of a column as strings, and the number of each row's value."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        code, values = column.cat.codes.to_numpy(), column.cat.categories
    else:
        if pd.api.types.is_float_dtype(column.dtype) and not (column.isna() | (column % 1 == 0)).all():
            raise ValueError(f"column {name!r} of slices holds fractions: cut it into bins first, as by pandas.qcut")
        try:
            code, values = pd.factorize(column, sort=True)
        except TypeError as error:
            raise ValueError(f"column {name!r} of slices holds values that cannot be grouped: {error}") from error
    code = code.astype(np.int64)
    code[code < 0] = len(values)  # missing comes last
    return [*map(str, values), "missing"], code


def _check(
    slices: pd.DataFrame, y_true: ArrayLike, y_prob: ArrayLike, depth: int, confidence_level: float
) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(slices, pd.DataFrame) or slices.shape[1] == 0:
        raise ValueError("slices must be a data frame with a column or more")
    if slices.columns.has_duplicates:
        raise ValueError(f"slices has the column {slices.columns[slices.columns.duplicated()][0]!r} twice")
    y, p = np.asarray(y_true), np.asarray(y_prob)
    for name, array in [("y_true", y), ("y_prob", p)]:
        if array.shape != (len(slices),):
            raise ValueError(f"{name} has shape {array.shape}, slices has {len(slices)} rows")
        if array.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    if len(y) == 0:
        raise ValueError("slices is empty")
    whole = y.dtype.kind != "f" or bool(((y == 0) | (y == 1)).all())
    # Minimum and maximum are as fast as memory, and NaN passes through both of them.
    for name, array, right, rule in [("y_true", y, whole, "0 or 1"), ("y_prob", p, True, "in [0, 1]")]:
        if not (right and array.min() >= 0 and array.max() <= 1):
            good = (y == 0) | (y == 1) if array is y else (p >= 0) & (p <= 1)
            wrong = int(np.argmin(good))
            raise ValueError(f"{name} must be {rule}, got {array[wrong]} at row {wrong}")
    if not isinstance(depth, int | np.integer) or isinstance(depth, bool) or not 1 <= depth <= slices.shape[1]:
        raise ValueError(f"depth must be a whole number in [1, {slices.shape[1]}], got {depth!r}")
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level must be in (0, 1), got {confidence_level}")
    return y.astype(np.float64), p.astype(np.float64, copy=False)
