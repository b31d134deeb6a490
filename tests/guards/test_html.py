"""The lists over the built HTML: a sound page passes, each plant is refused and named."""

import json
import re
from pathlib import Path

import material
import pytest
from markdown import markdown

from tools.guards.html import check, policy, with_policy

CONFIG = dict.fromkeys(("annotate", "features", "tags", "translations", "version")) | {
    "base": "..",
    "search": "../assets/javascripts/workers/search.js",
}
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M4 19v1z"/></svg>'
THEME = Path(material.__file__).parent / "templates/partials/javascripts"
SCRIPT = re.sub(r"\{\{.*?\}\}", "..", re.search("<script>.*</script>", (THEME / "base.html").read_text())[0])
TABS = (
    '<div class="tabbed-set tabbed-alternate" data-tabs="1:1"><input checked="checked" id="__tabbed_1_1" '
    'name="__tabbed_1" type="radio" /><div class="tabbed-labels"><label for="__tabbed_1_1">A</label></div>'
    '<div class="tabbed-content"><div class="tabbed-block"><p>B</p></div></div></div>'
)
FOOTNOTE = (
    '<p>A<sup id="fnref:1"><a class="footnote-ref" href="#fn:1">1</a></sup></p><div class="footnote"><hr /><ol>'
    '<li id="fn:1"><p>B&#160;<a class="footnote-backref" href="#fnref:1" title="Jump back">&#8617;</a></p></li></ol>'
    "</div>"
)
FIGURE = (
    '<figure class="plot"><svg role="img" aria-label="a &lt; b" viewBox="0 0 9 9"><defs><clipPath id="f-c"><rect x="1" '
    'y="1" width="2" height="2"/></clipPath><path id="f-m" d="M0 0" fill="none"/></defs><use xlink:href="#f-m" x="1" '
    'y="2"/><a href="../drift/"><text x="1" y="1" clip-path="url(#f-c)">A</text></a></svg>'
    "<figcaption>B</figcaption></figure>"
)
KNOBS = (
    '<figure class="plot explore" id="explore-a" data-grid="{&quot;says&quot;:&quot;p &lt; 1&quot;}"><svg '
    'viewBox="0 0 9 9"><path d="M0 0"/></svg><p class="explore-says">A</p><figcaption>B</figcaption><details '
    'class="numbers"><summary>C</summary><div data-search-exclude><table><tbody><tr><th>a</th><td>1</td></tr></tbody>'
    "</table></div></details></figure>"
)
BODY = (
    '<div class="where p4"><nav aria-label="Phases"><ol class="phases"><li class="p4"><a class="seg" '
    'aria-current="step" href="../#modeling">Modeling</a></li></ol></nav></div><h1 id="lift">Lift<a '
    'class="headerlink" href="#lift" title="Link to this section">¶</a></h1><ul class="facts"><li><a class="proof" '
    'href="../proof.json">1 block run</a></li><li><a '
    'href="https://colab.research.google.com/github/a/b.c/blob/notebooks/lift.ipynb">Open in Colab</a></li></ul>'
    '<p>1 &lt; 2 <a href="https://a.example/b?c=d&amp;e">x'
    '</a> <a href="mailto:a@b.example">y</a> <abbr title="Click-through rate">CTR</abbr></p>'
    '<div class="language-python highlight"><pre><span></span><code><span class="n">x</span>\n</code></pre></div>'
    '<!--pytest-codeblocks:expected-output--><details class="card"><summary>Q</summary><p>A</p></details>'
    + FIGURE
    + KNOBS
    + TABS
    + FOOTNOTE
)


def page(body=BODY, title="Lift", head="", outside="", config=CONFIG):
    return (
        f'<!doctype html>\n<html lang="en" class="no-js">\n<head>\n<meta charset="utf-8"><title>{title}</title>\n'
        f'<link rel="stylesheet" href="../assets/css/site.css"><script src="../assets/js/site.js"></script>{SCRIPT}'
        f"{head}</head>\n"
        f'<body dir="ltr"><div class="md-sidebar" data-md-component="sidebar" hidden>{ICON}</div>{outside}<main '
        f'class="md-main"><article class="md-content__inner md-typeset">{body}</article></main>'
        f'<script id="__config" type="application/json">{json.dumps(config)}</script></body>\n</html>\n'
    )


