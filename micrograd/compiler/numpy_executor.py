"""A program run by NumPy, over the whole batch at once.

For a given length of the batch, the arrays are laid out once and every instruction becomes a call
that works in place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from micrograd.compiler.adjoints import FirstWriters
from micrograd.compiler.numpy_linear import ProductOn, SumsOn, fold
from micrograd.compiler.numpy_memory import Call, Memory
from micrograd.compiler.numpy_tape import TapeRunner
from micrograd.compiler.program import (
    Elementwise,
    Fold,
    Instruction,
    Product,
    Program,
    Tape,
    WeightedSums,
)

_KEPT = 4  # lengths of batches whose arrays are kept


class _Calls:
    """The instructions of a program as calls on the arrays of a memory."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.tapes: dict[int, TapeRunner] = {}
        self.forward = [call for each in memory.program.instructions for call in self._steps(each)]

    @cached_property
    def backward(self) -> list[Call]:
        """The instructions backwards."""
        return self._reversed(careful=False)

    @cached_property
    def careful(self) -> list[Call]:
        """The same, where an adjoint of zero stops even before an infinity."""
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
                runner = self.tapes[instruction.out.start] = TapeRunner(memory, instruction)
                yield runner.forward
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
                return iter([partial(self.tapes[instruction.out.start].backward, careful=careful)])
        return SumsOn(memory, instruction).backward(careful=careful)

    def _reversed(self, *, careful: bool) -> list[Call]:
        memory = self.memory
        program = memory.program
        writers = memory.writers = FirstWriters(program)
        calls: list[Call] = []
        for instruction in reversed(program.instructions):
            if memory.is_active(instruction.varies, instruction.out):
                if instruction.varies:
                    writers.touch(instruction.out)
                calls += self._back(instruction, careful)
        return [*(partial(memory.gv[rows].fill, 0.0) for rows in writers.zeroed()), *calls]


class NumpyExecutor:
    """Runs one program, for any length of the batch, in any number of threads."""

    def __init__(self, program: Program, dtype: Any, *, inputs: bool) -> None:
        self.program, self.dtype, self.inputs = program, dtype, inputs
        self._thread = threading.local()

    def __reduce__(self) -> Any:
        return partial(NumpyExecutor, inputs=self.inputs), (self.program, self.dtype)

    def _laid_out(self, length: int) -> _Calls:
        """The calls of this thread for a batch of that length."""
        kept: dict[Any, _Calls] = self._thread.__dict__
        found = kept.get(length)
        if found is None:
            if len(kept) >= _KEPT:
                kept.pop(next(iter(kept)))
            memory = Memory(self.program, length, self.dtype, inputs=self.inputs)
            found = kept[length] = _Calls(memory)
        return found

    def values(self, parameters: Any, inputs: Sequence[Any], length: int) -> list[Any]:
        """The outputs: rows of the batch, or numbers where an output does not vary.

        `inputs` are arrays with a row for each input (a number if the program is not batched).
        """
        calls = self._laid_out(length)
        memory = calls.memory
        with np.errstate(all="ignore"):
            self._run(calls, parameters, inputs)
        return [
            (memory.v[slot].copy() if varies else memory.u[slot])
            for varies, slot in self.program.outputs
        ]

    def value_and_grad(
        self, parameters: Any, inputs: Sequence[Any], length: int, *, mean: bool
    ) -> tuple[Any, Any, Any]:
        """The one output (or its mean), and the adjoints of parameters and inputs."""
        calls = self._laid_out(length)
        memory = calls.memory
        ((varies, slot),) = self.program.outputs
        seed = 1.0 / length if mean else 1.0
        with np.errstate(all="ignore"):
            self._run(calls, parameters, inputs)
            fine = self._pull(memory, calls.backward, seed)
            if not fine:
                self._pull(memory, calls.careful, seed)
        gradient = memory.gu[: self.program.parameters].copy()
        found = gradient, self._adjoints_of_inputs(memory).copy() if self.inputs else None
        value = memory.v[slot] if varies else memory.u[slot]
        if mean:
            return (np.add.reduce(value) / length if varies else value), *found
        return np.copy(value), *found

    def _run(self, calls: _Calls, parameters: Any, inputs: Sequence[Any]) -> None:
        program, memory = self.program, calls.memory
        memory.u[: program.parameters] = parameters
        if inputs:
            into = (memory.v if program.batched else memory.u)[slice(*program.input_slots)]
            np.concatenate(inputs, out=into)
        for call in calls.forward:
            call()

    def _adjoints_of_inputs(self, memory: Memory) -> Any:
        adjoints = memory.gv if self.program.batched else memory.gu
        return adjoints[slice(*self.program.input_slots)]

    def _pull(self, memory: Memory, calls: Sequence[Call], seed: float) -> bool:
        """Compute the adjoints; whether those that are asked for are finite."""
        program = self.program
        memory.gu.fill(0.0)
        ((varies, slot),) = program.outputs
        if varies:
            memory.gv[slot] = seed
        else:
            memory.gu[slot] = seed * memory.length if program.batched else seed
        for call in calls:
            call()
        asked = memory.gu[: program.parameters]
        if self.inputs:
            asked = self._adjoints_of_inputs(memory).ravel()
        # Zero times what is not finite is nan.
        return bool(asked @ memory.zeros[: len(asked)] == 0)
