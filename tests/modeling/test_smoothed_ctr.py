import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import betabinom

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.smoothed_ctr import MOST, SmoothedCTR, fit_beta_prior
from tests.estimators import failed_checks


def test_the_prior_is_where_scipys_beta_binomial_is_most_likely():
    rng = np.random.default_rng(0)
    impressions = rng.integers(1, 300, 400)
    clicks = rng.binomial(impressions, rng.beta(2, 40, 400))
    alpha, beta = fit_beta_prior(clicks, impressions)
    mean = clicks.sum() / impressions.sum()
    assert alpha / (alpha + beta) == pytest.approx(mean, rel=1e-12)

    def loss(log_strength):
        s = np.exp(log_strength[0])
        return -betabinom.logpmf(clicks, impressions, mean * s, (1 - mean) * s).sum()

    assert alpha + beta == pytest.approx(np.exp(minimize(loss, [3.0], method="Nelder-Mead").x[0]), rel=1e-3)
    assert 25 < alpha + beta < 70  # the truth is 42; the standard error of its logarithm is about 0.2


def test_keys_that_do_not_differ_get_a_prior_worth_more_than_all_they_have():
    impressions = np.full(200, 100)
    alpha, beta = fit_beta_prior(np.full(200, 5), impressions)
    assert 1e5 < alpha + beta <= MOST


@pytest.mark.parametrize(
    ("clicks", "impressions", "message"),
    [
        ([], [], "clicks is empty"),
        ([1, 2], [3], "impressions has 1 rows, clicks has 2"),
        ([1, 5], [3, 4], "clicks must be at most the impressions, got 5 at row 1"),
        ([-1], [3], "clicks must be at least 0 and finite, got -1 at row 0"),
        ([1, np.nan], [3, 4], "clicks must .* at row 1"),
        ([1], [np.inf], "impressions must .* at row 0"),
        ([0, 0], [3, 4], "got 0 of 7"),
        ([3], [3], "got 3 of 3"),
    ],
)
def test_counts_that_are_none_are_named(clicks, impressions, message):
    with pytest.raises(ValueError, match=message):
        fit_beta_prior(clicks, impressions)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans()), min_size=4, max_size=60).filter(
        lambda rows: len({c for _, _, c in rows}) == 2
    ),
    st.floats(0.1, 100),
)
def test_against_a_loop_over_keys(rows, strength):
    X, y = np.array([r[:2] for r in rows]), np.array([r[2] for r in rows])
    p = SmoothedCTR(strength).fit(X, y).predict_proba(np.vstack([X, [[9, 9]]]))[:, 1]
    mean = y.mean()
    for key, got in zip([*X.tolist(), [9, 9]], p, strict=True):
        mine = [c for *k, c in rows if k == key]
        assert got == pytest.approx((sum(mine) + strength * mean) / (len(mine) + strength))


def test_weights_count_as_copies_and_rows_without_weight_do_not_exist():
    X, y = np.array([[1], [1], [2], [3]]), np.array([0, 1, 0, 2])
    a = SmoothedCTR(5).fit(X, y, sample_weight=[2, 1, 3, 0])
    b = SmoothedCTR(5).fit([[1], [1], [1], [2], [2], [2]], [0, 0, 1, 0, 0, 0])
    assert a.classes_.tolist() == [0, 1]
    assert a.predict_proba([[1], [2], [3]]) == pytest.approx(b.predict_proba([[1], [2], [3]]))


def test_on_a_log_the_fitted_strength_is_near_the_best_on_later_days():
    log = simulate_ad_log(200_000)
    past = log["day"] < 10
    X, y = log[["ad_id"]].to_numpy(), log["click"].to_numpy()

    def later(strength):
        model = SmoothedCTR(strength).fit(X[past], y[past])
        return normalized_entropy(y[~past], model.predict_proba(X[~past])[:, 1])

    grid = {s: later(s) for s in (1, 10, 30, 100, 300, 1_000, 10_000)}
    assert min(grid.values()) < grid[1] - 0.005
    assert later(None) < min(grid.values()) + 0.0015


@pytest.mark.parametrize("strength", [0, -1, np.inf, np.nan])
def test_a_strength_that_is_none_is_refused(strength):
    with pytest.raises(ValueError, match="strength must be above 0 and finite"):
        SmoothedCTR(strength).fit([[1], [2]], [0, 1])


def test_predict_gives_the_more_probable_label():
    model = SmoothedCTR(1).fit([[1], [1], [1], [2], [2], [2]], ["no", "yes", "yes", "no", "no", "no"])
    assert model.predict([[1], [2], [3]]).tolist() == ["yes", "no", "no"]


@pytest.mark.parametrize("strength", [None, 1.0])
def test_scikit_learns_own_checks(strength):
    assert failed_checks(SmoothedCTR(strength), at_least=35) == {}


