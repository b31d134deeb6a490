"""The code in a page's Markdown, as the renderer of the site finds it.

The guard must not share a parser with pytest-codeblocks, or both would be blind to the same trick. So it asks the
renderer itself: pymdownx.superfences as mkdocs.yml configures it, with the line each block starts at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from xml.etree.ElementTree import Element

import markdown
from mkdocs.config import load_config
from mkdocs.utils.meta import get_data

ROOT = Path(__file__).resolve().parents[2]
# The kinds of fence, as CONTRIBUTING.md describes them, by what stands behind the backticks.
SHOWN, RUN, FIGURE = "py", "python", 'python exec="on" html="on"'
OUTPUT, COMMANDS, QUERY = "text", "console", "sql"


@dataclass(frozen=True)
class Fence:
    """One code fence: the line it opens at (1-based), how it is marked, and what it holds."""

    line: int
    end: int  # the line it closes at
    marker: str  # the run of backticks or tildes
    info: str  # all that stands behind the marker, spaces included
    code: str
    quoted: bool  # inside a block quote

    @property
    def language(self) -> str:
        """The language the renderer sees, in lower case."""
        return re.split(r"[\s,{}]+", self.info.strip().lstrip("{ .").lower())[0] if self.info.strip() else ""


@cache
def _settings() -> tuple[list, dict]:
    config = load_config(str(ROOT / "mkdocs.yml"))
    return list(config["markdown_extensions"]), dict(config["mdx_configs"])


def renderer(**changed: dict) -> markdown.Markdown:
    """Return a Markdown converter with the extensions of mkdocs.yml, and other options for some of them."""
    extensions, configs = _settings()
    return markdown.Markdown(extensions=extensions, extension_configs=configs | changed)


def blank_front_matter(text: str) -> str:
    """Replace what MkDocs takes for metadata, whatever its form, by as many empty lines."""
    rest, _ = get_data(text)
    return "\n" * text.count("\n", 0, len(text) - len(rest)) + rest


def fences(text: str) -> list[Fence]:
    """Return every fence that the renderer finds in a page, also inside lists, tabs, admonitions and quotes."""
    md = renderer()
    finder = md.preprocessors["fenced_code_block"]
    lines = md.preprocessors["normalize_whitespace"].run(blank_front_matter(text).split("\n"))
    found = []

    def record(ws: str, content: str, start: int, end: int) -> None:
        opening = lines[start].lstrip(" >")
        code = finder.rebuild_block(finder.code)
        quoted = finder.quote_level > 0
        info = opening[len(finder.fence) :].rstrip()
        found.append(Fence(start + 1, end, finder.fence, info, code, quoted))
        finder.clear()

    finder.process_nested_block = record
    finder.run(list(lines))
    return found


def mask(text: str, blocks: list[Fence]) -> str:
    """Return the page with its front matter, fences and inline code blanked, line for line."""
    lines = blank_front_matter(text).split("\n")
    for block in blocks:
        for i in range(block.line - 1, block.end):
            lines[i] = ""
    return re.sub(r"(`+)[^`\n]+?\1", "", "\n".join(lines))


@lru_cache(maxsize=4)  # two guards read a page, one after the other
def prose(text: str) -> str:
    """Return the HTML of a page, with nothing in place of its fences, and its inline code in ``<inline-code>``.

    Whatever else shows as code was written by hand.

    Raises
    ------
    SnippetMissingError
        If the page includes a file that does not exist.
    """
    # Without the link that the site puts behind each heading, and the colours of what no fence holds.
    md = renderer(**{"toc": {}, "pymdownx.highlight": {"use_pygments": False}})
    finder, inline = md.preprocessors["fenced_code_block"], md.inlinePatterns["backtick"]
    store, match = finder.process_nested_block, inline.handleMatch

    def store_nothing(*block: object) -> None:
        if finder.formatter is not None:
            finder.formatter = lambda **_: ""
        store(*block)

    def mark(*found: object) -> tuple:
        element, start, end = match(*found)
        if isinstance(element, Element):
            element.tag = "inline-code"
        return element, start, end

    finder.process_nested_block, inline.handleMatch = store_nothing, mark
    return md.convert(blank_front_matter(text))
