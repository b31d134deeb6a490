"""The sums of the quiz on feature engineering: each is worked out anew, from the words of its question."""

import math
import re

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from figures import quiz_features
from figures.quiz import DRAWS

SEEDS = range(20)
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def given(question):
    """Return the numbers of a question in their order."""
    return [float(found.replace(",", "")) for found in NUMBER.findall(question)]


def smoothed(question):
    """Put the rows that are made up beside those that were seen, and take their mean."""
    clicks, shown, prior, strength = given(question)
    seen = np.r_[np.ones(int(clicks)), np.zeros(int(shown - clicks))]
    return 100 * np.r_[seen, np.full(int(strength), prior / 100)].mean()


def pairs(question):
    """Count the rows before the labels of each day."""
    days, labels = given(question)
    return sum(labels * 1e6 / days * day for day in range(int(days)))


def collisions(question):
    """Ask how probable it is that one or more of the others falls into the column of an id."""
    ids, columns = given(question)
    return 100 * stats.binom.sf(0, int(ids) - 1, 1 / columns)


def ordered(question):
    labels = re.search(r"labels ([01](?:, [01])*)\.", question)
    prior, strength = given(question[labels.end() :])
    before = given(labels[1])[:-1]
    return 100 * np.mean(before + [prior / 100] * int(strength))


def strength(question):
    """Find the beta distribution of that mean and deviation: its two parameters are rows, and one more is the noise."""
    rate, spread = (number / 100 for number in given(question))
    a = rate * (rate * (1 - rate) / spread**2 - 1)
    b = a * (1 - rate) / rate
    assert stats.beta(a, b).std() == pytest.approx(spread)
    return a + b


def odds(question):
    weight, start, end = given(question)
    before = 0.03
    after = expit(logit(before) + weight * (np.log(end) - np.log(start)))
    return after / (1 - after) * (1 - before) / before


def where_missing(question):
    """Solve two equations: promised and observed clicks of both parts."""
    share, total, there = given(question)
    share /= 100
    promised = np.linalg.solve([[1, 1], [0, 1]], [total, there * (1 - share)])
    return promised[0] / share


def memory(question):
    items, wide, narrow, base, power = given(question)
    kept, before = (np.dtype(np.float32).itemsize * width * items * 1e6 for width in (narrow, wide))
    return (before - kept) / base**power


SOLVED = [smoothed, pairs, collisions, ordered, strength, odds, where_missing, memory]


@pytest.mark.parametrize("solve", SOLVED)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_answer_follows_from_the_words_of_the_question(solve, seed):
    it = getattr(quiz_features, solve.__name__).draw(np.random.default_rng(seed))
    assert it.answer == pytest.approx(solve(it.question), rel=0.6 * it.within)


@pytest.mark.parametrize("solve", SOLVED)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_solution_ends_with_the_answer(solve, seed):
    it = getattr(quiz_features, solve.__name__).draw(np.random.default_rng(seed))
    end = re.search(rf"({NUMBER.pattern})(?: {re.escape(it.unit)})?\.$", it.solution)
    assert float(end[1].replace(",", "")) == pytest.approx(it.answer, rel=0.5 * it.within)


@pytest.mark.parametrize("solve", SOLVED)
def test_each_draw_has_another_answer(solve):
    answers = {round(getattr(quiz_features, solve.__name__).draw(np.random.default_rng(s)).answer, 9) for s in SEEDS}
    assert len(answers) >= DRAWS


def test_an_answer_that_forgets_a_step_is_refused():
    """The usual slips are further off than rounding."""
    for seed in SEEDS:
        it = quiz_features.collisions.draw(np.random.default_rng(seed))
        ids, columns = given(it.question)
        assert abs(100 * ids / columns - it.answer) > it.within * it.answer
        it = quiz_features.ordered.draw(np.random.default_rng(seed))
        labels = given(re.search(r"labels ([01](?:, [01])*)\.", it.question)[1])
        prior, rows = given(it.question)[-2:]
        own = 100 * (sum(labels) + rows * prior / 100) / (len(labels) + rows)
        assert abs(own - it.answer) > it.within * it.answer
        it = quiz_features.smoothed.draw(np.random.default_rng(seed))
        clicks, shown, prior, _ = given(it.question)
        for slip in (100 * clicks / shown, prior):
            assert not math.isclose(slip, it.answer, rel_tol=it.within)
