"""Every way in which a source could hide code, or a test could check nothing, planted, and refused."""

import ast

import pytest

from tools.guards.sources import check_files, check_snippet, check_sources, check_tests, dead_code

SNIPPET = '''"""A module."""

import sys


def f(x, debug=False):
    """Do something, as ``x or 0`` does."""
    # --8<-- [start:heart]
    y = x or 0
    for i in (1, 2):
        if debug and i:
            continue
        y += i if i > x else -i
    # --8<-- [end:heart]
    while True:
        y -= 1
        if y < 0:
            break
    return [z for z in range(y) if z % 2]


# --8<-- [start:other]
def g(x):
    try:
        return f(x)
    except ValueError:
        pass
    with x:
        raise KeyError
    return None
# --8<-- [end:other]


if __name__ == "__main__":
    print(f(len(sys.argv)))
'''


def test_a_sound_snippet_passes():
    assert list(check_snippet(SNIPPET)) == []


DEAD = {
    "if False": "if False:\n    f()",
    "if 0": "if 0:\n    f()",
    "if not True": "if not True:\n    f()",
    "if an empty text": "if '':\n    f()",
    "if an empty tuple": "if ():\n    f()",
    "if None": "if None:\n    f()",
    "if a call of constants": "if bool(0):\n    f()",
    "if a call of nothing": "if not any([]):\n    f()",
    "if a sum": "if 1 - 1:\n    f()",
    "if a comparison of constants": "if 1 > 2:\n    f()",
    "if the same on both sides": "if x != x:\n    f()",
    "if True": "if True:\n    f()\nelse:\n    g()",
    "if a full tuple": "if (x, 'why'):\n    f()",
    "if a lambda": "if lambda: x:\n    f()",
    "if a text with a value": "if f'{x}!':\n    f()",
    "elif": "if x:\n    f()\nelif False:\n    g()",
    "or": "if x or True:\n    f()",
    "and": "if x and False:\n    f()",
    "and on the left": "if False and x:\n    f()",
    "walrus": "if y := 0:\n    f()",
    "while 0": "while 0:\n    f()",
    "while False": "while False:\n    f()",
    "for nothing": "for i in []:\n    f()",
    "for an empty tuple": "for i in ():\n    f()",
    "list of nothing": "x = [f(i) for i in []]",
    "list of what is not": "x = [f(i) for i in y if False]",
    "if TYPE_CHECKING": "if TYPE_CHECKING:\n    import x",
    "if typing.TYPE_CHECKING": "if typing.TYPE_CHECKING:\n    import x",
    "debug": "if __debug__:\n    f()\nelse:\n    g()",
    "expression": "x = f() if True else g()",
    "expression with a constant": "x = f() if 1 == 2 else g()",
    "or on the left": "True or f()",
    "or in an assignment": "x = 1 or f()",
    "and in an assignment": "x = y and 0 and f()",
    "after return": "def f():\n    return 1\n    g()",
    "after return in a branch": "def f(x):\n    if x:\n        return 1\n        g()\n    return 2",
    "after raise": "def f():\n    raise ValueError\n    g()",
    "after continue": "for x in y:\n    continue\n    g()",
    "after break": "while x:\n    break\n    g()",
    "after both branches": "def f(x):\n    if x:\n        return 1\n    else:\n        return 2\n    g()",
    "after a loop without end": "def f():\n    while True:\n        g()\n    h()",
    "after a loop without a break of its own": "while True:\n    for x in y:\n        break\nh()",
    "after a try that returns": "def f():\n    try:\n        return 1\n    except ValueError:\n        raise\n    g()",
    "after a finally that returns": "def f():\n    try:\n        g()\n    finally:\n        return 1\n    h()",
    "after a with that returns": "def f():\n    with x:\n        return 1\n    g()",
    "in a handler": "try:\n    f()\nexcept ValueError:\n    raise\n    g()",
    "in a finally": "def f():\n    try:\n        g()\n    finally:\n        return\n        h()",
    "in a case": "match x:\n    case 1 if False:\n        f()",
    "match of a constant": "match 1:\n    case 2:\n        f()",
}


@pytest.mark.parametrize("code", DEAD.values(), ids=DEAD)
def test_code_that_never_runs_is_refused(code):
    assert list(check_snippet(code))


