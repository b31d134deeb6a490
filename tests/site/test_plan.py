"""The study plan by date: what it chooses, what it says when one is behind, and the calendar file, in a browser."""

from datetime import date, timedelta
from pathlib import Path

import icalendar
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import expect

from tests.site.conftest import barriers, later, soup, stored

STUDY = "study/"
DAYS = [f"2026-03-{i:02}" for i in range(1, 29)]
THINGS = st.lists(
    st.tuples(st.sampled_from(["read", "read", "quiz", "case"]), st.integers(3, 50)), min_size=1, max_size=40
)


def fill_in(page, day, minutes=60, **others):
    page.get_by_label("Day of the interview").fill(day)
    page.get_by_label("Minutes a day").fill(str(minutes))
    for name, value in others.items():
        page.get_by_label(name).set_checked(value)
    page.locator(".planner form button").click()


def days(page):
    """Return what is kept of the plan: [day, [kind, page, minutes], …] for each day."""
    return stored(page, "plan")["days"]


@pytest.fixture(scope="module")
def planning(browser, base):
    page = browser.new_page()
    page.goto(base + STUDY)
    yield page
    page.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(THINGS, st.integers(1, 28), st.integers(15, 180), st.integers(5, 15))
def test_a_plan_takes_what_is_worth_most_once_each_and_no_day_has_too_much(planning, drawn, count, minutes, sheet):
    things = [{"kind": kind, "page": f"p{i}/", "minutes": each, "title": "t"} for i, (kind, each) in enumerate(drawn)]
    plan = planning.evaluate("args => window.mlDesign.schedule(...args)", [things, DAYS[:count], minutes, sheet])
    assert [day for day, _ in plan["days"]] == DAYS[:count]
    planned = [(kind, page) for _, items in plan["days"] for kind, page, _ in items if kind in ("read", "quiz", "case")]
    left = [page for page, _ in plan["left"]]
    for kinds in ({"read", "quiz"}, {"case"}):  # of either, the first
        mine = sorted((page for kind, page in planned if kind in kinds), key=lambda page: int(page[1:-1]))
        wanted = [thing["page"] for thing in things if thing["kind"] in kinds]
        assert mine + [page for page in left if page in wanted] == wanted
    order = [(kind, page) for _, items in plan["days"] for kind, page, _ in items]
    for kind, page in planned:
        if kind == "case":
            assert order.index(("mock", page)) < order.index((kind, page))
    cases = [page for kind, page in planned if kind == "case"]
    work = [item for item in order if item[0] not in ("cards", "sheet")]
    assert [item for item in work if item[0] == "again"] == ([("again", cases[0])] if len(cases) > 1 else [])
    assert len(cases) < 2 or work[-1] == (
        "again",
        cases[0],
    )  # weeks after the first, when the answer is no longer fresh
    cards = 10 if minutes >= 30 else 0
    for i, (_, items) in enumerate(plan["days"]):
        kinds = [kind for kind, _, _ in items]
        assert ("cards" in kinds) == (i > 0 and cards > 0)
        assert ("sheet" in kinds) == (i == count - 1)
        work = [each for kind, _, each in items if kind not in ("cards", "sheet")]
        if i == count - 1 and count > 1:
            assert work == []  # nothing new before it
        room = minutes - cards * (i > 0) - sheet * (count == 1)
        assert sum(work) <= room or len(work) == 1  # longer than any day: alone
    if left and count > 2:  # no day is idle while something is left
        assert all(items[0][0] not in ("cards", "sheet") for _, items in plan["days"][:-1] if minutes > 60)


def test_with_little_time_it_is_the_first_list_and_with_much_all_of_them(phone, base):
    phone.goto(base + STUDY)
    lists = [link["href"].removeprefix("../") for link in soup(STUDY).select(".plan li > a")]
    fill_in(phone, "2026-03-04", 60)
    pages = [page for _, items in days(phone) for kind, page, _ in items if kind == "read"]
    assert [day for day, _ in days(phone)] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert pages == sorted(pages, key=lists.index)[: len(pages)]
    assert pages[0] == lists[0]
    expect(phone.locator(".planner summary")).to_contain_text("Left out for lack of time")
    fill_in(phone, "2026-12-24", 120)
    assert len(days(phone)) == 42
    expect(phone.locator(".planner .state")).to_contain_text("The plan begins on Thursday, November 12")
    assert stored(phone, "plan")["left"] == []
    works = [sum(each for kind, _, each in items if kind != "cards") for _, items in days(phone)]
    assert max(works) < 110
    assert works.count(0) <= 3  # spread over the days


