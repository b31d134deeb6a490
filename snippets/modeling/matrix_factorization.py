"""Implicit matrix factorization: what to recommend from who clicked on what.

By alternating least squares: Hu, Koren and Volinsky 2008, "Collaborative Filtering for
Implicit Feedback Datasets", ICDM, equations 3 to 5.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

CELLS = 200_000  # numbers held for the rows that are solved for at a time
MOST = 1e12  # confidence in a pair; beyond it digits get lost


class ImplicitALS(BaseEstimator):
    """Vectors of users and items: products are near 1 where they met, else near 0.

    A pair that met r times counts with confidence 1 + alpha r, all others with 1.

    Parameters
    ----------
    n_factors : int
        Length of the vectors.
    alpha : float
        How much more a meeting counts than none, more than 0.
    l2 : float
        Penalty of the vectors' squared lengths, more than 0.
    n_iterations : int
        How often both sides are solved for.
    random_state : int or None
        Draws the items' vectors at the start.

    Attributes
    ----------
    user_factors_ : array of shape (n_users, n_factors)
    item_factors_ : array of shape (n_items, n_factors)

    Raises
    ------
    ValueError
        If a parameter is out of range, or l2 so small that digits get lost; if a count
        is negative, or so large that alpha times it is beyond 1e12; if a user is none
        of those of fit.

    Notes
    -----
    Memory grows with the vectors and the clicks. A user of fewer items than factors has
    as many equations as items.

    Examples
    --------
    >>> clicks = csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0]])
    >>> model = ImplicitALS(2, random_state=0).fit(clicks)
    >>> model.recommend(np.array([3]), 1, exclude=clicks)
    array([[1]])
    """

    def __init__(
        self,
        n_factors: int = 16,
        alpha: float = 10.0,
        l2: float = 1.0,
        n_iterations: int = 10,
        random_state: int | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.alpha = alpha
        self.l2 = l2
        self.n_iterations = n_iterations
        self.random_state = random_state

    def fit(self, interactions: csr_matrix, y: None = None) -> ImplicitALS:
        """Learn from sparse counts, shape (n_users, n_items); ``y`` is ignored."""
        n_factors, n_iterations = (
            _count("n_factors", self.n_factors),
            _count("n_iterations", self.n_iterations),
        )
        alpha, l2 = (
            _number("alpha", self.alpha, "(0, inf)"),
            _number("l2", self.l2, "(0, inf)"),
        )
        by_user = _counts(interactions, alpha)
        by_item = by_user.T.tocsr()
        random = np.random.default_rng(self.random_state)
        self.item_factors_ = random.normal(0, 0.1, (by_user.shape[1], n_factors))
        for _ in range(n_iterations):
            self.user_factors_ = _solve(by_user, self.item_factors_, alpha, l2)
            self.item_factors_ = _solve(by_item, self.user_factors_, alpha, l2)
        return self

    def fold_in(self, interactions: csr_matrix) -> np.ndarray:
        """Return vectors of users who came later, shape (n, n_factors).

        Their counts have the shape (n, n_items).
        """
        check_is_fitted(self)
        counts = _counts(interactions, float(self.alpha))
        if counts.shape[1] != len(self.item_factors_):
            raise ValueError(
                f"interactions must have {len(self.item_factors_)} columns, got "
                f"{counts.shape[1]}"
            )
        return _solve(counts, self.item_factors_, float(self.alpha), float(self.l2))

    def recommend(
        self, users: ArrayLike, k: int, exclude: csr_matrix | None = None
    ) -> np.ndarray:
        """Return the k items of the largest product for each user, best first.

        The shape is (len(users), k). ``exclude``, sparse of shape (n_users, n_items):
        items with an entry other than 0 in the user's row are left out. Where fewer
        than k are left, -1 fills the row.
        """
        check_is_fitted(self)
        n_users, n_items = len(self.user_factors_), len(self.item_factors_)
        users, k = _whole("users", users, 0, n_users - 1), _count("k", k, 1, n_items)
        if exclude is not None:
            if not issparse(exclude) or exclude.shape != (n_users, n_items):
                raise ValueError(
                    f"exclude must be a sparse matrix of shape {(n_users, n_items)}"
                )
            exclude = csr_matrix(exclude)
        top = np.empty((len(users), k), np.int64)
        step = max(1, 10 * CELLS // n_items)
        for start in range(0, len(users), step):
            rows = users[start : start + step]
            scores = self.user_factors_[rows] @ self.item_factors_.T
            if exclude is not None:
                row, column = exclude[rows].nonzero()
                scores[row, column] = -np.inf
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            top[start : start + step] = np.where(
                np.isneginf(np.take_along_axis(scores, best, axis=1)), -1, best
            )
        return top


def _solve(
    counts: csr_matrix, other: np.ndarray, alpha: float, l2: float
) -> np.ndarray:
    """Return the vectors of the counts' rows that are best for those of its columns."""
    k = other.shape[1]
    vectors = np.zeros((counts.shape[0], k))
    base = other.T @ other + l2 * np.eye(k)
    if not np.linalg.cond(base) < 1e12:
        raise ValueError(
            f"l2 is too small, got {l2:g}: where factors are more than users or items, "
            "it alone decides"
        )
    through = np.linalg.solve(base, other.T).T
    for rows, columns, count in _batches(counts, k):
        # --8<-- [start:solve]
        # confidence beyond the 1 that every pair has
        met, extra = other[columns], alpha * count
        wanted = ((count > 0) + extra)[:, :, None]
        if met.shape[1] > k:  # an equation for each factor
            left = base + (met * extra[:, :, None]).transpose(0, 2, 1) @ met
            vectors[rows] = np.linalg.solve(left, met.transpose(0, 2, 1) @ wanted)[
                :, :, 0
            ]
        else:  # the same solution, by an equation for each item that was met
            mine = through[columns]
            left = np.eye(met.shape[1]) + extra[:, :, None] * (
                met @ mine.transpose(0, 2, 1)
            )
            vectors[rows] = (mine.transpose(0, 2, 1) @ np.linalg.solve(left, wanted))[
                :, :, 0
            ]
        # --8<-- [end:solve]
    return vectors


