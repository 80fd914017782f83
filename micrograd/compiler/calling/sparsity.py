"""Sparse Jacobians: which entries can differ from zero, and how few passes compute them all.

One pass of the forward mode gives the columns of a whole group at once, if no two of them have an
entry in the same row; one of the reverse mode does so for rows. The groups are found greedily, as
by A. R. Curtis, M. J. D. Powell and J. K. Reid, "On the estimation of sparse Jacobian matrices",
IMA Journal of Applied Mathematics 13 (1974). In a tridiagonal matrix of any size there are three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from micrograd.engine.graph import made_by, operands
from micrograd.engine.value import Value
from micrograd.ops import Operation
from micrograd.transforms.propagation import Joint, flows
from micrograd.transforms.runs import Run, blocks
from micrograd.transforms.structures import (
    Structure,
    array,
    count_leaves,
    is_regular,
    register_structure,
    shape,
)


def pattern(run: Run) -> Any:
    """Return which outputs of a run depend on which of its variables, as far as its graph shows.

    Args:
        run: the run of a function.

    Returns:
        An array of bools, with a row for each output and a column for each variable.

    >>> x = [1.0, 2.0, 3.0]
    >>> pattern(Run(lambda x: [x[0] * x[1], x[2], 5.0], (x,))).astype(int).tolist()
    [[1, 1, 0], [0, 0, 1], [0, 0, 0]]
    """
    reached: dict[Any, int] = {x: 1 << i for i, x in enumerate(run.variables)}  # a bit for each
    for node in run.nodes:
        if any(isinstance(x, Value) and x in reached for x in operands(node)):
            # Nothing is known of nodes that are not operations of the table, except what they read.
            made, read = made_by(node), operands(node)
            if isinstance(made, Operation):
                pairs = zip(operands(node), flows(made), strict=True)
                read = (x for x, flow in pairs if flow is not None)
            elif isinstance(made, Joint):
                read = made.reads(node)
            mask = 0
            for x in read:
                mask |= reached.get(x, 0) if isinstance(x, Value) else 0
            if mask:
                reached[node] = mask
    size = -(-len(run.variables) // 8)
    masks = [reached.get(x, 0) if isinstance(x, Value) else 0 for x in run.outputs]
    packed = np.frombuffer(b"".join(mask.to_bytes(size, "little") for mask in masks), np.uint8)
    rows = packed.reshape(len(masks), size)
    return np.unpackbits(rows, axis=1, count=len(run.variables), bitorder="little").astype(bool)


def groups(matrix: Any) -> list[list[int]]:
    """Return the non-empty rows in groups; no two rows of a group share a column with entries.

    Args:
        matrix: an array of bools.

    >>> groups(np.array([[1, 1, 0], [0, 1, 1], [0, 0, 1], [0, 0, 0]], bool))
    [[0, 2], [1]]
    """
    found: list[list[int]] = []
    taken: list[int] = []  # the columns in which a group has entries, a bit for each
    for i, packed in enumerate(np.packbits(matrix, axis=1)):
        mask = int.from_bytes(packed.tobytes(), "big")
        if not mask:
            continue
        fits = (group for group, columns in enumerate(taken) if not mask & columns)
        group = next(fits, len(found))
        if group == len(found):
            found.append([])
            taken.append(0)
        found[group].append(i)
        taken[group] |= mask
    return found


_MANY = 256
"""The size of a batch from which on copying one entry of all samples at a time is faster."""


class Layout:
    """Where the entries of a compressed Jacobian belong.

    Args:
        matrix: which entries can differ from zero, an array of bools.
        symmetric: whether an entry above the diagonal equals its mirror image, if that is one.
        rows: the structures of parts of the result.
        across: the structures of the arguments.

    >>> layout = Layout(np.eye(2, dtype=bool), rows=[], across=[])
    >>> layout.dense(np.array([5.0, 7.0])).tolist()
    [[5.0, 0.0], [0.0, 7.0]]
    """

    def __init__(
        self,
        matrix: Any,
        *,
        rows: Sequence[Structure],
        across: Sequence[Structure],
        symmetric: bool = False,
    ) -> None:
        self.shape, self.rows, self.across = matrix.shape, rows, across
        wanted = matrix & ~(np.triu(matrix, 1) & matrix.T) if symmetric else matrix
        above, left = np.nonzero(wanted)
        self.entries = [*zip(above.tolist(), left.tolist(), strict=True)]
        filled, number = above * matrix.shape[1] + left, np.arange(len(above))
        if symmetric:
            (mirrored,) = np.nonzero(matrix[left, above] & ~wanted[left, above])
            mirror = left[mirrored] * matrix.shape[1] + above[mirrored]
            filled, number = np.append(filled, mirror), np.append(number, mirrored)
        order = np.argsort(filled)
        self._filled, self._number = filled[order], number[order]  # places, and what goes there
        # Whether all entries are there, one after the other.
        self._is_dense = np.array_equal(self._number, np.arange(matrix.size))
        self._shape: tuple[int, ...] | None = None  # of the only part, if it is an array
        if len(rows) == len(across) == 1 and is_regular(rows[0]) and is_regular(across[0]):
            self._shape = *shape(rows[0]), *shape(across[0])

    def dense(self, values: Any) -> Any:
        """Return the Jacobian as an array, or an array of those of all samples.

        Args:
            values: the entries along the last axis, after the samples of a batch.
        """
        return self._shaped(values, self.shape)

    def _shaped(self, values: Any, shape: tuple[int, ...]) -> Any:
        samples = values.shape[:-1]
        if not self._is_dense:
            made = np.zeros((*samples, self.shape[0] * self.shape[1]), values.dtype)
            if samples and samples[0] > _MANY:
                for place, number in zip(self._filled.tolist(), self._number.tolist(), strict=True):
                    made[:, place] = values[:, number]
            else:
                made[..., self._filled] = values[..., self._number]
            values = made
        return np.ascontiguousarray(values).reshape(samples + shape)

    def arranged(self, values: Any) -> tuple[tuple[Any, ...], ...]:
        """Return the parts of the Jacobian: a row for each part of the result.

        Args:
            values: as for `dense`.
        """
        if self._shape is not None:
            return ((self._shaped(values, self._shape),),)
        dense = self.dense(values)

        def block(rows: Structure, above: int, across: Structure, left: int) -> Any:
            height, width = count_leaves(rows), count_leaves(across)
            part = dense[..., above : above + height, left : left + width]
            return part.reshape((*dense.shape[:-2], *shape(rows), *shape(across)))

        return blocks(self.rows, self.across, block)


class Compressed:
    """The entries of a Jacobian that can differ from zero, and their layout.

    Args:
        layout: where the entries belong.
        entries: an array of the entries in the order of `layout.entries`, after an axis of samples
            in a batch.
    """

    def __init__(self, layout: Layout, entries: Any) -> None:
        self.layout, self.entries = layout, entries


register_structure(
    Compressed,
    lambda each: ((each.entries,), each.layout),
    lambda layout, parts: Compressed(layout, *parts),
)


def compressed(run: Run, rows: Sequence[Structure], *, symmetric: bool = False) -> Compressed:
    """Compute the entries of the Jacobian of a run that can differ from zero.

    The mode is the one that needs fewer passes.

    Args:
        run: the run of a function.
        rows: the structures of parts of its result.
        symmetric: whether the Jacobian is known to be symmetric, as a Hessian is.
    """
    matrix = pattern(run)
    layout = Layout(matrix, rows=rows, across=run.structures, symmetric=symmetric)
    of_columns, of_rows = groups(matrix.T), groups(matrix)
    forward = len(of_columns) <= len(of_rows)
    passes: dict[int, Sequence[Any]] = {}  # what gave each column, or each row
    for group in of_columns if forward else of_rows:
        if forward:
            found = run.push({run.variables[j]: 1.0 for j in group})
        else:
            found = run.pull({run.outputs[i]: 1.0 for i in group})
        passes.update((place, found) for place in group)
    entries = [passes[j][i] if forward else passes[i][j] for i, j in layout.entries]
    return Compressed(layout, array(entries, (len(entries),)))
