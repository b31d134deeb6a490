"""What clicks and keys make of a page, in all four views: axe finds nothing, and nobody loses the focus.

The search, figures with knobs, cards, quizzes, the interview and the drill are tested where they live.
"""

import pytest
from playwright.sync_api import expect

from tests.site.conftest import SETTLED, SITE, barriers, new_view, soup, urls

CONCEPT = "evaluation/progressive-evaluation/"
DRAWER = ".md-sidebar--primary"


def focused(page):
    """Return what has the focus: its words, and whether it is seen."""
    return page.evaluate(
        """() => {
          const { left, right, top, bottom } = document.activeElement.getBoundingClientRect();
          const seen = left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight;
          const name = document.activeElement.ariaLabel ?? document.activeElement.innerText;
          return [name.trim(), seen && document.activeElement.checkVisibility({ visibilityProperty: true })];
        }"""
    )


def test_a_page_of_which_all_is_open_with_code_copied(each_view, base):
    each_view.goto(base + CONCEPT)
    each_view.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    button = each_view.locator(".language-python button").first
    button.focus()
    button.press("Enter")
    expect(each_view.locator(".md-dialog")).to_contain_text("Copied")
    assert barriers(each_view) == []


def test_hints_that_open_one_after_another_with_the_keyboard(each_view, base):
    each_view.goto(base + "evaluation/normalized-entropy/")
    exercise, hints = each_view.locator("details.exercise"), each_view.locator("details.hint")
    assert hints.count() == 3
    for open_ones, each in enumerate([exercise, *hints.all()]):
        assert [hint.is_visible() for hint in hints.all()] == [i < open_ones for i in range(3)]
        each.locator("summary").focus()
        each_view.keyboard.press("Enter")
    assert barriers(each_view) == []
    exercise.locator("summary").click()
    assert [hint.is_visible() for hint in hints.all()] == [False] * 3


def test_a_link_to_an_exercise_shows_it(each_view, base):
    each_view.goto(base + "practice/exercises/")
    each_view.get_by_text("Write normalized entropy").click()
    expect(each_view).to_have_url(f"{base}evaluation/normalized-entropy/#write-normalized_entropy")
    expect(each_view.locator("#write-normalized_entropy > summary")).to_be_in_viewport()
    assert barriers(each_view) == []


def test_paper(each_view, base):
    each_view.goto(base + CONCEPT)
    each_view.emulate_media(media="print")
    assert all(hint.is_visible() for hint in each_view.locator("details.hint p").all())
    assert barriers(each_view) == []


def test_a_plan_with_ticks(each_view, base):
    each_view.goto(base + "study/")
    for box in each_view.locator(".plan input").all()[:3]:
        box.check()
    expect(each_view.locator(".progress").first).to_contain_text("Next")
    assert barriers(each_view) == []


def test_a_broken_link_with_the_pages_that_are_near(each_view, base):
    address = base + "evaluation/calibartion/"
    each_view.route(address, lambda route: route.fulfill(path=SITE / "404.html", status=404))
    each_view.goto(address)
    expect(each_view.locator(".nearest ~ ul:not(.pages) a").first).to_have_text("Calibration")
    assert barriers(each_view) == []


# The drawer of a phone


@pytest.fixture(params=["phone-light", "phone-dark"])
def phone(request, browser, base):
    page = new_view(browser, request.param)
    page.goto(base + CONCEPT)
    yield page
    page.context.close()


def opened(page):
    button = page.get_by_role("button", name="Menu")
    button.focus()
    button.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    page.evaluate(SETTLED)  # it slides


def test_an_open_drawer_is_accessible(phone):
    opened(phone)
    assert barriers(phone) == []


def test_the_focus_goes_into_the_drawer_stays_there_and_comes_back(phone):
    opened(phone)
    assert focused(phone) == ["Progressive evaluation", True]
    inside = []
    for _ in range(40):
        phone.keyboard.press("Tab")
        inside.append(phone.evaluate(f"document.activeElement.closest('{DRAWER}, body').matches('{DRAWER}')"))
        assert not inside[-1] or focused(phone)[1]
    assert inside.count(False) <= 3  # where it leaves for the browser's own controls, and comes round
    phone.keyboard.press("Escape")
    assert focused(phone) == ["Menu", True]
    assert phone.locator("[inert]").count() == 0
    opened(phone)
    phone.mouse.click(380, 400)  # beside it
    assert focused(phone) == ["Menu", True]
    for _ in range(20):  # closed, it holds nothing that is reached
        phone.keyboard.press("Tab")
        assert not phone.evaluate(f"document.activeElement.matches('{DRAWER} *')")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_sections_of_the_drawer_lead_back_and_forth(phone, key):
    opened(phone)
    phone.keyboard.press("Shift+Tab")
    phone.keyboard.press("Shift+Tab")
    assert focused(phone) == ["Evaluation & Deployment", True]
    phone.keyboard.press(key)
    expect(phone.locator(f"{DRAWER} a", has_text="How to study")).to_be_visible()
    assert focused(phone)[0] == "Evaluation & Deployment"
    phone.keyboard.press("Shift+Tab")
    assert focused(phone)[0] == "Modeling"
    phone.keyboard.press("Tab")
    phone.keyboard.press(key)
    phone.keyboard.press("Tab")
    assert focused(phone)[0] == "Normalized entropy"


