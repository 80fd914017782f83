"""Inner products that a recorder records at once, not number by number.

A matrix product of traced arrays is many operations, but one entry of the recorder. Its operations
take their places when they are recorded, and are written out when the graph is made: the same ones
in the same order as if each had been recorded by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.graph import CONSTANT, LEAF, NOTHING, Graph
from micrograd.ops import TABLE, Operation


class InnerProducts(NamedTuple):
    """All inner products of the rows of one matrix and the columns of another.

    Args:
        row: the operation of each product.
        left: the places of the numbers of the first matrix, row by row.
        right: the places of those of the second one, column by column.
        length: the number of terms of each inner product.
    """

    row: Operation
    left: tuple[int, ...]
    right: tuple[int, ...]
    length: int

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and columns of the result."""
        return len(self.left) // self.length, len(self.right) // self.length

    @property
    def each(self) -> int:
        """The number of operations of one inner product."""
        return 2 * self.length - 1

    @property
    def size(self) -> int:
        """The number of operations."""
        rows, columns = self.shape
        return rows * columns * self.each

    def results(self, first: int) -> range:
        """Return the places of the results.

        Args:
            first: the place of the first operation.
        """
        return range(first + self.each - 1, first + self.size, self.each)


class Written(NamedTuple):
    """Operations of one row, written out: their places, and those of their operands."""

    row: Operation
    places: Any
    left: Any
    right: Any


def expanded(blocks: Mapping[InnerProducts, int]) -> Iterator[Written]:
    """Yield the operations of inner products.

    Args:
        blocks: inner products, with the place of the first operation of each.
    """
    kinds = groupby(blocks.items(), lambda each: (each[0].row, each[0].length, each[0].shape))
    for (row, length, (rows, columns)), found in kinds:
        alike = [*found]
        left = np.array([block.left for block, _ in alike], dtype=np.int64)
        right = np.array([block.right for block, _ in alike], dtype=np.int64)
        full = len(alike), rows, columns, length
        left = np.broadcast_to(left.reshape(-1, rows, 1, length), full)
        right = np.broadcast_to(right.reshape(-1, 1, columns, length), full)
        each, terms = alike[0][0].each, np.arange(length)
        start = np.array([first for _, first in alike], dtype=np.int64)
        start = start[:, None] + each * np.arange(rows * columns)
        start = start.reshape(*full[:3], 1)
        # The first product, then each further one and the sum up to there.
        products = start + np.maximum(2 * terms - 1, 0)
        yield Written(row, products.ravel(), left.ravel(), right.ravel())
        if length > 1:
            before = np.where(terms[1:] == 1, 0, 2 * terms[1:] - 2)
            yield Written(
                TABLE["add"],
                (start + 2 * terms[1:]).ravel(),
                (start + before).ravel(),
                products[..., 1:].ravel(),
            )


def in_order(graph: Graph) -> Graph:
    """Return a graph as if all operations had been recorded one by one.

    Its table is in the order in which rows occur, and there is one node for equal operations on
    equal operands.

    Args:
        graph: the graph, with its nodes in order.
    """
    used, at = np.unique(graph.code[graph.code >= 0], return_index=True)
    order = used[np.argsort(at)]
    code = np.append(np.arange(len(graph.table)), [LEAF, CONSTANT])  # codes of -2 and -1 come last
    code[order] = np.arange(len(order))
    table = tuple(graph.table[i] for i in order)
    return _without_repetitions(graph._replace(code=code[graph.code], table=table))


def _without_repetitions(graph: Graph) -> Graph:
    first = graph.leaves + int((graph.code == CONSTANT).sum())
    code, operands = graph.code[first:], graph.operands[first:]
    keys = code.astype(np.uint64)
    for column in operands.T:
        keys = keys * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64)
        keys ^= keys >> np.uint64(29)
    keys.sort()
    if not (keys[1:] == keys[:-1]).any():
        return graph
    place = [*range(graph.size), NOTHING]
    seen: dict[tuple[int, ...], int] = {}
    kept = np.ones(graph.size, bool)
    rows = zip(code.tolist(), *(column.tolist() for column in operands.T), strict=True)
    for node, (row, x, y, z) in enumerate(rows, first):
        key = row, place[x], place[y], place[z]
        place[node] = seen.setdefault(key, node)
        kept[node] = place[node] == node
    if kept.all():
        return graph
    final = np.append(np.cumsum(kept) - 1, NOTHING)[place]
    return graph._replace(
        code=graph.code[kept],
        operands=final[graph.operands[kept]],
        numbers=graph.numbers[kept],
        outputs=final[graph.outputs],
    )
