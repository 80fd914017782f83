r"""A companion as a LaTeX document for XeLaTeX, with its pictures as files beside it.

A Chinese document needs the package `ctex`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple
from unicodedata import normalize

from micrograd.derivation.document import (
    Block,
    Heading,
    Paragraph,
    Sentence,
    TableBlock,
    as_aligned,
)
from micrograd.writing.marks import LETTERS, OPERATORS, latex

from . import _story as story
from ._formulas import pieces, read
from ._markdown import aligned
from ._phrases import PHRASES
from ._report import Report
from ._rows import Row, summary
from ._words import Words

_CLASS = {"zh": "ctexart"}
_OPENING = r"""\documentclass{%s}
\usepackage{amsmath, amssymb, graphicx, longtable}
\usepackage[margin=25mm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{6pt}
\title{%s}
\author{}
\date{}
\begin{document}
\maketitle
"""


class Latex(NamedTuple):
    """A companion in one language."""

    report: Report
    lang: str

    def text(self) -> str:
        """The whole document."""
        report = self.report
        opening = _OPENING % (
            _CLASS.get(self.lang, "article"),
            self.say(report.article.title),
        )
        tally = self.say(summary(report.rows)) + PHRASES["stop"].within(self.lang)
        parts = (block for part in report.parts for block in self.blocks(part))
        blocks = [self.say(report.article.claim), tally, *parts]
        return opening + "\n" + "\n\n".join(blocks) + "\n\\end{document}\n"

    def say(self, words: Words) -> str:
        """A text with its formulas in math mode."""
        return _inline(tuple(pieces(words.within(self.lang))))

    def blocks(self, part: story.Part) -> Iterator[str]:
        """One part of the companion."""
        match part:
            case story.Section(_, title):
                yield rf"\section*{{{self.say(title)}}}"
            case story.Prose(words):
                yield self.say(words)
            case story.Bullets(items):
                listed = "\n".join(rf"\item {self.say(item)}" for item in items)
                yield f"\\begin{{itemize}}\n{listed}\n\\end{{itemize}}"
            case story.Display(lines):
                yield f"\\[\n{aligned(lines)}\n\\]"
            case story.Numbers(rows):
                yield self.numbers(rows)
            case story.Figure():
                yield from self.figure(part)
            case story.Matrices():
                yield from map(_block, part.blocks(self.lang))
            case story.Derivation():
                yield from self.figure(part.graph)
                yield from map(_block, part.blocks(self.lang))

    def figure(self, figure: story.Figure) -> Iterator[str]:
        """The picture as PNG, and its caption; only the caption if no PNG could be drawn."""
        if self.lang in figure.images:
            file, width = figure.images[self.lang].name, figure.wide[self.lang].width
            share = min(1.0, width / 700)
            yield (
                "\\begin{center}\n"
                rf"\includegraphics[width={share:.2f}\textwidth]{{{file}}}" + "\n"
                rf"\par\small {self.say(figure.caption)}" + "\n\\end{center}"
            )
        else:
            yield self.say(figure.caption)

    def numbers(self, rows: Iterable[Row]) -> str:
        """A table of numbers and their sources."""
        keys = ("what", "source", "expected", "got", "ok")
        heads = [_escaped(PHRASES[key].within(self.lang)) for key in keys]
        widths = r"p{0.30\textwidth}p{0.22\textwidth}rrl"
        return _table(widths, [heads, *map(self._cells, rows)])

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


def _table(columns: str, rows: list[list[str]]) -> str:
    head, *body = (" & ".join(row) + r" \\" for row in rows)
    # The head stands on every page that the table reaches, and never without a row below it.
    opening = rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}"
    lines = [opening, head, r"\hline", r"\endhead", *body]
    return "\n".join([r"{\footnotesize\setlength{\tabcolsep}{4pt}", *lines, r"\end{longtable}}"])


def _block(block: Block) -> str:
    """A part of a derivation."""
    match block:
        case Heading(words):
            return rf"\subsection*{{{_inline(words)}}}"
        case Paragraph():
            return _inline(block.words)
        case TableBlock(headers, rows):
            lines = [[_escaped(each) for each in headers]]
            lines += [[_inline((cell,)) for cell in row] for row in rows]
            return _table("l" * len(headers), lines)
    return f"\\[\n{as_aligned([block])}\n\\]"


def _inline(words: Sentence) -> str:
    return "".join(
        _escaped(word) if isinstance(word, str) else f"${latex(word.mark)}$" for word in words
    )


_SPECIAL = {sign: f"\\{sign}" for sign in "{}%#&_$"}
_SPECIAL |= {"\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}"}
_SPECIAL |= {"<": "$<$", ">": "$>$", "−": "$-$", "²": "$^2$", "³": "$^3$"}
_SPECIAL |= {sign: f"${command}$" for sign, command in OPERATORS.items() if sign not in " |…"}
_SPECIAL |= {letter: f"$\\{name}$" for name, letter in LETTERS.items()}


def _escaped(text: str) -> str:
    """Words in which every character is shown literally, signs of mathematics in math mode."""
    return "".join(_SPECIAL.get(each, each) for each in normalize("NFC", text)).replace(
        "ŷ", r"$\hat{y}$"
    )
