"""What of a graph is shown at a level of detail: values, and units of a model in their place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from micrograd.drawing.models import layers
from micrograd.drawing.units import Application, Unit, applications
from micrograd.engine.graph import Node, operands, order
from micrograd.engine.value import Value

LEVELS = ("operation", "neuron", "layer")


class Link(NamedTuple):
    """That something shown is used by something else shown."""

    tail: Value
    position: int  # which operand it is, or which input
    weight: Value | None  # a neuron's, for that input


class Scene:
    """The values that are shown, in topological order, and what each is made from.

    A unit is shown in the place of its output, a layer in the place of its first output. `folded`
    are the units or layers by that value; `found` is where the model was applied, at every level.
    """

    def __init__(self, roots: Sequence[Value], model: Any = None, level: str = "operation") -> None:
        self.nodes: list[Value] = order(roots)
        self.roots = roots
        self.found: list[Application] = []
        self.folded: dict[Value, Unit | Application] = {}
        self._places: dict[Value, list[Value]] = {}
        self.shown = self.nodes
        if model is not None:
            neurons = [neuron for layer in layers(model) for neuron in layer]
            self.found = applications(self.nodes, roots, neurons)
            if not self.found:
                raise ValueError(
                    f"the model, a {type(model).__name__}, does not occur in this graph: "
                    "draw a value that was computed with it, such as model(x)"
                )
            if level != "operation":
                self._fold(level)

    def _fold(self, level: str) -> None:
        index = {node: i for i, node in enumerate(self.nodes)}
        units = [unit for application in self.found for unit in application.units]
        for application in self.found:
            first = min((unit.output for unit in application.units), key=index.__getitem__)
            if level == "layer":
                self.folded[first] = application
            for unit in application.units:
                place = first if level == "layer" else unit.output
                self.folded.setdefault(place, unit)
                self._places |= {inner: [place] for inner in unit.inner}
        visible = [node for node in self.nodes if node not in self._places]
        used = {operand for node in visible for operand in operands(node)}.union(self.roots)
        for unit in units:
            (place,) = self._places[unit.output]
            for parameter in unit.parameters:
                if parameter not in used:
                    places = self._places.setdefault(parameter, [])
                    if place not in places:
                        places.append(place)
        self.shown = [
            node for node in self.nodes if node in self.folded or node not in self._places
        ]

    def places(self, value: Value) -> list[Value]:
        """Where a value of the graph is seen: itself, or the units that it is part of."""
        return self._places.get(value) or [value]

    def links(self, value: Value) -> Iterator[Link]:
        """What a shown value is made from, in order."""
        folded = self.folded.get(value)
        if folded is None:
            for i, operand in enumerate(operands(value)):
                if isinstance(operand, Node):
                    yield Link(self.places(operand)[0], i, None)  # type: ignore[arg-type]
        elif isinstance(folded, Unit):
            for i, x in enumerate(folded.inputs):
                if isinstance(x, Value):
                    yield Link(self.places(x)[0], i, folded.neuron.weights[i])
        else:
            inputs = (x for unit in folded.units for x in unit.inputs if isinstance(x, Value))
            tails = dict.fromkeys(self.places(x)[0] for x in inputs)
            yield from (Link(tail, i, None) for i, tail in enumerate(tails))
