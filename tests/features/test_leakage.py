from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from sklearn.metrics import log_loss, roc_auc_score

from snippets.datasets.ad_log import simulate_ad_log
from snippets.features.historical_counters import count_before
from snippets.features.leakage import (
    beats_the_ceiling,
    duplicates_across_split,
    future_correlation,
    known_at_serving,
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
    assert found["value"]["id"] == 0.5
    assert found["suspicious"].to_dict() == {"tells": True, "id": False, "hides": False}


def test_categories_are_ranked_by_their_rates():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 5, 20_000)
    y = (rng.random(20_000) < np.array([0.1, 0.2, 0.3, 0.4, 0.6])[group]).astype(int)
    X = pd.DataFrame({"group": np.array(list("dbeca"))[group]})
    assert single_feature_scores(X, y)["value"].iloc[0] == pytest.approx(roc_auc_score(y, group), abs=5e-3)


def test_halves_of_the_counts_are_halves_of_the_rows():
    """Against rows split at random, one by one, and rated by a dictionary."""
    rng = np.random.default_rng(0)
    groups, y = rng.choice(list("abcdefgh"), 400), rng.integers(0, 2, 400)
    y |= np.isin(groups, ["a", "b"]) & (rng.random(400) < 0.5)
    frame, scores = pd.DataFrame({"x": groups, "y": y}), []
    for _ in range(100):
        half, rate = rng.integers(0, 2, 400), np.zeros(400)
        for h in (0, 1):
            known = frame[half != h].groupby("x")["y"].agg(["sum", "size"])
            rate[half == h] = frame.loc[half == h, "x"].map((known["sum"] + y.mean()) / (known["size"] + 1))
        scores.append(roc_auc_score(y, rate))
    score = single_feature_scores(frame[["x"]], y)["value"].iloc[0]
    assert abs(score - np.mean(scores)) < 4 * np.std(scores) / np.sqrt(4)  # the mean of four


def test_what_is_a_number_does_not_depend_on_what_holds_it():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 300)
    seconds = pd.Series(y * 1000 + rng.permutation(300))  # decides the label, each value once
    moments = pd.Timestamp("2026-01-01") + pd.to_timedelta(seconds, unit="s")
    X = pd.DataFrame(
        {
            "timedelta": pd.to_timedelta(seconds, unit="s"),
            "datetime": moments,
            "in a zone": moments.dt.tz_localize("UTC"),
            "date": (pd.Timestamp("2026-01-01") + pd.to_timedelta(seconds, unit="D")).dt.date,
            "period": pd.PeriodIndex.from_ordinals(seconds, freq="D"),
            "objects": seconds.astype(object),
            "decimal": [Decimal(int(v)) for v in seconds],
            "category": seconds.astype("category"),
            "missing": seconds.astype("Int16").where(rng.random(300) < 0.9),
            "half": seconds.astype(np.float16),
        }
    )
    found = single_feature_scores(X, y)
    assert found.loc[found["check"] == "one feature", "value"].tolist() == [1.0] * X.shape[1]


def test_numbers_that_are_categories_need_no_order():
    y = np.tile([0, 1, 0], 100)
    codes = pd.Series(np.tile([0, 1, 2], 100))
    assert single_feature_scores(codes.rename("x").to_frame(), y)["value"].tolist() == [0.5]
    assert single_feature_scores(codes.astype("category").rename("x").to_frame(), y)["value"].tolist() == [1.0]


def waiting_peers(frame):
    """Return moments, each with the keys that wait as it does: loops and dictionaries."""
    moments = frame.groupby(["key", "time"], as_index=False)[["x", "y"]].mean()
    rows, by_place = [], {}
    for _, own in moments.groupby("key"):
        own = own.reset_index(drop=True)
        for place in range(len(own)):
            if not own["y"][:place].any():
                before = own["x"][place - 1] if place else 0.0
                row = {"place": place, "age": own["time"][place] - own["time"][0], "y": own["y"][place]}
                rows.append(row | {"signal": own["x"][place] - before})
                by_place.setdefault(place, []).append(row["age"])
    for row in rows:
        row["peers"] = row["place"], sum(age < row["age"] for age in by_place[row["place"]]) // 16
    for moment, own in frame.groupby(["key", "time"]):
        rows += [
            {"place": np.nan, "y": y, "signal": x, "peers": (-1 - moment[0], moment[1])}
            for x, y in own[["x", "y"]].to_numpy()
        ]
    return pd.DataFrame(rows)


