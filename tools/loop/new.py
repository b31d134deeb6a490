"""Lay out a page, its snippet, its test and its entries: ``make new P=evaluation/lift TITLE="Lift"``.

Everything is checked and composed first and written last. What a person replaces says TODO, which ``make page`` lists.
"""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from pathlib import Path

import yaml
from mkdocs.utils.meta import get_data
from mkdocs.utils.yaml import yaml_load

from tools.builders.outputs import rewrite
from tools.guards import scale
from tools.guards.fences import ROOT, RUN, fences
from tools.guards.markup import TITLE as LONGEST
from tools.guards.runner import Runner

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
TITLE = re.compile(r"[^\W_](?:[^\W_]|[ ,:?'()/+-])*(?:[^\W_]|[)?])")
# What stands in the templates for the new page: they are a sound page, snippet and test themselves.
SHOWN, DEFINED, MODULE = "normalized_entropy", "name_of_the_field", "templates.snippet"


def sections(root: Path) -> dict[str, str]:
    """Return the title of each section by its folder: those of ``nav`` that end in a quiz."""
    with (root / "mkdocs.yml").open(encoding="utf-8") as file:
        nav = yaml_load(file)["nav"]
    found = {}
    left = [entry for entry in nav if isinstance(entry, dict)]
    for entry in left:
        for title, children in entry.items():
            inner = [child for child in children if isinstance(child, dict)] if isinstance(children, list) else []
            left += inner
            if inner and str(last := next(iter(inner[-1].values()))).endswith("/quiz.md"):
                found[Path(last).parent.as_posix()] = title
    return found


def layout(root: Path, page: str, title: str) -> dict[Path, str]:
    """Return the text of every file that a new page makes or changes.

    Parameters
    ----------
    root : Path
        The repository.
    page : str
        Section and name, as in ``evaluation/lift``.
    title : str
        The title of the page, which is also its term in the glossary.

    Raises
    ------
    ValueError
        If a name is bad or taken, or a file has no place for its entry. Nothing is written in any case.
    """
    section, _, name = page.partition("/")
    known = sections(root)
    if section == scale.FOLDER:
        raise ValueError(
            f"P={page}: a page of {scale.FOLDER} has an environment of its own and no template: copy a neighbour, its "
            "snippet and its test, and make page names the entries that are missing"
        )
    if section not in known:
        raise ValueError(f"P={page}: {section!r} is no section; say section/name, with one of {', '.join(known)}")
    function = name.replace("-", "_")
    if not NAME.fullmatch(name) or keyword.iskeyword(function) or hasattr(builtins, function):
        raise ValueError(
            f"P={page}: {name!r} is no name: write lowercase words joined by hyphens, none of Python's own"
        )
    if not TITLE.fullmatch(title) or len(title) > LONGEST:
        raise ValueError(
            f"TITLE={title!r} is no title: write up to {LONGEST} letters, digits, spaces and , : ? ' ( ) / + -"
        )
    folder = section.replace("-", "_")
    module = f"snippets.{folder}.{function}"
    home, snippet = root / "docs" / f"{page}.md", root / "snippets" / folder / f"{function}.py"
    test, call = root / f"tests/{folder}/test_{function}.py", root / f"tests/contract/{folder}_{function}.py"
    if taken := [path.relative_to(root).as_posix() for path in (home, snippet, test, call) if path.exists()]:
        raise ValueError(f"P={page}: {', '.join(taken)} exists: choose another name")
    for path in sorted((root / "docs").rglob("*.md")):
        _, meta = get_data(path.read_text(encoding="utf-8"))
        if str(meta.get("title", "")).casefold() == title.casefold():
            raise ValueError(f"TITLE={title!r} is the title of {path.relative_to(root)}: choose another")

    def template(file: str) -> str:
        text = (root / "templates" / file).read_text(encoding="utf-8")
        return text.replace(MODULE, module).replace(DEFINED, function)

    source = template("snippet.py")
    text = template("page.md").replace(f"snippets/evaluation/{SHOWN}.py", f"snippets/{folder}/{function}.py")
    text = text.replace(f"snippets.evaluation.{SHOWN}", module).replace(SHOWN, function)
    text = text.replace("section: Evaluation & Deployment", f"section: {known[section]}")
    text = text.replace("title: The title", f"title: {_scalar(title)}").replace("The title", title)
    link = f"[{_inline(title)}]({page}.md)"
    return {
        snippet: source,
        test: template("test_snippet.py"),
        call: template("contract.py"),
        home: _with_outputs(text, source, f"from {module} import {function}\n"),
        **_entry(root / "mkdocs.yml", _nav, section, f"{_scalar(title)}: {page}.md"),
        **_entry(root / "docs/index.md", _point, known[section], link),
        **_entry(root / "docs/study.md", _plan, f"- [{title}]({page}.md)"),
        **_entry(root / "docs/glossary.md", _term, section, title, f"TODO: one plain sentence. See {link}."),
    }