def faults(site, html=None, name="lift/index.html", sealed=True):
    path = site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(with_policy(html) if sealed else html, encoding="utf-8")
    return check(site)


def test_a_sound_page_passes(tmp_path):
    assert faults(tmp_path, page()) == []


# What Markdown, an attribute list, a figure or a notebook could put into an article.
ARTICLE = {
    "hidden": ("<div hidden><pre>x</pre></div>", "no attribute 'hidden'"),
    "display none": ('<p style="display:none">x</p>', "no attribute 'style'"),
    "white space": ('<p style="white-space:pre">x = 1</p>', "no attribute 'style'"),
    "xmp": ("<xmp>x = 1</xmp>", "<xmp>: no such tag"),
    "samp": ("<samp>x = 1</samp>", "<samp>: no such tag"),
    "listing": ("<listing>x</listing>", "<listing>: no such tag"),
    "plaintext": ("<plaintext></plaintext>", "<plaintext>: no such tag"),
    "textarea": ("<textarea>x</textarea>", "<textarea>: no such tag"),
    "line break": ("<code>x = 1<br>y = 2</code>", "<br>: no such tag"),
    "template": ("<template><p>x</p></template>", "<template>: no such tag"),
    "noscript": ("<noscript><p>x</p></noscript>", "<noscript>: no such tag"),
    "inert class": ('<p class="md-toggle">x</p>', "no class 'md-toggle'"),
    "onclick": ('<p onclick="alert(1)">x</p>', "no attribute 'onclick'"),
    "upper case": ('<P OnClick="alert(1)">x</P>', "no attribute 'onclick'"),
    "attribute list": ('<h2 id="a" onmouseover="alert(1)">A</h2>', "no attribute 'onmouseover'"),
    "script": ("<script>alert(1)</script>", "<script>: no such tag"),
    "script in a div": ("<div><script>alert(1)</script></div>", "<script>: no such tag"),
    "script of ours": ('<script src="../assets/js/site.js"></script>', "no such tag"),
    "style": ("<style>pre{display:none}</style>", "<style>: no such tag"),
    "img": ('<img src="x" onerror="alert(1)">', "no such tag"),
    "iframe": ('<iframe srcdoc="x"></iframe>', "no such tag"),
    "object": ('<object data="x"></object>', "no such tag"),
    "base": ('<base href="https://a.example/">', "no such tag"),
    "refresh": ('<meta http-equiv="refresh" content="0">', "no such tag"),
    "link": ('<link rel="stylesheet" href="x.css">', "no such tag"),
    "form": ('<form action="https://a.example/"></form>', "no such tag"),
    "button": ('<button popovertarget="x">x</button>', "no such tag"),
    "custom element": ("<x-y>a</x-y>", "malformed"),
    "javascript": ('<a href="javascript:alert(1)">x</a>', "is no address"),
    "javascript in disguise": ('<a href=" Java&Tab;Script&colon;alert(1)">x</a>', "is no address"),
    "data": ('<a href="data:text/html,x">x</a>', "is no address"),
    "vbscript": ('<a href="vbscript:x">x</a>', "is no address"),
    "another host": ('<a href="//a.example/">x</a>', "is no address"),
    "another host by backslash": ('<a href="/\\a.example/">x</a>', "is no address"),
    "Colab in the text": (
        '<a href="https://colab.research.google.com/github/a/b/blob/notebooks/lift.ipynb">x</a>',
        "among the facts",
    ),
    "Colab with other notebooks": (
        '<ul class="facts"><li><a href="https://colab.research.google.com/github/a/b/blob/main/x.ipynb">x</a></li></ul>',
        "notebooks of this guide",
    ),
    "Colab by another name": (
        '<ul class="facts"><li><a href="https://colab.google/notebooks/lift.ipynb">x</a></li></ul>',
        "notebooks of this guide",
    ),
    "user": ('<a href="https://us@a.example/">x</a>', "is no address"),
    "ping": ('<a href="#lift" ping="https://a.example/">x</a>', "no attribute 'ping'"),
    "target": ('<a href="#lift" target="_blank">x</a>', "no attribute 'target'"),
    "svg onload": ('<svg onload="alert(1)"></svg>', "no attribute 'onload'"),
    "drawing of one's own": ('<svg viewBox="0 0 1 1"><text>x = 1</text></svg>', "<text>: no such tag"),
    "script in a figure": (FIGURE.replace("<defs>", "<defs><script>alert(1)</script>"), "<script>: no such tag"),
    "style in a figure": (FIGURE.replace("<defs>", "<defs><style>*{}</style>"), "<style>: no such tag"),
    "onload in a figure": (FIGURE.replace("<defs>", '<defs onload="x">'), "no attribute 'onload'"),
    "animation": (FIGURE.replace("<defs>", '<set attributeName="href"/><defs>'), "no such tag"),
    "HTML in a figure": (FIGURE.replace("<defs>", "<foreignObject></foreignObject><defs>"), "no such tag"),
    "hidden in a figure": (FIGURE.replace('x="1" y="1" c', 'display="none" c'), "no attribute 'display'"),
    "another drawing": (FIGURE.replace('"#f-m"', '"https://a.example/#m"'), "its own parts"),
    "another address": (FIGURE.replace("url(#f-c)", "url(https://a.example/#c)"), "no part of the drawing"),
    "link in a figure": (FIGURE.replace("../drift/", "javascript:alert(1)"), "is no address"),
    "markup in a title": ('<abbr title="&lt;img src=x onerror=alert(1)&gt;">CTR</abbr>', "a title is text"),
    "an id of Material's": ('<p id="__config">{}</p>', "is no id for an article"),
    "an id twice": ('<h2 id="lift">A</h2>', "the id 'lift' stands twice"),
    "the switch of the search": ('<label for="__search">x</label>', "is no for for an article"),
    "copy something else": ('<p data-clipboard-text="rm">x</p>', "no attribute 'data-clipboard-text'"),
    "a grid elsewhere": ('<p data-grid="{}">x</p>', "no attribute 'data-grid'"),
    "copied from elsewhere": ('<pre data-file="x">x</pre>', "no attribute 'data-file'"),
    "part of Material": ('<p data-md-component="search">x</p>', "no attribute 'data-md-component'"),
    "turned round": ("<p>x\u202e1 = x</p>", "unseen character, U+202E"),
    "turned round by name": ("<p>x&#8238;1 = x</p>", "unseen character, U+202E"),
    "zero width": ("<p>im\u200bport</p>", "unseen character, U+200B"),
    "link in a link": ('<a href="#lift"><em><a href="#lift">x</a></em></a>', "a link within a link"),
    # Parsers repair these, and not all in the same way.
    "out of the article": ("</article><div>x</div><article>", "2"),
    "out of order": ("<b><i>x</b></i>", "</b> closes <i>"),
    "never closed": ("<div>", "</article> closes <div>"),
    "closes nothing": ("</p>", "</p> closes <article"),
    "closes itself": ("<div/>x", "closes itself"),
    "an attribute twice": ('<p id="a" id="b">x</p>', "an attribute twice"),
    "no quotes": ("<p id=a>x</p>", "malformed"),
    "single quotes": ("<p id='a'>x</p>", "malformed"),
    "a quote too few": ('<p id="a>x</p>', "malformed"),
    "a slash as space": ("<img/src=x/onerror=alert(1)>", "malformed"),
    "a comment with markup": ("<!--><img src=x onerror=alert(1)>-->", "malformed"),
    "a declaration": ("<![CDATA[<p>x</p>]]>", "malformed"),
    "an instruction": ("<?php x ?>", "malformed"),
    "a bare sign": ("<p>1 < 2</p>", "malformed"),
    "an end with attributes": ('<p>x</p id="a">', "closes"),
    "an end that closes itself": ("<p>x</p/>", "closes"),
}


