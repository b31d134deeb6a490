"""What a page may say besides its fences: an allow-list of HTML, links, classes, includes and front matter.

It reads what the renderer makes of the page, not its Markdown, so that no trick of the syntax gets round it.
``tools.guards.html`` holds the built site to the same; this one names the line.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping

import yaml
from bs4 import BeautifulSoup
from bs4.element import PreformattedString, Tag
from mkdocs.utils.meta import YAML_RE, get_data
from pymdownx.snippets import SnippetMissingError

from tools.guards.fences import ROOT, SHOWN, Fence, blank_front_matter, mask, prose

EXPECTED = "<!--pytest-codeblocks:expected-output-->"
SNIPPET = re.compile(r'--8<-- "(snippets/[\w/]+\.py)(?::([a-z_]\w*))?"')
PART = re.compile(r' *--8<-- "((?:benchmarks|includes)/[\w/-]+\.md)"')
ABBREVIATION = re.compile(r"\*\[[\w /-]+\]: [\w ,.:;'%()/-]+")
PLAIN = re.compile(r"(?:[\w ,.:;'?!%()/+-]|(?<= )&(?= ))+")

# The sections of the guide by their folders, and what belongs to none.
SECTIONS = {
    "problem": "Problem Navigation",
    "training-data": "Training Data",
    "features": "Feature Engineering",
    "modeling": "Modeling",
    "evaluation": "Evaluation & Deployment",
    "scale": "Scale",
    "practice": "Practice",
    "labs": "Labs",
}
KNOWN = ("Machine-learning design, recommender systems", "The interview", *SECTIONS.values(), "References")
KEYS = {"title": str, "description": str, "section": str, "minutes": int, "tags": list}
OPTIONAL = {"snippets": list, "given": list, "hide": list}
SHORTEST, LONGEST = 110, 155  # of a description, in characters: search engines cut off what is longer
TITLE = 60 - len(" - ML Design")  # of a title, which search engines show with the site's name behind it
ALIKE = 6  # words in a row that two descriptions may not have in common

_KINDS = "note tip warning abstract question senior staff card right wrong exercise hint"
# The name of a card, which Markdown makes a class: the build makes it an attribute, so that it has no looks. So is that
# of an exercise, a function or a method.
CARD = re.compile(r'(?<=<details class="card) ([a-z0-9]+(?:-[a-z0-9]+)*)(?=")')
EXERCISE = re.compile(r'(?<=<details class="exercise) ([A-Za-z_]\w*(?:-[a-z_]\w*)?)(?=")')
GATHERED = {"overview", "sheet-clock", "sheet-cards", "all-cards", "all-prompts", "all-exercises", "phase-bar"}
GATHERED |= {"today", "proof-total", "proof-summary", "proof-pages"}
_WRITTEN = "breath prompt hero outline p1 p2 p3 p4 p5 plan sheet ways"
# What a page writes itself: a box around Markdown, or the place of what is gathered at build.
WRITTEN = re.compile(
    rf"""<div\ class="(?:{"|".join(_WRITTEN.split())})"\ markdown> | </div>
    | <(?P<tag>div|p)\ class="(?:{"|".join(sorted(GATHERED))})"></(?P=tag)>
    | <https://[^\s<>]+> | {re.escape(EXPECTED)}""",
    re.VERBOSE,
)
# What README.md shows besides: what tools/loop/readme.py makes, and the state of CI by the address it has on GitHub.
_PICTURE = r"\.github/pictures/[\w-]+\.(?:svg|webp)"
PICTURE = re.compile(
    rf"""<picture>\n\ \ <source\ media="\(prefers-color-scheme:\ dark\)"\ srcset="{_PICTURE}">
    \n\ \ <img\ src="{_PICTURE}"\ alt="[^"<>]+">\n</picture>
    | !\[([\w ,:]+)\]\((?:{_PICTURE}|\.\./\.\./actions/workflows/ci\.yml/badge\.svg)\)""",
    re.VERBOSE,
)
_TABS = "tabbed-set tabbed-alternate tabbed-labels tabbed-content tabbed-block"
_DIVISIONS = f"{_WRITTEN} {' '.join(GATHERED)} {_KINDS} {_TABS} admonition arithmatex footnote"
_BARE = "ul ol strong em table thead tbody tr dl dt dd blockquote hr summary inline-code"
_CELL = {"style": r"text-align: (left|center|right);"}
_HEADING = {"id": r"[a-z0-9][\w.-]*"}
# Each tag that Markdown or a page may write, its attributes, and the pattern of their values (classes: each of them).
ALLOWED: dict[str, dict[str, str]] = {
    **{f"h{level}": _HEADING for level in range(1, 7)},
    **{tag: {} for tag in _BARE.split()},
    "th": _CELL,
    "td": _CELL,
    "li": {"id": r"fn:\w+"},
    "sup": {"id": r"fnref\d*:\w+"},
    "abbr": {"title": r".+"},
    "a": {
        "href": r"https://\S+|mailto:[\w.+-]+@[\w.-]+|(?!//)[\w./-]*(#[\w.:-]+)?",
        "title": r"Jump back to footnote \d+ in the text",
        "class": r"md-button(--primary)?|footnote-(ref|backref)",
    },
    "div": {"class": "|".join(_DIVISIONS.split()), "data-tabs": r"\d+:\d+"},
    "p": {"class": r"admonition-title|proof-total"},
    "span": {"class": r"arithmatex"},
    "details": {"class": "|".join(_KINDS.split()), "open": r"open"},
    "input": {"type": r"radio", "id": r"__tabbed_\d+_\d+", "name": r"__tabbed_\d+", "checked": r"checked"},
    "label": {"for": r"__tabbed_\d+_\d+"},
}


