import tracemalloc
import uuid

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import confint_poisson

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.slice_report import slice_report

RNG = np.random.default_rng(6)
N = 20_000
FRAME = pd.DataFrame(
    {
        "device": pd.Categorical(RNG.choice(["phone", "tablet"], N), categories=["desktop", "phone", "tablet"]),
        "hour": RNG.integers(0, 24, N),
        "new": RNG.random(N) < 0.3,
        "country": np.where(RNG.random(N) < 0.1, None, RNG.choice(["fr", "jp", "us"], N)),
    }
)
P = RNG.beta(1, 20, N)
Y = (RNG.random(N) < P).astype(np.int8)


def test_sums_against_pandas():
    report = slice_report(FRAME, Y, P, depth=2).set_index("slice")
    assert len(report) == 2 + 24 + 2 + 4 + 2 * 24 + 2 * 2 + 2 * 4 + 24 * 2 + 24 * 4 + 2 * 4
    table = pd.DataFrame({"y": Y, "p": P}).groupby([FRAME["hour"], FRAME["country"].fillna("missing")]).sum()
    for (hour, country), row in table.iterrows():
        ours = report.loc[f"hour={hour} & country={country}"]
        assert ours["clicks"] == row["y"]
        assert ours["expected"] == pytest.approx(row["p"], rel=1e-9)
        assert ours["ratio"] == pytest.approx(row["p"] / row["y"] if row["y"] else np.inf, rel=1e-9)
    assert report.loc["new=True", "rows"] == FRAME["new"].sum()
    assert report.loc["device=phone & new=False", "rows"] == ((FRAME["device"] == "phone") & ~FRAME["new"]).sum()


def test_intervals_and_corrections_against_statsmodels():
    report = slice_report(FRAME, Y, P, depth=2, confidence_level=0.9)
    assert (report["clicks"] > 0).all()
    low, high = confint_poisson(report["clicks"].to_numpy(), 1, method="exact-c", alpha=0.1)
    np.testing.assert_allclose(report["low"], report["expected"] / high, rtol=1e-9)
    np.testing.assert_allclose(report["high"], report["expected"] / low, rtol=1e-9)
    np.testing.assert_allclose(report["p_adjusted"], multipletests(report["p_value"], method="holm")[1], rtol=1e-9)
    assert report["p_value"].is_monotonic_increasing


def test_by_hand():
    # 3 clicks where 1 is expected: P(X >= 3) = 1 - 2.5 / e = 0.0803. 0 where 2 are: exp(-2) = 0.1353.
    frame = pd.DataFrame({"x": [1] * 10 + [2] * 10})
    report = slice_report(frame, [1] * 3 + [0] * 17, [0.1] * 10 + [0.2] * 10)
    assert report["slice"].tolist() == ["x=1", "x=2"]
    np.testing.assert_allclose(report["p_value"], [2 * (1 - 2.5 / np.e), 2 * np.exp(-2)], rtol=1e-9)
    np.testing.assert_allclose(report["p_adjusted"], [2 * 2 * (1 - 2.5 / np.e), 4 * (1 - 2.5 / np.e)], rtol=1e-9)
    np.testing.assert_allclose(report["ratio"], [1 / 3, np.inf])
    assert report["high"].iloc[1] == np.inf
    assert report["low"].iloc[1] == pytest.approx(2 / -np.log(0.025), rel=1e-9)


def test_labels_of_every_type_are_the_same_labels():
    report = slice_report(FRAME, Y, P)
    for kind in (float, bool):
        pd.testing.assert_frame_equal(slice_report(FRAME, Y.astype(kind), P), report)


def test_single_columns_at_95_percent_unless_asked_for_others():
    pd.testing.assert_frame_equal(slice_report(FRAME, Y, P), slice_report(FRAME, Y, P, 1, 0.95))


def test_nothing_expected_and_nothing_clicked_is_right():
    report = slice_report(pd.DataFrame({"x": ["a", "a"]}), [0, 0], [0.0, 0.0])
    assert report[["ratio", "p_value", "p_adjusted"]].to_numpy().tolist() == [[1, 1, 1]]


def test_a_planted_slice_comes_first():
    bad = (FRAME["device"] == "phone") & (FRAME["hour"] == 7)
    report = slice_report(FRAME, Y, np.where(bad, P * 0.3, P), depth=2)
    assert report["slice"].iloc[0] == "device=phone & hour=7"
    assert report["p_adjusted"].iloc[0] < 0.01
    assert report["high"].iloc[0] < 1


def test_a_right_model_is_rarely_accused():
    accused = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        p = rng.beta(1, 20, 2000)
        frame = pd.DataFrame(rng.integers(0, 10, (2000, 3)), columns=list("abc"))
        accused += slice_report(frame, rng.random(2000) < p, p)["p_adjusted"].iloc[0] < 0.05
    # At most 5 % by Holm, with a Monte Carlo error of 1.5 %; exact tails are a little cautious.
    assert stats.binomtest(accused, 200, 0.05, alternative="greater").pvalue > 0.01


