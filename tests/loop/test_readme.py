"""README.md is the page by which people judge the guide: its badges are counted, its pictures and links are there."""

import json
import re

import pytest
from markdown import markdown
from PIL import Image

from tools.guards.fences import ROOT
from tools.guards.html import elements
from tools.loop import readme

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
LINKS = re.findall(r'\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"', TEXT)
# What GitHub has beside the files of a branch: no one else knows these addresses, nor the repository's own.
BESIDE = {"../../actions/workflows/ci.yml", "../../actions/workflows/ci.yml/badge.svg", "../../deployments"}
PAGE = "# T\n\n```python\nx = 1\n```\n\n```python\nx = 2\n```\n\n```console\nmake test\n```\n"
CLAIMS = {"a": {"verdict": "holds"}, "b": {"verdict": "varies"}, "c": {"verdict": "holds"}}
README = """# T

[![old: 7](.github/pictures/blocks.svg)](CONTRIBUTING.md) ![x](.github/pictures/claims.svg) ![y](other.svg)
"""


@pytest.fixture
def root(tmp_path):
    files = {
        "docs/a.md": PAGE,
        "docs/part/b.md": "```python\nx = 3\n```\n",
        "claims.json": json.dumps({"claims": CLAIMS}),
        "README.md": README,
        ".github/pictures/blocks.svg": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_the_badges_say_what_the_pages_and_the_record_of_claims_say():
    stale = [str(path) for path, text in readme.badges().items() if (ROOT / path).read_text(encoding="utf-8") != text]
    assert stale == [], "make badges counts them anew"


def test_blocks_that_run_and_claims_that_held_are_counted(root):
    assert readme.counts(root) == {
        "blocks.svg": ("blocks run in CI", "3"),
        "claims.svg": ("claims that held", "2 of 3"),
    }


def test_the_readme_says_what_its_badges_say_and_keeps_the_rest(root):
    readme.write(root)
    assert (root / "README.md").read_text() == README.replace("old: 7", "blocks run in CI: 3").replace(
        "![x]", "![claims that held: 2 of 3]"
    )
    assert (root / ".github/pictures/claims.svg").read_text() == readme.badge("claims that held", "2 of 3")
    readme.write(root)
    assert readme.badges(root)[readme.README] == (root / "README.md").read_text()


def test_a_badge_is_a_drawing_whose_words_fit_beside_each_other():
    svg, _, _, right, _, *words = list(elements(readme.badge("claims that held", "2 of 3")))
    assert [word.text for word in words] == ["claims that held", "2 of 3"]
    (start, width), (after, rest) = ((int(word.attributes["x"]), int(word.attributes["textlength"])) for word in words)
    middle = int(re.match(r"M(\d+) ", right.attributes["d"])[1])
    assert 0 < start < start + width < middle < after < after + rest < int(svg.attributes["width"])


@pytest.mark.parametrize("scheme", readme.SCHEMES)
def test_the_picture_of_the_site_is_sharp_and_light(scheme):
    path = ROOT / readme.PICTURES / f"home-{scheme}.webp"
    assert path.stat().st_size < 150_000
    with Image.open(path) as picture:
        assert picture.size == (readme.WIDTH * readme.SCALE, readme.HEIGHT * readme.SCALE)
        brightness = picture.convert("L").resize((1, 1)).getpixel((0, 0))
    assert (brightness > 128) == (scheme == "light")


def test_each_picture_is_shown_and_no_other():
    shown = {link for pair in LINKS for link in pair if link.startswith(".github/pictures/")}
    assert shown == {path.relative_to(ROOT).as_posix() for path in (ROOT / readme.PICTURES).iterdir()}


def test_the_two_commands_stand_before_the_first_heading():
    start = TEXT.split("\n## ")[0]
    assert "```console\nmake serve\nmake test\n```" in start


def test_each_link_leads_to_a_file_or_a_heading_that_is_there():
    dead = []
    for link in {link for pair in LINKS for link in pair if link and not link.startswith("https://")} - BESIDE:
        name, _, anchor = link.partition("#")
        path = ROOT / (name or "README.md")
        if not path.exists() or (anchor and f'id="{anchor}"' not in markdown(path.read_text(), extensions=["toc"])):
            dead.append(link)
    assert dead == []


def test_no_picture_is_taken_of_a_site_that_is_not_proven(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(readme, "write", lambda: None)
    monkeypatch.setattr("sys.argv", ["readme", str(tmp_path)])
    assert readme.main() == 1
    assert "is no proven site" in capsys.readouterr().err
