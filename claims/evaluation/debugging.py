"""Claims of docs/evaluation/debugging.md."""

from __future__ import annotations

import numpy as np
import pandas as pd

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.broken_pipeline import FAULTS, RATES, run_pipeline
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.slice_report import slice_report


def alarms(log, fault):
    """Return what each of eight checks finds in a pipeline, in multiples of its limit, in the order of the faults."""
    train, test, live = run_pipeline(log, fault)
    again = run_pipeline(log[log["day"] < 9], fault).train
    daily = live.groupby(["ad_id", "day"])["ad_rate"].first().unstack().diff(axis=1).to_numpy()
    moved = daily[~np.isnan(daily)]
    nobody = np.isclose(live["user_rate"], 1 / 33)
    median = live.groupby("day")["ad_rate"].median()
    clicks = live.groupby(["hour", "day"])["click"].sum().unstack()
    usual = clicks.median(axis=1)
    silent = (clicks[usual >= 8] == 0).to_numpy().sum()
    recomputed = live[["ad_rate_offline", "user_rate_offline"]].to_numpy()
    before, last = set(test["ad_id"]), set(live.loc[live["day"] == 13, "ad_id"])
    promised = test["p"].sum() / test["click"].sum()
    return {
        "the past changes": (again[RATES].to_numpy() != train[RATES].to_numpy()).any(axis=1).mean() / 0.01,
        "values as yesterday": (moved == 0).mean() / 0.5,
        "nobody is found": max(nobody[live["device"] == device].mean() for device in set(live["device"])) / 0.3,
        "a median jumps": (median / median.shift()).max() / 2,
        "hours without a click": silent / 1,
        "promised clicks": abs(np.log(promised)) / 0.2,
        "served and recomputed": (live[RATES].to_numpy() != recomputed).any(axis=1).mean() / 0.01,
        "ads gone": (1 - len(before & last) / len(before)) / 0.2,
    }


@experiment(seeds=10, worlds={"default": {}, "more drift": {"drift": 0.25}})
def clinic(seed, *, drift=0.08, planted=True):
    """Return the alarm of the check that is made for each fault, the loudest of the healthy pipeline, and symptoms."""
    log = simulate_ad_log(70_000, seed=seed, n_users=5_000, n_ads=500, drift=drift)
    healthy = alarms(log, None)
    found = {"healthy": max(healthy.values())}
    for fault, check in zip(FAULTS, healthy, strict=True):
        found[fault] = alarms(log, fault if planted else None)[check]
    for fault in (None, "leak", "feedback loop"):
        _, test, live = run_pipeline(log, fault if planted else None)
        name = fault or "none"
        found[f"{name}: test"] = normalized_entropy(test["click"], test["p"])
        found[f"{name}: live"] = normalized_entropy(live["click"], live["p"])
        found[f"{name}: rate"] = live["click"].mean()
        found[f"{name}: clicks"] = live["click"].sum()
    return found


@claim(
    "Each of the eight faults is found by the check that is made for it: beside the loudest check of the healthy "
    "pipeline, the weakest alarm stands out by more than a whole limit.",
    clinic,
    holds=above(1),
    twin={"planted": False},
    unit="limits",
)
def each_fault_has_its_check(found):
    return min(found[fault] for fault in FAULTS) - found["healthy"]


@claim(
    "The healthy pipeline passes all eight checks.",
    clinic,
    holds=below(1),
    twin={"drift": 2.0},
    unit="times the limit, the loudest alarm",
)
def the_healthy_pipeline_passes(found):
    return found["healthy"]


@claim(
    "The leak gains on the test days; whether it then loses live depends on the drift of the ads.",
    clinic,
    holds=above(0),
    says="varies",
    twin={"planted": False},
    unit="of normalized entropy, the lesser of gain and loss",
)
def the_leak_gains_offline_and_loses_live(found):
    return min(found["none: test"] - found["leak: test"], found["leak: live"] - found["none: live"])


@claim(
    "The leak gains 0.01 of normalized entropy or more on the test days, and more than half of that is not there live.",
    clinic,
    holds=above(0),
    twin={"planted": False},
    unit="of normalized entropy, the lesser of two margins",
)
def the_gain_of_the_leak_is_not_live(found):
    test, live = (found[f"none: {part}"] - found[f"leak: {part}"] for part in ("test", "live"))
    return min(test - 0.01, test / 2 - live)


