"""Boosted trees whose leaves are the features of a logistic regression.

He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook", ADKDD,
section 3.1. The linear layer is kept as a Gaussian over its weights, so that it learns
on from where it was: Chapelle and Li 2011, "An Empirical Evaluation of Thompson
Sampling", NIPS, algorithm 3.
"""

from __future__ import annotations

import copy
import math
import numbers
import operator
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

# Leaves that a few trees have together, at most: one entry of a row then stands for
# three trees or so
JOINT = 2_000
# That walk down the trees together: what they reach then fits into the processor's
# cache
ROWS = 10_000
STEPS = 500  # to the optimum, at most; ten or so are needed
# Weights whose curvature is looked at together: 200 trees of 12 leaves; between blocks
# steps are many
BLOCK = 2_500


class GBDTLogisticRegression(ClassifierMixin, BaseEstimator):
    """Turn each row into the leaves that it reaches, and weigh these.

    There is one for each tree, and logistic regression weighs them. Fit trees and
    linear layer on different rows: in the leaves of rows that grew the trees, the
    labels are known.

    Parameters
    ----------
    n_estimators, max_leaf_nodes, learning_rate, min_samples_leaf
        Of the trees, see `HistGradientBoostingClassifier`.
    C : float or None
        Inverse strength of the linear layer's penalty, more than 0: its weights start
        with a variance of C. None takes 1 / n_estimators, so that the log odds of a row
        start with a variance of one.
    random_state : int, RandomState or None
        Of the trees, which draw rows to find their bins.

    Attributes
    ----------
    trees_ : HistGradientBoostingClassifier
    coef_ : array of shape (1, n_leaves), one weight for each leaf of each tree
    intercept_ : array of shape (1,)
    variance_ : array of shape (n_leaves,)
        How uncertain each weight still is, ignoring what they have in common.
    n_iter_ : int, steps to the last optimum
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If C is out of range; if rows hold infinity, labels of other than two classes,
        or no weight; NaN is a missing value.

    Notes
    -----
    Which leaf a row reaches is learned from a copy of the trees with other numbers on
    their leaves. For that it reaches into `HistGradientBoostingClassifier`, which has
    no public way: its trees are ``_predictors``, made of ``nodes``.

    Examples
    --------
    >>> X, y = np.tile([[0.0], [1.0]], (200, 1)), np.tile([0, 1, 0, 0], 100)
    >>> model = GBDTLogisticRegression(5, random_state=0).fit(X, y)
    >>> model.predict_proba([[0.0], [1.0]])[:, 1].round(1)
    array([0. , 0.5])
    """

    def __init__(
        self,
        n_estimators: int = 100,
        max_leaf_nodes: int = 12,
        learning_rate: float = 0.1,
        *,
        min_samples_leaf: int = 20,
        C: float | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_leaf_nodes = max_leaf_nodes
        self.learning_rate = learning_rate
        self.min_samples_leaf = min_samples_leaf
        self.C = C
        self.random_state = random_state

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        tree_rows: ArrayLike | None = None,
    ) -> GBDTLogisticRegression:
        """Forget everything and learn.

        ``tree_rows``, booleans of shape (n,), says which rows grow the trees; the
        others fit the linear layer, in which trees and rows then meet for the first
        time. None uses all rows for both. A row of weight 0 is no row.
        """
        n_trees, C = _count("n_estimators", self.n_estimators), self.C
        precision = n_trees if C is None else 1 / _number("C", C, "(0, inf)")
        X, y, weight, kept = self._check(X, y, sample_weight, fresh=True)
        self.classes_ = np.unique(y)
        if len(self.classes_) != 2:
            raise ValueError(
                "Only binary classification is supported: y holds "
                f"{len(self.classes_)} class(es)"
            )
        first = second = slice(None)
        if tree_rows is not None:
            first = _labels("tree_rows", tree_rows) == 1
            _same_rows(y=kept, tree_rows=first)
            first = first[kept]
            second = ~first
            for name, rows in [
                ("that grow the trees", first),
                ("that fit the linear layer", second),
            ]:
                if len(np.unique(y[rows])) < 2:
                    raise ValueError(f"the rows {name} must hold both classes")
        self.trees_ = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=n_trees,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            early_stopping=False,
            random_state=self.random_state,
            # Weights make its bins slow
        ).fit(X[first], y[first], None if sample_weight is None else weight[first])
        values = [
            tree.nodes["value"][tree.nodes["is_leaf"] == 1]
            for (tree,) in self.trees_._predictors
        ]
        self._number_leaves([len(own) for own in values])
        self._mean, self._precision = (
            np.zeros(self._offsets[-1] + 1),
            np.full(self._offsets[-1] + 1, float(precision)),
        )
        self._precision[-1] = 0.0  # the intercept is free
        start = np.concatenate([*values, self.trees_._baseline_prediction.ravel()])
        return self._learn(X[second], y[second], weight[second], start)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> GBDTLogisticRegression:
        """Learn more rows with the linear layer; the trees stay.

        The first call is `fit`, and needs both classes.
        """
        if not hasattr(self, "trees_"):
            self.fit(X, y, sample_weight)
            _two_classes(self.classes_, classes, self.classes_)
            return self
        X, y, weight, _ = self._check(X, y, sample_weight, fresh=False)
        _two_classes(y, classes, self.classes_)
        return self._learn(X, y, weight, self._mean)

    def leaves(self, X: ArrayLike) -> csr_matrix:
        """Return the leaves that each row reaches, shape (n, n_leaves).

        There is one entry of 1 for each tree.
        """
        leaves = (self._reach(self._rows(X)) @ self._members)[:, :-1]
        leaves.sort_indices()
        return leaves

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the log odds of each row, shape (n,)."""
        X = self._rows(X)
        return self._scoring.decision_function(X)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        p = expit(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        positive = self.decision_function(X) > 0
        return self.classes_[positive.astype(int)]

    @property
    def coef_(self) -> np.ndarray:
        """Weights of the leaves, shape (1, n_leaves)."""
        return self._mean[None, :-1]

    @property
    def intercept_(self) -> np.ndarray:
        """Weight of the constant, shape (1,)."""
        return self._mean[-1:]

    @property
    def variance_(self) -> np.ndarray:
        """Variance of each weight, shape (n_leaves,)."""
        return 1 / self._precision[:-1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _check(
        self, X, y, sample_weight, fresh
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return the rows that have a weight, and which of all rows these are."""
        validate_data(self, X, y, skip_check_array=True, reset=fresh)
        y = _classes("y", y)
        check_classification_targets(y)
        X = self._rows(X, fresh)
        weight = _row_weights(sample_weight, X=X, y=y)
        kept = weight > 0  # rows without weight do not exist, nor do their labels
        rows = slice(None) if kept.all() else kept
        return X[rows], y[rows], weight[rows], kept

    def _rows(self, X: ArrayLike, fresh: bool = False) -> np.ndarray:
        if not fresh:
            check_is_fitted(self, "trees_")
        try:
            return validate_data(
                self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=fresh
            )
        except ValueError as error:
            try:
                array = _array("X", X, 2)
                _refuse("X", "be finite or missing", array, ~np.isinf(array))
            except ValueError as named:
                raise ValueError(f"{named}. {error}") from None
            raise

    def _with_values(
        self, values: list[np.ndarray], baseline: float = 0.0
    ) -> HistGradientBoostingClassifier:
        """Return the trees with other numbers on their leaves, an array for each."""
        trees = copy.deepcopy(self.trees_)
        trees._baseline_prediction = np.full_like(trees._baseline_prediction, baseline)
        for (tree,), own in zip(trees._predictors, values, strict=True):
            tree.nodes["value"][tree.nodes["is_leaf"] == 1] = own
        return trees

    def _number_leaves(self, n_leaves: list[int]) -> None:
        """Join trees into groups, and number the joint leaves of each group."""
        self._offsets, groups = np.cumsum([0, *n_leaves]), [[]]
        for n in n_leaves:
            if groups[-1] and math.prod(groups[-1]) * n > JOINT:
                groups.append([])
            groups[-1].append(n)
        numbers, members, tree = [], [], 0
        for group in groups:
            joint = np.unravel_index(np.arange(math.prod(group)), group, order="F")
            numbers += [
                np.arange(n) * math.prod(group[:i]) for i, n in enumerate(group)
            ]
            own = [leaf + self._offsets[tree + i] for i, leaf in enumerate(joint)]
            # Each row is in one joint leaf of the first group: there the intercept
            # comes in
            if not tree:
                own.append(np.full(math.prod(group), self._offsets[-1]))
            members.append(np.column_stack(own))
            tree += len(group)
        self._numbered, self._ends = (
            self._with_values(numbers),
            np.cumsum([len(group) for group in groups]),
        )
        self._starts = np.cumsum([0, *map(len, members)])
        ends = np.cumsum(
            [0, *np.repeat([m.shape[1] for m in members], [len(m) for m in members])]
        )
        columns = np.concatenate([m.ravel() for m in members])
        self._members = csr_matrix(
            (np.ones(len(columns)), columns, ends),
            (len(ends) - 1, self._offsets[-1] + 1),
        )

    def _reach(self, X: np.ndarray) -> csr_matrix:
        """Return which joint leaves each row reaches, shape (n, n_joint).

        There is one entry for each group of trees.
        """
        joint = np.empty((len(X), len(self._ends)), np.int32)
        for top in range(0, len(X), ROWS):
            part, before = slice(top, top + ROWS), 0.0
            # --8<-- [start:leaves]
            for tree, score in enumerate(
                self._numbered.staged_decision_function(X[part]), 1
            ):
                if tree in self._ends:
                    group = np.searchsorted(self._ends, tree)
                    joint[part, group] = score - before + self._starts[group]
                    before = score
            # --8<-- [end:leaves]
        ends = np.arange(0, joint.size + 1, joint.shape[1])
        return csr_matrix(
            (np.ones(joint.size), joint.ravel(), ends), (len(X), self._starts[-1])
        )

    def _learn(self, X, y, weight, start) -> GBDTLogisticRegression:
        """Move the Gaussian over the weights to what it is after these rows."""
        rows, label = self._reach(X), (y == self.classes_[1]).astype(float)
        leaves, prior, precision = self._members, self._mean, self._precision

        # --8<-- [start:learn]
        def loss(w):
            margin = rows @ (leaves @ w)
            error = weight * (expit(margin) - label)
            gradient = precision * (w - prior) + leaves.T @ (rows.T @ error)
            return 0.5 * precision @ (w - prior) ** 2 + weight @ (
                np.logaddexp(0, margin) - label * margin
            ), gradient

        self._mean, self.n_iter_ = self._minimize(loss, start, rows, weight)
        p = expit(rows @ (leaves @ self._mean))
        self._precision = precision + leaves.T @ (rows.T @ (weight * p * (1 - p)))
        # --8<-- [end:learn]
        self._scoring = self._with_values(
            np.split(self._mean[:-1], self._offsets[1:-1]), self._mean[-1]
        )
        return self

    def _minimize(self, loss, w, rows, weight) -> tuple[np.ndarray, int]:
        """Return where the loss is least, and in how many steps.

        Each is in units in which its curvature is about one.
        """
        steps, share = 0, 20
        while steps < STEPS:
            start, factors, share = (
                w,
                self._curvature(rows, weight, w, share),
                max(share // 4, 1),
            )
            ends = np.cumsum([len(factor) for factor in factors])[:-1]

            def solve(x, trans, factors=factors, ends=ends):
                parts = zip(factors, np.split(x, ends), strict=True)
                return np.concatenate(
                    [
                        solve_triangular(factor, own, lower=True, trans=trans)
                        for factor, own in parts
                    ]
                )

            def scaled(u, start=start, solve=solve):
                value, gradient = loss(start + solve(u, 1))
                return value, solve(gradient, 0)

            options = {"maxiter": min(30, STEPS - steps), "ftol": 1e-12, "gtol": 1e-3}
            found = minimize(
                scaled,
                np.zeros(len(start)),
                jac=True,
                method="L-BFGS-B",
                options=options,
            )
            w, steps = start + solve(found.x, 1), steps + max(found.nit, 1)
            if found.success:
                return w, steps
        warnings.warn(
            f"the linear layer has not converged in {steps} steps",
            ConvergenceWarning,
            stacklevel=4,
        )
        return w, steps

    def _curvature(self, rows, weight, w, share) -> list[np.ndarray]:
        """Return Cholesky factors of the curvature at w, a block of weights each.

        They are from one in ``share`` of the rows. It decides how fast the optimum is
        found, not where it is.
        """
        n = min(rows.shape[0], max(500, rows.shape[0] // share), 400 // share * len(w))
        sample = np.random.default_rng(0).choice(rows.shape[0], n, replace=False)
        p = expit(rows @ (self._members @ w))
        certainty = weight * p * (1 - p)
        # The diagonal, of all rows
        whole = self._precision + self._members.T @ (rows.T @ certainty)
        some = np.sqrt(
            certainty[sample] * certainty.sum() / max(certainty[sample].sum(), 1e-300)
        )
        leaves, factors = rows[sample] @ self._members, []
        for left in range(0, len(w), BLOCK):
            own = leaves[:, left : left + BLOCK].astype(np.float32).toarray()
            own *= some[:, None].astype(np.float32)
            curvature = (own.T @ own).astype(float)
            diagonal = np.diag(curvature) + self._precision[left : left + BLOCK]
            # Leaves that the sample hardly reaches
            diagonal = np.maximum(diagonal, whole[left : left + BLOCK])
            # Beyond what float32 has lost
            np.fill_diagonal(curvature, diagonal + 1e-5 * diagonal.mean())
            factors.append(cholesky(curvature, lower=True))
        return factors


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


# --- End of the door. ---
