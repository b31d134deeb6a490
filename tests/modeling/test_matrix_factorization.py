import tracemalloc

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.sparse import coo_array, csr_matrix

from snippets.modeling.matrix_factorization import ImplicitALS


@pytest.fixture
def counts():
    rng = np.random.default_rng(0)
    return csr_matrix(rng.poisson(0.5, (12, 9)) * (rng.random((12, 9)) < 0.6))


def loss(users, items, counts, alpha, l2):
    """Equation 3 of the paper, pair by pair."""
    total = l2 * ((users**2).sum() + (items**2).sum())
    for u, row in enumerate(counts.toarray()):
        for i, r in enumerate(row):
            total += (1 + alpha * r) * ((r > 0) - users[u] @ items[i]) ** 2
    return total


def test_each_half_step_is_the_minimum_that_scipy_finds(counts):
    model = ImplicitALS(3, alpha=4.0, l2=0.7, n_iterations=1, random_state=0).fit(counts)
    users = model.fold_in(counts)
    for u in range(counts.shape[0]):

        def one(x, u=u):
            moved = users.copy()
            moved[u] = x
            return loss(moved, model.item_factors_, counts, 4.0, 0.7)

        found = minimize(one, np.zeros(3), tol=1e-10)
        np.testing.assert_allclose(users[u], found.x, atol=1e-4)


@pytest.mark.parametrize("n_factors", [1, 3, 8, 20])
def test_both_ways_to_solve_are_the_normal_equations_of_the_paper(n_factors):
    rng = np.random.default_rng(0)
    counts = csr_matrix(rng.poisson(0.3, (40, 25)).astype(np.uint8))
    model = ImplicitALS(n_factors, alpha=4.0, l2=0.7, n_iterations=2, random_state=0).fit(counts)
    Y, R = model.item_factors_, counts.toarray().astype(float)
    expected = [
        np.linalg.solve(Y.T @ np.diag(1 + 4 * r) @ Y + 0.7 * np.eye(n_factors), Y.T @ ((1 + 4 * r) * (r > 0)))
        for r in R
    ]
    np.testing.assert_allclose(model.fold_in(counts), expected, rtol=1e-9, atol=1e-12)


def test_memory_grows_with_the_factors_not_with_their_square():
    rng = np.random.default_rng(0)
    place = rng.integers(0, 4_000, 20_000), rng.integers(0, 2_000, 20_000)
    clicks, held = csr_matrix((np.ones(20_000), place), (4_000, 2_000)), []
    for k in (16, 64):
        tracemalloc.start()
        ImplicitALS(k, n_iterations=1, random_state=0).fit(clicks)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert held[1] < 5 * held[0]
    assert held[1] < 8 * 6_000 * 64 * 8


def test_where_all_is_excluded_nothing_is_recommended():
    seen = csr_matrix([[1, 1, 1, 0], [1, 0, 0, 1], [1, 1, 1, 1]])
    top = ImplicitALS(2, random_state=0).fit(seen).recommend([0, 1, 2], 3, exclude=seen)
    assert top[0].tolist() == [3, -1, -1]
    assert sorted(top[1, :2]) == [1, 2]
    assert top[1, 2] == -1
    assert top[2].tolist() == [-1, -1, -1]


def test_many_users_are_asked_for_in_parts(monkeypatch, counts):
    model = ImplicitALS(3, random_state=0).fit(counts)
    whole = model.recommend(np.arange(12), 4, exclude=counts)
    monkeypatch.setattr("snippets.modeling.matrix_factorization.CELLS", 2)
    np.testing.assert_array_equal(model.recommend(np.arange(12), 4, exclude=counts), whole)


def test_the_loss_falls_with_every_iteration(counts):
    losses = []
    for n in range(1, 8):
        model = ImplicitALS(3, alpha=4.0, l2=0.7, n_iterations=n, random_state=0).fit(counts)
        losses.append(loss(model.user_factors_, model.item_factors_, counts, 4.0, 0.7))
    assert np.all(np.diff(losses) < 0)


