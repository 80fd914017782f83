"""The function under check: its inputs as a flat list of floats, and the graphs it records."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple

from micrograd.engine.graph import is_leaf, made_by, operands, order, partials
from micrograd.engine.value import Value, to_number
from micrograd.ops import Operation
from micrograd.table.floats import to_float
from micrograd.testing.branches import Observer
from micrograd.testing.kinds import Kind, NotApplicable
from micrograd.transforms.structures import Structure, flatten, unflatten

Branches = tuple[Any, ...]
Operand = tuple[int | None, float]  # the position of a node (None: a constant), and the number


class Node(NamedTuple):
    """One node of a recorded graph, with its operands by position."""

    value: Value
    row: Any  # the Operation, the text of an operation made by hand, or None for a leaf
    operands: tuple[Operand, ...]

    @property
    def is_frozen(self) -> bool:
        """Whether it passes a number on as a constant, as `detach` does."""
        return isinstance(self.row, Operation) and self.row.domain == "0"

    @property
    def is_by_hand(self) -> bool:
        """Whether a user made it with children, and no row of the table."""
        return isinstance(self.row, str)

    @property
    def numbers(self) -> list[float]:
        """The operands as numbers."""
        return [number for _, number in self.operands]

    @property
    def moving(self) -> list[int]:
        """The operands, by number, that are nodes."""
        return [number for number, (place, _) in enumerate(self.operands) if place is not None]

    @property
    def slopes(self) -> tuple[float | None, ...]:
        """The local partials that the engine recorded."""
        return tuple(partials(self.value))

    @property
    def name(self) -> str:
        """The operation, for messages."""
        if isinstance(self.row, Operation):
            return self.row.name
        return self.row or "an operation made by hand"

    @property
    def label(self) -> str:
        """The label that the user gave the Value."""
        return self.value.label


class Recording:
    """The graph that one run of the function recorded, its nodes in topological order."""

    def __init__(self, root: Value | None, inputs: Sequence[Value], value: float) -> None:
        self.inputs, self.value, self.root = inputs, value, root
        self.gradient = [0.0] * len(inputs)  # by the last backward pass
        self.values: list[Value] = order(root) if root is not None else []
        self._position = {node: index for index, node in enumerate(self.values)}
        self.places = [self._position.get(value) for value in inputs]  # None: never reached

    @cached_property
    def nodes(self) -> list[Node]:
        """The nodes with their operands by position, in topological order."""
        position = self._position
        return [
            Node(
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
        """The shape of the graph and the pieces that its operations lie on.

        `values` are those of the nodes if they are not those recorded.
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
                if values is not None:
                    numbers = [
                        values[self._position[x]] if isinstance(x, Value) else to_float(x)
                        for x in held
                    ]
                else:
                    numbers = [x.data if isinstance(x, Value) else to_float(x) for x in held]
                seen += observer.branches(row, numbers)
        return tuple(seen)

    def gradient_of(self, place: int) -> float:
        """The gradient of a node in the last backward pass."""
        if place in self.places:
            return self.gradient[self.places.index(place)]
        return float(self.nodes[place].value.grad)

    @cached_property
    def external(self) -> list[Value]:
        """The leaves that are no inputs: values that the function closes over."""
        known = set(self.places)
        return [
            node.value
            for index, node in enumerate(self.nodes)
            if node.row is None and index not in known
        ]

    def replay(self, kind: Kind, given: Mapping[int, Any], *, detached: bool = True) -> list[Any]:
        """All nodes on another kind of number; `given` replaces the inputs of these indices.

        What `detach` passes on stays the number it was, if `detached` is true.
        """
        placed = {self.places[index]: number for index, number in given.items()}
        values: list[Any] = []
        for index, node in enumerate(self.nodes):
            if index in placed:
                values.append(placed[index])
            elif node.row is None or (node.is_frozen and detached):
                values.append(kind.number(node.value.data))
            elif node.is_by_hand:
                raise NotApplicable(f"{node.name!r} was made by hand and has no formula")
            else:
                arguments = (
                    kind.number(number) if place is None else values[place]
                    for place, number in node.operands
                )
                values.append(kind.function(node.row)(*arguments))
        return values


class _Floats(Kind):
    """The engine's own arithmetic."""

    def function(self, row: Operation) -> Callable[..., float]:
        return row.value


FLOATS = _Floats("floats", float, float, {})


