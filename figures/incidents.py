"""A week of a simulated log with one thing wrong, and what an engineer on call may look at.

Each fault is planted in the log or in what a model was served. A view is computed by the snippets as if nobody knew,
and comes with a signal: its numbers, so that a test can say over other logs which views change with which fault.
Days 7 to 13 of the log are the week before the alarm, days 1 to 7; a new model is launched as day 6 begins, a new app
goes out on its afternoon.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np
import pandas as pd

from snippets.datasets.ad_log import DEVICES, simulate_ad_log
from snippets.evaluation.ab_test import delta_method_ratio
from snippets.evaluation.broken_pipeline import RATES, run_pipeline, smoothed_rate
from snippets.evaluation.calibration import calibration_ratio
from snippets.evaluation.drift import population_stability_index, psi_bins, psi_threshold
from snippets.evaluation.normalized_entropy import normalized_entropy
from snippets.evaluation.slice_report import slice_report
from snippets.features.feature_coverage import coverage_report
from snippets.features.leakage import known_at_serving
from snippets.problem.product_metrics import bot_suspects, click_through_rate
from snippets.training_data.delayed_feedback import share_seen
from snippets.training_data.event_joiner import join_impressions_clicks
from snippets.training_data.negative_downsampling import downsample_negatives
from snippets.training_data.online_offline_consistency import consistency_report

ROWS, USERS = 120_000, 5_000
FIRST_DAY = 7  # of the log, day 1 of the week
LAUNCH, JOB = 6 * 24, 7 * 24  # hours since the week began to count: day 6, day 7
ROLLOUT = LAUNCH + 14
VERSIONS, COUNTRIES = ("6.1", "6.2", "6.3"), ("BR", "DE", "IN", "US")
OFFLINE = [f"{rate}_offline" for rate in RATES]
WINDOW, EARLY = "24h", 600  # the joiner's, and in seconds that of a monitor in a hurry
PER_HOUR = 20  # impressions, more than people see here
CUTS = ["device", "version", "country", "category"]
SINGLE = [
    f"{column}={value}"
    for column, values in (("device", DEVICES), ("version", VERSIONS), ("country", COUNTRIES))
    for value in values
]


@dataclass(frozen=True)
class World:
    """The week before an alarm.

    Attributes
    ----------
    rows : DataFrame
        One row an impression. ``click`` is the label that training gets, ``read`` what the dashboards count, ``delay``
        the seconds to the click by the stamps of the stream, NaN without one. ``p`` is what was served, ``p_new`` and
        ``p_old`` what the model that serves and the one before make of the features as served.
    rerun : DataFrame
        The training features of the new model, and ``…_cut`` the same built again from a log that ends earlier.
    """

    rows: pd.DataFrame
    rerun: pd.DataFrame

    def day(self, *days: int) -> pd.DataFrame:
        """Return the rows of some days."""
        return self.rows[self.rows["day"].isin(days)]

    @property
    def before(self) -> pd.DataFrame:
        """The rows of days 1 to 5, on which all was well."""
        return self.day(1, 2, 3, 4, 5)


# The log, and the models


@lru_cache(maxsize=1)
def _log(seed: int) -> pd.DataFrame:
    log = simulate_ad_log(ROWS, seed=seed, n_users=USERS, late_share=0.3)
    rng = np.random.default_rng([seed, 2])
    share, home = rng.random(USERS)[log["user_id"]], rng.choice(4, USERS, p=[0.2, 0.25, 0.25, 0.3])[log["user_id"]]
    log["impression"] = np.arange(len(log))
    log["hours"] = (log["day"].astype(int) - FIRST_DAY + 1) * 24 + log["hour"]
    version = np.where(share < 0.2, 0, np.where((share > 0.45) & (log["hours"] >= ROLLOUT), 2, 1))
    log["version"] = pd.Categorical.from_codes(version, VERSIONS)
    log["country"] = pd.Categorical.from_codes(home, COUNTRIES)
    log["delay"] = log["click_delay"]
    log["click"] = _joined(log)
    return log


def _joined(rows: pd.DataFrame) -> np.ndarray:
    """Return the labels: clicks that the stream brings within the joiner's window."""
    impressions = rows[["impression", "timestamp"]].rename(columns={"impression": "request_id"})
    clicks = impressions[rows["delay"].notna()].copy()
    clicks["timestamp"] += pd.to_timedelta(rows["delay"].dropna().round(3), unit="s").dt.as_unit("ms")
    return join_impressions_clicks(impressions, clicks, WINDOW)["click"].to_numpy(np.int64)


