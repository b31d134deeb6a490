"""List the exercises, or lay out one: ``make exercise P=snips``, or those of a page: ``P=evaluation/drift``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.builders.exercises import README, SETTINGS, module_of
from tools.builders.notebooks import imported
from tools.builders.snippet_bar import mirror
from tools.guards.exercises import Exercise, cut, of_guide
from tools.guards.fences import ROOT
from tools.guards.markup import SECTIONS


def files(exercise: Exercise, root: Path = ROOT) -> dict[str, str]:
    """Return the files of an exercise by their paths: the snippet, blank, and all that its test imports, as it is."""
    needed = imported([f"import {module_of(path)}" for path in (mirror(exercise.snippet), "tests/conftest.py")], root)
    readme = README.format(**vars(exercise), function=exercise.function)
    readme += "".join(f"\n## Hint: {title}\n\n{text}\n" for title, text in exercise.hints)
    return needed | {exercise.snippet: cut(exercise, root).blank, "README.md": readme, "pytest.ini": SETTINGS}


def lay_out(exercise: Exercise, folder: Path, root: Path = ROOT) -> None:
    """Write the files of an exercise into a new folder.

    Raises
    ------
    FileExistsError
        If the folder is there: it may hold what somebody wrote.
    """
    folder.mkdir(parents=True)
    for name, text in files(exercise, root).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def listed(exercises: list[Exercise]) -> str:
    """Return the exercises as lines, by section."""
    lines = []
    for section, title in SECTIONS.items():
        mine = [exercise for exercise in exercises if exercise.page.startswith(f"{section}/")]
        lines += [f"\n{title}"] * bool(mine)
        lines += [f"  P={found.name:34} {found.minutes:2} min  {found.title}, {found.page}" for found in mine]
    return "\n".join([*lines, "\nmake exercise P=NAME lays one out, P=section/page those of a page."]).lstrip("\n")


def chosen(exercises: list[Exercise], wanted: str) -> list[Exercise]:
    """Return those of a page, in either spelling, or the one of a name."""
    return [e for e in exercises if wanted == e.name or wanted.replace("_", "-") == e.page]


def main() -> int:
    """List the exercises, or lay out what the command line names; return the exit code."""
    wanted, target = [*sys.argv[1:], "", ""][:2]
    known = of_guide()
    found = chosen(known, wanted)
    if not wanted:
        print(listed(known))
        return 0
    if not found:
        print(f"P={wanted}: there is no such exercise; make exercise lists them", file=sys.stderr)
        return 1
    folders = {exercise: Path(target or ROOT / "exercises") / exercise.name for exercise in found}
    if taken := [str(folder) for folder in folders.values() if folder.exists()]:
        print(f"{', '.join(taken)} may hold your work: delete it, or say another place, DEST=…", file=sys.stderr)
        return 1
    for exercise, folder in folders.items():
        lay_out(exercise, folder)
        print(f"{exercise.title}, {exercise.minutes} min: {exercise.function} in {folder / exercise.snippet}")
        print(f"  then: cd {os.path.relpath(folder)} && {sys.executable} -m pytest -q -x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
