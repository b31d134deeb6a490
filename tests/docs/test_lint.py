"""`make lint` reads what people write and nothing that the commands made, also where there is no git."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.guards.fences import ROOT

BIN = Path(sys.executable).parent
SETTINGS = ("pyproject.toml", ".gitignore", ".ignore", ".yamllint.yml")
LINES = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1]
COMMANDS = [line.split() for line in re.findall(r"\$\(BIN\)/(.*)", LINES) if not line.startswith("zizmor")]
MISSPELT = "ie".join(("rec", "ve"))  # put together here, since this file is linted itself
BAD = {
    "bad.py": f"import os\nx=1\n# {MISSPELT}\n",
    "bad.md": f"# A\n# B\n\n\n\n* {MISSPELT}\n",
    "bad.yml": f"a: 1\n  b: [  2]\n# {MISSPELT}\n",
}
MADE = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split() if "*" not in line]


def plant(folder):
    folder.mkdir(parents=True)
    for name, text in BAD.items():
        (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def tree(tmp_path):
    for name in SETTINGS:
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "README.md").write_text("# Sound\n", encoding="utf-8")
    return tmp_path


def run(command, tree):
    return subprocess.run([BIN / command[0], *command[1:]], cwd=tree, capture_output=True, text=True)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_was_made_is_not_read(tree, command):
    for name in MADE:
        plant(tree / name)
        if name.startswith(("__", ".ipynb")):
            plant(tree / "docs" / "labs" / name)
    done = run(command, tree)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["docs", "docs/site", "tools/build"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_people_write_is_read(tree, command, folder):
    plant(tree / folder)
    assert run(command, tree).returncode != 0


def test_what_git_ignores_is_ignored_where_there_is_no_git():
    assert (ROOT / ".ignore").read_text(encoding="utf-8") == (ROOT / ".gitignore").read_text(encoding="utf-8")
