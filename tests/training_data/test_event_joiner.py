import datetime
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.training_data.event_joiner import Example, OnlineJoiner, dirty_stream, join_impressions_clicks

IMPRESSIONS = st.dictionaries(st.integers(0, 12), st.integers(0, 60), max_size=10)
CLICKS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 90)), max_size=20)


def frame(events, dtype="int64"):
    return pd.DataFrame(list(events), columns=["request_id", "timestamp"]).astype({"timestamp": dtype})


def brute_force(impressions, clicks, window):
    return {
        request: min((c for r, c in clicks if r == request and shown <= c <= shown + window), default=None)
        for request, shown in impressions.items()
    }


@given(IMPRESSIONS, CLICKS, st.integers(0, 30), st.integers(0, 3))
def test_batch_against_brute_force(impressions, clicks, window, copies):
    shown = [*impressions.items(), *list(impressions.items())[:copies]]
    joined = join_impressions_clicks(frame(shown), frame(clicks), window)
    expected = brute_force(impressions, clicks, window)
    assert joined["request_id"].tolist() == list(impressions)
    for row in joined.itertuples():
        clicked = expected[row.request_id]
        assert row.click == (clicked is not None)
        assert pd.isna(row.click_timestamp) if clicked is None else row.click_timestamp == clicked


@given(
    IMPRESSIONS,
    CLICKS,
    st.integers(0, 30),
    st.sampled_from([0, 1, 10]),
    st.lists(st.integers(0, 10), min_size=40, max_size=40),
)
def test_stream_agrees_with_batch_in_any_order_within_the_lateness(impressions, clicks, window, lateness, jitter):
    events = [("impression", *event) for event in impressions.items()] + [("click", *event) for event in clicks]
    events += events[:5]  # some are sent again
    arrival = [time + min(j, lateness) for (_, _, time), j in zip(events, jitter, strict=False)]
    joiner = OnlineJoiner(window, lateness)
    examples = []
    for i in np.argsort(arrival, kind="stable"):
        kind, request, time = events[i]
        closed = getattr(joiner, kind)(request, float(time))
        newest = max(events[j][2] for j in range(len(events)) if arrival[j] <= arrival[i])
        assert all(example.time + window < newest - lateness for example in closed)
        examples += closed
    examples += joiner.flush()
    assert joiner.late == 0
    assert {e.request_id: e.click_time for e in examples} == brute_force(impressions, clicks, window)
    assert len(examples) == len(impressions)
    assert [e.time for e in examples] == sorted(e.time for e in examples)
    assert all(e.trusted for e in examples)


@given(
    IMPRESSIONS,
    CLICKS,
    st.integers(0, 30),
    st.integers(0, 10),
    st.floats(0, 1),
    st.tuples(st.integers(0, 90), st.integers(0, 40)),
    st.integers(0, 10**6),
)
def test_stream_agrees_with_batch_on_dirty_streams(impressions, clicks, window, lateness, duplicates, gap, seed):
    gap = (gap[0], gap[0] + gap[1])
    shown, clicked = frame(impressions.items()), frame(clicks)
    events = dirty_stream(
        shown, clicked, np.random.default_rng(seed), lateness=lateness, duplicates=duplicates, gap=gap
    )
    joiner = OnlineJoiner(window, lateness)
    examples = [e for kind, r, t in events.itertuples(index=False) for e in getattr(joiner, kind)(r, float(t))]
    examples += joiner.flush()
    kept = [(r, t) for r, t in clicks if not gap[0] <= t < gap[1]]
    joined = join_impressions_clicks(shown, frame(kept), window)
    assert joiner.late == 0
    assert {e.request_id: e.click_time for e in examples} == brute_force(impressions, kept, window)
    assert {e.request_id for e in examples if e.click_time is not None} == set(
        joined.loc[joined["click"] == 1, "request_id"]
    )


