"""The memory of a call of machine code: the arrays, and the frame with their addresses."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.executor import Call
from micrograd.compiler.native.driver import Frame
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.loops import STACK_WORDS
from micrograd.compiler.numpy.memory import (
    address_of,
    aligned_empty,
    aligned_memory,
    aligned_zeros,
)

if TYPE_CHECKING:
    from micrograd.compiler.native.executor import NativeExecutor

STAGED = 2**14  # up to this many numbers of inputs are copied, which halves the time of a call
_STREAMED = 2**23  # results of at least this many bytes bypass the cache, which cannot hold them
_ROOM = 64  # steps, for which a stack of unknown length has room at first
_LINE = 64  # bytes of a cache line


@cache
def keep_freed_memory() -> None:
    """Let the C library keep arrays of up to 32 MiB that are freed, for later ones.

    glibc returns an array above a threshold to the system, and its pages are mapped again one by
    one when the next one is written, which can take longer than the call. Freeing an array, even
    one without pages, raises the threshold.
    """
    np.empty(31 * 2**20, np.uint8)


def _bits(number: float) -> int:
    (bits,) = struct.unpack("q", struct.pack("d", number))
    return int(bits)


class Memory:
    """The arrays of one thread, and the frame with their addresses."""

    def __init__(
        self, linked: Linked, length: int, lanes: int, dtype: Any, *, inputs: bool, alone: bool
    ) -> None:
        program = linked.program
        self.linked = linked
        self.u = aligned_zeros(linked.places_u, dtype)
        self.v = aligned_zeros(linked.places_v * lanes, dtype)
        first = program.first_constant
        self.u[first : first + len(program.constants)] = program.constants
        self.u[linked.one] = 1.0
        self.parameters = self.u[: program.parameters]
        # Few inputs of one thread are copied, which costs less than passing their addresses.
        self.inputs: Any = None
        self.adjoints = self.u[linked.adjoints_u : linked.total + 1]  # and the sum of the results
        self.gradient = self.adjoints[: program.parameters]
        self.into_inputs = self.adjoints[slice(*program.input_slots)]
        words = self.u[linked.stacks_at :].view(np.int64)
        self.stack_words = words.reshape(len(linked.stacks), STACK_WORDS)
        self.stacks: list[Any] = [None] * len(linked.stacks)
        for i, stack in enumerate(linked.stacks):
            self._make_room(i, _ROOM if stack.length is None else max(1, stack.length), lanes)
        self.parts = array("q")
        self.held: Sequence[Any] = ()
        self.frame = array("q", bytes(8 * Frame.SIZE))
        self.address = self.frame.buffer_info()[0]
        self.prepared: Any = None  # the results that the frame is prepared for
        frame = self.frame
        frame[Frame.U], frame[Frame.V] = self.u.ctypes.data, self.v.ctypes.data
        frame[Frame.LANES] = lanes
        frame[Frame.ADJOINTS] = linked.adjoints_u
        if program.batched:
            frame[Frame.ADJOINT_COUNT] = linked.total - linked.adjoints_u
        frame[Frame.TOTAL] = linked.total
        self.doubles = np.zeros(linked.total - linked.adjoints_u + 1)
        frame[Frame.DOUBLES] = self.doubles.ctypes.data
        self.ahead = array("q", bytes(16 * program.inputs))
        frame[Frame.AHEAD] = self.ahead.buffer_info()[0]
        self.pointers = array("q", bytes(8 * (2 * program.inputs + len(program.outputs))))
        frame[Frame.POINTERS] = self.pointers.buffer_info()[0]
        frame[Frame.INPUTS] = program.inputs
        self.fused = array("q", (0, self.address))  # a row that calls a fused kernel
        # In a program that is not batched, the inputs follow the parameters.
        frame[Frame.PARAMETERS] = program.first_constant if inputs else program.parameters
        for code, rows, words in (
            (Frame.UNIFORM_CODE, Frame.UNIFORM_ROWS, linked.uniform),
            (Frame.UNIFORM_BACK_CODE, Frame.UNIFORM_BACK_ROWS, linked.uniform_back),
            (Frame.BACK_CODE, Frame.BACK_ROWS, linked.varying_back),
        ):
            frame[code], frame[rows] = words.ctypes.data, len(words)
        if not program.batched:
            self.inputs = self.u[slice(*program.input_slots)]
        elif alone and program.inputs * length <= STAGED:
            self.inputs = np.zeros((program.inputs, length), dtype)
            self.read([self.inputs])

    def _make_room(self, number: int, steps: int, lanes: int) -> None:
        """Make room for this many steps on a stack."""
        stack = self.linked.stacks[number]
        size = steps * stack.columns * (lanes if stack.varies else 1)
        numbers = self.stacks[number] = aligned_empty(size, self.u.dtype)
        self.stack_words[number] = numbers.ctypes.data, steps, 0

    def grow(self) -> bool:
        """Make room on a stack that had too little, and return whether there was one."""
        short = np.flatnonzero(self.stack_words[:, 2] > self.stack_words[:, 1])
        for number in short.tolist():
            steps = int(self.stack_words[number, 2])
            self._make_room(number, 1 << (steps - 1).bit_length(), self.frame[Frame.LANES])
        return len(short) > 0

    def read(self, parts: Sequence[Any]) -> None:
        """Read the inputs from these arrays, which have a row for each input."""
        words: list[int] = []
        for part in parts:
            words += (address_of(part), len(part), *part.strides)
        self.parts = array("q", words)
        self.held = parts  # keeps them alive as long as there are pointers to them
        self.frame[Frame.PARTS] = self.parts.buffer_info()[0]
        self.frame[Frame.PART_COUNT] = len(parts)

    def run(self, fused: int | None) -> None:
        """Run the rows of the program, or the kernel at an address in their place."""
        frame, code = self.frame, self.linked.varying
        frame[Frame.FUSED] = fused is not None
        if fused is None:
            frame[Frame.CODE], frame[Frame.ROWS] = address_of(code), len(code)
        else:
            self.fused[0] = fused
            frame[Frame.CODE], frame[Frame.ROWS] = self.fused.buffer_info()[0], 1

    def release(self) -> None:
        """Release the arrays of the caller; inputs are read again where they are copied to."""
        if self.inputs is None:
            self.held = ()
        else:
            self.read([self.inputs])

    def forget(self) -> None:
        """Release the arrays of the caller and those for the results."""
        self.prepared = None
        if self.inputs is None:
            self.held = ()


class Results:
    """What a call computes, and the arrays that it writes to.

    Args:
        executor: the executor.
        call: what is computed.
        length: the number of samples.
        inputs: the arrays of inputs, in whose order in memory the adjoints are written; else they
            are written row by row.
        blocks: for the outputs of a batch, the numbers of rows of arrays one below the other, and
            whether each of them is written sample by sample; else all are rows of one array.
    """

    rows: Any
    """The outputs: a row or a number for each."""
    adjoints: Sequence[Any] = ()
    """The adjoints of the inputs, if they are asked for, in arrays one below the other."""
    outputs: Sequence[Any] = ()
    """Of a batch, the arrays of `blocks`; `rows` is the first of them."""

    def __init__(
        self,
        executor: NativeExecutor,
        call: Call,
        length: int,
        inputs: Sequence[Any] = (),
        blocks: Sequence[tuple[int, bool]] | None = None,
    ) -> None:
        self.linked, self.dtype = executor.linked, executor.dtype
        self.call, self.length, program = call, length, self.linked.program
        self.fused: int | None = None  # the address of a fused kernel
        self.by_row = program.batched and call != "mean"
        self.differentiated = None if call == "values" else program.outputs[0]
        self.slots = np.array([slot for _, slot in program.outputs], np.intp)
        kinds = [varies for varies, _ in program.outputs]  # all vary, or none
        self.varying = len(kinds) if any(kinds) else 0
        self.checked = executor.checked and self.by_row
        self.watched = self.checked and self.varying == len(kinds)  # whether all are checked
        self._outputs = row_arrays(tuple(blocks or [(len(kinds), False)]), length, self.dtype)
        self._adjoints: RowArrays | None = None
        if executor.inputs and program.batched and self.differentiated is not None:
            shapes = tuple((len(each), is_by_sample(each)) for each in inputs)
            self._adjoints = row_arrays(shapes or ((program.inputs, False),), length, self.dtype)
        words = self._outputs.words[: self.varying] * self.by_row
        words[:, 0] = self.slots[: self.varying]
        if self._adjoints is not None:
            words = np.concatenate([words, self._adjoints.words])
            words[self.varying :, 0] += self.linked.adjoints_v
        self.table = words
        self.bases = array("q", (0, 0))
        self.renew()

    def renew(self) -> None:
        """Allocate new arrays for what is computed."""
        if self.by_row:
            self.bases[0], self.outputs = self._outputs.made()
            self.rows = self.outputs[0]
        else:
            # A mean is summed in doubles.
            is_mean = self.call == "mean" and self.varying
            self.rows = np.empty(len(self.slots), float if is_mean else self.dtype)
        if self._adjoints is not None:
            self.bases[1], self.adjoints = self._adjoints.made()

    def release(self) -> None:
        """Release the arrays, which belong to somebody else from now on."""
        self.rows, self.outputs, self.adjoints = None, (), ()

    def prepare(self, memory: Memory) -> None:
        """Write to the frame of a memory what is computed, and where it goes."""
        if memory.prepared is self:
            return
        memory.prepared = None  # until all is done, in case there is an interrupt
        frame = memory.frame
        frame[Frame.BACK_ROWS] = 0
        frame[Frame.TOTAL_OF] = frame[Frame.SEED_AT] = frame[Frame.SEED_U_AT] = -1
        frame[Frame.CHECKED] = self.checked
        written = self._outputs.nbytes + (0 if self._adjoints is None else self._adjoints.nbytes)
        frame[Frame.STREAMED] = self.by_row and written >= _STREAMED
        memory.run(self.fused)
        frame[Frame.RESULTS] = address_of(self.table)
        frame[Frame.BASES] = self.bases.buffer_info()[0]
        frame[Frame.OUTPUT_COUNT] = self.varying
        frame[Frame.GRADIENT_COUNT] = len(self.table) - self.varying
        if self.differentiated is not None:
            self._differentiate(frame, *self.differentiated)
        memory.prepared = self

    def _differentiate(self, frame: Any, varies: bool, slot: int) -> None:
        linked, mean = self.linked, self.call == "mean"
        frame[Frame.BACK_ROWS] = len(linked.varying_back) if self.fused is None else 0
        seed = 1.0 / self.length if mean else 1.0
        if varies:
            frame[Frame.SEED_AT], frame[Frame.SEED] = linked.adjoints_v + slot, _bits(seed)
            frame[Frame.TOTAL_OF] = slot if mean else -1
        else:
            frame[Frame.SEED_U_AT] = linked.adjoints_u + slot
            frame[Frame.SEED_U] = _bits(seed * self.length)

    def finish(self, u: Any) -> None:
        """Read what a call has left in `u`."""
        if self.by_row:
            if not self.varying:
                rows = (row for each in self.outputs for row in each)
                for row, slot in zip(rows, self.slots, strict=True):
                    row[:] = u[slot]
        elif self.call == "mean" and self.varying:
            self.rows[0] = u.item(self.linked.total) / self.length
        else:
            u.take(self.slots, out=self.rows, mode="clip")


class RowArrays:
    """Arrays of rows of one length, which are parts of one array: that takes less time to allocate.

    Each row is aligned. Rows are an odd number of cache lines apart, so that the numbers of a
    sample do not share few places in the cache. In an array that is written sample by sample, all
    numbers are neighbours instead.

    Args:
        shapes: for each array the number of its rows, and whether it is written sample by sample.
        length: the length of the rows.
        dtype: the type of the numbers.
    """

    def __init__(self, shapes: Sequence[tuple[int, bool]], length: int, dtype: Any) -> None:
        self.dtype, size = dtype, dtype.itemsize
        step = _LINE // size
        pitch = (-(-length // step) | 1) * step
        self._parts: list[tuple[tuple[int, int], int, tuple[int, int]]] = []
        self.words = np.zeros((sum(count for count, _ in shapes), 5), np.int64)
        """The words of each row, as in `Frame.RESULTS`."""
        first = start = 0
        for count, by_sample in shapes:
            by_sample = by_sample and count > 1
            down, right = (size, count * size) if by_sample else (pitch * size, size)
            self._parts.append(((count, length), start, (down, right)))
            words = self.words[first : first + count]
            words[:, 1] = start + np.arange(count) * down
            # Where the numbers of a sample are neighbours, each row prefetches another line.
            words[:, 2], words[:, 3] = right, np.arange(count) * (_LINE - size) * by_sample
            words[:, 0] = np.arange(first, first + count)
            words[:, 4] = np.arange(count, 0, -1) if by_sample else 1
            first, start = first + count, start + count * pitch * size
        self.nbytes = start

    def made(self) -> tuple[int, list[Any]]:
        """Return the address of new memory, and the arrays, of shape `(rows, length)`."""
        memory, start, address = aligned_memory(self.nbytes)
        made, dtype = np.ndarray, self.dtype
        return address, [
            made(shape, dtype, memory, start + place, strides)
            for shape, place, strides in self._parts
        ]


row_arrays = lru_cache(16)(RowArrays)


def is_by_sample(rows: Any) -> bool:
    """Return whether the numbers of each sample are neighbours in memory."""
    count = len(rows)
    return count > 1 and rows.strides == (rows.itemsize, count * rows.itemsize)
