"""Layers as fully connected circles, and weights and outputs as matrices with their shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from micrograd.drawing import neurons
from micrograd.drawing.neurons import Neuron
from micrograd.drawing.schematics.canvas import (
    MARGIN,
    NAME,
    SMALL,
    Canvas,
    Words,
    breadth,
    digits,
    name_within,
    size_of,
)
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.engine.value import Value
from micrograd.ops import TABLE
from micrograd.writing.names import indexed
from micrograd.writing.notation import Formula, named

MOST_CIRCLES = 8  # in a column; of more, the first and the last are drawn
MOST_ENTRIES = 6  # of a row or column of a matrix that are shown

_RADIUS, _PITCH = 19.0, 50.0


def draw_layers(
    model: Any,
    *,
    numbers: bool = False,
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
        numbers: whether to write the weights and biases of a model below it, as matrices.
        names: what the inputs are called; x₁, x₂, … by default.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        TypeError: if the model is not shaped like one.
        ValueError: if there are no layers, too many for the width, or as many names as inputs.

    >>> draw_layers([4, 3, 3]).title
    'A network 4–3–3'
    """
    canvas = Canvas(width, theme, lang)
    sizes, columns = _sizes(model)
    if names and len(names) != sizes[0]:
        raise ValueError(f"{sizes[0]} inputs need {sizes[0]} names, got {len(names)}")
    most = int((canvas.width - 2 * MARGIN) / 100) + 1
    if not 2 <= len(sizes) <= most:
        raise ValueError(f"in {width:g} pixels there is room for 1 to {most - 1} layers")
    names = [name_within(name, 0.2 * canvas.width).text for name in names]
    bottom = _network(canvas, sizes, columns, names)
    if numbers and columns:
        for k, column in enumerate(columns, 1):
            equation = _parameters(column, k if len(columns) > 1 else 0, _room(canvas))
            bottom = draw_matrices_in_rows(canvas, bottom + 14.0, equation)
    shape = "–".join(map(str, sizes))
    seen = canvas.words["layers seen"].format(
        sizes=canvas.words["next"].join(map(str, sizes)), count=_weights(sizes)
    )
    title = canvas.words["layers"].format(sizes=shape)
    return canvas.drawing("layers", title, seen, bottom + 10.0)


