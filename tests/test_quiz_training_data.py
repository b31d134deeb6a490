"""The numbers to work out in the quiz on training data, against computations from what the questions say."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.metrics import cohen_kappa_score

from figures import quiz_training_data


def numbers(text):
    return [float(found.replace(",", "").rstrip(".")) for found in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)]


def kappa(text):
    posts, both, one, other = numbers(text)
    cells = [(1, 1, both), (1, 0, one), (0, 1, other), (0, 0, posts - both - one - other)]
    first, second, counts = zip(*cells, strict=True)
    return cohen_kappa_score(first, second, sample_weight=counts)


def queue(text):
    rate, window, lateness, size = numbers(text)
    return len(range(0, int(60 * (window + lateness)))) * rate * size * 1e-9


def complete_rate(text):
    *delays, shown, age, clicks = numbers(text)
    assert len(delays) == 10
    return 100 * clicks * 10 / sum(delay < age for delay in delays) / shown


def one_share(text):
    phones, desktops, mix = numbers(text)
    # Of a hundred clicks, so many on each device; a label is a click that has come, divided by one share.
    clicks = {"phones": mix, "desktops": 100 - mix}
    come = {"phones": mix * phones, "desktops": (100 - mix) * desktops}
    device = re.search(r"promise on (\w+)", text)[1]
    return come[device] / (sum(come.values()) / 100) / clicks[device]


def liked_if_seen(text):
    _, top_position, top, position, lower, shown, again, clicks, asked_position = numbers(text)
    assert top_position == asked_position == 1
    assert position == again
    return 100 * clicks * top / (shown * lower)


def sampled_negatives(text):
    one_in, p = numbers(text)
    return 100 * expit(logit(p) - np.log(one_in))


def run_every(text):
    run, day = numbers(text)
    return minimize_scalar(lambda k: day * (k - 1) / 2 + run / k, bounds=(0.5, 100), method="bounded").x


def steps(text):
    beta, old, new, size = numbers(text)
    rates = [1 / (beta + np.linalg.norm(np.full(int(n), size))) for n in (old, new)]
    return rates[1] / rates[0]


def smape(text):
    served, recomputed = np.reshape(numbers(text)[:6], (2, 3))
    if "mean over" in text:
        return 100 * np.mean(np.abs(served - recomputed) / ((served + recomputed) / 2))
    return 100 * np.abs(served - recomputed).sum() / np.concatenate([served, recomputed]).sum()


SUMS = [kappa, queue, complete_rate, one_share, liked_if_seen, sampled_negatives, run_every, steps, smape]


def draws(function):
    draw = getattr(quiz_training_data, function.__name__).draw
    return [draw(np.random.default_rng(seed)) for seed in range(20)]


def test_each_number_to_work_out_is_here():
    drawn = {name for name, value in vars(quiz_training_data).items() if hasattr(value, "draw")}
    assert drawn == {function.__name__ for function in SUMS}


@pytest.mark.parametrize("function", SUMS, ids=lambda f: f.__name__)
def test_the_answer_is_what_the_question_gives(function):
    for it in draws(function):
        assert it.answer == pytest.approx(function(it.question), rel=1e-4), it.question


@pytest.mark.parametrize("function", SUMS, ids=lambda f: f.__name__)
def test_the_solution_ends_with_the_answer(function):
    for it in draws(function):
        last = re.search(r"(\d+(?:\.(\d+))?)(?: GB)?\.$", it.solution)
        assert last, it.solution
        assert float(last[1]) == pytest.approx(it.answer, abs=0.5001 * 10.0 ** -len(last[2] or "")), it.solution
        assert abs(float(last[1]) / it.answer - 1) < it.within / 2


@pytest.mark.parametrize("function", SUMS, ids=lambda f: f.__name__)
def test_answers_are_sane(function):
    for it in draws(function):
        assert 0.05 < it.answer < 150
        assert not re.search(r"\d\.\d{6,}|e-\d|nan|np\.", it.question + it.solution), it.solution


def test_rates_are_below_one():
    for it in draws(kappa):
        assert it.answer < 1
    for function in (complete_rate, liked_if_seen, sampled_negatives):
        assert all(it.answer < 50 for it in draws(function))
