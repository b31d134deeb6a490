"""The search: what people type finds its page first, nothing is fetched before, and everybody can use it."""

import functools
import gzip
import json
import re

import pytest
from playwright.sync_api import expect

from tests.site.conftest import SITE, barriers, wait_for
from tools.builders.search import LOADED, NAMES, TEXTS, TITLES

PAGE = "evaluation/drift/"


def swapped(word, i):
    """Return a word with two letters exchanged, as hasty fingers do."""
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


# What candidates type, and the page that they should see first.
QUERIES = {
    "NE": "evaluation/normalized-entropy/",
    "srm": "evaluation/ab-tests/",
    "llm": "practice/harmful-posts/",
    swapped("calibration", 5): "evaluation/calibration/",
    "how to structure 45 minutes": "",
    "data leakage": "features/leakage/",
    "feature importance": "features/catalogue/",
    "pacing": "evaluation/normalized-entropy/",
    "ann": "modeling/retrieval/",
    "normalized entropy": "evaluation/normalized-entropy/",
    swapped("entropy", 3): "evaluation/normalized-entropy/",
    "log loss": "evaluation/normalized-entropy/",
    "cross entropy": "evaluation/normalized-entropy/",
    "calibration": "evaluation/calibration/",
    "platt scaling": "evaluation/calibration/",
    "isotonic": "evaluation/calibration/",
    "ndcg": "evaluation/ranking-metrics/",
    "mrr": "evaluation/ranking-metrics/",
    "auc": "modeling/training-metrics/",
    "ctr": "problem/metrics/",
    "retention": "problem/metrics/",
    "north star metric": "problem/goal/",
    "guardrail": "problem/goal/",
    "goodhart": "problem/proxies/",
    "sample ratio mismatch": "evaluation/ab-tests/",
    "a/b test": "evaluation/ab-tests/",
    "AB testing": "evaluation/ab-tests/",
    "sample size": "evaluation/ab-tests/",
    "peeking": "evaluation/ab-tests/",
    "cuped": "evaluation/ab-tests/",
    "bootstrap": "evaluation/confidence-intervals/",
    "counterfactual": "evaluation/off-policy/",
    "doubly robust": "evaluation/off-policy/",
    "psi": "evaluation/drift/",
    "canary": "evaluation/continuous-evaluation/",
    "switchback": "practice/marketplace-search/",
    "position bias": "training-data/bias/",
    "late clicks": "training-data/delayed-feedback/",
    "training serving skew": "training-data/online-offline-consistency/",
    "negative downsampling": "training-data/class-imbalance/",
    "smote": "training-data/class-imbalance/",
    "ftrl": "training-data/online-learning/",
    "retraining": "training-data/recency/",
    "point in time join": "features/point-in-time-joins/",
    "target encoding": "features/target-encoding/",
    "hashing trick": "features/categories/",
    "embedding".replace("dd", "d"): "features/text/",
    "normalisation": "features/numeric/",
    "tfidf": "modeling/bag-of-words/",
    "logistic regression": "modeling/linear-models/",
    "gbdt": "modeling/trees-plus-linear/",
    "dcn": "modeling/deep-models/",
    "two towers": "modeling/two-towers/",
    swapped("retrieval", 4): "modeling/retrieval/",
    "mmr": "modeling/diversity/",
    "cold start": "modeling/exploration/",
    "explore exploit": "modeling/exploration/",
    "bandit": "modeling/exploration/",
    "esmm": "modeling/multi-task/",
    "semantic ids": "modeling/sequences/",
    "early stopping": "modeling/training-process/",
    "p99 latency": "problem/capacity/",
    "qps": "problem/capacity/",
    "rubric": "problem/rubric/",
    "content moderation": "practice/harmful-posts/",
    "click fraud": "practice/click-fraud/",
    "invalid traffic": "practice/click-fraud/",
    "capture recapture": "practice/click-fraud/",
    "feed ranking": "practice/feed-ranking/",
    "mock interview": "practice/mock-interview/",
    "cheat sheet": "practice/cheat-sheet/",
    "LTR": "problem/framing/",
    "hnsw": "modeling/retrieval/",
    "ffm": "modeling/factorization-machines/",
    "ALS": "modeling/retrieval/",
    "MDE": "evaluation/ab-tests/",
    "p-value": "evaluation/ab-tests/",
    "p value": "evaluation/ab-tests/",
    "epub": "get-the-code/",
    "what do interviewers look for": "problem/rubric/",
    f"{'position'.replace('i', '', 1)} {swapped('bias', 1)}": "training-data/bias/",
    swapped("bias", 1): "training-data/bias/",
    "why is my model great offline but flat online": "evaluation/debugging/",
    "optimise hyper-parameters": "modeling/training-process/",
    "q / (q + (1 - q) / w)": "evaluation/calibration/",
    "watch time": "practice/video-recommendations/",
    "log" + "loss": "evaluation/normalized-entropy/",
    "multi-armed bandit": "modeling/exploration/",
    "tail latency": "problem/capacity/",
    "collaborative filtering": "modeling/retrieval/",
    "tuning hyperparameters": "modeling/training-process/",
    "how do I debug a model": "evaluation/debugging/",
    "OPE": "evaluation/off-policy/",
    "focal loss": "evaluation/normalized-entropy/",
}
# What is on no page, and what may be said of it.
MISSING = {
    "blockchain": "No page has “blockchain”.",
    "airbyte": "No page has “airbyte”.",
    "redis": "No page has “redis”.",
    "focal loss": "No page has “focal”.",
    "quantum filter": "No page has “quantum”.",
    "terraform airflow": "No page has “terraform” or “airflow”.",
    "Kalibrierung": "No page has “kalibrierung”.",
    swapped("position", 4): f"No page has “{swapped('position', 4)}”; spelt nearly so: position.",
    "the of": "Nothing to look for in “the of”: add a word.",
    "???": "Nothing to look for in “???”: add a word.",
}


