"""A feed of the pages that changed, day by day, as git tells it: the same for each build of a commit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from xml.etree import ElementTree as ET

from tools.guards.git import history

NAME = "feed.xml"
ATOM = "http://www.w3.org/2005/Atom"
DAYS = 30  # that a feed tells of


def write(config) -> bytes:
    """Return the feed of the site."""
    pages = {f"docs/{page.file.src_uri}": page for page in config.extra["pages"].values()}
    return feed(config.site_name, config.site_url, pages, days(history("docs")))


def days(log: str) -> list[tuple[int, dict[str, str]]]:
    """Return, newest first, the last second of each day on which something changed, and what became of which file.

    ``log`` has the second of each commit behind a NUL, and below it the files as ``--name-status`` has them.
    """
    commits = []
    for part in log.split("\0")[1:]:
        second, *files = part.strip().split("\n")
        commits.append((int(second), [line.split("\t") for line in files if line]))
    commits.sort(key=lambda commit: -commit[0])
    found = []
    for _, group in itertools.groupby(commits, lambda commit: commit[0] // 86_400):
        same = list(group)
        changed: dict[str, str] = {}
        for _, files in reversed(same):
            for kind, *names in files:
                before = changed.pop(names[0], None) if kind[0] == "R" else changed.get(names[-1])
                if before == "D":  # and back
                    changed[names[-1]] = "M"
                else:  # new in the morning is new
                    changed[names[-1]] = "A" if before == "A" and kind[0] != "D" else kind[0]
        found.append((same[0][0], changed))
    return found


def feed(name: str, site: str, pages: Mapping[str, object], changes: Iterable[tuple[int, dict[str, str]]]) -> bytes:
    """Return an Atom feed with an entry for each day on which one of these pages changed.

    Parameters
    ----------
    name, site
        What the site is called, and its address.
    pages
        The pages that there are, by their file.
    changes
        As ``days`` returns them.
    """
    entries = []
    for second, files in changes:
        kinds = [(pages[file], kind) for file, kind in sorted(files.items(), key=_new_first) if file in pages]
        if kinds:
            entries.append((datetime.fromtimestamp(second, UTC), kinds))
    entries = entries[:DAYS]
    # Without history there is no change, and a feed must still say when it was.
    updated = entries[0][0] if entries else datetime(2026, 1, 1, tzinfo=UTC)
    root = _head(f"{name}: what changed", site, updated, f"{site}changes/")
    ET.SubElement(root, "link", rel="self", href=site + NAME)
    ET.SubElement(ET.SubElement(root, "author"), "name").text = name
    for when, kinds in entries:
        entry = _head(
            _title([page for page, _ in kinds]), f"{site}changes/#{when:%Y-%m-%d}", when, f"{site}changes/", "entry"
        )
        root.append(entry)
        lines = [
            f'<li><a href="{escape(site + page.url)}">{page.title}</a>{" (new)" * (kind == "A")}</li>'
            for page, kind in kinds
        ]
        ET.SubElement(entry, "content", type="html").text = f"<ul>{''.join(lines)}</ul>"
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _new_first(change: tuple[str, str]) -> tuple[bool, str]:
    file, kind = change
    return kind != "A", file


def _head(title: str, identity: str, updated: datetime, link: str, tag: str = "feed") -> ET.Element:
    element = ET.Element(tag, {"xmlns": ATOM} if tag == "feed" else {})
    ET.SubElement(element, "title", type="html").text = title
    ET.SubElement(element, "id").text = identity
    ET.SubElement(element, "updated").text = f"{updated:%Y-%m-%dT%H:%M:%SZ}"
    ET.SubElement(element, "link", rel="alternate", href=link)
    return element


def _title(pages: list) -> str:
    named = ", ".join(str(page.title) for page in pages[:3])
    more = len(pages) - 3
    return f"{named} and {more} more" if more > 0 else named
