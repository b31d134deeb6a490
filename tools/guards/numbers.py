"""Hold every number in the prose of a page to where it comes from.

A number is grounded if its section prints it (a block, a figure, the evidence of a claim, a table of ``make bench``) or
sets it in a block, equal after rounding to the digits that the prose shows; sections that print nothing, such as
trade-offs, speak of the whole page. So is one whose sentence cites a source, or links to the claim or the page that
prints it. And one that is *given*: part of a prompt, a question or an option, or of a phrase that the front matter
lists under ``given``, where a review sees it. Ordinals and names are no numbers: day 5, the 95 % interval, 2024.

Fractions and multiples in words, "half" or "ten times", are numbers too. A multiple needs one that is printed as such:
that there is a 10 on the page says nothing about ten times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from mkdocs.utils.meta import get_data

from tools.guards.fences import FIGURE, ROOT, SHOWN, Fence, fences, prose
from tools.guards.markup import SNIPPET
from tools.guards.syntax import is_drawing

MINUS, TIMES, DASH = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{EN DASH}"
_ONES = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TENS = {
    ten: 10 * i
    for i, ten in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)
}
CARDINALS = {word: i for i, word in enumerate([*_ONES, *_TEENS], 1)} | _TENS
CARDINALS |= {f"{ten}-{one}": CARDINALS[ten] + CARDINALS[one] for ten in _TENS for one in _ONES}
SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
LETTERS = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "G": 1e9, "T": 1e12}
_PARTS = "third quarter fifth sixth seventh eighth ninth tenth"
PARTS = dict(zip(_PARTS.split(), range(3, 11), strict=True)) | {"half": 2, "halve": 2, "fourth": 4, "twentieth": 20}
PARTS |= {"hundredth": 100, "thousandth": 1000}
MULTIPLES = {"double": 2, "doubles": 2, "doubled": 2, "triple": 3, "triples": 3, "tripled": 3, "twice": 2, "thrice": 3}
COUNTED = 12  # up to here a number in words is a count that the reader sees, as in "two towers"

_word = "|".join(sorted(CARDINALS, key=len, reverse=True))
_scale = "|".join(SCALES)
_flags = re.VERBOSE | re.IGNORECASE
# In digits, and not a part of a name, as in L2, F1 or top-10.
DIGITS = re.compile(
    rf"""(?<![\w.@\#/-])[-+{MINUS}]?\ ?(?P<digits>\d(?:[\d,_]*\d)?(?:\.\d+)?|\.\d+)(?:e(?P<power>[-+]?\d+))?
    (?:\s?(?P<share>%|per\ ?cent\b)|\s?(?P<times>times\b|x\b|{TIMES})|(?P<letter>[kKMBGT])(?![\w-])
    |\s(?P<scale>{_scale})s?\b)?(?!\w|\.\d)""",
    re.VERBOSE,
)
PART = re.compile(
    rf"""(?<![\w-])(?:(?P<loose>about|nearly|almost|roughly|over|than|under)\ )?
    (?:(?P<top>{_word}|an?|the|one)\ )?(?P<part>{"|".join(PARTS)})s?
    (?=[.,:;)?!]|\ [|(\[{DASH}]|\ (?:of|as|the|that|an?|its|their|or|and|more|less|is|are|to|in|what)\b|$)""",
    _flags,
)
MULTIPLE = re.compile(
    rf"""(?<![\w-])(?:{"|".join(MULTIPLES)})(?![\w-])
    (?:(?<!twice)(?<!thrice)|(?=\ (?:as|the|what|that|its|their|those|too|of)\b))  # not "score it twice"
    """,
    _flags,
)
SPELLED = re.compile(
    rf"""(?<![\w-])(?:(?P<count>{_word}|a)\ (?P<scale>{_scale})(?:\ (?P<more>{_scale}))?|(?P<word>{_word}))
    (?:\ (?P<unit>per\ ?cent|times))?(?![\w-])""",
    _flags,
)
# What stands in digits and is a name, an ordinal, a date or a unit of the interview.
_label = "day|week|hour|step|position|rank|slot|stage|level|section|equation|figure|table|chapter|row|seed|version|rule"
_label += "|question|part|phase|python|line|epoch|pass"
_month = "January|February|March|April|May|June|July|August|September|October|November|December"
NAMES = re.compile(
    rf"""\b(?:{_label})s?\ \d{{1,3}}(?:(?:,\ |\ and\ |\ to\ |\ or\ |-|{DASH})\d{{1,3}})*\b(?![.,]\d|\ ?%)
    |\b(?:80|90|95|99)\ %\ (?:\w+\ )?(?:intervals?|confidence|level|limits?)\b
    |\b\d{{4}}-\d\d-\d\d\b|\b\d+[snrt][tdh]\b|\b\d\d?:\d\d\b|\b\d\d?\ (?:{_month})\b|^\d+\.(?=\ |$)|\b\d+\ min\b
    |(?<![\d,.])(?:19|20)\d\d(?![\d%]|[.,]\d|\ (?:rows|users|ads|items|requests))""",
    _flags,
)


@dataclass(frozen=True)
class Number:
    """A number in a text: its words, its value, how far it may be off, and whether it is a share or a multiple."""

    words: str
    value: float
    error: float  # half of the last digit that it shows
    kind: str = ""  # "share" of one, or "multiple"

    def stands_for(self, printed: Number) -> bool:
        """Say whether this is what one would write for a number that is printed."""
        if "multiple" in (self.kind, printed.kind) and self.kind != printed.kind:
            return False
        fits = printed.kind == "share" or (printed.value <= 1 and printed.error < 0.5)  # 62 %, or 0.62
        if (self.kind == "share" and not fits) or (self.kind != "share" and printed.kind == "share"):
            return False
        if printed.value == self.value:
            return True
        return printed.error < self.error * 1.001 and abs(self.value - printed.value) < self.error * 1.001


def numbers(text: str) -> list[Number]:
    """Return the numbers of a text, in the order in which they stand there."""
    found: dict[tuple[int, int], Number] = {}

    def take(match: re.Match, value: float, error: float, kind: str = "") -> None:
        if not any(start < match.end() and match.start() < end for start, end in found):
            found[match.span()] = Number(match[0].strip(), value, error, kind)

    for m in DIGITS.finditer(text):
        digits = re.sub("[,_]", "", m["digits"])  # as in prose, and as in code
        size = 10.0 ** int(m["power"] or 0) * LETTERS.get(m["letter"], 1) * SCALES.get(m["scale"], 1)
        size *= 0.01 if m["share"] else 1
        error = 0.5 * 10.0 ** -len(digits.partition(".")[2])
        if "." not in digits:  # 350,000 may stand for 347,222
            error = max(error, min(error * 10.0 ** (len(digits) - len(digits.rstrip("0"))), 0.05 * float(digits)))
        take(m, float(digits) * size, error * size, "share" if m["share"] else "multiple" if m["times"] else "")
    for m in PART.finditer(text):
        value = CARDINALS.get((m["top"] or "").lower(), 1) / PARTS[m["part"].lower()]
        take(m, value, value * (0.1 if m["loose"] else 0.05), "share")
    for m in MULTIPLE.finditer(text):
        value = MULTIPLES[m[0].lower()]
        take(m, value, value / 10, "multiple")
    for m in SPELLED.finditer(text):
        value = CARDINALS.get((m["word"] or m["count"]).lower(), 1)
        value *= SCALES.get((m["scale"] or "").lower(), 1) * SCALES.get((m["more"] or "").lower(), 1)
        if value <= COUNTED and not m["unit"]:
            continue
        kind = "" if not m["unit"] else "multiple" if m["unit"].lower() == "times" else "share"
        value *= 0.01 if kind == "share" else 1
        take(m, value, value * (0.1 if kind == "multiple" else 0.05), kind)
    return [found[span] for span in sorted(found)]


@cache
def printed(path: Path) -> list[list[Number]]:
    """Return what a page prints and sets: above its first section, and in each of them."""
    text = path.read_text(encoding="utf-8")
    blocks = {block.line: block for block in fences(text)}
    inside = {i for block in blocks.values() for i in range(block.line, block.end + 1)}
    found: list[list[Number]] = [[]]
    for i, line in enumerate(text.split("\n"), 1):
        if i in blocks:
            found[-1] += numbers(_words(blocks[i]))
        elif i not in inside and line.startswith("## "):
            found.append([])
        elif i not in inside and (match := re.fullmatch(r'--8<-- "(benchmarks/.+)"', line.strip())):
            found[-1] += numbers((ROOT / match[1]).read_text(encoding="utf-8"))
    return found


def _words(block: Fence) -> str:
    """Return what a reader sees of a block."""
    if block.info == FIGURE:
        return _drawn(block.code) if is_drawing(block.code) else ""
    if block.info != SHOWN or not (snippet := SNIPPET.fullmatch(block.code.strip())):
        return block.code
    code, section = (ROOT / snippet[1]).read_text(encoding="utf-8"), snippet[2]
    return code.partition(f"[start:{section}]")[2].partition(f"[end:{section}]")[0] if section else code


@cache
def _drawn(code: str) -> str:
    """Return the words of a figure and its text alternative."""
    lines: list[str] = []
    try:
        exec(compile(code, "figure", "exec"), {"print": lines.append})
    except KeyError:  # a claim that has not run: make test names it
        return ""
    soup = BeautifulSoup("\n".join(lines), "html.parser")
    for table in soup.select(".numbers"):  # a grid of knobs holds so many that one of them would fit anything
        table.decompose()
    alternatives = [tag["aria-label"] for tag in soup.find_all(attrs={"aria-label": True})]
    return " \n ".join([soup.get_text(" \n "), *alternatives])


@dataclass(frozen=True)
class Sentence:
    """A sentence, or what counts as one, with the addresses that it links to and the section in which it stands."""

    text: str
    links: tuple[str, ...]
    section: int
    given: bool = False


SOURCE = re.compile(r"(?:^|/)references(?:\.md|/)#|^https://")
PAPER = re.compile(r"\bthe paper\b", re.IGNORECASE)  # to which its section or the introduction links
LINK = re.compile("\x01(.*?)\x02")
ENDS = re.compile(r"(?<=[.!?:])(?<!\bal\.)[\"')”]*\s+(?=[\"'(“]*[A-Z0-9\x01])")


def sentences(page: BeautifulSoup, quiz: bool = False) -> Iterator[Sentence]:
    """Return the sentences of a page, the rows of its tables, its questions and answers; the page is used up.

    Given are prompts, what a weak candidate says, questions, options that are wrong, and exercises with their hints. To
    an answer belong all of its links.
    """
    for tag in page(["inline-code", "code", "pre", "svg", "script", "style"]):
        tag.replace_with(" CODE ")
    for tag in page.find_all(class_="arithmatex"):
        tag.replace_with(" FORMULA ")
    for tag in page.find_all("a", class_="headerlink"):
        tag.decompose()
    for tag in page.find_all("a"):
        tag.append(f"\x01{tag.get('href', '')}\x02")
    section, where = 0, {}
    for tag in page.find_all(True):
        section += tag.name == "h2"
        where[id(tag)] = section
    for answer in page.find_all("details"):
        links = tuple(LINK.findall(answer.get_text()))
        summary = answer.find("summary").extract()
        asked = "right" not in answer.get("class", ())
        to_write = bool({"exercise", "hint"} & set(answer.get("class", ())))
        for found in [_sentence(summary.get_text(), where[id(answer)], asked), *_of_paragraphs(answer, where)]:
            yield replace(found, links=links, given=found.given or to_write)
        answer.decompose()
    for table in page.find_all("table"):
        weak = table.find("th") is not None and table.find("th").get_text(strip=True) == "Weak"
        for row in table.find_all("tr"):
            cells = [cell.get_text() for cell in row.find_all(["th", "td"])][weak:]
            yield _sentence(" | ".join(cells), where[id(table)], quiz)
        table.decompose()
    for found in _of_paragraphs(page, where):
        yield replace(found, given=found.given or quiz)


def _of_paragraphs(within: Tag, where: dict[int, int]) -> Iterator[Sentence]:
    blocks = ["p", "li", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "figcaption"]
    for tag in within.find_all(blocks):
        given = tag.find_parent(class_="prompt") is not None
        own = "".join(
            part.get_text() if isinstance(part, Tag) else part
            for part in tag.children
            if not isinstance(part, Tag) or part.name not in (*blocks, "ul", "ol")
        )
        yield from (_sentence(words, where[id(tag)], given) for words in ENDS.split(own) if words.strip())


def _sentence(text: str, section: int, given: bool = False) -> Sentence:
    return Sentence(" ".join(LINK.sub("", text).split()), tuple(LINK.findall(text)), section, given)


def check(path: Path, text: str) -> Iterator[tuple[int, str]]:
    """Say which numbers of a page come from nowhere, and which phrases need not be given, with the line.

    Each section of the references is about one source.
    """
    front = get_data(text)[1]
    found = list(sentences(BeautifulSoup(prose(text), "html.parser"), path.name == "quiz.md"))
    found.append(_sentence(str(front.get("description", "")), 0))
    if path.name == "references.md":
        found = [sentence for sentence in found if not sentence.section]
    phrases = {str(phrase): False for phrase in front.get("given", ())}
    faults = {
        (_line(text, sentence.text, number.words), f"{number.words!r} comes from nowhere: {REMEDY}")
        for sentence, number in _ungrounded(found, printed(path), phrases, path)
    }
    yield from faults
    for phrase, used in phrases.items():
        if not used:
            yield 1, f"{phrase!r} need not be given: no number of the page needs it"


def check_lab(path: Path, page: BeautifulSoup) -> Iterator[str]:
    """Say which numbers of a lab, as it is built, come from nowhere: what it prints is known when it has run."""
    own: list[list[Number]] = [[]]
    for tag in page.find_all(["h2", "pre", "svg", "table"]):
        if tag.name == "h2":
            own.append([])
        else:
            own[-1] += numbers(tag.get_text("" if tag.name == "pre" else " "))
    for tag in page.find_all("table"):
        tag.decompose()
    for sentence, number in _ungrounded(list(sentences(page)), own, {}, path):
        yield f"{number.words!r} comes from nowhere: print it, cite it, or link to what does: {sentence.text[:80]!r}"


def _ungrounded(
    found: list[Sentence], own: list[list[Number]], phrases: dict[str, bool], path: Path
) -> Iterator[tuple[Sentence, Number]]:
    """Return the numbers that come from nowhere; note which of the phrases that are given were needed."""
    everything = list(chain.from_iterable(own))
    given = [number for sentence in found if sentence.given for number in numbers(sentence.text)]
    given += [number for phrase in phrases for number in numbers(phrase)]
    cited_in: set[int] = set()
    for sentence in found:
        cited = any(SOURCE.search(link) for link in sentence.links)
        cited_in |= {sentence.section} if cited else set()
        if sentence.given or cited or (cited_in & {0, sentence.section} and PAPER.search(sentence.text)):
            continue
        known = [*(own[sentence.section] or everything), *_of_links(sentence.links, path)]
        for number in numbers(NAMES.sub(" ", sentence.text)):
            if any(number.stands_for(other) for other in known):
                continue
            for phrase in phrases:
                phrases[phrase] |= phrase in sentence.text and number.words in phrase
            if not any(number.stands_for(other) for other in given):
                yield sentence, number


REMEDY = (
    "print it in this section, cite or link to what does, or, if it is assumed, list its phrase under `given` in the "
    "front matter"
)


def _line(text: str, sentence: str, words: str) -> int:
    """Return the line on which a number stands, as near as a search finds it."""
    start = re.escape(sentence[:200].partition("CODE")[0].partition("FORMULA")[0].split(words)[0][-30:].strip())
    start = start.replace(r"\ ", r"[\s>*_]+")
    match = re.search(rf"{start}[\s*_\[]*{re.escape(words)}".replace(r"\ ", r"\s+"), text) or re.search(
        rf"(?<!\w){re.escape(words)}".replace(r"\ ", r"\s+"), text
    )
    return text.count("\n", 0, match.end()) + 1 if match else 1


def _of_links(links: Iterable[str], path: Path) -> Iterator[Number]:
    """Return the numbers of the claims and pages that a sentence links to."""
    for link in links:
        target, _, name = link.partition("#")
        page = (path.parent / target).resolve()
        if target.endswith("claims.md") and name:
            yield from _of_claim(name)
        elif target.endswith(".md") and page.is_file():
            yield from chain.from_iterable(printed(page))


@cache
def _of_claim(name: str) -> list[Number]:
    from claims import record  # a page without claims is checked without loading what they need

    ids = [key for key, claim in record.claims().items() if claim.anchor == name]
    return [n for key in ids for n in numbers(_drawn(f'from figures.claims import evidence\nprint(evidence("{key}"))'))]
