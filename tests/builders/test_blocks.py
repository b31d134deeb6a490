"""Blocks of pages are laid out for the columns that a page shows, and nothing else changes."""

import ast
import tomllib

import pytest

from tools.builders.blocks import COLUMNS, laid_out, lay_out
from tools.guards.fences import COMMANDS, QUERY, ROOT, RUN, fences
from tools.guards.pages import pages

WIDE = "total = first_of_the_summands + second_of_the_summands + third_of_the_summands + fourth_of_them"
PAGE = f"""# Page

```python
{WIDE}
```

```py
--8<-- "snippets/a.py:b"
```

!!! note

    ```python
    {WIDE}

    print('x')
    ```
"""


def test_wide_lines_are_broken_also_in_what_is_indented():
    (new,) = laid_out([PAGE])
    assert max(map(len, new.split("\n"))) <= COLUMNS
    assert '\n\n    print("x")\n    ```\n' in new
    before, after = ([b.code for b in fences(text) if b.info == RUN] for text in (PAGE, new))
    assert [ast.dump(ast.parse(code)) for code in before] == [ast.dump(ast.parse(code)) for code in after]


def test_nothing_but_blocks_changes():
    (new,) = laid_out([PAGE])
    assert new.startswith("# Page\n\n```python\ntotal = (\n")
    assert '```py\n--8<-- "snippets/a.py:b"\n```' in new
    assert laid_out([new, "# No block\n"]) == [new, "# No block\n"]


def test_a_page_is_rewritten_only_where_it_changes(tmp_path, capsys):
    page, sound = tmp_path / "page.md", tmp_path / "sound.md"
    page.write_text(PAGE)
    sound.write_text("# No block\n")
    lay_out([page, sound])
    assert page.read_text() == laid_out([PAGE])[0]
    assert capsys.readouterr().out == "laid out the blocks of page.md\n"


def test_the_blocks_of_all_pages_are_laid_out():
    texts = [path.read_text(encoding="utf-8") for path in pages()]
    wrong = [path.name for path, old, new in zip(pages(), texts, laid_out(texts), strict=True) if old != new]
    assert wrong == [], "`make outputs` lays out their blocks"


def test_no_line_of_code_is_wider_than_a_page_shows():
    blocks = [(page.name, block) for page in pages() for block in fences(page.read_text(encoding="utf-8"))]
    shown = [(name, block) for name, block in blocks if block.info in (RUN, QUERY, COMMANDS)]
    wide = [f"{name}:{b.line}: {line}" for name, b in shown for line in b.code.split("\n") if len(line) > COLUMNS]
    assert wide == [], "break the text of a long line, or say less"


@pytest.mark.parametrize("folder", ["snippets", "templates", "tools/door"])
def test_snippets_and_what_is_copied_into_them_are_as_wide_as_blocks(folder):
    settings = ROOT / folder / "ruff.toml"
    while "line-length" not in (told := tomllib.loads(settings.read_text(encoding="utf-8"))):
        settings = settings.parent / told["extend"]
    assert told["line-length"] == COLUMNS
