"""What the practice pages gather, on small pages whose answer is known."""

import io
import json
import sqlite3
import zipfile
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from tools.builders.practice import LICENCE, anki, cards, compose, named

CARD = '<details class="card" data-card="late-clicks"><summary>What is <abbr title="x">NE</abbr>?</summary>'
CARD += "<p>A ratio, see {}.</p></details>"
CASE = (
    '<div class="prompt"><p>Rank a feed.</p></div><h2 id="a">1. Problem <em>8 min</em></h2>'
    '<details class="question"><summary>Why?</summary><p><a href="../../evaluation/ne/">So</a></p></details>'
    '<h2 id="b">Follow-ups</h2><details class="question"><summary>Later?</summary><p>Yes.</p></details>'
)
AREAS = ("Problem", "Data", "Features", "Model", "Evaluation", "Talk")
RUBRIC = "".join(
    f"<table><thead><tr><th>Area</th><th>{last}</th></tr></thead><tbody>"
    f"{''.join(f'<tr><td>{area}</td></tr>' for area in AREAS)}</tbody></table>"
    for last in ("Staff", "Exceptional")
)
OUTLINE = (
    '<div class="outline"><h2>Evaluation <em>10 min</em></h2>'
    "<ul><li>Calibration <em>2 min</em><ul><li>more</li></ul></li></ul></div>"
)


def page(title, section, content):
    return SimpleNamespace(title=title, meta={"section": section}, content=content)


@pytest.fixture
def guide():
    names = ["Problem Navigation", "Training Data", "Feature Engineering", "Modeling", "Evaluation & Deployment"]
    quizzes = {f"{i}/quiz/": page("Quiz", name, '<h2 id="a">1</h2><h2 id="b">2</h2>') for i, name in enumerate(names)}
    empty = "".join(f'<div class="{name}"></div>' for name in ("all-cards", "all-prompts", "today", "overview"))
    sheet = '<div class="sheet-clock"></div><div class="sheet-cards"></div>'
    return quizzes | {
        "./": page("Entrance", None, OUTLINE),
        "practice/": page("Practice", "Practice", empty),
        "practice/sheet/": page("Sheet", "Practice", sheet),
        "practice/feed/": page("Feed", "Practice", CASE),
        "problem/rubric/": page("Rubric", "Problem Navigation", RUBRIC),
        "evaluation/ne/": page("Entropy", names[-1], CARD.format('<a href="../../modeling/x/#y">x</a>')),
        "problem/goal/": page("Goal", names[0], CARD.format("above").replace("NE", "it").replace("late-clicks", "it")),
    }


def test_cards_come_in_the_order_of_the_guide_with_links_from_its_root(guide):
    first, second = cards(guide)
    assert (first.title, second.title) == ("Goal", "Entropy")
    assert 'href="modeling/x/#y"' in second.answer
    assert first.id != second.id


def test_the_name_of_a_card_is_no_class():
    assert (
        named('<details class="card late-clicks">a</details>')
        == '<details class="card" data-card="late-clicks">a</details>'
    )
    other = '<details class="question senior">a</details>'
    assert named(other) == other


def test_a_card_keeps_its_name_when_it_is_reworded(guide):
    guide["evaluation/ne/"].content = CARD.format("elsewhere").replace("What is", "Say what is")
    assert [card.id for card in cards(guide)] == ["it", "late-clicks"]


def test_the_practice_pages_are_filled_and_their_links_lead_from_there(guide):
    compose(guide)
    soup = BeautifulSoup(guide["practice/"].content, "html.parser")
    assert [card.summary.text for card in soup.select(".all-cards .card")] == ["What is it?", "What is NE?"]
    assert [a["href"] for a in soup.select(".all-cards a")] == [
        "../problem/goal/",
        "../modeling/x/#y",
        "../evaluation/ne/",
    ]
    assert [h.text for h in soup.select(".mock-case h4")] == ["Problem 8 min"]
    assert [s.text for s in soup.select(".mock-case summary")] == ["Why?"]  # follow-ups come after the clock
    assert soup.select_one(".mock-case details a")["href"] == "../evaluation/ne/"
    assert soup.select_one(".mock-case .from a")["href"] == "feed/"
    assert [[th.text for th in soup.select(f".mock-{part} th")][1] for part in ("rubric", "levels")] == [
        "Exceptional",
        "Staff",
    ]
    rows = soup.select(".mock-rubric tbody tr")
    assert [[a["href"] for a in row.find_all("a")][1] for row in rows] == [
        *(f"../{i}/quiz/" for i in range(5)),
        "flashcards/#practice",
    ]
    assert [row.a.text for row in rows][3:] == ["Modeling", "Evaluation & Deployment", "Rubric"]
    cells = soup.select(".overview tbody tr:last-child td")
    assert cells[0]["data-pages"] == "evaluation/ne/"
    assert cells[1]["data-questions"] == "a b"
    assert cells[2]["data-cards"] == cards(guide)[1].id
    assert str(cells[3]) == "<td></td>"
    sheet = BeautifulSoup(guide["practice/sheet/"].content, "html.parser")
    assert [c.text for c in sheet.select(".sheet-clock tr > *")] == ["Evaluation", "10 min", "Calibration 2 min"]
    assert sheet.select_one(".sheet-cards p").text == "What is it? A ratio, see above."
    assert sheet.a is None


