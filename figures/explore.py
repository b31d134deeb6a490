"""Figures with knobs: all that they can show is computed at build, so that the browser only looks it up and draws it.

A figure is a grid: quantities, each with a value for every setting of the axes that it depends on. A reader turns the
axes that are knobs; along the others only curves run. Values are rounded as they are shown, so the curve, the words and
the table below the figure say the same. They stand in the page once: the table is what the browser reads. Without a
script the figure stands as it starts, and the table holds the rest.

What differs from log to log comes with a spread, the standard deviation between runs: a band, and a ± in the words.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from claims import record
from figures.svg import style, to_html

MINUS = "\N{MINUS SIGN}"
PERCENT = "\N{NO-BREAK SPACE}%"
BETWEEN = "\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}"  # a value and its spread


@dataclass(frozen=True)
class Axis:
    """What a grid varies in: its values as numbers and in words, where it starts, and whether a reader can turn it."""

    name: str  # as sentences call it
    label: str
    values: Sequence[float]
    texts: Sequence[str]
    start: int
    knob: bool = True


@dataclass(frozen=True)
class Quantity:
    """What a grid holds: an array with a dimension for each of its axes, in the unit and with the digits shown."""

    label: str
    axes: tuple[str, ...]
    values: np.ndarray
    digits: int = 0
    unit: str = ""
    signed: bool = False
    spread: np.ndarray | None = None  # standard deviation between runs, of the same shape

    def __post_init__(self) -> None:
        for name in ("values", "spread"):
            if (array := getattr(self, name)) is not None:  # nothing is shown as -0
                object.__setattr__(self, name, np.round(array, self.digits) + 0.0)

    def text(self, at: tuple[int, ...]) -> str:
        """Return a value as it is shown, without its unit."""
        shown = f"{self.values[at]:{'+' if self.signed else ''},.{self.digits}f}".replace("-", MINUS)
        return shown if self.spread is None else f"{shown}{BETWEEN}{self.spread[at]:,.{self.digits}f}"


@dataclass(frozen=True)
class Curve:
    """A quantity drawn along an axis, with a dot where that axis stands.

    Between the values of some axes there is nothing, as between a first position and a second. A curve over them is no
    line but ``steps``, one for each value; the values lie 1 apart.
    """

    y: str
    along: str
    colour: str
    x: str = ""  # a quantity in place of the axis's own values
    steps: bool = False

    def outline(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the points between which it is drawn."""
        return (np.repeat(x, 2) + np.tile([-0.5, 0.5], len(x)), np.repeat(y, 2)) if self.steps else (x, y)


class Grid:
    """Axes, quantities by name, and the sentence that says what a setting shows, with their names in braces.

    Raises
    ------
    ValueError
        If a quantity's shape is not that of its axes, or a value is not finite.
    """

    def __init__(self, axes: Sequence[Axis], quantities: dict[str, Quantity], says: str) -> None:
        self.axes, self.quantities, self.says = {axis.name: axis for axis in axes}, quantities, says
        for name, q in quantities.items():
            shape = tuple(len(self.axes[a].values) for a in q.axes)
            for held in [q.values] if q.spread is None else [q.values, q.spread]:
                if held.shape != shape or not np.isfinite(held).all():
                    raise ValueError(f"{name} must hold a finite number for each setting of {', '.join(q.axes)}")

    def text(self, name: str, **setting: float) -> str:
        """Return a quantity as it is shown where the axes have these values, and stand at their start else."""
        q = self.quantities[name]
        return q.text(tuple(self._index(a, setting) for a in q.axes)) + q.unit

    def value(self, name: str, **setting: float) -> float:
        """Return it as a number."""
        q = self.quantities[name]
        return float(q.values[tuple(self._index(a, setting) for a in q.axes)])

    def words(self) -> str:
        """Return the sentence for the setting at the start."""

        def word(match: re.Match) -> str:
            name = match[1]
            return self.axes[name].texts[self.axes[name].start] if name in self.axes else self.text(name)

        return re.sub(r"\{(\w+)\}", word, self.says)

    def points(self, curve: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, int]:
        """Return what a curve shows at the start, the spread if there is one, and the index of its dot."""
        along = self.axes[curve.along]
        x = self._line(curve.x, curve.along) if curve.x else np.asarray(along.values, float)
        if curve.steps and not (np.diff(x) == 1).all():
            raise ValueError(f"the steps of {curve.y} must be 1 apart, got {x.tolist()}")
        return x, self._line(curve.y, curve.along), self._line(curve.y, curve.along, "spread"), along.start

    def _line(self, name: str, along: str, part: str = "values") -> np.ndarray | None:
        q = self.quantities[name]
        held = getattr(q, part)
        return held if held is None else held[tuple(slice(None) if a == along else self.axes[a].start for a in q.axes)]

    def _index(self, axis: str, setting: dict[str, float]) -> int:
        at = self.axes[axis]
        return list(at.values).index(setting[axis]) if axis in setting else at.start

    def tables(self) -> str:
        """Return all values as tables: the last axis of a quantity across, the others down."""
        return "".join(self._table(q) for q in self.quantities.values())

    def _table(self, q: Quantity) -> str:
        *down, across = (self.axes[a] for a in q.axes)
        head = _row("th", [*(axis.label for axis in down), *across.texts])
        body = ""
        for at in product(*(range(len(axis.texts)) for axis in down)):
            names = [axis.texts[i] for axis, i in zip(down, at, strict=True)]
            body += _row("th", names, [q.text((*at, i)) for i in range(len(across.texts))])
        unit = f" ({q.unit.strip()})" if q.unit else ""
        title = html.escape(f"{q.label}{unit}. Across: {across.label}.")
        return f"<p>{title}</p><table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _row(tag: str, first: Sequence[str], others: Sequence[str] = ()) -> str:
    cells = [f"<{tag}>{html.escape(text)}</{tag}>" for text in first] + [f"<td>{html.escape(t)}</td>" for t in others]
    return f"<tr>{''.join(cells)}</tr>"


