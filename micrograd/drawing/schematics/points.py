"""Data in the plane, with a function that is fitted to it or separates it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from statistics import fmean, linear_regression
from typing import Any, NamedTuple

from micrograd.derivation.curves import Frame, fitted
from micrograd.drawing.schematics.axes import (
    Axes,
    Room,
    in_a_row,
    inset_of,
    legend,
    mark,
    panels,
)
from micrograd.drawing.schematics.canvas import MARGIN, NAME, Canvas, digits, number
from micrograd.drawing.spans import of_mark, wrapped
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing.notation import Formula

MOST_POINTS, MOST_PANELS = 2000, 4

Fit = str | Callable[[Any], Any] | None
Classify = Callable[[list[Point]], Iterable[Any]]

# Of classes. The first three differ for all kinds of colour blindness, as points and as tints.
_COLORS = ("positive", "backward", "ink", "weight_line", "loss_line", "unit_line")
_TINTS = (0.36, 0.36, 0.1, 0.2, 0.2, 0.2)
_CELLS = 100  # of the areas of classes, in each direction


def draw_points(
    points: Iterable[Sequence[Any]] | Mapping[str, Iterable[Sequence[Any]]],
    fit: Fit = None,
    *,
    labels: Sequence[Any] | None = None,
    regions: Classify | None = None,
    residuals: bool = False,
    equal: bool = False,
    names: tuple[str, str] = ("x", "y"),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw points and a function through them: data with a fitted line, or data no line fits.

    Args:
        points: pairs of numbers; or a dict from titles to such lists, which are drawn beside each
            other, for example linear and non-linear data.
        fit: a function of x; or "line" for the line of least squares, which is computed; none by
            default.
        labels: the class of each point, for points in the plane that a line should separate.
        regions: a function of a list of points that returns the class of each, as in `labels`; the
            plane is tinted by what it returns.
        residuals: whether to draw the distance of each point from the fit.
        equal: whether both axes have the same scale, in a square.
        names: what the axes are called.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if there are no points or more than 2,000, if there are not as many labels as
            points, or if `regions` returns a class that is not among the labels.

    >>> draw_points([(1, 2), (2, 4), (3, 6), (4, 8)], "line").description
    'Points: 4; line: y = 2·x.'
    """
    canvas = Canvas(width, theme, lang)
    given = dict(points) if isinstance(points, Mapping) else {"": points}
    if not 0 < len(given) <= MOST_PANELS:
        raise ValueError(f"there are 1 to {MOST_PANELS} panels, got {len(given)}")
    read = {title: _pairs(each) for title, each in given.items()}
    free = in_a_row(canvas, len(read))[1] - 2 * MARGIN - 60.0
    called = (canvas.name(names[0], free, "x"), canvas.name(names[1], free, "y"))
    look = _Look(fit, labels, regions, residuals, equal, called)
    start = 8.0
    if labels is not None:
        if any(len(labels) != len(each) for each in read.values()):
            raise ValueError(f"there are {len(labels)} labels, but the number of points differs")
        entries = [(_MARKS[k % 4], _COLORS[k % 6], name) for k, name in enumerate(look.classes)]
        start = legend(canvas, start, entries, MARGIN)
    seen: list[str] = []
    shown = [*read.items()]

    def panel(i: int, room: Room) -> float:
        told, bottom = _panel(canvas, room, *shown[i], look)
        seen.append(told)
        return bottom

    bottom = panels(canvas, [*read], len(read), start, panel)
    words = canvas.words
    title = words["points fit" if fit else "points"]
    return canvas.drawing("points", title, seen, bottom + 8.0)


# ------------------------------------------------------------------------------------------- points


def _pairs(points: Iterable[Sequence[Any]]) -> list[Point]:
    pairs = [tuple(number(x) for x in point) for point in points]
    if not 0 < len(pairs) <= MOST_POINTS or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"points are 1 to {MOST_POINTS} pairs of numbers")
    if not all(math.isfinite(x) for pair in pairs for x in pair):
        raise ValueError("the coordinates of a point are finite numbers")
    return pairs  # type: ignore[return-value]


class _Look(NamedTuple):
    """How points are drawn."""

    fit: Fit
    labels: Sequence[Any] | None
    regions: Classify | None
    residuals: bool
    equal: bool
    names: tuple[Formula, Formula]

    @property
    def classes(self) -> list[str]:
        """The classes in the order of their colours."""
        return list(dict.fromkeys(map(str, self.labels))) if self.labels is not None else [""]


