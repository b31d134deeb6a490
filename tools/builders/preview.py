"""Build one page strictly, its links checked against all of docs/: ``python -m tools.builders.preview PAGE FOLDER``.

The pages it links to by an anchor are built with it, since only a built page knows its anchors. The others are left
out, labs among them. This file is also the hook of that build: what the site's hooks do for each page, and nothing of
what they gather from all pages.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config

from tools.builders import hooks
from tools.builders.hooks import (  # noqa: F401, MkDocs calls
    on_files,
    on_nav,
    on_page_content,
    on_post_page,
    on_pre_build,
    on_pre_page,
)
from tools.guards.fences import ROOT

ANCHORED = re.compile(r"\]\(([\w./-]+\.md)#")


def on_env(env, config, files):
    """Say the minutes to read and the phase, as the site does."""
    for page in (file.page for file in files.documentation_pages()):
        page.meta["reading"] = hooks.reading_minutes(page.content)
        hooks.note_phase(page, config)
    return env


def wanted(page: Path, docs: Path) -> list[str]:
    """Return what is built: the page, the home page, and those whose anchors the page links to."""
    text = page.read_text(encoding="utf-8")
    targets = [(page.parent / link).resolve() for link in ANCHORED.findall(text)]
    found = [page, docs / "index.md", *(t for t in targets if t.is_file() and t.is_relative_to(docs))]
    return list(dict.fromkeys(path.relative_to(docs).as_posix() for path in found))


def preview(page: Path, folder: Path) -> list[str]:
    """Build a page into a folder and return what the strict build complains about."""
    docs = ROOT / "docs"
    pages = wanted(page, docs)
    complaints: list[str] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            complaints.append(record.getMessage())

    handler = Collect(logging.WARNING)
    logging.getLogger("mkdocs").addHandler(handler)
    try:
        build(
            load_config(
                str(ROOT / "mkdocs.yml"),
                site_dir=str(folder),
                nav=pages,
                hooks=[str(Path(__file__))],
                # Nothing but these pages; a link to a page left out must still name a file.
                exclude_docs="\n".join(["*.md", "*.py", *(f"!/{name}" for name in pages)]),
                strict=True,
            )
        )
    except Exception as error:  # a missing include, a bad front matter: whatever is raised, the page is at fault
        complaints = complaints or [str(error)]
    finally:
        logging.getLogger("mkdocs").removeHandler(handler)
    return complaints


if __name__ == "__main__":
    faults = preview(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
    print("\n".join(faults) or "built alone, every link leads somewhere")
    sys.exit(bool(faults))
