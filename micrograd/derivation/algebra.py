"""Simplifies formulas as on a blackboard: sums of products with exact rational coefficients.

`simplified(tree, known)` drops ones, gathers signs, constants and powers, adds equal terms,
cancels what numerator and denominator share, pulls out common factors, and replaces known formulas
by their names. Brackets are kept: `(a - b) ** 2` is not multiplied out.

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
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache, reduce
from itertools import combinations, groupby, takewhile

from micrograd.derivation.normal_form import NormalForm
from micrograd.derivation.sums import (
    MOST,
    ONE,
    Atom,
    Function,
    Sum,
    Term,
    content,
    is_exponential,
    number,
    single,
)
from micrograd.table.formulas import Call, Tree, parts, size, substituted
from micrograd.writing.indices import DIGITS
from micrograd.writing.parts import added, factors_of, terms, times

_SUMS = ("add", "sub")
_FEWEST, _LONGEST = 9, 60  # variables, numbers and operations of what is multiplied out on trial
_FEWEST_ALIKE = 3  # terms that may be a sum over an index
_FEWEST_TERMS = 4  # of a series of single terms
_MOST_GROUPED = 8  # terms of a sum in which some are put in a bracket
_LONGEST_PERIOD = 3  # terms of a bracket in a series
_LONGEST_SERIES = 400  # variables, numbers and operations of what may be a series
_ROUNDED = Fraction(1, 10**15)  # by how much of itself a rounded number may differ
_DIGITS = 10_000  # what makes a decimal fraction of four digits a whole number


def simplified(tree: Tree, known: Mapping[str, Tree] | None = None, decimals: bool = False) -> Tree:
    """The formula, simplified.

    Args:
        tree: the formula.
        known: formulas by their names, those of operands before those that use them. Where such a
            formula occurs, its name is written.
        decimals: whether short decimal fractions are written as such, not as common fractions.

    A formula with a factor that is larger than all floats stays as it is.
    """
    try:
        return _simplified(tree, known, decimals)
    except OverflowError:
        return tree


def _simplified(tree: Tree, known: Mapping[str, Tree] | None, decimals: bool) -> Tree:
    names = tuple((known or {}).items())
    algebra = _algebra(names)
    kept = _Writer(algebra, decimals).formula(algebra.read(tree))
    has_joined = algebra.has_joined
    if algebra.has_brackets:
        algebra = _algebra(names, opening=True)
        opened = _Writer(algebra, decimals).formula(algebra.read(tree))
        kept = opened if 2 * size(opened) <= size(kept) else kept
    if _FEWEST <= size(kept) <= _LONGEST_SERIES:
        apart: list[Tree] = []
        if has_joined:  # x₁ - (x₁ + x₂ + x₃ + x₄)/4 is a term of a series as it is
            other = _algebra(names, joining=False)
            each = _Writer(other, decimals).formula(other.read(tree))
            if not _repeats(each):  # b - c - a + b is 2b - a - c
                apart.append(each)
        elif _repeats(kept) and not _has_like_brackets(kept):  # x - y - z + x + x - t
            other = _algebra(names, joining=_LONGEST)
            apart.append(_Writer(other, decimals).formula(other.read(tree)))
        apart += _termwise(tree, known, decimals, folded(kept))
        kept = min([kept, *apart], key=lambda each: (folded(each), size(each)))
    if _FEWEST <= size(kept) <= _LONGEST and _has_brackets(kept):
        algebra = _algebra(names, expanding=True)
        expanded = _Writer(algebra, decimals).formula(algebra.read(kept))
        fraction = _Writer(_algebra(names), decimals).fraction(algebra, algebra.read(kept))
        candidates: list[Tree] = [kept, expanded, fraction]
        kept = min(candidates, key=_leaves)
    return kept


def _algebra(known: tuple[tuple[str, Tree], ...], **mode: int) -> NormalForm:
    """The normal form of formulas where these are known."""
    return _prepared(known, **mode).copy()


@lru_cache(16)
def _prepared(known: tuple[tuple[str, Tree], ...], **mode: int) -> NormalForm:
    """A normal form that has read what is known, which is the same for a whole derivation."""
    return NormalForm(dict(known), **mode)


def folded(tree: Tree) -> int:
    """The size of a formula in which terms that differ only in digits count once."""
    if not isinstance(tree, Call):
        return 1
    if tree.name not in _SUMS:
        return 1 + sum(map(folded, tree.operands))
    several = [*terms(tree)]
    length = period(several)
    if length and len({*several}) > length:
        return 1 + sum(folded(term) for _, term in several[:length])
    runs = [[*run] for _, run in groupby(several, _shape)]
    shown = [run[: 1 if len({*run}) == len(run) >= _FEWEST_TERMS else None] for run in runs]
    return 1 + sum(folded(term) for run in shown for _, term in run)


def _repeats(tree: Tree) -> bool:
    """Whether a sum has the same term several times."""
    several = [term for _, term in terms(_series(tree) or tree)]
    return len({*several}) < len(several)


def _has_like_brackets(tree: Tree) -> bool:
    """Whether the signs of a sum are those of three like brackets, as in a - s + b - s + c - s."""
    signs = [sign for sign, _ in terms(_series(tree) or tree)]
    return any(
        len(signs) >= _FEWEST_ALIKE * length and signs[length:] == signs[:-length]
        for length in range(2, _LONGEST_PERIOD + 1)
    )


def _shape(signed: tuple[str, Tree]) -> str:
    """A term without its digits."""
    sign, term = signed
    return sign + DIGITS.sub("", str(term))


def _termwise(
    tree: Tree, known: Mapping[str, Tree] | None, decimals: bool, most: int
) -> Iterator[Tree]:
    """The formula in which the terms of a series are simplified one by one and stay alike.

    Nothing if this is not shorter than a formula of a given size.
    """
    series = _series(tree)
    several = [*terms(series)] if series is not None else []
    length = period(several)
    if series is None or not length:
        return
    groups = [added(several[i : i + length]) for i in range(0, len(several), length)]
    first = simplified(groups[0], known, decimals)
    if folded(first) >= most:
        return
    split = [
        _split(each) for each in (first, *(simplified(g, known, decimals) for g in groups[1:]))
    ]
    shown = [("+", rest) for _, rest in split]
    if len({number for number, _ in split}) == len(set(map(_shape, shown))) == 1:
        inner = Call("mul", (split[0][0], _SERIES))
        outside = simplified(_exchanged_part(tree, series, inner), known, decimals)
        yield substituted(outside, {_SERIES: added(shown)})


_SERIES = "Σ"  # in place of a series


def _split(tree: Tree) -> tuple[float, Tree]:
    """The number that a product begins with, and the rest."""
    match tree:
        case Call("neg", (inner,)):
            number, rest = _split(inner)
            return -number, rest
        case Call("mul") if isinstance(first := factors_of(tree)[0], float):
            return first, times(factors_of(tree)[1:])
        case Call("div", (above, below)):
            number, above = _split(above)
            return number, Call("div", (above, below))
    return 1.0, tree


def _series(tree: Tree) -> Tree | None:
    """The sum that a product has as a factor, if it has a single one of several terms."""
    match tree:
        case Call("add" | "sub"):
            return tree
        case Call("neg" | "div", (inner, *_)):
            return _series(inner)
        case Call("mul", sides):
            found = [each for each in map(_series, sides) if each is not None]
            return found[0] if len(found) == 1 else None
    return None


def _exchanged_part(tree: Tree, part: Tree, other: Tree) -> Tree:
    if tree is part:
        return other
    if not isinstance(tree, Call) or tree.name not in ("neg", "div", "mul"):
        return tree
    return Call(tree.name, tuple(_exchanged_part(each, part, other) for each in tree.operands))


def period(several: Sequence[tuple[str, Tree]]) -> int:
    """After how many terms a series repeats itself at least three times; 0 if it does not."""
    shapes = [*map(_shape, several)]
    for length in range(1, _LONGEST_PERIOD + 1):
        fewest = _FEWEST_TERMS if length == 1 else _FEWEST_ALIKE
        is_long = len(shapes) % length == 0 and len(shapes) >= fewest * length
        if is_long and shapes[length:] == shapes[:-length]:
            return length
    return 0


def _leaves(tree: Tree) -> int:
    """How many variables and numbers a formula has."""
    return sum(not isinstance(part, Call) for part in parts(tree))


def _has_brackets(tree: Tree) -> bool:
    """Whether the formula has several sums, and at least one of them is a factor."""
    found = [part for part in parts(tree) if isinstance(part, Call)]
    factors = [
        each for part in found if part.name in ("mul", "div", "pow") for each in part.operands
    ]
    several = sum(part.name in _SUMS for part in found) > 1 and not has_series(tree)
    return several and any(map(_is_sum, factors))


def has_series(tree: Tree) -> bool:
    """Whether brackets are added, such as `x₁ - μ`, that may be terms of a sum over an index."""
    sums = (part for part in parts(tree) if isinstance(part, Call) and part.name in _SUMS)
    return sum(_is_sum(part.operands[1]) for part in sums) >= _FEWEST_ALIKE - 1


def _is_sum(tree: Tree) -> bool:
    return isinstance(tree, Call) and tree.name in _SUMS


# ------------------------------------------------------------------------------------------ writing


class _Writer:
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

    def fraction(self, expanding: NormalForm, whole: Sum) -> Tree:
        """The sum over a common denominator, with its numerator multiplied out."""
        below: dict[Atom, Fraction] = {}
        for term in whole.terms:
            for atom, power in term.powers.items():
                below[atom] = max(below.get(atom, Fraction(0)), -power)
        divisor = Term({atom: power for atom, power in below.items() if power})
        terms = [Sum({term * divisor: each}) for term, each in whole.terms.items()]
        above = expanding.total(expanding.times(number(1), each) for each in terms)
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
        for pair in combinations(whole.terms, 2):
            common = content(dict.fromkeys(pair, Fraction(1)))[1]
            shared = _size(common)[0]
            inverse = common ** Fraction(-1)
            inside: dict[Term, Fraction] = {}
            others: dict[Term, Fraction] = {}
            for term, coefficient in whole.terms.items():
                rest = term * inverse
                is_letter = all(isinstance(x, str) and p == 1 for x, p in rest.powers.items())
                (inside if is_letter and len(rest.powers) < 2 else others)[term] = coefficient
            saved = (len(inside) - 1) * shared
            if others and shared > 1 and saved > most:
                bracket = Sum({term * inverse: each for term, each in inside.items()})
                coefficient, product = self.algebra.product(bracket)
                best, most = Sum({common * product: coefficient, **others}), saved
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
            if isinstance(atom, Sum) and power == 1 and [*_signs(atom)] == [True, False]:
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


def _signs(whole: Sum) -> Iterator[bool]:
    return (coefficient > 0 for coefficient in whole.terms.values())


def _letters(atom: Atom) -> Iterator[Atom]:
    """The variables of a sum that are terms of it."""
    terms = atom.terms if isinstance(atom, Sum) else ()
    return (letter for term in terms for letter in term.powers)


def _is_beside(bracket: Sum, term: Term) -> bool:
    """Whether a variable of a bracket is another factor of a product, as in `p(1 - p)`."""
    return any(letter in term.powers for letter in _letters(bracket))


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


_INDEXED = re.compile(r"(.*?)([₀-₉]+)")


def ordered(tree: Tree) -> Tree:
    """The formula with neighbouring factors such as x₂ and x₁ sorted by their indices.

    >>> str(ordered(Call("mul", ("x₂", "x₁"))))
    'mul(x₁, x₂)'
    """
    if not isinstance(tree, Call):
        return tree
    if tree.name != "mul":
        return Call(tree.name, tuple(map(ordered, tree.operands)))
    return times(_in_order([*map(ordered, factors_of(tree))]))


def _in_order(factors: list[Tree]) -> list[Tree]:
    def series(factor: Tree) -> str | int:
        found = _INDEXED.fullmatch(factor) if isinstance(factor, str) else None
        return found[1] if found else id(factor)

    def place(factor: Tree) -> tuple[int, str]:
        digits = str(factor).partition(str(series(factor)))[2]
        return len(digits), digits

    runs = (list(run) for _, run in groupby(factors, series))
    return [each for run in runs for each in (sorted(run, key=place) if len(run) > 1 else run)]


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
    return reduce(lambda x, y: Call("mul", (x, y)), [*first, *factors])
