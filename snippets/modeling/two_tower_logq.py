"""Two towers trained on clicks alone, with the other items of the batch as negatives.

Yi et al. 2019, "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item
Recommendations", RecSys, equations 3 to 5. Popular items sit in more batches, so they
are pushed down more often; subtracting the log of how likely an item is to be in the
batch takes that back.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data


def in_batch_softmax(
    user: np.ndarray, item: np.ndarray, log_q: np.ndarray | None = None
) -> tuple[float, np.ndarray, np.ndarray]:
    """Return the softmax loss of each row's own item in the batch, and its gradients.

    Parameters
    ----------
    user, item : arrays of shape (n, n_factors)
        Vectors of the users, and of the items that they clicked on. An item that is in
        the batch twice stands among the negatives twice: its share of the batch is what
        log_q corrects for.
    log_q : array of shape (n,) or None
        Logarithm of each item's share of all clicks, subtracted from its score. None:
        no correction.

    Returns
    -------
    (loss, by user, by item)
        Mean loss, and its gradients, of the shape of user and item.

    Raises
    ------
    ValueError
        If shapes do not fit, or a number is not finite or so large that a score
        overflows.

    Examples
    --------
    >>> vectors = np.eye(2)
    >>> round(in_batch_softmax(vectors, vectors)[0], 3)  # log(1 + 1/e)
    0.313
    """
    user, item = _numbers("user", user, ndim=2), _numbers("item", item, ndim=2)
    log_q = None if log_q is None else _numbers("log_q", log_q)
    _same_rows(user=user, item=item, log_q=log_q)
    if user.shape != item.shape:
        raise ValueError(
            f"user and item must have the same number of factors, got {user.shape[1]} "
            f"and {item.shape[1]}"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        found = _softmax(user, item, log_q)
    if not np.isfinite(found[0]):
        raise ValueError("user and item are so large that a score overflows")
    return found


def _softmax(
    user: np.ndarray, item: np.ndarray, log_q: np.ndarray | None
) -> tuple[float, np.ndarray, np.ndarray]:
    n = len(user)
    # --8<-- [start:softmax]
    scores = user @ item.T
    if log_q is not None:
        scores = scores - log_q
    log_p = scores - logsumexp(scores, axis=1, keepdims=True)
    loss = -log_p.diagonal().mean()
    error = (np.exp(log_p) - np.eye(n)) / n
    # --8<-- [end:softmax]
    return float(loss), error @ item, error.T @ user


class TwoTower(BaseEstimator):
    """Each tower adds up the embeddings of its codes; a pair's score is a dot product.

    Parameters
    ----------
    n_factors : int
    log_q : bool
        Whether to correct for how often each item occurs among the clicks.
    learning_rate, n_epochs, batch_size
        AdaGrad's step, passes over the clicks, clicks of a batch.
    init_scale : float
        Standard deviation of the embeddings at the start.
    random_state : int or None
        Draws where the tables start, and which clicks make a batch, so that the order
        of rows matters.

    Attributes
    ----------
    user_table_, item_table_ : arrays of shape (n_values, n_factors)
        The embeddings of ``user_values_`` and ``item_values_``, one field after the
        other.
    user_values_, item_values_ : lists of arrays
        The codes of each field that fit has seen, in order.

    Raises
    ------
    ValueError
        If a parameter is out of range, codes are not whole numbers, one row for each
        click, an item's identity is missing, or a step was so large that the tables
        overflowed.

    Examples
    --------
    >>> model = TwoTower(2, random_state=0).fit([[0], [1]] * 50, [[0], [1]] * 50)
    >>> model.items([[0], [1], [1]]).shape
    (3, 2)
    """

    def __init__(
        self,
        n_factors: int = 16,
        log_q: bool = True,
        *,
        learning_rate: float = 0.1,
        n_epochs: int = 5,
        batch_size: int = 256,
        init_scale: float = 0.1,
        random_state: int | None = None,
    ) -> None:
        self.n_factors = n_factors
        self.log_q = log_q
        self.learning_rate = learning_rate
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.init_scale = init_scale
        self.random_state = random_state

    def fit(self, user_codes: ArrayLike, item_codes: ArrayLike) -> TwoTower:
        """Learn from clicks: the codes of the user and of the item.

        Their shapes are (n, n_user_fields) and (n, n_item_fields), the item's identity
        first. Codes are whole numbers of any size; a negative one is a missing value,
        and adds nothing. Memory grows with the number of different codes.
        """
        for name, least in [("n_factors", 1), ("n_epochs", 1), ("batch_size", 2)]:
            _count(name, getattr(self, name), least)
        for name in ("learning_rate", "init_scale"):
            _number(name, getattr(self, name), "(0, inf)")
        seed = (
            self.random_state
            if self.random_state is None
            else _count("random_state", self.random_state, 0)
        )
        validate_data(self, user_codes, item_codes, skip_check_array=True)
        user = _features(self, "user_codes", user_codes, whole=True)
        # Keeps the names of the item's columns, as self does the user's
        self._item_fields = clone(self)
        item = _features(self._item_fields, "item_codes", item_codes, whole=True)
        _same_rows(user_codes=user, item_codes=item)
        _whole("the identities of item_codes, column 0,", item[:, 0], 0)
        self.user_values_, self.item_values_ = (
            [np.unique(c[c >= 0]) for c in codes.T] for codes in (user, item)
        )
        user_sum, item_sum = (
            _sum_of_codes(user, self.user_values_),
            _sum_of_codes(item, self.item_values_),
        )
        random = np.random.default_rng(seed)
        self.user_table_ = random.normal(
            0, self.init_scale, (user_sum.shape[1], self.n_factors)
        )
        self.item_table_ = random.normal(
            0, self.init_scale, (item_sum.shape[1], self.n_factors)
        )
        squares = [
            np.full_like(table, 1e-8) for table in (self.user_table_, self.item_table_)
        ]
        _, which, count = np.unique(item[:, 0], return_inverse=True, return_counts=True)
        log_q = np.log(count[which] / len(item)) if self.log_q else None
        with np.errstate(over="ignore", invalid="ignore"):
            for _ in range(self.n_epochs):
                order = random.permutation(len(user))
                for start in range(0, len(user), self.batch_size):
                    batch = order[start : start + self.batch_size]
                    of_user, of_item = user_sum[batch], item_sum[batch]
                    _, by_user, by_item = _softmax(
                        of_user @ self.user_table_,
                        of_item @ self.item_table_,
                        None if log_q is None else log_q[batch],
                    )
                    for table, square, rows, gradient in [
                        (self.user_table_, squares[0], of_user, by_user),
                        (self.item_table_, squares[1], of_item, by_item),
                    ]:
                        present = np.unique(rows.indices)
                        step = rows[:, present].T @ gradient
                        square[present] += step**2
                        table[present] -= (
                            self.learning_rate * step / np.sqrt(square[present])
                        )
        _refuse_overflow(self, self.user_table_, self.item_table_)
        return self

    def users(self, codes: ArrayLike) -> np.ndarray:
        """Return the vectors of users, shape (n, n_factors).

        A code that fit has not seen adds nothing.
        """
        check_is_fitted(self)
        codes = _features(self, "codes", codes, whole=True, reset=False)
        return _sum_of_codes(codes, self.user_values_) @ self.user_table_

    def items(self, codes: ArrayLike) -> np.ndarray:
        """Return the vectors of items, shape (n, n_factors).

        A code that fit has not seen adds nothing.
        """
        check_is_fitted(self)
        codes = _features(self._item_fields, "codes", codes, whole=True, reset=False)
        return _sum_of_codes(codes, self.item_values_) @ self.item_table_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.target_tags.required = tags.target_tags.multi_output = True
        tags.target_tags.single_output = False
        return tags


def _sum_of_codes(codes: np.ndarray, values: list[np.ndarray]) -> csr_matrix:
    """Return rows with a one for each known code.

    Their product with the table adds up embeddings.
    """
    place = np.column_stack(
        [
            np.searchsorted(known, column)
            for known, column in zip(values, codes.T, strict=True)
        ]
    )
    known = np.column_stack(
        [np.isin(column, known) for known, column in zip(values, codes.T, strict=True)]
    )
    row, field = np.nonzero(known)
    starts = np.cumsum([0, *map(len, values)])
    return csr_matrix(
        (np.ones(len(row)), (row, place[known] + starts[field])),
        (len(codes), starts[-1]),
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


def _refuse_overflow(estimator: Any, *arrays: np.ndarray) -> None:
    """Refuse parameters under which what was learned is no finite number."""
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError(
            f"learning_rate {estimator.learning_rate} or init_scale "
            f"{estimator.init_scale} is too large: overflow"
        )


# --- End of the door. ---
