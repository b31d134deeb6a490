import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.optimize import approx_fprime
from scipy.special import softmax
from sklearn.model_selection import GridSearchCV

from snippets.modeling.two_tower_logq import TwoTower, in_batch_softmax
from tests.estimators import failed_checks
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
        ({"n_factors": 0}, [[0]], [[0]], "n_factors must be a whole number of at least 1"),
        ({"n_epochs": 0}, [[0]], [[0]], "n_epochs must be a whole number of at least 1"),
        ({"batch_size": 1}, [[0]], [[0]], "batch_size must be a whole number of at least 2"),
        ({"learning_rate": np.inf}, [[0]], [[0]], "learning_rate must be above 0"),
        ({"learning_rate": 0}, [[0]], [[0]], "learning_rate must be above 0"),
        ({"init_scale": np.inf}, [[0]], [[0]], "init_scale must be above 0"),
        ({"init_scale": 0}, [[0]], [[0]], "init_scale must be above 0"),
        ({}, [[0.5]], [[0]], "user_codes must be whole numbers, got 0.5 at row 0, column 0"),
        ({}, [[0]], [[0.5]], "item_codes must be whole numbers, got 0.5 at row 0, column 0"),
        ({}, [[0], [1]], [[0], [-1]], "the identities of item_codes, column 0, must be at least 0, got -1 at row 1"),
        ({}, [0], [[0]], "Expected 2D array"),
        ({}, np.zeros((0, 1), int), [[0]], "a minimum of 1 is required"),
        ({}, [[0], [1]], [[0]], "item_codes has 1 rows, user_codes has 2"),
        ({}, [[0]], None, "requires y"),
        (
            {"learning_rate": 1e200},
            [[0], [1]] * 9,
            [[0], [1]] * 9,
            r"learning_rate 1e\+200 or init_scale .* is too large",
        ),
    ],
)
def test_what_cannot_be_learned_is_named(arguments, user, item, message):
    with pytest.raises(ValueError, match=message):
        TwoTower(**arguments).fit(user, item)


def test_other_fields_than_those_of_fit_are_refused():
    model = TwoTower(2, random_state=0).fit([[0], [1]], [[0], [1]])
    for vectors in (model.users, model.items):
        with pytest.raises(ValueError, match="expecting 1 feature"):
            vectors([[0, 1]])
    user = pd.DataFrame({"user": [0, 1], "age": [0, 1]})
    item = pd.DataFrame({"item": [0, 1], "kind": [0, 1]})
    model = TwoTower(2, random_state=0).fit(user, item)
    np.testing.assert_array_equal(model.items(item), model.items(pl.from_pandas(item)))
    for vectors, frame in ((model.users, user), (model.items, item)):
        with pytest.raises(ValueError, match="feature names"):
            vectors(frame[frame.columns[::-1]])


def test_vectors_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="same number of factors, got 2 and 1"):
        in_batch_softmax([[1, 2]], [[1]])
    with pytest.raises(ValueError, match="so large that a score overflows"):
        in_batch_softmax([[1e200], [1]], [[1e200], [1]])
    with pytest.raises(ValueError, match="log_q has 2 rows, user has 1"):
        in_batch_softmax([[1]], [[1]], [-1, -2])


def test_codes_may_be_of_any_size_and_only_those_of_fit_have_a_row():
    user, item, _ = clicks(300)
    item = np.hstack([item, item % 2])
    model, far = TwoTower(2, random_state=0), 10**15
    vectors = model.fit(user, item).items(item)
    np.testing.assert_array_equal(model.fit(user - 2**60 + 2**62, item * far).items(item * far), vectors)
    assert model.item_table_.shape == (5 + 2, 2)
    assert not model.items(item[item[:, 0] > 0] + 1).any()


def test_a_missing_code_adds_nothing_in_fit_either():
    user, item, _ = clicks(300)
    category = np.where(item > 2, -1, item)
    model = TwoTower(2, random_state=0).fit(user, np.hstack([item, category]))
    assert len(model.item_table_) == 5 + 3
    np.testing.assert_allclose(model.items([[4, -1]])[0], model.item_table_[4])


def test_it_is_searched_with_a_measure_of_ones_own():
    user, item, _ = clicks(200)

    def score(model, user, item):
        return -in_batch_softmax(model.users(user), model.items(item))[0]

    search = GridSearchCV(TwoTower(random_state=0), {"n_factors": [1, 2]}, scoring=score, cv=2, error_score="raise")
    assert search.fit(user, item).best_params_["n_factors"] in (1, 2)


def test_scikit_learns_own_checks_but_those_for_a_y_and_for_fractions():
    assert failed_checks(TwoTower(random_state=0), at_least=35).keys() == {
        "check_dtype_object",
        "check_fit_score_takes_y",  # its second argument is called item_codes
    }


def test_what_is_not_asked_for():
    assert TwoTower().get_params() == {
        "n_factors": 16,
        "log_q": True,
        "learning_rate": 0.1,
        "n_epochs": 5,
        "batch_size": 256,
        "init_scale": 0.1,
        "random_state": None,
    }


@pytest.mark.parametrize("seed", ["a", 1.5, -1])
def test_a_seed_that_is_none_is_named(seed):
    with pytest.raises(ValueError, match="random_state must be a whole number of at least 0"):
        TwoTower(random_state=seed).fit([[0], [1]], [[0], [1]])
