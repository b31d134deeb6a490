"""The built site as a reader meets it, in headless Chromium: desktop and phone, in light and in dark."""

import secrets

import pytest
from playwright.sync_api import expect

from tests.site.conftest import VIEWS, faults, urls

# One of each kind in all four views; each other page on a phone, where least fits, in turn light or dark.
KINDS = ["", "404.html", "evaluation/quiz/", "features/leakage/", "labs/leakage_clinic/", "modeling/two-towers/"]
KINDS += ["claims/", "claims/labs/"]
KINDS += ["practice/", "practice/feed-ranking/", "practice/flashcards/", "practice/mock-interview/", "proof/", "study/"]
PHONES = [name for name in VIEWS if name.startswith("phone")]
SEEN = [(url, name) for i, url in enumerate(urls()) for name in (VIEWS if url in KINDS else [PHONES[i % 2]])]


@pytest.mark.parametrize(("tab", "url"), [(name, url) for url, name in SEEN], indirect=["tab"])
def test_a_page_is_quiet_fits_and_is_accessible(tab, base, url):
    assert faults(tab, base, url) == []


SOUND = '<!doctype html><html lang="en"><title>A page</title><meta name="viewport" content="width=device-width">'
SCROLLS = "scrollable-region-focusable"
PALE, DARK = 'style="color: #ddd"', 'style="background: #222"'
SOUND += "<main><h1>A page</h1><pre><code><span>a</span> <span>b</span></code></pre>{}</main>"


@pytest.mark.parametrize(
    ("planted", "kinds"),
    [
        ("", set()),
        ('<script src="http://localhost:1/x.js"></script>', {"asks", "says"}),
        ('<script>console.error("x")</script>', {"says"}),
        ("<script>setTimeout(() => { throw new Error('late') }, 400)</script>", {"says"}),
        (f"<!-- {secrets.token_hex(310_000)} -->", {"weighs"}),
        ('<p style="width: 2000px">x</p>', {"is wider than the window"}),
        (
            f'<div class="language-text"><code style="display: block; overflow: auto">{"x" * 500}</code></div>',
            {"scrolls", "scrollable-region-focusable"},
        ),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', {"image-alt"}),
        ('<a href="#" style="font-size: 9px">one</a><br>' * 3, {"target-size"}),
        ('<div style="height: 20px; overflow-y: scroll"><p style="height: 90px">x</p></div>', {SCROLLS}),
        (f'<p style="content-visibility: auto; margin-top: 9000px"><span {PALE}>one</span></p>', {"color-contrast"}),
        (f"<pre><code><span {PALE}>=</span> <span>one</span> <span {PALE}>two</span></code></pre>", {"color-contrast"}),
        (f"<pre><code><span>one</span> <b {DARK}><span>two</span></b></code></pre>", {"color-contrast"}),
        (f"<ul><li>one</li><li>two</li><li {DARK}>three</li></ul>", {"color-contrast"}),
        (f"<p><span {PALE} aria-disabled='true'>one</span> <span {PALE}>two</span></p>", {"color-contrast"}),
    ],
    ids=[
        "nothing",
        "host",
        "console",
        "late error",
        "weight",
        "width",
        "width of an output",
        "image",
        "target",
        "scrolls",
        "far below",
        "colour of a word",
        "ground of a word",
        "ground of an item",
        "the first is not judged",
    ],
)
def test_each_fault_is_found(tab, base, planted, kinds):
    address = f"planted/{secrets.token_hex(4)}/"  # weights are kept by address
    tab.route(f"**/{address}", lambda route: route.fulfill(body=SOUND.format(planted), content_type="text/html"))
    assert {kind for kind, _ in faults(tab, base, address)} == kinds


def test_formulas_are_typeset_without_javascript(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + "evaluation/normalized-entropy/")
    assert page.locator(".arithmatex").count() == page.locator(".arithmatex math").count() > 3
    assert "\\" not in "".join(page.locator(".arithmatex").all_inner_texts())
    fraction = page.locator("math[display=block] mfrac").first.bounding_box()
    assert fraction["height"] > 1.5 * page.locator("math:not([display])").first.bounding_box()["height"]  # two lines
    context.close()


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


