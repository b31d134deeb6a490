"""The bar above each snippet that a page shows: its file, whole and in place; its test; the raw file; the repository.

A page shows the heart of a file, which rarely runs alone. What a reader wants to copy is the file, so it lies folded in
the first bar that names it. The snippets and their tests are served as they are, at the paths that they have in the
repository.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from html import escape, unescape
from pathlib import Path

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tools.guards.ledger import digest
from tools.guards.proof import MARKER

SHOWN = re.compile(r'<div class="language-py highlight"><pre>.*?</pre></div>', re.DOTALL)
IMPORT = re.compile(r"^from (tests(?:\.\w+)+) import ", re.MULTILINE)
# What has the colour of the text needs no element: a page is a third lighter by it.
UNCOLOURED = re.compile(r'<span class="(?:n|o|p|w)">([^<]*)</span>')


def mirror(file: str) -> str:
    """Return the test that mirrors a snippet, ``tests/evaluation/test_drift.py`` for that of drift."""
    path = Path(file)
    return Path("tests", *path.parts[1:-1], f"test_{path.name}").as_posix()


def served(root: Path) -> list[str]:
    """Return the files that are served as they are: snippets, the tests that mirror them, and what those import."""
    files = [path.relative_to(root).as_posix() for path in sorted((root / "snippets").rglob("*.py"))]
    tests = [mirror(file) for file in files if not file.endswith("__init__.py")]
    found = [test for test in tests if (root / test).is_file()]
    for test in found:  # grows by what a test imports of its neighbours
        for name in IMPORT.findall((root / test).read_text(encoding="utf-8")):
            path = f"{name.replace('.', '/')}.py"
            found += [path] if path not in found and (root / path).is_file() else []
    return files + sorted(found)


def with_bars(html: str, known: Mapping[str, str], root: Path, base: str, repository: str) -> str:
    """Return a page with a bar above each snippet.

    Parameters
    ----------
    html
        The page. What it shows and no snippet holds is left alone, for the proof to refuse.
    known
        The file of each text that a page may show, by its digest: ``tools.guards.proof.sections``.
    root
        The folder of the sources.
    base
        What leads from the page to the site's root, as ``../..``.
    repository
        The address of the repository, or nothing.
    """
    return SHOWN.sub(partial(_with_bar, known, {}, root, base, repository), html)


def _with_bar(known: Mapping[str, str], opened: dict[str, str], root: Path, base: str, repository: str, block) -> str:
    code = unescape(re.sub("<[^>]+>", "", block[0]))
    file = known.get(digest(code))
    if file is None:
        return block[0]
    source = MARKER.sub("", (root / file).read_text(encoding="utf-8"))
    whole = ""
    if file in opened:
        whole = f'<a href="#{opened[file]}">Whole file</a>'
    elif digest(code) != digest(source):
        opened[file] = f"whole-{Path(file).stem}"
        whole = (
            f'<details class="whole" id="{opened[file]}"><summary>Whole file</summary>{_highlighted(source)}</details>'
        )
    links = [(f"{base}/{mirror(file)}", "Test")] if (root / mirror(file)).is_file() else []
    links += [(f"{repository.rstrip('/')}/blob/HEAD/{file}", "Repository")] if repository else []
    return (
        f'<div class="snippet-file"><code>{file}</code>{whole}'
        + "".join(f'<a href="{escape(href)}">{words}</a>' for href, words in links)
        + f'<a href="{base}/{file}" download>Download</a></div>{block[0]}'
    )


def _highlighted(source: str) -> str:
    code = UNCOLOURED.sub(r"\1", highlight(source, PythonLexer(), HtmlFormatter(nowrap=True)))
    return f'<div class="language-py highlight"><pre><span></span><code>{code}</code></pre></div>'