def test_the_place_of_today_has_the_titles_of_plans_and_the_cards_that_the_overview_lacks(guide):
    links = ("../problem/goal/", "../4/quiz/#a", "../practice/feed/", "../practice/feed/#x")
    items = "".join(f'<li><a href="{link}">x</a></li>' for link in links)
    guide["study/"] = page(
        "Study", "The interview", f'<div class="plan"><ul>{items}</ul></div><li><a href="/x">y</a></li>'
    )
    guide["practice/feed/"].title = "Feed &amp; &quot;more&quot;"
    guide["practice/feed/"].content += CARD.format("there").replace("late-clicks", "rank").replace("NE", "a feed")
    compose(guide)
    place = BeautifulSoup(guide["practice/"].content, "html.parser").select_one(".today")
    quizzes = {url: "Quiz" for url in guide if url.endswith("/quiz/")}
    assert json.loads(place["data-titles"]) == quizzes | {"practice/feed/": 'Feed & "more"'}
    assert place["data-cards"] == "rank"


def test_the_deck_is_the_same_bytes_each_time_and_depends_on_the_cards(guide):
    deck = cards(guide)
    one, two = (anki(deck, "https://a.org/g/", 1_767_225_600) for _ in range(2))
    assert one == two
    assert one != anki(deck[:1], "https://a.org/g/", 1_767_225_600)
    with zipfile.ZipFile(io.BytesIO(one)) as package:
        collection = package.read("collection.anki2")
    with sqlite3.connect(":memory:") as connection:
        connection.deserialize(collection)
        notes = connection.execute("SELECT guid, flds, tags FROM notes").fetchall()
        (decks,) = connection.execute("SELECT decks FROM col").fetchone()
    assert "CC BY 4.0" in LICENCE
    assert "MIT" in LICENCE
    assert [deck["desc"].endswith(LICENCE) for deck in json.loads(decks).values() if deck["name"] == "ML Design"] == [
        True
    ]
    assert [guid for guid, _, _ in notes] == [f"ml-design-{card.id}" for card in deck]
    assert 'href="https://a.org/g/modeling/x/#y"' in notes[1][1]
    assert notes[1][2].strip() == "evaluation-deployment"


def test_exercises_are_listed_by_section_with_their_minutes(guide):
    box = '<details class="exercise" id="write-{}"><summary>Write <code>{}</code>, well, 8 min</summary></details>'
    guide["evaluation/ne/"].content += box.format("ne", "ne") + '<details class="hint"><summary>H</summary></details>'
    guide["problem/goal/"].content += box.format("goal", "goal")
    guide["problem/goal/"].content += box.format("Metric-fit", "fit")
    guide["practice/exercises/"] = page("Exercises", "Practice", '<div class="all-exercises"></div>')
    compose(guide)
    found = BeautifulSoup(guide["practice/exercises/"].content, "html.parser")
    assert [heading["id"] for heading in found.find_all("h2")] == ["problem-navigation", "evaluation-deployment"]
    rows = [[cell.decode_contents() for cell in row.find_all("td")] for row in found.select("tbody tr")]
    assert rows == [
        [
            f'<a href="../../{url}#write-{name}">Write <code>{asks}</code>, well</a>',
            "8 min",
            f'<a href="../../{url}">{title}</a>',
        ]
        for url, name, asks, title in [
            ("problem/goal/", "goal", "goal", "Goal"),
            ("problem/goal/", "Metric-fit", "fit", "Goal"),
            ("evaluation/ne/", "ne", "ne", "Entropy"),
        ]
    ]
    cells = BeautifulSoup(guide["practice/"].content, "html.parser").select("td[data-exercises]")
    assert [(cell["data-exercises"], str(cell.a)) for cell in cells] == [
        ("goal Metric-fit", '<a href="exercises/#problem-navigation">2 exercises</a>'),
        ("ne", '<a href="exercises/#evaluation-deployment">1 exercise</a>'),
    ]
