"""The built site as files: what each page has, what it links to, whom it asks."""

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.site.conftest import SITE, soup, urls
from tools.guards.fences import ROOT

PAGES = [url for url in urls() if url != "404.html"]
LYCHEE = [Path(sys.executable).parent / "lychee", "--offline", "--include-fragments", "--index-files", "index.html"]


@pytest.mark.parametrize("url", PAGES)
def test_each_page_has_a_title_a_description_and_one_heading(url):
    page = soup(url)
    assert 10 < len(page.title.text) <= 60
    assert 110 <= len(page.find("meta", {"name": "description"})["content"]) <= 155
    assert len(page.find_all("h1")) == 1


def test_titles_and_descriptions_are_distinct():
    assert len({soup(u).title.text for u in PAGES}) == len(PAGES)
    assert len({soup(u).find("meta", {"name": "description"})["content"] for u in PAGES}) == len(PAGES)


@pytest.mark.parametrize("url", [url for url in PAGES if url])  # the home page counts all
def test_each_page_says_what_of_it_was_run(url):
    blocks = json.loads((SITE / "proof.json").read_text())["pages"].get(url, [])
    badge = soup(url).select_one(".facts .proof").text
    count = sum(block["kind"] == "run" for block in blocks)
    assert ("block" in badge) == (count > 0)
    if count:
        assert badge.startswith(f"{count} block")


def lychee(folder, pages="**/*.html"):
    return subprocess.run(
        [*LYCHEE, "--no-progress", "--root-dir", folder, f"{folder}/{pages}"], capture_output=True, text=True
    )


def test_all_internal_links_and_anchors_resolve():
    done = lychee(SITE)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("link", "sound"),
    [
        ("../references/", True),
        ("../nothing/", False),
        ("../references/#nothing", False),
        ("#nothing", False),
        ("../assets/nothing.css", False),
    ],
)
def test_a_planted_broken_link_is_found(tmp_path, link, sound):
    for path in SITE.iterdir():
        if path.name != "datasets":
            (tmp_path / path.name).symlink_to(path)
    html = (SITE / "datasets/index.html").read_text(encoding="utf-8")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/index.md").symlink_to(SITE / "datasets/index.md")
    planted = html.replace("</article>", f'<a href="{link}">x</a></article>', 1)
    (tmp_path / "datasets/index.html").write_text(planted, encoding="utf-8")
    done = lychee(tmp_path, "datasets/index.html")
    assert (done.returncode == 0) == sound, done.stdout


# What a browser fetches by itself; links that a reader may click are no requests.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


@pytest.mark.parametrize("url", urls())
def test_no_page_asks_another_host(url):
    page = soup(url)
    asked = [tag.get(attribute) for name, attribute in FETCHED.items() for tag in page.find_all(name)]
    asked += [tag["href"] for tag in page.find_all("link") if tag.get("rel") not in (["canonical"], ["prev"], ["next"])]
    assert [a for a in asked if a and re.match(r"(https?:)?//", a)] == []


@pytest.mark.parametrize("sheet", sorted(SITE.rglob("*.css")), ids=lambda p: p.name)
def test_no_stylesheet_asks_another_host(sheet):
    assert re.findall(r"(?:url\(\s*['\"]?|@import\s+['\"])(?:https?:)?//", sheet.read_text(encoding="utf-8")) == []


def test_notebook_pages_are_light_and_downloadable():
    for page in (SITE / "labs").glob("*/index.html"):
        html = page.read_text(encoding="utf-8")
        assert len(gzip.compress(html.encode())) < 30_000  # what a reader downloads
        assert "<style" not in html.split("</head>")[1]
        assert (page.parent / f"{page.parent.name}.py").is_file()


def test_each_formula_is_typeset():
    formulas = [formula for url in PAGES for formula in soup(url).select(".arithmatex")]
    assert len(formulas) > 80
    assert [formula for formula in formulas if not formula.math or "\\" in formula.text] == []


def test_the_proof_names_the_commit():
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    assert json.loads((SITE / "proof.json").read_text())["commit"] == head
