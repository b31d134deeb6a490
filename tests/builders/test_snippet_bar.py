import re

import pytest
from bs4 import BeautifulSoup

from tools.builders.snippet_bar import mirror, served, with_bars
from tools.guards.fences import ROOT
from tools.guards.proof import parts, sections

SOURCE = """# --8<-- [start:one]
x = 1
# --8<-- [end:one]
# --8<-- [start:two]
y = "<b>"
# --8<-- [end:two]
"""


def shown(code):
    code = code.replace("&", "&amp;").replace("<", "&lt;")
    return f'<div class="language-py highlight"><pre><span></span><code>{code}\n</code></pre></div>'


@pytest.fixture
def root(tmp_path):
    for name, text in [("snippets/part/s.py", SOURCE), ("snippets/part/__init__.py", ""), ("tests/part/test_s.py", "")]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def bars(root, *codes, repository=""):
    html = with_bars("<p>a</p>" + "".join(map(shown, codes)), sections(root), root, "../..", repository)
    return BeautifulSoup(html, "html.parser").select(".snippet-file")


def links(bar):
    return {link.text: link["href"] for link in bar.find_all("a")}


def test_the_first_bar_of_a_file_holds_all_of_it_and_the_others_lead_there(root):
    one, two = bars(root, "x = 1", 'y = "<b>"')
    assert one.code.text == "snippets/part/s.py"
    assert one.select_one("details.whole pre").text.strip("\n") == 'x = 1\ny = "<b>"'
    assert not two.select("details")
    assert links(two) == {
        "Whole file": f"#{one.details['id']}",
        "Test": "../../tests/part/test_s.py",
        "Download": "../../snippets/part/s.py",
    }
    assert two.find("a", string="Download").has_attr("download")


def test_a_bar_leads_to_the_repository_where_there_is_one(root):
    (bar,) = bars(root, "x = 1", repository="https://example.org/a/b/")
    assert links(bar)["Repository"] == "https://example.org/a/b/blob/HEAD/snippets/part/s.py"


def test_what_is_shown_whole_is_not_shown_twice(root):
    (bar,) = bars(root, 'x = 1\ny = "<b>"')
    assert "Whole file" not in bar.text


def test_a_bar_stands_right_above_what_it_names_and_above_nothing_else(root):
    html = with_bars(shown("z = 3") + shown("x = 1"), sections(root), root, "..", "")
    assert html.startswith(shown("z = 3") + '<div class="snippet-file">')
    assert html.endswith(f"</div>{shown('x = 1')}")
    assert with_bars("<p>x = 1</p>", {}, root, "..", "") == "<p>x = 1</p>"


def test_snippets_and_the_tests_that_mirror_them_are_served(root):
    (root / "snippets/part/untested.py").touch()
    (root / "tests/part/test_other.py").touch()
    (root / "tests/part/test_s.py").write_text("from tests.part.helper import x\n")
    (root / "tests/part/helper.py").write_text("from tests.deep import y\n")
    (root / "tests/deep.py").touch()
    assert served(root) == [
        *("snippets/part/__init__.py", "snippets/part/s.py", "snippets/part/untested.py"),
        *("tests/deep.py", "tests/part/helper.py", "tests/part/test_s.py"),
    ]
    assert mirror("snippets/a/b/c.py") == "tests/a/b/test_c.py"


def test_no_two_snippets_hold_the_same_section():
    """Or a bar would name the wrong one."""
    found = [part.strip() for path in (ROOT / "snippets").rglob("*.py") for part in parts(path.read_text()).values()]
    assert len(found) == len(set(found))


def test_each_snippet_has_a_test_that_mirrors_it():
    files = served(ROOT)
    snippets = [file for file in files if re.match(r"snippets/.*(?<!__init__)\.py", file)]
    assert [file for file in snippets if mirror(file) not in files] == []
