"""Finds which adjoints a program needs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.program.instructions import Elementwise, Lookup, Product, Tape, WeightedSums
from micrograd.compiler.program.loop_instructions import Elements, Loop, Pack
from micrograd.compiler.program.program import Instruction, Program
from micrograd.compiler.program.slots import Places, in_spaces


class Active(NamedTuple):
    """Which adjoints are needed: truth values for the slots of `u` and of `v`.

    `stacks` has the same for the columns of each stack.
    """

    u: Any
    v: Any
    stacks: Any

    def at(self, places: Places) -> Any:
        """Return which adjoints of some places are needed."""
        marks = np.zeros(len(places.slots), bool)
        for space, here in in_spaces(places.varies):
            marks[here] = self[space][places.slots[here]]
        return marks

    def reaches(self, instruction: Instruction) -> bool:
        """Return whether the adjoint of any result of an instruction is needed."""
        stack = -1
        match instruction:
            case Loop(kept=kept):
                stack = kept
            case Pack(stack=packed):
                stack = packed
        return bool(
            self[instruction.varies][instruction.out].any()
            or (stack >= 0 and self.stacks[stack].any())
        )


def active(program: Program, inputs: bool) -> Active:
    """Return which slots of `u` and of `v`, and which columns of stacks, need an adjoint.

    Args:
        program: the program.
        inputs: whether the adjoints of the inputs are asked for; those of the parameters always
            are.

    Returns:
        The slots and columns whose values depend on what is asked for.
    """
    found = Active(
        np.zeros(program.uniform, bool),
        np.zeros(program.varying, bool),
        [np.zeros(each.columns, bool) for each in program.stacks],
    )
    found.u[: program.parameters] = True
    if inputs:
        found[program.batched][slice(*program.input_slots)] = True
    for instruction in program.instructions:
        _mark(instruction, found)
    return found


def _mark(instruction: Instruction, active: Active) -> None:
    """Mark the results of an instruction that depend on what is marked."""
    varies, out = instruction.varies, instruction.out
    match instruction:
        case Elementwise(operands=operands):
            marks = np.zeros(out.stop - out.start, bool)
            for operand in operands:
                marks |= active[operand.varies][operand.rows]
            active[varies][out] = marks
        case Product(matrix=matrix, inputs=vectors, bias=bias):
            marks = active.u[matrix].any(axis=1) | active[varies][vectors].any()
            if bias is not None:
                marks |= active.u[bias]
            active[varies][out] = np.tile(marks, len(vectors))
        case WeightedSums() | Tape():
            active[varies][out] = True
        case Lookup(table_varies=table_varies, table=table):
            active[varies][out] = active[table_varies][table].any(axis=0)
        case Pack(stack=stack, places=places, shape=shape):
            active.stacks[stack][:] = active.at(places).reshape(shape).any(axis=0)
        case Elements(stack=stack, columns=columns):
            active[varies][out] = active.stacks[stack][columns]
        case Loop():
            _mark_loop(instruction, active)


def _mark_loop(loop: Loop, active: Active) -> None:
    """Mark what depends on what is marked, which takes several steps if a state depends on one."""
    own = active[loop.varies]
    own[loop.states] = active.at(loop.first)
    for place, (stack, column) in enumerate(loop.columns, loop.inputs.start):
        own[place] = active.stacks[stack][column]
    while True:
        for each in loop.body:
            _mark(each, active)
        further = own[loop.states] | active.at(loop.following)
        if (further == own[loop.states]).all():
            break
        own[loop.states] = further
    own[loop.out] = np.append(further, False)
    if loop.kept >= 0:
        active.stacks[loop.kept][:] = active.at(loop.outputs)