def test_a_plan_of_a_fortnight_has_mock_interviews_and_what_is_done_is_not_planned(phone, base):
    phone.goto(base + STUDY)
    fill_in(phone, "2026-03-15", 75)
    mocks = [page for _, items in days(phone) for kind, page, _ in items if kind == "mock"]
    assert len(mocks) >= 3
    title = soup(mocks[0]).h1.get_text().strip("¶ \n")
    run = {"date": "2026-03-01", "title": title, "summary": "s"}
    phone.evaluate("run => window.mlDesign.save('mock', [run])", run)
    fill_in(phone, "2026-03-15", 75)
    planned = [(kind, page) for _, items in days(phone) for kind, page, _ in items]
    assert ("mock", mocks[0]) not in planned
    assert ("case", mocks[0]) in planned
    assert [page for kind, page in planned if kind == "again"] == mocks[:1]


def test_a_prompt_taken_and_read_is_taken_once_more(phone, base):
    phone.goto(base + STUDY)
    page = "practice/feed-ranking/"
    run = {"date": "2026-02-20", "title": "Feed ranking", "summary": "s"}
    for runs, wanted in ([run], [page]), ([run, run | {"date": "2026-02-25"}], []):
        phone.evaluate("runs => mlDesign.save('mock', runs)", runs)
        phone.evaluate("read => mlDesign.save('read', read)", {page: "2026-02-20"})
        phone.reload()
        fill_in(phone, "2026-03-15", 75)
        again = [own for _, items in days(phone) for kind, own, _ in items if kind == "again"]
        assert (page in again, len(again)) == (bool(wanted), 1)
        assert phone.get_by_text("The same mock interview again: Feed ranking").count() == len(wanted)


def test_the_minutes_for_what_is_due_are_used_by_a_card_or_a_question(phone, base):
    phone.goto(base + STUDY)
    fill_in(phone, "2026-03-15", 75)
    later(phone, days=1)
    phone.reload()
    line = phone.locator(".planner li li", has_text="Flashcards and questions that are due").first
    expect(line).not_to_contain_text("done")
    phone.evaluate("mlDesign.save('quiz', { 'problem/quiz/': { a: [true, 1, '2026-03-09'] } })")
    phone.reload()
    expect(line).to_contain_text("done")


@pytest.mark.parametrize("minutes", [*range(15, 121, 5), 180, 300, 600])
def test_with_any_minutes_a_day_the_days_are_used(planning, minutes):
    things = [{"kind": "read", "page": f"p{i}/", "minutes": 10 + i % 25, "title": "t"} for i in range(60)]
    things[10] |= {"kind": "quiz", "minutes": 43}
    things[5] |= {"kind": "case", "minutes": 17}
    plan = planning.evaluate("args => window.mlDesign.schedule(...args)", [things, DAYS[:15], minutes, 12])
    used = sum(each for _, items in plan["days"] for kind, _, each in items if kind not in ("cards", "sheet"))
    assert used >= min(0.6 * 14 * (minutes - 10), sum(thing["minutes"] for thing in things))


def test_days_off_page_read_and_the_change_of_clocks_are_minded(browser, base):
    context = browser.new_context(timezone_id="America/New_York")
    page = context.new_page()
    page.clock.install(time="2026-03-06T23:30:00-05:00")  # clocks go forward on the 8th
    page.goto(base + STUDY)
    page.locator(".plan input").first.check()
    fill_in(page, "2026-03-11", 60, Saturday=True)
    assert [day for day, _ in days(page)] == ["2026-03-06", "2026-03-08", "2026-03-09", "2026-03-10"]
    first = soup(STUDY).select_one(".plan li a")["href"].removeprefix("../")
    assert first not in [item for _, items in days(page) for _, item, _ in items]
    context.close()


