"""Markdown twins: a small page and a small notebook, as a program reads them."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from tools.builders.twins import fill, gathered, plain, twin

PAGE = """---
title: Lift
---

# Lift { #lift }

<div class="breath" markdown>

"Said aloud."

</div>

```py
--8<-- "includes/abbreviations.md"
```

```python
print({ "a": 1 })


print(2)
```

<!--pytest-codeblocks:expected-output-->

```text
{'a': 1}
```

```python exec="on" html="on"
from figures.x import y

print(y())
```

??? question "Why?"

    Because of [drift](../x/drift.md#kinds), see [a paper](https://a.example/b) or [above](#lift).

    ```console
    make test
    ```

??? right "Yes"

    So it is.

??? exercise lift "Write lift, 2 min"

    Divide.

??? hint "the idea"

    A ratio.

<div class="all-cards"></div>

<div class="overview"></div>

After.
"""
SHOWN = """<figure class="plot"><svg aria-label="A line rises."></svg><figcaption>It rises.</figcaption></figure>
<div class="all-cards"><h2>Cards <small>2</small></h2><details class="card"><summary>Q?</summary>
<p>See <a href="../">the <code>x</code></a>.</p></details></div>"""
NOTEBOOK = """# %% [markdown]
# # Lab
#
# See [drift](x/drift.md).

# %%
a = 1
print(a)

# %% [markdown]
# Then:

# %%
draw()
"""
RAN = """<h1>Lab</h1><div class="language-python highlight"><pre>a = 1\nprint(a)\n</pre></div>
<div class="language-text highlight"><pre>1\n</pre></div><p>Then:</p>
<div class="language-python highlight"><pre>draw()\n</pre></div>
<figure class="plot evidence"><div class="claim holds"><p>It holds.</p><p><strong>Held in 2 of 2.</strong>
<svg class="ticks" aria-label="2 runs"></svg> 0.1 <a href="#x">The runs</a></p></div></figure>"""


class Files:
    """Knows one page."""

    def get_file_from_path(self, path):
        return {"x/drift.md": SimpleNamespace(url="x/drift/"), "index.md": SimpleNamespace(url="./")}[path]


@pytest.fixture
def config():
    return SimpleNamespace(site_url="https://example.org/", copyright="CC BY")


def made(folder, name, source, content, config):
    path = folder / name
    path.write_text(source, encoding="utf-8")
    file = SimpleNamespace(src_uri=f"evaluation/{name}", abs_src_path=str(path))
    url = "https://example.org/evaluation/lift/"
    page = SimpleNamespace(file=file, content=content, canonical_url=url, meta={"description": "1 &lt; 2."})
    return twin(page, config, Files())


def test_a_twin_is_the_page_with_what_the_build_puts_there(tmp_path, config):
    text = made(tmp_path, "lift.md", PAGE, SHOWN, config)
    assert text.startswith("# Lift\n\n> 1 < 2.\n\nFrom <https://example.org/evaluation/lift/>. CC BY.\n")
    assert '\n\n"Said aloud."\n\n' in text
    assert "*[CTR]: click-through rate" in text.split("```python\n")[1].lower().replace("*[ctr]", "*[CTR]")
    assert "```python\nprint({ \"a\": 1 })\n\n\nprint(2)\n```\n\nPrints:\n\n```text\n{'a': 1}\n```\n" in text
    assert "\n*Figure: A line rises.*\n\nIt rises.\n" in text
    assert "\n**Why?**\n\nBecause of [drift](https://example.org/x/drift/#kinds), see" in text
    assert "\n[a paper](https://a.example/b)" in text.replace("see [", "\n[")
    assert "[above](https://example.org/evaluation/lift/#lift)" in text
    assert "\n```console\nmake test\n```\n\n**Right: Yes**\n\nSo it is.\n" in text
    assert "\n**Exercise: Write lift, 2 min**\n\nDivide.\n\n**Hint: the idea**\n\nA ratio.\n" in text
    assert "\n## Cards 2\n\n**Q?**\n\nSee [the `x`](https://example.org/evaluation/).\n\nAfter.\n" in text
    for left in ("<div", "</div", "8<", "exec=", "figures.x", "{ #", "???", "---"):
        assert left not in text


def test_a_twin_of_a_notebook_has_what_each_cell_showed(tmp_path, config):
    config.site_url = "https://example.org/"
    text = made(tmp_path, "lab.py", NOTEBOOK.replace("x/drift", "../x/drift"), RAN, config)
    assert "\n\nSee [drift](https://example.org/x/drift/).\n\n```python\na = 1\nprint(a)\n```\n\nPrints:\n" in text
    assert "\n```text\n1\n```\n\nThen:\n\n```python\ndraw()\n```\n\nIt holds.\n\nHeld in 2 of 2. 0.1\n" in text


def test_code_and_formulas_stay_as_they_are_written(tmp_path, config):
    kept = "`f[0](y)`, `{ .x }`, ``a ` [b](c)``, $\\{ .5, 1\\}$ and $x_{ #n }$"
    source = f"# T\n\n{kept} but not [this](../x/drift.md){{ .md-button }}, for $5 [or](../x/drift.md) $6.\n"
    text = made(tmp_path, "lift.md", source, "", config)
    to = "https://example.org/x/drift/"
    assert text.endswith(f"{kept} but not [this]({to}), for $5 [or]({to}) $6.\n")


def test_a_figure_keeps_its_numbers_and_a_plan_its_minutes(tmp_path, config):
    source = """# T

<div class="plan" markdown>

## One day

- [Lift](../x/drift.md)
- [Other](../x/drift.md)

</div>

- [Outside](../x/drift.md)

```python exec="on" html="on"
from figures.x import y

print(y())
```
"""
    content = """<div class="plan"><h2>One day<span class="reading">9 min</span></h2>
<ul><li><a href="#">Lift</a><span class="reading">9 min</span></li><li><a href="#">Other</a></li></ul></div>
<figure class="plot"><svg aria-label="A line."></svg><figcaption>It rises.</figcaption>
<details class="numbers"><summary>Numbers</summary><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr>
</tbody></table></details></figure>"""
    lines = made(tmp_path, "lift.md", source, content, config).split("\n")
    assert "## One day (9 min)" in lines
    assert "- [Lift](https://example.org/x/drift/) (9 min)" in lines
    assert "- [Other](https://example.org/x/drift/)" in lines
    assert "- [Outside](https://example.org/x/drift/)" in lines
    assert lines[lines.index("| a |") :][:3] == ["| a |", "|---|", "| 1 |"]


def test_what_the_proof_fills_waits_for_it():
    source = 'a\n<div class="proof-pages"></div>\n<div class="overview"></div>\nb'
    waiting = "\n".join(fill(source, BeautifulSoup("", "html.parser")))
    assert waiting == 'a\n<div class="proof-pages"></div>\nb'
    proved = '<div class="proof-pages"><table><tr><th><a href="../x/">X</a></th><td>2</td></tr></table></div>'
    filled = list(fill(waiting, plain(BeautifulSoup(proved, "html.parser"), "https://example.org/proof/")))
    assert filled == ["a", "", "| [X](https://example.org/x/) | 2 |", "|---|---|", "", "b"]


def test_two_tables_are_two_and_a_row_of_heads_ends_no_table():
    row = "<tr><th>A</th><td>1</td></tr>"
    tables = f"<table><tbody>{row}{row}</tbody></table>" * 2
    assert gathered(BeautifulSoup(tables, "html.parser")) == [*["", "| A | 1 |", "|---|---|", "| A | 1 |"] * 2, ""]


def test_tables_stay_tables():
    table = "<table><thead><tr><th>A</th><th>B</th></tr></thead><tbody><tr><td>1</td><td>2 <em>3</em></td></tr></tbody>"
    assert gathered(BeautifulSoup(f"<p>x</p>{table}</table>", "html.parser")) == [
        *("", "x", "", "| A | B |", "|---|---|", "| 1 | 2 3 |", "")
    ]


def test_an_incident_has_its_charts_in_words():
    chart = '<figure class="plot"><svg aria-label="A line falls."></svg></figure>'
    soup = plain(BeautifulSoup(f'<div class="incident"><p>It fell.</p>{chart}</div>', "html.parser"), "https://a.b/c/")
    assert [line for line in gathered(soup.div) if line] == ["It fell.", "*Figure: A line falls.*"]
