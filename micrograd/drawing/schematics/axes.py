"""Axes of a plot in a schematic: a grid with its numbers beside it, curves, and points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from micrograd.derivation.curves import Frame, Function, loose_ends, pieces, ticks
from micrograd.drawing.metrics import BOLD
from micrograd.drawing.schematics.canvas import (
    BODY,
    MARGIN,
    SMALL,
    Canvas,
    Words,
    breadth,
    digits,
    shortened,
    size_of,
)
from micrograd.drawing.svg_elements import Point

SERIES = ("positive", "backward", "unit_line", "loss_line", "weight_line", "ink")
"""The colours of several curves or classes."""

Room = tuple[float, float, float]
"""The left, the upper and the right border of what is drawn; its bottom is known later."""

_LABEL = 18.0  # the height of a line of numbers below


class Axes:
    """A rectangle of the canvas in which points have coordinates.

    The numbers of the axes stand outside the rectangle, so that no line crosses them. `top` and
    `bottom` bound the whole of it, with the numbers.
    """

    def __init__(
        self,
        canvas: Canvas,
        frame: Frame,
        area: tuple[float, float, float, float],
        *,
        across: Words = "",
        upward: Words = "",
        inset: float = 0.0,
    ) -> None:
        left, top, right, bottom = area
        self.canvas, self.frame = canvas, frame
        upright = _upright(frame, bottom - top)
        labels = [digits(tick) for tick in upright]
        self.left = left + max(inset, *(breadth(label, SMALL) for label in labels)) + 8.0
        self.top = top + (20.0 if upward else 6.0)
        self.right = right - 12.0
        self.bottom = bottom - _LABEL - (20.0 if across else 0.0)
        level = ticks(frame.left, frame.right, max(2, int((self.right - self.left) / 60)))
        for tick, label in zip(upright, labels, strict=True):
            y = self.place((frame.left, tick))[1]
            self._grid([(self.left, y), (self.right, y)], tick)
            canvas.text((self.left - 6.0, y), label, "faint", size=SMALL, anchor="end")
        for tick in level:
            x = self.place((tick, frame.bottom))[0]
            self._grid([(x, self.top), (x, self.bottom)], tick)
            canvas.text((x, self.bottom + 11.0), digits(tick), "faint", size=SMALL)
        if upward:
            canvas.text((left, top + 6.0), upward, size=size_of(upward), anchor="start")
        if across:
            canvas.text(
                (self.right, self.bottom + _LABEL + 10.0),
                across,
                size=size_of(across),
                anchor="end",
            )

    def _grid(self, points: Sequence[Point], tick: float) -> None:
        self.canvas.line(points, "group_line" if tick else "line", pen=1.0 if tick else 1.2)

    def place(self, point: Point) -> Point:
        """Where a point is on the canvas."""
        frame = self.frame
        x = (point[0] - frame.left) / (frame.right - frame.left)
        y = (frame.top - point[1]) / (frame.top - frame.bottom)
        return (
            self.left + x * (self.right - self.left),
            self.top + y * (self.bottom - self.top),
        )

    def holds(self, point: Point) -> bool:
        """Whether a point is within the axes."""
        frame = self.frame
        return frame.left <= point[0] <= frame.right and frame.bottom <= point[1] <= frame.top

    def curve(
        self,
        function: Function,
        color: str,
        *,
        pen: float = 2.2,
        dashes: str = "",
        ends: bool = False,
    ) -> None:
        """Draw a function where it is defined and within the axes; `ends` as open circles."""
        found = pieces(function, self.frame)
        for piece in found:
            if len(piece) > 1:
                self.line(piece, color, pen=pen, dashes=dashes)
            else:
                self.dot(piece[0], color)
        for end in loose_ends(found, self.frame) if ends else ():
            self.dot(end, color, 3.2, "paper")

    def line(
        self, points: Sequence[Point], color: str, *, pen: float = 2.2, dashes: str = ""
    ) -> None:
        """Draw a line through points."""
        self.canvas.line([self.place(p) for p in points], color, pen=pen, dashes=dashes)

    def dot(self, point: Point, color: str, radius: float = 4.0, fill: str = "") -> None:
        """Draw a point."""
        self.canvas.circle(self.place(point), radius, color, fill or color)


def mark(canvas: Canvas, at: Point, kind: str, color: str, radius: float = 4.5) -> None:
    """Draw a point as a "dot", a "circle", a "box" or a "full box"."""
    fill = "paper" if kind in ("circle", "box") else color
    if "box" in kind:
        corner = (at[0] - radius, at[1] - radius)
        canvas.box(corner, (2 * radius, 2 * radius), color, fill)
    else:
        canvas.circle(at, radius, color, fill)


def inset_of(frames: Sequence[Frame], height: float) -> float:
    """The room that the numbers of upright axes need, so that stacked plots line up."""
    labels = (tick for f in frames for tick in _upright(f, height))
    return max(breadth(digits(tick), SMALL) for tick in labels)


def _upright(frame: Frame, height: float) -> list[float]:
    return ticks(frame.bottom, frame.top, max(2, int(height / 45)))


def legend(
    canvas: Canvas, top: float, entries: Sequence[tuple[str, str, Words]], left: float
) -> float:
    """Draw what colours mean, in as many lines as needed; return the bottom.

    Each entry is the kind of a mark or the dashes of a line ("" for none), a colour, and words.
    """
    x = left
    for kind, color, words in entries:
        if isinstance(words, str):
            words = shortened(words, canvas.width - left - 40.0, BODY)
        across = 34.0 + breadth(words, size_of(words)) + 18.0
        if x > left and x + across - 18.0 > canvas.width:
            x, top = left, top + 22.0
        if kind and kind[0].isalpha():
            mark(canvas, (x + 14.0, top + 10.0), kind, color)
        else:
            dashes = kind
            canvas.line([(x, top + 10.0), (x + 26.0, top + 10.0)], color, pen=2.2, dashes=dashes)
        canvas.text((x + 32.0, top + 10.0), words, anchor="start", size=size_of(words))
        x += across
    return top + 22.0


def in_a_row(canvas: Canvas, most: int) -> tuple[int, float]:
    """How many panels stand in a row, at most `most`, and how far apart they begin."""
    count = most if canvas.width >= 560 else 1
    return count, (canvas.width - MARGIN) / count


def panels(
    canvas: Canvas, titles: Sequence[str], most: int, top: float, draw: Callable[[int, Room], float]
) -> float:
    """Draw panels under their titles, at most `most` in a row; return the bottom.

    `draw` draws the panel of a number, and returns its bottom.
    """
    count, across = in_a_row(canvas, most)
    bottom = top
    for i, title in enumerate(titles):
        if i % count == 0:
            top = bottom
        left = MARGIN + across * (i % count)
        right = left + across - MARGIN
        shown = shortened(title, (right - left) / BOLD, BODY)
        if title:
            canvas.text((left, top + 10.0), shown, anchor="start", bold=True)
        bottom = max(bottom, draw(i, (left, top + (24.0 if title else 0.0), right)))
    return bottom
