"""Hold the built site against what ran: every block a reader can see, against the ledger, files and cells.

The Markdown guard trusts a parser. This one trusts nothing but the HTML that is published: Python must have run, and
what stands below it must be what it printed. It writes the result to ``proof.json`` beside the site, and onto each page
how many of its blocks were run.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from tools.guards import numbers
from tools.guards.claims import DRAWN, SUMS
from tools.guards.fences import COMMANDS, FIGURE, QUERY, ROOT, fences
from tools.guards.git import clean, commit, date
from tools.guards.ledger import LEDGER, digest, sources_digest
from tools.guards.pages import python_names
from tools.guards.proof_page import fill

NOTHING = digest("")
RECORD = "claims.json"
PLAIN = (COMMANDS, QUERY)  # what a page may show that neither ran here nor was printed
# What a block of figures shows: a plot, sums of a quiz, what a drill is about, an incident with all its plots.
FIGURES = "figure.plot:not(.incident *), div.sums, div.drill, div.incident"
MARKER = re.compile(r"^[ ]*# --8<-- \[(?:start|end)(?::\w+)?\]\n", re.MULTILINE)


class ProofError(Exception):
    """The site shows Python that nothing proves to have run; the message lists all of it."""


@dataclass
class Page:
    """What one page shows, by how it was proven."""

    source: str
    blocks: list[dict] = field(default_factory=list)
    claims: int = 0

    def count(self, kind: str) -> int:
        """Return how many blocks of a kind the page shows."""
        return sum(block["kind"] == kind for block in self.blocks)


def prove(site: Path, root: Path = ROOT) -> dict:
    """Check a built site, write its proof.json and the badges on its pages, and return the proof.

    Raises
    ------
    ProofError
        If any page shows Python that did not run, or hides some that did.
    """
    if not (root / LEDGER).exists():
        raise ProofError(f"there is no {LEDGER}: run `make test-docs`")
    ledger = json.loads((root / LEDGER).read_text(encoding="utf-8"))
    if ledger["sources"] != sources_digest(root):
        raise ProofError(f"{LEDGER} was written before the snippets or the lock changed: run `make test-docs`")
    faults, pages, known = [], {}, sections(root)
    for path in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        url = path.relative_to(site).as_posix().removesuffix("index.html")
        source = _source(url, root)
        pages[url] = page = Page(source)
        ran = [b for b in ledger["blocks"] if b["page"] == f"docs/{source}"]
        found = _check(soup, page, ran, known, root)
        if source.endswith(".py"):
            found += numbers.check_lab(root / "docs" / source, BeautifulSoup(str(soup.article or soup), "html.parser"))
        faults += [f"{url or '/'}: {fault}" for fault in found]
    unseen = {b["page"] for b in ledger["blocks"] if b["page"].startswith("docs/")} - {
        f"docs/{page.source}" for page in pages.values()
    }
    faults += [f"{page} ran but is not on the site" for page in sorted(unseen)]
    if faults:
        raise ProofError("\n".join(faults))
    claims = _claims(root)
    totals = Counter(block["kind"] for page in pages.values() for block in page.blocks)
    proof = {
        "commit": commit(),
        "clean": clean(),
        "date": date(),
        "totals": dict(sorted(totals.items())),
        "claims": claims,
        "pages": {url: page.blocks for url, page in pages.items() if page.blocks},
    }
    (site / "proof.json").write_text(json.dumps(proof, indent=1) + "\n", encoding="utf-8")
    for url, page in pages.items():
        _sign(site / url / "index.html" if not url.endswith(".html") else site / url, page, totals, claims)
    if (shown_at := site / "proof/index.html").exists():
        named = {url: (_title(site / url / "index.html"), pages[url].claims) for url in proof["pages"]}
        shown_at.write_text(fill(shown_at.read_text(encoding="utf-8"), proof, named), encoding="utf-8")
    return proof


def _title(path: Path) -> str:
    """Return the title of a page, without the name of the site."""
    return re.search(r"<title>(.*?)(?: - [^-<]*)?</title>", path.read_text(encoding="utf-8"))[1]


def _source(url: str, root: Path) -> str:
    """Return the file below docs/ that a page was built from, or "" for those without one, as 404.html."""
    stem = url.rstrip("/")
    for candidate in (f"{stem}.md", f"{stem}/index.md", f"{stem}.py"):
        if (root / "docs" / candidate.lstrip("/")).is_file():
            return candidate.lstrip("/")
    return ""


def _check(soup: BeautifulSoup, page: Page, ran: list[dict], known: dict[str, str], root: Path) -> list[str]:
    """Note each proven block in the page; return what is wrong with the others."""
    faults = []
    left: dict[str, list[dict]] = defaultdict(list)
    for block in sorted(ran, key=lambda b: b["line"]):
        left[block["sha256"]].append(block)
    notebook = page.source.endswith(".py")
    source = (root / "docs" / page.source).read_text(encoding="utf-8") if page.source else ""
    written = [] if notebook else fences(source)
    plain = {digest(b.code) for b in written if b.info in PLAIN}
    cells = Counter(_cells(source)) if notebook else Counter()
    printed = NOTHING  # the digest of what must stand next
    for pre in soup.find_all("pre"):
        code = pre.get_text().strip("\n").rstrip()
        first = code.split("\n")[0]
        language = _language(pre)
        sha = digest(code)
        expected, printed = printed, NOTHING
        if expected not in (NOTHING, sha):
            faults.append(f"not what the block above printed: {first!r}")
        if language is None:
            faults.append(f"a <pre> outside of any fence shows {first!r}")
        elif not code.strip():
            faults.append("an empty code block: an include of a line range that holds nothing?")
        elif language not in python_names():
            if expected == sha or sha in plain:
                continue
            if not notebook or language != "text":  # what a cell printed is in no ledger; nothing else is text there
                faults.append(f"no block printed this: {first!r}")
        elif left[sha]:
            block = left[sha].pop(0)
            printed = block["output"]
            page.blocks.append({"kind": "run", "sha256": sha, "line": block["line"], "output": printed})
        elif cells[sha]:
            cells[sha] -= 1
            page.blocks.append({"kind": "cell", "sha256": sha})
        elif sha in known:
            kind = "whole" if pre.find_parent("details", class_="whole") else "shown"  # folded into a snippet's bar
            page.blocks.append({"kind": kind, "sha256": sha, "file": known[sha]})
        else:
            faults.append(f"Python that did not run: {first!r}")
    if printed != NOTHING:
        faults.append("what the last block printed is not shown")
    faults += [f"a block ran but is not shown: line {block['line']}" for blocks in left.values() for block in blocks]
    faults += ["a cell of the notebook ran but is not shown" for _ in cells.elements()]
    figures = len(soup.select(FIGURES))
    if page.source and not notebook:
        drawn = [digest(b.code) for b in written if b.info == FIGURE]
        if len(drawn) != figures:
            faults.append(f"{len(drawn)} figures are drawn, {figures} are shown")
        kinds = [
            "evidence" if DRAWN in b.code else "sums" if SUMS in b.code else "figure"
            for b in written
            if b.info == FIGURE
        ]
        page.blocks += [{"kind": kind, "sha256": sha} for kind, sha in zip(kinds, drawn, strict=True)]
    page.claims = len(soup.select("div.claim"))
    return faults


def _language(pre: Tag) -> str | None:
    """Return the language that the highlighter noted for a block, or None if it stands outside of any fence."""
    box = pre.find_parent("div", class_="highlight")
    if box is None:
        return None
    names = [c.removeprefix("language-") for c in box["class"] if c.startswith("language-")]
    return names[0].lower() if names else None


def _cells(text: str) -> list[str]:
    """Return the hashes of the code cells of a notebook in percent format."""
    cells = re.split(r"^# %%", text, flags=re.MULTILINE)[1:]
    return [digest(cell.strip("\n")) for cell in cells if not cell.startswith(" [markdown]") and cell.strip()]


def sections(root: Path) -> dict[str, str]:
    """Return the file of every text that a `py` fence may show, by its digest."""
    return {
        digest(part): path.relative_to(root).as_posix()
        for path in sorted((root / "snippets").rglob("*.py"))
        for part in parts(path.read_text(encoding="utf-8")).values()
    }


def parts(source: str) -> dict[str | None, str]:
    """Return the named sections of a snippet, and the whole under None, without the marks of sections."""
    named = re.findall(r"# --8<-- \[start:(\w+)\]\n(.*?)\n[ ]*# --8<-- \[end:\1\]", source, re.DOTALL)
    return {None: MARKER.sub("", source)} | {name: textwrap.dedent(text) for name, text in named}


def _claims(root: Path) -> dict[str, dict]:
    """Return the verdict on each claim, and in how many of how many runs it held, as ``claims.json`` tells it."""
    record = root / RECORD
    told = json.loads(record.read_text(encoding="utf-8"))["claims"] if record.exists() else {}
    return {
        name: {"verdict": said["verdict"]} | {k: sum(w[k] for w in said["worlds"].values()) for k in ("held", "runs")}
        for name, said in told.items()
    }


def _sign(path: Path, page: Page, totals: Counter, claims: dict[str, dict]) -> None:
    """Write onto a page how many of its blocks ran."""
    html = path.read_text(encoding="utf-8")
    depth = "../" * page_depth(path, html)
    words = []
    for kind, word in [("run", "block"), ("cell", "cell"), ("figure", "figure")]:
        if n := page.count(kind):
            words.append(f"{n} {word}{'s' * (n > 1)} run")
    if n := page.count("shown"):
        words.append(f"{n} snippet{'s' * (n > 1)} tested")
    if n := page.claims:
        words.append(f"{n} claim{'s' * (n > 1)} tried")
    html = re.sub(r'(<a class="proof"[^>]*>)(</a>)', rf"\g<1>{', '.join(words)}\2", html)
    told = f"All {totals['run']} Python blocks and {totals['cell']} lab cells on this site ran for this build"
    ran = f'{told}: <a href="{depth}proof/">the proof</a>.'
    tried = f'{len(claims)} claims were tried on fresh logs: <a href="{depth}claims/">all of them</a>.'
    html = html.replace('<p class="proof-total"></p>', f'<p class="proof-total">{ran} {tried}</p>')
    path.write_text(html, encoding="utf-8")


def page_depth(path: Path, html: str) -> int:
    """Return how many folders below the site's root a page lies, as its own base says."""
    base = re.search(r'"base": "([./]*)"', html)
    return base[1].count("..") if base else 0
