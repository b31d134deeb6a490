"""Run every block of every page and rewrite the output that stands below it: ``make outputs``.

Changes nothing but outputs: a block that prints gets a ``text`` fence below it, one that prints nothing loses it. Then
every block runs again as on older processors, and must print the same.
"""

from __future__ import annotations

import argparse
import atexit
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from difflib import unified_diff
from pathlib import Path

from tools.builders.blocks import lay_out
from tools.guards.draw import older
from tools.guards.fences import ROOT, RUN, Fence, fences
from tools.guards.pages import EXPECTED, pages
from tools.guards.scale import Runners
from tools.loop.progress import Progress

WORKERS = 2


THREAD = threading.local()  # each has runners of its own


def run(code: str, page: str = "<block>", line: int = 0) -> str:
    """Return what a block prints whose fence opens in some line of a page, run alone as a reader would run it.

    Raises
    ------
    RuntimeError
        If it raises, writes to standard error, or leaves code unexecuted.
    """
    if not hasattr(THREAD, "runners"):
        THREAD.runners = Runners(ROOT)
        atexit.register(THREAD.runners.close)
    result = THREAD.runners.run(code, page)
    if faults := result.faults():
        raise RuntimeError("\n".join(f"{page}:{line + within}: {what}" for within, what in faults))
    return result.stdout


def rewrite(text: str, outputs: list[str]) -> str:
    """Return the page with the output of its n-th ``python`` block replaced by the n-th string."""
    lines = text.split("\n")
    blocks = fences(text)
    opens = {b.line: b for b in blocks}
    runs = [b for b in blocks if b.info == RUN]
    for block, output in reversed(list(zip(runs, outputs, strict=True))):
        start, end = block.end, _end_of_output(lines, block, opens)
        indent = lines[block.line - 1][: len(lines[block.line - 1]) - len(lines[block.line - 1].lstrip())]
        shown = ["", EXPECTED, "", "```text", *output.rstrip("\n").split("\n"), "```"] if output.strip() else []
        lines[start:end] = [indent + line if line else "" for line in shown]
    return "\n".join(lines)


def _end_of_output(lines: list[str], block: Fence, opens: dict[int, Fence]) -> int:
    """Return the index behind the block's present output, or behind the block if it has none."""
    i = block.end
    while i < len(lines) and not lines[i].strip():
        i += 1
    if i == len(lines) or lines[i].strip() != EXPECTED:
        return block.end
    i += 1
    while i < len(lines) and not lines[i].strip():
        i += 1
    return opens[i + 1].end if i + 1 in opens and opens[i + 1].info == "text" else i


def refresh(paths: list[Path], check: bool = False) -> list[str]:
    """Run all blocks of some pages, two at once, and return the faults.

    Writes the outputs, or with ``check`` only holds them against what stands on the pages. A page with a failing block
    is left as it was.
    """
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    blocks = {path: [b for b in fences(text) if b.info == RUN] for path, text in texts.items()}
    named = {path: [f"{_name(path)} block {i}" for i, _ in enumerate(blocks[path])] for path in paths}
    progress = Progress([name for names in named.values() for name in names], ROOT, WORKERS)

    def timed(name: str, path: Path, block: Fence) -> str:
        start = time.monotonic()
        try:
            return run(block.code, _name(path), block.line)
        finally:
            progress.finish(name, time.monotonic() - start)

    faults, written = [], 0
    with ThreadPoolExecutor(WORKERS) as pool:
        running = {
            path: [pool.submit(timed, name, path, b) for name, b in zip(named[path], blocks[path], strict=True)]
            for path in paths
        }
        for path, futures in running.items():
            wait(futures)
            failed = [(b.line, f.exception()) for b, f in zip(blocks[path], futures, strict=True) if f.exception()]
            faults += [f"{_name(path)}:{line}: this block fails, the page is left as it was\n{e}" for line, e in failed]
            new = "" if failed else rewrite(texts[path], [future.result() for future in futures])
            if failed or new == texts[path]:
                continue
            if check:
                difference = unified_diff(
                    texts[path].split("\n"), new.split("\n"), "the page", "printed", lineterm="", n=0
                )
                faults.append(f"{_name(path)}: prints something else than the page shows\n" + "\n".join(difference))
            else:
                path.write_text(new, encoding="utf-8")
                written += 1
                print(f"rewrote {_name(path)}", flush=True)
    progress.close()
    if not faults:
        print(f"{progress.total} blocks run, {written} pages rewritten", flush=True)
    return faults


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def main(paths: list[Path], check: bool = False, once: bool = False) -> int:
    """Rewrite the pages, check them as older processors would print them, and return the exit code."""
    if not check:
        lay_out(paths)
    faults = refresh(paths, check)
    if faults:
        print("\n".join(faults), file=sys.stderr)
        return 1
    failed = 0
    for features in [] if check or once else older():
        without = features["NPY_DISABLE_CPU_FEATURES"]
        print(f"once more, as a processor without {without} would", flush=True)
        # NumPy and OpenBLAS choose their kernels when they are loaded: in a process of its own.
        command = [sys.executable, "-m", "tools.builders.outputs", "--check", *map(str, paths)]
        failed |= subprocess.run(command, env=os.environ | features, cwd=ROOT).returncode
    return failed


def _page(name: str) -> Path:
    path = Path(name).resolve()
    if path.suffix != ".md" or not path.is_file():
        raise argparse.ArgumentTypeError(f"{name} is no page: say one as in docs/evaluation/drift.md")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the blocks of pages and rewrite the outputs below them.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    parser.add_argument("--once", action="store_true", help="leave out the runs as on older processors")
    parser.add_argument("paths", nargs="*", type=_page, help="the pages; else all of them")
    told = parser.parse_args()
    sys.exit(main(told.paths or pages(), told.check, told.once))
