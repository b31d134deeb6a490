"""Boosted trees with a linear layer, factorization, bandits, smoothed click rates."""

import numpy as np
from scipy.sparse import csr_matrix

from snippets.modeling.bandits import LinUCB, ThompsonSampling, replay
from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from snippets.modeling.matrix_factorization import ImplicitALS
from snippets.modeling.smoothed_ctr import SmoothedCTR, fit_beta_prior
from tests.contract.calls import Call
from tests.contract.roles import Count, Keys, Labels, Matrix, Number, Numbers, Table, Weights, Whole

Y = [0, 1, 0, 1, 1, 0, 1, 0]
WEIGHT = [1, 2, 0, 1, 3, 1, 2, 1]
X = [[0.5, 1], [1, 0], [2, 0.25], [3, 4], [0, 5], [0.75, 1], [2, 2], [1, 3]]
SEEN = csr_matrix([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0]])
ABOVE_0 = "(0, inf)"


class Classes(Labels):
    """Any two classes; scikit-learn flattens a column with a warning."""

    def bad(self):
        yield from (case for case in super().bad() if case[0] not in ("one column", "all text"))


def boosted(X, y, sample_weight, tree_rows, n_estimators, C):
    """Return what few trees and their layer predict."""
    model = GBDTLogisticRegression(n_estimators, min_samples_leaf=1, C=C, random_state=0)
    return model.fit(X, y, sample_weight, tree_rows).predict_proba(X)[:, 1]


def factorized(users, k, n_factors, alpha, l2, n_iterations):
    """Return what is recommended to users."""
    model = ImplicitALS(n_factors, alpha, l2, n_iterations, random_state=0)
    return model.fit(SEEN).recommend(users, k, exclude=SEEN)


def sampled(arms, rewards, n_arms, alpha, beta):
    """Return the propensities of arms after an update."""
    policy = ThompsonSampling(n_arms, alpha, beta)
    policy.update(arms, rewards)
    return policy.probabilities()


def bounded(contexts, arms, rewards, n_arms, n_features, width, l2):
    """Return what an update has taught, and the arms then chosen."""
    policy = LinUCB(n_arms, n_features, width, l2)
    policy.update(contexts, arms, rewards)
    return policy.coef_, policy.covariance_, np.sort(policy.choose(contexts, np.random.default_rng(0)))


def replayed(arms, rewards, chosen, batch_size):
    """Return the rows kept of a log of arms, and their rewards."""
    column = chosen.reset_index(drop=True) if hasattr(chosen, "reset_index") else chosen
    return replay(lambda rows: column[rows], lambda rows: None, arms, rewards, batch_size)


def smoothed(X, y, sample_weight, strength, asked):
    """Return what the rate of ad and device predicts for others."""
    return SmoothedCTR(strength).fit(X, y, sample_weight).predict_proba(asked)[:, 1]


CALLS = [
    Call(
        boosted,
        {
            "X": Matrix(X, missing=True),
            "y": Classes(Y, says="y"),
            "sample_weight": Weights(WEIGHT),
            "tree_rows": Labels([1, 1, 0, 0, 1, 1, 0, 0]),
            "n_estimators": Count(3),
            "C": Number(0.5, interval=ABOVE_0, optional=True),
        },
        covers=GBDTLogisticRegression,
        order="rows",
        tolerance=1e-4,
    ),
    Call(
        factorized,
        {
            "users": Whole([3, 0, 1, 1], least=0),
            "k": Count(2, most=4),
            "n_factors": Count(2),
            "alpha": Number(4, interval=ABOVE_0),
            "l2": Number(0.5, interval=ABOVE_0),
            "n_iterations": Count(2),
        },
        covers=ImplicitALS,
        order="rows",
        empty=True,
    ),
    Call(
        sampled,
        {
            "arms": Whole([0, 1, 1, 2, 0], least=0),
            "rewards": Labels([0, 1, 0, 1, 1]),
            "n_arms": Count(3, least=2),
            "alpha": Number(1, interval=ABOVE_0),
            "beta": Number(2, interval=ABOVE_0),
        },
        covers=ThompsonSampling,
        empty=True,
    ),
    Call(
        bounded,
        {
            "contexts": Matrix([[1, 0.5], [0.25, 2], [1, 1], [0, 1], [3, 0]]),
            "arms": Whole([0, 1, 1, 2, 0], least=0),
            "rewards": Labels([0, 1, 0, 1, 1]),
            "n_arms": Count(3, least=2),
            "n_features": Count(2),
            "width": Number(0.5, interval="[0, inf)"),
            "l2": Number(2, interval=ABOVE_0),
        },
        covers=LinUCB,
        empty=True,
    ),
    Call(
        replayed,
        {
            "arms": Keys([0, 1, 2, 1, 3, 0], group="arm"),
            "rewards": Numbers([0, 1, 0.5, 0, 1, 1]),
            "chosen": Keys([0, 2, 2, 1, 1, 0], group="arm", says="kinds|chose"),
            "batch_size": Count(4),
        },
        covers=replay,
        order="matters",
        empty=True,
    ),
    Call(
        fit_beta_prior,
        {"clicks": Numbers([0, 2, 9, 1], interval="[0, inf)"), "impressions": Numbers([96, 100, 112, 20], interval="[0, inf)")},
        tolerance=1e-6,
    ),
    Call(
        smoothed,
        {
            "X": Table(
                {
                    "ad": Keys([0, 1, 0, 2, 1, 0, 3, 3], group="ad"),
                    "device": Keys([0, 1, 0, 1, 1, 0, 0, 1], group="device"),
                },
                says="twice|2D",
            ),
            "y": Classes(Y, says="y"),
            "sample_weight": Weights(WEIGHT),
            "strength": Number(4, interval=ABOVE_0, optional=True),
            "asked": Table(
                {"ad": Keys([3, 0, 5], group="ad"), "device": Keys([0, 0, 1], group="device")},
                rows="asked",
                says="twice|2D",
            ),
        },
        covers=SmoothedCTR,
        order="rows",
        by="asked",
    ),
]
