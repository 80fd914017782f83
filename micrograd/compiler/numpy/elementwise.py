"""Operations as calls of NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd.compiler.numpy import ufuncs
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program import Elementwise


class ElementwiseOn:
    """The calls for an operation on the arrays of a memory."""

    def __init__(self, memory: Memory, instruction: Elementwise) -> None:
        self.memory, self.instruction = memory, instruction
        self._read = [memory.read(each, instruction.varies) for each in instruction.operands]

    def forward(self) -> Iterator[Call]:
        """Yield the call that computes it."""
        varies, out, row, _ = self.instruction
        target = (self.memory.v if varies else self.memory.u)[out]
        yield _bound(self.memory, ufuncs.value(row), target, self._read)

    def backward(self) -> Iterator[Call]:
        """Yield the calls that pass its adjoints on."""
        memory, (varies, out, row, operands) = self.memory, self.instruction
        values, adjoints = (memory.v, memory.gv) if varies else (memory.u, memory.gu)
        g = adjoints[out]
        for place, operand in enumerate(operands):
            flow = ufuncs.flow(row, place)
            if flow is None or not memory.is_active(operand.varies, operand.rows):
                continue
            target = memory.stored(operand.varies, operand.rows)
            stores = target is not None
            if not stores:
                target = memory.scratch(g.shape, 0)
            yield _bound(memory, flow, target, [g, values[out], *self._read], 1)
            if stores:
                continue
            if varies and not operand.varies:
                total = np.empty(len(g), g.dtype)
                yield partial(np.add.reduce, target, axis=1, out=total)
                target = total
            yield memory.adding(operand.varies, operand.rows, target)


def _bound(
    memory: Memory, made: ufuncs.InPlace, target: Any, read: Sequence[Any], first: int = 0
) -> Call:
    """Return a call in place; operands that are functions are called each time."""
    shape = target.shape
    scratch = [memory.scratch(shape, first + i) for i in range(made.scratch)]
    masks = [memory.scratch(shape, i, bool) for i in range(made.masks)]
    if not any(map(callable, read)):
        return partial(made.call, target, *scratch, *masks, *read)

    def call() -> None:
        operands = (each() if callable(each) else each for each in read)
        made.call(target, *scratch, *masks, *operands)

    return call
