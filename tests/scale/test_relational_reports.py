from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from snippets.features.feature_coverage import coverage_report
from snippets.problem.product_metrics import active_users, session_length, sessionize
from snippets.scale.relational_metrics import run_checked
from snippets.scale.relational_reports import actives_sql, consistency_sql, coverage_sql, sessions_sql
from snippets.training_data.online_offline_consistency import consistency_report

NAN, INF = float("nan"), float("inf")
few = settings(
    max_examples=20,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TEXT = st.sampled_from(["a", "b", "it's", "", None])
FLOAT = st.sampled_from([0.0, -0.0, 1.0, 5e-324, None]) | st.floats(-9, 9)
WHOLE = st.sampled_from([0, -1, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, None])
START = pd.Timestamp("2026-03-27", tz="UTC")  # three days before clocks change in Europe


def exact(**columns):
    """Return a table in which NaN is a number, and None is missing."""
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def typed(rows, **kinds):
    """Return rows as a frame in which whole numbers never pass through floats."""
    kinds = {"text": object, "x": float, "n": "Int64", "group": object, "flag": object} | kinds
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kinds.get(name)) for name in rows[0]})


@st.composite
def features(draw, **columns):
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=30))
    return typed(rows)


@few
@given(
    frame=features(text=TEXT, x=FLOAT, n=WHOLE, day=st.integers(0, 2), group=TEXT),
    by=st.sampled_from([[], ["day"], ["group", "day"]]),
)
def test_coverage_is_that_of_the_snippet(engine, frame, by):
    frame = frame[[*by, "text", "x", "n"]]
    engine.table("frame", frame)
    found = run_checked(engine, coverage_sql("frame", ["text", "x", "n"], by))
    wanted = coverage_report(frame, by or None)
    assert_frame_equal(found, wanted, check_dtype=False, rtol=1e-12)


def test_nan_in_a_file_is_missing_where_it_is_said_to_be(engine, tmp_path):
    # Not one value beside NaN alone: Sail 0.7.2 reads such a column of a file as if each row had it
    pq.write_table(exact(x=[NAN, 1.0, None, NAN, 2.0], day=[1.0, NAN, 1.0, NAN, 2.0]), tmp_path / "log.parquet")
    engine.table("log", tmp_path / "log.parquet")
    for floats, covered in [([], [1, 1, 2]), (["x"], [0, 1, 1])]:
        found = run_checked(engine, coverage_sql("log", "x", "day", floats))
        assert found["covered"].tolist() == covered
        assert found["day"].fillna(-1).tolist() == [1, 2, -1]
    pq.write_table(exact(x=[1.0, 2.0], day=[NAN, None]), tmp_path / "more.parquet")
    engine.table("more", tmp_path / "more.parquet")
    assert run_checked(engine, coverage_sql("more", "x", "day", "day"))["rows"].tolist() == [2]


def test_a_table_without_rows_has_no_report(engine, tmp_path):
    none = pa.table({"x": pa.array([], pa.float64()), "at": pa.array([], pa.timestamp("us", "UTC"))})
    pq.write_table(none, tmp_path / "none.parquet")
    engine.table("none", tmp_path / "none.parquet")
    assert len(run_checked(engine, coverage_sql("none", "x"))) == 0
    assert len(run_checked(engine, sessions_sql("none", "x", "at"))) == 0
    assert len(run_checked(engine, consistency_sql("none", "none", "at", fractions="x"))) == 0
    found = run_checked(engine, actives_sql("none", "x", "at", "2026-01-01", "2026-01-02"))
    assert found["active_users"].tolist() == [0, 0]


SIDE = st.dictionaries(
    st.tuples(st.integers(0, 4), st.sampled_from("ab")),
    st.fixed_dictionaries({"text": TEXT, "x": FLOAT, "n": WHOLE, "flag": st.booleans() | st.none()}),
    min_size=1,
    max_size=10,
)


def side(rows):
    frame = typed([{"id": i, "slot": s, **row} for (i, s), row in rows.items()])
    frame["at"] = START + pd.to_timedelta(frame["n"].isna() * frame["id"], unit="s")
    return frame


