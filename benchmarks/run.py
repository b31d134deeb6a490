"""Time the snippets against what a reader would use instead, as ratios within one run: ``make bench``.

Prints the tables and writes them beside their programs, where pages include them. Exits with 1 if a goal is missed.
Names of tables as arguments, as ``features/counters``, run those alone.
"""

from __future__ import annotations

import sys
from importlib import import_module

from benchmarks.table import HERE

TABLES = sorted(p.relative_to(HERE).with_suffix("").as_posix() for p in HERE.glob("*/[!_]*.py"))


def main() -> int:
    """Run the tables asked for, or all; write them, and return the exit code."""
    missed = [
        miss
        for name in sys.argv[1:] or TABLES
        for miss in import_module(f"benchmarks.{name.replace('/', '.')}").measure()
    ]
    for miss in missed:
        print(f"MISSED {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
