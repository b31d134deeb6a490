"""A Markdown twin of each page, for whoever reads with a program: ``index.md`` beside its ``index.html``.

The twin is the page's source with what the build puts there: snippets and tables where they are included, figures in
words, outputs below their code. Boxes and folded answers become plain paragraphs, links lead to the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import jupytext
from bs4 import BeautifulSoup, SoupStrainer, Tag

from tools.builders.share import unset, words
from tools.guards.fences import FIGURE, ROOT, RUN, SHOWN, blank_front_matter, renderer
from tools.guards.markup import EXPECTED, GATHERED
from tools.guards.proof import FIGURES

FENCE = re.compile(r"( *)```(.*)")
FOLDED = re.compile(r'(?:\?\?\?\+?|!!!) (\w+)(?: [\w-]+)?(?: "(.+)")?')
PLACE = re.compile(rf'<(?:div|p) class="({"|".join(sorted(GATHERED))})"></(?:div|p)>')
PROVED = ("proof-summary", "proof-pages")
# What a twin takes from the built page, and from a notebook, by its class.
TAKEN = {"plot", "plan", "sums", "drill", "incident", *GATHERED}
RAN = TAKEN | {"language-python", "language-text"}
BOX = re.compile(r"</?(?:div|section|ol|li)\b.*")
LINK = re.compile(r"\]\(([^()\s:#]*)(#[\w.:-]+)?\)")
ATTRIBUTES = re.compile(r" ?\{ ?[.#]\w[\w .#-]*\}")
AS_WRITTEN = re.compile(r"((`+)(?!`).*?(?<!`)\2(?!`)|\$[^$\s](?:[^$\n]*[^$\s])?\$)")  # code and formulas
LABELS = {"right": "Right: ", "wrong": "Wrong: ", "exercise": "Exercise: ", "hint": "Hint: "}
# Each level of a heading, and what else begins a line.
MARKS = {"h2": "## ", "h3": "### ", "h4": "#### ", "li": "- ", "p": "", "summary": "", "tr": ""}


def write(site: Path, config, files) -> None:
    """Write the twin of each page beside it."""
    for url, page in config.extra["pages"].items():
        (site / url / "index.md").write_text(twin(page, config, files), encoding="utf-8")


def twin(page, config, files) -> str:
    """Return a page as Markdown that needs nothing but itself."""
    source = Path(page.file.abs_src_path).read_text(encoding="utf-8")
    shown = _shown(page)
    lines = lab(source, shown) if page.file.src_uri.endswith(".py") else written(source, shown)
    text = "\n".join(prose(lines, page, config, files)).strip()
    head, _, rest = text.partition("\n")
    told = unescape(page.meta.get("description", ""))
    return f"{head}\n\n> {told}\n\nFrom <{page.canonical_url}>. {config.copyright}.\n{rest}\n"


def _shown(page) -> BeautifulSoup:
    """Return what the build put onto a page."""
    undrawn = re.sub(r"(<svg\b[^>]*>).*?</svg>", r"\1</svg>", page.content, flags=re.DOTALL)  # to parse a third of it
    taken = RAN if page.file.src_uri.endswith(".py") else TAKEN
    strainer = SoupStrainer(class_=lambda name: not taken.isdisjoint((name or "").split()))
    return plain(BeautifulSoup(undrawn, "html.parser", parse_only=strainer), page.canonical_url)


def plain(soup: BeautifulSoup, url: str) -> BeautifulSoup:
    """Put formulas, code, links and ticks of a page at an address as Markdown has them, in place."""
    unset(soup)
    for link in soup.select(".claim > p > a"):  # to the claim itself
        link.decompose()
    for code in soup.select("code:not(pre code)"):
        code.replace_with(f"`{code.get_text()}`")
    for link in soup.select("a[href]:not(.headerlink)"):
        link.replace_with(f"[{words(link)}]({urljoin(url, link['href'])})")
    for drawing in soup.select("td > svg[aria-label]"):
        drawing.replace_with(drawing["aria-label"])
    for drawing in soup.select(".incident svg[aria-label]"):
        drawing.name, drawing.string = "p", f"*Figure: {drawing['aria-label']}*"
    return soup


def written(source: str, shown: BeautifulSoup) -> Iterator[str]:
    """Yield the lines of a page, with what stands for its includes, its figures and its gathered parts."""
    figures = iter(shown.select(FIGURES))
    planned = iter(shown.select(".plan :is(h2, li)"))
    drawing = plan = False
    for line in resolved(unfolded(blank_front_matter(source).split("\n"))):
        fence = FENCE.fullmatch(line)
        plan = line.startswith('<div class="plan"') or (plan and line != "</div>")
        if drawing:
            drawing = not fence
        elif fence and fence[2] == FIGURE:
            drawing = True
            yield from figure(next(figures))
        elif fence and fence[2] == SHOWN:
            yield f"{fence[1]}```{RUN}"
        elif plan and line.startswith(("## ", "- ")):
            minutes = next(planned).select_one(".reading")
            yield f"{line} ({words(minutes)})" if minutes else line
        elif PLACE.fullmatch(line.strip()):
            yield from fill(line, shown)
        else:
            yield "Prints:" if line.strip() == EXPECTED else line


def fill(text: str, shown: BeautifulSoup) -> Iterator[str]:
    """Yield lines with what the page shows at their places; what only the proof of the site fills waits for it."""
    for line in text.split("\n"):
        place = PLACE.fullmatch(line.strip())
        part = place and shown.select_one(f".{place[1]}")
        if not place:
            yield line
        elif part and part.get_text(strip=True):
            yield from gathered(part)
        elif place[1] in PROVED:
            yield line


def unfolded(lines: list[str]) -> Iterator[str]:
    """Yield the lines with folded blocks and notes as paragraphs: their title in bold, their text at the margin."""
    inside = False
    for line in lines:
        if opened := FOLDED.fullmatch(line):
            inside = True
            yield f"**{LABELS.get(opened[1], '')}{opened[2] or opened[1].capitalize()}**"
        else:
            inside = inside and (not line.strip() or line.startswith("    "))
            yield line.removeprefix("    ") if inside else line


def resolved(lines: Iterable[str]) -> list[str]:
    """Return the lines with what they include, as the site's own extension reads it."""
    return _includes().run(list(lines))


