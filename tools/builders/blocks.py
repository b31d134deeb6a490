"""Lay out the ``python`` blocks of pages for 88 columns, so that a page shows them whole.

Ruff could format Markdown by itself, but takes the include in a ``py`` fence for Python. It changes the layout and not
the syntax tree, so a block prints what it printed. ``make outputs`` and ``make page`` do this first.
"""

from __future__ import annotations

import subprocess
import sys
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.guards.fences import RUN, Fence, fences

COLUMNS = 88
RUFF = [str(Path(sys.executable).parent / "ruff"), "format", "--isolated", "--quiet", "--line-length", str(COLUMNS)]


def laid_out(texts: list[str]) -> list[str]:
    """Return pages with each of their ``python`` blocks laid out."""
    blocks = [[block for block in fences(text) if block.info == RUN] for text in texts]
    with TemporaryDirectory() as folder:
        files = [[Path(folder, f"{n}_{block.line}.py") for block in found] for n, found in enumerate(blocks)]
        for file, block in zip(chain(*files), chain(*blocks), strict=True):
            file.write_text(block.code + "\n", encoding="utf-8")
        subprocess.check_call([*RUFF, folder])
        codes = [[file.read_text(encoding="utf-8") for file in found] for found in files]
    return [_replaced(*page) for page in zip(texts, blocks, codes, strict=True)]


def _replaced(text: str, blocks: list[Fence], codes: list[str]) -> str:
    lines = text.split("\n")
    for block, code in reversed(list(zip(blocks, codes, strict=True))):
        opening = lines[block.line - 1]
        indent = opening[: len(opening) - len(opening.lstrip())]
        lines[block.line : block.end - 1] = [indent + line if line else "" for line in code.rstrip("\n").split("\n")]
    return "\n".join(lines)


def lay_out(paths: list[Path]) -> None:
    """Lay out the blocks of some pages, and say which changed."""
    texts = [path.read_text(encoding="utf-8") for path in paths]
    for path, old, new in zip(paths, texts, laid_out(texts), strict=True):
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(f"laid out the blocks of {path.name}", flush=True)