def test_both_correlations_by_hand():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"key": rng.integers(0, 90, 900), "time": rng.integers(0, 50, 900), "y": rng.random(900) < 0.2}
    )
    frame["x"] = rng.normal(size=900) + frame["y"]
    rows = waiting_peers(frame)
    found = future_correlation(frame[["x"]], frame["y"], frame["key"], frame["time"], 0.01).set_index("check")
    z = stats.norm.isf(0.0025)
    for check, used in {"own label": rows["place"] != 0, "first row": rows["place"] == 0}.items():
        product, variance, a_2, b_2, largest = 0, 0, 0, 0, 0
        for _, peers in rows[used].groupby("peers"):
            a, b = peers["signal"] - peers["signal"].mean(), peers["y"] - peers["y"].mean()
            product, a_2, b_2 = product + (a * b).sum(), a_2 + (a**2).sum(), b_2 + (b**2).sum()
            largest = max(largest, a.abs().max())
            if len(peers) > 1:
                variance += (a**2).sum() * (b**2).sum() / (len(peers) - 1)
        assert found.loc[check, "value"] == pytest.approx(abs(product) / np.sqrt(a_2 * b_2))
        limit = z * np.sqrt(variance) + (z**2 - 1) / 6 * largest
        assert found.loc[check, "limit"] == pytest.approx(limit / np.sqrt(a_2 * b_2))


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


def log_with_memory(seed, memory, users=500, rows=20):
    """Return the history of users whom a click makes less likely, or more, to click again for a while.

    Users who come more often click more, so that what counts impressions tells of clicks, too.
    """
    rng = np.random.default_rng(seed)
    often, liking = rng.lognormal(0, 0.7, users), rng.normal(0, 0.5, users)
    time = np.cumsum(rng.exponential(1 / often[:, None], (users, rows)), axis=1)
    y, mood = np.zeros((users, rows), int), np.zeros(users)
    for k in range(rows):
        mood *= np.exp(-(time[:, k] - time[:, k - 1])) if k else 1
        logit = -1 + np.log(often) + liking + memory * mood
        y[:, k] = rng.random(users) < expit(logit)
        mood += y[:, k]
    shuffled = rng.permutation(users * rows)
    return rng, np.repeat(np.arange(users), rows)[shuffled], time.ravel()[shuffled], y.ravel()[shuffled]


def honest_histories(rng, user, time, y):
    """Return what is known before each row, of several kinds."""
    clicks, shown = (count_before(user[rows], time[rows], user, time) for rows in (y == 1, slice(None)))
    recent, recently = (count_before(user[rows], time[rows], user, time, 2.0) for rows in (y == 1, slice(None)))
    return {
        "clicks": clicks,
        "rate": (clicks + 1) / (shown + 30),
        "clicks of two days": recent,
        "rate of two days": (recent + 1) / (recently + 30),
        "impressions of two days": recently,
        "clicks, blurred": clicks + rng.normal(size=len(y)),
    }


MEMORIES = pytest.mark.parametrize("memory", [0, -3, 2], ids=["none", "satiation", "habit"])


@MEMORIES
def test_false_alarms_come_as_often_as_promised_whatever_clickers_remember(memory):
    alarms = []
    for seed in range(40):
        rng, user, time, y = log_with_memory(seed, memory)
        X = pd.DataFrame(honest_histories(rng, user, time, y))
        found = future_correlation(X, y, user, time, false_alarms=0.6)  # 0.1 each
        alarms.append(found.groupby("what", sort=False)["suspicious"].any()[list(X)].to_numpy())
        assert not future_correlation(X, y, user, time)["suspicious"].any()
    share = dict(zip(X, np.mean(alarms, axis=0), strict=True))
    assert max(share.values()) < 0.1 + 3 * np.sqrt(0.1 * 0.9 / 40)
    assert share["clicks, blurred"] > 0.03  # it is a test, and no deaf one
    assert share["clicks"] == share["rate"] == share["clicks of two days"] == 0  # they know nothing before a click


