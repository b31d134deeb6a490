"""The record of all claims, ``claims.json``: what each run found, on what it depends, and the verdicts that follow.

The runs are kept, not their means alone, so that a new sentence, region or contrast needs no new run. A run is stale
once anything changes that can change its result: the syntax tree of the experiment, of whatever it names, here and in
snippets, or the version of a numeric library. Docstrings, comments and the words of errors cannot.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import math
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from statistics import fmean, stdev

from claims.claim import Claim, Experiment, Found, World

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "claims.json"
NUMERIC = ("duckdb", "numpy", "pandas", "scikit-learn", "scipy")
LIBRARIES = {*NUMERIC, "sklearn"}  # what they are imported as
OURS = ("claims", "snippets")
DECLARED = ("experiment", "claim")
HIDING = {"__import__", "eval", "exec", "globals", "importlib", "locals", "vars"}  # what names things out of sight
DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom
COMPOUND = ast.For | ast.While | ast.With | ast.If | ast.Try | ast.Match
PLACES = ast.Subscript | ast.Attribute


def modules(root: Path = ROOT) -> list[str]:
    """Return the pages that make claims, as ``modeling/choosing``."""
    return sorted(p.relative_to(root / "claims").with_suffix("").as_posix() for p in root.glob("claims/*/[!_]*.py"))


@cache
def claims() -> dict[str, Claim]:
    """Return every claim by its id, in the order of pages and of files."""
    found = [c for page in modules() for c in vars(_module(page)).values() if isinstance(c, Claim)]
    return {c.id: c for c in found}


@cache
def experiments() -> dict[str, Experiment]:
    """Return every experiment by its id: those that claims are about, and those that tables show."""
    found = [e for page in modules() for e in vars(_module(page)).values() if isinstance(e, Experiment)]
    return {e.id: e for e in [*found, *(c.experiment for c in claims().values())]}


def _module(page: str):
    return import_module(f"claims.{page.replace('/', '.')}")


def worlds(experiment: Experiment) -> list[tuple[World, int]]:
    """Return the worlds in which an experiment runs, twins of its claims included, with the number of seeds."""
    found = {key(world): (world, experiment.seeds) for world in experiment.worlds.values()}
    for c in claims().values():
        if c.experiment is experiment:
            found.setdefault(key(c.twin), (c.twin, experiment.twin_seeds))
    return list(found.values())


def key(world: World) -> str:
    """Return the name of a world in the record."""
    return json.dumps(world, sort_keys=True)


# --- What is written down ---


def load(path: Path = RECORD) -> dict[str, dict]:
    """Return what is known of each experiment: its digest, the seconds of a run, and results by world, seed by seed."""
    if not path.exists():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))["experiments"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} was cut short or edited, take it from git again: {error}") from error


def signature(entry: dict) -> str:
    """Return the digest of what is known of an experiment, by which a number changed by hand shows."""
    told = json.dumps({k: v for k, v in entry.items() if k != "sum"}, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def is_signed(entry: dict) -> bool:
    """Say whether what is known of an experiment is what was written down."""
    return entry.get("sum") == signature(entry)


def core_seconds(known: dict[str, dict]) -> float:
    """Return how long one core takes for all runs of the record."""
    return sum(entry["seconds"] * sum(map(len, entry["runs"].values())) for entry in known.values())


def save(known: dict[str, dict], path: Path = RECORD) -> None:
    """Write the record: the verdicts first, for people, then the runs that they follow from, a world a line."""
    told = {}
    for name, c in claims().items():
        if is_complete(c.experiment, known):
            with contextlib.suppress(ArithmeticError, LookupError, ValueError):  # a contrast at fault loses no run
                told[name] = summary(c, known)
    lines = ["{", ' "claims": {']
    lines += [",\n".join(f"  {json.dumps(name)}: {json.dumps(said)}" for name, said in told.items())]
    lines += [" },", ' "experiments": {']
    entries = []
    for name in sorted(known.keys() & experiments().keys()):
        entry = {k: v for k, v in known[name].items() if k != "runs"}
        runs = ",\n".join(f"    {json.dumps(w)}: {json.dumps(r)}" for w, r in known[name]["runs"].items())
        entries.append(f'  {json.dumps(name)}: {json.dumps(entry)[:-1]}, "runs": {{\n{runs}\n  }}}}')
    lines += [",\n".join(entries), " }", "}", ""]
    replace(path, "\n".join(lines))


def replace(path: Path, text: str) -> None:
    """Write a file at once: whoever reads it, or stops this at any moment, has the old text or the new one, whole."""
    whole = path.with_suffix(f".{os.getpid()}.part")
    try:
        whole.write_text(text, encoding="utf-8")
        whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)


def results(experiment: Experiment, world: World, known: dict[str, dict]) -> list[Found]:
    """Return what an experiment found in a world, seed by seed."""
    return known[experiment.id]["runs"][key(world)]


def is_complete(experiment: Experiment, known: dict[str, dict]) -> bool:
    """Say whether every seed in every world has been run, by the code as it is now."""
    entry = known.get(experiment.id)
    if entry is None or entry["digest"] != digest(experiment) or not is_signed(entry):
        return False
    return all(len(entry["runs"].get(key(world), ())) >= seeds for world, seeds in worlds(experiment))


def contrasts(c: Claim, known: dict[str, dict]) -> dict[str, list[float]]:
    """Return the contrasts that a claim is judged by, by the name of the world, seed by seed."""
    n, all_worlds = c.experiment.seeds, c.experiment.worlds
    return {name: _contrasts(c, results(c.experiment, world, known)[:n]) for name, world in all_worlds.items()}


def twin(c: Claim, known: dict[str, dict]) -> list[float]:
    """Return the contrasts in the planted world."""
    return _contrasts(c, results(c.experiment, c.twin, known)[: c.experiment.twin_seeds])


def _contrasts(c: Claim, found: list[Found]) -> list[float]:
    values = [float(c.contrast(f)) for f in found]
    if not all(map(math.isfinite, values)):
        raise ValueError(f"a contrast is a finite number, got {values}")
    return values


def summary(c: Claim, known: dict[str, dict]) -> dict:
    """Return the verdict, and for each world mean, standard deviation, standard error and share that holds."""
    found = contrasts(c, known)
    told = {name: _summary(c, values) for name, values in found.items()}
    planted = twin(c, known)
    return {
        "sentence": c.sentence,
        "says": c.says,
        "verdict": c.verdict(found),
        "worlds": told,
        "twin": {**_summary(c, planted), "refuted": c.refuted(planted, next(iter(found.values())))},
    }


def _summary(c: Claim, values: list[float]) -> dict:
    deviation = stdev(values)
    return {
        "verdict": c.holds.judge(values),
        "runs": len(values),
        "held": sum(v in c.holds for v in values),
        "mean": _short(fmean(values)),
        "sd": _short(deviation),
        "se": _short(deviation / len(values) ** 0.5),
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def faults(known: dict[str, dict], names: list[str] | None = None) -> list[str]:
    """Return why these claims, or all, may not stand in the guide as they are; runs nothing."""
    found = []
    for name, c in claims().items():
        if names is not None and name not in names:
            continue
        entry = known.get(c.experiment.id)
        if entry is not None and not is_signed(entry):
            found.append(f"{name}: its runs are not those that were written down: make claims ONLY={c.page}")
            continue
        if not is_complete(c.experiment, known):
            found.append(f"{name}: not run since it changed: make claims ONLY={c.page}")
            continue
        try:
            said = summary(c, known)
        except (ArithmeticError, LookupError, ValueError) as error:
            found.append(f"{name}: its contrast fails: {type(error).__name__}: {error}")
            continue
        if said["verdict"] != c.says:
            told = "; ".join(f"{w} {s['mean']:g} ± {s['se']:g} (s.e.)" for w, s in said["worlds"].items())
            found.append(f"{name}: says that it {c.says}, and it {said['verdict']}: {told}")
        if not said["twin"]["refuted"]:
            found.append(f"{name}: its twin, {key(c.twin)}, is not told from its first world: the claim cannot fail")
        if still := [world for world, s in said["worlds"].items() if s["sd"] == 0]:
            found.append(f"{name}: each seed gives the same in {', '.join(still)}: nothing in it is left to chance")
    return found


# --- What a run depends on ---


def digest(experiment: Experiment) -> str:
    """Return the digest of all that decides what an experiment finds."""
    return _digest(experiment.run.__module__, experiment.run.__name__)


@cache
def _digest(module: str, name: str) -> str:
    parts = sorted(_needed(module, name))
    return hashlib.sha256("\n".join([*parts, *_versions()]).encode()).hexdigest()[:16]


@cache
def _versions() -> tuple[str, ...]:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return tuple(line for n in NUMERIC for line in re.findall(rf"^{n}==[^ ;]+(?: ;[^\\\n]+)?", lock, re.MULTILINE))


def _needed(module: str, name: str) -> set[str]:
    """Return the canonical text of a name of a module and of all that it names in turn, in our own files."""
    found, todo, seen = set(), [(module, name)], set()
    while todo:
        at = todo.pop()
        if at in seen:
            continue
        seen.add(at)
        names, loose = _definitions(at[0])
        if at[1] not in names:
            raise ValueError(f"{at[0]} defines no {at[1]!r} that can be traced: import each name by itself")
        for node in [*names[at[1]], *loose]:
            if _is_ours(node):
                _check_import(at[0], node)
                todo += [(node.module, alias.name) for alias in node.names if at[1] == (alias.asname or alias.name)]
                continue
            found.add(f"{at[0]}: {canonical(node)}")
            for n in _walk(node):
                if isinstance(n, ast.Name):
                    todo += [(at[0], n.id)] if n.id in names else []
                    if n.id in HIDING:
                        raise ValueError(f"{at[0]} names {n.id!r}, and what that names cannot be traced")
                elif isinstance(n, ast.Global):
                    raise ValueError(f"{at[0]} changes {', '.join(n.names)} from inside: pass it as an argument")
                elif isinstance(n, ast.Import | ast.ImportFrom):
                    _check_import(at[0], n)
                    todo += [(n.module, alias.name) for alias in n.names] if _is_ours(n) else []
    return found


def _is_ours(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS and not node.level


def _check_import(module: str, node: ast.Import | ast.ImportFrom) -> None:
    """Refuse an import of which the record could not tell when it changes."""
    roots = {a.name.split(".")[0] for a in node.names}
    if isinstance(node, ast.ImportFrom):
        roots = {"." * node.level if node.level else node.module.split(".")[0]}
    allowed = {*LIBRARIES, *sys.stdlib_module_names, *(OURS if isinstance(node, ast.ImportFrom) else ())} - HIDING
    if unknown := sorted(roots - allowed):
        wanted = f"import single names from {' and '.join(OURS)}, and else {', '.join(NUMERIC)}"
        raise ValueError(f"{module}: {ast.unparse(node)!r} cannot be traced, {unknown[0]} is another place: {wanted}")


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes of a syntax tree but those of the decorator that declares a claim, which decides no run."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.expr) and child in getattr(node, "decorator_list", ()) and _declares(child)):
            yield from _walk(child)


@cache
def _definitions(module: str) -> tuple[dict[str, list[ast.stmt]], list[ast.stmt]]:
    """Return what a module defines at its top, by name, and the statements there that define no name."""
    path = ROOT / f"{module.replace('.', '/')}.py"
    if not path.is_file():
        raise ValueError(f"{module} is no file of the guide: import a name from a module, not a module from its folder")
    names, loose = {}, []
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assigned = {name for node in body if not isinstance(node, DEFINITIONS) for name in _defined(node)}
    for node in body:
        defined = dict.fromkeys(_defined(node))
        if "*" in defined:
            raise ValueError(f"{module}: {ast.unparse(node)!r} names nothing that can be traced")
        if not defined and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            loose.append(node)
        for name in defined | dict.fromkeys(sorted(_may_change(node) & assigned) if defined else ()):
            names.setdefault(name, []).append(node)
    return names, loose


def _may_change(node: ast.stmt) -> set[str]:
    """Return the names whose value a statement that defines others may change: in a loop, by a call, by a place."""
    if isinstance(node, DEFINITIONS):
        return set()
    parts = [node] if isinstance(node, COMPOUND) else [n for n in ast.walk(node) if isinstance(n, ast.Call)]
    parts += [n for n in ast.walk(node) if isinstance(n, PLACES) and not isinstance(n.ctx, ast.Load)]
    return {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    else:
        yield from (n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
        for n in ast.walk(node):  # definitions and imports that depend on something
            yield from _defined(n) if isinstance(n, DEFINITIONS) else ()


def canonical(node: ast.AST) -> str:
    """Return a syntax tree as text that is the same in each version of Python and says what is computed, no more."""
    return "".join(_written(node))


def _written(value: object) -> Iterator[str]:
    if isinstance(value, list):
        yield "["
        for item in value:
            yield from _written(item)
            yield ","
        yield "]"
    elif not isinstance(value, ast.AST):
        yield repr(value)
    elif isinstance(value, ast.Raise):  # the words of an error change no result
        yield "raise"
    else:
        yield f"{type(value).__name__}("
        for name, part in ast.iter_fields(value):
            if name in ("ctx", "kind", "type_comment", "type_ignores", "returns", "annotation") or part in (None, []):
                continue
            if name == "decorator_list":
                part = [d for d in part if not _declares(d)]
            if name == "body" and isinstance(value, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                part = part[1:] if ast.get_docstring(value, clean=False) is not None else part
            yield f"{name}="
            yield from _written(part)
            yield ";"
        yield ")"


def _declares(decorator: ast.expr) -> bool:
    """Say whether a decorator declares a claim or an experiment: its sentence, seeds and worlds decide no run."""
    function = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(function, ast.Name) and function.id in DECLARED
