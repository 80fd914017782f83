"""Conditions of choices: `[0 < x < 6]` for what is 1 between two numbers and 0 elsewhere."""

from __future__ import annotations

from micrograd.table.formulas import COMPARISONS, Call, Tree
from micrograd.writing.notation import RELATIONS
from micrograd.writing.parts import opposite


def is_indicator(tree: Tree) -> bool:
    """Whether it is a choice between 1 and 0, written as a condition in square brackets."""
    return holds(factored(tree)) is not None


def factored(tree: Tree) -> Tree:
    """The choice between 1 and 0 that is a factor of what is 0 except between two numbers."""
    match tree:
        case Call("where", (first, 0.0, Call("where", (second, 0.0, _)))):
            return Call("where", (first, 0.0, Call("where", (second, 0.0, 1.0))))
    return tree


def holds(tree: Tree) -> Tree | None:
    """The condition under which a choice between 1 and 0 is 1; None for another formula."""
    match tree:
        case Call("where", (test, 1.0, 0.0)) if is_comparison(test):
            return test
        case Call("where", (test, 0.0, 1.0)) if is_comparison(test):
            return opposite(test)
        case Call("where", (test, 0.0, rest)) if (inner := holds(rest)) is not None:
            return between(opposite(test), inner)
    return None


def is_comparison(tree: Tree) -> bool:
    """Whether it is a condition that compares two formulas."""
    return isinstance(tree, Call) and tree.name in COMPARISONS


def between(first: Tree, second: Tree) -> Tree | None:
    """Two conditions as one, `a < x < b`; None if they are others."""
    match first, second:
        case Call("gt" | "ge" as more, (x, low)), Call("lt" | "le" as less, (y, high)) if x == y:
            signs = RELATIONS[more].translate(_TURNED), RELATIONS[less]
            return Call("between", (low, signs[0], x, signs[1], high))
        case Call("lt" | "le"), Call("gt" | "ge"):
            return between(second, first)
    return None


_TURNED = str.maketrans("<>≤≥", "><≥≤")


def is_ordered(between: Tree) -> bool:
    """Whether a number can be between these ends, so that what is outside has two parts."""
    match between:
        case Call("between", (float() as low, _, _, _, float() as high)):
            return low <= high
    return False
