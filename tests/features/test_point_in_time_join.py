import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.features.point_in_time_join import point_in_time_join

KEYS, TIMES = st.sampled_from(["a", "b", "c", None]), st.integers(0, 12)
LABELS = st.lists(st.tuples(KEYS, TIMES), max_size=12)
FEATURES = st.dictionaries(st.tuples(KEYS, TIMES), st.integers(0, 9), max_size=14)


def tables(labels, features, arrivals=None):
    left = pd.DataFrame(labels, columns=["user", "time"]).astype({"user": object, "time": "int64"})
    right = pd.DataFrame([(*k, v) for k, v in features.items()], columns=["user", "time", "visits"])
    right = right.astype({"user": object, "time": "int64", "visits": "int64"})
    return left, right if arrivals is None else right.assign(read_at=right["time"] + arrivals[: len(right)])


def brute_force(left, right, tolerance, allow_exact):
    """Look at every feature row for every label."""
    out = []
    for label in left.itertuples():
        best = None
        for row in right.itertuples():
            read_at = getattr(row, "read_at", row.time)
            known = read_at < label.time or (allow_exact and read_at == label.time)
            if row.user is not None and row.user == label.user and known and (best is None or row.time > best.time):
                best = row
        if best is not None and tolerance is not None and label.time - best.time > tolerance:
            best = None
        out.append((None, None) if best is None else (best.time, best.visits))
    return out


@settings(max_examples=60)
@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
@given(LABELS, FEATURES, st.none() | st.integers(0, 12), st.booleans(), st.integers(0, 3))
def test_against_brute_force(engine, labels, features, tolerance, allow_exact, copies):
    left, right = tables(labels, features)
    sent = pd.concat([right, right.head(copies)])
    joined = point_in_time_join(left, sent, "time", "user", tolerance, allow_exact, engine=engine)
    assert list(joined) == ["user", "time", "time_feature", "visits"]
    assert joined[["user", "time"]].equals(left)
    found = joined[["time_feature", "visits"]].astype(object)
    assert [tuple(None if pd.isna(v) else v for v in row) for row in found.to_numpy()] == brute_force(
        left, right, tolerance, allow_exact
    )


@settings(max_examples=60)
@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
@given(
    LABELS,
    FEATURES,
    st.lists(st.integers(0, 9), min_size=14, max_size=14),
    st.none() | st.integers(0, 12),
    st.booleans(),
)
def test_rows_that_arrive_late_against_brute_force(engine, labels, features, delays, tolerance, allow_exact):
    left, right = tables(labels, features, np.array(delays))
    joined = point_in_time_join(left, right, "time", "user", tolerance, allow_exact, "read_at", engine)
    found = joined[["time_feature", "visits"]].astype(object)
    assert [tuple(None if pd.isna(v) else v for v in row) for row in found.to_numpy()] == brute_force(
        left, right, tolerance, allow_exact
    )


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_time_zones_and_kinds_of_columns(engine):
    start = pd.Timestamp("2026-01-05 12:00", tz="UTC")
    labels = pd.DataFrame({"ad": [7, 7], "at": [start, start + pd.Timedelta("1h")]}, index=[30, 10])
    features = pd.DataFrame(
        {"ad": [7, 7], "at": [start, start - pd.Timedelta("48h")], "place": pd.Categorical(["x", "y"]), "seen": [3, 4]}
    )
    features["at"] = features["at"].dt.as_unit("ms")
    joined = point_in_time_join(labels, features, "at", "ad", engine=engine)
    assert joined.index.tolist() == [30, 10]
    assert joined["place"].tolist() == ["y", "x"]
    assert isinstance(joined["place"].dtype, pd.CategoricalDtype)
    assert joined["seen"].tolist() == [4, 3]
    assert joined["seen"].dtype == "int64"
    short = point_in_time_join(labels, features, "at", "ad", tolerance=pd.Timedelta("2h"), engine=engine)
    assert short["seen"].isna().tolist() == [True, False]
    assert short["at_feature"].iloc[1] == start


def test_a_correction_that_arrives_later_replaces_the_row():
    labels = pd.DataFrame({"k": [1, 1, 1], "t": [5, 8, 20]})
    features = pd.DataFrame({"k": 1, "t": [3, 3, 2], "read_at": [4, 7, 15], "v": [10, 11, 99]})
    joined = point_in_time_join(labels, features, "t", "k", arrival="read_at")
    assert joined["v"].tolist() == [10, 11, 11]  # the row of time 2 is old news when it arrives


def test_missing_number_keys_join_with_nothing():
    labels = pd.DataFrame({"k": [np.nan, 1.0], "t": [5, 5]})
    features = pd.DataFrame({"k": [np.nan, 1.0], "t": [1, 1], "v": [7, 8]})
    for engine in ("duckdb", "pandas"):
        assert point_in_time_join(labels, features, "t", "k", engine=engine)["v"].isna().tolist() == [True, False]


L = pd.DataFrame({"k": [1, 2], "t": [5, 6]})
F = pd.DataFrame({"k": [1, 2], "t": [3, 3], "v": [0, 1]})
UTC = pd.to_datetime(["2026-01-05", "2026-01-06"], utc=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: point_in_time_join(L, F, "t", "k", engine="x"), "engine must be 'duckdb' or 'pandas', got 'x'"),
        (lambda: point_in_time_join(L, F, "t", "k", -1), "tolerance must not be negative, got -1"),
        (lambda: point_in_time_join(L, F, "t", "k", pd.Timedelta("-1s")), "tolerance must not be negative"),
        (lambda: point_in_time_join(L, F, "x", "k"), "labels has no column 'x'"),
        (lambda: point_in_time_join(L, F.drop(columns="k"), "t", "k"), "features has no column 'k'"),
        (lambda: point_in_time_join(L, F, "t", "k", arrival="a"), "features has no column 'a'"),
        (lambda: point_in_time_join(L.assign(t=[1, np.nan]), F, "t", "k"), "labels has no t at row 1"),
        (lambda: point_in_time_join(L, F.assign(t=[np.nan, 1]), "t", "k"), "features has no t at row 0"),
        (lambda: point_in_time_join(L, F.assign(a=[1, np.nan]), "t", "k", arrival="a"), "features has no a at row 1"),
        (lambda: point_in_time_join(L.assign(v=1), F, "t", "k"), "column 'v' would be there twice"),
        (
            lambda: point_in_time_join(L.assign(v=1, t_feature=1), F, "t", "k"),
            "column 't_feature' would be there twice",
        ),
        (lambda: point_in_time_join(L.assign(t_feature=1), F, "t", "k"), "column 't_feature' would be there twice"),
        (lambda: point_in_time_join(L.assign(t=UTC), F, "t", "k"), "times are of two kinds: datetime64.* int64"),
        (
            lambda: point_in_time_join(L.assign(t=UTC), F.assign(t=UTC.tz_localize(None)), "t", "k"),
            "times are of two kinds",
        ),
        (
            lambda: point_in_time_join(L.assign(t=UTC), F.assign(t=UTC.tz_convert("Asia/Tokyo")), "t", "k"),
            "times are of two kinds",
        ),
        (lambda: point_in_time_join(L, F.assign(a=UTC), "t", "k", arrival="a"), "times are of two kinds"),
        (
            lambda: point_in_time_join(L, pd.concat([F, F.assign(v=5)]), "t", "k"),
            "two different rows for k 1 at t 3",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
