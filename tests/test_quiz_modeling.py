"""The numbers to work out in the quiz on modeling: question, answer and solution agree, computed another way."""

import math
import re

import numpy as np
import pytest
from scipy.stats import beta, ttest_rel
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_score

from figures import quiz_modeling
from snippets.modeling.diversify import maximal_marginal_relevance

NUMBER = r"-?\d[\d,]*(?:\.\d+)?"


def numbers(text):
    """Return the numbers of a text; a hyphen in front of one is its sign."""
    return [float(word.replace(",", "")) for word in re.findall(rf"(?<![\w.]){NUMBER}", text)]


def smoothed_rate(rate, strength, clicks, shown):
    return 100 * beta(rate / 100 * strength + clicks, (1 - rate / 100) * strength + shown - clicks).mean()


def doubtful_posts(wrong, sent, held, right):
    posts = 1_000_000
    errors = posts * wrong / 100
    return 100 * (errors - errors * held / 100 + posts * sent / 100 * (1 - right / 100)) / posts


def sum_of_weights(rate, ad, hour, cross):
    model = LogisticRegression()
    model.classes_, model.coef_ = np.array([0, 1]), np.array([[ad, hour, cross]])
    model.intercept_ = np.array([math.log(rate / (100 - rate))])
    return 100 * model.predict_proba([[1, 1, 1]])[0, 1]


def pair_part(*entries):
    products = np.reshape(entries, (3, 2)) @ np.reshape(entries, (3, 2)).T
    return np.triu(products, 1).sum()


def table_in_memory(width, millions, more):
    table = np.lib.stride_tricks.as_strided(np.zeros(1, np.float32), (int(millions * 1e6), int(width)), (0, 0))
    return table.nbytes * (1 + more) / 1e9


def corrected_softmax(score, share, other, its_share):
    weights = np.exp([score, other]) / [share, its_share]
    return 100 * weights[0] / weights.sum()


def cells_of_an_index(items, cells, width, opened):
    return (np.ones(int(cells)).sum() + items * 1e6 / cells * opened) * width / 1e6


def error_of_replay(rows, items, rate):
    p, n = rate / 100, rows / items
    return 100 * math.sqrt(p * (1 - p) / n) / p


def clicks_are_selected(share, click, buy, other_click, other_buy):
    kinds = np.array([share, 100 - share]) / 100
    buys = np.array([buy, other_buy])
    return np.average(buys, weights=kinds * [click, other_click]) - np.average(buys, weights=kinds)


def precision_on_all_rows(keep, precision):
    labels, weights = [1, 0], [precision, (100 - precision) * keep]
    return 100 * precision_score(labels, [1, 1], sample_weight=weights)


def log_by_log(*entropies):
    return ttest_rel(entropies[:5], entropies[5:]).statistic


def runs_of_each(spread, error):
    n = np.arange(1, 1_000)
    return n[np.argmin(np.abs(np.sqrt(spread**2 / n + spread**2 / n) - error))]


# In each question the numbers that it gives, in its order; others stand in its words.
ASKED = {
    smoothed_rate: "rate of (#) %.* worth (#) impressions.* has (#) clicks in (#) impressions",
    doubtful_posts: "wrong for (#) %.* The (#) % .* hold (#) % .* right for (#) %",
    sum_of_weights: "says (#) %.* weights (#) for its ad, (#) for its hour and (#) for",
    pair_part: r"vectors \((#), (#)\) for the user, \((#), (#)\) for the ad and \((#), (#)\) for the hour",
    table_in_memory: "vector of (#) numbers for each of (#) million users.* keeps (#) more.* four bytes",
    corrected_softmax: "product of (#) with the user and (#) % .* the other one (#) and (#) %",
    cells_of_an_index: "^(#) million items lie in (#) cells .* vectors of (#) numbers.* of the best (#)",
    error_of_replay: "has (#) rows, .* one of (#) items.* and (#) % of the rows that are kept",
    clicks_are_selected: "^(#) % of .* user: (#) % of .* and (#) % of .* others (#) % are .* and (#) % of",
    precision_on_all_rows: "keeps one in (#) of the rows .* precision of (#) %",
    log_by_log: f"old model: {', '.join(['(#)'] * 5)}. The new one: {', '.join(['(#)'] * 5)}[.] ",
    runs_of_each: "standard deviation of (#). .* means down to (#)",
}


def given(question, pattern):
    """Return what a question gives."""
    match = re.search(pattern.replace("#", NUMBER), question)
    assert match, question
    return [float(word.replace(",", "")) for word in match.groups()]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("expected", ASKED, ids=lambda function: function.__name__)
def test_what_the_question_gives_leads_to_the_answer_and_so_does_the_solution(expected, seed):
    it = getattr(quiz_modeling, expected.__name__).draw(np.random.default_rng(seed))
    answer = expected(*given(it.question, ASKED[expected]))
    assert it.answer == pytest.approx(answer, rel=1e-6)
    assert numbers(it.solution)[-1] == pytest.approx(answer, rel=it.within / 2, abs=0)


@pytest.mark.parametrize("seed", range(20))
def test_the_coat_is_next_below_the_weight_and_the_sneakers_above(seed):
    it = quiz_modeling.weight_of_variety.draw(np.random.default_rng(seed))
    pattern = "score (#) and cosine (#) with the pair, and a coat, score (#) and cosine (#)[.]"
    sneakers, near, coat, far = given(it.question, pattern)
    vectors = [[1, 0], [near, math.sqrt(1 - near**2)], [far, math.sqrt(1 - far**2)]]
    for weight, second in ((it.answer - 1e-6, 2), (it.answer + 1e-6, 1)):
        assert maximal_marginal_relevance([9, sneakers, coat], vectors, 2, weight).tolist() == [0, second]
    assert numbers(it.solution)[-1] == pytest.approx(it.answer, rel=it.within / 2)


@pytest.mark.parametrize("seed", range(20))
def test_no_answer_is_out_of_the_world(seed):
    for name in [*(function.__name__ for function in ASKED), "weight_of_variety"]:
        it = getattr(quiz_modeling, name).draw(np.random.default_rng(seed))
        shares = {"smoothed_rate", "doubtful_posts", "sum_of_weights", "corrected_softmax", "precision_on_all_rows"}
        low, high = (1, 95) if name in shares else (0.3, 0.95) if name == "weight_of_variety" else (-0.6, 800)
        assert low < it.answer < high, it.question
        assert abs(it.answer) > 0.04
