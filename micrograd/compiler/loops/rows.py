"""The rows of loops in a graph; see `micrograd.compiler.loops`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from micrograd.compiler import recorder as recorders
from micrograd.compiler.graph import NOTHING, Chain, Graph, Structural
from micrograd.compiler.recorder import Recorder
from micrograd.compiler.traced import leaf
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
        for k, operand in enumerate(operands(node)):
            if isinstance(operand, Value) and operand in active:
                yield operand, element_of(adjoint, k)

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Return the stack of the tangents."""
        held = operands(node)
        return self.made([tangents.get(x, 0.0) if isinstance(x, Value) else 0.0 for x in held])


class Shares(dict[Any, Any]):
    """An adjoint in several parts.

    That of a loop has the adjoint of each result by its index. That of a stack has the adjoints of
    single numbers by their places, and for each stack that is added to it, as a whole, how often.
    """

    def __add__(self, other: Shares) -> Shares:
        merged = Shares(self)
        for key, each in other.items():
            merged[key] = merged[key] + each if key in merged else each
        return merged

    @property
    def elements(self) -> dict[int, Any]:
        """The adjoints of single numbers of a stack."""
        return {key: each for key, each in self.items() if isinstance(key, int)}

    @property
    def stacks(self) -> dict[Value, float]:
        """The stacks that are added, and how often."""
        return {key: each for key, each in self.items() if not isinstance(key, int)}


def element_of(adjoint: Shares, k: int) -> Any:
    """Return the adjoint of one number of a stack; None for nothing."""
    total = adjoint.get(k)
    for stack, times in adjoint.stacks.items():
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
    made = leaf(row.recorded(recorder, [recorder.place(part) for part in parts]))
    made._row, made._x = row, parts[0]
    if len(parts) > 1:
        made._y = More(tuple(parts[1:]), (None,) * (len(parts) - 1))
    return made


@dataclass(frozen=True, eq=False)
class LoopRow(Structural, Joint):
    """A loop that repeats a step.

    Its operands are the number of steps, a number that is not 0 if there is a first step (if
    `conditional`), the first states, a stack for each input of a step, and the values around the
    loop that the step uses. Its results are the last states, the number of steps that were done, a
    stack for each output of a step, and a stack of the values of each state before each step.

    Args:
        step: the graph of a step. Its inputs are the states, the inputs of a step, and what it uses
            from around. Its outputs are the next states, whether there is a next step (if
            `conditional`), and the outputs of the step.
        states: the number of states.
        inputs: the number of inputs of a step.
        conditional: whether a step says if there is a next one.
        reverse: whether the last entries of the stacks are used first.
    """

    step: Graph
    states: int
    inputs: int
    conditional: bool
    reverse: bool
    name = "loop"

    @cached_property
    def _key(self) -> tuple[Any, ...]:
        return self.step.key, self.states, self.inputs, self.conditional, self.reverse

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LoopRow) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def mapped(self, change: Callable[[Graph], Graph]) -> LoopRow:
        """Return the same loop with a changed step."""
        return replace(self, step=change(self.step))

    @property
    def outputs(self) -> int:
        """The number of outputs of a step."""
        return len(self.step.outputs) - self.states - self.conditional

    @property
    def count(self) -> Result:
        """The number of steps that were done, among the results."""
        return Result(self.states)

    def stack(self, output: int) -> Result:
        """The stack of an output, or from `outputs` on, of the values of a state."""
        return Result(self.states + 1 + output)

    def parts(self, held: Sequence[Any]) -> Operands:
        """Sort operands."""
        head = 1 + self.conditional
        ends = head + self.states, head + self.states + self.inputs
        return Operands(
            held[0],
            held[1] if self.conditional else None,
            [*held[head : ends[0]]],
            [*held[ends[0] : ends[1]]],
            [*held[ends[1] :]],
        )

    def made(self, parts: Sequence[Any]) -> Value:
        """Return the traced loop of some operands."""
        return node_of(self, parts)

    def pull(self, node: Value, adjoint: Any, active: Any) -> Iterable[tuple[Value, Any]]:
        """Return the adjoints of the operands: the results of a loop backwards."""
        from micrograd.compiler.loops.derivatives import pull

        return pull(node, self, adjoint, active)

    def push(self, node: Value, tangents: dict[Value, Any]) -> Any:
        """Return the tangents of the results: those of a loop of tangents."""
        from micrograd.compiler.loops.derivatives import push

        return push(node, self, tangents)


class Operands(NamedTuple):
    """The operands of a loop, as nodes or numbers."""

    count: Any
    goes_on: Any
    states: list[Any]
    inputs: list[Any]
    captured: list[Any]
