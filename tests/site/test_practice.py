"""What one practises with: cards, quizzes, the mock interview, the sheet, the deck and the archive, in a browser."""

import io
import json
import re
import sqlite3
import zipfile

import pytest
from bs4 import BeautifulSoup, SoupStrainer
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.site.conftest import SITE, barriers, later, soup, stored, urls
from tests.site.test_files import lychee
from tools.builders.archive import FOLDER, NAME
from tools.builders.search import NAMES

CARDS, MOCK, HERE = "practice/flashcards/", "practice/mock-interview/", "practice/"
EXERCISED, EXERCISES = "evaluation/normalized-entropy/", "practice/exercises/"
QUIZZES = [url for url in urls() if url.endswith("quiz/")]


# Flashcards


def test_there_are_enough_cards_and_each_has_a_question_an_answer_and_a_page():
    cards = soup(CARDS).select(".all-cards details.card")
    assert len(cards) >= 150
    assert len({card["data-card"] for card in cards}) == len(cards)
    for card in cards:
        assert len(card.summary.text) > 10, card
        answer = " ".join(p.text for p in card.find_all(["p", "li"], class_=lambda c: c != "from"))
        assert len(answer) > 10, card.summary.text
        assert card.select_one(".from a")


def test_each_card_of_a_page_is_collected():
    there = {card.summary.text for card in soup(CARDS).select(".all-cards details.card")}
    for url in urls():
        if url not in ("404.html", CARDS):
            assert {card.summary.text for card in soup(url).select("details.card")} <= there, url


def test_a_known_card_comes_back_after_one_day_then_two_then_four(phone, base):
    phone.goto(base + CARDS)
    trainer = phone.locator(".trainer")
    first = trainer.locator(".question")
    others = phone.locator("details.card").count() - 1
    for wait in (1, 2, 4):
        trainer.get_by_role("button", name=re.compile("Practise")).click()
        question = first.inner_text()
        trainer.get_by_role("button", name="Show the answer").click()
        trainer.get_by_role("button", name="I knew it").click()
        assert first.inner_text() != question
        later(phone, days=wait - 1)
        phone.reload()
        assert trainer.locator(".state").inner_text().startswith(f"0 due today, {others} new, 1 known")
        later(phone, days=1)
        phone.reload()
        assert trainer.locator(".state").inner_text().startswith(f"1 due today, {others} new, 0 known")
    trainer.get_by_role("button", name=re.compile("Practise")).click()
    assert first.inner_text() == question


def test_a_card_one_did_not_know_comes_back_in_the_sitting_until_it_is_known(phone, base):
    phone.goto(base + CARDS)
    trainer = phone.locator(".trainer")
    trainer.get_by_role("button", name="Practise 20 cards").click()
    missed = trainer.locator(".question").inner_text()
    seen = []
    for i in range(21):
        seen.append(trainer.locator(".question").inner_text())
        trainer.get_by_role("button", name="Show the answer").click()
        trainer.get_by_role("button", name="Again" if i == 0 else "I knew it").click()
    assert len(set(seen)) == 20
    assert seen[0] == seen[20] == missed
    assert trainer.locator(".state").inner_text().startswith("Done: 20 cards.")
    assert sorted(count for count, _ in stored(phone, "cards").values()) == [1] * 20
    assert {due for _, due in stored(phone, "cards").values()} == {"2026-03-02"}


def test_cards_work_from_the_keyboard_and_by_section(phone, base):
    phone.goto(base + CARDS)
    phone.get_by_label("Cards of").select_option("Modeling")
    ids = phone.locator("#modeling ~ details.card").evaluate_all("boxes => boxes.map(box => box.dataset.card)")
    phone.get_by_label("Cards of").focus()
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    for key in (" ", "2", " ", "1"):
        phone.keyboard.press(key)
    assert {count for count, _ in stored(phone, "cards").values()} == {0, 1}
    assert set(stored(phone, "cards")) <= set(ids)


def sitting(page, number=20):
    """Practise some cards that are all known; return their questions in order."""
    seen = []
    page.get_by_role("button", name=re.compile("^Practise")).click()
    for _ in range(number):
        seen.append(page.locator(".trainer .question").inner_text())
        page.get_by_role("button", name="Show the answer").click()
        page.get_by_role("button", name="I knew it").click()
    return seen


def test_cards_of_a_day_come_in_an_order_drawn_for_it(phone, base):
    orders = []
    for days in (0, 0, 1):
        later(phone, days=days)
        phone.goto(base + CARDS)
        phone.evaluate("localStorage.clear()")
        phone.reload()
        orders.append(sitting(phone))
    guide = [card.summary.get_text() for card in soup(CARDS).select(".all-cards details.card")][:20]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in (*orders, guide)}) == 3
    ids = phone.locator("details.card").evaluate_all("boxes => boxes.map(box => box.dataset.card)")
    known = {id_: [1, "2026-02-01" if i < 25 else "2026-02-02"] for i, id_ in enumerate(ids[:30])}
    phone.evaluate("known => mlDesign.save('cards', known)", known)
    phone.reload()
    first = sitting(phone)  # of those due, the longest waiting come first, drawn among themselves
    titles = {card["data-card"]: card.summary.get_text() for card in soup(CARDS).select(".all-cards details.card")}
    assert set(first) < {titles[id_] for id_ in ids[:25]}
    assert first != [titles[id_] for id_ in ids[:20]]


def test_the_list_is_folded_and_gone_while_cards_are_practised(phone, base):
    phone.goto(base + CARDS)
    unfold = phone.get_by_text("All cards with their answers")
    assert not phone.locator("details.card").first.is_visible()
    unfold.click()
    assert phone.locator("details.card").first.is_visible()
    phone.get_by_role("button", name="Practise 20 cards").click()
    for hidden in (unfold, phone.locator("details.card").first, phone.get_by_label("Daily goal")):
        assert not hidden.is_visible()
    phone.get_by_role("button", name="Stop").click()
    assert unfold.is_visible()


def test_the_list_unfolded_is_accessible(view, base):
    view.goto(base + CARDS)
    view.get_by_text("All cards with their answers").click()
    assert barriers(view) == []


