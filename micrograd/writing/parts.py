"""The terms and factors that a formula is written with, and the opposite of a condition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce

from micrograd.table.formulas import Call, Tree


def signed(tree: Tree) -> tuple[str, Tree]:
    """The sign of a term, and the term without it."""
    match tree:
        case float() if tree < 0:
            return "−", -tree
        case Call("neg", (inner,)):
            sign, inner = signed(inner)
            return "+" if sign == "−" else "−", inner
        case Call("mul" | "div" as name, (first, second)):
            sign, first = signed(first)
            return sign, Call(name, (first, second))
        case Call("factors", (Call() as first, *others)):
            sign, first = signed(first)
            if sign == "−" and isinstance(first, Call) and first.name == "mul":
                return sign, Call("factors", (first, *others))
    return "+", tree


def terms(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """The terms of a sum with their signs."""
    rest = [("+", tree)]
    is_whole = True
    while rest:
        outside, tree = rest.pop()
        match tree:
            case Call("neg", (Call("add" | "sub") as inner,)) if not is_whole:
                rest.append((_OTHER[outside], inner))
            case Call("add" | "sub" as name, (left, right)):
                inside = outside if name == "add" else _OTHER[outside]
                rest += [(inside, right), (outside, left)]
                is_whole = False
            case _:
                sign, term = signed(tree)
                yield "+" if sign == outside else "−", term


_OTHER = {"+": "−", "−": "+"}
_LONG = 24  # terms of a sum


def added(several: Sequence[tuple[str, Tree]]) -> Tree:
    """The sum of terms with their signs.

    A long one is the sum of its halves, so that it is not as deep as it is long.
    """
    (sign, first), *others = several
    half = len(several) // 2 if len(several) >= _LONG else len(several) - 1
    if not others:
        return Call("neg", (first,)) if sign == "−" else first
    right = several[half:]
    if right[0][0] == "+":
        return Call("add", (added(several[:half]), added(right)))
    turned = [(_OTHER[sign], term) for sign, term in right]
    return Call("sub", (added(several[:half]), added(turned)))


def factors_of(tree: Tree) -> list[Tree]:
    """The factors of a product."""
    if isinstance(tree, Call) and tree.name == "mul":
        return [each for side in tree.operands for each in factors_of(side)]
    return [tree]


def times(of: Sequence[Tree]) -> Tree:
    """The product of these factors."""
    return reduce(lambda x, y: Call("mul", (x, y)), of)


def opposite(test: Tree) -> Tree:
    """The condition that holds where another one does not."""
    match test:
        case Call(name, sides) if name in OPPOSITE:
            return Call(OPPOSITE[name], sides)
        case Call("and" | "or" as name, sides):  # De Morgan
            return Call("or" if name == "and" else "and", tuple(map(opposite, sides)))
        case Call("xor", (first, second)):
            return Call("xor", (first, opposite(second)))
    return Call("eq", (test, 0.0))


SUMS = ("add", "sub")
"""The operations that add two terms."""

OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt", "eq": "ne", "ne": "eq"}
"""The comparison that holds where another one does not."""
TURNED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "ne": "ne", "eq": "eq"}
"""The comparison of the two sides in the other order."""