def read_pages(page):
    return page.evaluate("JSON.parse(localStorage.getItem('ml-design.read') || '{}')")


@pytest.fixture
def phone(browser):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def test_what_was_read_is_remembered_across_pages_and_reloads(phone, base):
    phone.goto(base + "problem/goal/")
    phone.get_by_label("I have read this page").check()
    phone.goto(base + "study/")
    box = phone.get_by_label("Read: The ultimate goal", exact=True).last
    assert box.is_checked()
    assert phone.locator(".progress").first.inner_text().startswith("1 of 7 pages read")
    assert phone.locator(".progress").nth(1).inner_text().startswith("1 of 16 pages read")
    done = "bars => bars.slice(5, 10).map(bar => bar.style.getPropertyValue('--done'))"
    assert phone.locator(".phases--done .seg").evaluate_all(done) == ["0.25", "0", "0", "0", "0"]
    phone.reload()
    assert box.is_checked()
    assert list(read_pages(phone)) == ["problem/goal/"]
    phone.goto(base)
    assert phone.locator(".outline a.is-read").all_inner_texts() == ["The ultimate goal"]
    phone.goto(base + "study/")
    box.uncheck()
    assert read_pages(phone) == {}


def test_progress_leads_to_the_next_page_that_was_not_read(phone, base):
    phone.goto(base + "study/")
    plan = phone.locator(".plan input")
    plan.nth(0).check()
    plan.nth(2).check()
    following = phone.locator(".progress").first.locator("a")
    assert following.inner_text() == "The ultimate goal"
    following.click()
    assert phone.url == base + "problem/goal/"


def test_progress_works_from_the_keyboard(phone, base):
    phone.goto(base + "study/")
    phone.locator(".plan input").first.focus()
    phone.keyboard.press("Space")
    assert list(read_pages(phone)) == ["problem/rubric/"]
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.textContent") == "What interviewers score"


@pytest.mark.parametrize("stored", ["{", "[]", "3", "null", '{"problem/goal/": 3}', '["a"]'])
def test_a_store_that_cannot_be_read_is_put_aside(phone, base, stored):
    errors = []
    phone.on("pageerror", lambda error: errors.append(str(error)))
    phone.goto(base)
    phone.evaluate("text => localStorage.setItem('ml-design.read', text)", stored)
    phone.goto(base + "problem/goal/")
    box = phone.get_by_label("I have read this page")
    assert not box.is_checked()
    assert phone.evaluate("localStorage.getItem('ml-design.read.unreadable')") == stored
    box.check()
    assert list(read_pages(phone)) == ["problem/goal/"]
    assert errors == []


def test_a_browser_that_stores_nothing_still_ticks(browser, base):
    context = browser.new_context()
    context.add_init_script("Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('no') }")
    page = context.new_page()
    page.goto(base + "study/")
    page.locator(".plan input").first.check()
    assert page.locator(".progress").first.inner_text().startswith("1 of 7 pages read")
    context.close()


def test_two_tabs_show_the_same(browser, base):
    context = browser.new_context()
    one, two = context.new_page(), context.new_page()
    for tab in (one, two):
        tab.goto(base + "study/")
    one.locator(".plan input").first.check()
    expect(two.locator(".plan input").first).to_be_checked()
    context.close()


def test_without_javascript_the_plan_is_all_there(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + "study/")
    assert page.locator(".plan li a").count() > 50
    assert page.locator(".plan h2 .reading").count() == 5
    assert page.locator(".plan input").count() == 0
    context.close()


def test_each_box_of_the_system_leads_to_its_page(phone, base):
    phone.goto(base + "problem/system/")
    boxes = phone.locator(".diagram a")
    assert boxes.count() == 14
    for i in range(boxes.count()):
        href = boxes.nth(i).get_attribute("href")
        assert phone.request.get(base + "problem/system/" + href).ok, href
    boxes.nth(1).click()
    phone.wait_for_url("**/modeling/two-towers/")
