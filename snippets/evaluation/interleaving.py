"""Team-draft interleaving: one list from two rankers, compared by each user at once.

Radlinski, Kurup & Joachims 2008, "How Does Clickthrough Data Reflect Retrieval
Quality?", CIKM; Chapelle et al. 2012, "Large-Scale Validation and Analysis of
Interleaved Search Evaluation", TOIS 30.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats


class Interleaved(NamedTuple):
    """What to show for each request, and who put it there."""

    items: np.ndarray  # shape (requests, length)
    team: np.ndarray  # shape (requests, length), 0 for ranker a, 1 for ranker b


class Preference(NamedTuple):
    """How many units preferred which ranker."""

    wins_a: int
    wins_b: int
    ties: int  # units with equal credit, mostly without a click: they say nothing
    p_value: float  # two-sided sign test of no preference


def team_draft(
    ranking_a: ArrayLike, ranking_b: ArrayLike, length: int, seed: int = 0
) -> Interleaved:
    """Merge two rankings of each request into one list.

    The rankers pick in turns, as captains pick players: each takes its best item that
    is not shown yet. A coin decides who goes first, anew for every pair of places, so
    that neither gets the better places on average.

    Parameters
    ----------
    ranking_a, ranking_b : arrays of shape (requests, k)
        Item ids of one kind, best first, none missing and no item twice in a row. The
        two may hold different items.
    length : int
        Places to fill, 1 to k.
    seed : int
        At least 0. Fixes the coins, which are tossed in the order of the requests.

    Raises
    ------
    ValueError
        If the arrays are not two-dimensional, empty or unequal in shape, hold ids of
        two kinds, a missing one, or an item twice in a row; if length or seed is out of
        range.

    Examples
    --------
    >>> shown = team_draft([[1, 2, 3]], [[2, 4, 1]], length=3, seed=1)
    >>> shown.items.tolist(), shown.team.tolist()
    ([[2, 1, 4]], [[1, 0, 1]])
    """
    items_a, items_b = _ids("ranking_a", ranking_a), _ids("ranking_b", ranking_b)
    if items_a.shape != items_b.shape:
        raise ValueError(
            f"ranking_b has shape {items_b.shape}, ranking_a has {items_a.shape}"
        )
    length = _count("length", length, 1, items_a.shape[1])
    codes = _matched({"ranking_a": items_a.ravel(), "ranking_b": items_b.ravel()})
    a, b = (code.reshape(items_a.shape) for code in codes)
    for name, ranking in [("ranking_a", a), ("ranking_b", b)]:
        in_order = np.sort(ranking, axis=1)
        missing, twice = (
            in_order[:, 0] < 0,
            (in_order[:, 1:] == in_order[:, :-1]).any(axis=1),
        )
        for wrong, what in [(missing, "a missing item"), (twice, "an item twice")]:
            if wrong.any():
                raise ValueError(f"{name} holds {what} in row {int(wrong.argmax())}")
    n = len(a)
    rng = np.random.default_rng(_count("seed", seed, 0))
    chosen, team = np.empty((n, length), a.dtype), np.empty((n, length), np.int8)
    # --8<-- [start:draft]
    for place in range(length):
        if place % 2 == 0:
            b_first = rng.integers(0, 2, n, dtype=np.int8)
        team[:, place] = b_first if place % 2 == 0 else 1 - b_first
        ranking = np.where(team[:, place, None] == 0, a, b)
        shown = np.zeros(ranking.shape, bool)
        for earlier in range(place):
            shown |= ranking == chosen[:, earlier, None]
        # The first that is not shown yet
        chosen[:, place] = ranking[np.arange(n), np.argmin(shown, axis=1)]
    # --8<-- [end:draft]
    exact = np.result_type(items_a, items_b)
    if exact.kind == "f" and {items_a.dtype.kind, items_b.dtype.kind} == {"i", "u"}:
        exact = np.dtype(object)  # int64 and uint64: floats would lose digits
    item = np.empty(max(code.max() for code in codes) + 1, exact)
    for code, items in zip(codes, (items_a, items_b), strict=True):
        item[code] = items.ravel()
    return Interleaved(item[chosen], team)


def _ids(name: str, values: ArrayLike) -> np.ndarray:
    """Return item ids in two dimensions, of the kind that they are.

    NumPy makes text of 7 beside text.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = (
            np.where(np.ma.getmaskarray(values), None, values.data)
            if np.ma.is_masked(values)
            else values.data
        )
    try:
        items = np.asarray(values)
        if items.dtype.kind in "US":
            items = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length") from error
    if items.ndim != 2 or items.size == 0:
        raise ValueError(
            f"{name} must have the shape (requests, k), got shape {items.shape}"
        )
    return items


def interleaving_test(
    clicks: ArrayLike, team: ArrayLike, users: ArrayLike | None = None
) -> Preference:
    """Count who preferred which ranker, and test whether one is preferred.

    Parameters
    ----------
    clicks : array of shape (requests, length)
        0 or 1 for each item shown.
    team : array of shape (requests, length)
        From ``team_draft``.
    users : array of shape (requests,), optional
        Who asked. A user is then one unit, with the credit of all requests. None takes
        requests for independent. A missing user raises: leave such rows out, or give
        each an id of its own.

    Raises
    ------
    ValueError
        If the arrays are unequal in shape, empty, or hold other values than 0 and 1.

    Examples
    --------
    >>> interleaving_test([[1, 0], [1, 1], [1, 0]], [[1, 0], [0, 1], [1, 0]])
    Preference(wins_a=0, wins_b=2, ties=1, p_value=0.5)
    """
    y, t = _labels("clicks", clicks, ndim=2), _labels("team", team, ndim=2)
    user = None if users is None else _codes("users", users)
    _same_rows(clicks=y, team=t, users=user)
    if not y.size:
        raise ValueError(f"clicks is empty, of shape {y.shape}")
    if y.shape != t.shape:
        raise ValueError(f"team has shape {t.shape}, clicks has {y.shape}")
    # --8<-- [start:credit]
    credit = (y * (2 * t - 1)).sum(axis=1)  # clicks on b's items minus those on a's
    if user is not None:
        credit = np.bincount(user, credit)
    wins_a, wins_b = int((credit < 0).sum()), int((credit > 0).sum())
    p_value = (
        stats.binomtest(wins_b, wins_a + wins_b).pvalue if wins_a + wins_b else 1.0
    )
    # --8<-- [end:credit]
    return Preference(wins_a, wins_b, len(credit) - wins_a - wins_b, float(p_value))


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


def _labels(name: str, values: Any, start: int = 0, ndim: int | None = 1) -> np.ndarray:
    """Return labels, each 0 or 1, as float64."""
    array = _array(name, values, ndim)
    if array.dtype != bool:
        _refuse(name, "be 0 or 1", array, (array == 0) | (array == 1), start)
    return array.astype(np.float64, copy=False)


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


# --- End of the door. ---