def fetched(page):
    """Return the list, kept up to date, of what a page fetches of the search."""
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith(LOADED) else None)
    return asked


def filled(page):
    """Wait until the texts are there, too: sections have excerpts then."""
    page.locator(".search input").fill("calibration")
    page.locator(".search a[href*='#'] + .search-excerpt").first.wait_for()


@pytest.fixture(scope="module")
def searching(browser, base):
    page = browser.new_page()
    page.goto(base + PAGE)
    page.keyboard.press("/")
    filled(page)
    yield page
    page.close()


@pytest.mark.parametrize("query", QUERIES)
def test_what_people_type_finds_its_page_first(searching, base, query):
    searching.locator(".search input").fill(query)
    first = searching.locator(".search li a").first
    assert first.evaluate("link => link.origin + link.pathname") == base + QUERIES[query]


@pytest.mark.parametrize("query", ["NE", "calibration", "srm", "position bias", "ndcg", "winner's curse"])
def test_what_the_glossary_says_of_a_term_comes_second(searching, query):
    searching.locator(".search input").fill(query)
    second = searching.locator(".search li a").nth(1)
    anchor = query.lower().replace(" ", "-").replace("'", "")
    assert second.get_attribute("href").endswith(f"glossary/#{anchor}")


@pytest.mark.parametrize("query", MISSING)
def test_what_is_on_no_page_is_said(searching, query):
    searching.locator(".search input").fill(query)
    expect(searching.locator("#search").get_by_role("status")).to_contain_text(MISSING[query])


def test_no_excerpt_begins_within_a_name_and_no_number_is_glued(searching):
    searching.locator(".search input").fill("cuped")
    found = searching.locator(".search-excerpt").all_inner_texts()
    assert [text for text in found if re.match(r"\W*\(?\d{4}\)", text)] == []
    assert re.findall(r"[a-z]\.\d{3}", (SITE / TEXTS).read_text(encoding="utf-8")) == []


def test_nothing_is_fetched_before_somebody_searches_and_all_of_it_once(view, base):
    asked = fetched(view)
    view.goto(base + PAGE)
    view.locator(".search-open").hover()
    view.locator(".search-open").focus()
    view.wait_for_load_state("networkidle")
    assert asked == []
    for _ in range(2):
        view.keyboard.press("/")
        filled(view)
        view.keyboard.press("Escape")
    assert sorted(asked) == sorted(base + name for name in LOADED)


def test_a_slow_phone_waits_for_little():
    """On a slow line, of 1.6 Mbit/s, that is less than a fifth of a second; the texts come behind."""
    first = [(SITE / name).read_bytes() for name in LOADED if name != TEXTS]
    assert sum(len(gzip.compress(content)) for content in first) < 37_000
    assert len(gzip.compress((SITE / TEXTS).read_bytes())) < 400_000


