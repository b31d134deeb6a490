import re
import subprocess

import pytest

from tools.guards import git


def repository(folder):
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "first"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide/page.md").write_text("# Page\n")
    monkeypatch.setattr(git, "ROOT", tmp_path / "guide")
    return tmp_path / "guide"


def test_a_repository_names_its_commit_and_whether_all_is_committed(tree):
    head = repository(tree)
    assert (git.commit(), git.clean()) == (head, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", git.date())
    (tree / "page.md").write_text("# Changed\n")
    assert (git.commit(), git.clean()) == (head, False)


def test_a_source_archive_has_no_commit_and_nobody_says_that_it_is_clean(tree):
    assert (git.commit(), git.clean(), git.date()) == (None, None, None)


def test_the_repository_around_a_source_archive_is_not_its_own(tree):
    repository(tree.parent)
    assert (git.commit(), git.clean()) == (None, None)


def test_without_git_there_is_no_commit(tree, monkeypatch):
    repository(tree)
    monkeypatch.setenv("PATH", str(tree))
    assert (git.commit(), git.clean()) == (None, None)


def test_the_history_of_a_folder_starts_after_the_first_commit(tree):
    assert git.history(".") == ""
    repository(tree)
    assert git.history(".") == ""
    (tree / "page.md").write_text("# Changed\n")
    (tree / "new.md").write_text("# New\n")
    repository(tree)
    second, *files = git.history(".").strip("\0").split()
    assert int(second) > 1e9
    assert files == ["A", "new.md", "M", "page.md"]


def test_a_branch_counts_as_of_its_merge_and_names_are_told_as_they_are(tree):
    repository(tree)

    def run(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *who, *arguments], cwd=tree, check=True, capture_output=True)

    run("checkout", "-q", "-b", "branch")
    (tree / "café.md").write_text("# New\n")
    run("add", "-A")
    run("commit", "-qm", "On the branch", "--date=2020-01-01T00:00:00")
    run("checkout", "-q", "-")
    run("merge", "-q", "--no-ff", "-m", "Merge", "branch")
    (entry,) = git.history(".").strip("\0").split("\0")
    assert entry.split()[1:] == ["A", "café.md"]