MARKERS = {
    "in a string": 'x = """\n# --8<-- [start:a]\n"""\n# --8<-- [end:a]',
    "in a docstring": 'def f():\n    """Do.\n\n    # --8<-- [start:a]\n    # --8<-- [end:a]\n    """',
    "behind code": "x = 1  # --8<-- [start:a]\ny = 2\n# --8<-- [end:a]",
    "with words": "# --8<-- [start:a] here\nx = 1\n# --8<-- [end:a]",
    "twice": "# --8<-- [start:a]\nx = 1\n# --8<-- [end:a]\n# --8<-- [start:a]\ny = 1\n# --8<-- [end:a]",
    "never closed": "# --8<-- [start:a]\nx = 1",
    "never opened": "x = 1\n# --8<-- [end:a]",
    "closed twice": "# --8<-- [start:a]\nx = 1\n# --8<-- [end:a]\n# --8<-- [end:a]",
    "opened twice": "# --8<-- [start:a]\n# --8<-- [start:a]\nx = 1\n# --8<-- [end:a]",
    "nested": "# --8<-- [start:a]\n# --8<-- [start:b]\nx = 1\n# --8<-- [end:b]\n# --8<-- [end:a]",
    "crossed": "# --8<-- [start:a]\n# --8<-- [start:b]\nx = 1\n# --8<-- [end:a]\n# --8<-- [end:b]",
    "other dashes": "# -8<- [start:a]\nx = 1\n# -8<- [end:a]",
    "escaped": "# ;--8<-- [start:a]\nx = 1\n# --8<-- [end:a]",
    "without a name": "# --8<-- [start]\nx = 1\n# --8<-- [end]",
    "name of digits": "# --8<-- [start:1]\nx = 1\n# --8<-- [end:1]",
    "include": '"""\n--8<-- "mkdocs.yml"\n"""',
    "fence in a docstring": '"""Do.\n\n```\nx\n```\n"""',
}


@pytest.mark.parametrize("code", MARKERS.values(), ids=MARKERS)
def test_sections_are_marked_in_one_way(code):
    assert list(check_snippet(code))


def test_the_fault_names_the_line():
    assert [line for line, _ in check_snippet("x = 1\nif False:\n    x = 2\n")] == [2]
    assert [line for line, _ in check_snippet("x = 1\n\n# --8<-- [end:a]\n")] == [3]


TESTS = {
    "assertion": "def test_x():\n    assert f() == 1",
    "raises": "def test_x():\n    with pytest.raises(ValueError):\n        f()",
    "warns": "def test_x():\n    with pytest.warns(UserWarning):\n        f()",
    "numpy's": "def test_x():\n    np.testing.assert_allclose(f(), 1)",
    "playwright's": "def test_x(page):\n    expect(page.locator('x')).to_have_count(1)",
    "helper": "def test_x():\n    hold(f())\n\n\ndef hold(x):\n    assert x",
    "helper of a helper": "def test_x():\n    keep(1)\n\n\ndef keep(x):\n    hold(x)\n\n\ndef hold(x):\n    assert x",
    "helper of another module": "from tests.helpers import hold as h\n\n\ndef test_x():\n    h(1)",
    "loop": "def test_x():\n    for x in f():\n        assert x",
    "method": "class TestX:\n    def test_x(self):\n        assert f()",
    "comparison of two calls": "def test_x():\n    assert f(0) == f(0)",
    "none": "x = 1",
}
HELPERS = "def hold(x):\n    assert x\n\n\ndef idle(x):\n    return x\n"


def faults(code, name="tests/test_x.py"):
    return check_tests({name: code, "tests/helpers.py": HELPERS})


@pytest.mark.parametrize("code", TESTS.values(), ids=TESTS)
def test_a_test_that_checks_passes(code):
    assert faults(code) == []


