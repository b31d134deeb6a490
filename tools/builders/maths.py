"""Typeset formulas at build as MathML, which browsers show by themselves: no script, no fonts, no styles.

What was written stays with each as its ``alttext``, for whoever takes the page as text.
"""

from __future__ import annotations

import re
from html import escape, unescape

from math_core import LatexError, LatexToMathML

# What pymdownx.arithmatex leaves: \(…\) in a line, \[…\] on lines of its own.
FORMULA = re.compile(r'(<(?:span|div) class="arithmatex">)\s*\\([(\[])(.*?)\\[)\]]\s*(?=</(?:span|div)>)', re.DOTALL)
# A sign that no reader sees, behind the name of a function. The guard of the pages refuses all of its kind.
APPLIED = re.compile('<mo(?: lspace="([^"]*)")?[^<>]*>(?:&ApplyFunction;|\u2061)</mo>')


class FormulaError(ValueError):
    """A formula cannot be read; the message shows it and says why."""


def typeset(html: str) -> str:
    """Return the content of a page with each formula as MathML.

    Raises
    ------
    FormulaError
        If a formula uses a command that is unknown, or leaves one open.
    """
    converter = LatexToMathML(fancy_error=False)
    return FORMULA.sub(lambda found: found[1] + _mathml(converter, unescape(found[3]), found[2] == "["), html)


def _mathml(converter: LatexToMathML, latex: str, display: bool) -> str:
    try:
        written = converter.convert_with_local_state(latex.strip(), displaystyle=display)
    except LatexError as error:
        raise FormulaError(f"{latex.strip()}: {error}") from error
    spaced = APPLIED.sub(lambda sign: f'<mspace width="{sign[1]}"/>' if sign[1] else "", written)
    told = spaced.replace("<math", f'<math alttext="{escape(latex.strip())}"', 1)
    # HTML closes each tag by name.
    return re.sub(r"<(\w+)([^<>]*?)\s*/>", r"<\1\2></\1>", told)
