"""A function with its derivative and tangent, and the valley of a loss that descent walks down."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from numbers import Real
from typing import Any

from micrograd.derivation.curves import Frame, Function, fitted, section, suited
from micrograd.drawing.schematics.activations import called
from micrograd.drawing.schematics.axes import Axes, inset_of, legend
from micrograd.drawing.schematics.canvas import MARGIN, Canvas, Words, digits, number
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.engine.value import Value
from micrograd.ops import TABLE, Operation
from micrograd.writing import notation
from micrograd.writing.labels import one_line
from micrograd.writing.messages import meant
from micrograd.writing.notation import Formula, named

Both = Callable[[float], tuple[float, float]]
"""A function with its derivative; nan where undefined."""

MOST_STEPS = 400


def draw_curve(
    function: str | Callable[[Any], Any],
    at: float | None = None,
    *,
    over: tuple[float, float] | None = None,
    name: str = "",
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw a function and its derivative, each on its own scale, and the tangent at a point.

    Args:
        function: the name of an operation of one operand, such as "sigmoid", or a function of a
            Value.
        at: the x at which the tangent touches the curve; none is drawn by default.
        over: the range of x, such as `(-6, 6)`; by default one that suits the function.
        name: what the function is called, if it is not an operation, or a formula such as
            "x² − 1"; "f" by default.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if there is no such operation, or if the function has no value or no derivative
            at the point.

    >>> draw_curve("sigmoid", at=1.0).title
    'The function σ(x) and its derivative'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    shown, both = _function(function, name)
    left, right = _range(over, lambda x: both(x)[0])
    points = [both(left + (right - left) * i / 200) for i in range(201)]
    seen = [words["curve seen"].format(left=digits(left), right=digits(right))]
    if at is not None:
        value, slope = both(at)
        if not (math.isfinite(value) and math.isfinite(slope)):
            raise ValueError(f"{shown.text} has no derivative at {at:g}, so there is no tangent")
        numbers = {"x": digits(at), "value": digits(value), "slope": digits(slope)}
        seen.append(words["tangent seen"].format(**numbers))
    height = 210.0 if canvas.width < 500 else 250.0
    entries: list[tuple[str, str, Words]] = [("", "positive", shown)]
    if at is not None:
        entries.append(("6 4", "ink", words["tangent"].format(**numbers)))
    top = legend(canvas, 10.0, entries, MARGIN)
    frames = [Frame(left, right, *fitted(pair[k] for pair in points)) for k in (0, 1)]
    if at is not None:
        frames = [_around(frame, y) for frame, y in zip(frames, (value, slope), strict=True)]
    inset = inset_of(frames, height)
    area = (MARGIN, top, canvas.width - MARGIN, top + height)
    axes = Axes(canvas, frames[0], area, inset=inset)
    axes.curve(lambda x: both(x)[0], "positive")
    if at is not None:
        axes.curve(lambda x: value + slope * (x - at), "ink", pen=1.5, dashes="6 4")
        axes.dot((at, value), "ink")
    top = legend(canvas, top + height + 6.0, [("", "backward", _prime(shown))], MARGIN)
    area = (MARGIN, top, canvas.width - MARGIN, top + height)
    axes = Axes(canvas, frames[1], area, across=named("x"), inset=inset)
    axes.curve(lambda x: both(x)[1], "backward", ends=True)
    if at is not None:
        axes.dot((at, slope), "backward")
    title = words["curve"].format(function=shown.text)
    return canvas.drawing("a curve", title, seen, top + height + 8.0)


def draw_valley(
    loss: Callable[[Any], Any],
    start: float | Iterable[float],
    *,
    lr: float = 0.1,
    steps: int = 20,
    over: tuple[float, float] | None = None,
    names: tuple[str, str] = ("w", "J"),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw a loss by one weight, and the steps by which gradient descent walks down.

    Args:
        loss: a function of the weight, which is a Value.
        start: where the descent begins; or all weights that it visited, one after another.
        lr: the learning rate, if the descent is still to be computed: `w -= lr * dJ/dw`.
        steps: the number of its steps.
        over: the range of weights that is shown; by default that of the steps and some more.
        names: what the weight and the loss are called.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if a weight or its loss is not finite, or there are more than 400 steps.

    >>> valley = draw_valley(lambda w: (w - 2) ** 2 / 2, start=0.0, lr=0.3, steps=10)
    >>> valley.title
    'Gradient descent on J(w)'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    both = _differentiated(loss)
    weights = _descent(both, start, lr, steps)
    places = [(w, both(w)[0]) for w in weights]
    for w, y in places:
        if not (math.isfinite(w) and math.isfinite(y)):
            raise ValueError(f"the loss at the weight {w:g} is {y:g}: use a smaller learning rate")
    low, high = min(weights), max(weights)
    room = 0.35 * (high - low) or 1.0
    left, right = over or (low - room, high + room)
    room = canvas.width / 2 - 50.0
    weight, height = (canvas.name(each, room, s) for each, s in zip(names, "wJ", strict=True))
    first, last = digits(weights[0]), digits(weights[-1])
    count = len(weights) - 1
    top = legend(
        canvas,
        10.0,
        [
            ("", "positive", called(height.text, weight)),
            ("dot", "backward", words["steps"].format(count=count)),
        ],
        MARGIN,
    )
    highest = max(y for _, y in places)
    values = [both(left + (right - left) * i / 200)[0] for i in range(201)]
    lowest = min([value for value in values if math.isfinite(value)], default=0.0)
    span = (highest - lowest) or 1.0
    frame = Frame(left, right, lowest - 0.08 * span, highest + 0.3 * span)
    tall = 250.0 if canvas.width < 500 else 330.0
    axes = Axes(canvas, frame, (MARGIN, top, canvas.width - MARGIN, top + tall), across=weight)
    axes.curve(lambda w: both(w)[0], "positive")
    for pair in pairwise(places):
        if all(map(axes.holds, pair)):
            axes.line(pair, "backward", pen=1.4)
    for i, place in enumerate(places):
        if axes.holds(place):
            size = 4.0 if i in (0, count) else 3.0
            axes.dot(place, "backward", size, "" if i else "paper")
    told = words["valley told"].format(
        weight=weight.text, loss=height.text, first=first, last=last, count=count,
        before=digits(places[0][1]), after=digits(places[-1][1]),
    )  # fmt: skip
    bottom = canvas.paragraph(top + tall + 8.0, [told], "faint")
    title = words["valley"].format(loss=height.text, weight=weight.text)
    return canvas.drawing("a valley", title, told, bottom + 8.0)


def _descent(both: Both, start: Any, lr: float, steps: int) -> list[float]:
    if not isinstance(start, Real | Value):
        weights = [number(w) for w in start]
    else:
        weights = [number(start)]
        for _ in range(min(steps, MOST_STEPS + 1)):
            weights.append(weights[-1] - lr * both(weights[-1])[1])
    if not weights or len(weights) > MOST_STEPS + 1:
        raise ValueError(
            f"a valley has 1 to {MOST_STEPS} steps, got {max(len(weights) - 1, steps)}"
        )
    return weights


# ---------------------------------------------------------------------------------------- functions


def _function(function: str | Callable[[Any], Any], name: str) -> tuple[Formula, Both]:
    """A function of x as a formula, and its values with their derivatives."""
    x = named("x")
    if isinstance(function, str):
        row = operation_of(function)
        if row.arity != 1:
            raise ValueError(f"{function} has {row.arity} operands: give a function of one Value")
        return notation.operation(row, [x]), section(row).at
    if _OPERATORS.search(name):
        return notation.words(one_line(name)), _differentiated(function)
    return called(name or "f", x), _differentiated(function)


_OPERATORS = re.compile(r"[-+*/^=(²³−·]")  # which names do not have


def operation_of(name: str) -> Operation:
    """The operation of that name; ValueError if the table has no such row."""
    if name not in TABLE:
        raise ValueError(
            f"no operation {name!r}: the table has {', '.join(TABLE)}{meant(name, TABLE)}"
        )
    return TABLE[name]


def _differentiated(function: Callable[[Any], Any]) -> Both:
    """The values of a function of a Value with their derivatives, by the engine."""

    def both(x: float) -> tuple[float, float]:
        variable = Value(x)
        out = function(variable)
        if not isinstance(out, Value):
            return float(out), 0.0
        out.backward()
        return float(out.data), float(variable.grad)

    return both


def _prime(formula: Formula) -> Formula:
    """The derivative of a function that is written as a formula: (…)′, or f′(x)."""
    match formula.mark:
        case ("mrow", ("mi" | "func" as kind, str(name)), ("fence", "(", ("mi", _), _) as of):
            mark = ("mrow", (kind, f"{name}′"), of)
            return Formula(formula.text, mark)
    return Formula(f"({formula.text})′", ("mrow", ("fence", "(", formula.mark, ")"), ("mo", "′")))


def _around(frame: Frame, y: float) -> Frame:
    """The frame, or a taller one that has a number well inside."""
    room = 0.08 * (max(frame.top, y) - min(frame.bottom, y))
    low, high = min(frame.bottom, y - room), max(frame.top, y + room)
    return frame._replace(bottom=low, top=high)


def _range(over: tuple[float, float] | None, function: Function) -> tuple[float, float]:
    if over is None:
        return suited(function)
    left, right = map(float, over)
    if not (math.isfinite(left) and math.isfinite(right) and left < right):
        raise ValueError(f"over is a range such as (-6, 6), got {over!r}")
    return left, right
