"""Outputs fit a phone as far as letters can be read, what copies covers no code, and paper says where it is from."""

import io

import pytest
from pypdf import PdfReader

PAGE = "evaluation/drift/"


@pytest.fixture
def phone(browser, base):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(base + PAGE, wait_until="networkidle")
    yield page
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


def test_outputs_of_up_to_66_columns_fit_a_phone_in_letters_of_10_px(phone):
    outputs = phone.locator(":is(.w46, .w50, .w54, .w58, .w62, .w66) pre code")
    assert outputs.count() > 0
    for output in outputs.all():
        assert output.evaluate("code => code.scrollWidth <= code.clientWidth + 1"), output.inner_text()
    sizes = phone.locator(".language-text pre code").evaluate_all("all => all.map((c) => getComputedStyle(c).fontSize)")
    assert all(10 <= float(size.removesuffix("px")) <= 13 for size in sizes)


def test_what_copies_covers_no_code_on_a_phone(phone):
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
