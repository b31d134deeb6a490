"""Pick a list whose items are good and not all alike: maximal marginal relevance.

Carbonell and Goldstein 1998, "The Use of MMR, Diversity-Based Reranking for Reordering
Documents and Producing Summaries", SIGIR.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


def maximal_marginal_relevance(
    relevance: ArrayLike, vectors: ArrayLike, k: int, trade_off: float = 0.7
) -> np.ndarray:
    """Pick k of n candidates in turn, by relevance and by likeness to those picked.

    Each time it is the one with the most relevance, less its likeness to those.

    Parameters
    ----------
    relevance : array of shape (n_lists, n) or (n,)
        Scores of the candidates; comparable with cosines, so scale them to about 1.
    vectors : array of shape (n_lists, n, d) or (n, d)
        What two items are compared by, with the cosine; a vector of zeros is like
        nothing.
    k : int
        How many to pick, 1 to n.
    trade_off : float
        Weight of the relevance, in [0, 1]; the rest is the weight of the largest cosine
        with an item picked before.

    Returns
    -------
    array of shape (n_lists, k) or (k,)
        Places of the picked candidates, in order. Of equal ones the first is picked.

    Raises
    ------
    ValueError
        If shapes do not fit, a number is not finite, or k or trade_off is out of range.

    Examples
    --------
    >>> relevance, vectors = [0.9, 0.8, 0.7], [[1, 0], [1, 0], [0, 1]]
    >>> maximal_marginal_relevance(relevance, vectors, k=2, trade_off=0.5)
    array([0, 2])
    """
    score, direction = (
        _numbers("relevance", relevance, ndim=None),
        _numbers("vectors", vectors, ndim=None),
    )
    one = score.ndim == 1
    if one:
        score, direction = score[None], direction[None]
    if score.ndim != 2 or direction.ndim != 3 or direction.shape[:2] != score.shape:
        shapes = (
            f"got relevance of shape {np.shape(relevance)} "
            f"and vectors of shape {np.shape(vectors)}"
        )
        raise ValueError(f"a vector for each candidate: {shapes}")
    if not score.size:
        raise ValueError("relevance is empty")
    k, trade_off = (
        _count("k", k, 1, score.shape[1]),
        _number("trade_off", trade_off, "[0, 1]"),
    )
    # By a power of two first, which rounds nothing, since squares of large and of small
    # numbers do not fit.
    largest = np.abs(direction).max(axis=2, keepdims=True, initial=0)
    direction = np.ldexp(direction, -np.frexp(largest)[1])
    length = np.linalg.norm(direction, axis=2, keepdims=True)
    direction = np.divide(
        direction, length, out=np.zeros_like(direction), where=length > 0
    )
    # --8<-- [start:mmr]
    lists, picked = np.arange(len(score)), np.empty((len(score), k), np.intp)
    nearest = np.zeros(score.shape)  # largest cosine with what was picked; nothing yet
    for place in range(k):
        marginal = trade_off * score - (1 - trade_off) * nearest
        marginal[lists[:, None], picked[:, :place]] = -np.inf
        picked[:, place] = marginal.argmax(axis=1)
        cosine = np.einsum("lnd,ld->ln", direction, direction[lists, picked[:, place]])
        nearest = cosine if place == 0 else np.maximum(nearest, cosine)
    # --8<-- [end:mmr]
    return picked[0] if one else picked


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


# --- End of the door. ---
