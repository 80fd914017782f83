"""Derivatives of the formulas of losses and activations, in the shortest form found.

`derivative` differentiates each branch of a choice by itself, and `shortest` compares the
simplified formula with the one over a common denominator.

>>> from micrograd.ops import TABLE
>>> entropy = TABLE["mul"].read("-(y * log(x) + (1 - y) * log1p(-x))")
>>> print(derivative(entropy, "x"))
div(sub(x, y), mul(x, sub(1.0, x)))
"""

from __future__ import annotations

from micrograd.derivation import algebra, derivatives
from micrograd.derivation.choices import assuming
from micrograd.table.formulas import Call, Tree, parts, rebuilt, size, substituted
from micrograd.writing.parts import factors_of, times


def derivative(tree: Tree, variable: str, result: Tree | None = None) -> Tree:
    """Return the derivative of a formula, simplified.

    Args:
        tree: the formula.
        variable: the variable that moves.
        result: what is written for the formula itself, if it occurs in its derivative.
    """
    if isinstance(tree, Call) and tree.name == "where":
        test, then, otherwise = tree.operands
        slopes = [
            derivative(assuming(test, branch, is_first), variable)
            for branch, is_first in ((then, True), (otherwise, False))
        ]
        return _choice(test, *slopes)
    return shortest(derivatives.derivative(tree, variable, result))


def _choice(test: Tree, then: Tree, otherwise: Tree) -> Tree:
    """Return the choice, or the second formula if it equals the first one in its case too."""
    match test:
        case Call("le", (Call("abs", (str(name),)), 0.0)):
            if algebra.simplified(substituted(otherwise, {name: 0.0})) == then:
                return otherwise
    return then if then == otherwise else Call("where", (test, then, otherwise))


def shortest(tree: Tree) -> Tree:
    """Return the formula in the shorter of two forms: simplified, or over a common denominator."""
    if isinstance(tree, Call) and tree.name == "where":
        test, then, otherwise = tree.operands
        return _choice(test, shortest(then), shortest(otherwise))
    tree = _without_repeated_tests(tree)
    found = algebra.simplified(tree, decimals=True)
    other = algebra.simplified(algebra.fraction(_without_mirrors(tree)), decimals=True)
    return min(found, other, key=size)


def with_choice_outside(tree: Tree) -> Tree:
    """Return a formula of a choice, if there is one in it, between two that are simplified.

    Args:
        tree: the formula.

    >>> from micrograd.ops import TABLE
    >>> str(with_choice_outside(TABLE["mul"].read("y * where(x <= 0, 0, 1)")))
    'where(le(x, 0.0), 0.0, y)'
    """
    for part in parts(tree):
        if isinstance(part, Call) and part.name == "where":
            test = part.operands[0]
            then, otherwise = (shortest(assuming(test, tree, known)) for known in (True, False))
            return _choice(test, then, otherwise)
    return tree


def _without_repeated_tests(tree: Tree) -> Tree:
    """Return the formula in which relu(x) is not multiplied by the test whether x is above 0."""
    factors = factors_of(tree)
    slopes = [
        Call("where", (Call("le", (*factor.operands, 0.0)), 0.0, 1.0))
        for factor in factors
        if isinstance(factor, Call) and factor.name == "relu"
    ]
    kept = [factor for factor in factors if factor not in slopes]
    return tree if len(kept) == len(factors) else times(kept)


def _without_mirrors(tree: Tree) -> Tree:
    """Return the formula with `1 - sigmoid(x)` for `sigmoid(-x)`."""
    found = rebuilt(tree, _without_mirrors)
    match found:
        case Call("sigmoid", (Call("neg", (inner,)),)):
            return Call("sub", (1.0, Call("sigmoid", (inner,))))
    return found
