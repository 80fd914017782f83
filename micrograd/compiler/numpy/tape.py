"""Tapes, and other narrow instructions that follow each other, by Python's floats.

Without a batch, a call of NumPy takes as long as some ten operations on floats.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from micrograd.compiler.numpy.memory import Memory
from micrograd.compiler.numpy.straight_code import (
    Run,
    interpret,
    slots_read,
    steps_of,
    straight_code,
)
from micrograd.compiler.program.instructions import Elementwise, Fold, Tape, WeightedSums
from micrograd.compiler.program.program import Instruction
from micrograd.compiler.program.scalars import Scalar, scalars
from micrograd.compiler.program.slots import count_of, rows_of
from micrograd.locks import forkable_property

# Runs before a tape becomes straight code, which takes as long as some 25 of them; the most steps.
_INTERPRETED, _MOST_STEPS = 8, 200_000
# Instructions of fewer than _FEW operations are narrow. At least _LEAST of them in a row are done
# on floats, if they have at most _MOST_EACH operations on average: a call of NumPy takes as long.
_FEW, _LEAST, _MOST_EACH = 48, 3, 12


def is_narrow(instruction: Instruction, dtype: Any) -> bool:
    """Return whether an instruction is a tape or takes few operations on single numbers."""
    if instruction.varies or dtype != np.float64:
        return False
    match instruction:
        case Tape():
            return True
        case Elementwise(out=out):
            return count_of(out) < _FEW
        case WeightedSums(left=slots) | Fold(slots=slots):
            return len(slots) < _FEW
    return False


def on_floats(memory: Memory, instructions: Sequence[Instruction]) -> FloatSteps | None:
    """Return narrow instructions that follow each other as steps, or None if NumPy is faster."""
    found = [*chain.from_iterable(map(scalars, instructions))]
    stored = [getattr(x, "mode", "") == "first" for x in instructions for _ in scalars(x)]
    size = sum(max(1, len(each.operands) - 1, len(each.terms)) for each in found)
    tapes = [isinstance(each, Tape) for each in instructions]
    if not any(tapes) and (len(instructions) < _LEAST or size > _MOST_EACH * len(instructions)):
        return None
    return FloatSteps(memory, found, stored, adds=_adds(instructions[0]), whole=all(tapes))


def _adds(instruction: Instruction) -> bool:
    """Return whether results are added to what there is, as adjoints are."""
    if isinstance(instruction, Tape):
        return instruction.modes is not None
    return getattr(instruction, "mode", "value") != "value"


class FloatSteps:
    """Steps on single numbers, for which Python's floats are faster than calls of NumPy.

    They are interpreted one by one at first; after some runs, it pays to write straight code.

    Args:
        memory: the arrays.
        found: how each result is computed.
        stored: which results are adjoints that take the place of what there is.
        adds: whether the results are added to what there is.
        whole: whether they are all steps of tapes.
    """

    def __init__(
        self,
        memory: Memory,
        found: Sequence[Scalar],
        stored: Sequence[bool],
        *,
        adds: bool,
        whole: bool,
    ) -> None:
        # The numbers that are only read, then those that are computed, or added to.
        own = np.unique([each.slot for each in found])
        read = [*{slot for each in found for slot in slots_read(each)}]
        if adds and whole:
            # An adjoint that a step reads is passed on by it, and nothing needs it after the tape.
            own = np.setdiff1d(own, read)
        outer = np.setdiff1d(read, own)
        slots = np.concatenate([outer, own]).astype(np.intp)
        self.memory, self._own = memory, rows_of(own)
        self._count, self._size = len(outer), len(slots)
        self._loaded = slots if adds else slots[: len(outer)]
        place = dict(zip(slots.tolist(), range(len(slots)), strict=True))
        at = place.__getitem__
        self._steps = [
            step
            for each, stores in zip(found, stored, strict=True)
            for step in steps_of(each, at, adds=adds, stores=stores)
        ]
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
        is_long = len(self._steps) > _MOST_STEPS
        if self._runs > _INTERPRETED and not is_long and not self.memory.stops:
            self._code(numbers)
        else:
            interpret(self._steps, numbers)
        u[self._own] = array("d", numbers[count:])  # which takes less time than a list
