"""What the ledger demands of a block beyond pytest-codeblocks, tried on pages planted in a folder of their own."""

import json
import subprocess
import sys

import pytest

from tools.guards.fences import ROOT
from tools.guards.ledger import digest, unexecuted


def run(folder, page, *arguments):
    (folder / "page.md").write_text(page, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tools.guards.ledger", "--codeblocks", "-q", "-rs", *arguments]
    return subprocess.run(
        [*command, f"--rootdir={folder}", "-p", "no:cacheprovider", "page.md"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )


def ledger(folder):
    return json.loads((folder / "build/ledger.json").read_text(encoding="utf-8"))["blocks"]


def block(code, output=None):
    shown = "" if output is None else f"\n<!--pytest-codeblocks:expected-output-->\n\n```text\n{output}\n```\n"
    return f"# Page\n\n```python\n{code}\n```\n{shown}"


def test_a_block_that_passes_is_in_the_books(tmp_path):
    done = run(tmp_path, block("print(1 + 1)", "2"))
    assert done.returncode == 0, done.stdout
    books = {"page": "page.md", "line": 3, "sha256": digest("print(1 + 1)"), "output": digest("2")}
    assert ledger(tmp_path) == [books]


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_block_that_fails_is_not(tmp_path, workers):
    done = run(tmp_path, block("x = 1") + block("1 / 0"), *workers)
    assert done.returncode == 1
    assert [b["sha256"] for b in ledger(tmp_path)] == [digest("x = 1")]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("print(1)", "Expected output"),
        ('if __name__ == "__main__":\n    x = 1', "never executed: line 5"),
        ("def test_it():\n    assert False", "never executed: line 5"),
        ("if True:\n    x = 1\nelse:\n    x = 2", "never executed: line 7"),
        ("try:\n    x = 1\nexcept ValueError:\n    x = 2", "never executed: line 7"),
        ("class A:\n    def f(self):\n        return 1", "never executed: line 6"),
        ("f = lambda: (\n    1 / 0\n)", None),
        ("import os\nos.chdir('..')", "changes the working directory"),
        ("import os\nos.environ['PLANTED'] = '1'", "changes PLANTED"),
    ],
)
def test_what_slips_past_pytest_codeblocks_is_refused(tmp_path, code, reason):
    done = run(tmp_path, block(code))
    if reason is None:  # a lambda is one statement: known, and said in CONTRIBUTING
        assert done.returncode == 0
        return
    assert done.returncode == 1
    assert reason in done.stdout
    assert ledger(tmp_path) == []


def test_a_wrong_output_is_refused(tmp_path):
    assert run(tmp_path, block("print(2)", "3")).returncode == 1


@pytest.mark.parametrize("mark", ["pytest.mark.skip", "pytest.mark.skipif(True, reason='x')"])
def test_a_skip_fails_the_session(tmp_path, mark):
    done = run(tmp_path, f"<!--{mark}-->\n\n" + block("x = 1"))
    assert done.returncode == 1
    assert "SKIPPED, which is a failure here" in done.stdout


def test_a_skip_from_within_fails_too(tmp_path):
    assert run(tmp_path, block("import pytest\npytest.skip('x')")).returncode == 1


def test_nothing_collected_is_no_success(tmp_path):
    assert run(tmp_path, "# Page\n").returncode == 5


@pytest.mark.parametrize(
    ("code", "executed", "left"),
    [
        ("x = 1\ny = 2", {1}, [2]),
        ('"""Doc."""\nx = 1', {2}, []),
        ("x = [\n    1,\n    2,\n]", {2}, []),
        ("def f():\n    global x\n    x = 1", {1, 3}, []),
        ("for i in []:\n    x = 1", {1}, [2]),
    ],
)
def test_statements_left_unexecuted(code, executed, left):
    assert unexecuted(code, executed) == left
