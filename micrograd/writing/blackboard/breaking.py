"""Formulas in lines of a width, broken at their signs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from micrograd.table.formulas import COMPARISONS, Call, Tree
from micrograd.writing import notation
from micrograd.writing.blackboard.line import (
    ENGLISH,
    Board,
    in_row,
    is_function,
)
from micrograd.writing.labels import columns
from micrograd.writing.marks import Mark, row
from micrograd.writing.names import superscript
from micrograd.writing.notation import Formula
from micrograd.writing.ranges import holds
from micrograd.writing.template import ATOM, LOOSE, POWER, PRODUCT, SUM

_BEFORE_WORD = re.compile("^([，,]?) *")  # where a line of a list of cases may be broken
_HALF = Call("div", (1.0, 2.0))
_ZERO = Formula("0, ", row(("mn", "0"), ("mo", ",")))  # in max(0, x)
_NARROWEST = 12  # columns of a numerator before its denominator stands on the next line


def lines(
    tree: Tree, names: Mapping[str, Formula], width: int, words: Mapping[str, str] = ENGLISH
) -> list[Formula]:
    """The formula in lines of a given width, as far as its signs allow breaks.

    Each line after the first begins with the sign at which the formula was broken.

    Args:
        tree: the formula.
        names: the names of its variables.
        width: the columns of a line of text.
        words: the texts of a language for cases, as for `notation.cases`.
    """
    board = _Broken(names, words)
    tree = board.gathered(tree)
    whole = board.formula(tree)
    if columns(whole.text) <= width:
        return [whole]
    return _filled(board.pieces(tree, width), width)


def _filled(pieces: Sequence[Formula], width: float) -> list[Formula]:
    """The pieces in lines, as many in each as it has room for."""
    found: list[Formula] = []
    for piece in pieces:
        is_term = piece.text.startswith((" + ", " − "))  # on a line of its own after a long one
        fits = found and columns(found[-1].text + piece.text) <= width
        if fits and not (is_term and found[-1].text.startswith("·")):
            found[-1] = in_row(found[-1], piece)
        else:
            text = piece.text.lstrip()
            text = text.replace("\n" + " " * (len(piece.text) - len(text)), "\n")
            found.append(Formula(text, piece.mark, exact=piece.exact))
    return found


class _Broken(Board):
    """Writes formulas in pieces, between which a line may be broken."""

    def pieces(self, tree: Tree, width: float) -> list[Formula]:
        """The formula in pieces of at most this width."""
        if isinstance(tree, Call) and (found := self.parts(tree, width)):
            return found
        match tree:
            case Call("div", (above, below)):
                return self._quotient(above, below, width)
            case Call("where") if (test := holds(tree)) is not None:
                return _enclosed(self.pieces(test, width - 1), signs=("[", "]"))
            case Call() if (condition := self.logical(tree)) != tree:
                return self.pieces(condition, width)
            case Call("where"):
                words = {**self.words, "next case": f"{self.words['next case'].rstrip()}\n "}
                whole = Board(self.names, words).formula(tree)
                rows, cases = whole.text.split("\n"), self.cases(*tree.operands)
                if len(rows) > len(cases) or any(columns(line) > width for line in rows):
                    return [self._stacked(cases, width)]
                return [whole]
            case Call(name, (left, right)) if name in COMPARISONS:
                first, *others = self.part(right, SUM, width - 2)
                after = in_row(f" {notation.RELATIONS[name]} ", first)
                return [*self.part(left, SUM, width - 2), after, *others]
            case Call("abs", (argument,)):
                return _enclosed(self.pieces(argument, width - 1), signs=("|", "|"))
            case Call("sqrt", (argument,)):
                *others, last = _enclosed(self.pieces(argument, width - 1))
                return [*others, _raised_bracket(last, self.formula(_HALF))]
            case Call("pow" | "square", (base, *exponent)):
                power = self.formula(exponent[0] if exponent else 2.0)
                room = width - columns(power.text) - 2
                whole = self.formula(base)
                if columns(whole.text) > room and whole.text_strength < ATOM:
                    found = self.pieces(base, room)
                    *others, last = found if _ends_in_bracket(base) else _enclosed(found)
                    return [*others, _raised_bracket(last, power)]
            case Call(name, (argument,)) if is_function(tree):
                shown = notation.name_in_text(name)
                start: Mark = ("mi", shown) if len(shown) == 1 else ("func", shown)
                room = width - columns(shown) - 2
                if name == "relu":
                    first, *rest = self.pieces(argument, room - columns(_ZERO.text))
                    return _enclosed([in_row(_ZERO, first), *rest], Formula("max", ("func", "max")))
                return _enclosed(self.pieces(argument, room), Formula(shown, start))
        return [self.formula(tree)]

    def part(self, tree: Tree, least: int, width: float) -> list[Formula]:
        """The pieces of a part that binds as tightly as its place requires."""
        whole = self.formula(tree).bracketed(least)
        if columns(whole.text) <= width:
            return [whole]
        if self.formula(tree).text_strength >= least:
            return self.pieces(tree, width)
        return _enclosed(self.pieces(tree, width - 1))

    def _quotient(self, above: Tree, below: Tree, width: float) -> list[Formula]:
        """A quotient; the divisor ends a line with the end of what is divided if it fits."""
        first, *rest = self.part(below, POWER, width - 1)
        room = width - columns(first.text) - 1
        has_two = "Σ" in self.formula(above).text and "Σ" in self.formula(below).text
        least = ATOM if has_two else PRODUCT
        if rest or room < _NARROWEST:
            return [*self.part(above, least, width - 2), in_row("/", first), *rest]
        *others, last = self.part(above, least, room)
        return [*others, in_row(last, "/", first)]

    def _stacked(self, cases: Sequence[tuple[Tree, Tree]], width: float) -> Formula:
        """A list of cases, each condition below its value, and both in lines of a width."""
        comma, word = _BEFORE_WORD.split(self.words["if"])[1:]
        end = self.words["next case"].rstrip()
        shown: list[str] = []
        rows: list[tuple[Mark]] = []
        exact = True
        for value, test in cases:
            rooms = (value, width - 3 - columns(comma)), (test, width - 5 - columns(end))
            values, tests = (_filled(self.part(x, LOOSE, room), room) for x, room in rooms)
            exact = exact and all(each.exact for each in (*values, *tests))
            starts = " ", *["   "] * (len(values) - 1), f"  {word}", *["    "] * (len(tests) - 1)
            ends = *[""] * (len(values) - 1), comma, *[""] * (len(tests) - 1), end
            for start, each, stop in zip(starts, (*values, *tests), ends, strict=True):
                below = "\n" + " " * columns(start)
                shown.append(start + each.text.replace("\n", below) + stop)
            *before, last = (each.mark for each in values)
            rows += [(mark,) for mark in (*before, row(last, ("mo", ",")))]
            rows += [(row(("gap",), each.mark),) for each in tests]
        text = "\n".join(shown)
        return Formula(f"{{{text[1 : -len(end)]}}}", ("cases", *rows), exact=exact)


def _ends_in_bracket(tree: Tree) -> bool:
    """Whether it is a function of one argument, so that a power needs no brackets around it."""
    match tree:
        case Call(name, (_,)):
            return is_function(tree) and name != "sqrt"
    return False


def _enclosed(
    pieces: list[Formula], *before: Formula, signs: tuple[str, str] = ("(", ")")
) -> list[Formula]:
    """The pieces with brackets around them."""
    opening, closing = signs
    if len(pieces) == 1:
        return [in_row(*before, opening, pieces[0], closing)]
    return [in_row(*before, opening, pieces[0]), *pieces[1:-1], in_row(pieces[-1], closing)]


def _raised_bracket(last: Formula, above: Formula) -> Formula:
    """The last piece of a bracket, which is raised to a power; 1/2 is a root on several lines."""
    raised = superscript(above.text.replace("−", "-")) if above.text.isdecimal() else ""
    text = last.text + (raised or f"^{above.bracketed(ATOM).text}")
    *marks, bracket = last.mark[1:]
    return Formula(text, row(*marks, ("msup", bracket, above.mark)), exact=last.exact)
