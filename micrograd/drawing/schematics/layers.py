"""Layers as columns of circles that are fully connected."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from micrograd.drawing import neurons
from micrograd.drawing.neurons import Neuron
from micrograd.drawing.schematics import matrices
from micrograd.drawing.schematics.canvas import MARGIN, NAME, Canvas, Words, abridged, breadth
from micrograd.drawing.schematics.neurons import towards
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing.names import indexed
from micrograd.writing.notation import Formula, named

MOST_CIRCLES = 8  # in a column; of more, the first and the last are drawn

_RADIUS, _PITCH = 19.0, 50.0


def draw_layers(
    model: Any,
    *,
    parameters: bool = False,
    names: Sequence[str] = (),
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw layers as columns of circles, each joined to all of the next, with their parameters.

    The lines of a model show the signs of its weights by colour, negative ones dashed, and their
    sizes by thickness. For a network of many neurons see `draw_network`.

    Args:
        model: an object with `.layers`, whose members have `.neurons`, which have `.w` and `.b`; or
            a layer or a neuron alone; or the numbers of inputs and neurons, such as `[4, 3, 3]`.
        parameters: whether to write the weights and biases below it, as matrices: the numbers of a
            model, or names if only sizes are given.
        names: what the inputs are called; x₁, x₂, … by default.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        TypeError: if the model is not shaped like one.
        ValueError: if there are no layers or too many for the width, or if there are not as many
            names as inputs.

    >>> draw_layers([4, 3, 3]).title
    'A 4–3–3 network'
    """
    canvas = Canvas(width, theme, lang)
    sizes, columns = _sizes(model)
    if names and len(names) != sizes[0]:
        raise ValueError(f"{sizes[0]} inputs need {sizes[0]} names, got {len(names)}")
    most = int((canvas.width - 2 * MARGIN) / 100) + 1
    if not 2 <= len(sizes) <= most:
        raise ValueError(f"in {width:g} pixels there is room for 1 to {most - 1} layers")
    room = 0.2 * canvas.width
    symbols = [f"x_{i + 1}" for i in range(len(names))]
    names = [name.text for name in canvas.names(names, room, symbols)]
    bottom = _network(canvas, sizes, columns, names)
    if parameters:
        for k, pair in enumerate(pairwise(sizes)):
            layer = k + 1 if len(sizes) > 2 else 0
            column = columns[k] if columns else []
            equation = matrices.parameters(column, pair, layer, matrices.room_for(canvas))
            bottom = matrices.draw_equation(canvas, bottom + 14.0, equation)
    shape = "–".join(map(str, sizes))
    seen = canvas.words["layers seen"].format(
        sizes=canvas.words["next"].join(map(str, sizes)),
        count=sum(before * after for before, after in pairwise(sizes)),
    )
    title = canvas.words["layers"].format(sizes=shape)
    return canvas.drawing("layers", title, seen, bottom + 10.0)


# -------------------------------------------------------------------------------------------- model


def _sizes(model: Any) -> tuple[list[int], list[list[Neuron]]]:
    """The numbers of inputs and neurons, and the neurons themselves, if it is not numbers only."""
    if isinstance(model, list | tuple) and all(isinstance(each, int) for each in model):
        if any(each < 1 for each in model):
            raise ValueError(f"each layer has at least one neuron, got {list(model)}")
        return list(model), []
    columns = [column for column in neurons.layers(model) if column]
    return [len(columns[0][0].weights), *map(len, columns)], columns


# ------------------------------------------------------------------------------------------ network


