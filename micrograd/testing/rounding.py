"""Bounds of the rounding errors in a graph, from which every verdict of the checker is derived."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter

from micrograd.table.balls import (
    EXACT,
    LEAST,
    LIBRARY,
    Ball,
    constant,
    library_function,
    swept,
)
from micrograd.table.interpreters import IEEE
from micrograd.testing.arithmetic import Arithmetic
from micrograd.testing.recording import RecordedNode, Recording


def balls() -> Arithmetic:
    """Floats with a bound of their rounding error."""
    return Arithmetic(
        "floats with bounds",
        constant,
        attrgetter("mid"),
        EXACT,
        lambda name: library_function(IEEE[name]),
        has_functions=True,
    )


class Rounding:
    """How far rounding may have moved the value and the gradient of a recorded graph.

    Args:
        recording: the graph.
        arithmetic: that of `balls()`, which remembers the formulas that it has compiled.
    """

    def __init__(self, recording: Recording, arithmetic: Arithmetic) -> None:
        self.arithmetic = arithmetic
        self.nodes, self.places = recording.nodes, recording.places
        self.values: list[Ball] = []
        for node in self.nodes:
            self.values.append(self._value(node))
        self.value_error = self.values[-1].rad if self.values else 0.0
        # For each input, the sum over all paths of |product of slopes|.
        self.path_sizes: list[float] = []

    def _operands(self, node: RecordedNode) -> list[Ball]:
        return [Ball(x) if place is None else self.values[place] for place, x in node.operands]

    def _value(self, node: RecordedNode) -> Ball:
        if node.row is None or node.is_frozen:
            return Ball(node.value.data)
        operands = self._operands(node)
        if not node.is_by_hand:
            rad = self.arithmetic.function(node.row)(*operands).rad
        else:
            # What the code does inside is unknown: sixteen units, and what its slopes pass on.
            rad = LIBRARY * 2 * abs(node.value.data) + LEAST
            shares = zip(node.slopes, operands, strict=True)
            rad += sum(abs(slope or 0.0) * x.rad for slope, x in shares)
        return Ball(node.value.data, rad)

    def gradient_errors(self) -> list[float]:
        """A bound of the rounding in the derivative for each input; 0 for one not in the graph."""
        root = len(self.nodes) - 1
        adjoints, sizes = swept({root: Ball(1.0)}, range(root, -1, -1), self._flows)
        zero = Ball(0.0)
        self.path_sizes = [sizes.get(-1 if p is None else p, 0.0) for p in self.places]
        return [0.0 if place is None else adjoints.get(place, zero).rad for place in self.places]

    def _flows(self, index: int) -> Iterator[tuple[int, Ball]]:
        """The operands of a node that are nodes, with its slopes there."""
        node = self.nodes[index]
        operands = None if node.is_by_hand else self._operands(node)
        for number, (slope, (place, _)) in enumerate(zip(node.slopes, node.operands, strict=True)):
            if slope is None or place is None or (node.is_by_hand and not slope):
                continue
            if operands is None:
                yield place, Ball(slope, LIBRARY * 2 * abs(slope))
            else:
                partial = self.arithmetic.partial(node.row, number)
                yield place, Ball(slope, partial(*operands, self.values[index]).rad)
