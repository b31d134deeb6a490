"""Formulas become MathML that the lists of the built pages allow, each command of the list included."""

import re
from html import escape

import pytest
from bs4 import BeautifulSoup

from tools.builders.maths import FormulaError, typeset
from tools.guards.html import page_faults
from tools.guards.markup import FORMULA

# What a command needs beside it; the others stand alone.
WITH = {"frac": "{a}{b}", "sqrt": "[3]{a}", "left": r"(a\right)", "operatorname": "{lift}", "mathbb": "{R}"}
WITH |= dict.fromkeys(["hat", "bar", "tilde", "text", "mathrm", "mathbf"], "{ab}")


def in_line(latex):
    return typeset(f'<p><span class="arithmatex">\\({latex}\\)</span></p>')


def on_its_own(latex):
    return typeset(f'<div class="arithmatex">\\[\n{latex}\n\\]</div>')


@pytest.mark.parametrize("write", [in_line, on_its_own])
@pytest.mark.parametrize("command", sorted(FORMULA - {"right"}))
def test_each_command_that_a_page_may_use_makes_what_a_page_may_hold(command, write):
    html = write(rf"\{command}{WITH.get(command, '')} x_i^2 &lt; y")
    assert BeautifulSoup(html, "html.parser").math is not None
    faults = page_faults(f"<article>{html}</article>", "")
    assert [f for f in faults if "Content-Security-Policy" not in f] == []


def test_a_formula_on_its_own_is_a_block_and_one_in_a_line_is_not():
    assert BeautifulSoup(on_its_own("x"), "html.parser").math["display"] == "block"
    assert "display" not in BeautifulSoup(in_line("x"), "html.parser").math.attrs


@pytest.mark.parametrize("latex", [r"\sqrt{2r/c}", 'a < b "c"', r"\frac{a}{b} & c"])
def test_what_was_written_stays_with_a_formula(latex):
    written = latex.replace("&", "").replace('"', "")
    assert BeautifulSoup(in_line(escape(written)), "html.parser").math["alttext"] == written


def test_a_fraction_has_its_parts_in_order():
    fraction = BeautifulSoup(in_line(r"\frac{c + s}{n}"), "html.parser").mfrac
    assert [part.text for part in fraction.find_all(recursive=False)] == ["c+s", "n"]


def test_what_is_no_formula_stays():
    html = r"<p>\(x\)</p><pre>\[y\]</pre>"
    assert typeset(html) == html


def test_two_formulas_do_not_share_what_lies_between():
    html = in_line("a") + "<p>words</p>" + in_line("b")
    assert re.sub("<.*?>", "", html) == "awordsb"


@pytest.mark.parametrize("latex", [r"\unknown x", r"\frac{a", "a_i_j"])
def test_a_formula_that_cannot_be_read_is_named(latex):
    with pytest.raises(FormulaError) as raised:
        in_line(latex)
    assert str(raised.value).startswith(latex)
    assert "\x1b" not in str(raised.value)
