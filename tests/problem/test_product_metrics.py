from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.problem.product_metrics import (
    active_users,
    bot_suspects,
    click_through_rate,
    retention,
    revenue,
    session_length,
    sessionize,
    sessions_per_week,
    stickiness,
)

MONDAY = datetime(2026, 1, 5)


def stream(*rows, **columns):
    """Return events from (user, "MM-DD HH:MM") pairs of 2026."""
    users, times = zip(*rows, strict=True)
    times = pd.to_datetime([f"2026-{t}" for t in times])
    return pd.DataFrame({"user_id": users, "timestamp": times, **columns})


@st.composite
def streams(draw, days=20):
    """Draw a stream of a few users, in any order, with ties, around midnights and week ends."""
    rows = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(0, days * 96 - 1)), min_size=1, max_size=40))
    times = [MONDAY + timedelta(minutes=15 * t) for _, t in rows]
    return pd.DataFrame({"user_id": [f"u{u}" for u, _ in rows], "timestamp": pd.to_datetime(times)})


# Sessions


def brute_sessions(events, gap):
    """Return the sessions as sets of row numbers, one event after the other."""
    found = set()
    for user in events["user_id"].unique():
        rows = [i for i in range(len(events)) if events["user_id"].iloc[i] == user]
        rows.sort(key=lambda i: events["timestamp"].iloc[i])
        session = [rows[0]]
        for before, row in pairwise(rows):
            if events["timestamp"].iloc[row] - events["timestamp"].iloc[before] > gap:
                found.add(frozenset(session))
                session = []
            session.append(row)
        found.add(frozenset(session))
    return found


@given(streams(), st.integers(0, 40))
def test_sessions_equal_a_walk_over_each_users_events(events, quarters):
    gap = timedelta(minutes=15 * quarters)
    session = sessionize(events, gap).to_numpy()
    assert {frozenset(np.flatnonzero(session == s)) for s in np.unique(session)} == brute_sessions(events, gap)
    assert np.array_equal(np.unique(session), np.arange(session.max() + 1))


