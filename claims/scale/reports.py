"""Claims of docs/scale/reports.md."""

from __future__ import annotations

import duckdb

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.scale.relational_metrics import calibration_sql
from snippets.scale.relational_reports import actives_sql


@experiment(seeds=20, worlds={"default": {}, "more clicks": {"base_ctr": 0.06}, "half the rows": {"n": 30_000}})
def parts(seed, *, n=60_000, base_ctr=0.03, ads=2_000, merged=False):
    """Return how far the calibration ratio is off if each ad's is taken and then their mean."""
    log = simulate_ad_log(n, seed=seed, n_users=2_000, n_ads=ads, base_ctr=base_ctr)
    log["part"] = log["ad_id"] % 3 if merged else log["ad_id"]
    with duckdb.connect() as database:
        database.register("log", log)
        each = database.sql(calibration_sql("log", "click", "p_click", "part")).df()
        whole = database.sql(calibration_sql("log", "click", "p_click")).df()
    return each["ratio"].mean() / whole["ratio"].iloc[0] - 1


@claim(
    "Where half of the ads have no click, the mean of the others' calibration ratios is more than a twentieth too low.",
    parts,
    holds=below(-0.05),
    twin={"merged": True},
    percent=True,
    unit="of the ratio",
)
def means_of_parts_leave_parts_out(found):
    return found


@experiment(
    seeds=20,
    worlds={"default": {}, "fewer clicks": {"base_ctr": 0.06, "ads": 300}, "twice the rows": {"n": 120_000}},
)
def clicked_parts(seed, *, n=60_000, base_ctr=0.12, ads=500, merged=False):
    """Return the same where most ads have a few clicks: a ratio divides by them, so few of them make it large."""
    return parts.run(seed, n=n, base_ctr=base_ctr, ads=ads, merged=merged)


@claim(
    "Where most ads have a few clicks, the mean of the ads' calibration ratios is more than a fiftieth too high.",
    clicked_parts,
    holds=above(0.02),
    twin={"merged": True},
    percent=True,
    unit="of the ratio",
)
def means_of_parts_lean_up(found):
    return found


@experiment(seeds=20, worlds={"default": {}, "more users": {"users": 4_000}, "half the rows": {"n": 30_000}})
def zones(seed, *, n=60_000, users=2_000, zone="America/Los_Angeles"):
    """Return what changes where midnight is that of another zone: the day of rows, and each day's actives."""
    log = simulate_ad_log(n, seed=seed, n_users=users)
    days = [log["timestamp"].dt.tz_convert(midnight).dt.date for midnight in ("UTC", zone)]
    counts = []
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        database.register("log", log)
        for midnight in ("UTC", zone):
            text = actives_sql("log", "user_id", "timestamp", "2026-01-06", "2026-01-17", "day", midnight)
            counts.append(database.sql(text).df()["active_users"])
    return {"rows": (days[0] != days[1]).mean(), "actives": (counts[1] / counts[0] - 1).abs().mean()}


@claim(
    "With midnight in Los Angeles instead of UTC, about a fifth of the rows are of another day.",
    zones,
    holds=between(0.17, 0.23),
    twin={"zone": "Europe/London"},
    percent=True,
    unit="of the rows",
)
def another_midnight_moves_rows(found):
    return found["rows"]


@claim(
    "Each day's active users change by less than a twentieth all the same, so nobody sees it there.",
    zones,
    holds=below(0.05),
    twin={"n": 2_000},
    percent=True,
    unit="of a day's actives",
)
def another_midnight_hardly_moves_actives(found):
    return found["actives"]
