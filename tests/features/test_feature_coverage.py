from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from snippets.features.feature_coverage import coverage_alarms, coverage_report


def days(n_days=20, rows=2_000, coverage=0.8, jitter=0.0, seed=0):
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(n_days), rows)
    share = np.clip(coverage + jitter * rng.normal(size=n_days), 0, 1)[day]
    return pd.DataFrame({"day": day, "age": np.where(rng.random(len(day)) < share, 30.0, np.nan)})


def test_counts_by_hand():
    frame = pd.DataFrame(
        {
            "device": ["phone", "phone", None, "desktop"],
            "age": [30, None, 30, 41],
            "city": pd.Categorical([None, None, "Rome", "Oslo"], categories=["Rome", "Oslo", "Lima"]),
        }
    )
    report = coverage_report(frame)
    assert report.set_index("feature").loc["age"].tolist() == [4, 3, 0.75, 2, 2 / 3]
    assert report.set_index("feature").loc["city", ["covered", "distinct"]].tolist() == [2, 2]
    cut = coverage_report(frame, by="device").set_index(["device", "feature"])
    assert cut.loc[("phone", "city"), ["rows", "covered", "coverage"]].tolist() == [2, 0, 0]
    assert np.isnan(cut.loc[("phone", "city"), "most_common_share"])
    assert cut["rows"].sum() == 8  # the row without a device too


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2, None]), st.sampled_from("ab"), st.sampled_from([None, 1, 2, 2.5])),
        min_size=1,
        max_size=25,
    )
)
def test_against_counting_one_by_one(rows):
    report = coverage_report(pd.DataFrame(rows, columns=["day", "device", "x"]), by=["day", "device"])
    groups = {}
    for day, device, x in rows:
        groups.setdefault((day, device), []).append(x)
    assert len(report) == len(groups)
    for row in report.itertuples():
        values = groups[None if pd.isna(row.day) else row.day, row.device]
        counts = Counter(v for v in values if v is not None)
        top = max(counts.values(), default=0) / max(counts.total(), 1) or np.nan
        expected = len(values), counts.total(), counts.total() / len(values), len(counts), top
        assert row[-5:] == pytest.approx(expected, nan_ok=True)


def test_groups_without_rows_are_left_out():
    device = pd.Categorical(["phone", "phone"], categories=["phone", "tablet"])
    assert coverage_report(pd.DataFrame({"device": device, "age": [30, None]}), by="device")["rows"].tolist() == [2]


def test_a_coverage_that_never_moved_is_held_against_chance():
    frame = days(n_days=8, rows=100, coverage=1.0)
    frame.loc[(frame["day"] == 7) & (frame.index % 50 == 0), "age"] = np.nan
    alarm = coverage_alarms(coverage_report(frame, by="day"), "day").iloc[0]
    smoothed = 100.5 / 101
    assert alarm["z"] == pytest.approx(-0.02 / np.sqrt(smoothed * (1 - smoothed) / 100 * (1 + 1 / 7)))


def test_against_pandas_count():
    frame = days().assign(device=lambda f: f.index % 3)
    report = coverage_report(frame, by=["day", "device"])
    expected = frame.groupby(["day", "device"])["age"].count()
    assert report["covered"].tolist() == expected.tolist()


def test_a_fall_is_found_and_named():
    frame = days()
    frame.loc[(frame["day"] == 15) & (frame.index % 4 == 0), "age"] = np.nan
    alarms = coverage_alarms(coverage_report(frame, by="day"), "day")
    assert alarms["day"].tolist() == list(range(7, 20))
    assert alarms.loc[alarms["alarm"], "day"].tolist() == [15]
    assert alarms.set_index("day").loc[15, "z"] < -10


