"""Read a Parquet log that is larger than memory, in one order, batch by batch.

For learners with ``partial_fit``. DuckDB sorts on disk; Arrow hands over the batches.
"""

from __future__ import annotations

import datetime
import numbers
import operator
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

HASH = "hash of the key"  # a column, beside those of the log
DIGITS = 13  # of the hash, in base 16: what a float holds
WHOLE = {f"{u}{size}INT" for u in ("", "U") for size in ("TINY", "SMALL", "BIG")}
WHOLE |= {"INTEGER", "UINTEGER"}
# Engines disagree on how a quote stands in a text
SALT = re.compile(r"[A-Za-z0-9 _.-]*")
KEYS = WHOLE | {"VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
QUERY = duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException
QUERY += duckdb.ConversionException, duckdb.OutOfMemoryException


class Batch(NamedTuple):
    """Some rows, and where to go on behind them."""

    rows: pa.Table
    after: tuple


def sample_sql(key, rate, salt="sample", label=None):
    """Return an SQL condition that is true for a share of the rows, always the same.

    It hashes a key, so that a rerun, another machine and another engine keep the same
    rows. DuckDB and Spark read it and compute the same, for whole numbers and texts. Of
    one salt, the rows of a smaller rate are among those of a larger.

    Parameters
    ----------
    key : str or list of str
        Columns that name a row. Where one is missing, the row is kept.
    rate : float
        Share of the rows to keep, in [1e-12, 1].
    salt : str
        What to hash with the key. Another one draws other rows: one for each purpose.
    label : str, optional
        A column of labels: only rows where it is 0 are sampled, all others are kept.

    Returns
    -------
    str
        Standard SQL, "names" in double quotes.

    Raises
    ------
    ValueError
        If there is no key, or an argument is out of range.

    Examples
    --------
    >>> print(sample_sql("id", 0.5)[:64])
    (substr(md5(concat('sample', '/', CAST("id" AS STRING))), 1, 13)
    """
    names = _names("key", key)
    share = _number("rate", rate, "[1e-12, 1]")
    if share == 1:
        return "(1 = 1)"
    # --8<-- [start:sample]
    limit = f"{min(round(share * 16**DIGITS), 16**DIGITS - 1):0{DIGITS}x}"
    condition = f"substr({_hash(names, salt)}, 1, {DIGITS}) < '{limit}'"
    # --8<-- [end:sample]
    condition += "".join(f" OR {_quoted(name)} IS NULL" for name in names)
    if label is not None:
        condition += f" OR {_quoted(_text('label', label))} IS DISTINCT FROM 0"
    return f"({condition})"


def read_batches(
    connection: duckdb.DuckDBPyConnection,
    files: str | Path | list,
    columns: dict[str, str],
    order: str | list[str],
    *,
    shuffle: str | None = None,
    keep: str | None = None,
    after: tuple | None = None,
    batch_rows: int = 50_000,
) -> Iterator[Batch]:
    """Check a Parquet log, then return an iterator of its rows, in order.

    Every batch but the last has ``batch_rows`` rows, whatever the files and the number
    of threads, so that a rerun learns the same. Nothing is held but a batch and what
    DuckDB needs: set its ``memory_limit`` and its ``temp_directory``, where it sorts
    what does not fit.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        It reads by a cursor of its own, so the caller may use it meanwhile.
    files : str, Path or list of these
        Parquet files, with wildcards.
    columns : dict of str to str
        The columns to read, and the type that DuckDB must find in each file, as
        ``{"click": "TINYINT"}``. DuckDB alone would take the type of the first file
        for all of them, and round what does not fit. A folder ``day=5`` is no column.
    order : str or list of str
        Among the columns: those to sort by, which together name a row, as time and id.
        Whole numbers, texts, dates or times in microseconds.
    shuffle : str, optional
        Sort by a hash of those columns and of this text: random, and always the same.
    keep : str, optional
        An SQL condition, as by ``sample_sql``: other rows are left out.
    after : tuple, optional
        ``Batch.after`` of the last batch that was learned: go on behind it.
    batch_rows : int

    Yields
    ------
    Batch
        ``rows`` is a PyArrow table of the columns. ``after`` is plain Python: keep it
        with the model, in one file.

    Raises
    ------
    ValueError
        Before the first batch: if there is no file or no row, a file is damaged or
        lacks a column or has another type in it, a key is missing. While reading: if
        two rows have the same key, a file turns out to be damaged, or the rows are not
        as many as before.
    """
    names, batch_rows = _names("order", order), _count("batch_rows", batch_rows)
    if not isinstance(columns, dict) or not columns:
        raise ValueError(f"columns must be a dict of names to types, got {columns!r}")
    for name in names:
        if columns.get(name) not in KEYS:
            raise ValueError(
                f"order: {name!r} must be among the columns, as whole number, text, "
                f"date or time in microseconds, got {columns.get(name)}"
            )
    cursor = connection.cursor()
    # The caller's own settings must not change what is sorted, or is equal
    for setting in ("TimeZone = 'UTC'", "default_collation = 'binary'"):
        cursor.execute(f"SET SESSION {setting}")
    cursor.execute("SET SESSION default_order = 'ASC'")
    paths = _paths(cursor, files)
    _check_types(cursor, paths, columns)
    # --8<-- [start:query]
    keys = [_quoted(name) for name in names]
    kinds = [columns[name] for name in names]
    if shuffle is not None:
        keys = [_hash(names, shuffle), *keys]
        kinds = ["VARCHAR", *kinds]
    condition, values = "1 = 1", []
    if keep is not None:
        if not _text("keep", keep).strip():
            raise ValueError(f"keep must be an SQL condition, got {keep!r}")
        condition = f"({keep}\n)"  # which may have an OR, or a comment
    if after is not None:
        values = _point(after, kinds)
        point = [f"CAST(${i} AS {kind})" for i, kind in enumerate(kinds, 1)]
        # The first part alone lets DuckDB skip files and groups of rows
        condition += f" AND {keys[0]} >= {point[0]}"
        condition += f" AND ({', '.join(keys)}) > ({', '.join(point)})"
    source = f"FROM {_table(paths)} WHERE {condition}"
    missing = " OR ".join(f"{_quoted(name)} IS NULL" for name in names)
    # --8<-- [end:query]
    picked = [_quoted(name) for name in columns]
    with _refusals(paths, picked):
        counts = f"SELECT count(*), count(*) FILTER ({missing}) {source}"
        n, n_missing = cursor.sql(counts, params=values).fetchall()[0]
    if n_missing:
        raise ValueError(
            f"order: {', '.join(names)} must be there in each row, missing in "
            f"{n_missing:,} of {n:,}"
        )
    if not n and after is None:
        raise ValueError(f"files hold no row to read: {_some(paths)}")
    hashed = f", {keys[0]} AS {_quoted(HASH)}" if shuffle is not None else ""
    query = f"SELECT {', '.join(picked)}{hashed} {source} ORDER BY {', '.join(keys)}"
    refusals = _refusals(paths, picked)
    return _stream(cursor, query, values, list(columns), names, n, batch_rows, refusals)


def _stream(cursor, query, values, columns, names, n, batch_rows, refusals):
    """Yield batches of one size, and hold the rows against what was counted."""
    seen, last, waiting = 0, None, None
    # --8<-- [start:stream]
    with refusals:
        reader = cursor.sql(query, params=values).to_arrow_reader(batch_rows)
        for part in reader:
            table = pa.Table.from_batches([part])
            last = _check_keys(table.select(names), last)
            seen += len(table)
            waiting = pa.concat_tables([waiting, table]) if waiting else table
            while len(waiting) >= batch_rows:
                yield _batch(waiting.slice(0, batch_rows), columns, names)
                waiting = waiting.slice(batch_rows)
    if waiting:
        yield _batch(waiting, columns, names)
    # --8<-- [end:stream]
    if seen != n:
        raise ValueError(
            f"files changed while they were read: {n:,} rows were counted, {seen:,} "
            "came"
        )


def _batch(table, columns, names):
    last = table.slice(table.num_rows - 1)
    hashed = [HASH] if table.num_columns > len(columns) else []
    try:
        after = tuple(last[name][0].as_py() for name in hashed + names)
    except OverflowError as error:
        raise ValueError(
            f"order: dates and times in {', '.join(names)} must be in the years 1 to "
            f"9999: {error}"
        ) from error
    return Batch(table.select(columns).combine_chunks(), after)


def _check_keys(table, last):
    """Return the last key, or say which one two neighbours share."""
    keys = pa.concat_tables([last, table]) if last else table
    before, behind = keys.slice(0, keys.num_rows - 1), keys.slice(1)
    pairs = zip(before.columns, behind.columns, strict=True)
    same = np.all([pc.equal(one, other).to_numpy() for one, other in pairs], axis=0)
    if same.any():
        row = keys.slice(int(same.argmax()), 1).to_pylist()[0]
        named = ", ".join(f"{name} {value}" for name, value in row.items())
        raise ValueError(f"order must name each row once: two rows have {named}")
    return table.slice(table.num_rows - 1)


def _paths(cursor, files):
    """Return the files of all patterns, sorted; of each pattern there must be one."""
    patterns = [files] if isinstance(files, str | os.PathLike) else list(files)
    paths = []
    for pattern in patterns:
        with _refusals():
            query = "SELECT file FROM glob($1) ORDER BY file"
            # A file may have a bracket in its name
            one = [_literal(pattern) if os.path.isfile(pattern) else os.fspath(pattern)]
            found = cursor.sql(query, params=one).fetchall()
        if not found:
            raise ValueError(f"files: there is none at {pattern}")
        paths += [path for (path,) in found]
    if not paths:
        raise ValueError("files: the list is empty")
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise ValueError(f"files: {twice} is named twice")
    return paths


def _check_types(cursor, paths, columns):
    """Hold the types that each file has against those it should have."""
    query = f"""SELECT file_name, list((name, duckdb_type, num_children)
        ORDER BY column_id) FROM parquet_schema({_list(paths)}) GROUP BY file_name
        ORDER BY file_name"""  # noqa: S608
    with _refusals():
        found = cursor.sql(query).fetchall()
    for path, (_, *nodes) in found:
        kinds, inside = {}, 0
        for name, kind, children in nodes:
            if not inside:
                kinds[name] = kind
            inside = max(inside - 1, 0) + (children or 0)
        alike = Counter(name.lower() for name in kinds)
        for name, wanted in columns.items():
            if name not in kinds:
                raise ValueError(f"columns: {path} has no {name!r}")
            if alike[name.lower()] > 1:
                raise ValueError(
                    f"columns: {path} has {name!r} in upper and in lower case, which "
                    "is one column to DuckDB"
                )
            if kinds[name] != wanted:
                raise ValueError(
                    f"columns: {name!r} must be {wanted}, got {kinds[name]} in {path}"
                )


def _point(after, kinds):
    """Return the values of a resume point, which must be one of this order."""
    whole, times = (int,), (datetime.datetime,)
    for_kind = {"VARCHAR": (str,), "DATE": (datetime.date,), "TIMESTAMP": times}
    for_kind["TIMESTAMP WITH TIME ZONE"] = times
    good = isinstance(after, tuple | list) and len(after) == len(kinds)
    if not good or not all(
        isinstance(value, for_kind.get(kind, whole))
        for value, kind in zip(after, kinds, strict=True)
    ):
        raise ValueError(f"after must be as {', '.join(kinds)}, got {after!r}")
    return list(after)


def _hash(names, salt):
    """Return SQL for the MD5 of a salt and of the columns, as text in base 16."""
    if not SALT.fullmatch(_text("salt", salt)):
        raise ValueError(f"salt must be letters, digits, blanks and _-., got {salt!r}")
    parts = "".join(f", '/', CAST({_quoted(n)} AS STRING)" for n in names)
    return f"md5(concat('{salt}'{parts}))"


def _literal(path):
    """Return a path as a pattern that fits no other one."""
    return re.sub(r"([*?[])", r"[\1]", os.fspath(path))


def _list(paths):
    return (
        "[" + ", ".join("'" + _literal(p).replace("'", "''") + "'" for p in paths) + "]"
    )


def _table(paths):
    """Return SQL for what is in files; not of folders such as ``id=7``."""
    return f"read_parquet({_list(paths)}, hive_partitioning = false)"


def _names(name, values):
    names = [values] if isinstance(values, str) else list(values)
    if not names:
        raise ValueError(f"{name} must name at least one column")
    return [_text(name, value) for value in names]


def _text(name, value):
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {value!r}")
    return value


def _some(paths):
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if paths[3:] else "")


