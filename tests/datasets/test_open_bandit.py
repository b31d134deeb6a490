import runpy

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from snippets.datasets import open_bandit
from snippets.datasets.open_bandit import (
    CAMPAIGNS,
    POLICIES,
    WHEEL,
    check_log,
    fetch_open_bandit,
    load_open_bandit,
)
from tests.datasets.wheels import WheelChecks

ITEMS = {"all": 80, "men": 34, "women": 46}
# Counted with `unzip -p` and awk on the wheel, not by this code.
CLICKS = {
    ("random", "all"): 38, ("random", "men"): 46, ("random", "women"): 46,
    ("bts", "all"): 42, ("bts", "men"): 69, ("bts", "women"): 46,
}  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("campaign", CAMPAIGNS)
def test_the_six_logs(policy, campaign):
    log = load_open_bandit(policy, campaign)
    assert len(log) == 10_000
    assert log["click"].sum() == CLICKS[policy, campaign]
    assert log["timestamp"].is_monotonic_increasing
    assert str(log["timestamp"].dt.tz) == "UTC"
    assert sum(c.startswith("user_item_affinity_") for c in log) == ITEMS[campaign]
    assert list(log)[:5] == ["timestamp", "item_id", "position", "click", "propensity"]


def test_the_random_policy_is_uniform():
    log = load_open_bandit("random", "men")
    assert log["propensity"].to_numpy() == pytest.approx(1 / 34, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("greedy",), "policy must be one of random, bts, got 'greedy'"),
        (("bts", "kids"), "campaign must be one of all, men, women, got 'kids'"),
    ],
)
def test_unknown_names(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_open_bandit(*arguments)


class TestWheel(WheelChecks):
    module = open_bandit
    fetch, load = staticmethod(fetch_open_bandit), staticmethod(load_open_bandit)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("timestamp", pd.Timestamp("2020-01-01", tz="UTC")),
        ("item_id", -1),
        ("position", 4),
        ("click", 2),
        ("timestamp", pd.Timestamp("2019-11-23 23:59:59", tz="UTC")),
        ("timestamp", pd.Timestamp("2019-12-01 00:00:01", tz="UTC")),
        ("position", 0),
        ("click", -1),
        ("propensity", 1.1),
        ("propensity", 0.0),
        ("propensity", float("nan")),
    ],
)
def test_a_row_against_the_schema_is_named(column, value):
    log = load_open_bandit()
    log.loc[17, column] = value
    with pytest.raises(ValueError, match=f"column '{column}' breaks its rule in 1 rows"):
        check_log(log)


@pytest.mark.parametrize("convert", [pl.from_pandas, pa.Table.from_pandas, lambda log: log.convert_dtypes()])
def test_a_log_in_another_table_is_held_to_the_same(convert):
    log = load_open_bandit().head(3)
    pd.testing.assert_frame_equal(check_log(convert(log)), log, check_dtype=False, check_column_type=False)
    with pytest.raises(ValueError, match="column 'position' breaks its rule in 1 rows, first with <NA> at row 1"):
        check_log(convert(log.assign(position=pd.array([1, None, 2], "Int64"))))


def test_a_column_of_another_kind_is_named():
    with pytest.raises(ValueError, match="column 'item_id' breaks its rule: '>=' not supported"):
        check_log(load_open_bandit().head(3).assign(item_id=["1", "2", "3"]).astype({"item_id": object}))


def test_the_ends_of_the_schema_are_within():
    log = load_open_bandit().head(3)
    ends = log.assign(item_id=0, position=[1, 2, 3], click=[0, 1, 1], propensity=1.0)
    assert check_log(ends) is ends


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="no column 'propensity'"):
        check_log(load_open_bandit().drop(columns="propensity"))


def test_the_set_up_prints_where_the_data_is(capsys):
    runpy.run_path(open_bandit.__file__, run_name="__main__")
    assert capsys.readouterr().out.strip().endswith(WHEEL)


@pytest.mark.parametrize(
    ("column", "value"), [("timestamp", "2019-11-25"), ("timestamp", 7), ("item_id", 1.5), ("item_id", float("inf"))]
)
def test_times_are_datetimes_and_items_whole_numbers(column, value):
    log = pd.DataFrame(
        {"timestamp": pd.to_datetime(["2019-11-25"]), "item_id": 1, "position": 1, "click": 0, "propensity": 0.5}
    )
    with pytest.raises(ValueError, match=f"column '{column}' breaks its rule"):
        check_log(log.assign(**{column: [value]}))
