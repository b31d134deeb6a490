# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Outgrown
#
# Ten million impressions, ten million bills, and a process that may hold only a part of them. What has each ad
# earned? Each tool tries in turn, and you see what it says when it fails: some say a lot, some nothing at all. Whoever
# gets to the end must say what is right, since the log is made so that every sum is known.
#
# What a limit is, and how one is set, is on [its own page](../scale/memory.md).
#
# ## The log
#
# DuckDB writes it, row by row from a range, in a folder that goes at the end. The ads take turns; the bills come in
# another order. An impression costs one to seven cents in turn, plus as many cents as the number of its ad. So every ad
# earns the same base, plus its number for each of its impressions.

# %%
import duckdb

from snippets.scale.memory_limit import frame_bytes, run_within, scratch

ROWS, ADS = 10_500_000, 100
folder = scratch()
files = {
    "impressions": f"{folder.name}/impressions.parquet",
    "bills": f"{folder.name}/bills.parquet",
}
impressions = f"""
SELECT range AS id, CAST(range % {ADS} AS SMALLINT) AS ad,
       'reader ' || range * 7919 % 1000003 AS reader, 'page ' || range % 1009 AS page,
       range / 1000 AS seconds
FROM range({ROWS})"""
bills = f"""
SELECT id, CAST(1 + id % 7 + id % {ADS} AS SMALLINT) AS cents
FROM (SELECT range * 11 % {ROWS} AS id FROM range({ROWS}))"""
writer = duckdb.connect(config={"threads": 2})
writer.execute(f"COPY ({impressions}) TO '{files['impressions']}'")
writer.execute(f"COPY ({bills}) TO '{files['bills']}'")

