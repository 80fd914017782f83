"""Formulas as trees, and `fold`, which every interpreter of formulas is built on.

A formula speaks of the operands `x`, `y`, `z` (and, in a partial, of the result `out`), of numbers,
of `+ - * / // % **`, of the comparisons `< <= > >= == !=`, and of calls of known operations. Its
tree is a variable, a number, or an operation of the table with its operands, each of which is a
tree.

An interpreter has a vocabulary, which says what each operation means (on arrays, in LaTeX, as
machine code), and folds the tree with it. `micrograd.table.reading` makes trees from text, and
`micrograd.table.interpreters` makes functions of numbers from trees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

OPERANDS = ("x", "y", "z")
LETTERS = (*OPERANDS, *"uvwpqrstabcdfgh")
"""The operands of an operation that is defined by a function, which may be more than three."""
RESULT = "out"
ADJOINT = "_g"  # the adjoint of the result, in formulas for what flows back to an operand


class FormulaError(ValueError):
    """A text is not a formula: arithmetic on operands, numbers and known operations."""


class Call(NamedTuple):
    """An operation, given by the name of its row, and its operands."""

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
    """Interpret a formula from the inside out.

    Args:
        tree: the formula.
        vocabulary: for each operation by name, a function from what its operands mean to what the
            operation means.
        variables: what each variable means.
        number: a function from a number in the formula to what it means.
    """
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


def size(tree: Tree) -> int:
    """The number of variables, numbers and operations in a formula."""
    return sum(1 for _ in parts(tree))


def substituted(tree: Tree, given: Mapping[str, Tree]) -> Tree:
    """The formula with formulas in place of some of its variables."""
    if isinstance(tree, Call):
        return Call(tree.name, tuple(substituted(each, given) for each in tree.operands))
    return given.get(tree, tree) if isinstance(tree, str) else tree


def rebuilt(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The formula with each operand of its operation changed; a variable or a number as it is."""
    if not isinstance(tree, Call):
        return tree
    return Call(tree.name, tuple(map(change, tree.operands)))


def variables(tree: Tree) -> set[str]:
    """The variables that a formula uses."""
    return {part for part in parts(tree) if isinstance(part, str)}


def calls(tree: Tree) -> set[str]:
    """The operations in a formula."""
    return {part.name for part in parts(tree) if isinstance(part, Call)}


COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")
_TRUTHS = frozenset(COMPARISONS)


def with_truths(tree: Tree) -> Tree:
    """The formula with truth values kept apart from numbers, for interpreters that need it.

    A truth value is a comparison, `_lt(x, y)` and so on, or a test of a number, `_truth(x)`. It
    occurs only as the first operand of `_where`. A comparison that is used as a number becomes a
    choice between 1 and 0.
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
    """A partial in which each literal 0 that may be its result is the variable None instead."""
    if partial == 0:
        return "None"
    if isinstance(partial, Call) and partial.name == "_where":
        test, then, otherwise = partial.operands
        return Call("_where", (test, gated(then), gated(otherwise)))
    return partial


def flow(partial: Tree, product: str = "mul") -> Tree | None:
    """The product of the adjoint and a partial, with the choices of the partial outside of it.

    Args:
        partial: the formula of the partial, with truth values apart.
        product: the name of the operation that multiplies.

    Returns:
        The formula, or None if the product is always 0.
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


WHOLE: dict[float | None, int] = {float(k): k for k in range(3, 9)}
"""Exponents of powers that are cheaper as products, and the same as ints."""


def whole_power(k: int) -> Tree:
    """Return a power of `x` with a whole exponent, 1 or more, as products.

    >>> print(whole_power(3))
    mul(square(x), x)
    """
    if k == 1:
        return "x"
    squared = Call("square", (whole_power(k // 2),))
    return Call("mul", (squared, "x")) if k % 2 else squared


def horner(coefficients: Sequence[float], x: str = "x") -> str:
    """The text of a polynomial in x, by Horner's rule; the constant comes first."""
    text = repr(coefficients[-1])
    for each in reversed(coefficients[:-1]):
        text = f"{each!r} + {x} * ({text})"
    return text