IDLE = {
    "call": "def test_x():\n    f()",
    "pass": "def test_x():\n    pass",
    "comparison": "def test_x():\n    f() == 1",
    "print": "def test_x():\n    print(f())",
    "return": "def test_x():\n    return f() == 1",
    "in a function within": "def test_x():\n    def g():\n        assert f()",
    "in a lambda": "def test_x():\n    g = lambda: pytest.raises(ValueError)",
    "helper that is not called": "def test_x():\n    g = hold\n\n\ndef hold(x):\n    assert x",
    "helper that is idle": "def test_x():\n    hold(1)\n\n\ndef hold(x):\n    return x",
    "helpers that call each other": "def test_x():\n    a()\n\n\ndef a():\n    b()\n\n\ndef b():\n    a()",
    "idle helper of another module": "from tests.helpers import idle\n\n\ndef test_x():\n    idle(1)",
    "test that calls itself": "def test_x():\n    test_x()",
    "one of two of a name": "class A:\n    def test_x(self):\n        assert f()\n\n\ndef test_x():\n    f()",
    "assert True": "def test_x():\n    assert True",
    "assert 1": "def test_x():\n    f()\n    assert 1",
    "assert a call of constants": "def test_x():\n    assert len('x')",
    "assert a text": "def test_x():\n    assert 'f() == 1'",
    "assert a tuple": "def test_x():\n    assert (f() == 1, 'why')",
    "assert or True": "def test_x():\n    assert f() or True",
    "assert not None": "def test_x():\n    assert not None",
    "assert a generator": "def test_x():\n    assert (x for x in f())",
    "assert a lambda": "def test_x():\n    assert lambda: f()",
    "assert a name and itself": "def test_x():\n    x = f()\n    assert x == x",
    "assert after return": "def test_x():\n    return\n    assert f()",
    "assert under if False": "def test_x():\n    if False:\n        assert f()",
    "assert for nothing": "def test_x():\n    for x in []:\n        assert x",
    "caught assertion": "def test_x():\n    try:\n        assert f()\n    except AssertionError:\n        pass",
    "caught exception": "def test_x():\n    try:\n        assert f()\n    except Exception:\n        pass",
    "caught everything": "def test_x():\n    try:\n        assert f()\n    except:\n        pass",
    "suppressed": "def test_x():\n    with contextlib.suppress(AssertionError):\n        assert f()",
    "skip": "def test_x():\n    pytest.skip('x')\n    assert f()",
    "imported skip": "from pytest import skip as s\n\n\ndef test_x():\n    assert f()",
    "mark": "@pytest.mark.skip\ndef test_x():\n    assert f()",
    "condition": "@pytest.mark.skipif(True, reason='x')\ndef test_x():\n    assert f()",
    "importorskip": "x = pytest.importorskip('x')\n\n\ndef test_x():\n    assert x",
    "expected to fail": "@pytest.mark.xfail\ndef test_x():\n    assert f()",
    "exit": "def test_x():\n    pytest.exit('x')\n    assert f()",
    "mark for all": "pytestmark = pytest.mark.slow\n\n\ndef test_x():\n    assert f()",
    "not a test": "class TestX:\n    __test__ = False\n\n    def test_x(self):\n        assert f()",
    "left out": "collect_ignore = ['x']",
    "swallowed by a finally": "def test_x():\n    try:\n        assert f()\n    finally:\n        return",
    "swallowed by a break": "def test_x():\n    for x in y:\n        try:\n            assert x\n        finally:\n"
    "            break",
    "swallowed by a context": "class A:\n    def __exit__(self, *_):\n        return True\n\n\n"
    "def test_x():\n    with A():\n        assert f()",
    "caught by an attribute": "def test_x():\n    try:\n        assert f()\n    except builtins.AssertionError:\n"
    "        pass",
    "raised again, perhaps": "def test_x():\n    try:\n        assert f()\n    except AssertionError:\n        if x:\n"
    "            raise",
    "in a class of another name": "class Checks:\n    def test_x(self):\n        assert f()",
    "within a function": "def g():\n    def test_x():\n        assert f()",
    "under a condition": "if sys.platform == 'x':\n\n    def test_x():\n        assert f()",
    "left out by a pattern": "collect_ignore_glob = ['*']",
    "plugins": "pytest_plugins = ['tests.helpers']",
    "hook by assignment": "pytest_collection_modifyitems = lambda items: items.clear()",
    "hook by import": "from tests.helpers import idle as pytest_collection_modifyitems",
    "unittest's": "class TestX(unittest.TestCase):\n    @unittest.expectedFailure\n    def test_x(self):\n"
    "        assert f()",
    "no phase": "@settings(phases=[])\n@given(x)\ndef test_x(x):\n    assert f(x)",
    "hook": "def pytest_collection_modifyitems(items):\n    items.clear()",
}


@pytest.mark.parametrize("code", IDLE.values(), ids=IDLE)
def test_a_test_that_checks_nothing_is_refused(code):
    (fault, *_) = faults(code)
    assert fault.startswith("tests/test_x.py:")


