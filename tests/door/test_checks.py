"""The checks themselves, where they stand once; the contract tries them through every snippet."""

import datetime
import decimal
import fractions
import re
import types
import uuid

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.exceptions import DataConversionWarning

from tools.door import checks as door

PARIS = pd.to_datetime(["2026-10-25 00:30", "2026-10-25 02:30"]).tz_localize("UTC").tz_convert("Europe/Paris")
NAIVE = pd.to_datetime(["2026-10-25 00:30", "2026-10-25 02:30"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: door._numbers("p", [0.5, 1.5], "[0, 1]"), r"p must be in \[0, 1\], got 1.5 at row 1"),
        (lambda: door._numbers("p", [0.5, np.nan], "[0, 1]"), r"p must be in \[0, 1\], got nan at row 1"),
        (lambda: door._numbers("p", [1, 0], "(0, 1]"), r"p must be in \(0, 1\], got 0 at row 1"),
        (lambda: door._numbers("w", [1, np.inf], "[0, inf)"), "w must be at least 0 and finite, got inf at row 1"),
        (lambda: door._numbers("w", [1, -1], "(0, inf]"), "w must be above 0, got -1 at row 1"),
        (lambda: door._numbers("x", [1, -np.inf]), "x must be finite, got -inf at row 1"),
        (lambda: door._numbers("x", [1, np.nan], "[-inf, inf]"), "x must be a number, got nan at row 1"),
        (lambda: door._numbers("x", [[1, 2], [3, np.inf]], ndim=2), "x must be finite, got inf at row 1, column 1"),
        (lambda: door._numbers("x", [[1], [1, 2]]), "x must have rows of one length"),
        (lambda: door._numbers("x", [[1]]), r"x must have one dimension, got shape \(1, 1\)"),
        (lambda: door._numbers("x", [1], ndim=2), r"x must have two dimensions, got shape \(1,\)"),
        (lambda: door._numbers("x", {1, 2}), r"x must have one dimension, got \{1, 2\}"),
        (lambda: door._numbers("x", [1, "2"]), "x must hold numbers, got '2' at row 1"),
        (lambda: door._numbers("x", [1, None]), "x must hold numbers, got None at row 1"),
        (lambda: door._numbers("x", [1, 1j]), r"x must hold numbers, got \(1\+0j\) at row 0"),
        (lambda: door._numbers("x", NAIVE), "x must hold numbers, got 2026-10-25T00:30:00.0+ at row 0"),
        (lambda: door._numbers("x", np.ma.array([1, 2], mask=[0, 1])), "x must be finite, got nan at row 1"),
        (lambda: door._numbers("x", np.ma.array(["a", "b"], mask=[0, 1])), "x must hold numbers, got 'a' at row 0"),
        (lambda: door._numbers("x", np.ma.array(NAIVE, mask=[0, 1])), "x must hold numbers, got .* at row 0"),
        (lambda: door._numbers("x", [1, 10**400]), "x must be finite as floats, got more than 308 digits at row 1"),
        (
            lambda: door._number("a", fractions.Fraction(10**400)),
            "a must be finite as floats, got more than 308 digits$",
        ),
        (lambda: door._labels("y", [0, 2]), "y must be 0 or 1, got 2 at row 1"),
        (lambda: door._labels("y", [0, 0.5], start=10), "y must be 0 or 1, got 0.5 at row 11"),
        (lambda: door._whole("k", [1, 2.5]), "k must be whole numbers, got 2.5 at row 1"),
        (lambda: door._whole("k", [1, np.inf]), "k must be whole numbers, got inf at row 1"),
        (
            lambda: door._whole("k", [1, 2.0**53]),
            r"k must be below 2\^53, for they are floats, got 9.00719925474099e\+15 at row 1",
        ),
        (
            lambda: door._whole("k", np.array([2**63], np.uint64)),
            r"k must be below 2\^63, got 9223372036854775808 at row 0",
        ),
        (lambda: door._whole("k", [1, 0], least=1), "k must be at least 1, got 0 at row 1"),
        (lambda: door._whole("k", [1, 5], most=4), "k must be at most 4, got 5 at row 1"),
        (lambda: door._number("a", 1.5, "(0, 1)"), r"a must be in \(0, 1\), got 1.5$"),
        (lambda: door._number("a", "x"), "a must be a number, got 'x'$"),
        (lambda: door._number("a", None), "a must be a number, got None$"),
        (lambda: door._number("a", True), "a must be a number, got True$"),
        (lambda: door._number("a", [1.0]), r"a must be one number, got shape \(1,\)"),
        (lambda: door._count("k", 2.0), "k must be a whole number of at least 1, got 2.0"),
        (lambda: door._count("k", True), "k must be a whole number of at least 1, got True"),
        (lambda: door._count("k", 0), "k must be a whole number of at least 1, got 0"),
        (lambda: door._count("k", 6, 2, 5), r"k must be a whole number in \[2, 5\], got 6"),
        (lambda: door._same_rows(y=[1, 2], p=[1]), "p has 1 rows, y has 2"),
        (lambda: door._same_rows(y=[], p=[]), "y is empty"),
        (lambda: door._codes("users", [5, None]), "users is missing at row 1: leave such rows out, or give each an id"),
        (lambda: door._codes("users", ["a", 7]), "users holds keys of two kinds, such as 7 and '7'"),
        (lambda: door._codes("users", ["a", uuid.uuid4()]), "users holds keys of two kinds"),
        (lambda: door._codes("users", [[1], [2]]), "users holds what is no key: unhashable type: 'list'"),
        (lambda: door._codes("users", [1.0, 2.0**53]), r"users must be whole numbers, for as floats from 2\^53 on"),
        (lambda: door._codes("users", np.zeros((2, 1))), r"users must have one dimension, got \(2, 1\)"),
        (lambda: door._codes("users", "abc"), "users must have one dimension, got str"),
        (lambda: door._codes("users", frozenset([1])), "users must have one dimension, got frozenset"),
        (lambda: door._matched({"a": [7], "b": ["7"]}), "a holds whole numbers and b text: keys of two kinds"),
        (lambda: door._matched({"a": [7.5], "b": [7]}), "a holds fractions and b whole numbers"),
        (lambda: door._matched({"a": PARIS, "b": NAIVE}), "a holds datetime64 in Europe/Paris and b datetime64"),
        (lambda: door._moments({"t": [1, np.nan]}), "t is missing at row 1"),
        (lambda: door._moments({"t": np.array([1, np.inf])}), "t must be finite, got inf at row 1"),
        (lambda: door._moments({"t": ["2026-01-01"]}), "t must hold numbers or datetimes, got '2026-01-01'"),
        (lambda: door._moments({"t": [NAIVE[0], PARIS[1]]}), "t holds times of two kinds"),
        (
            lambda: door._moments({"t": NAIVE, "s": PARIS}),
            "times are of two kinds: t holds datetimes without a zone, s",
        ),
        (lambda: door._moments({"t": NAIVE, "s": [5]}), "times are of two kinds: t .* without a zone, s holds numbers"),
        (
            lambda: door._moments({"t": [-(2**62)], "s": [2**62]}),
            "t, s span 9223372036854775808, more than 64 bits hold",
        ),
        (lambda: door._moments({"t": np.array(["9999-01-01"], "M8[s]"), "s": NAIVE.as_unit("ns")}), "t, s do not fit"),
        (lambda: door._moments({"t": NAIVE}, {"w": 1800}), "w must be a duration, such as '30min' .*, got 1800"),
        (
            lambda: door._moments({"t": NAIVE}, {"w": "1800"}),
            "w must be a duration, .*, got '1800': a number says no unit",
        ),
        (lambda: door._moments({"t": NAIVE}, {"w": np.timedelta64(5)}), "w must be a duration, .*: it has no unit"),
        (lambda: door._moments({"t": NAIVE}, {"w": pd.NaT}), "w must be a duration, .*: it is missing"),
        (lambda: door._moments({"t": NAIVE}, {"w": "soon"}), "w must be a duration, such as '30min' .*, got 'soon'"),
        (lambda: door._moments({"t": NAIVE}, {"w": "-1h"}), "w must be at least 0 and finite, got -3600"),
        (lambda: door._moments({"t": [1]}, {"w": "1h"}), "w must be a number, as the times are, got '1h'"),
        (lambda: door._moments({"t": [1]}, {"w": 0}, "(0, inf)"), "w must be above 0 and finite, got 0"),
        (lambda: door._moments({"t": [1]}, {"w": 10**400}), "w must be finite as floats, got more than 308 digits"),
        (
            lambda: door._moments({"t": NAIVE.as_unit("ns")}, {"w": np.timedelta64(10**9, "D")}),
            "w must be a duration, .*: Cannot cast 1000000000 days",
        ),
        (
            lambda: door._moments({"t": [0.5, 1], "s": [2, 2**53 + 1]}),
            r"s must be below 2\^53 beside times with fractions, got 9007199254740993 at row 1",
        ),
        (lambda: door._frame("f", [1]), "f must be a table of pandas, Polars or PyArrow, got list"),
        (lambda: door._frame("f", pd.DataFrame({"a": [1]}), ["b"]), "f has no column 'b'"),
        (lambda: door._frame("f", pd.DataFrame({"a": [1]}), [["a"]]), r"f has no column \['a'\]"),
        (lambda: door._frame("f", pd.DataFrame([[1, 2]], columns=["a", "a"])), "f has the column 'a' twice"),
    ],
)
def test_what_is_wrong_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "values",
    [
        [decimal.Decimal(1), fractions.Fraction(1, 2), True, np.float16(0.25), np.bool_(False)],
        [1, 0.5, 1.0, 0.25, 0],
        np.array([1, 0.5, 1, 0.25, 0], ">f4"),
        pl.Series(["1", "0.5", "1", "0.25", "0"]).str.to_decimal(),
    ],
)
def test_what_is_a_number_is_read_as_one(values):
    np.testing.assert_array_equal(door._numbers("x", values), [1, 0.5, 1, 0.25, 0])


