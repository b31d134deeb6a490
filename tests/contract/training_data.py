"""Joins, delayed clicks, and learners of sparse rows."""

import numpy as np

from snippets.modeling.factorization_machine import FactorizationMachineClassifier, pairwise
from snippets.training_data.delayed_feedback import DelayedFeedbackClassifier, share_seen, undo_fake_negatives
from snippets.training_data.event_joiner import OnlineJoiner, dirty_stream, join_impressions_clicks
from snippets.training_data.ftrl_proximal import FTRLProximal
from tests.contract.calls import Call
from tests.contract.roles import (
    Classes,
    Count,
    Duration,
    Fixed,
    Keys,
    Labels,
    Matrix,
    Number,
    Numbers,
    Table,
    Times,
    Weights,
)

X = [[0, 1], [1, 0], [0.5, -1], [0, 0], [2, 1], [1, 0.25]]
Y = [0, 1, 0, 1, 1, 0]
WEIGHT = [1, 2, 0, 1, 3, 1]


ROWS = {"X": Matrix(X), "y": Classes(Y, says="y |class|label"), "sample_weight": Weights(WEIGHT)}
PENALTY = Number(0.5, interval="[0, inf)")
ABOVE_0 = Number(0.25, interval="(0, inf)")


def in_one_pass(X, y, sample_weight, **parameters):
    """Return the weights after one pass."""
    model = FTRLProximal(**parameters).fit(X, y, sample_weight)
    return np.append(model.coef_, model.intercept_)


def factors(X, y, sample_weight, **parameters):
    """Return the weights and vectors."""
    model = FactorizationMachineClassifier(**parameters, random_state=0).fit(X, y, sample_weight)
    return np.concatenate([model.coef_[0], model.intercept_, model.factors_.ravel()])


def delayed(X, y, time, sample_weight, **parameters):
    """Return the weights of the click and of its delay."""
    model = DelayedFeedbackClassifier(**parameters).fit(X, y, time, sample_weight)
    return np.concatenate([model.coef_[0], model.intercept_, model.delay_coef_[0], model.delay_intercept_])


def dirty(impressions, clicks, lateness, duplicates):
    """Return what a queue delivers of two tables, and of nothing but them."""
    return dirty_stream(
        impressions, clicks, np.random.default_rng(0), lateness=lateness, duplicates=duplicates, gap=(2, 3)
    )[["kind", "timestamp"]]


def streamed(window, lateness, max_pending, stall_after):
    """Return the examples of a short stream."""
    joiner = OnlineJoiner(window, lateness, max_pending, stall_after)
    for request, time in enumerate([0.0, 1.0, 5.0, 9.0]):
        joiner.impression(request, time)
        joiner.click(request, time + 2)
    return [example.click_time for example in joiner.flush()]


IMPRESSIONS = {"request_id": Keys([3, 1, 2, 7], missing="raises"), "timestamp": Times([0, 4, 5, 2])}
CLICKS = {
    "request_id": Keys([1, 3, 9, 3, 1], rows="clicks"),
    "timestamp": Times([9, 2, 1, 1, 3], rows="clicks"),
}

CALLS = [
    Call(
        share_seen,
        {
            "elapsed": Numbers([0, 2, 7.5, 1], interval="[0, inf)"),
            "delays": Numbers([1, 2, 3, 50], interval="[0, inf)", rows="delays"),
        },
        order="rows",
        index=True,
    ),
    Call(undo_fake_negatives, {"y_prob": Numbers([0, 0.25, 0.5, 1], interval="[0, 1]")}, order="rows", index=True),
    Call(
        delayed,
        {
            "X": Matrix(X),
            "y": Labels([0, 1, 0, 1, 1, 0]),
            "time": Numbers([8, 1, 7, 0.5, 2, 9], interval="[0, inf)"),
            "sample_weight": Weights(WEIGHT),
            "C": Number(0.25, interval="(0, inf)"),
            "max_iter": Count(100),
        },
        covers=DelayedFeedbackClassifier,
        tolerance=1e-3,  # L-BFGS stops where the rounding of sums leads it
    ),
    Call(
        join_impressions_clicks,
        {
            "impressions": Table(IMPRESSIONS),
            "clicks": Table(CLICKS, rows="clicks"),
            "window": Duration(5, optional=False),
        },
        order="rows",
        index=True,
        result=lambda joined: joined[["click"]].astype(int).join(joined["click_timestamp"].notna()),
        empty=True,
    ),
    Call(
        dirty,
        {
            "impressions": Table({"request_id": Fixed([1, 2, 3]), "timestamp": Numbers([0, 2, 4])}),
            "clicks": Table({"request_id": Fixed([1, 3]), "timestamp": Numbers([1, 6], rows="clicks")}, rows="clicks"),
            "lateness": Number(2, interval="[0, inf)"),
            "duplicates": Number(0.5, interval="[0, 1]"),
        },
        covers=dirty_stream,
        order="matters",
        empty=True,
    ),
    Call(
        streamed,
        {
            "window": Number(2, interval="[0, inf)"),
            "lateness": Number(1, interval="[0, inf)"),
            "max_pending": Count(4),
            "stall_after": Number(1, interval="(0, 2]", optional=True),
        },
        covers=OnlineJoiner,
    ),
    Call(
        in_one_pass,
        ROWS | {"alpha": ABOVE_0, "beta": PENALTY, "l1": PENALTY, "l2": PENALTY, "batch_size": Count(2)},
        covers=FTRLProximal,
        order="matters",
    ),
    Call(
        factors,
        ROWS
        | {"n_factors": Count(2, least=0), "n_epochs": Count(2), "batch_size": Count(2)}
        | {"learning_rate": ABOVE_0, "init_scale": ABOVE_0, "l2_linear": PENALTY, "l2_factors": PENALTY},
        covers=FactorizationMachineClassifier,
        order="matters",
    ),
    Call(
        pairwise,
        {"X": Matrix(X), "factors": Matrix([[1, 0.5], [0, 2]], rows="features")},
        order="rows",
    ),
]
