"""Runs a program by NumPy, over the whole batch at once, or over blocks of a large one.

A lane is a sample in a block. The arrays are laid out once for a number of lanes, and every
instruction becomes calls that work in place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from math import isfinite
from typing import Any

import numpy as np

from micrograd.compiler.executor import Call, Executor, Gradients, Layout, are_finite
from micrograd.compiler.loops.following import can_follow
from micrograd.compiler.numpy.calls import (
    elementwise_calls,
    fold_calls,
    product_calls,
    sums_calls,
)
from micrograd.compiler.numpy.float_loops import FloatLoop, is_of_floats
from micrograd.compiler.numpy.following import (
    Kept,
    is_wide,
    loop_back_calls,
    loop_calls,
    send_calls,
    unpack_calls,
)
from micrograd.compiler.numpy.lookups import lookup_call, scatter_call
from micrograd.compiler.numpy.loops import stack_call
from micrograd.compiler.numpy.memory import Call as Step
from micrograd.compiler.numpy.memory import Memory, aligned_empty
from micrograd.compiler.numpy.tape import is_narrow, on_floats
from micrograd.compiler.program.active import active
from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Lookup,
    Product,
    Scatter,
    Tape,
)
from micrograd.compiler.program.loop_instructions import (
    Elements,
    Loop,
    LoopBack,
    Pack,
    Send,
    Unpack,
)
from micrograd.compiler.program.program import Instruction, Program
from micrograd.compiler.program.reverse import Reverse, reverse
from micrograd.locks import forkable_property

BLOCK = 10_240
"""The most lanes; a program of many rows has fewer, so that they stay in the cache."""
_LEAST, _CACHE = 2_048, 2**22  # the fewest lanes; bytes of the cache
_KEPT = 4  # each thread keeps the arrays for this many numbers of lanes


def _calls(memory: Memory, instruction: Instruction) -> Iterator[Step]:
    """Return the calls that run an instruction on the arrays of a memory."""
    match instruction:
        case Elementwise():
            return elementwise_calls(memory, instruction)
        case Product():
            return product_calls(memory, instruction)
        case Fold():
            return fold_calls(memory, instruction)
        case Tape():
            return (call for step in instruction.steps() for call in _calls(memory, step))
        case Lookup():
            return iter([lookup_call(memory.spaces, instruction)])
        case Scatter():
            return iter([scatter_call(memory.spaces, instruction)])
        case Loop() if not memory.kept and is_of_floats(instruction, memory.u.dtype):
            return iter([FloatLoop(instruction, memory.u, memory.stacks).run])
        case Loop(body=body):
            return loop_calls(memory, instruction, [*_all_calls(memory, body)])
        case LoopBack(body=body):
            return loop_back_calls(memory, instruction, [*_all_calls(memory, body)])
        case Pack() | Elements():
            return iter([stack_call(instruction, memory.spaces, memory.stacks)])
        case Unpack():
            return unpack_calls(memory, instruction)
        case Send():
            return send_calls(memory, instruction)
    return sums_calls(memory, instruction)


def _all_calls(memory: Memory, instructions: Sequence[Instruction]) -> Iterator[Step]:
    """Yield the calls of instructions; narrow ones that follow each other may be one call."""
    for narrow, run in groupby(instructions, partial(is_narrow, dtype=memory.u.dtype)):
        found = [*run]
        steps = on_floats(memory, found) if narrow else None
        if steps is None:
            for each in found:
                yield from _calls(memory, each)
        else:
            yield steps.run


class _Calls:
    """The instructions of a program as calls on the arrays of a memory.

    `forward` and `backward` are two lists each: the calls for `u` and those for `v`.
    """

    def __init__(self, memory: Memory, inputs: bool, *, follows_loops: bool) -> None:
        self.memory, self._inputs = memory, inputs
        for each in self._reverse.instructions if follows_loops else ():
            if isinstance(each, LoopBack):
                memory.kept[id(each.loop)] = Kept(memory, each)
        self.forward = self._listed(memory.program.instructions)

    def _listed(self, instructions: Sequence[Instruction]) -> tuple[list[Step], list[Step]]:
        of_u, of_v = (
            [*_all_calls(self.memory, [x for x in instructions if x.varies == varies])]
            for varies in (False, True)
        )
        return of_u, of_v

    @forkable_property
    def _reverse(self) -> Reverse:
        return reverse(self.memory.program, inputs=self._inputs)

    @forkable_property
    def backward(self) -> tuple[list[Step], list[Step]]:
        """The calls that compute the adjoints."""
        memory, found = self.memory, self._reverse
        zeros = [partial(memory.v[rows].fill, 0.0) for rows in found.zeroed]
        clears: tuple[list[Step], list[Step]] = [], []
        stacks = memory.program.stacks
        for i, stack in enumerate(stacks, len(stacks)):
            clears[stack.varies].append(partial(memory.stacks.__setitem__, i, None))
        of_u, of_v = self._listed(found.instructions)
        return [*clears[False], *of_u], [*zeros, *clears[True], *of_v]


class NumpyExecutor(Executor):
    """Runs one program, as an `Executor` does; each thread has its own arrays."""

    stops = False
    """Whether products with adjoints stop at a factor of zero."""

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, checked: bool, threads: int = 1
    ) -> None:
        self.program, self.dtype, self.inputs, self.checked = program, dtype, inputs, checked
        self._thread = threading.local()
        loops = [each for each in program.instructions if isinstance(each, Loop)]
        follows = not self.stops and any(map(is_wide, loops))
        self.follows_loops = follows and can_follow(program, active(program, inputs))

    def __reduce__(self) -> Any:
        made = partial(type(self), inputs=self.inputs, checked=self.checked)
        return made, (self.program, self.dtype)

    def _laid_out(self, length: int) -> _Calls:
        """Return the calls of this thread, for blocks of about equal size of such a batch."""
        rows = self.program.varying * (2 if len(self.program.outputs) == 1 else 1)  # and adjoints
        fitting = _CACHE // (self.dtype.itemsize * max(1, rows))
        blocks = -(-length // min(BLOCK, max(_LEAST, fitting))) or 1
        lanes = -(-length // blocks) or 1
        kept: dict[Any, _Calls] = self._thread.__dict__
        found = kept.get(lanes)
        if found is None:
            if len(kept) >= _KEPT:
                kept.pop(next(iter(kept)))
            memory = Memory(self.program, lanes, self.dtype, stops=self.stops)
            found = kept[lanes] = _Calls(memory, self.inputs, follows_loops=self.follows_loops)
        return found

    @forkable_property
    def _slots(self) -> Any:
        return np.array([slot for _, slot in self.program.outputs], np.intp)

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> tuple[Any, bool]:
        """Return the outputs, and whether they are finite."""
        rows = self._values(self._laid_out(length), parameters, inputs, length)
        return rows, not self.checked or are_finite([rows])

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> Gradients:
        """Return the output or its mean, and the adjoints of parameters and inputs."""
        return self._value_and_grad(self._laid_out(length), parameters, inputs, length, mean)

    def layout(self, call: Call, length: int) -> Layout | None:
        """Lay out a call, if the batch is one block."""
        calls, program = self._laid_out(length), self.program
        memory, batched = calls.memory, program.batched
        has_rows = call == "values" or not batched or program.outputs[0][0]
        if memory.length != length or not has_rows:
            return None

        def run() -> bool | tuple[Any, Any]:
            if call == "values":
                return self._values(calls, None, (), length), None
            found = self._value_and_grad(calls, None, (), length, call == "mean")
            slopes = found.inputs if self.inputs else found.parameters
            return found.finite and (np.array(found.value, ndmin=2), slopes)

        inputs = (memory.v if batched else memory.u)[slice(*program.input_slots)]
        return Layout(memory.u[: program.parameters], inputs, run, None, None)

    def _blocks(
        self, calls: _Calls, parameters: Any, inputs: Sequence[Any], length: int
    ) -> Iterator[slice]:
        """Compute all values, block after block; the lanes after the last sample are not used.

        Parameters that are None, and inputs that are empty, are in the memory already.
        """
        program, memory = self.program, calls.memory
        if parameters is not None:
            memory.u[: program.parameters] = parameters
        if not program.batched and inputs:
            np.concatenate(inputs, out=memory.u[slice(*program.input_slots)])
        for call in calls.forward[False]:
            call()
        if not program.batched:
            yield slice(0, 1)
            return
        into = memory.v[slice(*program.input_slots)]
        for start in range(0, length, memory.length):
            block = slice(start, min(start + memory.length, length))
            count = block.stop - start
            if inputs and count == length:
                np.concatenate(inputs, out=into)
            elif inputs:
                np.concatenate([each[:, block] for each in inputs], out=into[:, :count])
            for call in calls.forward[True]:
                call()
            yield block

    @np.errstate(all="ignore")
    def _values(self, calls: _Calls, parameters: Any, inputs: Sequence[Any], length: int) -> Any:
        outputs, memory = self.program.outputs, calls.memory
        memory.keeps = False
        count = len(outputs) * length
        make = aligned_empty if count >= BLOCK else np.empty  # which takes a tenth of the time
        rows = make(count, self.dtype)
        if self.program.batched:
            rows = rows.reshape(len(outputs), length)
        for block in self._blocks(calls, parameters, inputs, length):
            if not self.program.batched:
                memory.u.take(self._slots, out=rows, mode="clip")
                continue
            lanes = block.stop - block.start
            for row, (varies, slot) in zip(rows, outputs, strict=True):
                row[block] = memory.v[slot, :lanes] if varies else memory.u[slot]
        return rows

    @np.errstate(all="ignore")
    def _value_and_grad(
        self, calls: _Calls, parameters: Any, inputs: Sequence[Any], length: int, mean: bool
    ) -> Gradients:
        backward = calls.backward
        program, memory = self.program, calls.memory
        memory.keeps = True
        ((varies, slot),) = program.outputs
        seed, total = 1.0 / length if mean else 1.0, 0.0
        value = None if mean else np.empty(length, self.dtype)
        adjoints = None
        if self.inputs and program.batched:
            adjoints = np.empty((program.inputs, length), self.dtype)
        memory.gu.fill(0.0)
        for block in self._blocks(calls, parameters, inputs, length):
            count = block.stop - block.start
            if varies:
                row = memory.v[slot, :count]
                if value is None:
                    total += float(np.add.reduce(row))
                else:
                    value[block] = row
                memory.gv[slot] = seed
                if count < memory.length:
                    memory.gv[slot, count:] = 0.0
            for call in backward[True]:
                call()
            if adjoints is not None:
                adjoints[:, block] = memory.gv[slice(*program.input_slots), :count]
        if not varies:
            memory.gu[slot] += seed * length if program.batched else seed
        for call in backward[False]:
            call()
        if self.inputs and not program.batched:
            adjoints = memory.gu[slice(*program.input_slots)].copy()
        gradient = None if self.inputs else memory.gu[: program.parameters].copy()
        found = memory.u[slot] if not varies else total / length if value is None else value
        fine = _is_finite(adjoints if self.inputs else gradient)
        return Gradients(found, gradient, adjoints, fine)


def _is_finite(numbers: Any) -> bool:
    """Return whether all numbers are finite; False in doubt."""
    numbers = numbers.reshape(-1)
    # The product is faster for few numbers; for many, it would start the threads of BLAS.
    return isfinite(numbers @ numbers if numbers.size < BLOCK else np.add.reduce(numbers))
