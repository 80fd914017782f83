"""All words that readers see, one file for each language: `words("zh", "plot")["loss"]`.

A language is a module of this folder with a table `WORDS` of parts, keys and texts; `{…}` in a text
is the place of a name, a number or a formula. English has every key. What another language lacks is
said in English, so a new language can begin with a few words, and needs no other change anywhere.

The notes of the table of operations are in the table, in English; the part `note` of a language
translates them, by the name of the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from micrograd.writing.languages import en


def languages() -> tuple[str, ...]:
    """The languages there are, English first."""
    found = sorted(module.name for module in iter_modules(__path__))
    return ("en", *(name for name in found if name != "en"))


def checked(lang: str) -> str:
    """`lang` itself; ValueError if there is no such language."""
    known = languages()
    if lang not in known:
        raise ValueError(f"lang is one of {', '.join(known)}, got {lang!r}")
    return lang


def words(lang: str, part: str) -> Mapping[str, str]:
    """The texts of one part of the wording by key; ValueError if there is no such language.

    >>> words("zh", "plot")["loss"]
    '损失'
    """
    own = import_module(f"{__name__}.{checked(lang)}").WORDS.get(part, {})
    english = en.WORDS[part]
    if part == "language":  # an unnamed language is called by its code, not "English"
        english = dict.fromkeys(english, lang)
    return {**english, **own}
