import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from sklearn.linear_model import Ridge

from snippets.modeling.bandits import LinUCB, ThompsonSampling, replay


def test_thompson_chooses_with_the_probability_of_being_best():
    policy = ThompsonSampling(2, alpha=[3, 8], beta=[10, 12])
    n = 200_000
    expected = quad(lambda x: stats.beta.pdf(x, 8, 12) * stats.beta.cdf(x, 3, 10), 0, 1)[0]
    got = policy.probabilities(n, np.random.default_rng(0))
    assert got.sum() == pytest.approx(1)
    assert abs(got[1] - expected) < 4 * np.sqrt(expected * (1 - expected) / n)
    again = policy.choose(n, np.random.default_rng(0))
    assert ((again == 1).sum() + 1) / (n + 2) == got[1]


def test_no_arm_has_a_propensity_of_0_to_divide_by():
    policy = ThompsonSampling(3, alpha=[1000, 1, 1], beta=[1, 1000, 1000])
    assert policy.probabilities(98, np.random.default_rng(0)).tolist() == [99 / 101, 1 / 101, 1 / 101]


def test_thompson_counts_clicks_and_misses():
    policy = ThompsonSampling(3, 2.0, 5.0)
    policy.update([0, 2, 2, 2], [1, 1, 0, 0])
    policy.update([2], [0])
    assert policy.alpha_.tolist() == [3, 2, 3]
    assert policy.beta_.tolist() == [5, 5, 8]


def test_the_regret_of_thompson_flattens_and_that_of_uniform_choice_does_not():
    rates, rng = np.array([0.02, 0.03, 0.05, 0.1]), np.random.default_rng(0)
    policy, lost = ThompsonSampling(4), []
    for _ in range(200):
        arms = policy.choose(100, rng)
        policy.update(arms, rng.random(100) < rates[arms])
        lost.append((0.1 - rates[arms]).mean())
    assert np.mean(lost[:20]) > 4 * np.mean(lost[-50:])
    assert np.mean(lost[-50:]) < 0.1 * (0.1 - rates).mean()


def test_linucb_is_ridge_and_its_bound_is_the_papers():
    rng = np.random.default_rng(1)
    x, arms, rewards = rng.normal(size=(300, 4)), rng.integers(0, 3, 300), rng.integers(0, 2, 300)
    policy = LinUCB(3, 4, width=0.7, l2=2.0)
    policy.update(x[:100], arms[:100], rewards[:100])
    policy.update(x[100:], arms[100:], rewards[100:])
    bounds = []
    for arm in range(3):
        own = arms == arm
        ridge = Ridge(alpha=2.0, fit_intercept=False).fit(x[own], rewards[own])
        np.testing.assert_allclose(policy.coef_[arm], ridge.coef_)
        a = 2.0 * np.eye(4) + x[own].T @ x[own]
        bounds.append([v @ ridge.coef_ + 0.7 * np.sqrt(v @ np.linalg.solve(a, v)) for v in x])
    np.testing.assert_array_equal(policy.choose(x), np.argmax(bounds, axis=0))


def test_linucb_finds_the_arm_of_each_context_and_greedy_can_stay_wrong():
    rates = np.array([[0.3, 0.05, 0.1], [0.05, 0.1, 0.3]])  # by context, by arm
    ends = {0.0: [], 1.0: []}
    for width, seed in itertools.product(ends, range(5)):
        rng, policy, right = np.random.default_rng(seed), LinUCB(3, 2, width=width, random_state=seed), []
        for _ in range(300):
            context = rng.integers(0, 2, 20)
            arms = policy.choose(np.eye(2)[context])
            policy.update(np.eye(2)[context], arms, rng.random(20) < rates[context, arms])
            right.append((arms == rates.argmax(axis=1)[context]).mean())
        ends[width].append(np.mean(right[-50:]))
    assert min(ends[1.0]) > 0.95
    assert min(ends[0.0]) < 0.6


