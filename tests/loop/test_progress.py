import json
import re
import subprocess
import sys

import pytest

from tools.guards.fences import ROOT
from tools.loop import progress
from tools.loop.progress import Durations, Progress, spoken

TESTS = """
import pytest

@pytest.mark.parametrize("n", range(4))
def test_one(n):
    assert n < 3
"""


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def known(root, **seconds):
    Durations(root).save(seconds)


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (40, "40 s"), (200, "3 min 20 s")])
def test_a_duration_in_words(seconds, words):
    assert spoken(seconds) == words


def test_what_is_left_is_what_it_took_the_last_time(tmp_path, clock):
    known(tmp_path, a=10, b=40, c=150)
    lines = []
    shown = Progress("abc", tmp_path, workers=2, say=lines.append)
    clock[0] += 12
    shown.finish("a", 12)
    assert lines == ["  1 of 3 done, about 1 min 35 s left"]  # (40 + 150) / 2


def test_a_part_that_is_new_counts_as_the_others_do(tmp_path, clock):
    known(tmp_path, b=40)
    shown = Progress("abc", tmp_path, say=print)
    shown.finish("a", 12)
    assert shown.line() == "  1 of 3 done, about 52 s left"  # 40 + 12


def test_the_time_that_the_running_part_has_taken_is_not_left(tmp_path, clock):
    known(tmp_path, a=10, b=40)
    shown = Progress("ab", tmp_path, say=print)
    shown.finish("a", 10)
    clock[0] += 15
    assert shown.line() == "  1 of 2 done, about 25 s left"
    clock[0] += 30
    assert shown.line() == "  1 of 2 done, longer than the last time"


def test_one_line_every_ten_seconds(tmp_path, clock):
    lines = []
    shown = Progress(map(str, range(100)), tmp_path, say=lines.append)
    for part in range(100):
        clock[0] += 1
        shown.finish(str(part), 1)
    assert len(lines) == 9  # at 10, 20, … 90 s: behind the last part there is nothing to tell
    assert lines[0] == "  10 of 100 done, about 1 min 30 s left"


def test_without_any_measure_there_is_no_estimate(tmp_path):
    assert Progress("ab", tmp_path).line() == "  0 of 2 done"


def test_durations_are_kept_and_added_to(tmp_path):
    known(tmp_path, a=1, b=2)
    known(tmp_path, b=3)
    assert Durations(tmp_path).seconds == {"a": 1, "b": 3}
    assert [path.name for path in (tmp_path / ".cache").iterdir()] == ["durations.json"]


@pytest.mark.parametrize("text", ["", "{", '{"a": 1, "b"'])
def test_a_file_cut_short_is_measured_anew(tmp_path, text):
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache/durations.json").write_text(text)
    assert Durations(tmp_path).seconds == {}
    known(tmp_path, a=1)
    assert Durations(tmp_path).seconds == {"a": 1}


def test_where_nothing_can_be_kept_nothing_fails(tmp_path):
    (tmp_path / ".cache").write_text("a file where the folder should be")
    known(tmp_path, a=1)
    assert Durations(tmp_path).seconds == {}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_pytest_tells_how_far_it_is_and_closes_as_ever(tmp_path, workers):
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text("from tools.loop import progress\nprogress.EVERY = 0\n")
    command = [sys.executable, "-m", "pytest", "-p", "tools.loop.progress", f"--rootdir={tmp_path}", *workers]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert re.search(r"^.*  3 of 4 done, about 0 s left$", done.stdout, re.MULTILINE), done.stdout
    assert re.fullmatch(r"=+ 1 failed, 3 passed in \d+\.\d\ds =+", done.stdout.strip().split("\n")[-1])
    measured = json.loads((tmp_path / ".cache/durations.json").read_text())
    assert set(measured) == {f"test_it.py::test_one[{n}]" for n in range(4)}
