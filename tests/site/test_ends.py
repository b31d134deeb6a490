"""The ends of the site: a page that is not there, a mistake to report, the proof behind each badge."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.site.conftest import SITE, soup, urls


@pytest.fixture
def page(browser):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(20_000)
    yield page
    context.close()


def lost(page, base, path):
    page.route(base + path, lambda route: route.fulfill(path=SITE / "404.html", status=404))
    page.goto(base + path)
    return page.locator(".nearest ~ ul:not(.pages) a")


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("evaluation/calibartion/", "Calibration"),
        ("drift.html", "Data drift"),
        ("modeling/two-tower", "Two towers"),
        ("training_data/delayed_feedback/", "Delayed feedback"),
        ("modeling/dcn", "Deep click models"),
        ("claim/modeling", "Runs: Modeling"),
        ("claim/", "Claims"),
        ("about", "Home"),
    ],
)
def test_a_broken_link_finds_the_page_that_was_meant(page, base, path, title):
    expect(lost(page, base, path).first).to_have_text(title)


def test_what_is_like_nothing_gets_no_guess(page, base):
    expect(lost(page, base, "modeling/xyz")).to_have_count(0)


def test_an_address_in_no_encoding_is_taken_as_it_stands(page, base):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    lost(page, base, "%E0%A4%A")
    expect(page.locator(".nearest button")).to_be_visible()
    assert errors == []


def test_a_broken_link_leads_to_the_search(page, base):
    lost(page, base, "evaluation/calibration-of-models/")
    page.locator(".nearest button").click()
    field = page.locator("dialog.search input")
    expect(field).to_be_focused()
    expect(field).to_have_value("calibration of models")
    page.locator("dialog.search a").first.wait_for()


def test_without_javascript_all_pages_are_listed():
    listed = {link["href"].strip("./") for link in soup("404.html").select(".pages a")}
    assert listed == {url.strip("./") for url in urls()} - {"404.html"}


def reported(page):
    page.evaluate("document.addEventListener('click', (event) => event.preventDefault())")
    page.locator(".report a").evaluate("link => link.click()")
    address = page.locator(".report a").get_attribute("href")
    query = parse_qs(urlsplit(address).query)
    assert query["template"] == ["mistake.yml"]
    return query["page"]


def test_a_mistake_is_reported_with_its_page_and_heading(page, base):
    page.goto(base + "evaluation/drift/")
    if not page.locator(".md-header .repository").count():  # no repository is known, so there is no form either
        assert page.locator(".report").count() == 0
        return
    page.locator("#run-it").evaluate("heading => heading.scrollIntoView()")
    assert reported(page) == ['docs/evaluation/drift.md, "Run it"']
    page.evaluate("""() => getSelection().selectAllChildren(document.querySelector("#the-idea").nextElementSibling)""")
    assert reported(page) == ['docs/evaluation/drift.md, "The idea"']


def test_each_badge_leads_to_the_page_of_the_proof_which_has_its_totals():
    assert soup("evaluation/drift/").select_one("a.proof")["href"] == "../../proof/"
    proof = json.loads((SITE / "proof.json").read_text(encoding="utf-8"))
    shown = soup("proof/")
    facts = {row.th.text: row.td.text for row in shown.select(".proof-summary table:first-child tr")}
    assert facts["Commit"].startswith(proof["commit"][:12])
    assert f"{proof['totals']['run']:,}" in facts
    assert len(shown.select(".proof-pages tbody tr")) == len(proof["pages"])
    assert shown.find("a", href="../proof.json")
