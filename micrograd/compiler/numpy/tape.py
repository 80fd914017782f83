"""Tapes as calls: by NumPy over a batch, by Python's floats if there is no batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np

from micrograd.compiler.numpy import ufuncs
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
        columns = (
            column.tolist() for column in (tape.terms.sign, tape.terms.left, tape.terms.right)
        )
        terms = [*zip(*columns, strict=True)]
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
    def _rows(self) -> tuple[list[Any], list[Any]]:
        """A view of each slot of `u` and of `v`."""
        return [*self.memory.u[:, None]], [*self.memory.v]

    @cached_property
    def _adjoints(self) -> tuple[list[Any], list[Any]]:
        return [*self.memory.gu[:, None]], [*self.memory.gv]

    @cached_property
    def _steps(self) -> list[tuple[int, int, list[int], list[bool]]]:
        """For each step: the slot, the code, and the slots and spaces of the operands."""
        tape = self.tape
        slots = range(tape.out.start, tape.out.stop)
        columns = (tape.code.tolist(), tape.operands.tolist(), tape.operands_vary.tolist())
        return [*zip(slots, *columns, strict=True)]

    @cached_property
    def _terms(self) -> list[tuple[float, int, bool, int, bool]]:
        columns = (column.tolist() for column in self.tape.terms[3:])
        return [*zip(*columns, strict=True)]

    def _terms_of(self, slot: int) -> list[tuple[float, int, bool, int, bool]]:
        i = slot - self.tape.out.start
        first, last = self.tape.bounds[i : i + 2].tolist()
        return self._terms[first:last]

    # ------------------------------------------------------------------------------------- forwards

    def _forward(self) -> Iterator[Call]:
        tape, rows = self.tape, self._rows
        values = [ufuncs.value(row) for row in tape.operations]
        scratch, masks = self._scratch, self._masks
        for slot, code, operands, spaces in self._steps:
            target = rows[tape.varies][slot]
            if code == SUM:
                yield from self._sum(target, slot)
                continue
            call, few, tests = values[code]
            read = [
                rows[space][operand]
                for operand, space in zip(operands, spaces, strict=True)
                if operand >= 0
            ]
            yield partial(call, target, *scratch[:few], *masks[:tests], *read)

    def _sum(self, target: Any, slot: int) -> Iterator[Call]:
        rows, share = self._rows, self._scratch[0]
        for i, (sign, left, left_varies, right, right_varies) in enumerate(self._terms_of(slot)):
            term = rows[left_varies][left]
            if right >= 0:
                product = share if i else target
                yield partial(np.multiply, term, rows[right_varies][right], product)
                term = product
            if i:
                yield partial(np.add if sign > 0 else np.subtract, target, term, target)
            elif sign < 0:
                yield partial(np.negative, term, target)
            elif right < 0:
                yield partial(np.copyto, target, term)

    # ------------------------------------------------------------------------------------ backwards

    def _backward(self) -> Iterator[Call]:
        tape, rows, adjoints, active = self.tape, self._rows, self._adjoints, self.memory.active
        flows = [[ufuncs.flow(row, place) for place in range(row.arity)] for row in tape.operations]
        share, *scratch = self._scratch
        masks = self._masks
        for slot, code, operands, spaces in reversed(self._steps):
            g = adjoints[tape.varies][slot]
            if code == SUM:
                yield from self._sum_back(g, slot)
                continue
            read = [
                rows[space][operand]
                for operand, space in zip(operands, spaces, strict=True)
                if operand >= 0
            ]
            for flow, operand, space in zip(flows[code], operands, spaces, strict=False):
                if flow is not None and active[space][operand]:
                    call, few, tests = flow
                    result = rows[tape.varies][slot]
                    yield partial(call, share, *scratch[:few], *masks[:tests], g, result, *read)
                    yield self._adding(np.add, share, operand, space)

    def _sum_back(self, g: Any, slot: int) -> Iterator[Call]:
        rows, active, share = self._rows, self.memory.active, self._scratch[0]
        for sign, left, left_varies, right, right_varies in self._terms_of(slot):
            add = np.add if sign > 0 else np.subtract
            for this, varies, other, other_varies in (
                (left, left_varies, right, right_varies),
                (right, right_varies, left, left_varies),
            ):
                if this < 0 or not active[varies][this]:
                    continue
                if other < 0:
                    yield self._adding(add, g, this, varies)
                    continue
                yield partial(np.multiply, g, rows[other_varies][other], share)
                yield self._adding(add, share, this, varies)

    def _adding(self, add: Any, share: Any, slot: int, varies: bool) -> Call:
        """Return the call that adds a share to an adjoint; for `u`, its sum over the lanes."""
        target = self._adjoints[varies][slot]
        if varies or not self.tape.varies:
            return partial(add, target, share, target)
        return lambda: add(target, share.sum(), target)
