"""Time the measures of probabilities."""

from __future__ import annotations

import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from benchmarks.table import ROWS, Comparison, Table, times
from snippets.datasets.ad_log import simulate_ad_log
from snippets.evaluation.calibration import calibration_ratio, reliability_curve
from snippets.evaluation.normalized_entropy import normalized_entropy


def measure() -> Table:
    """Time the measures of probabilities."""
    rng = np.random.default_rng(0)
    p = rng.beta(1, 30, ROWS)
    y = (rng.random(ROWS) < p).astype(np.int8)
    table, size = Comparison("Memory, with its input"), y.nbytes + p.nbytes
    table.compare(
        "normalized_entropy",
        "`sklearn.metrics.log_loss`",
        lambda: normalized_entropy(y, p),
        lambda: log_loss(y, p),
        goal=20,
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
    table.note = (
        f"Ten million rows, labels as 8-bit integers. `simulate_ad_log` makes a million impressions in {seconds:.1f} s."
    )
    return table
