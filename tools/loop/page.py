"""Check everything that concerns one page and nothing else: ``make page P=evaluation/lift``.

Runs its blocks and writes their outputs, tests its snippets and figures, lints and guards what it is made of, builds it
alone, and says what to mend. Works on two cores at once. ``make test`` remains what a pull request must pass.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mkdocs.utils.meta import get_data

from tools.builders.snippet_bar import mirror
from tools.guards.claims import DRAWN, SUMS
from tools.guards.exercises import of_page
from tools.guards.fences import FIGURE, QUERY, ROOT, RUN, fences
from tools.guards.scale import python
from tools.loop.progress import Progress

PREVIEW = ROOT / "build" / "page"
BIN = Path(sys.executable).parent
PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest", "-q", "--no-header", "--tb=short"]


@dataclass(frozen=True)
class Step:
    """One thing to check: its commands, all of which run, and what to do when one of them fails."""

    name: str
    mend: str
    commands: list[list[str]]
    early: bool = False  # needs no output on the page, so it runs beside the blocks


@dataclass(frozen=True)
class Result:
    """What came of a step."""

    step: Step
    faults: str
    checked: str
    seconds: float


def find(name: str) -> Path:
    """Return the file of a page by its name: ``evaluation/lift``, ``index``, ``labs/leakage_clinic``, or a path.

    Raises
    ------
    ValueError
        If there is no such page.
    """
    docs = ROOT / "docs"
    known = {p.relative_to(docs).as_posix(): p for p in sorted(docs.rglob("*")) if p.suffix in (".md", ".py")}
    name = name.strip().removeprefix("docs/")
    for path in (name, f"{name}.md", f"{name}.py"):
        if path in known:
            return known[path]
    near = get_close_matches(name, [path.rpartition(".")[0] for path in known], 3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(f"P={name} is no page: say one as in make page P=evaluation/calibration{hint}")


def snippets_of(page: Path) -> list[str]:
    """Return the snippets that the front matter of a page names; what else stands there, the guard refuses."""
    named = get_data(page.read_text(encoding="utf-8"))[1].get("snippets")
    return [s for s in named if str(s).startswith("snippets/")] if isinstance(named, list) else []


def placeholders(paths: Iterable[Path]) -> list[str]:
    """Return the lines on which a template's words still wait to be replaced."""
    found = []
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if re.search(r"\bTODO\b", line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    return found


def steps(page: Path) -> list[Step]:
    """Return what there is to check of a page."""
    name = page.relative_to(ROOT).as_posix()
    lab = page.suffix == ".py"
    snippets = [] if lab else snippets_of(page)
    blocks = [] if lab else fences(page.read_text(encoding="utf-8"))
    tests = [mirror(snippet) for snippet in snippets]
    code = [path for path in (*snippets, *tests, *([name] if lab else [])) if (ROOT / path).is_file()]
    drawn = "\n".join(b.code for b in blocks if b.info == FIGURE and DRAWN not in b.code and SUMS not in b.code)
    figures = re.findall(r"^print\((\w+)\(\)\)$", drawn, re.MULTILINE)
    found = []
    if any(b.info == RUN for b in blocks):
        run = [*PYTHON, "tools.builders.outputs", "--once", name]
        found.append(Step("blocks", "mend the block, or the snippet that it calls", [run], early=True))
    if snippets:
        modules = [f"--cov={path.removesuffix('.py').replace('/', '.')}" for path in snippets]
        cover = [*modules, "--cov-branch", "--cov-report=term-missing:skip-covered", "--cov-fail-under=100"]
        mend = "mend the snippet or its test; a line that coverage misses needs a test"
        found.append(
            Step(
                "tests", mend, [[python(name), *PYTEST[1:], *cover, "--doctest-modules", *snippets, *tests]], early=True
            )
        )
        # The last selects something also of a snippet that takes no rows, such as one of a stream.
        names = [f"{Path(snippet).parent.name}.{Path(snippet).stem}." for snippet in snippets]
        named = " or ".join([*names, "test_every_public"])
        mend = (
            "mend the snippet, or say in its call in tests/contract what its arguments are; make door copies the checks"
        )
        contract = [[*PYTEST, "tests/contract", "-k", named], [*PYTEST, "tests/door/test_copies.py"]]
        found.append(Step("contract", mend, contract, early=True))
    if figures:
        draw = [*PYTEST, "tests/test_figures.py", "-k", " or ".join(figures)]
        found.append(Step("figures", "mend the drawing in figures/", [draw], early=True))
    if waiting := [] if lab else of_page(page.read_text(encoding="utf-8"), "", ROOT):
        wanted = " or ".join(f"[{exercise.name}]" for exercise in waiting)
        mend = "an exercise fails its snippet's test while it is blank, and passes with its heart"
        found.append(Step("exercise", mend, [[*PYTEST, "tests/loop/test_exercise.py", "-k", wanted]], early=True))
    if any(b.info == QUERY for b in blocks):
        mend = "mend the query; TABLES in tests/docs/test_sql.py says against which tables those of a page run"
        found.append(Step("queries", mend, [[*PYTEST, "tests/docs/test_sql.py"]], early=True))
    spelled = [*code, *([] if lab else [name])]
    lint = [[str(BIN / "typos"), "--format=brief", *spelled], [str(BIN / "codespell"), *spelled]]
    if not lab:
        lint.append([str(BIN / "rumdl"), "check", "--quiet", name])
    if code:
        ruff = str(BIN / "ruff")
        lint += [[ruff, "check", "--quiet", "--output-format=concise", *code], [ruff, "format", "--check", *code]]
    mend = ".venv/bin/ruff format mends the layout of Python, .venv/bin/rumdl check --fix much of Markdown"
    found.append(Step("lint", mend, lint))
    found.append(
        Step(
            "guard",
            "CONTRIBUTING.md says which fences and what front matter there are, and what a snippet is",
            [[*PYTHON, "tools.guards", *spelled]],
        )
    )
    entries = [*PYTEST, "tests/docs/test_corridor.py", "tests/docs/test_entrance.py"]
    mend = "a page has its entry in mkdocs.yml, docs/index.md and docs/study.md, a snippet its page and its test"
    found.append(Step("entries", mend, [entries]))
    build = [python(name) if lab else PYTHON[0], *PYTHON[1:], "tools.builders.preview", name, str(PREVIEW)]
    found.append(Step("build", "mend the link, the include or the figure; make serve shows the page", [build]))
    return found


def run(step: Step, blocks: Future | None) -> Result:
    """Run all commands of a step, once the outputs stand on the page if it needs them."""
    if blocks and not step.early:
        wait([blocks])
    start, faults, said = time.monotonic(), [], ""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_FILE": str(PREVIEW.parent / ".coverage.page")}
    for command in step.commands:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        output = f"{done.stdout}{done.stderr}".strip()
        said = output.split("\n")[-1]
        if done.returncode:
            faults.append(output or f"{Path(command[0]).name} exits with {done.returncode}")
    return Result(step, "\n".join(faults), said, time.monotonic() - start)


def check(page: Path) -> int:
    """Check a page, print what came of it, and return the exit code."""
    start, todo = time.monotonic(), steps(page)
    PREVIEW.parent.mkdir(exist_ok=True)
    parts = {step.name: f"page {page.relative_to(ROOT)} {step.name}" for step in todo}
    progress = Progress(parts.values(), ROOT, 2)
    results: dict[str, Result] = {}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, todo[0], None)
        waiting = {first, *(pool.submit(run, step, first if todo[0].name == "blocks" else None) for step in todo[1:])}
        while waiting:
            done, waiting = wait(waiting, timeout=1, return_when="FIRST_COMPLETED")
            for result in (future.result() for future in done):
                results[result.step.name] = result
                progress.finish(parts[result.step.name], result.seconds)
                said = "wrong, see below" if result.faults else result.checked or "ok"
                print(f"  {result.step.name:8}{result.seconds:6.1f} s  {said}", flush=True)
            progress.tell()
    progress.close()
    return summary(page, [results[step.name] for step in todo], time.monotonic() - start)


