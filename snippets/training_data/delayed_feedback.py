"""Learn the click probability while the newest clicks have not arrived yet.

Chapelle 2014, "Modeling Delayed Feedback in Display Advertising", KDD: a second model
for the delay says how much a missing click means. Ktena et al. 2019, "Addressing
Delayed Feedback for Continuous Training with Neural Networks in CTR Prediction",
RecSys: undo the negatives that were sent before their click.
"""

from __future__ import annotations

import numbers
import operator
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.sparse import csr_matrix, issparse
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data


def share_seen(elapsed: ArrayLike, delays: ArrayLike) -> np.ndarray:
    """Return the share of clicks that have arrived so long after their impression.

    Divide the labels by it, y / share_seen, and their mean is right at every age: each
    click seen stands for those that are still to come.

    Parameters
    ----------
    elapsed : array of shape (n,)
        Times from the impression until now, at least 0: numbers, or timedeltas.
    delays : array of shape (m,)
        Times from impression to click, in the same unit, from impressions so old that
        all of their clicks have come.

    Returns
    -------
    array or Series of shape (n,)
        In [0, 1]; 0 before the earliest delay, where no label can be divided.

    Raises
    ------
    ValueError
        If a time is negative or not finite, times are of two kinds, or there is no time
        or no delay.

    Examples
    --------
    >>> share_seen([0.5, 2, 60], delays=[1, 2, 3, 50]).tolist()
    [0.0, 0.5, 1.0]
    """
    (kind, now), (other, sample) = _since("elapsed", elapsed), _since("delays", delays)
    _same_rows(elapsed=now)
    _same_rows(delays=sample)
    if kind != other:
        raise ValueError(
            f"elapsed holds {kind} and delays {other}: they must be of one kind"
        )
    # --8<-- [start:seen]
    seen = np.searchsorted(np.sort(sample), now, side="right") / sample.size
    # --8<-- [end:seen]
    return _like(seen, elapsed)


def undo_fake_negatives(y_prob: ArrayLike) -> np.ndarray:
    """Return probabilities of a model that saw each row at once and each click later.

    It saw the row as a negative, and again as a click when one came. Such a model
    learns b = p / (1 + p), since clicks are there twice; this returns p = b / (1 - b).

    Parameters
    ----------
    y_prob : array of shape (n,)
        What that model predicts, in [0, 1].

    Returns
    -------
    array or Series of shape (n,)
        At most 1.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or NaN, or there is none.

    Examples
    --------
    >>> undo_fake_negatives([0.0, 0.2, 0.5]).tolist()
    [0.0, 0.25, 1.0]
    """
    b = _numbers("y_prob", y_prob, "[0, 1]")
    _same_rows(y_prob=b)
    # --8<-- [start:undo]
    # more than one half cannot be: every row was sent as a negative
    b = np.minimum(b, 0.5)
    p = b / (1 - b)
    # --8<-- [end:undo]
    return _like(p, y_prob)


