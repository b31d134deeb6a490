"""What was proven is what is deployed, or the seal says what differs."""

import os
import shutil
import subprocess
import sys

import pytest

from tools.guards import seal
from tools.guards.fences import ROOT
from tools.guards.seal import SealError, check, main, write


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site/a b").mkdir(parents=True)
    (tmp_path / "site/index.html").write_text("home")
    (tmp_path / "site/a b/ü.html").write_text("page")
    return tmp_path / "site"


@pytest.fixture
def sealed(site, tmp_path):
    return write(site, tmp_path / "build/site.sha256")


def test_a_site_as_it_was_proven_passes_wherever_it_lies(site, sealed, tmp_path):
    assert check(site, sealed) == 2
    assert check(shutil.copytree(site, tmp_path / "elsewhere"), sealed) == 2


def test_the_seal_is_what_sha256sum_reads_and_writes(sealed):
    home = "4ea140588150773ce3aace786aeef7f4049ce100fa649c94fbbddb960f1da942"
    page = "3660315a9af3df255d8f19ab077e4797822b41488a0e2a04bc6af71213c23274"
    assert sealed.read_text(encoding="utf-8") == f"{page}  a b/ü.html\n{home}  index.html\n"


@pytest.mark.parametrize(
    ("plant", "complaint"),
    [
        (lambda site: (site / "index.html").write_text("home!"), "index.html: changed since it was proven"),
        (lambda site: (site / "index.html").write_text(""), "index.html: changed since it was proven"),
        (lambda site: (site / "index.html").unlink(), "index.html: missing"),
        (lambda site: (site / "index.html").rename(site / "x.html"), "index.html: missing\n.*x.html: not there when"),
        (lambda site: (site / "new").mkdir() or (site / "new/x.js").touch(), "new/x.js: not there when"),
        (lambda site: (site / ".hidden").touch(), "hidden: not there when the site was proven"),
        (lambda site: (site / "x.html").symlink_to(site / "index.html"), "x.html: neither a file nor a folder"),
        (lambda site: (site / "x").symlink_to(site / "a b"), "x: neither a file nor a folder"),
        (lambda site: os.mkfifo(site / "x"), "x: neither a file nor a folder"),
        (shutil.rmtree, "holds no file: build the site"),
    ],
)
def test_whatever_differs_is_named(site, sealed, plant, complaint):
    plant(site)
    with pytest.raises(SealError, match=complaint):
        check(site, sealed)


def test_each_file_that_differs_is_named(site, sealed):
    (site / "index.html").write_text("other")
    (site / "a b/ü.html").unlink()
    with pytest.raises(SealError) as error:
        check(site, sealed)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize("text", ["", "nonsense\n"])
def test_a_seal_with_nothing_in_it_passes_nothing(site, sealed, text):
    sealed.write_text(text)
    with pytest.raises(SealError, match=r"index\.html: not there when"):
        check(site, sealed)


def test_without_a_seal_it_says_how_to_get_one(site, tmp_path):
    with pytest.raises(SealError, match="does not exist: build the site with `make site`"):
        check(site, tmp_path / "none")


def test_the_command_writes_then_checks_and_fails_on_a_change(site, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(seal, "SEAL", tmp_path / "seal")
    assert main(["write", str(site)]) == main(["check", str(site)]) == 0
    assert "seal: 2 files" in capsys.readouterr().out
    (site / "index.html").write_text("other")
    assert main(["check", str(site)]) == 1
    assert "index.html: changed" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["check"], ["seal", "site"], ["check", "site", "more"]])
def test_another_command_line_says_what_is_right(arguments, capsys):
    assert main(arguments) == 2
    assert "write|check FOLDER" in capsys.readouterr().err


def test_it_runs_where_nothing_is_installed(site, sealed):
    code = "import sys, pathlib, tools.guards.seal as seal; print(seal.check(*map(pathlib.Path, sys.argv[1:])))"
    done = subprocess.run([sys.executable, "-S", "-c", code, site, sealed], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("2\n", "")
