"""Measure ten kinds of pages with Lighthouse, weigh the site, check its HTML: ``python -m tools.loop.lighthouse``.

What is measured goes as two tables into ``tests/site/README.md``; ``--weigh`` renews the second alone, without Node.
The exit code is 1 where a page misses what it must reach, or is no valid HTML.
"""

from __future__ import annotations

import functools
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from statistics import median

from bs4 import BeautifulSoup

from tools.builders.browser import FLAGS, Quiet, find, served
from tools.guards.fences import ROOT

SITE, README = ROOT / "site", ROOT / "tests/site/README.md"
VERSION = "13.5.0"
CHECKER = "vnu-jar@26.9.27"  # the checker of the W3C; it fetches a Java where there is none
# Material's own faults, which no browser minds.
KNOWN = re.compile(
    "Attribute .autocomplete. is only allowed when the input type is|"
    "Bad value .. for attribute .tabindex. on element .label.|"
    "The value of the .for. attribute of the .label. element must be the ID of a non-hidden form control"
)
RUNS = 3
PAGES = {
    "Home": "",
    "Formulas": "evaluation/normalized-entropy/",
    "Figure with knobs": "evaluation/calibration/",
    "Longest page": "evaluation/ab-tests/",
    "Lab": "labs/practical_lessons/",
    "Mock interview": "practice/mock-interview/",
    "Flashcards": "practice/flashcards/",
    "Quiz": "evaluation/quiz/",
    "Claims": "claims/",
    "Page not found": "404.html",
}
LEAST = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
TEXT = {".html", ".css", ".js", ".json", ".svg", ".webmanifest", ".txt", ".xml", ".md"}


class Host(Quiet):
    """Serves a folder as GitHub Pages does: text compressed and in UTF-8, kept for ten minutes, and 404.html."""

    protocol_version = "HTTP/1.1"

    def send_head(self):
        """Return what is sent, after its headers."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        found = path.is_file()
        path = path if found else Path(self.directory) / "404.html"
        content, kind = path.read_bytes(), self.guess_type(path)
        self.send_response(200 if found else 404)
        if path.suffix in TEXT:
            content, kind = gzip.compress(content), f"{kind}; charset=utf-8"
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        return io.BytesIO(content)


def run(url: str) -> dict:
    """Return the report of one run."""
    command = ["npx", "--yes", f"lighthouse@{VERSION}", url, "--quiet", "--output=json"]
    command += [f"--only-categories={','.join(LEAST)}", f"--chrome-flags=--headless=new {' '.join(FLAGS)}"]
    environment = {**os.environ, "CHROME_PATH": find() or ""}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def scores(reports: list[dict]) -> list[int]:
    """Return the median of each category over the runs of a page, of 100; what could not be measured is 0."""
    return [round(100 * median(report["categories"][name]["score"] or 0 for report in reports)) for name in LEAST]


def missed(found: list[int]) -> list[str]:
    """Return the categories in which a page has less than it must."""
    return [name for (name, least), score in zip(LEAST.items(), found, strict=True) if score < least]


def measure(site: Path) -> tuple[str, bool]:
    """Return the scores of all kinds of pages as a table, and whether one missed; say them as they come."""
    rows, speeds, failed = [], [], False
    with served(site, Host) as base:
        for kind, url in PAGES.items():
            reports = [run(base + url) for _ in range(RUNS)]
            speeds += [report["environment"]["benchmarkIndex"] for report in reports]
            found = scores(reports)
            blocked, bytes_ = (
                median(report["audits"][audit]["numericValue"] for report in reports)
                for audit in ("total-blocking-time", "total-byte-weight")
            )
            rows.append([kind, *found, f"{blocked:.0f} ms", f"{bytes_ / 1000:.0f} kB"])
            failed |= bool(missed(found))
            print(f"{kind}: {', '.join(map(str, found))}", *missed(found), sep="  ", flush=True)
    head = ["Page", *(f"{name.replace('-', ' ').capitalize()}" for name in LEAST), "Blocked", "First view"]
    index = f"{median(speeds):.0f} (from {min(speeds):.0f} to {max(speeds):.0f})"
    said = f"Medians of {RUNS} runs on {date.today():%d %B %Y}, Lighthouse {VERSION}; the machine's index was {index}."
    return f"{said}\n\n{table([head, *rows])}", failed


def weigh(site: Path) -> list[list[str]]:
    """Return the rows of what the site weighs: all of it, its largest page, what a first view of a page takes."""
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    pages = [path for path in sizes if path.suffix == ".html"]
    views = {path.relative_to(site).as_posix().removesuffix("index.html"): first_view(path) for path in pages}
    heaviest = max(views, key=views.get)
    return [
        ["All files", f"{len(sizes):,}", megabytes(sum(sizes.values()))],
        ["Pages, compressed", f"{len(pages):,}", megabytes(sum(map(compressed, pages)))],
        ["First view, median", "", kilobytes(median(views.values()))],
        ["First view, largest", f"`{heaviest}`", kilobytes(views[heaviest])],
        ["Archive for reading offline", "", megabytes(sizes[site / "ml-design-offline.zip"])],
    ]


@functools.cache
def compressed(path: Path) -> int:
    """Return the bytes of a file as a host sends it."""
    return len(gzip.compress(path.read_bytes(), mtime=0)) if path.suffix in TEXT else path.stat().st_size


def first_view(path: Path) -> int:
    """Return the bytes of a page with the stylesheets, scripts and fonts that it names, each compressed."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    named = [tag["src"] for tag in soup.select("script[src]")]
    named += [tag["href"] for tag in soup.select("link:is([rel=stylesheet], [rel=preload], [rel=icon])")]
    site = next(folder for folder in path.parents if (folder / "404.html").is_file())
    found = {site / name[name.find("assets/") :] for name in named}
    found |= {site / "assets/fonts/jetbrains-mono-latin-400-normal.woff2"}  # of all code, named by a stylesheet
    return compressed(path) + sum(map(compressed, found))


