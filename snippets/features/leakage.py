"""Look for features, splits and scores that know what they should not.

Kaufman et al. 2012, "Leakage in Data Mining: Formulation, Detection, and Avoidance",
TKDD 6.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

COLUMNS = ["check", "what", "value", "limit", "suspicious", "reason"]
SERVED = ("X", "served")  # what errors call the two tables
PEERS = 16  # keys that one key is compared with, more where they are equally long there
FRACTIONS = {"floating", "mixed-integer-float", "decimal"}
ORDERED = (
    FRACTIONS
    | {"boolean", "integer", "period"}
    | {
        f"{kind}{bits}"
        for kind in ("date", "datetime", "time", "timedelta")
        for bits in ("", "64")
    }
)


def single_feature_scores(
    X: pd.DataFrame, y: ArrayLike, limit: float = 0.8
) -> pd.DataFrame:
    """Score each feature alone, and whether it is missing alone, by AUC.

    One feature that nearly decides the label is rarely honest. Numbers, times and
    durations of any dtype are scored by rank, in the better direction. Categories are
    scored by the click rate of their other half of the rows, so that a unique
    identifier scores 0.5; a missing value is one of them. Categories that are numbers
    get the better of both.

    Parameters
    ----------
    X : table of n rows
    y : array of shape (n,)
        Labels, 0 or 1, both present.
    limit : float
        AUC from which a feature is suspicious, in (0.5, 1].

    Returns
    -------
    pandas.DataFrame
        The columns ``check`` ("one feature" or "missing values"), ``what`` (the
        feature), ``value`` (its AUC), ``limit``, ``suspicious`` and ``reason``, the
        highest value first.

    Raises
    ------
    ValueError
        If X and y differ in length, y is not 0 and 1 or lacks one of them, limit is out
        of range, or a column holds values of two kinds, such as 7 and "7".

    Examples
    --------
    >>> X = pd.DataFrame({"age": [30, 40, 30, 40], "dwell": [None, 12.0, None, 40.0]})
    >>> found = single_feature_scores(X, [0, 1, 0, 1])
    >>> found.loc[found["check"] == "missing values", "what"].tolist()
    ['dwell']
    """
    X, label = _frame("X", X), _both("y", y)
    _same_rows(X=X, y=label)
    limit = _number("limit", limit, "(0.5, 1]")
    found = []
    for name in X:
        column = _column(f"column {name!r}", X[name])
        missing = column.isna().to_numpy(bool)
        rank, is_category = _ranks(column)
        # --8<-- [start:single]
        scores = []
        if rank is not None:
            auc = _auc(rank[~missing], label[~missing])
            scores.append(max(auc, 1 - auc))  # a feature may point down
        if is_category:
            # Missing is a category, too
            code = _matched({f"column {name!r}": column})[0] + 1
            clicks, others = np.bincount(code, label), np.bincount(code, 1 - label)
            scores.append(_auc_of_other_half(clicks, others))
        score = max(scores)
        # --8<-- [end:single]
        found.append(
            (
                "one feature",
                name,
                score,
                limit,
                f"{name} alone ranks clicks with an AUC of {score:.3f}",
            )
        )
        if missing.any() and not missing.all():
            gap = _auc(missing.astype(float), label)
            gap = max(gap, 1 - gap)
            found.append(
                (
                    "missing values",
                    name,
                    gap,
                    limit,
                    f"whether {name} is missing has an AUC of {gap:.3f}",
                )
            )
    return _report(found)


def future_correlation(
    X: pd.DataFrame,
    y: ArrayLike,
    key: ArrayLike,
    time: ArrayLike,
    false_alarms: float = 0.001,
) -> pd.DataFrame:
    """Ask of each history whether it already knows the label of its own row.

    A history of a user or an item, such as a click rate, must not move *into* a row
    because of that row's label, and must know nothing at the first row of its key. Rows
    of one key and time, such as the ads of a page, know the same, so that among them a
    history must not differ by label. Between times, a key is followed until its first
    click: before that there is no click that it could remember, so that fatigue or
    habit, by which a click changes the chance of the next, cannot pass for a leak. Its
    step is held against those of the keys that wait for their first click, too, at the
    same row and after about as long: the risk sets of a survival analysis.

    Parameters
    ----------
    X : table of n rows
        Histories: numbers that count or average what happened to the key since its
        first row here. Other features may fail honestly.
    y : array of shape (n,)
        Labels, 0 or 1, both present.
    key, time : arrays of shape (n,)
        Whose history it is, and when the row was served, as precisely as the history
        was read. A missing key raises: leave out the rows of unknown users.
    false_alarms : float
        Share of honest histories that may be called suspicious, in (0, 1); several
        columns share it.

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, with the checks "own label" and "first row";
        ``value`` is a correlation among keys that can be compared. Where a history is
        missing it is left out; pass ``X.isna()`` to ask the same of that. With fewer
        than about five clicks to compare, nothing is suspicious.

    Raises
    ------
    ValueError
        If lengths differ, y is not 0 and 1 or lacks one of them, a column is not
        numeric, a key or a time is missing, or false_alarms is out of range.

    References
    ----------
    Mantel 1966, "Evaluation of survival data and two new rank order statistics arising
    in its consideration", Cancer Chemotherapy Reports 50.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> user, y = np.repeat(range(400), 10), rng.integers(0, 2, 4000)
    >>> X = pd.DataFrame({"rate": pd.Series(y).groupby(user).transform("mean")})
    >>> future_correlation(X, y, user, np.tile(range(10), 400))["suspicious"].tolist()
    [True, False]
    """
    X, label, code, ([when], _) = (
        _frame("X", X),
        _both("y", y),
        _codes("key", key),
        _moments({"time": time}),
    )
    _same_rows(X=X, y=label, key=code, time=when)
    z = stats.norm.isf(
        _number("false_alarms", false_alarms, "(0, 1)") / 2 / max(2 * X.shape[1], 1)
    )
    order = np.lexsort((when, code))
    code, when = code[order], when[order]
    new = np.r_[True, (code[1:] != code[:-1]) | (when[1:] != when[:-1])]
    y, moment, code, when = label[order], np.cumsum(new) - 1, code[new], when[new]
    size = np.bincount(moment)
    several = size[moment] > 1
    label = np.bincount(moment, y) / size
    first = np.r_[True, code[1:] != code[:-1]]
    start = np.flatnonzero(first)[np.cumsum(first) - 1]
    found = []
    # --8<-- [start:future]
    # Rows of one key and time know the same. Else peers are keys that wait for their
    # first click, at the same row.
    place, age = np.arange(len(code)) - start, when - when[start]
    clicks = np.append(0, np.cumsum(label > 0))
    waits = clicks[:-1] == clicks[start]
    rank = pd.Series(age[waits]).groupby(place[waits]).rank("min").to_numpy()
    peers = (
        pd.DataFrame({"place": place[waits], "age": (rank - 1) // PEERS})
        .groupby(["place", "age"])
        .ngroup()
    )
    peers = np.append(peers, len(peers) + moment[several])
    target = np.append(label[waits], y[several])
    for name in X:
        row = _history(name, X[name])[order]
        value = np.bincount(moment, row) / size
        step = np.where(first, np.nan, np.diff(value, prepend=0))
        for check, signal, words in [
            (
                "own label",
                np.append(step[waits], row[several]),
                "moves with the label of its own row",
            ),
            (
                "first row",
                np.where(first, value, np.nan)[waits],
                "knows the label of the first row of its key",
            ),
        ]:
            used = np.flatnonzero(np.isfinite(signal))
            r, limit = _among_peers(signal[used], target[used], peers[used], z)
            found.append(
                (
                    check,
                    name,
                    abs(r),
                    limit,
                    f"{name} {words}: correlation {r:+.3f} over {len(used)} rows",
                )
            )
    # --8<-- [end:future]
    return _report(found)


def duplicates_across_split(
    train: pd.DataFrame,
    test: pd.DataFrame,
    subset: str | Sequence[str] | None = None,
    limit: float = 0.01,
) -> pd.DataFrame:
    """Return the share of test rows that are in the training rows too.

    Parameters
    ----------
    train, test : tables
    subset : str, sequence of str or None
        Columns that identify a row; a row in which one of them is missing is no copy of
        any. None compares all columns that both have, and there a missing value equals
        a missing value. Leave out what differs between copies, such as the time at
        which each was received.
    limit : float
        Share from which it is suspicious, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, one row.

    Raises
    ------
    ValueError
        If a table is empty, a column is missing or of two kinds, such as 7 and "7",
        there is none to compare, or limit is out of range.

    Examples
    --------
    >>> a, b = pd.DataFrame({"id": [1, 2, 3]}), pd.DataFrame({"id": [3, 4]})
    >>> duplicates_across_split(a, b)["reason"].iloc[0]
    '1 of 2 test rows are in train too'
    """
    columns = (
        [] if subset is None else [subset] if isinstance(subset, str) else list(subset)
    )
    train, test = _frame("train", train, columns), _frame("test", test, columns)
    columns = [c for c in test if c in train] if subset is None else columns
    if not columns:
        raise ValueError(
            "train and test have no column in common"
            if subset is None
            else "subset is empty"
        )
    limit = _number("limit", limit, "(0, 1]")
    n = _same_rows(train=train)
    _same_rows(test=test)
    # --8<-- [start:duplicates]
    # the same for the same value
    codes = pd.DataFrame(
        dict(enumerate(_values(c, train[c], test[c]) for c in columns))
    )
    row = codes.groupby(list(codes), sort=False).ngroup().to_numpy()
    known = np.full(len(row), subset is None) | (codes >= 0).all(axis=1).to_numpy()
    copied = int((np.isin(row[n:], row[:n][known[:n]]) & known[n:]).sum())
    # --8<-- [end:duplicates]
    what = ", ".join(map(str, columns))
    reason = f"{copied} of {len(test)} test rows are in train too"
    return _report([("duplicates", what, copied / len(test), limit, reason)])


def split_overlap(
    train: pd.DataFrame, test: pd.DataFrame, key: str, limit: float = 0.01
) -> pd.DataFrame:
    """Return the share of test rows whose key is in the training rows too.

    Parameters
    ----------
    train, test : tables
    key : str
        What must not be shared: a session, a request, a user if the model must serve
        new users. A day, or a time rounded, shows a split that is not by time. Rows in
        which it is missing share nothing.
    limit : float
        Share from which it is suspicious, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, one row.

    Raises
    ------
    ValueError
        If a table is empty or lacks the key, the keys are of two kinds, such as 7 and
        "7", or limit is out of range.

    Examples
    --------
    >>> a, b = (
    ...     pd.DataFrame({"session": [1, 1, 2]}),
    ...     pd.DataFrame({"session": [2, 2, 3, 4]}),
    ... )
    >>> split_overlap(a, b, "session")["value"].tolist()
    [0.5]
    """
    train, test = _frame("train", train, [key]), _frame("test", test, [key])
    limit = _number("limit", limit, "(0, 1]")
    _same_rows(train=train)
    _same_rows(test=test)
    # --8<-- [start:overlap]
    known, asked = _matched(
        {f"{key} of train": train[key], f"{key} of test": test[key]}
    )
    shared = np.isin(asked, known) & (asked >= 0)
    # --8<-- [end:overlap]
    share = float(shared.mean())
    reason = (
        f"{share:.1%} of test rows have a {key} that train has, "
        f"{len(np.unique(asked[shared]))} of them"
    )
    return _report([("overlap", key, share, limit, reason)])


def known_at_serving(
    X: pd.DataFrame, served: pd.DataFrame, by: str | Sequence[str], limit: float = 0.01
) -> pd.DataFrame:
    """Return the share of rows in which a feature is not what the server had.

    The server had it when it scored the row. A feature that the server did not have is
    a leak, whatever it knows: the position of an ad, which the score decides, or a
    bill, which follows the click. So is one that the server had with another value.

    Parameters
    ----------
    X : table of n rows
        What the model is trained on or, more to the point, tested on, with the columns
        of by.
    served : table
        What the server logged when it scored, with the columns of by; other rows and
        columns may stand in it too.
    by : str or sequence of str
        Columns that identify a row, such as request and ad. Where one of them is
        missing in X, nothing was served.
    limit : float
        Share from which it is suspicious, in (0, 1].

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, a row for each column of X but by. A value missing
        on both sides is the same. Numbers with fractions are the same to one part in a
        million, for many a server keeps 32 bits; all others exactly.

    Raises
    ------
    ValueError
        If a table is empty or lacks a column of by, by is empty or all of X, served has
        one row twice, a column is of two kinds, such as 7 and "7", or limit is out of
        range.

    Examples
    --------
    >>> X = pd.DataFrame({"id": [1, 2], "rate": [0.5, 0.2], "position": [1, 3]})
    >>> served = pd.DataFrame({"id": [2, 1], "rate": [0.2, 0.5], "position": [1, 1]})
    >>> known_at_serving(X, served, "id").set_index("what")["value"].to_dict()
    {'position': 0.5, 'rate': 0.0}
    """
    by = [by] if isinstance(by, str) or not np.iterable(by) else list(by)
    X, served = _frame("X", X, by), _frame("served", served, by)
    limit = _number("limit", limit, "(0, 1]")
    n, features = _same_rows(X=X), [name for name in X if name not in by]
    _same_rows(served=served)
    if not by or not features:
        raise ValueError(
            "by is empty" if not by else "X has no column beside those of by"
        )
    codes = pd.DataFrame(
        dict(enumerate(_values(c, X[c], served[c], SERVED) for c in by))
    )
    row = codes.groupby(list(codes), sort=False).ngroup().to_numpy()
    there = (codes >= 0).all(axis=1).to_numpy()
    twice = pd.Series(row[n:]).where(there[n:]).dropna().duplicated()
    if twice.any():
        raise ValueError(
            f"served has the same {', '.join(map(str, by))} twice, again at row "
            f"{int(twice.idxmax())}"
        )
    # --8<-- [start:known]
    place = np.full(row.max() + 1, -1)  # of each row of X in what was served
    place[row[n:][there[n:]]] = np.flatnonzero(there[n:])
    place = place[row[:n]]
    found = []
    for name in features:
        if name in served:
            other = _differs(name, X[name], served[name], place) | (place < 0)
            share = float(other.mean())
            reason = f"{name} is not what was served in {share:.1%} of rows"
        else:
            share, reason = 1.0, f"{name} is not among what was served"
        found.append(("known at serving", name, share, limit, reason))
    # --8<-- [end:known]
    return _report(found)


def _differs(
    name: Any, offline: pd.Series, served: pd.Series, place: np.ndarray
) -> np.ndarray:
    """Say of each row whether its value is not the one served at its place."""
    sides = {
        f"column {name!r} of {table}": column
        for table, column in zip(SERVED, (offline, served), strict=True)
    }
    columns = [_column(label, column) for label, column in sides.items()]
    columns = [
        c.astype(c.cat.categories.dtype)
        if isinstance(c.dtype, pd.CategoricalDtype)
        else c
        for c in columns
    ]
    kinds = {pd.api.types.infer_dtype(column, skipna=True) for column in columns}
    if kinds & FRACTIONS and kinds <= {*FRACTIONS, "integer", "boolean", "empty"}:
        a, b = (
            _floats(label, column) for label, column in zip(sides, columns, strict=True)
        )
        if any(((side > np.floor(side)) | np.isinf(side)).any() for side in (a, b)):
            return ~np.isclose(a, b[place], rtol=1e-6, atol=0, equal_nan=True)
    a, b = np.split(_values(name, offline, served, SERVED), [len(offline)])
    return a != b[place]


def beats_the_ceiling(
    y: ArrayLike,
    y_prob: ArrayLike,
    ceiling: float,
    false_alarms: float = 0.001,
    name: str = "the model",
) -> pd.DataFrame:
    """Say whether a score is better than can be.

    That is below the lowest log loss that anybody can have, beyond chance.

    Parameters
    ----------
    y : array of shape (n,)
        Labels, 0 or 1, both present.
    y_prob : array of shape (n,)
        Predictions, in (0, 1).
    ceiling : float
        The best log loss possible, in nats, more than 0: of the true probabilities
        where they are known, else of the best honest system so far, with a margin.
    false_alarms : float
        Probability to accuse a model that is exactly at the ceiling, in (0, 1).
    name : str
        What to call the model.

    Returns
    -------
    pandas.DataFrame
        As `single_feature_scores`, one row; ``value`` is the log loss and ``limit``
        what it must not go below.

    Raises
    ------
    ValueError
        If lengths differ, y is not 0 and 1 or lacks one of them, or an argument is out
        of range.

    Examples
    --------
    >>> report = beats_the_ceiling([0, 1] * 500, [0.01, 0.99] * 500, ceiling=0.6)
    >>> report["suspicious"].tolist()
    [True]
    """
    label, p = _both("y", y), _numbers("y_prob", y_prob, "(0, 1)")
    _same_rows(y=label, y_prob=p)
    ceiling = _number("ceiling", ceiling, "(0, inf)")
    false_alarms = _number("false_alarms", false_alarms, "(0, 1)")
    # --8<-- [start:ceiling]
    log_p, log_q = np.log(p), np.log1p(-p)
    loss, entropy = -np.where(label == 1, log_p, log_q), -p * log_p - (1 - p) * log_q
    # With few clicks, a low loss has a low spread, too: so the spread is at least that
    # of labels drawn from y_prob.
    spread = max(
        loss.std(), np.sqrt(np.mean(p * (1 - p) * (log_p - log_q) ** 2) + entropy.var())
    )
    limit = ceiling - stats.norm.isf(false_alarms) * spread / np.sqrt(len(loss))
    # --8<-- [end:ceiling]
    row = (
        "ceiling",
        name,
        -loss.mean(),
        -limit,
        f"log loss {loss.mean():.4f}, the best possible is {ceiling:.4f}",
    )
    report = _report([row])
    report[["value", "limit"]] *= -1
    return report


def _report(found: list[tuple]) -> pd.DataFrame:
    """Return a tidy table, the most suspicious first."""
    rows = [
        (check, what, value, limit, bool(value > limit), reason)
        for check, what, value, limit, reason in found
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


def _auc_of_other_half(clicks: np.ndarray, others: np.ndarray) -> float:
    """Return the AUC of each category's click rate in the half that a row is not in."""
    # Rows of one category and label are alike, so that a half is a draw of counts,
    # whatever the order of the rows.
    order, rng, scores = np.lexsort((others, clicks)), np.random.default_rng(0), []
    clicks, others = (n[order].astype(np.int64) for n in (clicks, others))
    mean = clicks.sum() / (clicks + others).sum()  # counts as one more row
    for _ in range(4):
        c, o = (rng.binomial(n, 0.5) for n in (clicks, others))
        rate_here = (c + mean) / (c + o + 1)
        rate_there = (clicks - c + mean) / (clicks + others - c - o + 1)
        place = np.unique(np.append(rate_there, rate_here), return_inverse=True)[1]
        hit = np.bincount(place, np.append(c, clicks - c))
        miss = np.bincount(place, np.append(o, others - o))
        scores.append(hit @ (np.cumsum(miss) - miss / 2) / (hit.sum() * miss.sum()))
    return float(np.mean(scores))


