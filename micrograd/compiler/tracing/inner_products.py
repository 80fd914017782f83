"""Inner products that a recorder records at once, not number by number.

A matrix product of traced arrays is many operations, but one entry of the recorder. Its operations
take their places when they are recorded, and are written out when the graph is made: the same ones
in the same order as if each had been recorded by itself.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from micrograd.ops import TABLE, Operation

Kind = tuple[Operation, tuple[int, int, int]]
"""The operation of each product, and the shape: the rows of the left matrix, the columns of the
right one, and the terms of a sum."""
Pair = tuple[bytes, bytes]
"""The packed places of the numbers of the left matrix, row by row, and of those of the right one,
column by column."""


def packed(places: Sequence[int]) -> bytes:
    """Return places as bytes, which are compared and joined faster than tuples."""
    return struct.pack(f"{len(places)}q", *places)


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

    def written(self) -> Iterator[tuple[Operation, Any, Any, Any]]:
        """Yield all operations of each row: the row, their places, and those of their operands."""
        rows, columns, length = self.shape
        full = len(self.first), rows, columns, length
        left = np.broadcast_to(self.left.reshape(-1, rows, 1, length), full)
        right = np.broadcast_to(self.right.reshape(-1, 1, columns, length), full)
        each, terms = 2 * length - 1, np.arange(length)
        start = self.first[:, None] + each * np.arange(rows * columns)
        start = start.reshape(*full[:3], 1)
        # The first product, then each further one and the sum up to there.
        products = start + np.maximum(2 * terms - 1, 0)
        yield self.row, products.ravel(), left.ravel(), right.ravel()
        if length > 1:
            before = np.where(terms[1:] == 1, 0, 2 * terms[1:] - 2)
            sums, held = (start + each for each in (2 * terms[1:], before))
            yield TABLE["add"], sums.ravel(), held.ravel(), products[..., 1:].ravel()


def grouped(kinds: Mapping[Kind, Mapping[Pair, int]]) -> list[Group]:
    """Return inner products in groups.

    Args:
        kinds: inner products of each kind, with the place of the first operation of each.
    """
    return [
        Group(
            *kind,
            np.array([*found.values()], dtype=np.int64),
            *(np.frombuffer(b"".join(places), np.int64) for places in zip(*found, strict=True)),
        )
        for kind, found in kinds.items()
    ]
