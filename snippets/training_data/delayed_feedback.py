"""Learn the click probability while the newest clicks have not arrived yet.

Chapelle 2014, "Modeling Delayed Feedback in Display Advertising", KDD: a second model for the delay says how much a
missing click means. Ktena et al. 2019, "Addressing Delayed Feedback for Continuous Training with Neural Networks in
CTR Prediction", RecSys: undo the negatives that were sent before their click.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data


def share_seen(elapsed: ArrayLike, delays: ArrayLike) -> np.ndarray:
    """Return the share of clicks that have arrived so long after their impression.

    Divide the labels by it, y / share_seen, and their mean is right at every age: each click seen stands for those
    that are still to come.

    Parameters
    ----------
    elapsed : array of any shape
        Time from the impression until now, at least 0.
    delays : array of shape (m,)
        Times from impression to click, in the same unit, from impressions so old that all of their clicks have come.

    Returns
    -------
    array of the shape of elapsed
        In [0, 1]; 0 before the earliest delay, where no label can be divided.

    Raises
    ------
    ValueError
        If a time is negative or not finite, or there is no delay.

    Examples
    --------
    >>> share_seen([0.5, 2, 60], delays=[1, 2, 3, 50]).tolist()
    [0.0, 0.5, 1.0]
    """
    now, sample = _times("elapsed", elapsed), _times("delays", delays)
    if sample.size == 0:
        raise ValueError("delays must hold at least one delay")
    # --8<-- [start:seen]
    return np.searchsorted(np.sort(sample.ravel()), now, side="right") / sample.size
    # --8<-- [end:seen]


def undo_fake_negatives(y_prob: ArrayLike) -> np.ndarray:
    """Return probabilities of a model that saw each row as a negative at once, and again as a click when one came.

    Such a model learns b = p / (1 + p), since clicks are there twice; this returns p = b / (1 - b).

    Parameters
    ----------
    y_prob : array of any shape
        What that model predicts, in [0, 1].

    Returns
    -------
    array of the same shape
        At most 1.

    Raises
    ------
    ValueError
        If a probability is outside [0, 1] or NaN.

    Examples
    --------
    >>> undo_fake_negatives([0.0, 0.2, 0.5]).tolist()
    [0.0, 0.25, 1.0]
    """
    b = np.asarray(y_prob, dtype=float)
    if not ((b >= 0) & (b <= 1)).all():
        wrong = int(np.argmin((b >= 0) & (b <= 1)))
        raise ValueError(f"y_prob must be in [0, 1], got {b.flat[wrong]:g} at row {wrong}")
    # --8<-- [start:undo]
    b = np.minimum(b, 0.5)  # more than one half cannot be: every row was sent as a negative
    return b / (1 - b)
    # --8<-- [end:undo]


class DelayedFeedbackClassifier(ClassifierMixin, BaseEstimator):
    """Logistic regression for the click, exponential regression for its delay, fitted together.

    Parameters
    ----------
    C : float
        Inverse strength of the L2 penalty on both, as in scikit-learn's LogisticRegression. Intercepts have none.
    max_iter : int
        Most steps of L-BFGS.

    Attributes
    ----------
    coef_, intercept_ : arrays of shape (1, n_features) and (1,)
        Log odds of a click, however late it comes.
    delay_coef_, delay_intercept_ : arrays of shape (1, n_features) and (1,)
        Logarithm of the rate at which clicks arrive, per unit of time.
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If X holds NaN or infinity, a label is not 0 or 1, there is no click, or a time is negative or not finite.

    Examples
    --------
    >>> X, y, time = [[0], [0], [1], [1]] * 50, [0, 1, 0, 0] * 50, [9, 1, 9, 9] * 50
    >>> DelayedFeedbackClassifier(C=100).fit(X, y, time).predict_proba([[0], [1]])[:, 1].round(1)
    array([0.5, 0. ])
    """

    def __init__(self, C: float = 1.0, max_iter: int = 500) -> None:
        self.C = C
        self.max_iter = max_iter

    def fit(self, X: ArrayLike | csr_matrix, y: ArrayLike, time: ArrayLike) -> DelayedFeedbackClassifier:
        """Fit both models.

        Parameters
        ----------
        X : array or sparse matrix of shape (n, n_features)
        y : array of shape (n,)
            1 if a click has come by now, else 0.
        time : array of shape (n,)
            For a click its delay; for the others the time since the impression.
        """
        if not 0 < self.C < np.inf:
            raise ValueError(f"C must be positive and finite, got {self.C}")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        t = _times("time", time)
        if t.shape != y.shape:
            raise ValueError(f"time must have one entry for each of the {len(y)} rows, got shape {t.shape}")
        if not np.isin(y, (0, 1)).all():
            raise ValueError(f"y must be 0 or 1, got {y[~np.isin(y, (0, 1))][0]} at row {np.isin(y, (0, 1)).argmin()}")
        if not y.any():
            raise ValueError("y has no click: nothing tells how late clicks are")
        start = np.zeros((2, X.shape[1] + 1))
        start[:, -1] = np.log(y.mean()), -np.log(max(t[y == 1].mean(), 1e-9))
        solution = minimize(
            self._objective,
            start.ravel(),
            args=(X, y == 1, t),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": self.max_iter, "ftol": 1e-10, "gtol": 1e-7},
        ).x.reshape(start.shape)
        self.classes_ = np.array([0, 1])
        self.coef_, self.delay_coef_ = solution[:1, :-1], solution[1:, :-1]
        self.intercept_, self.delay_intercept_ = solution[0, -1:], solution[1, -1:]
        return self

    def predict_proba(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the probabilities of no click and of a click at any time, shape (n, 2)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        p = expit(X @ self.coef_[0] + self.intercept_)
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return 1 where a click is more probable than none, shape (n,)."""
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)

    def predict_delay(self, X: ArrayLike | csr_matrix) -> np.ndarray:
        """Return the mean delay of a click, in the unit of the times, shape (n,)."""
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return np.exp(-(X @ self.delay_coef_[0] + self.delay_intercept_))

    def _objective(self, flat, X, clicked, time) -> tuple[float, np.ndarray]:
        """Return the mean penalized negative log likelihood and its gradient."""
        weights = flat.reshape(2, -1)
        # --8<-- [start:likelihood]
        z = X @ weights[0, :-1] + weights[0, -1]  # log odds of a click, some day
        log_rate = X @ weights[1, :-1] + weights[1, -1]
        passed = np.exp(log_rate) * time  # time in units of the mean delay
        # Clicked: p times the density of the delay. Not yet: 1 - p + p exp(-passed), in logarithms.
        log_likelihood = np.where(
            clicked,
            log_rate - passed - np.logaddexp(0, -z),
            np.logaddexp(0, z - passed) - np.logaddexp(0, z),
        )
        waiting = expit(z - passed)  # probability of a click that is still to come
        slope = np.stack([np.where(clicked, 1, waiting) - expit(z), np.where(clicked, 1 - passed, -waiting * passed)])
        # --8<-- [end:likelihood]
        n, penalty = len(time), weights[:, :-1] / self.C
        gradient = np.column_stack([penalty - slope @ X, -slope.sum(axis=1)]) / n
        return ((weights[:, :-1] * penalty).sum() / 2 - log_likelihood.sum()) / n, gradient.ravel()


def _times(name: str, values: ArrayLike) -> np.ndarray:
    """Return times as floats, or say which is wrong."""
    times = np.asarray(values, dtype=float)
    good = (times >= 0) & (times < np.inf)
    if not good.all():
        wrong = int(np.argmin(good))
        raise ValueError(f"{name} must be at least 0 and finite, got {times.flat[wrong]:g} at row {wrong}")
    return times