def _auc(score: np.ndarray, label: np.ndarray) -> float:
    """Return the AUC of a score, 0.5 if there is nothing to compare."""
    positives = int((label == 1).sum())
    negatives = len(label) - positives
    if positives == 0 or negatives == 0:
        return 0.5
    ranks = stats.rankdata(score)
    return float(
        (ranks[label == 1].sum() - positives * (positives + 1) / 2)
        / (positives * negatives)
    )


def _among_peers(
    signal: np.ndarray, label: np.ndarray, peers: np.ndarray, z: float
) -> tuple[float, float]:
    """Return the correlation within groups of peers, and its limit.

    It stays below the limit if peers are exchangeable.
    """
    signal = signal / (np.abs(signal).max(initial=0) or 1)
    n = np.bincount(peers)
    a, b = (
        x - (np.bincount(peers, x) / np.maximum(n, 1))[peers] for x in (signal, label)
    )
    a[np.abs(a) < 1e-9] = 0  # rounding, where peers are equal
    spread = np.sqrt((a @ a) * (b @ b))
    if spread == 0:
        return 0.0, 1.0
    variance = (
        np.bincount(peers, a * a) * np.bincount(peers, b * b) / np.maximum(n - 1, 1)
    ).sum()
    # Few clicks and one large step are far from normal: the second term of Cornish and
    # Fisher, at its largest.
    limit = z * np.sqrt(variance) + max(z * z - 1, 0) / 6 * np.abs(a).max()
    return float(a @ b / spread), float(min(limit / spread, 1))