def test_the_daily_goal_counts_the_cards_of_today_and_is_kept(phone, base):
    phone.goto(base + CARDS)
    goal, trainer = phone.get_by_label("Daily goal"), phone.locator(".trainer")
    expect(trainer).to_contain_text("0 of 20 today")
    goal.select_option("10")
    sitting(phone, 7)
    phone.reload()
    expect(trainer).to_contain_text("7 of 10 today")
    assert goal.input_value() == "10"
    phone.get_by_role("button", name="Practise 3 cards").click()
    phone.get_by_role("button", name="Stop").click()
    sitting(phone, 3)
    expect(trainer).to_contain_text("10 of 10 today")
    assert phone.get_by_role("button", name="Practise 10 cards").is_visible()
    later(phone, days=1)
    phone.reload()
    expect(trainer).to_contain_text("0 of 10 today")


def test_a_link_to_the_cards_of_a_section_chooses_them(phone, base):
    phone.goto(base + CARDS + "#modeling")
    assert phone.get_by_label("Cards of").input_value() == "modeling"
    phone.evaluate("location.hash = 'training-data'")
    expect(phone.get_by_label("Cards of")).to_have_value("training-data")


def test_without_javascript_all_cards_prompts_and_quizzes_are_there(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + CARDS)
    card = page.locator("details.card").first
    card.locator("summary").click()
    assert card.locator("p").first.is_visible()
    page.goto(base + MOCK)
    assert page.locator(".mock-case").count() == 10
    assert page.locator(".mock-case .prompt").first.is_visible()
    assert page.locator(".mock-rubric tbody tr").count() == 6
    page.goto(base + HERE)
    assert page.locator(".overview tbody tr").count() == 5
    page.goto(base + QUIZZES[0])
    page.locator("details.wrong summary").first.click()
    assert page.locator("details.wrong p a").first.is_visible()
    context.close()


def test_search_finds_a_question_on_its_page_and_not_where_it_is_gathered():
    titles, texts = (
        json.loads((SITE / name).read_text(encoding="utf-8").partition(" = ")[2].rstrip(";\n")) for name in NAMES
    )
    found = {
        page["url"]: " ".join(text for text, _ in parts) for page, parts in zip(titles["pages"], texts, strict=True)
    }
    assert max(len(found[url]) for url in ("practice/cheat-sheet/", CARDS, MOCK)) < 1_500
    for words in ("Why not count removed posts?", "What does Little's law say?"):
        assert any(words in text for text in found.values())


# Quizzes


def test_each_section_has_a_quiz():
    assert [url.split("/")[0] for url in QUIZZES] == ["evaluation", "features", "modeling", "problem", "training-data"]


def question(page, number):
    return page.locator(".asked").nth(number)


def answer(box, right):
    """Choose the right option of a question, or a wrong one, as the page's own text has them, and check."""
    heading = soup("evaluation/quiz/").find(id=box.locator("h2").get_attribute("id"))
    option = next(d for d in heading.find_next_siblings("details") if ("right" in d["class"]) is right)
    box.get_by_label(option.summary.get_text(), exact=True).check()
    box.get_by_role("button", name="Check").click()


