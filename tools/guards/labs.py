"""Refuse every notebook whose cells may fail, be skipped, hide what they run, or show what no cell computed.

The cells are read by jupytext, as the build reads them: what it turns into a magic is one, however it is written.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jupytext

from tools.guards import markup, syntax
from tools.guards.fences import ROOT
from tools.guards.sources import binds

HEADER = """# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---"""
NAMED = {
    "IPython.display": {"HTML"},
    "matplotlib.figure": {"Figure"},
    "figures.svg": {"FIRST", "SECOND", "THIRD", "INK", "style", "to_html"},
}
NOTEBOOK = {"display", "get_ipython"}  # what a notebook adds to the names of Python
DRAWING = {"HTML", "to_html"}  # HTML(to_html(figure, …)) is the one way in which a cell may show markup

STYLED = {"style", "Styler", "display"}  # by which pandas shows markup


def labs() -> list[Path]:
    """Return every notebook of the guide."""
    return sorted((ROOT / "docs" / "labs").glob("*.py"))


def check_lab(path: Path) -> list[str]:
    """Return the faults of one notebook in percent format, each as ``path:line: what is wrong``."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT) if ROOT in path.parents else path
    return [f"{name}:{line}: {what}" for line, what in sorted(_check(text))]


def _check(text: str) -> Iterator[tuple[int, str]]:
    notebook = jupytext.reads(text, fmt="py:percent")
    starts = [i for i, line in enumerate(text.split("\n"), 1) if line.startswith("# %%")]
    for i in starts:
        if text.split("\n")[i - 1] not in ("# %%", "# %% [markdown]"):
            yield i, "cell tags can skip, hide or excuse a cell: write '# %%' or '# %% [markdown]'"
    if text.split("# %%")[0].strip() != HEADER:
        yield 1, "the header of a notebook is that of the other labs: settings in it change what runs"
    if len(starts) != len(notebook.cells):
        yield 1, "each cell begins with '# %%' or '# %% [markdown]', the first one right behind the header"
        return
    trees = {}
    for start, cell in zip(starts, notebook.cells, strict=True):
        if cell.cell_type == "markdown":
            yield from ((start + line, what) for line, what in _check_markdown(cell.source))
            continue
        try:
            trees[start] = ast.parse(cell.source)
        except (SyntaxError, ValueError) as error:
            yield start, f"a cell that is no Python, as magics and shell commands are not: {error}"
        if re.search(r";\s*(#.*)?$", cell.source.rstrip()):
            yield start, "a semicolon at the end of a cell hides what it shows"
    bound = {binds(node) for tree in trees.values() for node in ast.walk(tree)}
    for start, tree in trees.items():
        yield from ((start + line, what) for line, what in _check_code(tree, bound))


def _check_markdown(source: str) -> Iterator[tuple[int, str]]:
    for i, line in enumerate(source.split("\n"), 1):
        if re.search(r"<[a-z!/?]|```|~~~|8<-", line, re.IGNORECASE):
            yield i, "a cell of text holds neither HTML nor fences: code stands in a cell of its own"
    yield from markup.check_html(source)


def _check_code(tree: ast.Module, bound: set[str | None]) -> Iterator[tuple[int, str]]:
    yield from syntax.check_block(tree, NAMED)
    nodes = list(ast.walk(tree))
    drawn = [part for node in nodes if _is_drawing(node) for part in (node.func, node.args[0].func)]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module in NAMED]
    named = [alias for node in imports for alias in node.names]
    for node in nodes:
        if binds(node) in NOTEBOOK | DRAWING and not (node in named and node.asname is None):
            yield node.lineno, f"{binds(node)} is the name of what shows a figure, or of the notebook's own"
        elif node in named and node.name in DRAWING and node.asname:
            yield node.lineno, f"{node.name} keeps its name"
        elif isinstance(node, ast.Name) and node.id in DRAWING and node not in drawn:
            yield node.lineno, "the one markup that a cell shows is a figure: HTML(to_html(figure, …))"
        elif isinstance(node, ast.Name) and node.id not in bound | (syntax.BUILTINS - {"_"}) | {"getattr", "type"}:
            yield node.lineno, f"no cell defines {node.id}: what the notebook adds to Python is not for pages"
        elif {getattr(node, "attr", None), _read(node)} & STYLED:
            yield node.lineno, f"{ast.unparse(node)} shows markup that no figure drew"


def _read(node: ast.AST) -> str | None:
    """Return the name of the attribute that a call of ``getattr`` reads, if it is written out."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
    return None


def _is_drawing(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="HTML"), args=[ast.Call(func=ast.Name(id="to_html"))], keywords=[]):
            return True
    return False
