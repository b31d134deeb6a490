"""The incident drill: eight alarms, what can be asked for, what it was, and in which order a good responder asks.

An incident stands on its page as an alarm, its views, each folded, and the answer. A script makes an exercise of that;
it reads here what is right, and what each thing counts.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure

from figures import incidents
from figures.incidents import ENTROPY, PROMISED, RATE, SEGMENT, VIEWS, Metric, Seen, World, by_block, by_day, moment
from figures.svg import FIRST, SECOND, style, to_html

SEED = 18  # of the log that the page shows
MINUTES = 15
POINTS = {"cause": 4, "action": 2, "key": 2, "first": 2, "idle": 3}  # the last: minutes that are free, or cost a point
BEGINNING = 3  # views, yours and those of a good order, that are compared

CAUSES = {
    "labels": "Clicks are lost on their way to the labels",
    "missing": "A feature does not arrive, and a default stands in for it",
    "unit": "A feature changed its unit",
    "skew": "The server computes a feature otherwise than training did",
    "sampling": "The model learned from sampled negatives, and nothing corrects it",
    "leak": "Training and test used a feature that knows the future",
    "page": "The page changed, and ads are seen less",
    "bots": "Programs click, not people",
    "world": "People behave otherwise than last week",
    "monitor": "The dashboard counts wrongly",
    "chance": "Nothing: one of many numbers moved by chance",
}
PLANTED = {
    "labels": incidents.lost_labels,
    "missing": incidents.feature_missing,
    "unit": incidents.unit_changed,
    "skew": incidents.serving_skew,
    "sampling": incidents.sampled_negatives,
    "leak": incidents.leak,
    "page": incidents.page_changed,
    "bots": incidents.bots,
    "world": incidents.world_changed,
    "monitor": incidents.monitor,
    "chance": incidents.chance,
}
ACTIONS = {
    "model": "Roll back to the model before",
    "server": "Roll back the release of the server",
    "layout": "Switch the layout back",
    "feature": "Serve the last good values of the feature, and call its owners",
    "training": "Stop training, mark the rows as bad, and call whoever sends the clicks",
    "filter": "Leave that traffic out of bills, counts and training",
    "retrain": "Retrain on yesterday's rows, and launch",
    "factor": "Multiply the probabilities until they fit",
    "pause": "Pause the campaigns with the worst numbers",
    "monitor": "Mend the dashboard, and touch nothing that serves",
    "watch": "Change nothing that serves, write the days down, and watch",
}
HELPS = {
    "model": "It helps where the model before does better on the same rows.",
    "server": "It helps where a release made the server compute a feature otherwise than training does.",
    "layout": "It helps where the page changed, so that ads are seen less.",
    "feature": "It helps where a feature stopped coming, and its last good values still hold.",
    "training": "It helps where clicks are in the stream, and get lost before the labels.",
    "filter": "It helps where a few users do what people cannot.",
    "retrain": "It helps where people have changed to stay, and yesterday's rows say what is true.",
    "factor": "It helps where all slices are off by one factor, and you know which, and why.",
    "pause": "It helps where something is wrong with these campaigns, and with them alone.",
    "monitor": "It helps where the labels say otherwise than the dashboard.",
    "watch": "It helps where nothing is broken: otherwise each hour costs.",
}
# What changed, in every incident; some say one line otherwise.
LOG = {
    "index": ("day 5, 10:05", "Retrieval of ads: more shards"),
    "model": ("day 6, 00:00", "Model: a new one for everybody, with a day more of training"),
    "app": ("day 6, 14:00", "App 6.3 goes out to half of the users"),
    "dashboard": ("day 6, 17:30", "Dashboards: moved to another host"),
    "job": ("day 7, 00:00", "Job that counts clicks by ad: a new library"),
    "server": ("day 7, 09:00", "Ranking server: a new compiler"),
}


@dataclass(frozen=True)
class Incident:
    """An alarm, and how a good responder deals with it.

    Attributes
    ----------
    alarm : Metric
        The number that moved.
    says : str
        The alarm in words; {now}, {before} and {where} are filled in.
    cause, action : str
        Of ``CAUSES`` and ``ACTIONS``.
    good : dict
        What to ask for, in order: the view, and what it tells, or why it comes then.
    key : views
        Those of ``good`` without which the cause is a guess.
    idle : views
        Those that look here as they do in a sound week.
    why : str
        Of the first action.
    wrong : dict
        What other actions would do here, of those that tempt most.
    read : dict
        Pages by their address, with their titles.
    changed : lines of ``LOG`` that say something else here
    """

    alarm: Metric
    says: str
    cause: str
    action: str
    good: dict[str, str]
    key: Sequence[str]
    idle: Sequence[str]
    why: str
    wrong: dict[str, str]
    read: dict[str, str]
    changed: dict[str, str] = field(default_factory=dict)

    def world(self, seed: int = SEED) -> World:
        """Return its week."""
        return PLANTED[self.cause](seed)


INCIDENTS = {
    "tuesday": Incident(
        alarm=RATE,
        says="Clicks per impression were {now} yesterday, {before} on days 1 to 5.",
        cause="labels",
        action="training",
        good={
            "when": "The fall begins in the course of day 6, not at midnight: a release rather than a job or a drift.",
            "deploys": "A release of the app falls into those hours. It is a suspect, and no proof.",
            "slices": "One app version has next to no clicks, the others are as promised: the fault has an edge.",
            "clicks": "Its clicks are in the stream and are not joined: people click, training does not hear of it.",
        },
        key=["slices", "clicks"],
        idle=["coverage", "values", "served", "rerun", "traffic", "scores", "recount"],
        why=(
            "The model is sound, and tonight it would learn that users of the new app do not click. Once the joiner "
            "is mended, join the hours again."
        ),
        wrong={
            "model": "The model before would be judged by the same labels, and the clicks stay lost.",
            "retrain": "Yesterday's rows say that users of the new app do not click: a model would learn just that.",
            "factor": "Multiplied down, it promises too little: the clicks are there.",
            "monitor": "Dashboard and labels agree: both lack the clicks.",
            "watch": "Tonight's training takes those rows in.",
        },
        read={
            "labs/fourteen_days_in_production": "Lab: fourteen days in production",
            "training-data/joining-events": "Joining events",
        },
    ),
    "friday": Incident(
        alarm=PROMISED,
        says="For each click that came yesterday, {now} were promised, {before} on days 1 to 5.",
        cause="missing",
        action="feature",
        good={
            "when": "A step at midnight, as day 7 begins: a job of the night, not a release by day.",
            "slices": "Phones are promised too little, other devices are not: the fault has an edge.",
            "deploys": "A job that computes a feature changed at midnight. Now look at that feature.",
            "coverage": (
                "On phones one value of the ad's click rate stands in every row: a default, and no missing value that"
                " a count of blanks would find."
            ),
        },
        key=["slices", "coverage"],
        idle=["clicks", "late", "rerun", "users", "position", "traffic", "recount"],
        why=(
            "The last good values are a day old, and a rate of ads hardly moves in a day. The model before would be "
            "served the same default."
        ),
        wrong={
            "model": "The model before would be served the same default.",
            "server": "Its release came hours after the step.",
            "retrain": "A model that learns from defaults forgets the feature, and is wrong again once it is back.",
            "factor": "Phones are off and other devices are not: one factor for all makes those wrong.",
        },
        read={
            "features/missing-values": "Missing values and coverage",
            "evaluation/debugging": "Debugging a failed model",
        },
    ),
    "monday": Incident(
        alarm=PROMISED,
        says="For each click that came yesterday, {now} were promised, {before} on days 1 to 5.",
        cause="sampling",
        action="model",
        good={
            "when": "A step as day 6 begins, and level from then on.",
            "deploys": "A new model went out at that minute, trained in half the time. How?",
            "slices": "Every slice is promised too much, by about one factor: no device, no version, no country.",
            "previous": (
                "On the same rows the model before promises what comes. So it is the model, and not the world or its "
                "features."
            ),
        },
        key=["slices", "previous"],
        idle=["coverage", "values", "served", "rerun", "clicks", "late", "users", "position", "traffic", "recount"],
        why=(
            "The model before is there and right. With the rate of sampling known, the correction is a formula; put "
            "it into the next launch, and calibration on the test days into the gate."
        ),
        wrong={
            "feature": "Coverage and values look as ever: no feature changed.",
            "retrain": "It takes hours, and with the same sampling it comes out as wrong.",
            "factor": "It follows from the rate of sampling. Fitted under an alarm it is a guess.",
            "pause": "Every campaign is promised too much, by about one factor.",
        },
        read={
            "training-data/class-imbalance": "Class imbalance",
            "evaluation/calibration": "Calibration",
        },
        changed={"model": "Model: a new one for everybody, trained in half the time"},
    ),
    "thursday": Incident(
        alarm=ENTROPY,
        says=(
            "The model launched as day 6 began was far better on the test days. Normalized entropy was {now} "
            "yesterday, {before} on days 1 to 5: nothing gained."
        ),
        cause="leak",
        action="model",
        good={
            "usual": "The days of the new model lie within the intervals of those before: no gain that shows.",
            "previous": (
                "On the test days the new model is far ahead, on yesterday's rows it is not. What it had there it "
                "does not have here."
            ),
            "served": (
                "The server's ad rates are not those that training computes for the same rows. So it is a feature, "
                "and you know which."
            ),
            "rerun": (
                "Past values of that feature change when the log is cut at the end of training: they hold what came "
                "after them."
            ),
        },
        key=["previous", "rerun"],
        idle=["coverage", "values", "clicks", "late", "users", "position", "traffic", "recount"],
        why=(
            "The model before costs nothing, and the new one leans on a feature that the server cannot have. Then "
            "build features as of the impression."
        ),
        wrong={
            "server": "The values differ since those of training know the future: the server is right.",
            "feature": "The server's values are good. This model was trained on some that nobody has in time.",
            "retrain": "With the same leak it shines on the test days again, and gains nothing.",
            "watch": "Each next model with that feature is chosen for what it cannot have.",
        },
        read={
            "evaluation/debugging": "Debugging a failed model",
            "features/leaky-features": "Leaks in features",
        },
        changed={"model": "Model: a new one for everybody, with new counters by ad"},
    ),
    "saturday": Incident(
        alarm=RATE,
        says="Clicks per impression were {now} yesterday, {before} on days 1 to 5.",
        cause="bots",
        action="filter",
        good={
            "when": "The rise is in the small hours of day 7 and gone by noon. No release and no job undoes itself.",
            "slices": (
                "It sits in one country and one old app version. Such ratios, and such weak p-values: counted by user, "
                "those clicks rest on a few of them."
            ),
            "users": (
                "Four users see more in an hour than a person can, click and click, and the purchases for each click "
                "fall."
            ),
        },
        key=["when", "users"],
        idle=["served", "rerun", "recount", "scores"],
        why=(
            "Advertisers pay for those clicks, and counters and tonight's training take them in. The model and the "
            "server are sound."
        ),
        wrong={
            "training": "Bills and counters would still take those clicks in.",
            "retrain": "A model that learns from those clicks learns to please programs.",
            "pause": "The clicks come from a few users. The campaigns did nothing.",
            "watch": "It looks like good news, and advertisers pay for it.",
        },
        read={
            "training-data/labels": "Labels",
            "problem/metrics": "Proxy events and business metrics",
        },
    ),
    "wednesday": Incident(
        alarm=RATE,
        says="Clicks per impression were {now} yesterday, {before} on days 1 to 5.",
        cause="world",
        action="watch",
        good={
            "when": "It begins on the evening of day 6, after hours in which only the dashboards were touched.",
            "recount": "The labels say the same as the dashboard: the fall is real.",
            "slices": "Every slice is promised too much, as evenly as so few clicks allow. A fault has an edge.",
            "traffic": (
                "Fewer impressions too, of all versions and countries alike. No fault of a model sends people away in"
                " a night."
            ),
            "previous": "The model before is off by as much: it is not the launch.",
        },
        key=["recount", "slices", "traffic", "previous"],
        idle=["coverage", "served", "rerun", "scores"],
        why=(
            "Look at the calendar, and tell those who plan. A model trained on such a day, or a factor fitted to it, "
            "is wrong on the day after."
        ),
        wrong={
            "model": "The model before is off by as much.",
            "retrain": "A model of one odd day is wrong on the day after.",
            "factor": "Fitted to such a day, it is wrong on the day after.",
            "monitor": "The labels say the same as the dashboard: the fall is real.",
        },
        read={
            "evaluation/drift": "Data drift",
            "training-data/recency": "Recency",
        },
    ),
    "sunday": Incident(
        alarm=SEGMENT,
        says="In the segment {where}, clicks per impression were {now} yesterday, {before} on days 1 to 5.",
        cause="chance",
        action="watch",
        good={
            "usual": "Few clicks, wide intervals. And who chose this segment? The worst of many looks bad by itself.",
            "slices": "Of all the slices none stands out once you correct for having looked at so many.",
            "recount": "The labels say the same as the dashboard: the number is right, and not unusual.",
        },
        key=["slices", "recount"],
        idle=[
            "traffic",
            "scores",
            "coverage",
            "values",
            "served",
            "rerun",
            "previous",
            "clicks",
            "late",
            "users",
            "position",
        ],
        why=(
            "An alarm that goes off for the worst of a hundred segments goes off every day. Correct its threshold for"
            " the number of segments."
        ),
        wrong={
            "retrain": "There is nothing to learn from chance, and a launch has risks of its own.",
            "factor": "A correction for one segment follows chance, and is wrong tomorrow.",
            "pause": "Those campaigns are as they were. Tomorrow another segment is the worst.",
            "monitor": "The number is right. What wants mending, later, is the threshold of the alarm.",
        },
        read={
            "evaluation/debugging": "Debugging a failed model",
            "evaluation/confidence-intervals": "Confidence intervals",
        },
    ),
    "early": Incident(
        alarm=PROMISED,
        says="For each click that came yesterday, {now} were promised, {before} on days 1 to 5.",
        cause="monitor",
        action="monitor",
        good={
            "when": "A step as day 7 begins, and level from then on.",
            "recount": (
                "From the labels that training gets, the same number is as on all days: the alarm is not about the "
                "model."
            ),
            "deploys": "The evening before, the dashboards were made faster.",
            "late": (
                "Clicks take their time. Whoever counts after minutes misses those that come within the day, and this"
                " is about the share that is missing."
            ),
        },
        key=["recount"],
        idle=[
            "traffic",
            "slices",
            "scores",
            "coverage",
            "values",
            "served",
            "rerun",
            "previous",
            "clicks",
            "users",
            "position",
        ],
        why=(
            "Labels, features and model are sound. Whoever follows the alarm, by a factor or a rollback, breaks what "
            "works."
        ),
        wrong={
            "model": "By the labels, the model promises what comes.",
            "training": "The labels that training gets are as on all days.",
            "factor": "It breaks a model that promises what comes.",
            "watch": "Whoever meets this alarm next may roll back what works.",
        },
        read={
            "training-data/delayed-feedback": "Delayed feedback",
            "evaluation/continuous-evaluation": "Continuous evaluation",
        },
        changed={"dashboard": "Dashboards: numbers come within minutes"},
    ),
}


# What stands on the page


def _table(seen: Seen) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in seen.head)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in row)}</tr>" for row in seen.rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _changes(it: Incident) -> Seen:
    return Seen(["when", "what"], [(at, it.changed.get(name, what)) for name, (at, what) in LOG.items()], ())


def _chart(name: str, it: Incident, world: World, *, blocks: bool) -> str:
    """Draw the number of the alarm: by day, as it came, or by blocks of hours, for whoever asks since when."""
    with style():
        figure = Figure(figsize=(4.8, 2.0), layout="constrained")
        axes = figure.subplots()
        if blocks:
            x, y = by_block(world, it.alarm)
            axes.plot(x + 1 / 6, y, color=SECOND, marker="o", markersize=3)
            each = [f"{moment(at)} {it.alarm.text(v)}" for at, v in zip(x, y, strict=True)]
        else:
            days = by_day(world, it.alarm)["value"]
            axes.plot(days.index + 0.5, days, color=FIRST, marker="o", markersize=5)
            each = [f"day {day} {it.alarm.text(v)}" for day, v in days.items()]
        axes.set_xlim(0.9, 8.1)
        axes.set_xticks([day + 0.5 for day in range(1, 8)], [f"day {day}" for day in range(1, 8)])
        axes.tick_params(length=0)
        axes.set_xticks(range(2, 8), minor=True)
        axes.grid(axis="x", which="minor", alpha=0.3)
        axes.set_ylim(0, None) if it.alarm is not ENTROPY else axes.set_ylim(0.7, 1.2)
        axes.yaxis.set_major_formatter(lambda value, _: it.alarm.text(value))
    shows = f"{it.alarm.name}, {'by blocks of eight hours' if blocks else 'by day'}".capitalize()
    drawn = to_html(figure, name, f"{shows}: {'; '.join(each)}.", shows)
    return re.sub(r"(\.\d\d)\d{2,}", r"\1", drawn)  # a hundredth of a dot is enough


def _alarm(it: Incident, world: World) -> str:
    days = by_day(world, it.alarm)["value"]
    where = it.alarm.of(world).replace(" & ", " and ") if it.alarm.of else ""
    return it.says.format(now=it.alarm.text(days[7]), before=it.alarm.text(days.loc[1:5].mean()), where=where)


def incident(name: str) -> str:
    """Return an incident as it stands on the page: its alarm, its views and the answer, the latter two folded."""
    it = INCIDENTS[name]
    world = it.world()
    right = {
        "cause": [*CAUSES].index(it.cause),
        "action": [*ACTIONS].index(it.action),
        "good": [*it.good],
        "key": [*it.key],
        "idle": [*it.idle],
    }
    views = []
    for view, shown in VIEWS.items():
        if view == "when":
            content = _chart(f"{name}-when", it, world, blocks=True)
        else:
            content = _table(_changes(it) if shown.show is None else shown.show(world, it.alarm))
        price = f"{shown.price} minute{'s' if shown.price > 1 else ''}"
        views.append(
            f'<details class="view" data-view="{view}" data-price="{shown.price}">'
            f"<summary>{html.escape(shown.asks)}</summary><p>Costs {price}.</p>{content}</details>"
        )
    steps = "".join(f"<li><strong>{_short(view)}</strong> {html.escape(why)}</li>" for view, why in it.good.items())
    whys = {action: f"{HELPS[action]} {it.wrong.get(action, '')}".rstrip() for action in ACTIONS if action != it.action}
    others = "".join(
        f"<li><strong>{html.escape(ACTIONS[action])}.</strong> {html.escape(why)}</li>" for action, why in whys.items()
    )
    read = ", ".join(f'<a href="../../{url}/">{html.escape(title)}</a>' for url, title in it.read.items())
    return "\n".join(
        [
            f'<div class="incident" data-incident="{html.escape(json.dumps(right, separators=(",", ":")))}">',
            f"<p>{html.escape(_alarm(it, world))}</p>",
            _chart(f"{name}-alarm", it, world, blocks=False),
            "<div data-search-exclude>",
            *views,
            '<details class="answer"><summary>What it was, and what to ask in which order</summary>'
            f"<p>{html.escape(CAUSES[it.cause])}. First action: {html.escape(ACTIONS[it.action])}. "
            f"{html.escape(it.why)}</p><ol>{steps}</ol><p>Why not another action first:</p><ul>{others}</ul>"
            f"<p>Read: {read}.</p></details>",
            "</div>",
            "</div>",
        ]
    )


def _short(view: str) -> str:
    """Return the question of a view without what it shows."""
    return html.escape(re.match(r"[^?]*\?", VIEWS[view].asks)[0])


def choices() -> str:
    """Return the causes and the first actions to choose from, and what an answer counts, for the script too."""
    lists = "".join(
        f"<h3>{title}</h3><ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts.values())}</ul>"
        for title, texts in (("Causes", CAUSES), ("First actions", ACTIONS))
    )
    rules = {"minutes": MINUTES, "points": POINTS, "beginning": BEGINNING}
    return f'<div class="drill" data-drill="{html.escape(json.dumps(rules, separators=(",", ":")))}">{lists}</div>'


def _shown(name: str) -> Callable[[], str]:
    def show() -> str:
        return incident(name)

    show.__doc__ = f"Return the incident of that name: {name}."
    return show


tuesday, friday, monday, thursday, saturday, wednesday, sunday, early = map(_shown, INCIDENTS)
