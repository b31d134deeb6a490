"""A click model that learns embeddings of categories and crosses them explicitly.

A small deep part stands beside. Wang et al. 2021, "DCN V2: Improved Deep & Cross
Network and Practical Lessons for Web-scale Learning to Rank Systems", WWW, equation 1,
in its parallel form. With a hidden layer and no cross layers it is the model of Cheng
et al. 2016, "Wide & Deep Learning for Recommender Systems", DLRS, with one weight for
each value as its wide part.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data


def cross_layers(
    x: np.ndarray, weights: np.ndarray, biases: np.ndarray
) -> list[np.ndarray]:
    """Apply x_{l+1} = x_0 * (W_l x_l + b_l) + x_l, and return what all layers put out.

    The input is the first of them.

    Parameters
    ----------
    x : array of shape (n, width)
    weights : array of shape (n_layers, width, width)
        W_l, applied to a row vector from the right.
    biases : array of shape (n_layers, width)

    Returns
    -------
    list of n_layers + 1 arrays of shape (n, width)

    Raises
    ------
    ValueError
        If shapes do not fit, or a number is not finite or so large that a layer
        overflows.

    Examples
    --------
    >>> weights = np.array([[[0.0, 1.0], [0.0, 0.0]]])
    >>> cross_layers(np.array([[2.0, 3.0]]), weights, np.zeros((1, 2)))[-1]
    array([[2., 9.]])
    """
    x, biases = _numbers("x", x, ndim=2), _numbers("biases", biases, ndim=2)
    weights = _numbers("weights", weights, ndim=None)
    wanted = len(biases), x.shape[1], x.shape[1]
    _same_rows(x=x)
    if weights.shape != wanted or biases.shape[1] != x.shape[1]:
        raise ValueError(
            f"weights must have shape {wanted} and biases {wanted[:2]}, got "
            f"{weights.shape}, {biases.shape}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        out = _cross(x, weights, biases)
    if not np.isfinite(out[-1]).all():
        raise ValueError("x and weights are so large that a layer overflows")
    return out


def _cross(x: np.ndarray, weights: np.ndarray, biases: np.ndarray) -> list[np.ndarray]:
    # --8<-- [start:cross]
    out = [x]
    for w, b in zip(weights, biases, strict=True):
        out.append(x * (out[-1] @ w + b) + out[-1])
    # --8<-- [end:cross]
    return out


class CrossNetworkClassifier(ClassifierMixin, BaseEstimator):
    """Embeddings, cross layers beside a hidden layer, and one weight for each value.

    All are trained by AdaGrad. The bias starts at the log odds of the base rate,
    between one in a million and its complement.

    Parameters
    ----------
    n_factors : int
        Length of the embedding of each value, at least 1.
    n_cross : int
        Cross layers, 0 for none. l layers cross up to l + 1 fields.
    n_hidden : int
        Width of the hidden layer, 0 for none.
    learning_rate, n_epochs, batch_size
        AdaGrad's step, passes over the rows, rows of a step. A second pass over rare
        values often harms (Zhang et al. 2022, "Towards Understanding the Overfitting
        Phenomenon of Deep Click-Through Rate Models", CIKM).
    init_scale : float
        Standard deviation of the embeddings at the start.
    random_state : int, RandomState or None
        Draws where the parameters start, and which rows make a batch, so that the order
        of rows matters.

    Attributes
    ----------
    params_ : dict of arrays
        "embedding" (n_values, n_factors), "wide" (n_values,), "cross" and "cross_bias",
        "hidden" and "hidden_bias", "out", "bias".
    values_ : list of n_fields arrays
        The codes that fit has seen, in order, each with a row of the tables; -1, which
        is not one, comes first.
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If a parameter is out of range, X holds anything but whole numbers, y other than
        two classes, or a step was so large that the parameters, or the log odds of a
        row, overflowed.

    Examples
    --------
    >>> X, y = (
    ...     np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (200, 1)),
    ...     np.tile([1, 0, 0, 1], 200),
    ... )
    >>> CrossNetworkClassifier(2, random_state=0, n_epochs=20).fit(X, y).predict(X[:4])
    array([1, 0, 0, 1])
    """

    def __init__(
        self,
        n_factors: int = 8,
        n_cross: int = 2,
        n_hidden: int = 0,
        *,
        learning_rate: float = 0.05,
        n_epochs: int = 1,
        batch_size: int = 256,
        init_scale: float = 0.05,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.n_cross = n_cross
        self.n_hidden = n_hidden
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.init_scale = init_scale
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> CrossNetworkClassifier:
        """Learn from codes X of shape (n, n_fields), whole numbers of any size.

        A negative one is a missing value. A missing value, and one that no row of fit
        has, adds nothing. Memory grows with the number of different codes. Only the
        ratios of ``sample_weight`` count; a row of weight 0 is no row.
        """
        for name, least in [
            ("n_factors", 1),
            ("n_cross", 0),
            ("n_hidden", 0),
            ("n_epochs", 1),
            ("batch_size", 1),
        ]:
            _count(name, getattr(self, name), least)
        for name in ("learning_rate", "init_scale"):
            _number(name, getattr(self, name), "(0, inf)")
        validate_data(self, X, y, skip_check_array=True)
        y = _classes("y", y)
        check_classification_targets(y)
        weight = _row_weights(sample_weight, y=y)
        kept = weight > 0
        self.classes_ = np.unique(y[kept])
        if len(self.classes_) != 2:
            raise ValueError(
                "Only binary classification is supported: y holds "
                f"{len(self.classes_)} class(es)"
            )
        X = _features(self, "X", X, whole=True)
        _same_rows(X=X, y=y)
        X, label, weight = (
            X[kept],
            (y[kept] == self.classes_[1]).astype(float),
            weight[kept] / weight.max(),
        )
        weight /= weight.mean()
        base_rate = np.clip(np.mean(weight * label), 1e-6, 1 - 1e-6)
        self.values_ = [
            np.unique(np.append(np.maximum(column, -1), -1)) for column in X.T
        ]
        n_values, width = (
            1 + sum(len(values) - 1 for values in self.values_),
            X.shape[1] * self.n_factors,
        )
        random = check_random_state(self.random_state)
        out = width * (self.n_cross > 0) + self.n_hidden
        self.params_ = {
            "embedding": random.normal(0, self.init_scale, (n_values, self.n_factors)),
            "wide": np.zeros(n_values),
            "cross": random.normal(0, width**-0.5, (self.n_cross, width, width)),
            "cross_bias": np.zeros((self.n_cross, width)),
            "hidden": random.normal(0, (2 / width) ** 0.5, (width, self.n_hidden)),
            "hidden_bias": np.zeros(self.n_hidden),
            "out": random.normal(0, max(out, 1) ** -0.5, out),
            # From 0, small steps would spend a pass on the way there
            "bias": np.log([base_rate / (1 - base_rate)]),
        }
        self.params_["embedding"][0] = 0
        squares = {
            name: np.full_like(value, 1e-8) for name, value in self.params_.items()
        }
        rows = self._rows(X)
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(self.n_epochs):
                order = random.permutation(len(label))
                for start in range(0, len(label), self.batch_size):
                    batch = order[start : start + self.batch_size]
                    values, _, gradients = self._gradients(
                        rows[batch], label[batch], weight[batch]
                    )
                    for name, gradient in gradients.items():
                        i = values if name in ("embedding", "wide") else ...
                        squares[name][i] += gradient**2
                        self.params_[name][i] -= (
                            self.learning_rate * gradient / np.sqrt(squares[name][i])
                        )
        _refuse_overflow(self, *self.params_.values())
        return self

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        check_is_fitted(self)
        X = _features(self, "X", X, whole=True, reset=False)
        parts = np.array_split(self._rows(X), max(len(X) // 10_000, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            logit = np.concatenate([self._forward(part)[0] for part in parts])
        _refuse_overflow(self, logit)
        return logit

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.categorical = True
        return tags

    def _rows(self, X: np.ndarray) -> np.ndarray:
        return _table_rows(self.values_, X)

    def _forward(
        self, rows: np.ndarray
    ) -> tuple[np.ndarray, list[np.ndarray], np.ndarray, np.ndarray]:
        """Return the log odds, both parts' outputs, and what was weighed.

        The parts are the cross layers and the hidden layer.
        """
        p = self.params_
        # --8<-- [start:forward]
        x = p["embedding"][rows].reshape(len(rows), -1)
        crossed = _cross(x, p["cross"], p["cross_bias"])
        hidden = np.maximum(x @ p["hidden"] + p["hidden_bias"], 0)
        last = np.hstack([crossed[-1], hidden] if self.n_cross else [hidden])
        logit = last @ p["out"] + p["wide"][rows].sum(axis=1) + p["bias"]
        # --8<-- [end:forward]
        return logit, crossed, hidden, last

    def _gradients(
        self, rows: np.ndarray, y: np.ndarray, weight: np.ndarray | float = 1.0
    ) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
        """Return the values present, the mean loss, and its gradients.

        The gradients of the tables are for these values alone.
        """
        p, (logit, crossed, hidden, last) = self.params_, self._forward(rows)
        loss = np.mean(weight * (np.logaddexp(0, logit) - y * logit))
        error = weight * (expit(logit) - y) / len(y)
        cut = crossed[0].shape[1] if self.n_cross else 0
        d_hidden = error[:, None] * p["out"][cut:] * (hidden > 0)
        d_input = d_hidden @ p["hidden"].T
        d_cross, d_cross_bias = (
            np.empty_like(p["cross"]),
            np.empty_like(p["cross_bias"]),
        )
        # --8<-- [start:backward]
        if self.n_cross:
            x, d_out = crossed[0], error[:, None] * p["out"][:cut]
            for layer in reversed(range(self.n_cross)):
                inside = d_out * x
                d_cross[layer], d_cross_bias[layer] = (
                    crossed[layer].T @ inside,
                    inside.sum(axis=0),
                )
                d_input += d_out * (
                    crossed[layer] @ p["cross"][layer] + p["cross_bias"][layer]
                )
                d_out = d_out + inside @ p["cross"][layer].T
            d_input += d_out
        # --8<-- [end:backward]
        values, place = np.unique(rows, return_inverse=True)
        entries = csr_matrix(
            (np.ones(rows.size), place.ravel(), np.arange(rows.size + 1)),
            (rows.size, len(values)),
        )
        d_embedding = entries.T @ d_input.reshape(rows.size, -1)
        d_embedding[values == 0] = 0  # what nobody has seen stays at zero
        gradients = {
            "embedding": d_embedding,
            "wide": entries.T @ np.repeat(error, rows.shape[1]) * (values > 0),
            "cross": d_cross,
            "cross_bias": d_cross_bias,
            "hidden": crossed[0].T @ d_hidden,
            "hidden_bias": d_hidden.sum(axis=0),
            "out": last.T @ error,
            "bias": error.sum(keepdims=True),
        }
        return values, loss, gradients


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


def _table_rows(known: list[np.ndarray], codes: np.ndarray) -> np.ndarray:
    """Return which row of a table each code stands for, 0 for missing or new ones.

    ``known`` holds the codes that have a row, sorted, by column; its first, -1, stands
    for those without.
    """
    rows, start = np.empty(codes.shape, np.intp), 0
    for field, values in enumerate(known):
        place = np.searchsorted(values, codes[:, field]).clip(max=len(values) - 1)
        found = (place > 0) & (values[place] == codes[:, field])
        rows[:, field] = np.where(found, start + place, 0)
        start += len(values) - 1
    return rows


def _refuse_overflow(estimator: Any, *arrays: np.ndarray) -> None:
    """Refuse parameters under which what was learned is no finite number."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(
            f"learning_rate {estimator.learning_rate} or init_scale "
            f"{estimator.init_scale} is too large: overflow"
        )


# --- End of the door. ---
