"""All that a run of a function did, in arrays, and the graph of it."""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.tracing.graph import COLUMNS, CONSTANT, LEAF, NOTHING, Graph
from micrograd.compiler.tracing.inner_products import Group


class Recorded(NamedTuple):
    """All that a run of a function did, with numbers that are the same in each run.

    The leaves are numbered from 0 on, then the operations; constants from -2 downwards.

    Args:
        parameters: the number of parameters.
        inputs: the number of inputs.
        constants: the constants, each a number or a tuple of one and its text.
        rows: the operations that were recorded one by one.
        jumps: before which of them there are others, in groups of inner products, and how many.
        columns: for each place of an operand, the operands of the operations; NOTHING where an
            operation has none. From the third one on, only of operations that have one.
        longer: for each of these columns, the numbers of these operations.
        groups: inner products.
        outputs: the results.
    """

    parameters: int
    inputs: int
    constants: list[Any]
    rows: list[Any]
    jumps: list[tuple[int, int]]
    columns: list[Any]
    longer: list[list[int]]
    groups: list[Group]
    outputs: Any

    def equals(self, other: Recorded) -> bool:
        """Return whether another run did the same in the same order. Groups know their places."""
        return (
            self.rows == other.rows
            and self.constants == other.constants
            and self.longer == other.longer
            and [group[:2] for group in self.groups] == [group[:2] for group in other.groups]
            and all(map(np.array_equal, self._arrays(), other._arrays()))
        )

    def _arrays(self) -> list[Any]:
        return [self.outputs, *self.columns, *(each for group in self.groups for each in group[2:])]

    def graph(self) -> Graph:
        """Return the graph, with one node for equal operations, and rows in the order of their use.

        It is the same as if the operations of inner products had been recorded one by one.
        """
        constants, leaves = len(self.constants), self.parameters + self.inputs
        first, number = leaves + constants, len(self.rows)
        table: dict[Any, int] = defaultdict(count().__next__)
        nodes = np.arange(first, first + number)  # of operations that were recorded one by one
        size = first + number
        if self.jumps:
            after, lengths = np.array(self.jumps).T
            passed = np.searchsorted(after, np.arange(number), side="right")
            nodes += np.append(0, np.cumsum(lengths))[passed]
            size += int(lengths.sum())
        code = np.full(size, LEAF, dtype=np.intp)
        code[leaves:first] = CONSTANT
        alone = np.ones(size - first, bool)  # not a partial sum of a group
        code[nodes] = np.fromiter(map(table.__getitem__, self.rows), np.intp, number)
        operands = np.full((size, max(COLUMNS, len(self.columns))), NOTHING, dtype=np.intp)
        chosen = nodes, nodes, *(nodes[each] for each in self.longer)
        for i, (column, at) in enumerate(zip(self.columns, chosen, strict=True)):
            operands[at, i] = self._nodes(column)
        for group in self.groups:
            for row, places, left, right in group.mapped(self._nodes).written():
                code[places] = table[row]
                operands[places, 0] = left
                operands[places, 1] = right
                alone[places - first] = row is group.row
        numbers = np.zeros(size)
        numbers[leaves:first] = [
            key[0] if isinstance(key, tuple) else key for key in self.constants
        ]
        graph = Graph(
            code=code,
            operands=operands,
            numbers=numbers,
            table=tuple(table),
            parameters=self.parameters,
            inputs=self.inputs,
            outputs=self._nodes(self.outputs),
        )
        return _without_repetitions(_in_order(graph), alone)

    def _nodes(self, places: Any) -> Any:
        """Return nodes of the graph: leaves, then constants, then operations."""
        leaves = self.parameters + self.inputs
        found = np.where(places >= leaves, places + len(self.constants), places)
        return np.where(places < NOTHING, leaves - 2 - places, found)


