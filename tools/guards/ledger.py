"""A pytest plugin that holds every block of every page to more than pytest-codeblocks does, and keeps the books.

A block fails here if it prints what the page does not show, leaves a statement unexecuted (an uncalled function, a
branch not taken, a body under ``if __name__``), or changes the directory or the environment for the blocks after it.
A skipped test fails the session. The blocks that passed go into ``build/ledger.json``, which tools.guards.proof reads.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest
from pytest_codeblocks.plugin import TestBlock

PASSED = pytest.StashKey[list]()
SKIPPED = pytest.StashKey[list]()
LEDGER = Path("build/ledger.json")


def digest(code: str) -> str:
    """Return the SHA-256 of code, whatever blank lines stand around it."""
    return hashlib.sha256(code.strip("\n").rstrip().encode()).hexdigest()


def sources_digest(root: Path) -> str:
    """Return the SHA-256 of all that a block's result depends on: a ledger of older sources proves nothing."""
    found = hashlib.sha256()
    for path in sorted([*root.glob("snippets/**/*.py"), *root.glob("requirements.txt")]):
        found.update(f"{path.relative_to(root)}\0{digest(path.read_text(encoding='utf-8'))}\0".encode())
    return found.hexdigest()


def unexecuted(code: str, executed: set[int]) -> list[int]:
    """Return the lines of the statements in code of which no line is among the executed ones."""
    left = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.stmt) or isinstance(node, ast.Global | ast.Nonlocal):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # docstrings leave no instruction
        body = getattr(node, "body", None)
        last = body[0].lineno - 1 if body else node.end_lineno
        if not executed.intersection(range(node.lineno, max(last, node.lineno) + 1)):
            left.append(node.lineno)
    return sorted(left)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Run one block under a line tracer and the rules above."""
    if not isinstance(item, TestBlock):
        return (yield)
    block = item.obj
    if block.expected_output is None:
        block.expected_output = ""  # so that a print without its output on the page is a mismatch
    executed: set[int] = set()
    names = {code.co_name for code in _code_objects(compile(block.code, "<string>", "exec"))}

    def trace(frame, event, arg):
        if frame.f_code.co_filename != "<string>" or frame.f_code.co_name not in names:
            return None
        if event == "line":
            executed.add(frame.f_lineno)
        return trace

    before, tracer = _surroundings(), sys.gettrace()
    sys.settrace(trace)
    try:
        result = yield
    finally:
        sys.settrace(tracer)
    if left := unexecuted(block.code, executed):
        shown = ", ".join(str(block.lineno + line) for line in left)
        raise RuntimeError(f"{item.path}: never executed: line {shown}")
    if changed := before ^ _surroundings():
        names = sorted({name for name, _ in changed})
        raise RuntimeError(f"{item.path}:{block.lineno}: the block changes {', '.join(names)} for those after it")
    page = item.path.relative_to(item.config.rootpath).as_posix()
    books = {"page": page, "line": block.lineno, "sha256": digest(block.code), "output": digest(block.expected_output)}
    item.user_properties.append(("block", books))
    return result


def _surroundings() -> set[tuple[str, str]]:
    """Return what one block could leave behind for the next."""
    ours = {"PYTEST_CURRENT_TEST", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}  # pytest's, and scikit-learn's on import
    environment = {(name, value) for name, value in os.environ.items() if name not in ours}
    return {("the working directory", os.getcwd()), *environment}


def _code_objects(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from _code_objects(constant)


class Books:
    """Collects the reports of all workers and closes the session's books."""

    def __init__(self, config: pytest.Config):
        config.stash[PASSED], config.stash[SKIPPED] = [], []
        self.config = config

    def pytest_runtest_logreport(self, report):
        """Note what passed and what was skipped."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.config.stash[SKIPPED].append(report.nodeid)
        if report.when == "call" and report.passed:
            self.config.stash[PASSED] += [value for name, value in report.user_properties if name == "block"]

    def pytest_sessionfinish(self, session):
        """Fail on skips; write the ledger of a session that ran the pages."""
        if self.config.stash[SKIPPED]:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.config.option.codeblocks:
            path = self.config.rootpath / LEDGER
            path.parent.mkdir(exist_ok=True)
            blocks = sorted(self.config.stash[PASSED], key=lambda b: (b["page"], b["line"]))
            books = {"sources": sources_digest(self.config.rootpath), "blocks": blocks}
            path.write_text(json.dumps(books, indent=1) + "\n", encoding="utf-8")

    def pytest_terminal_summary(self, terminalreporter):
        """Name the skipped tests: they are why the session failed."""
        for nodeid in self.config.stash[SKIPPED]:
            terminalreporter.write_line(f"SKIPPED, which is a failure here: {nodeid}", red=True)


def pytest_configure(config):
    """Keep the books in the process that sees all reports, not in the workers of xdist."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Books(config))
