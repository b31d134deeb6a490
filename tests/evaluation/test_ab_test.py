import itertools
from decimal import Decimal, localcontext

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import (
    proportion_effectsize,
    proportions_chisquare,
    proportions_ztest,
)

from snippets.evaluation.ab_test import (
    always_valid_interval,
    cuped,
    delta_method_ratio,
    sample_ratio_mismatch,
    sample_size_per_arm,
    two_proportion_test,
)


@pytest.mark.parametrize(
    ("base", "lift", "alpha", "power"),
    [(0.03, 0.05, 0.05, 0.8), (0.0035, 0.43, 0.05, 0.8), (0.2, -0.1, 0.01, 0.9), (0.5, 0.02, 0.1, 0.5)],
)
def test_sample_size_against_statsmodels(base, lift, alpha, power):
    # Statsmodels solves for the arcsine effect size: the same to first order, within 1 % for these lifts.
    effect = proportion_effectsize(base * (1 + lift), base)
    expected = NormalIndPower().solve_power(abs(effect), alpha=alpha, power=power)
    assert sample_size_per_arm(base, lift, alpha, power) == pytest.approx(expected, rel=0.01)


def test_sample_size_has_its_power():
    n = sample_size_per_arm(0.05, 0.2, power=0.8)
    rng = np.random.default_rng(4)
    a, b = rng.binomial(n, 0.05, 4000), rng.binomial(n, 0.06, 4000)
    found = np.mean([proportions_ztest([x, y], [n, n])[1] < 0.05 for x, y in zip(a, b, strict=True)])
    assert abs(found - 0.8) < 4 * np.sqrt(0.8 * 0.2 / 4000)


def test_sample_size_by_hand():
    # (1.96 * sqrt(2 * 0.15 * 0.85) + 0.8416 * sqrt(0.1 * 0.9 + 0.2 * 0.8))**2 / 0.1**2 = 198.96.
    assert sample_size_per_arm(0.1, 1.0) == 199


COUNTS = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, COUNTS)
def test_the_p_value_is_that_of_statsmodels(a, b):
    (x, n), (y, m) = a, b
    if 0 < x + y < n + m:
        result = two_proportion_test(x, n, y, m)
        assert result.p_value == pytest.approx(proportions_ztest([y, x], [m, n])[1], rel=1e-9, abs=1e-300)


def z_by_search(x, n, y, m, difference):
    """Score statistic of a difference, its variance at the likeliest pair of rates, where the slopes cancel."""

    def slope(p):
        return sum(k / r - (of - k) / (1 - r) for k, of, r in [(x, n, p), (y, m, p + difference)])

    low, high = max(0, -difference) + 1e-13, min(1, 1 - difference) - 1e-13
    p = low if slope(low) < 0 else high if slope(high) > 0 else optimize.brentq(slope, low, high, xtol=1e-15)
    q = p + difference
    return abs(y / m - x / n - difference) / np.sqrt(p * (1 - p) / n + q * (1 - q) / m)


@settings(max_examples=60)
@given(COUNTS, COUNTS, st.sampled_from([0.5, 0.95, 0.999]))
@example((0, 50), (4, 50), 0.95)
@example((0, 5), (5, 5), 0.95)
@example((5, 5), (0, 7), 0.95)
@example((10, 10), (9, 10), 0.95)
def test_the_interval_ends_where_the_score_test_rejects(a, b, level):
    (x, n), (y, m) = a, b
    if 0 < x + y < n + m:
        result = two_proportion_test(x, n, y, m, level)
        assert -1 <= result.low <= result.difference <= result.high <= 1
        for end in (result.low, result.high):
            # At -1 and 1 one pair of rates is left, (1, 0) or (0, 1), and nothing rejects what was observed.
            if abs(end) < 1:
                assert z_by_search(x, n, y, m, end) == pytest.approx(stats.norm.isf((1 - level) / 2), rel=1e-4)
            else:
                assert end == result.difference


@given(COUNTS, COUNTS)
def test_p_value_and_interval_agree(a, b):
    (x, n), (y, m) = a, b
    if 0 < x + y < n + m:
        for level in (0.5, 0.9, 0.95):
            result = two_proportion_test(x, n, y, m, level)
            if abs(result.p_value - (1 - level)) > 1e-9:
                assert (result.low <= 0 <= result.high) == (result.p_value > 1 - level)


