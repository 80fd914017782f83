"""Texts in both languages."""

from __future__ import annotations

from typing import NamedTuple

from micrograd.writing.languages import checked


class Words(NamedTuple):
    """A text in English and in Chinese."""

    en: str
    zh: str

    @classmethod
    def same(cls, text: str) -> Words:
        """A text that is the same in both languages, such as a formula."""
        return cls(text, text)

    def within(self, lang: str) -> str:
        """The text in the language `lang`, or in English; ValueError for an unknown language."""
        if lang in self._fields:
            text: str = getattr(self, lang)
            return text
        checked(lang)
        return self.en


LANGUAGES = Words._fields
