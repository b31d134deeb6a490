"""Time target encodings against a group-by in pandas and the encoder of scikit-learn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold
from sklearn.preprocessing import TargetEncoder

from benchmarks.table import ROWS, Comparison, Table
from snippets.features.target_encoding import encode_ordered, encode_out_of_fold


def measure() -> Table:
    """Time target encodings against a group-by in pandas and the encoder of scikit-learn."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"key": rng.integers(0, 100_000, ROWS), "y": rng.integers(0, 2, ROWS)})
    frame["time"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(np.sort(rng.integers(0, 28 * 86_400, ROWS)), unit="s")
    part, fold = frame[: ROWS // 10], np.arange(ROWS) * 50 // ROWS % 5  # in the part, those of KFold
    encoder = TargetEncoder(smooth=20.0, target_type="continuous", cv=KFold(5))

    def ours():
        return encode_ordered(frame["key"], frame["y"], frame["time"], prior=0.5)

    def with_pandas():
        sums = frame.groupby(["key", "time"])["y"].agg(["sum", "size"])
        before = sums.groupby("key").cumsum() - sums
        joined = frame[["key", "time"]].join(before, on=["key", "time"])
        return (joined["sum"] + 10) / (joined["size"] + 20)

    def ours_by_fold(rows=frame):
        return encode_out_of_fold(rows["key"], rows["y"], fold[: len(rows)])

    def with_sklearn():
        return encoder.fit_transform(part[["key"]], part["y"])[:, 0]

    np.testing.assert_allclose(ours(), with_pandas())
    np.testing.assert_allclose(ours_by_fold(part), with_sklearn())
    table = Comparison()
    table.compare("encode_ordered", "two pandas group-bys and a join", ours, with_pandas)
    table.compare("encode_out_of_fold", "`TargetEncoder.fit_transform`", ours_by_fold, with_sklearn, share=10)
    table.note = "Ten million rows of a hundred thousand categories: the rows of earlier seconds, and five folds."
    return table
