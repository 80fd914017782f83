"""What an executor needs to follow a loop backwards, step by step.

It runs the instructions of the step backwards as often as the loop has run them forwards. What they
read of a step is kept when the loop runs. So adjoints of parameters are added up over a whole batch
by the same products of matrices as those of other instructions. The other way to differentiate a
loop is to trace its derivative (`micrograd.compiler.loops.derivatives`), which is a loop of its own
for each sample; it is better for short steps, which become straight code.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.adjoints import Active
from micrograd.compiler.program import (
    Elementwise,
    Instruction,
    Lookup,
    Loop,
    Places,
    Product,
    Program,
    Stack,
    Tape,
    WeightedSums,
    slots_of,
    slots_read,
    with_bodies,
)
from micrograd.table.formulas import RESULT, variables


def can_follow(program: Program, active: Active) -> bool:
    """Return whether all loops of a program can be followed backwards.

    Loops within loops cannot, and neither can stacks of `u` whose adjoints would be sums over a
    batch.
    """
    for each in with_bodies(program.instructions):
        if isinstance(each, Loop):
            if any(isinstance(inner, Loop) for inner in with_bodies(each.body)):
                return False
            for stack, column in each.columns:
                if each.varies != program.stacks[stack].varies and active.stacks[stack][column]:
                    return False
    return len(program.outputs) == 1


class Followed(NamedTuple):
    """A loop that is followed backwards.

    Args:
        loop: the loop.
        own: the slots of a step: its states, its inputs and all its results.
        kept: those of them, apart from the inputs, whose values are kept for the way back.
        again: whether these are the states alone, from which the way back computes the others.
    """

    loop: Loop
    own: slice
    kept: Any
    again: bool

    def stack(self) -> Stack:
        """Return the stack of what is kept."""
        return Stack(self.loop.varies, len(self.kept), self.loop.length)


def followed(loop: Loop, active: Active, most: int) -> Followed:
    """Return what following a loop takes.

    Args:
        loop: the loop.
        active: which adjoints are needed.
        most: the most numbers that may be kept of all steps, if it is known how many there are.
    """
    own = slice(loop.states.start, loop.out.start)
    read = np.zeros(loop.out.stop, bool)
    for each in loop.body:
        for slots, varies in _read_backwards(each, active):
            chosen = slots[(varies == loop.varies) & (slots >= own.start) & (slots < own.stop)]
            read[chosen] = True
    read[loop.inputs] = False
    again = int(read.sum()) * (loop.length or 0) > most
    return Followed(loop, own, slots_of(loop.states) if again else np.flatnonzero(read), again)


def _read_backwards(instruction: Instruction, active: Active) -> Iterator[tuple[Any, Any]]:
    """Yield slots whose values are read on the way back, and which of them are in `v`."""
    match instruction:
        case Elementwise(varies=varies, out=out, operation=row, operands=operands):
            names: set[str] = set()
            for place, operand in enumerate(operands):
                flow = row.flow(place)
                if flow is not None and active[operand.varies][operand.rows].any():
                    names |= variables(flow)
            if RESULT in names:
                yield slots_of(out), np.full(out.stop - out.start, varies)
            for name, operand in zip(row.operands, operands, strict=True):
                if name in names:
                    slots = slots_of(operand.rows)
                    yield slots, np.full(len(slots), operand.varies)
        case Product(varies=varies, matrix=matrix, inputs=inputs):
            if active.u[matrix].any():
                yield inputs.ravel(), np.full(inputs.size, varies)
            if active[varies][inputs].any():
                yield matrix.ravel(), np.full(matrix.size, False)
        case WeightedSums(sides=((left, left_varies), (right, right_varies))):
            both = right >= 0
            left, right = (
                Places(kinds[both], slots[both])
                for slots, kinds in ((left, left_varies), (right, right_varies))
            )
            for read, other in ((left, right), (right, left)):
                needed = active.at(other)
                yield read.slots[needed], read.varies[needed]
        case Lookup(at=index):
            yield slots_of(index.rows), np.full(1, index.varies)
        case Tape():  # some executors compute it once more
            yield slots_of(instruction.out), np.full(len(instruction.code), instruction.varies)
            yield from slots_read(instruction)
