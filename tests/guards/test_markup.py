"""Every way to write what a page may not say, planted, and refused on its line."""

import pytest

from tools.guards.fences import ROOT
from tools.guards.markup import check_distinct, check_html, check_meta, without_pictures
from tools.guards.pages import check_descriptions, check_page

SOUND = """# A page with `<code>` & more

<div class="breath" markdown>

"Say **this** of $a < b$, and `<div hidden>`."

</div>

A [link](../goal.md#why), [one outside](https://example.org/a?b=c#d), [mail](mailto:a@example.org) and
[a button](study.md){ .md-button .md-button--primary }. A note[^1]. An AUC.

[^1]: Below.

## A heading {#he-2014}

| Left | Right |
|:-----|------:|
| 1 | 2 |

!!! note "Mind this"

    - A list
    1. and another

??? card late-clicks "Why?"

    Because.

=== "A tab"

    > A quote.

Term
:   Its meaning.

$$
\\\\frac{1}{2} < x
$$

<!--pytest-codeblocks:expected-output-->
"""


def test_what_a_page_may_say_passes():
    assert list(check_html(SOUND)) == []


PLANTS = {
    "a link over two lines of a term": "A paper, [the\nplace](https://example.org/a)\n\n:   What it says.",
    "hidden": "<div hidden>x</div>",
    "hidden with a class": '<div class="breath" hidden markdown>\n\nx\n\n</div>',
    "style": '<div style="display:none">x</div>',
    "style on a span": 'a <span style="display:none">x</span>',
    "style in a cell": '<table><tr><td style="white-space: pre">x</td></tr></table>',
    "style by attributes": "Text.\n{ style=display:none }",
    "white space kept": '<p style="white-space:pre">import os</p>',
    "xmp": "<xmp>import os</xmp>",
    "samp": "<samp>import os</samp>",
    "kbd": "a <kbd>import os</kbd>",
    "listing": "<listing>import os</listing>",
    "plaintext": "<plaintext>import os",
    "textarea": "<textarea>import os</textarea>",
    "tt": "a <tt>x</tt>",
    "pre": "<pre>import os</pre>",
    "pre, capitals": "<PRE>import os</PRE>",
    "pre in a div": '<div class="breath">\n<pre>import os</pre>\n</div>',
    "code by hand": "a <code>import os</code>",
    "code behind an escaped backtick": "\\`<code>import os</code>\\`",
    "indented": "Text.\n\n    import os\n    print(os)",
    "indented in a list": "- item\n\n        import os",
    "script": "<script>alert(1)</script>",
    "script, unclosed": "<script>alert(1)",
    "script behind an escaped backtick": "\\`<script>alert(1)</script>`",
    "script in a div": '<div class="breath">\n<script>alert(1)</script>\n</div>',
    "script in a div with Markdown": '<div class="breath" markdown>\n\n<script>alert(1)</script>\n\n</div>',
    "script in a paragraph": "Words <script src=x.js></script> words.",
    "script between unlike backticks": "``a` <script>alert(1)</script> `b``` c",
    "image with a handler": "<img src=x onerror=alert(1)>",
    "image with slashes": "a <img/src=x/onerror=alert(1)>",
    "image in Markdown": "![x](x.png)",
    "svg": "<svg onload=alert(1)></svg>",
    "iframe": "<iframe src=x></iframe>",
    "object": "<object data=x></object>",
    "form": '<form action="x"><button>x</button></form>',
    "details by hand": "<details ontoggle=alert(1) open>x</details>",
    "meta": '<meta http-equiv="refresh" content="0">',
    "link": '<link rel="stylesheet" href="x.css">',
    "style sheet": "<style>.breath { display: none }</style>",
    "base": '<base href="https://example.org/">',
    "template": "<template>x</template>",
    "unknown tag": "<x-y>x</x-y>",
    "line break": "a<br>b",
    "handler": '<div class="breath" onclick="alert(1)">x</div>',
    "handler by attributes": "Text.\n{ onclick=alert(1) }",
    "handler on a link": "[x](y.md){ onclick=alert(1) }",
    "handler on code": "`x`{ onclick=alert(1) }",
    "handler on a heading": "## Title { onmouseover=alert(1) }",
    "handler on emphasis": "**x**{ onfocus=alert(1) tabindex=0 }",
    "hidden by attributes": "Text.\n{ hidden=hidden }",
    "hiding class by attributes": "Text.\n{ .md-visually-hidden }",
    "hiding class of a div": '<div class="md-visually-hidden">x</div>',
    "hiding class beside a known one": '<div class="breath md-visually-hidden">x</div>',
    "hiding class of an admonition": '!!! note md-visually-hidden "x"\n\n    x',
    "class that the theme shows on hover": "[x](y.md){ .headerlink }",
    "class that looks like a block": '<div class="highlight">x</div>',
    "javascript": "[x](javascript:alert(1))",
    "javascript, capitals": "[x](JavaScript:alert(1))",
    "javascript with a blank": "[x](<java\tscript:alert(1)>)",
    "javascript as an entity": "[x](&#106;avascript:alert(1))",
    "javascript by reference": "[x][y]\n\n[y]: javascript:alert(1)",
    "javascript by attributes": "[x](y.md){ href=javascript:alert(1) }",
    "javascript by hand": '<a href="javascript:alert(1)">x</a>',
    "javascript, automatic": "<javascript:alert(1)>",
    "data": "[x](data:text/html,<script>alert(1)</script>)",
    "vbscript": "[x](vbscript:x)",
    "file": "[x](file:///etc/hosts)",
    "http": "[x](http://example.org)",
    "another host without a scheme": "[x](//example.org/x)",
    "two of one attribute": '<a href="javascript:alert(1)" href="x.md">x</a>',
    "two of one attribute, both sound": '<a href="x.md" href="y.md">x</a>',
    "two classes": '<div class="highlight" class="breath">x</div>',
    "target": "[x](y.md){ target=_blank }",
    "id of the theme": "## Title { #__search }",
    "id on a paragraph": "Text.\n{ #x }",
    "data attribute": '<div class="breath" data-x="1">x</div>',
    "comment": "Text.\n\n<!-- import os -->",
    "comment in a line": "Text <!-- import os --> text.",
    "comment that no parser agrees on": "a <!--> <img src=x onerror=alert(1)> -->",
    "comment behind an escaped backtick": "\\`<!-- import os -->\\`",
    "processing instruction": "<?php import os ?>",
    "declaration": "<!DOCTYPE x>",
    "cdata": "a <![CDATA[ import os ]]>",
    "input": "<input type=text>",
    "end of the page's frame": "</div></article>",
    "end of the page's frame in a line": "a </article> b",
    "one end too many": '<div class="breath">x</div></div>',
    "one end too few": '<div class="breath">\n\nx\n',
    "tag in a tag": '<div class="breath" <img src=x onerror=alert(1)>>x</div>',
    "attribute without a blank": '<a href="x.md"onclick=alert(1)>x</a>',
    "attribute behind a form feed": "<div class=breath\x0conclick=alert(1)>x</div>",
    "attribute behind a slash": "<p/onclick=alert(1)>x</p>",
    "checked input with a handler": '<input type="radio" onfocus="alert(1)" autofocus>',
    "label with a handler": '<label for="x">x</label>',
    "unseen tag": "a \U000e0041 b",
    "blank letter": "a \N{HANGUL FILLER} b",
    "zero width": "a\u200bb",
    "turned round": "a\u202eb",
    "turned round in a fence": "```python\nx = 1  # \u202e\n```",
    "code in a formula": "$\\texttt{print(1)}$",
    "verbatim in a formula": "$$\n\\verb|import os|\n$$",
    "link in a formula": "$\\href{javascript:alert(1)}{x}$",
    "hidden in a formula": "$\\phantom{0.351}$",
    "comment in a formula": "$$\nx % 0.351\n$$",
    "definition in a formula": "$\\def\\x{1}\\x$",
    "missing include": '--8<-- "benchmarks/nothing.md"',
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_every_other_markup_is_refused(plant):
    assert list(check_html(f"# A page\n\n{plant}\n"))


@pytest.mark.parametrize("plant", ["<xmp>import os</xmp>", "[x](javascript:alert(1))", "Text.\n\n    import os\n"])
def test_the_fault_names_the_line(plant):
    ((line, _),) = check_html(f"---\ntitle: x\n---\n\n# A page\n\n{plant}\n")
    assert line == (9 if "import" in plant and "xmp" not in plant else 7)


@pytest.mark.parametrize(
    ("line", "sound"),
    [
        ('--8<-- "includes/abbreviations.md"', True),
        ('Text of `--8<-- "x"` in a line.', True),
        ('--8<-- "mkdocs.yml"', False),
        ('--8<-- "snippets/evaluation/calibration.py"', False),
        ('--8<-- "docs/index.md"', False),
        ('--8<-- "includes/../mkdocs.yml"', False),
        ('--8<-- "includes/abbreviations.md:1:2"', False),
        ('--8<-- "https://example.org/x.md"', False),
        ("--8<-- 'includes/abbreviations.md'", False),
        ('-8<- "includes/abbreviations.md"', False),
        ('---8<--- "mkdocs.yml"', False),
        ('  ;--8<-- "mkdocs.yml"', False),
        ("--8<--\nmkdocs.yml\n--8<--", False),
        ('- --8<-- "mkdocs.yml"', True),  # no include: it does not begin its line
    ],
)
def test_prose_includes_tables_and_terms_alone(tmp_path, line, sound):
    page = tmp_path / "page-of-tables.md"
    page.write_text(f"# A page\n\n{line}\n", encoding="utf-8")
    assert (check_page(page) == []) == sound


META = {
    "title": "A page",
    "description": f"{'What the page finds, then what it covers. ' * 3}",
    "section": "Evaluation & Deployment",
    "minutes": 3,
    "tags": ["a"],
}


def test_plain_front_matter_passes():
    assert list(check_meta({**META, "snippets": ["snippets/evaluation/calibration.py"], "hide": ["toc"]})) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title", "A <script>alert(1)</script>"),
        ("title", "A &lt;b&gt;"),
        ("title", "A &amp; B"),
        ("title", "A `b`"),
        ("title", "{{ config.site_name }}"),
        ("title", "{% include 'x' %}"),
        ("title", "A\nB"),
        ("title", ""),
        ("title", "A title that a search engine cuts off at its end,"),
        ("title", 3),
        ("title", ["A"]),
        ("description", 'An "attribute'),
        ("description", "</title>"),
        ("description", "*starred*"),
        ("description", None),
        ("description", "One sentence."),
        ("description", "A description that nobody reads to its end. " * 4),
        ("section", "Anything"),
        ("section", "<b>Modeling</b>"),
        ("minutes", "3"),
        ("minutes", True),
        ("minutes", 3.5),
        ("minutes", -1),
        ("minutes", 60),
        ("tags", "a"),
        ("tags", ["<b>"]),
        ("tags", [1]),
        ("snippets", ["snippets/evaluation/nothing.py"]),
        ("snippets", ["tools/guards/pages.py"]),
        ("snippets", "snippets/evaluation/calibration.py"),
        ("hide", ["footer"]),
        ("hide", True),
        ("template", "other.html"),
        ("search", {"exclude": True}),
        ("render_macros", True),
        ("nav_title", "x"),
    ],
)
def test_other_front_matter_is_refused(key, value):
    assert [found for found, _ in check_meta({**META, key: value})] == [key]


