"""The policy and the lists in Chromium: what belongs to the site works, what is planted neither runs nor hides."""

import re

import pytest

from tests.site.conftest import SITE, urls
from tools.guards.html import check, elements

# Pages on which scripts do most, and what a reader clicks there. Of all the others, test_browser.py sees the errors.
USED = {
    "404.html": "[data-md-component=palette] label:not([hidden])",
    "evaluation/normalized-entropy/": ".language-python button",
    "modeling/quiz/": ".option label",
    "practice/": ".overview summary",
    "practice/flashcards/": "text=Practise 20 cards",
    "practice/mock-interview/": "text=Start 45 minutes",
}
WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) =>
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));"""


@pytest.fixture
def page(browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.add_init_script(WATCH)
    page = context.new_page()
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()


def file_of(url):
    return SITE / (url if url.endswith(".html") else f"{url}index.html")


def served(page, base, url, change):
    """Open a page as it would be with a change to its HTML."""
    html = change(file_of(url).read_text(encoding="utf-8"))
    page.route(base + url, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(base + url, wait_until="networkidle")


def test_the_site_holds_what_is_on_the_lists_and_nothing_else():
    assert check(SITE) == []


def test_the_browser_reads_each_page_as_the_guard_does(page, base):
    page.goto(base)
    for url in urls():
        html = file_of(url).read_text(encoding="utf-8")
        seen = page.evaluate(
            """html => [...new DOMParser().parseFromString(html, "text/html").querySelectorAll("*")].map((element) =>
              [element.tagName, ...element.getAttributeNames()].join(" ").toLowerCase())""",
            html,
        )
        assert seen == [" ".join([element.tag, *element.attributes]) for element in elements(html)], url


@pytest.mark.parametrize("url", USED)
def test_a_page_works_within_its_policy(page, base, url):
    page.goto(base + url, wait_until="networkidle")
    assert page.evaluate("document.characterSet") == "UTF-8"  # the policy leaves it in the first 1,024 bytes
    page.locator(USED[url]).first.click()
    page.keyboard.press("/")
    page.locator(".search input").fill("calibration")
    page.locator(".search li a").first.wait_for()
    assert page.evaluate("violations") == []
    assert page.errors == []


# What would run says so.
RUN = {
    "script": "<script>ran.push('script')</script>",
    "handler": '<img src="../../assets/favicon.svg" onload="ran.push(\'handler\')">',
    "error handler": '<img src="../../nothing.png" onerror="ran.push(\'error handler\')">',
    "drawing": "<svg onload=\"ran.push('drawing')\"></svg>",
    "frame": "<iframe srcdoc=\"<script>parent.ran.push('frame')</script>\"></iframe>",
    "address": '<a id="address" href="javascript:void(ran.push(\'address\'))">x</a>',
    "foreign script": '<script src="http://foreign.example/ran.js"></script>',
}
SHOWN = '<p id="styled" style="color: red">x</p><img src="http://foreign.example/x.svg">'
SENT = '<form id="form" action="http://foreign.example/sent"></form>'


def planted(page, base, change):
    """Open a page with all of these in its article; return what ran, its colour, and which other hosts were asked."""
    asked = []
    page.on("requestfinished", lambda request: asked.append(request.url))
    page.route("http://foreign.example/**", lambda route: route.fulfill(body="ran.push('foreign script')"))
    page.add_init_script("window.ran = []")
    html = "".join([*RUN.values(), SHOWN, SENT])
    served(
        page, base, "evaluation/calibration/", lambda text: change(text.replace("</article>", f"{html}</article>", 1))
    )
    page.evaluate("document.getElementById('address').click()")
    colour = page.evaluate("getComputedStyle(document.getElementById('styled')).color")
    return page.evaluate("ran"), colour, [url for url in asked if not url.startswith((base, "data:"))]


def unsealed(html):
    return re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html, count=1)


# Not wait_for_function, which evaluates a text time and again: the policy does not let it.
REPORTED = """() => new Promise((done) => {
  const look = () => violations.some((said) => said.startsWith("form-action")) ? done() : setTimeout(look, 20);
  look();
})"""


def test_what_is_planted_neither_runs_nor_asks_another_host(page, base):
    ran, colour, asked = planted(page, base, lambda html: html)
    assert ran == []
    assert colour != "rgb(255, 0, 0)"
    assert asked == []
    page.evaluate("document.getElementById('form').submit()")
    page.evaluate(REPORTED)
    assert page.url == base + "evaluation/calibration/"


def test_it_would_without_the_policy(page, base):
    ran, colour, asked = planted(page, base, unsealed)
    assert sorted(ran) == sorted(RUN)
    assert colour == "rgb(255, 0, 0)"
    assert sorted(asked) == ["http://foreign.example/ran.js", "http://foreign.example/x.svg"]


# The text of an article that nobody can see, even where all that is folded is open; and text that looks like code.
UNSEEN = """() => {
  const article = document.querySelector("article");
  for (const details of article.querySelectorAll("details")) details.open = true;
  const nodes = new Set(); // a code block is one
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    // One appears below the pointer; the other stands in the bar above it.
    const shown = node.data.trim() && !node.parentElement.closest(".headerlink, .outline h2");
    if (shown) nodes.add(node.parentElement.closest("pre") ?? node);
  }
  const range = document.createRange();
  const faults = [];
  for (const node of nodes) {
    const element = node.tagName ? node : node.parentElement;
    range.selectNodeContents(node);
    const [text, box] = [range.getBoundingClientRect(), element.getBoundingClientRect()];
    const style = getComputedStyle(element);
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true })
      && Math.min(text.width, text.height, box.width, box.height) > (element.closest("math") ? 0 : 2) // a minus is flat
      && text.right > 0 && text.bottom + scrollY > 0
      && parseFloat(style.fontSize) > 7;
    if (!seen) faults.push(`unseen: ${element.outerHTML.slice(0, 90)}`);
    const code = style.whiteSpaceCollapse !== "collapse" && !node.tagName;
    if (code) faults.push(`like code: ${element.outerHTML.slice(0, 90)}`);
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def paper(browser):
    """One tab without scripts: cards and prompts are all there."""
    page = browser.new_context(java_script_enabled=False).new_page()
    yield page
    page.context.close()


@pytest.mark.parametrize("url", urls())
def test_all_text_of_an_article_can_be_seen(paper, base, url):
    paper.goto(base + url)
    assert paper.evaluate(UNSEEN) == []


HIDING = [
    "<p hidden>x</p>",
    '<p class="md-toggle">x</p>',
    '<p class="md-visually-hidden">x</p>',
    '<p style="visibility:hidden">x</p>',
    '<div style="opacity:0"><p>x</p></div>',
    '<p style="text-indent:-999em">x</p>',
    '<p style="font-size:1px">xxxxxxxxxx</p>',
    '<p style="white-space:pre">x</p>',
    '<code style="white-space:break-spaces">x</code>',
    "<div hidden><pre>x</pre></div>",
]


def test_hidden_text_is_found(page, base):
    html = "".join(HIDING)
    served(page, base, "datasets/", lambda text: unsealed(text).replace("</article>", f"{html}</article>", 1))
    assert len(page.evaluate(UNSEEN)) == len(HIDING)
