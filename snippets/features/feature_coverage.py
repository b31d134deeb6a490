"""Watch the share of rows in which each feature has a value."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats


def coverage_report(frame: pd.DataFrame, by: str | list[str] | None = None) -> pd.DataFrame:
    """Return how many rows have a value of each feature.

    Parameters
    ----------
    frame : pandas.DataFrame
        Features, one row an impression. Missing is what pandas takes for missing: NaN, None, NaT.
    by : str, list of str or None
        Columns to cut by, such as the day or the device. Rows without a group are a group of their own.

    Returns
    -------
    pandas.DataFrame
        One row for each feature, or group and feature: the columns of ``by``, ``feature``, ``rows``, ``covered``,
        ``coverage`` (a share), ``distinct`` (different values) and ``most_common_share`` of the covered rows: a default
        that stands for "missing" shows there.

    Raises
    ------
    ValueError
        If frame has no row or no feature, a column of by is not there, or a name is there twice.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": [0, 0, 1, 1], "age": [30, 30, None, 41]})
    >>> coverage_report(frame, by="day")[["day", "feature", "coverage"]].values.tolist()
    [[0, 'age', 1.0], [1, 'age', 0.5]]
    """
    groups = [by] if isinstance(by, str) else list(by or [])
    for column in groups:
        if column not in frame:
            raise ValueError(f"frame has no column {column!r} to cut by")
    if not frame.columns.is_unique:
        raise ValueError(f"column {frame.columns[frame.columns.duplicated()][0]!r} is there twice")
    features = [c for c in frame if c not in groups]
    if not len(frame) or not features:
        raise ValueError("frame must have a row and a feature")
    # --8<-- [start:report]
    parts = []
    cuts = frame.groupby(groups, dropna=False, observed=True) if groups else [((), frame)]
    for key, rows in cuts:
        for name in features:
            counts = rows[name].value_counts(dropna=True)
            covered = int(counts.sum())
            top = counts.iloc[0] / covered if covered else np.nan
            parts.append((*key, name, len(rows), covered, covered / len(rows), (counts > 0).sum(), top))
    # --8<-- [end:report]
    columns = [*groups, "feature", "rows", "covered", "coverage", "distinct", "most_common_share"]
    return pd.DataFrame(parts, columns=columns)


def coverage_alarms(
    report: pd.DataFrame, day: str, reference_days: int = 7, false_alarms: float = 0.001
) -> pd.DataFrame:
    """Compare each day's coverage of each feature with the days before it.

    The spread between days counts, not that between rows: with a million rows every day differs from every other
    "significantly".

    Parameters
    ----------
    report : pandas.DataFrame
        From `coverage_report` by day, possibly by other columns too.
    day : str
        The column of the day.
    reference_days : int
        How many days before it a day is compared with, at least 3.
    false_alarms : float
        Share of features and days in which nothing happened that may raise an alarm, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        The rows of report that have enough days before them, in order of the day, with ``expected`` coverage, ``z`` (in
        standard deviations of the days before, at least that of chance) and ``alarm``, by the tails of Student's t.

    Raises
    ------
    ValueError
        If a column is missing or an argument out of range.

    Examples
    --------
    >>> frame = pd.DataFrame({"day": np.repeat(range(9), 1000), "age": 30.0})
    >>> frame.loc[(frame["day"] == 8) & (frame.index % 2 == 0), "age"] = None
    >>> alarms = coverage_alarms(coverage_report(frame, by="day"), day="day")
    >>> alarms.loc[alarms["alarm"], ["day", "feature"]].values.tolist()
    [[8, 'age']]
    """
    for column in [day, "feature", "rows", "covered", "coverage"]:
        if column not in report:
            raise ValueError(f"report has no column {column!r}")
    if reference_days < 3:
        raise ValueError(f"reference_days must be at least 3, got {reference_days}")
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms must be a share in (0, 1), got {false_alarms}")
    measures = {"feature", "rows", "covered", "coverage", "distinct", "most_common_share"}
    others = ["feature", *[c for c in report if c not in measures | {day}]]
    table = report.sort_values(day, kind="stable", ignore_index=True)
    # --8<-- [start:alarm]
    before = table.groupby(others, dropna=False)["coverage"].shift()
    past = before.groupby([table[c] for c in others], dropna=False).rolling(reference_days)
    expected, spread = (past.agg(f).droplevel(list(range(len(others)))) for f in ("mean", "std"))
    smoothed = (expected * table["rows"] + 0.5) / (table["rows"] + 1)
    chance = np.sqrt(smoothed * (1 - smoothed) / table["rows"])
    spread = np.sqrt(np.maximum(spread, chance) ** 2 * (1 + 1 / reference_days))
    table["expected"], table["z"] = expected, (table["coverage"] - expected) / spread
    limit = stats.t.isf(false_alarms / 2, reference_days - 1)
    # --8<-- [end:alarm]
    table["alarm"] = table["z"].abs() > limit
    return table[table["expected"].notna()].reset_index(drop=True)
