"""The arrays of a program for one number of lanes."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import addressof, c_char
from functools import partial
from math import prod
from typing import Any

import numpy as np

from micrograd.compiler.program.instructions import Mode
from micrograd.compiler.program.program import Program
from micrograd.compiler.program.slots import Operand, Rows, even_matrix, repeats
from micrograd.locks import forkable_property

Call = Callable[[], Any]


_LINE = 64  # bytes of a cache line; a vector that crosses two lines takes twice as long to load
_PAGE, _MANY = 2**21, 2**22  # bytes of a large page; NumPy asks for large pages from so many bytes


def aligned_zeros(count: int, dtype: Any) -> Any:
    """Return an array of zeros that is aligned to a cache line."""
    memory, start, _ = aligned_memory(count * dtype.itemsize, np.zeros, _LINE)
    return np.ndarray(count, dtype, memory, start)


def aligned_empty(count: int, dtype: Any) -> Any:
    """Return an array to write into, aligned to a cache line, or to a page if it is large."""
    memory, start, _ = aligned_memory(count * dtype.itemsize)
    return np.ndarray(count, dtype, memory, start)


def aligned_memory(
    size: int, make: Callable[..., Any] = np.empty, boundary: int | None = None
) -> tuple[Any, int, int]:
    """Return an array of bytes, and the place in it and the address from where `size` are aligned.

    Args:
        size: the number of bytes.
        make: `np.empty` or `np.zeros`.
        boundary: what they are aligned to: by default a cache line, or a page if they are many.
    """
    if boundary is None:
        boundary = _PAGE if size >= _MANY else _LINE
    memory = make(size + boundary, np.uint8)
    address = addressof(c_char.from_buffer(memory))
    start = -address % boundary
    return memory, start, address + start


def address_of(numbers: Any) -> int:
    """Return the address of an array, by a buffer of it if it has one, which is much faster."""
    try:
        rows = numbers if numbers.flags.c_contiguous else numbers.T
        return addressof(c_char.from_buffer(rows))
    except (TypeError, ValueError):  # it is read-only, empty, or has gaps
        return int(numbers.ctypes.data)


_TURNS = 4  # up to this many shares of a row are added one by one


class Memory:
    """The values of the slots and their adjoints.

    `u` is an array of numbers, `v` an array of rows of lanes; `gu` and `gv` are their second halves
    with the adjoints. `spaces` has both as rows. `stacks` has what is kept of the steps of loops,
    then the adjoints of all stacks, or None. `kept` has what loops keep for the way back,
    by the `id` of the loop, and `keeps` says whether the present run goes backwards, too.

    Args:
        program: the program.
        length: the number of lanes.
        dtype: the precision of all numbers.
        stops: whether products with adjoints stop at a factor of zero.
    """

    def __init__(self, program: Program, length: int, dtype: Any, *, stops: bool) -> None:
        self.program, self.length, self.stops = program, length, stops
        self.u = aligned_zeros(2 * program.uniform, dtype)
        self.v = aligned_zeros(2 * program.varying * length, dtype).reshape(-1, length)
        self.gu, self.gv = self.u[program.uniform :], self.v[program.varying :]
        first = program.first_constant
        self.u[first : first + len(program.constants)] = program.constants
        self.spaces = self.u[:, None], self.v
        self.stacks: list[Any] = [None] * (2 * len(program.stacks))
        self.kept: dict[int, Any] = {}
        self.keeps = False
        self._scratch = np.empty(0, dtype)

    def scratch(self, *shape: int) -> Any:
        """Return an array for intermediate results, which the next call writes to again."""
        size = prod(shape)
        if self._scratch.size < size:
            self._scratch = np.empty(size, self.u.dtype)
        return self._scratch[:size].reshape(shape)

    def read(self, operand: Operand, wide: bool) -> Any:
        """Return the rows of an operand: a view, or a function that gathers them."""
        array, rows = self.v if operand.varies else self.u, operand.rows
        if isinstance(rows, slice):
            view = array[rows]
            return view[:, None] if wide and not operand.varies else view
        if wide and not operand.varies:
            return lambda: array[rows][:, None]
        return partial(array.take, rows, axis=0, mode="clip")

    def target(self, varies: bool, out: Rows, mode: Mode, count: int) -> tuple[Any, list[Call]]:
        """Return where an instruction writes its results, and the calls that move them from there.

        Args:
            varies: whether the instruction varies over the batch.
            out: the slots that its results are for.
            mode: what it does with them.
            count: the number of results.
        """
        if mode in ("value", "first") and isinstance(out, slice):
            return (self.v if varies else self.u)[out], []
        target = self.scratch(count, *[self.length] * varies)
        if mode != "total":
            return target, [self.adding(varies, out, target, mode)]
        total = np.empty(count, target.dtype)
        summing = partial(np.add.reduce, target, axis=1, out=total)
        return target, [summing, self.adding(False, out, total, mode)]

    def adding(self, varies: bool, rows: Rows, share: Any, mode: Mode) -> Call:
        """Return the call that adds a share to adjoints, or stores it in the mode "first".

        Args:
            varies: whether the adjoints are in `v`.
            rows: their slots, which may be those of a matrix.
            share: what is added.
            mode: the mode.
        """
        array = self.v if varies else self.u
        view: Any = None
        if not isinstance(rows, slice) and rows.ndim == 2:
            view = strided(array, rows)
            if view is None:
                rows = rows.ravel()
            else:
                share = share.reshape(view.shape)
        if isinstance(rows, slice):
            view = array[rows]
        if view is not None:
            stores = mode == "first"
            return partial(np.copyto, view, share) if stores else partial(np.add, view, share, view)
        slots: Any = rows
        if mode != "first" and repeats(slots):
            return _adding_in_turns(array, slots, share)

        def add_once() -> None:
            if mode == "first":
                array[slots] = share
            else:
                array[slots] += share

        return add_once

    @forkable_property
    def rows(self) -> tuple[list[Any], list[Any]]:
        """A view of each slot of `u` and of `v`."""
        return [*self.u[:, None]], [*self.v]


def calling(function: Callable[..., Any], *arguments: Any, out: Any) -> Call:
    """Return a call that writes into an array; functions among its arguments are called, too."""
    if not any(map(callable, arguments)):
        return partial(function, *arguments, out=out)
    return lambda: function(*(each() if callable(each) else each for each in arguments), out=out)


def _adding_in_turns(array: Any, slots: Any, share: Any) -> Call:
    """Return the call that adds shares to rows of an array, where a row may have several shares.

    All rows get their first share in one addition, then their second, and so on. If a row has many
    shares, they are summed first.
    """
    order = np.argsort(slots, kind="stable")
    rows, start, counts = np.unique(slots[order], return_index=True, return_counts=True)
    if share.ndim == 1 or counts.max() > _TURNS:
        if share.ndim == 1:
            return partial(np.add.at, array, slots, share)

        def add_sums() -> None:
            array[rows] += np.add.reduceat(share[order], start, axis=0)

        return add_sums
    turn = np.empty(len(slots), dtype=np.intp)
    turn[order] = np.arange(len(slots)) - np.repeat(start, counts)
    turns = [np.flatnonzero(turn == k) for k in range(counts.max())]

    def add() -> None:
        for each in turns:
            array[slots[each]] += share[each]

    return add


def strided(array: Any, slots: Any) -> Any:
    """Return a matrix of rows of an array as a view; None if they overlap or are not even."""
    found = even_matrix(slots)
    if found is None:
        return None
    base, *steps = found
    (rows, columns), (down, right) = slots.shape, steps
    overlap = min(rows, columns) > 1 and down < columns * right and right < rows * down
    if min(steps) <= 0 or overlap:
        return None
    strides = [step * array.strides[0] for step in steps]
    shape = (*slots.shape, *array.shape[1:])
    return np.lib.stride_tricks.as_strided(array[base:], shape, [*strides, *array.strides[1:]])
