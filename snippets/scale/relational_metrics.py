"""Metrics of a click model as SQL text that DuckDB and Spark both run.

Each function returns a query. Its sums are taken by group, so an engine adds them up
where the rows are. Rows that a metric is not defined on, such as a label that is
missing, are counted in the same pass, as ``bad_rows``, and make the metric NULL: a
check before it would read the log twice, and can be forgotten. `run_checked` raises.

Sums of floats depend on the order of the rows in their last digits, and engines choose
that order: expect 1e-9, relatively, not equality.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

GOOD = '("y" = 0 OR "y" = 1) AND "p" >= 0 AND "p" <= 1'  # NaN is above all numbers
INFINITY = "CAST('Infinity' AS DOUBLE)"


def run_checked(engine: Any, text: str) -> pd.DataFrame:
    """Run a query of this file, or of ``relational_reports``; refuse bad rows.

    Parameters
    ----------
    engine : DuckDBEngine or SparkEngine
        Anything with ``sql(text)`` that returns a data frame.
    text : str
        The query.

    Returns
    -------
    pandas.DataFrame
        Its result, without ``bad_rows``.

    Raises
    ------
    ValueError
        If a row has bad_rows; it shows the first. What the engine refuses.

    Examples
    --------
    >>> class Engine:
    ...     def sql(self, text):
    ...         return pd.DataFrame({"ratio": [1.0], "bad_rows": [0]})
    >>> run_checked(Engine(), "SELECT …").to_dict("list")
    {'ratio': [1.0]}
    """
    found = engine.sql(text)
    if "bad_rows" not in found:
        return found
    bad = found.pop("bad_rows").fillna(0)
    if (bad > 0).any():
        # Not their sum: a row may be in two slices, or count on each day
        where = found[bad > 0].iloc[0].to_dict()
        raise ValueError(
            f"{int(bad[bad > 0].iloc[0])} bad rows, which the docstring of the query "
            f"describes, in {where}, the first of {(bad > 0).sum()} such results"
        )
    return found


def normalized_entropy_sql(
    table: str,
    label: str,
    prob: str,
    by: str | Sequence[str] = (),
    weight: str | None = None,
    background_rate: float | None = None,
) -> str:
    """Return the query for ``normalized_entropy``, of all rows or by group.

    Parameters
    ----------
    table, label, prob : str
        Names of a table and of its columns: labels of 0 or 1, probabilities in [0, 1].
    by : str or sequence of str
        Columns to group by; a missing value is a group of its own.
    weight : str, optional
        Column of weights: 0, or from 1e-290 to 1e290.
    background_rate : float, optional
        In (0, 1), as in the snippet; by default each group's own rate.

    Returns
    -------
    str
        Columns of ``by``, ``normalized_entropy``, ``rows``, ``bad_rows``. The measure
        is infinite if a probability of 0 or 1 is contradicted; NULL with bad rows, and
        with labels of one class only, where the snippet raises.

    Raises
    ------
    ValueError
        If a name is empty or no text, or background_rate is out of range.

    Notes
    -----
    He et al. 2014, "Practical Lessons from Predicting Clicks on Ads at Facebook",
    ADKDD, equation 1. ``LN(0)`` is -inf in DuckDB and NULL in Spark, where a sum skips
    it: such rows are counted apart. ``-2 * ATANH(r / (2 - r))`` is ``LN(1 - r)`` with
    all its digits, r the rate of the rarer label.

    Examples
    --------
    >>> print(normalized_entropy_sql("log", "click", "p")[:37])
    WITH "scored" AS (SELECT CAST("click"
    """
    first, keys, group, last, order = _by(by, ["normalized_entropy", "rows"])
    w = "1e0" if weight is None else f"CAST({_sql_name('weight', weight)} AS DOUBLE)"
    rarer = 'LEAST("clicks", "others") / NULLIF("clicks" + "others", 0)'
    if background_rate is not None:
        rate = _number("background_rate", background_rate, "(0, 1)")
        rarer = _double(min(rate, 1 - rate))
    good = f'{GOOD} AND ("w" = 0 OR "w" >= 1e-290 AND "w" <= 1e290)'
    # --8<-- [start:entropy]
    return f"""WITH "scored" AS ({_scored(table, label, prob, first, w)}
), "checked" AS (
    SELECT *, CASE WHEN {good} THEN 0 ELSE 1 END AS "bad",
        ABS(1 - "y" - "p") AS "likelihood" FROM "scored"
), "sums" AS (
    SELECT {keys}COUNT(*) AS "rows", SUM("bad") AS "bad_rows",
        SUM("w" * "y") AS "clicks", SUM("w" * (1 - "y")) AS "others",
        SUM(CASE WHEN "w" > 0 AND "likelihood" = 0 THEN 1 ELSE 0 END) AS "surprises",
        SUM(CASE WHEN "w" > 0 AND "likelihood" > 0
            THEN -"w" * LN(CASE WHEN "likelihood" > 0 THEN "likelihood" ELSE 1 END)
            ELSE 0 END) AS "loss"
    FROM "checked"{group}
), "rates" AS (
    SELECT *, "clicks" + "others" AS "total", {rarer} AS "r" FROM "sums"
), "units" AS (
    SELECT *, CASE WHEN "r" > 0 AND "total" > 0 THEN
        2 * (1 - "r") * ATANH("r" / (2 - "r"))
        - "r" * LN(CASE WHEN "r" > 0 THEN "r" ELSE 1 END) END AS "entropy"
    FROM "rates"
)
SELECT {last}CASE WHEN "bad_rows" > 0 OR "entropy" IS NULL THEN NULL
        WHEN "surprises" > 0 THEN {INFINITY}
        ELSE "loss" / NULLIF("total", 0) / NULLIF("entropy", 0) END
        AS "normalized_entropy",
    "rows", CAST(COALESCE("bad_rows", 0) AS BIGINT) AS "bad_rows"
FROM "units"{order}"""
    # --8<-- [end:entropy]


def calibration_sql(
    table: str,
    label: str,
    prob: str,
    by: str | Sequence[str] = (),
    edges: ArrayLike | None = None,
) -> str:
    """Return the query for ``calibration_ratio``, or for a ``reliability_curve``.

    Parameters
    ----------
    table, label, prob, by
        As for ``normalized_entropy_sql``.
    edges : array of shape (bins - 1,), optional
        The rising inner ends of the bins of a curve. A probability on one is in the bin
        below, as in the snippet; its bins of equal width end at ``arange(1, n) / n``.

    Returns
    -------
    str
        Columns of ``by``, ``bin`` (with edges, from 0), ``rows``, ``clicks``,
        ``expected``, ``ratio`` (NULL without a click, where the snippet raises),
        ``mean_predicted``, ``observed_rate``, ``bad_rows``. Bad rows have no bin; they
        count in none of the sums, and where there are any, the last three are NULL.

    Raises
    ------
    ValueError
        If a name is empty or no text, or edges do not rise or are not finite.

    Examples
    --------
    >>> text = calibration_sql("log", "click", "p", edges=[0.5])
    >>> "<= CAST('0.5' AS DOUBLE) THEN 0 ELSE 1 END" in text
    True
    """
    taken = ["bin", "rows", "clicks", "expected", "ratio"]
    first, keys, group, last, order = _by(
        by, [*taken, "mean_predicted", "observed_rate"]
    )
    if edges is not None:
        bins = "".join(
            f'WHEN "p" <= {_double(edge)} THEN {i} '
            for i, edge in enumerate(_rising("edges", edges))
        )
        n = bins.count("WHEN")
        bins = f'CASE WHEN "bad" = 1 THEN NULL {bins}ELSE {n} END' if n else "0"
        keys, last = f'{keys}"bin", ', f'{last}"bin", '
        group = f'{group}, "bin"' if group else ' GROUP BY "bin"'
        order = f'{order or " ORDER BY "}{", " if order else ""}"bin" NULLS LAST'
    else:
        bins = "0"
    # --8<-- [start:calibration]
    return f"""WITH "scored" AS ({_scored(table, label, prob, first)}
), "checked" AS (
    SELECT *, CASE WHEN {GOOD} THEN 0 ELSE 1 END AS "bad" FROM "scored"
), "binned" AS (
    SELECT *, {bins} AS "bin" FROM "checked"
), "sums" AS (
    SELECT {keys}COUNT(*) AS "rows", SUM("bad") AS "bad_rows",
        SUM(CASE WHEN "bad" = 0 THEN "y" ELSE 0 END) AS "clicks",
        SUM(CASE WHEN "bad" = 0 THEN "p" ELSE 0 END) AS "expected"
    FROM "binned"{group}
), "good" AS (
    SELECT *, CASE WHEN "bad_rows" = 0 THEN "rows" END AS "n" FROM "sums"
)
SELECT {last}"rows", "clicks", "expected",
    CASE WHEN "n" > 0 THEN "expected" / NULLIF("clicks", 0) END AS "ratio",
    "expected" / "n" AS "mean_predicted", "clicks" / "n" AS "observed_rate",
    CAST(COALESCE("bad_rows", 0) AS BIGINT) AS "bad_rows"
FROM "good"{order}"""
    # --8<-- [end:calibration]


def grouped_auc_sql(
    table: str, label: str, score: str, group: str, by: str | Sequence[str] = ()
) -> str:
    """Return the query for ``group_auc``: mean AUC within groups, weighted by rows.

    Parameters
    ----------
    table, label, score, group : str
        Names of a table and of its columns: labels of 0 or 1, numbers to rank by (also
        infinite; whole ones keep all their digits), and the list of each row.
    by : str or sequence of str
        Columns to report by, such as the day. A list with two of them is two lists.

    Returns
    -------
    str
        Columns of ``by``, ``group_auc`` (NULL with bad rows and where no group has both
        classes), ``rows``, ``groups`` that have both classes and are in the mean,
        ``one_class`` (groups that are not), ``bad_rows``.

    Raises
    ------
    ValueError
        If a name is empty or no text.

    Notes
    -----
    Zhu et al. 2017, "Optimized Cost per Click in Taobao Display Advertising", KDD. Rows
    of equal score in a group are added up first, so the window sorts blocks of ties.

    Examples
    --------
    >>> "ROWS BETWEEN" in grouped_auc_sql("log", "click", "p", "user_id")
    True
    """
    first, keys, groups, last, order = _by(
        by, ["group_auc", "rows", "groups", "one_class"]
    )
    table, label, score = map(
        _sql_name, ("table", "label", "score"), (table, label, score)
    )
    list_ = _sql_name("group", group)
    # --8<-- [start:auc]
    return f"""WITH "scored" AS (
    SELECT {first}{list_} AS "g", {score} AS "s", CAST({label} AS DOUBLE) AS "y"
    FROM {table}
), "blocks" AS (
    SELECT {keys}"g", "s", CAST(COUNT(*) AS DOUBLE) AS "n",
        SUM(CASE WHEN "y" = 1 THEN 1e0 ELSE 0e0 END) AS "clicks",
        SUM(CASE WHEN ("y" = 0 OR "y" = 1) AND "g" IS NOT NULL AND NOT ISNAN("s")
            THEN 0 ELSE 1 END) AS "bad"
    FROM "scored" GROUP BY {keys}"g", "s"
), "ranked" AS (
    SELECT *, SUM("n" - "clicks") OVER (PARTITION BY {keys}"g" ORDER BY "s"
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "below"
    FROM "blocks"
), "lists" AS (
    SELECT {keys}"g", SUM("n") AS "n", SUM("bad") AS "bad",
        SUM("clicks") * SUM("n" - "clicks") AS "pairs",
        SUM("clicks" * (COALESCE("below", 0) + ("n" - "clicks") / 2)) AS "wins"
    FROM "ranked" GROUP BY {keys}"g"
), "sums" AS (
    SELECT {keys}CAST(COALESCE(SUM("n"), 0) AS BIGINT) AS "rows",
        SUM(CASE WHEN "pairs" > 0 THEN "n" END) AS "weight",
        SUM(CASE WHEN "pairs" > 0 THEN "n" * "wins" / NULLIF("pairs", 0) END)
            AS "auc",
        COUNT(CASE WHEN "pairs" > 0 THEN 1 END) AS "groups",
        COUNT(CASE WHEN "pairs" = 0 THEN 1 END) AS "one_class",
        CAST(COALESCE(SUM("bad"), 0) AS BIGINT) AS "bad_rows"
    FROM "lists"{groups}
)
SELECT {last}CASE WHEN "bad_rows" = 0 THEN "auc" / "weight" END AS "group_auc",
    "rows", "groups", "one_class", "bad_rows"
FROM "sums"{order}"""
    # --8<-- [end:auc]


def slices_sql(
    table: str, columns: str | Sequence[str], label: str, prob: str, depth: int = 1
) -> str:
    """Return the query for the sums of ``slice_report``, in one pass for all slices.

    Parameters
    ----------
    table, label, prob
        As for ``normalized_entropy_sql``.
    columns : str or sequence of str
        Columns to cut by: text, whole numbers or booleans. Fractions, which the snippet
        refuses, would each be a slice: cut them into bins first.
    depth : int
        1 cuts by each column, 2 also by each pair of columns, and so on.

    Returns
    -------
    str
        Columns ``slice``, ``rows``, ``clicks``, ``expected``, ``ratio`` (infinite
        without a click) and ``bad_rows``. Bad rows count in no sum, and make the ratio
        NULL. Booleans are written "true" and "false", not as in Python. The intervals
        and p-values of the snippet follow from these sums, without the rows.

    Raises
    ------
    ValueError
        If a name is empty, no text or twice in columns, or depth is not in [1,
        columns].

    Examples
    --------
    >>> text = slices_sql("log", ["device", "hour"], "click", "p", depth=2)
    >>> 'GROUPING SETS (("c0"), ("c1"), ("c0", "c1"))' in text
    True
    """
    names = _sql_names("columns", columns)
    if not names:
        raise ValueError("columns is empty")
    depth = _count("depth", depth, 1, len(names))
    first = "".join(
        f'{_sql_name("columns", c)} AS "c{i}", ' for i, c in enumerate(names)
    )
    cells = [f'"c{i}"' for i in range(len(names))]
    labels = ", ".join(
        f"CASE WHEN GROUPING({cell}) = 0 THEN {_sql_text(f'{name}=')} "
        f"|| COALESCE(CAST({cell} AS STRING), 'missing') END"
        for name, cell in zip(names, cells, strict=True)
    )
    sets = ", ".join(
        f"({', '.join(some)})"
        for size in range(1, depth + 1)
        for some in combinations(cells, size)
    )
    # --8<-- [start:slices]
    return f"""WITH "scored" AS ({_scored(table, label, prob, first)}
), "checked" AS (
    SELECT *, CASE WHEN {GOOD} THEN 0 ELSE 1 END AS "bad" FROM "scored"
), "sums" AS (
    SELECT CONCAT_WS(' & ', {labels}) AS "slice",
        COUNT(*) AS "rows", SUM("bad") AS "bad_rows",
        SUM(CASE WHEN "bad" = 0 THEN "y" ELSE 0 END) AS "clicks",
        SUM(CASE WHEN "bad" = 0 THEN "p" ELSE 0 END) AS "expected"
    FROM "checked" GROUP BY GROUPING SETS ({sets})
)
SELECT "slice", "rows", "clicks", "expected",
    CASE WHEN "bad_rows" > 0 THEN NULL
        WHEN "clicks" > 0 THEN "expected" / NULLIF("clicks", 0)
        WHEN "expected" > 0 THEN {INFINITY} ELSE 1e0 END AS "ratio",
    CAST("bad_rows" AS BIGINT) AS "bad_rows"
FROM "sums" ORDER BY "slice", "rows\""""
    # --8<-- [end:slices]


def psi_edges_sql(table: str, column: str, n_bins: int = 10) -> str:
    """Return the query for the edges of ``psi_bins``: quantiles of the reference.

    Run it once, and keep what it returns beside the model. It needs the different
    values of the reference in order, all on one machine: round them first, or draw a
    sample, if there are billions.

    Parameters
    ----------
    table, column : str
        Names of the reference and of its column of numbers.
    n_bins : int
        At least 2.

    Returns
    -------
    str
        Columns ``edge``, rising; ``alone``, true for an edge that is a bin of its own;
        ``bad_rows`` of the table, which are missing, NaN or infinite: with any, edge is
        NULL.

    Raises
    ------
    ValueError
        If a name is empty or no text, or n_bins is no whole number of at least 2.

    Examples
    --------
    >>> print(psi_edges_sql("train", "price", n_bins=2)[:45])
    WITH "numbers" AS (SELECT CAST("price" AS DOU
    """
    n = _count("n_bins", n_bins, 2)
    table, column = _sql_name("table", table), _sql_name("column", column)
    places = ", ".join(f"({k})" for k in range(1, n))
    # --8<-- [start:edges]
    return f"""WITH "numbers" AS (SELECT CAST({column} AS DOUBLE) AS "x" FROM {table}
), "counts" AS (
    SELECT "x", COUNT(*) AS "n", SUM({_BAD_NUMBER}) AS "bad"
    FROM "numbers" GROUP BY "x"
), "ranked" AS (
    SELECT "x", "n", SUM("n") OVER (ORDER BY "x") AS "upto",
        SUM("n") OVER () AS "total", COUNT(*) OVER () AS "values",
        SUM("bad") OVER () AS "bad_rows" FROM "counts"
), "cuts" AS (
    SELECT MIN("x") AS "low", MAX("x") AS "high", MAX("bad_rows") AS "bad_rows"
    FROM "ranked" CROSS JOIN (VALUES {places}) AS "places" ("k")
    WHERE "values" > {n} AND ("upto" - "n") * {n} <= "total" * "k"
        AND "total" * "k" <= "upto" * {n}
    GROUP BY "k"
), "edges" AS (
    SELECT CASE WHEN "low" = "high" THEN "low" ELSE "low" / 2 + "high" / 2 END
        AS "edge", MAX("bad_rows") AS "bad_rows" FROM "cuts" GROUP BY 1
), "every" AS (
    SELECT "edge", COALESCE("n" * {n} >= "total", FALSE) AS "alone",
        "edges"."bad_rows" FROM "edges" LEFT JOIN "ranked" ON "x" = "edge"
    UNION ALL SELECT "x", TRUE, "bad_rows" FROM "ranked" WHERE "values" <= {n}
)
SELECT CASE WHEN "bad_rows" = 0 THEN "edge" END AS "edge", "alone",
    CAST("bad_rows" AS BIGINT) AS "bad_rows"
FROM "every" ORDER BY "every"."edge\""""
    # --8<-- [end:edges]


def psi_sql(
    expected: str, actual: str, column: str, edges: ArrayLike, alone: ArrayLike
) -> str:
    """Return the query for ``population_stability_index``, with edges as numbers.

    Parameters
    ----------
    expected, actual, column : str
        Names of the reference and of the sample, and of the column in both.
    edges, alone : arrays of shape (edges,)
        What ``psi_edges_sql`` returned for the reference: rising numbers, and which of
        them are bins of their own.

    Returns
    -------
    str
        One row: ``psi`` (NULL with bad rows, or if a table is empty), ``bins`` that are
        not empty in both, for ``psi_threshold``, ``rows_expected``, ``rows_actual`` and
        ``bad_rows``, which are missing, NaN or infinite.

    Raises
    ------
    ValueError
        If a name is empty or no text, edges do not rise or are not finite, or alone has
        another length or other values than true and false.

    Notes
    -----
    Yurdakul & Naranjo 2020, "Statistical Properties of the Population Stability Index",
    Journal of Risk Model Validation 14. A bin empty in one sample counts as half a row.

    Examples
    --------
    >>> psi_sql("train", "live", "price", [1.5, 4.0], [False, True]).count('WHEN "x" =')
    2
    """
    names = [_sql_name("expected", expected), _sql_name("actual", actual)]
    column, rising = _sql_name("column", column), _rising("edges", edges)
    own = np.asarray(alone)
    if own.shape != rising.shape or own.dtype != bool or not len(own):
        raise ValueError(
            f"alone must hold true or false for each of {len(rising)} edges, got "
            f"{own.tolist()}"
        )
    place = " ".join(
        f'WHEN "x" < {_double(edge)} THEN {2 * i} '
        f'WHEN "x" = {_double(edge)} THEN {2 * i + 1}'
        for i, edge in enumerate(rising)
    )
    shared = ", ".join(map(str, 2 * np.flatnonzero(~own) + 1)) or "-1"
    # --8<-- [start:psi]
    return f"""WITH "numbers" AS (
    SELECT 1e0 AS "e", CAST({column} AS DOUBLE) AS "x" FROM {names[0]}
    UNION ALL SELECT 0e0 AS "e", CAST({column} AS DOUBLE) AS "x" FROM {names[1]}
), "placed" AS (
    SELECT "e", {_BAD_NUMBER} AS "bad",
        CASE {place} ELSE {2 * len(rising)} END AS "place" FROM "numbers"
), "places" AS (
    SELECT "place", CASE WHEN "place" IN ({shared}) THEN 1 ELSE 0 END AS "step",
        SUM("e") AS "e", SUM(1 - "e") AS "a", SUM("bad") AS "bad"
    FROM "placed" GROUP BY "place"
), "bins" AS (
    SELECT "place" + "side" * "step" AS "bin",
        SUM("e" / 2) AS "e", SUM("a" / 2) AS "a", SUM("bad" / 2e0) AS "bad"
    FROM "places" CROSS JOIN (VALUES (-1), (1)) AS "sides" ("side") GROUP BY 1
), "shares" AS (
    SELECT "e" AS "n", "a" AS "m", "bad",
        GREATEST("e", 5e-1) / SUM(GREATEST("e", 5e-1)) OVER () AS "e",
        GREATEST("a", 5e-1) / SUM(GREATEST("a", 5e-1)) OVER () AS "a"
    FROM "bins"
)
SELECT CASE WHEN SUM("bad") = 0 AND SUM("n") > 0 AND SUM("m") > 0
        THEN SUM(("a" - "e") * LN("a" / "e")) END AS "psi",
    COUNT(*) AS "bins", CAST(COALESCE(SUM("n"), 0) AS BIGINT) AS "rows_expected",
    CAST(COALESCE(SUM("m"), 0) AS BIGINT) AS "rows_actual",
    CAST(COALESCE(SUM("bad"), 0) AS BIGINT) AS "bad_rows"
FROM "shares\""""
    # --8<-- [end:psi]


def ratio_delta_sql(
    table: str,
    user: str,
    numerator: str,
    denominator: str,
    by: str | Sequence[str] = (),
) -> str:
    """Return the query for ``delta_method_ratio``, of rows that belong to users.

    Parameters
    ----------
    table, user, numerator, denominator : str
        Names of a table and of its columns. They are added up by user first: rows of
        clicks and impressions will do.
    by : str or sequence of str
        Columns to group by, such as the arm of a test.

    Returns
    -------
    str
        Columns of ``by``, ``estimate``, ``standard_error``, ``users``, ``bad_rows``.
        Bad are rows without a user or a number, with a negative denominator, or with a
        number that is not 0 and not of a size from 1e-70 to 1e70, whose squares might
        not fit. With any, or with one user only, or where all denominators are 0, both
        measures are NULL.

    Raises
    ------
    ValueError
        If a name is empty or no text.

    Notes
    -----
    Deng et al. 2018, "Applying the Delta Method in Metric Analytics: A Practical Guide
    with Novel Ideas", KDD. The ratio comes first and the residuals after it, as in the
    snippet: by sums of squares alone the digits cancel where users are alike.

    Examples
    --------
    >>> "VAR_SAMP" in ratio_delta_sql("log", "user_id", "click", "shown", by="arm")
    True
    """
    first, keys, group, last, order = _by(by, ["estimate", "standard_error", "users"])
    names = {"user": user, "numerator": numerator, "denominator": denominator}
    user, top, bottom = (
        _sql_name(argument, value) for argument, value in names.items()
    )
    table, n_keys = _sql_name("table", table), keys.count(",")
    # A missing group matches itself as text; planners stumble over IS NOT DISTINCT.
    # -0.0 and 0.0 are one group in two texts; what that joins too much, values part.
    texts = [
        f"""COALESCE('=' || REPLACE(CAST("k{i}" AS STRING), '-0.0', '0.0'), '')"""
        for i in range(n_keys)
    ]
    totals = "".join(
        f'{text} AS "t{i}", "k{i}" AS "j{i}", ' for i, text in enumerate(texts)
    )
    same = " AND ".join(
        f'{text} = "t{i}" AND ("k{i}" = "j{i}" OR "k{i}" IS NULL)'
        for i, text in enumerate(texts)
    )
    join = f'JOIN "totals" ON {same}' if n_keys else 'CROSS JOIN "totals"'
    # --8<-- [start:delta]
    return f"""WITH "rows" AS (
    SELECT {first}{user} AS "u", CAST({top} AS DOUBLE) AS "x",
        CAST({bottom} AS DOUBLE) AS "y" FROM {table}
), "checked" AS (
    SELECT *, CASE WHEN "u" IS NOT NULL AND "y" >= 0
            AND ("x" = 0 OR ABS("x") >= 1e-70 AND ABS("x") <= 1e70)
            AND ("y" = 0 OR "y" >= 1e-70 AND "y" <= 1e70)
        THEN 0 ELSE 1 END AS "bad" FROM "rows"
), "users" AS (
    SELECT {keys}"u", SUM(CASE WHEN "bad" = 0 THEN "x" ELSE 0 END) AS "x",
        SUM(CASE WHEN "bad" = 0 THEN "y" ELSE 0 END) AS "y", SUM("bad") AS "bad"
    FROM "checked" GROUP BY {keys}"u"
), "totals" AS (
    SELECT {totals}SUM("bad") AS "bad_rows",
        SUM("x") / NULLIF(SUM("y"), 0) AS "ratio", AVG("y") AS "mean"
    FROM "users"{group}
), "residuals" AS (
    SELECT "users".*, "bad_rows", "ratio",
        ("x" - "ratio" * "y") / NULLIF("mean", 0) AS "residual"
    FROM "users" {join}
), "sums" AS (
    SELECT {keys}COUNT(*) AS "users", MAX("ratio") AS "ratio",
        SUM("bad") AS "bad_rows", VAR_SAMP("residual") AS "variance"
    FROM "residuals"{group}
)
SELECT {last}CASE WHEN "bad_rows" = 0 AND "users" > 1 THEN "ratio" END AS "estimate",
    CASE WHEN "bad_rows" = 0 AND "users" > 1
        THEN SQRT("variance" / NULLIF("users", 0)) END AS "standard_error",
    "users", CAST(COALESCE("bad_rows", 0) AS BIGINT) AS "bad_rows"
FROM "sums"{order}"""
    # --8<-- [end:delta]


_BAD_NUMBER = f'CASE WHEN "x" < {INFINITY} AND "x" > -{INFINITY} THEN 0 ELSE 1 END'


def _scored(table: str, label: str, prob: str, first: str, weight: str = "1e0") -> str:
    """Return the query for the columns that a metric reads, under names of its own."""
    table, label, prob = map(
        _sql_name, ("table", "label", "prob"), (table, label, prob)
    )
    return (
        f'SELECT {first}CAST({label} AS DOUBLE) AS "y", CAST({prob} AS DOUBLE) AS "p", '
        f'{weight} AS "w" FROM {table}'
    )


def _by(by: str | Sequence[str], taken: Sequence[str]) -> list[str]:
    """Return what a query says of its groups.

    Its first SELECT, those after it, GROUP BY, the last SELECT and ORDER BY.
    """
    names = _sql_names("by", by)
    if clash := [name for name in names if name in [*taken, "bad_rows"]]:
        raise ValueError(f"by has {clash[0]!r}, a column of the result: rename it")
    keys = [f'"k{i}"' for i in range(len(names))]
    pairs = [
        (_sql_name("by", name), key) for name, key in zip(names, keys, strict=True)
    ]
    return [
        "".join(f"{name} AS {key}, " for name, key in pairs),
        "".join(f"{key}, " for key in keys),
        f" GROUP BY {', '.join(keys)}" if keys else "",
        "".join(f"{key} AS {name}, " for name, key in pairs),
        f" ORDER BY {', '.join(f'{key} NULLS LAST' for key in keys)}" if keys else "",
    ]


def _double(number: float) -> str:
    """Return a number as SQL for exactly that float."""
    return f"CAST('{float(number)!r}' AS DOUBLE)"


def _rising(argument: str, values: ArrayLike) -> np.ndarray:
    """Return finite numbers that rise."""
    array = _numbers(argument, values)
    _refuse(argument, "rise", array[1:], array[1:] > array[:-1], start=1)
    return array


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


def _quoted(name: str) -> str:
    """Return a name as SQL quotes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def _sql_name(argument: str, name: Any) -> str:
    """Return the name of a table or a column, quoted."""
    if not (isinstance(name, str) and name):
        raise ValueError(f"{argument} must be a name, got {name!r}")
    return _quoted(name)


def _sql_names(argument: str, names: Any) -> list[str]:
    """Return one name or several as a list, each once; not quoted yet."""
    if isinstance(names, str) or not np.iterable(names):
        names = [names]
    names = list(names)
    for i, name in enumerate(names):
        _sql_name(argument, name)
        if name in names[:i]:
            raise ValueError(f"{argument} has {name!r} twice")
    return names


def _sql_text(text: str) -> str:
    """Return text as SQL that means the same everywhere.

    In Spark a backslash escapes, and of two quotes in a row none is left.
    """
    parts = text.replace("\\", "\0\\\0").replace("'", "\0'\0").split("\0")
    return " || ".join(
        f"CHR({ord(part)})" if part in ("'", "\\") else f"'{part}'" for part in parts
    )


# --- End of the door. ---
