import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist
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


def test_vectors_that_differ_by_rounding_alone_are_the_same():
    X = np.repeat([[0.1], [1 / 3], [1e6 + 0.1]], [3, 7, 6], axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = SemanticIDs(3, 16, random_state=0).fit(X)
    assert [len(c) for c in model.centers_] == [3, 1, 1]


def test_far_from_zero_the_nearest_center_is_still_the_nearest():
    X = 1e8 + np.random.default_rng(5).normal(size=(100, 3))
    model = SemanticIDs(1, 5, random_state=0).fit(X)
    distance = cdist(X, model.centers_[0])
    np.testing.assert_array_equal(model.transform(X)[:, 0], distance.argmin(axis=1))


def test_codes_come_as_a_frame_where_asked_for():
    X = pd.DataFrame({"a": [0.0, 0.0, 9.0], "b": [0.0, 1.0, 0.0]}, index=["x", "y", "z"])
    model = SemanticIDs(2, 2, random_state=0).set_output(transform="pandas").fit(X)
    codes = model.transform(X)
    assert codes.index.tolist() == ["x", "y", "z"]
    assert codes.columns.tolist() == model.get_feature_names_out().tolist() == ["semanticids0", "semanticids1"]
    plain = SemanticIDs(2, 2, random_state=0).fit(X)
    np.testing.assert_array_equal(codes, plain.transform(X))
    np.testing.assert_array_equal(model.inverse_transform(codes), plain.inverse_transform(plain.transform(X)))


def test_three_codes_of_sixteen_unless_asked_for_others():
    X = np.random.default_rng(0).normal(size=(100, 4))
    assert [len(centers) for centers in SemanticIDs().fit(X).centers_] == [16, 16, 16]


def test_what_is_wrong_is_named(vectors):
    for name in ("n_levels", "n_codes"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number of at least 1, got 0"):
            SemanticIDs(**{name: 0}).fit(vectors[0])
    model = SemanticIDs(2, 2, random_state=0).fit(vectors[0])
    for codes, message in [
        ([0, 1], "codes must have two dimensions"),
        ([[0, 1, 0]], r"codes must have shape \(n, at most 2\)"),
        (np.zeros((2, 0), int), r"codes must have shape \(n, at most 2\)"),
        ([[0, 1], [-1, 0]], "codes must be at least 0, got -1 at row 1, column 0"),
        ([[0, 1], [0, 2]], "codes of level 1 must be at most 1, got 2 at row 1"),
        ([[0, 0.5]], "codes must be whole numbers, got 0.5 at row 0, column 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.inverse_transform(codes)
    for value, message in [
        ("x", "X must hold numbers, got 'x' at row 1"),
        (1e200, "X must be in .* got 1e.200 at row 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.fit([[0.0, 1.0], [0.0, value]])
    with pytest.raises(ValueError, match="Expected 2D array"):
        model.fit([0.0, 1.0])


def test_scikit_learns_own_checks():
    assert failed_checks(SemanticIDs(2, 4, random_state=0), at_least=30) == {}


@pytest.mark.parametrize("power", [-1060, -600, 300])
def test_codes_do_not_depend_on_the_unit(power):
    corners = np.repeat([[0, 0], [8, 0], [0, 8], [8, 8]], 5, axis=0)
    vectors = corners + np.random.default_rng(0).integers(0, 3, (20, 2))
    expected = SemanticIDs(2, 4, random_state=0).fit_transform(vectors)
    small = SemanticIDs(2, 4, random_state=0).fit(np.ldexp(vectors, power))
    assert np.array_equal(small.transform(np.ldexp(vectors, power)), expected)
    if power < 0:
        assert (small.transform([[1e100, -1e100]]) == small.transform(np.ldexp([[2.0**40, -(2.0**40)]], power))).all()
