from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, roc_auc_score

from snippets.evaluation.ranking_metrics import (
    group_auc,
    mean_reciprocal_rank,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
)

RNG = np.random.default_rng(5)
LISTS, ITEMS = 400, 12
GROUPS = np.repeat(np.arange(LISTS), ITEMS)
SCORE = RNG.integers(0, 6, LISTS * ITEMS) / 6  # many ties
CLICK = (RNG.random(LISTS * ITEMS) < 0.2).astype(np.int8)
SHUFFLE = RNG.permutation(LISTS * ITEMS)


@pytest.mark.parametrize("k", [1, 3, 12, 50])
def test_ndcg_against_scikit_learn(k):
    gain = RNG.integers(0, 4, (LISTS, ITEMS))
    gain[0, 0] = 1  # scikit-learn counts a list without gain as 0, we leave it out
    gain[:, 0] = np.maximum(gain[:, 0], 1)
    expected = ndcg_score(gain, SCORE.reshape(LISTS, ITEMS), k=k)
    ours = ndcg_at_k(gain.ravel()[SHUFFLE], SCORE[SHUFFLE], GROUPS[SHUFFLE], k)
    assert ours == pytest.approx(expected, rel=1e-12)


def test_group_auc_against_scikit_learn():
    sizes = RNG.integers(1, 40, 300)
    groups = np.repeat([f"user {i}" for i in range(300)], sizes)
    y, score = RNG.random(len(groups)) < 0.2, RNG.integers(0, 9, len(groups))
    each = [(roc_auc_score(y[m], score[m]), m.sum()) for g in set(groups) if 0 < y[m := groups == g].mean() < 1]
    aucs, weights = zip(*each, strict=True)
    order = RNG.permutation(len(groups))
    ours = group_auc(y[order], score[order], groups[order])
    assert ours == pytest.approx(np.average(aucs, weights=weights), rel=1e-12)


def test_one_group_is_the_plain_auc():
    assert group_auc(CLICK, SCORE, np.zeros(len(CLICK))) == pytest.approx(roc_auc_score(CLICK, SCORE), rel=1e-12)


def test_reciprocal_rank_against_scikit_learn():
    # With one relevant item a list and no ties, it is the average precision of label ranking.
    score = RNG.random((LISTS, ITEMS))
    y = np.eye(ITEMS, dtype=int)[RNG.integers(0, ITEMS, LISTS)]
    expected = label_ranking_average_precision_score(y, score)
    assert mean_reciprocal_rank(y.ravel(), score.ravel(), GROUPS) == pytest.approx(expected, rel=1e-12)


def test_by_hand():
    # List 1: scores 3, 2, 1 with a click on the second. List 2: five rows, clicks on places 1 and 4. List 3: no click.
    y = [0, 1, 0, 1, 0, 0, 1, 0, 0]
    score = [3, 2, 1, 9, 8, 7, 6, 5, 1]
    groups = [1, 1, 1, 2, 2, 2, 2, 2, 3]
    assert precision_at_k(y, score, groups, 2) == pytest.approx((1 / 2 + 1 / 2 + 0) / 3)
    assert recall_at_k(y, score, groups, 2) == pytest.approx((1 + 1 / 2) / 2)
    assert mean_reciprocal_rank(y, score, groups) == pytest.approx((1 / 2 + 1) / 2)
    # DCG of list 2 at 4: 1 + 1 / log2(5); ideal 1 + 1 / log2(3). List 1: 1 / log2(3).
    expected = (1 / np.log2(3) + (1 + 1 / np.log2(5)) / (1 + 1 / np.log2(3))) / 2
    assert ndcg_at_k(y, score, groups, 4) == pytest.approx(expected, rel=1e-12)
    # List 1: the click beats one of two. List 2: four of six pairs.
    assert group_auc(y, score, groups) == pytest.approx((3 * 1 / 2 + 5 * 4 / 6) / 8)


def test_two_tied_items_by_hand():
    # The click is first or second, each with probability one half.
    tied = ([0, 1], [0.5, 0.5], [0, 0])
    assert precision_at_k(*tied, 1) == pytest.approx(0.5)
    assert recall_at_k(*tied, 1) == pytest.approx(0.5)
    assert mean_reciprocal_rank(*tied) == pytest.approx(0.75)
    assert ndcg_at_k(*tied, 2) == pytest.approx((1 + 1 / np.log2(3)) / 2)
    assert group_auc(*tied) == pytest.approx(0.5)


def over_all_orders(metric, y, score, k):
    """Average a metric of one list, computed naively, over all orders that the scores allow."""
    values = []
    for order in permutations(range(len(y))):
        falling = [score[i] for i in order]
        if falling == sorted(falling, reverse=True):
            values.append(metric([y[i] for i in order], k))
    return np.mean(values)


NAIVE = {
    precision_at_k: lambda y, k: sum(y[:k]) / k,
    recall_at_k: lambda y, k: sum(y[:k]) / sum(y),
    mean_reciprocal_rank: lambda y, k: 1 / (1 + y.index(1)),
    ndcg_at_k: lambda y, k: (
        sum(g / np.log2(i + 2) for i, g in enumerate(y[:k]))
        / sum(g / np.log2(i + 2) for i, g in enumerate(sorted(y, reverse=True)[:k]))
    ),
}
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(-3, 1)), min_size=1, max_size=6).filter(
    lambda rows: any(y for y, _, _ in rows)
)


