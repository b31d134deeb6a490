import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from snippets.problem.pareto_frontier import pareto_frontier


def brute_force(x):
    return [not any((other >= point).all() and (other > point).any() for other in x) for point in x]


@given(
    st.integers(1, 4).flatmap(
        lambda k: arrays(float, st.tuples(st.integers(1, 25), st.just(k)), elements=st.integers(-3, 3).map(float))
    )
)
def test_the_frontier_equals_a_comparison_of_all_pairs(x):
    assert pareto_frontier(x).tolist() == brute_force(x)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_the_frontier_of_many_points_equals_a_comparison_of_all_pairs(k):
    x = np.random.default_rng(k).normal(size=(300, k))
    assert pareto_frontier(x).tolist() == brute_force(x)


def test_the_frontier_grows_with_the_number_of_objectives():
    x = np.random.default_rng(0).normal(size=(500, 4))
    sizes = [pareto_frontier(x[:, :k]).sum() for k in (1, 2, 3, 4)]
    assert sizes == sorted(sizes)
    assert sizes[0] == 1


def test_the_frontier_of_a_frame_has_its_index():
    points = pd.DataFrame({"clicks": [1, 2, 2, 3], "money": np.array([5, 4, 3, 1], "uint8")}, index=[9, 9, 1, 2])
    pd.testing.assert_series_equal(pareto_frontier(points), pd.Series([True, True, False, True], [9, 9, 1, 2]))


def test_zeros_of_both_signs_are_one():
    assert pareto_frontier([[0.0, -0.0], [-0.0, 0.0], [-0.0, -1.0]]).tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([], r"points must have two dimensions, got shape \(0,\)"),
        (np.zeros((0, 2)), r"points must be of shape \(n, k\) and not empty, got \(0, 2\)"),
        ([1.0, 2.0], r"points must have two dimensions, got shape \(2,\)"),
        ([["1", "2"]], "points must hold numbers, got '1' at row 0, column 0"),
        (np.zeros((3, 0)), "not empty"),
        ([[1.0, np.nan]], "points must be finite, got nan at row 0, column 1"),
    ],
)
def test_bad_input_is_named(points, message):
    with pytest.raises(ValueError, match=message):
        pareto_frontier(points)
