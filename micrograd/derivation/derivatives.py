"""Derivatives of formulas by the partials of the table, not simplified."""

from __future__ import annotations

from collections.abc import Sequence

from micrograd.ops import TABLE
from micrograd.table.formulas import RESULT, Call, Tree, parts, substituted
from micrograd.writing.parts import added, factors_of, times

_FEWEST_FACTORS = 3  # of a product that is differentiated as a whole


def has_decimals(tree: Tree, slope: bool = False) -> bool:
    """Whether a formula has a decimal fraction such as 0.1, so that others may be decimals too.

    In the `slope` of a function of the table, 0.5 counts as 1/2.
    """
    numbers = (
        number
        for part in (Call("", (tree,)), *parts(tree))
        if isinstance(part, Call)
        for number in part.operands
        if isinstance(number, float) and not (part.name == "pow" and (2 * number).is_integer())
    )
    whole = 2 if slope else 1
    return any(
        (10_000 * number).is_integer() and not (whole * number).is_integer() for number in numbers
    )


def derivative(tree: Tree, variable: str, result: Tree | None = None) -> Tree:
    """The derivative of a formula by the partials of the table, not simplified.

    Args:
        tree: the formula.
        variable: the variable that moves.
        result: what is written for the value of the formula; by default, the formula itself.
    """
    if not isinstance(tree, Call):
        return 1.0 if tree == variable else 0.0
    if tree.name == "mul" and len(factors := factors_of(tree)) > _FEWEST_FACTORS:
        return _of_product(factors, variable)
    row = TABLE[tree.name]
    inner = [derivative(operand, variable) for operand in tree.operands]
    here = {RESULT: tree if result is None else result}
    here |= dict(zip(row.operands, tree.operands, strict=True))
    terms: list[Tree] = []
    for place, slope in enumerate(inner):
        if slope != 0.0:
            local = substituted(_slope(tree, place), here)
            is_first = tree.name == "mul" and place == 0  # (u·v)′ = u′·v + u·v′
            terms.append(_times(slope, local) if is_first else _times(local, slope))
    if not terms:
        return 0.0
    return added([("+", term) for term in terms])


def _of_product(factors: Sequence[Tree], variable: str) -> Tree:
    """The sum over all factors of the derivative of one times the others."""
    terms: list[Tree] = []
    for i, factor in enumerate(factors):
        slope = derivative(factor, variable)
        if slope != 0.0:
            others = [*factors[:i], *factors[i + 1 :]]
            product = times(others if slope in (1.0, -1.0) else [slope, *others])
            terms.append(Call("neg", (product,)) if slope == -1.0 else product)
    return added([("+", term) for term in terms]) if terms else 0.0


def _times(local: Tree, slope: Tree) -> Tree:
    if 1.0 in (local, slope):
        return slope if local == 1.0 else local
    return Call("mul", (local, slope))


def _slope(tree: Call, place: int) -> Tree:
    """The partial of the table; for a power with a constant exponent, without exceptions."""
    if tree.name == "pow" and place == 0 and isinstance(exponent := tree.operands[1], float):
        if exponent == 2.0:
            return Call("mul", (2.0, "x"))
        return Call("mul", (exponent, Call("pow", ("x", exponent - 1.0)))) if exponent else 0.0
    slope: Tree = TABLE[tree.name].told[1 + place]
    match slope:
        case Call("where", (Call("le", (Call("hypot", _) as size, 0.0)), *others)):
            return Call("where", (Call("eq", (size, 0.0)), *others))  # a distance is never less
    return slope
