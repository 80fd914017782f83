r"""Formulas as on a blackboard: `2(ŷ − t)·ŷ(1 − ŷ)·x`, with Σ, fractions, and lines of a width.

Unlike in `notation.formula`, which writes every sign, a number or a bracket stands beside its
factor without a sign, functions have their usual names, and a sum of terms that differ in an index
only is written with Σ.

Besides the operations of the table, a tree may contain

    Call("∂", (u, v))         the derivative of one name with respect to another
    Call("factors", (a, …))   a product whose factors are kept apart

>>> from micrograd.writing.notation import named
>>> from micrograd.writing.marks import latex
>>> tree = Call("mul", (2.0, Call("sub", ("a", "b"))))
>>> shown = written(tree, {"a": named("a"), "b": named("b")})
>>> shown.text, latex(shown.mark)
('2(a − b)', '2(a - b)')
"""

from __future__ import annotations

import math
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from functools import partial, reduce
from itertools import takewhile

from micrograd.ops import TABLE
from micrograd.table.formulas import COMPARISONS, Call, Tree
from micrograd.writing import languages, notation
from micrograd.writing.constants import constant
from micrograd.writing.indices import SUBSCRIPT, General, alike, general
from micrograd.writing.labels import columns
from micrograd.writing.marks import Mark, latex, row
from micrograd.writing.names import subscript, superscript
from micrograd.writing.notation import RELATIONS, Formula
from micrograd.writing.parts import added, factors_of, opposite, signed, terms, times
from micrograd.writing.ranges import (
    between,
    factored,
    holds,
    is_comparison,
    is_ordered,
    ranges,
    unless,
)
from micrograd.writing.template import ATOM, CALL, FRACTION, LOOSE, POWER, PRODUCT, SUM

__all__ = ["figure", "latex", "lines", "written"]

_ENGLISH = languages.words("en", "explain")
_BEFORE_WORD = re.compile("^([，,]?) *")  # where a line of a list of cases may be broken
_HALF = Call("div", (1.0, 2.0))
_NARROWEST = 12  # columns of a numerator before its denominator stands on the next line
_SHORT = 3  # columns of a factor that is never alone on a line
_FEWEST = 4  # terms that are written with Σ if they differ only in an index; of brackets, 3
_LONGEST_BRACKET = 3  # terms of a bracket that is written with Σ

_SYMBOLS = frozenset({"σ", "Φ", "ψ"})
"""Letters of functions: σ(1 − x) is never a product of σ and 1 − x."""

_RAISED = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "ln"})
"""Functions whose powers are written as sin²(x)."""


def written(
    tree: Tree, names: Mapping[str, Formula], words: Mapping[str, str] = _ENGLISH
) -> Formula:
    """The formula, with these names for its variables, and cases in these words."""
    board = _Board(names, words)
    return board.formula(board.gathered(tree))


def lines(
    tree: Tree, names: Mapping[str, Formula], width: int, words: Mapping[str, str] = _ENGLISH
) -> list[Formula]:
    """The formula in lines of a given width, as far as its signs allow breaks.

    Each line after the first begins with the sign at which the formula was broken.

    Args:
        tree: the formula.
        names: the names of its variables.
        width: the columns of a line of text.
        words: the texts of a language for cases, as for `notation.cases`.
    """
    board = _Board(names, words)
    tree = board.gathered(tree)
    whole = board.formula(tree)
    if columns(whole.text) <= width:
        return [whole]
    found: list[Formula] = []
    for piece in board.pieces(tree, width):
        is_term = piece.text.startswith((" + ", " − "))  # on a line of its own after a long one
        fits = found and columns(found[-1].text + piece.text) <= width
        if fits and not (is_term and found[-1].text.startswith("·")):
            found[-1] = _row(found[-1], piece)
        else:
            found.append(Formula(piece.text.lstrip(), piece.mark, exact=piece.exact))
    return found


def count_terms(tree: Tree, names: Mapping[str, Formula]) -> int:
    """How many terms a formula has as a sum; those in one Σ are one."""
    return sum(1 for _ in terms(_Board(names).gathered(tree)))


