"""Refuse every page on which Python, or an output, could be shown without having run.

CONTRIBUTING.md describes the six kinds of fence; this file holds the pages to them. What else a page may say is in
``markup``, what the Python of a block may do in ``syntax``.
"""

from __future__ import annotations

import ast
import re
import shlex
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from mkdocs.utils import yaml_load
from mkdocs.utils.meta import get_data
from pygments.lexers import find_lexer_class, get_all_lexers
from pygments.lexers.python import PythonLexer
from pytest_codeblocks.main import extract_from_file

from tools.guards import claims, exercises, markup, numbers, scale, syntax
from tools.guards.fences import COMMANDS, FIGURE, OUTPUT, QUERY, ROOT, RUN, SHOWN, Fence, fences, mask
from tools.guards.markup import EXPECTED
from tools.guards.markup import SNIPPET as INCLUDE

# A folded block that no check below would find.
MISPLACED = re.compile(
    r"(?:(?:[\s>*+-]|\d+[.)])+(?:\?\?\?\+?|!!!)|!!!) ?(?:card|right|wrong|question|exercise|hint)\b", re.IGNORECASE
)
NAMED = re.compile(r" \{ #[a-z][a-z0-9-]* \}$")
FOLDED = re.compile(r'\?\?\?\+? ?(?:(?P<kind>\w+)(?: (?P<name>[\w-]+))? "(?P<asks>.*)")?')
CARD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
STEP = re.compile(r"## \d\. .+ \*\d+ min\*")
LEVELS = ("Mid-level", "Senior", "Staff")
# A command other than `make`: no line of an output looks like one.
COMMAND = re.compile(
    r"""(?:cd|mkdir|source)\ \S+
    |cp(?:\ \S+){2}
    |git\ (?:add|checkout|clone|commit|diff|fetch|pull|push|rebase|switch)(?:\ .+)?
    |(?:\S+/)?(?:pip\ install|uv\ pip|uv\ sync)(?:\ \S+)*
    |(?:\S+/)?python[\d.]*\ -m\ [a-z_.]+(?:\ \S+)*
    |export\ [A-Z_]+=\S+
    |(?:sudo\ )?(?:apt-get|brew|dnf)\ install(?:\ [\w.-]+)+
    |wsl\ --install""",
    re.VERBOSE,
)
# Lines that are Python wherever they stand, though the whole may not parse.
TELLING = re.compile(
    r"""^\s*(?:>>>\ |In\ \[\d*\]:|(?:import|del|assert|nonlocal|global)\ \w|from\ [\w.]+\ import\ |print[ (]
    |(?:async\ )?def\ \w+|class\ \w+\s*[(:]|return\b|raise\ \w+\(
    |(?:for|while|if|elif|with|try|except|else|match)\b.*:\s*$)""",
    re.VERBOSE | re.MULTILINE,
)


def pages() -> list[Path]:
    """Return every Markdown file whose code a reader may copy."""
    found = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "templates").rglob("*.md"), *ROOT.glob("*.md")]
    return sorted(found)


def parts() -> list[Path]:
    """Return every Markdown file that pages include."""
    return sorted([*(ROOT / "benchmarks").rglob("*.md"), *(ROOT / "includes").rglob("*.md")])


@cache
def python_names() -> frozenset[str]:
    """Return every name under which the highlighter knows Python, or what looks like it."""
    wanted = re.compile(r"python|numpy|cython|sage|mojo|nimrod|\bboo\b", re.IGNORECASE)
    return frozenset(
        alias.lower()
        for name, aliases, *_ in get_all_lexers()
        for alias in aliases
        if wanted.search(name) or issubclass(find_lexer_class(name), PythonLexer)
    )


def looks_like_python(code: str) -> bool:
    """Say whether code without a Python label is Python that does something, be it indented, prompted or broken."""
    code = code.replace("\N{NO-BREAK SPACE}", " ").replace("\N{HORIZONTAL ELLIPSIS}", "...")
    if TELLING.search(code):
        return True
    try:
        tree = ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError):
        return False
    return any(
        isinstance(node, ast.Call | ast.Lambda | ast.NamedExpr | ast.Await)
        or (isinstance(node, ast.stmt) and not isinstance(node, ast.Expr))
        for node in ast.walk(tree)
    )