# Letters and marks that show as nothing.
BLANKS = "\N{HANGUL FILLER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}\N{HALFWIDTH HANGUL FILLER}"
BLANKS += "\N{BRAILLE PATTERN BLANK}\N{COMBINING GRAPHEME JOINER}\N{VARIATION SELECTOR-16}"
# The commands of formulas: none sets code, hides what it holds, or leads elsewhere.
_FORMULA = """text mathrm operatorname frac sqrt hat bar tilde left right qquad quad cdot times odot pm le ge ne leq geq
    neq approx sim in mid langle rangle lvert rvert lVert rVert sum prod int max min log ln exp cos sin infty partial to
    alpha beta gamma delta epsilon eta theta lambda mu pi rho sigma tau phi omega Delta Sigma Phi mathbb mathbf"""
FORMULA = set(_FORMULA.split())


def check_html(text: str) -> Iterator[tuple[int, str]]:
    """Say what in the rendered page is not on the allow-list, with the line of the Markdown where it stands."""
    try:
        html = EXERCISE.sub("", CARD.sub("", prose(text)))
    except SnippetMissingError as error:
        yield 1, f"cannot be rendered: {error}"
        return
    yield from check_words(text)
    yield from ((_line(text, words), what) for words, what in check_formulas(html))
    if astray := _astray(html):
        yield _line(text, astray), f"{astray} closes what is not open: it would end the page's own frame"
    # Browsers and parsers differ in which of two attributes of one name they believe: `twice` is not on the list.
    soup = BeautifulSoup(html, "html.parser", on_duplicate_attribute=lambda found, *_: found.update(twice=""))
    for node in soup.find_all(string=lambda string: isinstance(string, PreformattedString)):
        if node.output_ready() != EXPECTED:
            yield _line(text, node.strip()), f"{node.output_ready()!r} is not shown: the only comment is {EXPECTED}"
    for string in soup.find_all(string=re.compile(r"\]\(")):
        if not string.find_parent(["inline-code", "code", "pre"]) and not string.find_parent(class_="arithmatex"):
            words = re.search(r"\S*\]\(\S*", string)[0]
            yield _line(text, words), f"{words!r} is shown as it stands: keep a link on one line"
    refused = set()
    for tag in soup.find_all(True):
        if any(id(parent) in refused for parent in tag.parents):
            continue
        if tag.name not in ALLOWED:
            refused.add(id(tag))
            words = tag.get_text().strip().split("\n")[0] if tag.name == "pre" else f"<{tag.name}"
            yield _line(text, words), f"<{tag.name}> is not among the HTML of a page; code is shown by a fence"
        else:
            yield from _check_attributes(text, tag)
            if GATHERED & set(tag.get("class", ())) and tag.get_text(strip=True):
                yield _line(text, tag.get_text(strip=True)), f"{tag['class'][0]} is filled at build, and empty before"


