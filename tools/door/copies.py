"""Keep the checks of each snippet the same as those of ``checks.py``, to the letter.

A snippet calls a check by its name. Those it calls, and those that they call, stand at
the end of its file between two comment lines, in the order of ``checks.py``, so that
copying the file still is installing it.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKS = Path(__file__).with_name("checks.py")
SNIPPETS = [*sorted((ROOT / "snippets").rglob("*.py")), ROOT / "templates/snippet.py"]
START = "# --- The door: copies of tools/door/checks.py, by `make door`. ---\n"
END = "# --- End of the door. ---\n"


def with_checks(text: str) -> str:
    """Return the text of a snippet with the checks that it calls, and no others.

    Raises
    ------
    ValueError
        If a line that opens or closes the copies is there without the other, a function
        has the name of a check, or the snippet does not import what the checks need.
    """
    own = without_checks(text)
    source, checks = (
        CHECKS.read_text(encoding="utf-8"),
        _functions(CHECKS.read_text(encoding="utf-8")),
    )
    if taken := checks.keys() & _functions(own).keys():
        raise ValueError(
            f"{min(taken)} is the name of a check: call that, or give yours another "
            "name"
        )
    wanted, more = set(), _names(own) & checks.keys()
    while more:
        wanted |= more
        more = {
            name for check in more for name in _names(checks[check])
        } & checks.keys() - wanted
    if not wanted:
        return own
    copies = "\n\n".join(checks[name] for name in checks if name in wanted)
    imported = {
        alias.asname or alias.name for node in _imports(own) for alias in node.names
    }
    for node in _imports(source):
        for alias in node.names:
            if (alias.asname or alias.name) in _names(copies) - imported:
                raise ValueError(
                    f"the checks need `{ast.unparse(node)}`: import it at the top of "
                    "the snippet"
                )
    return f"{own.rstrip()}\n\n\n{START}\n\n{copies}\n\n{END}"


def without_checks(text: str) -> str:
    """Return the text of a snippet without its copies of the checks."""
    if START not in text and END not in text:
        return text
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end or after.strip():
        raise ValueError(
            "the copies of the checks stand at the end of the file, between their two "
            "comment lines"
        )
    return before.rstrip() + "\n"


def _functions(source: str) -> dict[str, str]:
    """Return the text of each function by its name, in order."""
    lines = source.splitlines(keepends=True)
    functions = [
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)
    ]
    return {
        node.name: "".join(lines[node.lineno - 1 : node.end_lineno])
        for node in functions
    }


def _names(source: str) -> set[str]:
    return {
        node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)
    }


def _imports(source: str) -> list[ast.Import | ast.ImportFrom]:
    return [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
