"""Point-in-time joins, historical counters and target encoding."""

from snippets.features.historical_counters import count_before, smoothed_rate
from snippets.features.point_in_time_join import point_in_time_join
from snippets.features.target_encoding import encode_from, encode_ordered, encode_out_of_fold
from tests.contract.calls import Call
from tests.contract.roles import Duration, Fixed, Keys, Number, Numbers, Table, Times, Units

LABELS = Table({"user": Keys([1, 2, 1, 3, 2]), "time": Times([9, 9, 4, 5, 2]), "click": Fixed([0, 1, 1, 0, 0])})
FEATURES = {"user": Keys([1, 2, 1, 2], rows="features"), "time": Times([1, 2, 6, 1], rows="features")}
VISITS = Fixed([3, 4, 5, 6])

EVENTS = {
    "event_key": Keys([1, 2, 1, 4, 1], rows="events"),
    "event_time": Times([1, 3, 6, 6, 8], rows="events"),
    "key": Keys([1, 2, 1, 3]),
    "time": Times([8, 4, 2, 9]),
}
LEARN = {"key": Keys([1, 1, 2, 3, 2, 1]), "y": Numbers([1, 0, 0.5, 1, 0, 1])}
STRENGTH = Number(2.0, interval="[0, 1e15]")

CALLS = [
    *(
        Call(
            point_in_time_join,
            {
                "labels": LABELS,
                "features": Table(FEATURES | more | {"visits": VISITS}, rows="features"),
                "on": Fixed("time"),
                "by": Fixed("user"),
                "tolerance": tolerance,
                "arrival": Fixed("read_at" if more else None),
                "engine": Fixed(engine),
            },
            order="rows",
            index=True,
            result=lambda joined: joined[["click", "visits"]],
            empty=True,
        )
        for engine, more, tolerance in [
            ("pandas", {}, Duration(5)),
            ("duckdb", {}, Fixed(None)),
            ("pandas", {"read_at": Times([2, 7, 8, 3], rows="features")}, Duration(4)),
        ]
    ),
    Call(count_before, EVENTS | {"window": Duration(5)}, order="rows", index=True, empty=True),
    Call(
        count_before,
        EVENTS | {"value": Numbers([1, 2, 0.5, 8, 3], rows="events")},
        order="rows",
        index=True,
        empty=True,
    ),
    Call(
        smoothed_rate,
        {
            "successes": Numbers([0, 1, 30], interval="[0, inf)"),
            "trials": Numbers([0, 1, 64], interval="[0, inf)"),
            "prior_rate": Number(0.25, interval="[0, 1]"),
            "strength": Number(8.0, interval="(0, inf)"),
        },
        order="rows",
        index=True,
    ),
    Call(
        encode_from,
        {
            "key": Keys([1, 1, 2, 3, 2, 1], rows="old"),
            "y": Numbers([1, 0, 0.5, 1, 0, 1], rows="old"),
            "new_key": Keys([1, 2, 5, 1]),
            "strength": STRENGTH,
            "prior": Number(0.25, optional=True),
        },
        order="rows",
        index=True,
    ),
    Call(
        encode_out_of_fold, LEARN | {"fold": Units([0, 1, 1, 0, 0, 2]), "strength": STRENGTH}, order="rows", index=True
    ),
    Call(
        encode_ordered,
        LEARN
        | {"time": Times([5, 2, 5, 1, 7, 9]), "strength": Number(2.0, interval="(0, 1e15]"), "prior": Number(0.25)},
        order="rows",
        index=True,
    ),
]
