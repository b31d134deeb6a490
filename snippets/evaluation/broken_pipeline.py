"""A click model from log to serving, with eight faults to plant, one at a time.

Days 0 to 6 train, days 7 and 8 test, days 9 and later are live. Use it to see which
check finds which fault.
"""

from __future__ import annotations

import numbers
import operator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

FAULTS = {
    "leak": (
        "the ad's click rate in training covers the whole log, its own future included"
    ),
    "stale feature": "the upload of the ad's counters stopped on day 9",
    "broken join": (
        "user histories are not found for tablets, and default to an unknown user"
    ),
    "unit change": "from day 11 the ad's click rate arrives in percent",
    "missing logs": "clicks from 18:00 to 22:59 are lost on days 11 and 12",
    "wrong calibration": "trained on a tenth of the negatives, not corrected",
    "serving skew": (
        "the server smooths the user's click rate with another prior than training did"
    ),
    "feedback loop": (
        "ads that the model rates low are not shown any more, so it never learns better"
    ),
}
RATES, CATEGORIES = ["ad_rate", "user_rate"], ["position", "category", "device"]
LAUNCH = 9  # first live day


class Pipeline(NamedTuple):
    """Rows of the log with the features as the model got them, and its prediction.

    The prediction is the column ``p``. The live rows also hold the features as
    recomputed from the log afterwards, in ``ad_rate_offline`` and
    ``user_rate_offline``: without a fault they are equal.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    live: pd.DataFrame


def run_pipeline(
    log: pd.DataFrame, fault: str | None = None, seed: int = 0
) -> Pipeline:
    """Train on a log's first days, test on two, serve the rest, with one fault planted.

    Parameters
    ----------
    log : table of pandas, Polars or PyArrow
        In order of time, with the columns of ``simulate_ad_log``: day, hour, click,
        position, category, device, ad_id and the four counters as of each impression,
        none of them missing in any row. Live days may be missing.
    fault : str, optional
        One of ``FAULTS``.
    seed : int
        Fixes which negatives are kept under "wrong calibration"; at least 0.

    Raises
    ------
    ValueError
        If the fault is unknown, a column is missing or holds what it should not, or
        there is no click, no row without one, or no row at all to train or to test on.

    Examples
    --------
    >>> run_pipeline(pd.DataFrame({"day": [0]}), fault="gremlins")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: fault must be one of leak, ... got 'gremlins'
    """
    if fault is not None and fault not in [*FAULTS]:
        raise ValueError(f"fault must be one of {', '.join(FAULTS)}, got {fault!r}")
    seed = _count("seed", seed, 0)
    counters = ["ad_clicks", "ad_impressions", "user_clicks", "user_impressions"]
    log = _frame(
        "log", log, ["day", "hour", "click", "ad_id", *CATEGORIES, *counters]
    ).copy()
    for column in ["ad_id", *CATEGORIES]:
        _codes(column, log[column])  # refuses a missing one
        log[column] = _column(column, log[column])
    # To look up, and what is looked up by a category becomes one
    log["ad_id"] = np.asarray(log["ad_id"])
    whole = {"day": (None, None), "hour": (0, 23)} | dict.fromkeys(counters, (0, None))
    for column, (least, most) in whole.items():
        log[column] = _whole(column, log[column], least, most)
    log["click"] = _labels("click", log["click"]).astype(np.int64)
    for who in ("ad", "user"):
        log[f"{who}_rate"] = smoothed_rate(
            log[f"{who}_clicks"], log[f"{who}_impressions"]
        )
    # --8<-- [start:offline]
    if fault == "leak":
        clicks = log.groupby("ad_id")["click"]
        log["ad_rate"] = smoothed_rate(
            clicks.transform("sum"), clicks.transform("size")
        )
    day = log["day"]
    train, test, live = (
        log[day < 7].copy(),
        log[day.isin([7, 8])].copy(),
        log[day >= LAUNCH].copy(),
    )
    if fault == "wrong calibration":
        kept = np.random.default_rng(seed).random(len(train)) < 0.1
        train = train[(train["click"] == 1) | kept]
    # --8<-- [end:offline]
    if train["click"].nunique() < 2 or not len(test):
        raise ValueError(
            "log needs clicks, and rows without one, on days 0 to 6, and rows on day 7 "
            "or 8"
        )
    model = make_pipeline(
        make_column_transformer(
            (FunctionTransformer(np.log), RATES),
            (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        ),
        LogisticRegression(max_iter=300),
    )
    model.fit(train, train["click"])
    live = _serve(live, log[day < LAUNCH], fault)
    for part in (train, test, live):
        part["p"] = model.predict_proba(part)[:, 1] if len(part) else np.empty(0)
    return Pipeline(train, test, live)


def smoothed_rate(
    clicks: ArrayLike, impressions: ArrayLike, prior: tuple[float, float] = (1, 33)
) -> ArrayLike:
    """Return (clicks + prior clicks) / (impressions + prior impressions).

    For what was never seen, that is 1 / 33. ``clicks`` and ``impressions`` are counts
    of shape (n,), at least 0; of a Series, the result has the index. Raises a
    ValueError for other numbers, and if the prior is negative or has no impressions.

    Examples
    --------
    >>> smoothed_rate(pd.Series([0, 2]), pd.Series([0, 67])).round(3).tolist()
    [0.03, 0.03]
    """
    before = _numbers("prior", prior, "[0, inf)")
    if before.shape != (2,) or not before[1]:
        raise ValueError(
            f"prior must be clicks and impressions, the latter above 0, got {prior!r}"
        )
    shown = _numbers("impressions", impressions, "[0, inf)") + before[1]
    clicked = _numbers("clicks", clicks, "[0, inf)") + before[0]
    if len(clicked) != len(shown):
        raise ValueError(
            f"impressions has {len(shown)} rows, clicks has {len(clicked)}"
        )
    return _like(clicked / shown, clicks)


def _serve(live: pd.DataFrame, past: pd.DataFrame, fault: str | None) -> pd.DataFrame:
    """Return the live rows as served and logged, beside the features recomputed."""
    live = live.assign(
        ad_rate_offline=live["ad_rate"], user_rate_offline=live["user_rate"]
    )
    # --8<-- [start:serve]
    if fault == "leak":  # the server cannot see the future
        live["ad_rate"] = smoothed_rate(live["ad_clicks"], live["ad_impressions"])
    elif fault == "stale feature":
        last = past.groupby("ad_id")["ad_rate"].last()
        live["ad_rate"] = live["ad_id"].map(last).fillna(1 / 33)
    elif fault == "broken join":
        live.loc[live["device"] == "tablet", "user_rate"] = 1 / 33
    elif fault == "unit change":
        live.loc[live["day"] >= 11, "ad_rate"] *= 100
    elif fault == "missing logs":
        live.loc[live["day"].isin([11, 12]) & live["hour"].between(18, 22), "click"] = 0
    elif fault == "serving skew":
        live["user_rate"] = smoothed_rate(
            live["user_clicks"], live["user_impressions"], prior=(1, 2)
        )
    elif fault == "feedback loop":
        first = live.groupby(["ad_id", "day"])["ad_rate"].first()
        dropped_on = (
            first[first < 0.025].reset_index("day").groupby("ad_id")["day"].min()
        )
        live = live[live["day"] < live["ad_id"].map(dropped_on).fillna(np.inf)]
    # --8<-- [end:serve]
    return live


# --- The door: copies of tools/door/checks.py, by `make door`. ---


def _array(name: str, values: Any, ndim: int | None = 1) -> np.ndarray:
    """Return numbers of any container as an array; missing ones are NaN, or refused."""
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = values.astype(
            np.float64 if values.dtype.kind in "biuf" else object
        ).filled(np.nan)
    try:
        array = np.asarray(values)
        if array.dtype.kind in "US":  # one text makes texts of all
            array = np.asarray(values, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of one length, of numbers") from error
    if ndim is not None and array.ndim != ndim:
        wanted = {
            0: "be one number",
            1: "have one dimension",
            2: "have two dimensions",
        }[ndim]
        raise ValueError(
            f"{name} must {wanted}, got "
            f"{f'shape {array.shape}' if array.ndim else repr(values)}"
        )
    if array.dtype == object:
        flat = array.ravel()
        good = np.array(
            [
                isinstance(v, numbers.Real | np.bool_) or hasattr(v, "as_integer_ratio")
                for v in flat
            ],
            bool,
        )
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            good.reshape(array.shape),
        )
        whole = all(
            isinstance(v, numbers.Integral | np.bool_) and -(2**63) <= v < 2**63
            for v in flat
        )
        try:
            array = array.astype(np.int64 if whole and flat.size else np.float64)
        except OverflowError:
            # NumPy does so for whole numbers and fractions of more than 308 digits only
            large = [
                isinstance(v, numbers.Rational) and abs(v) >= 2**1023 for v in flat
            ].index(True)
            where = (
                f", got more than 308 digits at row {large}"
                if array.ndim == 1
                else ", got more than 308 digits"
            )
            raise ValueError(f"{name} must be finite as floats{where}") from None
    if array.dtype.kind not in "biuf":
        _refuse(
            name,
            "hold numbers" if array.ndim else "be a number",
            array,
            np.zeros(array.shape, bool),
        )
        array = array.astype(np.float64)  # no row, so nothing to refuse
    return array


def _refuse(
    name: str, rule: str, array: np.ndarray, good: np.ndarray, start: int = 0
) -> None:
    """Raise an error that names the first value that is not good, if there is one."""
    if good.all():
        return
    at = tuple(map(int, np.unravel_index(int(np.argmin(good)), good.shape)))
    value = array[at]
    text = f"{value:.15g}" if isinstance(value, float | np.floating) else f"{value}"
    text = f"'{text}'" if isinstance(value, str) else text
    where = f" at row {at[0] + start}" if at else ""
    where += f", column {at[1]}" if len(at) > 1 else ""
    raise ValueError(f"{name} must {rule}, got {text}{where}")


def _inside(name: str, array: np.ndarray, interval: str, start: int = 0) -> np.ndarray:
    """Return an array as float64, or say which value is not in an interval, as NaN."""
    array = array.astype(np.float64, copy=False)
    low, high = map(float, interval[1:-1].split(","))
    above, below = (
        operator.gt if interval[0] == "(" else operator.ge,
        operator.lt if interval[-1] == ")" else operator.le,
    )
    # The minimum and the maximum are as fast as memory, and NaN passes through both of
    # them.
    if array.size and not (above(array.min(), low) and below(array.max(), high)):
        least = (
            f"{'above' if interval[0] == '(' else 'at least'} {low:g}"
            if np.isfinite(low)
            else ""
        )
        finite = "finite" if interval[-1] == ")" and not np.isfinite(high) else ""
        rule = (
            f"in {interval}"
            if np.isfinite(high)
            else " and ".join(filter(None, [least, finite])) or "a number"
        )
        _refuse(
            name, f"be {rule}", array, above(array, low) & below(array, high), start
        )
    return array


def _numbers(
    name: str, values: Any, interval: str = "(-inf, inf)", ndim: int | None = 1
) -> np.ndarray:
    """Return numbers of any container as float64, all in an interval, as "(0, 1]"."""
    return _inside(name, _array(name, values, ndim), interval)


def _labels(name: str, values: Any, start: int = 0, ndim: int | None = 1) -> np.ndarray:
    """Return labels, each 0 or 1, as float64."""
    array = _array(name, values, ndim)
    if array.dtype != bool:
        _refuse(name, "be 0 or 1", array, (array == 0) | (array == 1), start)
    return array.astype(np.float64, copy=False)


def _whole(
    name: str,
    values: Any,
    least: int | None = None,
    most: int | None = None,
    ndim: int | None = 1,
) -> np.ndarray:
    """Return whole numbers of any container as int64; floats must be below 2^53."""
    array = _array(name, values, ndim)
    if array.dtype.kind == "f":
        array = array.astype(np.float64, copy=False)
        _refuse(
            name,
            "be whole numbers",
            array,
            np.isfinite(array) & (array == np.floor(array)),
        )
        _refuse(
            name, "be below 2^53, for they are floats", array, np.abs(array) < 2**53
        )
    elif array.dtype == np.uint64:
        _refuse(name, "be below 2^63", array, array < 2**63)
    array = array.astype(np.int64, copy=False)
    if least is not None:
        _refuse(name, f"be at least {least}", array, array >= least)
    if most is not None:
        _refuse(name, f"be at most {most}", array, array <= most)
    return array


def _count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return a parameter that is a whole number."""
    rule = f"of at least {least}" if most is None else f"in [{least}, {most}]"
    try:
        if isinstance(value, bool | np.bool_) or not least <= operator.index(value) <= (
            np.inf if most is None else most
        ):
            raise TypeError
    except TypeError:
        raise ValueError(
            f"{name} must be a whole number {rule}, got {value!r}"
        ) from None
    return operator.index(value)