def test_what_is_shown_of_a_page_is_its_words():
    for name in NAMES:
        text = (SITE / name).read_text(encoding="utf-8")
        assert [sign for sign in ("¶", "\\\\(", "</", "&lt;", "\u00a0") if sign in text] == []


# From the keyboard, and for everybody


def focus(page):
    return page.evaluate("[document.activeElement.tagName, document.activeElement.textContent]")


def test_search_works_from_the_keyboard(view, base):
    view.goto(base + PAGE)
    view.locator(".search-open").focus()
    view.keyboard.press("Enter")
    filled(view)
    first = view.locator(".search li a").first
    for key, where in [
        ("ArrowUp", "INPUT"),
        ("ArrowDown", "A"),
        ("ArrowDown", "A"),
        ("ArrowUp", "A"),
        ("ArrowUp", "INPUT"),
    ]:
        view.keyboard.press(key)
        assert focus(view)[0] == where
    view.keyboard.press("ArrowDown")
    assert focus(view) == ["A", first.text_content()]
    view.keyboard.press("n")  # the theme would turn the page
    expect(view.locator(".search input")).to_have_value("calibrationn")
    view.keyboard.press("Escape")
    assert not view.locator(".search").is_visible()
    assert view.evaluate("document.activeElement.matches('.search-open')")
    view.keyboard.press("/")
    view.keyboard.type("sample ratio mismatch")
    expect(first).to_contain_text("A/B tests")
    view.keyboard.press("Enter")
    view.wait_for_url(base + "evaluation/ab-tests/")


def test_a_slash_that_is_typed_opens_nothing(view, base):
    view.goto(base + PAGE)
    view.keyboard.press("/")
    view.keyboard.type("a/b")
    assert view.locator(".search input").input_value() == "a/b"
    for key in ("Control+/", "Alt+/", "x"):
        view.keyboard.press("Escape")
        view.keyboard.press(key)
        assert not view.locator(".search").is_visible()


@pytest.mark.parametrize("key", ["/", "Control+k", "Meta+k"])
def test_keys_open_the_search(view, base, key):
    view.goto(base + PAGE)
    view.keyboard.press(key)
    expect(view.locator(".search input")).to_be_focused()
    view.keyboard.type("k")
    expect(view.locator(".search input")).to_have_value("k")


def test_going_back_from_a_page_leads_to_the_results_and_then_closes_them(view, base):
    view.goto(base)
    view.goto(base + PAGE)
    view.keyboard.press("/")
    view.keyboard.type("sample ratio mismatch")
    expect(view.locator(".search li a").first).to_contain_text("A/B tests")
    view.keyboard.press("Enter")
    view.wait_for_url(base + "evaluation/ab-tests/")
    view.keyboard.press("/")
    expect(view.locator(".search input")).to_have_value("sample ratio mismatch")
    view.go_back()  # closes it
    expect(view.locator(".search")).not_to_be_visible()
    view.go_back()
    assert view.url == base + PAGE
    expect(view.locator(".search li a").first).to_contain_text("A/B tests")
    view.go_back()
    expect(view.locator(".search")).not_to_be_visible()
    assert view.url == base + PAGE
    for _ in range(2):  # opened and closed, it leaves nothing to go back through
        view.keyboard.press("/")
        view.keyboard.press("Escape")
        wait_for(view, "!history.state")
    view.go_back()
    assert view.url == base


def test_it_opens_again_at_once_after_it_was_closed(view, base):
    view.goto(base + PAGE)
    view.keyboard.press("/")
    view.evaluate("document.querySelector('.search').close(); document.querySelector('.search-open').click()")
    wait_for(view, "Boolean(history.state)")
    expect(view.locator(".search")).to_be_visible()
    view.go_back()
    expect(view.locator(".search")).not_to_be_visible()
    assert view.url == base + PAGE


