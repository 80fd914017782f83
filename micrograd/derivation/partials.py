"""Local partials as formulas: the row's own, with the branch that the numbers took.

The formula `where(x <= 0, 0, 1)` is read as `1` where x > 0, and `y * x ** (y - 1)` as `3 * x ** 2`
for the constant power 3. The conditions that decided are kept, so that a reader can be told why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from micrograd.table.floats import Number, to_float
from micrograd.table.formulas import COMPARISONS, Call, Tree, fold
from micrograd.table.interpreters import IEEE


class Slope(NamedTuple):
    """A local partial without choices, and the conditions under which it is this one."""

    formula: Tree
    conditions: tuple[Tree, ...]


def simplified(tree: Tree, numbers: Mapping[str, float], constants: Mapping[str, Number]) -> Slope:
    """The formula at these numbers, of which `constants` are no variables."""
    reader = _Reader(numbers, constants)
    return Slope(reader.read(tree), tuple(reader.conditions))


class _Reader:
    def __init__(self, numbers: Mapping[str, float], constants: Mapping[str, Number]) -> None:
        self.numbers, self.constants = numbers, constants
        self.conditions: list[Tree] = []

    def read(self, tree: Tree) -> Tree:
        if isinstance(tree, str) and tree in self.constants:
            return to_float(self.constants[tree])
        if not isinstance(tree, Call) or tree.name in COMPARISONS:
            return tree
        if tree.name == "where":
            test, then, otherwise = tree.operands
            holds = bool(self.evaluate(test))
            self.conditions += self.reason(test, holds)
            return self.read(then if holds else otherwise)
        read = _without_ones(Call(tree.name, tuple(map(self.read, tree.operands))))
        if isinstance(read, Call) and all(isinstance(each, float) for each in read.operands):
            return self.evaluate(read)
        return read

    def evaluate(self, tree: Tree) -> float:
        return fold(tree, IEEE, self.numbers)

    def reason(self, test: Tree, holds: bool) -> list[Tree]:
        """The condition as it turned out, if it is about the operands alone."""
        if isinstance(test, str) and test not in self.constants:
            return [Call("eq", (test, self.numbers[test]))]
        if isinstance(test, Call) and test.name in COMPARISONS:
            sides = tuple(map(self.read, test.operands))
            simple = not any(isinstance(side, Call) for side in sides)
            known = all(number == number for number in self.numbers.values())
            if simple and known and any(isinstance(side, str) for side in sides):
                return [Call(test.name if holds else _OPPOSITE[test.name], sides)]
        return []


_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}


def _without_ones(tree: Call) -> Tree:
    """`1 * a`, `a * 1`, `a / 1` and `a ** 1` as `a`; `a ** 0` as 1, which it is for every a."""
    match tree:
        case Call("mul", (1.0, other)) | Call("mul" | "div" | "pow", (other, 1.0)):
            return other
        case Call("pow", (_, 0.0)):
            return 1.0
    return tree
