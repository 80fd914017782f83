"""Conditions of the table as a mathematician writes them: `abs(y) > 0` is y ≠ 0.

The columns `domain` and `kink`, and the tests of `where` in partials, are written for computing. A
condition is read as alternatives of requirements that hold together, and each requirement is then
written in the usual way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from micrograd.ops import Operation
from micrograd.table.formulas import Call, Tree
from micrograd.writing import notation
from micrograd.writing.notation import RELATIONS, Formula
from micrograd.writing.template import LOOSE

Test = tuple[str, tuple[Tree, ...]]
"""A requirement: a relation and what it is between, such as `("≠", ("x", 0.0))`."""

Alternatives = list[tuple[Test, ...]]
"""Each tuple has requirements that hold together; the condition is that one tuple holds."""


class Conditions:
    """Writes conditions with these operands, in the words of a language."""

    def __init__(self, letters: Mapping[str, Formula], words: Mapping[str, str]) -> None:
        self.letters, self.words = letters, words

    def differentiable(self, row: Operation, *, smooth: bool) -> Formula | None:
        """Where an operation is differentiable; None for everywhere.

        `smooth` says that only second derivatives jump at its kinks.
        """
        found: Alternatives = [()]
        if row.domain:
            found = _both(found, nonzero(row.read(row.domain)))
        if row.kink and not smooth:
            found = _both(found, nonzero(row.read(row.kink)))
        return self._written(found) if any(found) else None

    def condition(self, tree: Tree, excluded: Sequence[Tree] = ()) -> Formula:
        """The test of a `where`, which holds if not 0, given that no `excluded` one holds."""
        match tree:
            case Call("le" | "ge" as name, sides) if (
                Call(name.replace("e", "t"), sides) in excluded
            ):
                tree = Call("eq", sides)
        return self._written(nonzero(tree))

    def _written(self, found: Alternatives) -> Formula:
        either, both = (notation.words(f" {self.words[key]} ") for key in ("or", "and"))
        shown = ([self._test(*test) for test in _merged(tests)] for tests in found)
        return notation.joined(either, [notation.joined(both, tests) for tests in shown])

    def _test(self, sign: str, sides: tuple[Tree, ...]) -> Formula:
        shown = [notation.formula(side, self.letters) for side in sides]
        zero = notation.number(0.0)
        match sign:
            case "between":
                return notation.joined("<", shown)
            case "origin":
                return notation.joined("=", [*shown, zero])
            case "off origin":
                origin = notation.point([zero] * len(shown))
                return notation.joined("≠", [notation.point(shown), origin])
            case "fractional":
                words = self.words["fractional"]
                mark = ("mrow", shown[0].mark, ("mtext", words))
                return Formula(shown[0].text + words, mark, LOOSE, LOOSE)
        return notation.joined(sign, shown)


def is_smooth(row: Operation) -> bool:
    """Whether only the second derivative jumps where the single operand is 0, as for elu."""
    if row.kink != "x" or row.arity > 1:
        return False
    before, after = row.evaluate(-1e-9), row.evaluate(1e-9)
    sides = zip((before[0], *before[1]), (after[0], *after[1]), strict=True)
    return all(abs((a or 0.0) - (b or 0.0)) < 1e-6 for a, b in sides)


# ------------------------------------------------------------------------------------------ reading


def nonzero(tree: Tree) -> Alternatives:
    """What it means that a formula is not 0, or that a comparison holds."""
    match tree:
        case Call("mul", (left, right)) if _is_test(tree):
            return _both(nonzero(left), nonzero(right))
        case Call("add", (left, right)) if _is_test(tree):
            return [*nonzero(left), *nonzero(right)]
        case Call(name, (left, right)) if name in RELATIONS:
            return _compared(RELATIONS[name], left, right)
        case Call("abs", (inner,)) | Call("div", (inner, Call("maximum"))):
            return nonzero(inner)
        case Call("minimum", (first, second)):
            return _both(nonzero(first), nonzero(second))
        case Call("where", (Call("lt", (size, most)) as test, Call("sub", rest), other)) if (
            rest == (most, size)
        ):
            return [*nonzero(test), *nonzero(other)]
        case Call("sub", (x, Call("floor" | "round", (y,)))) | Call(
            "sub", (Call("ceil", (y,)), x)
        ) if x == y:
            return [(("fractional", (x,)),)]
        case Call("sub", (Call("sub", (x, Call("floor", (y,)))), float(part))) if x == y:
            return [(("fractional", (Call("sub", (x, part)),)),)]
        case Call("mod", (x, y)) | Call("sub", (_, Call("mod", (x, y)))):
            return [(("fractional", (Call("div", (x, y)),)),)]
    return _compared("≠", tree, 0.0)


def _is_test(tree: Tree) -> bool:
    """Whether a formula is 1 where something holds, and 0 elsewhere."""
    match tree:
        case Call(name) if name in RELATIONS:
            return True
        case Call("mul" | "add", (left, right)):
            return _is_test(left) and _is_test(right)
    return False


def _compared(sign: str, left: Tree, right: Tree) -> Alternatives:
    match sign, left, right:
        case ">" | "≠", Call("abs", (inner,)), 0.0:
            return nonzero(inner)
        case "≤" | "=", Call("abs", (inner,)), 0.0:
            return [(("=", _sides(inner)),)]
        case ">" | "≠", Call("hypot", sizes), 0.0:
            return [(("off origin", sizes),)]
        case "≤" | "=", Call("hypot", sizes), 0.0:
            return [(("origin", sizes),)]
        case "<", Call("abs", (inner,)), float(most):
            return [(("between", (-most, inner, most)),)]
        case ">", Call("abs", (Call("sub", (x, float(middle))),)), float(least):
            return [(("<", (x, middle - least)),), ((">", (x, middle + least)),)]
        case ">", Call("mul", (x, Call("sub", (float(most), y)))), 0.0 if x == y:
            return [(("between", (0.0, x, most)),)]
        case ">", Call("minimum", (first, second)), 0.0:
            return _both(_compared(">", first, 0.0), _compared(">", second, 0.0))
        case ">", Call("maximum", (first, second)), 0.0:
            return [*_compared(">", first, 0.0), *_compared(">", second, 0.0)]
        case _, Call("sub" | "add"), 0.0:
            return [((sign, _sides(left)),)]
    return [((sign, (left, right)),)]


def _sides(difference: Tree) -> tuple[Tree, Tree]:
    """The two sides that a difference compares: `x - y` says x and y, and `x + 1` says x and -1."""
    match difference:
        case Call("sub", (left, right)):
            return left, right
        case Call("add", (left, float(number))):
            return left, -number
    return difference, 0.0


def _merged(tests: Sequence[Test]) -> list[Test]:
    """The tests with `x = y` and `y = z` as one chain."""
    merged: list[Test] = []
    for sign, sides in tests:
        if sign == "=" and merged and merged[-1][0] == "=" and merged[-1][1][-1] == sides[0]:
            merged[-1] = ("=", (*merged[-1][1], *sides[1:]))
        else:
            merged.append((sign, sides))
    return merged


def _both(first: Alternatives, second: Alternatives) -> Alternatives:
    return [tuple(dict.fromkeys((*one, *other))) for one, other in product(first, second)]
