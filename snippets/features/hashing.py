"""Turn columns of any categories into sparse rows of fixed width, without a dictionary.

Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", ICML.
"""

from __future__ import annotations

import numbers
import operator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix


def hash_features(
    frame: pd.DataFrame, n_bits: int = 18, signed: bool = False
) -> csr_matrix:
    """Hash each column's value to one of 2^n_bits columns.

    Parameters
    ----------
    frame : table of n rows
        Categories, texts, whole numbers, booleans. The name of the column is hashed
        with the value, so that equal values of two columns differ. 7, 7.0 and "7" are
        one value. A missing value is a value of its own, which is not that of an empty
        text.
    n_bits : int
        Logarithm of the width, 1 to 31.
    signed : bool
        Give half of the values the entry -1, so that collisions cancel on average.

    Returns
    -------
    scipy.sparse.csr_matrix of shape (n, 2^n_bits)
        One entry for each column of frame. The same on every machine and in every run.

    Raises
    ------
    ValueError
        If frame has no column, a name twice, or a column with fractions, whatever holds
        them: cut those into buckets first. If a float is so large that its last digits
        are lost, a value is a list, or n_bits is out of range.

    Examples
    --------
    >>> rows = hash_features(
    ...     pd.DataFrame({"ad": [7, 8], "device": ["phone", "phone"]}), n_bits=8
    ... )
    >>> rows.shape, rows.sum(axis=1).ravel().tolist()
    ((2, 256), [[2.0, 2.0]])
    """
    frame, n_bits = _frame("frame", frame), _count("n_bits", n_bits, 1, 31)
    if not frame.shape[1]:
        raise ValueError("frame has no column to hash")
    n, columns, entries = len(frame), [], []
    # --8<-- [start:hash]
    for name in frame:
        codes, values = _distinct(name, frame[name])  # hash each value once
        texts = np.array(
            [f"{name}{_text(name, value)}" for value in values], dtype=object
        )
        hashes = pd.util.hash_array(texts)
        columns.append((hashes % 2**n_bits).astype(np.int32)[codes])
        entries.append(
            np.where(hashes >> 63, -1.0, 1.0)[codes] if signed else np.ones(n)
        )
    # --8<-- [end:hash]
    width = len(columns)
    ends = np.arange(0, n * width + 1, width)
    return csr_matrix(
        (np.column_stack(entries).ravel(), np.column_stack(columns).ravel(), ends),
        (n, 2**n_bits),
    )


def collision_share(n_values: int, n_bits: int) -> float:
    """Return the expected share of values that share their column with another.

    Parameters
    ----------
    n_values : int
        How many different values are hashed, 1 to 2^63.
    n_bits : int
        Logarithm of the width, 1 to 31.

    Returns
    -------
    float
        1 - (1 - 2^-n_bits)^(n_values - 1).

    Raises
    ------
    ValueError
        If an argument is out of range.

    Examples
    --------
    >>> round(collision_share(10_000, 16), 3)
    0.142
    """
    n_values, n_bits = (
        _count("n_values", n_values, 1, 2**63),
        _count("n_bits", n_bits, 1, 31),
    )
    # --8<-- [start:collisions]
    return float(-np.expm1((n_values - 1) * np.log1p(-(2.0**-n_bits))))
    # --8<-- [end:collisions]


