"""All words that readers see, one file for each language: `words("zh", "plot")["loss"]`.

A language is a module of this folder with a table `WORDS` of parts, keys and texts; `{…}` in a text
is the place of a name, a number or a formula. English has every key. Where another language lacks a
text, the English one is shown, so a new language can begin with a few words, and needs no other
change anywhere. The parts `help` and `message` have English texts as keys. A module whose name
begins with `_` is not a language: it holds a long part of one.

Two parts have the names of rows of the table of operations as keys: `note` translates the notes
that the table has in English, and `operation` says what a row is called in a sentence, such as 乘法
for `mul`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from micrograd.writing.languages import en


def languages() -> tuple[str, ...]:
    """The codes of all languages, English first."""
    names = (module.name for module in iter_modules(__path__))
    found = sorted(name for name in names if not name.startswith("_"))
    return ("en", *(name for name in found if name != "en"))


def checked(lang: str) -> str:
    """Return `lang` itself, or raise ValueError if there is no such language."""
    known = languages()
    if lang not in known:
        raise ValueError(f"lang is one of {', '.join(known)}, got {lang!r}")
    return lang


def words(lang: str, part: str) -> Mapping[str, str]:
    """The texts of one part of a language by key; ValueError if there is no such language.

    >>> words("zh", "plot")["loss"]
    '损失'
    """
    own = import_module(f"{__name__}.{checked(lang)}").WORDS.get(part, {})
    english = en.WORDS[part]
    if part == "language":  # an unnamed language is called by its code, not "English"
        english = dict.fromkeys(english, lang)
    return {**english, **own}


def operation_name(row: str, lang: str) -> str:
    """What an operation is called in a sentence, else the name of its row.

    >>> operation_name("mul", "zh"), operation_name("tanh", "zh")
    ('乘法', 'tanh')
    """
    return words(lang, "operation").get(row, row)
