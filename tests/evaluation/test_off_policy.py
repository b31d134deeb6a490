import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from snippets.evaluation.off_policy import doubly_robust, ips, snips, weight_report

ARMS, CONTEXTS = 4, 3
CLICK_RATE = np.random.default_rng(0).uniform(0.1, 0.6, (CONTEXTS, ARMS))
LOGGING = np.random.default_rng(1).dirichlet(np.ones(ARMS) * 2, CONTEXTS)
TARGET = np.random.default_rng(2).dirichlet(np.ones(ARMS) * 2, CONTEXTS)
TRUTH = (TARGET * CLICK_RATE).sum(axis=1).mean()  # contexts are equally likely


def log(n, rng):
    context = rng.integers(0, CONTEXTS, n)
    arm = (rng.random(n)[:, None] > np.cumsum(LOGGING, axis=1)[context]).sum(axis=1).clip(0, ARMS - 1)
    reward = (rng.random(n) < CLICK_RATE[context, arm]).astype(np.int8)
    return context, arm, reward


def estimates(context, arm, reward):
    logged = reward, LOGGING[context, arm], TARGET[context, arm]
    model = CLICK_RATE + 0.2 * np.arange(ARMS)  # wrong, and wrong by arm
    target = (TARGET * model).sum(axis=1)[context]
    return [ips(*logged), snips(*logged), doubly_robust(*logged, model[context, arm], target)]


def test_unbiased_with_right_standard_errors():
    draws = np.array([estimates(*log(2_000, np.random.default_rng(seed))) for seed in range(400)])
    for i in range(3):
        estimate, error = draws[:, i].T
        spread = estimate.std(ddof=1)
        assert abs(estimate.mean() - TRUTH) < 4 * spread / np.sqrt(400)
        # A standard deviation of 400 draws has a relative error of about 1 / sqrt(800) = 3.5 %.
        assert error.mean() == pytest.approx(spread, rel=0.12)
        assert 0.91 < (abs(estimate - TRUTH) < 1.96 * error).mean() < 0.985


def test_doubly_robust_with_wrong_propensities_and_the_right_model():
    context, arm, reward = log(200_000, np.random.default_rng(7))
    wrong = np.full(len(arm), 0.4)
    target = (TARGET * CLICK_RATE).sum(axis=1)[context]
    value = doubly_robust(reward, wrong, TARGET[context, arm], CLICK_RATE[context, arm], target)
    assert abs(value.estimate - TRUTH) < 4 * value.standard_error
    biased = ips(reward, wrong, TARGET[context, arm])
    assert abs(biased.estimate - TRUTH) > 10 * biased.standard_error


def test_by_hand():
    # Weights 1/2, 1/2, 2, 2.
    arguments = [1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5]
    assert ips(*arguments).estimate == pytest.approx(2.5 / 4)
    assert snips(*arguments).estimate == pytest.approx(2.5 / 5)
    # 0.3 + w (r - 0.2): 0.7, 0.2, -0.1, 1.9.
    assert doubly_robust(*arguments, [0.2] * 4, [0.3] * 4).estimate == pytest.approx(2.7 / 4)
    report = weight_report(*arguments[1:])
    assert report.effective_sample_size == pytest.approx(25 / 8.5)
    assert report.mean_weight == 1.25
    assert report.standard_error == pytest.approx(np.sqrt(0.75 / 4))
    assert report.largest_weight == 2


def test_standard_errors_by_hand():
    arguments = [1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5]
    assert ips(*arguments).standard_error == pytest.approx(stats.sem([0.5, 0, 0, 2]))
    assert doubly_robust(*arguments, [0.2] * 4, [0.3] * 4).standard_error == pytest.approx(
        stats.sem([0.7, 0.2, -0.1, 1.9])
    )
    # Weighted distances from the estimate, 1/4, -1/4, -1, 1, over the mean weight.
    assert snips(*arguments).standard_error == pytest.approx(stats.sem([0.25, -0.25, -1, 1]) / 1.25)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "float16", "longdouble"])
def test_many_rows_of_a_narrow_dtype_are_summed_in_double_precision(dtype):
    reward = np.arange(20_000) % 10 == 0
    policies = np.full(20_000, 1 / 16, np.float16), np.full(20_000, 1 / 4, np.float16)
    model = np.zeros(20_000, dtype)
    values = [estimator(reward.astype(dtype), *policies) for estimator in (ips, snips)]
    values.append(doubly_robust(reward.astype(dtype), *policies, model, model))
    # Each weight is 4, a tenth of the rewards is 1.
    spread = np.sqrt(0.09 / 19_999)
    for (estimate, error), size in zip(values, (4, 1, 4), strict=True):
        assert estimate == pytest.approx(0.1 * size, rel=1e-12)
        assert error == pytest.approx(size * spread, rel=1e-12)
    assert weight_report(*policies) == (4, 0, 20_000, 4)


def test_doubly_robust_on_whole_numbers():
    # Weights 1/2, 1/2, 2, 2; without a model it is ips: 2.5 / 4.
    policies = [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5]
    assert doubly_robust([1, 0, 0, 1], *policies, [0] * 4, [0] * 4).estimate == 0.625
    rewards = np.array([200, 100, 100, 200], np.uint8)  # in 8 bits, 100 - 200 would be 156
    assert doubly_robust(rewards, *policies, rewards[::-1], rewards).estimate == pytest.approx(150)
    assert doubly_robust(rewards, *policies, [200] * 4, [0] * 4).estimate == pytest.approx((0 - 50 - 200 + 0) / 4)


