import functools
import json
import math
import random
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from snippets.evaluation.ab_test import delta_method_ratio
from snippets.evaluation.calibration import calibration_ratio, reliability_curve
from snippets.evaluation.drift import population_stability_index, psi_bins
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.scale.mergeable_metrics import (
    Calibration,
    HistogramAUC,
    NormalizedEntropy,
    RatioOfTotals,
    StabilityIndex,
)

TENTHS = np.arange(1, 10) / 10
EMPTY = [NormalizedEntropy, Calibration, lambda: StabilityIndex([0.0]), RatioOfTotals, lambda: HistogramAUC([0.5])]


def any_tree(parts, seed):
    """Merge parts in a random order, along a random tree; some of them travel as JSON."""
    rng, parts = random.Random(seed), list(parts)
    rng.shuffle(parts)
    while len(parts) > 1:
        one, other = (parts.pop(rng.randrange(len(parts))) for _ in range(2))
        if rng.random() < 0.3:
            one = type(one).from_state(json.loads(json.dumps(one.state())))
        parts.append(one.merge(other))
    return parts[0]


def any_split(n, seed):
    """Return the rows of each of a few parts, some of them without rows."""
    part = np.random.default_rng(seed).integers(0, 7, n)
    return [np.flatnonzero(part == i) for i in range(9)]


def log(seed, n):
    """Return labels, predictions with ties, weights, numerators and denominators of every size, by row."""
    rng = np.random.default_rng(seed)
    p = np.where(rng.random(n) < 0.3, rng.integers(0, 11, n) / 10, rng.beta(1, 20, n))
    p = np.where(rng.random(n) < 0.1, 10.0 ** rng.uniform(-320, 0, n), p)
    y = (rng.random(n) < np.clip(p, 1e-3, 1 - 1e-3)).astype(float)
    w = np.where(rng.random(n) < 0.2, 0.0, 10.0 ** rng.uniform(-6, 6, n))
    return y, p, w, rng.normal(3, 10, n), rng.integers(0, 9, n).astype(float)


METRICS = {
    "entropy": (NormalizedEntropy, lambda part, y, p, w, top, bottom: part.update(y, p)),
    "entropy, weighted": (NormalizedEntropy, lambda part, y, p, w, top, bottom: part.update(y, p, w)),
    "calibration": (lambda: Calibration(TENTHS), lambda part, y, p, w, top, bottom: part.update(y, p)),
    "stability": (
        lambda: StabilityIndex([-1, 0.3, 4]),
        lambda part, y, p, w, top, bottom: part.update(top, "expected").update(bottom, "actual"),
    ),
    "ratio": (RatioOfTotals, lambda part, y, p, w, top, bottom: part.update(top, bottom)),
    "AUC": (lambda: HistogramAUC(TENTHS), lambda part, y, p, w, top, bottom: part.update(y, p)),
}


def found(part):
    """Return all results as one list of floats, or the complaint."""
    try:
        results = [part.result(), *(part.bins() if isinstance(part, Calibration) else ())]
    except ValueError as error:
        return str(error)
    return np.concatenate([np.ravel(np.asarray(r, float)) for r in results])


