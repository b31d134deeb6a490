"""What the ledger demands of a block beyond pytest-codeblocks, tried on pages planted in a folder of their own."""

import json
import os
import subprocess
import sys
import time

import pytest

from tools.guards.fences import ROOT
from tools.guards.ledger import digest, merge
from tools.guards.runner import Runner


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
    assert "page.md:9: ZeroDivisionError: division by zero" in done.stdout
    assert [b["sha256"] for b in ledger(tmp_path)] == [digest("x = 1")]


# Each with the line of the page and what is wrong with it. The fence of the block opens in line 3.
REFUSED = {
    "an output that the page does not show": ("print(1)", "page.md:3: it prints\n1\n"),
    "what a reader sees and CI did not": ('if __name__ == "__main__":\n    print(1)', "page.md:3: it prints\n1\n"),
    "an uncalled function": ("def test_it():\n    assert False", "page.md:5: never executed: assert False"),
    "a branch": ("if True:\n    x = 1\nelse:\n    x = 2", "page.md:7: never executed: x = 2"),
    "a handler": ("try:\n    x = 1\nexcept ValueError:\n    x = 2", "page.md:7: never executed: x = 2"),
    "an uncalled lambda": ("f = lambda: (\n    1 / 0\n)", "page.md:5: never executed: 1 / 0"),
    "a condition on one line": ("if False: print(1)", "page.md:4: never executed: print(1)"),
    "an operand": ("True or print(1)", "page.md:4: never executed: print(1)"),
    "an empty loop": ("for i in []: print(i)", "page.md:4: never executed: print(i)"),
    "an annotation": ("def f(x: Nobody):\n    return x\n\n\nf(1)", "page.md:4: NameError: name 'Nobody' is not"),
    "an exit": ("x = 1\nraise SystemExit", "page.md:5: SystemExit"),
    "an interrupt": ("raise KeyboardInterrupt('now')", "page.md:4: KeyboardInterrupt: now"),
    "a hard exit": ("import os\nos._exit(0)", "page.md:3: the process ended with 0"),
    "a crash": ("import os\nos.kill(os.getpid(), 11)", "page.md:3: the process ended with -11"),
    "what does not parse": ("x = 1\ny = (", "page.md:5: SyntaxError: '(' was never closed"),
    "a warning": ("import warnings\nwarnings.warn('x')", "page.md:5: UserWarning: x"),
    "standard error": ("import sys\nprint('x', file=sys.stderr)", "page.md:3: it writes to standard error: x"),
    "writing a page": ("open('docs/x.md', 'w')", "page.md:4: PermissionError: a block must not write there: docs"),
    "writing elsewhere": ("open('/var/x', 'a')", "page.md:4: PermissionError: a block must not write there: /var"),
    "making a folder": ("import os\nos.mkdir('site')", "page.md:5: PermissionError: a block must not write there"),
    "moving a page": ("import os\nos.rename('/tmp/x', 'x.md')", "page.md:5: PermissionError: a block must not write"),
    "removing a page": ("import os\nos.remove('page.md')", "page.md:5: PermissionError: a block must not write"),
    "making a link": ("import os\nos.symlink('docs', '/tmp/x')", "page.md:5: PermissionError: a block must not write"),
    "writing by another folder": (
        "import os\nos.open('x', os.O_CREAT, dir_fd=os.open('.', os.O_RDONLY))",
        "page.md:5: PermissionError: a block must not write there: x",
    ),
    "a database": ("import sqlite3\nsqlite3.connect('x')", "page.md:5: PermissionError: a block must not write there"),
    "answering by the name of the channel": (
        "import glob\nfor n in glob.glob('/proc/self/fd/*'):\n    open(n, 'w')",
        "page.md:6: PermissionError: a block must not write there: /proc/self/fd/",
    ),
    "writing over the report": (
        "import os\nfor n in range(3, 20):\n    try:\n        os.write(n, b'xx')\n    except OSError:\n        n = 0",
        "page.md:3: it writes over the report: ",
    ),
    "what is not UTF-8": ("import os\nos.write(1, b'\\xff')", "page.md:3: it prints what is not UTF-8: "),
    "a flood": ("while True:\n    print('x' * 100_000)", "page.md:3: it prints more than 10,000,000 bytes"),
    "what is printed at the end": (
        "def g():\n    try:\n        yield\n    finally:\n        print('end')\n\n\nlist(g())\nh = g()\nnext(h)",
        "page.md:3: it prints\nend\nend\n",
    ),
    "opening the report": (
        "for n in range(3, 99):\n    try:\n        open(n, 'w', closefd=False)\n    except OSError as e:\n"
        "        if 'report' in str(e):\n            raise",
        "page.md:6: PermissionError: a block must not write its own report",
    ),
    "patching the runner": (
        "import marshal, os\nmarshal.dumps = os.write = print\nif 0: x = 1",
        "page.md:6: never executed: x = 1",
    ),
    "patching the plugin": ("import sys\nsys.modules['tools.guards.ledger']", "page.md:5: KeyError"),
    "a marked block": ("import pytest\npytest.skip('x')", "page.md:5: Skipped: x"),
}


