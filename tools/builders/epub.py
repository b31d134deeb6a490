"""The whole guide as an EPUB, for a reader that shows books: no scripts, no colours that must be seen, no network.

Each page is a chapter in the order of the navigation. What was folded is open, and the answers of a quiz stand at its
end. Pages that are nothing without a script stay on the site, where links lead to them.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape
from urllib.parse import urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from tools.builders import pictures
from tools.builders.practice import packed
from tools.builders.search import uncoloured
from tools.builders.tokens import colours

NAME = "ml-design.epub"
NOT_TO_READ = 'class="(?:all-cards|all-prompts|overview|proof-pages)"'  # scripts fill them, or the proof of the site
# What a book has no use for: links to headings, controls, places that stay empty.
DROPPED = ".headerlink, .proof-total, .snippet-file, button, canvas, form, input, label, script, select, template"
KEPT = {"id", "class", "href", "title", "scope", "start", "colspan", "rowspan"}
# HTML has these names in any case, XML has not.
CASES = {name.lower(): name for name in ("clipPath", "viewBox", "refX", "refY", "markerWidth", "markerHeight")}
COLOURS = {f"var(--{name})": light for name, (light, _) in colours().items()}
SVG, MATHS, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML", "http://www.w3.org/1999/xlink"
STYLE = """body { line-height: 1.45; }
h1, h2, h3, h4 { line-height: 1.2; page-break-after: avoid; break-after: avoid; }
pre { margin: 0.8em 0; padding: 0 0 0 0.7em; border-left: 0.2em solid; font: 0.8em/1.4 monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; text-align: left; }
.language-text pre { border-left-style: double; }
.language-text::before { content: "Prints"; font-size: 0.75em; }
code { font-family: monospace; font-size: 0.9em; }
pre code { font-size: 1em; }
table { border-collapse: collapse; font-size: 0.85em; }
th, td { padding: 0.25em 0.6em 0.25em 0; border-bottom: 1px solid; text-align: left; vertical-align: top; }
figure { margin: 1em 0; page-break-inside: avoid; break-inside: avoid; }
figure > svg { width: 100%; height: auto; }
figcaption, .facts, .from { font-size: 0.85em; }
.breath, .prompt { margin: 1em 0; font-style: italic; }
.claim { margin: 0.8em 0; padding: 0.1em 0.7em; border: 1px solid; }
.ticks { width: 8em; height: 0.8em; color: inherit; }
.ticks rect { fill: currentColor; fill-opacity: 0.15; }
.ticks path { stroke: currentColor; stroke-width: 1.5; }
.diagram-box { fill: none; }
.asked { margin-bottom: 0.3em; font-weight: bold; page-break-after: avoid; break-after: avoid; }
.phases { list-style: none; padding: 0; }
.formula { font-style: italic; }
.cover { margin: 0; text-align: center; }
.cover img { max-width: 100%; }
"""


def write(config, time: int) -> bytes:
    """Return the book of the site; ``time`` is the second of its commit."""
    pages = {page.url: page for page in config.extra["pages"].values() if not re.search(NOT_TO_READ, page.content)}
    minutes = [phase["minutes"] for phase in config.extra["phases"]]
    cover = pictures.kept(pictures.cover, config.site_name, config.site_description, minutes)
    about = {
        "title": config.site_name,
        "description": config.site_description,
        "rights": config.copyright,
        "site": config.site_url,
        "modified": f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    return book(about, pages, config.extra["nav"].items, cover)


def book(about: Mapping[str, str], pages: Mapping[str, object], navigation: Iterable, cover: bytes) -> bytes:
    """Return an EPUB.

    Parameters
    ----------
    about
        Its title, description, rights, the address of its site, and when it was modified.
    pages
        What becomes a chapter, by its address on the site.
    navigation
        The sections and pages as MkDocs has them; what is no chapter is left out.
    cover
        A picture, as PNG.
    """
    soups = {url: chapter(page.content) for url, page in pages.items()}
    anchors = {url: {tag["id"] for tag in soup.select("[id]")} for url, soup in soups.items()}
    members = {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "book/style.css": STYLE.encode(),
        "book/cover.png": cover,
        "book/cover.xhtml": _page(about["title"], '<p class="cover"><img src="cover.png" alt="Cover"/></p>'),
        "book/nav.xhtml": _page(
            "Contents", f'<nav epub:type="toc"><h1>Contents</h1>{_contents(navigation, pages)}</nav>'
        ),
    }
    items = [
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="style" href="style.css" media-type="text/css"/>',
        '<item id="picture" href="cover.png" media-type="image/png" properties="cover-image"/>',
        '<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>',
    ]
    for url, soup in soups.items():
        _lead(soup, url, anchors, about["site"])
        members[f"book/{file_of(url)}"] = _page(str(pages[url].title), soup.decode(formatter="minimal"), escaped=True)
        holds = " ".join(kind for kind, tag in (("svg", "svg"), ("mathml", "math")) if soup.find(tag))
        properties = f' properties="{holds}"' if holds else ""
        items.append(f'<item id="{_id(url)}" href="{file_of(url)}" media-type="application/xhtml+xml"{properties}/>')
    members["book/package.opf"] = _package(about, items, ["cover", "nav", *map(_id, soups)])
    return packed(members, stored=("mimetype",))


def chapter(html: str) -> BeautifulSoup:
    """Return the content of a page as a book shows it, but for its links."""
    soup = BeautifulSoup(uncoloured(html), "html.parser")
    for tag in soup.select(DROPPED):
        tag.decompose()
    for formula in soup.select(".arithmatex"):
        _set(formula)
    for maths in soup.select("math"):
        maths["xmlns"] = MATHS
    _answers(soup)
    for box in soup.select("details"):
        box.name, box["class"] = "section", "asked-on"
        box.summary.name, box.p["class"] = "p", "asked"
    for block in soup.select("pre"):
        block.string = block.get_text().strip("\n")
    for drawing in soup.select("svg"):
        _draw(drawing)
    drawn = {id(tag) for drawing in soup.select("svg, math") for tag in [drawing, *drawing.find_all(True)]}
    for tag in soup.find_all(True):
        if id(tag) not in drawn:
            tag.attrs = {name: value for name, value in tag.attrs.items() if name in KEPT}
    for tag in soup.select("[id]"):
        tag["id"] = _anchor(tag["id"])
    return soup


def _set(formula: Tag) -> None:
    """Leave of a formula its MathML, or what was written."""
    if maths := formula.find("math"):
        formula.clear()
        formula.append(maths)
    else:
        formula.string = re.sub(r"^\\[(\[]|\\[)\]]$", "", formula.get_text().strip()).strip()
        formula["class"] = "formula"


def _answers(soup: BeautifulSoup) -> None:
    """Put lettered options in place of those of a quiz, and the answers at the end."""
    options = soup.select("details.right, details.wrong, details.sum")
    if not options:
        return
    end = BeautifulSoup('<section class="answers"><h2 id="answers">Answers</h2></section>', "html.parser").section
    asked, letters = None, iter("")
    for option in options:
        question = option.find_previous("h2")
        if question is not asked:
            asked, letters = question, iter("ABCDEFGH")
            heading = soup.new_tag("h3")
            heading.string = question.get_text()
            end.append(heading)
        letter = next(letters)
        says = option.summary.extract()
        says.name = "p"
        says.insert(0, f"{letter}. ")
        verdict = soup.new_tag("strong")
        verdict.string = f"{letter}." if "sum" in option["class"] else f"{letter} is {option['class'][0]}."
        option.p.insert(0, verdict, " ")
        end.extend(list(option.contents))
        option.replace_with(says)
    soup.append(end)


def _draw(drawing: Tag) -> None:
    """Give a drawing the names and colours that it has outside of the site's pages."""
    drawing["xmlns"], drawing["xmlns:xlink"] = SVG, XLINK
    for tag in [drawing, *drawing.find_all(True)]:
        tag.name = CASES.get(tag.name, tag.name)
        tag.attrs = {
            CASES.get(name, name): COLOURS.get(value, value) if isinstance(value, str) else value
            for name, value in tag.attrs.items()
        }
        if tag.name == "a":
            tag["xlink:href"] = tag.attrs.pop("href")


