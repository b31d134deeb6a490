"""What the browser keeps of a reader, in Chromium: full, forbidden, shared by tabs, spoilt, old, as a file, merged."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from tests.site.conftest import barriers

CARDS, MOCK, HERE, QUIZ, STUDY = (
    "practice/flashcards/",
    "practice/mock-interview/",
    "practice/",
    "evaluation/quiz/",
    "study/",
)
FULL = "This browser keeps nothing more: it is full, or storing is off. Save your data before you leave this page."
# From the moment on that a tab says so, its storage takes nothing more.
SWITCH = """const set = Storage.prototype.setItem;
Storage.prototype.setItem = function (...pair) {
  if (window.full) throw new DOMException("full", "QuotaExceededError");
  return set.apply(this, pair);
};"""
OFF = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
RUN = {"date": "2026-03-01", "title": "Feed ranking", "score": "1 of 18", "summary": "a"}
NOW = {"title": "Feed ranking", "elapsed": 1, "since": None, "asked": 1, "notes": {}}
# One of each kind, with a value that it has not when empty.
PLAN = {
    "day": "2026-03-20",
    "minutes": 60,
    "off": [5],
    "at": "19:00",
    "revision": 1,
    "left": [["problem/metrics/", 17]],
}
PLAN["days"] = [["2026-03-01", [["read", "problem/goal/", 11]]]]
DRILLED = {"date": "2026-03-01", "id": "monday", "title": "Monday, 09:40", "points": 7, "of": 10}
DRILLING = {"id": "monday", "elapsed": 4, "since": None, "asked": ["when"], "cause": 1}
VALUES = {
    "read": {"problem/goal/": "2026-03-01"},
    "cards": {"late-clicks": [1, "2026-03-02"]},
    "goal": 40,
    "quiz": {QUIZ: {"late-clicks": [True, 1, "2026-03-03"]}},
    "exercises": {"normalized_entropy": "2026-03-01"},
    "mock": [RUN],
    "now": NOW,
    "plan": PLAN,
    "drill": [DRILLED],
    "drilling": DRILLING,
}


@pytest.fixture
def device(browser, base):
    """Return new browsers with nothing stored, each with a tab on the practice page; Material's errors are its own."""
    contexts, errors = [], []

    def new(script=SWITCH, url=HERE):
        contexts.append(browser.new_context(accept_downloads=True))
        contexts[-1].add_init_script(script)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(error) if "/assets/js/" in (error.stack or "") else None)
        page.goto(base + url)
        return page

    yield new
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def idle(browser, base):
    """One tab for functions that keep nothing."""
    page = browser.new_page()
    page.goto(base + HERE)
    yield page
    page.close()


def save(page, kind, value):
    return page.evaluate("([kind, value]) => mlDesign.save(kind, value)", [kind, value])


def load(page, kind):
    return page.evaluate("kind => mlDesign.load(kind)", kind)


def kept(page):
    return page.evaluate("Object.fromEntries(Object.entries(localStorage))")


def saved(page):
    """Return the file that a page saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save your data").first.click()
    return json.loads(download.value.path().read_text(encoding="utf-8"))


def loaded(page, file):
    """Load a file, given as its bytes or as what it holds; return what the page says."""
    content = file if isinstance(file, bytes) else json.dumps(file).encode()
    said = page.locator("[aria-label='Your data'] [role=status]")
    said.evaluate("said => { said.textContent = ''; }")
    page.locator("input[type=file]").set_input_files(
        {"name": "mine.json", "mimeType": "application/json", "buffer": content}
    )
    expect(said).not_to_have_text("")
    return said.inner_text()


def notice(page):
    return page.locator(".kept [role=status]")


# Merging

PATHS = st.sampled_from(["a", "b", "7", "practice/#x", "", "__proto__", "constructor"])
ITEMS = st.sampled_from([0, 1, "a", True, [1, "2026-03-02"], [0, "2026-03-02"], {"title": "a"}, {}])
ENTRIES = st.dictionaries(
    PATHS, st.one_of(st.integers(-1, 2).map(lambda at: [at]), st.tuples(st.integers(-1, 2), ITEMS).map(list))
)
OFTEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def merged(page, *holders):
    """Merge entries from the left; as text, since the browser's own way to hand over objects loses odd names."""
    script = "all => JSON.stringify(JSON.parse(all).reduce((one, other) => mlDesign.merge(one, other)))"
    return json.loads(page.evaluate(script, json.dumps(holders)))


