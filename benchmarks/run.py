"""Time the snippets against what a reader would use instead, as ratios within one run: ``make bench``.

Prints the tables and writes them to benchmarks/, where pages include them. Exits with 1 if a goal is missed. Names of
tables as arguments run those alone.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import duckdb
import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import river
import torch
import vowpalwabbit
from imblearn.over_sampling import SMOTE
from river.linear_model import LogisticRegression as RiverLogisticRegression
from river.optim import FTRLProximal as RiverFTRLProximal
from scipy import stats
from scipy.sparse import csr_matrix
from sklearn.calibration import calibration_curve
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score
from sklearn.preprocessing import OneHotEncoder
from statsmodels.stats.weightstats import DescrStatsW

from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.ab_test import cuped, delta_method_ratio
from snippets.evaluation.calibration import calibration_ratio, reliability_curve
from snippets.evaluation.confidence_intervals import delong_interval, ne_difference_interval, paired_bootstrap
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.drift import population_stability_index
from snippets.evaluation.interleaving import team_draft
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.off_policy import doubly_robust, ips, snips
from snippets.evaluation.ranking_metrics import (
    group_auc,
    mean_reciprocal_rank,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
)
from snippets.evaluation.slice_report import slice_report
from snippets.features.historical_counters import count_before
from snippets.features.point_in_time_join import point_in_time_join
from snippets.modeling.cross_network import CrossNetworkClassifier
from snippets.modeling.factorization_machine import FactorizationMachineClassifier
from snippets.modeling.gbdt_lr import GBDTLogisticRegression
from snippets.modeling.multi_task import MultiTaskClassifier
from snippets.modeling.smoothed_ctr import SmoothedCTR
from snippets.problem.product_metrics import active_users, sessionize
from snippets.training_data.event_joiner import join_impressions_clicks
from snippets.training_data.ftrl_proximal import FTRLProximal
from snippets.training_data.negative_downsampling import downsample_negatives

HERE = Path(__file__).parent
ROWS = 10_000_000
LIST_LENGTH = 10


def times(*functions: Callable[[], object], repeats: int) -> list[float]:
    """Return the median seconds of each function, run in turns so that all meet the same machine."""
    taken = [[] for _ in functions]
    for _ in range(repeats):
        for function, list_ in zip(functions, taken, strict=True):
            start = time.perf_counter()
            function()
            list_.append(time.perf_counter() - start)
    return [statistics.median(list_) for list_ in taken]


def peak(function: Callable[[], object]) -> int:
    """Return the most bytes that a function holds beyond its input."""
    tracemalloc.start()
    function()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def plain(number: float, digits: int) -> str:
    """Return a number with so many significant digits, and without an exponent."""
    rounded = float(f"{number:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:g}"


def _rates(log: pd.DataFrame) -> list[pd.Series]:
    """Return the logarithms of the smoothed click rates of ad and user so far."""
    return [np.log((log[f"{who}_clicks"] + 1) / (log[f"{who}_impressions"] + 33)) for who in ("ad", "user")]


class Table:
    """Rows of one table, and the goals that they miss."""

    def __init__(self, name: str) -> None:
        self.path = HERE / f"{name}.md"
        self.rows: list[str] = []
        self.missed: list[str] = []

    def compare(self, name, other_name, ours, other, *, goal=1.0, share=1, input_bytes=None, repeats=3) -> None:
        """Time both. ``share``: the other was given one part in so many of the data, its time counts so many times."""
        mine, theirs = times(ours, other, repeats=repeats)
        ratio = share * theirs / mine
        cells = [
            f"`{name}`",
            f"{plain(mine, 3)} s",
            other_name,
            f"{plain(share * theirs, 3)} s{' *' * (share > 1)}",
            f"{plain(ratio, 2)} x",
        ]
        if ratio < goal:
            self.missed.append(f"{name}: {ratio:.2g} times as fast (goal {goal})")
        if input_bytes:
            memory = 1 + peak(ours) / input_bytes
            cells.append(f"{memory:.2f} x")
            if memory > 2:
                self.missed.append(f"{name}: memory {memory:.2f} times the input (goal 2)")
        self.rows.append(f"| {' | '.join(cells)} |")
        print(self.rows[-1], flush=True)

    def write(self, note: str) -> list[str]:
        """Write the table; return what it misses."""
        head = ["Snippet", "Time", "Instead", "Time", "As fast", "Memory, with its input"][
            : self.rows[0].count("|") - 1
        ]
        scaled = " Times with a star are measured on a part of the rows and scaled up." * any(
            "*" in r for r in self.rows
        )
        versions = f"Medians of several runs on {os.cpu_count()} cores with NumPy {np.__version__}."
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *self.rows, "", f"{note}{scaled} {versions}"]
        self.path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.missed


def probabilities() -> list[str]:
    """Time the measures of probabilities."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 30, ROWS)
    y = (rng.random(ROWS) < p).astype(np.int8)
    table, size = Table("probabilities"), y.nbytes + p.nbytes
    table.compare(
        "normalized_entropy",
        "`sklearn.metrics.log_loss`",
        lambda: normalized_entropy(y, p),
        lambda: log_loss(y, p),
        goal=10,
        input_bytes=size,
    )
    # Near memory speed: it reads the labels three times and the predictions three times, one copy moves them twice.
    table.compare(
        "calibration_ratio",
        "one copy of the input",
        lambda: calibration_ratio(y, p),
        lambda: (y.copy(), p.copy()),
        goal=0.5,
        input_bytes=size,
    )
    table.compare(
        "reliability_curve",
        "`sklearn.calibration.calibration_curve`",
        lambda: reliability_curve(y, p),
        lambda: calibration_curve(y, p, n_bins=10, strategy="quantile"),
        input_bytes=size,
    )
    (seconds,) = times(lambda: simulate_ad_log(1_000_000), repeats=3)
    return table.write(
        f"Ten million rows, labels as 8-bit integers. `simulate_ad_log` makes a million impressions in {seconds:.1f} s."
    )


