"""The book of the built site: sound, whole, and with no code that the proof has not seen."""

import zipfile
from xml.etree import ElementTree as ET

import pytest

from tests.epub import HTML, epubcheck, faults
from tests.site.conftest import SITE, soup, urls
from tools.builders.epub import NAME, file_of

BOOK = SITE / NAME
WITHOUT = {"404.html", "practice/", "practice/flashcards/", "practice/mock-interview/", "proof/"}
CHAPTERS = [url for url in urls() if url not in WITHOUT]


@pytest.fixture(scope="module")
def members():
    with zipfile.ZipFile(BOOK) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_book_keeps_to_the_rules():
    assert faults(BOOK.read_bytes()) == []
    assert epubcheck(BOOK) == ""


def test_each_page_that_is_whole_without_scripts_and_proof_is_a_chapter(members):
    assert {name for name in members if "/page-" in name} == {f"book/{file_of(url)}" for url in CHAPTERS}
    contents = members["book/nav.xhtml"].decode()
    assert [url for url in CHAPTERS if f'"{file_of(url)}"' not in contents] == []


@pytest.mark.parametrize("url", CHAPTERS)
def test_a_chapter_shows_the_code_and_the_outputs_of_its_page_and_no_other(members, url):
    tree = ET.fromstring(members[f"book/{file_of(url)}"])
    shown = ["".join(block.itertext()).strip("\n") for block in tree.iter(f"{HTML}pre")]
    assert shown == [block.text.strip("\n") for block in soup(url).select("article .highlight pre:not(.whole pre)")]


@pytest.mark.parametrize("url", CHAPTERS)
def test_a_chapter_has_the_figures_of_its_page(members, url):
    tree = ET.fromstring(members[f"book/{file_of(url)}"])
    assert len(list(tree.iter(f"{HTML}figcaption"))) == len(soup(url).select("article figcaption"))