@pytest.mark.parametrize(
    ("second", "shared"),
    [
        ("A shelf: a worked answer from the first question on.", "a worked answer from the first"),
        ("A shelf: a worked answer from the last question on.", ""),
        ("Ads.", ""),
    ],
)
def test_descriptions_are_each_about_their_page(second, shared):
    first = "The feed, a worked answer from the first question to the last."
    faults = [(page, what.split("'")[1]) for page, what in check_distinct({"feed": first, "shelf": second})]
    assert faults == [("shelf", shared)] * bool(shared)


def test_all_descriptions_of_the_guide_are():
    assert check_descriptions() == []


def front_matter_faults(tmp_path, text):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return check_page(page)


def test_front_matter_that_yaml_cannot_read_is_told_from_missing_keys(tmp_path):
    (fault,) = front_matter_faults(tmp_path, "---\nminutes: 1\ntitle: Lift: how\n---\n\n# A page\n")
    assert ":3: the front matter is no YAML: mapping values are not allowed here" in fault


def test_a_page_below_docs_needs_its_front_matter(tmp_path):
    (fault,) = front_matter_faults(tmp_path, "---\ntitle: x\n---\n\n# A page\n")
    assert "lacks description, minutes, section, tags" in fault


@pytest.mark.parametrize(
    "text",
    [
        "# A page\n",
        "title: x\nsection: Modeling\n\n# A page\n",
        "\n---\ntitle: x\n---\n\n# A page\n",
        "---\ntitle: [x\n---\n\n# A page\n",
        "---\n- x\n---\n\n# A page\n",
        "\N{BYTE ORDER MARK}---\ntitle: x\n---\n\n# A page\n",
    ],
)
def test_it_has_the_one_form_that_the_guard_reads(tmp_path, text):
    assert front_matter_faults(tmp_path, text)


