"""Boosted trees with a linear layer, factorization, smoothed click rates."""

import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.naive_bayes import GaussianNB

from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from snippets.modeling.matrix_factorization import ImplicitALS
from snippets.modeling.model_comparison import compare_models, paired_difference
from snippets.modeling.smoothed_ctr import SmoothedCTR, fit_beta_prior
from tests.contract.calls import Call
from tests.contract.roles import Classes, Count, Keys, Labels, Matrix, Number, Numbers, Weights, Whole
from tools.door.checks import _column, _numbers

Y = [0, 1, 0, 1, 1, 0, 1, 0]
WEIGHT = [1, 2, 0, 1, 3, 1, 2, 1]
X = [[0.5, 1], [1, 0], [2, 0.25], [3, 4], [0, 5], [0.75, 1], [2, 2], [1, 3]]
SEEN = csr_matrix([[1, 1, 0, 0], [1, 1, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0]])
ABOVE_0 = "(0, inf)"


def boosted(X, y, sample_weight, tree_rows, n_estimators, C):
    """Return what few trees and their layer predict."""
    model = GBDTLogisticRegression(n_estimators, min_samples_leaf=1, C=C, random_state=0)
    return model.fit(X, y, sample_weight, tree_rows).predict_proba(X)[:, 1]


def compared(x, y, train, validate, test, budget):
    """Return the losses of a model with two settings."""
    candidates = {"bayes": (_numbers("x", x)[:, None], [GaussianNB(), GaussianNB(var_smoothing=0.1)])}
    return compare_models(candidates, y, train, validate, test, budget=budget).table[["validation", "test"]]


def factorized(users, k, n_factors, alpha, l2, n_iterations):
    """Return what is recommended to users."""
    model = ImplicitALS(n_factors, alpha, l2, n_iterations, random_state=0)
    return model.fit(SEEN).recommend(users, k, exclude=SEEN)


def smoothed(ad, device, y, sample_weight, strength, asked_ad, asked_device):
    """Return what the rate of ad and device predicts for others."""
    X, asked = (
        pd.DataFrame({"ad": _column("ad", ads).array, "device": _column("device", devices).array})
        for ads, devices in [(ad, device), (asked_ad, asked_device)]
    )
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
        compared,
        {
            "x": Numbers([0, 1, 0.5, 2, 1, 0, 0.25, 3]),
            "y": Labels(Y),
            "train": Labels([1, 1, 1, 1, 0, 0, 0, 0]),
            "validate": Labels([0, 0, 0, 0, 1, 1, 0, 0]),
            "test": Labels([0, 0, 0, 0, 0, 0, 1, 1]),
            "budget": Count(2, least=2),
        },
        covers=compare_models,
    ),
    Call(
        paired_difference,
        {
            "losses": Numbers([0.5, 0.75, 0.25, 1]),
            "baseline": Numbers([0.25, 0.75, 0.5, 2]),
            "confidence": Number(0.875, interval="(0, 1)"),
        },
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
        fit_beta_prior,
        {
            "clicks": Numbers([0, 2, 9, 1], interval="[0, inf)"),
            "impressions": Numbers([96, 100, 112, 20], interval="[0, inf)"),
        },
        tolerance=1e-6,
    ),
    Call(
        smoothed,
        {
            "ad": Keys([0, 1, 0, 2, 1, 0, 3, 3], group="ad"),
            "device": Keys([0, 1, 0, 1, 1, 0, 0, 1], group="device"),
            "y": Classes(Y, says="y"),
            "sample_weight": Weights(WEIGHT),
            "strength": Number(4, interval=ABOVE_0, optional=True),
            "asked_ad": Keys([3, 0, 5], group="ad", rows="asked", says="kinds|length|sample"),
            "asked_device": Keys([0, 0, 1], group="device", rows="asked", says="kinds|length|sample"),
        },
        covers=SmoothedCTR,
        order="rows",
        by="asked",
    ),
]
