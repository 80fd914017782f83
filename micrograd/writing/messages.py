"""Messages in every language: errors, the report of the gradient checker, lines about files.

They are written in English where they arise, and translated where they are shown. The part
`message` of a language has English templates as keys, such as `"cannot write to {place}: {why}"`;
what stands at the place of a name may be a message, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import itemgetter
from string import Formatter

from micrograd.writing import languages

Templates = list[tuple[re.Pattern[str], str]]

_LONGEST = 60  # letters of a word that may be a name mistyped
_DIGITS = r"\d+"  # at a place such as {line:d}


def message(text: str, lang: str) -> str:
    """A message in a language; what has no translation stays in English.

    Args:
        text: the message in English.
        lang: the language; ValueError if it is unknown.

    >>> message("cannot write to a/b.svg: No such file or directory", "zh")
    '无法写入 a/b.svg：没有这个文件或文件夹'
    """
    return translated(text, _templates(lang))


def translated(text: str, templates: Templates) -> str:
    """A text by templates, as `message` does it by those of a language.

    Args:
        text: the text; without a translation it stays.
        templates: what `compiled` makes of a table.

    >>> translated("wrote 3 files", compiled({"wrote {count:d} files": "写了 {count} 个文件"}))
    '写了 3 个文件'
    """
    if said := _listed(text, "; ", templates):
        return said
    for pattern, translation in templates:
        found = pattern.fullmatch(text)
        if found:
            places = {name: translated(part, templates) for name, part in found.groupdict().items()}
            return translation.format(**places)
    return _listed(text, ", ", templates) or text


def meant(word: str, known: Iterable[str]) -> str:
    """What to append to an error about an unknown word: a suggestion, or nothing.

    Args:
        word: the word.
        known: the words that are known.

    >>> meant("tahn", ["tan", "tanh", "sinh"]), meant("ReLU", ["relu"]), meant("xyz", ["tan"])
    ("; did you mean 'tanh'?", "; did you mean 'relu'?", '')
    """
    if word in (words := [*known]):
        return ""
    typed = str(word).casefold()
    if len(typed) > _LONGEST:
        return ""
    most = len(typed) // 3

    def distance(other: str) -> tuple[int, bool]:
        other = other.casefold()
        return _edits(typed, other), sorted(typed) != sorted(other)

    near = (each for each in words if abs(len(each) - len(typed)) <= most)
    close = [each for each in near if distance(each)[0] <= most]
    if not close and len(typed) > 2:  # perhaps only the beginning
        close = [each for each in words if each.casefold().startswith(typed)]
    best = min(close, key=distance, default=None)
    return "" if best is None else f"; did you mean {best!r}?"


def _edits(word: str, other: str) -> int:
    """How many letters are added, left out or changed, or neighbours exchanged, between words."""
    older: list[int] = []
    before: list[int] = [*range(len(other) + 1)]
    for i, x in enumerate(word):
        row = [i + 1]
        for j, y in enumerate(other):
            row.append(min(before[j] + (x != y), before[j + 1] + 1, row[j] + 1))
            if i and j and (x, word[i - 1]) == (other[j - 1], y):
                row[-1] = min(row[-1], older[j - 1] + 1)
        older, before = before, row
    return before[-1]


def _listed(text: str, mark: str, templates: Templates) -> str:
    """Several messages with a mark between them, if all are translated; otherwise ""."""
    parts = text.split(mark)
    if len(parts) < 2 or not all(parts):
        return ""
    said = [translated(part, templates) for part in parts]
    is_known = all(new != old for new, old in zip(said, parts, strict=True))
    return translated(mark, templates).join(said) if is_known else ""


@lru_cache
def _templates(lang: str) -> Templates:
    return compiled(languages.words(lang, "message"))


def compiled(table: Mapping[str, str]) -> Templates:
    """The templates as patterns with their translations, in the order in which they are tried.

    First come those that begin with a word, then those that have the most words.

    Args:
        table: translations by templates.
    """
    made = []
    for template, translation in table.items():
        pattern, said = "", 0
        for literal, name, form, _ in Formatter().parse(template):
            place = f"(?P<{name}>{_DIGITS if form else '.*?'})" if name else ""
            pattern += re.escape(literal) + place
            said += len(literal)
        rank = template.startswith("{"), -said
        made.append((rank, re.compile(pattern, re.DOTALL), translation))
    made.sort(key=itemgetter(0))
    return [(pattern, translation) for _, pattern, translation in made]
