"""Figures with knobs: all that they can show is computed at build, so that the browser only looks it up and draws it.

A figure is a grid: quantities, each with a value for every setting of the axes that it depends on. A reader turns the
axes that are knobs; along the others only curves run. Values are rounded as they are shown, so the curve, the words and
the table below the figure say the same. Without a script the figure stands as it starts, and the table holds the rest.
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

from figures.svg import style, to_html

MINUS = "\N{MINUS SIGN}"
PERCENT = "\N{NO-BREAK SPACE}%"


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

    def text(self, value: float) -> str:
        """Return a value as it is shown."""
        return f"{value:{'+' if self.signed else ''},.{self.digits}f}{self.unit}".replace("-", MINUS)


@dataclass(frozen=True)
class Curve:
    """A quantity drawn along an axis, with a dot where that axis stands."""

    y: str
    along: str
    colour: str
    x: str = ""  # a quantity in place of the axis's own values


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
            if q.values.shape != tuple(len(self.axes[a].values) for a in q.axes) or not np.isfinite(q.values).all():
                raise ValueError(f"{name} must hold a finite number for each setting of {', '.join(q.axes)}")

    def text(self, name: str, **setting: float) -> str:
        """Return a quantity as it is shown where the axes have these values, and stand at their start else."""
        q = self.quantities[name]
        return q.text(self.rounded(name)[tuple(self._index(a, setting) for a in q.axes)])

    def rounded(self, name: str) -> np.ndarray:
        """Return the values of a quantity as they are shown; nothing is shown as -0."""
        return self.quantities[name].values.round(self.quantities[name].digits) + 0.0

    def words(self) -> str:
        """Return the sentence for the setting at the start."""

        def word(match: re.Match) -> str:
            name = match[1]
            return self.axes[name].texts[self.axes[name].start] if name in self.axes else self.text(name)

        return re.sub(r"\{(\w+)\}", word, self.says)

    def points(self, curve: Curve) -> tuple[np.ndarray, np.ndarray, int]:
        """Return what a curve shows at the start, and the index of its dot."""
        along = self.axes[curve.along]
        x = self._line(curve.x, curve.along) if curve.x else np.asarray(along.values, float)
        return x, self._line(curve.y, curve.along), along.start

    def _line(self, name: str, along: str) -> np.ndarray:
        axes = self.quantities[name].axes
        return self.rounded(name)[tuple(slice(None) if a == along else self.axes[a].start for a in axes)]

    def _index(self, axis: str, setting: dict[str, float]) -> int:
        at = self.axes[axis]
        return list(at.values).index(setting[axis]) if axis in setting else at.start

    def tables(self) -> str:
        """Return all values as tables: the last axis of a quantity across, the others down."""
        return "".join(self._table(name, q) for name, q in self.quantities.items())

    def _table(self, name: str, q: Quantity) -> str:
        *down, across = (self.axes[a] for a in q.axes)
        rows, values = product(*(axis.texts for axis in down)), self.rounded(name).reshape(-1, len(across.texts))
        head = _row("th", [axis.label for axis in down] + list(across.texts))
        body = "".join(_row("th", row, [q.text(v) for v in line]) for row, line in zip(rows, values, strict=True))
        title = html.escape(f"{q.label}. Across: {across.label}.")
        return f"<p>{title}</p><table><thead>{head}</thead><tbody>{body}</tbody></table>"


def _row(tag: str, first: Sequence[str], others: Sequence[str] = ()) -> str:
    cells = [f"<{tag}>{html.escape(text)}</{tag}>" for text in first] + [f"<td>{html.escape(t)}</td>" for t in others]
    return f"<tr>{''.join(cells)}</tr>"


def explorable(
    name: str, grid: Grid, curves: Sequence[Curve], dress: Callable[[Axes], object], alternative: str, caption: str
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
    caption
        What to try, and what one then sees; its numbers are those of the grid.
    """
    with style():
        figure = Figure(figsize=(4.8, 2.8), layout="constrained")
        axes = figure.subplots()
        for i, curve in enumerate(curves):
            x, y, dot = grid.points(curve)
            axes.plot(x, y, color=curve.colour, gid=f"curve-{i}")
            axes.plot(x[dot], y[dot], color=curve.colour, marker="o", markersize=7, clip_on=False, gid=f"dot-{i}")
        dress(axes)
    drawn = to_html(figure, name, f"{alternative} {grid.words()}", caption)
    drawn = re.sub(r"(\.\d\d)\d{2,}", r"\1", drawn)  # a hundredth of a dot is enough, and half of the weight
    data = {
        "axes": {key: vars(axis) | {"values": list(axis.values)} for key, axis in grid.axes.items()},
        "quantities": {
            key: {
                "axes": q.axes,
                "digits": q.digits,
                "unit": q.unit,
                "signed": q.signed,
                "values": _short(grid.rounded(key)),
            }
            for key, q in grid.quantities.items()
        },
        "curves": [{"x": curve.x, "y": curve.y, "along": curve.along} for curve in curves],
        "plane": _plane(figure, axes),
        "says": grid.says,
    }
    carried = html.escape(json.dumps(data, separators=(",", ":")))
    below = (
        f'<p class="explore-says">{html.escape(grid.words())}</p>\n'
        '<details class="numbers"><summary>All numbers of this figure</summary>'
        f"<div data-search-exclude>{grid.tables()}</div></details>\n<figcaption>{html.escape(caption)}</figcaption>"
    )
    opened = f'<figure class="plot explore" id="explore-{name}" data-grid="{carried}">'
    drawn = drawn.replace('<figure class="plot">', opened, 1)
    return re.sub(r"<figcaption>.*</figcaption>", lambda _: below, drawn)


def _short(values: np.ndarray) -> list[float]:
    """Return numbers in one row, the whole ones without a point."""
    return [int(v) if v == int(v) else v for v in values.ravel().tolist()]


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
