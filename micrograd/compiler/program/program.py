"""A program: a few wide instructions over two spaces of slots.

The space `u` holds what depends on parameters and constants only, with one number in each slot. The
space `v` holds what varies over a batch, with one row of numbers in each slot. All of `u` is
computed first, once for the whole batch. The results of an instruction have neighbouring slots, so
that most operands are slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from micrograd.compiler.program.instructions import (
    Elementwise,
    Fold,
    Lookup,
    Product,
    Scatter,
    Tape,
    WeightedSums,
)
from micrograd.compiler.program.loop_instructions import (
    Elements,
    Loop,
    LoopBack,
    Pack,
    Send,
    Stack,
    Unpack,
)
from micrograd.compiler.program.printing import lines, place, told
from micrograd.compiler.program.slots import Operand, Rows, slots_of
from micrograd.ops import Operation

Step = (
    Elementwise
    | Product
    | WeightedSums
    | Fold
    | Lookup
    | Pack
    | Elements
    | Loop
    | Scatter
    | Unpack
    | Send
    | LoopBack
)
Instruction = Step | Tape


def with_bodies(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    """Yield the instructions, and after each loop those of its body."""
    for each in instructions:
        yield each
        if isinstance(each, Loop):
            yield from with_bodies(each.body)


def without_tapes(instructions: Iterable[Instruction]) -> Iterator[Step]:
    """Yield the instructions, with the steps of each tape in place of it."""
    for each in instructions:
        if isinstance(each, Tape):
            yield from each.steps()
        else:
            yield each


def slots_read(instruction: Instruction) -> Iterator[tuple[Any, Any]]:
    """Yield arrays of the slots that an instruction reads, and which of them are in `v`.

    A missing operand has the slot -1. Nothing is yielded for loops and their stacks.
    """
    match instruction:
        case Elementwise(operands=operands):
            for each in operands:
                yield _alike(each.varies, each.rows)
        case Product(varies=varies, matrix=matrix, inputs=inputs, bias=bias, mode=mode):
            yield _alike(mode == "total", matrix)
            if bias is not None:
                yield _alike(False, bias)
            yield _alike(varies, inputs)
        case Fold(varies=varies, slots=slots):
            yield _alike(varies, slots)
        case WeightedSums(sides=sides):
            yield from sides
        case Lookup(at=index, table_varies=table_varies, table=table):
            yield _alike(index.varies, index.rows)
            yield _alike(table_varies, table.ravel())
        case Scatter(varies=varies, at=index, read=read):
            yield _alike(index.varies, index.rows)
            yield _alike(varies, read)
        case Tape(operands=operands, operands_vary=kinds, terms=terms):
            yield from zip(operands.T, kinds.T, strict=True)
            yield from slots_read(terms)


def _alike(varies: bool, rows: Rows) -> tuple[Any, Any]:
    slots = slots_of(rows)
    return slots, np.full(slots.shape, varies)


class Program(NamedTuple):
    """Instructions in order, and the slots of parameters, inputs, constants and outputs.

    The slots of `u` are parameters, constants, then results; those of `v` are inputs, then results.
    In a program that is not batched, the inputs follow the parameters in `u`, and `v` is empty.
    """

    instructions: tuple[Instruction, ...]
    parameters: int
    inputs: int
    batched: bool
    constants: Any  # the numbers in `u` from slot `first_constant` on
    uniform: int  # the number of slots of `u`
    varying: int  # the number of slots of `v`
    outputs: tuple[tuple[bool, int], ...]  # whether it is in `v`, and its slot
    stacks: tuple[Stack, ...] = ()

    def operations(self) -> set[Operation]:
        """The operations of the table that the instructions apply."""
        found: set[Operation] = set()
        for each in with_bodies(self.instructions):
            found.update(getattr(each, "operations", ()))
            found.update(row for row in (getattr(each, "operation", None),) if row is not None)
        return found

    @property
    def first_constant(self) -> int:
        """The slot of `u` of the first constant."""
        return self.parameters + (0 if self.batched else self.inputs)

    def constant(self, slot: int) -> float | None:
        """The number in a slot of `u`, or None if it is not a constant."""
        place = slot - self.first_constant
        return float(self.constants[place]) if 0 <= place < len(self.constants) else None

    def common_constant(self, operand: Operand) -> float | None:
        """The constant that all rows of an operand have, or None."""
        slots = np.unique(slots_of(operand.rows))
        known = not operand.varies and len(slots) == 1
        return self.constant(int(slots[0])) if known else None

    def told(self, words: Mapping[str, str]) -> list[str]:
        """What each instruction computes, in the words of a language (its part `program`)."""
        return [told(each, words) for each in self.instructions]

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        inputs = place(self.batched, slice(*self.input_slots))
        yield f"program of {len(self.instructions)} instructions"
        yield f"  parameters {place(False, slice(0, self.parameters))}, inputs {inputs}"
        for instruction in self.instructions:
            yield from (f"  {line}" for line in lines(instruction))
        yield "  return " + ", ".join(f"{'uv'[varies]}[{slot}]" for varies, slot in self.outputs)

    @property
    def input_slots(self) -> tuple[int, int]:
        """The first slot of the inputs, in `v` or in `u`, and the one after the last."""
        first = 0 if self.batched else self.parameters
        return first, first + self.inputs
