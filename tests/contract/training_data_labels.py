"""Training data: which rows, which features, and what positions do to labels."""

import numpy as np

from snippets.training_data.feedback_loop import effective_items, simulate_feedback_loop
from snippets.training_data.negative_downsampling import downsample_negatives, recalibrate
from snippets.training_data.online_offline_consistency import consistency_report, sample_by_key
from snippets.training_data.position_bias import (
    examination_from_random_positions,
    examination_from_swaps,
    labels_as_if_seen,
)
from tests.contract.calls import Call
from tests.contract.features import Texts, Written
from tests.contract.roles import Bad, Count, Fixed, Keys, Labels, Matrix, Number, Numbers, Table, Whole

CLICK = [1, 0, 1, 1, 0, 1, 0, 0]
POSITION = [1, 2, 1, 3, 2, 1, 3, 1]


class AnyShape(Numbers):
    """Numbers of any shape."""

    def bad(self) -> Bad:
        yield from (bad for bad in super().bad() if bad[0] != "one column")


def downsample(y, rate):
    """Draw from a generator in the same state in each call."""
    return downsample_negatives(y, rate, np.random.default_rng(0))


def loop(rates, exploration, users, slots, prior):
    """Draw from a generator in the same state in each call."""
    return simulate_feedback_loop(rates, exploration, np.random.default_rng(0), users=users, slots=slots, prior=prior)


CALLS = [
    Call(
        consistency_report,
        {
            "online": Table(
                {
                    "id": Keys([1, 2, 3, 5], missing="raises"),
                    "x": Numbers([1, 2.5, 3, 4], missing=True, says="numbers|finite"),
                    "c": Texts(list("abca")),
                },
                rows="online",
            ),
            "offline": Table(
                {
                    "id": Keys([3, 2, 7], missing="raises"),
                    "x": Numbers([3, 2, 1], missing=True, says="numbers|finite"),
                    "c": Texts(list("cbb")),
                },
                rows="offline",
            ),
            "keys": Fixed(["id"]),
            "numeric_tolerance": Number(0.25, interval="[0, inf)"),
        },
        empty=True,
    ),
    Call(
        sample_by_key,
        {"key": Written([1, 2, 1, 7, 9]), "rate": Number(0.5, interval="[0, 1]"), "salt": Fixed("0123456789abcdef")},
        order="rows",
        index=True,
        empty=True,
    ),
    Call(
        downsample,
        {"y": Labels(CLICK), "rate": Number(0.5, interval="(0, 1]")},
        covers=downsample_negatives,
        order="matters",
        index=True,
    ),
    Call(
        recalibrate,
        {"y_prob": AnyShape([0.25, 0.5, 1, 0.125], interval="[0, 1]"), "rate": Number(0.5, interval="(0, 1]")},
        order="rows",
        index=True,
        empty=True,
    ),
    Call(examination_from_random_positions, {"click": Labels(CLICK), "position": Whole(POSITION, least=1)}),
    Call(
        examination_from_swaps,
        {
            "click": Labels(CLICK),
            "position": Whole(POSITION, least=1),
            "swap": Whole([2, 2, 2, 3, 0, 3, 3, 2]),
        },
    ),
    Call(
        labels_as_if_seen,
        {
            "click": Labels(CLICK),
            "propensity": Numbers([1, 0.5, 0.25, 1, 0.5, 0.125, 1, 1], interval="(0, 1]"),
            "clip": Number(0.25, interval="[0, 1]"),
        },
        order="rows",
        index=True,
    ),
    Call(effective_items, {"impressions": Numbers([1, 0, 5, 2], interval="[0, inf)")}),
    Call(
        loop,
        {
            "rates": Matrix([[0.5, 0.25, 0], [0.125, 0.5, 0.75]], interval="[0, 1]", rows=None),
            "exploration": Numbers([0, 0.5, 1], interval="[0, 1]", rows=None),
            "users": Count(5),
            "slots": Count(2, most=3),
            "prior": Numbers([1, 30], interval="(0, inf)", rows=None),
        },
        covers=simulate_feedback_loop,
    ),
]
