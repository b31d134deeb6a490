"""The archive: what it holds, and that its pages need no server."""

import zipfile

import pytest

from tools.builders.archive import NAME, file_of, unfolded, write_archive
from tools.builders.search import LOADED


@pytest.mark.parametrize(
    ("href", "file"),
    [
        ("../x/", "../x/index.html"),
        ("../x/#y", "../x/index.html#y"),
        ("..", "../index.html"),
        ("../..", "../../index.html"),
        (".", "./index.html"),
        ("./", "./index.html"),
        ("#y", "#y"),
        ("../proof.json", "../proof.json"),
        ("https://a.org/", "https://a.org/"),
        ("mailto:a@b.org", "mailto:a@b.org"),
    ],
)
def test_a_link_to_a_folder_names_the_file_in_it(href, file):
    assert file_of(href) == file


def test_an_unzipped_page_loads_nothing_before_it_is_used():
    assert unfolded('<link rel="preload" href="x"><script src="b.js"></script>') == '<script src="b.js"></script>'


def test_an_unzipped_page_names_nothing_that_is_for_machines_or_the_guide_in_another_form():
    kinds = ('alternate" type="text/markdown', "manifest", "apple-touch-icon", "canonical")
    html = "".join(f'<link rel="{kind}" href="x">' for kind in kinds)
    html += '<a href="../ml-design.epub">Book</a> <a href="../feed.xml">Feed</a><script src=""></script>{"base": ".."}'
    assert unfolded(html).startswith("Book Feed<script")


def test_an_unzipped_page_links_no_notebook():
    facts = '<ul><li>5 min</li>{}<li><a href="a.py" download>Python</a></li></ul>'
    link = '<li><a href="../../notebooks/a/b.ipynb" download>Notebook</a></li>'
    assert unfolded(facts.format(link)) == facts.format("")


def test_an_unzipped_page_turns_to_its_neighbours_and_not_to_the_archive():
    html = (
        '<link rel="next" href="../x/"><a href="../ml-design-offline.zip">All</a><script src=""></script>{"base": ".."}'
    )
    assert unfolded(html).startswith('<link rel="next" href="../x/index.html">All<script')


@pytest.fixture
def site(tmp_path):
    """Return a site with a page, what it uses by each kind of reference, and what nothing uses."""
    files = {
        "index.html": (
            '<a class="c" href="x/">x</a><a href="deck%20one.apkg?a=1&amp;b=2#c">d</a><script src="a.js"></script>'
            '<link href="s.css">'
        ),
        "x/index.html": '<img src="../p.png"><script src="../a.js"></script>',
        "s.css": "@font-face{src:url(fonts/f.woff2)format('woff2')}@import url(\"t.css\");.a{b:url('data:image/x')}",
        "t.css": "b{background:url('b.svg#x')}",
        "assets/fonts/LICENSE-inter.txt": "MIT",
        "assets/licenses/minisearch.txt": "MIT",
    }
    used = (
        "a.js",
        "b.svg",
        "p.png",
        "deck one.apkg",
        "fonts/f.woff2",
        *LOADED,
    )
    unused = ("404.html", "sitemap.xml", "a.js.map", "assets/javascripts/lunr/min/lunr.de.min.js", "t.txt")
    for name, content in {**dict.fromkeys(used + unused, "x"), **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_the_archive_holds_what_its_pages_use_and_the_licences_and_nothing_else(site):
    for _ in range(2):  # the second time, not itself
        write_archive(site)
    with zipfile.ZipFile(site / NAME) as archive:
        assert sorted(name.removeprefix("ml-design/") for name in archive.namelist()) == [
            "LICENSE.txt",
            "THIRD-PARTY.md",
            "a.js",
            "assets/fonts/LICENSE-inter.txt",
            "assets/licenses/minisearch.txt",
            "assets/minisearch/minisearch.min.js",
            "b.svg",
            "deck one.apkg",
            "fonts/f.woff2",
            "index.html",
            "p.png",
            "s.css",
            "search/texts.js",
            "search/titles.js",
            "t.css",
            "x/index.html",
        ]
        assert b"CC BY 4.0" in archive.read("ml-design/LICENSE.txt")
        assert b'href="x/index.html"' in archive.read("ml-design/index.html")