def explorable(
    name: str,
    grid: Grid,
    curves: Sequence[Curve],
    dress: Callable[[Axes], object],
    alternative: str,
    task: str,
    answer: str,
    rests_on: Sequence[str] = (),
    note: str = "",
) -> str:
    """Return a figure whose knobs a reader can turn, as it starts.

    Parameters
    ----------
    name
        Unique on the page.
    grid
        All that it can show.
    curves
        What is drawn of that.
    dress
        Sets scales, limits, ticks and labels, which stay as they are whatever the knobs say.
    alternative
        What the picture shows in words, without the values: those follow in the grid's own sentence.
    task
        What to turn, and what to look at.
    answer
        What one then sees, folded; its numbers are those of the grid.
    rests_on
        The claims behind the answer, as ``evaluation/ab_tests/peeking_cries_wolf``; none where it follows from a
        formula alone.
    note
        Whose spread the band and the ± are.
    """
    with style():
        figure = Figure(figsize=(4.8, 2.8), layout="constrained")
        axes = figure.subplots()
        for i, curve in enumerate(curves):
            x, y, spread, dot = grid.points(curve)
            if spread is not None:
                (across, low), (_, high) = curve.outline(x, y - spread), curve.outline(x, y + spread)
                ends = np.r_[across, across[::-1]], np.r_[low, high[::-1]]
                axes.fill(*ends, color=curve.colour, alpha=0.2, linewidth=0, gid=f"band-{i}")
            axes.plot(*curve.outline(x, y), color=curve.colour, gid=f"curve-{i}")
            axes.plot(x[dot], y[dot], color=curve.colour, marker="o", markersize=7, clip_on=False, gid=f"dot-{i}")
        dress(axes)
    drawn = to_html(figure, name, f"{alternative} {grid.words()}", task)
    svg = re.search(r"<svg.*</svg>", drawn, re.DOTALL)[0]
    svg = re.sub(r"(\.\d\d)\d{2,}", r"\1", svg)  # a hundredth of a dot is enough, and half of the weight
    data = {
        "axes": {key: vars(axis) | {"values": list(axis.values)} for key, axis in grid.axes.items()},
        "quantities": {key: {"axes": q.axes, "unit": q.unit} for key, q in grid.quantities.items()},
        "curves": [{"x": c.x, "y": c.y, "along": c.along, "steps": c.steps} for c in curves],
        "plane": _plane(figure, axes),
        "says": grid.says,
    }
    carried = html.escape(json.dumps(data, separators=(",", ":")))
    return "\n".join(
        [
            f'<figure class="plot explore" id="explore-{name}" data-grid="{carried}">',
            f"<figcaption>{html.escape(task)}{f' <small>{html.escape(note)}</small>' if note else ''}</figcaption>",
            svg,
            f'<p class="explore-says">{html.escape(grid.words())}</p>',
            '<details class="answer"><summary>Answer</summary>'
            f"<p>{html.escape(answer)}</p>{_claims(rests_on)}</details>",
            '<details class="numbers"><summary>All numbers of this figure</summary>'
            f"<div data-search-exclude>{grid.tables()}</div></details>",
            "</figure>",
        ]
    )


def _claims(names: Sequence[str]) -> str:
    """Return links to claims, each by its sentence."""
    claims = [record.claims()[name] for name in names]
    links = [f'<li><a href="../../claims/#{c.anchor}">{html.escape(c.sentence)}</a></li>' for c in claims]
    return f"<ul>{''.join(links)}</ul>" if links else ""


def _plane(figure: Figure, axes: Axes) -> list[list[float]]:
    """Return for x and y whether it is logarithmic, its limits, and where in the drawing those lie."""
    box, (width, height) = axes.get_position(), figure.get_size_inches() * 72  # dots of an SVG
    return [
        [axes.get_xscale() == "log", *map(float, axes.get_xlim()), round(box.x0 * width, 2), round(box.x1 * width, 2)],
        [
            axes.get_yscale() == "log",
            *map(float, axes.get_ylim()),
            round((1 - box.y0) * height, 2),
            round((1 - box.y1) * height, 2),
        ],
    ]
