"""Run the steps of ``make test``, all that can run, and end with a table: ``python -m tools.loop.steps MAKE STEP...``.

A step that fails does not stop the next one, so that a person sees all faults at once; what needs it is left out. What
the steps print passes through unchanged.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tools.guards.fences import ROOT
from tools.loop.progress import Durations, spoken

NEEDS = {"site": "test-docs", "test-site": "site"}
# What runs beside a step, since it leaves a core idle when it runs alone: the labs take as long as the longest of them.
BESIDE = {"test-unit": "labs"}
# What a step says that it has checked, in its own output.
CHECKED = {
    "lint": [(r"^(\d+) files already formatted", "{} Python files"), (r"No issues found in (\d+) files", "{} pages")],
    "test-unit": [(r"(\d+) passed", "{} tests")],
    "scale": [(r"(\d+) passed", "{} tests")],
    "test-docs": [(r"(\d+) pages", "{} pages"), (r"(\d+) passed", "{} blocks")],
    "site": [(r"^proof: (.+)$", "{}")],
    "test-site": [(r"(\d+) passed", "{} tests")],
}
FAULTS = r"(\d+ (?:failed|errors?)\b)"


@dataclass
class Outcome:
    """What came of a step."""

    step: str
    verdict: str = "not run"
    seconds: float = 0.0
    checked: list[str] = field(default_factory=list)


def checked(step: str, output: str) -> list[str]:
    """Return what a step's output says that it has checked, and how many faults it counted."""
    said = []
    for pattern, words in [*CHECKED.get(step, []), (FAULTS, "{}")]:
        if found := re.findall(pattern, output, re.MULTILINE):
            said.append(words.format(found[-1]))
    return said


def run(make: str, step: str) -> Outcome:
    """Run one step through make, without the step that it needs, and pass on what it prints as it comes."""
    before = [f"--old-file={NEEDS[step]}"] if step in NEEDS else []
    start, output = time.monotonic(), bytearray()
    with (
        _beside(make, step),
        subprocess.Popen(
            [make, "--no-print-directory", *before, step], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as process,
    ):
        while chunk := process.stdout.read1():
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            output += chunk
    said = checked(step, output.decode(errors="replace"))
    return Outcome(step, "failed" if process.returncode else "ok", time.monotonic() - start, said)


@contextmanager
def _beside(make: str, step: str) -> Iterator[None]:
    """Run what runs beside a step, and wait for it; what goes wrong in it is said by the step that uses it."""
    if step not in BESIDE:
        yield
        return
    with subprocess.Popen([make, "--no-print-directory", BESIDE[step]], cwd=ROOT, stderr=subprocess.STDOUT):
        yield


def table(outcomes: list[Outcome]) -> str:
    """Return a line for each step: what came of it, how long it took, what it checked."""
    lines = [f"  {o.step:10} {o.verdict:8} {o.seconds:6.0f} s  {', '.join(o.checked)}".rstrip() for o in outcomes]
    return "\n".join([*lines, f"  {'all':19} {sum(o.seconds for o in outcomes):6.0f} s"])


def main(make: str, steps: list[str]) -> int:
    """Run the steps, print the table, and return the exit code."""
    known, outcomes = Durations(ROOT), [Outcome(step) for step in steps]
    names = {step: f"step {step}" for step in steps}
    try:
        for i, outcome in enumerate(outcomes):
            bad = {o.step for o in outcomes[:i] if o.verdict != "ok"}
            if NEEDS.get(outcome.step) in bad:
                outcome.checked = [f"it needs {NEEDS[outcome.step]}"]
                continue
            left = [known.seconds.get(names[step]) for step in steps[i:]]
            estimate = "" if None in left else f", about {spoken(sum(left))} left"
            print(f"\n{outcome.step}: step {i + 1} of {len(steps)}{estimate}", flush=True)
            outcomes[i] = run(make, outcome.step)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)
    known.save({names[o.step]: o.seconds for o in outcomes if o.verdict == "ok" and o.seconds > 1})
    print(f"\n{table(outcomes)}", flush=True)
    return int(any(o.verdict != "ok" for o in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
