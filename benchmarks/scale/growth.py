"""Time a join, a counter and a report from a hundred thousand rows to a hundred million, and the memory they take.

Each is tried in a process of its own, from Parquet files to two sums, which must agree between the engines:
``python -m benchmarks.scale.growth JOB ENGINE FOLDER``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd

from benchmarks.provenance import ROOT
from benchmarks.table import Table, plain
from snippets.features.historical_counters import count_before
from snippets.features.point_in_time_join import point_in_time_join
from snippets.scale.engines import connect

SIZES = [10**5, 10**6, 10**7, 10**8]
# Of ten times as many, these two hold ten times the memory, which is about all that the machine has.
MOST_ROWS = {("join", "pandas"): 10**7, ("join", "sail:"): 10**7}
TIMEOUT = 900  # seconds for one of them
WEEK = 7 * 86_400
JOIN = """
    SELECT count(found) AS n, sum(found) AS total FROM (
        SELECT kind, last_value("value" IGNORE NULLS) OVER (PARTITION BY "key" ORDER BY "time", kind
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS found
        FROM (SELECT "key", "time", 0 AS kind, CAST(NULL AS BIGINT) AS "value" FROM labels
            UNION ALL SELECT "key", "time", 1 AS kind, "value" FROM features) AS both_sides
    ) AS found_values WHERE kind = 0"""
COUNTER = f"""
    SELECT count(*) AS n, sum(earlier) AS total FROM (
        SELECT count(*) OVER (PARTITION BY "key" ORDER BY "time"
            RANGE BETWEEN {WEEK} PRECEDING AND 1 PRECEDING) AS earlier FROM features) AS counted"""
REPORT = """
    SELECT count(*) AS n, sum(people + worth) AS total FROM (
        SELECT segment, count(DISTINCT "key") AS people, sum("value") AS worth
        FROM features GROUP BY segment) AS segments"""
# What an engine reads of the features by itself, and pandas must be told
COLUMNS = {"join": ["key", "time", "value"], "counter": ["key", "time"], "report": ["key", "value", "segment"]}
SQL = {"join": JOIN, "counter": COUNTER, "report": REPORT}
ASOF = """
    SELECT count(f."value") AS n, sum(f."value") AS total FROM labels AS l
    ASOF LEFT JOIN features AS f ON l."key" = f."key" AND l."time" > f."time" """
WORDS = {
    "join": "point-in-time join",
    "asof": "the same, `ASOF JOIN`",
    "counter": "count of the week before",
    "report": "distinct keys by segment",
}


def write(n: int, folder: str) -> None:
    """Write n labels and n features of n / 100 keys as Parquet files: a key has one feature at most in a second."""
    columns = {"key": f"hash(range * 4 + {{salt}}) % {n // 100}", "time": f"range * {28 * 86_400} // {n}"}
    columns |= {"value": "hash(range * 4 + 3) % 1000", "segment": "hash(range * 4) % 50"}
    made = ", ".join(f'({of})::BIGINT AS "{name}"' for name, of in columns.items())
    with duckdb.connect(config={"temp_directory": f"{folder}/spill"}) as connection:
        for name, salt, distinct in [("labels", 1, ""), ("features", 2, 'DISTINCT ON ("key", "time")')]:
            query = f"SELECT {distinct} * FROM (SELECT {made.format(salt=salt)} FROM range({n}))"
            connection.execute(f"COPY ({query}) TO '{folder}/{name}.parquet' (FORMAT parquet)")


def with_pandas(job: str, folder: str) -> tuple[int, int]:
    """Return a count and a sum by the snippets of the guide, in NumPy and pandas."""
    features = pd.read_parquet(f"{folder}/features.parquet", columns=COLUMNS[job])
    if job == "join":
        labels = pd.read_parquet(f"{folder}/labels.parquet", columns=["key", "time"])
        found = point_in_time_join(labels, features, on="time", by="key")["value"]
        return int(found.notna().sum()), int(found.sum())
    if job == "counter":
        key, moment = features["key"], features["time"]
        earlier = count_before(key, moment, key, moment, WEEK)
        return len(earlier), int(earlier.sum())
    segments = features.groupby("segment").agg({"key": "nunique", "value": "sum"})
    return len(segments), int(segments.to_numpy().sum())


def with_sql(job: str, folder: str, address: str) -> tuple[int, int]:
    """Return them by one SQL text, on the engine of an address."""
    settings = {"temp_directory": f"{folder}/spill"} if address == "duckdb:" else {}
    with connect(address, settings) as engine:
        for name in ("labels", "features"):
            engine.table(name, f"{folder}/{name}.parquet")
        found = engine.sql(ASOF if job == "asof" else SQL[job])
    return int(found["n"][0]), int(found["total"][0])


def child(job: str, engine: str, folder: str) -> None:
    """Do one job and print its seconds, the most memory that the process held, and its two numbers."""
    start = time.perf_counter()
    numbers = with_pandas(job, folder) if engine == "pandas" else with_sql(job, folder, engine)
    print(json.dumps([time.perf_counter() - start, most(), *numbers]))


def most() -> int:
    """Return the most bytes that this process has held: its own, while ``ru_maxrss`` begins with its parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def tried(job: str, engine: str, folder: str) -> tuple[float, float, list] | None:
    """Return seconds, bytes and numbers of one job in a process of its own; None where it fails."""
    command = [sys.executable, "-m", "benchmarks.scale.growth", job, engine, folder]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=TIMEOUT)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        print(f"{job} on {engine} failed: {str(error.stderr or error)[-300:]}", file=sys.stderr)
        return None
    seconds, held, *numbers = json.loads(done.stdout.splitlines()[-1])
    return seconds, held, numbers


def measure() -> Table:
    """Time a join, a counter and a report from a hundred thousand rows to a hundred million."""
    table = Table("Work", "Rows", "pandas, NumPy", "DuckDB", "Spark's SQL, on Sail", "Memory of each, in GB")
    for n in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write(n, folder)
            for job, words in WORDS.items():
                engines = ["duckdb:"] if job == "asof" else ["pandas", "duckdb:", "sail:"]
                found = {
                    engine: tried(job, engine, folder) for engine in engines if n <= MOST_ROWS.get((job, engine), n)
                }
                agreed = {tuple(one[2]) for one in found.values() if one}
                if len(agreed) > 1:
                    raise RuntimeError(f"{job} of {n} rows differs between engines: {found}")
                base = found["duckdb:"]
                cells, memory = [], []
                for engine in ("pandas", "duckdb:", "sail:"):
                    one = found.get(engine)
                    memory.append(plain(one[1] / 1e9, 2) if one else "-")
                    if one is None:
                        cells.append("failed" if engine in found else "-")
                    elif engine == "duckdb:" or base is None:
                        cells.append(f"{plain(one[0], 2)} s")
                    else:
                        cells.append(f"{plain(one[0] / base[0], 2)} x")
                table.row(words, f"{n:,}", *cells, ", ".join(memory))
    table.note = (
        "From Parquet files to two sums on which all engines agree, each in a process of its own. Seconds of DuckDB, "
        "and the time of the others as a multiple of it; one run each. The start of the engine counts, that of Python "
        "does not. A hundred rows a key on average. pandas and NumPy run the guide's own snippets. Memory is the most "
        "that the process held, with its libraries. The join of a hundred million rows was tried on DuckDB "
        "alone: ten times the memory that the other two took for ten million is about all that the machine has."
    )
    return table


if __name__ == "__main__":
    child(*sys.argv[1:])