class Subject:
    """A function and where it is checked.

    The inputs are the numbers in `at`, or the parameters `wrt`, which are changed in place and put
    back bit for bit.
    """

    beneath: Subject | None = None  # the function of which this is the derivative

    def __init__(
        self,
        f: Callable[..., Any],
        at: Sequence[Any],
        wrt: Any,
        output: int = 0,
        names: Sequence[str] = (),
    ) -> None:
        self.f, self.at, self.output = f, tuple(at), output
        self.operations = 0  # of the last run
        self.parameters: list[Value] | None = None
        self.structures: list[Structure] = []
        self.outputs = 1
        self.output_structure: Structure | None = None
        self.names: list[str] = []
        self.point: list[float] = []
        if wrt is None:
            self._take_arguments()
        else:
            self._take_parameters(wrt)
        if names:
            self.names = list(names)

    @property
    def function_name(self) -> str:
        """The function's name for messages; f if it has none."""
        name = str(getattr(self.f, "__name__", None) or type(self.f).__name__)
        return "f" if name == "<lambda>" else name

    def _take_arguments(self) -> None:
        for name, argument in zip(_argument_names(self.f, len(self.at)), self.at, strict=True):
            leaves, structure = flatten(argument)
            self.structures.append(structure)
            labels = [x.label if isinstance(x, Value) else "" for x in leaves]
            paths = _paths(structure, name)
            self.names += [label or path for label, path in zip(labels, paths, strict=True)]
            self.point += [
                x.data if isinstance(x, Value) else to_float(to_number(x, "check_gradients"))
                for x in leaves
            ]

    def _take_parameters(self, wrt: Any) -> None:
        name = "wrt"
        if callable(getattr(wrt, "parameters", None)):
            name, wrt = "parameters", wrt.parameters()
        if not isinstance(wrt, Value | Iterable):
            raise TypeError(f"wrt= is a model or Values that no operation made, got {wrt!r}")
        self.parameters, structure = flatten(wrt if isinstance(wrt, Value) else list(wrt))
        for parameter in self.parameters:
            if not isinstance(parameter, Value) or not is_leaf(parameter):
                raise TypeError(f"wrt= is a model or Values that no operation made, got {wrt!r}")
        paths = _paths(structure, name)
        self.names = [p.label or path for p, path in zip(self.parameters, paths, strict=True)]
        self.point = [parameter.data for parameter in self.parameters]

    def record(self, point: Sequence[float]) -> Recording:
        """Run the function at a point."""
        if self.parameters is not None:
            before = [parameter.data for parameter in self.parameters]
            for parameter, number in zip(self.parameters, point, strict=True):
                parameter.data = number
            try:
                return self._recorded(self.f(*self.at), self.parameters)
            finally:
                for parameter, number in zip(self.parameters, before, strict=True):
                    parameter.data = number
        inputs = [Value(number) for number in point]
        return self._recorded(self.f(*self.arguments(inputs)), inputs)

    def arguments(self, leaves: Sequence[Any]) -> list[Any]:
        """The leaves in the structure of the arguments."""
        rest, arguments = list(leaves), []
        for structure in self.structures:
            size = _size(structure)
            arguments.append(unflatten(structure, rest[:size]))
            rest = rest[size:]
        return arguments

    def chosen(self, result: Any) -> float:
        """The output that is checked, of a result in the structure of the function's."""
        return float(flatten(result)[0][self.output])

    def _recorded(self, result: Any, inputs: Sequence[Value]) -> Recording:
        leaves, self.output_structure = flatten(result)
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

    def moved(self, index: int, to: float) -> list[float]:
        """The point with one input changed."""
        point = list(self.point)
        point[index] = to
        return point

    @contextmanager
    def keeping_gradients(self, recording: Recording) -> Iterator[None]:
        """Put the `.grad` of parameters and of values closed over back afterwards."""
        held = [*(self.parameters or ()), *recording.external]
        before = [value.grad for value in held]
        try:
            yield
        finally:
            for value, grad in zip(held, before, strict=True):
                value.grad = grad


def _argument_names(f: Callable[..., Any], count: int) -> list[str]:
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):
        parameters = {}.values()
    names: list[str] = []
    for parameter in parameters:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
        elif parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{index}]" for index in range(count - len(names))]
    names += [f"argument {index}" for index in range(len(names), count)]
    return names[:count]


def _paths(structure: Structure, name: str) -> list[str]:
    """A name for each leaf: x, x[0], x['a'][2]."""
    if structure.kind is None:
        return [name]
    if structure.children or not structure.keys:
        keys = structure.keys or range(len(structure.children))
        return [
            path
            for key, child in zip(keys, structure.children, strict=True)
            for path in _paths(child, f"{name}[{key!r}]")
        ]
    return [f"{name}.flat[{index}]" for index in range(math.prod(structure.keys))]


def _size(structure: Structure) -> int:
    return len(_paths(structure, ""))
