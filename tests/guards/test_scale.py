import subprocess
import sys

import pytest

from tools.guards import scale
from tools.guards.fences import ROOT
from tools.guards.ledger import sources_digest
from tools.guards.runner import Runner

SAYS = "import sys\n\nprint(sys.prefix)"


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Put an environment with nothing in it in place of the one of the engines, and return its folder."""
    folder = tmp_path / "other"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    monkeypatch.setattr(scale, "PYTHON", folder / "bin/python")
    return folder


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("docs/scale/engines.md", True),
        ("snippets/scale/engines.py", True),
        ("tests/scale/test_engines.py", True),
        ("benchmarks/scale/sizes.py", True),
        ("docs/labs/outgrown.py", True),
        ("docs/labs/leakage_clinic.py", False),
        ("docs/evaluation/drift.md", False),
        ("docs/features/numeric.md", False),
        ("snippets/evaluation/scale.py", False),
        ("docs/practice/scale/x.md", False),
        ("tests/guards/test_scale.py", False),
        ("docs/scale.md", False),
        ("outgrown.py", False),
        ("README.md", False),
        ("<block>", False),
    ],
)
def test_what_belongs_to_the_environment_of_the_engines(name, wanted, other):
    assert scale.is_scale(name) == wanted
    assert scale.python(name) == (str(other / "bin/python") if wanted else sys.executable)


def test_the_environment_is_the_one_that_make_builds():
    assert scale.PYTHON == ROOT / ".venv-scale/bin/python"
    assert "\nSCALE := .venv-scale\n" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_each_lab_that_runs_there_is_one():
    assert [lab for lab in sorted(scale.LABS) if not (ROOT / f"docs/labs/{lab}.py").is_file()] == []


def test_an_environment_that_is_missing_is_said_with_what_makes_it(monkeypatch, tmp_path):
    monkeypatch.setattr(scale, "PYTHON", tmp_path / "bin/python")
    with pytest.raises(RuntimeError, match=r"docs/scale/x\.md runs in an environment of its own: make \.venv-scale/"):
        scale.python("docs/scale/x.md")
    assert scale.python("docs/evaluation/drift.md") == sys.executable


def test_a_runner_runs_blocks_by_the_interpreter_that_it_is_given(tmp_path, other):
    for interpreter, prefix in ((sys.executable, sys.prefix), (str(other / "bin/python"), str(other))):
        runner = Runner(tmp_path, preload=False, python=interpreter)
        assert runner.run(SAYS).stdout == f"{prefix}\n"
        runner.close()


PLANT = "from pathlib import Path\n\nfrom tools.guards import scale\n\nscale.PYTHON = Path({!r})\n"


def test_a_page_of_the_section_runs_there_and_its_neighbour_here(tmp_path, other):
    (tmp_path / "plant.py").write_text(PLANT.format(str(scale.PYTHON)))
    for folder, prefix in (("scale", other), ("evaluation", sys.prefix)):
        page = tmp_path / "docs" / folder / "page.md"
        page.parent.mkdir(parents=True)
        shown = f"\n<!--pytest-codeblocks:expected-output-->\n\n```text\n{prefix}\n```\n"
        page.write_text(f"# Page\n\n```python\n{SAYS}\n```\n{shown}", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "plant", "-p", "tools.guards.ledger", "--codeblocks", "-q"]

    def run():
        return subprocess.run(
            [*command, f"--rootdir={tmp_path}", "-p", "no:cacheprovider", "docs"],
            cwd=tmp_path,
            env={"PYTHONPATH": f"{ROOT}:{tmp_path}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )

    done = run()
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    (tmp_path / "plant.py").write_text(PLANT.format("/nowhere/bin/python"))
    done = run()
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout
    assert "docs/scale/page.md runs in an environment of its own: make .venv-scale/.ready" in done.stdout


def test_a_ledger_of_other_engines_proves_nothing(tmp_path):
    (tmp_path / "requirements-scale.txt").write_text("pysail==0.7.2\n")
    one = sources_digest(tmp_path)
    (tmp_path / "requirements-scale.txt").write_text("pysail==0.7.3\n")
    assert sources_digest(tmp_path) != one
