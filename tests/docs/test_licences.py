"""THIRD-PARTY.md names what others have written, and names nothing that is not there."""

import ast
import json
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tools.guards.fences import ROOT

TEXT = (ROOT / "THIRD-PARTY.md").read_text(encoding="utf-8")
HEADINGS = ("In the repository", "In each built site, by way of Material for MkDocs", "Data, fetched and not included")
# Where our own files lie; a file anywhere else below these folders is somebody's.
OURS = re.compile(
    r"docs/assets/((css|js)/[a-z-]+\.(css|js)|favicon\.svg|licenses/[a-z-]+\.txt)"
    r"|theme/(main|404|partials/(logo|share|source|tags|where))\.html"
)
MATERIAL = Path(distribution("mkdocs-material").locate_file("material/templates"))


def rows(heading):
    """Return the rows of the table below a heading, each as a list of its cells."""
    part = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## )", TEXT + "\n## ", re.MULTILINE | re.DOTALL)[1]
    table = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    return table[1:]


HERE, BUILT, DATA = map(rows, HEADINGS)


def bundled():
    """Return the npm packages in Material's scripts and style sheets, off their source maps; its search is left out."""
    maps = [json.loads(path.read_text()) for path in MATERIAL.glob("assets/**/*.map") if "workers" not in path.parts]
    sources = "\n".join(source for map_ in maps for source in map_["sources"])
    return set(re.findall(r"node_modules/((?:@[^/]+/)?[^/]+)/", sources))


def named(name):
    """Return the row of one thing."""
    (row,) = [row for row in HERE + BUILT if row[0] == name]
    return row


def test_each_file_by_others_is_named():
    folders = ("docs/assets", "theme")
    found = [p.relative_to(ROOT).as_posix() for folder in folders for p in (ROOT / folder).rglob("*") if p.is_file()]
    listed = tuple(re.match(r"`(.+?)`", row[4])[1] for row in HERE)
    texts = tuple(row[3].strip("`") for row in HERE)
    strangers = [
        name for name in found if not OURS.fullmatch(name) and not name.startswith(listed) and name not in texts
    ]
    assert strangers == []
    for name in listed:
        assert any(path.startswith(name) for path in found), name


def test_our_files_are_ours():
    for path in (p for kind in ("css", "js") for p in (ROOT / "docs/assets" / kind).iterdir()):
        text = path.read_text(encoding="utf-8")
        assert re.findall(r"/\*!|@license|copyright \(c\)|©|sourceMappingURL", text, re.IGNORECASE) == [], path
        assert max(map(len, text.splitlines())) < 400, f"{path} looks minified"


def test_each_text_is_there_and_each_that_is_there_belongs_to_something():
    texts = {row[3].strip("`") for row in HERE + BUILT}
    assert [text for text in texts if len((ROOT / text).read_text(encoding="utf-8")) < 200] == []
    lying = [*ROOT.glob("docs/assets/licenses/*"), *ROOT.glob("docs/assets/**/LICENSE*")]
    assert {path.relative_to(ROOT).as_posix() for path in lying} == texts


def test_what_material_bundles_is_named():
    packages = {re.fullmatch(r"npm `(.+)`", row[5])[1] for row in BUILT if row[5].startswith("npm")}
    assert bundled() == packages


def test_the_licence_of_material_is_the_one_it_comes_with():
    (text,) = [
        file for file in distribution("mkdocs-material").files if file.name == "LICENSE" and "licenses" in file.parts
    ]
    ours = (ROOT / named("Material for MkDocs")[3].strip("`")).read_text(encoding="utf-8")
    assert ours.split() == text.read_text(encoding="utf-8").split()


def test_versions_are_those_that_lie_here():
    material = distribution("mkdocs-material").version
    assert named("Material for MkDocs")[1] == named("Material for MkDocs, header partial")[1] == material
    for name in ("content", "header", "tabs", "toc"):
        text = (ROOT / f"theme/partials/{name}.html").read_text(encoding="utf-8")
        assert f"Material {material}'s own partial" in text
    minisearch = (ROOT / "docs/assets/minisearch/minisearch.min.js").read_text(encoding="utf-8")
    assert minisearch.startswith(f"/*! MiniSearch {named('MiniSearch')[1]}, ")
    (bundle,) = MATERIAL.glob("assets/javascripts/bundle.*.js")
    assert re.search(r"clipboard\.js v([\d.]+)", bundle.read_text(encoding="utf-8"))[1] == named("clipboard")[1]


def test_each_data_set_that_is_fetched_is_named():
    fetched = []
    for path in (ROOT / "snippets/datasets").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REQUIREMENT":
                fetched.append(node.value.value)
    assert sorted(row[1].strip("`") for row in DATA) == sorted(fetched)


@pytest.mark.parametrize("row", HERE + BUILT, ids=lambda row: row[0])
def test_each_row_is_complete(row):
    assert len(row) == 6
    assert all(cell.strip(" `") for cell in row)
