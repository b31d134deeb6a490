import logging
import socket
import subprocess
import sys
import threading
from datetime import UTC, date, datetime

import nbformat
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest
from nbclient import NotebookClient
from pandas.testing import assert_frame_equal
from pyspark.errors import PySparkException

from snippets.scale import engines
from snippets.scale.engines import _refusals, connect, spark_sql
from tools.guards.fences import ROOT

ROWS = pd.DataFrame(
    {
        "user": pd.array([1, 2, None], "Int64"),
        "at": pd.to_datetime(["2026-01-01 00:00", "2026-03-29 02:30", None]),
        "text": ["a", None, "b'"],
        "x": [1.5, float("nan"), -0.0],
    },
    index=[5, 6, 7],
)


@pytest.fixture(params=["duckdb:", "sail:"])
def address(request):
    return request.param


def test_a_frame_comes_back_as_it_went_in_with_times_in_utc(engine):
    engine.table("rows_in", ROWS)
    found = engine.sql('SELECT * FROM rows_in ORDER BY "at" NULLS LAST')
    assert found["at"].tolist()[:2] == [
        pd.Timestamp("2026-01-01", tz="UTC"),
        pd.Timestamp("2026-03-29 02:30", tz="UTC"),
    ]
    assert found["at"].isna().tolist() == [False, False, True]
    assert found["text"].fillna("?").tolist() == ["a", "?", "b'"]
    assert found["x"].fillna(9).tolist() == [1.5, 9, 0]
    assert found["user"].fillna(0).tolist() == [1, 2, 0]
    assert list(found.columns) == list(ROWS)


@pytest.mark.parametrize(
    "kind", [pa.Table.from_pandas, pl.from_pandas, lambda frame: frame.assign(at=frame["at"].dt.tz_localize("UTC"))]
)
def test_every_kind_of_frame_says_the_same(engine, kind):
    engine.table("as_pandas", ROWS)
    engine.table("as_other", kind(ROWS.reset_index(drop=True)))
    one, two = (
        engine.sql(f'SELECT "user", "at", text, x FROM {name} ORDER BY "at" NULLS LAST')
        for name in ("as_pandas", "as_other")
    )
    assert_frame_equal(one, two)


def test_a_table_without_rows_has_its_columns(engine):
    engine.table("none", ROWS[:0])
    found = engine.sql('SELECT "user" + 1 AS more, "at" + INTERVAL \'1\' SECOND AS later, text, x FROM none')
    assert found.shape == (0, 4)
    assert engine.sql("SELECT count(*) AS n FROM none")["n"].tolist() == [0]


def test_whole_numbers_stay_whole_beside_missing_ones_and_as_sums(engine):
    rows = {"id": pa.array([2**60 + 1, None, 2**60 + 3]), "good": pa.array([True, None, False])}
    small = {f"i{bits}": pa.array([1, None, 2], f"int{bits}") for bits in (8, 16, 32)}
    engine.table("rows_in", pa.table(rows | small))
    found = engine.sql("SELECT * FROM rows_in ORDER BY id NULLS LAST")
    assert found["id"].tolist() == [2**60 + 1, 2**60 + 3, pd.NA]
    assert found["good"].tolist() == [True, False, pd.NA]
    assert found.dtypes.astype(str).tolist() == ["Int64", "boolean", "Int8", "Int16", "Int32"]
    sums = engine.sql("SELECT sum(id) AS total, sum(CASE WHEN id < 0 THEN id END) AS none FROM rows_in")
    assert sums["total"].tolist() == [2**61 + 4]
    assert sums["total"].dtype == "int64"
    assert sums["none"].isna().tolist() == [True]
    there = engine.sql("SELECT id, good FROM rows_in WHERE id > 0")
    assert there.dtypes.astype(str).tolist() == ["int64", "bool"]


def test_a_number_that_64_bits_do_not_hold_is_exact_all_the_same(engine):
    found = engine.sql(
        "SELECT CAST('99999999999999999999' AS DECIMAL(38, 0)) AS it, CAST(2.50 AS DECIMAL(9, 2)) AS two"
    )
    assert found["it"][0] == 99_999_999_999_999_999_999
    assert str(found["two"][0]) == "2.50"


def test_a_column_that_is_there_twice_is_refused(engine):
    with pytest.raises(ValueError, match="the result has column 'a' twice: rename one"):
        engine.sql("SELECT 1 AS a, 2 AS b, 3 AS a")


