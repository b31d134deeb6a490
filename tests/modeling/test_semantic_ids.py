import numpy as np
import pytest
from sklearn.cluster import KMeans

from snippets.modeling.semantic_ids import SemanticIDs
from tests.estimators import failed_checks


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    coarse, fine = rng.normal(0, 10, (4, 3)), rng.normal(0, 1, (3, 3))
    group, kind = rng.integers(0, 4, 300), rng.integers(0, 3, 300)
    return coarse[group] + fine[kind] + rng.normal(0, 0.01, (300, 3)), group, kind


def same_partition(a, b):
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len(set(a.tolist())) == len(set(b.tolist()))


def test_the_first_code_is_the_coarse_group_and_both_together_the_fine_one(vectors):
    X, group, kind = vectors
    codes = SemanticIDs(2, 4, random_state=0).fit_transform(X)
    assert same_partition(codes[:, 0], group)
    assert same_partition(codes[:, 0] * 4 + codes[:, 1], group * 3 + kind)


def test_one_level_is_scikit_learns_k_means(vectors):
    X, _, _ = vectors
    theirs = KMeans(5, n_init=3, random_state=1).fit(X)
    ours = SemanticIDs(1, 5, random_state=1).fit(X)
    np.testing.assert_array_equal(ours.transform(X)[:, 0], theirs.labels_)
    np.testing.assert_allclose(ours.inverse_transform(ours.transform(X)), theirs.cluster_centers_[theirs.labels_])


def test_every_level_is_the_nearest_center_of_what_is_left_and_leaves_less(vectors):
    X = np.random.default_rng(5).normal(size=(200, 4))
    model = SemanticIDs(3, 6, random_state=0).fit(X)
    codes, left = model.transform(X), X.copy()
    for level, centers in enumerate(model.centers_):
        nearest = [np.argmin([np.linalg.norm(x - c) for c in centers]) for x in left]
        np.testing.assert_array_equal(codes[:, level], nearest)
        before = (left**2).sum()
        left = left - centers[codes[:, level]]
        assert (left**2).sum() < before
        np.testing.assert_allclose(X - model.inverse_transform(codes[:, : level + 1]), left, atol=1e-9)


def test_few_different_vectors_need_few_codes():
    model = SemanticIDs(2, 16, random_state=0).fit([[0.0], [0.0], [5.0]])
    assert [len(c) for c in model.centers_] == [2, 1]
    np.testing.assert_allclose(model.inverse_transform(model.transform([[0.0], [5.0]])), [[0.0], [5.0]])


def test_three_codes_of_sixteen_unless_asked_for_others():
    X = np.random.default_rng(0).normal(size=(100, 4))
    assert [len(centers) for centers in SemanticIDs().fit(X).centers_] == [16, 16, 16]


def test_what_is_wrong_is_named(vectors):
    for name in ("n_levels", "n_codes"):
        with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
            SemanticIDs(**{name: 0}).fit(vectors[0])
    model = SemanticIDs(2, 2, random_state=0).fit(vectors[0])
    for codes in ([0, 1], [[0, 1, 0]], np.zeros((2, 0), int)):
        with pytest.raises(ValueError, match=r"codes must have shape \(n, at most 2\)"):
            model.inverse_transform(codes)


def test_scikit_learns_own_checks():
    assert failed_checks(SemanticIDs(2, 4, random_state=0), at_least=30) == {}