def test_pairs_are_keys():
    pairs = pd.MultiIndex.from_tuples([(1, "a"), (1, "b"), (1, "a")])
    for values in (pairs, pairs.to_list(), pairs.to_flat_index()):
        np.testing.assert_array_equal(door._codes("u", values), [0, 1, 0])


def test_nothing_is_copied_that_is_float64_already():
    x = np.linspace(0, 1, 5)
    assert door._numbers("x", x) is x


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_of_64_bits_come_through(values):
    for container in (values, np.array(values), np.array(values, object), pd.array(values, "Int64"), pl.Series(values)):
        out = door._whole("k", container)
        assert out.dtype == np.int64
        assert out.tolist() == values


def test_no_row_is_no_error_until_rows_are_asked_for():
    for empty in ([], np.array([], "M8[s]"), pd.Series([], dtype=object), pl.Series([], dtype=pl.String)):
        assert door._numbers("x", empty).shape == (0,)
        assert door._codes("u", empty).shape == (0,)
    assert door._moments({"t": [], "s": NAIVE[:0]}, {"w": "1h"})[0][0].dtype == np.int64
    assert door._moments({"t": []}, {"w": 5})[1] == [1]


IDS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**64 - 1)), min_size=1),
    st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=1),
    st.lists(st.one_of(st.none(), st.text(max_size=3)), min_size=1),
    st.lists(st.one_of(st.none(), st.uuids()), min_size=1),
    st.lists(st.one_of(st.none(), st.floats(0.5, 0.9)), min_size=1),
    st.lists(st.one_of(st.none(), st.dates()), min_size=1),
)


