"""Every line of a recipe fails by itself, under any make: 3.81, on macOS, ignores .SHELLFLAGS."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys

import pytest

from tools.guards.fences import ROOT
from tools.guards.pages import pages

TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")
TOOLS = ("python", "pytest", "ruff", "rumdl", "yamllint", "typos", "codespell", "zizmor", "mkdocs", "uv")


def recipes(text):
    """Return the lines of each recipe by its target, with what a backslash continues joined."""
    found, target = {}, None
    for line in text.replace("\\\n", " ").split("\n"):
        if rule := re.match(r"([\w()$/.-]+):(?!=)", line):
            target = rule[1]
        elif line.startswith("\t") and not line.startswith("\t#"):
            found.setdefault(target, []).append(line.strip().lstrip("@"))
    return found


def faults(command):
    """Return why a line of a recipe could go on behind a command that failed."""
    words = list(
        shlex.shlex(command.replace("$(", "(").replace("(", "_").replace(")", "_"), punctuation_chars=";&|`{}")
    )
    bad = {word for word in words if set(word) <= set(";&|`{}") and word != "&&"}
    return sorted(bad | (set(words[:1]) & {"for", "while", "until", "if", "case", "set", "-"}))


def test_the_rules_of_make_that_only_newer_ones_know_are_not_used():
    assert (
        re.findall(r"^\.?(?:SHELLFLAGS|ONESHELL|IGNORE|POSIX|DELETE_ON_ERROR).*|^\t-.*|::=", TEXT, re.MULTILINE) == []
    )


@pytest.mark.parametrize("target", recipes(TEXT))
def test_each_line_is_one_command(target):
    assert [(line, faults(line)) for line in recipes(TEXT)[target] if faults(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "a; b",
        "a | b",
        "for x in 1 2; do a; done",
        "a || true",
        "if a; then b; fi",
        "a & b",
        "{ a; b; }",
        "x=`a` b",
        "- a",
    ],
)
def test_a_line_that_goes_on_after_a_failure_is_found(line):
    assert faults(line)


@pytest.mark.parametrize("line", ["a && b", "python -c 'x = 1; y | z'", 'echo "a; b"', "awk '{ print; }' a > b"])
def test_a_line_that_fails_by_itself_is_not(line):
    assert faults(line) == []


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the Makefile among tools that do nothing; one named in $FAIL fails, if $WITH is in its words."""
    shutil.copyfile(ROOT / "Makefile", tmp_path / "Makefile")
    for name in ("requirements.txt", "requirements-scale.txt", "requirements-spark.txt"):
        (tmp_path / name).touch()
    for name in (*(f".venv/bin/{tool}" for tool in TOOLS), ".venv-scale/bin/python"):
        tool = tmp_path / name
        tool.parent.mkdir(parents=True, exist_ok=True)
        tool.write_text('#!/bin/sh\ncase "$0 $*" in *"/$FAIL"*) exit 3;; esac\n')
        tool.chmod(0o755)
    for name in (".venv", ".venv-scale", ".venv-spark"):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / ".ready").touch()
    return tmp_path


def commands(target):
    """Return the words by which each command of a recipe is told from the others; not what runs if asked for only."""
    lines = [line.replace("$(SCALE)/bin/", "$(BIN)/") for line in recipes(TEXT)[target]]
    lines = [line for line in lines if "$(BIN)/" in line and not line.startswith("$(if")]
    return [line.split("$(BIN)/")[1].split("$")[0][:24].rstrip() for line in lines]


def make(folder, target, fail):
    return subprocess.run(
        ["make", "SHELL=/bin/sh", ".SHELLFLAGS=-c", target],
        cwd=folder,
        env={**os.environ, "FAIL": fail, "MAKEFLAGS": ""},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("target", "command"),
    [
        (t, c)
        for t in ("lint", "test-unit", "scale", "spark", "test-docs", "site", "test-site", "outputs", "new", "page")
        for c in commands(t)
    ],
)
def test_a_command_that_fails_fails_its_target(folder, target, command):
    assert make(folder, target, "nothing").returncode == 0
    assert make(folder, target, command).returncode == 2


