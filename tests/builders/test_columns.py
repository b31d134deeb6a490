"""Each output says how many columns it has."""

import re

import pytest

from tools.builders.columns import WIDTHS, mark
from tools.guards.fences import ROOT

OUTPUT = '<div class="language-text highlight"><pre><span></span><code>{}\n</code></pre></div>'


@pytest.mark.parametrize(
    ("text", "class_"),
    [
        ("a", " w46"),
        ("a" * 46 + "   ", " w46"),
        ("a" * 47, " w50"),
        ("short\n" + "a" * 60 + "\nshort", " w62"),
        ("a" * 45 + "&lt;", " w46"),
        ("a" * 89, ""),
    ],
)
def test_an_output_has_the_class_of_its_widest_line(text, class_):
    assert mark(OUTPUT.format(text)) == OUTPUT.format(text).replace('highlight"', f'highlight{class_}"')


def test_code_has_none_and_each_output_its_own():
    code = OUTPUT.replace("language-text", "language-python").format("a")
    html = code + OUTPUT.format("a" * 80) + "<p>x</p>" + OUTPUT.format("a")
    assert re.findall(r'class="(.*?)"', mark(html)) == [
        "language-python highlight",
        "language-text highlight w88",
        "language-text highlight w46",
    ]


def test_the_stylesheet_knows_each_width():
    style = (ROOT / "docs/assets/css/site.css").read_text(encoding="utf-8")
    known = {int(n) for n in re.findall(r"\.w(\d+) \{ --columns: \1; \}", style)}
    assert known | {88} == set(WIDTHS)
