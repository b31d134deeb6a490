"""Change one thing in a snippet, run its tests, and say which changes they let through: ``make mutants``.

A mutant is one small change: a comparison that moves by its boundary, plus for minus, a number off by one, a negated
condition, a default, a statement left out. A mutant that passes the snippet's test file and doctests has survived: a
test is missing there, or the change changes nothing. Nothing is written to the tree. What the tests need is imported
once; each mutant runs in a process forked from there, with the changed module in place of the snippet.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib.util
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from tools.door.copies import without_checks
from tools.guards import scale
from tools.loop.progress import Progress

Change = Callable[[], None]

SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,  # codespell:ignore notin
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitOr,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all", "all": "any"}
CACHE = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
DATA = Path(os.environ.get("ML_DESIGN_CACHE") or Path(CACHE, "ml-design"))
MEMORY = 8 << 30  # bytes; a mutant may ask for an array of any size


def changes(tree: ast.Module) -> Iterator[tuple[int, Change]]:
    """Yield the line of each possible change, with the function that makes it in the tree."""
    for node in _walk(tree):
        match node:
            case ast.Compare():
                for i, op in enumerate(node.ops):
                    yield node.lineno, partial(node.ops.__setitem__, i, SWAPS[type(op)]())
            case ast.BinOp() | ast.AugAssign() | ast.BoolOp() if type(node.op) in SWAPS:
                yield node.lineno, partial(setattr, node, "op", SWAPS[type(node.op)]())
            case ast.UnaryOp(op=ast.USub()):
                yield node.lineno, partial(setattr, node, "op", ast.UAdd())
            case ast.UnaryOp(op=ast.Not() | ast.Invert()):
                yield node.lineno, partial(setattr, node, "operand", ast.UnaryOp(node.op, node.operand))
            case ast.Constant(value=bool()):
                yield node.lineno, partial(setattr, node, "value", not node.value)
            case ast.Constant(value=int() | float()):
                yield node.lineno, partial(setattr, node, "value", node.value + 1)
            case ast.Name(id=name) if name in NAMES:
                yield node.lineno, partial(setattr, node, "id", NAMES[name])
            case ast.Attribute(attr=name) if name in NAMES:
                yield node.lineno, partial(setattr, node, "attr", NAMES[name])
            case ast.If() | ast.While() | ast.IfExp():
                yield node.test.lineno, partial(setattr, node, "test", ast.UnaryOp(ast.Not(), node.test))
            case ast.comprehension():
                for i, test in enumerate(node.ifs):
                    yield test.lineno, partial(node.ifs.__setitem__, i, ast.UnaryOp(ast.Not(), test))
            case ast.arguments():
                for default in [*node.defaults, *filter(None, node.kw_defaults)]:
                    if isinstance(default, ast.Constant) and isinstance(default.value, str | None):
                        yield default.lineno, partial(setattr, default, "value", f"not {default.value}")
        for body in (getattr(node, name, None) for name in ("body", "orelse", "finalbody")):
            for i, statement in enumerate(body if isinstance(body, list) else []):
                if _dispensable(statement):
                    yield statement.lineno, partial(body.__setitem__, i, ast.Pass())


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that say what the code does: no annotation, no decorator."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in {"annotation", "returns", "decorator_list"}:
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _walk(child)


def _dispensable(statement: ast.stmt) -> bool:
    """Return whether the names of the code are bound as well without the statement."""
    match statement:
        case ast.Expr(value=ast.Constant()):
            return False  # a docstring
        case ast.Assign():
            rebinds = {node.id for node in ast.walk(statement.value) if isinstance(node, ast.Name)}
            return all(not isinstance(target, ast.Name) or target.id in rebinds for target in statement.targets)
        case _:
            return isinstance(statement, ast.Expr | ast.AugAssign | ast.Delete | ast.Raise | ast.Continue | ast.Break)


def mutant(source: str, number: int | None = None) -> ast.Module:
    """Return the tree of a source with one of its changes made, or as it stands."""
    tree = ast.parse(source)
    if number is not None:
        _, change = list(changes(tree))[number]
        change()
    return ast.fix_missing_locations(tree)


def difference(source: str, number: int) -> list[str]:
    """Return the lines that a change takes away and puts there, as ``ast`` writes them."""
    before, after = (ast.unparse(mutant(source, n)).splitlines() for n in (None, number))
    lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]
    return [line[0] + " " + line[1:].strip() for line in lines if line[0] in "+-"]


def attempt(snippet: Path, tree: ast.Module, folder: str, seconds: int) -> int:
    """Return pytest's exit code with a tree in place of the snippet; in a forked process, which dies in time."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with contextlib.suppress(ValueError):  # macOS counts what is shared too, and may refuse
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.alarm(5 * seconds)  # for a mutant that waits
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    # A mutant of a loader may delete what it should keep, or download again and again.
    cache = Path(folder, f"cache{os.getpid()}")
    cache.mkdir()
    for file in DATA.glob("*"):
        (cache / file.name).symlink_to(file)
    os.environ |= {"ML_DESIGN_CACHE": str(cache), "PIP_NO_INDEX": "1"}
    name = ".".join(snippet.with_suffix("").parts)
    spec = importlib.util.spec_from_file_location(name, snippet.resolve())
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    exec(compile(tree, spec.origin, "exec", dont_inherit=True), vars(module))
    setattr(importlib.import_module(spec.parent), snippet.stem, module)
    options = [
        "-x",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:tools.loop.progress",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    ]
    options += ["--hypothesis-profile=mutants", f"--basetemp={folder}/{os.getpid()}", "--doctest-modules"]
    return pytest.main([*options, str(snippet), str(test_of(snippet))])


def fork(snippet: Path, trees: list[ast.Module], workers: int, seconds: int) -> Iterator[tuple[int, int, float]]:
    """Try each tree in a process of its own; yield its index, exit code and seconds as it ends."""
    queue, running = iter(enumerate(trees)), {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            while True:
                while len(running) < workers and (task := next(queue, None)):
                    if not (pid := os.fork()):
                        code = 1  # what does not even import is killed
                        try:
                            code = attempt(snippet, task[1], folder, seconds)
                        finally:
                            os._exit(code)
                    running[pid] = task[0], time.monotonic()
                if not running:
                    return
                pid, status = os.wait()
                index, started = running.pop(pid)
                yield index, os.waitstatus_to_exitcode(status), time.monotonic() - started
        finally:
            for pid in running:
                os.kill(pid, signal.SIGKILL)


def preload(path: Path, seen: set[Path]) -> None:
    """Import what a file, and the files of ours that it imports, take from elsewhere."""
    seen.add(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import():
                modules = [name.name for name in node.names]
            case ast.ImportFrom(level=0):
                modules = [node.module]
            case _:
                continue
        for module in modules:
            ours = Path(module.replace(".", "/") + ".py")
            if ours.exists() and ours not in seen:
                preload(ours, seen)
            elif not Path(module.split(".")[0]).exists():
                importlib.import_module(module)


def test_of(snippet: Path) -> Path:
    """Return the test file of a snippet."""
    return Path("tests", *snippet.parts[1:-1], f"test_{snippet.name}")


def changed() -> list[Path]:
    """Return the snippets that differ from the main branch, or whose tests do."""

    def git(*command: str) -> list[str]:
        return subprocess.run(["git", *command], capture_output=True, text=True, check=True).stdout.splitlines()

    main = "origin/main" if git("branch", "--remotes", "--list", "origin/main") else "main"
    [base] = git("merge-base", "HEAD", main)
    files = {*git("diff", "--name-only", base), *git("ls-files", "--others", "--exclude-standard")}
    return [s for s in snippets() if {s.as_posix(), test_of(s).as_posix()} & files]


def snippets() -> list[Path]:
    """Return the files that have a mirrored test: the snippets, and the checks of which they hold copies."""
    return sorted(
        path
        for path in (*Path("snippets").glob("*/*.py"), *Path("tools/door").glob("checks.py"))
        if path.stem != "__init__"
    )


def draw(snippet: Path, sample: int) -> list[int]:
    """Return the numbers of the changes to try, the same each time; none in copies of the checks."""
    text = snippet.read_text(encoding="utf-8")
    own = len(without_checks(text).splitlines())
    numbers = [i for i, (line, _) in enumerate(changes(ast.parse(text))) if line <= own]
    return random.Random(snippet.as_posix()).sample(numbers, min(sample, len(numbers)))


def score(snippet: Path, numbers: list[int], workers: int, progress: Progress) -> list[int]:
    """Try some mutants of a snippet, print the survivors, and return pytest's exit codes."""
    source = snippet.read_text(encoding="utf-8")
    [(_, failed, seconds)] = fork(snippet, [mutant(source)], 1, 600)
    if failed:
        sys.exit(f"{test_of(snippet)} or the doctests of {snippet} fail as they are: mend them first")
    codes = []
    for i, code, took in fork(snippet, [mutant(source, n) for n in numbers], workers, int(3 * seconds) + 3):
        codes.append(code)
        if not code:
            line = list(changes(ast.parse(source)))[numbers[i]][0]
            print("\n    ".join([f"{snippet}:{line}", *difference(source, numbers[i])]), flush=True)
        progress.finish(f"{snippet} {numbers[i]}", took)
    return codes


def elsewhere(paths: list[Path], options: list[str]) -> int:
    """Try the mutants of snippets whose tests need another environment there; return the exit code."""
    if not paths:
        return 0
    names = [path.relative_to("snippets").with_suffix("").as_posix() for path in paths]
    interpreter = scale.python(paths[0].as_posix())
    return subprocess.run([interpreter, "-m", "tools.loop.mutants", *options, *names]).returncode


def main(arguments: list[str] | None = None) -> None:
    """Try the mutants of the named snippets, or of those that changed; print the survivors and the score."""
    parser = argparse.ArgumentParser(prog="python -m tools.loop.mutants", description=__doc__.split("\n")[0])
    parser.add_argument(
        "snippet", nargs="*", help="such as evaluation/drift, or door/checks; without one, those that changed"
    )
    parser.add_argument("--all", action="store_true", help="all snippets")
    parser.add_argument("--sample", type=int, default=40, help="mutants of each snippet, drawn always the same")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="how many to try at once")
    chosen = parser.parse_args(arguments)
    paths = [Path("tools" if name == "door/checks" else "snippets", f"{name}.py") for name in chosen.snippet]
    if missing := [str(path) for path in paths if path not in snippets()]:
        parser.error(f"there is no {missing[0]}")
    try:
        paths = paths or (snippets() if chosen.all else changed())
    except (OSError, subprocess.CalledProcessError):
        parser.error("without git and a main branch, nothing tells what changed: name a snippet, or say --all")
    if not paths:
        parser.error("no snippet differs from main: name one, or say --all")

    options = ["--sample", str(chosen.sample), "--workers", str(chosen.workers)]
    try:
        far = [path for path in paths if scale.python(path.as_posix()) != sys.executable]
    except RuntimeError as error:
        parser.error(str(error))
    if code := elsewhere(far, options):
        sys.exit(code)
    if not (paths := [path for path in paths if path not in far]):
        return

    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for path in paths:
        preload(path, set())
        preload(test_of(path), set())
    # A property that fails has killed: no need to look for the smallest example, or another.
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", settings.get_profile("ci"), phases=phases, report_multiple_bugs=False)
    drawn = {path: draw(path, chosen.sample) for path in paths}
    parts = [f"{path} {number}" for path, numbers in drawn.items() for number in numbers]
    progress = Progress(parts, Path.cwd(), chosen.workers, partial(print, file=sys.stderr, flush=True))
    scores = defaultdict(list)
    for path, numbers in drawn.items():
        scores[path.parent.name] += score(path, numbers, chosen.workers, progress)
    scores["all"] = [code for codes in scores.values() for code in codes]
    for name, codes in scores.items():
        killed, late = sum(map(bool, codes)), sum(code < 0 for code in codes)
        print(f"{name:14} {killed:4} of {len(codes):4} killed, {killed / max(len(codes), 1):6.1%}, {late} by time")


if __name__ == "__main__":
    main()