@given(IDS, st.randoms())
def test_keys_are_numbered_as_a_dictionary_would(ids, random):
    other = random.sample(ids, len(ids))
    first, second = door._matched({"a": ids, "b": other})
    number = {}
    for key, code in zip(ids, first.tolist(), strict=True):
        assert (code == -1) == (key is None)
        assert number.setdefault(key, code) == code
    assert len(set(number.values())) == len(number)
    assert second.tolist() == [number[key] for key in other]


@given(IDS.map(lambda ids: [key for key in ids if key is not None]).filter(len))
def test_units_are_numbered_without_gaps(ids):
    codes = door._codes("u", ids)
    assert sorted(set(codes.tolist())) == list(range(len(set(ids))))
    assert len({*zip(ids, codes.tolist(), strict=True)}) == len(set(ids))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (np.array([7, 8], ">i4"), [7.0, 8.0]),
        (pd.Categorical(["v", "u"], categories=["w", "u", "v"]), pl.Series(["v", "u"], dtype=pl.Enum(["u", "v"]))),
        (pd.Categorical([7, 8]), pa.array([7, 8]).dictionary_encode()),
        (np.array([2**63 + 1, 5], np.uint64), [2**63 + 1, 5]),
        (pd.array([7, 8], "UInt64"), pd.array([7, 8], "Float64")),
        ([True, False], [1, 0]),
        (PARIS, pl.Series(PARIS)),
        (np.ma.array([7, 8], mask=[0, 0]), pd.Index([7, 8])),
        ([(1, "a"), (2, "b")], [(1, "a"), (2, "b")]),
    ],
)
def test_keys_match_across_containers(a, b):
    first, second = door._matched({"a": a, "b": b})
    assert first.tolist() == second.tolist()
    assert len(set(first.tolist())) == 2


