import importlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import check_random_state

from claims import record
from claims.claim import above, claim, experiment
from tools.guards.fences import ROOT
from tools.loop import claims as loop

RAN = []


@experiment(worlds={"default": {}, "large": {"effect": 3.0}})
def effects(seed, *, effect=2.0):
    RAN.append((seed, effect))
    if effect == 13:
        raise RuntimeError("no such effect")
    if effect == 14:
        warnings.warn("will not converge", UserWarning, stacklevel=1)
    return {"with": effect + np.random.default_rng(seed).normal() / 10, "without": 0.123456789}


@claim("The effect is above nothing.", effects, holds=above(0), twin={"effect": 0.0})
def effect_is_there(found):
    return found["with"] - found["without"]


@pytest.fixture
def guide(tmp_path, monkeypatch):
    """A guide of one claim whose runs go through a thread."""
    RAN.clear()
    monkeypatch.setattr(record, "RECORD", tmp_path / "claims.json")
    monkeypatch.setattr(record.load, "__defaults__", (tmp_path / "claims.json",))
    monkeypatch.setattr(record.save, "__defaults__", (tmp_path / "claims.json",))
    monkeypatch.setattr(record, "claims", lambda: {effect_is_there.id: effect_is_there})
    monkeypatch.setattr(record, "experiments", lambda: {effects.id: effects})
    monkeypatch.setattr(record, "digest", lambda experiment: "now")
    monkeypatch.setattr(record, "ROOT", tmp_path)
    monkeypatch.setattr(loop, "CACHE", tmp_path / ".cache" / "claims.jsonl")
    monkeypatch.setattr(loop, "ProcessPoolExecutor", lambda n, context, initializer: ThreadPoolExecutor(1))
    monkeypatch.setattr(sys, "argv", ["claims"])
    return tmp_path


def test_every_seed_in_every_world_is_run_and_written_down(guide, capsys):
    assert loop.main() == 0
    assert sorted(RAN) == sorted([(s, e) for e in (2.0, 3.0) for s in range(10)] + [(s, 0.0) for s in range(6)])
    entry = record.load()[effects.id]
    assert entry["digest"] == "now"
    assert list(map(len, entry["runs"].values())) == [6, 10, 10]
    expected = 2 + np.random.default_rng(4).normal() / 10
    assert entry["runs"]["{}"][4] == {"with": pytest.approx(expected, rel=1e-5), "without": 0.123457}
    told = capsys.readouterr().out
    assert "26 runs" in told
    assert f"holds   {effect_is_there.id}: The effect is above nothing." in told


def test_nothing_runs_twice_unless_all_is_asked_for(guide, monkeypatch):
    loop.main()
    RAN.clear()
    assert loop.main() == 0
    assert RAN == []
    monkeypatch.setattr(sys, "argv", ["claims", "--all"])
    loop.main()
    assert len(RAN) == 26


def test_an_interrupted_command_goes_on_where_it_stopped(guide):
    known = {}
    cache = loop.Cache(loop.CACHE, ["now"])
    todo = loop.tasks([effect_is_there.id], known)
    loop.perform(todo[:20], cache, known)
    loop.merge(known, cache, todo)
    assert known == {}  # an experiment is taken over when all of it is done
    with loop.CACHE.open("a") as file:
        file.write('[["cut sho')
    RAN.clear()
    assert loop.main() == 0
    assert len(RAN) == 6


def test_runs_of_older_code_are_forgotten(guide, monkeypatch):
    loop.main()
    monkeypatch.setattr(record, "digest", lambda experiment: "later")
    RAN.clear()
    loop.main()
    assert len(RAN) == 26
    assert all(json.loads(line)[0][1] == "later" for line in loop.CACHE.read_text().splitlines())


