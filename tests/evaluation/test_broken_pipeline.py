import numpy as np
import pandas as pd
import pytest

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.broken_pipeline import FAULTS, RATES, run_pipeline, smoothed_rate

LOG = simulate_ad_log(100_000, n_ads=400)
HEALTHY = run_pipeline(LOG)
BROKEN = {fault: run_pipeline(LOG, fault) for fault in FAULTS}
OFFLINE = ["ad_rate_offline", "user_rate_offline"]


def test_a_healthy_pipeline_serves_what_it_was_trained_on():
    np.testing.assert_array_equal(HEALTHY.live[RATES], HEALTHY.live[OFFLINE])
    assert [list(part["day"].unique()) for part in HEALTHY] == [list(range(7)), [7, 8], list(range(9, 14))]
    assert sum(map(len, HEALTHY)) == len(LOG)
    row = LOG.iloc[60_000]
    features = HEALTHY.test.loc[60_000] if row["day"] in (7, 8) else HEALTHY.live.loc[60_000]
    assert features["ad_rate"] == pytest.approx((row["ad_clicks"] + 1) / (row["ad_impressions"] + 33))
    assert features["user_rate"] == pytest.approx((row["user_clicks"] + 1) / (row["user_impressions"] + 33))


def changed(fault, part, columns):
    """Return the share of values that a fault changes."""
    return np.mean(getattr(BROKEN[fault], part)[columns].to_numpy() != getattr(HEALTHY, part)[columns].to_numpy())


SERVING = ["stale feature", "broken join", "unit change", "missing logs", "serving skew"]


@pytest.mark.parametrize("fault", [*SERVING, "feedback loop"])
def test_a_fault_of_serving_leaves_training_alone(fault):
    for part in ("train", "test"):
        pd.testing.assert_frame_equal(getattr(BROKEN[fault], part), getattr(HEALTHY, part))


@pytest.mark.parametrize("fault", [*SERVING, "leak", "wrong calibration"])
def test_each_fault_changes_only_what_it_says(fault):
    expected = {
        "leak": {"train": ["ad_rate"], "test": ["ad_rate"], "live": ["ad_rate_offline"]},
        "stale feature": {"live": ["ad_rate"]},
        "broken join": {"live": ["user_rate"]},
        "unit change": {"live": ["ad_rate"]},
        "missing logs": {"live": ["click"]},
        "serving skew": {"live": ["user_rate"]},
        "wrong calibration": {},
    }[fault]
    for part in ("train", "test", "live"):
        columns = ["click", *RATES] + (OFFLINE if part == "live" else [])
        if fault == "wrong calibration" and part == "train":
            continue
        assert [c for c in columns if changed(fault, part, c)] == expected.get(part, [])


def test_rates_are_not_computed_in_the_dtype_of_the_counts():
    clicks = np.array([0, 100, 127], np.int8)
    np.testing.assert_allclose(smoothed_rate(clicks, clicks), [1 / 33, 101 / 133, 128 / 160])
    with pytest.raises(ValueError, match="impressions has 2 rows, clicks has 3"):
        smoothed_rate(clicks, [1, 2])


def test_a_leak_changes_when_the_log_is_cut():
    cut = LOG[LOG["day"] < 9]
    np.testing.assert_array_equal(run_pipeline(cut).train[RATES], HEALTHY.train[RATES])
    assert (run_pipeline(cut, "leak").train["ad_rate"] != BROKEN["leak"].train["ad_rate"]).mean() > 0.9
    assert len(run_pipeline(cut, "feedback loop").live) == 0


def test_stale_values_do_not_move():
    assert (BROKEN["stale feature"].live.groupby("ad_id")["ad_rate"].nunique() == 1).all()
    known = LOG[LOG["day"] < 9].groupby("ad_id").last()
    live = BROKEN["stale feature"].live
    expected = ((known["ad_clicks"] + 1) / (known["ad_impressions"] + 33)).reindex(live["ad_id"]).fillna(1 / 33)
    np.testing.assert_allclose(live["ad_rate"], expected)


