"""Policies that learn while they choose."""

import numpy as np

from snippets.modeling.bandits import LinUCB, ThompsonSampling, replay
from tests.contract.calls import Call
from tests.contract.roles import Count, Fixed, Labels, Matrix, Number, Numbers, Whole

ARMS, REWARDS, CONTEXTS = [0, 1, 2, 1, 0, 1], [0, 1, 0, 1, 1, 0], [[1, 0.5], [0, 2], [1, 1], [0.25, 0], [3, 1], [1, 0]]


def thompson(n_arms, alpha, arms, rewards, n):
    """Return the posterior and what it chooses."""
    policy = ThompsonSampling(n_arms, alpha)
    policy.update(arms, rewards)
    return policy.alpha_, policy.beta_, policy.choose(n, np.random.default_rng(0))


def linucb(n_arms, width, l2, contexts, arms, rewards):
    """Return the coefficients of each arm and what it chooses in each context."""
    policy = LinUCB(n_arms, 2, width, l2, random_state=0)
    policy.update(contexts, arms, rewards)
    return policy.coef_, policy.choose(CONTEXTS)


def replayed(arms, rewards, batch_size):
    """Return what a policy that always plays 1 keeps."""
    return replay(lambda rows: np.ones(rows.stop - rows.start), lambda rows: None, arms, rewards, batch_size)


SHOWN = {"arms": Whole(ARMS, least=0), "rewards": Labels(REWARDS)}

CALLS = [
    Call(
        thompson,
        {
            "n_arms": Fixed(3),
            "alpha": Numbers([2.5, 1, 2], interval="(0, inf)", rows=None),
            **SHOWN,
            "n": Count(5, least=0),
        },
        covers=ThompsonSampling,
        empty=True,
    ),
    Call(
        linucb,
        {
            "n_arms": Count(3, least=2),
            "width": Number(0.5, interval="[0, 1e100]"),
            "l2": Number(2.0, interval="[1e-200, 1e200]"),
            "contexts": Matrix(CONTEXTS),
            **SHOWN,
        },
        covers=LinUCB,
        empty=True,
    ),
    Call(
        replayed,
        {"arms": Whole(ARMS), "rewards": Numbers(REWARDS), "batch_size": Count(4)},
        covers=replay,
        order="matters",
        empty=True,
    ),
]
