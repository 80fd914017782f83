"""Marks set in two dimensions: fractions, roots, scripts, limits, matrices and tall brackets.

A `Setting` is what a mark takes up around its base line, and the letters and lines that are drawn
there. The places are those of a real font (`metrics`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from unicodedata import normalize

from micrograd.drawing.metrics import text_width
from micrograd.drawing.spans import COMBINING
from micrograd.writing.labels import without_turns
from micrograd.writing.marks import Mark

_SMALL, _LEAST = 0.72, 11.0  # the size of scripts, and of the smallest letters in pixels
_ASCENT, _DESCENT, _AXIS = 0.78, 0.24, 0.32  # of a line, and how high fraction bars are, in ems
_TOUCHING = 0.02  # by how much the spaces around scripts above each other may overlap, in ems
_RULE = 0.055  # how thick lines are, in ems
_SPACE = {"=": 0.3, "≈": 0.3, "<": 0.3, ">": 0.3, "≤": 0.3, "≥": 0.3, "≠": 0.3, "→": 0.3}
_SPACE |= {"←": 0.3, "⇒": 0.3, "∈": 0.3}
_SPACE |= {"+": 0.22, "−": 0.22, "+=": 0.3, "·": 0.14, "×": 0.14, "⊙": 0.18}


class Run(NamedTuple):
    """Letters at a place."""

    x: float
    y: float
    text: str
    size: float
    width: float
    italic: bool
    color: str


class Stroke(NamedTuple):
    """A line; the points of the path are from the left end of the base line."""

    path: tuple[tuple[str, tuple[float, ...]], ...]  # commands of SVG with their coordinates
    pen: float


class Setting(NamedTuple):
    """What a mark takes up around its base line, and what is drawn."""

    width: float
    ascent: float
    descent: float
    parts: tuple[Run | Stroke, ...] = ()

    @property
    def height(self) -> float:
        """From the top to the bottom."""
        return self.ascent + self.descent

    def moved(self, x: float, y: float) -> tuple[Run | Stroke, ...]:
        """The parts to the right and down."""
        return tuple(
            part._replace(x=part.x + x, y=part.y + y)
            if isinstance(part, Run)
            else part._replace(
                path=tuple(
                    (command, tuple(c + (y if i % 2 else x) for i, c in enumerate(at)))
                    for command, at in part.path
                )
            )
            for part in self.parts
        )


class Setter:
    """Sets marks; `roles` has the colours of names."""

    def __init__(self, roles: Mapping[Mark, str], size: float) -> None:
        self.roles, self.size = roles, size

    def set(self, mark: Mark, size: float, color: str = "ink") -> Setting:
        """The mark in letters of that size."""
        color = self.roles.get(mark, color)
        tag, *parts = mark
        match tag:
            case "mi" | "mn" | "mtext" | "func":
                return run(without_turns(parts[0]), size, tag == "mi", color)
            case "mo":
                return self._sign(parts[0], size, color, binary=True)
            case "mrow":
                return beside(list(self._row(parts, size, color)))
            case "mfrac":
                return self._fraction(parts[0], parts[1], size, color)
            case "msup" | "msub" | "msubsup":
                base = self.set(parts[0], size, color)
                below = parts[1] if tag != "msup" else None
                above = parts[-1] if tag != "msub" else None
                return self._scripts(base, below, above, size, color)
            case "mover":
                return self._over(parts[0], parts[1], size, color)
            case "msqrt" | "mroot":
                return self._root(parts, size, color)
            case "fence":
                return self._fence(parts[0], parts[1], parts[2], size, color)
            case "cases":
                return self._cases(parts, size, color)
            case "munderover":
                return self._limits(parts[0], parts[1], parts[2], size, color)
            case "matrix":
                return self._matrix(parts, size, color)
            case "gap":
                return Setting(size, 0.0, 0.0)
        raise ValueError(f"{tag!r} is not a mark")

    def _row(self, marks: Sequence[Mark], size: float, color: str) -> Iterator[Setting]:
        before: Mark | None = None
        for mark in marks:
            if mark[0] == "mo":
                binary = before is not None and (before[0] != "mo" or before[1] == "|")
                yield self._sign(mark[1], size, color, binary=binary)
            else:
                if before is not None and before[0] == "func" and mark[0] != "fence":
                    yield Setting(0.16 * size, 0.0, 0.0)
                yield self.set(mark, size, color)
            before = mark

    def _sign(self, sign: str, size: float, color: str, *, binary: bool) -> Setting:
        text = sign.replace("-", "−")
        set_ = run(text, size, False, color)
        if sign == ",":
            return beside([set_, Setting(0.25 * size, 0.0, 0.0)])
        binary = binary or text not in "+−"  # the sign of a number
        space = Setting(_SPACE.get(text, 0.0) * size * binary, 0.0, 0.0)
        return beside([space, set_, space])

    def _small(self, size: float) -> float:
        return max(_SMALL * size, min(size, _LEAST))

    def _fraction(self, above: Mark, below: Mark, size: float, color: str) -> Setting:
        inner = max(0.88 * size, min(size, _LEAST))
        top, bottom = self.set(above, inner, color), self.set(below, inner, color)
        wide = max(top.width, bottom.width) + 0.3 * size
        axis, gap, pad = -_AXIS * size, 0.12 * size, 0.08 * size
        up = axis - gap - top.descent
        down = axis + gap + bottom.ascent
        bar = Stroke((("M", (pad, axis)), ("L", (wide + pad, axis))), _RULE * size)
        return Setting(
            wide + 2 * pad,
            top.ascent - up,
            down + bottom.descent,
            (
                *top.moved(pad + (wide - top.width) / 2, up),
                *bottom.moved(pad + (wide - bottom.width) / 2, down),
                bar,
            ),
        )

    def _scripts(
        self, base: Setting, below: Mark | None, above: Mark | None, size: float, color: str
    ) -> Setting:
        small = self._small(size)
        scripts = []
        if above is not None:
            y = -max(base.ascent - 0.42 * size, 0.36 * size)
            scripts.append((self.set(above, small, color), y))
        if below is not None:
            y = max(base.descent - 0.06 * size, 0.18 * size)
            scripts.append((self.set(below, small, color), y))
        if len(scripts) == 2:
            (upper, top), (lower, bottom) = scripts
            overlap = max(0.0, top + upper.descent - (bottom - lower.ascent) - _TOUCHING * size)
            scripts = [(upper, top - overlap / 2), (lower, bottom + overlap / 2)]
        wide, ascent, descent, parts = base
        for script, y in scripts:
            parts += script.moved(base.width + 0.04 * size, y)
            wide = max(wide, base.width + script.width + 0.06 * size)
            ascent, descent = max(ascent, script.ascent - y), max(descent, script.descent + y)
        return Setting(wide, ascent, descent, parts)

    def _over(self, base: Mark, accent: str, size: float, color: str) -> Setting:
        if base[0] == "mi" and len(base[1]) == 1:
            letter = normalize("NFC", base[1] + COMBINING.get(accent, ""))
            return run(letter, size, True, self.roles.get(base, color))
        below = self.set(base, size, color)
        y = -below.ascent - 0.02 * size
        bar = Stroke((("M", (0.05 * size, y)), ("L", (below.width, y))), _RULE * size)
        return below._replace(ascent=below.ascent + 0.1 * size, parts=(*below.parts, bar))

    def _root(self, parts: Sequence[Mark], size: float, color: str) -> Setting:
        body = self.set(parts[0], size, color)
        degree = self.set(parts[1], self._small(0.8 * size), color) if parts[1:] else None
        left = max(degree.width - 0.25 * size, 0.0) if degree else 0.0
        top, bottom = -body.ascent - 0.1 * size, body.descent
        x = left + 0.62 * size
        hook = Stroke(
            (
                ("M", (left + 0.06 * size, -0.28 * size)),
                ("L", (left + 0.2 * size, -0.36 * size)),
                ("L", (left + 0.38 * size, bottom)),
                ("L", (x - 0.06 * size, top)),
                ("L", (x + body.width + 0.06 * size, top)),
            ),
            _RULE * size,
        )
        small = degree.moved(0.0, -0.45 * size) if degree else ()
        wide = x + body.width + 0.1 * size
        return Setting(wide, -top + 0.06 * size, bottom, (*body.moved(x, 0.0), hook, *small))

    def _fence(self, left: str, body: Any, right: str, size: float, color: str) -> Setting:
        inner = self.set(body, size, color)
        tall = inner.ascent > 0.95 * size or inner.descent > 0.45 * size
        pieces = [_bracket(left, inner, size, color, tall=tall), inner]
        return beside([*pieces, _bracket(right, inner, size, color, tall=tall)])

    def _limits(self, sign: Mark, below: Mark, above: Mark, size: float, color: str) -> Setting:
        whole = run(sign[1], 1.4 * size, False, color)
        whole = whole._replace(parts=whole.moved(0.0, 0.12 * size), ascent=0.95 * size)
        small = self._small(size)
        pieces = [(self.set(above, small, color), -1), (self.set(below, small, color), 1)]
        wide = max(whole.width, *(piece.width for piece, _ in pieces))
        parts = list(whole.moved((wide - whole.width) / 2, 0.0))
        up, down = whole.ascent, 0.35 * size
        for piece, side in pieces:
            y = -up - piece.descent if side < 0 else down + piece.ascent
            parts += piece.moved((wide - piece.width) / 2, y)
        heights = [piece.height for piece, _ in pieces]
        space = 0.12 * size
        return Setting(wide + space, up + heights[0], down + heights[1], tuple(parts))

    def _matrix(self, rows: Sequence[Sequence[Mark]], size: float, color: str) -> Setting:
        cells = [[self.set(entry, size, color) for entry in row] for row in rows]
        widths = [max(cell.width for cell in column) for column in zip(*cells, strict=True)]
        gap = 0.8 * size
        lines = []
        for line in cells:
            padded: list[Setting] = []
            for i, (cell, wide) in enumerate(zip(line, widths, strict=True)):
                side = Setting((wide - cell.width) / 2, 0.0, 0.0)
                padded += [Setting(gap * (i > 0), 0.0, 0.0), side, cell, side]
            lines.append(beside(padded))
        body = _stacked(lines, 0.15 * size)
        left, right = (_bracket(sign, body, size, color, tall=True) for sign in "[]")
        return beside([left, body, right])

    def _cases(self, parts: Sequence[Any], size: float, color: str) -> Setting:
        rows = [
            beside(
                [
                    self.set(("mrow", value, ("mo", ",")), size, color),
                    Setting(size, 0.0, 0.0),
                    self.set(where, size, color),
                ]
            )
            for value, where in parts
        ]
        body = _stacked(rows, 0.25 * size)
        return beside([_bracket("{", body, size, color, tall=True), body])


def run(text: str, size: float, italic: bool, color: str) -> Setting:
    """Letters of one kind."""
    wide = text_width(text, size)
    letters = Run(0.0, 0.0, text, size, wide, italic, color)
    return Setting(wide, _ASCENT * size, _DESCENT * size, (letters,))


def beside(settings: Sequence[Setting]) -> Setting:
    """The settings one after the other on the same base line."""
    x, parts = 0.0, list[Run | Stroke]()
    for each in settings:
        parts += each.moved(x, 0.0)
        x += each.width
    ascent = max((each.ascent for each in settings), default=0.0)
    return Setting(x, ascent, max((each.descent for each in settings), default=0.0), tuple(parts))


def _stacked(settings: Sequence[Setting], gap: float) -> Setting:
    """The settings one below another, around the height of a fraction bar."""
    tall = sum(each.height for each in settings) + gap * (len(settings) - 1)
    top = y = -tall / 2 - 0.3 * (settings[0].ascent if settings else 0.0)
    parts: list[Run | Stroke] = []
    for each in settings:
        parts += each.moved(0.0, y + each.ascent)
        y += each.height + gap
    wide = max(each.width for each in settings)
    return Setting(wide, -top, tall + top, tuple(parts))


def _bracket(sign: str, body: Setting, size: float, color: str, *, tall: bool) -> Setting:
    if not sign:
        return Setting(0.0, 0.0, 0.0)
    if not tall:
        return run(sign, size, False, color)
    top, bottom, wide = -body.ascent, body.descent, 0.34 * size
    near, far = (0.28 * size, 0.1 * size) if sign in "([{" else (0.06 * size, 0.24 * size)
    middle = (top + bottom) / 2
    match sign:
        case "(" | ")":
            path: Any = (("M", (near, top)), ("Q", (2 * far - near, middle, near, bottom)))
        case "[" | "]":
            corners = ((near, top), (far, top), (far, bottom), (near, bottom))
            path = tuple(("L" if i else "M", at) for i, at in enumerate(corners))
        case "{" | "}":
            path = (
                ("M", (near, top)),
                ("Q", (far, top, far, (top + middle) / 2)),
                ("Q", (far, middle, 2 * far - near, middle)),
                ("Q", (far, middle, far, (middle + bottom) / 2)),
                ("Q", (far, bottom, near, bottom)),
            )
        case _:
            path = (("M", (wide / 2, top)), ("L", (wide / 2, bottom)))
    return Setting(wide, body.ascent, body.descent, (Stroke(path, _RULE * size),))
