r"""Formulas as trees of marks, printed as LaTeX and as MathML.

A mark is a tuple. Its first element says what it is, by the name of the element in MathML if there
is one:

    ("mi", "x")  ("mn", "2")  ("mo", "+")  ("mtext", "words")   text
    ("func", "tanh")                                            the name of a function
    ("mrow", a, b, …)  ("msqrt", a)                             marks in a row; under a root
    ("mfrac", a, b)  ("msup", a, b)  ("msub", a, b)             a over b; b raised; b lowered
    ("msubsup", a, b, c)                                        b lowered, and c raised above it
    ("mover", a, "¯")                                           an accent
    ("munderover", ("mo", "∑"), a, b)                           a sign with limits
    ("fence", "(", a, ")")                                      brackets that grow with a
    ("cases", (a, condition), …)                                a choice; or its lines (a,), …
    ("matrix", (a, b, …), …)                                    rows of entries in brackets
    ("gap",)                                                    a wide space

>>> half = ("mfrac", ("mn", "1"), ("mn", "2"))
>>> latex(("mrow", half, ("mo", "·"), ("mi", "x")))
'\\frac{1}{2} \\cdot x'
>>> mathml(half)
'<mfrac><mn>1</mn><mn>2</mn></mfrac>'
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any
from unicodedata import category, normalize

Mark = tuple[Any, ...]

GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
    " upsilon phi chi psi omega"
).split()
LETTERS = dict(zip(GREEK, "αβγδεζηθικλμνξπρστυφχψω", strict=True)) | {
    name.capitalize(): letter
    for name, letter in zip(
        "gamma delta theta lambda xi pi sigma phi psi omega".split(), "ΓΔΘΛΞΠΣΦΨΩ", strict=True
    )
}
OPERATORS = {
    "·": r"\cdot",
    "×": r"\times",
    "≤": r"\le",
    "≥": r"\ge",
    "≠": r"\ne",
    "∂": r"\partial",
    "≈": r"\approx",
    "…": r"\dots",
    "∞": r"\infty",
    "|": r"\vert",
    "→": r"\to",
    "←": r"\leftarrow",
    "⇒": r"\Rightarrow",
    "∈": r"\in",
    "±": r"\pm",
    "⊙": r"\odot",
    "⊤": r"\top",
    "∑": r"\sum",
    "′": r"\prime",
    "⋯": r"\cdots",
    "⋮": r"\vdots",
    "⋱": r"\ddots",
    " ": r"\,",
}
ACCENTS = {"¯": "bar", "^": "hat", "~": "tilde", "˙": "dot", "¨": "ddot"}
# What MathML draws: a macron would cover the letter, and a caret grow to the letter's width.
DRAWN_ACCENTS = {"¯": "‾", "^": "ˆ"}
FUNCTIONS = frozenset(
    "max min ln log exp sin cos tan arcsin arccos arctan sinh cosh tanh".split()  # LaTeX's own
)

_COMMANDS = {letter: f"\\{name}" for name, letter in LETTERS.items()} | OPERATORS
_SPACED = frozenset("+-−=·×<>≤≥≠≈→←⇒∈±⊙")
# In Markdown a bare "<" might begin a tag.
_MARKDOWN = {"<": r"\mathrel{<}", ">": r"\mathrel{>}", ",": ", "}
_TALL = ("mfrac", "msqrt", "mroot", "cases", "matrix")


def row(*marks: Mark) -> Mark:
    """The marks one after the other."""
    return marks[0] if len(marks) == 1 else ("mrow", *marks)


# -------------------------------------------------------------------------------------------- LaTeX


def latex(mark: Mark) -> str:
    """The mark in LaTeX with amsmath, as KaTeX and MathJax read it too."""
    return re.sub(r"  +", " ", _latex(mark)).strip()


def _latex(mark: Mark) -> str:
    tag, *parts = mark
    match tag:
        case "mi":
            return _identifier(parts[0])
        case "mn":
            return str(parts[0])
        case "mo":
            sign = _COMMANDS.get(parts[0], parts[0].replace("−", "-"))
            sign = _MARKDOWN.get(sign, sign)
            return f" {sign} " if parts[0] in _SPACED else sign
        case "mtext":
            return latex_text(parts[0])
        case "func":
            name = parts[0]
            if name in FUNCTIONS:
                return f"\\{name}"
            return rf"\operatorname{{{latex_word(name)}}}".replace("_", r"\_")
        case "mrow":
            signs = zip(parts, _is_prefix([("mo", "("), *parts]), strict=True)
            shown = ["-" if is_prefix else _latex(part) for part, is_prefix in signs]
            return _joined(shown) if shown else ""
        case "mfrac":
            return rf"\frac{{{latex(parts[0])}}}{{{latex(parts[1])}}}"
        case "msqrt":
            return rf"\sqrt{{{latex(parts[0])}}}"
        case "mroot":
            return rf"\sqrt[{latex(parts[1])}]{{{latex(parts[0])}}}"
        case "msup" | "msub":
            base = _latex(parts[0]).strip()
            if parts[0][0] in ("msup", "msub", "msubsup"):
                base = f"{{{base}}}"
            return f"{base}{'^' if tag == 'msup' else '_'}{{{latex(parts[1])}}}"
        case "msubsup":
            base, below, above = map(latex, parts)
            return f"{base}_{{{below}}}^{{{above}}}"
        case "mover":
            command = ACCENTS[parts[1]]
            if command == "bar" and not (parts[0][0] == "mi" and len(parts[0][1]) == 1):
                command = "overline"
            return rf"\{command}{{{latex(parts[0])}}}"
        case "munderover":
            sign, below, above = parts
            return rf"{_latex(sign)}_{{{latex(below)}}}^{{{latex(above)}}} "
        case "fence":
            return _fenced(*parts)
        case "cases" | "matrix":
            kind, comma = ("cases", ",") if tag == "cases" else ("pmatrix", "")
            lines = [f"{comma} & ".join(map(latex, entries)) for entries in parts]
            return rf"\begin{{{kind}}} " + r" \\ ".join(lines) + rf" \end{{{kind}}}"
        case "gap":
            return r"\quad "
    raise ValueError(f"{tag!r} is not a mark")


def _is_prefix(marks: Sequence[Mark]) -> Iterator[bool]:
    """For each mark but the first, whether it is a minus sign after a sign, as in `(0, -1)`."""
    for before, mark in pairwise(marks):
        yield mark in _MINUS and before[0] == "mo" and before[1] in _BEFORE_MINUS


_MINUS = (("mo", "-"), ("mo", "−"))
_BEFORE_MINUS = _SPACED | {","}


def _joined(pieces: list[str]) -> str:
    """The pieces in a row, with a space between a control word and a letter that follows."""
    text, pieces[0] = "", pieces[0].strip()
    for piece in pieces:
        if re.search(r"\\[A-Za-z]+$", text) and piece[:1].isalpha():
            text += " "
        text += piece
    return text


def _identifier(name: str) -> str:
    if name in _COMMANDS:
        return _COMMANDS[name]
    if len(name) == 1 and name.isascii():
        return name
    return rf"\mathit{{{name}}}" if name.isascii() else latex_text(name)


def _fenced(left: str, body: Mark, right: str) -> str:
    marks = {"|": r"\vert", "{": r"\{", "[": r"\lbrack", "]": r"\rbrack", "": "."}
    left, right = marks.get(left, left), marks.get(right, right)
    if _is_tall(body) or "." in (left, right):
        return rf"\left{left} {latex(body)} \right{right}"
    return _joined([left, latex(body), right])


def _is_tall(mark: Mark) -> bool:
    return mark[0] in _TALL or any(isinstance(part, tuple) and _is_tall(part) for part in mark[1:])


# Characters that LaTeX, KaTeX and MathJax alike show literally when written this way, and that have
# no meaning for Markdown then. They stand in math mode, as MathJax has no commands within \text.
_LITERAL = {sign: f"\\{sign}" for sign in "{}%#&_"} | {sign: f"{{{sign}}}" for sign in "<>[]"}
_LITERAL |= {"\\": r"\backslash ", "$": r"{\$}", "|": r"\vert ", "*": r"\ast "}
_LITERAL |= {"^": r"\hat{\ }", "~": r"\tilde{\ }", "`": r"\grave{\ }"}
# KaTeX has these only as signs of mathematics.
_SIGNS = "‼ℋℌℐℒℛℨℬℭℰℱℳ↤∉∌∏∐∑∫∬∭∮∯∰∷∹≔≕≘≙≚≛≝≞≟≠⋀⋁⋂⋃⌜⌝⌞⌟⟂⟦⟧⦃⦄⦵⨀⨁⨂⨄⨆⩴"
_LITERAL |= {sign: f"{{{sign}}}" for sign in _SIGNS}
_PLAIN = re.compile(rf"[^\\{{}}$%#&_^~`|<>*\[\]{_SIGNS}]+")


def latex_text(text: str) -> str:
    """Words in a formula, whose characters are all shown literally."""
    text = normalize("NFC", re.sub(r"\s+", " ", text))
    shown, place = "", 0
    while place < len(text):
        if run := _PLAIN.match(text, place):
            shown += rf"\text{{{latex_word(run[0])}}}"
            place = run.end()
        else:
            shown += _LITERAL[text[place]]
            place += 1
    return shown or r"\text{ }"


def latex_word(text: str) -> str:
    r"""Text without special characters, as it is written within `\text`."""
    return "".join(map(_glyph, " " + text, text))


def _glyph(before: str, character: str) -> str:
    kind = category(character)
    if kind in ("Mn", "Me") and not (before.isalpha() and character in _KNOWN_ACCENTS):
        return "\ufffd"
    if kind in ("Cc", "Cs", "Co", "Zl", "Zp", "Cn"):
        return "\ufffd"
    return f"{{{character}}}" if character in "-'," else character  # no ligatures


# The accents that KaTeX can put on a letter; it refuses others.
_KNOWN_ACCENTS = "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u030a\u030b\u030c\u0327"


# ------------------------------------------------------------------------------------------- MathML


MATH_STYLE = (
    'math { font-family: math, "STIX Two Math", "Latin Modern Math", "Cambria Math", '
    '"Noto Sans Math", serif; } '
    "math :is(msub, msup, msubsup, munder, munderover, mroot) > :not(:first-child), "
    "math:not([display]) mfrac > *, :is(mfrac, msub, msup, mtable mtable) mfrac > * "
    "{ font-size: max(0.72em, 11px); } "
    "mo + mtable:last-child > mtr > mtd { text-align: left; } "
)
"""Style for formulas: a font that has the signs, and scripts that can be read."""


def mathml(mark: Mark) -> str:
    """The mark as elements of MathML, without the `<math>` around it."""
    tag, *parts = mark
    match tag:
        case "mrow":
            return f"<mrow>{''.join(_spaced(parts))}</mrow>"
        case "mo" if parts[0] == "⊤":  # as an operator, it would have spaces around it
            return "<mi>⊤</mi>"
        case "mo" if parts[0] in _BRACKETS:
            return _bracket(parts[0])
        case "mi" | "mn" | "mo" | "mtext":
            return f"<{tag}>{html.escape(_mathml_text(*mark))}</{tag}>"
        case "func":
            return f"<mi>{html.escape(parts[0])}</mi>"
        case "mover":
            accent = DRAWN_ACCENTS.get(parts[1], parts[1])
            return f'<mover accent="true">{mathml(parts[0])}<mo>{accent}</mo></mover>'
        case "msub" if parts[0] == ("mo", "∑"):  # below the sign where there is room
            return f"<munder>{mathml(parts[0])}{mathml(parts[1])}</munder>"
        case "fence":
            left, body, right = parts
            grows = _is_tall(body)
            return "<mrow>" + "".join(
                _bracket(part, grows=grows) if isinstance(part, str) else mathml(part)
                for part in (left, body, right)
                if part
            ) + "</mrow>"  # fmt: skip
        case "cases" | "matrix":
            comma, left, right = ("<mo>,</mo>", "{", "") if tag == "cases" else ("", "(", ")")
            lines = (f"{comma}</mtd><mtd>".join(map(mathml, entries)) for entries in parts)
            rows = "".join(f"<mtr><mtd>{line}</mtd></mtr>" for line in lines)
            signs = f"<mo>{left}</mo>", f"<mo>{right}</mo>" if right else ""
            return f"<mrow>{signs[0]}<mtable>{rows}</mtable>{signs[1]}</mrow>"
        case "gap":
            return '<mspace width="1.5em"/>'
    return f"<{tag}>{''.join(map(mathml, parts))}</{tag}>"


def _spaced(marks: Sequence[Mark]) -> Iterator[str]:
    """The marks of a row, with a thin space on either side of the name of a function.

    As in TeX, there is none beside a sign, nor before an opening bracket.
    """
    before: Mark = ("mo", "(")
    for mark, is_prefix in zip(marks, _is_prefix([before, *marks]), strict=True):
        beside = mark[0] == "func" or (before[0] == "func" and mark[0] != "fence")
        if beside and "mo" not in (before[0], mark[0]):
            yield '<mspace width="0.17em"/>'
        yield '<mo form="prefix">−</mo>' if is_prefix else mathml(mark)
        before = mark


_BRACKETS = frozenset("()[]")


def _bracket(sign: str, *, grows: bool = False) -> str:
    # Chromium leaves gaps around brackets that may grow, even if they need not.
    return f"<mo>{sign}</mo>" if grows else f'<mo stretchy="false">{sign}</mo>'


def _mathml_text(tag: str, text: str) -> str:
    if tag == "mo":
        return {"-": "−", " ": "\u2009"}.get(text, text)
    return re.sub(r"^ | $", "\u00a0", text) if tag == "mtext" else text  # MathML trims spaces