def test_users_that_come_once_change_nothing():
    pd.testing.assert_frame_equal(slice_report(FRAME, Y, P, 2, users=np.arange(N)), slice_report(FRAME, Y, P, 2))


def test_users_against_the_definition():
    rng = np.random.default_rng(1)
    users = rng.integers(0, 300, N)
    taste = rng.gamma(1, 1, 300)[users]
    y = rng.random(N) < np.minimum(P * taste, 1)
    report = slice_report(FRAME[["hour", "new"]], y, P, 2, users=users).set_index("slice")
    table = pd.DataFrame({"e": P, "y": y.astype(float), "user": users, "hour": FRAME["hour"], "new": FRAME["new"]})
    by_user = table.groupby("user")[["e", "y"]].sum()
    fair = by_user["e"] * by_user["y"].sum() / by_user["e"].sum()
    excess = ((by_user["y"] - fair) ** 2 - fair).sum() / (fair**2).sum()
    assert excess > 0.3
    differ = []
    for cut in (["hour"], ["new"], ["hour", "new"]):
        cells = table.groupby([*cut, "user"])[["e", "y"]].sum()
        for value, own in cells.groupby(level=cut):
            e, y_sum = own["e"].sum(), own["y"].sum()
            spread = ((own["y"] - own["e"]) ** 2).sum() / max(e, y_sum)
            expected = 1 + excess * (own["e"] ** 2).sum() / e
            dispersion = max(spread, expected, 1)
            differ.append(spread > expected)
            name = " & ".join(f"{c}={v}" for c, v in zip(cut, value, strict=True))
            low = e / dispersion / stats.gamma.isf(0.025, y_sum / dispersion + 1)
            high = e / dispersion / stats.gamma.ppf(0.025, y_sum / dispersion)
            few = stats.gamma.sf(e / dispersion, y_sum / dispersion + 1)  # the tail of a Poisson, for any number
            many = stats.gamma.cdf(e / dispersion, y_sum / dispersion)
            np.testing.assert_allclose(
                report.loc[name, ["low", "high", "p_value"]].astype(float), [low, high, min(2 * min(few, many), 1)]
            )
    assert 0 < sum(differ) < len(differ)


def test_random_groups_of_users_are_rarely_accused():
    # The guide's own log with users who come back, and the best constant: no group of random users is to blame.
    log = simulate_ad_log(50_000, n_users=500)
    y, users = log["click"].to_numpy(), log["user_id"].to_numpy()
    p = np.full(len(y), y.mean())
    accused = np.zeros(2)
    for seed in range(100):
        bucket = np.random.default_rng(seed).integers(0, 40, users.max() + 1)[users]
        for i, unit in enumerate([None, users]):
            accused[i] += slice_report(pd.DataFrame({"bucket": bucket}), y, p, users=unit)["p_adjusted"][0] < 0.05
    assert accused[0] > 50
    assert stats.binomtest(int(accused[1]), 100, 0.05, alternative="greater").pvalue > 0.01


def test_a_fault_is_found_in_spite_of_users():
    log = simulate_ad_log(60_000, n_users=2_000)
    bad = (log["device"] == "mobile") & (log["category"] == "food")
    report = slice_report(
        log[["device", "category"]], log["click"], log["p_click"] * np.where(bad, 0.5, 1), 2, users=log["user_id"]
    )
    assert report["slice"][0] == "device=mobile & category=food"
    assert report["p_adjusted"][0] < 0.001


def test_one_heavy_user_proves_nothing():
    # 60 clicks where 20 are promised, all of one user.
    frame, users = pd.DataFrame({"x": [1] * 100 + [2] * 100}), [0] * 100 + [*range(1, 101)]
    y = [1] * 60 + [0] * 40 + [1, 0, 0, 0, 0] * 20
    alone, by_user = (slice_report(frame, y, [0.2] * 200, users=u).set_index("slice") for u in (None, users))
    assert alone.loc["x=1", "p_adjusted"] < 1e-9
    assert by_user.loc["x=1", "p_adjusted"] > 0.2
    assert by_user.loc["x=1", "low"] < 1
    assert by_user.loc["x=2", "p_value"] == pytest.approx(1)


