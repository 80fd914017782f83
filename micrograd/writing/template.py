r"""Templates from the column `typeset` of the table of operations: LaTeX with places for operands.

A template knows how tightly an operand must bind in each place, so that brackets are added exactly
where they are needed.

>>> from micrograd.writing.marks import latex
>>> template = parse(r"x \cdot y", ("x", "y"), "mul")
>>> a_plus_b = ("mrow", ("mi", "a"), ("mo", "+"), ("mi", "b"))
>>> latex(template.fill([(a_plus_b, SUM), (("mi", "c"), ATOM)]))
'(a + b) \\cdot c'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

from micrograd.table.formulas import FormulaError
from micrograd.writing.marks import FUNCTIONS, LETTERS, OPERATORS, Mark, row

# How tightly a formula binds. An operand that binds less tightly than its place requires is put in
# brackets.
LOOSE, SUM, PRODUCT, FRACTION, POWER, CALL, ATOM = range(7)
ARGUMENT = ATOM + 1  # the place after the name of a function: always in brackets

_TOKEN = re.compile(r"\s*(\\[A-Za-z]+|\\.|[0-9]+(?:\.[0-9]+)?|\S)")
_SIGNS = {command: sign for sign, command in OPERATORS.items()}
_GREEK = {f"\\{name}": letter for name, letter in LETTERS.items()}
_RELATIONS = frozenset("<>=≤≥≠")
_CLOSING = {"(": ")", "|": "|", "[": "]"}


class Template(NamedTuple):
    """A mark with places for operands, and how tightly the whole binds."""

    mark: Mark
    strength: int

    def fill(self, operands: Sequence[tuple[Mark, int]]) -> Mark:
        """The mark with these operands in its places; each comes with how tightly it binds."""
        filled: Mark = _filled(self.mark, operands)
        return filled


def _filled(mark: Any, operands: Sequence[tuple[Mark, int]]) -> Any:
    if not isinstance(mark, tuple):
        return mark
    if mark[0] == "place":
        operand, strength = operands[mark[1]]
        return operand if strength >= mark[2] else ("fence", "(", operand, ")")
    return tuple(_filled(part, operands) for part in mark)


def parse(text: str, operands: Sequence[str], owner: str) -> Template:
    r"""The template of a LaTeX text; FormulaError, with the name of its owner, if it is not one.

    The text may contain letters, numbers, `+ - < > = , ( ) | ^ _ { }`, Greek letters, the names of
    functions, and `\cdot \times \, \le \ge \ne \frac \sqrt \left \right \text \operatorname`.
    """
    parser = _Parser(text, operands, owner)
    marks = parser.sequence("")
    return Template(_bound(marks), _strength(marks))


class _Parser:
    def __init__(self, text: str, operands: Sequence[str], owner: str) -> None:
        self.text, self.operands, self.owner = text, operands, owner
        self.place = 0

    def refuse(self, reason: str) -> NoReturn:
        raise FormulaError(f"operation {self.owner!r}: typeset {self.text!r}: {reason}")

    def next(self) -> str:
        found = _TOKEN.match(self.text, self.place)
        if found is None:
            return ""
        self.place = found.end()
        return found[1]

    def sequence(self, end: str) -> list[Mark]:
        """The marks up to and including the symbol `end`; "" stands for the end of the text."""
        marks: list[Mark] = []
        while (symbol := self.next()) != end:
            if not symbol:
                self.refuse(f"{end!r} is missing")
            if symbol in ("^", "_"):
                if not marks:
                    self.refuse(f"{symbol!r} needs something before it")
                marks[-1] = ("msup" if symbol == "^" else "msub", marks[-1], self.argument())
            else:
                marks.append(self.mark(symbol))
        return marks

    def argument(self) -> Mark:
        symbol = self.next()
        return _bound(self.sequence("}")) if symbol == "{" else _bound([self.mark(symbol)])

    def mark(self, symbol: str) -> Mark:
        if not symbol:
            self.refuse("it ends too early")
        if symbol in self.operands:
            return ("place", self.operands.index(symbol), ATOM)
        if symbol in _CLOSING:
            return ("fence", symbol, _bound(self.sequence(_CLOSING[symbol])), _CLOSING[symbol])
        if symbol in _SIGNS or symbol in ("+", "-", "<", ">", "=", ","):
            return ("mo", _SIGNS.get(symbol, symbol))
        if symbol in _GREEK:
            return ("mi", _GREEK[symbol])
        if symbol[0].isdigit():
            return ("mn", symbol)
        if symbol[0].isalpha():
            return ("mi", symbol)
        match symbol:
            case "{":
                return _bound(self.sequence("}"))
            case r"\left":
                left = self.next()
                return ("fence", left, _bound(self.sequence(r"\right")), self.next())
            case r"\frac":
                return ("mfrac", self.argument(), self.argument())
            case r"\sqrt":
                if self.text.startswith("[", self.place):
                    self.next()
                    degree = _bound(self.sequence("]"))
                    return ("mroot", self.argument(), degree)
                return ("msqrt", self.argument())
            case r"\text" | r"\operatorname" | r"\mathrm":
                return ("mtext" if symbol == r"\text" else "func", self.words())
        if symbol[1:] in FUNCTIONS:
            return ("func", symbol[1:])
        return self.refuse(
            f"{symbol!r} is not known; write \\operatorname{{name}}(x) for a function"
        )

    def words(self) -> str:
        found = re.compile(r"\s*\{([^{}]*)\}").match(self.text, self.place)
        if found is None:
            self.refuse("words need braces")
        self.place = found.end()
        return found[1].replace(r"\_", "_")


# ------------------------------------------------------------------------------------------ binding


def _bound(marks: list[Mark]) -> Mark:
    """The marks in a row, each place with the strength that its neighbours require.

    A sign is added where something is multiplied with a place, since two numbers without a sign
    between them would look like one.
    """
    if not marks:
        return ("mrow",)
    marks = [each for mark, before in zip(marks, [None, *marks], strict=False) for each in (
        (("mo", "·"), mark) if _is_multiplied(before, mark) else (mark,)
    )]  # fmt: skip
    bound = []
    for before, mark, after in zip([None, *marks], marks, [*marks[1:], None], strict=False):
        if mark[0] == "place":
            least = max(_asked(before, on_the_left=True), _asked(after, on_the_left=False))
            mark = (*mark[:2], least)
        bound.append(mark)
    return row(*bound)


def _is_multiplied(before: Mark | None, mark: Mark) -> bool:
    if before is None or "place" not in (before[0], mark[0]):
        return False
    return not {before[0], mark[0]} & {"mo", "mtext"} and not _is_function(before)


def _is_function(mark: Mark) -> bool:
    return bool(mark[0] == "func" or (mark[0] == "msub" and mark[1][0] == "func"))


def _asked(neighbour: Mark | None, *, on_the_left: bool) -> int:
    """How tightly a place must bind beside a neighbour, which is None at the end of a row."""
    match neighbour:
        case None | ("mo", ","):
            return LOOSE
        case ("mo", "+" | "-"):
            return PRODUCT if on_the_left else SUM
        case ("mtext", _) | ("mo", "<" | ">" | "=" | "≤" | "≥" | "≠"):
            return SUM
    if not on_the_left:
        return PRODUCT
    return ARGUMENT if _is_function(neighbour) else FRACTION


def _strength(marks: list[Mark]) -> int:
    """How tightly a row of marks binds: as tightly as its weakest sign."""
    signs = {mark[1] for mark in marks if mark[0] == "mo"}
    if signs & (_RELATIONS | {","}) or any(mark[0] == "mtext" for mark in marks):
        return LOOSE
    if signs & {"+", "-"}:
        return SUM
    if any(map(_is_multiplied, marks, marks[1:])):
        return PRODUCT
    if len(marks) == 1:
        return {"mfrac": FRACTION, "msup": POWER}.get(marks[0][0], ATOM)
    function, *rest = marks
    if len(rest) == 1 and function[0] == "mi" and rest[0][0] == "fence":
        return CALL
    return CALL if len(rest) == 1 and _is_function(function) else PRODUCT