def test_it_says_when_one_is_behind_and_plans_anew(phone, base):
    phone.goto(base + STUDY)
    fill_in(phone, "2026-03-10", 45)
    expect(phone.locator(".planner .state")).to_contain_text("You are not behind")
    (_, first), *_ = days(phone)
    later(phone, days=1)
    phone.reload()
    minutes = sum(each for kind, _, each in first if kind != "cards")
    expect(phone.locator(".planner .state")).to_contain_text(f"behind by {minutes} min")
    expect(phone.locator(".planner summary").first).to_have_text("1 day gone by")
    phone.locator(f'.plan li:has(a[href="../{first[0][1]}"]) input').first.check()
    expect(phone.locator(".planner .state")).to_contain_text(f"behind by {minutes - first[0][2]} min")
    phone.get_by_role("button", name="Plan anew from today").click()
    expect(phone.locator(".planner .state")).to_contain_text("You are not behind")
    assert days(phone)[0][0] == "2026-03-02"
    assert first[0][1] not in [page for _, items in days(phone) for _, page, _ in items]


@pytest.mark.parametrize("day", ["2026-03-01", "2026-02-27", ""])
def test_no_day_is_planned_for_an_interview_that_is_today_or_over(phone, base, day):
    phone.goto(base + STUDY)
    fill_in(phone, day)
    assert stored(phone, "plan") is None
    fill_in(phone, "2026-03-02")
    assert [kind for kind, _, _ in days(phone)[0][1]][-1] == "sheet"  # today is the only day
    later(phone, days=3)
    phone.reload()
    expect(phone.locator(".planner")).to_contain_text("Your interview was planned for Monday, March 2")


def test_the_calendar_file_holds_each_day_and_a_newer_one_replaces_it(phone, base, tmp_path):
    phone.goto(base + STUDY)
    found = []
    for off in (False, True):
        fill_in(phone, "2026-03-20", 60, Saturday=off)
        with phone.expect_download() as download:
            phone.get_by_role("button", name="Save as a calendar file").click()
        assert download.value.suggested_filename == "ml-design-plan.ics"
        path = Path(tmp_path / "plan.ics")
        download.value.save_as(path)
        found.append(path.read_bytes())
    one, two = (icalendar.Calendar.from_ical(text) for text in found)
    assert all(len(line) <= 75 for line in found[0].split(b"\r\n"))
    assert b"\n" not in found[0].replace(b"\r\n", b"")
    assert {event["UID"] for event in one.events} == {event["UID"] for event in two.events}
    assert [event["DTSTART"].dt.weekday() for event in two.events if event.get("STATUS") == "CANCELLED"] == [5, 5]
    assert [two.events[0]["SEQUENCE"], one.events[0]["SEQUENCE"]] == [2, 1]
    assert not one.errors
    assert "STATUS" not in found[0].decode()
    held = [event for event in two.events if event.get("STATUS") != "CANCELLED"]
    for event, (day, items) in zip(held, days(phone), strict=True):
        start = event.decoded("DTSTART")
        assert (start.date(), start.hour, start.tzinfo) == (date.fromisoformat(day), 19, None)  # wherever the reader is
        assert event.decoded("DURATION") == timedelta(minutes=sum(each for _, _, each in items))
        assert len(str(event["DESCRIPTION"]).split("\n")) == len(items)
        assert (
            f"{base}{items[0][1] if items[0][0] not in ('mock', 'again') else 'practice/mock-interview/'}"
            in event["DESCRIPTION"]
        )


def test_the_plan_is_made_by_keyboard_and_is_accessible(each_view, base):
    each_view.goto(base + STUDY)
    each_view.get_by_label("Day of the interview").fill((date.today() + timedelta(30)).isoformat())
    each_view.get_by_label("Minutes a day").press("Enter")
    assert each_view.evaluate("document.activeElement.textContent") == "By date"
    for summary in each_view.locator(".planner summary").all():
        summary.click()
    assert barriers(each_view, ".planner") == []


def test_without_javascript_there_are_the_lists_alone(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + STUDY)
    assert page.locator(".planner").count() == 0
    assert page.locator(".plan li").count() > 100
    context.close()
