"""Drift: has the data changed, and by more than chance.

The population stability index compares two samples of one number; a classifier told to tell two samples apart compares
all columns at once. Both come with what chance alone would show.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split


class Separation(NamedTuple):
    """How well a classifier tells two samples apart."""

    auc: float  # on rows it was not trained on; 0.5 is chance
    p_value: float  # of seeing such an AUC or a higher one between equal samples


def population_stability_index(expected: ArrayLike, actual: ArrayLike, n_bins: int = 10) -> float:
    """Return the population stability index of a sample against a reference.

    Parameters
    ----------
    expected : array of shape (n,)
        The reference, for instance a feature or the predictions in training. Its quantiles are the bins.
    actual : array of shape (m,)
        The sample to compare.
    n_bins : int
        Bins of about equal size in the reference, at least 2. Equal quantiles are one edge: a number with few values
        gets fewer bins. Values beyond the reference fall into the outer bins.

    Returns
    -------
    float
        The sum over bins of (a - e) ln(a / e), with the shares a and e of both samples: 0 if they agree, at most
        large. A bin empty in one sample counts as half a row there. Chance alone gives about
        (bins - 1) (1 / n + 1 / m): compare with ``psi_threshold``.

    Raises
    ------
    ValueError
        If an array is empty, not one-dimensional or holds NaN (compare the shares of missing values apart), or n_bins
        is no whole number of at least 2.

    Notes
    -----
    Yurdakul & Naranjo 2020, "Statistical Properties of the Population Stability Index", Journal of Risk Model
    Validation 14. It is Jeffreys' divergence of the binned samples.

    Examples
    --------
    >>> round(population_stability_index([1, 2, 3, 4], [3, 4, 4, 4], n_bins=2), 3)
    0.809
    """
    reference, sample = _numbers("expected", expected), _numbers("actual", actual)
    if not isinstance(n_bins, int | np.integer) or isinstance(n_bins, bool) or n_bins < 2:
        raise ValueError(f"n_bins must be a whole number of at least 2, got {n_bins!r}")
    # --8<-- [start:psi]
    edges = np.unique(np.quantile(reference, np.arange(1, n_bins) / n_bins, method="inverted_cdf"))
    counts = np.array([np.bincount(np.searchsorted(edges, x), minlength=len(edges) + 1) for x in (reference, sample)])
    counts = np.maximum(counts[:, counts.any(axis=0)], 0.5)
    e, a = counts / counts.sum(axis=1, keepdims=True)
    return float((a - e) @ np.log(a / e))
    # --8<-- [end:psi]


def psi_threshold(n_expected: int, n_actual: int, n_bins: int = 10, false_alarm_rate: float = 0.01) -> float:
    """Return the population stability index that chance alone exceeds with the given probability.

    Parameters
    ----------
    n_expected, n_actual : int
        Rows of the two samples, at least 1; several hundred for the approximation to hold.
    n_bins : int
        Bins that both have, at least 2.
    false_alarm_rate : float
        In (0, 1).

    Returns
    -------
    float
        A quantile of chi-squared with n_bins - 1 degrees of freedom, times 1 / n_expected + 1 / n_actual.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(psi_threshold(1_000, 1_000), 3), round(psi_threshold(100_000, 100_000), 5)
    (0.043, 0.00043)
    """
    for name, value, least in [("n_expected", n_expected, 1), ("n_actual", n_actual, 1), ("n_bins", n_bins, 2)]:
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
    if not 0 < false_alarm_rate < 1:
        raise ValueError(f"false_alarm_rate must be in (0, 1), got {false_alarm_rate}")
    return float(stats.chi2.isf(false_alarm_rate, n_bins - 1) * (1 / n_expected + 1 / n_actual))


def classifier_two_sample_test(expected: ArrayLike, actual: ArrayLike, seed: int = 0) -> Separation:
    """Train a classifier to tell two samples apart, and test on the other half whether it can.

    It sees changes in how columns go together, which no test of single columns sees. The classifier is 50
    gradient-boosted trees of at most 8 leaves, all fitted on all rows of the first half.

    Parameters
    ----------
    expected, actual : arrays of shape (n, columns) and (m, columns)
        Numbers; NaN counts as missing and may itself tell the samples apart. Leave out whatever differs by design, such
        as a date. Rows must be independent: of requests with several rows, pass one row each.
    seed : int
        Fixes the halves and the classifier.

    Returns
    -------
    Separation
        The p-value is that of the Mann-Whitney test between the scores of both samples.

    Raises
    ------
    ValueError
        If the arrays are not two-dimensional with equal columns, or have fewer than 20 rows each.

    Notes
    -----
    Lopez-Paz & Oquab 2017, "Revisiting Classifier Two-Sample Tests", ICLR.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> test = classifier_two_sample_test(rng.normal(size=(500, 2)), rng.normal(size=(500, 2)) + [0, 1])
    >>> test.auc > 0.6, test.p_value < 0.001
    (True, True)
    """
    reference, sample = np.asarray(expected, dtype=np.float64), np.asarray(actual, dtype=np.float64)
    for name, array in [("expected", reference), ("actual", sample)]:
        if array.ndim != 2 or len(array) < 20:
            raise ValueError(f"{name} must have the shape (20 rows or more, columns), got {array.shape}")
    if reference.shape[1] != sample.shape[1]:
        raise ValueError(f"actual has {sample.shape[1]} columns, expected has {reference.shape[1]}")
    # --8<-- [start:classifier]
    x = np.concatenate([reference, sample])
    is_sample = np.repeat([0, 1], [len(reference), len(sample)])
    x_train, x_test, y_train, y_test = train_test_split(
        x, is_sample, test_size=0.5, stratify=is_sample, random_state=seed
    )
    model = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, early_stopping=False, random_state=seed)
    score = model.fit(x_train, y_train).predict_proba(x_test)[:, 1]
    wins, p_value = stats.mannwhitneyu(score[y_test == 1], score[y_test == 0], alternative="greater")
    auc = wins / ((y_test == 1).sum() * (y_test == 0).sum())
    # --8<-- [end:classifier]
    return Separation(float(auc), float(p_value))


def _numbers(name: str, values: ArrayLike) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must have one dimension and a row, got shape {array.shape}")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold numbers, got {array.dtype}")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise ValueError(f"{name} must not hold NaN, got one at row {int(np.isnan(array).argmax())}: compare how many")
    return array.astype(np.int8) if array.dtype == bool else array
