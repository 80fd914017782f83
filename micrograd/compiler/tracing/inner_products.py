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

from micrograd.compiler.tracing.graph import CONSTANT, LEAF, NOTHING, Graph
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

    def results(self, first: int) -> range:
        """Return the places of the results.

        Args:
            first: the place of the first operation. Each inner product is a product, and for each
                further term a product and a sum.
        """
        each = 2 * self.length - 1
        count = len(self.left) * len(self.right) // self.length**2
        return range(first + each - 1, first + each * count, each)


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

    def kind(each: tuple[InnerProducts, int]) -> tuple[Operation, int, int, int]:
        row, left, right, length = each[0]
        return row, len(left) // length, len(right) // length, length

    for (row, rows, columns, length), found in groupby(blocks.items(), kind):
        alike = [*found]
        left = np.array([block.left for block, _ in alike], dtype=np.int64)
        right = np.array([block.right for block, _ in alike], dtype=np.int64)
        full = len(alike), rows, columns, length
        left = np.broadcast_to(left.reshape(-1, rows, 1, length), full)
        right = np.broadcast_to(right.reshape(-1, 1, columns, length), full)
        each, terms = 2 * length - 1, np.arange(length)
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
    if not graph.table:
        return graph
    firsts = [int(np.argmax(graph.code == i)) for i in range(len(graph.table))]
    order = np.argsort(firsts)
    if (order[:-1] < order[1:]).all():
        return _without_repetitions(graph)
    code = np.append(np.argsort(order), [LEAF, CONSTANT])  # codes of -2 and -1 come last
    table = tuple(graph.table[i] for i in order)
    return _without_repetitions(graph._replace(code=code[graph.code], table=table))


def _without_repetitions(graph: Graph) -> Graph:
    first = graph.leaves + int((graph.code == CONSTANT).sum())
    code, operands = graph.code[first:], graph.operands[first:]
    keys = code.astype(np.uint64)
    for i, column in enumerate(operands.T):
        keys += column.astype(np.uint64) * (_ODD[i % len(_ODD)] + np.uint64(i - i % len(_ODD)))
    if not _repeats(keys):
        return graph
    place = [*range(graph.size), NOTHING]
    seen: dict[tuple[int, ...], int] = {}
    kept = np.ones(graph.size, bool)
    rows = zip(code.tolist(), *(column.tolist() for column in operands.T), strict=True)
    for node, (row, *held) in enumerate(rows, first):
        place[node] = seen.setdefault((row, *[place[x] for x in held]), node)
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


def _repeats(keys: Any) -> bool:
    """Return whether two of some numbers of 64 bits are equal."""
    bits = np.uint64(2 + max(1, len(keys)).bit_length())
    last = np.empty(1 << int(bits), dtype=np.intp)
    for odd in _ODD:
        place = (keys * odd) >> (np.uint64(64) - bits)
        last[place] = np.arange(len(keys))
        others = last[place]
        behind = np.flatnonzero(others != np.arange(len(keys)))
        if (keys[behind] == keys[others[behind]]).any():
            return True
        keys = keys[behind]  # each shares its place with a different number
    keys = np.sort(keys)
    return bool((keys[1:] == keys[:-1]).any())


_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
"""Odd numbers with bits that look random, by which numbers are multiplied to spread them."""