def test_a_side_without_keys_matches_nothing_and_a_missing_category_is_missing():
    assert [c.tolist() for c in door._matched({"a": [None, np.nan], "b": ["x", pd.NA]})] == [[-1, -1], [0, -1]]
    assert door._matched({"a": pd.Categorical([None, "x"]), "b": ["x", "x"]})[0].tolist() == [-1, 0]
    masked = np.ma.array([1_467_890_123_456_789_013, 1], mask=[0, 1])
    assert door._matched({"a": masked, "b": [1_467_890_123_456_789_013]})[0].tolist() == [0, -1]


def test_a_hash_of_a_wild_id_needs_no_table_of_its_size():
    assert door._codes("u", [5, -(10**18), 5]).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("times", "other", "duration", "expected"),
    [
        (np.array([250, 252], np.uint8), np.array([1], np.int8), 10, ([249, 251], [0], 10)),
        (NAIVE, np.array(["2026-10-25T00:30:00.5"], "M8[ms]"), "1500ms", ([0, 7_200_000_000], [500_000], 1_500_000)),
        (PARIS, pl.Series(PARIS[:1]), datetime.timedelta(hours=1), ([0, 7_200_000_000], [0], 3_600_000_000)),
        ([datetime.date(2026, 1, 2)], np.array(["2026-01-01"], "M8[D]"), pd.Timedelta("1D"), ([86_400], [0], 86_400)),
        (
            [datetime.timedelta(hours=2)],
            pd.to_timedelta(["1h"]),
            np.timedelta64(30, "m"),
            ([3_600_000_000], [0], 1_800_000_000),
        ),
        ([1, 5], [2.5], 0.25, ([1.0, 5.0], [2.5], 0.25)),
        ([1, 5], [2.0], 2.5, ([0, 4], [1], 2)),
        ([1, 5], [2], 10**30, ([0, 4], [1], 5)),
        ([1, 5], [2], None, ([0, 4], [1], None)),
    ],
)
def test_times_stand_on_one_scale(times, other, duration, expected):
    (first, second), (length,) = door._moments({"t": times, "s": other}, {"w": duration})
    assert (first.tolist(), second.tolist(), length) == expected


