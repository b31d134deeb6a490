"""What others make of the site: pictures, data, twins, the feed, the manifest; and that no reader pays for it."""

import io
import json
import re
import zipfile
from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from tests.site.conftest import SITE, soup, urls
from tools.builders.archive import FOLDER, NAME

PAGES = [url for url in urls() if url != "404.html"]
ADDRESS = soup("").find("link", rel="canonical")["href"]
FENCE = re.compile(r"^```\w+\n(.*?)\n```$", re.MULTILINE | re.DOTALL)


def said(url, name):
    return soup(url).find("meta", {"property": name})["content"]


@pytest.mark.parametrize("url", PAGES)
def test_a_page_says_by_what_address_title_and_picture_it_is_shared(url):
    assert said(url, "og:url") == soup(url).find("link", rel="canonical")["href"] == ADDRESS + url
    assert said(url, "og:description") == soup(url).find("meta", {"name": "description"})["content"]
    assert said(url, "og:title")
    content = (SITE / said(url, "og:image").removeprefix(ADDRESS)).read_bytes()
    assert len(content) < 40_000
    assert Image.open(io.BytesIO(content)).size == (1200, 630)


def test_a_page_that_is_not_there_is_shared_with_the_picture_of_the_guide():
    assert said("404.html", "og:title") == "Page not found"
    assert said("404.html", "og:image") == said("", "og:image")
    assert said("404.html", "og:description") == soup("404.html").find("meta", {"name": "description"})["content"]
    icon, manifest = (soup("404.html").find("link", rel=rel)["href"] for rel in ("icon", "manifest"))
    assert manifest == icon.replace("assets/favicon.svg", "manifest.webmanifest")
    assert soup("404.html").find("meta", {"property": "og:url"}) is None


def test_each_page_has_a_picture_of_its_own():
    assert len({(SITE / said(url, "og:image").removeprefix(ADDRESS)).read_bytes() for url in PAGES}) == len(PAGES)


@pytest.mark.parametrize("url", PAGES)
def test_structured_data_says_what_the_page_says(url):
    (script,) = soup(url).find_all("script", type="application/ld+json")
    first, *rest = json.loads(script.string)["@graph"]
    assert (first["@type"], first["url"]) == ("LearningResource" if url else "Course", ADDRESS + url)
    asked = [" ".join(box.summary.text.split()) for box in soup(url).select("details.question")]
    assert [question["name"] for faq in rest for question in faq["mainEntity"]] == asked
    assert all(question["acceptedAnswer"]["text"] for faq in rest for question in faq["mainEntity"])


def twin(url):
    (link,) = soup(url).find_all("link", type="text/markdown")
    return (SITE / url / link["href"]).resolve()


@pytest.mark.parametrize("url", PAGES)
def test_a_twin_shows_the_code_and_the_outputs_of_its_page_and_no_other(url):
    shown = [block.text.strip("\n") for block in soup(url).select("article .highlight pre:not(.whole pre)")]
    assert [code.strip("\n") for code in FENCE.findall(twin(url).read_text(encoding="utf-8"))] == shown


@pytest.mark.parametrize("url", PAGES)
def test_each_link_of_a_twin_leads_somewhere(url):
    text = FENCE.sub("", twin(url).read_text(encoding="utf-8"))
    links = re.findall(rf"\({re.escape(ADDRESS)}([^)#]*)(?:#([^)]*))?\)", text)
    for target, anchor in links:
        assert (SITE / target).exists(), target
        if anchor:
            assert soup(target).find(id=anchor), (target, anchor)
    assert re.findall(r"\]\((?!https?://|mailto:)[^)]*\)", text) == []


@pytest.mark.parametrize("url", PAGES)
def test_a_twin_starts_with_the_title_of_its_page_and_has_no_markup(url):
    text = FENCE.sub("", twin(url).read_text(encoding="utf-8"))
    assert text.startswith(f"# {soup(url).h1.find(string=True).strip()}")
    assert re.findall(r"^(?:\?\?\?|!!!|<(?!https?:)|\{ ).*|8<--|\{ [.#].*", text, re.MULTILINE) == []


def test_the_index_for_language_models_names_each_twin():
    named = re.findall(r"^- \[.+?\]\((\S+)\): .+", (SITE / "llms.txt").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(f"{ADDRESS}{url}index.md" for url in PAGES)


def test_robots_find_the_map_of_all_pages():
    text = (SITE / "robots.txt").read_text(encoding="utf-8")
    assert f"Sitemap: {ADDRESS}sitemap.xml\n" in text
    assert "Disallow" not in text
    mapped = re.findall(r"<loc>(.*?)</loc>", (SITE / "sitemap.xml").read_text(encoding="utf-8"))
    assert sorted(mapped) == sorted(ADDRESS + url for url in PAGES)


def test_the_feed_tells_of_pages_that_are_there():
    feed = ET.parse(SITE / "feed.xml")
    ids = [element.text for element in feed.iter("{http://www.w3.org/2005/Atom}id")]
    assert len(set(ids)) == len(ids) > 0
    for content in feed.iter("{http://www.w3.org/2005/Atom}content"):
        linked = re.findall(r'href="(.*?)"', content.text)
        assert {link.removeprefix(ADDRESS) for link in linked} <= set(PAGES)


def test_a_phone_can_read_the_manifest_and_its_icons(browser, base):
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(base + "evaluation/calibration/")
    found = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["errors"] == []
    assert found["url"] == f"{base}manifest.webmanifest"
    for icon in json.loads(found["data"])["icons"]:
        content = (SITE / icon["src"]).read_bytes()
        if icon["type"] == "image/png":
            assert "x".join(map(str, Image.open(io.BytesIO(content)).size)) == icon["sizes"]
    for scheme, name in [("light", "background_color"), ("dark", "theme_color")]:
        fresh = browser.new_page(color_scheme=scheme)
        fresh.goto(base)
        ground = fresh.evaluate("getComputedStyle(document.body).backgroundColor")
        fresh.close()
        assert ground == "rgb({}, {}, {})".format(*bytes.fromhex(json.loads(found["data"])[name].removeprefix("#")))
    assert said == []
    page.close()


def test_a_reader_does_not_pay_for_it(browser, base):
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url.removeprefix(base)))
    page.goto(base + "evaluation/calibration/", wait_until="networkidle")
    assert [url for url in asked if re.search(r"share/|\.md|\.epub|feed|llms|sitemap", url)] == []
    page.close()


def test_the_archive_holds_none_of_it():
    with zipfile.ZipFile(SITE / NAME) as archive:
        names = [name.removeprefix(f"{FOLDER}/") for name in archive.namelist()]
        html = archive.read(f"{FOLDER}/changes/index.html").decode()
    assert [n for n in names if re.search(r"share/|index\.md|\.epub|feed\.xml|llms|robots|webmanifest", n)] == []
    assert re.findall(r'<link rel="(?:alternate|manifest|apple-touch-icon)', html) == []
