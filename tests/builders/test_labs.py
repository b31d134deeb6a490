import ast
import builtins
import json
import subprocess
from pathlib import Path

import pytest

from tools.builders import labs
from tools.builders.labs import Cells, Run
from tools.guards.fences import ROOT
from tools.guards.probes import REACHED

LAB = "# %% [markdown]\n# # A lab\n\n# %%\nx = 1\n\n# %%\nprint(x)\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A lab of two cells in a repository of its own, as it stands before it is run."""
    for name in ("snippets/a.py", "figures/b.py", "requirements.txt", "tools/guards/probes.py", "docs/labs/lab.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(LAB, encoding="utf-8")
    monkeypatch.setattr(labs, "ROOT", tmp_path)
    monkeypatch.setenv("IPYTHONDIR", "")
    monkeypatch.setenv(labs.RECORD, "")
    return fresh(tmp_path)


def fresh(root):
    return Run(root / "docs/labs/lab.py", root / ".cache/labs")


def execute(run, cells=2, left=()):
    """Leave in the folder what mkdocs-jupyter and the kernel leave there."""
    run.begin()
    run.html.mkdir()
    (run.html / "key.json").write_text("{}", encoding="utf-8")
    record = {"cells": cells, "left": list(left), "seconds": 40.0}
    (run.folder / "record.json").write_text(json.dumps(record), encoding="utf-8")


def test_a_lab_that_ran_to_its_end_is_not_run_again(run, tmp_path):
    assert not run.done
    execute(run)
    again = fresh(tmp_path)
    assert again.done
    again.begin()
    assert again.done
    assert again.end() == []


@pytest.mark.parametrize("name", ["snippets/a.py", "figures/b.py", "requirements.txt", "tools/guards/probes.py"])
def test_a_lab_is_run_again_when_what_it_depends_on_changes(run, tmp_path, name):
    execute(run)
    (tmp_path / name).write_text("y = 2\n", encoding="utf-8")
    assert not fresh(tmp_path).done


def test_a_lab_is_run_again_when_it_changes_or_the_interpreter_does(run, tmp_path, monkeypatch):
    execute(run)
    monkeypatch.setattr(labs.sys, "version", "4.0")
    assert not fresh(tmp_path).done
    monkeypatch.undo()
    monkeypatch.setattr(labs, "ROOT", tmp_path)
    assert fresh(tmp_path).done
    run.lab.write_text(LAB + "\n# %%\nprint(2)\n", encoding="utf-8")
    assert not fresh(tmp_path).done


@pytest.mark.parametrize("missing", ["record.json", "html/key.json"])
def test_a_run_that_did_not_get_to_its_end_is_forgotten(run, tmp_path, missing):
    execute(run)
    (run.folder / missing).unlink()
    again = fresh(tmp_path)
    assert not again.done
    again.begin()
    assert not (run.folder / "record.json").exists()
    assert not run.html.exists()


def test_the_runs_of_older_sources_are_dropped_and_their_time_is_known_until_then(run, tmp_path):
    execute(run)
    run.lab.write_text(LAB.replace("1", "2"), encoding="utf-8")
    newer = fresh(tmp_path)
    assert newer.seconds_last_time() == 40.0
    execute(newer)
    assert newer.end() == []
    assert [path.name for path in newer.folder.parent.iterdir()] == [newer.folder.name]


def test_what_was_never_reached_is_a_fault_each_time(run, tmp_path):
    execute(run, left=[[2, "f(x)"]])
    for _ in range(2):
        assert fresh(tmp_path).end() == ["cell 2 shows code that is never executed: f(x)"]


def test_a_cell_without_probes_is_a_fault(run):
    execute(run, cells=1)
    (fault,) = run.end()
    assert fault.startswith("1 of 2 cells ran under probes")


def test_probes_know_their_cell_and_later_cells_reach_what_earlier_ones_define(tmp_path, monkeypatch):
    monkeypatch.setattr(builtins, REACHED, None, raising=False)
    cells, namespace = Cells(tmp_path / "record.json"), {}
    for source in ("def f(x):\n    return x\n\n\ng = lambda: 1 + 1", "y = 1 if f(1) else f(2)"):
        exec(compile(cells.visit(ast.parse(source)), "<cell>", "exec"), namespace)
        cells.write()
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert record["cells"] == 2
    assert record["left"] == [[1, "1 + 1"], [2, "f(2)"]]


def test_a_kernel_that_is_killed_while_it_writes_leaves_no_half_of_a_record(tmp_path, monkeypatch):
    monkeypatch.setattr(builtins, REACHED, None, raising=False)
    cells = Cells(tmp_path / "record.json")
    cells.write()

    def write_half(path, text, encoding):
        path.write_bytes(text[:9].encode())
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", write_half)
    with pytest.raises(KeyboardInterrupt):
        cells.write()
    assert json.loads((tmp_path / "record.json").read_bytes())["cells"] == 0


def test_no_run_comes_with_the_repository():
    """What is ignored is made here: a run of a lab, a ledger or a site in a commit would be believed."""
    listed = subprocess.run(["git", "ls-files", "-ci", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    assert listed.stdout == ""