def test_where_both_classes_are_as_probable_the_first_is_predicted():
    assert SmoothedCTR(5).fit([[1], [2]], ["a", "b"]).predict([[3]]).tolist() == ["a"]


@pytest.mark.parametrize(
    "ads",
    [
        np.array([2**53, 2**53 + 1, 2**53]),
        np.array([2**63 + 2**11, 2**63 + 2**11 + 1, 2**63 + 2**11], np.uint64),
        pd.array([2**53, 2**53 + 1, 2**53], dtype="Int64"),
        ["x", "y", "x"],
        pd.Categorical(["x", "y", "x"], categories=["nobody", "y", "x"]),
        [uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=1)],
    ],
)
def test_ids_of_any_kind_are_told_apart_beside_a_column_of_another(ads):
    X = pd.DataFrame({"ad": ads, "price": [0.5, 0.5, 0.5]})
    model = SmoothedCTR(1.0).fit(X, [1, 0, 1])
    assert model.keys_.tolist() == [[X["ad"][0], 0.5], [X["ad"][1], 0.5]]
    mean = 2 / 3
    expected = [(2 + mean) / 3, mean / 2, (2 + mean) / 3]
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expected)
    np.testing.assert_allclose(model.predict_proba(X.iloc[::-1])[:, 1], expected[::-1])
    again = SmoothedCTR(1.0).fit(X.astype(object).to_numpy(), [1, 0, 1])
    np.testing.assert_allclose(again.predict_proba(model.keys_)[:, 1], expected[:2])


def test_a_missing_key_matches_nothing_and_a_category_that_is_unused_is_none():
    X = pd.DataFrame({"ad": pd.Series(["a", None, "b", "a"], dtype="category"), "device": [1, 1, 2, 1]})
    model = SmoothedCTR(2.0).fit(X, [1, 1, 0, 0])
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], [2 / 4, 1 / 2, 1 / 3, 2 / 4])  # the rate of all is a half
    assert model.keys_.tolist() == [["a", 1], ["b", 2]]
    assert model.impressions_.tolist() == [2, 1]
    unknown = SmoothedCTR(2.0).fit(pd.DataFrame({"ad": [None, None]}), [1, 0])
    np.testing.assert_allclose(unknown.predict_proba(pd.DataFrame({"ad": ["a", None]})), 0.5)
    with pytest.raises(ValueError, match="sample_weight is zero in every row"):
        SmoothedCTR().fit(X, [1, 1, 0, 0], [0, 0, 0, 0])


def test_keys_that_can_never_match_are_refused_and_whole_numbers_are_found_among_fractions():
    model = SmoothedCTR(1.0).fit([[7], [8]], [0, 1])
    with pytest.raises(ValueError, match="two kinds"):
        model.predict_proba(pd.DataFrame({"ad": ["7"]}).to_numpy())
    with pytest.raises(ValueError, match="two kinds"):
        SmoothedCTR(1.0).fit([[0.5], [1.5]], [0, 1]).predict_proba([[1]])
    halves = SmoothedCTR(1.0).fit([[0.5], [1.0]], [0, 1])
    np.testing.assert_allclose(halves.predict_proba([[1.0]])[:, 1], 0.75)
    np.testing.assert_allclose(halves.predict_proba([[1], [2]])[:, 1], [0.75, 0.5])


def test_a_table_without_rows_is_refused():
    with pytest.raises(ValueError, match="0 sample"):
        SmoothedCTR().fit(pd.DataFrame({"ad": []}), [])


def test_weights_of_rows_without_a_key_count_as_copies():
    X = np.array([1, 1, 1, 1, 2, 2, 2, 2, np.nan, np.nan])[:, None]
    y, weight = np.array([1, 1, 1, 0, 0, 0, 0, 1, 1, 0]), np.array([1] * 8 + [3, 2])
    a, b = SmoothedCTR().fit(X, y, weight), SmoothedCTR().fit(np.repeat(X, weight, 0), np.repeat(y, weight))
    assert (a.alpha_, a.beta_) == pytest.approx((b.alpha_, b.beta_))
    assert a.alpha_ / (a.alpha_ + a.beta_) == pytest.approx(np.average(y, weights=weight))


def test_weights_whose_sum_overflows_are_refused():
    with pytest.raises(ValueError, match="sample_weight"):
        SmoothedCTR(strength=4).fit([[1], [2]], [0, 1], [1e308, 1e308])


def test_among_fractions_none_is_a_missing_key():
    model = SmoothedCTR(strength=2).fit([[0.5], [0.5], [1.5], [1.5]], [1, 1, 0, 1])
    assert model.predict_proba([[0.5], [None]])[:, 1].tolist() == [0.875, 0.75]
