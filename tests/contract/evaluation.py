"""The metrics of a click model."""

from snippets.evaluation.normalized_entropy import normalized_entropy
from tests.contract.calls import Call
from tests.contract.roles import Labels, Number, Numbers, Weights

Y = [0, 1, 0, 1, 1, 0]
P = [0.25, 0.5, 0.125, 0.75, 0.625, 0.0]
WEIGHT = [1, 2, 0, 1, 3, 1]

CALLS = [
    Call(normalized_entropy, {"y_true": Labels(Y), "y_prob": Numbers(P, interval="[0, 1]")}),
    Call(
        normalized_entropy,
        {
            "y_true": Labels(Y),
            "y_prob": Numbers(P, interval="[0, 1]"),
            "sample_weight": Weights(WEIGHT),
            "background_rate": Number(0.25, interval="(0, 1)", optional=True),
        },
    ),
]
