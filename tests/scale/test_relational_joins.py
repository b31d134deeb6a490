"""The SQL gives what the guide's snippets give, row by row, on DuckDB and on Spark."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.features.historical_counters import count_before
from snippets.features.point_in_time_join import point_in_time_join
from snippets.scale.relational_joins import count_before_sql, join_impressions_clicks_sql, point_in_time_sql
from snippets.training_data.event_joiner import join_impressions_clicks

KEYS, TIMES = st.sampled_from(["a", "b", None]), st.integers(0, 12)
EVENTS = st.lists(st.tuples(KEYS, TIMES), max_size=8)
LOGS = 6  # a query takes Spark longer than its rows: so a query has several logs, each with keys of its own
CLOCKS = {
    "whole numbers": (lambda t: pd.array(t, "int64"), lambda d: d),
    "fractions": (lambda t: np.array(t, float) / 10, lambda d: d / 10),
    "UTC": (lambda t: pd.to_datetime(np.array(t, "int64"), unit="h", utc=True), lambda d: pd.Timedelta(d, "h")),
    # Through the hour that comes twice there
    "Berlin": (
        lambda t: pd.to_datetime(np.array(t, "int64") * 30 + 29_878_440, unit="m", utc=True).tz_convert(
            "Europe/Berlin"
        ),
        lambda d: f"{d * 30}min",
    ),
}
each_clock = pytest.mark.parametrize("clock", CLOCKS)
slow = settings(max_examples=6)


def several(*parts):
    """Return the tables of several logs, each a list of rows."""
    return st.lists(st.tuples(*parts), min_size=1, max_size=LOGS)


def table(logs, clock, **columns):
    """Return the rows of several logs as one table: (key, time, more…), with keys that no other log has."""
    rows = [
        (None if key is None else f"{i}{key}", time, *more) for i, log in enumerate(logs) for key, time, *more in log
    ]
    frame = pd.DataFrame(rows, columns=["user", "time", *columns]).astype({"user": "str", **columns})
    for name in ("time", "read_at"):
        if name in frame:
            frame[name] = CLOCKS[clock][0](frame[name].tolist())
    return frame


def plain(frame):
    """Return rows as tuples without order, what is missing as None, times as instants."""
    frame = frame.assign(
        **{c: frame[c].dt.tz_convert("UTC") for c in frame if isinstance(frame[c].dtype, pd.DatetimeTZDtype)}
    )
    rows = [tuple(None if pd.isna(v) else v for v in row) for row in frame.astype(object).to_numpy()]
    return sorted(rows, key=repr)


def assert_same(engine, sql, wanted):
    found = engine.sql(sql)
    assert sorted(found) == sorted(wanted)
    assert plain(found[list(wanted)]) == plain(wanted)


def assert_both(engines, tables, sql, wanted):
    for engine in engines:
        for name, rows in tables.items():
            engine.table(name, rows)
        assert_same(engine, sql, wanted)


@each_clock
@slow
@given(
    several(EVENTS, st.dictionaries(st.tuples(KEYS, TIMES), st.none() | st.integers(0, 9), max_size=10)),
    st.none() | st.integers(0, 6),
    st.booleans(),
    st.integers(0, 3),
)
def test_the_join_is_the_snippet(duck, spark, clock, logs, tolerance, allow_exact, copies):
    labels = table([log for log, _ in logs], clock)
    features = table([[(*k, v) for k, v in log.items()] for _, log in logs], clock, visits="Int64")
    features["place"] = np.where(features["visits"].isna(), None, "x" + features["visits"].astype(str))
    features["good"] = features["visits"] > 4
    labels["id"] = np.arange(len(labels))
    limit = None if tolerance is None else CLOCKS[clock][1](tolerance)
    features = pd.concat([features, features.head(copies)])
    wanted = point_in_time_join(labels, features, "time", "user", limit, allow_exact)
    sql = point_in_time_sql("labels", "features", "time", "user", ["visits", "place", "good"], limit, allow_exact)
    assert_both((duck, spark), {"labels": labels, "features": features}, sql, wanted)


@each_clock
@slow
@given(
    several(
        EVENTS,
        st.dictionaries(st.tuples(KEYS, TIMES, st.integers(0, 9)), st.none() | st.integers(0, 9), max_size=10),
    ),
    st.none() | st.integers(0, 6),
    st.booleans(),
)
def test_what_arrives_late_is_joined_as_in_the_snippet(duck, spark, clock, logs, tolerance, allow_exact):
    labels = table([log for log, _ in logs], clock)
    late = [[(k, t, t + d, v) for (k, t, d), v in log.items()] for _, log in logs]
    features = table(late, clock, read_at="int64", visits="Int64")
    limit = None if tolerance is None else CLOCKS[clock][1](tolerance)
    wanted = point_in_time_join(labels, features, "time", "user", limit, allow_exact, "read_at")
    sql = point_in_time_sql("labels", "features", "time", "user", ["visits"], limit, allow_exact, "read_at")
    assert_both((duck, spark), {"labels": labels, "features": features}, sql, wanted)


@each_clock
@slow
@given(
    several(EVENTS, st.lists(st.tuples(KEYS, TIMES, st.integers(-4, 9)), max_size=8)),
    st.none() | st.integers(1, 6),
    st.booleans(),
)
def test_counters_are_the_snippets(duck, spark, clock, logs, window, weighted):
    rows = table([log for log, _ in logs], clock)
    events = table([log for _, log in logs], clock, amount="int64").rename(columns={"time": "known"})
    length = None if window is None else CLOCKS[clock][1](window)
    value = "amount" if weighted else None
    wanted = count_before(
        events["user"], events["known"], rows["user"], rows["time"], length, events[value] if weighted else None
    )
    sql = count_before_sql("events", "log", "user", "time", length, value, "known", "n")
    for engine in (duck, spark):
        engine.table("log", rows)
        engine.table("events", events)
        found = engine.sql(sql)
        assert found["n"].dtype == wanted.dtype
        assert plain(found) == plain(rows.assign(n=wanted))


@each_clock
@slow
@given(
    several(
        st.dictionaries(st.sampled_from("abcd"), TIMES, max_size=4),
        st.lists(st.tuples(st.sampled_from(["a", "b", "c", "e", None]), st.integers(0, 20)), max_size=8),
    ),
    st.integers(0, 8),
    st.integers(0, 3),
)
def test_the_batch_joiner_is_the_snippet(duck, spark, clock, logs, window, copies):
    names = {"user": "request_id", "time": "timestamp"}
    impressions = table([log.items() for log, _ in logs], clock).rename(columns=names)
    impressions["ad"] = np.where(np.arange(len(impressions)) % 3, "x", None)
    impressions = pd.concat([impressions, impressions.head(copies)])
    clicks = table([log for _, log in logs], clock).rename(columns=names)
    length = CLOCKS[clock][1](window)
    wanted = join_impressions_clicks(impressions, clicks, length)
    sql = join_impressions_clicks_sql("impressions", "clicks", length, ["ad"])
    assert_both((duck, spark), {"impressions": impressions, "clicks": clicks}, sql, wanted)


def many(n, n_keys, seed):
    """Return keys, some missing, and moments with ties."""
    rng = np.random.default_rng(seed)
    user = rng.choice([*map(str, range(n_keys)), None], n)
    return pd.DataFrame({"user": user, "time": rng.integers(0, 3 * n // n_keys, n)}).astype({"user": "str"})


def test_many_rows_of_few_keys(engine):
    labels, features = many(2_000, 20, 0), many(2_000, 20, 1)
    features = features.drop_duplicates(["user", "time"]).assign(visits=lambda f: np.arange(len(f)))
    features["read_at"] = features["time"] + np.random.default_rng(2).integers(0, 40, len(features))
    engine.table("labels", labels)
    engine.table("features", features)
    wanted = point_in_time_join(labels, features, "time", "user", 30, arrival="read_at")
    assert 0.05 < wanted["visits"].isna().mean() < 0.95
    assert_same(
        engine, point_in_time_sql("labels", "features", "time", "user", ["visits"], 30, arrival="read_at"), wanted
    )
    counts = count_before(features["user"], features["time"], labels["user"], labels["time"], 30)
    assert_same(engine, count_before_sql("features", "labels", "user", "time", 30, name="n"), labels.assign(n=counts))


def test_duckdbs_own_asof_join_finds_the_same(duck):
    labels, features = many(2_000, 20, 3), many(2_000, 20, 4).drop_duplicates(["user", "time"])
    duck.table("labels", labels)
    duck.table("features", features.assign(visits=np.arange(len(features))))
    asof = """
    SELECT l.*, f."time" AS time_feature, f.visits
    FROM labels AS l ASOF LEFT JOIN features AS f ON l."user" = f."user" AND l."time" > f."time"
    """
    assert_same(duck, point_in_time_sql("labels", "features", "time", "user", ["visits"]), duck.sql(asof))


def test_a_log_counts_what_it_says_of_itself(engine):
    log = many(500, 5, 5)
    engine.table("log", log)
    counts = count_before(log["user"], log["time"], log["user"], log["time"])
    assert_same(engine, count_before_sql("log", "log", "user", "time"), log.assign(count_before=counts))


def test_sums_of_fractions_are_right_to_the_last_digits_of_the_running_total(engine):
    events = many(500, 5, 6).assign(amount=np.random.default_rng(7).normal(0, 1e6, 500))
    engine.table("events", events)
    wanted = count_before(events["user"], events["time"], events["user"], events["time"], 20, events["amount"])
    found = engine.sql(count_before_sql("events", "events", "user", "time", 20, "amount", name="total"))
    ours = found.sort_values(["user", "time", "amount"])["total"]
    theirs = events.assign(total=wanted).sort_values(["user", "time", "amount"])["total"]
    largest = events["amount"].abs().groupby(events["user"]).sum().max()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=largest * 1e-14)


def test_ties_and_the_ends_of_windows(engine):
    engine.table("labels", pd.DataFrame({"k": [1, 1, 1], "t": [5, 6, 7]}))
    engine.table("features", pd.DataFrame({"k": [1], "t": [5], "v": [8]}))

    def taken(*options):
        found = engine.sql(point_in_time_sql("labels", "features", "t", "k", ["v"], *options))
        return found.sort_values("t")["v"].notna().tolist()

    assert taken() == [False, True, True]
    assert taken(1) == [False, True, False]
    assert taken(0) == [False, False, False]
    assert taken(0, True) == [True, False, False]
    assert taken(None, True) == [True, True, True]
    counts = engine.sql(count_before_sql("features", "labels", "k", "t", 1)).sort_values("t")["count_before"]
    assert counts.tolist() == [0, 1, 0]
    clicks = pd.DataFrame({"request_id": [1, 2, 3, 4], "timestamp": [4, 5, 6, 7]})
    engine.table("impressions", clicks.assign(timestamp=5))
    engine.table("clicks", clicks)
    joined = engine.sql(join_impressions_clicks_sql("impressions", "clicks", 1)).sort_values("request_id")
    assert joined["click"].tolist() == [0, 1, 1, 0]
    assert joined["click_timestamp"].dtype == "Int64"


def test_a_window_finer_than_a_second_and_one_of_years(engine):
    start = pd.Timestamp("2026-01-05", tz="UTC")
    late = [pd.Timedelta(0), pd.Timedelta("1us"), pd.Timedelta("2us"), pd.Timedelta("3652D") + pd.Timedelta("1us")]
    engine.table("features", pd.DataFrame({"k": [1], "t": [start]}))
    engine.table("labels", pd.DataFrame({"k": [1] * 4, "t": [start + d for d in late]}))
    for window, counts in [
        ("1us", [0, 1, 0, 0]),
        ("3652D", [0, 1, 1, 0]),
        (late[3], [0, 1, 1, 1]),
        ("1ns", [0] * 4),
    ]:
        found = engine.sql(count_before_sql("features", "labels", "k", "t", window))
        assert found.sort_values("t")["count_before"].tolist() == counts


def test_the_time_may_be_named_as_the_arrival():
    given = ("labels", "features", "t", "k", ["v"])
    assert point_in_time_sql(*given, arrival="t") == point_in_time_sql(*given)


ODD = "a \"b` c'd"


def test_names_may_be_anything(engine):
    log = pd.DataFrame({"select": [1, 1], ODD: [3, 4], "order": [7, 8]})
    engine.table("table", log)
    engine.table("user", log.drop(columns="order"))
    joined = engine.sql(point_in_time_sql("user", "table", ODD, "select", ["order"])).sort_values(ODD)
    assert joined["order"].tolist() == [pd.NA, 7]
    assert joined[f"{ODD}_feature"].tolist() == [pd.NA, 3]
    assert engine.sql(count_before_sql("table", "user", "select", ODD, name="sum"))["sum"].sum() == 1
    engine.table("table", log.rename(columns={"order": "group"}))
    joined = engine.sql(join_impressions_clicks_sql("table", "table", 0, ["select"], "group", ODD))
    assert joined["click"].tolist() == [1, 1]


def test_a_table_may_stand_in_a_schema(duck):
    duck.connection.execute('CREATE SCHEMA IF NOT EXISTS "of it"')
    duck.connection.execute('CREATE OR REPLACE TABLE "of it".log AS SELECT 1 AS k, 2 AS t')
    assert duck.sql(count_before_sql("of it.log", "memory.of it.log", "k", "t"))["count_before"].tolist() == [0]


INNER = ["k", "seen", "moment", "c0", "known", "amount", "total", "sign", "as_of", "n"]


@pytest.mark.parametrize("turn", range(5))
def test_columns_may_be_named_as_parts_of_the_query(engine, turn):
    key, time, read, value = (INNER[:5] * 2)[turn : turn + 4]
    labels = pd.DataFrame({key: [1, 1, 2], time: [5, 9, 5]})
    features = pd.DataFrame({key: [1, 1, 2], time: [3, 7, 4], read: [4, 9, 4], value: [30, 70, 40]})
    engine.table("labels", labels)
    for arrival, wanted in [(None, [30, 70, 40]), (read, [30, 30, 40])]:
        sql = point_in_time_sql("labels", "features", time, key, [value], arrival=arrival)
        engine.table("features", features)
        assert engine.sql(sql).sort_values([key, time])[value].tolist() == wanted
        engine.table("features", pd.concat([features, features.head(1).assign(**{value: 99})]))
        with pytest.raises(ValueError, match="two different rows"):
            engine.sql(sql)
    sent = pd.DataFrame({key: [1, 1, 2], time: [3, 3, 4], value: [7, 7, 8]})
    sql = join_impressions_clicks_sql("shown", "clicked", 5, [value], key, time)
    engine.table("clicked", sent[[key, time]])
    engine.table("shown", sent)
    assert engine.sql(sql).sort_values(key)[value].tolist() == [7, 8]
    for other in ({value: [7, 9, 8]}, {time: [3, 4, 4]}):
        engine.table("shown", sent.assign(**other))
        with pytest.raises(ValueError, match=r"two (different rows|times)"):
            engine.sql(sql)
    key, time, value, name = (INNER * 2)[2 * turn : 2 * turn + 4]
    engine.table("events", pd.DataFrame({key: [1, 1, 2], time: [3, 7, 4], value: [1, 10, 100]}))
    engine.table("labels", pd.DataFrame({key: [1, 1, 2], time: [5, 9, 5]}))
    found = engine.sql(count_before_sql("events", "labels", key, time, 5, value, name=name))
    assert found.sort_values([key, time])[name].tolist() == [1, 10, 100]


NAN = float("nan")  # in Arrow, where it is no missing value


@pytest.mark.parametrize("side", ["labels", "features"])
def test_a_time_that_is_nan_is_missing_and_a_key_is_nobodys(engine, side):
    tables = {"labels": {"k": [1], "t": [5.0]}, "features": {"k": [1], "t": [3.0], "v": [1]}}
    queries = [
        point_in_time_sql("labels", "features", "t", "k", ["v"]),
        count_before_sql("features", "labels", "k", "t"),
        join_impressions_clicks_sql("features", "labels", 9, ["v"], "k", "t"),
    ]
    for name, table in tables.items():
        engine.table(name, pa.table(table | ({"t": [NAN]} if name == side else {})))
    for sql in queries:
        with pytest.raises(ValueError, match=f"t of {side} is missing for k 1"):
            engine.sql(sql)
    for name, table in tables.items():
        engine.table(name, pa.table(table | {"k": [NAN]}))
    assert engine.sql(queries[0])["v"].isna().tolist() == [True]
    assert engine.sql(queries[1])["count_before"].tolist() == [0]
    with pytest.raises(ValueError, match="k of features is missing at 3"):
        engine.sql(queries[2])


@pytest.mark.parametrize("bits", [8, 16, 32, 64])
def test_a_difference_of_whole_numbers_does_not_wrap_around(engine, bits):
    most = 4 * 10**18 if bits == 64 else 2 ** (bits - 1) - 1
    kind = f"int{bits}"
    ends = {"k": pa.array([1]), "t": pa.array([-most], kind)}, {"k": pa.array([1]), "t": pa.array([most], kind)}
    engine.table("labels", pa.table(ends[1]))
    engine.table("features", pa.table(ends[0] | {"v": [7]}))
    for length, known in [(10, False), (2 * most - 1, False), (2 * most, True)][: 1 if bits == 64 else 3]:
        sql = point_in_time_sql("labels", "features", "t", "k", ["v"], length)
        assert engine.sql(sql)["v"].notna().tolist() == [known]
        sql = join_impressions_clicks_sql("features", "labels", length, [], "k", "t")
        assert engine.sql(sql)["click"].tolist() == [known]
        sql = count_before_sql("features", "labels", "k", "t", length)
        assert engine.sql(sql)["count_before"].tolist() == [known]
        assert engine.sql(count_before_sql("labels", "features", "k", "t", length))["count_before"].tolist() == [0]


def test_rows_without_a_key_are_nobodys_and_may_differ(engine):
    nobody = pd.DataFrame({"k": pd.array([None, None, 1], "Int64"), "t": [3, 3, 3], "v": [1, 2, 3]})
    engine.table("labels", nobody.drop(columns="v").assign(t=5))
    engine.table("features", nobody)
    found = engine.sql(point_in_time_sql("labels", "features", "t", "k", ["v"]))
    assert sorted(found["v"].dropna()) == [3]
    assert len(found) == 3
    assert sorted(engine.sql(count_before_sql("features", "labels", "k", "t"))["count_before"]) == [0, 0, 1]


def test_a_query_without_added_columns(engine):
    engine.table("labels", pd.DataFrame({"k": [1], "t": [5]}))
    engine.table("features", pd.DataFrame({"k": [1], "t": [3]}))
    assert engine.sql(point_in_time_sql("labels", "features", "t", "k", []))["t_feature"].tolist() == [3]


LABELS = pd.DataFrame({"k": [1, 2], "t": [5, 6]})
FEATURES = pd.DataFrame({"k": [1, 2], "t": [3, 3], "a": [4, 4], "v": [0, 1]})
MISSING = pd.array([3, None], "Int64")
PIT = point_in_time_sql("labels", "features", "t", "k", ["v"])
YOUNG = point_in_time_sql("labels", "features", "t", "k", ["v"], 9)
LATE = point_in_time_sql("labels", "features", "t", "k", ["v"], arrival="a")
COUNT = count_before_sql("features", "labels", "k", "t", value="v")
CLICKS = join_impressions_clicks_sql("labels", "features", 9, [], "k", "t")
TWICE = join_impressions_clicks_sql("features", "labels", 9, ["v"], "k", "t")


@pytest.mark.parametrize(
    ("sql", "labels", "features", "complaint"),
    [
        (PIT, LABELS.assign(t=MISSING), FEATURES, "t of labels is missing for k 2"),
        (PIT, LABELS.assign(k=MISSING, t=MISSING), FEATURES, "t of labels is missing for k NULL"),
        (PIT, LABELS, FEATURES.assign(t=MISSING), "t of features is missing for k 2"),
        (LATE, LABELS, FEATURES.assign(a=MISSING), "a of features is missing for k 2"),
        (LATE, LABELS, FEATURES.assign(k=1, v=[1, 2]), "two different rows for k 1 at 3"),
        (PIT, LABELS, FEATURES.assign(k=1), "two different rows for k 1 at 3"),
        (PIT, LABELS, FEATURES.assign(k=1, v=MISSING), "two different rows for k 1 at 3"),
        (PIT, LABELS.astype({"k": "str"}), FEATURES, "k is text in one table alone: [12]"),
        (PIT, LABELS, FEATURES.astype({"k": "str"}), "k is text in one table alone: [12]"),
        (COUNT, LABELS.assign(t=MISSING), FEATURES, "t of labels is missing for k 2"),
        (COUNT, LABELS, FEATURES.assign(t=MISSING), "t of features is missing for k 2"),
        (COUNT, LABELS, FEATURES.assign(v=MISSING), "v of features is no number for k 2"),
        (COUNT, LABELS, FEATURES.assign(v=[1e289, 1e290]), "v of features is no number for k 2"),
        (COUNT, LABELS, FEATURES.assign(v=[-1e290, 1]), "v of features is no number for k 1"),
        (COUNT, LABELS.astype({"k": "str"}), FEATURES, "k is text in one table alone: [12]"),
        (PIT, LABELS.astype({"t": "str"}), FEATURES, "t of labels is a text, which has no order in time, for k 1"),
        (PIT, LABELS, FEATURES.astype({"t": "str"}), "t of features is a text"),
        (LATE, LABELS, FEATURES.astype({"a": "str"}), "a of features is a text"),
        (COUNT, LABELS.astype({"t": "str"}), FEATURES, "t of labels is a text"),
        (COUNT, LABELS.astype({"t": "str"}), FEATURES.astype({"t": "str"}), "t of (labels|features) is a text"),
        (YOUNG, LABELS.assign(t=[5, 2**62]), FEATURES, "t of labels is beyond 4E18 for k 2"),
        (YOUNG, LABELS, FEATURES.assign(t=[-(2**62), 5]), "t of features is beyond 4E18 for k 1"),
        (CLICKS, LABELS, FEATURES.assign(t=[3, 2**63 - 1]), "t of features is beyond 4E18 for k 2"),
        (CLICKS, LABELS.assign(k=MISSING), FEATURES, "k of labels is missing at 6"),
        (CLICKS, LABELS.assign(t=MISSING), FEATURES, "t of labels is missing for k 2"),
        (CLICKS, LABELS, FEATURES.assign(t=MISSING), "t of features is missing for k 2"),
        (CLICKS, LABELS.assign(k=7), FEATURES, "two times for k 7"),
        (CLICKS, LABELS, FEATURES.astype({"k": "str"}), "k is text in one table alone: [12]"),
        (TWICE, LABELS, FEATURES.assign(k=7), "two different rows for k 7"),
        (PIT, LABELS.drop(columns="k"), FEATURES, "(?i)k"),
        (PIT, LABELS, FEATURES.drop(columns="v"), "(?i)v"),
        (PIT, LABELS.assign(v=1), FEATURES, "the result has column 'v' twice: rename one"),
    ],
)
def test_a_query_fails_at_a_bad_row_and_says_which(engine, sql, labels, features, complaint):
    engine.table("labels", labels)
    engine.table("features", features)
    with pytest.raises(ValueError, match=complaint):
        engine.sql(sql)


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: point_in_time_sql("", "f", "t", "k", []), "labels must be the name of a table, got ''"),
        (lambda: point_in_time_sql("l", 7, "t", "k", []), "features must be the name of a table, got 7"),
        (lambda: point_in_time_sql("l", "a..b", "t", "k", []), "features must be the name of a table, got 'a..b'"),
        (lambda: point_in_time_sql("_known", "f", "t", "k", []), "labels must not begin with _, .* got '_known'"),
        (lambda: point_in_time_sql("l", "f", None, "k", []), "on must be a name, got None"),
        (lambda: point_in_time_sql("l", "f", "t", " ", []), "by must be a name, got ' '"),
        (lambda: point_in_time_sql("l", "f", "t", "k", [], arrival=""), "arrival must be a name, got ''"),
        (lambda: point_in_time_sql("l", "f", "t", "k", "v"), "columns must be a list of names, got 'v'"),
        (lambda: point_in_time_sql("l", "f", "t", "k", None), "columns must be a list of names, got None"),
        (lambda: point_in_time_sql("l", "f", "t", "k", ["v", 3]), "columns must be a name, got 3"),
        (lambda: point_in_time_sql("l", "f", "t", "k", ["v", "V"]), "column 'v' would be there twice"),
        (lambda: point_in_time_sql("l", "f", "t", "k", ["T_feature"]), "column 't_feature' would be there twice"),
        (lambda: point_in_time_sql("l", "f", "t", "k", [], -1), "tolerance must be at least 0 and finite, got -1"),
        (lambda: point_in_time_sql("l", "f", "t", "k", [], 2**62), "tolerance must be at most 4E18, got 4611686"),
        (lambda: point_in_time_sql("l", "f", "t", "k", [], "soon"), "tolerance must be a duration"),
        (lambda: count_before_sql("e", "r", "k", "t", 0), "window must be above 0 and finite, got 0"),
        (lambda: count_before_sql("e", "r", "k", "t", "-1h"), "window must be above 0"),
        (lambda: count_before_sql("e", "r", "k", "t", "7"), "window must be a duration"),
        (lambda: count_before_sql("e", "r", "k", "t", value=""), "value must be a name, got ''"),
        (lambda: count_before_sql("e", "r", "k", "t", event_time=1), "event_time must be a name, got 1"),
        (lambda: count_before_sql("e", "r", "k", "t", name="K"), "column 'k' would be there twice"),
        (lambda: count_before_sql("e", "r", "t", "t"), "column 't' would be there twice"),
        (lambda: join_impressions_clicks_sql("i", "c", None), "window must be a duration or a number, got None"),
        (lambda: join_impressions_clicks_sql("i", "c", -1), "window must be at least 0 and finite, got -1"),
        (lambda: join_impressions_clicks_sql("i", "c", 1, ["click"]), "column 'click' would be there twice"),
        (lambda: join_impressions_clicks_sql("i", "c", 1, [], ""), "request_id must be a name, got ''"),
        (lambda: join_impressions_clicks_sql("i", "c", 1, timestamp=2), "timestamp must be a name, got 2"),
    ],
)
def test_bad_arguments_are_named(call, complaint):
    with pytest.raises(ValueError, match=complaint):
        call()