@claim(
    "The feedback loop raises the clicks for each impression by a fifth or more, and the clicks in all fall by a fifth "
    "or more.",
    clinic,
    holds=above(0.2),
    twin={"planted": False},
    percent=True,
    unit="the lesser of rise and fall",
)
def a_feedback_loop_looks_like_success(found):
    rate, clicks = (found[f"feedback loop: {name}"] / found[f"none: {name}"] for name in ("rate", "clicks"))
    return min(rate - 1, 1 - clicks)


@experiment(seeds=10)
def quiet(seed, *, base_ctr=0.015):
    """Return what the check of hours finds where clicks were lost from quiet hours."""
    log = simulate_ad_log(70_000, seed=seed, n_users=5_000, n_ads=500, base_ctr=base_ctr)
    return {"silent hours": alarms(log, "missing logs")["hours without a click"]}


@claim(
    "Where hours are quiet, an hour without a click says nothing: with half of the clicks, that check misses the "
    "lost ones.",
    quiet,
    holds=below(1),
    twin={"base_ctr": 0.03},
    unit="hours that are usually busy and had no click",
)
def quiet_hours_hide_lost_clicks(found):
    return found["silent hours"]


@experiment(seeds=20, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.015}})
def accused(seed, *, base_ctr=0.03, n_users=300, factor=0.4, factor_of_all=1.0, alike=False, split=False):
    """Return how often random groups of users are accused, and what is found of a perfect model and of a bad slice."""
    log = simulate_ad_log(30_000, seed=seed, n_users=n_users, base_ctr=base_ctr)
    users, rng = log["user_id"].to_numpy(), np.random.default_rng([seed, 2])
    ids = np.arange(len(log)) if split else users  # an id for each visit, as of users who are not logged in
    average, found = np.full(len(log), log["click"].mean()), {"by row": 0.0, "by user": 0.0}
    for _ in range(10):
        group = rng.integers(0, 40, n_users)[users]
        group = rng.permutation(group) if alike else group  # a group of rows: no user is in one alone
        groups = pd.DataFrame({"group": group})
        for name, units in [("by row", None), ("by user", ids)]:
            report = slice_report(groups, log["click"], average, users=units)
            found[name] += (report["p_adjusted"].min() < 0.05) / 10
    columns = ["device", "age_group", "category", "hour"]
    fault = (log["device"] == "mobile") & (log["category"] == "travel")
    for name, p in [
        ("perfect", factor_of_all * log["p_click"]),
        ("bad slice", log["p_click"] * np.where(fault, factor, 1)),
    ]:
        report = slice_report(log[columns], log["click"], p, depth=2, users=users)
        found[f"{name}: p below 0.05"] = (report["p_value"] < 0.05).sum()
        found[f"{name}: after correction"] = (report["p_adjusted"] < 0.05).sum()
    found["named first"] = float(report["slice"].iloc[0] == "device=mobile & category=travel")
    return found


@claim(
    "Where users come back, random groups of them are accused in most draws if rows are taken for independent.",
    accused,
    holds=above(0.5),
    twin={"alike": True},
    percent=True,
    unit="of the draws",
)
def rows_accuse_the_innocent(found):
    return found["by row"]


@claim(
    "With users as units, most draws are spared that.",
    accused,
    holds=above(0.5),
    twin={"split": True},
    percent=True,
    unit="of the draws, fewer than by row",
)
def users_do_not(found):
    return found["by row"] - found["by user"]


@claim(
    "A slice in which four tenths of the clicks are promised comes first in most reports, with users as units.",
    accused,
    holds=above(0.5),
    twin={"factor": 1.0},
    percent=True,
    unit="of the reports",
)
def the_bad_slice_is_named(found):
    return found["named first"]


@claim(
    "Cut by hundreds of slices, a perfect model has five or more with p < 0.05, and hardly ever one when corrected.",
    accused,
    holds=above(5),
    twin={"factor_of_all": 0.5},
    unit="slices with p < 0.05, less ten for each that stays",
)
def many_slices_look_bad_by_chance(found):
    return found["perfect: p below 0.05"] - 10 * found["perfect: after correction"]
