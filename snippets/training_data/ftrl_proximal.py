"""Learn a sparse logistic regression online, in one pass.

Each coordinate has a learning rate of its own. McMahan et al. 2013, "Ad Click
Prediction: a View from the Trenches", KDD, algorithm 1. The other learning-rate
schedules: He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at
Facebook", ADKDD, section 3.3.
"""

from __future__ import annotations

import numbers
import operator
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix, issparse
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

IMPOSSIBLE = 1e-9  # of a row with this probability, something is wrong with the model
SCHEDULES = ("per_coordinate", "per_weight_sqrt", "per_weight", "global", "constant")


class FTRLProximal(ClassifierMixin, BaseEstimator):
    """Logistic regression by follow-the-regularized-leader, for streams.

    Their rows are sparse or hashed. Rows are learned in batches whose gradients are
    taken at the weights before the batch, and then applied one after the other, which
    has a closed form. With ``batch_size=1`` it is the paper's algorithm, row by row.
    The order of the rows matters. Values should be about 1 in size: the first step
    moves a weight by up to ``alpha`` whatever the value, so that a price of 10,000
    would move the log odds by 10,000 alpha. Take its logarithm, or scale it.

    Parameters
    ----------
    alpha, beta : float
        The rate of coordinate i is alpha / (beta + sqrt(sum of its squared gradients)).
    l1, l2 : float
        Penalties, at least 0. Weights whose evidence stays within l1 are exactly zero.
        The intercept has none.
    learning_rate : str
        "per_coordinate", as above; or "per_weight_sqrt", alpha / sqrt(n) with n the
        rows so far in which the coordinate is not zero; "per_weight", alpha / n;
        "global", alpha / sqrt(rows so far); "constant", alpha.
    fit_intercept : bool
        Whether to learn a constant.
    batch_size : int
        Rows learned at once. Larger is faster, up to a few thousand, and learns from
        older weights.

    Attributes
    ----------
    coef_ : array of shape (1, n_features)
    intercept_ : array of shape (1,)
    classes_ : array of shape (2,)
    n_rows_ : int
        Rows learned so far. One of weight 0 is none.

    Raises
    ------
    ValueError
        If a parameter is out of range; if the rows hold NaN, infinity or values beyond
        float32, or labels of other than two classes; if ``classes`` are not those of
        the first call, or no row has a weight above 0.

    Warns
    -----
    ConvergenceWarning
        If ``fit``, or the first ``partial_fit``, meets a label to which the model gave
        a chance below one in a billion, since values are far from 1.

    Examples
    --------
    >>> X, y = csr_matrix([[1, 0], [0, 1], [1, 0], [0, 1]] * 50), [1, 0, 1, 0] * 50
    >>> new = csr_matrix([[1, 0], [0, 1]])
    >>> FTRLProximal().fit(X, y).predict_proba(new)[:, 1].round(1)
    array([0.7, 0.3])
    """

    def __init__(
        self,
        alpha: float = 0.1,
        beta: float = 1.0,
        l1: float = 0.0,
        l2: float = 0.0,
        *,
        learning_rate: str = "per_coordinate",
        fit_intercept: bool = True,
        batch_size: int = 512,
    ) -> None:
        self.alpha = alpha
        self.beta = beta
        self.l1 = l1
        self.l2 = l2
        self.learning_rate = learning_rate
        self.fit_intercept = fit_intercept
        self.batch_size = batch_size

    def fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> FTRLProximal:
        """Forget everything, then learn the rows in their order, once."""
        return self._learn(X, y, sample_weight, classes=None, fresh=True)

    def partial_fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> FTRLProximal:
        """Learn more rows.

        The first call needs ``classes`` if its rows may lack one of the two.
        """
        return self._learn(
            X, y, sample_weight, classes, fresh=not hasattr(self, "classes_")
        )

    def decision_function(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        check_is_fitted(self)
        X = _features_in_range(self, "X", X, reset=False)
        return X @ self._weights[:-1] + self._weights[-1]

    def predict_proba(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    @property
    def coef_(self) -> np.ndarray:
        """Weights of the features, shape (1, n_features)."""
        return self._weights[None, :-1]

    @property
    def intercept_(self) -> np.ndarray:
        """Weight of the constant, shape (1,)."""
        return self._weights[-1:]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags

    def _learn(self, X, y, sample_weight, classes, fresh) -> FTRLProximal:
        _number("alpha", self.alpha, "(0, inf)")
        for name in ("beta", "l1", "l2"):
            _number(name, getattr(self, name), "[0, inf)")
        # Or products overflow
        for name, interval in [("alpha", "[1e-30, 1e30]"), ("beta", "[0, 1e100]")]:
            _number(name, getattr(self, name), interval)
        _count("batch_size", self.batch_size)
        if self.learning_rate not in SCHEDULES:
            raise ValueError(
                f"learning_rate must be one of {', '.join(SCHEDULES)}, got "
                f"{self.learning_rate!r}"
            )
        validate_data(self, X, y, skip_check_array=True, reset=fresh)
        X, y = _features_in_range(self, "X", X, reset=fresh), _classes("y", y)
        check_classification_targets(y)
        weight = _row_weights(sample_weight, "[0, 3e38]", X=range(X.shape[0]), y=y)
        counts = slice(None) if weight.all() else weight > 0
        X, y, weight = _distinct_entries(X[counts]), y[counts], weight[counts]
        classes = _two_classes(y, classes, None if fresh else self.classes_)
        if fresh:
            self.classes_, self.n_rows_ = classes, 0
            # One coordinate more than features, for the intercept.
            self._z, self._n, self._weights = np.zeros((3, X.shape[1] + 1))
            self._place = np.empty(X.shape[1], np.int64)
        positive, sure = (y == classes[1]).astype(float), False
        start = 0
        while start < X.shape[0]:
            # Begin row by row: steps that many rows take at once from the same weights
            # overshoot.
            size = min(self.batch_size, 1 + self.n_rows_ // 32)
            rows, ends = slice(start, start + size), X.indptr[start : start + size + 1]
            row = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
            entries = slice(ends[0], ends[-1])
            # NumPy gathers by other integers at a tenth of the speed
            column = X.indices[entries].astype(np.intp)
            sure |= self._batch(
                row, column, X.data[entries], positive[rows], weight[rows]
            )
            start += size
        if sure and fresh:
            _warn_of_scale(X)
        return self

    def _batch(self, row, column, value, y, weight) -> bool:
        """Learn one batch; say whether a row was all but impossible.

        The batch is given by its entries that are not zero.
        """
        # --8<-- [start:gradient]
        margin = (
            np.bincount(row, self._weights[column] * value, minlength=len(y))
            + self._weights[-1]
        )
        error = expit(margin) - y
        gradient = (error * weight)[row] * value
        # --8<-- [end:gradient]

        # Sum by coordinate. The last entry of each coordinate, by its place, stands for
        # all of them.
        place = np.arange(len(column))
        self._place[column] = place
        last = self._place[column]
        is_last = last == place
        group, i = (np.cumsum(is_last) - 1)[last], column[is_last]
        count = np.bincount(group, minlength=len(i))
        total = np.bincount(group, gradient, minlength=len(i))
        squares = np.bincount(group, gradient * gradient, minlength=len(i))
        self.n_rows_ += len(y)
        self._update(i, count, total, squares, float(self.l1), float(self.l2))
        if self.fit_intercept:
            constant = error * weight
            self._update(
                np.array([-1]), len(y), constant.sum(), constant @ constant, 0.0, 0.0
            )
        return not np.abs(error).max() < 1 - IMPOSSIBLE

    def _update(self, i, count, gradient, squares, l1, l2) -> None:
        """Move the coordinates i, given sums of their gradients and of the squares."""
        # --8<-- [start:update]
        before = self._inverse_rate(self._n[i])
        match self.learning_rate:
            case "per_coordinate":
                n = self._n[i] + squares
            case "global":
                n = self.n_rows_
            case "constant":
                n = 1
            case _:
                n = self._n[i] + count
        after = self._inverse_rate(n)
        z = self._z[i] + gradient - (after - before) * self._weights[i]
        self._n[i], self._z[i] = n, z
        shrunk = np.sign(z) * np.maximum(np.abs(z) - l1, 0)
        rate = after + l2
        self._weights[i] = np.divide(
            -shrunk, rate, out=np.zeros_like(shrunk), where=rate > 0
        )
        # --8<-- [end:update]

    def _inverse_rate(self, n: np.ndarray) -> np.ndarray:
        alpha, beta = float(self.alpha), float(self.beta)
        if self.learning_rate == "per_coordinate":
            return (beta + np.sqrt(n)) / alpha
        return (
            n if self.learning_rate in ("per_weight", "constant") else np.sqrt(n)
        ) / alpha


def _warn_of_scale(X: csr_matrix) -> None:
    """Say which column has thrown the model off, if one is large."""
    largest = np.abs(X.data).argmax() if X.nnz else 0
    if X.nnz and abs(X.data[largest]) > 10:
        warnings.warn(
            f"a row was learned whose label had a probability below {IMPOSSIBLE:g}, "
            "since X reaches "
            f"{X.data[largest]:g} in column {X.indices[largest]}: scale it to about 1, "
            "or lower alpha",
            ConvergenceWarning,
            stacklevel=4,
        )


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


def _features(
    estimator: Any, name: str, X: Any, whole: bool = False, reset: bool = True
) -> np.ndarray:
    """Return features as scikit-learn checks them, as float64, or int64 if whole."""
    check = _whole if whole else _numbers
    try:
        validate_data(estimator, X, dtype=None if whole else "numeric", reset=reset)
    except (ValueError, np.exceptions.DTypePromotionError) as error:
        try:
            check(name, X, ndim=2)
        except ValueError as named:
            raise ValueError(f"{named}. {error}") from None
        raise
    return check(name, X, ndim=2)


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


def _two_classes(y: np.ndarray, classes: Any, known: np.ndarray | None) -> np.ndarray:
    """Return an estimator's classes: of its first call, or given, or of the rows."""
    found = np.unique(y)
    given = found if classes is None else np.unique(_classes("classes", classes))
    if known is not None and classes is not None and not np.array_equal(given, known):
        raise ValueError(
            f"classes must be those of the first call, {known.tolist()}, got "
            f"{given.tolist()}"
        )
    expected = given if known is None else known
    if len(expected) != 2:
        raise ValueError(
            f"Only binary classification is supported: got {len(expected)} class(es), "
            f"{expected.tolist()[:3]}; "
            "give partial_fit both in `classes` if the first rows may hold one only"
        )
    if not np.isin(y, expected).all():
        wrong = int(np.argmin(np.isin(y, expected)))
        raise ValueError(
            f"y must be one of the classes {expected.tolist()}, got {y[wrong]} at row "
            f"{wrong}"
        )
    return expected


def _in_range(name: str, X: Any) -> Any:
    """Return a matrix, dense or sparse, as float64 whose squares do not overflow."""
    rule = "hold no NaN, and nothing above 3e38 in size"  # about the range of float32
    if not issparse(X):
        X = _array(name, X, ndim=2).astype(np.float64, copy=False)
        _refuse(name, rule, X, np.abs(X) <= 3e38)
        return X
    X = csr_matrix(X)
    value = _array(name, X.data).astype(np.float64, copy=False)
    good = np.abs(value) <= 3e38
    if not good.all():
        entry = int(np.argmin(good))
        row = np.searchsorted(X.indptr, entry, side="right") - 1
        raise ValueError(
            f"{name} must {rule}, got {value[entry]:g} at row {row}, column "
            f"{X.indices[entry]}"
        )
    return csr_matrix((value, X.indices, X.indptr), X.shape)


def _features_in_range(estimator: Any, name: str, X: Any, reset: bool = True) -> Any:
    """Return features, or sparse rows of them, whose squares do not overflow."""
    if issparse(X):
        X = validate_data(
            estimator, X, accept_sparse="csr", ensure_all_finite=False, reset=reset
        )
    return _in_range(
        name, X if issparse(X) else _features(estimator, name, X, reset=reset)
    )


def _distinct_entries(X: Any) -> csr_matrix:
    """Return a matrix as sparse rows: each entry stands once, and none is zero."""
    X = csr_matrix(X)
    if not (X.has_canonical_format and X.data.all()):
        X = X.copy()
        X.sum_duplicates()
        X.eliminate_zeros()
    return X


# --- End of the door. ---
