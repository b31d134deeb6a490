import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import xlogy
from sklearn.metrics import log_loss

from snippets.evaluation.normalized_entropy import normalized_entropy

RNG = np.random.default_rng(7)
Y = (RNG.random(200_000) < 0.03).astype(np.int8)
P = np.clip(RNG.beta(1, 30, 200_000), 1e-9, 1 - 1e-9)
W = RNG.exponential(1.0, 200_000)


def entropy(rate):
    return -(xlogy(rate, rate) + xlogy(1 - rate, 1 - rate))


def test_hand_computed():
    # Four rows, one click: the unit is H(1/4) = 0.562335; the loss is (ln 2 + ln 2 + ln 2 + ln 2) / 4 = 0.693147.
    assert normalized_entropy([0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5]) == pytest.approx(0.693147 / 0.562335, rel=1e-6)


@pytest.mark.parametrize("weight", [None, W])
@pytest.mark.parametrize("rate", [None, 0.02])
def test_against_scikit_learn(weight, rate):
    unit = entropy(np.average(Y, weights=weight) if rate is None else rate)
    expected = log_loss(Y, P, sample_weight=weight) / unit
    assert normalized_entropy(Y, P, weight, rate) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("y", [Y.astype(bool), Y.astype(np.uint64), Y.astype(np.float32), list(Y[:70_000])])
def test_every_kind_of_label(y):
    n = len(y)
    assert normalized_entropy(y, P[:n]) == pytest.approx(normalized_entropy(Y[:n], P[:n]), rel=1e-12)


def test_single_precision_is_not_summed_in_single_precision():
    single = P.astype(np.float32)
    assert normalized_entropy(Y, single) == pytest.approx(normalized_entropy(Y, single.astype(np.float64)), rel=1e-12)


def peak_beyond_the_input(*arrays):
    tracemalloc.start()
    normalized_entropy(*arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_log():
    assert peak_beyond_the_input(*(np.tile(a, 5) for a in (Y, P, W))) < 1.1 * peak_beyond_the_input(Y, P, W)


LABELS = st.integers(2, 50).flatmap(
    lambda n: st.tuples(
        arrays(np.int8, n, elements=st.integers(0, 1)).filter(lambda y: 0 < y.sum() < len(y)),
        arrays(np.float64, n, elements=st.floats(0.001, 0.999)),
        arrays(np.int64, n, elements=st.integers(1, 4)),
    )
)


@given(LABELS)
def test_whole_weights_mean_repeated_rows(data):
    y, p, w = data
    assert normalized_entropy(y, p, w) == pytest.approx(normalized_entropy(y.repeat(w), p.repeat(w)), rel=1e-9)


@given(LABELS)
def test_no_constant_beats_the_background_rate(data):
    y, p, _ = data
    assert normalized_entropy(y, np.full(len(y), y.mean())) == pytest.approx(1, rel=1e-9)
    assert normalized_entropy(y, np.full(len(y), p[0])) >= 1 - 1e-9


@given(LABELS)
def test_classes_may_be_swapped(data):
    y, p, _ = data
    assert normalized_entropy(1 - y, 1 - p) == pytest.approx(normalized_entropy(y, p), rel=1e-9)


def test_certain_and_wrong_is_infinite_unless_it_weighs_nothing():
    assert normalized_entropy([0, 1, 1], [0.5, 0.5, 0.0]) == np.inf
    assert normalized_entropy([0, 1, 1], [0.5, 0.5, 0.0], [1, 1, 0]) == pytest.approx(1)
    assert normalized_entropy([0, 1], [0.0, 1.0]) == 0


LATE = 100_000  # a row behind the first chunk


def planted(values, row, value):
    changed = np.array(values, dtype=float)
    changed[row] = value
    return changed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([], []), "y_true is empty"),
        (([0, 1], [0.5]), "y_prob has 1 rows, y_true has 2"),
        (([0, 1], [0.5, 0.5], [1.0]), "sample_weight has 1 rows, y_true has 2"),
        (([[0, 1]], [0.5, 0.5]), r"y_true must have one dimension, got shape \(1, 2\)"),
        ((["no", "yes"], [0.5, 0.5]), "y_true must hold numbers"),
        ((planted(Y, LATE, 2), P), "y_true must be 0 or 1, got 2 at row 100000"),
        ((planted(Y, LATE, np.nan), P), "y_true must be 0 or 1, got nan at row 100000"),
        ((planted(Y, LATE, 0.5), P), "y_true must be 0 or 1, got 0.5 at row 100000"),
        ((Y, planted(P, LATE, 1.5)), r"y_prob must be in \[0, 1\], got 1.5 at row 100000"),
        ((Y, planted(P, LATE, np.nan)), r"y_prob must be in \[0, 1\], got nan at row 100000"),
        ((Y, P, planted(W, LATE, -1)), "sample_weight must be at least 0 and finite, got -1 at row 100000"),
        (
            (Y, P, planted(W, LATE, np.inf)),
            "sample_weight must be at least 0 and finite, got inf at row 100000",
        ),
        ((Y, P, np.zeros(len(Y))), "sample_weight is 0 in every row"),
        (([0, 0], [0.1, 0.1]), "the mean of y_true is 0: normalized entropy needs both classes"),
        (([1, 1], [0.9, 0.9]), "the mean of y_true is 1: normalized entropy needs both classes"),
        (([0, 1], [0.5, 0.5], None, 0.0), r"background_rate must be in \(0, 1\), got 0"),
        (([0, 1], [0.5, 0.5], None, 1.0), r"background_rate must be in \(0, 1\), got 1"),
        (([0, 1], [0.5, 0.5], None, np.nan), r"background_rate must be in \(0, 1\), got nan"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        normalized_entropy(*arguments)


def test_one_class_is_defined_with_a_background_rate():
    assert normalized_entropy([0, 0], [0.1, 0.1], background_rate=0.1) == pytest.approx(
        -np.log(0.9) / entropy(0.1), rel=1e-12
    )


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e308])
@pytest.mark.parametrize("rate", [None, 0.02])
def test_only_ratios_of_weights_count(scale, rate):
    y, p = Y[:1000], P[:1000]
    assert normalized_entropy(y, p, np.full(1000, scale), rate) == pytest.approx(normalized_entropy(y, p, None, rate))
