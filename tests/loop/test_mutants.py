import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.guards.fences import ROOT
from tools.loop import mutants as tool
from tools.loop.mutants import changed, changes, difference, draw, main, mutant

SNIPPET = '''"""Half of a number."""


def half(n: int = 7, up: bool = False) -> int:
    """Return half of n, rounded.

    >>> half(6)
    3
    """
    if n < 0:
        raise ValueError("n must be at least 0")
    rest = n % 2
    return n // 2 + (rest if up else 0)
'''
WEAK = """
from snippets.one.half import half


def test_half():
    assert half() == 3
    assert half(5, True) == 3
"""
STRONG = """
import pytest

from snippets.one.half import half


def test_half():
    assert [half(n) for n in (0, 1, 5, 7)] == [0, 0, 2, 3]
    assert all(type(half(n)) is int for n in (0, 7))
    assert [half(n, up=True) for n in (0, 1, 5, 7)] == [0, 1, 3, 4]
    assert half() == 3
    with pytest.raises(ValueError, match="at least 0"):
        half(-1)
"""


def mutants(source):
    return [ast.unparse(mutant(source, i)) for i in range(len(list(changes(ast.parse(source)))))]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", ["x = a <= b"]),
        ("x = a <= b > c", ["x = a < b > c", "x = a <= b >= c"]),
        ("x = a == b", ["x = a != b"]),
        ("x = a is None", ["x = a is not None"]),
        ("x = a not in b", ["x = a in b"]),
        ("x = a + b", ["x = a - b"]),
        ("x = a / b", ["x = a * b"]),
        ("x = a // b", ["x = a / b"]),
        ("x = a % b", ["x = a * b"]),
        ("x = a ** b", ["x = a * b"]),
        ("x = a @ b", []),
        ("x = a & b", ["x = a | b"]),
        ("x = a and b", ["x = a or b"]),
        ("x = -a", ["x = +a"]),
        ("x = not a", ["x = not not a"]),
        ("x = ~a", ["x = ~~a"]),
        ("x = 3", ["x = 4"]),
        ("x = 0.5", ["x = 1.5"]),
        ("x = True", ["x = False"]),
        ("x = 'text'", []),
        ("x = np.minimum(a, b)", ["x = np.maximum(a, b)"]),
        ("x = min(a, b)", ["x = max(a, b)"]),
        ("x = b if a else c", ["x = b if not a else c"]),
        ("x = [a for a in b if a]", ["x = [a for a in b if not a]"]),
        ("while a:\n    pass", ["while not a:\n    pass"]),
        ("x = lambda a='b': c", ["x = lambda a='not b': c"]),
        ("x = lambda *, a=None: c", ["x = lambda *, a='not None': c"]),
        ("f(a)", ["pass"]),
        ("a += b", ["a -= b", "pass"]),
        ("a[b] = c", ["pass"]),
        ("a = f(a)", ["pass"]),
        ("raise a", ["pass"]),
        ("try:\n    f(a)\nexcept B:\n    x = c", ["try:\n    pass\nexcept B:\n    x = c"]),
        ("if a:\n    b = c", ["if not a:\n    b = c"]),
        ("for a in b:\n    x = c\nelse:\n    del b", ["for a in b:\n    x = c\nelse:\n    pass"]),
        ("for a in b:\n    break", ["for a in b:\n    pass"]),
        ("def f(a: Literal[3]) -> Literal[4]:\n    b: Literal[5] = c", []),
        ("@cache(maxsize=3)\ndef f():\n    'Say 3.'", []),
        ("import a", []),
    ],
)  # fmt: skip
def test_every_change_there_is(source, expected):
    assert sorted(mutants(source)) == sorted(expected)


def test_a_difference_shows_the_line_as_it_was_and_as_it_is():
    assert difference("def f(n):\n    if n < 0:\n        return 1\n", 0) == ["- if n < 0:", "+ if not n < 0:"]


@pytest.fixture
def tree(tmp_path):
    """A repository with one snippet and its test, on its main branch."""
    for folder in ("snippets/one", "tests/one"):
        (tmp_path / folder).mkdir(parents=True)
    for path in ("snippets", "snippets/one", "tests", "tests/one"):
        (tmp_path / path / "__init__.py").touch()
    (tmp_path / "snippets/one/half.py").write_text(SNIPPET)
    (tmp_path / "tests/one/test_half.py").write_text(STRONG)
    (tmp_path / ".gitignore").write_text("__pycache__\n")
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], [*identity, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def run(tree, *arguments):
    """Return the finished command, started at the root of a tree as ``make mutants`` does."""
    command = [sys.executable, *(arguments if arguments[0] == "-c" else ["-m", "tools.loop.mutants", *arguments])]
    surroundings = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=tree, env=surroundings, capture_output=True, text=True)


def git_status(tree):
    return subprocess.run(["git", "status", "--short"], cwd=tree, check=True, capture_output=True, text=True).stdout


def test_a_strong_test_kills_all_and_the_tree_is_left_as_it_was(tree):
    done = run(tree, "one/half")
    assert done.stdout.splitlines()[-1].split()[:5] == ["all", "13", "of", "13", "killed,"], done.stdout + done.stderr
    assert git_status(tree) == ""