def test_test_runs_the_steps_and_fails_with_them(folder):
    assert make(folder, "test", "nothing").returncode == 0
    assert make(folder, "test", "python -m tools.loop.steps make lint").returncode == 2


def test_every_target_with_a_help_line_is_listed(folder):
    listed = re.findall(r"^  make ([\w-]+)", make(folder, "help", "nothing").stdout, re.MULTILINE)
    assert listed == re.findall(r"^([a-z-]+):.*## ", TEXT, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (.*)", TEXT, re.MULTILINE)
    assert sorted(phony.split()) == sorted(listed)


def asked(folder, *words):
    """Return what make would do, in one line."""
    done = subprocess.run(["make", "--dry-run", *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.replace("\\\n", " ")


MADE = "-m venv --clear .venv-scale"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-scale.txt"])
def test_the_environment_of_the_engines_is_made_anew_when_a_lock_changes(folder, name):
    assert MADE not in asked(folder, "scale")
    later = (folder / ".venv-scale/.ready").stat().st_mtime + 9
    os.utime(folder / name, (later, later))
    os.utime(folder / ".venv/.ready", (later, later))
    said = asked(folder, "scale")
    assert said.index(MADE) < said.index("--require-hashes requirements.txt requirements-scale.txt")
    assert "--require-hashes requirements.txt requirements-scale.txt" in said
    assert said.index("touch .venv-scale/.ready") < said.index(".venv-scale/bin/python -m pytest")


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["scale"], True),
        (["test-docs"], True),
        (["site"], True),
        (["site", "LEDGERS=x"], True),
        (["labs"], True),
        (["spark"], True),
        (["outputs"], True),
        (["page", "P=scale/engines"], True),
        (["page", "P=docs/scale/engines.md"], True),
        (["page", "P=labs/outgrown"], True),
        (["page", "P=evaluation/drift"], False),
        (["lint", "test-unit"], False),
        (["claims"], False),
    ],
)
def test_the_environment_of_the_engines_is_made_where_something_runs_in_it(folder, words, needed):
    shutil.rmtree(folder / ".venv-scale")
    assert (MADE in asked(folder, *words)) == needed


def test_an_older_python_is_told_how_to_name_another(folder):
    (folder / ".venv/.ready").unlink()
    old = 'import sys; sys.version_info, sys.version = (3, 10), "3.10.13 (main)"; exec(sys.argv[2])'
    older = f"{sys.executable} -c '{old}'"
    done = subprocess.run(["make", "setup", f"PYTHON={older}"], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 2
    assert "this is 3.10.13. If you have one, name it: make setup PYTHON=python3.13" in done.stderr


def test_a_port_that_is_taken_is_said_before_the_site_is_built(folder):
    (folder / ".venv/bin/python").write_text(f'#!/bin/sh\n[ "$1" = -m ] || exec "{sys.executable}" "$@"\n')  # no labs
    (folder / ".venv/bin/mkdocs").write_text("#!/bin/sh\necho built\n")
    with socket.create_server(("localhost", 0)) as server:
        port = f"PORT={server.getsockname()[1]}"
        taken = subprocess.run(["make", "serve", port], cwd=folder, capture_output=True, text=True)
    free = subprocess.run(["make", "serve", port], cwd=folder, capture_output=True, text=True)
    assert (taken.returncode, "built\n" in taken.stdout, "is taken: say another" in taken.stderr) == (2, False, True)
    assert (free.returncode, "built\n" in free.stdout) == (0, True)


def test_words_of_a_title_reach_the_command_as_they_are(folder):
    (folder / ".venv/bin/python").write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    title = 'A "b" `date` $(id) ; it\'s'
    done = subprocess.run(
        ["make", "--no-print-directory", "new", "P=a/b", f"TITLE={title.replace('$', '$$')}"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"-m|tools.loop.new|a/b|{title}|"


def test_the_blocks_of_every_page_that_the_guard_reads_are_run():
    (command,) = re.findall(r"--codeblocks (.+)", TEXT)
    run = {path for word in command.split() for path in ROOT.glob(word)}
    assert [page for page in pages() if not run & {page, *page.parents}] == []
