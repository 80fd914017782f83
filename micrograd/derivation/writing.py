r"""Formulas of the table written out for given operands, as text and as marks at once.

>>> from micrograd.ops import TABLE
>>> a, b = name(named("w1")), number(-3.0)
>>> written = operation(TABLE["mul"], [a, operation(TABLE["add"], [b, a])])
>>> written.text, latex(written.mark)
('w₁·(-3 + w₁)', 'w_{1} \\cdot (-3 + w_{1})')
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

from micrograd.ops import TABLE, Operation
from micrograd.table.formulas import COMPARISONS, Call, Tree, fold
from micrograd.writing import numbers
from micrograd.writing.layout import Mark, latex
from micrograd.writing.names import Name, named, one_line, subscript, superscript
from micrograd.writing.template import ATOM, CALL, LOOSE, POWER, PRODUCT, SUM, Template
from micrograd.writing.template import FRACTION as RIGHT_OF_A_PRODUCT
from micrograd.writing.template import parse as parse_template

__all__ = ["Written", "formula", "latex", "name", "named", "number", "operation"]


class Written(NamedTuple):
    """A formula, in one line of text and as a mark, and how tightly each of the two binds.

    It is exact unless a number in it is shown with fewer digits than it has.
    """

    text: str
    mark: Mark
    text_strength: int = ATOM
    mark_strength: int = ATOM
    exact: bool = True


def name(of: Name) -> Written:
    """A name as a formula."""
    return Written(of.text, of.mark, of.strength, of.strength)


def number(x: Any) -> Written:
    """A number as a formula."""
    text = numbers.number(x)
    digits, e, exponent = text.lstrip("-").partition("e")
    if digits == "inf":
        mark: Mark = ("mo", "∞")
    elif not digits[:1].isdigit():
        mark = ("mtext", digits)
    elif e:
        mark = ("mrow", ("mn", digits), ("mo", "×"), ("msup", ("mn", "10"), _signed(exponent)))
    else:
        mark = ("mn", digits)
    exact = not digits[:1].isdigit() or float(text) == x
    if text.startswith("-"):
        return Written(text, ("mrow", ("mo", "-"), mark), SUM, SUM, exact)
    if e:  # 1e-7² would be read as a power of 10
        return Written(text, mark, RIGHT_OF_A_PRODUCT, PRODUCT, exact)
    return Written(text, mark, exact=exact)


def _signed(digits: str) -> Mark:
    if digits.startswith("-"):
        return ("mrow", ("mo", "-"), ("mn", digits[1:]))
    return ("mn", digits)


# --------------------------------------------------------------------------------------- operations


def operation(row: Operation, operands: Sequence[Written]) -> Written:
    """The operation of these operands: an operator between them, or a call."""
    if row.name in _VOCABULARY:
        return _VOCABULARY[row.name](*operands)
    return _call(row, *operands)


def by_hand(symbol: str, operands: Sequence[Written]) -> Written:
    """An operation that the table does not know, of which only the symbol is known."""
    if len(operands) == 2 and symbol in ("+", "-", "*", "/"):
        row = {"+": "add", "-": "sub", "*": "mul", "/": "div"}[symbol]
        return _VOCABULARY[row](*operands)
    function = named(symbol or "f")
    text = f"{one_line(symbol) or 'f'}({', '.join(operand.text for operand in operands)})"
    mark = ("mrow", function.mark, _arguments(operands))
    return Written(text, mark, CALL, CALL, _exact(operands))


def _arguments(operands: Sequence[Written]) -> Mark:
    marks: list[Mark] = []
    for operand in operands:
        marks += [("mo", ","), operand.mark]
    return ("fence", "(", ("mrow", *marks[1:]), ")")


def formula(tree: Tree, operands: Mapping[str, Written]) -> Written:
    """A checked formula with these operands in the places of its variables."""
    return fold(_with_squares(tree), _VOCABULARY, operands, number)


def _with_squares(tree: Tree) -> Tree:
    """The formula with powers in the place of products of equal factors."""
    if not isinstance(tree, Call):
        return tree
    operands = tuple(map(_with_squares, tree.operands))
    if tree.name == "mul" and operands[0] == operands[1]:
        return Call("pow", (operands[0], 2.0))
    return Call(tree.name, operands)


_TEXT_SIGNS = {"mul": "·", "div": " / ", "le": " ≤ ", "ge": " ≥ ", "ne": " ≠ ", "neg": "-"}


# The strength of the whole, and what the operand on the right asks for.
_BINDING = {
    "add": (SUM, PRODUCT),
    "sub": (SUM, PRODUCT),
    "neg": (SUM, PRODUCT),
    "mul": (PRODUCT, RIGHT_OF_A_PRODUCT),
    "div": (PRODUCT, RIGHT_OF_A_PRODUCT),
}


def _infix(row: str, *parts: Written) -> Written:
    sign = _TEXT_SIGNS.get(row) or f" {TABLE[row].symbol} "
    whole, right = _BINDING.get(row, (LOOSE, SUM))
    wanted = [right] if len(parts) == 1 else [max(whole, SUM), right]
    shown = [in_brackets(part, least) for part, least in zip(parts, wanted, strict=True)]
    text = sign + shown[0] if len(parts) == 1 else sign.join(shown)
    template = _template(TABLE[row])
    mark = template.fill([(part.mark, part.mark_strength) for part in parts])
    return Written(text, mark, whole, template.strength, _exact(parts))


def _power(base: Written, exponent: Written) -> Written:
    template = _template(TABLE["pow"])
    parts = (base, exponent)
    mark = template.fill([(part.mark, part.mark_strength) for part in parts])
    raised = exponent.text
    if raised.lstrip("-").isdecimal() and raised.isascii():
        raised = superscript(raised)
    else:
        raised = f"^{in_brackets(exponent, ATOM)}"
    text = in_brackets(base, ATOM) + raised
    return Written(text, mark, POWER, template.strength, _exact(parts))


def _call(row: Operation, *operands: Written) -> Written:
    template = _template(row)
    return Written(
        f"{row.name}({', '.join(operand.text for operand in operands)})",
        template.fill([(operand.mark, operand.mark_strength) for operand in operands]),
        CALL,
        template.strength,
        _exact(operands),
    )


class _Vocabulary(dict[str, Callable[..., Written]]):
    """How operations are written: with a sign, as a power, or as a call."""

    def __missing__(self, name: str) -> Callable[..., Written]:
        return partial(_call, TABLE[name])


_VOCABULARY = _Vocabulary(
    {
        **{name: partial(_infix, name) for name in ("add", "sub", "mul", "div", "neg")},
        **{name: partial(_infix, name) for name in COMPARISONS},
        "eq": lambda *sides: equation(sides),
        "pow": _power,
    }
)


def _exact(parts: Iterable[Written]) -> bool:
    return all(part.exact for part in parts)


def in_brackets(written: Written, least: int) -> str:
    """The text, in brackets if it binds less tightly than is asked for."""
    return written.text if written.text_strength >= least else f"({written.text})"


@cache
def _template(row: Operation) -> Template:
    return parse_template(row.typeset, row.operands, row.name)


# ---------------------------------------------------------------------------------- larger formulas


def product(factors: Sequence[Written]) -> Written:
    """The factors in a row, with signs between them even where a reader might do without."""
    marks: list[Mark] = []
    for factor in factors:
        loose = factor.mark_strength < RIGHT_OF_A_PRODUCT
        mark = ("fence", "(", factor.mark, ")") if loose else factor.mark
        marks += [("mo", "·"), mark]
    text = " · ".join(in_brackets(factor, RIGHT_OF_A_PRODUCT) for factor in factors)
    mark = ("mrow", *marks[1:])
    return _single(factors) or Written(text, mark, PRODUCT, PRODUCT, _exact(factors))


def total(terms: Sequence[Written]) -> Written:
    """The sum of the terms."""
    marks: list[Mark] = []
    texts = []
    for i, term in enumerate(terms):
        least = PRODUCT if i else SUM
        loose = term.mark_strength < least
        marks += [("mo", "+"), ("fence", "(", term.mark, ")") if loose else term.mark]
        texts.append(in_brackets(term, least))
    mark = ("mrow", *marks[1:])
    return _single(terms) or Written(" + ".join(texts), mark, SUM, SUM, _exact(terms))


def _single(parts: Sequence[Written]) -> Written | None:
    return parts[0] if len(parts) == 1 else None


def route(stations: Sequence[Written]) -> Written:
    """The names of values with arrows between them."""
    marks: list[Mark] = []
    for station in stations:
        marks += [("mo", "→"), station.mark]
    text = " → ".join(station.text for station in stations)
    return Written(text, ("mrow", *marks[1:]), LOOSE, LOOSE)


def words(text: str) -> Written:
    """Words in the place of a formula."""
    return Written(text, ("mtext", text), ATOM, ATOM)


def equation(sides: Iterable[Written]) -> Written:
    """The sides with equals signs between them, `≈` before one that is rounded.

    Sides that look the same are written once.
    """
    distinct: list[Written] = []
    for side in sides:
        if not distinct or (side.text, side.mark) != (distinct[-1].text, distinct[-1].mark):
            distinct.append(side)
    marks: list[Mark] = []
    text = ""
    for side in distinct:
        if len(distinct) > 1 and _is_relation(side.mark):  # v = 3 > 1 = 1 would be read as a chain
            side = Written(f"({side.text})", ("fence", "(", side.mark, ")"), exact=side.exact)
        marks += [("mo", equals(side)), side.mark]
        text += f" {equals(side)} {side.text}"
    mark = ("mrow", *marks[1:])
    return _single(distinct) or Written(text[3:], mark, LOOSE, LOOSE, _exact(distinct))


def _is_relation(mark: Mark) -> bool:
    """Whether it is a comparison or a choice in words."""
    return mark[0] == "mrow" and any(
        (part[0] == "mtext" and " " in part[1])
        or (part[0] == "mo" and part[1] in ("<", ">", "≤", "≥"))
        for part in mark[1:]
    )


def equals(side: Written) -> str:
    """The sign before the side of an equation."""
    return "=" if side.exact else "≈"


def increase(left: Written, by: Written) -> Written:
    """The left side increased by the right one, as Python writes it."""
    mark = ("mrow", left.mark, ("mo", "+="), by.mark)
    return Written(f"{left.text} += {by.text}", mark, LOOSE, LOOSE)


def unequal(left: Written, right: Written) -> Written:
    """Two sides that differ."""
    mark = ("mrow", left.mark, ("mo", "≠"), right.mark)
    return Written(f"{left.text} ≠ {right.text}", mark, LOOSE, LOOSE)


def point(coordinates: Sequence[Written]) -> Written:
    """A point of the plane by its coordinates."""
    text = f"({', '.join(each.text for each in coordinates)})"
    return Written(text, _arguments(coordinates), exact=_exact(coordinates))


def quotient(of: Written, by: Written, place: int | None = None) -> Written:
    """The partial derivative of one name with respect to another.

    With a place, as the operand at that place alone, counted from 0: of `x * x` there are two.
    """
    mark: Mark = ("mfrac", _differential(of), _differential(by))
    text = f"∂{in_brackets(of, ATOM)}/∂{in_brackets(by, ATOM)}"
    if place is not None:
        digit = str(place + 1)
        text += f"|{subscript(digit)}"
        mark = ("msub", ("fence", "", mark, "|"), ("mn", digit))
    return Written(text, mark, POWER, ATOM - 1)


def _differential(name: Written) -> Mark:
    loose = name.mark_strength < POWER
    return ("mrow", ("mo", "∂"), ("fence", "(", name.mark, ")") if loose else name.mark)
