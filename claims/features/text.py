"""Claims of docs/features/text.md. Each run splits the same reviews in another way: other items to learn from."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import OneHotEncoder, StandardScaler, normalize

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.clothing_reviews import load_clothing_reviews
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.modeling.model_comparison import compare_models

WIDTHS = (8, 32, 128)


@cache
def reviews() -> tuple[pd.DataFrame, csr_matrix]:
    """Return the reviews, and how often each has each word."""
    found = load_clothing_reviews()
    return found, CountVectorizer().fit_transform(found["text"]).astype(float)


def answers(frame: pd.DataFrame, question: str) -> np.ndarray:
    """Return the label of each review: does the author recommend the item, or give five stars, or is it a dress."""
    labels = {
        "opinion": frame["recommended"] == 1,
        "stars": frame["rating"] == 5,
        "dress": frame["department"] == "Dresses",
    }
    return labels[question].to_numpy(int)


def weighted(counts: csr_matrix, known: np.ndarray) -> csr_matrix:
    """Return the weights of words that at least five of the known texts have."""
    counts = counts[:, counts[known].getnnz(axis=0) >= 5]
    return TfidfTransformer(sublinear_tf=True).fit(counts[known]).transform(counts)


def read(seed: int, n_labels: int, question: str, shuffled: bool) -> dict[str, float]:
    """Return the normalized entropies of a linear model on words, and on embeddings of all texts of known items."""
    frame, counts = reviews()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(frame))[:9_000]
    frame, counts, n = frame.iloc[rows], counts[rows], len(rows)
    items = frame["item_id"].unique()
    new = frame["item_id"].isin(rng.choice(items, int(0.3 * len(items)), replace=False)).to_numpy()
    y = answers(frame, question)
    if shuffled:
        y = rng.permutation(y)
    known = np.flatnonzero(~new)
    part = np.full(n, "none", "U8")
    part[known[:n_labels]] = "validate"
    part[known[: 2 * n_labels // 3]] = "train"
    part[new] = "test"
    words = weighted(counts, known)
    dense = TruncatedSVD(max(WIDTHS), random_state=0).fit(words[known]).transform(words)
    dense = StandardScaler().fit(dense[known]).transform(dense)
    columns = {"words": words, **{f"embedding of {width}": dense[:, :width] for width in WIDTHS}}
    candidates = {
        name: (X, [model(C) for C in ((1, 3, 10, 30) if name == "words" else (0.001, 0.01, 0.1, 1))])
        for name, X in columns.items()
    }
    parts = [part == name for name in ("train", "validate", "test")]
    return compare_models(candidates, y, *parts, budget=4, loss=normalized_entropy).table["test"].to_dict()


def model(C: float) -> LogisticRegression:
    return LogisticRegression(C=C, max_iter=1_000)


@experiment(worlds={"opinion": {}, "half of the labels": {"n_labels": 3_000}, "five stars?": {"question": "stars"}})
def many_labels(seed, *, n_labels=6_000, question="opinion", shuffled=False):
    return read(seed, n_labels, question, shuffled)


@experiment(worlds={"is it a dress?": {}})
def topic(seed, *, n_labels=6_000):
    return read(seed, n_labels, "dress", shuffled=False)


@experiment(worlds={"opinion": {}, "five stars?": {"question": "stars"}, "is it a dress?": {"question": "dress"}})
def few_labels(seed, *, n_labels=300, question="opinion", shuffled=False):
    return read(seed, n_labels, question, shuffled)


def dense_less_words(found):
    return min(v for name, v in found.items() if name != "words") - found["words"]


@claim(
    "With thousands of labels no embedding made from the words, of 8, 32 or 128 numbers, reads opinions as well as the "
    "words themselves.",
    many_labels,
    holds=above(0),
    twin={"n_labels": 300},
)
def words_win_with_many_labels(found):
    return dense_less_words(found)


@claim(
    "Asked for the topic, is it a dress, with thousands of labels, the best embedding and the words differ by less "
    "than 0.01 of normalized entropy on average.",
    topic,
    holds=between(-0.01, 0.01),
    twin={"n_labels": 300},
)
def topic_is_level(found):
    return dense_less_words(found)


@claim(
    "With 300 labels an embedding of 32 numbers, fitted to all texts, beats the words.",
    few_labels,
    holds=below(0),
    twin={"n_labels": 6_000},
)
def embedding_wins_with_few_labels(found):
    return found["embedding of 32"] - found["words"]


@claim(
    "A linear model that reads opinions out of texts gains from every step to a wider embedding.",
    many_labels,
    holds=above(0),
    twin={"shuffled": True},
)
def wider_reads_better(found):
    return min(found["embedding of 8"] - found["embedding of 32"], found["embedding of 32"] - found["embedding of 128"])


@experiment(worlds={"ten earlier reviews": {}, "two": {"n_earlier": 2}, "items of at most 30 reviews": {"most": 30}})
def before(seed, *, n_earlier=10, most=10_000, decided=False, shuffled=False):
    frame, counts = reviews()
    rng = np.random.default_rng(seed)
    frame = frame.reset_index(drop=True).sample(frac=1, random_state=seed).sort_values("item_id", kind="stable")
    frame = frame[frame.groupby("item_id").cumcount() < most]
    counts, item = counts[frame.index], frame["item_id"].to_numpy()
    place = frame.groupby("item_id").cumcount().to_numpy()
    y = answers(frame, "opinion")
    if decided:  # a world in which an item is liked by nearly all, or by nearly none
        liked = np.where(rng.random(item.max() + 1) < 0.8, 0.97, 0.2)
        y = (rng.random(len(item)) < liked[item]).astype(int)
    if shuffled:
        y = rng.permutation(y)
    items = rng.permutation(np.unique(item))
    test, validate = np.isin(item, items[: len(items) // 3]), np.isin(item, items[len(items) // 3 : len(items) // 2])
    rows, back = np.nonzero(place[:, None] > np.arange(n_earlier))
    earlier = csr_matrix((np.ones(len(rows)), (rows, rows - 1 - back)), (len(item), len(item)))
    n, asked = np.asarray(earlier.sum(axis=1)).ravel(), place > 0
    words = weighted(counts, np.flatnonzero(~test))
    liked = (earlier @ y + 4) / (n + 5)
    tags = frame[["department", "class_name"]].fillna("none")
    columns = {
        "department and class": OneHotEncoder(handle_unknown="ignore").fit_transform(tags),
        "how many earlier ones recommend it": np.log(liked / (1 - liked))[:, None],
        "words of the earlier ones": normalize(earlier @ words),
    }
    known = [*columns.values(), frame[["age"]] / 50]
    columns["all of these, and the author's age"] = sparse.hstack(known, format="csr")
    columns["words of the review itself"] = words
    candidates = {name: (X, [model(0.1), model(1.0)]) for name, X in columns.items()}
    parts = asked & ~validate & ~test, asked & validate, asked & test
    return compare_models(candidates, y, *parts, budget=2, loss=normalized_entropy).table["test"].to_dict()


@claim(
    "What is known before a review leaves nearly all of its verdict open: tags, earlier verdicts, the words of earlier "
    "reviews and the age of the author, each or all together, take less than 2 % off the entropy.",
    before,
    holds=above(0.98),
    twin={"decided": True},
)
def little_is_known_before(found):
    return min(v for name, v in found.items() if name != "words of the review itself")


@claim(
    "The words of the review itself, which nobody has before it is written, take off more than a third.",
    before,
    holds=below(0.667),
    twin={"shuffled": True},
)
def own_words_leak(found):
    return found["words of the review itself"]


@experiment(worlds={"class": {}, "department": {"label": "department"}, "fewer texts": {"n": 2_500}})
def neighbours(seed, *, n=5_000, label="class_name", shuffled=False):
    frame, counts = reviews()
    rows = np.random.default_rng(seed).permutation(len(frame))[:n]
    frame, counts = frame.iloc[rows], counts[rows]
    item, kind = frame["item_id"].to_numpy(), frame[label].to_numpy(object)
    if shuffled:
        kind = np.random.default_rng(seed).permutation(kind)
    words = weighted(counts, np.arange(n))
    dense = TruncatedSVD(max(WIDTHS), random_state=0).fit_transform(words)
    spaces = {"words": words, **{f"embedding of {width}": normalize(dense[:, :width]) for width in WIDTHS}}
    found = {}
    for name, space in spaces.items():
        near = space[:500] @ space.T
        near = near.toarray() if name == "words" else near
        near[item[:500, None] == item[None, :]] = -1
        ten = np.argpartition(-near, 10, axis=1)[:, :10]
        found[name] = float((kind[ten] == kind[:500, None]).mean())
    return found


@claim(
    "Among the ten nearest reviews, embeddings of 8, 32 and 128 numbers find more of the same kind than the words do.",
    neighbours,
    holds=above(0),
    twin={"shuffled": True},
    percent=True,
)
def embedding_finds_neighbours(found):
    return min(v for name, v in found.items() if name != "words") - found["words"]


@claim(
    "Wider is not better for neighbours: 128 numbers find fewer of the same kind than 32.",
    neighbours,
    holds=below(0),
    twin={"shuffled": True},
    percent=True,
)
def wider_finds_fewer(found):
    return found["embedding of 128"] - found["embedding of 32"]


@experiment(seeds=20, worlds={"opinion": {}, "is it a dress?": {"question": "dress"}, "8 numbers": {"width": 8}})
def refitted(seed, *, n=4_000, width=32, question="opinion", same=False, factor=1.0, again=4_000):
    frame, counts = reviews()
    rows = np.random.default_rng(seed).permutation(len(frame))[: 2 * n + 4_000]
    frame, counts = frame.iloc[rows], counts[rows]
    y, old, new, test = answers(frame, question), slice(0, n), slice(n, n + again), slice(2 * n, None)
    spaces = []
    for known in (old, old if same else new):
        words = weighted(counts, np.arange(len(rows))[known])
        spaces.append(TruncatedSVD(width, random_state=0).fit(words[known]).transform(words))
    first, second = (model(10).fit(space[old], y[old]) for space in spaces)
    a, b = spaces[0][test], factor * spaces[1][test]
    p = {"old": first.predict_proba(a), "new": first.predict_proba(b), "both new": second.predict_proba(b)}
    found = {name: normalized_entropy(y[test], q[:, 1]) for name, q in p.items()}
    found["promised / true"] = calibration_ratio(y[test], p["new"][:, 1])
    found["columns alike"] = sum(abs(np.corrcoef(a[:, k], b[:, k])[0, 1]) > 0.9 for k in range(width)) / width
    return found


@claim(
    "Behind an encoder that was fitted again, to other texts, a classifier loses on average more than half of what it "
    "knew.",
    refitted,
    holds=above(0.5),
    twin={"same": True},
    percent=True,
)
def refit_breaks_the_reader(found):
    return min((found["new"] - found["old"]) / (1 - found["old"]), 1.0)  # worse than knowing nothing is all of it


@claim(
    "Fitted to as many other texts the new encoder is as good as the old one: with a classifier of its own, normalized "
    "entropy differs by less than 0.01 on average.",
    refitted,
    holds=between(-0.01, 0.01),
    twin={"again": 200},
)
def refit_is_as_good(found):
    return found["both new"] - found["old"]


@claim(
    "The promise in total shows little of the break: on average it is off by less than a tenth.",
    refitted,
    holds=below(0.1),
    twin={"factor": -1.0},
    percent=True,
)
def total_hides_the_break(found):
    return abs(found["promised / true"] - 1)
