"""Claims of docs/modeling/exploration.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, claim, experiment
from snippets.datasets.ad_log import simulate_ad_log
from snippets.modeling.bandits import LinUCB, ThompsonSampling, replay
from snippets.modeling.smoothed_ctr import fit_beta_prior

BLIND, OWN, GREEDY = "Thompson", "by context: Thompson, prior worth 20", "by context: greedy"
EPSILON = "by context: epsilon-greedy, 10 %"
WORLDS = {"default": {}, "rarer clicks": {"base_ctr": 0.02}, "more clicks": {"base_ctr": 0.1}}


def category_rates(seed, n_requests, base_ctr):
    """Return the true rate of each category in each context of a fresh log, and the context of each request."""
    log = simulate_ad_log(5 * n_requests, seed=seed, base_ctr=base_ctr, exploration_rate=1.0)
    cell = log.groupby(["age_group", "device", "category"], observed=True)["relevance"].mean().unstack()
    first = log[log["position"] == 1]
    return cell.to_numpy(), cell.index.get_indexer(list(zip(first["age_group"], first["device"], strict=True)))


def lost_clicks(rates, context, seen, kind, setting, seed, mean):
    """Return what a policy loses by batch of a hundred requests; it has counts of its own for each context it sees.

    The setting is the width of LinUCB, the share of random requests of greedy, the impressions that Thompson's prior is
    worth. The prior's mean is given.
    """
    rng, n_arms, n_seen, lost = np.random.default_rng([seed, 1]), rates.shape[1], seen.max() + 1, []
    linear = LinUCB(n_arms, n_seen, width=setting, random_state=seed)
    strength = setting if kind == "Thompson" else 20
    counts = [ThompsonSampling(n_arms, strength * mean, strength * (1 - mean)) for _ in range(n_seen)]
    one_hot = np.eye(n_seen)
    for start in range(0, len(context), 100):
        own, shown = context[start : start + 100], seen[start : start + 100]
        arms = linear.choose(one_hot[shown]) if kind == "LinUCB" else np.empty(len(own), np.int64)
        for group in np.unique(shown) if kind != "LinUCB" else []:
            rows, policy = np.flatnonzero(shown == group), counts[group]
            if kind == "Thompson":
                arms[rows] = policy.choose(len(rows), rng)
            else:
                mean = policy.alpha_ / (policy.alpha_ + policy.beta_)
                arms[rows] = rng.choice(np.flatnonzero(mean == mean.max()), len(rows))  # equal ones by lot
        if kind == "greedy":
            random = rng.random(len(own)) < setting
            arms[random] = rng.integers(0, n_arms, random.sum())
        clicks = (rng.random(len(own)) < rates[own, arms]).astype(np.int64)
        lost.append((rates[own].max(axis=1) - rates[own, arms]).sum())
        if kind == "LinUCB":
            linear.update(one_hot[shown], arms, clicks)
        else:
            for group in np.unique(shown):
                rows = shown == group
                counts[group].update(arms[rows], clicks[rows])
    return np.array(lost)


@experiment(seeds=20, worlds=WORLDS)
def policies(seed, *, base_ctr=0.05, n_requests=20_000, alike=False, clear=False, start=None):
    rates, context = category_rates(seed, n_requests, base_ctr)
    if alike:  # a context says nothing
        rates = np.tile(rates.mean(axis=0), (len(rates), 1))
    if clear:  # one category is clicked, and no other ever
        rates = 0.3 * (rates == rates.max(axis=1, keepdims=True))
    mean, blind = rates.mean() if start is None else start, np.zeros_like(context)
    best, per_thousand = rates.max(axis=1)[context], 1_000 / n_requests
    found = {
        "a random category": per_thousand * (best - rates.mean(axis=1)[context]).sum(),
        "the best single category": per_thousand * (best[:, None] - rates[context]).sum(axis=0).min(),
    }
    for name, seen, kind, setting in [
        ("greedy", blind, "greedy", 0.0),
        ("epsilon-greedy, 10 %", blind, "greedy", 0.1),
        ("Thompson", blind, "Thompson", 20),
        (GREEDY, context, "greedy", 0.0),
        (EPSILON, context, "greedy", 0.1),
        ("by context: Thompson, prior worth 5", context, "Thompson", 5),
        (OWN, context, "Thompson", 20),
        ("by context: Thompson, prior worth 80", context, "Thompson", 80),
        ("by context: LinUCB, width 0", context, "LinUCB", 0.0),
        ("by context: LinUCB, width 0.1", context, "LinUCB", 0.1),
        ("by context: LinUCB, width 0.3", context, "LinUCB", 0.3),
        ("by context: LinUCB, width 1", context, "LinUCB", 1.0),
    ]:
        found[name] = per_thousand * lost_clicks(rates, context, seen, kind, setting, seed, mean).sum()
    return found


@experiment(seeds=20, worlds=WORLDS)
def long_runs(seed, *, base_ctr=0.05, n_requests=60_000, clear=False):
    rates, context = category_rates(seed, n_requests, base_ctr)
    if clear:  # one category is clicked, and no other ever
        rates = 0.3 * (rates == rates.max(axis=1, keepdims=True))
    quarter = n_requests // 4
    found = {"a random category": (rates.max(axis=1) - rates.mean(axis=1))[context].sum() / n_requests}
    for name, kind, setting in [(GREEDY, "greedy", 0.0), (EPSILON, "greedy", 0.1), (OWN, "Thompson", 20)]:
        lost = lost_clicks(rates, context, context, kind, setting, seed, rates.mean())
        found[name] = lost.sum() / n_requests
        found[f"{name}, in the last quarter"] = lost[-(quarter // 100) :].sum() / quarter
    return found


def of_random(found, name, other):
    """Return by how much one policy loses more than another, as a share of what a random category loses."""
    return (found[name] - found[other]) / found["a random category"]


@claim(
    "Over 20,000 requests, Thompson sampling with a posterior for each context loses less than with one for all.",
    policies,
    holds=below(0),
    twin={"alike": True},
    percent=True,
    unit="of what random choice loses",
)
def context_pays(found):
    return of_random(found, OWN, BLIND)


@claim(
    "Of 60,000 requests, in the last 15,000, greedy choice loses more than Thompson sampling with the same contexts.",
    long_runs,
    holds=above(0),
    twin={"clear": True},
    percent=True,
    unit="of what random choice loses",
)
def greedy_stops_learning(found):
    return of_random(found, f"{GREEDY}, in the last quarter", f"{OWN}, in the last quarter")


@claim(
    "Over all 60,000 requests, too, greedy choice loses more than Thompson sampling with the same contexts.",
    long_runs,
    holds=above(0),
    twin={"clear": True},
    percent=True,
    unit="of what random choice loses",
)
def greedy_loses_over_long_runs(found):
    return of_random(found, GREEDY, OWN)


@claim(
    "Over 20,000 requests, greedy choice loses more than Thompson sampling with the same contexts.",
    policies,
    holds=above(0),
    twin={"clear": True},
    says="varies",
    percent=True,
    unit="of what random choice loses",
)
def greedy_loses_in_all(found):
    return of_random(found, GREEDY, OWN)


@claim(
    "Over 20,000 requests, a tenth of random choices loses more than Thompson sampling with the same contexts.",
    policies,
    holds=above(0),
    twin={"clear": True},
    says="varies",
    percent=True,
    unit="of what random choice loses",
)
def epsilon_loses_in_all(found):
    return of_random(found, EPSILON, OWN)


@claim(
    "LinUCB of width 0, which is greedy, loses more than LinUCB of width 0.3.",
    policies,
    holds=above(0),
    twin={"clear": True},
    percent=True,
    unit="of what random choice loses",
)
def width_zero_loses(found):
    return of_random(found, "by context: LinUCB, width 0", "by context: LinUCB, width 0.3")


@claim(
    "LinUCB of width 1 loses more than LinUCB of width 0.3.",
    policies,
    holds=above(0),
    twin={"clear": True},
    says="varies",
    percent=True,
    unit="of what random choice loses",
)
def width_one_loses(found):
    return of_random(found, "by context: LinUCB, width 1", "by context: LinUCB, width 0.3")


@claim(
    "The width decides more than the prior: from the best to the worst of three, LinUCB's loss moves by more than "
    "Thompson sampling's, where the prior's mean is right.",
    policies,
    holds=above(0),
    twin={"start": 0.5},
    percent=True,
    unit="of what random choice loses",
)
def width_matters_more_than_strength(found):
    linear = [found[f"by context: LinUCB, width {w}"] for w in ("0.1", "0.3", "1")]
    thompson = [found[f"by context: Thompson, prior worth {s}"] for s in (5, 20, 80)]
    return (np.ptp(linear) - np.ptp(thompson)) / found["a random category"]


@experiment(seeds=40, worlds={"default": {}, "rarer clicks": {"base_ctr": 0.01}, "longer": {"n_batches": 600}})
def priors(seed, *, base_ctr=0.03, n_batches=200, worse=0.3, surer=10, wide=False):
    log = simulate_ad_log(100_000, n_ads=1_000, seed=seed, base_ctr=base_ctr, randomize_positions=True, drift=0.0)
    new = log["ad_id"].map(log.groupby("ad_id")["day"].min() >= 7).to_numpy()
    past = log[~new & (log["day"] < 7).to_numpy()]
    counts = past.groupby("ad_id")["click"].agg(["sum", "size"])
    alpha, beta = fit_beta_prior(counts["sum"], counts["size"])
    truth = log[new].groupby("ad_id")["p_click"].agg(["mean", "size"])
    rng = np.random.default_rng([seed, 2])
    rates = rng.choice(truth.loc[truth["size"] >= 20, "mean"].to_numpy(), 40, replace=False)
    if wide:  # the flat prior is right
        rates = rng.random(40)
    found = {}
    for of, factor in [("", 1.0), (", new ads worse", worse)]:
        for name, prior in [
            ("flat prior", (1.0, 1.0)),
            ("fitted prior", (alpha, beta)),
            ("ten times as sure", (surer * alpha, surer * beta)),
        ]:
            policy, true, lost = ThompsonSampling(40, *prior), factor * rates, 0.0
            for _ in range(n_batches):
                arms = policy.choose(50, rng)
                policy.update(arms, (rng.random(50) < true[arms]).astype(np.int64))
                lost += (true.max() - true[arms]).sum()
            found[name + of] = lost / (50 * n_batches * (true.max() - true.mean()))
    return found


@claim(
    "With a flat prior, Thompson sampling over forty new ads loses more clicks than with a prior fitted to old ads.",
    priors,
    holds=above(0),
    twin={"wide": True},
    percent=True,
    unit="of what random choice loses",
)
def flat_prior_loses(found):
    return found["flat prior"] - found["fitted prior"]


@claim(
    "Where new ads are like old ones, a prior ten times as sure as the fitted one loses more clicks.",
    priors,
    holds=above(0),
    twin={"surer": 1_000},
    says="varies",
    percent=True,
    unit="of what random choice loses",
)
def surer_prior_loses(found):
    return found["ten times as sure"] - found["fitted prior"]


@claim(
    "Where new ads earn three tenths of what old ones do, a prior ten times as sure loses more clicks.",
    priors,
    holds=above(0),
    twin={"surer": 0.3},
    percent=True,
    unit="of what random choice loses",
)
def surer_prior_loses_where_wrong(found):
    return found["ten times as sure, new ads worse"] - found["fitted prior, new ads worse"]


@experiment(seeds=40, worlds={"default": {}, "two good arms": {"level": True}, "rarer clicks": {"scale": 0.3}})
def delays(seed, *, scale=1.0, level=False, rare=1_000):
    rng = np.random.default_rng([seed, 3])
    rates = scale * np.sort(rng.beta(3, 60, 8))
    if level:
        rates[-2] = rates[-1]
    found = {}
    for batch, often in [(100, "each 100"), (rare, "each 1,000")]:
        for name, policy in [
            ("Thompson", ThompsonSampling(8, 20 * rates.mean(), 20 * (1 - rates.mean()))),
            ("LinUCB, width 0.2", LinUCB(8, 1, width=0.2, random_state=seed)),
            ("LinUCB, width 0.5", LinUCB(8, 1, width=0.5, random_state=seed)),
        ]:
            lost, x, thompson = 0.0, np.ones((batch, 1)), name == "Thompson"
            for _ in range(40_000 // batch):
                arms = policy.choose(batch, rng) if thompson else policy.choose(x)
                clicks = (rng.random(batch) < rates[arms]).astype(np.int64)
                if thompson:
                    policy.update(arms, clicks)
                else:
                    policy.update(x, arms, clicks)
                lost += (rates.max() - rates[arms]).sum()
            found[f"{name}, {often}"] = lost / (40_000 * (rates.max() - rates.mean()))
    return found


@claim(
    "LinUCB of width 0.5 loses more when it learns after each 1,000 requests than after each 100.",
    delays,
    holds=above(0),
    twin={"rare": 100},
    percent=True,
    unit="of what random choice loses",
)
def linucb_suffers_delay(found):
    return found["LinUCB, width 0.5, each 1,000"] - found["LinUCB, width 0.5, each 100"]


@claim(
    "Learning after each 1,000 requests, not after each 100, costs LinUCB of width 0.5 more than Thompson sampling.",
    delays,
    holds=above(0),
    twin={"rare": 100},
    percent=True,
    unit="of what random choice loses",
)
def thompson_bears_delay(found):
    return linucb_suffers_delay.contrast(found) - (found["Thompson, each 1,000"] - found["Thompson, each 100"])


@claim(
    "When both learn after each 1,000 requests, LinUCB of width 0.5 loses more than Thompson sampling.",
    delays,
    holds=above(0),
    twin={"rare": 100},
    percent=True,
    unit="of what random choice loses",
)
def wide_linucb_loses_to_thompson(found):
    return found["LinUCB, width 0.5, each 1,000"] - found["Thompson, each 1,000"]


@claim(
    "When both learn after each 1,000 requests, LinUCB of width 0.2 loses less than LinUCB of width 0.5.",
    delays,
    holds=below(0),
    twin={"rare": 100},
    percent=True,
    unit="of what random choice loses",
)
def narrow_bears_delay(found):
    return found["LinUCB, width 0.2, each 1,000"] - found["LinUCB, width 0.5, each 1,000"]


@claim(
    "Replay over 80 items, with 10,000 random rows and half a percent of clicks, misses the true rate by more than "
    "half of it on average.",
    holds=above(0.5),
    twin={"n_arms": 4, "rate": 0.1},
    seeds=40,
    percent=True,
    unit="of the true rate",
)
def replay_says_little(seed, *, n_arms=80, rate=0.005):
    rng = np.random.default_rng([seed, 4])
    rates = rng.gamma(4, rate / 4, n_arms)
    arms = rng.integers(0, n_arms, 10_000)
    clicks = (rng.random(10_000) < rates[arms]).astype(np.int64)
    policy = ThompsonSampling(n_arms, 1, 1 / rate)
    rows, kept = replay(
        lambda rows: policy.choose(rows.stop - rows.start, rng),
        lambda rows: policy.update(arms[rows], clicks[rows]),
        arms,
        clicks,
    )
    return abs(kept.mean() / rates[arms[rows]].mean() - 1)
