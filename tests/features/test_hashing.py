import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snippets.features.hashing import collision_share, hash_features

FRAME = pd.DataFrame(
    {
        "ad": [7, 8, 7, 9],
        "device": pd.Categorical(["phone", "desktop", "phone", None]),
        "new": [True, False, True, True],
    }
)


def test_each_row_has_one_entry_for_each_column():
    rows = hash_features(FRAME, n_bits=16)
    assert rows.shape == (4, 65_536)
    assert rows.getnnz(axis=1).tolist() == [3, 3, 3, 3]
    assert (rows[0] != rows[2]).nnz == 0
    assert (rows[0].multiply(rows[1])).nnz == 0


def test_the_same_value_of_two_columns_differs():
    rows = hash_features(pd.DataFrame({"home": ["US"], "work": ["US"]}), n_bits=20)
    assert rows.nnz == 2
    assert rows.max() == 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (pd.Series([7, 8]), pd.Series(["7", "8"])),
        (pd.Series([7, 8]), pd.Series([7.0, 8.0])),
        (pd.Series([7, None]), pd.Series(["7", None])),
        (pd.Series(["x", None]), pd.Series(["x", float("nan")], dtype=object)),
        (pd.Series(["x", "y"]), pd.Categorical(["x", "y"])),
        (pd.Series([7, 8]), pd.Categorical([7.0, 8.0])),
        (pd.Series([7, 8]), pd.Series([Decimal("7.0"), np.float16(8)], dtype=object)),
        (pd.Series([2**53 + 1, -(2**60)]), pd.Series([str(2**53 + 1), str(-(2**60))])),
        (pd.Series([2**63 + 1, None], dtype="UInt64"), pd.Series([2**63 + 1, None], dtype=object)),
        (pd.Series(["2026-01-01"]), pd.Series([date(2026, 1, 1)])),
    ],
)
def test_one_value_has_one_column_whatever_its_type(a, b):
    left, right = (hash_features(pd.DataFrame({"v": column})) for column in (a, b))
    assert (left != right).nnz == 0


def test_an_empty_text_is_not_a_missing_value():
    empty, missing = (hash_features(pd.DataFrame({"v": pd.Series([v], dtype=object)})).indices for v in ("", None))
    assert empty != missing


@pytest.mark.parametrize("value", [0.5, np.inf, 2.0**53, 1j, Fraction(1, 3), Decimal("0.1"), Decimal("Infinity")])
@pytest.mark.parametrize("dtype", [None, "object", "category"])
def test_fractions_are_refused_whatever_holds_them(value, dtype):
    with pytest.raises(
        ValueError,
        match=re.escape(f"column 'p' must hold categories or whole numbers, as floats below 2^53, got {value}"),
    ):
        hash_features(pd.DataFrame({"p": pd.Series([value, None], dtype=dtype)}))


def test_unseen_values_and_other_rows_change_nothing():
    part = hash_features(FRAME.iloc[2:].reset_index(drop=True))
    assert (part != hash_features(FRAME)[2:]).nnz == 0


def test_another_process_hashes_alike():
    code = (
        "import pandas as pd; from snippets.features.hashing import hash_features;"
        "print(hash_features(pd.DataFrame({'ad': [7, 8]}), signed=True).indices.tolist())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == str(hash_features(pd.DataFrame({"ad": [7, 8]}), signed=True).indices.tolist())


@pytest.mark.parametrize(("n", "bits"), [(3_000, 10), (20_000, 16), (50_000, 20)])
def test_collisions_come_as_predicted(n, bits):
    columns = hash_features(pd.DataFrame({"v": np.arange(n)}), n_bits=bits).indices
    shared = (np.bincount(columns)[columns] > 1).mean()
    expected = collision_share(n, bits)
    assert shared == pytest.approx(expected, abs=4 * np.sqrt(2 * expected * (1 - expected) / n) + 1e-9)


@given(st.integers(1, 400), st.integers(1, 12))
def test_the_formula_against_powers(n, bits):
    assert collision_share(n, bits) == pytest.approx(1 - (1 - 2**-bits) ** (n - 1), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("bits", [1, 31])
def test_the_narrowest_and_the_widest(bits):
    rows = hash_features(FRAME, bits)
    assert rows.shape == (4, 2**bits)
    assert rows.sum(axis=1).ravel().tolist() == [[3.0] * 4]
    assert collision_share(2, bits) == pytest.approx(2.0**-bits, rel=1e-9)


def test_signs_are_fair():
    entries = hash_features(pd.DataFrame({"v": np.arange(10_000)}), signed=True).data
    assert set(entries) == {-1, 1}
    assert abs(entries.mean()) < 0.04


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hash_features(FRAME, 0), r"n_bits must be a whole number in \[1, 31\], got 0"),
        (lambda: hash_features(FRAME, 32), r"n_bits must be a whole number in \[1, 31\], got 32"),
        (lambda: hash_features(FRAME[[]]), "frame has no column to hash"),
        (lambda: hash_features(FRAME[["ad", "ad"]]), "frame has the column 'ad' twice"),
        (lambda: hash_features(pd.DataFrame({"p": [[1], [2]]})), "column 'p' holds what is no category"),
        (lambda: collision_share(0, 8), r"n_values must be a whole number in \[1, 9223372036854775808\], got 0"),
        (lambda: collision_share(10**400, 8), r"n_values must be a whole number in \[1, "),
        (lambda: hash_features(pd.DataFrame({"p": [1, True]}, dtype=object)), "column 'p' holds booleans and numbers"),
        (lambda: hash_features(pd.DataFrame({"p": [False, 0.0]}, dtype=object)), "column 'p' holds booleans and numb"),
        (lambda: collision_share(1, 0), r"n_bits must be a whole number in \[1, 31\], got 0"),
        (lambda: collision_share(1, 32), r"n_bits must be a whole number in \[1, 31\], got 32"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
