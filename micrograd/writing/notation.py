r"""Formulas as they are shown: in one line of text, and as marks for LaTeX and MathML.

`Formula` holds both. `number` and `named` make the smallest formulas, from a number and from a
label; `operation` and `formula` write operations of the table; `product`, `total`, `equation` and
others join formulas with signs. Brackets are added where an operand binds less tightly than its
place requires, in the text and in the marks separately: where `a / b` needs them, a fraction may
not.

>>> from micrograd.ops import TABLE
>>> w, three = named("w1"), number(-3.0)
>>> written = operation(TABLE["mul"], [w, operation(TABLE["add"], [three, w])])
>>> written.text, latex(written.mark)
('w₁·(-3 + w₁)', 'w_{1} \\cdot (-3 + w_{1})')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from unicodedata import normalize

from micrograd.ops import SERVING, TABLE, Operation
from micrograd.table.formulas import COMPARISONS, Call, Tree, fold, rebuilt
from micrograd.writing import numbers, template
from micrograd.writing.labels import one_line
from micrograd.writing.marks import LETTERS, Mark, latex
from micrograd.writing.names import Symbol, read, subscript, superscript
from micrograd.writing.template import ATOM, CALL, FRACTION, LOOSE, POWER, PRODUCT, SUM

__all__ = ["Formula", "Name", "formula", "latex", "named", "number", "operation"]


@dataclass(slots=True)
class Formula:
    """A formula in one line of text and as a mark, and how tightly each of the two binds.

    It is exact unless a number in it is shown with fewer digits than it has. `is_condition` says
    that it is the name of a condition, which is 1 where it holds and 0 elsewhere.
    """

    text: str
    mark: Mark
    text_strength: int = ATOM
    mark_strength: int = ATOM
    exact: bool = True
    is_condition: bool = False

    def bracketed(self, least: int) -> Formula:
        """The formula in brackets, unless it binds at least as tightly as `least`."""
        if self.text_strength >= least and self.mark_strength >= least:
            return self
        text = self.text if self.text_strength >= least else f"({self.text})"
        mark = self.mark if self.mark_strength >= least else ("fence", "(", self.mark, ")")
        return Formula(text, mark, exact=self.exact)


# ----------------------------------------------------------------------------------------- numbers


def number(x: Any) -> Formula:
    """A number as a formula."""
    text = numbers.number(x)
    digits, e, exponent = text.lstrip("-").partition("e")
    if digits == "inf":
        mark: Mark = ("mo", "∞")
    elif not digits[:1].isdigit():
        mark = ("mtext", digits)
    elif e:
        power: Mark = ("msup", ("mn", "10"), _signed(exponent))
        mark = power if digits == "1" else ("mrow", ("mn", digits), ("mo", "×"), power)
    else:
        mark = ("mn", digits)
    exact = not digits[:1].isdigit() or float(text) == x
    if text.startswith("-"):
        return Formula(text, ("mrow", ("mo", "-"), mark), SUM, SUM, exact)
    if e:  # 1e-7² would be read as a power of 10
        return Formula(text, mark, FRACTION, POWER if digits == "1" else PRODUCT, exact)
    return Formula(text, mark, exact=exact)


def _signed(digits: str) -> Mark:
    if digits.startswith("-"):
        return ("mrow", ("mo", "-"), ("mn", digits[1:]))
    return ("mn", digits)


# ------------------------------------------------------------------------------------------- names


@dataclass(slots=True)
class Name(Formula):
    """The name of a value as a formula; `symbol` is what its label was read as, if it is one."""

    symbol: Symbol | None = None

    def over(self) -> Formula:
        """The name with a bar, as adjoints are written.

        The text is empty unless the name is a single letter, with or without scripts.
        """
        if self.symbol is None:
            return Formula("", ("mover", self.mark, "¯"))
        return Formula(*self.symbol.over())

    def numbered(self, count: int) -> Name:
        """The name of the second, third, … value with this name: x⁽²⁾."""
        if self.symbol is not None:
            return _symbol(self.symbol._replace(above=f"{self.symbol.above}({count})"))
        strength = min(POWER, self.text_strength)
        return Name(
            f"{self.text}{superscript(f'({count})')}", raised(self.mark, count), strength, strength
        )


def raised(mark: Mark, count: int) -> Mark:
    """A mark with a number in brackets as its superscript."""
    return ("msup", mark, ("mrow", ("mo", "("), ("mn", str(count)), ("mo", ")")))


def named(label: str) -> Name:
    r"""The name that a label stands for, as `names.read` finds it; any other label is a word.

    >>> for label in ("w1", "w_{11}", "w[0]", "alpha", "ŷ", "loss", "w * x", "a|b", "损失"):
    ...     print(named(label).text, latex(named(label).mark))
    w₁ w_{1}
    w₁₁ w_{11}
    w₀ w_{0}
    α \alpha
    ŷ \hat{y}
    loss \mathit{loss}
    [w·x] \lbrack\text{w} \cdot \text{x}\rbrack
    a|b \text{a}\vert \text{b}
    损失 \text{损失}
    """
    line = one_line(label)
    found = read(line)
    if isinstance(found, Symbol):
        return _symbol(found)
    if found is not None:
        return Name(*found)
    text = normalize("NFC", line)
    strength = ATOM if text.isidentifier() else LOOSE
    return Name(text, ("mtext", text), strength, strength)


def _symbol(symbol: Symbol) -> Name:
    strength = POWER if symbol.above or symbol.primes else ATOM
    return Name(symbol.text, symbol.mark, strength, strength, symbol=symbol)


# ---------------------------------------------------------------------- operations of the table


def operation(row: Operation, operands: Sequence[Formula]) -> Formula:
    """An operation of these operands: a sign between them, a power, or a call."""
    write = _VOCABULARY.get(row.name)
    return write(*operands) if write else _call(row, *operands)


def cases(
    found: Sequence[tuple[Formula, Formula]], last: Formula | None, texts: Mapping[str, str]
) -> Formula:
    """A list of cases.

    Args:
        found: each formula with its condition; if there are none, the last formula stands alone.
        last: what holds otherwise; None if the conditions leave nothing.
        texts: those of a language for "if", "else", "otherwise" and "next case".
    """
    if last is not None and not found:
        return last
    shown = [f"{value.text}{texts['if']}{test.text}" for value, test in found]
    marks: list[Mark] = [(value.mark, test.mark) for value, test in found]
    exact = all(part.exact for case in found for part in case)
    if last is not None:
        shown.append(f"{last.text}{texts['else']}{texts['otherwise']}")
        marks.append((last.mark, ("mtext", texts["otherwise"])))
        exact = exact and last.exact
    return Formula(f"{{{texts['next case'].join(shown)}}}", ("cases", *marks), exact=exact)


def by_hand(symbol: str, operands: Sequence[Formula]) -> Formula:
    """An operation that is not in the table; only its symbol is known."""
    row = SYMBOLS.get(symbol)
    if row and len(operands) == 2:
        return _VOCABULARY[row](*operands)
    arguments = point(operands)
    mark = ("mrow", named(symbol or "f").mark, arguments.mark)
    text = f"{one_line(symbol) or 'f'}{arguments.text}"
    return Formula(text, mark, CALL, CALL, arguments.exact)


def formula(
    tree: Tree,
    operands: Mapping[str, Formula],
    others: Mapping[str, Callable[..., Formula]] | None = None,
) -> Formula:
    """A formula of the table, with these operands in place of its variables.

    Args:
        tree: the formula.
        operands: what is written in place of its variables.
        others: how operations are written that are not in the table, by their names.
    """
    vocabulary = _Vocabulary({**_VOCABULARY, **others}) if others else _VOCABULARY
    return fold(_with_squares(tree), vocabulary, operands, number)


def _with_squares(tree: Tree) -> Tree:
    """The formula with `x ** 2` in place of `x * x`."""
    found = rebuilt(tree, _with_squares)
    match found:
        case Call("mul", (x, y)) if x == y:
            return Call("pow", (x, 2.0))
    return found


NAMES = {
    "sigmoid": "σ",
    "log": "ln",
    "log2": "log₂",
    "log10": "log₁₀",
    "maximum": "max",
    "minimum": "min",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arsinh",
    "acosh": "arcosh",
    "atanh": "artanh",
    "ndtr": "Φ",
    "sign": "sgn",
    "digamma": "ψ",
}
"""The usual names of functions that the table calls otherwise."""


def name_in_text(name: str) -> str:
    r"""What a function is called in a line of text, by the name of its row.

    A function that is typeset as a Greek letter is called by this letter: Γ for `\Gamma(x)`.

    >>> name_in_text("log"), name_in_text("erf")
    ('ln', 'erf')
    """
    letter = "" if name in SERVING or name not in TABLE else _letter(TABLE[name].typeset)
    return NAMES.get(name) or letter or name


@cache
def _letter(typeset: str) -> str:
    """The letter of a function that is typeset as one; "" for others."""
    found = re.fullmatch(r"\\([A-Za-z]+)\([xyz, ]+\)", typeset)
    return LETTERS.get(found[1], "") if found else ""


SYMBOLS = {"+": "add", "-": "sub", "*": "mul", "/": "div"}
"""The operations that Karpathy's micrograd knows by these signs."""

