r"""Formulas in the texts of the companions, written as in LaTeX.

`read` knows what the articles need: letters, numbers and signs, scripts, fractions, roots, accents,
sums, brackets, matrices, and words. `pieces` finds formulas between dollar signs in a text.

>>> read(r"\frac{\partial L}{\partial w_1} = 2(\hat{y} - y) x_1").text
'∂L/∂w₁ = 2(ŷ − y)x₁'
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from unicodedata import normalize

from micrograd.writing.marks import ACCENTS, FUNCTIONS, LETTERS, OPERATORS, Mark, row
from micrograd.writing.names import subscript, superscript
from micrograd.writing.notation import Formula

_TOKEN = re.compile(r"\\[A-Za-z]+|\\\\|\\.|\d+(?:\.\d+)?|\s+|.", re.DOTALL)
_SIGNS = {command[1:]: sign for sign, command in OPERATORS.items() if command[1:].isalpha()}
_ACCENTS = {name: sign for sign, name in ACCENTS.items()}
_COMBINING = {"¯": "\u0304", "^": "\u0302", "~": "\u0303", "˙": "\u0307", "¨": "\u0308"}
_OF_COMBINING = {letter: sign for sign, letter in _COMBINING.items()}
_CLOSING = {"(": ")", "[": "]"}


@cache
def read(source: str) -> Formula:
    """Read a formula from LaTeX; ValueError if it contains anything unknown."""
    reader = _Reader(source)
    mark = reader.row("")
    return Formula(text(mark), mark)


def pieces(words: str) -> list[str | Formula]:
    """A text as words and formulas, which stand between dollar signs."""
    parts = words.split("$")
    if len(parts) % 2 == 0:
        raise ValueError(f"a dollar sign has no partner: {words}")
    found = [read(part) if i % 2 else part for i, part in enumerate(parts)]
    return [part for part in found if part != ""]


def plain(words: str) -> str:
    """A text with its formulas in one line, for a terminal or an alternative text."""
    return "".join(piece if isinstance(piece, str) else piece.text for piece in pieces(words))


RELATIONS = frozenset("=≈←→⇒<>≤≥≠")


def sides(source: str) -> tuple[Mark, str, Mark]:
    """The left side of a formula, its first relation sign, and its right side.

    One without a sign has only a left side, and one that begins with a sign only a right side.
    """
    mark = read(source).mark
    marks = mark[1:] if mark[0] == "mrow" else (mark,)
    for i, each in enumerate(marks):
        if each[0] == "mo" and each[1] in RELATIONS:
            return ("mrow", *marks[:i]), each[1], row(*marks[i + 1 :])
    return mark, "", ("mrow",)


class _Reader:
    """Reads a formula piece by piece."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.ahead = _TOKEN.findall(source)[::-1]

    def row(self, end: str) -> Mark:
        """The marks up to a piece, which is consumed too."""
        marks: list[Mark] = []
        while self._next() and self._next() != end:
            marks.append(self._scripted(self._atom()))
        self._expect(end)
        return row(*marks) if marks else ("mrow",)

    def _next(self) -> str:
        """The piece that comes next, after spaces; empty at the end."""
        while self.ahead and self.ahead[-1].isspace():
            self.ahead.pop()
        return self.ahead[-1] if self.ahead else ""

    def _expect(self, piece: str) -> None:
        if piece and self._next() != piece:
            raise ValueError(f"{piece} is missing in the formula {self.source}")
        if piece:
            self.ahead.pop()

    def _argument(self) -> Mark:
        """What stands in braces, or a single piece."""
        if self._next() == "{":
            self.ahead.pop()
            return self.row("}")
        return self._atom()

    def _words(self) -> str:
        """The letters in braces."""
        self._expect("{")
        found = ""
        while self.ahead and self.ahead[-1] != "}":
            found += self.ahead.pop()
        self._expect("}")
        return found

    def _atom(self) -> Mark:
        if not self._next():
            raise ValueError(f"the formula ends too early: {self.source}")
        piece = self.ahead.pop()
        if piece == r"\,":
            return ("mo", " ")
        if piece.startswith("\\"):
            return self._command(piece[1:])
        if piece[0].isdigit():
            return ("mn", piece)
        if piece in _CLOSING:
            return ("fence", piece, self.row(_CLOSING[piece]), _CLOSING[piece])
        if piece == "{":
            return self.row("}")
        letter, *accent = normalize("NFD", piece)
        if accent and accent[0] in _OF_COMBINING:
            return ("mover", ("mi", letter), _OF_COMBINING[accent[0]])
        if piece.isalpha():
            return ("mi", piece)
        if piece in "&}_^$)]":
            raise ValueError(f"{piece} has no place in the formula {self.source}")
        return ("mo", {"*": "·", "-": "−"}.get(piece, piece))

    def _command(self, name: str) -> Mark:
        if name in LETTERS:
            return ("mi", LETTERS[name])
        if name in _SIGNS:
            return ("mo", _SIGNS[name])
        if name in FUNCTIONS:
            return ("func", name)
        if name in _ACCENTS:
            return ("mover", self._argument(), _ACCENTS[name])
        match name:
            case "frac":
                return ("mfrac", self._argument(), self._argument())
            case "sqrt":
                return ("msqrt", self._argument())
            case "text":
                return ("mtext", self._words())
            case "mathit":
                return ("mi", self._words())
            case "operatorname":
                return ("func", self._words())
            case "quad":
                return ("gap",)
            case "begin":
                self._expect_word("pmatrix")
                return self._matrix()
        raise ValueError(f"\\{name} is not known: {self.source}")

    def _expect_word(self, word: str) -> None:
        if self._words() != word:
            raise ValueError(f"only {word} is known after \\begin and \\end: {self.source}")

    def _matrix(self) -> Mark:
        rows: list[list[list[Mark]]] = [[[]]]
        while piece := self._next():
            if piece not in ("&", "\\\\", "\\end"):
                rows[-1][-1].append(self._scripted(self._atom()))
                continue
            self.ahead.pop()
            if piece == "&":
                rows[-1].append([])
            elif piece == "\\\\":
                rows.append([[]])
            else:
                self._expect_word("pmatrix")
                return ("matrix", *(tuple(row(*entry) for entry in line) for line in rows))
        raise ValueError(f"the matrix has no end: {self.source}")

    def _scripted(self, base: Mark) -> Mark:
        scripts: dict[str, Mark] = {}
        while self._next() in ("_", "^", "'"):
            piece = self.ahead.pop()
            scripts["^" if piece == "'" else piece] = (
                ("mo", "′") if piece == "'" else self._argument()
            )
        below, above = scripts.get("_"), scripts.get("^")
        if below and above:
            limits = "munderover" if base == ("mo", "∑") else "msubsup"
            return (limits, base, below, above)
        if below:
            return ("msub", base, below)
        return ("msup", base, above) if above else base