@OFTEN
@given(a=ENTRIES, b=ENTRIES, c=ENTRIES)
def test_whoever_merges_with_whom_and_when_it_comes_to_the_same(idle, a, b, c):
    both = merged(idle, a, b)
    assert both == merged(idle, b, a)
    assert merged(idle, both, c) == merged(idle, a, merged(idle, b, c))
    assert merged(idle, both, both) == merged(idle, both, a) == both
    assert both.keys() == a.keys() | b.keys()
    for path, entry in both.items():
        times = [holder[path][0] for holder in (a, b) if path in holder]
        assert entry[0] == max(times)
        assert entry in (a.get(path), b.get(path))


TEXTS = st.sampled_from(["a", "b", "7", "constructor", "__proto__", "a#b"])
DAYS = st.sampled_from(["2026-03-01", "2026-03-09", ""])
KINDS = {
    "read": st.dictionaries(TEXTS, DAYS),
    "cards": st.dictionaries(TEXTS, st.tuples(st.integers(0, 9), DAYS).map(list)),
    "goal": st.sampled_from([10, 20, 40]),
    "quiz": st.dictionaries(
        st.sampled_from(["a/", "__proto__"]),
        st.dictionaries(
            TEXTS, st.one_of(st.booleans(), st.tuples(st.booleans(), st.integers(0, 9), DAYS).map(list)), min_size=1
        ),
    ),
    "exercises": st.dictionaries(TEXTS, DAYS),
    "mock": st.lists(st.fixed_dictionaries({"date": DAYS, "title": TEXTS, "summary": TEXTS}), max_size=4),
    "now": st.sampled_from([None, NOW, NOW | {"elapsed": 2}]),
    "plan": st.sampled_from([None, PLAN, PLAN | {"revision": 2}]),
    "drill": st.lists(st.builds(lambda date, id_: DRILLED | {"date": date, "id": id_}, DAYS, TEXTS), max_size=4),
    "drilling": st.sampled_from([None, DRILLING, DRILLING | {"asked": []}]),
}


def test_there_is_a_value_of_each_kind(idle):
    assert set(idle.evaluate("Object.keys(mlDesign.kinds)")) >= KINDS.keys() == VALUES.keys()


@OFTEN
@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
def test_a_value_is_its_entries_and_a_later_change_wins(idle, data, kind):
    first, second = data.draw(KINDS[kind]), data.draw(KINDS[kind])
    script = """text => {
      const [id, first, second] = JSON.parse(text), { merge, change, fold, kinds } = mlDesign, kind = kinds[id];
      const one = change(kind, {}, first), two = change(kind, one, second);
      return JSON.stringify([kind.valid(first), fold(kind, one), fold(kind, two), fold(kind, merge(two, one))]);
    }"""
    valid, one, two, both = json.loads(idle.evaluate(script, json.dumps([kind, first, second])))
    ordered = (lambda runs: sorted(map(json.dumps, runs))) if kind in ("mock", "drill") else (lambda value: value)
    assert valid
    assert ordered(one) == ordered(first)
    assert ordered(two) == ordered(both) == ordered(second)


# A browser that stores nothing more, or nothing at all


