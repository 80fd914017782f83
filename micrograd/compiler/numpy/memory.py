"""The arrays of a program for one number of lanes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from micrograd.compiler.adjoints import FirstWriters, active
from micrograd.compiler.program import Operand, Program, Rows

Call = Callable[[], Any]


_LINE = 64  # bytes of a cache line; a vector that crosses two lines takes twice as long to load
_PAGE, _MANY = 2**21, 2**22  # bytes of a large page; NumPy asks for large pages from so many bytes


def aligned_zeros(count: int, dtype: Any) -> Any:
    """Return an array of zeros that is aligned to a cache line."""
    return _aligned(np.zeros, count, dtype, _LINE)


def aligned_empty(count: int, dtype: Any) -> Any:
    """Return an array to write into, aligned to a cache line, or to a page if it is large."""
    return _aligned(np.empty, count, dtype, _PAGE if count * dtype.itemsize >= _MANY else _LINE)


def _aligned(make: Callable[..., Any], count: int, dtype: Any, boundary: int) -> Any:
    numbers = make(count + boundary // dtype.itemsize, dtype)
    skipped = -numbers.ctypes.data % boundary // dtype.itemsize
    return numbers[skipped : skipped + count]


class Memory:
    """The values of the slots and their adjoints.

    `u` is an array of numbers, `v` an array of rows of lanes; `gu` and `gv` are their adjoints.
    `spaces` and `adjoints` have both as rows, and `stacks` what is kept of the steps of loops.

    Args:
        program: the program.
        length: the number of lanes.
        dtype: the precision of all numbers.
        inputs: whether the adjoints of the inputs are asked for.
        follows_loops: whether loops are followed backwards, which `slopes`, the adjoints of
            stacks, are for; `keeps` says whether the present run goes backwards, too.
    """

    def __init__(
        self,
        program: Program,
        length: int,
        dtype: Any,
        *,
        inputs: bool,
        follows_loops: bool = False,
    ) -> None:
        self.program, self.length, self.follows_loops = program, length, follows_loops
        self.u, self.gu = (aligned_zeros(program.uniform, dtype) for _ in range(2))
        self.v, self.gv = (
            aligned_zeros(program.varying * length, dtype).reshape(-1, length) for _ in range(2)
        )
        first = program.first_constant
        self.u[first : first + len(program.constants)] = program.constants
        self.active = active(program, inputs)
        self.writers = FirstWriters(program)
        self.spaces, self.adjoints = (self.u[:, None], self.v), (self.gu[:, None], self.gv)
        self.stacks: list[dict[int, Any]] = [{} for _ in program.stacks]
        self.slopes: list[dict[int, Any]] = [{} for _ in program.stacks]
        self.keeps = False
        self._scratch: dict[tuple[Any, int], Any] = {}

    def scratch(self, shape: tuple[int, ...], number: int, dtype: Any = None) -> Any:
        """Return an array for intermediate results: the same one for the same number."""
        dtype = np.dtype(dtype or self.u.dtype)
        size = int(np.prod(shape))
        held = self._scratch.get((dtype, number))
        if held is None or held.size < size:
            held = self._scratch[dtype, number] = np.empty(size, dtype)
        return held[:size].reshape(shape)

    def is_active(self, varies: bool, rows: Any) -> bool:
        """Return whether an adjoint of these rows is needed."""
        return bool(self.active[varies][rows].any())

    def read(self, operand: Operand, wide: bool) -> Any:
        """Return the rows of an operand: a view, or a function that gathers them."""
        array, rows = self.v if operand.varies else self.u, _even(operand.rows)
        if isinstance(rows, slice):
            view = array[rows]
            return view[:, None] if wide and not operand.varies else view
        if wide and not operand.varies:
            return lambda: array[rows][:, None]
        return partial(array.take, rows, axis=0, mode="clip")

    def stored(self, varies: bool, rows: Rows) -> Any:
        """Return where to store adjoints, if this is their first writer; otherwise None."""
        return self.gv[rows] if varies and self.writers.stores(rows) else None

    def adding(self, varies: bool, rows: Rows, share: Any) -> Call:
        """Return the call that adds a share to the adjoints of rows."""
        array, rows = self.gv if varies else self.gu, _even(rows)
        if isinstance(rows, slice):
            view = array[rows]
            return partial(np.add, view, share, view)
        if len(np.unique(rows)) == rows.size:

            def add_once() -> None:
                array[rows] += share

            return add_once
        return partial(np.add.at, array, rows, share)

    @cached_property
    def rows(self) -> tuple[list[Any], list[Any]]:
        """A view of each slot of `u` and of `v`."""
        return [*self.u[:, None]], [*self.v]

    @cached_property
    def adjoint_rows(self) -> tuple[list[Any], list[Any]]:
        """A view of the adjoint of each slot of `u` and of `v`."""
        return [*self.gu[:, None]], [*self.gv]

    def adding_row(self, add: Any, share: Any, slot: int, varies: bool) -> Call:
        """Return the call that adds a row to an adjoint; for `u`, its sum over the lanes."""
        target = self.adjoint_rows[varies][slot]
        if varies or share.shape == target.shape:
            return partial(add, target, share, target)
        return lambda: add(target, share.sum(), target)


def _even(rows: Rows) -> Rows:
    """Return rows as a slice with a step if they are evenly spaced."""
    if isinstance(rows, slice) or rows.ndim != 1 or len(rows) < 2:
        return rows
    step = int(rows[1]) - int(rows[0])
    if step < 1 or (np.diff(rows) != step).any():
        return rows
    return slice(int(rows[0]), int(rows[-1]) + 1, step)