@MEMORIES
def test_a_leak_is_found_whatever_clickers_remember(memory):
    for seed in range(5):
        rng, user, time, y = log_with_memory(seed, memory)
        known = honest_histories(rng, user, time, y)
        some = y * (rng.random(len(y)) < 0.1)
        X = pd.DataFrame(
            {
                "one row in ten": (known["clicks"] + some + 1) / 30,
                "its own row": known["rate of two days"] + y / 30,
                "blurred": known["clicks, blurred"] + y,
            }
        )
        found = future_correlation(X, y, user, time).set_index(["what", "check"])["suspicious"]
        assert found[:, "own label"].all()


def test_one_lucky_row_is_no_leak():
    user, y = np.repeat(np.arange(500), 2), np.tile([0, 1], 500)
    x = np.zeros(1000)
    x[1] = 1.0  # at a click, as half of the second rows are
    y[3::4] = 0
    assert not future_correlation(pd.DataFrame({"x": x}), y, user, np.tile([0, 1], 500), 0.2)["suspicious"].any()


def test_what_cannot_be_compared_is_not_suspicious():
    one_key = future_correlation(pd.DataFrame({"x": [0, 1, 1]}), [0, 1, 0], [7, 7, 7], [1, 2, 3])
    assert one_key[["value", "limit"]].to_numpy().tolist() == [[0, 1], [0, 1]]


def test_rows_of_one_moment_know_the_same():
    user, y = np.repeat(np.arange(40), 5), np.tile([0, 0, 1, 0, 0], 40)
    X = pd.DataFrame({"leak": y, "shared": np.repeat(y[2::5] * np.arange(40), 5)})
    found = future_correlation(X, y, user, np.zeros(200)).set_index(["what", "check"])
    assert found.loc[("leak", "own label"), "value"] == pytest.approx(1)
    assert found["suspicious"].to_dict() == {(w, c): (w, c) == ("leak", "own label") for w, c in found.index}
    assert found.loc[("leak", "own label"), "reason"].endswith("over 200 rows")
    assert found.loc[("leak", "first row"), "reason"].endswith("over 40 rows")


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


def test_a_missing_value_is_a_value_but_no_id():
    train = pd.DataFrame({"id": pd.Series([None, np.nan, "x"], dtype=object), "n": [1, 1, 2]})
    test = pd.DataFrame({"id": pd.Series([None, np.nan, "x", "y"], dtype=object), "n": [1, 3, 2, 2]})
    assert duplicates_across_split(train, test)["reason"].iloc[0].startswith("2 of 4")
    assert duplicates_across_split(train, test, ["id"])["reason"].iloc[0].startswith("1 of 4")
    assert duplicates_across_split(train[["id"]], test[["id"]])["value"].iloc[0] == 0.75
    assert split_overlap(train, test, "id")["value"].iloc[0] == 0.25


ROWS = st.lists(st.tuples(st.sampled_from([None, 1, 2]), st.sampled_from([None, 0.5, 1.0])), min_size=1, max_size=6)


@given(ROWS, ROWS)
def test_copies_against_a_set_of_rows(train, test):
    frames = [pd.DataFrame(rows, columns=["id", "x"]).astype({"id": "Int64", "x": float}) for rows in (train, test)]
    copies = np.mean([row in set(train) for row in test])
    shared = np.mean([row[0] is not None and row[0] in {known for known, _ in train} for row in test])
    assert duplicates_across_split(*frames)["value"].iloc[0] == pytest.approx(copies)
    assert duplicates_across_split(*frames, ["id"])["value"].iloc[0] == pytest.approx(shared)
    assert split_overlap(*frames, "id")["value"].iloc[0] == pytest.approx(shared)


def test_measures_with_a_fraction_in_one_table_only_are_compared():
    train, test = pd.DataFrame({"price": [1.5, 2.0, np.inf]}), pd.DataFrame({"price": [2.0, 3.0, np.inf]})
    assert duplicates_across_split(train, test)["reason"].iloc[0].startswith("2 of 3")


@pytest.mark.parametrize(
    "keys", [(np.array([2**60, 7]), [2**60 + 1, 7]), ([1, 7], [2.0, 7.0]), (["a", "7"], ["b", "7"])]
)
def test_ids_are_compared_exactly(keys):
    train, test = (pd.DataFrame({"id": side}) for side in keys)
    assert split_overlap(train, test, "id")["value"].iloc[0] == 0.5
    assert duplicates_across_split(train, test, ["id"])["value"].iloc[0] == 0.5