@given(streams())
def test_a_longer_gap_never_makes_more_sessions(events):
    counts = [sessionize(events, f"{m}min").nunique() for m in (0, 15, 30, 600, 100_000)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == events["user_id"].nunique()


@given(streams(), st.randoms())
def test_the_order_of_the_rows_does_not_matter(events, random):
    shuffled = events.sample(frac=1, random_state=random.randint(0, 2**32 - 1))
    assert sessionize(shuffled).loc[events.index].tolist() == sessionize(events).tolist()


def test_a_pause_of_exactly_the_gap_goes_on_and_midnight_is_no_pause():
    events = stream(("a", "01-05 23:40"), ("a", "01-06 00:10"), ("a", "01-06 00:41"), ("b", "01-06 00:41"))
    assert sessionize(events).tolist() == [0, 0, 1, 2]


def test_an_index_with_repeats_is_kept():
    events = stream(("a", "01-05 10:00"), ("a", "01-05 10:20"), ("b", "01-05 10:00")).set_axis([9, 9, 1])
    assert sessionize(events).index.tolist() == [9, 9, 1]
    assert session_length(events).tolist() == [1200.0, 0.0]


def test_times_too_far_apart_for_one_number_sort_the_same():
    times = np.array(["0001-01-01", "9999-01-01T00:00", "9999-01-01T00:10"], dtype="datetime64[us]")
    events = pd.DataFrame({"user_id": 0, "timestamp": times})
    wide = pd.concat([events.assign(user_id=u) for u in range(100)], ignore_index=True)
    expected = [2 * u + later for u in range(100) for later in (0, 1, 1)]
    assert sessionize(wide.sample(frac=1, random_state=0)).sort_index().tolist() == expected


@pytest.mark.parametrize("gap", ["30min", pd.Timedelta("30min"), np.timedelta64(1800, "s"), timedelta(minutes=30)])
def test_a_gap_is_any_duration(gap):
    events = stream(("a", "01-05 23:40"), ("a", "01-06 00:10"), ("a", "01-06 00:41"))
    assert sessionize(events, gap).tolist() == [0, 0, 1]
    assert session_length(events, gap).tolist() == [1800.0, 0.0]


@pytest.mark.parametrize("gap", [1800, 30.0, np.int64(1800), "1800", "soon", None, pd.NaT, np.timedelta64(1800)])
def test_a_gap_without_a_unit_means_nothing_beside_datetimes(gap):
    for metric in (sessionize, session_length, sessions_per_week):
        with pytest.raises(ValueError, match="gap must"):
            metric(stream(("a", "01-05 23:40")), gap)


def test_times_that_are_numbers_take_a_gap_that_is_one():
    events = pd.DataFrame({"user_id": 7, "timestamp": np.array([250, 255, 5], "uint8")})
    assert sessionize(events, 5).tolist() == [1, 1, 0]
    assert session_length(events, 5).tolist() == [0.0, 5.0]
    assert sessionize(events.assign(timestamp=[0.5, 0.25, 1.0]), 0.25).tolist() == [0, 0, 1]
    with pytest.raises(ValueError, match="gap must be a number, as the times are, got '30min'"):
        sessionize(events)


def test_a_gap_of_nanoseconds_is_kept():
    times = pd.to_datetime([0, 400, 1_000], unit="ns")
    assert sessionize(pd.DataFrame({"user_id": 7, "timestamp": times}), "500ns").tolist() == [0, 0, 1]


@given(streams())
def test_a_session_lasts_from_its_first_event_to_its_last(events):
    length = session_length(events)
    by_hand = []
    for rows in brute_sessions(events, timedelta(minutes=30)):
        times = events["timestamp"].iloc[list(rows)]
        by_hand.append((times.max() - times.min()).total_seconds())
    assert sorted(length) == sorted(by_hand)
    assert length.index.name == "session_id"


# Weeks


def test_weeks_count_sessions_where_they_start():
    events = stream(
        ("a", "01-05 10:00"),
        ("a", "01-11 23:50"),  # this session runs into the next week
        ("a", "01-12 00:10"),
        ("b", "01-14 10:00"),
        ("b", "01-18 10:00"),
    )
    weeks = sessions_per_week(events)
    assert weeks.index.tolist() == [pd.Timestamp(2026, 1, 5), pd.Timestamp(2026, 1, 12)]
    assert weeks["sessions"].tolist() == [2, 2]
    assert weeks["users"].tolist() == [1, 1]
    assert sessions_per_week(events, n_users=8)["sessions_per_user"].tolist() == [0.25, 0.25]


def test_weeks_that_the_log_covers_in_part_are_left_out_and_empty_ones_are_kept():
    rows = ("a", "01-04 10:00"), ("a", "01-05 10:00"), ("a", "01-19 10:00"), ("a", "01-26 01:00")
    weeks = sessions_per_week(stream(*rows), n_users=2)
    assert weeks.index.tolist() == [pd.Timestamp(2026, 1, d) for d in (5, 12, 19)]
    assert weeks["sessions"].tolist() == [1, 0, 1]


def test_without_a_population_an_empty_week_has_no_mean():
    weeks = sessions_per_week(stream(("a", "01-05 10:00"), ("a", "01-18 10:00"), ("a", "01-25 10:00")))
    assert weeks["sessions_per_user"].tolist() == [1, 1, 1]
    quiet = sessions_per_week(stream(("a", "01-05 10:00"), ("a", "01-25 10:00")))
    assert quiet["sessions_per_user"].isna().tolist() == [False, True, False]


def test_a_time_zone_moves_a_session_into_another_week():
    events = stream(("a", "01-05 10:00"), ("a", "01-12 03:00"), ("a", "01-19 03:00"), ("a", "01-26 12:00"))
    assert sessions_per_week(events)["sessions"].tolist() == [1, 1, 1]
    west = sessions_per_week(events, time_zone="America/Los_Angeles")["sessions"]
    assert west.tolist() == [2, 1, 0]


# Click rate


def test_click_rate_by_hand():
    events = pd.DataFrame(
        {
            "user_id": ["a"] * 5 + ["b", "b", "c"],
            "event": ["impression"] * 4 + ["click", "impression", "click", "hide"],
        }
    )
    assert click_through_rate(events) == pytest.approx(2 / 5)
    assert click_through_rate(events, per="user") == pytest.approx((1 / 4 + 1) / 2)  # c saw nothing


# Active users


def local_days(events, zone):
    return [t.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZoneInfo(zone)).date() for t in events["timestamp"]]


