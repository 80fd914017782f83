"""A schematic under construction: its elements, in the colours of a theme, from the top down.

Lengths are pixels at the width that the reader sees, so that a text of 14 is 14 pixels high. Texts
are placed by the middle of their height. Colours are the names of the fields of a `Theme`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from numbers import Real
from typing import Any, TypeVar

from micrograd.drawing.metrics import BOLD, text_width
from micrograd.drawing.spans import Line, line_width, of_mark, overhang, svg_spans, wrapped
from micrograd.drawing.svg_elements import Point, SvgDrawing, document
from micrograd.drawing.themes import Theme, chosen, following
from micrograd.engine.value import Value
from micrograd.writing import languages
from micrograd.writing.labels import on_one_line, one_line
from micrograd.writing.notation import Formula, named

BODY, SMALL, NAME = 14.0, 12.0, 16.0  # sizes of words, of notes, and of formulas with scripts
MARGIN = 12.0
NARROWEST = 360.0

Words = str | Formula
T = TypeVar("T")
G = TypeVar("G")


class Canvas:
    """What has been drawn, and the words of the language it is drawn in.

    With the theme "auto", the reader's colour scheme chooses between the light and the dark theme.
    """

    def __init__(self, across: float, theme: str | Theme, lang: str) -> None:
        if not isinstance(across, int | float) or not NARROWEST <= across < 1e4:
            raise ValueError(f"width is a number of pixels, at least {NARROWEST:g}; got {across!r}")
        self.width = float(across)
        self.theme = chosen(theme)
        self.lang = languages.checked(lang)
        self.words = languages.words(lang, "schematic")
        self.elements: list[str] = []
        self.symbols: dict[str, str] = {}  # for names that found no room

    def name(self, label: str, room: float, symbol: str) -> Formula:
        """The typeset label, or the symbol if the label does not fit."""
        (name,) = self.names([label], room, [symbol])
        return name

    def names(self, labels: Sequence[str], room: float, symbols: Sequence[str]) -> list[Formula]:
        """The typeset labels, or the symbols for all of them if one label does not fit.

        A line below the drawing says what the symbols stand for.
        """
        names: list[Formula] = [*map(named, labels)]
        short: list[Formula] = [*map(named, symbols)]
        if all(
            breadth(x, NAME) <= max(room, breadth(s, NAME))
            for x, s in zip(names, short, strict=True)
        ):
            return names
        self.symbols |= dict(zip(symbols, labels, strict=True))
        return short

    def drawing(
        self, subject: str, title: str, seen: str | Sequence[str], height: float
    ) -> SvgDrawing:
        """The finished schematic, with one or several sentences that say what is seen."""
        language = languages.words(self.lang, "language")
        told = [seen] if isinstance(seen, str) else [*seen]
        for symbol, label in self.symbols.items():
            name, symbol_ = named(label), named(symbol)
            height = self.paragraph(
                height - 2.0, [symbol_, "\u00a0= ", *_in_lines(name, self.width)]
            )
            height += 6.0
            told.append(f"{symbol_.text} = {name.text}{self.words['stop']}")
        description = self.words["between"].join(told)
        more = f' lang="{language["tag"]}"'
        svg = document((self.width, height), self.theme.paper, self.elements, more)
        return SvgDrawing(subject, following(svg, self.theme), title, description)

    def paint(self, fill: str = "none", line: str = "none") -> str:
        """The attributes for the colours of an element."""
        fill = "none" if fill == "none" else getattr(self.theme, fill)
        stroke = "" if line == "none" else f' stroke="{getattr(self.theme, line)}"'
        return f' fill="{fill}"{stroke}'

    # --------------------------------------------------------------------------------------- texts

    def text(
        self,
        at: Point,
        words: Words | Line,
        color: str = "ink",
        *,
        size: float = BODY,
        anchor: str = "middle",
        bold: bool = False,
    ) -> None:
        """Draw words or a formula; `anchor` says which part of it is at the point."""
        x, y = at
        if not isinstance(words, str):
            beyond = overhang(_line_of(words), size)
            x += {"start": 0.0, "middle": beyond / 2, "end": beyond}[anchor]
        more = ' font-weight="bold"' if bold else ""
        more += f' text-anchor="{anchor}"' if anchor != "start" else ""
        self.elements.append(
            f'<text x="{_short(x)}" y="{_short(y + 0.36 * size)}" font-size="{_short(size)}"'
            f"{more}{self.paint(fill=color)}>{content(words, size)}</text>"
        )

    def paragraph(self, top: float, words: Sequence[Words], color: str = "ink") -> float:
        """Draw words and formulas from the left margin on, broken into lines; return the bottom."""
        for line in broken(words, self.width - 2 * MARGIN):
            x = MARGIN
            for piece in line:
                size = size_of(piece)
                self.text((x, top + 11.0), piece, color, size=size, anchor="start")
                x += breadth(piece, size)
            top += 22.0
        return top

    def formulas(self, top: float, formulas: Sequence[Formula]) -> float:
        """Draw formulas one below another, broken at their signs; return the bottom."""
        for formula in formulas:
            lines = wrapped(of_mark(formula.mark), self.width - 2 * MARGIN - 16.0, NAME)
            for i, line in enumerate(lines):
                x = MARGIN + (16.0 if i else 0.0)
                self.text((x, top + 13.0), line, size=NAME, anchor="start")
                top += 26.0
        return top

    # -------------------------------------------------------------------------------------- shapes

    def line(
        self,
        points: Sequence[Point],
        color: str = "line",
        *,
        pen: float = 1.4,
        dashes: str = "",
        tip: bool = False,
    ) -> None:
        """Draw a line through the points; `tip` makes it an arrow."""
        points = list(points)
        if tip:
            points[-1] = self._tip(points[-2], points[-1], color)
        more = f' stroke-dasharray="{dashes}"' if dashes else ""
        path = "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points)
        self.elements.append(
            f'<path d="{path}"{self.paint(line=color)} stroke-width="{_short(pen)}"{more} '
            'stroke-linejoin="round"/>'
        )

    def _tip(self, start: Point, end: Point, color: str) -> Point:
        """Draw the tip of an arrow, and return where its line ends."""
        along = complex(*end) - complex(*start)
        along /= abs(along) or 1.0
        back = complex(*end) - 8.0 * along
        corners = [complex(*end), back + 3.6j * along, back - 3.6j * along]
        points = " ".join(f"{_short(each.real)},{_short(each.imag)}" for each in corners)
        self.elements.append(f'<polygon points="{points}"{self.paint(fill=color)}/>')
        return back.real, back.imag

    def circle(
        self, at: Point, radius: float, line: str = "none", fill: str = "paper", pen: float = 1.4
    ) -> None:
        """Draw a circle."""
        x, y = map(_short, at)
        self.elements.append(
            f'<circle cx="{x}" cy="{y}" r="{_short(radius)}"{self.paint(fill, line)} '
            f'stroke-width="{_short(pen)}"/>'
        )

    def box(
        self, corner: Point, size: Point, line: str = "none", fill: str = "paper", round_: float = 0
    ) -> None:
        """Draw a rectangle, given its upper left corner."""
        (x, y), (across, down) = corner, size
        self.elements.append(
            f'<rect x="{_short(x)}" y="{_short(y)}" width="{_short(across)}" '
            f'height="{_short(down)}" rx="{_short(round_)}"{self.paint(fill, line)}/>'
        )


def _short(x: float) -> str:
    return f"{x:.1f}".removesuffix(".0")


def number(x: Any) -> float:
    """The number of a Value, or a plain number of any type, such as one of NumPy."""
    return float(x.data if isinstance(x, Value) else x)


def digits(x: Any, count: int = 4) -> str:
    """A number rounded to significant digits, with a minus sign that is as wide as +."""
    data = x.data if isinstance(x, Value) else x
    if not isinstance(data, Real):
        return one_line(str(data))
    text = f"{data:.{count}g}"
    mantissa, e, exponent = text.partition("e")
    text = f"{mantissa}e{int(exponent)}" if e else mantissa
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


# ------------------------------------------------------------------------------------ typeset texts


def content(words: Words | Line, size: float) -> str:
    """The content of an element `text`."""
    if isinstance(words, str):
        return escape(on_one_line(words), quote=False)
    return svg_spans(_line_of(words), lambda _: "", size)


def _line_of(words: Formula | Line) -> Line:
    return of_mark(words.mark) if isinstance(words, Formula) else words


def breadth(words: Words | Line, size: float = BODY, *, bold: bool = False) -> float:
    """The width of a text."""
    if isinstance(words, str):
        return text_width(on_one_line(words), size) * (BOLD if bold else 1.0)
    return line_width(_line_of(words), size)


def size_of(words: Words) -> float:
    """The default size of a text: scripts of a formula must be legible."""
    return BODY if isinstance(words, str) else NAME


# No line begins with a stop or a closing bracket.
_PIECES = re.compile(r"(?:[\u2e80-\uffff]|[^\s\u2e80-\uffff]+)[，。：；、）！？]*\s*|\s+")


def broken(words: Sequence[Words], room: float) -> list[list[Words]]:
    """Words and formulas in lines of at most that width."""
    lines: list[list[Words]] = [[]]
    free = room
    for each in words:
        pieces: list[Words] = _PIECES.findall(each) if isinstance(each, str) else [each]
        for piece in pieces:
            across = breadth(piece, size_of(piece))
            if across > free and lines[-1]:
                lines.append([])
                free = room
            if isinstance(piece, str) and lines[-1] and isinstance(lines[-1][-1], str):
                lines[-1][-1] += piece
            else:
                lines[-1].append(piece)
            free -= across
    return lines


def _in_lines(name: Formula, width: float) -> list[Words]:
    """A name as words, between which a line may break, or as it is typeset."""
    room = width - 2 * MARGIN - 50.0
    if name.mark[0] == "mtext" and all(breadth(w) <= room for w in name.text.split()):
        return [name.text]
    return [name if breadth(name, NAME) <= room else shortened(name.text, room, BODY)]


def abridged(things: Sequence[T], most: int, between: G) -> list[T | G]:
    """The things, or of more than `most` the first and the last, with what stands for others."""
    if len(things) <= most:
        return [*things]
    return [*things[: most - 2], between, things[-1]]


def shared(needed: Sequence[float], room: float) -> list[float]:
    """The widths that are needed; if there is too little room, the widest get less."""
    left, given = room, [*needed]
    for count, (each, i) in enumerate(sorted((each, i) for i, each in enumerate(needed))):
        given[i] = min(each, max(left, 0.0) / (len(needed) - count))
        left -= given[i]
    return given


def shortened(text: str, room: float, size: float) -> str:
    """The text, or as much of its beginning as has room, and `…`."""
    if breadth(text, size) <= room:
        return text
    while text and breadth(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text}…"
