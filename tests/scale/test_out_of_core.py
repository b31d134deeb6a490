import hashlib
import json
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.hashing import hash_features
from snippets.scale.out_of_core import _refusals, parquet_folder, read_batches, sample_sql
from snippets.training_data.ftrl_proximal import FTRLProximal
from snippets.training_data.negative_downsampling import recalibrate

ROOT = Path(__file__).resolve().parents[2]
KINDS = {"id": "BIGINT", "t": "TIMESTAMP WITH TIME ZONE", "user": "VARCHAR", "click": "TINYINT"}
FEATURES = ["hour", "ad_id", "user_id"]


def rows(n, seed=0):
    """Return rows with a null here and there, and with times that tie."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "id": rng.permutation(n) - n // 2,
            "t": pd.Timestamp("2026-03-29", tz="Europe/Berlin")
            + pd.to_timedelta(rng.integers(0, n // 3 + 1, n), "min"),
            "user": pd.array([f"u'{i}" if i else None for i in rng.integers(0, 9, n)], "str"),
            "click": rng.integers(0, 2, n).astype(np.int8),
        }
    )


def md5(salt, *key):
    return hashlib.md5("/".join([salt, *map(str, key)]).encode()).hexdigest()


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


@pytest.fixture
def log(tmp_path):
    """Return the pattern of three files, the middle one without a row, and their rows."""
    frame = rows(7_000)
    for i, part in enumerate([frame[:3_000], frame[:0], frame[3_000:]]):
        pq.write_table(pa.Table.from_pandas(part, preserve_index=False), tmp_path / f"it's {i}.parquet")
    return str(tmp_path / "*.parquet"), frame


def together(batches):
    return pa.concat_tables([batch.rows for batch in batches]).to_pandas()


def same(found, wanted):
    assert found["id"].tolist() == wanted["id"].tolist()
    assert found["click"].tolist() == wanted["click"].tolist()
    assert found["user"].fillna("-").tolist() == wanted["user"].fillna("-").tolist()
    assert (found["t"].to_numpy() == wanted["t"].to_numpy()).all()


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("batch_rows", [30, 999, 2_048, 10_000])
def test_rows_come_in_order_of_time_and_id_in_batches_of_one_size(connection, log, threads, batch_rows):
    pattern, frame = log
    connection.execute(f"SET threads = {threads}")
    batches = list(read_batches(connection, pattern, KINDS, ["t", "id"], batch_rows=batch_rows))
    sizes = [batch.rows.num_rows for batch in batches]
    assert set(sizes[:-1]) <= {batch_rows}
    assert 0 < sizes[-1] <= batch_rows
    wanted = frame.sort_values(["t", "id"])
    same(together(batches), wanted)
    ends = wanted.iloc[np.cumsum(sizes) - 1]
    assert [batch.after for batch in batches] == list(zip(ends["t"], ends["id"], strict=True))


def test_shuffled_rows_come_in_the_order_of_their_md5(connection, log):
    pattern, frame = log
    batches = list(read_batches(connection, pattern, KINDS, "id", shuffle="epoch 1", batch_rows=999))
    hashed = frame["id"].map(lambda i: md5("epoch 1", i))
    same(together(batches), frame.loc[hashed.sort_values().index])
    assert [batch.after for batch in batches][-1][0] == hashed.max()
    positions = together(batches)["t"].reset_index(drop=True).rank()
    assert abs(np.corrcoef(positions, np.arange(7_000))[0, 1]) < 4 / np.sqrt(7_000)  # no trend of time is left


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_reading_goes_on_behind_any_batch(data):
    frame = rows(data.draw(st.integers(1, 300)), data.draw(st.integers(0, 99)))
    options = {
        "order": data.draw(st.sampled_from([["id"], ["t", "id"], ["id", "t"]])),
        "shuffle": data.draw(st.sampled_from([None, "a", "b"])),
        "keep": data.draw(st.sampled_from([None, sample_sql("id", 0.7), sample_sql("id", 0.2, label="click")])),
        "batch_rows": data.draw(st.integers(1, 90)),
    }
    with parquet_folder(frame, data.draw(st.integers(1, 3))) as folder, duckdb.connect() as connection:
        kinds = {"click": "TINYINT", "id": "BIGINT", "t": "TIMESTAMP WITH TIME ZONE"}
        kept_ids = frame["id"] if options["keep"] is None else duckdb.sql(f"FROM frame WHERE {options['keep']}").df()
        if not len(kept_ids):
            with pytest.raises(ValueError, match="hold no row"):
                read_batches(connection, folder / "*", kinds, **options)
            return
        whole = list(read_batches(connection, folder / "*", kinds, **options))
        stop = data.draw(st.integers(0, len(whole) - 1))
        kept = pickle.loads(pickle.dumps(whole[stop].after))
        rest = list(read_batches(connection, folder / "*", kinds, **options, after=kept))
    assert [b.rows.to_pylist() for b in rest] == [b.rows.to_pylist() for b in whole[stop + 1 :]]
    assert [b.after for b in rest] == [b.after for b in whole[stop + 1 :]]


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "VARCHAR", "UBIGINT", "INTEGER", "TIMESTAMP WITH TIME ZONE"])
def test_every_kind_of_key_says_where_to_go_on(connection, tmp_path, kind):
    key = {"DATE": "DATE '2026-01-01' + range::INTEGER", "VARCHAR": "'k''' || range"}.get(kind, f"range::{kind}")
    if kind.startswith("TIMESTAMP"):
        key = f"(TIMESTAMP '2026-03-29 00:59:59.999999' + range * INTERVAL 1 MICROSECOND)::{kind}"
    connection.execute(f"COPY (SELECT {key} AS k FROM range(30)) TO '{tmp_path}/a.parquet' (FORMAT parquet)")
    arguments = connection, tmp_path / "a.parquet", {"k": kind}, "k"
    whole = list(read_batches(*arguments, batch_rows=10))
    rest = list(read_batches(*arguments, batch_rows=10, after=whole[0].after))
    assert [b.rows for b in rest] == [b.rows for b in whole[1:]]
    with pytest.raises(ValueError, match=rf"after must be as {kind}, got \(1\.5,\)"):
        read_batches(*arguments, after=(1.5,))


def test_the_end_is_behind_the_last_batch(connection, log):
    last = list(read_batches(connection, log[0], KINDS, "id"))[-1]
    assert list(read_batches(connection, log[0], KINDS, "id", after=last.after)) == []


# Sampling


@pytest.mark.parametrize(("rate", "salt"), [(0.1, "sample"), (0.5, "a-b.c d"), (1e-3, "b"), (1, "b")])
def test_a_sample_is_that_of_hashlib_on_both_engines(engine, rate, salt):
    frame = rows(5_000).assign(t=np.arange(5_000))
    engine.table("log", frame)
    found = engine.sql(f"SELECT id FROM log WHERE {sample_sql(['id', 't'], rate, salt)} ORDER BY id")["id"]
    share = [int(md5(salt, i, t)[:13], 16) / 16**13 for i, t in zip(frame["id"], frame["t"], strict=True)]
    assert found.tolist() == sorted(frame["id"][np.array(share) < rate])
    assert abs(len(found) - 5_000 * rate) <= 5 * np.sqrt(5_000 * rate * (1 - rate))


def test_negatives_are_sampled_and_all_else_is_kept_on_both_engines(engine):
    frame = rows(5_000)
    frame["click"] = pd.array(np.where(np.arange(5_000) % 50, frame["click"], None), "Int8")
    engine.table("log", frame)
    found = engine.sql(f'SELECT id, "user", click FROM log WHERE {sample_sql("user", 0.4, "x", "click")}')
    kept = frame["user"].map(lambda user: int(md5("x", user)[:13], 16) < 0.4 * 16**13)
    wanted = frame[kept | frame["user"].isna() | (frame["click"] != 0).fillna(True)]
    assert sorted(found["id"]) == sorted(wanted["id"])
    assert 0 < kept.mean() < 1


@given(st.floats(1e-12, 1), st.floats(1e-6, 1))
@example(0.5, 1 - 2**-53)
@settings(max_examples=20, deadline=None)
def test_samples_of_one_salt_are_nested(one, other):
    low, high = (sample_sql("range", rate) for rate in sorted([one, other]))
    query = f"SELECT count(*) FROM range(500) WHERE {low} AND NOT {high}"
    with duckdb.connect() as connection:
        assert connection.sql(query).fetchall() == [(0,)]


def test_recalibrated_the_sampled_clicks_are_as_many_as_those_of_all():
    frame = pd.DataFrame({"id": np.arange(60_000), "click": np.random.default_rng(0).random(60_000) < 0.03})
    frame["click"] = frame["click"].astype(np.int8)
    with parquet_folder(frame) as folder, duckdb.connect() as connection:
        keep = sample_sql("id", 0.1, label="click")
        kinds = {"id": "BIGINT", "click": "TINYINT"}
        kept = together(read_batches(connection, folder / "*", kinds, "id", keep=keep))
    assert kept["click"].sum() == frame["click"].sum()
    rate = kept["click"].mean()
    assert recalibrate([rate], 0.1)[0] == pytest.approx(frame["click"].mean(), rel=5 * np.sqrt(0.9 / 6_000))


# Learning


def learn(batches, model):
    for batch in batches:
        model.partial_fit(hash_features(batch.rows.select(FEATURES), 16), batch.rows["click"], classes=[0, 1])
    return model


@pytest.fixture(scope="module")
def ads():
    log = simulate_ad_log(30_000, n_days=3, n_users=500, n_ads=100)
    return log[["timestamp", "click", *FEATURES]].assign(
        row=np.arange(len(log)), timestamp=log["timestamp"].dt.as_unit("us")
    )


ADS = {
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "row": "BIGINT",
    "click": "TINYINT",
    "hour": "TINYINT",
    "ad_id": "INTEGER",
    "user_id": "BIGINT",
}


def test_a_model_learns_the_same_as_from_memory(ads):
    with parquet_folder(ads.sample(frac=1, random_state=0)) as folder, duckdb.connect() as connection:
        one = FTRLProximal(alpha=0.05, batch_size=1)
        arguments = connection, folder / "*", ADS, ["timestamp", "row"]
        learn(read_batches(*arguments, batch_rows=4_000, keep='"row" < 6000'), one)
        many = learn(read_batches(*arguments, batch_rows=4_000), FTRLProximal(alpha=0.05))
    few = ads[:6_000]
    wanted = FTRLProximal(alpha=0.05, batch_size=1).fit(hash_features(few[FEATURES], 16), few["click"])
    assert (one.coef_ == wanted.coef_).all()
    assert one.intercept_ == wanted.intercept_
    wanted = FTRLProximal(alpha=0.05)
    for start in range(0, len(ads), 4_000):
        part = ads[start : start + 4_000]
        wanted.partial_fit(hash_features(part[FEATURES], 16), part["click"], classes=[0, 1])
    assert (many.coef_ == wanted.coef_).all()
    assert many.n_rows_ == len(ads)


@pytest.mark.parametrize("shuffle", [None, "epoch 1"])
def test_a_model_that_was_killed_goes_on_as_if_nothing_had_happened(ads, shuffle):
    with parquet_folder(ads) as folder, duckdb.connect() as connection:
        arguments = connection, folder / "*", ADS, ["timestamp", "row"]
        options = {"batch_rows": 7_000, "shuffle": shuffle}
        whole = learn(read_batches(*arguments, **options), FTRLProximal())
        model, batches = FTRLProximal(), read_batches(*arguments, **options)
        batch = next(batches)
        learn([batch], model)
        saved = pickle.dumps((model, batch.after))
        batches.close()
        model, after = pickle.loads(saved)
        learn(read_batches(*arguments, **options, after=after), model)
    assert (model.coef_ == whole.coef_).all()
    assert model.n_rows_ == whole.n_rows_


MEMORY = """
    import json, resource, sys
    import duckdb
    from snippets.scale.out_of_core import read_batches

    how, files, spill = sys.argv[1:]
    settings = {"memory_limit": "80MB", "threads": "1", "temp_directory": spill}
    connection = duckdb.connect(config=settings)
    kinds = {"id": "BIGINT", "t": "BIGINT", "text": "VARCHAR"}
    next(read_batches(connection, files, kinds, "id", keep="id < 1000"))
    if sys.platform == "linux":  # others do not hold a process to it
        with open("/proc/self/statm") as held:
            limit = int(held.read().split()[0]) * resource.getpagesize() + 300 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if how == "frame":
        rows = len(connection.sql(f"SELECT * FROM read_parquet('{files}') ORDER BY t, id").df())
    else:
        rows = sum(len(batch.rows) for batch in read_batches(connection, files, kinds, ["t", "id"]))
    print(json.dumps(rows))