@given(streams(), st.sampled_from(["day", "week", 3, 1, 28]), st.sampled_from(["UTC", "Asia/Kolkata", "Pacific/Apia"]))
def test_active_users_equal_a_count_of_sets(events, period, zone):
    length = {"day": 1, "week": 7}.get(period, period)
    days = local_days(events, zone)
    if (max(days) - min(days)).days + 1 < length:
        with pytest.raises(ValueError, match="events cover"):
            active_users(events, period, zone)
        return
    found = active_users(events, period, zone)
    last = min(days) + timedelta(length - 1)
    expected = {}
    while last <= max(days):
        since = last - timedelta(length - 1)
        expected[last] = len({u for u, d in zip(events["user_id"], days, strict=True) if since <= d <= last})
        last += timedelta(1)
    assert dict(zip(found.index.date, found, strict=True)) == expected


@given(streams(days=9))
def test_stickiness_is_a_share_and_one_for_users_of_every_day(events):
    try:
        share = stickiness(events, period="week")
    except ValueError:
        return
    assert share.dropna().between(0, 1).all()
    every = pd.DataFrame({"user_id": 1, "timestamp": pd.date_range(MONDAY, periods=28, freq="D")})
    assert stickiness(every).tolist() == [1.0]


@given(streams(), st.sampled_from(["week", 3]), st.sampled_from(["UTC", "America/Havana"]))
def test_stickiness_is_the_mean_share_of_days_on_which_a_user_comes(events, period, zone):
    length = {"week": 7}.get(period, period)
    days = local_days(events, zone)
    if (max(days) - min(days)).days + 1 < length:
        return
    pairs = set(zip(events["user_id"], days, strict=True))
    found = stickiness(events, zone, period)
    for last, share in zip(found.index.date, found, strict=True):
        within = [(user, d) for user, d in pairs if last - timedelta(length) < d <= last]
        each = [sum(u == user for u, _ in within) / length for user in {u for u, _ in within}]
        assert share == (pytest.approx(np.mean(each)) if each else pytest.approx(float("nan"), nan_ok=True))


@pytest.mark.parametrize(
    ("zone", "night"),
    [
        ("Europe/Paris", "2026-03-29"),
        ("Europe/Paris", "2026-10-25"),
        ("Australia/Lord_Howe", "2026-04-04"),
        ("Australia/Lord_Howe", "2026-10-03"),
        ("America/Havana", "2026-03-08"),
        ("America/Havana", "2026-11-01"),
        ("America/Sao_Paulo", "2018-11-04"),
        ("America/Sao_Paulo", "2018-02-17"),
        ("Pacific/Apia", "2011-12-30"),
        ("Africa/Casablanca", "2026-02-15"),
    ],
)
def test_nights_on_which_clocks_change_count_as_in_utc(zone, night):
    # An event every ten minutes from noon to noon to noon, by UTC: each hour that is skipped or comes twice is in.
    utc = pd.date_range(f"{night} 12:00", periods=288, freq="10min", tz="UTC") - pd.Timedelta("1D")
    in_utc = pd.DataFrame({"user_id": np.arange(288) % 5 % 2, "timestamp": utc})
    there = in_utc.assign(timestamp=utc.tz_convert(zone))
    for metric in (sessionize, session_length, active_users, retention, bot_suspects):
        expected, found = metric(in_utc), metric(there)
        assert found.equals(expected)
    assert bot_suspects(there, per_hour=3).tolist() == [0]
    local = [t.astimezone(ZoneInfo(zone)).date() for t in utc.to_pydatetime()]
    days = sorted(set(local))
    daily = active_users(there, time_zone=zone)
    assert daily.loc[pd.to_datetime(days)].tolist() == [2] * len(days)
    ages = [(day - days[0]).days for day in days[1:]]
    assert retention(there, ages, time_zone=zone).iloc[0].tolist() == [2, *[1] * len(ages)]


