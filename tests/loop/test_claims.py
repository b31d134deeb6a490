import json
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from claims import record
from claims.claim import above, claim, experiment
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
    monkeypatch.setattr(loop, "ProcessPoolExecutor", lambda n, context: ThreadPoolExecutor(1))
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
