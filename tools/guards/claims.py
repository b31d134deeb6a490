"""Hold pages to their claims: evidence stands on its own page, and what one learns by heart says what it rests on.

Reads the syntax trees of ``claims/`` alone, since a page is checked in seconds. What the record says of a claim is held
by ``tests/docs/test_claims.py``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tools.guards.fences import ROOT, Fence

DRAWN = "from figures.claims import "  # a figure of claims, not a drawing
SUMS = "from figures.quiz_"  # numbers to work out
EVIDENCE = re.compile(r"^from figures\.claims import (evidence|table)$", re.MULTILINE)
CODE = re.compile(r"`[^`]*`")
NAMED = re.compile(r'"([a-z][\w/-]*)"')
LINKED = re.compile(r"\bclaims\.md#([\w-]+)")
# The sections whose cards and right answers say what they rest on.
GROUNDED = ("problem", "training_data", "features", "modeling", "evaluation", "scale", "practice")
GROUNDS = re.compile(r"\b(?:claims|references|glossary)\.md#[\w-]+\)|\*Advice\.\*")
# A page that fits a model on the position says what is sent when a request is scored.
POSITION, SERVED = re.compile(r"[\"']position[\"']|\.position\b"), "training-data/bias.md#position-at-serving"
SAID = re.compile(r"\(\S*bias\.md#position-at-serving\)|^## Position at serving$", re.MULTILINE)
FITS = re.compile(r"\.(?:partial_)?fit(?:_\w+)?\(")


@cache
def declared(root: Path = ROOT) -> dict[str, dict[str, str]]:
    """Return the functions that each file of ``claims/`` declares, by page: ``claim`` or ``experiment`` by its name."""
    found = {}
    for path in sorted(root.glob("claims/*/[!_]*.py")):
        names = {}
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            for decorator in getattr(node, "decorator_list", ()):
                function = decorator.func if isinstance(decorator, ast.Call) else decorator
                if isinstance(function, ast.Name) and function.id in ("claim", "experiment"):
                    names[node.name] = function.id
        found[path.relative_to(root / "claims").with_suffix("").as_posix()] = names
    return found


def page_of(path: Path) -> str:
    """Return the name under which ``claims/`` knows a page, as ``modeling/choosing``."""
    folder = path.relative_to(ROOT / "docs") if (ROOT / "docs") in path.parents else Path(path.name)
    return folder.with_suffix("").as_posix().replace("-", "_")


def _is_grounded(path: Path) -> bool:
    return page_of(path).split("/")[0] in GROUNDED


def anchor(page: str, name: str) -> str:
    """Return where a claim stands on the page of all claims."""
    return f"{page}/{name}".replace("/", "-").replace("_", "-")


def check(path: Path, text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Say what is wrong with the claims of a page, with the line."""
    page = page_of(path)
    own = declared().get(page, {})
    shown = set()
    for block in blocks:
        if match := EVIDENCE.search(block.code):
            wanted = {"evidence": ("claim",), "table": ("experiment", "claim")}[match[1]]
            for name in NAMED.findall(block.code):
                folder, _, function = name.rpartition("/")
                if folder != page:
                    yield block.line, f"{name!r} is about another page: {match[1]} stands on its own"
                elif own.get(function) not in wanted:
                    yield block.line, f"claims/{page}.py declares no {wanted[0]} {function!r}"
                shown.add(function)
    linked = set(LINKED.findall(text))
    for function, kind in own.items():
        if kind == "claim" and function not in shown and anchor(page, function) not in linked:
            yield 1, f"the claim {page}/{function} is not on its page: show its evidence, or link to it"
    known = {anchor(p, f) for p, names in declared().items() for f, kind in names.items() if kind == "claim"}
    known |= set(
        re.findall(r"^## .* \{ #([\w-]+) \}$", (ROOT / "docs/claims.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    for number, line in enumerate(text.split("\n"), 1):
        yield from ((number, f"there is no claim #{name}") for name in LINKED.findall(line) if name not in known)


def check_grounds(path: Path, kind: str, answer: str) -> str | None:
    """Return what a card or a right answer lacks, if its section is held to it."""
    if kind not in ("card", "right") or not _is_grounded(path):
        return None
    if GROUNDS.search(CODE.sub("", answer)):
        return None
    return (
        f"this {kind} rests on nothing: link to its claim (claims.md#…), to a paper (references.md#…) or to a "
        "definition (glossary.md#…), or end it with *Advice.*"
    )


def check_position(path: Path, text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Refuse a page that fits on the position, which nobody knows when a request is scored, and does not say so."""
    if not _is_grounded(path) or SAID.search(text):
        return
    for block in blocks:
        if block.info == "python" and POSITION.search(block.code) and FITS.search(block.code):
            yield block.line, f"position is not known at serving: say what is sent, and link to ../{SERVED}"
            return
