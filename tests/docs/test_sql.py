"""Every `sql` fence of the guide runs, in DuckDB, against the tables that its page means."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from snippets.features.point_in_time_join import point_in_time_join
from tools.guards.fences import QUERY, ROOT, fences
from tools.guards.pages import pages

# For each page that shows SQL, by its path: a function that returns its tables by name, as data frames.
TABLES = {}


def tables(page):
    """Register a function as that which returns the tables of a page."""
    return lambda function: TABLES.setdefault(f"docs/{page}.md", function)


@tables("features/point-in-time-joins")
def labels_and_rates(n=4, seed=0):
    """Return labels and what was known of ads, with equal times, missing rates and an ad that nobody knows."""
    rng = np.random.default_rng(seed)
    hours = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.arange(3 * n), unit="h")
    labels = pd.DataFrame({"id": np.arange(n), "ad": rng.integers(0, 3, n), "shown_at": rng.choice(hours, n)})
    rates = pd.DataFrame({"ad": rng.integers(0, 2, n), "known_at": rng.choice(hours, n, replace=False)})
    return {"labels": labels, "rates": rates.assign(rate=np.where(rng.random(n) < 0.3, np.nan, rng.random(n)))}


def run(text, tables):
    """Run the queries of a page, each on its own, and return the number of rows of each."""
    counts = []
    for block in fences(text):
        if block.info == QUERY:
            with duckdb.connect() as database:
                for name, frame in tables.items():
                    database.register(name, frame)
                counts.append(len(database.execute(block.code).fetchall()))
    return counts


def test_each_query_of_the_guide_runs_and_finds_rows():
    shown = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
    shown = {name: text for name, text in shown.items() if any(block.info == QUERY for block in fences(text))}
    assert shown.keys() == TABLES.keys(), "say in TABLES against which tables the queries of a page run"
    assert [name for name, text in shown.items() if not all(run(text, TABLES[name]()))] == []


def test_the_join_without_asof_finds_what_the_snippet_finds():
    frames = labels_and_rates(300)
    page = ROOT / "docs/features/point-in-time-joins.md"
    (query,) = [block.code for block in fences(page.read_text(encoding="utf-8")) if block.info == QUERY]
    with duckdb.connect() as database:
        for name, frame in frames.items():
            database.register(name, frame)
        found = database.execute(query).df()
    labels, rates = (frames[n].rename(columns={c: "time"}) for n, c in [("labels", "shown_at"), ("rates", "known_at")])
    wanted = point_in_time_join(labels, rates, "time", "ad")
    assert found["rate"].isna().mean() < 0.8
    assert labels["time"].isin(rates["time"]).any()
    np.testing.assert_array_equal(found[["id", "rate"]], wanted[["id", "rate"]])


PAGE = "# A page\n\n```sql\n{}\n```\n"


def test_a_sound_query_runs():
    assert run(PAGE.format("SELECT AVG(click) FROM log"), {"log": pd.DataFrame({"click": [0, 1]})}) == [1]


@pytest.mark.parametrize("query", ["SELECT FROM", "SELECT x FROM log", "SELECT 1 FROM other", "| a | b |", "0.351"])
def test_a_broken_query_is_refused(query):
    with pytest.raises(duckdb.Error):
        run(PAGE.format(query), {"log": pd.DataFrame({"click": [0, 1]})})
