"""Inner products that a recorder records at once, not number by number.

A matrix product of traced arrays is many operations, but one entry of the recorder. Its operations
take their places when they are recorded, and are written out when the graph is made: the same ones
in the same order as if each had been recorded by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from micrograd.ops import TABLE, Operation


class InnerProducts(NamedTuple):
    """All inner products of the rows of one matrix and the columns of another.

    Args:
        row: the operation of each product.
        shape: the rows of the left matrix, the columns of the right one, and the terms of a sum.
        left: the places of the numbers of the left matrix, row by row.
        right: the places of those of the right one, column by column.
    """

    row: Operation
    shape: tuple[int, int, int]
    left: tuple[int, ...]
    right: tuple[int, ...]

    def results(self, first: int) -> range:
        """Return the places of the results.

        Args:
            first: the place of the first operation. Each inner product is a product, and for each
                further term a product and a sum.
        """
        rows, columns, length = self.shape
        each = 2 * length - 1
        return range(first + each - 1, first + each * rows * columns, each)


class Group(NamedTuple):
    """Inner products of the same row and the same shapes.

    Args:
        row: the operation of each product.
        shape: the rows of the left matrix, the columns of the right one, and the terms of a sum.
        first: the place of the first operation of each.
        left: the places of the numbers of all left matrices, one after the other.
        right: those of the right matrices, each column by column.
    """

    row: Operation
    shape: tuple[int, int, int]
    first: Any
    left: Any
    right: Any

    def mapped(self, change: Callable[[Any], Any]) -> Group:
        """Return the group with all places changed."""
        return Group(self.row, self.shape, *map(change, self[2:]))

    def written(self) -> Iterator[Written]:
        """Yield all operations."""
        rows, columns, length = self.shape
        full = len(self.first), rows, columns, length
        left = np.broadcast_to(self.left.reshape(-1, rows, 1, length), full)
        right = np.broadcast_to(self.right.reshape(-1, 1, columns, length), full)
        each, terms = 2 * length - 1, np.arange(length)
        start = self.first[:, None] + each * np.arange(rows * columns)
        start = start.reshape(*full[:3], 1)
        # The first product, then each further one and the sum up to there.
        products = start + np.maximum(2 * terms - 1, 0)
        yield Written(self.row, products.ravel(), left.ravel(), right.ravel())
        if length > 1:
            before = np.where(terms[1:] == 1, 0, 2 * terms[1:] - 2)
            yield Written(
                TABLE["add"],
                (start + 2 * terms[1:]).ravel(),
                (start + before).ravel(),
                products[..., 1:].ravel(),
            )


class Written(NamedTuple):
    """Operations of one row, written out: their places, and those of their operands."""

    row: Operation
    places: Any
    left: Any
    right: Any


def grouped(blocks: Mapping[InnerProducts, int]) -> list[Group]:
    """Return inner products in groups.

    Args:
        blocks: inner products, with the place of the first operation of each.
    """
    groups: dict[Any, list[tuple[InnerProducts, int]]] = {}
    for block, first in blocks.items():
        groups.setdefault((block.row, *block.shape), []).append((block, first))
    return [
        Group(
            row,
            (rows, columns, length),
            np.array([first for _, first in found], dtype=np.int64),
            _joined([block.left for block, _ in found], rows * length),
            _joined([block.right for block, _ in found], columns * length),
        )
        for (row, rows, columns, length), found in groups.items()
    ]


def _joined(parts: Sequence[Iterable[int]], length: int) -> Any:
    return np.fromiter(chain.from_iterable(parts), np.int64, len(parts) * length)