def test_a_dirty_stream_is_dirty_in_the_way_asked():
    times = np.arange(10_000.0)
    shown, clicked = (pd.DataFrame({"request_id": times.astype(int), "timestamp": times + d}) for d in (0, 5))
    events = dirty_stream(shown, clicked, np.random.default_rng(0), lateness=30, duplicates=0.2, gap=(1_000, 4_000))
    behind = events["timestamp"].cummax() - events["timestamp"]
    assert 25 < behind.max() <= 30
    assert events.duplicated().sum() == pytest.approx(0.2 * 17_000, rel=0.06)
    lost = events.loc[events["kind"] == "click", "timestamp"]
    assert not lost.between(1_000, 3_999.9).any()
    assert {999, 4_000} <= set(lost)
    assert set(events.loc[events["kind"] == "impression", "timestamp"]) == set(times)


def test_a_dirty_stream_unless_asked_for_another():
    shown, clicked = (frame([(i, i) for i in range(500)]) for _ in range(2))
    seeds = [np.random.default_rng(0) for _ in range(2)]
    spelled_out = dirty_stream(shown, clicked, seeds[0], lateness=30, duplicates=0.1, gap=None)
    pd.testing.assert_frame_equal(dirty_stream(shown, clicked, seeds[1]), spelled_out)
    twice = dirty_stream(shown, clicked, np.random.default_rng(0), lateness=0, duplicates=1, gap=(7, 7))
    assert len(twice) == 2 * 1_000


def test_a_joiner_unless_asked_for_another():
    joiner = OnlineJoiner(window=0)
    assert (joiner.lateness, joiner.max_pending, joiner.stall_after) == (0, 1_000_000, None)
    joiner.impression("a", 1.0)
    joiner.click("a", 1.0)
    assert joiner.flush() == [Example("a", 1.0, 1.0, True)]
    assert OnlineJoiner(window=1, max_pending=1, stall_after=1).flush() == []


def test_timestamps_with_a_zone():
    start = pd.Timestamp("2026-01-05", tz="UTC")
    impressions = pd.DataFrame({"request_id": [1, 2], "timestamp": [start, start], "ad": ["x", "y"]})
    clicks = pd.DataFrame(
        {"request_id": [2, 1], "timestamp": [start + pd.Timedelta("60s"), start + pd.Timedelta("61s")]}
    )
    joined = join_impressions_clicks(impressions, clicks, pd.Timedelta("60s"))
    assert joined[["ad", "click"]].to_numpy().tolist() == [["x", 0], ["y", 1]]


@pytest.mark.parametrize(("click_time", "counts"), [(5.0, True), (15.0, True), (4.9, False), (15.1, False)])
def test_both_ends_of_the_window_count(click_time, counts):
    in_order, early = OnlineJoiner(window=10, lateness=20), OnlineJoiner(window=10, lateness=20)
    in_order.impression("a", 5.0)
    in_order.click("a", click_time)
    early.click("a", click_time)
    early.impression("a", 5.0)
    for joiner in (in_order, early):
        assert joiner.flush() == [Example("a", 5.0, click_time if counts else None, True)]


def test_late_events_are_counted_and_dropped():
    joiner = OnlineJoiner(window=10, lateness=5)
    joiner.impression("a", 100.0)
    joiner.click("a", 94.0)
    joiner.impression("b", 94.9)
    joiner.impression("c", 95.0)
    assert joiner.late == 2
    assert [e.request_id for e in joiner.flush()] == ["c", "a"]


def test_memory_holds_one_window():
    joiner = OnlineJoiner(window=10, lateness=2)
    for i in range(2_000):
        joiner.impression(i, i / 10)
        joiner.click(i + 5_000_000, i / 10)  # of no impression
        assert len(joiner._pending) <= 10 * (10 + 2) + 2
        assert len(joiner._early) <= 10 * 2 + 2
        assert len(joiner._gaps) == 0


def test_a_full_queue_refuses_and_forgets_nothing():
    joiner = OnlineJoiner(window=10, max_pending=2)
    joiner.impression("a", 0.0)
    joiner.impression("b", 1.0)
    with pytest.raises(OverflowError, match="2 impressions are waiting"):
        joiner.impression("c", 2.0)
    joiner.impression("b", 1.0)  # sent again: no new one
    joiner.click("b", 3.0)
    assert joiner.flush() == [Example("a", 0.0, None, True), Example("b", 1.0, 3.0, True)]


