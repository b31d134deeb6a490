"""Outputs fit a phone in letters that can be read, what copies covers no code, and paper says where it is from."""

import io

import pytest
from pypdf import PdfReader

PAGE = "evaluation/drift/"


@pytest.fixture
def phone(browser, base):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    yield context.new_page()
    context.close()


def test_the_home_page_says_what_it_is_beside_its_first_block_on_a_wide_screen(browser, base):
    page = browser.new_page(viewport={"width": 1280, "height": 844})
    page.goto(base)
    places = (".hero", ".hero + .highlight", ".claim")
    words, code, verdict = (page.locator(place).first.bounding_box() for place in places)
    page.close()
    assert words["x"] + words["width"] < code["x"]
    middle = words["y"] + words["height"] / 2
    assert middle == pytest.approx((code["y"] + verdict["y"] + verdict["height"]) / 2, abs=24)


def test_letters_of_outputs_have_at_least_10_px_on_a_phone(phone, base):
    phone.goto(base + PAGE)
    letters = phone.locator(".language-text pre code, .language-text .cells")
    sizes = letters.evaluate_all("all => all.map((c) => getComputedStyle(c).fontSize)")
    assert letters.count() > 3
    assert all(10 <= float(size.removesuffix("px")) <= 13 for size in sizes)


def test_a_wide_output_is_copied_as_it_was_printed(browser, base):
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.goto(base + PAGE, wait_until="networkidle")
    output = page.locator(".language-text:has(.cells)").first
    printed = output.locator("code").text_content()
    assert output.locator(".cells").evaluate("e => getComputedStyle(e).display") == "grid"
    output.locator("button.md-code__button, button.md-clipboard").first.click()
    assert page.evaluate("navigator.clipboard.readText()").strip() == printed.strip()
    page.evaluate("navigator.clipboard.writeText('')")
    output.locator("code").evaluate("code => getSelection().selectAllChildren(code)")
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()").strip() == printed.strip()
    context.close()


@pytest.mark.parametrize("url", [PAGE, "features/point-in-time-joins/"])
def test_what_copies_covers_no_code_on_a_phone(phone, base, url):
    phone.goto(base + url, wait_until="networkidle")
    phone.locator("pre button").nth(3).wait_for(state="attached")  # a script puts them there
    covered = phone.evaluate(
        """() => [...document.querySelectorAll("pre:has(button)")].filter((pre) => {
          const button = pre.querySelector("button").getBoundingClientRect();
          const text = document.createRange();
          text.selectNodeContents(pre.querySelector("code"));
          return [...text.getClientRects()].some((line) =>
            line.width && line.top < button.bottom - 1 && line.bottom > button.top + 1 && line.right > button.left);
        }).map((pre) => pre.innerText.slice(0, 60))"""
    )
    assert covered == []


def test_paper_has_the_address_and_the_number_of_each_page_and_a_full_first_page(browser, base):
    page = browser.new_page()
    page.goto(base + PAGE)
    sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages]
    page.close()
    for number, sheet in enumerate(sheets, 1):
        assert base + PAGE in sheet
        assert f"{number} / {len(sheets)}" in sheet
    assert len(sheets[0]) > 700