def _lead(soup: BeautifulSoup, url: str, anchors: Mapping[str, set[str]], site: str) -> None:
    """Let links lead to chapters, and those to what is no chapter to the site."""
    for link in soup.select("a"):
        name = "href" if "href" in link.attrs else "xlink:href"
        path, fragment = urlsplit(urljoin(f"{site}{url}", link[name])), ""
        target = path._replace(fragment="").geturl().removeprefix(site)
        if target in anchors:
            anchor = _anchor(path.fragment)
            fragment = f"#{anchor}" if anchor in anchors[target] else ""
            link[name] = file_of(target) + fragment
        else:
            link[name] = path.geturl()


def _contents(items: Iterable, pages: Mapping[str, object]) -> str:
    """Return sections and pages as nested lists."""
    lines = []
    for item in items:
        if getattr(item, "children", None):
            below = _contents(item.children, pages)
            lines += [f"<li><span>{escape(item.title)}</span>{below}</li>"] if below else []
        elif getattr(item, "url", None) in pages:
            lines.append(f'<li><a href="{file_of(item.url)}">{item.title}</a></li>')
    return f"<ol>{''.join(lines)}</ol>" if lines else ""


def file_of(url: str) -> str:
    """Return the name of the chapter that a page becomes."""
    return f"{_id(url)}.xhtml"


def _id(url: str) -> str:
    return "page-" + (url.strip("/").replace("/", "-") or "index")


def _anchor(name: str) -> str:
    """Return an id as XML allows it."""
    return name if re.fullmatch(r"[A-Za-z_][\w.-]*", name) or not name else "a-" + re.sub(r"[^\w.-]", "-", name)


CONTAINER = b"""<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""


def _page(title: str, body: str, escaped: bool = False) -> bytes:
    title = title if escaped else escape(title)
    return f"""<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">
<head><title>{title}</title><link rel="stylesheet" href="style.css"/></head>
<body>{body}</body>
</html>
""".encode()


def _package(about: Mapping[str, str], items: list[str], spine: list[str]) -> bytes:
    features = ("structuralNavigation", "tableOfContents", "alternativeText", "unlocked")
    access = [f'<meta property="schema:accessibilityFeature">{feature}</meta>' for feature in features]
    access += [f'<meta property="schema:accessMode">{mode}</meta>' for mode in ("textual", "visual")]
    access += [
        '<meta property="schema:accessModeSufficient">textual</meta>',
        '<meta property="schema:accessibilityHazard">none</meta>',
    ]
    newline = "\n"
    return f"""<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, about["site"])}</dc:identifier>
<dc:title>{escape(about["title"])}</dc:title>
<dc:language>en</dc:language>
<dc:creator>The {escape(about["title"])} authors</dc:creator>
<dc:description>{escape(about["description"])}</dc:description>
<dc:rights>{escape(about["rights"])}</dc:rights>
<dc:source>{escape(about["site"])}</dc:source>
<meta property="dcterms:modified">{about["modified"]}</meta>
{newline.join(access)}
</metadata>
<manifest>
{newline.join(items)}
</manifest>
<spine>
{newline.join(f'<itemref idref="{name}"/>' for name in spine)}
</spine>
</package>
""".encode()
