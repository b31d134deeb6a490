"""What docs/modeling/bag-of-words.md says. The reviews are real: a seed draws reviews, and which items are held out."""

import re

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.naive_bayes import MultinomialNB

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.clothing_reviews import load_clothing_reviews
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.model_comparison import compare_models

RULES = {"dress": "Dresses", "jacket": "Jackets", "pants": "Bottoms"}
COUNTED, WEIGHTED = {"min_df": 3}, {"min_df": 3, "sublinear_tf": True}


def drawn(seed, n, *, scrambled=False, unnamed=False):
    """Return n reviews with a department, and booleans: rows to fit on, to choose a setting on, to judge on."""
    reviews = load_clothing_reviews().dropna(subset=["department"]).sample(n, random_state=seed)
    if scrambled:  # texts that say nothing about their item
        reviews["text"] = np.random.default_rng(seed).permutation(reviews["text"].to_numpy(object))
    if unnamed:  # reviews that never name the kind of thing
        reviews["text"] = [re.sub("|".join(RULES), "thing", text.lower()) for text in reviews["text"]]
    items = reviews["item_id"].to_numpy()
    past, test = next(GroupShuffleSplit(1, test_size=0.3, random_state=seed).split(items, groups=items))
    fit, choose = next(GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(past, groups=items[past]))
    parts = np.zeros((3, n), bool)
    for part, rows in zip(parts, (past[fit], past[choose], test), strict=True):
        part[rows] = True
    return reviews, parts


def by_name(texts):
    """Return the first department that each text mentions, else the largest."""
    return np.array([next((d for word, d in RULES.items() if word in t.lower()), "Tops") for t in texts], object)


@experiment(seeds=10)
def departments(seed, *, scrambled=False, ordered=False):
    """Return the accuracy, for items held out, of rules and of three models with three settings each."""
    reviews, (fit, choose, test) = drawn(seed, 4_000, scrambled=scrambled)
    if ordered:  # two words in every review, whose order tells a top from the rest
        said = np.where(reviews["department"] == "Tops", " indeed truly", " truly indeed")
        reviews["text"] = reviews["text"] + said
    texts, y = reviews["text"].to_numpy(object), reviews["department"].to_numpy(object)
    past, found = fit | choose, {"rules": np.mean(by_name(texts[test]) == y[test])}
    for name, words, settings in [
        ("naive Bayes", CountVectorizer(**COUNTED), [MultinomialNB(alpha=a) for a in (0.1, 0.3, 1.0)]),
        ("words", TfidfVectorizer(**WEIGHTED), [LogisticRegression(C=C, tol=1e-3) for C in (1, 3, 10)]),
        (
            "pairs",
            TfidfVectorizer(**WEIGHTED, ngram_range=(1, 2)),
            [LogisticRegression(C=C, tol=1e-3) for C in (1, 3, 10)],
        ),
    ]:
        X = words.fit(texts[past]).transform(texts)
        right = [np.mean(model.fit(X[fit], y[fit]).predict(X[choose]) == y[choose]) for model in settings]
        guess = settings[int(np.argmax(right))].fit(X[past], y[past]).predict(X[test])
        found[name] = np.mean(guess == y[test])
        found[f"{name}, F1"] = f1_score(y[test], guess, average="macro", zero_division=0)
        found[f"{name}, Trend"] = np.mean(guess[y[test] == "Trend"] == "Trend") if "Trend" in y[test] else 0.0
    return found


@claim(
    "With equal budgets, logistic regression on weighted words makes at least 10 % fewer errors than naive Bayes.",
    departments,
    holds=above(0.1),
    twin={"scrambled": True},
    percent=True,
)
def linear_beats_naive_bayes(found):
    return 1 - (1 - found["words"]) / (1 - found["naive Bayes"])


@claim(
    "A linear model on words is right more often than three rules by hand.",
    departments,
    holds=above(0),
    twin={"scrambled": True},
    percent=True,
)
def words_beat_three_rules(found):
    return found["words"] - found["rules"]


@claim(
    "Pairs of words bring more than nothing, and less than 2 points of accuracy over words.",
    departments,
    holds=between(0, 0.02),
    twin={"ordered": True},
    percent=True,
)
def pairs_bring_little(found):
    return found["pairs"] - found["words"]


@claim(
    "Averaged over the departments, pairs of words raise the F1 by less than a point over words.",
    departments,
    holds=below(0.01),
    twin={"ordered": True},
    percent=True,
)
def pairs_do_not_find_rare_departments(found):
    return found["pairs, F1"] - found["words, F1"]