@pytest.mark.parametrize(
    ("effect", "said"), [(13, "RuntimeError: no such effect"), (14, "UserWarning: will not converge")]
)
def test_a_run_that_fails_or_warns_is_named_and_the_others_are_kept(guide, monkeypatch, capsys, effect, said):
    monkeypatch.setitem(effects.worlds, "large", {"effect": effect})
    assert loop.main() == 1
    told = capsys.readouterr().err
    assert f'{effects.id} {{"effect": {effect}}} seed 0: {said}' in told
    assert "not run since it changed" in told
    assert len(loop.CACHE.read_text().splitlines()) == 16
    assert effects.id not in record.load()


def test_a_claim_that_does_not_hold_fails_the_command(guide, monkeypatch, capsys):
    monkeypatch.setitem(effects.worlds, "large", {"effect": -3.0})
    assert loop.main() == 1
    assert "says that it holds, and it varies" in capsys.readouterr().err
    assert record.load()[effects.id]["runs"].keys() == {"{}", '{"effect": -3.0}', '{"effect": 0.0}'}


@pytest.mark.parametrize("found", [np.nan, np.inf, {}, {"a": np.nan}, {1: 2.0}])
def test_what_is_no_finite_number_is_refused(found):
    with pytest.raises(ValueError, match="an experiment f"):
        loop.checked(found)


def test_pages_and_sections_choose_their_claims(guide, monkeypatch, capsys):
    page = effect_is_there.page
    for name in (page, page.split("/")[0], effect_is_there.id):
        assert loop.chosen([name]) == [effect_is_there.id]
    monkeypatch.setattr(sys, "argv", ["claims", "modelling"])
    assert loop.main() == 2
    assert "no claim is called 'modelling': name one of the pages" in capsys.readouterr().err


def test_an_interrupted_command_stops_what_waits(guide, monkeypatch):
    """Without this it would go on for hours, and throw away what it finds."""
    added = loop.Cache.add

    def add(self, task, found, seconds):
        if len(self.done) == 3:
            raise OSError("no space left on device")
        added(self, task, found, seconds)

    run = loop.run
    monkeypatch.setattr(loop, "run", lambda task: (time.sleep(0.03), run(task))[1])
    monkeypatch.setattr(loop.Cache, "add", add)
    assert loop.main() == 2
    assert len(RAN) < 15
    assert len(loop.CACHE.read_text().splitlines()) == 3
    monkeypatch.setattr(loop.Cache, "add", added)
    RAN.clear()
    assert loop.main() == 0
    assert len(RAN) == 23


def test_stopped_while_it_reads_the_cache_it_loses_nothing(guide, monkeypatch):
    loop.main()
    before = loop.CACHE.read_text()

    def stopped(self, *args, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(loop.CACHE), "write_text", stopped)
        with pytest.raises(KeyboardInterrupt):
            loop.Cache(loop.CACHE, ["now"])
    assert loop.CACHE.read_text() == before


def test_a_second_command_says_that_one_is_at_work(guide, capsys):
    with loop.alone(loop.CACHE.with_suffix(".lock")):
        assert loop.main() == 2
    assert "another make claims is at work in this folder" in capsys.readouterr().err
    assert RAN == []
    assert loop.main() == 0


def test_what_was_written_down_meanwhile_is_kept(guide, monkeypatch):
    """A record taken from git while the runs went on is not overwritten by an older one."""
    loop.main()
    measured = {**record.load()[effects.id], "measured": "2020-01-01"}
    before = {effects.id: {**measured, "sum": record.signature(measured)}}
    monkeypatch.setattr(record, "experiments", lambda: {effects.id: effects, "other": effects})
    perform = loop.perform

    def meanwhile(*args):
        record.save({**before, "other": before[effects.id]})
        return perform(*args)

    record.save({})
    monkeypatch.setattr(loop, "perform", meanwhile)
    monkeypatch.setattr(loop, "tasks", lambda names, known: [loop.Task(effects.id, "now", "{}", 0)])
    loop.CACHE.unlink()
    loop.main()
    assert record.load()["other"]["measured"] == "2020-01-01"


