"""Every known way to show Python that does not run, planted, and refused."""

import pytest
from mkdocs.utils.yaml import yaml_load

from tools.guards.fences import ROOT, fences
from tools.guards.pages import check_lab, check_labs, check_page, check_settings, pages

SOUND = """# A page

```python
print(1 + 1)
```

<!--pytest-codeblocks:expected-output-->

```text
2
```

=== "A tab"

    !!! note

        ```python
        print("nested")
        ```

        <!--pytest-codeblocks:expected-output-->

        ```text
        nested
        ```

```py
--8<-- "snippets/evaluation/calibration.py:curve"
```

```console
make test
```

```sql
SELECT 1
```
"""

OUTPUT = "<!--pytest-codeblocks:expected-output-->"
BLOCK = "```python\nprint(1)\n```\n\n"
PLANTS = {
    "attribute": '```python title="x"\nprint(1)\n```',
    "highlighted lines": '```python hl_lines="1"\nprint(1)\n```',
    "space before": "``` python\nprint(1)\n```",
    "capital": "```Python\nprint(1)\n```",
    "python3": "```python3\nprint(1)\n```",
    "braces": "```{.python}\nprint(1)\n```",
    "braces and attributes": '``` { .python .x linenums="1" }\nprint(1)\n```',
    "console session": "```pycon\n>>> print(1)\n1\n```",
    "console session as text": "```text\n>>> print(1)\n1\n```",
    "ipython": "```ipython\nprint(1)\n```",
    "tildes": "~~~python\nprint(1)\n~~~",
    "tildes, plain": "~~~\nprint(1)\n~~~",
    "four backticks": "````python\nprint(1)\n````",
    "inside four backticks": "````markdown\n```python\nprint(1)\n```\n````",
    "block quote": "> ```python\n> print(1)\n> ```",
    "py with code": "```py\nprint(1)\n```",
    "py with an include and more": '```py\n--8<-- "snippets/evaluation/calibration.py"\nprint(1)\n```',
    "py with a line range": '```py\n--8<-- "snippets/evaluation/calibration.py:1:4"\n```',
    "py from elsewhere": '```py\n--8<-- "tools/guards/pages.py"\n```',
    "python with an include": '```python\n--8<-- "snippets/evaluation/calibration.py"\n```',
    "unlabelled": "```\nimport os\n```",
    "text that is Python": "```text\nimport os\nprint(os)\n```",
    "another language that is Python": "```sql\nx = open(y)\n```",
    "indented": "Text.\n\n    import os\n    print(os)\n",
    "indented in a list": "- item\n\n        print(1)\n",
    "raw pre": "<pre><code>print(1)</code></pre>",
    "raw pre, capitals": '<PRE class="x">print(1)</PRE>',
    "script": "<script>alert(1)</script>",
    "skip": "<!--pytest-codeblocks:skip-->\n\n```python\nprint(1)\n```",
    "skipif": "<!--pytest-codeblocks:skipif(True)-->\n\n```python\nprint(1)\n```",
    "importorskip": "<!--pytest-codeblocks:importorskip(nothing)-->\n\n```python\nprint(1)\n```",
    "mark": "<!--pytest.mark.skip-->\n\n```python\nprint(1)\n```",
    "mark with spaces": "<!-- pytest.mark.xfail(raises=ValueError) -->\n\n```python\nprint(1)\n```",
    "cont": "```python\nx = 1\n```\n\n<!--pytest-codeblocks:cont-->\n\n```python\nprint(x)\n```",
    "loose comparison": BLOCK + "<!--pytest-codeblocks:expected-output-ignore-whitespace-->\n\n```text\n1\n```",
    "hidden set-up": "<!--\n```python\nx = 1\n```\n-->\n\n```python\nprint(2)\n```",
    "hidden to the end": "<!--\n\n```python\nx = 1\n```\n",
    "inline backticks at the start of a line": "```x``` is code.\n\n```python\nprint(1)\n```",
    "unclosed fence": "```python\nprint(1)\n",
    "shell": "```bash\nmake test\n```",
    "empty block": "```python\n\n```",
    "pytest in a block": "```python\nimport pytest\n\npytest.skip()\n```",
    "output without a block": "```console\nmake\n```\n\n" + OUTPUT + "\n\n```text\n1\n```",
    "output that is not text": BLOCK + OUTPUT + "\n\n```json\n1\n```",
    "output far away": BLOCK + OUTPUT + "\n\nText.\n\n```text\n1\n```",
    "output of another block": BLOCK + "Text.\n\n" + OUTPUT + "\n\n```text\n1\n```",
    "figure with other options": '```python exec="on" source="above"\nprint(1)\n```',
}


def check(tmp_path, text):
    page = tmp_path / "planted.md"
    page.write_text(text, encoding="utf-8")
    return check_page(page)


def test_a_sound_page_passes(tmp_path):
    assert check(tmp_path, SOUND) == []


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_every_way_to_slip_through_is_refused(tmp_path, plant):
    faults = check(tmp_path, f"# A page\n\n{plant}\n")
    assert faults
    assert all(fault.split(":")[1].isdigit() for fault in faults)


