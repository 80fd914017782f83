"""Data in the plane, with a function that is fitted to it or separates it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from micrograd.derivation.curves import Frame, fitted
from micrograd.drawing.metrics import BOLD
from micrograd.drawing.schematics.axes import SERIES, Axes, legend, mark
from micrograd.drawing.schematics.canvas import BODY, MARGIN, Canvas, digits, shortened
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing.notation import Formula, named

MOST_POINTS, MOST_PANELS = 2000, 4

Fit = str | Callable[[Any], Any] | None


def draw_points(
    points: Iterable[Sequence[Any]] | Mapping[str, Iterable[Sequence[Any]]],
    fit: Fit = None,
    *,
    labels: Sequence[Any] | None = None,
    residuals: bool = False,
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
        residuals: whether to draw the distance of each point from the fit.
        names: what the axes are called.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if there are no points, more than 2,000, or not as many labels as points.

    >>> draw_points([(1, 2), (2, 4), (3, 6), (4, 8)], "line").description
    'Points: 4; line: y = 2·x.'
    """
    canvas = Canvas(width, theme, lang)
    panels = dict(points) if isinstance(points, Mapping) else {"": points}
    if not 0 < len(panels) <= MOST_PANELS:
        raise ValueError(f"there are 1 to {MOST_PANELS} panels, got {len(panels)}")
    read = {title: _pairs(each) for title, each in panels.items()}
    start = 8.0
    if labels is not None and any(len(labels) != len(each) for each in read.values()):
        raise ValueError(f"there are {len(labels)} labels, and another number of points")
    if labels is not None:
        classes = list(dict.fromkeys(map(str, labels)))
        entries = [(_MARKS[k % 4], SERIES[k % 6], name) for k, name in enumerate(classes)]
        start = legend(canvas, 8.0, entries, MARGIN)
    count = len(read) if canvas.width >= 560 else 1
    across = (canvas.width - MARGIN) / count
    seen, top, bottom = [], start, start
    for i, (title, pairs) in enumerate(read.items()):
        if i % count == 0:
            top = bottom
        left = MARGIN + across * (i % count)
        room = (left, top, left + across - MARGIN)
        told, lower = _panel(canvas, room, title, pairs, fit, labels, residuals, names)
        bottom = max(bottom, lower)
        seen.append(told)
    words = canvas.words
    title = words["points fit" if fit else "points"]
    return canvas.drawing("points", title, " ".join(seen), bottom + 8.0)


# ------------------------------------------------------------------------------------------- points


def _pairs(points: Iterable[Sequence[Any]]) -> list[Point]:
    pairs = [tuple(float(getattr(x, "data", x)) for x in point) for point in points]
    if not 0 < len(pairs) <= MOST_POINTS or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"points are 1 to {MOST_POINTS} pairs of numbers")
    if not all(math.isfinite(x) for pair in pairs for x in pair):
        raise ValueError("the coordinates of a point are finite numbers")
    return pairs  # type: ignore[return-value]


def _panel(
    canvas: Canvas,
    room: tuple[float, float, float],
    title: str,
    pairs: list[Point],
    fit: Fit,
    labels: Sequence[Any] | None,
    residuals: bool,
    names: tuple[str, str],
) -> tuple[str, float]:
    """Draw one set of points; return what is seen, and the bottom."""
    left, top, right = room
    words = canvas.words
    function, equation = _fitted(fit, pairs, names)
    seen = words["points seen"].format(count=len(pairs))
    if title:
        canvas.text(
            (left, top + 10.0),
            shortened(title, (right - left) / BOLD, BODY),
            anchor="start",
            bold=True,
        )
        seen = f"{title}: {seen}" if canvas.lang == "en" else f"{title}：{seen}"
        top += 24.0
    x_range = fitted((x for x, _ in pairs), least=1e-9)
    xs = [x_range[0] + (x_range[1] - x_range[0]) * i / 60 for i in range(61)]
    heights = [y for _, y in pairs]
    if function is not None:
        heights += [function(x) for x in xs]
    frame = Frame(*x_range, *fitted(heights, least=1e-9))
    down = min(0.72 * (right - left), 300.0) + 40.0
    area = (left, top, right, top + down)
    axes = Axes(canvas, frame, area, across=named(names[0]), upward=named(names[1]))
    if function is not None:
        axes.curve(function, "backward")
        if residuals:
            for x, y in pairs:
                if math.isfinite(function(x)):
                    axes.line([(x, y), (x, function(x))], "faint", pen=1.4, dashes="3 3")
    classes = list(dict.fromkeys(map(str, labels))) if labels is not None else [""]
    for i, pair in enumerate(pairs):
        k = classes.index(str(labels[i])) if labels is not None else 0
        _mark(axes, pair, k, len(pairs))
    bottom = top + down + 6.0
    if equation is not None:
        bottom = _centred(canvas, bottom, equation, (left + right) / 2)
        kind = "line" if fit == "line" else "curve of fit"
        seen += words[kind].format(equation=equation.text)
    return seen + words["stop"], bottom


_MARKS = ("dot", "box", "circle", "full box")


def _mark(axes: Axes, point: Point, k: int, count: int) -> None:
    """Draw a point in the shape and the colour of its class."""
    radius = 4.5 if count <= 60 else 2.6
    mark(axes.canvas, axes.place(point), _MARKS[k % 4], SERIES[k % 6], radius)


def _centred(canvas: Canvas, top: float, formula: Formula, middle: float) -> float:
    canvas.text((middle, top + 10.0), formula, size=16.0)
    return top + 24.0


def _value(function: Callable[[Any], Any], x: float) -> float:
    out = function(x)
    return float(getattr(out, "data", out))


def _fitted(
    fit: Fit, pairs: Sequence[Point], names: tuple[str, str]
) -> tuple[Callable[[float], float] | None, Formula | None]:
    """A function of x with its equation, if it is known."""
    if fit is None:
        return None, None
    if callable(fit):
        return partial(_value, fit), None
    if fit != "line":
        raise ValueError(f"fit is a function of x, or 'line', got {fit!r}")
    count = len(pairs)
    mean_x, mean_y = (sum(pair[i] for pair in pairs) / count for i in (0, 1))
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    if not spread:
        raise ValueError("no line of least squares: all points have the same x")
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    level = mean_y - slope * mean_x
    slope_shown, level_shown = (float(f"{each:.3g}") for each in (slope, level))
    x, y = map(named, names)
    marks = [y.mark, ("mo", "="), ("mtext", digits(slope_shown)), ("mo", "·"), x.mark]
    text = f"{y.text} = {digits(slope_shown)}·{x.text}"
    if abs(level) > 1e-9 * (abs(mean_y) + abs(slope * mean_x)):
        sign = "−" if level < 0 else "+"
        marks += [("mo", sign), ("mn", digits(abs(level_shown)))]
        text += f" {sign} {digits(abs(level_shown))}"
    return lambda at: level + slope * at, Formula(text, ("mrow", *marks))
