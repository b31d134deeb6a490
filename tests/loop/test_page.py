import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.loop.copies import BUILT, copy
from tools.builders.preview import wanted
from tools.guards.fences import ROOT
from tools.loop import page as loop
from tools.loop.page import Step, check, find, placeholders, snippets_of, steps
from tools.loop.progress import Progress

DOCS = ROOT / "docs"
FAILS, PASSES = [[sys.executable, "-c", f"print('docs/x.md:3: it is so'); raise SystemExit({code})"] for code in (1, 0)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("evaluation/calibration", "evaluation/calibration.md"),
        ("docs/evaluation/calibration.md", "evaluation/calibration.md"),
        ("labs/leakage_clinic", "labs/leakage_clinic.py"),
        ("index", "index.md"),
    ],
)
def test_a_page_is_found_by_its_name(name, path):
    assert find(name) == DOCS / path


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("", "P= is no page"),
        ("evaluation/calibratoin", "did you mean evaluation/calibration"),
        ("../README", "no page"),
    ],
)
def test_what_is_no_page_is_said_to_be_none(name, hint):
    with pytest.raises(ValueError, match=hint):
        find(name)


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (
            "evaluation/calibration.md",
            ["blocks", "tests", "contract", "figures", "exercise", "lint", "guard", "entries", "build"],
        ),
        ("problem/system.md", ["figures", "lint", "guard", "entries", "build"]),
        ("evaluation/quiz.md", ["lint", "guard", "entries", "build"]),
        ("practice/feed-ranking.md", ["blocks", "figures", "lint", "guard", "entries", "build"]),
        ("labs/leakage_clinic.py", ["lint", "guard", "entries", "build"]),
    ],
)
def test_each_kind_of_page_has_its_steps(name, names):
    assert [step.name for step in steps(DOCS / name)] == names


@pytest.mark.parametrize("named", ["snippets/a/b.py", "[3, /, ../x.py]", "", "{a: b}"])
def test_front_matter_that_the_guard_refuses_stops_no_other_step(tmp_path, named):
    page = tmp_path / "page.md"
    page.write_text(f"---\nsnippets: {named}\n---\n\n# A page\n")
    assert snippets_of(page) == []


def test_a_page_with_a_query_has_it_run(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```sql\nSELECT 1\n```\n")
    (queries,) = [step for step in steps(page) if step.name == "queries"]
    assert "tests/docs/test_sql.py" in queries.commands[0]


def test_a_page_is_checked_with_its_snippets_and_their_tests():
    commands = {step.name: step.commands for step in steps(DOCS / "evaluation/debugging.md")}
    (tests,) = commands["tests"]
    for name in ("slice_report", "broken_pipeline"):
        assert f"--cov=snippets.evaluation.{name}" in tests
        assert f"snippets/evaluation/{name}.py" in tests
        assert f"tests/evaluation/test_{name}.py" in tests
    assert "--cov-fail-under=100" in tests
    (guard,) = commands["guard"]
    assert set(guard[guard.index("tools.guards") + 1 :]) == {
        "docs/evaluation/debugging.md",
        *(f"snippets/evaluation/{name}.py" for name in ("slice_report", "broken_pipeline")),
        *(f"tests/evaluation/test_{name}.py" for name in ("slice_report", "broken_pipeline")),
    }
    for command in commands["lint"]:
        python = "ruff" in command[0]
        assert ("snippets/evaluation/slice_report.py" in command) == (python or "rumdl" not in command[0])
        assert ("docs/evaluation/debugging.md" in command) != python


@pytest.fixture
def planned(monkeypatch, tmp_path):
    """Return a function that sets the steps of a page; how long they take is kept elsewhere."""
    monkeypatch.setattr(loop, "Progress", lambda parts, root, workers: Progress(parts, tmp_path, workers))
    return lambda *given: monkeypatch.setattr(loop, "steps", lambda page: list(given))


def test_all_well_is_said_and_what_to_do_next(planned, capsys):
    planned(Step("blocks", "", [PASSES], early=True), Step("guard", "", [PASSES, PASSES]))
    assert check(DOCS / "evaluation/drift.md") == 0
    said = capsys.readouterr().out
    assert re.search(r"^  guard +\d\.\d s  docs/x.md:3: it is so$", said, re.MULTILINE)
    assert "docs/evaluation/drift.md: everything holds; look at it with make serve" in said


def test_every_fault_of_every_step_is_named_with_what_to_do(planned, capsys):
    silent = [sys.executable, "-c", "raise SystemExit(4)"]
    given = (
        Step("lint", "mend it so", [FAILS, PASSES, silent]),
        Step("guard", "", [PASSES]),
        Step("build", "so", [FAILS]),
    )
    planned(*given)
    assert check(DOCS / "evaluation/drift.md") == 1
    said = capsys.readouterr().out
    assert "\nlint: mend it so\ndocs/x.md:3: it is so\npython exits with 4\n" in said.replace(
        Path(sys.executable).name, "python"
    )
    assert "\nbuild: so\ndocs/x.md:3: it is so\n" in said
    assert "docs/evaluation/drift.md: mend lint, build (" in said


def test_what_reads_the_page_waits_for_its_outputs(planned, tmp_path):
    seen = tmp_path / "seen"
    slow = f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(seen)!r}).touch()"
    after = f"import pathlib; assert pathlib.Path({str(seen)!r}).exists()"
    given = [
        Step("blocks", "", [[sys.executable, "-c", slow]], early=True),
        Step("guard", "", [[sys.executable, "-c", after]]),
    ]
    planned(*given)
    assert check(DOCS / "evaluation/drift.md") == 0


