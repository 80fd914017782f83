"""A tape run by NumPy: step by step, since there are too many steps to prepare a call for each."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from micrograd.compiler import ufuncs
from micrograd.compiler.numpy_memory import Memory, stop_at_zeros
from micrograd.compiler.program import SUM, Tape


class TapeRunner:
    """Runs a tape forwards and backwards on the arrays of a memory."""

    def __init__(self, memory: Memory, tape: Tape) -> None:
        self.memory, self.tape = memory, tape
        shape = (memory.length,) if tape.varies else (1,)
        made = [ufuncs.value(row) for row in tape.operations]
        flows = (
            ufuncs.flow(row, place, careful)
            for row in tape.operations
            for place in range(row.arity)
            for careful in (False, True)
        )
        made += [flow for flow in flows if flow is not None]
        scratch = max((each.scratch for each in made), default=0)
        masks = max((each.masks for each in made), default=0)
        self._scratch = [memory.scratch(shape, i) for i in range(scratch + 1)]
        self._masks = [memory.scratch(shape, i, bool) for i in range(masks)]

    @cached_property
    def _rows(self) -> tuple[list[Any], list[Any]]:
        """A view of each slot of `u` and of `v`."""
        return [*self.memory.u[:, None]], [*self.memory.v]

    @cached_property
    def _adjoints(self) -> tuple[list[Any], list[Any]]:
        return [*self.memory.gu[:, None]], [*self.memory.gv]

    @cached_property
    def _steps(self) -> list[tuple[int, int, list[int], list[bool]]]:
        """The slot, the code, and the slots and spaces of the operands of each step."""
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

    def forward(self) -> None:
        """Compute every step."""
        tape, rows = self.tape, self._rows
        values = [ufuncs.value(row) for row in tape.operations]
        scratch, masks = self._scratch, self._masks
        for slot, code, operands, spaces in self._steps:
            target = rows[tape.varies][slot]
            if code == SUM:
                self._sum(target, slot)
                continue
            call, few, tests = values[code]
            read = [
                rows[space][operand]
                for operand, space in zip(operands, spaces, strict=True)
                if operand >= 0
            ]
            call(target, *scratch[:few], *masks[:tests], *read)

    def _sum(self, target: Any, slot: int) -> None:
        rows, share = self._rows, self._scratch[0]
        target.fill(0.0)
        for sign, left, left_varies, right, right_varies in self._terms_of(slot):
            other = rows[right_varies][right] if right >= 0 else 1.0
            np.multiply(rows[left_varies][left], other, out=share)
            (np.add if sign > 0 else np.subtract)(target, share, out=target)

    def backward(self, *, careful: bool) -> None:
        """Add to the adjoints of the operands of every step, the last one first."""
        tape, rows, adjoints, active = self.tape, self._rows, self._adjoints, self.memory.active
        flows = [
            [ufuncs.flow(row, place, careful) for place in range(row.arity)]
            for row in tape.operations
        ]
        share, *scratch = self._scratch
        masks = self._masks
        for slot, code, operands, spaces in reversed(self._steps):
            g = adjoints[tape.varies][slot]
            if code == SUM:
                self._sum_back(g, slot, careful)
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
                    call(share, *scratch[:few], *masks[:tests], g, result, *read)
                    self._add(share, g, operand, space, careful)

    def _sum_back(self, g: Any, slot: int, careful: bool) -> None:
        rows, active, share = self._rows, self.memory.active, self._scratch[0]
        for sign, left, left_varies, right, right_varies in self._terms_of(slot):
            for this, varies, other, other_varies in (
                (left, left_varies, right, right_varies),
                (right, right_varies, left, left_varies),
            ):
                if this >= 0 and active[varies][this]:
                    times = rows[other_varies][other] if other >= 0 else 1.0
                    np.multiply(g, times, out=share)
                    if sign < 0:
                        np.negative(share, out=share)
                    self._add(share, g, this, varies, careful)

    def _add(self, share: Any, g: Any, slot: int, varies: bool, careful: bool) -> None:
        if careful:
            stop_at_zeros(share, g)
        target = self._adjoints[varies][slot]
        if self.tape.varies and not varies:
            target += share.sum()
        else:
            np.add(target, share, out=target)
