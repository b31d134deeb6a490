"""Hold the built HTML against lists of what it may contain; anything else is refused.

Parsers repair what is malformed, each in its own way, and the proof must see what a browser sees. So a page is held to
a plain subset of HTML that leaves nothing to repair: each tag closed in order, each value in double quotes. In it,
tags, attributes, classes and addresses are those listed below, inline scripts are Material's own, and the first element
of the head is the Content-Security-Policy that follows from them. The article, which Markdown and code fill, has lists
of its own; around it stands Material's template.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

import material
from pygments.token import STANDARD_TYPES

from tools.builders import columns, search


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


VOID = _words("area base br col embed hr img input link meta source track wbr")
# What Markdown and the guide's own markup may write: tag -> attributes, beside `id` and `class`.
ARTICLE = {
    **dict.fromkeys(_words("h1 h3 h5 h6 p blockquote em strong small span sub sup hr code pre ul ol dl dt dd"), ""),
    **dict.fromkeys(_words("section summary figcaption table thead tbody tr"), ""),
    "li": "data-case",
    "a": "href title rel download aria-current",
    "abbr": "title",
    "nav": "aria-label",
    "details": "data-card data-answer data-within data-unit data-view data-price",
    "div": "data-search-exclude data-tabs data-drill data-incident data-titles data-cards",
    "input": "checked id name type",
    "label": "for",
    "h2": "data-search-exclude",
    "h4": "data-minutes",
    "figure": "data-grid",
    "td": "data-pages data-quiz data-questions data-cards data-exercises",
    "th": "scope",
}
_PAINT = (
    "fill fill-opacity stroke stroke-width stroke-opacity stroke-dasharray stroke-dashoffset stroke-linecap "
    "stroke-linejoin stroke-miterlimit opacity clip-path transform marker-end"
)
_FONT = "font-size font-weight font-style text-anchor x y dx dy"
# What a figure is drawn with. An icon is of `svg` and `path` alone.
FIGURE = {
    "svg": f"{_PAINT} role aria-label xmlns xmlns:xlink viewbox version",
    "g": _PAINT,
    "defs": "",
    "path": f"{_PAINT} d",
    "rect": f"{_PAINT} x y width height rx",
    "use": f"{_PAINT} xlink:href x y",
    "text": f"{_PAINT} {_FONT}",
    "tspan": f"{_PAINT} {_FONT}",
    "clippath": "",
    "marker": "viewbox refx refy markerwidth markerheight orient",
    "a": "href",
}
ICON = {"svg": "xmlns viewbox", "path": "d"}
# A formula: what tools/builders/maths.py makes of the commands that tools/guards/markup.py lists.
MATHS = {
    **dict.fromkeys(_words("mrow mn mtext msub msup msubsup mfrac msqrt mroot munder munderover"), ""),
    "math": "display alttext",
    "mi": "mathvariant",
    "mo": "stretchy fence form lspace rspace",
    "mover": "accent",
    "mspace": "width",
}
_PART = "role tabindex title aria-hidden aria-label aria-labelledby aria-expanded hidden data-md-component data-md-type"
# What Material's template writes around the article.
TEMPLATE = {
    **dict.fromkeys(_words("header main footer article ol li span p dialog"), _PART),
    "html": "lang",
    "head": "",
    "title": "",
    "meta": "charset name content http-equiv property",
    "link": "rel href as type crossorigin title",
    "script": "src defer id type",
    "body": "class dir data-md-color-scheme data-md-color-primary data-md-color-accent",
    "a": f"{_PART} href target rel",
    "button": f"{_PART} type command commandfor",
    "div": f"{_PART} data-md-scrollfix",
    "form": f"{_PART} name",
    "input": f"{_PART} data-md-toggle type autocomplete data-md-color-media data-md-color-scheme data-md-color-primary "
    "data-md-color-accent name placeholder autocapitalize autocorrect spellcheck enterkeyhint maxlength required "
    "checked",
    "label": f"{_PART} for",
    "nav": f"{_PART} data-md-level",
    "ul": f"{_PART} data-md-scrollfix",
}
# A class may hide what it is put on, so the article has a list of them too.
CLASSES = frozenset(STANDARD_TYPES.values()) | _words(
    "claim runs holds varies fails evidence measured ticks "
    "admonition admonition-title note abstract info tip success question warning failure danger bug example quote "
    "highlight arithmatex headerlink md-button md-button--primary md-content__button md-icon "
    "tabbed-set tabbed-alternate tabbed-labels tabbed-content tabbed-block footnote footnote-ref footnote-backref "
    "reading reading-time proof proof-total snippet-file whole breath prompt plot diagram diagram-box hero outline "
    "where where-text phases phases--head phases--full seg p1 p2 p3 p4 p5 crumbs facts "
    "plan card senior staff right wrong sum sums exercise hint from all-cards all-prompts mock-case mock-rubric "
    "mock-levels overview sheet sheet-clock sheet-cards explore explore-says answer numbers cells over end inner long "
    "all-exercises proof-summary proof-pages report nearest pages diagram-under ways drill incident view today"
)
CLASSES |= {f"w{width}" for width in columns.WIDTHS}
CLASSES |= {f"{kind}-{n}" for kind in ("cols", "over") for n in range(2, columns.MOST + 1)}
# Around it all are Material's, but for the mark, the button of the search and the link to the repository.
OWN = _words(
    "no-js home case quiz practises on-paper lab "
    "mark mark__name mark__bar p1 p2 p3 p4 p5 repository repository__name search-open search-open__name "
    "search-open__key search search-field"
)
# Material folds these away until they are of use.
HIDDEN = _words("md-sidebar md-top md-header__button")
KINDS = {
    "meta": _words(
        "charset viewport description generator Content-Security-Policy twitter:card og:type og:site_name og:title "
        "og:description og:url og:image og:image:width og:image:height og:image:alt"
    ),
    "link": _words("alternate apple-touch-icon canonical icon manifest next prev preload stylesheet"),
    "input": _words("checkbox radio text"),
}
# What a site is made of; a browser runs none of the last line.
FILES = {".html", ".css", ".js", ".json", ".svg", ".map", ".png", ".woff2"}
FILES |= {"", ".txt", ".md", ".zip", ".apkg", ".py", ".webmanifest", ".epub"}
# Of these only where the guide itself puts them.
_KNOWN = re.compile(r"sitemap\.xml(?:\.gz)?|feed\.xml|notebooks/[\w/-]+\.ipynb")

_VALUE = r'"[^"<>]*"'
_TOKEN = re.compile(
    rf"<(?:(?P<end>/)?(?P<tag>[a-zA-Z][a-zA-Z0-9]*)(?P<attributes>(?:\s+[a-zA-Z][\w:-]*(?:={_VALUE})?)*)\s*(?P<slash>/)?>"
    r"|!doctype html>|!--[^<>]*-->)"
)
_ATTRIBUTE = re.compile(rf"([a-zA-Z][\w:-]*)(?:=({_VALUE}))?")
_ADDRESS = re.compile(
    r"https?://[a-z0-9.-]+(?::\d+)?(?:[/?#][^\s\\]*)?"  # a host, without user or password
    r"|mailto:[^\s\\?]+"
    r"|(?!//)(?![a-z][a-z0-9+.-]*:)[^\s\\]*",  # within the site
    re.IGNORECASE,
)
# Colab runs what a link names: of all notebooks there are, those of a repository's own branch.
_COLAB = re.compile(r"https://colab\.research\.google\.com/github/[\w-]+/[\w.-]+/blob/notebooks/[\w/-]+\.ipynb")
# Characters that no reader sees, or that turn the order of the others around.
_UNSEEN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
# Material knows its own parts by ids with __; in an article that is tabs alone.
_ID = r"(?!__)[\w.:-]+"
_NAMES = dict.fromkeys(("input", "label"), r"__tabbed_\d+(?:_\d+)?")
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def check(site: Path) -> list[str]:
    """Return what the files of a built site contain that is on no list, each with its page and element."""
    faults = []
    for path in sorted(p for p in site.rglob("*") if p.is_file()):
        name = path.relative_to(site).as_posix()
        if path.suffix not in FILES and not _KNOWN.fullmatch(name):
            found = [f"a site holds no {path.suffix} files"]
        elif path.suffix == ".html":
            found = page_faults(path.read_text(encoding="utf-8"), _base(name))
        elif path.suffix == ".svg":
            found = [f for e in elements(path.read_text(encoding="utf-8")) for f in _element_faults(e, FIGURE)]
        elif name in search.NAMES:
            found = _found_faults(path.read_text(encoding="utf-8"), search.NAMES[name])
        elif path.suffix == ".js" and not name.startswith("assets/"):
            found = ["scripts stand in assets/"]
        else:
            found = []
        faults += [f"{name.removesuffix('index.html') or '/'}: {fault}" for fault in dict.fromkeys(found)]
    return faults


def policy(html: str) -> str:
    """Return the Content-Security-Policy of a page: nothing but files of this site, and the inline scripts it has."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in _INLINE.findall(html))
    scripts = " ".join(["'self'", *(f"'sha256-{digest}'" for digest in dict.fromkeys(hashes))])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; font-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'"
    )


