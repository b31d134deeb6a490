"""Refuse source files in which code could hide from coverage, from the pages, or from the tests.

Coverage does not see what Python's compiler throws away, and a test that asserts nothing covers all the same.
"""

from __future__ import annotations

import ast
import builtins
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

from tools.guards.fences import ROOT

MARKER = re.compile(r"# --8<-- \[(start|end):([a-z_]\w*)\]")
ASSETS = {".css", ".js", ".woff2", ".txt"}
FOLDERS = ("benchmarks", "claims", "docs", "figures", "includes", "snippets", "templates", "tests", "tools")
ELSEWHERE = {
    ".coveragerc",
    ".ruff.toml",
    "pytest.ini",
    ".pytest.ini",
    "tox.ini",
    "setup.cfg",
    "sitecustomize.py",
    "usercustomize.py",
}
LAYOUT = {"extend", "line-length"}  # all that a folder's ruff.toml may set
SKIPS = {
    "suppress",
    "skip",
    "skipif",
    "skipTest",
    "importorskip",
    "xfail",
    "exit",
    "__test__",
    "collect_ignore",
    "collect_ignore_glob",
    "pytest_plugins",
    "expectedFailure",
    "SkipTest",
    "pytestmark",
}
CATCHES = {"AssertionError", "Exception", "BaseException"}
_CONSTANT_NAMES = {"TYPE_CHECKING", "__debug__"}
_ENDS = ast.Return | ast.Raise | ast.Continue | ast.Break


def sources() -> list[Path]:
    """Return every Python file that pages show or draw with, and every test."""
    return _python("snippets", "figures", "templates", "tests")


def check_sources() -> list[str]:
    """Return the faults of all files that are not pages, each as ``path:line: what is wrong``."""
    faults = [*check_files(ROOT)]
    for path in _python("snippets", "figures", "templates"):
        faults += _named(path, check_snippet(path.read_text(encoding="utf-8")))
    tests = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in _python("tests")}
    tests["templates/test_snippet.py"] = (ROOT / "templates/test_snippet.py").read_text(encoding="utf-8")
    return faults + check_tests(tests)


