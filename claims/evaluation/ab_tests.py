"""Claims of docs/evaluation/ab-tests.md."""

from __future__ import annotations

import numpy as np
from scipy import stats

from claims.claim import above, below, between, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.ab_test import (
    always_valid_interval,
    cuped,
    delta_method_ratio,
    sample_ratio_mismatch,
    two_proportion_test,
)


@experiment(
    seeds=20,
    worlds={"default": {}, "thirty impressions each": {"n_users": 1_700}, "rarer clicks": {"base_ctr": 0.01}},
)
def splits(seed, *, n_users=500, base_ctr=0.03, one_each=False):
    log = simulate_ad_log(50_000, seed=seed, n_users=n_users, n_ads=200, base_ctr=base_ctr)
    user = np.arange(len(log)) if one_each else log["user_id"]
    by_user = log.groupby(user)["click"].agg(["sum", "size"]).to_numpy()
    rng, alarms = np.random.default_rng([seed, 1]), np.zeros(2)
    for _ in range(100):
        b = rng.random(len(by_user)) < 0.5
        one, two = by_user[~b], by_user[b]
        (clicks_a, n_a), (clicks_b, n_b) = (arm.sum(axis=0).tolist() for arm in (one, two))
        by_row = two_proportion_test(clicks_a, n_a, clicks_b, n_b).p_value
        x, y = (delta_method_ratio(*arm.T) for arm in (one, two))
        z = (y.estimate - x.estimate) / np.hypot(x.standard_error, y.standard_error)
        alarms += [by_row < 0.05, 2 * stats.norm.sf(abs(z)) < 0.05]
    return {"by impressions": alarms[0] / 100, "by users": alarms[1] / 100}


@claim(
    "Where users have thirty impressions or more, a test of impressions at 5 % gives false alarms in more than a tenth "
    "of the tests.",
    splits,
    holds=above(0.1),
    twin={"one_each": True},
    percent=True,
    unit="false alarms",
)
def impressions_cry_wolf(found):
    return found["by impressions"]


@claim(
    "With hundreds of users, the delta method gives between 3 and 7 % false alarms where 5 % are promised.",
    splits,
    holds=between(0.03, 0.07),
    twin={"n_users": 20},
    percent=True,
    unit="false alarms",
)
def users_keep_the_promise(found):
    return found["by users"]


@claim(
    "A test of impressions gives at least five points more false alarms where users have a hundred impressions than "
    "where they have twenty.",
    holds=above(0.05),
    twin={"one_each": True},
    seeds=20,
    worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}},
    percent=True,
    unit="false alarms",
)
def visits_make_it_worse(seed, *, base_ctr=0.03, one_each=False):
    many, few = (splits(seed, n_users=n, base_ctr=base_ctr, one_each=one_each) for n in (500, 2_500))
    return many["by impressions"] - few["by impressions"]


