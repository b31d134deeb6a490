import tracemalloc
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from snippets.training_data.online_offline_consistency import consistency_report, sample_by_key

VALUES = st.none() | st.integers(-3, 3)
ROWS = st.dictionaries(st.integers(0, 8), VALUES, max_size=8)


def frame(values, dtype="float64"):
    return pd.DataFrame({"id": list(values), "x": pd.Series(list(values.values()), dtype=dtype)})


@given(ROWS.filter(len), ROWS, st.sampled_from([0, 1, 2.5]))
def test_against_brute_force(online, offline, tolerance):
    row = consistency_report(frame(online), frame(offline), ["id"], tolerance).iloc[0]
    n = len(online | offline)
    pairs = [(online.get(k), offline.get(k)) for k in online | offline]
    both = [(a, b) for a, b in pairs if a is not None and b is not None]
    assert row["rows"] == n
    assert row["mismatch"] == pytest.approx(sum(abs(a - b) > tolerance for a, b in both) / n)
    assert row["missing"] == pytest.approx(sum(a is None and b is not None for a, b in pairs) / n)
    assert row["extra"] == pytest.approx(sum(a is not None and b is None for a, b in pairs) / n)
    if both:
        total = sum(abs(a) + abs(b) for a, b in both)
        assert row["smape"] == pytest.approx(sum(abs(a - b) for a, b in both) / total if total else 0)
        each = [2 * abs(a - b) / (abs(a) + abs(b)) if a or b else 0 for a, b in both]
        assert row["smape_mean"] == pytest.approx(np.mean(each))
        deltas = np.quantile([a - b for a, b in both], [0.05, 0.5, 0.95])
        np.testing.assert_allclose(row[["delta_05", "delta_50", "delta_95"]].astype(float), deltas)
    else:
        assert row[["smape", "smape_mean", "delta_05", "delta_50", "delta_95"]].isna().all()


def test_by_hand():
    online = pd.DataFrame({"r": [1, 1, 2], "ad": [7, 8, 7], "rate": [1.0, 3.0, np.nan], "city": ["a", None, "b"]})
    offline = pd.DataFrame({"r": [1, 1, 3], "ad": [7, 8, 7], "rate": [1.0, 1.0, 5.0], "city": ["c", "b", "b"]})
    report = consistency_report(online, offline, ["r", "ad"]).set_index("feature")
    # Four requests. city: differs, missing, extra, missing. rate: equal, differs, neither, missing.
    assert report.index.tolist() == ["city", "rate"]
    assert report.loc["city", ["mismatch", "missing", "extra"]].tolist() == [0.25, 0.5, 0.25]
    assert report.loc["rate", ["mismatch", "missing", "extra"]].tolist() == [0.25, 0.25, 0]
    # Sums: |3 - 1| over 1 + 1 + 3 + 1. Means: 0 and 2 * 2 / 4.
    assert report.loc["rate", "smape"] == pytest.approx(2 / 6)
    assert report.loc["rate", "smape_mean"] == pytest.approx(0.5)
    assert np.isnan(report.loc["city", "smape"])


@pytest.mark.parametrize(
    "dtype", ["boolean", "bool[pyarrow]", "Int64", "float64", "int64[pyarrow]", object, "category"]
)
def test_a_missing_value_of_every_kind_is_missing(dtype):
    yes, no = (True, False) if "bool" in str(dtype) else (1, 0)
    online, offline = (frame(dict(enumerate(x)), dtype) for x in ([yes, None, no], [yes, yes, yes]))
    found = consistency_report(online, offline, ["id"])
    assert found[["mismatch", "missing", "extra"]].to_numpy()[0] == pytest.approx([1 / 3, 1 / 3, 0])
    assert found["smape"].to_list() == pytest.approx([1 / 3])


@pytest.mark.parametrize("dtype", ["Int64", "bool", "int8", "category", "str"])
def test_equal_frames_of_every_kind_agree(dtype):
    values = {1: 0, 2: 1, 3: 1}
    one = frame(values, dtype)
    assert consistency_report(one, one, ["id"])[["mismatch", "missing", "extra"]].to_numpy().sum() == 0
    other = one.assign(x=one["x"].iloc[[1, 0, 2]].array)
    assert consistency_report(one, other, ["id"])["mismatch"].item() == pytest.approx(2 / 3)


def test_a_feature_without_any_value_is_missing_everywhere():
    empty, full = frame({1: None, 2: None}), frame({1: "a", 2: "b"}, "str")
    assert consistency_report(empty, full, ["id"])["missing"].item() == 1
    assert consistency_report(full, empty, ["id"])["extra"].item() == 1