def without_pictures(text: str) -> str:
    """Return the text of README.md without its pictures: no page of the site holds any."""
    return PICTURE.sub(lambda picture: (picture[1] or "") + "\n" * picture[0].count("\n"), text)


def check_written(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Say which HTML and which terms a page writes itself that Markdown should make, or the guide keeps elsewhere."""
    for i, line in enumerate(WRITTEN.sub("", mask(text, blocks)).split("\n"), 1):
        if found := re.search(r"<[a-z/!?].{,60}", line, re.IGNORECASE):
            yield i, f'{found[0]!r} is HTML by hand: a page writes <div class="…" markdown> alone'
        if re.match(r"[ >]*\*\[", line):
            yield i, "terms that show on hover stand in includes/abbreviations.md"


def _astray(html: str) -> str:
    """Return the first end tag that does not close the element opened last, or an empty text."""
    opened = []
    for slash, name in re.findall(r"<(/?)([a-z][^\s/>]*)", html, re.IGNORECASE):
        if slash and (not opened or opened.pop() != name):
            return f"</{name}"
        if not slash and name not in ("hr", "input"):
            opened.append(name)
    return f"<{opened[-1]}" if opened else ""


def _check_attributes(text: str, tag: Tag) -> Iterator[tuple[int, str]]:
    for name, value in tag.attrs.items():
        pattern = ALLOWED[tag.name].get(name)
        for word in value if isinstance(value, list) else [value]:
            if pattern is None:
                yield _line(text, name), f"<{tag.name}> with {name!r}: a page may not set this"
            elif not re.fullmatch(pattern, word):
                yield _line(text, word), f"<{tag.name}> with {name} {word!r}: allowed is {pattern}"


def _line(text: str, words: str) -> int:
    """Return the first line that holds some words, or the first of all where the renderer made them up."""
    lines = blank_front_matter(text).lower().split("\n")
    return next((i for i, line in enumerate(lines, 1) if words.lower() in line), 1)


def check_words(text: str) -> Iterator[tuple[int, str]]:
    """Say which lines hold characters that no reader sees, in words, code or comments."""
    for i, line in enumerate(text.split("\n"), 1):
        if found := next((c for c in line if _is_unseen(c)), None):
            yield i, f"holds a character that no reader sees, U+{ord(found):04X}"


def _is_unseen(c: str) -> bool:
    return (unicodedata.category(c) in ("Cc", "Cf", "Cn", "Co", "Zl", "Zp") and c not in "\t") or c in BLANKS


def check_formulas(html: str) -> Iterator[tuple[str, str]]:
    """Say which commands of a formula set code, hide what they hold, or lead elsewhere: those not listed."""
    for formula in BeautifulSoup(html, "html.parser").select(".arithmatex"):
        for command in re.findall(r"\\[a-zA-Z]+|(?<!\\)%", formula.get_text()):
            if command.removeprefix("\\") not in FORMULA:
                yield command, f"{command} is not among the commands of a formula (FORMULA in tools/guards/markup.py)"


def check_includes(text: str, blocks: list[Fence]) -> Iterator[tuple[int, str]]:
    """Say which lines include a file, or look like it, other than a snippet in a `py` fence or a table in prose."""
    inside = {i: b for b in blocks for i in range(b.line, b.end + 1)}
    for i, line in enumerate(text.split("\n"), 1):
        if not re.match(r"\s*;*-+8<-", line):
            continue
        if i in inside:
            if inside[i].info != SHOWN or not SNIPPET.fullmatch(line.strip()):
                yield i, 'in a fence, the one include is a snippet in `py`: --8<-- "snippets/….py:section"'
        elif not (found := PART.fullmatch(line)) or not (ROOT / found[1]).is_file():
            yield i, 'in prose, the one include is a table or a list of terms: --8<-- "benchmarks/….md"'


def check_abbreviations(text: str) -> Iterator[tuple[int, str]]:
    """Say which lines of the terms that show on hover are not ``*[TERM]: plain words``."""
    for i, line in enumerate(text.split("\n"), 1):
        if line and not ABBREVIATION.fullmatch(line):
            yield i, "a term is written *[TERM]: and its meaning in plain words, without markup"


def check_front_matter(text: str) -> Iterator[tuple[int, str]]:
    """Say what is wrong with the front matter of a page below docs/."""
    _, meta = get_data(text)
    try:  # MkDocs takes what it cannot read for text, and says nothing
        yaml.safe_load(found[1] if (found := YAML_RE.match(text)) else "")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2
        yield line, f"the front matter is no YAML: {error.problem}; in quotes, a value may hold a colon"
        return
    if missing := KEYS.keys() - meta.keys():
        yield 1, f"the front matter lacks {', '.join(sorted(missing))}"
    yield from ((_line_of_key(text, key), what) for key, what in check_meta(meta))


def check_no_front_matter(text: str) -> Iterator[tuple[int, str]]:
    """Refuse front matter where none is read, and a first line that MkDocs would take for it."""
    _, meta = get_data(text)
    if meta or text.startswith("---"):
        yield 1, "only a page below docs/ has front matter"


def check_distinct(descriptions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say which descriptions, by their page, share words in a row with one before them: each is about its page."""
    seen: dict[tuple[str, ...], str] = {}
    for page, text in descriptions.items():
        words = text.lower().split()
        runs = [tuple(words[i : i + ALIKE]) for i in range(len(words) - ALIKE + 1)]
        if found := next((run for run in runs if run in seen), None):
            yield page, f"its description shares {' '.join(found)!r} with that of {seen[found]}"
        seen |= dict.fromkeys(runs, page)


def _line_of_key(text: str, key: str) -> int:
    return next((i for i, line in enumerate(text.split("\n"), 1) if line.startswith(f"{key}:")), 1)


def check_meta(meta: dict) -> Iterator[tuple[str, str]]:
    """Say which keys of a front matter are unknown, of the wrong type, or hold more than plain words."""
    known = KEYS | OPTIONAL
    for key, value in meta.items():
        if key not in known:
            yield str(key), f"unknown key {key!r} in the front matter: known are {', '.join(known)}"
        elif type(value) is not known[key]:
            yield key, f"{key} must be {known[key].__name__}, got {value!r}"
        elif key == "title" and len(value) > TITLE:
            yield key, f"title may have {TITLE} characters, got {len(value)}"
        elif key == "description" and not SHORTEST <= len(value) <= LONGEST:
            yield key, f"description must be {SHORTEST} to {LONGEST} characters, got {len(value)}"
        elif key == "minutes" and not 0 <= value <= 45:
            yield key, f"minutes are those of 45 that the page takes, got {value}"
        elif key == "section" and value not in KNOWN:
            yield key, f"unknown section {value!r}: known are {', '.join(KNOWN)}"
        elif key == "hide" and not set(map(str, value)) <= {"navigation", "toc"}:
            yield key, f"a page may hide navigation and toc, got {value}"
        else:
            for word in value if isinstance(value, list) else [str(value)]:
                if not isinstance(word, str) or not PLAIN.fullmatch(word):
                    yield key, f"{key} is published as it stands: plain words only, got {word!r}"
                elif key == "snippets" and not (word.startswith("snippets/") and (ROOT / word).is_file()):
                    yield key, f"there is no {word!r}"
