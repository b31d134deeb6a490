import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from snippets.datasets.ad_log import EXAMINATION, N_CANDIDATES, N_SLOTS, simulate_ad_log


@pytest.fixture(scope="module")
def log():
    return simulate_ad_log(100_003, seed=5, exploration_rate=0.1)


def test_schema(log):
    assert list(log) == [
        "timestamp", "day", "hour", "request_id", "user_id", "ad_id", "advertiser_id", "category", "age_group",
        "device", "position", "explored", "click", "hide", "conversion", "click_delay", "user_impressions",
        "user_clicks", "ad_impressions", "ad_clicks", "p_click", "p_hide", "p_conversion", "relevance",
    ]  # fmt: skip
    assert len(log) == 100_003
    assert log["timestamp"].is_monotonic_increasing
    assert str(log["timestamp"].dtype) == "datetime64[ms, UTC]"
    assert set(log["day"]) == set(range(14))
    assert (log["hour"] == log["timestamp"].dt.hour).all()
    assert (log["day"] == (log["timestamp"] - pd.Timestamp("2026-01-05", tz="UTC")).dt.days).all()
    assert log.drop(columns="click_delay").notna().all().all()
    assert (log["click_delay"].notna() == (log["click"] == 1)).all()


def test_a_request_shows_distinct_ads_at_distinct_positions(log):
    whole = log[log["request_id"] < log["request_id"].max()].groupby("request_id")
    assert (whole["ad_id"].nunique() == N_SLOTS).all()
    assert (whole["position"].agg(list).map(tuple) == (1, 2, 3, 4, 5)).all()
    assert (whole[["user_id", "timestamp", "device"]].nunique() == 1).all().all()
    assert (log.groupby("ad_id")[["advertiser_id", "category"]].nunique() == 1).all().all()


def test_the_seed_determines_every_row():
    a, b = simulate_ad_log(5_000, seed=3), simulate_ad_log(5_000, seed=3)
    pd.testing.assert_frame_equal(a, b)
    assert not a["click"].equals(simulate_ad_log(5_000, seed=4)["click"])


