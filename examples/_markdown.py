"""A companion as a Markdown document, for blogs: formulas in LaTeX, pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from micrograd.derivation.document import as_markdown
from micrograd.writing.marks import latex

from . import _story as story
from ._formulas import pieces, plain, read, sides
from ._phrases import PHRASES
from ._report import Report
from ._rows import Row, summary
from ._words import Words


class Markdown:
    """A companion in one language."""

    def __init__(self, report: Report, lang: str) -> None:
        self.report, self.lang = report, lang

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

    def blocks(self, part: story.Part) -> Iterator[str]:
        """One part of the companion."""
        match part:
            case story.Section(_, title):
                yield f"## {self.say(title)}"
            case story.Prose(words):
                yield self.say(words)
            case story.Bullets(items):
                yield "\n".join(f"- {self.say(item)}" for item in items)
            case story.Display(lines):
                yield f"$$\n{aligned(lines)}\n$$"
            case story.Numbers(rows):
                yield self.numbers(rows)
            case story.Figure():
                yield self.figure(part)
            case story.Matrices():
                yield as_markdown(part.blocks(self.lang)).strip()
            case story.Derivation():
                yield self.figure(part.graph)
                yield as_markdown(part.blocks(self.lang)).strip()
            case story.Page(title, path):
                yield f"[{self.say(title)}]({quote(path.name)}#lang={self.lang})"

    def figure(self, figure: story.Figure) -> str:
        """The picture, and its caption in italics."""
        alt = _escaped(figure.alt.within(self.lang))
        file = quote(self.picture(figure).name)
        return f"![{alt}]({file})\n\n*{self.say(figure.caption)}*"

    def picture(self, figure: story.Figure) -> Path:
        """The file that is shown."""
        return figure.wide[self.lang].path

    def numbers(self, rows: Iterable[Row]) -> str:
        """A table of numbers and their sources."""
        keys = ("what", "source", "expected", "got", "ok")
        heads = [PHRASES[key].within(self.lang) for key in keys]
        lines = [heads, ["---", "---", "---:", "---:", "---"], *map(self._cells, rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def _cells(self, row: Row) -> list[str]:
        verdict = self.say(PHRASES["agrees" if row.agrees else "differs"])
        numbers = (self.say(row.expectation), self.say(row.result))
        return [self.say(row.what), self.origin(row), *numbers, verdict]

    def origin(self, row: Row) -> str:
        """Where a number comes from."""
        origin = self.say(row.origin)
        return f"{origin} ${latex(read(row.formula).mark)}$" if row.formula else origin


class WithImages(Markdown):
    """A companion for media that cannot show mathematics, such as WeChat and Zhihu.

    Figures and formulas are images; those within a sentence are plain text.
    """

    def say(self, words: Words) -> str:
        """A text with its formulas as plain text."""
        return _escaped(plain(words.within(self.lang)))

    def blocks(self, part: story.Part) -> Iterator[str]:
        """One part of the companion."""
        match part:
            case story.Display():
                yield from map(_image, part.images, (read(line).text for line in part.lines))
            case story.Matrices():
                yield from (_image(path, "") for path in part.images)
            case story.Page():
                return  # such media show no other pages
            case story.Derivation():
                yield self.figure(part.graph)
                yield from (_image(path, part.explanation.equations()) for path in part.images)
            case _:
                yield from super().blocks(part)

    def picture(self, figure: story.Figure) -> Path:
        """The file that is shown."""
        return figure.images.get(self.lang, figure.wide[self.lang].path)

    def origin(self, row: Row) -> str:
        """Where a number comes from."""
        return f"{self.say(row.origin)} {_escaped(read(row.formula).text)}".rstrip()


def _image(path: Path, told: str) -> str:
    return f"![{_escaped(' '.join(told.split()))}]({quote(path.name)})"


def aligned(lines: Iterable[str]) -> str:
    """Formulas one below another, aligned at their signs, as LaTeX for math mode."""
    shown = []
    for line in lines:
        left, sign, right = sides(line)
        relation = latex(("mo", sign)) if sign else ""
        shown.append(f"{latex(left)} &{relation} {latex(right)}".strip())
    return "\\begin{aligned}\n" + " \\\\\n".join(shown) + "\n\\end{aligned}"


def _escaped(text: str) -> str:
    """Words in which no character has a meaning for Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", text)