def _like(result: np.ndarray, values: Any) -> Any:
    """Return one number for each row, as a Series if the rows were one."""
    is_series = hasattr(values, "iloc") and getattr(values, "ndim", 0) == 1
    return type(values)(result, index=values.index) if is_series else result


def _column(name: str, values: Any) -> pd.Series:
    """Return a column of any container as a Series of exact values."""
    if (
        isinstance(values, str | bytes | dict | set | frozenset)
        or not hasattr(values, "__len__")
        or getattr(values, "ndim", 1) != 1
        # Tables of Polars and PyArrow do not say how many dimensions they have
        or hasattr(values, "columns")
    ):
        shape = getattr(values, "shape", type(values).__name__)
        raise ValueError(f"{name} must have one dimension, got {shape}")
    index = values.index if isinstance(values, pd.Series) else range(len(values))
    if isinstance(getattr(values, "dtype", None), pd.ArrowDtype):
        values = getattr(values, "array", values).__arrow_array__()
    elif hasattr(values, "to_arrow"):  # Polars
        values = values.to_arrow()
    if hasattr(values, "to_pandas"):  # PyArrow
        return values.to_pandas(types_mapper=_nullable).set_axis(index)
    # pandas' own arrays have masks, too
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        values = np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
    # Of which each entry is a tuple
    if isinstance(values, list | tuple | pd.MultiIndex):
        values = pd.Series([*values], dtype=object)
        # pandas would make floats of them
        if not (pd.api.types.infer_dtype(values) == "integer" and values.hasnans):
            values = values.infer_objects()
    column = values if isinstance(values, pd.Series) else pd.Series(values)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        column = column.astype(
            np.float64 if column.dtype.kind == "f" else column.dtype.newbyteorder("=")
        )
    return column


