r"""Names of values, read from labels: a base with an accent, subscripts and superscripts.

`read` reads a label once; what it finds is written as text, with the subscripts and superscripts
that Unicode has, and as marks for LaTeX and MathML:

>>> from micrograd.writing.marks import latex
>>> for label in ("w1", "w^{(1)}_{12}", "y_hat", "theta_0", "x'", "w[0][1]", "w_toes"):
...     name = read(label)
...     print(name.text, latex(name.mark))
w₁ w_{1}
w⁽¹⁾₁₂ w_{12}^{(1)}
ŷ \hat{y}
θ₀ \theta_{0}
x′ x^{\prime}
w₀,₁ w_{0,1}
w_toes w_{\text{toes}}

A label that is an expression is one name, too: it stands upright in square brackets.

>>> read("won * w_won").text, latex(read("x**2 + b").mark)
('[won·w_won]', '\\lbrack\\text{x}^{2} + \\text{b}\\rbrack')

Any other label is a word, for which `read` returns None.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from unicodedata import normalize

from micrograd.writing.marks import LETTERS, Mark, row

_SUBSCRIPTS = dict(
    zip(
        "0123456789+-=()aehijklmnoprstuvxβγρφχ,",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ,",
        strict=True,
    )
)
_SUPERSCRIPTS = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδφχ,",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᵠᵡ,",
        strict=True,
    )
)
_ACCENTS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307", "ddot": "\u0308"}
_OVER = {"\u0302": "^", "\u0303": "~", "\u0304": "¯", "\u0307": "˙", "\u0308": "¨"}


def superscript(text: str) -> str:
    """Digits, letters, signs and brackets as superscripts, where Unicode has them."""
    return "".join(_SUPERSCRIPTS.get(each, each) for each in text)


def subscript(text: str) -> str:
    """Digits, letters, signs and brackets as subscripts, where Unicode has them."""
    return "".join(_SUBSCRIPTS.get(each, each) for each in text)


def indexed(name: str, *places: int) -> str:
    """The label of an entry: `w_1`, `W_{12}`, or `W_{3,12}` if a place has two digits."""
    if not places:
        return name
    if len(places) == 1:
        return f"{name}_{places[0]}"
    return f"{name}_{{{('' if max(places) < 10 else ',').join(map(str, places))}}}"


# ----------------------------------------------------------------------------------------- a symbol


class Symbol(NamedTuple):
    """A base with an accent, primes, subscripts and superscripts; each script is one text."""

    base: str  # letters; a Greek letter for its name
    accent: str = ""  # a combining character
    primes: int = 0
    below: str = ""  # parts with commas between them: "12", "i,j", "toes,1"
    above: str = ""  # such parts, which may be in brackets: "(1)"

    @property
    def text(self) -> str:
        """The name in one line, with the scripts that Unicode has."""
        base = normalize("NFC", self.base + self.accent) + "′" * self.primes
        return f"{base}{_line(self.above, '^', _SUPERSCRIPTS)}{_line(self.below, '_', _SUBSCRIPTS)}"

    @property
    def mark(self) -> Mark:
        """The name as a mark."""
        return self._with(_letters(self.base))

    @property
    def upright(self) -> Mark:
        """The name as a mark in upright letters."""
        return self._with(("mi" if self.base in _GREEK else "mtext", self.base))

    def over(self) -> tuple[str, Mark]:
        """The name with a bar, as text and as a mark; the text is empty over several letters."""
        barred = self._replace(accent=f"{self.accent}\u0304").text if len(self.base) == 1 else ""
        mark = _letters(self.base)
        if self.accent:
            mark = ("mover", mark, _OVER[self.accent])
        return barred, self._replace(accent="")._with(("mover", mark, "¯"))

    def _with(self, base: Mark) -> Mark:
        """The mark with this base."""
        if self.accent:
            base = ("mover", base, _OVER[self.accent])
        primes: list[Mark] = [("mo", "′")] * self.primes
        above = row(*primes, *_script(self.above)) if primes or self.above else None
        below = row(*_script(self.below)) if self.below else None
        if above and below:
            return ("msubsup", base, below, above)
        return ("msub", base, below) if below else ("msup", base, above) if above else base


def _letters(word: str) -> Mark:
    return ("mi" if word.isascii() or word in _GREEK else "mtext", word)


_GREEK = frozenset(LETTERS.values())


def _line(script: str, sign: str, letters: dict[str, str]) -> str:
    """A script in a line of text: `₁₂`, or `_toes` where Unicode has no such letters."""
    short = all(len(part) == 1 or _is_index(part) for part in re.findall(r"\w+", script))
    if short and all(each in letters for each in script):
        return "".join(letters[each] for each in script)
    return f"{sign}{script}" if re.fullmatch(r"\w+|.", script) else f"{sign}{{{script}}}"


def _script(text: str) -> Iterator[Mark]:
    """The marks of a subscript or superscript."""
    if re.fullmatch(r"[0-9,]+", text):
        yield ("mn", text)
        return
    for part in re.findall(r"\w+|\W", text):
        if part.isascii() and part.isdecimal():
            yield ("mn", part)
        elif not part.isalnum() and part != "_":
            yield ("mo", part) if len(part) == 1 else ("mtext", part)
        elif part.isascii() and _is_index(part):
            yield from (("mi", letter) for letter in part)
        else:
            is_letter = len(part) == 1 and (part.isascii() or part in _GREEK)
            yield ("mi" if is_letter else "mtext", part)


def _is_index(part: str) -> bool:
    """Whether letters are separate indices and not a word."""
    return bool(re.fullmatch(r"[0-9]+|[ijk]+", part))


# ------------------------------------------------------------------------------------------ reading


def _typed(letters: dict[str, str]) -> re.Pattern[str]:
    """Runs of scripts that were typed in Unicode."""
    return re.compile(f"[{''.join(letters.values()).replace(',', '')}]+")


_TYPED = [
    (_typed(letters), {script: plain for plain, script in letters.items()}, sign)
    for letters, sign in ((_SUBSCRIPTS, "_"), (_SUPERSCRIPTS, "^"))
]
_END = r"(?![^\W_])"  # of letters and digits
_LETTER = r"[^\W\d_][\u0302-\u0304\u0307\u0308]?"
# Scripts are w1, w_1, w_toes, w_{i,j}, w[0], w['b'], w^{(1)}, w^(1) and w^T. Each of them matches
# in one way only, since a label would take years otherwise.
_NAME = re.compile(
    rf"""(?P<base>(?:{_LETTER})+)(?P<primes>'*)
    (?P<scripts>(?: _?[0-9]+{_END} | _(?![0-9]+{_END})[^\W_]+{_END} | _\{{\w+(?:,\ ?\w+)*\}}
      | \[(?:[0-9]+|'\w+'|"\w+")\]
      | \^(?:\{{[\w(),*+\-\[\]]+\}}|\([\w,]+\)|[^\W_]+{_END}|[*+]) )*)
    (?P<primes_last>'*)""",
    re.VERBOSE,
)
_SCRIPT = re.compile(
    r"""_\{(?P<braced>[^}]*)\} | _?(?P<digits>[0-9]+)(?![^\W_]) | _(?P<word>[^\W_]+)
      | \[['"]?(?P<place>\w+)['"]?\] | \^\{(?P<over>[^}]*)\} | \^(?P<raised>\([^)]*\)|[^\W_]+|.)
      | (?P<more>[0-9]+)""",
    re.VERBOSE,
)


@lru_cache(4096)
def read(label: str) -> Symbol | Expression | None:
    """The name that a label stands for: a symbol, an expression in brackets, or None."""
    text = _in_ascii(label.strip())
    found = _NAME.fullmatch(text)
    if found is not None:
        symbol = _symbol(found)
        if symbol is None or not re.fullmatch(r"[+-]?([0-9]+|[a-z])", symbol.above):
            return symbol
    return _expression(text)


def _in_ascii(label: str) -> str:
    """The label with typed scripts as `_{1}` and `^{(1)}`, and primes as apostrophes."""
    text = normalize("NFC", label)
    for pattern, plain, sign in _TYPED:
        text = pattern.sub(
            lambda run, sign=sign, plain=plain: (  # type: ignore[misc]
                f"{sign}{{{''.join(plain[each] for each in run[0])}}}"
            ),
            text,
        )
    return text.replace("},_{", ",").replace("′", "'")  # x₁,₂


def _symbol(found: re.Match[str]) -> Symbol | None:
    """A symbol, or None if it is rather several words."""
    base = LETTERS.get(found["base"], found["base"])
    letter, *accents = list(normalize("NFD", base))
    accent = ""
    if len(accents) == 1 and accents[0] in _OVER:
        base, accent = letter, accents[0]
    below: list[str] = []
    above: list[str] = []
    words = 0
    for script in _SCRIPT.finditer(found["scripts"]):
        if script["over"] or script["raised"]:
            above.append(script["over"] or script["raised"])
            continue
        part = script["braced"] or script["digits"] or script["word"] or script["place"]
        part = part or script["more"]
        if part in _ACCENTS and len(base) == 1 and not accent:
            accent = _ACCENTS[part]
            continue
        words += len(part) > 1 and part.isalpha() and part not in LETTERS
        below.append(re.sub(r"[^\W\d_]+", lambda word: LETTERS.get(word[0], word[0]), part))
    if len(base) > 1 and words > 1:  # mean_squared_error
        return None
    primes = len(found["primes"] + found["primes_last"])
    return Symbol(base, accent, primes, ",".join(below).replace(" ", ""), ",".join(above))


def typeset(label: str) -> str:
    """Lines of text as pictures show them: names with their scripts, and words as they are."""
    lines = []
    for line in label.split("\n"):
        found = read(line) if line == line.strip() else None
        lines.append(line if found is None else found.text)
    return "\n".join(lines)


# -------------------------------------------------------------------------------------- expressions


class Expression(NamedTuple):
    """An expression that is the name of a value, in brackets."""

    text: str
    mark: Mark


_TOKEN = re.compile(
    rf"(?P<power>(?:\*\*|\^)\ ?-?[0-9]+|\^\{{-?[0-9]+\}})|(?P<name>{_NAME.pattern})"
    r"|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+))"
    r"|(?P<sign>\*\*|[-+*/^·×−,()])|(?P<space>\s+)",
    re.VERBOSE,
)
_HYPHENS = re.compile(r"[^\W\d_]{2,}(?:[-/][^\W\d_]{2,})+")
_SIGNS = {"*": "·", "×": "·", "−": "-", "**": "^"}
# What stands for an operand in the shape of an expression: brackets, a call, a power, a sum.
_OPERAND = re.compile(r"A?\(A(?:,A)*\)|A[p]|-A(?![p(])|A(?:s-?A)+(?![p(])")


def _expression(text: str) -> Expression | None:
    """The expression that the text is, or None; hyphenated words do not count as one."""
    if _HYPHENS.fullmatch(text):  # cross-entropy
        return None
    if text.startswith("[") and text.endswith("]"):  # as it is shown
        text = text[1:-1]
    words: list[str] = []
    marks: list[Mark] = []
    shape, place = "", 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            return None
        place = token.end()
        if token["space"]:
            if shape[-1:] == "A" and text[place : place + 1] not in "*/+-^·×−,)":
                return None
            continue
        kind, mark, shown = _token(token, unary=shape[-1:] not in ("A", "p", ")"))
        if token["power"] and marks:
            marks[-1] = ("msup", marks[-1], mark)
        else:
            marks.append(mark)
        shape += kind
        words.append(shown)
    while (reduced := _OPERAND.sub("A", shape)) != shape:
        shape = reduced
    if shape != "A" or not any(word[0].isalpha() for word in words):
        return None
    if words[0] == "(" and words[-1] == ")" and _encloses(words):
        words, marks = words[1:-1], marks[1:-1]
    return Expression(f"[{''.join(words)}]", ("fence", "[", row(*marks), "]"))


def _token(token: re.Match[str], *, unary: bool) -> tuple[str, Mark, str]:
    """The shape, the mark and the text of one token."""
    if power := token["power"]:
        exponent = power.strip("*^{} ")
        return "p", row(*_script(exponent)), superscript(exponent)
    if token["name"]:
        symbol = _symbol(token)
        name = token["name"]
        shown = symbol or Symbol(name)
        return "A", shown.upright, shown.text
    if number := token["number"]:
        return "A", ("mn", number), number
    sign = _SIGNS.get(token["sign"], token["sign"])
    if sign in "(),":
        return sign, ("mo", sign), f"{sign} " if sign == "," else sign
    if sign in "+-" and unary:
        return "-", ("mo", sign), sign
    return "s", ("mo", sign), f" {sign} " if sign in "+-" else sign


def _encloses(words: list[str]) -> bool:
    """Whether the first bracket closes at the end."""
    depth = 0
    for i, word in enumerate(words):
        depth += (word == "(") - (word == ")")
        if not depth:
            return i == len(words) - 1
    return False
