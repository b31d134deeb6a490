"""Claims of docs/scale/growth.md."""

from __future__ import annotations

import numpy as np

from claims.claim import above, below, claim, experiment

PARTITIONS = 200


def mixed(key, seed):
    """Return a hash of whole numbers (splitmix64)."""
    x = np.asarray(key, np.uint64) + np.uint64((seed * 0x9E3779B97F4A7C15 + 0x1234567) % 2**64)
    for shift, factor in [(30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)]:
        x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def largest(key, salt, seed):
    """Return how many times as many rows as the mean the largest partition has."""
    partition = mixed(mixed(key, seed) + salt.astype(np.uint64), seed + 1) % np.uint64(PARTITIONS)
    return np.bincount(partition.astype(np.int64), minlength=PARTITIONS).max() / (len(key) / PARTITIONS)


@experiment(
    seeds=20, worlds={"default": {}, "a longer tail": {"exponent": 0.9}, "a bot": {"exponent": 0.5, "bot": 0.05}}
)
def skew(seed, *, n=400_000, n_keys=100_000, exponent=1.1, bot=0.0, n_salts=16, n_hot=50):
    """Return the largest partition by how keys were salted, and how many rows the other side has then."""
    rng = np.random.default_rng(seed)
    chance = np.arange(1, n_keys + 1) ** -float(exponent)
    key = rng.choice(n_keys, n, p=chance / chance.sum())
    key[rng.random(n) < bot] = 0
    salt, rows = rng.integers(0, n_salts, n), np.bincount(key, minlength=n_keys)
    hot = np.argsort(-rows)[:n_hot]
    only_hot = np.where(np.isin(key, hot), salt, 0)
    return {
        "plain": largest(key, np.zeros(n, int), seed),
        "all": largest(key, salt, seed),
        "hot": largest(key, only_hot, seed),
        "copies": 1 + n_hot * (n_salts - 1) / n_keys,
    }


UNIFORM = {"exponent": 0.0}


@claim(
    "Where a few keys have many of the rows, the largest of 200 partitions has over five times the mean.",
    skew,
    holds=above(5),
    twin=UNIFORM,
    unit="times the mean",
)
def a_few_keys_fill_one_partition(found):
    return found["plain"]


@claim(
    "Sixteen salts for each key bring the largest partition down to less than a third of what it was.",
    skew,
    holds=below(1 / 3),
    twin=UNIFORM,
    percent=True,
    unit="of what it was",
)
def salts_spread_it(found):
    return found["all"] / found["plain"]


@claim(
    "Salting the fifty largest keys alone leaves the largest partition within a fifth of what salting all does.",
    skew,
    holds=below(1.2),
    twin={"n_hot": 1, "n_salts": 64},
    percent=True,
    unit="of that with all salted",
)
def hot_keys_suffice(found):
    return found["hot"] / found["all"]