def test_what_a_full_browser_does_not_store_counts_and_is_told_once(device):
    page = device(url=CARDS)
    assert save(page, "cards", {"a": [1, "2026-03-02"]})
    page.evaluate("""window.full = true; window.told = 0;
      const said = document.querySelector(".kept [role=status]");
      new MutationObserver(() => { told += 1; }).observe(said, { childList: true });""")
    for times in (2, 3, 4):
        assert not save(page, "cards", {"a": [times, "2026-03-02"]})
        assert not save(page, "goal", 10 * times)
    assert load(page, "cards") == {"a": [4, "2026-03-02"]}
    assert load(page, "goal") == 40
    expect(notice(page)).to_have_text(FULL)
    assert page.evaluate("told") == 1
    page.evaluate("window.full = false")
    assert save(page, "read", {"a": "2026-03-01"})
    expect(notice(page)).to_have_text("")
    assert not page.locator(".kept button").is_visible()
    assert [json.loads(kept(page)[f"ml-design.{kind}"]) for kind in ("cards", "goal")] == [{"a": [4, "2026-03-02"]}, 40]


def test_a_browser_that_is_really_full_says_so_while_notes_are_written(device):
    page = device(url=MOCK)
    page.get_by_role("button", name="Start 45 minutes").click()
    page.evaluate("""for (let size = 2 ** 23, i = 0; size >= 1; size /= 2)
      try { localStorage.setItem(`filler${i++}`, "x".repeat(size)); } catch (error) {}""")
    page.get_by_label("Notes", exact=True).fill("sessions, not clicks " * 99)
    expect(notice(page)).to_have_text(FULL)
    assert notice(page).is_visible()
    assert load(page, "now")["notes"]["Problem Navigation"] == "sessions, not clicks " * 99
    [_, entry] = saved(page)["kinds"]["now"][""]
    assert entry["notes"]["Problem Navigation"] == "sessions, not clicks " * 99
    page.evaluate(
        "for (const key of Object.keys(localStorage)) if (key.startsWith('filler')) localStorage.removeItem(key)"
    )
    page.get_by_label("Notes", exact=True).fill("shorter")
    expect(notice(page)).to_have_text("")


@pytest.mark.parametrize(
    "script", [OFF, "Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('no') }"]
)
def test_without_storage_all_lasts_as_long_as_the_page_and_a_file_takes_it_along(device, base, script):
    page = device(script, STUDY)
    assert notice(page).inner_text() == ""
    page.locator(".plan input").first.check()
    expect(notice(page)).to_have_text(FULL)
    page.locator(".plan input").nth(1).check()
    assert page.locator(".plan input:checked").count() >= 2
    file = saved(page)
    other = device()
    assert loaded(other, file) == "Loaded, newer than here: 2 pages read."
    page.goto(base + CARDS)
    for name in ("Practise 20 cards", "Show the answer", "I knew it"):
        page.get_by_role("button", name=name).click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".trainer")).to_contain_text("1 of 20 today")


