"""Build the site, prove it, and seal it: ``python -m tools.builders.site FOLDER``, or only run its ``labs``."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bs4 import BeautifulSoup

from tools.builders import twins
from tools.builders.archive import write_archive
from tools.builders.labs import Run
from tools.guards import seal
from tools.guards.fences import ROOT
from tools.guards.html import check, with_policy
from tools.guards.proof import ProofError, prove
from tools.guards.scale import is_scale, python

# Figures run in the build's process, notebooks in kernels of their own: both import from the repository's root.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}


def run_labs() -> None:
    """Run the labs that have to run, two at once: the build would run one after the other, on one core.

    Whatever goes wrong here goes wrong in the build once more, which says what it is; but for a lab with an environment
    of its own, of which the build would only say that this is missing.
    """
    cache = ROOT / ".cache/labs"
    labs = sorted((ROOT / "docs/labs").glob("*.py"), key=lambda lab: -lab.stat().st_size)  # the longest first
    waiting = [lab for lab in labs if not Run(lab, cache).done]

    def run(lab: Path) -> None:
        seconds = Run(lab, cache).seconds_last_time()
        before = f", {seconds:.0f} s last time" if seconds else ""
        print(f"lab {waiting.index(lab) + 1} of {len(waiting)}: {lab.stem.replace('_', ' ')}{before}", flush=True)
        name = lab.relative_to(ROOT).as_posix()
        command = [python(name), "-m", "tools.builders.preview", lab, ROOT / "build/labs" / lab.stem]
        done = subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True)
        if done.returncode and is_scale(name):
            print(f"{name} failed:\n{done.stdout}{done.stderr}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, waiting))


def build(site: Path, config: Path = ROOT / "mkdocs.yml") -> None:
    """Build strictly into a folder.

    Raises
    ------
    subprocess.CalledProcessError
        If the build fails or warns: a figure or a notebook cell that raises, a broken link, a missing include.
    """
    # No --quiet: it would drop the warnings before --strict counts them.
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--clean"]
    command += ["-f", str(config), "-d", str(site.resolve())]
    subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, check=True)


def write_proof(site: Path) -> None:
    """Write the tables of the proof, which came last, into the Markdown twin of the page that shows them."""
    page, twin = site / "proof/index.html", site / "proof/index.md"
    shown = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    twins.plain(shown, shown.select_one("link[rel=canonical]")["href"])
    twin.write_text("\n".join(twins.fill(twin.read_text(encoding="utf-8"), shown)), encoding="utf-8")


def write_policies(site: Path) -> None:
    """Write onto each page the policy by which a browser refuses any script and any address that is not the site's.

    Not before the archive is packed: a page that is opened from a folder has no site.
    """
    for path in site.rglob("*.html"):
        path.write_text(with_policy(path.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> int:
    """Build and prove into the folder named on the command line; return the exit code."""
    if sys.argv[1:] == ["labs"]:
        run_labs()
        return 0
    site = Path(sys.argv[1])
    try:
        run_labs()
        build(site)
        proof = prove(site)
        write_proof(site)
        write_archive(site)  # again, now that the proof is on the pages
        write_policies(site)
    except subprocess.CalledProcessError:
        return 1
    except ProofError as error:
        print(error, file=sys.stderr)
        return 1
    if faults := check(site):
        print("\n".join(faults), "What a page may hold is listed in tools/guards/html.py.", sep="\n", file=sys.stderr)
        return 1
    seal.write(site, ROOT / "build" / f"{site.name}.sha256")
    print("proof: " + ", ".join(f"{n} {kind}" for kind, n in proof["totals"].items()) + ", nothing else")
    return 0


if __name__ == "__main__":
    sys.exit(main())
