"""One SQL text on two engines: DuckDB in this process, and Spark at an address."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import warnings
from contextlib import contextmanager, suppress
from glob import glob
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pandas as pd
import pyarrow as pa

OF_ENGINES = ("duckdb", "_duckdb", "pyspark", "pyarrow")  # whose errors are theirs
JAVA = re.compile(r"^\(java\.[^\[]*")  # what Java's errors say before their own words
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A comment, a text, or a name
TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'((?:[^']|'')*)'|"((?:[^"]|"")+)\"""", re.DOTALL
)
WHOLE = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"]
NULLABLE = {pa.bool_(): pd.BooleanDtype()} | {
    pa.type_for_alias(name.lower()): pd.api.types.pandas_dtype(name) for name in WHOLE
}
SIGNED = {  # Spark has no such types
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.int64(),
    pa.float16(): pa.float32(),
    pa.date64(): pa.date32(),
}
SECRET = re.compile(r"[^/@]*@|[;?#].*", re.DOTALL)  # of an address
SECONDS = 5  # to reach a cluster: the client itself would try for minutes


def connect(address="duckdb:", settings=None):
    """Return an engine by its address.

    Parameters
    ----------
    address : str, default "duckdb:"
        ``duckdb:`` in memory, ``duckdb:/path/to/file.db``, ``sc://host:15002`` for a
        Spark cluster by Spark Connect, or ``sail:``, a Spark Connect server that is
        started in this process: no Java, one machine, the same SQL.
    settings : dict of str to str, optional
        Settings of the engine, such as ``{"memory_limit": "1GB"}`` for DuckDB or
        ``{"spark.sql.shuffle.partitions": "8"}`` for Spark.

    Returns
    -------
    DuckDBEngine or SparkEngine
        Close it, or use it in a ``with`` statement.

    Raises
    ------
    ValueError
        If no engine has such an address, or it does not know a setting.
    ConnectionError
        If nobody answers there, or who answers is no Spark Connect server, or it is a
        Spark older than the client, or of another major version.

    Examples
    --------
    >>> with connect("duckdb:") as engine:
    ...     engine.sql("SELECT 1 + 1 AS two").to_dict("list")
    {'two': [2]}
    """
    # --8<-- [start:connect]
    scheme, _, rest = str(address).partition(":")
    if scheme == "duckdb":
        return DuckDBEngine(rest or ":memory:", settings)
    if scheme == "sail" and not rest:
        return SparkEngine(None, settings)
    if scheme == "sc" and _place(address):
        return SparkEngine(address, settings)
    known = "duckdb:, duckdb:FILE, sail: or sc://HOST:PORT"
    raise ValueError(f"address must be {known}, got {_public(address)!r}")
    # --8<-- [end:connect]


