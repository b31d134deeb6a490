import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from snippets.evaluation.confidence_intervals import delong_interval, ne_difference_interval, paired_bootstrap
from snippets.evaluation.normalized_entropy import normalized_entropy

RNG = np.random.default_rng(3)


def draw(n_users, rng, spread=1.0):
    """Return labels, two models' probabilities and users, with heavy users and tastes that only model b knows."""
    rows = np.minimum(1 + (3 * rng.pareto(2, n_users)).astype(int), 100)
    user = np.repeat(np.arange(n_users), rows)
    taste = rng.normal(0, spread, n_users)[user]
    x = rng.normal(size=len(user))
    truth = 1 / (1 + np.exp(2.0 - x - taste))
    a = 1 / (1 + np.exp(1.8 - 0.8 * x))
    b = 1 / (1 + np.exp(2.0 - 0.9 * x - 0.4 * taste))
    return (rng.random(len(user)) < truth).astype(np.int8), a, b, user


Y, A, B, USERS = draw(800, RNG)


def test_estimates_are_differences_of_the_scores():
    expected = normalized_entropy(Y, B) - normalized_entropy(Y, A)
    assert ne_difference_interval(Y, A, B).estimate == pytest.approx(expected, rel=1e-9)
    assert ne_difference_interval(Y, A, B, USERS).estimate == pytest.approx(expected, rel=1e-9)
    expected = roc_auc_score(Y, B) - roc_auc_score(Y, A)
    assert delong_interval(Y, A, B).estimate == pytest.approx(expected, rel=1e-9)
    assert paired_bootstrap(roc_auc_score, Y, A, B, USERS, 2).estimate == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("by_user", [True, False])
@pytest.mark.parametrize("worse", [B, np.full(len(Y), 0.6)])  # the second is so bad that the entropy's own error shows
def test_ne_interval_against_the_infinitesimal_jackknife(by_user, worse):
    m = USERS < 100
    y, a, b = Y[m], A[m], worse[m]
    users = USERS[m] if by_user else np.arange(m.sum())

    def difference(weights):
        row = weights[users]
        return normalized_entropy(y, b, sample_weight=row) - normalized_entropy(y, a, sample_weight=row)

    n, step = users.max() + 1, 1e-4
    slopes = []
    for u in range(n):
        up, down = np.ones(n), np.ones(n)
        up[u], down[u] = 1 + step, 1 - step
        slopes.append((difference(up) - difference(down)) / (2 * step))
    half = np.sqrt(n / (n - 1) * np.sum(np.square(slopes))) * stats.t.ppf(0.975, n - 1)
    interval = ne_difference_interval(y, a, b, users if by_user else None)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=1e-5)


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 4)), min_size=4, max_size=30).filter(
        lambda rows: 2 <= sum(y for y, _, _ in rows) <= len(rows) - 2
    )
)
def test_delong_against_all_pairs(rows):
    y, a, b = (np.array(column) for column in zip(*rows, strict=True))
    kernel = [
        np.sign(s[y == 1][:, None] - s[y == 0][None, :]) / 2 + 0.5  # 1 won, 1/2 tied, 0 lost
        for s in (a, b)
    ]
    by_click = np.cov([k.mean(axis=1) for k in kernel])
    by_other = np.cov([k.mean(axis=0) for k in kernel])
    covariance = by_click / (y == 1).sum() + by_other / (y == 0).sum()
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    interval = delong_interval(y, a, b, 0.9)
    assert interval.estimate == pytest.approx(kernel[1].mean() - kernel[0].mean(), abs=1e-12)
    assert (interval.high - interval.low) / 2 == pytest.approx(1.6448536 * np.sqrt(variance), rel=1e-6, abs=1e-7)


def test_delong_agrees_with_the_bootstrap_of_rows():
    y, a, b = Y[:2000], A[:2000], B[:2000]
    boot = paired_bootstrap(roc_auc_score, y, a, b, np.arange(2000), 600)
    exact = delong_interval(y, a, b)
    # The width of a percentile interval from 600 resamples has a standard error of about 4 %.
    assert boot.high - boot.low == pytest.approx(exact.high - exact.low, rel=0.15)


def by_drawing_rows(metric, y, a, b, users, n_resamples, seed):
    """Return the differences of resamples with both classes, and how many others were drawn."""
    # Users are numbered by what they hold: clicks, then the sums of the probabilities.
    by_rank = sorted(set(users), key=lambda u: [v[users == u].sum() for v in (y, b, a)])
    rng = np.random.default_rng(seed)
    differences, others = [], 0
    while len(differences) < n_resamples:
        drawn = rng.integers(0, len(by_rank), len(by_rank))
        rows = np.concatenate([np.flatnonzero(users == by_rank[i]) for i in drawn])
        if len(set(y[rows])) == 2:
            differences.append(metric(y[rows], b[rows]) - metric(y[rows], a[rows]))
        else:
            others += 1
    return differences, others


