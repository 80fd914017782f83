"""A companion as a Markdown document, for blogs: formulas in LaTeX, pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from micrograd.derivation.document import as_markdown
from micrograd.writing.marks import latex

from ._formulas import pieces, read, sides
from ._phrases import PHRASES
from ._report import Report
from ._rows import Row, summary
from ._story import (
    Bullets,
    Derivation,
    Display,
    Figure,
    Matrices,
    Numbers,
    Part,
    Prose,
    Section,
)
from ._words import Words


class Markdown(NamedTuple):
    """A companion in one language."""

    report: Report
    lang: str

    def text(self) -> str:
        """The whole document."""
        report = self.report
        opening = [
            f"# {self.say(report.article.title)}",
            self.say(report.article.claim),
            self.say(summary(report.rows)) + PHRASES["stop"].within(self.lang),
        ]
        parts = (block for part in report.parts for block in self.blocks(part))
        return "\n\n".join([*opening, *parts]) + "\n"

    def say(self, words: Words) -> str:
        """A text with its formulas between dollar signs."""
        return "".join(
            _escaped(piece) if isinstance(piece, str) else f"${latex(piece.mark)}$"
            for piece in pieces(words.within(self.lang))
        )

    def blocks(self, part: Part) -> Iterator[str]:
        """One part of the companion."""
        match part:
            case Section(_, title):
                yield f"## {self.say(title)}"
            case Prose(words):
                yield self.say(words)
            case Bullets(items):
                yield "\n".join(f"- {self.say(item)}" for item in items)
            case Display(lines):
                yield f"$$\n{aligned(lines)}\n$$"
            case Numbers(rows):
                yield self.numbers(rows)
            case Figure():
                yield self.figure(part)
            case Matrices():
                yield as_markdown(part.blocks(self.lang)).strip()
            case Derivation():
                yield self.figure(part.graph)
                yield as_markdown(part.blocks(self.lang)).strip()

    def figure(self, figure: Figure) -> str:
        """The picture, and its caption in italics."""
        alt = _escaped(figure.alt.within(self.lang))
        file = quote(figure.wide[self.lang].path.name)
        return f"![{alt}]({file})\n\n*{self.say(figure.caption)}*"

    def numbers(self, rows: Iterable[Row]) -> str:
        """A table of numbers and their sources."""
        keys = ("what", "source", "expected", "got", "ok")
        heads = [PHRASES[key].within(self.lang) for key in keys]
        lines = [heads, ["---", "---", "---:", "---:", "---"], *map(self._cells, rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cells(self, row: Row) -> list[str]:
        origin = self.say(row.origin)
        if row.formula:
            origin += f" ${latex(read(row.formula).mark)}$"
        verdict = self.say(PHRASES["agrees" if row.agrees else "differs"])
        return [
            self.say(row.what),
            origin,
            self.say(row.expectation),
            self.say(row.result),
            verdict,
        ]


def aligned(lines: Iterable[str]) -> str:
    """Formulas below each other, aligned at their signs, as LaTeX for math mode."""
    shown = []
    for line in lines:
        left, sign, right = sides(line)
        relation = latex(("mo", sign)) if sign else ""
        shown.append(f"{latex(left)} &{relation} {latex(right)}".strip())
    return "\\begin{aligned}\n" + " \\\\\n".join(shown) + "\n\\end{aligned}"


def _escaped(text: str) -> str:
    """Words in which no character has a meaning for Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