def test_a_click_beside_closes_and_a_result_on_this_page_is_gone_to(view, base):
    view.goto(base + PAGE)
    for close in ("beside", "button"):
        view.locator(".search-open").click()
        if close == "beside":
            view.mouse.click(5, 5)
        else:
            view.get_by_role("button", name="Close").click()
        assert not view.locator(".search").is_visible()
    view.keyboard.press("/")
    filled(view)
    view.locator(".search input").fill("drift alarm")
    view.locator(f".search a[href='{base}{PAGE}#run-it']").click()
    assert not view.locator(".search").is_visible()
    view.wait_for_url(f"{base}{PAGE}#run-it")
    assert view.evaluate("history.state") is None


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_search_is_accessible_while_it_is_open(browser, base, scheme, width):
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(base + PAGE)
    page.keyboard.press("/")
    assert barriers(page) == []
    filled(page)
    assert barriers(page) == []
    page.keyboard.press("ArrowDown")
    assert barriers(page) == []
    page.locator(".search input").fill("q" * 100)
    expect(page.locator("#search").get_by_role("status")).to_have_text(f"No page has “{'q' * 100}”.")
    assert barriers(page) == []
    box = page.locator(".search")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    page.locator(".search input").evaluate("(input) => { input.value = 'calibration loss '.repeat(200); }")
    page.locator(".search input").press("End")
    page.locator(".search input").type("x")
    assert len(page.locator(".search input").input_value()) > 200  # a script may write more than one can type
    assert barriers(page) == []
    context.close()


def test_each_thing_has_a_name_of_its_own(searching):
    searching.locator(".search input").fill("calibration")
    dialog = searching.get_by_role("dialog", name="Search the guide")
    assert dialog.get_by_role("textbox", name="Words to find").count() == 1
    links = dialog.get_by_role("list", name="Results").get_by_role("link")
    assert links.first.text_content() == "Calibration Evaluation & Deployment"
    assert max(len(text) for text in links.all_text_contents()) < 120


def test_without_javascript_there_is_no_button_that_does_nothing(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + PAGE)
    assert page.locator(".search-open").count() == 1
    assert not page.locator(".search-open").is_visible()
    context.close()


@pytest.mark.parametrize("name", LOADED)
def test_what_cannot_be_loaded_is_said(view, base, name):
    view.route(f"**/{name}", lambda route: route.abort())
    view.goto(base + PAGE)
    view.keyboard.press("/")
    status = view.locator("#search").get_by_role("status")
    if name == TEXTS:
        view.keyboard.type("calibration")
        view.locator(".search li a").first.wait_for()
        expect(status).to_contain_text("Titles alone: the texts could not be loaded.")
        view.locator(".search input").fill("Twyman")
        expect(status).to_have_text("No title has “twyman”. Titles alone: the texts could not be loaded.")
    else:
        expect(status).to_have_text("The search could not be loaded.")


def test_while_the_texts_load_titles_are_called_titles(view, base):
    view.route(f"**/{TEXTS}", lambda route: None)  # never answers
    view.goto(base + PAGE)
    view.keyboard.press("/")
    view.keyboard.type("Twyman")
    expect(view.locator("#search").get_by_role("status")).to_have_text(
        "No title has “twyman”. Titles alone: the texts are loading …"
    )


# The rules, on a small guide


def entry(url, title, headings=(), terms=(), weight=1):
    found = {"url": url, "title": title, "terms": list(terms), "headings": [[h.lower(), h] for h in headings]}
    return found | {
        "about": "",
        "description": "What it says of itself.",
        "section": "Part",
        "phase": 0,
        "weight": weight,
    }


PAGES = [
    (entry("both/", "Apples", ["Storing"]), ["All about apples.", "In a cold-store of pears."]),
    (entry("one/", "Pears", ["Last"]), ["", "Nothing else. " * 30 + "The last ones are small. Pears keep for weeks."]),
    (entry("term/", "Fruit", terms=["frt"], weight=0.5), ["A name."]),
    (entry("text/", "Other", ["Text"]), ["", "What an FRT is, and a frt. Again: frt, <b>frt</b>."]),
    (entry("many/", "Plums", ["Plum a", "Plum b", "Plum c", "Plum d", "Sources"]), ["Plums."] * 6),
    *((entry(f"quinces{i}/", f"Quinces {i}", ["Sources"]), ["Quinces.", "Some."]) for i in range(2)),
    (entry("names/", "Names", ["Who"]), ["", "It is old. So say D. Little et al. 2013: a q-test fits. Sources end."]),
    *((entry(f"more{i}/", f"Figs {i}"), ["Figs."]) for i in range(20)),
]
SYNONYMS = [["frt", "round fruit of trees"]]


def answered(answer, route):
    route.fulfill(**answer)