def test_overlap_by_hand():
    train, test = pd.DataFrame({"s": [1, 2, 2]}), pd.DataFrame({"s": [2, 2, 5, 6, 7]})
    row = split_overlap(train, test, "s").iloc[0]
    assert (row["value"], row["suspicious"]) == (0.4, True)
    assert row["reason"] == "40.0% of test rows have a s that train has, 1 of them"


def test_what_was_known_by_hand():
    X = pd.DataFrame(
        {
            "request": [1, 1, 2, 2],
            "ad": ["a", "b", "a", "c"],
            "position": [1, 2, 1, 2],
            "rate": [0.1, 0.2, 0.3, np.nan],
            "charged": [0.0, 1.5, 0.0, 0.0],
        }
    )
    served = X.assign(position=1, rate=[0.1, 0.2, 0.4, np.nan]).drop(columns="charged")[::-1]
    found = known_at_serving(X, served, ["request", "ad"], limit=0.3)
    assert found[["check", "what", "value", "limit", "suspicious"]].to_numpy().tolist() == [
        ["known at serving", "charged", 1.0, 0.3, True],
        ["known at serving", "position", 0.5, 0.3, True],
        ["known at serving", "rate", 0.25, 0.3, False],
    ]
    assert found["reason"].tolist() == [
        "charged is not among what was served",
        "position is not what was served in 50.0% of rows",
        "rate is not what was served in 25.0% of rows",
    ]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from([None, 0.25, 1.0, 2.0])), min_size=1),
    st.dictionaries(st.integers(0, 6), st.sampled_from([None, 0.25, 1.0, 2.0]), min_size=1),
)
def test_what_was_known_against_a_dictionary(rows, served):
    X = pd.DataFrame({"id": [i for i, _ in rows], "x": pd.Series([x for _, x in rows], dtype=float)})
    log = pd.DataFrame({"id": list(served), "x": pd.Series(served.values(), dtype=float)})
    other = [i not in served or served[i] != x for i, x in rows]
    assert known_at_serving(X, log, "id")["value"].tolist() == pytest.approx([np.mean(other)])


def test_what_was_not_served_was_not_known():
    X = pd.DataFrame({"id": [1, 1, None, 3], "x": [5, 5, 5, 5], "t": ["a", "a", None, "a"]})
    served = pd.DataFrame({"id": [None, 1, 2], "x": [5, 5, 5], "t": ["a", "a", "a"]})
    assert known_at_serving(X, served, "id").set_index("what")["value"].to_dict() == {"x": 0.5, "t": 0.5}


@pytest.mark.parametrize(
    ("offline", "served", "value"),
    [
        ([0.1, 0.3], np.array([0.1, 0.3], np.float32), 0),  # as the server keeps them
        ([0.1, 0.3], [0.1 * (1 + 5e-6), 0.3 * (1 + 5e-7)], 0.5),
        ([1e7, 3.0], [1e7 + 1, 3.0], 0.5),  # whole numbers are exact
        ([2**53 + 1, 3], [2**53, 3], 0.5),
        ([1, 0], [1.0, 0.5], 0.5),
        ([True, False], [1, 0], 0),
        ([Decimal("0.1"), Decimal("0.2")], [0.1, 0.3], 0.5),
        ([np.inf, -np.inf], [np.inf, np.inf], 0.5),
        ([np.inf, 1.0], [2, 1], 0.5),  # a ratio by nothing, beside whole numbers
        ([0.5, np.nan], [np.nan, np.nan], 0.5),
        ([0.5, None], pd.array([0.5, None], dtype="Float64"), 0),
        ([None, None], [0.5, None], 0.5),
        (pd.Categorical([0.5, 0.25]), pd.Categorical([0.5, 0.75]), 0.5),
        (pd.Categorical([0.1, 0.3]), np.array([0.1, 0.3], np.float32), 0),
        (pd.Categorical(["a", None]), ["a", None], 0),
        (pd.to_datetime(["2026-01-01", "2026-01-02"]), pd.to_datetime(["2026-01-01", "2026-01-03"]), 0.5),
    ],
)
def test_the_same_value_in_another_container_was_known(offline, served, value):
    X, log = (pd.DataFrame({"id": [1, 2]}).assign(x=x) for x in (offline, served))
    assert known_at_serving(X, log, "id")["value"].tolist() == [value]


