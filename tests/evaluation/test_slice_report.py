import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.rates import confint_poisson

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


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: slice_report(FRAME[[]], Y, P), "slices must be a data frame with a column"),
        (lambda: slice_report(FRAME["hour"], Y, P), "slices must be a data frame with a column"),
        (lambda: slice_report(FRAME[["hour", "hour"]], Y, P), "slices has the column 'hour' twice"),
        (lambda: slice_report(FRAME[:0], [], []), "y_true must hold numbers|slices is empty"),
        (lambda: slice_report(FRAME, Y[1:], P), r"y_true has shape \(19999,\), slices has 20000 rows"),
        (lambda: slice_report(FRAME[:1], ["a"], [0.1]), "y_true must hold numbers"),
        (lambda: slice_report(FRAME, Y + 1, P), "y_true must be 0 or 1, got 2 at row"),
        (lambda: slice_report(FRAME, Y, P - 1), r"y_prob must be in \[0, 1\], got -0.\d+ at row 0"),
        (lambda: slice_report(FRAME[:2], [0, 1], [0.0, 1.5]), r"y_prob must be in \[0, 1\], got 1.5 at row 1"),
        (lambda: slice_report(FRAME.assign(x=P), Y, P), "column 'x' of slices holds fractions"),
        (lambda: slice_report(FRAME[:2].assign(x=[[1], [2]]), Y[:2], P[:2]), "column 'x' of slices holds values that"),
        (lambda: slice_report(FRAME, Y, P, depth=5), r"depth must be a whole number in \[1, 4\], got 5"),
        (lambda: slice_report(FRAME, Y, P, depth=0), r"depth must be a whole number in \[1, 4\], got 0"),
        (lambda: slice_report(FRAME, Y, P, depth=True), r"depth must be a whole number in \[1, 4\], got True"),
        (lambda: slice_report(FRAME, Y, P, confidence_level=0), r"confidence_level must be in \(0, 1\), got 0"),
        (lambda: slice_report(FRAME, Y, P, confidence_level=1), r"confidence_level must be in \(0, 1\), got 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
