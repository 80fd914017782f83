"""Runs a program as machine code, in blocks of samples that stay in the processor's cache."""

from __future__ import annotations

import ctypes
import struct
import threading
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property, partial
from itertools import accumulate
from typing import Any

import numpy as np

from micrograd.compiler.active import active
from micrograd.compiler.executor import Blocks, Call, Executor, Gradients, Layout, are_finite
from micrograd.compiler.loop_instructions import Loop
from micrograd.compiler.loops.following import can_follow
from micrograd.compiler.native.driver import Frame, Phase, write_driver
from micrograd.compiler.native.fusion import Fusion
from micrograd.compiler.native.kernels import write
from micrograd.compiler.native.linking import Linked
from micrograd.compiler.native.loops import STACK_WORDS, LoopSpec, is_straight
from micrograd.compiler.native.lowering import refuse_function
from micrograd.compiler.native.machine import Effort, Machine
from micrograd.compiler.native.rows import Spec
from micrograd.compiler.numpy.memory import aligned_empty, aligned_zeros
from micrograd.compiler.program import Program
from micrograd.engine.locks import reentrant_lock

BLOCK = 112
"""The most samples of a block; a program of many rows has fewer, to stay in the cache."""
_BLOCK_OF_VALUES = 448  # the same for a program without gradients, which has fewer rows
_LEAST, _CACHE = 48, 128 * 1024  # the fewest samples of a block; bytes of the cache
# Bytes of a full block: up to the first, the next cache holds it; from the second on, none does. In
# both cases full blocks are up to 15 % faster than small ones, and in between they are slower.
_NEAR, _FAR = 3 * 2**20, 16 * 2**20
_LANES = {"float64": 8, "float32": 16}  # numbers in the widest vector registers
_STAGED = 2**15  # up to this many numbers of inputs are copied, which halves the time of a call
_STREAMED = 2**23  # results of at least this many bytes bypass the cache, which cannot hold them
_LEAST_BLOCKS = 16  # the fewest for a thread: one thread is done with fewer before another starts
_ROOM = 64  # steps, for which a stack of unknown length has room at first
_LINE = 64  # bytes of a cache line
_BOTH_WAYS = Phase.UNIFORM | Phase.BACK
_KEPT = 4  # each thread keeps the arrays for this many lengths of batches


_making = reentrant_lock()


def _machine() -> Machine:
    """Return the one machine of this process, which keeps the code alive."""
    with _making:
        return _only_machine()


@cache
def _only_machine() -> Machine:
    return Machine()


def _address(spec: Spec | LoopSpec) -> int:
    machine, effort = _machine(), Effort.ALL
    if isinstance(spec, Spec):
        effort = Effort.FEW if spec.name.startswith(("value_", "flow_")) else Effort.PLAIN
    return machine.address(str(spec), lambda: write(spec, machine.width), effort)


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