@few
@given(online=SIDE, offline=SIDE, tolerance=st.sampled_from([0.0, 0.5, 1.0]))
@example(online={(0, "a"): {"text": None, "x": None, "n": None, "flag": None}}, offline={}, tolerance=0.0)
def test_consistency_is_that_of_the_snippet(engine, online, offline, tolerance):
    online, offline = side(online), side(offline or {(1, "a"): next(iter(online.values()))})
    engine.table("online", online)
    engine.table("offline", offline)
    query = consistency_sql(
        "online",
        "offline",
        ["id", "slot"],
        whole="n",
        fractions=["x", "flag"],
        others=["text", "at"],
        numeric_tolerance=tolerance,
    )
    found = run_checked(engine, query)
    wanted = consistency_report(online, offline, ["id", "slot"], tolerance)
    wrong = found[["mismatch", "missing", "extra"]].sum(axis=1)
    assert wrong.sort_values(ascending=False).tolist() == pytest.approx(wrong.tolist())
    found, wanted = (report.set_index("feature").sort_index() for report in (found, wanted))
    # Between two differences Sail interpolates to a millionth of their gap
    largest = pd.Series(np.where(wanted.index == "n", 2.0**65, 18.0), wanted.index)
    rough = 1e-6 if engine.dialect == "spark" else 1e-15
    for column in ("delta_05", "delta_50", "delta_95"):
        gap = (found.pop(column) - wanted.pop(column)).abs()
        assert (gap.fillna(0) <= rough * largest).all()
    assert_frame_equal(found, wanted, check_dtype=False, check_like=True, rtol=1e-9, atol=1e-300)


def test_whole_numbers_are_compared_to_their_last_digit(engine):
    online, offline = [2**53, 2**63 - 1, 5], [2**53 + 1, -(2**63), 5]
    frames = {name: pd.DataFrame({"id": [1, 2, 3], "n": n}) for name, n in [("online", online), ("offline", offline)]}
    for name, frame in frames.items():
        engine.table(name, frame)
    found = run_checked(engine, consistency_sql("online", "offline", "id", whole="n"))
    wanted = consistency_report(frames["online"], frames["offline"], ["id"])
    assert_frame_equal(found, wanted, check_dtype=False, check_like=True, rtol=1e-5)  # the deltas, in Sail
    assert found["mismatch"].tolist() == pytest.approx([2 / 3])


def test_requests_that_are_no_requests_are_bad_rows(engine):
    good = {"id": [1, 2, 3], "x": [0.1, 0.2, 0.3], "n": [1, 2, 3]}
    for changed, bad in [
        ({"id": [1, 2, None]}, 2),  # and the one of the other side counts as missing, not as bad
        ({"id": [1, 2, 2]}, 2),
        ({"x": [0.1, 0.2, INF]}, 1),
        ({"x": [0.1, 0.2, -1e291]}, 1),
        ({"n": [1.0, 2.0, 2.5]}, 1),
    ]:
        engine.table("online", exact(**good))
        engine.table("offline", exact(**{**good, **changed}))
        for names in (["online", "offline"], ["offline", "online"]):
            query = consistency_sql(*names, "id", whole="n", fractions="x", quantiles=False)
            found = engine.sql(query).set_index("feature")
            feature = next(iter(changed)) if "id" not in changed else "n"
            assert found.loc[feature, "bad_rows"] == (bad if "id" not in changed else bad - ("None" in str(changed)))
            assert found.loc[feature, ["mismatch", "smape", "smape_mean"]].isna().all()
            assert "delta_05" not in found
            with pytest.raises(ValueError, match="bad rows, which the docstring of the query describes"):
                run_checked(engine, query)


@pytest.mark.parametrize("names", [("b", "a"), ("a", "b"), ("pairs", "cells"), ("sums", "ratios")])
def test_tables_may_be_named_as_a_part_of_the_query(engine, names):
    """A part that hides a table would be compared with itself, where columns are named alike, too."""
    for name, x in zip(names, ([1.0, 2.0], [1.0, 5.0]), strict=True):
        engine.table(name, pd.DataFrame({"k0": [1, 2], "v0": x}))
    found = run_checked(engine, consistency_sql(*names, "k0", fractions="v0"))
    assert found["mismatch"].tolist() == [0.5]


def test_nan_is_missing_and_booleans_are_numbers(engine):
    engine.table("online", exact(id=[1, 2, 3], x=[NAN, 1.0, NAN]))
    engine.table("offline", exact(id=[1, 2, 3], x=[2.0, NAN, NAN]))
    found = run_checked(engine, consistency_sql("online", "offline", "id", fractions="x"))
    assert found[["rows", "missing", "extra", "mismatch"]].to_numpy()[0] == pytest.approx([3, 1 / 3, 1 / 3, 0])


EVENT = st.fixed_dictionaries(
    {"user_id": st.sampled_from([3, 1, 2]), "second": st.sampled_from([0, 1, 1800, 1801, 3601]) | st.integers(0, 9999)}
)