def with_policy(html: str) -> str:
    """Return a page with its Content-Security-Policy as the first element of its head."""
    return html.replace("<head>", f"<head>{_meta(html)}", 1)


def _meta(html: str) -> str:
    return f'<meta http-equiv="Content-Security-Policy" content="{policy(html)}">'


class Element(NamedTuple):
    """A start tag: its name, its attributes, the text behind it, and the elements around it, outermost first."""

    tag: str
    attributes: dict[str, str]
    text: str
    around: tuple[Element, ...]

    def __str__(self) -> str:
        """Return the start tag, cut short."""
        written = [f'{name}="{value}"' if value else name for name, value in self.attributes.items()]
        return f"<{' '.join([self.tag, *written])}>".replace("\n", " ")[:120]

    @property
    def classes(self) -> list[str]:
        """Return the classes."""
        return self.attributes.get("class", "").split()

    def within(self, tag: str) -> bool:
        """Return whether an element of that name stands around it."""
        return any(outer.tag == tag for outer in self.around)


class MalformedError(ValueError):
    """A page leaves something to repair; the message shows what."""


def elements(html: str) -> Iterator[Element]:
    """Yield the elements of a page in order.

    Raises
    ------
    MalformedError
        If a browser would have to repair anything: the page is no longer what was written.
    """
    opened: list[Element] = []
    position = html.find("<")
    while position >= 0:
        token = _TOKEN.match(html, position)
        if token is None:
            raise MalformedError(f"malformed: {html[position : position + 60]!r}")
        tag = (token["tag"] or "").lower()
        following = html.find("<", token.end())
        if token["end"]:
            if not opened or opened[-1].tag != tag or token["attributes"] or token["slash"]:
                raise MalformedError(f"{token[0]} closes {opened[-1] if opened else 'nothing'}")
            opened.pop()
        elif tag:
            if tag == "script":  # all that a browser reads as text, up to its end
                following = html.find("</script>", token.end())
            text = html[token.end() : following if following >= 0 else len(html)]
            pairs = [(name.lower(), unescape(value[1:-1])) for name, value in _ATTRIBUTE.findall(token["attributes"])]
            element = Element(tag, dict(pairs), text, tuple(opened))
            if len(element.attributes) < len(pairs):
                raise MalformedError(f"{element}: an attribute twice")
            if token["slash"] and tag not in VOID and not element.within("svg"):
                raise MalformedError(f"{element}: closes itself")
            yield element
            if tag not in VOID and not token["slash"]:
                opened.append(element)
        position = following
    if opened:
        raise MalformedError(f"{opened[-1]} is never closed")