def _entry(path: Path, add, *what: str) -> dict[Path, str]:
    try:
        return {path: add(path.read_text(encoding="utf-8"), *what)}
    except LookupError as error:
        raise ValueError(f"{path.name} has no place for the new page: {error}") from error


def _scalar(title: str) -> str:
    """Return a title as YAML reads it back: in quotes where it would be taken for something else."""
    try:
        plain = yaml.safe_load(f"{title}: x") == {title: "x"}
    except yaml.YAMLError:
        plain = False
    return title if plain else f'"{title}"'


def _inline(title: str) -> str:
    """Return a title within a sentence: "Lift" as "lift", "AUC by user" as it is."""
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def _with_outputs(text: str, source: str, imported: str) -> str:
    """Return a page with the outputs of its blocks, which import a snippet that no file holds yet."""
    runner = Runner(ROOT, preload=False)
    codes = [b.code.replace(imported, "") for b in fences(text) if b.info == RUN]
    results = [runner.run(f"{source}\n{code}") for code in codes]
    runner.close()
    for result in results:
        if result.error:
            raise ValueError(f"the template does not run under this name, choose another: {result.error[1]}")
    return rewrite(text, [result.stdout for result in results])


def _nav(text: str, section: str, entry: str) -> str:
    """Add a line to ``nav``, in its section and before the quiz; lines, so that comments and order stay."""
    quiz = re.search(rf"^( +- ).*\b{section}/quiz\.md$", text, re.MULTILINE)
    if not quiz:
        raise LookupError(f"nav names no {section}/quiz.md")
    return f"{text[: quiz.start()]}{quiz[1]}{entry}\n{text[quiz.start() :]}"


def _point(text: str, section: str, link: str) -> str:
    """Add a link to the home page, behind a point of the section: there it takes no minutes of its own."""
    body = re.search(rf"^## {re.escape(section)} .*?(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if not body:
        raise LookupError(f"it has no heading {section!r}")
    more = list(re.finditer(r"^    - When they ask on: .*$", body[0], re.MULTILINE))
    points = list(re.finditer(r"^ *- .*$", body[0], re.MULTILINE))
    if not points:
        raise LookupError(f"there is no point below {section!r}")
    end = body.start() + (more or points)[-1].end()
    return f"{text[:end]}{', ' if more else f'{chr(10)}    - When they ask on: '}{link}{text[end:]}"


def _plan(text: str, line: str) -> str:
    """Add a line to the study plan for what they ask on: the second of three weeks."""
    week = re.search(r"^Second week:\n\n(?:- .*\n)+", text, re.MULTILINE)
    if not week:
        raise LookupError("there is no list below 'Second week:'")
    return f"{text[: week.end()]}{line}\n{text[week.end() :]}"


def _term(text: str, section: str, term: str, meaning: str) -> str:
    """Add a term to the glossary in the order of letters, to the part that links to this section most."""
    if re.search(rf"^{re.escape(term)}\n:", text, re.MULTILINE | re.IGNORECASE):
        return text
    parts = re.split(r"(?m)^(?=## )", text)
    part = max(range(len(parts)), key=lambda i: parts[i].count(f"]({section}/"))
    entries = list(re.finditer(r"^(\S.*)\n: .*\n(?:    .*\n)*", parts[part], re.MULTILINE))
    if not entries:
        raise LookupError("none of its terms links to this section")
    behind = [entry for entry in entries if entry[1].lower() > term.lower()]
    new = f"{term}\n:   {meaning}\n"
    if behind:
        parts[part] = f"{parts[part][: behind[0].start()]}{new}\n{parts[part][behind[0].start() :]}"
    else:
        parts[part] = f"{parts[part][: entries[-1].end()]}\n{new}{parts[part][entries[-1].end() :]}"
    return "".join(parts)


def write(texts: dict[Path, str]) -> None:
    """Write all files, or none: each goes beside its place first, and only a whole set moves in."""
    aside = {path: path.with_name(f".{path.name}.new") for path in texts}
    try:
        for path, text in texts.items():
            aside[path].write_text(text, encoding="utf-8")
        for path in texts:
            aside[path].replace(path)
    finally:
        for path in aside.values():
            path.unlink(missing_ok=True)


def main() -> int:
    """Lay out the page named on the command line; return the exit code."""
    page, title = sys.argv[1:] if len(sys.argv) == 3 else ("", "")
    if not page or not title:
        print('say which page: make new P=evaluation/lift TITLE="Lift"', file=sys.stderr)
        return 1
    try:
        texts = layout(ROOT, page, title)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    write(texts)
    for path in texts:
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"Replace what says TODO, move the entries to where they belong, then: make page P={page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
