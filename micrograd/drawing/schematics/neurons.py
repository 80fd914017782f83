"""One neuron: its inputs, weights, sum, activation and output."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd.derivation.curves import Frame, fitted, pieces
from micrograd.drawing import neurons
from micrograd.drawing.schematics.activations import (
    Activation,
    activation_of,
    called,
    evaluated,
    written,
)
from micrograd.drawing.schematics.canvas import (
    MARGIN,
    NAME,
    SMALL,
    Canvas,
    abridged,
    breadth,
    digits,
    number,
    shared,
)
from micrograd.drawing.schematics.curves import operation_of
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing import notation
from micrograd.writing.notation import Formula, named

MOST_ROWS = 8  # of inputs; of more, the first and the last are drawn

_PITCH, _PILL = 52.0, 42.0
_PAD, _LEAST = 14.0, 6.0  # beside a name in its pill, and the unit of the gaps
_SUM, _BOX = 28.0, (60.0, 52.0)


class _Part(NamedTuple):
    """A named number, or a name alone."""

    name: Formula
    number: float | None = None


class Sketch(NamedTuple):
    """What is drawn: the parts with their numbers, where they are known."""

    inputs: list[_Part]
    weights: list[_Part]
    bias: _Part | None
    threshold: float | None
    activation: Activation
    result: Formula = named("y")

    @property
    def rows(self) -> list[tuple[_Part, _Part] | None]:
        """What leads to the sum: an input and a weight for each row, None for those left out."""
        pairs = abridged([*zip(self.inputs, self.weights, strict=True)], MOST_ROWS, None)
        if self.bias is not None:
            pairs.append((_Part(notation.number(1.0)), self.bias))
        return pairs

    @property
    def total(self) -> float | None:
        """The weighted sum, where all numbers are known."""
        numbers = [(x.number, w.number) for x, w in zip(self.inputs, self.weights, strict=True)]
        bias = 0.0 if self.bias is None else self.bias.number
        products = [x * w for x, w in numbers if x is not None and w is not None]
        if bias is None or len(products) < len(numbers):
            return None
        return sum(products) + bias

    def output(self) -> float | None:
        """The output, where all numbers are known."""
        z = self.total
        if z is None:
            return None
        if self.threshold is not None:
            return float(z > self.threshold)
        return evaluated(self.activation, z)


def draw_neuron(
    neuron: Any,
    inputs: Iterable[Any] | None = None,
    *,
    activation: str | Callable[[Any], Any] | None = None,
    names: Sequence[str] = (),
    output: str = "y",
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw a neuron: inputs, weights, their sum, the activation and the output.

    Args:
        neuron: an object with a list `w` of weights and a bias `b`, such as `nn.Neuron`, whose
            activation is drawn, too; or a list of weights: Values, numbers, or names.
        inputs: a sample: Values or numbers. With it the sum and the output are computed.
        activation: the name of an operation, such as "sigmoid", or a function of a Value, for a
            list of weights; none by default.
        names: what the inputs are called; by default their labels, or x₁, x₂, ….
        output: what the output is called, such as "y_hat" for ŷ.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        ValueError: if the numbers of inputs, names and weights differ, or there is no such
            operation.

    >>> names = ["fingers", "won", "fans"]
    >>> picture = draw_neuron([0.1, 0.2, 0.0], [8.5, 0.65, 1.2], names=names)
    >>> picture.title
    'A neuron'
    """
    canvas = Canvas(width, theme, lang)
    return _drawn(canvas, sketch_of(canvas, neuron, inputs, activation, None, names, output))


# ------------------------------------------------------------------------------------------ reading


def sketch_of(
    canvas: Canvas,
    neuron: Any,
    inputs: Iterable[Any] | None,
    activation: str | Callable[[Any], Any] | None,
    threshold: float | None,
    names: Sequence[str],
    output: str = "y",
    left: float = 0.0,
) -> Sketch:
    """What is drawn of a neuron or of a list of weights, between `left` and the right margin."""
    bias = None
    if isinstance(neuron, list | tuple):
        weights = list(neuron)
    else:
        ((read,),) = neurons.layers(neuron)
        weights, bias = list(read.weights), read.bias
        activation = activation_of(neuron) if activation is None else activation
    if isinstance(activation, str):
        operation_of(activation)
    if not weights:
        raise ValueError("a neuron has at least one weight")
    given = [None] * len(weights) if inputs is None else list(inputs)
    called = [*names] or [""] * len(weights)
    for what, listed in (("inputs", given), ("names", called)):
        if len(listed) != len(weights):
            raise ValueError(
                f"{len(weights)} weights need {len(weights)} {what}, got {len(listed)}"
            )
    count = range(1, len(weights) + 1)
    columns = [
        [
            (x, name or _label(x, f"x_{i}"), f"x_{i}")
            for x, name, i in zip(given, called, count, strict=True)
        ],
        [(w, _label(w, f"w_{i}"), f"w_{i}") for w, i in zip(weights, count, strict=True)],
        [(None, output, "y")],
    ]
    columns[1] += [] if bias is None else [(bias, _label(bias, "b"), "b")]
    activated = activation is not None or threshold is not None
    headers, gaps = _columns(canvas, activated)
    pills = [[_Part(named(label), _known(x)) for x, label, _ in each] for each in columns]
    needed = [
        max(header, *map(_pill_width, each))
        for header, each in zip((*headers[:2], headers[-1]), pills, strict=True)
    ]
    middle = sum(map(max, headers[2:-1], (2 * _SUM, _BOX[0])))
    rooms = shared(needed, canvas.width - left - 2 * MARGIN - middle - _LEAST * sum(gaps))
    inputs_, parts, (result,) = (
        [
            part._replace(name=name)
            for part, name in zip(
                each,
                canvas.names([c[1] for c in column], room - _PAD, [c[2] for c in column]),
                strict=True,
            )
        ]
        for each, column, room in zip(pills, columns, rooms, strict=True)
    )
    last = parts.pop() if bias is not None else None
    return Sketch(inputs_, parts, last, threshold, activation, result.name)


