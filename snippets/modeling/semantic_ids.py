"""Give each item a short sequence of codes: residual k-means.

The first of them says roughly what it is. The discrete identities of Rajput et al.
2023, "Recommender Systems with Generative Retrieval", NeurIPS (TIGER), which learns
them with a residual-quantised autoencoder. Singh et al. 2024, "Better Generalization
with Semantic IDs: A Case Study in Ranking for Recommendations", RecSys, use them in
place of random hashes.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted, validate_data

LIMITS = "[-1e100, 1e100]"  # of vectors: the squares of larger numbers overflow


class SemanticIDs(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Cluster the vectors, then what the clusters leave over, and so on.

    The clusters' numbers are the codes.

    Parameters
    ----------
    n_levels : int
        Length of the code.
    n_codes : int
        Clusters on each level; fewer where there are not as many different vectors.
        Vectors that differ by less than 1e-12 of the largest number are the same.
    random_state : int, RandomState or None
        Draws where k-means starts. Which clusters it finds depends on the order of
        rows, too.

    Attributes
    ----------
    centers_ : list of n_levels arrays of shape (at most n_codes, n_features)

    Raises
    ------
    ValueError
        If a parameter is out of range, vectors are not finite or hold more than 1e100,
        or codes have no center.

    Examples
    --------
    >>> vectors = [[0, 0], [0, 1], [9, 0], [9, 1]]
    >>> codes = SemanticIDs(2, 2, random_state=0).fit_transform(vectors)
    >>> bool(codes[0, 0] == codes[1, 0] != codes[2, 0])
    True
    >>> bool(codes[0, 1] == codes[2, 1])
    True
    """

    def __init__(
        self,
        n_levels: int = 3,
        n_codes: int = 16,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_levels = n_levels
        self.n_codes = n_codes
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: None = None) -> SemanticIDs:
        """Find the centers from vectors of shape (n_items, n_features)."""
        for name in ("n_levels", "n_codes"):
            _count(name, getattr(self, name))
        left = _numbers("X", _features(self, "X", X), LIMITS, ndim=2)
        self.centers_, self._n_features_out = [], self.n_levels
        # By a power of two, which rounds nothing, since squares of tiny numbers are 0.
        power = np.frexp(np.abs(left).max())[1]
        left = np.ldexp(left, -power)
        # --8<-- [start:fit]
        grain = 1e-12 * (np.abs(left).max() or 1.0)  # what is less is rounding
        for _ in range(self.n_levels):
            n_codes = min(self.n_codes, len(np.unique(np.round(left / grain), axis=0)))
            level = KMeans(n_codes, n_init=3, random_state=self.random_state).fit(left)
            self.centers_.append(np.ldexp(level.cluster_centers_, power))
            left = left - level.cluster_centers_[level.labels_]
        # --8<-- [end:fit]
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the codes, shape (n, n_levels), also of items that came later."""
        check_is_fitted(self)
        left = _numbers("X", _features(self, "X", X, reset=False), LIMITS, ndim=2)
        codes = np.empty((len(left), len(self.centers_)), np.int64)
        # --8<-- [start:transform]
        for level, centers in enumerate(self.centers_):
            # |x - c|^2 without the term of x that all centers share, from their middle:
            # far from 0 it would cancel out
            middle = centers.mean(axis=0)
            away = centers - middle
            # Else squares of tiny numbers are 0
            unit = np.ldexp(away, -np.frexp(np.abs(away).max())[1])
            distance = (away * unit).sum(axis=1) - 2 * (left - middle) @ unit.T
            codes[:, level] = distance.argmin(axis=1)
            left = left - centers[codes[:, level]]
        # --8<-- [end:transform]
        return codes

    def inverse_transform(self, codes: ArrayLike) -> np.ndarray:
        """Return the vectors that the codes stand for.

        They are sums of one center of each level, from the first on.
        """
        check_is_fitted(self)
        codes = _whole("codes", codes, 0, ndim=2)
        _same_rows(codes=codes)
        if not 1 <= codes.shape[1] <= len(self.centers_):
            raise ValueError(
                f"codes must have shape (n, at most {len(self.centers_)}), got "
                f"{codes.shape}"
            )
        for level, (centers, column) in enumerate(
            zip(self.centers_, codes.T, strict=False)
        ):
            _whole(f"codes of level {level}", column, most=len(centers) - 1)
        return sum(
            centers[column]
            for centers, column in zip(self.centers_, codes.T, strict=False)
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Codes are whole numbers, whatever the vectors are
        tags.transformer_tags.preserves_dtype = []
        return tags


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
