"""Tapes as calls: by NumPy over a batch, by Python's floats without one.

Without a batch, narrow instructions that follow each other are computed like a tape, too.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from micrograd.compiler.numpy import ufuncs
from micrograd.compiler.numpy.linear import adding_row, sum_calls
from micrograd.compiler.numpy.memory import Call, Memory
from micrograd.compiler.numpy.straight_code import Run, Step, interpret, straight_code
from micrograd.compiler.program.instructions import SUM, Elementwise, Fold, Tape, WeightedSums
from micrograd.compiler.program.program import Instruction
from micrograd.compiler.program.scalars import scalars
from micrograd.compiler.program.slots import count_of, rows_of, slots_of
from micrograd.locks import forkable_property

_PREPARED = 8_192  # steps; the prepared calls of longer tapes would take too much memory
# Runs before a tape becomes straight code, which takes as long as some 25 of them; the most steps.
_INTERPRETED, _MOST_STEPS = 8, 200_000
# Instructions of fewer than _FEW operations are narrow. At least _LEAST of them in a row are done
# on floats, if they have at most _MOST_EACH operations on average: a call of NumPy takes as long.
_FEW, _LEAST, _MOST_EACH = 48, 3, 12


def tape_calls(memory: Memory, tape: Tape) -> Iterator[Call]:
    """Return the calls of a tape on the arrays of a memory."""
    if not tape.varies and memory.u.dtype == np.float64:
        return iter([_of_tape(memory, tape).run])
    if len(tape.code) <= _PREPARED:
        return _row_calls(memory, tape)

    def run() -> None:
        for call in _row_calls(memory, tape):
            call()

    return iter([run])  # one call, which makes the others as it goes


def _of_tape(memory: Memory, tape: Tape) -> FloatSteps:
    """Return the steps of a tape on floats."""
    terms, rows = tape.terms, [*tape.operations, None]
    arities = [row.arity if row else 0 for row in rows]
    read = np.concatenate([tape.operands.ravel(), terms.left, terms.right])

    def steps(place: Any) -> Iterator[Step]:
        columns = terms.sign, place[terms.left], place[terms.right]
        summed = [*zip(*(column.tolist() for column in columns), strict=True)]
        bounds, adds = tape.bounds.tolist(), tape.modes is not None
        for at, code, held, first, last in zip(
            place[slots_of(tape.out)].tolist(),
            tape.code.tolist(),
            place[tape.operands].tolist(),
            bounds[:-1],
            bounds[1:],
            strict=True,
        ):
            yield Step(at, rows[code], held[: arities[code]], summed[first:last], adds)

    own = slots_of(tape.out)
    if tape.modes is not None:
        # An adjoint that a step reads is passed on by it, and nothing needs it after the tape.
        own = np.setdiff1d(own, read)
    return FloatSteps(memory, own, read, steps, adds=tape.modes is not None)


def is_narrow(instruction: Instruction, dtype: Any) -> bool:
    """Return whether an instruction takes fewer than _FEW operations on single numbers."""
    match instruction:
        case Elementwise(varies=False, out=out):
            return dtype == np.float64 and count_of(out) < _FEW
        case WeightedSums(varies=False, left=left):
            return dtype == np.float64 and len(left) < _FEW
        case Fold(varies=False, slots=slots):
            return dtype == np.float64 and len(slots) < _FEW
    return False


def narrow_call(memory: Memory, instructions: Sequence[Instruction]) -> Call | None:
    """Return the call of narrow instructions that follow each other, or None if NumPy is faster."""
    found = [each for instruction in instructions for each in scalars(instruction)]
    size = sum(max(1, len(each.operands) - 1, len(each.terms)) for each in found)
    if len(instructions) < _LEAST or size > _MOST_EACH * len(instructions):
        return None
    adds = getattr(instructions[0], "mode", "value") == "add"
    read = [slot for each in found for _, slot in each.operands]
    read += [place[1] for each in found for term in each.terms for place in term[1:] if place]

    def steps(place: Any) -> Iterator[Step]:
        for slot, row, operands, terms in found:
            out, held = int(place[slot]), [int(place[at]) for _, at in operands]
            if row is None:
                columns = [
                    (x, int(place[a[1]]), int(place[b[1]]) if b else -1) for x, a, b in terms
                ]
                yield Step(out, None, (), columns, adds)
                continue
            yield Step(out, row, held[: row.arity], (), adds)
            for further in held[row.arity :]:  # of a fold
                yield Step(out, row, (out, further), (), adds)

    own = np.array([each.slot for each in found])
    return FloatSteps(memory, own, np.array(read, np.intp), steps, adds=adds).run


class FloatSteps:
    """Steps on single numbers, for which Python's floats are faster than calls of NumPy.

    They are interpreted one by one at first; after some runs, it pays to write straight code.

    Args:
        memory: the arrays.
        out: the slots of the results that are needed afterwards; one may occur several times.
        read: the slots that are read, or -1, with those of the other results.
        steps: gives the steps, from the place of each slot in a list of numbers.
        adds: whether the results are added to what there is.
    """

    def __init__(
        self,
        memory: Memory,
        out: Any,
        read: Any,
        steps: Callable[[Any], Iterator[Step]],
        *,
        adds: bool,
    ) -> None:
        # The numbers that are only read, then those that are computed, or added to.
        own = np.unique(out)
        outer = np.setdiff1d(read[read >= 0], own)
        slots = np.concatenate([outer, own])
        self.memory, self._own = memory, rows_of(own)
        self._count, self._size = len(outer), len(slots)
        self._loaded = slots if adds else outer
        place = np.full(len(memory.u) + 1, -1)
        place[slots] = np.arange(len(slots))
        self._steps = [*steps(place)]
        self._runs = 0

    @forkable_property
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
