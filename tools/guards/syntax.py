"""What the Python of a page or a notebook may import, name and call, read from its syntax tree.

A block is there to compute and to print. Nothing in it may reach the interpreter that runs it, the machine, or the
clock: what is not on the lists below is refused. The process in which blocks run is the second fence, not the first.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
import sys
from collections.abc import Iterator
from types import ModuleType

LIBRARIES = {"numpy", "pandas", "scipy", "sklearn", "duckdb", "snippets"}
_STANDARD = """bisect collections csv dataclasses datetime decimal enum fractions functools heapq itertools json math
    random re statistics string textwrap zoneinfo"""
STANDARD = set(_STANDARD.split())
NAMED = {"io": {"StringIO"}}  # modules of which only some names may be imported
_BUILTINS = """abs all any ascii bin bool bytes callable chr classmethod complex dict divmod enumerate filter float
    format frozenset hasattr hex int isinstance issubclass iter len list map max min next object oct ord pow print
    property range repr reversed round set slice sorted staticmethod str sum super tuple zip Ellipsis NotImplemented"""
_EXCEPTIONS = {
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, Exception)
}
BUILTINS = set(_BUILTINS.split()) | _EXCEPTIONS
# Methods of arrays and tables whose names are those of modules, too.
METHODS = {"array", "copy", "random", "select", "trace"}
# What evaluates strings, makes classes out of them, loads what is not Python, asks the clock, or is another name of a
# module.
_REACHING = """eval query testing runstring rundocs measure make_dataclass Formatter ctypeslib f2py LowLevelCallable
    joblib read_pickle load allow_pickle now today utcnow bltns pa pc"""
REACHING = set(_REACHING.split())
# Every name by which an allowed module holds one that is not: `enum.bltns` is builtins.
_HELD = {
    name
    for module in map(importlib.import_module, STANDARD)
    for name, value in vars(module).items()
    if isinstance(value, ModuleType) and value.__name__.split(".")[0] not in STANDARD
}
_MODULES = (set(sys.stdlib_module_names) | _HELD) - STANDARD - METHODS
# Methods of pandas that call the method whose name they are given.
_DISPATCH = {"agg", "aggregate", "apply", "transform"}
# What reads a time, also that of the clock.
_TIMES = {"Timestamp", "to_datetime", "datetime64", "DatetimeIndex", "Period"}
_FRAMES = re.compile(r"(gi|cr|ag|tb)_\w+|f_(back|builtins|code|globals|locals|trace\w*)")
_SPECIAL = re.compile(r"__.*|_.+_")  # what Python or a notebook looks up by itself
_CONTROL = re.compile(r"[^\S\n\t ]|[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# What asks the clock, or pandas, in a string: a time, a function of SQL, the name of a method.
_CLOCK = re.compile(
    r"\s*(now|eval)\s*|.*\b(current_(date|time|timestamp)\b|(now|today|get_current_\w+)\s*\().*", re.I | re.S
)
_FIELD = re.compile(r"\{[^{}]*[.\[]_")  # which `format` looks up
_ANNOTATION = (ast.Name, ast.Attribute, ast.Subscript, ast.Constant, ast.Tuple, ast.BinOp, ast.BitOr, ast.Load)
_NAME = r'"[a-z][\w/-]*"'
_DRAWN = re.compile(
    rf"from figures\.[a-z_]+ import ([a-z_]\w*)\n+print\(\s*\1\(\s*(?:{_NAME}(?:,\s*{_NAME})*,?\s*)?\)\s*\)"
)


def check_block(tree: ast.Module, named: dict[str, set[str]] | None = None) -> Iterator[tuple[int, str]]:
    """Say what a block may not do, with its line in the block; ``named`` may be imported besides, name by name."""
    if not tree.body:
        yield 1, "empty block"
    plain = [node.func for node in ast.walk(tree) if _is_plain_call(node)]
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((line, what) for what in _check_import(node, NAMED | (named or {})))
        elif isinstance(node, ast.Name) and node not in plain:
            if node.id.startswith("_"):  # `_` is for what is not used; a notebook keeps its outputs under such names
                reaches = isinstance(node.ctx, ast.Load) or len(node.id) > 1
            else:
                reaches = hasattr(builtins, node.id) and node.id not in BUILTINS
            if reaches:
                yield line, f"{node.id} reaches the interpreter: a block only computes and prints"
        elif isinstance(node, ast.Attribute):
            if _reaches(node.attr) and node.attr not in ("__name__", "__init__"):
                yield line, f".{node.attr} reaches more than values: a block only computes and prints"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CONTROL.search(node.value):
            yield line, f"{node.value!r} holds a character that moves the cursor, or a blank that looks like another"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _CLOCK.fullmatch(node.value):
            yield line, f"{node.value!r} asks the clock or the interpreter: a block only computes and prints"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _FIELD.search(node.value):
            yield line, f"{node.value!r} may reach more than values where it is formatted"
        elif isinstance(node, ast.keyword) and node.arg in REACHING:
            yield node.value.lineno, f"{node.arg}= reaches more than values: a block only computes and prints"
        elif isinstance(node, ast.Call) and (name := _dispatched(node)):
            yield line, f"{name!r} reaches more than values in this call"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if node.name.startswith("_") and node.name != "__init__":
                yield line, f"{node.name} would be called by others than the block: define only __init__"
        elif isinstance(node, ast.MatchClass) and any(map(_reaches, node.kwd_attrs)):
            yield line, "a pattern reaches more than values"
    for place in _annotations(tree):
        if not _is_type(place):
            yield place.lineno, "an annotation may never be evaluated: only names of types may stand in it"


def _check_import(node: ast.Import | ast.ImportFrom, named: dict[str, set[str]]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        wanted = [(alias.name, None) for alias in node.names]
    else:
        wanted = [("." * node.level + (node.module or ""), alias.name) for alias in node.names]
    for module, name in wanted:
        root, *rest = module.split(".")
        if module in named:
            if name not in named[module]:
                yield f"of {module}, a block may import {', '.join(sorted(named[module]))} alone, with `from`"
        elif root not in LIBRARIES | STANDARD or any(map(_reaches, rest)):
            yield f"a block may not import {module!r}: only {', '.join(sorted(LIBRARIES | STANDARD))}"
        elif name == "*" or (name and _reaches(name)):
            yield f"a block may not import {name!r} from {module}"


def _is_plain_call(node: ast.AST) -> bool:
    """Say whether this is ``getattr(value, "name")`` with a harmless name written out, or ``type(value)``."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return not _reaches(name)
        case ast.Call(func=ast.Name(id="type"), args=[one], keywords=[]):
            return not isinstance(one, ast.Starred)
    return False


