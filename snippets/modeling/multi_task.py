"""One model for several labels: a shared bottom, or a mixture of experts.

A third form is clicks and conversions over all impressions. Ma et al. 2018, "Modeling
Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD
(MMoE). Ma et al. 2018, "Entire Space Multi-Task Model: An Effective Approach for
Estimating Post-Click Conversion Rate", SIGIR (ESMM): p(click and conversion) = p(click)
p(conversion | click), and both factors are learned from all impressions.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import expit, logit, softmax
from sklearn.base import BaseEstimator
from sklearn.utils import ClassifierTags, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data


class MultiTaskClassifier(BaseEstimator):
    """Embeddings of categories, experts that all tasks share, and parts of each task.

    Each task has a gate, a tower and single weights.

    Parameters
    ----------
    n_factors : int
        Length of the embedding of each value.
    n_experts : int
        Hidden layers side by side. 1 is the shared bottom; with more, each task's gate
        mixes them row by row.
    n_hidden : int
        Width of each expert.
    entire_space : bool
        If true there are two tasks, click and conversion, and a conversion needs a
        click: its label is compared with the product of both probabilities, on all
        rows.
    learning_rate, n_epochs, batch_size
        AdaGrad's step, passes over the rows, rows of a step.
    init_scale : float
        Standard deviation of the embeddings at the start.
    random_state : int, RandomState or None
        Draws where the parameters start, and which rows make a batch, so that the order
        of rows matters.

    Attributes
    ----------
    params_ : dict of arrays
    values_ : list of n_fields arrays
        The codes that fit has seen, in order, each with a row of the tables; -1, which
        is not one, comes first.

    Raises
    ------
    ValueError
        If a parameter is out of range, X holds anything but whole numbers, Y anything
        but 0, 1 and NaN, a task has no known label, or a step was so large that the
        parameters, or the log odds of a row, overflowed.

    Examples
    --------
    >>> X, Y = np.tile([[0], [1]], (300, 1)), np.tile([[0, 1], [1, 0]], (300, 1))
    >>> model = MultiTaskClassifier(n_epochs=5, random_state=0).fit(X, Y)
    >>> model.predict_proba([[0], [1]]).round()
    array([[0., 1.],
           [1., 0.]])
    """

    def __init__(
        self,
        n_factors: int = 8,
        n_experts: int = 1,
        n_hidden: int = 16,
        entire_space: bool = False,
        *,
        learning_rate: float = 0.05,
        n_epochs: int = 1,
        batch_size: int = 256,
        init_scale: float = 0.05,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.n_experts = n_experts
        self.n_hidden = n_hidden
        self.entire_space = entire_space
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.init_scale = init_scale
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, Y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> MultiTaskClassifier:
        """Learn from codes X, shape (n, n_fields), and labels Y, shape (n, n_tasks).

        NaN is a label not known. Codes are whole numbers of any size; a negative one is
        a missing value. A missing value, and one that no row of fit has, adds nothing.
        Memory grows with the number of different codes. Only the ratios of
        ``sample_weight`` count; a row of weight 0 is no row, nor is one without a known
        label.
        """
        for name in ("n_factors", "n_experts", "n_hidden", "n_epochs", "batch_size"):
            _count(name, getattr(self, name))
        for name in ("learning_rate", "init_scale"):
            _number(name, getattr(self, name), "(0, inf)")
        validate_data(self, X, Y, skip_check_array=True)
        X, Y = _features(self, "X", X, whole=True), _partial_labels("Y", Y)
        weight = _row_weights(sample_weight, X=X, Y=Y)
        known = ~np.isnan(Y)
        if self.entire_space:
            bad = (
                ~known.all(axis=1) | (Y[:, 1] > Y[:, 0])
                if Y.shape[1] == 2
                else np.ones(len(Y), bool)
            )
            if bad.any():
                rule = (
                    "needs two labels, all known, "
                    "and a click wherever there is a conversion"
                )
                raise ValueError(
                    f"entire_space {rule}: Y has {Y[bad][0].tolist()} at row "
                    f"{bad.argmax()}"
                )
        kept = (weight > 0) & known.any(axis=1)
        if not known[kept].any(axis=0).all():
            raise ValueError(
                "Y has no label that is known in column "
                f"{known[kept].any(axis=0).argmin()}"
            )
        X, Y, weight = X[kept], Y[kept], weight[kept] / weight.max()
        self.values_ = [
            np.unique(np.append(np.maximum(column, -1), -1)) for column in X.T
        ]
        n_values, width = (
            1 + sum(len(values) - 1 for values in self.values_),
            X.shape[1] * self.n_factors,
        )
        n_tasks = Y.shape[1]
        random = check_random_state(self.random_state)
        self.params_ = {
            "embedding": random.normal(0, self.init_scale, (n_values, self.n_factors)),
            "wide": np.zeros((n_values, n_tasks)),
            "expert": random.normal(
                0, (2 / width) ** 0.5, (self.n_experts, width, self.n_hidden)
            ),
            "expert_bias": np.zeros((self.n_experts, 1, self.n_hidden)),
            "gate": random.normal(0, width**-0.5, (n_tasks, width, self.n_experts)),
            "tower": random.normal(0, self.n_hidden**-0.5, (n_tasks, self.n_hidden)),
            "bias": self._base_log_odds(Y, weight),
        }
        self.params_["embedding"][0] = 0
        squares = {
            name: np.full_like(value, 1e-8) for name, value in self.params_.items()
        }
        rows, weight = self._rows(X), weight / weight.mean()
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(self.n_epochs):
                order = random.permutation(len(Y))
                for start in range(0, len(Y), self.batch_size):
                    batch = order[start : start + self.batch_size]
                    values, _, gradients = self._gradients(
                        rows[batch], Y[batch], weight[batch]
                    )
                    for name, gradient in gradients.items():
                        i = values if name in ("embedding", "wide") else ...
                        squares[name][i] += gradient**2
                        self.params_[name][i] -= (
                            self.learning_rate * gradient / np.sqrt(squares[name][i])
                        )
        _refuse_overflow(self, *self.params_.values())
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return each task's probability, shape (n, n_tasks).

        With entire_space, a conversion's is that after a click.
        """
        check_is_fitted(self)
        X = _features(self, "X", X, whole=True, reset=False)
        parts = np.array_split(self._rows(X), max(len(X) // 10_000, 1))
        with np.errstate(over="ignore", invalid="ignore"):
            logit = np.concatenate([self._forward(part)[0] for part in parts])
        _refuse_overflow(self, logit)
        return expit(logit)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.classifier_tags = ClassifierTags(multi_class=False)
        tags.target_tags.required = tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags

    def _base_log_odds(self, Y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return where each task's bias starts: at its rate among known labels.

        A conversion's starts at its rate among clicks. From 0 a rare label would need a
        good part of its only pass to come down to its rate, by every weight there is.
        """
        given = ~np.isnan(Y)
        if self.entire_space:
            given[:, 1] = Y[:, 0] == 1
        rows, yes = weight @ given, weight @ np.where(given, Y, 0)
        rate = np.divide(yes, rows, out=np.full(Y.shape[1], 0.5), where=rows > 0)
        return logit(rate.clip(1e-6, 1 - 1e-6))

    def _rows(self, X: np.ndarray) -> np.ndarray:
        return _table_rows(self.values_, X)

    def _forward(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return log odds, input, experts and gates.

        They have the shapes (n, tasks), (n, width), (experts, n, hidden) and (tasks, n,
        experts).
        """
        p = self.params_
        # --8<-- [start:forward]
        x = p["embedding"][rows].reshape(len(rows), -1)
        experts = np.maximum(x @ p["expert"] + p["expert_bias"], 0)
        gates = softmax(x @ p["gate"], axis=2)
        mixed = np.einsum("tie,eih->tih", gates, experts)
        logit = (
            np.einsum("tih,th->it", mixed, p["tower"])
            + p["wide"][rows].sum(axis=1)
            + p["bias"]
        )
        # --8<-- [end:forward]
        return logit, x, experts, gates, mixed

    def _loss(self, logit: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each row's loss, summed over tasks, and its gradient by log odds."""
        if not self.entire_space:
            known, label = ~np.isnan(Y), np.nan_to_num(Y)
            loss = np.where(known, np.logaddexp(0, logit) - label * logit, 0)
            return loss.sum(axis=1), np.where(known, expit(logit) - label, 0)
        # --8<-- [start:entire_space]
        click, conversion = Y.T
        # Of yes and of no, for both tasks
        log_p, log_q = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
        log_both = log_p.sum(axis=1)
        # No click, or a click alone
        log_miss = np.logaddexp(log_q[:, 0], log_p[:, 0] + log_q[:, 1])
        loss = np.logaddexp(0, logit[:, 0]) - click * logit[:, 0]
        loss -= conversion * log_both + (1 - conversion) * log_miss
        # d log_both = 1 - p = q, d log_miss = -q p(both) / p(miss)
        by_miss = np.exp(log_q + (log_both - log_miss)[:, None])
        gradient = np.where(conversion[:, None] == 1, -np.exp(log_q), by_miss)
        gradient[:, 0] += expit(logit[:, 0]) - click
        # --8<-- [end:entire_space]
        return loss, gradient

    def _gradients(
        self, rows: np.ndarray, Y: np.ndarray, weight: np.ndarray | None = None
    ) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
        """Return the values present, the mean loss, and its gradients.

        The gradients of the tables are for these values alone.
        """
        weight = np.ones(len(rows)) if weight is None else weight
        p, (logit, x, experts, gates, mixed) = self.params_, self._forward(rows)
        loss, error = self._loss(logit, Y)
        loss, error = np.mean(weight * loss), error * weight[:, None] / len(Y)
        d_mixed = np.einsum("it,th->tih", error, p["tower"])
        d_gates = np.einsum("tih,eih->tie", d_mixed, experts)
        d_gates = gates * (d_gates - (gates * d_gates).sum(axis=2, keepdims=True))
        d_experts = np.einsum("tih,tie->eih", d_mixed, gates) * (experts > 0)
        d_input = np.einsum("eih,edh->id", d_experts, p["expert"], optimize=True)
        d_input += np.einsum("tie,tde->id", d_gates, p["gate"], optimize=True)
        values, place = np.unique(rows, return_inverse=True)
        entries = csr_matrix(
            (np.ones(rows.size), place.ravel(), np.arange(rows.size + 1)),
            (rows.size, len(values)),
        )
        d_embedding = entries.T @ d_input.reshape(rows.size, -1)
        d_wide = entries.T @ np.repeat(error, rows.shape[1], axis=0)
        for table in (d_embedding, d_wide):
            table[values == 0] = 0  # what nobody has seen stays at zero
        gradients = {
            "embedding": d_embedding,
            "wide": d_wide,
            "expert": x.T @ d_experts,
            "expert_bias": d_experts.sum(axis=1, keepdims=True),
            "gate": x.T @ d_gates,
            "tower": np.einsum("it,tih->th", error, mixed),
            "bias": error.sum(axis=0),
        }
        return values, float(loss), gradients


def _partial_labels(name: str, values: Any) -> np.ndarray:
    """Return labels as float64, each 0, 1 or, where missing, NaN."""
    known = True
    try:
        array = (
            values.astype(np.float64).filled(np.nan)
            if np.ma.is_masked(values)
            else np.asarray(values)
        )
        known = pd.notna(array)
        values = np.where(known, array, 0)
    except (ValueError, TypeError):
        pass  # rows of several lengths, text or times, all of which are refused now
    labels = _labels(name, values, ndim=2)
    if labels.shape[1] == 0:
        raise ValueError(
            f"{name} must have a column for each task, got shape {labels.shape}"
        )
    return np.where(known, labels, np.nan)


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