def test_bootstrap_against_drawing_the_rows_again():
    y, a, b, users = Y[USERS < 60], A[USERS < 60], B[USERS < 60], USERS[USERS < 60]
    names = [f"u{u}" for u in users]
    interval = paired_bootstrap(log_loss, y, a, b, names, n_resamples=50, confidence_level=0.8, seed=9)
    differences, _ = by_drawing_rows(log_loss, y, a, b, users, 50, 9)
    assert interval[1:] == (*map(pytest.approx, np.quantile(differences, [0.1, 0.9])),)


@pytest.mark.parametrize("metric", [roc_auc_score, log_loss, normalized_entropy])
def test_rare_clicks_have_the_interval_of_the_resamples_with_both_classes(metric):
    # 3 of 30 users click: one resample in twenty has nobody who does.
    rng = np.random.default_rng(0)
    a, b, users = *rng.uniform(0.01, 0.99, (2, 60)), np.arange(60) // 2
    y = np.isin(np.arange(60), [5, 30, 50]).astype(int)
    interval = paired_bootstrap(metric, y, a, b, users, n_resamples=60)
    differences, others = by_drawing_rows(metric, y, a, b, users, 60, 0)
    assert others > 0
    assert interval[1:] == (*map(pytest.approx, np.quantile(differences, [0.025, 0.975])),)


def test_bootstrap_depends_on_the_seed_alone():
    y, a, b, users = Y[USERS < 60], A[USERS < 60], B[USERS < 60], USERS[USERS < 60]
    expected = paired_bootstrap(log_loss, y, a, b, users, 20)
    order = np.random.default_rng(0).permutation(len(y))
    moved = paired_bootstrap(log_loss, y[order], a[order], b[order], [f"u{u}" for u in users[order]], 20)
    assert moved == (*map(pytest.approx, expected),)
    assert paired_bootstrap(log_loss, y, a, b, users, 20, seed=1).low != expected.low


def test_users_of_equal_sums_are_told_apart_in_any_order_of_rows():
    rng = np.random.default_rng(1)
    users, y = np.repeat(np.arange(30), 10), np.tile([1] + [0] * 9, 30)
    a = np.tile(rng.integers(1, 64, 10) / 64, 30)  # their sums are exact in any order
    b = rng.permuted(a.reshape(30, 10), axis=1).ravel()  # the same ten numbers for each user, so only rows tell
    users = np.array([f"u{u}" for u in users])  # numbered by where they first stand
    expected = paired_bootstrap(log_loss, y, a, b, users, 20)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(y))
        moved = paired_bootstrap(log_loss, y[order], a[order], b[order], users[order], 20)
        assert moved == (*map(pytest.approx, expected),)
    zero = paired_bootstrap(log_loss, y, a, b * 0.0, users, 20)
    assert paired_bootstrap(log_loss, y, a, b * -0.0, users, 20) == zero


def test_a_metric_that_is_not_finite_is_named():
    with pytest.raises(ValueError, match="metric must be finite"):
        paired_bootstrap(lambda y, p, sample_weight: np.nan, Y, A, B, USERS, 2)


def coverage(with_users, n_users=1000, draws=600):
    y, a, b, user = draw(40_000, np.random.default_rng(1))
    truth = ne_difference_interval(y, a, b).estimate
    first = np.flatnonzero(np.diff(user, prepend=-1))
    size = np.diff(first, append=len(user))
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(draws):
        drawn = rng.integers(0, 40_000, n_users)
        rows = np.concatenate([np.arange(first[u], first[u] + size[u]) for u in drawn])
        users = np.repeat(np.arange(n_users), size[drawn]) if with_users else None
        interval = ne_difference_interval(y[rows], a[rows], b[rows], users)
        covered += interval.low <= truth <= interval.high
    return covered / draws


def test_coverage_with_heavy_users():
    # Monte Carlo error with 600 draws: 0.009 at 95 %.
    assert 0.92 < coverage(with_users=True) < 0.975
    assert coverage(with_users=False) < 0.86


def test_equal_models_differ_by_nothing():
    assert ne_difference_interval(Y, A, A, USERS) == (0, 0, 0)
    assert delong_interval(Y, A, A) == (0, 0, 0)


def test_intervals_hold_95_percent_unless_asked_for_others():
    assert ne_difference_interval(Y, A, B) == ne_difference_interval(Y, A, B, None, 0.95)
    assert delong_interval(Y, A, B) == delong_interval(Y, A, B, 0.95)
    few = (Y[:500], A[:500], B[:500], range(500))
    assert paired_bootstrap(squared_error, *few) == paired_bootstrap(squared_error, *few, 1000, 0.95, 0)


def squared_error(y, p, sample_weight=None):
    return np.average((y - p) ** 2, weights=sample_weight)


