"""`draw_network(model)`: a network as columns of neurons joined by lines for the weights.

It is meant for models whose graph has far too many values to be drawn. The SVG needs no renderer.
Inputs and neurons are circles. The colour of a line shows the sign of the weight; its width and
opacity show the size of the weight, compared with the largest one in that layer.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from micrograd.derivation.naming import label_of, variable_names
from micrograd.drawing.metrics import text_width
from micrograd.drawing.neurons import Neuron, applications, layers
from micrograd.drawing.schematics.axes import legend
from micrograd.drawing.schematics.canvas import SMALL, Canvas
from micrograd.drawing.svg_elements import Point, SvgDrawing
from micrograd.drawing.themes import Theme, blend
from micrograd.engine.graph import order
from micrograd.engine.value import Value
from micrograd.writing import languages
from micrograd.writing.labels import one_line
from micrograd.writing.names import typeset
from micrograd.writing.notation import named
from micrograd.writing.numbers import as_float, brief

MOST_LINES = 320
MOST_CIRCLES = 24  # in one column

_RADIUS, _ROW, _MARGIN = 8, 24, 24
_COLUMN, _NARROW, _WIDTH = 230, 110, 700  # a column, at most and at least, for this whole width

_Numbers = list[float | None]  # a number for each circle of a column; None if it is not known


def draw_network(
    model: Any,
    *,
    sample: Iterable[Any] | None = None,
    names: Mapping[str, Any] | None = None,
    theme: str | Theme = "light",
    lang: str = "en",
) -> SvgDrawing:
    """Draw the neurons of a model by layer, and the weights between them.

    If there are many weights, only the strongest are drawn; if there are many neurons in a layer,
    only the first and the last. A caption says how many are left out.
    `draw_layers` draws a small network larger, with names, shapes and numbers.

    Args:
        model: any object with `.layers`, whose members have `.neurons`, which have `.w` and `.b`;
            or a layer or a neuron alone.
        sample: a list of inputs. The model is applied to it, and the neurons are filled by their
            activations. Inputs that are Values are called by their labels, and others x₁, x₂, ….
        names: the caller's variables, such as `locals()`, for Values of the sample without a label.
        theme: "light", "dark", "print" or a `Theme`.
        lang: the language of the words, "en" or "zh".

    Returns:
        An SVG, which shows itself in a notebook; `.write(path)` writes it to a file.

    >>> from nn import MLP
    >>> draw_network(MLP(2, [16, 16, 1]), sample=[0.5, -1.0])  # doctest: +ELLIPSIS
    <a drawing of a network, ... characters of SVG>
    """
    canvas = Canvas(_WIDTH, theme, lang)
    columns = [column for column in layers(model) if column]
    taken = [] if sample is None else list(sample)
    values = None if sample is None else _activations(model, columns, taken)
    labels = _labels(taken, names, len(columns[0][0].weights))
    return _Drawing(canvas, columns, values, labels).drawing()


# ------------------------------------------------------------------------------------------ drawing


class _Weight(NamedTuple):
    """The line of a weight, from a place in one column to a place in the next."""

    column: int
    tail: int
    head: int
    weight: float
    strength: float  # from 0 to 1


class _Drawing:
    def __init__(
        self,
        canvas: Canvas,
        columns: Sequence[Sequence[Neuron]],
        values: list[_Numbers] | None,
        labels: list[str],
    ) -> None:
        self.canvas, self.columns, self.values, self.theme = canvas, columns, values, canvas.theme
        self.labels = labels  # of the inputs
        self.words = languages.words(canvas.lang, "network")
        self.sizes = [len(columns[0][0].weights), *map(len, columns)]
        self.shown = [_shown(size) for size in self.sizes]
        self.total = sum(len(neuron.weights) for column in columns for neuron in column)
        lines = sorted(self._weights(), key=lambda w: (-w.strength, w.column, w.head, w.tail))
        self.lines = lines[:MOST_LINES]
        # If only the strongest are drawn, their differences would otherwise be hard to see.
        self.faintest = 0.9 * self.lines[-1].strength if len(lines) > MOST_LINES else 0.0
        self.height = _ROW * max(len(places) + (None in places) for places in self.shown)
        self.top = _MARGIN + 46

    def _weights(self) -> Iterator[_Weight]:
        for k, column in enumerate(self.columns):
            tails, heads = (
                [place for place in self.shown[i] if place is not None] for i in (k, k + 1)
            )
            sizes = (abs(_as_number(w) or 0.0) for neuron in column for w in neuron.weights)
            largest = max(filter(math.isfinite, sizes), default=0.0)
            for head in heads:
                weights = column[head].weights
                for tail in tails:
                    if tail < len(weights):
                        w = _as_number(weights[tail]) or 0.0
                        share = abs(w) / largest if largest else 0.0
                        yield _Weight(k, tail, head, w, share if share <= 1 else 1.0)

    def drawing(self) -> SvgDrawing:
        """The network as SVG."""
        canvas, caption, count = self.canvas, self._caption(), len(self.columns)
        widest = max(text_width(line, SMALL) for line in caption)
        beside = max(60.0, *(text_width(label, SMALL) + 14.0 for label in self.labels))
        room = (_WIDTH - 2 * beside - 2 * _MARGIN) / count
        self.across = min(max(room, _NARROW), _COLUMN)
        canvas.width = max(2 * beside + self.across * count, widest) + 2 * _MARGIN
        self.left = (canvas.width - self.across * count) / 2
        for line in reversed(self.lines):
            self._line(line)
        for k in range(len(self.sizes)):
            self._column(k)
        signs = (("positive", ""), ("negative", "5 3" if self._is_grey else ""))
        entries = [(dashes, sign, self.words[sign]) for sign, dashes in signs]
        bottom = legend(canvas, self.top + self.height + 4.0, entries, _MARGIN)
        for text in caption:
            canvas.text((_MARGIN, bottom + 12.0), text, "faint", size=SMALL, anchor="start")
            bottom += 20.0
        title = self.words["title"].format(sizes="-".join(map(str, self.sizes)))
        return canvas.drawing("a network", title, " ".join(caption), bottom + _MARGIN / 2)

    # -------------------------------------------------------------------------------- the network

    def _point(self, column: int, place: int | None) -> Point:
        places = self.shown[column]
        row = places.index(place)
        extra = None in places and row > places.index(None)
        count = len(places) + (None in places)
        middle = row + extra + (0.5 if place is None else 0.0) + 0.5
        y = self.top + self.height / 2 + _ROW * (middle - count / 2)
        return self.left + self.across * column, y

    def _line(self, line: _Weight) -> None:
        (x1, y1), (x2, y2) = (
            self._point(line.column, line.tail),
            self._point(line.column + 1, line.head),
        )
        strength = (line.strength - self.faintest) / (1 - self.faintest)
        color = "negative" if line.weight < 0 else "positive"
        dashes = ' stroke-dasharray="5 3"' if line.weight < 0 and self._is_grey else ""
        self.canvas.elements.append(
            f'<line class="weight" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"'
            f'{self.canvas.paint(line=color)}{dashes} stroke-width="{0.4 + 2.4 * strength**2:.2f}" '
            f'stroke-opacity="{0.12 + 0.78 * strength:.2f}"/>'
        )

    @property
    def _is_grey(self) -> bool:
        """Whether the theme has no colours, which could tell the sign."""
        colors = (self.theme.positive, self.theme.negative)
        return all(color[1:3] == color[3:5] == color[5:7] for color in colors)

    def _column(self, k: int) -> None:
        canvas, words, size = self.canvas, self.words, self.sizes[k]
        x = self.left + self.across * k
        title = words["inputs"] if k == 0 else words["layer"].format(layer=k)
        counted = words["inputs counted"] if k == 0 else words["neurons"]
        count = words["neuron"] if k and size == 1 else counted.format(count=size)
        canvas.text((x, _MARGIN + 4.0), title, size=SMALL, bold=True)
        canvas.text((x, _MARGIN + 21.0), count, "faint", size=SMALL)
        for place in self.shown[k]:
            at = self._point(k, place)
            if place is not None:
                self._circle(k, place, at)
                continue
            more = words["more"].format(count=size - len(self.shown[k]) + 1)
            across = text_width(more, SMALL) + 10.0
            canvas.elements.append(
                f'<rect class="omitted" x="{x - across / 2:g}" y="{at[1] - 10:g}" '
                f'width="{across:g}" height="20" rx="4"{canvas.paint("paper", "line")} '
                'stroke-dasharray="4 3"/>'
            )
            canvas.text(at, more, "faint", size=SMALL)

    def _circle(self, k: int, place: int, at: Point) -> None:
        theme, (x, y) = self.theme, at
        line, fill = (theme.unit_line, theme.unit_fill) if k else (theme.leaf_line, theme.leaf_fill)
        value = None
        if self.values is not None:
            value = self.values[k][place]
            fill = self._filled(value, self.values[k]) or fill
        self.canvas.elements.append(
            f'<circle class="{"neuron" if k else "input"}" cx="{x:g}" cy="{y:g}" r="{_RADIUS}" '
            f'fill="{fill}" stroke="{line}" stroke-width="1.2">'
            f"<title>{escape(self._tooltip(k, place, value))}</title></circle>"
        )
        if k == 0:
            label = self.labels[place]
            self.canvas.text((x - 14.0, y), label, "faint", size=SMALL, anchor="end")
        elif k == len(self.columns) and value is not None:
            self.canvas.text((x + 14.0, y), brief(value), size=SMALL, anchor="start")

    def _filled(self, value: float | None, column: _Numbers) -> str:
        if value is None or not math.isfinite(value):
            return ""
        sizes = [abs(each) for each in column if each is not None and math.isfinite(each)]
        share = abs(value) / (max(sizes) or 1.0)
        color = self.theme.negative if value < 0 else self.theme.positive
        return blend(self.theme.paper, color, 0.9 * share)

    def _tooltip(self, k: int, place: int, value: float | None) -> str:
        words = self.words
        if k == 0:
            lines = [self.labels[place]]
        else:
            lines = [words["place"].format(layer=k, neuron=place + 1)]
            bias = self.columns[k - 1][place].bias
            if bias is not None:
                lines.append(words["bias"].format(bias=brief(bias.data)))
        if value is not None:
            lines.append(words["activation"].format(activation=brief(value)))
        return "\n".join(lines)

    # ------------------------------------------------------------------------------- captions

    def _caption(self) -> list[str]:
        drawn = len(self.lines)
        words = self.words["all" if drawn == self.total else "strongest"]
        missing = self.total - drawn
        caption = [words.format(drawn=drawn, all=self.total, missing=missing)]
        if self.values is not None:
            caption.append(self.words["filled"])
        return caption


def _shown(size: int) -> list[int | None]:
    """The places in a column that are shown, and None for those left out in the middle."""
    if size <= MOST_CIRCLES:
        return list(range(size))
    half = MOST_CIRCLES // 2
    return [*range(half), None, *range(size - half + 1, size)]


def _labels(sample: list[Any], names: Mapping[str, Any] | None, count: int) -> list[str]:
    """What the inputs are called: their labels, the caller's variables, or x₁, x₂, …."""
    variables = variable_names(names)
    labels = []
    for i in range(count):
        given = sample[i] if i < len(sample) else None
        label = label_of(given) if isinstance(given, Value) else ""
        label = label if label.strip() else variables.get(id(given), "")
        labels.append(typeset(one_line(label)) or named(f"x{i + 1}").text)
    return labels


