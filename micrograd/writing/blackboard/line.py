"""Formulas in one line, as on a blackboard."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from micrograd.ops import TABLE
from micrograd.table.formulas import COMPARISONS, Call, Tree
from micrograd.writing import languages, notation
from micrograd.writing.blackboard.gathering import Gathering, figure, is_sigma
from micrograd.writing.indices import general
from micrograd.writing.labels import columns
from micrograd.writing.marks import Mark, row
from micrograd.writing.names import subscript, superscript
from micrograd.writing.notation import RELATIONS, Formula
from micrograd.writing.parts import factors_of, opposite, signed, terms
from micrograd.writing.ranges import between, holds, is_comparison, is_ordered, logical
from micrograd.writing.template import ATOM, CALL, FRACTION, LOOSE, POWER, PRODUCT, SUM

ENGLISH = languages.words("en", "explain")

_SYMBOLS = frozenset({"σ", "Φ", "ψ"})
"""Letters of functions: σ(1 − x) is never a product of σ and 1 − x."""

_RAISED = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "ln"})
"""Functions whose powers are written as sin²(x)."""

_SHORT = 3  # columns of a factor that is never alone on a line


def in_row(*parts: Formula | str, strength: int = LOOSE) -> Formula:
    """Parts and signs in a row. A sign with spaces around it has them in the text only.

    Further lines of a part, which has cases, stand below its first one.
    """
    text, marks, exact = "", [], True
    for part in parts:
        if isinstance(part, str):
            text += part
            marks.append(("mo", part.strip().replace("−", "-")))
        else:
            last = text[text.rfind("\n") + 1 :]
            below = f"\n{' ' * columns(last)}" if "\n" in part.text else "\n"
            text += part.text.replace("\n", below)
            marks += part.mark[1:] if part.mark[0] == "mrow" else (part.mark,)
            exact = exact and part.exact
    return Formula(text, row(*marks), strength, strength, exact)


def _base(tree: Tree) -> Tree:
    """What a power is of; any other formula itself."""
    match tree:
        case Call("pow" | "square", (base, *_)):
            return _base(base)
    return tree


def _is_letter(tree: Tree, names: Mapping[str, Formula], has_index: bool = False) -> bool:
    """Whether it is a name of one letter, perhaps with an index, or a power of one."""
    base = _base(tree)
    if not isinstance(base, str):
        return False
    mark = names[base].mark
    if has_index and mark[0] == "mi":
        return False
    while mark[0] in ("msub", "msup", "msubsup", "mover"):
        mark = mark[1]
    return bool(mark[0] == "mi" and len(mark[1]) == 1)


class Board(Gathering):
    """Writes formulas with these names."""

    def __init__(self, names: Mapping[str, Formula], words: Mapping[str, str] = ENGLISH) -> None:
        super().__init__(names)
        self.words = words
        self._known: dict[int, tuple[Call, Formula]] = {}  # formulas by the ids of their trees

    def formula(self, tree: Tree) -> Formula:
        """The formula in one line."""
        if isinstance(tree, str):
            return self.names[tree]
        if not isinstance(tree, Call):
            return figure(tree)
        known = self._known.get(id(tree))
        if known is None:
            known = self._known[id(tree)] = tree, self._call(tree)
        return known[1]

    def _call(self, tree: Call) -> Formula:
        strength = _binding(tree)
        if strength is not None:
            return in_row(*self.parts(tree, math.inf), strength=strength)
        match tree:
            case Call("∂", (str() as above, str() as below)):
                return notation.quotient(self.names[above], self.names[below])
            case Call("ratio" | "div", (above, below)):
                return _divided(self.formula(above), self.formula(below))
            case Call("mul" | "square", (base, *_)):
                return self._power(base, 2.0)
            case Call("pow", (base, exponent)):
                return self._power(base, exponent)
            case Call("where", (test, then, otherwise)):
                return self._choice(test, then, otherwise)
            case Call("between", (low, over, x, under, high)):
                ends = [self.formula(each).bracketed(SUM) for each in (low, x, high)]
                return in_row(ends[0], f" {over} ", ends[1], f" {under} ", ends[2])
        if (condition := self.logical(tree)) != tree:
            return self.formula(condition)
        if self.is_negated(tree):
            word = f"{self.words['not']} "
            return in_row(Formula(word, ("mtext", word)), self.formula(tree.operands[0]))
        return _called(tree.name, [self.formula(each) for each in tree.operands])

    def parts(self, tree: Call, width: float) -> list[Formula]:
        """What is joined in a sum, a product or a condition, with the signs; of others, nothing.

        Each part is in pieces of at most this width, between which a line may be broken.
        """
        found: list[Formula] = []
        match _binding(tree), tree:
            case int(), Call("mul", _) if signed(tree)[0] == "+":
                return self._product(factors_of(tree), width)
            case int(), Call("factors", factors) if signed(tree)[0] == "+":
                for i, factor in enumerate(factors):
                    least = strength_within(factor, factors[i + 1 :])
                    first, *others = self.part(factor, least, width - 2)
                    found += [in_row(*[" · "] * (i > 0), first), *others]
            case _, Call("Σ", summands):
                sigma, inner, term = self.ranged(summands)
                first, *others = inner.part(term, PRODUCT, width - columns(sigma.text))
                found = [in_row(sigma, first), *others]
            case _, Call("and" | "or" | "xor" as name):
                word = Formula(f" {self.words[name]} ", ("mtext", f" {self.words[name]} "))
                for i, test in enumerate(_conditions(name, tree)):
                    least = ATOM if isinstance(test, Call) and test.name in _WORDS else LOOSE
                    room = width - columns(word.text.lstrip()) * (i > 0)
                    first, *others = self.part(test, least, room)
                    found += [in_row(*[word] * (i > 0), first), *others]
            case int(), _:
                for i, (sign, term) in enumerate(terms(tree)):
                    first, *others = self.part(term, PRODUCT, width - 2)
                    before = [f" {sign} "] if i else [sign] if sign == "−" else []
                    found += [in_row(*before, first), *others]
        return found

    def part(self, tree: Tree, least: int, width: float) -> list[Formula]:
        """A part that binds as tightly as its place requires, in one piece."""
        return [self.formula(tree).bracketed(least)]

    def logical(self, tree: Tree) -> Tree:
        """The formula; if it is one of conditions, with `and`, `or` and `xor`."""
        return logical(tree, self._is_condition) if is_comparison(tree) else tree

    def is_negated(self, tree: Tree) -> bool:
        """Whether it says that the condition of a name does not hold."""
        match tree:
            case Call("eq", (str() as name, 0.0)):
                return self._is_condition(name)
        return False

    def _is_condition(self, tree: Tree) -> bool:
        return self.names[tree].is_condition if isinstance(tree, str) else is_comparison(tree)

    def _choice(self, test: Tree, then: Tree, otherwise: Tree) -> Formula:
        """A choice as a list of cases, or as [condition] if it is one between 1 and 0."""
        whole = Call("where", (test, then, otherwise))
        if (condition := holds(whole)) is not None:
            inner = self.formula(condition)
            return Formula(f"[{inner.text}]", ("fence", "[", inner.mark, "]"))
        found = self.cases(test, then, otherwise)
        shown = [(self.formula(value), self.formula(condition)) for value, condition in found]
        return notation.cases(shown, None, self.words)

    def cases(self, test: Tree, then: Tree, otherwise: Tree) -> list[tuple[Tree, Tree]]:
        """Each value of a choice with its condition."""
        if not is_comparison(test):
            test = Call("ne", (test, 0.0))
        cases = [(then, test), (otherwise, opposite(test))]
        match otherwise:
            case Call("where", (second, middle, last)):
                rest = between(opposite(test), opposite(second))
                if rest is not None and is_ordered(rest):
                    cases = [(then, test), (middle, second), (last, rest)]
        return cases

    def _product(self, factors: Sequence[Tree], width: float) -> list[Formula]:
        """A product; factors that need no sign between them stay together if they fit."""
        found: list[Formula] = []
        before: Formula | None = None
        for i, factor in enumerate(factors):
            least = strength_within(factor, factors[i + 1 :])
            first, *others = self.part(factor, least, width - 2)
            touches = before and self.touches(factors[i - 1], factor, before, first)
            room = width - columns(first.text)
            if touches and room < columns(found[-1].text) <= _SHORT:
                room = width - columns(found[-1].text)
                first, *others = self.part(factor, least, room)
            before = [first, *others][-1]
            if touches and columns(found[-1].text) <= max(room, _SHORT):
                space = " " * is_sigma(factor)
                shown = Formula(space + first.text, first.mark, exact=first.exact)
                found[-1] = in_row(found[-1], shown)
            else:
                found.append(in_row(*["·"] * (i > 0), first))
            found += others
        return found

    def touches(self, before: Tree, tree: Tree, left: Formula, right: Formula) -> bool:
        """Whether two factors stand beside each other without a sign."""
        if is_sigma(tree):
            return True
        opens = right.text.startswith(("(", "[")) and isinstance(tree, Call)
        adds = isinstance(tree, Call) and tree.name in ("add", "sub")
        if isinstance(before, float):
            if "·" in left.text:  # a power of ten
                return False
            match tree:
                case Call("div", (float(), _)):  # 35·(1/3)
                    return False
            starts = opens or right.text.startswith("|")
            return starts or _is_letter(tree, self.names) or is_function(tree)
        if opens and adds:
            closes = isinstance(before, Call) and before.name in ("add", "sub")
            is_symbol = self.formula(before).text[0] in _SYMBOLS
            return closes or (_is_letter(before, self.names) and not is_symbol)
        if "_" in left.text:  # S_xx·S_yy
            return False
        return all(_is_letter(each, self.names, has_index=True) for each in (before, tree))

    def _power(self, base: Tree, exponent: Tree) -> Formula:
        inner, above = self.formula(base), self.formula(exponent)
        raised = superscript(above.text.replace("−", "-"))
        if not (isinstance(exponent, float) and exponent.is_integer()) or "·" in raised:
            raised = f"^{above.bracketed(ATOM).text}"
        if is_function(base) and isinstance(exponent, float) and exponent > 0:
            name, bracket, rest = inner.text.partition("(")
            first, *others = inner.mark[1:] if inner.mark[0] == "mrow" else (inner.mark,)
            if first[0] in ("func", "mi") and first[1] == name and others and bracket:
                if name in _RAISED:
                    mark = row(("msup", first, above.mark), *others)
                    return Formula(f"{name}{raised}({rest}", mark, CALL, CALL, inner.exact)
                mark = ("msup", inner.mark, above.mark)
                return Formula(inner.text + raised, mark, CALL, CALL, inner.exact)
        shown = inner.bracketed(ATOM)
        mark = ("msup", shown.mark, above.mark)
        return Formula(shown.text + raised, mark, POWER, POWER, inner.exact and above.exact)

    def ranged(self, trees: Sequence[Tree]) -> tuple[Formula, Board, Tree]:
        """The sign Σ with the range of its index, and the term and who writes it."""
        found = general(trees, self.names)
        assert found is not None  # noqa: S101 (or it would not be a Σ)
        names = {**self.names, **found.names, found.letter: figure(1.0)}
        inner = type(self)(names, self.words)
        below = f"{subscript(found.letter)}₌{subscript(str(found.first))}"
        range_ = row(("mi", found.letter), ("mo", "="), ("mn", str(found.first)))
        sign: Mark = ("munderover", ("mo", "∑"), range_, ("mn", str(found.last)))
        sigma = Formula(f"Σ{below}{superscript(str(found.last))} ", sign)
        return sigma, inner, inner.gathered(found.tree)


_WORDS = ("and", "or", "xor")


def _conditions(word: str, tree: Tree) -> Iterator[Tree]:
    """The conditions that are joined by a word."""
    if isinstance(tree, Call) and tree.name == word:
        for each in tree.operands:
            yield from _conditions(word, each)
    else:
        yield tree


def strength_within(tree: Tree, others: Sequence[Tree]) -> int:
    """How tightly a factor must bind that these others follow."""
    is_product = isinstance(tree, Call) and tree.name == "mul"
    return PRODUCT if is_product or not others else FRACTION


def _binding(tree: Call) -> int | None:
    """How tightly a sum, a product or joined conditions bind; None for any other formula."""
    match tree:
        case Call("add" | "sub" | "neg"):
            return SUM
        case Call("mul" | "div" | "factors") if signed(tree)[0] == "−":
            return SUM
        case Call("mul", (base, other)) if base == other and not isinstance(base, float):
            return None  # a square
        case Call("mul" | "factors" | "Σ"):
            return PRODUCT
    return LOOSE if tree.name in _WORDS else None


_NOT_CALLS = frozenset({"add", "sub", "mul", "div", "neg", "pow", "square", "where", *RELATIONS})


def is_function(tree: Tree) -> bool:
    """Whether it is written as a name and its arguments in brackets."""
    return isinstance(tree, Call) and tree.name in TABLE and tree.name not in _NOT_CALLS


_BRACKETED = re.compile(r"\([^()]*\)")


def _bracketing(above: Formula, below: Formula) -> int:
    """How tightly a numerator must bind: not as a/b over c, nor as a sum Σ over another one."""
    outside, inner = above.text, ""
    while outside != inner:
        outside, inner = _BRACKETED.sub("", outside), outside
    is_open = "/" in outside or ("Σ" in outside and "Σ" in below.text)
    return ATOM if is_open and above.text_strength <= PRODUCT else PRODUCT


def _divided(above: Formula, below: Formula) -> Formula:
    least = _bracketing(above, below)
    text = f"{above.bracketed(least).text}/{below.bracketed(POWER).text}"
    mark = ("mfrac", above.mark, below.mark)
    return Formula(text, mark, PRODUCT, FRACTION, above.exact and below.exact)


def _called(name: str, operands: list[Formula]) -> Formula:
    """An operation that is written as a call, with marks as the table typesets it."""
    if name not in TABLE:
        return notation.by_hand(name, operands)
    typeset = notation.operation(TABLE[name], operands)
    match name:
        case "sqrt":
            text, strength = f"√{operands[0].bracketed(ATOM).text}", CALL
        case "abs":
            text, strength = f"|{operands[0].text}|", ATOM
        case "relu":
            text, strength = f"max(0, {operands[0].text})", CALL
        case _ if name in COMPARISONS:
            left, right = (each.bracketed(SUM).text for each in operands)
            text, strength = f"{left} {RELATIONS[name]} {right}", LOOSE
        case _:
            return typeset
    return Formula(text, typeset.mark, strength, typeset.mark_strength, typeset.exact)
