"""What an argument is: the same values in every container and dtype, and values that must be refused.

A role holds small valid values. ``same`` yields them in other containers and dtypes, whose result must be that of
float64 or int64; ``bad`` yields values that break its rule, with what the error must say beside the argument's name.
Choose values that float16 holds, such as multiples of 1/64: a narrow dtype that would mean other numbers is left out.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

WHOLE = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
FLOATS = ["float16", "float32", "float64", "longdouble"]
ZONE = "Europe/Paris"
START = pd.Timestamp("2026-03-29 00:30", tz=ZONE)  # clocks change half an hour later
Values = Iterator[tuple[str, Any]]
Bad = Iterator[tuple[str, Any, str]]  # label, value, what the message must hold


def containers(array: np.ndarray) -> Values:
    """Yield one column of numbers in every container."""
    series = pd.Series(array)
    yield "list", array.tolist()
    yield "tuple", tuple(array.tolist())
    yield "every second of twice as many", np.repeat(array, 2)[::2]
    yield "read-only", _frozen(array)
    yield "the other byte order", array.astype(array.dtype.newbyteorder(">"))
    yield "masked array, nothing masked", np.ma.array(array, mask=np.zeros(len(array), bool))
    yield "objects", array.astype(object)
    yield "Series with an index of its own", series.set_axis(_index(len(array)))
    yield "pandas, nullable", series.convert_dtypes()
    yield "pandas, Arrow-backed", series.convert_dtypes(dtype_backend="pyarrow")
    yield (
        "pandas, Arrow-backed, another index",
        series.convert_dtypes(dtype_backend="pyarrow").set_axis(_index(len(array))),
    )
    yield "pandas, categorical", series.astype("category")
    yield "pandas Index", pd.Index(array)
    yield "Polars", pl.Series(array.tolist())
    yield "PyArrow", pa.array(array.tolist())
    yield "PyArrow in chunks", pa.chunked_array([array[:1].tolist(), array[1:].tolist()])


def dtypes(array: np.ndarray) -> Values:
    """Yield a column of numbers in every NumPy dtype that holds exactly these."""
    for dtype in [*WHOLE, *FLOATS]:
        with np.errstate(invalid="ignore", over="ignore"):
            other = array.astype(dtype)
        if np.array_equal(other.astype(np.float64), array.astype(np.float64)):
            yield dtype, other


def planted(values: Any, value: Any, row: int = 1) -> list:
    """Return a list with one value replaced."""
    out = list(np.asarray(values, dtype=object))
    out[row] = value
    return out


def wrong(values: Any, value: Any) -> Values:
    """Yield a column with one bad value, as objects and, if it is a number, as floats."""
    yield repr(value), planted(values, value)
    if isinstance(value, float | int) and not isinstance(value, bool):
        yield f"{value} as float64", np.array(planted(values, value), dtype=np.float64)
        yield f"{value} as float32", np.array(planted(values, value), dtype=np.float32)


@dataclass
class Role:
    """An argument, or a column of a table."""

    value: Any
    rows: str | None = field(default="rows", kw_only=True)  # arguments of one name have one length
    says: str | None = field(default=None, kw_only=True)  # what errors say in place of the name and the row

    def same(self) -> Values:
        """Yield the values in other containers and dtypes."""
        yield from ()

    def bad(self) -> Bad:
        """Yield values that must be refused, with what the message must hold."""
        yield from ()


class Fixed(Role):
    """Passed as it is: a seed, a function, a generator of random numbers, an option."""

    def __init__(self, value: Any) -> None:
        super().__init__(value, rows=None)


@dataclass
class Numbers(Role):
    """Numbers in an interval, as "[0, 1]" or "(0, inf)"."""

    interval: str = field(default="(-inf, inf)", kw_only=True)
    missing: bool = field(default=False, kw_only=True)  # NaN and None are a value

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.float64)

    def same(self) -> Values:
        yield from containers(self.value)
        yield from dtypes(self.value)
        if (self.value % 1 == 0).all():
            yield from ((f"{label}, whole", value) for label, value in containers(self.value.astype(np.int64)))

    def bad(self) -> Bad:
        if not self.missing:
            yield from ((label, bad, "row 1") for v in (np.nan, None) for label, bad in wrong(self.value, v))
            yield "masked", np.ma.array(self.value, mask=np.arange(len(self.value)) == 1), "row 1"
            yield "missing, nullable", pd.Series(planted(self.value, None), dtype="Float64"), "row 1"
            yield "missing, Polars", pl.Series(planted(self.value, None), dtype=pl.Float64), "row 1"
            yield "missing, PyArrow", pa.array(planted(self.value, None), pa.float64()), "row 1"
        yield "text", planted(self.value, "x"), "row 1"
        yield "all text", [str(v) for v in self.value], "row 0"
        yield "complex", self.value.astype(complex), "row 0"
        yield "one column", self.value[:, None], "shape|dimension"
        low, high = map(float, self.interval[1:-1].split(","))
        for end, beyond, closed in [(low, -1, self.interval[0] == "["), (high, 1, self.interval[-1] == "]")]:
            if not closed:
                yield from ((f"the end itself, {label}", bad, "row 1") for label, bad in wrong(self.value, end))
            if np.isfinite(end):
                for value in (end + beyond, beyond * np.inf):
                    yield from ((f"beyond {end}, {label}", bad, "row 1") for label, bad in wrong(self.value, value))


@dataclass
class Weights(Numbers):
    """Weights of rows; a row of weight 0 is no row."""

    interval: str = field(default="[0, inf)", kw_only=True)


@dataclass
class Labels(Role):
    """Labels, each 0 or 1."""

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.int64)

    def same(self) -> Values:
        yield from containers(self.value)
        yield from dtypes(self.value)
        yield from ((f"{label}, booleans", value) for label, value in containers(self.value.astype(bool)))

    def bad(self) -> Bad:
        for value in (2, -1, 0.5, np.nan, None, np.inf, "1"):
            yield from ((label, bad, "row 1") for label, bad in wrong(self.value, value))
        yield "2 as uint8", np.array(planted(self.value, 2), dtype=np.uint8), "row 1"
        yield "missing, nullable", pd.Series(planted(self.value, None), dtype="Int64"), "row 1"
        yield "missing, Polars", pl.Series(planted(self.value, None), dtype=pl.Int64), "row 1"
        yield "missing, PyArrow", pa.array(planted(self.value, None), pa.int64()), "row 1"
        yield "all text", [str(v) for v in self.value], "row 0"
        yield "one column", self.value[:, None], "shape|dimension"


@dataclass
class Classes(Labels):
    """Any two classes; scikit-learn flattens a column with a warning."""

    def bad(self) -> Bad:
        yield from (case for case in super().bad() if case[0] not in ("one column", "all text"))


@dataclass
class Whole(Role):
    """Whole numbers, such as positions, counts and codes."""

    least: int | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.int64)

    def same(self) -> Values:
        yield from containers(self.value)
        yield from dtypes(self.value)

    def bad(self) -> Bad:
        for value in (0.5, np.nan, None, np.inf, "1"):
            yield from ((label, bad, "row 1") for label, bad in wrong(self.value, value))
        yield "missing, nullable", pd.Series(planted(self.value, None), dtype="Int64"), "row 1"
        yield "missing, Polars", pl.Series(planted(self.value, None), dtype=pl.Int64), "row 1"
        yield "one column", self.value[:, None], "shape|dimension"
        if self.least is not None:
            yield "too small", planted(self.value, self.least - 1), "row 1"


@dataclass
class Matrix(Role):
    """Numbers in two dimensions, one row each."""

    interval: str = field(default="(-inf, inf)", kw_only=True)
    whole: bool = field(default=False, kw_only=True)
    missing: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.int64 if self.whole else np.float64)

    def same(self) -> Values:
        yield "lists", self.value.tolist()
        yield "in columns", np.asfortranarray(self.value)
        yield "read-only", _frozen(self.value)
        yield "the other byte order", self.value.astype(self.value.dtype.newbyteorder(">"))
        yield from dtypes(self.value)
        frame = pd.DataFrame(self.value, columns=[f"x{i}" for i in range(self.value.shape[1])])
        yield "pandas", frame.set_axis(_index(len(frame)))
        yield "pandas, nullable", frame.convert_dtypes()
        yield "pandas, Arrow-backed", frame.convert_dtypes(dtype_backend="pyarrow")
        yield "Polars", pl.from_pandas(frame)
        yield "PyArrow", pa.Table.from_pandas(frame)

    def bad(self) -> Bad:
        wrong = [("inf", np.inf), ("text", "x"), *([] if self.missing else [("NaN", np.nan), ("None", None)])]
        wrong += [("a fraction", 0.5)] if self.whole else []
        for label, value in wrong:
            array = self.value.astype(object)
            array[1, 0] = value
            yield label, array, "row 1"
        yield "one dimension", self.value[:, 0], "shape|dimension"


def keys(values: np.ndarray) -> Values:
    """Yield ids of every kind, equal where the numbers are."""
    top = int(np.max(values, initial=0)) + 1
    names = np.array([uuid.uuid5(uuid.NAMESPACE_OID, str(i)).hex for i in range(top)], dtype=object)[values]
    yield from containers(values)
    yield from ((dtype, array) for dtype, array in dtypes(values) if dtype != "bool")
    yield "hashes above 2^63", values.astype(np.uint64) + np.uint64(2**63)
    yield "ids above 2^53, one apart", values + 1_467_890_123_456_789_012
    yield "ids above 2^53, one apart, as objects", (values + 1_467_890_123_456_789_012).astype(object)
    yield "ids above 2^53, one apart, unsigned", (values + 1_467_890_123_456_789_012).astype(np.uint64)
    yield "negative ids, far apart", -values * 10**15
    yield "text", names.astype(str)
    yield "text, objects", names
    yield "text, Arrow-backed", pd.Series(names, dtype="string[pyarrow]")
    yield (
        "text, categorical with values that are not there",
        pd.Series(pd.Categorical(names, categories=["nobody", *sorted(set(names))[::-1]])),
    )
    yield "text, Polars", pl.Series(names.tolist())
    yield "text, Polars, categorical", pl.Series(names.tolist(), dtype=pl.Categorical)
    yield "text, PyArrow", pa.array(names.tolist())
    yield "text, PyArrow, dictionary", pa.array(names.tolist()).dictionary_encode()
    yield "UUIDs", [uuid.UUID(name) for name in names]
    yield "bytes", [name.encode() for name in names]


@dataclass
class Units(Role):
    """Ids of what is independent, such as users; a missing one must be refused."""

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.int64)

    def same(self) -> Values:
        yield from keys(self.value)

    def bad(self) -> Bad:
        for value in (None, np.nan, pd.NA):
            yield repr(value), planted(self.value, value), "row 1"
        yield "missing, nullable", pd.Series(planted(self.value, None), dtype="Int64"), "row 1"
        yield "missing text", planted([f"u{v}" for v in self.value], None), "row 1"
        yield "missing category", pd.Series(planted(self.value, None), dtype="category"), "row 1"
        yield "missing, Polars", pl.Series(planted(self.value, None), dtype=pl.Int64), "row 1"
        yield "7 and '7'", planted(self.value, "7"), "kinds"
        yield "one column", self.value[:, None], "shape|dimension"


@dataclass
class Keys(Role):
    """Ids to look up: those of one group are ids of the same things, and change together.

    A missing one matches nothing: its row gets what the row of an id gets that is nowhere else. Say ``missing="own"``
    where missing is a value like others, "raises" where it is refused.
    """

    group: str = field(default="key", kw_only=True)
    missing: str = field(default="nothing", kw_only=True)

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.int64)

    def same(self) -> Values:
        yield from keys(self.value)

    def bad(self) -> Bad:
        yield "7 and '7'", planted(self.value, "7"), "kinds"
        if self.missing == "raises":
            yield "None", planted(self.value, None), "row 1"


@dataclass
class Times(Role):
    """Times in whole seconds; those of one group, and its durations, change together."""

    group: str = field(default="time", kw_only=True)

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.int64)

    def same(self) -> Values:
        yield from containers(self.value)
        yield from dtypes(self.value)
        stamps = pd.Series(START + pd.to_timedelta(self.value, unit="s"))
        for unit in ("s", "ms", "us", "ns"):
            yield f"datetimes in {unit}", stamps.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit(unit)
        yield "datetimes in Paris", stamps
        yield "datetimes in UTC, another index", stamps.dt.tz_convert("UTC").set_axis(_index(len(stamps)))
        yield "datetimes, NumPy", stamps.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
        yield (
            "datetimes, NumPy, the other byte order",
            np.asarray(stamps.dt.tz_convert("UTC").dt.tz_localize(None), ">M8[ns]"),
        )
        yield "datetimes, Python", [t.to_pydatetime() for t in stamps.dt.tz_convert("UTC")]
        yield "datetimes, Arrow-backed", stamps.convert_dtypes(dtype_backend="pyarrow")
        yield "datetimes, Polars", pl.Series(stamps)
        yield "datetimes, PyArrow", pa.array(stamps)
        yield "datetimes, Index", pd.DatetimeIndex(stamps)
        yield "timedeltas", pd.Series(pd.to_timedelta(self.value, unit="s"))

    def bad(self) -> Bad:
        stamps = pd.Series(START + pd.to_timedelta(self.value, unit="s"))
        yield from ((label, bad, "row 1") for v in (np.nan, None, np.inf) for label, bad in wrong(self.value, v))
        yield "NaT", stamps.where(np.arange(len(stamps)) != 1), "row 1"
        yield "text", stamps.astype(str), "datetime"
        yield "with a zone and without", [START, *stamps[1:].dt.tz_localize(None)], "kind"


@dataclass
class Duration(Role):
    """A duration in seconds, as long as the times of its group are numbers; ``interval`` as of ``Numbers``."""

    group: str = field(default="time", kw_only=True)
    rows: str | None = field(default=None, kw_only=True)
    optional: bool = field(default=True, kw_only=True)

    def among(self, times: str) -> Values:
        """Yield the same duration beside times of a variant."""
        if "datetimes" in times or times == "timedeltas":
            yield "Timedelta", pd.Timedelta(seconds=self.value)
            yield "timedelta64", np.timedelta64(self.value * 1000, "ms")
            yield "datetime.timedelta", datetime.timedelta(seconds=self.value)
            yield "text", f"{self.value}s"
        else:
            yield "int", int(self.value)
            yield "NumPy", np.int32(self.value)
            yield "float", float(self.value)

    def bad_among(self, times: str) -> Bad:
        """Yield durations that mean nothing beside times of a variant."""
        if "datetimes" in times or times == "timedeltas":
            yield "a bare number", self.value, "duration"
            yield "a bare number as text", str(self.value), "duration"
            yield "no duration", "soon", "duration"
            yield "negative", pd.Timedelta(seconds=-1), "at least 0|above 0"
            yield "missing", pd.NaT, "duration"
        else:
            yield "a timedelta", pd.Timedelta(seconds=self.value), "number"
            yield "text", "30min", "number"
            yield "NaN", np.nan, "at least 0|above 0|number"
            yield "negative", -1, "at least 0|above 0"
            yield "True", True, "number"


@dataclass
class Number(Role):
    """One number in an interval."""

    interval: str = field(default="(-inf, inf)", kw_only=True)
    optional: bool = field(default=False, kw_only=True)
    rows: str | None = field(default=None, kw_only=True)

    def same(self) -> Values:
        yield "NumPy", np.float64(self.value)
        yield "an array of no dimension", np.array(self.value)
        if np.float32(self.value) == self.value:
            yield "float32", np.float32(self.value)
        if self.value == int(self.value):
            yield "int", int(self.value)
            yield "NumPy int", np.int8(self.value)

    def bad(self) -> Bad:
        low, high = map(float, self.interval[1:-1].split(","))
        yield from ((repr(v), v, "") for v in (np.nan, "x", True, [self.value, self.value]))
        if not self.optional:
            yield "None", None, ""
        for end, beyond, closed in [(low, -1, self.interval[0] == "["), (high, 1, self.interval[-1] == "]")]:
            if not closed:
                yield f"{end} itself", end, ""
            if np.isfinite(end):
                yield f"beyond {end}", end + beyond * max(1, abs(end)), ""


@dataclass
class Count(Role):
    """One whole number."""

    least: int | None = field(default=1, kw_only=True)
    most: int | None = field(default=None, kw_only=True)
    optional: bool = field(default=False, kw_only=True)
    rows: str | None = field(default=None, kw_only=True)

    def same(self) -> Values:
        for dtype in ("int8", "uint16", "int64"):
            if np.int64(self.value) <= np.iinfo(dtype).max:
                yield dtype, np.dtype(dtype).type(self.value)

    def bad(self) -> Bad:
        yield from ((repr(v), v, "") for v in (2.5, np.nan, "2", True, [2]))
        if not self.optional:
            yield "None", None, ""
        if self.least is not None:
            yield "too small", self.least - 1, ""
        if self.most is not None:
            yield "too large", self.most + 1, ""


@dataclass
class Table(Role):
    """A table, with the roles of its columns; they have one length."""

    value: dict[str, Role]

    def frame(self, replaced: dict[str, Any]) -> pd.DataFrame:
        """Return it as a data frame, some of its columns replaced."""
        columns = {name: replaced.get(name, role.value) for name, role in self.value.items()}
        index = _index(len(next(iter(self.value.values())).value))
        series = {}
        for name, column in columns.items():
            if isinstance(column, pl.Series | pa.Array | pa.ChunkedArray):
                column = pd.Series((column.to_arrow() if isinstance(column, pl.Series) else column).to_pandas())
            column = column if isinstance(column, pd.Series) else pd.Series(column)
            series[name] = column.set_axis(index[: len(column)])
        return pd.DataFrame(series)

    def same(self) -> Values:
        frame = self.frame({})
        yield "from 0 on", frame.reset_index(drop=True)
        yield "nullable", frame.convert_dtypes()
        yield "Arrow-backed", frame.convert_dtypes(dtype_backend="pyarrow")
        yield "Polars", pl.from_pandas(frame)
        yield "PyArrow", pa.Table.from_pandas(frame, preserve_index=False)

    def bad(self) -> Bad:
        frame = self.frame({})
        yield "no table", [1, 2], "table"
        yield "a Series", frame.iloc[:, 0], "table"
        yield "a column twice", pd.concat([frame, frame.iloc[:, :1]], axis=1), "twice"


def _index(n: int) -> pd.Index:
    return pd.Index([f"row {n - i}" for i in range(n)], name="place")


def _frozen(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.setflags(write=False)
    return array
