"""Each exercise, laid out: its test fails while it is blank, and passes once the heart is back."""

import os
import re
import sys
from multiprocessing import get_context

import pytest

from tools.guards.exercises import cut, of_guide
from tools.guards.fences import ROOT
from tools.guards.runner import LIBRARIES
from tools.loop import exercise as loop

EXERCISES = of_guide()
SECTIONS = ("problem", "training-data", "features", "modeling", "evaluation")
QUICK = ["-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-p", "_hypothesis_pytestplugin"]
QUICK += ["-m", "not hypothesis"]  # which would look for the shortest example of what is blank
# Each pytest starts from a process that has the libraries, and nothing of the guide.
FORK = get_context("forkserver")
MORE = ("hypothesis.extra.numpy", "_hypothesis_pytestplugin", "tools.loop.exercise")
FORK.set_forkserver_preload([*LIBRARIES, *MORE, "statsmodels.api", "sklearn.utils.estimator_checks"])


def run(folder, arguments):
    """Run pytest in a folder; what it says goes to a file there."""
    file = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    for name in [name for name in sys.modules if name.split(".")[0] in ("snippets", "tests", "tools")]:
        del sys.modules[name]
    for name in [name for name in os.environ if name.startswith("PYTEST")]:
        del os.environ[name]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os._exit(pytest.main([*QUICK, *arguments]))


def outcome(folder, *arguments):
    """Return the exit code of pytest in a folder, and what it says."""
    process = FORK.Process(target=run, args=(folder, arguments))
    process.start()
    process.join()
    return process.exitcode, (folder / "said.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_an_exercise_fails_while_it_is_blank_and_passes_with_its_heart(exercise, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "--of-the-folder-around"\n')
    folder = tmp_path / "exercise"
    loop.lay_out(exercise, folder)
    code, said = outcome(folder, "-x")
    failed = re.findall(r"^FAILED (\S+)", said, re.MULTILINE)
    assert (code, len(failed)) == (1, 1), said
    assert f"NotImplementedError: {exercise.function} is yours to write" in said
    file, parts = folder / exercise.snippet, cut(exercise)
    file.write_text(file.read_text(encoding="utf-8").replace(parts.stub, parts.heart), encoding="utf-8")
    assert file.read_bytes() == (ROOT / exercise.snippet).read_bytes()
    code, said = outcome(folder, *failed)
    assert (code, " passed" in said) == (0, True), said


def test_a_folder_says_what_to_do_and_holds_hints_apart(tmp_path):
    exercise = next(e for e in EXERCISES if e.name == "LinUCB-choose")
    loop.lay_out(exercise, tmp_path / "it")
    readme = (tmp_path / "it/README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {exercise.title}\n\n{exercise.minutes} minutes. {exercise.task}")
    assert f"`{exercise.snippet}`, go to `LinUCB.choose`" in readme
    assert re.findall(r"^## Hint: (.+)$", readme, re.MULTILINE) == [title for title, _ in exercise.hints]


def main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["exercise", *arguments])
    return loop.main()


def test_nothing_asked_for_lists_all(monkeypatch, capsys):
    assert main(monkeypatch, "", "") == 0
    said = re.findall(r"^  P=(\S+)", capsys.readouterr().out, re.MULTILINE)
    assert said == [
        exercise.name for section in SECTIONS for exercise in EXERCISES if exercise.page.startswith(section)
    ]


@pytest.mark.parametrize("wanted", ["evaluation/off-policy", "evaluation/off_policy", "snips"])
def test_a_page_has_all_of_its_exercises_and_a_name_one(wanted, monkeypatch, capsys, tmp_path):
    assert main(monkeypatch, wanted, str(tmp_path)) == 0
    names = {"snips"} if wanted == "snips" else {"snips", "doubly_robust"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert f"in {tmp_path}/snips/snippets/evaluation/off_policy.py\n" in capsys.readouterr().out


def test_what_somebody_wrote_is_not_written_over(monkeypatch, capsys, tmp_path):
    mine = tmp_path / "doubly_robust/notes.md"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert main(monkeypatch, "evaluation/off-policy", str(tmp_path)) == 1
    assert f"{mine.parent} may hold your work: delete it" in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_an_unknown_name_is_said(monkeypatch, capsys):
    assert main(monkeypatch, "evaluation/nothing") == 1
    assert capsys.readouterr().err.startswith("P=evaluation/nothing: there is no such exercise")


def test_it_goes_to_a_folder_that_git_ignores(monkeypatch, tmp_path):
    monkeypatch.setattr(loop, "ROOT", tmp_path)
    assert main(monkeypatch, "snips") == 0
    assert (tmp_path / "exercises/snips/README.md").is_file()
    assert "/exercises/" in (ROOT / ".gitignore").read_text(encoding="utf-8").split()
