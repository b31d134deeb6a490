import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snippets.evaluation.ab_test import delta_method_ratio
from snippets.evaluation.calibration import _quantile_ends, calibration_ratio, reliability_curve
from snippets.evaluation.drift import population_stability_index, psi_bins
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.ranking_metrics import group_auc
from snippets.evaluation.slice_report import slice_report
from snippets.scale.relational_metrics import (
    calibration_sql,
    grouped_auc_sql,
    normalized_entropy_sql,
    psi_edges_sql,
    psi_sql,
    ratio_delta_sql,
    run_checked,
    slices_sql,
)

NAN, INF = float("nan"), float("inf")
few = settings(
    max_examples=20,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
# Many small logs go into one query, a group each: an engine takes as long for one.
LABEL = st.integers(0, 1)
PROB = st.sampled_from([0.0, 1.0, 0.5, 1e-300, 2.0**-53, 1 - 2.0**-53, 0.1, 0.3]) | st.floats(0, 1)
WEIGHT = st.sampled_from([0.0, 1.0, 3.0]) | st.floats(0.1, 10)
SCORE = st.sampled_from([0.0, -0.0, 1.0, INF, -INF, 5e-324]) | st.floats(-1, 1)
NUMBER = (
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 5e-324, -1e308, 1e308]) | st.integers(-3, 3).map(float) | st.floats(-9, 9)
)


def logs(**columns):
    """Draw up to eight logs of one to a dozen rows as one frame, with the number of each."""
    row = st.fixed_dictionaries(columns)
    return st.lists(st.lists(row, min_size=1, max_size=12), min_size=1, max_size=8).map(
        lambda some: pd.DataFrame([{"log": i, **row} for i, rows in enumerate(some) for row in rows])
    )


def by_log(frame, measure):
    """Return a measure of each log, NaN where the snippet says that it is not defined."""

    def one(rows):
        try:
            return measure(rows)
        except ValueError:
            return NAN

    return [one(rows) for _, rows in frame.groupby("log")]


def same(found, wanted, rel=1e-9, **more):
    assert np.asarray(found, float).tolist() == pytest.approx(list(wanted), rel=rel, nan_ok=True, **more)


def exact(**columns):
    """Return a table in which NaN is a number, and None is missing."""
    return pa.table({name: pa.array(values) for name, values in columns.items()})


@few
@given(
    frame=logs(y=LABEL, p=PROB, w=WEIGHT),
    rate=st.none() | st.floats(1e-12, 1 - 1e-6),
    unit=st.sampled_from([1.0, 1e-280, 1e280]),
)
def test_normalized_entropy_is_that_of_the_snippet(engine, frame, rate, unit):
    engine.table("logs", frame.assign(w=frame["w"] * unit))
    found = run_checked(engine, normalized_entropy_sql("logs", "y", "p", "log", background_rate=rate))
    same(found["normalized_entropy"], by_log(frame, lambda f: normalized_entropy(f["y"], f["p"], None, rate)))
    assert found["rows"].tolist() == frame.groupby("log").size().tolist()
    found = run_checked(engine, normalized_entropy_sql("logs", "y", "p", "log", "w", rate))
    same(found["normalized_entropy"], by_log(frame, lambda f: normalized_entropy(f["y"], f["p"], f["w"], rate)))


def test_a_rare_click_keeps_the_digits_of_the_entropy(engine):
    """The snippet does, too: with sums of 1 - p and a plain logarithm, seven would be left."""
    engine.table("logs", pd.DataFrame({"y": [0, 1], "p": [1e-9, 1e-9], "w": [1e9, 1.0]}))
    found = run_checked(engine, normalized_entropy_sql("logs", "y", "p", weight="w"))
    same(found["normalized_entropy"], [normalized_entropy([0, 1], [1e-9, 1e-9], [1e9, 1])], rel=1e-13)


def test_the_rarer_label_may_be_the_one_without_a_click(engine):
    """Exactly by symmetry, where the snippet keeps the digits of a rate near 1, not of what it lacks."""
    engine.table("logs", pd.DataFrame({"y": [1, 0], "p": [1 - 2.0**-30, 1 - 2.0**-30], "w": [2.0**30, 1.0]}))
    found = run_checked(engine, normalized_entropy_sql("logs", "y", "p", weight="w"))
    same(found["normalized_entropy"], [normalized_entropy([0, 1], [2.0**-30] * 2, [2.0**30, 1])], rel=1e-13)