def ranged(shown: Sequence[Formula], found: General, width: int) -> list[Formula]:
    """Lines with an index; its range ends the last one or, for lack of room, stands below it."""
    *others, last = shown
    start = row(
        ("mi", found.letter), ("mo", "="), ("mn", str(found.first)), ("mo", ","), ("mo", "…")
    )
    text = f"({found.letter} = {found.first}, …, {found.last})"
    range_: Mark = ("fence", "(", row(*start[1:], ("mo", ","), ("mn", str(found.last))), ")")
    if columns(f"{last.text}  {text}") > width:
        return [*shown, Formula(text, range_)]
    whole = row(last.mark, ("mtext", "  "), range_)
    return [*others, Formula(f"{last.text}  {text}", whole, exact=last.exact)]


def figure(x: float) -> Formula:
    """A number of four digits, with a typographic minus sign, and powers of ten as such."""
    plain = notation.number(x)
    if not plain.exact and 1e-3 <= abs(x) < 1e6:
        plain = notation.number(float(f"{x:.4g}"))
        plain.exact = False
    text = plain.text.replace("inf", "∞")
    digits, e, exponent = text.partition("e")
    if e and exponent:
        times = "" if digits == "1" else f"{digits}·"
        text = f"{times}10{superscript(exponent)}"
    strength = plain.text_strength
    return Formula(text.replace("-", "−"), plain.mark, strength, strength, plain.exact)


# ------------------------------------------------------------------------------------------- pieces


def _row(*parts: Formula | str, strength: int = LOOSE) -> Formula:
    """Parts and signs in a row. A sign with spaces around it has them in the text only."""
    text, marks, exact = "", [], True
    for part in parts:
        if isinstance(part, str):
            text += part
            marks.append(("mo", part.strip().replace("−", "-")))
        else:
            text += part.text
            marks += part.mark[1:] if part.mark[0] == "mrow" else (part.mark,)
            exact = exact and part.exact
    return Formula(text, row(*marks), strength, strength, exact)


def _is_letter(tree: Tree, names: Mapping[str, Formula]) -> bool:
    """Whether it is a name of one letter, or a power of one."""
    match tree:
        case str():
            mark = names[tree].mark
            while mark[0] in ("msub", "msup", "msubsup", "mover"):
                mark = mark[1]
            return bool(mark[0] == "mi" and len(mark[1]) == 1)
        case Call("pow" | "square", (base, *_)):
            return _is_letter(base, names)
    return False


def _has_index(tree: Tree, names: Mapping[str, Formula]) -> bool:
    match tree:
        case str():
            return bool(names[tree].mark[0] != "mi")
        case Call("pow" | "square", (base, *_)):
            return _has_index(base, names)
    return False