def test_what_waits_to_be_written_is_to_be_mended(planned, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(loop, "ROOT", tmp_path)
    monkeypatch.setattr(loop, "PREVIEW", tmp_path / "build/page")
    page = tmp_path / "docs/evaluation/lift.md"
    page.parent.mkdir(parents=True)
    page.write_text("---\nsnippets: [snippets/evaluation/lift.py]\n---\n\n# Lift\n\nTODO: say it\n")
    (tmp_path / "docs/glossary.md").write_text(
        "Lift\n: TODO [it](evaluation/lift.md)\n\nDrift\n: TODO [x](evaluation/x.md)\n"
    )
    for name in ("snippets/evaluation/lift.py", "tests/evaluation/test_lift.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("# TODO\n")
    planned(Step("guard", "", [PASSES]))
    assert check(page) == 1
    said = capsys.readouterr().out.split("still to be written:\n")[1].split("\n")
    assert [line.rpartition(": ")[0].split(": ")[0] for line in said[:4]] == [
        "docs/evaluation/lift.md:7",
        "snippets/evaluation/lift.py:1",
        "tests/evaluation/test_lift.py:1",
        "docs/glossary.md:2",
    ]
    assert said[5].startswith("docs/evaluation/lift.md: replace what says TODO on 4 lines")


def test_a_word_that_holds_the_letters_is_no_placeholder(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text("TODOS, todo, MASTODON\n")
    assert placeholders([tmp_path / "page.md"]) == []


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Return a function that builds a page of its own, in a copy of the guide, and returns what is wrong with it."""
    guide = copy(BUILT, tmp_path_factory.mktemp("guide"))

    def build(text):
        (guide / "docs/evaluation/lift.md").write_text(f"---\ntitle: Lift\n---\n\n# Lift\n\n{text}\n")
        done = subprocess.run(
            [sys.executable, "-m", "tools.builders.preview", "docs/evaluation/lift.md", "build/page"],
            cwd=guide,
            env={**os.environ, "PYTHONPATH": str(guide)},
            capture_output=True,
            text=True,
        )
        assert (done.returncode == 0) == ("every link leads somewhere" in done.stdout), done.stderr
        return done.stdout, guide / "build/page"

    return build


def test_a_sound_page_is_built_with_no_more_than_it_needs(build):
    text = "[He](../references.md#he-2014), [drift](drift.md), [a lab](../labs/leakage_clinic.py)"
    faults, site = build(f'{text}\n\n```py\n--8<-- "snippets/evaluation/drift.py"\n```')
    assert faults == "built alone, every link leads somewhere\n"
    assert "He</a>" in (site / "evaluation/lift/index.html").read_text()
    built = {path.parent.relative_to(site).as_posix() for path in site.rglob("index.html")}
    assert built == {".", "references", "evaluation/lift"}


def test_each_bad_link_of_a_page_is_named(build):
    faults, _ = build("[a](drfit.md) [b](../references.md#he-2041) [c](#nowhere) [d](../labs/leak.py) [e](/drift.md)")
    assert "'drfit.md'" in faults
    assert "'../references.md#he-2041'" in faults
    assert "'#nowhere'" in faults
    assert "'../labs/leak.py'" in faults
    assert "'/drift.md'" in faults


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('```py\n--8<-- "snippets/evaluation/drfit.py"\n```', "drfit.py"),
        ('```python exec="on" html="on"\nfrom figures.problem import nothing\n\nprint(nothing())\n```', "nothing"),
    ],
)
def test_an_include_or_a_figure_that_is_not_there_fails_the_page(build, text, said):
    faults, _ = build(text)
    assert said in faults


def test_only_what_a_page_links_to_by_an_anchor_is_built_with_it(tmp_path):
    page = tmp_path / "evaluation/lift.md"
    page.parent.mkdir()
    page.write_text("[a](drift.md) [b](drift.md#x) [c](../references.md#y) [d](gone.md#z) [e](../../out.md#w)")
    for name in ("index.md", "references.md", "evaluation/drift.md"):
        (tmp_path / name).touch()
    assert wanted(page, tmp_path) == ["evaluation/lift.md", "index.md", "evaluation/drift.md", "references.md"]
