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


def test_whole_numbers_and_booleans_stay_what_they_are_beside_missing_ones():
    item = 1_467_890_123_456_789_013
    labels = pd.DataFrame({"user": [7, 8], "time": [5, 9]})
    features = pd.DataFrame({"user": [7], "time": [1], "item": [item], "bought": [True]})
    features["hash"] = np.array([2**64 - 1], np.uint64)
    joined = point_in_time_join(labels, features, "time", "user")
    assert joined.dtypes.astype(str).tolist() == ["int64", "int64", "Int64", "Int64", "boolean", "UInt64"]
    assert joined.iloc[0].tolist() == [7, 5, 1, item, True, 2**64 - 1]
    assert joined.iloc[1].isna().tolist() == [False, False, True, True, True, True]
    whole = point_in_time_join(labels[:1], features, "time", "user")
    assert whole.dtypes.astype(str).tolist() == ["int64", "int64", "int64", "int64", "bool", "uint64"]


def test_without_rows():
    none = point_in_time_join(L[:0], F, "t", "k")
    assert none.columns.tolist() == ["k", "t", "t_feature", "v"]
    assert len(none) == 0
    for features in (F[:0], pd.DataFrame({"k": [], "t": [], "v": []})):
        assert point_in_time_join(L, features, "t", "k", 5)["v"].isna().tolist() == [True, True]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "uint64", "float16", ">i2"])
def test_narrow_times_do_not_wrap_round(dtype):
    start = -100 if dtype == "int8" else 0
    labels = pd.DataFrame({"u": [7, 7], "t": np.array([start + 40, start + 200]).astype(dtype)})
    features = pd.DataFrame({"u": [7], "t": np.array([start]).astype(dtype), "x": [1.0]})
    joined = point_in_time_join(labels, features, "t", "u", tolerance=50)
    assert joined["x"].isna().tolist() == [False, True]


@pytest.mark.parametrize("engine", ["duckdb", "pandas"])
def test_zero_of_either_sign_is_one_moment(engine):
    labels = pd.DataFrame({"k": [1, 1], "t": [-0.0, 0.5]})
    features = pd.DataFrame({"k": [1], "t": [0.0], "v": [3]})
    assert point_in_time_join(labels, features, "t", "k", engine=engine)["v"].isna().tolist() == [True, False]
    with pytest.raises(ValueError, match=r"two different rows for k 1 at t -?0"):
        point_in_time_join(labels, pd.concat([features, features.assign(t=-0.0, v=4)]), "t", "k", engine=engine)


def test_fractions_as_times_and_features():
    labels = pd.DataFrame({"k": [1, 1, 1], "t": [0.25, 0.3, 0.5]})
    features = pd.DataFrame({"k": [1], "t": [0.1 + 0.2], "v": np.array([1.5], ">f8")})
    assert point_in_time_join(labels, features, "t", "k")["v"].isna().tolist() == [True, True, False]
    labels["t"], features["t"] = [1, 2, 3], [2.0]
    assert point_in_time_join(labels, features, "t", "k")["v"].isna().tolist() == [True, True, False]


def test_lists_as_features():
    features = pd.DataFrame({"k": [1, 1], "t": [3, 4], "vector": [[1, 2], [3, 4]]})
    assert point_in_time_join(L, features, "t", "k")["vector"].tolist()[0] == [3, 4]
    with pytest.raises(ValueError, match="two different rows for k 1 at t 3"):
        point_in_time_join(L, features.assign(t=3), "t", "k")


def test_one_key_and_time_may_arrive_twice_but_not_at_one_moment():
    features = pd.DataFrame({"k": 1, "t": [3, 3, 3], "a": [3, 4, 4], "v": [0, 1, 1]})
    assert point_in_time_join(L, features, "t", "k", arrival="a")["v"].tolist() == [1, pd.NA]
    with pytest.raises(ValueError, match="two different rows for k 1 at t 3"):
        point_in_time_join(L, features.assign(v=[0, 1, 2]), "t", "k", arrival="a")


def test_the_time_may_be_named_as_the_arrival():
    joined = [point_in_time_join(L, F, "t", "k", arrival=arrival) for arrival in (None, "t")]
    pd.testing.assert_frame_equal(*joined)


L = pd.DataFrame({"k": [1, 2], "t": [5, 6]})
F = pd.DataFrame({"k": [1, 2], "t": [3, 3], "v": [0, 1]})
UTC = pd.to_datetime(["2026-01-05", "2026-01-06"], utc=True)
LU, FU = L.assign(t=UTC), F.assign(t=UTC)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: point_in_time_join(L, F, "t", "k", engine="x"), "engine must be 'pandas' or 'duckdb', got 'x'"),
        (lambda: point_in_time_join(L, F, "t", "k", -1), "tolerance must be at least 0 and finite, got -1"),
        (lambda: point_in_time_join(LU, FU, "t", "k", pd.Timedelta("-1s")), "tolerance must be at least 0"),
        (lambda: point_in_time_join(LU, FU, "t", "k", 3600), "tolerance must be a duration, such as '30min'"),
        (
            lambda: point_in_time_join(L.astype({"k": str}), F, "t", "k"),
            "k of labels holds text and k of features whole",
        ),
        (lambda: point_in_time_join(L, F, "x", "k"), "labels has no column 'x'"),
        (lambda: point_in_time_join(L, F.drop(columns="k"), "t", "k"), "features has no column 'k'"),
        (lambda: point_in_time_join(L, F, "t", "k", arrival="a"), "features has no column 'a'"),
        (lambda: point_in_time_join(L.assign(t=[1, np.nan]), F, "t", "k"), "t of labels is missing at row 1"),
        (lambda: point_in_time_join(L, F.assign(t=[np.nan, 1]), "t", "k"), "t of features is missing at row 0"),
        (
            lambda: point_in_time_join(L, F.assign(a=[1, np.nan]), "t", "k", arrival="a"),
            "a of features is missing at row 1",
        ),
        (lambda: point_in_time_join(L.assign(v=1), F, "t", "k"), "column 'v' would be there twice"),
        (
            lambda: point_in_time_join(L.assign(v=1, t_feature=1), F, "t", "k"),
            "column 't_feature' would be there twice",
        ),
        (lambda: point_in_time_join(L.assign(t_feature=1), F, "t", "k"), "column 't_feature' would be there twice"),
        (
            lambda: point_in_time_join(L.assign(t=UTC), F, "t", "k"),
            "times are of two kinds: t of labels holds datetimes in UTC, t of features",
        ),
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
