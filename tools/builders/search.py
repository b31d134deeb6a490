"""What the search finds: two scripts that a browser loads once somebody searches, ``docs/assets/js/search.js``.

The first is small and answers at once: titles, headings, descriptions, and the synonyms of the glossary. The second
brings the text of every section. They are scripts, not JSON, since a browser fetches nothing from a folder, and the
archive is one.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from html import unescape
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup, NavigableString, Tag
from markdown.extensions.toc import slugify

from tools.guards.fences import ROOT

TITLES, TEXTS = "search/titles.js", "search/texts.js"
NAMES = {TITLES: "searchTitles", TEXTS: "searchTexts"}
# Asked for by the script of the search, and by no page.
LOADED = (TITLES, TEXTS, "assets/minisearch/minisearch.min.js")
# What gathers, quotes or asks stands behind what explains.
WEIGHTS = {"references/": 0.2, "claims/": 0.2, "glossary/": 0.3, "datasets/": 0.6, "labs/": 0.6, "practice/": 0.7}
QUIZ = 0.4
# Signs of headings, the evidence of a claim behind its sentence, and what is gathered from other pages.
LEFT_OUT = ".headerlink, .reading, .footnote-ref, .footnote-backref, [data-search-exclude]"
LEFT_OUT += ", .claim p + p, .claim table, .evidence.runs"
INLINE = {"a", "abbr", "code", "em", "small", "span", "strong", "sub", "sup"}
BLOCK = "\f"  # between two blocks of a page
FORMULAS = {"mfrac": "{} / {}", "msub": "{}_{}", "msup": "{}^{}", "munder": "{}_{}", "mover": "{}", "msqrt": "√{}"}
BINARY = re.compile(r"(?<=[\w)])\s*([=+<>\u2212\u00d7\u00b7\u22c5\u2264\u2265\u2248\u223c\u2223\u2192])\s*")
ASCII = str.maketrans("\u2212\u223c\u2223", "-~|")  # minus, tilde, divides
# What the guard of the built HTML holds to a plain form, so that no parser is needed to find it.
CODE = re.compile(r"<pre\b.*?</pre>", re.DOTALL)
DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
DEFINED = re.compile(r"\b(?:def|class) ([A-Za-z]\w*)|\bfrom snippets\.([\w.]+) import ")
TERM = re.compile(r"^(\S.*)\n: [^]]*\]\(([\w/-]+\.md)", re.MULTILINE)
DEFINED_TERM = re.compile(r"<dt>(.*?)</dt>", re.DOTALL)
SHORT = re.compile(r"^\*\[(.+?)\]: ([^:\n]+)", re.MULTILINE)


class Section(NamedTuple):
    """A part of a page: the anchor and the words of its heading, its text, and the names that its code defines."""

    anchor: str
    heading: str
    text: str
    code: str


def sections(html: str) -> list[Section]:
    """Return the parts of a page's content in order; the first is what stands before the first heading below h1."""
    soup = BeautifulSoup(DRAWING.sub("", CODE.sub(_names, html)), "html.parser")
    for tag in soup.select(LEFT_OUT):
        tag.extract()
    parts = [("", [], [], [])]
    _gather(soup, parts)
    return [
        Section(anchor, _line(heading), _line(text), " ".join(dict.fromkeys(code)))
        for anchor, heading, text, code in parts
    ]


def _gather(tag: Tag, parts: list) -> None:
    """Add what a tag says to the last of the parts, or begin another."""
    for node in tag.children:
        if type(node) is NavigableString:
            parts[-1][2].append(node)
        elif node.name == "h1":
            parts[0][1].append(node.get_text())
        elif node.name in ("h2", "h3") or (node.name == "dt" and "id" in node.attrs):
            parts.append((node.get("id", ""), [node.get_text()], [], []))
        elif node.name == "pre":
            parts[-1][3].extend(node.get_text().split())
        elif node.name == "math":
            parts[-1][2].append(BINARY.sub(r" \1 ", _formula(node)).translate(ASCII))
        elif isinstance(node, Tag):
            apart = [] if node.name in INLINE else [BLOCK]
            parts[-1][2].extend(apart)
            _gather(node, parts)
            parts[-1][2].extend(apart)


def uncoloured(html: str) -> str:
    """Return HTML whose code has no elements, one for each word: it is parsed in half the time."""
    return CODE.sub(lambda pre: f"<pre>{re.sub('<[^<>]*>', '', pre[0])}</pre>", html)


def _names(pre: re.Match) -> str:
    """Return a block of code reduced to the names that it defines, and the snippets that it uses."""
    code = unescape(re.sub(r"<[^<>]*>", "", pre[0]))
    return f"<pre>{' '.join(a or b for a, b in DEFINED.findall(code))}</pre>"