def _python(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def _named(path: Path, faults: Iterator[tuple[int, str]]) -> list[str]:
    return [f"{path.relative_to(ROOT).as_posix()}:{line}: {what}" for line, what in sorted(faults)]


def check_files(root: Path) -> list[str]:
    """Return the files that would be published, imported or read as settings from where nobody looks."""
    faults = []
    for path in sorted((root / "docs").rglob("*")):
        parts = path.relative_to(root / "docs").parts
        if path.is_symlink() or (path.is_file() and not _belongs_below_docs(parts) and not _is_compiled(path)):
            kinds = " ".join(sorted(ASSETS))
            faults.append(f"{path.relative_to(root)}:1: docs/ holds .md, labs/*.py, and in assets/ {kinds}")
    addresses = [path for path in (root / "docs").rglob("*") if path.suffix in (".md", ".py")]
    for address, paths in groupby(sorted(addresses, key=_address), _address):
        if len(found := [path.relative_to(root).as_posix() for path in paths]) > 1:
            faults.append(f"{found[0]}:1: {address.relative_to(root / 'docs')} is the address of {' and '.join(found)}")
    for folder in ("snippets", "tests", "figures", "claims"):
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").is_file():
                faults.append(f"{name}:1: a folder needs an __init__.py, or coverage does not look into it")
            elif name.as_posix() in ("snippets/ruff.toml", "tests/site/README.md") and not path.is_symlink():
                continue
            elif path.is_symlink() or (path.is_file() and not (_is_source(path) or _is_compiled(path))):
                faults.append(f"{name}:1: {folder}/ holds Python sources alone")
    found = [*root.glob("*"), *(path for folder in FOLDERS for path in (root / folder).rglob("*"))]
    for path in sorted(found):
        name = path.relative_to(root)
        if path.name in ELSEWHERE:
            faults.append(f"{name}:1: settings stand in pyproject.toml, where a test holds them")
        elif path.name == "ruff.toml" and (more := _settings(path) - LAYOUT):
            faults.append(f"{name}:1: {min(more)} stands in pyproject.toml: a folder sets its line length alone")
        elif path.name == "conftest.py" and name.parts[0] != "tests":
            faults.append(f"{name}:1: pytest would run this before the pages: a conftest.py belongs below tests/")
        elif path.suffix == ".py" and len(name.parts) == 1:
            faults.append(f"{name}:1: a module at the root hides a library of the same name")
    return faults


def _settings(path: Path) -> set[str]:
    return set(tomllib.loads(path.read_text(encoding="utf-8")))


def _is_source(path: Path) -> bool:
    return path.suffix == ".py" and path.parent.name != "__pycache__"


def _is_compiled(path: Path) -> bool:
    """Say whether Python wrote this file beside a source: elsewhere it would import it without one."""
    return path.suffix == ".pyc" and path.parent.name == "__pycache__"


def _address(path: Path) -> Path:
    """Return the folder of the site in which a page will lie: of two with the same one, only one would be seen."""
    return path.parent if path.stem in ("index", "README") else path.with_suffix("")


def _belongs_below_docs(parts: tuple[str, ...]) -> bool:
    *folders, name = parts
    if any(part.startswith(".") for part in parts):
        return False
    if folders and folders[0] == "assets":
        return Path(name).suffix in ASSETS or name in ("LICENSE", "favicon.svg")
    return name.endswith(".py") if folders == ["labs"] else name.endswith(".md")


def check_snippet(text: str) -> Iterator[tuple[int, str]]:
    """Say where a source holds code that never runs, or marks its sections so that a page shows something else."""
    yield from dead_code(ast.parse(text))
    yield from _check_markers(text)


def dead_code(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Say which statements and expressions can never run, or decide by what is always so."""
    for node in ast.walk(tree):
        for test in _decisions(node):
            if _is_constant(test):
                yield test.lineno, f"{ast.unparse(test)!r} is always the same: one side of it never runs"
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            for above, below in pairwise(body) if isinstance(body, list) else ():
                if _ends(above):
                    yield below.lineno, "this never runs: what stands above it never gets here"


def _decisions(node: ast.AST) -> list[ast.expr]:
    """Return the expressions by which a node decides what runs."""
    match node:
        case ast.While(test=ast.Constant(value=True)):
            return []  # a loop that ends by `break` or `return`
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) | ast.Assert(test=test):
            return [test]
        case ast.BoolOp(values=values):
            return values[:-1]
        case ast.Match(subject=subject, cases=cases):
            return [subject, *(case.guard for case in cases if case.guard)]
        case ast.For(iter=ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]) as nothing):
            return [nothing]
        case ast.comprehension(iter=ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]) as nothing, ifs=tests):
            return [nothing, *tests]
        case ast.comprehension(ifs=tests):
            return tests
    return []


def _is_constant(test: ast.expr) -> bool:
    """Say whether an expression comes out the same whatever happens: no name in it, no call, or true by its form."""
    match test:
        case ast.Lambda() | ast.GeneratorExp():
            return True
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return not parts or any(not isinstance(part, ast.Starred) for part in parts)
        case ast.Dict(keys=parts) | ast.JoinedStr(values=parts):
            return not parts or any(isinstance(part, ast.Constant | ast.Name) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _is_constant(inner)
        case ast.BoolOp(values=values):
            return any(map(_is_constant, values))
        case ast.Compare(left=left, comparators=[right]) if ast.dump(left) == ast.dump(right):
            return not any(isinstance(node, ast.Call) for node in ast.walk(left))  # two calls may differ
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if hasattr(builtins, name):
            return bool(arguments) and all(map(_is_fixed, arguments))
        case ast.NamedExpr(value=value):
            return _is_constant(value)
        case ast.Attribute(attr=name) | ast.Name(id=name) if name in _CONSTANT_NAMES:
            return True
    return _is_fixed(test)


def _is_fixed(value: ast.expr) -> bool:
    """Say whether nothing is named in an expression and nothing called."""
    return not any(isinstance(node, ast.Name | ast.Call | ast.Await | ast.Yield) for node in ast.walk(value))


def _ends(node: ast.stmt) -> bool:
    """Say whether nothing that stands behind a statement can run."""
    match node:
        case ast.If(body=body, orelse=[*_, last]):
            return _ends(body[-1]) and _ends(last)
        case ast.With(body=body) | ast.AsyncWith(body=body):
            return isinstance(body[-1], ast.Return | ast.Continue | ast.Break)  # a context may swallow what is raised
        case ast.Try(finalbody=[*_, last]) if _ends(last):
            return True
        case ast.Try(body=body, handlers=handlers, orelse=orelse):
            return _ends((orelse or body)[-1]) and all(_ends(handler.body[-1]) for handler in handlers)
        case ast.While(test=ast.Constant(value=True), body=body):
            return not _breaks(body)
    return isinstance(node, _ENDS)


def _breaks(body: list[ast.stmt]) -> bool:
    """Say whether a loop's body leaves the loop by ``break``, other than out of a loop within it."""
    for node in body:
        if isinstance(node, ast.Break):
            return True
        inner = [part for part in ast.iter_child_nodes(node) if not isinstance(part, ast.expr)]
        if not isinstance(node, ast.For | ast.While | ast.FunctionDef) and _breaks(inner):
            return True
    return False


def _check_markers(text: str) -> Iterator[tuple[int, str]]:
    lines, comments = text.split("\n"), {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.line.strip() == token.string:
            comments[token.start[0]] = token.string
    opened, names = "", set()
    for i, line in enumerate(lines, 1):
        if re.match(r"\s*(```|~~~)", line):
            yield i, "this line would end the fence on the page that shows the file"
        if "8<-" not in line:
            continue
        marker = MARKER.fullmatch(comments.get(i, ""))
        if not marker:
            yield i, "a section is marked by a comment alone on its line: # --8<-- [start:name] or # --8<-- [end:name]"
        elif marker[1] == "start" and (opened or marker[2] in names):
            yield i, f"section {marker[2]!r} opens a second time, or within another"
        elif marker[1] == "end" and marker[2] != opened:
            yield i, f"section {marker[2]!r} ends where {opened or 'none'!r} is open"
        else:
            opened = marker[2] if marker[1] == "start" else ""
            names.add(marker[2])
    if opened:
        yield len(lines), f"section {opened!r} never ends"


def check_tests(texts: dict[str, str]) -> list[str]:
    """Return the faults of test modules by their paths: tests that assert nothing, skip, or are not collected."""
    trees = {name: ast.parse(text) for name, text in texts.items()}
    functions = {name: _functions(tree) for name, tree in trees.items()}
    imported = {name: _imported(tree) for name, tree in trees.items()}
    collected = {module for name, found in imported.items() if _is_test(name) for module, _ in found.values()}
    checking: dict[str, set[str]] = {name: set() for name in trees}  # by module, what asserts under which name
    growing = True
    while growing:
        before = {name: set(found) for name, found in checking.items()}
        for name, found in checking.items():
            found |= {f.name for f in functions[name] if _checks(f, found)}
            found |= {alias for alias, (module, f) in imported[name].items() if f in checking.get(module, ())}
        growing = before != checking
    classes = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {getattr(base, "id", None) for each in classes if each.name.startswith("Test") for base in each.bases}
    faults = []
    for name, tree in trees.items():
        found = [*dead_code(tree), *_check_skips(tree)]
        found += [
            (node.lineno, f"{bound} changes how tests are run")
            for node in ast.walk(tree)
            if (bound := binds(node)) and bound.startswith("pytest_")
        ]
        reached = set(map(id, _collected(tree, bases)))
        for function in functions[name]:
            if function.name.startswith("test") and id(function) not in reached:
                found.append((function.lineno, f"{function.name} is not collected from where it stands"))
            elif function.name.startswith("test"):
                if not _checks(function, checking[name]):
                    found.append((function.lineno, f"{function.name} asserts nothing, and calls nothing that does"))
                if not _is_test(name) and name not in collected:
                    found.append((function.lineno, f"{function.name} is never collected: no test_….py imports it"))
        faults += [f"{name}:{line}: {what}" for line, what in sorted(found)]
    return faults


def _is_test(name: str) -> bool:
    return Path(name).name.startswith("test_")


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _collected(tree: ast.Module, bases: set[str | None]) -> list[ast.stmt]:
    """Return what pytest looks at: what a module, a class ``Test…`` or a base of one defines, whatever happens."""
    classes = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and (node.name.startswith("Test") or node.name in bases)
    ]
    return [*tree.body, *(node for each in classes for node in each.body)]


def binds(node: ast.AST) -> str | None:
    """Return the name that a node of a syntax tree binds, if any."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name) | ast.MatchMapping(rest=name):
            return name
        case ast.alias(name=name, asname=other):
            return other or name.split(".")[0]
    return getattr(node, "name", None)  # functions, classes, exceptions, patterns


def _imported(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Return where each name comes from that a test module imports from another one."""
    return {
        alias.asname or alias.name: (node.module.replace(".", "/") + ".py", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests")
        for alias in node.names
    }


def _checks(function: ast.AST, helpers: set[str]) -> bool:
    """Say whether a function asserts by itself, not only in a function within it, or calls what does."""
    todo = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        match node:
            case ast.Assert():
                return True
            case ast.Call(func=ast.Name(id=name)) if name in helpers or name == "expect":
                return True
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pytest"), attr="raises" | "warns" | "fail")):
                return True
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name.startswith("assert_"):
                return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo += ast.iter_child_nodes(node)
    return False


def _leaves(node: ast.AST) -> bool:
    """Say whether a statement holds one that leaves the block around it."""
    return any(isinstance(inner, ast.Return | ast.Break | ast.Continue) for inner in ast.walk(node))


def _check_skips(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        names = {getattr(node, "attr", ""), getattr(node, "id", "")}
        if isinstance(node, ast.ImportFrom):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.keyword) and node.arg == "phases":
            yield node.value.lineno, "without its phases, Hypothesis tries nothing"
        if found := names & SKIPS:
            yield node.lineno, f"{', '.join(sorted(found))}: no test is skipped, expected to fail, or left out"
        if isinstance(node, ast.Try) and any(map(_leaves, node.finalbody)):
            yield node.finalbody[0].lineno, "what leaves a `finally` swallows a failed assertion"
        if isinstance(node, ast.FunctionDef) and node.name == "__exit__":
            yield node.lineno, "a context may swallow a failed assertion: write it as a generator"
        if isinstance(node, ast.ExceptHandler) and not isinstance(node.body[-1], ast.Raise):
            caught = set()
            for inner in ast.walk(node.type) if node.type else ():
                caught |= {getattr(inner, "attr", None), getattr(inner, "id", None)}
            if caught & CATCHES or not node.type:
                yield node.lineno, "a failed assertion must not be caught"