def test_all_or_nothing_may_be_sampled_and_the_salt_is_always_the_same():
    keys = np.arange(1_000)
    assert [sample_by_key(keys, rate).sum() for rate in (0, 1)] == [0, 1_000]
    np.testing.assert_array_equal(sample_by_key(keys, 0.5), sample_by_key(keys, 0.5, "ml-design-key-16"))
    assert consistency_report(A, frame({1: 1, 2: 2 + 1e-9}), ["id"])["mismatch"].item() == 0.5


def test_the_sample_keeps_keys_whole_and_is_even():
    keys = np.arange(50_000)
    kept = sample_by_key(keys, 0.2)
    assert stats.binomtest(int(kept.sum()), len(keys), 0.2).pvalue > 1e-4
    order = np.random.default_rng(0).permutation(len(keys))
    np.testing.assert_array_equal(sample_by_key(keys[order], 0.2), kept[order])
    np.testing.assert_array_equal(sample_by_key(keys.astype(str), 0.2), kept)
    assert (sample_by_key(keys, 0.1) <= kept).all()  # a lower rate keeps a part of the same keys
    other = sample_by_key(keys, 0.2, salt="0123456789abcdef")
    assert stats.chi2_contingency(pd.crosstab(kept, other)).pvalue > 1e-4
    assert not sample_by_key(keys, 0).any()
    assert sample_by_key(keys, 1).all()


@given(
    st.lists(st.tuples(*2 * [st.integers(-(2**63), 2**63 - 1)]), min_size=1, max_size=5),
    st.sampled_from(["int64", "Int64", "object", "category", "int64[pyarrow]"]),
    st.sampled_from([0, 1, 2**60]),
)
@example([(0, 4503599626870497), (1099512127774, -4502500115742722)], "Int64", 0)
def test_whole_numbers_are_compared_exactly(pairs, dtype, tolerance):
    n = len(pairs)
    online, offline = (
        pd.DataFrame(
            {"id": range(n + 1), "x": pd.Series([*values, *([None] if dtype != "int64" else [7])], dtype=dtype)}
        )
        for values in zip(*pairs, strict=True)
    )
    row = consistency_report(online, offline.iloc[::-1], ["id"], tolerance).iloc[0]
    deltas = [a - b for a, b in pairs] + ([0] if dtype == "int64" else [])
    assert row["mismatch"] == sum(abs(d) > tolerance for d in deltas) / (n + 1)
    assert row["delta_50"] == pytest.approx(float(np.median([float(d) for d in deltas])))


@pytest.mark.parametrize(
    ("online", "offline"),
    [
        (np.array([2**63 + 1, 5], dtype=np.uint64), np.array([2**63, 5], dtype=np.uint64)),
        (np.array([2**63, 5], dtype=np.uint64), np.array([2**63 - 1, 5])),
        (pd.array([2**60, None], dtype="Int64"), pd.array([2**60 + 1, None], dtype="Int64")),
        (np.array([2.0**60, 5]), np.array([2**60 + 1, 5])),
        (np.array([True, True]), np.array([0, 1])),
    ],
)
def test_neighbours_beyond_the_digits_of_a_float_differ(online, offline):
    a, b = (pd.DataFrame({"id": [1, 2], "x": x}) for x in (online, offline))
    assert consistency_report(a, b, ["id"])["mismatch"].item() == 0.5
    assert consistency_report(a, b.iloc[1:], ["id"])["mismatch"].item() == 0  # nor does a request too few make floats


DAYS = pd.Series(pd.to_datetime(["2026-01-01", "2026-01-02"]))


def test_times_are_compared_as_times():
    online = pd.DataFrame({"id": [1, 2], "x": DAYS.dt.tz_localize("UTC").dt.as_unit("s")})
    offline = pd.DataFrame({"id": [1, 2], "x": (DAYS + pd.to_timedelta([0, 1], unit="ns")).dt.tz_localize("UTC")})
    offline["x"] = offline["x"].dt.tz_convert("Europe/Paris")
    assert consistency_report(online, offline, ["id"])["mismatch"].item() == 0.5


def test_ids_are_matched_as_whole_numbers():
    online = pd.DataFrame({"id": [2**60, 2**60 + 1], "part": ["a", "a"], "x": [1, 2]})
    offline = pd.DataFrame({"id": pd.array([2**60 + 1, 2**60], dtype="Int64"), "part": ["a", "a"], "x": [2, 1]})
    assert consistency_report(online, offline, ["id", "part"])["mismatch"].item() == 0
    assert consistency_report(online.assign(id=[1.0, 2.0]), online.assign(id=[1, 2]), "id")["mismatch"].tolist() == [
        0,
        0,
    ]


