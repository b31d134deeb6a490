import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from snippets.scale import memory_limit
from snippets.scale.memory_limit import frame_bytes, run_within

HOLD = "import numpy as np\nheld = np.ones(size // 8)\nanswer = float(held.sum())"
NUMPY = "import numpy as np"
MB = 10**6


@pytest.mark.parametrize("how", ["address", "resident"])
def test_what_fits_comes_to_its_end_and_its_peak_is_what_it_held(how):
    run = run_within(HOLD, "400MB", how, NUMPY, {"size": 80 * MB})
    assert (run.fits, run.answer, run.error, run.signal, str(run)) == (True, 10e6, "", 0, "fits")
    assert 75 * MB < run.peak < 120 * MB


def test_beyond_the_address_space_the_code_says_so_itself():
    run = run_within(HOLD, "100MB", "address", NUMPY, {"size": 300 * MB})
    assert (run.fits, run.answer, run.signal) == (False, None, 0)
    assert re.match(r"(numpy\._core\._exceptions\.)?_?(Array)?MemoryError: ", str(run)), run


def test_beyond_what_it_may_hold_it_is_killed_without_a_word():
    run = run_within(HOLD, "100MB", "resident", NUMPY, {"size": 600 * MB})
    assert (run.fits, run.answer, run.signal) == (False, None, signal.SIGKILL)
    assert str(run) == "killed by signal 9: not a word"
    assert run.peak > 100 * MB


def test_memory_that_is_asked_for_and_never_touched_counts_as_address_alone():
    ask = "import mmap\nasked = mmap.mmap(-1, size)\nanswer = len(asked)"
    given = {"size": 600 * MB}
    assert run_within(ask, "100MB", "resident", given=given).answer == 600 * MB
    assert not run_within(ask, "100MB", "address", given=given).fits


def test_the_limit_counts_from_the_end_of_the_set_up():
    setup = f"{NUMPY}\nbefore = np.ones({300 * MB} // 8)"
    for how in ("address", "resident"):
        assert run_within("answer = float(before[0])", "50MB", how, setup).answer == 1.0


def test_a_watcher_that_looks_away_kills_all_the_same(monkeypatch):
    monkeypatch.setattr(memory_limit, "_watch", lambda child, limit, seconds: (0, child.communicate()[0] is None))
    run = run_within(HOLD, "100MB", "resident", NUMPY, {"size": 300 * MB})
    assert (str(run), run.answer) == ("killed by signal 9: not a word", None)
    assert run.peak > 250 * MB


def test_where_no_limit_of_addresses_is_enforced_the_process_is_watched(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    run = run_within(HOLD, "100MB", "address", NUMPY, {"size": 600 * MB})
    assert str(run) == "killed by signal 9: not a word"
    assert run_within(HOLD, "400MB", "address", NUMPY, {"size": 80 * MB}).answer == 10e6


def test_both_ways_to_ask_for_the_memory_of_a_process_agree(monkeypatch):
    waits = [sys.executable, "-c", "held = 'x' * 50_000_000; print('up', flush=True); input()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        assert child.stdout.readline() == b"up\n"
        linux = memory_limit._resident(child.pid)
        monkeypatch.setattr(sys, "platform", "darwin")
        assert linux > 50 * MB
        assert abs(memory_limit._resident(child.pid) - linux) < 3 * MB
    for platform in ("linux", "darwin"):
        monkeypatch.setattr(sys, "platform", platform)
        assert memory_limit._resident(child.pid) == 0


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("raise KeyError", "KeyError"),
        ("raise ValueError('one\\ntwo')", "ValueError: one"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("answer = {1, 2}", "TypeError: answer must be plain values"),
        (
            "import os, sys\nprint('last words', file=sys.stderr, flush=True)\nos.abort()",
            "killed by signal 6: last words",
        ),
        ("import os\nos.write(2, b'\\xe9t')\nos.abort()", "killed by signal 6: \N{REPLACEMENT CHARACTER}t"),
        ("import os\nos._exit(3)", "it leaves with exit code 3"),
        ("import os\nos._exit(0)", "it leaves with exit code 0"),
        ("import os\nos.write(2, b'no room')\nos._exit(3)", "no room"),
        ("answer = input()", "EOFError: EOF when reading a line"),
        ("import os\nos.kill(os.getpid(), 9)", "killed by signal 9: not a word"),
    ],
)
def test_what_went_wrong_is_said_in_a_line(code, said):
    run = run_within(code, "100MB")
    assert (str(run), run.fits, run.answer) == (said, False, None)


def test_what_the_code_prints_is_no_answer(capfd):
    assert run_within("print('x' * 100_000)\nanswer = [1, 'a', None]", "100MB").answer == [1, "a", None]
    assert capfd.readouterr() == ("", "")


def test_code_without_an_answer_has_none():
    run = run_within("x = 1", "100MB")
    assert (run.fits, run.answer) == (True, None)


def test_code_that_does_not_end_is_stopped():
    run = run_within("while True: pass", "100MB", seconds=0.3)
    assert str(run) == "killed by signal 9: it runs for more than 0.3 seconds"


@pytest.mark.parametrize(
    ("setup", "said"),
    [("1 / 0", "ZeroDivisionError: division by zero"), ("import os; os._exit(1)", "no word")],
)
def test_a_set_up_that_fails_is_no_result(setup, said):
    with pytest.raises(RuntimeError, match=f"^the set-up fails: {said}$"):
        run_within("answer = 1", "100MB", setup=setup)


@pytest.mark.parametrize(("limit", "size"), [("300MB", 300 * MB), ("1.5 GB", 1500 * MB), (7, 7), (2.5, 2)])
def test_a_limit_in_words_is_one_in_bytes(limit, size):
    assert memory_limit._bytes(limit) == size


NO_LIMITS = ["", "300", "300 KB", "MB", "-1MB", "0MB", 0, 0.5, -5, None, True, float("nan"), float("inf"), 1e30, [1]]


@pytest.mark.parametrize("limit", [*NO_LIMITS, "9" * 400 + "GB"])
def test_what_is_no_limit_is_refused(limit):
    said = f"limit must be bytes or text such as '300MB', above 0, got {limit!r}"
    with pytest.raises(ValueError, match=re.escape(said)):
        run_within("", limit)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), None, True, "9"])
