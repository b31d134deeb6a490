"""Each output says how many columns it has."""

import re
from html import escape, unescape

import pytest

from tools.builders.columns import MOST, WIDTHS, cells, mark, tables
from tools.guards.fences import ROOT

OUTPUT = '<div class="language-text highlight"><pre><span></span><code>{}\n</code></pre></div>'


@pytest.mark.parametrize(
    ("text", "class_"),
    [
        ("a", " w46"),
        ("a" * 46 + "   ", " w46"),
        ("a" * 47, " w50"),
        ("short\n" + "a" * 57 + "\nshort", " w58"),
        ("a" * 45 + "&lt;", " w46"),
    ],
)
def test_an_output_has_the_class_of_its_widest_line(text, class_):
    assert mark(OUTPUT.format(text)) == OUTPUT.format(text).replace('highlight"', f'highlight{class_}"')


def test_code_has_none_and_each_output_its_own():
    code = OUTPUT.replace("language-text", "language-python").format("a")
    html = code + OUTPUT.format("a" * 50) + "<p>x</p>" + OUTPUT.format("a")
    assert re.findall(r'class="(.*?)"', mark(html)) == [
        "language-python highlight",
        "language-text highlight w50",
        "language-text highlight w46",
    ]


def test_the_stylesheet_knows_each_width_and_each_number_of_columns():
    style = (ROOT / "docs/assets/css/site.css").read_text(encoding="utf-8")
    known = {int(n) for n in re.findall(r"\.w(\d+) \{ --columns: \1; \}", style)}
    assert known | {WIDTHS[-1]} == set(WIDTHS)
    for n in range(2, MOST + 1):
        assert f".cols-{n} {{" in style
        assert f".over-{n} {{" in style


def read(text):
    """Return what tables an output has: its rows, each cell with its classes behind a colon; None for other lines."""
    found = []
    for lines, columns in tables(text.strip("\n").splitlines(keepends=True)):
        found.append([_row(line, columns) for line in lines] if columns else None)
    return found


def _row(line, columns):
    return [f"{cell.strip()}:{kind}".rstrip(":") for cell, kind in cells(line, columns)]


def test_cells_are_what_gutters_part_aligned_as_they_were_printed():
    assert read(
        """
rule                            false alarms   finds the effect
look once, on day 28                    5.1%                80%
stop when the interval allows           1.5%                 5%
1 % needs 4.0 times as many
"""
    ) == [
        [
            ["rule", "false alarms:end", "finds the effect:end"],
            ["look once, on day 28", "5.1%:end", "80%:end"],
            ["stop when the interval allows", "1.5%:end", "5%:end"],
        ],
        None,
    ]


def test_a_heading_stands_over_several_columns():
    assert read(
        """
                    normalized entropy   live
fault               test     live        CTR
none                0.885    0.894       2.96%
  stale feature     0.885    0.897       2.96%
"""
    ) == [
        [
            ["", "normalized entropy:over-2", "live"],
            ["fault", "test", "live", "CTR"],
            ["none", "0.885", "0.894", "2.96%"],
            ["stale feature:inner", "0.885", "0.897", "2.96%"],
        ]
    ]


def test_a_number_that_fills_its_column_leaves_one_space():
    assert read(
        """
bits   columns   share
8      256       100%
16     65,536    21%
20     1,048,576 1%
"""
    )[0][3] == ["20", "1,048,576", "1%"]
    assert read(
        """
 day   feature  coverage       z
  12 age_group      0.36 -123.78
  13 age_group      1.00    1.50
"""
    )[0][1] == ["12:end", "age_group:end", "0.36", "-123.78:end"]


def test_words_with_a_space_below_each_other_are_no_columns():
    assert read("day 6    0.1\nday 7    0.2\n") == [[["day 6", "0.1"], ["day 7", "0.2"]]]
    assert read("a b\nc d\n") == [None]


def test_a_table_goes_on_after_a_line_of_text_and_ends_where_columns_do():
    again = "a line of text\n"
    table = "                ratio    NE\nnothing         0.98     0.945\n"
    assert read(table + again + table) == [
        [
            ["", "ratio", "NE"],
            ["nothing", "0.98", "0.945"],
            ["a line of text:over"],
            ["", "ratio", "NE"],
            ["nothing", "0.98", "0.945"],
        ]
    ]
    other = "position   clicks   hides\n1          7.43%    0.48%\n2          3.41%    0.38%\n"
    wide = (
        "                               with a hide   of as many\nas simulated                   7.7%          7.7%\n"
    )
    assert [len(rows) for rows in read(other + wide)] == [3, 2]


def test_each_letter_of_a_wide_output_stays_and_what_can_break_is_marked():
    text = f"name       {'x' * 20}  <b>\n  a & b    1                     2\n{'word ' * 20}\n"
    html = mark(OUTPUT.format(escape(text, quote=False).rstrip("\n")))
    assert unescape(re.sub("<[^>]*>", "", html)) == text
    assert f'<span class="long">{"x" * 20}  </span>' in html
    assert '<span class="cells cols-3">' in html
    assert html.count("<span>") > 2


def test_no_output_of_the_guide_loses_a_letter_or_has_two_cells_in_one():
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    outputs = [text for page in pages for text in re.findall(r"^```text\n(.*?)^```", page, re.DOTALL | re.MULTILINE)]
    assert len(outputs) > 200
    crowded = 0
    for text in outputs:
        found = tables(text.splitlines(keepends=True))
        assert "".join(line for lines, _ in found for line in lines) == text
        for lines, columns in found:
            for line in lines if columns else ():
                assert "".join(cell for cell, _ in cells(line, columns)) == line
                crowded += any("  " in cell.strip() for cell, _ in cells(line, columns))
    assert crowded < 10