def test_confidence_level_sets_the_width():
    for function in (ne_difference_interval, delong_interval):
        narrow, wide = function(Y, A, B, confidence_level=0.5), function(Y, A, B, confidence_level=0.99)
        ratio = stats.norm.ppf(0.995) / stats.norm.ppf(0.75)
        assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(ratio, rel=0.01)
        assert narrow.high - narrow.estimate == pytest.approx(narrow.estimate - narrow.low)


FUNCTIONS = [
    ne_difference_interval,
    delong_interval,
    lambda y, a, b: paired_bootstrap(log_loss, y, a, b, range(len(y))),
]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("y", "a", "b", "message"),
    [
        ([], [], [], "y_true is empty"),
        ([[0, 1]], [0.1], [0.1], r"y_true must have one dimension, got shape \(1, 2\)"),
        ([0, 1], [0.1], [0.1, 0.1], "_a has 1 rows, y_true has 2"),
        ([0, 1], [0.1, 0.2], [0.1], "_b has 1 rows, y_true has 2"),
        ([0, 1], [0.1, 0.2], ["a", "b"], "_b must hold numbers"),
        ([0, 2], [0.1, 0.2], [0.1, 0.2], "y_true must be 0 or 1, got 2 at row 1"),
        ([0, 1], [0.1, np.nan], [0.1, 0.2], "_a must be .*, got nan at row 1"),
        ([1, 1, 1], [0.1] * 3, [0.1] * 3, "y_true holds one class only, 1"),
    ],
)
def test_bad_input_is_named(function, y, a, b, message):
    with pytest.raises(ValueError, match=message):
        function(y, a, b)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ne_difference_interval(Y, A, B + 1), r"prob_b must be in \[0, 1\], got 1\.\d+ at row 0"),
        (lambda: ne_difference_interval([0, 1, 0], [0.1] * 3, [0.1, 0, 0.1]), "prob_b gives probability 0 .* row 1"),
        (lambda: ne_difference_interval([0, 1, 0], [1, 0.1, 0.1], [0.1] * 3), "prob_a gives probability 0 .* row 0"),
        (lambda: ne_difference_interval(Y, A, B, USERS[1:]), "users has 2696 rows, y_true has 2697"),
        (lambda: ne_difference_interval(Y, A, B, np.where(USERS == 3, np.nan, USERS)), r"users is missing at row \d+"),
        (lambda: ne_difference_interval(Y, A, B, np.zeros(len(Y))), "users holds one user only"),
        (lambda: ne_difference_interval(Y, A, B, confidence_level=95), r"confidence_level must be in \(0, 1\), got 95"),
        (lambda: delong_interval([0, 0, 1], [1, 2, 3], [1, 2, 3]), "two rows of each class, got 1 clicks and 2 others"),
        (lambda: ne_difference_interval(Y, A, B, confidence_level=0), r"confidence_level must be in \(0, 1\), got 0"),
        (lambda: ne_difference_interval(Y, A, B, confidence_level=1), r"confidence_level must be in \(0, 1\), got 1"),
        (lambda: paired_bootstrap(log_loss, Y, A, B, USERS, True), "n_resamples must be a whole number of at least 1"),
        (
            lambda: paired_bootstrap(log_loss, Y, A, B, np.where(USERS == 3, np.nan, USERS)),
            r"users is missing at row \d+",
        ),
        (
            lambda: paired_bootstrap(log_loss, [1, 0, 0], *RNG.random((2, 3)), [1, 2, 3]),
            "two users with a click, got one",
        ),
        (
            lambda: paired_bootstrap(log_loss, [0, 1, 1], *RNG.random((2, 3)), [1, 2, 3]),
            "users with a row without a click",
        ),
        (lambda: paired_bootstrap(log_loss, [0, 1], *RNG.random((2, 2)), [1, 1]), "two users with a click, got one"),
        (
            lambda: delong_interval([0, 0, 1, 1], [1, 2, 3, np.nan], [1, 2, 3, 4]),
            "score_a must be a number, got nan at row 3",
        ),
        (lambda: paired_bootstrap(log_loss, Y, A, B, USERS, 0), "n_resamples must be a whole number of at least 1"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_whole_scores_above_2_to_the_53_are_not_ties():
    scores = np.array([2**53, 2**53 + 1, 2**53, 2**53 + 1])
    assert delong_interval([0, 1, 0, 1], scores, [0, 1, 0, 1]).estimate == 0  # both rank without a fault
    assert delong_interval([0, 1, 0, 1], scores.astype(np.uint64) * 1023, [0, 1, 0, 1]).estimate == 0


@pytest.mark.parametrize("seed", [1.5, "a", -1, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0"):
        paired_bootstrap(log_loss, [0, 1, 0, 1], [0.2] * 4, [0.3] * 4, [1, 1, 2, 2], n_resamples=2, seed=seed)