def test_a_key_is_drawn_whatever_holds_it_and_never_if_it_is_missing():
    users = np.arange(2_000)
    drawn = sample_by_key(users, 0.1)
    as_floats = sample_by_key(pd.Series([*users, None], index=range(1, 2_002)), 0.1)
    assert as_floats.tolist() == [*drawn, False]
    assert as_floats.index.tolist() == list(range(1, 2_002))
    assert sample_by_key([None, "a", np.nan], 1).tolist() == [False, True, False]


def test_memory_does_not_grow_with_the_longest_key():
    keys = [f"u{i}" for i in range(2_000)]
    tracemalloc.start()
    sample_by_key([*keys, "x" * 20_000], 0.1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6  # 2,000 keys as wide as the longest are 160 MB


A = frame({1: 1, 2: 2})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: consistency_report(A, A, []), "keys is empty"),
        (lambda: consistency_report(A, A.rename(columns={"id": "k"}), ["id"]), "offline has no column 'id'"),
        (
            lambda: consistency_report(A.assign(id=[1.0, np.nan]), A, ["id"]),
            "online has no 'id' at row 1",
        ),
        (lambda: consistency_report(A, A.assign(id=[2, 2]), ["id"]), r"offline holds the request \(.*2.*\) twice"),
        (lambda: consistency_report(A, A.rename(columns={"x": "z"}), ["id"]), "have no feature in common"),
        (
            lambda: consistency_report(A, A.assign(x=["a", "b"]), ["id"]),
            "feature 'x' holds numbers online and string offline",
        ),
        (lambda: consistency_report(A, A, ["id"], -1), "numeric_tolerance must be at least 0 and finite, got -1"),
        (lambda: consistency_report(A.head(0), A.head(0), ["id"]), "online and offline is empty"),
        (
            lambda: consistency_report(A, A.assign(id=["1", "2"]), ["id"]),
            "id of online holds whole numbers and id of .* text",
        ),
        (
            lambda: consistency_report(A, A.assign(x=[np.inf, 1]), ["id"]),
            "x of offline must be finite, got inf at row 0",
        ),
        (
            lambda: consistency_report(A.assign(x=DAYS), A.assign(x=DAYS.dt.tz_localize("UTC")), ["id"]),
            "feature 'x' holds times without a zone online and times with a zone offline",
        ),
        (lambda: sample_by_key([0.5], 0.5), "key must hold whole numbers or texts, got fractions"),
        (lambda: sample_by_key([7, "7"], 0.5), "key holds keys of two kinds"),
        (lambda: sample_by_key([1], 0.5, None), "salt must have 16 ASCII characters, got None"),
        (lambda: sample_by_key([1], -0.1), r"rate must be in \[0, 1\], got -0.1"),
        (lambda: sample_by_key([1], 1.1), r"rate must be in \[0, 1\], got 1.1"),
        (lambda: sample_by_key([1], 2), r"rate must be in \[0, 1\], got 2"),
        (lambda: sample_by_key([1], 0.5, "short"), "salt must have 16 ASCII characters, got 'short'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("online", "offline", "mismatch"),
    [
        (np.array([-5, -1], np.int64), np.array([2**64 - 5, 2**64 - 1], np.uint64), 1),  # the same 64 bits
        ([2**70 + 1, 1], [2**70, 1], 0.5),
        ([Decimal(2**53 + 1), None], [Decimal(2**53), None], 0.5),
        ([2**53 + 1, 1], [2.0**53, 0.5], 1),
        ([8e307, -1e-320], [-8e307, 1e-320], 1),
        ([np.array([1, 2]), np.array([3])], [np.array([1, 2]), np.array([4])], 0.5),
    ],
)
def test_values_that_once_were_equal_by_mistake_or_broke_it(online, offline, mismatch):
    a, b = (pd.DataFrame({"id": [1, 2], "x": x}) for x in (online, offline))
    row = consistency_report(a, b, "id").iloc[0]
    assert row["mismatch"] == mismatch
    assert np.isfinite(row["smape"]) or isinstance(online[0], np.ndarray)


def test_lists_in_polars_are_compared_as_in_pandas():
    a, b = (pl.DataFrame({"id": [1, 2], "x": [[1, 2], last]}) for last in ([3], [4]))
    assert consistency_report(a, b, ["id"])["mismatch"].item() == 0.5


def test_decimals_are_drawn_as_the_whole_numbers_that_they_are():
    keys = list(range(200))
    drawn = sample_by_key([Decimal(k).quantize(Decimal("0.00")) for k in keys], 0.5)
    np.testing.assert_array_equal(drawn, sample_by_key(keys, 0.5))
    with pytest.raises(ValueError, match="got fractions"):
        sample_by_key([Decimal("7.5")], 0.5)
