import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.historical_counters import count_before, smoothed_rate

KEYS = st.sampled_from(["a", "b", None])
EVENTS = st.lists(st.tuples(KEYS, st.integers(-3, 15), st.integers(-2, 5)), max_size=20)
ROWS = st.lists(st.tuples(KEYS, st.integers(-6, 30)), max_size=12)
CAST = {
    "whole numbers": lambda t: np.array(t, np.int64),
    "fractions": lambda t: np.array(t, float) / 4,
    "far apart": lambda t: np.array(t, np.int64) * 2**57,
    "datetimes": lambda t: pd.to_datetime(np.array(t, np.int64), unit="h", utc=True),
}
WINDOW = {"whole numbers": 1, "fractions": 0.25, "far apart": 2**57, "datetimes": pd.Timedelta("1h")}


@pytest.mark.parametrize("kind", CAST)
@given(EVENTS, ROWS, st.none() | st.integers(1, 9), st.booleans())
def test_against_counting_one_by_one(kind, events, rows, window, weighted):
    who, when, value = ([e[i] for e in events] for i in range(3))
    key, now = ([r[i] for r in rows] for i in range(2))
    counts = count_before(
        who,
        CAST[kind](when),
        key,
        CAST[kind](now),
        None if window is None else window * WINDOW[kind],
        value if weighted else None,
    )
    expected = [
        sum(
            (v if weighted else 1)
            for w, t, v in events
            if k is not None and w == k and t < n and (window is None or t >= n - window)
        )
        for k, n in rows
    ]
    assert counts.tolist() == expected


def test_against_the_histories_of_the_simulator():
    log = simulate_ad_log(40_000)
    clicks = log[log["click"] == 1]
    arrival = clicks["timestamp"] + pd.to_timedelta(np.ceil(1000 * clicks["click_delay"]), unit="ms")
    for who in ("user", "ad"):
        key = f"{who}_id"
        shown = count_before(log[key], log["timestamp"], log[key], log["timestamp"])
        clicked = count_before(clicks[key], arrival, log[key], log["timestamp"])
        assert (shown == log[f"{who}_impressions"]).all()
        assert (clicked == log[f"{who}_clicks"]).all()


def test_against_pandas_rolling():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"key": rng.integers(0, 20, 3_000), "value": rng.random(3_000)})
    frame["time"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(rng.permutation(3_000), unit="min")
    ours = count_before(frame["key"], frame["time"], frame["key"], frame["time"], pd.Timedelta("5h"), frame["value"])
    theirs = (
        frame.sort_values("time")
        .assign(row=lambda f: f.index)
        .set_index("time")
        .groupby("key")
        .apply(lambda g: g.assign(sum=g["value"].rolling("5h", closed="left").sum()), include_groups=False)
        .set_index("row")["sum"]
        .fillna(0)
        .sort_index()
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)


def test_units_and_windows_finer_than_the_times():
    when = pd.to_datetime([0, 1_000, 2_000], unit="ms")
    now = pd.to_datetime([2_000_000_000, 2_000_000_001], unit="ns")
    assert count_before([1, 1, 1], when, [1, 1], now, pd.Timedelta("1s")).tolist() == [1, 1]
    assert count_before([1, 1, 1], when, [1, 1], now).tolist() == [2, 3]
    seconds = pd.to_datetime([0, 1, 2], unit="s").as_unit("s")
    assert count_before([1] * 3, seconds, [1] * 3, seconds, pd.Timedelta("1500ms")).tolist() == [0, 1, 1]
    assert count_before([1] * 3, [0, 1, 2], [1] * 3, [0, 1, 2], 1.5).tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("rows_of", "events_of", "end"), [(20, 20, 2**60), (20, 1, 2**60), (1, 20, 2**60), (2, 2, 2**62)]
)
def test_keys_and_times_that_64_bits_cannot_number(rows_of, events_of, end):
    time, event_key, key = [-end, 0, end - 2], np.arange(events_of), np.arange(rows_of).repeat(3)
    for event_time in ([-end, end - 3], [-end, 1 - end, end - 3]):  # on a coarse scale, and on none
        n = len(event_time)
        seen = count_before(event_key.repeat(n), np.tile(event_time, events_of), key, np.tile(time, rows_of))
        known = [[0, n - 1, n] if k < events_of else [0, 0, 0] for k in range(rows_of)]
        assert seen.reshape(rows_of, 3).tolist() == known


def test_times_as_far_apart_as_64_bits_hold():
    assert count_before(["a", "a"], [-(2**62), 2**62 - 1], ["a", "a"], [0, 2**62 - 1], 2**63 - 2).tolist() == [1, 0]


def test_times_that_64_bits_can_number_are_not_sorted(monkeypatch):
    monkeypatch.delattr(np, "unique")  # it sorts
    assert count_before(["a", "a"], [0, 2**61 - 3], ["a", "a"], [1, 2**61 - 2]).tolist() == [1, 2]


def test_many_keys_and_times_to_the_nanosecond():
    when = pd.to_datetime(np.arange(50_000) * 10**11, unit="ns")
    key = np.arange(50_000) % 25_000
    assert count_before(key, when, key, when).tolist() == [0] * 25_000 + [1] * 25_000


NUMBERS = st.floats(-1e12, 1e12) | st.floats(-1, 1) | st.sampled_from([1e17, -1e17, 0.1, 1e-9])