RELATIONS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠"}
"""How a mathematician writes each comparison."""

_TEXT_SIGNS = {"mul": "·", "div": " / ", "le": " ≤ ", "ge": " ≥ ", "ne": " ≠ "}

# How tightly the whole binds, and the least that is allowed on the right.
_BINDING = {
    "add": (SUM, PRODUCT),
    "sub": (SUM, PRODUCT),
    "mul": (PRODUCT, FRACTION),
    "div": (PRODUCT, POWER),  # x / (2.5·10⁻⁷)
}


def _typeset(row: Operation, parts: Sequence[Formula], text: str, strength: int) -> Formula:
    """An operation with this text, and with marks as the table typesets it."""
    typeset = _template(row)
    mark = typeset.fill([(part.mark, part.mark_strength) for part in parts])
    exact = all(part.exact for part in parts)
    return Formula(text, mark, strength, typeset.strength, exact)


def _infix(name: str, x: Formula, y: Formula) -> Formula:
    row = TABLE[name]
    whole, right = _BINDING.get(name, (LOOSE, SUM))
    sign = _TEXT_SIGNS.get(name) or f" {row.symbol} "
    text = f"{x.bracketed(max(whole, SUM)).text}{sign}{y.bracketed(right).text}"
    return _typeset(row, (x, y), text, whole)


