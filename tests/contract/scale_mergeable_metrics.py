"""The metrics that merge: each call updates two parts, merges them and returns the result."""

from snippets.scale.mergeable_metrics import (
    Calibration,
    HistogramAUC,
    NormalizedEntropy,
    RatioOfTotals,
    StabilityIndex,
)
from tests.contract.calls import Call
from tests.contract.roles import Fixed, Labels, Numbers, Weights

Y = [0, 1, 0, 1, 1, 0]
P = [0.25, 0.5, 0.125, 0.75, 0.625, 0.0]
PREDICTIONS = {"y_true": Labels(Y), "y_prob": Numbers(P, interval="[0, 1]")}
EDGES = Numbers([0.125, 0.5], rows="edges")


def entropy(y_true, y_prob, sample_weight=None):
    """Return the normalized entropy of a part that is merged with one without rows."""
    part = NormalizedEntropy().update(y_true, y_prob, sample_weight)
    return part.merge(NormalizedEntropy()).result()


def calibration(y_true, y_prob, edges):
    """Return ratio and bins of a part that is merged with itself."""
    part = Calibration(edges).update(y_true, y_prob)
    return part.merge(part).result(), *part.bins()


def stability(values, sample, edges):
    """Return the stability index of a sample against another one."""
    return StabilityIndex(edges).update([0.25, 1, 2], "expected").update(values, sample).result()


def ratio(numerator, denominator):
    """Return a ratio of totals."""
    return RatioOfTotals().update(numerator, denominator).result()


def area(y_true, y_score, edges):
    """Return an AUC and its bounds."""
    return HistogramAUC(edges).update(y_true, y_score).result()


CALLS = [
    Call(entropy, PREDICTIONS, covers=NormalizedEntropy),
    Call(
        entropy,
        {
            **PREDICTIONS,
            "sample_weight": Weights([1, 2, 0, 1, 3, 1]),
        },
        covers=NormalizedEntropy,
    ),
    Call(calibration, {**PREDICTIONS, "edges": EDGES}, covers=Calibration),
    Call(
        stability,
        {"values": Numbers([0, 1, 0.5, 7]), "sample": Fixed("actual"), "edges": EDGES},
        covers=StabilityIndex,
    ),
    Call(
        ratio,
        {"numerator": Numbers([1, 0, -3, 2]), "denominator": Numbers([4, 0, 1, 5], interval="[0, inf)")},
        covers=RatioOfTotals,
    ),
    Call(
        area,
        {
            "y_true": Labels(Y),
            "y_score": Numbers([0.5, 0.25, 0.25, -1.0, 0.0, 2.0], interval="[-inf, inf]"),
            "edges": EDGES,
        },
        covers=HistogramAUC,
    ),
]
