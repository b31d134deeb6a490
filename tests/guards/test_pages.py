"""Every known way to show Python that does not run, planted, and refused."""

import pytest

from tools.guards import pages as guard
from tools.guards.__main__ import main
from tools.guards.fences import ROOT, fences
from tools.guards.pages import check_page, check_part, looks_like_python, pages, parts, python_names

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
git clone https://example.org/guide.git && cd guide
make serve    # builds the guide
.venv/bin/python -m pip install --require-hashes -r requirements.txt

export HTTPS_PROXY=http://proxy:3128
make bench ONLY="features/counters joins"
```

```python exec="on" html="on"
from figures.evaluation import peeking

print(peeking())
```

```sql
SELECT 1
```
"""

OUTPUT = "<!--pytest-codeblocks:expected-output-->"
BLOCK = "```python\nprint(1)\n```\n\n"
FIGURE = '```python exec="on" html="on"\n'
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
    "output without a block before it": "```text\n0.351\n```",
    "output of nothing": BLOCK + "```text\n1\n```",
    "second output": BLOCK + OUTPUT + "\n\n```text\n1\n```\n\n```text\n2\n```",
    "second announced output": BLOCK + OUTPUT + "\n\n```text\n1\n```\n\n" + OUTPUT + "\n\n```text\n2\n```",
    "output below a snippet": '```py\n--8<-- "snippets/evaluation/calibration.py:curve"\n```\n\n'
    + OUTPUT
    + "\n\n```text\n1\n```",
    "output with words between": BLOCK + "Text " + OUTPUT + "\n\n```text\n1\n```",
    "output that is empty": BLOCK + OUTPUT + "\n\n```text\n```",
    "output with an attribute": BLOCK + OUTPUT + '\n\n```text title="x"\n1\n```',
    "json": '```json\n{"ne": 0.351}\n```',
    "yaml": "```yaml\nne: 0.351\n```",
    "csv": "```csv\nne,0.351\n```",
    "markdown": "```markdown\n0.351\n```",
    "output language": "```output\n0.351\n```",
    "sql with an attribute": '```sql title="x"\nSELECT 1\n```',
    "diagram": "```mermaid\ngraph TD\n```",
    "commands with results": "```console\nmake test\n1243 passed in 20.1s\n```",
    "commands with a prompt": "```console\n$ make test\n```",
    "results of a command that looks like one": "```console\nmake: *** No rule to make target 'x'.\n```",
    "commands that run Python": '```console\npython -c "print(1)"\n```',
    "commands that run a file": "```console\npython x.py\n```",
    "results behind a target": "```console\nmake test 0.351\n```",
    "a target that there is not": "```console\nmake coffee\n```",
    "the second of two commands": "```console\nmake test && echo 0.351\n```",
    "a version": "```console\ngit version 2.39.5\n```",
    "a version of Python": "```console\nPython 3.11.7\n```",
    "a quote that does not end": '```console\nmake "test\n```',
    "nothing but a comment": "```console\n# 0.351\n```",
    "a number": "```console\n0.351\n```",
    "a command that prints": "```console\necho 0.351\n```",
    "Python as a command": "```console\npython\n```",
    "assignment as a command": "```console\nx = 1\n```",
    "commands in a quote": "> ```console\n> make test\n> ```",
    "mojo": "```mojo\nprint(1)\n```",
    "starlark": "```starlark\nprint(1)\n```",
    "numpy": "```numpy\nprint(1)\n```",
    "forged output": BLOCK.replace("print(1)", "print(b'LS04'.hex())")
    + OUTPUT
    + '\n\n```text\n--8<-- "includes/abbreviations.md"\n```',
    "include in commands": '```console\n--8<-- "includes/abbreviations.md"\n```',
    "include with an escape": '```py\n;--8<-- "snippets/evaluation/calibration.py"\n```',
    "py with a single line": '```py\n--8<-- "snippets/evaluation/calibration.py:12"\n```',
    "py with other dashes": '```py\n-8<- "snippets/evaluation/calibration.py"\n```',
    "py with a missing file": '```py\n--8<-- "snippets/evaluation/nothing.py"\n```',
    "py with a missing section": '```py\n--8<-- "snippets/evaluation/calibration.py:nothing"\n```',
    "figure that does more": FIGURE + "from figures.evaluation import peeking\n\nprint(peeking())\nprint(1)\n```",
    "figure from elsewhere": FIGURE + "from snippets.evaluation import peeking\n\nprint(peeking())\n```",
    "figure with arguments": FIGURE + "from figures.evaluation import peeking\n\nprint(peeking('<b>'))\n```",
    "figure of another name": FIGURE + "from figures.evaluation import peeking\n\nprint(other())\n```",
    "figure by hand": FIGURE + "print('<script>alert(1)</script>')\n```",
    "block that does not parse": "```python\nprint 1\n```",
    "block of nothing but a comment": "```python\n# nothing\n```",
    "block that reaches the runner": "```python\nimport sys\n\nsys.modules.clear()\n```",
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
    faults = check(tmp_path, "---\ntitle: x\n---\n\n# A page\n\n~~~text\nx\n~~~\n")
    assert [fault.split(":")[1] for fault in faults] == ["1", "7"]


