"""A click model from log to serving in one function, with eight faults to plant, one at a time.

Days 0 to 6 train, days 7 and 8 test, days 9 and later are live. Use it to see which check finds which fault.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

FAULTS = {
    "leak": "the ad's click rate in training covers the whole log, its own future included",
    "stale feature": "the upload of the ad's counters stopped on day 9",
    "broken join": "user histories are not found for tablets, and default to an unknown user",
    "unit change": "from day 11 the ad's click rate arrives in percent",
    "missing logs": "clicks from 18:00 to 22:59 are lost on days 11 and 12",
    "wrong calibration": "trained on a tenth of the negatives, not corrected",
    "serving skew": "the server smooths the user's click rate with another prior than training did",
    "feedback loop": "ads that the model rates low are not shown any more, so it never learns better",
}
RATES, CATEGORIES = ["ad_rate", "user_rate"], ["position", "category", "device"]
LAUNCH = 9  # first live day


class Pipeline(NamedTuple):
    """Rows with the columns of the log, the features as the model got them, and its prediction ``p``.

    The live rows also hold the features as recomputed from the log afterwards, in ``ad_rate_offline`` and
    ``user_rate_offline``: without a fault they are equal.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    live: pd.DataFrame


def run_pipeline(log: pd.DataFrame, fault: str | None = None, seed: int = 0) -> Pipeline:
    """Train on the first days of a log, test on the next two, serve the rest, with one fault planted.

    Parameters
    ----------
    log : pandas.DataFrame
        With the columns of ``simulate_ad_log``: day, hour, click, position, category, device, ad_id and the four
        counters as of each impression. Live days may be missing.
    fault : str, optional
        One of ``FAULTS``.
    seed : int
        Fixes which negatives are kept under "wrong calibration".

    Raises
    ------
    ValueError
        If the fault is unknown, a column is missing, or there is no row to train or to test on.

    Examples
    --------
    >>> run_pipeline(pd.DataFrame({"day": [0]}), fault="gremlins")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: fault must be one of leak, ... got 'gremlins'
    """
    if fault is not None and fault not in FAULTS:
        raise ValueError(f"fault must be one of {', '.join(FAULTS)}, got {fault!r}")
    counters = ["ad_clicks", "ad_impressions", "user_clicks", "user_impressions"]
    for column in ["day", "hour", "click", "ad_id", *CATEGORIES, *counters]:
        if column not in log:
            raise ValueError(f"log has no column {column!r}")
    log = log.assign(
        ad_rate=smoothed_rate(log["ad_clicks"], log["ad_impressions"]),
        user_rate=smoothed_rate(log["user_clicks"], log["user_impressions"]),
    )
    # --8<-- [start:offline]
    if fault == "leak":
        clicks = log.groupby("ad_id")["click"]
        log["ad_rate"] = smoothed_rate(clicks.transform("sum"), clicks.transform("size"))
    day = log["day"]
    train, test, live = log[day < 7].copy(), log[day.isin([7, 8])].copy(), log[day >= LAUNCH].copy()
    if fault == "wrong calibration":
        kept = np.random.default_rng(seed).random(len(train)) < 0.1
        train = train[(train["click"] == 1) | kept]
    # --8<-- [end:offline]
    if not len(train) or not len(test):
        raise ValueError("log needs rows of days 0 to 6 to train on, and of day 7 or 8 to test on")
    model = make_pipeline(
        make_column_transformer(
            (FunctionTransformer(np.log), RATES), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES)
        ),
        LogisticRegression(max_iter=300),
    )
    model.fit(train, train["click"])
    live = _serve(live, log[day < LAUNCH], fault)
    for part in (train, test, live):
        part["p"] = model.predict_proba(part)[:, 1] if len(part) else np.empty(0)
    return Pipeline(train, test, live)


def smoothed_rate(clicks: pd.Series, impressions: pd.Series, prior: tuple[float, float] = (1, 33)) -> pd.Series:
    """Return (clicks + prior clicks) / (impressions + prior impressions), 1 / 33 for what was never seen.

    Examples
    --------
    >>> smoothed_rate(pd.Series([0, 2]), pd.Series([0, 67])).round(3).tolist()
    [0.03, 0.03]
    """
    return (clicks + prior[0]) / (impressions + prior[1])


def _serve(live: pd.DataFrame, past: pd.DataFrame, fault: str | None) -> pd.DataFrame:
    """Return the live rows as served and logged, with the features recomputed offline beside."""
    live = live.assign(ad_rate_offline=live["ad_rate"], user_rate_offline=live["user_rate"])
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
        live["user_rate"] = smoothed_rate(live["user_clicks"], live["user_impressions"], prior=(1, 2))
    elif fault == "feedback loop":
        first = live.groupby(["ad_id", "day"])["ad_rate"].first()
        dropped_on = first[first < 0.025].reset_index("day").groupby("ad_id")["day"].min()
        live = live[live["day"] < live["ad_id"].map(dropped_on).fillna(np.inf)]
    # --8<-- [end:serve]
    return live
