"""The feed: one entry a day, as git tells it, and valid without any history."""

from types import SimpleNamespace
from xml.etree import ElementTree as ET

from tools.builders.feed import DAYS, days, feed

SITE = "https://example.org/"
PAGES = {f"docs/{name}.md": SimpleNamespace(title=name.title(), url=f"{name}/") for name in ("a", "b", "c", "d")}
PAGES["docs/a.md"].title = "A &amp; more"
DAY = 86_400
LOG = (
    f"""\x00200\n\nM\tdocs/a.md\n\x00100\n\nA\tdocs/a.md\nD\tdocs/x.md\n\x00{3 * DAY}\n\nR090\tdocs/y.md\tdocs/b.md\n"""
)


def read(changes):
    text = feed("Guide", SITE, PAGES, changes)
    assert text == feed("Guide", SITE, PAGES, changes)
    return ET.fromstring(text)


def found(root, path):
    return [element.text for element in root.iterfind(path, {"": "http://www.w3.org/2005/Atom"})]


def test_a_day_is_one_entry_and_what_was_new_in_the_morning_is_new():
    assert days(LOG) == [
        (3 * DAY, {"docs/b.md": "R"}),
        (200, {"docs/a.md": "A", "docs/x.md": "D"}),
    ]


def test_new_and_renamed_on_a_day_is_new_and_deleted_and_back_is_changed():
    log = (
        "\x00300\n\nA\tdocs/d.md\n\x00200\n\nR100\tdocs/a.md\tdocs/b.md\nD\tdocs/d.md\n"
        "\x00100\n\nA\tdocs/a.md\nM\tdocs/d.md\n"
    )
    assert days(log) == [(300, {"docs/b.md": "A", "docs/d.md": "M"})]


def test_entries_are_newest_first_and_name_the_pages_that_there_are():
    root = read(days(LOG))
    assert found(root, "entry/updated") == ["1970-01-04T00:00:00Z", "1970-01-01T00:03:20Z"]
    assert found(root, "updated") == ["1970-01-04T00:00:00Z"]
    assert found(root, "entry/title") == ["B", "A &amp; more"]
    assert found(root, "entry/content")[1] == (
        '<ul><li><a href="https://example.org/a/">A &amp; more</a> (new)</li></ul>'
    )
    ids = found(root, "id") + found(root, "entry/id")
    assert len(set(ids)) == 3


def test_a_long_day_has_a_short_title_with_what_is_new_first():
    root = read([(0, {"docs/a.md": "M", "docs/b.md": "M", "docs/c.md": "M", "docs/d.md": "A"})])
    assert found(root, "entry/title") == ["D, A &amp; more, B and 1 more"]


def test_without_history_it_is_empty_and_valid():
    root = read(days(""))
    assert found(root, "entry") == []
    assert found(root, "updated") == ["2026-01-01T00:00:00Z"]
    assert found(root, "title") == ["Guide: what changed"]


def test_a_day_on_which_no_page_changed_is_none_and_old_ones_are_left_out():
    changes = [(i * DAY, {"docs/x.md" if i % 2 else "docs/a.md": "M"}) for i in range(4 * DAYS, 0, -1)]
    assert len(found(read(changes), "entry/id")) == DAYS