def _negative(x: Formula) -> Formula:
    return _typeset(TABLE["neg"], (x,), f"-{x.bracketed(PRODUCT).text}", SUM)


def _power(base: Formula, exponent: Formula) -> Formula:
    if exponent.text.lstrip("-").isdecimal() and exponent.text.isascii():
        above = superscript(exponent.text)
    else:
        above = f"^{exponent.bracketed(ATOM).text}"
    text = base.bracketed(ATOM).text + above
    return _typeset(TABLE["pow"], (base, exponent), text, POWER)


def _call(row: Operation, *operands: Formula) -> Formula:
    text = f"{name_in_text(row.name)}({', '.join(operand.text for operand in operands)})"
    return _typeset(row, operands, text, CALL)


def _where(test: Formula, then: Formula, otherwise: Formula) -> Formula:
    """A choice: a call in text, and a list of cases as a mark."""
    match test.mark:
        case ("mrow", left, ("mo", sign), right) if sign in _OPPOSITE:
            opposite: Mark = ("mrow", left, ("mo", _OPPOSITE[sign]), right)
            conditions = [test.mark, opposite]
        case _:
            shown = test.bracketed(SUM).mark
            conditions = [("mrow", shown, ("mo", sign), ("mn", "0")) for sign in "≠="]
    called = _call(TABLE["where"], test, then, otherwise)
    mark = ("cases", (then.mark, conditions[0]), (otherwise.mark, conditions[1]))
    return Formula(called.text, mark, CALL, ATOM, called.exact)


_OPPOSITE = {"<": "≥", "≥": "<", ">": "≤", "≤": ">", "=": "≠", "≠": "="}


class _Vocabulary(dict[str, Callable[..., Formula]]):
    """How operations are written: those that are not listed are written as calls."""

    def __missing__(self, name: str) -> Callable[..., Formula]:
        return partial(_call, TABLE[name])


SPELLED_OUT: dict[str, Tree] = {
    "expm1": Call("sub", (Call("exp", ("x",)), 1.0)),
    "log1p": Call("log", (Call("add", (1.0, "x")),)),
    "floordiv": Call("floor", (Call("div", ("x", "y")),)),
}
"""What is written for operations that only programs have."""


def _spelled_out(name: str, *operands: Formula) -> Formula:
    row = TABLE[name]
    shown = formula(SPELLED_OUT[name], dict(zip(row.operands, operands, strict=True)))
    return _typeset(row, operands, shown.text, shown.text_strength)


