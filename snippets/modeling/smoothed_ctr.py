"""Predict a key's click rate, such as an ad's, by its history, shrunk towards all.

Empirical Bayes: the prior is a Beta distribution fitted to the rates of all keys.
Robbins 1956, "An Empirical Bayes Approach to Statistics"; for click rates Agarwal et
al. 2010, "Estimating Rates of Rare Events with Multiple Hierarchies through Scalable
Log-linear Models", KDD, is the version for many levels.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import betaln
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

MOST = 1e7  # impressions that a prior may be worth; beyond it the keys do not differ


def fit_beta_prior(clicks: ArrayLike, impressions: ArrayLike) -> tuple[float, float]:
    """Fit the Beta distribution of the keys' true rates, from counts alone.

    Parameters
    ----------
    clicks, impressions : arrays of shape (n_keys,)
        Counts of each key, 0 <= clicks <= impressions; fractions are weights.

    Returns
    -------
    (alpha, beta) : floats
        alpha / (alpha + beta) is the rate over all rows. alpha + beta maximises the
        beta-binomial likelihood at that mean: it is how many impressions of its own a
        key needs to count as much as the prior.

    Raises
    ------
    ValueError
        If arrays are empty or differ in length, a count is out of range, or nothing or
        everything was clicked.

    Examples
    --------
    >>> alpha, beta = fit_beta_prior([0, 2, 9, 1], [100, 100, 100, 20])
    >>> round(alpha / (alpha + beta), 4), round(alpha + beta)
    (0.0375, 26)
    """
    clicks, impressions = (
        _numbers("clicks", clicks, "[0, inf)"),
        _numbers("impressions", impressions, "[0, inf)"),
    )
    _same_rows(clicks=clicks, impressions=impressions)
    _refuse("clicks", "be at most the impressions", clicks, clicks <= impressions)
    if not 0 < clicks.sum() < impressions.sum():
        raise ValueError(
            f"a prior needs some clicks and some without, got {clicks.sum():g} of "
            f"{impressions.sum():g}"
        )
    return _fit_prior(clicks, impressions)


def _fit_prior(
    clicks: np.ndarray,
    impressions: np.ndarray,
    others: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float]:
    """Return the prior.

    Others, rows of no key, are clicks and impressions that count in the mean alone.
    """
    # --8<-- [start:prior]
    mean = (clicks.sum() + others[0]) / (impressions.sum() + others[1])

    def loss(log_strength):
        a, b = mean * np.exp(log_strength), (1 - mean) * np.exp(log_strength)
        return -(betaln(clicks + a, impressions - clicks + b) - betaln(a, b)).sum()

    strength = np.exp(
        minimize_scalar(loss, bounds=(np.log(1e-2), np.log(MOST)), method="bounded").x
    )
    return float(mean * strength), float((1 - mean) * strength)
    # --8<-- [end:prior]


class SmoothedCTR(ClassifierMixin, BaseEstimator):
    """Predict (clicks + alpha) / (impressions + alpha + beta) of the row's key.

    Parameters
    ----------
    strength : float or None
        How many impressions the prior is worth, more than 0. None fits it, see
        `fit_beta_prior`.

    Attributes
    ----------
    alpha_, beta_ : float
        The prior. A key nobody has seen is predicted alpha / (alpha + beta).
    keys_ : array of shape (n_keys, n_features), in order of their first rows
    clicks_, impressions_ : arrays of shape (n_keys,)
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If strength is not positive and finite, the labels are of other than two
        classes, or the keys of a column are of two kinds, such as 7 and "7".

    Notes
    -----
    Keys are ids of any kind: whole numbers of 64 bits, text, categories, UUIDs. A
    missing one matches nothing: its row counts in the rate of all, and is predicted
    like a key nobody has seen.

    Examples
    --------
    >>> ads = [[7], [7], [7], [7], [9], [9]]
    >>> model = SmoothedCTR(strength=4).fit(ads, [1, 1, 0, 1, 0, 0])
    >>> model.predict_proba([[7], [9], [8]])[:, 1].round(2)
    array([0.62, 0.33, 0.5 ])
    """

    def __init__(self, strength: float | None = None) -> None:
        self.strength = strength

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> SmoothedCTR:
        """Count clicks by key.

        X has shape (n, n_features), numbers; rows that are equal in all of them are one
        key.
        """
        strength = (
            None
            if self.strength is None
            else _number("strength", self.strength, "(0, inf)")
        )
        validate_data(self, X, y, skip_check_array=True)
        y = _classes("y", y)
        check_classification_targets(y)
        columns = self._columns(X, reset=True)
        weight = _row_weights(sample_weight, "[0, 3e38]", X=columns[0][1], y=y)
        kinds = [_keys(name, column) for name, column in columns]
        known = np.all([code >= 0 for _, code, _ in kinds], axis=0) & (weight > 0)
        self.classes_ = np.unique(y[weight > 0])
        if len(self.classes_) != 2:
            raise ValueError(
                "Only binary classification is supported: y holds "
                f"{len(self.classes_)} class(es)"
            )
        self._distinct, self._pairs = [distinct for _, _, distinct in kinds], []
        key = np.zeros(known.sum(), np.int64)
        # The columns so far are one number, and so is each pair of it and the next
        for _, code, distinct in kinds:
            key, pairs = pd.factorize(key * len(distinct) + code[known])
            self._pairs.append(pd.Index(pairs))
        # An unknown key is one by itself
        n_keys, key_of_row = len(pairs), np.arange(len(pairs), len(pairs) + len(y))
        key_of_row[known] = key
        first = np.flatnonzero(known)[pd.Series(key).drop_duplicates().index]
        parts = [distinct[code[first]] for _, code, distinct in kinds]
        if len({part.dtype for part in parts}) > 1:
            parts = [part.astype(object) for part in parts]
        self.keys_ = np.column_stack(parts)
        # --8<-- [start:fit]
        click = y == self.classes_[1]
        impressions = np.bincount(key_of_row, weight)
        clicks = np.bincount(key_of_row, weight * click)
        self.clicks_, self.impressions_ = clicks[:n_keys], impressions[:n_keys]
        if strength is None:
            # Rows without a key
            others = (clicks[n_keys:].sum(), impressions[n_keys:].sum())
            self.alpha_, self.beta_ = _fit_prior(
                self.clicks_, self.impressions_, others
            )
        else:
            mean = clicks.sum() / impressions.sum()
            self.alpha_, self.beta_ = strength * mean, strength * (1 - mean)
        # --8<-- [end:fit]
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        check_is_fitted(self)
        columns = self._columns(X, reset=False)
        key = np.zeros(len(columns[0][1]), np.int64)
        for (name, column), distinct, pairs in zip(
            columns, self._distinct, self._pairs, strict=True
        ):
            place = _place(name, column, distinct)
            pair = np.where((key < 0) | (place < 0), -1, key * len(distinct) + place)
            key = pairs.get_indexer(pair)  # -1 is none of them
        # --8<-- [start:predict]
        # the last is for keys that nobody has seen: their number is -1
        clicks = np.append(self.clicks_, 0.0)
        impressions = np.append(self.impressions_, 0.0)
        rate = (clicks + self.alpha_) / (impressions + self.alpha_ + self.beta_)
        p = rate[key]
        # --8<-- [end:predict]
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        likely = self.predict_proba(X)[:, 1] > 0.5
        return self.classes_[likely.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.categorical = tags.input_tags.string = (
            tags.input_tags.allow_nan
        ) = True
        return tags

    def _columns(self, X: ArrayLike, reset: bool) -> list[tuple[str, ArrayLike]]:
        """Return the columns of X with their names, each of its own type."""
        if hasattr(X, "columns") or hasattr(X, "column_names"):
            frame = _frame("X", X)
            validate_data(self, frame.head(0), reset=reset, skip_check_array=True)
            if frame.empty:
                raise ValueError(
                    f"Found array with {frame.shape[0]} sample(s) and {frame.shape[1]} "
                    "feature(s)"
                )
            return [(str(name), frame.iloc[:, i]) for i, name in enumerate(frame)]
        if isinstance(X, list | tuple):
            X = (
                np.array(X, dtype=object)
                if np.asarray(X, dtype=object).ndim == 2
                else X
            )
        X = validate_data(
            self, X, dtype=None, ensure_all_finite="allow-nan", reset=reset
        )
        return [(f"column {i} of X", column) for i, column in enumerate(X.T)]


def _place(name: str, column: ArrayLike, distinct: np.ndarray) -> np.ndarray:
    """Return the place of each row's key among distinct ones, -1 where it is none."""
    # Among fractions, a whole number is a number, too
    if len(distinct) and isinstance(distinct[0], float):
        known, asked = distinct.astype(float), _column(name, column)
        there = asked.notna().to_numpy(bool)
        asked = np.append(_array(name, asked[there]).astype(float), np.nan)[
            np.where(there, np.cumsum(there) - 1, -1)
        ]
        if (known % 1 != 0).all() and (asked[there] % 1 == 0).all():
            raise ValueError(
                f"{name} holds whole numbers, in fit fractions: keys of two kinds "
                "never match"
            )
        return pd.Index(known).get_indexer(asked)
    seen, code = _matched({f"{name} in fit": distinct, name: column})
    return np.where(code < 0, -1, pd.Index(seen).get_indexer(code))


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


