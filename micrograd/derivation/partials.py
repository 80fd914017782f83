"""Local partials as formulas: the row's own, with the branch that the numbers took.

The formula `where(x <= 0, 0, 1)` is read as `1` where x > 0, and `y * x ** (y - 1)` as `3 * x ** 2`
for the constant power 3. The conditions that decided are kept, so that a reader can be told why.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import NamedTuple, cast

from micrograd.formulas import IEEE, Number, compiled, to_float, value_source


class Slope(NamedTuple):
    """A local partial without choices, and the conditions under which it is this one."""

    formula: ast.expr
    conditions: tuple[ast.expr, ...]


def simplified(
    tree: ast.expr, numbers: Mapping[str, float], constants: Mapping[str, Number]
) -> Slope:
    """The formula at these numbers, of which `constants` are no variables."""
    reader = _Reader(numbers, constants)
    return Slope(reader.read(tree), tuple(reader.conditions))


class _Reader:
    def __init__(self, numbers: Mapping[str, float], constants: Mapping[str, Number]) -> None:
        self.numbers, self.constants = numbers, constants
        self.conditions: list[ast.expr] = []

    def read(self, tree: ast.expr) -> ast.expr:
        match tree:
            case ast.Name(id=variable) if variable in self.constants:
                return ast.Constant(to_float(self.constants[variable]))
            case ast.Call(func=ast.Name(id="where"), args=[test, then, otherwise]):
                holds = bool(self.evaluate(test))
                self.conditions += self.reason(test, holds)
                return self.read(then if holds else otherwise)
            case ast.Call(func=function, args=arguments):
                return self.folded(ast.Call(function, [*map(self.read, arguments)], []))
            case ast.UnaryOp(op=sign, operand=operand):
                return self.folded(ast.UnaryOp(sign, self.read(operand)))
            case ast.BinOp(left=left, op=sign, right=right):
                return self.folded(
                    _without_ones(ast.BinOp(self.read(left), sign, self.read(right)))
                )
        return tree

    def evaluate(self, tree: ast.expr) -> float:
        source = f"lambda {', '.join(self.numbers)}: {value_source(tree, divide=True)}"
        return cast("float", compiled(source, IEEE)(*self.numbers.values()))

    def folded(self, tree: ast.expr) -> ast.expr:
        """A formula of constants as its number."""
        parts = tree.args if isinstance(tree, ast.Call) else [*ast.iter_child_nodes(tree)]
        if all(isinstance(part, ast.Constant | ast.operator | ast.unaryop) for part in parts):
            return ast.Constant(self.evaluate(tree))
        return tree

    def reason(self, test: ast.expr, holds: bool) -> list[ast.expr]:
        """The condition as it turned out, if it is about the operands alone."""
        match test:
            case ast.Name() if test.id not in self.constants:
                return [ast.Compare(test, [ast.Eq()], [ast.Constant(self.numbers[test.id])])]
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                sides = [self.read(left), self.read(right)]
                simple = all(isinstance(side, ast.Name | ast.Constant) for side in sides)
                known = all(number == number for number in self.numbers.values())
                if simple and known and any(isinstance(side, ast.Name) for side in sides):
                    return [
                        ast.Compare(
                            sides[0], [sign if holds else _OPPOSITE[type(sign)]()], [sides[1]]
                        )
                    ]
        return []


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}


def _without_ones(tree: ast.BinOp) -> ast.expr:
    """`1 * a`, `a * 1`, `a / 1` and `a ** 1` as `a`; `a ** 0` as 1, which it is for every a."""
    left, right = _constant(tree.left), _constant(tree.right)
    if isinstance(tree.op, ast.Mult) and left == 1:
        return tree.right
    if isinstance(tree.op, ast.Mult | ast.Div | ast.Pow) and right == 1:
        return tree.left
    return ast.Constant(1.0) if isinstance(tree.op, ast.Pow) and right == 0 else tree


def _constant(tree: ast.expr) -> float | None:
    return cast("float", tree.value) if isinstance(tree, ast.Constant) else None
