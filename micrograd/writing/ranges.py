"""Conditions of choices: `[0 < x < 6]` for what is 1 between two numbers and 0 elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from micrograd.ops import TABLE
from micrograd.table.formulas import COMPARISONS, Call, Tree
from micrograd.writing.notation import RELATIONS
from micrograd.writing.parts import TURNED, opposite, terms, times


def is_indicator(tree: Tree) -> bool:
    """Whether it is a choice between 1 and 0, written as a condition in square brackets."""
    return holds(factored(tree)) is not None or unless(tree) is not tree


def factored(tree: Tree) -> Tree:
    """The choice between 1 and 0 that is a factor of what is 0 except between two numbers."""
    match tree:
        case Call("where", (first, 0.0, Call("where", (second, 0.0, _)))):
            return Call("where", (first, 0.0, Call("where", (second, 0.0, 1.0))))
    return tree


def holds(tree: Tree) -> Tree | None:
    """The condition under which a choice between 1 and 0 is 1; None for another formula."""
    match tree:
        case Call("where", (Call("between") as test, 1.0, 0.0)):
            return test
        case Call("where", (test, 1.0, 0.0)):
            return test if is_comparison(test) else Call("ne", (test, 0.0))
        case Call("where", (test, 0.0, 1.0)):
            return opposite(test)
        case Call("where", (test, 0.0, rest)) if (inner := holds(rest)) is not None:
            return between(opposite(test), inner)
    return None


def unless(tree: Tree) -> Tree:
    """A choice that is 0 if one of several conditions holds, as a product of choices; or as it is.

    Conditions such as `0 >= 2`, which never hold, are left out.
    """
    match tree:
        case Call("where", (Call("add") as tests, 0.0, rest)):
            several = [*terms(tests)]
            if all(sign == "+" and is_comparison(test) for sign, test in several):
                factors = [_indicator(opposite(test)) for _, test in several if not _is_never(test)]
                return times([rest, *factors] if rest != 1.0 or not factors else factors)
    return tree


def _indicator(test: Tree) -> Tree:
    return Call("where", (test, 1.0, 0.0))


def _is_never(test: Tree) -> bool:
    match test:
        case Call(name, (float() as x, float() as y)):
            return not TABLE[name].value(x, y)
    return False


def ranges(factors: Sequence[Tree]) -> list[Tree]:
    """The factors of a product in which `[x >= 0]` and `[x <= 6]` are `[0 <= x <= 6]`."""
    found: list[Tree] = []
    for factor in factors:
        condition = holds(factor)
        for i, other in enumerate(found if condition is not None else ()):
            earlier = holds(other)
            both = earlier and condition and between(earlier, condition)
            if both:
                found[i] = _indicator(both)
                break
        else:
            found.append(factor)
    return found


def is_comparison(tree: Tree) -> bool:
    """Whether it is a condition that compares two formulas."""
    return isinstance(tree, Call) and tree.name in COMPARISONS


def logical(tree: Tree, is_condition: Callable[[Tree], bool]) -> Tree:
    """A condition with `and`, `or` and `xor` in place of what `&`, `|` and `^` compute.

    `(x > 1) + (y > 2) > 1.5` becomes `x > 1 and y > 2`, and what `~` makes of a condition is its
    opposite.

    Args:
        tree: the condition.
        is_condition: whether a formula is 1 where something holds and 0 elsewhere.
    """
    sides: tuple[Tree, ...] = ()
    match tree:
        case Call("ne", (test, 0.0)) if is_condition(test):
            return test
        case Call("lt" | "ge" as name, (test, 0.5)) if is_condition(test):
            test = logical(test, is_condition)
            return opposite(test) if name == "lt" else test
        case Call("gt" | "le", (Call("add", sides), 0.5 | 1.5 as least)):
            word = "and" if least > 1.0 else "or"
        case Call("gt" | "le", (Call("pow", (Call("sub", sides), 2.0)), 0.5)):
            word = "xor"
    if not sides or not all(map(is_condition, sides)):
        return tree
    joined = Call(word, tuple(logical(side, is_condition) for side in sides))
    return joined if isinstance(tree, Call) and tree.name == "gt" else opposite(joined)


def between(first: Tree, second: Tree) -> Tree | None:
    """Two conditions as one, `a < x < b`; None if they are others."""
    match first, second:
        case Call("gt" | "ge" as more, (x, low)), Call("lt" | "le" as less, (y, high)) if x == y:
            signs = RELATIONS[TURNED[more]], RELATIONS[less]
            return Call("between", (low, signs[0], x, signs[1], high))
        case Call("lt" | "le"), Call("gt" | "ge"):
            return between(second, first)
    return None


def is_ordered(between: Tree) -> bool:
    """Whether a number can be between these ends, so that what is outside has two parts."""
    match between:
        case Call("between", (float() as low, _, _, _, float() as high)):
            return low <= high
    return False
