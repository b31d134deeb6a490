"""Drift: has the data changed, and by more than chance.

The population stability index compares two samples of one number; a classifier told to
tell two samples apart compares all columns at once. Both come with what chance alone
would show.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split


class Separation(NamedTuple):
    """How well a classifier tells two samples apart."""

    auc: float  # on rows it was not trained on; 0.5 is chance
    p_value: float  # of seeing such an AUC or a higher one between equal samples


def population_stability_index(
    expected: ArrayLike, actual: ArrayLike, n_bins: int = 10
) -> float:
    """Return the population stability index of a sample against a reference.

    Parameters
    ----------
    expected : array of shape (n,)
        The reference, for instance a feature or the predictions in training. Its
        quantiles are the bins.
    actual : array of shape (m,)
        The sample to compare.
    n_bins : int
        Bins of about equal size in the reference, at least 2. Where values repeat there
        are fewer or more: see ``psi_bins``.

    Returns
    -------
    float
        The sum over bins of (a - e) ln(a / e), with the shares a and e of both samples:
        0 if they agree, at most large. A bin empty in one sample counts as half a row
        there. It is the same for a feature and its negative. Chance alone gives about
        (bins - 1) (1 / n + 1 / m): compare with ``psi_threshold``.

    Raises
    ------
    ValueError
        If an array is empty, not one-dimensional or holds NaN (compare the shares of
        missing values apart) or an infinity, or n_bins is no whole number of at least
        2.

    Notes
    -----
    Yurdakul & Naranjo 2020, "Statistical Properties of the Population Stability Index",
    Journal of Risk Model Validation 14. It is Jeffreys' divergence of the binned
    samples.

    Examples
    --------
    >>> round(population_stability_index([1, 2, 3, 4], [3, 4, 4, 4], n_bins=2), 3)
    0.809
    """
    # --8<-- [start:psi]
    counts = np.maximum(psi_bins(expected, actual, n_bins), 0.5)
    e, a = counts / counts.sum(axis=1, keepdims=True)
    return float((a - e) @ np.log(a / e))
    # --8<-- [end:psi]


def psi_bins(expected: ArrayLike, actual: ArrayLike, n_bins: int = 10) -> np.ndarray:
    """Return how many rows of both samples lie in each bin of the stability index.

    If the reference has no more values than bins, each value is a bin. Else the edges
    are its quantiles: an edge that as many rows share as a bin holds, such as a
    default, is a bin of its own, and a row on any other edge counts half in either bin
    beside it. What lies between or beyond counts in the bin there, in a new one if need
    be.

    Parameters
    ----------
    expected, actual, n_bins
        As for ``population_stability_index``.

    Returns
    -------
    array of shape (2, bins)
        Rows of the reference and of the sample, bins in order of the values. Bins that
        are empty in both are left out: the second length is the ``n_bins`` of
        ``psi_threshold``.

    Raises
    ------
    ValueError
        As ``population_stability_index``.

    Examples
    --------
    >>> psi_bins([0, 0, 0, 0, 1, 2], [-1, 0, 0, 2, 2], n_bins=2)
    array([[0., 4., 2.],
           [1., 2., 2.]])
    """
    reference, sample = _numbers("expected", expected), _numbers("actual", actual)
    _same_rows(expected=reference), _same_rows(actual=sample)
    n_bins = _count("n_bins", n_bins, 2)
    # --8<-- [start:bins]
    ordered, n = np.sort(reference), len(reference)
    # No more values than bins: each is a bin
    if np.count_nonzero(ordered[1:] != ordered[:-1]) < n_bins:
        edges, common = np.unique(ordered), 0.0
    else:
        rank, rest = np.divmod(n * np.arange(1, n_bins), n_bins)
        low, high = ordered[rank - (rest == 0)], ordered[rank]
        edges, common = (
            np.unique(np.where(low == high, low, low / 2 + high / 2)),
            n / n_bins,
        )
    # With one more edge just below each, odd places are those on an edge, even ones
    # those between two.
    with np.errstate(over="ignore"):  # below the smallest float is minus infinity
        both = np.column_stack([np.nextafter(edges, -np.inf), edges]).ravel()
    places = [
        np.bincount(np.searchsorted(both, x), minlength=len(both) + 1)
        for x in (reference, sample)
    ]
    counts = np.array(places, dtype=np.float64)
    half = np.where(counts[0, 1::2] < common, counts[:, 1::2] / 2, 0)
    counts[:, :-1:2] += half
    counts[:, 2::2] += half
    counts[:, 1::2] -= 2 * half
    return counts[:, counts.any(axis=0)]
    # --8<-- [end:bins]


def psi_threshold(
    n_expected: int, n_actual: int, n_bins: int = 10, false_alarm_rate: float = 0.01
) -> float:
    """Return the stability index that chance alone exceeds with a given probability.

    Parameters
    ----------
    n_expected, n_actual : int
        Rows of the two samples, at least 1; several hundred for the approximation to
        hold.
    n_bins : int
        Bins that were compared, at least 2: ``psi_bins(expected, actual).shape[1]``,
        which differs from the bins asked for where values repeat.
    false_alarm_rate : float
        In (0, 1).

    Returns
    -------
    float
        A quantile of chi-squared with n_bins - 1 degrees of freedom, times 1 /
        n_expected + 1 / n_actual.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(psi_threshold(1_000, 1_000), 3), round(psi_threshold(100_000, 100_000), 5)
    (0.043, 0.00043)
    """
    n, m = _count("n_expected", n_expected), _count("n_actual", n_actual)
    rate = _number("false_alarm_rate", false_alarm_rate, "(0, 1)")
    return float(
        stats.chi2.isf(rate, _count("n_bins", n_bins, 2) - 1) * (1 / n + 1 / m)
    )


def classifier_two_sample_test(
    expected: ArrayLike, actual: ArrayLike, seed: int = 0
) -> Separation:
    """Train a classifier to tell two samples apart; test on the other half if it can.

    It sees changes in how columns go together, which no test of single columns sees.
    The classifier is 50 gradient-boosted trees of at most 8 leaves, all fitted on all
    rows of the first half.

    Parameters
    ----------
    expected, actual : arrays of shape (n, columns) and (m, columns)
        Numbers, as arrays or tables; NaN counts as missing and may itself tell the
        samples apart. Leave out whatever differs by design, such as a date. Rows must
        be independent: of requests with several rows, pass one row each.
    seed : int
        Fixes the halves, which also depend on the order of rows, and the classifier.

    Returns
    -------
    Separation
        The p-value is that of the Mann-Whitney test between the scores of both samples.

    Raises
    ------
    ValueError
        If the arrays are not two-dimensional with equal columns in equal order, have
        fewer than 20 rows each, or hold other things than numbers, or infinities.

    Notes
    -----
    Lopez-Paz & Oquab 2017, "Revisiting Classifier Two-Sample Tests", ICLR.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> test = classifier_two_sample_test(
    ...     rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) + [0, 1]
    ... )
    >>> test.auc > 0.6, test.p_value < 0.001
    (True, True)
    """
    (reference, names) = _matrix("expected", expected)
    (sample, others) = _matrix("actual", actual)
    if reference.shape[1] != sample.shape[1]:
        raise ValueError(
            f"actual has {sample.shape[1]} columns, expected has {reference.shape[1]}"
        )
    if names and others and names != others:
        raise ValueError(f"actual has the columns {others}, expected has {names}")
    seed = _count("seed", seed, 0, 2**32 - 1)
    # --8<-- [start:classifier]
    x = np.concatenate([reference, sample])
    is_sample = np.repeat([0, 1], [len(reference), len(sample)])
    x_train, x_test, y_train, y_test = train_test_split(
        x, is_sample, test_size=0.5, stratify=is_sample, random_state=seed
    )
    # A column without a value tells nothing, and cannot be binned
    x_train[:, np.isnan(x_train).all(axis=0)] = 0
    model = HistGradientBoostingClassifier(
        max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=seed
    )
    score = model.fit(x_train, y_train).predict_proba(x_test)[:, 1]
    wins, p_value = stats.mannwhitneyu(
        score[y_test == 1], score[y_test == 0], alternative="greater"
    )
    auc = wins / ((y_test == 1).sum() * (y_test == 0).sum())
    # --8<-- [end:classifier]
    return Separation(float(auc), float(p_value))


def _matrix(name: str, values: Any) -> tuple[np.ndarray, list | None]:
    """Return a table or an array of two dimensions as float64, and its columns' names.

    What is missing is NaN.
    """
    names = None
    if hasattr(values, "columns"):
        frame = _frame(name, values)
        names, values = list(frame), np.empty(frame.shape)
        for i, label in enumerate(names):
            column = frame[label]
            is_number = pd.api.types.is_numeric_dtype(column)
            if is_number and not pd.api.types.is_complex_dtype(column):
                column = column.to_numpy(np.float64, na_value=np.nan)
            values[:, i] = _array(f"{name}[{label!r}]", column)
    array = _array(name, values, 2).astype(np.float64, copy=False)
    if len(array) < 20 or array.shape[1] == 0:
        raise ValueError(
            f"{name} must have 20 rows or more and a column, got shape {array.shape}"
        )
    _refuse(name, "be finite or NaN", array, ~np.isinf(array))
    return array, names


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


def _frame(name: str, frame: Any, columns: Any = ()) -> pd.DataFrame:
    """Return a table of any library as a data frame of exact values, each name once."""
    if hasattr(frame, "to_arrow"):  # Polars
        frame = frame.to_arrow()
    if not isinstance(frame, pd.DataFrame):
        if not (hasattr(frame, "to_pandas") and hasattr(frame, "column_names")):
            raise ValueError(
                f"{name} must be a table of pandas, Polars or PyArrow, got "
                f"{type(frame).__name__}"
            )
        frame = frame.to_pandas(types_mapper=_nullable)
    if not frame.columns.is_unique:
        raise ValueError(
            f"{name} has the column {frame.columns[frame.columns.duplicated()][0]!r} "
            "twice"
        )
    for column in columns:
        # Which takes names that cannot be hashed, such as lists
        if column not in list(frame):
            raise ValueError(f"{name} has no column {column!r}")
    # dtypes of pandas, such as categories and times with a zone, have an isnative of 0
    strange = [
        c
        for c, d in frame.dtypes.items()
        if isinstance(d, pd.ArrowDtype) or (isinstance(d, np.dtype) and not d.isnative)
    ]
    if strange:
        frame = frame.copy(deep=False)
        for column in strange:
            frame[column] = _column(column, frame[column])
    return frame


# --- End of the door. ---
