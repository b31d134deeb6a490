import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.modeling.diversify import maximal_marginal_relevance


def cosine(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) if a.any() and b.any() else 0.0


def literal(relevance, vectors, k, trade_off):
    picked = []
    while len(picked) < k:
        best = max(
            (i for i in range(len(relevance)) if i not in picked),
            key=lambda i: (
                trade_off * relevance[i]
                - (1 - trade_off) * max((cosine(vectors[i], vectors[j]) for j in picked), default=0.0)
            ),
        )
        picked.append(best)
    return picked


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 4), st.floats(0, 1))
def test_against_the_definition_in_a_loop(seed, n, lists, trade_off):
    rng = np.random.default_rng(seed)
    relevance, vectors = rng.random((lists, n)), rng.normal(size=(lists, n, 3))
    vectors[:, 0] *= rng.random() < 0.5
    k = int(rng.integers(1, n + 1))
    got = maximal_marginal_relevance(relevance, vectors, k, trade_off)
    for row in range(lists):
        score = [literal(relevance[row], vectors[row], k, trade_off)]
        assert got[row].tolist() == score[0]


def test_all_weight_on_relevance_is_sorting():
    rng = np.random.default_rng(0)
    relevance = rng.random(20)
    got = maximal_marginal_relevance(relevance, rng.normal(size=(20, 4)), 20, trade_off=1)
    np.testing.assert_array_equal(got, np.argsort(-relevance))


def test_all_weight_on_diversity_never_repeats_a_direction():
    assert maximal_marginal_relevance([3, 2, 1], [[1, 0], [1, 0], [0, 1]], 2, trade_off=0).tolist() == [0, 2]


def test_relevance_weighs_seven_tenths_unless_asked_for_another():
    rng = np.random.default_rng(3)
    relevance, vectors = rng.random((20, 8)), rng.normal(size=(20, 8, 3))
    chosen = maximal_marginal_relevance(relevance, vectors, 4)
    np.testing.assert_array_equal(chosen, maximal_marginal_relevance(relevance, vectors, 4, 0.7))


@pytest.mark.parametrize("scale", [1e-300, 1e-170, 1e170, 1e300])
def test_only_the_directions_of_vectors_count(scale):
    rng = np.random.default_rng(4)
    relevance, vectors = rng.random((9, 7)), rng.normal(size=(9, 7, 3))
    got = maximal_marginal_relevance(relevance, vectors * scale, 5, 0.5)
    np.testing.assert_array_equal(got, maximal_marginal_relevance(relevance, vectors, 5, 0.5))


def test_of_equal_candidates_the_first_is_picked():
    assert maximal_marginal_relevance([1, 1, 1, 1], [[1, 0], [1, 0], [0, 1], [0, 1]], 4).tolist() == [0, 2, 1, 3]


def test_opposite_items_are_rewarded():
    # After the first, an item with cosine -1 has a margin of -(1 - t)(-1), above one with cosine 0.
    assert maximal_marginal_relevance([1, 0.5, 0.5], [[1, 0], [0, 1], [-1, 0]], 2, 0.5).tolist() == [0, 2]


@pytest.mark.parametrize(
    ("relevance", "vectors", "k", "trade_off", "message"),
    [
        ([1, 2], [[1]], 1, 0.5, r"got relevance of shape \(2,\) and vectors of shape \(1, 1\)"),
        ([[1, 2]], [[1], [2]], 1, 0.5, "a vector for each candidate"),
        ([1, np.nan], [[1], [2]], 1, 0.5, "relevance must be finite, got nan at row 1"),
        ([1, 2], [[1], [np.inf]], 1, 0.5, "vectors must be finite, got inf at row 1, column 0"),
        ([], np.zeros((0, 1)), 1, 0.5, "relevance is empty"),
        (np.zeros((0, 2)), np.zeros((0, 2, 1)), 1, 0.5, "relevance is empty"),
        ([1, 2], [[1], [2]], 0, 0.5, r"k must be a whole number in \[1, 2\], got 0"),
        ([1, 2], [[1], [2]], 3, 0.5, r"k must be a whole number in \[1, 2\], got 3"),
        ([1, 2], [[1], [2]], 1, -0.1, r"trade_off must be in \[0, 1\], got -0.1"),
        ([1, 2], [[1], [2]], 1, 1.5, r"trade_off must be in \[0, 1\], got 1.5"),
    ],
)
def test_what_does_not_fit_is_named(relevance, vectors, k, trade_off, message):
    with pytest.raises(ValueError, match=message):
        maximal_marginal_relevance(relevance, vectors, k, trade_off)