def test_linucb_draws_among_equal_bounds_and_two_of_one_seed_agree():
    first, again = (LinUCB(4, 2, random_state=3).choose(np.ones((8_000, 2))) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert stats.chisquare(np.bincount(first, minlength=4)).pvalue > 0.001
    policy = LinUCB(3, 1, random_state=0)
    policy.update([[1.0]] * 4, [1, 1, 1, 1], [0, 0, 0, 0])
    assert set(policy.choose(np.ones((100, 1))).tolist()) == {0, 2}


def test_linucb_stands_columns_that_nearly_repeat_each_other_far_from_0():
    rng = np.random.default_rng(0)
    x, arm = rng.normal(1e8, 1, (500, 3)), rng.integers(0, 2, 500)
    policy = LinUCB(2, 3, random_state=0)
    policy.update(x, arm, arm == 1)
    assert policy.choose(x).tolist() == [1] * 500
    exact = [Fraction(int(v * 2**20), 2**20) for v in x[:40, 0]]  # one column: 1 / (1 + sum of squares), in fractions
    one = LinUCB(2, 1)
    one.update([[float(v)] for v in exact], [0] * 40, [0] * 40)
    assert one.covariance_[0, 0, 0] == pytest.approx(float(1 / (1 + sum(v * v for v in exact))), rel=1e-9)


def test_replay_of_a_fixed_policy_is_the_mean_of_the_rows_where_it_agrees():
    rng = np.random.default_rng(3)
    arms, rewards, wanted = rng.integers(0, 5, 1_003), rng.integers(0, 2, 1_003), rng.integers(0, 5, 1_003)
    seen = []
    rows, kept = replay(lambda rows: wanted[rows], seen.append, arms, rewards, batch_size=50)
    np.testing.assert_array_equal(rows, np.flatnonzero(arms == wanted))
    np.testing.assert_array_equal(kept, rewards[rows])
    assert len(seen) == 21
    np.testing.assert_array_equal(np.concatenate(seen), rows)


def test_replay_estimates_what_the_learning_policy_earns_live():
    rates = np.array([0.1, 0.2, 0.5])
    kept, live = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        arms = rng.integers(0, 3, 1_500)
        rewards = (rng.random(1_500) < rates[arms]).astype(int)
        policy = ThompsonSampling(3)
        rows, got = replay(
            lambda rows, policy=policy, rng=rng: policy.choose(rows.stop - rows.start, rng),
            lambda rows, policy=policy, arms=arms, rewards=rewards: policy.update(arms[rows], rewards[rows]),
            arms,
            rewards,
            batch_size=1,
        )
        kept.append(got[:400].mean())
        assert len(rows) > 400
        policy, total = ThompsonSampling(3), 0
        for _ in range(400):
            arm = policy.choose(1, rng)
            reward = rng.random(1) < rates[arm]
            policy.update(arm, reward)
            total += reward[0]
        live.append(total / 400)
    z = (np.mean(kept) - np.mean(live)) / np.sqrt((np.var(kept) + np.var(live)) / 60)
    assert abs(z) < 4


def test_priors_widths_and_batches_unless_asked_for_others():
    thompson, linucb, batches = ThompsonSampling(2), LinUCB(2, 2), []
    assert thompson.alpha_.tolist() == thompson.beta_.tolist() == [1, 1]
    assert linucb.width == 1
    assert linucb.covariance_.tolist() == [np.eye(2).tolist()] * 2
    replay(lambda rows: np.zeros(rows.stop - rows.start, int), batches.append, [0] * 250, [1] * 250)
    assert [len(rows) for rows in batches] == [100, 100, 50]
    assert LinUCB(2, 1, width=0, random_state=0).choose([[1.0]] * 100).max() == 1


def test_an_empty_log_keeps_nothing():
    rows, rewards = replay(lambda rows: np.empty(0), lambda rows: None, [], [])
    assert len(rows) == len(rewards) == 0


def test_a_policy_that_does_not_choose_for_each_row_is_refused():
    with pytest.raises(ValueError, match="choose must return 3 arms, one for each row, got 1"):
        replay(lambda rows: [0], lambda rows: None, [0, 1, 0], [1, 0, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ThompsonSampling(1), "n_arms must be a whole number of at least 2, got 1"),
        (lambda: ThompsonSampling(2, alpha=[1, 0]), r"alpha must be in \[1e-300, 1e300\]"),
        (lambda: ThompsonSampling(2, beta=np.inf), r"beta must be in \[1e-300, 1e300\]"),
        (
            lambda: ThompsonSampling(2, alpha=[1, 2, 3]),
            r"alpha must be one number, or one for each of 2 arms, got shape \(3,\)",
        ),
        (lambda: LinUCB(1, 2), "n_arms must be a whole number of at least 2"),
        (lambda: LinUCB(2, 0), "n_features must be a whole number of at least 1, got 0"),
        (lambda: ThompsonSampling(2, alpha=np.inf), r"alpha must be in \[1e-300, 1e300\]"),
        (lambda: ThompsonSampling(2, beta=[0, 1]), r"beta must be in \[1e-300, 1e300\]"),
        (lambda: LinUCB(2, 1, width=np.inf), r"width must be in \[0, 1e100\]"),
        (lambda: LinUCB(2, 1, l2=np.inf), r"l2 must be in \[1e-200, 1e200\]"),
        (lambda: ThompsonSampling(2, alpha=1e308), r"alpha must be in \[1e-300, 1e300\], got 1e\+308"),
        (lambda: LinUCB(2, 1, random_state="a"), "random_state must be a whole number of at least 0, got 'a'"),
        (lambda: ThompsonSampling(2).update([-1], [0]), "arms must be at least 0, got -1 at row 0"),
        (lambda: LinUCB(2, 1, width=-1), r"width must be in \[0, 1e100\], got -1"),
        (lambda: LinUCB(2, 1, l2=0), r"l2 must be in \[1e-200, 1e200\], got 0"),
        (lambda: LinUCB(2, 2).choose([[1.0]]), r"contexts must hold 2 numbers in each row, got shape \(1, 1\)"),
        (lambda: LinUCB(2, 1).choose([[np.nan]]), r"contexts must be in \(-1e150, 1e150\), got nan at row 0, column 0"),
        (lambda: LinUCB(2, 1).update([[1.0]], [0, 1], [0, 1]), "one context for each arm, got 1 and 2"),
        (lambda: ThompsonSampling(2).update([0], [0, 1]), "rewards has 2 rows, arms has 1"),
        (lambda: ThompsonSampling(2).update([2], [0]), "arms must be at most 1, got 2 at row 0"),
        (lambda: ThompsonSampling(2).update([1], [0.5]), "rewards must be 0 or 1, got 0.5 at row 0"),
        (lambda: replay(None, None, [0], [0, 1]), "rewards has 2 rows, arms has 1"),
        (lambda: replay(None, None, [0], [1], batch_size=0), "batch_size must be a whole number of at least 1"),
    ],
)
def test_what_is_wrong_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("scale", [2.0**-1060, 2.0**-600, 2.0**490])
@pytest.mark.parametrize("l2", [1e-200, 1.0, 1e200])
def test_choices_do_not_depend_on_the_unit_of_a_context(scale, l2):
    rng = np.random.default_rng(0)
    contexts, asked = rng.normal(size=(60, 2)), rng.integers(-8, 9, (200, 2)) / 8
    policy = LinUCB(3, 2, width=0.3, l2=l2, random_state=0)
    policy.update(contexts, rng.integers(0, 3, 60), rng.integers(0, 2, 60))
    asked = asked[asked.any(axis=1)]
    expected = policy.choose(asked)
    assert np.isfinite(policy.covariance_).all()
    assert len(np.unique(expected)) > 1
    assert l2 != 1 or np.array_equal(policy.choose(asked * scale), expected)