def _distinct(name: Any, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's value, and the values so numbered."""
    column = _column(name, values)
    values = column if column.dtype == object else []
    is_bool = {
        isinstance(v, bool | np.bool_)
        for v in values
        if isinstance(v, numbers.Number | np.bool_) and pd.notna(v)
    }
    if len(is_bool) > 1:
        raise ValueError(
            f"column {name!r} holds booleans and numbers, of which pandas takes True "
            "for 1"
        )
    try:
        return pd.factorize(column, use_na_sentinel=False)
    except TypeError as error:
        raise ValueError(
            f"column {name!r} holds what is no category: {error}"
        ) from error


def _text(name: Any, value: Any) -> str:
    """Return one text for a value, whatever type a file or a database gave it."""
    if pd.isna(value):
        return "="
    if isinstance(value, str) and not value:
        return ""
    if isinstance(value, np.floating):
        value = float(value)
    if isinstance(value, numbers.Number) and not isinstance(
        value, numbers.Integral | bool | np.bool_
    ):
        if not (
            isinstance(value, numbers.Real | Decimal)
            and abs(value) < 2**53
            and value % 1 == 0
        ):
            wanted = "hold categories or whole numbers, as floats below 2^53"
            raise ValueError(
                f"column {name!r} must {wanted}, got {value}: cut fractions into "
                "buckets first"
            )
        value = int(value)
    return f"={value}"


# --- The door: copies of tools/door/checks.py, by `make door`. ---


def _count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return a parameter that is a whole number."""
    rule = f"of at least {least}" if most is None else f"in [{least}, {most}]"
    try:
        if isinstance(value, bool | np.bool_) or not least <= operator.index(value) <= (
            np.inf if most is None else most
        ):
            raise TypeError
    except TypeError:
        raise ValueError(
            f"{name} must be a whole number {rule}, got {value!r}"
        ) from None
    return operator.index(value)


def _column(name: str, values: Any) -> pd.Series:
    """Return a column of any container as a Series of exact values."""
    if (
        isinstance(values, str | bytes | dict | set | frozenset)
        or not hasattr(values, "__len__")
        or getattr(values, "ndim", 1) != 1
        # Tables of Polars and PyArrow do not say how many dimensions they have
        or hasattr(values, "columns")
    ):
        shape = getattr(values, "shape", type(values).__name__)
        raise ValueError(f"{name} must have one dimension, got {shape}")
    index = values.index if isinstance(values, pd.Series) else range(len(values))
    if isinstance(getattr(values, "dtype", None), pd.ArrowDtype):
        values = getattr(values, "array", values).__arrow_array__()
    elif hasattr(values, "to_arrow"):  # Polars
        values = values.to_arrow()
    if hasattr(values, "to_pandas"):  # PyArrow
        return values.to_pandas(types_mapper=_nullable).set_axis(index)
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    # Of which each entry is a tuple
    if isinstance(values, list | tuple | pd.MultiIndex):
        values = pd.Series([*values], dtype=object)
        # pandas would make floats of them
        if not (pd.api.types.infer_dtype(values) == "integer" and values.hasnans):
            values = values.infer_objects()
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        column = column.astype(
            np.float64 if column.dtype.kind == "f" else column.dtype.newbyteorder("=")
        )
    return column


def _nullable(arrow_type: Any) -> Any:
    """Return the pandas type that keeps whole numbers and booleans beside missing."""
    name = str(arrow_type)
    if name == "bool":
        return pd.BooleanDtype()
    return (
        pd.api.types.pandas_dtype(name.replace("int", "Int").replace("u", "U"))
        if "int" in name[:4]
        else None
    )


def _frame(name: str, frame: Any, columns: Any = ()) -> pd.DataFrame:
    """Return a table of any library as a data frame of exact values, each name once."""
    if hasattr(frame, "to_arrow"):  # Polars
        frame = frame.to_arrow()
    if not isinstance(frame, pd.DataFrame):
        if not (hasattr(frame, "to_pandas") and hasattr(frame, "column_names")):
            raise ValueError(
                f"{name} must be a table of pandas, Polars or PyArrow, got "
                f"{type(frame).__name__}"
            )
        frame = frame.to_pandas(types_mapper=_nullable)
    if not frame.columns.is_unique:
        raise ValueError(
            f"{name} has the column {frame.columns[frame.columns.duplicated()][0]!r} "
            "twice"
        )
    for column in columns:
        # Which takes names that cannot be hashed, such as lists
        if column not in list(frame):
            raise ValueError(f"{name} has no column {column!r}")
    # dtypes of pandas, such as categories and times with a zone, have an isnative of 0
    strange = [
        c
        for c, d in frame.dtypes.items()
        if isinstance(d, pd.ArrowDtype) or (isinstance(d, np.dtype) and not d.isnative)
    ]
    if strange:
        frame = frame.copy(deep=False)
        for column in strange:
            frame[column] = _column(column, frame[column])
    return frame


# --- End of the door. ---