@pytest.fixture(scope="module")
def small(browser, base):
    data = {
        TITLES: {"synonyms": SYNONYMS, "pages": [page for page, _ in PAGES]},
        TEXTS: [[[text, ""] for text in texts] for _, texts in PAGES],
    }
    page = browser.new_page()
    for name, content in data.items():
        answer = {"body": f"var {NAMES[name]} = {json.dumps(content)};", "content_type": "text/javascript"}
        page.route(f"**/{name}", functools.partial(answered, answer))
    page.goto(base + PAGE)
    page.keyboard.press("/")
    page.locator(".search input").fill("storing")
    page.locator(".search-excerpt", has_text="cold-store").wait_for()
    yield page
    page.close()


def results(page, query):
    """Return the addresses of what is found, without what all have in common."""
    page.locator(".search input").fill(query)
    return page.locator(".search li a").evaluate_all("links => links.map((a) => a.pathname.slice(1) + a.hash)")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("apples pears", ["both/#storing", "both/", "one/", "one/#last"]),  # both words, then either
        ("pears apples", ["both/#storing", "both/", "one/", "one/#last"]),
        ("the apple", ["both/", "both/#storing"]),  # neither endings nor small words
        ("app", ["both/", "both/#storing"]),  # as one types
        ("ap", ["both/", "both/#storing"]),
        ("plum ap", ["many/", "many/#plum a", "many/#plum b", "both/", "both/#storing"]),
        ("aplpes", ["both/", "both/#storing"]),  # two letters exchanged
        ("applex", ["both/", "both/#storing"]),
        ("axplex", []),  # not two wrong ones in a short word
        ("bpples", []),  # nor the first
        ("coldstore", ["both/#storing"]),
        ("cold store", ["both/#storing"]),
        ("q-test", ["names/#who"]),
        ("q test", ["names/#who"]),
        ("frt", ["term/", "text/#text"]),  # the page that explains a term, whatever its weight
        ("round fruits of trees", ["term/", "text/#text"]),
        ("rounded fruit of tree", ["term/", "text/#text"]),
        ("plum", ["many/", "many/#plum a", "many/#plum b"]),  # no more of a page
        ("sources", ["names/#who"]),  # a heading of many pages is no subject
        ("of the", []),
        ("", []),
    ],
)
def test_what_is_found_first(small, query, found):
    got = results(small, query)
    assert [address.replace("%20", " ") for address in got] == found


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("figs", "12 of 20 results for “figs”."),
        ("storing", "1 result for “storing”."),
        ("stori", "1 result for “stori…”."),
        ("sto", "No page has “sto”; words that begin so: 1 result for “sto…”."),
        ("apples pears", "1 with all of “apples pears”, then some of it: 4 results."),
        ("storing plum", "None with all of “storing plum”, then some of it: 4 of 7 results."),
        ("aplpes", "No page has “aplpes”; spelt nearly so: apples. 2 results."),
        ("axplex figs", "No page has “axplex”. 12 of 20 results for the rest."),
        ("axplex", "No page has “axplex”."),
        ("of the", "Nothing to look for in “of the”: add a word."),
        ("", "28 pages. Arrows move, Enter opens, Escape closes."),
    ],
)
def test_what_is_said_of_the_results(small, query, said):
    assert len(results(small, query)) <= 12
    assert small.locator("#search").get_by_role("status").inner_text() == said


def test_a_result_names_its_page_and_then_its_part(small):
    results(small, "storing")
    link = small.locator(".search li a")
    assert link.locator("strong").inner_text() == "Apples"
    assert link.locator("span").inner_text() == "Storing"
    assert link.locator("mark").all_inner_texts() == ["Storing"]
    excerpt = small.locator(".search-excerpt").bounding_box()
    middle = [excerpt["x"] + excerpt["width"] / 2, excerpt["y"] + excerpt["height"] / 2]
    assert small.evaluate("([x, y]) => document.elementFromPoint(x, y).matches('.search li a')", middle)


def test_an_excerpt_is_text_and_shows_the_words(small):
    results(small, "frt")
    second = small.locator(".search li").nth(1)
    assert second.locator(".search-excerpt").inner_text() == "What an FRT is, and a frt. Again: frt, <b>frt</b>."
    assert second.locator("mark").all_inner_texts() == ["FRT", "frt", "frt", "frt"]
    results(small, "q-test")
    assert small.locator(".search-excerpt").inner_text().startswith("So say D. Little et al. 2013: a q-test")
    results(small, "week")
    assert small.locator(".search-excerpt").first.inner_text() == "Pears keep for weeks."
    results(small, "fruit")
    assert small.locator(".search-excerpt").first.inner_text() == "What it says of itself."