def test_z_by_hand():
    report = coverage_report(days(n_days=8, jitter=0.05), by="day")
    past, today = report["coverage"][:7], report["coverage"][7]
    spread = past.std() * np.sqrt(1 + 1 / 7)
    alarm = coverage_alarms(report, "day").iloc[0]
    assert alarm["expected"] == pytest.approx(past.mean())
    assert alarm["z"] == pytest.approx((today - past.mean()) / spread)


def test_false_alarms_come_as_often_as_promised():
    report = pd.concat(
        [coverage_report(days(30, 500, 0.8, 0.03, seed), by="day").assign(feature=f"f{seed}") for seed in range(120)]
    )
    rate = coverage_alarms(report, "day", false_alarms=0.05)["alarm"].mean()
    assert rate == pytest.approx(0.05, abs=0.02)


def test_each_feature_and_slice_has_its_own_past():
    frame = days().assign(device=lambda f: np.where(f.index % 2, "phone", "desktop"))
    frame["height"] = 1.0
    frame.loc[(frame["day"] == 12) & (frame["device"] == "phone"), "height"] = np.nan
    alarms = coverage_alarms(coverage_report(frame, by=["day", "device"]), "day")
    assert alarms.loc[alarms["alarm"], ["day", "device", "feature"]].to_numpy().tolist() == [[12, "phone", "height"]]
    assert len(alarms) == 13 * 2 * 2


def test_the_limit_is_that_of_student():
    report = coverage_report(days(n_days=4, jitter=0.05), by="day")
    z = coverage_alarms(report, "day", reference_days=3)["z"].iloc[0]
    p = 2 * stats.t.sf(abs(z), 2)
    for share, expected in [(p * 1.01, True), (p * 0.99, False)]:
        assert coverage_alarms(report, "day", reference_days=3, false_alarms=share)["alarm"].iloc[0] == expected


def test_a_day_like_all_before_raises_no_alarm_however_many_are_allowed():
    alarms = coverage_alarms(coverage_report(days(coverage=1.0), by="day"), "day", false_alarms=np.nextafter(1, 0))
    assert alarms["z"].unique().tolist() == [0]
    assert not alarms["alarm"].any()  # not even where the limit is 0 too


def log_without(missing, rows=200):
    """Return ten days of two devices, of which some (day, device) are missing; y is there in every second row."""
    there = [(day, device) for day in range(10) for device in ("phone", "tablet") if (day, device) not in missing]
    y = np.repeat(np.where(np.arange(rows) % 2, 1.0, np.nan), len(there))
    return pd.DataFrame(there * rows, columns=["day", "device"]).assign(x=1.0, y=y)


def test_a_group_that_has_gone_is_the_loudest_signal():
    log = log_without({(8, "tablet"), (9, "tablet")})
    dates = pd.date_range("2026-10-20", periods=10, tz="Europe/Paris")  # one of them has 25 hours
    log = log.assign(day=dates[log["day"]])
    alarms = coverage_alarms(coverage_report(log, ["day", "device"]), "day")
    last = alarms[alarms["alarm"]]
    assert last["feature"].tolist() == ["x", "y"]
    assert last["day"].unique().tolist() == [dates[8]]
    assert last["device"].unique().tolist() == ["tablet"]
    assert last[["rows", "covered", "distinct"]].to_numpy().tolist() == [[0, 0, 0]] * 2
    assert last["coverage"].isna().all()
    assert last["expected"].tolist() == pytest.approx([1, 0.5])
    assert last["z"].tolist() == pytest.approx([-200 / np.sqrt(200) / np.sqrt(1 + 1 / 7)] * 2)
    assert alarms["day"].is_monotonic_increasing
    assert len(alarms) == 2 * (3 + 1 + 1)  # phones on three days, tablets on one and on the first day without
    bare = coverage_alarms(coverage_report(log, ["day", "device"]).drop(columns="distinct"), "day")
    assert bare["alarm"].sum() == 2