def test_a_full_queue_opens_again_although_no_click_comes():
    joiner = OnlineJoiner(window=3, lateness=1, max_pending=2)
    taken, refused, examples = [], [], []
    for t in range(12):
        try:
            examples += joiner.impression(t, float(t))
            taken.append(t)
        except OverflowError:
            refused.append(t)
    # 0 closes as soon as 3 + 1 seconds have passed.
    assert taken == [0, 1, 5, 6, 10, 11]
    assert refused == [2, 3, 4, 7, 8, 9]
    assert [e.request_id for e in examples + joiner.flush()] == taken


def test_what_is_too_late_never_overflows():
    joiner = OnlineJoiner(window=10, max_pending=1)
    joiner.impression("a", 5.0)
    assert joiner.impression("b", 1.0) == []
    assert joiner.impression("a", 1.0) == []
    assert joiner.late == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [(7, "7"), ("7", 7), (7, 7.5), (7, b"7"), ("7", uuid.UUID(int=7)), (7.0, np.str_("7"))],
)
def test_ids_of_two_kinds_in_a_stream_are_named(first, second):
    joiner = OnlineJoiner(window=10)
    joiner.impression(first, 0.0)
    with pytest.raises(ValueError, match=r"request_id holds .* and .*: ids of two kinds never match"):
        joiner.click(second, 1.0)
    assert [e.click_time for e in joiner.flush()] == [None]


@pytest.mark.parametrize("same", [7, 7.0, np.int64(7), np.uint8(7), np.float32(7)])
def test_equal_numbers_are_one_id(same):
    joiner = OnlineJoiner(window=10)
    joiner.impression(7, np.uint8(250))
    joiner.click(same, np.uint8(252))
    assert joiner.flush() == [Example(7, 250.0, 252.0, True)]


@pytest.mark.parametrize("missing", [None, np.nan, float("nan"), pd.NA, pd.NaT])
def test_a_click_without_an_id_matches_nothing_and_shows_that_clicks_come(missing):
    joiner = OnlineJoiner(window=10, lateness=5, stall_after=10)
    joiner.click(missing, 0.0)
    joiner.impression("a", 0.0)
    joiner.click(missing, 8.0)
    joiner.impression("b", 15.0)
    assert joiner.flush() == [Example("a", 0.0, None, True), Example("b", 15.0, None, True)]
    shown = frame([("a", 0), ("b", 1)])
    assert join_impressions_clicks(shown, frame([(missing, 1), ("b", 2)]), 10)["click"].tolist() == [0, 1]


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=8), st.lists(st.integers(0, 90), max_size=8), st.integers(0, 9)
)
def test_batch_and_stream_round_alike(shown, clicked, window):
    shown, clicked, window = (np.asarray(times) / 10 for times in (shown, clicked, window))  # 0.1 is no binary number
    requests = np.arange(max(len(shown), len(clicked)))
    impressions = pd.DataFrame({"request_id": requests[: len(shown)], "timestamp": shown})
    clicks = pd.DataFrame({"request_id": requests[: len(clicked)], "timestamp": clicked})
    joiner = OnlineJoiner(window)
    events = [(t, kind, r) for kind, times in enumerate([shown, clicked]) for r, t in enumerate(times)]
    examples = [e for t, kind, r in sorted(events) for e in (joiner.click if kind else joiner.impression)(r, t)]
    online = {e.request_id: e.click_time is not None for e in examples + joiner.flush()}
    batch = join_impressions_clicks(impressions, clicks, window)
    assert online == dict(zip(batch["request_id"], batch["click"] == 1, strict=True))


def test_nanoseconds_since_1970_stay_exact_and_rows_keep_their_index():
    start = 1_790_000_000_123_456_789
    impressions = pd.DataFrame({"request_id": ["a", "b", "a"], "timestamp": [start, start + 1, start]}, index=[7, 3, 9])
    joined = join_impressions_clicks(impressions, frame([("a", start + 5), ("a", start + 3)]), 4)
    assert joined.index.tolist() == [7, 3]
    assert joined["click_timestamp"].tolist() == [start + 3, pd.NA]
    assert "click" not in impressions


