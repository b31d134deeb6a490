"""Probes in the syntax tree: which statements and expressions of a piece of code were never reached.

A line tracer does not see what stands on a line that ran: ``f() if n else g()``, ``a or f()``, ``[f(x) for x in []]``,
an uncalled ``lambda``. So a probe is put before each statement, and around each expression that Python may leave out
while it evaluates the one around it. That is finer, and cheaper, than looking at each line that is executed.
"""

from __future__ import annotations

import ast

REACHED = "__reached__"  # the name under which a probe finds its counter, among the builtins


class Probes(ast.NodeTransformer):
    """Put probes into syntax trees, and count which of them are reached.

    ``visit`` a module, run it with ``builtins.__reached__`` set to ``reached``, then ask what is ``left()``.
    """

    def __init__(self) -> None:
        self.places: list[tuple[int, str]] = []  # line and text of the code behind each probe
        self._seen: set[int] = set()

    def reached(self, number: int, value: object = None) -> object:
        """Note that a probe was reached, and pass on the value of its expression."""
        self._seen.add(number)
        return value

    def left(self) -> list[tuple[int, str]]:
        """Return line and text of the code that was never reached, outermost first."""
        missed = [place for number, place in enumerate(self.places) if number not in self._seen]
        return sorted(missed, key=lambda place: place[0])

    def _call(self, node: ast.AST, *value: ast.expr) -> ast.Call:
        self.places.append((node.lineno, ast.unparse(node).split("\n")[0]))
        number = ast.Constant(len(self.places) - 1)
        call = ast.Call(ast.Name(REACHED, ast.Load()), [number, *value], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

    def _probe(self, node: ast.expr) -> ast.expr:
        """Return an expression that notes when it is evaluated; a constant or a name does nothing worth noting."""
        inner = self._call(node, node) if not isinstance(node, ast.Constant | ast.Name) else None
        node = self.generic_visit(node)
        if inner is None:
            return node
        inner.args[1] = node
        return inner

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Probe the statements and the expressions that may be left out; visit what is evaluated with its parent."""
        match node:
            case ast.IfExp():
                node.test = self.visit(node.test)
                node.body, node.orelse = self._probe(node.body), self._probe(node.orelse)
                return node
            case ast.BoolOp():
                node.values = [self.visit(node.values[0]), *map(self._probe, node.values[1:])]
                return node
            case ast.Compare():
                node.left, first = self.visit(node.left), self.visit(node.comparators[0])
                node.comparators = [first, *map(self._probe, node.comparators[1:])]
                return node
            case ast.Lambda():
                node.args, node.body = self.visit(node.args), self._probe(node.body)
                return node
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                node.elt = self._probe(node.elt)
                node.generators = self._generators(node.generators)
                return node
            case ast.DictComp():
                node.key, node.value = self._probe(node.key), self._probe(node.value)
                node.generators = self._generators(node.generators)
                return node
            case ast.Assert(msg=ast.expr()):
                node.test, node.msg = self.visit(node.test), self._probe(node.msg)
                return node
            case ast.match_case(guard=ast.expr()):
                node.guard = self._probe(node.guard)
                node.body = self._body(node.body)
                return node
        for name, value in ast.iter_fields(node):
            if name in ("body", "orelse", "finalbody") and isinstance(value, list):
                setattr(node, name, self._body(value))
            elif isinstance(value, list):
                setattr(node, name, [self.visit(v) if isinstance(v, ast.AST) else v for v in value])
            elif isinstance(value, ast.AST):
                setattr(node, name, self.visit(value))
        return node

    def _generators(self, generators: list[ast.comprehension]) -> list[ast.comprehension]:
        for i, each in enumerate(generators):
            each.iter = self._probe(each.iter) if i else self.visit(each.iter)
            each.ifs = list(map(self._probe, each.ifs))
        return generators

    def _body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        probed = []
        for i, statement in enumerate(body):
            text = i == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
            if not (text or future):  # a docstring leaves no instruction; nothing may stand before a future import
                probed.append(ast.copy_location(ast.Expr(self._call(statement)), statement))
            probed.append(self.visit(statement))
        return probed
