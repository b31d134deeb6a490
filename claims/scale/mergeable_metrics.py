"""Claims of docs/scale/mergeable-metrics.md."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import roc_auc_score

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.scale.mergeable_metrics import HistogramAUC, RatioOfTotals


@experiment(seeds=10, worlds={"default": {}, "three times the clicks": {"base_ctr": 0.09}})
def areas(seed, *, base_ctr=0.03, parts=20, random_positions=False, split="position"):
    """Return the AUC of all rows, and the mean of those of parts: random ones, and ones that differ."""
    log = simulate_ad_log(
        40_000,
        seed=seed,
        base_ctr=base_ctr,
        position_bias=not random_positions,
        randomize_positions=random_positions,
    )
    y, p = log["click"].to_numpy(), log["p_click"].to_numpy()
    at_random = np.random.default_rng(seed).integers(0, parts, len(y))
    found = {"all": roc_auc_score(y, p)}
    for name, part in {"random": at_random, "position": log["position"].to_numpy()}.items():
        chosen = part if split != "all by position" else log["position"].to_numpy()
        found[name] = float(np.mean([roc_auc_score(y[chosen == i], p[chosen == i]) for i in np.unique(chosen)]))
    return found


@claim(
    "The mean AUC of the positions is below the AUC of all rows by 0.02 and more: pairs of two positions are in none.",
    areas,
    holds=below(-0.02),
    twin={"random_positions": True},
    unit="of AUC",
)
def parts_that_differ_have_another_auc(found):
    return found["position"] - found["all"]


@claim(
    "The mean AUC of twenty random parts is that of all rows, to 0.002.",
    areas,
    holds=between(-0.002, 0.002),
    twin={"split": "all by position"},
    unit="of AUC",
)
def random_parts_have_the_same_auc(found):
    return found["random"] - found["all"]


@experiment(seeds=20, worlds={"50 machines": {}, "200 machines": {"machines": 200, "slow": 4}})
def latencies(seed, *, machines=50, slow=1, times=10.0, rows=2_000):
    """Return the mean p99 of machines over the p99 of all requests: some are slow, and all alike."""
    rng = np.random.default_rng(seed)
    alike = rng.lognormal(3, 0.6, (machines, rows))
    mixed = alike * np.where(np.arange(machines) < slow, times, 1.0)[:, None]
    found = {}
    for name, x in {"slow": mixed, "alike": alike}.items():
        found[name] = float(np.quantile(x, 0.99, axis=1).mean() / np.quantile(x, 0.99))
    return found


@claim(
    "If one machine in fifty is ten times as slow, the mean p99 of the machines is less than two thirds of the p99 of "
    "all requests.",
    latencies,
    holds=below(2 / 3),
    twin={"times": 1.0},
    unit="as a share",
)
def the_mean_of_p99s_hides_a_slow_machine(found):
    return found["slow"]


@claim(
    "The mean p99 of machines that are alike, with thousands of requests each, is that of all requests, to 2 %.",
    latencies,
    holds=between(0.98, 1.02),
    twin={"rows": 50},
    unit="as a share",
)
def machines_alike_may_be_averaged(found):
    return found["alike"]


@experiment(seeds=10, worlds={"default": {}, "a third of the clicks": {"base_ctr": 0.01}})
def histograms(seed, *, base_ctr=0.03, bins=1_000):
    """Return how far a histogram's AUC is off, and half the width of its bounds, for edges of two kinds."""
    log = simulate_ad_log(60_000, seed=seed, base_ctr=base_ctr)
    y, p, late = log["click"].to_numpy(), log["p_click"].to_numpy(), log["day"].to_numpy() >= 7
    exact, share = roc_auc_score(y[late], p[late]), np.arange(1, bins) / bins
    found = {}
    for name, edges in {"quantiles": np.unique(np.quantile(p[~late], share)), "one width": share}.items():
        estimate, low, high = HistogramAUC(edges).update(y[late], p[late]).result()
        found[f"{name}: error"], found[f"{name}: half"] = abs(estimate - exact), (high - low) / 2
    return found


@claim(
    "With 1,000 bins, cut at quantiles of the week before, the exact AUC lies within 0.001 of the histogram's, by its "
    "bound.",
    histograms,
    holds=below(0.001),
    twin={"bins": 100},
    unit="of AUC",
)
def a_thousand_bins_are_enough(found):
    return found["quantiles: half"]


@claim(
    "For rare clicks, bounds from bins of one width are at least three times as wide as those from quantiles.",
    histograms,
    holds=above(3),
    twin={"base_ctr": 0.4},
    unit="times as wide",
)
def equal_widths_waste_bins(found):
    return found["one width: half"] / found["quantiles: half"]


@claim(
    "With 1,000 bins at quantiles, the AUC halfway between the bounds errs by less than a tenth of what they allow.",
    histograms,
    holds=below(0.1),
    twin={"bins": 10},
    unit="of half the width",
)
def halfway_is_better_than_its_bound(found):
    return found["quantiles: error"] / found["quantiles: half"]


@experiment(seeds=20, worlds={"default": {}, "three times the clicks": {"base_ctr": 0.09}})
def errors(seed, *, base_ctr=0.03, n_users=1_000):
    """Return the standard error of the click rate by user and day, over that by user."""
    log = simulate_ad_log(40_000, seed=seed, n_users=n_users, base_ctr=base_ctr)
    found = {}
    for name, by in {"user": ["user_id"], "day": ["user_id", "day"]}.items():
        units = log.groupby(by)["click"].agg(["sum", "size"])
        found[name] = RatioOfTotals().update(units["sum"], units["size"]).result().standard_error
    return found


@claim(
    "A standard error whose units are each user's days is more than a tenth too small, where users come back.",
    errors,
    holds=below(0.9),
    twin={"n_users": 100_000},
    unit="of that by user",
)
def days_of_a_user_are_no_units(found):
    return found["day"] / found["user"]