def test_the_other_faults_of_serving():
    live = BROKEN["broken join"].live
    tablet = live["device"] == "tablet"
    assert (live.loc[tablet, "user_rate"] == 1 / 33).all()
    np.testing.assert_array_equal(live.loc[~tablet, RATES], HEALTHY.live.loc[~tablet, RATES])
    live = BROKEN["unit change"].live
    np.testing.assert_allclose(live["ad_rate"] / live["ad_rate_offline"], np.where(live["day"] >= 11, 100, 1))
    live = BROKEN["missing logs"].live
    lost = live["day"].isin([11, 12]) & (live["hour"] >= 18) & (live["hour"] < 23)
    assert live.loc[lost, "click"].sum() == 0
    np.testing.assert_array_equal(live.loc[~lost, "click"], HEALTHY.live.loc[~lost, "click"])
    live = BROKEN["serving skew"].live
    np.testing.assert_allclose(live["user_rate"], (live["user_clicks"] + 1) / (live["user_impressions"] + 2))


def test_the_model_predicts_from_what_is_served():
    # A logistic regression with an intercept promises as many clicks as it has seen.
    assert HEALTHY.train["p"].sum() == pytest.approx(HEALTHY.train["click"].sum(), rel=1e-3)
    for fault in ("stale feature", "broken join", "unit change", "serving skew"):
        live, healthy = BROKEN[fault].live, HEALTHY.live
        served_otherwise = (live[RATES] != healthy[RATES]).any(axis=1)
        assert ((live["p"] != healthy["p"]) == served_otherwise).all()


def test_negatives_are_sampled_and_nothing_else():
    train = BROKEN["wrong calibration"].train
    assert train["click"].sum() == HEALTHY.train["click"].sum()
    negatives = (HEALTHY.train["click"] == 0).sum()
    assert abs((train["click"] == 0).sum() - 0.1 * negatives) < 4 * np.sqrt(0.09 * negatives)


def test_dropped_ads_never_return():
    live, whole = BROKEN["feedback loop"].live, HEALTHY.live
    missing = whole.drop(live.index)
    first = whole.groupby(["ad_id", "day"])["ad_rate"].first().reset_index()
    for ad, group in missing.groupby("ad_id"):
        start = group["day"].min()
        assert (first.query("ad_id == @ad and day == @start")["ad_rate"] < 0.025).all()
        assert (live.loc[live["ad_id"] == ad, "day"] < start).all()
    assert 0.02 < len(missing) / len(whole) < 0.9
    last = [frame.loc[frame["day"] == 13, "ad_id"].nunique() for frame in (live, whole)]
    assert last[0] < 0.6 * last[1]


@pytest.mark.parametrize(
    ("log", "fault", "message"),
    [
        (LOG, "gremlins", "fault must be one of leak, stale feature, .*, got 'gremlins'"),
        (LOG.drop(columns="ad_clicks"), None, "log has no column 'ad_clicks'"),
        (LOG[LOG["day"] >= 7], None, "log needs clicks, and rows without one, on days 0 to 6, and rows on day 7 or 8"),
        (LOG[LOG["day"] < 7], None, "log needs clicks, and rows without one, on days 0 to 6, and rows on day 7 or 8"),
        (LOG.assign(ad_id=LOG["ad_id"].where(LOG.index != 3)), None, "ad_id is missing at row 3"),
        (LOG.assign(ad_clicks=-1), None, "ad_clicks must be at least 0, got -1 at row 0"),
        (LOG.assign(click=0), None, "log needs clicks, and rows without one, on days 0 to 6"),
    ],
)
def test_bad_input_is_named(log, fault, message):
    with pytest.raises(ValueError, match=message):
        run_pipeline(log, fault)


def test_a_prior_is_two_numbers_and_a_seed_whole():
    for prior in [(1,), 5, (1, 0), "ab"]:
        with pytest.raises(ValueError, match="prior must"):
            smoothed_rate([1], [2], prior=prior)
    with pytest.raises(ValueError, match="fault must be one of"):
        run_pipeline(pd.DataFrame({"day": [0]}), fault=["leak"])
    with pytest.raises(ValueError, match="seed must be a whole number"):
        run_pipeline(pd.DataFrame({"day": [0]}), seed="x")
