"""Identifiers for the names of values: letters, digits and underscores, none of them taken."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from itertools import count

from micrograd.ops import STOPPING, TABLE
from micrograd.source.language import Language
from micrograd.source.substitutes import SUBSTITUTES


class Identifiers:
    """Gives out names that a language accepts, each of them once.

    Args:
        language: the language.
        is_plain: whether identifiers have letters from a to z only.
    """

    def __init__(self, language: Language, *, is_plain: bool = False) -> None:
        self.is_plain = is_plain
        functions = map(language.function_name, (*TABLE, *STOPPING, *SUBSTITUTES))
        self._taken = {*language.words, *functions, *TABLE}

    def new(self, name: str, fallback: str = "v") -> str:
        """An identifier that is like a name; `fallback` if the name has no letters or digits."""
        text = "".join(map(_plain, name)) if self.is_plain else name
        text = unicodedata.normalize("NFKC", text)
        text = re.sub(r"\W+|_+", "_", text).strip("_") or fallback
        if not text[0].isalpha() or not text.isidentifier():
            text = f"{fallback}{text}" if text[0].isdigit() else fallback
        found = text
        for number in count(2):
            if found not in self._taken:
                break
            found = f"{text}_" if number == 2 else f"{text}_{number - 1}"
        self._taken.add(found)
        return found

    def numbered(self, letter: str) -> Iterator[str]:
        """Names with numbers: t1, t2 and so on."""
        for number in count(1):
            if f"{letter}{number}" not in self._taken:
                self._taken.add(f"{letter}{number}")
                yield f"{letter}{number}"


def _plain(letter: str) -> str:
    """A letter in ASCII: α as alpha, é as e, and others by their number."""
    if letter.isascii():
        return letter
    greek = re.fullmatch(
        r"GREEK (SMALL|CAPITAL) LETTER (?:\w+ )*?(\w+)", unicodedata.name(letter, "")
    )
    if greek:
        return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
    base = unicodedata.normalize("NFKD", letter)
    if base[0].isascii():
        return "".join(each for each in base if each.isascii())
    return f"u{ord(letter):x}" if letter.isalnum() else "_"


def variables_of(text: str, known: Collection[str]) -> list[str]:
    """The names in the text of a formula that are not operations, in order of appearance."""
    words = re.findall(r"(?<![\w.])[^\W\d]\w*", unicodedata.normalize("NFKC", text))
    return [*dict.fromkeys(word for word in words if word not in known)]


def comment(text: str) -> str:
    r"""A text for one line of comment, which no character and no trigraph of C can prolong.

    >>> comment("x\n*/ ??/ \u202e")
    'x */ ? ?/'
    """
    visible = "".join(each if each.isprintable() else " " for each in text)
    return visible.replace("\\", "/").replace("??", "? ?").strip()
