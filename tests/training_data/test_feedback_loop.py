import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from snippets.training_data.feedback_loop import effective_items, simulate_feedback_loop

RATES = np.random.default_rng(0).beta(1, 30, (8, 60))


def loop(exploration, seed=0, **knobs):
    return simulate_feedback_loop(RATES, exploration, np.random.default_rng(seed), **knobs)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any))
def test_effective_items_against_scipy(counts):
    assert effective_items(counts) == pytest.approx(np.exp(entropy(counts)), rel=1e-9)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any))
def test_effective_items_lie_between_one_and_those_shown(counts):
    assert 1 - 1e-9 <= effective_items(counts) <= np.count_nonzero(counts) * (1 + 1e-9)


def test_effective_items_of_counts_however_large_or_unequal():
    assert effective_items([1e308] * 3) == pytest.approx(3)
    assert effective_items([1e-300, 1e300]) == 1


def literal_round_by_round(rates, exploration, rng, users, slots, prior):
    """The same loop, one page at a time, from its own random numbers."""
    seen, clicks, click_rates, never = np.zeros(rates.shape), np.zeros(rates.shape), [], []
    for share in exploration:
        pages, expected = [], []
        for segment in range(len(rates)):
            estimate = (clicks[segment] + prior[0]) / (seen[segment] + sum(prior))
            best = sorted(range(rates.shape[1]), key=lambda i, e=estimate: (-e[i], rng.random()))[:slots]
            for _ in range(users):
                for item in best:
                    pages.append((segment, int(rng.integers(rates.shape[1])) if rng.random() < share else item))
        for page in pages:
            expected.append(rates[page])
            seen[page] += 1
            clicks[page] += rng.random() < rates[page]
        click_rates.append(np.mean(expected))
        never.append((seen == 0).mean())
    return np.array(click_rates), np.array(never)


def test_against_a_loop_over_every_impression():
    arguments = RATES, [0.2] * 4
    ours = [simulate_feedback_loop(*arguments, np.random.default_rng(s), users=10, slots=3) for s in range(200)]
    theirs = [literal_round_by_round(*arguments, np.random.default_rng(s), 10, 3, (1.0, 30.0)) for s in range(60)]
    for column, k in [("click_rate", 0), ("never_shown", 1)]:
        a, b = np.array([frame[column] for frame in ours]), np.array([run[k] for run in theirs])
        error = np.sqrt(a.var(axis=0) / len(a) + b.var(axis=0) / len(b))
        assert (np.abs(a.mean(axis=0) - b.mean(axis=0)) < 4 * error).all()


def test_without_exploration_it_settles_on_a_few_and_misses_the_best():
    frame = loop([1.0] + [0.0] * 30)
    assert frame["effective_items"].iloc[0] > 55
    assert frame["effective_items"].iloc[-1] < 40
    assert frame["click_rate"].iloc[-1] < 0.95 * frame["best_rate"].iloc[-1]


def test_random_pages_earn_the_average_and_show_everything():
    frame = loop([1.0] * 10, users=500)
    assert frame["click_rate"].mean() == pytest.approx(RATES.mean(), rel=0.02)
    assert frame["never_shown"].iloc[-1] == 0
    assert frame["effective_items"].min() > 59


def test_knowing_the_truth_would_earn_the_best_rate():
    assert loop([0.0])["best_rate"].iloc[0] == pytest.approx(np.mean([sorted(row)[-5:] for row in RATES.tolist()]))
    known = simulate_feedback_loop(np.round(RATES > 0.08), [0.0] * 60, np.random.default_rng(0), slots=1)
    assert known["click_rate"].iloc[-1] == known["best_rate"].iloc[-1] == 1


def test_the_best_rate_is_never_beaten_and_pairs_are_counted():
    frame = loop([0.1] * 15)
    assert (frame["click_rate"] <= frame["best_rate"]).all()
    assert (frame["never_shown"].diff().dropna() <= 0).all()
    assert loop([0.0])["never_shown"].iloc[0] == pytest.approx(1 - 5 / 60)


def test_sizes_unless_asked_for_others():
    spelled_out = loop([0.1, 0.1], users=200, slots=5, prior=(1.0, 30.0))
    assert loop([0.1, 0.1]).to_numpy().tolist() == spelled_out.to_numpy().tolist()


def test_the_ends_of_every_range_are_within():
    found = simulate_feedback_loop([[0.0, 1.0]], [0, 1], np.random.default_rng(0), users=3, slots=2)
    assert len(found) == 2


def test_a_single_user_is_enough():
    assert loop([0.0], users=1)["never_shown"].iloc[0] == pytest.approx(1 - 5 / 60)


def test_the_same_seed_gives_the_same_loop():
    assert loop([0.1] * 3).equals(loop([0.1] * 3))
    assert not loop([0.1] * 3).equals(loop([0.1] * 3, seed=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: effective_items([0, 0]), "must not be all 0"),
        (lambda: effective_items([-1, 2]), "at least 0"),
        (lambda: effective_items([np.nan]), "finite"),
        (lambda: simulate_feedback_loop([0.1], [0], np.random.default_rng(0)), "rates must have two dimensions"),
        (lambda: simulate_feedback_loop([[2.0]], [0], np.random.default_rng(0)), "rates must be in .* got 2 at row 0"),
        (lambda: loop([1.5]), r"exploration must be in \[0, 1\], got 1.5"),
        (lambda: loop(0.1), "exploration must have one dimension"),
        (lambda: loop([0], users=0), "users must be a whole number of at least 1, got 0"),
        (lambda: effective_items([np.inf]), "finite"),
        (lambda: effective_items([]), "impressions is empty"),
        (lambda: loop([0], prior=(1, 2, 3)), "prior must be two numbers, got 3"),
        (lambda: loop([0], prior=(1, np.nan)), "prior must be above 0 and finite, got nan at row 1"),
        (lambda: loop([-0.1]), r"exploration must be in \[0, 1\], got -0.1"),
        (lambda: loop([0], slots=0), r"slots must be a whole number in \[1, 60\], got 0"),
        (lambda: loop([0], prior=(1, 0)), "prior must be above 0 and finite, got 0 at row 1"),
        (lambda: loop([0], slots=61), r"slots must be a whole number in \[1, 60\], got 61"),
        (lambda: loop([0], prior=(0, 1)), "prior must be above 0 and finite, got 0 at row 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_more_users_than_counts_hold_are_refused():
    with pytest.raises(ValueError, match="users must be so few"):
        simulate_feedback_loop([[0.1, 0.2]], [0, 0], np.random.default_rng(0), users=2**62, slots=2)