def test_the_interval_of_a_published_example():
    # The R package cicalc prints (0.0533, 0.3377) for Mee's interval of 56/70 - 48/80, and a one-sided p of 0.004.
    result = two_proportion_test(48, 80, 56, 70)
    assert (round(result.low, 4), round(result.high, 4), round(result.p_value / 2, 3)) == (0.0533, 0.3377, 0.004)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "int32", "uint32", "uint64"])
def test_counts_of_every_type_are_the_same_counts(kind):
    counts = np.array([100, 120, 90, 110], kind)
    assert two_proportion_test(*counts) == two_proportion_test(100, 120, 90, 110)


def test_billions_of_units_keep_their_digits():
    few, many = two_proportion_test(30, 10**4, 60, 10**4), two_proportion_test(30 * 10**9, 10**13, 60 * 10**9, 10**13)
    assert many.difference == pytest.approx(few.difference, rel=1e-12)
    # Many units: the interval is the plain one, 1.96 standard errors.
    error = np.sqrt(0.003 * 0.997 / 1e13 + 0.006 * 0.994 / 1e13)
    assert many.high - many.difference == pytest.approx(1.959964 * error, rel=1e-4)


def test_two_proportions_by_hand():
    result = two_proportion_test(40, 1000, 60, 1000)
    assert result.difference == pytest.approx(0.02)
    assert result.relative_lift == pytest.approx(0.5)
    # z = 0.02 / sqrt(0.05 * 0.95 * 2 / 1000) = 2.0520.
    assert result.p_value == pytest.approx(2 * stats.norm.sf(2.0520), rel=1e-3)
    assert np.isnan(two_proportion_test(0, 10, 3, 10).relative_lift)


def test_interval_of_rare_clicks_covers():
    # The exact coverage, over all counts that can be: 4 and 6 clicks of 1,000 are expected.
    a, b = stats.binom(1000, 0.004), stats.binom(1000, 0.006)
    covered = total = 0.0
    for x, y in itertools.product(range(19), range(24)):
        if x + y:
            result, weight = two_proportion_test(x, 1000, y, 1000), a.pmf(x) * b.pmf(y)
            covered += weight * (result.low <= 0.002 <= result.high)
            total += weight
    assert 0.94 < covered / total < 0.96


@given(st.lists(st.integers(1, 10_000), min_size=2, max_size=5))
def test_mismatch_against_statsmodels_and_scipy(counts):
    shares = np.full(len(counts), 1 / len(counts))
    expected = np.sum((counts - np.mean(counts)) ** 2) / np.mean(counts)
    assert sample_ratio_mismatch(counts, shares) == pytest.approx(stats.chi2.sf(expected, len(counts) - 1), abs=1e-12)


def test_mismatch_in_two_arms_is_the_test_of_one_proportion():
    assert sample_ratio_mismatch([300, 900], [0.3, 0.7]) == pytest.approx(
        proportions_chisquare(300, 1200, value=0.3)[1], rel=1e-9
    )


def test_delta_method_against_the_jackknife():
    rng = np.random.default_rng(1)
    views = rng.geometric(0.2, 400)
    clicks = rng.binomial(views, rng.beta(1, 9, 400))
    left_out = [(clicks.sum() - c) / (views.sum() - v) for c, v in zip(clicks, views, strict=True)]
    error = np.sqrt(399**2 / 400 * np.var(left_out, ddof=1))
    result = delta_method_ratio(clicks, views)
    assert result.estimate == pytest.approx(clicks.sum() / views.sum())
    assert result.standard_error == pytest.approx(error, rel=0.02)


def test_one_impression_a_user_is_the_plain_rate():
    clicks = np.r_[np.ones(30), np.zeros(170)]
    result = delta_method_ratio(clicks, np.ones(200))
    assert result.standard_error == pytest.approx(np.sqrt(0.15 * 0.85 / 199), rel=1e-9)


def test_the_smallest_samples_count():
    assert two_proportion_test(0, 1, 1, 1).difference == 1
    assert sample_ratio_mismatch([0, 8], [0.5, 0.5]) == pytest.approx(stats.chi2.sf(8, 1), rel=1e-9)
    assert delta_method_ratio([1, 2], [0, 3]).estimate == 1


