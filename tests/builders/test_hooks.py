import sys
from types import SimpleNamespace
from unittest import mock

import pytest
from bs4 import BeautifulSoup
from mkdocs.exceptions import PluginError

from tools.builders import hooks
from tools.builders.hooks import on_pre_build, plain


def notebook(*cells):
    return f'<style>big</style><script>ask()</script><div class="jp-Notebook">{"".join(cells)}</div>'


def code(source, *outputs):
    shown = "".join(f'<div class="jp-OutputArea-output" data-mime-type="{k}">{v}</div>' for k, v in outputs)
    area = f'<div class="jp-InputArea"><clipboard-copy></clipboard-copy><pre><span></span>{source}\n</pre></div>'
    return f'<div class="jp-Cell jp-CodeCell" id="cell-id=1a2b">{area}{shown}</div>'


TEXT = (
    '<div class="jp-Cell jp-MarkdownCell" id="cell-id=3c4d"><div class="jp-RenderedMarkdown">'
    '<h1 id="t">T<a class="anchor-link" href="#t">¶</a></h1></div></div>'
)


def test_the_code_of_a_notebook_has_elements_for_what_is_coloured_alone():
    words = '<span class="kn">import</span><span class="w"> </span><span class="n">x</span><span class="p">,</span>'
    html = plain(notebook(code(f'{words} <span class="nb">y</span>')))
    assert '<span class="kn">import</span> x<span class="p">,</span> <span class="nb">y</span>' in html


@pytest.mark.parametrize(("name", "found"), [("labs/a.py", ["lab", "quiz"]), ("labs.md", ["quiz"])])
def test_the_stylesheet_is_told_what_kind_of_page_it_is(name, found):
    page = SimpleNamespace(content='<details class="right">', meta={}, file=SimpleNamespace(src_uri=name))
    assert hooks.kinds(page) == found


def test_a_notebook_keeps_what_it_says_and_loses_the_rest():
    html = plain(notebook(TEXT, code("x = 1", ("text/plain", "<pre>1\n</pre>"), ("text/html", "<b>2</b>"))))
    assert html == (
        '<h1 id="t">T<a class="headerlink" href="#t">¶</a></h1>\n'
        '<div class="language-python highlight"><pre><span></span><code>x = 1\n</code></pre></div>\n'
        '<div class="language-text highlight"><pre><span></span><code>1\n</code></pre></div>\n'
        "<b>2</b>"
    )


def test_what_was_printed_in_pieces_is_one_output():
    pieces = [("text/plain", "<pre>a &lt;</pre>"), ("text/plain", "<pre>b\nc\n</pre>"), ("text/html", "<b>2</b>")]
    html = plain(notebook(code("x", *pieces, ("text/plain", "<pre>d\n</pre>"))))
    assert html.split("\n", 2)[2] == (
        '<div class="language-text highlight"><pre><span></span><code>a &lt;b\nc\n</code></pre></div>\n'
        "<b>2</b>\n"
        '<div class="language-text highlight"><pre><span></span><code>d\n</code></pre></div>'
    )


def test_a_result_is_an_output_of_its_own():
    result = '<div class="jp-OutputArea-output jp-OutputArea-executeResult" data-mime-type="text/plain">'
    cell = code("x", ("text/plain", "<pre>a\n</pre>")).removesuffix("</div>") + f"{result}<pre>1</pre></div></div>"
    assert plain(notebook(cell)).count("language-text") == 2


@pytest.mark.parametrize("kind", ["application/vnd.jupyter.stderr", "image/png", ""])
def test_an_output_of_another_kind_stops_the_build(kind):
    with pytest.raises(PluginError, match="print text, or show HTML"):
        plain(notebook(code("x = 1", (kind, "<pre>1</pre>"))))


def test_figures_are_drawn_with_fresh_modules():
    with mock.patch.dict(sys.modules):  # the tests that follow keep the modules they have imported
        import figures.evaluation

        before = figures.evaluation
        on_pre_build(config=None)
        assert "figures.evaluation" not in sys.modules
        import figures.evaluation

        assert figures.evaluation is not before


def test_reading_takes_words_and_lines_of_code_but_not_outputs():
    prose = f"<p>{'word ' * 400}</p>"
    code = f'<div class="language-python highlight"><pre>{("x" * 30 + chr(10)) * 41}</pre></div>'
    output = f'<div class="language-text highlight"><pre>{"1 2 3" + chr(10) * 500}</pre></div>'
    drawing = f"<svg><text>{'label ' * 500}</text></svg>"
    numbers = f'<figure class="plot explore"><details class="numbers"><table>{"1 " * 500}</table></details></figure>'
    assert hooks.reading_minutes(prose) == 2
    assert hooks.reading_minutes(prose + drawing + numbers + output) == 2
    assert hooks.reading_minutes(prose + code) == 5  # 41 lines of 30 signs take 2.05 minutes
    assert hooks.reading_minutes("") == 0


