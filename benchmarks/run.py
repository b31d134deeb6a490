"""Time the snippets against what a reader would use instead, as ratios within one run: ``make bench``.

Prints each table and writes it beside its program, where a page includes it. Exits with 1 if a goal is missed. Names
as arguments, ``features/counters`` or all of ``features``, run those alone.
"""

from __future__ import annotations

import sys
import time
from datetime import date
from importlib import import_module

from benchmarks.provenance import HERE, MEASURED, measured, seal, tables, versions


def chosen(names: list[str]) -> list[str]:
    """Return the tables of these names or sections, or all of them."""
    for name in names:
        if not any(table == name or table.startswith(f"{name}/") for table in tables()):
            raise ValueError(f"there is no table {name!r}: choose from {', '.join(tables())}")
    return [table for table in tables() if not names or table in names or table.split("/")[0] in names]


def last_seconds(name: str) -> int:
    """Return the seconds that a table took the last time, or a minute for a new one."""
    path = HERE / f"{name}.md"
    found = MEASURED.search(path.read_text(encoding="utf-8")) if path.exists() else None
    return int(found["seconds"]) if found else 60


def run(names: list[str]) -> list[str]:
    """Measure and write these tables, with an estimate of what is left; return the goals that they miss."""
    expected = {name: last_seconds(name) for name in names}
    missed, began = [], time.monotonic()
    for i, name in enumerate(names):
        before = sum(expected[n] for n in names[:i])
        pace = (time.monotonic() - began) / before if before else 1  # of this machine, against the last one
        left = pace * sum(expected[n] for n in names[i:]) / 60
        print(
            f"\n{name}, {i + 1} of {len(names)}: about {pace * expected[name]:.0f} s, {left:.1f} min left in all",
            flush=True,
        )
        start = time.monotonic()
        table = import_module(f"benchmarks.{name.replace('/', '.')}").measure()
        program = HERE / f"{name}.py"
        note = measured(program, date.today().isoformat(), time.monotonic() - start)
        program.with_suffix(".md").write_text(seal(f"{table.markdown()} {note}"), encoding="utf-8")
        missed += [f"{name}: {miss}" for miss in table.missed]
    return missed


def main() -> int:
    """Run the tables asked for, or all; print the goals missed, and return the exit code."""
    try:
        names = chosen(sys.argv[1:])
        for name in names:
            versions(HERE / f"{name}.py")  # before the long part
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    missed = run(names)
    for miss in missed:
        print(f"MISSED {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
