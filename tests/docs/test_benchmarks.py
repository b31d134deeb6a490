"""Each table is what `make bench` wrote: sealed, its program beside it, on one page of its section."""

import re
import sys
from datetime import date
from types import SimpleNamespace

import pytest

from benchmarks import provenance, run, table
from benchmarks.provenance import HERE, MEASURED, ROOT, is_sealed, libraries, pins, seal
from tools.guards.fences import fences

TABLES = provenance.tables()
INCLUDE = re.compile(r'--8<-- "benchmarks/([\w/]+)\.md"')
LAYOUT = re.compile(r"\| .+ \|\n(\|---)+\|\n(\| .+ \|\n)+\n[^|\n]+\n")


def written(name):
    """Return the file of a table."""
    return (HERE / f"{name}.md").read_text(encoding="utf-8")


def shown(text):
    """Return the table behind each line that names one: the line itself where it is no include of the whole file."""
    named = [(i, line) for i, line in enumerate(text.split("\n"), 1) if re.search(r"benchmarks/.*\.md", line)]
    inside = {i for b in fences(text) for i in range(b.line, b.end + 1)} if named else set()
    return [match[1] if (match := INCLUDE.fullmatch(line)) and i not in inside else line for i, line in named]


def test_each_program_stands_beside_its_table_and_nothing_else_does():
    files = {p.relative_to(HERE).as_posix() for p in HERE.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    sections = {name.split("/")[0] for name in TABLES}
    ours = {"__init__.py", "click_log.py", "click_models.py", "provenance.py", "run.py", "table.py"}
    packages = {f"{section}/__init__.py" for section in sections}
    assert files == ours | packages | {f"{name}{suffix}" for name in TABLES for suffix in (".py", ".md")}
    assert [section for section in sections if not (ROOT / "snippets" / section / "__init__.py").is_file()] == []


def test_each_table_is_shown_whole_by_one_page_of_its_section():
    folders = [ROOT / "docs", ROOT / "includes"]
    pages = [page for folder in folders for page in folder.rglob("*") if page.suffix in (".md", ".py")]
    found = {page: shown(page.read_text(encoding="utf-8")) for page in pages}
    assert sorted(name for names in found.values() for name in names) == TABLES
    for page, names in found.items():
        assert {name.split("/")[0] for name in names} <= {page.parent.name.replace("-", "_")}, page


@pytest.mark.parametrize(
    "text",
    [
        '--8<-- "benchmarks/features/counters.md:1:4"',
        '--8<-- "./benchmarks/features/counters.md"',
        '    --8<-- "benchmarks/features/counters.md"',
        '--8<-- "benchmarks/features/counters.md" and more',
        "--8<--\nbenchmarks/features/counters.md\n--8<--",
        '```text\n--8<-- "benchmarks/features/counters.md"\n```',
    ],
)
def test_a_part_of_a_table_or_a_table_in_disguise_is_not_taken_for_one(text):
    assert shown('--8<-- "benchmarks/features/counters.md"') == ["features/counters"]
    assert shown(text) != ["features/counters"]
    assert len(shown(text)) == 1


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_sealed_as_it_was_written(name):
    assert LAYOUT.fullmatch(written(name))
    assert is_sealed(written(name)), f"benchmarks/{name}.md was changed by hand: run `make bench ONLY={name}`"


@pytest.mark.parametrize("name", TABLES)
def test_a_table_says_when_and_with_what_it_was_measured(name):
    found = MEASURED.search(written(name))
    assert found, f"benchmarks/{name}.md does not say when, where and with what it was measured"
    assert written(name).endswith(f" {found[0]}\n")
    assert date.fromisoformat(found["date"]).isoformat() == found["date"]
    stated = dict(library.split(" ") for library in found["libraries"].split(", "))
    assert list(stated) == libraries(HERE / f"{name}.py")
    # The lock moves on, and the table says what it was measured with. These pins are there for the tables alone.
    pinned = {library: versions for library, versions in pins("requirements-bench.txt").items() if library in stated}
    assert {library: {stated[library]} for library in pinned} == pinned


def test_only_what_a_table_needs_is_pinned_for_benchmarks():
    used = {library for name in TABLES for library in libraries(HERE / f"{name}.py")}
    elsewhere = set(pins("requirements.txt")) | set(pins("requirements-scale.txt"))
    assert used - elsewhere == set(pins("requirements-bench.txt"))


SEALED = seal("| A | B |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\nNote. Measured on 2026-01-05 with numpy 2.0")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("| 1 | 2 |", "| 1 | 9 |"),
        ("| 1 | 2 |\n", ""),
        ("| 1 | 2 |\n", "| 1 | 2 |\n| 1 | 2 |\n"),
        ("| 1 | 2 |\n| 3 | 4 |", "| 3 | 4 |\n| 1 | 2 |"),
        ("| A |", "| B |"),
        ("Note. ", ""),
        ("2026-01-05", "2026-01-06"),
        ("numpy 2.0", "numpy 2.1"),
        ("; digest", ", digest"),
        ("`.\n", "`. More.\n"),
        ("`.\n", "`.\n\n| 5 | 6 |\n"),
    ],
)
def test_a_seal_breaks_with_any_change(old, new):
    assert is_sealed(SEALED)
    assert old in SEALED
    assert not is_sealed(SEALED.replace(old, new))