def test_clicks_and_hides_follow_their_stated_probabilities(log):
    for label, truth in [("click", "p_click"), ("hide", "p_hide")]:
        p = log[truth]
        z = (log[label].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
        assert abs(z) < 4
        # and within deciles of the truth: chi-squared on observed minus expected
        group = log.groupby(pd.qcut(p, 10), observed=True)
        variance = group[truth].agg(lambda p: (p * (1 - p)).sum())
        chi2 = ((group[label].sum() - group[truth].sum()) ** 2 / variance).sum()
        assert stats.chi2.sf(chi2, 10) > 1e-4


def test_clicks_convert_with_their_stated_probability_and_clickbait_does_not_sell(log):
    clicked = log[log["click"] == 1]
    assert log.loc[log["click"] == 0, "conversion"].sum() == 0
    p = clicked["p_conversion"]
    z = (clicked["conversion"].sum() - p.sum()) / np.sqrt((p * (1 - p)).sum())
    assert abs(z) < 4
    ads = log.groupby("ad_id")[["p_hide", "p_conversion"]].mean()  # hides, too, come from clickbait
    assert ads.corr("spearman").iloc[0, 1] < -0.4


@pytest.mark.parametrize("base_ctr", [0.002, 0.03, 0.2])
@pytest.mark.parametrize("n", [50_000, 1_000_000])
def test_base_ctr_is_hit(base_ctr, n):
    log = simulate_ad_log(n, base_ctr=base_ctr)
    # The intercept is fitted on about 100,000 rows: allow four standard errors of their mean.
    error = log["p_click"].std() / np.sqrt(min(n, 100_000))
    assert abs(log["p_click"].mean() - base_ctr) < 4 * error


def test_position_bias_is_a_factor_that_can_be_switched_off(log):
    np.testing.assert_allclose(log["p_click"], log["relevance"] * EXAMINATION[log["position"] - 1])
    flat = simulate_ad_log(20_000, position_bias=False)
    np.testing.assert_array_equal(flat["p_click"], flat["relevance"])


def test_hides_need_the_user_to_look_too():
    hides = simulate_ad_log(200_000, randomize_positions=True).groupby("position")["p_hide"]
    mean, error = hides.mean(), hides.sem()
    expected = mean[1] * EXAMINATION
    assert (np.abs(mean - expected) < 4 * np.hypot(error, error[1] * EXAMINATION)).all()


def test_half_of_the_ads_start_during_the_log():
    log = simulate_ad_log(300_000, n_ads=500)
    first_day = log.groupby("ad_id")["day"].min()
    early = int((first_day == 0).sum())
    # About half of the ads run on day 0, which has 20,000 impressions to show them in.
    assert stats.binomtest(early, 500, 0.5 + 0.5 / 14).pvalue > 1e-4
    assert set(first_day) == set(range(14))


def relevance_of_ends(log):
    groups = log.groupby("position")["relevance"]
    return groups.mean()[1], groups.mean()[5], np.hypot(groups.sem()[1], groups.sem()[5])


def test_the_policy_puts_relevant_ads_on_top_unless_positions_are_randomised():
    first, last, error = relevance_of_ends(simulate_ad_log(100_000))
    assert first > 1.5 * last
    first, last, error = relevance_of_ends(simulate_ad_log(100_000, randomize_positions=True))
    assert abs(first - last) < 4 * error


def test_exploration_has_its_rate_and_ignores_the_policy(log):
    by_request = log.groupby("request_id")["explored"].first()
    assert stats.binomtest(int(by_request.sum()), len(by_request), 0.1).pvalue > 1e-4
    first, last, error = relevance_of_ends(log[log["explored"]])
    assert abs(first - last) < 4 * error
    assert not simulate_ad_log(5_000)["explored"].any()


def test_drift_moves_the_ads_and_can_be_frozen():
    def correlation(drift):
        log = simulate_ad_log(300_000, n_ads=40, drift=drift, position_bias=False, randomize_positions=True)
        ctr = log.groupby(["ad_id", "day"])["p_click"].mean().unstack()
        return np.log(ctr[0]).corr(np.log(ctr[13]))

    assert correlation(0.0) > correlation(0.3) + 0.1


def brute_force_history(log):
    """Count earlier impressions, and clicks that had arrived, row by row."""
    ms = log["timestamp"].astype(np.int64).to_numpy()
    arrival = ms + np.ceil(1000 * log["click_delay"].to_numpy())
    out = {"user": [], "ad": []}
    for key in out:
        ids = log[f"{key}_id"].to_numpy()
        for i in range(len(log)):
            same = ids == ids[i]
            out[key].append(((same & (ms < ms[i])).sum(), (same & (arrival < ms[i])).sum()))
    return out


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_histories_hold_what_was_known_at_that_moment(seed, late_share):
    log = simulate_ad_log(800, n_days=3, seed=seed, n_users=20, n_ads=30, base_ctr=0.3, late_share=late_share)
    for key, counts in brute_force_history(log).items():
        np.testing.assert_array_equal(log[[f"{key}_impressions", f"{key}_clicks"]].to_numpy(), counts)


def test_late_clicks_have_the_stated_mean_delays():
    log = simulate_ad_log(300_000, late_share=0.0, seed=2)
    delay = log["click_delay"].dropna()
    assert stats.kstest(delay, stats.expon(scale=30).cdf).pvalue > 1e-4
    delay = simulate_ad_log(300_000, late_share=1.0, seed=2)["click_delay"].dropna()
    assert stats.kstest(delay, stats.expon(scale=86_400).cdf).pvalue > 1e-4


def test_missingness_mechanisms():
    full = simulate_ad_log(400_000)
    assert full["age_group"].notna().all()
    gaps = {how: simulate_ad_log(400_000, missingness=how)["age_group"].isna() for how in ("mcar", "mar", "mnar")}

    def independent(missing, column):
        return stats.chi2_contingency(pd.crosstab(missing, full[column])).pvalue > 1e-4

    for missing in gaps.values():
        assert stats.binomtest(int(missing.sum()), len(missing), 0.2).pvalue > 1e-4
    assert independent(gaps["mcar"], "device")
    assert independent(gaps["mcar"], "age_group")
    assert not independent(gaps["mar"], "device")
    assert not independent(gaps["mnar"], "age_group")


def test_lost_clicks_incident():
    log = simulate_ad_log(50_000, incident="lost_clicks", incident_day=10)
    broken = (log["day"] >= 10) & (log["device"] == "mobile")
    assert log.loc[broken, "click"].sum() == 0
    assert log.loc[broken, "click_delay"].isna().all()
    assert log.loc[broken, "conversion"].sum() == 0
    healthy = simulate_ad_log(50_000)
    np.testing.assert_array_equal(log["p_click"], healthy["p_click"])
    np.testing.assert_array_equal(log.loc[~broken, "click"], healthy.loc[~broken, "click"])


def test_frozen_counters_incident():
    log = simulate_ad_log(50_000, incident="frozen_counters", incident_day=10)
    healthy = simulate_ad_log(50_000)
    for column in ("user_impressions", "user_clicks", "ad_impressions", "ad_clicks"):
        np.testing.assert_array_equal(log.loc[log["day"] < 10, column], healthy.loc[log["day"] < 10, column])
    after = log[log["day"] >= 10]
    assert (after.groupby("user_id")["user_impressions"].nunique() == 1).all()
    assert (after.groupby("ad_id")["ad_clicks"].nunique() == 1).all()


def test_parameters_are_numbers_of_any_dtype():
    sizes = {"n_impressions": 100, "n_days": 9, "seed": 3, "n_users": 50, "n_ads": 20, "incident_day": 2}
    rates = {"base_ctr": 0.25, "drift": 0.5, "exploration_rate": 0.5, "late_share": 0.5, "missing_rate": 0.5}
    options = {"missingness": "mcar", "incident": "lost_clicks"}
    typed = {k: np.uint8(v) for k, v in sizes.items()} | {k: np.float16(v) for k, v in rates.items()}
    flags = {"position_bias": np.True_, "randomize_positions": np.False_}
    pd.testing.assert_frame_equal(
        simulate_ad_log(**typed, **options, **flags), simulate_ad_log(**sizes, **rates, **options)
    )


def test_a_log_may_end_within_a_request():
    assert len(simulate_ad_log(3)) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_impressions": 0}, "n_impressions must be a whole number of at least 1, got 0"),
        ({"n_impressions": 2.5}, "n_impressions must be a whole number"),
        ({"n_days": 0}, "n_days must be"),
        ({"n_users": 0}, "n_users must be"),
        ({"n_ads": N_CANDIDATES}, "n_ads must be a whole number of at least 17"),
        ({"base_ctr": 0.0}, r"base_ctr must be in \(0, 0.5\), got 0"),
        ({"base_ctr": float("nan")}, r"base_ctr must be in \(0, 0.5\), got nan"),
        ({"base_ctr": 0.5}, r"base_ctr must be in \(0, 0.5\), got 0.5"),
        ({"base_ctr": True}, "base_ctr must be a number, got True"),
        ({"base_ctr": "0.1"}, "base_ctr must be a number, got '0.1'"),
        ({"n_users": True}, "n_users must be a whole number of at least 1, got True"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"seed": None}, "seed must be a whole number of at least 0, got None"),
        ({"position_bias": "no"}, "position_bias must be True or False, got 'no'"),
        ({"randomize_positions": None}, "randomize_positions must be True or False, got None"),
        (
            {"incident": "lost_clicks", "incident_day": 1.5},
            r"incident_day must be a whole number in \[0, 13\], got 1.5",
        ),
        ({"drift": np.inf}, "drift must be"),
        ({"incident": "lost_clicks", "incident_day": -1}, r"incident_day must be a whole number in \[0, 13\], got -1"),
        ({"drift": -1}, "drift must be"),
        ({"exploration_rate": 1.1}, r"exploration_rate must be in \[0, 1\]"),
        ({"late_share": 1.1}, r"late_share must be in \[0, 1\]"),
        ({"missing_rate": 1.1}, r"missing_rate must be in \[0, 1\]"),
        ({"missing_rate": -0.1}, r"missing_rate must be in \[0, 1\]"),
        ({"exploration_rate": -0.1}, r"exploration_rate must be in \[0, 1\]"),
        ({"late_share": -0.1}, r"late_share must be in \[0, 1\]"),
        ({"missing_rate": float("nan")}, r"missing_rate must be in \[0, 1\]"),
        ({"missingness": "random"}, "missingness must be"),
        ({"incident": "fire", "incident_day": 1}, "incident must be"),
        ({"incident": "lost_clicks"}, "incident and incident_day go together"),
        ({"incident_day": 3}, "incident and incident_day go together"),
        (
            {"incident": "lost_clicks", "incident_day": 14},
            r"incident_day must be a whole number in \[0, 13\], got 14",
        ),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_ad_log(**{"n_impressions": 100, **arguments})