def _history(name: Any, column: pd.Series) -> np.ndarray:
    """Return a column of numbers as float64, NaN where missing."""
    label = f"column {name!r}"
    values = _floats(label, _column(label, column))
    _refuse(label, "be finite or missing", values, ~np.isinf(values))
    # Only its order and its ratios count
    return values / (np.fmax.reduce(np.abs(values), initial=0) or 1)


def _floats(label: str, column: pd.Series) -> np.ndarray:
    """Return numbers as float64, NaN where missing."""
    if column.dtype.kind in "biuf":
        return column.to_numpy(np.float64, na_value=np.nan)
    there = column.notna().to_numpy(bool)
    return np.where(
        there, _array(label, column.astype(object).where(there, 0.0)), np.nan
    )


def _ranks(column: pd.Series) -> tuple[np.ndarray | None, bool]:
    """Return ranks of ordered values, else None, and whether they are categories."""
    is_category = isinstance(column.dtype, pd.CategoricalDtype)
    values = column.cat.categories.to_series() if is_category else column
    if pd.api.types.infer_dtype(values, skipna=True) not in ORDERED:
        return None, True
    try:
        ranks = values.rank().to_numpy()
    except TypeError as error:
        raise ValueError(
            f"column {column.name!r} holds values of two kinds: {error}"
        ) from error
    if is_category:
        ranks = np.append(ranks, np.nan)[column.cat.codes]
    return ranks, is_category


