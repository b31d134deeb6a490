"""The whole guide in one zip archive: unzip it, open index.html, everything works, search included.

A browser that reads from a folder opens no folder's index.html by itself. So each link names its file; the search does
so by itself as soon as its page comes from a file, and what it finds comes in scripts, which need no server.

The archive holds what its pages and its search ask for or link to, and the licences, and nothing else: source maps stay
out. So do notebooks, a third of all bytes, which hold the pages once more and install packages from the network.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from html import unescape
from pathlib import Path
from urllib.parse import unquote

from tools.builders.practice import packed
from tools.builders.search import LOADED
from tools.guards.fences import ROOT

NAME = "ml-design-offline.zip"
LEFT_OUT = "ml-design-offline[.]zip|ml-design[.]epub|feed[.]xml"  # the guide in other forms, and what is new online
FOLDER = "ml-design"
LICENCES = {"LICENSE.txt": ROOT / "LICENSE", "THIRD-PARTY.md": ROOT / "THIRD-PARTY.md"}
# How a file names another.
REFERENCES = {
    ".html": re.compile(r'(?:href|src)="([^"]+)'),
    ".css": re.compile(r"""url\(["']?([^"')]+)"""),
}


def write_archive(site: Path) -> None:
    """Pack a built site into an archive within it."""
    members = {name: path.read_bytes() for name, path in LICENCES.items()}
    for path in sorted(site.rglob("*")):
        name = path.relative_to(site).as_posix()
        if path.is_dir() or name in (NAME, "404.html", "sitemap.xml", "sitemap.xml.gz"):
            continue
        content = path.read_bytes()
        if path.suffix == ".html":
            content = unfolded(content.decode()).encode()
        members[name] = content
    kept = used(members)
    (site / NAME).write_bytes(packed({f"{FOLDER}/{name}": members[name] for name in members if name in kept}))


def used(members: Mapping[str, bytes]) -> set[str]:
    """Return the names of the pages, of what they ask for or link to, their stylesheets too, and of the licences."""
    licences = {name for name in members if "LICENSE" in name or name.startswith("assets/licenses/")}
    found = licences | {*LICENCES, *LOADED} | {name for name in members if name.endswith(".html")}
    left = sorted(found)
    while left:
        name = left.pop()
        pattern = REFERENCES.get(posixpath.splitext(name)[1])
        for reference in pattern.findall(members[name].decode()) if pattern else ():
            path = unquote(unescape(reference)).partition("#")[0].partition("?")[0]
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            if target in members and target not in found:
                found.add(target)
                left.append(target)
    return found


def unfolded(html: str) -> str:
    """Return a page whose links name files."""
    html = re.sub(rf'<a href="[./]*(?:{LEFT_OUT})">(.*?)</a>', r"\1", html)
    html = re.sub(r'<li><a href="[^"]*[.]ipynb" download>[^<]*</a></li>', "", html)
    html = re.sub(r'<link rel="(?:preload|canonical|alternate|apple-touch-icon|manifest)"[^>]*>', "", html)
    # The keys n and p follow the links to the next page and the one before.
    return re.sub(
        r'(<(?:a\b|link rel="(?:next|prev)")[^>]*? href=")([^"]*)"', lambda m: f'{m[1]}{file_of(m[2])}"', html
    )


def file_of(href: str) -> str:
    """Return a link to a folder of the site as a link to the page in it; others as they are."""
    path, hash_, fragment = href.partition("#")
    if "://" in href or href.startswith("mailto:") or not path or path.rsplit("/", 1)[-1] not in ("", ".", ".."):
        return href
    return f"{path.rstrip('/')}/index.html{hash_}{fragment}"