def page_faults(html: str, base: str) -> list[str]:
    """Return what a page contains that is on no list; ``base`` leads from it to the root of the site."""
    faults = [f"holds an unseen character, U+{ord(c):04X}" for c in sorted(set(_UNSEEN.findall(unescape(html))))]
    try:
        tags = list(elements(html))
    except MalformedError as error:
        return [*faults, str(error)]
    scripts = _scripts()
    for element in tags:
        faults += _element_faults(element, _list(element))
        if element.tag == "script":
            faults += _script_faults(element, scripts, base)
    ids = [element.attributes["id"] for element in tags if "id" in element.attributes]
    faults += [f"the id {id_!r} stands twice" for id_ in sorted({i for i in ids if ids.count(i) > 1})]
    if (n := sum(element.tag == "article" for element in tags)) != 1:
        faults.append(f"a page has one <article>, this one has {n}")
    bare = html.replace(_meta(html), "", 1)
    if html != with_policy(bare):
        faults.append("its head does not start with the Content-Security-Policy of its scripts")
    return faults


def _list(element: Element) -> dict[str, str]:
    """Return the list that holds for an element, by where it stands."""
    if element.within("article") and (element.tag == "math" or element.within("math")):
        return MATHS
    if element.tag == "svg" or element.within("svg"):
        return FIGURE if any("plot" in outer.classes for outer in element.around) else ICON
    return ARTICLE if element.within("article") else TEMPLATE


