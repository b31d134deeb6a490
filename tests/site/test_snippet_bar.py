"""The bar above a snippet, in a browser: the file opens in place, and its button copies the file."""

import pytest

from tests.site.conftest import SITE, barriers, soup, urls
from tools.guards.fences import ROOT
from tools.guards.proof import parts

PAGE = "evaluation/debugging/"
SHOWN = [(url, bar) for url in urls() for bar in soup(url).select(".snippet-file")]


def source(file):
    return parts((ROOT / file).read_text(encoding="utf-8"))[None].strip("\n")


def test_each_page_holds_the_whole_of_each_file_that_it_shows():
    pages = {url for url, _ in SHOWN}
    assert len(pages) > 30
    for url in pages:
        bars = [bar for page, bar in SHOWN if page == url]
        whole = {bar.code.text: bar.pre.text for bar in bars if bar.pre}
        named = {bar.code.text for bar in bars if "Whole file" in bar.text}
        assert whole.keys() == named, url
        assert [file for file, text in whole.items() if text.strip("\n") != source(file)] == [], url


def test_the_snippets_and_their_tests_are_served_as_they_are():
    served = [*SITE.glob("snippets/**/*.py"), *SITE.glob("tests/**/*.py")]
    assert len(served) > 90
    assert [path for path in served if path.read_bytes() != (ROOT / path.relative_to(SITE)).read_bytes()] == []


def test_a_file_opens_below_its_bar_and_hinders_nobody(view, base):
    view.goto(base + PAGE)
    bar = view.locator(".snippet-file").first
    summary, code = bar.locator("summary"), bar.locator("pre")
    assert not code.is_visible()

    def line():
        """Return where in the bar its links are, whatever the page was scrolled by."""
        return summary.bounding_box()["y"] - bar.bounding_box()["y"]

    before = line()
    summary.focus()
    view.keyboard.press("Enter")
    assert code.is_visible()
    assert line() == before
    assert code.bounding_box()["y"] > summary.bounding_box()["y"] + summary.bounding_box()["height"]
    assert barriers(view) == []


def test_its_button_copies_the_file(browser, base):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(base + PAGE)
    bar = page.locator(".snippet-file").first
    bar.locator("summary").click()
    bar.locator("pre").hover()
    bar.locator("button").first.click()
    assert page.evaluate("navigator.clipboard.readText()").strip("\n") == source(bar.locator("> code").inner_text())
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_later_bar_of_a_file_leads_to_the_first(browser, base, scripts):
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    url, later = next((url, bar) for url, bar in SHOWN if bar.find("a", string="Whole file"))
    page.goto(base + url)
    target = later.find("a", string="Whole file")["href"]
    page.locator(f".snippet-file > a[href='{target}']").first.click()
    assert page.url == f"{base}{url}{target}"
    assert page.locator(f"{target} > summary").is_visible()
    context.close()


def test_paper_shows_the_name_of_the_file_and_not_all_of_it(browser, base):
    page = browser.new_page()
    page.goto(base + PAGE)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    page.emulate_media(media="print")
    bar = page.locator(".snippet-file").first
    assert bar.locator("> code").is_visible()
    assert not bar.locator("pre").is_visible()
    page.close()
