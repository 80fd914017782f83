"""Tapes as calls: by NumPy over a batch, by Python's floats without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from micrograd.compiler.numpy import ufuncs
from micrograd.compiler.numpy.linear import Term, sum_back_calls, sum_calls
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.program import SUM, Tape
from micrograd.ops import Operation

_PREPARED = 4_096  # steps; the prepared calls of longer tapes would take too much memory

Calls = Callable[[], Iterator[Call]]


def tape_on(memory: Memory, tape: Tape) -> RowTape | FloatTape:
    """Return the calls of a tape on the arrays of a memory."""
    if tape.varies or memory.u.dtype != np.float64:
        return RowTape(memory, tape)
    return FloatTape(memory, tape)


class FloatTape:
    """A tape of single numbers, for which Python's floats are faster than calls of NumPy."""

    def __init__(self, memory: Memory, tape: Tape) -> None:
        self.memory, self.tape = memory, tape

    @cached_property
    def _steps(self) -> list[tuple[int, Operation | None, list[int], list[Any]]]:
        """For each step: the slot, the operation and its operands, or the terms of a sum."""
        tape = self.tape
        terms = [(sign, left, right) for sign, left, _, right, _ in tape.terms.terms()]
        steps = []
        for i, code in enumerate(tape.code.tolist()):
            row = None if code == SUM else tape.operations[code]
            held = tape.operands[i, : row.arity].tolist() if row else []
            summed = terms[tape.bounds[i] : tape.bounds[i + 1]]
            steps.append((tape.out.start + i, row, held, summed))
        return steps

    def forward(self) -> Iterator[Call]:
        """Yield the call that computes every step."""
        yield self._forward

    def backward(self) -> Iterator[Call]:
        """Yield the call that adds to the adjoints; a factor of zero always stops."""
        yield self._backward

    def _forward(self) -> None:
        u = self.memory.u.tolist()
        for slot, row, held, terms in self._steps:
            if row is not None:
                u[slot] = row.value(*[u[place] for place in held])
                continue
            total = -0.0  # adding to it keeps the sign of a zero
            for sign, left, right in terms:
                total += sign * u[left] * (u[right] if right >= 0 else 1.0)
            u[slot] = total
        out = self.tape.out
        self.memory.u[out] = u[out]

    def _backward(self) -> None:
        u, adjoints = self.memory.u.tolist(), self.memory.gu.tolist()
        for slot, row, held, terms in reversed(self._steps):
            g = adjoints[slot]
            if g == 0:
                continue
            if row is not None:
                _, slopes = row.evaluate(*[u[place] for place in held])
                for place, slope in zip(held, slopes, strict=True):
                    if slope:
                        adjoints[place] += g * slope
                continue
            for sign, left, right in terms:
                if right < 0:
                    adjoints[left] += g * sign
                    continue
                for this, other in ((left, u[right]), (right, u[left])):
                    if other:
                        adjoints[this] += g * sign * other
        self.memory.gu[:] = adjoints


class RowTape:
    """A tape over a batch, or in single precision, by calls of NumPy."""

    def __init__(self, memory: Memory, tape: Tape) -> None:
        self.memory, self.tape = memory, tape
        shape = (memory.length,) if tape.varies else (1,)
        made = [ufuncs.value(row) for row in tape.operations]
        flows = (ufuncs.flow(row, place) for row in tape.operations for place in range(row.arity))
        made += [flow for flow in flows if flow is not None]
        scratch = max((each.scratch for each in made), default=0)
        masks = max((each.masks for each in made), default=0)
        self._scratch = [memory.scratch(shape, i) for i in range(scratch + 1)]
        self._masks = [memory.scratch(shape, i, bool) for i in range(masks)]

    def forward(self) -> Iterator[Call]:
        """Return the calls that compute every step."""
        return self._prepared(self._forward)

    def backward(self) -> Iterator[Call]:
        """Return the calls that add to the adjoints of operands, the last step first."""
        if self.tape.varies:
            self.memory.writers.touch(slice(0, self.tape.out.stop))
        return self._prepared(self._backward)

    def _prepared(self, calls: Calls) -> Iterator[Call]:
        """Return the calls; for a long tape, one call that makes the others as it goes."""
        if len(self.tape.code) <= _PREPARED:
            return calls()

        def run() -> None:
            for call in calls():
                call()

        return iter([run])

    # --------------------------------------------------------------------------------------- tables

    @cached_property
    def _steps(self) -> list[tuple[int, int, list[int], list[bool]]]:
        """For each step: the slot, the code, and the slots and spaces of the operands."""
        tape = self.tape
        slots = range(tape.out.start, tape.out.stop)
        columns = (tape.code.tolist(), tape.operands.tolist(), tape.operands_vary.tolist())
        return [*zip(slots, *columns, strict=True)]

    @cached_property
    def _terms(self) -> list[Term]:
        return self.tape.terms.terms()

    def _terms_of(self, slot: int) -> list[Term]:
        i = slot - self.tape.out.start
        first, last = self.tape.bounds[i : i + 2].tolist()
        return self._terms[first:last]

    # ------------------------------------------------------------------------------------- forwards

    def _forward(self) -> Iterator[Call]:
        tape, rows = self.tape, self.memory.rows
        values = [ufuncs.value(row) for row in tape.operations]
        scratch, masks = self._scratch, self._masks
        for slot, code, operands, spaces in self._steps:
            target = rows[tape.varies][slot]
            if code == SUM:
                yield from sum_calls(self.memory, target, self._terms_of(slot))
                continue
            call, few, tests = values[code]
            read = [
                rows[space][operand]
                for operand, space in zip(operands, spaces, strict=True)
                if operand >= 0
            ]
            yield partial(call, target, *scratch[:few], *masks[:tests], *read)

    # ------------------------------------------------------------------------------------ backwards

    def _backward(self) -> Iterator[Call]:
        memory, tape, rows = self.memory, self.tape, self.memory.rows
        flows = [[ufuncs.flow(row, place) for place in range(row.arity)] for row in tape.operations]
        share, *scratch = self._scratch
        masks = self._masks
        for slot, code, operands, spaces in reversed(self._steps):
            g = memory.adjoint_rows[tape.varies][slot]
            if code == SUM:
                yield from sum_back_calls(memory, g, self._terms_of(slot))
                continue
            read = [
                rows[space][operand]
                for operand, space in zip(operands, spaces, strict=True)
                if operand >= 0
            ]
            for flow, operand, space in zip(flows[code], operands, spaces, strict=False):
                if flow is not None and memory.active[space][operand]:
                    call, few, tests = flow
                    result = rows[tape.varies][slot]
                    yield partial(call, share, *scratch[:few], *masks[:tests], g, result, *read)
                    yield memory.adding_row(np.add, share, operand, space)