def test_a_cast_that_fails_is_an_error_unless_asked_otherwise(monkeypatch, sail):
    asked, conf = {}, type(sail.session.conf)
    monkeypatch.setattr(conf, "set", lambda self, key, value: asked.update({key: value}))
    with connect("sail:"):
        assert asked == {"spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC"}
    with connect("sail:", {"spark.sql.ansi.enabled": "false", "spark.sql.session.timeZone": "Asia/Tokyo"}):
        assert asked == {"spark.sql.ansi.enabled": "false", "spark.sql.session.timeZone": "UTC"}


def test_what_an_engine_cannot_hand_over_is_its_refusal(sail):
    with pytest.raises(ValueError, match=r"^Spark refuses: "):
        sail.sql("SELECT NULL AS a UNION ALL SELECT 1")  # Sail says that the type is void, and sends numbers


def test_a_category_is_the_text_that_it_stands_for(engine):
    engine.table("categories", ROWS.astype({"text": "category"}))
    assert engine.sql("SELECT text || '!' AS it FROM categories")["it"].dropna().tolist() == ["a!", "b'!"]


@pytest.mark.parametrize("categories", [["a", None, "b"], []])
def test_a_category_of_polars_is_its_text(engine, categories):
    engine.table("categories", pl.DataFrame({"x": pl.Series(categories, dtype=pl.Categorical)}))
    found = engine.sql("SELECT x || '!' AS it FROM categories ORDER BY x NULLS LAST")["it"]
    assert found.fillna("?").tolist() == (["a!", "b!", "?"] if categories else [])


def test_types_that_spark_has_not_are_the_next_larger_on_both_engines(engine):
    rows = {f"u{bits}": pa.array([0, 2 ** min(bits, 63) - 1], f"uint{bits}") for bits in (8, 16, 32, 64)}
    rows["half"] = pa.array([0, 1.5], pa.float16())
    rows["day"] = pa.array([0, 86_400_000], pa.date64())
    engine.table("rows_in", pa.table(rows))
    found = engine.sql("SELECT * FROM rows_in ORDER BY u8 DESC")
    assert found.iloc[0].tolist() == [2**8 - 1, 2**16 - 1, 2**32 - 1, 2**63 - 1, 1.5, date(1970, 1, 2)]
    assert engine.sql("SELECT min(u8 - 1) AS it FROM rows_in")["it"].tolist() == [-1]  # and not 255, or an error


def test_a_time_without_a_zone_is_in_utc_in_a_query_and_in_a_file(engine, tmp_path):
    wanted = [pd.Timestamp("2026-03-29 02:30", tz="UTC")]
    assert engine.sql("SELECT TIMESTAMP '2026-03-29 02:30:00' AS t")["t"].tolist() == wanted
    pq.write_table(pa.table({"t": pa.array([wanted[0].tz_localize(None)], pa.timestamp("us"))}), tmp_path / "a.parquet")
    engine.table("rows_in", tmp_path / "a.parquet")
    assert engine.sql("SELECT t FROM rows_in")["t"].tolist() == wanted


@pytest.mark.parametrize("text", ["", "SELECT 1 AS x; SELECT 2 AS x"])
def test_a_text_is_one_query(engine, tmp_path, text):
    # The last two are the words of Spark itself
    refused = r"one (query|statement)|unexpected empty statement|extra input 'SELECT'"
    with pytest.raises(ValueError, match=refused):
        engine.sql(text)
    with pytest.raises(ValueError, match=refused):
        engine.write(text, tmp_path / "out")


def test_what_is_written_may_end_with_a_comment_but_has_no_name_twice(engine, tmp_path):
    for i, text in enumerate(["SELECT 1 AS x -- one", "SELECT 1 AS x;"]):
        engine.write(text, tmp_path / str(i))
    engine.table("rows_out", tmp_path / "**" / "*.parquet")
    assert engine.sql("SELECT x FROM rows_out")["x"].tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"'x' twice|duplicate .*\bx\b|column `x` already exists"):
        engine.write("SELECT 1 AS x, 2 AS x", tmp_path / "twice")


def test_a_pattern_may_go_through_no_folder_or_many_and_an_address_is_for_the_engine(duck, tmp_path):
    duck.write("SELECT 1 AS x", tmp_path / "out")
    duck.table("rows_out", tmp_path / "out" / "**" / "*.parquet")
    assert duck.sql("SELECT x FROM rows_out")["x"].tolist() == [1]
    with pytest.raises(ValueError, match=r"^DuckDB refuses: (?!.*no file at)"):
        duck.table("rows_out", "nosuch://bucket/*.parquet")


