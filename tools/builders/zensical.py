"""Build the same mkdocs.yml with Zensical, and say what it leaves out: ``make zensical``.

Zensical says "No issues found" whatever it ignores, so the two built sites are compared, never its exit code.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bs4 import BeautifulSoup

from tools.builders import epub, feed
from tools.builders.archive import NAME
from tools.builders.practice import ANKI
from tools.guards.fences import ROOT

ENVIRONMENT = ROOT / ".venv-zensical"
COPY = ROOT / "build" / "zensical"
NEEDED = (
    *("mkdocs.yml", "docs", "theme", "includes", "snippets", "figures", "benchmarks", "tools"),
    *("claims", "claims.json", "requirements.txt"),  # what figures of claims read
)
COUNTED = {"figures": "figure.plot", "formulas": ".arithmatex", "terms": "abbr"}
COUNTED["code blocks"] = "div.highlight:not(.whole *) > pre"  # without the files that a hook folds into bars
# Zensical has no notebooks and no hooks: the labs may be missing, and what hooks gather on these pages.
KNOWN = "labs/"
GATHERED = {"practice/", "practice/flashcards/", "practice/mock-interview/", "practice/cheat-sheet/"}
GATHERED |= {"practice/exercises/"}
MADE = (
    f"docs/{ANKI}",
    f"docs/{NAME}",
    f"docs/{epub.NAME}",
    f"docs/{feed.NAME}",
)  # by hooks, too: here empty, so that links to them hold


def build() -> Path:
    """Build a copy of the sources in Zensical's own environment, and return the folder of the site."""
    uv = Path(sys.executable).parent / "uv"
    if not ENVIRONMENT.exists():
        subprocess.run([uv, "venv", "--quiet", ENVIRONMENT], check=True)
        requirements = ["-r", "requirements.txt", "-r", "requirements-zensical.txt"]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", ENVIRONMENT, *requirements], check=True, cwd=ROOT)
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in NEEDED:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, COPY / name)
    for name in MADE:
        (COPY / name).touch()
    command = [ENVIRONMENT / "bin" / "zensical", "build", "--strict", "--clean"]
    subprocess.run(command, check=True, cwd=COPY, env={**os.environ, "PYTHONPATH": str(COPY)})
    return COPY / "site"


def pages(site: Path) -> set[str]:
    """Return the paths that a site's own sitemap names."""
    text = (site / "sitemap.xml").read_text(encoding="utf-8")
    return {re.sub(r"^https?://[^/]+/", "", address) for address in re.findall(r"<loc>([^<]*)</loc>", text)}


def counts(page: Path) -> dict[str, int]:
    """Return how many there are of each thing that a page could lose."""
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    return {name: len(soup.select(selector)) for name, selector in COUNTED.items()}


def main() -> int:
    """Build, compare with site/, print the differences, and return 1 if one of them is new."""
    ours = ROOT / "site"
    if not (ours / "sitemap.xml").exists():
        print("there is no site/ to compare with: run `make site` first", file=sys.stderr)
        return 1
    theirs = build()
    missing = sorted(pages(ours) - pages(theirs))
    lost = []
    for page in sorted((pages(ours) & pages(theirs)) - GATHERED):
        here, there = counts(ours / page / "index.html"), counts(theirs / page / "index.html")
        lost += [f"{page or 'the entrance'}: {there[k]} {k}, not {here[k]}" for k in COUNTED if here[k] != there[k]]
    print(f"Zensical builds {len(pages(theirs))} of {len(pages(ours))} pages")
    print("\n".join([f"left out: {page}" for page in missing] + lost))
    return bool(lost) or any(not page.startswith(KNOWN) for page in missing)


if __name__ == "__main__":
    sys.exit(main())
