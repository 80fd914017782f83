"""The function under check, its inputs as a flat list of floats, and the graphs that it records."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from micrograd.engine.callables import parameters_of
from micrograd.engine.collecting import nothing_collected
from micrograd.engine.graph import (
    backward_step,
    is_leaf,
    made_by,
    number,
    operands,
    order,
    partials,
)
from micrograd.engine.value import Value, shares_of_step, to_number
from micrograd.ops import Operation
from micrograd.table.floats import to_float
from micrograd.testing.arithmetic import Arithmetic, NotApplicable, Observer
from micrograd.transforms.structures import Structure, flatten, place, unflatten

Branches = tuple[Any, ...]
Direction = Mapping[int, float]  # how far each input moves, by its number; the others stay
Operand = tuple[int | None, float]  # the position of a node (None: a constant), and the number


class RecordedNode(NamedTuple):
    """A node of a recorded graph, with its operands by position."""

    value: Value
    row: Any  # the Operation, the text of an operation made by hand, or None for a leaf
    operands: tuple[Operand, ...]

    @property
    def is_frozen(self) -> bool:
        """Whether it passes a number on as a constant, as `detach` does."""
        return isinstance(self.row, Operation) and self.row.domain == "0"

    @property
    def is_by_hand(self) -> bool:
        """Whether a user made it with children, without a row of the table."""
        return isinstance(self.row, str)

    @property
    def numbers(self) -> list[float]:
        """The operands as numbers."""
        return [x for _, x in self.operands]

    @property
    def moving(self) -> list[int]:
        """Which operands are nodes, by their number."""
        return [index for index, (place, _) in enumerate(self.operands) if place is not None]

    @property
    def slopes(self) -> Sequence[float | None]:
        """The local partials: as the engine recorded them, or by the backward step of the user.

        If an operand of an operation made by hand occurs twice, its whole share is at its first
        place.
        """
        if not self.is_by_hand:
            return tuple(partials(self.value))
        if backward_step(self.value) is None:
            return [slope or 0.0 for slope in partials(self.value)]
        shares = shares_of_step(self.value)
        return [shares.pop(operand, 0.0) for operand in operands(self.value)]

    @property
    def name(self) -> str:
        """The operation, for messages."""
        if isinstance(self.row, Operation):
            return self.row.name
        return self.row or "an operation made by hand"


class Recording:
    """The graph that one run of the function recorded, its nodes in topological order."""

    def __init__(self, root: Value | None, inputs: Sequence[Value], value: float) -> None:
        self.inputs, self.value, self.root = inputs, value, root
        self.gradient = [0.0] * len(inputs)  # by the last backward pass
        self.values: list[Value] = order(root) if root is not None else []
        self._position = {node: index for index, node in enumerate(self.values)}
        self.places = [self._position.get(value) for value in inputs]  # None: not in the graph

    @cached_property
    def nodes(self) -> list[RecordedNode]:
        """The nodes with their operands by position."""
        position = self._position
        return [
            RecordedNode(
                node,
                made_by(node),
                tuple(
                    [
                        (position[x], x.data) if isinstance(x, Value) else (None, to_float(x))
                        for x in operands(node)
                    ]
                ),
            )
            for node in self.values
        ]

    def branches(self, observer: Observer, values: Sequence[float] | None = None) -> Branches:
        """The shape of the graph, and the branches that its operations take.

        Args:
            observer: finds the branches of a row.
            values: the numbers of all nodes, if they are not those recorded.
        """
        seen: list[Any] = list(self.places)
        position = self._position
        for node in self.values:
            row = made_by(node)
            if row is None:
                continue
            seen.append(row)
            held = tuple(operands(node))
            seen += [position[x] if isinstance(x, Value) else None for x in held]
            if isinstance(row, Operation) and observer.chooses(row):
                numbers = [
                    number(x) if values is None or not isinstance(x, Value) else values[position[x]]
                    for x in held
                ]
                seen += observer.branches(row, numbers)
        return tuple(seen)

    def gradient_of(self, place: int) -> float:
        """The gradient of a node in the last backward pass."""
        if place in self.places:
            return self.gradient[self.places.index(place)]
        return float(self.nodes[place].value.grad)

    @cached_property
    def external(self) -> list[Value]:
        """The leaves that are not inputs: values that the function closes over."""
        known = set(self.places)
        return [
            node.value
            for index, node in enumerate(self.nodes)
            if node.row is None and index not in known
        ]

    @cached_property
    def frozen(self) -> int:
        """How many nodes pass a number on as a constant."""
        return sum(node.is_frozen for node in self.nodes)

    @cached_property
    def is_by_hand(self) -> bool:
        """Whether an operation was made by hand."""
        return any(node.is_by_hand for node in self.nodes)

    def replay(
        self, arithmetic: Arithmetic, given: Mapping[int, Any], *, detached: bool = True
    ) -> list[Any]:
        """All nodes, computed in another arithmetic.

        Args:
            arithmetic: in which to compute.
            given: numbers of that arithmetic for some of the inputs; the others stay as recorded.
            detached: whether what `detach` passes on stays the number that it was.
        """
        placed = {self.places[index]: x for index, x in given.items()}
        values: list[Any] = []
        for index, node in enumerate(self.nodes):
            if index in placed:
                values.append(placed[index])
            elif node.row is None or (node.is_frozen and detached):
                values.append(arithmetic.number(node.value.data))
            elif node.is_by_hand:
                raise NotApplicable(f"{node.name!r} was made by hand and has no formula")
            else:
                arguments = (
                    arithmetic.number(x) if place is None else values[place]
                    for place, x in node.operands
                )
                values.append(arithmetic.function(node.row)(*arguments))
        return values


class Subject:
    """A function and the point at which it is checked.

    Args:
        f: the function.
        at: its arguments. The numbers in them are the inputs, unless `wrt` is given.
        wrt: a model or Values. These are the inputs then; they are changed in place and put back
            bit for bit.
        output: the number of the output that is checked.
    """

    beneath: Subject | None = None  # the function of which this is the derivative
    along: Direction = MappingProxyType({})  # and in which direction

    def __init__(
        self,
        f: Callable[..., Any],
        at: Sequence[Any],
        wrt: Any = None,
        output: int = 0,
    ) -> None:
        self.f, self.at, self.output = f, tuple(at), output
        self.operations, self.outputs = 0, 1  # of the last run
        self.parameters: list[Value] | None = None
        # What the witness of that name found out.
        self.series: dict[tuple[float, ...], tuple[Recording, dict[Any, Any]]] = {}
        leaves, self.structure = flatten(self.at)
        if wrt is None:
            named = zip(parameter_names(f, len(self.at)), self.structure.children, strict=True)
            paths = [path for name, structure in named for path in _paths(structure, name)]
        else:
            leaves, paths = _parameters(wrt)
            self.parameters = leaves
        labels = [x.label if isinstance(x, Value) else "" for x in leaves]
        self.names = [label or path for label, path in zip(labels, paths, strict=True)]
        self.point = [
            x.data if isinstance(x, Value) else to_float(to_number(x, "check_gradients"))
            for x in leaves
        ]

    @property
    def function_name(self) -> str:
        """The function's name for messages; f if it has none."""
        return title(self.f)

    @property
    def origin(self) -> Subject:
        """The function that the user gave: this one, or the one that this is a derivative of."""
        return self.beneath.origin if self.beneath else self

    @property
    def frozen(self) -> int:
        """How many numbers the user's function detaches."""
        return self.origin.record(self.origin.point).frozen

    @property
    def directions(self) -> list[Direction]:
        """The directions in which it was differentiated, the last one first."""
        return [self.along, *self.beneath.directions] if self.beneath else []

    def derivative_name(self, index: int) -> str:
        """How the derivative with respect to an input is written."""
        of = f"({self.function_name})" if self.beneath else self.function_name
        return f"d {of}/d{self.names[index]}"

    @cached_property
    def everywhere(self) -> dict[int, float]:
        """A direction in which all inputs move, each on its own scale."""
        return {
            index: (-1.0) ** index * (abs(x) or 1.0) * (0.5 + 0.5 * math.modf(0.618034 * index)[0])
            for index, x in enumerate(self.point)
        }

    def moved(self, direction: Direction, by: float = 1.0) -> list[float]:
        """The point, moved by so many steps in a direction."""
        point = list(self.point)
        for index, step in direction.items():
            point[index] += by * step
        return point

    def at_point(self, point: Sequence[float]) -> Subject:
        """The same function at another point."""
        other = copy.copy(self)
        other.point = list(point)
        return other

    def with_function(self, f: Callable[..., Any], output: int = 0) -> Subject:
        """Another function, or another output, at the same point."""
        other = copy.copy(self)
        other.f, other.output, other.outputs, other.series = f, output, 1, {}
        return other

    @contextmanager
    def placed(self, point: Sequence[float]) -> Iterator[None]:
        """Move the parameters, if there are any, to a point and back again."""
        parameters = self.parameters or []
        before = [parameter.data for parameter in parameters]
        try:
            for parameter, number in zip(parameters, point, strict=False):
                parameter.data = number
            yield
        finally:
            for parameter, number in zip(parameters, before, strict=True):
                parameter.data = number

    @nothing_collected()
    def record(self, point: Sequence[float]) -> Recording:
        """Run the function at a point."""
        if self.parameters is None:
            inputs = [Value(x) for x in point]
            return self._recorded(self.f(*self.arguments(inputs)), inputs)
        with self.placed(point):
            return self._recorded(self.f(*self.at), self.parameters)

    def arguments(self, leaves: Sequence[Any]) -> tuple[Any, ...]:
        """Numbers or Values in the structure of the arguments."""
        return tuple(unflatten(self.structure, leaves))

    def _recorded(self, result: Any, inputs: Sequence[Value]) -> Recording:
        leaves = flatten(result)[0]
        self.outputs = len(leaves)
        if not leaves:
            raise ValueError(f"{self.function_name} returned {result!r}: nothing to differentiate")
        output = leaves[self.output]
        if isinstance(output, Value):
            recording = Recording(output, inputs, output.data)
            self.operations = len(recording.values)
            return recording
        return Recording(None, inputs, to_float(to_number(output, "the result of the function")))

    def tried(self, point: Sequence[float]) -> Recording | None:
        """Run the function beside the point, where it may refuse the number."""
        try:
            return self.record(point)
        except (ArithmeticError, ValueError, TypeError, Warning):
            return None


