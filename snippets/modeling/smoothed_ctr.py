"""Predict the click rate of an ad, or of any key, by its own history, shrunk towards the rate of all.

Empirical Bayes: the prior is a Beta distribution fitted to the rates of all keys. Robbins 1956, "An Empirical Bayes
Approach to Statistics"; for click rates Agarwal et al. 2010, "Estimating Rates of Rare Events with Multiple
Hierarchies through Scalable Log-linear Models", KDD, is the version for many levels.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import betaln
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

MOST = 1e7  # impressions that a prior may be worth; beyond it the keys do not differ


def fit_beta_prior(clicks: ArrayLike, impressions: ArrayLike) -> tuple[float, float]:
    """Fit the Beta distribution of the keys' true rates, from counts alone.

    Parameters
    ----------
    clicks, impressions : arrays of shape (n_keys,)
        Counts of each key, 0 <= clicks <= impressions; fractions are weights.

    Returns
    -------
    (alpha, beta) : floats
        alpha / (alpha + beta) is the rate over all rows. alpha + beta maximises the beta-binomial likelihood at that
        mean: it is how many impressions of its own a key needs to count as much as the prior.

    Raises
    ------
    ValueError
        If arrays are empty or differ in length, a count is out of range, or nothing or everything was clicked.

    Examples
    --------
    >>> alpha, beta = fit_beta_prior([0, 2, 9, 1], [100, 100, 100, 20])
    >>> round(alpha / (alpha + beta), 4), round(alpha + beta)
    (0.0375, 26)
    """
    clicks, impressions = np.asarray(clicks, dtype=float), np.asarray(impressions, dtype=float)
    if clicks.ndim != 1 or clicks.shape != impressions.shape or not len(clicks):
        raise ValueError(f"clicks and impressions must be of one length, got {clicks.shape} and {impressions.shape}")
    bad = ~((clicks >= 0) & (clicks <= impressions) & np.isfinite(impressions))
    if bad.any():
        i = bad.argmax()
        raise ValueError(f"0 <= clicks <= impressions must hold, got {clicks[i]} of {impressions[i]} at key {i}")
    if not 0 < clicks.sum() < impressions.sum():
        raise ValueError(f"a prior needs some clicks and some without, got {clicks.sum():g} of {impressions.sum():g}")
    # --8<-- [start:prior]
    mean = clicks.sum() / impressions.sum()

    def loss(log_strength):
        a, b = mean * np.exp(log_strength), (1 - mean) * np.exp(log_strength)
        return -(betaln(clicks + a, impressions - clicks + b) - betaln(a, b)).sum()

    strength = np.exp(minimize_scalar(loss, bounds=(np.log(1e-2), np.log(MOST)), method="bounded").x)
    return float(mean * strength), float((1 - mean) * strength)
    # --8<-- [end:prior]


class SmoothedCTR(ClassifierMixin, BaseEstimator):
    """Predict (clicks + alpha) / (impressions + alpha + beta) of the row's key.

    Parameters
    ----------
    strength : float or None
        How many impressions the prior is worth, more than 0. None fits it, see `fit_beta_prior`.

    Attributes
    ----------
    alpha_, beta_ : float
        The prior. A key nobody has seen is predicted alpha / (alpha + beta).
    keys_ : array of shape (n_keys, n_features)
    clicks_, impressions_ : arrays of shape (n_keys,)
    classes_ : array of shape (2,)

    Raises
    ------
    ValueError
        If strength is not positive and finite, or the labels are of other than two classes.

    Examples
    --------
    >>> ads = [[7], [7], [7], [7], [9], [9]]
    >>> SmoothedCTR(strength=4).fit(ads, [1, 1, 0, 1, 0, 0]).predict_proba([[7], [9], [8]])[:, 1].round(2)
    array([0.62, 0.33, 0.5 ])
    """

    def __init__(self, strength: float | None = None) -> None:
        self.strength = strength

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> SmoothedCTR:
        """Count. X has shape (n, n_features), numbers; rows that are equal in all of them are one key."""
        if self.strength is not None and not 0 < self.strength < np.inf:
            raise ValueError(f"strength must be positive and finite, or None, got {self.strength!r}")
        X, y = validate_data(self, X, y)
        check_classification_targets(y)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        self.classes_ = np.unique(y[weight > 0])
        if len(self.classes_) != 2:
            raise ValueError(f"Only binary classification is supported: y holds {len(self.classes_)} class(es)")
        # --8<-- [start:fit]
        key, click = _number(X), y == self.classes_[1]
        self.keys_ = X[np.unique(key, return_index=True)[1]]
        self.impressions_ = np.bincount(key, weight)
        self.clicks_ = np.bincount(key, weight * click)
        if self.strength is None:
            self.alpha_, self.beta_ = fit_beta_prior(self.clicks_, self.impressions_)
        else:
            mean = self.clicks_.sum() / self.impressions_.sum()
            self.alpha_, self.beta_ = self.strength * mean, self.strength * (1 - mean)
        # --8<-- [end:fit]
        return self

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the probabilities of both classes, shape (n, 2)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        key = _number(np.concatenate([self.keys_, X]))[len(self.keys_) :]  # the known keys come first, in order
        new = np.zeros(max(key.max() + 1 - len(self.keys_), 0))
        # --8<-- [start:predict]
        clicks = np.concatenate([self.clicks_, new])  # nobody has seen the new keys
        impressions = np.concatenate([self.impressions_, new])
        rate = (clicks + self.alpha_) / (impressions + self.alpha_ + self.beta_)
        p = rate[key]
        # --8<-- [end:predict]
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the more probable class of each row, shape (n,)."""
        likely = self.predict_proba(X)[:, 1] > 0.5
        return self.classes_[likely.astype(int)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _number(X: np.ndarray) -> np.ndarray:
    """Give the distinct rows numbers from 0 in the order in which they first appear."""
    return pd.DataFrame(X).groupby(list(range(X.shape[1])), sort=False).ngroup().to_numpy()