@lru_cache(maxsize=10)
def _fitted(seed: int, fault: str | None = None, old: bool = False) -> pd.DataFrame:
    """Return features and probabilities of the week as a model serves it; the old one was trained a day less."""
    log, clinic = _log(seed), fault
    if fault == "sampled":
        rng, training = np.random.default_rng([seed, 3]), (log["day"] < FIRST_DAY).to_numpy()
        kept = ~training
        kept[training] = downsample_negatives(log["click"][training], 0.5, rng)
        log, clinic = log[kept], None
    elif fault == "not found":  # the counters of ads, for phones
        log, clinic = log.copy(), None
        phones = (log["device"] == "mobile") & (log["hours"] >= JOB)
        log.loc[phones, ["ad_clicks", "ad_impressions"]] = 0, 500  # the server's own default: a rate near zero
    log = log[log["day"] != FIRST_DAY - 1] if old else log
    _, test, live = run_pipeline(log, clinic)
    test = test.assign(**{f"{rate}_offline": test[rate] for rate in RATES})
    return pd.concat([test, live])[[*RATES, *OFFLINE, "p"]]


def _week(seed: int, serving: str | None = None, new: str | None = None) -> World:
    """Return the week with a fault of serving from day 7 on, or with another new model."""
    new_model, old_model = _fitted(seed, new), _fitted(seed, None, old=True)
    log = _log(seed)
    rows = log[log["day"] >= FIRST_DAY].join(new_model)
    if new is not None:  # what the new model was trained on concerns its own days alone
        early = rows["hours"] < LAUNCH
        rows.loc[early, RATES + OFFLINE] = old_model.loc[early, RATES + OFFLINE]
    rows["p_new"], rows["p_old"] = new_model["p"], old_model["p"]
    if serving is not None:
        late = rows["hours"] >= JOB
        rows.loc[late, RATES] = _fitted(seed, serving).loc[late, RATES]
        rows.loc[late, "p_new"] = _fitted(seed, serving).loc[late, "p"]
        rows.loc[late, "p_old"] = _fitted(seed, serving, old=True).loc[late, "p"]
    rows["p"] = rows["p_new"].where(rows["hours"] >= LAUNCH, rows["p_old"])
    rows["day"] = rows["day"].astype(int) - FIRST_DAY + 1
    rows["read"] = rows["click"]
    return World(rows, _rerun(log, leaks=new == "leak"))


def _rerun(log: pd.DataFrame, *, leaks: bool) -> pd.DataFrame:
    """Return the training features of a new model, and the same from a log that ends when training does."""
    past = log["day"] < FIRST_DAY
    features = log.loc[past, ["impression"]].copy()
    for suffix, known in (("", log), ("_cut", log[past])):
        for who in ("ad", "user"):
            rate = smoothed_rate(known[f"{who}_clicks"], known[f"{who}_impressions"])
            if leaks and who == "ad":
                clicks = known.groupby("ad_id")["click"]
                rate = smoothed_rate(clicks.transform("sum"), clicks.transform("size"))
            features[f"{who}_rate{suffix}"] = rate[past]
    return features


# Faults


def sound(seed: int) -> World:
    """Return a week with nothing wrong."""
    return _week(seed)


