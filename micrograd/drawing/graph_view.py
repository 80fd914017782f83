"""What part of a graph is shown, at a level of detail: values, and units of a model in their place.

`GraphView` holds the values and what each is made from. `paths` and `neighbourhood` select a part:
what lies between two values, and what is near a value.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from micrograd.drawing.neurons import Application, Unit, applications, layers
from micrograd.engine.graph import Node, operands, order
from micrograd.engine.value import Value
from micrograd.writing.labels import shortened
from micrograd.writing.numbers import number

LEVELS = ("operation", "neuron", "layer", "named")

_PATHS = "path is a Value, a pair of Values such as (x, loss), or a list of these"


class Input(NamedTuple):
    """Something shown that something else shown is made from."""

    tail: Value
    position: int  # among the operands, or among the inputs of a neuron
    weight: Value | None  # the neuron's weight for that input


class GraphView:
    """The values that are shown, in topological order, and what each is made from.

    A unit is shown in place of its output, a layer in place of its first output. `folded`
    has the units or layers by that value; `found` tells where the model was applied, at every
    level.
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
        """Where a value of the graph is shown: itself, or the units that it is part of."""
        return self._places.get(value) or [value]

    def inputs(self, value: Value) -> Iterator[Input]:
        """What a shown value is made from, in order."""
        folded = self.folded.get(value)
        if folded is None:
            for i, operand in enumerate(operands(value)):
                if isinstance(operand, Node):
                    yield Input(self.places(operand)[0], i, None)  # type: ignore[arg-type]
        elif isinstance(folded, Unit):
            for i, x in enumerate(folded.inputs):
                if isinstance(x, Value):
                    yield Input(self.places(x)[0], i, folded.neuron.weights[i])
        else:
            inputs = (x for unit in folded.units for x in unit.inputs if isinstance(x, Value))
            tails = dict.fromkeys(self.places(x)[0] for x in inputs)
            yield from (Input(tail, i, None) for i, tail in enumerate(tails))

    def consumers(self) -> dict[Value, list[Value]]:
        """The values that use each shown value: as often as they use it, and in order."""
        found: dict[Value, list[Value]] = {value: [] for value in self.shown}
        for value in self.shown:
            for each in self.inputs(value):
                found[each.tail].append(value)
        return found


def checked_level(level: Any, known: Sequence[str], model: Any) -> str:
    """The level of detail; ValueError unless it is known, and the model is given if it needs it."""
    if level not in known:
        raise ValueError(f"level is one of {', '.join(map(repr, known))}, got {level!r}")
    if level in ("neuron", "layer") and model is None:
        raise ValueError(
            f"level={level!r} needs to know the network: give model=, "
            "the MLP, layer or neuron that the graph was computed with"
        )
    return str(level)


# ------------------------------------------------------------------------------------------- parts


def paths(view: GraphView, path: Any, names: Mapping[int, str]) -> list[set[Value]]:
    """For each pair (x, L) that is asked for, all values on a way from x up to L.

    Raises:
        TypeError: if it is not a path.
        ValueError: if x is not below L.
    """
    asked = [path] if isinstance(path, Value) or _is_pair(path) else path
    if isinstance(asked, str) or not isinstance(asked, Iterable):
        raise TypeError(f"{_PATHS}, got {type(path).__name__}")
    ways = []
    for each in asked:
        if not isinstance(each, Value) and not _is_pair(each):
            raise TypeError(f"{_PATHS}, got {type(each).__name__} in it")
        ways.append((each, view.roots) if isinstance(each, Value) else (each[0], each[1:]))
    return [_between(view, x, ends, names) for x, ends in ways]


def _is_pair(thing: Any) -> bool:
    is_pair = isinstance(thing, tuple) and len(thing) == 2
    return is_pair and all(isinstance(each, Value) for each in thing)


def _between(
    view: GraphView, x: Value, ends: Collection[Value], names: Mapping[int, str]
) -> set[Value]:
    reached = set(view.places(x)) & set(view.shown)
    for value in view.shown:
        if any(each.tail in reached for each in view.inputs(value)):
            reached.add(value)
    below = {place for end in ends for place in view.places(end)} & reached
    if not below:
        one = " or ".join(_called(end, names) for end in ends)
        raise ValueError(f"path: {_called(x, names)} is not below {one}, so nothing leads there")
    for value in reversed(view.shown):
        if value in below:
            below.update(each.tail for each in view.inputs(value) if each.tail in reached)
    return below


def neighbourhood(
    view: GraphView,
    focus: Any,
    radius: Any,
    names: Mapping[int, str],
    consumers: Mapping[Value, Collection[Value]],
) -> set[Value]:
    """The values at most `radius` operations below or above the value in focus.

    Raises:
        TypeError: if the focus is not a Value.
        ValueError: if it is not in the graph, or if the radius is not a whole number from 0.
    """
    if not isinstance(focus, Value):
        raise TypeError(f"focus is a Value, got {type(focus).__name__}")
    if type(radius) is not int or radius < 0:
        raise ValueError(f"radius is a number of operations, 0 or more, got {radius!r}")
    centre = set(view.places(focus)) & consumers.keys()
    if not centre:
        raise ValueError(f"focus: {_called(focus, names)} is not in this graph")
    near = set(centre)
    for step in (lambda v: (each.tail for each in view.inputs(v)), consumers.__getitem__):
        edge, seen = centre, set(centre)
        for _ in range(radius):
            edge = {each for value in edge for each in step(value)} - seen
            if not edge:
                break
            seen |= edge
        near |= seen
    return near


def _called(value: Value, names: Mapping[int, str]) -> str:
    """What a message calls a value: its label, its variable or its number."""
    name = value.label or names.get(id(value), "")
    return repr(shortened(str(name))) if name else f"Value({number(value.data)})"