@experiment(seeds=20)
def labels(seed, *, scrambled=False, unnamed=False):
    """Return the accuracy of rules, and of a linear model on words with 100 to 3,000 labels."""
    reviews, (fit, choose, test) = drawn(seed, 6_000, scrambled=scrambled, unnamed=unnamed)
    texts, y, past = reviews["text"].to_numpy(object), reviews["department"].to_numpy(object), fit | choose
    found = {"rules": np.mean(by_name(texts[test]) == y[test])}
    for n in (100, 300, 1_000, 3_000):
        rows = np.flatnonzero(past)[:n]
        words = TfidfVectorizer(min_df=2, sublinear_tf=True).fit(texts[rows])
        model = LogisticRegression(C=3, tol=1e-3).fit(words.transform(texts[rows]), y[rows])
        found[f"{n:,} labels"] = np.mean(model.predict(words.transform(texts[test])) == y[test])
    return found


@claim(
    "With a hundred labels, a linear model on words is on average right less often than three rules by hand.",
    labels,
    holds=below(0),
    twin={"unnamed": True},
    percent=True,
)
def a_hundred_labels_against_rules(found):
    return found["100 labels"] - found["rules"]


@claim(
    "With three hundred labels, a linear model on words makes at least 10 % fewer errors than three rules by hand.",
    labels,
    holds=above(0.1),
    twin={"scrambled": True},
    percent=True,
)
def three_hundred_labels_beat_rules(found):
    return 1 - (1 - found["300 labels"]) / (1 - found["rules"])


@claim(
    "With a thousand labels, a linear model on words is ahead of three rules; three thousand add two points or more.",
    labels,
    holds=above(0.02),
    twin={"scrambled": True},
    percent=True,
)
def labels_go_on_paying(found):
    return min(found["1,000 labels"] - found["rules"], found["3,000 labels"] - found["1,000 labels"])


@experiment(seeds=10)
def opinions(seed, *, shuffled=False, mixed=False):
    """Return what models of words and of pairs make of opinions, with equal budgets, and of sentences."""
    reviews, parts = drawn(seed, 6_000)
    y, texts = reviews["recommended"].to_numpy(), reviews["text"].to_numpy(object)
    if mixed:  # a world in which the order of the words says nothing
        rng = np.random.default_rng(seed)
        texts = np.array([" ".join(rng.permutation(text.split())) for text in texts], object)
    if shuffled:  # a world in which opinions have no words
        y = np.random.default_rng(seed).permutation(y)
    known, test, candidates, words = parts[0] | parts[1], parts[2], {}, {}
    for name, length in [("words", 1), ("pairs", 2)]:
        words[name] = TfidfVectorizer(**WEIGHTED, ngram_range=(1, length)).fit(texts[known])
        models = [LogisticRegression(C=C, max_iter=500) for C in (1, 3, 10)]
        candidates[name] = csr_matrix(words[name].transform(texts)), models
    result = compare_models(candidates, y, *parts, budget=3, loss=normalized_entropy)
    p = result.predictions["words"]
    wrong, unsure = (p > 0.5) != y[test], np.argsort(np.abs(p - 0.5), kind="stable")[: test.sum() // 5]
    model = LogisticRegression(C=3, max_iter=500).fit(candidates["words"][0][known], y[known])
    said = model.predict_proba(words["words"].transform(["Not bad at all.", "I would never return it."]))[:, 1]
    return result.table["test"].to_dict() | {
        "not bad": said[0],
        "never return": said[1],
        "errors among the least sure fifth": wrong[unsure].sum() / wrong.sum(),
        "errors": wrong.mean(),
    }


@claim(
    'To a model of words, "Not bad at all" and "I would never return it" are complaints.',
    opinions,
    holds=below(0.5),
    twin={"shuffled": True},
)
def negations_are_misread(found):
    return max(found["not bad"], found["never return"])


@claim(
    "On opinions, the fifth of the reviews of which the model is least sure holds more than half of its errors.",
    opinions,
    holds=above(0.5),
    twin={"shuffled": True},
    percent=True,
)
def doubt_finds_half_of_the_errors(found):
    return found["errors among the least sure fifth"]


@claim(
    "On opinions, with equal budgets, pairs of words lower the entropy.",
    opinions,
    holds=below(0),
    twin={"mixed": True},
)
def pairs_help_on_opinions(found):
    return found["pairs"] - found["words"]