def test_a_busy_hour_that_comes_twice_is_two_hours():
    hour = pd.date_range("2026-10-25 00:00", periods=120, freq="1min", tz="UTC").tz_convert("Europe/Paris")
    assert hour.tz_localize(None).floor("h").nunique() == 1
    assert bot_suspects(pd.DataFrame({"user_id": 1, "timestamp": hour}), per_hour=60).tolist() == []
    assert bot_suspects(pd.DataFrame({"user_id": 1, "timestamp": hour}), per_hour=59).tolist() == [1]


def test_the_night_on_which_clocks_change_is_one_day():
    # 29 March 2026 has 23 hours in Paris: 23:30 UTC of the 28th is 00:30, 22:30 UTC of the 29th is past midnight.
    events = stream(("a", "03-28 23:30"), ("b", "03-29 21:30"), ("c", "03-29 22:30"))
    assert active_users(events, time_zone="Europe/Paris").tolist() == [2, 1]
    aware = events.assign(timestamp=events["timestamp"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"))
    assert active_users(aware, time_zone="Europe/Paris").tolist() == [2, 1]


# Revenue


def test_revenue_by_hand():
    events = pd.DataFrame(
        {
            "user_id": ["a", "a", "b", "b", "c"],
            "event": ["impression", "click", "impression", "click", "visit"],
            "value": [None, 2.0, 0.0, -0.5, 0.0],
        }
    )
    assert revenue(events) == pytest.approx((1.5, 750.0, 0.5))
    assert revenue(events, n_users=10).per_user == pytest.approx(0.15)
    narrow = pd.DataFrame({"user_id": 1, "event": "impression", "value": np.full(300, 200, "uint8")})
    assert revenue(narrow).total == 60_000


# Retention


@given(streams(), st.booleans())
def test_retention_equals_a_count_by_hand(events, signed_up):
    first = events.groupby("user_id")["timestamp"].min()
    joined = None
    if signed_up:  # some days earlier, and one user who never came
        joined = pd.concat([first - pd.to_timedelta(np.arange(len(first)), "D"), pd.Series({"ghost": MONDAY})])
        joined = joined.sample(frac=1, random_state=0)
    table = retention(events, days=(1, 5), sign_up=joined)
    dates = (first if joined is None else joined).dt.normalize()
    days = events["timestamp"].dt.normalize()
    for cohort, row in table.iterrows():
        users = dates.index[dates == cohort]
        assert row["users"] == len(users)
        for k in (1, 5):
            that_day = cohort + pd.Timedelta(days=k)
            back = events.loc[(days == that_day) & events["user_id"].isin(users), "user_id"].nunique()
            if not days.min() <= that_day <= days.max():
                assert np.isnan(row[k])
            else:
                assert row[k] == pytest.approx(back / len(users))
    assert set(table.index) == set(dates)


def test_a_day_that_the_log_does_not_hold_is_not_a_day_without_users():
    # The log covers the 10th to the 12th. Days 1 and 2 of who joined on the 8th are the 9th and the 10th, and so on.
    events = stream(("a", "01-10 10:00"), ("b", "01-12 10:00"))
    joined = pd.Series(pd.to_datetime(["2026-01-08", "2026-01-11", "2026-01-12"]), ["a", "b", "c"])
    table = retention(events, days=[1, 2], sign_up=joined)
    nan = float("nan")
    np.testing.assert_array_equal(table.to_numpy(), [[1, nan, 1], [1, 1, nan], [1, nan, nan]])


def test_sign_ups_are_found_by_ids_of_one_kind_alone():
    events = stream((8, "01-05 10:00"), (7, "01-06 10:00"), (7, "01-07 10:00"))
    joined = pd.Series(pd.to_datetime(["2026-01-06", "2026-01-05"]), [7, 8])
    expected = retention(events, days=[1], sign_up=joined)
    assert expected[1].tolist() == [0, 1]
    for index in ([7.0, 8.0], np.array([7, 8], "uint8"), pd.Index([7, 8], dtype="Int64"), pd.CategoricalIndex([7, 8])):
        pd.testing.assert_frame_equal(retention(events, days=[1], sign_up=joined.set_axis(index)), expected)
    with pytest.raises(ValueError, match="sign_up holds text and user_id whole numbers: keys of two kinds"):
        retention(events, sign_up=joined.set_axis(["7", "8"]))
    with pytest.raises(ValueError, match="sign_up is missing at row 1: leave such rows out"):
        retention(events, sign_up=joined.set_axis([7, None]))
    with pytest.raises(ValueError, match="times are of two kinds"):
        retention(events, sign_up=joined.dt.tz_localize("UTC"))


def test_retention_of_day_1_7_and_28_unless_asked_for_others():
    events = stream(("a", "01-05 10:00"), ("a", "01-06 10:00"), ("b", "01-05 10:00"), ("b", "02-02 10:00"))
    assert retention(events).loc["2026-01-05"].to_dict() == {"users": 2, 1: 0.5, 7: 0, 28: 0.5}


# Bots


def test_a_bot_is_whoever_does_more_than_a_person_within_an_hour():
    times = pd.date_range(MONDAY, periods=31, freq="2min")  # 30 in the first hour, 1 in the second
    events = pd.DataFrame({"user_id": "fast", "timestamp": times})
    slow = pd.DataFrame({"user_id": "slow", "timestamp": times[:30:3]})
    both = pd.concat([events, slow])
    assert bot_suspects(both, per_hour=29).tolist() == ["fast"]
    assert bot_suspects(both, per_hour=30).tolist() == []


# Bad input

GOOD = stream(("a", "01-05 10:00"), ("b", "01-06 10:00")).assign(event="impression", value=1.0)


@pytest.mark.parametrize(
    "metric", [sessionize, session_length, sessions_per_week, active_users, retention, bot_suspects]
)
def test_bad_streams_are_named(metric):
    for events, message in [
        (GOOD[:0], "events is empty"),
        (GOOD.drop(columns="user_id"), "events has no column 'user_id'"),
        (GOOD.assign(user_id=["a", None]), "user_id is missing at row 1: leave such rows out, or give each an id"),
        (GOOD.assign(user_id=[7, "7"]), "user_id holds keys of two kinds"),
        (GOOD.assign(timestamp=[pd.NaT, GOOD["timestamp"][1]]), "timestamp is missing at row 0"),
        (GOOD.assign(timestamp=["2026-01-05", "2026-01-06"]), "timestamp must hold numbers or datetimes"),
    ]:
        with pytest.raises(ValueError, match=message):
            metric(events)


@pytest.mark.parametrize("metric", [sessions_per_week, active_users, retention, bot_suspects])
def test_a_calendar_needs_datetimes(metric):
    for times, kind in [([1, 2], "numbers"), (pd.to_timedelta([1, 2], "D"), "durations")]:
        with pytest.raises(ValueError, match=f"timestamp must hold datetimes, got {kind}"):
            metric(GOOD.assign(timestamp=times))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "Europe", None, 1])
