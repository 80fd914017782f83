"""The graph of a traced function, as arrays with an entry for each node."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

LEAF, CONSTANT = -2, -1  # codes of nodes that are not operations
NOTHING = -1  # in place of a missing operand
COLUMNS = 3  # operands of each node, unless an operation that a user defined has more


class Structural:
    """A row that is not an operation on numbers, such as a loop (see `micrograd.compiler.loops`).

    Rows with equal contents are equal. A graph has them in its table beside the operations.
    """

    name: str
    arity = 0  # of numbers that an operation is applied to

    def made(self, *parts: Any) -> Any:
        """Return the counterpart of a node in another trace, given its operands there."""
        raise NotImplementedError

    def mapped(self, change: Callable[[Graph], Graph]) -> Structural:
        """Return the row with the graph of its step changed, if it has a step."""
        return self

    def recorded(self, recorder: Any, places: Sequence[int]) -> int:
        """Return the place of a node with any number of operands, by a recorder."""
        place: int = recorder.operation(self, recorder.chain(CHAIN, places))
        return place


@dataclass(frozen=True)
class Chain(Structural):
    """A list of nodes: the list that is its first operand, if that is one, and further nodes."""

    name = "chain"


CHAIN = Chain()


class Graph(NamedTuple):
    """Nodes in topological order: the parameters, then the inputs, then constants and operations.

    `code` says what a node is: the index of its row in `table`, CONSTANT, or LEAF for a parameter
    or an input. `operands` has a row of nodes for each node, as many as the operation with the
    most operands has, and at least three; NOTHING where there are fewer.
    `numbers` has the numbers of the constants, and 0 for other nodes. `parameters` and
    `inputs` are how many there are, and `outputs` has the nodes that are returned.
    """

    code: Any
    operands: Any
    numbers: Any
    table: tuple[Any, ...]  # operations, and structural rows
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

    @property
    def key(self) -> tuple[Any, ...]:
        """All that the graph consists of, to compare it with others."""
        arrays = (self.code, self.operands, self.numbers, self.outputs)
        return (*(each.tobytes() for each in arrays), self.table, self.parameters, self.inputs)

    def mapped(self, change: Callable[[Graph], Graph]) -> Graph:
        """Return the graph with the graphs of all steps of loops changed."""
        table = (row.mapped(change) if isinstance(row, Structural) else row for row in self.table)
        return self._replace(table=tuple(table))

    @property
    def structural(self) -> Any:
        """Which nodes are structural, not numbers computed by operations."""
        return self.made_by(lambda row: isinstance(row, Structural))

    def made_by(self, test: Callable[[Any], bool]) -> Any:
        """Return which nodes belong to a row for which a test is true."""
        # Codes of -1 and -2 come last.
        return np.array([*map(test, self.table), False, False])[self.code]

    def first_difference(self, other: Graph) -> int | None:
        """Return the first node that differs in another trace of a function, or None."""
        if self.key == other.key:
            return None
        pairs = zip(self._nodes(), other._nodes(), strict=False)
        last = min(self.size, other.size) - 1
        return next((node for node, (one, another) in enumerate(pairs) if one != another), last)

    def _nodes(self) -> Iterator[tuple[Any, ...]]:
        """Yield what each node is: its row or its code, the bits of its number, its operands."""
        columns = self.code, self.numbers.view(np.int64), self.operands
        for code, bits, held in zip(*(each.tolist() for each in columns), strict=True):
            yield self.table[code] if code >= 0 else code, bits, [x for x in held if x != NOTHING]

    def live(self) -> Graph:
        """Return the graph without the nodes that no output needs; leaves stay."""
        used = np.zeros(self.size + 1, bool)  # the last one for NOTHING
        used[self.operands] = used[self.outputs] = True
        if used[self.leaves : -1].all():  # the last node by an output, so the one before it, …
            return self
        kept = self._used_in_the_end()
        place = np.append(np.cumsum(kept) - 1, NOTHING)
        return self._replace(
            code=self.code[kept],
            operands=place[self.operands[kept]],
            numbers=self.numbers[kept],
            outputs=place[self.outputs],
        )

    def _used_in_the_end(self) -> Any:
        """Return which nodes an output needs; leaves count as needed."""
        first, kept = self.leaves, np.ones(self.size, bool)
        uses = np.bincount(self.operands.ravel() + 1, minlength=self.size + 1)[1:]
        uses += np.bincount(self.outputs, minlength=self.size)
        unused = first + np.flatnonzero(uses[first:] == 0)
        for _ in range(_ROUNDS):
            if not len(unused):
                return kept
            kept[unused] = False
            held = self.operands[unused].ravel()
            held = held[held >= first]
            np.subtract.at(uses, held, 1)
            unused = np.array(sorted({*held[uses[held] == 0].tolist()}), dtype=np.intp)
        needed = bytearray(self.size + 1)  # the last one for NOTHING
        for node in self.outputs.tolist():
            needed[node] = 1
        nodes = range(self.size - 1, self.leaves - 1, -1)
        x, y, z, *rest = self.operands[self.leaves :][::-1].T.tolist()
        others = zip(*rest, strict=True) if rest else repeat(())
        for node, a, b, c, more in zip(nodes, x, y, z, others, strict=False):
            if needed[node]:
                needed[a] = needed[b] = needed[c] = 1
                for d in more:
                    needed[d] = 1
        needed[:first] = b"\1" * first
        return np.frombuffer(needed, np.uint8)[:-1].astype(bool)


_ROUNDS = 64
"""Rounds in which nodes that nothing uses are taken away; for longer chains a loop is faster."""


def any_of(columns: Sequence[Any]) -> Any:
    """Return for each place whether any of a few columns is true there.

    It takes a twentieth of the time of `any(axis=1)` on a matrix with so few columns.
    """
    return reduce(np.logical_or, columns)


def reached(graph: Graph, marks: Any, passes: Any = None) -> Any:
    """Return which nodes are marked or depend on a node that is.

    Args:
        graph: the graph.
        marks: which nodes are marked.
        passes: for each operand of each node whether it counts; by default all do.
    """
    found = np.append(marks, False)  # the last one for NOTHING
    operands = graph.operands if passes is None else np.where(passes, graph.operands, NOTHING)
    columns = [column for column in operands.T if (column >= 0).any()]
    left = np.flatnonzero((graph.code >= 0) & ~marks & marks.any())
    # In each round, what reads a node that was found is found, too. Long chains are left to a loop.
    before = 2 * len(left)
    while MANY < len(left) < before - before // 16:
        before = len(left)
        reads = any_of([found[column[left]] for column in columns])
        found[left[reads]] = True
        left = left[~reads]
    if len(left) < before:
        flags = bytearray(found)
        x, y, z, *rest = operands[left].T.tolist()
        others = zip(*rest, strict=True) if rest else repeat(())
        for node, a, b, c, more in zip(left.tolist(), x, y, z, others, strict=False):
            if flags[a] or flags[b] or flags[c] or (more and any(flags[d] for d in more)):
                flags[node] = 1
        found = np.frombuffer(flags, np.uint8).astype(bool)
    return found[:-1]


MANY = 2_000  # nodes or edges from which on a round on arrays is faster than a loop


def uses_of(graph: Graph, chosen: Any = None) -> tuple[Any, Any]:
    """Return how often each node is used, an output counting twice, and a node that uses it.

    Args:
        graph: the graph.
        chosen: which nodes to look at; by default all.
    """
    uses = 2 * np.bincount(graph.outputs, minlength=graph.size)
    above = np.full(graph.size, NOTHING)
    counted = np.append(np.ones(graph.size, bool) if chosen is None else chosen, False)
    for column in graph.operands.T:
        users = np.flatnonzero(counted[column])  # the last one is False, for NOTHING
        held = column[users]
        uses += np.bincount(held, minlength=graph.size)
        above[held] = users
    return uses, above
