"""Exercises as cells of a notebook, as a folder, and with an address on their page."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from html import escape
from pathlib import Path

from mkdocs.utils import get_relative_url
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.builders.snippet_bar import mirror
from tools.guards.exercises import EXERCISE, Exercise, cut, defined, function_of, names
from tools.guards.fences import ROOT

HEADING = re.compile(r"^## Write it yourself\n+(?=## |\Z)", re.MULTILINE)
RENDERED = re.compile(r'<details class="exercise ([\w-]+)">(.*?)</details>', re.DOTALL)
HINTED = re.compile(r'(<details class="hint">\s*<summary>)')
TAG = {"tags": ["exercise"]}
# Its own settings, or pytest would take those of a folder around it, and import from there.
SETTINGS = "[pytest]\npythonpath = .\n"
CHECK = """\
# @title Check: runs the guide's own test on what you wrote
import inspect
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import {module} as module

given, written = inspect.getsource(module.{function}), inspect.getsource({last})
if {last} is module.{function} or "raise NotImplementedError" in written:
    print("Still blank: write {last}, run its cell, then run this one.")
else:
    folder = Path("exercises/{name}")
    for part in ("snippets", "tests"):
        shutil.copytree(part, folder / part, dirs_exist_ok=True)
    text = Path("{snippet}").read_text(encoding="utf-8")
    text = text.replace(given, textwrap.indent(written, "{indent}"))
    (folder / "{snippet}").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("{settings}", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "{test}"]
    print(subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout[-3000:])"""
README = """\
# {title}

{minutes} minutes. {task}

1. Open `{snippet}`, go to `{function}`, and write what is missing. What checks the input is there already.
2. Run the test of the guide, from this folder: `python -m pytest -q -x`. It needs what `make setup` installs.
3. Stuck? Scroll down, one hint at a time.

The answer is on the page `docs/{page}.md`, and in the file of the same name in the guide.
"""


def module_of(path: str) -> str:
    """Return the module of a file, by its path from the root."""
    return path.removesuffix(".py").replace("/", ".")


def without(text: str) -> str:
    """Return the text of a page without its exercises."""
    return HEADING.sub("", EXERCISE.sub("", text))


def cells(exercise: Exercise, root: Path = ROOT) -> list:
    """Return the cells of an exercise for the notebook of its page, none of which has run."""
    parts, module = cut(exercise, root), module_of(exercise.snippet)
    tree = ast.parse(parts.before + parts.heart + parts.after)
    used = names(ast.walk(function_of(tree, exercise.name)), ast.Load)
    local = [name for name in defined(tree) if name in used]
    imports = [*_imports(tree, used), *([f"from {module} import {', '.join(local)}"] if local else [])]
    node = function_of(ast.parse(parts.blank), exercise.name)
    code = textwrap.dedent("\n".join(parts.blank.split("\n")[node.lineno - 1 : node.end_lineno]))
    check = CHECK.format(
        module=module,
        function=exercise.function,
        last=node.name,
        name=exercise.name,
        snippet=exercise.snippet,
        test=mirror(exercise.snippet),
        indent=" " * node.col_offset,
        settings=SETTINGS.encode("unicode_escape").decode(),
    )
    words = f"## {exercise.title}, {exercise.minutes} min\n\n{exercise.task} The cells below have not run.\n\n"
    for title, text in exercise.hints:
        words += f"<details><summary>Hint: {escape(title)}</summary>\n\n{text}\n\n</details>\n"
    return [
        new_markdown_cell(words),
        new_code_cell("\n\n\n".join(filter(None, ["\n".join(imports), code])), metadata=TAG),
        new_code_cell(check, metadata=TAG | {"jupyter": {"source_hidden": True}, "cellView": "form"}),
    ]


def mark(html: str, url: str) -> str:
    """Return the content of a page in which each exercise has an address, and says how to begin."""
    clone = get_relative_url("get-the-code/#exercises", url)

    def change(match: re.Match) -> str:
        begin = (
            f'<p class="from">In <a href="{clone}">a clone</a>, <code>make exercise P={match[1]}</code> lays out the '
            "file and its test. The notebook of this page ends with it, too.</p>"
        )
        return f'<details class="exercise" id="write-{match[1]}">{match[2]}{begin}</details>'

    return HINTED.sub(r"\1Hint: ", RENDERED.sub(change, html))


def _imports(tree: ast.Module, used: set[str]) -> Iterator[str]:
    """Yield the imports of a module by which names are used."""
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            node.names = [alias for alias in node.names if (alias.asname or alias.name).split(".")[0] in used]
            if node.names:
                yield ast.unparse(node)
