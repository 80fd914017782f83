"""Tapes as calls: by NumPy over a batch, by Python's floats without one."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cached_property, partial

import numpy as np

from micrograd.compiler.numpy import ufuncs
from micrograd.compiler.numpy.linear import adding_row, sum_calls
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.numpy.straight_code import Run, Step, interpret, straight_code
from micrograd.compiler.program.instructions import SUM, Tape
from micrograd.compiler.program.slots import rows_of, slots_of

_PREPARED = 8_192  # steps; the prepared calls of longer tapes would take too much memory
# Runs before a tape becomes straight code, which takes as long as some 25 of them; the most steps.
_INTERPRETED, _MOST_STEPS = 8, 200_000


def tape_calls(memory: Memory, tape: Tape) -> Iterator[Call]:
    """Return the calls of a tape on the arrays of a memory."""
    if not tape.varies and memory.u.dtype == np.float64:
        return iter([FloatTape(memory, tape).run])
    if len(tape.code) <= _PREPARED:
        return _row_calls(memory, tape)

    def run() -> None:
        for call in _row_calls(memory, tape):
            call()

    return iter([run])  # one call, which makes the others as it goes


class FloatTape:
    """A tape of single numbers, for which Python's floats are faster than calls of NumPy.

    It is interpreted step by step at first; after some runs, it pays to write it as straight code.
    """

    def __init__(self, memory: Memory, tape: Tape) -> None:
        self.memory, adds, terms = memory, tape.modes is not None, tape.terms
        out = slots_of(tape.out)
        read = np.unique(np.concatenate([tape.operands.ravel(), terms.left, terms.right]))
        read = read[read >= 0]
        # The numbers that are only read, then those that are computed, or added to. An adjoint that
        # a step reads is passed on by it, and nothing needs it after the tape.
        own = np.setdiff1d(out, read) if adds else out
        outer = read if adds else np.setdiff1d(read, out)
        slots = np.concatenate([outer, own])
        self._own, self._count, self._size = rows_of(own), len(outer), len(slots)
        self._loaded = slots if adds else outer
        place = np.full(len(memory.u) + 1, -1)
        place[slots] = np.arange(len(slots))
        columns = terms.sign, place[terms.left], place[terms.right]
        summed = [*zip(*(column.tolist() for column in columns), strict=True)]
        bounds, rows = tape.bounds.tolist(), [*tape.operations, None]
        arities = [row.arity if row else 0 for row in rows]
        self._steps = [
            Step(at, rows[code], held[: arities[code]], summed[first:last], adds)
            for at, code, held, first, last in zip(
                place[out].tolist(),
                tape.code.tolist(),
                place[tape.operands].tolist(),
                bounds[:-1],
                bounds[1:],
                strict=True,
            )
        ]
        self._runs = 0

    @cached_property
    def _code(self) -> Run:
        return straight_code(self._steps)

    def run(self) -> None:
        """Run every step."""
        u, count = self.memory.u, self._count
        numbers = u.take(self._loaded).tolist()
        numbers += [0.0] * (self._size - len(numbers))
        self._runs += 1
        if self._runs > _INTERPRETED and len(self._steps) <= _MOST_STEPS:
            self._code(numbers)
        else:
            interpret(self._steps, numbers)
        u[self._own] = array("d", numbers[count:])  # which takes less time than a list


def _row_calls(memory: Memory, tape: Tape) -> Iterator[Call]:
    """Yield the calls for the steps of a tape over a batch, or in single precision."""
    varies, rows = tape.varies, memory.rows
    shape = (memory.length,) if varies else (1,)
    made = [ufuncs.value(row) for row in tape.operations]
    scratch = [
        memory.scratch(shape, 1 + i) for i in range(max([x.scratch for x in made], default=0))
    ]
    masks = [memory.scratch(shape, i, bool) for i in range(max([x.masks for x in made], default=0))]
    share, terms, bounds = memory.scratch(shape, 0), tape.terms.terms(), tape.bounds.tolist()
    columns = slots_of(tape.out), tape.code, tape.operands, tape.operands_vary
    steps = zip(*(column.tolist() for column in columns), tape.mode_of_each(), strict=True)
    for i, (slot, code, operands, spaces, mode) in enumerate(steps):
        target = rows[varies and mode != "total"][slot]
        if code == SUM:
            yield from sum_calls(
                memory, target, terms[bounds[i] : bounds[i + 1]], mode, varies=varies
            )
            continue
        call, few, tests = made[code]
        read = [
            rows[space][operand]
            for operand, space in zip(operands, spaces, strict=True)
            if operand >= 0
        ]
        into = target if mode in ("value", "first") else share
        yield partial(call, into, *scratch[:few], *masks[:tests], *read)
        if into is share:
            yield adding_row(np.add, share, target, mode)