def _values(
    name: Any, a: pd.Series, b: pd.Series, tables: tuple[str, str] = ("train", "test")
) -> np.ndarray:
    """Return the values of a column in both tables as whole numbers, -1 where missing.

    They are equal where the values are equal.
    """
    sides = {
        f"column {name!r} of {table}": column
        for table, column in zip(tables, (a, b), strict=True)
    }
    columns = [_column(label, column) for label, column in sides.items()]
    if all(column.dtype.kind == "f" for column in columns):
        number = np.concatenate(
            [column.to_numpy(np.float64, na_value=np.nan) for column in columns]
        )
        # Measures, of which one table may hold whole ones
        if ((number > np.floor(number)) | np.isinf(number)).any():
            return pd.factorize(number)[0]
    return np.concatenate(_matched(sides))


def _both(name: str, values: ArrayLike) -> np.ndarray:
    """Return labels of which there are both kinds."""
    label = _labels(name, values)
    if len(label) and label.min() == label.max():
        raise ValueError(f"{name} holds only {label[0]:g}: nothing to tell apart")
    return label


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


def _column(name: str, values: Any) -> pd.Series:
    """Return a column of any container as a Series of exact values."""
    if (
        isinstance(values, str | bytes | dict | set | frozenset)
        or not hasattr(values, "__len__")
        or getattr(values, "ndim", 1) != 1
        # Tables of Polars and PyArrow do not say how many dimensions they have
        or hasattr(values, "columns")
    ):
        shape = getattr(values, "shape", type(values).__name__)
        raise ValueError(f"{name} must have one dimension, got {shape}")
    index = values.index if isinstance(values, pd.Series) else range(len(values))
    if isinstance(getattr(values, "dtype", None), pd.ArrowDtype):
        values = getattr(values, "array", values).__arrow_array__()
    elif hasattr(values, "to_arrow"):  # Polars
        values = values.to_arrow()
    if hasattr(values, "to_pandas"):  # PyArrow
        return values.to_pandas(types_mapper=_nullable).set_axis(index)
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    # Of which each entry is a tuple
    if isinstance(values, list | tuple | pd.MultiIndex):
        values = pd.Series([*values], dtype=object)
        # pandas would make floats of them
        if not (pd.api.types.infer_dtype(values) == "integer" and values.hasnans):
            values = values.infer_objects()
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        column = column.astype(
            np.float64 if column.dtype.kind == "f" else column.dtype.newbyteorder("=")
        )
    return column