def check_page(path: Path) -> list[str]:
    """Return the faults of one Markdown file, each as ``path:line: what is wrong``."""
    text = path.read_text(encoding="utf-8")
    if path == ROOT / "README.md":
        text = markup.without_pictures(text)
    blocks = fences(text)
    outputs = _outputs(text, blocks)
    faults = [
        *_check_fences(blocks, outputs, _named_imports(path)),
        *_check_comments(text, blocks, outputs),
        *_check_raw(text, blocks),
        *_check_collected(path, blocks),
        *_check_answers(path, text, blocks),
        *exercises.check(text),
        *claims.check(path, text, blocks),
        *claims.check_position(path, text, blocks),
        *markup.check_includes(text, blocks),
        *markup.check_html(text),
        *markup.check_written(text, blocks),
    ]
    if path.name == "quiz.md":
        faults += _check_quiz(text)
    if '<div class="prompt"' in text:
        faults += _check_levels(text)
    published = (ROOT / "docs") in path.parents or path.name == "page.md"
    if (ROOT / "docs") in path.parents:
        faults += numbers.check(path, text)
    faults += markup.check_front_matter(text) if published else markup.check_no_front_matter(text)
    return _named(path, faults)


def check_descriptions() -> list[str]:
    """Return the faults of the descriptions of pages and labs, each held against those before it."""
    config = yaml_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    found = {f"mkdocs.yml:1: {name}": meta["description"] for name, meta in config["extra"]["labs"].items()}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        meta = get_data(path.read_text(encoding="utf-8"))[1]
        found[f"{path.relative_to(ROOT)}:1"] = str(meta.get("description", ""))
    return [f"{page}: {what}" for page, what in markup.check_distinct(found)]


def check_part(path: Path) -> list[str]:
    """Return the faults of a file that pages include: a table or terms, and nothing that would have to run."""
    text = path.read_text(encoding="utf-8")
    faults = [(block.line, "an included file holds no code") for block in fences(text)]
    faults += [(i, "an included file includes no other") for i, line in enumerate(text.split("\n"), 1) if "8<-" in line]
    faults += markup.check_no_front_matter(text)
    if not faults:
        faults += markup.check_html(text)
    if path.parent.name == "includes":
        faults += markup.check_abbreviations(text)
    return _named(path, faults)


def _named(path: Path, faults: list[tuple[int, str]]) -> list[str]:
    name = path.relative_to(ROOT) if ROOT in path.parents else path
    return [f"{name}:{line}: {what}" for line, what in sorted(faults)]


def _outputs(text: str, blocks: list[Fence]) -> dict[int, Fence]:
    """Return the blocks by the line of the fence that holds their output: nothing but the comment stands between."""
    lines = text.split("\n")
    return {
        below.line: above
        for above, below in pairwise(blocks)
        if above.info == RUN
        and below.info == OUTPUT
        and below.code.strip()
        and "\n".join(lines[above.end : below.line - 1]).strip() == EXPECTED
    }


def _named_imports(path: Path) -> dict[str, set[str]]:
    """Return what the blocks of a page may import, name by name, beside what all may."""
    inside = ROOT in path.parents and scale.is_scale(path.relative_to(ROOT).as_posix())
    return scale.NAMED if inside else {}