UNANSWERED = {
    "question": '??? question "Why?"\n',
    "card": '??? card late-clicks "Why?"\n\n## Sources\n',
    "follow-up at the end": '## Follow-ups\n\n??? question "Why?"',
    "answer that is not indented": '??? question "Why?"\n\nBecause of the clicks that come late.\n',
    "answer glued to the question": '??? question "Why?"\n    Because of the clicks that come late.\n',
    "answer that is none": '??? card late-clicks "Why?"\n\n    ...\n',
    "next question in its place": '??? card a "Why?"\n\n??? card b "How?"\n\n    By counting what came late.\n',
    "no question": "??? question\n\n    Because of the clicks that come late.\n",
    "empty question": '??? question " "\n\n    Because of the clicks that come late.\n',
    "card without a name": '??? card "Why?"\n\n    Because of the clicks that come late.\n',
    "card whose name is no name": '??? card Late-Clicks "Why?"\n\n    Because of the clicks that come late.\n',
    "level that is none": '??? question junior "Why?"\n\n    Because of the clicks that come late.\n',
    "option with a name": '??? note late-clicks "Why?"\n\n    Because of the clicks that come late.\n',
    "question without quotes": "??? question Why?\n\n    Because of the clicks that come late.\n",
}


@pytest.mark.parametrize("plant", UNANSWERED.values(), ids=UNANSWERED)
def test_a_question_without_an_answer_is_refused(tmp_path, plant):
    assert check(tmp_path, f"# A page\n\n{plant}\n")


def test_a_question_with_an_answer_passes(tmp_path):
    answered = '??? card late-clicks "Why \u201cso\u201d?"\n\n    Because of the clicks.\n\n    And more.\n'
    printed = f"```python\nprint('??? question')\n```\n\n{OUTPUT}\n\n```text\n??? question\n```\n"
    assert check(tmp_path, f"# A page\n\n{answered}\n{printed}") == []


SKETCH = "# A page\n\n```python\nfrom datasketches import {}\n\nprint({})\n```\n"


@pytest.mark.parametrize(
    ("page", "name", "said"),
    [
        ("scale/page", "hll_sketch", []),
        ("scale/page", "theta_union", ["of datasketches, a block may import cpc_sketch, "]),
        ("evaluation/page", "hll_sketch", ["a block may not import 'datasketches'"]),
        ("scale", "hll_sketch", ["a block may not import 'datasketches'"]),
    ],
)
def test_only_pages_of_scale_may_import_sketches(tmp_path, monkeypatch, page, name, said):
    monkeypatch.setattr(guard, "ROOT", tmp_path)
    monkeypatch.setattr(guard.numbers, "check", lambda *_: [])
    path = tmp_path / f"docs/{page}.md"
    path.parent.mkdir(parents=True)
    path.write_text(SKETCH.format(name, name), encoding="utf-8")
    faults = [fault for fault in check_page(path) if "import" in fault]
    assert len(faults) == len(said)
    assert all(f"docs/{page}.md:4: {what}" in fault for what, fault in zip(said, faults, strict=True))