def test_an_engine_may_be_closed_twice():
    for address in ("duckdb:", "sail:"):
        engine = connect(address)
        engine.close()
        engine.close()
        with pytest.raises(ValueError, match="refuses"):
            engine.sql("SELECT 1 AS x")


def test_a_time_with_a_zone_keeps_its_instant(engine):
    berlin = pd.DataFrame(
        {"at": pd.to_datetime(["2026-10-25 00:30", "2026-10-25 01:30"]).tz_localize("UTC").tz_convert("Europe/Berlin")}
    )
    engine.table("berlin", berlin)
    found = engine.sql('SELECT "at", CAST(date_trunc(\'day\', "at") AS DATE) AS day FROM berlin ORDER BY "at"')
    assert found["at"].tolist() == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    ]
    assert [str(day)[:10] for day in found["day"]] == ["2026-10-25"] * 2


def test_files_are_written_and_read_by_a_wildcard_but_never_added_to(engine, tmp_path):
    engine.table("rows_in", ROWS)
    folder = tmp_path / "it's"
    engine.write("SELECT * FROM rows_in", folder)
    engine.table("rows_out", folder / "*.parquet")
    wanted, found = (engine.sql(f'SELECT * FROM {name} ORDER BY "at" NULLS LAST') for name in ("rows_in", "rows_out"))
    assert_frame_equal(found, wanted)
    engine.table("rows_out", ROWS.iloc[:1])  # a name can be given anew
    assert len(engine.sql("SELECT * FROM rows_out")) == 1
    engine.table("rows_out", str(folder / "*.parquet"))
    assert len(engine.sql("SELECT * FROM rows_out")) == 3
    with pytest.raises(FileExistsError, match=r"folder .*it's exists: choose another"):
        engine.write("SELECT * FROM rows_in", folder)


@pytest.mark.parametrize(
    ("name", "rows", "complaint"),
    [
        ("a b", ROWS, "name must be letters, digits and _, got 'a b'"),
        ("x; DROP TABLE y", ROWS, "name must be letters"),
        ("rows_in", "/nowhere/*.parquet", r"rows of rows_in: no file at /nowhere/\*\.parquet"),
        ("rows_in", pd.DataFrame({"at": pd.to_datetime([1], unit="ns")}), "finer than microseconds"),
        ("rows_in", pa.table({"at": pa.array([10**13], pa.timestamp("s"))}), "rows of rows_in hold .* out of bounds"),
        ("rows_in", pd.DataFrame({"x": ["a", 1]}), "rows of rows_in hold .* column x"),
        ("rows_in", pd.DataFrame({"x": [1, "a"]}), "rows of rows_in hold .* column x"),
        ("rows_in", pa.table({"x": pa.array([2**63], "uint64")}), "rows of rows_in hold .* 9223372036854775808"),
    ],
)
def test_bad_rows_are_refused(engine, name, rows, complaint):
    with pytest.raises(ValueError, match=complaint):
        engine.table(name, rows)


@pytest.mark.parametrize("text", ["PICK 1", "SELECT nosuch FROM rows_in", "SELECT CAST('x' AS INT) AS i FROM rows_in"])
def test_what_an_engine_refuses_is_said_in_a_line(engine, text):
    engine.table("rows_in", ROWS)
    with pytest.raises(ValueError, match=r"^(DuckDB|Spark) refuses: .+") as caught:
        engine.sql(text)
    assert "\n" not in str(caught.value)


def test_a_refusal_whose_meaning_is_known_is_said_in_better_words(duck):
    with pytest.raises(FileExistsError, match="better"), _refusals("DuckDB", {"nosuch": FileExistsError("better")}):
        duck.connection.execute("SELECT nosuch")
    with pytest.raises(ValueError, match=r"^DuckDB refuses"), _refusals("DuckDB", {"other": FileExistsError("better")}):
        duck.connection.execute("SELECT nosuch")


def test_what_java_says_before_the_refusal_is_left_out_and_its_stack_is_not_printed(spark):
    java = "(java.util.concurrent.ExecutionException) org.apache.spark.SparkX: [CAST_INVALID_INPUT] The value 'x'"
    with pytest.raises(ValueError, match=r"^Spark refuses: \[CAST_INVALID_INPUT\] The value 'x'$"), _refusals("Spark"):
        raise PySparkException(java)
    assert logging.getLogger("SQLQueryContextLogger").disabled