_ARITHMETIC: dict[str, Callable[..., Formula]] = {
    name: partial(_infix, name) for name in ("add", "sub", "mul", "div", *COMPARISONS)
}
_VOCABULARY = _Vocabulary(
    _ARITHMETIC
    | {"neg": _negative, "where": _where, "eq": lambda *sides: equation(sides), "pow": _power}
    | {name: partial(_spelled_out, name) for name in SPELLED_OUT}
)


@cache
def _template(row: Operation) -> template.Template:
    return template.parse(row.typeset, row.operands, row.name)


# --------------------------------------------------------------------------------- joined formulas


def joined(
    sign: str | Formula,
    parts: Sequence[Formula],
    strength: int = LOOSE,
    first: int = LOOSE,
    others: int = LOOSE,
) -> Formula:
    """The parts with a sign, or with words, between them.

    `first` and `others` say how tightly the parts must bind.
    """
    if len(parts) == 1:
        return parts[0]
    if isinstance(sign, str):
        sign = Formula(f"{'' if sign == ',' else ' '}{sign} ", ("mo", sign))
    shown = [part.bracketed(others if i else first) for i, part in enumerate(parts)]
    text = sign.text.join(part.text for part in shown)
    marks = [mark for part in shown for mark in (sign.mark, part.mark)]
    exact = all(part.exact for part in parts)
    return Formula(text, ("mrow", *marks[1:]), strength, strength, exact)


def product(factors: Sequence[Formula]) -> Formula:
    """The product of the factors, with a sign between any two."""
    return joined("·", factors, PRODUCT, FRACTION, FRACTION)


def total(terms: Sequence[Formula]) -> Formula:
    """The sum of the terms."""
    return joined("+", terms, SUM, SUM, PRODUCT)


def point(coordinates: Sequence[Formula]) -> Formula:
    """A point by its coordinates: `(x, y)`."""
    listed = joined(",", coordinates)
    return Formula(f"({listed.text})", ("fence", "(", listed.mark, ")"), exact=listed.exact)


def words(text: str) -> Formula:
    """Words in place of a formula."""
    return Formula(text, ("mtext", text))


def equation(sides: Iterable[Formula]) -> Formula:
    """The sides with equals signs between them, `≈` before one that is rounded.

    Sides that look the same are written once.
    """
    shown: list[Formula] = []
    for side in sides:
        if not shown or (side.text, side.mark) != (shown[-1].text, shown[-1].mark):
            shown.append(side)
    if len(shown) == 1:
        return shown[0]
    marks: list[Mark] = []
    text = ""
    for side in shown:
        if _is_relation(side.mark):  # v = 3 > 1 = 1 would be read as a chain
            side = Formula(f"({side.text})", ("fence", "(", side.mark, ")"), exact=side.exact)
        marks += [("mo", equals(side)), side.mark]
        text += f" {equals(side)} {side.text}"
    exact = all(side.exact for side in shown)
    return Formula(text[3:], ("mrow", *marks[1:]), LOOSE, LOOSE, exact)


def equals(side: Formula) -> str:
    """The sign before the side of an equation."""
    return "=" if side.exact else "≈"


def _is_relation(mark: Mark) -> bool:
    """Whether it is a comparison or a choice in words."""
    return mark[0] == "mrow" and any(
        (part[0] == "mtext" and " " in part[1])
        or (part[0] == "mo" and part[1] in ("<", ">", "≤", "≥"))
        for part in mark[1:]
    )


def quotient(of: Formula, by: Formula, place: int | None = None, sign: str = "∂") -> Formula:
    """The derivative of one name with respect to another.

    If `place` is given, it is the derivative with respect to the operand at that place alone,
    counted from 0: for `x * x` there are two. With the sign "d" it is a total derivative.
    """
    first: Mark = ("mo" if sign == "∂" else "mtext", sign)
    above, below = (("mrow", first, each.bracketed(POWER).mark) for each in (of, by))
    mark: Mark = ("mfrac", above, below)
    text = f"{sign}{of.bracketed(POWER).text}/{sign}{by.bracketed(POWER).text}"
    if place is not None:
        digit = str(place + 1)
        text += f"|{subscript(digit)}"
        mark = ("msub", ("fence", "", mark, "|"), ("mn", digit))
    return Formula(text, mark, POWER, ATOM - 1)
