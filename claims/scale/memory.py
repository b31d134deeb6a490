"""Claims of docs/scale/memory.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims.claim import above, claim, experiment
from snippets.scale.memory_limit import run_within, scratch

LOAD = "left, right = pd.read_parquet(shown), pd.read_parquet(bills)\n"
JOIN = "answer = int(left.merge(right, on='id')['cents'].sum())"
SQL = "answer = int(con.sql(f\"SELECT sum(cents) FROM '{shown}' s JOIN '{bills}' b ON s.id = b.id\").fetchall()[0][0])"
# The first read loads more of the library, and that is none of the rows' memory.
WARM = """
import io
import pandas as pd
few = pd.DataFrame({"id": [1, 2]})
file = io.BytesIO()
few.to_parquet(file)
len(pd.read_parquet(file).merge(few, on="id"))"""
OWN = "import duckdb\ncon = duckdb.connect(config={'threads': 1, 'memory_limit': limit, 'temp_directory': folder})"


@experiment(worlds={"default": {}, "more rows": {"rows": 1_600_000}, "half billed": {"billed": 0.5}})
def join(seed, *, rows=1_000_000, billed=1.0, joins=True, limit="30MB"):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(rows)
    shown = pd.DataFrame({"id": ids, "ad": rng.integers(0, 100, rows)})
    bills = pd.DataFrame({"id": rng.permutation(rows)[: int(billed * rows)]})
    bills["cents"] = rng.integers(1, 9, len(bills))
    with scratch() as folder:
        given = {"shown": f"{folder}/shown.parquet", "bills": f"{folder}/bills.parquet"}
        shown.to_parquet(given["shown"], index=False)
        bills.to_parquet(given["bills"], index=False)
        size = sum(frame.memory_usage(index=False).sum() for frame in (shown, bills))
        code = LOAD + JOIN if joins else LOAD
        pandas = run_within(code, "8GB", "resident", WARM, given)
        duck = run_within(SQL, "8GB", "resident", OWN, given | {"folder": folder, "limit": limit})
    right = float(duck.answer == bills["cents"].sum() and pandas.answer in (duck.answer, None))
    return {"pandas": pandas.peak / size, "duckdb": duck.peak / size, "right": right}


@claim(
    "To join two logs, pandas holds more than three times what both take as frames.",
    join,
    holds=above(3),
    twin={"joins": False},
    unit="times both frames at once",
)
def pandas_holds_copies(found):
    return found["pandas"]


@claim(
    "DuckDB, told to spill, gives the same sum in less than two thirds of the memory of pandas.",
    join,
    holds=above(1.5),
    twin={"limit": "5MB"},
    unit="times its memory is held by pandas",
)
def duckdb_spills(found):
    return found["pandas"] / found["duckdb"] * found["right"]
