"""Look for features, splits and scores that know what they should not.

Kaufman et al. 2012, "Leakage in Data Mining: Formulation, Detection, and Avoidance", TKDD 6.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

COLUMNS = ["check", "what", "value", "limit", "suspicious", "reason"]


def single_feature_scores(X: pd.DataFrame, y: ArrayLike, limit: float = 0.8) -> pd.DataFrame:
    """Score each feature alone, and whether it is missing alone, by AUC.

    One feature that nearly decides the label is rarely honest. Numbers are scored by rank, in the better direction;
    categories by the click rate of their other half of the rows, so that a unique identifier scores 0.5.

    Parameters
    ----------
    X : pandas.DataFrame of n rows
    y : array of shape (n,)
        Labels, 0 or 1, both present.
    limit : float
        AUC from which a feature is suspicious, in (0.5, 1].

    Returns
    -------
    pandas.DataFrame
        The columns ``check`` ("one feature" or "missing values"), ``what`` (the feature), ``value`` (its AUC),
        ``limit``, ``suspicious`` and ``reason``, the highest value first.

    Raises
    ------
    ValueError
        If X and y differ in length, y is not 0 and 1 or lacks one of them, or limit is out of range.

    Examples
    --------
    >>> X = pd.DataFrame({"age": [30, 40, 30, 40], "dwell": [None, 12.0, None, 40.0]})
    >>> found = single_feature_scores(X, [0, 1, 0, 1])
    >>> found.loc[found["check"] == "missing values", "what"].tolist()
    ['dwell']
    """
    label = _labels(y, len(X))
    if not 0.5 < limit <= 1:
        raise ValueError(f"limit must be an AUC in (0.5, 1], got {limit}")
    found = []
    for name in X:
        column = X[name]
        missing = column.isna().to_numpy()
        # --8<-- [start:single]
        if column.dtype.kind in "iufb":
            score = _auc(column[~missing].to_numpy(float), label[~missing])
            score = max(score, 1 - score)  # a feature may point down
        else:
            codes, n = pd.factorize(column)[0] + 1, column.nunique() + 1
            half = np.arange(len(label)) % 2
            rates = [
                (np.bincount(codes[half == h], label[half == h], n) + label.mean())
                / (np.bincount(codes[half == h], minlength=n) + 1)
                for h in (0, 1)
            ]
            score = _auc(np.where(half == 0, rates[1][codes], rates[0][codes]), label)
        # --8<-- [end:single]
        found.append(("one feature", name, score, limit, f"{name} alone ranks clicks with an AUC of {score:.3f}"))
        if missing.any() and not missing.all():
            gap = _auc(missing.astype(float), label)
            gap = max(gap, 1 - gap)
            found.append(("missing values", name, gap, limit, f"whether {name} is missing has an AUC of {gap:.3f}"))
    return _report(found)


def future_correlation(
    X: pd.DataFrame, y: ArrayLike, key: ArrayLike, time: ArrayLike, false_alarms: float = 0.001
) -> pd.DataFrame:
    """Ask of each history whether it already knows the label of its own row.

    A history of a user or an item, such as a click rate, must not move *into* a row because of that row's label, and
    must know nothing at the first row of its key. Both correlations are 0 for an honest one. A step is held against
    this label *minus the next*, so that keys with more clicks, whose histories move more, do not look like a leak.

    Parameters
    ----------
    X : pandas.DataFrame of n rows
        Histories: numbers that count or average what happened to the key. Other features may fail honestly.
    y : array of shape (n,)
        Labels, 0 or 1, both present.
    key, time : arrays of shape (n,)
        Whose history it is, and when the row was served.
    false_alarms : float
        Share of honest histories that may be called suspicious, in (0, 1); several columns share it.

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, with the checks "own label" and "first row". Rows of one key and time count as one.

    Raises
    ------
    ValueError
        If lengths differ, y is not 0 and 1 or lacks one of them, a column is not numeric, or a time is missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> user, y = np.repeat(range(200), 10), rng.integers(0, 2, 2000)
    >>> X = pd.DataFrame({"rate": pd.Series(y).groupby(user).transform("mean")})
    >>> future_correlation(X, y, user, np.tile(range(10), 200))["suspicious"].tolist()
    [True, False]
    """
    label = _labels(y, len(X))
    who, when = pd.Series(key), pd.Series(time)
    if len(who) != len(X) or len(when) != len(X):
        raise ValueError(f"one key and one time for each of the {len(X)} rows: got {len(who)} and {len(when)}")
    if when.isna().any():
        raise ValueError(f"time is missing at row {int(when.isna().to_numpy().argmax())}")
    code = pd.factorize(who, use_na_sentinel=False)[0]
    moments = pd.DataFrame({"key": code, "time": when.to_numpy()}).groupby(["key", "time"]).ngroup().to_numpy()
    size = np.bincount(moments)
    label = np.bincount(moments, label) / size  # rows of one key and time share what was known: take their mean
    owner = np.zeros(len(size), np.int64)
    owner[moments] = code
    first, followed = np.r_[True, owner[1:] != owner[:-1]], np.r_[owner[1:] == owner[:-1], False]
    tests = max(2 * X.shape[1], 1)
    found = []
    for name in X:
        if X[name].dtype.kind not in "iufb":
            raise ValueError(f"column {name!r} is not numeric")
        value = np.bincount(moments, X[name].to_numpy(float)) / size
        # --8<-- [start:future]
        step, ahead = np.diff(value, prepend=np.nan), np.append(label[1:], np.nan)
        for check, rows, signal, target, words in [
            # An honest step knows as little of this label as of the next, however different the keys.
            ("own label", ~first & followed, step, label - ahead, "moves with the label of its own row"),
            ("first row", first, value, label, "knows the label of the first row of its key"),
        ]:
            used = rows & np.isfinite(signal)
            r, n = _correlation(signal[used], target[used]), int(used.sum())
            limit = stats.norm.isf(false_alarms / 2 / tests) / np.sqrt(max(n, 1))
            found.append((check, name, abs(r), limit, f"{name} {words}: correlation {r:+.3f} over {n} rows"))
        # --8<-- [end:future]
    return _report(found)


def duplicates_across_split(
    train: pd.DataFrame, test: pd.DataFrame, subset: list[str] | None = None, limit: float = 0.01
) -> pd.DataFrame:
    """Return the share of test rows that are in the training rows too.

    Parameters
    ----------
    train, test : pandas.DataFrame
    subset : list of str or None
        Columns that make a row the same; None takes those that both have. Leave out what differs between copies, such
        as the time at which each was received.
    limit : float
        Share from which it is suspicious, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, one row.

    Raises
    ------
    ValueError
        If a table is empty, a column is missing, there is none to compare, or limit is out of range.

    Examples
    --------
    >>> a, b = pd.DataFrame({"id": [1, 2, 3]}), pd.DataFrame({"id": [3, 4]})
    >>> duplicates_across_split(a, b)["reason"].iloc[0]
    '1 of 2 test rows are in train too'
    """
    columns = subset if subset is not None else [c for c in test if c in train]
    _check_split(train, test, columns, limit)
    # --8<-- [start:duplicates]
    copied = int(test[columns].merge(train[columns].drop_duplicates(), on=columns).shape[0])
    # --8<-- [end:duplicates]
    share = copied / len(test)
    return _report(
        [("duplicates", ", ".join(columns), share, limit, f"{copied} of {len(test)} test rows are in train too")]
    )


def split_overlap(train: pd.DataFrame, test: pd.DataFrame, key: str, limit: float = 0.01) -> pd.DataFrame:
    """Return the share of test rows whose key is in the training rows too.

    Parameters
    ----------
    train, test : pandas.DataFrame
    key : str
        What must not be shared: a session, a request, a user if the model must serve new users. A day, or a time
        rounded, shows a split that is not by time.
    limit : float
        Share from which it is suspicious, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, one row.

    Raises
    ------
    ValueError
        If a table is empty or lacks the key, or limit is out of range.

    Examples
    --------
    >>> a, b = pd.DataFrame({"session": [1, 1, 2]}), pd.DataFrame({"session": [2, 2, 3, 4]})
    >>> split_overlap(a, b, "session")["value"].tolist()
    [0.5]
    """
    _check_split(train, test, [key], limit)
    # --8<-- [start:overlap]
    shared = test[key].isin(train[key])
    # --8<-- [end:overlap]
    share = float(shared.mean())
    reason = f"{share:.1%} of test rows have a {key} that train has, {test.loc[shared, key].nunique()} of them"
    return _report([("overlap", key, share, limit, reason)])


def beats_the_ceiling(
    y: ArrayLike, y_prob: ArrayLike, ceiling: float, false_alarms: float = 0.001, name: str = "the model"
) -> pd.DataFrame:
    """Say whether a score is better than can be: below the lowest log loss that anybody can have, beyond chance.

    Parameters
    ----------
    y : array of shape (n,)
        Labels, 0 or 1, both present.
    y_prob : array of shape (n,)
        Predictions, in (0, 1).
    ceiling : float
        The best log loss possible, in nats, more than 0: of the true probabilities where they are known, else of the
        best honest system so far, with a margin.
    false_alarms : float
        Probability to accuse a model that is exactly at the ceiling, in (0, 1).
    name : str
        What to call the model.

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, one row; ``value`` is the log loss and ``limit`` what it must not go below.

    Raises
    ------
    ValueError
        If lengths differ, y is not 0 and 1 or lacks one of them, or an argument is out of range.

    Examples
    --------
    >>> beats_the_ceiling([0, 1] * 500, [0.01, 0.99] * 500, ceiling=0.6)["suspicious"].tolist()
    [True]
    """
    p = np.asarray(y_prob, dtype=float)
    label = _labels(y, len(p))
    if not ((p > 0) & (p < 1)).all():
        raise ValueError("y_prob must be in (0, 1)")
    if not 0 < ceiling < np.inf:
        raise ValueError(f"ceiling must be positive and finite, got {ceiling}")
    # --8<-- [start:ceiling]
    loss = -np.where(label == 1, np.log(p), np.log1p(-p))
    limit = ceiling - stats.norm.isf(false_alarms) * loss.std() / np.sqrt(len(loss))
    # --8<-- [end:ceiling]
    row = ("ceiling", name, -loss.mean(), -limit, f"log loss {loss.mean():.4f}, the best possible is {ceiling:.4f}")
    report = _report([row])
    report[["value", "limit"]] *= -1
    return report


def _report(found: list[tuple]) -> pd.DataFrame:
    """Return a tidy table, the most suspicious first."""
    rows = [(check, what, value, limit, bool(value > limit), reason) for check, what, value, limit, reason in found]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _auc(score: np.ndarray, label: np.ndarray) -> float:
    """Return the AUC of a score, 0.5 if there is nothing to compare."""
    positives = int((label == 1).sum())
    negatives = len(label) - positives
    if positives == 0 or negatives == 0:
        return 0.5
    ranks = stats.rankdata(score)
    return float((ranks[label == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation, 0 where one does not vary."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _labels(y: ArrayLike, n: int) -> np.ndarray:
    """Return labels, or say which is wrong."""
    label = np.asarray(y)
    if label.shape != (n,) or n == 0:
        raise ValueError(f"y must have one label for each of the {n} rows, at least one, got shape {label.shape}")
    binary = (label == 0) | (label == 1)
    if not binary.all():
        raise ValueError(f"y must be 0 or 1, got {label[~binary][0]} at row {binary.argmin()}")
    if label.min() == label.max():
        raise ValueError(f"y holds only {label[0]}: nothing to tell apart")
    return label


def _check_split(train: pd.DataFrame, test: pd.DataFrame, columns: list[str], limit: float) -> None:
    for name, frame in [("train", train), ("test", test)]:
        if not len(frame):
            raise ValueError(f"{name} has no row")
        for column in columns:
            if column not in frame:
                raise ValueError(f"{name} has no column {column!r}")
    if not columns:
        raise ValueError("train and test have no column in common")
    if not 0 < limit <= 1:
        raise ValueError(f"limit must be a share in (0, 1], got {limit}")
