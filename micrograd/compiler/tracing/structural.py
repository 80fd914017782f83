"""The rows of stacks of numbers, and of results that are taken out of a node with several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from micrograd.compiler.tracing import recorder as recorders
from micrograd.compiler.tracing.graph import NOTHING, Chain, Graph, Structural
from micrograd.compiler.tracing.recorder import Recorder
from micrograd.compiler.tracing.traced import leaf
from micrograd.engine.graph import More, operands
from micrograd.engine.value import Value
from micrograd.transforms.propagation import Joint


@dataclass(frozen=True)
class Result(Structural, Joint):
    """A result of a loop: a last state, the number of steps, or a stack."""

    index: int
    name = "result"

    def made(self, loop: Value) -> Value:
        """Return the result of a traced loop."""
        return node_of(self, [loop])

    def recorded(self, recorder: Recorder, places: Sequence[int]) -> int:
        """Record this result of the loop at a place, and return the place of the result."""
        return recorder.operation(self, *places)

    def pull(self, node: Value, adjoint: Any, active: Any) -> Iterable[tuple[Value, Any]]:
        """Pass the adjoint on to the loop."""
        return [(node._x, Shares({self.index: adjoint}))]

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Take the tangent of this result from those of the loop."""
        return tangents[node._x].get(self.index, 0.0)


@dataclass(frozen=True)
class Element(Result):
    """One number of a stack."""

    name = "element"

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Return the same number of the stack of tangents."""
        tangent = tangents[node._x]
        return self.made(tangent) if isinstance(tangent, Value) else tangent


@dataclass(frozen=True)
class Pack(Structural, Joint):
    """A stack of given numbers."""

    name = "pack"

    def made(self, parts: Sequence[Any]) -> Value:
        """Return the stack of some numbers and values."""
        return node_of(self, parts)

    def pull(self, node: Value, adjoint: Any, active: Any) -> Iterable[tuple[Value, Any]]:
        """Pass each number of the stack of adjoints on."""
        stacks = adjoint.stacks
        for k, operand in enumerate(operands(node)):
            if isinstance(operand, Value) and operand in active:
                yield operand, element_of(adjoint, stacks, k)

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Return the stack of the tangents."""
        held = operands(node)
        return self.made([tangents.get(x, 0.0) if isinstance(x, Value) else 0.0 for x in held])


class Shares(dict[Any, Any]):
    """An adjoint in several parts.

    That of a loop has the adjoint of each result by its index. That of a stack has the adjoints of
    single numbers by their places, and for each stack that is added to it, as a whole, how often.
    """

    def __iadd__(self, other: Shares) -> Shares:
        for key, each in other.items():
            self[key] = self[key] + each if key in self else each
        return self

    def __add__(self, other: Shares) -> Shares:
        merged = Shares(self)
        merged += other
        return merged

    @property
    def elements(self) -> dict[int, Any]:
        """The adjoints of single numbers of a stack."""
        return {key: each for key, each in self.items() if isinstance(key, int)}

    @property
    def stacks(self) -> dict[Value, float]:
        """The stacks that are added, and how often."""
        return {key: each for key, each in self.items() if not isinstance(key, int)}


def element_of(adjoint: Shares, stacks: dict[Value, float], k: int) -> Any:
    """Return the adjoint of one number of a stack, given `adjoint.stacks`; None for nothing."""
    total = adjoint.get(k)
    for stack, times in stacks.items():
        share = Element(k).made(stack) * times
        total = share if total is None else total + share
    return total


def operands_of(graph: Graph, node: int) -> list[int]:
    """Return the operands of a node that has a chain of them."""
    parts: list[list[int]] = []
    head = int(graph.operands[node, 0])
    while True:
        held = [x for x in graph.operands[head].tolist() if x != NOTHING]
        first = graph.code[held[0]]
        if first < 0 or not isinstance(graph.table[first], Chain):
            parts.append(held)
            return [x for part in reversed(parts) for x in part]
        parts.append(held[1:])
        head = held[0]


def node_of(row: Structural, parts: Sequence[Any]) -> Value:
    """Return a traced value that belongs to a structural row."""
    recorder = recorders.current()
    made = leaf(row.recorded(recorder, recorder.places(parts)))
    made._row, made._x = row, parts[0]
    if len(parts) > 1:
        made._y = More(tuple(parts[1:]), (None,) * (len(parts) - 1))
    return made