@few
@given(
    rows=st.lists(EVENT, min_size=1, max_size=40),
    micros=st.lists(st.integers(0, 1), min_size=1, max_size=3),
    gap=st.sampled_from(["30min", "0s", "1s", "00:30:00.000001"]),
)
def test_sessions_are_those_of_the_snippet(engine, rows, micros, gap):
    frame = pd.DataFrame(rows)
    frame["timestamp"] = START + pd.to_timedelta(frame["second"], unit="s")
    frame["timestamp"] += pd.to_timedelta(np.resize(micros, len(frame)), unit="us")
    engine.table("log", frame)
    found = run_checked(engine, sessions_sql("log", "user_id", "timestamp", gap))
    found = found.sort_values(["user_id", "session"], ignore_index=True)
    frame["wanted"] = sessionize(frame, gap)
    wanted = frame.groupby("wanted").agg(
        user_id=("user_id", "first"), start=("timestamp", "min"), end=("timestamp", "max"), events=("second", "size")
    )
    wanted.insert(1, "session", wanted.groupby("user_id").cumcount())
    assert_frame_equal(found, wanted.reset_index(drop=True), check_dtype=False)
    seconds = (found["end"] - found["start"]).dt.total_seconds()
    assert seconds.tolist() == session_length(frame, gap).tolist()


def test_events_of_nobody_or_of_no_time_are_bad_rows(engine):
    times = [START, START, None, START + pd.Timedelta(5, "s")]
    engine.table("log", pd.DataFrame({"who": pd.array([1, None, 1, 1], "Int64"), "at": pd.to_datetime(times)}))
    found = engine.sql(sessions_sql("log", "who", "at"))
    assert found["bad_rows"].sum() == 2
    assert found.loc[found["bad_rows"] == 0, ["who", "session", "events"]].to_numpy().tolist() == [[1, 0, 2]]
    days = ["2026-03-27", "2026-03-28"]
    found = engine.sql(actives_sql("log", "who", "at", *days))
    assert found["bad_rows"].tolist() == [2, 2]
    assert found["active_users"].isna().all()
    for query, bad in [(sessions_sql("log", "who", "at"), 1), (actives_sql("log", "who", "at", *days), 2)]:
        with pytest.raises(ValueError, match=f"^{bad} bad rows, .*, the first of 2 such results"):
            run_checked(engine, query)


def test_years_of_three_digits_are_times_in_both_engines(engine):
    engine.table("log", pd.DataFrame({"u": [1], "at": pd.to_datetime(["2026-01-05"])}))
    found = run_checked(engine, actives_sql("log", "u", "at", "0900-01-01", "0900-01-02"))
    assert found["active_users"].tolist() == [0, 0]


ZONES = st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "America/Havana", "Pacific/Apia"])


@few
@given(
    rows=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 24 * 12)), min_size=1, max_size=30),
    start=st.sampled_from(["2026-03-27", "2026-10-23", "2026-03-06", "2026-10-30", "2011-12-27"]),
    zone=ZONES,
    period=st.sampled_from(["day", "week", 2, 3]),
)
def test_actives_are_those_of_the_snippet(engine, rows, start, zone, period):
    frame = pd.DataFrame(rows, columns=["user_id", "hour"])
    frame["timestamp"] = pd.Timestamp(start, tz="UTC") + pd.to_timedelta(frame["hour"], unit="h")
    days = frame["timestamp"].dt.tz_convert(zone).dt.date
    engine.table("log", frame)
    arguments = ["log", "user_id", "timestamp", days.min(), days.max(), period, zone]
    try:
        wanted = active_users(frame, period, zone)
    except ValueError:
        with pytest.raises(ValueError, match=f"days, fewer than {7 if period == 'week' else period}"):
            actives_sql(*arguments)
        return
    found = run_checked(engine, actives_sql(*arguments))
    assert found["active_users"].tolist() == wanted.tolist()
    assert [str(day)[:10] for day in found["day"]] == [str(day)[:10] for day in wanted.index]


def test_events_of_other_days_are_left_out_and_quiet_days_are_there(engine):
    times = ["2026-01-04 23:59:59.999999", "2026-01-05", "2026-01-07 23:59:59.999999", "2026-01-08"]
    engine.table("log", pd.DataFrame({"u": [1, 2, 3, 4], "at": pd.to_datetime(times, format="ISO8601")}))
    found = run_checked(engine, actives_sql("log", "u", "at", date(2026, 1, 5), "2026-01-07"))
    assert found["active_users"].tolist() == [1, 0, 1]
    found = run_checked(engine, actives_sql("log", "u", "at", "2026-01-05", "2026-01-07", 3))
    assert found["active_users"].tolist() == [2]