def _nullable(arrow_type: Any) -> Any:
    """Return the pandas type that keeps whole numbers and booleans beside missing."""
    name = str(arrow_type)
    if name == "bool":
        return pd.BooleanDtype()
    return (
        pd.api.types.pandas_dtype(name.replace("int", "Int").replace("u", "U"))
        if "int" in name[:4]
        else None
    )


def _keys(name: str, values: Any) -> tuple[str | None, np.ndarray, np.ndarray]:
    """Return the kind of keys, each row's number or -1, and the keys so numbered."""
    column = _column(name, values)
    if isinstance(column.dtype, pd.CategoricalDtype):
        kind, _, distinct = _keys(name, column.cat.categories.to_series())
        codes = column.cat.codes.to_numpy()
        present = np.bincount(codes[codes >= 0], minlength=len(distinct)) > 0
        return (
            kind if present.any() else None,
            np.append(np.cumsum(present) - 1, -1)[codes],
            distinct[present],
        )
    there = column.notna().to_numpy(bool)
    if not there.any():
        return None, np.full(len(column), -1), np.empty(0, object)
    kind = _kind_of_keys(name, column, there)
    if kind != "whole numbers":
        try:
            codes, distinct = pd.factorize(column)
        except TypeError as error:
            raise ValueError(f"{name} holds what is no key: {error}") from error
        return kind, codes.astype(np.int64), np.asarray(distinct, dtype=object)
    exact = (
        object
        if column.dtype == object
        else np.uint64
        if str(column.dtype).lower() == "uint64"
        else np.int64
    )
    number = (column if there.all() else column[there]).to_numpy(exact)
    if exact is not np.int64 and number.min() >= -(2**63) and number.max() < 2**63:
        number = number.astype(np.int64)
    low, high = int(number.min()), int(number.max())
    if number.dtype == np.int64 and high - low < len(number):  # no need to hash
        number = number - low
        present = np.bincount(number) > 0
        found, distinct = (
            (np.cumsum(present) - 1)[number],
            np.flatnonzero(present) + low,
        )
    else:
        found, distinct = pd.factorize(number)
    if there.all():
        return kind, found, distinct
    codes = np.full(len(column), -1)
    codes[there] = found
    return kind, codes, distinct