def test_a_link_to_a_place_on_the_page_closes_the_drawer_and_keeps_its_place(phone):
    opened(phone)
    phone.keyboard.press("Enter")  # the contents of the page
    link = phone.locator(f"{DRAWER} .md-nav--secondary a[href='#run-it']")
    link.focus()
    link.press("Enter")
    expect(phone.locator("[inert]")).to_have_count(0)
    assert phone.url.endswith("#run-it")
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.matches('article *')")


def test_a_drawer_on_a_window_that_grows_wide_holds_nobody(phone):
    opened(phone)
    phone.set_viewport_size({"width": 1280, "height": 844})
    expect(phone.locator("[inert]")).to_have_count(0)


def test_without_javascript_the_drawer_opens_by_its_label(browser, base):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(base + CONCEPT)
    page.locator(".md-header label[for=__drawer]").click()
    expect(page.locator(f"{DRAWER} .md-nav__link", has_text="Calibration").first).to_be_visible()
    context.close()


# By keyboard alone


@pytest.mark.parametrize("url", ["", CONCEPT, "practice/mock-interview/", "practice/incident-drill/"])
def test_the_keyboard_shows_where_it_is_and_gets_on(view, base, url):
    view.goto(base + url, wait_until="networkidle")
    stops = set()
    for _ in range(45):
        view.keyboard.press("Tab")
        if view.evaluate("document.activeElement === document.body"):
            break  # through, and on to the browser's own controls
        stop, ring = view.evaluate(
            """async () => {
              await Promise.all(document.activeElement.getAnimations().map((each) => each.finished)); // it fades in
              const style = getComputedStyle(document.activeElement);
              const box = document.activeElement.getBoundingClientRect();
              const shown = document.activeElement.checkVisibility({ visibilityProperty: true, opacityProperty: true });
              const ring = `${style.outlineStyle} ${style.outlineWidth}` === "solid 3px";
              const stop = document.activeElement.outerHTML.slice(0, 200) + box.top;
              return [stop, ring && shown && box.width > 9 && box.left > -1];
            }"""
        )
        assert ring, stop
        stops.add(stop)
    assert len(stops) > 15


@pytest.mark.parametrize("url", [url for url in urls() if url in ("", "404.html", CONCEPT)])
def test_the_skip_link_leads_past_the_header(view, base, url):
    view.goto(base + url)
    view.keyboard.press("Tab")
    view.keyboard.press("Enter")
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.matches('article *')")


def test_each_page_has_a_skip_link():
    assert [url for url in urls() if not soup(url).select(".md-skip")] == []


def test_the_switch_between_light_and_dark_works_by_keyboard(view, base):
    view.goto(base)
    body = view.locator("body")
    before = body.get_attribute("data-md-color-scheme")
    switch = view.get_by_role("button", name="Switch between light and dark")
    switch.focus()
    for key, scheme in [("Space", {"default": "slate", "slate": "default"}[before]), ("Enter", before)]:
        switch.press(key)
        expect(body).to_have_attribute("data-md-color-scheme", scheme)
        expect(switch).to_be_focused()


# Before the scripts have come


def test_the_search_opens_before_its_script_and_keeps_what_was_typed(browser, base):
    page = browser.new_page()
    held = []
    page.route("**/search.js", lambda route: held.append(route))
    page.goto(base + CONCEPT, wait_until="commit")
    page.locator(".search-open").click()
    page.keyboard.type("calib")
    expect(page.get_by_role("status")).to_have_text("Loading …")
    held[0].continue_()
    expect(page.locator(".search li a").first).to_contain_text("Calibration")
    page.keyboard.type("ration")
    expect(page.locator(".search input")).to_have_value("calibration")
    page.keyboard.press("Escape")
    page.close()