@given(st.integers(1, 10**6), st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_a_duration_between_two_ticks_decides_as_the_exact_one(nanoseconds, a, b):
    one, two = (np.array([x], "M8[us]") for x in (a, b))
    (early, late), (window,) = door._moments({"a": one, "b": two}, {"w": pd.Timedelta(nanoseconds, "ns")})
    assert (late[0] - early[0] <= window) == ((two - one)[0] <= np.timedelta64(nanoseconds, "ns")) or late[0] - early[
        0
    ] < 0


def test_a_series_is_answered_by_a_series():
    answer = door._like(np.array([1.0, 2.0]), pd.Series([5, 6], index=["a", "b"]))
    pd.testing.assert_series_equal(answer, pd.Series([1.0, 2.0], index=["a", "b"]))
    for other in ([5, 6], np.array([5, 6]), pl.Series([5, 6])):
        assert isinstance(door._like(np.array([1.0, 2.0]), other), np.ndarray)


@pytest.mark.parametrize(
    "convert", [pl.DataFrame, pa.table, lambda d: pa.table(d).to_pandas(types_mapper=pd.ArrowDtype)]
)
def test_a_table_keeps_its_values(convert):
    table = {
        "id": pa.array([1_467_890_123_456_789_013, None]),
        "when": pa.array(PARIS),
        "u": pa.array([None, 2**63], pa.uint64()),
    }
    frame = door._frame("f", convert(table), ["id"])
    assert frame["id"].tolist() == [1_467_890_123_456_789_013, pd.NA]
    assert frame["u"].tolist() == [pd.NA, 2**63]
    assert frame["when"].tolist() == PARIS.tolist()


def test_a_table_of_pandas_is_taken_as_it_is():
    frame = pd.DataFrame({"a": [1]})
    assert door._frame("f", frame) is frame


def test_what_keeps_the_rules_comes_back_as_numbers():
    assert door._labels("y", [True, False]).tolist() == door._labels("y", pl.Series([1, 0])).tolist() == [1.0, 0.0]
    assert [door._count("k", k, 1, 3) for k in (1, np.uint8(3), np.array(2))] == [1, 3, 2]
    assert door._number("a", np.float16(0.5), "(0, 1)") == 0.5
    assert door._same_rows(y=[1, 2], p=[3, 4], w=None) == 2


def test_hashes_above_2_to_the_63_stand_beside_small_ids():
    a, b = door._matched({"a": np.array([2**63 + 1, 2**64 - 1], np.uint64), "b": [-1, 1, 2**63 + 1]})
    assert a.tolist() == [0, 1]
    assert b.tolist()[2] == 0
    assert len({*a.tolist(), *b.tolist()}) == 4


def test_booleans_beside_a_missing_one_stay_booleans():
    assert door._column("x", pa.array([True, None])).dtype == pd.BooleanDtype()
    assert door._matched({"a": pl.Series([True, None]), "b": [1, 0]})[0].tolist() == [0, -1]


def test_times_with_fractions_are_equal_where_they_were():
    (first, second), _ = door._moments({"t": [-1e9, 0.1 + 0.2], "s": [0.1 + 0.2, 0.3]})
    assert first[1] == second[0] != second[1]


def test_an_infinite_key_and_a_table_of_the_other_byte_order():
    with pytest.raises(ValueError, match=r"users must be whole numbers, .*, got inf at row 1"):
        door._codes("users", [1.0, np.inf])
    frame = door._frame("f", pd.DataFrame({"a": np.array([1, 2], ">i4")}))
    assert frame["a"].dtype.isnative
    assert frame["a"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("X", "whole", "ours", "theirs"),
    [
        ([[1.0], [np.nan]], False, "X must be finite, got nan at row 1, column 0", "contains NaN"),
        ([[1], ["x"]], False, "X must hold numbers, got 'x' at row 1, column 0", "arrays of bytes/strings"),
        ([1.0, 2.0], False, r"X must have two dimensions, got shape \(2,\)", "Reshape your data"),
        ([[1j]], False, "X must hold numbers, got .* at row 0", "Complex data not supported"),
        (np.zeros((0, 2)), False, "^Found array with 0 sample", "minimum of 1 is required"),
        (pd.DataFrame({"a": [1], "b": NAIVE[:1]}), True, "X must hold numbers, got 2026-.* at row 0, column 1", ""),
        ([[1, 0], [2, 0.5]], True, "^X must be whole numbers, got 0.5 at row 1, column 1$", ""),
    ],
)
def test_features_are_refused_in_the_words_of_both(X, whole, ours, theirs):
    with pytest.raises(ValueError, match=ours) as error:
        door._features(BaseEstimator(), "X", X, whole)
    assert theirs in str(error.value)


def test_features_keep_their_names_and_whole_numbers_their_digits():
    model, frame = BaseEstimator(), pd.DataFrame({"a": [2**60 + 1, -1], "b": [3, 4]})
    assert door._features(model, "X", frame, whole=True).tolist() == frame.to_numpy().tolist()
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        door._features(model, "X", frame[["b", "a"]], reset=False)
    assert door._features(model, "X", frame, reset=False).dtype == np.float64


def test_a_table_that_needs_nothing_is_not_copied():
    frame = pd.DataFrame({"c": pd.Categorical(["a"]), "t": pd.to_datetime(["2026-01-05"], utc=True), "n": [1]})
    assert door._frame("f", frame, ["t"]) is frame


@pytest.mark.parametrize(
    ("given", "classes"),
    [
        ([1, 0, 1], [0, 1]),
        ([1.0, -1.0], [-1, 1]),
        (np.array([True, False]), [False, True]),
        (np.array([1, 0], object), [0, 1]),
        (pd.Series([1, 0], dtype="Int64"), [0, 1]),
        (pa.array([1, 0]), [0, 1]),
        (pl.Series(["no", "yes"], dtype=pl.Categorical), ["no", "yes"]),
        (np.ma.array([1, 0], mask=[0, 0]), [0, 1]),
    ],
)
def test_classes_are_plain_numbers_or_text(given, classes):
    found = door._two_classes(door._classes("y", given), None, None)
    assert found.tolist() == classes
    assert door._two_classes(door._classes("y", given)[:1], given, found).tolist() == classes


def test_a_column_of_classes_is_flattened_as_scikit_learn_does():
    with pytest.warns(DataConversionWarning):
        assert door._classes("y", np.array([[1], [0]])).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: door._classes("y", [1, None, 0]), "y is missing at row 1"),
        (lambda: door._classes("y", np.ma.array([1, 0], mask=[0, 1])), "y is missing at row 1"),
        (lambda: door._classes("y", pa.array([1, 0, None])), "y is missing at row 2"),
        (lambda: door._classes("y", [1, "1"]), "y holds keys of two kinds"),
        (lambda: door._classes("y", [b"no", b"yes"]), "y must hold numbers or text, got b'no' at row 0"),
        (lambda: door._classes("y", pl.DataFrame({"y": [0, 1]})), r"y must have one dimension, got \(2, 1\)"),
        (lambda: door._codes("user", pa.table({"user": [0, 1]})), r"user must have one dimension, got \(2, 1\)"),
        (lambda: door._two_classes(np.array([1, 1]), None, None), r"got 1 class\(es\), \[1\]; give partial_fit both"),
        (lambda: door._two_classes(np.arange(4), None, None), r"got 4 class\(es\), \[0, 1, 2\]"),
        (
            lambda: door._two_classes(np.array([0, 2]), [1, 0], None),
            r"y must be one of the classes \[0, 1\], got 2 at row 1",
        ),
        (
            lambda: door._two_classes(np.array([0]), [0, 2], np.array([0, 1])),
            r"classes must be those of the first call, \[0, 1\], got \[0, 2\]",
        ),
        (
            lambda: door._in_range("X", [[0, 1], [-1e39, 0]]),
            r"X must hold no NaN, and nothing above 3e38 in size, got -1e\+39 at row 1, column 0",
        ),
        (
            lambda: door._in_range("X", csr_matrix(([1.0, 2.0, np.nan], [2, 4, 3], [0, 2, 2, 3]))),
            "X must hold no NaN, .* got nan at row 2, column 3",
        ),
        (lambda: door._in_range("X", csr_matrix([[0, 1j]])), r"X must hold numbers, got 1j"),
    ],
)
def test_what_no_classifier_can_take_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from([-1, 0, 1])), max_size=12))
def test_entries_of_sparse_rows_are_those_of_the_array(entries):
    entries.sort(key=lambda entry: entry[0])
    row, column, value = np.array([*entries, (4, 0, 0)]).T
    X = csr_matrix((value, column, np.searchsorted(row, np.arange(6))), (5, 3))
    kept = X.copy()
    distinct = door._distinct_entries(door._in_range("X", X))
    np.testing.assert_array_equal(distinct.toarray(), X.toarray())
    assert distinct.dtype == np.float64
    assert distinct.has_canonical_format
    assert np.shares_memory(door._distinct_entries(distinct).data, distinct.data) or not distinct.nnz
    assert distinct.nnz == np.count_nonzero(X.toarray())
    np.testing.assert_array_equal(X.data, kept.data)
    np.testing.assert_array_equal(X.indices, kept.indices)
    np.testing.assert_array_equal(door._in_range("X", X.tocsc()).toarray(), X.toarray())
    np.testing.assert_array_equal(door._in_range("X", X.toarray()), X.toarray())