class DuckDBEngine:
    """DuckDB: one process, all its cores, files larger than memory.

    Parameters
    ----------
    path : str
        The file of the database, or ``:memory:``.
    settings : dict of str to str, optional
        As for ``connect``.
    """

    dialect = "duckdb"

    def __init__(self, path=":memory:", settings=None):
        with _refusals("DuckDB"):
            self.connection = duckdb.connect(path, config=dict(settings or {}))
            self.connection.execute("SET TimeZone = 'UTC'")
            # Jupyter without its widgets has no bar, and refuses to switch it off.
            with suppress(duckdb.InvalidInputException):
                self.connection.execute("SET enable_progress_bar = false")

    def table(self, name, rows):
        """Give rows a name: a frame, or the path of Parquet files, with wildcards."""
        rows = _rows(name, rows)
        with _refusals("DuckDB"):
            self.connection.unregister(name)
            if isinstance(rows, str):
                self.connection.read_parquet(rows).create_view(name)
            else:
                self.connection.register(name, rows)

    def sql(self, text):
        """Run a query and return its rows, times in UTC, whole numbers as such."""
        with _refusals("DuckDB"):
            return _in_memory(self._query(text).to_arrow_table())

    def write(self, text, folder):
        """Run a query and write its rows as Parquet files into a new folder."""
        folder = str(_new(folder))
        with _refusals("DuckDB"):
            query = self._query(text)
            _once(query.columns)
            query.write_parquet(folder, per_thread_output=True)

    def _query(self, text):
        """Return the one query of a text: of several, DuckDB would run each."""
        n = len(self.connection.extract_statements(text))
        if n != 1:
            raise ValueError(f"text must be one query, got {n}")
        return self.connection.sql(text)

    def close(self):
        """Close the database."""
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class SparkEngine:
    """Spark by Spark Connect: a cluster, or Sail in this process.

    Parameters
    ----------
    address : str or None
        As for ``connect``; None starts Sail.
    settings : dict of str to str, optional
        As for ``connect``.
    """

    dialect = "spark"

    def __init__(self, address=None, settings=None):
        self.server = None
        if address is None:
            os.environ.setdefault("RUST_LOG", "off")  # it would log to standard error
            from pysail.spark import SparkConnectServer

            self.server = SparkConnectServer("127.0.0.1", 0)
            self.server.start(background=True)
            address = f"sc://127.0.0.1:{self.server.listening_address[1]}"
        self.session = _session(address)
        try:
            for key, value in {
                "spark.sql.ansi.enabled": "true",  # else a bad cast is NULL, in silence
                **(settings or {}),
                "spark.sql.session.timeZone": "UTC",
            }.items():
                with _refusals("Spark"):
                    self.session.conf.set(key, value)
        except ValueError:
            self.close()
            raise

    def table(self, name, rows):
        """Give rows a name: a frame, or the path of Parquet files, with wildcards."""
        rows = _rows(name, rows, here=self.server is not None)
        parquet = isinstance(rows, str)
        known = {"PATH_NOT_FOUND": _no_file(name, rows)} if parquet else {}
        with _refusals("Spark", known):
            if parquet:
                frame = self.session.read.parquet(rows)
            else:
                frame = self.session.createDataFrame(rows, _schema(rows))
            frame.createOrReplaceTempView(name)

    # --8<-- [start:spark]
    def sql(self, text):
        """Run a query and return its rows, times in UTC, whole numbers as such."""
        with _refusals("Spark"):
            return _in_memory(self.session.sql(spark_sql(text)).toArrow())

    # --8<-- [end:spark]
    def write(self, text, folder):
        """Run a query and write its rows as Parquet files into a new folder."""
        if self.server is not None:
            _new(folder)
        # Spark's words, and Sail's: a column that stands twice "already exists", too
        words = ("PATH_ALREADY_EXISTS", "path already exists")
        with _refusals("Spark", dict.fromkeys(words, _taken(folder))):
            self.session.sql(spark_sql(text)).write.mode("error").parquet(str(folder))

    def close(self):
        """End the session, and the server if it was started here."""
        self.session.stop()
        if self.server is not None and self.server.running:
            self.server.stop()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _session(address):
    """Return a session, once somebody answers and speaks for the client's version."""
    _import_client()
    import pyspark
    from pyspark.sql import SparkSession

    host, port = _place(address)
    at = f"{host}:{port}"
    try:
        socket.create_connection((host, port), SECONDS).close()
    except OSError as error:
        raise ConnectionError(
            f"no Spark Connect server answers at {at}: {error}"
        ) from error
    with warnings.catch_warnings():
        # Of pandas 3; nothing here passes through pandas on the side of Spark.
        warnings.simplefilter("ignore", FutureWarning)
        if not _is_grpc(address):
            raise ConnectionError(
                f"what answers at {at} is no Spark Connect server, or only one of you "
                "speaks TLS, as use_ssl=true and a token in the address make you"
            )
        session = SparkSession.builder.remote(address).create()
    ours = pyspark.__version__
    try:
        with _refusals("Spark"):
            theirs = session.version
    except ValueError as error:
        session.stop()
        raise ConnectionError(f"{error}; pyspark-client is {ours}") from error
    there, here = ([int(part) for part in v.split(".")[:2]] for v in (theirs, ours))
    if there[0] != here[0] or there < here:
        session.stop()
        raise ConnectionError(
            f"Spark {theirs} at {at} does not fit pyspark-client {ours}: "
            f"install pyspark-client=={there[0]}.{there[1]}.*"
        )
    return session


def _import_client():
    """Import the client, which takes a main module that no file holds for its doctests.

    So it would exit under ``python -c``, and wherever code comes as text.
    """
    held = hasattr(sys, "ps1")
    if not held:
        sys.ps1 = ""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of pandas 3, as below
            import pyspark.sql.connect.session  # noqa: F401
            from pyspark.logger import PySparkLogger
        # It would print a page to standard error for each query that Spark refuses
        PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True
    finally:
        if not held:
            del sys.ps1


def _is_grpc(address):
    """Say whether a channel opens there: the client itself would try for minutes."""
    from pyspark.sql.connect.client import DefaultChannelBuilder

    ready = threading.Event()
    channel = DefaultChannelBuilder(address).toChannel()
    channel.subscribe(
        lambda state: ready.set() if state.name == "READY" else None,
        try_to_connect=True,
    )
    opened = ready.wait(SECONDS)
    channel.close()
    return opened


