"""A program run by NumPy, over the whole batch at once, or over blocks of a large one.

The arrays are laid out once for a number of lanes, and every instruction becomes a call that works
in place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from math import isfinite
from typing import Any

import numpy as np

from micrograd.compiler.adjoints import FirstWriters
from micrograd.compiler.arguments import staging
from micrograd.compiler.graph import Graph
from micrograd.compiler.numpy.linear import ProductOn, SumsOn, fold
from micrograd.compiler.numpy.memory import Call, Memory, aligned_empty
from micrograd.compiler.numpy.tape import FloatTape, RowTape, tape_on
from micrograd.compiler.planning import plan
from micrograd.compiler.program import (
    Elementwise,
    Fold,
    Instruction,
    Product,
    Program,
    Tape,
    WeightedSums,
)

BLOCK = 10_240
"""The most lanes; fewer where there are many rows, to stay in the cache."""
_LEAST, _CACHE = 2_048, 2**22  # lanes; bytes
_KEPT = 4  # numbers of lanes whose arrays are kept


class _Calls:
    """The instructions of a program as calls on the arrays of a memory: those of `u`, of `v`."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.tapes: dict[int, RowTape | FloatTape] = {}  # by the instruction's identity
        self.forward: tuple[list[Call], list[Call]] = [], []
        for instruction in memory.program.instructions:
            self.forward[instruction.varies].extend(self._steps(instruction))

    @cached_property
    def backward(self) -> tuple[list[Call], list[Call]]:
        """The instructions backwards."""
        return self._reversed(careful=False)

    @cached_property
    def careful(self) -> tuple[list[Call], list[Call]]:
        """The same, where a factor of zero stops even an infinity."""
        return self._reversed(careful=True)

    def _steps(self, instruction: Instruction) -> Iterator[Call]:
        memory = self.memory
        match instruction:
            case Elementwise():
                yield memory.elementwise(instruction)
            case Product():
                yield from ProductOn(memory, instruction).forward()
            case Fold():
                yield fold(memory, instruction)
            case Tape():
                runner = self.tapes[id(instruction)] = tape_on(memory, instruction)
                yield from runner.forward()
            case WeightedSums():
                yield SumsOn(memory, instruction).forward()

    def _back(self, instruction: Instruction, careful: bool) -> Iterator[Call]:
        memory = self.memory
        match instruction:
            case Elementwise():
                return memory.elementwise_back(instruction, careful)
            case Product():
                return ProductOn(memory, instruction).backward(careful=careful)
            case Fold():
                return iter(())
            case Tape():
                if instruction.varies:
                    memory.writers.touch(slice(0, instruction.out.stop))
                return self.tapes[id(instruction)].backward(careful=careful)
        return SumsOn(memory, instruction).backward(careful=careful)

    def _reversed(self, *, careful: bool) -> tuple[list[Call], list[Call]]:
        memory = self.memory
        program = memory.program
        writers = memory.writers = FirstWriters(program)
        calls: tuple[list[Call], list[Call]] = [], []
        for instruction in reversed(program.instructions):
            if memory.is_active(instruction.varies, instruction.out):
                if instruction.varies:
                    writers.touch(instruction.out)
                calls[instruction.varies].extend(self._back(instruction, careful))
        zeros = [partial(memory.gv[rows].fill, 0.0) for rows in writers.zeroed()]
        return calls[False], [*zeros, *calls[True]]


