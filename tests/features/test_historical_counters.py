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
    event_time, time = [-end, end - 3], [-end, 0, end - 2]
    event_key, key = np.arange(events_of).repeat(2), np.arange(rows_of).repeat(3)
    seen = count_before(event_key, np.tile(event_time, events_of), key, np.tile(time, rows_of))
    assert seen.reshape(rows_of, 3).tolist() == [[0, 1, 2] if k < events_of else [0, 0, 0] for k in range(rows_of)]


def test_times_that_64_bits_can_number_are_not_sorted(monkeypatch):
    monkeypatch.delattr(np, "unique")  # it sorts
    assert count_before(["a", "a"], [0, 2**61 - 3], ["a", "a"], [1, 2**61 - 2]).tolist() == [1, 2]


def test_many_keys_and_times_to_the_nanosecond():
    when = pd.to_datetime(np.arange(50_000) * 10**11, unit="ns")
    key = np.arange(50_000) % 25_000
    assert count_before(key, when, key, when).tolist() == [0] * 25_000 + [1] * 25_000


def test_smoothing_by_hand():
    assert smoothed_rate([3, 0], [10, 0], 0.1, 20).tolist() == pytest.approx([5 / 30, 0.1])
    assert [smoothed_rate(0, 1, prior, 1) for prior in (0, 1)] == [0, 0.5]


def test_more_clicks_than_impressions_are_not_refused():
    assert smoothed_rate([2], [1], 0.1, 1).tolist() == pytest.approx([1.05])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_before([1], [1, 2], [1], [1]), "one time for each key: got 1 and 2 events, 1 and 1 rows"),
        (lambda: count_before([1], [1], [1], [1, 2]), "one time for each key: got 1 and 1 events, 1 and 2 rows"),
        (lambda: count_before([1, 1], [1, np.nan], [1], [1]), "event_time is missing at row 1"),
        (lambda: count_before([1], [1], [1], [np.nan]), "time is missing at row 0"),
        (lambda: count_before([1], pd.to_datetime([0]), [1], [1]), "times are of two kinds: datetime64"),
        (lambda: count_before([1], [1], [1], [1], 0), "window must be more than 0, got 0"),
        (lambda: count_before([1], [1], [1], [1], pd.Timedelta(0)), "window must be more than 0, got 0 days"),
        (lambda: count_before([1], [1], [1], [1], value=[np.inf]), "value must hold a finite number for each event"),
        (lambda: count_before([1], [1], [1], [1], value=[1, 2]), "value must hold a finite number for each event"),
        (lambda: smoothed_rate([1, -1], [2, 2], 0.1, 1), "successes must be at least 0 and finite, got -1"),
        (lambda: smoothed_rate([-1], [1], 0.1, 1), "successes must be at least 0 and finite, got -1"),
        (lambda: smoothed_rate([1], [np.nan], 0.1, 1), "trials must be at least 0 and finite, got nan"),
        (lambda: smoothed_rate([np.inf], [1], 0.1, 1), "successes must be at least 0 and finite, got inf"),
        (lambda: smoothed_rate([1], [1], -0.1, 1), r"prior_rate must be in \[0, 1\], got -0.1"),
        (lambda: smoothed_rate([1], [1], 0.1, np.inf), "strength must be positive and finite, got inf"),
        (lambda: smoothed_rate([1], [1], 2, 1), r"prior_rate must be in \[0, 1\], got 2"),
        (lambda: smoothed_rate([1], [1], 0.1, 0), "strength must be positive and finite, got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