@given(st.lists(st.tuples(KEYS, st.integers(0, 9), NUMBERS), max_size=20), st.none() | st.integers(1, 5))
def test_sums_of_large_and_small_values_against_exact_ones(events, window):
    who, when, value = ([e[i] for e in events] for i in range(3))
    key, now = ["a", "b"] * 11, np.arange(11).repeat(2)
    sums = count_before(who, np.array(when, np.uint8), key, now, window, value)
    for k, n, s in zip(key, now, sums, strict=True):
        inside = [v for w, t, v in events if w == k and t < n and (window is None or t >= n - window)]
        assert s == pytest.approx(math.fsum(inside), rel=1e-15, abs=1e-15 + 1e-30 * sum(map(abs, value)))


def test_a_sum_of_one_key_is_not_lost_behind_that_of_another():
    who, when, value = ["a", "a", "b", "b", None], [1, 2, 1, 2, 1], [1e280, 2e280, 0.1, 0.2, 1e285]
    assert count_before(who, when, ["b", "a", None], [3, 3, 3], value=value).tolist() == [0.1 + 0.2, 3e280, 0]
    assert count_before(["a"] * 2, [1, 9], ["a"], [10], 5, [1e17, 0.1]).tolist() == [0.1]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint32", "uint64", "float16", ">i4"])
def test_narrow_times_do_not_wrap_round(dtype):
    time = np.array([-100, 1, 2, 3, 9, 100] if dtype == "int8" else [0, 1, 2, 3, 9, 100]).astype(dtype)
    expected = [sum(int(t) - 7 <= e < t for e in time.astype(int)) for t in time]
    assert count_before(["u"] * 6, time, ["u"] * 6, time, 7).tolist() == expected


@given(EVENTS, ROWS, st.integers(1, 9))
def test_fractions_are_compared_as_they_are(events, rows, window):
    who, when = [e[0] for e in events], [e[1] / 10 for e in events]
    key, now = [r[0] for r in rows], [r[1] / 10 for r in rows]
    counts = count_before(who, when, key, now, window / 10)
    assert counts.tolist() == [
        sum(w == k and t < n and t >= n - window / 10 for w, t in zip(who, when, strict=True)) if k else 0
        for k, n in zip(key, now, strict=True)
    ]


def test_a_series_comes_back_with_its_index():
    key = pd.Series(["a", "b"], index=[30, 10])
    counts = count_before(["a"], [1], key, [2, 2])
    assert counts.to_dict() == {30: 1, 10: 0}
    assert counts.dtype == np.int64
    assert smoothed_rate(counts, [1, 1], 0.5, 1).to_dict() == {30: 0.75, 10: 0.25}
    assert smoothed_rate([1, 0], counts, 0.5, 1).to_dict() == {30: 0.75, 10: 0.5}


def test_smoothing_by_hand():
    assert smoothed_rate([3, 0], [10, 0], 0.1, 20).tolist() == pytest.approx([5 / 30, 0.1])
    assert [smoothed_rate(0, 1, prior, 1) for prior in (0, 1)] == [0, 0.5]


def test_more_clicks_than_impressions_are_not_refused():
    assert smoothed_rate([2], [1], 0.1, 1).tolist() == pytest.approx([1.05])


UTC = pd.to_datetime(["2026-01-05"], utc=True)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_before([1], [1, 2], [1], [1]), "event_time has 2 rows, event_key has 1"),
        (lambda: count_before([1], [1], [1], [1, 2]), "time has 2 rows, key has 1"),
        (lambda: count_before([1, 1], [1, np.nan], [1], [1]), "event_time is missing at row 1"),
        (lambda: count_before([1], [1], [1], [np.nan]), "time is missing at row 0"),
        (
            lambda: count_before([1], pd.to_datetime([0]), [1], [1]),
            "times are of two kinds: event_time holds datetimes without a zone, time holds",
        ),
        (lambda: count_before([1], [1], [1], [1], 0), "window must be above 0 and finite, got 0"),
        (lambda: count_before([1], UTC, [1], UTC, pd.Timedelta(0)), "window must be above 0"),
        (lambda: count_before([1], UTC, [1], UTC, 7), "window must be a duration, such as '30min'"),
        (lambda: count_before([7], [1], ["7"], [3]), "event_key holds whole numbers and key text"),
        (lambda: count_before([1], [1], [1], [1], value=[np.inf]), "value must be in .*, got inf at row 0"),
        (lambda: count_before([1], [1], [1], [1], value=[1, 2]), "value has 2 rows, event_key has 1"),
        (lambda: smoothed_rate([1, -1], [2, 2], 0.1, 1), r"successes must be in \[0, 1e290\), got -1"),
        (lambda: smoothed_rate([-1], [1], 0.1, 1), r"successes must be in \[0, 1e290\), got -1"),
        (
            lambda: smoothed_rate([1, 2], [3], 0.1, 1),
            r"successes and trials must have one shape and a row, got \(2,\) and \(1,\)",
        ),
        (lambda: smoothed_rate([], [], 0.1, 1), r"successes and trials must have one shape and a row, got \(0,\)"),
        (lambda: smoothed_rate([1.7e308], [1.7e308], 1, 1e308), r"successes must be in \[0, 1e290\), got 1.7e\+308"),
        (lambda: smoothed_rate([1], [np.nan], 0.1, 1), r"trials must be in \[0, 1e290\), got nan"),
        (lambda: smoothed_rate([np.inf], [1], 0.1, 1), r"successes must be in \[0, 1e290\), got inf"),
        (lambda: smoothed_rate([1], [1], -0.1, 1), r"prior_rate must be in \[0, 1\], got -0.1"),
        (lambda: smoothed_rate([1], [1], 0.1, np.inf), "strength must be above 0 and finite, got inf"),
        (lambda: smoothed_rate([1], [1], 2, 1), r"prior_rate must be in \[0, 1\], got 2"),
        (lambda: smoothed_rate([1], [1], 0.1, 0), "strength must be above 0 and finite, got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
