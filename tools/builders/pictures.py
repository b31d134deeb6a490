"""Pictures that no page shows: one of each page for whoever shares its address, the icons, the cover of the book.

All are made of the mark, the tokens of the design and the site's own font. Each is kept in ``.cache/`` under the digest
of all that it depends on: a build draws those that changed.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import PIL
from PIL import Image, ImageDraw, ImageFont

from tools.builders.tokens import TOKENS, colours
from tools.guards.fences import ROOT

CACHE = ROOT / ".cache/pictures"
MARK = ROOT / "docs/assets/favicon.svg"
FONT = ROOT / "docs/assets/fonts/inter-latin-wght-normal.woff2"
WIDTH, HEIGHT = 1200, 630  # what Open Graph asks for
MARGIN, GAP = 72, 8
FINE = 8  # an icon is drawn so many times larger, for smooth edges


def kept(draw: Callable[..., bytes], *arguments: object) -> bytes:
    """Return what a function of this module draws, from the cache if it was drawn before."""
    inputs = b"".join(path.read_bytes() for path in (Path(__file__), ROOT / TOKENS, MARK, FONT))
    digest = hashlib.sha256(inputs + f"{PIL.__version__}{draw.__name__}{arguments!r}".encode()).hexdigest()
    path = CACHE / f"{digest}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draw(*arguments))
    return path.read_bytes()


def card(title: str, place: str, sentence: str, minutes: Sequence[int], phase: int | None) -> bytes:
    """Return the picture of a page: the bar of phases, its place, its title, and a sentence about it.

    Parameters
    ----------
    title, place, sentence
        What it says, in plain words.
    minutes
        How long each phase of the interview is.
    phase
        The phase to which the page belongs, from 1; None lights all of them.
    """
    image, pen = _sheet(WIDTH, HEIGHT)
    across = WIDTH - 2 * MARGIN
    if minutes:  # a site of fewer pages may know no phases
        _bar(pen, (MARGIN, 66, across, 20), minutes, phase)
    pen.text((MARGIN, 122), place, _token(f"phase-{phase}" if phase else "brand"), _font(30, 600))
    top = _write(
        pen, (MARGIN, 168), title, across, ((80, 750), (68, 750), (56, 750), (40, 750), (28, 750)), 190, "ink", 1.12
    )
    _write(pen, (MARGIN, top + 22), sentence, across, ((33, 400), (28, 400)), 500 - top, "ink-2")
    pen.text((MARGIN, HEIGHT - 78), "ML Design", _token("ink"), _font(32, 700))
    return _png(image, 64)


def cover(title: str, sentence: str, minutes: Sequence[int]) -> bytes:
    """Return the cover of the book."""
    image, pen = _sheet(1200, 1800)
    _bar(pen, (100, 300, 1000, 60), minutes, None)
    top = _write(pen, (100, 460), title, 1000, ((120, 750),), 400, "ink", 1.12)
    _write(pen, (100, top + 50), sentence, 1000, ((46, 400),), 400, "ink-2")
    return _png(image, 64)


def icon(size: int) -> bytes:
    """Return the site's icon as a square without transparency: whoever shows it rounds it as usual there."""
    image = Image.new("RGB", (size * FINE, size * FINE))
    pen, scale = ImageDraw.Draw(image), size * FINE / 32
    bar = '<rect x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)" rx="(.+?)" fill="(.+?)"'
    for *numbers, colour in re.findall(bar, MARK.read_text(encoding="utf-8")):
        x, y, width, height, radius = (float(number) * scale for number in numbers)
        if width == image.width:
            radius = 0
        pen.rounded_rectangle((x, y, x + width - 1, y + height - 1), radius, colour)
    return _png(image.resize((size, size), Image.Resampling.LANCZOS), 128)


def text_width(text: str, size: int, weight: int) -> int:
    """Return how wide a line of text is, in whole pixels."""
    return round(_font(size, weight).getlength(text))


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), _token("page"))
    return image, ImageDraw.Draw(image)


def _bar(pen: ImageDraw.ImageDraw, box: tuple[int, int, int, int], minutes: Sequence[int], phase: int | None) -> None:
    """Draw the phases of the interview, as long as their minutes; the lit one is thicker."""
    left, top, width, height = box
    unit = (width - GAP * (len(minutes) - 1)) / sum(minutes)
    for number, length in enumerate(minutes, 1):
        right = left + length * unit
        lit = phase in (None, number)
        edge = 0 if lit else height // 3
        colour = _token(f"phase-{number}" if lit else "line")
        pen.rounded_rectangle((round(left), top + edge, round(right), top + height - edge), 3, colour)
        left = right + GAP


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _write(
    pen: ImageDraw.ImageDraw,
    start: tuple[int, int],
    text: str,
    width: int,
    fonts: Sequence[tuple[int, int]],
    height: int,
    colour: str,
    leading: float = 1.38,
) -> int:
    """Write a text in the first of the fonts in which it fits into a box, and return where the box ends.

    Raises
    ------
    ValueError
        If it fits in none.
    """
    left, top = start
    for size, weight in fonts:
        font = _font(size, weight)
        lines, line_height = _wrapped(text, font, width), round(size * leading)
        if len(lines) * line_height <= height and max(map(font.getlength, lines)) <= width:
            break
    else:
        raise ValueError(f"too long for a picture: {text!r}")
    for line in lines:
        pen.text((left, top), line, _token(colour), font)
        top += line_height
    return top


@cache
def _font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    # Not the layout engine that a machine may have or lack: pictures of one commit are the same everywhere.
    font = ImageFont.truetype(FONT, size, layout_engine=ImageFont.Layout.BASIC)
    font.set_variation_by_axes([weight])
    return font


def _token(name: str) -> str:
    """Return a colour of the design in its light scheme."""
    return colours()[name][0]


def _png(image: Image.Image, colours: int) -> bytes:
    buffer = io.BytesIO()
    image.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
