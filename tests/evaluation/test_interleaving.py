import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from snippets.evaluation.interleaving import interleaving_test, team_draft


def naive(a, b, length, first):
    """Team draft of one request, as the paper words it. first[r] says whether b picks first in round r."""
    shown, team = [], []
    while len(shown) < length:
        turn = first[len(shown) // 2] ^ len(shown) % 2
        shown.append(next(item for item in (b if turn else a) if item not in shown))
        team.append(turn)
    return shown, team


REQUESTS = st.integers(1, 7).flatmap(
    lambda k: st.tuples(
        st.lists(
            st.tuples(st.permutations(range(10)), st.permutations(range(10))).map(
                lambda pair: (pair[0][:k], pair[1][:k])
            ),
            min_size=1,
            max_size=5,
        ),
        st.integers(1, k),
        st.integers(0, 100),
    )
)


@given(REQUESTS)
def test_against_the_definition(data):
    pairs, length, seed = data
    a, b = (np.array(rankings) for rankings in zip(*pairs, strict=True))
    items, team = team_draft(a, b, length, seed)
    for i in range(len(a)):
        expected = naive(list(a[i]), list(b[i]), length, list(team[i, ::2]))
        assert (list(items[i]), list(team[i])) == expected


def test_each_team_gets_each_place_half_of_the_time():
    a = np.tile(np.arange(6), (40_000, 1))
    _, team = team_draft(a, a[:, ::-1], 5)
    for place in range(5):
        assert stats.binomtest(int(team[:, place].sum()), 40_000).pvalue > 1e-4
    # The coins of the rounds are independent of each other.
    assert stats.binomtest(int((team[:, 0] == team[:, 2]).sum()), 40_000).pvalue > 1e-4


def test_equal_rankers_are_preferred_equally_often():
    rng = np.random.default_rng(0)
    ranking = rng.permuted(np.tile(np.arange(8), (2_000, 1)), axis=1)
    p_values = []
    for seed in range(200):
        _, team = team_draft(ranking, ranking, 5, seed)
        clicks = rng.random(team.shape) < [0.3, 0.2, 0.1, 0.08, 0.05]
        p_values.append(interleaving_test(clicks, team).p_value)
    assert stats.binomtest(sum(p < 0.05 for p in p_values), 200, 0.05).pvalue > 0.01


def test_preference_by_hand():
    team = [[0, 1, 1], [1, 0, 0], [0, 1, 0], [1, 0, 1]]
    clicks = [[0, 1, 1], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
    # Credits of b minus a: 2, 1, -1, 0.
    assert interleaving_test(clicks, team)[:3] == (1, 2, 1)
    # Users x: 2 - 1, y: 1, z: 0.
    result = interleaving_test(np.array(clicks, bool), team, users=["x", "y", "x", "z"])
    assert result[:3] == (0, 2, 1)
    assert result.p_value == pytest.approx(0.5)


def test_nothing_clicked_says_nothing():
    assert interleaving_test([[0, 0]], [[0, 1]]) == (0, 0, 1, 1.0)


def test_items_may_be_strings():
    items, _ = team_draft([["a", "b"]], [["long", "b"]], 2)
    assert set(items[0]) == {"a", "long"}


@pytest.mark.parametrize(
    ("kind_a", "kind_b"),
    [("int8", "int8"), ("int32", "int64"), ("uint64", "int64"), ("float64", "int64"), ("float16", "uint8")],
)
def test_ids_of_two_dtypes_are_the_same_ids(kind_a, kind_b):
    a, b = np.array([[3, 1, 2], [1, 2, 3]]), np.array([[2, 4, 1], [3, 2, 1]])
    items, team = team_draft(a.astype(kind_a), b.astype(kind_b), 3)
    assert items.tolist() == team_draft(a, b, 3).items.tolist()
    assert items[0].tolist() == naive([3, 1, 2], [2, 4, 1], 3, team[0, ::2].tolist())[0]


def test_ids_keep_their_digits():
    a, b = np.array([[2**63 + 1, 2**63]], np.uint64), np.array([[2**53 + 1, 2**53]])
    items, team = team_draft(a, b, 2)
    assert items[0].tolist() == naive(a[0].tolist(), b[0].tolist(), 2, team[0, ::2].tolist())[0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: team_draft([1, 2], [1, 2], 1), r"ranking_a must have the shape \(requests, k\), got shape \(2,\)"),
        (lambda: team_draft([[1, 2]], [[1, 1]], 1), "ranking_b holds an item twice in row 0"),
        (lambda: team_draft([[1, 2]], [[1, 2, 3]], 1), r"ranking_b has shape \(1, 3\), ranking_a has \(1, 2\)"),
        (lambda: team_draft([[1, 2]], [[1, 2]], 0), r"length must be a whole number in \[1, 2\], got 0"),
        (lambda: team_draft([[1, 2]], [[1, 2]], 3), r"length must be a whole number in \[1, 2\], got 3"),
        (lambda: team_draft([[1, 2]], [[1, 2]], 1.0), r"length must be a whole number in \[1, 2\], got 1.0"),
        (lambda: interleaving_test([], []), r"clicks must have two dimensions, got shape \(0,\)"),
        (lambda: interleaving_test([[2, 0]], [[0, 1]]), "clicks must be 0 or 1, got 2 at row 0, column 0"),
        (lambda: interleaving_test([[1, np.nan]], [[0, 1]]), "clicks must be 0 or 1, got nan"),
        (lambda: interleaving_test([[1, 0]], [[0, 2]]), "team must be 0 or 1, got 2"),
        (lambda: team_draft([[1, 2]], [["1", "2"]], 1), "ranking_a holds whole numbers and ranking_b text"),
        (lambda: team_draft([[1, "1"]], [[1, 2]], 1), "ranking_a holds keys of two kinds"),
        (lambda: team_draft([[1, 2], [1, 2]], [[1, 2], [np.nan, 2]], 1), "ranking_b holds a missing item in row 1"),
        (lambda: team_draft([[1, 2]], [[1, 2]], True), r"length must be a whole number in \[1, 2\], got True"),
        (lambda: interleaving_test([[1, 0]], [[0, 1]], users=[None]), "users is missing at row 0: leave such rows out"),
        (lambda: interleaving_test(np.empty((0, 2)), np.empty((0, 2))), "clicks is empty"),
        (lambda: interleaving_test([[1, 0]], [[0]]), r"team has shape \(1, 1\), clicks has \(1, 2\)"),
        (lambda: interleaving_test([[1, 0]], [[0, 1]], users=[1, 2]), "users has 2 rows, clicks has 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_masked_is_missing_and_rows_are_of_one_length():
    with pytest.raises(ValueError, match="ranking_a holds a missing item in row 0"):
        team_draft(np.ma.array([[1, 2]], mask=[[False, True]]), [[0, 1]], 2)
    with pytest.raises(ValueError, match="ranking_b must have rows of one length"):
        team_draft([[1, 2], [3, 4]], [[1, 2], [3]], 2)
    with pytest.raises(ValueError, match="seed must be a whole number"):
        team_draft([[1, 2]], [[0, 1]], 2, seed="a")
    with pytest.raises(ValueError, match="clicks is empty"):
        interleaving_test(np.zeros((3, 0)), np.zeros((3, 0)))
