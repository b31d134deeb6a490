"""What is taken out of a snippet, and which exercises are refused."""

import pytest

from tools.guards import exercises as guard
from tools.guards.fences import ROOT

PAGE = """```py
--8<-- "snippets/part/s.py:heart"
```

## Write it yourself

??? exercise scaled "Scale it, 8 min"

    Return `x` times `UNIT`, as
    [scaled](../glossary.md#scaled).

??? hint "the idea"

    Multiply.

??? hint "the formula"

    `x * UNIT`

    It is short.

??? hint "the trap"

    None.

## Follow-ups
"""
SNIPPET = '''"""Scales."""

import numpy as np

UNIT = 3


def scaled(x):
    """Return x in units."""
    x = _checked(x)
    # --8<-- [start:heart]
    y = x * UNIT
    unused = 1
    # --8<-- [end:heart]
    return np.array(y)


class Scale:
    """A scale."""

    def by(self, x):
        """Return x by it."""
        # --8<-- [start:by]
        return _checked(x)
        # --8<-- [end:by]

    def whole(self, x):
        return x


def _checked(x):
    return x
'''


@pytest.fixture
def root(tmp_path):
    (tmp_path / "snippets/part").mkdir(parents=True)
    (tmp_path / "snippets/part/s.py").write_text(SNIPPET)
    return tmp_path


def exercise(root, name="scaled"):
    (found,) = guard.of_page(PAGE.replace("scaled", name, 1), "part/page", root)
    return found


def test_an_exercise_is_read_from_its_page(root):
    found = exercise(root)
    assert (found.title, found.minutes, found.function) == ("Scale it", 8, "scaled")
    assert found.snippet == "snippets/part/s.py"
    assert found.task == "Return `x` times `UNIT`, as\n[scaled](../glossary.md#scaled)."
    assert found.hints == (
        ("the idea", "Multiply."),
        ("the formula", "`x * UNIT`\n\nIt is short."),
        ("the trap", "None."),
    )


def test_the_section_is_taken_out_and_what_checks_the_input_stays(root):
    parts = guard.cut(exercise(root), root)
    assert parts.before + parts.heart + parts.after == SNIPPET
    assert parts.blank.count("x = _checked(x)") == 1
    assert "y = x * UNIT" not in parts.blank
    assert parts.stub == (
        "    # Return `x` times `UNIT`, as scaled.\n    # At hand: UNIT.\n    # What follows needs: y.\n"
        '    raise NotImplementedError("scaled is yours to write")\n'
    )
    assert parts.statements == 2


def test_a_method_is_named_with_its_class_and_a_marker_behind_its_body_goes_too(root):
    parts = guard.cut(exercise(root, "Scale-by"), root)
    assert parts.after.startswith("\n    def whole")
    assert parts.stub.endswith('        raise NotImplementedError("Scale.by is yours to write")\n')


def test_without_a_section_all_below_the_docstring_is_the_heart(root):
    assert guard.cut(exercise(root, "_checked"), root).heart == "    return x\n"
    assert guard.cut(exercise(root, "Scale-whole"), root).heart == "        return x\n"


HINT = '??? hint "the trap"\n\n    None.\n'


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("exercise scaled", "exercise lost", "no snippet that this page shows has the function lost"),
        ("exercise scaled", "exercise Lost-by", "no snippet that this page shows has the function Lost.by"),
        ("exercise scaled", "exercise by", "no snippet that this page shows has the function by"),
        ("8 min", "11 min", "an exercise takes 10 minutes or less, got 11"),
        (HINT, "", "an exercise has 3 hints, one below the other, got 2"),
        (HINT, HINT * 2, "an exercise has 3 hints, one below the other, got 4"),
    ],
)
def test_what_is_wrong_with_an_exercise_is_said_with_its_line(root, before, after, fault):
    assert before in PAGE
    assert list(guard.check(PAGE.replace(before, after, 1), root)) == [(7, fault)]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (", 8 min", "", 7),  # and its hints, which then stand alone
        ('??? hint "the trap"', 'And so:\n\n??? hint "the trap"', 24),
        ("??? exercise scaled ", "??? exercise ", 7),
    ],
)
def test_an_exercise_that_no_reader_would_find_is_refused(root, before, after, line):
    assert before in PAGE
    faults = list(guard.check(PAGE.replace(before, after), root))
    assert line in [at for at, what in faults if what.startswith("an exercise is written ??? exercise")]


def test_a_heart_that_takes_too_long_is_refused(root, monkeypatch):
    assert list(guard.check(PAGE, root)) == []
    monkeypatch.setattr(guard, "STATEMENTS", 1)
    assert list(guard.check(PAGE, root)) == [(7, "the heart of scaled may have 1 statements, got 2")]


def test_two_exercises_of_one_name_are_refused(root):
    (root / "docs").mkdir()
    for page in ("a", "b"):
        (root / f"docs/{page}.md").write_text(PAGE)
    assert guard.check_names(root) == ["docs/b.md:1: the exercise 'scaled' stands on a already"]


def test_there_are_exercises_of_each_section():
    pages = [found.page.split("/")[0] for found in guard.of_guide(ROOT)]
    assert len(pages) >= 20
    assert set(pages) == {"problem", "training-data", "features", "modeling", "evaluation"}