def draw_matrices(
    model: Any,
    X: Iterable[Sequence[Any]],  # noqa: N803 (as in nn)
    *,
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw what each layer computes for a batch as matrices, with their numbers and shapes.

    Each row of X is a sample, and each row of W holds the weights of a neuron, so that the weighted
    sums are Z = X Wᵀ + b, and each row of Z belongs to a sample. Of large matrices the first rows
    and columns and the last ones are shown.

    Args:
        model: an object with `.layers`, whose members have `.neurons`, which have `.w` and `.b`; or
            a layer or a neuron alone.
        X: the samples, one row for each.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        TypeError: if the model is not shaped like one.
        ValueError: if X has no rows, or rows of another length than the model takes.

    >>> from nn import Layer
    >>> draw_matrices(Layer(4, 3, nonlin=False), [[1, 2, 3, 2.5]]).title
    'A layer in matrices'
    """
    canvas = Canvas(width, theme, lang)
    columns = [column for column in neurons.layers(model) if column]
    rows = [[float(getattr(x, "data", x)) for x in row] for row in X]
    count = len(columns[0][0].weights)
    if not rows or any(len(row) != count for row in rows):
        raise ValueError(f"X has rows of {count} numbers, one for each input, and at least one row")
    top, held, name, room = 10.0, rows, "X", _room(canvas)
    several = len(columns) > 1
    for k, column in enumerate(columns, 1):
        above = f"^({k})" if several else ""
        if several:
            canvas.text(
                (MARGIN, top + 10.0),
                canvas.words["layer"].format(layer=k),
                anchor="start",
                bold=True,
            )
            top += 26.0
        sums = [[_sum(neuron, row) for neuron in column] for row in held]
        activate = _activation(_of_layer(model, k - 1))
        equation: list[Words | _Matrix] = [_matrix(name, held, room), "·"]
        weights = [[float(w.data) for w in neuron.weights] for neuron in column]
        # Transposed as it is used: a column for each neuron.
        equation.append(_matrix(f"W^{{({k})T}}" if several else "W^T", _transposed(weights), room))
        if any(neuron.bias is not None for neuron in column):
            equation += ["+", _matrix(f"b{above}", [[_bias(neuron) for neuron in column]], room)]
        result = _matrix(f"Z{above}", sums, room)
        top = draw_matrices_in_rows(canvas, top, [*equation, "=", result]) + 14.0
        held, name = sums, f"Z{above}"
        if activate is not None:
            held = [[activate[1](z) for z in row] for row in sums]
            name = f"H{above}" if k < len(columns) else "Y"
            applied = _applied(activate[0], named(f"Z{above}"))
            both: list[Words | _Matrix] = [applied, "=", _matrix(name, held, room)]
            top = draw_matrices_in_rows(canvas, top, both) + 14.0
    words = canvas.words
    title = words["matrices" if several else "matrix"].format(count=len(columns))
    shapes = f"{len(rows)}×{count}"
    out = f"{len(held)}×{len(held[0])}"
    seen = words["matrices seen"].format(inputs=shapes, outputs=out)
    return canvas.drawing("matrices", title, seen, top)


# -------------------------------------------------------------------------------------------- model


def _sizes(model: Any) -> tuple[list[int], list[list[Neuron]]]:
    """The numbers of inputs and neurons, and the neurons themselves, if it is not numbers only."""
    if isinstance(model, list | tuple) and all(isinstance(each, int) for each in model):
        if any(each < 1 for each in model):
            raise ValueError(f"each layer has at least one neuron, got {list(model)}")
        return list(model), []
    columns = [column for column in neurons.layers(model) if column]
    return [len(columns[0][0].weights), *map(len, columns)], columns


def _of_layer(model: Any, k: int) -> Any:
    """The first neuron of a layer, which knows its activation."""
    if hasattr(model, "layers"):
        layer = [part for part in model.layers if hasattr(part, "neurons")][k]
        return layer.neurons[0]
    return model.neurons[0] if hasattr(model, "neurons") else model


def _activation(neuron: Any) -> tuple[str, Callable[[float], float]] | None:
    """The name and the function of an activation; None for a linear neuron."""
    if not getattr(neuron, "nonlin", True):
        return None
    activation = getattr(neuron, "activation", None)
    if isinstance(activation, str):
        row = TABLE[activation]
        return ("σ" if activation == "sigmoid" else activation), row.value
    if callable(activation):
        name = getattr(activation, "__name__", "f")
        return ("f" if "<" in name else name), lambda z: _number(activation(Value(z)))
    return None


def _applied(function: str, name: Formula) -> Formula:
    """A function of a matrix."""
    mark = ("mrow", ("func", function), ("fence", "(", name.mark, ")"))
    return Formula(f"{function}({name.text})", mark)


def _number(x: Any) -> float:
    return float(getattr(x, "data", x))


def _bias(neuron: Neuron) -> float:
    return 0.0 if neuron.bias is None else float(neuron.bias.data)


def _sum(neuron: Neuron, row: Sequence[float]) -> float:
    total = _bias(neuron)
    for w, x in zip(neuron.weights, row, strict=True):
        total += float(w.data) * x
    return total


def _weights(sizes: Sequence[int]) -> int:
    return sum(m * n for m, n in pairwise(sizes))


# ------------------------------------------------------------------------------------------ network


def _network(
    canvas: Canvas, sizes: Sequence[int], columns: list[list[Neuron]], names: Sequence[str]
) -> float:
    """Draw circles and lines, with names, and the shapes below; return the bottom."""
    words = canvas.words
    shown = [_shown(size) for size in sizes]
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

    largest = [
        max((abs(float(w.data)) for neuron in column for w in neuron.weights), default=0.0)
        for column in columns
    ]
    for k in range(len(sizes) - 1):
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
                canvas.boxed(place(k, i), name, roles, (across, 2 * _RADIUS))
            else:
                canvas.circle(place(k, i), _RADIUS, *roles)
                canvas.text(place(k, i), name, size=NAME)
    bottom = middle + _PITCH * tallest / 2 + 6.0
    return _shapes(canvas, sizes, columns, bottom, (left, step))


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


def _shown(size: int) -> list[int | None]:
    if size <= MOST_CIRCLES:
        return list(range(size))
    return [*range(MOST_CIRCLES - 2), None, size - 1]


def _edge(start: Point, end: Point, label: str) -> Point:
    """Where a line from the middle of a circle, or of the box of a long label, leaves it."""
    half = (breadth(named(label), NAME) + 12.0) / 2
    if half > _RADIUS:
        return start[0] + math.copysign(half, end[0] - start[0]), start[1]
    along = complex(*end) - complex(*start)
    at = complex(*start) + along / abs(along) * _RADIUS
    return at.real, at.imag


# ----------------------------------------------------------------------------------------- matrices


class _Matrix(NamedTuple):
    """A matrix: its name, its shape, and the cells that are shown."""

    name: Formula
    shape: str
    rows: tuple[tuple[str, ...], ...]


def _matrix(name: str, rows: Sequence[Sequence[float]], room: float) -> _Matrix:
    """A matrix with so many columns and digits as fit into the room."""
    shape = f"{len(rows)}×{len(rows[0])}"
    for most, count in ((MOST_ENTRIES, 4), (MOST_ENTRIES, 3), (5, 3), (4, 3), (3, 2)):
        cells = [
            [
                each if isinstance(each, str) else digits(each, count)
                for each in _elided(row, most, "⋯")
            ]
            for row in (
                rows if len(rows) <= MOST_ENTRIES else [*rows[: MOST_ENTRIES - 2], rows[-1]]
            )
        ]
        if len(rows) > MOST_ENTRIES:
            cells.insert(MOST_ENTRIES - 2, ["⋮"] * len(cells[0]))
        matrix = _Matrix(named(name), shape, tuple(map(tuple, cells)))
        if _across(matrix) <= room:
            break
    return matrix


def _elided(entries: Sequence[Any], most: int, mark: Any) -> list[Any]:
    if len(entries) <= most:
        return list(entries)
    return [*entries[: most - 2], mark, entries[-1]]


def _transposed(rows: Sequence[Sequence[float]]) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _room(canvas: Canvas) -> float:
    """The room for a matrix beside its name or a sign."""
    return canvas.width - 2 * MARGIN - 70.0


def _parameters(column: Sequence[Neuron], layer: int, room: float) -> list[Words | _Matrix]:
    """The weights and biases of a layer, a row for each neuron."""
    above = f"^({layer})" if layer else ""
    weights = [[float(w.data) for w in neuron.weights] for neuron in column]
    found: list[Words | _Matrix] = [named(f"W{above}"), "=", _matrix("", weights, room)]
    if any(neuron.bias is not None for neuron in column):
        found += [named(f"b{above}"), "="]
        found.append(_matrix("", [[_bias(neuron)] for neuron in column], room))
    return found


_CELL, _BRACKET = 22.0, 8.0


def draw_matrices_in_rows(canvas: Canvas, top: float, pieces: Sequence[Words | _Matrix]) -> float:
    """Draw matrices with signs between them, in as many rows as the width needs."""
    room = canvas.width - 2 * MARGIN
    rows: list[list[Words | _Matrix]] = [[]]
    free = room
    waiting: list[Words | _Matrix] = []  # signs that go with the matrix that follows
    for piece in pieces:
        waiting.append(piece)
        if not isinstance(piece, _Matrix):
            continue
        across = sum(map(_across, waiting))
        if across > free and rows[-1]:
            rows.append([])
            free = room
        rows[-1] += waiting
        free -= across
        waiting = []
    rows[-1] += waiting
    for row in rows:
        height = max((_height(piece) for piece in row), default=0.0)
        has_names = any(isinstance(p, _Matrix) and p.name.text for p in row)
        middle = top + (22.0 if has_names else 4.0) + height / 2
        x = MARGIN
        for piece in row:
            across = _across(piece)
            if isinstance(piece, _Matrix):
                _draw_matrix(canvas, piece, x, middle, across)
            else:
                canvas.text((x + across / 2, middle), piece, size=size_of(piece))
            x += across
        top = middle + height / 2 + (30.0 if any(isinstance(p, _Matrix) for p in row) else 6.0)
    return top


def _columns(matrix: _Matrix) -> list[float]:
    return [
        max(breadth(cell, 14.0) for cell in column) + 10.0
        for column in zip(*matrix.rows, strict=True)
    ]


def _across(piece: Words | _Matrix) -> float:
    if isinstance(piece, _Matrix):
        inner = sum(_columns(piece)) + 2 * _BRACKET
        return max(inner, breadth(piece.name, NAME), breadth(piece.shape, SMALL)) + 8.0
    return breadth(piece, size_of(piece)) + 8.0


def _height(piece: Words | _Matrix) -> float:
    return _CELL * len(piece.rows) if isinstance(piece, _Matrix) else _CELL


def _draw_matrix(
    canvas: Canvas, matrix: _Matrix, left: float, middle: float, across: float
) -> None:
    """Draw a matrix with its name above and its shape below."""
    centre = left + across / 2
    widths, height = _columns(matrix), _height(matrix)
    inner = sum(widths)
    edge = centre - inner / 2
    top, bottom = middle - height / 2, middle + height / 2
    for side, inward in ((edge - 4.0, 5.0), (edge + inner + 4.0, -5.0)):
        corner = side + inward
        canvas.line([(corner, top), (side, top), (side, bottom), (corner, bottom)], "ink", pen=1.3)
    for i, row in enumerate(matrix.rows):
        x = edge
        for cell, room in zip(row, widths, strict=True):
            anchor = "middle" if cell in ("⋯", "⋮") else "end"
            place = x + (room / 2 if anchor == "middle" else room - 5.0)
            canvas.text((place, top + _CELL * (i + 0.5)), cell, anchor=anchor)
            x += room
    if matrix.name.text:
        canvas.text((centre, top - 12.0), matrix.name, size=NAME)
    canvas.text((centre, bottom + 12.0), matrix.shape, "faint", size=SMALL)