def test_a_new_twin_runs_nothing_a_second_time(guide, monkeypatch):
    loop.main()
    loop.CACHE.unlink()  # as in a fresh clone
    RAN.clear()
    other = replace(effect_is_there, twin={"effect": -1.0})
    monkeypatch.setattr(record, "claims", lambda: {effect_is_there.id: other})
    assert loop.main() == 0
    assert sorted(RAN) == [(seed, -1.0) for seed in range(6)]


def test_runs_changed_by_hand_are_run_again(guide):
    loop.main()
    loop.CACHE.unlink()
    RAN.clear()
    text = record.RECORD.read_text()
    record.RECORD.write_text(text.replace('"without": 0.123457', '"without": 0.1', 1))
    assert loop.main() == 0
    assert len(RAN) == 26
    again = record.load()[effects.id]
    assert again["runs"] == json.loads(text)["experiments"][effects.id]["runs"]


def test_all_of_one_page_forgets_no_run_of_another(guide):
    loop.main()
    cache = loop.Cache(loop.CACHE, ["now"], without=[loop.Task(effects.id, "now", "{}", 3)])
    assert len(cache.done) == 25
    assert len(loop.CACHE.read_text().splitlines()) == 25


@pytest.mark.parametrize("line", ["null", "12", "[1]", '[["a"], 1, 2]', '[["a", "b", "c"', "[[1,2,3,4,5], 1, 2]"])
def test_a_line_that_is_no_run_is_passed_over(guide, line):
    loop.CACHE.parent.mkdir()
    loop.CACHE.write_text(line + "\n")
    assert loop.Cache(loop.CACHE, ["now"]).done == {}


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: np.random.default_rng().normal(), "a generator without a seed"),
        (lambda: check_random_state(None).normal(), "the state that all share"),
        (lambda: random.random(), "the state that all share"),
    ],
)
def test_a_run_that_cannot_be_repeated_is_refused(draw, said):
    with pytest.raises(ValueError, match=said), loop.seeded():
        draw()
    with loop.seeded():
        np.random.default_rng(0).normal()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: check_random_state(0).normal(),
        lambda: pd.Series(range(9)).sample(9, random_state=0).tolist(),
        lambda: deepcopy(np.random.default_rng(0)).normal(),
    ],
    ids=["scikit-learn", "pandas", "a copy"],
)
def test_a_library_may_take_the_seed(draw):
    with loop.seeded():
        assert draw() == draw()


def test_a_library_may_make_a_generator_when_it_is_imported(tmp_path, monkeypatch):
    (tmp_path / "imported_late.py").write_text("import numpy as np\n\nMADE = np.random.default_rng()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with loop.seeded():
        assert importlib.import_module("imported_late").MADE


SLOW = """
import os, sys, time
from pathlib import Path
from claims import record
from tools.loop import claims as loop

def slow(task):
    Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(60)

if __name__ == "__main__":
    loop.run = slow
    loop.os.cpu_count = lambda: 1
    record.ROOT = Path(sys.argv[1])
    todo = [loop.Task("a", "now", "{}", seed) for seed in range(3)]
    loop.signal.signal(loop.signal.SIGTERM, lambda *_: sys.exit(143))
    loop.perform(todo, loop.Cache(Path(sys.argv[1], ".cache", "claims.jsonl"), ["now"]), {})
"""


@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_is_left_when_the_command_is_killed(tmp_path, kind):
    (tmp_path / "slow.py").write_text(SLOW)
    runs = tmp_path / "runs"
    runs.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = subprocess.Popen([sys.executable, str(tmp_path / "slow.py"), str(runs)], env=environment)

    def until(done):
        end = time.monotonic() + 120
        while not done():
            assert time.monotonic() < end
            time.sleep(0.05)

    until(lambda: [path for path in runs.iterdir() if path.name.isdigit()])
    (worker,) = (int(path.name) for path in runs.iterdir() if path.name.isdigit())
    command.send_signal(kind)
    command.wait()
    until(lambda: not Path(f"/proc/{worker}/status").exists() or "zombie" in Path(f"/proc/{worker}/status").read_text())