def test_what_stands_in_the_template_passes():
    assert check_page(ROOT / "templates/page.md") == []


WRITTEN_BY_HAND = {
    "tabs with nothing chosen": '<div class="tabbed-set tabbed-alternate" markdown>\n\nx\n\n</div>',
    "a formula around it": '<div class="arithmatex" markdown>\n\nx\n\n</div>',
    "cards that were not gathered": '<div class="all-cards" markdown>\n\nx\n\n</div>',
    "a place that is not empty": '<div class="overview">x</div>',
    "a claim of the proof": '<p class="proof-total">All 9999 Python blocks ran.</p>',
    "the same by an attribute": "All 9999 Python blocks ran.\n{ .proof-total }",
    "a card by hand": '<details class="card" markdown><summary>Q</summary></details>',
    "words on hover": 'An <abbr title="import os; print(1)">AUC</abbr>.',
    "words on hover of a link": '[x](y.md "print(0.351)")',
    "a term of the page's own": "*[clicks]: import os; print(0.351)",
    "a heading": "<h2>x</h2>",
    "an address that is none": "<http://example.org/>",
    "upper case": '<DIV CLASS="breath" MARKDOWN>\n\nx\n\n</DIV>',
}


@pytest.mark.parametrize("plant", WRITTEN_BY_HAND.values(), ids=WRITTEN_BY_HAND)
def test_html_by_hand_is_a_box_and_nothing_else(tmp_path, plant):
    page = tmp_path / "planted.md"
    page.write_text(f"# A page\n\nText.\n\n{plant}\n", encoding="utf-8")
    assert any(":5: " in fault for fault in check_page(page))


