"""The formulas of the table on other kinds of numbers: complex, exact, bounded, observed.

A kind of number supplies the primitives of the table, division, powers and comparisons. The other
rows follow from their formulas, so a row that a user adds is understood at once. No local partial
of the table is read here: what a kind finds out about a function is independent of them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from micrograd.formulas import RESULT, calls, evaluate
from micrograd.ops import Operation, lookup

Function = Callable[..., Any]


class NotApplicable(Exception):  # noqa: N818 (no error: a witness that has nothing to say)
    """A kind of number has no answer here; the text says why."""


class Kind:
    """One kind of number.

    `number` makes one from a float. `primitives` are functions of such numbers by the names of the
    rows, and the arithmetic that Python's operators do not cover: `_div`, `_pow`, `_lt`, `_le`,
    `_gt`, `_ge`, `_eq`, `_ne`, and `_truth` of a condition. `rows` are functions for rows whose
    formulas would lose digits.
    """

    def __init__(
        self,
        number: Function,
        primitives: Mapping[str, Function],
        rows: Mapping[str, Function] | None = None,
    ) -> None:
        self.number, self._rows = number, rows or {}
        self._vocabulary = {"_number": number, "_truth": bool, **primitives}
        self._known: dict[tuple[Operation, int | None], Function] = {}

    def function(self, row: Operation) -> Function:
        """The row's formula as a function of such numbers."""
        if (row, None) not in self._known:
            if row.name in self._rows:
                self._known[row, None] = self._rows[row.name]
            elif row.is_primitive and row.name != "where":
                self._known[row, None] = self._vocabulary.get(row.name) or _absent(row.name)
            else:
                self._known[row, None] = self._compiled(row, row.expression, row.operands)
        return self._known[row, None]

    def partial(self, row: Operation, index: int) -> Function:
        """The row's local partial as a function of the operands and of the result."""
        if (row, index) not in self._known:
            names = (*row.operands, RESULT)
            self._known[row, index] = self._compiled(row, row.slopes[index], names)
        return self._known[row, index]

    def _compiled(self, row: Operation, expression: ast.expr, names: tuple[str, ...]) -> Function:
        arguments = ast.arguments([], [ast.arg(name) for name in names], None, [], [], None, [])
        body = _Portable().visit(deepcopy(expression))
        vocabulary = self._vocabulary | {
            name: self.function(row if name == row.name else lookup(name))
            for name in calls(expression) - {"where"}
        }
        function: Function = evaluate(ast.Lambda(arguments, body), vocabulary)
        return function


def _absent(name: str) -> Function:
    def refuse(*_: Any) -> Any:
        raise NotApplicable(f"{name} is not defined on this kind of number")

    return refuse


_OPERATORS: dict[type, str] = {
    ast.Div: "_div",
    ast.Pow: "_pow",
    ast.Lt: "_lt",
    ast.LtE: "_le",
    ast.Gt: "_gt",
    ast.GtE: "_ge",
    ast.Eq: "_eq",
    ast.NotEq: "_ne",
}


class _Portable(ast.NodeTransformer):
    """Rewrite a formula so that Python's own numbers do not leak into it; `where` chooses."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return _call("_number", node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        name = _OPERATORS.get(type(node.op))
        return _call(name, node.left, node.right) if name else node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        return _call("_number", self._comparison(node))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id == "where":
            test, then, otherwise = node.args
            return ast.IfExp(self._condition(test), self.visit(then), self.visit(otherwise))
        node.args = [self.visit(argument) for argument in node.args]
        return node

    def _condition(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        return _call("_truth", self.visit(node))

    def _comparison(self, node: ast.Compare) -> ast.expr:
        name = _OPERATORS[type(node.ops[0])]
        return _call(name, self.visit(node.left), self.visit(node.comparators[0]))


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