def _panel(
    canvas: Canvas, room: Room, title: str, pairs: list[Point], look: _Look
) -> tuple[str, float]:
    """Draw one set of points; return what is seen, and the bottom."""
    left, top, right = room
    words = canvas.words
    function, equation = _fitted(look.fit, pairs, look.names)
    seen = words["points seen"].format(count=len(pairs))
    if title:
        seen = f"{title}: {seen}" if canvas.lang == "en" else f"{title}：{seen}"
    x_range = fitted((x for x, _ in pairs), least=1e-9)
    xs = [x_range[0] + (x_range[1] - x_range[0]) * i / 60 for i in range(61)]
    heights = [y for _, y in pairs]
    if function is not None:
        heights += [function(x) for x in xs]
    frame = Frame(*x_range, *fitted(heights, least=1e-9))
    down = min(0.72 * (right - left), 300.0) + 40.0
    area = (left, top, right, top + down)
    inset = 0.0
    if look.equal:
        frame = _equal(frame)
        area, inset = _square(frame, left, top, right)
        down = area[3] - top
    across, upward = look.names
    axes = Axes(canvas, frame, area, across=across, upward=upward, inset=inset)
    if look.regions is not None:
        _tint(axes, look.regions, look.classes)
        seen += words["regions seen"]
    if function is not None:
        axes.curve(function, "backward")
        if look.residuals:
            for x, y in pairs:
                if math.isfinite(function(x)):
                    axes.line([(x, y), (x, function(x))], "faint", pen=1.4, dashes="3 3")
    classes = look.classes
    for i, pair in enumerate(pairs):
        k = classes.index(str(look.labels[i])) if look.labels is not None else 0
        radius = 4.5 if len(pairs) <= 60 else 2.6
        mark(canvas, axes.place(pair), _MARKS[k % 4], _COLORS[k % 6], radius)
    bottom = top + down + 6.0
    if equation is not None:
        bottom = _centred(canvas, bottom, equation, (left, right))
        kind = "line" if look.fit == "line" else "curve of fit"
        seen += words[kind].format(equation=equation.text)
    elif function is not None:
        ends = [f"({digits(x)}, {digits(function(x))})" for x in x_range]
        seen += words["curve goes"].format(start=ends[0], end=ends[1])
    return seen + words["stop"], bottom


def _equal(frame: Frame) -> Frame:
    """Ranges of the same length around those of a frame."""
    reach = max(frame.right - frame.left, frame.top - frame.bottom) / 2
    x, y = (frame.left + frame.right) / 2, (frame.bottom + frame.top) / 2
    return Frame(x - reach, x + reach, y - reach, y + reach)


def _square(
    frame: Frame, left: float, top: float, right: float
) -> tuple[tuple[float, float, float, float], float]:
    """The area of axes whose inner part is a square, and the room for their numbers."""
    above, below, after, most = 20.0, 38.0, 12.0, 60.0  # what `Axes` keeps free
    side = min(right - left - after - most, 420.0)
    inset = inset_of([frame], side + above + below)
    across = inset + 8.0 + side + after
    start = (left + right - across) / 2
    return (start, top, start + across, top + above + side + below), inset


def _tint(axes: Axes, classify: Classify, classes: list[str]) -> None:
    """Tint the plane by the class of each cell of a grid."""
    frame, canvas = axes.frame, axes.canvas
    across, up = (frame.right - frame.left) / _CELLS, (frame.top - frame.bottom) / _CELLS
    grid = [
        (frame.left + (j + 0.5) * across, frame.top - (i + 0.5) * up)
        for i in range(_CELLS)
        for j in range(_CELLS)
    ]
    found = [str(each) for each in classify(grid)]
    if not set(found) <= set(classes):
        raise ValueError(f"regions returns {sorted(set(found) - set(classes))}, not among labels")
    wide, high = (axes.right - axes.left) / _CELLS, (axes.bottom - axes.top) / _CELLS
    for k, name in enumerate(classes):
        path = []
        for i in range(_CELLS):
            row, end = found[i * _CELLS : (i + 1) * _CELLS], 0
            for same, cells in groupby(row):
                start, end = end, end + len(list(cells))
                if same == name:
                    x, y = axes.left + start * wide, axes.top + i * high
                    path.append(f"M{x:.1f} {y:.1f}h{(end - start) * wide:.1f}v{high:.1f}H{x:.1f}z")
        if path:
            paint = f'{canvas.paint(fill=_COLORS[k % 6])} fill-opacity="{_TINTS[k % 6]}"'
            canvas.elements.append(f'<path d="{"".join(path)}"{paint}/>')


_MARKS = ("dot", "box", "circle", "full box")


def _centred(canvas: Canvas, top: float, formula: Formula, room: tuple[float, float]) -> float:
    for line in wrapped(of_mark(formula.mark), room[1] - room[0], NAME):
        canvas.text((sum(room) / 2, top + 10.0), line, size=NAME)
        top += 24.0
    return top


def _fitted(
    fit: Fit, pairs: Sequence[Point], names: tuple[Formula, Formula]
) -> tuple[Callable[[float], float] | None, Formula | None]:
    """A function of x with its equation, if it is known."""
    if fit is None:
        return None, None
    if callable(fit):
        return lambda x: number(fit(x)), None
    if fit != "line":
        raise ValueError(f"fit is a function of x, or 'line', got {fit!r}")
    xs, ys = zip(*pairs, strict=True)
    if min(xs) == max(xs):
        raise ValueError("no line of least squares: all points have the same x")
    slope, level = linear_regression(xs, ys)
    slope_shown, level_shown = (float(f"{each:.3g}") for each in (slope, level))
    x, y = names
    marks = [y.mark, ("mo", "="), ("mtext", digits(slope_shown)), ("mo", "·"), x.mark]
    text = f"{y.text} = {digits(slope_shown)}·{x.text}"
    if abs(level) > 1e-9 * (abs(fmean(ys)) + abs(slope * fmean(xs))):
        sign = "−" if level < 0 else "+"
        marks += [("mo", sign), ("mn", digits(abs(level_shown)))]
        text += f" {sign} {digits(abs(level_shown))}"
    return lambda at: level + slope * at, Formula(text, ("mrow", *marks))