# ------------------------------------------------------------------------------------ activations


def _activations(
    model: Any, columns: Sequence[Sequence[Neuron]], sample: list[Any]
) -> list[_Numbers]:
    """The inputs and the outputs of every layer for one sample."""
    inputs = [x if isinstance(x, Value) else Value(x) for x in sample]
    result = model(inputs)
    outputs = list(result) if isinstance(result, list | tuple) else [result]
    roots = [out for out in outputs if isinstance(out, Value)]
    neurons = [neuron for column in columns for neuron in column]
    found = applications(order(roots), roots, neurons)
    taken: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for unit in (unit for application in found for unit in application.units):
        taken[id(unit.neuron.source)].append(unit.inputs)
    heads = [id(column[0].source) for column in columns]
    after = []
    for i, head in enumerate(heads[1:], 1):
        left = heads[i:].count(head)  # a layer may stand in several places
        after.append(taken[head][-left] if left <= len(taken[head]) else [])
    known = [inputs, *after, outputs]
    sizes = [len(columns[0][0].weights), *map(len, columns)]
    return [
        [_as_number(x) for x in numbers] if len(numbers) == size else [None] * size
        for numbers, size in zip(known, sizes, strict=True)
    ]


def _as_number(x: Any) -> float | None:
    """The number of a Value, or a number itself; None for anything else."""
    return as_float(x.data if isinstance(x, Value) else x)
