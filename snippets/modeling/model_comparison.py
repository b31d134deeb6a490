"""Compare models fairly: one budget, the same days and the same rows for each.

All are tuned on the same days, refit on the same rows, judged on the same later days.
An unequal comparison is the commonest way to a wrong conclusion: simple methods, once
tuned, often undo a published gain. Ferrari Dacrema et al. 2019, "Are We Really Making
Much Progress?", RecSys; Rendle et al. 2020, "Neural Collaborative Filtering vs. Matrix
Factorization Revisited", RecSys. Agarwal et al. 2021, "Deep Reinforcement Learning at
the Edge of the Statistical Precipice", NeurIPS: report intervals over runs, not one
number a model.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.utils import _safe_indexing


class Comparison(NamedTuple):
    """A row for each model, and what it predicts for the test rows.

    A row has its ``setting`` and its ``validation`` and ``test`` loss.
    """

    table: pd.DataFrame
    predictions: dict[str, np.ndarray]


class PairedDifference(NamedTuple):
    """Mean difference over logs with its interval; a tie if that contains zero."""

    mean: float
    standard_error: float
    low: float
    high: float

    @property
    def is_tie(self) -> bool:
        """Whether the logs do not tell the two apart."""
        return self.low <= 0 <= self.high


# --8<-- [start:compare]
def compare_models(
    candidates: Mapping[str, tuple[Any, Sequence[Any]]],
    y: ArrayLike,
    train: ArrayLike,
    validate: ArrayLike,
    test: ArrayLike,
    *,
    budget: int = 4,
    loss: Callable[[np.ndarray, np.ndarray], float] = log_loss,
) -> Comparison:
    """Choose a setting for each model, refit it, and judge all on the same later days.

    They are tuned on the same days and refit on the same rows.

    Parameters
    ----------
    candidates : mapping of str to (X, settings)
        By the name of each model: its columns, rows first (an array, a sparse matrix, a
        frame), and the settings to try, unfitted classifiers with ``predict_proba``.
        Columns made of labels, such as rates, are a function ``X(known)`` instead,
        which builds them for all rows out of the rows that are known, a boolean mask.
    y : array-like of shape (n_rows,)
        Labels, 0 or 1.
    train, validate, test : array-like of shape (n_rows,)
        True or 1 for the rows to fit on, to choose a setting on, and to judge on. No
        row has two parts; some may have none. Validation days lie behind training days,
        and test days behind both.
    budget : int
        Most settings that a model may try: who tries more finds more.
    loss : callable
        ``loss(y_true, y_prob)``, to be small.

    Returns
    -------
    Comparison
        ``table``: for each model the ``setting`` chosen, its loss on the ``validation``
        rows, and the loss on the ``test`` rows once refitted on training and validation
        rows. ``predictions``: its probabilities, shape (n_test_rows,).

    Raises
    ------
    ValueError
        If a model tries more settings than the budget or none, has other rows than y, a
        row has two parts, a part has rows of one class only, or a label is not 0 or 1.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> settings = [DummyClassifier(strategy=s) for s in ("uniform", "prior")]
    >>> y, day = [0, 1, 0, 1, 0, 1], np.arange(6) // 2
    >>> models = {"dummy": (np.zeros((6, 1)), settings)}
    >>> result = compare_models(models, y, day == 0, day == 1, day == 2)
    >>> result.table["test"].round(3)
    dummy    0.693
    Name: test, dtype: float64
    """
    y, parts = _labels("y", y), {"train": train, "validate": validate, "test": test}
    rows = {name: _labels(name, part).astype(bool) for name, part in parts.items()}
    _check_parts(y, rows)
    budget, found, predictions = _count("budget", budget), {}, {}
    for name, (X, settings) in candidates.items():
        if not 1 <= len(settings) <= budget:
            raise ValueError(
                f"candidates must try 1 to {budget} settings, the budget, got "
                f"{len(settings)}: {name!r}"
            )
        tried = [
            _predicted(name, X, model, y, rows["train"], rows["validate"])
            for model in settings
        ]
        losses = _numbers(
            f"loss of {name!r}", [loss(y[rows["validate"]], p) for p in tried]
        )
        best = int(np.argmin(losses))
        p = _predicted(
            name, X, settings[best], y, rows["train"] | rows["validate"], rows["test"]
        )
        found[name] = {
            "setting": settings[best],
            "validation": losses[best],
            "test": loss(y[rows["test"]], p),
        }
        predictions[name] = p
    return Comparison(pd.DataFrame.from_dict(found, orient="index"), predictions)


# --8<-- [end:compare]


# --8<-- [start:paired]
def paired_difference(
    losses: ArrayLike, baseline: ArrayLike, confidence: float = 0.95
) -> PairedDifference:
    """Return how much two models differ over logs, with Student's interval.

    The interval is of the differences, log by log.

    Parameters
    ----------
    losses, baseline : array-like of shape (n_logs,)
        The test losses of two models on the same logs, in the same order; at least two
        logs. Pairing takes out what a log does to both.
    confidence : float
        Of the interval, in (0, 1).

    Returns
    -------
    PairedDifference
        Negative if the first loses less.

    Raises
    ------
    ValueError
        If a loss is missing or infinite, the two have unequal lengths, or there are
        fewer than two logs.

    Examples
    --------
    >>> paired_difference([0.90, 0.91, 0.92], [0.91, 0.93, 0.92]).is_tie
    True
    """
    losses, baseline = _numbers("losses", losses), _numbers("baseline", baseline)
    n_logs = _same_rows(losses=losses, baseline=baseline)
    if n_logs < 2:
        raise ValueError(
            f"losses must hold two logs or more: one log has no spread, got {n_logs}"
        )
    difference = losses - baseline
    mean = float(difference.mean())
    error = float(difference.std(ddof=1)) / math.sqrt(n_logs)
    half = (
        float(t.ppf(0.5 + _number("confidence", confidence, "(0, 1)") / 2, n_logs - 1))
        * error
    )
    return PairedDifference(mean, error, mean - half, mean + half)


# --8<-- [end:paired]


def _check_parts(y: np.ndarray, rows: dict[str, np.ndarray]) -> None:
    _same_rows(y=y, **rows)
    parts = np.sum(list(rows.values()), axis=0)
    if (parts > 1).any():
        row = int(np.argmax(parts > 1))
        named = " and ".join(name for name, part in rows.items() if part[row])
        raise ValueError(f"{named} must not share rows, got both at row {row}")
    for name, part in rows.items():
        if len(np.unique(y[part])) < 2:
            raise ValueError(
                f"{name} must have rows of both classes, got {int(part.sum())} rows of "
                "one or none"
            )


def _predicted(
    name: str, X: Any, model: Any, y: np.ndarray, known: np.ndarray, asked: np.ndarray
) -> np.ndarray:
    """Return what a model fitted on the rows known gives for those asked."""
    X = X(known.copy()) if callable(X) else X
    found = X.shape[0] if hasattr(X, "shape") else len(X)
    if found != len(y):
        raise ValueError(
            f"candidates must have the {len(y)} rows of y, got {found}: {name!r}"
        )
    fitted = clone(model).fit(_safe_indexing(X, np.flatnonzero(known)), y[known])
    return fitted.predict_proba(_safe_indexing(X, np.flatnonzero(asked)))[:, 1]


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


# --- End of the door. ---
