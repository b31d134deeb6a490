import tracemalloc

import numpy as np
import pandas as pd
import pytest

from snippets.evaluation.ab_test import delta_method_ratio
from snippets.evaluation.confidence_intervals import ne_difference_interval
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.slice_report import slice_report

RNG = np.random.default_rng(12)
N = 60_000
P = RNG.beta(1, 20, N)
Y = (RNG.random(N) < P).astype(np.int8)
USERS = RNG.integers(0, 8_000, N)
SLICES = pd.DataFrame(
    {
        "device": pd.Categorical(
            RNG.choice(["phone", "tablet"], N, p=[0.8, 0.2]), categories=["desktop", "phone", "tablet"]
        ),
        "country": np.where(RNG.random(N) < 0.1, None, RNG.choice(["fr", "jp"], N)),
    }
)
NOISY = 1 / (1 + np.exp(-(np.log(P / (1 - P)) + RNG.normal(0, 0.1, N))))


def failed(gate):
    return gate.checks.loc[~gate.checks["passed"], "check"].tolist()


def test_an_equal_model_passes():
    gate = deployment_gate(Y, P, P, USERS, SLICES)
    assert gate.passed
    assert failed(gate) == []
    assert len(gate.checks) == 2 + 2 * (2 + 3)
    assert gate.checks["check"].tolist()[-2:] == ["calibration, country=missing", "shift, country=missing"]


@pytest.mark.parametrize("current", [NOISY, np.full(N, 0.6)])
def test_entropy_against_the_other_snippet(current):
    checks = deployment_gate(Y, current, P, USERS, SLICES).checks.set_index("check")
    expected = ne_difference_interval(Y, current, P, USERS)
    row = checks.loc["normalized entropy, change"]
    assert row["estimate"] == pytest.approx(expected.estimate, rel=1e-9)
    assert row["high"] - row["low"] == pytest.approx(expected.high - expected.low, rel=1e-3)  # normal against t


def test_calibration_against_the_other_snippet():
    checks = deployment_gate(Y, NOISY, P, USERS, SLICES).checks.set_index("check")
    by_user = pd.DataFrame({"p": P, "y": Y}).groupby(USERS).sum()
    expected = delta_method_ratio(by_user["p"], by_user["y"])
    row = checks.loc["calibration"]
    assert row["estimate"] == pytest.approx(expected.estimate, rel=1e-9)
    assert np.log(row["high"] / row["estimate"]) == pytest.approx(
        1.959964 * expected.standard_error / expected.estimate, rel=1e-3
    )


def test_slices_against_the_slice_report():
    checks = deployment_gate(Y, NOISY, P, USERS, SLICES, confidence_level=0.9).checks.set_index("check")
    report = slice_report(SLICES, Y, P, confidence_level=1 - 0.1 / 5, users=USERS).set_index("slice")
    for name, row in report.iterrows():
        ours = checks.loc[f"calibration, {name}"]
        np.testing.assert_allclose(
            ours[["estimate", "low", "high"]].astype(float), row[["ratio", "low", "high"]].astype(float)
        )
    phone = SLICES["device"] == "phone"
    np.testing.assert_allclose(checks["allowed_low"][1:] * checks["allowed_high"][1:], 1)
    assert checks.loc["shift, device=phone", "estimate"] == pytest.approx(P[phone].sum() / NOISY[phone].sum())


def test_a_worse_model_fails_by_entropy_alone():
    worse = np.full(N, P.mean())
    assert failed(deployment_gate(Y, P, worse, USERS, SLICES)) == ["normalized entropy, change"]
    assert deployment_gate(Y, P, worse, USERS, SLICES, max_ne_loss=0.5).passed


def test_too_few_rows_to_tell_is_no_pass():
    few = slice(0, 1500)
    assert failed(deployment_gate(Y[few], NOISY[few], P[few], USERS[few], SLICES[few])) != []


def test_a_model_that_promises_too_much_fails():
    gate = deployment_gate(Y, P, np.minimum(P * 1.2, 0.999), USERS, SLICES, max_ne_loss=1)
    assert failed(gate) == ["calibration"]
    assert deployment_gate(Y, P, np.minimum(P * 1.2, 0.999), USERS, SLICES, max_ne_loss=1, calibration_limit=1.3).passed


