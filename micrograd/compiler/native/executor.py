"""Runs a program as machine code, in blocks of samples that stay in the processor's cache."""

from __future__ import annotations

import ctypes
import struct
import threading
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from math import isfinite
from typing import Any

import numpy as np

from micrograd.compiler.arguments import staging
from micrograd.compiler.executor import Executor, Gradients, Shortcut, are_finite
from micrograd.compiler.native.driver import Frame, Phase, write_driver
from micrograd.compiler.native.kernels import write
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.loops import STACK_WORDS, LoopSpec
from micrograd.compiler.native.machine import Machine
from micrograd.compiler.native.rows import Spec
from micrograd.compiler.numpy.memory import aligned_empty, aligned_zeros
from micrograd.compiler.program import Program
from micrograd.engine.locks import reentrant_lock

BLOCK = 112
"""The most samples of a block; a program of many rows has fewer, to stay in the cache."""
_BLOCK_OF_VALUES = 448  # the same for a program without gradients, which has fewer rows
_LEAST, _CACHE = 48, 128 * 1024  # the fewest samples of a block; bytes of the cache
_LANES = {"float64": 8, "float32": 16}  # numbers in the widest vector registers
_STAGED = 4_096  # up to so many numbers of inputs are copied
_STREAMED = 2**23  # from so many bytes on, results are stored past the cache: it cannot hold them
_LEAST_BLOCKS = 16  # the fewest for a thread: one thread is done with fewer before another starts
_ROOM = 64  # steps, for which a stack of unknown length has room at first
_KEPT = 4  # each thread keeps the arrays for so many lengths of batches


_making = reentrant_lock()


def _machine() -> Machine:
    """Return the one machine of this process, which keeps the code alive."""
    with _making:
        return _only_machine()


@cache
def _only_machine() -> Machine:
    return Machine()


def _address(spec: Spec | LoopSpec) -> int:
    machine = _machine()
    return machine.address(str(spec), lambda: write(spec, machine.width))


@cache
def _driver(kind: str) -> Any:
    machine = _machine()
    address = machine.address(f"driver {kind}", lambda: write_driver(kind, machine.width))
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)


def _bits(number: float) -> int:
    (bits,) = struct.unpack("q", struct.pack("d", number))
    return int(bits)


