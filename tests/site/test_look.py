"""What a reader sees first is there, no name is cut, what is pressed is large enough for a thumb and in reach."""

import pytest

from tests.site.conftest import soup, urls, wait_for

WIDTHS = [320, 390, 768, 1024, 1440]
PHASES = {url: bar for url in urls() if (bar := soup(url).select(".phases a"))}
# Of an element, whether it is shown, and whether all of its text is.
SHOWN = """all => all.filter((e) => e.getBoundingClientRect().width > 2)
  .map((e) => [e.textContent.trim(), e.scrollWidth <= e.clientWidth + 1 && e.getBoundingClientRect().height < 26])"""


@pytest.fixture(params=WIDTHS)
def wide(request, browser):
    page = browser.new_page(viewport={"width": request.param, "height": 900})
    yield page
    page.close()


@pytest.fixture
def phone(browser):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    yield page
    page.close()


def bottom(locator):
    """Return where an element ends in the window."""
    box = locator.bounding_box()
    return box["y"] + box["height"]


@pytest.mark.parametrize(("width", "height"), [(1024, 768), (1440, 900)])
def test_the_home_page_starts_at_its_top_with_both_buttons_in_view(browser, base, width, height):
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(base)
    assert page.locator("h1").bounding_box()["y"] < 250
    assert page.locator(".hero .md-button").count() == 2
    assert all(bottom(button) < height for button in page.locator(".hero .md-button").all())
    page.close()


def test_each_part_of_the_bar_of_phases_has_a_name_that_is_text():
    assert len(PHASES) > 60
    for url, bar in PHASES.items():
        names = [part.text.strip() for part in bar]
        assert len(set(names) - {""}) == 5, url
        assert not any(part.get("title") for part in bar), url  # Material would take it away on hover


def test_a_name_on_the_bar_is_shown_in_full_or_not_at_all(wide, base):
    for url in ("", *(f"{phase}/" for phase in ("problem/goal", "training-data/bias", "evaluation/calibration"))):
        wide.goto(base + url)
        shown = wide.locator(":is(.phases--head, .phases--full) .seg > span").evaluate_all(SHOWN)
        assert len(shown) in (0, 5)
        assert all(whole for _, whole in shown), shown
        crumbs = wide.locator(".crumbs")
        assert url == "" or crumbs.is_visible()


def test_no_name_of_a_phase_is_read_twice_above_its_points(browser, base):
    for width in (1440, 1024):
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.goto(base)
        on_bar = page.locator(".phases--full .seg > span").evaluate_all(SHOWN)
        size = page.locator(".outline h2").first.evaluate("h2 => getComputedStyle(h2).fontSize")
        assert (len(on_bar) == 5) == (size == "0px")
        page.close()


def test_tabs_are_large_enough_for_a_thumb_and_stand_in_line_with_the_text(browser, base):
    for width in (320, 390):
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.goto(base + "evaluation/calibration/")
        boxes = [link.bounding_box() for link in page.locator(".md-tabs__link").all()]
        assert len(boxes) == 4
        assert all(box["height"] >= 44 for box in boxes)
        padding = float(
            page.locator(".md-tabs__link").first.evaluate("e => parseFloat(getComputedStyle(e).paddingLeft)")
        )
        assert boxes[0]["x"] + padding == pytest.approx(page.locator("h1").bounding_box()["x"], abs=1)
        assert boxes[-1]["x"] + boxes[-1]["width"] - padding <= width - 15
        page.close()


def test_tabs_leave_a_phone_once_a_reader_scrolls_and_stay_on_a_desktop(browser, base):
    for width, stays in ((390, False), (1440, True)):
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.goto(base + "evaluation/calibration/")
        page.mouse.wheel(0, 900)
        wait_for(page, "scrollY > 500 && document.querySelector('.md-tabs').hidden")
        assert page.locator(".md-tabs").is_visible() == stays
        page.close()


def test_a_desktop_has_its_tabs_in_the_row_of_the_mark(browser, base):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(base + "evaluation/calibration/")
    tab, header = page.locator(".md-tabs__link").first.bounding_box(), page.locator(".md-header").bounding_box()
    assert tab["y"] + tab["height"] <= header["height"] <= 60
    assert page.locator("h1").bounding_box()["y"] < 170
    page.close()


def test_each_of_twenty_cards_is_judged_without_scrolling_on_a_phone(phone, base):
    phone.goto(base + "practice/flashcards/")
    phone.locator("text=Practise 20 cards").click()
    controls = phone.locator(".controls button")
    for _ in range(20):
        phone.get_by_role("button", name="Show the answer").click()
        again, knew = (button.bounding_box() for button in controls.all())
        assert max(bottom(button) for button in controls.all()) <= 844
        assert min(again["height"], knew["height"]) >= 44
        assert knew["x"] - again["x"] - again["width"] >= 12
        controls.last.click()
    assert phone.get_by_text("All cards with their answers").is_visible()


def test_a_sitting_hides_all_else_and_can_be_stopped(phone, base):
    phone.goto(base + "practice/flashcards/")
    phone.locator("text=Practise 20 cards").click()
    for other in (".all-cards", ".trainer select", ".trainer .state", "article > p"):
        assert not phone.locator(other).first.is_visible(), other
    phone.get_by_role("button", name="Stop").click()
    assert phone.get_by_role("button", name="Practise 20 cards").evaluate("e => e === document.activeElement")
    assert phone.get_by_text("All cards with their answers").is_visible()


def test_the_bars_of_the_overview_start_and_end_in_line_on_a_phone(phone, base):
    phone.goto(base + "practice/")
    bars = [bar.bounding_box() for bar in phone.locator(".overview .seg").all()]
    assert len(bars) == 20
    assert len({(bar["x"], bar["width"], bar["height"]) for bar in bars}) == 1
    names = phone.locator(".overview :is(th[scope], summary, [data-quiz] > a, [data-exercises] > a)").all()
    assert len({name.bounding_box()["x"] for name in names}) == 1


def test_the_pages_before_and_after_are_named_in_full_on_a_phone(browser, base):
    def widest(url):
        return max(
            (len(word) for e in soup(url).select(".md-footer__title > div") for word in e.text.split()), default=0
        )

    page = browser.new_page(viewport={"width": 320, "height": 700})
    page.goto(base + max(urls(), key=widest))
    titles = page.locator(".md-footer__title > .md-ellipsis").evaluate_all(
        "all => all.map((e) => [e.getBoundingClientRect().height > 10, e.scrollWidth <= e.clientWidth + 1])"
    )
    assert titles == [[True, True]] * 2
    page.close()


def test_of_a_page_with_very_many_sections_the_letters_are_listed():
    for url in urls():
        assert len(soup(url).select(".md-sidebar--secondary .md-nav__item")) <= 60, url
    letters = [link.text.strip() for link in soup("references/").select(".md-sidebar--secondary .md-nav__link")]
    heads = [head.text[0] for head in soup("references/").select("article h2")]
    assert letters == sorted(set(heads))


def test_nothing_but_the_lit_phase_has_its_colour_in_the_navigation(browser, base):
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(base + "evaluation/calibration/")
    dashes = page.locator('.md-nav[data-md-level="1"] > ul > .md-nav__item--nested').evaluate_all(
        """all => all.map((item) => {
          const style = getComputedStyle(item.querySelector(".md-nav__icon"), "::after");
          return [parseInt(style.width), style.backgroundColor !== "rgba(0, 0, 0, 0)"];
        })"""
    )
    scale = [0, False]  # a part that is no phase
    assert dashes == [[16, False], [16, False], [16, False], [22, False], [20, True], scale]
    page.close()
