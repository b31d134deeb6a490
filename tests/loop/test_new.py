import re
from pathlib import Path

import pytest

from tests.loop.copies import BUILT, READ, copy
from tools.guards.fences import ROOT
from tools.loop import new, page
from tools.loop.new import layout, sections, write


def tree(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def guide(tmp_path, monkeypatch):
    monkeypatch.setattr(new, "_with_outputs", lambda text, source, imported: text)  # the rest needs no block
    for folder in ("problem", "training_data", "features", "modeling", "evaluation"):
        (tmp_path / "snippets" / folder).mkdir(parents=True)
        (tmp_path / "tests" / folder).mkdir(parents=True)
    (tmp_path / "tests/contract").mkdir()
    return copy(READ, tmp_path)


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    guide = copy(BUILT, tmp_path_factory.mktemp("guide"))
    write(layout(guide, "training-data/label-noise", "Label noise: how much?"))
    return guide


@pytest.mark.parametrize("name", ["blocks", "tests", "contract", "lint", "guard", "entries", "build"])
def test_a_fresh_layout_passes_every_step_of_make_page(laid_out, name, monkeypatch):
    monkeypatch.setattr(page, "ROOT", laid_out)
    (step,) = [s for s in page.steps(laid_out / "docs/training-data/label-noise.md") if s.name == name]
    assert page.run(step, None).faults == ""


def test_a_fresh_layout_shows_what_its_block_prints(laid_out):
    text = (laid_out / "docs/training-data/label-noise.md").read_text()
    assert re.search(r"```text\n0\.\d\d\n```", text)
    assert "snippets: [snippets/training_data/label_noise.py]" in text
    assert 'title: "Label noise: how much?"' in text
    assert "normalized_entropy" not in text


def test_all_that_a_person_replaces_is_listed(laid_out, monkeypatch):
    monkeypatch.setattr(page, "ROOT", laid_out)
    files = [laid_out / "docs/training-data/label-noise.md", laid_out / "snippets/training_data/label_noise.py"]
    left = page.placeholders([*files, laid_out / "docs/glossary.md"])
    assert any(line.startswith("docs/training-data/label-noise.md:3: ") for line in left)
    assert any(line.startswith("snippets/training_data/label_noise.py:1: ") for line in left)
    assert sum("(training-data/label-noise.md)" in line for line in left) == 1


def test_each_section_has_its_place(guide):
    titles = {"problem": "Problem Navigation", "training-data": "Training Data", "features": "Feature Engineering"}
    titles |= {"modeling": "Modeling", "evaluation": "Evaluation & Deployment"}
    assert sections(guide) == titles
    for section in titles:
        write(layout(guide, f"{section}/zebra-{section}", f"Zebra {section}"))
    nav, index = (guide / "mkdocs.yml").read_text(), (guide / "docs/index.md").read_text()
    for section, title in titles.items():
        zebra = f"{section}/zebra-{section}.md"
        assert re.search(
            rf"^          - Zebra {section}: {zebra}\n          - .*: {section}/quiz\.md$", nav, re.MULTILINE
        )
        assert f"[zebra {section}]({zebra})" in index.split(f"## {title} ")[1].split("\n## ")[0]


@pytest.mark.parametrize("name", ["mkdocs.yml", "docs/index.md", "docs/study.md", "docs/glossary.md"])
def test_entries_are_added_and_nothing_else_changes(guide, name):
    before = (guide / name).read_text()
    after = layout(guide, "evaluation/lift", "Lift")[guide / name]
    without = re.sub(r"(?m)^Lift\n: .*\n\n|^ *- (Lift: |\[Lift\]).*\n|, \[lift\]\(evaluation/lift\.md\)", "", after)
    assert after != before
    assert without == before


def test_a_term_stands_in_the_order_of_letters_whatever_their_case(guide):
    text = layout(guide, "evaluation/pctr", "pCTR")[guide / "docs/glossary.md"]
    part = text[text.index("## Evaluation") : text.index("## Systems")]
    terms = re.findall(r"^(\S.*)\n:", part, re.MULTILINE)
    assert "pCTR" in terms
    assert terms == sorted(terms, key=str.lower)


def test_a_term_that_the_glossary_has_stays_as_it_is(guide):
    glossary = guide / "docs/glossary.md"
    assert layout(guide, "problem/goodhart", "Goodhart's law")[glossary] == glossary.read_text()


@pytest.mark.parametrize(
    ("name", "title", "message"),
    [
        ("lift", "Lift", "'lift' is no section"),
        ("scale/lift", "Lift", "P=scale/lift: a page of scale has an environment of its own and no template: copy"),
        ("docs/lift", "Lift", "'docs' is no section; say section/name, with one of problem, training-data, features"),
        ("training_data/lift", "Lift", "'training_data' is no section"),
        ("practice/lift", "Lift", "'practice' is no section"),
        ("evaluation/", "Lift", "'' is no name"),
        ("evaluation/Lift", "Lift", "'Lift' is no name: write lowercase words joined by hyphens"),
        ("evaluation/two_words", "Lift", "'two_words' is no name"),
        ("evaluation/lift.md", "Lift", "'lift.md' is no name"),
        ("evaluation/more/lift", "Lift", "'more/lift' is no name"),
        ("evaluation/../lift", "Lift", "'../lift' is no name"),
        ("evaluation/lift-", "Lift", "'lift-' is no name"),
        ("evaluation/class", "Lift", "'class' is no name"),
        ("evaluation/print", "Lift", "'print' is no name"),
        ("evaluation/drift", "Lift", "docs/evaluation/drift.md exists: choose another name"),
        ("problem/rubric", "Lift", "docs/problem/rubric.md exists: choose another name"),
        (
            "evaluation/lift",
            "interleaving of two rankers",
            "'interleaving of two rankers' is the title of docs/evaluation/interleaving.md",
        ),
        ("evaluation/lift", "Lift <b>", "'Lift <b>' is no title"),
        ("evaluation/lift", "Lift](x.md)", "is no title"),
        ("evaluation/lift", "`lift`", "is no title"),
        ("evaluation/lift", 'The "lift"', "is no title"),
        ("evaluation/lift", "Lift\nsection: x", "is no title"),
        ("evaluation/lift", "Lift " * 13, "is no title: write up to 48 letters"),
    ],
)
def test_a_bad_page_is_refused_by_name(guide, name, title, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        layout(guide, name, title)


def test_a_name_that_the_template_needs_itself_is_refused():
    with pytest.raises(ValueError, match="does not run under this name, choose another"):
        layout(ROOT, "evaluation/np", "Lift")


@pytest.mark.parametrize("taken", ["snippets/evaluation/lift.py", "tests/evaluation/test_lift.py"])
def test_no_file_is_overwritten(guide, taken):
    (guide / taken).write_text("mine")
    with pytest.raises(ValueError, match=f"{taken} exists"):
        layout(guide, "evaluation/lift", "Lift")


@pytest.mark.parametrize(
    ("name", "gone", "message"),
    [
        (
            "docs/study.md",
            "Second week:",
            "study.md has no place for the new page: there is no list below 'Second week:'",
        ),
        ("docs/index.md", "## Evaluation", "index.md has no place for the new page: it has no heading"),
        ("docs/glossary.md", "](evaluation/", "glossary.md has no place for the new page"),
    ],
)
def test_a_file_without_a_place_for_the_entry_is_named(guide, name, gone, message):
    text = (guide / name).read_text()
    (guide / name).write_text(text.replace(gone, "") if "gloss" not in name else "# Glossary\n")
    with pytest.raises(ValueError, match=re.escape(message)):
        layout(guide, "evaluation/lift", "Lift")


def test_a_disk_that_fills_up_leaves_everything_as_it_was(guide, monkeypatch):
    texts = {guide / "docs/index.md": "new", guide / "docs/more.md": "new", guide / "mkdocs.yml": "new"}
    before, write_text = tree(guide), Path.write_text

    def full(path, text, **settings):
        if "mkdocs" in path.name:
            raise OSError(28, "No space left on device")
        return write_text(path, text, **settings)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write(texts)
    assert tree(guide) == before


@pytest.mark.parametrize("arguments", [[], ["", ""], ["evaluation/lift", ""], ["", "Lift"]])
def test_the_command_says_how_it_is_called(monkeypatch, capsys, arguments):
    monkeypatch.setattr("sys.argv", ["new", *arguments])
    assert new.main() == 1
    assert capsys.readouterr().err == 'say which page: make new P=evaluation/lift TITLE="Lift"\n'


def test_the_command_names_what_is_wrong(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["new", "evaluation/drift", "Lift"])
    assert new.main() == 1
    assert "docs/evaluation/drift.md, snippets/evaluation/drift.py" in capsys.readouterr().err


def test_the_command_writes_and_says_what_comes_next(guide, monkeypatch, capsys):
    monkeypatch.setattr(new, "ROOT", guide)
    monkeypatch.setattr("sys.argv", ["new", "evaluation/lift", "Lift"])
    assert new.main() == 0
    said = capsys.readouterr().out
    assert "wrote docs/evaluation/lift.md" in said
    assert "then: make page P=evaluation/lift" in said
    assert (guide / "snippets/evaluation/lift.py").is_file()
    assert list(guide.rglob(".*.new")) == []
