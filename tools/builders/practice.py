"""What the practice pages gather from the rest of the guide, so that each question stands in one place only.

Cards, quizzes and the interviewer's questions are written in the Markdown of the pages they belong to, as folded
blocks: ``??? card``, ``??? right`` and ``??? wrong``, ``??? question``. Here they are collected from the rendered
pages into those that practise with them, and into a deck for Anki.
"""

from __future__ import annotations

import io
import json
import posixpath
import re
import sqlite3
import tempfile
import zipfile
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from urllib.parse import urljoin
from zlib import crc32

import genanki
from bs4 import BeautifulSoup, SoupStrainer, Tag

from tools.guards.markup import CARD, SECTIONS

# Anki tells kinds of notes by numbers, drawn once, and decks by their names, but a package numbers decks, too. With the
# same numbers and names a newer package adds to what is there. A card that Anki knows stays in the deck where it is.
DECK, MODEL = 1_764_063_412, 1_764_063_413
ANKI = "practice/ml-design.apkg"
# Anki shows it above the deck, and keeps it wherever the deck goes.
LICENCE = (
    "Text © the ML Design authors, CC BY 4.0, https://creativecommons.org/licenses/by/4.0/. Code © 2026 the ML Design "
    "authors, MIT License, https://opensource.org/license/mit. No part of a data set is in it."
)
CARDS = [title for title in SECTIONS.values() if title != "Labs"]  # the sections whose pages may have cards
PHASES = [title for title in CARDS if title not in ("Scale", "Practice")]  # each with a quiz, and a row of the rubric


@dataclass(frozen=True)
class Card:
    """One flashcard: what stands on either side, as HTML with links from the site's root, and where it comes from."""

    id: str  # stays when the card is reworded, so that what was learned is kept
    question: str
    answer: str
    url: str
    title: str
    section: str


def cards(pages: Mapping[str, object]) -> list[Card]:
    """Return the cards of all pages, in the order of the guide."""
    found = []
    for url, page in pages.items():
        for box in _soup(page.content, url, SoupStrainer("details", {"data-card": True})).find_all(recursive=False):
            question, section = box.summary.extract(), page.meta.get("section", "Practice")
            found.append(Card(box["data-card"], question.decode_contents(), _inner(box), url, page.title, section))
    return sorted(found, key=lambda card: CARDS.index(card.section))


def named(html: str) -> str:
    """Return the content of a page whose cards have their names as an attribute."""
    return CARD.sub(r'" data-card="\1', html)


def compose(pages: Mapping[str, object]) -> list[Card]:
    """Fill the practice pages from the others, and return the cards."""
    deck = cards(pages)
    fillings = {
        "all-cards": lambda url: _deck(deck, url),
        "all-prompts": lambda url: _prompts(pages, url),
        "all-exercises": lambda url: _exercises(pages, url),
        "overview": lambda url: _overview(pages, deck, url),
        "today": lambda url: _today(pages, deck),
        "sheet-clock": lambda url: _clock(pages),
        "sheet-cards": lambda url: _sheet(deck),
    }
    for url, page in pages.items():
        for name, filling in fillings.items():
            place = f'<div class="{name}"></div>'
            if place in page.content:
                page.content = page.content.replace(place, filling(url))
    return deck


def _deck(deck: list[Card], url: str) -> str:
    parts = []
    for section in CARDS:
        mine = [card for card in deck if card.section == section]
        if mine:
            parts.append(
                f'<h2 id="{_slug(section)}" data-search-exclude>{escape(section)} <small>{len(mine)} cards</small></h2>'
            )
            parts += [_card(card, url) for card in mine]
    return f'<div class="all-cards" data-search-exclude>{"".join(parts)}</div>'


def _card(card: Card, url: str) -> str:
    source = f'<p class="from"><a href="{_relative(card.url, url)}">{escape(card.title)}</a></p>'
    question, answer = (_rebase(side, url) for side in (card.question, card.answer))
    return f'<details class="card" data-card="{card.id}"><summary>{question}</summary>{answer}{source}</details>'


