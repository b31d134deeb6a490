"""Time intervals, off-policy values, drift and slices."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.metrics import log_loss, roc_auc_score
from statsmodels.stats.weightstats import DescrStatsW

from benchmarks.table import ROWS, Comparison, Table, peak
from snippets.evaluation.ab_test import cuped, delta_method_ratio
from snippets.evaluation.confidence_intervals import delong_interval, ne_difference_interval, paired_bootstrap
from snippets.evaluation.deployment_gate import deployment_gate
from snippets.evaluation.drift import population_stability_index
from snippets.evaluation.interleaving import team_draft
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.off_policy import doubly_robust, ips, snips
from snippets.evaluation.slice_report import slice_report

LIST_LENGTH = 10


def measure() -> Table:
    """Time intervals, off-policy values, drift and slices."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 30, ROWS)
    q = np.clip(p * rng.lognormal(0, 0.2, ROWS), 1e-6, 0.999)
    y = (rng.random(ROWS) < p).astype(np.int8)
    users = rng.integers(0, 1_000_000, ROWS)
    table = Comparison()
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
    sums["user"] = users
    cuts = [["device", "user"], ["hour", "user"], ["device", "hour", "user"]]
    table.compare(
        "slice_report(depth=2, users=)",
        "`groupby.sum` by user for each cut, no interval",
        lambda: slice_report(slices, y, p, depth=2, users=users),
        lambda: [sums.groupby(cut)[["y", "p"]].sum() for cut in cuts],
        repeats=1,
    )
    held = [peak(lambda units=units: slice_report(slices, y, p, depth=2, users=units)) for units in (None, users)]
    log_bytes = slices.memory_usage(index=False).sum() + y.nbytes + p.nbytes + np.array([0, users.nbytes])
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
    alone, by_user = held / log_bytes
    table.note = (
        "Ten million rows, a million users, rankings of ten items. `slice_report(depth=2)` holds"
        f" {alone:.1f} times its input, with users {by_user:.1f} times."
    )
    return table
