"""Ranking metrics over millions of short lists at once.

NDCG, precision, recall, reciprocal rank, AUC by group. All take flat arrays, one row an
item, and the list (a request or a user) that the row belongs to. Items with equal
scores stand in no order: each metric is its expectation over all orders of the tied
items, so that a model cannot win by luck of the sort. For NDCG: McSherry & Najork 2008,
"Computing Information Retrieval Performance Measures Efficiently in the Presence of
Tied Scores", ECIR.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln


class _Lists(NamedTuple):
    """The rows sorted by list, and in each list by falling score."""

    gain: np.ndarray  # label of each row
    list_: np.ndarray  # number of its list, 0 to n_lists - 1
    rank: np.ndarray  # its place in the list, from 0, ties in any order
    size: np.ndarray  # rows of each list
    tie: np.ndarray  # number of the row's block of equal scores
    tie_start: np.ndarray  # first row of each block
    tie_size: np.ndarray  # rows of each block


def ndcg_at_k(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int
) -> float:
    """Return the normalized discounted cumulative gain of the first k places.

    It is averaged over lists.

    Parameters
    ----------
    y_true : array of shape (n,)
        Gain of each item, at least 0: a click, a grade. For exponential gains pass
        ``2**grade - 1``.
    y_score : array of shape (n,)
        Scores, higher is shown earlier.
    groups : array of shape (n,)
        The list of each item, as numbers, text or other ids, in any order; fewer than
        2**32 lists. A missing one raises: leave such rows out.
    k : int
        Places that count, at least 1. Item at place r counts with 1 / log2(r + 1).

    Returns
    -------
    float
        In [0, 1]. Lists without any gain are left out: no order of them is better than
        another.

    Raises
    ------
    ValueError
        If the arrays are empty, unequal in length, not one-dimensional or hold what is
        missing; if a gain is negative or infinite, k is no whole number of at least 1,
        or no list has a gain.

    Notes
    -----
    Järvelin & Kekäläinen 2002, "Cumulated Gain-Based Evaluation of IR Techniques",
    TOIS 20.

    Examples
    --------
    >>> gains, scores = [0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9]
    >>> round(ndcg_at_k(gains, scores, groups=[7, 7, 7, 8, 8, 8], k=2), 3)
    0.815
    """
    k, lists = _count("k", k), _sort(y_true, y_score, groups, binary=False)
    # A sum of huge gains is infinite
    largest = np.maximum.reduceat(lists.gain, np.cumsum(lists.size) - lists.size)
    lists = lists._replace(
        gain=lists.gain / np.where(largest > 0, largest, 1)[lists.list_]
    )
    # --8<-- [start:ndcg]
    discount = np.zeros(int(lists.size.max()))
    discount[:k] = 1 / np.log2(np.arange(2, 2 + len(discount[:k])))
    dcg = np.bincount(
        lists.list_, weights=_mean_over_ties(lists) * discount[lists.rank]
    )
    # --8<-- [end:ndcg]
    best = lists.gain[_order(lists.gain, lists.list_)]  # the same lists by falling gain
    ideal = np.bincount(lists.list_, weights=best * discount[lists.rank])
    return _mean_ratio(dcg, ideal, "y_true holds no gain: NDCG is undefined")


def precision_at_k(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int
) -> float:
    """Return the share of relevant items among the first k places, averaged over lists.

    Parameters, errors and ties as for ``ndcg_at_k``, with labels that are 0 or 1. A
    list shorter than k still counts k places: what is not shown cannot be clicked.

    Examples
    --------
    >>> labels, scores = [0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9]
    >>> precision_at_k(labels, scores, groups=[7, 7, 7, 8, 8, 8], k=2)
    0.5
    """
    k, lists = _count("k", k), _sort(y_true, y_score, groups, binary=True)
    return float(_hits_at_k(lists, k).mean() / k)


def recall_at_k(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, k: int
) -> float:
    """Return the share of the relevant items that the first k places hold.

    It is averaged over lists with a relevant item. Parameters, errors and ties as for
    ``ndcg_at_k``, with labels that are 0 or 1.

    Examples
    --------
    >>> labels, scores = [0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9]
    >>> recall_at_k(labels, scores, groups=[7, 7, 7, 8, 8, 8], k=1)
    0.5
    """
    k, lists = _count("k", k), _sort(y_true, y_score, groups, binary=True)
    relevant = np.bincount(lists.list_, weights=lists.gain)
    return _mean_ratio(
        _hits_at_k(lists, k), relevant, "y_true holds no 1: recall is undefined"
    )


def mean_reciprocal_rank(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike
) -> float:
    """Return one over the place of the first relevant item, averaged over lists.

    Only lists with a relevant item count. Parameters, errors and ties as for
    ``ndcg_at_k``, with labels that are 0 or 1. Among m tied items of which r are
    relevant, the first relevant one stands at place j with probability C(m - j, r - 1)
    / C(m, r).

    Examples
    --------
    >>> labels, scores = [0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9]
    >>> mean_reciprocal_rank(labels, scores, groups=[7, 7, 7, 8, 8, 8])
    0.75
    """
    lists = _sort(y_true, y_score, groups, binary=True)
    # In each block of equal scores
    relevant = np.bincount(lists.tie, weights=lists.gain)
    blocks = np.flatnonzero(relevant)
    if len(blocks) == 0:
        raise ValueError("y_true holds no 1: the reciprocal rank is undefined")
    list_of_block = lists.list_[lists.tie_start[blocks]]
    # The first such block of each list
    first = blocks[np.flatnonzero(np.diff(list_of_block, prepend=-1))]
    m, r = lists.tie_size[first], relevant[first]
    # 0 to m - 1 within each block
    row = np.arange(m.sum()) - np.repeat(np.cumsum(m) - m, m)
    m, r, ahead = (
        np.repeat(m, m),
        np.repeat(r, m),
        np.repeat(lists.rank[lists.tie_start[first]], m),
    )
    possible = row <= m - r  # later than that, and a relevant one stood before
    m, r, j, ahead = m[possible], r[possible], row[possible] + 1, ahead[possible]
    probability = np.exp(_log_choose(m - j, r - 1) - _log_choose(m, r))
    return float((probability / (ahead + j)).sum() / len(first))


def group_auc(y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike) -> float:
    """Return the mean over groups of the AUC within each, weighted by impressions.

    Parameters, errors and ties as for ``ndcg_at_k``, with labels that are 0 or 1. A tie
    counts half. Groups with one class only are left out, since AUC is undefined there.

    Notes
    -----
    Zhu et al. 2017, "Optimized Cost per Click in Taobao Display Advertising", KDD; Zhou
    et al. 2018, "Deep Interest Network for Click-Through Rate Prediction", KDD, section
    6.

    Examples
    --------
    >>> labels, scores = [0, 1, 0, 0, 0, 1], [0.9, 0.5, 0.1, 0.2, 0.1, 0.9]
    >>> group_auc(labels, scores, groups=[7, 7, 7, 8, 8, 8])
    0.75
    """
    lists = _sort(y_true, y_score, groups, binary=True)
    # --8<-- [start:auc]
    clicks = np.bincount(lists.list_, weights=lists.gain)
    others = lists.size - clicks
    # Each click beats the other impressions below it, and half of those with an equal
    # score.
    tied_clicks = np.bincount(lists.tie, weights=lists.gain)
    tied_others = lists.tie_size - tied_clicks
    # In the block's list, and in all later lists
    below = np.cumsum(tied_others[::-1])[::-1] - tied_others
    list_of_tie = lists.list_[lists.tie_start]
    below -= (np.cumsum(others[::-1])[::-1] - others)[list_of_tie]
    wins = np.bincount(list_of_tie, weights=tied_clicks * (below + tied_others / 2))
    # --8<-- [end:auc]
    both = (clicks > 0) & (others > 0)
    if not both.any():
        raise ValueError(
            "y_true: no group holds both a 0 and a 1, so AUC is undefined in each"
        )
    return float(
        np.average(wins[both] / (clicks[both] * others[both]), weights=lists.size[both])
    )


def _hits_at_k(lists: _Lists, k: int) -> np.ndarray:
    """Return the expected number of relevant items among each list's first k places."""
    return np.bincount(lists.list_, weights=_mean_over_ties(lists) * (lists.rank < k))