def _prompts(pages: Mapping[str, object], url: str) -> str:
    """Return each case study as its prompt and, phase by phase, what the interviewer asks; then the rubric."""
    parts = []
    for source, page in pages.items():
        if 'class="prompt"' not in page.content:
            continue
        soup = _soup(page.content, source)
        prompt = soup.select_one(".prompt")
        parts.append(
            f'<section class="mock-case"><h3>{escape(page.title)}</h3>'
            f'<blockquote class="prompt">{_inner(prompt)}</blockquote>'
            f'<p class="from">Afterwards, read <a href="{source}">one answer</a>.</p>'
        )
        for heading in soup.find_all("h2"):
            minutes = heading.em and re.fullmatch(r"(\d+) min", heading.em.get_text())
            if minutes:
                name = re.sub(r"^\d+\. ", "", heading.contents[0].get_text().strip())
                parts.append(f'<h4 data-minutes="{minutes[1]}">{escape(name)} <small>{minutes[1]} min</small></h4>')
                parts += map(str, _until_next_heading(heading, "details", "question"))
        parts.append("</section>")
    rubric = _soup(pages["problem/rubric/"].content, "problem/rubric/")
    table, levels = (
        next(table for table in rubric.find_all("table") if table.find("th", string=column))
        for column in ("Exceptional", "Staff")
    )
    _point(table, pages)
    body = (
        f'<h2 id="prompts" data-search-exclude>The prompts</h2>{"".join(parts)}'
        f'<h2 id="rubric" data-search-exclude>The rubric</h2><section class="mock-rubric">{table}</section>'
        f'<section class="mock-levels">{levels}</section>'
    )
    return f'<div class="all-prompts" data-search-exclude>{_rebase(body, url)}</div>'


def _exercises(pages: Mapping[str, object], url: str) -> str:
    """Return a table of the exercises of each section, in the order of the guide."""
    parts = []
    for section in CARDS[:-1]:
        rows = []
        for source, box in _written(pages, section):
            asks, _, minutes = box.summary.decode_contents().rpartition(", ")
            place = _relative(f"{source}#{box['id']}", url)
            rows.append(
                f'<tr><td><a href="{place}">{asks}</a></td>'
                f'<td>{minutes}</td><td><a href="{_relative(source, url)}">{escape(pages[source].title)}</a></td></tr>'
            )
        if rows:
            head = f'<h2 id="{_slug(section)}">{escape(section)}</h2><table><thead><tr><th>Write</th><th>Minutes</th>'
            parts.append(f"{head}<th>Page</th></tr></thead><tbody>{''.join(rows)}</tbody></table>")
    return f'<div class="all-exercises" data-search-exclude>{"".join(parts)}</div>'


def _written(pages: Mapping[str, object], section: str) -> Iterator[tuple[str, Tag]]:
    """Yield the exercises of a section, each with the address of its page."""
    boxes = SoupStrainer("details", class_="exercise")
    for source, page in pages.items():
        for box in _soup(page.content, source, boxes) if page.meta.get("section") == section else ():
            yield source, box


def _point(table: Tag, pages: Mapping[str, object]) -> None:
    """Add to each row of the rubric where to read and practise what it is about; the last row, talk, has no section."""
    head, *rows = table.find_all("tr")
    head.append(BeautifulSoup("<th>Read and practise</th>", "html.parser"))
    for row, section in zip(rows, [*PHASES, None], strict=True):
        mine = [(url, page) for url, page in pages.items() if page.meta.get("section") == section]
        if section is None:
            links = [("problem/rubric/", pages["problem/rubric/"].title), ("practice/flashcards/#practice", "cards")]
        else:
            quiz = next(url for url, _ in mine if url.endswith("/quiz/"))
            links = [
                (f"./#{_slug(section)}", section),
                (quiz, "quiz"),
                (f"practice/flashcards/#{_slug(section)}", "cards"),
            ]
        cell = ", ".join(f'<a href="{url}">{escape(title)}</a>' for url, title in links)
        row.append(BeautifulSoup(f"<td>{cell}</td>", "html.parser"))


