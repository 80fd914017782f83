"""The memory of a call of machine code: the arrays, and the frame with their addresses."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from micrograd.compiler.executor import Call
from micrograd.compiler.native.driver import Frame
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.loops import STACK_WORDS
from micrograd.compiler.numpy.memory import aligned_empty, aligned_zeros

if TYPE_CHECKING:
    from micrograd.compiler.native.executor import NativeExecutor

_STAGED = 2**15  # up to this many numbers of inputs are copied, which halves the time of a call
_STREAMED = 2**23  # results of at least this many bytes bypass the cache, which cannot hold them
_ROOM = 64  # steps, for which a stack of unknown length has room at first
_LINE = 64  # bytes of a cache line


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
        self.outputs, self.slopes = array("q"), array("q")  # where results and adjoints go
        self.frame = array("q", bytes(8 * Frame.SIZE))
        self.address = self.frame.buffer_info()[0]
        self.prepared: Any = None  # the results that the frame is prepared for
        frame = self.frame
        frame[Frame.U], frame[Frame.V] = self.u.ctypes.data, self.v.ctypes.data
        frame[Frame.LANES] = lanes
        frame[Frame.ADJOINTS] = linked.adjoints_u
        frame[Frame.ADJOINT_COUNT] = linked.total - linked.adjoints_u
        frame[Frame.TOTAL] = linked.total
        self.doubles = np.zeros(linked.total - linked.adjoints_u + 1)
        frame[Frame.DOUBLES] = self.doubles.ctypes.data
        self.ahead = array("q", bytes(16 * program.inputs))
        frame[Frame.AHEAD] = self.ahead.buffer_info()[0]
        self.fused = array("q", (0, self.address))
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
        elif alone and program.inputs * length <= _STAGED:
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
            words += (part.__array_interface__["data"][0], len(part), *part.strides)
        self.parts = array("q", words)
        self.held = parts  # keeps them alive as long as there are pointers to them
        self.frame[Frame.PARTS] = self.parts.buffer_info()[0]
        self.frame[Frame.PART_COUNT] = len(parts)

    def run(self, fused: int | None) -> None:
        """Run the rows of the program, or the kernel at an address in their place."""
        frame, code = self.frame, self.linked.varying
        frame[Frame.ASKING] = fused is not None
        if fused is None:
            frame[Frame.CODE], frame[Frame.ROWS] = _address_of(code), len(code)
        else:
            self.fused[0] = fused
            frame[Frame.CODE], frame[Frame.ROWS] = self.fused.buffer_info()[0], 1

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
    """

    def __init__(
        self, executor: NativeExecutor, call: Call, length: int, inputs: Sequence[Any] = ()
    ) -> None:
        program, dtype = executor.program, executor.dtype
        self.call, self.length, self.linked = call, length, executor.linked
        self.checked = executor.checked and call == "values"
        self.fused: int | None = None  # the address of a fused kernel
        self.by_row = program.batched and call != "mean"
        self.differentiated = None if call == "values" else program.outputs[0]
        slots = [slot for _, slot in program.outputs]
        kinds = [varies for varies, _ in program.outputs]
        self.varying = [i for i, varies in enumerate(kinds) if varies]
        self.fixed = [i for i, varies in enumerate(kinds) if not varies]
        self.slots = np.array(slots, np.intp)
        self.adjoints: list[Any] = []
        if self.by_row:
            self.rows = _aligned_rows(len(slots), length, dtype)
        else:
            # A mean is summed in doubles.
            self.rows = np.empty(len(slots), float if call == "mean" and self.varying else dtype)
        if executor.inputs and program.batched and self.differentiated is not None:
            self.adjoints = _like(inputs, dtype)
            if not inputs:
                self.adjoints = [_aligned_rows(program.inputs, length, dtype)]

    def prepare(self, memory: Memory) -> None:
        """Write to the frame of a memory what is computed, and where it goes."""
        if memory.prepared is self:
            return
        memory.prepared = None  # until all is done, in case there is an interrupt
        frame = memory.frame
        frame[Frame.OUTPUT_COUNT] = frame[Frame.GRADIENT_COUNT] = frame[Frame.BACK_ROWS] = 0
        frame[Frame.TOTAL_OF] = frame[Frame.SEED_AT] = frame[Frame.SEED_U_AT] = -1
        frame[Frame.CHECKED] = self.checked
        written = sum(each.nbytes for each in (self.rows, *self.adjoints))
        frame[Frame.STREAMED] = self.by_row and written >= _STREAMED
        memory.run(self.fused)
        if self.by_row:
            address, pitch = _address_of(self.rows), self.rows.strides[0]
            memory.outputs = array("q")
            for i in self.varying:
                memory.outputs.extend((int(self.slots[i]), address + i * pitch))
            frame[Frame.OUTPUTS] = memory.outputs.buffer_info()[0]
            frame[Frame.OUTPUT_COUNT] = len(self.varying)
        if self.adjoints:
            memory.slopes = array("q")
            for each in self.adjoints:
                memory.slopes.frombytes(_rows_of(each).tobytes())
            frame[Frame.GRADIENTS] = self.linked.adjoints_v
            frame[Frame.INTO] = memory.slopes.buffer_info()[0]
            frame[Frame.GRADIENT_COUNT] = len(memory.slopes) // 3
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
            for i in self.fixed:
                self.rows[i] = u[self.slots[i]]
        elif self.call == "mean" and self.varying:
            self.rows[0] = u.item(self.linked.total) / self.length
        else:
            u.take(self.slots, out=self.rows, mode="clip")


def _aligned_rows(count: int, length: int, dtype: Any) -> Any:
    """Return an array of rows, each of them aligned.

    They are an odd number of cache lines apart, so that the numbers of a sample do not share few
    places in the cache.
    """
    step = _LINE // dtype.itemsize
    pitch = (-(-length // step) | 1) * step
    return aligned_empty(count * pitch, dtype).reshape(count, pitch)[:, :length]


def _like(parts: Sequence[Any], dtype: Any) -> list[Any]:
    """Return arrays for the adjoints of inputs: sample by sample if these are, else by row.

    They are parts of one array, which takes less time to allocate.
    """
    step = _LINE // dtype.itemsize
    pitches = [(-(-part.shape[1] // step) | 1) * step for part in parts]
    sizes = [len(part) * pitch for part, pitch in zip(parts, pitches, strict=True)]
    memory, found = aligned_empty(sum(sizes), dtype), []
    for part, pitch, stop in zip(parts, pitches, accumulate(sizes), strict=True):
        rows, length = part.shape
        own = memory[stop - rows * pitch : stop]
        if rows > 1 and part.strides == (dtype.itemsize, rows * dtype.itemsize):
            found.append(own[: rows * length].reshape(length, rows).T)
        else:
            found.append(own.reshape(rows, pitch)[:, :length])
    return found


def _rows_of(adjoints: Any) -> Any:
    """Return the words of the driver for each row; see `Frame.INTO`."""
    address, (down, right) = _address_of(adjoints), adjoints.strides
    # Where the numbers of a sample are neighbours, each row prefetches another line.
    line = _LINE - down if down == adjoints.itemsize else 0
    words = np.arange(len(adjoints), dtype=np.int64)[:, None] * (down, 0, line)
    words += (address, right, 0)
    return words


def _address_of(numbers: Any) -> int:
    return int(numbers.__array_interface__["data"][0])