def test_a_time_zone_has_a_name(zone):
    for metric in (sessions_per_week, active_users, retention):
        with pytest.raises(ValueError, match="time_zone must be a name as 'Europe/Paris', got"):
            metric(GOOD, time_zone=zone)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sessionize(GOOD.assign(user_id=[("a", 1), ("a", "b")])), "user_id holds what has no order: '<' not"),
        (lambda: retention(GOOD, days=[]), "days is empty"),
        (lambda: retention(GOOD, days=[True, 1.5]), "days must be whole numbers, got 1.5 at row 1"),
        (lambda: retention(GOOD, sign_up=GOOD), "sign_up must be a Series indexed by user_id, got DataFrame"),
        (lambda: retention(GOOD, sign_up=GOOD["timestamp"][:0]), "sign_up is empty"),
        (lambda: retention(GOOD, sign_up=pd.Series([1, 2], ["a", "b"])), "times are of two kinds"),
        (lambda: bot_suspects(GOOD, per_hour=True), "per_hour must be a whole number of at least 1, got True"),
        (lambda: revenue(GOOD.assign(value=["1", "2"])), "value must hold numbers, got '1' at row 0"),
        (lambda: revenue(GOOD.assign(event=["impression", None])), "event is missing at row 1"),
        (lambda: revenue(GOOD.assign(user_id=[None, "a"])), "user_id is missing at row 0"),
        (lambda: click_through_rate(GOOD.assign(user_id=[None, "a"]), per="user"), "user_id is missing at row 0"),
        (lambda: revenue(GOOD, n_users=2.5), "n_users must be a whole number of at least 1, got 2.5"),
        (lambda: active_users(GOOD, period=1.5), "period must be a whole number of at least 1, got 1.5"),
        (lambda: sessionize(GOOD, "-1min"), "gap must be at least 0 and finite, got -60"),
        (lambda: sessions_per_week(GOOD), "no week from Monday to Sunday"),
        (lambda: sessions_per_week(GOOD, n_users=1), "n_users is 1, but events hold 2 users"),
        (lambda: active_users(GOOD, period="year"), "period must be one of"),
        (lambda: active_users(GOOD, period=0), "period must be a whole number of at least 1, got 0"),
        (lambda: active_users(GOOD, period="week"), "events cover 2 days, fewer than the 7"),
        (lambda: click_through_rate(GOOD, per="page"), "per must be 'impression' or 'user'"),
        (lambda: click_through_rate(GOOD.assign(event="click")), "hold no 'impression'"),
        (lambda: click_through_rate(GOOD.drop(columns="event")), "has no column 'event'"),
        (lambda: revenue(GOOD.assign(event="click")), "hold no 'impression'"),
        (lambda: revenue(GOOD.assign(value=[1.0, np.inf])), "value must be finite, got inf"),
        (lambda: revenue(GOOD, n_users=0), "n_users must be a whole number of at least 1, got 0"),
        (lambda: retention(GOOD, days=[0]), "days must be at least 1, got 0 at row 0"),
        (lambda: retention(GOOD, sign_up=GOOD["timestamp"].set_axis(["a", "a"])), "holds user 'a' twice"),
        (lambda: retention(GOOD, sign_up=GOOD["timestamp"].set_axis(["a", "c"])), "lacks user 'b'"),
        (lambda: bot_suspects(GOOD, per_hour=0), "per_hour must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_times_that_microseconds_do_not_reach_keep_their_day_and_hour():
    far = np.array([10**13, 10**13 + 86_400, 10**13 + 86_401], "M8[s]")  # the year 318857
    events = pd.DataFrame({"user_id": [1, 2, 2], "timestamp": far})
    daily = active_users(events)
    assert daily.tolist() == [1, 1]
    assert daily.index[0] == pd.Timestamp(far[0]).normalize()
    assert bot_suspects(events, per_hour=1).tolist() == [2]


def test_revenue_of_categories_with_missing_ones_and_beyond_floats():
    events = pd.DataFrame({"user_id": [1, 2, 3], "event": "impression", "value": pd.Categorical([1, None, 3])})
    assert revenue(events).total == 4
    with pytest.raises(ValueError, match="value adds up to more than floats hold"):
        revenue(events.assign(value=[1e308, 1e308, 0]))


def test_sign_ups_are_indexed_by_users_alone():
    events = pd.DataFrame({"user_id": [1], "timestamp": pd.to_datetime(["2026-01-05"])})
    sign_up = pd.Series(events["timestamp"].array, pd.MultiIndex.from_tuples([(1, "x")]))
    with pytest.raises(ValueError, match="sign_up must be indexed by user_id alone"):
        retention(events, [1], sign_up)
