import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TimeSeriesSplit, cross_validate

from snippets.evaluation.progressive_split import ProgressiveSplit

DAYS = np.repeat(np.arange(10), 3)
SPLITS = st.builds(
    ProgressiveSplit,
    n_test_days=st.integers(1, 4),
    min_train_days=st.integers(1, 4),
    gap_days=st.integers(0, 3),
    max_train_days=st.none() | st.integers(1, 6),
)


def windows(splitter, days):
    """Return the set of days of training and test of each fold."""
    days = np.asarray(days)
    return [(set(days[train]), set(days[test])) for train, test in splitter.split(days, groups=days)]


def test_by_hand():
    assert windows(ProgressiveSplit(2, 3, 1), range(9)) == [
        ({0, 1, 2}, {4, 5}),
        ({0, 1, 2, 3, 4}, {6, 7}),
    ]
    assert windows(ProgressiveSplit(min_train_days=2, max_train_days=2), range(5)) == [
        ({0, 1}, {2}),
        ({1, 2}, {3}),
        ({2, 3}, {4}),
    ]


@pytest.mark.parametrize(("test", "gap", "most"), [(1, 0, None), (2, 0, None), (1, 2, None), (2, 1, 4)])
def test_against_scikit_learn(test, gap, most):
    # One row a day: scikit-learn splits by row. It counts its folds from the end of the log.
    days = np.arange(20)
    ours = ProgressiveSplit(test, min_train_days=4, gap_days=gap, max_train_days=most)
    folds = ours.get_n_splits(groups=days)
    theirs = TimeSeriesSplit(folds, test_size=test, gap=gap, max_train_size=most)
    shift = 20 - (4 + gap + folds * test)  # days at the end without a full test window
    assert shift < test
    for mine, other in zip(ours.split(days, groups=days), theirs.split(days[: 20 - shift]), strict=True):
        np.testing.assert_array_equal(mine[0], other[0])
        np.testing.assert_array_equal(mine[1], other[1])


@given(SPLITS, st.lists(st.integers(0, 11), min_size=1, max_size=60), st.integers(-5, 20_000))
def test_no_training_row_lies_after_a_test_row(splitter, days, start):
    days = np.concatenate([np.arange(12), days]) + start
    folds = list(splitter.split(days, groups=days))
    assert len(folds) == splitter.get_n_splits(days, None, days)
    tested = np.concatenate([test for _, test in folds])
    assert len(tested) == len(set(tested))
    for train, test in folds:
        assert days[train].max() + splitter.gap_days < days[test].min()
        assert len(np.unique(days[test])) == splitter.n_test_days
        n_train_days = days[test].min() - splitter.gap_days - days[train].min()
        assert n_train_days >= min(splitter.min_train_days, splitter.max_train_days or 99)
        assert n_train_days == min(splitter.max_train_days or 99, days[test].min() - splitter.gap_days - days.min())
        if splitter.max_train_days is None:
            assert len(train) == (days < days[test].min() - splitter.gap_days).sum()


@pytest.mark.parametrize(
    "days",
    [
        DAYS.astype(np.uint8),
        np.datetime64("2026-01-05") + DAYS,
        np.datetime64("2026-01-05T23:59:59") + DAYS * np.timedelta64(1, "D"),
        pd.Series(pd.Timestamp("1969-12-28 12:00") + pd.to_timedelta(DAYS, "D")),
        [datetime.date(2026, 1, 5) + datetime.timedelta(int(day)) for day in DAYS],
        # Midnight in Paris is another day in UTC, and on 29 March 2026 clocks change.
        pd.Timestamp("2026-03-25", tz="Europe/Paris") + DAYS * pd.offsets.Day(),
        pd.Timestamp("2026-03-25 23:59:59", tz="Europe/Paris") + DAYS * pd.offsets.Day(),
        pl.Series([datetime.date(2026, 1, 5) + datetime.timedelta(int(day)) for day in DAYS]),
        pa.array([datetime.datetime(2026, 1, 5, 12) + datetime.timedelta(int(day)) for day in DAYS]),
    ],
)
def test_every_kind_of_day(days):
    splitter = ProgressiveSplit(gap_days=1)
    expected = list(splitter.split(DAYS, groups=DAYS))
    for (train, test), fold in zip(splitter.split(DAYS, groups=days), expected, strict=True):
        np.testing.assert_array_equal(train, fold[0])
        np.testing.assert_array_equal(test, fold[1])