def test_the_histories_of_the_log_are_what_its_server_had():
    log = simulate_ad_log(3_000, seed=3, n_users=200)
    clicks = log[log["click"] == 1]
    arrived = clicks["timestamp"] + pd.to_timedelta(clicks["click_delay"], unit="s").dt.ceil("ms")
    X = log[["request_id", "ad_id"]].assign(
        arrived=count_before(clicks["user_id"], arrived, log["user_id"], log["timestamp"]),
        shown=count_before(clicks["user_id"], clicks["timestamp"], log["user_id"], log["timestamp"]),
    )
    served = log[["request_id", "ad_id"]].assign(arrived=log["user_clicks"], shown=log["user_clicks"])
    found = known_at_serving(X, served.sample(frac=1, random_state=0), ["request_id", "ad_id"]).set_index("what")
    assert found.loc["arrived", "value"] == 0
    assert found.loc["shown", "suspicious"]


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


@pytest.mark.parametrize("clicks", [5, 10])
def test_few_clicks_do_not_accuse_a_model_at_the_ceiling(clicks):
    rng = np.random.default_rng(0)
    p = np.full(1_000, clicks / 1_000)
    entropy = -(p * np.log(p) + (1 - p) * np.log1p(-p)).mean()
    labels = (rng.random((600, 1_000)) < p).astype(int)
    accused = [beats_the_ceiling(y, p, entropy, 0.001)["suspicious"].iloc[0] for y in labels if y.any()]
    assert np.mean(accused) < 0.004  # it was 0.03 and 0.01 by the spread of the labels alone


@pytest.mark.parametrize("names", [[0, 1], [("a", "b"), ("a", "c")], [None, "x"]])
def test_columns_may_have_any_name(names):
    frame = pd.DataFrame([[1, 2], [3, 4]]).set_axis(names, axis=1)
    assert (
        duplicates_across_split(frame, frame.head(1), names[1:])["reason"].iloc[0]
        == "1 of 1 test rows are in train too"
    )
    assert duplicates_across_split(frame, frame.iloc[::-1])["value"].iloc[0] == 1


def test_subset_may_be_one_name_or_an_index():
    train, test = pd.DataFrame({"id": [1, 2], "x": [5, 6]}), pd.DataFrame({"id": [1, 3], "x": [7, 6]})
    assert duplicates_across_split(train, test, "id")["value"].iloc[0] == 0.5
    assert duplicates_across_split(train, test, test.columns)["value"].iloc[0] == 0


@pytest.mark.parametrize(("known", "asked"), [([1.0, 2.0], [1.5, 2.0]), ([1.0, np.inf], [2.0, np.inf])])
def test_measures_are_no_keys(known, asked):
    train, test = pd.DataFrame({"x": known}), pd.DataFrame({"x": asked}, dtype=np.float32)
    expected = np.isin(asked, known).mean()
    assert duplicates_across_split(train, test)["value"].iloc[0] == expected


def test_steps_of_a_history_do_not_overflow():
    rng = np.random.default_rng(0)
    user, time, y = np.repeat(range(50), 6), np.tile(range(6), 50), rng.integers(0, 2, 300)
    up = rng.choice([-1.0, 1.0], 300)
    small, large = (future_correlation(pd.DataFrame({"h": up * size}), y, user, time) for size in (1, 1.7e308))
    np.testing.assert_allclose(large["value"], small["value"])