def test_a_bad_slice_fails_though_the_total_is_right():
    tablet = SLICES["device"] == "tablet"
    tilted = np.where(tablet, P / 1.8, P * (1 + 0.8 / 1.8 * P[tablet].sum() / P[~tablet].sum()))
    gate = deployment_gate(Y, P, np.minimum(tilted, 0.999), USERS, SLICES, max_ne_loss=1)
    assert failed(gate) == ["calibration, device=tablet"]


def test_broken_labels_cannot_confirm_a_model_trained_on_them():
    tablet = (SLICES["device"] == "tablet").to_numpy()
    lost = np.where(tablet, 0, Y)
    learned = np.where(tablet, 1e-4, P)
    gate = deployment_gate(lost, P, learned, USERS, SLICES)
    assert gate.checks["estimate"].iloc[0] < 0
    assert failed(gate) == ["shift, device=tablet"]


def test_a_slice_without_clicks_fails_only_if_many_were_promised():
    lost = np.where(SLICES["device"] == "tablet", 0, Y)
    gate = deployment_gate(lost, P, P, USERS, SLICES, calibration_limit=1.5)
    assert failed(gate) == ["calibration, device=tablet"]
    rare = pd.DataFrame({"x": np.arange(N) < 20})
    few = deployment_gate(np.where(rare["x"], 0, Y), P, P, USERS, rare).checks.set_index("check")
    assert few.loc["calibration, x=True", "estimate"] == np.inf
    assert few.loc["calibration, x=True", "passed"]


def test_a_slice_of_few_heavy_users_is_not_blamed_for_them():
    # Tastes that no feature knows: the model is right on average, and its slices of users are off by chance.
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(400), 100)
    p = rng.beta(1, 20, len(users))
    y = rng.random(len(users)) < np.minimum(p * rng.gamma(0.5, 2, 400)[users], 1)
    bucket = pd.DataFrame({"bucket": users % 40})
    by_user, by_row = (
        deployment_gate(y, p, p, units, bucket, slice_limit=1.001).checks.set_index("check")
        for units in (users, np.arange(len(users)))
    )
    slices = by_row.index.str.startswith("calibration, ")
    assert (~by_row["passed"][slices]).sum() > 5
    assert by_user["passed"][slices].all()


def test_a_total_of_few_users_covers():
    # Exactly right, over and over: Student's t for the spread of five users. The error of 200 draws is 1.5 %.
    rng = np.random.default_rng(1)
    users, nothing = np.repeat(np.arange(5), 200), pd.DataFrame(index=range(1000))
    covered = 0
    for _ in range(200):
        p = rng.uniform(0.05, 0.3, len(users))
        low, high = deployment_gate(rng.random(len(users)) < p, p, p, users, nothing).checks.loc[1, ["low", "high"]]
        covered += low <= 1 <= high
    assert 0.905 < covered / 200 < 0.995


def test_slices_stand_in_the_order_of_their_values_with_missing_ones_last():
    frame = pd.DataFrame(
        {"hour": np.where(np.arange(N) % 30 > 11, np.nan, np.arange(N) % 30), "new": pd.Categorical(USERS % 2 == 0)}
    )
    names = deployment_gate(Y, P, P, USERS, frame).checks["check"].str.removeprefix("calibration, ").tolist()[2::2]
    assert names == [*(f"hour={h}" for h in range(12)), "hour=missing", "new=False", "new=True"]


def test_limits_unless_asked_for_others():
    limits = {"max_ne_loss": 0.002, "calibration_limit": 1.1, "slice_limit": 1.5, "shift_limit": 2.0}
    spelled_out = deployment_gate(Y, P, NOISY, USERS, SLICES, **limits, confidence_level=0.95)
    pd.testing.assert_frame_equal(deployment_gate(Y, P, NOISY, USERS, SLICES).checks, spelled_out.checks)
    assert deployment_gate(Y, P, P, USERS, SLICES, max_ne_loss=0).passed