def _formula(tag: Tag) -> str:
    """Return a formula of MathML as one types it: ``p_i / (1 - q)``."""
    parts = [_formula(child) for child in tag.find_all(recursive=False)]
    if tag.name == "mspace":
        return " " if tag.get("width") else ""
    if tag.name not in FORMULAS:
        return re.sub(r"(?<=\w)\f(?=\w)", " ", "\f".join(parts)).replace("\f", "") if parts else tag.get_text()
    inner = (part if re.fullmatch(r"\w*|\W|\(.*\)", part.strip()) else f"({part.strip()})" for part in parts)
    return FORMULAS[tag.name].format(*inner)


def _line(strings: Iterable[str]) -> str:
    """Return strings as one line, with a dot between blocks where no stop is, as between the cells of a table."""
    blocks = [" ".join(block.split()) for block in "".join(strings).split(BLOCK)]
    line = " ".join(b if b.rstrip('"”)').endswith((*".,:;!?…",)) else f"{b} ·" for b in blocks if b)
    return re.sub(r" (?=[,;:]|\.(?!\d))", "", line.removesuffix(" ·"))


def synonyms(glossary: str, abbreviations: str) -> list[list[str]]:
    """Return the names of each term that has several, as ``SRM, sample ratio mismatch``, or an abbreviation."""
    found = [names for names, _ in terms(glossary) if len(names) > 1]
    # What is longer than that explains the abbreviation and does not spell it out.
    found += [[short, words.strip()] for short, words in SHORT.findall(abbreviations) if len(words.split()) <= 6]
    merged: dict[str, list[str]] = {}
    for names in found:
        lower = [name.lower() for name in names]
        same = next((merged[name] for name in lower if name in merged), [])
        same += [name for name in lower if name not in same]
        merged.update(dict.fromkeys(lower, same))
    return list({id(same): same for same in merged.values()}.values())


def terms(glossary: str) -> list[tuple[list[str], str]]:
    """Return the names of each term and the page that explains it; ``DAU, WAU, MAU`` are three terms."""
    found = []
    for head, link in TERM.findall(glossary):
        names, url = head.split(", "), f"{link.removesuffix('.md')}/".removesuffix("index/")
        found += [([name], url) for name in names] if head.isupper() else [(names, url)]
    return found


def anchored(html: str) -> str:
    """Return a glossary whose terms can be linked to, each by its first name: ``#ne`` for "NE, normalized entropy".

    Raises
    ------
    ValueError
        If an anchor is there already: a link would lead to whichever comes first.
    """
    there = set(re.findall(r' id="([^"]*)"', html))

    def anchor(term: re.Match) -> str:
        name = slugify(unescape(re.sub("<[^>]*>", "", term[1])).split(", ")[0], "-")
        if name in there:
            raise ValueError(f"the glossary has two anchors {name!r}: change the term or the heading")
        there.add(name)
        return f'<dt id="{name}">{term[1]}</dt>'

    return DEFINED_TERM.sub(anchor, html)


def weight(url: str) -> float:
    """Return by how much a page counts, of 1."""
    if url.endswith("quiz/"):
        return QUIZ
    return next((w for start, w in WEIGHTS.items() if url.startswith(start)), 1)


def index(pages: Mapping) -> dict[str, object]:
    """Return what each of the two scripts holds, of pages as MkDocs knows them, by their address."""
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    same = synonyms(glossary, (ROOT / "includes/abbreviations.md").read_text(encoding="utf-8"))
    named = {name: names for names in same for name in names}
    explained = defaultdict(list)
    for names, url in terms(glossary):
        explained[url] += named.get(names[0].lower(), [name.lower() for name in names])
    titles, texts = [], []
    for url, page in pages.items():
        first, *others = sections(page.content)
        meta = {key: unescape(value) if isinstance(value, str) else value for key, value in page.meta.items()}
        titles.append(
            {
                "url": url.removeprefix("./"),  # the home page
                "title": first.heading,
                "terms": explained[url],
                "about": ". ".join([unescape(str(page.title)), *meta.get("tags", ())]),
                "description": meta.get("description", ""),
                "section": meta.get("section", ""),
                "phase": meta["phase"]["number"] if meta.get("phase") else 0,
                "weight": weight(url),
                "headings": [[part.anchor, part.heading] for part in others],
            }
        )
        texts.append([[part.text, part.code] for part in (first, *others)])
    return {TITLES: {"synonyms": same, "pages": titles}, TEXTS: texts}


def write(site: Path, pages: Mapping) -> None:
    """Write the two scripts into a built site."""
    for name, data in index(pages).items():
        path = site / name
        path.parent.mkdir(exist_ok=True)
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        path.write_text(f"var {NAMES[name]} = {text};\n", encoding="utf-8")