@pytest.mark.parametrize("window", ["1h", pd.Timedelta("1h"), np.timedelta64(60, "m"), datetime.timedelta(hours=1)])
def test_no_click_at_all_beside_datetimes(window):
    impressions = frame([(1, 0), (2, 9 * 10**6)], "datetime64[us]")
    for clicks in (pd.DataFrame({"request_id": [], "timestamp": []}), frame([])):
        joined = join_impressions_clicks(impressions, clicks, window)
        assert joined["click"].tolist() == [0, 0]
        assert joined["click_timestamp"].dtype == "datetime64[us]"
    clicks = frame([(2, 3_609 * 10**6)], "datetime64[us]").astype({"timestamp": "datetime64[s]"})
    assert (
        join_impressions_clicks(impressions.astype({"timestamp": "datetime64[s]"}), clicks, window)["click"].sum() == 1
    )


def test_windows_that_overlap_a_gap_of_clicks_are_not_trusted():
    joiner = OnlineJoiner(window=40, stall_after=30)
    examples = []
    for t in range(0, 300, 5):
        examples += joiner.impression(t, float(t))
        if not 100 < t < 200:
            examples += joiner.click(t, float(t))
    examples += joiner.flush()
    # Clicks came at 100 and again at 200. A window that began at 85 closed at 130, when the gap was 30 long: not yet
    # too long. All later ones that began before 200 are in doubt.
    assert [e.time for e in examples if not e.trusted] == [float(t) for t in range(90, 200, 5)]


def test_a_stream_without_any_click_is_not_trusted():
    joiner = OnlineJoiner(window=40, stall_after=30)
    examples = [e for t in range(100) for e in joiner.impression(t, float(t))]
    assert [e.time for e in examples] == list(range(59))
    assert not any(e.trusted for e in examples)


def test_a_gap_is_remembered_for_impressions_that_are_still_on_their_way():
    joiner = OnlineJoiner(window=10, lateness=20, stall_after=5)
    joiner.click("x", 0.0)
    joiner.click("y", 12.0)
    joiner.impression("late", 3.0)
    assert [e.trusted for e in joiner.flush()] == [False]


