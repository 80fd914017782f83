"""Formulas made ready to be written as code: tests, easy cases, and what occurs more than once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from micrograd.ops import Operation
from micrograd.table.floats import to_float
from micrograd.table.formulas import (
    ADJOINT,
    COMPARISONS,
    Call,
    Tree,
    fold,
    variables,
    with_truths,
)
from micrograd.table.interpreters import IEEE

_TESTS = frozenset({"_truth", "_and", "_or", *(f"_{name}" for name in COMPARISONS)})


def _test(tree: Tree) -> Tree | None:
    """The truth value that this number is made from, or None. A constant stands for itself."""
    match tree:
        case 0.0 | 1.0:
            return tree
        case Call("_where", (test, 1.0, 0.0)):
            return test
        case Call("add" | "mul", (x, y)):
            first, second = _test(x), _test(y)
            if first is not None and second is not None:
                return _joined(tree.name == "add", first, second)
    return None


def _joined(is_sum: bool, first: Tree, second: Tree) -> Tree:
    """Whether one of two truths holds, for a sum, or both, for a product."""
    for one, other in ((first, second), (second, first)):
        if isinstance(one, float):
            return one if bool(one) == is_sum else other
    return Call("_or" if is_sum else "_and", (first, second))


_ARITHMETIC = ("add", "sub", "mul", "neg", "abs")


def _ready(name: str, *operands: Tree) -> Tree:
    """An operation on formulas that are ready."""
    if all(isinstance(each, float) for each in operands):
        known = name[1:] if name[1:] in COMPARISONS else name
        if known in (*COMPARISONS, *_ARITHMETIC):
            return _constant(to_float(IEEE[known](*operands)))
    match name, operands:
        case "_truth", (number,):
            return _truth(number)
        case "_where", (float(test), then, otherwise):
            return then if test else otherwise
        case "_where", (test, Call("stopping_mul", (g, x)), Call("stopping_mul", (h, y))) if g == h:
            return Call("stopping_mul", (g, Call("_where", (test, x, y))))
        case "pow", (base, 1.0):
            return base
        case "pow", (_, float(exponent)) if math.isfinite(exponent):
            return Call("_library_pow", operands)
        case "div", (_, float(divisor)) if divisor:
            return Call("_div", operands)
        case "stopping_mul" | "mul", (1.0, other) | (other, 1.0):
            return other
        case "stopping_mul" | "mul", (-1.0, other) | (other, -1.0):
            return Call("neg", (other,))
        case "stopping_mul", (_, float(factor)) if factor and math.isfinite(factor):
            return Call("mul", operands)
    return Call(name, operands)


def _truth(number: Tree) -> Tree:
    if isinstance(number, float):
        return float(number != 0)
    test = _test(number)
    return Call("_truth", (number,)) if test is None else test


class _Ready(dict[str, Callable[..., Tree]]):
    def __missing__(self, name: str) -> Callable[..., Tree]:
        return partial(_ready, name)


def ready(tree: Tree) -> Tree:
    """The formula with truth values, and the cases that every language can write, set apart.

    Two truth values are joined by `_or` and `_and`. A power with a finite constant exponent becomes
    `_library_pow`, a quotient whose divisor is a constant other than 0 becomes `_div`, and a
    product of the chain rule in which nothing can be stopped becomes a plain one. Arithmetic on
    constants is done, and so are choices that depend on constants only. Equal trees have equal
    values: there is no constant -0.0.
    """
    tree = with_truths(tree)
    same: dict[str, Tree] = {name: name for name in variables(tree)}
    return fold(tree, _READY, same, _constant)


def _constant(number: float) -> Tree:
    """A constant; -0.0, which equals 0.0 as a key, is the opposite of that."""
    return Call("neg", (0.0,)) if number == 0 and math.copysign(1, number) < 0 else number


_READY = _Ready()


ACCURATE = {name: f"_{name}" for name in ("exp", "log", "cosh")}
"""What the formulas of rows call, which may enlarge rounding errors. A language need not have such
functions: then it calls the plain ones."""


def accurate(tree: Tree) -> Tree:
    """The formula with the accurate functions in place of those of the language's library."""
    if not isinstance(tree, Call):
        return tree
    name = ACCURATE.get(tree.name, tree.name)
    return Call(name, tuple(accurate(each) for each in tree.operands))


def flow_of(
    row: Operation, place: int, operands: Sequence[Tree], product: str = "stopping_mul"
) -> Tree | None:
    """The formula for what flows back to an operand, without cases that its constants exclude.

    Args:
        row: the operation.
        place: the position of the operand.
        operands: what the operation is applied to; constants are floats.
        product: the operation that multiplies in the chain rule.

    Returns:
        A formula of the operands, `out` and the adjoint of `out`, or None if nothing flows.
    """
    exponent = operands[-1]
    if row.name == "pow" and place == 0 and isinstance(exponent, float) and 0.5 <= exponent <= 8:
        # The table's formula for these exponents, and its limits at 0, are equal to this one.
        slope = Call("mul", (exponent, Call("pow", ("x", exponent - 1.0))))
        return Call(product, (ADJOINT, slope if exponent != 1 else 1.0))
    flow = row.flow(place, product)
    return None if flow is None else accurate(flow)


class Definition(NamedTuple):
    """A local variable and its formula."""

    name: str
    tree: Tree


def shared(definitions: Iterable[Definition], fresh: Iterator[str]) -> list[Definition]:
    """Give what occurs more than once in definitions a name of its own, before its first use.

    Args:
        definitions: what is computed, in order; the formulas are ready.
        fresh: names for the new variables.
    """
    definitions = list(definitions)
    times: Counter[Tree] = Counter()
    for each in definitions:
        _count(each.tree, times)
    made: list[Definition] = []
    names: dict[Tree, str] = {}

    def rewritten(tree: Tree, *, whole: bool = False) -> Tree:
        if not isinstance(tree, Call):
            return tree
        if tree in names:
            return names[tree]
        inner = Call(tree.name, tuple(rewritten(each) for each in tree.operands))
        if whole or times[tree] < 2 or tree.name in _TESTS or tree.name == "neg":
            return inner
        names[tree] = name = next(fresh)
        made.append(Definition(name, inner))
        return name

    for name, tree in definitions:
        inner = rewritten(tree, whole=True)
        if isinstance(tree, Call):
            names.setdefault(tree, name)
        made.append(Definition(name, inner))
    return made


def needed(definitions: Sequence[Definition], results: Iterable[Tree]) -> list[Definition]:
    """The definitions that results need, directly or through others, in order.

    Args:
        definitions: what is computed, in order.
        results: formulas of these variables and others.
    """
    wanted = set().union(*map(variables, results))
    kept = []
    for each in reversed(definitions):
        if each.name in wanted:
            wanted |= variables(each.tree)
            kept.append(each)
    return kept[::-1]


def _count(tree: Tree, times: Counter[Tree]) -> None:
    if isinstance(tree, Call):
        times[tree] += 1
        if times[tree] == 1:
            for each in tree.operands:
                _count(each, times)
