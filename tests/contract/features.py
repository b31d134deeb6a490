"""Features, and what looks for leaks in them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from snippets.features.feature_coverage import coverage_alarms, coverage_report
from snippets.features.hashing import collision_share, hash_features
from snippets.features.leakage import (
    beats_the_ceiling,
    duplicates_across_split,
    future_correlation,
    known_at_serving,
    single_feature_scores,
    split_overlap,
)
from tests.contract.calls import Call
from tests.contract.roles import (
    Bad,
    Count,
    Fixed,
    Keys,
    Labels,
    Number,
    Numbers,
    Role,
    Table,
    Times,
    Units,
    Values,
    Whole,
    containers,
    planted,
)


class Texts(Role):
    """Categories that are text; a missing one is a category, too."""

    def same(self) -> Values:
        names = np.array(self.value, dtype=object)
        yield "str", names.astype(str)
        yield "text, categorical", pd.Series(pd.Categorical(names, categories=["nobody", *sorted(set(names))[::-1]]))
        yield "text, Arrow-backed", pd.Series(names, dtype="string[pyarrow]")
        yield "text, Polars", pl.Series(self.value)
        yield "text, PyArrow, dictionary", pa.array(self.value).dictionary_encode()


class Groups(Whole):
    """Whole numbers to cut by; a missing one is a group of its own."""

    def bad(self) -> Bad:
        yield "7 and '7'", planted(self.value, "7"), "kinds"


class Ranked(Numbers):
    """Numbers of which the order counts, so that times will do; infinite or missing ones too."""

    def same(self) -> Values:
        yield from super().same()
        days = pd.Series(pd.Timestamp("2026-03-29") + pd.to_timedelta(self.value, unit="D"))
        yield "datetimes in Paris", days.dt.tz_localize("Europe/Paris")
        yield "timedeltas", days - days[0]
        yield "datetimes, Python", days.astype(object)

    def bad(self) -> Bad:
        yield "7 and '7'", planted(self.value.astype(int), "7"), "kinds"


class Written(Keys):
    """Categories of which it counts how they are written, so that 7, 7.0 and "7" are one."""

    def same(self) -> Values:
        yield from containers(self.value)
        yield "text", self.value.astype(str)
        yield "text, categorical", pd.Series(self.value.astype(str), dtype="category")
        for dtype in ("uint8", "int16", "uint64", "float16", "float32", "float64", "longdouble"):
            yield dtype, self.value.astype(dtype)

    def bad(self) -> Bad:
        yield "a fraction", planted(self.value, 0.5), "0.5|fractions|kinds"


class Counted(Keys):
    """Values to count, of any kind."""

    def bad(self) -> Bad:
        yield "lists", pd.Series([[1]] * len(self.value)), "list"


RNG = np.random.default_rng(1)
USER, TIME = RNG.integers(0, 20, 60), RNG.integers(0, 90, 60)
Y = (RNG.random(60) < 0.3).astype(int)
X = RNG.integers(0, 64, 60) / 32
P = RNG.integers(1, 64, 60) / 64
TRAIN = {
    "id": Keys([1, 2, 2, 3, 5]),
    "x": Numbers([1, 2.5, 2, 3, 4], interval="[-inf, inf]", missing=True, says="kinds"),
}
TEST = {"id": Keys([2, 3, 6]), "x": Numbers([2.5, 0.5, 4], interval="[-inf, inf]", missing=True, says="kinds")}
DAYS = [day for day in range(5) for _ in range(2)][:-1]  # on the last one the other device has gone
REPORT = {
    "day": Times(DAYS),
    "device": Texts(["phone", "tablet"] * 4 + ["phone"]),
    "feature": Texts(["age"] * 9),
    "rows": Numbers([64, 32, 66, 30, 60, 34, 65, 31, 64], interval="[0, inf)"),
    "covered": Role([32, 24, 33, 15, 30, 17, 60, 30, 2]),
    "coverage": Numbers([0.5, 0.75, 0.5, 0.5, 0.5, 0.5, 0.9375, 0.96875, 0.03125], interval="[0, 1]"),
}

CALLS = [
    Call(
        single_feature_scores,
        {"X": Table({"x": Ranked(X)}), "y": Labels(Y), "limit": Number(0.75, interval="(0.5, 1]")},
    ),
    Call(single_feature_scores, {"X": Table({"x": Texts([f"u{u % 4}" for u in USER])}), "y": Labels(Y)}),
    Call(
        future_correlation,
        {
            "X": Table({"x": Numbers(X, missing=True), "z": Numbers(X + Y, missing=True)}),
            "y": Labels(Y),
            "key": Units(USER),
            "time": Times(TIME),
            "false_alarms": Number(0.25, interval="(0, 1)"),
        },
    ),
    Call(
        duplicates_across_split,
        {
            "train": Table({**TRAIN, "id": Keys(TRAIN["id"].value, missing="own")}, rows="train"),
            "test": Table({**TEST, "id": Keys(TEST["id"].value, missing="own")}, rows="test"),
            "limit": Number(0.5, interval="(0, 1]"),
        },
    ),
    Call(
        duplicates_across_split,
        {
            "train": Table({"id": TRAIN["id"]}, rows="train"),
            "test": Table({"id": TEST["id"]}, rows="test"),
            "subset": Fixed(["id"]),
        },
    ),
    Call(
        split_overlap,
        {
            "train": Table({"id": TRAIN["id"]}, rows="train"),
            "test": Table({"id": TEST["id"]}, rows="test"),
            "key": Fixed("id"),
            "limit": Number(0.5, interval="(0, 1]"),
        },
    ),
    Call(
        known_at_serving,
        {
            "X": Table({**TRAIN, "id": Keys(TRAIN["id"].value, missing="own")}, rows="train"),
            "served": Table({**TEST, "id": Keys(TEST["id"].value, missing="own")}, rows="test"),
            "by": Fixed("id"),
            "limit": Number(0.5, interval="(0, 1]"),
        },
    ),
    Call(
        beats_the_ceiling,
        {
            "y": Labels(Y),
            "y_prob": Numbers(P, interval="(0, 1)"),
            "ceiling": Number(0.5, interval="(0, inf)"),
            "false_alarms": Number(0.25, interval="(0, 1)"),
        },
    ),
    Call(
        hash_features,
        {
            "frame": Table({"ad": Written(USER[:8], missing="own"), "device": Texts(list("ababcaba"))}),
            "n_bits": Count(8, least=1, most=31),
            "signed": Fixed(True),
        },
        order="rows",
        empty=True,
    ),
    Call(collision_share, {"n_values": Count(100, most=2**63), "n_bits": Count(8, least=1, most=31)}),
    Call(
        coverage_report,
        {
            "frame": Table({"day": Groups(USER), "x": Counted(TIME % 7, missing="own"), "c": Texts(list("abc") * 20)}),
            "by": Fixed("day"),
        },
    ),
    Call(
        coverage_alarms,
        {
            "report": Table(REPORT),
            "day": Fixed("day"),
            "reference_days": Count(3, least=3),
            "false_alarms": Number(0.25, interval="(0, 1)"),
        },
        result=lambda alarms: alarms.drop(columns="day").astype({"device": str}).sort_values(["device", "rows"]),
    ),
]