def _nullable(arrow_type: Any) -> Any:
    """Return the pandas type that keeps whole numbers and booleans beside missing."""
    name = str(arrow_type)
    if name == "bool":
        return pd.BooleanDtype()
    return (
        pd.api.types.pandas_dtype(name.replace("int", "Int").replace("u", "U"))
        if "int" in name[:4]
        else None
    )


def _keys(name: str, values: Any) -> tuple[str | None, np.ndarray, np.ndarray]:
    """Return the kind of keys, each row's number or -1, and the keys so numbered."""
    column = _column(name, values)
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind, _, distinct = _keys(name, column.cat.categories.to_series())
        codes = column.cat.codes.to_numpy()
        present = np.bincount(codes[codes >= 0], minlength=len(distinct)) > 0
        return (
            kind if present.any() else None,
            np.append(np.cumsum(present) - 1, -1)[codes],
            distinct[present],
        )
    there = column.notna().to_numpy(bool)
    if not there.any():
        return None, np.full(len(column), -1), np.empty(0, object)
    kind = _kind_of_keys(name, column, there)
    if kind != "whole numbers":
        try:
            codes, distinct = pd.factorize(column)
        except TypeError as error:
            raise ValueError(f"{name} holds what is no key: {error}") from error
        return kind, codes.astype(np.int64), np.asarray(distinct, dtype=object)
    exact = (
        object
        if column.dtype == object
        else np.uint64
        if str(column.dtype).lower() == "uint64"
        else np.int64
    )
    number = (column if there.all() else column[there]).to_numpy(exact)
    if exact is not np.int64 and number.min() >= -(2**63) and number.max() < 2**63:
        number = number.astype(np.int64)
    low, high = int(number.min()), int(number.max())
    if number.dtype == np.int64 and high - low < len(number):  # no need to hash
        number = number - low
        present = np.bincount(number) > 0
        found, distinct = (
            (np.cumsum(present) - 1)[number],
            np.flatnonzero(present) + low,
        )
    else:
        found, distinct = pd.factorize(number)
    if there.all():
        return kind, found, distinct
    codes = np.full(len(column), -1)
    codes[there] = found
    return kind, codes, distinct


