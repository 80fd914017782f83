"""Formulas as trees, and `fold`, which every interpreter of formulas is built on.

A formula speaks of the operands `x`, `y`, `z` (and, in a partial, of the result `out`), of numbers,
of `+ - * / **`, of the comparisons `< <= > >= == !=`, and of calls of known operations. Its tree is
a variable, a number, or an operation of the table with its operands, each of which is a tree.

An interpreter has a vocabulary, which says what each operation means (on arrays, in LaTeX, as
machine code), and folds the tree with it. `micrograd.table.reading` makes trees from text, and
`micrograd.table.interpreters` makes functions of numbers from trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

OPERANDS = ("x", "y", "z")
RESULT = "out"
ADJOINT = "_g"  # of the result, where it is told what flows back to an operand


class FormulaError(ValueError):
    """A row whose text is not arithmetic on its operands and known operations."""


class Call(NamedTuple):
    """An operation, by the name of its row, of operands."""

    name: str
    operands: tuple[Tree, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.operands))})"


Tree = str | float | Call
"""A formula: a variable by its name, a number, or an operation."""

T = TypeVar("T")
_FLOAT: Any = float


def fold(
    tree: Tree,
    vocabulary: Mapping[str, Callable[..., T]],
    variables: Mapping[str, T],
    number: Callable[[float], T] = _FLOAT,
) -> T:
    """What a formula means: `vocabulary` says it of each operation, of what its operands mean."""
    if isinstance(tree, Call):
        operands = [fold(each, vocabulary, variables, number) for each in tree.operands]
        return vocabulary[tree.name](*operands)
    return variables[tree] if isinstance(tree, str) else number(tree)


def parts(tree: Tree) -> Iterator[Tree]:
    """A formula and all formulas in it, level by level."""
    level = [tree]
    while level:
        yield from level
        level = [each for part in level if isinstance(part, Call) for each in part.operands]


def variables(tree: Tree) -> set[str]:
    """The variables that a formula uses."""
    return {part for part in parts(tree) if isinstance(part, str)}


def calls(tree: Tree) -> set[str]:
    """The operations in a formula."""
    return {part.name for part in parts(tree) if isinstance(part, Call)}


COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
_TRUTHS = frozenset(COMPARISONS)


def with_truths(tree: Tree) -> Tree:
    """The formula with truths and numbers apart, for kinds of numbers whose truths are no numbers.

    A truth is `_lt(x, y)` and so on, or `_truth(x)` of a number; it occurs only as the first
    operand of `_where`. A comparison in the place of a number is a choice of 1 and 0.
    """
    if not isinstance(tree, Call):
        return tree
    if tree.name in _TRUTHS:
        return Call("_where", (_test(tree), 1.0, 0.0))
    if tree.name == "where":
        test, then, otherwise = tree.operands
        return Call("_where", (_test(test), with_truths(then), with_truths(otherwise)))
    return Call(tree.name, tuple(map(with_truths, tree.operands)))


def _test(tree: Tree) -> Tree:
    if isinstance(tree, Call) and tree.name in _TRUTHS:
        return Call(f"_{tree.name}", tuple(map(with_truths, tree.operands)))
    return Call("_truth", (with_truths(tree),))


def gated(partial: Tree) -> Tree:
    """A partial with the variable None in place of each literal 0 that it can choose."""
    if partial == 0:
        return "None"
    if isinstance(partial, Call) and partial.name == "_where":
        test, then, otherwise = partial.operands
        return Call("_where", (test, gated(then), gated(otherwise)))
    return partial


def flow(partial: Tree, product: str = "mul") -> Tree | None:
    """What flows back: the adjoint times a partial, whose choices are outside of the product.

    None if it never is anything; `product` is the operation that multiplies.
    """
    if partial == 0:
        return None
    if partial == 1:
        return ADJOINT
    if isinstance(partial, Call) and partial.name == "_where":
        test, *branches = partial.operands
        flows = [flow(branch, product) for branch in branches]
        if flows == [None, None]:
            return None
        return Call("_where", (test, *(0.0 if each is None else each for each in flows)))
    return Call(product, (ADJOINT, partial))