def lost_labels(seed: int) -> World:
    """Let the new app stamp its clicks in local time, eight hours early: the joiner refuses them."""
    world = _week(seed)
    rows = world.rows
    rows.loc[rows["version"] == VERSIONS[2], "delay"] -= 8 * 3_600
    rows["click"] = rows["read"] = _joined(rows)
    return world


def feature_missing(seed: int) -> World:
    """Lose the ads' counters for phones: the server takes a rate near zero in their place."""
    return _week(seed, "not found")


def unit_changed(seed: int) -> World:
    """Serve the ads' click rate in percent."""
    return _week(seed, "unit change")


def serving_skew(seed: int) -> World:
    """Smooth the user's click rate with another prior than training did."""
    return _week(seed, "serving skew")


def sampled_negatives(seed: int) -> World:
    """Train the new model on half of the negatives, and correct nothing."""
    return _week(seed, new="sampled")


def leak(seed: int) -> World:
    """Train and test the new model on click rates that hold the whole log."""
    return _week(seed, new="leak")


def bots(seed: int) -> World:
    """Let four programs click through the night."""
    world, rng = _week(seed), np.random.default_rng([seed, 4])
    rows = world.rows
    some = rows[(rows["day"] == 7) & (rows["device"] == "desktop")].sample(600, replace=True, random_state=rng)
    clicks = rng.random(600) < 0.35
    some = some.assign(
        hour=np.sort(rng.integers(2, 8, 600)),
        user_id=rows["user_id"].max() + 1 + rng.integers(0, 4, 600),
        version=VERSIONS[0],
        country="IN",
        impression=rows["impression"].max() + 1 + np.arange(600),
        click=clicks.astype(int),
        read=clicks.astype(int),
        conversion=0,
        delay=np.where(clicks, rng.exponential(5, 600), np.nan),
    )
    some["hours"] = JOB + some["hour"]
    moment = some["timestamp"].dt.floor("D") + pd.to_timedelta(some["hour"] * 3_600, unit="s")
    some["timestamp"] = moment.astype(rows["timestamp"].dtype)
    return replace(world, rows=pd.concat([rows, some], ignore_index=True))


def world_changed(seed: int) -> World:
    """Let people come less often from the evening of day 6 on, and click less when they do."""
    world, rng = _week(seed), np.random.default_rng([seed, 5])
    rows = world.rows
    late = (rows["hours"] >= LAUNCH + 18).to_numpy()
    stays = (rng.random(rows["request_id"].max() + 1) > 0.35)[rows["request_id"]]
    return replace(world, rows=_unclicked(rows, late & (rng.random(len(rows)) < 0.35))[stays | ~late])


def page_changed(seed: int) -> World:
    """Push all places but the first below what a screen shows, from day 7 on."""
    world, rng = _week(seed), np.random.default_rng([seed, 6])
    rows = world.rows
    below = (rows["hours"] >= JOB) & (rows["position"] >= 2)
    return replace(world, rows=_unclicked(rows, below.to_numpy() & (rng.random(len(rows)) < 0.9)))


def _unclicked(rows: pd.DataFrame, where: np.ndarray) -> pd.DataFrame:
    """Return rows of which some are not clicked after all."""
    rows = rows.copy()
    rows.loc[where, ["click", "read", "conversion"]] = 0
    rows.loc[where, "delay"] = np.nan
    return rows


def chance(seed: int) -> World:
    """Return a sound week: of its many segments, one fell most."""
    return _week(seed)


def monitor(seed: int) -> World:
    """Let the dashboards count the clicks of the first ten minutes only, from day 7 on."""
    world = _week(seed)
    rows = world.rows
    rows.loc[(rows["hours"] >= JOB) & ~(rows["delay"] <= EARLY), "read"] = 0
    return world


# Alarms: a number of the dashboard, by which a world is watched