ANSWERS = {  # of Sail, which the page prints, and of Spark 4.2
    "SELECT 1 / 0 AS it": (None, None),
    "SELECT ln(0) IS NULL AS it": (True, True),
    "SELECT 9223372036854775807 + one AS it FROM ones": (-(2**63), None),
    "SELECT CAST(2.5 AS INT) AS it": (2, 2),
    "SELECT CAST(CAST(3.5 AS DOUBLE) AS INT) AS it": (3, 3),
    "SELECT concat('a', NULL) IS NULL AS it": (True, True),
    "SELECT dayofweek(DATE '2026-11-26') AS it": (5, 5),
    "SELECT one AS it FROM ones GROUP BY ALL": (None, 1),
    "SELECT a.one AS it FROM ones AS a ASOF JOIN ones AS b ON a.one >= b.one": (None, None),
}


@pytest.mark.parametrize("query", ANSWERS)
def test_sail_answers_as_spark_but_at_overflow_and_group_by_all(spark, query):
    spark.table("ones", pd.DataFrame({"one": [1]}))
    wanted = ANSWERS[query][spark.server is None]
    if wanted is None:
        with pytest.raises(ValueError, match="Spark refuses"):
            spark.sql(query)
    else:
        assert spark.sql(query)["it"].tolist() == [wanted]


def test_what_no_engine_refused_passes_through(engine):
    with pytest.raises(TypeError):
        engine.table("rows_in", 7)
    with pytest.raises(ZeroDivisionError), _refusals("DuckDB"):
        1 / 0  # noqa: B018


@pytest.mark.parametrize(
    "address", ["", "mysql://host", "sail:somewhere", "sc:", "sc://", "sc:host", "sc://host:x", "sc://host:99999"]
)
def test_an_address_of_no_engine_is_refused(address):
    with pytest.raises(
        ValueError, match=f"address must be duckdb:, duckdb:FILE, sail: or sc://HOST:PORT, got '{address}'"
    ):
        connect(address)


def test_a_token_is_not_shown_in_an_address_that_is_refused():
    with pytest.raises(ValueError, match=r"got 'spark://host/'$"):
        connect("spark://host/;token=secret")


@pytest.mark.parametrize(
    "address",
    [
        "sc://host/path;token=secret",
        "sc://host/;token:secret",
        "sc://host/;use_ssl=true;secret",
        "sc://host/?token=secret",
        "sc://host/#secret",
        "sc://me:secret@host",
        "https://secret@host/",
        "https://host/?token=secret",
    ],
)
def test_an_address_is_refused_where_its_secret_would_be_shown_or_left_out(address):
    with pytest.raises(ValueError, match=r"address must be .* got '(sc|https)://host/?(path)?'$"):
        connect(address)


def test_a_cluster_that_is_not_there_is_missed_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"sc://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(ConnectionError, match=f"no Spark Connect server answers at {address[5:]}: ") as caught:
        connect(f"{address}/;token=secret")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
