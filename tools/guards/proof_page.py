"""Fill the page that shows the proof: totals, verdicts on the claims, and what ran on each page."""

from __future__ import annotations

from collections import Counter
from html import escape

from tools.guards.markup import SECTIONS

KINDS = {
    "run": "Python blocks run, each in a process of its own, and their outputs compared",
    "cell": "cells of labs run",
    "figure": "figures drawn at build",
    "sums": "numbers to work out in quizzes, drawn from seeds",
    "shown": "sections of tested snippets shown",
}
TRIED = "claims tried on fresh logs"
VERDICTS = {"holds": "Held", "varies": "It depends", "fails": "Failed", "undecided": "Undecided"}


def fill(html: str, proof: dict, named: dict[str, tuple[str, int]]) -> str:
    """Return the page with its two places filled; ``named`` has title and number of claims of each page's address."""
    html = html.replace('<div class="proof-summary"></div>', f'<div class="proof-summary">{_summary(proof)}</div>')
    return html.replace('<div class="proof-pages"></div>', f'<div class="proof-pages">{_pages(proof, named)}</div>')


def _summary(proof: dict) -> str:
    state = {True: "", False: " with changes that are not committed", None: ""}[proof["clean"]]
    commit = f"<code>{proof['commit'][:12]}</code> of {proof['date']}{state}" if proof["commit"] else "not known"
    facts = [("Commit", commit), ("In full", '<a href="../proof.json">proof.json</a>, a SHA-256 for each block')]
    facts += [(f"{proof['totals'].get(kind, 0):,}", words) for kind, words in KINDS.items()]
    facts.append((f"{len(proof['claims']):,}", TRIED))
    rows = "".join(f'<tr><th scope="row">{name}</th><td>{words}</td></tr>' for name, words in facts)
    return f"<table><tbody>{rows}</tbody></table>{_verdicts(proof['claims'])}"


def _verdicts(claims: dict[str, dict]) -> str:
    """Return the table of verdicts by section, and their sum."""
    counted = Counter((name.split("/")[0].replace("_", "-"), said["verdict"]) for name, said in claims.items())
    shown = {verdict: word for verdict, word in VERDICTS.items() if any(v == verdict for _, v in counted)}
    rows = [[escape(title), *(counted[section, v] for v in shown)] for section, title in SECTIONS.items()]
    sums = [sum(row[i] for row in rows) for i in range(1, len(shown) + 1)]
    if sum(sums) != len(claims):
        raise ValueError("a claim belongs to no section, or its verdict has no word")
    return _table(["Claims on fresh logs", *shown.values()], [*rows, ['<a href="../claims/">All of them</a>', *sums]])


def _pages(proof: dict, named: dict[str, tuple[str, int]]) -> str:
    rows = []
    for url, blocks in proof["pages"].items():
        count = Counter(block["kind"] for block in blocks)
        title, claims = named[url]
        link = f'<a href="../{url}">{title}</a>'
        rows.append([link, count["run"] + count["cell"], count["shown"], count["figure"], claims])
    return _table(["Page", "Blocks run", "Snippets", "Figures", "Claims tried"], rows)


def _table(head: list[str], rows: list[list]) -> str:
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{n}</td>" for n in row[1:]) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