@dataclass(frozen=True)
class Metric:
    """A number that dashboards show, of the rows of a stretch of time; ``of`` chooses a segment of a world's rows."""

    name: str
    value: Callable[[pd.DataFrame, str], float]  # of rows, and of the column that holds the clicks
    parts: Callable[[pd.DataFrame], tuple[pd.Series, pd.Series]]  # numerator and denominator of each row
    of: Callable[[World], str] | None = None
    digits: int = 2
    percent: bool = False

    def rows(self, world: World) -> pd.DataFrame:
        """Return the rows that it counts."""
        if self.of is None:
            return world.rows
        names = dict(part.split("=") for part in self.of(world).split(" & "))
        chosen = np.logical_and.reduce([world.rows[column].astype(str) == value for column, value in names.items()])
        return world.rows[chosen]

    def text(self, value: float) -> str:
        """Return a value as the dashboard shows it."""
        return f"{value:.{self.digits}%}" if self.percent else f"{value:.{self.digits}f}"


def _rate(rows: pd.DataFrame, clicks: str) -> float:
    event = np.repeat(["impression", "click"], [len(rows), int(rows[clicks].sum())])
    return click_through_rate(pd.DataFrame({"event": event}))


def fallen(world: World) -> str:
    """Return the pair of segments whose click rate fell most, of those that owe ten clicks on day 7."""
    found = {}
    for a, b in combinations(["device", "country", "category"], 2):
        counted = world.rows.groupby([a, b, world.rows["day"] == 7], observed=True)["read"].agg(["sum", "size"])
        now, past = (counted.xs(is_last, level=2) for is_last in (True, False))
        due = past["sum"] / past["size"] * now["size"]
        found |= {f"{a}={x} & {b}={y}": r for (x, y), r in (now["sum"] / due)[due >= 10].items()}
    return min(found, key=found.get)


RATE = Metric(
    "clicks per impression", _rate, lambda rows: (rows["read"], pd.Series(1.0, rows.index)), digits=1, percent=True
)
PROMISED = Metric(
    "clicks promised for each that came",
    lambda rows, clicks: calibration_ratio(rows[clicks], rows["p"]),
    lambda rows: (rows["p"], rows["read"]),
)
ENTROPY = Metric(
    "normalized entropy",
    lambda rows, clicks: normalized_entropy(rows[clicks], rows["p"]),
    lambda rows: _entropy_parts(rows),
    digits=3,
)
SEGMENT = replace(RATE, name="clicks per impression in the segment", of=fallen)


