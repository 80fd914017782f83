"""The row of a loop in a graph; see `micrograd.compiler.loops`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from micrograd.compiler.tracing.graph import Graph, Structural
from micrograd.compiler.tracing.structural import Result, node_of
from micrograd.engine.value import Value
from micrograd.locks import forkable_property
from micrograd.transforms.propagation import Joint


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

    @forkable_property
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