def _element_faults(element: Element, allowed: dict[str, str]) -> list[str]:
    """Return what is wrong with one element."""
    if element.tag not in allowed:
        return [f"{element}: no such tag here"]
    faults = []
    in_article = element.within("article")
    for name, value in element.attributes.items():
        if name not in ("id", "class") and name not in allowed[element.tag].split():
            faults.append(f"no attribute {name!r} here")
        elif name in ("href", "src", "xlink:href") and not _ADDRESS.fullmatch(value):
            faults.append(f"{value!r} is no address of this site, http, https or mailto")
        elif name == "href" and "colab." in value.lower() and not _opens_own_notebook(element):
            faults.append("Colab opens notebooks of this guide, by a link among the facts of a page")
        elif name == "xlink:href" and not value.startswith("#"):
            faults.append("a drawing uses its own parts only")
        elif "url(" in value and not re.fullmatch(r"url\(#[\w.-]+\)", value):
            faults.append(f"{value!r} is no part of the drawing")
        elif name == "title" and "<" in value:  # Material shows it as HTML
            faults.append("a title is text")
        elif in_article and name in ("id", "for", "name") and not re.fullmatch(_NAMES.get(element.tag, _ID), value):
            faults.append(f"{value!r} is no {name} for an article: those with __ are Material's")
    if in_article:
        listed = CLASSES | {c for c in element.classes if re.fullmatch(r"language-[\w+#-]+", c)}
        faults += [f"no class {c!r} here" for c in element.classes if c not in listed]
    else:
        faults += [f"no class {c!r} here" for c in element.classes if not c.startswith("md-") and c not in OWN]
        if "hidden" in element.attributes and not HIDDEN & set(element.classes):
            faults.append("hidden")
    if element.tag in KINDS and _kind(element) not in KINDS[element.tag]:
        faults.append(f"is none of {', '.join(sorted(KINDS[element.tag]))}")
    if element.tag == "a" and element.within("a"):
        faults.append("a link within a link")
    return [f"{element}: {fault}" for fault in faults]


def _opens_own_notebook(element: Element) -> bool:
    among_facts = any("facts" in outer.classes for outer in element.around)
    return among_facts and bool(_COLAB.fullmatch(element.attributes["href"]))


def _kind(element: Element) -> str:
    """Return of which kind a meta, link or input is; what says more than one is of none."""
    if element.tag != "meta":
        return element.attributes.get("rel" if element.tag == "link" else "type", "")
    said = (
        "charset" if name == "charset" else value for name, value in element.attributes.items() if name != "content"
    )
    return " ".join(said)


def _scripts() -> list[re.Pattern]:
    """Return what Material's own inline scripts look like, with the address of the site's root filled in."""
    folder = Path(material.__file__).parent / "templates/partials/javascripts"
    texts = [
        text for path in sorted(folder.glob("*.html")) for text in _INLINE.findall(path.read_text(encoding="utf-8"))
    ]
    return [re.compile(r"[\w./-]*".join(map(re.escape, re.split(r"\{\{.*?\}\}", text)))) for text in texts]


def _script_faults(element: Element, known: list[re.Pattern], base: str) -> list[str]:
    """Return what is wrong with a script: it is Material's, or a file below assets/."""
    if element.attributes == {"id": "__config", "type": "application/json"}:
        config = _config(element.text)
        if config.keys() == {"annotate", "base", "features", "search", "tags", "translations", "version"}:
            return [] if _own(config["search"], base) else [f"{element}: searches elsewhere"]
    elif element.attributes == {"type": "application/ld+json"}:  # data: no browser runs it
        if _config(element.text).get("@context") == "https://schema.org":
            return []
    elif "src" in element.attributes:
        if _own(element.attributes["src"], base) and not element.text and "type" not in element.attributes:
            return []
    elif not element.attributes and any(pattern.fullmatch(element.text) for pattern in known):
        return []
    return [f"{element}: no script of this site: {element.text[:60]!r}"]


def _config(text: str) -> dict:
    try:
        found = {} if "<" in text else json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _own(address: str, base: str) -> bool:
    """Return whether an address is that of a file below assets/; the page of errors knows no relative one."""
    start = r"(?:/[\w.-]+)*/" if base == "/" else re.escape(base)
    return bool(re.fullmatch(rf"{start}assets/(?:[\w-]+/)*[\w.-]+\.js", address))


def _base(name: str) -> str:
    return "/" if name == "404.html" else "../" * name.count("/")


def _found_faults(text: str, name: str) -> list[str]:
    """Return what is wrong with a script that brings what the search finds: it is data, and leads to pages."""
    start, end = f"var {name} = ", ";\n"
    try:
        data = json.loads(text.removeprefix(start).removesuffix(end))
    except ValueError:
        data = None
    if not data or not text.startswith(start) or not text.endswith(end):
        return [f"is no data of the name {name}"]
    pages = data["pages"] if isinstance(data, dict) else []
    return [f"leads to {page['url']!r}" for page in pages if not re.fullmatch(r"(?:[\w-]+/)*", page["url"])]
