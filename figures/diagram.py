"""Boxes and arrows: one drawing narrow enough for a phone, each box a link, ink from the page as in figures.svg."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from figures.svg import framed

WIDTH, GRID = 400, 12  # a drawing is so many units wide, cut into so many columns
ROW, GAP = 60, 18  # height of a row, and the space below its boxes for arrows


class Box(NamedTuple):
    """A box: where it stands, what it says, where it leads.

    ``x`` and ``width`` count columns (12 in all), ``row`` counts rows. ``link`` is an address relative to the page that
    shows the drawing. ``kind`` is "box", "store" (data at rest, dashed) or "person" (round).
    """

    x: float
    row: float
    width: float
    title: str
    detail: str = ""
    link: str = ""
    kind: str = "box"

    @property
    def left(self) -> float:
        """Return the left edge."""
        return 2 + self.x * (WIDTH - 4) / GRID

    @property
    def right(self) -> float:
        """Return the right edge."""
        return 2 + (self.x + self.width) * (WIDTH - 4) / GRID

    @property
    def top(self) -> float:
        """Return the upper edge."""
        return 2 + self.row * ROW

    @property
    def bottom(self) -> float:
        """Return the lower edge."""
        return self.top + ROW - GAP


class Arrow(NamedTuple):
    """An arrow between two boxes by their keys.

    "straight" goes down, up or sideways. "branch" leaves the lower edge and enters the left one, as in a tree. "around"
    leaves one side, runs up or down the gutter at ``at`` (columns), and enters the side that faces it. Where two cross,
    the later one passes over the other. The label stands at the share ``along`` of its line.
    """

    start: str
    end: str
    route: str = "straight"
    label: str = ""
    at: float = 6.0
    along: float = 0.5


def diagram(name: str, boxes: Mapping[str, Box], arrows: Sequence[Arrow], alternative: str, caption: str) -> str:
    """Return a drawing as one ``<figure>`` with an inline SVG.

    Parameters
    ----------
    name
        Unique on the page.
    boxes, arrows
        What to draw; arrows name the boxes by their keys.
    alternative
        What the picture shows, in words, for those who do not see it.
    caption
        What to notice in it.

    Raises
    ------
    ValueError
        If a word is missing, an arrow names no box, or a route is unknown.
    """
    height = max(box.bottom for box in boxes.values()) + 2
    # With links in it the picture is a group, not one image: each link stays reachable and has its own name.
    role = "group" if any(box.link for box in boxes.values()) else "img"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" class="diagram">',
        f'<defs><marker id="{name}-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto-start-reverse"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>',
    ]
    parts += [_arrow(name, arrow, boxes) for arrow in arrows]
    parts += [_box(box) for box in boxes.values()]
    return framed("\n".join([*parts, "</svg>"]), role, alternative, caption)


def _box(box: Box) -> str:
    width, height = box.right - box.left, box.bottom - box.top
    round_, dash = {"box": (5, ""), "store": (5, ' stroke-dasharray="4 3"'), "person": (height / 2, "")}[box.kind]
    middle = (box.left + box.right) / 2
    lines = [(box.title, 12, 600)] + [(line, 10, 400) for line in box.detail.split("\n") if line]
    first = (box.top + box.bottom) / 2 - 6.5 * (len(lines) - 1) + 4
    text = "".join(
        f'<text x="{middle:.1f}" y="{first + 13 * i:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="middle" fill="currentColor">{html.escape(line)}</text>'
        for i, (line, size, weight) in enumerate(lines)
    )
    drawn = (
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{round_:g}" '
        f'class="diagram-box" stroke="currentColor"{dash}/>{text}'
    )
    return f'<a href="{html.escape(box.link, quote=True)}">{drawn}</a>' if box.link else drawn


def _arrow(name: str, arrow: Arrow, boxes: Mapping[str, Box]) -> str:
    for key in (arrow.start, arrow.end):
        if key not in boxes:
            raise ValueError(f"an arrow names {key!r}, which is no box")
    a, b = boxes[arrow.start], boxes[arrow.end]
    points = _points(arrow, a, b)
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    drawn = f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#{name}-head)"/>'
    if arrow.route == "around":
        drawn = f'<path d="{path}" fill="none" stroke-width="6" class="diagram-under"/>{drawn}'
    if arrow.label:
        (x0, y0), (x1, y1) = points[len(points) // 2 - 1], points[len(points) // 2]
        x, y = x0 + arrow.along * (x1 - x0), y0 + arrow.along * (y1 - y0)
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if x0 == x1 and len(points) > 2 else ""
        beside = 'dx="6" dy="3"' if x0 == x1 and not turn else 'dy="-3" text-anchor="middle"'
        drawn += f'<text x="{x:.1f}" y="{y:.1f}" {beside} font-size="10" fill="currentColor"{turn}>'
        drawn += f"{html.escape(arrow.label)}</text>"
    return drawn


def _points(arrow: Arrow, a: Box, b: Box) -> list[tuple[float, float]]:
    if arrow.route == "branch":
        x, y = a.left + 14, (b.top + b.bottom) / 2
        return [(x, a.bottom), (x, y), (b.left, y)]
    if arrow.route == "around":
        x = 2 + arrow.at * (WIDTH - 4) / GRID
        start, end = (a.right if x >= a.right else a.left), (b.right if x >= b.right else b.left)
        y0, y1 = (a.top + a.bottom) / 2, (b.top + b.bottom) / 2
        return [(start, y0), (x, y0), (x, y1), (end, y1)]
    if arrow.route != "straight":
        raise ValueError(f"route must be 'straight', 'branch' or 'around', got {arrow.route!r}")
    if a.row == b.row:
        y = (a.top + a.bottom) / 2
        return [(a.right, y), (b.left, y)] if a.left < b.left else [(a.left, y), (b.right, y)]
    x = (max(a.left, b.left) + min(a.right, b.right)) / 2
    return [(x, a.bottom), (x, b.top)] if a.row < b.row else [(x, a.top), (x, b.bottom)]
