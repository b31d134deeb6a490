"""What others make of the site: previews of its pages, search engines, phones, language models.

Of each page its structured data (JSON-LD) and the address of its picture; of the site ``robots.txt``, ``llms.txt``, the
manifest and the icons. No page asks for any of it on its first view.
"""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path

from bs4 import BeautifulSoup, SoupStrainer, Tag

from tools.builders import pictures
from tools.builders.tokens import colours

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
ICONS = (180, 192, 512)  # for phones, and for what the manifest names


def note(page, config) -> None:
    """Note for the head of a page its name, its picture and its structured data."""
    name = str(page.meta.get("title") or page.title)
    page.meta["share"] = {"name": name, "picture": picture(page.url), "data": data(page, name, config)}


def picture(url: str) -> str:
    """Return the name of the picture of a page."""
    return f"assets/share/{url.strip('/').replace('/', '-') or 'index'}.png"


def data(page, name: str, config) -> str:
    """Return what a page says in the words of schema.org, as JSON that no ``<`` can end before its end."""
    site = config.site_url
    common = {
        "name": name,
        "description": page.meta.get("description", config.site_description),
        "url": page.canonical_url,
        "image": site + picture(page.url),
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "license": LICENCE,
    }
    if page.is_homepage:
        provider = {"@type": "Organization", "name": config.site_name, "url": site}
        common["name"] = config.site_name
        graph = [{"@type": "Course", "@id": f"{site}#course", **common, "provider": provider}]
    else:
        more = {"keywords": page.meta.get("tags", []), "isPartOf": {"@id": f"{site}#course"}}
        if minutes := page.meta.get("reading"):
            more["timeRequired"] = f"PT{minutes}M"
        graph = [{"@type": "LearningResource", **common, **more}]
    if asked := questions(page.content):
        graph.append({"@type": "FAQPage", "url": page.canonical_url, "mainEntity": asked})
    text = json.dumps({"@context": "https://schema.org", "@graph": graph}, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def questions(html: str) -> list[dict]:
    """Return the follow-ups of a page with their answers, as words."""
    found = []
    if 'class="question' in html:  # asked of some levels alone, too
        boxes = BeautifulSoup(html, "html.parser", parse_only=SoupStrainer("details"))
        unset(boxes)
        for box in boxes.select("details.question"):
            asked = words(box.summary.extract())
            found.append(
                {"@type": "Question", "name": asked, "acceptedAnswer": {"@type": "Answer", "text": words(box)}}
            )
    return found


def unset(soup: BeautifulSoup) -> None:
    """Put in place of formulas that are set what was written."""
    for formula in soup.select("math[alttext]"):
        formula.replace_with(formula["alttext"])


def words(tag: Tag) -> str:
    """Return the text of an element on one line."""
    return " ".join(tag.get_text().split())


def write(site: Path, config) -> None:
    """Write pictures, icons and the files that machines look for into a built site."""
    pages, phases = config.extra["pages"], config.extra["phases"]
    files = {f"assets/share/icon-{size}.png": pictures.kept(pictures.icon, size) for size in ICONS}
    for page in pages.values():
        files[picture(page.url)] = _picture(page, phases)
    files["robots.txt"] = f"User-agent: *\nAllow: /\nSitemap: {config.site_url}sitemap.xml\n".encode()
    files["llms.txt"] = index(config).encode()
    files["manifest.webmanifest"] = manifest(config).encode()
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(content)


def _picture(page, phases: list[dict]) -> bytes:
    phase = page.meta.get("phase")
    place = page.meta.get("section", "")
    if phase:
        place += f", minutes {phase['start']} to {phase['end']}"
    plain = [unescape(str(text)) for text in (page.meta["share"]["name"], place, page.meta.get("description", ""))]
    minutes = [each["minutes"] for each in phases]
    return pictures.kept(pictures.card, *plain, minutes, phase["number"] if phase else None)


def manifest(config) -> str:
    """Return what a phone needs to know of the site to put it on its screen."""
    light, dark = colours()["page"]
    icons = [
        {"src": f"assets/share/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"} for size in ICONS[1:]
    ]
    told = {
        "name": config.site_name,
        "short_name": config.site_name,
        "description": config.site_description,
        "lang": "en",
        "start_url": ".",
        "scope": ".",
        "display": "minimal-ui",
        "background_color": light,
        "theme_color": dark,
        "icons": [*icons, {"src": "assets/favicon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }
    return json.dumps(told, indent=1) + "\n"


def index(config) -> str:
    """Return ``llms.txt``: what the site is, and its pages as Markdown, in order (https://llmstxt.org)."""
    lines = [f"# {config.site_name}", "", f"> {config.site_description}", ""]
    lines += [f"Each page below is Markdown, with its code and what that printed. {config.copyright}."]
    place = None
    for page in config.extra["pages"].values():
        above = ": ".join(section.title for section in reversed(page.ancestors)) or "Start"
        if above != place:
            place = above
            lines += ["", f"## {above}", ""]
        told = page.meta.get("description", "")
        lines.append(f"- [{page.meta['share']['name']}]({config.site_url}{page.url}index.md): {told}")
    return unescape("\n".join(lines)) + "\n"