class _Board:
    """Writes formulas with these names."""

    def __init__(self, names: Mapping[str, Formula], words: Mapping[str, str] = _ENGLISH) -> None:
        self.words = words
        self.names = names if "π" in names else ChainMap({"π": _PI}, names)  # type: ignore[arg-type]
        self._known: dict[int, tuple[Call, Formula]] = {}  # formulas by the ids of their trees

    # ------------------------------------------------------------------------------------- sums

    def gathered(self, tree: Tree) -> Tree:
        """The formula, where terms that differ only in an index are operands of one Σ."""
        if not isinstance(tree, Call):
            return (isinstance(tree, float) and self._constant(tree)) or tree
        tree = _spelled_out(tree)
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
            return times(sorted(several, key=_is_sigma))  # Σ last: it needs no brackets there
        if tree.name == "div" and isinstance(inner[1], float):
            several = factors_of(inner[0])
            if _is_sigma(several[-1]):
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
                term = Call("Σ", tuple(_grouped(rest[: period * count], period)))
            else:
                term = self.gathered(term)
            rest = rest[period * count :]
            found.append((sign, term))
        return reduce(_joined, found[1:], _joined(0.0, found[0]))

    def _alike(self, rest: Sequence[tuple[str, Tree]]) -> tuple[int, int]:
        """How many terms make a bracket, and how many brackets in a row differ only in an index.

        A bracket is one term, or several as in `x₁ − μ + x₂ − μ + x₃ − μ`.
        """
        signs = [sign for sign, _ in rest]
        best = 1, 1
        for period in range(1, min(_LONGEST_BRACKET, len(rest) // 3) + 1):
            pairs = zip(signs, signs[period:], strict=False)
            same = period + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
            groups = _grouped(rest[: same - same % period], period)
            count = alike(groups, self.names) if len(groups) > 1 else 1
            fewest = _FEWEST - (period > 1)
            if count >= fewest and period * count > math.prod(best):
                best = period, count
        return best

    def _sigma(self, trees: Sequence[Tree]) -> Formula:
        sigma, inner, term = self._range(trees)
        return _row(sigma, inner.formula(term).bracketed(PRODUCT), strength=PRODUCT)

    def _range(self, trees: Sequence[Tree]) -> tuple[Formula, _Board, Tree]:
        """The sign Σ with the range of its index, and the term and who writes it."""
        found = general(trees, self.names)
        assert found is not None  # noqa: S101 (or it would not be a Σ)
        inner = _Board({**self.names, **found.names, found.letter: figure(1.0)}, self.words)
        below = f"{SUBSCRIPT[found.letter]}₌{subscript(str(found.first))}"
        range_ = row(("mi", found.letter), ("mo", "="), ("mn", str(found.first)))
        sign: Mark = ("munderover", ("mo", "∑"), range_, ("mn", str(found.last)))
        sigma = Formula(f"Σ{below}{superscript(str(found.last))} ", sign)
        return sigma, inner, inner.gathered(found.tree)

    # ------------------------------------------------------------------------------- in one line

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
        match tree:
            case Call("∂", (str() as above, str() as below)):
                return notation.quotient(self.names[above], self.names[below])
            case Call("factors", _) if signed(tree)[0] == "−":
                return _row(*self._added(tree), strength=SUM)
            case Call("factors", factors):
                return _row(*self._spaced(factors), strength=PRODUCT)
            case Call("Σ", summands):
                return self._sigma(summands)
            case Call("add" | "sub" | "neg", _):
                return _row(*self._added(tree), strength=SUM)
            case Call("mul" | "div", _) if signed(tree)[0] == "−":
                return _row(*self._added(tree), strength=SUM)
            case Call("mul", (base, other)) if base == other and not isinstance(base, float):
                return self._power(base, 2.0)
            case Call("mul", _):
                return _row(*self._multiplied(factors_of(tree)), strength=PRODUCT)
            case Call("ratio" | "div", (above, below)):
                return _divided(self.formula(above), self.formula(below))
            case Call("square", (base,)):
                return self._power(base, 2.0)
            case Call("pow", (base, exponent)):
                return self._power(base, exponent)
            case Call("where", (test, then, otherwise)):
                return self._choice(test, then, otherwise)
            case Call("between", (low, over, x, under, high)):
                ends = [self.formula(each).bracketed(SUM) for each in (low, x, high)]
                return _row(ends[0], f" {over} ", ends[1], f" {under} ", ends[2])
        return _called(tree.name, [self.formula(each) for each in tree.operands])

    def _choice(self, test: Tree, then: Tree, otherwise: Tree) -> Formula:
        """A choice as a list of cases, or as [condition] if it is one between 1 and 0."""
        whole = Call("where", (test, then, otherwise))
        if (condition := holds(whole)) is not None:
            inner = self.formula(condition)
            return Formula(f"[{inner.text}]", ("fence", "[", inner.mark, "]"))
        return notation.cases(self._cases(test, then, otherwise), None, self.words)

    def _cases(self, test: Tree, then: Tree, otherwise: Tree) -> list[tuple[Formula, Formula]]:
        """Each value of a choice with its condition."""
        if not is_comparison(test):
            test = Call("ne", (test, 0.0))
        cases = [(then, test), (otherwise, opposite(test))]
        match otherwise:
            case Call("where", (second, middle, last)):
                rest = between(opposite(test), opposite(second))
                if rest is not None and is_ordered(rest):
                    cases = [(then, test), (middle, second), (last, rest)]
        return [(self.formula(value), self.formula(condition)) for value, condition in cases]

    def _spaced(self, factors: Sequence[Tree]) -> Iterator[Formula | str]:
        for i, factor in enumerate(factors):
            if i:
                yield " · "
            last = i == len(factors) - 1
            yield self.formula(factor).bracketed(PRODUCT if last else _strength_within(factor))

    def _added(self, tree: Tree) -> Iterator[Formula | str]:
        for i, (sign, term) in enumerate(terms(tree)):
            if i:
                yield f" {sign} "
            elif sign == "−":
                yield sign
            yield self.formula(term).bracketed(PRODUCT)

    def _multiplied(self, factors: Sequence[Tree]) -> Iterator[Formula | str]:
        shown = []
        for factor in factors:
            last = factor is factors[-1]
            shown.append(
                self.formula(factor).bracketed(PRODUCT if last else _strength_within(factor))
            )
        for i, (factor, each) in enumerate(zip(factors, shown, strict=True)):
            if i and not self._touches(factors[i - 1], factor, shown[i - 1], each):
                yield "·"
            elif i and _is_sigma(factor):
                each = Formula(f" {each.text}", each.mark, exact=each.exact)
            yield each

    def _touches(self, before: Tree, tree: Tree, left: Formula, right: Formula) -> bool:
        """Whether two factors stand beside each other without a sign."""
        if _is_sigma(tree):
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
            return starts or _is_letter(tree, self.names) or _is_function(tree)
        if opens and adds:
            closes = isinstance(before, Call) and before.name in ("add", "sub")
            is_symbol = self.formula(before).text[0] in _SYMBOLS
            return closes or (_is_letter(before, self.names) and not is_symbol)
        letters = _is_letter(before, self.names) and _is_letter(tree, self.names)
        if "_" in left.text:  # S_xx·S_yy
            return False
        return letters and _has_index(before, self.names) and _has_index(tree, self.names)

    def _power(self, base: Tree, exponent: Tree) -> Formula:
        inner, above = self.formula(base), self.formula(exponent)
        raised = superscript(above.text.replace("−", "-"))
        if not (isinstance(exponent, float) and exponent.is_integer()) or "·" in raised:
            raised = f"^{above.bracketed(ATOM).text}"
        if _is_function(base) and isinstance(exponent, float) and exponent > 0:
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

    # -------------------------------------------------------------------------------- in pieces

    def pieces(self, tree: Tree, width: int) -> list[Formula]:
        """The formula in pieces of at most this width, between which a line may be broken."""
        inner = partial(self._part, width=width - 2)  # a sign is in front of it
        match tree:
            case Call("add" | "sub" | "neg", _):
                found = []
                for i, (sign, term) in enumerate(terms(tree)):
                    first, *others = inner(term, PRODUCT)
                    before = [f" {sign} "] if i else [sign] if sign == "−" else []
                    found += [_row(*before, first), *others]
                return found
            case Call("mul" | "div" | "factors", _) if signed(tree)[0] == "−":
                first, *others = self.pieces(signed(tree)[1], width - 1)
                return [_row("−", first), *others]
            case Call("factors", factors):
                found = []
                for i, factor in enumerate(factors):
                    first, *others = inner(factor, _strength_within(factor))
                    found += [_row(*[" · "] * (i > 0), first), *others]
                return found
            case Call("mul", _):
                found = []
                parts = factors_of(tree)
                for i, factor in enumerate(parts):
                    first, *others = inner(factor, _strength_within(factor))
                    touches = found and self._touches(parts[i - 1], factor, found[-1], first)
                    room = width - columns(first.text)
                    if touches and columns(found[-1].text) <= max(room, _SHORT):
                        found[-1] = _row(found[-1], first)
                    else:
                        found.append(_row(*["·"] * (i > 0), first))
                    found += others
                return found
            case Call("div", (above, below)):
                first, *rest = self._part(below, POWER, width - 1)
                room = width - columns(first.text) - 1
                has_two = "Σ" in self.formula(above).text and "Σ" in self.formula(below).text
                least = ATOM if has_two else PRODUCT
                if rest or room < _NARROWEST:
                    return [*inner(above, least), _row("/", first), *rest]
                *others, last = self._part(above, least, room)
                return [*others, _row(last, "/", first)]
            case Call("Σ", summands):
                sigma, board, term = self._range(summands)
                first, *rest = board._part(term, PRODUCT, width - columns(sigma.text))
                return [_row(sigma, first), *rest]
            case Call("where"):
                words = {**self.words, "next case": f"{self.words['next case'].rstrip()}\n "}
                whole = _Board(self.names, words).formula(tree)
                if any(columns(line) > width for line in whole.text.split("\n")):
                    words["if"] = _BEFORE_WORD.sub(r"\1\n  ", words["if"])
                    whole = _Board(self.names, words).formula(tree)
                return [whole]
            case Call("abs", (argument,)):
                first, *rest = _enclosed(self.pieces(argument, width - 1), signs=("|", "|"))
                return [first, *rest]
            case Call("sqrt", (argument,)):
                *others, last = _enclosed(self.pieces(argument, width - 1))
                return [*others, _raised_bracket(last, self.formula(_HALF))]
            case Call("pow" | "square", (base, *exponent)):
                power = self.formula(exponent[0] if exponent else 2.0)
                room = width - columns(power.text) - 2
                whole = self.formula(base)
                if columns(whole.text) > room and whole.text_strength < ATOM:
                    *others, last = _enclosed(self.pieces(base, room))
                    return [*others, _raised_bracket(last, power)]
            case Call(name, (argument,)) if _is_function(tree):
                shown = notation.NAMES.get(name, name)
                start: Mark = ("mi", shown) if len(shown) == 1 else ("func", shown)
                room = width - columns(shown) - 2
                return _enclosed(self.pieces(argument, room), Formula(shown, start))
        return [self.formula(tree)]

    def _part(self, tree: Tree, least: int, width: int) -> list[Formula]:
        """The pieces of a part that binds as tightly as its place requires."""
        whole = self.formula(tree).bracketed(least)
        if columns(whole.text) <= width:
            return [whole]
        if self.formula(tree).text_strength >= least:
            return self.pieces(tree, width)
        return _enclosed(self.pieces(tree, width - 1))


def _spelled_out(tree: Call) -> Call:
    """The formula that a name of programs stands for: `exp(x) - 1` for expm1(x)."""
    match tree:
        case Call("expm1", (x,)):
            return Call("sub", (Call("exp", (x,)), 1.0))
        case Call("log1p", (x,)):
            return Call("log", (Call("add", (1.0, x)),))
        case Call("floordiv", sides):
            return Call("floor", (Call("div", sides),))
    return tree


def _grouped(several: Sequence[tuple[str, Tree]], period: int) -> list[Tree]:
    """Terms with their signs as sums of so many terms, whose first sign is not written."""
    if period == 1:
        return [term for _, term in several]
    turned = several[0][0] == "−"
    signed = [("+" if (sign == "−") == turned else "−", term) for sign, term in several]
    return [added(signed[i : i + period]) for i in range(0, len(signed), period)]


def _joined(whole: Tree, signed: tuple[str, Tree]) -> Tree:
    """A sum, which may be 0, and one more term."""
    sign, term = signed
    if whole == 0.0:
        return Call("neg", (term,)) if sign == "−" else term
    return Call("add" if sign == "+" else "sub", (whole, term))


def _enclosed(
    pieces: list[Formula], *before: Formula, signs: tuple[str, str] = ("(", ")")
) -> list[Formula]:
    """The pieces with brackets around them."""
    opening, closing = signs
    if len(pieces) == 1:
        return [_row(*before, opening, pieces[0], closing)]
    return [_row(*before, opening, pieces[0]), *pieces[1:-1], _row(pieces[-1], closing)]


def _raised_bracket(last: Formula, above: Formula) -> Formula:
    """The last piece of a bracket, which is raised to a power; 1/2 is a root on several lines."""
    raised = superscript(above.text.replace("−", "-")) if above.text.isdecimal() else ""
    text = last.text + (raised or f"^{above.bracketed(ATOM).text}")
    *marks, bracket = last.mark[1:]
    return Formula(text, row(*marks, ("msup", bracket, above.mark)), exact=last.exact)


def _is_one(x: float) -> bool:
    """Whether it is 1 up to rounding, and so no factor that somebody wrote."""
    return math.isclose(x, 1.0, rel_tol=2e-15)


def _is_sigma(tree: Tree) -> bool:
    return isinstance(tree, Call) and tree.name == "Σ"


def _strength_within(tree: Tree) -> int:
    return PRODUCT if isinstance(tree, Call) and tree.name == "mul" else FRACTION


_NOT_CALLS = frozenset({"add", "sub", "mul", "div", "neg", "pow", "square", "where", *RELATIONS})


def _is_function(tree: Tree) -> bool:
    """Whether it is written as a name and its arguments in brackets."""
    return isinstance(tree, Call) and tree.name in TABLE and tree.name not in _NOT_CALLS


_BRACKETED = re.compile(r"\([^()]*\)")


_PI = notation.named("π")


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
    arguments = ", ".join(each.text for each in operands)
    strength = CALL
    match name:
        case "sqrt":
            text = f"√{operands[0].bracketed(ATOM).text}"
        case "abs":
            text = f"|{arguments}|"
            return Formula(text, typeset.mark, ATOM, ATOM, typeset.exact)
        case "relu":
            text = f"max(0, {arguments})"
        case _ if name in COMPARISONS:
            left, right = (each.bracketed(SUM).text for each in operands)
            text, strength = f"{left} {RELATIONS[name]} {right}", LOOSE
        case _:
            text = f"{notation.NAMES.get(name, name)}({arguments})"
    return Formula(text, typeset.mark, strength, typeset.mark_strength, typeset.exact)
