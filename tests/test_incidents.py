"""What the drill says about its views holds over other logs: which change with a fault, and which tell it from others.

A view is compared by its signal, the numbers it shows. Its usual spread is that between sound weeks of several logs.
"""

import re
from collections import defaultdict
from functools import cache

import numpy as np
import pytest
from bs4 import BeautifulSoup

from figures import drill, incidents
from figures.drill import ACTIONS, BEGINNING, CAUSES, HELPS, INCIDENTS, MINUTES, PLANTED
from figures.incidents import ENTROPY, PROMISED, RATE, SEGMENT, VIEWS
from snippets.evaluation.broken_pipeline import RATES, run_pipeline

SOUND = (101, 102, 103, 104, 105, 106)
PLANTED_IN = SOUND[:3]
METRICS = {"rate": RATE, "promised": PROMISED, "entropy": ENTROPY}
OF_ALARM = ("when", "usual", "recount")  # views that show the number of the alarm
FLOOR = 0.005  # a view that never changes in a sound week has no spread
FAR = 3  # times the usual spread


@cache
def signals():
    """Return the signal of each view, by seed, cause (None is a sound week), view and, where it matters, metric."""
    found = {}
    for seed in SOUND:
        for cause in [None, *PLANTED] if seed in PLANTED_IN else [None]:
            world = incidents.sound(seed) if cause is None else PLANTED[cause](seed)
            for view, it in VIEWS.items():
                for metric in METRICS if view in OF_ALARM else [""]:
                    if it.show is not None:
                        found[seed, cause, view, metric] = it.show(world, METRICS.get(metric, RATE)).signal
    return found


def spread(view, metric):
    sound = [signals()[seed, None, view, metric] for seed in SOUND]
    return np.maximum(np.std(sound, axis=0, ddof=1), FLOOR)


def apart(seed, view, metric, a, b):
    """Return how far two causes are apart in a view of the same log, in units of its usual spread."""
    difference = signals()[seed, a, view, metric] - signals()[seed, b, view, metric]
    return float(np.abs(difference / spread(view, metric)).max())


def metric_of(it, view):
    """Return what the view of an incident shows; a segment's click rate is judged by all rows'."""
    names = {RATE: "rate", SEGMENT: "rate", PROMISED: "promised", ENTROPY: "entropy"}
    return names[it.alarm] if view in OF_ALARM else ""


def raises(seed, cause, it):
    """Say whether a cause moves the number of an alarm the way the incident did, so that it is a rival."""
    if it.cause == "leak":  # of which the number says nothing
        return True
    metric = metric_of(it, "usual")
    sound = signals()[seed, None, "usual", metric]
    mine, other = ((signals()[seed, c, "usual", metric] - sound) / spread("usual", metric) for c in (it.cause, cause))
    if it.cause == "chance":  # a segment that fell
        mine = -1
    return bool(np.sign(mine) == np.sign(other) and abs(other) > 1)


@pytest.mark.parametrize("name", INCIDENTS)
@pytest.mark.parametrize("seed", PLANTED_IN)
def test_the_key_views_tell_the_cause_from_all_that_could_raise_the_alarm(name, seed):
    it = INCIDENTS[name]
    close = []
    for rival in CAUSES:
        if rival != it.cause and raises(seed, rival, it):
            by = {view: apart(seed, view, metric_of(it, view), it.cause, rival) for view in it.key}
            if max(by.values()) < FAR:
                close.append((rival, by))
    assert close == []


@pytest.mark.parametrize("name", [name for name, it in INCIDENTS.items() if it.cause != "chance"])
@pytest.mark.parametrize("seed", PLANTED_IN)
def test_each_key_view_shows_the_fault(name, seed):
    it = INCIDENTS[name]
    faint = {view: apart(seed, view, metric_of(it, view), it.cause, None) for view in it.key}
    if it.cause == "world":  # of which the dashboard is right
        del faint["recount"]
    assert min(faint.values()) > FAR, faint


@pytest.mark.parametrize("name", INCIDENTS)
@pytest.mark.parametrize("seed", PLANTED_IN)
def test_the_views_that_are_called_clean_look_as_in_a_sound_week(name, seed):
    it = INCIDENTS[name]
    moved = {view: apart(seed, view, metric_of(it, view), it.cause, None) for view in it.idle}
    assert {view: far for view, far in moved.items() if far > 1.5} == {}