@claim(
    "CUPED by last week's clicks takes off at least twenty points more of the variance where users have fifty "
    "impressions a week than where they have five.",
    holds=above(0.2),
    twin={"shuffled": True},
    seeds=20,
    worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}},
    percent=True,
    unit="of the variance",
)
def cuped_needs_regulars(seed, *, base_ctr=0.03, shuffled=False):
    left = []
    for n_users in (500, 5_000):
        log = simulate_ad_log(50_000, seed=seed, n_users=n_users, n_ads=200, base_ctr=base_ctr)
        clicks = log.groupby(["user_id", log["day"] // 7])["click"].sum().unstack(fill_value=0)
        before, during = clicks[0].to_numpy(), clicks[1].to_numpy()
        if shuffled:
            before = np.random.default_rng(seed).permutation(before)
        left.append(cuped(during, before).variance_share)
    return left[1] - left[0]


@experiment(seeds=20, worlds={"default": {}, "14 days": {"looks": 14}, "100 days": {"looks": 100}})
def looking(seed, *, looks=28, understated=1.0, strength=1.0, worst=False):
    rng = np.random.default_rng([seed, 2])
    days = np.arange(1, looks + 1)
    errors = 1 / np.sqrt(days)
    effect = (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * errors[-1]
    half = np.array([always_valid_interval(0, understated * s, effect_scale=effect)[1] for s in errors])
    nothing, something, apart = (
        rng.normal(size=(1_000, looks)).cumsum(axis=1) / days + mean for mean in (0, strength * effect, 0)
    )
    shapes = errors, 1 / errors if worst else errors**2
    flat, falling = (np.quantile(np.abs(apart / shape).max(axis=1), 0.95) * shape for shape in shapes)
    found, limits = {}, {"p < 0.05": 1.96 * errors, "always valid": half, "flat": flat, "falling": falling}
    for name, limit in limits.items():
        for what, difference in [("alarms", nothing), ("found", something)]:
            found[f"{what}, {name}"] = (np.abs(difference) > limit).any(axis=1).mean()
    found["found, one look"] = (np.abs(something[:, -1]) > 1.96 * errors[-1]).mean()
    return found


@claim(
    "Stopping at the first p < 0.05 of 14 daily looks or more gives false alarms in more than 15 % of the tests.",
    looking,
    holds=above(0.15),
    twin={"looks": 1},
    percent=True,
    unit="false alarms",
)
def peeking_cries_wolf(found):
    return found["alarms, p < 0.05"]


@claim(
    "The always-valid interval gives fewer than 5 % false alarms, looked at every day.",
    looking,
    holds=below(0.05),
    twin={"understated": 0.5},
    percent=True,
    unit="false alarms",
)
def always_valid_keeps_its_promise(found):
    return found["alarms, always valid"]


@claim(
    "The always-valid interval finds the effect that a test was planned for at least ten points less often than one "
    "look at the end.",
    looking,
    holds=above(0.1),
    twin={"strength": 2.0},
    percent=True,
    unit="of the tests",
)
def always_valid_costs_power(found):
    return found["found, one look"] - found["found, always valid"]


@claim(
    "A flat limit made for the planned number of looks finds the effect at least three points more often than the "
    "always-valid interval.",
    looking,
    holds=above(0.03),
    twin={"strength": 2.0},
    percent=True,
    unit="of the tests",
)
def planned_looks_cost_less(found):
    return found["found, flat"] - found["found, always valid"]


@claim(
    "A limit that is wide at first and falls finds the effect at most five points less often than one look at the end.",
    looking,
    holds=below(0.05),
    twin={"worst": True},
    percent=True,
    unit="of the tests",
)
def a_falling_limit_costs_little(found):
    return found["found, one look"] - found["found, falling"]


@experiment(
    seeds=20,
    worlds={
        "default": {},
        "fewer leave": {"leave": 0.25, "n": 3_200_000},
        "slow phones never click": {"slow_rate": 0.0},
    },
)
def broken_split(seed, *, n=800_000, leave=0.5, slow_rate=0.04):
    rng = np.random.default_rng([seed, 3])
    users, clicks = [], []
    n_treated = rng.binomial(n, 0.5)
    for treated, size in [(False, n - n_treated), (True, n_treated)]:
        slow = rng.binomial(size, 0.08)
        here = rng.binomial(slow, 1 - leave) if treated else slow
        users.append(size - slow + here)
        clicks.append(rng.binomial(users[-1] - here, 0.1) + rng.binomial(here, slow_rate))
    result = two_proportion_test(clicks[0], users[0], clicks[1], users[1])
    p_split = sample_ratio_mismatch(users, [0.5, 0.5])
    return {"lift": result.relative_lift, "digits of p": -np.log10(max(p_split, 1e-300))}


@claim(
    "Where users who click less leave one arm before they are counted, a change that does nothing shows a lift.",
    broken_split,
    holds=above(0),
    twin={"slow_rate": 0.1},
    percent=True,
    unit="lift",
)
def leaving_looks_like_a_lift(found):
    return found["lift"]


@claim(
    "If four of a hundred users of one arm are not counted, or two, the check of the split has a p-value far below "
    "0.001: with eight hundred thousand users, or with four times as many.",
    broken_split,
    holds=above(6),
    twin={"leave": 0.0},
    unit="zeros before the first digit of the p-value",
)
def split_check_cries_out(found):
    return found["digits of p"]


@experiment(worlds={"default": {}, "larger budgets": {"budget": 60}, "a worse control": {"control": 0.1}})
def budgets(seed, *, budget=50, control=0.05, leak=0.0):
    """Return the lift in a test with shared budgets, in one with a part of each budget for each arm, and in truth."""
    rng = np.random.default_rng([seed, 4])
    n_ads, n_requests = 100, 100_000
    quality = rng.beta(2, 30, n_ads)
    candidates = rng.integers(0, n_ads, (n_requests, 5))
    noise, u = rng.normal(0, 1, candidates.shape), rng.random(n_requests)

    def day(treated, purse):
        """Serve a day; each arm spends from its purse."""
        score = quality[candidates] + np.where(treated, 0.01, control)[:, None] * noise
        left, click = np.full((purse.max() + 1, n_ads), budget / (purse.max() + 1)), np.zeros(n_requests, bool)
        for start in range(0, n_requests, 500):
            rows = slice(start, start + 500)
            live = np.where(left[purse[rows, None], candidates[rows]] > 0, score[rows], -np.inf)
            ad = candidates[rows][np.arange(500), live.argmax(axis=1)]
            click[rows] = (u[rows] < quality[ad]) & (live.max(axis=1) > -np.inf)
            np.subtract.at(left, (purse[rows], ad), click[rows])
        return click

    split, one = rng.random(n_requests) < 0.5, np.zeros(n_requests, int)
    nobody, everybody = day(one > 0, one), day(one == 0, one)
    found = {"launch": everybody.mean() / nobody.mean() - 1}
    for name, purse in [("shared", one), ("parted", np.where(rng.random(n_requests) < leak, 0, split))]:
        test = day(split, purse)
        found[name] = test[split].mean() / test[~split].mean() - 1
    return found


@claim(
    "Where arms draw on budgets that run out, the test shows a lift at least five points above that of the launch.",
    budgets,
    holds=above(0.05),
    twin={"budget": 100_000},
    percent=True,
    unit="lift",
)
def shared_budgets_flatter(found):
    return found["shared"] - found["launch"]


@claim(
    "Where each arm has its part of each budget, the lift in the test is within three points of that of the launch.",
    budgets,
    holds=between(-0.03, 0.03),
    twin={"leak": 1.0},
    percent=True,
    unit="lift",
)
def parted_budgets_tell_the_truth(found):
    return found["parted"] - found["launch"]