def _reaches(name: str) -> bool:
    """Say whether an attribute is private, a foreign module, a frame, or one of those that reach the machine."""
    return name.startswith("_") or name in _MODULES or name in REACHING or bool(_FRAMES.fullmatch(name))


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        yield from (part for part in (getattr(node, "annotation", None), getattr(node, "returns", None)) if part)


def _is_type(place: ast.expr) -> bool:
    """Say whether an annotation is made of names alone, also within strings: `singledispatch` evaluates those."""
    for node in ast.walk(place):
        if not isinstance(node, _ANNOTATION):
            return False
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                inner = ast.parse(node.value.strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return False
            if not _is_type(inner):
                return False
    return True


def _dispatched(node: ast.Call) -> str | None:
    """Return a string by which a call reaches more than values: the name of a method to call, or that of the clock."""
    called = getattr(node.func, "attr", getattr(node.func, "id", None))
    given = [part for value in (*node.args, *(k.value for k in node.keywords)) for part in ast.walk(value)]
    for part in given:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            if called in _DISPATCH and (part.value.startswith("_") or part.value in REACHING):
                return part.value
            if called in _TIMES and part.value.strip().lower() in ("now", "today"):
                return part.value
    return None


def is_drawing(code: str) -> bool:
    """Say whether a figure's block imports one function of figures/ and prints what it returns, and nothing else."""
    return bool(_DRAWN.fullmatch(code.strip()))