@pytest.mark.parametrize(("plant", "fault"), ARTICLE.values(), ids=ARTICLE)
def test_what_is_not_on_the_lists_of_the_article_is_refused(tmp_path, plant, fault):
    found = faults(tmp_path, page(BODY + plant))
    assert any(f.startswith("lift/: ") and fault in f for f in found), found


# The same as an author writes it, rendered as the site does.
WRITTEN = {
    "# A { onclick=alert(1) }": "no attribute 'onclick'",
    "# A { style=display:none }": "no attribute 'style'",
    "A\n{ hidden }": "no attribute 'hidden'",
    "[x](javascript:alert(1))": "is no address",
    "[x](../drift/){ onclick=alert(1) }": "no attribute 'onclick'",
    "![x](x.png){ onerror=alert(1) }": "no such tag",
    '*[CTR]: <img src=x onerror="alert(1)">\n\nCTR': "a title is text",
    "\\`<script>alert(1)</script>\\`": "<script>: no such tag",
    "<div markdown>\nA <script>alert(1)</script>\n</div>": "<script>: no such tag",
    "<div>\n<script>alert(1)</script>\n</div>": "<script>: no such tag",
    "A  \nB": "no such tag",
    "<!-- > <img src=x onerror=alert(1)> -->": "malformed",
}


@pytest.mark.parametrize(("text", "fault"), WRITTEN.items())
def test_what_an_author_writes_around_the_lists_is_refused(tmp_path, text, fault):
    html = markdown(text, extensions=["abbr", "attr_list", "md_in_html"])
    found = faults(tmp_path, page(BODY + html))
    assert any(fault in f for f in found), (html, found)


AROUND = {
    "a title that ends": ({"title": "x</title><script>alert(1)</script><title>"}, "no script of this site"),
    "a title with markup": ({"title": "<b>x</b>"}, "<b>: no such tag"),
    "a property of one's own": ({"head": '<meta property="og:video" content="x">'}, "is none of"),
    "a style sheet by another name": ({"head": '<link rel="alternate stylesheet" href="x.css">'}, "is none of"),
    "a script in the head": ({"head": "<script>alert(1)</script>"}, "no script of this site"),
    "Material's, changed": ({"head": "<script>var el=document.querySelector(1)</script>"}, "no script of this site"),
    "a script from elsewhere": ({"head": '<script src="https://a.example/x.js"></script>'}, "no script of this site"),
    "a script out of assets": ({"head": '<script src="../labs/x.js"></script>'}, "no script of this site"),
    "a script by a detour": ({"head": '<script src="../assets/../x.js"></script>'}, "no script of this site"),
    "a script with two": ({"head": '<script src="../assets/js/a.js">alert(1)</script>'}, "no script of this site"),
    "Material's, deferred": ({"head": SCRIPT.replace("<script>", "<script defer>")}, "no script of this site"),
    "data": ({"head": f'<script type="application/json">{json.dumps(CONFIG)}</script>'}, "no script of this site"),
    "broken data": ({"outside": '<script id="__config" type="application/json">{</script>'}, "no script of this site"),
    "a module": ({"head": '<script type="module" src="../assets/js/a.js"></script>'}, "no script of this site"),
    "an import map": ({"head": '<script type="importmap">{}</script>'}, "no script of this site"),
    "a style": ({"head": "<style>pre{display:none}</style>"}, "<style>: no such tag"),
    "a meta": ({"head": '<meta name="referrer" content="x">'}, "is none of"),
    "a refresh": ({"head": '<meta http-equiv="refresh" content="0; url=x">'}, "is none of"),
    "two in one": ({"head": '<meta charset="utf-8" http-equiv="refresh" content="0">'}, "is none of"),
    "a link": ({"head": '<link rel="import" href="x">'}, "is none of"),
    "a base": ({"head": '<base href="x">'}, "no such tag"),
    "hidden": ({"outside": "<div hidden>x</div>"}, "<div hidden>: hidden"),
    "code": ({"outside": "<pre>x</pre>"}, "<pre>: no such tag"),
    "a handler": ({"outside": '<div onclick="x">x</div>'}, "no attribute 'onclick'"),
    "an address": ({"outside": '<a href="javascript:void(0)">x</a>'}, "is no address"),
    "a file to send": ({"outside": '<input type="file">'}, "is none of"),
    "a class": ({"outside": '<div class="card">x</div>'}, "no class 'card'"),
    "a second article": ({"outside": "<article>x</article>"}, "this one has 2"),
    "a search from elsewhere": ({"config": CONFIG | {"search": "https://a.example/x.js"}}, "searches elsewhere"),
    "a search in the address": ({"config": CONFIG | {"search": "data:text/javascript,x"}}, "searches elsewhere"),
    "another config": ({"config": {"base": ".."}}, "no script of this site"),
    "markup in the config": ({"config": CONFIG | {"base": "<!--<script>"}}, "no script of this site"),
}


@pytest.mark.parametrize(("where", "fault"), AROUND.values(), ids=AROUND)
def test_what_is_not_on_the_lists_of_the_template_is_refused(tmp_path, where, fault):
    found = faults(tmp_path, page(**where))
    assert any(fault in f for f in found), found


def test_the_page_of_errors_starts_from_the_root(tmp_path):
    config = CONFIG | {"search": "/guide/assets/javascripts/workers/search.js"}
    html = page(config=config).replace('"../assets/js', '"/guide/assets/js')
    assert faults(tmp_path, html, "404.html") == []
    assert faults(tmp_path, html)  # but no other


@pytest.mark.parametrize(
    "html",
    [
        page(),
        with_policy(page()).replace("script-src 'self'", "script-src *"),
        with_policy(page()).replace("<head>", '<head><meta name="description" content="x">'),
        with_policy(page()).replace("; base-uri 'none'", ""),
    ],
    ids=["none", "wider", "not first", "less"],
)
def test_a_page_without_its_policy_is_refused(tmp_path, html):
    assert faults(tmp_path, html, sealed=False) == [
        "lift/: its head does not start with the Content-Security-Policy of its scripts"
    ]


def test_a_policy_names_the_inline_scripts_and_no_others():
    # From `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`.
    digest = "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    assert f" {digest};" in policy(page(head="<script>alert(1)</script>"))
    assert policy(page()).count("'sha256-") == 1
    assert "script-src 'self';" in policy(page().replace(SCRIPT, ""))


TITLES, TEXTS = "search/titles.js", "search/texts.js"
FOUND = 'var searchTitles = {"pages": [{"url": "lift/"}, {"url": ""}]};\n'


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (TITLES, FOUND, None),
        (TEXTS, 'var searchTexts = [[["A", "b"]]];\n', None),
        (TEXTS, FOUND, "is no data of the name searchTexts"),
        (TITLES, FOUND + "alert(1)", "is no data"),
        (TITLES, FOUND.replace("[{", "[alert(1), {"), "is no data"),
        (TITLES, "", "is no data"),
        (TITLES, FOUND.replace("lift/", "javascript:alert(1)"), "leads to 'javascript:alert(1)'"),
        (TITLES, FOUND.replace("lift/", "https://a.example/"), "leads to 'https://a.example/'"),
        (TITLES, FOUND.replace("lift/", "//a.example/"), "leads to '//a.example/'"),
        ("search/other.js", FOUND, "scripts stand in assets/"),
    ],
)
def test_what_the_search_finds_is_data_and_leads_to_pages(tmp_path, name, text, fault):
    (tmp_path / "search").mkdir()
    (tmp_path / name).write_text(text)
    assert [fault in f for f in check(tmp_path)] == ([True] if fault else [])


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("x.htm", "", "a site holds no .htm files"),
        ("x.xml", "", "a site holds no .xml files"),
        ("labs/sitemap.xml.gz", "", "a site holds no .gz files"),
        ("x.xhtml", "", "a site holds no .xhtml files"),
        ("labs/x.ipynb", "", "a site holds no .ipynb files"),
        ("labs/x.js", "", "scripts stand in assets/"),
        ("x.svg", "<svg><script>alert(1)</script></svg>", "<script>: no such tag"),
        ("x.svg", '<svg onload="x"></svg>', "no attribute 'onload'"),
        ("plain/index.html", "<p>x</p></p>", "plain/: </p> closes nothing"),
        ("index.html", "<p>x</p>", "/: a page has one <article>, this one has 0"),
    ],
)
def test_files_that_a_browser_would_run_are_refused(tmp_path, name, content, fault):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    assert any(fault in f for f in check(tmp_path))


def test_files_that_it_only_shows_or_keeps_pass(tmp_path):
    names = ["assets/js/a.js", "assets/a.css", "assets/LICENSE", "snippets/a.py", "proof.json", "a.zip"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "assets/a.svg").write_text(ICON)
    assert check(tmp_path) == []
