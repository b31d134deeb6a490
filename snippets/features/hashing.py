"""Turn columns of any categories into sparse rows of fixed width, without a dictionary.

Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", ICML.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix


def hash_features(frame: pd.DataFrame, n_bits: int = 18, signed: bool = False) -> csr_matrix:
    """Hash each column's value to one of 2^n_bits columns.

    Parameters
    ----------
    frame : pandas.DataFrame of n rows
        Categories, texts, whole numbers, booleans. The name of the column is hashed with the value, so that equal
        values of two columns differ. A missing value is a value of its own.
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
        If frame has no column, a name twice, or a column of fractions: cut those into buckets first.

    Examples
    --------
    >>> rows = hash_features(pd.DataFrame({"ad": [7, 8], "device": ["phone", "phone"]}), n_bits=8)
    >>> rows.shape, rows.sum(axis=1).ravel().tolist()
    ((2, 256), [[2.0, 2.0]])
    """
    if not 1 <= n_bits <= 31:
        raise ValueError(f"n_bits must be from 1 to 31, got {n_bits}")
    if not frame.shape[1]:
        raise ValueError("frame has no column to hash")
    if not frame.columns.is_unique:
        raise ValueError(f"column {frame.columns[frame.columns.duplicated()][0]!r} is there twice")
    n, columns, entries = len(frame), [], []
    # --8<-- [start:hash]
    for name in frame:
        codes, values = pd.factorize(frame[name], use_na_sentinel=False)  # hash each value once
        if values.dtype.kind == "f" and not (values[~np.isnan(values)] % 1 == 0).all():
            raise ValueError(f"column {name!r} holds fractions: cut it into buckets first")
        texts = np.array([f"{name}={_text(value)}" for value in values], dtype=object)
        hashes = pd.util.hash_array(texts)
        columns.append((hashes % 2**n_bits).astype(np.int32)[codes])
        entries.append(np.where(hashes >> 63, -1.0, 1.0)[codes] if signed else np.ones(n))
    # --8<-- [end:hash]
    width = len(columns)
    ends = np.arange(0, n * width + 1, width)
    return csr_matrix((np.column_stack(entries).ravel(), np.column_stack(columns).ravel(), ends), (n, 2**n_bits))


def collision_share(n_values: int, n_bits: int) -> float:
    """Return the expected share of values that share their column with another.

    Parameters
    ----------
    n_values : int
        How many different values are hashed, at least 1.
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
    if n_values < 1:
        raise ValueError(f"n_values must be at least 1, got {n_values}")
    if not 1 <= n_bits <= 31:
        raise ValueError(f"n_bits must be from 1 to 31, got {n_bits}")
    # --8<-- [start:collisions]
    return float(-np.expm1((n_values - 1) * np.log1p(-(2.0**-n_bits))))
    # --8<-- [end:collisions]


def _text(value) -> str:
    """Return one text for a value, whatever type a file or a database gave it: 7, 7.0 and "7" are one."""
    if pd.isna(value):
        return ""
    if isinstance(value, float | np.floating):
        value = int(value)
    return str(value)