def test_cuped_is_the_residual_of_a_regression():
    rng = np.random.default_rng(2)
    before = rng.gamma(1, 2, 3000)
    y = 0.7 * before + rng.normal(size=3000)
    adjusted, theta, share = cuped(y, before)
    fit = stats.linregress(before, y)
    np.testing.assert_allclose(adjusted - y.mean(), y - fit.intercept - fit.slope * before, atol=1e-9)
    assert theta == pytest.approx(fit.slope, rel=1e-9)
    assert share == pytest.approx(1 - fit.rvalue**2, rel=1e-9)
    assert adjusted.mean() == pytest.approx(y.mean(), rel=1e-9)


@pytest.mark.parametrize(("y", "x"), [(1000, 1000), (-1000, -1000), (1000, 100), (0, 1000)])
def test_cuped_at_the_ends_of_the_floats(y, x):
    plain = cuped([3.0, 5.0, 9.0, 7.0], [1.0, 2.0, 4.0, 3.5])
    scaled = cuped(np.ldexp([3.0, 5.0, 9.0, 7.0], y), np.ldexp([1.0, 2.0, 4.0, 3.5], x + 10))
    assert scaled[0] == pytest.approx(np.ldexp(plain[0], y), rel=1e-12)
    assert scaled.variance_share == pytest.approx(plain.variance_share)
    assert scaled.theta == pytest.approx(np.ldexp(plain.theta, y - x - 10))
    largest = cuped([1, 2, 3], [1e308, 1.2e308, 1.7e308])
    assert largest.variance_share == pytest.approx(cuped([1, 2, 3], [1, 1.2, 1.7]).variance_share)
    with pytest.raises(ValueError, match="more than floats hold"):
        cuped([1e300, 2e300, 4e300], [1e-300, 3e-300, 5e-300])


def test_cuped_keeps_the_index_of_users():
    y = pd.Series([3.0, 5.0, 9.0], index=["u", "v", "w"], name="clicks")
    adjusted, *_ = cuped(y, [1.0, 2.0, 4.0])
    plain, *_ = cuped(y.to_numpy(), [1.0, 2.0, 4.0])
    pd.testing.assert_series_equal(adjusted, pd.Series(plain, index=y.index), check_names=False)


def test_always_valid_interval_excludes_zero_where_the_likelihood_ratio_says_so():
    # The mixture of normal densities over the density at zero, by quadrature, reaches 1 / alpha at the interval's end.
    s, tau, alpha = 0.8, 1.3, 0.05

    def ratio(d):
        grid = np.linspace(-12, 12, 200_001)
        mixture = stats.norm.pdf(d, grid, s) * stats.norm.pdf(grid, 0, tau)
        return mixture.sum() * (grid[1] - grid[0]) / stats.norm.pdf(d, 0, s)

    edge = optimize.brentq(lambda d: ratio(d) - 1 / alpha, 0.1, 8)
    low, high = always_valid_interval(edge, s, tau, alpha)
    assert low == pytest.approx(0, abs=1e-6)
    assert high == pytest.approx(2 * edge, rel=1e-6)


def test_always_valid_interval_at_many_looks():
    rng = np.random.default_rng(3)
    looks = np.arange(1, 401)
    means = np.cumsum(rng.normal(size=(800, 400)), axis=1) / looks
    ends = np.array([always_valid_interval(0.0, 1 / np.sqrt(n), 0.3)[1] for n in looks])
    ever = (np.abs(means) > ends).any(axis=1).mean()
    # At most alpha = 0.05 ever, with a Monte Carlo error of 0.008; the interval at a fixed look is crossed far more.
    assert 0.01 < ever < 0.05 + 3 * 0.008
    assert (np.abs(means) > 1.96 / np.sqrt(looks)).any(axis=1).mean() > 0.3


@given(st.floats(-300, 300), st.floats(-300, 300), st.floats(1e-300, 0.999))
@example(200.0, -200.0, 0.05)
@example(-250.0, 250.0, 5e-324)
@example(-300.0, 300.0, 0.05)
def test_always_valid_interval_at_the_ends_of_its_range(log_error, log_scale, alpha):
    error, scale = 10**log_error, 10**log_scale
    low, high = always_valid_interval(0.0, error, scale, alpha)
    with localcontext(prec=700):  # the textbook's formula, with digits to spare
        s, tau = Decimal(error), Decimal(scale)
        half = (s * s * (s * s + tau * tau) / (tau * tau)) * ((1 + tau * tau / (s * s)).ln() - 2 * Decimal(alpha).ln())
        expected = float(half.sqrt())
    assert (low, high) == (pytest.approx(-expected, rel=1e-9), pytest.approx(expected, rel=1e-9))


