"""Give each label the newest feature row that was known before it: an as-of join in SQL."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd

# --8<-- [start:sql]
SQL = """
select labels.row, features.place
from labels asof join features
on labels.key = features.key and labels.time > features.known
"""
# --8<-- [end:sql]


def point_in_time_join(
    labels: pd.DataFrame,
    features: pd.DataFrame,
    on: str,
    by: str,
    tolerance: pd.Timedelta | float | None = None,
    allow_exact: bool = False,
    arrival: str | None = None,
    engine: str = "duckdb",
) -> pd.DataFrame:
    """Join labels with the feature values that were known at the time of each.

    Parameters
    ----------
    labels : pandas.DataFrame
        With the columns ``on``, the time of the label, and ``by``, the key; and any others.
    features : pandas.DataFrame
        With the columns ``on``, the time that a row describes, and ``by``; the others are the features. The very same
        row may be there twice.
    on, by : str
        Names of the columns of time and of the key. A missing key joins with nothing.
    tolerance : timedelta, number or None
        Feature rows older than this count as missing, in the unit of the times. None takes any age.
    allow_exact : bool
        Whether a feature row of the very time of the label may be used. It may hold the label, so by default not.
    arrival : str or None
        Column of features with the time from which each row could be read. Of the rows that have arrived, the one that
        describes the newest time is taken. None: rows can be read at the time that they describe.
    engine : str
        "duckdb", or "pandas" with the same result, as a reference.

    Returns
    -------
    pandas.DataFrame
        The rows of labels in their order and with their index. Added are the features, missing where none was known,
        and ``<on>_feature``, the time that the row taken describes.

    Raises
    ------
    ValueError
        If a column is missing, or in both tables; if a time is missing; if times or keys are of two kinds, such as two
        time zones; if two different rows have the same key and time; if tolerance is negative, or engine unknown.

    Examples
    --------
    >>> labels = pd.DataFrame({"user": ["a", "a", "b"], "time": [5, 9, 5], "click": [0, 1, 1]})
    >>> features = pd.DataFrame({"user": ["a", "a"], "time": [1, 5], "visits": [10, 11]})
    >>> point_in_time_join(labels, features, on="time", by="user")["visits"].tolist()
    [10.0, 11.0, nan]
    """
    if engine not in ("duckdb", "pandas"):
        raise ValueError(f"engine must be 'duckdb' or 'pandas', got {engine!r}")
    if tolerance is not None and tolerance < type(tolerance)(0):
        raise ValueError(f"tolerance must not be negative, got {tolerance}")
    features = _check(labels, features, on, by, arrival)
    key, _ = pd.factorize(pd.concat([labels[by], features[by]]))  # from 0 on; what is missing is -1
    left = pd.DataFrame({"key": key[: len(labels)], "time": _number(labels[on])})
    right = pd.DataFrame({"key": key[len(labels) :], "seen": _number(features[on])})
    right["known"] = _number(features[arrival]) if arrival else right["seen"]
    left["row"], right["place"] = np.arange(len(left)), np.arange(len(right))
    left, right = left[left["key"] >= 0], right[right["key"] >= 0]
    # --8<-- [start:late]
    if arrival:  # a row that arrives after a newer one was never the newest known
        right = right.sort_values(["known", "seen"])
        right = right[right["seen"] == right.groupby("key")["seen"].cummax()]
        right = right.drop_duplicates(["key", "known"], keep="last")
    # --8<-- [end:late]
    place = np.full(len(labels), -1)
    row, found = (_duckdb if engine == "duckdb" else _pandas)(left, right, allow_exact)
    place[row] = found
    added = features.drop(columns=[by, *([arrival] if arrival else [])]).rename(columns={on: f"{on}_feature"})
    if tolerance is not None and len(features):
        limit = tolerance.as_unit("ns").value if isinstance(tolerance, pd.Timedelta) else tolerance
        place[_number(labels[on]) - _number(features[on])[place] > limit] = -1
    return pd.concat([labels, added.reindex(place).set_index(labels.index)], axis=1)


def _duckdb(left: pd.DataFrame, right: pd.DataFrame, allow_exact: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of labels that find a feature row, and the places of those."""
    with duckdb.connect() as connection:
        connection.register("labels", left)
        connection.register("features", right)
        found = connection.execute(SQL.replace(">", ">=") if allow_exact else SQL).fetchnumpy()
    return found["row"], found["place"]


def _pandas(left: pd.DataFrame, right: pd.DataFrame, allow_exact: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the same from pandas."""
    found = pd.merge_asof(
        left.sort_values("time"),
        right.sort_values("known"),
        left_on="time",
        right_on="known",
        by="key",
        allow_exact_matches=allow_exact,
    ).dropna(subset="place")
    return found["row"].to_numpy(), found["place"].to_numpy(np.int64)


def _number(times: pd.Series) -> np.ndarray:
    """Return times as numbers that compare as they do."""
    return times.dt.as_unit("ns").astype(np.int64).to_numpy() if times.dtype.kind == "M" else times.to_numpy()


def _check(labels, features, on, by, arrival) -> pd.DataFrame:
    """Return the features, each row once, or say what is wrong."""
    for name, frame, columns in [("labels", labels, [on, by]), ("features", features, [on, by, arrival])]:
        for column in filter(None, columns):
            if column not in frame:
                raise ValueError(f"{name} has no column {column!r}")
        for column in filter(None, {on, arrival} & set(columns)):
            if frame[column].isna().any():
                raise ValueError(f"{name} has no {column} at row {int(frame[column].isna().to_numpy().argmax())}")
    both = (set(labels) & set(features) - {on, by}) | ({f"{on}_feature"} & (set(labels) | set(features)))
    if both:
        raise ValueError(f"column {min(both)!r} would be there twice: rename one")
    kinds = [
        ("labels", labels, on),
        ("features", features, on),
        *([("features", features, arrival)] if arrival else []),
    ]
    for name, frame, column in kinds[1:]:
        a, b = (d.tz if getattr(d, "tz", None) else d.kind for d in (labels[on].dtype, frame[column].dtype))
        if str(a) != str(b) and not {a, b} <= set("iuf"):
            raise ValueError(f"times are of two kinds: {labels[on].dtype} in labels, {frame[column].dtype} in {name}")
    keys = [by, on, *([arrival] if arrival else [])]
    if features.duplicated(keys).any():
        features = features.drop_duplicates()
        twice = features.duplicated(keys) & features[by].notna()
        if twice.any():
            key, time = features.loc[twice, [by, on]].astype(object).to_numpy()[0]
            raise ValueError(f"two different rows for {by} {key} at {on} {time}")
    return features.reset_index(drop=True)