def _entropy_parts(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return log loss and entropy of the click rate, row by row; the former less what the rate's own error explains."""
    click, rate = rows["read"], rows["read"].mean()
    loss = -np.log(rows["p"].where(click == 1, 1 - rows["p"]))
    entropy = -rate * np.log(rate) - (1 - rate) * np.log(1 - rate)
    slope = np.log((1 - rate) / rate) * loss.mean() / entropy
    return loss - slope * (click - rate), pd.Series(entropy, rows.index)


# Views


@dataclass(frozen=True)
class Seen:
    """What a view shows: a table, or a series of points, and its numbers for a test."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    signal: np.ndarray


def by_block(world: World, metric: Metric, hours: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Return the beginnings of the week's blocks, in days, and the number of the dashboard in each."""
    rows = metric.rows(world)
    blocks = rows.groupby(rows["hours"] // hours * hours)
    values = {start: metric.value(part, "read") for start, part in blocks if part["read"].any()}
    return np.array([*values]) / 24, np.array([*values.values()])


def moment(at: float) -> str:
    """Return a time of the week in words."""
    return f"day {int(at)}, {round(at % 1 * 24):02}:00"


def _when(world: World, metric: Metric) -> Seen:
    start, values = by_block(world, metric)
    rows = [[moment(at), metric.text(value)] for at, value in zip(start, values, strict=True)]
    parts = [(start >= a) & (start < b) for a, b in ((6, 6.5), (6.5, 7), (7, 7.3), (7.3, 8))]
    signal = [values[part].mean() / values[start < 6].mean() for part in parts]
    return Seen(["from", metric.name], rows, np.array(signal))


def by_day(world: World, metric: Metric) -> pd.DataFrame:
    """Return the number of the dashboard on each day, with its 95 % interval, users being the units."""
    found = {}
    for day, rows in metric.rows(world).groupby("day"):
        up, down = (part.groupby(rows["user_id"]).sum() for part in metric.parts(rows))
        value, error = delta_method_ratio(up, down)
        found[day] = value, value - 1.96 * error, value + 1.96 * error
    return pd.DataFrame(found, index=["value", "low", "high"]).T


def _usual(world: World, metric: Metric) -> Seen:
    days = by_day(world, metric)
    rows = [[f"day {day}", *map(metric.text, values)] for day, *values in days.itertuples()]
    past = days.loc[:5, "value"]
    return Seen(["day", metric.name, "95 %: from", "to"], rows, np.array([days.loc[7, "value"] / past.mean()]))


def _traffic(world: World, _: Metric) -> Seen:
    now, past = world.day(7), world.before
    lines = [("all", len(now), len(past) / 5)]
    for column, values in (("version", VERSIONS), ("country", COUNTRIES)):
        a, b = now[column].value_counts(), past[column].value_counts()
        lines += [(f"{column} {v}", a.get(v, 0), b.get(v, 0) / 5) for v in values]
    shares = [a / len(now) for _, a, _ in lines[1:]]
    rows = [[name, f"{a:,}", f"{b:,.0f}"] for name, a, b in lines]
    return Seen(["impressions of", "day 7", "a day before"], rows, np.array([np.log(len(now) / len(past)), *shares]))


def _slices(world: World, _: Metric) -> Seen:
    now = world.day(7)
    report = slice_report(now[CUTS], now["click"], now["p"], depth=2, users=now["user_id"])
    worst, single = report.iloc[0], report.set_index("slice").loc[SINGLE]
    total = calibration_ratio(now["click"], now["p"])
    rows = [["all", f"{now['click'].sum()}", f"{total:.2f}", "", ""]]
    for name, it in [*single.iterrows(), (f"the worst: {worst['slice']}", worst)]:
        ratio = "no click" if np.isinf(it["ratio"]) else f"{it['ratio']:.2f}"
        rows.append([name, f"{it['clicks']:.0f}", ratio, _p(it["p_value"]), _p(it["p_adjusted"])])
    apart = np.log((single["clicks"] + 1) / (single["expected"] + 1))
    # All together, whether some stand apart from the others, and whether one does after the correction
    signal = np.array([np.log(total), *(apart - apart.median()), worst["p_adjusted"] < 0.05])
    return Seen(["slice", "clicks", "promised for each", "p", f"adjusted for {len(report)}"], rows, signal)


def _p(value: float) -> str:
    return f"{value:.3f}" if value >= 0.001 else "< 0.001"


def _coverage(world: World, _: Metric) -> Seen:
    now, past = (
        coverage_report(rows[RATES].assign(device=rows["device"].astype(str)), by="device")
        .set_index(["feature", "device"])
        .sort_index()
        for rows in (world.day(7), world.before)
    )
    lines = [
        (", ".join(at), now.loc[at, "coverage"], now.loc[at, "most_common_share"], past.loc[at, "most_common_share"])
        for at in now.index
    ]
    rows = [[name, *(f"{share:.1%}" for share in shares)] for name, *shares in lines]
    signal = np.array([a - b for *_, a, b in lines])
    return Seen(["feature, device", "covered", "one value has", "days 1 to 5"], rows, signal)


def _values(world: World, _: Metric) -> Seen:
    median = world.rows.groupby("day")[RATES].median()
    rows = [[f"day {day}", *(f"{v:.4f}" for v in values)] for day, *values in median.itertuples()]
    signal = np.log(median.loc[7] / median.loc[1:5].mean()).to_numpy()
    return Seen(["median by day", *RATES], rows, signal)


def _served(world: World, _: Metric) -> Seen:
    lines = []
    for days, part in (("days 1 to 5", world.before), ("day 6", world.day(6)), ("day 7", world.day(7))):
        online = part[["impression", *RATES]]
        offline = part[["impression", *OFFLINE]].set_axis(online.columns, axis=1)
        report = consistency_report(online, offline, ["impression"], numeric_tolerance=1e-12).set_index("feature")
        lines += [(days, rate, report.loc[rate, "mismatch"], report.loc[rate, "delta_50"]) for rate in RATES]
    rows = [[days, rate, f"{share:.1%}", f"{delta:+.4f}"] for days, rate, share, delta in lines]
    return Seen(
        ["days", "feature", "differ", "served - recomputed, median"], rows, np.array([share for *_, share, _ in lines])
    )


def _reran(world: World, _: Metric) -> Seen:
    cut = world.rerun[["impression", *(f"{rate}_cut" for rate in RATES)]].set_axis(["impression", *RATES], axis=1)
    report = known_at_serving(world.rerun[["impression", *RATES]], cut, "impression").set_index("what")["value"]
    rows = [[rate, f"{report[rate]:.1%}"] for rate in RATES]
    return Seen(["training feature", "past values that change"], rows, report[RATES].to_numpy(float))


def _scores(world: World, _: Metric) -> Seen:
    now, past = world.day(7)["p"], world.before["p"]
    index = population_stability_index(past, now)
    limit = psi_threshold(len(past), len(now), psi_bins(past, now).shape[1])
    ranks = (0.1, 0.5, 0.9, 0.99)
    a, b = now.quantile(ranks).to_numpy(), past.quantile(ranks).to_numpy()
    rows = [[f"{rank:.0%} lie below", f"{x:.3f}", f"{y:.3f}"] for rank, x, y in zip(ranks, a, b, strict=True)]
    rows.append(["stability index, and its limit by chance", f"{index:.3f}", f"{limit:.3f}"])
    return Seen(["probability served", "day 7", "days 1 to 5"], rows, np.log(a / b))


def _previous(world: World, _: Metric) -> Seen:
    test, now = world.day(1, 2), world.day(7)
    entropy = {
        (model, when): normalized_entropy(rows["click"], rows[model])
        for model in ("p_new", "p_old")
        for when, rows in (("test", test), ("now", now))
    }
    ratio = {model: calibration_ratio(now["click"], now[model]) for model in ("p_new", "p_old")}
    names = {"p_new": "serves since day 6", "p_old": "the one before"}
    rows = [
        [name, f"{entropy[m, 'test']:.3f}", f"{entropy[m, 'now']:.3f}", f"{ratio[m]:.2f}"] for m, name in names.items()
    ]
    gain = [entropy["p_old", when] - entropy["p_new", when] for when in ("test", "now")]
    signal = np.array([*gain, gain[0] - gain[1], *np.log([*ratio.values(), ratio["p_new"] / ratio["p_old"]])])
    return Seen(["model", "entropy on test days", "entropy on day 7", "promised for each on day 7"], rows, signal)


def _clicks(world: World, _: Metric) -> Seen:
    past, now, lines = world.before, world.day(7), []
    for name, rows in [
        ("all, a day before", past),
        ("all, day 7", now),
        *((f"app {v}, day 7", now[now["version"] == v]) for v in VERSIONS),
    ]:
        came = rows["delay"].notna().sum() / (5 if rows is past else 1)
        joined = rows["click"].sum() / (5 if rows is past else 1)
        lines.append((name, came, joined, joined / came))
    rows = [[name, f"{a:,.0f}", f"{b:,.0f}", f"{share:.0%}"] for name, a, b, share in lines]
    return Seen(["clicks", "in the stream", "joined", "share"], rows, np.array([share for *_, share in lines[1:]]))


def _late(world: World, _: Metric) -> Seen:
    waits = {"10 minutes": 600, "1 hour": 3_600, "6 hours": 21_600, "24 hours": 86_400}
    seen = [
        share_seen([*waits.values()], part.loc[part["delay"] >= 0, "delay"]) for part in (world.day(7), world.before)
    ]
    rows = [[name, f"{a:.0%}", f"{b:.0%}"] for name, a, b in zip(waits, *seen, strict=True)]
    return Seen(["clicks seen after", "day 7", "days 1 to 5"], rows, seen[0])


def _recount(world: World, metric: Metric) -> Seen:
    found = [
        (day, metric.value(part, "read"), metric.value(part, "click"))
        for day, part in metric.rows(world).groupby("day")
    ]
    rows = [[f"day {day}", metric.text(a), metric.text(b)] for day, a, b in found]
    return Seen([metric.name, "dashboard", "from the labels"], rows, np.array([a / b for _, a, b in found if b]))


def _users(world: World, _: Metric) -> Seen:
    now, past = world.day(7), world.day(5)

    def measure(rows: pd.DataFrame) -> list[float]:
        clicks = rows.groupby("user_id")["click"].sum()
        top = clicks.nlargest(10).sum() / clicks.sum()
        bought = rows["conversion"].sum() / rows["click"].sum()
        return [len(bot_suspects(rows, per_hour=PER_HOUR)), top, bought]

    a, b = measure(now), measure(past)
    names = [
        f"users with more than {PER_HOUR} impressions in an hour",
        "clicks of the ten busiest",
        "purchases per click",
    ]
    rows = [[name, *(f"{v:.0f}" if i == 0 else f"{v:.0%}" for v in (a[i], b[i]))] for i, name in enumerate(names)]
    return Seen(["users", "day 7", "day 5"], rows, np.array(a))


def _position(world: World, _: Metric) -> Seen:
    share = [part.groupby("position")["click"].sum() / part["click"].sum() for part in (world.day(7), world.before)]
    rows = [[f"position {at}", f"{share[0][at]:.0%}", f"{share[1][at]:.0%}"] for at in share[0].index]
    return Seen(["share of all clicks", "day 7", "days 1 to 5"], rows, share[0].to_numpy())


@dataclass(frozen=True)
class View:
    """Something to ask for: its words, its price in minutes, and how it is computed; None where it is told."""

    asks: str
    price: int
    show: Callable[[World, Metric], Seen] | None


VIEWS = {
    "when": View("Since when? The number of the alarm, by eight hours", 1, _when),
    "usual": View("Is it more than usual? The number by day, with its interval", 1, _usual),
    "deploys": View("What changed? Deploys, jobs and settings", 1, None),
    "traffic": View("Who comes? Impressions by app version and country", 1, _traffic),
    "slices": View("Where? Promised and observed clicks by slice", 2, _slices),
    "scores": View("What is served? The distribution of the probabilities", 1, _scores),
    "coverage": View("Are features there? Coverage by device", 2, _coverage),
    "values": View("Do features look the same? Their medians by day", 1, _values),
    "served": View("Are features right? As served, against the same recomputed", 3, _served),
    "rerun": View("Do features know the future? Built again from a shorter log", 3, _reran),
    "previous": View("Is it the model? The one that serves and the one before, on the same rows", 2, _previous),
    "clicks": View("Do the clicks arrive? In the stream, and joined to impressions", 2, _clicks),
    "late": View("How late do clicks come?", 1, _late),
    "recount": View("Is the dashboard right? Its number, recomputed from the labels", 2, _recount),
    "users": View("Are these people? The busiest users, and what they buy", 2, _users),
    "position": View("Where on the page? Clicks by position", 1, _position),
}