@pytest.mark.parametrize(
    ("missing", "rows"),
    [
        ({(2, "tablet"), (8, "tablet")}, 200),  # it was not there on each of the days before
        ({(8, "tablet")}, 20),  # so few may fail to come by chance: t is 4.2, the limit 6.0
        ({(8, "phone"), (8, "tablet")}, 200),  # no group has this day
        (set(), 200),
    ],
)
def test_what_comes_and_goes_raises_no_alarm(missing, rows):
    alarms = coverage_alarms(coverage_report(log_without(missing, rows=rows), ["day", "device"]), "day")
    assert not alarms["alarm"].any()


@pytest.mark.parametrize("by", [0, [0], pd.Index([0]), np.array([0]), [0, 0]])
def test_names_need_not_be_text(by):
    report = coverage_report(pd.DataFrame([[5, 1.0], [6, None], [5, 2.0]]), by)
    assert report[[0, "feature", "rows", "covered"]].to_numpy().tolist() == [[5, 1, 2, 2], [6, 1, 1, 0]]
    pairs = coverage_report(pd.DataFrame({("a", "b"): [1], ("a", "c"): [None]}))
    assert pairs["feature"].tolist() == [("a", "b"), ("a", "c")]


def test_an_index_of_the_same_name_is_no_group():
    frame = pd.DataFrame({"day": [1, 1, 2], "age": [30, None, 40]}).set_index("day", drop=False)
    assert coverage_report(frame, "day")["coverage"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize("dtype", [object, "Int64"])
def test_groups_keep_their_digits_beside_a_missing_one(dtype):
    frame = pd.DataFrame({"user": pd.array([2**53, 2**53 + 1, 2**53 + 1, None], dtype), "age": 30.0})
    report = coverage_report(frame, "user")
    assert report["user"].tolist()[:2] == [2**53, 2**53 + 1]
    assert report["rows"].tolist() == [1, 2, 1]


def test_no_alarm_is_asked_for():
    report = coverage_report(days(9, 100), by="day")
    assert not coverage_alarms(report, "day", false_alarms=1e-300)["alarm"].any()


REPORT = coverage_report(days(4, 10), by="day")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: coverage_report(days(1, 2), by="x"), "frame has no column 'x'"),
        (lambda: coverage_report(days(1, 2)[["day"]], by="day"), "frame has no feature"),
        (lambda: coverage_report(days(1, 2).head(0)), "frame is empty"),
        (lambda: coverage_report(days(1, 2)[["age", "age"]]), "frame has the column 'age' twice"),
        (lambda: coverage_report(days(1, 2).rename(columns={"day": "rows"}), by="rows"), "by has 'rows', which is"),
        (lambda: coverage_report(pd.DataFrame({"day": [7, "7"], "age": 1}), by="day"), "day holds keys of two kinds"),
        (lambda: coverage_report(pd.DataFrame({"age": [[1], [2]]})), "age holds what cannot be compared"),
        (lambda: coverage_alarms(REPORT.assign(day=[0, 1, None, 3]), "day", 3), "day is missing at row 2"),
        (lambda: coverage_alarms(REPORT.assign(coverage=1.2), "day", 3), r"coverage must be in \[0, 1\], got 1.2"),
        (lambda: coverage_alarms(REPORT.head(0), "day", 3), "report is empty"),
        (lambda: coverage_alarms(pd.concat([REPORT] * 2), "day", 3), "report has two rows of one group on day 0"),
        (lambda: coverage_alarms(REPORT, "x"), "report has no column 'x'"),
        (lambda: coverage_alarms(REPORT.drop(columns="rows"), "day"), "report has no column 'rows'"),
        (lambda: coverage_alarms(REPORT, "day", 2), "reference_days must be a whole number of at least 3, got 2"),
        (lambda: coverage_alarms(REPORT, "day", 3, 1), r"false_alarms must be in \(0, 1\), got 1"),
        (lambda: coverage_alarms(REPORT, "day", 3, 0), r"false_alarms must be in \(0, 1\), got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
