"""The built site as a reader meets it, in headless Chromium: desktop in light, phone in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.site.conftest import urls


@pytest.mark.parametrize("url", urls())
def test_a_page_is_quiet_fits_and_is_accessible(view, base, url):
    asked, errors = [], []
    view.on("request", lambda request: asked.append(request.url))
    view.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    view.on("pageerror", lambda error: errors.append(str(error)))
    view.goto(base + url, wait_until="networkidle")
    assert [a for a in asked if not a.startswith((base, "data:", "blob:"))] == []
    assert errors == []
    assert view.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    violations = Axe().run(view).response["violations"]
    assert [(v["id"], node["html"][:120]) for v in violations for node in v["nodes"]] == []


def test_formulas_are_typeset(view, base):
    view.goto(base + "evaluation/normalized-entropy/", wait_until="networkidle")
    assert view.locator(".arithmatex").count() == view.locator(".arithmatex .katex-html").count() > 3
    assert view.locator(".katex-error").count() == 0


def test_search_finds_a_page_from_the_keyboard(view, base):
    view.goto(base)
    view.keyboard.press("/")
    view.keyboard.type("calibration", delay=20)
    first = view.locator(".md-search-result__link").first
    first.wait_for()
    assert "calibration" in first.get_attribute("href")
    view.keyboard.press("Escape")
    assert not view.locator("#__search").is_checked()


def test_the_first_tab_leads_to_the_content(view, base):
    view.goto(base + "evaluation/calibration/")
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.classList.contains('md-skip')")


def test_the_reader_can_switch_between_light_and_dark(view, base):
    view.goto(base)

    def scheme():
        return view.evaluate("document.body.getAttribute('data-md-color-scheme')")

    before = scheme()
    view.locator("[data-md-component=palette] label:not([hidden])").click()
    assert {before, scheme()} == {"default", "slate"}


def test_code_can_be_copied(browser, base):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(base + "evaluation/normalized-entropy/")
    block = page.locator(".language-python.highlight").first
    block.scroll_into_view_if_needed()
    block.locator("button.md-code__button, button.md-clipboard").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("code").inner_text().strip()
    context.close()


def test_paper_shows_the_folded_answers_and_no_navigation(browser, base):
    page = browser.new_page()
    page.goto(base + "evaluation/calibration/")
    page.emulate_media(media="print")
    assert not page.locator(".md-header").is_visible()
    assert not page.locator(".md-sidebar").first.is_visible()
    assert page.locator("details p").last.is_visible()
    page.close()