# ------------------------------------------------------------------------------------ plain text

_SPACED = frozenset("+−=≈<>≤≥≠→←⇒±⊙∈")


def text(mark: Mark) -> str:
    """A mark in one line."""
    tag, *parts = mark
    match tag:
        case "mi" | "mn" | "mtext" | "func":
            return str(parts[0])
        case "mo":
            if parts[0] == ",":
                return ", "
            return f" {parts[0]} " if parts[0] in _SPACED else str(parts[0])
        case "mrow":
            return re.sub("  +", " ", "".join(map(text, parts))).strip()
        case "mfrac":
            return "/".join(_bracketed(part) for part in parts)
        case "msqrt":
            return f"√{_bracketed(parts[0])}"
        case "mover":
            return normalize("NFC", text(parts[0]) + _COMBINING[parts[1]])
        case "msub":
            return text(parts[0]) + _script(parts[1], subscript, "_")
        case "msup":
            return text(parts[0]) + _script(parts[1], superscript, "^")
        case "msubsup" | "munderover":
            below, above = _script(parts[1], subscript, "_"), _script(parts[2], superscript, "^")
            return text(parts[0]) + below + above
        case "fence":
            left, body, right = parts
            return f"{left}{text(body)}{right}"
        case "matrix":
            return f"({'; '.join(' '.join(map(text, entries)) for entries in parts)})"
        case "gap":
            return "  "
    raise ValueError(f"{tag!r} is not a mark")


def _bracketed(mark: Mark) -> str:
    shown = text(mark)
    if mark[0] == "mrow" and len(mark) == 3 and mark[1] == ("mo", "∂"):
        return shown
    return shown if mark[0] in ("mi", "mn", "msub", "msup", "mover", "fence") else f"({shown})"


def _script(mark: Mark, write: Callable[[str], str], sign: str) -> str:
    shown = text(mark).replace(" ", "")
    written = shown if shown == "′" else write(shown)
    if shown == "′" or not set(shown) & set(written):
        return written
    return f"{sign}{shown if len(shown) == 1 else f'({shown})'}"
