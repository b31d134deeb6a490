"""The evidence for a sentence, drawn from ``claims.json`` and never typed: a verdict, a tick for each run, the size.

The ± is the standard deviation between runs, since that is what a reader's own log would show; the verdict rests on the
standard error of the mean (claims/claim.py).
"""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean, stdev

from claims import record
from claims.claim import Claim, interval

DOCS = Path(__file__).parents[1] / "docs"
WIDTH, HEIGHT = 160, 16
MINUS = "\N{MINUS SIGN}"


@cache
def _known() -> dict[str, dict]:
    return record.load()


def evidence(*names: str, at_home: bool = False) -> str:
    """Return the verdict on these claims, each with its sentence, for their page or the home page."""
    return _framed("evidence", [_strip(record.claims()[name], at_home) for name in names])


def runs(name: str) -> list[dict[str, float]]:
    """Return what an experiment found in its first world, run by run."""
    experiment = record.experiments()[name]
    return record.results(experiment, next(iter(experiment.worlds.values())), _known())[: experiment.seeds]


def table(name: str) -> str:
    """Return what an experiment found in its first world, as means over the runs with their standard errors.

    Where it says which is best, a last column has the difference from the best, run by run: a tie if its 95 % interval
    contains zero.
    """
    experiment, found = record.experiments()[name], runs(name)
    columns = {row: [f[row] for f in found] for row in found[0]}
    heads = [f"{len(found)} runs", "Mean ± standard error"]
    best = experiment.best and experiment.best(columns, key=lambda row: fmean(columns[row]))
    heads += ["Difference from the best"] if best else []
    rows = []
    for row, values in columns.items():
        cells = [html.escape(row), _mean(values)]
        if best:
            cells.append(_difference([v - b for v, b in zip(values, columns[best], strict=True)]))
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    head = "".join(f"<th>{text}</th>" for text in heads)
    return _framed("measured", [f"<table><thead><tr>{head}</tr></thead><tbody>", *rows, "</tbody></table>"])


def _difference(values: Sequence[float]) -> str:
    if not any(values):
        return "the best"
    return _mean(values) + ("" if abs(fmean(values)) > interval(values) else ", a tie")


def _mean(values: Sequence[float]) -> str:
    """Return mean and standard error."""
    return _with_spread(fmean(values), stdev(values) / math.sqrt(len(values)))


def _with_spread(mean: float, spread: float, sign: str = "") -> str:
    """Return a mean and its spread, with two digits of the latter."""
    digits = max(0, 1 - math.floor(math.log10(spread))) if spread else 4
    return f"{mean:{sign}.{digits}f} ± {spread:.{digits}f}".replace("-", MINUS)


def total() -> str:
    """Return how many claims there are, and how many of them hold, vary and fail."""
    said = Counter(c.says for c in record.claims().values())
    runs = sum(len(results) for entry in _known().values() for results in entry["runs"].values())
    minutes = record.core_seconds(_known()) / 60
    words = f"{said['holds']} held, {said['varies']} depend on the log or are undecided, {said['fails']} failed"
    return _framed(
        "evidence",
        [f"<p><strong>{said.total()} claims: {words}.</strong> {runs:,} runs, {minutes:.0f} minutes of one core.</p>"],
    )


def exceptions() -> str:
    """Return the claims that do not hold in all worlds, each with its verdict and a link to its runs."""
    left = [c for c in record.claims().values() if c.says != "holds"]
    items = [
        f"<li>{_verdict(c, record.contrasts(c, _known())).partition(':')[0]}: "
        f'<a href="#{c.anchor}">{html.escape(c.sentence)}</a></li>'
        for c in sorted(left, key=lambda c: c.says)
    ]
    return _framed("evidence", ["<ul>", *items, "</ul>"] if items else ["<p>All held.</p>"])


def listed(section: str) -> str:
    """Return all claims of a section, page by page, each with its verdict and a link to its runs."""
    return _framed("evidence", _by_page(section, "../", _told))


def run_by_run(section: str) -> str:
    """Return the runs of all claims of a section, page by page, in every world, twins included."""
    return _framed("evidence runs", _by_page(section, "../../", _tried, "h2"))


def _by_page(section: str, root: str, entry: Callable[[Claim], str], level: str = "h3") -> list[str]:
    """Return an entry for each claim of a section, below the heading of its page; ``root`` leads to the site's."""
    parts, page = [], ""
    for c in record.claims().values():
        if _section(c) != section:
            continue
        if c.page != page:
            page = c.page
            parts.append(f'<{level}><a href="{root}{_address(page)}">{_title(page)}</a></{level}>')
        parts.append(entry(c))
    return parts or ["<p>No claim yet.</p>"]


def _section(c: Claim) -> str:
    """Return the name of the section of a claim, which is that of the page with its runs."""
    return c.page.split("/")[0].replace("_", "-")


def _framed(kind: str, parts: Sequence[str]) -> str:
    return "\n".join([f'<figure class="plot {kind}">', *parts, "</figure>"])


def _address(page: str) -> str:
    """Return where a page is served: labs keep their names, which are those of files of Python."""
    return f"{page}/" if page.startswith("labs/") else f"{page.replace('_', '-')}/"


