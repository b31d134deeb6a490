"""Every `sql` fence of the guide runs, in DuckDB, against the tables that its page means."""

import duckdb
import pandas as pd
import pytest

from tools.guards.fences import ROOT, fences
from tools.guards.pages import QUERY, pages

# For each page that shows SQL, by its path: a function that returns its tables by name, as data frames.
TABLES = {}


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


PAGE = "# A page\n\n```sql\n{}\n```\n"


def test_a_sound_query_runs():
    assert run(PAGE.format("SELECT AVG(click) FROM log"), {"log": pd.DataFrame({"click": [0, 1]})}) == [1]


@pytest.mark.parametrize("query", ["SELECT FROM", "SELECT x FROM log", "SELECT 1 FROM other", "| a | b |", "0.351"])
def test_a_broken_query_is_refused(query):
    with pytest.raises(duckdb.Error):
        run(PAGE.format(query), {"log": pd.DataFrame({"click": [0, 1]})})
