import os
import re

import pytest

from tools.loop import steps
from tools.loop.progress import Durations
from tools.loop.steps import Outcome, checked, table

ALL = ["lint", "test-unit", "test-docs", "site", "test-site"]
CLOSING = "=================== 215 passed in 61.00s (0:01:01) ===================="


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Return a stand-in for make that says what it was asked, and fails at the steps named in $FAIL."""
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    script = tmp_path / "make"
    script.write_text(
        '#!/bin/sh\necho "asked: $*"\nfor step; do :; done\n'
        f'case $step in test-*) echo "{CLOSING}";; esac\n'
        'case " $FAIL " in *" $step "*) echo "3 failed, 2 passed" >&2; exit 2;; esac\n'
    )
    script.chmod(0o755)
    return str(script)


def test_all_steps_run_and_a_table_closes(make, capfdbinary):
    assert steps.main(make, ALL) == 0
    said = capfdbinary.readouterr().out.decode()
    asked = re.findall(r"^asked: --no-print-directory (.*)$", said, re.MULTILINE)
    assert asked.index("lint") < asked.index("labs") < asked.index("test-docs")  # beside the unit tests
    asked.remove("labs")
    assert asked == [
        "lint",
        "test-unit",
        "test-docs",
        "--old-file=test-docs site",  # as test-docs has just run
        "--old-file=site test-site",
    ]
    assert said.count(f"\n{CLOSING}\n") == 3
    assert re.search(r"^  test-docs  ok +\d+ s  215 blocks$", said, re.MULTILINE)
    assert re.search(r"^  all +\d+ s$", said.strip().split("\n")[-1])


def test_a_failing_step_stops_only_what_needs_it(make, monkeypatch, capfdbinary):
    monkeypatch.setenv("FAIL", "lint test-docs")
    assert steps.main(make, ALL) == 1
    lines = capfdbinary.readouterr().out.decode().split("\n")[-7:-2]
    assert [" ".join(line.split()[:2]) for line in lines] == [
        "lint failed",
        "test-unit ok",
        "test-docs failed",
        "site not",
        "test-site not",
    ]
    assert "3 failed" in lines[0]
    assert "it needs test-docs" in lines[3]
    assert "it needs site" in lines[4]


@pytest.mark.parametrize("step", ALL)
def test_any_failing_step_fails_the_whole(make, monkeypatch, step):
    monkeypatch.setenv("FAIL", step)
    assert steps.main(make, ALL) == 1


def test_a_step_alone_does_not_wait_for_what_it_needs(make, capfdbinary):
    assert steps.main(make, ["site"]) == 0


def test_what_is_left_is_told_before_each_step(make, tmp_path, capfdbinary):
    Durations(tmp_path).save({f"step {step}": 60 for step in ALL})
    steps.main(make, ALL)
    said = capfdbinary.readouterr().out.decode()
    assert "\nlint: step 1 of 5, about 5 min 0 s left\n" in said
    assert "\ntest-site: step 5 of 5, about 1 min 0 s left\n" in said


def test_an_interruption_still_prints_the_table(make, monkeypatch, capfdbinary):
    def interrupted(make, step):
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "run", interrupted)
    assert steps.main(make, ALL) == 1
    said = capfdbinary.readouterr().out.decode()
    assert "\nstopped\n" in said
    assert said.count("not run") == 5


@pytest.mark.parametrize(
    ("step", "output", "said"),
    [
        (
            "lint",
            "164 files already formatted\nSuccess: No issues found in 80 files (9ms)\n",
            "164 Python files, 80 pages",
        ),
        ("test-unit", "=== 1410 passed in 115.00s (0:01:55) ===", "1410 tests"),
        ("test-unit", "=== 2 failed, 1408 passed, 1 error in 115.00s (0:01:55) ===", "1408 tests, 1 error"),
        (
            "test-docs",
            "guard: 82 pages show nothing that does not run\n=== 215 passed in 9s ===",
            "82 pages, 215 blocks",
        ),
        ("site", "proof: 215 blocks, 3 cells, nothing else", "215 blocks, 3 cells, nothing else"),
        ("site", "Traceback", ""),
    ],
)
def test_what_a_step_checked_is_read_from_its_output(step, output, said):
    assert ", ".join(checked(step, output)) == said


def test_the_table_adds_up():
    rows = table([Outcome("lint", "ok", 2.4, ["80 pages"]), Outcome("site", "failed", 60.4, [])]).split("\n")
    assert rows == [
        "  lint       ok            2 s  80 pages",
        "  site       failed       60 s",
        "  all                     63 s",
    ]


def test_the_environment_of_make_reaches_the_steps(make, monkeypatch, capfdbinary):
    monkeypatch.setenv("DRAW", "7")
    script = f"{os.path.dirname(make)}/make"
    with open(script, "a", encoding="utf-8") as file:
        file.write('echo "draw: $DRAW"\n')
    steps.main(make, ["lint"])
    assert "draw: 7" in capfdbinary.readouterr().out.decode()