def _parameters(wrt: Any) -> tuple[list[Value], list[str]]:
    """The Values in `wrt`, and a name for each."""
    name, given = "wrt", wrt
    if callable(getattr(wrt, "parameters", None)):
        name, given = "parameters", wrt.parameters()
    if isinstance(given, Value | Iterable):
        leaves, structure = flatten(given if isinstance(given, Value) else list(given))
        if all(isinstance(leaf, Value) and is_leaf(leaf) for leaf in leaves):
            return leaves, _paths(structure, name)
    raise TypeError(f"wrt= takes a model or Values that no operation made, got {given!r}")


def title(f: Callable[..., Any], otherwise: str = "f") -> str:
    """The name of a function in a report, or another one if it has none."""
    name = str(getattr(f, "__name__", None) or type(f).__name__)
    return otherwise if name == "<lambda>" else name


def parameter_names(f: Callable[..., Any], count: int) -> list[str]:
    """The names of the parameters that receive the arguments."""
    names: list[str] = []
    for parameter in parameters_of(f):
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{index}]" for index in range(count - len(names))]
    names += [f"x{index}" for index in range(len(names), count)]
    return names[:count]


def _paths(structure: Structure, name: str) -> list[str]:
    """A name for each leaf: x, x[0], x['a'][2]."""
    if structure.kind is None:
        return [name]
    if structure.children or not structure.keys:
        return [
            path
            for number, child in enumerate(structure.children)
            for path in _paths(child, name + place(structure, number))
        ]
    return [f"{name}.flat[{index}]" for index in range(math.prod(structure.keys))]
