import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.leakage import (
    beats_the_ceiling,
    duplicates_across_split,
    future_correlation,
    single_feature_scores,
    split_overlap,
)

COLUMNS = ["check", "what", "value", "limit", "suspicious", "reason"]


def histories(seed, who="user"):
    """Honest and leaking histories of a simulated log."""
    log = simulate_ad_log(60_000, seed=seed, n_users=3_000)
    key, click = log[f"{who}_id"], log["click"]
    shown, clicked = log[f"{who}_impressions"], log[f"{who}_clicks"]
    including = click.groupby(key).cumsum()
    X = pd.DataFrame(
        {
            "impressions": shown,
            "clicks": clicked,
            "rate": (clicked + 1) / (shown + 33),
            "leak: own click": including,
            "leak: mean of the log": click.groupby(key).transform("mean"),
            "leak: end of the day": including.groupby([key, log["day"]]).transform("max"),
        }
    )
    return X, click, key, log["timestamp"]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=2, max_size=40))
def test_auc_of_one_feature_against_scikit_learn(rows):
    value, y = zip(*rows, strict=True)
    if len(set(y)) < 2:
        return
    auc = roc_auc_score(y, value)
    assert single_feature_scores(pd.DataFrame({"x": value}), y)["value"].tolist() == pytest.approx([max(auc, 1 - auc)])


def test_a_missing_value_can_be_the_label():
    X = pd.DataFrame({"dwell": [3.0, np.nan, 5.0, np.nan] * 50, "age": [30, 40, np.nan, 50] * 50})
    found = single_feature_scores(X, [1, 0, 1, 0] * 50).set_index(["check", "what"])
    assert found.loc[("missing values", "dwell"), "value"] == 1
    assert found.loc[("missing values", "dwell"), "suspicious"]
    assert found.loc[("one feature", "dwell"), "value"] == 0.5  # no row without a click has one
    assert found.loc[("missing values", "age"), "value"] == pytest.approx(0.75)


def test_no_feature_is_above_a_limit_of_one():
    found = single_feature_scores(pd.DataFrame({"x": [1.0, 2.0]}), [0, 1], limit=1)
    assert found[["value", "suspicious"]].to_numpy().tolist() == [[1.0, False]]


def test_categories_are_scored_by_the_other_half():
    rng = np.random.default_rng(0)
    y = rng.random(4_000) < 0.3
    X = pd.DataFrame(
        {"id": [f"u{i}" for i in range(4_000)], "tells": np.where(y, "a", "b"), "hides": list("xyzw") * 1000}
    )
    found = single_feature_scores(X, y.astype(int)).set_index("what")
    assert found["value"].to_dict() == pytest.approx({"tells": 1, "id": 0.5, "hides": 0.5}, abs=0.03)
    assert found["suspicious"].to_dict() == {"tells": True, "id": False, "hides": False}


def test_categories_are_ranked_by_their_rates():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 5, 20_000)
    y = (rng.random(20_000) < np.array([0.1, 0.2, 0.3, 0.4, 0.6])[group]).astype(int)
    X = pd.DataFrame({"group": np.array(list("dbeca"))[group]})
    assert single_feature_scores(X, y)["value"].iloc[0] == pytest.approx(roc_auc_score(y, group), abs=5e-3)
    few = pd.DataFrame({"x": ["a", "b", "a", "b", "a", "a"]})
    # Each half learns from the other. Even rows, all "a": clicks 1, 1, 0. Odd rows, "b", "b", "a": 0, 0, 1; mean 1/2.
    # Rates with one row of the mean: from odd rows a 3/4, from even rows a 5/8, b 1/2.
    assert single_feature_scores(few, [1, 0, 1, 0, 0, 1])["value"].tolist() == pytest.approx([7 / 9])


def test_both_correlations_by_hand():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"key": rng.integers(0, 40, 600), "time": rng.integers(0, 50, 600), "y": rng.integers(0, 2, 600)}
    )
    frame["x"] = rng.normal(size=600) + frame["y"]
    moments = frame.groupby(["key", "time"], as_index=False)[["x", "y"]].mean()
    by_key = moments.groupby("key")
    step, ahead = by_key["x"].diff(), by_key["y"].shift(-1)
    used = step.notna() & ahead.notna()
    first = by_key.head(1)
    expected = {
        "own label": (abs(np.corrcoef(step[used], (moments["y"] - ahead)[used])[0, 1]), used.sum()),
        "first row": (abs(np.corrcoef(first["x"], first["y"])[0, 1]), len(first)),
    }
    found = future_correlation(frame[["x"]], frame["y"], frame["key"], frame["time"], 0.01).set_index("check")
    for check, (r, n) in expected.items():
        assert found.loc[check, "value"] == pytest.approx(r)
        assert found.loc[check, "limit"] == pytest.approx(stats.norm.isf(0.0025) / np.sqrt(n))


def test_a_table_is_tidy_and_sorted():
    X, y, key, time = histories(0)
    for table in [single_feature_scores(X, y), future_correlation(X, y, key, time)]:
        assert list(table) == COLUMNS
        assert table["value"].is_monotonic_decreasing
        assert table["suspicious"].dtype == bool
        assert (table["suspicious"] == (table["value"] > table["limit"])).all()


@pytest.mark.parametrize("who", ["user", "ad"])
@pytest.mark.parametrize("seed", range(3))
def test_planted_leaks_are_found_and_honest_histories_are_not(seed, who):
    found = future_correlation(*histories(seed, who)).groupby("what")["suspicious"].any()
    assert found[found].index.tolist() == ["leak: end of the day", "leak: mean of the log", "leak: own click"]


