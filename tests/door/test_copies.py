import pytest

from tools.door import copies
from tools.door.copies import END, SNIPPETS, START, with_checks, without_checks

OWN = '"""A snippet."""\n\nimport operator\n\nimport numpy as np\n\n\ndef f(k):\n    return _count("k", k)\n'


@pytest.mark.parametrize("path", SNIPPETS, ids=lambda p: str(p.relative_to(copies.ROOT)))
def test_a_snippet_holds_the_checks_that_it_calls_letter_by_letter(path):
    text = path.read_text(encoding="utf-8")
    assert text == with_checks(text), "run `python -m tools.door`, and change the checks in tools/door/checks.py alone"


def test_what_is_called_is_copied_with_what_that_calls_and_nothing_else():
    own = OWN.replace("import operator", "import numbers\nfrom typing import Any").replace("_count", "_labels")
    functions = [line.split("(")[0] for line in with_checks(own).splitlines() if line.startswith("def ")]
    assert functions == ["def f", "def _array", "def _refuse", "def _labels"]


def test_a_changed_copy_is_replaced_and_one_no_longer_called_goes():
    text = with_checks(OWN.replace("import operator", "import operator\nfrom typing import Any"))
    assert text.count("def _count(") == 1
    assert with_checks(text) == text
    assert with_checks(text.replace("least <= ", "least < ")) == text
    assert with_checks(text.replace('_count("k", k)', "k")) == without_checks(text).replace('_count("k", k)', "k")


def test_an_import_that_the_checks_need_is_asked_for():
    with pytest.raises(ValueError, match="the checks need `from typing import Any`"):
        with_checks(OWN)


def test_a_function_of_ones_own_with_the_name_of_a_check_is_refused():
    with pytest.raises(ValueError, match="_count is the name of a check"):
        with_checks(OWN.replace("def f", "def _count"))


@pytest.mark.parametrize("text", [OWN + START, OWN + END, OWN + START + END + "more = 1\n"])
def test_copies_stand_at_the_end_between_their_lines(text):
    with pytest.raises(ValueError, match="stand at the end"):
        without_checks(text)
