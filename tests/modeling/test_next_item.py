import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snippets.modeling.next_item import NextItem

events = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=30)


@settings(max_examples=60)
@given(events, st.integers(1, 3), st.sampled_from([1.0, 0.5]), st.integers(0, 10**6))
def test_against_loops(rows, n_lags, decay, seed):
    user, item, time = map(np.array, zip(*rows, strict=True))
    model = NextItem(n_lags, decay, shrink=2.0).fit(user, item, time, n_items=5)
    count = np.zeros((5, 5))
    for u in set(user.tolist()):
        own = [i for _, i in sorted([(t, i) for (w, i, t) in rows if w == u], key=lambda pair: pair[0])]
        for a in range(len(own)):
            for b in range(a + 1, min(a + n_lags, len(own) - 1) + 1):
                count[own[a], own[b]] += decay ** (b - a - 1)
    np.testing.assert_allclose(model.follows_.toarray(), count)
    popularity = np.bincount(item, minlength=5) / len(item)
    np.testing.assert_allclose(model.popularity_, popularity)
    history = np.random.default_rng(seed).integers(-1, 5, (4, n_lags))
    expected = np.zeros((4, 5))
    for row in range(4):
        for back, last in enumerate(history[row][::-1]):
            if last >= 0:
                follows = (count[last] + 2.0 * popularity) / (count[last].sum() + 2.0)
                expected[row] += decay**back * follows
    np.testing.assert_allclose(model.scores(history), expected, atol=2e-6)


def test_an_empty_history_ranks_by_popularity():
    model = NextItem().fit([1, 1, 2, 3], [2, 2, 0, 2], [1, 2, 3, 4], n_items=4)
    assert np.argsort(-model.scores([[-1, -1]])[0], kind="stable").tolist() == [2, 0, 1, 3]


def test_more_steps_back_than_there_are_events_are_as_many_as_there_are():
    one, many = (NextItem(n).fit(["a", "a", "b"], [0, 1, 1], [2, 1, 1], n_items=2) for n in (1, 10**9))
    np.testing.assert_array_equal(one.follows_.toarray(), [[0, 0], [1, 0]])
    np.testing.assert_array_equal(many.follows_.toarray(), one.follows_.toarray())


def test_it_learns_an_order():
    rng = np.random.default_rng(0)
    steps = (np.cumsum(rng.random((300, 20)) < 0.9, axis=1) + rng.integers(0, 10, (300, 1))) % 10
    user = np.repeat(np.arange(300), 20)
    model = NextItem(n_lags=1).fit(user, steps.ravel(), np.tile(np.arange(20), 300), n_items=10)
    assert model.scores(np.arange(10)[:, None]).argmax(axis=1).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NextItem(n_lags=0).fit([1], [0], [1], 1), "n_lags must be a whole number of at least 1, got 0"),
        (lambda: NextItem(decay=0).fit([1], [0], [1], 1), r"decay must be in \(0, 1\]"),
        (lambda: NextItem(decay=1.1).fit([1], [0], [1], 1), r"decay must be in \(0, 1\], got 1.1"),
        (lambda: NextItem(shrink=np.inf).fit([1], [0], [1], 1), "shrink must be above 0 and finite"),
        (lambda: NextItem(shrink=0).fit([1], [0], [1], 1), "shrink must be above 0"),
        (lambda: NextItem().fit([1], [1], [1], 1), "item must be at most 0, got 1 at row 0"),
        (lambda: NextItem().fit([1], [-1], [1], 1), "item must be at least 0, got -1 at row 0"),
        (lambda: NextItem().fit([1], [0.5], [1], 1), "item must be whole numbers, got 0.5 at row 0"),
        (lambda: NextItem().fit([1, None], [0, 0], [1, 2], 1), "user is missing at row 1: leave such rows out"),
        (lambda: NextItem().fit([1], [0], [1], 0), "n_items must be a whole number of at least 1, got 0"),
        (lambda: NextItem(2).fit([1], [0], [1], 1).scores(np.zeros((0, 2))), "histories is empty"),
        (lambda: NextItem().fit([], [], [], 1), "user is empty"),
        (lambda: NextItem(2).fit([1], [0], [1], 1).scores([0]), "histories must have two dimensions"),
        (lambda: NextItem(2).fit([1], [0], [1], 1).scores([[0, 0, 0]]), r"at most 2\), got \(1, 3\)"),
        (
            lambda: NextItem(2).fit([1], [0], [1], 1).scores([[1]]),
            "histories must be at most 0, got 1 at row 0, column 0",
        ),
    ],
)
def test_what_is_wrong_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_not_asked_for():
    assert NextItem().get_params() == {"n_lags": 5, "decay": 0.8, "shrink": 5.0}


def test_steps_back_beyond_the_longest_history_cost_nothing():
    user, item = np.repeat(np.arange(50_000), 2), np.tile([0, 1], 50_000)
    began = time.perf_counter()
    follows = NextItem(n_lags=10**9).fit(user, item, np.arange(100_000), 2).follows_
    assert follows.toarray().tolist() == [[0, 50_000], [0, 0]]
    assert time.perf_counter() - began < 5  # 100,000 steps over the log would take a minute