def test_a_quiz_counts_the_first_answer_says_why_and_asks_again(phone, base):
    phone.goto(base + "evaluation/quiz/")
    score, count = phone.locator(".trainer p").first, phone.locator(".asked").count()
    expect(score).to_contain_text(f"{count} questions")
    assert not question(phone, 0).locator(".why").first.is_visible()
    question(phone, 0).get_by_role("button", name="Check").click()
    expect(question(phone, 0).locator(".verdict")).to_have_text("Choose one first.")
    answer(question(phone, 0), False)
    answer(question(phone, 1), True)
    expect(question(phone, 0).locator(".verdict")).to_have_text("Not this time. It is asked again.")
    assert question(phone, 0).locator(".why").first.is_visible()
    assert question(phone, 0).get_by_role("radio").first.is_disabled()
    expect(score).to_have_text(f"1 of 2 right at first, {count - 2} to go, 1 to ask again.")
    phone.reload()
    expect(score).to_have_text(f"1 of 2 right at first, {count - 2} to go, 1 to ask again.")
    assert question(phone, 1).locator(".why").first.is_visible()
    assert question(phone, 0).get_by_role("radio").first.is_enabled()
    phone.get_by_role("button", name="Ask the one again").click()
    assert phone.locator(".asked:visible").count() == 1
    answer(question(phone, 0), True)
    expect(score).to_have_text(f"1 of 2 right at first, {count - 2} to go.")  # the first one counts
    phone.get_by_role("button", name="Show all questions").click()
    assert phone.locator(".asked:visible").count() == count
    phone.goto(base + HERE)
    assert phone.locator("[data-quiz='evaluation/quiz/'] .done").inner_text().strip() == "1 right of 2"
    phone.goto(base + "evaluation/quiz/")
    phone.once("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="Start again").click()
    assert stored(phone, "quiz") == {}
    expect(score).to_contain_text(f"{count} questions")


def test_a_question_known_is_asked_again_after_days(phone, base):
    phone.goto(base + "evaluation/quiz/")
    answer(question(phone, 0), True)
    later(phone, days=1)
    phone.reload()
    assert question(phone, 0).locator(".why").first.is_visible()
    later(phone, days=1)
    phone.reload()
    assert phone.get_by_role("button", name="Ask the one again").is_visible()


def test_a_number_is_taken_as_people_write_it_and_missed_comes_with_others(phone, base):
    phone.goto(base + "evaluation/quiz/")
    box = phone.locator(".asked", has=phone.get_by_label("Your answer")).first
    draws = soup("evaluation/quiz/").find(id=box.locator("h2").get_attribute("id")).find_next_sibling("div")
    right = float(draws.details["data-answer"])
    first = box.locator("p").first.inner_text()
    field, check = box.get_by_label("Your answer"), box.get_by_role("button", name="Check")
    field.fill("many")
    check.click()
    expect(box.locator(".verdict")).to_contain_text("Write a number first")
    field.fill(f"{right * 2:,.3f}")
    check.click()
    expect(box.locator(".verdict")).to_contain_text("Not this time")
    assert box.locator(".why").is_visible()
    phone.get_by_role("button", name="Ask the one again").click()
    assert box.locator("p").first.inner_text() != first
    right = float(draws.find_all("details")[1]["data-answer"])
    field.fill(f" {right / 1000:.6f} k ")
    field.press("Enter")
    expect(box.locator(".verdict")).to_have_text("Right.")


def test_what_an_older_version_kept_of_a_quiz_still_counts(phone, base):
    phone.goto(base + "evaluation/quiz/")
    ids = phone.locator(".asked h2").evaluate_all("all => all.map(h2 => h2.id)")
    old = {"evaluation/quiz/": {ids[0]: True, ids[1]: False, "a question that is no more": True}}
    phone.evaluate("old => localStorage.setItem('ml-design.quiz', JSON.stringify(old))", old)
    phone.reload()
    expect(phone.locator(".trainer p").first).to_contain_text("1 of 2 right at first")


def test_a_quiz_works_from_the_keyboard(phone, base):
    phone.goto(base + "problem/quiz/")
    question(phone, 0).get_by_role("radio").first.focus()
    phone.keyboard.press("ArrowDown")
    phone.keyboard.press("Enter")
    expect(phone.locator(".trainer p").first).to_contain_text("of 1 right at first")


# The mock interview


def begin(page, base, title="Feed ranking"):
    page.goto(base + MOCK)
    page.get_by_label("Prompt").select_option(title)
    page.get_by_role("button", name="Start 45 minutes").click()


def test_the_clock_has_45_minutes_and_asks_in_turn(phone, base):
    begin(phone, base)
    clock, phase, asked = (phone.locator(f".mock {css}") for css in (".clock", ".phase", "ol[aria-live] li"))
    assert clock.inner_text() == "45:00 left"
    assert phase.inner_text() == "By the plan: Problem Navigation, 8:00 more"
    assert asked.count() == 1
    assert not phone.locator(".mock-case").first.is_visible()  # it would give the next questions away
    later(phone, minutes=4, seconds=1)
    assert asked.count() == 2  # of three in eight minutes
    assert clock.inner_text() == "40:59 left"
    bar = phone.locator(".dial .seg").evaluate_all("parts => parts.map(part => part.style.getPropertyValue('--done'))")
    assert [round(float(share), 2) for share in bar] == [0.5, 0, 0, 0, 0]
    later(phone, minutes=4)
    assert phase.inner_text().startswith("By the plan: Training Data")
    assert asked.count() == 1
    assert phone.locator(".mock details.question li").count() == 3  # those before, folded
    assert phone.get_by_label("Notes for").evaluate("select => select.selectedOptions[0].text") == "Training Data"
    later(phone, minutes=40)
    assert clock.inner_text() == "0:00 left"
    assert phase.inner_text().startswith("Time is up")
    assert not phone.get_by_role("button", name="Pause").is_visible()
    assert not phone.get_by_role("button", name="Next question").is_visible()


@pytest.mark.parametrize("case", range(10))
def test_the_phases_of_each_prompt_make_45_minutes_and_each_is_asked_about(case):
    section = soup(MOCK).select(".mock-case")[case]
    phases = section.find_all("h4")
    assert [int(phase["data-minutes"]) for phase in phases] == [8, 8, 8, 11, 6, 4]
    for phase in phases:
        assert phase.find_next_sibling().name == "details", (section.h3.text, phase.text)
    assert len(soup(MOCK).select(".mock-case")) == 10


@pytest.mark.parametrize("rank", ["Mid-level", "Senior", "Staff"])
def test_each_level_is_asked_its_questions_and_finds_its_answers(phone, base, rank):
    kinds = {"Mid-level": set(), "Senior": {"senior"}, "Staff": {"senior", "staff"}}[rank]
    case = next(case for case in soup(MOCK).select(".mock-case") if case.h3.text == "Feed ranking")
    boxes = [box for box in case.select("details") if set(box["class"]) - {"question"} <= kinds]
    phone.goto(base + MOCK)
    assert phone.get_by_label("Level").input_value() == "Senior"
    phone.get_by_label("Level").select_option(rank)
    phone.get_by_label("Prompt").select_option("Feed ranking")
    phone.get_by_role("button", name="Start 45 minutes").click()
    phone.get_by_role("button", name="Finish, and score").click()
    expects = next(table for table in soup("problem/rubric/").select("table") if table.find("th", string="Staff"))
    column = [th.text for th in expects.select("thead th")].index(rank)
    expected = [row.select("td")[column].text for row in expects.select("tbody tr")]
    assert phone.locator(".mock fieldset > p").all_inner_texts() == [f"{rank}: {text}" for text in expected]
    mine = phone.locator(".mock .is-mine")
    assert mine.count() == sum(f"{rank}:" in [strong.text for strong in box.select("li > strong")] for box in boxes) > 0
    assert all(text.startswith(f"{rank}:") for text in mine.all_text_contents())
    phone.get_by_role("button", name="Keep this interview").click()
    summary = stored(phone, "mock")[0]["summary"]
    assert f"for {rank.lower()}, 0:00 of 45:00, 1 of {len(boxes)} questions asked" in summary
    assert phone.get_by_label("Level").input_value() == rank  # the next one is for the same


def test_a_reload_does_not_stop_the_clock_and_a_pause_does(phone, base):
    begin(phone, base)
    phone.get_by_label("Notes", exact=True).fill("sessions, not clicks")
    later(phone, minutes=2)
    phone.reload()
    assert phone.locator(".clock").inner_text() == "43:00 left"
    assert phone.get_by_label("Notes", exact=True).input_value() == "sessions, not clicks"
    phone.get_by_role("button", name="Pause").click()
    later(phone, minutes=10)
    phone.reload()
    assert phone.locator(".clock").inner_text() == "43:00 left"
    phone.get_by_role("button", name="Go on").click()
    later(phone, minutes=1)
    assert phone.locator(".clock").inner_text() == "42:00 left"


def finish(page, levels=("Strong", "Pass", "Pass", "Exceptional", "Pass")):
    page.get_by_role("button", name="Finish, and score").click()
    for i, level in enumerate(levels):
        page.locator("fieldset").nth(i).get_by_role("radio", name=re.compile(f"^{level}")).check()
        page.get_by_label("Your evidence").nth(i).fill("goal with a number")
    page.get_by_role("button", name="Keep this interview").click()


def test_the_score_the_notes_and_the_questions_are_in_the_summary(phone, base):
    begin(phone, base)
    phone.get_by_label("Notes", exact=True).fill("sessions, not clicks")
    for _ in range(3):
        phone.get_by_role("button", name="Next question").click()
    phone.get_by_label("Notes", exact=True).fill("on the screen only")
    later(phone, minutes=5)
    finish(phone)
    phone.locator(".history summary").first.click()
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Download the summary").click()
    phone.locator(".history summary").first.click()
    assert download.value.suggested_filename == "ml-design-2026-03-01-feed-ranking.txt"
    text = download.value.path().read_text(encoding="utf-8")
    assert "2026-03-01, for senior, 5:00 of 45:00, 4 of " in text
    assert "Score: 8 of 18" in text  # 2 + 1 + 1 + 3 + 1, and a row left out
    assert "- Problem: strong. goal with a number\n" in text
    assert "- Talk: no signal\n" in text
    phone.locator(".history summary").first.click()
    assert phone.locator(".history pre").first.inner_text().strip() == text.strip()
    assert "Weakest: Talk" in text
    assert "Problem Navigation\nsessions, not clicks\n" in text
    assert "Training Data\non the screen only\n" in text
    assert text.split("Questions\n")[1].count("\n- ") == 3  # and the first
    phone.goto(base + HERE)
    assert "Mock interviews: 1, the last on 2026-03-01 (Feed ranking)." in phone.locator("article").inner_text()


def test_a_reload_while_scoring_loses_nothing_and_one_can_go_back_to_the_clock(phone, base):
    begin(phone, base)
    phone.get_by_role("button", name="Finish, and score").click()
    phone.locator("fieldset").nth(1).get_by_role("radio", name=re.compile("^Exceptional")).check()
    phone.get_by_label("Your evidence").nth(1).fill("a control on newest first")
    phone.reload()
    assert phone.locator("fieldset").nth(1).get_by_role("radio", name=re.compile("^Exceptional")).is_checked()
    assert phone.locator("fieldset input:checked").count() == 1
    assert phone.get_by_label("Your evidence").nth(1).input_value() == "a control on newest first"
    phone.get_by_role("button", name="Back to the clock").click()
    assert phone.locator(".clock").inner_text() == "45:00 left"
    finish(phone, ())  # and the scores are still there
    assert "3 of 18" in phone.locator(".history summary").inner_text()


def test_the_history_stays_and_can_be_deleted(phone, base):
    for title in ("Feed ranking", "Harmful posts"):
        begin(phone, base, title)
        finish(phone, ())
    phone.reload()
    items = phone.locator(".history details")
    assert ["Harmful posts" in items.nth(0).inner_text(), "Feed ranking" in items.nth(1).inner_text()] == [True, True]
    items.nth(0).locator("summary").click()
    phone.once("dialog", lambda dialog: dialog.dismiss())
    items.nth(0).get_by_role("button", name="Delete").click()
    assert items.count() == 2
    phone.once("dialog", lambda dialog: dialog.accept())
    items.nth(0).get_by_role("button", name="Delete").click()
    assert [run["title"] for run in stored(phone, "mock")] == ["Feed ranking"]


def test_a_prompt_is_drawn_from_those_done_least(phone, base):
    titles = [case.h3.text for case in soup(MOCK).select(".mock-case")]
    done = [{"date": "2026-02-01", "title": title, "score": "1 of 18", "summary": "x"} for title in titles[:-1]]
    phone.goto(base + MOCK)
    phone.evaluate("done => localStorage.setItem('ml-design.mock', JSON.stringify(done))", done)
    phone.reload()
    phone.evaluate("Math.random = () => 0")
    phone.get_by_role("button", name="Start 45 minutes").click()
    assert phone.locator("#mock-title").inner_text() == titles[-1]


def test_no_sentence_no_signal(phone, base):
    begin(phone, base)
    phone.get_by_role("button", name="Finish, and score").click()
    for box in phone.locator("fieldset").all():
        box.get_by_role("radio", name=re.compile("^Exceptional")).check()
    phone.get_by_label("Your evidence").nth(1).fill("late clicks, with their window")
    phone.get_by_label("Your evidence").nth(2).fill("   ")
    expect(phone.locator(".mock .state")).to_have_text(
        "3 of 18 points. No sentence yet, so no signal: Problem, Features, Model, Evaluation, Talk."
    )
    phone.get_by_role("button", name="Keep this interview").click()
    assert "3 of 18" in phone.locator(".history summary").inner_text()
    assert stored(phone, "mock")[0]["levels"] == dict.fromkeys(
        ("Problem", "Features", "Model", "Evaluation", "Talk"), 0
    ) | {"Data": 3}


def test_an_interview_can_be_given_up(phone, base):
    begin(phone, base)
    phone.once("dialog", lambda dialog: dialog.dismiss())
    phone.get_by_role("button", name="Give up").click()
    assert phone.locator(".clock").is_visible()
    phone.once("dialog", lambda dialog: dialog.accept())
    phone.get_by_role("button", name="Give up").click()
    assert stored(phone, "mock.now") is None
    assert phone.get_by_role("button", name="Start 45 minutes").is_visible()
    assert phone.locator("h1").is_visible()


def test_while_it_runs_nothing_else_is_on_the_screen(phone, base):
    begin(phone, base)
    for css in (".md-tabs", ".md-footer", "article > p", ".read-this"):
        assert not phone.locator(css).first.is_visible(), css
    assert phone.locator(".dial").bounding_box()["y"] < 400
    assert phone.get_by_role("button", name="Next question").bounding_box()["y"] < 844 - 44


def test_a_clock_set_back_adds_no_time(phone, base):
    begin(phone, base)
    later(phone, minutes=5)
    phone.evaluate("const real = Date.now; Date.now = () => real() - 2 * 3600e3")
    later(phone, minutes=1)
    assert phone.locator(".clock").inner_text() in ("39:00 left", "39:01 left", "40:00 left")


@pytest.mark.parametrize(("asked", "elapsed"), [(999, 1e12), (0, -5), (-3, 0), (2.5, 60_000)])
def test_numbers_beyond_what_the_prompt_has_are_held_to_it(phone, base, asked, elapsed):
    phone.goto(base + MOCK)
    now = {"title": "Feed ranking", "elapsed": elapsed, "since": None, "asked": asked, "notes": {}}
    phone.evaluate("now => localStorage.setItem('ml-design.mock.now', JSON.stringify(now))", now)
    phone.reload()
    minutes, seconds = map(int, phone.locator(".clock").inner_text().removesuffix(" left").split(":"))
    assert 0 <= minutes * 60 + seconds <= 45 * 60
    assert phone.locator(".mock ol[aria-live] li").count() >= 1


def test_an_interview_goes_on_in_one_tab(phone, base):
    begin(phone, base)
    other = phone.context.new_page()
    other.goto(base + MOCK)
    expect(other.locator(".clock")).to_be_visible()
    expect(phone.locator(".mock")).to_contain_text("goes on in another tab")
    other.get_by_label("Notes", exact=True).fill("written there")
    phone.get_by_role("button", name="Go on here").click()
    assert phone.get_by_label("Notes", exact=True).input_value() == "written there"
    expect(other.locator(".mock")).to_contain_text("goes on in another tab")


def test_the_weakest_row_leads_to_its_pages_and_each_row_has_its_trend(phone, base):
    for levels in (("Pass", "Pass", "Pass", "Pass", "Pass"), ("Strong", "Strong", "No signal", "Strong", "Strong")):
        begin(phone, base)
        finish(phone, levels)
    table = phone.locator(".history table")
    assert table.locator("tbody tr").nth(0).locator("td").all_inner_texts() == ["pass", "strong"]
    assert table.locator("tbody tr").nth(5).locator("td").all_inner_texts() == ["no signal", "no signal"]
    weakest = phone.locator(".history p", has_text="Weakest of late: Talk")
    assert weakest.locator("a").count() == 2


def test_the_interview_as_a_prompt_has_all_and_asks_not_to_solve(phone, base):
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"])
    begin(phone, base)
    phone.get_by_label("Notes", exact=True).fill("sessions, not clicks")
    phone.get_by_role("button", name="Copy as prompt").click()
    expect(phone.locator(".mock [role=status]").last).to_contain_text("Copied")
    text = phone.evaluate("navigator.clipboard.readText()")
    case = next(case for case in soup(MOCK).select(".mock-case") if case.h3.text == "Feed ranking")
    for words in (
        case.blockquote.get_text().strip(),
        "Do not solve",
        "sessions, not clicks",
        "Exceptional:",
        "Modeling 11 min",
    ):
        assert words in text
    phone.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    phone.get_by_role("button", name="Copy as prompt").click()
    assert phone.get_by_label("The prompt to copy").input_value() == text


def test_the_interview_works_from_the_keyboard(phone, base):
    phone.goto(base + MOCK)
    phone.get_by_role("button", name="Start 45 minutes").focus()
    phone.keyboard.press("Enter")
    assert phone.evaluate("document.activeElement.id") == "mock-title"
    names = []
    for _ in range(5):
        phone.keyboard.press("Tab")
        names.append(phone.evaluate("document.activeElement.textContent.slice(0, 13) || document.activeElement.id"))
    assert names[:3] == ["Next question", "Pause", "Finish, and s"]
    assert names[4] == "mock-notes"


@pytest.mark.parametrize("text", ["{", "3", '"a"', '{"a": 1}', "[1]"])
def test_a_store_that_cannot_be_read_is_put_aside(phone, base, text):
    phone.goto(base)
    for kind in ("cards", "quiz", "exercises", "mock", "mock.now"):
        phone.evaluate("localStorage.clear()")
        phone.evaluate("([key, text]) => localStorage.setItem(key, text)", [f"ml-design.{kind}", text])
        for url in (HERE, CARDS, MOCK, "evaluation/quiz/", EXERCISES):
            phone.goto(base + url)
            assert phone.locator(".trainer, .overview, .state").first.is_visible()
        assert phone.evaluate("key => localStorage.getItem(key)", f"ml-design.{kind}.unreadable") == text


def test_an_interview_that_the_browser_does_not_keep_can_still_be_downloaded(browser, base):
    context = browser.new_context()
    context.add_init_script("Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('no') }")
    page = context.new_page()
    begin(page, base)
    finish(page, ())
    assert "does not keep it: download it" in page.locator(".history").inner_text()
    page.locator(".history summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the summary").click()
    assert "Score: 0 of 18" in download.value.path().read_text(encoding="utf-8")
    context.close()


STATES = {
    "a card": (CARDS, ["Practise 20 cards"]),
    "its answer": (CARDS, ["Practise 20 cards", "Show the answer"]),
    "the clock": (MOCK, ["Start 45 minutes", "Next question"]),
    "the rubric": (MOCK, ["Start 45 minutes", "Finish, and score"]),
    "the history": (MOCK, ["Start 45 minutes", "Finish, and score", "Keep this interview"]),
}


@pytest.mark.parametrize(("url", "buttons"), STATES.values(), ids=STATES)
def test_each_state_is_accessible_and_fits(each_view, base, url, buttons):
    each_view.goto(base + url)
    for name in buttons:
        each_view.get_by_role("button", name=name).click()
    assert barriers(each_view) == []


def test_answered_questions_are_accessible(each_view, base):
    each_view.goto(base + "evaluation/quiz/")
    answer(question(each_view, 0), True)
    answer(question(each_view, 1), False)
    assert barriers(each_view) == []


# Today, in one list, and progress in one view

PLAN = {"day": "2026-03-15", "minutes": 60, "off": [], "at": "19:00", "revision": 1, "left": []}
NEXT = "Proxy events and metrics"  # as the second page is called in the list of all
FIRST, SECOND, QUIZ = "problem/goal/", "problem/metrics/", "modeling/quiz/"
ITEMS = [
    ["read", FIRST, 11],
    ["read", "labs/leakage_clinic/", 20],
    ["quiz", QUIZ, 40],
    ["mock", "practice/feed-ranking/", 45],
    ["case", "practice/feed-ranking/", 16],
    ["read", "gone/", 9],
    ["cards", CARDS, 10],
]


def save(page, **values):
    """Keep what somebody did, by kinds, and show the practice page."""
    page.evaluate("all => Object.entries(all).forEach((pair) => mlDesign.save(...pair))", values)
    page.reload()


def lines(page):
    """Return the lines of today: what is linked, what is said behind it, and whether it is done."""
    found = page.locator(".today li").evaluate_all(
        """all => all.map(({ children: [link, said], classList }) =>
          [link.textContent, said.textContent, classList.contains("is-done")])"""
    )
    return [tuple(line) for line in found]


def title(url):
    return soup(url).h1.get_text().strip("¶ \n")


def test_who_has_nothing_due_goes_on_with_the_next_page(phone, base):
    phone.goto(base + HERE)
    state = phone.locator(".today .state")
    expect(state).to_contain_text("Nothing is due. Go on with The ultimate goal. Or say when your interview is")
    assert lines(phone) == []
    phone.goto(base + FIRST)
    phone.get_by_label("I have read this page").check()
    phone.goto(base + HERE)
    assert phone.locator("[data-pages] .done").first.inner_text().strip() == "1 read"
    state.locator("a").first.focus()
    phone.keyboard.press("Enter")
    expect(phone).to_have_url(base + SECOND)
    phone.goto(base + HERE)
    state.get_by_text("when your interview is").click()
    expect(phone).to_have_url(base + "study/")
    phone.goto(base + HERE)
    read = phone.locator("[data-pages]").evaluate_all("cells => cells.flatMap((cell) => cell.dataset.pages.split(' '))")
    save(phone, read=dict.fromkeys(read, "2026-02-01"))
    expect(state).to_contain_text("Nothing is due. Go on with a mock interview.")


def test_today_is_the_plan_of_today_and_all_that_waits_in_one_list(phone, base):
    phone.goto(base + HERE)
    cards = [card["data-card"] for card in soup(CARDS).select(".all-cards details.card")]
    asked = [h2["id"] for h2 in soup(QUIZ).select("article h2")][:3]
    due = {id_: [True, 1, "2026-03-01"] for id_ in asked}
    save(
        phone,
        plan=PLAN | {"days": [["2026-03-01", ITEMS], ["2026-03-02", [["read", SECOND, 9]]]]},
        cards={id_: [1, "2026-02-28"] for id_ in (*cards[:4], cards[-1])} | {cards[5]: [1, "2026-03-02"]},
        quiz={QUIZ: due | {"gone": [True, 1, "2026-02-01"]}, "problem/quiz/": {}},
        read={FIRST: "2026-02-28"},
        now={"title": "Harmful posts", "elapsed": 5, "since": None, "asked": 1, "notes": {}},
        drilling={"id": "tuesday", "elapsed": 4, "since": 4, "asked": []},
    )
    expect(phone.locator(".today .state")).to_have_text("Your interview is in 14 days. 8 things are due.")
    assert lines(phone) == [
        ("Mock interview: Harmful posts", "paused", False),
        ("Incident drill", "going on", False),
        ("The ultimate goal", "done", True),
        (title("labs/leakage_clinic/"), "20 min", False),
        ("Quiz: Modeling", "40 min", False),
        ("Mock interview: Feed ranking", "45 min", False),
        ("Feed ranking", "16 min", False),
        ("Flashcards", "5 due", False),
        ("Quiz: Modeling", "3 questions due", False),
    ]
    for url in (MOCK, "practice/incident-drill/", FIRST, "labs/leakage_clinic/", QUIZ, MOCK, "practice/feed-ranking/"):
        assert f"{base}{url}" in phone.locator(".today li a").evaluate_all("all => all.map((link) => link.href)")
    phone.get_by_text("5 due").locator("xpath=../a").click()
    expect(phone.locator(".trainer .state")).to_contain_text("5 due today")
    phone.goto(base + HERE)
    phone.get_by_text("3 questions due").locator("xpath=../a").click()
    expect(phone.get_by_role("button", name="Ask the 3 again")).to_be_visible()


def test_questions_are_linked_to_the_quiz_that_has_most_of_them(phone, base):
    phone.goto(base + HERE)
    some = {url: [h2["id"] for h2 in soup(url).select("article h2")] for url in QUIZZES}
    numbers = dict(zip(QUIZZES, (1, 0, 2, 4, 3), strict=True))
    save(phone, quiz={url: {id_: [True, 1, "2026-03-01"] for id_ in some[url][:n]} for url, n in numbers.items()})
    most = max(QUIZZES, key=numbers.get)
    assert lines(phone) == [(title(most), "10 questions due, 4 of them here", False)]
    assert phone.locator(".today li a").get_attribute("href") == base + most
    save(phone, quiz={most: {some[most][0]: [False, 0, "2026-03-02"]}})  # asked again tomorrow
    assert lines(phone) == []


def test_what_is_done_is_ticked_and_then_comes_what_is_next_in_the_plan(phone, base):
    phone.goto(base + HERE)
    run = {"date": "2026-03-01", "title": "Feed ranking", "score": "1 of 18", "summary": "x"}
    read = {url: "2026-03-01" for kind, url, _ in ITEMS if kind in ("read", "case", "quiz")}
    card = soup(CARDS).select_one(".all-cards details.card")["data-card"]
    coming = [["cards", CARDS, 10], ["read", FIRST, 9], ["read", "modeling/baselines/", 9], ["read", SECOND, 9]]
    days = [["2026-03-01", ITEMS], ["2026-03-02", coming]]
    save(phone, plan=PLAN | {"days": days}, read=read, mock=[run])
    assert lines(phone)[-1] == ("Flashcards", "new ones, 10 min", False)
    expect(phone.locator(".today .state")).to_have_text("Your interview is in 14 days. 1 thing is due.")
    save(phone, cards={card: [1, "2026-03-02"]})
    assert [said for _, said, _ in lines(phone)] == ["done"] * 6
    assert all(done for _, _, done in lines(phone))
    state = phone.locator(".today .state")
    expect(state).to_have_text("Your interview is in 14 days. All of today is done. Go on with Baselines.")
    assert state.locator("a").get_attribute("href") == f"{base}modeling/baselines/"


def test_today_says_when_one_is_behind_and_when_the_interview_is(phone, base):
    phone.goto(base + HERE)
    late = [["2026-02-27", [["read", FIRST, 11], ["cards", CARDS, 10]]], ["2026-02-28", [["read", SECOND, 60]]]]
    save(phone, plan=PLAN | {"days": late})
    assert lines(phone) == [("Your study plan", "behind by 1 h 11 min", False)]
    assert phone.locator(".today li a").get_attribute("href") == f"{base}study/"
    save(phone, plan=PLAN | {"day": "2026-03-01", "days": late})
    expect(phone.locator(".today .state")).to_have_text("Your interview is today. 1 thing is due.")
    assert lines(phone) == [("The cheat sheet", "and nothing new", False)]
    save(phone, plan=PLAN | {"day": "2026-02-28", "days": late})  # over
    expect(phone.locator(".today .state")).to_contain_text("Nothing is due. Go on with")


def test_an_interview_of_the_plan_that_is_going_on_stands_there_once(phone, base):
    phone.goto(base + HERE)
    now = {"title": "Feed ranking", "elapsed": 5, "since": 1, "asked": 1, "notes": {}}
    save(phone, plan=PLAN | {"days": [["2026-03-01", ITEMS[3:5]]]}, now=now)
    assert [(name, said) for name, said, _ in lines(phone)] == [
        ("Mock interview: Feed ranking", "going on"),
        ("Feed ranking", "16 min"),
    ]
    save(phone, now=now | {"since": None, "judging": True, "scores": []})
    assert lines(phone)[0][1] == "to be scored"
    save(phone, now=now | {"title": "A prompt that is no more"})
    assert lines(phone)[0] == ("Mock interview: Feed ranking", "45 min", False)


def test_another_day_shows_its_own_list_and_what_changes_nothing_leaves_it_alone(phone, base):
    phone.goto(base + HERE)
    save(phone, plan=PLAN | {"days": [["2026-03-01", [ITEMS[0]]], ["2026-03-02", [["read", SECOND, 9]]]]})
    phone.evaluate("document.querySelector('.today li').dataset.same = ''")
    phone.evaluate("window.dispatchEvent(new Event('storage'))")  # as each half second of an interview in another tab
    assert phone.locator(".today li[data-same]").count() == 1
    later(phone, days=1)
    phone.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert lines(phone) == [("Your study plan", "behind by 11 min", False), (NEXT, "9 min", False)]


def test_each_page_of_the_study_plans_has_its_title_and_its_link_today(phone, base):
    phone.goto(base + HERE)
    links = [link["href"].removeprefix("../").partition("#")[0] for link in soup("study/").select(".plan li > a")]
    pages = [url for url in dict.fromkeys(links) if url not in (MOCK, CARDS)]
    save(phone, plan=PLAN | {"days": [["2026-03-01", [["read", url, 5] for url in pages]]]})
    hrefs = phone.locator(".today li a").evaluate_all("all => all.map((link) => link.href)")
    assert hrefs == [base + url for url in pages]
    assert len(hrefs) > 80


def test_without_javascript_there_is_no_place_for_today(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + HERE)
    assert page.locator(".today").bounding_box()["height"] == 0
    assert page.locator("[data-quiz] a").first.is_visible()
    context.close()


def test_today_is_accessible_with_all_that_can_be_due(each_view, base):
    each_view.goto(base + HERE)
    assert barriers(each_view) == []
    today = each_view.evaluate("mlDesign.day()")
    card = soup(CARDS).select_one(".all-cards details.card")["data-card"]
    save(
        each_view,
        plan=PLAN
        | {"day": each_view.evaluate("mlDesign.day(9)"), "days": [["2026-01-01", ITEMS[1:2]], [today, ITEMS]]},
        cards={card: [1, today]},
        quiz={QUIZ: {soup(QUIZ).select_one("article h2")["id"]: [True, 1, today]}},
        read={FIRST: today},
        now={"title": "Harmful posts", "elapsed": 5, "since": None, "asked": 1, "notes": {}},
    )
    assert len(lines(each_view)) == 9
    assert barriers(each_view) == []
    for link in each_view.locator(".today li a").all():
        assert link.bounding_box()["height"] >= 16


# Exercises that were done


def test_an_exercise_is_ticked_on_its_page_listed_and_counted(phone, base):
    phone.goto(base + EXERCISED)
    summary, mark = phone.locator(".exercise > summary"), phone.locator(".exercise summary small")
    assert not mark.is_visible()
    summary.focus()
    phone.keyboard.press("Enter")
    box = phone.get_by_label("I have done this exercise")
    for _ in range(3):  # the link, the box
        phone.keyboard.press("Tab")
        if box.evaluate("box => box === document.activeElement"):
            break
    phone.keyboard.press("Space")
    expect(mark).to_have_text("✓ done")
    assert stored(phone, "exercises") == {"normalized_entropy": "2026-03-01"}
    phone.reload()
    assert mark.is_visible()
    phone.goto(base + EXERCISES)
    every = soup(EXERCISES).select(".all-exercises tbody tr")
    said = phone.locator(".state")
    expect(said).to_have_text(f"1 of {len(every)} exercises done.")
    assert phone.locator(".all-exercises input").count() == len(every)
    assert phone.get_by_label("Done: Write normalized entropy").is_checked()
    other = every[0].a
    phone.get_by_label(f"Done: {other.get_text()}", exact=True).press("Space")
    expect(said).to_have_text(f"2 of {len(every)} exercises done.")
    phone.goto(base + HERE)
    cells = phone.locator("[data-exercises]")
    assert sum(
        len(names.split()) for names in cells.evaluate_all("all => all.map((it) => it.dataset.exercises)")
    ) == len(every)
    assert cells.first.locator(".done").inner_text().strip() == "1 done"
    assert cells.last.locator(".done").inner_text().strip() == "1 done"
    phone.goto(base + EXERCISED)
    summary.click()
    box.uncheck()
    assert not mark.is_visible()
    assert list(stored(phone, "exercises")) == [other["href"].partition("#write-")[2]]


def test_an_exercise_ticked_in_another_tab_is_ticked_here(phone, base):
    phone.goto(base + EXERCISES)
    other = phone.context.new_page()
    other.goto(base + EXERCISED)
    other.locator(".exercise > summary").click()
    other.get_by_label("I have done this exercise").check()
    expect(phone.get_by_label("Done: Write normalized entropy")).to_be_checked()


def test_exercises_with_ticks_are_accessible(each_view, base):
    each_view.goto(base + EXERCISES)
    each_view.locator(".all-exercises input").first.check()
    assert barriers(each_view) == []
    each_view.goto(base + EXERCISED)
    each_view.locator(".exercise > summary").click()
    each_view.get_by_label("I have done this exercise").check()
    assert barriers(each_view) == []


def test_without_javascript_exercises_have_no_boxes(browser, base):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for url in (EXERCISED, EXERCISES):
        page.goto(base + url)
        assert page.locator("article input[type=checkbox]").count() == 0
    assert page.locator(".all-exercises a").first.is_visible()
    context.close()


# On paper, in Anki, unzipped


@pytest.fixture(scope="module")
def sheet(browser, base):
    page = browser.new_page()
    page.goto(base + "practice/cheat-sheet/", wait_until="networkidle")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 less its margins
    outside = page.evaluate("""[...document.querySelectorAll(".sheet *")].filter((e) => {
      const box = e.getBoundingClientRect();
      const cut = e.clientWidth && e.scrollWidth > e.clientWidth + 1;
      return box.width && (cut || box.left < 0 || box.right > innerWidth + 1);
    }).map((e) => e.outerHTML.slice(0, 80))""")
    pdf = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    page.close()
    return pdf, outside


def test_the_sheet_is_two_pages_of_a4_and_nothing_is_cut(sheet):
    pdf, outside = sheet
    assert [(round(p.mediabox.width), round(p.mediabox.height)) for p in pdf.pages] == [(595, 842)] * 2
    assert outside == []


def test_the_sheet_holds_one_card_of_each_page_and_nothing_of_the_site(sheet):
    pdf, _ = sheet
    text = "".join("".join(page.extract_text() for page in pdf.pages).split())
    questions = soup("practice/cheat-sheet/").select(".sheet-cards strong")
    assert len(questions) > 55
    assert [q.text for q in questions if "".join(q.text.split()) not in text] == []
    assert "Ihavereadthispage" not in text
    assert len(pdf.pages[1].extract_text()) > 0.6 * len(pdf.pages[0].extract_text())  # both pages are used


def test_the_deck_holds_every_card_with_links_that_lead_to_the_site(tmp_path):
    with zipfile.ZipFile(SITE / "practice/ml-design.apkg") as package:
        assert package.namelist() == ["collection.anki2", "media"]
        package.extract("collection.anki2", tmp_path)
    with sqlite3.connect(tmp_path / "collection.anki2") as collection:
        notes = [fields.split("\x1f") for (fields,) in collection.execute("SELECT flds FROM notes")]
        assert collection.execute("SELECT count(*) FROM cards").fetchone() == (len(notes),)
        (decks,) = collection.execute("SELECT decks FROM col").fetchone()
    sections = {h2.contents[0].get_text().strip() for h2 in soup(CARDS).select(".all-cards h2")}
    assert {deck["name"] for deck in json.loads(decks).values()} >= {
        "ML Design",
        *(f"ML Design::{s}" for s in sections),
    }
    cards = soup(CARDS).select(".all-cards details.card")
    assert [BeautifulSoup(q, "html.parser").text for q, _, _ in notes] == [card.summary.text for card in cards]
    for note in notes:
        for link in BeautifulSoup("".join(note), "html.parser").select("a"):
            assert re.match(r"https?://", link["href"]), link


@pytest.fixture(scope="module")
def unzipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("offline")
    with zipfile.ZipFile(SITE / NAME) as archive:
        archive.extractall(folder)
    return folder / FOLDER


def test_each_link_of_the_archive_names_a_file(unzipped):
    done = lychee(unzipped)
    assert done.returncode == 0, done.stdout
    for page in unzipped.rglob("*.html"):
        links = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser", parse_only=SoupStrainer(["a", "link"]))
        for link in links.select("a[href], link[rel=next], link[rel=prev]"):
            path = link["href"].partition("#")[0]
            if path and "://" not in path:
                assert (page.parent / path).is_file(), (page, path)


def test_the_archive_works_from_a_folder(browser, unzipped):
    context = browser.new_context()
    page, errors, asked = context.new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto((unzipped / "index.html").as_uri())
    page.locator(".outline a", has_text="The ultimate goal").click()
    page.wait_for_load_state("networkidle")
    page.keyboard.press("/")
    page.keyboard.type("calibration", delay=20)
    page.locator(".search li a").first.click()
    page.wait_for_url("**/evaluation/calibration/index.html")
    page.goto((unzipped / "problem/goal/index.html").as_uri())
    page.get_by_label("I have read this page").check()
    page.goto((unzipped / "practice/index.html").as_uri())
    assert page.locator("[data-pages] .done").first.inner_text().strip() == "1 read"
    assert page.locator(".today .state a").first.get_attribute("href").endswith("problem/metrics/index.html")
    page.locator(".today .state a").first.click()
    page.wait_for_url("**/problem/metrics/index.html")
    page.goto((unzipped / "practice/mock-interview/index.html").as_uri())
    page.get_by_role("button", name="Start 45 minutes").click()
    assert page.locator(".clock").inner_text().endswith("left")
    page.goto((unzipped / "evaluation/normalized-entropy/index.html").as_uri())
    assert page.locator("math").first.is_visible()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []
    context.close()