def test_a_clipped_weight_may_be_huge_before():
    assert ips([1, 1], [1e-320, 0.5], [0.5, 0.5], clip=3).estimate == 2


def test_clip_by_hand():
    arguments = [1, 0, 0, 1], [0.5, 0.5, 0.25, 0.25], [0.25, 0.25, 0.5, 0.5]
    assert ips(*arguments, clip=1).estimate == pytest.approx(1.5 / 4)
    assert snips(*arguments, clip=1).estimate == pytest.approx(1.5 / 3)
    assert doubly_robust(*arguments, [0.2] * 4, [0.3] * 4, clip=1).estimate == pytest.approx(
        (0.7 + 0.2 + 0.1 + 1.1) / 4
    )


ROWS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 1), st.floats(0.01, 1)), min_size=2, max_size=20).map(
    lambda rows: tuple(np.array(column) for column in zip(*rows, strict=True))
)


@given(ROWS)
def test_the_log_of_the_target_itself_gives_the_mean(rows):
    reward, propensity, _ = rows
    expected = pytest.approx(reward.mean(), rel=1e-9, abs=1e-9)
    assert ips(reward, propensity, propensity).estimate == expected
    assert snips(reward, propensity, propensity).estimate == expected
    assert weight_report(propensity, propensity).effective_sample_size == pytest.approx(len(reward))


@given(ROWS, st.floats(-3, 3))
def test_snips_stays_in_range_and_moves_with_the_rewards(rows, shift):
    reward, *policies = rows
    value = snips(reward, *policies)
    assert reward.min() - 1e-9 <= value.estimate <= reward.max() + 1e-9
    assert snips(reward + shift, *policies).estimate == pytest.approx(value.estimate + shift, abs=1e-9)


@given(ROWS)
def test_doubly_robust_without_a_model_is_ips(rows):
    zero = np.zeros(len(rows[0]))
    assert doubly_robust(*rows, zero, zero) == pytest.approx(ips(*rows), rel=1e-9, abs=1e-12)


def test_nothing_in_common_has_no_effective_row():
    report = weight_report([0.5, 0.5], [0, 0])
    assert report == (0, 0, 0, 0)


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e99])
def test_errors_scale_with_weights_and_rewards(scale):
    reward, logging, target = np.array([1, 0, 0, 1]), [0.5, 0.5, 0.25, 0.25], np.array([0.25, 0.25, 0.5, 0.5])
    for function in (ips, snips, lambda *a: doubly_robust(*a, reward * scale / 2, reward * scale / 2)):
        plain, scaled = np.array(function(reward, logging, target)), function(reward * scale, logging, target)
        if function not in (ips, snips):
            plain = np.array(doubly_robust(reward, logging, target, reward / 2, reward / 2))
        assert scaled == pytest.approx(plain * scale, rel=1e-9)
    if scale < 1:
        tiny = logging, target * scale
        assert ips(reward, *tiny) == pytest.approx(np.array(ips(reward, logging, target)) * scale, rel=1e-9)
        assert snips(reward, *tiny) == pytest.approx(snips(reward, logging, target), rel=1e-9)
        plain, report = weight_report(logging, target), weight_report(*tiny)
        assert report.effective_sample_size == pytest.approx(plain.effective_sample_size, rel=1e-9)
        assert report.standard_error == pytest.approx(plain.standard_error * scale, rel=1e-9)
        assert snips(reward, *tiny, clip=1e-315).standard_error == pytest.approx(1 / np.sqrt(12))


@pytest.mark.parametrize("function", [ips, snips, lambda *a: doubly_robust(*a, a[0], a[0])])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], [], []), "reward is empty"),
        (([1], [0.5], [0.5]), "reward needs two rows or more, got 1"),
        (([1, 0], [0.5], [0.5, 0.5]), "logging_propensity has 1 rows, reward has 2"),
        (([1, 0], [0.5, 1e-320], [0.5, 0.5]), "logging_propensity must give a weight below 1e100, .* at row 1"),
        (([1, 1e300], [0.5, 0.5], [0.5, 0.5]), r"reward must be in \[-1e100, 1e100\], got 1e\+300 at row 1"),
        (([1, 0], [0.5, 0], [0.5, 0.5]), r"logging_propensity must be in \(0, 1\], got 0 at row 1"),
        (([1, 0], [0.5, 1.5], [0.5, 0.5]), r"logging_propensity must be in \(0, 1\], got 1.5 at row 1"),
        (([1, 0], [0.5, 0.5], [0.5, -0.1]), r"target_probability must be in \[0, 1\], got -0.1 at row 1"),
    ],
)
def test_bad_input_is_named(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(*arguments)


def test_bad_clip_and_no_support_are_named():
    with pytest.raises(ValueError, match="clip must be above 0 and finite, got 0"):
        ips([1, 0], [0.5, 0.5], [0.5, 0.5], clip=0)
    with pytest.raises(ValueError, match="logging_propensity needs two rows or more, got 1"):
        weight_report([0.5], [0.5])
    with pytest.raises(ValueError, match="target_probability is 0 in every row"):
        snips([1, 0], [0.5, 0.5], [0, 0])
    with pytest.raises(ValueError, match="predicted_target has 1 rows, reward has 2"):
        doubly_robust([1, 0], [0.5, 0.5], [0.5, 0.5], [0, 0], [0])