def test_names_may_be_anything(engine):
    odd = "it's a \\ \"b` c"
    rows = pd.DataFrame({odd: [1.0, None], "select": ["x", "y"], "from": pd.to_datetime(["2026-01-05"] * 2)})
    engine.table("log", rows)
    found = run_checked(engine, coverage_sql("log", [odd, "from"], "select"))
    assert found["feature"].tolist() == [odd, "from"] * 2
    found = run_checked(engine, consistency_sql("log", "log", "select", fractions=odd, others="from"))
    assert sorted(found["feature"]) == ["from", odd]
    found = run_checked(engine, sessions_sql("log", "select", "from"))
    assert sorted(found["select"]) == ["x", "y"]


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (lambda: coverage_sql("", "x"), "table must be a name, got ''"),
        (lambda: coverage_sql("log", []), "features is empty"),
        (lambda: coverage_sql("log", ["x", "x"]), "features has 'x' twice"),
        (lambda: coverage_sql("log", 7), "features must be a name, got 7"),
        (lambda: coverage_sql("log", "x", "rows"), "by has 'rows', which is a feature or a measure"),
        (lambda: coverage_sql("log", "x", "x"), "by has 'x', which is a feature or a measure"),
        (lambda: coverage_sql("log", "x", "y", "z"), "floats has 'z', which is not read"),
        (lambda: consistency_sql("a", "b", [], fractions="x"), "keys is empty"),
        (lambda: consistency_sql("a", "b", "id"), "whole, fractions and others are empty"),
        (lambda: consistency_sql("a", "b", "id", whole="x", others="x"), "keys and features has 'x' twice"),
        (lambda: consistency_sql("a", "b", "x", whole="x"), "keys and features has 'x' twice"),
        (
            lambda: consistency_sql("a", "b", "id", whole="x", numeric_tolerance=-1),
            "numeric_tolerance must be at least 0",
        ),
        (lambda: consistency_sql("a", None, "id", whole="x"), "offline must be a name, got None"),
        (lambda: sessions_sql("log", "start", "at"), "user is 'start', a column of the result"),
        (lambda: sessions_sql("log", "u", ""), "time must be a name, got ''"),
        (lambda: sessions_sql("log", "u", "at", 30), "gap must be a duration of at least 0, such as '30min', .*got 30"),
        (lambda: sessions_sql("log", "u", "at", "soon"), "gap must be a duration of at least 0.*, got 'soon'"),
        (lambda: sessions_sql("log", "u", "at", "-1s"), "gap must be a duration of at least 0.*, got '-1s'"),
        (lambda: sessions_sql("log", "u", "at", "1ns"), "in whole microseconds, got '1ns'"),
        (lambda: sessions_sql("log", "u", "at", "NaT"), "gap must be a duration of at least 0.*, got 'NaT'"),
        (lambda: actives_sql("log", "u", "at", "2026-01-01", "2026-01-02", "year"), "period must be one of"),
        (
            lambda: actives_sql("log", "u", "at", "2026-01-01", "2026-01-02", 0),
            "period must be a whole number of at least 1",
        ),
        (
            lambda: actives_sql("log", "u", "at", "2026-01-01", "2026-01-02", "week"),
            "2026-01-01 to 2026-01-02 are 2 days",
        ),
        (lambda: actives_sql("log", "u", "at", "2026-01-02", "2026-01-01"), "2026-01-02 to 2026-01-01 are 0 days"),
        (
            lambda: actives_sql("log", "u", "at", "1 May", "2026-01-02"),
            "first_day must be a day as '2026-01-31', got '1 May'",
        ),
        (lambda: actives_sql("log", "u", "at", "9999-12-31", "9999-12-31"), "days must be in the years 2 to 9998"),
        (lambda: actives_sql("log", "u", "at", "0001-01-01", "0001-01-01"), "days must be in the years 2 to 9998"),
        (lambda: actives_sql("log", "u", "at", "2026-01-01", None), "last_day must be a day as '2026-01-31', got None"),
        (
            lambda: actives_sql("log", "u", "at", "2026-01-01", "2026-01-02", "day", "Mars/X"),
            "time_zone must be a name as 'Europe/Paris', got 'Mars/X'",
        ),
    ],
)
def test_bad_arguments_are_named(query, complaint):
    with pytest.raises(ValueError, match=complaint):
        query()
