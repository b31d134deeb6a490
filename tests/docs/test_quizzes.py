"""The options of the quizzes: nothing but what they say tells which one is right."""

import re
from itertools import chain

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.linear_model import LogisticRegression

from tools.guards.fences import ROOT

HEDGES = re.compile(
    r"\b(may|might|can|could|perhaps|probably|usually|often|mostly|mainly|about|roughly|some|if|unless|when|where|depends?|"
    r"first|then|until|partly|likely|tends?|hardly|enough)\b",
    re.IGNORECASE,
)
ABSOLUTES = re.compile(r"\b(always|never|no|none|all|every|only|must|cannot|nothing|any|not)\b", re.IGNORECASE)
QUIZZES = sorted(ROOT.glob("docs/*/quiz.md"))


def questions(path):
    """Return the options of each question with a choice, as pairs of their words and whether they are right."""
    text = path.read_text(encoding="utf-8")
    found = [re.findall(r'^\?\?\? (right|wrong) "(.*)"$', part, re.MULTILINE) for part in text.split("\n## ")[1:]]
    return [[(words, kind == "right") for kind, words in options] for options in found if options]


ALL = {path.parent.name: questions(path) for path in QUIZZES}


def words(option):
    return len(option.split())


TELLS = {
    "the longest": lambda o: len(o),
    "the shortest": lambda o: -len(o),
    "the most words": words,
    "the most hedged": lambda o: len(HEDGES.findall(o)),
    "the least hedged": lambda o: -len(HEDGES.findall(o)),
    "the most absolute": lambda o: len(ABSOLUTES.findall(o)),
    "the least absolute": lambda o: -len(ABSOLUTES.findall(o)),
    "the one with a comma, a colon or a semicolon": lambda o: len(re.findall("[,:;]", o)),
    "the one with none": lambda o: -len(re.findall("[,:;]", o)),
    "the one with a number": lambda o: len(re.findall(r"\d", o)),
    "the one with a name or a letter in capitals": lambda o: len(re.findall(r"(?<!^)[A-Z]", o)),
    "the longest words": lambda o: len(o) / words(o),
    "one of middle length": None,
}


def share(options, tell):
    """Return the chance to be right of somebody who goes by a tell, and guesses among those it does not tell apart."""
    if tell is None:
        order = np.argsort([len(option) for option, _ in options], kind="stable")
        chosen = order[1:-1]
    else:
        values = np.array([tell(option) for option, _ in options])
        chosen = np.flatnonzero(values == values.max())
    return np.mean([options[i][1] for i in chosen])


def bounds(asked):
    """Return between how many a guesser is right, nineteen times in twenty."""
    chances = [1 / len(options) for options in asked]
    return binom.ppf([0.025, 0.975], len(asked), np.mean(chances))


@pytest.mark.parametrize("tell", TELLS)
def test_a_tell_scores_as_chance_does(tell):
    asked = list(chain.from_iterable(ALL.values()))
    low, high = bounds(asked)
    assert low <= sum(share(options, TELLS[tell]) for options in asked) <= high
    for section, mine in ALL.items():
        low, high = bounds(mine)
        assert low <= sum(share(options, TELLS[tell]) for options in mine) <= high, section


def test_the_right_option_is_as_often_at_each_place():
    asked = list(chain.from_iterable(ALL.values()))
    places = [[right for _, right in options].index(True) for options in asked]
    low, high = bounds(asked)
    assert all(low <= places.count(place) <= high for place in range(3))


def test_a_model_of_all_tells_does_not_learn_the_other_sections():
    """Fitted to four sections it chooses in the fifth, from what no reader should be able to use."""
    names = [tell for tell in TELLS if TELLS[tell]]
    right, asked = 0, []
    for section, mine in ALL.items():
        rows, labels = [], []
        for options in chain.from_iterable(other for name, other in ALL.items() if name != section):
            rows += list(features(options, names))
            labels += [answer for _, answer in options]
        model = LogisticRegression(max_iter=1_000).fit(rows, labels)
        for options in mine:
            best = int(np.argmax(model.decision_function(features(options, names))))
            right += options[best][1]
        asked += mine
    assert right <= bounds(asked)[1]


def features(options, names):
    """Return each option's tells less their mean over the question's options."""
    values = np.array([[TELLS[name](option) for name in names] for option, _ in options], dtype=float)
    values -= values.mean(axis=0)
    return values / np.maximum(np.abs(values).max(axis=0), 1)