def test_nat_is_missing_beside_any_keys():
    (two, nothing), (one, again) = door._matched({"a": [2, pd.NaT], "b": [1, 2]})
    assert two == again != one
    assert nothing == -1
    assert door._matched({"a": ["u", pd.NaT], "b": ["u"]})[0].tolist() == [0, -1]


@given(st.lists(st.integers(-2, 9), max_size=9), st.lists(st.integers(-2, 9), max_size=9), st.sampled_from([1, 10**12]))
def test_plain_whole_numbers_match_as_all_others_do(a, b, far):
    a, b = np.array(a, np.int64) * far, np.array(b, np.int64) * far
    expected = [[x == y for y in b.tolist()] for x in a.tolist()]
    for dtype in (np.int64, "Int64"):
        found, other = door._matched({"a": pd.Series(a, dtype=dtype), "b": pd.Series(b)})
        assert [[x == y for y in other] for x in found] == expected
        assert (np.append(found, other) >= 0).all()
    masked = np.ma.array(np.append(a, 1), mask=np.arange(len(a) + 1) == len(a))
    assert door._matched({"a": masked, "b": b})[0][-1] == -1
    narrow = door._matched({"a": np.array([-100, 100], np.int8), "b": np.array([100] * 300, np.int16)})
    assert narrow[0][1] == narrow[1][0] != narrow[0][0]


