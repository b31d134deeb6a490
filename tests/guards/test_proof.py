"""The proof on planted sites: each Python block that nothing vouches for is refused."""

import json

import pytest

from tools.guards.fences import FIGURE
from tools.guards.ledger import LEDGER, digest, sources_digest
from tools.guards.proof import ProofError, prove

CODE = "print(1)"
PRINTED = "import os"
COMMAND = "make test"
SECTION = "y = 2\nz = 3"
BADGE = '<a class="proof" href="proof.json"></a>'


def fence(code, language="python"):
    return f'<div class="language-{language} highlight"><pre><span></span><code>{code}\n</code></pre></div>'


@pytest.fixture
def world(tmp_path):
    """Return a folder with one page, one notebook, one snippet, and the ledger of a page's one block."""
    (tmp_path / "docs/labs").mkdir(parents=True)
    shown = "".join(f"```{kind}\n{code}\n```\n\n" for kind, code in [(FIGURE, "print(2)"), ("console", COMMAND)])
    (tmp_path / "docs/page.md").write_text(f"# P\n\n{shown}")
    (tmp_path / "docs/labs/lab.py").write_text("# %% [markdown]\n# # Lab\n\n# %%\na = 1\n\n\n# %%\nb = 2\n")
    (tmp_path / "snippets").mkdir()
    snippet = "# --8<-- [start:heart]\n    y = 2\n    z = 3\n    # --8<-- [end:heart]\n"
    (tmp_path / "snippets/s.py").write_text("def f():\n    " + snippet)
    (tmp_path / "requirements.txt").write_text("")
    write_ledger(tmp_path)
    return tmp_path


def write_ledger(root):
    block = {"page": "docs/page.md", "line": 3, "sha256": digest(CODE), "output": digest(PRINTED)}
    (root / LEDGER).parent.mkdir(exist_ok=True)
    (root / LEDGER).write_text(json.dumps({"sources": sources_digest(root), "blocks": [block]}))


OUTPUT = fence(PRINTED, "text")
SOUND = fence(CODE) + OUTPUT + fence(SECTION, "py") + fence(COMMAND, "console") + '<figure class="plot"></figure>'
LAB = fence("a = 1") + fence("x = 3", "text") + fence("b = 2")


def published(root, page=SOUND, lab=LAB):
    site = root / "site"
    for name, body in [("page", page), ("labs/lab", lab)]:
        (site / name).mkdir(parents=True, exist_ok=True)
        html = f'<html>{BADGE}{body}<script>{{"base": "{"/".join([".."] * len(name.split("/")))}"}}</script></html>'
        (site / name / "index.html").write_text(html)
    return site


def test_a_number_of_a_lab_that_it_does_not_print_is_refused(world):
    told = LAB + "<p>So x is 3, in 77 % of cases.</p>"
    with pytest.raises(ProofError, match="labs/lab/: '77 %' comes from nowhere"):
        prove(published(world, lab=told), world)


def test_a_sound_site_is_proven_and_signed(world):
    site = published(world)
    proof = prove(site, world)
    assert proof["pages"]["page/"][0] == {
        "kind": "run",
        "sha256": digest(CODE),
        "line": 3,
        "output": digest(PRINTED),
    }
    assert proof["totals"] == {"cell": 2, "figure": 1, "run": 1, "shown": 1}
    assert json.loads((site / "proof.json").read_text()) == proof
    html = (site / "page/index.html").read_text()
    assert "1 block run, 1 figure run, 1 snippet tested</a>" in html
    assert "2 cells run</a>" in (site / "labs/lab/index.html").read_text()


def test_home_counts_what_ran_and_a_page_its_claims(world):
    (world / "claims.json").write_text(json.dumps({"claims": {}}))
    shown = '<div class="claim holds"><p>A.</p></div>' * 2
    site = published(world, SOUND + f'<p class="proof-total"></p>{shown}')
    prove(site, world)
    html = (site / "page/index.html").read_text()
    assert "All 1 Python blocks and 2 lab cells on this site ran for this build" in html
    assert "1 snippet tested, 2 claims tried</a>" in html