def _place(address):
    """Return the host and the port of a cluster, or None where it says no host."""
    try:
        parts = urlsplit(address)
        path, *options = parts.path.split(";")
        known = path in ("", "/") and all("=" in option for option in options if option)
        if not known or "@" in parts.netloc or parts.query or parts.fragment:
            return None  # the client would repeat it, or leave it out in silence
        return parts.hostname and (parts.hostname, parts.port or 15002)
    except ValueError:  # a port that is no number
        return None


def _public(address):
    """Return an address without what may hold a token or a password."""
    return SECRET.sub("", str(address))


def _rows(name, rows, here=True):
    """Return a table with times in UTC, or the path of files that are there."""
    if not NAME.fullmatch(str(name)):
        raise ValueError(f"name must be letters, digits and _, got {name!r}")
    if isinstance(rows, str | Path):
        rows = str(rows)
        if here and "://" not in rows and not glob(rows, recursive=True):
            raise _no_file(name, rows)
        return rows
    try:
        if isinstance(rows, pd.DataFrame):
            rows = pa.Table.from_pandas(rows, preserve_index=False)
        elif not isinstance(rows, pa.Table):
            rows = pa.table(rows)
        columns = [_plain(column) for column in rows.columns]
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        why = "times finer than microseconds" if "lose data" in str(error) else ""
        why = why or "what the type of a column does not"
        raise ValueError(f"rows of {name} hold {why}: {error}") from error
    return pa.table(columns, rows.column_names)


def _plain(column):
    """Return a column in a type as which both engines know what is in it."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        parts = [
            part.dictionary.cast(_type(kind.value_type)).take(part.indices)
            for part in column.chunks
        ]
        return pa.chunked_array(parts, _type(kind.value_type))
    return column.cast(_type(kind))


def _type(kind):
    """Return the type as which both engines know what is in a column."""
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us", "UTC")
    text = pa.types.is_string_view(kind) or pa.types.is_large_string(kind)
    return pa.string() if text else SIGNED.get(kind, kind)


def _schema(rows):
    """Return what a table without rows says of itself; Spark asks only then."""
    if len(rows):
        return None
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(rows.schema)


def _in_memory(table):
    """Return a result as a frame in which whole numbers are whole, also beside NULL."""
    _once(table.column_names)
    for place, field in enumerate(table.schema):
        # A time without a zone is read in that of the session, as on the way in
        if pa.types.is_timestamp(field.type) and field.type.tz is None:
            column = table[place].cast(pa.timestamp(field.type.unit, "UTC"))
            table = table.set_column(place, field.name, column)
    frame = table.to_pandas()
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type
        if pa.types.is_decimal(kind) and kind.scale == 0:  # a sum, in DuckDB
            try:
                column, kind = column.cast(pa.int64()), pa.int64()
            except pa.ArrowInvalid:  # of more than 64 bits
                continue
            frame[name] = column.to_pandas()
        if column.null_count and kind in NULLABLE:
            frame[name] = column.to_pandas(types_mapper=NULLABLE.get)
    return frame


def _once(names):
    """Refuse a name that a result has twice."""
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(f"the result has column {twice[0]!r} twice: rename one")


def spark_sql(text):
    """Return a query in standard SQL as Spark wants it.

    That is with its "names" in backticks, and with a quote or a backslash in a text
    behind a backslash: Spark would read 'it' 's' as two texts, to be joined.

    Parameters
    ----------
    text : str
        Standard SQL: double quotes around names, single quotes around text.

    Returns
    -------
    str

    Examples
    --------
    >>> print(spark_sql('SELECT "at" FROM log'))
    SELECT `at` FROM log
    """
    return TOKEN.sub(_as_spark, text)


def _as_spark(found):
    content, name = found.groups()
    if content is not None:
        content = content.replace("\\", r"\\").replace("''", r"\'")
        return f"'{content}'"
    if name is not None:
        return "`" + name.replace('""', '"').replace("`", "``") + "`"
    return found[0]


def _new(folder):
    """Return a folder that is not there yet: an engine would add to what it holds."""
    if Path(folder).exists():
        raise _taken(folder)
    return folder


def _taken(folder):
    return FileExistsError(
        f"folder {folder} exists: choose another, or delete it first"
    )


def _no_file(name, path):
    return ValueError(f"rows of {name}: no file at {path}")


@contextmanager
def _refusals(engine, known=None):
    """Say what an engine refused, in one line, as a ValueError, or in better words."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(OF_ENGINES):
            raise
        first = str(error).strip().split("\n")[0]
        first = JAVA.sub("", first)
        plain = ValueError(f"{engine} refuses: {first}")
        better = (told for words, told in (known or {}).items() if words in first)
        raise next(better, plain) from error
