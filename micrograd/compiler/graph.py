"""The graph of a traced function, as arrays with an entry for each node."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.ops import Operation

LEAF, CONSTANT = -2, -1  # codes of nodes that are not operations
NOTHING = -1  # in place of a missing operand


class Graph(NamedTuple):
    """Nodes in topological order: the parameters, then the inputs, then constants and operations.

    `code` says what a node is: the index of its operation in `table`, CONSTANT, or LEAF for a
    parameter or an input. `operands` has a row of three nodes for each node, NOTHING where there
    are fewer. `numbers` has the numbers of the constants, and 0 for other nodes. `parameters` and
    `inputs` are how many there are, and `outputs` has the nodes that are returned.
    """

    code: Any
    operands: Any
    numbers: Any
    table: tuple[Operation, ...]
    parameters: int
    inputs: int
    outputs: Any

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.code)

    @property
    def leaves(self) -> int:
        """The number of parameters and inputs."""
        return self.parameters + self.inputs

    def first_difference(self, other: Graph) -> int | None:
        """Return the first node that differs in another trace of a function, or None."""
        shared = min(self.size, other.size)
        numbers = (
            graph.numbers[:shared].view(np.int64) for graph in (self, other)
        )  # a nan equals itself
        differs = np.not_equal(*numbers) | (self.code[:shared] != other.code[:shared])
        differs |= (self.operands[:shared] != other.operands[:shared]).any(axis=1)
        found = np.flatnonzero(differs)
        if len(found):
            return int(found[0])
        if self.size == other.size and np.array_equal(self.outputs, other.outputs):
            return None
        return shared - 1

    def live(self) -> Graph:
        """Return the graph without the nodes that no output needs; leaves stay."""
        needed = bytearray(self.size + 1)  # the last one for NOTHING
        for node in self.outputs.tolist():
            needed[node] = 1
        x, y, z = (column.tolist() for column in self.operands.T)
        for node in range(self.size - 1, self.leaves - 1, -1):
            if needed[node]:
                needed[x[node]] = needed[y[node]] = needed[z[node]] = 1
        kept = np.frombuffer(needed, np.uint8)[:-1].astype(bool)
        kept[: self.leaves] = True
        place = np.append(np.cumsum(kept) - 1, NOTHING)
        return self._replace(
            code=self.code[kept],
            operands=place[self.operands[kept]],
            numbers=self.numbers[kept],
            outputs=place[self.outputs],
        )