X2, Y2 = pd.DataFrame({"x": [1.0, 2.0]}), [0, 1]
TEXT = X2.astype(int).astype(str)
TWO = pd.DataFrame({"id": [1, 2], "x": [1, 1], "y": [7, 7]})
ZONES = pd.Series([pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-01", tz="UTC")], dtype=object)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: single_feature_scores(X2, [0, 1, 1]), "y has 3 rows, X has 2"),
        (lambda: single_feature_scores(pd.DataFrame({"t": ZONES}), Y2), "column 't' holds values of two kinds"),
        (lambda: split_overlap(X2, X2, ["x"]), r"train has no column \['x'\]"),
        (lambda: single_feature_scores(X2, [0, 2]), "y must be 0 or 1, got 2 at row 1"),
        (lambda: single_feature_scores(X2, [0, 0]), "y holds only 0"),
        (lambda: single_feature_scores(X2, Y2, 0.5), r"limit must be in \(0.5, 1\], got 0.5"),
        (lambda: single_feature_scores(X2, Y2, 1.1), r"limit must be in \(0.5, 1\], got 1.1"),
        (lambda: single_feature_scores(pd.DataFrame({"x": [7, "7"]}), Y2), "column 'x' holds keys of two kinds"),
        (lambda: future_correlation(X2, Y2, [1], [1, 2]), "key has 1 rows, X has 2"),
        (lambda: future_correlation(X2, Y2, [1, 1], [1]), "time has 1 rows, X has 2"),
        (lambda: future_correlation(X2, Y2, [1, None], [1, 2]), "key is missing at row 1"),
        (lambda: future_correlation(X2, Y2, [1, 1], [1, np.nan]), "time is missing at row 1"),
        (lambda: future_correlation(X2, Y2, [1, 1], [1, 2], 0), r"false_alarms must be in \(0, 1\), got 0"),
        (lambda: future_correlation(TEXT, Y2, [1, 1], [1, 2]), "column 'x' must hold numbers, got '1' at row 0"),
        (
            lambda: future_correlation(X2.replace(1.0, np.inf), Y2, [1, 1], [1, 2]),
            "column 'x' must be finite .* got inf at row 0",
        ),
        (lambda: duplicates_across_split(X2, X2.head(0)), "test is empty"),
        (lambda: duplicates_across_split(X2.head(0), X2), "train is empty"),
        (lambda: duplicates_across_split(X2, X2, ["z"]), "train has no column 'z'"),
        (lambda: duplicates_across_split(X2, X2, []), "subset is empty"),
        (lambda: duplicates_across_split(X2, X2.rename(columns={"x": "z"})), "no column in common"),
        (lambda: duplicates_across_split(X2, TEXT), "column 'x' of train holds whole numbers and .* of test text"),
        (lambda: split_overlap(X2, X2, "z"), "train has no column 'z'"),
        (lambda: split_overlap(X2, TEXT, "x"), "x of train holds whole numbers and x of test text"),
        (lambda: split_overlap(X2, X2, "x", limit=1.1), r"limit must be in \(0, 1\], got 1.1"),
        (lambda: split_overlap(X2, X2, "x", limit=0), r"limit must be in \(0, 1\], got 0"),
        (lambda: split_overlap(X2.head(0), X2, "x"), "train is empty"),
        (lambda: split_overlap(X2, X2.head(0), "x"), "test is empty"),
        (lambda: known_at_serving(X2, X2, "z"), "X has no column 'z'"),
        (lambda: known_at_serving(X2, X2.rename(columns={"x": "z"}), "x"), "served has no column 'x'"),
        (lambda: known_at_serving(X2, X2, []), "by is empty"),
        (lambda: known_at_serving(X2, X2, None), "X has no column None"),
        (lambda: known_at_serving(X2, X2, "x"), "X has no column beside those of by"),
        (lambda: known_at_serving(X2.head(0), X2, "x"), "X is empty"),
        (lambda: known_at_serving(X2, X2.head(0), "x"), "served is empty"),
        (lambda: known_at_serving(TWO, TWO.iloc[[1, 0, 1]], ["id", "x"]), "the same id, x twice, again at row 2"),
        (lambda: known_at_serving(TWO, TWO.assign(y=["7", "7"]), ["id", "x"]), "column 'y' of X holds whole numbers"),
        (lambda: known_at_serving(TWO, TWO, "id", 0), r"limit must be in \(0, 1\], got 0"),
        (lambda: beats_the_ceiling(Y2, [0.0, 0.5], 0.1), r"y_prob must be in \(0, 1\), got 0 at row 0"),
        (lambda: beats_the_ceiling(Y2, [0.5, 1.0], 0.1), r"y_prob must be in \(0, 1\), got 1 at row 1"),
        (lambda: beats_the_ceiling(Y2, [0.5, 0.5], np.inf), "ceiling must be above 0 and finite, got inf"),
        (lambda: beats_the_ceiling(Y2, [0.5, 0.5], 0), "ceiling must be above 0 and finite, got 0"),
        (lambda: beats_the_ceiling(Y2, [0.5, 0.5], 0.1, 1), r"false_alarms must be in \(0, 1\), got 1"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