@pytest.mark.parametrize("metric", NAIVE, ids=lambda f: f.__name__)
@given(ROWS, st.integers(1, 6))
def test_ties_against_all_orders(metric, rows, k):
    y, score, groups = (np.array(column) for column in zip(*rows, strict=True))
    lists = [(list(y[groups == g]), list(score[groups == g])) for g in np.unique(groups)]
    if metric is not precision_at_k:
        lists = [(labels, scores) for labels, scores in lists if any(labels)]
    arguments = (y, score, groups) if metric is mean_reciprocal_rank else (y, score, groups, k)
    expected = np.mean([over_all_orders(NAIVE[metric], *pair, k) for pair in lists])
    assert metric(*arguments) == pytest.approx(expected, rel=1e-9)


ALL = [
    group_auc,
    mean_reciprocal_rank,
    lambda *a: ndcg_at_k(*a, 3),
    lambda *a: precision_at_k(*a, 3),
    lambda *a: recall_at_k(*a, 3),
]


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    "groups",
    [GROUPS.astype(str), GROUPS - 5_000_000_000, GROUPS.astype(np.uint16), GROUPS * 1.5, list(GROUPS)],
)
def test_every_kind_of_group_in_any_order(metric, groups):
    groups = np.asarray(groups)
    shuffled = metric(CLICK[SHUFFLE].astype(bool), SCORE[SHUFFLE].astype(np.float32), groups[SHUFFLE])
    assert shuffled == pytest.approx(metric(CLICK, SCORE.astype(np.float32), GROUPS), rel=1e-12)


@pytest.mark.parametrize("far", [2**32, -(2**32)])
def test_groups_that_agree_in_their_last_32_bits_stay_apart(far):
    groups = np.tile([0, far], LISTS * ITEMS // 2)
    for metric in ALL:
        assert metric(CLICK, SCORE, groups) == pytest.approx(metric(CLICK, SCORE, groups.astype(str)), rel=1e-12)


def test_whole_numbers_as_scores_keep_all_digits():
    # Times in nanoseconds, one apart: as floats they would tie.
    times = np.datetime64("2026-03-29T01:00", "ns").astype(np.int64) + np.arange(3)
    assert mean_reciprocal_rank([0, 1, 0], times, [0, 0, 0]) == pytest.approx(1 / 2, rel=1e-12)
    assert mean_reciprocal_rank([1, 0, 0], times.astype(np.uint64) + np.uint64(2**63), [0, 0, 0]) == pytest.approx(
        1 / 3
    )
    assert mean_reciprocal_rank([1, 0], [-(2**63), 2**63 - 1], [0, 0]) == pytest.approx(1 / 2)


def test_scores_may_be_infinite():
    # As a model masks what must not be shown.
    assert mean_reciprocal_rank([1, 0, 0], [-np.inf, 0.0, np.inf], [0, 0, 0]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("size", [1e-300, 1e308])
def test_ndcg_knows_no_unit_of_gain(size):
    gain = np.arange(24) % 5
    expected = ndcg_at_k(gain, SCORE[:24], GROUPS[:24], 20)
    assert ndcg_at_k(gain / 4 * size, SCORE[:24], GROUPS[:24], 20) == pytest.approx(expected, rel=1e-9)


def test_neighbouring_scores_are_no_tie():
    # They differ by one unit in the last place, and stand in a list with much larger scores.
    close = [1.0, np.nextafter(1.0, 2.0), 1e300]
    assert mean_reciprocal_rank([0, 1, 0], close, [0, 0, 0]) == pytest.approx(0.5)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("y", "score", "groups", "message"),
    [
        ([], [], [], "y_true is empty"),
        ([0, 1], [0.5], [0, 0], "y_score has 1 rows, y_true has 2"),
        ([0, 1], [0.5, 0.1], [0], "groups has 1 rows, y_true has 2"),
        ([0, -1], [0.5, 0.1], [0, 0], "y_true must be .*, got -1 at row 1"),
        ([0, 1], [0.5, np.nan], [0, 0], "y_score must be a number, got nan at row 1"),
        ([0, 1], [0.5, 0.1], ["a", None], "groups is missing at row 1: leave such rows out"),
        ([0, 0], [0.5, 0.1], [0, 0], "y_true"),
    ],
)
def test_bad_input_is_named(metric, y, score, groups, message):
    if message == "y_true" and metric is ALL[3]:
        assert metric(y, score, groups) == 0
    else:
        with pytest.raises(ValueError, match=message):
            metric(y, score, groups)


@pytest.mark.parametrize("k", [0, 1.5, True])
def test_bad_k_is_named(k):
    for metric in (ndcg_at_k, precision_at_k, recall_at_k):
        with pytest.raises(ValueError, match="k must be a whole number of at least 1"):
            metric(CLICK, SCORE, GROUPS, k)


@pytest.mark.parametrize("metric", [precision_at_k, recall_at_k])
def test_grades_are_for_ndcg_only(metric):
    with pytest.raises(ValueError, match="y_true must be 0 or 1, got 2 at row 0"):
        metric([2, 0], [0.5, 0.1], [0, 0], 1)


def test_lists_of_tiny_gains_count_as_those_of_huge_ones():
    score, groups = [2, 1, 2, 1, 3], [0, 0, 1, 1, 1]
    found = ndcg_at_k([0, 1e300, 0, 1e-300, 0], score, groups, 3)
    assert found == pytest.approx((1 / np.log2(3) + 1 / 2) / 2)