@pytest.mark.parametrize("name", METRICS)
@given(st.integers(0, 2**32), st.integers(1, 60), st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_any_split_any_order_and_any_tree_give_the_same(name, seed, n, tree):
    new, add = METRICS[name]
    columns = log(seed, n)
    whole = found(add(new(), *columns))
    parts = [add(new(), *(column[rows] for column in columns)) for rows in any_split(n, tree)]
    merged = found(any_tree(parts, tree))
    np.testing.assert_array_equal(merged, whole)
    assert any_tree(parts, tree + 1).state() == add(new(), *columns).state()


@pytest.mark.parametrize("name", METRICS)
def test_a_thousand_parts_in_two_orders(name):
    new, add = METRICS[name]
    columns = log(0, 150_000)  # more than a step
    parts = [add(new(), *(column[rows] for column in columns)) for rows in np.array_split(np.arange(150_000), 1_000)]
    whole, one, other = found(add(new(), *columns)), found(any_tree(parts, 1)), found(any_tree(parts[::-1], 2))
    np.testing.assert_array_equal(one, whole)
    np.testing.assert_array_equal(other, one)


@given(st.integers(0, 2**32), st.integers(2, 300))
@settings(deadline=None)
def test_against_the_snippets_of_one_process(seed, n):
    y, p, w, top, bottom = log(seed, n)
    w = np.where(w > 0, 0.1 + np.abs(np.log(w + 1)), 0)  # the snippet has few digits for a rate of nearly 1
    assume({*y[w > 0]} == {0, 1} and bottom.any())
    close = functools.partial(pytest.approx, rel=1e-12)
    assert NormalizedEntropy().update(y, p).result() == close(normalized_entropy(y, p))
    assert NormalizedEntropy().update(y, p, w).result() == close(normalized_entropy(y, p, w))
    calibration = Calibration(TENTHS).update(y, p)
    assert calibration.result() == close(calibration_ratio(y, p))
    for one, other in zip(calibration.bins(), reliability_curve(y, p, strategy="uniform"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert RatioOfTotals().update(top, bottom).result() == close(delta_method_ratio(top, bottom), abs=1e-9)


@given(st.integers(0, 2**32), st.integers(2, 12), st.integers(2, 12))
@settings(deadline=None)
def test_stability_against_the_snippet_where_no_value_is_on_an_edge(seed, per_bin, n_bins):
    rng = np.random.default_rng(seed)
    reference, sample = rng.normal(size=per_bin * n_bins), rng.normal(0.3, 1, rng.integers(1, 200))
    ordered = np.sort(reference)
    edges = (ordered[per_bin::per_bin] + ordered[per_bin - 1 : -1 : per_bin]) / 2
    part = StabilityIndex(edges).update(reference, "expected").update(sample, "actual")
    np.testing.assert_array_equal(part._sums.astype(int), psi_bins(reference, sample, n_bins))
    assert part.result() == pytest.approx(population_stability_index(reference, sample, n_bins), rel=1e-12)


def test_stability_of_values_and_of_bins_that_only_one_sample_has():
    reference, sample = [1, 1, 2, 2, 2, 4], [1, 2, 3, 3, 9]
    wanted = np.array([[2, 3, 0.5, 1], [1, 1, 2, 1]])
    e, a = wanted / wanted.sum(axis=1, keepdims=True)
    part = StabilityIndex([-5, 0, 1, 2, 3]).update(reference, "expected").update(sample, "actual")
    assert part.result() == pytest.approx(float(((a - e) * np.log(a / e)).sum()), rel=1e-12)


@given(st.integers(0, 2**32), st.integers(2, 200), st.lists(st.floats(-2, 2), min_size=1, max_size=9, unique=True))
@settings(deadline=None)
def test_the_exact_auc_lies_between_the_bounds(seed, n, edges):
    rng = np.random.default_rng(seed)
    y, score = rng.integers(0, 2, n), np.round(rng.normal(size=n), int(rng.integers(0, 3)))
    assume(0 < y.sum() < n)
    exact = roc_auc_score(y, score)
    coarse = HistogramAUC(sorted(edges)).update(y, score).result()
    assert coarse.low <= exact * (1 + 1e-12)
    assert exact * (1 - 1e-12) <= coarse.high
    assert coarse.estimate == pytest.approx((coarse.low + coarse.high) / 2, rel=1e-12)
    values = np.unique(score)
    fine = HistogramAUC((values[1:] + values[:-1]) / 2 if len(values) > 1 else [9.0]).update(y, score).result()
    assert fine.estimate == pytest.approx(exact, rel=1e-12)


def test_each_bound_of_the_auc_is_reached():
    y = [0, 1, 0, 1]  # two bins: a click and another row in each
    part = HistogramAUC([5]).update(y, [1, 2, 6, 7])
    assert part.result() == (0.5, 0.25, 0.75)
    assert roc_auc_score(y, [1, 2, 6, 7]) == 0.75
    assert roc_auc_score(y, [2, 1, 7, 6]) == 0.25
    infinite = HistogramAUC([0.0]).update([0, 1], [-np.inf, np.inf]).result()
    assert infinite == (1, 1, 1)


@pytest.mark.parametrize("mean", [0, 1e3, 1e6, 1e9])
def test_a_spread_beside_a_mean_a_billion_times_as_large(mean):
    x = mean + np.random.default_rng(0).normal(size=20_000)
    exact = [Fraction(v) for v in x.tolist()]
    centre = sum(exact) / len(exact)
    wanted = math.sqrt(sum((v - centre) ** 2 for v in exact) / (len(x) - 1) / len(x))
    parts = [RatioOfTotals().update(v, np.ones(len(v))) for v in np.array_split(x, 300)]
    result = any_tree(parts, 0).result()
    assert result.estimate == pytest.approx(float(centre), rel=1e-15)
    assert result.standard_error == pytest.approx(wanted, rel=1e-12)


def test_a_ratio_that_never_varies_has_no_error():
    x = np.random.default_rng(0).lognormal(0, 5, 1_000)
    assert RatioOfTotals().update(x / 4, x).result() == (0.25, 0.0)
    whole = np.floor(10 ** np.random.default_rng(0).uniform(0, 15, (6, 3_000)))
    for y in whole:  # of whose squares even two floats lose the end
        for times in (3, 5, 7):
            assert RatioOfTotals().update(times * y, y).result() == (times, 0)


@pytest.mark.parametrize(
    ("top", "bottom"),
    [(1e139, 1e-139), (1e-139, 1e139), (1e139, 1e139), (1e-200, 1), (1, 1e-250), (1e-320, 1), (1e300, 1e300)],
)
def test_ratios_of_every_size(top, bottom):
    estimate, error = RatioOfTotals().update([top, 3 * top, top], [bottom, bottom, 2 * bottom]).result()
    wanted = delta_method_ratio([1, 3, 1], [1, 1, 2])
    rel = 1e-9 if min(top, bottom) > 1e-300 else 1e-3  # the smallest floats have few digits
    assert (estimate / top * bottom, error / top * bottom) == pytest.approx(wanted, rel=rel)


def test_a_ratio_beyond_floats_is_refused():
    part = RatioOfTotals().update([1e139, 2e139], [1e-200, 1e-200])
    with pytest.raises(ValueError, match="numerator over denominator is more than floats hold"):
        part.result()


def test_the_sums_of_an_engine_are_a_state(duck):
    y, p, w, _, _ = log(0, 5_000)
    duck.table("scored", pd.DataFrame({"y": y, "p": np.clip(p, 0.01, 0.99), "w": w}))
    sums = duck.sql("""
        SELECT -sum(w * ln(CASE WHEN y = 1 THEN p ELSE 1 - p END)) AS loss, 0.0 AS missed,
            sum(w * y) AS clicks, sum(w * (1 - y)) AS others
        FROM scored""")
    state = {"metric": "NormalizedEntropy", "sums": sums.iloc[0].tolist()}
    wanted = normalized_entropy(y, np.clip(p, 0.01, 0.99), w)
    assert NormalizedEntropy.from_state(state).result() == pytest.approx(wanted, rel=1e-12)


def test_a_certain_miss_is_infinite_unless_it_weighs_nothing():
    part, sound = NormalizedEntropy().update([0, 1], [0.1, 0.0]), NormalizedEntropy().update([0, 1], [0.1, 0.9])
    assert part.merge(sound).result() == math.inf
    light = NormalizedEntropy().update([0, 1, 1], [0.1, 0.0, 0.9], [1, 0, 1])
    assert light.result() == sound.result()
    assert json.loads(json.dumps(part.state(), allow_nan=False)) == part.state()


def test_counts_are_exact_beyond_what_one_float_holds():
    part = Calibration([0.5]).update([0, 1], [0.25, 0.75])
    one = part
    for _ in range(59):
        part = part.merge(part)
    part = part.merge(one)
    assert part.bins().count.tolist() == [2**59 + 1] * 2
    area = HistogramAUC([0.5]).update([0, 1, 1], [0.1, 0.2, 0.9])
    many = functools.reduce(lambda a, _: a.merge(a), range(60), area)
    assert many.merge(HistogramAUC([0.5]).update([1], [0.9])).result().low == (2**60 + 1) / (2**61 + 1)
    assert many.result() == area.result()


@pytest.mark.parametrize("name", METRICS)
def test_merging_changes_neither_part(name):
    new, add = METRICS[name]
    one, other = add(new(), *log(1, 50)), add(new(), *log(2, 50))
    before = one.state(), other.state()
    merged = one.merge(other)
    assert (one.state(), other.state()) == before
    one.merge(one)
    add(merged, *log(3, 50))
    assert (one.state(), other.state()) == before


@pytest.mark.parametrize("name", METRICS)
def test_a_part_without_rows_changes_nothing(name):
    new, add = METRICS[name]
    one = add(new(), *log(1, 50))
    none = add(new(), *(column[:0] for column in log(1, 50)))
    assert none.state() == new().state()
    assert one.merge(none).state() == none.merge(one).state() == one.state()


@pytest.mark.parametrize("new", EMPTY)
def test_what_has_no_row_has_no_result(new):
    with pytest.raises(ValueError, match=r"^(y_true|values|denominator) .*(row|click)"):
        new().result()


def test_what_is_not_defined_is_refused():
    with pytest.raises(ValueError, match="the mean of y_true is 1: normalized entropy needs both classes"):
        NormalizedEntropy().update([1, 1], [0.5, 0.5]).result()
    with pytest.raises(ValueError, match="y_true holds no click yet"):
        Calibration().update([0], [0.5]).result()
    with pytest.raises(ValueError, match="values has no row of the actual sample yet"):
        StabilityIndex([0]).update([1], "expected").result()
    with pytest.raises(ValueError, match="y_true needs rows of both classes"):
        HistogramAUC([0]).update([1], [1]).result()
    with pytest.raises(ValueError, match="two rows or more"):
        RatioOfTotals().update([1], [1]).result()
    with pytest.raises(ValueError, match="not all 0"):
        RatioOfTotals().update([1, 1], [0, 0]).result()
    with pytest.raises(ValueError, match="sample must be 'expected' or 'actual', got 'today'"):
        StabilityIndex([0]).update([1], "today")


def test_rows_are_added_all_or_none():
    y = np.zeros(200_000)
    y[150_000] = 2
    part = NormalizedEntropy()
    with pytest.raises(ValueError, match="y_true must be 0 or 1, got 2 at row 150000"):
        part.update(y, np.full(200_000, 0.5))
    assert part.state() == NormalizedEntropy().state()


@pytest.mark.parametrize(
    ("edges", "complaint"),
    [
        ([], "edges is empty"),
        ([1, 1], "edges must increase, got 1 at row 1"),
        ([0, 2, 1], "edges must increase, got 1 at row 2"),
        ([0, np.inf], "edges must be finite, got inf at row 1"),
        ([[0, 1]], "edges must have one dimension"),
    ],
)
def test_edges_that_make_no_bins_are_refused(edges, complaint):
    for new in (Calibration, StabilityIndex, HistogramAUC):
        with pytest.raises(ValueError, match=complaint):
            new(edges)


def test_edges_are_those_of_the_beginning():
    edges = np.array([0.0, 1.0])
    part = HistogramAUC(edges)
    edges[:] = 9
    assert part.edges.tolist() == [0, 1]


@pytest.mark.parametrize(
    "other", [NormalizedEntropy(), HistogramAUC([0.5]), HistogramAUC([0.25, 0.5]), StabilityIndex([0.25]), None]
)
def test_parts_of_two_kinds_do_not_merge(other):
    with pytest.raises(
        ValueError, match=f"other must be a HistogramAUC with the same edges, got {type(other).__name__}"
    ):
        HistogramAUC([0.25]).merge(other)


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        (None, "state must be that of a HistogramAUC, got None"),
        ({}, "state must be that of a HistogramAUC"),
        (NormalizedEntropy().state(), "state must be that of a HistogramAUC"),
        ({"metric": "HistogramAUC", "sums": [[0.0]]}, "state must be that of a HistogramAUC"),
        ({"metric": "HistogramAUC", "edges": [0]}, "state must be that of a HistogramAUC"),
        ({"metric": "HistogramAUC", "edges": [0], "sums": [[0]]}, r"sums must have the shape \(2, 2\), got \(1, 1\)"),
        *(
            ({"metric": "HistogramAUC", "edges": [0], "sums": sums}, "state must be that of a HistogramAUC.*Error")
            for sums in ([[np.nan]], [[np.inf]], [["1/0"]], [["many"]], [[None]], [[1, 2], [3]])
        ),
        (
            {"metric": "HistogramAUC", "edges": [0], "sums": [[1, 2], [-1, 3]]},
            r"sums\[1\] must be at least 0, got -1",
        ),
    ],
)
def test_a_state_of_something_else_is_refused(state, complaint):
    with pytest.raises(ValueError, match=complaint):
        HistogramAUC.from_state(state)


def test_a_state_that_lost_its_edges_is_not_given_others():
    state = Calibration().update([0, 1], [0.5, 0.5]).state()
    del state["edges"]
    with pytest.raises(ValueError, match="state must be that of a Calibration"):
        Calibration.from_state(state)


def test_squares_that_a_database_rounded_away_are_refused():
    x = 1e9 + np.random.default_rng(0).normal(size=1_000)
    columns = [x * 0 + 1, x, x * 0 + 1, x * x, x, x * 0 + 1]
    state = {"metric": "RatioOfTotals", "sums": [float(np.sum(c)) for c in columns]}
    state["sums"][3] *= 1 - 1e-15
    with pytest.raises(ValueError, match="sums are of no rows: their squares are rounded or wrong"):
        RatioOfTotals.from_state(state).result()
    state["sums"][1] *= -1  # a numerator may be negative
    assert RatioOfTotals.from_state(state)._sums[1] < 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=60), st.integers(0, 99))