def test_two_cards_of_one_name_are_refused(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    for name, card in [("a", "late-clicks"), ("b", "late-clicks"), ("c", "late-views")]:
        (tmp_path / f"docs/{name}.md").write_text(f'# A\n\n??? card {card} "Why?"\n\n    Because.\n')
    monkeypatch.setattr(guard, "ROOT", tmp_path)
    assert guard.check_cards() == ["docs/b.md:3: the card 'late-clicks' stands at docs/a.md:3 already"]


BY_LEVEL = "\n    - **Mid-level:** Sums.\n    - **Senior:** Means.\n    - **Staff:** Both.\n"


@pytest.mark.parametrize(
    ("levels", "step", "said"),
    [
        (BY_LEVEL, "Modeling", None),
        ("", "Modeling", "told by level"),
        (BY_LEVEL, "Modeling *11 min*\n\nText.\n\n## 5. Evaluation", "told by level"),
        (BY_LEVEL.replace("Staff", "Principal"), "Modeling", "in this order"),
        (BY_LEVEL.replace("    - **Senior:** Means.\n", ""), "Modeling", "in this order"),
    ],
)
def test_a_step_of_a_case_study_is_told_by_level(tmp_path, levels, step, said):
    prompt = '# A\n\n<div class="prompt" markdown>\n\n"Rank a feed."\n\n</div>\n\n'
    asked = f'## 4. {step} *8 min*\n\n??? question "Which?"\n\n    It depends on the clicks.\n{levels}\n'
    faults = check(tmp_path, f"{prompt}{asked}## Follow-ups\n")
    assert bool(faults) == bool(said)
    unfair = check(tmp_path, f"{prompt}{asked.replace('question', 'question staff')}## Follow-ups\n")
    assert any("for everyone" in fault for fault in unfair)
    assert said is None or any(said in fault for fault in faults)


SUM = '```python exec="on" html="on"\nfrom figures.quiz_evaluation import sample_size\n\nprint(sample_size())\n```\n\n'


def quiz(*options, questions=20, sums=5, name="q"):
    body = "".join(f'??? {kind} "{kind}"\n\n    {text}\n\n' for kind, text in options)
    bodies = [SUM] * sums + [body] * (questions - sums)
    return "# Quiz\n\n" + "".join(f"## Why? {{ #{name}{i} }}\n\n{body}" for i, body in enumerate(bodies))


RIGHT, WRONG = ("right", "Because of the clicks."), ("wrong", "No, see [late clicks](late.md).")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (quiz(WRONG, RIGHT, WRONG), None),
        (quiz(WRONG, RIGHT, WRONG, questions=19), "a quiz has twenty questions or more, this one has 19"),
        (quiz(WRONG, RIGHT, WRONG, sums=4), "five numbers to work out or more, this one has 4"),
        (quiz(WRONG, RIGHT, WRONG, name=""), "needs a name of its own"),
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


def test_the_template_is_among_them():
    assert ROOT / "templates/page.md" in pages()


@pytest.mark.parametrize("part", parts(), ids=lambda p: str(p.relative_to(ROOT)))
def test_what_pages_include_passes(part):
    assert check_part(part) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("| a | b |\n|---|---:|\n| `x` | 1.7 s |\n\nMeasured on two cores.\n", None),
        ("```python\nprint(1)\n```\n", "holds no code"),
        ("```text\n0.351\n```\n", "holds no code"),
        ("Text.\n\n    print(1)\n", "<pre>"),
        ("<div hidden>x</div>\n", "hidden"),
        ("<script>alert(1)</script>\n", "<script>"),
        ('--8<-- "includes/abbreviations.md"\n', "includes no other"),
        ("---\ntitle: x\n---\n", "front matter"),
        ("title: x\n\nText.\n", "front matter"),
    ],
)
def test_a_part_holds_tables_and_words(tmp_path, text, fault):
    (tmp_path / "part.md").write_text(text, encoding="utf-8")
    faults = check_part(tmp_path / "part.md")
    assert (faults == []) if fault is None else any(fault in found for found in faults)


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        ("*[AUC]: Area under the curve: above 0.5, at best (say) 1", True),
        ("*[AUC]: <b>Area</b>", False),
        ("*[AUC]: see [here](x.md)", False),
        ("*[AUC]: `area`", False),
        ("*[AUC]: &lt;area&gt;", False),
        ('*[AUC]: an "area"', False),
        ("*[<b>]: Area", False),
        ("AUC is an area", False),
        ("# AUC", False),
    ],
)
def test_a_term_that_shows_on_hover_is_plain_words(tmp_path, line, sound):
    (tmp_path / "includes").mkdir()
    path = tmp_path / "includes/abbreviations.md"
    path.write_text(f"*[CTR]: Click-through rate\n{line}\n", encoding="utf-8")
    assert (check_part(path) == []) == sound