def _columns(canvas: Canvas, activated: bool) -> tuple[list[float], list[float]]:
    """The widths of the headers, and the gaps after all but the last, in units."""
    headers = [breadth(canvas.words[header], SMALL) for header in _headers(activated)]
    return headers, [1.0, 2.0, *([0.8] if activated else []), 0.8]  # the fan needs the most


def _headers(activated: bool) -> list[str]:
    return ["inputs", "weights", "sum", *(["activation"] if activated else []), "output"]


def _label(thing: Any, otherwise: str) -> str:
    """What an input or a weight is called."""
    return thing if isinstance(thing, str) else str(getattr(thing, "label", "") or otherwise)


def _known(thing: Any) -> float | None:
    return None if thing is None or isinstance(thing, str) else number(thing)


# ------------------------------------------------------------------------------------------ drawing


def _drawn(canvas: Canvas, told: Sketch) -> SvgDrawing:
    words = canvas.words
    bottom = draw_sketch(canvas, told, 0.0, 8.0)
    bottom = canvas.formulas(bottom + 8.0, formulas_of(told, words))
    title = words["neuron"]
    seen = words["neuron seen" if len(told.inputs) > 1 else "one input seen"].format(
        inputs=_listed(told.inputs, words), weights=_listed(told.weights, words)
    )
    out = told.output()
    if out is not None:
        seen += words["output seen"].format(output=digits(out))
    return canvas.drawing("a neuron", title, seen, bottom + 10.0)


def _listed(parts: Sequence[_Part], words: Mapping[str, str]) -> str:
    return words["next"].join(part.name.text for part in parts)


def draw_sketch(canvas: Canvas, told: Sketch, left: float, top: float) -> float:
    """Draw the neuron from `left` to the right margin; return the bottom."""
    words, rows = canvas.words, told.rows
    activated = told.activation is not None or told.threshold is not None
    columns = [max(_pill_width(pair[k]) for pair in rows if pair is not None) for k in (0, 1)]
    out = _Part(told.result, told.output())
    fixed = [*columns, 2 * _SUM, *([_BOX[0]] if activated else []), _pill_width(out)]
    headers, gaps = _columns(canvas, activated)
    fixed = [*map(max, fixed, headers)]
    free = canvas.width - left - 2 * MARGIN - sum(fixed)
    unit = max(free / sum(gaps), _LEAST)
    unit = min(unit, 70.0)
    start = left + MARGIN + max(0.0, (free - unit * sum(gaps)) / 2)
    middles, x = [], start
    for room, gap in zip(fixed, [*gaps, 0.0], strict=True):
        middles.append(x + room / 2)
        x += room + gap * unit
    for middle, header in zip(middles, _headers(activated), strict=True):
        canvas.text((middle, top + 8.0), words[header], "faint", size=SMALL)
    first = top + 20.0 + _PITCH / 2
    least = 2 * _SUM + 8.0 + (24.0 if activated else 0.0)
    height = max(_PITCH * len(rows), least)
    offset = (height - _PITCH * len(rows)) / 2
    centre = (middles[2], first - _PITCH / 2 + height / 2)
    for i, pair in enumerate(rows):
        y = first + offset + i * _PITCH
        if pair is None:
            for middle in middles[:2]:
                canvas.text((middle, y), "⋮", "faint", size=NAME)
            continue
        edge = middles[1] + columns[1] / 2
        canvas.line([(middles[0] + columns[0] / 2, y), (middles[1] - columns[1] / 2, y)])
        canvas.line([(edge, y), towards((edge, y), centre, _SUM)], tip=True)
        is_bias = told.bias is not None and i == len(rows) - 1
        roles = ("value_line", "value_fill") if is_bias else ("leaf_line", "leaf_fill")
        _pill(canvas, (middles[0], y), pair[0], columns[0], roles)
        _pill(canvas, (middles[1], y), pair[1], columns[1], ("weight_line", "weight_fill"))
    _middle(canvas, told, middles, centre, out)
    return first - _PITCH / 2 + height + (0.0 if len(rows) > 1 else 6.0)


