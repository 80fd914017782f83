"""Runs a program as machine code, in blocks of samples that stay in the processor's cache."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any

import numpy as np

from micrograd.compiler.executor import (
    Blocks,
    Call,
    Direct,
    Executor,
    Gradients,
    Layout,
    Shapes,
    are_finite,
)
from micrograd.compiler.loops.following import can_follow
from micrograd.compiler.native.driver import Frame, Phase, write_driver
from micrograd.compiler.native.fusion import Fusion
from micrograd.compiler.native.kernels import write
from micrograd.compiler.native.linking import AnySpec, Linked
from micrograd.compiler.native.loops import is_straight
from micrograd.compiler.native.lowering import refuse_function
from micrograd.compiler.native.machine import Machine, Module
from micrograd.compiler.native.memory import (
    STAGED,
    Memory,
    Results,
    is_by_sample,
    keep_freed_memory,
)
from micrograd.compiler.program.active import active
from micrograd.compiler.program.instructions import Elementwise
from micrograd.compiler.program.loop_instructions import Loop
from micrograd.compiler.program.program import Program
from micrograd.compiler.program.slots import Operand
from micrograd.locks import forkable_property, reentrant_lock
from micrograd.ops import TABLE

BLOCK = 112
"""The most samples of a block; a program of many rows has fewer, to stay in the cache."""
# The same for a program without gradients, which has fewer rows, and for one of so few rows that
# the nearest cache, of this many bytes, holds even a long block.
_LONG_BLOCK, _NEAREST = 448, 2**15
_SUMMED = 28  # floats that a block adds up in a lane, each with a rounding error
_LEAST, _CACHE = 48, 128 * 1024  # the fewest samples of a block; bytes of the cache
# Bytes of a full block: up to the first, the next cache holds it; from the second on, none does. In
# both cases full blocks are up to 15 % faster than small ones, and in between they are slower.
_NEAR, _FAR = 3 * 2**20, 16 * 2**20
_LANES = {"float64": 8, "float32": 16}  # numbers in the widest vector registers
_LEAST_BLOCKS = 16  # the fewest for a thread: one thread is done with fewer before another starts
_PHASES = Frame.PHASES
_KEPT = 4  # each thread keeps the arrays for this many lengths of batches


_making = reentrant_lock()
_only_machine = cache(Machine)


def _machine() -> Machine:
    """Return the one machine of this process, which keeps the code alive."""
    with _making:
        return _only_machine()


def _addresses(specs: Sequence[AnySpec]) -> list[int]:
    width = _machine().width
    return _machine().addresses([Module(str(each), partial(write, each, width)) for each in specs])


@cache
def _driver(kind: str) -> Any:
    machine = _machine()
    write = partial(write_driver, kind, machine.width)
    address = machine.address(f"driver {kind}", write)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)


def _in_rows(program: Program) -> Program:
    """Return a program in which outputs are copied into rows if some vary and these do not."""
    fixed = [slot for varies, slot in program.outputs if not varies]
    if not fixed or len(fixed) == len(program.outputs):
        return program
    first = program.varying
    rows, read = range(first, first + len(fixed)), Operand(False, np.array(fixed, np.intp))
    copied = Elementwise(True, slice(rows.start, rows.stop), TABLE["detach"], (read,))
    left = iter(rows)
    outputs = [(True, slot if varies else next(left)) for varies, slot in program.outputs]
    return program._replace(
        instructions=(*program.instructions, copied), varying=rows.stop, outputs=(*outputs,)
    )


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

    @forkable_property
    def linked(self) -> Linked:
        """The program as rows of words; this compiles the kernels that it needs."""
        return Linked(_in_rows(self.program), str(self.dtype), _addresses, inputs=self.inputs)

    @forkable_property
    def _backwards(self) -> NativeExecutor:
        """What computes gradients; the kernels for them are compiled when one is asked for."""
        make, arguments = self.__reduce__()
        made: NativeExecutor = make(*arguments)
        made.linked = Linked(
            _in_rows(self.program), str(self.dtype), _addresses, inputs=self.inputs, gradient=True
        )
        made._backwards = made
        return made

    @forkable_property
    def fusion(self) -> Fusion:
        """The fused kernels of the program."""
        return Fusion(self.linked, _machine())

    @forkable_property
    def _run(self) -> Any:
        return _driver(str(self.dtype))

    # --------------------------------------------------------------------------------------- calls

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Return the outputs, and whether they are finite."""
        results, _, fine = self._computed("values", parameters, inputs, length)
        rows = results.rows
        return rows, not self.checked or (fine and (results.watched or are_finite([rows])))

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
    ) -> tuple[Results, Memory, bool]:
        """Return the results of a call, the memory with the sums, and what `_sweep` says."""
        memories = self._memories(length)
        staged = memories[0].inputs
        if staged is None:
            inputs = [np.asarray(each, self.dtype) for each in inputs]
            results = Results(self, call, length, inputs)
        else:
            results = Results(self, call, length)
            if inputs:
                np.concatenate(inputs, out=staged)
        results.fused = self.fusion.kernel(call, length)
        for memory in memories:
            memory.parameters[:] = parameters
            if staged is None:
                memory.read(inputs)
            results.prepare(memory)
        fine = self._sweep(memories, self._phases(call))
        for memory in memories:
            memory.forget()
        results.finish(memories[0].u)
        return results, memories[0], fine

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call with few numbers; for more it would save nothing."""
        if call != "values" and self._backwards is not self:
            return self._backwards.layout(call, length)
        memories, results = self._memories(length), Results(self, call, length)
        memory = memories[0]
        if len(memories) > 1 or memory.inputs is None:
            return None
        slopes = None
        if call != "values":
            slopes = memory.gradient
            if self.inputs:
                slopes = results.adjoints[0] if self.program.batched else memory.into_inputs
        again = self._repeated(call, length, results)
        return Layout(
            memory.parameters, memory.inputs, again, results.rows, slopes, results.watched
        )

    def _repeated(self, call: Call, length: int, results: Results) -> Callable[[], bool]:
        """Return what runs a call of one thread, and says whether what is checked is finite.

        Looking these up takes a good part of a short call, so it is done once.
        """
        memory = self._memories(length)[0]
        run, address, u, frame = self._run, memory.address, memory.u, memory.frame
        prepare, finish, stacked = results.prepare, results.finish, self.program.stacks
        fusion, phases = self.fusion, self._phases(call)
        results.fused = fusion.kernels[call]

        def again() -> bool:
            if fusion.waiting[call]:
                fusion.kernel(call, length)
            if results.fused != fusion.kernels[call]:  # perhaps after calls of other lengths
                results.fused, memory.prepared = fusion.kernels[call], None
            prepare(memory)
            frame[_PHASES] = phases
            fine = run(address)
            while stacked and memory.grow():
                fine = run(address)
            finish(u)
            return bool(fine)

        return again

    def _phases(self, call: Call) -> int:
        """Return what a call of one thread does."""
        own = Phase.UNIFORM if call == "values" else Phase.UNIFORM | Phase.BACK
        return own | Phase.SWEEP if self.program.batched else own

    def direct(
        self, call: Call, inputs: Sequence[Any], length: int, blocks: Shapes | None
    ) -> Direct | None:
        """Prepare calls with large arrays, which are read where they are."""
        if call != "values" and self._backwards is not self:
            return self._backwards.direct(call, inputs, length, blocks)
        memories = self._memories(length)
        memory = memories[0]
        written = len(self.program.outputs) * length if call == "values" else 0
        is_small = memory.inputs is not None and written <= STAGED
        if len(memories) > 1 or is_small or not self.program.batched:
            return None
        keep_freed_memory()
        results, order = Results(self, call, length, inputs, blocks), [*map(is_by_sample, inputs)]
        results.release()
        again = self._repeated(call, length, results)

        def run(inputs: Sequence[Any]) -> tuple[Any, Any, bool] | None:
            if [*map(is_by_sample, inputs)] != order:
                return None
            try:  # whatever happens, other calls find the arrays that they expect
                memory.read(inputs)
                results.renew()
                fine = again()
                found = results.outputs if blocks else results.rows
                slopes = results.adjoints or (None if call == "values" else memory.gradient.copy())
            finally:
                results.release()
                memory.release()
            if not results.watched and self.checked:
                fine = fine and are_finite(found if blocks else [found])
            return found, slopes, fine

        return Direct(memory.parameters, run)

    def _memories(self, length: int) -> list[Memory]:
        """Return the memories of this thread and its helpers, which share the samples."""
        kept: dict[Any, list[Memory]] = self._thread.__dict__
        return kept.get(length) or self._laid_out(kept, length)

    def _laid_out(self, kept: dict[Any, list[Memory]], length: int) -> list[Memory]:
        """Return new memories for batches of a length; the oldest ones are given up for them."""
        linked = self.linked
        sample = self.dtype.itemsize * max(1, linked.rows)
        is_small = self.dtype.itemsize * linked.places_v * _LONG_BLOCK <= _NEAREST
        most = BLOCK if linked.reverse is not None and not is_small else _LONG_BLOCK
        if linked.reverse is not None and self.dtype.itemsize < 8:
            most = min(most, _SUMMED * 2 * _machine().width)
        # The numbers of a sample may be neighbours: then those of a block are read row by row.
        widest = self.dtype.itemsize * max(1, self.program.inputs, len(self.program.outputs))
        most = max(BLOCK, min(most, 3 * _NEAREST // 4 // widest))
        least = _LEAST if _NEAR < BLOCK * sample < _FAR else BLOCK
        blocks = -(-length // min(most, max(least, _CACHE // sample))) or 1
        step = _LANES[str(self.dtype)]
        lanes = -(-(-(-length // blocks) or 1) // step) * step
        shares = max(1, min(self.threads, blocks // _LEAST_BLOCKS))
        options = {"inputs": self.inputs, "alone": shares == 1}
        memories = [Memory(linked, length, lanes, self.dtype, **options) for _ in range(shares)]
        blocks, start = -(-length // lanes), 0
        for k, memory in enumerate(memories, 1):
            memory.frame[Frame.START] = start
            memory.frame[Frame.STOP] = start = min(length, blocks * k // shares * lanes)
        if len(kept) >= _KEPT:
            kept.pop(next(iter(kept)), None)
        kept[length] = memories
        return memories

    def _sweep(self, memories: Sequence[Memory], phases: int) -> bool:
        """Run all phases, and return whether what is checked is finite."""
        fine = self._swept(memories, phases)
        while sum(memory.grow() for memory in memories):
            fine = self._swept(memories, phases)
        return fine

    def _swept(self, memories: Sequence[Memory], phases: int) -> bool:
        first = memories[0]
        if len(memories) == 1:
            first.frame[Frame.PHASES] = phases
            return bool(self._run(first.address))
        for memory in memories:
            memory.frame[Frame.PHASES] = Phase.UNIFORM | Phase.SWEEP
        with ThreadPoolExecutor(len(memories)) as pool:
            fine = all([*pool.map(self._run, [memory.address for memory in memories])])
        for memory in memories[1:]:
            first.adjoints += memory.adjoints
        first.frame[Frame.PHASES] = phases & Phase.BACK
        return bool(self._run(first.address)) and fine