@pytest.mark.parametrize(
    "folded",
    [f'<details class="{kind}">{{}}</details>' for kind in ("abstract", "exercise", "hint")]
    + [f'<div class="{kind}">{{}}</div>' for kind in ("all-cards", "all-prompts")],
)
def test_what_is_folded_to_look_up_or_to_practise_is_not_read_through(folded):
    code = f'<div class="language-py highlight"><pre>{"x = 1" * 5000}</pre></div>'
    assert hooks.reading_minutes("<p>word</p>" + folded.format(f"<p>{'word ' * 4000}</p>" + code)) == 1
    assert hooks.reading_minutes(f"<details class='question'>{'word ' * 400}</details>") == 2


def test_the_mock_interview_takes_as_long_as_an_interview():
    pages = [SimpleNamespace(content=f'<div class="{name}">x</div>') for name in ("all-prompts", "all-cards")]
    assert [hooks.is_mock(page) for page in pages] == [True, False]


PLAN = """<div class="plan"><h2 id="a">One day<a class="headerlink" href="#a">#</a></h2>
<ul><li><a href="../problem/goal/">Goal</a></li></ul><p>Then:</p><ul><li><a href="../">Start</a></li></ul>
<h2>One week</h2><ul><li><a href="../problem/goal/">Goal</a></li></ul></div>"""


@pytest.mark.parametrize(
    ("command", "site", "made"), [("build", "https://a.example/", 4), ("serve", "x", 0), ("build", "", 0)]
)
def test_what_no_page_shows_is_made_for_a_site_that_has_an_address_and_is_not_being_written(
    tmp_path, monkeypatch, command, site, made
):
    written = []
    monkeypatch.setattr(hooks, "serving", False)
    monkeypatch.setattr(hooks, "write_archive", lambda site: None)
    monkeypatch.setattr(hooks.practice, "anki", lambda *arguments: b"")
    monkeypatch.setattr(hooks.search, "write", lambda *arguments: None)
    for module in (hooks.share, hooks.twins, hooks.feed, hooks.epub):
        monkeypatch.setattr(module, "write", lambda *arguments: written.append(arguments) or b"")
    (tmp_path / "practice").mkdir()
    hooks.on_startup(command, dirty=False)
    extra = {"deck": [], "files": [], "pages": {}, "notebooks": {}}
    hooks.on_post_build(SimpleNamespace(site_dir=tmp_path, site_url=site, extra=extra))
    assert len(written) == made


def test_a_plan_gets_the_minutes_of_its_pages_and_their_sum():
    soup = BeautifulSoup(hooks.plan(PLAN, "study/", {"problem/goal/": 55, "": 8}, {}), "html.parser")
    assert [li.text for li in soup.select("li")] == ["Goal55 min", "Start8 min", "Goal55 min"]
    assert [h2.select_one(".reading").text for h2 in soup.select("h2")] == ["1 h 3 min", "55 min"]
    assert soup.h2.contents[0] == "One day"


def test_a_link_to_a_part_of_a_page_counts_as_the_page():
    soup = BeautifulSoup(
        hooks.plan(PLAN.replace('goal/"', 'goal/#label"'), "study/", {"problem/goal/": 55, "": 8}, {}), "html.parser"
    )
    assert [li.text for li in soup.select("li")] == ["Goal55 min", "Start8 min", "Goal55 min"]


def test_a_page_to_look_things_up_counts_no_minutes():
    soup = BeautifulSoup(hooks.plan(PLAN, "study/", {"problem/goal/": 55, "": 0}, {}), "html.parser")
    assert [li.text for li in soup.select("li")] == ["Goal55 min", "Start", "Goal55 min"]


def test_a_case_study_in_a_plan_is_told_by_its_title():
    pages = {"problem/goal/": 55, "": 8}
    soup = BeautifulSoup(hooks.plan(PLAN, "study/", pages, {"problem/goal/": "R & D"}), "html.parser")
    assert [item.get("data-case") for item in soup.select("li")][:2] == ["R & D", None]


def test_a_plan_that_names_no_page_of_the_site_is_refused():
    with pytest.raises(KeyError):
        hooks.plan(PLAN, "study/", {"problem/goal/": 55}, {})


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p>"I watch\n<abbr title="x">NE</abbr>."</p>', '<p>“I watch\n<abbr title="x">NE</abbr>.”</p>'),
        ('<p>"One."</p>\n<p>Two."</p>', '<p>“One."</p>\n<p>Two.”</p>'),
        ('<p>No "speech" at all.</p>', '<p>No "speech" at all.</p>'),
    ],
)
def test_what_is_said_aloud_stands_in_typographic_quotes(html, expected):
    box = '<div class="breath">\n{}\n</div><p>"x"</p>'
    assert hooks.SAID.sub(r"\1“\2”\3", box.format(html)) == box.format(expected)
