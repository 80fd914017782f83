"""Tapes as calls: by NumPy over a batch, by Python's floats without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from micrograd.compiler.numpy import ufuncs
from micrograd.compiler.numpy.linear import Term, sum_back_calls, sum_calls
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.numpy.straight_code import Step, backward_code, forward_code
from micrograd.compiler.program import SUM, Tape

_PREPARED = 4_096  # steps; the prepared calls of longer tapes would take too much memory
# Runs before a tape becomes straight code, which takes as long as some 25 of them; the most steps.
_INTERPRETED, _MOST_STEPS = 8, 100_000

Calls = Callable[[], Iterator[Call]]


def tape_on(memory: Memory, tape: Tape) -> RowTape | FloatTape:
    """Return the calls of a tape on the arrays of a memory."""
    if tape.varies or memory.u.dtype != np.float64:
        return RowTape(memory, tape)
    return FloatTape(memory, tape)


class FloatTape:
    """A tape of single numbers, for which Python's floats are faster than calls of NumPy.

    It is interpreted step by step at first; after some runs, it pays to write it as straight code.
    """

    def __init__(self, memory: Memory, tape: Tape) -> None:
        self.memory, self.tape = memory, tape
        terms = [(sign, left, right) for sign, left, _, right, _ in tape.terms.terms()]
        read = {*tape.operands.ravel().tolist()} - {-1}
        read.update(place for _, *factors in terms for place in factors if place >= 0)
        # The numbers that the tape reads, then those that it computes.
        first = tape.out.start
        outer = sorted(slot for slot in read if slot < first)
        self._outer, count = np.array(outer, np.intp), len(outer)
        place = dict(zip(outer, range(count), strict=True))
        place |= {first + i: count + i for i in range(len(tape.code))} | {-1: -1}
        self._numbers: list[float] = []
        self._steps = []
        for i, (code, operands) in enumerate(
            zip(tape.code.tolist(), tape.operands.tolist(), strict=True)
        ):
            row = None if code == SUM else tape.operations[code]
            held = [place[slot] for slot in operands[: row.arity]] if row else []
            summed = [
                (sign, place[left], place[right])
                for sign, left, right in terms[tape.bounds[i] : tape.bounds[i + 1]]
            ]
            self._steps.append(Step(count + i, row, held, summed))
        self._runs, self._is_compiled = 0, False

    def forward(self) -> Iterator[Call]:
        """Yield the call that computes every step."""
        yield self._forward

    def backward(self) -> Iterator[Call]:
        """Yield the call that adds to the adjoints."""
        yield self._backward

    @cached_property
    def _forward_code(self) -> list[Any]:
        return forward_code(self._steps)

    @cached_property
    def _backward_code(self) -> list[Any]:
        return backward_code(self._steps)

    def _forward(self) -> None:
        numbers = self.memory.u.take(self._outer).tolist()
        count = len(numbers)
        numbers += [0.0] * len(self._steps)
        self._runs += 1
        self._is_compiled = self._runs > _INTERPRETED and len(self._steps) <= _MOST_STEPS
        if self._is_compiled:
            for run in self._forward_code:
                run(numbers)
        else:
            _go_forward(self._steps, numbers)
        self.memory.u[self.tape.out] = numbers[count:]
        self._numbers = numbers

    def _backward(self) -> None:
        memory, outer = self.memory, self._outer
        adjoints = memory.gu.take(outer).tolist() + memory.gu[self.tape.out].tolist()
        if self._is_compiled:
            for run in self._backward_code:
                run(self._numbers, adjoints)
        else:
            _go_backward(self._steps, self._numbers, adjoints)
        memory.gu[outer] = adjoints[: len(outer)]


def _go_forward(steps: Sequence[Step], u: list[float]) -> None:
    for out, row, held, terms in steps:
        if row is not None:
            u[out] = row.value(*[u[place] for place in held])
            continue
        total = -0.0  # adding to it keeps the sign of a zero
        for sign, left, right in terms:
            total += sign * u[left] * (u[right] if right >= 0 else 1.0)
        u[out] = total


def _go_backward(steps: Sequence[Step], u: list[float], adjoints: list[float]) -> None:
    """Add to the adjoints; a factor of zero always blocks."""
    for out, row, held, terms in reversed(steps):
        g = adjoints[out]
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