def test_what_slips_past_pytest_codeblocks_is_refused_with_its_line(tmp_path):
    pages = [block(code) for code, _ in REFUSED.values()]
    for i, page in enumerate(pages):
        (tmp_path / f"{i:02}").mkdir()
        (tmp_path / f"{i:02}/page.md").write_text(page, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "tools.guards.ledger", "--codeblocks", "-q", "-n", "0"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [*command, f"--rootdir={tmp_path}", "."], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    wrong = {
        name: reason for i, (name, (_, reason)) in enumerate(REFUSED.items()) if f"{i:02}/{reason}" not in done.stdout
    }
    assert wrong == {}, done.stdout
    assert ledger(tmp_path) == []


def test_a_wrong_output_is_refused(tmp_path):
    assert run(tmp_path, block("print(2)", "3")).returncode == 1


@pytest.mark.parametrize(
    "mark", ["pytest.mark.skip", "pytest.mark.skipif(True, reason='x')", "pytest.mark.xfail(reason='x')"]
)
def test_a_skip_fails_the_session(tmp_path, mark):
    done = run(tmp_path, f"<!--{mark}-->\n\n" + block("x = 1 / 0"))
    assert done.returncode == 1
    assert "SKIPPED, which is a failure here" in done.stdout


@pytest.mark.parametrize("mark", ["importorskip(nothing)", "importorskip(math)"])
def test_a_block_that_asks_to_be_skipped_fails(tmp_path, mark):
    done = run(tmp_path, f"<!--pytest-codeblocks:{mark}-->\n\n" + block("x = 1"))
    assert done.returncode == 1
    assert "only `python` is run, and never skipped" in done.stdout


def test_shell_fails_without_being_run(tmp_path):
    done = run(tmp_path, f"# P\n\n```bash\ntouch {tmp_path}/ran\n```\n")
    assert done.returncode == 1
    assert not (tmp_path / "ran").exists()


def test_nothing_collected_is_no_success(tmp_path):
    assert run(tmp_path, "# Page\n").returncode == 5


@pytest.mark.parametrize("name", ["docs/x.csv", "tools/guards/x.py"])
def test_a_file_that_changes_while_the_blocks_run_fails_the_session(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True)
    code = f"import duckdb\nduckdb.sql('SELECT 1 AS a').write_csv('{name}')"  # of which no hook hears
    done = run(tmp_path, block(code))
    assert done.returncode == 1
    assert f"CHANGED while the blocks ran, which is a failure here: {name}" in done.stdout


def test_shards_together_run_each_block_once(tmp_path):
    pages = "".join(block(f"x = {i}") for i in range(5))
    parts = []
    for part in ("1/2", "2/2"):
        assert run(tmp_path, pages, "--shard", part).returncode == 0
        parts.append(tmp_path / f"{part[0]}.json")
        (tmp_path / "build/ledger.json").rename(parts[-1])
    merge(tmp_path / "build/ledger.json", parts)
    assert [b["sha256"] for b in ledger(tmp_path)] == [digest(f"x = {i}") for i in range(5)]
    parts[0].write_text(json.dumps({"sources": "older", "blocks": []}))
    with pytest.raises(ValueError, match="of the same sources"):
        merge(tmp_path / "build/ledger.json", parts)


def test_a_part_that_is_none_is_refused(tmp_path):
    done = run(tmp_path, block("x = 1"), "--shard", "3/2")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--shard needs 1/N to N/N" in done.stderr


@pytest.fixture
def runner(tmp_path):
    runner = Runner(tmp_path, preload=False)
    yield runner
    runner.close()


def test_nothing_reaches_the_next_block(runner):
    first = runner.run(
        "import builtins, os, sys\nbuiltins.X = 1\nos.environ['X'] = '1'\nos.chdir('/')\nsys.path.clear()"
    )
    assert first.error is None
    second = runner.run("import builtins, os\nprint(hasattr(builtins, 'X'), 'X' in os.environ, os.getcwd())")
    assert second.stdout.split() == ["False", "False", str(runner.root)]


@pytest.mark.parametrize("process", ["self", "{os.getppid()}"])
def test_nobody_answers_in_place_of_the_child_or_the_server(runner, process):
    """Not even compiled code, of which no hook hears."""
    copy = f"duckdb.sql(f\"COPY (SELECT 1) TO '/proc/{process}/fd/{{n}}'\")"
    loop = f"for n in range(20):\n    try:\n        {copy}\n    except duckdb.Error:\n        x = 1"
    result = runner.run(f"import duckdb, os\n{loop}\nif 0: x = 2")
    assert (result.error, result.stdout, result.left) == (None, "", [(7, "x = 2")])
    assert runner.run("print(1)").stdout == "1\n"


@pytest.mark.parametrize("code", ["while True: x = 1", "import os\nos.closerange(0, 99)\nwhile True: x = 1"])
def test_a_block_that_does_not_end_is_stopped(tmp_path, code):
    runner = Runner(tmp_path, preload=False, seconds=1)
    assert runner.run(code).error == (0, "it runs for more than 1 seconds")
    assert runner.run("print(1)").stdout == "1\n"
    runner.close()


def test_nobody_waits_for_a_process_that_a_block_left_behind(runner):
    start = time.monotonic()
    assert runner.run("import subprocess\nsubprocess.Popen(['sleep', '300'])").error is None
    assert time.monotonic() - start < 250


def test_numbers_are_printed_as_they_are_by_default(runner):
    assert runner.run("import numpy as np\nnp.set_printoptions(precision=1)").error is None
    assert runner.run("import numpy as np\nprint(np.array([0.125]))").stdout == "[0.125]\n"


def test_a_library_may_ask_another_program(runner):
    """As joblib asks lscpu for the number of cores, on machines that have no more of them than was drawn."""
    assert runner.run("import subprocess\nprint(subprocess.check_output(['echo', '1']))").stdout == "b'1\\n'\n"


def test_a_loader_may_unpack(runner):
    code = "import tempfile\nwith tempfile.TemporaryDirectory() as folder:\n    open(folder + '/x', 'w').close()"
    assert runner.run(code).error is None


def test_much_output_does_not_fill_a_pipe(runner):
    result = runner.run("import sys\nprint('x' * 300_000)\nprint('y' * 300_000, file=sys.stderr)")
    assert (len(result.stdout), len(result.stderr)) == (300_001, 300_001)


def test_what_compiled_code_prints_counts(runner):
    assert runner.run("import os\nos.write(1, b'x')").stdout == "x"


def test_the_number_of_processors_is_the_one_that_was_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHON_CPU_COUNT", str(os.cpu_count() + 5))
    runner = Runner(tmp_path, preload=False)
    assert int(runner.run("import os\nprint(os.cpu_count())").stdout) == os.cpu_count() + 5
    runner.close()


def test_a_server_that_died_says_so(runner):
    runner._server.kill()
    with pytest.raises(RuntimeError, match="the server of the blocks ended with code -9"):
        runner.run("x = 1")
