"""A logistic model with a weight for each feature and a learned one for each pair.

Rendle 2010, "Factorization Machines", ICDM. The pairs' weights are dot products of
short vectors, so that pairs that never occurred together have one too. Rates: Duchi et
al. 2011, "Adaptive Subgradient Methods", JMLR (AdaGrad).
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
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

IMPOSSIBLE = 1e-9  # of a row with this probability, something is wrong with the model


def pairwise(X: ArrayLike | csr_matrix, factors: np.ndarray) -> np.ndarray:
    """Sum x_i x_j <v_i, v_j> over all pairs i < j of each row.

    It takes time linear in the row's entries.

    Parameters
    ----------
    X : array or sparse matrix of shape (n, n_features)
    factors : array of shape (n_features, n_factors)
        The vectors v_i.

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    ValueError
        If a value is NaN or infinite, or there is not one vector for each feature.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [3.0, 1.0], [9.0, 9.0]])
    >>> pairwise(csr_matrix([[1.0, 2.0, 0.0]]), vectors)
    array([6.])
    """
    X = csr_matrix(_in_range("X", X))
    factors = _in_range("factors", factors.toarray() if issparse(factors) else factors)
    _same_rows(X=range(X.shape[0]))
    if len(factors) != X.shape[1]:
        raise ValueError(
            f"factors must hold one vector for each of {X.shape[1]} features, got "
            f"{len(factors)}"
        )
    # --8<-- [start:pairwise]
    return 0.5 * ((X @ factors) ** 2 - X.multiply(X) @ factors**2).sum(axis=1)
    # --8<-- [end:pairwise]


class FactorizationMachineClassifier(ClassifierMixin, BaseEstimator):
    """Factorization machine of degree 2 with logistic loss.

    Fitted by AdaGrad on small batches of sparse rows. The log odds start at those of
    the rows, or of the first batch of a stream, with one more row of each label.

    Values should be about 1 in size: the first step moves a weight by ``learning_rate``
    whatever the value, so that a price of 10,000 would move the log odds by 10,000
    learning_rate. Take its logarithm, or scale it.

    Parameters
    ----------
    n_factors : int
        Length of each feature's vector; 0 leaves logistic regression.
    learning_rate : float
        Step of a coordinate divided by the root of the squared gradients that it has
        seen.
    n_epochs : int
        Passes of `fit` over the rows. More is not better: watch it on later days.
    l2_linear, l2_factors : float
        Penalties, at least 0, applied to a coordinate in each batch in which it occurs,
        per row of it. A row of weight 0 is none.
    init_scale : float
        Standard deviation of the vectors at the start. At 0 they would never move.
    batch_size : int
    random_state : int, RandomState or None
        Draws the vectors and the order of the rows in `fit`.

    Attributes
    ----------
    coef_ : array of shape (1, n_features)
    factors_ : array of shape (n_features, n_factors)
    intercept_ : array of shape (1,)
    classes_ : array of shape (2,)

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
    >>> X, y = (
    ...     csr_matrix([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]] * 100),
    ...     [1, 0, 0, 1] * 100,
    ... )
    >>> model = FactorizationMachineClassifier(2, n_epochs=20, random_state=0).fit(X, y)
    >>> model.predict(X[:4])  # no weights of single features could
    array([1, 0, 0, 1])
    """

    def __init__(
        self,
        n_factors: int = 8,
        *,
        learning_rate: float = 0.1,
        n_epochs: int = 5,
        l2_linear: float = 0.0,
        l2_factors: float = 0.0,
        init_scale: float = 0.05,
        batch_size: int = 256,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.l2_linear = l2_linear
        self.l2_factors = l2_factors
        self.init_scale = init_scale
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> FactorizationMachineClassifier:
        """Forget everything, then pass over the rows ``n_epochs`` times, shuffled."""
        X, label, weight = self._start(X, y, sample_weight, classes=None, fresh=True)
        self._start_at_rate(label, weight)
        sure = False
        for _ in range(self.n_epochs):
            order = self._random.permutation(X.shape[0])
            sure |= self._pass(X[order], label[order], weight[order])
        if sure:
            _warn_of_scale(X)
        return self

    def partial_fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> FactorizationMachineClassifier:
        """Learn the rows once, in their order.

        The first call needs ``classes`` if its rows may lack one of the two.
        """
        fresh = not hasattr(self, "classes_")
        X, label, weight = self._start(X, y, sample_weight, classes, fresh)
        if fresh:
            self._start_at_rate(label[: self.batch_size], weight[: self.batch_size])
        if self._pass(X, label, weight) and fresh:
            _warn_of_scale(X)
        return self

    def decision_function(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        check_is_fitted(self)
        X = csr_matrix(_features_in_range(self, "X", X, reset=False))
        return X @ self.coef_[0] + self.intercept_[0] + pairwise(X, self.factors_)

    def predict_proba(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags

    def _start(
        self, X, y, sample_weight, classes, fresh
    ) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
        """Check everything, and make the weights if there are none."""
        for name, least in [("n_factors", 0), ("n_epochs", 1), ("batch_size", 1)]:
            _count(name, getattr(self, name), least)
        for name in ("learning_rate", "init_scale"):
            _number(name, getattr(self, name), "(0, 1e30]")
        for name in ("l2_linear", "l2_factors"):
            _number(name, getattr(self, name), "[0, 1e30]")
        validate_data(self, X, y, skip_check_array=True, reset=fresh)
        X, y = _features_in_range(self, "X", X, reset=fresh), _classes("y", y)
        check_classification_targets(y)
        weight = _row_weights(sample_weight, "[0, 3e38]", X=range(X.shape[0]), y=y)
        counts = slice(None) if weight.all() else weight > 0
        X, y, weight = _distinct_entries(X[counts]), y[counts], weight[counts]
        classes = _two_classes(y, classes, None if fresh else self.classes_)
        if fresh:
            self.classes_, n = classes, X.shape[1]
            self._random = check_random_state(self.random_state)
            self.coef_, self.intercept_ = np.zeros((1, n)), np.zeros(1)
            self.factors_ = self._random.normal(0, self.init_scale, (n, self.n_factors))
            self._squares = [
                np.full_like(w, 1e-8)
                for w in (self.intercept_, self.coef_[0], self.factors_)
            ]
        return X, (y == classes[1]).astype(float), weight

    def _start_at_rate(self, label: np.ndarray, weight: np.ndarray) -> None:
        """Start at the rate of these rows.

        Small steps from even odds would take a good part of a pass.
        """
        self.intercept_[:] = np.log((weight @ label + 1) / (weight @ (1 - label) + 1))

    def _pass(self, X: csr_matrix, y: np.ndarray, weight: np.ndarray) -> bool:
        """Learn the rows in their order; say whether one was all but impossible."""
        sure = False
        for start in range(0, X.shape[0], self.batch_size):
            rows = slice(start, start + self.batch_size)
            batch = X[rows]
            # Touch only what occurs
            columns, local = np.unique(batch.indices, return_inverse=True)
            batch = csr_matrix(
                (batch.data, local, batch.indptr), (batch.shape[0], len(columns))
            )
            counts = np.bincount(local, minlength=len(columns))
            surprise, *gradients = self._gradients(
                batch, y[rows], weight[rows], columns, counts
            )
            sure |= not np.abs(surprise).max() < 1 - IMPOSSIBLE
            for kept, squares, i, gradient in zip(
                (self.intercept_, self.coef_[0], self.factors_),
                self._squares,
                (slice(None), columns, columns),
                gradients,
                strict=True,
            ):
                squares[i] += gradient**2
                kept[i] -= float(self.learning_rate) * gradient / np.sqrt(squares[i])
        return sure

    def _gradients(self, X, y, weight, columns, counts) -> tuple[np.ndarray, ...]:
        """Return predictions minus labels, and the gradients of the mean loss.

        The gradients are by intercept, weights and vectors.
        """
        w, v, n = self.coef_[0][columns], self.factors_[columns], len(y)
        l2_linear, l2_factors = float(self.l2_linear), float(self.l2_factors)
        # --8<-- [start:gradient]
        squared = X.multiply(X).tocsr()
        sums = X @ v
        pairs = 0.5 * (sums**2 - squared @ v**2).sum(axis=1)
        surprise = expit(self.intercept_[0] + X @ w + pairs) - y
        error = weight * surprise / n
        linear = X.T @ error + l2_linear * counts / n * w
        factors = X.T @ (error[:, None] * sums) - (squared.T @ error)[:, None] * v
        factors += l2_factors * counts[:, None] / n * v
        # --8<-- [end:gradient]
        return surprise, error.sum(keepdims=True), linear, factors


def _warn_of_scale(X: csr_matrix) -> None:
    """Say which column has thrown the model off, if one is large."""
    largest = np.abs(X.data).argmax() if X.nnz else 0
    if X.nnz and abs(X.data[largest]) > 10:
        warnings.warn(
            f"a row was learned whose label had a probability below {IMPOSSIBLE:g}, "
            "since X reaches "
            f"{X.data[largest]:g} in column {X.indices[largest]}: scale it to about 1, "
            "or lower learning_rate",
            ConvergenceWarning,
            stacklevel=3,
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
