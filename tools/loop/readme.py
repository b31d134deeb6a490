"""What README.md shows: badges, ``make badges``, and a picture of the site in both schemes, ``make pictures``.

A badge is counted from the pages and from ``claims.json``. A test holds it against them, and the commands that write
blocks and claims write it anew. The picture needs a built and proven ``site/``.
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tools.builders.browser import FLAGS, find, served
from tools.builders.pictures import text_width
from tools.builders.tokens import colours
from tools.guards.fences import ROOT, RUN, fences

README, PICTURES = Path("README.md"), Path(".github/pictures")
WIDTH, HEIGHT = 1200, 730  # of the window: what the home page says, beside its block and its claim
SCALE = 2
SCHEMES = ("light", "dark")
FONT = "Inter,'Segoe UI',Helvetica,Arial,sans-serif"
SIZE, PAD, BADGE_HEIGHT = 12, 8, 22
BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{label}: {value}">
  <title>{label}: {value}</title>
  <rect width="{width}" height="{height}" rx="4" fill="{dark}"/>
  <path d="M{middle} 0h{right}a4 4 0 0 1 4 4v14a4 4 0 0 1-4 4H{middle}z" fill="{colour}"/>
  <g fill="#fff" font-family="{font}" font-size="{size}">
    <text x="{pad}" y="15" textLength="{label_width}">{label}</text>
    <text x="{value_x}" y="15" textLength="{value_width}" font-weight="600">{value}</text>
  </g>
</svg>
"""


def counts(root: Path = ROOT) -> dict[str, tuple[str, str]]:
    """Return the badges by their file: what each counts, and how many there are.

    Blocks are those of the pages, each of which runs in CI. A claim held if its sentence did on fresh logs; of the
    others, the pages say that it depends, or that it failed.
    """
    pages = (path.read_text(encoding="utf-8") for path in (root / "docs").rglob("*.md"))
    blocks = sum(block.info == RUN for text in pages for block in fences(text))
    claims = json.loads((root / "claims.json").read_text(encoding="utf-8"))["claims"].values()
    held = sum(claim["verdict"] == "holds" for claim in claims)
    return {
        "blocks.svg": ("blocks run in CI", f"{blocks:,}"),
        "claims.svg": ("claims that held", f"{held:,} of {len(claims):,}"),
    }


def badge(label: str, value: str) -> str:
    """Return a badge as SVG. Its letters take the width that is set, whatever font there is."""
    label_width, value_width = (text_width(text, SIZE, weight) for text, weight in ((label, 400), (value, 600)))
    middle = 2 * PAD + label_width
    return BADGE.format(
        label=label,
        value=value,
        width=middle + 2 * PAD + value_width,
        height=BADGE_HEIGHT,
        middle=middle,
        right=2 * PAD + value_width - 4,
        dark=colours()["ink-2"][0],
        colour=colours()["held"][0],
        font=FONT,
        size=SIZE,
        pad=PAD,
        label_width=label_width,
        value_x=middle + PAD,
        value_width=value_width,
    )


def badges(root: Path = ROOT) -> dict[Path, str]:
    """Return the files of the badges, and the README, which says the same to those who see no pictures."""
    text = (root / README).read_text(encoding="utf-8")
    files = {}
    for name, (label, value) in counts(root).items():
        path = PICTURES / name
        files[path] = badge(label, value)
        text = re.sub(rf"!\[[^]]*\]\({re.escape(path.as_posix())}\)", f"![{label}: {value}]({path.as_posix()})", text)
    return files | {README: text}


def write(root: Path = ROOT) -> None:
    """Write the badges."""
    for path, text in badges(root).items():
        (root / path).write_text(text, encoding="utf-8")


def photograph(browser: Browser, site: Path, scheme: str) -> bytes:
    """Return a picture of the home page of a built site, in one of the schemes."""
    with served(site) as base:
        view = {"width": WIDTH, "height": HEIGHT}
        page = browser.new_page(color_scheme=scheme, viewport=view, device_scale_factor=SCALE)
        page.goto(base, wait_until="networkidle")
        picture = page.screenshot()
        page.close()
    webp = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert("RGB").save(webp, "WEBP", quality=70, method=6)
    return webp.getvalue()


def main() -> int:
    """Write the badges, and pictures of the site that the command line may name; return the exit code."""
    write()
    if not sys.argv[1:]:
        return 0
    site = Path(sys.argv[1])
    if not (site / "proof.json").is_file():
        print(f"{site}/ is no proven site: make site builds one", file=sys.stderr)
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find(), args=list(FLAGS))
        for scheme in SCHEMES:
            path = PICTURES / f"home-{scheme}.webp"
            (ROOT / path).write_bytes(photograph(browser, site, scheme))
            print(f"{path}: {(ROOT / path).stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
