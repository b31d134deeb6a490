"""Experiments and intervals: tests, bootstraps, gates, slices, interleaving."""

from sklearn.metrics import log_loss

from snippets.evaluation.ab_test import (
    always_valid_interval,
    cuped,
    delta_method_ratio,
    sample_ratio_mismatch,
    sample_size_per_arm,
    two_proportion_test,
)
from snippets.evaluation.confidence_intervals import delong_interval, ne_difference_interval, paired_bootstrap
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.interleaving import interleaving_test, team_draft
from snippets.evaluation.slice_report import slice_report
from tests.contract.calls import Call
from tests.contract.roles import Count, Fixed, Keys, Labels, Matrix, Number, Numbers, Table, Units, Whole

Y = [0, 1, 0, 1, 1, 0, 0, 1]
A = [0.25, 0.5, 0.125, 0.75, 0.625, 0.375, 0.25, 0.5]
B = [0.125, 0.625, 0.25, 0.875, 0.5, 0.25, 0.375, 0.75]
USERS = [0, 0, 1, 1, 2, 2, 3, 3]
SLICES = {"device": Keys([0, 1, 2, 0, 1, 2, 0, 1], group="device", missing="own")}
LEVEL = Number(0.75, interval="(0, 1)")
OPEN = "(0, 1)"
CLOSED = "[0, 1]"


def without_names(report):
    """Return what a report says of its slices, sorted by that, since their names change with the ids."""
    numbers = report.drop(columns="slice").round(9)
    return numbers.sort_values(numbers.columns.tolist(), ignore_index=True)


def checks(gate):
    """Return what a gate says of its checks, slices sorted by what is said, since names change with the ids."""
    numbers = gate.checks.drop(columns="check").round(9)
    kind = gate.checks["check"].str.split(",").str[0]
    return gate.passed, numbers.assign(kind=kind).sort_values(["kind", "estimate", "low"], ignore_index=True)


PAIR = {"y_true": Labels(Y), "prob_a": Numbers(A, interval=CLOSED), "prob_b": Numbers(B, interval=CLOSED)}
ANY_PAIR = {"y_true": Labels(Y), "prob_a": Numbers(A), "prob_b": Numbers(B)}
GATE = {
    "y_true": Labels(Y),
    "prob_current": Numbers(A, interval=OPEN),
    "prob_candidate": Numbers(B, interval=OPEN),
    "users": Units(USERS),
    "slices": Table(SLICES),
}
REPORT = {"slices": Table(SLICES), "y_true": Labels(Y), "y_prob": Numbers(A, interval=CLOSED)}
TWO_COLUMNS = {"device": SLICES["device"], "hour": Keys([3, 3, 4, 4, 4, 5, 5, 5], group="hour", missing="own")}

CALLS = [
    Call(
        sample_size_per_arm,
        {
            "base_rate": Number(0.25, interval=OPEN),
            "relative_lift": Number(0.5),
            "alpha": Number(0.0625, interval=OPEN),
            "power": Number(0.75, interval="(0.0625, 1)"),
        },
    ),
    Call(
        two_proportion_test,
        {
            "clicks_a": Count(4, least=0, most=100),
            "n_a": Count(100),
            "clicks_b": Count(9, least=0, most=120),
            "n_b": Count(120),
            "confidence_level": LEVEL,
        },
    ),
    Call(
        sample_ratio_mismatch,
        {"counts": Whole([50, 70, 60], least=0), "expected_shares": Numbers([0.25, 0.5, 0.25], interval=OPEN)},
    ),
    Call(
        delta_method_ratio,
        {"numerator": Numbers([1, 0, 3, 2]), "denominator": Numbers([10, 5, 15, 0], interval="[0, inf)")},
    ),
    Call(
        cuped,
        {"y": Numbers([3, 5, 9, 7]), "covariate": Numbers([1, 2, 4, 3.5])},
        order="rows",
        index=True,
        result=lambda adjusted: adjusted.values,
    ),
    Call(
        always_valid_interval,
        {
            "difference": Number(0.5),
            "standard_error": Number(0.25, interval="(0, inf)"),
            "effect_scale": Number(0.75, interval="(0, inf)"),
            "alpha": Number(0.0625, interval=OPEN),
        },
    ),
    Call(ne_difference_interval, PAIR),
    Call(ne_difference_interval, {**PAIR, "users": Units(USERS), "confidence_level": LEVEL}),
    Call(
        delong_interval,
        {
            "y_true": Labels(Y),
            "score_a": Numbers(A, interval="[-inf, inf]"),
            "score_b": Numbers(B, interval="[-inf, inf]"),
            "confidence_level": LEVEL,
        },
    ),
    Call(
        paired_bootstrap,
        {
            "metric": Fixed(log_loss),
            **ANY_PAIR,
            "users": Units(USERS),
            "n_resamples": Count(20),
            "confidence_level": LEVEL,
            "seed": Fixed(0),
        },
    ),
    Call(
        deployment_gate,
        {
            **GATE,
            "max_ne_loss": Number(0.5, interval="[0, inf]"),
            "calibration_limit": Number(1.25, interval="(1, inf]"),
            "slice_limit": Number(1.5, interval="(1, inf]"),
            "shift_limit": Number(2.0, interval="(1, inf]"),
            "confidence_level": LEVEL,
        },
        result=checks,
    ),
    Call(slice_report, {**REPORT, "confidence_level": LEVEL}, result=without_names),
    Call(
        slice_report,
        {**REPORT, "slices": Table(TWO_COLUMNS), "depth": Count(2, most=2), "users": Units(USERS)},
        result=without_names,
    ),
    Call(
        team_draft,
        {
            "ranking_a": Matrix([[1, 2, 3], [4, 2, 1]], whole=True, says="ranking_a"),
            "ranking_b": Matrix([[2, 4, 1], [1, 4, 3]], whole=True, says="ranking_b"),
            "length": Count(2, most=3),
            "seed": Fixed(1),
        },
        order="matters",
    ),
    Call(
        interleaving_test,
        {
            "clicks": Matrix([[0, 1, 1], [1, 0, 0], [1, 0, 0]], interval=CLOSED),
            "team": Matrix([[0, 1, 1], [1, 0, 0], [0, 1, 0]], interval=CLOSED),
            "users": Units([0, 1, 0]),
        },
    ),
]
