import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

from snippets.features.target_encoding import encode_from, encode_ordered, encode_out_of_fold

KEYS = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=20)


def labels(n):
    return st.lists(st.integers(0, 1), min_size=n, max_size=n)


def mean(values, strength, prior):
    return (sum(values) + strength * prior) / (len(values) + strength) if len(values) + strength else prior


@given(st.data(), KEYS, KEYS, st.sampled_from([0.0, 0.5, 20.0]), st.none() | st.floats(0, 1))
def test_against_a_loop(data, key, new, strength, prior):
    y = data.draw(labels(len(key)))
    base = sum(y) / len(y) if prior is None else prior
    expected = [mean([v for k, v in zip(key, y, strict=True) if n is not None and k == n], strength, base) for n in new]
    np.testing.assert_allclose(encode_from(key, y, new, strength, prior), expected, atol=1e-12)


@given(st.data(), KEYS, st.sampled_from([0.5, 20.0]), st.floats(0, 1))
def test_ordered_against_a_loop(data, key, strength, prior):
    y, time = data.draw(labels(len(key))), data.draw(st.lists(st.integers(0, 6), min_size=len(key), max_size=len(key)))
    rows = list(zip(key, y, time, strict=True))
    expected = [
        mean([v for k, v, t in rows if a is not None and k == a and t < at], strength, prior) for a, _, at in rows
    ]
    np.testing.assert_allclose(encode_ordered(key, y, time, strength, prior), expected, atol=1e-12)


@given(st.data(), KEYS.filter(lambda k: len(k) > 1), st.sampled_from([0.0, 5.0]))
def test_out_of_fold_against_a_loop(data, key, strength):
    y = data.draw(labels(len(key)))
    fold = [i % 2 for i in range(len(key))]
    expected = []
    for i, k in enumerate(key):
        others = [j for j in range(len(key)) if fold[j] != fold[i]]
        base = sum(y[j] for j in others) / len(others)
        expected.append(mean([y[j] for j in others if k is not None and key[j] == k], strength, base))
    np.testing.assert_allclose(encode_out_of_fold(key, y, fold, strength), expected, atol=1e-12)


def test_the_prior_is_worth_twenty_rows_unless_told_otherwise():
    assert encode_ordered([1, 1], [1, 1], [1, 2]).tolist() == pytest.approx([0, 1 / 21])
    assert encode_out_of_fold([1, 1, 2, 1], [1, 0, 0, 1], [0, 1, 1, 1]).tolist() == pytest.approx(
        [(1 + 20 / 3) / 22, 1, 1, 1]
    )


def test_against_scikit_learn():
    rng = np.random.default_rng(0)
    key, y = rng.integers(0, 50, 2_000), rng.integers(0, 2, 2_000)
    encoder = TargetEncoder(smooth=20.0, target_type="binary").fit(key[:, None], y)
    np.testing.assert_allclose(encode_from(key, y, np.arange(60)), encoder.transform(np.arange(60)[:, None]).ravel())


def test_its_own_label_leaks_and_the_others_do_not():
    rng = np.random.default_rng(0)
    key, y = rng.integers(0, 5_000, 20_000), rng.integers(0, 2, 20_000)
    own = np.corrcoef(encode_from(key, y, key), y)[0, 1]
    folds = np.corrcoef(encode_out_of_fold(key, y, np.arange(20_000) % 5), y)[0, 1]
    ordered = np.corrcoef(encode_ordered(key, y, np.arange(20_000), prior=0.5), y)[0, 1]
    assert own > 0.4
    assert abs(folds) < 0.05
    assert abs(ordered) < 0.03


def test_times_may_be_dates():
    days = pd.to_datetime(["2026-01-06", "2026-01-05"])
    assert encode_ordered([1, 1], [0, 1], days, strength=1, prior=0).tolist() == [0.5, 0]


@pytest.mark.parametrize("scale", [1e-3, 2**41])
def test_far_apart_and_fractional_times_against_whole_ones(scale):
    rng = np.random.default_rng(0)
    key, y, time = rng.integers(0, 99, 500), rng.integers(0, 2, 500), rng.integers(0, 2**16, 500)
    encoded = encode_ordered(key, y, time * scale)
    np.testing.assert_array_equal(encoded, encode_ordered(key, y, time.astype(np.uint16)))


def test_large_labels_of_one_category_do_not_blur_small_ones_of_another():
    key, y = ["big", "big", "small", "small", "small"], [1e17, 3e17, 0.25, 0.5, 0.125]
    ordered = encode_ordered(key, y, [1, 2, 1, 2, 3], strength=1)
    assert ordered.tolist() == [0, 5e16, 0, 0.125, 0.25]


def test_a_fold_that_is_missing_is_refused_and_a_missing_key_gets_the_prior():
    with pytest.raises(ValueError, match="fold is missing at row 2: leave such rows out"):
        encode_out_of_fold([1, 1, 1], [0, 1, 1], [0, 1, np.nan])
    out = encode_out_of_fold([None, None, 5], [1, 0, 1], ["a", "b", "b"], strength=1)
    assert out.tolist() == [0.5, 1, 1]


def test_sides_that_can_never_match_are_refused():
    with pytest.raises(ValueError, match="key holds whole numbers and new_key text"):
        encode_from([7, 8], [1, 0], ["7", "8"])


def test_a_key_without_rows_gets_the_prior_to_the_last_digit():
    for strength in (0, 5e-324, 3.3, 1e15):
        encoded = encode_from(["a", "a", "a"], [1, 0, 1], ["b", None], strength)
        assert encoded.tolist() == [2 / 3, 2 / 3]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: encode_from([], [], [1]), "key is empty"),
        (lambda: encode_from([1], [1, 0], [1]), "y has 2 rows, key has 1"),
        (lambda: encode_from([1, 1], [1, np.nan], [1]), r"y must be in \(-1e290, 1e290\), got nan at row 1"),
        (lambda: encode_from([1, 1], [0, 1e308], [1]), r"y must be in \(-1e290, 1e290\), got 1e\+308 at row 1"),
        (lambda: encode_ordered([1, 1], [0, 1e308], [1, 2]), r"y must be in \(-1e290, 1e290\), got 1e\+308 at row 1"),
        (lambda: encode_from([1], [1], [1], 2, 1e308), r"prior must be in \(-1e290, 1e290\), got 1e\+308"),
        (lambda: encode_from([1], [1], [1], np.inf), r"strength must be in \[0, 1e15\], got inf"),
        (lambda: encode_from([1], [1], [1], -1), r"strength must be in \[0, 1e15\], got -1"),
        (lambda: encode_out_of_fold([1, 2], [0, 1], [0, 0]), "fold must name at least two folds, got one for all 2"),
        (lambda: encode_out_of_fold([1, 2], [0, 1], [0, 1], -1), r"strength must be in \[0, 1e15\], got -1"),
        (lambda: encode_out_of_fold([1, 2], [0, 1], [0]), "fold has 1 rows, key has 2"),
        (lambda: encode_ordered([1], [1], [1, 2]), "time has 2 rows, key has 1"),
        (lambda: encode_ordered([1], [1], [np.nan]), "time is missing at row 0"),
        (lambda: encode_ordered([1], [1], [1], strength=0), r"strength must be in \(0, 1e15\], got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
