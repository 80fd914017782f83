"""Sums of products with rational coefficients, which simplified formulas are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from typing import NamedTuple, TypeGuard

MOST = 1_000
"""The largest denominator of a number that is shown as a fraction."""


class Function(NamedTuple):
    """An operation that is not arithmetic, of simplified operands."""

    name: str
    operands: tuple[Sum, ...]


class Term:
    """A product of powers of atoms, without its coefficient; the order of the atoms is kept."""

    __slots__ = ("_hash", "powers")

    def __init__(self, powers: dict[Atom, Fraction]) -> None:
        self.powers = powers
        # Hashing fractions would take longer than comparing the few products of the same atoms.
        self._hash = hash(frozenset(powers)) + sum([power.numerator for power in powers.values()])

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.powers == other.powers

    def __mul__(self, other: Term) -> Term:
        powers = dict(self.powers)
        for atom, power in other.powers.items():
            whole = powers[atom] + power if atom in powers else power
            if whole:
                powers[atom] = whole
            else:
                powers.pop(atom, None)
        return Term(powers)

    def __pow__(self, power: Fraction) -> Term:
        return Term({atom: each * power for atom, each in self.powers.items()} if power else {})


class Sum:
    """Terms with their coefficients, in order; two sums are equal whatever the order."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: dict[Term, Fraction]) -> None:
        self.terms = terms
        self._hash = hash(frozenset(terms))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and self.terms == other.terms

    def __neg__(self) -> Sum:
        return Sum({term: -each for term, each in self.terms.items()})


Atom = str | float | Function | Sum
"""A factor: a variable, a number that is not finite, an operation, or a sum in brackets."""

ONE = Term({})
_ZERO = Fraction(0)


def number(x: Fraction | int) -> Sum:
    """A number as a sum."""
    return Sum({ONE: Fraction(x)} if x else {})


def single(atom: Atom, power: Fraction | int = 1) -> Sum:
    """A power of an atom as a sum."""
    return Sum({Term({atom: Fraction(power)}): Fraction(1)})


def rational(x: float) -> Fraction:
    """The number that a float stands for: a fraction of small numbers, or what Python prints.

    >>> rational(0.1), rational(1 / 3)
    (Fraction(1, 10), Fraction(1, 3))
    """
    near = Fraction(x).limit_denominator(MOST)
    return near if float(near) == x else Fraction(repr(x))


def constant(whole: Sum) -> Fraction | None:
    """The number that a sum is, or None if it is not a number."""
    if not whole.terms:
        return Fraction(0)
    return whole.terms.get(ONE) if len(whole.terms) == 1 else None


def is_exponential(atom: Atom) -> TypeGuard[Function]:
    """Whether it is a power of e."""
    return isinstance(atom, Function) and atom.name == "exp"


def added(sums: Iterable[Sum]) -> dict[Term, Fraction]:
    """The terms of all sums, with equal ones added and those that cancel left out."""
    terms: dict[Term, Fraction] = {}
    for each in sums:
        for term, coefficient in each.terms.items():
            before = terms.get(term)
            terms[term] = coefficient if before is None else before + coefficient
    return {term: each for term, each in terms.items() if each}


def content(terms: Mapping[Term, Fraction]) -> tuple[Fraction, Term]:
    """The greatest number and product that divide every term."""
    coefficients = [*terms.values()]
    above = reduce(math.gcd, (each.numerator for each in coefficients))
    below = reduce(math.lcm, (each.denominator for each in coefficients))
    factor = Fraction(above, below)
    is_shared = len({*map(abs, coefficients)}) == 1  # as in π - π·x²
    if not is_shared and (below > MOST or any(abs(each / factor) > MOST for each in coefficients)):
        factor = min(map(abs, coefficients))  # c in 2c - c·x², where c is 0.3989
        if any(each % factor for each in coefficients):
            factor = Fraction(1)  # others have no factor in common worth a bracket
    if all(each < 0 for each in coefficients):
        factor = -factor
    return factor, shared(*terms)


def shared(first: Term, *others: Term) -> Term:
    """The greatest product that divides every term."""
    common: dict[Atom, Fraction] = {}
    for atom, power in first.powers.items():
        found = [power, *(other.powers.get(atom, _ZERO) for other in others)]
        least = min(found) if power > 0 else max(found)
        if least and (least > 0) == (power > 0):
            common[atom] = least
    return Term(common)
