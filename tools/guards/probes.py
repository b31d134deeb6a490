"""Probes in the syntax tree: which statements and expressions of a piece of code were never reached.

A line tracer does not see what stands on a line that ran: ``f() if n else g()``, ``a or f()``, ``[f(x) for x in []]``,
an uncalled ``lambda``. So a probe is put before each statement, and around each expression that Python may leave out
while it evaluates the one around it. One more is around the function of each call: an error, or a generator that nobody
resumes, leaves a statement halfway, as in ``try: print(int("x"), f())``. That is finer, and cheaper, than lines.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

REACHED = "__reached__"  # the name under which a probe finds its counter, among the builtins


class Probes(ast.NodeTransformer):
    """Put probes into syntax trees, and count which of them are reached.

    ``visit`` a module, run it with ``builtins.__reached__`` set to ``reached``, then ask what is ``left()``.
    """

    def __init__(self) -> None:
        self.places: list[tuple[int, str]] = []  # line and text of the code behind each probe
        self._parents: list[int | None] = []  # the probe around each probe
        self._inside: int | None = None
        self._seen: set[int] = set()

    def reached(self, number: int, value: object = None) -> object:
        """Note that a probe was reached, and pass on the value of its expression."""
        self._seen.add(number)
        return value

    def left(self) -> list[tuple[int, str]]:
        """Return line and text of the code that was never reached, without the parts of what is named already."""
        missed = [
            place
            for number, (place, parent) in enumerate(zip(self.places, self._parents, strict=True))
            if number not in self._seen and (parent is None or parent in self._seen)
        ]
        return sorted(missed, key=lambda place: place[0])

    @contextmanager
    def _new(self, node: ast.AST) -> Iterator[ast.Call]:
        """Yield the call of a new probe, around all that is visited meanwhile."""
        self.places.append((node.lineno, ast.unparse(node).split("\n")[0]))
        self._parents.append(self._inside)
        before, self._inside = self._inside, len(self.places) - 1
        call = ast.Call(ast.Name(REACHED, ast.Load()), [ast.Constant(self._inside)], [])
        yield ast.fix_missing_locations(ast.copy_location(call, node))
        self._inside = before

    def _probe(self, node: ast.expr) -> ast.expr:
        """Return an expression that notes when it is evaluated; a constant does nothing worth noting."""
        if isinstance(node, ast.Constant | ast.Call):  # a call has a probe of its own
            return self.visit(node)
        return self._around(node)

    def _around(self, node: ast.expr) -> ast.expr:
        with self._new(node) as call:
            call.args.append(self.visit(node))
        return call

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Probe the statements and the expressions that may be left out; visit what is evaluated with its parent."""
        match node:
            case ast.Call():
                with self._new(node) as call:
                    call.args.append(self.visit(node.func))
                    node.args, node.keywords = list(map(self.visit, node.args)), list(map(self.visit, node.keywords))
                node.func = call
                return node
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
                node.args, node.body = self.visit(node.args), self._around(node.body)
                return node
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                node.elt = self._around(node.elt)
                node.generators = self._generators(node.generators)
                return node
            case ast.DictComp():
                node.key, node.value = self._around(node.key), self._around(node.value)
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
            if text or future:  # a docstring leaves no instruction; nothing may stand before a future import
                probed.append(statement)
                continue
            with self._new(statement) as call:
                probed += [ast.copy_location(ast.Expr(call), statement), self.visit(statement)]
        return probed
