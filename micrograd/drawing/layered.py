"""The steps of a network, layer by layer or neuron by neuron.

The layers are found in the graph by `neurons`. A step says of a layer what a book says, in matrix
form: `z = W h + b`, `h = f(z)`; then `δ = Wᵀδ ⊙ f′(z)` with the δ of the next layer, `∂L/∂W = δ hᵀ`
and `∂L/∂b = δ`. All numbers are those of the graph. A formula whose numbers are not the adjoints of
the graph, because a parameter is also used elsewhere, is left out, and the numbers stand alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from micrograd.derivation.naming import label_of
from micrograd.drawing import neurons
from micrograd.drawing.neurons import Application, Unit
from micrograd.drawing.picture import Picture
from micrograd.drawing.spans import Line, Span, joined, of_mark
from micrograd.drawing.steps import Equation, Part, in_order, valued
from micrograd.engine.graph import made_by, number, order
from micrograd.engine.value import Value
from micrograd.ops import Operation
from micrograd.table.formulas import Call
from micrograd.writing import notation
from micrograd.writing.notation import Formula
from micrograd.writing.numbers import as_float, rounded

_ROWS, _COLUMNS = 8, 5  # of a matrix that is shown with its numbers
_TOLERANCE = 1e-9  # relative, between sums of the same products in another order

Matrix = list[list[float]]


class Layer(NamedTuple):
    """A layer with all of its applications, one for each sample."""

    number: int  # from 1; 0 if the model is a single layer or neuron
    samples: list[Application]

    @property
    def units(self) -> list[Unit]:
        """The neurons, of all samples."""
        return [unit for application in self.samples for unit in application.units]

    def matrix(self, entry: Callable[[Unit], Any]) -> list[list[Any]]:
        """A row for each neuron, a column for each sample."""
        rows = zip(*(application.units for application in self.samples), strict=True)
        return [[entry(unit) for unit in row] for row in rows]

    @property
    def outputs(self) -> list[list[Value]]:
        """A row for each neuron, a column for each sample."""
        return self.matrix(lambda unit: unit.output)

    @property
    def inputs(self) -> list[list[Any]]:
        """A row for each input, a column for each sample."""
        columns = (application.units[0].inputs for application in self.samples)
        return [list(row) for row in zip(*columns, strict=True)]


def total(unit: Unit) -> Value:
    """The weighted sum of a neuron, before its activation."""
    return unit.inner[-2] if unit.activation else unit.output


def layers_in(output: Value, model: Any) -> list[Layer]:
    """The layers of the model that were applied in the graph, in order.

    Raises:
        TypeError: if the object is not shaped like a model.
        ValueError: if none was applied.
    """
    every = list(chain.from_iterable(neurons.layers(model)))
    found: dict[int, list[Application]] = {}
    for application in neurons.applications(order([output]), [output], every):
        found.setdefault(application.layer, []).append(application)
    if not found:
        raise ValueError("model: none of its neurons was applied in the graph of the output")
    sizes = {each: sum(neuron.layer == each for neuron in every) for each in found}
    return [
        Layer(each, samples)
        for each, samples in sorted(found.items())
        if all(len(sample.units) == sizes[each] for sample in samples)
    ]


def unit_labels(layers: Sequence[Layer]) -> dict[str, Value]:
    """Labels for those sums, outputs and inputs of neurons that lack one.

    That of the second neuron of layer 1 is `h^{(1)}_{2}`, with the number of the sample behind it
    if there are several. The second input of layer 3 is `x^{(3)}_{2}` if no layer computed it, as
    where a layer takes the sum of two outputs.
    """
    labels: dict[str, Value] = {}
    taken = set[Value]()

    def give(mark: str, matrix: list[list[Any]]) -> None:
        for i, row in enumerate(matrix, 1):
            for j, value in enumerate(row, 1):
                if isinstance(value, Value) and value not in taken and not label_of(value).strip():
                    labels[f"{mark}_{{{i}{j if len(row) > 1 else ''}}}"] = value
                    taken.add(value)

    for layer in layers:
        raised = f"^{{({layer.number})}}" if layer.number else ""
        give(f"z{raised}", layer.matrix(lambda unit: total(unit) if unit.activation else None))
        give(f"h{raised}", layer.outputs)
    for layer in layers:
        give("x" if layer is layers[0] else f"x^{{({layer.number})}}", layer.inputs)
    return labels


# ------------------------------------------------------------------------------------------- parts


class Layered:
    """The parts of a picture that are layers or neurons, and what is said of them."""

    def __init__(
        self,
        layers: Sequence[Layer],
        picture: Picture,
        adjoints: Mapping[Value, float],
        ids: Mapping[Value, str],
        digits: int,
    ) -> None:
        self.layers, self.picture = layers, picture
        self.adjoints, self.ids, self.digits = adjoints, ids, digits
        self.boxes = {box.name: box for box in picture.boxes}
        (root,) = picture.roots
        self.root = self.boxes[root].title

    def parts(self, level: str) -> list[Part]:
        """The parts whose steps are layers, or neurons."""
        if level == "neuron":
            units = (unit for layer in self.layers for unit in layer.units)
            return [Part(boxes) for unit in units if (boxes := self._boxes([unit]))]
        parts = []
        for i, layer in enumerate(self.layers):
            if boxes := self._boxes(layer.units):
                forward, backward = tuple(self.forward(i)), tuple(self._backward(i))
                parts.append(Part(boxes, layer.number, forward, backward))
        return parts if self._are_ordered(parts) else self.parts("neuron")

    def _boxes(self, units: Sequence[Unit]) -> tuple[str, ...]:
        """The boxes of what neurons computed, in the order of the picture."""
        inner = {self.ids[value] for unit in units for value in unit.inner}
        return tuple(name for name in self.boxes if name in inner)

    def _are_ordered(self, parts: Sequence[Part]) -> bool:
        """Whether each layer needs only what was computed before, unlike in a recurrent network."""
        for layer in self.layers:
            outputs = {unit.output for unit in layer.units}
            if any(isinstance(x, Value) and x in outputs for row in layer.inputs for x in row):
                return False
        known = {name for name, box in self.boxes.items() if box.operation is None}
        for part in in_order(self.picture, parts):
            known.update(part.boxes)
            arrows = (arrow for name in part.boxes for arrow in self.boxes[name].arrows)
            if any(arrow.tail not in known for arrow in arrows):
                return False
        return True

    # ------------------------------------------------------------------------------- what is said

    def given(self) -> tuple[Equation, ...]:
        """The given values: inputs, weights and biases as matrices, others one by one."""
        equations, told = [], set[str]()
        for i, layer in enumerate(self.layers):
            units = layer.samples[0].units
            parameters = {p for unit in units for p in unit.parameters}
            inputs = {self.ids[x] for row in layer.inputs for x in row if isinstance(x, Value)}
            if i == 0 and not any(self.boxes[x].operation for x in inputs & self.boxes.keys()):
                equations.append(self._told(self._inputs(0), _numbers(layer.inputs)))
                told |= inputs
            weights = [[w.data for w in unit.neuron.weights] for unit in units]
            equations.append(self._told(self.symbol("W", i), weights))
            if biases := [[u.neuron.bias.data] for u in units if u.neuron.bias is not None]:
                equations.append(self._told(self.symbol("b", i), biases))
            told |= {self.ids[each] for each in parameters if each in self.ids}
        for name, box in self.boxes.items():
            if box.operation is None and name not in told:
                equations.append(valued(box))
        return tuple(equations)

    def forward(self, i: int) -> Iterator[Equation]:
        """How a layer is computed."""
        layer = self.layers[i]
        weighted = joined(self.symbol("W", i), self._inputs(i))
        if layer.units[0].neuron.bias is not None:
            weighted = joined(weighted, " + ", self.symbol("b", i))
        right = weighted
        if layer.units[0].activation:
            sums = self.symbol("z", i)
            yield self._told(joined(sums, " = ", weighted), layer.matrix(lambda u: total(u).data))
            right = self._called(layer.units[0], sums)
        outputs = layer.matrix(lambda unit: unit.output.data)
        yield self._told(joined(self._outputs(i), " = ", right), outputs)

    def _backward(self, i: int) -> Iterator[Equation]:
        layer, delta, deltas = self.layers[i], self.symbol("δ", i), self._deltas(i)
        units = layer.samples[0].units
        upstream = self._quotient(self._outputs(i))
        if i + 1 < len(self.layers) and self._reaches(i):
            upstream = joined(self.symbol("W", i + 1), [_TRANSPOSED], self.symbol("δ", i + 1))
        if units[0].activation:
            slope = self._called(units[0], self.symbol("z", i), prime="′")
            upstream = joined(upstream, " ⊙ ", slope)
        yield self._told(joined(delta, " = ", upstream), deltas)
        samples = [list(column) for column in zip(*_numbers(layer.inputs), strict=True)]
        weights = [[self.adjoints[w] for w in unit.neuron.weights] for unit in units]
        formula = joined(delta, self._inputs(i), [_TRANSPOSED])
        yield self._slope(self.symbol("W", i), formula, _product(deltas, samples), weights)
        biases = [unit.neuron.bias for unit in units if unit.neuron.bias is not None]
        if biases:
            ones = () if len(layer.samples) == 1 else [Span("𝟏", "mn")]
            sums = [[math.fsum(row)] for row in deltas]
            slopes = [[self.adjoints[bias]] for bias in biases]
            yield self._slope(self.symbol("b", i), joined(delta, ones), sums, slopes)
        if i == 0 and all(isinstance(x, Value) for row in layer.inputs for x in row):
            inputs = [[self.adjoints[x] for x in row] for row in layer.inputs]
            formula = joined(self.symbol("W", 0), [_TRANSPOSED], delta)
            yield self._slope(self._inputs(0), formula, self._sent_back(0), inputs)

    def _slope(self, of: Line, formula: Line, found: Matrix, numbers: Matrix) -> Equation:
        """`∂L/∂W = δ hᵀ` with the numbers of the graph; without the formula if it gives others."""
        line = self._quotient(of)
        if _agree(found, numbers):
            line = joined(line, " = ", formula)
        return self._told(line, numbers)

    def _deltas(self, i: int) -> Matrix:
        return self.layers[i].matrix(lambda unit: self.adjoints[total(unit)])

    def _sent_back(self, i: int) -> Matrix:
        """What flows back to the inputs of a layer: `Wᵀ δ`."""
        weights = [unit.neuron.weights for unit in self.layers[i].samples[0].units]
        turned = [[w.data for w in column] for column in zip(*weights, strict=True)]
        return _product(turned, self._deltas(i))

    def _reaches(self, i: int) -> bool:
        """Whether all gradients of a layer's outputs come through the next layer."""
        layer, following = self.layers[i], self.layers[i + 1]
        if not _are_same(layer.outputs, following.inputs):
            return False
        slopes = [[self.adjoints[h] for h in row] for row in layer.outputs]
        return _agree(self._sent_back(i + 1), slopes)

    # ------------------------------------------------------------------------------------- symbols

    def symbol(self, letter: str, i: int) -> Line:
        """The letter of a matrix, with the number of a layer; a capital for several samples."""
        layer = self.layers[i]
        is_batch = len(layer.samples) > 1
        shown = letter.upper() if is_batch and letter in "zhx" else letter
        if is_batch and letter == "δ":
            shown = "Δ"
        is_first = letter == "x" and i == 0
        label = f"{shown}^{{({layer.number})}}" if layer.number and not is_first else shown
        return of_mark(notation.named(label).mark, _COLORS.get(letter, "ink"))

    def _outputs(self, i: int) -> Line:
        units = self.layers[i].units
        if len(units) == 1:  # a single one has a name
            return self.boxes[self.ids[units[0].output]].title
        return self.symbol("h", i)

    def _inputs(self, i: int) -> Line:
        """The values that a layer is applied to: the outputs of a layer before it, or x."""
        inputs = self.layers[i].inputs
        for before in range(i):
            if _are_same(self.layers[before].outputs, inputs):
                return self._outputs(before)
        same = (k for k in range(i) if _are_same(self.layers[k].inputs, inputs))
        return self.symbol("x", next(same, i))

    def _called(self, unit: Unit, argument: Line, prime: str = "") -> Line:
        """`tanh(z)`, or `tanh′(z)`."""
        row = made_by(unit.output)
        name: Line = (Span(unit.activation, "func"),)
        if isinstance(row, Operation):
            mark = notation.formula(
                Call(row.name, ("z",)), {"z": Formula("z", ("spans", argument))}
            )
            written = of_mark(mark.mark)
            name = written[:1] if written[2:-1] == argument else (Span(row.symbol, "func"),)
        return joined(name, f"{prime}(", argument, ")")

    def _quotient(self, line: Line) -> Line:
        return joined([Span("∂")], self.root, "/", [Span("∂")], line)

    def _told(self, symbols: Line, matrix: Matrix) -> Equation:
        """The symbols with the numbers of a matrix, or its shape if it is large."""
        color = "backward" if symbols[0].text == "∂" or symbols[0].color == "backward" else "ink"
        texts = [[rounded(x, self.digits) for x in row] for row in matrix]
        known = zip(chain(*texts), chain(*matrix), strict=True)
        exact = all(as_float(text.replace("−", "-")) == x for text, x in known)
        sign = " = " if exact else " ≈ "
        rows, columns = len(matrix), len(matrix[0])
        if rows > _ROWS or columns > _COLUMNS:
            shape = (Span(" ∈ "), Span("ℝ", "mn"), Span(f"{rows}×{columns}", "mn", 1))
            return Equation(symbols, (), shape)
        if columns > 1:
            return Equation(symbols, (), (Span(sign),), texts)
        if rows == 1:
            return Equation(symbols, (), joined(sign, [Span(texts[0][0], "mn", color=color)]))
        entries = ", ".join(row[0] for row in texts)
        vector = (Span("("), Span(entries, "mn", color=color), Span(")"), _TRANSPOSED)
        return Equation(symbols, (), joined(sign, vector))


_TRANSPOSED = Span("ᵀ", "mn")
_COLORS = {"W": "weight_ink", "b": "weight_ink", "x": "leaf_ink", "h": "unit_ink", "δ": "backward"}


def _are_same(values: list[list[Any]], others: list[list[Any]]) -> bool:
    """Whether two matrices have the same values, and not only equal ones, in the same places."""
    return [[*map(id, row)] for row in values] == [[*map(id, row)] for row in others]


def _numbers(values: list[list[Any]]) -> Matrix:
    return [[number(x) for x in row] for row in values]


def _product(left: Matrix, right: Matrix) -> Matrix:
    columns = list(zip(*right, strict=True))
    return [
        [math.fsum(x * y for x, y in zip(row, c, strict=True)) for c in columns] for row in left
    ]


def _agree(left: Matrix, right: Matrix) -> bool:
    largest = max((abs(x) for x in chain(*left, *right)), default=0.0)
    pairs = zip_longest(chain(*left), chain(*right), fillvalue=math.nan)  # which agrees with none
    return all(abs(x - y) <= _TOLERANCE * largest for x, y in pairs)
