"""The metrics of predictions, rankings and policies, and what watches them."""

import numpy as np

from snippets.evaluation.broken_pipeline import run_pipeline, smoothed_rate
from snippets.evaluation.calibration import (
    calibration_noise_floor,
    calibration_ratio,
    expected_calibration_error,
    reliability_curve,
)
from snippets.evaluation.drift import (
    classifier_two_sample_test,
    population_stability_index,
    psi_bins,
    psi_threshold,
)
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.off_policy import doubly_robust, ips, snips, weight_report
from snippets.evaluation.progressive_split import ProgressiveSplit
from snippets.evaluation.ranking_metrics import group_auc, mean_reciprocal_rank, ndcg_at_k, precision_at_k, recall_at_k
from tests.contract.calls import Call
from tests.contract.roles import Count, Fixed, Labels, Matrix, Number, Numbers, Table, Units, Weights, Whole

Y = [0, 1, 0, 1, 1, 0]
P = [0.25, 0.5, 0.125, 0.75, 0.625, 0.0]
WEIGHT = [1, 2, 0, 1, 3, 1]
PREDICTIONS = {"y_true": Labels(Y), "y_prob": Numbers(P, interval="[0, 1]")}
SCORE = Numbers([0.5, 0.25, 0.25, -1.0, 0.0, 2.0], interval="[-inf, inf]")
LISTS = {"y_score": SCORE, "groups": Units([0, 0, 1, 1, 1, 0])}
LOGGED = {
    "logging_propensity": Numbers([0.5, 0.25, 0.25, 0.125, 1.0, 0.5], interval="(0, 1]"),
    "target_probability": Numbers([0.25, 0.5, 0.75, 0.0, 1.0, 0.125], interval="[0, 1]"),
}
REWARD = {"reward": Numbers([1.0, 0.0, -2.0, 3.0, 1.0, 0.0])}
CLIP = {"clip": Number(1.5, interval="(0, inf)", optional=True)}
SAMPLES = {
    "expected": Numbers([0, 0, 1, 2, 3, 4, 5, 0], rows="expected"),
    "actual": Numbers([0, 1, 1, 2, 7], rows="actual"),
}
N = np.arange(48)
ROWS = {
    "day": Whole(N // 4),
    "click": Labels(N % 3 == 0),
    "ad_id": Units(N * N % 5),
    "ad_clicks": Whole(3 * N % 7, least=0),
    # These go the same way as those, and each change of a column fits a model.
    "position": Fixed(N % 4),
    "category": Fixed(N // 2 % 3),
    "device": Fixed(N // 3 % 2),
    "hour": Fixed(N % 24),
    "ad_impressions": Fixed(5 * N % 64),
    "user_clicks": Fixed(N % 3),
    "user_impressions": Fixed(7 * N % 64),
}


def folds(groups, n_test_days, min_train_days, gap_days, max_train_days):
    """Return for each row, in each fold, 1 if it is trained on and 2 if it is tested."""
    splitter = ProgressiveSplit(n_test_days, min_train_days, gap_days, max_train_days)
    out = np.zeros((len(groups), splitter.get_n_splits(groups=groups)))
    for fold, (train, test) in enumerate(splitter.split(groups, groups=groups)):
        out[train, fold], out[test, fold] = 1, 2
    return out


CALLS = [
    Call(normalized_entropy, PREDICTIONS),
    Call(
        normalized_entropy,
        {
            **PREDICTIONS,
            "sample_weight": Weights(WEIGHT),
            "background_rate": Number(0.25, interval="(0, 1)", optional=True),
        },
    ),
    Call(calibration_ratio, PREDICTIONS),
    Call(reliability_curve, {**PREDICTIONS, "n_bins": Count(4), "strategy": Fixed("quantile")}),
    Call(reliability_curve, {**PREDICTIONS, "n_bins": Count(4), "strategy": Fixed("uniform")}),
    Call(expected_calibration_error, {**PREDICTIONS, "n_bins": Count(4)}),
    Call(calibration_noise_floor, {"y_prob": PREDICTIONS["y_prob"], "n_bins": Count(4)}),
    Call(population_stability_index, {**SAMPLES, "n_bins": Count(3, least=2)}),
    Call(psi_bins, {**SAMPLES, "n_bins": Count(3, least=2)}),
    Call(
        psi_threshold,
        {
            "n_expected": Count(100),
            "n_actual": Count(50),
            "n_bins": Count(4, least=2),
            "false_alarm_rate": Number(0.125, interval="(0, 1)"),
        },
    ),
    Call(
        classifier_two_sample_test,
        {
            "expected": Matrix(np.c_[N % 5, N % 3] / 4, rows="expected", missing=True),
            "actual": Matrix(np.c_[N % 5, N % 4][:30] / 4, rows="actual", missing=True),
            "seed": Count(1, least=0),
        },
        order="matters",
    ),
    Call(ips, REWARD | LOGGED),
    Call(ips, REWARD | LOGGED | CLIP),
    Call(snips, REWARD | LOGGED | CLIP),
    Call(
        doubly_robust,
        {
            **REWARD,
            **LOGGED,
            "predicted_logged": Numbers([1, 0, 0, 2, 1, 0]),
            "predicted_target": Numbers([0.5, 0, 0.25, 2, 1, 0]),
            **CLIP,
        },
    ),
    Call(weight_report, LOGGED),
    Call(
        folds,
        {
            "groups": Whole([3, 4, 5, 5, 4, 6, 7]),
            "n_test_days": Count(1),
            "min_train_days": Count(2),
            "gap_days": Count(1, least=0),
            "max_train_days": Count(2, optional=True),
        },
        covers=ProgressiveSplit,
        order="rows",
    ),
    Call(ndcg_at_k, {"y_true": Numbers([0, 1, 3, 0.5, 0, 2], interval="[0, inf)"), **LISTS, "k": Count(2)}),
    Call(precision_at_k, {"y_true": Labels(Y), **LISTS, "k": Count(2)}),
    Call(recall_at_k, {"y_true": Labels(Y), **LISTS, "k": Count(2)}),
    Call(mean_reciprocal_rank, {"y_true": Labels(Y), **LISTS}),
    Call(group_auc, {"y_true": Labels(Y), **LISTS}),
    Call(
        run_pipeline,
        {"log": Table(ROWS), "fault": Fixed("stale feature")},
        result=lambda parts: [part[["ad_rate", "user_rate", "p"]] for part in parts],
        order="matters",
        tolerance=1e-4,  # the solver stops there: the columns of other categories stand in another order
    ),
    Call(
        smoothed_rate,
        {
            "clicks": Numbers([0, 1, 2, 0, 7], interval="[0, inf)"),
            "impressions": Numbers([0, 10, 33, 4, 70], interval="[0, inf)"),
        },
        order="rows",
        index=True,
        empty=True,
    ),
]