class _Results:
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

    def prepare(self, memory: _Memory) -> None:
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
    """Return an array of rows, each of them aligned."""
    step = _LINE // dtype.itemsize
    pitch = -(-length // step) * step
    return aligned_empty(count * pitch, dtype).reshape(count, pitch)[:, :length]


def _like(parts: Sequence[Any], dtype: Any) -> list[Any]:
    """Return arrays for the adjoints of inputs: sample by sample if these are, else by row.

    They are parts of one array, which takes less time to allocate.
    """
    step = _LINE // dtype.itemsize
    pitches = [-(-part.shape[1] // step) * step for part in parts]
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


class NativeExecutor(Executor):
    """Runs one program, as an `Executor` does; each thread has its own arrays.

    A large batch is shared among `threads` threads; the sums over samples are added up block by
    block, in an order that depends on the length of the batch and on `threads` alone.

    Loops are followed backwards if the step of one of them is too long for straight code, or has a
    product of matrices; otherwise their traced derivatives are faster.
    """

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs = program, dtype, inputs
        self.checked, self.threads = checked, threads
        self._thread = threading.local()
        for row in program.operations():
            if row.function is not None:  # it may have more operands than a row of words
                refuse_function(row.name)
        loops = [each for each in program.instructions if isinstance(each, Loop)]
        self.follows_loops = not all(map(is_straight, loops)) and can_follow(
            program, active(program, inputs)
        )

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
    def _backwards(self) -> NativeExecutor:
        """What computes gradients: an executor that follows loops, if there are any."""
        if not self.follows_loops:
            return self
        made = NativeExecutor(
            self.program,
            self.dtype,
            inputs=self.inputs,
            checked=self.checked,
            threads=self.threads,
        )
        made.linked = Linked(
            self.program, str(self.dtype), _address, inputs=self.inputs, follows_loops=True
        )
        made._backwards = made
        return made

    @cached_property
    def fusion(self) -> Fusion:
        """The fused kernels of the program."""
        return Fusion(self.linked, _machine())

    @cached_property
    def _run(self) -> Any:
        return _driver(str(self.dtype))

    # --------------------------------------------------------------------------------------- calls

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Return the outputs, and whether they are finite."""
        results, _, fine = self._computed("values", parameters, inputs, length)
        rows = results.rows
        fixed = rows[results.fixed] if results.by_row else rows
        return rows, not self.checked or (fine and are_finite([fixed]))

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters and inputs."""
        call: Call = "mean" if mean else "each"
        results, memory, fine = self._backwards._computed(call, parameters, inputs, length)
        found, adjoints = results.adjoints, None
        if found:
            adjoints = found[0] if len(found) == 1 else Blocks(found)
        elif self.inputs and not self.program.batched:
            adjoints = memory.into_inputs.copy()
        return Gradients(results.rows[0], memory.gradient.copy(), adjoints, fine)

    def _computed(
        self, call: Call, parameters: Any, inputs: Sequence[Any], length: int
    ) -> tuple[_Results, _Memory, bool]:
        """Return the results of a call, the memory with the sums, and what `_sweep` says."""
        memories = self._memories(length)
        staged = memories[0].inputs
        if staged is None:
            inputs = [np.asarray(each, self.dtype) for each in inputs]
            results = _Results(self, call, length, inputs)
        else:
            results = _Results(self, call, length)
            if inputs:
                np.concatenate(inputs, out=staged)
        results.fused = self.fusion.kernel(length, backwards=call != "values")
        for memory in memories:
            memory.parameters[:] = parameters
            if staged is None:
                memory.read(inputs)
            results.prepare(memory)
        fine = self._sweep(memories, Phase.UNIFORM if call == "values" else _BOTH_WAYS)
        for memory in memories:
            memory.forget()
        results.finish(memories[0].u)
        return results, memories[0], fine

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call with few numbers; for more it would save nothing."""
        if call != "values" and self._backwards is not self:
            return self._backwards.layout(call, length)
        memories, results = self._memories(length), _Results(self, call, length)
        memory = memories[0]
        if len(memories) > 1 or memory.inputs is None:
            return None
        slopes = None
        if call != "values":
            slopes = memory.gradient
            if self.inputs:
                slopes = results.adjoints[0] if self.program.batched else memory.into_inputs
        # Looking these up takes a good part of a short call, so it is done once.
        run, address, frame, u, where = (
            self._run,
            memory.address,
            memory.frame,
            memory.u,
            Frame.PHASES,
        )
        prepare, finish = results.prepare, results.finish
        fusion, backwards, stacked = self.fusion, call != "values", self.program.stacks
        phases = Phase.UNIFORM if call == "values" else _BOTH_WAYS
        if self.program.batched:
            phases |= Phase.SWEEP

        def again() -> bool:
            if fusion.waiting[backwards]:
                results.fused = fusion.kernel(length, backwards=backwards)
                if results.fused is not None:
                    memory.prepared = None
            prepare(memory)
            frame[where] = phases
            fine = run(address)
            while stacked and memory.grow():
                fine = run(address)
            finish(u)
            return bool(fine)

        watched = results.checked and results.by_row and not results.fixed
        return Layout(memory.parameters, memory.inputs, again, results.rows, slopes, watched)

    def _memories(self, length: int) -> list[_Memory]:
        """Return the memories of this thread and its helpers, which share the samples."""
        kept: dict[Any, list[_Memory]] = self._thread.__dict__
        return kept.get(length) or self._laid_out(kept, length)

    def _laid_out(self, kept: dict[Any, list[_Memory]], length: int) -> list[_Memory]:
        """Return new memories for batches of a length; the oldest ones are given up for them."""
        linked = self.linked
        most = BLOCK if linked.differentiable else _BLOCK_OF_VALUES
        sample = self.dtype.itemsize * max(1, linked.rows)
        least = _LEAST if _NEAR < BLOCK * sample < _FAR else BLOCK
        blocks = -(-length // min(most, max(least, _CACHE // sample))) or 1
        step = _LANES[str(self.dtype)]
        lanes = -(-(-(-length // blocks) or 1) // step) * step
        shares = max(1, min(self.threads, blocks // _LEAST_BLOCKS))
        options = {"inputs": self.inputs, "alone": shares == 1}
        memories = [_Memory(linked, length, lanes, self.dtype, **options) for _ in range(shares)]
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
