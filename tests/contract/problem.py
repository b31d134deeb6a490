"""Product metrics, proxies, values of actions, capacity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from snippets.problem.capacity import Quantity, fan_out_tail, in_flight, latency_quantile, simulate_queue
from snippets.problem.feed import simulate_feed
from snippets.problem.pareto_frontier import pareto_frontier
from snippets.problem.product_metrics import (
    active_users,
    bot_suspects,
    click_through_rate,
    retention,
    revenue,
    session_length,
    sessionize,
    sessions_per_week,
    stickiness,
)
from snippets.problem.surrogate_index import proxy_correlation, surrogate_index
from snippets.problem.value_model import expected_value, values_from_experiments
from tests.contract.calls import Call
from tests.contract.roles import (
    START,
    Bad,
    Count,
    Duration,
    Fixed,
    Matrix,
    Number,
    Numbers,
    Role,
    Table,
    Times,
    Units,
    Values,
    Whole,
    _frozen,
)

DAY = 86_400
USER = [3, 1, 3, 7, 1, 3, 3, 1]
SECONDS = [0, 5, 1_700, 2_000, 1_806, 4_000, 3_501, 9_000]
DAYS = [7, 0, 1, 2, 2, 8, 0, 1]
EVENT = Fixed(["impression", "click"] * 4)


@dataclass
class Datetimes(Times):
    """Times that must be of the calendar, given in seconds; a clock changes among them."""

    def __post_init__(self) -> None:
        self.seconds = np.asarray(self.value, dtype=np.int64)
        self.value = pd.Series(START.tz_convert("UTC").tz_localize(None) + pd.to_timedelta(self.seconds, unit="s"))

    def same(self) -> Values:
        yield from ((label, value) for label, value in Times(self.seconds).same() if "datetimes" in label)

    def bad(self) -> Bad:
        yield from Times(self.seconds).bad()
        yield "numbers", self.seconds, "datetimes"
        yield "durations", pd.to_timedelta(self.seconds, unit="s"), "datetimes"


@dataclass
class Covariances(Role):
    """Square matrices, one a row."""

    def __post_init__(self) -> None:
        self.value = np.asarray(self.value, dtype=np.float64)

    def same(self) -> Values:
        yield "lists", self.value.tolist()
        yield "read-only", _frozen(self.value)
        yield "the other byte order", self.value.astype(">f8")
        yield from ((dtype, self.value.astype(dtype)) for dtype in ("float16", "float32", "longdouble", object))

    def bad(self) -> Bad:
        for value in (np.nan, np.inf, "x", None):
            noise = self.value.astype(object)
            noise[1, 0, 0] = value
            yield repr(value), noise, "row 1"
        yield "a negative variance", -self.value, "at least 0"
        yield "one matrix", self.value[0], "shape"


def stream(**columns):
    """Return events with users."""
    return Table({"user_id": Units(USER), **columns})


def sizes(session):
    """Say of each event how many there are in its session: which number that has depends on the ids."""
    return session.groupby(session).transform("size")


def lengths(seconds):
    return np.sort(seconds)


def scores(click, hide, price):
    return expected_value({"click": click, "hide": hide}, {"click": price, "hide": -8})


def tail(latencies, quantile, n, seed):
    return latency_quantile([latencies, [1.0, 2.0]], quantile, n, seed)


X = [[1.0, 0.5], [-0.5, 2.0], [2.0, -1.0], [0.25, 0.75], [1.5, 1.0]]
GOAL = [1.0, -2.0, 3.0, 0.5, 0.25]
NOISE = np.tile(np.eye(3) / 64, (5, 1, 1))

CALLS = [
    Call(
        sessionize,
        {"events": stream(timestamp=Times(SECONDS)), "gap": Duration(1800)},
        order="rows",
        index=True,
        result=sizes,
    ),
    Call(
        session_length,
        {"events": stream(timestamp=Times(SECONDS)), "gap": Duration(1800)},
        result=lengths,
    ),
    Call(
        sessions_per_week,
        {
            "events": stream(timestamp=Datetimes([x * DAY for x in [0, 5, 9, 9, 12, 1, 15, 15]])),
            "gap": Fixed("30min"),
            "time_zone": Fixed("Europe/Paris"),
            "n_users": Count(5, least=3, optional=True),
        },
    ),
    Call(click_through_rate, {"events": Table({"event": EVENT})}),
    Call(click_through_rate, {"events": stream(event=EVENT), "per": Fixed("user")}),
    Call(
        active_users,
        {"events": stream(timestamp=Datetimes([x * DAY for x in DAYS])), "period": Count(3)},
    ),
    Call(
        stickiness,
        {
            "events": stream(timestamp=Datetimes([x * DAY for x in DAYS])),
            "time_zone": Fixed("Australia/Lord_Howe"),
            "period": Count(3),
        },
    ),
    Call(
        revenue,
        {
            "events": stream(event=EVENT, value=Numbers([0, 2, 4.5, 0.25, -1, 3, 0, 8], missing=True)),
            "n_users": Count(5, least=3, optional=True),
        },
    ),
    Call(
        retention,
        {
            "events": stream(timestamp=Datetimes([x * DAY for x in DAYS])),
            "days": Whole([1, 7], least=1, rows=None),
        },
    ),
    Call(
        bot_suspects,
        {"events": stream(timestamp=Datetimes(SECONDS)), "per_hour": Count(2)},
        result=len,
    ),
    Call(
        scores,
        {
            "click": Numbers([0.25, 0.5, 4.0], interval="[0, inf)"),
            "hide": Numbers([0.0, 0.125, 1.0], interval="[0, inf)"),
            "price": Number(2.5, says="the value of 'click' must"),
        },
        covers=expected_value,
        order="rows",
        index=True,
    ),
    Call(values_from_experiments, {"action_effects": Matrix(X), "goal_effects": Numbers(GOAL)}),
    Call(
        values_from_experiments,
        {"action_effects": Matrix(X), "goal_effects": Numbers(GOAL), "noise": Covariances(NOISE)},
    ),
    Call(
        proxy_correlation,
        {
            "proxy_effects": Numbers(GOAL),
            "goal_effects": Numbers(GOAL[::-1]),
            "noise": Covariances(NOISE[:, :2, :2]),
        },
    ),
    Call(
        surrogate_index,
        {
            "short_history": Matrix(X),
            "long_history": Numbers(GOAL),
            "short_treatment": Matrix(X[:3], rows="treated"),
            "short_control": Matrix(X[2:], rows="control"),
            "level": Number(0.75, interval="(0, 1)"),
        },
    ),
    Call(pareto_frontier, {"points": Matrix(X)}, order="rows"),
    Call(
        simulate_feed,
        {
            "values": Fixed({"click": 1, "hide": -8}),
            "n_users": Count(5),
            "n_weeks": Count(2),
            "seed": Count(0, least=0),
            "honesty": Number(0.5, interval="[-1, 1]"),
            "memory": Number(0.5, interval="[0, 1)"),
            "effect": Number(2.0),
        },
    ),
    Call(
        tail,
        {
            "latencies": Numbers([0.5, 2, 4, 8.25], interval="[0, inf)", says="^latencies must"),
            "quantile": Number(0.5, interval="(0, 1)"),
            "n": Count(20),
            "seed": Count(3, least=0),
        },
        covers=latency_quantile,
        order="matters",
    ),
    Call(fan_out_tail, {"slow_share": Number(0.25, interval="[0, 1]"), "n_calls": Count(3)}),
    Call(
        simulate_queue,
        {
            "rate": Number(2.0, interval="(0, inf)"),
            "service_time": Number(0.25, interval="(0, inf)"),
            "servers": Count(2),
            "n": Count(5),
            "seed": Count(3, least=0),
        },
    ),
    Call(Quantity, {"amount": Number(2.5)}, result=str),
    Call(
        in_flight,
        {"rate": Fixed(Quantity.of("2 request / s")), "latency": Fixed(Quantity.of("80 ms"))},
        result=str,
    ),
]