def test_survivors_of_a_weak_one_are_shown(tree):
    (tree / "tests/one/test_half.py").write_text(WEAK)
    shown = run(tree, "one/half").stdout
    assert "snippets/one/half.py:10\n    - if n < 0:\n    + if n <= 0:\n" in shown
    assert "snippets/one/half.py:11\n    - raise ValueError('n must be at least 0')\n    + pass\n" in shown
    assert "half.py:4" not in shown  # the default is tested


def test_a_doctest_alone_kills_too(tree):
    (tree / "tests/one/test_half.py").write_text("def test_nothing():\n    assert True\n")
    shown = run(tree, "one/half").stdout
    assert "+ return n / 2 + (rest if up else 0)" not in shown
    assert "+ def half(n: int=8, up: bool=False) -> int:" in shown


def test_a_sample_is_always_the_same_and_never_larger_than_the_whole(tree, monkeypatch):
    monkeypatch.chdir(tree)
    snippet = Path("snippets/one/half.py")
    assert draw(snippet, 6) == draw(snippet, 6)
    assert len(set(draw(snippet, 6))) == 6
    assert sorted(draw(snippet, 100)) == list(range(13))


def test_what_changed_is_tried(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert changed() == []
    Path("snippets/one/twice.py").touch()
    assert changed() == [Path("snippets/one/twice.py")]
    Path("tests/one/test_half.py").write_text(WEAK)
    assert changed() == [Path("snippets/one/half.py"), Path("snippets/one/twice.py")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no snippet differs from main: name one, or say --all"),
        (["one/third"], "there is no snippets/one/third.py"),
    ],
)
def test_what_cannot_be_tried_is_named(tree, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tree)
    with pytest.raises(SystemExit):
        main(arguments)
    assert message in capsys.readouterr().err


def test_those_of_the_engines_are_tried_in_their_environment(tree, monkeypatch, capsys):
    """The others where the command runs; what fails there fails here, too."""
    monkeypatch.chdir(tree)
    monkeypatch.setattr("tools.guards.scale.PYTHON", tree / "bin/python")
    (tree / "snippets/scale").mkdir()
    (tree / "snippets/scale/half.py").touch()
    with pytest.raises(SystemExit):
        main(["scale/half"])
    assert "snippets/scale/half.py runs in an environment of its own: make .venv-scale" in capsys.readouterr().err
    (tree / "bin").mkdir()
    (tree / "bin/python").write_text('#!/bin/sh\necho "$@" >> asked\ncase "$*" in *"sample 7"*) exit 3;; esac\n')
    (tree / "bin/python").chmod(0o755)
    main(["scale/half", "--sample", "9", "--workers", "1"])
    with pytest.raises(SystemExit, match="3"):
        main(["scale/half", "one/half", "--sample", "7", "--workers", "1"])
    asked = Path("asked").read_text().splitlines()
    assert asked == [f"-m tools.loop.mutants --sample {n} --workers 1 scale/half" for n in (9, 7)]


def test_without_a_repository_nothing_tells_what_changed(tree, monkeypatch, capsys):
    monkeypatch.chdir(tree)
    Path(".git").rename("no.git")
    with pytest.raises(SystemExit):
        main([])
    assert "name a snippet, or say --all" in capsys.readouterr().err


def test_a_mutant_that_never_ends_is_ended_and_one_that_deletes_the_data_deletes_a_copy(tree, monkeypatch):
    monkeypatch.setenv("ML_DESIGN_CACHE", str(tree / "data"))
    (tree / "data").mkdir()
    (tree / "data/wheel").write_text("kept")
    wheel = "import os, pathlib; file = pathlib.Path(os.environ['ML_DESIGN_CACHE'], 'wheel')"
    trees = [
        "while True: pass",
        "import time; time.sleep(1000)",
        f"{wheel}; assert file.read_text() == 'kept'; file.unlink(); os._exit(7)",
    ]
    start = (
        "from pathlib import Path; from tools.loop.mutants import fork, mutant;"
        f"print([t[:2] for t in fork(Path('snippets/one/half.py'), [mutant(t) for t in {trees!r}], 3, 1)])"
    )
    codes = dict(ast.literal_eval(run(tree, "-c", start).stdout))
    assert codes == {0: -signal.SIGKILL, 1: -signal.SIGALRM, 2: 7}
    assert (tree / "data/wheel").read_text() == "kept"


def test_what_fails_as_it_is_has_no_mutants(tree):
    (tree / "tests/one/test_half.py").write_text("def test_wrong():\n    assert False\n")
    done = run(tree, "one/half")
    assert done.returncode == 1
    assert "tests/one/test_half.py or the doctests of snippets/one/half.py fail as they are" in done.stderr


def test_the_checks_of_which_snippets_hold_copies_have_mutants_of_their_own(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert Path("tools/door/checks.py") in tool.snippets()
    assert all(tool.test_of(path).is_file() for path in tool.snippets())