def _in_order(graph: Graph) -> Graph:
    """Return the graph with its table in the order in which rows occur."""
    if not graph.table:
        return graph
    firsts = np.empty(len(graph.table) + 2, dtype=np.intp)
    firsts[graph.code[::-1]] = np.arange(graph.size)[::-1]  # codes of -2 and -1 come last
    order = np.argsort(firsts[:-2])
    if (order[:-1] < order[1:]).all():
        return graph
    code = np.append(np.argsort(order), [LEAF, CONSTANT])  # codes of -2 and -1 come last
    return graph._replace(code=code[graph.code], table=tuple(graph.table[i] for i in order))


def _without_repetitions(graph: Graph, alone: Any) -> Graph:
    """Return the graph with one node for equal operations.

    Args:
        graph: the graph, with its nodes in order.
        alone: which operations are not partial sums of inner products. Nothing else reads the terms
            of these, so two of them are equal only if their terms are.
    """
    start = graph.size - len(alone)
    code, operands = graph.code[start:], graph.operands[start:]
    if not alone.all():
        found = _first_equals(code[alone], operands[alone])
        if (found == np.arange(len(found))).all():
            return graph
    place = np.append(np.arange(graph.size), NOTHING)  # of the node in place of each node
    for _ in range(_ROUNDS):
        found = start + _first_equals(code, operands)
        if (found == place[start:-1]).all():
            break
        place[start:-1] = found
        operands = place[graph.operands[start:]]
    else:
        place = _replaced_one_by_one(graph, start)
    kept = place[:-1] == np.arange(graph.size)
    if kept.all():
        return graph
    final = np.append(np.cumsum(kept) - 1, NOTHING)[place]
    return graph._replace(
        code=graph.code[kept],
        operands=final[graph.operands[kept]],
        numbers=graph.numbers[kept],
        outputs=final[graph.outputs],
    )


_ROUNDS = 5
"""Rounds on arrays; in each, operations are found that differ only in operands found before."""


def _replaced_one_by_one(graph: Graph, start: int) -> Any:
    """Return for each node the first one that computes the same, in a loop over all operations."""
    place = [*range(graph.size), NOTHING]
    seen: dict[tuple[Any, ...], int] = {}
    columns = [graph.code[start:].tolist(), *graph.operands[start:].T.tolist()]
    if len(columns) == 1 + COLUMNS:
        for node, (row, x, y, z) in enumerate(zip(*columns, strict=True), start):
            place[node] = seen.setdefault((row, place[x], place[y], place[z]), node)
    else:
        for node, (row, *held) in enumerate(zip(*columns, strict=True), start):
            place[node] = seen.setdefault((row, *[place[x] for x in held]), node)
    return np.array(place)


def _first_equals(code: Any, operands: Any) -> Any:
    """Return for each operation the first one with the same row and operands."""
    keys = code.astype(np.uint64)
    for i, column in enumerate(operands.T):
        keys += column.astype(np.uint64) * (_ODD[i % len(_ODD)] + np.uint64(i - i % len(_ODD)))
    bits = 2 + max(1, len(keys)).bit_length()
    place = keys >> np.uint64(64 - bits)
    last = np.empty(1 << bits, dtype=np.int32)  # which takes less of the cache
    last[place[::-1]] = np.arange(len(keys))[::-1]  # the first operation at each place stays
    found = last[place]
    left = np.flatnonzero(keys[found] != keys)  # these share a place with another key
    left = left[np.argsort(keys[left], kind="stable")]
    starts = np.flatnonzero(np.append(True, keys[left[1:]] != keys[left[:-1]])[: len(left)])
    found[left] = np.repeat(left[starts], np.diff(np.append(starts, len(left))))
    repeated = np.flatnonzero(found != np.arange(len(keys)))
    first = found[repeated]
    equal = (code[first] == code[repeated]) & (operands[first] == operands[repeated]).all(axis=1)
    found[repeated[~equal]] = repeated[~equal]
    return found


_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
"""Odd numbers with bits that look random, by which numbers are multiplied to spread them."""