def _check_fences(
    blocks: list[Fence], outputs: dict[int, Fence], named: dict[str, set[str]]
) -> Iterator[tuple[int, str]]:
    for b in blocks:
        if b.marker != "```":
            yield b.line, f"fence {b.marker!r} is never run: use three backticks"
        elif b.quoted:
            yield b.line, "a fence in a block quote is never run: use an admonition"
        elif b.info == SHOWN:
            if not INCLUDE.fullmatch(b.code.strip()):
                yield b.line, '`py` holds one include of a snippet: --8<-- "snippets/…"; code that runs is `python`'
        elif b.info == RUN:
            yield from _check_code(b, named)
        elif b.info == FIGURE:
            if not syntax.is_drawing(b.code):
                yield b.line, "a figure is `from figures.… import name` and `print(name())`, and nothing else"
        elif b.info == OUTPUT:
            if b.line not in outputs:
                yield b.line, "no block prints this: `text` is the output right below a block and its comment"
        elif b.info == COMMANDS:
            for i, line in enumerate(b.code.split("\n"), b.line + 1):
                if line.strip() and not all(map(_is_command, line.split("&&"))):
                    yield i, f"{line.strip()!r} is not a command: `console` holds commands, and no output"
        elif b.info == QUERY:  # tests/docs/test_sql.py runs those
            if looks_like_python(b.code):
                yield b.line, f"this is Python labelled {b.info!r}: label it `python`, so that it runs"
        else:
            kinds = ", ".join(map(repr, (RUN, SHOWN, FIGURE, OUTPUT, COMMANDS, QUERY)))
            yield b.line, f"{b.info!r} is not run: a fence says exactly one of {kinds}"