@settings(deadline=None)
def test_sums_and_squares_are_exact_for_all_floats(values, seed):
    x = np.array(values)
    y = np.abs(np.random.default_rng(seed).permutation(x))
    exact_x, exact_y = ([Fraction(v) for v in column.tolist()] for column in (x, y))
    wanted = [
        len(x),
        sum(exact_x),
        sum(exact_y),
        *(
            sum(a * b for a, b in zip(*pair, strict=True))
            for pair in ((exact_x, exact_x), (exact_x, exact_y), (exact_y, exact_y))
        ),
    ]
    assert RatioOfTotals().update(x, y)._sums.tolist() == wanted


def test_sums_of_a_full_step_of_the_longest_floats_are_exact():
    p = np.full(70_000, np.nextafter(1, 0))
    assert Calibration([0.5]).update(p * 0, p)._sums[1].tolist() == [0, 70_000 * Fraction(np.nextafter(1, 0))]
    x = np.nextafter(256.0, 0) * np.where(np.arange(70_000) % 2, 2.0**-8, 1)
    wanted = 35_000 * (Fraction(x[0]) + Fraction(x[1]))
    assert RatioOfTotals().update(x, p)._sums[1] == wanted


def test_tiny_weights_weigh():
    y, p, *_ = log(0, 500)
    p = np.clip(p, 0.01, 0.99)
    wanted = NormalizedEntropy().update(y, p, np.full(500, 1.0)).result()
    for weight in (5e-324, 2.0**-1000, 2.0**1000):
        assert NormalizedEntropy().update(y, p, np.full(500, weight)).result() == wanted


@pytest.mark.parametrize("short", [[], [1]])
def test_columns_of_unequal_lengths_are_refused(short):
    for part, columns in [
        (NormalizedEntropy(), ([0, 1, 1], short)),
        (NormalizedEntropy(), ([0, 1, 1], [0.5, 0.5, 0.5], short)),
        (Calibration(), (short, [0.5, 0.5, 0.5])),
        (RatioOfTotals(), ([1, 2, 3], short)),
        (HistogramAUC([0]), ([0, 1, 1], short)),
    ]:
        before = part.state()
        with pytest.raises(ValueError, match=r"has (\d) rows, \w+ has (\d)"):
            part.update(*columns)
        assert part.state() == before
