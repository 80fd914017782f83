"""A local partial as a formula at given numbers, with the branch that the numbers take.

The formula `where(x <= 0, 0, 1)` becomes `1` where x > 0, and `y * x ** (y - 1)` becomes
`3 * x ** 2` for the constant power 3. The conditions that decided are kept, so that they can be
shown to the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from micrograd.table.floats import Number, to_float
from micrograd.table.formulas import COMPARISONS, Call, Tree, fold
from micrograd.table.interpreters import IEEE
from micrograd.writing.parts import opposite


class Simplified(NamedTuple):
    """A formula without choices, its value, and the conditions under which it has this form."""

    formula: Tree
    value: float
    conditions: tuple[Tree, ...] = ()


def simplified(
    tree: Tree, numbers: Mapping[str, float], constants: Mapping[str, Number]
) -> Simplified:
    """The formula at these numbers; the variables in `constants` are replaced by their numbers."""
    known = all(number == number for number in numbers.values())
    variables = {name: Simplified(name, number) for name, number in numbers.items()}
    variables |= {name: _number(to_float(number)) for name, number in constants.items()}
    return fold(tree, _Vocabulary(known), variables, _number)


def _number(x: float) -> Simplified:
    return Simplified(x, x)


class _Vocabulary(dict[str, Callable[..., Simplified]]):
    """What each operation means; conditions are given only if all numbers are `known`, not nan."""

    def __init__(self, known: bool) -> None:
        super().__init__(where=self._choice)
        self.known = known

    def __missing__(self, name: str) -> Callable[..., Simplified]:
        return partial(_call, name)

    def _choice(self, test: Simplified, then: Simplified, otherwise: Simplified) -> Simplified:
        taken = then if test.value else otherwise
        conditions = (*test.conditions, *self._reason(test), *taken.conditions)
        return taken._replace(conditions=conditions)

    def _reason(self, test: Simplified) -> list[Tree]:
        """The condition as it turned out, if it only compares operands and numbers."""
        match test.formula:
            case str():
                return [Call("eq", (test.formula, test.value))]
            case Call(name, sides) if name in COMPARISONS and self.known:
                if any(isinstance(side, str) for side in sides) and not any(
                    isinstance(side, Call) for side in sides
                ):
                    return [test.formula if test.value else opposite(test.formula)]
        return []


def _call(name: str, *operands: Simplified) -> Simplified:
    value = IEEE[name](*(each.value for each in operands))
    conditions = tuple(each for operand in operands for each in operand.conditions)
    formula = _without_ones(Call(name, tuple(each.formula for each in operands)))
    parts = formula.operands if isinstance(formula, Call) else ()
    if parts and name not in COMPARISONS and all(isinstance(part, float) for part in parts):
        formula = value
    return Simplified(formula, value, conditions)


def _without_ones(tree: Call) -> Tree:
    """`1 * a`, `a * 1`, `a / 1` and `a ** 1` as `a`; `a ** 0` as 1, which it is for every a."""
    match tree:
        case Call("mul", (1.0, other)) | Call("mul" | "div" | "pow", (other, 1.0)):
            return other
        case Call("pow", (_, 0.0)):
            return 1.0
    return tree