@pytest.mark.parametrize(
    "rows",
    [sparse.csr_matrix(np.eye(30)), sparse.coo_array(np.eye(30)), pl.DataFrame({"x": DAYS}), pa.table({"x": DAYS})],
)
def test_rows_of_every_kind_are_counted(rows):
    splitter = ProgressiveSplit()
    assert len(list(splitter.split(rows, groups=DAYS))) == splitter.get_n_splits(rows, groups=DAYS) == 9
    with pytest.raises(ValueError, match="groups has 29 rows, X has 30"):
        splitter.get_n_splits(rows, groups=DAYS[1:])


@pytest.mark.parametrize("routing", [False, True])
def test_in_cross_validate(routing):
    x = sparse.csr_array(np.random.default_rng(0).normal(size=(30, 2)))
    y = np.arange(30) % 2
    with sklearn.config_context(enable_metadata_routing=routing):
        days = {"params": {"groups": DAYS}} if routing else {"groups": DAYS}
        result = cross_validate(LogisticRegression(), x, y, cv=ProgressiveSplit(min_train_days=4), **days)
    expected = [
        LogisticRegression().fit(x[n > DAYS], y[n > DAYS]).score(x[n == DAYS], y[n == DAYS]) for n in range(4, 10)
    ]
    np.testing.assert_array_equal(result["test_score"], expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_test_days": 0}, "n_test_days must be a whole number of at least 1, got 0"),
        ({"min_train_days": 1.5}, "min_train_days must be a whole number of at least 1, got 1.5"),
        ({"n_test_days": True}, "n_test_days must be a whole number of at least 1, got True"),
        ({"gap_days": -1}, "gap_days must be a whole number of at least 0, got -1"),
        ({"max_train_days": 0}, "max_train_days must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ProgressiveSplit(**arguments)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        (None, "groups is missing"),
        ([0, 1], "groups has 2 rows, X has 3"),
        ([0.0, 0.5, 1.0], "groups must be whole numbers, got 0.5 at row 1"),
        ([1, None, 2], "groups is missing at row 1"),
        (np.array(["2026-01-01", "NaT", "2026-01-03"], "datetime64[D]"), "groups is missing at row 1"),
        (np.array([1, 2, 3], "timedelta64[D]"), "groups must hold numbers, got .* at row 0"),
        (["2026-01-01", "2026-01-02", "2026-01-03"], "groups must hold numbers or datetimes, got '2026-01-01'"),
        ([4, 5, 7], "groups holds no row of day 6,"),
        ([-(2**63), 2**63 - 2, 2**63 - 1], "groups holds no row of day -9223372036854775807,"),
        (pd.to_datetime(["2026-01-04", "2026-01-05", "2026-01-07"]), "groups holds no row of day 2026-01-06,"),
        ([1, 1, 1], "groups spans 1 days, one fold needs 2"),
    ],
)
def test_bad_days_are_named(days, message):
    splitter = ProgressiveSplit()
    with pytest.raises(ValueError, match=message):
        list(splitter.split(range(3), groups=days))
    with pytest.raises(ValueError, match=message):
        splitter.get_n_splits(range(3), groups=days)


def test_folds_without_days_cannot_be_counted():
    with pytest.raises(ValueError, match="groups is missing"):
        ProgressiveSplit().get_n_splits()