def rankings() -> list[str]:
    """Time the metrics of lists against a call for each list."""
    rng = np.random.default_rng(0)
    groups = rng.permutation(np.repeat(np.arange(ROWS // LIST_LENGTH), LIST_LENGTH))
    score = rng.random(ROWS)
    y = (rng.random(ROWS) < 0.2).astype(np.int8)
    table, part = Table("rankings"), 100
    few = pd.DataFrame({"y": y, "s": score, "g": groups})[groups < ROWS // LIST_LENGTH // part]

    def apply(function):
        return lambda: few.groupby("g")[["y", "s"]].apply(function).mean()

    def auc(g):
        return roc_auc_score(g["y"], g["s"]) if 0 < g["y"].sum() < len(g) else np.nan

    def reciprocal(g):
        clicked = g.sort_values("s", ascending=False)["y"].to_numpy()
        return 1 / (1 + clicked.argmax()) if clicked.any() else np.nan

    order = np.argsort(groups, kind="stable")
    y_matrix, s_matrix = y[order].reshape(-1, LIST_LENGTH), score[order].reshape(-1, LIST_LENGTH)
    lists = slice(0, len(y_matrix) // 10)
    table.compare(
        "ndcg_at_k",
        "`sklearn.metrics.ndcg_score`, lists of equal length only",
        lambda: ndcg_at_k(y, score, groups, 5),
        lambda: ndcg_score(y_matrix[lists], s_matrix[lists], k=5),
        share=10,
        repeats=2,
    )
    for name, ours, other, how, goal in [
        (
            "precision_at_k",
            lambda: precision_at_k(y, score, groups, 5),
            lambda g: g["y"].to_numpy()[np.argsort(-g["s"].to_numpy())[:5]].sum() / 5,
            "NumPy",
            1,
        ),
        (
            "precision_at_k",
            lambda: precision_at_k(y, score, groups, 5),
            lambda g: g.nlargest(5, "s")["y"].sum() / 5,
            "`nlargest`",
            20,
        ),
        (
            "recall_at_k",
            lambda: recall_at_k(y, score, groups, 5),
            lambda g: g.nlargest(5, "s")["y"].sum() / max(g["y"].sum(), 1),
            "`nlargest`",
            20,
        ),
        (
            "mean_reciprocal_rank",
            lambda: mean_reciprocal_rank(y, score, groups),
            reciprocal,
            "`sort_values`",
            20,
        ),
        ("group_auc", lambda: group_auc(y, score, groups), auc, "`roc_auc_score`", 20),
    ]:
        table.compare(name, f"`groupby.apply` with {how}", ours, apply(other), goal=goal, share=part, repeats=2)
    return table.write("Ten million rows in a million lists.")


def statistics_() -> list[str]:
    """Time intervals, off-policy values, drift and slices."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 30, ROWS)
    q = np.clip(p * rng.lognormal(0, 0.2, ROWS), 1e-6, 0.999)
    y = (rng.random(ROWS) < p).astype(np.int8)
    users = rng.integers(0, 1_000_000, ROWS)
    table = Table("statistics")
    table.compare(
        "ne_difference_interval",
        "`log_loss` twice, no interval",
        lambda: ne_difference_interval(y, p, q, users),
        lambda: (log_loss(y, p), log_loss(y, q)),
    )
    table.compare(
        "delong_interval",
        "`roc_auc_score` twice, no interval",
        lambda: delong_interval(y, p, q),
        lambda: (roc_auc_score(y, p), roc_auc_score(y, q)),
    )

    def difference(y, p, q):
        return normalized_entropy(y, q) - normalized_entropy(y, p)

    table.compare(
        "paired_bootstrap",
        "`scipy.stats.bootstrap` of rows, 5 resamples each",
        lambda: paired_bootstrap(normalized_entropy, y, p, q, users, n_resamples=5),
        lambda: stats.bootstrap(
            (y, p, q), difference, n_resamples=5, paired=True, vectorized=False, method="percentile", batch=1
        ),
        repeats=1,
    )
    logging, target = rng.uniform(0.01, 1, ROWS), rng.uniform(0.01, 1, ROWS)

    def weighted(reward):
        described = DescrStatsW(reward, target / logging)
        return described.mean, described.std_mean

    instead = "`statsmodels` `DescrStatsW`"
    table.compare("ips", instead, lambda: ips(y, logging, target), lambda: weighted(y))
    table.compare("snips", instead, lambda: snips(y, logging, target), lambda: weighted(y))
    table.compare(
        "doubly_robust",
        f"{instead} of residuals",
        lambda: doubly_robust(y, logging, target, p, q),
        lambda: weighted(y - p),
    )
    views = rng.geometric(0.2, ROWS)
    table.compare("delta_method_ratio", "`numpy.cov`", lambda: delta_method_ratio(y, views), lambda: np.cov(y, views))
    column = q[:, None]
    table.compare(
        "cuped",
        "`sklearn` `LinearRegression`, residuals",
        lambda: cuped(p, q),
        lambda: p - LinearRegression().fit(column, p).predict(column),
    )
    table.compare(
        "population_stability_index",
        "`scipy.stats.ks_2samp`",
        lambda: population_stability_index(p, q),
        lambda: stats.ks_2samp(p, q, method="asymp"),
    )
    slices = pd.DataFrame({"device": rng.integers(0, 3, ROWS), "hour": rng.integers(0, 24, ROWS)})
    sums = slices.assign(y=y, p=p)
    table.compare(
        "slice_report",
        "`groupby.sum` for each column, no interval",
        lambda: slice_report(slices, y, p),
        lambda: [sums.groupby(c)[["y", "p"]].sum() for c in slices],
    )
    table.compare(
        "deployment_gate",
        "`log_loss` twice and those sums",
        lambda: deployment_gate(y, p, q, users, slices),
        lambda: (log_loss(y, p), log_loss(y, q), [sums.groupby(c)[["y", "p"]].sum() for c in slices]),
    )
    a = np.argsort(rng.random((ROWS // LIST_LENGTH, LIST_LENGTH)), axis=1)
    b = np.argsort(rng.random((ROWS // LIST_LENGTH, LIST_LENGTH)), axis=1)

    def one_by_one():
        for row_a, row_b in zip(a[::100].tolist(), b[::100].tolist(), strict=True):
            shown = []
            for place in range(LIST_LENGTH):
                ranking = row_a if place % 2 else row_b
                shown.append(next(item for item in ranking if item not in shown))

    table.compare(
        "team_draft", "a loop over the lists", lambda: team_draft(a, b, LIST_LENGTH), one_by_one, share=100, repeats=2
    )
    return table.write("Ten million rows, a million users, rankings of ten items.")


def joins() -> list[str]:
    """Time the batch join of ten million events, each impression labelled once."""
    rng = np.random.default_rng(0)
    n = ROWS * 19 // 20
    requests = rng.permutation(n)
    impressions = pd.DataFrame({"request_id": requests, "timestamp": np.sort(rng.integers(0, 86_400_000, n))})
    clicked = rng.choice(n, ROWS - n, replace=False)
    times_of_clicks = impressions["timestamp"].to_numpy()[clicked] + rng.exponential(6e5, ROWS - n).astype(np.int64)
    clicks = pd.DataFrame({"request_id": requests[clicked], "timestamp": times_of_clicks})
    window = 3_600_000

    def merge_asof(impressions, clicks):
        shown = impressions.drop_duplicates("request_id").sort_values("timestamp", kind="stable")
        came = clicks.sort_values("timestamp").assign(click_timestamp=lambda frame: frame["timestamp"])
        joined = pd.merge_asof(shown, came, on="timestamp", by="request_id", direction="forward", tolerance=window)
        return joined.assign(click=joined["click_timestamp"].notna().astype(np.int8))

    def sql(impressions, clicks):
        connection = duckdb.connect()
        connection.register("impressions", impressions)
        connection.register("clicks", clicks)
        return connection.execute(f"""
            with shown as (select distinct request_id, timestamp from impressions),
            first as (
                select shown.request_id, min(clicks.timestamp) as click_timestamp from shown join clicks
                on clicks.request_id = shown.request_id
                and clicks.timestamp between shown.timestamp and shown.timestamp + {window} group by 1
            )
            select shown.*, click_timestamp, (click_timestamp is not null)::tinyint as click
            from shown left join first using (request_id)
        """).df()

    table = Table("joins")
    shuffled = [frame.sample(frac=1, random_state=0, ignore_index=True) for frame in (impressions, clicks)]
    for order, frames in [("in order of time", (impressions, clicks)), ("in any order", shuffled)]:
        for name, other in [("pandas `merge_asof`", merge_asof), (f"DuckDB {duckdb.__version__}", sql)]:
            ours, theirs = partial(join_impressions_clicks, *frames, window), partial(other, *frames)
            if ours()["click"].sum() != theirs()["click"].sum():
                raise RuntimeError(f"{name} finds other clicks")
            table.compare("join_impressions_clicks", f"{name}, events {order}", ours, theirs)
    return table.write("Nine and a half million impressions, half a million clicks, duplicates looked for by all.")


def learners() -> list[str]:
    """Time one pass over a stream: predict each part of 10,000 rows, then learn it. Each learner has its best rate."""
    n, bits, part = 1_000_000, 18, 10_000
    log = simulate_ad_log(n)
    columns = ["position", "hour", "category", "device", "age_group", "ad_id", "advertiser_id", "user_id"]
    texts = [(column + "=" + log[column].astype(str)).to_numpy(object) for column in columns]
    hashed = np.column_stack([pd.util.hash_array(text) % 2**bits for text in texts])
    X = csr_matrix((np.ones(hashed.size), hashed.ravel(), np.arange(0, hashed.size + 1, len(columns))), (n, 2**bits))
    y = log["click"].to_numpy()
    dicts = [dict.fromkeys(row, 1.0) for row in hashed.tolist()]

    def in_parts(model):
        p = np.full(len(y), 0.03)
        start_time = time.perf_counter()
        for start in range(0, len(y), part):
            rows = X[start : start + part]
            if start:
                p[start : start + part] = model.predict_proba(rows)[:, 1]
            model.partial_fit(rows, y[start : start + part], classes=[0, 1])
        return p, time.perf_counter() - start_time

    def ftrl(alpha):
        return in_parts(FTRLProximal(alpha))

    def descent(eta):
        return in_parts(SGDClassifier(loss="log_loss", penalty=None, learning_rate="constant", eta0=eta))

    def river_(alpha):
        model, p = RiverLogisticRegression(RiverFTRLProximal(alpha, l1=0, l2=0), intercept_lr=0), []
        start_time = time.perf_counter()
        for row, label in zip(dicts, y.tolist(), strict=True):
            p.append(model.predict_proba_one(row)[True])
            model.learn_one(row, bool(label))
        return np.array(p), time.perf_counter() - start_time

    with tempfile.TemporaryDirectory() as folder:
        lines = [f"{1 if label else -1} | {' '.join(row)}" for label, *row in zip(y, *texts, strict=True)]
        Path(folder, "log.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

        def vowpal(alpha, command=f"-d {folder}/log.txt -c --quiet -b {bits} --loss_function logistic --ftrl"):
            command += f" --ftrl_alpha {alpha} --ftrl_beta 1"
            predicted = Path(folder, "p.txt")
            vowpalwabbit.Workspace(f"{command} --link logistic -p {predicted}").finish()
            start_time = time.perf_counter()
            vowpalwabbit.Workspace(command).finish()
            return np.loadtxt(predicted), time.perf_counter() - start_time

        lines_out = ["| Learner | Rows a second | Normalized entropy | Best rate |", "|---|---|---|---|"]
        results = {}
        for name, learner, grid in [
            ("`FTRLProximal`, this page", ftrl, (0.2, 0.3, 0.5, 0.7, 1.0)),
            ("scikit-learn `SGDClassifier.partial_fit`, constant rate", descent, (0.01, 0.03, 0.05, 0.1)),
            (
                f"Vowpal Wabbit {vowpalwabbit.__version__} `--ftrl`, C++, from its binary cache",
                vowpal,
                (0.2, 0.3, 0.5, 0.7, 1.0),
            ),
            (f"River {river.__version__} `FTRLProximal`, row by row", river_, (0.5,)),
        ]:
            tried = []
            for rate in grid:
                runs = [learner(rate) for _ in range(1 if learner is river_ else 3)]
                entropy = normalized_entropy(y[n // 2 :], np.clip(runs[0][0][n // 2 :], 1e-9, 1 - 1e-9))
                tried.append((entropy, n / statistics.median(seconds for _, seconds in runs), rate))
            results[learner] = min(tried)
            entropy, speed, rate = results[learner]
            lines_out.append(f"| {name} | {plain(speed, 2)} | {entropy:.4f} | {rate} |")
            print(lines_out[-1], flush=True)
    note = (
        f"One million rows of eight features hashed to {bits} bits. Each 10,000 rows are predicted before they are "
        "learned; normalized entropy over the second half; every learner with the best rate of a grid, River with one."
    )
    (HERE / "learners.md").write_text("\n".join([*lines_out, "", note]) + "\n", encoding="utf-8")
    best, speed, _ = results.pop(ftrl)
    return [
        f"learners: {learner.__name__} has {entropy:.4f} at {other:,.0f} rows a second, ours {best:.4f} at {speed:,.0f}"
        for learner, (entropy, other, _) in results.items()
        if entropy <= best + 0.0005 and other > speed
    ]


def imbalance() -> list[str]:
    """Time training on a log whose classes were balanced in four ways, the making of the rows included."""
    log = simulate_ad_log(200_000)
    groups = [log["category"] == category for category in log["category"].cat.categories]
    X = np.column_stack([*_rates(log), log["position"], log["hour"], *groups]).astype(float)
    y = log["click"].to_numpy()
    ratio = y.sum() / (len(y) - y.sum())

    def sampled():
        keep = downsample_negatives(y, 0.1, np.random.default_rng(0))
        return X[keep], y[keep]

    remedies = {
        "Nothing": lambda: (X, y),
        "Class weights": lambda: (X, y, np.where(y == 1, 1 / ratio, 1.0)),
        "A tenth of the negatives": sampled,
        "SMOTE, from imbalanced-learn": lambda: SMOTE(random_state=0).fit_resample(X, y),
    }
    linear = LogisticRegression(max_iter=500)
    trees = HistGradientBoostingClassifier(early_stopping=False, random_state=0)
    lines = ["| Remedy | Logistic regression | Boosted trees |", "|---|---|---|"]
    seconds = {
        name: times(lambda rows=rows: linear.fit(*rows()), lambda rows=rows: trees.fit(*rows()), repeats=3)
        for name, rows in remedies.items()
    }
    lines += [f"| {name} | {plain(a, 2)} s | {plain(b, 2)} s |" for name, (a, b) in seconds.items()]
    print("\n".join(lines), flush=True)
    lines += ["", f"Seconds to make {len(y):,} rows into a training set and to train on it, medians of three runs."]
    (HERE / "imbalance.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    slow = [
        m
        for m, a, b in zip(["linear", "trees"], seconds["A tenth of the negatives"], seconds["Nothing"], strict=True)
        if a > b
    ]
    return [f"imbalance: sampling does not speed up {name}" for name in slow]


def points_in_time() -> list[str]:
    """Time the as-of join of ten million labels with as many feature rows of a hundred thousand keys."""
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"key": rng.integers(0, 100_000, ROWS), "time": np.sort(rng.integers(0, 10**9, ROWS))})
    features = pd.DataFrame(
        {
            "key": rng.integers(0, 100_000, ROWS),
            "time": np.sort(rng.integers(0, 10**9, ROWS)),
            "value": rng.random(ROWS),
        }
    ).drop_duplicates(["key", "time"], ignore_index=True)
    labels_polars, features_polars = pl.from_pandas(labels), pl.from_pandas(features)

    def ours():
        return point_in_time_join(labels, features, on="time", by="key")

    def with_pandas(rows=features):
        return pd.merge_asof(labels, rows, on="time", by="key", allow_exact_matches=False)

    def with_polars(rows=features_polars):
        return labels_polars.join_asof(rows, on="time", by="key", allow_exact_matches=False, check_sortedness=False)

    def checked(join, rows, twice):
        if twice(rows):
            raise ValueError("two rows of one key and time")
        return join(rows)

    expected = ours()["value"].notna().sum()
    if not expected == with_pandas()["value"].notna().sum() == with_polars()["value"].is_not_null().sum():
        raise RuntimeError("the joins differ")
    table = Table("points_in_time")
    for name, other in [
        ("pandas `merge_asof`, no check", with_pandas),
        (
            "the same, duplicates checked",
            lambda: checked(with_pandas, features, lambda f: f.duplicated(["key", "time"]).any()),
        ),
        (f"Polars {pl.__version__} `join_asof`, no check", with_polars),
        (
            "the same, duplicates checked",
            lambda: checked(with_polars, features_polars, lambda f: f.select("key", "time").is_duplicated().any()),
        ),
    ]:
        table.compare("point_in_time_join", name, ours, other, goal=0, repeats=3)
    return table.write(
        "Tables in order of time. Ours checks for two rows of one key and time, which the others join to either."
    )


def counters() -> list[str]:
    """Time counts in a window of a week against a rolling group-by."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"key": rng.integers(0, 100_000, ROWS), "value": rng.random(ROWS)})
    frame["time"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.sort(rng.integers(0, 28 * 86_400, ROWS)), unit="s")
    indexed, key, time = frame.set_index("time"), frame["key"], frame["time"]
    week = pd.Timedelta("7D")

    def rolling(what):
        return getattr(indexed.groupby("key")["value"].rolling("7D", closed="left"), what)()

    table = Table("counters")
    table.compare(
        "count_before",
        "`groupby.rolling.count`",
        lambda: count_before(key, time, key, time, week),
        lambda: rolling("count"),
    )
    table.compare(
        "count_before",
        "`groupby.rolling.sum`",
        lambda: count_before(key, time, key, time, week, frame["value"]),
        lambda: rolling("sum"),
        goal=0.5,  # pandas was given its index sorted
    )
    return table.write(
        "Ten million events of a hundred thousand keys, a window of seven days that ends before the row."
    )


def sessions() -> list[str]:
    """Time sessions and weekly actives of the simulated log against the usual pandas, and DuckDB."""
    events = simulate_ad_log(ROWS, n_days=28, n_users=200_000)[["user_id", "timestamp"]]
    events["timestamp"] = events["timestamp"].dt.tz_localize(None)
    shuffled = events.sample(frac=1, random_state=0, ignore_index=True)  # streams of many machines come in any order

    def pandas_sessions(stream):
        ordered = stream.sort_values(["user_id", "timestamp"])
        other_user = ordered["user_id"] != ordered["user_id"].shift()
        pause = ordered["timestamp"].diff() > pd.Timedelta("30min")
        return ((other_user | pause).cumsum() - 1).sort_index()

    def duckdb_sessions(stream):
        with duckdb.connect() as connection:
            connection.register("stream", stream.assign(row=np.arange(len(stream))))
            return connection.sql("""
                with pauses as (
                    select *, coalesce(timestamp - lag(timestamp) over w > interval 30 minute, true) as start
                    from stream window w as (partition by user_id order by timestamp)
                )
                select sum(start::int) over (order by user_id, timestamp rows unbounded preceding) - 1 as session
                from pauses order by row
            """).fetchnumpy()["session"]

    def pandas_weekly(stream):
        day = stream["timestamp"].dt.floor("D")
        days = pd.date_range(day.min() + pd.Timedelta("6D"), day.max())
        within = [stream.loc[(day > d - pd.Timedelta("7D")) & (day <= d), "user_id"].nunique() for d in days]
        return pd.Series(within, days)

    def duckdb_weekly(stream):
        with duckdb.connect() as connection:
            connection.register("stream", stream)
            return connection.sql("""
                with active as (select distinct user_id, timestamp::date as day from stream),
                     days as (select distinct day from active)
                select days.day, count(distinct user_id) as users
                from days join active on active.day between days.day - 6 and days.day
                group by all order by all offset 6
            """).fetchnumpy()["users"]

    some = shuffled[shuffled["user_id"] % 50 == 0].reset_index(drop=True)
    for other in (pandas_sessions, duckdb_sessions):
        assert sessionize(some).nunique() == len(np.unique(other(some)))
    for other in (pandas_weekly, duckdb_weekly):
        assert active_users(some, "week").tolist() == list(other(some))
    table = Table("sessions")
    for name, other, ours, theirs in [
        ("sessionize", "pandas: sort, `diff`, `cumsum`", sessionize, pandas_sessions),
        ("sessionize", "DuckDB: `lag`, `sum` over", sessionize, duckdb_sessions),
        ("active_users", "pandas: `nunique` of each week", partial(active_users, period="week"), pandas_weekly),
        ("active_users", "DuckDB: `count(distinct)`", partial(active_users, period="week"), duckdb_weekly),
    ]:
        table.compare(name, other, partial(ours, shuffled), partial(theirs, shuffled))
    return table.write("Ten million impressions of the simulated log in random order, 28 days, a gap of 30 minutes.")


class TorchFactorizationMachine:
    """The same model in PyTorch: embeddings of the columns of the rows, Adagrad, batches of 256."""

    def __init__(self, n_features: int, n_factors: int = 8, learning_rate: float = 0.03, n_epochs: int = 2) -> None:
        torch.manual_seed(0)
        self.linear = torch.nn.Embedding(n_features, 1, sparse=True)
        self.factors = torch.nn.Embedding(n_features, n_factors, sparse=True)
        self.bias = torch.nn.Parameter(torch.zeros(1))
        torch.nn.init.zeros_(self.linear.weight)
        torch.nn.init.normal_(self.factors.weight, 0, 0.05)
        self.rate, self.epochs = learning_rate, n_epochs

    def _logit(self, rows):
        each = self.factors(rows)
        pairs = each.sum(dim=1) ** 2 - (each**2).sum(dim=1)
        return self.bias + self.linear(rows).sum(dim=(1, 2)) + 0.5 * pairs.sum(dim=1)

    def fit(self, X, y):
        """Learn."""
        rows, label = self._rows(X), torch.tensor(y, dtype=torch.float32)
        parameters = [self.linear.weight, self.factors.weight, self.bias]
        optimizer = torch.optim.Adagrad(parameters, lr=self.rate, eps=1e-8)
        for _ in range(self.epochs):
            order = torch.randperm(len(label))
            for start in range(0, len(label), 256):
                batch = order[start : start + 256]
                loss = torch.nn.functional.binary_cross_entropy_with_logits(self._logit(rows[batch]), label[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return self

    def predict_proba(self, X):
        """Return the probabilities of both classes."""
        with torch.no_grad():
            p = torch.sigmoid(self._logit(self._rows(X))).numpy()
        return np.column_stack([1 - p, p])

    @staticmethod
    def _rows(X):
        return torch.tensor(X.indices.reshape(X.shape[0], -1), dtype=torch.int64)


def _click_log(n: int, *, n_users: int = 5_000, n_ads: int = 500) -> dict[str, object]:
    """Return the columns of a log in each form that a model takes."""
    log = simulate_ad_log(n, n_users=n_users, n_ads=n_ads)
    codes = [log[c].cat.codes for c in ("category", "device", "age_group")]
    ids = np.column_stack([*codes, log["position"], log["hour"], log["ad_id"], log["user_id"]])
    return {
        "ids": ids,
        "dense": np.column_stack([*codes, log["position"], log["hour"], *_rates(log)]),
        "sparse": OneHotEncoder(handle_unknown="ignore").fit_transform(ids).astype(np.float64),
        "ad": ids[:, 5:6],
        "y": log["click"].to_numpy(),
        "hide": log["hide"].to_numpy(),
        "past": (log["day"] < 10).to_numpy(),
    }


def _click_models(n_columns: int) -> dict[str, tuple[Callable[[], object], str]]:
    """Return each model, and the form of the columns that it takes."""
    boosting = {"n_estimators": 100, "num_leaves": 12, "learning_rate": 0.1, "n_jobs": 1, "verbose": -1}
    network = partial(CrossNetworkClassifier, learning_rate=0.03, random_state=0)
    machine = partial(FactorizationMachineClassifier, 8, learning_rate=0.03, n_epochs=2, random_state=0)
    return {
        "`SmoothedCTR`, the ad": (SmoothedCTR, "ad"),
        "scikit-learn `LogisticRegression`": (partial(LogisticRegression, C=0.3, max_iter=300), "sparse"),
        "`FTRLProximal`, one pass": (partial(FTRLProximal, 0.3), "sparse"),
        "scikit-learn boosted trees": (
            partial(HistGradientBoostingClassifier, max_leaf_nodes=12, early_stopping=False, random_state=0),
            "dense",
        ),
        f"LightGBM {lightgbm.__version__}": (partial(lightgbm.LGBMClassifier, **boosting), "dense"),
        "`GBDTLogisticRegression`, 60 trees": (partial(GBDTLogisticRegression, 60, random_state=0), "dense"),
        "`FactorizationMachineClassifier`": (machine, "sparse"),
        f"the same in PyTorch {torch.__version__.split('+')[0]}": (
            partial(TorchFactorizationMachine, n_columns),
            "sparse",
        ),
        "`CrossNetworkClassifier`, wide & deep": (partial(network, 8, 0, 32), "ids"),
        "`CrossNetworkClassifier`, two cross layers": (partial(network, 8, 2, 0), "ids"),
        "`MultiTaskClassifier`, click and hide": (
            partial(MultiTaskClassifier, learning_rate=0.03, random_state=0),
            "ids",
        ),
    }


def _train(make: Callable[[], object], X: object, labels: np.ndarray, trained: list) -> None:
    """Train a new model and keep it in the list."""
    trained.append(make().fit(X, labels))


def models() -> list[str]:
    """Time training on ten days and prediction of four for each model of the section, and hold their entropies."""
    torch.set_num_threads(1)
    data = _click_log(210_000)
    past, y = data["past"], data["y"]
    lines = [
        "| Model | Trained | Rows a second | A prediction | 500 candidates | Normalized entropy |",
        "|---|---|---|---|---|---|",
    ]
    entropies = {}
    for name, (make, form) in _click_models(data["sparse"].shape[1]).items():
        X = data[form]
        X, later = X[past], X[~past]
        labels = np.column_stack([y, data["hide"]])[past] if "Multi" in name else y[past]
        trained = []
        (seconds,) = times(partial(_train, make, X, labels, trained), repeats=3)
        model = trained[-1]
        batch, few = times(
            lambda model=model, later=later: model.predict_proba(later),
            lambda model=model, later=later: model.predict_proba(later[:500]),
            repeats=5,
        )
        p = model.predict_proba(later)
        entropies[name] = normalized_entropy(y[~past], p[:, 0] if "Multi" in name else p[:, 1])
        lines.append(
            f"| {name} | {plain(seconds, 2)} s | {plain(past.sum() / seconds, 2)}"
            f" | {plain(1e6 * batch / later.shape[0], 2)} us | {plain(1e3 * few, 2)} ms | {entropies[name]:.4f} |"
        )
        print(lines[-1], flush=True)
    note = (
        f"{past.sum():,} rows to train on, 5,000 users, 500 ads, one thread each. A prediction is the mean of one call "
        f"for {(~past).sum():,} rows; 500 candidates are one call. Medians of three trainings and five predictions."
    )
    (HERE / "models.md").write_text("\n".join([*lines, "", note]) + "\n", encoding="utf-8")

    def found(part):
        return next(entropy for name, entropy in entropies.items() if part in name)

    goals = [
        ("GBDTLogisticRegression", found("GBDT"), found("LightGBM") + 0.01),
        ("FactorizationMachineClassifier", found("Factorization"), found("PyTorch") + 0.005),
    ]
    return [f"models: {name} has {mine:.4f}, goal {goal:.4f}" for name, mine, goal in goals if mine > goal]


def growth() -> list[str]:
    """Time training from ten thousand rows to a million, and the most memory held beyond the rows."""
    torch.set_num_threads(1)
    sizes = [10_000, 100_000, 1_000_000]
    logs = {n: _click_log(n) for n in sizes}
    columns = max(data["sparse"].shape[1] for data in logs.values())
    lines = [
        "| Model | " + " | ".join(f"{n:,} rows" for n in sizes) + " | Memory at the last |",
        "|---" * (len(sizes) + 2) + "|",
    ]
    missed = []
    for name, (make, form) in _click_models(columns).items():
        taken, memory = [], ""
        for n, data in logs.items():
            labels = np.column_stack([data["y"], data["hide"]]) if "Multi" in name else data["y"]
            train = partial(_train, make, data[form], labels, [])
            taken += times(train, repeats=1 if n == sizes[-1] else 3)
            if n == sizes[-1] and "PyTorch" not in name and "LightGBM" not in name:  # theirs is not Python's
                memory = f"{peak(train) / 2**20:,.0f} MB"
        lines.append(f"| {name} | " + " | ".join(f"{plain(s, 2)} s" for s in taken) + f" | {memory or 'not counted'} |")
        print(lines[-1], flush=True)
        if taken[-1] > 30 * taken[-2]:
            missed.append(f"growth: {name} takes {taken[-1] / taken[-2]:.0f} times as long for ten times the rows")
    note = (
        "Seconds to train, one thread. Memory is the most that Python's allocators held beyond the rows themselves; "
        "LightGBM and PyTorch have allocators of their own."
    )
    (HERE / "growth.md").write_text("\n".join([*lines, "", note]) + "\n", encoding="utf-8")
    return missed


TABLES = {
    f.__name__.strip("_"): f
    for f in (
        probabilities,
        rankings,
        statistics_,
        joins,
        learners,
        imbalance,
        points_in_time,
        counters,
        sessions,
        models,
        growth,
    )
}


def main() -> int:
    """Run the tables asked for, or all; write them, and return the exit code."""
    missed = [miss for name in sys.argv[1:] or TABLES for miss in TABLES[name]()]
    for miss in missed:
        print(f"MISSED {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
