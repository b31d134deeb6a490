"""One look for all figures: inline SVG that takes its ink from the page, so that it reads in light and in dark."""

from __future__ import annotations

import html
import io
import re

import matplotlib
from matplotlib.figure import Figure

# Placeholders in the drawing, replaced by what the page's stylesheet defines.
INK, FIRST, SECOND, THIRD = "#010203", "#010204", "#010205", "#010206"
_COLOURS = {INK: "currentColor", FIRST: "var(--plot-1)", SECOND: "var(--plot-2)", THIRD: "var(--plot-3)"}
_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's own font
    "svg.hashsalt": "ml-design",  # the same ids in every build
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "legend.frameon": False,
    **{f"{part}.color": INK for part in ("text", "xtick", "ytick")},
    **{f"axes.{part}color": INK for part in ("edge", "label", "title")},
}


def style():
    """Return the context in which a figure must be made and drawn."""
    return matplotlib.rc_context(_STYLE)


def to_html(figure: Figure, name: str, alternative: str, caption: str) -> str:
    """Return a figure as one ``<figure>`` with an inline SVG.

    Parameters
    ----------
    figure
        Made within ``style()``.
    name
        Unique on the page: it keeps the ids of two figures apart.
    alternative
        What the picture shows, in words, for those who do not see it.
    caption
        What to notice in it.

    Raises
    ------
    ValueError
        If the alternative or the caption is empty.
    """
    buffer = io.StringIO()
    with style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = re.sub(r"^.*?(?=<svg)", "", buffer.getvalue(), flags=re.DOTALL)
    # Its style sheet would apply to the whole page: what it says goes onto the picture alone.
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'xlink:href="#', f'xlink:href="#{name}-', svg)
    svg = re.sub(r"font-family: [^;]*; ?", "", svg)  # the family comes from the page
    svg = re.sub(r'style="([^"]*)"', lambda match: _attributes(match[1]), svg)
    for placeholder, colour in _COLOURS.items():
        svg = svg.replace(placeholder, colour)
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)
    svg = svg.replace("<svg", '<svg stroke-linejoin="round"', 1)
    svg = re.sub(r"\n\s*", "\n", svg).strip()  # Markdown takes indented lines for code
    return framed(svg, "img", alternative, caption)


def _attributes(style: str) -> str:
    """Return a style as attributes of the same names: the site's policy allows no style within a page."""
    declarations = (declaration.partition(":") for declaration in style.split(";") if declaration.strip())
    return " ".join(f'{name.strip()}="{value.strip()}"' for name, _, value in declarations)


def framed(svg: str, role: str, alternative: str, caption: str) -> str:
    """Return an SVG as one ``<figure>``, with its role, what it shows in words, and what to notice in it.

    Raises
    ------
    ValueError
        If the alternative or the caption is empty.
    """
    if not alternative.strip() or not caption.strip():
        raise ValueError("a figure needs an alternative text and a caption")
    label = html.escape(" ".join(alternative.split()), quote=True)
    svg = svg.replace("<svg", f'<svg role="{role}" aria-label="{label}"', 1)
    return f'<figure class="plot">\n{svg}\n<figcaption>{html.escape(caption)}</figcaption>\n</figure>'
