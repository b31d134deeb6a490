"""Compare features as they were served with the same features recomputed afterwards.

The measures follow Chronon, "Online Offline Consistency", whose documentation and code define SMAPE differently: both
are reported here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def consistency_report(
    online: pd.DataFrame, offline: pd.DataFrame, keys: Sequence[str], numeric_tolerance: float = 0.0
) -> pd.DataFrame:
    """Return how far the served values of each feature are from the recomputed ones.

    Parameters
    ----------
    online : pandas.DataFrame
        Features as logged when serving, one row for each request.
    offline : pandas.DataFrame
        The same features recomputed for the same requests.
    keys : sequence of str
        Columns that name a request in both, for instance ["request_id", "ad_id"]; unique and never missing.
    numeric_tolerance : float
        Numbers that differ by at most this much count as equal; at least 0.

    Returns
    -------
    pandas.DataFrame
        One row a feature (a column of both frames), the worst first: ``rows`` (requests in either frame); as shares of
        them ``mismatch`` (both have a value, they differ), ``missing`` (offline has a value, online has none) and
        ``extra`` (online has a value, offline has none). For numbers also ``smape`` = sum|a - b| / sum(|a| + |b|) and
        ``smape_mean`` = mean of 2|a - b| / (|a| + |b|), 0 where both are 0, over requests with both values, and
        quantiles of online minus offline, ``delta_05``, ``delta_50``, ``delta_95``. NaN where undefined.

    Raises
    ------
    ValueError
        If a key column is missing, holds missing values or the same request twice; if no feature is in both frames, or
        one is a number in one frame only; if the tolerance is negative.

    Examples
    --------
    >>> online = pd.DataFrame({"id": [1, 2, 3], "rate": [0.1, 0.2, None]})
    >>> offline = pd.DataFrame({"id": [1, 2, 3], "rate": [0.1, 0.3, 0.4]})
    >>> consistency_report(online, offline, ["id"])[["mismatch", "missing", "extra", "smape"]].round(3).values.tolist()
    [[0.333, 0.333, 0.0, 0.143]]
    """
    keys = list(keys)
    if not numeric_tolerance >= 0:
        raise ValueError(f"numeric_tolerance must be at least 0, got {numeric_tolerance}")
    if not keys:
        raise ValueError("keys is empty")
    for name, frame in [("online", online), ("offline", offline)]:
        for key in keys:
            if key not in frame:
                raise ValueError(f"{name} has no key column {key!r}")
            if frame[key].isna().any():
                raise ValueError(f"{name} has no {key!r} at row {int(frame[key].isna().to_numpy().argmax())}")
        twice = frame.duplicated(keys)
        if twice.any():
            raise ValueError(f"{name} holds the request {tuple(frame.loc[twice, keys].iloc[0])} twice")
    features = [column for column in online if column in offline and column not in keys]
    if not features:
        raise ValueError("online and offline have no feature in common")
    both = online[[*keys, *features]].merge(offline[[*keys, *features]], "outer", keys, suffixes=("_a", "_b"))
    rows = [_compare(name, both[f"{name}_a"], both[f"{name}_b"], numeric_tolerance) for name in features]
    shares, numbers = ["mismatch", "missing", "extra"], ["smape", "smape_mean", "delta_05", "delta_50", "delta_95"]
    report = pd.DataFrame(rows, columns=["feature", "rows", *shares, *numbers])
    worst = report[shares].sum(axis=1).sort_values(ascending=False, kind="stable")
    return report.loc[worst.index].reset_index(drop=True)


def _compare(name: str, a: pd.Series, b: pd.Series, tolerance: float) -> dict[str, object]:
    """Compare the served values a of one feature with the recomputed values b."""
    numeric = [pd.api.types.is_numeric_dtype(x.dtype) for x in (a, b) if x.notna().any()]
    if any(numeric) and not all(numeric):
        raise ValueError(f"feature {name!r} is a number in one frame and not in the other")
    # --8<-- [start:compare]
    has_a, has_b = a.notna().to_numpy(), b.notna().to_numpy()
    paired = has_a & has_b
    row = {"feature": name, "rows": len(a), "missing": (has_b & ~has_a).mean(), "extra": (has_a & ~has_b).mean()}
    if numeric and all(numeric):
        x, y = (s.to_numpy(np.float64, na_value=np.nan)[paired] for s in (a, b))
        gap, size = np.abs(x - y), np.abs(x) + np.abs(y)
        row["mismatch"] = (gap > tolerance).sum() / len(a)
        if len(x):
            row["smape"] = gap.sum() / size.sum() if size.any() else 0.0
            row["smape_mean"] = np.divide(2 * gap, size, out=np.zeros_like(gap), where=size > 0).mean()
            low, middle, high = np.quantile(x - y, [0.05, 0.5, 0.95])
            row |= {"delta_05": low, "delta_50": middle, "delta_95": high}
    else:
        row["mismatch"] = (a[paired].astype(object) != b[paired].astype(object)).sum() / len(a)
    # --8<-- [end:compare]
    return row


def sample_by_key(key: ArrayLike, rate: float, salt: str = "ml-design-key-16") -> np.ndarray:
    """Return which rows to log, all rows of a key or none, the same on every machine and on every day.

    Parameters
    ----------
    key : array of shape (n,)
        Whole numbers or strings, for instance user ids.
    rate : float
        Share of the keys, in [0, 1].
    salt : str
        16 ASCII characters. Another salt draws other keys: give each experiment its own.

    Raises
    ------
    ValueError
        If rate is not in [0, 1] or the salt has not 16 characters.

    Examples
    --------
    >>> sample_by_key(["u1", "u2", "u1", "u3"], 0.5).tolist()
    [False, True, False, False]
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate must be in [0, 1], got {rate}")
    if len(salt.encode()) != 16:
        raise ValueError(f"salt must have 16 ASCII characters, got {len(salt.encode())} bytes")
    # --8<-- [start:sample]
    values = pd.Series(key)
    hashed = pd.util.hash_array(values.to_numpy(object).astype(str).astype(object), hash_key=salt, categorize=True)
    return hashed < rate * 2.0**64
    # --8<-- [end:sample]