def test_a_box_around_markdown_and_a_place_for_what_is_gathered_pass(tmp_path):
    page = tmp_path / "planted.md"
    box = (
        '<div class="breath" markdown>\n\nSay it.\n\n</div>\n\n<div class="overview"></div>\n\n<https://example.org/>\n'
    )
    page.write_text(f'# A page\n\n{box}\n<p class="proof-total"></p>\n', encoding="utf-8")
    assert check_page(page) == []


PICTURE = """<picture>
  <source media="(prefers-color-scheme: dark)" srcset=".github/pictures/home-dark.webp">
  <img src=".github/pictures/home-light.webp" alt="The home page.">
</picture>"""


def test_the_readme_shows_pictures_that_commands_make_and_the_state_of_ci():
    badges = "[![CI](../../actions/workflows/ci.yml/badge.svg)](../x)\n![a: 1](.github/pictures/a.svg)"
    text = f"# T\n\n{badges}\n\n{PICTURE}\n\nEnd"
    assert without_pictures(text) == "# T\n\n[CI](../x)\na: 1\n\n\n\n\n\n\nEnd"


@pytest.mark.parametrize(
    "text",
    [
        PICTURE.replace(".github/pictures/home-dark.webp", "https://example.org/x.webp"),
        PICTURE.replace('alt="The', 'onload="x" alt="The'),
        PICTURE.replace(".webp", ".html"),
        "![x](https://example.org/badge.svg)",
        "![x](../../actions/workflows/other.yml/badge.svg)",
        "![x](.github/pictures/../../x.svg)",
        '<img src=".github/pictures/a.svg">',
    ],
)
def test_the_readme_shows_no_other_picture(text):
    assert without_pictures(text) == text
    assert list(check_html(text))


def test_a_page_shows_no_picture_that_the_readme_may_show(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# T\n\n{PICTURE}\n")
    assert check_page(page)
