"""What the practice pages gather, on small pages whose answer is known."""

import io
import sqlite3
import zipfile
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from tools.builders.archive import NAME, file_of, unfolded, write_archive
from tools.builders.practice import anki, cards, compose

CARD = '<details class="card"><summary>What is <abbr title="x">NE</abbr>?</summary><p>A ratio, see {}.</p></details>'
CASE = (
    '<div class="prompt"><p>Rank a feed.</p></div><h2 id="a">1. Problem <em>8 min</em></h2>'
    '<details class="question"><summary>Why?</summary><p><a href="../../evaluation/ne/">So</a></p></details>'
    '<h2 id="b">Follow-ups</h2><details class="question"><summary>Later?</summary><p>Yes.</p></details>'
)
RUBRIC = "<table><thead><tr><th>Area</th><th>Exceptional</th></tr></thead><tbody><tr><td>Talk</td></tr></tbody></table>"
OUTLINE = (
    '<div class="outline"><h2>Evaluation <em>10 min</em></h2>'
    "<ul><li>Calibration <em>2 min</em><ul><li>more</li></ul></li></ul></div>"
)


def page(title, section, content):
    return SimpleNamespace(title=title, meta={"section": section}, content=content)


@pytest.fixture
def guide():
    names = ["Problem Navigation", "Training Data", "Feature Engineering", "Modeling", "Evaluation & Deployment"]
    quizzes = {f"{i}/quiz/": page("Quiz", name, "<h2>1</h2><h2>2</h2>") for i, name in enumerate(names)}
    empty = "".join(f'<div class="{name}"></div>' for name in ("all-cards", "all-prompts", "overview"))
    sheet = '<div class="sheet-clock"></div><div class="sheet-cards"></div>'
    return quizzes | {
        "./": page("Entrance", None, OUTLINE),
        "practice/": page("Practice", "Practice", empty),
        "practice/sheet/": page("Sheet", "Practice", sheet),
        "practice/feed/": page("Feed", "Practice", CASE),
        "problem/rubric/": page("Rubric", "Problem Navigation", RUBRIC),
        "evaluation/ne/": page("Entropy", names[-1], CARD.format('<a href="../../modeling/x/#y">x</a>')),
        "problem/goal/": page("Goal", names[0], CARD.format("above").replace("NE", "it")),
    }


def test_cards_come_in_the_order_of_the_guide_with_links_from_its_root(guide):
    first, second = cards(guide)
    assert (first.title, second.title) == ("Goal", "Entropy")
    assert 'href="modeling/x/#y"' in second.answer
    assert first.id != second.id


def test_a_card_keeps_its_name_while_its_question_stays(guide):
    before = cards(guide)[1].id
    guide["evaluation/ne/"].content = CARD.format("elsewhere").replace('<abbr title="x">NE</abbr>', "NE")
    assert cards(guide)[1].id == before


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
    assert "Talk" in soup.select_one(".mock-rubric").text
    cells = soup.select(".overview tbody tr:last-child td")
    assert cells[0]["data-pages"] == "evaluation/ne/"
    assert cells[1]["data-questions"] == "2"
    assert cells[2]["data-cards"] == cards(guide)[1].id
    sheet = BeautifulSoup(guide["practice/sheet/"].content, "html.parser")
    assert [c.text for c in sheet.select(".sheet-clock tr > *")] == ["Evaluation", "10 min", "Calibration 2 min"]
    assert sheet.select_one(".sheet-cards p").text == "What is it? A ratio, see above."
    assert sheet.a is None


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
    assert [guid for guid, _, _ in notes] == [f"ml-design-{card.id}" for card in deck]
    assert 'href="https://a.org/g/modeling/x/#y"' in notes[1][1]
    assert notes[1][2].strip() == "evaluation-deployment"


@pytest.mark.parametrize(
    ("href", "file"),
    [
        ("../x/", "../x/index.html"),
        ("../x/#y", "../x/index.html#y"),
        ("..", "../index.html"),
        ("../..", "../../index.html"),
        (".", "./index.html"),
        ("./", "./index.html"),
        ("#y", "#y"),
        ("../proof.json", "../proof.json"),
        ("https://a.org/", "https://a.org/"),
        ("mailto:a@b.org", "mailto:a@b.org"),
    ],
)
def test_a_link_to_a_folder_names_the_file_in_it(href, file):
    assert file_of(href) == file


def test_an_unzipped_page_searches_without_a_server():
    html = '<link rel="preload" href="x"><script id="__config">{"base": "../.."}</script><script src="b.js"></script>'
    assert unfolded(html) == (
        '<script id="__config">{"base": "../.."}</script>'
        '<script src="../../assets/offline/iframe-worker.js"></script><script src="b.js"></script>'
    )


def test_an_unzipped_page_turns_to_its_neighbours_and_not_to_the_archive():
    html = (
        '<link rel="next" href="../x/"><a href="../ml-design-offline.zip">All</a><script src=""></script>{"base": ".."}'
    )
    assert unfolded(html).startswith('<link rel="next" href="../x/index.html">All<script')


def test_the_archive_does_not_hold_itself(tmp_path):
    (tmp_path / "search").mkdir()
    (tmp_path / "search/search_index.json").write_text('{"docs": [{"location": ""}, {"location": "x/#y"}]}')
    (tmp_path / "index.html").write_text('<a class="c" href="x/">x</a><script src="a.js"></script>{"base": "."}')
    for _ in range(2):
        write_archive(tmp_path)
    with zipfile.ZipFile(tmp_path / NAME) as archive:
        assert archive.namelist() == ["ml-design/index.html", "ml-design/search/search_index.js"]
        assert b'href="x/index.html"' in archive.read("ml-design/index.html")
        index = archive.read("ml-design/search/search_index.js").decode()
    assert index.startswith("var __index = {")
    assert '"location": "x/index.html#y"' in index
    assert '"location": "index.html"' in index
