"""Claims of docs/problem/capacity.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, claim, experiment
from snippets.problem.capacity import simulate_queue


@experiment(seeds=20, worlds={"default": {}, "longer pauses": {"pause": 300}, "more stages": {"stages": 6}})
def tails(seed, *, pause=100, stages=4, rare=0.005, often=0.02, together=False):
    """Stages in a row, each usually about 10 ms, some calls with a pause; return the p99 of the sum over that sum."""
    rng = np.random.default_rng([seed, 8])
    found = {}
    for name, share in [("rare pauses", rare), ("common pauses", often)]:
        calls = rng.lognormal(2.2, 0.3, (20_000, stages)) + pause * (rng.random((20_000, stages)) < share)
        if together:  # one machine serves them all, and is slow for all of them
            calls = np.repeat(calls[:, :1], stages, axis=1) * rng.uniform(0.99, 1.01, calls.shape)
        found[name] = np.quantile(calls.sum(axis=1), 0.99) / np.quantile(calls, 0.99, axis=0).sum()
    return found


@claim(
    "Where two calls in a hundred meet a pause, the p99 of four or more independent stages is less than half of the "
    "sum of their p99s.",
    tails,
    holds=below(0.5),
    twin={"together": True},
    percent=True,
    unit="of the sum",
)
def sum_is_too_strict(found):
    return found["common pauses"]


@claim(
    "Where one call in two hundred meets a pause, the p99 of four or more independent stages is above the sum of their "
    "p99s.",
    tails,
    holds=above(1),
    twin={"together": True},
    percent=True,
    unit="of the sum",
)
def sum_is_too_kind(found):
    return found["rare pauses"]


@experiment(worlds={"default": {}, "half as many requests": {"n": 30_000}, "more requests": {"n": 120_000}})
def queues(seed, *, n=60_000, others=1, busy=0.95):
    found = {}
    for servers in (others, 20):
        for load in (0.5, busy):
            queue = simulate_queue(load * servers, 1.0, servers, n, seed)
            name = "one server" if servers == others else "twenty servers"
            found[f"{name}, {'half' if load == 0.5 else 'nearly'} busy, mean"] = queue.mean_latency
            found[f"{name}, {'half' if load == 0.5 else 'nearly'} busy, p99"] = queue.p99
    return found


@claim(
    "Where requests and work come at random, one server that is busy 95 % of the time answers more than five times as "
    "late as one at 50 %.",
    queues,
    holds=above(5),
    twin={"busy": 0.6},
    unit="times the latency at half load",
)
def full_servers_answer_late(found):
    return found["one server, nearly busy, mean"] / found["one server, half busy, mean"]


@claim(
    "At the same load of 95 %, twenty servers behind one queue have less than a fifth of the p99 of one server.",
    queues,
    holds=below(0.2),
    twin={"others": 19},
    percent=True,
    unit="of the p99 of one server",
)
def shared_queues_stand_load(found):
    return found["twenty servers, nearly busy, p99"] / found["one server, nearly busy, p99"]