class NumpyExecutor:
    """Runs one program, for any length of the batch, in any number of threads.

    Gradients that are not finite are computed again with care for zeros before infinities. Where
    the program has plain products in place of those that stop at zero, so are its results, from
    `stopping`: the graph with the products that stop.
    """

    def __init__(
        self, program: Program, dtype: Any, *, inputs: bool, stopping: Graph | None = None
    ) -> None:
        self.program, self.dtype, self.inputs, self.stopping = program, dtype, inputs, stopping
        self._thread = threading.local()

    def __reduce__(self) -> Any:
        made = partial(NumpyExecutor, inputs=self.inputs, stopping=self.stopping)
        return made, (self.program, self.dtype)

    @cached_property
    def stopped(self) -> NumpyExecutor:
        """The same with products that stop at zero."""
        return careful_executor(self.program, self.dtype, self.inputs, self.stopping)

    def _laid_out(self, length: int) -> _Calls:
        """The calls of this thread for blocks of a batch of that length, as even as can be."""
        rows = self.program.varying * (2 if len(self.program.outputs) == 1 else 1)  # and adjoints
        fitting = _CACHE // (self.dtype.itemsize * max(1, rows))
        blocks = -(-length // min(BLOCK, max(_LEAST, fitting))) or 1
        lanes = -(-length // blocks) or 1
        kept: dict[Any, _Calls] = self._thread.__dict__
        found = kept.get(lanes)
        if found is None:
            if len(kept) >= _KEPT:
                kept.pop(next(iter(kept)))
            memory = Memory(self.program, lanes, self.dtype, inputs=self.inputs)
            found = kept[lanes] = _Calls(memory)
        return found

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> list[Any]:
        """The outputs: rows of the batch, or numbers where an output does not vary.

        `inputs` are arrays with a row for each input (a number if the program is not batched).
        """
        calls = self._laid_out(length)
        memory = calls.memory
        slots = [slot for varies, slot in self.program.outputs if varies]
        rows = [aligned_empty(length, self.dtype) for _ in slots]
        with np.errstate(all="ignore"):
            for block in self._blocks(calls, parameters, inputs, length):
                for slot, row in zip(slots, rows, strict=True):
                    row[block] = memory.v[slot, : block.stop - block.start]
        found = iter(rows)
        outputs = [
            next(found) if varies else memory.u[slot] for varies, slot in self.program.outputs
        ]
        if self.stopping is not None and not are_finite(outputs):
            return self.stopped.values(parameters, inputs, length)
        return outputs

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> tuple[Any, Any, Any]:
        """The one output (or its mean), and the adjoints of parameters and inputs."""
        with np.errstate(all="ignore"):
            found = self._value_and_grad(parameters, inputs, length, mean, careful=False)
        if self.stopping is not None and not are_finite(found):
            return self.stopped.value_and_grad(parameters, inputs, length, mean=mean)
        return found

    def bound(self, args: Sequence[Any], length: int) -> Callable[..., Any] | None:
        """A function for further calls of `value_and_grad` in this thread with arrays of the same
        shapes, in one block, that skips all that is known by now; it gives None where that does not
        hold. It takes the arguments and an array of parameters.
        """
        calls, program = self._laid_out(length), self.program
        memory, ((varies, slot),) = calls.memory, program.outputs
        if not varies or memory.length != length:
            return None
        staged = staging(
            args, memory.v[slice(*program.input_slots)], memory.u[: program.parameters]
        )
        forward = [call for each in calls.forward for call in each]
        backward = [call for each in reversed(calls.backward) for call in each]
        row, seeded, seed = memory.v[slot], memory.gv[slot], 1.0 / length
        adjoints, gradient = memory.gu, memory.gu[: program.parameters]

        def call(args: Sequence[Any], parameters: Any) -> tuple[float, Any] | None:
            if not staged(args, parameters):
                return None
            with np.errstate(all="ignore"):
                for each in forward:
                    each()
                adjoints.fill(0.0)
                seeded.fill(seed)
                for each in backward:
                    each()
                total = float(np.add.reduce(row))
                if not isfinite(gradient @ gradient) or not isfinite(total):
                    return None
                return total / length, gradient.copy()

        return call

    def _blocks(
        self, calls: _Calls, parameters: Any, inputs: Sequence[Any], length: int
    ) -> Iterator[slice]:
        """Compute all values, block after block; lanes after the last sample do not matter."""
        program, memory = self.program, calls.memory
        memory.u[: program.parameters] = parameters
        if not program.batched and inputs:
            np.concatenate(inputs, out=memory.u[slice(*program.input_slots)])
        for call in calls.forward[False]:
            call()
        if not program.batched:
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

    def _value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, mean: bool, *, careful: bool
    ) -> tuple[Any, Any, Any]:
        """As `value_and_grad`, of this program; with care for zeros if need be."""
        calls = self._laid_out(length)
        backward = calls.careful if careful else calls.backward
        program, memory = self.program, calls.memory
        ((varies, slot),) = program.outputs
        seed, total = 1.0 / length if mean else 1.0, 0.0
        value = None if mean else np.empty(length, self.dtype)
        adjoints = np.empty((program.inputs, length), self.dtype) if self.inputs else None
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
        if adjoints is not None and not program.batched:
            adjoints = memory.gu[slice(*program.input_slots)].copy()
        gradient = memory.gu[: program.parameters].copy()
        asked = gradient if adjoints is None else adjoints.ravel()
        if not careful and self.stopping is None and not isfinite(asked @ asked):
            return self._value_and_grad(parameters, inputs, length, mean, careful=True)
        if not varies:
            return memory.u[slot], gradient, adjoints
        return total / length if value is None else value, gradient, adjoints


def careful_executor(
    program: Program, dtype: Any, inputs: bool, stopping: Graph | None
) -> NumpyExecutor:
    """What computes again what is not finite, such that zeros stop even in matrix products."""
    if stopping is not None:
        program = plan(stopping, batched=program.batched)
    return NumpyExecutor(program, dtype, inputs=inputs)


def are_finite(arrays: Sequence[Any]) -> bool:
    """Whether all numbers are finite; in doubt, as their sum may overflow, they are not."""
    with np.errstate(all="ignore"):
        return all(isfinite(np.add.reduce(each, axis=None)) for each in arrays if each is not None)