def test_a_digest_moved_along_with_another_table_does_not_fit():
    digest = re.compile(r"`\w+`\.\n$")
    other = seal("| A |\n|---|\n| 1 |\n\nNote.")
    assert not is_sealed(digest.sub(digest.search(other)[0], SEALED))


def test_a_program_names_what_it_imports_through_files_of_ours(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import os\nfrom imblearn.over_sampling import SMOTE\nfrom benchmarks.click_log import rates\n")
    assert libraries(program) == ["imbalanced-learn", "numpy", "pandas", "scikit-learn"]
    program.write_text("import os, polarbear\n")
    with pytest.raises(ValueError, match=r"polarbear is pinned in none of requirements\.txt, requirements-bench"):
        libraries(program)


def test_a_version_that_is_not_pinned_is_refused(tmp_path, monkeypatch):
    program = tmp_path / "program.py"
    program.write_text("import torch\n")
    (version,) = pins("requirements-bench.txt")["torch"]
    monkeypatch.setattr(provenance.metadata, "version", lambda name: f"{version}+cpu")
    assert provenance.versions(program) == {"torch": version}
    monkeypatch.setattr(provenance.metadata, "version", lambda name: "0.0.1")
    with pytest.raises(ValueError, match=r"not pinned: torch 0\.0\.1\. Delete \.venv-bench or \.venv-scale"):
        provenance.versions(program)


@pytest.mark.parametrize(
    ("information", "name"),
    [
        ("processor\t: 0\nmodel name\t: Intel(R) Core(TM) i5, 2.4 GHz\n", "Intel Core i5 2.4 GHz"),
        ("processor\t: 0\nCPU part\t: 0xd0c\n", "armv8"),
    ],
)
def test_a_processor_has_the_name_that_its_maker_gives_it(information, name, monkeypatch):
    monkeypatch.setattr(provenance.Path, "exists", lambda path: True)
    monkeypatch.setattr(provenance.Path, "read_text", lambda path: information)
    monkeypatch.setattr(provenance.platform, "processor", lambda: "armv8")
    assert provenance.processor() == name


def test_some_tables_or_sections_can_be_chosen(monkeypatch):
    monkeypatch.setattr(run, "tables", lambda: ["evaluation/drift", "features/counters", "features/points"])
    assert run.chosen([]) == ["evaluation/drift", "features/counters", "features/points"]
    assert run.chosen(["features/points"]) == ["features/points"]
    assert run.chosen(["features"]) == ["features/counters", "features/points"]
    with pytest.raises(
        ValueError, match="there is no table 'feature': choose from evaluation/drift, features/counters"
    ):
        run.chosen(["features", "feature"])


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Return a program of two rows that misses a goal, and let `run` find it."""

    def measure():
        made = table.Table("A", "B")
        made.row("1", "2")
        made.note, made.missed = "Note.", ["too slow"]
        return made

    (tmp_path / "features").mkdir()
    (tmp_path / "features/fake.py").write_text("import numpy\n")
    monkeypatch.setitem(sys.modules, "benchmarks.features.fake", SimpleNamespace(measure=measure))
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "tables", lambda: ["features/fake"])
    return tmp_path / "features/fake.md"


def test_a_run_seals_what_it_writes_and_fails_where_a_goal_is_missed(program, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run", "features/fake"])
    assert run.main() == 1
    text = program.read_text()
    assert is_sealed(text)
    assert text.startswith("| A | B |\n|---|---|\n| 1 | 2 |\n\nNote. Measured on ")
    assert MEASURED.search(text)["libraries"].startswith("numpy ")
    output = capsys.readouterr()
    assert output.err == "MISSED features/fake: too slow\n"
    assert output.out == "\nfeatures/fake, 1 of 1: about 60 s, 1.0 min left in all\n| 1 | 2 |\n"


def test_a_run_estimates_by_the_seconds_that_the_last_one_took(program, capsys):
    assert run.run(["features/fake"]) == ["features/fake: too slow"]
    text = program.read_text()
    program.write_text(text.replace("in 1 s on", "in 90 s on"))
    run.run(["features/fake"])
    assert re.findall(r"about (.+) left", capsys.readouterr().out) == ["60 s, 1.0 min", "90 s, 1.5 min"]


def test_a_wrong_name_ends_before_anything_is_measured(program, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["run", "features/counter"])
    assert run.main() == 2
    assert capsys.readouterr().err == "there is no table 'features/counter': choose from features/fake\n"
    assert not program.exists()


@pytest.fixture
def clock(monkeypatch):
    """Return a list of seconds: each timed call takes the first one left."""
    left, now = [], [0.0]
    monkeypatch.setattr(table.time, "perf_counter", lambda: now[0])
    return left, lambda: now.__setitem__(0, now[0] + left.pop(0))


def test_functions_are_timed_in_turns_by_their_medians(clock):
    left, work = clock
    left += [1, 10, 3, 30, 2, 90]
    assert table.times(work, work, repeats=3) == [2, 30]


def test_a_comparison_scales_a_share_and_holds_its_goals(clock):
    left, work = clock
    left += [2, 3, 2, 1, 2, 1]
    made = table.Comparison()
    made.note = "Note."
    made.compare("ours", "theirs", work, work, share=10, goal=15, repeats=1)
    made.compare("ours", "theirs", work, work, goal=0.5, repeats=1)
    made.compare("ours", "theirs", work, work, goal=0.6, repeats=1)
    assert made.missed == ["ours: 0.5 times as fast (goal 0.6)"]
    assert made.rows[0] == ("`ours`", "2 s", "theirs", "30 s *", "15 x")
    star = " Times with a star are measured on a part of the rows and scaled up."
    assert made.markdown().endswith(f"\n\nNote.{star} Medians of up to three runs, in turns.")
    made.rows.pop(0)
    assert made.markdown().endswith("\n\nNote. Medians of up to three runs, in turns.")


def test_a_comparison_counts_memory(clock):
    left, work = clock
    made = table.Comparison("Memory, with its input")
    kept = []

    def hungry():
        work()
        kept.append(bytes(3_000_000))

    left += [1, 1, 1]
    made.compare("ours", "theirs", hungry, work, input_bytes=2_000_000, repeats=1)
    assert made.rows[0][-1] == "2.50 x"
    assert made.missed == ["ours: memory 2.50 times the input (goal 2)"]


def test_a_row_must_fill_the_table():
    with pytest.raises(ValueError, match="has 1 cells, the head"):
        table.Table("A", "B").row("1")


@pytest.mark.parametrize(
    ("number", "digits", "text"),
    [(1234567, 2, "1,200,000"), (0.00012345, 3, "0.000123"), (99.96, 3, "100"), (2.0, 2, "2")],
)
def test_numbers_are_plain(number, digits, text):
    assert table.plain(number, digits) == text
