"""The normal form of a formula: a sum of products in which nothing is left to cancel."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from micrograd.derivation.sums import (
    ONE,
    Atom,
    Function,
    Sum,
    Term,
    added,
    constant,
    content,
    is_exponential,
    number,
    rational,
    single,
)
from micrograd.ops import TABLE
from micrograd.table.formulas import COMPARISONS, Call, Tree
from micrograd.writing.parts import terms
from micrograd.writing.ranges import unless

_MOST_TERMS = 24  # of two sums that are multiplied out
_HIGHEST = 64  # the highest power of a number that is multiplied out
_FEWEST_INDEXED = 2  # brackets in a sum that is not one over an index


class Pattern(NamedTuple):
    """A known formula as a product: `name ** power = coefficient * term`.

    The name of a square root is squared, and `1 - L` stands for the name L of `1 - a / b`.
    `sought` are the factors by which the product is found in another one: all but roots of
    variables, unless it has no others.
    """

    name: Atom
    coefficient: Fraction
    term: Term
    sought: dict[Atom, Fraction]
    power: Fraction = Fraction(1)


class NormalForm:
    """Reads formulas. It remembers which of a - b and b - a it has seen first."""

    def __init__(
        self,
        known: Mapping[str, Tree],
        opening: int = False,
        expanding: int = False,
        joining: int = _FEWEST_INDEXED,
    ) -> None:
        self.opening, self.expanding, self.joining = opening, expanding, joining
        self.has_brackets = self.has_joined = self.has_sigma = False
        self._seen: dict[Sum, Sum] = {}
        self._read: dict[Tree, Sum] = {}
        self.patterns: list[Pattern] = []
        for name, tree in known.items():
            self._remember(name, self.read(tree))
        self.written = {
            whole
            for tree, whole in self._read.items()
            if isinstance(tree, Call) and tree.name in ("add", "sub")
        }

    def _remember(self, name: str, whole: Sum) -> None:
        coefficient, term = self.product(whole)
        if not coefficient:
            return
        match [*term.powers.items()]:
            case [(Function("sqrt", (inner,)), 1)]:
                scale, under = self.product(inner)
                found = Pattern(name, scale * coefficient**2, under, under.powers, Fraction(2))
                if _is_quotient(under):
                    self.patterns.insert(0, found)
            case [(Sum(), 1)] if len(whole.terms) == 2 and ONE in whole.terms:
                constant = number(whole.terms[ONE])
                other, scale = next(pair for pair in whole.terms.items() if pair[0] != ONE)
                rest = self.total((single(name), -constant))
                sign = Fraction(1 if scale > 0 else -1)
                if _is_quotient(other):
                    rest = rest if sign > 0 else -rest
                    self.patterns.insert(0, Pattern(rest, abs(scale), other, other.powers))
        if _is_worth_a_name(term):
            sought = {
                atom: power
                for atom, power in term.powers.items()
                if power.denominator == 1 or not isinstance(atom, str)
            }
            self.patterns.insert(0, Pattern(name, coefficient, term, sought or term.powers))
        self._remember_complement(name, coefficient, term)

    def _remember_complement(self, name: str, coefficient: Fraction, term: Term) -> None:
        """`b / (a + b)` as 1 - L for the name L of `a / (a + b)`, except for a softmax."""
        for bracket, power in term.powers.items():
            if not isinstance(bracket, Sum) or power != -1 or len(bracket.terms) != 2:
                continue
            above = term * Term({bracket: Fraction(1)})
            if above in bracket.terms and not any(map(is_exponential, above.powers)):
                share = bracket.terms[above] / coefficient
                other = next(each for each in bracket.terms if each != above)
                rest = self.total((number(1), Sum({Term({name: Fraction(1)}): -share})))
                found = other * Term({bracket: Fraction(-1)})
                if _is_quotient(found) and all(found != each.term for each in self.patterns):
                    self.patterns.insert(
                        0, Pattern(rest, bracket.terms[other], found, found.powers)
                    )

    def copy(self) -> NormalForm:
        """Another one that has read the same formulas so far."""
        other = copy(self)
        other._seen, other._read = dict(self._seen), dict(self._read)
        return other

    def read(self, tree: Tree) -> Sum:
        """The normal form of a formula."""
        found = self._read.get(tree)
        if found is None:
            found = self._read[tree] = self._formula(tree)
        return found

    def _formula(self, tree: Tree) -> Sum:
        if isinstance(tree, str):
            self.has_sigma |= tree.startswith("σ")
            return single(tree)
        if not isinstance(tree, Call):
            return number(rational(tree)) if math.isfinite(tree) else single(tree)
        if tree.name in ("add", "sub"):
            signed = ((sign, self.read(term)) for sign, term in terms(tree))
            return self.total(-each if sign == "−" else each for sign, each in signed)
        operands = tuple(map(self.read, tree.operands))
        match tree.name, operands:
            case "neg", (x,):
                return -x
            case "mul", (x, y):
                return self.times(x, y)
            case "div", (x, y) if y.terms:
                return self.times(x, self.power(y, Fraction(-1)))
            case "square", (x,):
                return self.power(x, Fraction(2))
            case "reciprocal", (x,) if x.terms:
                return self.power(x, Fraction(-1))
            case "pow", (x, y):
                exponent = constant(y)
                if exponent is not None and (x.terms or exponent >= 0):
                    return self.power(x, exponent)
                if exponent is None and x.terms:
                    return self._symbolic_power(x, y)
            case "exp", (x,):
                return self._exponential(x)
            case "log", (x,):
                return self._logarithm(x)
            case "maximum" | "minimum", (x, y) if x == y:
                return x
            case name, numbers if (known := _evaluated(name, numbers)) is not None:
                return number(known)
            case "where", (test, then, otherwise):
                if then == otherwise:
                    return then
                truth = constant(test)
                if truth is not None:
                    return then if truth else otherwise
                if len(test.terms) > 1 and (factored := unless(tree)) is not tree:
                    return self.read(factored)
            case name, (x, y) if name in COMPARISONS:
                if x == y:
                    return number(getattr(operator, name)(0, 0))
                left, right = constant(x), constant(y)
                if left is not None and right is not None:
                    return number(getattr(operator, name)(left, right))
        return single(Function(tree.name, operands))

    def total(self, sums: Iterable[Sum]) -> Sum:
        """The sum of sums, with equal terms added and whole fractions cancelled."""
        return self._cancelled(Sum(added(sums)))

    def _joined(self, whole: Sum) -> Sum:
        """The sum without its brackets if terms of theirs can be added: `1 - p - p` is `1 - 2p`.

        More brackets than `joining`, 2 unless told, are terms of a sum over an index, and stay.
        """
        if not 0 < sum(_bracket(term) is not None for term in whole.terms) <= self.joining:
            return whole
        opened = [self.opened(each, term) for term, each in whole.terms.items()]
        joined = added(opened)
        if len(joined) == sum(len(each.terms) for each in opened):
            return whole
        self.has_joined = True
        return Sum(joined)

    def _cancelled(self, whole: Sum) -> Sum:
        """The sum in which `a / (a + b) + b / (a + b)` is 1."""
        below: dict[Sum, int] = {}
        for term in whole.terms:
            for atom, power in term.powers.items():
                if isinstance(atom, Sum) and power <= -1:
                    below[atom] = below.get(atom, 0) + 1
        for divisor in (atom for atom, count in below.items() if count > 1):
            over, rest = {}, {}
            inverse = Term({divisor: Fraction(1)})
            for term, coefficient in whole.terms.items():
                if term.powers.get(divisor, 0) <= -1:
                    over[term * inverse] = coefficient
                else:
                    rest[term] = coefficient
            if len(over) > 1:
                coefficient, term = self.product(Sum(over))
                if divisor in term.powers:
                    quotient = Sum({term * inverse ** Fraction(-1): coefficient})
                    return self.total((quotient, Sum(rest)))
        return whole

    def _with_bracket(self, whole: Sum) -> Sum:
        """The sum `k*(1 - k) + 2 - 2*k` as `k*(1 - k) + 2*(1 - k)`."""
        few = whole.terms if len(whole.terms) <= _MOST_TERMS else ()
        for bracket in [x for each in few for x, power in each.powers.items() if power >= 1]:
            rest = {term: c for term, c in whole.terms.items() if bracket not in term.powers}
            if isinstance(bracket, Sum) and len(rest) == len(bracket.terms):
                coefficient, common = content(rest)
                for factor in (coefficient, -coefficient):
                    part = Sum({common * term: factor * c for term, c in bracket.terms.items()})
                    if part.terms == rest:
                        others = {x: c for x, c in whole.terms.items() if x not in rest}
                        return Sum(others | {common * Term({bracket: Fraction(1)}): factor})
        return whole

    def times(self, x: Sum, y: Sum) -> Sum:
        """The product; brackets are opened if `expanding`, and for a number if `opening`."""
        if not x.terms or not y.terms:
            return number(0)
        if self.expanding and 2 < len(x.terms) + len(y.terms) <= _MOST_TERMS:
            pairs = product(x.terms.items(), y.terms.items())
            return self.total(self._of_roots(a * b, one * two) for (one, a), (two, b) in pairs)
        for one, other in ((x, y), (y, x)):
            factor = constant(one)
            if factor is not None and (len(other.terms) == 1 or factor in (1, -1) or self.opening):
                return Sum({term: factor * each for term, each in other.terms.items()})
            self.has_brackets |= factor is not None
        (a, first), (b, second) = self.product(x), self.product(y)
        return self._of_roots(a * b, self.distributed(first * second))

    def power(self, base: Sum, exponent: Fraction) -> Sum:
        """The base to the power of a number."""
        if exponent == 1:
            return base
        if not base.terms:
            return number(exponent == 0)
        if exponent.denominator == 2:
            root = single(Function("sqrt", (base,)), 1 if exponent > 0 else -1)
            whole = Fraction(math.trunc(exponent))
            return self.times(self.power(base, whole), root) if whole else root
        if self.expanding and 1 < len(base.terms) < _MOST_TERMS and exponent in (2, 3):
            return self.times(base, self.power(base, exponent - 1))
        coefficient, term = self.product(base)
        if exponent.denominator == 1 and (coefficient in (1, -1) or abs(exponent) <= _HIGHEST):
            return self._of_roots(coefficient**exponent.numerator, term**exponent)
        powers = [*term.powers.items()]
        if coefficient == 1 and (
            all(is_exponential(atom) for atom, _ in powers) or [p for _, p in powers] == [1]
        ):
            return Sum({term**exponent: Fraction(1)})
        return single(Function("pow", (base, number(exponent))))

    def multiplied_out(self, coefficient: Fraction, term: Term) -> Sum:
        """A product whose brackets are opened, as far as this form opens any."""
        whole = number(coefficient)
        for atom, power in term.powers.items():
            base = atom if isinstance(atom, Sum) else single(atom)
            whole = self.times(whole, self.power(base, power))
        return whole

    def _symbolic_power(self, base: Sum, exponent: Sum) -> Sum:
        """The base to the power of a sum: `x ** (y - 1)` is `x ** y / x`."""
        whole = number(1)
        for term, coefficient in exponent.terms.items():
            if not term.powers:
                factor = self.power(base, coefficient)
            else:
                part = Sum({term: Fraction(1, coefficient.denominator)})
                factor = single(Function("pow", (base, part)), coefficient.numerator)
            whole = self.times(whole, factor)
        return whole

    def distributed(self, term: Term) -> Term:
        """The product in which `p * (1 - 1 / p)` is `p - 1`."""
        for bracket, power in term.powers.items():
            if not isinstance(bracket, Sum) or power != 1:
                continue
            for atom, times in term.powers.items():
                lowest = min(each.powers.get(atom, 0) for each in bracket.terms)
                if times >= 1 and lowest <= -1:
                    factor = Term({atom: min(times, Fraction(-lowest))})
                    inner = Sum({each * factor: c for each, c in bracket.terms.items()})
                    coefficient, product = self.product(inner)
                    if coefficient != 1:  # b - a for a - b, or a bracket that is a number
                        continue
                    rest = {a: p for a, p in term.powers.items() if a is not bracket}
                    return self.distributed(Term(rest) * factor ** Fraction(-1) * product)
        return term

    def _of_roots(self, coefficient: Fraction, term: Term) -> Sum:
        """The product in which the square of a square root, and `x / sqrt(x)`, are simplified."""
        for atom, power in term.powers.items():
            if not (isinstance(atom, Function) and atom.name == "sqrt"):
                continue
            base = atom.operands[0]
            letter = next((x for x in term.powers if base in (x, single(x))), None)
            if letter is not None and power % 2 and power * term.powers[letter] < 0:
                whole = power / 2 + term.powers[letter]
                powers = {letter: Fraction(int(whole)), atom: 2 * (whole - int(whole))}
                merged = {each: p for each, p in (term.powers | powers).items() if p}
                return self._of_roots(coefficient, Term(merged))
            if not power % 2:
                rest = Term({each: p for each, p in term.powers.items() if each is not atom})
                return self.times(self.power(base, power / 2), Sum({rest: coefficient}))
        return Sum({term: coefficient})

    def _exponential(self, exponent: Sum) -> Sum:
        """The exponential of a sum, as a product of powers of exponentials; of 2 ln x it is x²."""
        whole, rest = number(1), dict[Atom, Fraction]()
        for term, coefficient in exponent.terms.items():
            match [*term.powers.items()]:
                case [(Function("log", (inner,)), 1)]:
                    whole = self.times(whole, self.power(inner, coefficient))
                case _:
                    rest[Function("exp", (Sum({term: Fraction(1)}),))] = coefficient
        return self.times(whole, Sum({Term(rest): Fraction(1)}))

    def _logarithm(self, x: Sum) -> Sum:
        """The logarithm of exponentials is their exponent, and that of an odd power is a multiple.

        The logarithm of another product stays, since two of its factors may be negative.
        """
        if not x.terms:
            return single(Function("log", (x,)))
        coefficient, term = self.product(x)
        outside = []
        rest: dict[Atom, Fraction] = {}
        for atom, power in term.powers.items():
            if is_exponential(atom):
                outside.append(self.times(number(power), atom.operands[0]))
            else:
                rest[atom] = power
        if coefficient == 1 and not rest:
            return self.total(outside)
        if coefficient == 1 and len(rest) == 1:
            ((atom, power),) = rest.items()
            if power.denominator == 1 and power % 2:
                inner = atom if isinstance(atom, Sum) else single(atom)
                outside.append(self.times(number(power), single(Function("log", (inner,)))))
                return self.total(outside)
        inner = self.opened(coefficient, Term(rest))
        return self.total([*outside, single(Function("log", (inner,)))])

    def opened(self, coefficient: Fraction, term: Term) -> Sum:
        """A product as a sum: a number times a single bracket is multiplied out."""
        terms = inner.terms if (inner := _bracket(term)) else {term: Fraction(1)}
        return Sum({each: coefficient * c for each, c in terms.items()})

    def product(self, whole: Sum) -> tuple[Fraction, Term]:
        """A sum as a coefficient and a product: common factors times one bracket."""
        whole = self._joined(whole)
        if not whole.terms:
            return Fraction(0), ONE
        if len(whole.terms) == 1:
            ((term, coefficient),) = whole.terms.items()
            if inner := _bracket(term):
                other, factor = self.product(inner)
                return coefficient * other, factor
            return coefficient, term
        whole = self._with_bracket(whole)
        coefficient, common = content(whole.terms)
        inverse = common ** Fraction(-1)
        inside = Sum({each * inverse: c / coefficient for each, c in whole.terms.items()})
        bracket = self._joined(inside)
        if common.powers:
            bracket = self._cancelled(bracket)
        if bracket is not inside:
            other, factor = self.product(bracket)
            return coefficient * other, common * factor if other else ONE
        seen = self._seen.get(bracket)
        if seen is None:
            opposite = self._seen.get(-bracket)
            seen = self._seen.setdefault(bracket, bracket) if opposite is None else opposite
            if opposite is not None:
                coefficient = -coefficient
        return coefficient, common * Term({seen: Fraction(1)})


_STEPWISE = frozenset({"maximum", "minimum", "relu", "abs", "sign", "clip", "step"})
_OF_ZERO = frozenset({"sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh", "sqrt"})


def _evaluated(name: str, operands: Sequence[Sum]) -> Fraction | None:
    """A function of numbers that is an exact number: max(0, 2) is 2, and sin(0) is 0."""
    numbers = [each for each in map(constant, operands) if each is not None]
    if len(numbers) < len(operands):
        return None
    if name in _OF_ZERO and not any(numbers):
        return Fraction(0)
    if name in ("cos", "cosh") and not any(numbers):
        return Fraction(1)
    if name in _STEPWISE and name in TABLE:
        return rational(TABLE[name].value(*map(float, numbers)))
    return None


def _bracket(term: Term) -> Sum | None:
    """The sum that a product consists of, if it is a single one."""
    match [*term.powers.items()]:
        case [(Sum() as inner, 1)]:
            return inner
    return None


def _is_quotient(term: Term) -> bool:
    """Whether a product has a denominator, and it or another factor is a sum."""
    has_sum = any(isinstance(atom, Sum) for atom in term.powers)
    return has_sum and len(term.powers) > 1 and min(term.powers.values()) < 0


def _is_worth_a_name(term: Term) -> bool:
    """Whether a formula is more than a product of variables, which needs no name."""
    return any(
        not isinstance(atom, str) or power < 0 or power.denominator > 1
        for atom, power in term.powers.items()
    )