def test_one_is_asked_before_one_leaves_what_is_in_no_store_and_no_file(device):
    page = device(OFF, STUDY)
    asked = []

    def stay(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator(".plan input").first.check()
    page.close(run_before_unload=True)
    page.wait_for_timeout(200)
    assert asked == ["beforeunload"]
    saved(page)
    assert page.evaluate("window.onbeforeunload") is None


# Two tabs


def arrives(tab, cards):
    """Wait until a tab has some cards: what another one stores reaches its process a moment later, key by key."""
    for _ in range(100):
        if load(tab, "cards") == cards:
            break
        tab.wait_for_timeout(20)
    assert load(tab, "cards") == cards


def test_two_tabs_write_item_by_item_and_the_newer_wins(device, base):
    one = device()
    two = one.context.new_page()
    two.goto(base + HERE)
    save(one, "cards", {"a": [1, "2026-03-02"]})
    one.evaluate("window.full = true")  # from now on it holds what it does in memory
    save(one, "cards", {"a": [2, "2026-03-04"], "b": [1, "2026-03-02"]})
    assert load(two, "cards") == {"a": [1, "2026-03-02"]}
    two.wait_for_timeout(2)
    save(two, "cards", {"a": [0, "2026-03-01"], "c": [1, "2026-03-02"]})
    both = {"a": [0, "2026-03-01"], "b": [1, "2026-03-02"], "c": [1, "2026-03-02"]}
    arrives(one, both)
    one.evaluate("window.full = false")
    save(one, "goal", 10)
    for tab in (one, two):
        arrives(tab, both)


# What cannot be read, and what an old version kept


@pytest.mark.parametrize("kind", VALUES)
def test_what_cannot_be_read_is_put_aside_said_and_in_the_file(device, base, kind):
    page = device()
    key = page.evaluate("kind => mlDesign.keyOf(kind)", kind)
    for text in ("{", '{"other": -1}', "{"):
        page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, text])
        page.goto(base + HERE)
        load(page, kind)
        expect(notice(page)).to_contain_text("cannot be read. It is put aside, and goes into what you save.")
    aside = {f"{key}.unreadable": "{", f"{key}.unreadable.2": '{"other": -1}'}
    assert {name: text for name, text in kept(page).items() if "unreadable" in name} == aside
    page.reload()
    assert notice(page).inner_text() == ""
    expect(page.locator("[aria-label='Your data']")).to_contain_text("Put aside, since it could not be read: 2 texts.")
    file = saved(page)
    assert file["unreadable"] == aside
    other = device()
    other.evaluate("([key]) => localStorage.setItem(`${key}.unreadable`, 'mine')", [key])
    loaded(other, file)
    loaded(other, file)
    assert sorted(text for name, text in kept(other).items() if "unreadable" in name) == ["mine", "{", '{"other": -1}']


def test_times_that_cannot_be_read_cost_no_item(device, base):
    page = device()
    save(page, "cards", VALUES["cards"])
    page.evaluate("localStorage.setItem('ml-design.cards.at', '[')")
    page.goto(base + HERE)
    save(page, "cards", VALUES["cards"] | {"b": [1, "2026-03-02"]})
    assert load(page, "cards") == VALUES["cards"] | {"b": [1, "2026-03-02"]}
    expect(notice(page)).to_have_text(
        "What was kept of your flashcards (their times) cannot be read. It is put aside, and goes into what you save."
    )


