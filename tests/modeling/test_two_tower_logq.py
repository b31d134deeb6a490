import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.special import softmax

from snippets.modeling.two_tower_logq import TwoTower, in_batch_softmax
from tests.modeling.gradients import hold_spread


def batch(seed=0, n=6, k=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, k)), rng.normal(size=(n, k)), np.log(rng.random(n))


@pytest.mark.parametrize("corrected", [False, True])
def test_the_loss_row_by_row(corrected):
    user, item, log_q = batch()
    expected = []
    for i in range(6):
        scores = np.array([user[i] @ item[j] - (log_q[j] if corrected else 0) for j in range(6)])
        expected.append(-np.log(softmax(scores)[i]))
    loss, _, _ = in_batch_softmax(user, item, log_q if corrected else None)
    assert loss == pytest.approx(np.mean(expected))


def test_gradients_are_finite_differences():
    user, item, log_q = batch()
    _, by_user, by_item = in_batch_softmax(user, item, log_q)
    for got, at, of in [
        (by_user, user, lambda x: in_batch_softmax(x.reshape(6, 3), item, log_q)[0]),
        (by_item, item, lambda x: in_batch_softmax(user, x.reshape(6, 3), log_q)[0]),
    ]:
        np.testing.assert_allclose(got.ravel(), approx_fprime(at.ravel(), of, 1e-7), atol=1e-6)


def clicks(n=30_000):
    """Items of unequal popularity, clicked independently of the user: the log odds of two items are known."""
    rng = np.random.default_rng(0)
    popularity = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
    return np.zeros((n, 1), int), rng.choice(5, (n, 1), p=popularity), popularity


def test_the_correction_gives_the_softmax_over_all_items_and_none_forgets_popularity():
    user, item, popularity = clicks()
    every = np.arange(5)[:, None]
    scores = {}
    for log_q in (False, True):
        model = TwoTower(1, log_q, n_epochs=10, batch_size=64, random_state=0).fit(user, item)
        scores[log_q] = (model.users([[0]]) @ model.items(every).T)[0]
    np.testing.assert_allclose(softmax(scores[True]), popularity, atol=0.03)
    assert np.abs(softmax(scores[False]) - popularity).max() > 0.1


def test_it_learns_by_adagrad():
    rng = np.random.default_rng(3)
    user, item = np.repeat(np.arange(4), 3), np.tile(np.arange(3), 4)
    item[rng.integers(0, 12, 5)] = 0
    arguments = user[:, None], item[:, None]
    start = TwoTower(2, n_epochs=2, batch_size=12, learning_rate=1e-300, random_state=0).fit(*arguments)
    tables = [start.user_table_, start.item_table_]
    squares = [np.full(table.shape, 1e-8) for table in tables]
    log_q = np.log(np.bincount(item) / 12)[item]
    for _ in range(2):
        gradients = in_batch_softmax(tables[0][user], tables[1][item], log_q)[1:]
        for table, square, code, gradient in zip(tables, squares, (user, item), gradients, strict=True):
            step = np.zeros(table.shape)
            np.add.at(step, code, gradient)
            square += step**2
            table -= 0.3 * step / np.sqrt(square)
    model = TwoTower(2, n_epochs=2, batch_size=12, learning_rate=0.3, random_state=0).fit(*arguments)
    np.testing.assert_allclose(model.user_table_, tables[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.item_table_, tables[1], rtol=1e-6, atol=1e-9)


def test_tables_start_as_small_as_asked_for():
    codes = np.arange(300)[:, None]
    tables = TwoTower(64, init_scale=0.3, learning_rate=1e-300, random_state=0).fit(codes, codes)
    hold_spread(tables.user_table_, 0.3)
    hold_spread(tables.item_table_, 0.3)


def test_towers_add_up_embeddings_and_unseen_codes_add_nothing():
    user, item, _ = clicks(2_000)
    item = np.hstack([item, item % 2])
    model = TwoTower(3, random_state=0).fit(user, item)
    table = model.item_table_
    np.testing.assert_allclose(model.items([[3, 1]])[0], table[3] + table[5 + 1])
    np.testing.assert_allclose(model.items([[99, 1]])[0], table[5 + 1])
    np.testing.assert_allclose(model.users([[1]])[0], 0)


def test_it_learns_who_likes_what_and_a_new_item_by_its_category():
    rng = np.random.default_rng(2)
    taste = rng.integers(0, 3, 600)
    user = rng.integers(0, 600, 20_000)
    item = 3 * rng.integers(0, 20, 20_000) + np.where(rng.random(20_000) < 0.9, taste[user], rng.integers(0, 3, 20_000))
    item += 3  # the first three numbers are of no item
    model = TwoTower(4, random_state=0).fit(user[:, None], np.column_stack([item, item % 3]))
    new = model.items([[10_000, c] for c in range(3)])
    guess = (model.users(np.arange(600)[:, None]) @ new.T).argmax(axis=1)
    assert (guess == taste).mean() > 0.95


def test_the_seed_determines_the_tables():
    user, item, _ = clicks(500)
    a, b, c = (TwoTower(2, random_state=s).fit(user, item).item_table_ for s in (0, 0, 1))
    np.testing.assert_array_equal(a, b)
    assert not np.allclose(a, c)


@pytest.mark.parametrize(
    ("arguments", "user", "item", "message"),
    [
        ({"n_factors": 0}, [[0]], [[0]], "n_factors must be at least 1"),
        ({"n_epochs": 0}, [[0]], [[0]], "n_epochs must be at least 1"),
        ({"batch_size": 1}, [[0]], [[0]], "batch_size must be at least 2"),
        ({"learning_rate": np.inf}, [[0]], [[0]], "learning_rate must be positive"),
        ({"learning_rate": 0}, [[0]], [[0]], "learning_rate must be positive"),
        ({"init_scale": np.inf}, [[0]], [[0]], "init_scale must be positive"),
        ({"init_scale": 0}, [[0]], [[0]], "init_scale must be positive"),
        ({}, [[-1]], [[0]], "user_codes must be whole numbers"),
        ({}, [[0]], [[0.5]], "item_codes must be whole numbers"),
        ({}, [0], [[0]], "user_codes must be whole numbers"),
        ({}, np.zeros((0, 1), int), [[0]], "user_codes must be whole numbers"),
        ({}, [[0], [1]], [[0]], "got 2 and 1"),
    ],
)
def test_what_cannot_be_learned_is_named(arguments, user, item, message):
    with pytest.raises(ValueError, match=message):
        TwoTower(**arguments).fit(user, item)


def test_other_fields_than_those_of_fit_are_refused():
    model = TwoTower(2, random_state=0).fit([[0], [1]], [[0], [1]])
    with pytest.raises(ValueError, match="the 1 fields of fit, got 2"):
        model.items([[0, 1]])


def test_what_is_not_asked_for():
    assert vars(TwoTower()) == {
        "n_factors": 16,
        "log_q": True,
        "learning_rate": 0.1,
        "n_epochs": 5,
        "batch_size": 256,
        "init_scale": 0.1,
        "random_state": None,
    }
