"""The incident drill in a browser: the whole way by keyboard, what it counts, and what it survives."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.site.conftest import barriers, new_view, soup, stored

DRILL = "practice/incident-drill/"
BOXES = soup(DRILL).select(".incident")
INCIDENTS = [json.loads(box["data-incident"]) | {"id": box.find_previous("h2")["id"]} for box in BOXES]
PRICES = {view["data-view"]: int(view["data-price"]) for view in BOXES[0].select(".view")}


@pytest.fixture
def phone(phone, base):
    phone.goto(base + DRILL)
    return phone


def start(page, it):
    page.get_by_label("Incident", exact=True).select_option(it["id"])
    page.get_by_role("button", name="Start 15 minutes").click()
    expect(page.locator(".mock h2")).to_be_focused()


def ask(page, *views):
    for view in views:
        page.locator(f".ask[data-view={view}]").click()


def call(page, cause, action):
    page.get_by_label("The cause").select_option(str(cause))
    page.get_by_label("Your first action").select_option(str(action))
    page.get_by_role("button", name="That is it").click()


def points(page):
    return [int(n) for n in re.search(r": (\d+) of (\d+) points", page.locator(".mock h2").inner_text()).groups()]


@pytest.mark.parametrize("it", INCIDENTS, ids=lambda it: it["id"])
def test_the_good_order_with_the_right_answer_has_every_point(phone, it):
    start(phone, it)
    ask(phone, *it["good"])
    call(phone, it["cause"], it["action"])
    assert points(phone) == [10, 10]
    assert phone.locator(".mock ol").first.locator("li").count() == len(it["good"])
    run = stored(phone, "drill")[-1]
    assert (run["id"], run["points"], run["of"]) == (it["id"], 10, 10)
    assert stored(phone, "drill.now") is None


def test_the_whole_way_by_keyboard(phone):
    keys = phone.keyboard
    phone.get_by_label("Incident", exact=True).focus()
    keys.press("Tab")
    keys.press("Enter")
    expect(phone.locator(".mock h2")).to_be_focused()
    for _ in range(2):
        phone.locator(".ask:visible").first.focus()
        keys.press("Enter")
        expect(phone.locator(".mock summary").first).to_be_focused()
    for label in ("The cause", "Your first action"):
        phone.get_by_label(label).focus()
        keys.press("ArrowDown")
    keys.press("Tab")
    keys.press("Enter")
    expect(phone.locator(".mock h2")).to_be_focused()
    assert 0 <= points(phone)[0] <= 10
    phone.get_by_role("button", name="Another incident").press("Enter")
    expect(phone.get_by_label("Incident", exact=True)).to_be_focused()


def test_a_right_cause_without_the_key_views_is_called_a_guess(phone):
    it = INCIDENTS[0]
    start(phone, it)
    call(phone, it["cause"], it["action"])
    assert points(phone) == [6, 10]
    expect(phone.locator(".mock table").first).to_contain_text("The cause is right, and a guess")


def test_a_wrong_cause_and_clean_views_cost_points_and_never_more_than_there_are(phone):
    it = INCIDENTS[0]
    start(phone, it)
    ask(phone, *it["idle"])
    wrong = (it["cause"] + 1) % 11
    call(phone, wrong, (it["action"] + 1) % 11)
    assert points(phone) == [0, 10]
    minutes = sum(PRICES[view] for view in it["idle"])
    spent = phone.locator(".mock tr", has_text=f"You spent {minutes} minutes")
    expect(spent.locator("td").last).to_have_text(str(-((minutes - 3) // 3)))
    assert phone.locator(".mock ol").last.inner_text().count("As in a sound week.") == len(it["idle"])


def test_views_and_time_take_minutes_until_only_the_call_is_left(phone):
    start(phone, INCIDENTS[0])
    clock = phone.locator(".clock")
    expect(clock).to_have_text("15:00 left")
    ask(phone, "served")
    expect(clock).to_have_text("12:00 left")
    phone.clock.fast_forward(10 * 60_000)
    expect(clock).to_have_text("2:00 left")
    expect(phone.locator(".ask[data-view=rerun]")).to_be_disabled()
    expect(phone.locator(".ask[data-view=slices]")).to_be_enabled()
    phone.clock.fast_forward(10 * 60_000)
    expect(clock).to_have_text("0:00 left")
    expect(phone.locator(".ask:enabled")).to_have_count(0)
    call(phone, 0, 0)
    assert points(phone)[1] == 10


def test_a_call_wants_a_cause_and_an_action(phone):
    start(phone, INCIDENTS[0])
    phone.get_by_role("button", name="That is it").click()
    expect(phone.locator(".mock [role=status]")).to_have_text("Choose a cause and a first action.")
    expect(phone.get_by_label("The cause")).to_be_focused()
    assert stored(phone, "drill") is None


def test_a_reload_keeps_what_was_seen_chosen_and_spent(phone):
    start(phone, INCIDENTS[1])
    ask(phone, "when", "slices")
    phone.get_by_label("The cause").select_option("3")
    phone.clock.fast_forward(60_000)
    phone.reload()
    expect(phone.locator(".clock")).to_have_text("11:00 left")
    expect(phone.locator(".mock summary")).to_have_count(2)
    expect(phone.get_by_label("The cause")).to_have_value("3")
    phone.evaluate("new Date()")
    phone.clock.set_fixed_time("2026-03-01T08:00:00+09:00")  # a clock set back gives no time
    phone.reload()
    expect(phone.locator(".clock")).to_have_text("11:00 left")


def parts(page):
    """Return what there is to read or to choose: the alarm, what to ask for, what was shown, the call."""
    return [page.locator(f".mock {css}") for css in ("> figure", ".asks", "details", "#drill-cause", "#drill-action")]


def test_in_a_pause_the_clock_stands_and_nothing_is_there_to_read(phone):
    start(phone, INCIDENTS[1])
    ask(phone, "when")
    phone.get_by_label("The cause").select_option("3")
    phone.clock.fast_forward(60_000)
    words = phone.locator(".mock > p").first
    texts = [words, *parts(phone), phone.get_by_role("button", name="That is it")]
    assert all(part.is_visible() for part in texts)
    pause = phone.get_by_role("button", name="Pause")
    pause.focus()
    pause.press("Enter")
    expect(phone.get_by_role("button", name="Go on")).to_be_focused()
    assert not any(part.is_visible() for part in texts)
    expect(phone.locator(".mock .phase")).to_have_text(
        "Paused. Alarm, views and choices are hidden: reading takes time."
    )
    shown = phone.locator(".mock").inner_text()
    box = BOXES[1]
    assert box.p.get_text()[:40] not in shown
    assert not [view for view in box.select(".view > summary") if view.get_text()[:20] in shown]
    for _ in range(2):
        phone.clock.fast_forward(10 * 60_000)
        expect(phone.locator(".clock")).to_have_text("13:00 left")
        phone.reload()
        assert not any(part.is_visible() for part in texts)
    phone.keyboard.press("Tab")
    assert [each.is_visible() for each in phone.get_by_role("button", name="Pause").all()] == []
    phone.get_by_role("button", name="Go on").press("Space")
    expect(phone.get_by_role("button", name="Pause")).to_be_focused()
    assert all(part.is_visible() for part in texts)
    expect(phone.get_by_label("The cause")).to_have_value("3")
    phone.clock.fast_forward(60_000)
    expect(phone.locator(".clock")).to_have_text("12:00 left")


def test_there_is_no_pause_when_time_is_up(phone):
    start(phone, INCIDENTS[0])
    phone.get_by_role("button", name="Pause").focus()
    phone.clock.fast_forward(15 * 60_000)
    expect(phone.locator(".clock")).to_have_text("0:00 left")
    expect(phone.get_by_role("button", name="Pause")).to_be_hidden()
    expect(phone.locator(".mock h2")).to_be_focused()
    phone.reload()
    expect(phone.get_by_role("button", name="That is it")).to_be_visible()


def test_what_is_paused_can_be_given_up(phone):
    start(phone, INCIDENTS[0])
    phone.get_by_role("button", name="Pause").click()
    phone.once("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="Give up").click()
    assert stored(phone, "drill.now") is None


@pytest.mark.parametrize("number", range(11))
def test_the_result_says_why_another_action_does_not_come_first(phone, number):
    it = INCIDENTS[2]
    start(phone, it)
    call(phone, it["cause"], number)
    actions = [li.get_text() for li in soup(DRILL).select(".drill ul")[1].select("li")]
    lines = {line.strong.get_text(): line.get_text() for line in BOXES[2].select(".answer ul > li")}
    said = phone.locator(".mock > p", has_text="Why not that first?")
    if number == it["action"]:
        assert said.count() == 0
    else:
        why = lines[f"{actions[number]}."].removeprefix(f"{actions[number]}.")
        assert said.inner_text() == f"Why not that first? {why}".replace("  ", " ")
    expect(phone.locator(".mock")).not_to_contain_text("Why not another action first")
    assert phone.locator(".mock ul").count() == 0  # not the others
    expect(phone.locator(".mock > p", has_text="Read: ")).to_be_visible()


def test_what_is_given_up_leaves_nothing(phone):
    start(phone, INCIDENTS[0])
    ask(phone, "when")
    phone.once("dialog", lambda dialog: dialog.dismiss())
    phone.get_by_role("button", name="Give up").click()
    expect(phone.locator(".clock")).to_be_visible()
    phone.once("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="Give up").click()
    expect(phone.get_by_label("Incident", exact=True)).to_be_focused()
    assert stored(phone, "drill.now") is None
    assert stored(phone, "drill") is None
    assert phone.locator("body.mock-runs").count() == 0


def test_at_random_begins_with_what_was_not_done(phone):
    done = [{"date": "2026-02-01", "id": it["id"], "title": "x", "points": 1, "of": 10} for it in INCIDENTS[:-1]]
    phone.evaluate("runs => localStorage.setItem('ml-design.drill', JSON.stringify(runs))", done)
    phone.reload()
    expect(phone.locator(".history li")).to_have_count(len(done))
    expect(phone.locator("#drill-incident option", has_text="(done)")).to_have_count(len(done))
    phone.get_by_role("button", name="Start 15 minutes").click()
    assert stored(phone, "drill.now")["id"] == INCIDENTS[-1]["id"]


@pytest.mark.parametrize(
    "now",
    [
        "{",
        "[]",
        '{"id": "tuesday"}',
        '{"id": "tuesday", "elapsed": "x", "since": null, "asked": []}',
        '{"id": "gone", "elapsed": 0, "since": null, "asked": []}',
    ],
)
def test_what_cannot_be_read_or_is_no_more_begins_anew(phone, now):
    phone.evaluate("text => localStorage.setItem('ml-design.drill.now', text)", now)
    phone.evaluate("text => localStorage.setItem('ml-design.drill', text)", '[{"id": 3}]')
    phone.reload()
    expect(phone.get_by_label("Incident", exact=True)).to_be_visible()
    start(phone, INCIDENTS[0])


def test_old_numbers_are_held_to_what_there_is_today(phone):
    now = {
        "id": "tuesday",
        "elapsed": 10**9,
        "since": None,
        "asked": ["when", "when", "gone"],
        "cause": 99,
        "action": -5,
    }
    phone.evaluate("now => localStorage.setItem('ml-design.drill.now', JSON.stringify(now))", now)
    phone.reload()
    expect(phone.locator(".clock")).to_have_text("0:00 left")
    expect(phone.locator(".mock summary")).to_have_count(1)
    phone.get_by_role("button", name="That is it").click()
    expect(phone.locator(".mock [role=status]")).to_have_text("Choose a cause and a first action.")


def test_without_storage_it_says_so_and_works(browser, base):
    page = browser.new_page()
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no'); } })")
    page.goto(base + DRILL)
    start(page, INCIDENTS[2])
    ask(page, "when")
    expect(page.locator(".mock [role=status]")).to_contain_text("does not store this")
    call(page, INCIDENTS[2]["cause"], 0)
    expect(page.locator(".history")).to_contain_text("does not keep it")
    page.close()


def test_another_tab_takes_over(phone, base):
    start(phone, INCIDENTS[0])
    other = phone.context.new_page()
    other.goto(base + DRILL)
    expect(other.locator(".clock")).to_be_visible()
    expect(phone.locator(".mock")).to_contain_text("goes on in another tab")
    phone.get_by_role("button", name="Go on here").click()
    expect(phone.locator(".clock")).to_be_visible()
    other.close()


def test_without_javascript_all_is_there_with_the_answer_folded_last(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + DRILL)
    expect(page.locator(".incident")).to_have_count(8)
    first = page.locator(".incident").first
    expect(first.locator("> p")).to_be_visible()
    folds = first.locator("details")
    expect(folds).to_have_count(len(PRICES) + 1)
    expect(folds.first.locator("svg")).to_be_hidden()
    folds.first.locator("summary").click()
    expect(folds.first.locator("svg")).to_be_visible()
    expect(folds.last.locator("ol")).to_be_hidden()
    folds.last.locator("summary").click()
    expect(folds.last.locator("ol")).to_be_visible()
    context.close()


@pytest.mark.parametrize("name", ["desktop-light", "desktop-dark", "phone-light", "phone-dark"])
def test_each_state_is_accessible(browser, base, name):
    page = new_view(browser, name)
    page.goto(base + DRILL)
    it = INCIDENTS[0]
    start(page, it)
    ask(page, "slices", "when", "previous", "served", "clicks", "usual", "users")
    page.evaluate("document.querySelectorAll('.mock details').forEach((each) => { each.open = true })")
    assert barriers(page) == []
    page.get_by_role("button", name="Pause").click()
    assert barriers(page) == []
    page.get_by_role("button", name="Go on").click()
    call(page, it["cause"], (it["action"] + 1) % 11)
    assert barriers(page) == []
    page.get_by_role("button", name="Another incident").click()
    assert barriers(page) == []
    page.context.close()
