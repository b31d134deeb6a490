"""Builds of one commit are byte-identical. This file comes first: it takes longest, and others fill the other core."""

import os
import subprocess
import sys

from tests.site.conftest import SITE
from tools.guards.fences import ROOT


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_a_second_build_is_byte_identical_with_another_seed_zone_language_and_folder(tmp_path):
    """The labs' outputs are those of the first build: the weekly workflow runs them anew."""
    seed = str((int(os.environ.get("PYTHONHASHSEED", "0").replace("random", "0")) + 1) % 2**32)
    other = {"PYTHONHASHSEED": seed, "TZ": "Pacific/Kiritimati", "LC_ALL": "C"}
    command = [sys.executable, "-m", "tools.builders.site", tmp_path / "other"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **other}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    one, two = files(SITE), files(tmp_path / "other")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []
