"""What MkDocs does more than its plugins: notebooks as plain pages, figures never stale, minutes to read, practice.

mkdocs-jupyter wraps a notebook in JupyterLab's markup, with half a megabyte of styles in each page, scripts that ask
other hosts for Mermaid and MathJax, and cell ids that change with every build. This keeps what the notebook says, cell
by cell, and drops the rest: notebook pages then share the site's one stylesheet. It also resolves links to Markdown
files, which mkdocs-jupyter leaves as they are, and fails the build on a broken one.
"""

from __future__ import annotations

import math
import os
import posixpath
import re
import sys
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from markupsafe import escape
from mkdocs.exceptions import PluginError
from mkdocs.plugins import event_priority, get_plugin_logger
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url

from tools.builders import columns, epub, exercises, feed, maths, notebooks, practice, search, share, snippet_bar, twins
from tools.builders.archive import NAME, write_archive
from tools.builders.labs import Run
from tools.guards.proof import sections

log = get_plugin_logger("build")
PHASE = re.compile(r"^## (.+?) \*(\d+) min\* \{ #([\w-]+) \}$", re.MULTILINE)
serving = False
# Nobody reads these through.
LOOKED_UP = ("claims/", "glossary/", "references/", "practice/flashcards/", "practice/exercises/")
CLAIM = re.compile(r'<div class="claim [a-z]+" id="([\w-]+)">')
PLAIN = re.compile(r'<span class="[nw]">([^<]*)</span>')  # names and spaces have the colour of code without it
TERM = re.compile(r'<dt id="([\w-]+)">')
# What stands on a page, and what the stylesheet calls such pages.
KINDS = {
    'class="hero"': "home",
    '<div class="prompt"': "case",
    '<details class="right"': "quiz",
    'class="overview"': "practises",
    'class="all-cards"': "practises",
    'class="all-prompts"': "practises",
    'class="sheet"': "on-paper",
}
DRILL = re.compile(r'data-drill="[^"]*?minutes&quot;: ?(\d+)')  # of one incident
SAID = re.compile(r'(<div class="breath">\s*<p>)"(.*?)"(</p>\s*</div>)', re.DOTALL)  # aloud, in straight quotes


def on_startup(command, dirty):
    """Note whether the site is served while somebody writes: what no page shows is not made then."""
    global serving
    serving = command == "serve"


def on_pre_build(config):
    """Forget the modules that figures were drawn with, or live reload would draw an edited figure as it was."""
    for name in [n for n in sys.modules if n.split(".")[0] in ("claims", "figures", "snippets")]:
        del sys.modules[name]


def on_files(files, config):
    """Note all files, without Material's own search; announce what is made at the end."""
    config.extra["files"] = files
    for file in [f for f in files if f.src_uri.startswith(("assets/javascripts/lunr/", "assets/javascripts/workers/"))]:
        files.remove(file)
    for name in (practice.ANKI, NAME, epub.NAME, feed.NAME):
        files.append(File.generated(config, name, content=b""))
    root = _root(config)
    config.extra["shown"] = sections(root)
    for name in snippet_bar.served(root):
        files.append(File.generated(config, name, abs_src_path=str(root / name)))
    return files


def on_nav(nav, config, files):
    """Note the sections, the order of the pages, and the phases of the interview as the home page has them."""
    config.extra["nav"] = nav
    config.extra["pages"] = {page.file.url: page for page in nav.pages}
    config.extra["phases"] = phases(nav.homepage.file.content_string)


def phases(outline: str) -> list[dict]:
    """Return the phases of the interview that an outline names, as in ``## Modeling *11 min* { #modeling }``."""
    found = []
    for title, minutes, anchor in PHASE.findall(outline):
        start = found[-1]["end"] if found else 0
        times = {"minutes": int(minutes), "start": start, "end": start + int(minutes)}
        found.append({"number": len(found) + 1, "title": title, "url": f"./#{anchor}", **times})
    return found


@event_priority(100)  # before mkdocs-jupyter looks where its cache is
def on_pre_page(page, config, files):
    """Say which page of how many is built; give a lab the cache of its run, so that it runs only where it must."""
    pages = [file.src_uri for file in files.documentation_pages()]
    number = pages.index(page.file.src_uri) + 1
    if not is_lab(page.file):
        if number % 10 == 0:
            log.info(f"page {number} of {len(pages)}")
        return page
    run = _run(page, config)
    if not run.done:
        labs = [uri for uri in pages if uri.endswith(".py")]
        seconds = run.seconds_last_time()
        before = f"{seconds:.0f} s last time" if seconds else "first run, up to two minutes"
        log.info(f"lab {labs.index(page.file.src_uri) + 1} of {len(labs)}: {run.lab.stem.replace('_', ' ')}, {before}")
    run.begin()
    config.plugins["mkdocs-jupyter"].config["cache_dir"] = str(run.html)
    return page


