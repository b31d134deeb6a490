"""Refuse every page on which Python could be shown without having run.

``python -m tools.guards.pages`` checks all pages and prints one line a fault: file, line, what is wrong, what to do.
CONTRIBUTING.md describes the four kinds of fence; this file holds the pages to them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mkdocs.utils.meta import get_data
from pygments.lexers import get_all_lexers
from pytest_codeblocks.main import extract_from_file

from tools.guards.fences import ROOT, Fence, fences, indented_code, mask

SHOWN, RUN, FIGURE = "py", "python", 'python exec="on" html="on"'
EXPECTED = "<!--pytest-codeblocks:expected-output-->"
INCLUDE = re.compile(r'--8<-- "(snippets/[\w/]+\.py)(?::(\w+))?"')
FOLDED = re.compile(r'\?\?\?\+? ?(?:(\w+) "(.*)")?')
PAGE_KEYS = {"title", "description", "section", "minutes", "tags"}


def pages() -> list[Path]:
    """Return every Markdown file whose code a reader may copy."""
    found = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "templates").rglob("*.md"), *ROOT.glob("*.md")]
    return sorted(found)


@cache
def python_names() -> frozenset[str]:
    """Return every name under which the highlighter knows Python, in any of its guises."""
    wanted = re.compile(r"python|numpy|cython|sage", re.IGNORECASE)
    return frozenset(a.lower() for name, aliases, *_ in get_all_lexers() if wanted.search(name) for a in aliases)


def looks_like_python(code: str) -> bool:
    """Say whether code without a Python label parses as Python that does something."""
    if re.search(r"^\s*>>> ", code, re.MULTILINE):
        return True
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    telling = (
        ast.Import,
        ast.ImportFrom,
        ast.FunctionDef,
        ast.ClassDef,
        ast.Assign,
        ast.For,
        ast.With,
        ast.Call,
    )
    return any(isinstance(node, telling) for node in ast.walk(tree))


def check_page(path: Path) -> list[str]:
    """Return the faults of one Markdown file, each as ``path:line: what is wrong``."""
    text = path.read_text(encoding="utf-8")
    blocks = fences(text)
    faults = [
        *_check_fences(blocks, _outputs(text, blocks)),
        *_check_comments(text, blocks),
        *_check_raw(text, blocks),
        *_check_collected(path, blocks),
        *_check_answers(text, blocks),
    ]
    if path.name == "quiz.md":
        faults += _check_quiz(text)
    if (ROOT / "docs") in path.parents or path.name == "page.md":
        faults += _check_front_matter(text)
    try:
        name = path.relative_to(ROOT)
    except ValueError:
        name = path
    return [f"{name}:{line}: {what}" for line, what in sorted(faults)]


def _outputs(text: str, blocks: list[Fence]) -> set[int]:
    """Return the lines of the fences that hold the output of a block: what they say is compared, not run."""
    lines = text.split("\n")
    return {b.line for b in blocks if "\n".join(lines[: b.line - 1]).rstrip().endswith(EXPECTED)}


def _check_fences(blocks: list[Fence], outputs: set[int]) -> Iterator[tuple[int, str]]:
    for b in blocks:
        python = b.language in python_names()
        if b.marker != "```":
            yield b.line, f"fence {b.marker!r} is never run: use three backticks"
        elif python and b.quoted:
            yield b.line, "Python in a block quote is never run: use an admonition"
        elif python and b.info not in (SHOWN, RUN, FIGURE):
            yield (
                b.line,
                f"{b.info!r} is never run: the fence must say exactly {RUN!r}, {SHOWN!r} or {FIGURE!r}",
            )
        elif b.info == SHOWN and not INCLUDE.fullmatch(b.code.strip()):
            yield (
                b.line,
                '`py` holds exactly one include of a snippet: --8<-- "snippets/…"; code that runs is `python`',
            )
        elif b.info in (RUN, FIGURE):
            yield from _check_code(b)
        elif b.language in ("sh", "bash", "zsh", "shell"):
            yield (
                b.line,
                "shell fences are run by pytest-codeblocks: use `console` for commands that only show",
            )
        elif not b.language:
            yield b.line, "a fence needs a language: `text` for plain text"
        elif not python and b.line not in outputs and looks_like_python(b.code):
            yield b.line, f"this is Python labelled {b.info!r}: label it `python`, so that it runs"


def _check_code(b: Fence) -> Iterator[tuple[int, str]]:
    if not b.code.strip():
        yield b.line, "empty block"
    if "pytest" in b.code:
        yield b.line, "a block must not use pytest: what skips or marks here does not run"
    if b.info == RUN and "--8<--" in b.code:
        yield b.line, "an include in a `python` fence is not run as shown: use `py`"


def _check_comments(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    lines = text.split("\n")
    opens, closes = {b.line: b for b in blocks}, {b.end: b for b in blocks}
    masked = mask(text, blocks)
    for match in re.finditer(r"<!--.*?(?:-->|\Z)", masked, re.DOTALL):
        line = masked.count("\n", 0, match.start()) + 1
        end = line + match[0].count("\n")
        if any(line <= b.line <= end for b in blocks):
            yield line, "a fence inside an HTML comment runs but is not shown"
        elif "pytest" in match[0] and match[0] != EXPECTED:
            yield line, f"{match[0]!r} hides or marks code: the only pytest comment is {EXPECTED}"
        elif match[0] == EXPECTED:
            below = next((i for i in range(end + 1, len(lines) + 1) if lines[i - 1].strip()), None)
            above = next((i for i in range(line - 1, 0, -1) if lines[i - 1].strip()), None)
            if below not in opens or opens[below].info != "text" or not opens[below].code.strip():
                yield line, "the output must stand right below this comment, in a `text` fence"
            if above not in closes or closes[above].info != RUN:
                yield line, "this comment must stand right below the `python` block whose output it announces"


def _check_raw(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    inside = {i for b in blocks for i in range(b.line, b.end + 1)}
    for i, line in enumerate(text.split("\n"), 1):
        if i not in inside and re.match(r"[\s>]*(```|~~~)", line):
            yield i, "a line that starts like a fence but is none blinds pytest-codeblocks to what follows"
    masked = mask(text, blocks)
    for match in re.finditer(r"<(pre|code|script|iframe|object|embed)\b", masked, re.IGNORECASE):
        yield (
            masked.count("\n", 0, match.start()) + 1,
            f"raw <{match[1]}> is shown but never run: use a fence",
        )
    for code in indented_code(text):
        first = next(line for line in code.split("\n") if line.strip()).strip()
        line = next((i for i, raw in enumerate(text.split("\n"), 1) if first in raw and i not in inside), 1)
        yield line, "code by indentation is shown but never run: use a fence"


def _check_collected(path: Path, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Hold what pytest-codeblocks collects against what the renderer shows as run."""
    try:
        collected = extract_from_file(path)
    except Exception as error:  # its parser raises bare errors: whatever it is, the page is at fault
        yield 1, f"pytest-codeblocks cannot read this page: {error}"
        return
    shown = {(b.line, b.code.strip()) for b in blocks if b.info == RUN}
    taken = {(b.lineno, b.code.strip()) for b in collected if b.syntax == RUN}
    for line, _ in shown - taken:
        yield line, "shown on the page, but pytest-codeblocks does not collect it as shown"
    for line, _ in taken - shown:
        yield line, "collected by pytest-codeblocks, but not shown like this on the page"


