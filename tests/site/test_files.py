"""The built site as files: what each page has, what it links to, whom it asks."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.site.conftest import SITE, urls
from tools.builders.site import build
from tools.guards.fences import ROOT

PAGES = [url for url in urls() if url != "404.html"]
LYCHEE = [Path(sys.executable).parent / "lychee", "--offline", "--include-fragments", "--index-files", "index.html"]


def soup(url):
    return BeautifulSoup((SITE / url / "index.html").read_text(encoding="utf-8"), "html.parser")


@pytest.mark.parametrize("url", PAGES)
def test_each_page_has_a_title_a_description_and_one_heading(url):
    page = soup(url)
    assert len(page.title.text) > 10
    assert 50 < len(page.find("meta", {"name": "description"})["content"]) < 260
    assert len(page.find_all("h1")) == 1


def test_titles_and_descriptions_are_distinct():
    assert len({soup(u).title.text for u in PAGES}) == len(PAGES)
    assert len({soup(u).find("meta", {"name": "description"})["content"] for u in PAGES}) == len(PAGES)


@pytest.mark.parametrize("url", PAGES)
def test_each_page_says_what_of_it_was_run(url):
    blocks = json.loads((SITE / "proof.json").read_text())["pages"].get(url, [])
    badge = soup(url).select_one(".eyebrow .proof").text
    count = sum(block["kind"] == "run" for block in blocks)
    assert ("block" in badge) == (count > 0)
    if count:
        assert badge.startswith(f"{count} block")


def lychee(folder):
    return subprocess.run(
        [*LYCHEE, "--no-progress", "--root-dir", folder, f"{folder}/**/*.html"], capture_output=True, text=True
    )


def test_all_internal_links_and_anchors_resolve():
    done = lychee(SITE)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("link", ["../nothing/", "../references/#nothing", "#nothing", "../assets/nothing.css"])
def test_a_planted_broken_link_is_found(tmp_path, link):
    copy = tmp_path / "site"
    shutil.copytree(SITE, copy)
    page = copy / "datasets/index.html"
    page.write_text(page.read_text().replace("</article>", f'<a href="{link}">x</a></article>', 1))
    assert lychee(copy).returncode != 0


# What a browser fetches by itself; links that a reader may click are no requests.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}


@pytest.mark.parametrize("url", urls())
def test_no_page_asks_another_host(url):
    path = SITE / url if url.endswith(".html") else SITE / url / "index.html"
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
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


def test_maths_is_loaded_only_where_there_is_some():
    for url in PAGES:
        page = soup(url)
        assert bool(page.select(".arithmatex")) == bool(page.find("script", src=re.compile("katex")))


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_builds_of_one_commit_are_byte_identical(tmp_path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    for name, seed in [("one", "0"), ("two", "1")]:
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        build(tmp_path / name)
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_the_proof_names_the_commit():
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    assert json.loads((SITE / "proof.json").read_text())["commit"] == head