def _batches(
    counts: csr_matrix, k: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield rows of about as many entries, and the columns and the counts of these.

    They are filled up with counts of 0.
    """
    size = np.diff(counts.indptr)
    order = np.argsort(size, kind="stable")
    start = np.searchsorted(size[order], 1)  # the vector of a row without entries is 0
    while start < len(order):
        least = int(size[order[start]])
        alike = np.searchsorted(size[order], least + least // 5, side="right")
        rows = order[
            start : min(alike, start + max(1, CELLS // (least * (least + 2 * k))))
        ]
        place = counts.indptr[rows][:, None] + np.arange(size[rows[-1]])
        filled = np.arange(size[rows[-1]]) < size[rows][:, None]
        place[~filled] = 0
        yield rows, counts.indices[place], np.where(filled, counts.data[place], 0.0)
        start += len(rows)


def _counts(interactions: csr_matrix, alpha: float) -> csr_matrix:
    if not issparse(interactions) or interactions.ndim != 2:
        raise ValueError(
            f"interactions must be a sparse matrix, got {type(interactions).__name__}"
        )
    if interactions.dtype.kind not in "biuf":
        raise ValueError(f"interactions must be numbers, got {interactions.dtype}")
    counts = csr_matrix(interactions, dtype=np.float64, copy=True)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    bad = ~((counts.data > 0) & (counts.data <= MOST / alpha))
    if bad.any():
        row = np.searchsorted(counts.indptr, bad.argmax(), side="right") - 1
        value = counts.data[bad.argmax()]
        rule = f"be positive, and at most {MOST / alpha:g}, where there are any"
        raise ValueError(f"interactions must {rule}, got {value} at row {row}")
    return counts


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


# --- End of the door. ---