@few
@given(frame=logs(y=LABEL, p=PROB), n=st.integers(1, 12))
def test_calibration_is_that_of_the_snippet(engine, frame, n):
    engine.table("logs", frame)
    found = run_checked(engine, calibration_sql("logs", "y", "p", "log"))
    same(found["ratio"], by_log(frame, lambda f: calibration_ratio(f["y"], f["p"])))
    same(found["clicks"], frame.groupby("log")["y"].sum())
    found = run_checked(engine, calibration_sql("logs", "y", "p", "log", edges=np.arange(1, n) / n))
    curves = [reliability_curve(f["y"], f["p"], n, "uniform") for _, f in frame.groupby("log")]
    same(found["mean_predicted"], np.concatenate([c.mean_predicted for c in curves]))
    same(found["observed_rate"], np.concatenate([c.observed_rate for c in curves]))
    assert found["rows"].tolist() == np.concatenate([c.count for c in curves]).tolist()


@few
@given(frame=logs(y=LABEL, p=PROB), n=st.integers(1, 5))
def test_bins_of_equal_size_need_their_ends_alone(engine, frame, n):
    ends = _quantile_ends(frame["p"].to_numpy(), n)
    engine.table("logs", frame)
    found = run_checked(engine, calibration_sql("logs", "y", "p", edges=ends))
    curve = reliability_curve(frame["y"], frame["p"], n)
    same(found["mean_predicted"], curve.mean_predicted)
    assert found["rows"].tolist() == curve.count.tolist()


@few
@given(frame=logs(y=LABEL, s=SCORE, g=st.sampled_from("abc"), whole=st.integers(2**53, 2**53 + 3)))
def test_grouped_auc_is_that_of_the_snippet(
    engine,
    frame,
):
    engine.table("logs", frame)
    for score in ("s", "whole"):
        found = run_checked(engine, grouped_auc_sql("logs", "y", score, "g", "log"))
        same(found["group_auc"], by_log(frame, lambda f, score=score: group_auc(f["y"], f[score], f["g"])))
        both = frame.groupby(["log", "g"])["y"].nunique().groupby("log")
        assert found["groups"].tolist() == both.apply(lambda n: (n == 2).sum()).tolist()
        assert found["one_class"].tolist() == both.apply(lambda n: (n == 1).sum()).tolist()
        assert found["rows"].tolist() == frame.groupby("log").size().tolist()


@few
@given(
    frame=logs(y=LABEL, p=PROB, text=st.sampled_from(["a", "it's", "b & c", None]), hour=st.integers(0, 2)),
    depth=st.integers(1, 3),
)
def test_slices_have_the_sums_of_the_snippet(engine, frame, depth):
    engine.table("logs", frame)
    columns = ["text", "hour", "log"]
    found = run_checked(engine, slices_sql("logs", columns, "y", "p", depth))
    wanted = slice_report(frame[columns], frame["y"], frame["p"], depth).sort_values("slice")
    found = found.sort_values("slice")
    assert found["slice"].tolist() == wanted["slice"].tolist()
    for column in ("rows", "clicks", "expected", "ratio"):
        same(found[column], wanted[column])


@few
@given(
    reference=st.lists(NUMBER, min_size=1, max_size=40),
    sample=st.lists(NUMBER, min_size=1, max_size=12),
    n=st.integers(2, 10),
)
def test_the_stability_index_is_that_of_the_snippet(engine, reference, sample, n):
    engine.table("reference", pd.DataFrame({"x": reference}))
    engine.table("sample", pd.DataFrame({"x": sample}))
    edges = run_checked(engine, psi_edges_sql("reference", "x", n))
    found = run_checked(engine, psi_sql("reference", "sample", "x", edges["edge"], edges["alone"]))
    same(found["psi"], [population_stability_index(reference, sample, n)], abs=1e-12)
    assert found["bins"].tolist() == [psi_bins(reference, sample, n).shape[1]]
    assert found[["rows_expected", "rows_actual"]].to_numpy().tolist() == [[len(reference), len(sample)]]


AMOUNT = st.sampled_from([0.0, 1e-70, 1e70, 1.0, 2.0]) | st.floats(0.01, 9)