@cache
def _targets() -> frozenset[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def _is_command(line: str) -> bool:
    """Say whether a line is a command of a shell, perhaps with a comment behind it."""
    try:
        program, *arguments = shlex.split(line, comments=True)
    except ValueError:  # nothing but a comment, or a quote that does not end
        return False
    if program == "make":
        return all(word in _targets() or re.fullmatch(r"[A-Z_]+=.+", word) for word in arguments)
    return bool(COMMAND.fullmatch(" ".join([program, *arguments])))


def _check_code(b: Fence, named: dict[str, set[str]]) -> Iterator[tuple[int, str]]:
    if "pytest" in b.code:
        yield b.line, "a block must not use pytest: what skips or marks here does not run"
    if "--8<--" in b.code:
        yield b.line, "an include in a `python` fence is not run as shown: use `py`"
    try:
        tree = ast.parse(b.code)
    except (SyntaxError, ValueError) as error:
        yield b.line, f"this block does not parse: {error}"
    else:
        yield from ((b.line + line, what) for line, what in syntax.check_block(tree, named))


def _check_comments(text: str, blocks: list[Fence], outputs: dict[int, Fence]) -> Iterator[tuple[int, str]]:
    announced = {i for line, above in outputs.items() for i in range(above.end, line)}
    masked = mask(text, blocks)
    for match in re.finditer(r"<!--.*?(?:-->|\Z)", masked, re.DOTALL):
        line = masked.count("\n", 0, match.start()) + 1
        end = line + match[0].count("\n")
        if any(line <= b.line <= end for b in blocks):
            yield line, "a fence inside an HTML comment runs but is not shown"
        elif match[0] != EXPECTED:
            yield line, f"{match[0]!r} hides or marks code: the only comment is {EXPECTED}"
        elif line not in announced:
            yield line, "nothing but this comment stands between a `python` block and its output, a `text` fence"


def _check_raw(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    inside = {i for b in blocks for i in range(b.line, b.end + 1)}
    for i, line in enumerate(text.split("\n"), 1):
        if i not in inside and re.match(r"[\s>]*(```|~~~)", line):
            yield i, "a line that starts like a fence but is none blinds pytest-codeblocks to what follows"


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


def _check_answers(path: Path, text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Refuse a question, a card or an option that nobody answers."""
    lines = text.split("\n")
    inside = {i for b in blocks for i in range(b.line, b.end + 1)}
    for i, line in enumerate(lines, 1):
        match = FOLDED.match(line)
        if i not in inside and MISPLACED.match(line):
            yield i, f"a folded block begins its line with ??? and stands in no list or quotation, got {line.strip()!r}"
        if i in inside or not match:
            continue
        kind, name, asks = match["kind"], match["name"], match["asks"]
        if kind != (kind or "").lower():
            yield i, f"the kind of a folded block is written small, got {line.strip()!r}"
        elif asks is None or not asks.strip():
            yield i, f'a folded block is written ??? kind "What it asks", got {line.strip()!r}'
        elif fault := _check_name(kind, name):
            yield i, fault
        elif len(_answer(lines, i)) < 10:
            yield i, f"no answer below {asks!r}: indent it by four spaces, after an empty line"
        elif fault := claims.check_grounds(path, kind, _answer(lines, i)):
            yield i, fault


def _check_name(kind: str, name: str | None) -> str | None:
    """Say what is wrong with the word between the kind of a folded block and its title."""
    if kind == "card" and not (name and CARD.fullmatch(name)):
        return 'a card has a name for ever, as in ??? card late-clicks "…": what was learned is kept under it'
    if kind == "question" and name not in (None, "senior", "staff"):
        return f"a question is for everyone, or asked from senior or staff on, got {name!r}"
    if kind not in ("card", "question", "exercise") and name:
        return f"a folded block of kind {kind!r} has no name, got {name!r}"
    return None


def check_cards() -> list[str]:
    """Return the cards that have the name of another."""
    seen, faults = {}, []
    for path in sorted((ROOT / "docs").rglob("*.md")):
        for i, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if (match := FOLDED.match(line)) and match["kind"] == "card":
                place = f"{path.relative_to(ROOT)}:{i}"
                if (first := seen.setdefault(match["name"], place)) != place:
                    faults.append(f"{place}: the card {match['name']!r} stands at {first} already")
    return faults


def _check_levels(text: str) -> Iterator[tuple[int, str]]:
    """Hold a case study to one question a step, at least, whose answer is told for each level."""
    lines = text.split("\n")
    for start, end in _headed(lines):
        if not STEP.fullmatch(lines[start - 1]):
            continue
        told = for_all = 0
        for i in range(start, end):
            if (match := FOLDED.match(lines[i - 1])) and match["kind"] == "question":
                levels = re.findall(r"- \*\*([^*]+):\*\* \S", _answer(lines, i))
                told, for_all = told + (levels == list(LEVELS)), for_all + (match["name"] is None)
                if levels and levels != list(LEVELS):
                    yield i, f"an answer by level is a list of {', '.join(LEVELS)}, in this order, got {levels}"
        if not told:
            yield start, "a step has one question or more whose answer is told by level: - **Mid-level:** …"
        if not for_all:
            yield start, "a step has one question or more for everyone, with neither senior nor staff"


def _answer(lines: list[str], opened: int) -> str:
    """Return the text of the folded block that opens at a line, which must follow an empty line."""
    found = []
    for line in lines[opened:]:
        if line.strip() and not line.startswith("    "):
            break
        found.append(line.strip())
    return " ".join(found).strip() if found and not found[0] else ""


def _headed(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Return the line of each heading of the second level, with that of the next one, or one behind the last line."""
    headings = [i for i, line in enumerate(lines, 1) if line.startswith("## ")]
    return pairwise([*headings, len(lines) + 1])


def _check_quiz(text: str) -> Iterator[tuple[int, str]]:
    """Hold a quiz to twenty questions, five of them sums; the others have one right option and pages for wrong ones."""
    lines = text.split("\n")
    questions = list(_headed(lines))
    if len(questions) < 20:
        yield 1, f"a quiz has twenty questions or more, this one has {len(questions)}"
    sums = 0
    for start, end in questions:
        title = lines[start - 1]
        if not NAMED.search(title):
            yield start, f"{title!r} needs a name of its own, as in {{ #late-clicks }}: answers are kept under it"
        options = [(i, m["kind"]) for i in range(start, end) if (m := FOLDED.match(lines[i - 1]))]
        kinds = [kind for _, kind in options]
        if not kinds and any(line.startswith(claims.SUMS) for line in lines[start:end]):
            sums += 1
        elif kinds.count("right") != 1 or len(kinds) < 3 or set(kinds) != {"right", "wrong"}:
            yield start, f"{title!r} needs one right option and two wrong ones or more, or a sum; got {kinds}"
        for i, kind in options:
            if kind == "wrong" and ".md" not in _answer(lines, i):
                yield i, "a wrong option links to the page that teaches it"
    if sums < 5:
        yield 1, f"a quiz has five numbers to work out or more, this one has {sums}"