COUNTS = [
    "user_id", "ad_id", "advertiser_id", "hour", "click", "hide", "conversion", "user_impressions", "user_clicks",
    "ad_impressions", "ad_clicks",
]  # fmt: skip
SUMS = ["p_click", "p_hide", "p_conversion", "relevance", "click_delay"]
WORLDS = [
    (
        {},
        [197177915, 19488656, 969049, 291900, 588, 74, 142, 23425, 865, 246603, 8954, 72369, 33150, 16810],
        [600.0, 72.2931876, 3089.37267, 833.678803, 7395005.47],
    ),
    (
        {"drift": 0, "position_bias": False, "missingness": "mcar"},
        [197177915, 19485756, 968912, 291900, 594, 120, 146, 23425, 830, 245762, 8808, 72394, 22367, 16810],
        [600.0, 124.081954, 3093.51192, 600.0, 8320461.67],
    ),
    (
        {"exploration_rate": 0.2, "randomize_positions": True, "missingness": "mar"},
        [197177915, 19488080, 967921, 291900, 584, 81, 126, 23425, 855, 236243, 7842, 72404, 22659, 16810],
        [600.0, 82.9372015, 2947.10594, 972.765621, 6224471.84],
    ),
    (
        {"base_ctr": 0.1, "late_share": 0.6, "missingness": "mnar", "missing_rate": 0.4},
        [197177915, 19488656, 969049, 291900, 2046, 74, 419, 23425, 2400, 246603, 25985, 72369, 18631, 16810],
        [2000.0, 72.2931876, 3089.37267, 2890.25079, 103937580.0],
    ),
    (
        {"incident": "lost_clicks", "incident_day": 3, "n_users": 500, "n_ads": 100},
        [4974175, 893728, 37736, 293215, 364, 54, 59, 1063550, 17425, 4193026, 100340, 73226, 34850, 15710],
        [600.0, 55.8941729, 2764.34137, 848.685088, 3275078.3],
    ),
    (
        {"incident": "frozen_counters", "incident_day": 9, "n_days": 12, "seed": 7},
        [202700740, 19868059, 949396, 287985, 598, 67, 157, 23250, 760, 233146, 8173, 71197, 33495, 17225],
        [600.0, 63.5189372, 3140.6255, 839.106682, 8194381.19],
    ),
]


@pytest.mark.parametrize(("world", "counts", "sums"), WORLDS)
def test_a_seed_gives_the_log_that_the_pages_were_written_with(world, counts, sums):
    log = simulate_ad_log(20_000, **world)
    codes = [log[column].cat.codes.sum() for column in ("category", "age_group", "device")]
    assert [*log[COUNTS].sum(), *codes] == counts
    assert log[SUMS].sum().tolist() == pytest.approx(sums, rel=1e-7)


@pytest.mark.parametrize("how", ["mar", "mnar"])
@pytest.mark.parametrize("rate", [0.3, 0.6, 0.9, 1.0])
def test_age_goes_missing_as_often_as_said(how, rate):
    log = simulate_ad_log(20_000, missingness=how, missing_rate=rate)
    assert log["age_group"].isna().mean() == pytest.approx(rate, abs=0.015)


def test_tiny_click_rates_are_hit_and_drift_has_an_end():
    assert simulate_ad_log(1000, 1, base_ctr=1e-30)["p_click"].mean() == pytest.approx(1e-30)
    with pytest.raises(ValueError, match=r"drift must be in \[0, 1000\]"):
        simulate_ad_log(10, drift=1e308)