def test_users_of_whom_nothing_is_known_are_calibrated():
    frame = pd.DataFrame({"x": [1, 1, 2, 2]})
    assert slice_report(frame, [0] * 4, [0.0] * 4, users=[1, 2, 1, 2])["p_value"].tolist() == [1, 1]
    nothing_clicked = slice_report(frame, [0] * 4, [0.5] * 4, users=[1, 2, 1, 2])
    assert nothing_clicked["ratio"].tolist() == [np.inf, np.inf]
    assert (nothing_clicked["low"] > 0).all()
    assert slice_report(frame, [1, 0, 0, 0], [0.0] * 4, users=[1, 2, 1, 2])["slice"].tolist() == ["x=1", "x=2"]


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"user": np.arange(2000), "ad": np.arange(2000) // 2}),
        pd.DataFrame({c: pd.Categorical(np.arange(2000) % 3, categories=range(30_000)) for c in "ab"}),
    ],
    ids=["ids", "declared categories"],
)
def test_memory_grows_with_the_rows(frame):
    y, p = np.arange(2000) % 10 == 0, np.full(2000, 0.1)
    tracemalloc.start()
    report = slice_report(frame, y, p, depth=2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # a table of all pairs takes 32 MB, or 7 GB
    for name in frame:
        assert report["slice"].str.fullmatch(rf"{name}=\d+").sum() == frame[name].nunique()
    assert report["slice"].str.contains("&").sum() == len(frame.drop_duplicates())
    assert report["rows"].sum() == 3 * 2000


def test_three_columns_at_once():
    report = slice_report(FRAME[["device", "new", "country"]], Y, P, depth=3).set_index("slice")
    rows = (FRAME["device"] == "phone") & FRAME["new"] & (FRAME["country"] == "jp")
    assert report.loc["device=phone & new=True & country=jp", "clicks"] == Y[rows].sum()
    assert len(report) == 2 + 2 + 4 + 2 * 2 + 2 * 4 + 2 * 4 + 2 * 2 * 4


def test_labels_show_the_values_as_they_are():
    ids = [uuid.UUID(int=1), uuid.UUID(int=2)]
    for values, names in [
        (pd.array([True, None], "boolean"), ["x=True", "x=missing"]),
        (pd.Categorical([True, False]), ["x=False", "x=True"]),
        ([7.0, np.nan], ["x=7", "x=missing"]),
        ([2**53 + 1, 2**53 + 2], [f"x={2**53 + 1}", f"x={2**53 + 2}"]),
        (ids, [f"x={i}" for i in ids]),
        (pd.cut([1, 5], [0, 3, 6]), ["x=(0, 3]", "x=(3, 6]"]),
        (pd.to_datetime(["2026-01-01", "2026-01-02"]), ["x=2026-01-01 00:00:00", "x=2026-01-02 00:00:00"]),
    ]:
        report = slice_report(pd.DataFrame({"x": values}), [0, 1], [0.5, 0.5])
        assert sorted(report["slice"]) == names


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slice_report(FRAME[[]], Y, P), "slices must have a column or more"),
        (lambda: slice_report(FRAME["hour"], Y, P), "slices must be a table .* got Series"),
        (lambda: slice_report(FRAME[["hour", "hour"]], Y, P), "slices has the column 'hour' twice"),
        (lambda: slice_report(FRAME[:0], [], []), "slices is empty"),
        (lambda: slice_report(FRAME, Y[1:], P), "y_true has 19999 rows, slices has 20000"),
        (lambda: slice_report(FRAME[:1], ["a"], [0.1]), "y_true must hold numbers"),
        (lambda: slice_report(FRAME, Y + 1, P), "y_true must be 0 or 1, got 2 at row"),
        (lambda: slice_report(FRAME, Y, P - 1), r"y_prob must be in \[0, 1\], got -0.\d+ at row 0"),
        (lambda: slice_report(FRAME[:2], [0, 1], [0.0, 1.5]), r"y_prob must be in \[0, 1\], got 1.5 at row 1"),
        (lambda: slice_report(FRAME.assign(x=P), Y, P), "column 'x' of slices holds fractions"),
        (
            lambda: slice_report(FRAME[:2].assign(x=[[1], [2]]), Y[:2], P[:2]),
            "column 'x' of slices holds what is no key",
        ),
        (lambda: slice_report(FRAME, Y, P, depth=5), r"depth must be a whole number in \[1, 4\], got 5"),
        (lambda: slice_report(FRAME, Y, P, depth=0), r"depth must be a whole number in \[1, 4\], got 0"),
        (lambda: slice_report(FRAME, Y, P, depth=True), r"depth must be a whole number in \[1, 4\], got True"),
        (lambda: slice_report(FRAME, Y, P, confidence_level=0), r"confidence_level must be in \(0, 1\), got 0"),
        (lambda: slice_report(FRAME, Y, P, confidence_level=1), r"confidence_level must be in \(0, 1\), got 1"),
        (lambda: slice_report(FRAME, Y, P, users=np.zeros(N)), "users holds one user only"),
        (lambda: slice_report(FRAME, Y, P, users=np.where(Y, np.nan, 1)), r"users is missing at row \d+: leave such"),
        (lambda: slice_report(FRAME, Y, P, users=FRAME["hour"][1:]), "users has 19999 rows, slices has 20000"),
        (
            lambda: slice_report(FRAME[:2].assign(x=["7", 7]), Y[:2], P[:2]),
            "column 'x' of slices holds keys of two kinds",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