class _Memory:
    """The arrays of one thread, and the frame with their addresses."""

    def __init__(self, linked: Linked, length: int, lanes: int, dtype: Any) -> None:
        program = linked.program
        self.linked = linked
        self.u = aligned_zeros(linked.places_u, dtype)
        self.v = aligned_zeros(linked.places_v * lanes, dtype)
        first = program.first_constant
        self.u[first : first + len(program.constants)] = program.constants
        self.u[linked.one] = 1.0
        self.parameters = self.u[: program.parameters]
        # Few inputs are copied, which costs less than passing their addresses.
        self.inputs: Any = None
        self.adjoints = self.u[linked.adjoints_u : linked.total + 1]  # and the sum of the results
        self.gradient = self.adjoints[: program.parameters]
        self.into_inputs = self.adjoints[slice(*program.input_slots)]
        words = self.u[linked.stacks_at :].view(np.int64)
        self.stack_words = words.reshape(len(program.stacks), STACK_WORDS)
        self.stacks: list[Any] = [None] * len(program.stacks)
        for i, stack in enumerate(program.stacks):
            self._make_room(i, _ROOM if stack.length is None else max(1, stack.length), lanes)
        self.parts = array("q")
        self.held: Sequence[Any] = ()
        self.outputs = array("q")
        self.frame = array("q", bytes(8 * Frame.SIZE))
        self.address = self.frame.buffer_info()[0]
        self._set_up: Any = None
        frame = self.frame
        frame[Frame.U], frame[Frame.V] = self.u.ctypes.data, self.v.ctypes.data
        frame[Frame.LANES] = lanes
        frame[Frame.ADJOINTS] = linked.adjoints_u
        frame[Frame.ADJOINT_COUNT] = linked.total - linked.adjoints_u
        frame[Frame.TOTAL] = linked.total
        self.doubles = np.zeros(linked.total - linked.adjoints_u + 1)
        frame[Frame.DOUBLES] = self.doubles.ctypes.data
        frame[Frame.PARAMETERS] = program.parameters
        for code, rows, words in (
            (Frame.UNIFORM_CODE, Frame.UNIFORM_ROWS, linked.uniform),
            (Frame.UNIFORM_BACK_CODE, Frame.UNIFORM_BACK_ROWS, linked.uniform_back),
            (Frame.CODE, Frame.ROWS, linked.varying),
            (Frame.BACK_CODE, Frame.BACK_ROWS, linked.varying_back),
        ):
            frame[code], frame[rows] = words.ctypes.data, len(words)
        if not program.batched:
            self.inputs = self.u[slice(*program.input_slots)]
        elif program.inputs * length <= _STAGED:
            self.inputs = np.zeros((program.inputs, length), dtype)
            self.read([self.inputs])

    def _make_room(self, number: int, steps: int, lanes: int) -> None:
        """Give a stack room for so many steps."""
        stack = self.linked.program.stacks[number]
        size = steps * stack.columns * (lanes if stack.varies else 1)
        numbers = self.stacks[number] = aligned_empty(size, self.u.dtype)
        self.stack_words[number] = numbers.ctypes.data, steps, 0

    def grow(self) -> bool:
        """Return whether there was too little room for a stack, which has more now."""
        short = np.flatnonzero(self.stack_words[:, 2] > self.stack_words[:, 1])
        for number in short.tolist():
            steps = int(self.stack_words[number, 2])
            self._make_room(number, 1 << (steps - 1).bit_length(), self.frame[Frame.LANES])
        return len(short) > 0

    def set_up(self, mode: str, length: int, output: tuple[bool, int] | None) -> None:
        """Prepare a call for values only, or for the gradient of each output or of their mean."""
        if self._set_up == (mode, length):
            return
        self._set_up = None  # until all is done, in case there is an interrupt
        frame = self.frame
        frame[Frame.OUTPUT_COUNT] = frame[Frame.GRADIENT_COUNT] = frame[Frame.STREAMED] = 0
        frame[Frame.TOTAL_OF] = frame[Frame.SEED_AT] = frame[Frame.SEED_U_AT] = -1
        frame[Frame.BACK_ROWS] = 0
        if output is not None:
            self._set_up_gradient(mode, length, *output)
        self._set_up = mode, length

    def _set_up_gradient(self, mode: str, length: int, varies: bool, slot: int) -> None:
        frame, linked = self.frame, self.linked
        frame[Frame.BACK_ROWS] = len(linked.varying_back)
        seed = 1.0 / length if mode == "mean" else 1.0
        if varies:
            frame[Frame.SEED_AT], frame[Frame.SEED] = linked.adjoints_v + slot, _bits(seed)
            frame[Frame.TOTAL_OF] = slot if mode == "mean" else -1
        else:
            frame[Frame.SEED_U_AT] = linked.adjoints_u + slot
            frame[Frame.SEED_U] = _bits(seed * length)

    def read(self, parts: Sequence[Any]) -> None:
        """Read the inputs from these arrays, which have a row for each input."""
        words: list[int] = []
        for part in parts:
            words += (part.__array_interface__["data"][0], len(part), *part.strides)
        self.parts = array("q", words)
        self.held = parts  # keeps them alive as long as there are pointers to them
        self.frame[Frame.PARTS] = self.parts.buffer_info()[0]
        self.frame[Frame.PART_COUNT] = len(parts)

    def forget(self) -> None:
        """Let go of the arrays of the caller."""
        if self.inputs is None:
            self.held = ()

    def write(self, slots: Sequence[int], arrays: Sequence[Any]) -> None:
        """Write these rows of `v` to these arrays."""
        words = array("q")
        for slot, each in zip(slots, arrays, strict=True):
            words.extend((slot, each.__array_interface__["data"][0]))
        self.outputs = words
        self.frame[Frame.OUTPUTS] = words.buffer_info()[0]
        self.frame[Frame.OUTPUT_COUNT] = len(arrays)

    def gradients(self, place: int, into: Any) -> None:
        """Write the adjoints of the inputs, from a place in `v` on, to an array of rows."""
        frame = self.frame
        frame[Frame.GRADIENTS], frame[Frame.GRADIENT_COUNT] = place, len(into)
        frame[Frame.INTO] = into.__array_interface__["data"][0]
        frame[Frame.INTO_STRIDE] = into.shape[1]