def _check_answers(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Refuse a question, a card or an option that nobody answers."""
    lines = text.split("\n")
    inside = {i for b in blocks for i in range(b.line, b.end + 1)}
    for i, line in enumerate(lines, 1):
        match = FOLDED.match(line)
        if i in inside or not match:
            continue
        if match[2] is None or not match[2].strip():
            yield i, f'a folded block is written ??? kind "What it asks", got {line.strip()!r}'
        elif len(_answer(lines, i)) < 10:
            yield i, f"no answer below {match[2]!r}: indent it by four spaces, after an empty line"


def _answer(lines: list[str], opened: int) -> str:
    """Return the text of the folded block that opens at a line, which must follow an empty line."""
    found = []
    for line in lines[opened:]:
        if line.strip() and not line.startswith("    "):
            break
        found.append(line.strip())
    return " ".join(found).strip() if found and not found[0] else ""


def _check_quiz(text: str) -> Iterator[tuple[int, str]]:
    """Hold a quiz to ten questions, each with one right option among three or more, and a page for each wrong one."""
    lines = text.split("\n")
    questions = [(i, line) for i, line in enumerate(lines, 1) if line.startswith("## ")]
    if len(questions) != 10:
        yield 1, f"a quiz has ten questions, this one has {len(questions)}"
    for (start, title), (end, _) in zip(questions, [*questions[1:], (len(lines) + 1, "")], strict=True):
        options = [(i, m[1]) for i in range(start, end) if (m := FOLDED.match(lines[i - 1]))]
        kinds = [kind for _, kind in options]
        if kinds.count("right") != 1 or len(kinds) < 3 or set(kinds) != {"right", "wrong"}:
            yield start, f"{title!r} needs one right option and two wrong ones or more, got {kinds}"
        for i, kind in options:
            if kind == "wrong" and ".md" not in _answer(lines, i):
                yield i, "a wrong option links to the page that teaches it"


def _check_front_matter(text: str) -> Iterator[tuple[int, str]]:
    _, meta = get_data(text)
    missing = PAGE_KEYS - meta.keys()
    if missing:
        yield 1, f"the front matter lacks {', '.join(sorted(missing))}"


def check_labs() -> list[str]:
    """Return the faults of the notebooks: cells that may fail, or be skipped, or hide what they run."""
    faults = []
    for path in sorted((ROOT / "docs" / "labs").glob("*.py")):
        faults += check_lab(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    return faults


def check_lab(text: str, name: str) -> list[str]:
    """Return the faults of one notebook in percent format."""
    faults = []
    for i, line in enumerate(text.split("\n"), 1):
        if line.startswith("# %%") and line not in ("# %%", "# %% [markdown]"):
            faults.append(f"{name}:{i}: cell tags can skip, hide or excuse a cell: write '# %%' or '# %% [markdown]'")
        if re.match(r"\s*(# )?(%|!|get_ipython)", line) and not line.startswith("# %%"):
            faults.append(f"{name}:{i}: magics and shell commands do not run outside a notebook")
    return faults


def check_settings(config: dict) -> list[str]:
    """Return the faults of the notebook settings: each of these must hold, or a failing notebook is published."""
    (settings,) = [p["mkdocs-jupyter"] for p in config["plugins"] if isinstance(p, dict) and "mkdocs-jupyter" in p]
    wanted = {"execute": True, "allow_errors": False, "cache": False, "kernel_name": "python3"}
    wanted |= {"include": ["docs/labs/*.py"]}
    faults = [f"mkdocs.yml: mkdocs-jupyter needs {k}: {v}" for k, v in wanted.items() if settings.get(k) != v]
    if settings.get("execute_ignore") or settings.get("remove_tag_config") or settings.get("no_input"):
        faults.append("mkdocs.yml: mkdocs-jupyter must run and show every cell")
    return faults


def main() -> int:
    """Check all pages, print the faults, and return the exit code."""
    from mkdocs.utils.yaml import yaml_load

    with (ROOT / "mkdocs.yml").open(encoding="utf-8") as file:
        faults = check_settings(yaml_load(file))
    faults += check_labs()
    for path in pages():
        faults += check_page(path)
    print("\n".join(faults) or f"guard: {len(pages())} pages show nothing that does not run")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