def _overview(pages: Mapping[str, object], deck: list[Card], url: str) -> str:
    """Return a table of what there is in each section, which the browser completes by what was done."""
    rows = []
    for section in PHASES:
        mine = {u: p for u, p in pages.items() if p.meta.get("section") == section}
        quiz = next(u for u in mine if u.endswith("/quiz/"))
        reading = [u for u in mine if u != quiz]
        known = [card.id for card in deck if card.section == section]
        questions = [heading["id"] for heading in _soup(pages[quiz].content, quiz).find_all("h2")]
        exercises = [box["id"].removeprefix("write-") for _, box in _written(pages, section)]
        number = f"{len(exercises)} exercise{'s' if len(exercises) != 1 else ''}"
        place = _relative(f"practice/exercises/#{_slug(section)}", url)
        written = f'<td data-exercises="{" ".join(exercises)}"><a href="{place}">{number}</a></td>'
        links = "".join(f'<a href="{_relative(u, url)}">{escape(mine[u].title)}</a>' for u in reading)
        listed = f"<details><summary>{len(reading)} pages</summary>{links}</details>"
        rows.append(
            f'<tr><th scope="row">{escape(section)}</th>'
            f'<td data-pages="{" ".join(reading)}">{listed}</td>'
            f'<td data-quiz="{quiz}" data-questions="{" ".join(questions)}">'
            f'<a href="{_relative(quiz, url)}">{len(questions)} questions</a></td>'
            f'<td data-cards="{" ".join(known)}">{len(known)} cards</td>{written if exercises else "<td></td>"}</tr>'
        )
    return (
        '<div class="overview" data-search-exclude><table><thead><tr><th>Section</th><th>Pages</th><th>Quiz</th>'
        f"<th>Flashcards</th><th>Exercises</th></tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _today(pages: Mapping[str, object], deck: list[Card]) -> str:
    """Return the place of what is due today, which a script fills, with what the overview does not tell it.

    That is the titles of the other pages that the study plans name, and the cards of the other sections.
    """
    links = [
        link["href"].partition("#")[0]
        for url, page in pages.items()
        if 'class="plan"' in page.content
        for link in _soup(page.content, url).select(".plan li > a")
    ]
    quizzes = [url for url in pages if url.endswith("/quiz/")]
    others = [url for url in links if pages[url].meta.get("section") not in PHASES]
    titles = json.dumps({url: unescape(str(pages[url].title)) for url in [*quizzes, *others]}, ensure_ascii=False)
    rest = " ".join(card.id for card in deck if card.section not in PHASES)
    return f'<div class="today" data-titles="{escape(titles)}" data-cards="{rest}"></div>'


def _clock(pages: Mapping[str, object]) -> str:
    """Return the sections of the interview with their minutes, and the points of each, from the entrance."""
    soup = BeautifulSoup(pages["./"].content, "html.parser")
    rows = []
    for heading in soup.select(".outline h2:has(em)"):
        points = heading.find_next_sibling("ul").find_all("li", recursive=False)
        for nested in [ul for point in points for ul in point.find_all("ul")]:
            nested.decompose()
        names = "; ".join(escape(" ".join(point.get_text().split())) for point in points)
        rows.append(
            f'<tr><th scope="row">{escape(heading.contents[0].get_text().strip())}</th><td>{heading.em.get_text()}</td>'
            f"<td>{names}</td></tr>"
        )
    return f'<div class="sheet-clock" data-search-exclude><table><tbody>{"".join(rows)}</tbody></table></div>'


def _sheet(deck: list[Card]) -> str:
    """Return the first card of each page, section by section, without links."""
    first = {card.url: card for card in reversed(deck)}.values()
    html = []
    for section in CARDS:
        html.append(
            f"<h2 data-search-exclude>{escape(section if section != 'Practice' else 'From the worked prompts')}</h2>"
        )
        for card in reversed(first):
            if card.section == section:
                answer = " ".join(BeautifulSoup(card.answer, "html.parser").get_text().split())
                question = BeautifulSoup(card.question, "html.parser").get_text()
                html.append(f"<p><strong>{escape(question)}</strong> {escape(answer)}</p>")
    return f'<div class="sheet-cards" data-search-exclude>{"".join(html)}</div>'


def anki(deck: list[Card], site_url: str, timestamp: int) -> bytes:
    """Return the cards as an Anki package, a deck for each section, the same bytes for the same cards and time."""
    style = (
        ".card{font-family:sans-serif;font-size:20px;text-align:left;max-width:32em;margin:auto}.from{font-size:14px}"
    )
    model = genanki.Model(
        MODEL,
        "ML Design",
        fields=[{"name": "Question"}, {"name": "Answer"}, {"name": "Source"}],
        templates=[{"name": "Card", "qfmt": "{{Question}}", "afmt": "{{FrontSide}}<hr id=answer>{{Answer}}{{Source}}"}],
        css=style,
    )
    about = f"The machine-learning design interview, recommender systems. {LICENCE}"
    decks = {name: genanki.Deck(DECK + crc32(name.encode()), f"ML Design::{name}", about) for name in CARDS}
    for card in deck:
        question, answer = (_rebase(side, site_url) for side in (card.question, card.answer))
        source = f'<p class="from"><a href="{escape(urljoin(site_url, card.url))}">{escape(card.title)}</a></p>'
        tag = _slug(card.section)
        note = genanki.Note(model, [question, answer, source], guid=f"ml-design-{card.id}", tags=[tag])
        decks[card.section].add_note(note)
    package = [genanki.Deck(DECK, "ML Design", about), *(one for one in decks.values() if one.notes)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.apkg"
        genanki.Package(package).write_to_file(path, timestamp=timestamp)
        with zipfile.ZipFile(path) as written:
            members = {name: written.read(name) for name in written.namelist()}
    # genanki stamps the collection with the time of today, and the archive with that of its file.
    members["collection.anki2"] = _dated(members["collection.anki2"], timestamp)
    return packed(members)


def _dated(collection: bytes, timestamp: int) -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.deserialize(collection)
        connection.execute("UPDATE col SET mod = ?, crt = ?", (timestamp * 1000, timestamp))
        connection.commit()
        return connection.serialize()


def packed(members: Mapping[str, bytes], stored: Container[str] = ()) -> bytes:
    """Return a zip archive that depends on nothing but its members; those that are stored are not compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _soup(html: str, url: str, part: SoupStrainer | None = None) -> BeautifulSoup:
    """Parse the content of a page, or a part of it, its links made to start at the site's root."""
    return _lead(BeautifulSoup(html, "html.parser", parse_only=part), url, None)


def _rebase(html: str, end: str) -> str:
    """Rewrite links that start at the site's root for a page of it, or, if that is a URL, for anywhere."""
    return str(_lead(BeautifulSoup(html, "html.parser"), "", end))


def _lead(soup: BeautifulSoup, start: str, end: str | None) -> BeautifulSoup:
    """Rewrite, in place, the links of a page at one address for another; None stands for the root."""
    for link in soup.select("a[href]"):
        href = link["href"]
        if "://" in href or href.startswith("mailto:"):
            continue
        path = urljoin(f"/{start}", href).lstrip("/")
        if end is None:
            link["href"] = path
        elif "://" in end:
            link["href"] = urljoin(end, path)
        else:
            link["href"] = _relative(path, end)
    return soup


def _relative(target: str, url: str) -> str:
    path, hash_, fragment = target.partition("#")
    folder = posixpath.relpath(f"/{path}", f"/{url}")
    return folder + "/" * (path.endswith("/") or not path) + hash_ + fragment


def _until_next_heading(heading: Tag, name: str, class_: str):
    for sibling in heading.find_next_siblings():
        if sibling.name == "h2":
            return
        if sibling.name == name and class_ in sibling.get("class", ()):
            yield sibling


def _inner(tag: Tag) -> str:
    return tag.decode_contents().strip()


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", text.lower()).strip("-")
