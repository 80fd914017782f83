"""Simplifies formulas as on a blackboard: sums of products with exact rational coefficients.

`simplified(tree, known)` drops ones, gathers signs, constants and powers, adds equal terms, cancels
what stands above and below, pulls out common factors, and writes the names of known definitions for
their formulas. Brackets are kept: `(a - b) ** 2` is not multiplied out.

>>> from micrograd.ops import TABLE
>>> row = TABLE["mul"]
>>> simplified(row.read("x * (y * y * x) / y"))
Call(name='mul', operands=(Call(name='pow', operands=('x', 2.0)), 'y'))
>>> str(simplified(row.read("exp(x) / (exp(x) + exp(y)) + exp(y) / (exp(x) + exp(y))")))
'1.0'
>>> simplified(row.read("1 - x / y"), known={"p": row.read("x / y")})
Call(name='sub', operands=(1.0, 'p'))

A number that is the nearest float to a fraction of small numbers counts as this fraction, and any
other as the decimal number that Python prints. So the result is the same real function as the
formula wherever the formula is defined, up to the rounding of its constants; at poles and at the
border of a domain it may be defined where the formula is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import reduce
from typing import NamedTuple, TypeGuard

from micrograd.table.formulas import COMPARISONS, Call, Tree, parts

_MOST = 1_000  # the largest denominator of a number that is shown as a fraction
_DIGITS = 10_000  # what makes a decimal fraction of four digits a whole number
_HIGHEST = 64  # the highest power of a number that is multiplied out


class Function(NamedTuple):
    """An operation that is not arithmetic, of simplified operands."""

    name: str
    operands: tuple[Sum, ...]


class Term:
    """A product of powers of atoms, without its coefficient; the order of the atoms is kept."""

    __slots__ = ("_hash", "powers")

    def __init__(self, powers: dict[Atom, Fraction]) -> None:
        self.powers = powers
        self._hash = hash(frozenset(powers.items()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Term) and self.powers == other.powers

    def __mul__(self, other: Term) -> Term:
        powers = dict(self.powers)
        for atom, power in other.powers.items():
            if total := powers.pop(atom, 0) + power if atom in powers else power:
                powers[atom] = total
        return Term(powers)

    def __pow__(self, power: Fraction) -> Term:
        return Term({atom: each * power for atom, each in self.powers.items()} if power else {})


class Sum:
    """Terms with their coefficients, in order; two sums are equal whatever the order."""

    __slots__ = ("_hash", "terms")

    def __init__(self, terms: dict[Term, Fraction]) -> None:
        self.terms = terms
        self._hash = hash(frozenset(terms.items()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and self.terms == other.terms

    def __neg__(self) -> Sum:
        return Sum({term: -each for term, each in self.terms.items()})


Atom = str | float | Function | Sum
"""A factor: a variable, a number that is not finite, an operation, or a sum in brackets."""

_ONE = Term({})


def _number(x: Fraction | int) -> Sum:
    return Sum({_ONE: Fraction(x)} if x else {})


def _atom(atom: Atom, power: Fraction | int = 1) -> Sum:
    return Sum({Term({atom: Fraction(power)}): Fraction(1)})


def rational(x: float) -> Fraction:
    """The number that a float stands for: a fraction of small numbers, or what Python prints.

    >>> rational(0.1), rational(1 / 3)
    (Fraction(1, 10), Fraction(1, 3))
    """
    near = Fraction(x).limit_denominator(_MOST)
    return near if float(near) == x else Fraction(repr(x))


def simplified(tree: Tree, known: Mapping[str, Tree] | None = None, decimals: bool = False) -> Tree:
    """The formula, simplified.

    Args:
        tree: the formula.
        known: formulas by their names, those of operands before those that use them. Where such a
            formula turns up, its name is written.
        decimals: whether short decimal fractions are written as such, not as common ones.
    """
    algebra = _Algebra(known or {})
    kept = _Writer(algebra, decimals).formula(algebra.read(tree))
    if not algebra.has_brackets:
        return kept
    algebra = _Algebra(known or {}, opening=True)
    opened = _Writer(algebra, decimals).formula(algebra.read(tree))
    return opened if 2 * size(opened) <= size(kept) else kept


def size(tree: Tree) -> int:
    """The number of variables, numbers and operations in a formula."""
    return sum(1 for _ in parts(tree))


# ------------------------------------------------------------------------------------------ reading


class _Pattern(NamedTuple):
    """A known formula as a product: `name = coefficient * term`."""

    name: str
    coefficient: Fraction
    term: Term


class _Algebra:
    """Reads formulas. It remembers which of a - b and b - a it has seen first."""

    def __init__(self, known: Mapping[str, Tree], opening: bool = False) -> None:
        self.opening, self.has_brackets = opening, False
        self._seen: dict[Sum, Sum] = {}
        self._read: dict[Tree, Sum] = {}
        self.patterns: list[_Pattern] = []
        for name, tree in known.items():
            coefficient, term = self.product(self.read(tree))
            if coefficient and _is_worth_a_name(term):
                self.patterns.insert(0, _Pattern(name, coefficient, term))

    def read(self, tree: Tree) -> Sum:
        found = self._read.get(tree)
        if found is None:
            found = self._read[tree] = self._formula(tree)
        return found

    def _formula(self, tree: Tree) -> Sum:
        if isinstance(tree, str):
            return _atom(tree)
        if not isinstance(tree, Call):
            return _number(rational(tree)) if math.isfinite(tree) else _atom(tree)
        operands = tuple(map(self.read, tree.operands))
        match tree.name, operands:
            case "add", (x, y):
                return self.total((x, y))
            case "sub", (x, y):
                return self.total((x, -y))
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
            case "exp", (x,):
                return Sum({self._exponential(x): Fraction(1)})
            case "log", (x,):
                return self._logarithm(x)
            case "where", (test, then, otherwise):
                if then == otherwise:
                    return then
                truth = constant(test)
                if truth is not None:
                    return then if truth else otherwise
            case name, (x, y) if name in COMPARISONS:
                left, right = constant(x), constant(y)
                if left is not None and right is not None:
                    return _number(_compared(name, left, right))
        return _atom(Function(tree.name, operands))

    def total(self, sums: Iterable[Sum]) -> Sum:
        """The sum of sums, with equal terms added and whole fractions cancelled."""
        terms: dict[Term, Fraction] = {}
        for each in sums:
            for term, coefficient in each.terms.items():
                terms[term] = terms.get(term, Fraction(0)) + coefficient
        return self._cancelled(Sum({term: each for term, each in terms.items() if each}))

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

    def times(self, x: Sum, y: Sum) -> Sum:
        """The product; brackets are multiplied out only by a number, and only when `opening`."""
        if not x.terms or not y.terms:
            return _number(0)
        for number, other in ((x, y), (y, x)):
            factor = constant(number)
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
            return _number(exponent == 0)
        coefficient, term = self.product(base)
        if exponent.denominator == 1 and (coefficient in (1, -1) or abs(exponent) <= _HIGHEST):
            return self._of_roots(coefficient**exponent.numerator, term**exponent)
        powers = [*term.powers.items()]
        if coefficient == 1 and (
            all(_is_exponential(atom) for atom, _ in powers) or [p for _, p in powers] == [1]
        ):
            return Sum({term**exponent: Fraction(1)})
        return _atom(Function("pow", (base, _number(exponent))))

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
        """The product in which the square of a square root is what stands below it."""
        for atom, power in term.powers.items():
            if isinstance(atom, Function) and atom.name == "sqrt" and not power % 2:
                rest = Term({each: p for each, p in term.powers.items() if each is not atom})
                inner = self.power(atom.operands[0], power / 2)
                return self.times(inner, Sum({rest: coefficient}))
        return Sum({term: coefficient})

    def _exponential(self, exponent: Sum) -> Term:
        """The exponential of a sum, as the product of powers of exponentials."""
        return Term(
            {
                Function("exp", (Sum({term: Fraction(1)}),)): coefficient
                for term, coefficient in exponent.terms.items()
            }
        )

    def _logarithm(self, x: Sum) -> Sum:
        """The logarithm of exponentials is their exponent, and that of an odd power is a multiple.

        The logarithm of another product stays, since two of its factors may be negative.
        """
        if not x.terms:
            return _atom(Function("log", (x,)))
        coefficient, term = self.product(x)
        outside = []
        rest: dict[Atom, Fraction] = {}
        for atom, power in term.powers.items():
            if _is_exponential(atom):
                outside.append(self.times(_number(power), atom.operands[0]))
            else:
                rest[atom] = power
        if coefficient == 1 and not rest:
            return self.total(outside)
        if coefficient == 1 and len(rest) == 1:
            ((atom, power),) = rest.items()
            if power.denominator == 1 and power % 2:
                inner = atom if isinstance(atom, Sum) else _atom(atom)
                outside.append(self.times(_number(power), _atom(Function("log", (inner,)))))
                return self.total(outside)
        inner = self.opened(coefficient, Term(rest))
        return self.total([*outside, _atom(Function("log", (inner,)))])

    def opened(self, coefficient: Fraction, term: Term) -> Sum:
        """A product as a sum: a number times a single bracket is multiplied out."""
        match [*term.powers.items()]:
            case [(Sum() as inner, 1)]:
                return Sum({each: coefficient * c for each, c in inner.terms.items()})
        return Sum({term: coefficient})

    def product(self, whole: Sum) -> tuple[Fraction, Term]:
        """A sum as a coefficient and a product: common factors times one bracket."""
        if not whole.terms:
            return Fraction(0), _ONE
        if len(whole.terms) == 1:
            ((term, coefficient),) = whole.terms.items()
            match [*term.powers.items()]:
                case [(Sum() as inner, 1)]:  # a bracket alone
                    other, inside = self.product(inner)
                    return coefficient * other, inside
            return coefficient, term
        coefficient, common = _content(whole.terms)
        inverse = common ** Fraction(-1)
        bracket = Sum({term * inverse: each / coefficient for term, each in whole.terms.items()})
        if len(bracket.terms) > 1:
            bracket = self._cancelled(bracket) if common.powers else bracket
        if len(bracket.terms) < 2:
            other, term = self.product(bracket)
            return coefficient * other, common * term
        seen = self._seen.get(bracket)
        if seen is None:
            opposite = self._seen.get(-bracket)
            seen = self._seen.setdefault(bracket, bracket) if opposite is None else opposite
            if opposite is not None:
                coefficient = -coefficient
        return coefficient, common * Term({seen: Fraction(1)})


def constant(whole: Sum) -> Fraction | None:
    """The number that a sum is, or None if it is not a number."""
    if not whole.terms:
        return Fraction(0)
    return whole.terms.get(_ONE) if len(whole.terms) == 1 else None


def _compared(name: str, x: Fraction, y: Fraction) -> bool:
    match name:
        case "lt" | "ge":
            return (x < y) == (name == "lt")
        case "gt" | "le":
            return (x > y) == (name == "gt")
    return (x == y) == (name == "eq")


def _is_exponential(atom: Atom) -> TypeGuard[Function]:
    return isinstance(atom, Function) and atom.name == "exp"


def _content(terms: Mapping[Term, Fraction]) -> tuple[Fraction, Term]:
    """The greatest number and product that divide every term."""
    coefficients = [*terms.values()]
    above = reduce(math.gcd, (each.numerator for each in coefficients))
    below = reduce(math.lcm, (each.denominator for each in coefficients))
    number = Fraction(above, below)
    if below > _MOST or any(abs(each / number) > _MOST for each in coefficients):
        number = Fraction(1)  # decimals such as 0.3989 have no factor in common worth a bracket
    if all(each < 0 for each in coefficients):
        number = -number
    first, *others = terms
    common: dict[Atom, Fraction] = {}
    for atom, power in first.powers.items():
        found = [power, *(other.powers.get(atom, Fraction(0)) for other in others)]
        least = min(found) if power > 0 else max(found)
        if least and (least > 0) == (power > 0):
            common[atom] = least
    return number, Term(common)


def _is_worth_a_name(term: Term) -> bool:
    """Whether a formula is more than a product of variables, which is as well written out."""
    return any(not isinstance(atom, str) or power < 0 for atom, power in term.powers.items())


# ------------------------------------------------------------------------------------------ writing


class _Writer:
    """Writes sums as trees, with the names of known formulas."""

    def __init__(self, algebra: _Algebra, decimals: bool) -> None:
        self.algebra, self.decimals = algebra, decimals

    def formula(self, whole: Sum) -> Tree:
        """The sum as a product where its terms have a factor in common, else as a sum."""
        coefficient, term = self.algebra.product(self._named(whole))
        opened = self.algebra.opened(coefficient, term)
        below = {each.denominator for each in opened.terms.values()}
        if len(opened.terms) > 1 and (abs(coefficient) == 1 or len(below) > 1):
            return self._sum(opened)
        return self._product(coefficient, term)

    def _named(self, whole: Sum) -> Sum:
        """The sum in which known formulas are replaced by their names."""
        if not self.algebra.patterns:
            return whole
        sums: list[Sum] = []
        coefficient, term = self.algebra.product(whole)
        if len(whole.terms) > 1 and term.powers:
            again = self._replaced(coefficient, term)
            if again is not None:
                return self._named(again)
        for term, coefficient in whole.terms.items():
            replaced = self._replaced(coefficient, term)
            if replaced is None:
                sums.append(Sum({term: coefficient}))
                continue
            named = self._named(replaced)
            opened = self.algebra.opened(*self.algebra.product(named))
            sums.append(self._named(opened) if len(opened.terms) > 1 else named)
        return self.algebra.total(sums)

    def _replaced(self, coefficient: Fraction, term: Term) -> Sum | None:
        """The product with one name for a known formula; None if there is none in it."""
        for name, scale, known in self.algebra.patterns:
            ratios = [
                term.powers.get(atom, Fraction(0)) / power for atom, power in known.powers.items()
            ]
            times = min(ratios, key=abs)
            times = Fraction(math.trunc(times))
            if not times or any(ratio / times < 1 for ratio in ratios):
                continue
            shorter = _exchanged(term, known, name, times)
            if _size(shorter) < _size(term):
                return Sum({self.algebra.distributed(shorter): coefficient / scale ** int(times)})
        return None

    def _sum(self, whole: Sum) -> Tree:
        terms = [*whole.terms.items()]
        first = next((i for i, (_, each) in enumerate(terms) if each > 0), 0)
        terms.insert(0, terms.pop(first))
        (term, coefficient), *others = terms
        tree = self._product(coefficient, term)
        for term, coefficient in others:
            tree = Call(
                "add" if coefficient > 0 else "sub", (tree, self._product(abs(coefficient), term))
            )
        return tree

    def _product(self, coefficient: Fraction, term: Term) -> Tree:
        coefficient, term = self._merged(coefficient, term)
        above: list[Tree] = []
        functions: list[Tree] = []  # after the variables and brackets, as in x ln x
        below: list[Tree] = []
        exponent: dict[Term, Fraction] = {}  # of e, whose powers are written as one
        for atom, power in term.powers.items():
            if _is_exponential(atom):
                exponent |= dict.fromkeys(atom.operands[0].terms, power)
            else:
                is_function = isinstance(atom, Function)
                side = below if power < 0 else functions if is_function else above
                side.append(_raised(self._atom(atom), abs(power)))
        if exponent:
            functions.append(Call("exp", (self.formula(Sum(exponent)),)))
        above += functions
        number = abs(coefficient)
        over, under = float(number), 1.0
        is_decimal = self.decimals and (_DIGITS * number).denominator == 1
        if number.denominator <= _MOST and not is_decimal:
            over, under = map(float, number.as_integer_ratio())
        tree = _multiplied(over, above)
        if below or under != 1.0:
            tree = Call("div", (tree, _multiplied(under, below)))
        if coefficient >= 0:
            return tree
        return -tree if isinstance(tree, float) else Call("neg", (tree,))

    def _merged(self, coefficient: Fraction, term: Term) -> tuple[Fraction, Term]:
        """The product with its number in a bracket where this makes numbers whole: b + 0.1."""
        for atom, power in term.powers.items():
            if isinstance(atom, Sum) and power == 1 and coefficient.denominator > 1:
                inner = Sum({each: coefficient * c for each, c in atom.terms.items()})
                if len({each.denominator for each in inner.terms.values()}) > 1:
                    powers = {inner if a is atom else a: p for a, p in term.powers.items()}
                    return Fraction(1), Term(powers)
        return coefficient, term

    def _atom(self, atom: Atom) -> Tree:
        if isinstance(atom, Sum):
            return self.formula(atom)
        if isinstance(atom, Function):
            return Call(atom.name, tuple(map(self.formula, atom.operands)))
        return atom


def _exchanged(term: Term, known: Term, name: str, times: Fraction) -> Term:
    """The product with a name in the place of a known one, which is in it several times."""
    powers: dict[Atom, Fraction] = {}
    for atom, power in term.powers.items():
        if atom in known.powers:
            powers.setdefault(name, Fraction(0))
        powers[atom] = power
    powers[name] += times
    rest = Term(powers) * known**-times
    return Term({atom: power for atom, power in rest.powers.items() if power})


def _size(term: Term) -> tuple[int, Fraction]:
    """How long a product is: its atoms, of which those that are no variables count twice."""
    atoms = sum(1 if isinstance(atom, str) else 2 for atom in term.powers)
    return atoms, sum(map(abs, term.powers.values()), Fraction(0))


def _raised(base: Tree, power: Fraction) -> Tree:
    if power == 1:
        return base
    if power == Fraction(1, 2):
        return Call("sqrt", (base,))
    return Call("pow", (base, float(power)))


def _multiplied(number: float, factors: list[Tree]) -> Tree:
    first: list[Tree] = [] if number == 1.0 and factors else [number]
    return reduce(lambda x, y: Call("mul", (x, y)), [*first, *factors])