def test_a_test_where_none_is_collected_is_refused():
    assert faults(TESTS["assertion"], "tests/more.py") == [
        "tests/more.py:1: test_x is never collected: no test_….py imports it"
    ]
    assert (
        check_tests({"tests/more.py": TESTS["assertion"], "tests/test_x.py": "from tests.more import test_x\n"}) == []
    )


def test_two_sides_of_a_loop_are_not_dead():
    assert list(dead_code(ast.parse("while True:\n    if f():\n        break\nprint(1)"))) == []


@pytest.fixture
def guide(tmp_path):
    """Return the files of a small guide, all where they belong."""
    for name in [
        "docs/index.md",
        "docs/evaluation/lift.md",
        "docs/labs/lab.py",
        "docs/assets/css/site.css",
        "docs/assets/favicon.svg",
        "docs/assets/fonts/LICENSE-inter.txt",
        "snippets/__init__.py",
        "snippets/evaluation/__init__.py",
        "snippets/evaluation/lift.py",
        "snippets/ruff.toml",
        "tests/__init__.py",
        "tests/conftest.py",
        "figures/__init__.py",
        "theme/main.html",
        "pyproject.toml",
    ]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_files_where_they_belong_pass(guide):
    (guide / "docs/labs/__pycache__").mkdir()
    (guide / "docs/labs/__pycache__/lab.cpython-311.pyc").touch()
    (guide / "docs/evaluation/index.md").touch()
    assert check_files(guide) == []


@pytest.mark.parametrize(
    "name",
    [
        "docs/page.markdown",
        "docs/page.mkd",
        "docs/page.mkdn",
        "docs/page.mdown",
        "docs/page.MD",
        "docs/page.html",
        "docs/page.htm",
        "docs/page.ipynb",
        "docs/page.txt",
        "docs/page.json",
        "docs/page.py",
        "docs/evaluation/page.py",
        "docs/labs/more/lab.py",
        "docs/labs/lab.ipynb",
        "docs/labs/lab.html",
        "docs/assets/page.md",
        "docs/assets/page.html",
        "docs/assets/js/page.htm",
        "docs/assets/image.svg",
        "docs/assets/image.png",
        "docs/assets/data.json",
        "docs/.hidden.md",
        "docs/.hidden/page.md",
        "docs/LICENSE",
        "docs/__pycache__/page.html",
        "docs/labs/__pycache__/page.txt",
        "docs/evaluation/lift/index.md",
        "docs/README.md",
        "snippets/evaluation/secret.pyc",
        "snippets/__pycache__/secret.py",
        "docs/conftest.py",
        "conftest.py",
        "snippets/conftest.py",
        "tools/conftest.py",
        "templates/evaluation/conftest.py",
        "snippets/more/lift.py",
        "snippets/evaluation/more/lift.py",
        "snippets/evaluation/lift.pyx",
        "snippets/evaluation/lift.so",
        "snippets/evaluation/data.csv",
        "tests/more/test_x.py",
        "tests/pytest.ini",
        "figures/more/x.py",
        ".coveragerc",
        "snippets/.coveragerc",
        "snippets/.ruff.toml",
        "snippets/evaluation/ruff.toml",
        "tests/ruff.toml",
        "pytest.ini",
        ".pytest.ini",
        "tox.ini",
        "setup.cfg",
        "sitecustomize.py",
        "usercustomize.py",
        "numpy.py",
    ],
)
def test_files_elsewhere_are_refused(guide, name):
    (guide / name).parent.mkdir(parents=True, exist_ok=True)
    (guide / name).touch()
    assert check_files(guide)


@pytest.mark.parametrize("more", ['exclude = ["lift.py"]', 'lint.ignore = ["E501"]', '[lint]\nselect = ["E"]'])
def test_a_folder_sets_its_line_length_alone(guide, more):
    settings = guide / "snippets/ruff.toml"
    settings.write_text('extend = "../pyproject.toml"\nline-length = 88\n')
    assert check_files(guide) == []
    settings.write_text(f"{settings.read_text()}{more}\n")
    (fault,) = check_files(guide)
    assert fault.startswith("snippets/ruff.toml:1: ")


def test_links_to_files_elsewhere_are_refused(guide):
    (guide / "docs/linked.md").symlink_to(guide / "pyproject.toml")
    assert [fault.split(":")[0] for fault in check_files(guide)] == ["docs/linked.md"]


def test_the_sources_of_the_guide_pass():
    assert check_sources() == []
