import subprocess
from functools import partial

import pytest

from tools.builders import outputs
from tools.builders.outputs import main, rewrite, run
from tools.guards.fences import ROOT
from tools.guards.pages import check_page
from tools.guards.scale import Runners

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


@pytest.fixture
def page(monkeypatch, tmp_path):
    monkeypatch.setattr(outputs, "ROOT", tmp_path)
    monkeypatch.setattr(outputs, "Runners", partial(Runners, preload=False))
    return tmp_path / "page.md"


def test_a_page_with_a_failing_block_is_left_as_it_was(page, capsys):
    text = "# Page\n\n```python\nprint(1)\n```\n\n```python\n1 / 0\n```\n"
    page.write_text(text)
    assert main([page], once=True) == 1
    assert page.read_text() == text
    said = capsys.readouterr().err
    assert "page.md:7: this block fails, the page is left as it was\npage.md:8: ZeroDivisionError" in said


def test_a_failing_page_does_not_keep_the_others_from_being_written(page, capsys):
    other = page.with_name("other.md")
    page.write_text("```python\n1 / 0\n```\n")
    other.write_text("```python\nprint(1)\n```\n")
    assert main([page, other], once=True) == 1
    assert "```text\n1\n```" in other.read_text()
    assert "rewrote other.md" in capsys.readouterr().out


def test_a_check_writes_nothing_and_shows_the_difference(page, capsys):
    page.write_text(PAGE)
    assert main([page], check=True) == 1
    assert page.read_text() == PAGE
    said = capsys.readouterr().err
    assert "page.md: prints something else than the page shows" in said
    assert "\n-stale\n" in said
    assert "\n+    a\n+    b\n" in said


def test_every_block_runs_again_as_on_each_older_processor(page, monkeypatch):
    page.write_text("```python\nprint(1)\n```\n")
    kinds = [{"NPY_DISABLE_CPU_FEATURES": off, "OPENBLAS_CORETYPE": "Prescott"} for off in ("NEW", "NEW OLD")]
    monkeypatch.setattr(outputs, "older", lambda: kinds)
    asked = []

    def stand_in(command, env, cwd):
        asked.append((command[2:], env["NPY_DISABLE_CPU_FEATURES"], env["OPENBLAS_CORETYPE"]))
        return subprocess.CompletedProcess(command, 1 if env["NPY_DISABLE_CPU_FEATURES"] == "NEW" else 0)

    monkeypatch.setattr(outputs, "run", lambda *block: "1\n")
    monkeypatch.setattr(outputs.subprocess, "run", stand_in)
    assert main([page]) == 1
    again = ["tools.builders.outputs", "--check", str(page)]
    assert asked == [(again, "NEW", "Prescott"), (again, "NEW OLD", "Prescott")]
    assert main([page], once=True) == 0
    assert len(asked) == 2
