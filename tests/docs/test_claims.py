import json
import os
import random

import pytest
from threadpoolctl import threadpool_limits

from claims import record
from tools.guards import claims as guard
from tools.guards.fences import ROOT
from tools.guards.git import commit

KNOWN = record.load()


@pytest.mark.parametrize("name", record.claims())
def test_the_record_is_of_this_code_and_says_what_the_sentence_says(name):
    assert record.faults(KNOWN, [name]) == []


def test_what_the_record_tells_follows_from_its_runs():
    told = json.loads(record.RECORD.read_text(encoding="utf-8"))["claims"]
    assert told == {name: record.summary(c, KNOWN) for name, c in record.claims().items()}


def test_nothing_is_left_of_experiments_that_are_gone():
    assert KNOWN.keys() == record.experiments().keys()
    for name, entry in KNOWN.items():
        assert entry["runs"].keys() == {record.key(world) for world, _ in record.worlds(record.experiments()[name])}


def _cheapest(n: int) -> list[str]:
    return sorted(KNOWN.keys() & record.experiments().keys(), key=lambda name: KNOWN[name]["seconds"])[:n]


@pytest.mark.parametrize("name", _cheapest(8))
def test_a_run_can_be_repeated(name):
    """No number of the record was typed: the quickest experiments find the same again, each commit in another run."""
    experiment = record.experiments()[name]
    chance = random.Random(f"{os.environ.get('DRAW') or commit()} {name}")
    world, seeds = chance.choice(record.worlds(experiment))
    seed = chance.randrange(seeds)
    with threadpool_limits(1):  # more threads round in another order
        again = experiment(seed, **world)
    written = record.results(experiment, world, KNOWN)[seed]
    again, written = (found if isinstance(found, dict) else {"": found} for found in (again, written))
    assert {k: float(v) for k, v in again.items()} == pytest.approx(written, rel=1e-3, abs=1e-6)


def test_the_guard_reads_what_python_declares():
    declared = guard.declared()
    found = {f"{page}/{name}" for page, names in declared.items() for name in names}
    assert found == record.claims().keys() | record.experiments().keys()
    anchors = {
        guard.anchor(page, f) for page, names in declared.items() for f, kind in names.items() if kind == "claim"
    }
    assert anchors == {c.anchor for c in record.claims().values()}


def test_every_page_of_claims_is_a_page_of_the_guide():
    for page in record.modules():
        names = [f"{page}.py"] if page.startswith("labs/") else [f"{page.replace('_', '-')}.md"]
        assert [name for name in names if not (ROOT / "docs" / name).is_file()] == []


def test_every_section_is_listed_and_has_its_page_of_runs_which_the_list_leads_to():
    text = (ROOT / "docs/claims.md").read_text(encoding="utf-8")
    sections = {page.split("/")[0].replace("_", "-") for page in record.modules()}
    for section in sections:
        runs = (ROOT / f"docs/claims/{section}.md").read_text(encoding="utf-8")
        assert f'listed("{section}")' in text
        assert f"(claims/{section}.md)" in text
        assert f'run_by_run("{section}")' in runs
        assert "(../claims.md#run-by-run)" in runs
    assert {path.stem for path in (ROOT / "docs/claims").iterdir()} == sections


def test_labs_link_to_their_claims():
    for c in record.claims().values():
        if c.page.startswith("labs/"):
            assert f"claims.md#{c.anchor}" in (ROOT / "docs" / f"{c.page}.py").read_text(encoding="utf-8")


def test_every_experiment_serves_a_claim():
    assert record.experiments().keys() == {c.experiment.id for c in record.claims().values()}
