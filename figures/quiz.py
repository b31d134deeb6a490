"""Questions of a quiz that ask for a number: drawn from seeds, answered by the tested snippets, with how it is done.

A page shows several draws of each question, so that whoever missed one gets another. What follows from the drawn values
is computed here and never typed. Without scripts each draw is a line that unfolds its solution.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from itertools import islice

import numpy as np

DRAWS = 4


@dataclass(frozen=True)
class Sum:
    """A number to work out.

    Attributes
    ----------
    question : str
        All that is given, and what is asked for, as plain text.
    answer : float
        What comes out, in ``unit``.
    unit : str
        What stands behind the field: ``"clicks"``, ``"%"``, or nothing for a plain ratio.
    solution : str
        How it is done, in a few steps with their numbers, and the answer last; plain text.
    within : float
        How far an answer may be from it and still be right, as a share of it: what rounding on the way may cost.
    read : str
        The page that teaches it, from the root of docs/, and its title: ``"evaluation/lift.md Lift"``.
    """

    question: str
    answer: float
    unit: str
    solution: str
    read: str
    within: float = 0.02

    def __post_init__(self) -> None:
        """Refuse what nobody could answer."""
        if not math.isfinite(self.answer) or self.answer == 0:
            raise ValueError(f"answer must be finite and not zero, got {self.answer!r}: {self.question}")
        if not 0.001 <= self.within <= 0.25:
            raise ValueError(f"within must be a share from 0.001 to 0.25, got {self.within!r}: {self.question}")


def asked(draw: Callable[[np.random.Generator], Sum]) -> Callable[[], str]:
    """Make a function of a page's fence from one that draws a question; ``.draw`` is the latter."""

    @wraps(draw)
    def show() -> str:
        drawn = (draw(np.random.default_rng(seed)) for seed in range(100))
        sums = list(islice({it.question: it for it in drawn}.values(), DRAWS))
        if len(sums) < DRAWS:
            raise ValueError(f"{draw.__name__} needs {DRAWS} different questions, 100 draws had {len(sums)}")
        return f'<div class="sums">{"".join(map(_fold, sums))}</div>'

    show.draw = draw
    return show


def _fold(it: Sum) -> str:
    url, _, title = it.read.partition(".md ")
    data = f'data-answer="{it.answer:.6g}" data-within="{it.within:g}" data-unit="{html.escape(it.unit)}"'
    read = f'<a href="../../{url}/">{html.escape(title)}</a>'
    return (
        f'<details class="sum" {data}><summary>{html.escape(it.question)}</summary>'
        f"<p>{html.escape(it.solution)} See {read}.</p></details>"
    )