class DelayedFeedbackClassifier(ClassifierMixin, BaseEstimator):
    """Logistic regression for the click, exponential for its delay, fitted together.

    Some rows should be older than several mean delays: where all are young, nothing
    tells a click to come from none, and probabilities may go to 1. Values of X should
    be about 1 in size.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty on both, as in scikit-learn's
        LogisticRegression. Intercepts have none.
    max_iter : int
        Most steps of L-BFGS.

    Attributes
    ----------
    coef_, intercept_ : arrays of shape (1, n_features) and (1,)
        Log odds of a click, however late it comes.
    delay_coef_, delay_intercept_ : arrays of shape (1, n_features) and (1,)
        Logarithm of the rate at which clicks arrive, per unit of time; per second, if
        times are timedeltas.
    classes_ : array of shape (2,)
    n_iter_ : int
        Steps of L-BFGS.

    Raises
    ------
    ValueError
        If X holds NaN, infinity or values beyond float32, a label is not 0 or 1, a time
        is negative or not finite, or no row has a weight above 0; if the likelihood has
        no maximum: without any click, with clicks that all come at once, or without a
        row that has waited for its click.

    Warns
    -----
    ConvergenceWarning
        If L-BFGS stops before the maximum, or there is hardly one, since some of the
        clicks all come at once.

    Examples
    --------
    >>> X, y, time = [[0], [0], [1], [1]] * 50, [0, 1, 0, 0] * 50, [9, 1, 9, 9] * 50
    >>> model = DelayedFeedbackClassifier(C=100).fit(X, y, time)
    >>> model.predict_proba([[0], [1]])[:, 1].round(1)
    array([0.5, 0. ])
    """

    def __init__(self, C: float = 1.0, max_iter: int = 500) -> None:
        self.C = C
        self.max_iter = max_iter

    def fit(
        self,
        X: ArrayLike | csr_matrix,
        y: ArrayLike,
        time: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> DelayedFeedbackClassifier:
        """Fit both models.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, n_features)
        y : array of shape (n,)
            1 if a click has come by now, else 0.
        time : array of shape (n,)
            For a click its delay; for the others the time since the impression.
            Numbers, or timedeltas.
        sample_weight : array of shape (n,), optional
            How often each row counts. A row of weight 0 is no row.
        """
        C = _number("C", self.C, "(0, inf)")
        _count("max_iter", self.max_iter)
        validate_data(self, X, y, skip_check_array=True)
        X, y, (_, time) = (
            _features_in_range(self, "X", X, reset=True),
            _labels("y", y),
            _since("time", time),
        )
        weight = _row_weights(
            sample_weight, "[0, 3e38]", X=range(X.shape[0]), y=y, time=time
        )
        strength = max(C * weight.sum(), 1e-300)
        weight = weight / weight.max()
        # Less is nothing
        counts = slice(None) if weight.min() > 1e-200 else weight > 1e-200
        X, clicked, time, weight = (
            X[counts],
            y[counts] == 1,
            time[counts],
            weight[counts],
        )
        if not clicked.any():
            raise ValueError(
                "y has no click, but one class only: nothing tells how late clicks are"
            )
        if clicked.all():
            raise ValueError(
                "y has clicks only, one class: nothing tells how many never come"
            )
        if not time[clicked].any():
            raise ValueError(
                "time is 0 for every click, so that the likelihood has no maximum: "
                "give delays in a finer unit, or, if "
                "no click is late, fit a logistic regression"
            )
        if not time[~clicked].any():
            raise ValueError(
                "time is 0 for every row without a click: nothing tells how many never "
                "come"
            )
        weight = weight / weight.sum()
        start = np.zeros((2, X.shape[1] + 1))
        start[:, -1] = (
            np.log(np.average(clicked, weights=weight)),
            -np.log(np.average(time[clicked], weights=weight[clicked])),
        )
        scale = np.ones_like(start)
        # Beside a steep penalty L-BFGS would stand still
        scale[:, :-1] = min(1.0, np.sqrt(strength))
        with np.errstate(divide="ignore"):
            log_time = np.log(time)

        def scaled(flat):
            loss, slope = self._objective(
                flat * scale.ravel(), X, clicked, log_time, weight, strength
            )
            return loss, slope * scale.ravel()

        result = minimize(
            scaled,
            start.ravel(),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "ftol": 1e-10, "gtol": 1e-7},
        )
        solution, self.n_iter_ = result.x.reshape(start.shape) * scale, result.nit
        log_rate = X @ solution[1, :-1] + solution[1, -1]
        for failed, why in [
            (
                not result.success,
                f"L-BFGS stopped after {result.nit} steps: raise max_iter, or scale X "
                "to about 1",
            ),
            (
                np.abs(log_rate - start[1, -1]).max() > 50,
                "mean delays went to 0: some clicks come at once, time 0",
            ),
        ]:
            if failed:
                warnings.warn(
                    f"no maximum of the likelihood was found: {why}",
                    ConvergenceWarning,
                    stacklevel=2,
                )
        self.classes_ = np.array([0, 1])
        self.coef_, self.delay_coef_ = solution[:1, :-1], solution[1:, :-1]
        self.intercept_, self.delay_intercept_ = solution[0, -1:], solution[1, -1:]
        return self

    def predict_proba(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the probabilities of no click and of one at any time, shape (n, 2)."""
        check_is_fitted(self)
        X = _features_in_range(self, "X", X, reset=False)
        p = expit(X @ self.coef_[0] + self.intercept_)
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return 1 where a click is more probable than none, shape (n,)."""
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)

    def predict_delay(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the mean delay of a click, shape (n,).

        It is in the unit of the times, seconds if these are timedeltas.
        """
        check_is_fitted(self)
        X = _features_in_range(self, "X", X, reset=False)
        return np.exp(-(X @ self.delay_coef_[0] + self.delay_intercept_))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.sparse = True
        return tags

    def _objective(
        self, flat, X, clicked, log_time, weight, strength
    ) -> tuple[float, np.ndarray]:
        """Return the mean penalized negative log likelihood and its gradient."""
        weights = flat.reshape(2, -1)
        # --8<-- [start:likelihood]
        z = X @ weights[0, :-1] + weights[0, -1]  # log odds of a click, some day
        log_rate = X @ weights[1, :-1] + weights[1, -1]
        # Time in units of the mean delay
        passed = np.exp(np.minimum(log_rate + log_time, 500))
        # Clicked: p times the density of the delay. Not yet: 1 - p + p exp(-passed), in
        # logarithms.
        log_likelihood = np.where(
            clicked,
            log_rate - passed - np.logaddexp(0, -z),
            np.logaddexp(0, z - passed) - np.logaddexp(0, z),
        )
        waiting = expit(z - passed)  # probability of a click that is still to come
        slope = np.stack(
            [
                np.where(clicked, 1, waiting) - expit(z),
                np.where(clicked, 1 - passed, -waiting * passed),
            ]
        )
        # --8<-- [end:likelihood]
        penalty, slope = weights[:, :-1] / strength, slope * weight
        gradient = np.column_stack([penalty - slope @ X, -slope.sum(axis=1)])
        return (
            weights[:, :-1] * penalty
        ).sum() / 2 - weight @ log_likelihood, gradient.ravel()


def _since(name: str, values: Any) -> tuple[str, np.ndarray]:
    """Return the kind of times since something, and these as floats or seconds.

    Timedeltas become seconds.
    """
    kind, column = _clock(name, values)
    if kind.startswith("datetimes"):
        raise ValueError(f"{name} must hold durations or numbers, got {kind}")
    return kind, _numbers(
        name, column.dt.total_seconds() if kind == "durations" else column, "[0, inf)"
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


def _labels(name: str, values: Any, start: int = 0, ndim: int | None = 1) -> np.ndarray:
    """Return labels, each 0 or 1, as float64."""
    array = _array(name, values, ndim)
    if array.dtype != bool:
        _refuse(name, "be 0 or 1", array, (array == 0) | (array == 1), start)
    return array.astype(np.float64, copy=False)


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


def _like(result: np.ndarray, values: Any) -> Any:
    """Return one number for each row, as a Series if the rows were one."""
    is_series = hasattr(values, "iloc") and getattr(values, "ndim", 0) == 1
    return type(values)(result, index=values.index) if is_series else result


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


def _clock(name: str, values: Any) -> tuple[str, pd.Series | np.ndarray]:
    """Return the kind of times, and them, as a Series unless they are numbers."""
    column = values
    if not (
        isinstance(values, np.ndarray)
        and values.dtype.kind in "iuf"
        and not np.ma.is_masked(values)
    ):
        column = _column(name, values)
        if column.isna().any():
            raise ValueError(
                f"{name} is missing at row {int(np.argmax(column.isna()))}"
            )
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(column.cat.categories.dtype)
        kind = pd.api.types.infer_dtype(column)
        if kind == "string":
            raise ValueError(
                f"{name} must hold numbers or datetimes, got {column.iloc[0]!r} at row "
                "0, a text"
            )
        if column.dtype == object and kind in ("date", "datetime", "timedelta"):
            try:
                column = (
                    pd.to_timedelta(column)
                    if kind == "timedelta"
                    else pd.to_datetime(column)
                )
            except ValueError as error:
                raise ValueError(f"{name} holds times of two kinds: {error}") from error
        if column.dtype.kind == "m":
            return "durations", column
        if column.dtype.kind == "M":
            zone = getattr(column.dtype, "tz", None)
            return f"datetimes {f'in {zone}' if zone else 'without a zone'}", column
    array = _array(name, column)
    if array.dtype.kind == "f":
        array = _inside(name, array, "(-inf, inf)")
        if not ((np.abs(array) < 2**53) & (array == np.floor(array))).all():
            return "numbers", array
    return "numbers", _whole(name, array)


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


# --- End of the door. ---