@contextmanager
def _refusals(paths=(), picked=()):
    """Say what DuckDB refused, in one line, as a ValueError, and of which file."""
    try:
        yield
    # A stream of Arrow says what DuckDB says as an OSError
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        first = str(error).strip().split("\n")[0]
        named = any(path in first for path in paths)
        # Where the query is at fault, no file is: they may take hours to read
        at = "" if named or isinstance(error, QUERY) else _damaged(paths, picked)
        raise ValueError(f"DuckDB refuses: {first}{at}") from error


def _damaged(paths, picked):
    """Name the first file that cannot be read to its end, if there is one."""
    read = ", ".join(f"bit_xor(hash({name}))" for name in picked)
    for path in paths:
        with duckdb.connect() as connection:  # its own: an error may end the other one
            try:
                query = f"SELECT {read} FROM {_table([path])}"  # noqa: S608
                connection.sql(query).fetchall()
            except duckdb.Error:
                return f", in {path}"
    return ""


@contextmanager
def parquet_folder(frame: pd.DataFrame, n_files: int = 4) -> Iterator[Path]:
    """Write a frame into Parquet files of a folder that is deleted at the end."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        rows = connection.from_df(frame)  # as a whole: a part may be all missing
        ends = np.linspace(0, len(frame), n_files + 1).astype(int).tolist()
        for i, (start, end) in enumerate(pairwise(ends)):
            part = rows.limit(end - start, start)
            part.write_parquet(f"{folder}/part-{i:04}.parquet")
        yield Path(folder)


# --- The door: copies of tools/door/checks.py, by `make door`. ---


def _array(name: str, values: Any, ndim: int | None = 1) -> np.ndarray:
    """Return numbers of any container as an array; missing ones are NaN, or refused."""
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = values.astype(
            np.float64 if values.dtype.kind in "biuf" else object
        ).filled(np.nan)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US":  # one text makes texts of all
            array = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length, of numbers") from error
    if ndim is not None and array.ndim != ndim:
        wanted = {
            0: "be one number",
            1: "have one dimension",
            2: "have two dimensions",
        }[ndim]
        raise ValueError(
            f"{name} must {wanted}, got "
            f"{f'shape {array.shape}' if array.ndim else repr(values)}"
        )
    if array.dtype == object:
        flat = array.ravel()
        good = np.array(
            [
                isinstance(v, numbers.Real | np.bool_) or hasattr(v, "as_integer_ratio")
                for v in flat
            ],
            bool,
        )
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            good.reshape(array.shape),
        )
        whole = all(
            isinstance(v, numbers.Integral | np.bool_) and -(2**63) <= v < 2**63
            for v in flat
        )
        try:
            array = array.astype(np.int64 if whole and flat.size else np.float64)
        except OverflowError:
            # NumPy does so for whole numbers and fractions of more than 308 digits only
            large = [
                isinstance(v, numbers.Rational) and abs(v) >= 2**1023 for v in flat
            ].index(True)
            where = (
                f", got more than 308 digits at row {large}"
                if array.ndim == 1
                else ", got more than 308 digits"
            )
            raise ValueError(f"{name} must be finite as floats{where}") from None
    if array.dtype.kind not in "biuf":
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            np.zeros(array.shape, bool),
        )
        array = array.astype(np.float64)  # no row, so nothing to refuse
    return array


def _refuse(
    name: str, rule: str, array: np.ndarray, good: np.ndarray, start: int = 0
) -> None:
    """Raise an error that names the first value that is not good, if there is one."""
    if good.all():
        return
    at = tuple(map(int, np.unravel_index(int(np.argmin(good)), good.shape)))
    value = array[at]
    text = f"{value:.15g}" if isinstance(value, float | np.floating) else f"{value}"
    text = f"'{text}'" if isinstance(value, str) else text
    where = f" at row {at[0] + start}" if at else ""
    where += f", column {at[1]}" if len(at) > 1 else ""
    raise ValueError(f"{name} must {rule}, got {text}{where}")


def _inside(name: str, array: np.ndarray, interval: str, start: int = 0) -> np.ndarray:
    """Return an array as float64, or say which value is not in an interval, as NaN."""
    array = array.astype(np.float64, copy=False)
    low, high = map(float, interval[1:-1].split(","))
    above, below = (
        operator.gt if interval[0] == "(" else operator.ge,
        operator.lt if interval[-1] == ")" else operator.le,
    )
    # The minimum and the maximum are as fast as memory, and NaN passes through both of
    # them.
    if array.size and not (above(array.min(), low) and below(array.max(), high)):
        least = (
            f"{'above' if interval[0] == '(' else 'at least'} {low:g}"
            if np.isfinite(low)
            else ""
        )
        finite = "finite" if interval[-1] == ")" and not np.isfinite(high) else ""
        rule = (
            f"in {interval}"
            if np.isfinite(high)
            else " and ".join(filter(None, [least, finite])) or "a number"
        )
        _refuse(
            name, f"be {rule}", array, above(array, low) & below(array, high), start
        )
    return array


def _numbers(
    name: str, values: Any, interval: str = "(-inf, inf)", ndim: int | None = 1
) -> np.ndarray:
    """Return numbers of any container as float64, all in an interval, as "(0, 1]"."""
    return _inside(name, _array(name, values, ndim), interval)


def _number(name: str, value: Any, interval: str = "(-inf, inf)") -> float:
    """Return a parameter as a float inside of an interval."""
    if isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be a number, got {value}")
    return float(_numbers(name, value, interval, ndim=0))


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


def _quoted(name: str) -> str:
    """Return a name as SQL quotes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


# --- End of the door. ---