class NativeExecutor(Executor):
    """Runs one program, as an `Executor` does; each thread has its own arrays.

    A large batch is shared among `threads` threads; the sums over samples are added up block by
    block, in an order that depends on the length of the batch and on `threads` alone.
    """

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs = program, dtype, inputs
        self.checked, self.threads = checked, threads
        self._thread = threading.local()

    def __reduce__(self) -> Any:
        made = partial(
            NativeExecutor, inputs=self.inputs, checked=self.checked, threads=self.threads
        )
        return made, (self.program, self.dtype)

    @cached_property
    def linked(self) -> Linked:
        """The program as rows of words; this compiles the kernels that it needs."""
        return Linked(self.program, str(self.dtype), _address, inputs=self.inputs)

    @cached_property
    def _run(self) -> Any:
        return _driver(str(self.dtype))

    # --------------------------------------------------------------------------------------- calls

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[list[Any], bool]:
        """Return the outputs, and whether they are finite."""
        slots = [slot for varies, slot in self.program.outputs if varies]
        size = len(slots) * length * self.dtype.itemsize
        rows = [aligned_empty(length, self.dtype) for _ in slots]
        memories = self._memories(parameters, inputs, length)
        for memory in memories:
            memory.set_up("values", 0, None)
            memory.write(slots, rows)
            memory.frame[Frame.STREAMED] = size >= _STREAMED
            memory.frame[Frame.CHECKED] = self.checked
        fine = self._sweep(memories, Phase.UNIFORM)
        u, found = memories[0].u, iter(rows)
        outputs = [next(found) if varies else u[slot] for varies, slot in self.program.outputs]
        numbers = [u[slot] for varies, slot in self.program.outputs if not varies]
        return outputs, not self.checked or (fine and are_finite(numbers))

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters and inputs."""
        program = self.program
        ((varies, slot),) = program.outputs
        memories = self._memories(parameters, inputs, length)
        value: Any = np.empty(length, self.dtype) if varies and not mean else None
        adjoints = None
        if self.inputs and program.batched:
            adjoints = aligned_empty(program.inputs * length, self.dtype)
            adjoints = adjoints.reshape(program.inputs, length)
        for memory in memories:
            memory.set_up("mean" if mean else "each", length, (varies, slot))
            if value is not None:
                memory.write((slot,), (value,))
            if adjoints is not None:
                memory.gradients(self.linked.adjoints_v, adjoints)
        fine = self._sweep(memories, Phase.UNIFORM | Phase.BACK)
        first = memories[0]
        if self.inputs and not program.batched:
            adjoints = first.into_inputs.copy()
            fine = fine and bool(np.isfinite(adjoints).all())
        if not varies:
            value = first.u[slot]
        elif value is None:
            value = float(first.u[self.linked.total]) / length
        return Gradients(value, first.gradient.copy(), adjoints, fine)

    def bound(self, args: Sequence[Any], length: int) -> Shortcut | None:
        """Return a faster way to repeat a call with few numbers; for more it would save nothing."""
        kept: dict[Any, list[_Memory]] = self._thread.__dict__
        memories = kept.get(length, [])
        ((varies, slot),), linked = self.program.outputs, self.linked
        if len(memories) != 1 or not varies or memories[0].inputs is None:
            return None
        (memory,) = memories
        staged = staging(args, memory.inputs, memory.parameters)
        # Looking these up takes a good part of a short call, so it is done once.
        run, address, frame = self._run, memory.address, memory.frame
        gradient, u, place = memory.gradient, memory.u, linked.total
        where, phases, wanted = Frame.PHASES, Phase.UNIFORM | Phase.SWEEP | Phase.BACK, (True, slot)

        def call(args: Sequence[Any], parameters: Any) -> tuple[float, Any] | None:
            if not staged(args, parameters):
                return None
            memory.set_up("mean", length, wanted)
            frame[where] = phases
            if not run(address) or not isfinite(total := u.item(place)):
                return None
            return total / length, gradient.copy()

        return call

    def _memories(self, parameters: Any, inputs: Sequence[Any], length: int) -> list[_Memory]:
        """Return the memories of this thread and its helpers, which share the samples."""
        kept: dict[Any, list[_Memory]] = self._thread.__dict__
        memories = kept.get(length) or self._laid_out(kept, length)
        staged = memories[0].inputs
        if staged is not None:
            if inputs:
                np.concatenate(inputs, out=staged)
        else:
            inputs = [np.asarray(each, self.dtype) for each in inputs]
        for memory in memories:
            memory.parameters[:] = parameters
            if staged is None:
                memory.read(inputs)
        return memories

    def _laid_out(self, kept: dict[Any, list[_Memory]], length: int) -> list[_Memory]:
        """Return new memories for batches of a length; the oldest ones are given up for them."""
        linked = self.linked
        fitting = _CACHE // (self.dtype.itemsize * max(1, linked.rows))
        most = BLOCK if linked.differentiable else _BLOCK_OF_VALUES
        blocks = -(-length // min(most, max(_LEAST, fitting))) or 1
        step = _LANES[str(self.dtype)]
        lanes = -(-(-(-length // blocks) or 1) // step) * step
        shares = max(1, min(self.threads, blocks // _LEAST_BLOCKS))
        memories = [_Memory(linked, length, lanes, self.dtype) for _ in range(shares)]
        blocks, start = -(-length // lanes), 0
        for k, memory in enumerate(memories, 1):
            memory.frame[Frame.START] = start
            memory.frame[Frame.STOP] = start = min(length, blocks * k // shares * lanes)
        if len(kept) >= _KEPT:
            kept.pop(next(iter(kept)), None)
        kept[length] = memories
        return memories

    def _sweep(self, memories: Sequence[_Memory], phases: int) -> bool:
        """Run all phases, and return whether what is checked is finite."""
        fine = self._swept(memories, phases)
        while sum(memory.grow() for memory in memories):
            fine = self._swept(memories, phases)
        for memory in memories:
            memory.forget()
        return fine

    def _swept(self, memories: Sequence[_Memory], phases: int) -> bool:
        first = memories[0]
        if len(memories) == 1:
            first.frame[Frame.PHASES] = phases | Phase.SWEEP if self.program.batched else phases
            return bool(self._run(first.address))
        for memory in memories:
            memory.frame[Frame.PHASES] = Phase.UNIFORM | Phase.SWEEP
        with ThreadPoolExecutor(len(memories)) as pool:
            fine = all([*pool.map(self._run, [memory.address for memory in memories])])
        for memory in memories[1:]:
            first.adjoints += memory.adjoints
        first.frame[Frame.PHASES] = phases & Phase.BACK
        return bool(self._run(first.address)) and fine