PYTHON = {
    "indented whole": "    import os\n    print(os)",
    "a prompt": ">>> 1 + 1\n2",
    "a notebook's prompt": "In [1]: import os",
    "a notebook's prompt without a number": "In []: x",
    "print of Python 2": "print x",
    "an ellipsis inside": "import os\n…",
    "a no-break space inside": "x\N{NO-BREAK SPACE}= 1",
    "augmented assignment": "x += 1",
    "while": "while x:\n    x",
    "assert": "assert x",
    "async def": "async def f():\n    pass",
    "annotated assignment": "x: int = 1",
    "a function that breaks off": "def f(x):\n    return x +\n",
    "one line among words": "First this.\nfrom os import path\n",
    "call": "f(1)",
    "lambda": "lambda x: x",
    "walrus": "(x := 1)",
    "delete": "del x",
    "class": "class A:\n    pass",
    "try": "try:\n    x\nexcept ValueError:\n    y",
    "match": "match x:\n    case 1:\n        y",
    "raise": "raise ValueError('x')",
}


@pytest.mark.parametrize("code", PYTHON.values(), ids=PYTHON)
def test_python_without_a_label_is_seen(code):
    assert looks_like_python(code)


@pytest.mark.parametrize(
    "words",
    [
        "make test",
        "make serve    # builds the guide",
        "git clone https://example.org/guide.git",
        "SELECT day, AVG(click) FROM log GROUP BY day",
        "WITH late AS (SELECT 1) SELECT * FROM late",
        "0.351",
        "before 0.351",
        "",
    ],
)
def test_what_is_no_python_is_left_alone(words):
    assert not looks_like_python(words)


def test_the_names_of_python_are_those_of_all_that_looks_like_it():
    names = {
        "python",
        "py",
        "python3",
        "pycon",
        "ipython",
        "numpy",
        "cython",
        "sage",
        "mojo",
        "starlark",
        "bazel",
        "pyi",
    }
    assert names <= python_names()
    assert not {"text", "console", "sql", "output"} & python_names()


def test_the_command_checks_what_it_is_asked_to(capsys):
    assert main([str(ROOT / "README.md"), str(ROOT / "docs/labs/leakage_clinic.py")]) == 0
    assert capsys.readouterr().out == "guard: 2 pages show nothing that does not run\n"
    assert main([str(ROOT / "docs/nothing.md")]) == 2
    assert "docs/nothing.md" in capsys.readouterr().err


def test_a_snippet_or_a_test_that_is_named_is_checked_with_the_page(monkeypatch, capsys):
    faults = [
        "snippets/evaluation/drift.py:3: dead",
        "tests/evaluation/test_drift.py:4: asserts nothing",
        "other.py:1: x",
    ]
    monkeypatch.setattr("tools.guards.__main__.check_sources", lambda: faults)
    named = ("docs/evaluation/drift.md", "snippets/evaluation/drift.py", "tests/evaluation/test_drift.py")
    assert main([str(ROOT / name) for name in named]) == 1
    assert capsys.readouterr().out.splitlines() == faults[:2]
    assert main([str(ROOT / named[0])]) == 0
    assert capsys.readouterr().out == "guard: 1 page shows nothing that does not run\n"


def test_fences_are_found_where_the_renderer_finds_them():
    assert [(f.line, f.end, f.info) for f in fences(SOUND)] == [
        (3, 5, "python"),
        (9, 11, "text"),
        (17, 19, "python"),
        (23, 25, "text"),
        (27, 29, "py"),
        (31, 38, "console"),
        (40, 44, 'python exec="on" html="on"'),
        (46, 48, "sql"),
    ]
