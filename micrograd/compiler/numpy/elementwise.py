"""Operations as calls of NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from micrograd.compiler.numpy import ufuncs
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program.instructions import Elementwise
from micrograd.compiler.program.slots import count_of


def elementwise_calls(memory: Memory, step: Elementwise) -> Iterator[Call]:
    """Yield the calls for an operation, or a flow, on the arrays of a memory."""
    varies, out, row, operands, mode = step
    target, following = memory.target(varies, out, mode, count_of(out))
    read = [memory.read(each, varies) for each in operands]
    exponent = memory.constant(operands[-1]) if row.operands[-1] == "y" else None
    products = ufuncs.power(row, exponent) if exponent in ufuncs.WHOLE else None
    yield _bound(memory, products or ufuncs.value(row), target, read)
    yield from following


def _bound(memory: Memory, made: ufuncs.InPlace, target: Any, read: Sequence[Any]) -> Call:
    """Return a call in place; operands that are functions are called each time."""
    shape = target.shape
    scratch = [memory.scratch(shape, i) for i in range(1, made.scratch + 1)]
    masks = [memory.scratch(shape, i, bool) for i in range(made.masks)]
    if not any(map(callable, read)):
        return partial(made.call, target, *scratch, *masks, *read)

    def call() -> None:
        operands = (each() if callable(each) else each for each in read)
        made.call(target, *scratch, *masks, *operands)

    return call
