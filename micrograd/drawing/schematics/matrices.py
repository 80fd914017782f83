"""Matrices with their numbers and shapes: the parameters of a layer, and what layers compute."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from micrograd.drawing import neurons
from micrograd.drawing.neurons import Neuron
from micrograd.drawing.schematics.activations import activation_of, evaluated, written
from micrograd.drawing.schematics.canvas import (
    MARGIN,
    NAME,
    SMALL,
    Canvas,
    Words,
    abridged,
    breadth,
    digits,
    number,
    size_of,
)
from micrograd.drawing.svg_elements import SvgDrawing
from micrograd.drawing.themes import Theme
from micrograd.writing.names import indexed
from micrograd.writing.notation import Formula, named

MOST_ENTRIES = 6  # of a row or column of a matrix that are shown

Rows = Sequence[Sequence[float]]
_Entries = Sequence[Sequence[float | Formula]]


def draw_matrices(
    model: Any,
    X: Iterable[Sequence[Any]],  # noqa: N803 (as in nn)
    *,
    lang: str = "en",
    theme: str | Theme = "light",
    width: float = 700,
) -> SvgDrawing:
    """Draw what each layer computes for a batch as matrices, with their numbers and shapes.

    As in `nn.derivations.explain_layers`, each column of X, Z and H is a sample, and each row of W
    holds the weights of a neuron: Z = W X + b. Of large matrices the first rows and columns and the
    last ones are shown.

    Args:
        model: an object with `.layers`, whose members have `.neurons`, which have `.w` and `.b`; or
            a layer or a neuron alone.
        X: the samples, of shape (samples, inputs), as in `fit`.
        lang: the language of the words, "en" or "zh".
        theme: "light", "dark", "print", "auto" or a `Theme`; "auto" follows the reader's scheme.
        width: the width in pixels at which it will be read.

    Returns:
        A drawing, which shows itself in a notebook; `.write(path)` writes an .svg or a .png.

    Raises:
        TypeError: if the model is not shaped like one.
        ValueError: if X has no samples, or samples whose length does not fit the model.

    >>> from nn import Layer
    >>> draw_matrices(Layer(4, 3, nonlin=False), [[1, 2, 3, 2.5]]).title
    'A layer in matrices'
    """
    canvas = Canvas(width, theme, lang)
    words = canvas.words
    columns = [column for column in neurons.layers(model) if column]
    samples = [[number(x) for x in row] for row in X]
    count = len(columns[0][0].weights)
    if not samples or any(len(row) != count for row in samples):
        raise ValueError(f"X has samples of {count} numbers, one for each input, and at least one")
    held, name, top = _transposed(samples), "X", 10.0
    several = len(columns) > 1
    for k, column in enumerate(columns, 1):
        if several:
            title = words["layer"].format(layer=k)
            canvas.text((MARGIN, top + 10.0), title, anchor="start", bold=True)
            top += 26.0
        last = "Y_hat" if k == len(columns) else f"H^({k})"
        top, held = _layer(canvas, top, (k if several else 0, column), (name, held), last)
        name = last
    title = words["matrices" if several else "matrix"].format(count=len(columns))
    seen = words["matrices seen"].format(
        inputs=f"{count}×{len(samples)}", outputs=f"{len(held)}×{len(samples)}"
    )
    return canvas.drawing("matrices", title, seen, top)


def _layer(
    canvas: Canvas,
    top: float,
    layer: tuple[int, Sequence[Neuron]],
    given: tuple[str, Rows],
    result: str,
) -> tuple[float, list[list[float]]]:
    """Draw the equations of a layer; return the bottom, and its outputs by sample."""
    (k, column), (name, held), room = layer, given, room_for(canvas)
    above = f"^({k})" if k else ""
    activation = activation_of(column[0].source)
    weights = [[float(w.data) for w in each.weights] for each in column]
    biases = [[0.0 if each.bias is None else float(each.bias.data)] for each in column]
    inputs = _transposed(held)
    sums = [
        [sum((w * x for w, x in zip(row, sample, strict=True)), bias) for sample in inputs]
        for row, (bias,) in zip(weights, biases, strict=True)
    ]
    equation: list[Words | Matrix] = [
        matrix_of(f"W{above}", weights, room),
        "·",
        matrix_of(name, held, room),
    ]
    if any(each.bias is not None for each in column):
        equation += ["+", matrix_of(f"b{above}", biases, room)]
    if activation is None:
        bottom = draw_equation(canvas, top, [*equation, "=", matrix_of(result, sums, room)])
        return bottom + 14.0, sums
    bottom = draw_equation(canvas, top, [*equation, "=", matrix_of(f"Z{above}", sums, room)])
    outputs = [[evaluated(activation, z) for z in row] for row in sums]
    applied: list[Words | Matrix] = [written(activation, named(f"Z{above}")), "="]
    applied.append(matrix_of(result, outputs, room))
    return draw_equation(canvas, bottom + 8.0, applied) + 14.0, outputs


def _transposed(rows: Rows) -> list[list[float]]:
    return [list(column) for column in zip(*rows, strict=True)]


def parameters(
    column: Sequence[Neuron], sizes: tuple[int, int], layer: int, room: float
) -> list[Words | Matrix]:
    """The weights and biases of a layer, a row for each neuron; names where there are no neurons.

    `sizes` are the numbers of its inputs and its neurons, and `layer` is 0 if there is only one.
    """
    above = f"^({layer})" if layer else ""
    weights: _Entries = [[float(w.data) for w in neuron.weights] for neuron in column]
    biases: _Entries = [[float(each.bias.data)] for each in column if each.bias is not None]
    if not column:
        before, after = (range(1, size + 1) for size in sizes)
        weights = [[named(indexed(f"w{above}", i, j)) for j in before] for i in after]
        biases = [[named(indexed(f"b{above}", i))] for i in after]
    found: list[Words | Matrix] = [named(f"W{above}"), "=", matrix_of("", weights, room)]
    if biases:
        found += [named(f"b{above}"), "=", matrix_of("", biases, room)]
    return found


# ----------------------------------------------------------------------------------------- drawing


def room_for(canvas: Canvas) -> float:
    """The room for a matrix beside its name or a sign."""
    return canvas.width - 2 * MARGIN - 70.0


class Matrix(NamedTuple):
    """A matrix: its name, its shape, and the cells that are shown."""

    name: Formula
    shape: str
    rows: tuple[tuple[Words, ...], ...]

    @property
    def pitch(self) -> float:
        """The distance of two rows."""
        return 22.0 if all(isinstance(cell, str) for row in self.rows for cell in row) else 28.0


def matrix_of(name: str, rows: _Entries, room: float) -> Matrix:
    """A matrix of numbers or names, with as many columns and digits as fit into the room."""
    shape = f"{len(rows)}×{len(rows[0])}"
    shown = abridged(rows, MOST_ENTRIES, None)
    for most, count in ((MOST_ENTRIES, 4), (MOST_ENTRIES, 3), (5, 3), (4, 3), (3, 2)):
        across = min(len(rows[0]), most)
        cells = [["⋮"] * across if row is None else _cells(row, most, count) for row in shown]
        matrix = Matrix(named(name), shape, tuple(map(tuple, cells)))
        if _across(matrix) <= room:
            break
    return matrix


def _cells(row: Sequence[float | Formula], most: int, count: int) -> list[Words]:
    cells = abridged(row, most, "⋯")
    return [each if isinstance(each, str | Formula) else digits(each, count) for each in cells]


_BRACKET = 8.0


def draw_equation(canvas: Canvas, top: float, pieces: Sequence[Words | Matrix]) -> float:
    """Draw matrices with signs between them, in as many rows as the width needs."""
    room = canvas.width - 2 * MARGIN
    rows: list[list[Words | Matrix]] = [[]]
    free = room
    waiting: list[Words | Matrix] = []  # signs that go with the matrix that follows
    for piece in pieces:
        waiting.append(piece)
        if not isinstance(piece, Matrix):
            continue
        across = sum(map(_across, waiting))
        if across > free and rows[-1]:
            rows.append([])
            free = room
        if across > room and len(waiting) > 1:  # no room for the signs in the same row
            rows[-1] += waiting[:-1]
            rows.append([])
            waiting, across = waiting[-1:], _across(piece)
        rows[-1] += waiting
        free -= across
        waiting = []
    rows[-1] += waiting
    for row in rows:
        height = max((_height(piece) for piece in row), default=0.0)
        has_names = any(isinstance(p, Matrix) and p.name.text for p in row)
        middle = top + (22.0 if has_names else 4.0) + height / 2
        x = MARGIN
        for piece in row:
            across = _across(piece)
            if isinstance(piece, Matrix):
                _draw_matrix(canvas, piece, x, middle, across)
            else:
                canvas.text((x + across / 2, middle), piece, size=size_of(piece))
            x += across
        top = middle + height / 2 + (30.0 if any(isinstance(p, Matrix) for p in row) else 6.0)
    return top


def _columns(matrix: Matrix) -> list[float]:
    return [
        max(breadth(cell, size_of(cell)) for cell in column) + 10.0
        for column in zip(*matrix.rows, strict=True)
    ]


def _across(piece: Words | Matrix) -> float:
    if isinstance(piece, Matrix):
        inner = sum(_columns(piece)) + 2 * _BRACKET
        return max(inner, breadth(piece.name, NAME), breadth(piece.shape, SMALL)) + 8.0
    return breadth(piece, size_of(piece)) + 8.0


def _height(piece: Words | Matrix) -> float:
    return piece.pitch * len(piece.rows) if isinstance(piece, Matrix) else 22.0


def _draw_matrix(canvas: Canvas, matrix: Matrix, left: float, middle: float, across: float) -> None:
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
            anchor = "middle" if cell in ("⋯", "⋮") or isinstance(cell, Formula) else "end"
            at = (
                x + (room / 2 if anchor == "middle" else room - 5.0),
                top + matrix.pitch * (i + 0.5),
            )
            canvas.text(at, cell, size=size_of(cell), anchor=anchor)
            x += room
    if matrix.name.text:
        canvas.text((centre, top - 12.0), matrix.name, size=NAME)
    canvas.text((centre, bottom + 12.0), matrix.shape, "faint", size=SMALL)
