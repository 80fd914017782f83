"""Operations as calls of NumPy."""

from __future__ import annotations

from collections.abc import Iterator

from micrograd.compiler.numpy.memory import Call, Memory, calling
from micrograd.compiler.numpy.operations import in_place
from micrograd.compiler.program.instructions import Elementwise
from micrograd.compiler.program.slots import count_of


def elementwise_calls(memory: Memory, step: Elementwise) -> Iterator[Call]:
    """Yield the calls for an operation, or a flow, on the arrays of a memory."""
    varies, out, row, operands, mode = step
    target, following = memory.target(varies, out, mode, count_of(out))
    read = [memory.read(each, varies) for each in operands]
    exponent = memory.constant(operands[-1]) if row.operands[-1] == "y" else None
    yield calling(in_place(row, exponent), *read, out=target)
    yield from following