def _mean_over_ties(lists: _Lists) -> np.ndarray:
    """Replace each gain by the mean of its tied block.

    That is its expectation over all orders of the block.
    """
    return (np.bincount(lists.tie, weights=lists.gain) / lists.tie_size)[lists.tie]


def _mean_ratio(
    numerator: np.ndarray, denominator: np.ndarray, undefined: str
) -> float:
    """Return the mean over the lists where the ratio is defined."""
    defined = denominator > 0
    if not defined.any():
        raise ValueError(undefined)
    return float((numerator[defined] / denominator[defined]).mean())


def _log_choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0)


def _order(score: np.ndarray, list_: np.ndarray) -> np.ndarray:
    """Return the order of rows by list, and in each list by falling score.

    Sort by score, then by list without changing the order within one: NumPy's stable
    sort of 16-bit integers takes linear time, and two of them make 32 bits.
    """
    order = np.argsort(score)[::-1]
    for shift in (0, 16):
        digit = (list_ >> shift).astype(np.uint16)
        if shift == 0 or digit.any():
            order = order[np.argsort(digit[order], kind="stable")]
    return order


def _sort(
    y_true: ArrayLike, y_score: ArrayLike, groups: ArrayLike, *, binary: bool
) -> _Lists:
    """Check all input, and sort it into lists."""
    y = _labels("y_true", y_true) if binary else _numbers("y_true", y_true, "[0, inf)")
    score = _array("y_score", y_score)
    # Whole numbers, such as times, keep all of their digits
    if score.dtype.kind == "f":
        score = _inside("y_score", score, "[-inf, inf]")
    list_ = _codes("groups", groups)
    _same_rows(y_true=y, y_score=score, groups=list_)
    order = _order(score, list_)
    gain, list_, score = y[order], list_[order], score[order]
    new_list = np.concatenate([[True], list_[1:] != list_[:-1]])
    list_ = np.cumsum(new_list) - 1
    start = np.flatnonzero(new_list)
    size = np.diff(start, append=len(y))
    new_tie = new_list | np.concatenate([[True], score[1:] != score[:-1]])
    tie_start = np.flatnonzero(new_tie)
    return _Lists(
        gain,
        list_,
        np.arange(len(y)) - np.repeat(start, size),
        size,
        np.cumsum(new_tie) - 1,
        tie_start,
        np.diff(tie_start, append=len(y)),
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


# --- End of the door. ---
