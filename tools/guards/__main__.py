"""``python -m tools.guards [PATH …]`` checks everything, or some files alone, and prints one line a fault.

Each line says the file, the line, what is wrong and what to do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.guards.exercises import check_names
from tools.guards.fences import ROOT
from tools.guards.labs import check_lab, labs
from tools.guards.pages import check_cards, check_descriptions, check_page, check_part, pages, parts
from tools.guards.settings import check_settings
from tools.guards.sources import check_sources, sources


def main(arguments: list[str]) -> int:
    """Check the files that are named, or all of them and the settings; print the faults and return the exit code."""
    kinds = [(pages, check_page), (parts, check_part), (labs, check_lab)]
    checks = {path: check for found, check in kinds for path in found()}
    wanted = [Path(argument).resolve() for argument in arguments] or list(checks)
    if unknown := [str(path) for path in wanted if path not in {*checks, *sources()}]:
        print(f"guard: no file of the guide: {', '.join(unknown)}", file=sys.stderr)
        return 2
    names = tuple(f"{path.relative_to(ROOT).as_posix()}:" for path in wanted)
    # All sources at once, whichever are named: what a test calls may assert in another file.
    faults = [] if arguments else [*check_settings(), *check_descriptions(), *check_cards(), *check_names()]
    faults += [fault for fault in check_sources() if not arguments or fault.startswith(names)]
    shown = [path for path in wanted if path in checks]
    for path in shown:
        faults += checks[path](path)
    who = "1 page shows" if len(shown) == 1 else f"{len(shown)} pages show"
    print("\n".join(faults) or f"guard: {who} nothing that does not run")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