@pytest.mark.parametrize("kind", ["float16", "float32", "longdouble", ">f8", "int8", "uint8", "int64", "bool"])
def test_arithmetic_is_not_done_in_the_type_of_the_input(kind):
    rng = np.random.default_rng(5)
    views = rng.integers(0, 100, 2000).astype(kind)
    clicks = (views * (rng.random(2000) < 0.3)).astype(kind)
    plain = clicks.astype(float), views.astype(float)
    assert delta_method_ratio(clicks, views) == delta_method_ratio(*plain)
    ours, expected = cuped(clicks, views), cuped(*plain)
    np.testing.assert_array_equal(ours.values, expected.values)
    assert ours[1:] == expected[1:]


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_units_do_not_matter(scale):
    rng = np.random.default_rng(6)
    before, y = rng.normal(3, 1, (2, 50))
    assert cuped(y * scale, before).theta == pytest.approx(cuped(y, before).theta * scale, rel=1e-9)
    assert cuped(y, before * scale).theta == pytest.approx(cuped(y, before).theta / scale, rel=1e-9)
    assert cuped(y * scale, before).variance_share == pytest.approx(cuped(y, before).variance_share, rel=1e-9)
    ours, plain = delta_method_ratio(y * scale, before**2 * scale), delta_method_ratio(y, before**2)
    assert ours == (pytest.approx(plain.estimate, rel=1e-9), pytest.approx(plain.standard_error, rel=1e-9))


def test_shares_typed_with_few_digits_are_shares():
    assert sample_ratio_mismatch([30, 35, 40], [0.333333, 0.333333, 0.333333]) == pytest.approx(
        sample_ratio_mismatch([30, 35, 40], np.full(3, 1 / 3)), rel=1e-9
    )