def on_page_content(html, page, config, files):
    """Rewrite the content of a notebook page, unless it shows code that never ran; leave the words of others alone."""
    if not is_lab(page.file):
        # MkDocs checks links against the anchors that Markdown makes: claims stand in figures, drawn at build.
        page.present_anchor_ids |= set(CLAIM.findall(html))
        if page.file.src_uri == "glossary.md":
            html = search.anchored(html)
            page.present_anchor_ids |= set(TERM.findall(html))
        html = exercises.mark(practice.named(html), page.file.url)
        return columns.mark(maths.typeset(SAID.sub(r"\1“\2”\3", html)))
    if faults := _run(page, config).end():
        raise PluginError("\n".join(f"{page.file.src_uri}: {fault}" for fault in faults))
    return columns.mark(link(plain(html), page.file, files))


def is_lab(file) -> bool:
    """Say whether a file is a notebook."""
    return file.src_uri.endswith(".py")


def _run(page, config) -> Run:
    return Run(Path(page.file.abs_src_path), _root(config) / ".cache/labs")


def _root(config) -> Path:
    return Path(config.config_file_path).parent


def on_env(env, config, files):
    """Fill the practice pages; count the minutes to read each page, and those of each study plan."""
    pages = config.extra["pages"]
    config.extra["deck"] = practice.compose(pages)
    config.extra["notebooks"] = {}
    minutes = {url: 0 if url.startswith(LOOKED_UP) else reading_minutes(page.content) for url, page in pages.items()}
    minutes |= {url: config.extra["phases"][-1]["end"] for url, page in pages.items() if is_mock(page)}
    minutes |= {url: int(found[1]) for url, page in pages.items() if (found := DRILL.search(page.content))}
    cases = {url: unescape(str(page.title)) for url, page in pages.items() if "case" in kinds(page)}
    for url, page in pages.items():
        if not page.is_homepage and (text := notebook(page, config, files)):
            page.meta["notebook"] = notebooks.address(page.file.src_uri)
            config.extra["notebooks"][page.meta["notebook"]] = text
            page.meta["colab"] = notebooks.colab(config.repo_url or "", page.file.src_uri)
        page.meta["reading"] = minutes[url]
        # A notebook has no front matter: mkdocs.yml keeps it.
        page.meta |= config.extra.get("labs", {}).get(page.file.src_uri, {})
        note_phase(page, config)
        if config.site_url:
            share.note(page, config)
        # Material prints titles and front matter as they are. MkDocs escapes the titles that it takes from headings.
        page.title = escape(unescape(str(page.title)))
        page.meta = {key: escape(value) if isinstance(value, str) else value for key, value in page.meta.items()}
        if 'class="plan"' in page.content:
            page.content = plan(page.content, url, minutes, cases)
    return env


def notebook(page, config, files) -> str | None:
    """Return a page as a notebook, if it runs anything."""

    def resolve(link: str) -> str:
        path, hash_, fragment = link.partition("#")
        return urljoin(config.site_url, (_target(path, page.file, files) if path else page.file).url) + hash_ + fragment

    lab = is_lab(page.file)
    text = Path(page.file.abs_src_path).read_text(encoding="utf-8") if lab else page.markdown
    convert = notebooks.of_lab if lab else notebooks.of_page
    return convert(text, page.content, resolve(""), resolve, _root(config))


def on_post_page(output, page, config):
    """Say on the body what kind of page it is; put a bar above each snippet: only now, so that search knows no files.

    By a class of the body, since a rule that asks what is inside, as ``body:has(…)``, costs a style of the whole page
    for each change.
    """
    base, repository = get_relative_url(".", page.url), config.repo_url or ""
    output = output.replace("<body ", f'<body class="{" ".join(kinds(page))}" ', 1)
    return snippet_bar.with_bars(output, config.extra["shown"], _root(config), base, repository)


def kinds(page) -> list[str]:
    """Return what kinds of page a page is, as the stylesheet calls them: its phase, a lab, and what stands on it."""
    phase = page.meta.get("phase")
    found = ["lab"] * is_lab(page.file) + [kind for mark, kind in KINDS.items() if mark in page.content]
    return [*([f"p{phase['number']}"] if phase else []), *dict.fromkeys(found)]


def is_mock(page) -> bool:
    """Say whether a page is the mock interview, which takes as long as an interview."""
    return 'class="all-prompts"' in page.content


def note_phase(page, config):
    """Note the phase of a page, which is its section, if any; draw the bar of all where it is asked for."""
    known = config.extra["phases"]
    page.meta["phase"] = next((phase for phase in known if phase["title"] == page.meta.get("section")), None)
    page.content = page.content.replace('<div class="phase-bar"></div>', phase_bar(known))


def phase_bar(known: list[dict]) -> str:
    """Return the bar of the phases for the page that has them all, each part a link."""
    parts = (
        f'<li class="p{phase["number"]}"><a class="seg" href="{phase["url"].removeprefix("./")}">'
        f"<span>{escape(phase['title'])}</span></a></li>"
        for phase in known
    )
    return f'<ol class="phases phases--full">{"".join(parts)}</ol>'