def _network(
    canvas: Canvas, sizes: Sequence[int], columns: list[list[Neuron]], names: Sequence[str]
) -> float:
    """Draw circles and lines, with names, and the shapes below; return the bottom."""
    words = canvas.words
    shown = [abridged(range(size), MOST_CIRCLES, None) for size in sizes]
    labels = [_labels(k, sizes, names) for k in range(len(sizes))]
    inset = max(breadth(named(name), NAME) for name in labels[0]) if names else 2 * _RADIUS
    left = MARGIN + max(inset / 2 + (6.0 if names else 0.0), _RADIUS, 34.0)
    right = canvas.width - MARGIN - 34.0
    step = min((right - left) / (len(sizes) - 1), 250.0)
    left += (right - left - step * (len(sizes) - 1)) / 2
    tallest = max(map(len, shown))
    middle = 32.0 + _PITCH * tallest / 2

    def place(k: int, i: int) -> Point:
        return left + step * k, middle + _PITCH * (i - (len(shown[k]) - 1) / 2)

    _lines(canvas, columns, shown, labels, place)
    for k, places in enumerate(shown):
        x = left + step * k
        title = words["inputs"] if k == 0 else words["layer"].format(layer=k)
        canvas.text((x, 16.0), title)
        for i, place_ in enumerate(places):
            if place_ is None:
                canvas.text(place(k, i), "⋮", "faint", size=NAME)
                continue
            roles = ("leaf_line", "leaf_fill") if k == 0 else ("unit_line", "unit_fill")
            name = named(labels[k][place_])
            across = breadth(name, NAME) + 12.0
            if across > 2 * _RADIUS:
                corner = (x - across / 2, place(k, i)[1] - _RADIUS)
                canvas.box(corner, (across, 2 * _RADIUS), *roles, 8.0)
            else:
                canvas.circle(place(k, i), _RADIUS, *roles)
            canvas.text(place(k, i), name, size=NAME)
    bottom = middle + _PITCH * tallest / 2 + 6.0
    return _shapes(canvas, sizes, columns, bottom, (left, step))


def _lines(
    canvas: Canvas,
    columns: list[list[Neuron]],
    shown: list[list[int | None]],
    labels: list[list[str]],
    place: Callable[[int, int], Point],
) -> None:
    """Draw a line for each weight."""
    largest = [
        max((abs(float(w.data)) for neuron in column for w in neuron.weights), default=0.0)
        for column in columns
    ]
    for k in range(len(shown) - 1):
        for i, tail in enumerate(shown[k]):
            for j, head in enumerate(shown[k + 1]):
                if tail is None or head is None:
                    continue
                color, pen, dashes = "line", 1.2, ""
                if columns:
                    weight = float(columns[k][head].weights[tail].data)
                    pen = 0.6 + 2.4 * abs(weight) / (largest[k] or 1.0)
                    color = "negative" if weight < 0 else "positive"
                    dashes = "5 3" if weight < 0 else ""
                start, end = place(k, i), place(k + 1, j)
                ends = (labels[k][tail], labels[k + 1][head])
                canvas.line(
                    [_edge(start, end, ends[0]), _edge(end, start, ends[1])],
                    color,
                    pen=pen,
                    dashes=dashes,
                )


def _shapes(
    canvas: Canvas,
    sizes: Sequence[int],
    columns: list[list[Neuron]],
    top: float,
    places: tuple[float, float],
) -> float:
    """Write the shapes of weights and biases below the lines; return the bottom."""
    texts: list[list[Formula]] = []
    for k, (before, after) in enumerate(pairwise(sizes)):
        above = f"^({k + 1})" if len(sizes) > 2 else ""
        texts.append([_shaped(f"W{above}", f"{after}×{before}")])
        if not columns or any(neuron.bias is not None for neuron in columns[k]):
            texts[-1].append(_shaped(f"b{above}", f"{after}"))
    left, step = places
    if max(breadth(text, NAME) for each in texts for text in each) > step - 10.0:
        for each in texts:  # no room beside each other
            line: list[Words] = [part for text in each for part in (text, "   ")]
            top = canvas.paragraph(top, line)
        return top
    for k, each in enumerate(texts):
        for i, text in enumerate(each):
            canvas.text((left + step * (k + 0.5), top + 12.0 + 24.0 * i), text, size=NAME)
    return top + 24.0 * max(map(len, texts))


def _shaped(name: str, shape: str) -> Formula:
    formula = named(name)
    mark = ("mrow", formula.mark, ("mtext", f": {shape}"))
    return Formula(f"{formula.text}: {shape}", mark)


def _labels(k: int, sizes: Sequence[int], names: Sequence[str]) -> list[str]:
    """What the circles of a column are called: x, h and y, with the layer if there are several."""
    size = sizes[k]
    if k == 0:
        return [*names] or [indexed("x", i) for i in range(1, size + 1)]
    if k == len(sizes) - 1:
        return [indexed("y", i) for i in range(1, size + 1)] if size > 1 else ["y"]
    above = f"^({k})" if len(sizes) > 3 else ""
    return [f"h{above}_{i}" if size < 10 else f"h{above}_{{{i}}}" for i in range(1, size + 1)]


def _edge(start: Point, end: Point, label: str) -> Point:
    """Where a line from the middle of a circle, or of the box of a long label, leaves it."""
    half = (breadth(named(label), NAME) + 12.0) / 2
    if half > _RADIUS:
        return start[0] + math.copysign(half, end[0] - start[0]), start[1]
    return towards(end, start, _RADIUS)
