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

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from micrograd.derivation.normal_form import NormalForm
from micrograd.derivation.written_sums import Writer
from micrograd.table.formulas import Call, Tree, parts, rebuilt, size, substituted
from micrograd.writing.indices import DIGITS
from micrograd.writing.parts import SUMS, added, factors_of, terms, times

_FEWEST, _LONGEST = 9, 60  # variables, numbers and operations of what is multiplied out on trial
_FEWEST_ALIKE = 3  # terms that may be a sum over an index
_FEWEST_TERMS = 4  # of a series of single terms
_LONGEST_PERIOD = 3  # terms of a bracket in a series
_WORTH_OPENING = 0.9  # what is left of the variables and numbers of a formula
_LONGEST_SERIES = 400  # variables, numbers and operations of what may be a series


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
    kept = Writer(algebra, decimals).formula(algebra.read(tree))
    if algebra.has_brackets:
        opened = _rewritten(tree, names, decimals, opening=True)
        kept = opened if 2 * size(opened) <= size(kept) else kept
    if _FEWEST <= size(kept) <= _LONGEST_SERIES:
        apart: list[Tree] = []
        if algebra.has_joined:  # x₁ - (x₁ + x₂ + x₃ + x₄)/4 is a term of a series as it is
            each = _rewritten(tree, names, decimals, joining=False)
            if not _repeats(each):  # b - c - a + b is 2b - a - c
                apart.append(each)
        elif _repeats(kept) and not _has_like_brackets(kept):  # x - y - z + x + x - t
            apart.append(_rewritten(tree, names, decimals, joining=_LONGEST))
        apart += _termwise(tree, known, decimals, folded(kept))
        kept = min([kept, *apart], key=lambda each: (folded(each), size(each)))
    if _FEWEST <= size(kept) <= _LONGEST and _has_brackets(kept):
        algebra = _algebra(names, expanding=True)
        expanded: Tree = Writer(algebra, decimals).formula(algebra.read(kept))
        fraction = Writer(_algebra(names), decimals).fraction(algebra, algebra.read(kept))
        shortest = min((expanded, fraction), key=_leaves)
        kept = shortest if _leaves(shortest) <= _WORTH_OPENING * _leaves(kept) else kept
    return kept


def _rewritten(
    tree: Tree, known: tuple[tuple[str, Tree], ...], decimals: bool, **mode: int
) -> Tree:
    """The formula in the normal form of a mode."""
    algebra = _algebra(known, **mode)
    return Writer(algebra, decimals).formula(algebra.read(tree))


def expanded(tree: Tree) -> Tree:
    """The formula with its brackets multiplied out, and what all terms share before them.

    >>> str(expanded(Call("pow", (Call("sub", ("y", "z")), 2.0))))
    'add(sub(pow(y, 2.0), mul(mul(2.0, y), z)), pow(z, 2.0))'
    """
    try:
        return _rewritten(tree, (), decimals=False, expanding=True)
    except OverflowError:
        return tree


def fraction(tree: Tree) -> Tree:
    """The formula over a common denominator, with its numerator multiplied out.

    >>> from micrograd.ops import TABLE
    >>> str(fraction(TABLE["mul"].read("x / y + 1 / x")))
    'div(add(pow(x, 2.0), y), mul(x, y))'
    """
    algebra = _algebra((), expanding=True)
    try:
        whole = algebra.read(tree)
        return Writer(_algebra(()), decimals=True).fraction(algebra, whole, opens=True)
    except OverflowError:
        return tree


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
    if tree.name not in SUMS:
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
        outside = simplified(exchanged(tree, series, inner), known, decimals)
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


def exchanged(tree: Tree, part: Tree, other: Tree) -> Tree:
    """The formula with another part in place of one."""
    return other if tree == part else rebuilt(tree, lambda each: exchanged(each, part, other))


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
    several = sum(part.name in SUMS for part in found) > 1 and not has_series(tree)
    return several and any(map(_is_sum, factors))


def has_series(tree: Tree) -> bool:
    """Whether brackets are added, such as `x₁ - μ`, that may be terms of a sum over an index."""
    sums = (part for part in parts(tree) if isinstance(part, Call) and part.name in SUMS)
    return sum(_is_sum(part.operands[1]) for part in sums) >= _FEWEST_ALIKE - 1


def _is_sum(tree: Tree) -> bool:
    return isinstance(tree, Call) and tree.name in SUMS


_INDEXED = re.compile(r"(.*?)([₀-₉]+)")


def ordered(tree: Tree) -> Tree:
    """The formula with neighbouring factors such as x₂ and x₁ sorted by their indices.

    >>> str(ordered(Call("mul", ("x₂", "x₁"))))
    'mul(x₁, x₂)'
    """
    if not (isinstance(tree, Call) and tree.name == "mul"):
        return rebuilt(tree, ordered)
    factors = [*map(ordered, factors_of(tree))]
    runs = groupby(factors, key=lambda each: _by_index(each)[0])
    return times([each for _, run in runs for each in sorted(run, key=_by_index)])


def _by_index(factor: Tree) -> tuple[str, int, str]:
    """The series that a factor belongs to, which may be its own, and where it stands in it."""
    found = _INDEXED.fullmatch(factor) if isinstance(factor, str) else None
    return (found[1], len(found[2]), found[2]) if found else (f"{id(factor)}", 0, "")