def invalid(site: Path) -> list[str]:
    """Return the faults of the HTML of a site, but for Material's own."""
    files = sorted(map(str, site.rglob("*.html")))
    command = ["npx", "--yes", CHECKER, "--errors-only", "--format", "json", *files]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True)
    return [
        f"{fault['url']}: line {fault.get('lastLine')}: {fault['message']}"
        for fault in json.loads(done.stderr)["messages"]
        if not (KNOWN.match(fault["message"]) and "md-" in fault["extract"])
    ]


def megabytes(size: float) -> str:
    """Return a size as a reader says it."""
    return f"{size / 1e6:.1f} MB"


def kilobytes(size: float) -> str:
    """Return a size as a reader says it."""
    return f"{size / 1e3:.0f} kB"


def table(rows: list[list]) -> str:
    """Return rows as a table of Markdown."""
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def write(heading: str, text: str, readme: Path = README) -> None:
    """Replace what stands in the README below a heading."""
    before, rest = readme.read_text(encoding="utf-8").split(f"## {heading}\n")
    behind = rest[at:] if (at := rest.find("\n## ")) >= 0 else ""
    readme.write_text(f"{before}## {heading}\n\n{text}\n{behind}", encoding="utf-8")


def main() -> int:
    """Measure and weigh ``site/``; return the exit code."""
    if not (SITE / "index.html").is_file():
        print("there is no site/: make site builds it", file=sys.stderr)
        return 1
    write("What it weighs", table([["What", "", "Size"], *weigh(SITE)]))
    if sys.argv[1:] == ["--weigh"]:
        return 0
    if not shutil.which("npx"):
        print("Lighthouse comes from npm: install Node 22.19 or newer", file=sys.stderr)
        return 1
    print(*(faults := invalid(SITE)), f"{len(faults)} faults of HTML", sep="\n", flush=True)
    text, failed = measure(SITE)
    write("What Lighthouse says", text)
    return int(failed or bool(faults))


if __name__ == "__main__":
    sys.exit(main())