def on_post_build(config):
    """Write what is made from all pages: notebooks, the deck for Anki, what the search finds and machines read."""
    site, time = Path(config.site_dir), int(os.environ.get("SOURCE_DATE_EPOCH", "1767225600"))
    (site / practice.ANKI).write_bytes(practice.anki(config.extra["deck"], config.site_url, time))
    for name, text in config.extra["notebooks"].items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    search.write(site, config.extra["pages"])
    if config.site_url and not serving:  # all of it names addresses
        share.write(site, config)
        twins.write(site, config, config.extra["files"])
        (site / feed.NAME).write_bytes(feed.write(config))
        (site / epub.NAME).write_bytes(epub.write(config, time))
    write_archive(site)


def reading_minutes(html: str) -> int:
    """Return the minutes to read a page: 200 words or 600 signs of code a minute, which is 20 lines.

    Outputs go with their code. What is folded to look something up, or to be practised, is not read through.
    """
    soup = BeautifulSoup(search.DRAWING.sub("", search.uncoloured(html)), "html.parser")
    apart = (
        "details:is(.abstract, .exercise, .hint), .all-cards, .all-prompts, .incident, figure .numbers, .language-text"
    )
    for part in soup.select(apart):
        part.extract()
    code = "".join(block.extract().get_text() for block in soup.select("pre"))
    return math.ceil(len(soup.get_text().split()) / 200 + len("".join(code.split())) / 600)


def plan(html: str, url: str, minutes: dict[str, int], cases: dict[str, str]) -> str:
    """Return a study plan with the minutes behind each page that is read, and their sum behind each heading.

    A case study is told by its title, for the plan by date: a mock interview comes before it.
    """
    soup = BeautifulSoup(html, "html.parser")
    for heading in soup.select(".plan h2"):
        total = 0
        for sibling in heading.find_next_siblings():
            if sibling.name == "h2":
                break
            for item in sibling.select("li") if sibling.name == "ul" else ():
                target = urljoin("/" + url, item.a["href"]).lstrip("/").partition("#")[0]
                if target in cases:
                    item["data-case"] = cases[target]
                own = minutes[target]
                total += own
                if own:
                    item.append(_note(soup, f"{own} min"))
        hours = f"{total // 60} h {total % 60} min" if total >= 60 else f"{total} min"
        heading.insert(1, _note(soup, hours))
    return str(soup)


def _note(soup: BeautifulSoup, text: str) -> Tag:
    note = soup.new_tag("span", attrs={"class": "reading"})
    note.string = text
    return note


def plain(html: str) -> str:
    """Return the cells of a rendered notebook as plain HTML, in order.

    Raises
    ------
    PluginError
        If a cell writes to standard error or shows something this does not know: better no page than half of one.
    """
    soup = BeautifulSoup(html, "html.parser")
    parts = []
    for cell in soup.select(".jp-Notebook .jp-Cell[id]"):
        if "jp-MarkdownCell" in cell["class"]:
            content = cell.select_one(".jp-RenderedMarkdown")
            for anchor in content.select("a.anchor-link"):
                anchor["class"] = "headerlink"
            parts.append(content.decode_contents())
        else:
            parts.append(_code(cell.select_one(".jp-InputArea pre").decode_contents(), "python"))
            parts += map(_output, _merge_streams(cell.select(".jp-OutputArea-output")))
    return "\n".join(parts)


def _code(contents: str, language: str) -> str:
    contents = contents.removeprefix("<span></span>").strip("\n")
    contents = PLAIN.sub(r"\1", contents)  # a lab has thousands of them
    return f'<div class="language-{language} highlight"><pre><span></span><code>{contents}\n</code></pre></div>'


def _merge_streams(outputs: list[Tag]) -> list[Tag]:
    """Join what was printed: a slow machine hands it over in several pieces, cut anywhere."""
    merged = []
    for output in outputs:
        printed = output.get("data-mime-type") == "text/plain" and "jp-OutputArea-executeResult" not in output["class"]
        if printed and merged and merged[-1][0]:
            merged[-1][1].select_one("pre").extend(list(output.select_one("pre").contents))
        else:
            merged.append((printed, output))
    return [output for _, output in merged]


def _output(output: Tag) -> str:
    kind = output.get("data-mime-type", "")
    if kind == "text/html":
        return output.decode_contents().strip()
    if kind == "text/plain":
        return _code(output.select_one("pre").decode_contents(), "text")
    raise PluginError(f"a notebook shows {kind or output.get('class')!r}: print text, or show HTML")


def link(html: str, file, files) -> str:
    """Return the content with its links to Markdown files and notebooks turned into links to their pages."""
    soup = BeautifulSoup(html, "html.parser")
    for anchor in soup.select("a[href]"):
        path, hash_, fragment = anchor["href"].partition("#")
        if not path.endswith((".md", ".py")) or "://" in path:
            continue
        anchor["href"] = _target(path, file, files).url_relative_to(file) + hash_ + fragment
    return str(soup)


def _target(path: str, file, files):
    """Return the file to which a link of another one leads."""
    target = files.get_file_from_path(posixpath.normpath(posixpath.join(posixpath.dirname(file.src_uri), path)))
    if target is None:
        raise PluginError(f"{file.src_uri} links to {path}, which does not exist")
    return target
