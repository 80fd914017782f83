"""Derivatives of the formulas of losses and activations, in the shortest form found.

`derivative` differentiates each branch of a choice by itself, and `shortest` compares the
simplified formula with the one over a common denominator, multiplied out.

>>> from micrograd.ops import TABLE
>>> entropy = TABLE["mul"].read("-(y * log(x) + (1 - y) * log1p(-x))")
>>> print(derivative(entropy, "x"))
div(sub(x, y), mul(x, sub(1.0, x)))
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from micrograd.derivation import algebra, derivatives, sums
from micrograd.table.formulas import Call, Tree, parts, size, substituted
from micrograd.writing.parts import factors_of, times

_LARGEST = 40  # terms of a polynomial that is multiplied out


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


def assuming(test: Tree, tree: Tree, is_true: bool) -> Tree:
    """Return the formula where it is known how a test turns out.

    Args:
        test: the test of a choice.
        tree: the formula.
        is_true: how the test turns out.
    """
    if not isinstance(tree, Call):
        return tree
    if tree.name == "where" and tree.operands[0] == test:
        return assuming(test, tree.operands[1 if is_true else 2], is_true)
    return Call(tree.name, tuple(assuming(test, each, is_true) for each in tree.operands))


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
    try:
        other = algebra.simplified(_ratio(_without_mirrors(tree)).tree(), decimals=True)
    except OverflowError:
        return found
    return min(found, other, key=size)


def has_choice(tree: Tree) -> bool:
    """Return whether there is a choice in a formula."""
    return any(isinstance(part, Call) and part.name == "where" for part in parts(tree))


def _without_repeated_tests(tree: Tree) -> Tree:
    """Return the formula in which relu(x) is not multiplied by the test whether x is above 0."""
    factors = factors_of(tree)
    kept = [
        factor
        for factor in factors
        if not (
            isinstance(factor, Call)
            and factor.name == "where"
            and any(factor == _slope_of_relu(each) for each in factors)
        )
    ]
    return tree if len(kept) == len(factors) else times(kept)


def _slope_of_relu(tree: Tree) -> Tree | None:
    """Return the derivative of `relu(x)` as a formula, or None for any other formula."""
    match tree:
        case Call("relu", (inner,)):
            return Call("where", (Call("le", (inner, 0.0)), 0.0, 1.0))
    return None


def _without_mirrors(tree: Tree) -> Tree:
    """Return the formula with `1 - sigmoid(x)` for `sigmoid(-x)`."""
    if not isinstance(tree, Call):
        return tree
    operands = tuple(map(_without_mirrors, tree.operands))
    match tree.name, operands:
        case "sigmoid", (Call("neg", (inner,)),):
            return Call("sub", (1.0, Call("sigmoid", (inner,))))
    return Call(tree.name, operands)


# ------------------------------------------------------------------------------- rational functions

_Powers = frozenset[tuple[Tree, int]]
_Polynomial = dict[_Powers, Fraction]


class _Ratio(NamedTuple):
    """A polynomial, multiplied out, over a product of factors."""

    above: _Polynomial
    below: Counter[Tree]

    def plus(self, other: _Ratio) -> _Ratio:
        below = self.below | other.below
        parts = (_times(each.above, *(below - each.below).elements()) for each in (self, other))
        total: _Polynomial = {}
        for polynomial in parts:
            for powers, coefficient in polynomial.items():
                total[powers] = total.get(powers, Fraction(0)) + coefficient
        return _Ratio({each: c for each, c in total.items() if c}, below)

    def times(self, other: _Ratio) -> _Ratio:
        below = Counter(self.below)
        below.update(other.below)
        return _Ratio(_multiplied(self.above, other.above), below)

    def tree(self) -> Tree:
        terms = [
            times([float(c), *(Call("pow", (atom, float(n))) for atom, n in _sorted(powers))])
            for powers, c in self.above.items()
        ]
        above: Tree = 0.0
        for term in terms:
            above = Call("add", (above, term))
        return Call("div", (above, times([*self.below.elements()]))) if self.below else above


def _sorted(powers: _Powers) -> list[tuple[Tree, int]]:
    return sorted(powers, key=str)


def _ratio(tree: Tree) -> _Ratio:
    if isinstance(tree, str):
        return _Ratio({frozenset({(tree, 1)}): Fraction(1)}, Counter())
    if not isinstance(tree, Call):
        return _Ratio({frozenset(): sums.rational(tree)} if tree else {}, Counter())
    match tree:
        case Call("add", (x, y)):
            return _ratio(x).plus(_ratio(y))
        case Call("sub", (x, y)):
            return _ratio(x).plus(_ratio(times([-1.0, y])))
        case Call("neg", (x,)):
            return _ratio(times([-1.0, x]))
        case Call("mul", (x, y)):
            return _ratio(x).times(_ratio(y))
        case Call("square", (x,)) | Call("pow", (x, 2.0)):
            return _ratio(x).times(_ratio(x))
        case Call("div", (x, y)):
            return reduce(_Ratio.times, (_inverse(each) for each in factors_of(y)), _ratio(x))
    return _Ratio({frozenset({(tree, 1)}): Fraction(1)}, Counter())


def _inverse(tree: Tree) -> _Ratio:
    if isinstance(tree, float):
        return _Ratio({frozenset(): 1 / sums.rational(tree)}, Counter())
    return _Ratio({frozenset(): Fraction(1)}, Counter([tree]))


def _times(polynomial: _Polynomial, *factors: Tree) -> _Polynomial:
    for factor in factors:
        polynomial = _multiplied(polynomial, _ratio(factor).above)
    return polynomial


def _multiplied(left: _Polynomial, right: _Polynomial) -> _Polynomial:
    if len(left) * len(right) > _LARGEST:
        raise OverflowError("a long polynomial")
    found: dict[_Powers, Fraction] = {}
    for one, a in left.items():
        for other, b in right.items():
            powers = Counter(dict(one))
            powers.update(dict(other))
            key = frozenset(powers.items())
            found[key] = found.get(key, Fraction(0)) + a * b
    return {each: c for each, c in found.items() if c}
