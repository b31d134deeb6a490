import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from snippets.training_data.negative_downsampling import downsample_negatives, recalibrate

RNG = np.random.default_rng(4)
RATES = st.floats(1e-4, 1)


def test_clicks_stay_and_the_others_are_drawn_evenly():
    y = RNG.random(200_000) < 0.03
    keep = downsample_negatives(y, 0.1, RNG)
    assert keep[y].all()
    others = keep[~y]
    assert stats.binomtest(int(others.sum()), len(others), 0.1).pvalue > 1e-4
    halves = others[: len(others) // 2], others[len(others) // 2 :]
    assert stats.chi2_contingency([[h.sum(), (~h).sum()] for h in halves]).pvalue > 1e-4


def test_a_rate_of_one_keeps_all():
    assert downsample_negatives([0, 1, 0], 1.0, RNG).all()


@given(st.floats(0.001, 0.999), RATES)
def test_recalibration_divides_the_odds(p, rate):
    q = recalibrate(np.array([p]), rate)[0]
    assert q / (1 - q) == pytest.approx(rate * p / (1 - p), rel=1e-6)


@given(st.lists(st.floats(0, 1), max_size=20), RATES)
def test_recalibration_keeps_order_and_range(p, rate):
    q = recalibrate(sorted(p), rate)
    assert ((q >= 0) & (q <= 1)).all()
    assert (np.diff(q) >= 0).all()


def test_the_ends_stay_where_they_are():
    assert recalibrate([0.0, 1.0], 0.01).tolist() == [0, 1]


def test_by_hand():
    # 0.1 % at rate 0.01 becomes 0.001 / (0.001 + 0.999 * 0.01) = 9.1 %, and back.
    assert recalibrate(0.001 / (0.001 + 0.999 * 0.01), 0.01) == pytest.approx(0.001, rel=1e-12)


def test_nothing_is_computed_in_the_dtype_of_the_caller():
    p = np.array([0.125, 0.5], dtype=np.float16)
    assert recalibrate(p, 1e-5).tolist() == recalibrate([0.125, 0.5], 1e-5).tolist()
    clicks = pd.Series([1, 0, 1], dtype="Int8", index=["a", "b", "c"])
    keep = downsample_negatives(clicks, 0.5, np.random.default_rng(0))
    assert keep.dtype == bool
    assert keep.index.tolist() == ["a", "b", "c"]
    assert recalibrate(pd.Series([0.5], index=["a"]), 0.5)["a"] == pytest.approx(1 / 3)


def test_a_right_model_of_sampled_rows_is_right_again():
    x = RNG.normal(size=(300_000, 1))
    truth = expit(x[:, 0] - 3)
    y = RNG.random(len(x)) < truth
    keep = downsample_negatives(y, 0.05, RNG)
    model = LogisticRegression(C=np.inf).fit(x[keep], y[keep])
    back = recalibrate(model.predict_proba(x)[:, 1], 0.05)
    # The intercept moves by log(20) and comes back; its standard error here is about 0.015.
    assert np.abs(logit(back) - (x[:, 0] - 3)).mean() < 0.06
    assert abs(model.intercept_[0] + 3 - np.log(20)) < 0.06


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: downsample_negatives([], 0.5, RNG), "y is empty"),
        (lambda: downsample_negatives([[0]], 0.5, RNG), r"y must have one dimension, got shape \(1, 1\)"),
        (lambda: downsample_negatives([0, 2], 0.5, RNG), "y must be 0 or 1, got 2 at row 1"),
        (lambda: downsample_negatives([0, np.nan], 0.5, RNG), "y must be 0 or 1, got nan at row 1"),
        (lambda: downsample_negatives([0, 1], 0, RNG), r"rate must be in \(0, 1\], got 0"),
        (lambda: downsample_negatives([0, 1], 1.1, RNG), r"rate must be in \(0, 1\], got 1.1"),
        (lambda: recalibrate([-0.1, 0.5], 0.5), r"y_prob must be in \[0, 1\], got -0.1 at row 0"),
        (lambda: downsample_negatives([0, 1], 10, RNG), r"rate must be in \(0, 1\], got 10"),
        (lambda: recalibrate(["a"], 0.5), "y_prob must hold numbers"),
        (lambda: recalibrate([0.1, 1.1], 0.5), r"y_prob must be in \[0, 1\], got 1.1 at row 1"),
        (lambda: recalibrate([np.nan, 0.5], 0.5), r"y_prob must be in \[0, 1\], got nan at row 0"),
        (lambda: recalibrate([0.5], -1), r"rate must be in \(0, 1\], got -1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
