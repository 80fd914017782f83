"""Formulas before they are written: like terms as one Σ, numbers first, constants by name."""

from __future__ import annotations

import math
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import islice, takewhile

from micrograd.table.formulas import OPERANDS, Call, Tree, substituted
from micrograd.writing import notation
from micrograd.writing.constants import constant
from micrograd.writing.indices import alike
from micrograd.writing.notation import Formula
from micrograd.writing.numbers import typographic
from micrograd.writing.parts import added, factors_of, signed, terms, times
from micrograd.writing.ranges import factored, holds, ranges, unless

_FEWEST = 4  # terms that are written with Σ if they differ only in an index; of brackets, 3
_LONGEST_BRACKET = 3  # terms of a bracket that is written with Σ
_PI = notation.named("π")


def figure(x: float) -> Formula:
    """A number of four digits, with a typographic minus sign, and powers of ten as such."""
    plain = notation.number(x)
    if not plain.exact and 1e-3 <= abs(x) < 1e6:
        plain = notation.number(float(f"{x:.4g}"))
        plain.exact = False
    text = typographic(plain.text.replace("inf", "∞"))
    strength = plain.text_strength
    return Formula(text, plain.mark, strength, strength, plain.exact)


class Gathering:
    """Rearranges formulas of these names."""

    def __init__(self, names: Mapping[str, Formula]) -> None:
        self.names = names if "π" in names else ChainMap({"π": _PI}, names)  # type: ignore[arg-type]

    def gathered(self, tree: Tree) -> Tree:
        """The formula, where terms that differ only in an index are operands of one Σ."""
        if not isinstance(tree, Call):
            return (isinstance(tree, float) and self._constant(tree)) or tree
        if tree.name in notation.SPELLED_OUT:
            operands = dict(zip(OPERANDS, tree.operands, strict=False))
            return self.gathered(substituted(notation.SPELLED_OUT[tree.name], operands))
        if tree.name in ("add", "sub"):
            return self._sums([*terms(tree)])
        if tree.name == "mul":
            tree = self._with_number_first(tree)
        if not isinstance(tree, Call):
            return self.gathered(tree)
        sign, positive = signed(tree)
        if sign == "−" and tree.name in ("mul", "div"):
            return Call("neg", (self.gathered(positive),))
        if tree.name in ("mul", "div"):
            tree = self._with_root_below(tree)
        if (product := unless(tree)) is not tree:
            return self.gathered(product)
        choice = factored(tree)
        if choice is not tree and choice != tree and holds(choice) is not None:
            rest = tree.operands[2].operands[2]  # type: ignore[union-attr]
            return Call("mul", (self.gathered(rest), choice))
        inner = tuple(map(self.gathered, tree.operands))
        if tree.name == "mul":
            several = ranges(factors_of(Call("mul", inner)))
            return times(sorted(several, key=is_sigma))  # Σ last: it needs no brackets there
        if tree.name == "div" and isinstance(inner[1], float):
            several = factors_of(inner[0])
            if is_sigma(several[-1]):
                number = several.pop(0) if isinstance(several[0], float) else 1.0
                return times([Call("ratio", (number, inner[1])), *several])
        return Call(tree.name, inner)

    def _with_root_below(self, tree: Call) -> Call:
        """The formula `x/√(2π)` in place of `(1/√(2π))·x`."""
        above, below = tree.operands if tree.name == "div" else (tree, 1.0)
        first, *rest = factors_of(above)
        match isinstance(first, float) and self._constant(first):
            case Call("div", (number, str() | Call() as root)) if rest:
                over = times([number, *rest] if number != 1.0 else rest)
                return Call("div", (over, times([root, below]) if below != 1.0 else root))
        return tree

    def _constant(self, x: float) -> Tree | None:
        return constant(x) if self.names["π"] is _PI else None

    def _with_number_first(self, tree: Tree) -> Tree:
        """2w for w·2, 4x for 2·2x, and 100π·x for x·100·π, whose number has no shorter name."""
        factors = factors_of(tree)
        end = sum(1 for _ in takewhile(lambda each: isinstance(each, float), factors))
        if isinstance(factors[-1], float):
            end = len(factors)
        numbers = [each for each in factors[:end] if isinstance(each, float)]
        if end < 2 and not any(map(_is_one, numbers)):
            return tree
        others = [each for each in factors[:end] if not isinstance(each, float)] + factors[end:]
        known = [abs(each) for each in numbers if self._constant(each) is not None]
        plain = [abs(each) for each in numbers if self._constant(each) is None]
        whole = math.prod(numbers)
        if not math.isfinite(whole) or (whole == 0.0 and all(numbers)):
            return tree  # beyond the range of floats
        if self._constant(whole) is not None or figure(whole).exact:
            known, plain = [], [abs(whole)]
        elif figure(math.prod(plain)).exact or not all(figure(each).exact for each in plain):
            plain = [math.prod(plain)]
        shown = [each for each in plain if not _is_one(each)] + known
        if math.prod(math.copysign(1.0, each) for each in numbers) < 0:
            shown = [-each for each in shown[:1] or [1.0]] + shown[1:]
        return times([*shown, *others] or [1.0])

    def _sums(self, rest: list[tuple[str, Tree]]) -> Tree:
        found: list[tuple[str, Tree]] = []
        while rest:
            period, count = self._alike(rest)
            sign, term = rest[0]
            if count > 1:
                term = Call("Σ", tuple(islice(_brackets(rest, period), count)))
            else:
                term = self.gathered(term)
            rest = rest[period * count :]
            found.append((sign, term))
        return reduce(_joined, found[1:], _joined(0.0, found[0]))

    def _alike(self, rest: Sequence[tuple[str, Tree]]) -> tuple[int, int]:
        """How many terms make a bracket, and how many brackets in a row differ only in an index.

        A bracket is one term, or several as in `x₁ − μ + x₂ − μ + x₃ − μ`.
        """
        best = 1, 1
        for period in range(1, min(_LONGEST_BRACKET, len(rest) // 3) + 1):
            count = alike(_brackets(rest, period), self.names)
            fewest = _FEWEST - (period > 1)
            if count >= fewest and period * count > math.prod(best):
                best = period, count
        return best


def _brackets(several: Sequence[tuple[str, Tree]], period: int) -> Iterator[Tree]:
    """Sums of so many terms, as long as they have the same signs; the first one is not written."""
    first = [sign for sign, _ in several[:period]]
    signs = ["+" if sign == first[0] else "−" for sign in first]
    for i in range(0, len(several), period):
        part = several[i : i + period]
        if [sign for sign, _ in part] != first:
            return
        yield added([(sign, term) for sign, (_, term) in zip(signs, part, strict=True)])


def _joined(whole: Tree, signed: tuple[str, Tree]) -> Tree:
    """A sum, which may be 0, and one more term."""
    sign, term = signed
    if whole == 0.0:
        return Call("neg", (term,)) if sign == "−" else term
    return Call("add" if sign == "+" else "sub", (whole, term))


def _is_one(x: float) -> bool:
    """Whether it is 1 up to rounding, and so no factor that somebody wrote."""
    return math.isclose(x, 1.0, rel_tol=2e-15)


def is_sigma(tree: Tree) -> bool:
    """Whether it is a sum over an index."""
    return isinstance(tree, Call) and tree.name == "Σ"