@pytest.mark.parametrize("options", ["", "/;use_ssl=true;token=secret"])
def test_what_is_no_spark_is_named_in_seconds(monkeypatch, answer, options):
    monkeypatch.setattr(engines, "SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        open_ones = []

        def serve():
            try:
                while True:
                    open_ones.append(server.accept()[0])
                    open_ones[-1].sendall(answer)
            except OSError:  # closed
                return

        threading.Thread(target=serve, daemon=True).start()
        host, port = server.getsockname()
        with pytest.raises(
            ConnectionError, match=f"what answers at {host}:{port} is no Spark Connect server"
        ) as caught:
            connect(f"sc://{host}:{port}{options}")
        assert "secret" not in str(caught.value)
    for one in open_ones:
        one.close()


@pytest.mark.parametrize(("server", "fits"), [("3.5.9", False), ("4.0.3", False), ("5.0.0", False), ("4.99.0", True)])
def test_a_cluster_older_than_the_client_is_refused_with_the_client_to_install(
    monkeypatch, tmp_path, sail, server, fits
):
    address = f"sc://127.0.0.1:{sail.server.listening_address[1]}"
    monkeypatch.setattr(type(sail.session), "version", server)
    if fits:
        with connect(address) as engine:
            assert engine.sql("SELECT 1 AS one")["one"].tolist() == [1]
            engine.write("SELECT 1 AS one", tmp_path / "one")  # a cluster's folders are its own: it looks itself
            with pytest.raises(FileExistsError, match=r"folder .*one exists: choose another"):
                engine.write("SELECT 1 AS one", tmp_path / "one")
        return
    wanted = server.rpartition(".")[0]
    ours = pyspark.__version__
    complaint = rf"Spark {server} at .* does not fit pyspark-client {ours}: install pyspark-client=={wanted}\.\*"
    with pytest.raises(ConnectionError, match=complaint):
        connect(address)


def test_a_server_that_refuses_the_client_is_named(monkeypatch, sail):
    monkeypatch.setattr(pyspark, "__version__", "4.99.0")  # which the client tells the server
    with pytest.raises(ConnectionError, match=r"unsupported PySpark version: 4\.99\.0; pyspark-client is 4\.99\.0"):
        connect(f"sc://127.0.0.1:{sail.server.listening_address[1]}")


def test_code_that_no_file_holds_may_start_spark():
    code = "from snippets.scale.engines import connect; import sys\nwith connect('sail:') as engine:\n"
    code += "    print(engine.sql('SELECT 7 AS x')['x'][0], hasattr(sys, 'ps1'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("7 False\n", "")


def test_a_prompt_is_left_as_it_was(monkeypatch):
    monkeypatch.setattr(sys, "ps1", "mine", raising=False)
    engines._import_client()
    assert sys.ps1 == "mine"


def test_a_long_query_draws_no_bar(duck):
    assert duck.sql("SELECT current_setting('enable_progress_bar') AS it")["it"].tolist() == [False]


def test_a_notebook_without_widgets_may_connect(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    code = "from snippets.scale.engines import connect\nprint(connect().sql('SELECT 7 AS x')['x'][0])"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, kernel_name="python3").execute()
    assert [output.text for output in notebook.cells[0].outputs] == ["7\n"]


def test_a_setting_reaches_the_engine():
    with connect("duckdb:", {"memory_limit": "123MB"}) as engine:
        assert engine.sql("SELECT current_setting('memory_limit') AS it")["it"][0] == "117.3 MiB"
    with connect("sail:", {"spark.sql.shuffle.partitions": "3"}) as engine:
        assert engine.session.conf.get("spark.sql.shuffle.partitions") == "3"


@pytest.mark.parametrize(
    ("address", "settings"), [("duckdb:", {"nosuch": "1"}), ("duckdb:/nowhere/x.db", {}), ("sail:", {"spark.x": None})]
)
def test_a_setting_or_a_file_that_no_engine_takes_is_refused(address, settings):
    with pytest.raises(ValueError, match="refuses: "):
        connect(address, settings)


def test_a_database_in_a_file_is_there_again(tmp_path):
    address = f"duckdb:{tmp_path / 'kept.db'}"
    with connect(address) as engine:
        engine.connection.execute("CREATE TABLE kept AS SELECT 7 AS x")
    with connect(address) as engine:
        assert engine.sql("SELECT x FROM kept")["x"].tolist() == [7]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("""SELECT "a b", 'c "d" e' FROM t""", """SELECT `a b`, 'c "d" e' FROM t"""),
        ("""SELECT 'it''s "x"', "y" """, r"""SELECT 'it\'s "x"', `y` """),
        (r"""SELECT '\d', '', "\" """, r"""SELECT '\\d', '', `\` """),
        ("""-- it's "x"\nSELECT "y" /* don't\n */ , 'z'""", """-- it's "x"\nSELECT `y` /* don't\n */ , 'z'"""),
        ("""SELECT "a""b`c" """, """SELECT `a"b``c` """),
    ],
)
def test_names_are_quoted_as_spark_wants_them_and_text_stays_what_it_says(text, wanted):
    assert spark_sql(text) == wanted


def test_a_text_may_be_anything(engine):
    words = r"""it's a \ and a "quote" """
    quoted = words.replace("'", "''")
    assert engine.sql(f"SELECT '{quoted}' AS it -- isn't it?")["it"].tolist() == [words]


def test_a_name_may_be_anything(engine):
    engine.table("odd", pd.DataFrame({'a "b` c': [1], "select": [2]}))
    assert engine.sql('SELECT "a ""b` c" + "select" AS "sum" FROM odd')["sum"].tolist() == [3]
