"""What the quiz on evaluation asks to work out, done again from the words of each question by other means."""

import re

import numpy as np
import pytest
from scipy.stats import chi2, norm
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

from figures import quiz_evaluation

NUMBER = r"(\d[\d,]*(?:\.\d+)?)"


def device_entropy(text):
    phone, desktop = (100 * x for x in percents(text))
    clicks = np.concatenate([np.arange(1_000) < round(10 * rate) for rate in (phone, desktop)])
    predicted = np.repeat([phone / 100, desktop / 100], 1_000)
    return log_loss(clicks, predicted) / log_loss(clicks, np.full(2_000, clicks.mean()))


def calibration_errors(text):
    n, clicks = whole(r"Of N impressions N were clicked", text)
    return abs(n * percents(text)[0] - clicks) / clicks * clicks**0.5


def two_clicks(text):
    clicked = [int(place) for place in re.findall(r"(\d)[a-z]{2}\b", text)]
    return ndcg_score([[int(place in clicked) for place in range(1, 7)]], [[6, 5, 4, 3, 2, 1]])


def auc_by_user(text):
    *ann, ben = (int(place) for place in re.findall(r"(\d)[a-z]{2}\b", text))
    of_ann = roc_auc_score([place in ann for place in range(1, 6)], [5, 4, 3, 2, 1])
    of_ben = roc_auc_score([place == ben for place in range(1, 5)], [4, 3, 2, 1])
    return np.average([of_ann, of_ben], weights=[5, 4])


def value_of_a_policy(text):
    item, item_clicks, others, other_clicks = whole(r"N of item 7 with N clicks, N of other items with N\.", text)
    shown, wanted = percents(text)
    assert shown == pytest.approx(item / 10_000)
    return 100 * (wanted * item_clicks / item + (1 - wanted) * other_clicks / others)


def effective_rows(text):
    shown = whole(r"in N of its 10,000 rows", text)[0] / 10_000
    wanted = percents(text)[0]
    return 10_000 / (wanted**2 / shown + (1 - wanted) ** 2 / (1 - shown))


def flag_index(text):
    then, now = (np.array([share, 1 - share]) for share in percents(text))
    return np.sum(now * np.log(now / then)) + np.sum(then * np.log(then / now))


def sample_size(text):
    rate, lift, power, level = percents(text)
    lifted = rate * (1 + lift)
    pooled = (rate + lifted) / 2
    z = norm.isf(level / 2) * (2 * pooled * (1 - pooled)) ** 0.5
    z += norm.isf(1 - power) * (rate * (1 - rate) + lifted * (1 - lifted)) ** 0.5
    return z**2 / (lifted - rate) ** 2


def split_check(text):
    one, other = whole(r"One arm has N of them, the other N\.", text)
    statistic = (one - other) ** 2 / (one + other)
    assert chi2.sf(statistic, 1) > 1e-12
    return statistic**0.5


def clicks_for_a_gate(text):
    times = float(re.search(rf"variance is {NUMBER} times", text)[1])
    within = float(re.search(rf"within {NUMBER} %", text)[1]) / 100
    return times * (norm.ppf(0.975) / within) ** 2


SUMS = (
    device_entropy,
    calibration_errors,
    two_clicks,
    auc_by_user,
    value_of_a_policy,
    effective_rows,
    flag_index,
    sample_size,
    split_check,
    clicks_for_a_gate,
)


def percents(text):
    return [float(number) / 100 for number in re.findall(r"(\d+(?:\.\d+)?) ?%", text)]


def whole(pattern, text):
    return [int(number.replace(",", "")) for number in re.search(pattern.replace("N", NUMBER), text).groups()]


def test_every_sum_is_done_again():
    asked = {name for name, value in vars(quiz_evaluation).items() if hasattr(value, "draw")}
    assert asked == {again.__name__ for again in SUMS}


@pytest.mark.parametrize("again", SUMS, ids=lambda again: again.__name__)
@pytest.mark.parametrize("seed", range(20))
def test_question_answer_and_solution_agree(again, seed):
    it = getattr(quiz_evaluation, again.__name__).draw(np.random.default_rng(seed))
    assert it.answer == pytest.approx(again(it.question), rel=1e-3)
    last = re.findall(NUMBER, it.solution)[-1]
    assert it.solution.endswith(f"{last}.")
    digits = len(last.partition(".")[2])
    assert float(last.replace(",", "")) == pytest.approx(it.answer, abs=0.5001 * 10**-digits)
    assert 0.5 * 10**-digits < it.within * it.answer  # who answers as the solution does is right


@pytest.mark.parametrize("seed", range(20))
def test_the_rough_sample_size_is_right_enough(seed):
    it = quiz_evaluation.sample_size.draw(np.random.default_rng(seed))
    rough = float(re.search(rf": {NUMBER}\. The exact", it.solution)[1].replace(",", ""))
    assert rough == pytest.approx(it.answer, rel=it.within)
