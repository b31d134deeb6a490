"""A gate between training and serving: whether the new model may replace the old.

Totals must be shown to be good, since they have many rows. Slices must not be shown to
be bad, since some have few.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse, special, stats


class Gate(NamedTuple):
    """The decision, and one row for each check that led to it."""

    passed: bool
    checks: pd.DataFrame


def deployment_gate(
    y_true: ArrayLike,
    prob_current: ArrayLike,
    prob_candidate: ArrayLike,
    users: ArrayLike,
    slices: pd.DataFrame,
    *,
    max_ne_loss: float = 0.002,
    calibration_limit: float = 1.1,
    slice_limit: float = 1.5,
    shift_limit: float = 2.0,
    confidence_level: float = 0.95,
) -> Gate:
    """Decide on a day that neither model was trained on.

    Parameters
    ----------
    y_true : array of shape (n,)
        Labels, each 0 or 1, with both classes.
    prob_current, prob_candidate : arrays of shape (n,)
        Predictions of the model that serves and of the new one, in (0, 1).
    users : array of shape (n,)
        Who saw each row: users are the independent units, two or more. A missing user
        raises: leave such rows out, or give each an id of its own.
    slices : table of n rows
        Columns to cut by, such as device or country; it may have none. Missing values
        are a slice of their own.
    max_ne_loss : float
        Normalized entropy that the candidate may lose, at least 0. Passed if the
        interval's upper end is below.
    calibration_limit : float
        Above 1. Passed if the whole interval of expected over observed clicks lies
        within [1 / limit, limit].
    slice_limit : float
        Above 1. A slice fails if its whole interval lies outside, with a Bonferroni
        correction for their number. The ratio of a slice without a click is infinite,
        and the lower end of its interval is not.
    shift_limit : float
        Above 1. A slice fails if the candidate promises that many times more or fewer
        clicks than the current model. Needs no labels: it catches a model trained on
        broken ones, which broken labels would confirm.
    confidence_level : float
        In (0, 1).

    Returns
    -------
    Gate
        ``checks`` has the columns ``check``, ``estimate``, ``low``, ``high``,
        ``allowed_low``, ``allowed_high`` and ``passed``.

    Raises
    ------
    ValueError
        If arrays are empty, unequal in length or hold other values than those above; if
        there is one class or one user only; if a limit is out of range.

    Notes
    -----
    Totals: the delta method, Deng et al. 2018, "Applying the Delta Method in Metric
    Analytics: A Practical Guide with Novel Ideas", KDD. Slices: tails of the Poisson
    distribution, after observed and expected clicks are divided by the slice's
    dispersion between users, as in quasi-likelihood: McCullagh & Nelder 1989,
    "Generalized Linear Models".

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.02, 0.2, 20_000)
    >>> y, device = (
    ...     rng.random(20_000) < p,
    ...     pd.DataFrame({"device": rng.choice(["phone", "tablet"], 20_000)}),
    ... )
    >>> gate = deployment_gate(
    ...     y, p, np.where(device["device"] == "phone", p, p / 3), range(20_000), device
    ... )
    >>> gate.passed, gate.checks.loc[~gate.checks["passed"], "check"].tolist()[-1]
    (False, 'shift, device=tablet')
    """
    frame, y = _frame("slices", slices), _labels("y_true", y_true)
    current = _numbers("prob_current", prob_current, "(0, 1)")
    candidate = _numbers("prob_candidate", prob_candidate, "(0, 1)")
    user = _codes("users", users)
    _same_rows(
        slices=frame,
        y_true=y,
        prob_current=current,
        prob_candidate=candidate,
        users=user,
    )
    if y.min() == y.max():
        raise ValueError(f"y_true needs rows of both classes, got {y[0]:g} only")
    if not user.any():
        raise ValueError(
            "users holds one user only: the spread between users is undefined"
        )
    max_ne_loss = _number("max_ne_loss", max_ne_loss, "[0, inf]")
    calibration_limit = _number("calibration_limit", calibration_limit, "(1, inf]")
    slice_limit = _number("slice_limit", slice_limit, "(1, inf]")
    shift_limit = _number("shift_limit", shift_limit, "(1, inf]")
    level = _number("confidence_level", confidence_level, "(0, 1)")
    checks = []
    # --8<-- [start:totals]
    change = _ne_change(y, current, candidate, user, level)
    passed = change[2] <= max_ne_loss
    checks.append(("normalized entropy, change", *change, -np.inf, max_ne_loss, passed))
    ratio = _calibration(y, candidate, user, level)
    low, high = 1 / calibration_limit, calibration_limit
    passed = low <= ratio[1] and ratio[2] <= high
    checks.append(("calibration", *ratio, low, high, passed))
    # --8<-- [end:totals]
    excess = _excess(y, candidate, user)
    cuts = [
        _sums(name, frame[name], y, current, candidate, user, excess) for name in frame
    ]
    cuts = (
        pd.concat(cuts, ignore_index=True) if cuts else pd.DataFrame(columns=["slice"])
    )
    tail = (1 - level) / 2 / max(len(cuts), 1)
    # --8<-- [start:slices]
    for cut in cuts.itertuples(index=False):
        name, clicks, by_current, by_candidate, dispersion = cut
        # The tails of the Poisson distribution, for as many clicks as independent rows
        # would have told as much.
        seen = clicks / dispersion
        few = dispersion * special.gammaincinv(seen, tail) if clicks else 0.0
        many = dispersion * special.gammainccinv(seen + 1, tail)
        ratio = [by_candidate / n if n else np.inf for n in (clicks, many, few)]
        least, most = 1 / slice_limit, slice_limit
        passed = ratio[1] <= most and ratio[2] >= least
        checks.append((f"calibration, {name}", *ratio, least, most, passed))
        shift = by_candidate / by_current
        least, most = 1 / shift_limit, shift_limit
        passed = least <= shift <= most
        checks.append((f"shift, {name}", shift, shift, shift, least, most, passed))
    # --8<-- [end:slices]
    columns = ["check", "estimate", "low", "high", "allowed_low", "allowed_high"]
    report = pd.DataFrame(checks, columns=[*columns, "passed"])
    report = report.astype({"passed": bool})
    return Gate(bool(report["passed"].all()), report)


def _ne_change(
    y: np.ndarray,
    current: np.ndarray,
    candidate: np.ndarray,
    user: np.ndarray,
    level: float,
) -> tuple[float, float, float]:
    """Return the candidate's normalized entropy minus the current one's.

    Its interval is by the delta method.
    """
    n, rate = len(y), y.mean()
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log1p(-rate))
    extra = np.log(np.abs(1 - y - current)) - np.log(np.abs(1 - y - candidate))
    change = extra.mean() / entropy
    slope = np.log((1 - rate) / rate) / entropy
    influence = np.bincount(user, extra / entropy - change * (1 + slope * (y - rate)))
    half = _quantile(level, user) * np.sqrt((influence**2).sum()) / n
    return float(change), float(change - half), float(change + half)


def _calibration(
    y: np.ndarray, p: np.ndarray, user: np.ndarray, level: float
) -> tuple[float, float, float]:
    """Return expected over observed clicks, with an interval.

    The interval is symmetric on the logarithmic scale.
    """
    influence = np.bincount(user, p) / p.sum() - np.bincount(user, y) / y.sum()
    factor = np.exp(_quantile(level, user) * np.sqrt((influence**2).sum()))
    ratio = p.sum() / y.sum()
    return float(ratio), float(ratio / factor), float(ratio * factor)


def _quantile(level: float, user: np.ndarray) -> float:
    """Return the quantile of Student's t for the spread of the users' influences.

    There are as many as users, and their mean is 0.
    """
    n_users = int(user.max()) + 1
    return float(
        stats.t.isf((1 - level) / 2, n_users - 1) * np.sqrt(n_users / (n_users - 1))
    )


def _excess(y: np.ndarray, p: np.ndarray, user: np.ndarray) -> float:
    """Return by how much users differ.

    Over the log, clicks of a user who is promised e vary by e + excess e^2.
    """
    clicks, fair = np.bincount(user, y), np.bincount(user, p) * y.sum() / p.sum()
    return float(max(((clicks - fair) ** 2 - fair).sum() / (fair**2).sum(), 0))


def _sums(
    name: str,
    column: pd.Series,
    y: np.ndarray,
    current: np.ndarray,
    candidate: np.ndarray,
    user: np.ndarray,
    excess: float,
) -> pd.DataFrame:
    """Return clicks, both models' promises and the dispersion, by value of a column.

    The promises are clicks, and the dispersion is that of clicks.
    """
    kind, values, labels, code = _slices(name, column)
    order = sorted(
        range(len(values)),
        key=lambda i: values[i] if kind == "whole numbers" else str(values[i]),
    )
    order += range(len(values), len(labels))  # what is missing
    clicks, by_current, by_candidate = (
        np.bincount(code, v) for v in (y, current, candidate)
    )
    # How many times more clicks vary than if rows were independent: the larger of two,
    # for either may be small by chance, the spread between the slice's own users, and
    # the one that the excess of the whole log lets expect.
    clicked = np.flatnonzero(y)
    promised = sparse.csr_array((candidate, (user, code)))
    found = sparse.csr_array(
        (y[clicked], (user[clicked], code[clicked])), shape=promised.shape
    )
    own = (found - promised).power(2).sum(axis=0) / np.maximum(clicks, by_candidate)
    expected = 1 + excess * promised.power(2).sum(axis=0) / by_candidate
    dispersion = np.maximum(np.maximum(own, expected), 1)
    table = {
        "slice": labels,
        "y": clicks,
        "a": by_current,
        "b": by_candidate,
        "dispersion": dispersion,
    }
    return pd.DataFrame(table).iloc[order]


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


def _codes(name: str, values: Any) -> np.ndarray:
    """Return the unit of each row, such as its user, as a number from 0 on, no gaps."""
    _, codes, _ = _keys(name, values)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"{name} is missing at row {row}: leave such rows out, or give each an id "
            "of its own"
        )
    return codes


def _slices(
    name: Any, column: pd.Series
) -> tuple[str | None, np.ndarray, list[str], np.ndarray]:
    """Return the kind of a column's values, these, their labels, each row's number."""
    kind, code, values = _keys(f"column {name!r} of slices", column)
    if kind == "fractions":
        raise ValueError(
            f"column {name!r} of slices holds fractions: cut it into bins first, as by "
            "pandas.qcut"
        )
    source = (
        column.cat.categories
        if isinstance(column.dtype, pd.CategoricalDtype)
        else column
    )
    if pd.api.types.infer_dtype(source, skipna=True) == "boolean":
        values = values.astype(bool)
    labels = [f"{name}={value}" for value in values]
    if (code < 0).any():
        code = np.where(code < 0, len(labels), code)
        labels.append(f"{name}=missing")
    return kind, values, labels, code


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