def test_old_gaps_are_forgotten():
    joiner = OnlineJoiner(window=10, stall_after=5, lateness=1)
    for t in range(0, 2000, 20):
        joiner.impression(t, float(t))
        joiner.click(t, float(t))
        assert len(joiner._gaps) <= 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: join_impressions_clicks(frame([])[["timestamp"]], frame([]), 1),
            "impressions has no column 'request_id'",
        ),
        (
            lambda: join_impressions_clicks(frame([(1, 1)]), frame([(1, np.nan)], float), 1),
            "timestamp of clicks is missing at row 0",
        ),
        (
            lambda: join_impressions_clicks(frame([(1, 1)]), frame([(1, 1)], "datetime64[s]"), 1),
            "times are of two kinds: timestamp of impressions holds numbers, timestamp of clicks holds datetimes",
        ),
        (
            lambda: join_impressions_clicks(frame([(1, 1), (1, 2)]), frame([]), 1),
            "request 1 has impressions at two times",
        ),
        (lambda: join_impressions_clicks(frame([]), frame([]), -1), "window must be at least 0 and finite, got -1"),
        (lambda: join_impressions_clicks(frame([]), frame([]), pd.Timedelta("-1s")), "window must be at least 0"),
        (
            lambda: dirty_stream(frame([]), frame([]), np.random.default_rng(0), lateness=-1),
            "lateness must be at least 0 and finite, got -1",
        ),
        (
            lambda: dirty_stream(frame([]), frame([]), np.random.default_rng(0), duplicates=2),
            r"duplicates must be in \[0, 1\], got 2",
        ),
        (
            lambda: dirty_stream(frame([]), frame([]), np.random.default_rng(0), gap=(2, 1)),
            r"gap must end after its start, got \(2, 1\)",
        ),
        (lambda: OnlineJoiner(-1), "window must be at least 0 and finite, got -1"),
        (lambda: OnlineJoiner(1, lateness=np.inf), "lateness must be at least 0 and finite, got inf"),
        (lambda: OnlineJoiner(1, max_pending=0), "max_pending must be a whole number of at least 1, got 0"),
        (lambda: OnlineJoiner(np.inf), "window must be at least 0 and finite, got inf"),
        (lambda: dirty_stream(frame([]), frame([]), None, lateness=np.inf), "lateness must be .* finite, got inf"),
        (
            lambda: dirty_stream(frame([]), frame([]), None, duplicates=-0.1),
            r"duplicates must be in \[0, 1\], got -0.1",
        ),
        (lambda: dirty_stream(frame([]), frame([]), None, duplicates=1.1), r"duplicates must be in \[0, 1\], got 1.1"),
        (lambda: join_impressions_clicks(frame([(1, 1)]), frame([]), np.nan), "window must be at least 0 .*, got nan"),
        (lambda: join_impressions_clicks(frame([(1, 1)]), frame([]), None), "window must be a duration, or a number"),
        (lambda: join_impressions_clicks(frame([(1, 1)]), frame([]), "1h"), "window must be a number"),
        (
            lambda: join_impressions_clicks(frame([(1, 1)], "datetime64[s]"), frame([]), 60),
            "window must be a duration, such as '30min'",
        ),
        (
            lambda: join_impressions_clicks(frame([(1, 1)]), frame([("1", 1)]), 1),
            "request_id of impressions holds whole numbers and request_id of clicks text",
        ),
        (
            lambda: join_impressions_clicks(frame([(1, 1), (None, 1)]), frame([]), 1),
            "request_id of impressions is missing at row 1: no click can be joined, leave it out",
        ),
        (
            lambda: dirty_stream(frame([(1, 1)], "datetime64[s]"), frame([]), None),
            "timestamp of impressions must hold numbers",
        ),
        (lambda: dirty_stream(frame([]), frame([]), None, gap=(1, np.nan)), "gap must be a number, got nan"),
        (lambda: OnlineJoiner("1h"), "window must be a number, got '1h'"),
        (lambda: OnlineJoiner(1).impression("a", pd.Timestamp(0)), "time must be a number, got 1970-01-01"),
        (lambda: OnlineJoiner(1).impression(None, 0.0), "request_id of an impression is missing"),
        (lambda: OnlineJoiner(1, stall_after=0), r"stall_after must be in \(0, window\], got 0"),
        (lambda: OnlineJoiner(1, stall_after=2), r"stall_after must be in \(0, window\], got 2"),
        (lambda: OnlineJoiner(1).click("a", np.nan), "time must be finite, got nan"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_request_at_two_times_is_named():
    joiner = OnlineJoiner(window=10)
    joiner.impression("a", 0.0)
    with pytest.raises(ValueError, match=r"request a has impressions at two times, 0\.0 and 1\.0"):
        joiner.impression("a", 1.0)


@pytest.mark.parametrize("request_id", [2.0**53, np.inf, [1, 2], np.array([1, 2]), {1}])
def test_what_is_no_id_is_refused(request_id):
    for take in (OnlineJoiner(10).impression, OnlineJoiner(10).click):
        with pytest.raises(ValueError, match="request_id must be"):
            take(request_id, 1.0)


def test_a_dirty_stream_keeps_ids_of_64_bits_and_one_kind():
    shown = pd.DataFrame({"request_id": [2**60, 2**60 + 1], "timestamp": [0.0, 0.0]})
    clicked = pd.DataFrame({"request_id": [5.0, None], "timestamp": [1.0, 2.0]})
    stream = dirty_stream(shown, clicked, np.random.default_rng(0), duplicates=0)
    assert {2**60, 2**60 + 1} < set(stream["request_id"])
    with pytest.raises(ValueError, match="two kinds"):
        dirty_stream(shown, clicked.assign(request_id="7"), np.random.default_rng(0))


@pytest.mark.parametrize("gap", [(1,), (1, 2, 3), 5, []])
def test_a_gap_is_two_times(gap):
    empty = pd.DataFrame({"request_id": [1], "timestamp": [0.0]})
    with pytest.raises(ValueError, match="gap must be two times"):
        dirty_stream(empty, empty, np.random.default_rng(0), gap=gap)