def test_sample_size_at_the_ends_of_its_range():
    # Units grow with one over the rate and one over the square of the lift.
    plain = sample_size_per_arm(1e-9, 0.01)
    assert sample_size_per_arm(1e-300, 0.01) == pytest.approx(plain * 10**291, rel=1e-6)
    assert sample_size_per_arm(1e-300, 1e-6) > 10**308


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sample_size_per_arm(1, 0.1), r"base_rate must be in \(0, 1\), got 1"),
        (lambda: sample_size_per_arm(0.5, 1.0), r"relative_lift .* got 1.0: 1.0"),
        (lambda: sample_size_per_arm(0.5, -1.0), r"relative_lift .* got -1.0: 0.0"),
        (lambda: sample_size_per_arm(0.1, 0.1, alpha=0), r"alpha must be in \[1e-300, 1\), got 0"),
        (lambda: sample_size_per_arm(0.1, 0.1, power=0.05), r"power must be in \(0.05, 1\), got 0.05"),
        (lambda: sample_size_per_arm(0.1, 0.1, power=1), r"power must be in \(0.05, 1\), got 1"),
        (lambda: two_proportion_test(-1, 2, 1, 2), r"clicks_a must be a whole number in \[0, 2\], got -1"),
        (lambda: sample_ratio_mismatch([0, 0], [0.5, 0.5]), "counts must have two arms or more, not all 0"),
        (lambda: sample_ratio_mismatch([1, 2], [0, 1]), r"expected_shares must be in \(0, 1\), got 0 at row 0"),
        (lambda: delta_method_ratio([1, 2], [-1, 3]), "denominator must be at least 0 and finite, got -1 at row 0"),
        (lambda: always_valid_interval(0.1, np.inf, 1), "standard_error must be above 0 and finite, got inf"),
        (lambda: always_valid_interval(0.1, 1, 0), "effect_scale must be above 0 and finite, got 0"),
        (lambda: always_valid_interval(0.1, 1, 1, 1), r"alpha must be in \(0, 1\), got 1"),
        (lambda: sample_size_per_arm(0, 0.1), r"base_rate must be in \(0, 1\), got 0"),
        (lambda: sample_size_per_arm(0.1, 0), r"relative_lift must change the rate to one in \(0, 1\), got 0"),
        (lambda: sample_size_per_arm(0.6, 1.0), r"relative_lift .* got 1.0: 1.2"),
        (lambda: sample_size_per_arm(0.1, 0.1, alpha=1), r"alpha must be in \[1e-300, 1\), got 1"),
        (lambda: sample_size_per_arm(0.1, 0.1, power=0.01), r"power must be in \(0.05, 1\), got 0.01"),
        (lambda: two_proportion_test(1, 0, 1, 2), "n_a must be a whole number of at least 1, got 0"),
        (lambda: two_proportion_test(1, 2, 3, 2), r"clicks_b must be a whole number in \[0, 2\], got 3"),
        (lambda: two_proportion_test(0.5, 2, 1, 2), r"clicks_a must be a whole number in \[0, 2\], got 0.5"),
        (lambda: two_proportion_test(0, 2, 0, 2), "clicks are none in both arms"),
        (lambda: two_proportion_test(2, 2, 2, 2), "clicks are all in both arms"),
        (lambda: sample_ratio_mismatch([5], [0.5]), "counts must have two arms or more"),
        (lambda: sample_ratio_mismatch([5, 5], [0.5, 0.25, 0.25]), "expected_shares has 3 rows, counts has 2"),
        (lambda: sample_ratio_mismatch([5, -1], [0.5, 0.5]), "counts must be at least 0, got -1 at row 1"),
        (lambda: sample_ratio_mismatch([5, 5], [50, 50]), r"expected_shares must be in \(0, 1\), got 50 at row 0"),
        (lambda: sample_ratio_mismatch([5, np.nan], [0.5, 0.5]), "counts must be whole numbers, got nan at row 1"),
        (lambda: delta_method_ratio([1, 2], [0, 0]), "denominator must have two rows or more, not all 0"),
        (lambda: delta_method_ratio([1], [1]), "denominator must have two rows or more"),
        (lambda: delta_method_ratio([[1, 2]], [1, 2]), r"numerator must have one dimension, got shape \(1, 2\)"),
        (lambda: delta_method_ratio([1, 2], ["a", "b"]), "denominator must hold numbers, got 'a' at row 0"),
        (lambda: cuped([1, 2], [3, 3]), "covariate is constant"),
        (lambda: cuped([1, 2, 3], [3, 4]), "covariate has 2 rows, y has 3"),
        (lambda: always_valid_interval(0.1, 0, 1), "standard_error must be above 0 and finite, got 0"),
        (lambda: always_valid_interval(0.1, 1, -1), "effect_scale must be above 0 and finite, got -1"),
        (lambda: always_valid_interval(0.1, 1, 1, 5), r"alpha must be in \(0, 1\), got 5"),
        (lambda: always_valid_interval(0.1, 1, 1, 0), r"alpha must be in \(0, 1\), got 0"),
        (lambda: always_valid_interval(np.nan, 1, 1), "difference must be finite, got nan"),
        (lambda: two_proportion_test(1, 2, 1, 2, 95), r"confidence_level must be in \(0, 1\), got 95"),
        (lambda: sample_ratio_mismatch([5, 5], [0.5, 0.25]), "expected_shares must add up to 1"),
        (lambda: sample_ratio_mismatch([5, 0.5], [0.5, 0.5]), "counts must be whole numbers, got 0.5 at row 1"),
        (lambda: cuped([], []), "y is empty"),
        (lambda: cuped([1], [1]), "y is constant"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_counts_whose_sum_is_beyond_64_bits():
    # 0.3, 0.3 and 0.4 of 1.4e19 users are not a third each. In whole numbers the sum wrapped, and the p-value was NaN.
    assert sample_ratio_mismatch([2**62] * 3, [0.3, 0.3, 0.4]) == 0


@pytest.mark.parametrize(("top", "bottom"), [(1e-200, 1.0), (1e200, 1.0), (1.0, 1e-160), (1e300, 1e300), (5e307, 1.0)])
def test_the_error_of_a_ratio_scales_with_it(top, bottom):
    plain = delta_method_ratio([1, 0, 3], [10, 5, 15])
    scaled = delta_method_ratio(np.array([1, 0, 3]) * top, np.array([10, 5, 15]) * bottom)
    np.testing.assert_allclose(scaled, np.array(plain) * (top / bottom), rtol=1e-12)


def test_ratios_and_counts_beyond_floats_are_refused():
    with pytest.raises(ValueError, match="numerator over denominator is more than floats hold"):
        delta_method_ratio([1e300, 2e300], [1e-300, 1e-300])
    with pytest.raises(ValueError, match="n_a and n_b must be below"):
        two_proportion_test(10**300, 10**305, 10**300, 10**305)
    with pytest.raises(ValueError, match="alpha must be in"):
        sample_size_per_arm(0.1, 0.1, alpha=5e-324)
