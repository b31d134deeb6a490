"""What `make new` lays out is replaced before it is published."""

import pytest

from tools.guards.fences import ROOT
from tools.loop.page import placeholders

FOLDERS = ("docs", "snippets", "figures", "includes")


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_that_is_published_says_todo(folder):
    assert placeholders(p for p in sorted((ROOT / folder).rglob("*")) if p.suffix in (".md", ".py", ".yml")) == []


def test_the_templates_say_it_where_a_person_writes():
    left = [line.split(":")[0] for line in placeholders(sorted((ROOT / "templates").glob("*.*")))]
    assert set(left) == {
        "templates/contract.py",
        "templates/page.md",
        "templates/snippet.py",
        "templates/test_snippet.py",
    }