def test_arrays_of_pandas_are_not_taken_for_masked_arrays_of_numpy():
    missing, none = pd.array([1, None], dtype="Int64"), pd.array([1, 2], dtype="Int64")
    assert door._matched({"ids": missing, "others": none})[0].tolist() == [0, -1]
    with pytest.raises(ValueError, match=r"values must .*at row 1"):
        door._numbers("values", missing)


def test_an_index_of_several_levels_holds_tuples():
    ids = pd.MultiIndex.from_tuples([("a", 1), ("b", 2), ("a", 1)])
    assert door._codes("users", ids).tolist() == [0, 1, 0]


def test_classes_have_the_byte_order_of_the_machine():
    assert door._classes("y", np.array([1, 0], ">i8")).dtype == np.int64


def test_times_given_as_categories():
    days = pd.to_datetime(["2026-01-02", "2026-01-01", "2026-01-02"])
    [found], [length] = door._moments({"day": days.astype("category")}, {"gap": "24h"})
    assert (found / length).tolist() == [1, 0, 1]


def test_weights_are_1_if_none_are_given_and_never_all_0():
    assert door._row_weights(None, X=range(3), y=[0, 1, 0]).tolist() == [1, 1, 1]
    assert door._row_weights([0, 2, 1], y=[0, 1, 0]).tolist() == [0, 2, 1]
    for weight, message in [
        ([0, 0, 0], "sample_weight is zero in every row"),
        ([1, 1], "sample_weight has 2 rows, y has 3"),
        ([1, -1, 1], "sample_weight must be in .0, 3., got -1 at row 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            door._row_weights(weight, "[0, 3]", y=[0, 1, 0])


@pytest.mark.parametrize("convert", [np.asarray, csr_matrix])
def test_features_in_range_are_those_of_the_fit_dense_or_sparse(convert):
    model, X = BaseEstimator(), convert([[1.0, 0.0], [0.0, 2.0]])
    kept = door._features_in_range(model, "X", X)
    np.testing.assert_array_equal(kept.toarray() if hasattr(kept, "toarray") else kept, [[1, 0], [0, 2]])
    with pytest.raises(ValueError, match="X has 1 features, but BaseEstimator is expecting 2"):
        door._features_in_range(model, "X", X[:, :1], reset=False)
    with pytest.raises(ValueError, match=r"X must hold no NaN, and nothing above 3e38 in size, got 1e\+39 at row 0"):
        door._features_in_range(model, "X", X * 1e39)


def test_codes_stand_for_rows_of_one_table_and_those_without_one_for_row_0():
    known = [np.array([-1, 3, 7]), np.array([-1]), np.array([-1, 0])]
    codes = np.array([[3, 0, 0], [7, 5, 1], [-1, -1, -1], [5, 0, 0]])
    assert door._table_rows(known, codes).tolist() == [[1, 0, 3], [2, 0, 0], [0, 0, 0], [0, 0, 3]]


def test_what_overflowed_names_the_parameters():
    model = types.SimpleNamespace(learning_rate=1e80, init_scale=0.1)
    door._refuse_overflow(model, np.ones(2), np.zeros(1))
    with pytest.raises(ValueError, match=r"learning_rate 1e\+80 or init_scale 0.1 is too large: overflow"):
        door._refuse_overflow(model, np.ones(2), np.array([np.nan]))


def test_covariances_are_symmetric_and_no_larger_than_their_variances():
    door._covariances("noise", np.array([[[4.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]]))
    for wrong, message in [
        ([[-1.0, 0.0], [0.0, 1.0]], "noise must hold variances of at least 0, got -1 at row 0, column 0"),
        ([[1.0, 0.5], [0.4, 1.0]], "noise must hold covariances, symmetric and no larger .*, got 0.5 at row 0"),
        ([[1.0, 2.0], [2.0, 1.0]], "noise must hold covariances, symmetric and no larger .*, got 2 at row 0"),
    ]:
        with pytest.raises(ValueError, match=message):
            door._covariances("noise", np.array([wrong]))


def test_a_column_to_cut_by_has_a_label_for_each_value_and_what_is_missing_comes_last():
    for column, kind, labels, code in [
        (pd.Series([2, 1, 2]), "whole numbers", ["x=1", "x=2"], [1, 0, 1]),
        (pd.Series(["b", None, "b"]), "text", ["x=b", "x=missing"], [0, 1, 0]),
        (
            pd.Series([True, False, None], dtype="category"),
            "whole numbers",
            ["x=False", "x=True", "x=missing"],
            [1, 0, 2],
        ),
        (pd.Series([None, None], dtype=object), None, ["x=missing"], [0, 0]),
    ]:
        found = door._slices("x", column)
        assert (found[0], found[2], found[3].tolist()) == (kind, labels, code)
        assert len(found[1]) == len([label for label in labels if label != "x=missing"])
    with pytest.raises(ValueError, match="column 'x' of slices holds fractions: cut it into bins first"):
        door._slices("x", pd.Series([0.5, 1.0]))


def test_ids_one_apart_above_2_to_the_53_are_two_beside_a_missing_one_and_unsigned():
    ids = [1_467_890_123_456_789_012, 1_467_890_123_456_789_013]
    for column in ([*ids, None], np.array([*ids, None], object), np.array(ids, np.uint64), pd.array(ids, "UInt64")):
        codes = door._matched({"ids": column, "others": ids[::-1]})
        assert codes[0].tolist() == [0, 1, -1][: len(column)]
        assert codes[1].tolist() == [1, 0]


def test_categories_that_no_row_has_are_no_units():
    users = pd.Series(pd.Categorical(["c", "a", "c"], categories=["a", "b", "c", "d"]))
    assert door._codes("users", users).tolist() == [1, 0, 1]


def test_a_sparse_matrix_is_refused_in_the_same_words_as_an_array():
    with pytest.raises(
        ValueError, match=r"X must hold no NaN, and nothing above 3e38 in size, got nan at row 1, column 1"
    ):
        door._features_in_range(BaseEstimator(), "X", csr_matrix([[1.0, 0.0], [0.0, np.nan]]))


def test_times_from_2_to_the_53_on_stay_floats_and_stand_beside_no_fractions():
    (large,), _ = door._moments({"t": [2.0**53, 1.0]})
    assert large.dtype == np.float64
    for early in (-(2**53), 2**53):
        with pytest.raises(
            ValueError, match=rf"t must be below 2\^53 beside times with fractions, got {early} at row 0"
        ):
            door._moments({"t": np.array([early]), "s": [0.5]})


@pytest.mark.parametrize(("name", "quoted"), [("user", '"user"'), ('a "b`', '"a ""b`"'), (" ", '" "')])
def test_a_name_is_quoted_whatever_it_holds(name, quoted):
    assert door._sql_name("column", name) == door._quoted(name) == quoted


@pytest.mark.parametrize("name", ["", None, 7, b"user"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match=re.escape(f"column must be a name, got {name!r}")):
        door._sql_name("column", name)


def test_names_come_one_by_one_or_alone_each_once():
    assert door._sql_names("by", "user") == ["user"]
    assert door._sql_names("by", ("user", "a b")) == ["user", "a b"]
    assert door._sql_names("by", np.array([], str)) == []
    for wrong, message in [(["user", "day", "user"], "by has 'user' twice"), (["user", 7], "by must be a name, got 7")]:
        with pytest.raises(ValueError, match=message):
            door._sql_names("by", wrong)
    with pytest.raises(ValueError, match="by must be a name, got None"):
        door._sql_names("by", None)


@pytest.mark.parametrize("text", ["plain", "it's", "a\\b", "''", "\\'", ""])
def test_text_is_itself_as_sql_without_a_quote_or_a_backslash_in_a_literal(text):
    written = door._sql_text(text)
    assert duckdb.sql(f"SELECT {written} AS it").fetchall() == [(text,)]
    assert [part for part in written.split(" || ") if not re.fullmatch(r"'[^'\\]*'|CHR\(\d+\)", part)] == []