@few
@given(frame=logs(u=st.sampled_from([7, 8, 9]), x=AMOUNT | st.floats(-9, -0.01), y=AMOUNT))
def test_the_ratio_of_users_is_that_of_the_snippet(engine, frame):
    engine.table("logs", frame)
    found = run_checked(engine, ratio_delta_sql("logs", "u", "x", "y", "log"))
    users = [f.groupby("u")[["x", "y"]].sum() for _, f in frame.groupby("log")]

    def measure(of_log):
        of_user = users[of_log["log"].iloc[0]]
        return delta_method_ratio(of_user["x"], of_user["y"])

    both = by_log(frame, measure)
    wanted = pd.DataFrame([[NAN, NAN] if f is NAN else f for f in both], columns=["estimate", "standard_error"])
    # What is left of 1e70 - 1e70 is chance: it is small beside what was added up
    size = np.array([(f["x"].abs().sum() / max(f["y"].sum(), 1e-70)) for f in users])
    for column in wanted:
        gap = np.abs(found[column] - wanted[column])
        assert (found[column].isna() == wanted[column].isna()).all()
        assert (gap.fillna(0) <= 1e-9 * wanted[column].abs().fillna(0) + 1e-12 * size).all()


@pytest.mark.parametrize(
    "arms", [[0.0, -0.0, 0.5, -0.5, NAN, None], ["0.0", "-0.0", "a-0.0", "a0.0", "", None]], ids=["numbers", "texts"]
)
def test_groups_are_those_of_group_by(engine, arms):
    """As numbers, 0 and -0 are one arm; as texts, two."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"arm": arms * 4, "u": range(24), "x": rng.normal(size=24), "y": rng.uniform(1, 2, 24)})
    engine.table("arms", exact(**{name: column.tolist() for name, column in frame.items()} | {"arm": arms * 4}))
    found = run_checked(engine, ratio_delta_sql("arms", "u", "x", "y", "arm"))
    frame["arm"] = ["none" if a is None else "NaN" if a is NAN else a for a in arms * 4]
    wanted = {
        arm: (*delta_method_ratio(rows["x"], rows["y"]), len(rows)) for arm, rows in frame.groupby("arm", sort=False)
    }
    assert len(found) == len(wanted)
    same(sorted(found["users"]), sorted(n for *_, n in wanted.values()))
    same(sorted(found["estimate"]), sorted(ratio for ratio, *_ in wanted.values()))
    same(sorted(found["standard_error"]), sorted(error for _, error, _ in wanted.values()))


def test_users_who_are_nearly_alike_keep_their_error(engine):
    """By sums of squares alone it would be lost: they agree in fourteen digits."""
    rng = np.random.default_rng(0)
    y = rng.integers(1, 100, 500).astype(float)
    frame = pd.DataFrame({"u": range(500), "x": 1000 * y + rng.normal(size=500) * 1e-4, "y": y})
    engine.table("users", frame)
    found = run_checked(engine, ratio_delta_sql("users", "u", "x", "y"))
    same(found["standard_error"], [delta_method_ratio(frame["x"], frame["y"]).standard_error], rel=1e-5)


def test_whole_numbers_that_do_not_fit_together_are_not_wrapped(engine):
    huge = pd.DataFrame({"u": [1, 1, 2, 3], "x": [2**62] * 4, "y": [2**62, 2**62, 2**61, 2**62]})
    engine.table("huge", huge)
    found = run_checked(engine, ratio_delta_sql("huge", "u", "x", "y"))
    of_user = huge.astype(float).groupby("u").sum()
    wanted = delta_method_ratio(of_user["x"], of_user["y"])
    same(found[["estimate", "standard_error"]].iloc[0], wanted)


def test_labels_of_any_type_are_labels(engine):
    for labels in ([False, True, True], np.array([0, 1, 1], np.int8), pd.array([0, 1, 1], "Int64"), [0.0, 1.0, 1.0]):
        engine.table("logs", pd.DataFrame({"y": labels, "p": [0.25, 0.5, 0.75]}))
        same(run_checked(engine, calibration_sql("logs", "y", "p"))["ratio"], [0.75])


GOOD = {"y": [0, 1, 0, 1], "p": [0.1, 0.6, 0.2, 0.9], "w": [1.0, 2.0, 1.0, 1.0], "g": ["a", "a", "b", "b"]}
GOOD["day"] = [1, 1, 2, 2]
QUERIES = {
    "normalized_entropy": (normalized_entropy_sql("log", "y", "p", "day", "w"), "ypw"),
    "ratio": (calibration_sql("log", "y", "p", "day"), "yp"),
    "group_auc": (grouped_auc_sql("log", "y", "p", "g", "day"), "yg"),
    "estimate": (ratio_delta_sql("log", "g", "w", "p", "day"), "gwp"),
}
BAD = {"y": [None, NAN, 2.0, 0.5, -1.0], "p": [None, NAN, -0.1, INF], "w": [None, NAN, INF, 1e-300], "g": [None]}


@pytest.mark.parametrize("measure", QUERIES)
def test_a_bad_row_leaves_no_measure_of_its_group_and_is_counted(engine, measure):
    query, columns = QUERIES[measure]
    for column in columns:
        for value in BAD[column]:
            rows = {**GOOD, column: [value, *GOOD[column][1:]]}
            engine.table("log", exact(**rows))
            found = engine.sql(query)
            assert found["bad_rows"].tolist() == [1, 0], (column, value)
            assert found[measure].isna().tolist() == [True, measure == "estimate"], (column, value)
            with pytest.raises(ValueError, match=r"1 bad rows, .* in \{'day': 1"):
                run_checked(engine, query)


@pytest.mark.parametrize(("measure", "value"), [("y", 2.0), ("p", 1.5), ("w", -1.0)])
def test_what_is_out_of_range_is_bad(engine, measure, value):
    engine.table("log", exact(**{**GOOD, measure: [value, *GOOD[measure][1:]]}))
    assert engine.sql(QUERIES["normalized_entropy"][0])["bad_rows"].tolist() == [1, 0]


def test_a_score_may_be_infinite_but_not_missing(engine):
    for score, bad in [(INF, 0), (-INF, 0), (NAN, 1), (None, 1)]:
        engine.table("log", exact(y=[0, 1], s=[score, 0.5], g=[7, 7]))
        found = engine.sql(grouped_auc_sql("log", "y", "s", "g"))
        assert found["bad_rows"].tolist() == [bad]
        same(found["group_auc"], [NAN if bad else float(score < 0)])


def test_bad_rows_have_no_bin_and_no_slice_has_their_sums(engine):
    engine.table("log", exact(y=[0, 1, None, 1], p=[0.1, 0.9, 0.1, NAN], g=["a", "b", "a", "b"]))
    found = engine.sql(calibration_sql("log", "y", "p", edges=[0.5]))
    assert found["bin"].fillna(-1).tolist() == [0, 1, -1]
    assert found[["rows", "clicks", "bad_rows"]].to_numpy().tolist() == [[1, 0, 0], [1, 1, 0], [2, 0, 2]]
    found = engine.sql(slices_sql("log", "g", "y", "p"))
    same(found["ratio"], [NAN, NAN])
    assert found[["rows", "clicks", "bad_rows"]].to_numpy().tolist() == [[2, 0, 1], [2, 1, 1]]


@pytest.mark.parametrize("value", [None, NAN, INF, -INF])
def test_a_bad_number_leaves_no_stability_index(engine, value):
    engine.table("good", exact(x=[1.0, 2.0, 3.0]))
    engine.table("bad", exact(x=[1.0, value]))
    assert engine.sql(psi_edges_sql("bad", "x", 2))["edge"].isna().all()
    for names in (["good", "bad"], ["bad", "good"]):
        text = psi_sql(*names, "x", [1.5, 2.5], [False, False])
        found = engine.sql(text)
        assert found["bad_rows"].tolist() == [1]
        assert found["psi"].isna().all()
        with pytest.raises(ValueError, match="1 bad rows"):
            run_checked(engine, text)


def test_a_table_without_rows_has_no_measure(engine, tmp_path):
    kinds = {"y": pa.int64(), "p": pa.float64(), "g": pa.string()}
    pq.write_table(pa.table({name: pa.array([], kind) for name, kind in kinds.items()}), tmp_path / "none.parquet")
    engine.table("none", tmp_path / "none.parquet")
    engine.table("some", exact(p=[0.1]))
    for measure, text in [
        ("normalized_entropy", normalized_entropy_sql("none", "y", "p")),
        ("ratio", calibration_sql("none", "y", "p")),
        ("group_auc", grouped_auc_sql("none", "y", "p", "g")),
        ("estimate", ratio_delta_sql("none", "g", "y", "p")),
        ("psi", psi_sql("none", "some", "p", [0.5], [False])),
        ("psi", psi_sql("some", "none", "p", [0.5], [True])),
    ]:
        found = run_checked(engine, text)
        assert found[measure].isna().tolist() == [True]
    for text in (
        normalized_entropy_sql("none", "y", "p", "g"),
        calibration_sql("none", "y", "p", "g", [0.5]),
        grouped_auc_sql("none", "y", "p", "g", "g"),
        ratio_delta_sql("none", "g", "y", "p", "g"),
        slices_sql("none", "g", "y", "p"),
        psi_edges_sql("none", "p"),
    ):
        assert len(run_checked(engine, text)) == 0


def test_a_bad_row_is_counted_once_whatever_else_it_counts_in(engine):
    engine.table("log", exact(p=[0.1, 0.2, None, 0.3], y=[0, 1, 1, 0], a=[1, 1, 2, 2], b=[3, 3, 4, 4]))
    for query, results in [(psi_edges_sql("log", "p", 3), 2), (slices_sql("log", ["a", "b"], "y", "p", 2), 3)]:
        with pytest.raises(ValueError, match=f"^1 bad rows, .*, the first of {results} such results"):
            run_checked(engine, query)


def test_names_may_be_anything(engine):
    odd = "it's a \\ \"b` c"
    engine.table("log", pd.DataFrame({odd: ["x", None, "x"], "select": [0, 1, 1], "p": [0.25, 0.5, 0.25]}))
    found = run_checked(engine, calibration_sql("log", "select", "p", [odd]))
    assert found[odd].tolist()[0] == "x"
    same(found["ratio"], [0.5, 0.5])
    found = run_checked(engine, slices_sql("log", odd, "select", "p"))
    assert found["slice"].tolist() == [f"{odd}=missing", f"{odd}=x"]


def test_a_result_without_a_count_of_bad_rows_is_as_it_is(engine):
    assert run_checked(engine, "SELECT 1 AS one").to_dict("list") == {"one": [1]}


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        (lambda: normalized_entropy_sql("", "y", "p"), "table must be a name, got ''"),
        (lambda: normalized_entropy_sql("log", 7, "p"), "label must be a name, got 7"),
        (lambda: normalized_entropy_sql("log", "y", None), "prob must be a name, got None"),
        (lambda: normalized_entropy_sql("log", "y", "p", weight=""), "weight must be a name"),
        (lambda: normalized_entropy_sql("log", "y", "p", by=3), "by must be a name, got 3"),
        (lambda: normalized_entropy_sql("log", "y", "p", by=["a", "a"]), "by has 'a' twice"),
        (lambda: normalized_entropy_sql("log", "y", "p", by="rows"), "by has 'rows', a column of the result"),
        (lambda: calibration_sql("log", "y", "p", by="bad_rows"), "by has 'bad_rows', a column of the result"),
        (
            lambda: normalized_entropy_sql("log", "y", "p", background_rate=1),
            r"background_rate must be in \(0, 1\), got 1",
        ),
        (lambda: calibration_sql("log", "y", "p", edges=[0.1, 0.1]), "edges must rise, got 0.1 at row 1"),
        (lambda: calibration_sql("log", "y", "p", edges=[0.1, NAN]), "edges must be finite, got nan at row 1"),
        (lambda: grouped_auc_sql("log", "y", "s", None), "group must be a name, got None"),
        (lambda: slices_sql("log", [], "y", "p"), "columns is empty"),
        (lambda: slices_sql("log", ["a", "b"], "y", "p", 3), r"depth must be a whole number in \[1, 2\], got 3"),
        (lambda: psi_edges_sql("log", "x", 1), "n_bins must be a whole number of at least 2, got 1"),
        (lambda: psi_sql("a", "b", "x", [2.0, 1.0], [True, True]), "edges must rise, got 1 at row 1"),
        (lambda: psi_sql("a", "b", "x", [1.0], [1]), r"alone must hold true or false for each of 1 edges, got \[1\]"),
        (lambda: psi_sql("a", "b", "x", [1.0], []), r"alone must hold true or false for each of 1 edges, got \[\]"),
        (lambda: psi_sql("a", "b", "x", [], []), "edges is empty|alone must hold"),
        (lambda: ratio_delta_sql("log", "", "x", "y"), "user must be a name"),
    ],
)
def test_bad_arguments_are_named(query, complaint):
    with pytest.raises(ValueError, match=complaint):
        query()
