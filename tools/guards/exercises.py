"""Exercises: a snippet with its heart taken out, a task and three hints, to be written again in ten minutes.

An exercise stands on the page that shows the snippet: ``??? exercise team_draft "Draft two teams, 8 min"`` with its
task, and below it three ``??? hint``. The function is named as the snippet names it, a method as ``LinUCB-choose``. All
else is made from the snippet. Its heart is the section within the function that pages show, or all that stands behind
the docstring; what checks the input stays. ``tools.builders.exercises`` makes folders and cells of notebooks from it.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.guards.fences import ROOT
from tools.guards.markup import SNIPPET

LONGEST, STATEMENTS, HINTS = 10, 25, 3
_BODY = r"(?:\n| {4}.*(?:\n|\Z))*"
HINT = re.compile(rf'^\?\?\? hint "(?P<title>.+)"\n(?P<text>{_BODY})', re.MULTILINE)
EXERCISE = re.compile(
    rf'^\?\?\? exercise (?P<name>[\w-]+) "(?P<title>.+), (?P<minutes>\d+) min"\n(?P<task>{_BODY})'
    rf'(?P<hints>(?:\?\?\? hint ".+"\n{_BODY})*)',
    re.MULTILINE,
)
LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
OPENED = re.compile(r"^\?\?\?\+? ?(exercise|hint)\b", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """One function to write: where it stands, what to do, and three hints, each a title and a text."""

    page: str  # as evaluation/drift
    name: str
    title: str
    minutes: int
    task: str
    hints: tuple[tuple[str, str], ...]
    snippet: str  # empty if none that the page shows has the function

    @property
    def function(self) -> str:
        """Return the function, or the method of a class, as Python names it."""
        return self.name.replace("-", ".")


@dataclass(frozen=True)
class Cut:
    """The source of a function in three parts, and what stands in place of the second one in an exercise."""

    before: str
    heart: str
    after: str
    stub: str
    statements: int

    @property
    def blank(self) -> str:
        """Return the source without its heart."""
        return self.before + self.stub + self.after


def of_page(text: str, page: str, root: Path = ROOT) -> list[Exercise]:
    """Return the exercises of a page, in order."""
    files = list(dict.fromkeys(file for file, _ in SNIPPET.findall(text)))
    found = []
    for match in EXERCISE.finditer(text):
        of = (file for file in files if function_of(ast.parse((root / file).read_text("utf-8")), match["name"]))
        hints = tuple((hint["title"], _paragraphs(hint["text"])) for hint in HINT.finditer(match["hints"]))
        task = _paragraphs(match["task"])
        found.append(
            Exercise(page, match["name"], match["title"], int(match["minutes"]), task, hints, next(of, "")),
        )
    return found


def of_guide(root: Path = ROOT) -> list[Exercise]:
    """Return the exercises of all pages, in the order of their paths."""
    docs = root / "docs"
    paths = {path.relative_to(docs).with_suffix("").as_posix(): path for path in sorted(docs.rglob("*.md"))}
    return [found for page, path in paths.items() for found in of_page(path.read_text("utf-8"), page, root)]


def cut(exercise: Exercise, root: Path = ROOT) -> Cut:
    """Return the snippet of an exercise, cut around its heart."""
    source = (root / exercise.snippet).read_text(encoding="utf-8")
    lines, tree = source.splitlines(keepends=True), ast.parse(source)
    node = function_of(tree, exercise.name)
    start, end = _section(lines, node)
    inside = [part for part in ast.walk(node) if isinstance(part, ast.expr | ast.stmt) and start < part.lineno <= end]
    behind = [part for part in ast.walk(node) if isinstance(part, ast.expr) and part.lineno > end]
    used, needed = names(inside, ast.Load), names(inside, ast.Store) & names(behind, ast.Load)
    says = [
        _plain(exercise.task),
        *_listed("At hand", (name for name in defined(tree) if name in used)),
        *_listed("What follows needs", sorted(needed)),
    ]
    indent = " " * (len(lines[start]) - len(lines[start].lstrip()))
    comments = [f"{indent}# {line}" for words in says for line in textwrap.wrap(words, 86 - len(indent))]
    stub = "\n".join([*comments, f'{indent}raise NotImplementedError("{exercise.function} is yours to write")\n'])
    heart = "".join(lines[start:end])
    statements = sum(isinstance(part, ast.stmt) for part in inside)
    return Cut("".join(lines[:start]), heart, "".join(lines[end:]), stub, statements)


def check(text: str, root: Path = ROOT) -> Iterator[tuple[int, str]]:
    """Say what is wrong with the exercises of a page, with the line."""
    matches, found = list(EXERCISE.finditer(text)), of_page(text, "", root)
    spans = [match.span() for match in matches]
    for opened in OPENED.finditer(text):
        if not any(start <= opened.start() < end for start, end in spans):
            what = '??? exercise name_of_the_function "What to write, 8 min", with three ??? hint "…" right below it'
            yield _line(text, opened), f"an exercise is written {what}"
    for match, exercise in zip(matches, found, strict=True):
        line = _line(text, match)
        if not exercise.snippet:
            yield line, f"no snippet that this page shows has the function {exercise.function}"
        elif (statements := cut(exercise, root).statements) > STATEMENTS:
            yield line, f"the heart of {exercise.function} may have {STATEMENTS} statements, got {statements}"
        if exercise.minutes > LONGEST:
            yield line, f"an exercise takes {LONGEST} minutes or less, got {exercise.minutes}"
        if len(exercise.hints) != HINTS:
            yield line, f"an exercise has {HINTS} hints, one below the other, got {len(exercise.hints)}"


def check_names(root: Path = ROOT) -> list[str]:
    """Return the exercises that have the name of another: a folder is called by it."""
    seen, faults = {}, []
    for exercise in of_guide(root):
        if (first := seen.setdefault(exercise.name, exercise.page)) != exercise.page:
            faults.append(f"docs/{exercise.page}.md:1: the exercise {exercise.name!r} stands on {first} already")
    return faults


def function_of(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """Return the definition of a function, or of a method of a class, if there is one."""
    *outer, last = name.split("-")
    nodes = tree.body
    for part in outer:
        nodes = [child for node in nodes if isinstance(node, ast.ClassDef) and node.name == part for child in node.body]
    return next((node for node in nodes if isinstance(node, ast.FunctionDef) and node.name == last), None)


def _section(lines: list[str], node: ast.FunctionDef) -> tuple[int, int]:
    """Return where the heart of a function begins and ends, as places in its file: markers belong to it."""
    inside = range(node.lineno, min(node.end_lineno + 1, len(lines)))  # the last marker may stand behind its body
    start = next((i for i in inside if "# --8<-- [start:" in lines[i]), None)
    if start is None:
        return node.body[bool(ast.get_docstring(node))].lineno - 1, node.end_lineno
    end = next((i for i in inside if i > start and "# --8<-- [end:" in lines[i]), None)
    return start, node.end_lineno if end is None else end + 1


def names(nodes: Iterable[ast.AST], context: type) -> set[str]:
    """Return the names that nodes load, or store."""
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)}


def defined(tree: ast.Module) -> list[str]:
    """Return what a module defines, in order."""
    found = []
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        found += [target.id for target in targets if isinstance(target, ast.Name)]
        found += [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    return found


def _listed(what: str, names: Iterable[str]) -> list[str]:
    words = ", ".join(names)
    return [f"{what}: {words}."] if words else []


def _paragraphs(body: str) -> str:
    return textwrap.dedent(body).strip()


def _plain(text: str) -> str:
    """Return Markdown as one line for a comment: links as their words."""
    return " ".join(LINK.sub(r"\1", text).split())


def _line(text: str, match: re.Match) -> int:
    return text.count("\n", 0, match.start()) + 1