def test_it_finds_groups_of_taste_on_held_out_clicks():
    rng = np.random.default_rng(1)
    group_of_user, group_of_item = rng.integers(0, 4, 400), rng.integers(0, 4, 100)
    match = group_of_user[:, None] == group_of_item[None, :]
    clicks = csr_matrix((rng.random((400, 100)) < np.where(match, 0.2, 0.01)).astype(float))
    model = ImplicitALS(4, random_state=0).fit(clicks)
    top = model.recommend(np.arange(400), 5, exclude=clicks)
    assert np.take_along_axis(match, top, axis=1).mean() > 0.9
    assert clicks[np.arange(400)[:, None], top].sum() == 0


def test_recommendations_are_in_order_and_of_the_users_asked_for(counts):
    model = ImplicitALS(3, random_state=0).fit(counts)
    scores = model.user_factors_ @ model.item_factors_.T
    top = model.recommend([7, 2], 9)
    np.testing.assert_array_equal(top, np.argsort(-scores[[7, 2]], axis=1))
    np.testing.assert_array_equal(model.recommend([7, 2], 1), top[:, :1])


def test_the_seed_determines_the_vectors_and_doubled_entries_are_summed(counts):
    twice = csr_matrix((np.tile(counts.data / 2, 2), (np.tile(counts.tocoo().row, 2), np.tile(counts.tocoo().col, 2))))
    twice.resize(counts.shape)
    a, b = (ImplicitALS(2, random_state=3).fit(c).user_factors_ for c in (counts, twice))
    np.testing.assert_allclose(a, b)
    assert not np.allclose(a, ImplicitALS(2, random_state=4).fit(counts).user_factors_)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_factors": 0}, "n_factors must be a whole number of at least 1"),
        ({"alpha": 0}, "alpha must be above 0"),
        ({"alpha": np.inf}, "alpha must be above 0 and finite"),
        ({"l2": np.inf}, "l2 must be above 0 and finite"),
        ({"l2": 0}, "l2 must be above 0"),
        ({"n_iterations": 0}, "n_iterations must be a whole number of at least 1"),
    ],
)
def test_parameters_out_of_range_are_named(arguments, message, counts):
    with pytest.raises(ValueError, match=message):
        ImplicitALS(**arguments).fit(counts)


def test_interactions_and_k_are_checked(counts):
    with pytest.raises(ValueError, match="sparse matrix, got ndarray"):
        ImplicitALS().fit(np.ones((2, 2)))
    for value in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"got {value}"):
            ImplicitALS().fit(csr_matrix([[1.0, value]]))
    with pytest.raises(ValueError, match="numbers, got complex"):
        ImplicitALS().fit(csr_matrix([[1j]]))
    model = ImplicitALS(2).fit(counts)
    for user in (-1, 12):
        with pytest.raises(ValueError, match=f"users must be at .*, got {user} at row 1"):
            model.recommend([0, user], 1)
    for exclude in (counts[:3], counts.toarray()):
        with pytest.raises(ValueError, match=r"exclude must be a sparse matrix of shape \(12, 9\)"):
            model.recommend([0], 1, exclude=exclude)
    with pytest.raises(ValueError, match="9 columns, got 2"):
        model.fold_in(csr_matrix([[1.0, 0]]))
    for k in (0, 10):
        with pytest.raises(ValueError, match=rf"k must be a whole number in \[1, 9\], got {k}"):
            model.recommend([0], k)


def test_what_is_not_asked_for():
    assert vars(ImplicitALS()) == {"n_factors": 16, "alpha": 10.0, "l2": 1.0, "n_iterations": 10, "random_state": None}


@pytest.mark.parametrize(
    ("parameters", "scale", "message"),
    [({"l2": 1e-300}, 1, "l2 is too small"), ({"alpha": 1e300}, 1, "at most"), ({}, 1e20, "at most 1e")],
)
def test_what_loses_all_digits_is_refused(parameters, scale, message):
    counts = csr_matrix(np.random.default_rng(0).poisson(0.5, (30, 6)) * float(scale))
    with pytest.raises(ValueError, match=message):
        ImplicitALS(random_state=0, **parameters).fit(counts)


def test_counts_of_one_dimension_are_refused():
    with pytest.raises(ValueError, match="sparse matrix, got coo_array"):
        ImplicitALS().fit(coo_array(np.array([1, 0, 2])))