@cache
def _includes():
    options = {"base_path": [str(ROOT)], "check_paths": True, "dedent_subsections": True}
    return renderer(**{"pymdownx.snippets": options}).preprocessors["snippet"]


def lab(source: str, shown: BeautifulSoup) -> Iterator[str]:
    """Yield the lines of a notebook, with what each cell showed below it."""
    blocks = iter(shown.select(".language-python, .language-text, figure.plot"))
    block = next(blocks)
    for cell in jupytext.reads(source, fmt="py:percent").cells:
        if cell.cell_type == "markdown":
            yield from ["", *cell.source.split("\n"), ""]
        elif cell.source.strip():
            yield from [f"```{RUN}", *cell.source.split("\n"), "```", ""]
            while (block := next(blocks, None)) and "language-python" not in block["class"]:
                yield from figure(block) if block.name == "figure" else output(block)


def output(block: Tag) -> list[str]:
    """Return what a cell printed, as a fence."""
    return ["Prints:", "", "```text", *block.get_text().strip("\n").split("\n"), "```", ""]


def figure(drawn: Tag) -> list[str]:
    """Return a figure in words: its evidence or its table, or what it shows and what to notice in it."""
    if drawing := drawn.select_one(":scope > svg"):
        answer = drawn.select_one(".answer > p")
        answered = [f"Answer: {words(answer)}", ""] if answer else []
        lines = [f"*Figure: {drawing['aria-label']}*", "", words(drawn.figcaption), "", *answered]
        return lines + [line for table in drawn.select("table") for line in gathered(table)]
    return gathered(drawn)


def gathered(part: Tag) -> list[str]:
    """Return headings, paragraphs, lists and tables of a part of a page as Markdown."""
    lines = []
    for element in part.find_all(list(MARKS)):
        if element.name == "p" and element.find_parent(["li", "td"]):
            continue
        if element.name == "tr":
            cells = [words(cell) for cell in element.find_all(["th", "td"])]
            row, rule = f"| {' | '.join(cells)} |", f"|{'---|' * len(cells)}"
            first = (element.find_parent("table") or part).find("tr") is element
            lines += ["", row, rule] if first else [row]
        else:
            text = words(element)
            lines += ["", f"**{text}**" if element.name == "summary" else MARKS[element.name] + text]
    return [*lines, ""]


def outside(change: Callable[[str], str], text: str) -> str:
    """Return text with what stands outside of code and formulas changed."""
    parts, end = [], 0
    for kept in AS_WRITTEN.finditer(text):
        parts += [change(text[end : kept.start()]), kept[0]]
        end = kept.end()
    return "".join([*parts, change(text[end:])])


def prose(lines: Iterator[str], page, config, files) -> Iterator[str]:
    """Yield the lines, outside of fences without boxes, attributes and many empty ones, with links to the site."""
    folder = posixpath.dirname(page.file.src_uri)

    def lead(match: re.Match) -> str:
        if not match[1]:
            return f"]({page.canonical_url}{match[2]})"
        target = files.get_file_from_path(posixpath.normpath(posixpath.join(folder, match[1])))
        address = config.site_url + (target.url if target.url != "./" else "")
        return f"]({address}{match[2] or ''})"

    inside = empty = False
    for line in lines:
        fenced = bool(FENCE.fullmatch(line))
        if inside or fenced:
            yield line
        elif PLACE.fullmatch(line.strip()) or (not BOX.fullmatch(line.strip()) and (line.strip() or not empty)):
            yield outside(lambda part: ATTRIBUTES.sub("", LINK.sub(lead, part)), line)
            empty = not line.strip()
        empty = empty and not fenced
        inside ^= fenced
