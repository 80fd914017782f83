"""A local partial as a formula at given numbers, with the branch that the numbers take.

The formula `where(x <= 0, 0, 1)` becomes `1` where x > 0, and `y * x ** (y - 1)` becomes
`3 * x ** 2` for the constant power 3. The conditions that decided are kept, so that they can be
shown to the reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from micrograd.derivation.choices import decided
from micrograd.table.floats import Number, to_float
from micrograd.table.formulas import COMPARISONS, Call, Tree, fold, rebuilt, substituted
from micrograd.table.interpreters import IEEE


class Simplified(NamedTuple):
    """A formula without choices, its value, and the conditions under which it has this form."""

    formula: Tree
    value: float
    conditions: tuple[Tree, ...] = ()


def simplified(
    tree: Tree, numbers: Mapping[str, float], constants: Mapping[str, Number]
) -> Simplified:
    """The formula at these numbers; the variables in `constants` are replaced by their numbers."""
    numbers = {**numbers, **{name: to_float(number) for name, number in constants.items()}}
    tree = substituted(tree, {name: numbers[name] for name in constants})
    formula, tests = decided(tree, numbers)
    conditions = _shown(tests, numbers)
    return Simplified(_tidied(formula), fold(tree, IEEE, numbers), tuple(conditions))


def _shown(tests: tuple[Tree, ...], numbers: Mapping[str, float]) -> Iterator[Tree]:
    """The conditions that only compare operands and numbers, if these are known."""
    are_known = all(number == number for number in numbers.values())
    for test in map(_tidied, tests):
        match test:
            case str():
                yield Call("eq", (test, numbers[test]))
            case Call("eq", (str(), 0.0)):
                yield test
            case Call(_, sides) if are_known and any(isinstance(side, str) for side in sides):
                if not any(isinstance(side, Call) for side in sides):
                    yield test


def _tidied(tree: Tree) -> Tree:
    """The formula without factors and powers of 1, and with operations on numbers evaluated."""
    found = rebuilt(tree, _tidied)
    match found:
        case Call("mul", (1.0, other)) | Call("mul" | "div" | "pow", (other, 1.0)):
            return other
        case Call("pow", (_, 0.0)):
            return 1.0
        case Call(name, numbers) if name not in COMPARISONS:
            if numbers and all(isinstance(each, float) for each in numbers):
                value: float = IEEE[name](*numbers)
                return value
    return found
