"""The numbers to work out in the quiz on the problem: question, answer and solution agree."""

import re
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.utils.class_weight import compute_class_weight

from figures import quiz_problem

SEEDS = range(20)
NUMBER = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")


def read(text):
    """Return the numbers of a text, in the order in which they stand there."""
    return [float(number.replace(",", "")) for number in NUMBER.findall(text)]


def registered_users(everybody, before, each, after, later):
    return 100 * (before * each / everybody - after * later / everybody) / (before * each / everybody)


def days_a_month(window, daily, often, many, rarely, few):
    assert daily + often + rarely == 100
    return np.average([100, 100 * many / window, 100 * few / window], weights=[daily, often, rarely])


def revenue_per_click(up, down):
    return 100 - 100 * (100 - down) / (100 + up)


def price_of_a_tie(click_a, hide_a, click_b, hide_b, worth):
    # click - price x hide is the same for both: two lines, and where they meet
    price, _ = np.linalg.solve([[hide_a, 1], [hide_b, 1]], [worth * click_a, worth * click_b])
    return price


def balanced_hides(ratio, share):
    labels = np.repeat([0, 1], [int(ratio), 1])
    other, hide = compute_class_weight("balanced", classes=np.array([0, 1]), y=labels)
    return 100 * hide * share / (hide * share + other * (100 - share))


def whom_to_notify(messages, sent_a, held_a, sent_b, held_b):
    return messages * ((sent_b - held_b) - (sent_a - held_a)) / 100


def on_the_frontier(requests, of_hides, *points):
    policies = list(zip(points[::2], points[1::2], strict=True))
    beaten = {min(pair, key=lambda p: (p[0], -p[1])) for pair in combinations(policies, 2) if _one_beats(*pair)}
    return len(policies) - len(beaten)


def _one_beats(a, b):
    return (a[0] - b[0]) * (b[1] - a[1]) > 0


def peak_requests(users, each, peak):
    return users * 1e6 * each * peak / (24 * 60 * 60)


def machines(rate, items, work, rows, power, reached, busy):
    a_machine = busy / 100 * np.array([power * 1e12 * reached / 100, 1e9])
    return np.ceil((rate * items * np.array([work * 1e6, rows]) / a_machine).max() - 1e-6)


def kept_log(users, each, shown, size, one_in, days, unit):
    return users * 1e6 * each * shown * size * days / one_in / 1e12


def slow_requests(calls, slow):
    return 100 * binom.sf(0, int(calls), slow / 100)


def requests_inside(rate, median, mean, p99):
    assert median < mean < p99
    return rate * mean / 1_000


BY_HAND = {
    f.__name__: f
    for f in [
        registered_users,
        days_a_month,
        revenue_per_click,
        price_of_a_tie,
        balanced_hides,
        whom_to_notify,
        on_the_frontier,
        peak_requests,
        machines,
        kept_log,
        slow_requests,
        requests_inside,
    ]
}


@cache
def drawn(name, seed):
    return getattr(quiz_problem, name).draw(np.random.default_rng(seed))


def test_each_sum_of_the_quiz_is_worked_out_here():
    assert {name for name, f in vars(quiz_problem).items() if hasattr(f, "draw")} == set(BY_HAND)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BY_HAND)
def test_the_answer_follows_from_what_the_question_says(name, seed):
    it = drawn(name, seed)
    assert it.answer == pytest.approx(BY_HAND[name](*read(it.question)), rel=1e-9)
    assert it.answer > 0
    assert it.unit != "%" or it.answer < 100


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", BY_HAND)
def test_the_solution_ends_with_the_answer(name, seed):
    it = drawn(name, seed)
    last = NUMBER.findall(it.solution)[-1]
    assert it.solution.endswith(f"{last}.")
    assert read(last)[0] == pytest.approx(it.answer, rel=min(it.within / 2, 0.01))
