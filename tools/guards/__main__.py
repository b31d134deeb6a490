"""``python -m tools.guards [PATH …]`` checks everything, or some pages alone, and prints one line a fault.

Each line says the file, the line, what is wrong and what to do.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tools.guards.labs import check_lab, labs
from tools.guards.pages import check_page, check_part, pages, parts
from tools.guards.settings import check_settings
from tools.guards.sources import check_sources


def main(arguments: list[str]) -> int:
    """Check the pages that are named, or all pages and sources; print the faults and return the exit code."""
    kinds = [(pages, check_page), (parts, check_part), (labs, check_lab)]
    checks = {path: check for found, check in kinds for path in found()}
    wanted = [Path(argument).resolve() for argument in arguments] or list(checks)
    if unknown := [str(path) for path in wanted if path not in checks]:
        print(f"guard: no page of the guide: {', '.join(unknown)}", file=sys.stderr)
        return 2
    faults = [] if arguments else [*check_settings(), *check_sources()]
    for path in wanted:
        faults += checks[path](path)
    print("\n".join(faults) or f"guard: {len(wanted)} page{'s' * (len(wanted) > 1)} show nothing that does not run")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