def _kind_of_keys(name: str, column: pd.Series, there: np.ndarray) -> str:
    """Return what keys are, in words: keys of two kinds never match."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind.startswith("mixed"):  # NaT is skipped beside times alone
        kind = pd.api.types.infer_dtype(column[there])
    if kind in ("floating", "mixed-integer-float"):
        number = column.to_numpy(np.float64, na_value=np.nan)
        if not (number[there] == np.floor(number[there])).all():
            return "fractions"
        exact = ~there | (np.abs(number) < 2**53)
        _refuse(
            name,
            "be whole numbers, for as floats from 2^53 on their last digits are lost",
            number,
            exact,
        )
        return "whole numbers"
    types = set(map(type, column[there])) if kind == "mixed" else set()
    if kind == "mixed-integer" or len(types) > 1:
        raise ValueError(
            f"{name} holds keys of two kinds, such as 7 and '7', which never match"
        )
    zone = f" in {column.dtype.tz}" if getattr(column.dtype, "tz", None) else ""
    words = {"string": "text", "integer": "whole numbers", "boolean": "whole numbers"}
    return words.get(kind, "".join(t.__name__ for t in types) or kind + zone)


def _codes(name: str, values: Any) -> np.ndarray:
    """Return the unit of each row, such as its user, as a number from 0 on, no gaps."""
    _, codes, _ = _keys(name, values)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"{name} is missing at row {row}: leave such rows out, or give each an id "
            "of its own"
        )
    return codes


def _matched(keys: dict[str, Any]) -> list[np.ndarray]:
    """Return keys that are looked up in one another as whole numbers, -1 if missing."""
    plain = [np.asarray(v) for v in keys.values() if type(v) in (np.ndarray, pd.Series)]
    if len(plain) == len(keys) and all(
        array.dtype.kind == "i" and array.ndim == 1 for array in plain
    ):
        every = np.concatenate([*plain, np.empty(0, np.int64)])
        if len(every):
            # No need to hash
            is_dense = int(every.max()) - int(every.min()) < len(every)
            number = every - every.min() if is_dense else pd.factorize(every)[0]
            return np.split(number, np.cumsum([len(array) for array in plain[:-1]]))
    sides = {name: _keys(name, values) for name, values in keys.items()}
    kinds = {kind: name for name, (kind, _, _) in sides.items() if kind}
    if len(kinds) > 1:
        (a, of_a), (b, of_b) = list(kinds.items())[:2]
        raise ValueError(
            f"{of_a} holds {a} and {of_b} {b}: keys of two kinds never match"
        )
    distinct = [side[2] for side in sides.values()]
    if len({array.dtype for array in distinct if array.size}) > 1:
        distinct = [array.astype(object) for array in distinct]
    number, _ = pd.factorize(
        np.concatenate(
            [array for array in distinct if array.size] or [np.empty(0, object)]
        )
    )
    starts = np.cumsum([0, *map(len, distinct)])
    return [
        np.append(number[start:], -1)[codes]
        for start, (_, codes, _) in zip(starts, sides.values(), strict=False)
    ]


def _clock(name: str, values: Any) -> tuple[str, pd.Series | np.ndarray]:
    """Return the kind of times, and them, as a Series unless they are numbers."""
    column = values
    if not (
        isinstance(values, np.ndarray)
        and values.dtype.kind in "iuf"
        and not np.ma.is_masked(values)
    ):
        column = _column(name, values)
        if column.isna().any():
            raise ValueError(
                f"{name} is missing at row {int(np.argmax(column.isna()))}"
            )
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(column.cat.categories.dtype)
        kind = pd.api.types.infer_dtype(column)
        if kind == "string":
            raise ValueError(
                f"{name} must hold numbers or datetimes, got {column.iloc[0]!r} at row "
                "0, a text"
            )
        if column.dtype == object and kind in ("date", "datetime", "timedelta"):
            try:
                column = (
                    pd.to_timedelta(column)
                    if kind == "timedelta"
                    else pd.to_datetime(column)
                )
            except ValueError as error:
                raise ValueError(f"{name} holds times of two kinds: {error}") from error
        if column.dtype.kind == "m":
            return "durations", column
        if column.dtype.kind == "M":
            zone = getattr(column.dtype, "tz", None)
            return f"datetimes {f'in {zone}' if zone else 'without a zone'}", column
    array = _array(name, column)
    if array.dtype.kind == "f":
        array = _inside(name, array, "(-inf, inf)")
        if not ((np.abs(array) < 2**53) & (array == np.floor(array))).all():
            return "numbers", array
    return "numbers", _whole(name, array)


def _moments(
    times: dict[str, Any],
    durations: dict[str, Any] | None = None,
    interval: str = "[0, inf)",
) -> tuple[list[np.ndarray], list[Any]]:
    """Return times of one kind on one scale, from the earliest, and durations on it.

    Whole numbers and datetimes become int64, so that a duration between two ticks is
    rounded down, which no comparison with a whole difference notices. Numbers with
    fractions become float64 and stay where they are: a shift would round.
    """
    clocks = {name: _clock(name, values) for name, values in times.items()}
    kinds = {kind: name for name, (kind, column) in clocks.items() if len(column)}
    if len(kinds) > 1:
        (a, of_a), (b, of_b) = list(kinds.items())[:2]
        raise ValueError(f"times are of two kinds: {of_a} holds {a}, {of_b} holds {b}")
    kind = next(iter(kinds), None)
    columns = [
        column if len(column) else np.empty(0, np.int64)
        for _, column in clocks.values()
    ]
    unit = None
    if kind not in (None, "numbers"):
        unit = max(
            (c.dt.unit for c in columns if len(c)), key=["s", "ms", "us", "ns"].index
        )
        try:
            columns = [
                c.dt.as_unit(unit).astype(np.int64).to_numpy() if len(c) else c
                for c in columns
            ]
        except ValueError as error:
            raise ValueError(
                f"{', '.join(times)} do not fit one scale: {error}"
            ) from error
    whole = all(c.dtype == np.int64 for c in columns)
    ends = [end.item() for c in columns if len(c) for end in (c.min(), c.max())] or [0]
    if whole and (span := max(ends) - min(ends)) >= 2**63:
        raise ValueError(f"{', '.join(times)} span {span}, more than 64 bits hold")
    lengths = [
        _duration(name, value, kind, unit, interval)
        for name, value in (durations or {}).items()
    ]
    if not whole:
        for name, c in zip(times, columns, strict=True):
            if c.dtype == np.int64:
                _refuse(
                    name,
                    "be below 2^53 beside times with fractions",
                    c,
                    (c > -(2**53)) & (c < 2**53),
                )
        return [column.astype(np.float64) for column in columns], lengths
    lengths = [None if d is None else min(int(d // 1), span + 1) for d in lengths]
    return [column - min(ends) for column in columns], lengths


def _duration(
    name: str, value: Any, kind: str | None, unit: str | None, interval: str
) -> Any:
    """Return a duration in the unit of the times; beside datetimes, no bare number."""
    if value is None:
        return None
    is_number = isinstance(value, numbers.Real) and not isinstance(
        value, np.timedelta64
    )
    if kind == "numbers" or (kind is None and is_number):
        if not is_number:
            raise ValueError(
                f"{name} must be a number, as the times are, got {value!r}"
            )
        _number(name, value, interval)
        return (
            value
            if isinstance(value, int)
            else float(value)
            if value % 1
            else int(value)
        )
    try:
        if is_number or (
            isinstance(value, str)
            and value.strip().lstrip("+-").replace(".", "").isdigit()
        ):
            raise ValueError("a number says no unit")
        if (
            isinstance(value, np.timedelta64)
            and np.datetime_data(value)[0] == "generic"
        ):
            raise ValueError("it has no unit")
        length = pd.Timedelta(value)
        if length is pd.NaT:
            raise ValueError("it is missing")
        ticks = length // pd.Timedelta(1, unit or "ns")
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"{name} must be a duration, such as '30min' or a Timedelta, got "
            f"{value!r}: {error}"
        ) from error
    _number(name, length.total_seconds(), interval)
    return ticks


def _frame(name: str, frame: Any, columns: Any = ()) -> pd.DataFrame:
    """Return a table of any library as a data frame of exact values, each name once."""
    if hasattr(frame, "to_arrow"):  # Polars
        frame = frame.to_arrow()
    if not isinstance(frame, pd.DataFrame):
        if not (hasattr(frame, "to_pandas") and hasattr(frame, "column_names")):
            raise ValueError(
                f"{name} must be a table of pandas, Polars or PyArrow, got "
                f"{type(frame).__name__}"
            )
        frame = frame.to_pandas(types_mapper=_nullable)
    if not frame.columns.is_unique:
        raise ValueError(
            f"{name} has the column {frame.columns[frame.columns.duplicated()][0]!r} "
            "twice"
        )
    for column in columns:
        # Which takes names that cannot be hashed, such as lists
        if column not in list(frame):
            raise ValueError(f"{name} has no column {column!r}")
    # dtypes of pandas, such as categories and times with a zone, have an isnative of 0
    strange = [
        c
        for c, d in frame.dtypes.items()
        if isinstance(d, pd.ArrowDtype) or (isinstance(d, np.dtype) and not d.isnative)
    ]
    if strange:
        frame = frame.copy(deep=False)
        for column in strange:
            frame[column] = _column(column, frame[column])
    return frame


# --- End of the door. ---