def _middle(
    canvas: Canvas, told: Sketch, middles: Sequence[float], centre: Point, out: _Part
) -> None:
    """Draw the sum, the activation and the output."""
    y = centre[1]
    canvas.circle(centre, _SUM, "unit_line", "unit_fill")
    total = None if told.total is None else digits(told.total, 3)
    if total is None or breadth(total, SMALL) > 1.35 * _SUM:
        canvas.text(centre, "Σ", size=22.0)
    else:
        canvas.text((centre[0], y - 8.0), "Σ", size=18.0)
        canvas.text((centre[0], y + 12.0), total, size=SMALL)
    end = centre[0] + _SUM
    if len(middles) == 5:
        corner = (middles[3] - _BOX[0] / 2, y - _BOX[1] / 2)
        canvas.line([(end, y), (corner[0], y)], tip=True)
        canvas.box(corner, _BOX, "unit_line", "paper", 6.0)
        _thumbnail(canvas, told, (*corner, *_BOX))
        canvas.text((middles[3], y + _BOX[1] / 2 + 13.0), _activation_name(told), size=NAME)
        end = corner[0] + _BOX[0]
    across = _pill_width(out)
    canvas.line([(end, y), (middles[-1] - across / 2, y)], tip=True)
    _pill(canvas, (middles[-1], y), out, across, ("unit_line", "unit_fill"))


def _pill_width(part: _Part) -> float:
    number = 0.0 if part.number is None else breadth(digits(part.number), SMALL)
    return max(breadth(part.name, NAME), number, 22.0) + _PAD


def _pill(canvas: Canvas, at: Point, part: _Part, across: float, roles: tuple[str, str]) -> None:
    """A name, and its number below, in a box with round corners."""
    x, y = at
    canvas.box((x - across / 2, y - _PILL / 2), (across, _PILL), roles[0], roles[1], 10.0)
    if part.number is None:
        canvas.text(at, part.name, size=NAME)
    else:
        canvas.text((x, y - 9.0), part.name, size=NAME)
        canvas.text((x, y + 11.0), digits(part.number), size=SMALL)


def towards(start: Point, centre: Point, radius: float) -> Point:
    """Where a line from a point to the centre of a circle meets the circle."""
    along = complex(*start) - complex(*centre)
    edge = complex(*centre) + along / abs(along) * radius
    return edge.real, edge.imag


def _thumbnail(canvas: Canvas, told: Sketch, area: tuple[float, float, float, float]) -> None:
    """The curve of the activation in a box."""
    left, top, across, down = area

    def value(x: float) -> float:
        if told.threshold is not None:
            return float(x > 0)
        return evaluated(told.activation, x)

    known = [value(-4 + i / 10) for i in range(81)]
    frame = Frame(-4.0, 4.0, *fitted(known, least=0.5))
    for piece in pieces(value, frame, 60):
        if len(piece) > 1:
            canvas.line(
                [
                    (
                        left + 8.0 + (x + 4.0) / 8.0 * (across - 16.0),
                        top + 6.0 + (frame.top - y) / (frame.top - frame.bottom) * (down - 12.0),
                    )
                    for x, y in piece
                ],
                "unit_line",
                pen=2.0,
            )


def _activation_name(told: Sketch) -> Formula:
    z = named("z")
    if told.threshold is not None:
        mark = ("mrow", z.mark, ("mo", ">"), ("mtext", digits(told.threshold)))
        return Formula(f"z > {digits(told.threshold)}", mark)
    name = written(told.activation, z)
    return name if breadth(name, NAME) <= 90.0 else called("f", z)


def formulas_of(told: Sketch, words: Any) -> list[Formula]:
    """The weighted sum and the output, with their numbers where they are known."""
    z, y = named("z"), told.result
    pairs = list(zip(told.weights, told.inputs, strict=True))
    if len(pairs) > MOST_ROWS:
        terms = [notation.product([w.name, x.name]) for w, x in pairs[:2]]
        last = notation.product([pairs[-1][0].name, pairs[-1][1].name])
        terms = [*terms, notation.words("…"), last]
    else:
        terms = [notation.product([w.name, x.name]) for w, x in pairs]
    if told.bias is not None:
        terms.append(told.bias.name)
    activated = told.activation is not None or told.threshold is not None
    sides = [z if activated else y, notation.total(terms)]
    total, out = told.total, told.output()
    if total is not None:
        sides.append(notation.number(_rounded(total)))
    lines = [notation.equation(sides)]
    if told.threshold is not None:
        rule = words["fires"].format(threshold=digits(told.threshold))
        lines.append(notation.equation([y, notation.words(rule)]))
    elif told.activation is not None:
        sides = [y, written(told.activation, z)]
        if out is not None:
            sides.append(notation.number(_rounded(out)))
        lines.append(notation.equation(sides))
    return lines


def _rounded(x: float) -> float:
    return float(f"{x:.4g}") if math.isfinite(x) else x
