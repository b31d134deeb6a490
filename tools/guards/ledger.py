"""A pytest plugin that holds every block of every page to more than pytest-codeblocks does, and keeps the books.

pytest-codeblocks collects the blocks; each then runs in a process of its own (tools.guards.runner). It fails if it
raises, prints what the page does not show, leaves a statement or an expression unreached, or writes into the guide. A
skipped test fails the session. The blocks that passed go into ``build/ledger.json``, which tools.guards.proof reads;
``python -m tools.guards.ledger OUT IN …`` joins the ledgers of several shards.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from itertools import chain
from pathlib import Path

import pytest
from pytest_codeblocks.plugin import TestBlock

from tools.guards.scale import Runners

PASSED = pytest.StashKey[list]()
SKIPPED = pytest.StashKey[list]()
RUNNERS = pytest.StashKey[Runners]()
LEDGER = Path("build/ledger.json")


def digest(code: str) -> str:
    """Return the SHA-256 of code, whatever blank lines stand around it."""
    return hashlib.sha256(code.strip("\n").rstrip().encode()).hexdigest()


def sources_digest(root: Path) -> str:
    """Return the SHA-256 of all that a block's result depends on: a ledger of older sources proves nothing."""
    found = hashlib.sha256()
    for path in sorted(
        [*root.glob("snippets/**/*.py"), *root.glob("requirements.txt"), *root.glob("requirements-scale.txt")]
    ):
        found.update(f"{path.relative_to(root)}\0{digest(path.read_text(encoding='utf-8'))}\0".encode())
    return found.hexdigest()


def pytest_addoption(parser):
    """Add the option that takes a part of the blocks."""
    parser.addoption("--shard", metavar="I/N", help="run the I-th of N parts of the blocks, as 1/3")


def pytest_collection_modifyitems(config, items):
    """Take the blocks of this shard, and have each run in a process of its own."""
    if shard := config.option.shard:
        part, parts = map(int, shard.split("/"))
        if not 1 <= part <= parts:
            raise pytest.UsageError(f"--shard needs 1/N to N/N, got {shard}")
        config.hook.pytest_deselected(items=[item for i, item in enumerate(items) if i % parts != part - 1])
        items[:] = items[part - 1 :: parts]
    for item in items:
        if isinstance(item, TestBlock):
            item.runtest = lambda item=item: run_block(item)


def run_block(item: TestBlock) -> None:
    """Run one block, and fail it with the page, the line, and what is wrong."""
    block, page = item.obj, item.path.relative_to(item.config.rootpath).as_posix()
    if block.importorskip is not None or block.syntax != "python":
        raise RuntimeError(f"{page}:{block.lineno}: only `python` is run, and never skipped")
    result = _runners(item.config).run(block.code, page)
    expected = block.expected_output or ""
    faults = result.faults()
    if not result.error and result.stdout != expected:
        faults.append((0, f"it prints\n{result.stdout}\nand the page shows\n{expected}"))
    if faults:
        raise RuntimeError("\n".join(f"{page}:{block.lineno + line}: {what}" for line, what in faults))
    books = {"page": page, "line": block.lineno, "sha256": digest(block.code), "output": digest(result.stdout)}
    item.user_properties.append(("block", books))


def _runners(config: pytest.Config) -> Runners:
    """Return this worker's runners; none is started before a block needs it."""
    if RUNNERS not in config.stash:
        config.stash[RUNNERS] = Runners(config.rootpath, preload=(config.rootpath / "snippets").is_dir())
        config.add_cleanup(config.stash[RUNNERS].close)
    return config.stash[RUNNERS]


def kept(root: Path) -> set[tuple[str, int, int]]:
    """Return the name, size and time of each file that a block must not change: compiled code can empty or make one."""
    found = set()
    for folder, folders, files in chain(os.walk(root), os.walk(root / ".cache/labs")):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for path in (Path(folder, name) for name in files if not name.startswith(".")):
            stat = path.stat(follow_symlinks=False)
            found.add((path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime_ns))
    return found


class Books:
    """Collects the reports of all workers and closes the session's books."""

    def __init__(self, config: pytest.Config):
        config.stash[PASSED], config.stash[SKIPPED] = [], []
        self.config = config
        self.before = kept(config.rootpath) if config.option.codeblocks else set()
        self.changed: list[str] = []

    def pytest_runtest_logreport(self, report):
        """Note what passed and what was skipped."""
        if report.skipped:  # one that is expected to fail, too
            self.config.stash[SKIPPED].append(report.nodeid)
        if report.when == "call" and report.passed:
            self.config.stash[PASSED] += [value for name, value in report.user_properties if name == "block"]

    def pytest_sessionfinish(self, session):
        """Fail on skips and on changed files; write the ledger of a session that ran the pages."""
        if self.config.option.codeblocks:
            self.changed = sorted({name for name, *_ in self.before ^ kept(self.config.rootpath)})
            blocks = sorted(self.config.stash[PASSED], key=lambda b: (b["page"], b["line"]))
            write(self.config.rootpath / LEDGER, sources_digest(self.config.rootpath), blocks)
        if self.config.stash[SKIPPED] or self.changed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        """Name the skipped tests and the changed files: they are why the session failed."""
        for nodeid in self.config.stash[SKIPPED]:
            terminalreporter.write_line(f"SKIPPED, which is a failure here: {nodeid}", red=True)
        for name in self.changed:
            terminalreporter.write_line(f"CHANGED while the blocks ran, which is a failure here: {name}", red=True)


def pytest_configure(config):
    """Keep the books in the process that sees all reports, not in the workers of xdist."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Books(config))


def write(path: Path, sources: str, blocks: list[dict]) -> None:
    """Write a ledger."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"sources": sources, "blocks": blocks}, indent=1) + "\n", encoding="utf-8")


def merge(target: Path, parts: list[Path]) -> None:
    """Join the ledgers of several shards into one.

    Raises
    ------
    ValueError
        If they were written by different sources.
    """
    ledgers = [json.loads(part.read_text(encoding="utf-8")) for part in parts]
    sources = {ledger["sources"] for ledger in ledgers}
    if len(sources) != 1:
        raise ValueError(f"the ledgers must be of the same sources: {', '.join(map(str, parts))} are not")
    blocks = [block for ledger in ledgers for block in ledger["blocks"]]
    write(target, *sources, sorted(blocks, key=lambda b: (b["page"], b["line"])))


if __name__ == "__main__":
    merge(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