FILE = "def f():\n    y = 2\n    z = 3"
WHOLE = f'<details class="whole">{fence(FILE, "py")}</details>'


def test_a_whole_file_is_proven_and_counted_apart(world):
    proof = prove(published(world, SOUND + WHOLE), world)
    assert proof["totals"] == {"cell": 2, "figure": 1, "run": 1, "shown": 1, "whole": 1}
    assert {block["file"] for block in proof["pages"]["page/"] if "file" in block} == {"snippets/s.py"}


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (SOUND + fence("print(2)"), "Python that did not run: 'print(2)'"),
        (SOUND + WHOLE.replace("z = 3", "z = 4"), "Python that did not run: 'def f():'"),  # not the file
        (SOUND + fence(CODE) + OUTPUT, "Python that did not run: 'print(1)'"),  # twice on the page, run once
        (SOUND + fence("y = 2", "py"), "Python that did not run"),  # a part of a section
        (SOUND + fence("print(2)", "pycon"), "Python that did not run"),
        (SOUND + fence("print(2)", "python3"), "Python that did not run"),
        (SOUND + "<pre><code>print(2)</code></pre>", "a <pre> outside of any fence shows 'print(2)'"),
        (SOUND + '<pre class="language-text">x</pre>', "a <pre> outside of any fence"),
        (SOUND + fence("def f(): pass", "text"), "no block printed this: 'def f(): pass'"),
        (SOUND + fence("a: 1", "yaml"), "no block printed this: 'a: 1'"),
        (SOUND + fence("make all", "console"), "no block printed this: 'make all'"),
        (SOUND + OUTPUT, "no block printed this: 'import os'"),  # shown once more, below nothing
        (SOUND.replace(OUTPUT, ""), "not what the block above printed: 'y = 2"),
        (SOUND.replace(OUTPUT, fence("import sys", "text")), "not what the block above printed: 'import sys'"),
        (SOUND.replace(OUTPUT, fence(COMMAND, "console")), "not what the block above printed: 'make test'"),
        (SOUND.replace(fence(CODE) + OUTPUT, "") + fence(CODE), "what the last block printed is not shown"),
        (SOUND + fence(""), "an empty code block"),
        (SOUND.replace(fence(CODE) + OUTPUT, ""), "a block ran but is not shown: line 3"),
        (SOUND.replace("plot", "plain"), "1 figures are drawn, 0 are shown"),
        (SOUND + '<div class="incident"></div>', "1 figures are drawn, 2 are shown"),
    ],
)
def test_what_nothing_vouches_for_is_refused(world, page, fault):
    with pytest.raises(ProofError) as caught:
        prove(published(world, page), world)
    assert f"page/: {fault}" in str(caught.value)


def test_an_incident_is_one_figure_whatever_it_holds(world):
    plot = '<figure class="plot"></figure>'
    proof = prove(published(world, SOUND.replace(plot, f'<div class="incident">{plot * 3}</div>')), world)
    assert [block["kind"] for block in proof["pages"]["page/"]].count("figure") == 1


@pytest.mark.parametrize("lab", [LAB + fence("c = 3"), fence("a = 1"), LAB.replace("a = 1", "a = 9")])
def test_a_notebook_shows_the_cells_that_ran_and_no_others(world, lab):
    with pytest.raises(ProofError, match="labs/lab/: "):
        prove(published(world, lab=lab), world)


def test_a_page_that_ran_must_be_published(world):
    site = published(world)
    (site / "page/index.html").unlink()
    with pytest.raises(ProofError, match=r"docs/page\.md ran but is not on the site"):
        prove(site, world)


@pytest.mark.parametrize("file", ["snippets/s.py", "requirements.txt"])
def test_a_ledger_of_older_sources_proves_nothing(world, file):
    (world / file).write_text("changed = True\n")
    with pytest.raises(ProofError, match="run `make test-docs`"):
        prove(published(world), world)


def test_without_a_ledger_nothing_is_proven(world):
    (world / LEDGER).unlink()
    with pytest.raises(ProofError, match="run `make test-docs`"):
        prove(published(world), world)