def test_what_is_no_time_is_refused(seconds):
    with pytest.raises(ValueError, match=f"seconds must be a number above 0, got {seconds!r}"):
        run_within("", "1GB", seconds=seconds)


def test_what_cannot_be_handed_over_is_refused():
    with pytest.raises(ValueError, match=r"given must have plain values: .*set"):
        run_within("", "1GB", given={"a": {1}})


def test_a_process_does_not_outlive_who_waits_for_it(monkeypatch):
    children = []

    def interrupted(child, limit, seconds):
        children.append(child)
        raise KeyboardInterrupt

    monkeypatch.setattr(memory_limit, "_watch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_within("while True: pass", "1GB")
    assert children[0].wait(10) == -signal.SIGKILL


def test_the_code_waits_until_its_watcher_looks(monkeypatch):
    """Whatever it holds is counted from nothing, however late the watcher is."""
    code = "import time\nheld = bytearray(80_000_000)\nheld[::4096] = b'x' * len(held[::4096])\ntime.sleep(1)"
    slow = memory_limit._resident

    def late(process):
        monkeypatch.setattr(memory_limit, "_resident", slow)
        time.sleep(0.5)
        return slow(process)

    monkeypatch.setattr(memory_limit, "_resident", late)
    run = run_within(code, "60MB", "resident")
    assert str(run) == "killed by signal 9: not a word"
    assert run.peak < 100 * MB


def test_a_lower_limit_of_the_user_stays():
    code = (
        "import resource, sys\nfrom snippets.scale.memory_limit import run_within\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2 * 10**9,) * 2)\n"
        "print(run_within('answer = 1', '900GB').answer)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


def test_a_way_that_is_none_is_refused():
    with pytest.raises(ValueError, match="how must be address or resident, got 'cgroup'"):
        run_within("", "1GB", "cgroup")


@pytest.fixture
def log(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(60_000),
            "small": rng.integers(0, 9, 60_000).astype("int16"),
            "x": rng.normal(size=60_000),
            "at": pd.date_range("2026-01-01", periods=60_000, freq="s"),
            "text": [f"user {i:06}" for i in range(60_000)],
        }
    )
    frame[:20_000].to_parquet(tmp_path / "a.parquet", row_group_size=5_000, index=False)
    frame[20_000:].to_parquet(tmp_path / "b.parquet", index=False)
    frame[:0].to_parquet(tmp_path / "0.parquet", index=False)
    return tmp_path


def test_the_estimate_is_what_the_frame_takes(log):
    real = pd.read_parquet(log).memory_usage(index=False, deep=True)
    found = frame_bytes(log / "*.parquet")
    assert list(found.index) == list(real.index)
    np.testing.assert_allclose(found, real, rtol=0.02)
    assert found["id"] == 8 * 60_000
    assert found["small"] == 2 * 60_000


def test_the_estimate_is_of_the_columns_that_are_asked_for(log):
    found = frame_bytes(str(log / "*.parquet"), ["x", "id"])
    assert found.to_dict() == {"x": 480_000.0, "id": 480_000.0}


def test_the_estimate_is_of_all_the_files_and_not_of_their_beginning(tmp_path):
    """A log in order of time: names grow, a column begins to be filled."""
    rows = 250_000
    frame = pd.DataFrame(
        {
            "name": ["x"] * 100_000 + ["y" * 100] * 150_000,
            "new": [None] * 100_000 + [f"from {i:06}" for i in range(150_000)],
            "kind": pd.Categorical(["click", "view"] * (rows // 2)),
            "seen": pd.array([True, None] * (rows // 2), dtype="boolean"),
            "count": pd.array([1, None] * (rows // 2), dtype="Int64"),
            "when": pd.date_range("2026-10-25", periods=rows, freq="s", tz="Europe/Berlin"),
            'a "b"': 1.0,
            "a.b": np.uint8(1),
            "A.B": np.float32(1),
        }
    )
    frame.to_parquet(tmp_path / "0.parquet", index=False)
    frame[:7].to_parquet(tmp_path / "1.parquet", index=False)
    frame[100_000:110_000].to_parquet(tmp_path / "2.parquet", index=False)
    real = pd.read_parquet(tmp_path).memory_usage(index=False, deep=True)
    np.testing.assert_allclose(frame_bytes(tmp_path), real, rtol=0.1)


def test_a_long_log_is_looked_at_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_limit, "PART", 50)
    frame = pd.DataFrame({"text": ["x" * (i // 100) for i in range(60_000)]})
    frame.to_parquet(tmp_path / "a.parquet", index=False, row_group_size=9_000)
    real = frame.memory_usage(index=False, deep=True)
    np.testing.assert_allclose(frame_bytes(tmp_path / "a.parquet"), real, rtol=0.05)


def test_the_estimate_is_of_the_files_that_are_meant(tmp_path):
    frame = pd.DataFrame({"id": range(1000)})
    deep = tmp_path / "year=2026" / "month=1"
    deep.mkdir(parents=True)
    for path in (deep / "a.parquet", tmp_path / "b.parquet", tmp_path / "b[1].parquet", tmp_path / "b*.parquet"):
        frame.to_parquet(path, index=False)
    for files, count in [("b[1].parquet", 1), ("b*.parquet", 1), ("?.parquet", 1), ("**/*.parquet", 4), ("", 4)]:
        assert frame_bytes(tmp_path / files).to_dict() == {"id": 8000.0 * count}, files


def test_an_index_that_was_written_is_a_column(tmp_path):
    frame = pd.DataFrame({"x": 1}, index=pd.Index([*range(5, 104), 3], name="id"))
    frame.to_parquet(tmp_path / "a.parquet")
    assert frame_bytes(tmp_path / "a.parquet").to_dict() == {"id": 800.0, "x": 800.0}


def test_a_bad_log_has_no_estimate(log):
    for columns in ([], "x"):
        with pytest.raises(ValueError, match=re.escape(f"columns must be a list of names, got {columns!r}")):
            frame_bytes(log / "*.parquet", columns)
    pd.DataFrame({"id": [1]}).to_parquet(log / "other.parquet", index=False)
    with pytest.raises(ValueError, match=r"files: .*other\.parquet has other columns than .*0\.parquet"):
        frame_bytes(log / "*.parquet")
    (log / "other.parquet").write_text("id\n1\n")
    with pytest.raises(ValueError, match=r"files: .*other\.parquet is no Parquet file: "):
        frame_bytes(log / "*.parquet")
    (log / "other.parquet").unlink()
    with pytest.raises(ValueError, match=r"columns: .*0\.parquet has no 'y'"):
        frame_bytes(log / "*.parquet", ["x", "y"])
    with pytest.raises(ValueError, match=r"files: no row in .*0\.parquet"):
        frame_bytes(log / "0.parquet")
    with pytest.raises(ValueError, match=r"files: no file at .*c\.parquet"):
        frame_bytes(log / "c.parquet")


def test_duckdb_spills_within_its_own_limit_where_pandas_fails(tmp_path):
    """The page's point, on the same rows, with an answer that is known."""
    rows = 2_000_000
    frame = pd.DataFrame({"id": np.random.default_rng(1).permutation(rows), "cents": 1})
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    frame.to_parquet(tmp_path / "b.parquet", index=False)
    given = {"a": str(tmp_path / "a.parquet"), "b": str(tmp_path / "b.parquet"), "spill": str(tmp_path / "spill")}
    pandas = "answer = len(pd.read_parquet(a).merge(pd.read_parquet(b), on='id'))"
    assert not run_within(pandas, "90MB", "address", "import pandas as pd", given).fits
    assert run_within(pandas, "2GB", "address", "import pandas as pd", given).answer == rows
    sql = "answer = con.sql(f\"SELECT count(*) FROM '{a}' a JOIN '{b}' b ON a.id = b.id\").fetchall()[0][0]"
    setup = (
        "import duckdb\ncon = duckdb.connect(config={'memory_limit': '30MB', 'threads': 1, 'temp_directory': spill})"
    )
    assert run_within(sql, "90MB", "resident", setup, given).answer == rows
    run = run_within(sql, "90MB", "resident", setup.replace("spill})", "''})"), given)
    assert run.error.startswith("OutOfMemoryException: Out of Memory Error: "), run
