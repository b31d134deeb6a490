"""Say of each output how wide it is, and where its cells are, so that the stylesheet can make it fit the screen.

An output of few columns is set in smaller type. In a wider one each cell becomes an element, so that a narrow screen
wraps the words of a heading and keeps the numbers of a row side by side. The text stays as it was printed, each space.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import escape, unescape
from itertools import groupby
from typing import NamedTuple

WIDTHS = (46, 50, 54, 58, 72, 88, 104, 120)  # what site.css has sizes for
FITS = 58  # what a phone shows in type that can be read
MOST = 12  # columns of a table that site.css knows
OUTPUT = re.compile(r'<div class="language-text highlight"><pre><span></span><code>(.*?)</code></pre>', re.DOTALL)
CELL = re.compile(r"\S+(?: \S+)*")  # two spaces part
NUMBER = re.compile(r"[+-]?[\d.,]+%?|NaN|inf")
WORD = re.compile(r"\w")
LONG = re.compile(r"\S{17}")  # a word that a phone may break
SHARE = 0.6  # of the lines leave a gutter empty: a heading may stand above several columns


class Column(NamedTuple):
    """Where the text of a column begins and ends, and whether it is aligned to its end."""

    begin: int
    end: int
    right: bool


def mark(html: str) -> str:
    """Return the content of a page with the width of each output in a class, as ``w58``, and the cells of wide ones."""
    return OUTPUT.sub(_marked, html)


def _marked(found: re.Match) -> str:
    text = unescape(re.sub("<[^>]*>", "", found[1]))
    columns = max(len(line.rstrip()) for line in text.split("\n"))
    width = next((f" w{width}" for width in WIDTHS if columns <= width), "")
    contents = found[1] if columns <= FITS else "".join(_laid_out(text.splitlines(keepends=True)))
    return f'<div class="language-text highlight{width}"><pre><span></span><code>{contents}</code></pre>'


def _laid_out(lines: list[str]) -> Iterator[str]:
    """Yield an output as tables, and as lines that wrap."""
    for part, columns in tables(lines):
        if columns:
            rows = "".join(_cell(*cell) for line in part for cell in cells(line, columns))
            yield f'<span class="cells cols-{len(columns)}">{rows}</span>'
        else:
            yield from (_cell(line, "") for line in part)


def _cell(text: str, classes: str) -> str:
    return f'<span class="{classes}">'.replace(' class=""', "") + escape(text, quote=False) + "</span>"


def tables(lines: list[str]) -> list[tuple[list[str], list[Column]]]:
    """Return the parts of an output, each with its columns, or with none where it is no table.

    Lines of several cells that follow each other are a table, or two. One of the same columns goes on after lines of
    text.
    """
    parts: list[tuple[list[str], list[Column]]] = []
    for part, columns in _runs(lines):
        last = next((n for n in reversed(range(len(parts))) if parts[n][1]), None)
        if columns and last is not None:
            joined = [line for before, _ in parts[last:] for line in before] + part
            shared = _columns([line for line in joined if _is_row(line)])
            alike = [a.begin == b.begin or a.end == b.end for a, b in zip(columns, parts[last][1], strict=False)]
            if all(alike) and len(shared) == len(columns) == len(parts[last][1]):
                parts[last:] = [(joined, shared)]
                continue
        parts.append((part, columns))
    return parts


def _runs(lines: list[str]) -> Iterator[tuple[list[str], list[Column]]]:
    for tabular, group in groupby(lines, _is_row):
        part = list(group)
        columns = _columns(part) if tabular else []
        odd = next((n for n, line in enumerate(part[:-1]) if n > 1 and columns and _is_crowded(line, columns)), None)
        if odd:
            yield part[:odd], _columns(part[:odd])
            yield part[odd:], _columns(part[odd:])
        else:
            yield part, columns


def _is_crowded(line: str, columns: list[Column]) -> bool:
    """Say whether two cells of a line share a column: then it belongs to another table."""
    return any(len(CELL.findall(text)) > 1 for text, _ in cells(line, columns))


def _is_row(line: str) -> bool:
    return len(CELL.findall(line)) > 1 or (line.startswith("    ") and not line.isspace())


def _columns(lines: list[str]) -> list[Column]:
    """Return the columns of a table: what lies between gutters that most lines leave empty."""
    wide = max(map(len, lines))
    empty = [sum(line[n : n + 1].strip() == "" for line in lines) >= SHARE * len(lines) for n in range(wide)]
    runs = [[n for n, _ in run] for blank, run in groupby(enumerate(empty), lambda at: at[1]) if blank]
    gutters = [(run[0], run[-1] + 1) for run in runs if run[0] > 0 and run[-1] + 1 < wide]
    left = runs[0][-1] + 1 if runs and runs[0][0] == 0 else 0
    n = 0
    while n < len(gutters):
        before = gutters[n - 1][1] if n else left
        after = gutters[n + 1][0] if n + 1 < len(gutters) else wide
        if _parts(lines, before, *gutters[n], after):
            n += 1
        else:
            del gutters[n]
            n = max(n - 1, 0)  # what lies before it has changed
    texts = list(zip([left, *(end for _, end in gutters)], [*(begin for begin, _ in gutters), wide], strict=True))
    if len(lines) < 2 or not 1 < len(texts) <= MOST:
        return []
    rooms = zip([0, *(end for _, end in texts[:-1])], [*(begin for begin, _ in texts[1:]), wide], strict=True)
    return [Column(*text, _is_right(lines, *room)) for text, room in zip(texts, rooms, strict=True)]


def _parts(lines: list[str], before: int, begin: int, end: int, after: int) -> bool:
    """Say whether a gutter parts two columns: some line has two spaces there, between a text on each side.

    Where other lines have one, it stands beside a number, which may fill its column.
    """
    apart = False
    for line in lines:
        left, right = line[:end].rstrip(), line[end:after]
        if len(left) <= before or not right.strip():
            continue
        gap = end - len(left) + len(right) - len(right.lstrip())
        apart = apart or gap > 1
        around = (left.split(" ")[-1], right.split()[0])
        if end - begin == gap == 1 and not (any(map(NUMBER.fullmatch, around)) and all(map(WORD.search, around))):
            return False
    return apart


def _is_right(lines: list[str], begin: int, end: int) -> bool:
    """Say whether more of the cells between two places end together than begin together, as numbers do."""
    there = [cell.span() for line in lines for cell in CELL.finditer(line, begin, end) if cell.end() < len(line)]
    if not there or max(after - at for at, after in there) > 24:
        return False
    begins, ends = (Counter(places).most_common(1) for places in zip(*there, strict=True))
    return ends[0][1] > begins[0][1]


def _squeezed(line: str, columns: list[Column], over: list[int]) -> dict[int, int]:
    """Return where the columns begin that a cell holds because a number fills its own and leaves one space."""
    found = {}
    for n in over[1:]:
        space = line.rfind(" ", columns[n - 1].end, columns[n].begin)
        if space > 0 and any(map(NUMBER.fullmatch, line[:space].split()[-1:] + line[space:].split()[:1])):
            found[n] = space + 1
    return found if len(found) == len(over) - 1 else {}


def cells(line: str, columns: list[Column]) -> Iterator[tuple[str, str]]:
    """Yield the cells of a line, each with its classes: over how many columns it goes, how it is aligned."""
    starts = {0: 0}  # where the cell that begins in a column begins in the line
    for cell in CELL.finditer(line):
        over = [n for n, at in enumerate(columns) if cell.start() < at.end and cell.end() > at.begin]
        over = over or [min(range(len(columns)), key=lambda n: abs(columns[n].begin - cell.start()))]
        if free := [n for n in over if n > max(starts)]:
            if cell.start() > len(line) - len(line.lstrip()) or over[0]:
                starts[free[0]] = cell.start()
            starts |= _squeezed(line, columns, over)
    ends = [*list(starts.items())[1:], (len(columns), len(line))]
    for (first, begin), (following, end) in zip(starts.items(), ends, strict=True):
        text = line[begin:end]
        wide = following - first
        classes = ["over"] if wide == len(columns) else [f"over-{wide}"] if wide > 1 else []
        classes += ["end"] if wide == 1 and columns[first].right else []
        classes += ["inner"] if not classes and text[0] == " " and text.strip() else []
        classes += ["long"] if LONG.search(text) else []
        yield text, " ".join(classes)
