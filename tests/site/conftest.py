"""The built site, served on this machine, a browser to look at it, and what a page may not do there."""

import functools
import gzip
from datetime import timedelta

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright

from tools.builders.browser import FLAGS, find, served
from tools.guards.fences import ROOT

SITE = ROOT / "site"
VIEWS = {
    "desktop-light": ("light", 1280),
    "phone-dark": ("dark", 390),
    "desktop-dark": ("dark", 1280),
    "phone-light": ("light", 390),
}
TWO = tuple(VIEWS)[:2]  # both widths and both schemes


def urls():
    """Return the address of every page, relative to the site's root."""
    return [p.relative_to(SITE).as_posix().removesuffix("index.html") for p in sorted(SITE.rglob("*.html"))]


@functools.cache
def soup(url):
    """Return a page of the site, parsed once for all tests: read it, leave it as it is."""
    path = SITE / url if url.endswith(".html") else SITE / url / "index.html"
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="session")
def base():
    with served(SITE) as base:
        yield base


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=find(), args=list(FLAGS))


def new_view(browser, name):
    """Return a fresh tab in one of the views."""
    scheme, width = VIEWS[name]
    return browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844}).new_page()


@pytest.fixture(params=TWO)
def view(request, browser):
    page = new_view(browser, request.param)
    yield page
    page.context.close()


@pytest.fixture(params=VIEWS)
def each_view(request, browser):
    page = new_view(browser, request.param)
    yield page
    page.context.close()


@pytest.fixture(scope="session", params=TWO)
def tab(request, browser):
    """One tab for many pages: a context for each would take longer than the page. It keeps no files."""
    page = new_view(browser, request.param)
    page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    yield page
    page.context.close()


def stored(page, kind):
    """Return what the browser keeps of a kind."""
    return page.evaluate(f"JSON.parse(localStorage.getItem('ml-design.{kind}'))")


@pytest.fixture
def phone(browser):
    """A phone whose clock the test moves."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, accept_downloads=True, timezone_id="Asia/Tokyo"
    )
    page = context.new_page()
    page.clock.install(time="2026-03-01T08:59:59+09:00")
    page.clock.pause_at("2026-03-01T09:00:00+09:00")
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    assert page.errors == []
    context.close()


def later(page, **time):
    """Let the browser's clock run on, and the scripts with it."""
    page.clock.fast_forward(int(timedelta(**time).total_seconds()) * 1_000)


def wait_for(page, expression):
    """Wait until an expression holds: the page's policy forbids Playwright's own way where it does not hold at once."""
    for _ in range(100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


WEIGHTS = {}


def weight(response):
    """Return the bytes of a response as a host sends it: compressed."""
    if response.url not in WEIGHTS:
        WEIGHTS[response.url] = len(gzip.compress(response.body()))
    return WEIGHTS[response.url]


def faults(page, base, url):
    """Load a page once; return all that a reader must not meet: requests elsewhere, errors, weight, width, barriers."""
    asked, got, said = [], [], []
    listeners = {
        "request": lambda request: asked.append(request.url),
        "response": lambda response: got.append(response),
        "console": lambda message: said.append(message.text) if message.type == "error" else None,
        "pageerror": lambda error: said.append(str(error)),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    try:
        page.goto(base + url)
        found = barriers(page)
        page.wait_for_load_state("networkidle")  # half a second without requests; errors may come as late as that
        found += [("asks", a) for a in asked if not a.startswith((base, "data:", "blob:"))]
        found += [("says", text) for text in said]
        if (total := sum({response.url: weight(response) for response in got}.values())) >= 300_000:
            found.append(("weighs", total))
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
    page.evaluate("localStorage.clear(), sessionStorage.clear()")
    return found


# Nothing is left out of the layout because it is far from what is seen (docs/assets/css/site.css).
LAID_OUT = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { content-visibility: visible !important; }");
  document.adoptedStyleSheets.push(sheet);
}"""
# Fonts are there, what was asked for is drawn, nothing moves any more.
SETTLED = """async () => {
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  // Material makes code that scrolls reachable once it has been laid out: give it two seconds.
  const hidden = (code) => code.scrollWidth > code.clientWidth && !code.hasAttribute("tabindex");
  for (let i = 0; i < 40 && [...document.querySelectorAll("pre > code")].some(hidden); i++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  const moving = document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime < Infinity);
  await Promise.all(moving.map((a) => a.finished.catch(() => null)));
}"""
# Contrast takes most of the time, and most of that goes to the words of code. Within one block of code, words of the
# same colour, ground and size have the same contrast: the first of them is measured.
BARRIERS = """async (part) => {
  const alike = new Map(), again = [];
  for (const word of document.querySelectorAll("pre code span:not(:has(*))")) {
    if (!/\\w\\w/.test(word.textContent)) continue; // axe judges no single sign
    const style = getComputedStyle(word);
    const key = [style.color, style.background, style.opacity, style.font, style.textShadow].join();
    const seen = alike.get(word.parentElement) ?? alike.set(word.parentElement, new Set()).get(word.parentElement);
    if (seen.has(key)) again.push(word);
    seen.add(key);
  }
  const shown = { resultTypes: ["violations"] };
  const rules = { "color-contrast": { enabled: false }, "target-size": { enabled: true } }; // by itself it is off
  const most = await axe.run(part, { ...shown, rules });
  const contrast = await axe.run({ include: [part], exclude: again }, { ...shown, runOnly: ["color-contrast"] });
  const violations = [...most.violations, ...contrast.violations];
  const wide = document.documentElement.scrollWidth;
  const printed = [...document.querySelectorAll(".language-text code")];
  return [
    ...violations.flatMap((v) => v.nodes.map((node) => [v.id, node.html.slice(0, 120)])),
    ...(wide <= innerWidth ? [] : [["is wider than the window", wide]]),
    ...printed.filter((code) => code.scrollWidth > code.clientWidth + 1).map((code) => ["scrolls", code.textContent]),
  ];
}"""


def barriers(page, part="html"):
    """Return what keeps readers out of a page as it stands, or of a part: what axe finds, what fits no window."""
    page.evaluate(LAID_OUT)
    page.evaluate(SETTLED)
    page.evaluate(f"() => {{ {AXE_SCRIPT} }}")
    return [tuple(found) for found in page.evaluate(BARRIERS, part)]
