"""Say on each output how many columns it has, so that the stylesheet can choose the type that fits the screen."""

from __future__ import annotations

import re
from html import unescape

WIDTHS = (46, 50, 54, 58, 62, 66, 72, 88)  # what site.css has sizes for; wider ones scroll
OUTPUT = re.compile(r'(<div class="language-text highlight)("><pre>.*?</pre>)', re.DOTALL)


def mark(html: str) -> str:
    """Return the content of a page with the columns of each output in a class, as in ``w62``."""
    return OUTPUT.sub(lambda found: found[1] + _width(found[2][2:]) + found[2], html)


def _width(output: str) -> str:
    text = unescape(re.sub("<[^>]*>", "", output))
    columns = max(len(line.rstrip()) for line in text.split("\n"))
    return next((f" w{width}" for width in WIDTHS if columns <= width), "")