def summary(page: Path, results: list[Result], seconds: float) -> int:
    """Print what to mend, in the order of the steps, and return the exit code."""
    name = page.relative_to(ROOT)
    files = [page] if page.suffix == ".py" else [page, *(ROOT / s for s in snippets_of(page))]
    files += [ROOT / mirror(s.relative_to(ROOT).as_posix()) for s in files[1:]]
    left = placeholders(path for path in files if path.is_file())
    link = f"({page.relative_to(ROOT / 'docs').as_posix()})"
    left += [line for line in placeholders([ROOT / "docs/glossary.md"]) if link in line]
    wrong = [result for result in results if result.faults]
    for result in wrong:
        print(f"\n{result.step.name}: {result.step.mend}\n{result.faults}")
    if left:
        print("\nstill to be written:\n" + "\n".join(left))
    verdict = [f"mend {', '.join(r.step.name for r in wrong)}"] if wrong else []
    verdict += [f"replace what says TODO on {len(left)} lines"] if left else []
    verdict = verdict or ["everything holds; look at it with make serve, then open a pull request"]
    print(f"\n{name}: {' and '.join(verdict)} ({seconds:.0f} s)")
    return bool(wrong or left)


def main() -> int:
    """Check the page named on the command line; return the exit code."""
    try:
        page = find(sys.argv[1] if len(sys.argv) == 2 else "")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return check(page)


if __name__ == "__main__":
    sys.exit(main())
