"""Choices in a formula, `where(test, a, b)`: decided by numbers, or freed of exceptional points.

Both ways give the formula and the conditions under which it holds, for the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from micrograd.derivation.algebra import simplified
from micrograd.table.floats import to_float
from micrograd.table.formulas import (
    COMPARISONS,
    Call,
    Tree,
    calls,
    fold,
    parts,
    rebuilt,
    size,
    substituted,
    variables,
)
from micrograd.table.interpreters import IEEE
from micrograd.writing.parts import TURNED, opposite
from micrograd.writing.ranges import is_comparison, logical


def decided(
    tree: Tree, numbers: Mapping[str, float], known: Mapping[str, Tree] | None = None
) -> tuple[Tree, tuple[Tree, ...]]:
    """The formula with the branches that the numbers take, and the conditions that decided.

    Args:
        tree: the formula.
        numbers: those of its variables.
        known: what names in it stand for, by which two numbers may be always equal.

    >>> tree = Call("where", (Call("gt", ("x", 0.0)), "y", 0.0))
    >>> formula, conditions = decided(tree, {"x": 2.0, "y": 1.0})
    >>> formula, str(conditions[0])
    ('y', 'gt(x, 0.0)')
    """
    if not isinstance(tree, Call):
        return tree, ()
    if tree.name == "where":
        test, then, otherwise = tree.operands
        if (certain := _certain(test, known or {})) is not None:
            return decided(then if certain else otherwise, numbers, known)
        holds = fold(test, IEEE, numbers, to_float)
        formula, conditions = decided(then if holds else otherwise, numbers, known)
        return formula, (test if holds else opposite(test), *conditions)
    return _of_each(tree, lambda each: decided(each, numbers, known))


def _of_each(
    tree: Call, change: Callable[[Tree], tuple[Tree, tuple[Tree, ...]]]
) -> tuple[Tree, tuple[Tree, ...]]:
    """The operation with its operands changed, and the conditions for all of them."""
    changed = [change(each) for each in tree.operands]
    conditions = tuple(each for _, inner in changed for each in inner)
    return Call(tree.name, tuple(formula for formula, _ in changed)), conditions


def regular(tree: Tree, known: Mapping[str, Tree] | None = None) -> tuple[Tree, tuple[Tree, ...]]:
    """The formula without branches that single points take, and where it holds.

    At such a point two numbers are equal, as in `where(x == 0, …)`. The choice between
    `x < y`, `x > y` and equality loses its middle case.

    Args:
        tree: the formula.
        known: what names in it stand for, by which two numbers may be always equal.

    >>> slope = Call("where", (Call("lt", ("x", "y")), 0.0,
    ...                        Call("where", (Call("le", ("x", "y")), 0.5, 1.0))))
    >>> formula, conditions = regular(slope)
    >>> str(formula), str(conditions[0])
    ('where(gt(x, y), 1.0, 0.0)', 'ne(x, y)')
    """
    if not isinstance(tree, Call):
        return tree, ()
    if tree.name == "where":
        test, then, otherwise = tree.operands
        if (certain := _certain(test, known or {})) is not None:
            return regular(then if certain else otherwise, known)
        if (exception := _exception(test)) is not None:
            formula, conditions = regular(otherwise, known)
            return formula, (exception, *conditions)
        match test, otherwise:
            case (
                Call("lt" | "gt" as name, sides),
                Call("where", (Call("le" | "ge", equal), middle, last)),
            ) if sides == equal:
                meant = [_written_out(side, known or {}) for side in sides]
                other = Call("gt" if name == "lt" else "lt", sides)
                formula, conditions = regular(Call("where", (other, last, then)), known)
                if not _may_coincide(meant):
                    return formula, (Call("ne", sides), *conditions)
                if then == 0.0:
                    share = Call("where", (Call("eq", sides), 1.0, 0.0))
                    return Call("add", (formula, Call("mul", (middle, share)))), conditions
    return _of_each(tree, lambda each: regular(each, known))


def assuming(test: Tree, tree: Tree, holds: bool) -> Tree:
    """The formula where it is known how a test turns out.

    >>> str(assuming("x", Call("where", ("x", "y", 1.0)), True))
    'y'
    """
    if isinstance(tree, Call) and tree.name == "where" and tree.operands[0] == test:
        return assuming(test, tree.operands[1 if holds else 2], holds)
    return rebuilt(tree, lambda each: assuming(test, each, holds))


def _certain(test: Tree, known: Mapping[str, Tree]) -> bool | None:
    """Whether a comparison of two formulas of the same function holds; None for any other test."""
    match test:
        case Call(name, sides) if name in COMPARISONS:
            left, right = (_written_out(side, known) for side in sides)
            used = variables(left)
            if used and used == variables(right) and simplified(Call("sub", (left, right))) == 0.0:
                return name in ("le", "ge", "eq")
    return None


def _written_out(tree: Tree, known: Mapping[str, Tree]) -> Tree:
    """A formula with what its names stand for, as far as this is not too long."""
    while variables(tree) & known.keys():
        longer = substituted(tree, known)
        if size(longer) > _MOST_WRITTEN_OUT:
            break
        tree = longer
    return tree


_MOST_WRITTEN_OUT = 30  # variables, numbers and operations
_ANALYTIC = frozenset(
    "add sub mul div neg square reciprocal exp expm1 log log1p sin cos tan atan sinh cosh tanh "
    "asinh sigmoid softplus log_sigmoid silu erf erfc gelu ndtr".split()
)


def _may_coincide(sides: Sequence[Tree]) -> bool:
    """Whether two numbers may be equal at more than single points, as x and clip(x, 0, 1) are.

    Two analytic functions that are equal on an interval are equal wherever they are connected, so
    they would hardly be compared.
    """
    first, second = map(variables, sides)
    are_related = not (first and second) or bool(first & second)
    return sides[0] == sides[1] or (are_related and not all(map(_is_analytic, sides)))


def _is_analytic(tree: Tree) -> bool:
    match tree:
        case Call("pow", (base, float() as exponent)):
            return exponent.is_integer() and _is_analytic(base)
        case Call(name, operands):
            return name in _ANALYTIC and all(map(_is_analytic, operands))
    return True


def _exception(test: Tree) -> Tree | None:
    """The condition that excludes the points of a test, if these are exceptional."""
    match test:
        case Call("eq", sides):
            return Call("ne", sides)
        case Call("le", (Call("abs", (x,)), 0.0)):
            return Call("ne", (x, 0.0))
        case Call("le", (Call("hypot", _) as size, 0.0)):
            return Call("ne", (size, 0.0))
        case Call("mul", (first, _)):  # at x = 0, for some y
            return _exception(first)
    return None


def joined(conditions: Sequence[Tree]) -> list[Tree]:
    """The conditions without those that follow from others; `x <= y` and `x >= y` are `x == y`."""
    found: dict[Tree, None] = {}
    for condition in conditions:
        if _turned(condition) not in found:
            found[condition] = None
    for condition in conditions:
        match condition:
            case Call("le", sides) if {condition, Call("ge", sides)} <= found.keys():
                del found[condition], found[Call("ge", sides)]
                found[Call("eq", sides)] = None
    about: dict[Tree, list[Tree]] = {}  # the conditions by their left sides
    for each in found:
        about.setdefault(_left(each), []).append(each)
    return [
        each
        for each in found
        if not any(
            _follows(way, other)
            for way in (each, _turned(each))
            for other in about.get(_left(way), ())
        )
    ]


def _left(condition: Tree) -> Tree:
    return condition.operands[0] if isinstance(condition, Call) else condition


def _turned(condition: Tree) -> Tree:
    """`y > x` for `x < y`."""
    match condition:
        case Call(name, (x, y)) if name in TURNED:
            return Call(TURNED[name], (y, x))
    return condition


def _follows(condition: Tree, other: Tree) -> bool:
    """Whether a condition follows from another: `x >= 0` follows from `x > 0` and `x > 2`."""
    match condition, other:
        case Call(name, (x, end)), Call(known, (y, further)) if x == y and name in _ENDS:
            if name[0] != known[0]:
                return False
            if isinstance(end, float) and isinstance(further, float) and end != further:
                return (end < further) == (name[0] == "g")
            return end == further and (name[1], known[1]) == ("e", "t")
    return False


_ENDS = ("ge", "gt", "le", "lt")
_LONGEST = 12  # variables, numbers and operations of a condition that is shown


def is_simple(condition: Tree) -> bool:
    """Whether a reader wants to see a condition: it compares variables or short formulas.

    A test that a size is greater than 0 is only a guard in the table.
    """
    match logical(condition, is_comparison):
        case Call("and" | "or" | "xor", tests):
            return all(map(is_simple, tests))
        case Call(name, (Call("abs" | "hypot"), 0.0)) if name in COMPARISONS:
            return False
        case Call(name, sides) as test if name in COMPARISONS and variables(test):
            inner = set().union(*map(calls, sides))
            return (
                inner.isdisjoint((*COMPARISONS, "where"))
                and sum(1 for _ in parts(test)) <= _LONGEST
            )
    return False
