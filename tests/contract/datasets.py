"""The simulated log, and the two logs that are read: what they hold is checked when it is loaded."""

import pandas as pd

from snippets.datasets import clothing_reviews, open_bandit
from snippets.datasets.ad_log import simulate_ad_log
from tests.contract.calls import Call
from tests.contract.roles import Count, Fixed, Number, Table

LOG = {
    "timestamp": Fixed(pd.date_range("2019-11-24", periods=3, tz="UTC")),
    "item_id": Fixed([4, 0, 8]),
    "position": Fixed([1, 3, 2]),
    "click": Fixed([0, 1, 0]),
    "propensity": Fixed([0.25, 1.0, 0.5]),
}
REVIEWS = {
    "item_id": Fixed([4, 0]),
    "age": Fixed([33, 61]),
    "title": Fixed(["", None]),
    "text": Fixed(["fits", "does not"]),
    "rating": Fixed([5, 2]),
    "recommended": Fixed([1, 0]),
    "positive_feedback": Fixed([0, 3]),
    "division": Fixed(["General", "General"]),
    "department": Fixed(["Tops", "Dresses"]),
    "class_name": Fixed(["Knits", "Dresses"]),
}

CALLS = [
    Call(
        simulate_ad_log,
        {
            "n_impressions": Count(12),
            "n_days": Count(4),
            "seed": Count(3, least=0),
            "n_users": Count(5),
            "n_ads": Count(20, least=17),
            "base_ctr": Number(0.25, interval="(0, 0.5)"),
            "drift": Number(0.5, interval="[0, inf)"),
            "exploration_rate": Number(0.5, interval="[0, 1]"),
            "late_share": Number(0.25, interval="[0, 1]"),
            "missingness": Fixed("mcar"),
            "missing_rate": Number(0.5, interval="[0, 1]"),
            "incident": Fixed("lost_clicks"),
            "incident_day": Count(2, least=0, most=3),
        },
    ),
    Call(open_bandit.cache_folder, {}),
    Call(open_bandit.fetch_open_bandit, {}),
    Call(open_bandit.load_open_bandit, {"policy": Fixed("bts"), "campaign": Fixed("men")}, result=len),
    Call(open_bandit.check_log, {"log": Table(LOG)}, order="rows", index=True, empty=True),
    Call(clothing_reviews.cache_folder, {}),
    Call(clothing_reviews.fetch_clothing_reviews, {}),
    Call(clothing_reviews.load_clothing_reviews, {}, result=len),
    Call(clothing_reviews.check_reviews, {"reviews": Table(REVIEWS)}, order="rows", empty=True),
]
