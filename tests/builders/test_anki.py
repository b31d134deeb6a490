"""The deck in Anki itself: what was learned stays when the guide changes."""

from dataclasses import replace

import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.scheduler.v3 import CardAnswer

from tools.builders.practice import Card, anki

FIRST, SECOND = 1_767_225_600, 1_767_312_000  # a day later
ENTROPY = Card("late-clicks", "What is NE?", "<p>A ratio.</p>", "modeling/ne/", "Entropy", "Modeling")
GOAL = Card("the-goal", "What is the goal?", "<p>Joy.</p>", "problem/goal/", "Goal", "Problem Navigation")
NEW = Card("drift", "What is drift?", "<p>Change.</p>", "evaluation/drift/", "Drift", "Evaluation & Deployment")


@pytest.fixture
def collection(tmp_path):
    collection = Collection(str(tmp_path / "collection.anki2"))
    yield collection
    collection.close()


def imported(collection, tmp_path, cards, time):
    """Import the deck of some cards as a reader does, without asking for anything; return Anki's log."""
    path = tmp_path / "deck.apkg"
    path.write_bytes(anki(cards, "https://a.org/g/", time))
    request = ImportAnkiPackageRequest(package_path=str(path), options=ImportAnkiPackageOptions())
    return collection.import_anki_package(request).log


def notes(collection):
    """Return the notes by their guids."""
    return {note.guid: note for note in map(collection.get_note, collection.find_notes(""))}


def deck_of(collection, note):
    """Return the name of the deck in which the card of a note is."""
    (card,) = note.cards()
    return collection.decks.name(card.did)


def learned(collection, guid):
    """Answer the card of a note, as easy, so that it comes back after days; return it as it is then."""
    (card,) = notes(collection)[guid].cards()
    collection.decks.select(card.did)
    (queued,) = collection.sched.get_queued_cards(fetch_limit=1).cards
    card.start_timer()
    answer = collection.sched.build_answer(card=card, states=queued.states, rating=CardAnswer.EASY)
    collection.sched.answer_card(answer)
    return collection.get_card(card.id)


def test_each_section_has_a_deck_below_that_of_the_guide(collection, tmp_path):
    imported(collection, tmp_path, [GOAL, ENTROPY], FIRST)
    assert {guid: deck_of(collection, note) for guid, note in notes(collection).items()} == {
        "ml-design-the-goal": "ML Design::Problem Navigation",
        "ml-design-late-clicks": "ML Design::Modeling",
    }
    names = {deck.name for deck in collection.decks.all_names_and_ids(include_filtered=False)}
    assert names == {"Default", "ML Design", "ML Design::Modeling", "ML Design::Problem Navigation"}


def test_a_deck_imported_twice_changes_nothing(collection, tmp_path):
    imported(collection, tmp_path, [GOAL, ENTROPY], FIRST)
    log = imported(collection, tmp_path, [GOAL, ENTROPY], FIRST)
    assert [len(log.new), len(log.updated), len(log.duplicate), len(log.conflicting)] == [0, 0, 2, 0]


def test_a_card_reworded_keeps_its_history(collection, tmp_path):
    imported(collection, tmp_path, [GOAL, ENTROPY], FIRST)
    before = learned(collection, "ml-design-late-clicks")
    history = collection.db.all("SELECT * FROM revlog")
    assert (before.reps, before.ivl > 0, len(history)) == (1, True, 1)
    log = imported(collection, tmp_path, [GOAL, replace(ENTROPY, question="Say what NE is."), NEW], SECOND)
    assert [len(log.new), len(log.updated)] == [1, 2]
    note = notes(collection)["ml-design-late-clicks"]
    (after,) = note.cards()
    assert note["Question"] == "Say what NE is."
    was, is_ = ((card.id, card.reps, card.ivl, card.due, card.factor, card.type) for card in (before, after))
    assert is_ == was
    assert collection.db.all("SELECT * FROM revlog") == history
    assert deck_of(collection, notes(collection)["ml-design-drift"]) == "ML Design::Evaluation & Deployment"


def test_a_card_of_another_section_has_its_tag_and_stays_in_the_reader_s_deck(collection, tmp_path):
    imported(collection, tmp_path, [GOAL, ENTROPY], FIRST)
    before = learned(collection, "ml-design-late-clicks")
    imported(collection, tmp_path, [GOAL, replace(ENTROPY, section="Evaluation & Deployment")], SECOND)
    note = notes(collection)["ml-design-late-clicks"]
    assert note.tags == ["evaluation-deployment"]
    assert deck_of(collection, note) == "ML Design::Modeling"  # Anki moves no card that it knows
    assert [(card.id, card.reps) for card in note.cards()] == [(before.id, before.reps)]