@pytest.mark.parametrize("plant", [p for p in PLANTS.values() if p.startswith(("```", "~~~"))])
@pytest.mark.parametrize("container", ['!!! note "x"', "- item", '=== "A tab"', '??? question "x"'])
def test_nor_inside_tabs_admonitions_and_lists(tmp_path, container, plant):
    inside = "\n".join("    " + line if line else "" for line in plant.split("\n"))
    assert check(tmp_path, f"# A page\n\n{container}\n\n{inside}\n")


def test_skipfile_on_the_first_line_is_refused(tmp_path):
    assert check(tmp_path, f"<!--pytest-codeblocks:skipfile-->\n\n{SOUND}")


def test_the_fault_names_the_line(tmp_path):
    (fault,) = check(tmp_path, "---\ntitle: x\n---\n\n# A page\n\n~~~text\nx\n~~~\n")
    assert ":7: " in fault


UNANSWERED = {
    "question": '??? question "Why?"\n',
    "card": '??? card "Why?"\n\n## Sources\n',
    "follow-up at the end": '## Follow-ups\n\n??? question "Why?"',
    "answer that is not indented": '??? question "Why?"\n\nBecause of the clicks that come late.\n',
    "answer glued to the question": '??? question "Why?"\n    Because of the clicks that come late.\n',
    "answer that is none": '??? card "Why?"\n\n    ...\n',
    "next question in its place": '??? card "Why?"\n\n??? card "How?"\n\n    By counting what came late.\n',
    "no question": "??? question\n\n    Because of the clicks that come late.\n",
    "empty question": '??? question " "\n\n    Because of the clicks that come late.\n',
    "question without quotes": "??? question Why?\n\n    Because of the clicks that come late.\n",
}


@pytest.mark.parametrize("plant", UNANSWERED.values(), ids=UNANSWERED)
def test_a_question_without_an_answer_is_refused(tmp_path, plant):
    assert check(tmp_path, f"# A page\n\n{plant}\n")


def test_a_question_with_an_answer_passes(tmp_path):
    answered = '??? card "Why \u201cso\u201d?"\n\n    Because of the clicks.\n\n    And more.\n'
    assert check(tmp_path, f"# A page\n\n{answered}\n```text\n??? question\n```\n") == []


def quiz(*options, questions=10):
    body = "".join(f'??? {kind} "{kind}"\n\n    {text}\n\n' for kind, text in options)
    front = "---\ntitle: x\ndescription: x\nsection: x\nminutes: 0\ntags: []\n---\n\n# Quiz\n\n"
    return front + "".join(f"## {i}. Why?\n\n{body}" for i in range(questions))


RIGHT, WRONG = ("right", "Because of the clicks."), ("wrong", "No, see [late clicks](late.md).")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (quiz(WRONG, RIGHT, WRONG), None),
        (quiz(WRONG, RIGHT, WRONG, questions=9), "a quiz has ten questions, this one has 9"),
        (quiz(WRONG, WRONG, WRONG), "needs one right option"),
        (quiz(RIGHT, RIGHT, WRONG), "needs one right option"),
        (quiz(RIGHT, WRONG), "two wrong ones or more"),
        (quiz(RIGHT, WRONG, WRONG, ("card", "Because of the clicks.")), "needs one right option"),
        (quiz(RIGHT, WRONG, ("wrong", "No, it is not so.")), "links to the page that teaches it"),
        (quiz(RIGHT, WRONG, ("wrong", "")), "no answer below"),
    ],
)
def test_a_quiz_explains_each_option(tmp_path, text, fault):
    page = tmp_path / "quiz.md"
    page.write_text(text, encoding="utf-8")
    faults = check_page(page)
    assert (faults == []) if fault is None else any(fault in found for found in faults)


def test_a_page_below_docs_needs_its_front_matter(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("---\ntitle: x\n---\n\n# A page\n", encoding="utf-8")
    (fault,) = check_page(page)
    assert "lacks description, minutes, section, tags" in fault


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_the_pages_of_the_guide_pass(page):
    assert check_page(page) == []


def test_the_template_is_among_them():
    assert ROOT / "templates/page.md" in pages()


def test_the_notebooks_pass_and_planted_tags_do_not():
    assert check_labs() == []
    for cell in ['# %% tags=["raises-exception"]', "# %% [raw]", "# %% skip", "# %%\n# !pip list", "# %%\n# %time x"]:
        assert check_lab(f"# %%\nx = 1\n\n{cell}\n1 / 0\n", "lab.py")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allow_errors", True),
        ("execute", False),
        ("cache", True),
        ("kernel_name", ""),
        ("include", ["*.py"]),
        ("execute_ignore", ["*"]),
        ("remove_tag_config", {"remove_cell_tags": ["x"]}),
        ("no_input", True),
    ],
)
def test_notebooks_must_run_and_may_not_fail(key, value):
    config = yaml_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert check_settings(config) == []
    config["plugins"][1]["mkdocs-jupyter"][key] = value
    assert check_settings(config)


def test_fences_are_found_where_the_renderer_finds_them():
    assert [(f.line, f.end, f.info) for f in fences(SOUND)] == [
        (3, 5, "python"),
        (9, 11, "text"),
        (17, 19, "python"),
        (23, 25, "text"),
        (27, 29, "py"),
        (31, 33, "console"),
        (35, 37, "sql"),
    ]
