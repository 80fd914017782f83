"""A text in both languages of the reader."""

from __future__ import annotations

from typing import NamedTuple

from micrograd.writing.languages import checked


class Words(NamedTuple):
    """The same in English and in Chinese."""

    en: str
    zh: str

    @classmethod
    def same(cls, text: str) -> Words:
        """What reads the same in both, such as a formula."""
        return cls(text, text)

    def within(self, lang: str) -> str:
        """The text in the language `lang`, or in English; ValueError for an unknown language."""
        text: str = getattr(self, checked(lang), self.en)
        return text


LANGUAGES = Words._fields