def test_it_works_without_slices():
    gate = deployment_gate(Y, P, P, USERS, SLICES[[]])
    assert gate.passed
    assert len(gate.checks) == 2


@pytest.mark.parametrize(
    ("arguments", "limits", "message"),
    [
        ((Y, P, P, USERS, None), {}, "slices must be a table .* got NoneType"),
        ((Y[1:], P, P, USERS, SLICES), {}, "y_true has 59999 rows, slices has 60000"),
        ((Y, P, P[1:], USERS, SLICES), {}, "prob_candidate has 59999 rows, slices has 60000"),
        ((Y, P, P, USERS[1:], SLICES), {}, "users has 59999 rows, slices has 60000"),
        ((Y + 1, P, P, USERS, SLICES), {}, "y_true must be 0 or 1, got 2 at row"),
        ((Y, P - 1, P, USERS, SLICES), {}, r"prob_current must be in \(0, 1\), got -0.\d+ at row 0"),
        ((Y, P, P * 0, USERS, SLICES), {}, r"prob_candidate must be in \(0, 1\), got 0 at row 0"),
        ((Y, P, np.where(P > 0.2, 1, P), USERS, SLICES), {}, r"prob_candidate must be in \(0, 1\), got 1 at row \d+"),
        ((Y, P, P, USERS, SLICES), {"confidence_level": 0}, r"confidence_level must be in \(0, 1\), got 0"),
        ((["a"], [0.1], [0.1], [1], SLICES[:1]), {}, "y_true must hold numbers"),
        ((Y * 0, P, P, USERS, SLICES), {}, "y_true needs rows of both classes"),
        (([], [], [], [], SLICES[:0]), {}, "slices is empty"),
        ((Y, P, P, USERS, SLICES), {"max_ne_loss": -0.1}, "max_ne_loss must be at least 0, got -0.1"),
        ((Y, P, P, USERS, SLICES), {"confidence_level": 1}, r"confidence_level must be in \(0, 1\), got 1"),
        ((Y, P, P, USERS, SLICES), {"calibration_limit": 1}, "calibration_limit must be above 1, got 1"),
        ((Y, P, P, USERS, SLICES), {"shift_limit": 1}, "shift_limit must be above 1, got 1"),
        ((Y, P, P, USERS, SLICES), {"slice_limit": 1}, "slice_limit must be above 1, got 1"),
        (
            (Y, P, P, np.where(USERS == 3, np.nan, USERS), SLICES),
            {},
            r"users is missing at row \d+: leave such rows out",
        ),
        ((Y, P, P, np.full(N, None), SLICES), {}, "users is missing at row 0: leave such rows out"),
        ((Y, P, P, np.zeros(N), SLICES), {}, "users holds one user only"),
        ((Y, P, P, USERS, SLICES.assign(x=P)), {}, "column 'x' of slices holds fractions"),
        ((Y, P, P, USERS, SLICES[["device", "device"]]), {}, "slices has the column 'device' twice"),
        ((Y, P, P, USERS, SLICES), {"confidence_level": 95}, r"confidence_level must be in \(0, 1\), got 95"),
    ],
)
def test_bad_input_is_named(arguments, limits, message):
    with pytest.raises(ValueError, match=message):
        deployment_gate(*arguments, **limits)


def test_tiny_predictions_and_long_or_nested_slice_values():
    y, p = np.arange(400) % 5 == 0, np.full(400, 0.2)
    slices = pd.DataFrame({"place": [(1, 2), (3, 4)] * 200})
    gate = deployment_gate(y, p, np.full(400, 5e-324), np.arange(400), slices)
    assert not gate.passed
    assert gate.checks["low"].notna().all()
    assert gate.checks["check"].iloc[2] == "calibration, place=(1, 2)"
    slices = pd.DataFrame({"place": [*map(str, range(399)), "x" * 1_000_000]})
    tracemalloc.start()
    deployment_gate(y, p, p, np.arange(400), slices)
    assert tracemalloc.get_traced_memory()[1] < 50e6  # as texts of one length: 1.6 GB
    tracemalloc.stop()
