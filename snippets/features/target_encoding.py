"""Replace a category by the smoothed mean of its labels, without a row ever seeing its own.

Micci-Barreca 2001, "A Preprocessing Scheme for High-Cardinality Categorical Attributes in Classification and
Prediction Problems", SIGKDD Explorations 3. Prokhorenkova et al. 2018, "CatBoost: Unbiased Boosting with Categorical
Features", NeurIPS, for statistics of the rows before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def encode_from(
    key: ArrayLike, y: ArrayLike, new_key: ArrayLike, strength: float = 20.0, prior: float | None = None
) -> np.ndarray:
    """Encode new rows by the labels of others: (sum of y + strength x prior) / (rows + strength).

    Give it earlier rows to learn from. Given the same rows twice, each sees its own label: that is the leak.

    Parameters
    ----------
    key, y : arrays of shape (m,)
        Categories and labels to learn from. A missing key is a category of its own.
    new_key : array of shape (n,)
        Categories to encode; unseen ones get the prior.
    strength : float
        How many rows the prior is worth, at least 0.
    prior : float or None
        None takes the mean of y.

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    ValueError
        If arrays are empty or differ in length, a label is not finite, or strength is negative or not finite.

    Examples
    --------
    >>> encode_from(["a", "a", "b"], [1, 0, 0], ["a", "b", "c"], strength=1).round(2).tolist()
    [0.44, 0.17, 0.33]
    """
    code, label, new = _check(key, y, strength, new_key)
    # --8<-- [start:mean]
    prior = label.mean() if prior is None else prior
    n = max(code.max(), new.max(initial=0)) + 1
    rows, total = np.bincount(code, minlength=n), np.bincount(code, label, minlength=n)
    known = rows + strength > 0
    mean = np.full(n, float(prior))
    mean[known] = (total[known] + strength * prior) / (rows[known] + strength)
    return mean[new]
    # --8<-- [end:mean]


def encode_out_of_fold(key: ArrayLike, y: ArrayLike, fold: ArrayLike, strength: float = 20.0) -> np.ndarray:
    """Encode each row by the labels of all folds but its own.

    Parameters
    ----------
    key, y, fold : arrays of shape (n,)
        Categories, labels, and the fold of each row; at least two folds.
    strength : float
        How many rows the prior, the mean of the other folds, is worth, at least 0.

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    ValueError
        As `encode_from`; also if there is one fold only.

    Examples
    --------
    >>> encode_out_of_fold(["a", "a", "a", "b"], [1, 0, 0, 1], [0, 1, 0, 1], strength=0).tolist()
    [0.0, 0.5, 0.0, 0.5]
    """
    label, folds = np.asarray(y, dtype=float), np.asarray(fold)
    keys = np.asarray(pd.factorize(pd.Series(key), use_na_sentinel=False)[0])
    if folds.shape != label.shape or len(np.unique(folds)) < 2:
        raise ValueError("fold must name one of at least two folds for each row")
    out = np.empty(len(label))
    # --8<-- [start:folds]
    for one in np.unique(folds):
        inside = folds == one
        out[inside] = encode_from(keys[~inside], label[~inside], keys[inside], strength)
    # --8<-- [end:folds]
    return out


def encode_ordered(
    key: ArrayLike, y: ArrayLike, time: ArrayLike, strength: float = 20.0, prior: float = 0.0
) -> np.ndarray:
    """Encode each row by the labels of strictly earlier rows of its category.

    Parameters
    ----------
    key, y, time : arrays of shape (n,)
        Categories, labels, and when each label became known. Rows of one time do not see each other.
    strength : float
        How many rows the prior is worth, more than 0.
    prior : float
        Value before anything is known. Take it from earlier data: the mean of y knows the future.

    Returns
    -------
    array of shape (n,)

    Raises
    ------
    ValueError
        As `encode_from`; also if strength is 0, or a time is missing.

    Examples
    --------
    >>> encode_ordered(["a", "a", "a"], [1, 0, 1], [1, 2, 3], strength=1, prior=0.5).round(2).tolist()
    [0.5, 0.75, 0.5]
    """
    code, label, _ = _check(key, y, strength, [])
    when = pd.Series(time)
    if len(when) != len(label) or when.isna().any():
        raise ValueError("time must be there for each row")
    if strength == 0:
        raise ValueError("strength must be more than 0: the first row of a category has nothing else")
    # --8<-- [start:ordered]
    order = np.lexsort((when.to_numpy(), code))
    sorted_code, moment = code[order], when.to_numpy()[order]
    total = np.concatenate([[0.0], np.cumsum(label[order])])
    position = np.arange(len(order))
    new_key = np.r_[True, sorted_code[1:] != sorted_code[:-1]]
    new_moment = new_key | np.r_[True, moment[1:] != moment[:-1]]
    start = np.maximum.accumulate(np.where(new_key, position, 0))
    end = np.maximum.accumulate(np.where(new_moment, position, 0))  # first row of the same key and moment
    encoded = np.empty(len(order))
    encoded[order] = (total[end] - total[start] + strength * prior) / (end - start + strength)
    return encoded
    # --8<-- [end:ordered]


def _check(key, y, strength, new_key) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return keys as whole numbers and labels, or say what is wrong."""
    old, label, new = pd.Series(key), np.asarray(y, dtype=float), pd.Series(new_key, dtype=None)
    if len(old) == 0 or label.shape != (len(old),):
        raise ValueError(f"one label for each key, at least one: got {len(old)} keys and labels of shape {label.shape}")
    if not np.isfinite(label).all():
        raise ValueError(f"y must be finite, got {label[~np.isfinite(label)][0]} at row {np.isfinite(label).argmin()}")
    if not 0 <= strength < np.inf:
        raise ValueError(f"strength must be at least 0 and finite, got {strength}")
    both = pd.concat([old, new], ignore_index=True) if len(new) else old
    codes, _ = pd.factorize(both, use_na_sentinel=False)
    return codes[: len(old)], label, codes[len(old) :]