def _kind_of_keys(name: str, column: pd.Series, there: np.ndarray) -> str:
    """Return what keys are, in words: keys of two kinds never match."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind.startswith("mixed"):  # NaT is skipped beside times alone
        kind = pd.api.types.infer_dtype(column[there])
    if kind in ("floating", "mixed-integer-float"):
        number = column.to_numpy(np.float64, na_value=np.nan)
        if not (number[there] == np.floor(number[there])).all():
            return "fractions"
        exact = ~there | (np.abs(number) < 2**53)
        _refuse(
            name,
            "be whole numbers, for as floats from 2^53 on their last digits are lost",
            number,
            exact,
        )
        return "whole numbers"
    types = set(map(type, column[there])) if kind == "mixed" else set()
    if kind == "mixed-integer" or len(types) > 1:
        raise ValueError(
            f"{name} holds keys of two kinds, such as 7 and '7', which never match"
        )
    zone = f" in {column.dtype.tz}" if getattr(column.dtype, "tz", None) else ""
    words = {"string": "text", "integer": "whole numbers", "boolean": "whole numbers"}
    return words.get(kind, "".join(t.__name__ for t in types) or kind + zone)


def _codes(name: str, values: Any) -> np.ndarray:
    """Return the unit of each row, such as its user, as a number from 0 on, no gaps."""
    _, codes, _ = _keys(name, values)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(
            f"{name} is missing at row {row}: leave such rows out, or give each an id "
            "of its own"
        )
    return codes


def _frame(name: str, frame: Any, columns: Any = ()) -> pd.DataFrame:
    """Return a table of any library as a data frame of exact values, each name once."""
    if hasattr(frame, "to_arrow"):  # Polars
        frame = frame.to_arrow()
    if not isinstance(frame, pd.DataFrame):
        if not (hasattr(frame, "to_pandas") and hasattr(frame, "column_names")):
            raise ValueError(
                f"{name} must be a table of pandas, Polars or PyArrow, got "
                f"{type(frame).__name__}"
            )
        frame = frame.to_pandas(types_mapper=_nullable)
    if not frame.columns.is_unique:
        raise ValueError(
            f"{name} has the column {frame.columns[frame.columns.duplicated()][0]!r} "
            "twice"
        )
    for column in columns:
        # Which takes names that cannot be hashed, such as lists
        if column not in list(frame):
            raise ValueError(f"{name} has no column {column!r}")
    # dtypes of pandas, such as categories and times with a zone, have an isnative of 0
    strange = [
        c
        for c, d in frame.dtypes.items()
        if isinstance(d, pd.ArrowDtype) or (isinstance(d, np.dtype) and not d.isnative)
    ]
    if strange:
        frame = frame.copy(deep=False)
        for column in strange:
            frame[column] = _column(column, frame[column])
    return frame


# --- End of the door. ---
