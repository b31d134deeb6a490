"""Copies of the guide, to lay out and build pages in."""

import shutil

from tools.builders.zensical import NEEDED
from tools.guards.fences import ROOT

READ = ("docs", "templates", "mkdocs.yml")
BUILT = (*NEEDED, "templates", "tests", "pyproject.toml")


def copy(names, folder):
    """Copy files and folders of the repository into a folder, and return it."""
    for name in names:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(ROOT / name, folder / name)
    return folder
