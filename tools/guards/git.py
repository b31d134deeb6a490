"""What git says of this checkout, which may be a source archive that git knows nothing of."""

from __future__ import annotations

import subprocess

from tools.guards.fences import ROOT


def commit() -> str | None:
    """Return the commit that is checked out, or None where ROOT is no repository of its own."""
    if _git("rev-parse", "--show-toplevel") != str(ROOT.resolve()):
        return None  # not one at all, or one that merely lies above
    return _git("rev-parse", "HEAD") or None


def clean() -> bool | None:
    """Return whether all is as committed, or None where nobody can say."""
    return not _git("status", "--porcelain") if commit() else None


def history(folder: str) -> str:
    """Return the commits that changed a folder: the second of each behind a NUL, and below it its files.

    Without the first commit, to which everything is new, as it also is to the first that a shallow clone has.
    """
    if commit() is None:
        return ""
    # A branch counts as of its merge: before it, nobody could read what it holds. Names are told as they are.
    how = ["--first-parent", "--diff-merges=first-parent", "--min-parents=1", "--name-status", "--find-renames"]
    return _git("-c", "core.quotePath=false", "log", *how, "--format=%x00%ct", "--", folder)


def date() -> str | None:
    """Return the day of the commit that is checked out, or None where there is none."""
    return _git("show", "--no-patch", "--format=%cs", "HEAD") if commit() else None


def _git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:  # there is no git
        return ""