def test_false_alarms_come_as_often_as_promised():
    rng = np.random.default_rng(0)
    alarms = []
    for _ in range(300):
        user = np.repeat(np.arange(60), 12)
        y = (rng.random(720) < rng.beta(2, 4, 60)[user]).astype(int)
        before = pd.Series(y).groupby(user).cumsum() - y
        X = pd.DataFrame({"clicks": before, "rate": (before + 1) / (np.tile(np.arange(12), 60) + 3)})
        alarms.append(future_correlation(X, y, user, np.tile(np.arange(12), 60), false_alarms=0.2)["suspicious"].any())
    assert 0.02 < np.mean(alarms) < 0.27  # at most what was promised: the checks of two histories are alike


def test_rows_of_one_moment_count_as_one():
    y = [1, 0, 0, 1] * 30
    key, time = np.repeat(range(30), 4), [0, 0, 1, 1] * 30
    X = pd.DataFrame({"v": y})
    found = future_correlation(X, y, key, time)
    assert found.set_index("check").loc["first row", "reason"].endswith("over 30 rows")
    assert found.set_index("check").loc["own label", "reason"].endswith("over 0 rows")


def test_missing_histories_are_left_out():
    X, y, key, time = histories(0)
    X = X[["rate"]].mask(X["impressions"] == 0)
    assert not future_correlation(X, y, key, time)["suspicious"].any()


def test_duplicates_by_hand():
    train = pd.DataFrame({"a": [1, 1, 2, 3], "b": [1, 1, None, 5], "extra": 0})
    test = pd.DataFrame({"b": [1, None, 6, 1], "a": [1, 2, 3, 1]})
    row = duplicates_across_split(train, test).iloc[0]
    assert (row["value"], row["what"], row["suspicious"]) == (0.75, "b, a", True)
    assert duplicates_across_split(train, test, subset=["a"], limit=1)["suspicious"].tolist() == [False]


def test_overlap_by_hand():
    train, test = pd.DataFrame({"s": [1, 2, 2]}), pd.DataFrame({"s": [2, 2, 5, 6, 7]})
    row = split_overlap(train, test, "s").iloc[0]
    assert (row["value"], row["suspicious"]) == (0.4, True)
    assert row["reason"] == "40.0% of test rows have a s that train has, 1 of them"


def test_the_ceiling():
    log = simulate_ad_log(60_000)
    y, truth = log["click"], log["p_click"]
    ceiling = log_loss(y, truth)
    assert not beats_the_ceiling(y, truth, ceiling)["suspicious"].iloc[0]
    leak = np.clip(truth * np.where(y, 1.5, 0.9), 1e-6, 0.99)
    row = beats_the_ceiling(y, leak, ceiling, name="leaky").iloc[0]
    assert row["suspicious"]
    assert row["what"] == "leaky"
    assert row["value"] == pytest.approx(log_loss(y, leak))
    assert row["value"] < row["limit"] < ceiling


def test_a_model_at_the_ceiling_is_rarely_accused():
    rng = np.random.default_rng(0)
    p = rng.beta(1, 20, 2_000).clip(1e-6, 1 - 1e-6)
    entropy = -(p * np.log(p) + (1 - p) * np.log1p(-p)).mean()
    accused = [
        beats_the_ceiling((rng.random(2_000) < p).astype(int), p, entropy, false_alarms=0.05)["suspicious"].iloc[0]
        for _ in range(600)
    ]
    assert 0.02 < np.mean(accused) < 0.1


X2, Y2 = pd.DataFrame({"x": [1.0, 2.0]}), [0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: single_feature_scores(X2, [0]), r"one label for each of the 2 rows, .* got shape \(1,\)"),
        (lambda: single_feature_scores(X2, [0, 2]), "y must be 0 or 1, got 2 at row 1"),
        (lambda: single_feature_scores(X2, [0, 0]), "y holds only 0"),
        (lambda: single_feature_scores(X2, Y2, 0.5), r"limit must be an AUC in \(0.5, 1\], got 0.5"),
        (lambda: single_feature_scores(X2, Y2, 1.1), r"limit must be an AUC in \(0.5, 1\], got 1.1"),
        (lambda: future_correlation(X2, Y2, [1], [1, 2]), "for each of the 2 rows: got 1 and 2"),
        (lambda: future_correlation(X2, Y2, [1, 1], [1]), "for each of the 2 rows: got 2 and 1"),
        (lambda: future_correlation(X2, Y2, [1, 1], [1, np.nan]), "time is missing at row 1"),
        (lambda: future_correlation(X2.astype(str), Y2, [1, 1], [1, 2]), "column 'x' is not numeric"),
        (lambda: duplicates_across_split(X2, X2.head(0)), "test has no row"),
        (lambda: duplicates_across_split(X2.head(0), X2), "train has no row"),
        (lambda: duplicates_across_split(X2, X2, ["z"]), "train has no column 'z'"),
        (lambda: duplicates_across_split(X2, X2.rename(columns={"x": "z"})), "no column in common"),
        (lambda: split_overlap(X2, X2, "z"), "train has no column 'z'"),
        (lambda: split_overlap(X2, X2, "x", limit=1.1), r"limit must be a share in \(0, 1\], got 1.1"),
        (lambda: beats_the_ceiling(Y2, [0.0, 0.5], 0.1), r"y_prob must be in \(0, 1\)"),
        (lambda: beats_the_ceiling(Y2, [0.5, 0.5], np.inf), "ceiling must be positive and finite, got inf"),
        (lambda: split_overlap(X2, X2, "x", limit=0), r"limit must be a share in \(0, 1\], got 0"),
        (lambda: beats_the_ceiling(Y2, [0.5, 1.0], 0.1), r"y_prob must be in \(0, 1\)"),
        (lambda: beats_the_ceiling(Y2, [0.5, 0.5], 0), "ceiling must be positive and finite, got 0"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
