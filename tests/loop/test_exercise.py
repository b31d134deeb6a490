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
# Each pytest starts from a process that has the libraries, and nothing of the guide.
FORK = get_context("forkserver")
FORK.set_forkserver_preload([*LIBRARIES, "hypothesis.extra.numpy", "pytest"])


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
    quick = ["-q", "--tb=line", "-p", "no:cacheprovider", "-p", "no:unraisableexception", "-m", "not hypothesis"]
    os._exit(pytest.main([*quick, *arguments]))


def outcome(folder, *arguments):
    """Return the exit code of pytest in a folder, and what it says."""
    process = FORK.Process(target=run, args=(folder, arguments))
    process.start()
    process.join()
    return process.exitcode, (folder / "said.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_an_exercise_fails_while_it_is_blank_and_passes_with_its_heart(exercise, tmp_path):
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
