"""What a number to work out must be, and what a page shows of it."""

import math

import numpy as np
import pytest
from bs4 import BeautifulSoup

from figures import quiz_evaluation, quiz_features, quiz_modeling, quiz_problem, quiz_training_data
from figures.quiz import DRAWS, Sum, asked

MODULES = (quiz_evaluation, quiz_features, quiz_modeling, quiz_problem, quiz_training_data)
SUMS = [function for module in MODULES for function in vars(module).values() if hasattr(function, "draw")]


def a_sum(answer=2.5, within=0.02, question="1 < 2?"):
    return Sum(question, answer, "clicks", "2 + 0.5 = 2.5.", "evaluation/lift.md Lift", within)


@pytest.mark.parametrize("answer", [0, math.nan, math.inf])
def test_an_answer_that_nobody_could_give_is_refused(answer):
    with pytest.raises(ValueError, match="finite and not zero"):
        a_sum(answer)


@pytest.mark.parametrize("within", [0, 0.3, -0.1])
def test_a_tolerance_that_takes_nothing_or_anything_is_refused(within):
    with pytest.raises(ValueError, match="within"):
        a_sum(within=within)


def test_a_page_shows_different_draws_with_their_solutions():
    @asked
    def dice(rng):
        return a_sum(question=f"{rng.integers(1, 7)} & < ?")

    draws = BeautifulSoup(dice(), "html.parser").select("div.sums > details.sum")
    assert len({draw.summary.text for draw in draws}) == len(draws) == DRAWS
    assert {draw.summary.text[1:] for draw in draws} == {" & < ?"}
    assert draws[0]["data-answer"] == "2.5"
    assert draws[0].p.text == "2 + 0.5 = 2.5. See Lift."
    assert draws[0].a["href"] == "../../evaluation/lift/"
    assert dice() == dice()


def test_a_question_with_too_few_draws_is_refused():
    @asked
    def coin(rng):
        return a_sum(question=f"{rng.integers(2)}?")

    with pytest.raises(ValueError, match="coin needs 4 different questions"):
        coin()


@pytest.mark.parametrize("function", SUMS, ids=lambda function: f"{function.__module__}.{function.__name__}")
def test_each_draw_of_a_quiz_is_another_question(function):
    shown = [draw.text for draw in BeautifulSoup(function(), "html.parser").select("summary")]
    assert len(set(shown)) == len(shown) == DRAWS
    assert shown[0] == function.draw(np.random.default_rng(0)).question
