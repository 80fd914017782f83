"""Sums of products that are those of some rows with some others, and products of matrices."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

MOST_TERMS = 32
"""The most terms that are added one by one."""
PRECISION = "highest"  # otherwise a GPU multiplies float32 with ten bits of the fraction


class Pairs(NamedTuple):
    """Sums of products of the rows of matrices: in each of several blocks, of every two rows.

    `left` and `right` are arrays of slots: for each block, the rows of a matrix, whose numbers are
    multiplied in pairs and added up. A row that is shorter than others ends with -1. `places` has
    the place of each sum among those of all blocks.
    """

    left: Any
    right: Any
    places: Any

    @property
    def are_full(self) -> bool:
        """Whether no row is shorter than others."""
        return bool((self.left >= 0).all() and (self.right >= 0).all())

    @property
    def terms(self) -> Any:
        """Which products of numbers are terms of a sum, or None if all are."""
        return None if self.are_full else (self.left >= 0)[:, :, None] & (self.right >= 0)[:, None]


def pairs_of(left: Any, right: Any, lengths: Any) -> Pairs | None:
    """Return sums of products as pairs of rows, or None if fewer than half of the pairs are sums.

    In causal attention, where a position is compared with those before it, a few more are.

    Args:
        left: the slots of the first factors, one sum after the other.
        right: those of the second factors.
        lengths: the number of terms of each sum.

    >>> found = pairs_of(np.array([1, 1, 3, 3]), np.array([5, 6, 5, 6]), np.array([1, 1, 1, 1]))
    >>> [each.tolist() for each in found]
    [[[[1], [3]]], [[[5], [6]]], [0, 1, 2, 3]]
    """
    sides = [found for slots in (left, right) if (found := _rows(slots, lengths))]
    if len(sides) < 2 or (reduce(np.minimum, map(_lengths, sides)) != lengths).any():
        return None
    (x, xs), (y, ys) = sides
    block_of_x = np.full(len(xs), len(ys))
    np.minimum.at(block_of_x, x, y)
    block_of_y = np.empty(len(ys), np.intp)
    block_of_y[y] = block_of_x[x]
    if (block_of_y[y] != block_of_x[x]).any():
        return None
    counts = [np.unique(blocks, return_counts=True)[1] for blocks in (block_of_x, block_of_y)]
    count, (rows, columns) = len(counts[0]), (int(each[0]) for each in counts)
    if any((each != each[0]).any() for each in counts) or count * rows * columns > 2 * len(x):
        return None
    order_x, order_y = (np.argsort(each, kind="stable") for each in (block_of_x, block_of_y))
    places = np.argsort(order_x)[x] * columns + np.argsort(order_y)[y] % columns
    shapes = (count, rows, -1), (count, columns, -1)
    return Pairs(xs[order_x].reshape(shapes[0]), ys[order_y].reshape(shapes[1]), places)


def _lengths(side: tuple[Any, Any]) -> Any:
    return (side[1] >= 0).sum(axis=1)[side[0]]


def _rows(slots: Any, lengths: Any) -> tuple[Any, Any] | None:
    """Return which row each sum reads, whole or up to some place, and the rows.

    Two rows are taken to be different if their first slots differ. If the sums do not fit rows of
    this kind, the result is None.
    """
    start = np.cumsum(lengths) - lengths
    row = np.unique(slots[start], return_inverse=True)[1]
    longest = np.lexsort((lengths, row))[np.cumsum(np.bincount(row)) - 1]
    column = np.arange(lengths.max())
    inside = column < lengths[longest][:, None]
    rows = np.full(inside.shape, -1)
    rows[inside] = slots[(start[longest][:, None] + column)[inside]]
    place = np.arange(len(slots)) - np.repeat(start, lengths)
    return (row, rows) if (rows[np.repeat(row, lengths), place] == slots).all() else None


@jax.custom_vjp  # type: ignore[untyped-decorator]
def multiplied(x: Any, y: Any, terms: Any) -> Any:
    """Return the sums of products of every row of `x` with every row of `y`, in each block.

    XLA would transpose the samples for a product of matrices, and write all terms of a sum over an
    axis to memory.

    Args:
        x: an array with an axis of blocks, one of rows and one of numbers, and perhaps of samples.
        y: an array with the same axes.
        terms: which products are terms, or None; of the factors of others, one is 0.
    """
    count = x.shape[2]
    if count > MOST_TERMS:
        return jnp.einsum("bxk...,byk...->bxy...", x, y, precision=PRECISION)
    found = [x[:, :, None, k] * y[:, None, :, k] for k in range(count)]
    if terms is not None:  # the other factor may be infinite
        chosen = terms.reshape(terms.shape + (1,) * (x.ndim - 3))
        found = [jnp.where(chosen[:, :, :, k], found[k], -0.0) for k in range(count)]
    return reduce(add, found)


def _backward(kept: Any, g: Any) -> tuple[Any, Any, None]:
    x, y = (each.swapaxes(1, 2) for each in kept)
    return multiplied(g, y, None), multiplied(g.swapaxes(1, 2), x, None), None


multiplied.defvjp(lambda x, y, terms: (multiplied(x, y, terms), (x, y)), _backward)


@jax.custom_vjp  # type: ignore[untyped-decorator]
def each_multiplied(matrix: Any, vectors: Any) -> Any:
    """Multiply each of several vectors, which have a column for each sample, by a matrix.

    The derivative is the same product with the transposed matrix. JAX would multiply by the matrix
    as it lies, for which XLA needs twice the time on a processor.
    """
    each = jnp.broadcast_to(matrix, (len(vectors), *matrix.shape))
    return jnp.matmul(each, vectors, precision=PRECISION)


def _each_backward(kept: Any, g: Any) -> tuple[Any, Any]:
    matrix, vectors = kept
    slopes = jnp.matmul(g, vectors.swapaxes(1, 2), precision=PRECISION).sum(axis=0)
    return slopes, each_multiplied(matrix.T, g)


each_multiplied.defvjp(lambda x, y: (each_multiplied(x, y), (x, y)), _each_backward)