"""


def child(how, files, spill):
    command = [sys.executable, "-c", textwrap.dedent(MEMORY), how, str(files), str(spill)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_log_that_does_not_fit_the_limit_of_the_process_is_read_sorted(connection, tmp_path):
    connection.execute(
        f"""COPY (SELECT range AS id, range * 7919 % 1200007 AS t, repeat(md5(range::VARCHAR), 8) AS text
        FROM range(1200000)) TO '{tmp_path}/log.parquet' (FORMAT parquet, COMPRESSION zstd)"""
    )
    if sys.platform == "linux":
        failed = child("frame", tmp_path / "log.parquet", tmp_path / "spill")
        assert failed.returncode != 0
        assert "MemoryError" in failed.stderr or "alloc" in failed.stderr
    done = child("batches", tmp_path / "log.parquet", tmp_path / "spill")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == 1_200_000


# What is refused


def test_no_file_is_said_with_its_pattern(connection, tmp_path, log):
    missing = str(tmp_path / "nothing" / "*.parquet")
    with pytest.raises(ValueError, match=r"files: there is none at .*nothing/\*\.parquet"):
        read_batches(connection, [log[0], missing], KINDS, "id")
    with pytest.raises(ValueError, match=r"files: .*it's 1\.parquet is named twice"):
        read_batches(connection, [log[0], log[0].replace("*", "it's 1")], KINDS, "id")
    with pytest.raises(ValueError, match="files: the list is empty"):
        read_batches(connection, [], KINDS, "id")


@pytest.mark.parametrize("harm", ["empty", "cut", "keys", "values"])
def test_a_damaged_file_is_named(connection, tmp_path, harm):
    frame = pd.DataFrame({"id": np.arange(50_000), "x": np.random.default_rng(0).integers(0, 2**60, 50_000)})
    for name in "ab":
        pq.write_table(pa.Table.from_pandas(frame), tmp_path / f"{name}.parquet", use_dictionary=False)
        frame["id"] += 50_000
    path = tmp_path / "b.parquet"
    content = bytearray(path.read_bytes())
    column = pq.ParquetFile(path).metadata.row_group(0).column(0 if harm == "keys" else 1)
    if harm == "empty":
        content = b""
    elif harm == "cut":
        content = content[:-9]
    else:
        start = column.data_page_offset
        content[start : start + 5_000] = bytes(255 - byte for byte in content[start : start + 5_000])
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^DuckDB refuses: .*b\.parquet[^\n]*$"):
        list(read_batches(connection, tmp_path / "*.parquet", {"id": "BIGINT", "x": "BIGINT"}, "id"))


def test_files_without_a_row_are_refused_only_together(connection, tmp_path, log):
    pq.write_table(pa.Table.from_pandas(log[1][:0], preserve_index=False), tmp_path / "none.parquet")
    files = [shutil.copy(tmp_path / "none.parquet", tmp_path / f"none {i}") for i in range(4)]
    with pytest.raises(ValueError, match=r"files hold no row to read: .*none 0, .*none 2 and 1 more"):
        read_batches(connection, files, KINDS, "id")
    with pytest.raises(ValueError, match="files hold no row to read"):
        read_batches(connection, log[0], KINDS, "id", keep="1 = 0")


def test_a_type_that_one_file_has_otherwise_is_found_before_the_first_batch(connection, tmp_path):
    for i, kind in enumerate(["BIGINT", "DOUBLE"]):
        connection.execute(f"COPY (SELECT range AS id, 2.5::{kind} AS x FROM range(3)) TO '{tmp_path}/{i}.parquet'")
    assert connection.sql(f"SELECT sum(x) FROM '{tmp_path}/*.parquet'").fetchall() == [(15,)]  # 2 each
    kinds = {"id": "BIGINT", "x": "BIGINT"}
    with pytest.raises(ValueError, match=r"columns: 'x' must be BIGINT, got DOUBLE in .*1\.parquet"):
        read_batches(connection, tmp_path / "*.parquet", kinds, "id")
    with pytest.raises(ValueError, match=r"columns: .*0\.parquet has no 'y'"):
        read_batches(connection, tmp_path / "*.parquet", {"id": "BIGINT", "y": "BIGINT"}, "id")


def test_a_column_within_a_column_is_none_of_the_table(connection, tmp_path):
    nested = "SELECT {'x': 1.5, 'deep': {'id': 'a'}} AS s, [range] AS l, range AS id, range AS x FROM range(3)"
    connection.execute(f"COPY ({nested}) TO '{tmp_path}/a.parquet'")
    kinds = {"x": "BIGINT", "id": "BIGINT"}
    found = together(read_batches(connection, tmp_path / "a.parquet", kinds, "id"))
    assert found.to_dict("list") == {"x": [0, 1, 2], "id": [0, 1, 2]}
    with pytest.raises(ValueError, match="has no 'deep'"):
        read_batches(connection, tmp_path / "a.parquet", kinds | {"deep": "VARCHAR"}, "id")


def test_a_key_that_two_rows_share_is_named_also_across_batches(connection, tmp_path):
    for where in (3, 2_047, 4_999):
        frame = pd.DataFrame({"id": np.arange(10_000)})
        frame.loc[where + 1, "id"] = where
        with parquet_folder(frame) as folder:
            batches = read_batches(connection, folder / "*", {"id": "BIGINT"}, "id", batch_rows=5_000)
            with pytest.raises(ValueError, match=f"order must name each row once: two rows have id {where}$"):
                list(batches)


def test_a_missing_key_is_counted(connection, log):
    with pytest.raises(ValueError, match=r"order: t, user must be there in each row, missing in \d+ of 7,000"):
        read_batches(connection, log[0], KINDS, ["t", "user"])


def test_files_that_change_between_the_count_and_the_rows_are_noticed(connection, tmp_path, log):
    batches = read_batches(connection, log[0], KINDS, "id")
    shutil.copy(tmp_path / "it's 1.parquet", tmp_path / "it's 2.parquet")
    with pytest.raises(ValueError, match="files changed while they were read: 7,000 rows were counted, 3,000 came"):
        list(batches)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"columns": {}}, "columns must be a dict of names to types"),
        ({"columns": ["id"]}, "columns must be a dict of names to types"),
        ({"order": []}, "order must name at least one column"),
        ({"order": [7]}, "order must be text, got 7"),
        ({"order": "nosuch"}, "order: 'nosuch' must be among the columns"),
        ({"order": "x", "columns": {"x": "DOUBLE"}}, "order: 'x' must be among the columns, as whole number"),
        ({"batch_rows": 0}, "batch_rows must be a whole number of at least 1, got 0"),
        ({"shuffle": 7}, "salt must be text, got 7"),
        ({"keep": "nosuch = 1"}, "DuckDB refuses: Binder Error: .*nosuch"),
        ({"after": (1, 2)}, "after must be as BIGINT, got"),
        ({"after": 7}, "after must be as BIGINT, got 7"),
        ({"after": ("a",)}, "after must be as BIGINT, got"),
        ({"after": (1,), "shuffle": "a"}, "after must be as VARCHAR, BIGINT, got"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_batch(connection, log, change, complaint):
    arguments = {"columns": KINDS, "order": "id"} | change
    with pytest.raises(ValueError, match=complaint):
        read_batches(connection, log[0], **arguments)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("id", 0), "rate must be in"),
        (("id", 1.5), "rate must be in"),
        (([], 0.5), "key must name at least one column"),
        (("id", 0.5, 7), "salt must be text, got 7"),
        (("id", 0.5, "it's"), 'salt must be letters, digits, blanks and _-., got "it\'s"'),
        (("id", 0.5, "a", 7), "label must be text, got 7"),
    ],
)
def test_a_sample_that_cannot_be_is_refused(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        sample_sql(*arguments)


def write(path, **columns):
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)


@pytest.mark.parametrize("keep", ["id = 0 OR id > 2", "id > 2 -- and no more"])
def test_a_condition_is_held_together_where_reading_goes_on(connection, tmp_path, keep):
    write(tmp_path / "a.parquet", id=list(range(10)))
    rest = read_batches(connection, tmp_path / "a.parquet", {"id": "BIGINT"}, "id", keep=keep, after=(5,))
    assert together(rest)["id"].tolist() == [6, 7, 8, 9]


def test_a_condition_that_is_none_is_refused(connection, log):
    for keep in (" ", ""):
        with pytest.raises(ValueError, match="keep must be an SQL condition, got"):
            read_batches(connection, log[0], KINDS, "id", keep=keep)
    with pytest.raises(ValueError, match="keep must be text, got 7"):
        read_batches(connection, log[0], KINDS, "id", keep=7)


def test_the_settings_of_the_caller_change_nothing_and_are_left_alone(connection, tmp_path):
    write(tmp_path / "a.parquet", name=["b", "a", "B", "A"])
    settings = {"default_collation": "NOCASE", "default_order": "DESC", "TimeZone": "Asia/Tokyo"}
    for name, value in settings.items():
        connection.execute(f"SET {name} = '{value}'")
    arguments = connection, tmp_path / "a.parquet", {"name": "VARCHAR"}, "name"
    assert together(read_batches(*arguments))["name"].tolist() == ["A", "B", "a", "b"]
    assert together(read_batches(*arguments, after=("B",)))["name"].tolist() == ["a", "b"]
    for name, value in settings.items():
        assert connection.sql(f"SELECT current_setting('{name}')").fetchall() == [(value,)]


def test_a_folder_named_as_a_column_does_not_replace_it(connection, tmp_path):
    write(tmp_path / "id=7" / "a.parquet", id=[1, 2])
    found = together(read_batches(connection, tmp_path / "*" / "*.parquet", {"id": "BIGINT"}, "id"))
    assert found["id"].tolist() == [1, 2]


def test_a_file_with_signs_of_a_pattern_in_its_name_is_itself(connection, tmp_path):
    names = ["p[1].parquet", "p1.parquet", "p?.parquet", "p*.parquet"]
    for i, name in enumerate(names):
        write(tmp_path / name, id=[i])
    everything = read_batches(connection, tmp_path / "*.parquet", {"id": "BIGINT"}, "id")
    assert together(everything)["id"].tolist() == [0, 1, 2, 3]
    for i, name in enumerate(names):
        one = read_batches(connection, tmp_path / name, {"id": "BIGINT"}, "id")
        assert together(one)["id"].tolist() == [i]


def test_names_that_are_one_to_duckdb_are_refused(connection, tmp_path):
    write(tmp_path / "a.parquet", id=[1], x=[2], X=[3])
    for name in "xX":
        with pytest.raises(ValueError, match=f"has '{name}' in upper and in lower case"):
            read_batches(connection, tmp_path / "a.parquet", {"id": "BIGINT", name: "BIGINT"}, "id")
    assert len(together(read_batches(connection, tmp_path / "a.parquet", {"id": "BIGINT"}, "id"))) == 1


def test_a_column_may_have_the_name_of_the_hash(connection, tmp_path):
    write(tmp_path / "a.parquet", id=[1, 2], hash_of_key=[3, 4])
    kinds = {"id": "BIGINT", "hash_of_key": "BIGINT"}
    found = together(read_batches(connection, tmp_path / "a.parquet", kinds, "id", shuffle="s"))
    assert sorted(found["hash_of_key"]) == [3, 4]


@pytest.mark.parametrize("keep", ["nosuch = 1", "id =", "id = 'a'", "nosuch(id)"])
def test_files_are_not_read_for_damage_where_the_condition_is_wrong(connection, log, monkeypatch, keep):
    monkeypatch.setattr("snippets.scale.out_of_core._damaged", lambda *_: pytest.fail("all files were read"))
    with pytest.raises(ValueError, match="DuckDB refuses"):
        read_batches(connection, log[0], KINDS, "id", keep=keep)


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"])
@pytest.mark.parametrize("value", ["infinity", "0044-03-15 (BC)"])
def test_a_time_that_python_cannot_say_is_named(connection, tmp_path, kind, value):
    connection.execute(f"COPY (SELECT '{value}'::{kind} AS k) TO '{tmp_path}/a.parquet'")
    with pytest.raises(ValueError, match="order: dates and times in k must be in the years 1 to 9999"):
        list(read_batches(connection, tmp_path / "a.parquet", {"k": kind}, "k"))


def test_a_part_of_a_frame_without_a_value_has_the_type_of_the_whole(connection):
    frame = pd.DataFrame({"id": range(8), "x": pd.Series([None] * 4 + ["a"] * 4, dtype=object)})
    with parquet_folder(frame, 3) as folder:
        found = together(read_batches(connection, folder / "*", {"id": "BIGINT", "x": "VARCHAR"}, "id"))
    assert found["x"].isna().tolist() == [True] * 4 + [False] * 4


def test_names_are_quoted(connection, tmp_path):
    odd = 'a"b'
    pq.write_table(pa.table({odd: [3, 1, 2]}), tmp_path / "a.parquet")
    keep = sample_sql(odd, 0.999)
    batches = read_batches(connection, tmp_path / "a.parquet", {odd: "BIGINT"}, odd, shuffle="s", keep=keep)
    assert sorted(together(batches)[odd]) == [1, 2, 3]


def test_the_callers_connection_stays_free(connection, log):
    batches = read_batches(connection, log[0], KINDS, "id", batch_rows=100)
    next(batches)
    assert connection.sql("SELECT 1").fetchall() == [(1,)]
    assert len(list(batches)) == 69


def test_batches_keep_their_size_where_the_engines_own_are_cut_by_its_groups_of_rows(connection, tmp_path):
    ids = connection.sql("SELECT range AS id FROM range(200000)")
    ids.write_parquet(str(tmp_path / "a.parquet"))
    own = connection.sql(f"FROM '{tmp_path}/a.parquet' ORDER BY id").to_arrow_reader(50_000)
    assert min(part.num_rows for part in list(own)[:-1]) < 50_000  # a group has 122,880 rows
    batches = list(read_batches(connection, tmp_path / "a.parquet", {"id": "BIGINT"}, "id", batch_rows=50_000))
    assert [len(batch.rows) for batch in batches] == [50_000] * 4
    assert together(batches)["id"].tolist() == list(range(200_000))


def test_what_a_stream_of_arrow_refuses_is_said_alike():
    with pytest.raises(ValueError, match=r"^DuckDB refuses: the disk is full$"), _refusals():
        raise OSError("the disk is full\nStack trace")
