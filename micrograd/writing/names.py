r"""The name of a value in a formula, with subscripts: `w1` is w₁, and `损失` a word.

>>> from micrograd.writing.layout import latex
>>> for label in ("w1", "w_{11}", "w[0]", "alpha", "ŷ", "loss", "a|b", "损失"):
...     print(named(label).text, latex(named(label).mark))
w₁ w_{1}
w₁₁ w_{11}
w[0] w_{0}
alpha \alpha
ŷ \hat{y}
loss \mathit{loss}
a|b \text{a}\vert \text{b}
损失 \text{损失}
"""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import normalize

from micrograd.writing.labels import shortened
from micrograd.writing.layout import LETTERS, Mark
from micrograd.writing.template import ATOM, LOOSE, POWER

_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789-()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁽⁾")
_HATS = {"\u0302": "^", "\u0303": "~", "\u0304": "¯", "\u0307": "˙"}

# Characters that would turn around the text beside them.
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_NAME = re.compile(
    r"""(?P<base>(?:[^\W\d_][\u0302-\u0304\u0307]?)+)  # letters, accents
        (?: _?(?P<digits>\d+)                # w1, w_1
          | _\{(?P<braced>\w+(?:,\w+)*)\}     # w_{11}, w_{i,j}
          | _(?P<word>[^\W_]+)                # w_toes
          | (?P<places>(?:\[\d+\])+) )?       # w[0], w[0][1]
    """,
    re.VERBOSE,
)


class Name(NamedTuple):
    """A name on paper: in one line of text, and as a mark."""

    text: str
    mark: Mark
    strength: int
    base: str  # a single letter that a bar may stand over, else ""

    def over(self) -> tuple[str, Mark]:
        """The name with a bar, as adjoints are written; no text unless it is a single letter."""
        text = self.text.replace(self.base, self.base + "\u0304", 1) if self.base else ""
        text = normalize("NFC", text)
        if self.mark[0] == "msub":
            return text, ("msub", ("mover", self.mark[1], "¯"), self.mark[2])
        return text, ("mover", self.mark, "¯")

    def numbered(self, count: int) -> Name:
        """The name of the second, third, … value of this name."""
        text = f"{self.text}{superscript(f'({count})')}"
        power = ("mrow", ("mo", "("), ("mn", str(count)), ("mo", ")"))
        return Name(text, ("msup", self.mark, power), min(POWER, self.strength), self.base)


def superscript(digits: str) -> str:
    """Digits, a minus and brackets, raised."""
    return digits.translate(_SUPERSCRIPTS)


def subscript(digits: str) -> str:
    """Digits, lowered."""
    return digits.translate(_SUBSCRIPTS)


def one_line(label: str) -> str:
    """The label as it can stand in a line of text without harm to the rest of the line."""
    text = re.sub("[\x7f-\x9f\u2028\u2029]", "\ufffd", shortened(label).replace("\n", "↵"))
    return without_turns(text)


def without_turns(text: str) -> str:
    """The text with the numbers of the characters that would turn around the text beside them."""
    return _TURNING.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def named(label: str) -> Name:
    """The name that a label is."""
    text = normalize("NFC", one_line(label))
    found = _NAME.fullmatch(text)
    if found is None:
        return Name(text, ("mtext", text), LOOSE, "")
    base = found["base"]
    mark = _letters(base)
    below = found["digits"] or found["braced"] or found["word"]
    if found["places"]:
        below = ",".join(re.findall(r"\d+", found["places"]))
    if below:
        mark = ("msub", mark, _subscript(below))
    digits = found["digits"] or (found["braced"] or "x")
    if digits.isdecimal() and digits.isascii():
        text = base + subscript(digits)
    return Name(text, mark, ATOM, base if len(base) == 1 and mark[-1] else "")


def _letters(word: str) -> Mark:
    if word in LETTERS:
        return ("mi", LETTERS[word])
    letter, *accents = list(normalize("NFD", word))
    if len(accents) == 1 and letter.isascii() and accents[0] in _HATS:
        return ("mover", ("mi", letter), _HATS[accents[0]])
    if word.isascii() or word in LETTERS.values():
        return ("mi", word)
    return ("mtext", word)


def _subscript(text: str) -> Mark:
    if re.fullmatch(r"[0-9,]+", text):
        return ("mn", text)
    return ("mi", text) if len(text) == 1 and text.isascii() else ("mtext", text)
