"""Writes sums of products as formulas: common factors first, known formulas by their names."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, groupby, starmap, takewhile

from micrograd.derivation.normal_form import NormalForm
from micrograd.derivation.sums import (
    MOST,
    ONE,
    Atom,
    Function,
    Sum,
    Term,
    is_exponential,
    shared,
    single,
)
from micrograd.table.formulas import Call, Tree
from micrograd.writing.parts import added, times

_FEWEST_ALIKE = 3  # terms that may be a sum over an index
_FEWEST_TERMS = 4  # of a sum in which some are put in a bracket
_MOST_GROUPED = 8  # terms of a sum in which some are put in a bracket
_ROUNDED = Fraction(1, 10**15)  # by how much of itself a rounded number may differ
_DIGITS = 10_000  # what makes a decimal fraction of four digits a whole number


class Writer:
    """Writes sums as trees, with the names of known formulas."""

    def __init__(self, algebra: NormalForm, decimals: bool) -> None:
        self.algebra, self.decimals = algebra, decimals

    def formula(self, whole: Sum) -> Tree:
        """The sum as a product if its terms have a common factor, otherwise as a sum."""
        coefficient, term = self.algebra.product(self._named(whole))
        opened = self.algebra.opened(coefficient, term)
        below = {each.denominator for each in opened.terms.values()}
        if len(opened.terms) > 1 and (abs(coefficient) == 1 or len(below) > 1):
            return self._sum(opened)
        return self._product(coefficient, term)

    def fraction(self, expanding: NormalForm, whole: Sum, *, opens: bool = False) -> Tree:
        """The sum over a common denominator, with its numerator multiplied out.

        What a term lacks of the denominator is multiplied out, too, if it `opens` brackets.
        """
        below: dict[Atom, Fraction] = {}
        for term in whole.terms:
            for atom, power in term.powers.items():
                below[atom] = max(below.get(atom, Fraction(0)), -power)
        atoms = sorted(below, key=lambda atom: isinstance(atom, Sum)) if opens else below
        divisor = Term({atom: below[atom] for atom in atoms if below[atom]})
        terms = ((each, term * divisor) for term, each in whole.terms.items())
        above = expanding.total(
            expanding.multiplied_out(c, term) if opens else Sum({term: c}) for c, term in terms
        )
        return self.formula(self.algebra.times(above, Sum({divisor ** Fraction(-1): Fraction(1)})))

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
        """The product with a known formula replaced by its name; None if it contains none."""
        for name, scale, known, sought, power in self.algebra.patterns:
            if not term.powers.keys() >= sought.keys():
                continue
            ratios = [term.powers[atom] / each for atom, each in sought.items()]
            least = min(ratios, key=abs)
            times = Fraction(math.trunc(least))
            if not times or any(ratio / times < 1 for ratio in ratios):
                continue
            shorter = _exchanged(term, known, name, times, power)
            if _size(shorter) < _size(term):
                return Sum({self.algebra.distributed(shorter): coefficient / scale ** int(times)})
        return None

    def _in_groups(self, whole: Sum) -> Sum:
        """The sum `a·x/b - a·y/b + x + y` as `a·(x - y)/b + x + y`."""
        if not _FEWEST_TERMS <= len(whole.terms) <= _MOST_GROUPED:
            return whole
        while (shorter := self._with_group(whole)) is not whole:
            whole = shorter
        return whole

    def _with_group(self, whole: Sum) -> Sum:
        """The sum with those terms in a bracket that share most; itself if none share much."""
        best, most = whole, 0
        for common in dict.fromkeys(starmap(shared, combinations(whole.terms, 2))):
            size = _size(common)[0]
            if size <= 1 or (len(whole.terms) - 1) * size <= most:
                continue
            inverse = common ** Fraction(-1)
            inside: dict[Term, Fraction] = {}
            others: dict[Term, Fraction] = {}
            for term, coefficient in whole.terms.items():
                rest = term * inverse
                is_letter = all(isinstance(x, str) and p == 1 for x, p in rest.powers.items())
                (inside if is_letter and len(rest.powers) < 2 else others)[term] = coefficient
            saved = (len(inside) - 1) * size
            if others and saved > most:
                bracket = Sum({term * inverse: each for term, each in inside.items()})
                coefficient, product = self.algebra.product(bracket)
                group = common * product, coefficient
                terms = whole.terms.items()  # the bracket stands where its first term stood
                best = Sum(dict(group if each in inside else (each, c) for each, c in terms))
                most = saved
        return best

    def _sum(self, whole: Sum) -> Tree:
        terms = [*self._in_groups(whole).terms.items()]
        first = next((i for i, (_, each) in enumerate(terms) if each > 0), 0)
        run = len([*takewhile(lambda term: term[1] > 0, terms[first:])])
        end = first + (run if run >= _FEWEST_ALIKE or first else 1)
        terms = [*terms[first:end], *terms[:first], *terms[end:]]
        shown = [("+", self._product(*terms[0][::-1]))]
        for term, coefficient in terms[1:]:
            sign = "+" if coefficient > 0 else "−"
            shown.append((sign, self._product(abs(coefficient), term)))
        return added(shown)

    def _product(self, coefficient: Fraction, term: Term) -> Tree:
        coefficient, term = self._turned(*self._merged(coefficient, self._with_sigmoid(term)))
        above: list[Tree] = []
        functions: list[Tree] = []  # after the variables and brackets, as in x ln x
        below: list[Tree] = []
        exponent: dict[Term, Fraction] = {}  # of e, whose powers are written as one
        for atom, power in _as_written(term):
            if is_exponential(atom):
                exponent |= dict.fromkeys(atom.operands[0].terms, power)
            else:
                is_function = isinstance(atom, Function)
                side = below if power < 0 else functions if is_function else above
                side.append(_raised(self._atom(atom), abs(power)))
        if exponent or functions or (_is_mixed(above) and not _has_slope(term)):
            above.sort(key=lambda each: not isinstance(each, str))  # letters before brackets
        if exponent:
            functions.append(Call("exp", (self.formula(Sum(exponent)),)))
        above += functions
        over, under = self._ratio(abs(coefficient))
        tree = _multiplied(over, above)
        if below or under != 1.0:
            tree = Call("div", (tree, _multiplied(under, below)))
        if coefficient >= 0:
            return tree
        return -tree if isinstance(tree, float) else Call("neg", (tree,))

    def _ratio(self, number: Fraction) -> tuple[float, float]:
        """A number as it is written: as a decimal fraction, or as a numerator and a denominator."""
        near = number.limit_denominator(MOST)
        if abs(near - number) <= _ROUNDED * number:  # 1/2 for the square of 0.7071…
            number = near
        above, below = number.as_integer_ratio()
        if number.denominator > MOST or (self.decimals and (_DIGITS * number).denominator == 1):
            return float(number), 1.0
        if self.decimals and above % 10 == 0 and above < below:  # 2x / 3.7
            return above / 10, below / 10
        return float(above), float(below)

    def _merged(self, coefficient: Fraction, term: Term) -> tuple[Fraction, Term]:
        """The product with its number in a bracket where this makes numbers whole: b + 0.1."""
        for atom, power in term.powers.items():
            if isinstance(atom, Sum) and power == 1 and coefficient.denominator > 1:
                inner = Sum({each: coefficient * c for each, c in atom.terms.items()})
                below = {each.denominator for each in inner.terms.values()}
                if 1 in below and len(below) > 1:
                    powers = {inner if a is atom else a: p for a, p in term.powers.items()}
                    return Fraction(1), Term(powers)
        return coefficient, term

    def _turned(self, coefficient: Fraction, term: Term) -> tuple[Fraction, Term]:
        """`-(1 - p)/t` as `(p - 1)/t`, unless `1 - p` stands in a known formula or beside p."""
        known = self.algebra.written
        if coefficient > 0 or not known:
            return coefficient, term
        for atom, power in term.powers.items():
            if not isinstance(atom, Sum) or power != 1:
                continue
            if [each > 0 for each in atom.terms.values()] == [True, False]:
                is_known = atom in known or -atom in known
                if not is_known and not _is_beside(atom, term) and not _has_square(atom):
                    powers = {-atom if x is atom else x: p for x, p in term.powers.items()}
                    return -coefficient, Term(powers)
        return coefficient, term

    def _with_sigmoid(self, term: Term) -> Term:
        """The product with σ(x) for `exp(x)/(1 + exp(x))`, unless a variable is called σ."""
        for atom, power in term.powers.items():
            if not (isinstance(atom, Sum) and power == -1 and len(atom.terms) == 2):
                continue
            one, other = atom.terms
            is_denominator = one == ONE and {*atom.terms.values()} == {1}
            if self.algebra.has_sigma or not is_denominator:
                continue
            if all(
                is_exponential(x) and term.powers.get(x, 0) >= p for x, p in other.powers.items()
            ):
                exponent: dict[Term, Fraction] = {}
                for x, p in other.powers.items():
                    if is_exponential(x):
                        exponent |= dict.fromkeys(x.operands[0].terms, p)
                rest = term * other ** Fraction(-1) * Term({atom: Fraction(1)})
                return rest * Term({Function("sigmoid", (Sum(exponent),)): Fraction(1)})
        return term

    def _atom(self, atom: Atom) -> Tree:
        if isinstance(atom, Sum):
            return self.formula(atom)
        if isinstance(atom, Function):
            return Call(atom.name, tuple(map(self.formula, atom.operands)))
        return atom


def _is_beside(bracket: Sum, term: Term) -> bool:
    """Whether a variable of a bracket is another factor of a product, as in `p(1 - p)`."""
    return any(letter in term.powers for each in bracket.terms for letter in each.powers)


def _has_square(whole: Sum) -> bool:
    """Whether it is a sum such as `1 - y²`."""
    return any(2 in term.powers.values() for term in whole.terms)


def _is_mixed(factors: Sequence[Tree]) -> bool:
    """Whether a variable stands between two brackets."""
    runs = [is_name for is_name, _ in groupby(isinstance(each, str) for each in factors)]
    return runs.count(False) > 1


def _has_slope(term: Term) -> bool:
    """Whether a product has a bracket and a variable as in `p(1 - p)`."""
    brackets = (x for x in term.powers if isinstance(x, Sum) and ONE in x.terms)
    return any(_is_beside(each, term) for each in brackets)


def _as_written(term: Term) -> list[tuple[Atom, Fraction]]:
    """The factors of a product: `x ** y / x` is `x ** (y - 1)`, and `sin(x) / cos(x)` is tan(x)."""
    shown = {atom: (atom, power) for atom, power in term.powers.items()}
    gone: set[Atom] = set()
    for atom, power in term.powers.items():
        match atom:
            case Function("pow", (base, exponent)) if power.denominator == 1:
                side = Fraction(1 if power > 0 else -1)
                whole = {each: abs(power) * c for each, c in exponent.terms.items()}
                for letter, other in term.powers.items():
                    if base in (letter, single(letter)) and other < 0 and letter not in gone:
                        whole[ONE] = side * other
                        gone.add(letter)
                shown[atom] = Function("pow", (base, Sum(whole))), side
            case Function("sin" | "sinh" as name, operands) if power > 0:
                below = Function(name.replace("sin", "cos"), operands)
                if term.powers.get(below) == -power and below not in gone:
                    shown[atom] = Function(name.replace("sin", "tan"), operands), power
                    gone.add(below)
            case Function("sqrt", (inner,)) if power.denominator == 1 and power % 2:
                beside = next((x for x in term.powers if inner in (x, single(x))), None)
                if beside is not None and _is_root_beside(beside, term.powers[beside], power):
                    shown[beside] = beside, term.powers[beside] + power / 2
                    gone.add(atom)
    return [pair for atom, pair in shown.items() if atom not in gone]


def _is_root_beside(base: Atom, power: Fraction, of_root: Fraction) -> bool:
    """Whether a factor and its square root are written as one power, as in `1/x^(3/2)`."""
    return power.denominator == 1 and power * of_root > 0 and (isinstance(base, Sum) or power < 0)


def _exchanged(term: Term, known: Term, name: Atom, times: Fraction, power: Fraction) -> Term:
    """The product with a name in place of a known product that it contains several times."""
    powers: dict[Atom, Fraction] = {}
    for atom, each in term.powers.items():
        if atom in known.powers:
            powers.setdefault(name, Fraction(0))
        powers[atom] = each
    powers[name] += times * power
    rest = Term(powers) * known**-times
    return Term({atom: power for atom, power in rest.powers.items() if power})


def _size(term: Term) -> tuple[int, Fraction]:
    """How long a product is: its atoms, counting twice those that are not variables."""
    atoms = sum(1 if isinstance(atom, str) else 2 for atom, _ in _as_written(term))
    return atoms, sum(map(abs, term.powers.values()), Fraction(0))


def _raised(base: Tree, power: Fraction) -> Tree:
    if power == 1:
        return base
    if power == Fraction(1, 2):
        return Call("sqrt", (base,))
    if power.denominator == 2:
        return Call("pow", (base, Call("div", (float(power.numerator), 2.0))))
    return Call("pow", (base, float(power)))


def _multiplied(number: float, factors: list[Tree]) -> Tree:
    first: list[Tree] = [] if number == 1.0 and factors else [number]
    return times([*first, *factors])
