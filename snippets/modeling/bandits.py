"""Learn while choosing: Thompson sampling and LinUCB.

And how to try them on a log of random choices. Thompson sampling: Chapelle and Li 2011,
"An Empirical Evaluation of Thompson Sampling", NIPS, algorithm 2. LinUCB: Li et al.
2010, "A Contextual-Bandit Approach to Personalized News Article Recommendation", WWW,
algorithm 1. Replay: Li et al. 2011, "Unbiased Offline Evaluation of
Contextual-Bandit-Based News Article Recommendation Algorithms", WSDM.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike


class ThompsonSampling:
    """Draw a rate for each arm from what is known of it, and choose the largest draw.

    Parameters
    ----------
    n_arms : int
    alpha, beta : float or arrays of shape (n_arms,)
        The Beta prior of the arms' rates: clicks and misses that each arm is given
        before it is shown.

    Attributes
    ----------
    alpha_, beta_ : arrays of shape (n_arms,)
        The posterior.

    Raises
    ------
    ValueError
        If there are fewer than two arms, the prior is not in [1e-300, 1e300], or an arm
        or a reward is none.

    Examples
    --------
    >>> policy = ThompsonSampling(2)
    >>> policy.update([0, 1] * 50, [0, 1] * 50)
    >>> policy.choose(5, np.random.default_rng(0))
    array([1, 1, 1, 1, 1])
    """

    def __init__(
        self, n_arms: int, alpha: ArrayLike = 1.0, beta: ArrayLike = 1.0
    ) -> None:
        n_arms = _count("n_arms", n_arms, 2)
        prior = {"alpha": alpha, "beta": beta}
        for name, values in prior.items():
            # Beyond, draws are 0 or NaN
            prior[name] = _numbers(name, values, "[1e-300, 1e300]", ndim=None)
            if prior[name].shape not in ((), (n_arms,)):
                raise ValueError(
                    f"{name} must be one number, or one for each of {n_arms} arms, got "
                    f"shape {prior[name].shape}"
                )
        self.alpha_, self.beta_ = (
            np.broadcast_to(values, n_arms).copy() for values in prior.values()
        )

    def choose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the arms of n requests, all chosen before any reward is known."""
        n = _count("n", n, 0)
        # --8<-- [start:thompson]
        rates = rng.beta(self.alpha_, self.beta_, (n, len(self.alpha_)))
        return rates.argmax(axis=1)
        # --8<-- [end:thompson]

    def probabilities(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return how likely each arm is to be chosen: the propensity to log.

        It is found from so many draws. Each arm is counted once more than it was drawn,
        so that none is 0: a propensity is divided by. One below a few in n_draws is
        therefore too high, and weights by it too small.
        """
        drawn = np.bincount(
            self.choose(_count("n_draws", n_draws), rng), minlength=len(self.alpha_)
        )
        return (drawn + 1) / (n_draws + len(self.alpha_))

    def update(self, arms: ArrayLike, rewards: ArrayLike) -> None:
        """Learn rewards of 0 or 1, one for each arm that was shown."""
        arms, rewards = _shown(arms, rewards, len(self.alpha_))
        self.alpha_ += np.bincount(arms, rewards, minlength=len(self.alpha_))
        self.beta_ += np.bincount(arms, 1 - rewards, minlength=len(self.alpha_))


class LinUCB:
    """One ridge regression for each arm; choose the largest upper confidence bound.

    Where bounds are equal, one of their arms.

    Parameters
    ----------
    n_arms, n_features : int
    width : float
        How many standard deviations the bound lies above the mean, in [0, 1e100]; 0 is
        greedy. The paper's alpha.
    l2 : float
        Penalty of the regressions, in [1e-200, 1e200].
    random_state : int or None
        Seed of the draws among arms with equal bounds, as all are before the first
        reward.

    Attributes
    ----------
    coef_ : array of shape (n_arms, n_features)
    covariance_ : array of shape (n_arms, n_features, n_features)
        Inverse of the paper's A, which is kept as a triangular root: so choose is right
        for contexts as large as 1e8 times their spread, where this matrix, written out,
        has lost its digits.

    Raises
    ------
    ValueError
        If a parameter is out of range, or contexts are not of n_features finite
        numbers.

    Examples
    --------
    >>> policy = LinUCB(2, 1, width=2.0, random_state=0)
    >>> policy.update([[1.0]] * 4, [0, 1, 1, 1], [0, 1, 0, 0])
    >>> policy.choose([[1.0]])  # less is known of arm 0, and it might be better
    array([0])
    """

    def __init__(
        self,
        n_arms: int,
        n_features: int,
        width: float = 1.0,
        l2: float = 1.0,
        random_state: int | None = None,
    ) -> None:
        n_arms, n_features = (
            _count("n_arms", n_arms, 2),
            _count("n_features", n_features),
        )
        self.width = _number("width", width, "[0, 1e100]")
        seed = (
            random_state
            if random_state is None
            else _count("random_state", random_state, 0)
        )
        self._rng = np.random.default_rng(seed)
        # A = R'R, and R beside the rotated rewards, by arm: all that a regression needs
        # to know of its rows.
        root = np.sqrt(_number("l2", l2, "[1e-200, 1e200]")) * np.eye(
            n_features, n_features + 1
        )
        self._roots = np.tile(root, (n_arms, 1, 1))
        self._solve()

    def choose(self, contexts: ArrayLike) -> np.ndarray:
        """Return the arms, shape (n,), from contexts of shape (n, n_features)."""
        x = self._check(contexts)
        # Times a number, a context has the same best arm: squares of large and of small
        # ones do not fit.
        x = np.ldexp(x, -np.frexp(np.abs(x).max(axis=1, keepdims=True))[1])
        # --8<-- [start:linucb]
        # by arm; its squares add up to x' A^-1 x, the variance
        spread = x @ self._inverse
        bound = x @ self.coef_.T + self.width * np.sqrt((spread**2).sum(axis=2)).T
        top = bound.max(axis=1, keepdims=True)
        equal = bound >= top - 1e-9 * np.abs(top)  # but for rounding
        return (equal * self._rng.random(bound.shape)).argmax(axis=1)  # by lot
        # --8<-- [end:linucb]

    def update(self, contexts: ArrayLike, arms: ArrayLike, rewards: ArrayLike) -> None:
        """Learn rewards of 0 or 1, one for each arm that was shown in its context."""
        x = self._check(contexts)
        arms, rewards = _shown(arms, rewards, len(self._roots))
        if len(x) != len(arms):
            raise ValueError(f"one context for each arm, got {len(x)} and {len(arms)}")
        for arm in np.unique(arms):
            own = arms == arm
            rows = np.vstack(
                [self._roots[arm], np.column_stack([x[own], rewards[own]])]
            )
            self._roots[arm] = np.linalg.qr(rows, mode="r")[: x.shape[1]]
        self._solve()

    def _solve(self) -> None:
        self._inverse = np.linalg.inv(self._roots[:, :, :-1])
        self.coef_ = np.einsum("ade,ae->ad", self._inverse, self._roots[:, :, -1])
        self.covariance_ = self._inverse @ self._inverse.swapaxes(1, 2)

    def _check(self, contexts: ArrayLike) -> np.ndarray:
        # The squares must be finite, too
        x = _numbers("contexts", contexts, "(-1e150, 1e150)", ndim=2)
        if x.shape[1] != self._roots.shape[1]:
            raise ValueError(
                f"contexts must hold {self._roots.shape[1]} numbers in each row, got "
                f"shape {x.shape}"
            )
        return x


def replay(
    choose: Callable,
    update: Callable,
    arms: ArrayLike,
    rewards: ArrayLike,
    batch_size: int = 100,
) -> tuple[np.ndarray, np.ndarray]:
    """Let a policy choose on a log whose arms were drawn uniformly.

    Keep the rows in which it chose what was shown.

    Parameters
    ----------
    choose : function of a slice of rows
        Returns an arm for each row of the slice.
    update : function of an array of row numbers
        Learns the rows that were kept, and no others.
    arms, rewards : arrays of shape (n,)
        What was shown, whole numbers as choose returns them, in order of time; and what
        came of it, numbers.
    batch_size : int
        Rows that are chosen for before the policy learns.

    Returns
    -------
    (rows, rewards) : arrays of shape (n_kept,)
        Their mean reward estimates that of the policy run live over n_kept requests,
        without bias if the arms were drawn uniformly and independently of everything.

    Raises
    ------
    ValueError
        If lengths differ, an arm is no whole number, a reward is not finite, batch_size
        is less than 1, or choose does not return one arm for each row.

    Examples
    --------
    >>> rows, rewards = replay(
    ...     lambda rows: np.ones(4, int),
    ...     lambda rows: None,
    ...     [0, 1, 1, 0],
    ...     [0, 1, 0, 1],
    ...     4,
    ... )
    >>> rows, rewards
    (array([1, 2]), array([1., 0.]))
    """
    arms, value, batch_size = (
        _whole("arms", arms),
        _numbers("rewards", rewards),
        _count("batch_size", batch_size),
    )
    if len(value) != len(arms):
        raise ValueError(f"rewards has {len(value)} rows, arms has {len(arms)}")
    kept = [np.empty(0, np.intp)]
    # --8<-- [start:replay]
    for start in range(0, len(arms), batch_size):
        rows = slice(start, min(start + batch_size, len(arms)))
        chosen = _whole("what choose returns", choose(rows))
        if len(chosen) != rows.stop - start:
            raise ValueError(
                f"choose must return {rows.stop - start} arms, one for each row, got "
                f"{len(chosen)}"
            )
        same = np.flatnonzero(chosen == arms[rows]) + start
        update(same)
        kept.append(same)
    # --8<-- [end:replay]
    rows = np.concatenate(kept)
    return rows, value[rows]


def _shown(
    arms: ArrayLike, rewards: ArrayLike, n_arms: int
) -> tuple[np.ndarray, np.ndarray]:
    arms, rewards = _whole("arms", arms, 0, n_arms - 1), _labels("rewards", rewards)
    if len(rewards) != len(arms):
        raise ValueError(f"rewards has {len(rewards)} rows, arms has {len(arms)}")
    return arms, rewards


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