def _title(page: str) -> str:
    """Return the heading of a page, or of a lab, whose Markdown stands in comments."""
    lab = page.startswith("labs/")
    path, mark = (DOCS / f"{page}.py", "# # ") if lab else (DOCS / f"{page.replace('_', '-')}.md", "# ")
    lines = path.read_text(encoding="utf-8").splitlines()
    return html.escape(next(line for line in lines if line.startswith(mark)).removeprefix(mark))


def _strip(c: Claim, at_home: bool) -> str:
    found = record.contrasts(c, _known())
    first = next(iter(found.values()))
    ticks = _ticks(c, first, f"; the sentence needs a mean {_region(c)}")
    back = "" if at_home else "../" * (c.page.count("/") + 1)
    return (
        f'<div class="claim {c.verdict(found)}"><p>{html.escape(c.sentence)}</p>'
        f"<p><strong>{_verdict(c, found)}</strong> {ticks} {_size(first, c)}{_unit(c)} "
        f'<a href="{back}claims/{_section(c)}/#{c.anchor}">The runs</a></p></div>'
    )


def _told(c: Claim) -> str:
    worlds = len(c.experiment.worlds) + 1
    return f'{_verdict_on(c)} <a href="{_section(c)}/#{c.anchor}">{worlds} worlds, run by run</a></p></div>'


def _tried(c: Claim) -> str:
    found = record.contrasts(c, _known())
    rows = [_row(c, name + _settings(world), found[name]) for name, world in c.experiment.worlds.items()]
    rows.append(_row(c, f"planted, where it is false{_settings(c.twin)}", record.twin(c, _known())))
    head = "<thead><tr><th>World</th><th>Runs</th><th>Mean ± deviation</th><th>Held in</th></tr></thead>"
    return f"{_verdict_on(c)}</p><table>{head}<tbody>{''.join(rows)}</tbody></table></div>"


def _verdict_on(c: Claim) -> str:
    """Return the start of what stands where a link to a claim leads: its sentence, its verdict and what it needs."""
    found = record.contrasts(c, _known())
    return (
        f'<div class="claim {c.verdict(found)}" id="{c.anchor}"><p>{html.escape(c.sentence)}</p>'
        f"<p><strong>{_verdict(c, found)}</strong> It needs a mean {_region(c)}{_unit(c)}."
    )


def _row(c: Claim, name: str, values: list[float]) -> str:
    held = f"{sum(v in c.holds for v in values)} of {len(values)}"
    return (
        f"<tr><td>{html.escape(name)}</td><td>{_ticks(c, values)}</td><td>{_size(values, c)}</td><td>{held}</td></tr>"
    )


def _settings(world: dict) -> str:
    return f": {', '.join(f'{k} = {v}' for k, v in world.items())}" if world else ""


def _verdict(c: Claim, found: dict[str, list[float]]) -> str:
    held = sum(v in c.holds for values in found.values() for v in values)
    runs = sum(map(len, found.values()))
    worlds = f" in {len(found)} worlds" if len(found) > 1 else ""
    verdict = c.verdict(found)
    if verdict == "holds":
        return f"Held {'by the mean, and ' * (held < runs)}in {held} of {runs} runs{worlds}."  # the mean decides
    return (
        f"{_undecided(c, found) if verdict == 'varies' else 'Failed'}: {_region(c)} in {held} of {runs} runs{worlds}."
    )


def _undecided(c: Claim, found: dict[str, list[float]]) -> str:
    """Say whether worlds disagree, or whether the runs tell nothing in any of them."""
    return "It depends" if len({c.holds.judge(values) for values in found.values()}) > 1 else "Undecided"


def _region(c: Claim) -> str:
    low, high = (_number(limit, c) for limit in (c.holds.low, c.holds.high))
    if math.isinf(c.holds.low):
        return f"below {high}"
    return f"above {low}" if math.isinf(c.holds.high) else f"between {low} and {high}"


def _unit(c: Claim) -> str:
    return f" {html.escape(c.unit)}" if c.unit else ""


def _number(value: float, c: Claim) -> str:
    return (f"{value * 100:g} %" if c.percent else f"{value:g}").replace("-", MINUS)


def _size(values: Sequence[float], c: Claim) -> str:
    """Return mean and standard deviation."""
    scale, unit = (100, " %") if c.percent else (1, "")
    sign = "+" if 0 in (c.holds.low, c.holds.high) else ""
    return _with_spread(fmean(values) * scale, stdev(values) * scale, sign) + unit


def _ticks(c: Claim, values: Sequence[float], needs: str = "") -> str:
    """Return a line with a tick for each run and the region, shaded, in which the sentence is true."""
    limits = [limit for limit in (c.holds.low, c.holds.high) if math.isfinite(limit)]
    low, high = min([*values, *limits]), max([*values, *limits])
    room = 0.06 * (high - low) or 1.0
    low, high = low - room, high + room

    def at(value: float) -> float:
        return (min(max(value, low), high) - low) / (high - low) * WIDTH

    left, right = at(c.holds.low), at(c.holds.high)
    places = sorted({round(at(v)) for v in values})
    # From each tick to the next: small steps compress better than places.
    ticks = f"M{places[0]} 3v10" + "".join(f"m{b - a}-10v10" for a, b in pairwise(places))
    words = f"{len(values)} runs from {min(values):.3g} to {max(values):.3g}{needs}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="ticks" role="img" aria-label="{html.escape(words)}">'
        f'<rect x="{left:.1f}" y="0" width="{right - left:.1f}" height="{HEIGHT}"/>'
        f'<path d="{ticks}"/></svg>'
    )
