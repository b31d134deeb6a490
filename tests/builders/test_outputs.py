import pytest

from tools.builders.outputs import main, rewrite, run
from tools.guards.fences import ROOT
from tools.guards.pages import check_page

PAGE = """# Page

```python
print(1)
```

Text with ```` ```python ```` in it.

!!! note

    ```python
    print("a\\nb")
    ```

    After.

```python
x = 1
```

<!--pytest-codeblocks:expected-output-->

```text
stale
```

End.
"""


def test_outputs_are_written_replaced_and_removed():
    new = rewrite(PAGE, ["1\n", "a\nb\n", ""])
    assert "print(1)\n```\n\n<!--pytest-codeblocks:expected-output-->\n\n```text\n1\n```\n\nText" in new
    announced = '    print("a\\nb")\n    ```\n\n    <!--pytest-codeblocks:expected-output-->\n'
    assert announced + "\n    ```text\n    a\n    b\n    ```\n" in new
    assert "stale" not in new
    assert "x = 1\n```\n\nEnd." in new


def test_a_second_run_changes_nothing():
    once = rewrite(PAGE, ["1\n", "a\nb\n", ""])
    assert rewrite(once, ["1\n", "a\nb\n", ""]) == once


def test_nothing_but_outputs_changes():
    new = rewrite(PAGE, ["1\n", "a\nb\n", ""])
    removed = [line for line in PAGE.split("\n") if line not in new.split("\n")]
    assert removed == ["stale"]


def test_the_result_passes_the_guard(tmp_path):
    page = tmp_path / "page.txt"
    page.write_text(rewrite(PAGE.replace("Text with ```` ```python ```` in it.", ""), ["1\n", "a\nb\n", ""]))
    assert check_page(page) == []


def test_a_block_runs_alone_from_the_root():
    assert run("import os\nprint(os.getcwd())").strip() == str(ROOT)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        run("1 / 0")
    with pytest.raises(RuntimeError, match="UserWarning"):
        run("import warnings\nwarnings.warn('x')")


def test_a_page_with_a_failing_block_is_left_as_it_was(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tools.builders.outputs.ROOT", tmp_path)
    page = tmp_path / "page.md"
    text = "# Page\n\n```python\nprint(1)\n```\n\n```python\n1 / 0\n```\n"
    page.write_text(text)
    assert main([page]) == 1
    assert page.read_text() == text
    assert "page.md: a block fails" in capsys.readouterr().err
