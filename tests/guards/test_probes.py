"""What a probe sees that a line tracer does not."""

import ast

import pytest

from tools.guards.probes import REACHED, Probes


def left(code):
    probes = Probes()
    tree = probes.visit(ast.parse(code))
    exec(compile(tree, "<block>", "exec"), {REACHED: probes.reached, "f": lambda *values: 1})
    return probes.left()


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("if False: f(2)", "f(2)"),
        ("if f():\n    f()\nelse: f(2)", "f(2)"),
        ("def g(): f(2)", "f(2)"),
        ("async def g(): f(2)", "f(2)"),
        ("class A:\n    def g(self): f(2)", "f(2)"),
        ("g = lambda: f(2)", "f(2)"),
        ("x = 1 if True else f(2)", "f(2)"),
        ("x = f(2) if False else 1", "f(2)"),
        ("True or f(2)", "f(2)"),
        ("False and 1 and f(2)", "f(2)"),
        ("0 > 1 > f(2)", "f(2)"),
        ("assert f(), f(2)", "f(2)"),
        ("[f(2) for i in []]", "f(2)"),
        ("{f(2) for i in []}", "f(2)"),
        ("{1: f(2) for i in []}", "f(2)"),
        ("(f(2) for i in [1])", "f(2)"),
        ("[i for i in [] if f(2)]", "f(2)"),
        ("[i for i in [] for j in f(2)]", "f(2)"),
        ("for i in []: f(2)", "f(2)"),
        ("while True:\n    break\nelse: f(2)", "f(2)"),
        ("try: f()\nexcept ValueError: f(2)", "f(2)"),
        ("match 1:\n    case 1: f()\n    case _: f(2)", "f(2)"),
        ("match 1:\n    case 2 if f(2): pass", "f(2)"),
        ("print(f'{f(2) if False else 3}')", "f(2)"),
        ("def g():\n    return 1\n    f(2)\ng()", "f(2)"),
        ("try: f(int('x'), f(2))\nexcept ValueError: f()", "f(2)"),
        ("try: int('x') + f(2)\nexcept ValueError: f()", "f(2)"),
        ("def g(): f((yield), f(2))\nnext(g())", "f(2)"),
        ("x = (lambda: [y for y in (f(2) for z in [1])])", "[y for y in (f(2) for z in [1])]"),
    ],
)
def test_what_was_left_out_is_named_with_its_line(code, text):
    assert (code[: code.index("f(2)")].count("\n") + 1, text) in left(code)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("g = lambda: nobody", "nobody"),
        ("g = lambda: 1", "1"),
        ("[nobody for i in []]", "nobody"),
        ("[1 for i in []]", "1"),
        ("x = 1 if True else nobody", "nobody"),
        ("True or nobody", "nobody"),
        ("assert True, nobody", "nobody"),
        ("if False: f(f(f(2)))", "f(f(f(2)))"),
        ("if False:\n    if f(1):\n        f(2)", "if f(1):"),
    ],
)
def test_what_was_left_out_is_named_once(code, text):
    assert [what for _, what in left(code)] == [text]


@pytest.mark.parametrize(
    "code",
    [
        "x = f() if f() else 0",  # a constant does nothing that could have run
        "class A:\n    def g(self): return 1\n\n\nclass B(A):\n    def g(self): return super().g()\n\n\nB().g()",
        "try: f(int('x'))\nexcept ValueError: f()",
        "def g():\n    'Say nothing.'\n    return f()\n\ng()",
        "from __future__ import annotations\nx: int = f()",
        "def g():\n    global x\n    x = 1\n\ng()",
        "g = sorted([2, 1], key=lambda v: f(v))",
        "x = [f(i) for i in range(3) if i or f(i)]",
        "try:\n    f('x')\n    raise ValueError\nexcept ValueError:\n    f()",
        "match f():\n    case 1 if f(): f()",
        "assert 0 < f() < f() + 1, 'never'",
        "def g(a=f()):\n    yield f()\n\nlist(g())",
        "x = 3\nx += f()\nwhile x > 0: x -= f()",
    ],
)
def test_what_ran_is_not_named(code):
    assert left(code) == []


@pytest.mark.parametrize("code", ["x = 1 / 0", "y = 1\nx = (f() and\n     1 / 0)"])
def test_an_error_keeps_its_line(code):
    with pytest.raises(ZeroDivisionError) as caught:
        left(code)
    assert caught.traceback[-1].lineno + 1 == code.count("\n") + 1


def test_the_value_of_an_expression_is_what_it_was():
    probes = Probes()
    space = {REACHED: probes.reached}
    code = "a = 0 or 'x'\nb = [v * 2 for v in (1, 2) if v > 1]\nc = 1 < 2 < (3 if a else 0)\nd = (lambda v: v + 1)(2)"
    exec(compile(probes.visit(ast.parse(code)), "<block>", "exec"), space)
    assert [space[name] for name in "abcd"] == ["x", [4], True, 3]
