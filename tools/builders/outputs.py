"""Run every block of every page and rewrite the output that stands below it: ``make outputs``.

Changes nothing but outputs: a block that prints gets a ``text`` fence below it, one that prints nothing loses it.
"""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.guards.fences import ROOT, Fence, fences
from tools.guards.pages import EXPECTED, RUN, pages


def run(code: str) -> str:
    """Return what a block prints, run alone from the repository's root as a reader would run it."""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


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


def main(paths: list[Path]) -> int:
    """Rewrite the pages and return the exit code."""
    failed = 0
    for path in paths:
        text = path.read_text(encoding="utf-8")
        codes = [b.code for b in fences(text) if b.info == RUN]
        try:
            with ThreadPoolExecutor(2) as pool:
                new = rewrite(text, list(pool.map(run, codes)))
        except RuntimeError as error:
            print(
                f"{path.relative_to(ROOT)}: a block fails, the page is left as it was\n{error}",
                file=sys.stderr,
            )
            failed = 1
            continue
        if new != text:
            path.write_text(new, encoding="utf-8")
            print(f"rewrote {path.relative_to(ROOT)}")
    return failed


if __name__ == "__main__":
    sys.exit(main([Path(p).resolve() for p in sys.argv[1:]] or pages()))