each = ROWS // ADS
truth = [[ad, each // 7 * 28 + each * ad] for ad in range(ADS)]
sizes = {name: frame_bytes(path).sum() for name, path in files.items()}
for name, size in sizes.items():
    print(f"{name:12} {size / 1e9:.1f} GB as a frame")
print(f"ad 0 earns {truth[0][1]:,} cents, ad 99 earns {truth[99][1]:,}")

# %% [markdown]
# The limit is well below that. Each attempt is a text of Python that runs in a process of its own. `address` means
# that asking for more fails; `resident` means that whoever holds more is killed, as in a container.

# %%
LIMIT = "300MB"
finished = {}


def attempt(name, code, how="resident", setup="import pandas as pd", settings=None):
    """Let a tool try, say what came of it, and hold its answer to the truth."""
    given = files | {"settings": settings or {}, "folder": folder.name}
    run = run_within(code, LIMIT, how, setup, given)
    finished[name] = run.fits
    right = {True: ", and right", False: ", and WRONG"}[run.answer == truth]
    # Without the numbers of bytes, which differ from machine to machine.
    print(f"{name}: {': '.join(str(run).split(': ')[:3]) + right * run.fits}")


# %% [markdown]
# ## pandas, all of it
#
# As most would begin:

# %%
END = """
earned = left.merge(right, on="id").groupby("ad")["cents"].sum()
answer = [[int(ad), int(cents)] for ad, cents in earned.items()]"""
WHOLE = """
left = pd.read_parquet(impressions)
right = pd.read_parquet(bills)"""
attempt("pandas", WHOLE + END)

# %% [markdown]
# Not a word. That is what a container does, and why such a job leaves no trace in its own log. With a limit of
# addresses the request for memory fails, and the library can say so, at least which kind of error it was:

# %%
given = files | {"settings": {}}
run = run_within(WHOLE + END, LIMIT, "address", "import pandas as pd", given)
print("MemoryError" in str(run), run.fits)

# %% [markdown]
# ## pandas, the columns it needs
#
# Readers and pages earn nothing, so leave them where they are. The two frames would fit now. Yet reading fails already:
# beside the frames it holds the Arrow tables that they are made of. A join would add a table of the keys and the
# result.

# %%
COLUMNS = """
left = pd.read_parquet(impressions, columns=["id", "ad"])
right = pd.read_parquet(bills)"""
attempt("pandas, columns read", COLUMNS)
attempt("pandas, columns", COLUMNS + END)

# %% [markdown]
# ## pandas, in pieces
#
# A sum could pass through batch by batch. A join cannot: the bill of an impression may be anywhere in the other file.
# So both files are read once for each of sixteen parts, by the rest of the id: rows that belong together have the same
# rest. That is what an engine does when it spills, written by hand, with everything read once more for each part.

# %%
PARTS = """
def part(path, columns, k, n):
    file = pq.ParquetFile(path, pre_buffer=False)
    frames = (batch.to_pandas() for batch in file.iter_batches(100_000, columns=columns))
    return pd.concat([frame[frame["id"] % n == k] for frame in frames])


sums = []
for k in range(16):
    left = part(impressions, ["id", "ad"], k, 16)
    right = part(bills, ["id", "cents"], k, 16)
    sums.append(left.merge(right, on="id").groupby("ad")["cents"].sum())
earned = pd.concat(sums).groupby(level=0).sum()
answer = [[int(ad), int(cents)] for ad, cents in earned.items()]"""
attempt("pandas, in parts", PARTS, setup="import pandas as pd, pyarrow.parquet as pq")

# %% [markdown]
# ## DuckDB
#
# The same question as text. As it comes, DuckDB takes most of the memory that it sees: the machine's, or that of its
# container. The limit here is kept by a watcher outside, which no engine can see:

# %%
QUERY = """
SELECT ad, CAST(sum(cents) AS BIGINT) AS cents
FROM impressions JOIN bills ON impressions.id = bills.id
GROUP BY ad ORDER BY ad"""
SQL = f'''
engine.table("impressions", impressions)
engine.table("bills", bills)
answer = engine.sql("""{QUERY}""").to_numpy().tolist()'''
START = """
from snippets.scale.engines import connect

engine = connect("duckdb:", settings)"""
attempt("DuckDB as it comes", SQL, setup=START, settings={"threads": "2"})

# %% [markdown]
# Told a limit well below that of the process, and where it may spill, it gets through. Take the disk away, and it says
# what is missing:

# %%
own = {"threads": "2", "memory_limit": "100MB", "temp_directory": f"{folder.name}/spill"}
attempt("DuckDB, 100 MB and a disk", SQL, setup=START, settings=own)
attempt("DuckDB without a disk", SQL, setup=START, settings=own | {"temp_directory": ""})

# %% [markdown]
# ## Spark's SQL, by Sail
#
# The same text again, on the Spark Connect server of this environment. It, too, holds what it likes unless told:

# %%
SAIL = """
import os

import pandas, pyarrow

os.environ |= settings
from snippets.scale.engines import connect

engine = connect("sail:")
engine.sql("SELECT 1 AS one")"""
two = {"SAIL_EXECUTION__DEFAULT_PARALLELISM": "2", "TOKIO_WORKER_THREADS": "2"}
attempt("Sail as it comes", SQL, setup=SAIL, settings=two)

# %% [markdown]
# A pool of memory makes it speak. But the hash join of its engine cannot spill, so it ends there, where Spark itself
# would sort both sides on disk and merge them:

# %%
pool = two | {
    "SAIL_RUNTIME__MEMORY_POOL__TYPE": "fair",
    "SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE": "100000000",
}
given = files | {"settings": pool}
run = run_within(SQL, LIMIT, "resident", SAIL, given)
print("Failed to allocate" in str(run), run.fits)

# %% [markdown]
# So help it as you helped pandas, by parts of the key, this time in SQL:

# %%
EIGHT = f'''
engine.table("impressions", impressions)
engine.table("bills", bills)
query = """{QUERY}"""
sums = {{}}
for k in range(8):
    rest = f"WHERE impressions.id % 8 = {{k}} AND bills.id % 8 = {{k}} GROUP"
    for ad, cents in engine.sql(query.replace("GROUP", rest)).to_numpy().tolist():
        sums[ad] = sums.get(ad, 0) + cents
answer = [list(pair) for pair in sorted(sums.items())]'''
attempt("Sail, in parts", EIGHT, setup=SAIL, settings=pool)

# %% [markdown]
# ## What to take away

# %%
folder.cleanup()
for name, fits in finished.items():
    print(f"{name:26} {'finished' if fits else 'did not'}")

# %% [markdown]
# - **Silence is a message.** A job that ends without a word was killed. The scheduler knows, the job does not.
# - **An engine needs to be told.** DuckDB and Sail cannot see a limit that is kept from outside, and need one of
#   their own.
# - **A limit without a disk is only a better error.** And some operators do not spill, with a disk or without.
# - **Parts of the key are the last resort, and the first idea of every cluster.** A shuffle is the same, over a
#   network.
# - **Check the answer, not the exit code.** All who finished gave the known sum; a sum that nobody can check is not an
#   answer yet.