def _row_weights(values: Any, interval: str = "[0, inf)", **arrays: Any) -> np.ndarray:
    """Return ``sample_weight``, else ones: one for each row, and not 0 in all."""
    rows = len(next(iter(arrays.values())))
    weight = (
        np.ones(rows) if values is None else _numbers("sample_weight", values, interval)
    )
    _same_rows(**arrays, sample_weight=weight)
    if not weight.any():
        raise ValueError("sample_weight is zero in every row")
    return weight


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


def _matched(keys: dict[str, Any]) -> list[np.ndarray]:
    """Return keys that are looked up in one another as whole numbers, -1 if missing."""
    plain = [np.asarray(v) for v in keys.values() if type(v) in (np.ndarray, pd.Series)]
    if len(plain) == len(keys) and all(
        array.dtype.kind == "i" and array.ndim == 1 for array in plain
    ):
        every = np.concatenate([*plain, np.empty(0, np.int64)])
        if len(every):
            # No need to hash
            is_dense = int(every.max()) - int(every.min()) < len(every)
            number = every - every.min() if is_dense else pd.factorize(every)[0]
            return np.split(number, np.cumsum([len(array) for array in plain[:-1]]))
    sides = {name: _keys(name, values) for name, values in keys.items()}
    kinds = {kind: name for name, (kind, _, _) in sides.items() if kind}
    if len(kinds) > 1:
        (a, of_a), (b, of_b) = list(kinds.items())[:2]
        raise ValueError(
            f"{of_a} holds {a} and {of_b} {b}: keys of two kinds never match"
        )
    distinct = [side[2] for side in sides.values()]
    if len({array.dtype for array in distinct if array.size}) > 1:
        distinct = [array.astype(object) for array in distinct]
    number, _ = pd.factorize(
        np.concatenate(
            [array for array in distinct if array.size] or [np.empty(0, object)]
        )
    )
    starts = np.cumsum([0, *map(len, distinct)])
    return [
        np.append(number[start:], -1)[codes]
        for start, (_, codes, _) in zip(starts, sides.values(), strict=False)
    ]


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


def _classes(name: str, values: Any) -> np.ndarray:
    """Return labels of any container as plain numbers or text, none missing."""
    values = values if hasattr(values, "__len__") else np.asarray(values)
    if getattr(values, "ndim", 1) != 1 or (
        type(values) is np.ndarray and values.dtype.kind in "biuU"
    ):
        array = column_or_1d(np.asarray(values), warn=True)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    kind, codes, distinct = _keys(name, values)
    if (codes < 0).any():
        raise ValueError(f"{name} is missing at row {int(np.argmin(codes))}")
    if kind == "bytes":
        raise ValueError(
            f"{name} must hold numbers or text, got {distinct[codes[0]]!r} at row 0"
        )
    return np.array(distinct.tolist())[codes]


# --- End of the door. ---