@pytest.mark.parametrize("name", [name for name, it in INCIDENTS.items() if it.cause not in ("leak", "chance")])
@pytest.mark.parametrize("seed", PLANTED_IN)
def test_the_number_of_the_alarm_moves(name, seed):
    it = INCIDENTS[name]
    assert apart(seed, "usual", metric_of(it, "usual"), it.cause, None) > 2.5


@pytest.mark.parametrize("seed", SOUND)
def test_in_a_sound_week_some_segment_falls_and_none_stands_out(seed):
    world = incidents.sound(seed)
    days = incidents.by_day(world, SEGMENT)["value"]
    assert days[7] < 0.7 * days[:5].mean()
    assert not signals()[seed, None, "slices", ""][-1]


def test_training_features_built_again_are_those_of_the_pipeline():
    log = incidents._log(SOUND[0])
    for fault in (None, "leak"):
        rates = run_pipeline(log, fault).train[RATES]
        again = incidents._rerun(log, leaks=fault == "leak")
        assert np.array_equal(rates, again[RATES])
    assert (again["ad_rate"] != again["ad_rate_cut"]).mean() > 0.9


def test_an_incident_is_well_formed():
    seen = defaultdict(list)
    for name, it in INCIDENTS.items():
        good = [*it.good]
        assert {*good, *it.idle} <= {*VIEWS}, name
        assert {*it.key} <= {*good}, name
        assert not {*good} & {*it.idle}, name
        assert len(good) >= BEGINNING, name
        assert sum(VIEWS[view].price for view in good) < MINUTES, name
        assert it.cause in CAUSES, name
        assert it.action in ACTIONS, name
        assert {*it.wrong} <= {*ACTIONS} - {it.action}, name
        assert len(it.wrong) >= 3, name
        seen[it.cause].append(name)
    assert max(map(len, seen.values())) == 1  # so that no answer gives another away
    assert {"chance", "monitor"} <= {*seen}
    assert sum(it.price for it in VIEWS.values()) > MINUTES  # nobody sees everything
    assert [*PLANTED] == [*CAUSES]
    assert [*HELPS] == [*ACTIONS]


@pytest.fixture(params=INCIDENTS)
def shown(request):
    return INCIDENTS[request.param], BeautifulSoup(getattr(drill, request.param)(), "html.parser")


def test_an_incident_shows_its_alarm_its_views_and_its_answer(shown):
    it, page = shown
    assert [view["data-view"] for view in page.select("details.view")] == [*VIEWS]
    assert {*map(len, page.select("figure > svg[aria-label]"))} == {*map(len, page.select("figure > svg"))}
    for view in page.select("details.view"):
        table, drawing = view.table, view.svg
        assert (table is None) != (drawing is None)
        if table:
            assert 2 <= len(table.select("tbody tr")) <= 12
        assert view.p.text == f"Costs {view['data-price']} minute{'s' if view['data-price'] != '1' else ''}."
    answer = page.select_one("details.answer")
    assert CAUSES[it.cause] in answer.text
    assert ACTIONS[it.action] in answer.text
    assert len(answer.select("ol > li")) == len(it.good)
    for action, line in zip((a for a in ACTIONS if a != it.action), answer.select("ul > li"), strict=True):
        assert line.get_text() == f"{ACTIONS[action]}. {HELPS[action]} {it.wrong.get(action, '')}".rstrip()
    assert len(page.p.text) > 60
    assert not re.search(r"\b(nan|inf)\b", page.text)


def test_what_changed_names_no_cause_and_differs_in_a_line_at_most():
    lines = {name: [text for _, text in drill._changes(it).rows] for name, it in INCIDENTS.items()}
    usual = [what for _, what in drill.LOG.values()]
    for name, texts in lines.items():
        assert sum(a != b for a, b in zip(texts, usual, strict=True)) <= 1, name


def test_an_incident_is_safe_inside_markdown_and_light():
    all_of_it = [getattr(drill, name)() for name in INCIDENTS]
    for drawn in all_of_it:
        assert "\n\n" not in drawn
        assert not any(line.startswith(("    ", "\t")) for line in drawn.split("\n"))
        assert "style=" not in drawn
    assert sum(map(len, all_of_it)) < 300_000