def test_what_an_old_version_kept_has_the_times_that_follow_from_it(device, base):
    page = device()
    old = {
        "read": {"problem/goal/": "2026-03-01"},
        "cards": {"a": [3, "2026-03-09"], "b": [0, "2026-03-09"]},
        "quiz": {QUIZ: {"a": True, "b": [False, 0, "2026-03-09"], "c": [True, 2, "2026-03-09"]}},
        "mock": [RUN],
    }
    page.evaluate(
        "old => { for (const kind in old) localStorage.setItem(`ml-design.${kind}`, JSON.stringify(old[kind])); }", old
    )
    page.goto(base + HERE)
    assert page.locator("[data-pages] .done").first.inner_text().strip() == "1 read"
    kinds = saved(page)["kinds"]
    days = {kind: {path: entry[0] / 86_400_000 for path, entry in kinds[kind].items()} for kind in old}
    march = (datetime(2026, 3, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    assert days["read"] == {"problem/goal/": march}
    assert days["cards"] == {"a": march + 4, "b": march + 8}
    assert days["quiz"] == {f"{QUIZ}#a": 0, f"{QUIZ}#b": march + 7, f"{QUIZ}#c": march + 4}
    assert list(days["mock"].values()) == [march]


# As a file


def test_a_file_brings_everything_to_another_device(device):
    one, two = device(), device()
    for kind, value in VALUES.items():
        save(one, kind, value)
    file = saved(one)
    assert (file["format"], file["version"], file["kinds"].keys()) == ("ml-design", 1, VALUES.keys())
    assert loaded(two, file) == (
        "Loaded, newer than here: 1 page read, 1 flashcard, 1 daily goal, 1 quiz answer, 1 exercise, 1 study plan, "
        "1 interview, 1 incident, 1 incident going on, 1 interview going on."
    )
    assert {kind: load(two, kind) for kind in VALUES} == VALUES
    assert "1 read" in two.locator("[data-pages] .done").first.inner_text()
    assert loaded(two, file) == "Loaded. Nothing in it is newer than here."
    assert {key: text for key, text in kept(one).items() if key.startswith("ml-design")} == {
        key: text for key, text in kept(two).items() if key.startswith("ml-design")
    }


def test_the_newer_of_each_item_stays_and_what_was_deleted_later_is_gone(device):
    one, two = device(), device()
    save(one, "cards", {"a": [1, "2026-03-02"], "b": [1, "2026-03-02"]})
    save(one, "read", {"problem/goal/": "2026-03-01", "problem/metrics/": "2026-03-01"})
    save(one, "mock", [RUN, RUN | {"summary": "b"}])
    loaded(two, saved(one))
    two.wait_for_timeout(2)
    save(two, "cards", {"a": [2, "2026-03-04"], "b": [1, "2026-03-02"], "c": [0, "2026-03-01"]})
    save(two, "read", {"problem/metrics/": "2026-03-01"})
    save(two, "mock", [RUN | {"summary": "b"}])
    save(one, "cards", {"a": [1, "2026-03-02"], "b": [0, "2026-03-01"]})
    first, second = saved(one), saved(two)
    assert loaded(one, second) == "Loaded, newer than here: 1 page read, 2 flashcards, 1 interview."
    assert loaded(two, first) == "Loaded, newer than here: 1 flashcard."
    for page in (one, two):
        assert load(page, "cards") == {"a": [2, "2026-03-04"], "b": [0, "2026-03-01"], "c": [0, "2026-03-01"]}
        assert load(page, "read") == {"problem/metrics/": "2026-03-01"}
        assert load(page, "mock") == [RUN | {"summary": "b"}]


def test_two_interviews_alike_are_two(device):
    page = device()
    save(page, "mock", [RUN, RUN])
    assert load(page, "mock") == [RUN, RUN]
    other = device()
    loaded(other, saved(page))
    assert load(other, "mock") == [RUN, RUN]


def test_the_interview_that_goes_on_here_is_not_replaced(device):
    one, two = device(), device()
    save(two, "now", NOW | {"elapsed": 9})
    two.wait_for_timeout(2)
    save(one, "now", NOW)
    file = saved(one)
    assert loaded(two, file) == "Loaded. Nothing in it is newer than here."
    assert load(two, "now")["elapsed"] == 9
    save(one, "now", None)
    loaded(one, file)
    assert load(one, "now") is None  # given up later than it was saved


def entry_of(kind, *entry):
    return {"format": "ml-design", "version": 1, "kinds": {"goal": {"": [1, 40]}, kind: {"a": list(entry)}}}


BAD = {
    "no file of ours": (b'{"a": 1}', "It is no file of this guide."),
    "no JSON": (b"hello", "It is damaged, or no file of this guide."),
    "cut off": (b'{"format": "ml-design", "version": 1, "kinds"', "It is damaged"),
    "a list": (b"[]", "It is no file of this guide."),
    "newer": (
        {"format": "ml-design", "version": 2, "kinds": {}},
        "A newer version of this guide saved it (2; this one reads 1).",
    ),
    "no version": ({"format": "ml-design", "kinds": {}}, "It names no version."),
    "a version of nothing": ({"format": "ml-design", "version": "1", "kinds": {}}, "It names no version."),
    "no data": ({"format": "ml-design", "version": 1}, "It holds no data."),
    "an unknown kind": (entry_of("constructor", 1, 2), "It holds “constructor”, which this version"),
    "a card of another shape": (entry_of("cards", 1, ["often", 2]), "Its flashcards cannot be read."),
    "a time that is none": (entry_of("cards", "soon", [1, "2026-03-02"]), "Its flashcards cannot be read."),
    "no time": ({"format": "ml-design", "version": 1, "kinds": {"read": {"a": []}}}, "Its pages read cannot be read."),
    "an answer of no quiz": (entry_of("quiz", 1, [True, 1, "2026-03-02"]), "Its quiz answers cannot be read."),
    "an interview of another name": (entry_of("mock", 1, RUN), "Its interviews cannot be read."),
    "two going on": (entry_of("now", 1, NOW), "Its interviews going on cannot be read."),
    "no text put aside": (
        {"format": "ml-design", "version": 1, "kinds": {}, "unreadable": {"theme": "x"}},
        "Its texts put aside",
    ),
    "too much": (b'"' + b"x" * 5_000_001 + b'"', "It has 5.0 MB, and a browser keeps about 5 for a site."),
}


@pytest.mark.parametrize(("file", "words"), BAD.values(), ids=BAD)
def test_a_file_that_is_wrong_in_anything_changes_nothing(device, file, words):
    page = device()
    save(page, "cards", VALUES["cards"])
    before = kept(page)
    said = loaded(page, file)
    assert said.startswith("Nothing was changed by mine.json. ")
    assert words in said
    assert kept(page) == before


def test_a_file_loaded_into_a_full_browser_is_there_as_long_as_the_page(device):
    page = device()
    page.evaluate("window.full = true")
    loaded(page, {"format": "ml-design", "version": 1, "kinds": {"cards": {"a": [1, [1, "2026-03-02"]]}}})
    assert load(page, "cards") == {"a": [1, "2026-03-02"]}
    expect(notice(page)).to_have_text(FULL)


def test_everything_can_be_deleted(device):
    page = device()
    page.evaluate(
        "localStorage.setItem('other', 'x'); localStorage.setItem('ml-design.read', '{'); mlDesign.load('read')"
    )
    save(page, "cards", VALUES["cards"])
    button = page.get_by_role("button", name="Delete everything")
    page.once("dialog", lambda dialog: dialog.dismiss())
    button.click()
    assert "ml-design.cards" in kept(page)
    page.once("dialog", lambda dialog: dialog.accept())
    button.click()
    assert [key for key in kept(page) if key.startswith("ml-design")] == []
    assert kept(page)["other"] == "x"
    expect(page.locator("[aria-label='Your data']")).to_contain_text("Nothing is kept here yet.")
    assert notice(page).inner_text() == ""


def test_data_are_saved_and_a_file_is_chosen_by_the_keyboard(device):
    page = device()
    page.on("filechooser", lambda chooser: None)  # asks the browser to tell, before a key is pressed
    page.get_by_role("button", name="Save your data").last.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == f"ml-design-{page.evaluate('mlDesign.day()')}.json"
    page.keyboard.press("Tab")
    with page.expect_file_chooser():
        page.keyboard.press("Enter")


STATES = {
    "full": (CARDS, "mlDesign.save('goal', 10)"),
    "full, while an interview runs": (
        MOCK,
        "document.querySelector('.mock button').click(), mlDesign.save('goal', 10)",
    ),
    "full, with spoilt data": (HERE, "localStorage.setItem('ml-design.cards', '{'), mlDesign.save('cards', {})"),
}


@pytest.mark.parametrize(("url", "script"), STATES.values(), ids=STATES)
def test_what_is_told_is_accessible_and_fits(each_view, base, url, script):
    each_view.goto(base + url)
    each_view.evaluate(
        f"{script}, Storage.prototype.setItem = () => {{ throw new Error('full'); }}, mlDesign.save('goal', 40)"
    )
    expect(notice(each_view)).to_contain_text(FULL)
    assert barriers(each_view) == []


def test_your_data_are_accessible_after_a_file(each_view, base):
    each_view.goto(base + HERE)
    loaded(each_view, b"hello")
    assert barriers(each_view) == []
