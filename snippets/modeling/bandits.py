"""Learn while choosing: Thompson sampling, LinUCB, and how to try them on a log of random choices.

Thompson sampling: Chapelle and Li 2011, "An Empirical Evaluation of Thompson Sampling", NIPS, algorithm 2.
LinUCB: Li et al. 2010, "A Contextual-Bandit Approach to Personalized News Article Recommendation", WWW, algorithm 1.
Replay: Li et al. 2011, "Unbiased Offline Evaluation of Contextual-Bandit-Based News Article Recommendation Algorithms",
WSDM.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


class ThompsonSampling:
    """Draw a rate for each arm from what is known of it, and choose the arm whose draw is the largest.

    Parameters
    ----------
    n_arms : int
    alpha, beta : float or arrays of shape (n_arms,)
        The Beta prior of the arms' rates: clicks and misses that each arm is given before it is shown.

    Attributes
    ----------
    alpha_, beta_ : arrays of shape (n_arms,)
        The posterior.

    Raises
    ------
    ValueError
        If there are fewer than two arms, or the prior is not positive.

    Examples
    --------
    >>> policy = ThompsonSampling(2)
    >>> policy.update([0, 1] * 50, [0, 1] * 50)
    >>> policy.choose(5, np.random.default_rng(0))
    array([1, 1, 1, 1, 1])
    """

    def __init__(self, n_arms: int, alpha: ArrayLike = 1.0, beta: ArrayLike = 1.0) -> None:
        _check_arms(n_arms)
        self.alpha_ = np.broadcast_to(np.asarray(alpha, dtype=float), n_arms).copy()
        self.beta_ = np.broadcast_to(np.asarray(beta, dtype=float), n_arms).copy()
        for name, values in [("alpha", self.alpha_), ("beta", self.beta_)]:
            if not ((values > 0) & np.isfinite(values)).all():
                raise ValueError(f"{name} must be positive and finite, got {values}")

    def choose(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the arms of n requests, all chosen before any of their rewards is known."""
        # --8<-- [start:thompson]
        rates = rng.beta(self.alpha_, self.beta_, (n, len(self.alpha_)))
        return rates.argmax(axis=1)
        # --8<-- [end:thompson]

    def probabilities(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return how likely each arm is to be chosen, from so many draws: the propensity to log."""
        return np.bincount(self.choose(n_draws, rng), minlength=len(self.alpha_)) / n_draws

    def update(self, arms: ArrayLike, rewards: ArrayLike) -> None:
        """Learn rewards of 0 or 1."""
        arms, rewards = _check_rewards(arms, rewards, len(self.alpha_))
        self.alpha_ += np.bincount(arms, rewards, minlength=len(self.alpha_))
        self.beta_ += np.bincount(arms, 1 - rewards, minlength=len(self.alpha_))


class LinUCB:
    """One ridge regression for each arm; choose the arm of the largest upper confidence bound.

    Parameters
    ----------
    n_arms, n_features : int
    width : float
        How many standard deviations the bound lies above the mean, at least 0; 0 is greedy. Called alpha in the paper.
    l2 : float
        Penalty of the regressions, more than 0.

    Attributes
    ----------
    coef_ : array of shape (n_arms, n_features)
    covariance_ : array of shape (n_arms, n_features, n_features)
        Inverse of the paper's A.

    Raises
    ------
    ValueError
        If a parameter is out of range, or contexts are not of n_features finite numbers.

    Examples
    --------
    >>> policy = LinUCB(2, 1, width=2.0)
    >>> policy.update([[1.0]] * 4, [0, 1, 1, 1], [0, 1, 0, 0])
    >>> policy.choose([[1.0]])  # less is known of arm 0, and it might be better
    array([0])
    """

    def __init__(self, n_arms: int, n_features: int, width: float = 1.0, l2: float = 1.0) -> None:
        _check_arms(n_arms)
        for name, value, ok, rule in [
            ("n_features", n_features, n_features >= 1, "at least 1"),
            ("width", width, 0 <= width < np.inf, "at least 0 and finite"),
            ("l2", l2, 0 < l2 < np.inf, "positive and finite"),
        ]:
            if not ok:
                raise ValueError(f"{name} must be {rule}, got {value!r}")
        self.width = width
        self._gram = np.tile(l2 * np.eye(n_features), (n_arms, 1, 1))
        self._sums = np.zeros((n_arms, n_features))
        self._solve()

    def choose(self, contexts: ArrayLike) -> np.ndarray:
        """Return the arm of each request, shape (n,), from contexts of shape (n, n_features)."""
        x = self._check(contexts)
        # --8<-- [start:linucb]
        mean = x @ self.coef_.T
        variance = np.einsum("id,ade,ie->ia", x, self.covariance_, x)
        return (mean + self.width * np.sqrt(variance)).argmax(axis=1)
        # --8<-- [end:linucb]

    def update(self, contexts: ArrayLike, arms: ArrayLike, rewards: ArrayLike) -> None:
        """Learn rewards of 0 or 1."""
        x = self._check(contexts)
        arms, rewards = _check_rewards(arms, rewards, len(self.coef_))
        if len(x) != len(arms):
            raise ValueError(f"one context for each arm, got {len(x)} and {len(arms)}")
        for arm in np.unique(arms):
            own = x[arms == arm]
            self._gram[arm] += own.T @ own
            self._sums[arm] += own.T @ rewards[arms == arm]
        self._solve()

    def _solve(self) -> None:
        self.covariance_ = np.linalg.inv(self._gram)
        self.coef_ = np.einsum("ade,ae->ad", self.covariance_, self._sums)

    def _check(self, contexts: ArrayLike) -> np.ndarray:
        x = np.asarray(contexts, dtype=float)
        if x.ndim != 2 or x.shape[1] != self._sums.shape[1] or not np.isfinite(x).all():
            raise ValueError(f"contexts must be finite, {self._sums.shape[1]} in each row, got shape {x.shape}")
        return x


def replay(choose, update, arms: ArrayLike, rewards: ArrayLike, batch_size: int = 100) -> tuple[np.ndarray, np.ndarray]:
    """Let a policy choose on a log whose arms were drawn uniformly; keep the rows in which it chose what was shown.

    Parameters
    ----------
    choose : function of a slice of rows
        Returns an arm for each row of the slice.
    update : function of an array of row numbers
        Learns the rows that were kept, and no others.
    arms, rewards : arrays of shape (n,)
        What was shown, in order of time, and what came of it.
    batch_size : int
        Rows that are chosen for before the policy learns.

    Returns
    -------
    (rows, rewards) : arrays of shape (n_kept,)
        Their mean reward estimates that of the policy run live over n_kept requests, without bias if the arms were
        drawn uniformly and independently of everything.

    Raises
    ------
    ValueError
        If lengths differ, or batch_size is less than 1.

    Examples
    --------
    >>> rows, rewards = replay(lambda rows: np.ones(4, int), lambda rows: None, [0, 1, 1, 0], [0, 1, 0, 1], 4)
    >>> rows, rewards
    (array([1, 2]), array([1, 0]))
    """
    arms, rewards = np.asarray(arms), np.asarray(rewards)
    if arms.ndim != 1 or arms.shape != rewards.shape:
        raise ValueError(f"arms and rewards must be of one length, got {arms.shape} and {rewards.shape}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    kept = [np.empty(0, np.intp)]
    # --8<-- [start:replay]
    for start in range(0, len(arms), batch_size):
        rows = slice(start, min(start + batch_size, len(arms)))
        same = np.flatnonzero(choose(rows) == arms[rows]) + start
        update(same)
        kept.append(same)
    # --8<-- [end:replay]
    rows = np.concatenate(kept)
    return rows, rewards[rows]


def _check_arms(n_arms: int) -> None:
    if n_arms < 2:
        raise ValueError(f"n_arms must be at least 2, got {n_arms}")


def _check_rewards(arms: ArrayLike, rewards: ArrayLike, n_arms: int) -> tuple[np.ndarray, np.ndarray]:
    arms, rewards = np.asarray(arms, dtype=np.intp), np.asarray(rewards, dtype=float)
    if arms.ndim != 1 or arms.shape != rewards.shape:
        raise ValueError(f"arms and rewards must be of one length, got {arms.shape} and {rewards.shape}")
    if ((arms < 0) | (arms >= n_arms)).any():
        raise ValueError(f"arms must be from 0 to {n_arms - 1}, got {arms[(arms < 0) | (arms >= n_arms)][0]}")
    if not np.isin(rewards, (0, 1)).all():
        raise ValueError(f"rewards must be 0 or 1, got {rewards[~np.isin(rewards, (0, 1))][0]}")
    return arms, rewards
